"""An independent oracle: the semantics of a topology once more, slow and plain, for one flow at a time.

It shares nothing with the analyzer but the data model. Addresses are those of the standard library, sets are lists
that a loop walks, and every row that could decide is looked at. What it covers is listed at ``diagnose``; anything
else is a ``ValueError``.

Three-valued facts are written ``True``, ``False`` and ``None``; ``None`` means *it may or may not be so*.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from netinsight.model.assumptions import defaults
from netinsight.model.base import Unknown
from netinsight.model.edge import Eip, EipMode
from netinsight.model.instance import EniStatus, EniType, Instance, InstanceStatus, NetworkInterface
from netinsight.model.network_acl import EgressEntry, IngressEntry
from netinsight.model.routing import NextHopType, Route, RouteStatus, RouteTable, RouteTableType, RouteType
from netinsight.model.security_group import GroupRule, GroupType, Policy, SecurityGroup
from netinsight.model.topology import Topology

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Maybe = bool | None
Decision = tuple[str, str | None]
Item = tuple[str, str]

ICMP, TCP, UDP, GRE, ICMPV6 = 1, 6, 17, 47, 58
PROTOCOLS = {"icmp": ICMP, "tcp": TCP, "udp": UDP, "gre": GRE, "icmpv6": ICMPV6}
ACCEPT, DROP, UNKNOWN = "accept", "drop", "unknown"
INGRESS, EGRESS = "ingress", "egress"

METADATA = "100.100.100.200"
ACL_SERVICE = ("100.100.2.136", "100.100.2.138", METADATA)
SERVICE = ipaddress.ip_network("100.64.0.0/10")
NOT_INTERNET = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "0.0.0.0/8", "127.0.0.0/8",
                "169.254.0.0/16", "224.0.0.0/3")  # fmt: skip
SMTP = 25


@dataclass(frozen=True)
class Packet:
    """One packet; for protocols without ports both ports are 0."""

    src: str
    dst: str
    protocol: int
    source_port: int
    port: int

    def reply(self) -> Packet:
        """The packet that answers this one."""
        return Packet(self.dst, self.src, self.protocol, self.port, self.source_port)


@dataclass(frozen=True)
class Answer:
    """What the oracle says of a flow: items are pairs of an item's id and the id of the object it is judged at."""

    verdict: str
    blockers: frozenset[Item]
    unknowns: frozenset[Item]
    deciding: dict[Item, str]


# ---------------------------------------------------------------------------------------------------- small matters


def all_hold(*facts: Maybe) -> Maybe:
    """The conjunction of three-valued facts."""
    if any(fact is False for fact in facts):
        return False
    return None if any(fact is None for fact in facts) else True


def any_holds(facts: Iterable[Maybe]) -> Maybe:
    """The disjunction of three-valued facts."""
    seen = list(facts)
    if any(fact is True for fact in seen):
        return True
    return None if any(fact is None for fact in seen) else False


def network_of(written: str) -> IpNetwork | None:
    """A CIDR or a lone address with its host bits masked; None where the text is the id of something."""
    try:
        return ipaddress.ip_network(written, strict=False)
    except ValueError:
        return None


def lies_in(address: str, cidr: str) -> bool:
    """Whether an address lies in a CIDR of its own family."""
    network, one = network_of(cidr), ipaddress.ip_address(address)
    return network is not None and network.version == one.version and one in network


def same(one: str, other: str) -> bool:
    """Whether two texts are the same address."""
    return ipaddress.ip_address(one) == ipaddress.ip_address(other)


def settle(topology: Topology, assumptions: Mapping[str, str] | None) -> dict[str, str]:
    """Every assumption: the caller's value, else the topology's, else the default."""
    return {**defaults(), **topology.assumptions, **(assumptions or {})}


def is_internet(address: str) -> bool:
    """Whether an Internet host can have this IPv4 address."""
    return ipaddress.ip_address(address).version == 4 and not any(lies_in(address, cidr) for cidr in NOT_INTERNET)


# ------------------------------------------------------------------------------------------- ENIs and their addresses


def enis(topology: Topology) -> Iterator[tuple[str, NetworkInterface, str | None]]:
    """Every ENI: its id, itself, and the id of the instance it is attached to."""
    for instance_id, instance in topology.instances.items():
        for eni_id, eni in instance.network_interfaces.items():
            yield eni_id, eni, instance_id
    for eni_id, eni in topology.network_interfaces.items():
        yield eni_id, eni, None


def eni_of(topology: Topology, eni_id: str) -> NetworkInterface:
    """The ENI of an id."""
    for name, eni, _ in enis(topology):
        if name == eni_id:
            return eni
    raise ValueError(f"no ENI {eni_id}")


