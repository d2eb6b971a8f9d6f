"""The gateways, links and load balancers of a network as nodes and edges of its graph: who leads where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from netinsight.addresses import parse_address
from netinsight.model.base import Unknown, parse_rule_ports
from netinsight.model.gateways import EntryStatus
from netinsight.network.build import Network
from netinsight.network.entries import external_address

if TYPE_CHECKING:
    import networkx


class GateKind(NamedTuple):
    """What stands at the edge of a VPC, or between VPCs: its section, its node's kind, and its type in a report."""

    section: str
    kind: str
    type: str


GATES = (
    GateKind("nat_gateways", "nat_gateway", "nat"),
    GateKind("ipv4_gateways", "ipv4_gateway", "ipv4"),
    GateKind("ipv6_gateways", "ipv6_gateway", "ipv6"),
    GateKind("havips", "havip", "havip"),
    GateKind("load_balancers", "load_balancer", "load_balancer"),
    GateKind("vpn_gateways", "vpn_gateway", "vpn"),
    GateKind("router_interfaces", "router_interface", "router_interface"),
    GateKind("peerings", "peering", "peering"),
    GateKind("vbrs", "vbr", "vbr"),
    GateKind("transit_routers", "transit_router", "transit_router"),
    GateKind("networks", "network", "network"),
)


def router(vpc: str) -> str:
    """The node of a VPC's router."""
    return f"router:{vpc}"


def status_of(status: Unknown | str) -> str:
    """A state as a word."""
    return "unknown" if isinstance(status, Unknown) else str(status)


def both(graph: networkx.MultiDiGraph, one: str, other: str, kind: str, **attributes: Any) -> None:
    """An edge each way."""
    graph.add_edge(one, other, kind=kind, **attributes)
    graph.add_edge(other, one, kind=kind, **attributes)


def add_links(network: Network, graph: networkx.MultiDiGraph) -> None:
    """Every node first, so that an edge finds what it leads to."""
    for section, kind, _ in GATES:
        for name, one in getattr(network.topology, section).items():
            graph.add_node(name, kind=kind, **_told(one), path=(section, name))
    for name, transit in network.topology.transit_routers.items():
        for id_, attachment in transit.attachments.items():
            path = ("transit_routers", name, "attachments", id_)
            graph.add_node(id_, kind="attachment", **_told(attachment), path=path)
    _vpc_gates(network, graph)
    _havips(network, graph)
    _balancers(network, graph)
    _vpns(network, graph)
    _peerings(network, graph)
    _router_interfaces(network, graph)
    _transit_routers(network, graph)


def _told(one: Any) -> dict[str, Any]:
    """The attributes of a node: its state, its VPC, its blocks, where it has them."""
    status = getattr(one, "status", None)
    locked = str(getattr(one, "business_status", "Normal"))
    return {
        **({"status": status_of(status)} if status is not None else {}),
        **({"business_status": locked} if locked != "Normal" else {}),
        **({"vpc": one.vpc} if isinstance(getattr(one, "vpc", None), str) else {}),
        **({"cidrs": tuple(one.cidrs)} if hasattr(one, "cidrs") else {}),
    }


def _vpc_gates(network: Network, graph: networkx.MultiDiGraph) -> None:
    """What a VPC has of its own: at its router, in a vSwitch if it stands in one; what a NAT gateway leads in to."""
    topology = network.topology
    for section in ("nat_gateways", "ipv4_gateways", "ipv6_gateways", "load_balancers", "vpn_gateways"):
        for name, one in getattr(topology, section).items():
            if router(one.vpc) in graph:
                both(graph, name, router(one.vpc), "of")
            vswitch, table = getattr(one, "vswitch", None), getattr(one, "route_table", None)
            if vswitch in topology.vswitches:
                both(graph, name, vswitch, "in")
            if table in topology.route_tables:
                graph.add_edge(name, table, kind="reads")
    for name, gateway in topology.nat_gateways.items():
        for i, entry in enumerate(gateway.dnat if isinstance(gateway.dnat, list) else ()):
            owner = network.owner_in(gateway.vpc, parse_address(entry.internal_ip))
            if owner and entry.status is EntryStatus.AVAILABLE:
                inner = entry.internal_port and parse_rule_ports(entry.internal_port)
                ports = {"port": str(entry.external_ports), "internal_port": str(inner)} if inner else {}
                graph.add_edge(name, owner[1], kind="dnat", address=external_address(topology, entry) or entry.eip,
                               **ports, path=("nat_gateways", name, "dnat", i))  # fmt: skip


