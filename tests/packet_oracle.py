"""An independent oracle for whole topologies: one packet, place by place, forward and back, slow and plain.

It shares nothing with the analyzer but the data model; what happens inside one VPC's filters and tables it takes from
``tests.oracle``. A packet is one flow: one source port, one port. Where something chooses among equals (ECMP, SNAT
pools, back ends, transit routers' entries, connections to a network) each choice is a path: the walk is run once for
every combination, each time from the start with a script of choices.

A walk goes on past every deny, and writes it down; where there is no way on it ends, by ``Ended``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

from netinsight.model.base import Unknown
from netinsight.model.edge import Eip, EipMode
from netinsight.model.gateways import (
    BusinessStatus,
    DnatEntry,
    EipBindMode,
    EntryStatus,
    Ipv6Internet,
    NatGateway,
    NatNetwork,
    NatStatus,
    SnatEntry,
)
from netinsight.model.instance import EniStatus, InstanceStatus, NetworkInterface
from netinsight.model.links import (
    Attachment,
    AttachmentStatus,
    PeeringStatus,
    RouterInterfaceStatus,
    TransitRoute,
    TransitRouteStatus,
    VbrStatus,
    VpnConnection,
    VpnConnectionStatus,
    VpnGatewayStatus,
    VpnRoute,
    VpnRouteOrigin,
)
from netinsight.model.load_balancer import (
    BackEnd,
    BalancerListener,
    ListenerStatus,
    LoadBalancer,
    LoadBalancerStatus,
    LoadBalancerType,
    ServerHealth,
)
from netinsight.model.routing import NextHop, NextHopType, Route, RouteTableType
from netinsight.model.topology import Topology
from netinsight.model.vpc import InternetMode, VSwitch
from tests import oracle
from tests.oracle import ACCEPT, DROP, EGRESS, INGRESS, UNKNOWN, Decision, Item, Maybe, Packet, RouteRow

T = TypeVar("T")
Hop = tuple[str, str, str, int, int]
Connection = tuple[str, ...]
"""What leads to a network: ("vbr", id), ("vpn", gateway, connection), ("attachment", router, id), ("peering", id)."""

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
CHOSEN_PORT = 40000
MOST_PATHS = 5000

PUBLIC_IP, BLACKHOLE, SMTP, STATUS = "gateway.public_ip", "blackhole.public_ip", "platform.smtp_egress", "eni.status"
RUNNING = "precondition.instance_running"
NAT, IPV4, IPV6, HAVIP = "gateway.nat", "gateway.ipv4", "gateway.ipv6", "gateway.havip"
APPLIANCE, FORWARDING = "gateway.appliance", "guest.forwarding"
PEERING, INTERFACE, VBR, VPN = "gateway.peering", "gateway.router_interface", "gateway.vbr", "gateway.vpn"
TRANSIT, BALANCER = "gateway.transit_router", "gateway.load_balancer"
EDGE, INTERNET, SERVICE = "edge", "internet", "service"


class Ended(Exception):  # noqa: N818 - it is no error
    """There is no way on for a packet."""


def undescribed_ipv4_gateway(topology: Topology, vpc: str) -> str | None:
    """The IPv4 gateway that a table of a VPC leads to, though nobody described it: it may be enabled."""
    for vswitch_id, vswitch in topology.vswitches.items():
        table = oracle.table_of(topology, vswitch_id)
        if vswitch.vpc != vpc or not isinstance(table, str) or table not in topology.route_tables:
            continue
        rows = topology.route_tables[table].routes
        for row in rows if isinstance(rows, list) else []:
            if row.next_hop_type is NextHopType.IPV4_GATEWAY and row.status == "Available":
                return row.next_hop
    return None


@dataclass(frozen=True)
class PathOutcome:
    """One path: whether it passes, what it met, and the packet as it was at each place."""

    passes: str
    blockers: frozenset[Item]
    unknowns: frozenset[Item]
    forward: tuple[Hop, ...]
    back: tuple[Hop, ...]


@dataclass(frozen=True)
class Outcome:
    """What the oracle says of a flow."""

    verdict: str
    paths: tuple[PathOutcome, ...]

    @property
    def blockers(self) -> frozenset[Item]:
        """The blockers of all the paths."""
        return frozenset(item for path in self.paths for item in path.blockers)

    @property
    def unknowns(self) -> frozenset[Item]:
        """The unknowns of all the paths."""
        return frozenset(item for path in self.paths for item in path.unknowns)


@dataclass(frozen=True)
class End:
    """One end: ``kind`` is eni, havip, balancer, nat, nobody, public, internet, network or service."""

    kind: str
    address: str
    id: str = ""
    eni: str | None = None
    vpc: str | None = None
    networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Public:
    """A public address of the topology: ``kind`` says what it is bound to; ``object`` is what an item names."""

    ip: str
    kind: str  # eni, havip, address, nat, balancer, nothing, unknown
    object: str
    vpc: str | None = None
    private: str | None = None
    holder: str = ""
    mode: EipMode = EipMode.NAT
    open: bool = True


# ------------------------------------------------------------------------------------------------- looking things up


def within(address: str, cidrs: Sequence[str | None]) -> bool:
    """Whether an address lies in any of some blocks."""
    return any(cidr is not None and oracle.lies_in(address, cidr) for cidr in cidrs)


def blocks_of_vpc(topology: Topology, vpc: str) -> list[str | None]:
    """The blocks of a VPC, of both families."""
    described = topology.vpcs.get(vpc)
    return [] if described is None else [*described.cidrs, described.ipv6_cidr]


def is_public(topology: Topology, vpc: str | None, address: str) -> bool:
    """Whether an IPv4 address is public, seen from a VPC."""
    if oracle.version_of(address) != 4 or within(address, PRIVATE):
        return False
    if vpc is not None and within(address, blocks_of_vpc(topology, vpc)):
        return False
    return not any(within(address, network.cidrs) for network in topology.networks.values())


def is_eni(topology: Topology, name: str) -> bool:
    """Whether an id is that of an ENI."""
    return any(name == eni_id for eni_id, _, _ in oracle.enis(topology))


def eni_of_host(topology: Topology, name: str) -> str | None:
    """The ENI that an id of an ENI or an instance stands for."""
    if name in topology.instances:
        return oracle.primary_eni(topology.instances[name])
    return name if is_eni(topology, name) else None


def vpc_of_eni(topology: Topology, eni_id: str) -> str | None:
    """The VPC that an ENI stands in."""
    return oracle.vpc_of(topology, oracle.eni_of(topology, eni_id))


def owner_instance(topology: Topology, eni_id: str) -> str | None:
    """The instance that an ENI is attached to."""
    return next(instance for name, _, instance in oracle.enis(topology) if name == eni_id)


def master_of(topology: Topology, havip_id: str) -> str | Unknown | None:
    """The ENI that has a HaVip now: of an instance the one in the HaVip's vSwitch, else its primary one."""
    havip = topology.havips[havip_id]
    if havip.master is None or isinstance(havip.master, Unknown):
        return havip.master
    if havip.master in topology.instances:
        for name, eni in topology.instances[havip.master].network_interfaces.items():
            if eni.vswitch == havip.vswitch:
                return name
    found = eni_of_host(topology, havip.master)
    return found if found is not None else Unknown(unknown=f"{havip.master} is not described")


def vpc_of_havip(topology: Topology, havip_id: str) -> str | None:
    """The VPC that a HaVip is an address of."""
    vswitch = topology.vswitches.get(topology.havips[havip_id].vswitch)
    return vswitch.vpc if vswitch else None


def own_addresses(topology: Topology, eni_id: str) -> list[str]:
    """The addresses that an ENI takes packets for: its own, of HaVips that it is master of, EIPs its guest sees."""
    own = oracle.private_addresses(oracle.eni_of(topology, eni_id))
    own += [havip.ip for name, havip in topology.havips.items() if master_of(topology, name) == eni_id]
    own += [one.ip for one in publics(topology) if one.holder == eni_id and one.mode is not EipMode.NAT]
    return own


def owns(topology: Topology, eni_id: str, address: str) -> bool:
    """Whether an ENI has an address."""
    return any(oracle.same(address, own) for own in own_addresses(topology, eni_id))


def publics(topology: Topology) -> list[Public]:
    """Every public address of the topology, with what it is bound to."""
    found = []
    for instance in topology.instances.values():
        if instance.public_ip is not None:
            eni_id = oracle.primary_eni(instance)
            private, is_open = oracle.eni_of(topology, eni_id).ip, instance.public_bandwidth_mbps != 0
            vpc = vpc_of_eni(topology, eni_id)
            found.append(Public(instance.public_ip, "eni", eni_id, vpc, private, eni_id, open=is_open))
    for name, balancer in topology.load_balancers.items():
        if balancer.public_ip is not None:
            found.append(Public(balancer.public_ip, "balancer", name, balancer.vpc, None, name))
    return [*found, *(public_of_eip(topology, name, eip) for name, eip in topology.eips.items())]


