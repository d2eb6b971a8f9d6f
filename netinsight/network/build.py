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
from typing import NamedTuple

from netinsight.addresses import Range, parse_address, parse_prefix
from netinsight.engine.tables import AddressSets
from netinsight.model.assumptions import defaults
from netinsight.model.base import Path, Unknown
from netinsight.model.edge import Eip, EipMode
from netinsight.model.routing import RouteTableType
from netinsight.model.security_group import Direction
from netinsight.model.topology import Interface, Topology
from netinsight.network.filters import Filter, Peers, pack_acl, pack_groups, pack_routes, pack_unknown_groups


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
        self._filters: dict[tuple[str, ...], Filter] = {}

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
        interface = self.enis.get(bound_to) or self.topology.primary_interface(bound_to)
        if interface is None:
            return Public(address, name, path, bound_to, unknown=self.topology.unknown.get(bound_to, ""))
        private = parse_address(eip.private_ip or interface.eni.ip)
        return Public(address, name, path, bound_to, interface, private, mode=eip.mode)

    @cached_property
    def _public_by_private(self) -> dict[tuple[str, int], Public]:
        return {(public.interface.id, public.private): public
                for public in reversed(self.publics) if public.interface and public.private is not None}  # fmt: skip

    @cached_property
    def public_by_address(self) -> dict[int, Public]:
        """Public address of the line → what the topology says of it."""
        return {public.address: public for public in self.publics}

    def public_of(self, interface: Interface, private: int) -> Public | None:
        """The public address that stands for a private one of an ENI; one of unknown binding where there may be one."""
        found = self._public_by_private.get((interface.id, private))
        return found or next((public for public in self.publics if public.unknown and not public.bound_to), None)

    def vpc_of(self, interface: Interface) -> str:
        """The VPC that an ENI stands in; empty where its vSwitch is not known."""
        vswitch = self.topology.vswitches.get(interface.eni.vswitch)
        return vswitch.vpc if vswitch else ""

    def prefix_length(self, interface: Interface) -> int | None:
        """The mask of an ENI's vSwitch, as a prefix length."""
        vswitch = self.topology.vswitches.get(interface.eni.vswitch)
        return parse_prefix(vswitch.cidr).length if vswitch else None

    def table_of(self, vswitch_id: str) -> str | None:
        """The route table of a vSwitch: its own, else the VPC's system table if the file has one."""
        vswitch = self.topology.vswitches[vswitch_id]
        if isinstance(vswitch.route_table, str):
            return vswitch.route_table
        tables = self.topology.route_tables.items()
        return next((name for name, t in tables if t.vpc == vswitch.vpc and t.type is RouteTableType.SYSTEM), None)

    def group_filter(self, interface: Interface, direction: Direction, intra_group_egress: str | None = None) -> Filter:
        """The rows of an ENI's groups; ``intra_group_egress`` other than the network's own shows what hangs on it."""
        groups = interface.eni.security_groups
        chosen = intra_group_egress or self.assumptions["intra_group_egress"]
        intra_first = direction is Direction.INGRESS or chosen == "accept_wins"
        if isinstance(groups, Unknown):
            return self._kept(
                ("unknown groups", interface.id, direction),
                lambda: pack_unknown_groups(self.topology, self.sets, interface, groups.unknown, direction),
            )
        return self.groups_filter(tuple(groups), direction, intra_first)

    def groups_filter(self, groups: tuple[str, ...], direction: Direction, intra_first: bool = True) -> Filter:
        """The rows of some groups together; ``intra_first``: members reach each other before any rule."""
        key = ("groups", str(direction), str(intra_first), *groups)
        return self._kept(
            key, lambda: pack_groups(self.topology, self.sets, self._peers, groups, direction, intra_first)
        )

    def acl_filter(self, acl_id: str, direction: Direction) -> Filter:
        """The rows of one list of an ACL."""
        return self._kept(
            ("acl", str(direction), acl_id), lambda: pack_acl(self.topology, self.sets, self._peers, acl_id, direction)
        )

    def route_filter(self, vswitch_id: str) -> Filter:
        """The rows of the route table that a vSwitch reads."""
        return self.table_filter(self.topology.vswitches[vswitch_id].vpc, self.table_of(vswitch_id))

    def table_filter(self, vpc: str, table: str | None) -> Filter:
        """The rows of a route table of a VPC; of the system table alone where there is none."""
        return self._kept(
            ("routes", vpc, table or ""), lambda: pack_routes(self.topology, self.sets, self._peers, vpc, table)
        )

    def _kept(self, key: tuple[str, ...], pack: Callable[[], Filter]) -> Filter:
        if key not in self._filters:
            self._filters[key] = pack()
        return self._filters[key]
