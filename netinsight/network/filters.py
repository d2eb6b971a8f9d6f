"""Groups, ACLs and route tables -> packed rows, each of which knows the rule it came from.

This is the one reading of the policy. What the cloud adds of itself (defaults, implicit rows, system routes) becomes rows
like any other; what is not known becomes rows that may or may not be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from netinsight.addresses import Prefix, Range, parse_prefix, ranges, subtract
from netinsight.engine.tables import EVERYWHERE, AddressSets, Row, Table
from netinsight.flow import EVERY_PORT, PortRange
from netinsight.model.base import Path, Unknown, looks_like_cidr, parse_rule_ports, protocol_range
from netinsight.model.gateways import DnatEntry, SnatEntry
from netinsight.model.links import LinkRoute
from netinsight.model.network_acl import EgressEntry, IngressEntry
from netinsight.model.routing import NextHopType, Route, RouteStatus, RouteTable, RouteTableType, RouteType
from netinsight.model.security_group import Direction, Family, GroupRule, Policy, SecurityGroup
from netinsight.model.topology import Interface, Topology

_Members = Callable[[str], tuple[Range, ...]]


class Origin(NamedTuple):
    """What a row came from.

    Attributes
    ----------
    id
        ``sg-a/ingress/3`` (the third ingress rule), ``sg-a/egress/default``, ``nacl-a/egress/1``, ``rtb-a/2``, …
    kind
        ``security_group_rule``, ``security_group_default``, ``intra_group``, ``network_acl_entry``,
        ``network_acl_default``, ``network_acl_service``, ``route``, ``system_route``, ``platform``, ``unknown``, or
        the state of an object: ``eni_status``, ``public_ip``, ``blackhole``, ``route_table``, ``gateway``; of a NAT
        gateway ``snat_entry``, ``dnat_entry``; of a guest ``guest_route``, ``guest_firewall_rule``.
    path
        Where it stands in the topology; of a default, where the object that has it stands.
    rule
        The rule, entry or route itself, if the topology has it.
    target
        A route's next hop, or the object that is not known.
    reason
        Why it is not known.
    text
        What the topology says there, where it is no rule.
    idle
        Whether it takes no effect as things are, and stands in its list only to be shown.
    """

    id: str
    kind: str
    path: Path = ()
    rule: GroupRule | IngressEntry | EgressEntry | Route | SnatEntry | DnatEntry | LinkRoute | None = None
    target: str = ""
    reason: str = ""
    text: str = ""
    idle: bool = False

    @property
    def is_first(self) -> bool:
        """Whether no rule of a group could come before it: a drop of the best priority."""
        return isinstance(self.rule, GroupRule) and self.rule.priority == 1 and self.rule.policy is Policy.DROP

    @property
    def is_rule(self) -> bool:
        """Whether it is a rule, an entry or a route, written or implied; not the state of an object."""
        return self.kind.startswith(
            ("security_group", "network_acl", "intra_group", "platform", "guest_firewall")
        ) or self.kind.endswith("route")


@dataclass
class Filter:
    """A table and the origin of each of its rows."""

    table: Table
    origins: list[Origin] = field(default_factory=list)

    def add(self, row: Row, origin: Origin) -> None:
        """Append a row with its origin."""
        self.table.add(row)
        self.origins.append(origin)

    def add_unknown(self, object_id: str, reason: str, path: Path) -> None:
        """Rows that stand for a list that nobody knows: it may accept anything, or drop it."""
        for accepts in (True, False):
            origin = Origin(object_id, "unknown", path, target=object_id, reason=reason)
            self.add(Row(accepts=accepts, certain=False), origin)


class Named(NamedTuple):
    """What a rule names, as ranges: those that it surely means, and those that it may mean."""

    certain: tuple[Range, ...]
    maybe: tuple[Range, ...] = ()


class Peers:
    """What rules name: CIDRs, groups, prefix lists and port lists."""

    def __init__(self, topology: Topology, members: _Members, maybe_members: _Members) -> None:
        self.topology, self.members, self.maybe_members = topology, members, maybe_members

    def addresses(self, named: str) -> Named:
        """The addresses of a CIDR, a group's members or a prefix list."""
        if looks_like_cidr(named):
            return Named(ranges(parse_prefix(named)))
        if named in self.topology.security_groups:
            return Named(self.members(named), self.maybe_members(named))
        listed = self.topology.prefix_lists.get(named)
        if listed is None:
            return Named((), EVERYWHERE)
        if isinstance(listed.entries, Unknown):
            return Named((), ranges(parse_prefix("0.0.0.0/0" if listed.family is Family.IPV4 else "::/0")))
        return Named(tuple(piece for entry in listed.entries for piece in ranges(parse_prefix(entry))))

    def ports(self, written: str | None) -> tuple[PortRange, ...] | None:
        """The ranges of a rule's ports; every port where none are named, None where the list is not known."""
        if written is None:
            return (EVERY_PORT,)
        if not written[0].isalpha():
            return (parse_rule_ports(written) or EVERY_PORT,)
        if written not in self.topology.port_lists:
            return None
        return tuple(parse_rule_ports(entry) or EVERY_PORT for entry in self.topology.port_lists[written])

    def why(self, named: str | None) -> str:
        """Why ``named`` is not known."""
        listed = self.topology.prefix_lists.get(named or "")
        if listed is not None and isinstance(listed.entries, Unknown):
            return listed.entries.unknown
        if named in self.topology.security_groups:
            return "the groups of an ENI are not known"
        return self.topology.unknown.get(named or "", "")