def instance_of(topology: Topology, eni_id: str) -> tuple[str, Instance]:
    """The instance that an ENI is attached to, with its id."""
    for name, _, instance_id in enis(topology):
        if name == eni_id and instance_id is not None:
            return instance_id, topology.instances[instance_id]
    raise ValueError(f"{eni_id} is attached to no instance")


def primary_eni(instance: Instance) -> str:
    """The id of an instance's primary ENI: the one of that type, else its only one."""
    for name, eni in instance.network_interfaces.items():
        if eni.type is EniType.PRIMARY:
            return name
    return next(iter(instance.network_interfaces))


def private_addresses(eni: NetworkInterface) -> list[str]:
    """The primary, secondary and IPv6 addresses of an ENI."""
    return [eni.ip, *eni.secondary_ips, *eni.ipv6_addresses]


def owners(topology: Topology, address: str) -> list[str]:
    """The ENIs that have a private address."""
    return [name for name, eni, _ in enis(topology) if any(same(address, own) for own in private_addresses(eni))]


def vpc_of(topology: Topology, eni: NetworkInterface) -> str | None:
    """The VPC that an ENI stands in; None where its vSwitch is not described."""
    vswitch = topology.vswitches.get(eni.vswitch)
    return vswitch.vpc if vswitch else None


# ------------------------------------------------------------------------------------------------------ rules, entries


@dataclass(frozen=True)
class Row:
    """One row of a list in which the first match decides."""

    rule: str
    action: str
    matches: Maybe


def first_match(rows: Iterable[Row]) -> Decision:
    """What the first row that matches says.

    A row that may match leaves both ways open; where they come to the same, the rule is the first one that is certain.
    """
    possible: set[str] = set()
    for row in rows:
        if row.matches is False:
            continue
        possible.add(row.action)
        if row.matches is True:
            return (row.action, row.rule) if len(possible) == 1 else (UNKNOWN, None)
    raise AssertionError("a list without a last row")


def protocol_matches(word: str, protocol: int) -> bool:
    """Whether a rule's protocol stands for a packet's."""
    if word == "all":
        return True
    return protocol == (PROTOCOLS[word] if word in PROTOCOLS else int(word))


def in_range(written: str, port: int) -> bool:
    """Whether a port lies in ``N/M``; ``-1/-1`` holds every port."""
    if written == "-1/-1":
        return True
    first, last = written.split("/")
    return int(first) <= port <= int(last)


def ports_match(topology: Topology, written: str | None, protocol: int, port: int) -> Maybe:
    """Whether a port fits a rule's range or port list; without ports there is nothing to fit."""
    if written is None or protocol not in (TCP, UDP):
        return True
    if not written[0].isalpha():
        return in_range(written, port)
    if written in topology.port_lists:
        return any(in_range(entry, port) for entry in topology.port_lists[written])
    return must_be_unknown(topology, written)


def must_be_unknown(topology: Topology, name: str) -> Maybe:
    """None, the answer to anything about an object that is declared unknown; a mistake for any other name."""
    if name not in topology.unknown:
        raise ValueError(f"{name} is neither described nor declared unknown")
    return None


def peer_matches(topology: Topology, peer: str, address: str) -> Maybe:
    """Whether an address is meant by a CIDR, a prefix list or a group."""
    if network_of(peer) is not None:
        return lies_in(address, peer)
    if peer in topology.prefix_lists:
        return prefix_list_holds(topology, peer, address)
    if peer in topology.security_groups:
        return is_member(topology, peer, address)
    return must_be_unknown(topology, peer)


def prefix_list_holds(topology: Topology, name: str, address: str) -> Maybe:
    """Whether a prefix list holds an address; a list of unknown entries may hold any address of its family."""
    listed = topology.prefix_lists[name]
    if isinstance(listed.entries, Unknown):
        return None if listed.family.value == f"IPv{ipaddress.ip_address(address).version}" else False
    return any(lies_in(address, entry) for entry in listed.entries)


def is_member(topology: Topology, group: str, address: str) -> Maybe:
    """Whether an address is a private one of an ENI that carries a group.

    An ENI of the group's VPC whose groups are unknown may carry it.
    """
    facts: list[Maybe] = []
    for eni_id in owners(topology, address):
        eni = eni_of(topology, eni_id)
        if isinstance(eni.security_groups, Unknown):
            described = topology.security_groups.get(group)
            facts.append(None if described is None or vpc_of(topology, eni) in (described.vpc, None) else False)
        else:
            facts.append(group in eni.security_groups)
    return any_holds(facts)


# -------------------------------------------------------------------------------------------------------------- groups


