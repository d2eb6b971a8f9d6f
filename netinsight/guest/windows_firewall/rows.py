"""The rules that are in force on a connection as packed rows: bypass, block, allow, default; the first match decides.

A row that hangs on what no packet tells is uncertain, and knows its conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import product
from typing import NamedTuple

from netinsight.addresses import LAST, V4_FIRST, V4_LAST, Range, merge, parse_prefix, subtract
from netinsight.engine.tables import EVERYWHERE, AddressSets, Row, Table
from netinsight.flow import EVERY_PORT, ICMP, ICMPV6, TCP, UDP, PortRange
from netinsight.guest.windows_firewall.rules import (
    BLOCK,
    IN_ORDER,
    Addresses,
    Condition,
    Connection,
    Keyword,
    Ports,
    Profile,
    Rule,
)

_FAMILIES = {
    None: (Range(0, LAST),),
    4: (Range(V4_FIRST, V4_LAST),),
    6: (Range(0, V4_FIRST - 1), Range(V4_LAST + 1, LAST)),
}
_TO_MANY = tuple(Range(prefix.first, prefix.last) for prefix in map(parse_prefix, ("224.0.0.0/4", "ff00::/8")))
_LIMITED_BROADCAST = parse_prefix("255.255.255.255/32")


class Origin(NamedTuple):
    """The rule of a row (None: the default action of the profile), and what else must be so for the row to match."""

    rule: Rule | None
    conditions: tuple[Condition, ...] = ()


class Alternative(NamedTuple):
    """Some of the values of a rule's field, and what must be so for them to be meant."""

    value: tuple[Range, ...] | PortRange | None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a packet may be judged: a connection in a profile, among the machine's others."""

    profile: Profile
    connection: Connection
    others: tuple[Connection, ...] = ()


@dataclass(slots=True)
class Packed:
    """The rows of one direction at a place, and where each comes from."""

    table: Table = field(default_factory=lambda: Table(AddressSets()))
    origins: list[Origin] = field(default_factory=list)
    address_sets: set[tuple[Range, ...]] = field(default_factory=set)
    """Every set of addresses that a row looks at."""

    def add(self, row: Row, origin: Origin) -> None:
        """Append a row; it is certain where it has no condition."""
        self.table.add(row._replace(certain=not origin.conditions))
        self.address_sets |= {row.source, row.destination} - {EVERYWHERE}
        self.origins.append(origin)


def packed(rules: Iterable[Rule], place: Place, inbound: bool) -> Packed:
    """The rows of the rules in force at a place."""
    found = Packed()
    in_force = [(rule, local) for rule in rules if rule.inbound == inbound and place.profile.name in rule.profiles
                if (local := _local_store(rule, place.profile)) is not None]  # fmt: skip
    for action in IN_ORDER:
        for rule, local in in_force:
            if rule.action == action:
                for row, conditions in _rows(rule, place):
                    found.add(row, Origin(rule, (*rule.conditions, *local, *conditions)))
    default = place.profile.inbound_allowed if inbound else place.profile.outbound_allowed
    found.add(Row(accepts=default), Origin(None))
    return found


def _local_store(rule: Rule, profile: Profile) -> tuple[Condition, ...] | None:
    """A profile may pass over the machine's own rules; None: this is one."""
    if profile.local_rules or rule.local_store is False:
        return ()
    return None if rule.local_store else (Condition("rule of Group Policy", rule.name),)


def alternatives(rule: Rule) -> int:
    """How many rows a rule may become."""
    sides = (1 + len(rule.local.keywords)) * (1 + len(rule.remote.keywords))
    ports = rule.local_ports.count * rule.remote_ports.count if _has_ports(rule) else len(rule.icmp)
    return sides * ports * max(1, len(rule.interfaces)) * max(1, len(rule.interface_types))