def pack_groups(
    topology: Topology,
    sets: AddressSets,
    peers: Peers,
    groups: tuple[str, ...],
    direction: Direction,
    intra_first: bool,
) -> Filter:
    """The rows of an ENI's groups in one direction, in the order in which they decide.

    Ingress: intra-group accept, custom rules, default. Egress: what no group can shut out, custom rules, default, with
    the intra-group accept first or last (``intra_first``). Custom rules: priority, drop before accept, then the order of
    the ENI's groups and of the file ("Security group rules", match policy).
    """
    packed = Filter(Table(sets))
    described = [(name, topology.security_groups[name]) for name in groups if name in topology.security_groups]
    intra = list(_intra_group(topology, peers, described, direction))
    custom = list(_custom(peers, described, direction))
    lost = list(_unknown_groups(topology, groups))
    if all(group.type in topology.dialect.intra_group_types for _, group in described):
        # a group that nobody described may let its members in before any rule
        for origin in lost:
            if origin.path[0] == "unknown" and (far := peers.members(origin.id) + peers.maybe_members(origin.id)):
                source, destination = (far, EVERYWHERE) if direction is Direction.INGRESS else (EVERYWHERE, far)
                intra.append((Row(source, destination, accepts=True, certain=False), origin))
    first = [pair for pair in custom if pair[1].is_first]
    unknown = [(Row(accepts=accepts, certain=False), origin) for origin in lost for accepts in (True, False)]
    rest = [pair for pair in custom if not pair[1].is_first]
    middle = [*first, *unknown, *rest]
    _always_allowed(topology, packed, direction)
    for row, origin in [*intra, *middle] if intra_first else [*middle, *intra]:
        packed.add(row, origin)
    if described:
        name, group = described[0]
        accepts = topology.dialect.group_default[(group.type, direction)] == Policy.ACCEPT
        origin = Origin(f"{name}/{direction}/default", "security_group_default", ("security_groups", name))
        packed.add(Row(accepts=accepts), origin)
    return packed


def _unknown_groups(topology: Topology, groups: tuple[str, ...]) -> Iterator[Origin]:
    """The groups of an ENI that nobody described, or whose rules nobody knows."""
    for name in groups:
        group = topology.security_groups.get(name)
        if group is None:
            yield Origin(name, "unknown", ("unknown", name), target=name, reason=topology.unknown.get(name, "-"))
        elif isinstance(group.rules, Unknown):
            yield Origin(name, "unknown", ("security_groups", name, "rules"), target=name, reason=group.rules.unknown)


def pack_unknown_groups(
    topology: Topology, sets: AddressSets, interface: Interface, why: str, direction: Direction
) -> Filter:
    """The rows of an ENI whose groups are not known."""
    packed = Filter(Table(sets))
    _always_allowed(topology, packed, direction)
    packed.add_unknown(interface.id, why, (*interface.path, "security_groups"))
    return packed


def _always_allowed(topology: Topology, packed: Filter, direction: Direction) -> None:
    for cidr in topology.dialect.always_allowed_egress if direction is Direction.EGRESS else ():
        packed.add(Row(destination=ranges(parse_prefix(cidr)), accepts=True), Origin("platform/metadata", "platform"))


