"""A network as a networkx graph, for drawing, loops and all paths.

Nodes are ids (two are made up: ``router:<vpc>`` and ``public edge``, ``internet``) with ``kind``: ``instance``, ``eni``,
``vswitch``, ``route_table``, ``vpc_router``, ``public_edge``, ``internet``, ``next_hop``; and ``path``, the place in the
topology. Edges have ``kind``: ``attached`` (instance – ENI), ``in`` (ENI – vSwitch), ``reads`` (vSwitch → route table),
``routed`` (vSwitch – VPC router), ``route`` (route table → next hop, with ``destination``), ``public`` (ENI – public
edge, with ``address``), ``internet`` (public edge – Internet). What goes both ways has an edge each way.
"""

from __future__ import annotations

import networkx

from netinsight.addresses import text
from netinsight.model.base import Unknown
from netinsight.model.checks import NEXT_HOPS
from netinsight.model.routing import RouteStatus
from netinsight.network.build import Network

PUBLIC_EDGE, INTERNET = "public edge", "internet"


def router(vpc: str) -> str:
    """The node of a VPC's router."""
    return f"router:{vpc}"


def _status(status: Unknown | str) -> str:
    return "unknown" if isinstance(status, Unknown) else str(status)


def build_graph(network: Network) -> networkx.MultiDiGraph:
    """The graph of a network."""
    graph = networkx.MultiDiGraph()
    _vpcs(network, graph)
    _interfaces(network, graph)
    _routes(network, graph)
    _public_edge(network, graph)
    return graph


def _both(graph: networkx.MultiDiGraph, one: str, other: str, kind: str, **attributes: str) -> None:
    graph.add_edge(one, other, kind=kind, **attributes)
    graph.add_edge(other, one, kind=kind, **attributes)


def _vpcs(network: Network, graph: networkx.MultiDiGraph) -> None:
    for name in network.topology.vpcs:
        graph.add_node(router(name), kind="vpc_router", vpc=name, path=("vpcs", name))
    for name, vswitch in network.topology.vswitches.items():
        graph.add_node(name, kind="vswitch", vpc=vswitch.vpc, cidr=vswitch.cidr, path=("vswitches", name))
        if router(vswitch.vpc) in graph:
            _both(graph, name, router(vswitch.vpc), "routed")


def _interfaces(network: Network, graph: networkx.MultiDiGraph) -> None:
    for name, instance in network.topology.instances.items():
        graph.add_node(name, kind="instance", status=_status(instance.status), path=("instances", name))
    for interface in network.enis.values():
        eni = interface.eni
        graph.add_node(interface.id, kind="eni", ip=eni.ip, status=_status(eni.status), path=interface.path)
        if interface.instance_id:
            _both(graph, interface.instance_id, interface.id, "attached")
        if eni.vswitch in graph:
            _both(graph, interface.id, eni.vswitch, "in")


def _described(network: Network, name: str) -> dict[str, tuple[str, str]]:
    return next(({"path": (section, name)} for section in NEXT_HOPS if name in getattr(network.topology, section)), {})


def _routes(network: Network, graph: networkx.MultiDiGraph) -> None:
    for name, table in network.topology.route_tables.items():
        graph.add_node(name, kind="route_table", vpc=table.vpc, type=str(table.type), path=("route_tables", name))
        for i, row in enumerate(table.routes if isinstance(table.routes, list) else []):
            if row.status is not RouteStatus.AVAILABLE:
                continue
            for hop in (row.next_hop, *(other.id for other in row.others)):
                if hop not in graph:
                    graph.add_node(hop, kind="next_hop", **_described(network, hop))
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
    _both(graph, PUBLIC_EDGE, INTERNET, "internet")
    for public in network.publics:
        holder = public.interface.id if public.interface else public.bound_to
        if holder and holder in graph:
            _both(graph, holder, PUBLIC_EDGE, "public", address=text(public.address))
