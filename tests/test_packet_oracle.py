"""The packet oracle against cases worked out by hand: one small estate, and what each case adds to it."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from netinsight.model.topology import Topology
from tests.oracle import GRE, ICMP, TCP
from tests.packet_oracle import EDGE, Outcome, simulate

Part = dict[str, Any]
HOST = "198.51.100.7"
OFFICE = "192.168.1.5"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
WEB_V6, HOST_V6 = "2001:db8:a:1::10", "2001:db8:ffff::7"


def host(ip: str, vswitch: str, eni: str, group: str = "sg-open", **of_eni: Any) -> Part:
    """An instance of one ENI."""
    return {"network_interfaces": {eni: {"vswitch": vswitch, "ip": ip, "security_groups": [group], **of_eni}}}


def accept(source: str) -> Part:
    """A rule that lets a block in."""
    return {"direction": "ingress", "source": source}


def base() -> Part:
    """VPC a with web, app and far, a vSwitch each; VPC b with db."""
    return {
        "vpcs": {
            "v-a": {"cidrs": ["10.0.0.0/16"], "ipv6_cidr": "2001:db8:a::/48"},
            "v-b": {"cidrs": ["10.1.0.0/16"]},
        },
        "vswitches": {
            "a1": {"vpc": "v-a", "cidr": "10.0.1.0/24"},
            "a2": {"vpc": "v-a", "cidr": "10.0.2.0/24"},
            "a3": {"vpc": "v-a", "cidr": "10.0.3.0/24"},
            "b1": {"vpc": "v-b", "cidr": "10.1.1.0/24"},
        },
        "security_groups": {
            "sg-open": {"vpc": "v-a", "rules": [accept("0.0.0.0/0"), accept("::/0")]},
            "sg-shut": {"vpc": "v-a"},
        },
        "network_acls": {"acl-shut": {"vpc": "v-a"}},
        "instances": {
            "web": host("10.0.1.10", "a1", "eni-web"),
            "app": host("10.0.2.10", "a2", "eni-app"),
            "far": host("10.0.3.10", "a3", "eni-far"),
            "db": host("10.1.1.10", "b1", "eni-db"),
        },
    }


def merge(into: Part, part: Part) -> None:
    """Put the keys of a mapping into another, mappings into mappings."""
    for key, value in part.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def estate(*parts: Part) -> Topology:
    """The base estate with some parts added."""
    whole = base()
    for part in parts:
        merge(whole, deepcopy(part))
    return Topology.model_validate(whole)


def ask(parts: list[Part], src: str, dst: str, port: int = 443, protocol: int = TCP, **kwargs: Any) -> Outcome:
    """Ask one flow of an estate, from source port 50000."""
    return simulate(estate(*parts), src, dst, protocol, 50000, port, at=NOW, **kwargs)


def expect(outcome: Outcome, verdict: str, *blockers: tuple[str, str]) -> None:
    """The verdict, and all the blockers."""
    assert (outcome.verdict, outcome.blockers) == (verdict, frozenset(blockers))


def places(outcome: Outcome, back: bool = False) -> list[str]:
    """The places of the only path."""
    (path,) = outcome.paths
    return [hop[0] for hop in (path.back if back else path.forward)]


def hop_at(outcome: Outcome, place: str, n: int = 0) -> tuple[str, str, int, int]:
    """The packet as it was the last time at a place of path n, on its way there."""
    return next(hop[1:] for hop in reversed(outcome.paths[n].forward) if hop[0] == place)


def rows(*pairs: tuple[str, str]) -> list[Part]:
    """Rows of a table, by destination and next hop."""
    return [{"destination": destination, "next_hop": hop} for destination, hop in pairs]


def system(vpc: str, *pairs: tuple[str, str]) -> Part:
    """The system table of a VPC."""
    return {"route_tables": {f"rt-{vpc}": {"vpc": vpc, "type": "system", "routes": rows(*pairs)}}}


def custom(vswitch: str, *pairs: tuple[str, str], vpc: str = "v-a") -> Part:
    """A table of one vSwitch's own."""
    return {
        "route_tables": {f"rt-{vswitch}": {"vpc": vpc, "routes": rows(*pairs)}},
        "vswitches": {vswitch: {"route_table": f"rt-{vswitch}"}},
    }


def eip(name: str, ip: str, bound_to: Any = None, **more: Any) -> Part:
    """An EIP."""
    return {"eips": {name: {"ip": ip, "bound_to": bound_to, **more}}}


def nat(name: str = "nat-1", **more: Any) -> Part:
    """A NAT gateway of VPC a."""
    return {"nat_gateways": {name: {"vpc": "v-a", **more}}}


def snat(source: str, *eips: str, **more: Any) -> Part:
    """A source translation entry."""
    return {"source": source, "eip": list(eips), **more}


def dnat(external: int, internal_ip: str, internal: int, name: str = "eip-1") -> Part:
    """A destination translation entry for TCP."""
    return {
        "eip": name,
        "protocol": "tcp",
        "external_port": external,
        "internal_ip": internal_ip,
        "internal_port": internal,
    }


EIP_1, EIP_2 = eip("eip-1", "203.0.113.1", "nat-1"), eip("eip-2", "203.0.113.2", "nat-1")
WEB_EIP = eip("eip-web", "203.0.113.10", "web")
BY_NAT = system("v-a", ("0.0.0.0/0", "nat-1"))
BLACKHOLED: Part = {"ddos": {"blackholed": ["203.0.113.1", "203.0.113.10"]}}

# -------------------------------------------------------------------------------------------------------------- SNAT


def test_the_longest_source_block_translates() -> None:
    entries = [snat("10.0.0.0/16", "eip-1"), snat("10.0.1.0/24", "eip-2")]
    outcome = ask([BY_NAT, EIP_1, EIP_2, nat(snat=entries)], "web", HOST, nat_port=2222)
    expect(outcome, "reachable")
    assert hop_at(outcome, EDGE) == ("203.0.113.2", HOST, 2222, 443)
    assert outcome.paths[0].back[-1] == ("eni-web", HOST, "10.0.1.10", 443, 50000)


def test_a_source_without_an_entry_is_not_translated() -> None:
    outcome = ask([BY_NAT, EIP_1, nat(snat=[snat("10.0.2.0/24", "eip-1")])], "web", HOST)
    expect(outcome, "unreachable", ("gateway.nat", "nat-1"))


def test_an_entry_that_is_not_available_does_not_translate() -> None:
    outcome = ask([BY_NAT, EIP_1, nat(snat=[snat("10.0.1.0/24", "eip-1", status="Pending")])], "web", HOST)
    expect(outcome, "unreachable", ("gateway.nat", "nat-1"))