def group_decision(
    topology: Topology, eni_id: str, direction: str, packet: Packet, assumptions: Mapping[str, str] | None = None
) -> Decision:
    """What the groups of an ENI do with a packet: accept, drop or unknown, and the rule that says so."""
    eni = eni_of(topology, eni_id)
    names = eni.security_groups
    if direction == EGRESS and same(packet.dst, METADATA):
        return ACCEPT, "platform/metadata"
    if isinstance(names, Unknown):
        return UNKNOWN, None
    for name in names:
        if name not in topology.security_groups:
            must_be_unknown(topology, name)
    if not any(name in topology.security_groups for name in names):
        return UNKNOWN, None
    return first_match(group_rows(topology, names, direction, packet, settle(topology, assumptions)))


def group_rows(
    topology: Topology, names: list[str], direction: str, packet: Packet, chosen: Mapping[str, str]
) -> list[Row]:
    """The rows of an ENI's groups in the order in which they are asked.

    A group that nobody described may hold any rule, and may let its members in where it can be a normal one; one whose
    rules are not known may hold any rule. Nothing that is not known comes before a drop of priority 1.
    """
    known = [name for name in names if name in topology.security_groups]
    lost = [name for name in names if name not in known]
    doubtful = bool(lost) or any(isinstance(topology.security_groups[name].rules, Unknown) for name in known)
    intra = intra_group_rows(topology, known, direction, packet)
    normal = topology.security_groups[known[0]].type is GroupType.NORMAL
    peer = packet.src if direction == INGRESS else packet.dst
    if normal and any(is_member(topology, name, peer) is not False for name in lost):
        intra.append(Row("?", ACCEPT, None))
    custom = custom_rows(topology, known, direction, packet)
    best = [row for row, is_best in custom if is_best]
    rest = [row for row, is_best in custom if not is_best]
    anything = [Row("?", ACCEPT, None), Row("?", DROP, None)] if doubtful else []
    written = [*best, *anything, *rest]
    custom_first = direction == EGRESS and chosen["intra_group_egress"] == "custom_wins"
    middle = [*written, *intra] if custom_first else [*intra, *written]
    default = ACCEPT if normal and direction == EGRESS else DROP
    return [*middle, Row(f"{known[0]}/{direction}/default", default, True)]


def intra_group_rows(topology: Topology, names: list[str], direction: str, packet: Packet) -> list[Row]:
    """One accepting row for each normal group that lets, or may let, its members reach each other."""
    peer = packet.src if direction == INGRESS else packet.dst
    rows = []
    for name in names:
        group = topology.security_groups[name]
        rows.append(
            Row(
                f"{name}/{direction}/intra-group",
                ACCEPT,
                all_hold(lets_members_in(group), is_member(topology, name, peer)),
            )
        )
    return rows


def lets_members_in(group: SecurityGroup) -> Maybe:
    """Whether the inner access policy of a group is Accept: of a normal group unless it says otherwise."""
    if group.type is not GroupType.NORMAL:
        return False
    if isinstance(group.inner_access_policy, Unknown):
        return None
    return group.inner_access_policy in (None, Policy.ACCEPT)


def custom_rows(topology: Topology, names: list[str], direction: str, packet: Packet) -> list[tuple[Row, bool]]:
    """The written rules of all the groups: by priority, drop before accept, order of groups, order of the file.

    Each with whether it is a drop of priority 1.
    """
    ordered: list[tuple[tuple[int, int, int, int], Row]] = []
    for group_position, name in enumerate(names):
        rules = topology.security_groups[name].rules
        if isinstance(rules, Unknown):
            continue
        ours = [rule for rule in rules if rule.direction.value == direction]
        for n, rule in enumerate(ours, start=1):
            key = (rule.priority, 0 if rule.policy is Policy.DROP else 1, group_position, n)
            row = Row(f"{name}/{direction}/{n}", rule.policy.value, rule_matches(topology, rule, direction, packet))
            ordered.append((key, row))
    return [(row, key[:2] == (1, 0)) for key, row in sorted(ordered, key=lambda pair: pair[0])]


def rule_matches(topology: Topology, rule: GroupRule, direction: str, packet: Packet) -> Maybe:
    """Whether a group's rule matches a packet on every field that it sets."""
    peer, own = (packet.src, packet.dst) if direction == INGRESS else (packet.dst, packet.src)
    written_peer, written_own = (
        (rule.source, rule.destination) if direction == INGRESS else (rule.destination, rule.source)
    )
    assert written_peer is not None
    return all_hold(
        protocol_matches(rule.protocol, packet.protocol),
        ports_match(topology, rule.ports, packet.protocol, packet.port),
        ports_match(topology, rule.source_ports, packet.protocol, packet.source_port),
        peer_matches(topology, written_peer, peer),
        written_own is None or lies_in(own, written_own),
    )


# ---------------------------------------------------------------------------------------------------------------- ACLs


