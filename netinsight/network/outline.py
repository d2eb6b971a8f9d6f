"""What a network looks like: VPCs, their vSwitches, the ENIs in them, roads out; read off the networkx graph for drawings.

::

    Outline ── VpcPart ── VSwitchPart ── EniPart
       │          ├ GatePart (a gateway, a load balancer, a HaVip, a side of a link)
       │          └ Road (a route out of the VPC)
       └ GatePart (a link between VPCs or to a network, with its parts)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netinsight.model.topology import Interface
from netinsight.network.build import Network
from netinsight.network.graph import PUBLIC_EDGE
from netinsight.network.outline_gates import GATE_SECTIONS, GatePart, around, gates_of, links

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True, slots=True)
class EniPart:
    """An ENI, with the instance that it is attached to (or nothing) and the public addresses that stand for it.

    ``state`` tells what keeps it from carrying traffic; empty where nothing does.
    """

    id: str
    ip: str
    state: str
    instance: str
    name: str
    public: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VSwitchPart:
    """A vSwitch and the ENIs in it; empty ``acl`` and ``table`` where it has none of its own."""

    id: str
    cidr: str
    zone: str
    acl: str
    table: str
    enis: tuple[EniPart, ...]


@dataclass(frozen=True, slots=True)
class Road:
    """A route that leads out of a VPC's own routing."""

    table: str
    destination: str
    next_hop: str


@dataclass(frozen=True, slots=True)
class VpcPart:
    """A VPC; empty ``cidrs`` where the file does not describe it."""

    id: str
    name: str
    cidrs: tuple[str, ...]
    vswitches: tuple[VSwitchPart, ...]
    gates: tuple[GatePart, ...]
    roads: tuple[Road, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """All of it, or what belongs to some ENIs; ``elsewhere`` are ENIs whose vSwitch the file does not describe."""

    vpcs: tuple[VpcPart, ...]
    elsewhere: tuple[EniPart, ...]
    links: tuple[GatePart, ...] = ()

    def gates(self) -> Iterator[GatePart]:
        """Every gateway and link of it, and their parts."""
        for gate in (*(gate for vpc in self.vpcs for gate in vpc.gates), *self.links):
            yield gate
            yield from gate.parts

    def enis(self) -> Iterator[EniPart]:
        """Every ENI of it."""
        for vpc in self.vpcs:
            for vswitch in vpc.vswitches:
                yield from vswitch.enis
        yield from self.elsewhere


def outline(network: Network, graph: networkx.MultiDiGraph, only: set[str] | None = None) -> Outline:
    """The outline of a network; of ``only`` some ENIs, vSwitches and VPCs where that is given."""
    enis: dict[str, list[EniPart]] = {}
    for name, data in graph.nodes(data=True):
        if data.get("kind") == "eni" and (only is None or name in only):
            home = _neighbour(graph, name, "in") or ""
            enis.setdefault(home, []).append(_eni(network, graph, name, data))
    vswitches: dict[str, list[VSwitchPart]] = {}
    for name, data in graph.nodes(data=True):
        if data.get("kind") == "vswitch" and (only is None or name in only or name in enis):
            vswitches.setdefault(data["vpc"], []).append(_vswitch(network, graph, name, tuple(enis.get(name, ()))))
    gates = gates_of(network, graph, only)
    wanted = [data["vpc"] for _, data in graph.nodes(data=True) if data.get("kind") == "vpc_router"]
    vpcs = [_vpc(network, graph, name, tuple(vswitches.get(name, ())), tuple(gates.get(name, ()))) for name in wanted
            if only is None or name in only or name in vswitches or name in gates]  # fmt: skip
    return Outline(tuple(vpcs), tuple(enis.get("", ())), (*gates.get("", ()), *links(network, graph, only)))


def _neighbour(graph: networkx.MultiDiGraph, node: str, kind: str) -> str | None:
    return next((other for _, other, found in graph.out_edges(node, data="kind") if found == kind), None)


def _eni(network: Network, graph: networkx.MultiDiGraph, name: str, data: dict[str, Any]) -> EniPart:
    instance = next((other for _, other, kind in graph.out_edges(name, data="kind") if kind == "attached"), "")
    public = tuple(edge["address"] for _, other, edge in graph.out_edges(name, data=True)
                   if other == PUBLIC_EDGE and edge["kind"] == "public")  # fmt: skip
    described = network.topology.instances.get(instance)
    called = (described.name if described else None) or network.enis[name].eni.name or ""
    states = [data["status"]] if data["status"] != "InUse" else []
    status = graph.nodes[instance]["status"] if instance else "Running"
    states += [f"instance {status}"] if status != "Running" else []
    return EniPart(name, data["ip"], ", ".join(states), instance, called, public)


def _vswitch(network: Network, graph: networkx.MultiDiGraph, name: str, enis: tuple[EniPart, ...]) -> VSwitchPart:
    vswitch = network.topology.vswitches[name]
    acl = vswitch.network_acl if isinstance(vswitch.network_acl, str) else ""
    return VSwitchPart(name, vswitch.cidr, vswitch.zone or "", acl, _neighbour(graph, name, "reads") or "", enis)


def _vpc(
    network: Network,
    graph: networkx.MultiDiGraph,
    name: str,
    vswitches: tuple[VSwitchPart, ...],
    gates: tuple[GatePart, ...],
) -> VpcPart:
    vpc = network.topology.vpcs[name]
    read = (*(vswitch.table for vswitch in vswitches), *(_neighbour(graph, gate.id, "reads") for gate in gates))
    tables = dict.fromkeys(table for table in read if table)
    roads = [Road(table, edge["destination"], hop) for table in tables
             for _, hop, edge in graph.out_edges(table, data=True) if edge["kind"] == "route"]  # fmt: skip
    cidrs = (*vpc.cidrs, *filter(None, [vpc.ipv6_cidr]))
    return VpcPart(name, vpc.name or "", cidrs, vswitches, gates, tuple(roads))


def belonging(network: Network, graph: networkx.MultiDiGraph, section: str, name: str) -> set[str]:
    """The ENIs, the vSwitches or VPCs and the gateways that an object of a section of the topology is about."""
    topology = network.topology
    enis = list(network.enis.values())
    if section == "instances":
        return {one.id for one in enis if one.instance_id == name}
    if section == "vpcs":
        held = {vswitch for vswitch, one in topology.vswitches.items() if one.vpc == name}
        gates = {gate.id for gate in gates_of(network, graph, None).get(name, ())}
        return {name, *held, *gates, *(one.id for one in enis if one.eni.vswitch in held)}
    if section in ("vswitches", "network_acls", "route_tables"):
        held = {vswitch for vswitch in topology.vswitches if name in _names_of(network, vswitch)}
        return held | {one.id for one in enis if one.eni.vswitch in held}
    if section == "security_groups":
        return {one.id for one in enis if name in _groups(one)}
    if section == "eips":
        return {public.interface.id for public in network.publics if public.holder == name and public.interface}
    return {name, *around(graph, name)} if section in GATE_SECTIONS else {name}


def _names_of(network: Network, vswitch: str) -> set[object]:
    return {vswitch, network.topology.vswitches[vswitch].network_acl, network.table_of(vswitch)}


def _groups(interface: Interface) -> list[str]:
    groups = interface.eni.security_groups
    return groups if isinstance(groups, list) else []
