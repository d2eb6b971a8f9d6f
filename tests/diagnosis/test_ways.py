"""What only whole reports show of paths that leave a VPC: guests behind translation, parts of a question, equal choices."""

from __future__ import annotations

from typing import Any

import pytest

import netinsight as ni
from netinsight.model.topology import Topology

Document = dict[str, Any]


def estate(**more: Any) -> Document:
    """A client and two servers in one VPC, all open, behind a NAT gateway."""
    group = {"sg": {"vpc": "vpc-1", "rules": [
        {"direction": "ingress", "policy": "accept", "protocol": "all", "source": "0.0.0.0/0"}]}}  # fmt: skip
    instances = {
        f"i-{name}": {"network_interfaces": {
            f"eni-{name}": {"vswitch": vswitch, "ip": ip, "security_groups": ["sg"]}}}
        for name, vswitch, ip in (
            ("a", "vsw-1", "10.0.1.10"), ("b", "vsw-2", "10.0.2.20"), ("c", "vsw-2", "10.0.2.30"),
            ("fw", "vsw-3", "10.0.3.5"), ("fw2", "vsw-3", "10.0.3.6"))
    }  # fmt: skip
    document: Document = {
        "schema": "netinsight.topology/1",
        "vpcs": {"vpc-1": {"cidrs": ["10.0.0.0/16"]}},
        "vswitches": {f"vsw-{n}": {"vpc": "vpc-1", "cidr": f"10.0.{n}.0/24"} for n in (1, 2, 3)},
        "security_groups": group,
        "eips": {"eip-1": {"ip": "203.0.113.1", "bound_to": "ngw-1"}, "eip-2": {"ip": "203.0.113.2", "bound_to": "ngw-1"}},
        "nat_gateways": {"ngw-1": {"vpc": "vpc-1", "vswitch": "vsw-3", "snat": [
            {"source": "10.0.0.0/16", "eip": "eip-1"}, {"source": "10.0.1.0/24", "eip": "eip-2"}],
            "dnat": [{"eip": "eip-1", "protocol": "tcp", "external_port": "8022/8023", "internal_ip": "10.0.2.20",
                      "internal_port": "22/23"}]}},
        "route_tables": {"rtb": {"vpc": "vpc-1", "type": "system", "routes": [
            {"destination": "0.0.0.0/0", "next_hop": "ngw-1"}]}},
        "instances": instances,
    }  # fmt: skip
    return {**document, **more}


def net(document: Document) -> ni.Net:
    return ni.Net(Topology.model_validate(document))


def blockers(answer: Any) -> list[tuple[str, str]]:
    return [(one.item, one.object.id) for one in answer.blockers]


def test_the_longest_source_block_translates_and_the_trace_has_both_addresses() -> None:
    report = net(estate()).diagnose("i-a", "198.51.100.7", port=443)
    assert report.verdict == "reachable"
    (path,) = report.paths
    assert [stage.packet.src for stage in path.forward] == ["10.0.1.10"] * 5
    nat = path.forward[-1]
    assert (nat.stage, nat.rule or nat.why) == ("nat", "ngw-1 translates the source 10.0.1.10 to 203.0.113.2")
    assert path.return_[0].packet.dst == "203.0.113.2"
    assert path.return_[0].packet.port == "1024-65535"
    assert path.return_[-1].packet.dst == "10.0.1.10"
    assert path.return_[-1].packet.port == "32768-60999"


@pytest.mark.parametrize(
    ("listening", "verdict"), [([22, 23], "reachable"), ([22], "partial"), ([8022], "unreachable")]
)
def test_behind_an_external_port_the_guest_is_asked_for_its_own(listening: list[int], verdict: str) -> None:
    document = estate()
    document["instances"]["i-b"]["guest"] = {"listening": [{"port": port} for port in listening]}
    report = net(document).diagnose("internet", "203.0.113.1", port="8022-8023")
    assert report.verdict == verdict
    assert report.reachable_ports == {"reachable": ["8022-8023"], "partial": ["8022"], "unreachable": []}[verdict]


def test_a_port_without_an_entry_is_told_apart_from_one_with() -> None:
    report = net(estate()).diagnose("internet", "203.0.113.1", port="8021-8022")
    assert report.verdict == "partial"
    assert report.reachable_ports == ["8022"]
    message = next(item.message for item in report.items if item.id == "gateway.nat")
    assert message == "ngw-1 has no DNAT entry for this port of 203.0.113.1 (port 8021)"