def acl_decision(topology: Topology, acl_id: str, direction: str, packet: Packet) -> Decision:
    """What a network ACL does with a packet that meets it, and the rule that says so."""
    peer = packet.src if direction == INGRESS else packet.dst
    if any(same(peer, service) for service in ACL_SERVICE):
        return ACCEPT, f"{acl_id}/{direction}/service"
    if acl_id not in topology.network_acls:
        must_be_unknown(topology, acl_id)
        return UNKNOWN, None
    acl = topology.network_acls[acl_id]
    entries: Sequence[IngressEntry | EgressEntry] | Unknown = acl.ingress if direction == INGRESS else acl.egress
    if isinstance(entries, Unknown):
        return UNKNOWN, None
    rows = []
    for n, entry in enumerate(entries, start=1):
        rows.append(Row(f"{acl_id}/{direction}/{n}", entry.policy.value, entry_matches(topology, entry, peer, packet)))
    rows.append(Row(f"{acl_id}/{direction}/default", DROP, True))
    return first_match(rows)


def entry_matches(topology: Topology, entry: IngressEntry | EgressEntry, peer: str, packet: Packet) -> Maybe:
    """Whether an entry matches: protocol, the packet's destination port, and the one address that it looks at."""
    return all_hold(
        protocol_matches(entry.protocol, packet.protocol),
        ports_match(topology, entry.ports, packet.protocol, packet.port),
        peer_matches(topology, entry.source if isinstance(entry, IngressEntry) else entry.destination, peer),
    )


def vswitch_acl_decision(topology: Topology, vswitch_id: str, direction: str, packet: Packet) -> Decision:
    """What the ACL of a vSwitch does, if it has one."""
    if vswitch_id not in topology.vswitches:
        must_be_unknown(topology, vswitch_id)
        return UNKNOWN, None
    acl = topology.vswitches[vswitch_id].network_acl
    if acl is None:
        return ACCEPT, None
    return (UNKNOWN, None) if isinstance(acl, Unknown) else acl_decision(topology, acl, direction, packet)


# -------------------------------------------------------------------------------------------------------------- routes

STATIC_RANK, SYSTEM_RANK, LEARNED_RANK = 0, 1, 2


@dataclass(frozen=True)
class RouteRow:
    """One row of a route table, for one network; ``network`` None: an unknown one, of any family or of ``family``."""

    kind: str
    rule: str | None
    network: IpNetwork | None = None
    rank: int = SYSTEM_RANK
    route: Route | None = None
    family: int | None = None

    @property
    def length(self) -> int:
        """The prefix length."""
        return self.network.prefixlen if self.network else 0


NO_ROW = RouteRow("none", None)
UNKNOWN_ROW = RouteRow(UNKNOWN, None)


def route_lookup(topology: Topology, vswitch_id: str, address: str) -> Decision:
    """Where the table of a vSwitch sends an address, and the row that says so.

    The first is ``local``, ``service``, ``ipv6-gateway``, the id of a next hop, ``none`` or ``unknown``.
    """
    row = winning_row(topology, vswitch_id, address)
    return row.kind, row.rule


def winning_row(topology: Topology, vswitch_id: str, address: str) -> RouteRow:
    """The row that decides; ``UNKNOWN_ROW`` where a row of unknown destination could take its place."""
    if vswitch_id not in topology.vswitches:
        must_be_unknown(topology, vswitch_id)
        return UNKNOWN_ROW
    table_id = table_of(topology, vswitch_id)
    if isinstance(table_id, Unknown) or table_id in topology.unknown:
        return UNKNOWN_ROW
    table = topology.route_tables[table_id] if table_id is not None else None
    if table is not None and isinstance(table.routes, Unknown):
        return UNKNOWN_ROW
    system = system_rows(topology, vswitch_id, table)
    written = [] if table is None or table_id is None else written_rows(topology, table_id, table)
    known = system + [row for row in written if row.network is not None]
    best = best_row(topology, vswitch_id, known, address)
    for row in written:
        if row.network is None and could_win(topology, vswitch_id, known, row, address):
            return UNKNOWN_ROW
    return best


def table_of(topology: Topology, vswitch_id: str) -> str | Unknown | None:
    """The table of a vSwitch: its own, else the system table of its VPC, else none that is described."""
    vswitch = topology.vswitches[vswitch_id]
    if vswitch.route_table is not None:
        return vswitch.route_table
    for name, table in topology.route_tables.items():
        if table.vpc == vswitch.vpc and table.type is RouteTableType.SYSTEM:
            return name
    return None