def test_a_nat_gateway_that_is_being_created_drops_and_the_rest_is_collected() -> None:
    parts = [BY_NAT, EIP_1, nat(snat=[snat("10.0.1.0/24", "eip-1")], status="Creating"), BLACKHOLED]
    expect(ask(parts, "web", HOST), "unreachable", ("gateway.nat", "nat-1"), ("blackhole.public_ip", "eip-1"))


def test_one_locked_eip_of_a_pool_makes_the_answer_partial() -> None:
    locked = eip("eip-2", "203.0.113.2", "nat-1", business_status="FinancialLocked")
    outcome = ask([BY_NAT, EIP_1, locked, nat(snat=[snat("10.0.1.0/24", "eip-1", "eip-2")])], "web", HOST)
    expect(outcome, "partial", ("gateway.public_ip", "eip-2"))
    assert [path.passes for path in outcome.paths] == ["accept", "drop"]


def test_snat_of_gre_is_not_known() -> None:
    parts = [BY_NAT, EIP_1, nat(snat=[snat("10.0.1.0/24", "eip-1")])]
    outcome = ask(parts, "web", HOST, protocol=GRE)
    expect(outcome, "undetermined")
    assert outcome.unknowns == {("gateway.nat", "nat-1")}
    expect(ask(parts, "web", HOST, protocol=ICMP), "reachable")


def test_unknown_entries_leave_it_open() -> None:
    expect(ask([BY_NAT, nat(snat={"unknown": "no permission"})], "web", HOST), "undetermined")


def test_a_blackhole_of_a_snat_address_stops_replies_by_assumption_only() -> None:
    parts = [BY_NAT, EIP_1, nat(snat=[snat("10.0.1.0/24", "eip-1")]), BLACKHOLED]
    expect(ask(parts, "web", HOST), "unreachable", ("blackhole.public_ip", "eip-1"))
    expect(ask(parts, "web", HOST, assumptions={"blackhole_stops_snat_replies": "false"}), "reachable")
    expect(ask(parts, "web", HOST, one_way=True), "reachable")


def test_a_private_destination_does_not_pass_an_internet_nat_gateway() -> None:
    parts = [
        BY_NAT,
        EIP_1,
        nat(snat=[snat("10.0.1.0/24", "eip-1")]),
        {"networks": {"office": {"cidrs": ["8.8.8.0/24"]}}},
    ]
    expect(ask(parts, "web", "8.8.8.8"), "unreachable", ("gateway.nat", "nat-1"))


# -------------------------------------------------------------------------------------------------------------- DNAT


def test_dnat_shifts_the_port() -> None:
    only_80 = {"security_groups": {"sg-open": {"rules": [{**accept(HOST), "protocol": "tcp", "ports": "80/80"}]}}}
    outcome = ask([BY_NAT, EIP_1, nat(dnat=[dnat(8080, "10.0.1.10", 80)]), only_80], HOST, "203.0.113.1", 8080)
    expect(outcome, "reachable")
    assert hop_at(outcome, "eni-web") == (HOST, "10.0.1.10", 50000, 80)
    assert outcome.paths[0].back[-1] == ("internet", "203.0.113.1", HOST, 8080, 50000)


def test_an_internet_host_that_asks_for_an_instance_asks_the_entry_that_leads_to_it() -> None:
    outcome = ask([BY_NAT, EIP_1, nat(dnat=[dnat(8080, "10.0.1.10", 80)])], HOST, "web", 80)
    expect(outcome, "reachable")
    assert outcome.paths[0].forward[0] == ("internet", HOST, "203.0.113.1", 50000, 8080)
    refused = ask([BY_NAT, EIP_1, nat(dnat=[dnat(8080, "10.0.1.10", 80)])], HOST, "web", 81)
    expect(refused, "unreachable", ("gateway.public_ip", "eni-web"))


def test_every_entry_to_an_address_is_a_path() -> None:
    entries = [dnat(8080, "10.0.1.10", 80), dnat(8081, "10.0.1.10", 80)]
    outcome = ask([BY_NAT, EIP_1, nat(dnat=entries)], HOST, "web", 80)
    expect(outcome, "reachable")
    assert [path.forward[0][4] for path in outcome.paths] == [8080, 8081]


def test_a_port_without_an_entry_is_dropped_at_the_gateway() -> None:
    outcome = ask([BY_NAT, EIP_1, nat(dnat=[dnat(8080, "10.0.1.10", 80)])], HOST, "203.0.113.1", 80)
    expect(outcome, "unreachable", ("gateway.nat", "nat-1"))


def test_an_eip_of_the_internal_address_defeats_dnat() -> None:
    outcome = ask([BY_NAT, EIP_1, WEB_EIP, nat(dnat=[dnat(8080, "10.0.1.10", 80)])], HOST, "203.0.113.1", 8080)
    expect(outcome, "unreachable", ("gateway.nat", "nat-1"))


def test_an_entry_to_nobodys_address_is_dropped_at_the_gateway() -> None:
    outcome = ask([BY_NAT, EIP_1, nat(dnat=[dnat(8080, "10.0.1.99", 80)])], HOST, "203.0.113.1", 8080)
    expect(outcome, "unreachable", ("gateway.nat", "nat-1"))


def test_an_entry_for_any_serves_outbound_and_keeps_the_port() -> None:
    whole = {"eip": "eip-1", "protocol": "any", "internal_ip": "10.0.1.10"}
    outcome = ask([BY_NAT, EIP_1, EIP_2, nat(dnat=[whole], snat=[snat("10.0.1.0/24", "eip-2")])], "web", HOST)
    expect(outcome, "reachable")
    assert hop_at(outcome, EDGE) == ("203.0.113.1", HOST, 50000, 443)


def test_a_reply_by_another_gateway_does_not_reach_the_client() -> None:
    second = [eip("eip-3", "203.0.113.3", "nat-2"), nat("nat-2", snat=[snat("10.0.0.0/16", "eip-3")])]
    parts = [system("v-a", ("0.0.0.0/0", "nat-2")), EIP_1, nat(dnat=[dnat(8080, "10.0.1.10", 80)]), *second]
    expect(ask(parts, HOST, "203.0.113.1", 8080), "unreachable", ("route.return", "a1"))


def test_a_reply_without_a_route_to_the_gateway_is_lost() -> None:
    parts = [EIP_1, nat(dnat=[dnat(8080, "10.0.1.10", 80)])]
    expect(ask(parts, HOST, "203.0.113.1", 8080), "unreachable", ("route.return", "a1"))
    expect(ask(parts, HOST, "203.0.113.1", 8080, one_way=True), "reachable")


