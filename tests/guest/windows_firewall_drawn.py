"""Machines and packets for the oracle of the Windows firewall, drawn over few values so that they meet."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.guest.windows_firewall_oracle import (
    ADDRESSES,
    ALIASES,
    FREE_WORDS,
    ICMP,
    ICMPV6,
    KNOWN_WORDS,
    NAMES,
    NETS,
    PACKAGES,
    PORTS,
    PROFILES,
    PROGRAMS,
    SERVICES,
    SPANS,
    TCP,
    TO_MANY,
    TYPES,
    UDP,
    Asked,
    Connection,
    Machine,
    Profile,
    Rule,
)


def machine(random: Random) -> Machine:
    """A machine with a few rules over few values, so that they meet."""
    if random.random() < 0.4:
        return _of_processes(random)
    some = random.choice
    profiles = {name: Profile(random.random() < 0.9, some(["Allow", "Block", "NotConfigured"]),
                              some(["Allow", "Block", "NotConfigured"]), random.random() < 0.9, random.random() < 0.8,
                              [some(ALIASES)] if random.random() < 0.1 else []) for name in PROFILES}  # fmt: skip
    connections = [Connection(alias, some([*PROFILES, None]), some([*TYPES, None]), some([["10.0.0.2/24", "fe80::2/64"], None]),
                              some([["10.0.0.7"], [], None]), some([["192.0.2.9"], None]))
                   for alias in random.sample(ALIASES, random.choice([0, 1, 1, 1, 2]))]  # fmt: skip
    if len(connections) == 2 and connections[1].subnets:
        connections[1].subnets = ["10.0.2.0/24"]
    narrow = random.choice([0.05, 0.15, 0.3, 0.6])
    rules = [_rule(random, narrow) for _ in range(random.randint(0, 9))]
    return Machine(profiles, rules, connections)


def _of_processes(random: Random) -> Machine:
    """A machine of which all is known but the process."""
    some = random.choice
    profiles = {name: Profile(True, "Block", some(["Allow", "Block"]), True, True, []) for name in PROFILES}
    programs, rules = random.sample(PROGRAMS, random.choice([1, 2, 4])), []
    for _ in range(random.randint(1, 8)):
        protocol = some([TCP, TCP, TCP, TCP, TCP, UDP, ICMP, 47, None])
        rules.append(Rule(
            inbound=random.random() < 0.8, action=some(["Allow", "Allow", "Block"]), profiles=PROFILES,
            enabled=random.random() < 0.9, remote=some([["Any"], [("net", random.choice(NETS))]]),
            protocol=protocol, local_ports=some([["Any"], [(80, 80)], [(22, 443)], [(80, 3389), "RPCEPMap"], ["RPC"]]),
            icmp=some([None, [(8, None)], [(8, 0), (3, None)]]) if protocol == ICMP else None,
            program=some([None, *programs, *programs]), service=some([None, None, "*", *SERVICES]),
            package=some([None, None, None, None, *PACKAGES]),
        ))  # fmt: skip
    return Machine(profiles, rules, [Connection("Ethernet", some(PROFILES), "Wired", ["10.0.0.2/24"], [], [])], True)


def _rule(random: Random, narrow: float) -> Rule:
    """A rule that asks for each of its fields with the chance ``narrow``: rules that ask for little meet most packets."""
    some = random.choice

    def asks(value: Any, other: Any = None, chance: float = 1.0) -> Any:
        return value if random.random() < narrow * chance else other

    protocol = asks(some([TCP, TCP, UDP, ICMP, ICMPV6, 47]), some([None, TCP]))
    icmp = [[(8, None), (128, 0)], [(3, 4)], [(8, 0), (3, None)]]
    return Rule(
        inbound=random.random() < 0.7, action=some(["Allow", "Allow", "Allow", "Block", "Block", "Bypass"]),
        profiles=asks(random.sample(PROFILES, some([1, 2])), PROFILES), enabled=random.random() < 0.9,
        local=asks(_addresses(random), ["Any"]), remote=asks(_addresses(random), ["Any"]), protocol=protocol,
        local_ports=asks(_ports(random, "RPC"), ["Any"]), remote_ports=asks(_ports(random, "Teredo"), ["Any"]),
        icmp=asks(some(icmp)) if protocol in (ICMP, ICMPV6) else None,
        program=asks(some(PROGRAMS), some([None, None, *PROGRAMS])), service=asks(some(["*", *SERVICES])),
        package=asks(some(PACKAGES), chance=0.4), aliases=asks([some(ALIASES)], chance=0.4),
        types=asks(random.sample(TYPES, some([1, 2])), chance=0.4), authenticated=asks(True, False, 0.4),
        encrypted=asks(True, False, 0.2), local_store=random.random() < 0.7,
    )  # fmt: skip


def _addresses(random: Random) -> list[Any]:
    words = [*KNOWN_WORDS, *KNOWN_WORDS, random.choice(FREE_WORDS)]
    drawn = [("net", random.choice(NETS)), ("span", *random.choice(SPANS)), ("net", random.choice(NETS)),
             ("word", random.choice(words), random.choice([None, None, 4, 6]))]  # fmt: skip
    return random.sample(drawn, random.choice([1, 1, 2]))


def _ports(random: Random, word: str) -> list[Any]:
    first, last = sorted(random.sample(PORTS, 2))
    return random.sample([(first, last), (first, first), (last, last), word, "RPCEPMap"], random.choice([1, 2, 2]))


def asked(random: Random, of: Machine) -> Asked:
    """A packet among the same values."""
    protocol = random.choice([TCP, TCP, TCP, UDP, ICMP, 47])
    six = random.random() < 0.2
    source = random.choice([one for one in ADDRESSES if (":" in one) == six])
    target = random.choice([one for one in ADDRESSES + TO_MANY if (":" in one) == six])
    alias = random.choice([None, *ALIASES, "Ethernet"])
    if of.of_processes:
        return Asked(random.random() < 0.9, source, target, ICMPV6 if protocol == ICMP and ":" in source else protocol, 5000,
                     random.choice([80, 80, 80, 443, 135, 3389]), (8, 0), None, random.choice([None, None, *NAMES]),
                     random.choice([None, None, None, *SERVICES]), random.choice([None, None, None, *PACKAGES]))  # fmt: skip
    return Asked(random.random() < 0.7, source, target, ICMPV6 if protocol == ICMP and ":" in source else protocol,
                 random.choice(PORTS), random.choice(PORTS), random.choice([(8, 0), (3, 4), (128, 0), (3, 1)]),
                 alias, random.choice([None, None, random.choice(NAMES), *PROGRAMS]), random.choice([None, None, *SERVICES]),
                 random.choice([None, "none", *PACKAGES]))  # fmt: skip
