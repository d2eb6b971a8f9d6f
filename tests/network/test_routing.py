"""A public address of one's own against the route that would take the packet elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from netinsight.api import Net
from netinsight.model.topology import Topology

LISTS = {"pl-all": {"entries": ["0.0.0.0/0"]}, "pl-both": {"entries": ["0.0.0.0/0", "198.51.100.0/24"]}}


def verdict(route: dict[str, str]) -> str:
    document: dict[str, Any] = {
        "collected_at": "2026-11-24T08:00:00Z",
        "vpcs": {"vpc-1": {"cidrs": ["10.0.0.0/16"]}},
        "vswitches": {"vsw-1": {"vpc": "vpc-1", "cidr": "10.0.1.0/24", "route_table": "rtb-1"}},
        "route_tables": {"rtb-1": {"vpc": "vpc-1", "routes": [route]}},
        "prefix_lists": LISTS,
        "nat_gateways": {"ngw-1": {"vpc": "vpc-1"}},
        "unknown": {"hop-lost": "of another account"},
        "security_groups": {"sg-1": {"vpc": "vpc-1"}},
        "instances": {"i-a": {"public_ip": "203.0.113.10", "network_interfaces": {
            "eni-a": {"vswitch": "vsw-1", "ip": "10.0.1.10", "security_groups": ["sg-1"]}}}},
    }  # fmt: skip
    return Net(Topology.model_validate(document)).diagnose("i-a", "198.51.100.7", port=443).verdict.value


@pytest.mark.parametrize(
    ("destination", "next_hop", "expected"),
    [
        ("0.0.0.0/0", "ngw-1", "reachable"),
        ("198.51.100.0/24", "ngw-1", "unreachable"),  # the gateway has no SNAT entry
        ("pl-all", "ngw-1", "reachable"),
        ("pl-both", "ngw-1", "unreachable"),
        ("0.0.0.0/0", "hop-lost", "undetermined"),
    ],
)
def test_a_public_address_beats_a_default_route_that_leads_to_no_ipv4_gateway(
    destination: str, next_hop: str, expected: str
) -> None:
    assert verdict({"destination": destination, "next_hop": next_hop}) == expected