def test_a_hairpin_is_translated_twice_and_back() -> None:
    parts = [BY_NAT, EIP_1, EIP_2, nat(dnat=[dnat(8080, "10.0.2.10", 80)], snat=[snat("10.0.1.0/24", "eip-2")])]
    outcome = ask(parts, "web", "203.0.113.1", 8080)
    expect(outcome, "reachable")
    assert hop_at(outcome, "eni-app") == ("203.0.113.2", "10.0.2.10", 40000, 80)
    assert outcome.paths[0].back[-1] == ("eni-web", "203.0.113.1", "10.0.1.10", 8080, 50000)
    bound = [*parts, nat(eip_bind_mode="MULTI_BINDED")]
    expect(ask(bound, "web", "203.0.113.1", 8080), "unreachable", ("gateway.nat", "nat-1"))


# ----------------------------------------------------------------------------------------------------------- VPC NAT


def by_vpc_nat(back: str) -> list[Part]:
    """Web goes by a VPC NAT gateway in a2 to VPC b, whose table leads a block back."""
    return [
        custom("a1", ("10.1.0.0/16", "nat-v")),
        system("v-a", ("10.1.0.0/16", "pcx")),
        system("v-b", (back, "pcx")),
        {"peerings": {"pcx": {"vpc": "v-a", "peer_vpc": "v-b"}}},
        nat("nat-v", network_type="intranet", vswitch="a2", snat=[{"source": "10.0.1.0/24", "nat_ip": "10.0.2.100"}]),
    ]


def test_a_vpc_nat_gateway_translates_over_a_peering() -> None:
    outcome = ask(by_vpc_nat("10.0.2.0/24"), "web", "db")
    expect(outcome, "reachable")
    assert hop_at(outcome, "eni-db") == ("10.0.2.100", "10.1.1.10", 40000, 443)
    assert places(outcome) == ["eni-web", "a1", "nat-v", "nat-v", "a2", "pcx", "v-b", "eni-db"]
    assert places(outcome, back=True) == ["eni-db", "b1", "pcx", "v-a", "nat-v", "a2", "eni-web"]


def test_the_reply_to_a_vpc_nat_gateway_needs_a_route_to_its_address() -> None:
    expect(ask(by_vpc_nat("10.0.1.0/24"), "web", "db"), "unreachable", ("route.return", "b1"))


# ------------------------------------------------------------------------------------------------------ IPv4 gateway

IGW: Part = {"ipv4_gateways": {"igw": {"vpc": "v-a"}}}
BY_IGW = system("v-a", ("0.0.0.0/0", "igw"))


def test_a_public_vswitch_meets_the_internet_by_the_ipv4_gateway() -> None:
    expect(ask([IGW, BY_IGW, WEB_EIP], "web", HOST), "reachable")
    expect(ask([IGW, BY_IGW, WEB_EIP], HOST, "web"), "reachable")


def test_a_private_vswitch_gets_nothing_by_the_ipv4_gateway() -> None:
    parts = [IGW, system("v-a"), WEB_EIP]
    expect(ask(parts, HOST, "web"), "unreachable", ("gateway.ipv4", "igw"), ("route.return", "a1"))
    expect(ask(parts, "web", HOST), "unreachable", ("route.forward", "a1"))


def test_the_ipv4_gateway_wants_a_public_address() -> None:
    expect(ask([IGW, BY_IGW], "web", HOST), "unreachable", ("gateway.ipv4", "igw"))


def test_an_ipv4_gateway_that_is_not_enabled_changes_nothing() -> None:
    off: Part = {"ipv4_gateways": {"igw": {"vpc": "v-a", "enabled": False}}}
    expect(ask([off, WEB_EIP], "web", HOST), "reachable")
    expect(ask([off, BY_IGW], "web", HOST), "unreachable", ("gateway.ipv4", "igw"))


def test_an_eip_of_an_address_of_the_vpc_serves_the_ipv4_gateway() -> None:
    named: Part = {"eips": {"eip-x": {"ip": "203.0.113.9", "vpc": "v-a", "private_ip": "10.0.1.10"}}}
    outcome = ask([IGW, BY_IGW, named], "web", HOST)
    expect(outcome, "reachable")
    assert hop_at(outcome, EDGE)[0] == "203.0.113.9"


def by_gateway_table() -> list[Part]:
    """What comes in for a1, and what a1 sends out, goes through app."""
    table: Part = {"vpc": "v-a", "type": "gateway", "routes": rows(("10.0.1.0/24", "app"))}
    return [
        {"route_tables": {"rt-g": table}, "ipv4_gateways": {"igw": {"vpc": "v-a", "route_table": "rt-g"}}},
        custom("a1", ("0.0.0.0/0", "app")),
        custom("a2", ("0.0.0.0/0", "igw")),
        WEB_EIP,
    ]


def test_a_gateway_table_steers_what_comes_in_to_an_appliance() -> None:
    outcome = ask(by_gateway_table(), HOST, "web")
    expect(outcome, "reachable")
    assert places(outcome) == ["internet", EDGE, "igw", "eni-app", "a2", "eni-web"]
    assert places(outcome, back=True) == ["eni-web", "a1", "eni-app", "a2", "igw", EDGE, "internet"]


def test_the_appliance_of_a_gateway_table_has_its_group_asked() -> None:
    shut = {"instances": {"app": host("10.0.2.10", "a2", "eni-app", "sg-shut")}}
    outcome = ask([*by_gateway_table(), shut], HOST, "web")
    expect(outcome, "unreachable", ("eni.security_group.ingress", "eni-app"))


def test_a_nat_gateways_own_vswitch_must_lead_to_the_ipv4_gateway() -> None:
    gateway = nat(vswitch="a2", snat=[snat("10.0.1.0/24", "eip-1")])
    parts = [IGW, custom("a1", ("0.0.0.0/0", "nat-1")), EIP_1, gateway]
    expect(ask([*parts, system("v-a")], "web", HOST), "unreachable", ("gateway.nat", "nat-1"))
    expect(ask([*parts, BY_IGW], "web", HOST), "reachable")


def test_a_vpc_in_private_mode_does_not_meet_the_internet() -> None:
    private: Part = {"vpcs": {"v-a": {"internet_mode": "private"}}}
    expect(ask([private, WEB_EIP], "web", HOST), "unreachable", ("gateway.ipv4", "v-a"))
    expect(ask([private, WEB_EIP], HOST, "web"), "unreachable", ("gateway.ipv4", "v-a"))


# -------------------------------------------------------------------------------------------------- public addresses


def second_eni(**of_eip: Any) -> list[Part]:
    """Web has a second ENI in a2, with an EIP."""
    eni = {"vswitch": "a2", "ip": "10.0.2.20", "security_groups": ["sg-open"], "type": "secondary"}
    first = {"eni-web": {"type": "primary"}, "eni-sec": eni}
    return [
        {"instances": {"web": {"network_interfaces": first}}},
        eip("eip-s", "203.0.113.20", "eni-sec", **of_eip),
    ]


