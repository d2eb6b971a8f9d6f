"""What the Internet truly reaches, by every public address of a topology, and what reaches the Internet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from netinsight.addresses import parse_address, text
from netinsight.diagnosis.catalogue import Lang
from netinsight.diagnosis.pair_ports import Asked, PairSet, pair_set
from netinsight.diagnosis.port_sets import Asking
from netinsight.diagnosis.port_writer import assumptions_of, header
from netinsight.diagnosis.reach_report import (
    SEVERITIES,
    Exposed,
    Exposure,
    Passing,
    Reaching,
    Severity,
    Stopped,
    Way,
)
from netinsight.diagnosis.report import Assumption, Object
from netinsight.diagnosis.who_can_reach import of_classes
from netinsight.engine.spaces import without
from netinsight.errors import QuestionError
from netinsight.flow import PortRange, Verdict, has_ports, parse_ports, parse_protocol, protocol_name
from netinsight.network.build import Network
from netinsight.network.ends import INTERNET

MANY_PORTS = 100


class Allowed(NamedTuple):
    """What may be reached from outside: a protocol, and of one with ports which."""

    protocol: str
    ports: PortRange | None

    def __str__(self) -> str:
        return f"{self.protocol}/{self.ports}" if self.ports else self.protocol


def parse_allowed(written: str) -> Allowed:
    """``tcp/443``, ``tcp/8000-8010``, ``icmp``; ``udp`` is every port.

    Raises
    ------
    QuestionError
        For anything else.
    """
    word, slash, ports = written.partition("/")
    number = parse_protocol(word)
    if slash and not has_ports(number):
        raise QuestionError(f"`{written[:40]}`: {protocol_name(number)} has no ports", hint=f"write `{word}`")
    return Allowed(protocol_name(number), parse_ports(ports) if slash else None)


class Door(NamedTuple):
    """A public address of the topology, and what has it."""

    address: str
    holder: Object
    family: int = 4


def doors(network: Network) -> Iterator[Door]:
    """Every address that an Internet host could ask for."""
    topology, seen = network.topology, set[int]()
    for public in network.publics:
        seen.add(public.address)
        kind = "instance" if public.holder in topology.instances else "eip"
        yield Door(text(public.address), Object.model_construct(type=kind, id=public.holder))
    for address, name in network.balancer_of_public.items():
        if address not in seen:
            yield Door(text(address), Object.model_construct(type="load_balancer", id=name))
    for interface in network.enis.values():
        for written in interface.eni.ipv6_addresses:
            holder = Object.model_construct(type="eni", id=interface.id)
            yield Door(text(parse_address(written)), holder, 6)


def exposure(
    asking: Asking, asked: Asked, allowed: tuple[Allowed, ...], lang: Lang, *, outward: bool = True
) -> Exposure:
    """The report of a topology."""
    found, assumptions = list[Exposed](), dict[Assumption, None]()
    every = list(doors(asking.network))
    for door in every:
        told = pair_set(asking, INTERNET, door.address, asked, door.family, lang)
        assumptions.update(dict.fromkeys(assumptions_of(asking, told.judged)))
        found += [_exposed(asking, door, one, allowed) for one in told.passing]
    ways = _Ways()
    for who, told in _outward(asking, asked, lang) if outward else ():
        assumptions.update(dict.fromkeys(assumptions_of(asking, told.judged)))
        ways.add(who, told)
    return Exposure.model_construct(
        **header(asking, lang),
        asked=asked.words,
        doors=len(every),
        exposed=sorted(found, key=_rank),
        outward=ways.told(),
        allowed=[str(one) for one in allowed],
        assumptions=sorted(assumptions, key=lambda one: one.id),
    )


def _outward(asking: Asking, asked: Asked, lang: Lang) -> Iterator[tuple[list[Reaching], PairSet]]:
    """What each ENI reaches of the Internet, with those that nothing tells apart from it."""
    sets = set(asking.network.sets)
    asking = asking._replace(looked=sets)

    def answer(source: str) -> PairSet:
        return pair_set(asking, source, INTERNET, asked, None, lang)

    for who, told in of_classes(asking.network, sets, lambda _: True, answer):
        if told is not None:
            yield who, told


def _exposed(asking: Asking, door: Door, passing: Passing, allowed: tuple[Allowed, ...]) -> Exposed:
    sensitive = list(_sensitive(asking, passing))
    return Exposed.model_construct(
        severity=_severity(passing, sensitive),
        address=door.address,
        holder=door.holder,
        sensitive=sensitive,
        not_allowed=_not_allowed(passing, allowed),
        passing=passing,
    )


def _severity(passing: Passing, sensitive: list[str]) -> Severity:
    if passing.verdict is Verdict.UNREACHABLE or not (passing.hosts and passing.hosts.every):
        whole = bool(passing.hosts and passing.hosts.every_but) and passing.verdict is not Verdict.UNREACHABLE
        return ("critical" if sensitive else "medium") if whole else "low"
    if sensitive:
        return "critical"
    ports = _range(passing)
    return "high" if ports and ports.last - ports.first >= MANY_PORTS else "medium"


def _range(passing: Passing) -> PortRange | None:
    return parse_ports(passing.ports)


def _sensitive(asking: Asking, passing: Passing) -> Iterator[str]:
    """The ports of administration and of databases among those that pass, with their names."""
    ports = _range(passing)
    for written, name in asking.catalogue.sensitive_ports.get(passing.protocol, {}).items():
        if ports and ports.first <= int(written) <= ports.last:
            yield f"{written} {name}"


def _not_allowed(passing: Passing, allowed: tuple[Allowed, ...]) -> list[str]:
    """Which ports are reached, or may be, that nobody allowed."""
    if passing.verdict is Verdict.UNREACHABLE:
        return []
    mine = [one for one in allowed if one.protocol == passing.protocol]
    ports = _range(passing)
    if ports is None or any(one.ports is None for one in mine):
        return [] if mine else [passing.ports]
    return [str(one) for one in without([ports], [one.ports for one in mine if one.ports])]


def _rank(one: Exposed) -> tuple[object, ...]:
    silent = one.passing.verdict is Verdict.UNREACHABLE
    return SEVERITIES.index(one.severity), not one.not_allowed, silent


class _Ways:
    """ENIs that leave for the Internet alike: what passes, as whom, what stops the rest."""

    def __init__(self) -> None:
        self._found: dict[str, Way] = {}

    def add(self, who: list[Reaching], told: PairSet) -> None:
        source = who[0]
        plain = [one.model_copy(update={"witness": None, "rules": [], "leaves_as": []}) for one in told.passing]
        by = list(dict.fromkeys(address for one in told.passing for address in one.leaves_as))
        key = "".join([*(one.model_dump_json() for one in plain), *by, *(_key(one, source.id) for one in told.stopped)])
        key = key.replace(f'"{source.eni}"', '"source"')
        way = self._found.get(key)
        if way is not None:
            way.sources.extend(who)
            return
        made = Way.model_construct(sources=list(who), by=by, passing=told.passing, stopped=told.stopped)
        self._found[key] = made

    def told(self) -> list[Way]:
        """Those that get out first, by the number of ENIs."""
        return sorted(self._found.values(), key=lambda way: (not way.passing, -len(way.sources)))


def _key(stopped: Stopped, source: str) -> str:
    return stopped.model_dump_json().replace(f'"{source}"', '"source"')
