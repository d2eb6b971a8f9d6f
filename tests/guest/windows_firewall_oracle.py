"""What the documentation says that a Windows firewall does with one packet, in plain Python; knows no row and no box.

A rule is drawn as what it means, and written as PowerShell might; the oracle judges what it means, in every world that
what nobody knows allows: which process listens, whether IPsec protects, what a keyword stands for, which connection. Where
these differ, it judges in the worlds that have the process which the documentation takes to be there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

PROFILES = ["Domain", "Private", "Public"]
TYPES = ["Wired", "Wireless", "RemoteAccess"]
PROGRAMS = [r"C:\Windows\System32\svchost.exe", r"C:\web\nginx.exe", r"D:\old\nginx.exe", "System"]
NAMES = ["svchost", "nginx", "Nginx.exe", "SYSTEM", "TermService", "other.exe"]
SERVICES = ["TermService", "Dnscache"]
PACKAGES = ["S-1-15-2-1", "S-1-15-2-2"]
ALIASES = ["Ethernet", "Wi-Fi"]
KNOWN_WORDS = {"LocalSubnet": "subnets", "DefaultGateway": "gateways", "DNS": "dns"}
FREE_WORDS = ["DHCP", "WINS", "Internet", "Intranet", "PlayToDevice"]
NETS = ["10.0.0.0/24", "10.0.0.0/8", "192.0.2.0/25", "2001:db8::/64", "10.0.0.7/32"]
SPANS = [("10.0.0.5", "10.0.1.9"), ("192.0.2.1", "192.0.2.1"), ("2001:db8::2", "2001:db8::ff")]
ADDRESSES = [
    "10.0.0.5",
    "10.0.0.7",
    "10.0.1.1",
    "192.0.2.9",
    "198.51.100.1",
    "2001:db8::5",
    "2001:db8:1::1",
    "10.0.2.2",
]
TO_MANY = ["224.0.0.251", "255.255.255.255", "ff02::fb"]
PORTS = [0, 22, 80, 135, 443, 3389, 5000, 65535]
ICMP, ICMPV6, TCP, UDP = 1, 58, 6, 17


@dataclass
class Rule:
    inbound: bool
    action: str
    profiles: list[str]
    enabled: bool = True
    local: list[Any] = field(default_factory=lambda: ["Any"])
    remote: list[Any] = field(default_factory=lambda: ["Any"])
    protocol: int | None = None
    local_ports: list[Any] = field(default_factory=lambda: ["Any"])
    remote_ports: list[Any] = field(default_factory=lambda: ["Any"])
    icmp: list[tuple[int, int | None]] | None = None
    program: str | None = None
    service: str | None = None
    package: str | None = None
    aliases: list[str] | None = None
    types: list[str] | None = None
    authenticated: bool = False
    encrypted: bool = False
    local_store: bool = True


@dataclass
class Profile:
    enabled: bool
    inbound: str
    outbound: str
    inbound_rules: bool
    local_rules: bool
    off: list[str]


@dataclass
class Connection:
    alias: str
    category: str | None
    type: str | None
    subnets: list[str] | None
    gateways: list[str] | None
    dns: list[str] | None


@dataclass
class Machine:
    profiles: dict[str, Profile]
    rules: list[Rule]
    connections: list[Connection]
    of_processes: bool = False


@dataclass
class Asked:
    inbound: bool
    source: str
    target: str
    protocol: int
    source_port: int
    port: int
    kind: tuple[int, int]
    alias: str | None
    program: str | None
    service: str | None
    package: str | None


World = dict[Any, Any]


def outcomes(machine: Machine, asked: Asked) -> tuple[set[str], set[str]]:
    """ACCEPT and DROP, as they may come whatever the process is, and with the process that is taken to be there."""
    source, target = map(ipaddress.ip_address, (asked.source, asked.target))
    if asked.source == asked.target or source.is_loopback or target.is_loopback:
        return {"ACCEPT"}, {"ACCEPT"}
    asked = _named_as_a_service(machine, asked)
    process = _taken(machine, asked)
    found = [((world["program"], world["services"], world["package"]) == process, _in_world(machine, asked, world))
             for world in _worlds(machine, asked)]  # fmt: skip
    return {one for _, one in found}, {one for taken, one in found if taken}


def verdict(machine: Machine, asked: Asked) -> str:
    """ACCEPT or DROP where every world agrees, or every one with the process that is taken to be there; else UNKNOWN."""
    every, taken = outcomes(machine, asked)
    return next((one.pop() for one in (every, taken) if len(one) == 1), "UNKNOWN")


def _file(program: str) -> str:
    return program.split("\\")[-1].lower().removesuffix(".exe")


def _bare(asked: Asked) -> str | None:
    """The name of the process's file where its path is not known."""
    return _file(asked.program) if asked.program and asked.program in NAMES else None