def through(*hops: Document) -> Document:
    """The client's packets to the other vSwitch go by these next hops, and back by the first."""
    first, *others = hops
    row = {"destination": "10.0.2.0/24", "next_hop": first["id"], "others": list(others)}
    back = {"destination": "10.0.1.0/24", "next_hop": first["id"]}
    return estate(route_tables={
        "rtb-1": {"vpc": "vpc-1", "routes": [row]}, "rtb-2": {"vpc": "vpc-1", "routes": [back]},
    }, vswitches={**estate()["vswitches"],
                  "vsw-1": {"vpc": "vpc-1", "cidr": "10.0.1.0/24", "route_table": "rtb-1"},
                  "vsw-2": {"vpc": "vpc-1", "cidr": "10.0.2.0/24", "route_table": "rtb-2"}})  # fmt: skip


def test_of_two_equal_next_hops_one_that_does_not_forward_makes_the_answer_partial() -> None:
    document = through({"id": "i-fw"}, {"id": "i-fw2"})
    document["instances"]["i-fw2"]["guest"] = {"ip_forward": False}
    answer = net(document).diagnose("i-a", "i-b", port=22)
    assert answer.verdict == "partial"
    assert [path.decision for path in answer.paths] == ["accept", "drop"]
    assert blockers(answer) == [("guest.forwarding", "i-fw2")]


def test_a_next_hop_that_stands_by_is_not_asked_while_the_other_is_healthy() -> None:
    document = through({"id": "i-fw"}, {"id": "i-fw2", "weight": 0})
    document["instances"]["i-fw2"]["guest"] = {"ip_forward": False}
    assert net(document).diagnose("i-a", "i-b", port=22).verdict == "reachable"


def test_a_reply_through_an_appliance_that_never_saw_the_question_is_judged_there() -> None:
    document = through({"id": "i-fw"})
    document["route_tables"]["rtb-1"]["routes"] = []
    document["security_groups"]["sg-fw"] = {"vpc": "vpc-1", "rules": [
        {"direction": "ingress", "policy": "accept", "protocol": "tcp", "ports": "22/22", "source": "0.0.0.0/0"}]}  # fmt: skip
    document["instances"]["i-fw"]["network_interfaces"]["eni-fw"]["security_groups"] = ["sg-fw"]
    answer = net(document).diagnose("i-a", "i-b", port=22)
    assert answer.verdict == "unreachable"
    assert blockers(answer) == [("eni.security_group.ingress.return", "eni-fw")]


def test_a_loop_is_named_by_its_nodes() -> None:
    document = through({"id": "i-fw"})
    document["route_tables"]["rtb-3"] = {
        "vpc": "vpc-1",
        "routes": [{"destination": "10.0.2.0/24", "next_hop": "i-fw2"}],
    }
    document["vswitches"]["vsw-3"]["route_table"] = "rtb-3"
    answer = net(document).diagnose("i-a", "i-b", port=22)
    assert answer.verdict == "unreachable"
    message = next(item.message for item in answer.items if item.id == "route.forward" and "loop" in item.message)
    assert "vsw-3" in message
    assert "eni-fw2" in message


def test_without_the_guest_the_forwarding_of_an_appliance_is_not_judged() -> None:
    document = through({"id": "i-fw"})
    document["instances"]["i-fw"]["guest"] = {"ip_forward": False}
    assert net(document).diagnose("i-a", "i-b", port=22).verdict == "unreachable"
    assert net(document).diagnose("i-a", "i-b", port=22, guest=False).verdict == "reachable"


def test_an_access_list_tells_the_hosts_of_the_internet_apart() -> None:
    listener = {"port": 80, "server_group": "rsp", "access_list": {"allow": True, "entries": ["198.51.100.0/24"]}}
    document = estate(load_balancers={"lb-1": {"vpc": "vpc-1", "public_ip": "203.0.113.9", "listeners": [listener],
                                               "server_groups": {"rsp": {"servers": [{"server": "i-b"}]}}}})  # fmt: skip
    answer = net(document).diagnose("internet", "lb-1", port=80)
    assert answer.verdict == "partial"
    assert blockers(answer) == [("gateway.load_balancer", "lb-1")]
    assert net(document).diagnose("198.51.100.7", "lb-1", port=80).verdict == "reachable"


