"""Topology -> Network: who has which address, what filters what, built once and reused for every question.

::

    Topology ─┬─ owners      address -> ENIs            ┌─ group_filter   (groups of an ENI, direction)
              ├─ members     group -> addresses ────────┼─ acl_filter     (ACL, direction)
              ├─ publics     private -> public address  └─ route_filter   (VPC, table)
              └─ enis        id -> ENI                      packed when first asked for, then kept
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from netinsight.addresses import Range, family, parse_address, parse_prefix, within
from netinsight.engine.tables import AddressSets
from netinsight.model.assumptions import defaults
from netinsight.model.base import Path, Unknown
from netinsight.model.edge import Eip, EipMode
from netinsight.model.gateways import BusinessStatus
from netinsight.model.routing import RouteTableType
from netinsight.model.security_group import Direction
from netinsight.model.topology import Interface, Topology
from netinsight.network.entries import pack_dnat, pack_links, pack_snat, transit_rows, vbr_rows, vpn_rows
from netinsight.network.filters import Filter, Peers, pack_acl, pack_groups, pack_routes, pack_unknown_groups

Made = TypeVar("Made")


class Public(NamedTuple):
    """A public address of the topology, and the private one that it stands for.

    Attributes
    ----------
    address, private
        Addresses of the line; ``private`` is None where the address stands for no ENI.
    holder
        The EIP's id, or the instance's that has it as its static address.
    bound_to
        The id of what it is bound to; empty where it is bound to nothing.
    unknown
        Why its binding, or its mode, cannot be followed.
    vpc
        Of one that is bound to an address by an IPv4 gateway: the VPC of that address.
    """

    address: int
    holder: str
    path: Path
    bound_to: str = ""
    interface: Interface | None = None
    private: int | None = None
    unknown: str = ""
    mode: EipMode = EipMode.NAT
    has_bandwidth: bool = True
    lock: BusinessStatus = BusinessStatus.NORMAL
    vpc: str = ""


class Network:
    """A topology made ready for questions.

    Parameters
    ----------
    topology
        Valid, every reference checked.
    assumptions
        Values of ``model.assumptions`` that differ from the topology's own and the defaults.
    """

    def __init__(self, topology: Topology, assumptions: dict[str, str] | None = None) -> None:
        self.topology = topology
        self.assumptions = {**defaults(), **topology.assumptions, **(assumptions or {})}
        self.sets = AddressSets()
        self.enis: dict[str, Interface] = {interface.id: interface for interface in topology.interfaces()}
        self._peers = Peers(topology, self.members, self.maybe_members)
        self._made: dict[tuple[str, ...], Any] = {}

    @cached_property
    def owners(self) -> dict[int, list[Interface]]:
        """Address of the line → the ENIs that have it (one a VPC)."""
        owners: dict[int, list[Interface]] = defaultdict(list)
        for interface in self.enis.values():
            for _, written in interface.addresses():
                owners[parse_address(written)].append(interface)
        return dict(owners)

    @cached_property
    def _members(self) -> dict[str, tuple[Range, ...]]:
        members: dict[str, list[Range]] = defaultdict(list)
        for interface in self.enis.values():
            groups = interface.eni.security_groups
            for group in groups if isinstance(groups, list) else []:
                members[group] += [Range(a, a) for a in map(parse_address, (w for _, w in interface.addresses()))]
        return {group: tuple(ranges) for group, ranges in members.items()}

    def members(self, group: str) -> tuple[Range, ...]:
        """The private addresses of every ENI that carries ``group``; what a reference to it matches."""
        return self._members.get(group, ())

    def maybe_members(self, group: str) -> tuple[Range, ...]:
        """The private addresses of ENIs of the group's VPC whose groups are not known: they may carry it."""
        described = self.topology.security_groups.get(group)
        return tuple(
            Range(address, address)
            for interface in self._of_unknown_groups
            if described is None or self.vpc_of(interface) in (described.vpc, "")
            for address in map(parse_address, (written for _, written in interface.addresses()))
        )

    @cached_property
    def _of_unknown_groups(self) -> list[Interface]:
        return [one for one in self.enis.values() if isinstance(one.eni.security_groups, Unknown)]

    @cached_property
    def publics(self) -> tuple[Public, ...]:
        """Every public address that the topology owns: static ones, and EIPs."""
        static = []
        for name, instance in self.topology.instances.items():
            interface = self.topology.primary_interface(name)
            if instance.public_ip and interface:
                static.append(
                    Public(parse_address(instance.public_ip), name, ("instances", name, "public_ip"), name, interface,
                           parse_address(interface.eni.ip), has_bandwidth=instance.public_bandwidth_mbps != 0)
                )  # fmt: skip
        return (*static, *(self._eip(name, eip) for name, eip in self.topology.eips.items()))

    def _eip(self, name: str, eip: Eip) -> Public:
        address, path = parse_address(eip.ip), ("eips", name)
        if isinstance(eip.bound_to, Unknown):
            return Public(address, name, path, unknown=eip.bound_to.unknown)
        bound_to = eip.bound_to or ""
        lock = eip.business_status
        if bound_to in self.topology.havips:
            havip = self.topology.havips[bound_to]
            unknown = havip.master.unknown if isinstance(havip.master, Unknown) else ""
            return Public(address, name, path, bound_to, self.master_of(bound_to), parse_address(havip.ip), unknown,
                          lock=lock)  # fmt: skip
        interface = self.interface_of(bound_to)
        if interface is None:
            private = parse_address(eip.private_ip) if eip.private_ip and eip.vpc else None
            return Public(address, name, path, bound_to, None, private, self.topology.unknown.get(bound_to, ""),
                          lock=lock, vpc=eip.vpc or "")  # fmt: skip
        private = parse_address(eip.private_ip or interface.eni.ip)
        return Public(address, name, path, bound_to, interface, private, mode=eip.mode, lock=lock)

    @cached_property
    def _public_by_private(self) -> dict[tuple[str, int], Public]:
        return {(public.interface.id, public.private): public
                for public in reversed(self.publics) if public.interface and public.private is not None}  # fmt: skip

    @cached_property
    def public_by_address(self) -> dict[int, Public]:
        """Public address of the line → what the topology says of it."""
        return {public.address: public for public in self.publics}

    @cached_property
    def public_of_holder(self) -> dict[str, Public]:
        """EIP, or the instance that has a static one → the public address."""
        return {public.holder: public for public in self.publics}

    @cached_property
    def balancer_of_public(self) -> dict[int, str]:
        """Public address of its own → the load balancer."""
        balancers = self.topology.load_balancers.items()
        return {parse_address(one.public_ip): name for name, one in balancers if one.public_ip}

    def public_of_balancer(self, name: str) -> int | None:
        """The address by which the Internet knows a load balancer: its own, else an EIP that is bound to it."""
        own = self.topology.load_balancers[name].public_ip
        if own:
            return parse_address(own)
        return next((public.address for public in self.publics if public.bound_to == name), None)

    def public_of(self, interface: Interface, private: int) -> Public | None:
        """The public address that stands for a private one of an ENI; one of unknown binding where there may be one."""
        found = self._public_by_private.get((interface.id, private))
        if found or self.public_in(self.vpc_of(interface), private):  # an address has one public one
            return found
        return self._public_of_anybody

    @cached_property
    def _public_of_anybody(self) -> Public | None:
        return next((public for public in self.publics if public.unknown and not public.bound_to), None)

    @cached_property
    def publics_of(self) -> dict[str, list[Public]]:
        """Instance, or ENI → the public addresses that lead there."""
        found: dict[str, list[Public]] = defaultdict(list)
        for public in self.publics:
            if public.interface:
                for name in filter(None, (public.interface.id, public.interface.instance_id)):
                    found[name].append(public)
        return dict(found)

    @cached_property
    def _public_in(self) -> dict[tuple[str, int], Public]:
        found = {}
        for public in reversed(self.publics):
            if public.private is not None and not public.unknown and public.mode is EipMode.NAT:
                vpc = self.vpc_of(public.interface) if public.interface else public.vpc
                found[vpc, public.private] = public
        return found

    def public_in(self, vpc: str, private: int) -> Public | None:
        """The public address that is translated to a private one of a VPC, whatever has that."""
        return self._public_in.get((vpc, private))

    def interface_of(self, name: str) -> Interface | None:
        """The ENI that an id stands for: its own, of an instance the primary one."""
        return self.enis.get(name) or self.topology.primary_interface(name)

    def vpc_of(self, interface: Interface) -> str:
        """The VPC that an ENI stands in; empty where its vSwitch is not known."""
        vswitch = self.topology.vswitches.get(interface.eni.vswitch)
        return vswitch.vpc if vswitch else ""

    @cached_property
    def _blocks_v6(self) -> tuple[str, ...]:
        return tuple(vpc.ipv6_cidr for vpc in self.topology.vpcs.values() if vpc.ipv6_cidr)

    def is_of_a_vpc(self, address: int) -> bool:
        """Whether an IPv6 address is in the block of some VPC: public in form, it may be reached by a private path."""
        return family(address) == 6 and within(self._blocks_v6, address)

    def prefix_length(self, interface: Interface) -> int | None:
        """The mask of an ENI's vSwitch, as a prefix length."""
        vswitch = self.topology.vswitches.get(interface.eni.vswitch)
        return parse_prefix(vswitch.cidr).length if vswitch else None

    def table_of(self, vswitch_id: str) -> str | None:
        """The route table of a vSwitch: its own, else the VPC's system table if the file has one."""
        vswitch = self.topology.vswitches[vswitch_id]
        if isinstance(vswitch.route_table, str):
            return vswitch.route_table
        return self.system_table(vswitch.vpc)

    def system_table(self, vpc: str) -> str | None:
        """The system table of a VPC, if the topology has it."""
        return self._system_tables.get(vpc)

    @cached_property
    def _system_tables(self) -> dict[str, str]:
        tables = self.topology.route_tables.items()
        return {table.vpc: name for name, table in tables if table.type is RouteTableType.SYSTEM}

    def group_filter(self, interface: Interface, direction: Direction, intra_group_egress: str | None = None) -> Filter:
        """The rows of an ENI's groups; ``intra_group_egress`` other than the network's own shows what hangs on it."""
        groups = interface.eni.security_groups
        chosen = intra_group_egress or self.assumptions["intra_group_egress"]
        intra_first = direction is Direction.INGRESS or chosen == "accept_wins"
        if isinstance(groups, Unknown):
            return self.kept(
                ("unknown groups", interface.id, direction),
                lambda: pack_unknown_groups(self.topology, self.sets, interface, groups.unknown, direction),
            )
        return self.groups_filter(tuple(groups), direction, intra_first)

    def groups_filter(self, groups: tuple[str, ...], direction: Direction, intra_first: bool = True) -> Filter:
        """The rows of some groups together; ``intra_first``: members reach each other before any rule."""
        key = ("groups", str(direction), str(intra_first), *groups)
        return self.kept(
            key, lambda: pack_groups(self.topology, self.sets, self._peers, groups, direction, intra_first)
        )

    def acl_filter(self, acl_id: str, direction: Direction) -> Filter:
        """The rows of one list of an ACL."""
        return self.kept(
            ("acl", str(direction), acl_id), lambda: pack_acl(self.topology, self.sets, self._peers, acl_id, direction)
        )

    def route_filter(self, vswitch_id: str) -> Filter:
        """The rows of the route table that a vSwitch reads."""
        return self.table_filter(self.topology.vswitches[vswitch_id].vpc, self.table_of(vswitch_id))

    def table_filter(self, vpc: str, table: str | None) -> Filter:
        """The rows of a route table of a VPC; of the system table alone where there is none."""
        return self.kept(
            ("routes", vpc, table or ""), lambda: pack_routes(self.topology, self.sets, self._peers, vpc, table)
        )

    def snat_filter(self, gateway: str) -> Filter:
        """What leaves by a NAT gateway, and as what."""
        described = self.topology.nat_gateways[gateway]
        return self.kept(("snat", gateway), lambda: pack_snat(self.sets, gateway, described))

    def dnat_filter(self, gateway: str) -> Filter:
        """What comes in by a NAT gateway, and to whom."""
        described = self.topology.nat_gateways[gateway]
        return self.kept(("dnat", gateway), lambda: pack_dnat(self.topology, self.sets, gateway, described))

    def vbr_filter(self, vbr: str) -> Filter:
        """The table of a VBR."""
        routes, path = self.topology.vbrs[vbr].routes, ("vbrs", vbr, "routes")
        lost = (vbr, routes.unknown, path) if isinstance(routes, Unknown) else None
        return self.kept(("vbr", vbr), lambda: pack_links(self.sets, vbr_rows(self.topology, vbr), lost))

    def vpn_filter(self, gateway: str) -> Filter:
        """The table of a VPN gateway."""
        routes, path = self.topology.vpn_gateways[gateway].routes, ("vpn_gateways", gateway, "routes")
        lost = (gateway, routes.unknown, path) if isinstance(routes, Unknown) else None
        return self.kept(("vpn", gateway), lambda: pack_links(self.sets, vpn_rows(self.topology, gateway), lost))

    def transit_filter(self, router: str, table: str) -> Filter:
        """A table of a transit router."""
        routes = self.topology.transit_routers[router].route_tables[table].routes
        path = ("transit_routers", router, "route_tables", table, "routes")
        lost = (table, routes.unknown, path) if isinstance(routes, Unknown) else None
        return self.kept(
            ("transit", router, table), lambda: pack_links(self.sets, transit_rows(self.topology, router, table), lost)
        )

    @cached_property
    def _owners_in(self) -> dict[tuple[str, int], tuple[str, str]]:
        """(VPC, private address) → the section and id of what has it."""
        return self.holders | {
            (self.vpc_of(interface), parse_address(written)): ("network_interfaces", interface.id)
            for interface in self.enis.values()
            for _, written in interface.addresses()
        }

    @cached_property
    def holders(self) -> dict[tuple[str, int], tuple[str, str]]:
        """(VPC, private address) → the section and id of what has it, where that is no ENI."""
        owners: dict[tuple[str, int], tuple[str, str]] = {}
        topology = self.topology
        for name, havip in topology.havips.items():
            vswitch = topology.vswitches.get(havip.vswitch)
            owners[vswitch.vpc if vswitch else "", parse_address(havip.ip)] = ("havips", name)
        for name, balancer in topology.load_balancers.items():
            if balancer.ip:
                owners[balancer.vpc, parse_address(balancer.ip)] = ("load_balancers", name)
        for name, gateway in topology.nat_gateways.items():
            for entries in (gateway.snat, gateway.dnat):
                for entry in entries if isinstance(entries, list) else ():
                    addresses = (entry.nat_ip,) if isinstance(entry.nat_ip, str) else entry.nat_ip or ()
                    owners.update({(gateway.vpc, parse_address(one)): ("nat_gateways", name) for one in addresses})
        return owners

    def owner_in(self, vpc: str, address: int) -> tuple[str, str] | None:
        """The section and id of what has a private address in a VPC."""
        return self._owners_in.get((vpc, address))

    def vswitch_at(self, vpc: str, address: int) -> str:
        """The vSwitch of a VPC that holds a private address; empty where none that is described does."""
        vswitches = self.topology.vswitches.items()
        return next((name for name, one in vswitches if one.vpc == vpc and within((one.cidr,), address)), "")

    def master_of(self, havip: str) -> Interface | None:
        """The ENI that has a HaVip now: of a master instance the one in its vSwitch, else the primary one."""
        described = self.topology.havips[havip]
        if not isinstance(described.master, str):
            return None
        mine = [one for one in self.enis.values() if one.instance_id == described.master]
        inside = next((one for one in mine if one.eni.vswitch == described.vswitch), None)
        return self.enis.get(described.master) or inside or self.topology.primary_interface(described.master)

    @cached_property
    def ipv4_gateway_of(self) -> dict[str, str]:
        """VPC → its IPv4 gateway."""
        return {gateway.vpc: name for name, gateway in self.topology.ipv4_gateways.items()}

    @cached_property
    def ipv6_gateway_of(self) -> dict[str, str]:
        """VPC → its IPv6 gateway."""
        return {gateway.vpc: name for name, gateway in self.topology.ipv6_gateways.items()}

    @cached_property
    def attachments(self) -> dict[str, str]:
        """Attachment → its transit router."""
        return {id_: name for name, router in self.topology.transit_routers.items() for id_ in router.attachments}

    @cached_property
    def attachment_of(self) -> dict[str, str]:
        """What is attached to a transit router → its attachment."""
        routers = self.topology.transit_routers.values()
        return {one.to: id_ for router in routers for id_, one in router.attachments.items()}

    def kept(self, key: tuple[str, ...], make: Callable[[], Made]) -> Made:
        """What is made once, when it is first asked for, and then kept by its key."""
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made