def vswitch_networks(topology: Topology, vpc: str) -> Iterator[tuple[str, IpNetwork]]:
    """Every block of every vSwitch of a VPC."""
    for name, vswitch in topology.vswitches.items():
        if vswitch.vpc == vpc:
            yield name, ipaddress.ip_network(vswitch.cidr)
            if vswitch.ipv6_cidr is not None:
                yield name, ipaddress.ip_network(vswitch.ipv6_cidr)


def system_rows(topology: Topology, vswitch_id: str, table: RouteTable | None) -> list[RouteRow]:
    """The rows that are in a table by themselves."""
    vpc = topology.vswitches[vswitch_id].vpc
    networks = list(vswitch_networks(topology, vpc))
    rows = [RouteRow("local", f"local/{name}", network) for name, network in networks]
    rows.append(RouteRow("service", "service", SERVICE))
    is_system_table = table is None or table.type is RouteTableType.SYSTEM
    if is_system_table and any(network.version == 6 for _, network in networks):
        rows.append(RouteRow("ipv6-gateway", "ipv6-gateway", ipaddress.ip_network("::/0")))
    return rows


def written_rows(topology: Topology, table_id: str, table: RouteTable) -> list[RouteRow]:
    """The Available rows that stand in a table, one for each network that they name."""
    rows: list[RouteRow] = []
    assert isinstance(table.routes, list)
    for n, route in enumerate(table.routes, start=1):
        if route.status is not RouteStatus.AVAILABLE:
            continue
        rank = STATIC_RANK if route.type is RouteType.CUSTOM else LEARNED_RANK
        plain = RouteRow(route.next_hop, f"{table_id}/{n}", None, rank, route)
        network = network_of(route.destination)
        if network is not None:
            rows.append(replace(plain, network=network))
        elif route.destination in topology.prefix_lists:
            listed = topology.prefix_lists[route.destination]
            if isinstance(listed.entries, Unknown):
                rows.append(replace(plain, family=4 if listed.family.value == "IPv4" else 6))
            else:
                rows.extend(replace(plain, network=network_of(entry)) for entry in listed.entries)
        else:
            must_be_unknown(topology, route.destination)
            rows.append(plain)
    return rows


def best_row(topology: Topology, vswitch_id: str, rows: list[RouteRow], address: str) -> RouteRow:
    """The longest prefix; at equal length a static row before a system one before a learned one, then by order."""
    one, best = ipaddress.ip_address(address), NO_ROW
    for row in rows:
        if row.network is None or row.network.version != one.version or one not in row.network:
            continue
        if not takes_effect(topology, vswitch_id, row):
            continue
        if best is NO_ROW or (-row.length, row.rank) < (-best.length, best.rank):
            best = row
    return best


def takes_effect(topology: Topology, vswitch_id: str, row: RouteRow) -> bool:
    """A learned row does not where it is equal to or more specific than a system row.

    (That one equal to a custom row does not either follows from the order at equal length.)
    """
    if row.rank != LEARNED_RANK:
        return True
    blocks = [block for _, block in vswitch_networks(topology, topology.vswitches[vswitch_id].vpc)]
    for block in [*blocks, ipaddress.ip_network("100.64.0.0/10")]:
        if row.network is not None and block.version == row.network.version and row.network.subnet_of(block):  # type: ignore[arg-type]
            return False
    return True


def could_win(topology: Topology, vswitch_id: str, known: list[RouteRow], row: RouteRow, address: str) -> bool:
    """Whether a row of unknown destination would win, were its destination some network around the address."""
    one = ipaddress.ip_address(address)
    if row.family not in (None, one.version):
        return False
    for length in range(one.max_prefixlen + 1):
        supposed = replace(row, network=ipaddress.ip_network(f"{address}/{length}", strict=False))
        if best_row(topology, vswitch_id, [*known, supposed], address) is supposed:
            return True
    return False


# ---------------------------------------------------------------------------------------------------- public addresses


@dataclass(frozen=True)
class Door:
    """The public address of a private one; ``kind`` is static, eip, none or unknown."""

    kind: str
    address: str | None = None


def public_door(topology: Topology, eni_id: str, private: str) -> Door:
    """The public address by which a private address of an ENI meets the Internet."""
    eni = eni_of(topology, eni_id)
    _, instance = instance_of(topology, eni_id)
    if instance.public_ip is not None and eni_id == primary_eni(instance) and same(private, eni.ip):
        return Door("static", instance.public_ip)
    for eip in topology.eips.values():
        if eip_eni(topology, eip) == eni_id and same(private, eip.private_ip or eni.ip):
            return Door("eip" if eip.mode is EipMode.NAT else UNKNOWN, eip.ip)
    if any(isinstance(eip.bound_to, Unknown) for eip in topology.eips.values()):
        return Door(UNKNOWN)
    return Door("none")


