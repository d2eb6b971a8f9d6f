"""What reports say of paths that leave a VPC: the advice of a state, the evidence at its line, ports that pass for some."""

from __future__ import annotations

from typing import Any

import pytest

import netinsight as ni
from netinsight.diagnosis.catalogue import Advice, Lang, load_catalogue
from netinsight.diagnosis.report import ItemReport, Report
from tests.conftest import ROOT
from tests.diagnosis.test_ways import Document, estate, net, through

CATALOGUE = load_catalogue()
HOST = "198.51.100.7"


def item(report: Report, id_: str) -> ItemReport:
    """The one item of that id that is not as it should be."""
    (found,) = [one for one in report.items if one.id == id_ and one.status in ("abnormal", "unknown")]
    return found


def example(name: str) -> ni.Net:
    return ni.load(str(ROOT / "topologies" / f"{name}.yaml"))


# -- advice ------------------------------------------------------------------------------------------------------------

OF_ANY_GATEWAY = {"unknown.fact", "gateway.status", "gateway.locked", "gateway.not_modelled", "gateway.not_followed"}


def test_an_item_advises_only_what_it_may_say() -> None:
    by_code: dict[str, list[str]] = {}
    for name, one in CATALOGUE.items.items():
        for code in one.suggestions if name.startswith("gateway.") else ():
            by_code.setdefault(code, []).append(name)
    assert {code: names for code, names in by_code.items() if len(names) > 1 and code not in OF_ANY_GATEWAY} == {}
    assert by_code["nat.no_snat"] == ["gateway.nat"]
    assert "gateway.endpoint" not in by_code["gateway.not_modelled"]


def test_advice_by_a_state_fills_in_what_that_of_any_other_does() -> None:
    for one in CATALOGUE.items.values():
        for words in one.suggestions.values():
            for status in words.by_status:
                for lang in Lang:
                    values = {"status": status, "gateway": "G", "name": "G", "public": "G"}
                    assert "{" not in words.fill(lang, values)
    plain = Advice.model_validate({"en": "wait for {gateway}", "zh": "等", "by_status": {"A": {"en": "a", "zh": "甲"}}})
    assert plain.fill(Lang.EN, {"gateway": "x", "status": "B"}) == "wait for x"
    assert plain.fill(Lang.ZH, {"status": "A"}) == "甲"