def test_an_eip_on_a_secondary_eni_serves_that_eni_alone() -> None:
    outcome = ask(second_eni(), HOST, "eni-sec")
    expect(outcome, "reachable")
    assert hop_at(outcome, "eni-sec") == (HOST, "10.0.2.20", 50000, 443)
    expect(ask(second_eni(), HOST, "web"), "unreachable", ("gateway.public_ip", "eni-web"))
    expect(ask(second_eni(), "web", HOST), "unreachable", ("route.forward", "a1"))


def test_an_eip_that_is_locked_carries_nothing() -> None:
    locked = second_eni(business_status="SecurityLocked")
    expect(ask(locked, HOST, "eni-sec"), "unreachable", ("gateway.public_ip", "eni-sec"))
    expect(ask(locked, "eni-sec", HOST), "unreachable", ("gateway.public_ip", "eni-sec"))


def test_a_binded_eip_is_seen_in_the_guest_and_meets_no_acl() -> None:
    parts = [*second_eni(mode="BINDED"), {"vswitches": {"a2": {"network_acl": "acl-shut"}}}]
    outcome = ask(parts, HOST, "eni-sec")
    expect(outcome, "reachable")
    assert hop_at(outcome, "eni-sec") == (HOST, "203.0.113.20", 50000, 443)
    outbound = ask(parts, "eni-sec", HOST)
    expect(outbound, "reachable")
    assert outbound.paths[0].forward[0] == ("eni-sec", "203.0.113.20", HOST, 50000, 443)


def test_a_binded_eni_has_no_private_networking() -> None:
    parts = second_eni(mode="BINDED")
    expect(ask(parts, "far", "eni-sec"), "unreachable", ("gateway.public_ip", "eni-sec"))
    expect(ask(parts, "eni-sec", "far"), "unreachable", ("gateway.public_ip", "eni-sec"))


def test_binded_and_an_ipv4_gateway_are_not_compatible() -> None:
    parts = [*second_eni(mode="BINDED"), IGW, BY_IGW]
    expect(ask(parts, HOST, "eni-sec"), "undetermined")
    expect(ask(parts, "eni-sec", HOST), "undetermined")


def test_a_static_public_address_without_bandwidth_carries_nothing() -> None:
    static = {"instances": {"web": {"public_ip": "203.0.113.30", "public_bandwidth_mbps": 0}}}
    expect(ask([static], HOST, "web"), "unreachable", ("gateway.public_ip", "eni-web"))
    expect(ask([static], "web", HOST), "unreachable", ("gateway.public_ip", "eni-web"))


def test_an_eip_that_is_bound_to_nothing_leads_nowhere() -> None:
    expect(ask([eip("eip-n", "203.0.113.40")], HOST, "203.0.113.40"), "unreachable", ("gateway.public_ip", "eip-n"))


def test_an_eip_of_unknown_binding_leaves_it_open() -> None:
    lost = eip("eip-n", "203.0.113.40", {"unknown": "no permission"})
    expect(ask([lost], HOST, "203.0.113.40"), "undetermined")
    expect(ask([lost], HOST, "web"), "undetermined")


def test_a_blackhole_stops_what_comes_in_and_the_replies_to_what_goes_out() -> None:
    parts = [WEB_EIP, BLACKHOLED]
    expect(ask(parts, HOST, "web"), "unreachable", ("blackhole.public_ip", "eni-web"))
    expect(ask(parts, "web", HOST), "unreachable", ("blackhole.public_ip", "eni-web"))
    expect(ask(parts, "web", HOST, one_way=True), "reachable")


def test_a_blackhole_that_is_over_stops_nothing() -> None:
    over = {"ddos": {"blackholed": [{"ip": "203.0.113.10", "until": "2026-11-24T07:59:59Z"}]}}
    expect(ask([WEB_EIP, over], HOST, "web"), "reachable")


def test_a_specific_row_takes_traffic_from_the_public_address() -> None:
    parts = [WEB_EIP, system("v-a", ("198.51.100.0/24", "nat-1")), nat()]
    expect(ask(parts, "web", HOST), "unreachable", ("gateway.nat", "nat-1"))
    expect(ask(parts, "web", HOST, assumptions={"specific_route_beats_eip": "false"}), "reachable")


def test_a_default_row_to_a_nat_gateway_does_not() -> None:
    expect(ask([WEB_EIP, BY_NAT, nat()], "web", HOST), "reachable")


def test_two_public_addresses_of_the_topology_meet_at_the_edge() -> None:
    parts = [WEB_EIP, eip("eip-db", "203.0.113.11", "eni-db")]
    outcome = ask(parts, "web", "203.0.113.11")
    expect(outcome, "reachable")
    assert hop_at(outcome, "eni-db") == ("203.0.113.10", "10.1.1.10", 50000, 443)
    assert outcome.paths[0].back[-1] == ("eni-web", "203.0.113.11", "10.0.1.10", 443, 50000)


def test_mail_to_the_internet_needs_to_be_unlocked() -> None:
    expect(ask([WEB_EIP], "web", HOST, 25), "unreachable", ("platform.smtp_egress", "eni-web"))
    expect(ask([WEB_EIP, {"instances": {"web": {"smtp_unlocked": True}}}], "web", HOST, 25), "reachable")
    expect(ask([], "web", "far", 25), "reachable")


def test_a_cloud_service_answers_by_itself() -> None:
    outcome = ask([], "web", "100.100.2.136")
    expect(outcome, "reachable")
    assert outcome.paths[0].back == ()


# -------------------------------------------------------------------------------------------------------------- HaVip


def havip(master: Any) -> Part:
    """A HaVip of a1."""
    return {"havips": {"hv": {"vswitch": "a1", "ip": "10.0.1.200", "master": master}}}


def test_a_havip_leads_to_its_master() -> None:
    outcome = ask([havip("web")], "far", "hv")
    expect(outcome, "reachable")
    assert hop_at(outcome, "eni-web")[1] == "10.0.1.200"
    public = ask([havip("eni-web"), eip("eip-h", "203.0.113.50", "hv")], HOST, "hv")
    expect(public, "reachable")
    assert public.paths[0].back[-1] == ("internet", "203.0.113.50", HOST, 443, 50000)


def test_a_havip_without_a_master_leads_nowhere() -> None:
    expect(ask([havip(None)], "far", "hv"), "unreachable", ("gateway.havip", "hv"))
    expect(ask([havip({"unknown": "not collected"})], "far", "hv"), "undetermined")


# ------------------------------------------------------------------------------------------------------------ peering

A_TO_B, B_TO_A = system("v-a", ("10.1.0.0/16", "pcx")), system("v-b", ("10.0.0.0/16", "pcx"))