def public_of_eip(topology: Topology, name: str, eip: Eip) -> Public:
    """What an EIP is bound to."""
    is_open = eip.business_status is BusinessStatus.NORMAL
    if isinstance(eip.bound_to, Unknown):
        return Public(eip.ip, "unknown", name)
    if eip.bound_to is None:
        if eip.vpc is not None and eip.private_ip is not None:
            return Public(eip.ip, "address", name, eip.vpc, eip.private_ip, name, open=is_open)
        return Public(eip.ip, "nothing", name)
    if eip.bound_to in topology.nat_gateways:
        vpc = topology.nat_gateways[eip.bound_to].vpc
        return Public(eip.ip, "nat", name, vpc, None, eip.bound_to, open=is_open)
    if eip.bound_to in topology.load_balancers:
        vpc = topology.load_balancers[eip.bound_to].vpc
        return Public(eip.ip, "balancer", name, vpc, None, eip.bound_to, open=is_open)
    if eip.bound_to in topology.havips:
        master, havip = master_of(topology, eip.bound_to), topology.havips[eip.bound_to]
        shown = master if isinstance(master, str) else eip.bound_to
        return Public(
            eip.ip, "havip", shown, vpc_of_havip(topology, eip.bound_to), havip.ip, eip.bound_to, open=is_open
        )
    eni_id = eni_of_host(topology, eip.bound_to)
    if eni_id is None:
        return Public(eip.ip, "unknown", name)
    private = eip.private_ip or oracle.eni_of(topology, eni_id).ip
    return Public(eip.ip, "eni", eni_id, vpc_of_eni(topology, eni_id), private, eni_id, eip.mode, is_open)


def public_by_ip(topology: Topology, address: str) -> Public | None:
    """The public address that an address is."""
    return next((one for one in publics(topology) if oracle.same(one.ip, address)), None)


def public_of(topology: Topology, vpc: str | None, private: str) -> Public | None:
    """The public address of a private one of a VPC; of ``kind`` unknown where some binding is not known."""
    listed = publics(topology)
    for one in listed:
        if one.private is not None and one.vpc == vpc and oracle.same(one.private, private):
            return one
    return next((one for one in listed if one.kind == "unknown"), None)


def system_table(topology: Topology, vpc: str) -> str | None:
    """The system table of a VPC, if it is described."""
    for name, table in topology.route_tables.items():
        if table.vpc == vpc and table.type is RouteTableType.SYSTEM:
            return name
    return None


def row_of(topology: Topology, vpc: str, table_id: str | Unknown | None, address: str) -> RouteRow:
    """The row of a table of a VPC that decides (``oracle.winning_row`` for any table)."""
    vswitch_id = next((name for name, vswitch in topology.vswitches.items() if vswitch.vpc == vpc), None)
    if isinstance(table_id, Unknown) or table_id in topology.unknown:
        return oracle.UNKNOWN_ROW
    table = topology.route_tables[table_id] if table_id is not None else None
    if table is not None and isinstance(table.routes, Unknown):
        return oracle.UNKNOWN_ROW
    if vswitch_id is None:
        return oracle.NO_ROW
    system = oracle.system_rows(topology, vswitch_id, table)
    written = [] if table is None or table_id is None else oracle.written_rows(topology, table_id, table)
    known = system + [row for row in written if row.network is not None]
    for row in written:
        if row.network is None and oracle.could_win(topology, vswitch_id, known, row, address):
            return oracle.UNKNOWN_ROW
    return oracle.best_row(topology, vswitch_id, known, address)


def next_hops(route: Route) -> list[NextHop]:
    """The next hops of a row that share the traffic: the healthy ones of weight, else those that stand by."""
    first = NextHop(id=route.next_hop, type=route.next_hop_type, weight=route.weight, healthy=route.healthy)
    healthy = [hop for hop in [first, *route.others] if hop.healthy]
    active = [hop for hop in healthy if hop.weight > 0]
    return active or healthy


def longest(rows: Sequence[T], destination: Sequence[str], address: str) -> list[T]:
    """The rows of the longest of the prefixes that hold an address."""
    lengths: list[int] = []
    for cidr in destination:
        network = oracle.network_of(cidr)
        lengths.append(network.prefixlen if network is not None and oracle.lies_in(address, cidr) else -1)
    best = max(lengths, default=-1)
    return [] if best < 0 else [row for row, length in zip(rows, lengths, strict=True) if length == best]


def overlap(some: Sequence[str | None], others: Sequence[str | None]) -> bool:
    """Whether a block of one list overlaps one of another."""
    for one in some:
        for other in others:
            first, second = oracle.network_of(one or ""), oracle.network_of(other or "")
            if first is not None and second is not None and first.version == second.version and first.overlaps(second):
                return True
    return False


def is_value(fact: object, wanted: object) -> Maybe:
    """Whether a fact has a value; None where it is declared unknown."""
    return None if isinstance(fact, Unknown) else fact is wanted


def nat_addresses(gateway: NatGateway) -> list[str]:
    """The private addresses that a VPC NAT gateway translates by."""
    found: list[str] = []
    for snat in gateway.snat if isinstance(gateway.snat, list) else []:
        found += snat.nat_ip or []
    for dnat in gateway.dnat if isinstance(gateway.dnat, list) else []:
        found += [dnat.nat_ip] if dnat.nat_ip is not None else []
    return found


# ------------------------------------------------------------------------------------------------------------ the ends


def find_end(topology: Topology, written: str, family: int) -> End:
    """What a question names."""
    eni_id = eni_of_host(topology, written)
    if eni_id is not None:
        addresses = oracle.private_addresses(oracle.eni_of(topology, eni_id))
        address = next((own for own in addresses if oracle.version_of(own) == family), None)
        if address is None:
            raise ValueError(f"{written} has no IPv{family} address")
        return eni_end(topology, eni_id, address)
    if written in topology.havips:
        return havip_end(topology, written)
    if written in topology.load_balancers:
        balancer = topology.load_balancers[written]
        return End("balancer", balancer.ip or "", written, vpc=balancer.vpc)
    if oracle.version_of(written) != family:
        raise ValueError(f"{written} is no object of the topology, and no IPv{family} address")
    return find_address(topology, written)


def find_address(topology: Topology, address: str) -> End:
    """Whose an address is."""
    found = [eni_end(topology, eni_id, address) for eni_id in oracle.owners(topology, address)]
    found += [havip_end(topology, name) for name, havip in topology.havips.items() if oracle.same(havip.ip, address)]
    for name, balancer in topology.load_balancers.items():
        if balancer.ip is not None and oracle.same(balancer.ip, address):
            found.append(End("balancer", address, name, vpc=balancer.vpc))
    for name, gateway in topology.nat_gateways.items():
        if any(oracle.same(own, address) for own in nat_addresses(gateway)):
            found.append(End("nat", address, name, vpc=gateway.vpc))
    if len(found) > 1:
        raise ValueError(f"{address} has several owners")
    if found:
        return found[0]
    if public_by_ip(topology, address) is not None:
        return End("public", address)
    names = [name for name, network in topology.networks.items() if within(address, network.cidrs)]
    for peering in topology.peerings.values():
        if peering.peer_vpc not in topology.vpcs and within(address, peering.peer_cidrs):
            names.append(peering.peer_vpc)
    if names:
        return End("network", address, names[0], networks=tuple(dict.fromkeys(names)))
    for vpc in topology.vpcs:
        if within(address, blocks_of_vpc(topology, vpc)):
            return End("nobody", address, vpc=vpc)
    if oracle.lies_in(address, str(oracle.SERVICE)):
        return End(SERVICE, address)
    if oracle.version_of(address) == 4 and not oracle.is_internet(address):
        return End("nobody", address)
    return End(INTERNET, address)


def eni_end(topology: Topology, eni_id: str, address: str) -> End:
    """An ENI as an end, by one of its addresses."""
    instance_id = owner_instance(topology, eni_id)
    if instance_id is not None and topology.instances[instance_id].status is not InstanceStatus.RUNNING:
        raise ValueError(f"the instance of {eni_id} is not Running")
    return End("eni", address, eni_id, eni_id, vpc_of_eni(topology, eni_id))


def havip_end(topology: Topology, havip_id: str) -> End:
    """A HaVip as an end."""
    master = master_of(topology, havip_id)
    eni_id = master if isinstance(master, str) else None
    return End("havip", topology.havips[havip_id].ip, havip_id, eni_id, vpc_of_havip(topology, havip_id))


def find_source(topology: Topology, written: str, family: int) -> End:
    """The end that asks; a public address of an ENI stands for the ENI."""
    end = find_end(topology, written, family)
    if end.kind == "public":
        public = public_by_ip(topology, end.address)
        if public is not None and public.kind == "eni" and public.private is not None:
            return eni_end(topology, public.holder, public.private)
        if public is not None and public.kind == "havip":
            return havip_end(topology, public.holder)
    if end.kind not in ("eni", "havip", INTERNET, "network"):
        raise ValueError(f"{written} sends nothing of its own")
    return end


# ------------------------------------------------------------------------------------------------------------ the walk