def _named_as_a_service(machine: Machine, asked: Asked) -> Asked:
    enabled = [rule for rule in machine.rules if rule.enabled]
    name = (_bare(asked) and asked.program) or ""
    if asked.service or any(_file(rule.program) == _file(name) for rule in enabled if rule.program):
        return asked
    as_service = any((rule.service or "").lower() == name.lower() for rule in enabled if rule.service)
    return replace(asked, program=None, service=name) if as_service else asked


def _taken(machine: Machine, asked: Asked) -> tuple[set[str], set[str], str]:
    """Program, services and package that the documentation takes the process to have."""
    enabled = [rule for rule in machine.rules if rule.enabled and rule.inbound == asked.inbound]
    ordered = sorted(enabled, key=lambda rule: ["Bypass", "Block", "Allow"].index(rule.action))
    name = _bare(asked)
    program, service, package = None if name else asked.program, asked.service, asked.package
    for rule in ordered:
        if not asked.inbound or not _names(rule, asked):
            continue
        fits = rule.program in (None, program) or (not program and name in (None, _file(rule.program or "")))
        fits = fits and (None in (rule.service, service) or "*" in (rule.service, service) or rule.service == service)
        if fits and (None in (rule.package, package) or rule.package == package):
            program, package = program or rule.program, package or rule.package
            service = rule.service if service in (None, "*") and rule.service else service
    for rule in ordered:
        if name and not program and rule.program and _file(rule.program) == name:
            program = rule.program
    services = {"other"} if service == "*" else {service} if service else set()
    return {program or "other"}, services, package or "none"


def _names(rule: Rule, asked: Asked) -> bool:
    """Whether a rule names the protocol, and the port or type."""
    if rule.protocol != asked.protocol:
        return False
    if rule.protocol in (ICMP, ICMPV6):
        return rule.icmp is not None and any(
            kind == asked.kind[0] and code in (None, asked.kind[1]) for kind, code in rule.icmp
        )
    if rule.protocol not in (TCP, UDP):
        return True
    if "Any" in rule.local_ports or (0, 65535) in rule.local_ports:
        return False
    return _port(rule.local_ports, asked.port, {}, "")


def _worlds(machine: Machine, asked: Asked) -> Iterator[World]:
    rules = [rule for rule in machine.rules if rule.enabled and rule.inbound == asked.inbound]
    words = {(side, _word(item)) for rule in rules for side, items in (("local", rule.local), ("remote", rule.remote))
             for item in items if _word(item)}  # fmt: skip
    ports = {(side, item) for rule in rules for side, items in (("lport", rule.local_ports), ("rport", rule.remote_ports))
             for item in items if item in ("RPC", "Teredo")}  # fmt: skip
    free = sorted(words | ports)
    secured = any(rule.authenticated or rule.encrypted or rule.action == "Bypass" for rule in rules)
    programs = [*{rule.program for rule in rules if rule.program}, "other"]
    if name := _bare(asked):
        programs = [program for program in programs if program == "other" or _file(program) == name]
        programs = [program for program in programs if program.lower() == name] or programs
    paths = [{program} for program in programs]
    if asked.program and not name:  # a file of the same name elsewhere may be the same file
        paths = [{asked.program}, *({asked.program, one} for one in programs if _file(one) == _file(asked.program))]
    if asked.service:
        services: list[set[str]] = [{asked.service}]
    else:
        services = [set(one) for one in ([], SERVICES[:1], SERVICES[1:], SERVICES, ["other"])]
    typed = any(rule.types for rule in rules)
    packages = [asked.package] if asked.package else [*{rule.package for rule in rules if rule.package}, "none"]
    for connection in [one for one in machine.connections if asked.alias in (None, one.alias)] or [None]:
        for profile in [connection.category] if connection and connection.category else PROFILES:
            for kind in [connection.type] if connection and connection.type else TYPES if typed else [None]:
                for alias in (
                    [connection.alias] if connection else [asked.alias] if asked.alias else [*ALIASES, "other"]
                ):
                    for truth in product([True, False], repeat=len(free) + 2 * secured):
                        for program, service, package in product(paths, services, packages):
                            yield {"connection": connection, "profile": profile, "type": kind, "alias": alias,
                                   "program": program, "services": service, "package": package,
                                   "secured": truth[len(free) :], **dict(zip(free, truth, strict=False))}  # fmt: skip


