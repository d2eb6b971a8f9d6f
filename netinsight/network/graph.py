"""A network as a networkx graph, for drawing, loops and all paths.

Nodes are ids (some are made up: ``router:<vpc>``, ``public edge``, ``internet``) with ``kind``, and ``path``, the place
in the topology. Edges have ``kind``. What goes both ways has an edge each way. docs/graph.md tells all of them.

Gateways and links are added by ``graph_links``.
"""

from __future__ import annotations

import networkx

from netinsight.addresses import text
from netinsight.model.routing import RouteStatus
from netinsight.network.build import Network
from netinsight.network.graph_links import add_links, both, router, status_of

PUBLIC_EDGE, INTERNET = "public edge", "internet"


def build_graph(network: Network) -> networkx.MultiDiGraph:
    """The graph of a network."""
    graph = networkx.MultiDiGraph()
    _vpcs(network, graph)
    _interfaces(network, graph)
    add_links(network, graph)
    _routes(network, graph)
    _public_edge(network, graph)
    return graph


def _vpcs(network: Network, graph: networkx.MultiDiGraph) -> None:
    for name in network.topology.vpcs:
        graph.add_node(router(name), kind="vpc_router", vpc=name, path=("vpcs", name))
    for name, vswitch in network.topology.vswitches.items():
        graph.add_node(name, kind="vswitch", vpc=vswitch.vpc, cidr=vswitch.cidr, path=("vswitches", name))
        if router(vswitch.vpc) in graph:
            both(graph, name, router(vswitch.vpc), "routed")


def _interfaces(network: Network, graph: networkx.MultiDiGraph) -> None:
    for name, instance in network.topology.instances.items():
        graph.add_node(name, kind="instance", status=status_of(instance.status), path=("instances", name))
    for interface in network.enis.values():
        eni = interface.eni
        graph.add_node(interface.id, kind="eni", ip=eni.ip, status=status_of(eni.status), path=interface.path)
        if interface.instance_id:
            both(graph, interface.instance_id, interface.id, "attached")
        if eni.vswitch in graph:
            both(graph, interface.id, eni.vswitch, "in")


def _routes(network: Network, graph: networkx.MultiDiGraph) -> None:
    for name, table in network.topology.route_tables.items():
        graph.add_node(name, kind="route_table", vpc=table.vpc, type=str(table.type), path=("route_tables", name))
        for i, row in enumerate(table.routes if isinstance(table.routes, list) else []):
            if row.status is not RouteStatus.AVAILABLE:
                continue
            for hop in (row.next_hop, *(other.id for other in row.others)):
                if hop not in graph:
                    graph.add_node(hop, kind="next_hop")
                graph.add_edge(
                    name, hop, kind="route", destination=row.destination, path=("route_tables", name, "routes", i)
                )
    for name in network.topology.vswitches:
        table_id = network.table_of(name)
        if table_id in network.topology.route_tables:
            graph.add_edge(name, table_id, kind="reads")


def _public_edge(network: Network, graph: networkx.MultiDiGraph) -> None:
    graph.add_node(PUBLIC_EDGE, kind="public_edge")
    graph.add_node(INTERNET, kind="internet")
    both(graph, PUBLIC_EDGE, INTERNET, "internet")
    for public in network.publics:
        holder = public.interface.id if public.interface else public.bound_to
        if holder and holder in graph:
            both(graph, holder, PUBLIC_EDGE, "public", address=text(public.address))
    for address, balancer in network.balancer_of_public.items():
        both(graph, balancer, PUBLIC_EDGE, "public", address=text(address))
    for name, gateway in network.topology.ipv4_gateways.items():
        if gateway.enabled is True:
            both(graph, name, PUBLIC_EDGE, "internet")
    for name in network.topology.ipv6_gateways:  # no address is translated there
        both(graph, name, INTERNET, "internet")
