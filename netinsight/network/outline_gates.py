"""The gateways, load balancers and links of an outline: what each is, what it joins, what keeps it from carrying traffic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netinsight.model.topology import SECTIONS
from netinsight.network.build import Network
from netinsight.network.captions import JOINED, LEADS, caption_of
from netinsight.network.graph_links import GATES

if TYPE_CHECKING:
    import networkx

GATE_SECTIONS = frozenset(gate.section for gate in GATES)
_BETWEEN = frozenset({"peering", "vbr", "transit_router", "network"})
"""Kinds that stand in no VPC."""

_CARRIES = frozenset({"Available", "active", "Activated", "Active", "Attached", "ipsec_sa_established"})
"""States in which traffic is carried."""

_CALLED = {"attachment": "attachment", "vpn_connection": "VPN connection"}
_TYPES = {**{gate.kind: gate.type for gate in GATES}, "attachment": "attachment"}
_NEAR = frozenset({"of", "peering", "opposite", "attachment", "vpn_connection", "dnat", "forwards", "master", "member"})
"""Edges to what a gateway or link is about."""


@dataclass(frozen=True, slots=True)
class GatePart:
    """A gateway, a load balancer, a HaVip, a link, or a part of one.

    Attributes
    ----------
    type
        As a report names it.
    called
        What one of its kind is called.
    told
        Its name, what it joins, its addresses.
    state
        What keeps it from carrying traffic; empty where nothing does.
    parts
        Attachments, VPN connections, the router interfaces of a VBR.
    leads
        Where it leads besides: to an ENI, a VPC, a network or another link, and what is said of that.
    """

    id: str
    type: str
    called: str
    told: tuple[str, ...]
    state: str
    parts: tuple[GatePart, ...] = ()
    leads: tuple[tuple[str, str], ...] = ()


def gates_of(network: Network, graph: networkx.MultiDiGraph, only: set[str] | None) -> dict[str, list[GatePart]]:
    """By VPC, in the order of ``SECTIONS``; by the empty id, those whose VPC the file does not describe."""
    found: dict[str, list[GatePart]] = {}
    for name, data in _nodes(network, graph, only):
        if data["kind"] in _BETWEEN or _holder(network, data, name):
            continue
        vpc = caption_of(network, _TYPES[data["kind"]], name).vpc
        found.setdefault(vpc if vpc in network.topology.vpcs else "", []).append(_gate(network, graph, name, data))
    return found


def links(network: Network, graph: networkx.MultiDiGraph, only: set[str] | None) -> Iterator[GatePart]:
    """What stands between VPCs, and the networks outside."""
    for name, data in _nodes(network, graph, only):
        if data["kind"] in _BETWEEN:
            yield _gate(network, graph, name, data)


def around(graph: networkx.MultiDiGraph, name: str) -> set[str]:
    """The ENIs, VPCs, gateways and links that a gateway or link is about; of a transit router what is attached to it too."""
    found: set[str] = set()
    pending = [name]
    while pending:
        here = pending.pop()
        near = {other for _, other, kind in graph.out_edges(here, data="kind") if kind in _NEAR}
        near |= {other for other, _, kind in graph.in_edges(here, data="kind") if kind in _NEAR}
        for other in near - found - {name}:
            kind = graph.nodes[other].get("kind")
            found.add(graph.nodes[other].get("vpc", other) if kind in ("vpc_router", "outside_vpc") else other)
            if kind == "attachment" or (kind == "instance" and here == name):
                pending.append(other)
            if kind == "instance":
                found |= {eni for _, eni, edge in graph.out_edges(other, data="kind") if edge == "attached"}
    return found


def _nodes(
    network: Network, graph: networkx.MultiDiGraph, only: set[str] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    for section, _, _ in GATES:
        for name in getattr(network.topology, section):
            if only is None or name in only:
                yield name, graph.nodes[name]


def _holder(network: Network, data: dict[str, Any], name: str) -> str:
    """What something is shown as a part of."""
    holder = caption_of(network, _TYPES[data["kind"]], name).holder
    return holder[1] if holder else ""


def _gate(network: Network, graph: networkx.MultiDiGraph, name: str, data: dict[str, Any]) -> GatePart:
    section, named = str(data["path"][0]), getattr(_described(network, data), "name", None) or ""
    called = _CALLED.get(data["kind"]) or SECTIONS[section]
    caption = caption_of(network, _TYPES[data["kind"]], name)
    public = [edge["address"] for _, _, edge in graph.out_edges(name, data=True) if edge["kind"] == "public"]
    holder = caption.holder[1] if caption.holder else ""
    fact = caption.fact.replace(f"{holder}{JOINED}", LEADS) if holder else caption.fact
    told = dict.fromkeys(filter(None, (named, fact, caption.address, *public)))
    return GatePart(name, _TYPES[data["kind"]], called, tuple(told), _state(network, name, data),
                    tuple(_parts(network, graph, name, data)), tuple(_leads(graph, name)))  # fmt: skip


def _described(network: Network, data: dict[str, Any]) -> Any:
    """What the topology says of a node."""
    found: Any = network.topology
    for key in data["path"]:
        found = found[key] if isinstance(found, dict) else getattr(found, key)
    return found


def _state(network: Network, name: str, data: dict[str, Any]) -> str:
    states = [word for word in (data.get("status", "active"), data.get("business_status", "active"))
              if word not in _CARRIES]  # fmt: skip
    gateway = network.topology.ipv4_gateways.get(name)
    if gateway and gateway.enabled is not True:
        states.append("not enabled" if gateway.enabled is False else "unknown")
    return ", ".join(states)


def _parts(network: Network, graph: networkx.MultiDiGraph, name: str, data: dict[str, Any]) -> Iterator[GatePart]:
    if data["kind"] in ("transit_router", "vbr"):
        wanted = "attachment" if data["kind"] == "transit_router" else "router_interface"
        for _, other, kind in graph.out_edges(name, data="kind"):
            if kind == "of" and graph.nodes[other]["kind"] == wanted:
                yield _gate(network, graph, other, graph.nodes[other])
    elif data["kind"] == "vpn_gateway":
        for id_, connection in network.topology.vpn_gateways[name].connections.items():
            told = (connection.name or "", f"{LEADS}{connection.network}", ", ".join(connection.remote_cidrs))
            status = connection.status if isinstance(connection.status, str) else "unknown"
            state = "" if status in _CARRIES else str(status)
            yield GatePart(id_, "vpn_connection", _CALLED["vpn_connection"], tuple(filter(None, told)), state)


def _leads(graph: networkx.MultiDiGraph, name: str) -> Iterator[tuple[str, str]]:
    """Edges out to objects that a drawing has."""
    if graph.nodes[name]["kind"] == "network":
        return
    for _, other, edge in graph.out_edges(name, data=True):
        target = (
            graph.nodes[other].get("vpc", other)
            if graph.nodes[other]["kind"] in ("vpc_router", "outside_vpc")
            else other
        )
        if edge["kind"] in ("peering", "attachment", "opposite", "master"):
            yield target, edge["kind"]
        elif edge["kind"] == "vpn_connection":
            yield target, edge["connection"]
        elif edge["kind"] == "dnat":
            yield target, ":".join(filter(None, (edge["address"], edge.get("port", ""))))
        elif edge["kind"] == "forwards":
            yield target, f"{edge['protocol']} {edge['port']}"
        elif edge["kind"] == "route" and graph.nodes[name]["kind"] in ("vbr", "transit_router"):
            yield target, edge["destination"]