@dataclass
class Walk:
    """One path of one flow, with everything that it met."""

    topology: Topology
    chosen: Mapping[str, str]
    moment: datetime
    source: End
    target: End
    nat_port: int
    script: list[int]
    sizes: list[int] = field(default_factory=list)
    blockers: set[Item] = field(default_factory=set)
    unknowns: set[Item] = field(default_factory=set)
    forward: list[Hop] = field(default_factory=list)
    back: list[Hop] = field(default_factory=list)
    is_reply: bool = False
    asked: Packet | None = None
    router: str = ""
    vswitch: str = ""
    visited: set[tuple[str, Packet]] = field(default_factory=set)
    seen: set[tuple[str, str, Packet]] = field(default_factory=set)
    sessions: list[tuple[str, str, Packet, Packet]] = field(default_factory=list)
    restored: set[str] = field(default_factory=set)
    arrival: tuple[str, str, Packet] | None = None
    connection: Connection | None = None

    # -------------------------------------------------------------------------------------------------- writing down

    def choose(self, options: Sequence[T]) -> T:
        """One of equal choices, as the script says."""
        n = len(self.sizes)
        self.sizes.append(len(options))
        if n == len(self.script):
            self.script.append(0)
        return options[self.script[n]]

    def note(self, item: str, object_id: str, decision: Decision) -> None:
        """Write down what a place decided."""
        if decision[0] == DROP:
            self.blockers.add((item, object_id))
        if decision[0] == UNKNOWN:
            self.unknowns.add((item, object_id))

    def need(self, fact: Maybe, item: str, object_id: str) -> None:
        """Write a fact down that has to hold, and go on."""
        self.note(item, object_id, (ACCEPT if fact else UNKNOWN if fact is None else DROP, None))

    def drop(self, item: str, object_id: str) -> NoReturn:
        """There is no way on."""
        self.blockers.add((item, object_id))
        raise Ended

    def lost(self, item: str, object_id: str) -> NoReturn:
        """The way on is not known."""
        self.unknowns.add((item, object_id))
        raise Ended

    @property
    def suffix(self) -> str:
        """What the items of filters end in."""
        return ".return" if self.is_reply else ""

    @property
    def route_item(self) -> str:
        """The item of a look-up."""
        return "route.return" if self.is_reply else "route.forward"

    def at(self, place: str, packet: Packet) -> None:
        """Write down that the packet is at a place."""
        hop = (place, packet.src, packet.dst, packet.source_port, packet.port)
        (self.back if self.is_reply else self.forward).append(hop)

    def once(self, place: str, shown: str, packet: Packet) -> None:
        """A packet that is at a router or an appliance again runs in a loop."""
        if (place, packet) in self.visited:
            self.drop(self.route_item, shown)
        self.visited.add((place, packet))

    def restore(self, translator: str, packet: Packet) -> tuple[str, Packet] | None:
        """A reply as it was before a translator's session, with the kind of the session."""
        for name, kind, before, after in self.sessions:
            if self.is_reply and name == translator and packet == after.reply():
                self.restored.add(name)
                return kind, before.reply()
        return None

    # ------------------------------------------------------------------------------------------------- both packets

    def question(self) -> None:
        """The question, from its sender until it arrives."""
        if self.source.kind == INTERNET:
            self.from_internet(self.question_packet(self.source.address, self.address_for_internet()))
            return
        packet = self.question_packet(self.source.address, self.target_address())
        if self.source.kind == "network":
            self.asked = packet
            self.from_network(packet)
            return
        eni_id = self.source.eni or self.master(self.source.id)
        visible = self.visible_eip(eni_id, packet.src)
        if visible is not None and is_public(self.topology, self.source.vpc, packet.dst):
            packet = replace(packet, src=visible)
        self.asked = packet
        self.status(eni_id)
        self.send(eni_id, packet)

    def question_packet(self, src: str, dst: str) -> Packet:
        """The question as it was asked for."""
        assert self.asked is not None
        return replace(self.asked, src=src, dst=dst)

    def target_address(self) -> str:
        """The address that a sender inside asks for: the private one, of a load balancer else a public one."""
        if self.target.address:
            return self.target.address
        return self.address_for_internet()

    def address_for_internet(self) -> str:
        """The address (and by ``asked`` the port) that an Internet host asks for."""
        assert self.asked is not None
        target = self.target
        if target.kind in ("public", INTERNET, "network", "nobody", SERVICE, "nat"):
            if target.kind != "public":
                self.drop(PUBLIC_IP, target.id or target.address)
            return target.address
        if target.kind == "balancer":
            bound = [one.ip for one in publics(self.topology) if one.kind == "balancer" and one.holder == target.id]
            return self.choose(bound) if bound else self.drop(PUBLIC_IP, target.id)
        if oracle.version_of(target.address) == 6:
            return target.address
        public = public_of(self.topology, target.vpc, target.address)
        if public is not None and public.kind != "unknown":
            return public.ip
        return self.address_by_dnat(public is not None)

    def address_by_dnat(self, some_eip_unknown: bool) -> str:
        """One of the entries that lead to the asked private address and port; the packet's port becomes its outer."""
        assert self.asked is not None
        found: list[tuple[str, int]] = []
        unknown = [(PUBLIC_IP, self.target.eni or self.target.id)] if some_eip_unknown else []
        for name, gateway in self.topology.nat_gateways.items():
            if gateway.vpc != self.target.vpc:
                continue
            if isinstance(gateway.dnat, Unknown):
                unknown.append((NAT, name))
                continue
            for entry in gateway.dnat:
                outer = self.outer_port(entry)
                if entry.eip is not None and outer is not None and entry.eip in self.topology.eips:
                    found.append((self.topology.eips[entry.eip].ip, outer))
        if not found and not unknown:
            self.drop(PUBLIC_IP, self.target.eni or self.target.id)
        if not found:
            self.lost(*unknown[0])
        address, port = self.choose(list(dict.fromkeys(found)))
        self.asked = replace(self.asked, port=port)
        return address

    def outer_port(self, entry: DnatEntry) -> int | None:
        """The port to ask for by an entry, so that it leads to the target; None where it does not."""
        assert self.asked is not None
        if entry.status is not EntryStatus.AVAILABLE or not oracle.same(entry.internal_ip, self.target.address):
            return None
        if entry.is_whole:
            return self.asked.port
        port = self.asked.port - entry.shift
        fits = entry.external_ports.first <= port <= entry.external_ports.last
        return port if fits and oracle.protocol_matches(entry.protocol, self.asked.protocol) else None

    def answer(self) -> None:
        """The reply, from whom the question reached to whom asked it."""
        assert self.arrival is not None
        kind, name, arrived = self.arrival
        if kind == SERVICE:
            return
        self.is_reply = True
        packet = arrived.reply()
        if kind == INTERNET:
            self.from_internet(packet)
        elif kind == "network":
            assert self.connection is not None
            self.at(name, packet)
            self.enter_by(self.connection, packet)
        elif kind == "backend":
            self.back_end_replies(name, packet)
        else:
            self.eni_replies(name, packet)

    def eni_replies(self, eni_id: str, packet: Packet) -> None:
        """A reply of an ENI; that of a question that a NAT gateway translated must be restored by it."""
        translated = [name for name, kind, _, _ in self.sessions if kind == "dnat"]
        unknowns = set(self.unknowns)
        replier = oracle.eni_of(self.topology, eni_id).vswitch
        try:
            self.send(eni_id, packet)
        finally:
            if not set(translated) <= self.restored and self.unknowns == unknowns:
                self.blockers.add(("route.return", replier))

    # ------------------------------------------------------------------------------------------------------ filters

    def group(self, eni_id: str, direction: str, packet: Packet) -> None:
        """The groups of an ENI; the reply to what they have seen passes unjudged."""
        stateless = packet.protocol in (oracle.ICMP, oracle.ICMPV6, oracle.GRE)
        stateless = stateless and self.chosen["icmp_gre_stateful"] == "false"
        opposite = EGRESS if direction == INGRESS else INGRESS
        if not self.is_reply:
            self.seen.add((eni_id, direction, packet))
        elif (eni_id, opposite, packet.reply()) in self.seen and not stateless:
            return
        decision = oracle.group_decision(self.topology, eni_id, direction, packet, self.chosen)
        self.note(f"eni.security_group.{direction}{self.suffix}", eni_id, decision)

    def acl(self, eni_id: str, direction: str, packet: Packet, always: bool = False) -> None:
        """The ACL of an ENI's vSwitch; not met inside the vSwitch, and never by an ENI in mode BINDED."""
        name = oracle.eni_of(self.topology, eni_id).vswitch
        vswitch = self.topology.vswitches.get(name)
        far = packet.src if direction == INGRESS else packet.dst
        inside = vswitch is not None and within(far, [vswitch.cidr, vswitch.ipv6_cidr])
        if (inside and not always) or self.is_binded(eni_id):
            return
        decision = oracle.vswitch_acl_decision(self.topology, name, direction, packet)
        self.note(f"vswitch.network_acl.{direction}{self.suffix}", name, decision)

    def status(self, eni_id: str) -> None:
        """Only an ENI in use carries traffic, and only an instance that runs; of the ends that is asked beforehand."""
        instance_id = owner_instance(self.topology, eni_id)
        if instance_id is not None and eni_id not in (self.source.eni, self.target.eni):
            status = self.topology.instances[instance_id].status
            self.need(is_value(status, InstanceStatus.RUNNING), RUNNING, instance_id)
        self.need(is_value(oracle.eni_of(self.topology, eni_id).status, EniStatus.IN_USE), STATUS, eni_id)

    def is_binded(self, eni_id: str) -> bool:
        """Whether an ENI has an EIP in mode BINDED."""
        return any(one.holder == eni_id and one.mode is EipMode.BINDED for one in publics(self.topology))

    def visible_eip(self, eni_id: str, private: str) -> str | None:
        """The EIP that an address of an ENI stands for in the guest."""
        for one in publics(self.topology):
            if one.holder == eni_id and one.mode is not EipMode.NAT and oracle.same(one.private or "", private):
                return one.ip
        return None

    def cut_off(self, eni_id: str, address: str) -> None:
        """An ENI in mode BINDED has no private networking."""
        eips = [one.ip for one in publics(self.topology) if one.holder == eni_id and one.mode is EipMode.BINDED]
        if eips and not any(oracle.same(address, ip) for ip in eips):
            self.drop(PUBLIC_IP, eni_id)

    # ---------------------------------------------------------------------------------------------- leaving an ENI

    def send(self, eni_id: str, packet: Packet) -> None:
        """A packet of an ENI's own: its group, mail, its ACL, its route."""
        self.at(eni_id, packet)
        self.group(eni_id, EGRESS, packet)
        if not self.is_reply and (packet.protocol, packet.port) == (oracle.TCP, oracle.SMTP):
            instance = self.topology.instances.get(owner_instance(self.topology, eni_id) or "")
            if is_public(self.topology, vpc_of_eni(self.topology, eni_id), packet.dst) or self.is_internet_v6(
                packet.dst
            ):
                self.need(instance is not None and instance.smtp_unlocked, SMTP, eni_id)
        self.acl(eni_id, EGRESS, packet)
        self.cut_off(eni_id, packet.src)
        self.leave(eni_id, packet)

    def is_internet_v6(self, address: str) -> bool:
        """Whether an IPv6 address is an Internet host's: of no VPC, and of no network outside."""
        blocks = [one for vpc in self.topology.vpcs for one in blocks_of_vpc(self.topology, vpc)]
        blocks += [one for network in self.topology.networks.values() for one in network.cidrs]
        return oracle.version_of(address) == 6 and not within(address, blocks)

    def leave(self, eni_id: str, packet: Packet) -> None:
        """The route of a packet that leaves an ENI."""
        name, vswitch = self.vswitch_of(eni_id)
        self.router = self.vswitch = name
        direct = self.chosen["steered_own_vswitch"] == "direct"
        if direct and within(packet.dst, [vswitch.cidr, vswitch.ipv6_cidr]):
            self.deliver(vswitch.vpc, packet)
            return
        if is_public(self.topology, vswitch.vpc, packet.dst):
            self.internet_mode(vswitch.vpc)
            row = row_of(self.topology, vswitch.vpc, oracle.table_of(self.topology, name), packet.dst)
            public = self.own_public(eni_id, vswitch.vpc, packet.src)
            if public is not None and self.leaves_by(public, vswitch.vpc, row):
                if public.kind == "unknown":
                    self.lost(PUBLIC_IP, eni_id)
                self.edge_out(public, packet)
                return
        self.look_up_at(name, packet)

    def vswitch_of(self, eni_id: str) -> tuple[str, VSwitch]:
        """The vSwitch of an ENI, if it is described."""
        name = oracle.eni_of(self.topology, eni_id).vswitch
        if name not in self.topology.vswitches:
            self.lost(self.route_item, name)
        return name, self.topology.vswitches[name]

    def own_public(self, eni_id: str, vpc: str, src: str) -> Public | None:
        """The public address that a packet of an ENI's own may leave by."""
        if not owns(self.topology, eni_id, src):
            return None
        for one in publics(self.topology):
            if one.holder == eni_id and one.mode is not EipMode.NAT and oracle.same(one.ip, src):
                return one
        public = public_of(self.topology, vpc, src)
        return public if public is not None and public.kind in ("eni", "havip", "unknown") else None

    def leaves_by(self, public: Public, vpc: str, row: RouteRow) -> bool:
        """Whether a packet leaves by a public address, and not by a row of its table."""
        gateway, enabled = self.ipv4_gateway_of(vpc)
        if enabled is True and public.mode is not EipMode.NAT:
            self.lost(IPV4, gateway)
        if enabled is None:
            self.lost(IPV4, gateway)
        if enabled or row is oracle.UNKNOWN_ROW:
            return False
        leaves = row is oracle.NO_ROW or not self.row_wins(row)
        if leaves and not gateway and (hop := undescribed_ipv4_gateway(self.topology, vpc)):
            self.lost(IPV4, hop)
        return leaves

    def row_wins(self, row: RouteRow) -> bool:
        """Whether a row has a packet that could leave by a public address."""
        if row.length > 0:
            return self.chosen["specific_route_beats_eip"] == "true"
        assert row.route is not None
        if row.route.next_hop_type is None and row.route.next_hop in self.topology.unknown:
            return True  # it may be an IPv4 gateway
        to_host = oracle.leads_to_host(self.topology, row.route) or row.route.next_hop in self.topology.havips
        return to_host and self.chosen["default_route_to_instance_beats_eip"] == "true"

    def ipv4_gateway_of(self, vpc: str | None) -> tuple[str, Maybe]:
        """The IPv4 gateway of a VPC, and whether it is enabled."""
        for name, gateway in self.topology.ipv4_gateways.items():
            if gateway.vpc == vpc:
                return name, None if isinstance(gateway.enabled, Unknown) else gateway.enabled
        return "", False

    def internet_mode(self, vpc: str | None) -> None:
        """A VPC whose IPv4 gateway was deleted in private mode does not meet the Internet."""
        described = self.topology.vpcs.get(vpc or "")
        if described is not None and vpc is not None and not self.ipv4_gateway_of(vpc)[0]:
            self.need(is_value(described.internet_mode, InternetMode.PUBLIC), IPV4, vpc)

    # ------------------------------------------------------------------------------------------------------ routing

    def look_up_at(self, vswitch_id: str, packet: Packet) -> None:
        """The table of a vSwitch."""
        if vswitch_id not in self.topology.vswitches:
            self.lost(self.route_item, vswitch_id)
        vpc = self.topology.vswitches[vswitch_id].vpc
        self.vswitch = vswitch_id
        self.look_up(vpc, vswitch_id, oracle.table_of(self.topology, vswitch_id), packet)

    def look_up_in_system(self, vpc: str, packet: Packet) -> None:
        """The system table of a VPC that a packet came into."""
        if vpc not in self.topology.vpcs:
            self.lost(self.route_item, vpc)
        self.look_up(vpc, vpc, system_table(self.topology, vpc), packet)

    def look_up(self, vpc: str, place: str, table: str | Unknown | None, packet: Packet) -> None:
        """Look a destination up, and follow what the row says."""
        self.router = place
        self.once(place, place, packet)
        self.at(place, packet)
        self.follow(vpc, row_of(self.topology, vpc, table, packet.dst), packet)

    def follow(self, vpc: str, row: RouteRow, packet: Packet) -> None:
        """What a row leads to."""
        if row.kind == "none":
            self.drop(self.route_item, self.router)
        elif row.kind == UNKNOWN:
            self.lost(self.route_item, self.router)
        elif row.kind == "local":
            self.deliver(vpc, packet)
        elif row.kind == SERVICE:
            self.arrive(SERVICE, SERVICE, packet)
        elif row.kind == "ipv6-gateway":
            self.ipv6_out(vpc, packet)
        else:
            assert row.route is not None
            hops = next_hops(row.route)
            if not hops:
                self.drop(self.route_item, self.router)
            self.next_hop(vpc, self.choose(hops), packet)

    def next_hop(self, vpc: str, hop: NextHop, packet: Packet) -> None:
        """The next hop of a row."""
        topology = self.topology
        if hop.id in topology.havips:
            self.appliance(self.master(hop.id), packet)
        elif (eni_id := eni_of_host(topology, hop.id)) is not None:
            self.appliance(eni_id, packet)
        elif hop.id in topology.nat_gateways:
            self.nat_out(hop.id, packet)
        elif hop.id in topology.ipv4_gateways:
            self.ipv4_out(hop.id, packet)
        elif hop.id in topology.ipv6_gateways and hop.type in (None, NextHopType.IPV6_GATEWAY):
            self.ipv6_out(vpc, packet)
        elif hop.id in topology.peerings:
            self.peering(hop.id, vpc, packet)
        elif hop.id in topology.router_interfaces:
            self.router_interface(hop.id, packet)
        elif hop.id in topology.vpn_gateways:
            self.vpn_out(hop.id, packet)
        elif (router := self.router_of(hop.id)) is not None:
            self.transit(router, hop.id, packet)
        else:
            self.lost(self.route_item, self.router)

    # ----------------------------------------------------------------------------------------------------- arriving

    def arrive(self, kind: str, name: str, packet: Packet) -> None:
        """The packet is where somebody takes it: for the question the one asked, for the reply the one who asked."""
        if not self.is_reply:
            if not self.is_target(kind, name):
                self.drop(self.route_item, self.router)
            self.at(name, packet)
            self.arrival = (kind, name, packet)
            return
        assert self.asked is not None
        source_kind = "eni" if self.source.kind == "havip" else self.source.kind
        is_source = kind == source_kind and (
            kind == INTERNET or name == self.source.eni or name in self.source.networks
        )
        self.at(name, packet)
        if not is_source:
            self.drop(self.route_item, self.router)
        if packet != self.asked.reply():
            self.drop(self.route_item, self.vswitch or self.router)

    def is_target(self, kind: str, name: str) -> bool:
        """Whether something is what was asked for; a translated address stands for whatever it leads to."""
        if self.target.kind in ("public", "nat"):
            return kind in ("eni", "balancer", "backend")
        if self.target.kind in ("eni", "havip"):
            return kind == "eni" and name == self.target.eni
        if self.target.kind == "balancer":
            return kind == "backend" or (kind == "balancer" and name == self.target.id)
        if self.target.kind == "network":
            return kind == "network" and name in self.target.networks
        return kind == self.target.kind

    def master(self, havip_id: str) -> str:
        """The ENI that has a HaVip."""
        master = master_of(self.topology, havip_id)
        if isinstance(master, Unknown):
            self.lost(HAVIP, havip_id)
        return master if master is not None else self.drop(HAVIP, havip_id)

    def deliver(self, vpc: str, packet: Packet) -> None:
        """Hand a packet to whoever has its destination in a VPC."""
        topology = self.topology
        for eni_id in oracle.owners(topology, packet.dst):
            if vpc_of_eni(topology, eni_id) == vpc:
                self.arrive_at_eni(eni_id, packet)
                return
        for name, havip in topology.havips.items():
            if vpc_of_havip(topology, name) == vpc and oracle.same(havip.ip, packet.dst):
                self.arrive_at_eni(self.master(name), packet)
                return
        for name, balancer in topology.load_balancers.items():
            if balancer.vpc == vpc and balancer.ip is not None and oracle.same(balancer.ip, packet.dst):
                self.balancer(name, packet)
                return
        for name, gateway in topology.nat_gateways.items():
            if gateway.vpc == vpc and any(oracle.same(own, packet.dst) for own in nat_addresses(gateway)):
                self.nat_in(name, packet)
                return
        self.drop(self.route_item, self.router)

    def arrive_at_eni(self, eni_id: str, packet: Packet) -> None:
        """A packet for an address of an ENI: a guest that translated restores it, everybody else takes it."""
        restored = self.restore(eni_id, packet)
        if restored is not None:
            self.at(eni_id, packet)
            self.acl(eni_id, INGRESS, packet)
            self.group(eni_id, INGRESS, packet)
            before = restored[1]
            self.group(eni_id, EGRESS, before)
            self.acl(eni_id, EGRESS, before)
            self.leave(eni_id, before)
            return
        self.cut_off(eni_id, packet.dst)
        self.arrive("eni", eni_id, packet)
        self.acl(eni_id, INGRESS, packet)
        self.group(eni_id, INGRESS, packet)
        if not self.is_reply:
            self.status(eni_id)

    def appliance(self, eni_id: str, packet: Packet) -> None:
        """An ENI that packets are routed through."""
        topology, eni = self.topology, oracle.eni_of(self.topology, eni_id)
        if owns(topology, eni_id, packet.dst):
            self.arrive_at_eni(eni_id, packet)
            return
        self.once(eni_id, eni.vswitch, packet)
        self.at(eni_id, packet)
        instance_id = owner_instance(topology, eni_id)
        if instance_id is not None:
            instance = topology.instances[instance_id]
            self.need(is_value(instance.status, InstanceStatus.RUNNING), APPLIANCE, eni_id)
        self.need(is_value(eni.status, EniStatus.IN_USE), APPLIANCE, eni_id)
        self.acl(eni_id, INGRESS, packet)
        self.group(eni_id, INGRESS, packet)
        if eni.source_dest_check and not owns(topology, eni_id, packet.src):
            self.need(False, APPLIANCE, eni_id)
        if instance_id is not None:
            guest = topology.instances[instance_id].guest
            self.need(guest is None or guest.ip_forward is not False, FORWARDING, instance_id)
        packet = self.translated_by_guest(eni_id, eni, packet)
        self.group(eni_id, EGRESS, packet)
        self.acl(eni_id, EGRESS, packet)
        self.leave(eni_id, packet)

    def translated_by_guest(self, eni_id: str, eni: NetworkInterface, packet: Packet) -> Packet:
        """The packet as an appliance sends it on: with its own source where it would leave by its public address."""
        name, vswitch = self.vswitch_of(eni_id)
        if not is_public(self.topology, vswitch.vpc, packet.dst) or owns(self.topology, eni_id, packet.src):
            return packet
        for own in [eni.ip, *eni.secondary_ips]:
            public = self.own_public(eni_id, vswitch.vpc, own)
            if public is None:
                continue
            if self.ipv4_gateway_of(vswitch.vpc)[1] is True:
                return packet
            row = row_of(self.topology, vswitch.vpc, oracle.table_of(self.topology, name), packet.dst)
            if not self.leaves_by(public, vswitch.vpc, row):
                return packet
            if public.kind == "unknown":
                self.lost(PUBLIC_IP, eni_id)
            visible = public.ip if public.mode is not EipMode.NAT else own
            after = self.with_source(packet, visible)
            self.sessions.append((eni_id, "guest", packet, after))
            return after
        return packet

    def with_source(self, packet: Packet, address: str) -> Packet:
        """A packet whose source, and client port, a translator chose."""
        ported = packet.protocol in (oracle.TCP, oracle.UDP)
        return replace(packet, src=address, source_port=self.nat_port if ported else packet.source_port)

    # ----------------------------------------------------------------------------------------------- the public edge

    def from_internet(self, packet: Packet) -> None:
        """A packet of an Internet host."""
        if not self.is_reply:
            self.asked = packet
        self.at(INTERNET, packet)
        if oracle.version_of(packet.dst) == 6:
            self.ipv6_in(packet)
        else:
            self.edge_in(packet)

    def edge_out(self, public: Public, packet: Packet) -> None:
        """A packet leaves by a public address."""
        self.need(public.open, PUBLIC_IP, public.object)
        self.edge_in(replace(packet, src=public.ip))

    def edge_in(self, packet: Packet) -> None:
        """The public edge sends a packet on by its destination."""
        self.at(EDGE, packet)
        public = public_by_ip(self.topology, packet.dst)
        if public is None:
            self.arrive(INTERNET, INTERNET, packet)
        elif public.kind == "unknown":
            self.lost(PUBLIC_IP, public.object)
        elif public.kind == "nothing":
            self.drop(PUBLIC_IP, public.object)
        elif public.kind == "nat":
            restored = self.restore(public.holder, packet)
            if restored is None or restored[0] != "snat" or self.chosen["blackhole_stops_snat_replies"] == "true":
                self.blackhole(public)
            self.public_opens(public)
            self.nat_in(public.holder, packet)
        else:
            self.blackhole(public)
            self.public_opens(public)
            if public.kind == "balancer":
                self.balancer(public.holder, packet)
            else:
                self.edge_to_private(public, packet)

    def blackhole(self, public: Public) -> None:
        """A public address in a blackhole gets no packet."""
        for attacked in self.topology.ddos.blackholed:
            if oracle.same(attacked.ip, public.ip) and (attacked.until is None or attacked.until > self.moment):
                self.need(False, BLACKHOLE, public.object)

    def public_opens(self, public: Public) -> None:
        """What a packet to a public address needs of it and of its VPC."""
        self.need(public.open, PUBLIC_IP, public.object)
        self.internet_mode(public.vpc)

    def edge_to_private(self, public: Public, packet: Packet) -> None:
        """In by the public address of a private one; an IPv4 gateway may steer it, or know the vSwitch as private."""
        assert public.private is not None
        if public.vpc is None:
            self.lost(PUBLIC_IP, public.object)
        gateway, enabled = self.ipv4_gateway_of(public.vpc)
        if public.kind == "address" and enabled is False:
            self.drop(PUBLIC_IP, public.object)
        if public.mode is not EipMode.NAT:
            if enabled is not False:
                self.lost(IPV4, gateway)
            self.arrive_at_eni(public.holder, packet)
            return
        packet = replace(packet, dst=public.private)
        if enabled is not False:
            table = self.topology.ipv4_gateways[gateway].route_table
            row = row_of(self.topology, public.vpc, table, packet.dst) if table is not None else oracle.NO_ROW
            steered = row is oracle.UNKNOWN_ROW or row.route is not None
            if enabled is None and (steered or not self.is_public_vswitch(public.vpc, public.private, gateway)):
                self.lost(IPV4, gateway)
            self.at(gateway, packet)
            if row is oracle.UNKNOWN_ROW:
                self.lost(IPV4, gateway)
            if steered:
                self.router = gateway
                self.follow(public.vpc, row, packet)
                return
            self.need(self.is_public_vswitch(public.vpc, public.private, gateway), IPV4, gateway)
        self.router = self.router or gateway or public.object
        self.deliver(public.vpc, packet)

    def is_public_vswitch(self, vpc: str, private: str, gateway: str) -> Maybe:
        """Whether the vSwitch of a private address has a 0.0.0.0/0 row to the IPv4 gateway."""
        for name, vswitch in self.topology.vswitches.items():
            if vswitch.vpc == vpc and oracle.lies_in(private, vswitch.cidr):
                return self.has_default_row(oracle.table_of(self.topology, name), gateway)
        return False

    def has_default_row(self, table_id: str | Unknown | None, gateway: str) -> Maybe:
        """Whether a table has a 0.0.0.0/0 row to a gateway."""
        if table_id is None:
            return False
        if isinstance(table_id, Unknown) or table_id in self.topology.unknown:
            return None
        table = self.topology.route_tables[table_id]
        if isinstance(table.routes, Unknown):
            return None
        facts: list[Maybe] = []
        for row in oracle.written_rows(self.topology, table_id, table):
            assert row.route is not None
            if any(hop.id == gateway for hop in next_hops(row.route)):
                facts.append(None if row.network is None else row.network == ipaddress.ip_network("0.0.0.0/0"))
        return oracle.any_holds(facts)

    def ipv4_out(self, gateway_id: str, packet: Packet) -> None:
        """An IPv4 gateway as the next hop."""
        self.at(gateway_id, packet)
        gateway = self.topology.ipv4_gateways[gateway_id]
        self.need(None if isinstance(gateway.enabled, Unknown) else gateway.enabled, IPV4, gateway_id)
        if not is_public(self.topology, gateway.vpc, packet.dst):
            self.drop(IPV4, gateway_id)
        public = public_of(self.topology, gateway.vpc, packet.src)
        if public is None and public_by_ip(self.topology, packet.src) is None:
            self.drop(IPV4, gateway_id)
        if public is None or public.kind == "unknown" or public.mode is not EipMode.NAT:
            self.lost(IPV4, gateway_id)
        self.edge_out(public, packet)

    # --------------------------------------------------------------------------------------------------------- IPv6

    def ipv6_gateway(self, vpc: str, address: str, comes_in: bool) -> None:
        """What an address needs to meet the IPv6 Internet."""
        name = next((name for name, one in self.topology.ipv6_gateways.items() if one.vpc == vpc), None)
        if name is None:
            self.note(IPV6, vpc, (UNKNOWN, None))
            return
        gateway = self.topology.ipv6_gateways[name]
        self.need(gateway.business_status is BusinessStatus.NORMAL, IPV6, name)
        if isinstance(gateway.internet, Unknown):
            self.note(IPV6, name, (UNKNOWN, None))
            return
        entries: list[Ipv6Internet] = [one for one in gateway.internet if oracle.same(one.ip, address)]
        if not entries:
            self.need(False, IPV6, name)
        for one in entries:
            self.need(one.bandwidth_mbps > 0 and one.business_status is BusinessStatus.NORMAL, IPV6, name)
            self.need(not (comes_in and one.egress_only and not self.is_reply), IPV6, name)

    def ipv6_out(self, vpc: str, packet: Packet) -> None:
        """Out to the IPv6 Internet, and perhaps in again elsewhere."""
        self.at(IPV6, packet)
        if oracle.version_of(packet.dst) != 6:
            self.drop(self.route_item, self.router)
        self.ipv6_gateway(vpc, packet.src, comes_in=False)
        if any(oracle.owners(self.topology, packet.dst)):
            self.ipv6_in(packet)
        else:
            self.arrive(INTERNET, INTERNET, packet)

    def ipv6_in(self, packet: Packet) -> None:
        """In from the IPv6 Internet."""
        for eni_id in oracle.owners(self.topology, packet.dst):
            vpc = vpc_of_eni(self.topology, eni_id)
            if vpc is not None:
                self.at(IPV6, packet)
                self.ipv6_gateway(vpc, packet.dst, comes_in=True)
                if not self.steered_v6(vpc, packet):
                    self.deliver(vpc, packet)
                return
        self.drop(IPV6, packet.dst)

    def steered_v6(self, vpc: str, packet: Packet) -> bool:
        """To an appliance, where the gateway table of the VPC's IPv6 gateway has a row for the address."""
        name = next((name for name, one in self.topology.ipv6_gateways.items() if one.vpc == vpc), None)
        table = self.topology.ipv6_gateways[name].route_table if name is not None else None
        if name is None or table is None:
            return False
        row = row_of(self.topology, vpc, table, packet.dst)
        if row is oracle.UNKNOWN_ROW:
            self.lost(IPV6, name)
        if row.route is None:
            return False
        self.router = name
        self.follow(vpc, row, packet)
        return True

    # ---------------------------------------------------------------------------------------------------------- NAT

    def nat_state(self, gateway_id: str) -> None:
        """Only an Available gateway carries traffic."""
        gateway = self.topology.nat_gateways[gateway_id]
        self.need(is_value(gateway.status, NatStatus.AVAILABLE), NAT, gateway_id)
        self.need(gateway.business_status is BusinessStatus.NORMAL, NAT, gateway_id)

    def nat_out(self, gateway_id: str, packet: Packet) -> None:
        """A NAT gateway as the next hop."""
        self.at(gateway_id, packet)
        gateway = self.topology.nat_gateways[gateway_id]
        self.nat_state(gateway_id)
        if gateway.network_type is NatNetwork.INTERNET and not is_public(self.topology, gateway.vpc, packet.dst):
            self.drop(NAT, gateway_id)
        restored = self.restore(gateway_id, packet)
        packet = restored[1] if restored is not None else self.nat_source(gateway_id, gateway, packet)
        self.at(gateway_id, packet)
        if gateway.network_type is NatNetwork.INTRANET:
            self.nat_look_up(gateway, packet)
            return
        hit = public_by_ip(self.topology, packet.dst)
        hairpin = hit is not None and hit.holder == gateway_id
        self.need(not (hairpin and gateway.eip_bind_mode is EipBindMode.MULTI_BINDED), NAT, gateway_id)
        self.nat_by_ipv4_gateway(gateway_id, gateway, packet)
        leaves = public_by_ip(self.topology, packet.src)
        self.need(leaves is None or leaves.open, PUBLIC_IP, leaves.object if leaves else gateway_id)
        self.edge_in(packet)

    def nat_by_ipv4_gateway(self, gateway_id: str, gateway: NatGateway, packet: Packet) -> None:
        """Where an IPv4 gateway is enabled, the NAT gateway's own vSwitch must lead to it."""
        ipv4, enabled = self.ipv4_gateway_of(gateway.vpc)
        if enabled is False:
            return
        if gateway.eip_bind_mode is EipBindMode.MULTI_BINDED:
            self.note(NAT, gateway_id, (UNKNOWN, None))
        row = row_of(self.topology, gateway.vpc, self.nat_table(gateway), packet.dst)
        hops = next_hops(row.route) if row.route is not None else []
        if row is oracle.UNKNOWN_ROW or (enabled is None and not any(hop.id == ipv4 for hop in hops)):
            self.lost(NAT, gateway_id)
        if not any(hop.id == ipv4 for hop in hops):
            self.drop(NAT, gateway_id)

    def nat_source(self, gateway_id: str, gateway: NatGateway, packet: Packet) -> Packet:
        """The packet with a new source: by an entry for the whole address, else by the longest source block."""
        if isinstance(gateway.dnat, Unknown):
            self.lost(NAT, gateway_id)
        for entry in gateway.dnat:
            if entry.is_whole and entry.status is EntryStatus.AVAILABLE and oracle.same(entry.internal_ip, packet.src):
                after = replace(packet, src=self.entry_address(gateway_id, entry))
                self.sessions.append((gateway_id, "any", packet, after))
                return after
        if isinstance(gateway.snat, Unknown):
            self.lost(NAT, gateway_id)
        available: list[SnatEntry] = [entry for entry in gateway.snat if entry.status is EntryStatus.AVAILABLE]
        found = longest(available, [entry.source for entry in available], packet.src)
        if not found:
            self.drop(NAT, gateway_id)
        if packet.protocol not in (oracle.TCP, oracle.UDP, oracle.ICMP):
            self.lost(NAT, gateway_id)
        if found[0].nat_ip is not None:
            address = self.choose(found[0].nat_ip)
        else:
            address = self.eip_address(gateway_id, self.choose(found[0].eip or []))
        after = self.with_source(packet, address)
        self.sessions.append((gateway_id, "snat", packet, after))
        return after

    def entry_address(self, gateway_id: str, entry: DnatEntry) -> str:
        """The address that a DNAT entry translates."""
        return entry.nat_ip if entry.nat_ip is not None else self.eip_address(gateway_id, entry.eip or "")

    def eip_address(self, gateway_id: str, eip_id: str) -> str:
        """The address of an EIP of a gateway."""
        if eip_id not in self.topology.eips:
            self.lost(NAT, gateway_id)
        return self.topology.eips[eip_id].ip

    def nat_table(self, gateway: NatGateway) -> str | Unknown | None:
        """The table of a NAT gateway's vSwitch, else the system table."""
        if gateway.vswitch is not None and gateway.vswitch in self.topology.vswitches:
            return oracle.table_of(self.topology, gateway.vswitch)
        return system_table(self.topology, gateway.vpc)

    def nat_look_up(self, gateway: NatGateway, packet: Packet) -> None:
        """The route of what a NAT gateway translated."""
        if gateway.vswitch is not None and gateway.vswitch in self.topology.vswitches:
            self.look_up_at(gateway.vswitch, packet)
        else:
            self.look_up_in_system(gateway.vpc, packet)

    def nat_in(self, gateway_id: str, packet: Packet) -> None:
        """A packet to an address of a NAT gateway: the reply of a session, else by a DNAT entry."""
        self.at(gateway_id, packet)
        topology, gateway = self.topology, self.topology.nat_gateways[gateway_id]
        self.nat_state(gateway_id)
        restored = self.restore(gateway_id, packet)
        if restored is not None:
            self.nat_look_up(gateway, restored[1])
            return
        if isinstance(gateway.dnat, Unknown):
            self.lost(NAT, gateway_id)
        entry = self.matching_entry(gateway_id, gateway.dnat, packet)
        if entry is None:
            self.drop(NAT, gateway_id)
        after = replace(packet, dst=entry.internal_ip, port=packet.port + (0 if entry.is_whole else entry.shift))
        owned = any(vpc_of_eni(topology, eni) == gateway.vpc for eni in oracle.owners(topology, after.dst))
        for name, havip in topology.havips.items():
            owned = owned or (vpc_of_havip(topology, name) == gateway.vpc and oracle.same(havip.ip, after.dst))
        if not owned:
            self.drop(NAT, gateway_id)
        own = public_of(topology, gateway.vpc, after.dst)
        if own is not None:
            self.lost(NAT, gateway_id) if own.kind == "unknown" else self.drop(NAT, gateway_id)
        self.sessions.append((gateway_id, "dnat", packet, after))
        self.nat_look_up(gateway, after)

    def matching_entry(self, gateway_id: str, entries: list[DnatEntry], packet: Packet) -> DnatEntry | None:
        """The entry for a packet: one of its port, else one of the whole address."""
        whole = None
        for entry in entries:
            if entry.status is not EntryStatus.AVAILABLE:
                continue
            if entry.nat_ip is None and entry.eip not in self.topology.eips:
                continue
            if not oracle.same(self.entry_address(gateway_id, entry), packet.dst):
                continue
            if entry.is_whole:
                whole = whole or entry
            elif (
                oracle.protocol_matches(entry.protocol, packet.protocol)
                and entry.external_ports.first <= packet.port <= entry.external_ports.last
            ):
                return entry
        return whole

    # -------------------------------------------------------------------------------------------------------- links

    def peering(self, peering_id: str, vpc: str, packet: Packet) -> None:
        """A VPC peering connection, from a VPC (or from the network that stands for the other one)."""
        self.at(peering_id, packet)
        peering = self.topology.peerings[peering_id]
        self.need(is_value(peering.status, PeeringStatus.ACTIVATED), PEERING, peering_id)
        self.need(peering.business_status is BusinessStatus.NORMAL, PEERING, peering_id)
        sides = [(peering.vpc, blocks_of_vpc(self.topology, peering.vpc))]
        described = blocks_of_vpc(self.topology, peering.peer_vpc)
        sides.append((peering.peer_vpc, described or list(peering.peer_cidrs)))
        self.need(not overlap(sides[0][1], sides[1][1]), PEERING, peering_id)
        if vpc == peering.peer_vpc:
            sides.reverse()
        (_, near), (other, far) = sides
        if not within(packet.src, near) or not within(packet.dst, far):
            self.drop(PEERING, peering_id)
        if other not in self.topology.vpcs:
            if not peering.peer_cidrs:
                self.lost(PEERING, peering_id)
            self.connection = ("peering", peering_id)
            self.arrive("network", other, packet)
            return
        row = row_of(self.topology, other, system_table(self.topology, other), packet.dst)
        if row is oracle.UNKNOWN_ROW:
            self.lost(PEERING, peering_id)
        if row.kind != "local":
            self.drop(PEERING, peering_id)
        self.router = other
        self.at(other, packet)
        self.deliver(other, packet)

    def router_interface(self, interface_id: str, packet: Packet) -> None:
        """A router interface and its opposite; goes on at the opposite's router."""
        self.at(interface_id, packet)
        here = self.topology.router_interfaces[interface_id]
        self.interface_state(interface_id)
        if isinstance(here.opposite, Unknown) or here.opposite not in self.topology.router_interfaces:
            self.lost(INTERFACE, interface_id)
        self.interface_state(here.opposite)
        router = self.topology.router_interfaces[here.opposite].router
        if router in self.topology.vbrs:
            self.vbr(router, packet)
        else:
            self.look_up_in_system(router, packet)

    def interface_state(self, interface_id: str) -> None:
        """Only an Active router interface carries traffic."""
        interface = self.topology.router_interfaces[interface_id]
        self.need(is_value(interface.status, RouterInterfaceStatus.ACTIVE), INTERFACE, interface_id)
        self.need(interface.business_status is BusinessStatus.NORMAL, INTERFACE, interface_id)

    def vbr(self, vbr_id: str, packet: Packet, from_network: bool = False) -> None:
        """A virtual border router; what comes from its network and has no row may go by a transit router."""
        self.router = vbr_id
        self.once(vbr_id, vbr_id, packet)
        self.at(vbr_id, packet)
        vbr = self.topology.vbrs[vbr_id]
        self.need(is_value(vbr.status, VbrStatus.ACTIVE), VBR, vbr_id)
        if isinstance(vbr.routes, Unknown):
            self.lost(self.route_item, vbr_id)
        rows = longest(vbr.routes, [row.destination for row in vbr.routes], packet.dst)
        if not rows and from_network and self.attachments_to(vbr_id):
            self.transit(*self.choose(self.attachments_to(vbr_id)), packet)
        elif not rows:
            self.drop(self.route_item, vbr_id)
        elif rows[0].next_hop in self.topology.router_interfaces:
            self.router_interface(rows[0].next_hop, packet)
        else:
            self.into_network(rows[0].next_hop, ("vbr", vbr_id), vbr_id, packet)

    def into_network(self, network: str, connection: Connection, place: str, packet: Packet) -> None:
        """A network, which must hold the address."""
        if network not in self.topology.networks:
            self.lost(self.route_item, place)
        if not within(packet.dst, self.topology.networks[network].cidrs):
            self.drop(self.route_item, place)
        self.connection = connection
        self.arrive("network", network, packet)

    def vpn_state(self, gateway_id: str) -> None:
        """Only an active VPN gateway carries traffic."""
        gateway = self.topology.vpn_gateways[gateway_id]
        self.need(is_value(gateway.status, VpnGatewayStatus.ACTIVE), VPN, gateway_id)
        self.need(gateway.business_status is BusinessStatus.NORMAL, VPN, gateway_id)

    def vpn_out(self, gateway_id: str, packet: Packet) -> None:
        """A VPN gateway, towards the network behind one of its connections."""
        self.router = gateway_id
        self.at(gateway_id, packet)
        self.vpn_state(gateway_id)
        connection_id = self.vpn_connection(gateway_id, packet.dst)
        connection = self.topology.vpn_gateways[gateway_id].connections[connection_id]
        self.vpn_encrypts(gateway_id, connection, packet.src, packet.dst)
        self.into_network(connection.network, ("vpn", gateway_id, connection_id), gateway_id, packet)

    def vpn_encrypts(self, gateway_id: str, connection: VpnConnection, local: str, remote: str) -> None:
        """Established, and for both addresses."""
        self.need(is_value(connection.status, VpnConnectionStatus.ESTABLISHED), VPN, gateway_id)
        self.need(within(local, connection.local_cidrs), VPN, gateway_id)
        self.need(within(remote, connection.remote_cidrs), VPN, gateway_id)

    def vpn_connection(self, gateway_id: str, address: str) -> str:
        """The connection that a VPN gateway's own routes choose."""
        gateway = self.topology.vpn_gateways[gateway_id]
        if isinstance(gateway.routes, Unknown):
            self.lost(self.route_item, gateway_id)
        sure, possible = [], []
        for row in gateway.routes:
            up = True if row.origin is VpnRouteOrigin.STATIC else gateway.connections[row.connection].bgp_up
            if up is True:
                sure.append(row)
            if up is True or isinstance(up, Unknown):
                possible.append(row)
        found = self.best_vpn_row(gateway_id, sure, address)
        if found != self.best_vpn_row(gateway_id, possible, address):
            self.lost(self.route_item, gateway_id)
        return found.connection if found is not None else self.drop(self.route_item, gateway_id)

    def best_vpn_row(self, gateway_id: str, rows: list[VpnRoute], address: str) -> VpnRoute | None:
        """The longest prefix, the active row first; one that stands by where the active's connection is down."""
        found = sorted(longest(rows, [row.destination for row in rows], address), key=lambda row: -row.weight)
        connections = self.topology.vpn_gateways[gateway_id].connections
        for row in found:
            if is_value(connections[row.connection].status, VpnConnectionStatus.ESTABLISHED) is not False:
                return row
        return found[0] if found else None

    def vpn_in(self, gateway_id: str, connection_id: str, packet: Packet) -> None:
        """A VPN gateway, from the network behind a connection."""
        self.router = gateway_id
        self.at(gateway_id, packet)
        self.vpn_state(gateway_id)
        gateway = self.topology.vpn_gateways[gateway_id]
        self.vpn_encrypts(gateway_id, gateway.connections[connection_id], packet.dst, packet.src)
        elsewhere = not within(packet.dst, blocks_of_vpc(self.topology, gateway.vpc))
        if elsewhere and self.attachments_to(gateway_id):
            self.transit(*self.choose(self.attachments_to(gateway_id)), packet)
        else:
            self.look_up_in_system(gateway.vpc, packet)

    # ---------------------------------------------------------------------------------------------- transit routers

    def router_of(self, attachment_id: str) -> str | None:
        """The transit router that has an attachment."""
        for name, router in self.topology.transit_routers.items():
            if attachment_id in router.attachments:
                return name
        return None

    def attachments_to(self, object_id: str) -> list[tuple[str, str]]:
        """The transit routers, and the attachments of theirs, that an object is attached by."""
        found = []
        for name, router in self.topology.transit_routers.items():
            found += [(name, id_) for id_, attachment in router.attachments.items() if attachment.to == object_id]
        return found

    def attachment_state(self, router_id: str, attachment: Attachment) -> None:
        """Only an attachment that is Attached carries traffic."""
        self.need(is_value(attachment.status, AttachmentStatus.ATTACHED), TRANSIT, router_id)
        self.need(attachment.business_status is BusinessStatus.NORMAL, TRANSIT, router_id)

    def transit(self, router_id: str, attachment_id: str, packet: Packet) -> None:
        """A transit router, into which a packet comes by an attachment."""
        self.router = router_id
        self.once(attachment_id, router_id, packet)
        self.at(router_id, packet)
        router = self.topology.transit_routers[router_id]
        came_by = router.attachments[attachment_id]
        self.attachment_state(router_id, came_by)
        if came_by.route_table is None:
            self.drop(TRANSIT, router_id)
        if isinstance(came_by.route_table, Unknown) or came_by.route_table not in router.route_tables:
            self.lost(TRANSIT, router_id)
        row = self.transit_row(router_id, came_by.route_table, packet.dst)
        if row is None:
            self.drop(self.route_item, router_id)
        if row.blackhole or row.attachment is None:
            self.drop(TRANSIT, router_id)
        self.out_of_transit(router_id, row.attachment, packet)

    def transit_row(self, router_id: str, table_id: str, address: str) -> TransitRoute | None:
        """The row of a transit router's table that decides: the longest, static before learned."""
        router = self.topology.transit_routers[router_id]
        listed = router.route_tables[table_id].routes
        if isinstance(listed, Unknown):
            self.lost(self.route_item, router_id)
        rows = [row for row in listed if row.status is TransitRouteStatus.ACTIVE]
        for name, attachment in router.attachments.items():
            if table_id in attachment.propagates_to:
                for prefix in self.propagated(router_id, attachment):
                    rows.append(TransitRoute(destination=prefix, attachment=name, learned=True))
        found = longest(rows, [row.destination for row in rows], address)
        return min(found, key=lambda row: row.learned) if found else None

    def propagated(self, router_id: str, attachment: Attachment) -> list[str]:
        """The prefixes that an attachment tells."""
        topology, to = self.topology, attachment.to
        if to in topology.vpcs:
            return [str(network) for _, network in oracle.vswitch_networks(topology, to)]
        if to in topology.networks:
            return list(topology.networks[to].cidrs)
        if to in topology.vbrs:
            routes = topology.vbrs[to].routes
            if isinstance(routes, Unknown):
                self.lost(self.route_item, router_id)
            return [row.destination for row in routes if row.next_hop in topology.networks]
        if to in topology.vpn_gateways:
            vpn_routes = topology.vpn_gateways[to].routes
            if isinstance(vpn_routes, Unknown):
                self.lost(self.route_item, router_id)
            return [row.destination for row in vpn_routes]
        return []

    def out_of_transit(self, router_id: str, attachment_id: str, packet: Packet) -> None:
        """Out of a transit router by an attachment."""
        topology = self.topology
        attachment = topology.transit_routers[router_id].attachments[attachment_id]
        self.attachment_state(router_id, attachment)
        other = self.router_of(attachment.to)
        if attachment.to in topology.vpcs:
            if attachment.vswitches:
                self.look_up_at(self.choose(attachment.vswitches), packet)
            else:
                self.look_up_in_system(attachment.to, packet)
        elif attachment.to in topology.vbrs:
            self.vbr(attachment.to, packet)
        elif attachment.to in topology.vpn_gateways:
            self.vpn_out(attachment.to, packet)
        elif attachment.to in topology.networks:
            self.into_network(attachment.to, ("attachment", router_id, attachment_id), router_id, packet)
        elif other is not None:
            self.transit(other, attachment.to, packet)
        else:
            self.lost(TRANSIT, router_id)

    # ----------------------------------------------------------------------------------------------- from a network

    def connections_of(self, network: str) -> list[Connection]:
        """What leads to a network."""
        topology = self.topology
        found: list[Connection] = []
        for name, vbr in topology.vbrs.items():
            if any(row.next_hop == network for row in (vbr.routes if isinstance(vbr.routes, list) else [])):
                found.append(("vbr", name))
        for name, gateway in topology.vpn_gateways.items():
            for id_, connection in gateway.connections.items():
                if connection.network == network:
                    found.append(("vpn", name, id_))
        found += [("attachment", *pair) for pair in self.attachments_to(network)]
        for name, peering in topology.peerings.items():
            if peering.peer_vpc == network and network not in topology.vpcs:
                found.append(("peering", name))
        return found

    def from_network(self, packet: Packet) -> None:
        """A question from a network, by one of the connections that lead to it."""
        found = [one for name in self.source.networks for one in self.connections_of(name)]
        self.at(self.source.id, packet)
        if not found:
            self.drop(self.route_item, self.source.id)
        self.enter_by(self.choose(found), packet)

    def enter_by(self, connection: Connection, packet: Packet) -> None:
        """A packet of a network comes by a connection."""
        kind, name = connection[0], connection[1]
        if kind == "vbr":
            self.vbr(name, packet, from_network=True)
        elif kind == "vpn":
            self.vpn_in(name, connection[2], packet)
        elif kind == "attachment":
            self.transit(name, connection[2], packet)
        else:
            self.peering(name, self.topology.peerings[name].peer_vpc, packet)

    # ------------------------------------------------------------------------------------------------ load balancers

    def balancer(self, balancer_id: str, packet: Packet) -> None:
        """A load balancer: its state, its groups, its listener, and one of the back ends."""
        balancer = self.topology.load_balancers[balancer_id]
        self.at(balancer_id, packet)
        if self.is_reply or not self.is_target("balancer", balancer_id):
            self.drop(self.route_item, self.router)
        self.need(is_value(balancer.status, LoadBalancerStatus.ACTIVE), BALANCER, balancer_id)
        self.need(balancer.business_status is BusinessStatus.NORMAL, BALANCER, balancer_id)
        if balancer.type is LoadBalancerType.NLB and balancer.security_groups:
            self.note("eni.security_group.ingress", balancer_id, self.balancer_groups(balancer, packet))
        listener = self.listener(balancer, packet)
        if listener is None:
            self.drop(BALANCER, balancer_id)
        access = listener.access_list
        if access is not None:
            self.need(within(packet.src, access.entries) == access.allow, BALANCER, balancer_id)
        servers = []
        for server in balancer.server_groups[listener.server_group].servers:
            if server.weight > 0 and server.health is not ServerHealth.UNHEALTHY:
                servers.append(server)
        if not servers:
            self.drop(BALANCER, balancer_id)
        self.to_back_end(balancer_id, balancer, self.choose(servers), packet)

    def balancer_groups(self, balancer: LoadBalancer, packet: Packet) -> Decision:
        """What the groups of a load balancer do with a packet that comes in."""
        names = balancer.security_groups
        if not any(name in self.topology.security_groups for name in names):
            return UNKNOWN, None
        return oracle.first_match(oracle.group_rows(self.topology, names, INGRESS, packet, self.chosen))

    def listener(self, balancer: LoadBalancer, packet: Packet) -> BalancerListener | None:
        """The running listener for a packet."""
        for listener in balancer.listeners:
            if (
                listener.status is ListenerStatus.RUNNING
                and oracle.PROTOCOLS[listener.protocol.value] == packet.protocol
                and listener.ports.first <= packet.port <= listener.ports.last
            ):
                return listener
        return None

    def to_back_end(self, balancer_id: str, balancer: LoadBalancer, server: BackEnd, packet: Packet) -> None:
        """What a back end gets."""
        if isinstance(server.health, Unknown):
            self.note(BALANCER, balancer_id, (UNKNOWN, None))
        eni_id = eni_of_host(self.topology, server.server)
        if eni_id is None:
            self.lost(BALANCER, balancer_id)
        nlb = balancer.type is LoadBalancerType.NLB
        eni = oracle.eni_of(self.topology, eni_id)
        after = replace(packet, dst=eni.ip, port=server.port or packet.port)
        if nlb and not balancer.preserve_client_ip:
            if balancer.ip is None:
                self.lost(BALANCER, balancer_id)
            after = self.with_source(after, balancer.ip)
        self.sessions.append((balancer_id, "balancer", packet, after))
        self.need(not self.is_binded(eni_id), PUBLIC_IP, eni_id)
        self.arrive("backend", eni_id, after)
        self.acl(eni_id, INGRESS, after, always=True)
        if nlb and balancer.preserve_client_ip and self.chosen["nlb_client_ip_meets_groups"] == "true":
            self.group(eni_id, INGRESS, after)
        self.status(eni_id)

    def back_end_replies(self, eni_id: str, packet: Packet) -> None:
        """The reply of a back end goes to the load balancer without a look-up, and from there as its table says."""
        self.at(eni_id, packet)
        self.acl(eni_id, EGRESS, packet, always=True)
        balancer_id = next(name for name, kind, _, _ in reversed(self.sessions) if kind == "balancer")
        restored = self.restore(balancer_id, packet)
        assert restored is not None
        assert self.asked is not None
        packet = restored[1]
        self.at(balancer_id, packet)
        balancer = self.topology.load_balancers[balancer_id]
        self.router = self.vswitch = oracle.eni_of(self.topology, eni_id).vswitch
        leaves = public_by_ip(self.topology, packet.src)
        if leaves is not None:
            self.edge_out(leaves, packet)
        elif balancer.vswitch in self.topology.vswitches:
            self.look_up_at(balancer.vswitch, packet)
        else:
            self.look_up_in_system(balancer.vpc, packet)