def pcx(**more: Any) -> Part:
    """A peering of the two VPCs."""
    return {"peerings": {"pcx": {"vpc": "v-a", "peer_vpc": "v-b", **more}}}


def test_a_peering_joins_two_vpcs_both_ways() -> None:
    expect(ask([pcx(), A_TO_B, B_TO_A], "web", "db"), "reachable")
    expect(ask([pcx(), A_TO_B, B_TO_A], "db", "web"), "reachable")


def test_only_an_activated_peering_carries_traffic() -> None:
    expect(ask([pcx(status="Accepting"), A_TO_B, B_TO_A], "web", "db"), "unreachable", ("gateway.peering", "pcx"))
    expect(ask([pcx(status={"unknown": "?"}), A_TO_B, B_TO_A], "web", "db"), "undetermined")


def test_a_peering_without_a_return_route_is_one_way() -> None:
    expect(ask([pcx(), A_TO_B], "web", "db"), "unreachable", ("route.return", "b1"))
    expect(ask([pcx(), A_TO_B], "web", "db", one_way=True), "reachable")


def test_vpcs_that_overlap_are_not_peered() -> None:
    wide: Part = {"vpcs": {"v-b": {"cidrs": ["10.1.0.0/16", "10.0.128.0/17"]}}}
    expect(ask([pcx(), A_TO_B, B_TO_A, wide], "web", "db"), "unreachable", ("gateway.peering", "pcx"))


def test_a_peering_is_not_transitive() -> None:
    third: Part = {
        "vpcs": {"v-c": {"cidrs": ["10.2.0.0/16"]}},
        "vswitches": {"c1": {"vpc": "v-c", "cidr": "10.2.1.0/24"}},
        "instances": {"deep": host("10.2.1.10", "c1", "eni-deep")},
        "peerings": {"pcx-bc": {"vpc": "v-b", "peer_vpc": "v-c"}},
    }
    parts = [pcx(), system("v-a", ("10.2.0.0/16", "pcx")), system("v-b", ("10.2.0.0/16", "pcx-bc")), third]
    expect(ask(parts, "web", "deep"), "unreachable", ("gateway.peering", "pcx"))


def test_the_other_vpcs_system_table_must_say_local() -> None:
    steered = system("v-b", ("10.0.0.0/16", "pcx"), ("10.1.1.0/24", "db"))
    expect(ask([pcx(), A_TO_B, steered], "web", "db"), "unreachable", ("gateway.peering", "pcx"))


def test_a_peer_that_is_not_described_is_a_network() -> None:
    away: Part = {"peerings": {"pcx": {"vpc": "v-a", "peer_vpc": "vpc-theirs", "peer_cidrs": ["10.9.0.0/16"]}}}
    parts = [away, system("v-a", ("10.9.0.0/16", "pcx"))]
    expect(ask(parts, "web", "10.9.1.1"), "reachable")
    expect(ask(parts, "10.9.1.1", "web"), "reachable")


def test_a_reply_through_an_appliance_that_never_saw_the_question_is_judged_there() -> None:
    only_b = {"security_groups": {"sg-b": {"vpc": "v-a", "rules": [accept("10.1.0.0/16")]}}}
    parts = [
        pcx(),
        B_TO_A,
        A_TO_B,
        custom("a1", ("10.1.0.0/16", "app")),
        only_b,
        {"instances": {"app": host("10.0.2.10", "a2", "eni-app", "sg-b")}},
    ]
    outcome = ask(parts, "db", "web")
    expect(outcome, "unreachable", ("eni.security_group.ingress.return", "eni-app"))
    assert places(outcome, back=True) == ["eni-web", "a1", "eni-app", "a2", "pcx", "v-b", "eni-db"]


# ------------------------------------------------------------------------------------------- router interfaces, VBRs


def leased_line(*more: tuple[str, str], **opposite: Any) -> list[Part]:
    """VPC a is joined to a VBR, behind which the office is."""
    return [
        {"networks": {"office": {"cidrs": ["192.168.0.0/16"]}}},
        {
            "router_interfaces": {
                "ri-a": {"router": "v-a", "opposite": "ri-v"},
                "ri-v": {"router": "vbr", "opposite": "ri-a", **opposite},
            },
            "vbrs": {"vbr": {"routes": rows(("192.168.0.0/16", "office"), *more)}},
        },
    ]


BY_RI = system("v-a", ("192.168.0.0/16", "ri-a"))
VBR_BACK = ("10.0.0.0/16", "ri-v")


def test_a_leased_line_carries_both_ways() -> None:
    outcome = ask([BY_RI, *leased_line(VBR_BACK)], "web", OFFICE)
    expect(outcome, "reachable")
    assert places(outcome) == ["eni-web", "a1", "ri-a", "vbr", "office"]
    assert places(outcome, back=True) == ["office", "vbr", "ri-v", "v-a", "eni-web"]
    expect(ask([BY_RI, *leased_line(VBR_BACK)], OFFICE, "web"), "reachable")


def test_a_vbr_needs_a_row_back() -> None:
    expect(ask([BY_RI, *leased_line()], "web", OFFICE), "unreachable", ("route.return", "vbr"))


def test_both_router_interfaces_must_be_active() -> None:
    parts = [BY_RI, *leased_line(VBR_BACK, status="Inactive")]
    expect(ask(parts, "web", OFFICE), "unreachable", ("gateway.router_interface", "ri-v"))


def test_a_vpc_without_a_route_back_to_the_office_does_not_answer() -> None:
    expect(ask(leased_line(VBR_BACK), OFFICE, "web"), "unreachable", ("route.return", "a1"))


def test_two_leased_lines_are_two_choices() -> None:
    second: Part = {"vbrs": {"vbr-2": {"status": "terminated", "routes": rows(("192.168.0.0/16", "office"))}}}
    outcome = ask([BY_RI, *leased_line(VBR_BACK), second], OFFICE, "web")
    expect(outcome, "partial", ("gateway.vbr", "vbr-2"), ("route.forward", "vbr-2"))


# ----------------------------------------------------------------------------------------------------- appliances


def through_app(*parts: Part) -> list[Part]:
    """What goes between web and far goes through app, both ways."""
    return [custom("a1", ("10.0.3.0/24", "app")), custom("a3", ("10.0.1.0/24", "app")), *parts]


def test_an_appliance_forwards_both_ways() -> None:
    outcome = ask(through_app(), "web", "far")
    expect(outcome, "reachable")
    assert places(outcome) == ["eni-web", "a1", "eni-app", "a2", "eni-far"]
    assert places(outcome, back=True) == ["eni-far", "a3", "eni-app", "a2", "eni-web"]