def eip_eni(topology: Topology, eip: Eip) -> str | None:
    """The ENI that an EIP is bound to, itself or by its instance."""
    if not isinstance(eip.bound_to, str):
        return None
    if eip.bound_to in topology.instances:
        return primary_eni(topology.instances[eip.bound_to])
    return next((name for name, _, _ in enis(topology) if name == eip.bound_to), None)


def leads_to_host(topology: Topology, route: Route) -> bool:
    """Whether a row's next hop is an instance, an ENI or a HaVip."""
    if route.next_hop in topology.instances or any(name == route.next_hop for name, _, _ in enis(topology)):
        return True
    return route.next_hop_type in (NextHopType.INSTANCE, NextHopType.NETWORK_INTERFACE, NextHopType.HAVIP)


def row_beats_door(topology: Topology, row: RouteRow, chosen: Mapping[str, str]) -> bool:
    """Whether the winning row, and not the public address, has the packet (or may have it)."""
    if row is UNKNOWN_ROW:
        return True
    if row.length > 0:
        return chosen["specific_route_beats_eip"] == "true"
    assert row.route is not None
    if row.route.next_hop_type is NextHopType.IPV4_GATEWAY:
        return True
    if row.route.next_hop_type is None and row.route.next_hop in topology.unknown:
        return True
    return chosen["default_route_to_instance_beats_eip"] == "true" and leads_to_host(topology, row.route)


def leads_to_ipv4_gateway(topology: Topology, eni: NetworkInterface) -> bool:
    """Whether some table that a vSwitch of the ENI's VPC reads has a row to an IPv4 gateway.

    Once that is enabled, a public address works only where the table says so; that it is enabled is not known.
    """
    for vswitch_id, vswitch in topology.vswitches.items():
        table = table_of(topology, vswitch_id)
        if vswitch.vpc != vpc_of(topology, eni) or not isinstance(table, str) or table not in topology.route_tables:
            continue
        rows = topology.route_tables[table].routes
        for row in rows if isinstance(rows, list) else []:
            if row.next_hop_type is NextHopType.IPV4_GATEWAY and row.status is RouteStatus.AVAILABLE:
                return True
    return False


def public_exit(topology: Topology, eni_id: str, private: str, host: str, chosen: Mapping[str, str]) -> Decision:
    """How a packet of an ENI gets to an Internet host: ``public`` (by its public address), drop, or unknown."""
    door = public_door(topology, eni_id, private)
    row = winning_row(topology, eni_of(topology, eni_id).vswitch, host)
    if door.kind == UNKNOWN:
        return UNKNOWN, None
    if door.kind != "none" and row is not UNKNOWN_ROW and leads_to_ipv4_gateway(topology, eni_of(topology, eni_id)):
        return UNKNOWN, None
    if door.kind != "none" and (row is NO_ROW or not row_beats_door(topology, row, chosen)):
        return "public", None
    return (DROP, None) if row is NO_ROW else (UNKNOWN, row.rule)


# ------------------------------------------------------------------------------------------------------------ the ends


@dataclass(frozen=True)
class End:
    """One end of a flow: ``kind`` is eni, internet or service."""

    kind: str
    address: str
    eni_id: str = ""
    vswitch: str = ""


def ends(topology: Topology, src: str, dst: str) -> tuple[End, End]:
    """Both ends of a question, of one family, with the preconditions checked."""
    family = 6 if any(version_of(written) == 6 for written in (src, dst)) else 4
    source, target = end_of(topology, src, family), end_of(topology, dst, family)
    if source.kind == "service" or (source.kind, target.kind) == ("internet", "service"):
        raise ValueError("a cloud service is a destination of ENIs only")
    if (source.kind, target.kind) == ("internet", "internet"):
        raise ValueError("both ends are public")
    if source.kind == target.kind == "eni":
        if instance_of(topology, source.eni_id)[0] == instance_of(topology, target.eni_id)[0]:
            raise ValueError("both ends are of one instance")
        if vpc_of(topology, eni_of(topology, source.eni_id)) != vpc_of(topology, eni_of(topology, target.eni_id)):
            raise ValueError("the ends are of different VPCs")
    return source, target


def version_of(written: str) -> int | None:
    """4 or 6 for an address, None for anything else."""
    try:
        return ipaddress.ip_address(written).version
    except ValueError:
        return None


def end_of(topology: Topology, written: str, family: int) -> End:
    """What a question names: an instance, an ENI, a private address, an Internet host or a cloud service."""
    if written in topology.instances:
        return eni_end(topology, primary_eni(topology.instances[written]), None, family)
    if any(name == written for name, _, _ in enis(topology)):
        return eni_end(topology, written, None, family)
    if version_of(written) != family:
        raise ValueError(f"{written} is no object of the topology, and no IPv{family} address")
    having = owners(topology, written)
    if len(having) > 1:
        raise ValueError(f"{written} has several owners: {having}")
    if having:
        return eni_end(topology, having[0], written, family)
    if lies_in(written, str(SERVICE)):
        return End("service", written)
    inside = any(lies_in(written, cidr) for vpc in topology.vpcs.values() for cidr in vpc.cidrs)
    if not is_internet(written) or inside or any(same(written, owned) for owned in public_addresses(topology)):
        raise ValueError(f"{written} is not covered")
    return End("internet", written)


