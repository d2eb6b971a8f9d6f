"""The graph of gateways, links and load balancers: who leads where, and what an edge tells of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import networkx
import pytest

import netinsight as ni
from netinsight.model.topology import Topology
from netinsight.network.graph_links import GATES

from ..conftest import ROOT

NGW = "ngw-bp1l7fkz0a8v9xw6t2s3q"


@lru_cache(maxsize=1)
def net() -> ni.Net:
    return ni.load(str(ROOT / "tests" / "render" / "wide.yaml"))


def edges(kind: str, *attributes: str) -> set[tuple[Any, ...]]:
    """The edges of a kind: from, to, and some attributes."""
    return {(one, other, *(edge[name] for name in attributes)) for one, other, edge in net().graph.edges(data=True)
            if edge["kind"] == kind}  # fmt: skip


def both_ways(*pairs: tuple[str, str]) -> set[tuple[str, str]]:
    return {*pairs, *((other, one) for one, other in pairs)}


def test_every_object_of_every_section_is_a_node_with_its_place() -> None:
    graph, topology = net().graph, net().topology
    for section, kind, _ in GATES:
        for name in getattr(topology, section):
            assert (graph.nodes[name]["kind"], graph.nodes[name]["path"]) == (kind, (section, name))
    assert {name for name, kind in graph.nodes(data="kind") if kind == "attachment"} == set(net().network.attachments)
    assert [name for name, data in graph.nodes(data=True) if "kind" not in data] == []


EDGES: dict[str, set[tuple[str, str]]] = {
    "master": {("havip-fw", "eni-fw")},
    "member": {("havip-fw", "i-fw"), ("havip-fw", "i-fw2")},
    "dnat": {(NGW, "eni-app")},
    "opposite": {("ri-shop", "ri-vbr"), ("ri-vbr", "ri-shop")},
    "forwards": {("nlb-shop", "eni-web"), ("nlb-shop", "eni-app"), ("nlb-shop", "eni-fw2"), ("clb-shop", "eni-web"),
                 ("clb-shop", "eni-app")},
    "vpn_connection": both_ways(("vpn-shop", "office")),
    "peering": both_ways(("pcc-data", "router:vpc-shop"), ("pcc-data", "router:vpc-data")),
    "attachment": both_ways(("tr-attach-shop", "router:vpc-shop"), ("tr-attach-far", "router:vpc-far"),
                            ("tr-attach-peer-hz", "tr-attach-peer-sh")),
    "internet": both_ways(("public edge", "internet"), ("ipv4gw-shop", "public edge"), ("ipv6gw-shop", "internet")),
}  # fmt: skip


@pytest.mark.parametrize("kind", EDGES)
def test_edges_of_a_kind_lead_from_what_they_should_to_what_they_should(kind: str) -> None:
    assert edges(kind) == EDGES[kind]


def test_what_belongs_to_what() -> None:
    homes = {
        "router:vpc-shop": [NGW, "ipv4gw-shop", "ipv6gw-shop", "vpn-shop", "nlb-shop", "clb-shop", "ri-shop"],
        "router:vpc-far": ["ngw-far"],
        "vbr-1": ["ri-vbr"],
        "tr-hz": ["tr-attach-shop", "tr-attach-peer-hz"],
        "tr-sh": ["tr-attach-far", "tr-attach-peer-sh"],
    }
    assert edges("of") == both_ways(*((one, home) for home, held in homes.items() for one in held))
    assert {(NGW, "vsw-edge"), ("havip-fw", "vsw-edge"), ("nlb-shop", "vsw-edge")} <= edges("in")
    assert ("ipv4gw-shop", "rtb-in") in edges("reads")


def test_the_tables_of_links_are_routes_with_destination_and_place() -> None:
    found = edges("route", "destination", "path")
    assert ("vbr-1", "idc", "192.168.0.0/16", ("vbrs", "vbr-1", "routes", 0)) in found
    assert ("vpn-shop", "office", "172.20.0.0/16", ("vpn_gateways", "vpn-shop", "routes", 1)) in found
    path = ("transit_routers", "tr-hz", "route_tables", "trt-hz", "routes", 0)
    assert ("tr-hz", "tr-attach-peer-hz", "10.3.0.0/16", path) in found
    assert ("rtb-app", "tr-attach-shop", "10.3.0.0/16", ("route_tables", "rtb-app", "routes", 2)) in found
    assert not any(destination == "10.9.0.0/16" for _, _, destination, _ in found)  # a blackhole leads nowhere


def test_edges_tell_what_is_translated_and_forwarded() -> None:
    assert edges("dnat", "address", "port", "internal_port") == {(NGW, "eni-app", "203.0.113.3", "8022", "22")}
    assert ("nlb-shop", "eni-fw2", "443", "443", 100, "unhealthy") in edges(
        "forwards", "port", "server_port", "weight", "health"
    )
    assert ("nlb-shop", "eni-web", "443", "8443", 100, "healthy") in edges(
        "forwards", "port", "server_port", "weight", "health"
    )
    assert {("vpn-shop", "office", "vco-1", "ipsec_sa_established"), ("vpn-shop", "office", "vco-2", "ike_sa_not_established")} \
        <= edges("vpn_connection", "connection", "status")  # fmt: skip
    assert {(NGW, "public edge", "203.0.113.1"), ("clb-shop", "public edge", "203.0.113.50")} <= edges(
        "public", "address"
    )


def test_a_node_tells_its_state() -> None:
    nodes = net().graph.nodes
    assert (nodes["pcc-data"]["status"], nodes[NGW]["vpc"], nodes["idc"]["cidrs"]) == (
        "Activated", "vpc-shop", ("192.168.0.0/16",))  # fmt: skip
    assert (nodes["tr-attach-shop"]["route_table"], nodes["tr-attach-shop"]["propagates_to"]) == ("trt-hz", ("trt-hz",))
    assert "business_status" not in nodes[NGW]
    locked = ni.Net(Topology.model_validate({
        "schema": "netinsight.topology/1", "vpcs": {"vpc-1": {"cidrs": ["10.0.0.0/16"]}},
        "peerings": {"pcc": {"vpc": "vpc-1", "peer_vpc": "vpc-x", "peer_cidrs": ["10.9.0.0/16"],
                             "business_status": "FinancialLocked", "status": {"unknown": "not asked"}}}})).graph  # fmt: skip
    assert (locked.nodes["pcc"]["business_status"], locked.nodes["pcc"]["status"]) == ("FinancialLocked", "unknown")
    assert locked.nodes["router:vpc-x"] == {"kind": "outside_vpc", "vpc": "vpc-x", "cidrs": ("10.9.0.0/16",)}


def test_there_is_a_road_from_a_vpc_to_another_and_to_a_network() -> None:
    graph = net().graph
    inside = graph.subgraph(node for node in graph if node not in ("public edge", "internet"))
    assert networkx.has_path(inside, "i-app", "i-far")
    assert networkx.shortest_path(inside, "rtb-app", "idc") == ["rtb-app", "ri-shop", "ri-vbr", "vbr-1", "idc"]


def test_what_is_not_described_is_a_next_hop_and_an_undescribed_vpc_makes_no_node() -> None:
    document = {
        "schema": "netinsight.topology/1", "vpcs": {"vpc-1": {"cidrs": ["10.0.0.0/16"]}},
        "unknown": {"vpc-gone": "not exported"},
        "nat_gateways": {"ngw": {"vpc": "vpc-gone"}},
        "route_tables": {"rtb": {"vpc": "vpc-1", "routes": [
            {"destination": "0.0.0.0/0", "next_hop": "vpn-x", "next_hop_type": "VpnGateway"}]}},
    }  # fmt: skip
    graph = ni.Net(Topology.model_validate(document)).graph
    assert (graph.nodes["vpn-x"], graph.nodes["ngw"]["kind"]) == ({"kind": "next_hop"}, "nat_gateway")
    assert "router:vpc-gone" not in graph