def test_an_appliance_of_which_everything_is_wrong_is_told_of_all() -> None:
    wrong = host("10.0.2.10", "a2", "eni-app", "sg-shut", source_dest_check=True)
    parts = through_app({"instances": {"app": {**wrong, "status": "Stopped", "guest": {"ip_forward": False}}}})
    expect(
        ask([*parts, {"vswitches": {"a2": {"network_acl": "acl-shut"}}}], "web", "far"),
        "unreachable",
        ("gateway.appliance", "eni-app"),
        ("guest.forwarding", "app"),
        ("eni.security_group.ingress", "eni-app"),
        ("vswitch.network_acl.ingress", "a2"),
        ("vswitch.network_acl.egress", "a2"),
        ("vswitch.network_acl.ingress.return", "a2"),
        ("vswitch.network_acl.egress.return", "a2"),
    )


def test_source_dest_check_alone_drops() -> None:
    checked = {"instances": {"app": host("10.0.2.10", "a2", "eni-app", source_dest_check=True)}}
    expect(ask(through_app(checked), "web", "far"), "unreachable", ("gateway.appliance", "eni-app"))


def test_a_guest_that_does_not_forward_drops() -> None:
    parts = through_app({"instances": {"app": {"guest": {"ip_forward": False}}}})
    expect(ask(parts, "web", "far"), "unreachable", ("guest.forwarding", "app"))


def test_an_appliance_whose_table_leads_to_itself_is_a_loop() -> None:
    expect(ask(through_app(custom("a2", ("10.0.3.0/24", "app"))), "web", "far"), "unreachable", ("route.forward", "a2"))


def test_two_appliances_that_send_to_each_other_are_a_loop() -> None:
    second = {"instances": {"app2": host("10.0.1.50", "a1", "eni-app2")}}
    parts = through_app(second, custom("a2", ("10.0.3.0/24", "app2")))
    expect(ask(parts, "web", "far"), "unreachable", ("route.forward", "a1"))


def test_an_appliance_with_a_public_address_translates_for_the_others() -> None:
    parts = [custom("a1", ("0.0.0.0/0", "app")), eip("eip-app", "203.0.113.60", "app")]
    outcome = ask(parts, "web", HOST)
    expect(outcome, "reachable")
    assert hop_at(outcome, EDGE) == ("203.0.113.60", HOST, 40000, 443)
    assert outcome.paths[0].back[-1] == ("eni-web", HOST, "10.0.1.10", 443, 50000)
    assert places(outcome, back=True) == ["internet", EDGE, "eni-app", "a2", "eni-web"]


def test_an_appliance_without_a_public_address_does_not() -> None:
    expect(ask([custom("a1", ("0.0.0.0/0", "app"))], "web", HOST), "unreachable", ("route.forward", "a2"))


def ecmp(**of_second: Any) -> list[Part]:
    """Web reaches far by app, or by app2, whose group is shut."""
    row: Part = {"destination": "10.0.3.0/24", "next_hop": "app", "others": [{"id": "app2", **of_second}]}
    return [
        {"instances": {"app2": host("10.0.2.50", "a2", "eni-app2", "sg-shut")}},
        {"route_tables": {"rt-a1": {"vpc": "v-a", "routes": [row]}}, "vswitches": {"a1": {"route_table": "rt-a1"}}},
    ]


def test_equal_next_hops_are_paths_of_their_own() -> None:
    outcome = ask(ecmp(), "web", "far")
    expect(outcome, "partial", ("eni.security_group.ingress", "eni-app2"))
    assert [path.passes for path in outcome.paths] == ["accept", "drop"]


def test_a_standby_next_hop_waits_for_the_active_one_to_fail() -> None:
    expect(ask(ecmp(weight=0), "web", "far"), "reachable")
    failed = ecmp(weight=0)
    failed[1]["route_tables"]["rt-a1"]["routes"][0]["healthy"] = False
    expect(ask(failed, "web", "far"), "unreachable", ("eni.security_group.ingress", "eni-app2"))


def test_without_a_healthy_next_hop_the_row_leads_nowhere() -> None:
    failed = ecmp(healthy=False)
    failed[1]["route_tables"]["rt-a1"]["routes"][0]["healthy"] = False
    expect(ask(failed, "web", "far"), "unreachable", ("route.forward", "a1"))


# ---------------------------------------------------------------------------------------------------- transit router


def transit(a: Part | None = None, b: Part | None = None, *table: Part) -> list[Part]:
    """Both VPCs on a transit router of one table."""
    usual: Part = {"route_table": "t1", "propagates_to": ["t1"]}
    attachments = {"att-a": {"to": "v-a", **usual, **(a or {})}, "att-b": {"to": "v-b", **usual, **(b or {})}}
    return [
        {"transit_routers": {"tr": {"attachments": attachments, "route_tables": {"t1": {"routes": list(table)}}}}},
        system("v-a", ("10.1.0.0/16", "att-a")),
        system("v-b", ("10.0.0.0/16", "att-b")),
    ]


def test_a_transit_router_carries_what_is_associated_and_propagated() -> None:
    outcome = ask(transit(), "web", "db")
    expect(outcome, "reachable")
    assert places(outcome) == ["eni-web", "a1", "tr", "v-b", "eni-db"]


def test_an_attachment_without_association_is_not_routed() -> None:
    expect(ask(transit({"route_table": None}), "web", "db"), "unreachable", ("gateway.transit_router", "tr"))


def test_without_propagation_the_reply_finds_no_row() -> None:
    expect(ask(transit({"propagates_to": []}), "web", "db"), "unreachable", ("route.return", "tr"))


def test_a_blackhole_row_drops() -> None:
    parts = transit(None, None, {"destination": "10.1.1.10/32", "blackhole": True})
    expect(ask(parts, "web", "db"), "unreachable", ("gateway.transit_router", "tr"))


def test_a_detached_attachment_drops_and_the_packet_goes_on() -> None:
    shut = {"instances": {"db": host("10.1.1.10", "b1", "eni-db", "sg-shut")}}
    outcome = ask([*transit(None, {"status": "Detached"}), shut], "web", "db")
    expect(outcome, "unreachable", ("gateway.transit_router", "tr"), ("eni.security_group.ingress", "eni-db"))


def test_a_static_row_comes_before_a_propagated_one() -> None:
    third: Part = {
        "vpcs": {"v-c": {"cidrs": ["10.2.0.0/16"]}},
        "vswitches": {"c1": {"vpc": "v-c", "cidr": "10.2.1.0/24"}},
        "transit_routers": {"tr": {"attachments": {"att-c": {"to": "v-c"}}}},
    }
    parts = [*transit(None, None, {"destination": "10.1.1.0/24", "attachment": "att-c"}), third]
    expect(ask(parts, "web", "db"), "unreachable", ("route.forward", "v-c"))