def _intra_group(
    topology: Topology, peers: Peers, groups: list[tuple[str, SecurityGroup]], direction: Direction
) -> Iterator[tuple[Row, Origin]]:
    for name, group in groups:
        policy = group.inner_access_policy
        if group.type not in topology.dialect.intra_group_types or policy is Policy.DROP:
            continue
        members = peers.addresses(name)
        origin = Origin(f"{name}/{direction}/intra-group", "intra_group", ("security_groups", name), target=name)
        if isinstance(policy, Unknown):
            members, origin = Named((), members.certain + members.maybe), origin._replace(reason=policy.unknown)
        for far, certain in ((members.maybe, False), (members.certain, True)):
            if not far:
                continue
            source, destination = (far, EVERYWHERE) if direction is Direction.INGRESS else (EVERYWHERE, far)
            told = origin if certain else _in_doubt(peers, origin, name)
            yield Row(source, destination, accepts=True, certain=certain), told


def _custom(
    peers: Peers, groups: list[tuple[str, SecurityGroup]], direction: Direction
) -> Iterator[tuple[Row, Origin]]:
    numbered = []
    for name, group in groups:
        rules = group.rules if isinstance(group.rules, list) else []
        mine = [(i, rule) for i, rule in enumerate(rules) if rule.direction is direction]
        numbered += [(name, n, i, rule) for n, (i, rule) in enumerate(mine, start=1)]
    numbered.sort(key=lambda entry: (entry[3].priority, entry[3].policy is Policy.ACCEPT))
    for name, n, i, rule in numbered:
        origin = Origin(f"{name}/{direction}/{n}", "security_group_rule", ("security_groups", name, "rules", i), rule)
        own = rule.own and ranges(parse_prefix(rule.own))
        yield from _rows(peers, rule, direction, own or EVERYWHERE, rule.source_ports, origin)


def _in_doubt(peers: Peers, origin: Origin, named: str) -> Origin:
    """An origin that may not apply, because what it names is not known."""
    return origin._replace(target=named, reason=origin.reason or peers.why(named) or "not known")


def _rows(
    peers: Peers,
    rule: GroupRule | IngressEntry | EgressEntry,
    direction: Direction,
    own: tuple[Range, ...],
    source_ports: str | None,
    origin: Origin,
) -> Iterator[tuple[Row, Origin]]:
    """A rule is one row, or one for each pair of ranges of its port lists; one more where it may match further."""
    peer, accepts = peers.addresses(rule.peer), rule.policy is Policy.ACCEPT
    listed = [(named, peers.ports(named)) for named in (source_ports, rule.ports)]
    lost = next((named for named, known in listed if known is None), None)
    pairs = list(product(*(known or (EVERY_PORT,) for _, known in listed)))
    for far, certain in ((peer.maybe, False), (peer.certain, lost is None)):
        if not far:
            continue
        source, destination = (far, own) if direction is Direction.INGRESS else (own, far)
        told = origin if certain else _in_doubt(peers, origin, lost or rule.peer)
        for from_ports, to_ports in pairs:
            yield Row(source, destination, protocol_range(rule.protocol), from_ports, to_ports, accepts, certain), told


def pack_acl(topology: Topology, sets: AddressSets, peers: Peers, acl_id: str, direction: Direction) -> Filter:
    """The rows of one list of an ACL: the cloud's services, its entries in their order, the implicit drop."""
    packed = Filter(Table(sets))
    acl = topology.network_acls.get(acl_id)
    base: Path = ("network_acls" if acl else "unknown", acl_id)
    for cidr in topology.dialect.acl_service:
        block = ranges(parse_prefix(cidr))
        row = (
            Row(source=block, accepts=True) if direction is Direction.INGRESS else Row(destination=block, accepts=True)
        )
        packed.add(row, Origin(f"{acl_id}/{direction}/service", "network_acl_service", base))
    if acl is None:
        packed.add_unknown(acl_id, topology.unknown.get(acl_id, ""), ("unknown", acl_id))
        return packed
    entries: Iterable[IngressEntry | EgressEntry] | Unknown = (
        acl.ingress if direction is Direction.INGRESS else acl.egress
    )
    if isinstance(entries, Unknown):
        packed.add_unknown(acl_id, entries.unknown, (*base, str(direction)))
        entries = ()
    for n, entry in enumerate(entries, start=1):
        origin = Origin(f"{acl_id}/{direction}/{n}", "network_acl_entry", (*base, str(direction), n - 1), entry)
        for row, origin_of_row in _rows(peers, entry, direction, EVERYWHERE, None, origin):
            packed.add(row, origin_of_row)
    packed.add(Row(), Origin(f"{acl_id}/{direction}/default", "network_acl_default", base))
    return packed


LOCAL, SERVICE = "local", "service"


class _Entry(NamedTuple):
    """A route row before it is ordered."""

    first: int
    last: int
    length: int
    rank: int
    origin: Origin
    certain: bool = True


_CUSTOM, _SYSTEM, _LEARNED = 0, 1, 2


