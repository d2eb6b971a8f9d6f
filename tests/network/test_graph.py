"""The graph of a network: its kinds of nodes and edges, and the roads through it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import networkx
import pytest

from netinsight.api import Net
from netinsight.model.topology import Topology

EDGE, INTERNET = "public edge", "internet"

DOCUMENT: dict[str, Any] = {
    "schema": "netinsight.topology/1",
    "vpcs": {"vpc-1": {"cidrs": ["10.0.0.0/16"]}, "vpc-2": {"cidrs": ["172.16.0.0/16"]}},
    "vswitches": {
        "vsw-a": {"vpc": "vpc-1", "cidr": "10.0.1.0/24", "route_table": "rtb-a"},
        "vsw-b": {"vpc": "vpc-1", "cidr": "10.0.2.0/24"},
        "vsw-c": {"vpc": "vpc-2", "cidr": "172.16.1.0/24"},
    },
    "security_groups": {"sg-1": {"vpc": "vpc-1"}, "sg-2": {"vpc": "vpc-2"}},
    "route_tables": {
        "rtb-a": {
            "vpc": "vpc-1",
            "routes": [
                {"destination": "0.0.0.0/0", "next_hop": "ngw-1"},
                {"destination": "192.168.0.0/16", "next_hop": "vpn-1", "next_hop_type": "VpnGateway"},
                {"destination": "192.168.0.0/24", "next_hop": "i-b"},
                {"destination": "192.168.9.0/24", "next_hop": "vpn-2", "next_hop_type": "VpnGateway", "status": "Pending"},
            ],
        },
        "rtb-s": {"vpc": "vpc-1", "type": "system", "routes": [{"destination": "0.0.0.0/0", "next_hop": "eni-a"}]},
        "rtb-x": {"vpc": "vpc-1", "routes": {"unknown": "half read"}},
    },
    "eips": {
        "eip-a": {"ip": "203.0.113.10", "bound_to": "i-a"},
        "eip-b": {"ip": "203.0.113.20", "bound_to": "eni-b2", "private_ip": "10.0.2.31"},
        "eip-free": {"ip": "203.0.113.30"},
    },
    "nat_gateways": {"ngw-1": {"vpc": "vpc-1", "vswitch": "vsw-b"}},
    "instances": {
        "i-a": {"network_interfaces": {"eni-a": {"vswitch": "vsw-a", "ip": "10.0.1.10", "security_groups": ["sg-1"]}}},
        "i-b": {
            "status": "Stopped",
            "network_interfaces": {
                "eni-b": {"type": "primary", "vswitch": "vsw-b", "ip": "10.0.2.20", "security_groups": ["sg-1"]},
                "eni-b2": {"type": "secondary", "vswitch": "vsw-b", "ip": "10.0.2.30", "secondary_ips": ["10.0.2.31"],
                           "security_groups": ["sg-1"]},
            },
        },
        "i-c": {
            "public_ip": "203.0.113.40",
            "network_interfaces": {"eni-c": {"vswitch": "vsw-c", "ip": "172.16.1.10", "security_groups": ["sg-2"]}},
        },
    },
    "network_interfaces": {
        "eni-x": {"status": "Available", "vswitch": "vsw-b", "ip": "10.0.2.99", "security_groups": ["sg-1"]}
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def net() -> Net:
    """Two VPCs with everything that a graph shows."""
    return Net(Topology.model_validate(DOCUMENT))


@pytest.fixture(scope="module")
def graph(net: Net) -> networkx.MultiDiGraph:
    """Its graph."""
    return net.graph


def edges(graph: networkx.MultiDiGraph, kind: str) -> set[tuple[str, str]]:
    """The edges of a kind."""
    return {(one, other) for one, other, found in graph.edges(data="kind") if found == kind}


def both_ways(*pairs: tuple[str, str]) -> set[tuple[str, str]]:
    """Each pair there and back."""
    return {*pairs, *((other, one) for one, other in pairs)}


def test_it_is_a_multidigraph_made_once(net: Net) -> None:
    assert isinstance(net.graph, networkx.MultiDiGraph)
    assert net.graph is net.graph


def test_it_is_made_only_when_it_is_asked_for() -> None:
    script = (
        "import sys; from netinsight.api import Net; from netinsight.model.topology import Topology\n"
        f"net = Net(Topology.model_validate({DOCUMENT!r})); net.diagnose('i-a', 'internet', port=22)\n"
        "assert 'networkx' not in sys.modules; net.graph; assert 'networkx' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("kind", "nodes"),
    [
        ("instance", {"i-a", "i-b", "i-c"}),
        ("eni", {"eni-a", "eni-b", "eni-b2", "eni-c", "eni-x"}),
        ("vswitch", {"vsw-a", "vsw-b", "vsw-c"}),
        ("route_table", {"rtb-a", "rtb-s", "rtb-x"}),
        ("vpc_router", {"router:vpc-1", "router:vpc-2"}),
        ("public_edge", {EDGE}),
        ("internet", {INTERNET}),
        ("nat_gateway", {"ngw-1"}),
        ("next_hop", {"vpn-1"}),
    ],
)
def test_every_object_is_a_node_of_its_kind(kind: str, nodes: set[str], graph: networkx.MultiDiGraph) -> None:
    assert {node for node, found in graph.nodes(data="kind") if found == kind} == nodes


def test_no_node_or_edge_is_of_another_kind(graph: networkx.MultiDiGraph) -> None:
    nodes = {
        "instance",
        "eni",
        "vswitch",
        "route_table",
        "vpc_router",
        "public_edge",
        "internet",
        "next_hop",
        "nat_gateway",
    }
    assert {kind for _, kind in graph.nodes(data="kind")} <= nodes
    kinds = {"attached", "in", "reads", "routed", "route", "public", "internet", "of"}
    assert {kind for *_, kind in graph.edges(data="kind")} <= kinds


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("attached", both_ways(("i-a", "eni-a"), ("i-b", "eni-b"), ("i-b", "eni-b2"), ("i-c", "eni-c"))),
        ("in", both_ways(("eni-a", "vsw-a"), ("eni-b", "vsw-b"), ("eni-b2", "vsw-b"), ("eni-c", "vsw-c"),
                         ("eni-x", "vsw-b"), ("ngw-1", "vsw-b"))),
        ("of", both_ways(("ngw-1", "router:vpc-1"))),
        ("routed", both_ways(("vsw-a", "router:vpc-1"), ("vsw-b", "router:vpc-1"), ("vsw-c", "router:vpc-2"))),
        ("reads", {("vsw-a", "rtb-a"), ("vsw-b", "rtb-s")}),
        ("route", {("rtb-a", "ngw-1"), ("rtb-a", "vpn-1"), ("rtb-a", "i-b"), ("rtb-s", "eni-a")}),
        ("public", both_ways(("eni-a", EDGE), ("eni-b2", EDGE), ("eni-c", EDGE))),
        ("internet", both_ways((EDGE, INTERNET))),
    ],
)  # fmt: skip
def test_edges_of_a_kind_lead_from_what_they_should_to_what_they_should(
    kind: str, expected: set[tuple[str, str]], graph: networkx.MultiDiGraph
) -> None:
    assert edges(graph, kind) == expected


def test_public_edges_carry_the_address(graph: networkx.MultiDiGraph) -> None:
    found = {(one, data["address"]) for one, other, data in graph.edges(data=True)
             if data["kind"] == "public" and other == EDGE}  # fmt: skip
    assert found == {("eni-a", "203.0.113.10"), ("eni-b2", "203.0.113.20"), ("eni-c", "203.0.113.40")}
    back = {(other, data["address"]) for one, other, data in graph.edges(data=True)
            if data["kind"] == "public" and one == EDGE}  # fmt: skip
    assert back == found


def test_routes_carry_their_destination(graph: networkx.MultiDiGraph) -> None:
    found = {(other, data["destination"]) for _, other, data in graph.out_edges("rtb-a", data=True)}
    assert found == {("ngw-1", "0.0.0.0/0"), ("vpn-1", "192.168.0.0/16"), ("i-b", "192.168.0.0/24")}


@pytest.mark.parametrize(
    ("node", "path"),
    [
        ("i-a", ("instances", "i-a")),
        ("eni-b2", ("instances", "i-b", "network_interfaces", "eni-b2")),
        ("eni-x", ("network_interfaces", "eni-x")),
        ("vsw-a", ("vswitches", "vsw-a")),
        ("rtb-a", ("route_tables", "rtb-a")),
        ("router:vpc-2", ("vpcs", "vpc-2")),
        ("ngw-1", ("nat_gateways", "ngw-1")),
    ],
)
def test_a_node_tells_its_place_in_the_topology(node: str, path: tuple[str, ...], graph: networkx.MultiDiGraph) -> None:
    assert graph.nodes[node].get("path") == path


def test_an_instance_reaches_another_through_enis_vswitches_and_the_router(graph: networkx.MultiDiGraph) -> None:
    inside = graph.edge_subgraph(
        (*edge, key) for *edge, key, kind in graph.edges(keys=True, data="kind") if kind in ("attached", "in", "routed")
    )
    road = networkx.shortest_path(inside, "i-a", "i-b")
    assert road[:4] == ["i-a", "eni-a", "vsw-a", "router:vpc-1"]
    assert road[4] == "vsw-b"
    assert road[5] in ("eni-b", "eni-b2")
    assert road[6:] == ["i-b"]
    back = networkx.shortest_path(inside, "i-b", "i-a")
    assert back[2:] == ["vsw-b", "router:vpc-1", "vsw-a", "eni-a", "i-a"]


def test_no_road_inside_leads_to_another_vpc_but_the_internet_does(graph: networkx.MultiDiGraph) -> None:
    inside = graph.subgraph(node for node in graph if node not in (EDGE, INTERNET))
    assert not networkx.has_path(inside, "i-a", "i-c")
    assert networkx.shortest_path(graph, "eni-a", "eni-c") == ["eni-a", EDGE, "eni-c"]
    assert networkx.shortest_path(graph, INTERNET, "i-c") == [INTERNET, EDGE, "eni-c", "i-c"]