def _havips(network: Network, graph: networkx.MultiDiGraph) -> None:
    for name, havip in network.topology.havips.items():
        graph.nodes[name]["ip"] = havip.ip
        if havip.vswitch in graph:
            both(graph, name, havip.vswitch, "in")
        master = network.master_of(name)
        if master:
            graph.add_edge(name, master.id, kind="master")
        for member in havip.members:
            if member in graph:
                graph.add_edge(name, member, kind="member")


def _balancers(network: Network, graph: networkx.MultiDiGraph) -> None:
    """A load balancer leads to the ENI of each back end of each of its listeners."""
    for name, balancer in network.topology.load_balancers.items():
        graph.nodes[name].update(type=str(balancer.type), ip=balancer.ip or "")
        for listener in balancer.listeners:
            group = balancer.server_groups.get(listener.server_group)
            for i, server in enumerate(group.servers if group else ()):
                interface = network.interface_of(server.server)
                if interface is None:
                    continue
                graph.add_edge(
                    name,
                    interface.id,
                    kind="forwards",
                    protocol=str(listener.protocol),
                    port=str(listener.ports),
                    server_port=str(server.port or listener.ports),
                    weight=server.weight,
                    health=status_of(server.health) if server.health is not None else "",
                    path=("load_balancers", name, "server_groups", listener.server_group, "servers", i),
                )


def _vpns(network: Network, graph: networkx.MultiDiGraph) -> None:
    for name, gateway in network.topology.vpn_gateways.items():
        for id_, connection in gateway.connections.items():
            if connection.network in graph:
                both(
                    graph,
                    name,
                    connection.network,
                    "vpn_connection",
                    connection=id_,
                    status=status_of(connection.status),
                )
        rows = gateway.routes if isinstance(gateway.routes, list) else []
        for i, row in enumerate(rows):
            behind = gateway.connections.get(row.connection)
            if behind and behind.network in graph:
                graph.add_edge(name, behind.network, kind="route", destination=row.destination, connection=row.connection,
                               weight=row.weight, path=("vpn_gateways", name, "routes", i))  # fmt: skip


def _peerings(network: Network, graph: networkx.MultiDiGraph) -> None:
    """A peering joins two routers; the VPC of another account is a node of its own."""
    for name, peering in network.topology.peerings.items():
        for vpc in (peering.vpc, peering.peer_vpc):
            if router(vpc) not in graph:
                graph.add_node(router(vpc), kind="outside_vpc", vpc=vpc, cidrs=tuple(peering.peer_cidrs))
            both(graph, name, router(vpc), "peering")


def _router_interfaces(network: Network, graph: networkx.MultiDiGraph) -> None:
    topology = network.topology
    for name, interface in topology.router_interfaces.items():
        home = interface.router if interface.router in topology.vbrs else router(interface.router)
        if home in graph:
            both(graph, name, home, "of")
        far = interface.opposite if isinstance(interface.opposite, str) else ""
        if far in topology.router_interfaces and not _joined(graph, name, far, "opposite"):
            both(graph, name, far, "opposite")
    for name, vbr in topology.vbrs.items():
        _rows(graph, name, vbr.routes, "next_hop", ("vbrs", name, "routes"))


def _transit_routers(network: Network, graph: networkx.MultiDiGraph) -> None:
    """Attachments at their router and at what they attach; each row of each table to its attachment."""
    for name, transit in network.topology.transit_routers.items():
        for id_, one in transit.attachments.items():
            table = one.route_table if isinstance(one.route_table, str) else ""
            graph.nodes[id_].update(route_table=table, propagates_to=tuple(one.propagates_to))
            both(graph, id_, name, "of")
            home = router(one.to) if one.to in network.topology.vpcs else one.to
            if home in graph and not _joined(graph, id_, home, "attachment"):
                both(graph, id_, home, "attachment")
        for table, described in transit.route_tables.items():
            path = ("transit_routers", name, "route_tables", table, "routes")
            _rows(graph, name, described.routes, "attachment", path, table=table)


def _joined(graph: networkx.MultiDiGraph, one: str, other: str, kind: str) -> bool:
    """Whether there is an edge already, told from the other side."""
    return any(edge["kind"] == kind for edge in (graph.get_edge_data(one, other) or {}).values())


def _rows(
    graph: networkx.MultiDiGraph, name: str, rows: Iterable[Any] | Unknown, key: str, path: tuple[str, ...], **more: str
) -> None:
    """The rows of a table that lead somewhere now."""
    for i, row in enumerate(() if isinstance(rows, Unknown) else rows):
        hop = getattr(row, key)
        if hop in graph and str(getattr(row, "status", "Active")) == "Active":
            graph.add_edge(name, hop, kind="route", destination=row.destination, **more, path=(*path, i))