def _in_world(machine: Machine, asked: Asked, world: World) -> str:
    profile = machine.profiles[world["profile"]]
    if not profile.enabled or world["alias"] in profile.off:
        return "ACCEPT"
    if asked.inbound and not profile.inbound_rules:
        return "DROP"
    matching = [rule for rule in machine.rules if _matches(machine, rule, asked, world, profile)]
    actions = {rule.action for rule in matching}
    for action in ("Bypass", "Block", "Allow"):
        if action in actions:
            return "DROP" if action == "Block" else "ACCEPT"
    default = profile.inbound if asked.inbound else profile.outbound
    if default == "NotConfigured":
        return "DROP" if asked.inbound else "ACCEPT"
    return "ACCEPT" if default == "Allow" else "DROP"


def _matches(machine: Machine, rule: Rule, asked: Asked, world: World, profile: Profile) -> bool:
    if not rule.enabled or rule.inbound != asked.inbound or world["profile"] not in rule.profiles:
        return False
    if rule.local_store and not profile.local_rules:
        return False
    if rule.protocol is not None and rule.protocol != asked.protocol:
        return False
    local, remote = (asked.target, asked.source) if asked.inbound else (asked.source, asked.target)
    lport, rport = (asked.port, asked.source_port) if asked.inbound else (asked.source_port, asked.port)
    if rule.protocol in (TCP, UDP) and not (
        _port(rule.local_ports, lport, world, "lport") and _port(rule.remote_ports, rport, world, "rport")
    ):
        return False
    if (
        rule.protocol in (ICMP, ICMPV6)
        and rule.icmp is not None
        and not any(kind == asked.kind[0] and code in (None, asked.kind[1]) for kind, code in rule.icmp)
    ):
        return False
    secured = dict(zip(("authenticated", "encrypted"), world["secured"], strict=False))
    if (rule.authenticated or rule.action == "Bypass" or rule.encrypted) and not secured["authenticated"]:
        return False
    if rule.encrypted and not secured["encrypted"]:
        return False
    if rule.program and rule.program not in world["program"]:
        return False
    if rule.package and rule.package != world["package"]:
        return False
    if rule.service == "*" and not world["services"]:
        return False
    if rule.service not in (None, "*") and rule.service not in world["services"]:
        return False
    if (rule.aliases and world["alias"] not in rule.aliases) or (rule.types and world["type"] not in rule.types):
        return False
    return _address(machine, rule.local, local, world, "local") and _address(
        machine, rule.remote, remote, world, "remote"
    )


def _port(items: list[Any], port: int, world: World, side: str) -> bool:
    for item in items:
        if item == "Any" or (item == "RPCEPMap" and port == 135) or world.get((side, item)) is True:
            return True
        if isinstance(item, tuple) and item[0] <= port <= item[1]:
            return True
    return False


def _word(item: Any) -> str | None:
    return item[1] if isinstance(item, tuple) and item[0] == "word" else None


def _address(machine: Machine, items: list[Any], address: str, world: World, side: str) -> bool:
    return any(_one_address(machine, item, ipaddress.ip_address(address), world, side) for item in items)


def _one_address(machine: Machine, item: Any, address: Any, world: World, side: str) -> bool:
    if item == "Any":
        return True
    if item[0] == "net":
        return address in ipaddress.ip_network(item[1])
    if item[0] == "span":
        first, last = map(ipaddress.ip_address, item[1:])
        return first.version == address.version and first <= address <= last
    _, word, version = item
    if version not in (None, address.version):
        return False
    free: bool = world[(side, word)]
    here = world["connection"]
    if side == "local" or word not in KNOWN_WORDS or here is None or getattr(here, KNOWN_WORDS[word]) is None:
        return free
    if _in_any(getattr(here, KNOWN_WORDS[word]), address):
        return True
    others = [getattr(one, KNOWN_WORDS[word]) for one in machine.connections if one is not here]
    if None in others or any(_in_any(one, address) for one in others):
        return free
    many = word == "LocalSubnet" and (address.is_multicast or str(address) == "255.255.255.255")
    return free if many else False


def _in_any(nets: list[str], address: Any) -> bool:
    return any(address in ipaddress.ip_network(net, strict=False) for net in nets)