def public_addresses(topology: Topology) -> Iterator[str]:
    """Every public address that the topology owns."""
    for eip in topology.eips.values():
        yield eip.ip
    for instance in topology.instances.values():
        if instance.public_ip is not None:
            yield instance.public_ip


def eni_end(topology: Topology, eni_id: str, address: str | None, family: int) -> End:
    """An ENI as an end, by the address that was named, else by its first one of the family."""
    eni = eni_of(topology, eni_id)
    _, instance = instance_of(topology, eni_id)
    if instance.status is not InstanceStatus.RUNNING:
        raise ValueError(f"the instance of {eni_id} is not Running")
    if eni.status is EniStatus.AVAILABLE and eni_id != primary_eni(instance):
        raise ValueError(f"{eni_id} is not attached")
    if address is None:
        address = next((own for own in private_addresses(eni) if version_of(own) == family), None)
    if address is None:
        raise ValueError(f"{eni_id} has no IPv{family} address")
    return End("eni", address, eni_id, eni.vswitch)


# ----------------------------------------------------------------------------------------------------------- diagnosis


def diagnose(
    topology: Topology,
    src: str,
    dst: str,
    protocol: int,
    source_port: int,
    port: int,
    one_way: bool = False,
    assumptions: Mapping[str, str] | None = None,
    at: datetime | None = None,
) -> Answer:
    """Judge one flow: every blocker and every unknown of its way there, and of its reply's way back.

    Covered are an ENI to an ENI of its VPC, an ENI to an Internet host, an Internet host to an ENI behind its public
    address, and an ENI to a cloud service. ``icmp`` between IPv6 addresses is ICMPv6.

    Raises
    ------
    ValueError
        For any other question, and where a precondition does not hold.
    """
    source, target = ends(topology, src, dst)
    if protocol == ICMP and version_of(source.address) == 6:
        protocol = ICMPV6
    if protocol not in (TCP, UDP):
        source_port = port = 0
    packet = Packet(source.address, target.address, protocol, source_port, port)
    moment = at or topology.collected_at or datetime.now(UTC)
    judge = Judge(topology, settle(topology, assumptions), moment, one_way)
    for end in (source, target):
        judge.status(end)
    judge.way(source, target, packet, is_reply=False)
    if not one_way:
        judge.way(target, source, packet.reply(), is_reply=True)
    return judge.answer()