def test_each_entry_vswitch_is_a_choice() -> None:
    entries: Part = {
        "vswitches": {"b2": {"vpc": "v-b", "cidr": "10.1.2.0/24"}, "b3": {"vpc": "v-b", "cidr": "10.1.3.0/24"}}
    }
    parts = [*transit(None, {"vswitches": ["b2", "b3"]}), entries, custom("b3", ("10.1.1.0/24", "db2"), vpc="v-b")]
    shut = {"instances": {"db2": host("10.1.3.9", "b3", "eni-db2", "sg-shut")}}
    outcome = ask([*parts, shut], "web", "db")
    expect(outcome, "partial", ("eni.security_group.ingress", "eni-db2"), ("route.forward", "b3"))
    assert [path.passes for path in outcome.paths] == ["accept", "drop"]


def test_two_transit_routers_are_joined_by_their_attachments() -> None:
    two: Part = {
        "transit_routers": {
            "tr": {
                "attachments": {
                    "att-a": {"to": "v-a", "route_table": "t1", "propagates_to": ["t1"]},
                    "link-1": {"to": "link-2", "route_table": "t1"},
                },
                "route_tables": {"t1": {"routes": [{"destination": "10.1.0.0/16", "attachment": "link-1"}]}},
            },
            "tr2": {
                "attachments": {
                    "att-b": {"to": "v-b", "route_table": "t2", "propagates_to": ["t2"]},
                    "link-2": {"to": "link-1", "route_table": "t2"},
                },
                "route_tables": {"t2": {"routes": [{"destination": "10.0.0.0/16", "attachment": "link-2"}]}},
            },
        }
    }
    tables = [system("v-a", ("10.1.0.0/16", "att-a")), system("v-b", ("10.0.0.0/16", "att-b"))]
    outcome = ask([two, *tables], "web", "db")
    expect(outcome, "reachable")
    assert places(outcome) == ["eni-web", "a1", "tr", "tr2", "v-b", "eni-db"]


def test_a_vbr_on_a_transit_router_is_reached_and_answers_by_it() -> None:
    parts: list[Part] = [
        {"networks": {"office": {"cidrs": ["192.168.0.0/16"]}}},
        {"vbrs": {"vbr": {"routes": rows(("192.168.0.0/16", "office"))}}},
        *transit(),
        {
            "transit_routers": {
                "tr": {"attachments": {"att-v": {"to": "vbr", "route_table": "t1", "propagates_to": ["t1"]}}}
            }
        },
        system("v-a", ("192.168.0.0/16", "att-a")),
    ]
    expect(ask(parts, "web", OFFICE), "reachable")
    expect(ask(parts, OFFICE, "web"), "reachable")


# ---------------------------------------------------------------------------------------------------------------- VPN


def vpn(routes: list[Part] | None = None, **of_connection: Any) -> list[Part]:
    """VPC a has a VPN gateway to the office, with a second connection beside."""
    row = {"destination": "192.168.0.0/16", "connection": "con-1"}
    connections = {"con-1": {"network": "office", **of_connection}}
    gateway = {"vpc": "v-a", "connections": connections, "routes": [row] if routes is None else routes}
    return [{"networks": {"office": {"cidrs": ["192.168.0.0/16"]}}, "vpn_gateways": {"vpn": gateway}}]


BY_VPN = system("v-a", ("192.168.0.0/16", "vpn"))


def test_a_vpn_carries_both_ways() -> None:
    expect(ask([BY_VPN, *vpn()], "web", OFFICE), "reachable")
    expect(ask([BY_VPN, *vpn()], OFFICE, "web"), "reachable")


def test_a_vpn_needs_a_row_in_the_vpc_and_one_of_its_own() -> None:
    expect(ask(vpn(), "web", OFFICE), "unreachable", ("route.forward", "a1"))
    expect(ask([BY_VPN, *vpn([])], "web", OFFICE), "unreachable", ("route.forward", "vpn"))


def test_a_vpn_encrypts_only_between_its_blocks_and_when_established() -> None:
    expect(ask([BY_VPN, *vpn(local_cidrs=["10.0.2.0/24"])], "web", OFFICE), "unreachable", ("gateway.vpn", "vpn"))
    down = vpn(status="ike_sa_established")
    expect(ask([BY_VPN, *down], "web", OFFICE), "unreachable", ("gateway.vpn", "vpn"))


def test_the_office_gets_no_answer_without_a_return_route() -> None:
    expect(ask(vpn(), OFFICE, "web"), "unreachable", ("route.return", "a1"))


def test_a_standby_connection_serves_where_the_active_one_is_down() -> None:
    both = [
        {"destination": "192.168.0.0/16", "connection": name, "weight": w} for name, w in (("con-1", 100), ("con-2", 0))
    ]
    second: Part = {"vpn_gateways": {"vpn": {"connections": {"con-2": {"network": "office"}}}}}
    parts = [BY_VPN, *vpn(both, status="ipsec_sa_not_established"), second]
    expect(ask(parts, "web", OFFICE), "reachable")


def test_a_row_by_bgp_is_there_while_bgp_is_up() -> None:
    learned = [{"destination": "192.168.0.0/16", "connection": "con-1", "origin": "BGP"}]
    expect(ask([BY_VPN, *vpn(learned, bgp_up=True)], "web", OFFICE), "reachable")
    expect(ask([BY_VPN, *vpn(learned, bgp_up=False)], "web", OFFICE), "unreachable", ("route.forward", "vpn"))
    expect(ask([BY_VPN, *vpn(learned, bgp_up={"unknown": "?"})], "web", OFFICE), "undetermined")


# ------------------------------------------------------------------------------------------------------ load balancers


def balancer(servers: list[Part] | None = None, **more: Any) -> Part:
    """A load balancer in a2 that sends port 80 to port 8080 of web, whose group is shut."""
    listener: Part = {"protocol": "tcp", "port": 80, "server_group": "g", **more.pop("listener", {})}
    described = {
        "vpc": "v-a",
        "vswitch": "a2",
        "ip": "10.0.2.200",
        "listeners": [listener],
        "server_groups": {"g": {"servers": [{"server": "web", "port": 8080}] if servers is None else servers}},
        **more,
    }
    return {
        "load_balancers": {"lb": described},
        "instances": {"web": host("10.0.1.10", "a1", "eni-web", "sg-shut")},
    }


def test_a_load_balancer_sends_to_its_back_end_past_the_groups() -> None:
    outcome = ask([balancer()], "far", "lb", 80)
    expect(outcome, "reachable")
    assert hop_at(outcome, "eni-web") == ("10.0.3.10", "10.0.1.10", 50000, 8080)
    assert outcome.paths[0].back[-1] == ("eni-far", "10.0.2.200", "10.0.3.10", 80, 50000)