# ---------------------------------------------------------------------------------------------------------- all paths


def walk_once(walk: Walk, one_way: bool) -> PathOutcome:
    """One path, there and back."""
    try:
        walk.question()
        if not one_way:
            walk.answer()
    except Ended:
        pass
    passes = DROP if walk.blockers else UNKNOWN if walk.unknowns else ACCEPT
    return PathOutcome(
        passes, frozenset(walk.blockers), frozenset(walk.unknowns), tuple(walk.forward), tuple(walk.back)
    )


def next_script(script: list[int], sizes: list[int]) -> list[int] | None:
    """The script of the next path; None after the last one."""
    for n in reversed(range(len(sizes))):
        if script[n] + 1 < sizes[n]:
            return [*script[:n], script[n] + 1]
    return None


def verdict_of(paths: Sequence[PathOutcome]) -> str:
    """All pass, none does, some do for certain and some for certain do not, or it is not known."""
    words = {path.passes for path in paths}
    if words == {ACCEPT}:
        return "reachable"
    if words == {DROP}:
        return "unreachable"
    return "partial" if {ACCEPT, DROP} <= words else "undetermined"


def simulate(
    topology: Topology,
    src: str,
    dst: str,
    protocol: int,
    source_port: int,
    port: int,
    one_way: bool = False,
    assumptions: Mapping[str, str] | None = None,
    at: datetime | None = None,
    nat_port: int = CHOSEN_PORT,
) -> Outcome:
    """Send one packet through a topology, and its reply back, by every choice there is.

    Raises
    ------
    ValueError
        For a question that makes no sense, or whose precondition does not hold.
    """
    family = 6 if any(oracle.version_of(written) == 6 for written in (src, dst)) else 4
    source, target = find_source(topology, src, family), find_end(topology, dst, family)
    if source.kind == INTERNET and target.kind in (INTERNET, "network", "nobody", SERVICE, "nat"):
        raise ValueError("an Internet host asks for nothing but what is of the topology")
    if target.address and oracle.version_of(source.address) != oracle.version_of(target.address):
        raise ValueError("the ends are of different families")
    if source.kind == "network" and target.kind == SERVICE:
        raise ValueError("a cloud service is a destination of ENIs only")
    if source.eni is not None and target.eni is not None:
        hosts = {owner_instance(topology, source.eni) or source.eni, owner_instance(topology, target.eni) or target.eni}
        if len(hosts) == 1:
            raise ValueError("both ends are of one instance")
    if protocol == oracle.ICMP and family == 6:
        protocol = oracle.ICMPV6
    if protocol not in (oracle.TCP, oracle.UDP):
        source_port = port = 0
    chosen, moment = oracle.settle(topology, assumptions), at or topology.collected_at or datetime.now(UTC)
    asked = Packet(source.address, target.address, protocol, source_port, port)
    paths: list[PathOutcome] = []
    script: list[int] | None = []
    while script is not None:
        walk = Walk(topology, chosen, moment, source, target, nat_port, script, asked=asked)
        paths.append(walk_once(walk, one_way))
        if len(paths) > MOST_PATHS:
            raise ValueError("more paths than anybody wants to look at")
        script = next_script(walk.script, walk.sizes)
    return Outcome(verdict_of(paths), tuple(paths))