LOCKS = {
    "FinancialLocked": "pay for ngw-1: it is locked for arrears",
    "SecurityLocked": "find out why ngw-1 was locked for ",
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_for_arrears_and_one_for_security_are_cleared_otherwise(lock: str) -> None:
    document = estate()
    document["nat_gateways"]["ngw-1"]["business_status"] = lock
    found = item(net(document).diagnose("i-a", HOST, port=443), "gateway.nat")
    assert found.suggestion.startswith(LOCKS[lock])
    assert [one.text for one in found.evidence] == [f"business_status: {lock}"]


APPLIANCES = {
    "a stopped instance": ({"status": "Stopped"}, {}, "start i-fw, or route past it"),
    "one that starts": ({"status": "Starting"}, {}, "wait until i-fw is up, or route past it"),
    "an ENI that is taken away": ({}, {"status": "Detaching"}, "attach eni-fw to an instance, or route past it"),
}


@pytest.mark.parametrize("case", APPLIANCES)
def test_the_advice_for_an_appliance_names_what_is_not_up(case: str) -> None:
    instance, eni, advice = APPLIANCES[case]
    document = through({"id": "i-fw"})
    document["instances"]["i-fw"].update(instance)
    document["instances"]["i-fw"]["network_interfaces"]["eni-fw"].update(eni)
    assert item(net(document).diagnose("i-a", "i-b", port=22), "gateway.appliance").suggestion == advice


def test_a_route_is_advised_by_destination_and_table_and_an_eip_only_towards_the_internet() -> None:
    document = estate(vpcs={"vpc-1": {"cidrs": ["10.0.0.0/16"]}, "vpc-2": {"cidrs": ["10.9.0.0/16"]}})
    document["route_tables"]["rtb"]["routes"] = []
    document["vswitches"]["vsw-9"] = {"vpc": "vpc-2", "cidr": "10.9.1.0/24"}
    document["instances"]["i-z"] = {"network_interfaces": {"eni-z": {
        "vswitch": "vsw-9", "ip": "10.9.1.5", "security_groups": []}}}  # fmt: skip
    inside = item(net(document).diagnose("i-a", "i-z", port=22), "route.forward")
    assert inside.suggestion == "add a route for 10.9.1.5 to the rtb table of vsw-1"
    assert [one.text for one in inside.evidence] == ["rtb: no custom routes"]
    outside = item(net(document).diagnose("i-a", HOST, port=443), "route.forward").suggestion
    assert outside == f"add a route for {HOST} to the rtb table of vsw-1, or bind a public address (EIP) to eni-a"


def balanced(public: bool) -> Document:
    servers = {"rsp": {"servers": [{"server": "eni-c"}]}}
    balancer = {"vpc": "vpc-1", "ip": "10.0.3.99", "listeners": [{"port": 22, "server_group": "rsp"}],
                "server_groups": servers}  # fmt: skip
    return estate(load_balancers={"lb-1": {**balancer, **({"public_ip": "203.0.113.9"} if public else {})}})


UNSEEN = {
    "nothing leads there": (estate(), "i-a", "bind an EIP to eni-a, or add to a NAT gateway of vpc-1 a DNAT entry"),
    "DNAT entries of other ports": (estate(), "i-b", "add to ngw-1 a DNAT entry for this port of 10.0.2.20; an EIP"),
    "a load balancer": (balanced(True), "i-c", "ask for lb-1 (203.0.113.9), which forwards to eni-c"),
    "a load balancer inside": (balanced(False), "i-c", "bind an EIP to eni-c"),
}


@pytest.mark.parametrize("case", UNSEEN)
def test_how_an_internet_host_could_reach_an_eni_without_a_public_address(case: str) -> None:
    document, asked, advice = UNSEEN[case]
    found = item(net(document).diagnose("internet", asked, port=25565), "gateway.public_ip")
    assert found.suggestion.startswith(advice)
    assert [one.kind for one in found.evidence] == ["public_ip"]


def test_what_is_said_of_the_hosts_of_the_internet_names_their_block_once() -> None:
    found = item(
        example("clb-denied-by-access-list").diagnose("internet", "clb-prices", port=443), "gateway.load_balancer"
    )
    assert found.message == "the access list of clb-prices shuts 198.51.100.192/27 out"
    assert found.suggestion == "take 198.51.100.192/27 from the access list of clb-prices, or narrow it"


def test_a_denylist_of_several_blocks_is_told_once_and_one_client_by_its_block() -> None:
    document = servers(access=False)
    access = {"allow": False, "entries": ["198.51.100.0/27", "203.0.113.128/26"]}
    document["load_balancers"]["lb-1"]["listeners"][0]["access_list"] = access
    everybody = item(net(document).diagnose("internet", "lb-1", port=80), "gateway.load_balancer")
    assert everybody.message == "the access list of lb-1 shuts 198.51.100.0/27, 203.0.113.128/26 out"
    assert everybody.suggestion == "take 198.51.100.0/27, 203.0.113.128/26 from the access list of lb-1, or narrow it"
    one = item(net(document).diagnose("203.0.113.130", "lb-1", port=80), "gateway.load_balancer")
    assert one.suggestion == "take 203.0.113.128/26 from the access list of lb-1, or narrow it"
    assert [by.text for by in one.evidence] == ["allow: false, entries: 203.0.113.128/26"]


def test_a_reply_to_the_wrong_gateway_points_at_the_row_that_took_it_there() -> None:
    document = estate()
    document["nat_gateways"]["ngw-1"]["dnat"].append(
        {
            "eip": "eip-2",
            "protocol": "tcp",
            "external_port": "80/80",
            "internal_ip": "10.0.2.30",
            "internal_port": "80/80",
        }
    )
    document["nat_gateways"]["ngw-2"] = {"vpc": "vpc-1", "vswitch": "vsw-3", "snat": []}
    document["route_tables"]["rtb"]["routes"] = [{"destination": "0.0.0.0/0", "next_hop": "ngw-2"}]
    found = item(net(document).diagnose("internet", "203.0.113.2", port=80), "route.return")
    assert found.message == "the reply comes to ngw-2, which did not translate the question"
    assert [by.text for by in found.evidence] == ["0.0.0.0/0 -> ngw-2"]


def test_ports_that_fail_alike_are_told_together_with_those_that_there_are() -> None:
    found = item(example("nat-dnat-missing-port").diagnose("internet", "203.0.113.121", port="79-81"), "gateway.nat")
    assert found.message == "ngw-brochure has no DNAT entry for this port of 203.0.113.121 (ports 79, 81)"
    assert [one.text for one in found.evidence] == ["ngw-brochure: DNAT entries for 203.0.113.121: tcp 80"]


# -- what takes no effect ----------------------------------------------------------------------------------------------


def test_a_row_whose_bgp_session_is_down_is_shown_and_takes_no_effect() -> None:
    report = example("vpn-bgp-down").diagnose("i-tills", "192.168.77.20", port=8080, explain=True)
    (stage,) = [one for one in report.paths[0].forward if one.object.id == "vpn-chain" and one.stage == "route"]
    idle, other = stage.explain or []
    assert (idle.rule, idle.outcome, idle.matches.destination, idle.note) == (
        "vpn-chain/1", "no_match", "yes", "takes no effect"
    )  # fmt: skip
    assert (other.outcome, other.matches.destination) == ("no_match", "no")


def test_no_acl_is_met_by_an_eip_that_is_cut_through() -> None:
    topology: dict[str, Any] = estate()
    topology["network_acls"] = {"nacl": {"vpc": "vpc-1"}}
    topology["vswitches"]["vsw-2"]["network_acl"] = "nacl"
    topology["eips"]["eip-c"] = {"ip": "203.0.113.7", "bound_to": "eni-c", "mode": "BINDED"}
    report = net(topology).diagnose("internet", "i-c", port=22)
    assert report.verdict == "reachable"
    told = {one.why for path in report.paths for one in (*path.forward, *path.return_) if "acl" in one.stage}
    assert told == {"eni-c has an EIP in cut-through mode, which no ACL controls"}


# -- for whom ports pass -----------------------------------------------------------------------------------------------


def servers(*, access: bool, client_port: str = "") -> Document:
    """A load balancer with two servers, of which one is behind an ACL that drops."""
    listener: Document = {"port": "80/82", "server_group": "rsp"}
    if access:
        listener["access_list"] = {"allow": True, "entries": ["198.51.100.0/24"]}
    document = estate(load_balancers={"lb-1": {
        "vpc": "vpc-1", "public_ip": "203.0.113.9", "type": "nlb", "listeners": [listener],
        "server_groups": {"rsp": {"servers": [{"server": "i-a"}, {"server": "i-b"}]}}}})  # fmt: skip
    ports = client_port or "1/1"
    everybody = {"policy": "accept", "protocol": "all", "source": "0.0.0.0/0"}
    leaving = {"policy": "accept", "protocol": "tcp", "ports": ports, "destination": "0.0.0.0/0"}
    document["network_acls"] = {"nacl": {"vpc": "vpc-1", "ingress": [everybody], "egress": [leaving]}}
    document["vswitches"]["vsw-2"]["network_acl"] = "nacl"
    return document


def partly(report: Report) -> list[tuple[Any, ...]]:
    return [(one.ports, one.by, one.passing, one.of) for one in report.partly_reachable]


def test_ports_that_pass_on_some_paths_hosts_or_client_ports_say_so() -> None:
    def ask(document: Document, port: str = "80-81") -> Report:
        report = net(document).diagnose("internet", "lb-1", port=port)
        assert report.verdict == "partial"
        return report

    assert partly(ask(servers(access=False))) == [(["80-81"], ["paths"], 1, 2)]
    assert partly(ask(servers(access=False), "80-83")) == [(["80-82"], ["paths"], 1, 2)]
    assert partly(ask(servers(access=True))) == [(["80-81"], ["hosts", "paths"], 1, 4)]
    some = ask(servers(access=False, client_port="32768/40000"))
    assert partly(some) == [(["80-81"], ["client_ports", "paths"], 1, 2)]


def test_the_headline_says_for_whom_in_both_languages() -> None:
    question = {"src": "internet", "dst": "lb-1", "port": 80}
    paths, mixed = net(servers(access=False)), net(servers(access=True))
    assert "passes on 1 of 2 paths: 80\n" in paths.diagnose(**question).text()
    assert "2条路径中1条可达：80\n" in paths.diagnose(**question, lang="zh").text()
    assert "passes for some hosts or paths only: 80\n" in mixed.diagnose(**question).text()
    assert "仅部分主机或路径可达：80\n" in mixed.diagnose(**question, lang="zh").text()


def test_a_port_that_all_pass_is_not_partly_reachable() -> None:
    report = net(estate()).diagnose("internet", "203.0.113.1", port="8021-8022")
    assert (report.verdict, report.partly_reachable) == ("partial", [])
    assert 'partly_reachable"' not in report.to_json()