def test_a_load_balancer_by_its_public_address() -> None:
    parts = [balancer(), eip("eip-lb", "203.0.113.70", "lb")]
    expect(ask(parts, HOST, "lb", 80), "reachable")
    expect(ask(parts, HOST, "203.0.113.70", 80), "reachable")
    expect(ask([balancer()], HOST, "lb", 80), "unreachable", ("gateway.public_ip", "lb"))


def test_a_port_without_a_listener_is_not_taken() -> None:
    expect(ask([balancer()], "far", "lb", 81), "unreachable", ("gateway.load_balancer", "lb"))


def test_only_healthy_servers_of_weight_are_chosen() -> None:
    nobody: list[Part] = [{"server": "web", "health": "unhealthy"}, {"server": "app", "weight": 0}]
    expect(ask([balancer(nobody)], "far", "lb", 80), "unreachable", ("gateway.load_balancer", "lb"))
    doubtful: list[Part] = [{"server": "web", "health": {"unknown": "?"}}]
    expect(ask([balancer(doubtful)], "far", "lb", 80), "undetermined")


def test_the_acl_of_a_back_end_is_met_even_inside_its_vswitch() -> None:
    two: list[Part] = [{"server": "web"}, {"server": "app"}]
    shut: Part = {"vswitches": {"a2": {"network_acl": "acl-shut"}}}
    expect(
        ask([balancer(two), shut], "far", "lb", 80),
        "partial",
        ("vswitch.network_acl.ingress", "a2"),
        ("vswitch.network_acl.egress.return", "a2"),
    )


def test_an_access_list_refuses_clients() -> None:
    listed = {"access_list": {"allow": True, "entries": ["10.9.0.0/16"]}}
    expect(ask([balancer(listener=listed)], "far", "lb", 80), "unreachable", ("gateway.load_balancer", "lb"))
    but = {"access_list": {"allow": False, "entries": ["10.9.0.0/16"]}}
    expect(ask([balancer(listener=but)], "far", "lb", 80), "reachable")


def test_a_network_load_balancer_has_groups_of_its_own() -> None:
    outcome = ask([balancer(type="nlb", security_groups=["sg-shut"])], "far", "lb", 80)
    expect(outcome, "unreachable", ("eni.security_group.ingress", "lb"))


def test_a_preserved_client_may_meet_the_groups_of_the_back_end() -> None:
    parts = [balancer(type="nlb")]
    expect(ask(parts, "far", "lb", 80), "reachable")
    meets = ask(parts, "far", "lb", 80, assumptions={"nlb_client_ip_meets_groups": "true"})
    expect(meets, "unreachable", ("eni.security_group.ingress", "eni-web"))


def test_a_client_that_is_not_preserved_is_hidden_behind_the_load_balancer() -> None:
    outcome = ask([balancer(type="nlb", preserve_client_ip=False)], "far", "lb", 80)
    expect(outcome, "reachable")
    assert hop_at(outcome, "eni-web") == ("10.0.2.200", "10.0.1.10", 40000, 8080)


# --------------------------------------------------------------------------------------------------------------- IPv6


def v6(*entries: Part, gateway: bool = True) -> list[Part]:
    """Web has an IPv6 address, and the VPC an IPv6 gateway."""
    parts: list[Part] = [
        {"vswitches": {"a1": {"ipv6_cidr": "2001:db8:a:1::/64"}}},
        {"instances": {"web": host("10.0.1.10", "a1", "eni-web", ipv6_addresses=[WEB_V6])}},
    ]
    return [*parts, {"ipv6_gateways": {"gw6": {"vpc": "v-a", "internet": list(entries)}}}] if gateway else parts


def test_an_ipv6_address_with_bandwidth_meets_the_internet() -> None:
    parts = v6({"ip": WEB_V6, "bandwidth_mbps": 5})
    expect(ask(parts, "web", HOST_V6), "reachable")
    expect(ask(parts, HOST_V6, "web"), "reachable")


def test_an_ipv6_address_without_bandwidth_is_private() -> None:
    expect(ask(v6(), "web", HOST_V6), "unreachable", ("gateway.ipv6", "gw6"))
    none = v6({"ip": WEB_V6, "bandwidth_mbps": 0})
    expect(ask(none, HOST_V6, "web"), "unreachable", ("gateway.ipv6", "gw6"))


def test_egress_only_drops_questions_that_come_in_and_lets_replies() -> None:
    parts = v6({"ip": WEB_V6, "bandwidth_mbps": 5, "egress_only": True})
    expect(ask(parts, "web", HOST_V6), "reachable")
    expect(ask(parts, HOST_V6, "web"), "unreachable", ("gateway.ipv6", "gw6"))


def test_without_a_described_ipv6_gateway_it_is_not_known() -> None:
    expect(ask(v6(gateway=False), "web", HOST_V6), "undetermined")


def test_a_custom_table_needs_a_row_to_the_ipv6_gateway() -> None:
    parts = v6({"ip": WEB_V6, "bandwidth_mbps": 5})
    expect(ask([*parts, custom("a1")], HOST_V6, "web"), "unreachable", ("route.return", "a1"))
    expect(ask([*parts, custom("a1", ("::/0", "gw6"))], HOST_V6, "web"), "reachable")


# ------------------------------------------------------------------------------------------------------ small matters


def test_an_internet_host_asks_in_vain_for_what_has_no_public_address() -> None:
    expect(ask([], HOST, "web"), "unreachable", ("gateway.public_ip", "eni-web"))


def test_an_address_that_nobody_has_is_not_delivered() -> None:
    expect(ask([], "web", "10.0.2.99"), "unreachable", ("route.forward", "a1"))


def test_icmp_replies_are_judged_where_groups_are_not_stateful_for_it() -> None:
    shut = {"instances": {"web": host("10.0.1.10", "a1", "eni-web", "sg-shut")}}
    expect(ask([shut], "web", "far", protocol=ICMP), "reachable")
    judged = ask([shut], "web", "far", protocol=ICMP, assumptions={"icmp_gre_stateful": "false"})
    expect(judged, "unreachable", ("eni.security_group.ingress.return", "eni-web"))


def test_a_next_hop_that_is_not_followed_leaves_it_open() -> None:
    endpoint: Part = {"destination": "198.51.100.0/24", "next_hop": "gwlbe", "next_hop_type": "GatewayEndpoint"}
    table: Part = {"route_tables": {"rt-v-a": {"vpc": "v-a", "type": "system", "routes": [endpoint]}}}
    outcome = ask([table], "web", HOST)
    expect(outcome, "undetermined")
    assert outcome.unknowns == {("route.forward", "a1")}


def test_a_load_balancer_asks_for_nothing() -> None:
    with pytest.raises(ValueError, match="sends nothing"):
        ask([balancer()], "lb", "far")
