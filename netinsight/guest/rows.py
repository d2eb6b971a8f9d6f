"""Addresses, rules and routes of a guest, as values."""

from __future__ import annotations

from dataclasses import dataclass

from netinsight.addresses import Prefix

SCOPES = {"global": 0, "universe": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
TABLES = {"default": "default", "main": "main", "local": "local", "253": "default", "254": "main", "255": "local"}
ROUTE_TYPES = ("unicast", "local", "broadcast", "multicast", "anycast", "throw", "unreachable", "prohibit", "blackhole")
ERRORS = ("throw", "unreachable", "prohibit", "blackhole")
"""Routes that lead nowhere; a throw ends the table only."""


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface: whether it is up, where that was told."""

    name: str
    up: bool = True
    loopback: bool = False
    index: int = 0
    mac: str = ""


@dataclass(frozen=True, slots=True)
class HostAddress:
    """An address of an interface."""

    line: int
    interface: str
    address: int
    network: Prefix
    """Of the peer on a point-to-point link."""
    scope: int = 0
    broadcast: int | None = None
    flags: frozenset[str] = frozenset()
    metric: int = 0
    strange: tuple[str, ...] = ()

    @property
    def secondary(self) -> bool:
        """Whether another address of the same network goes before it (IPv4)."""
        return "secondary" in self.flags


@dataclass(frozen=True, slots=True)
class NextHop:
    """One way of a route: the interface it leaves by, and the gateway where there is one."""

    interface: str
    gateway: int | None = None
    weight: int = 1
    linkdown: bool = False
    dead: bool = False
    via_other_family: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """A row of a table."""

    line: int
    """Of the routes; of the addresses where ``made``."""
    family: int
    type: str
    prefix: Prefix
    table: str
    hops: tuple[NextHop, ...]
    metric: int = 0
    scope: int = 0
    source: int | None = None
    preference: int = 0
    """Of a router: 1 high, 0 medium, -1 low (IPv6)."""
    kernel: bool = False
    """Whether the kernel made it, of an address."""
    made: bool = False
    strange: tuple[str, ...] = ()
    narrowed: bool = False
    """Whether what is strange of it makes it one of fewer packets."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of ``ip rule``."""

    line: int
    family: int
    priority: int
    action: str = "lookup"
    table: str = ""
    target: int = 0
    negated: bool = False
    source: Prefix | None = None
    destination: Prefix | None = None
    mark: int = 0
    mask: int = 0
    in_interface: str = ""
    out_interface: str = ""
    protocol: int = 0
    source_ports: tuple[int, int] | None = None
    ports: tuple[int, int] | None = None
    suppress: int = -1
    suppress_group: str = ""
    strange: tuple[str, ...] = ()


def default_rules(family: int) -> tuple[Rule, ...]:
    """What a kernel begins with."""
    first = (Rule(0, family, 0, table="local"), Rule(0, family, 32766, table="main"))
    return first if family == 6 else (*first, Rule(0, family, 32767, table="default"))


def is_default(rules: tuple[Rule, ...], family: int) -> bool:
    """Whether rules say no more than what a kernel begins with."""
    from dataclasses import replace

    return tuple(replace(rule, line=0) for rule in rules) == default_rules(family)