def pack_routes(topology: Topology, sets: AddressSets, peers: Peers, vpc_id: str, table_id: str | None) -> Filter:
    """A route table as rows in the order in which they decide: longest prefix first, custom before system before learned.

    Every table has a row for each vSwitch of the VPC and one for the cloud's services. The first match is the longest
    prefix match ("VPC route table"). Only rows that are Available are packed; a learned row that a system row covers, or
    that equals a custom one, takes no effect.
    """
    table = topology.route_tables.get(table_id or "")
    system = list(_system_routes(topology, vpc_id, table))
    custom = list(_table_routes(topology, peers, table_id or "", table))
    kept = [e for entry in custom for e in _taking_effect(entry, custom, system)]
    packed = Filter(Table(sets))
    if table_id and table is None:
        packed.add_unknown(table_id, topology.unknown.get(table_id, ""), ("unknown", table_id))
    elif table is not None and isinstance(table.routes, Unknown):
        packed.add_unknown(table_id or "", table.routes.unknown, ("route_tables", table_id or "", "routes"))
    for entry in sorted([*system, *kept], key=lambda e: (-e.length, e.rank)):
        row = Row(destination=(Range(entry.first, entry.last),), accepts=True, certain=entry.certain)
        packed.add(row, entry.origin)
    return packed


def _taking_effect(entry: _Entry, custom: list[_Entry], system: list[_Entry]) -> list[_Entry]:
    """A custom row always; of a learned one, what no system row covers and no custom row equals."""
    if entry.rank == _CUSTOM:
        return [entry]
    blocks = [Range(s.first, s.last) for s in system if s.length]
    if not entry.certain:  # its prefixes are not known: it may be anywhere but where a system row would shut it out
        pieces = [Range(entry.first, entry.last)]
        for block in blocks:
            pieces = subtract(pieces, block)
        return [entry._replace(first=first, last=last) for first, last in pieces]
    covered = any(first <= entry.first and entry.last <= last for first, last in blocks)
    equal = any(e.rank == _CUSTOM and (e.first, e.last) == (entry.first, entry.last) for e in custom if e.certain)
    return [] if covered or equal else [entry]


def _system_routes(topology: Topology, vpc_id: str, table: RouteTable | None) -> Iterator[_Entry]:
    has_ipv6 = False
    for name, vswitch in topology.vswitches.items():
        if vswitch.vpc != vpc_id:
            continue
        for cidr in filter(None, (vswitch.cidr, vswitch.ipv6_cidr)):
            prefix = parse_prefix(cidr)
            origin = Origin(f"{LOCAL}/{name}", "system_route", ("vswitches", name), target=name)
            yield _Entry(prefix.first, prefix.last, _length(prefix), _SYSTEM, origin)
        has_ipv6 = has_ipv6 or vswitch.ipv6_cidr is not None
    prefix = parse_prefix(topology.dialect.service_block)
    yield _Entry(prefix.first, prefix.last, _length(prefix), _SYSTEM, Origin(SERVICE, "system_route", target=SERVICE))
    if has_ipv6 and (table is None or table.type is RouteTableType.SYSTEM):
        origin = Origin("ipv6-gateway", "system_route", target=NextHopType.IPV6_GATEWAY)
        for piece in ranges(parse_prefix("::/0")):
            yield _Entry(piece.first, piece.last, 0, _SYSTEM, origin)


def _length(prefix: Prefix) -> int:
    return prefix.length + (96 if prefix.family == 4 else 0)


def _table_routes(topology: Topology, peers: Peers, table_id: str, table: RouteTable | None) -> Iterator[_Entry]:
    routes = table.routes if table and isinstance(table.routes, list) else []
    for n, route in enumerate(routes, start=1):
        if route.status is not RouteStatus.AVAILABLE:
            continue
        origin = Origin(f"{table_id}/{n}", "route", ("route_tables", table_id, "routes", n - 1), route, route.next_hop)
        rank = _CUSTOM if route.type is RouteType.CUSTOM else _LEARNED
        if looks_like_cidr(route.destination):
            cidrs: Iterable[str] = (route.destination,)
        else:
            listed = topology.prefix_lists.get(route.destination)
            if listed is None or isinstance(listed.entries, Unknown):
                doubt = _in_doubt(peers, origin, route.destination)
                yield from (
                    _Entry(*piece, 128, rank, doubt, False) for piece in peers.addresses(route.destination).maybe
                )
                continue
            cidrs = listed.entries
        for cidr in cidrs:
            prefix = parse_prefix(cidr)
            for piece in ranges(prefix):
                yield _Entry(piece.first, piece.last, _length(prefix), rank, origin)