def test_the_advice_is_that_of_the_reason() -> None:
    document = estate()
    document["nat_gateways"]["ngw-1"]["snat"] = []
    report = net(document).diagnose("i-a", "198.51.100.7", port=443)
    advice = next(item.suggestion for item in report.items if item.id == "gateway.nat")
    assert advice == "add to ngw-1 an SNAT entry whose source holds 10.0.1.10"


def test_an_instance_is_found_behind_the_public_address_of_another_of_its_enis() -> None:
    document = estate()
    second = {"type": "secondary", "vswitch": "vsw-3", "ip": "10.0.3.20", "secondary_ips": ["10.0.3.21"],
              "security_groups": ["sg"]}  # fmt: skip
    document["instances"]["i-b"]["network_interfaces"]["eni-b"]["type"] = "primary"
    document["instances"]["i-b"]["network_interfaces"]["eni-b2"] = second
    document["eips"]["eip-b"] = {"ip": "203.0.113.9", "bound_to": "eni-b2", "private_ip": "10.0.3.21"}
    for asked in ("i-b", "eni-b2"):
        report = net(document).diagnose("internet", asked, port=22)
        assert report.question.destination.eni == "eni-b2"
        assert report.question.destination.ip == "10.0.3.21"
        assert [stage.packet.dst for stage in report.paths[0].forward][-1] == "10.0.3.21"
    report = net(document).diagnose("internet", "eni-b", port=22)
    assert ("nat", "ngw-1") in [
        (stage.stage, stage.object.id) for stage in report.paths[0].forward
    ]  # by its DNAT entry
    assert report.question.destination.ip == "10.0.2.20"


def test_a_gateway_table_of_an_ipv6_gateway_steers_to_an_appliance() -> None:
    document = estate(ipv6_gateways={"v6": {"vpc": "vpc-1", "route_table": "rtb-6", "internet": [
        {"ip": "2001:db8:0:2::20", "bandwidth_mbps": 5}]}})  # fmt: skip
    document["vpcs"]["vpc-1"]["ipv6_cidr"] = "2001:db8::/56"
    document["vswitches"]["vsw-2"]["ipv6_cidr"] = "2001:db8:0:2::/64"
    document["instances"]["i-b"]["network_interfaces"]["eni-b"]["ipv6_addresses"] = ["2001:db8:0:2::20"]
    document["security_groups"]["sg"]["rules"].append(
        {"direction": "ingress", "policy": "accept", "protocol": "tcp", "source": "::/0"})  # fmt: skip
    document["route_tables"]["rtb-6"] = {"vpc": "vpc-1", "type": "gateway", "routes": [
        {"destination": "2001:db8:0:2::/64", "next_hop": "i-fw"}]}  # fmt: skip
    report = net(document).diagnose("internet", "i-b", port=22, family=6)
    assert ("appliance", "eni-fw") in [(stage.stage, stage.object.id) for stage in report.paths[0].forward]


@pytest.mark.parametrize(("guest", "gaps"), [
    (None, {"guest.forwarding", "firewall.iptables.forward"}),
    ({}, {"guest.forwarding", "firewall.iptables.forward"}),
    ({"ip_forward": True}, {"firewall.iptables.forward"}),
])  # fmt: skip
def test_what_nobody_knows_of_the_guest_of_an_appliance_is_listed(guest: Any, gaps: set[str]) -> None:
    document = estate()
    document["vswitches"]["vsw-1"]["route_table"] = "rtb-1"
    document["route_tables"]["rtb-1"] = {"vpc": "vpc-1", "type": "custom", "routes": [
        {"destination": "10.0.2.0/24", "next_hop": "i-fw"}]}  # fmt: skip
    if guest is not None:
        document["instances"]["i-fw"]["guest"] = guest
    report = net(document).diagnose("i-a", "i-b", port=22)
    assert {gap.item for gap in report.not_checked if gap.object.id == "i-fw"} == gaps
    assert report.verdict == "reachable"
    left_out = net(document).diagnose("i-a", "i-b", port=22, guest=False)
    assert {gap.item for gap in left_out.not_checked if gap.object.id == "i-fw"} == {
        "guest.forwarding", "firewall.iptables.forward"}  # fmt: skip