@dataclass
class Judge:
    """Walks the stages of a flow, goes on past every deny, and writes down what each said."""

    topology: Topology
    chosen: Mapping[str, str]
    moment: datetime
    one_way: bool
    blockers: set[Item] = field(default_factory=set)
    unknowns: set[Item] = field(default_factory=set)
    deciding: dict[Item, str] = field(default_factory=dict)

    def note(self, item: str, object_id: str, decision: Decision) -> None:
        """Write down what a stage decided."""
        word, rule = decision
        if word == DROP:
            self.blockers.add((item, object_id))
        if word == UNKNOWN:
            self.unknowns.add((item, object_id))
        if rule is not None:
            self.deciding[item, object_id] = rule

    def answer(self) -> Answer:
        """The verdict over all that was written down."""
        verdict = "unreachable" if self.blockers else "undetermined" if self.unknowns else "reachable"
        return Answer(verdict, frozenset(self.blockers), frozenset(self.unknowns), dict(self.deciding))

    def status(self, end: End) -> None:
        """Only an ENI in use carries traffic."""
        if end.kind == "eni":
            status = eni_of(self.topology, end.eni_id).status
            word = UNKNOWN if isinstance(status, Unknown) else ACCEPT if status is EniStatus.IN_USE else DROP
            self.note("eni.status", end.eni_id, (word, None))

    def way(self, sender: End, receiver: End, packet: Packet, is_reply: bool) -> None:
        """All the stages of one packet."""
        self.groups(sender, receiver, packet, is_reply)
        self.acls(sender, receiver, packet, is_reply)
        if sender.kind == "eni":
            self.route(sender, receiver, "route.return" if is_reply else "route.forward")
        if sender.kind == "eni" and receiver.kind == "internet":
            self.mail(sender, packet, is_reply)
            self.outbound(sender, receiver, is_reply)
        if sender.kind == "internet" and not is_reply:
            self.inbound(receiver)

    def groups(self, sender: End, receiver: End, packet: Packet, is_reply: bool) -> None:
        """The groups at both ends; a reply passes them, as they are stateful."""
        unless = packet.protocol in (ICMP, ICMPV6, GRE) and self.chosen["icmp_gre_stateful"] == "false"
        if is_reply and not unless:
            return
        suffix = ".return" if is_reply else ""
        for end, direction in ((sender, EGRESS), (receiver, INGRESS)):
            if end.kind == "eni":
                decision = group_decision(self.topology, end.eni_id, direction, packet, self.chosen)
                self.note(f"eni.security_group.{direction}{suffix}", end.eni_id, decision)

    def acls(self, sender: End, receiver: End, packet: Packet, is_reply: bool) -> None:
        """The ACLs of both vSwitches; inside one vSwitch there are none to meet."""
        if sender.kind == receiver.kind == "eni" and sender.vswitch == receiver.vswitch:
            return
        suffix = ".return" if is_reply else ""
        for end, direction in ((sender, EGRESS), (receiver, INGRESS)):
            if end.kind == "eni":
                decision = vswitch_acl_decision(self.topology, end.vswitch, direction, packet)
                self.note(f"vswitch.network_acl.{direction}{suffix}", end.vswitch, decision)

    def route(self, sender: End, receiver: End, item: str) -> None:
        """The route from an ENI to the other end; what a written row leads to is not modelled."""
        if receiver.kind == "internet":
            exit_ = public_exit(self.topology, sender.eni_id, sender.address, receiver.address, self.chosen)
            self.note(item, sender.vswitch, exit_)
            return
        direct = self.chosen["steered_own_vswitch"] == "direct"
        if receiver.kind == "eni" and receiver.vswitch == sender.vswitch and direct:
            return
        kind, rule = route_lookup(self.topology, sender.vswitch, receiver.address)
        arrives = "service" if receiver.kind == "service" else "local"
        word = ACCEPT if kind == arrives else DROP if kind == "none" else UNKNOWN
        self.note(item, sender.vswitch, (word, rule))

    def mail(self, sender: End, packet: Packet, is_reply: bool) -> None:
        """The platform drops mail to public addresses, unless the instance is unlocked for it."""
        if not is_reply and (packet.protocol, packet.port) == (TCP, SMTP):
            _, instance = instance_of(self.topology, sender.eni_id)
            self.note("platform.smtp_egress", sender.eni_id, (ACCEPT if instance.smtp_unlocked else DROP, None))

    def outbound(self, sender: End, receiver: End, is_reply: bool) -> None:
        """The public address that a packet leaves by, if it does, and what a reply to it meets there."""
        word, _ = public_exit(self.topology, sender.eni_id, sender.address, receiver.address, self.chosen)
        if word == "public":
            door = public_door(self.topology, sender.eni_id, sender.address)
            self.bandwidth(sender, door)
            if not is_reply and not self.one_way:
                self.blackhole(sender, door)

    def inbound(self, receiver: End) -> None:
        """The public address, or else the translation, by which an Internet host gets to an ENI."""
        door = public_door(self.topology, receiver.eni_id, receiver.address)
        if door.kind == UNKNOWN:
            self.blackhole(receiver, door)
            self.note("gateway.public_ip", receiver.eni_id, (UNKNOWN, None))
        elif door.kind == "none":
            gateways = self.translating_gateways(receiver)
            for name in gateways:
                self.note("gateway.nat", name, (UNKNOWN, None))
            if not gateways:
                self.note("gateway.public_ip", receiver.eni_id, (DROP, None))
        else:
            self.bandwidth(receiver, door)
            self.blackhole(receiver, door)

    def translating_gateways(self, receiver: End) -> list[str]:
        """The NAT gateways of the VPC that have an entry for an address."""
        vpc = vpc_of(self.topology, eni_of(self.topology, receiver.eni_id))
        return [
            name
            for name, gateway in self.topology.nat_gateways.items()
            if gateway.vpc == vpc and any(same(entry.internal_ip, receiver.address) for entry in gateway.dnat)
        ]

    def bandwidth(self, end: End, door: Door) -> None:
        """A static public address without bandwidth carries nothing."""
        _, instance = instance_of(self.topology, end.eni_id)
        if door.kind == "static" and instance.public_bandwidth_mbps == 0:
            self.note("gateway.public_ip", end.eni_id, (DROP, None))

    def blackhole(self, end: End, door: Door) -> None:
        """A public address in a blackhole gets no packet."""
        for attacked in self.topology.ddos.blackholed:
            lasts = attacked.until is None or attacked.until > self.moment
            if door.address is not None and same(attacked.ip, door.address) and lasts:
                self.note("blackhole.public_ip", end.eni_id, (DROP, None))