def _rows(rule: Rule, place: Place) -> Iterator[tuple[Row, tuple[Condition, ...]]]:
    interfaces = _choices(rule.interfaces, place.connection.interface, "interface")
    types = _choices(rule.interface_types, place.connection.type, "interface type")
    local = _addresses(rule.local, "local address", place, own=True)
    remote = _addresses(rule.remote, "remote address", place, own=False)
    fields = product(interfaces, types, local, remote, _ports(rule, "local port"), _ports(rule, "remote port"))
    for interface, kind, here, there, port, other_port in fields:
        source, target = (there, here) if rule.inbound else (here, there)
        source_port, target_port = (other_port, port) if rule.inbound else (port, other_port)
        if rule.protocol in ((ICMP, ICMP), (ICMPV6, ICMPV6)):
            source_port, target_port = other_port, port
        row = Row(source.value, target.value, rule.protocol, source_port.value, target_port.value,  # type: ignore[arg-type]
                  rule.action != BLOCK)  # fmt: skip
        chosen = (interface, kind, here, there, port, other_port)
        yield row, tuple(dict.fromkeys(condition for one in chosen for condition in one.conditions))


def _choices(asked: tuple[str, ...], known: str | None, kind: str) -> list[Alternative]:
    """One of several words, of which at most one is that of the connection."""
    if not asked or (known is not None and (known in asked or any(fnmatchcase(known, one) for one in asked))):
        return [Alternative(None)]
    return [] if known is not None else [Alternative(None, (Condition(kind, one),)) for one in asked]


def _has_ports(rule: Rule) -> bool:
    return rule.protocol in ((TCP, TCP), (UDP, UDP))


def _ports(rule: Rule, side: str) -> list[Alternative]:
    """Ports are looked at in TCP and UDP only, types in ICMP only; a type stands where the local port does."""
    if _has_ports(rule):
        ports: Ports = rule.local_ports if side == "local port" else rule.remote_ports
        written = [Alternative(one) for one in ports.ranges]
        return written + [Alternative(EVERY_PORT, (Condition(side, one),)) for one in ports.keywords]
    if side == "local port" and rule.protocol in ((ICMP, ICMP), (ICMPV6, ICMPV6)):
        return [Alternative(one) for one in rule.icmp]
    return [Alternative(EVERY_PORT)]


def _addresses(addresses: Addresses, side: str, place: Place, own: bool) -> list[Alternative]:
    sure, found = list(addresses.ranges), []
    for keyword in addresses.keywords:
        known, maybe = _meant(keyword, place, own)
        limits = _FAMILIES[keyword.family]
        sure += _within(known, limits)
        if left := merge(_within(maybe, limits)):
            found.append(Alternative(left, (Condition(side, keyword.word),)))
    return ([Alternative(merge(sure))] if sure else []) + found


def _within(pieces: Iterable[Range], limits: Iterable[Range]) -> list[Range]:
    return [Range(max(one.first, limit.first), min(one.last, limit.last)) for one in pieces for limit in limits
            if one.first <= limit.last and limit.first <= one.last]  # fmt: skip


def _meant(keyword: Keyword, place: Place, own: bool) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    """The addresses that a keyword stands for here, and those for which that is not known."""
    attribute = {"LocalSubnet": "subnets", "DefaultGateway": "gateways", "DNS": "dns"}.get(keyword.word)
    known: tuple[Range, ...] | None = getattr(place.connection, attribute) if attribute else None
    if known is None or attribute is None or own:
        return (), _FAMILIES[None]
    others = [getattr(one, attribute) for one in place.others]
    if None in others:
        maybe: Iterable[Range] = _FAMILIES[None]
    else:
        maybe = [one for ranges in others for one in ranges]
        if keyword.word == "LocalSubnet":
            maybe = [*maybe, *_TO_MANY, Range(_LIMITED_BROADCAST.first, _LIMITED_BROADCAST.last)]
    for one in known:
        maybe = subtract(maybe, one)
    return known, tuple(maybe)