def test_a_loop_is_named_by_the_nodes_that_it_goes_round() -> None:
    document = estate()
    document["vswitches"]["vsw-1"]["route_table"] = "rtb-1"
    document["vswitches"]["vsw-3"]["route_table"] = "rtb-3"
    document["vswitches"]["vsw-4"] = {"vpc": "vpc-1", "cidr": "10.0.4.0/24", "route_table": "rtb-4"}
    document["instances"]["i-fw2"]["network_interfaces"]["eni-fw2"] |= {"vswitch": "vsw-4", "ip": "10.0.4.6"}
    for table, hop in (("rtb-1", "i-fw"), ("rtb-3", "i-fw2"), ("rtb-4", "i-fw")):
        document["route_tables"][table] = {"vpc": "vpc-1", "type": "custom", "routes": [
            {"destination": "10.0.2.0/24", "next_hop": hop}]}  # fmt: skip
    report = net(document).diagnose("i-a", "i-b", port=22)
    assert blockers(report) == [("route.forward", "vsw-4")]
    (item,) = (item for item in report.items if item.status == "abnormal")
    assert item.message == "the packet goes round in a loop: eni-fw -> vsw-3 -> eni-fw2 -> vsw-4 -> eni-fw"
    assert [one.id for one in item.evidence] == ["rtb-4/1"]


def balanced() -> Document:
    """A load balancer with a public address of its own, in front of one server."""
    return estate(load_balancers={"clb": {"type": "clb", "vpc": "vpc-1", "public_ip": "203.0.113.7", "listeners": [
        {"protocol": "tcp", "port": 80, "server_group": "web"}],
        "server_groups": {"web": {"servers": [{"server": "i-b", "port": 8080, "weight": 100}]}}}})  # fmt: skip


def test_the_blackhole_of_a_load_balancer_stops_what_comes_to_it() -> None:
    document = balanced()
    assert net(document).diagnose("internet", "203.0.113.7", port=80).verdict == "reachable"
    document["ddos"] = {"blackholed": [{"ip": "203.0.113.7"}]}
    report = net(document).diagnose("internet", "203.0.113.7", port=80)
    assert report.verdict == "unreachable"
    assert blockers(report) == [("blackhole.public_ip", "clb")]


@pytest.mark.parametrize("asked", [("203.0.113.7", 80), ("203.0.113.1", 8022)])
def test_a_server_behind_a_door_has_to_run(asked: tuple[str, int]) -> None:
    document = balanced()
    address, port = asked
    document["instances"]["i-b"]["status"] = "Stopped"
    report = net(document).diagnose("internet", address, port=port)
    assert report.verdict == "unreachable"
    assert ("precondition.instance_running", "i-b") in blockers(report)
    document["instances"]["i-b"]["status"] = {"unknown": "not imported"}
    assert net(document).diagnose("internet", address, port=port).verdict == "undetermined"


def test_without_a_translation_inside_the_far_end_is_not_judged_by_a_source_that_never_comes() -> None:
    document = estate()
    document["nat_gateways"]["ngw-2"] = {"vpc": "vpc-1", "vswitch": "vsw-3", "network_type": "intranet", "snat": []}
    document["vswitches"]["vsw-1"]["route_table"] = "rtb-1"
    document["route_tables"]["rtb-1"] = {"vpc": "vpc-1", "type": "custom", "routes": [
        {"destination": "10.0.2.0/24", "next_hop": "ngw-2"}]}  # fmt: skip
    document["security_groups"]["sg-shut"] = {"vpc": "vpc-1"}
    document["instances"]["i-b"]["network_interfaces"]["eni-b"]["security_groups"] = ["sg-shut"]
    assert blockers(net(document).diagnose("i-a", "i-b", port=22)) == [("gateway.nat", "ngw-2")]


def test_a_defeated_entry_translates_nothing_and_blames_nothing_else() -> None:
    document = estate()
    document["eips"]["eip-b"] = {"ip": "203.0.113.9", "bound_to": "i-b"}
    report = net(document).diagnose("internet", "203.0.113.1", port=8022)
    assert blockers(report) == [("gateway.nat", "ngw-1")]
    assert not [stage for path in report.paths for stage in path.forward if "translates" in stage.why]
    assert ("security_group.ingress", "eni-b") in [(stage.stage, stage.object.id) for stage in report.paths[0].forward]


@pytest.mark.parametrize(("more", "asked"), [
    ({"load_balancers": {"nlb": {"type": "nlb", "vpc": "vpc-1", "vswitch": "vsw-2", "ip": "10.0.2.200"}}}, "nlb"),
    ({"havips": {"hv": {"vswitch": "vsw-2", "ip": "10.0.2.201"}}}, "hv"),
])  # fmt: skip
def test_a_private_door_is_not_met_from_the_internet(more: Document, asked: str) -> None:
    report = net(estate(**more)).diagnose("internet", asked, port=80)
    assert report.verdict == "unreachable"
    assert blockers(report) == [("gateway.public_ip", asked)]


def test_from_a_network_without_an_entry_a_door_is_not_reached() -> None:
    nlb = {"type": "nlb", "vpc": "vpc-1", "vswitch": "vsw-2", "ip": "10.0.2.200"}
    document = estate(networks={"office": {"cidrs": ["192.168.20.0/24"]}}, load_balancers={"nlb": nlb})
    report = net(document).diagnose("192.168.20.5", "nlb", port=80)
    assert report.verdict == "unreachable"
    assert blockers(report) == [("route.forward", "office")]


RULES = "0: from all lookup local\n32766: from all lookup main\n32767: from all lookup default\n"
MAIN = "default via 10.0.2.253 dev eth0\n10.0.2.0/24 dev eth0 scope link src 10.0.2.20\n10.0.3.0/24 dev eth1 scope link src 10.0.3.20\n"  # noqa: E501


def two_cards(rules: str | None = RULES, routes: str = MAIN) -> Document:
    """A server with two ENIs, an EIP on the second, and what its guest says of its routing."""
    document = estate()
    enis = document["instances"]["i-b"]["network_interfaces"]
    enis["eni-b"]["type"] = "primary"
    enis["eni-b2"] = {"type": "secondary", "vswitch": "vsw-3", "ip": "10.0.3.20", "security_groups": ["sg"]}
    document["eips"]["eip-b"] = {"ip": "203.0.113.9", "bound_to": "eni-b2"}
    guest = {"interfaces": [{"name": "eth0", "ip": "10.0.2.20", "prefix_length": 24},
                            {"name": "eth1", "ip": "10.0.3.20", "prefix_length": 24}], "routes": routes}  # fmt: skip
    document["instances"]["i-b"]["guest"] = {**guest, "rules": rules} if rules else guest
    return document


def test_the_reply_of_a_second_eni_leaves_by_the_one_that_the_guest_chooses() -> None:
    report = net(two_cards()).diagnose("internet", "203.0.113.9", port=22)
    assert report.verdict == "unreachable"
    back = report.paths[0].return_
    assert (back[0].stage, back[0].object.id, back[1].object.id) == ("guest.route", "i-b", "eni-b")
    (item,) = (item for item in report.items if item.id == "guest.route.return")
    assert (item.status, item.severity) == ("abnormal", "non_critical")
    assert "ip rule add from 10.0.3.20" in item.suggestion
    assert [one.id for one in item.evidence] == ["i-b/routes/1"]
    assert ("guest.route.return", "i-b") not in blockers(report)


def test_with_a_rule_for_its_address_it_leaves_by_its_own() -> None:
    document = two_cards(
        f"{RULES}100: from 10.0.3.20 lookup 100\n", f"{MAIN}default via 10.0.3.253 dev eth1 table 100\n"
    )
    report = net(document).diagnose("internet", "203.0.113.9", port=22)
    assert report.verdict == "reachable"
    (item,) = (item for item in report.items if item.id == "guest.route.return")
    assert item.status == "normal"
    assert "default via 10.0.3.253 dev eth1 table 100" in item.message


def test_without_its_rules_a_guest_is_not_guessed_at() -> None:
    report = net(two_cards(None)).diagnose("internet", "203.0.113.9", port=22)
    assert report.verdict == "reachable"
    assert [gap.reason for gap in report.not_checked if gap.item == "guest.route.return"] == [
        "`guest.rules` is not in the topology"]  # fmt: skip


@pytest.mark.parametrize(("routes", "code"), [
    ("10.0.2.0/24 dev eth0 scope link src 10.0.2.20\n", "the guest has no route to"),
    ("blackhole default\n10.0.2.0/24 dev eth0 scope link src 10.0.2.20\n", "its route is blackhole"),
])  # fmt: skip
def test_a_guest_without_a_way_back_stops_the_reply(routes: str, code: str) -> None:
    document = two_cards(RULES, routes)
    report = net(document).diagnose("i-a", "i-b", port=22)
    assert report.verdict == "unreachable"
    assert blockers(report) == [("guest.route.return", "i-b")]
    (item,) = (item for item in report.items if item.id == "guest.route.return")
    assert code in item.message
    assert net(document).diagnose("i-a", "i-b", port=22, guest=False).verdict == "reachable"
    flows = net(document).evaluate({"src": ["i-a"], "dst": ["i-b"], "port": [22]})
    assert flows.item.tolist() == ["guest.route.return"]
