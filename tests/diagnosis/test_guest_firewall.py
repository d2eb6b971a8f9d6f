"""The guest's firewall in a diagnosis: what it says of the question, of the later packets of TCP, and of the reply."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

import netinsight as ni
from netinsight.answer import Answer
from netinsight.diagnosis.report import ItemReport, StageReport
from netinsight.errors import InputError
from tests.diagnosis.test_ways import net

PASS = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
SEEN = "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"


def rules(*lines: str, inward: str = "DROP", forward: str = "DROP", outward: str = "ACCEPT", more: str = "") -> str:
    """A filter table."""
    head = f"*filter\n:INPUT {inward} [0:0]\n:FORWARD {forward} [0:0]\n:OUTPUT {outward} [0:0]\n"
    return more + head + "".join(f"{line}\n" for line in lines) + "COMMIT\n"


def estate(a: Any = None, b: Any = None, middle: Any = None) -> dict[str, Any]:
    """Two instances, and one between them where its guest is given."""
    document: dict[str, Any] = {
        "vpcs": {"vpc": {"cidrs": ["10.0.0.0/16"]}},
        "vswitches": {f"vsw-{n}": {"vpc": "vpc", "cidr": f"10.0.{n}.0/24"} for n in (1, 2, 3)},
        "security_groups": {"sg": {"vpc": "vpc", "rules": [
            {"direction": "ingress", "policy": "accept", "protocol": "all", "source": "0.0.0.0/0"}]}},
        "eips": {"eip-a": {"ip": "203.0.113.10", "bound_to": "i-a", "bandwidth_mbps": 5}},
        "instances": {
            f"i-{name}": {"status": "Running", "network_interfaces": {f"eni-{name}": {
                "vswitch": f"vsw-{n}", "ip": f"10.0.{n}.10", "security_groups": ["sg"]}}}
            for n, name in ((1, "a"), (2, "b"), (3, "m"))
        },
    }  # fmt: skip
    for name, guest in (("a", a), ("b", b), ("m", middle)):
        if guest is not None:
            guest = {"iptables": guest} if isinstance(guest, str) else guest
            document["instances"][f"i-{name}"]["guest"] = guest
    if middle is not None:
        document["route_tables"] = {"rtb-there": {"vpc": "vpc", "type": "custom", "routes": [
            {"destination": "10.0.2.0/24", "next_hop": "i-m"}]}, "rtb-back": {"vpc": "vpc", "type": "custom", "routes": [
            {"destination": "10.0.1.0/24", "next_hop": "i-m"}]}}  # fmt: skip
        document["vswitches"]["vsw-1"]["route_table"] = "rtb-there"
        document["vswitches"]["vsw-2"]["route_table"] = "rtb-back"
    return document


def ask(document: dict[str, Any], src: str = "i-a", dst: str = "i-b", **question: Any) -> Answer:
    question = {"port": 22} | question
    return net(document).diagnose(src, dst, **question)


def stage(report: Answer, name: str, at: str = "", back: bool = False) -> StageReport:
    """The one stage of a name, at an instance."""
    path = report.paths[0]
    (found,) = (one for one in (path.return_ if back else path.forward)
                if one.stage == f"guest.firewall.{name}" and at in ("", one.object.id))  # fmt: skip
    return found


def stopped_by(report: Answer) -> set[tuple[str, str]]:
    return {(one.item, one.object.id) for one in report.blockers}


def said(report: Answer, item: str) -> ItemReport:
    """What an item says of i-b."""
    (found,) = (one for one in report.items if (one.id, one.object.id) == (item, "i-b"))
    return found


def test_what_nobody_knows_is_not_judged() -> None:
    report = ask(estate())
    assert report.verdict == "reachable"
    assert not [one for path in report.paths for one in path.forward if one.stage.startswith("guest.firewall")]
    left_out = ask(estate(b=rules()), guest=False)
    assert left_out.verdict == "reachable"
    assert ("firewall.iptables.ingress", "i-b") in {(one.item, one.object.id) for one in left_out.not_checked}


@pytest.mark.parametrize("text", ["", "\n"])
def test_no_rules_are_rules_that_let_all_pass(text: str) -> None:
    report = ask(estate(b=text))
    assert stage(report, "ingress").decision == "accept"
    assert report.verdict == "reachable"


def test_a_policy_drops_with_its_line() -> None:
    report = ask(estate(b=rules()))
    found = stage(report, "ingress")
    assert (found.decision, report.verdict) == ("drop", "unreachable")
    assert stopped_by(report) == {("firewall.iptables.ingress", "i-b")}
    (item,) = (one for one in report.items if one.id == "firewall.iptables.ingress" and one.object.id == "i-b")
    assert "INPUT policy DROP" in item.message
    assert item.evidence[0].id == "i-b/iptables/2"


def test_the_ports_that_a_rule_opens_are_told_exactly() -> None:
    report = ask(estate(b=rules("-A INPUT -p tcp -m tcp --dport 20:25 -j ACCEPT")), port="10-30")
    assert (report.verdict, report.reachable_ports) == ("partial", ["20-25"])


def test_a_multiport_rule_and_one_of_the_client_s_ports() -> None:
    both = rules("-A INPUT -p tcp -m multiport --dports 22,80,443 -m tcp --sport 40000:65535 -j ACCEPT")
    report = ask(estate(b=both), port="22-80", source_port="39990-40010")
    assert (report.verdict, report.reachable_ports, report.partly_reachable_ports) == (
        "partial",
        [],
        ["22", "80"],
    )


def test_a_reject_tells_how() -> None:
    report = ask(estate(b=rules("-A INPUT -p tcp -j REJECT --reject-with tcp-reset", inward="ACCEPT")))
    assert "tcp-reset" in stage(report, "ingress").why


def test_of_tcp_the_later_packets_have_to_pass_too() -> None:
    opens = rules("-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT")
    report = ask(estate(b=opens))
    assert (report.verdict, "later" in stage(report, "ingress").why) == ("unreachable", True)
    assert ask(estate(b=opens), one_way=True).verdict == "reachable"
    assert ask(estate(b=opens.replace("COMMIT", f"-A INPUT {SEEN}\nCOMMIT"))).verdict == "reachable"


def test_of_udp_one_packet_there_and_one_back_are_all() -> None:
    opens = rules("-A INPUT -p udp -m state --state NEW -m udp --dport 53 -j ACCEPT")
    assert ask(estate(b=opens), protocol="udp", port=53).verdict == "reachable"


@pytest.mark.parametrize(("line", "verdict"), [
    (f"-A INPUT {SEEN}", "reachable"),
    ("-A INPUT -m conntrack --ctstate RELATED -j ACCEPT", "unreachable"),
    ("-A INPUT -p tcp -m tcp --sport 22 -j ACCEPT", "reachable"),
    ("-A INPUT -m conntrack --ctdir REPLY -j ACCEPT", "reachable"),
    ("-A INPUT -m conntrack --ctdir ORIGINAL -j ACCEPT", "unreachable"),
    ("-A INPUT -m conntrack --ctorigdst 10.0.2.10 -j ACCEPT", "reachable"),
    ("-A INPUT -m conntrack --ctorigdst 10.0.1.10 -j ACCEPT", "unreachable"),
    ("-A INPUT -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -j ACCEPT", "unreachable"),  # what follows the SYN-ACK
    ("-A INPUT -p tcp -m tcp --tcp-flags ACK ACK -j ACCEPT", "reachable"),
    ("-A INPUT -i lo -j ACCEPT", "unreachable"),
])  # fmt: skip
def test_the_reply_is_judged_at_the_source_as_part_of_its_connection(line: str, verdict: str) -> None:
    report = ask(estate(a=rules(line)))
    assert report.verdict == verdict
    if verdict == "unreachable":
        assert stopped_by(report) == {("firewall.iptables.ingress", "i-a")}
        assert stage(report, "ingress", "i-a", back=True).decision == "drop"


def test_the_reply_leaves_the_destination_by_output() -> None:
    shut = rules(inward="ACCEPT", outward="DROP")
    assert stopped_by(ask(estate(b=shut))) == {("firewall.iptables.egress", "i-b")}
    opened = rules(f"-A OUTPUT {SEEN}", inward="ACCEPT", outward="DROP")
    assert ask(estate(b=opened)).verdict == "reachable"


def test_ping_asks_and_is_answered() -> None:
    opens = rules("-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT", f"-A OUTPUT {SEEN}", outward="DROP")
    assert ask(estate(a=rules(f"-A INPUT {SEEN}"), b=opens), protocol="icmp", port=None).verdict == "reachable"
    assert ask(estate(a=rules(), b=opens), protocol="icmp", port=None).verdict == "unreachable"


def test_what_is_not_modelled_is_undetermined_only_where_it_decides() -> None:
    strange = "-A INPUT -m geoip --src-cc DE -j ACCEPT"
    assert ask(estate(b=rules(strange))).verdict == "undetermined"
    assert ask(estate(b=rules(strange, inward="ACCEPT"))).verdict == "reachable"
    assert ask(estate(b=rules(strange, "-A INPUT -p tcp -j ACCEPT"))).verdict == "reachable"


def test_a_rate_is_assumed_and_said() -> None:
    limited = rules("-A INPUT -p tcp -m limit --limit 5/min -j ACCEPT", f"-A INPUT {SEEN}")
    report = ask(estate(b=limited))
    assert report.verdict == "reachable"
    assert "the rate is not reached" in stage(report, "ingress").why


def test_an_interface_is_known_by_its_mac_or_its_address() -> None:
    only_eth1 = rules("-A INPUT -i eth1 -j ACCEPT")
    assert ask(estate(b=only_eth1)).verdict == "undetermined"
    for name, verdict in (("eth0", "unreachable"), ("eth1", "reachable")):
        guest = {"iptables": only_eth1, "interfaces": [{"name": name, "ip": "10.0.2.10"}]}
        assert ask(estate(b=guest)).verdict == verdict


def with_ipv6(document: dict[str, Any]) -> dict[str, Any]:
    """The same, with IPv6 addresses at both ends, and open to them."""
    document["vpcs"]["vpc"]["ipv6_cidr"] = "2001:db8::/56"
    for n, name in ((1, "a"), (2, "b")):
        document["vswitches"][f"vsw-{n}"]["ipv6_cidr"] = f"2001:db8:0:{n}::/64"
        eni = document["instances"][f"i-{name}"]["network_interfaces"][f"eni-{name}"]
        eni["ipv6_addresses"] = [f"2001:db8:0:{n}::10"]
    document["security_groups"]["sg"]["rules"].append(
        {"direction": "ingress", "policy": "accept", "protocol": "all", "source": "::/0"})  # fmt: skip
    return document


def test_ipv6_has_its_own_rules() -> None:
    document = with_ipv6(estate(b={"iptables": rules(), "ip6tables": rules("-A INPUT -p tcp -j ACCEPT")}))
    assert ask(document, family=6).verdict == "reachable"
    assert ask(document, family=4).verdict == "unreachable"
    del document["instances"]["i-b"]["guest"]["ip6tables"]
    report = ask(document, family=6)
    assert report.verdict == "reachable"
    assert ("firewall.iptables.ingress", "i-b") in {(one.item, one.object.id) for one in report.not_checked}


# ------------------------------------------------------------------------------------------------------- translation

NAT = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"


def translating(*lines: str) -> str:
    return NAT + "".join(f"{line}\n" for line in lines) + "COMMIT\n"


ADDRESSES = """1: lo: <LOOPBACK,UP>
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,UP>
    inet 10.0.2.10/24 scope global eth0
3: docker0: <BROADCAST,UP>
    inet 172.17.0.1/16 scope global docker0
"""
ROUTES = "default via 10.0.2.253 dev eth0\n10.0.2.0/24 dev eth0 scope link\n172.17.0.0/16 dev docker0 scope link\n"
LOOKUPS = "0: from all lookup local\n32766: from all lookup main\n32767: from all lookup default\n"
PUBLISHED = translating("-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80")


def docker(*lines: str, nat: str = PUBLISHED) -> dict[str, Any]:
    return {"iptables": rules(*lines, more=nat), "addresses": ADDRESSES, "routes": ROUTES, "rules": LOOKUPS,
            "listening": []}  # fmt: skip


OPEN = ("-A FORWARD -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT",
        f"-A FORWARD -o docker0 {SEEN}", "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT")  # fmt: skip


def test_a_published_port_is_forwarded_to_the_container() -> None:
    report = ask(estate(b=docker(*OPEN)), port=8080)
    assert report.verdict == "reachable"
    assert "172.17.0.2 port 80" in stage(report, "ingress").why
    assert "-i docker0" in stage(report, "egress", "i-b", back=True).why
    assert ("service.listening", "i-b") in {(one.item, one.object.id) for one in report.not_checked}


@pytest.mark.parametrize(("gone", "item"), [(0, "ingress"), (2, "egress")])
def test_each_rule_of_a_published_port_is_needed(gone: int, item: str) -> None:
    report = ask(estate(b=docker(*OPEN[:gone], *OPEN[gone + 1 :])), port=8080)
    assert stopped_by(report) == {(f"firewall.iptables.{item}", "i-b")}


def test_where_the_guest_sends_it_on_is_followed_both_ways_if_its_addresses_are_not_known() -> None:
    guest = docker(*OPEN) | {"addresses": None}
    assert ask(estate(b={key: value for key, value in guest.items() if value is not None}), port=8080).verdict == (
        "undetermined"
    )


def test_a_redirected_port_is_heard_where_it_leads() -> None:
    moved = translating("-A PREROUTING -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 8443")
    guest = docker("-A INPUT -p tcp -m tcp --dport 8443 -j ACCEPT", nat=moved)
    document = estate(b=guest | {"listening": [{"protocol": "tcp", "address": "0.0.0.0", "port": 8443}]})
    report = ask(document, port=443)
    assert (report.verdict, "8443" in stage(report, "ingress").why) == ("reachable", True)
    assert stopped_by(ask(document, port=8443)) == set()
    document["instances"]["i-b"]["guest"]["listening"][0]["port"] = 443
    report = ask(document, port=443)
    assert stopped_by(report) == {("service.listening", "i-b")}
    assert (
        said(report, "service.listening").message
        == "nothing listens on tcp 8443, to which the guest's firewall moves 443"
    )


def test_a_redirected_port_whose_later_packets_are_stopped_is_still_heard_where_it_leads() -> None:
    moved = translating("-A PREROUTING -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 8443")
    guest = docker("-A INPUT -p tcp -m tcp --dport 8443 -m conntrack --ctstate NEW -j ACCEPT", nat=moved)
    report = ask(estate(b=guest | {"listening": [{"port": 8443}]}), port=443)
    assert stopped_by(report) == {("firewall.iptables.ingress", "i-b")}


@pytest.mark.parametrize("port", [8080, 22])
def test_advice_names_the_chain_that_is_passed(port: int) -> None:
    """What comes for a container passes FORWARD: a rule in INPUT would change nothing."""
    told = said(ask(estate(b=docker()), port=port), "firewall.iptables.ingress").suggestion
    chain = "FORWARD" if port == 8080 else "INPUT"
    assert told is not None
    assert f"before it, in {chain})" in told


def test_a_guest_without_the_address_of_its_eni_sends_nothing_from_it() -> None:
    other = docker("-A INPUT -j ACCEPT") | {"addresses": ADDRESSES.replace("10.0.2.10", "10.0.2.11")}
    told = said(ask(estate(b=other)), "guest.route.return")
    assert told.message == "the guest sends nothing from 10.0.2.10: it is no address of it"
    assert told.suggestion is not None
    assert "give 10.0.2.10 to an interface" in told.suggestion


# -------------------------------------------------------------------------------------------------------- appliances


def test_an_appliance_forwards_there_and_back() -> None:
    report = ask(estate(middle={"iptables": rules("-A FORWARD -s 10.0.1.0/24 -j ACCEPT"), "ip_forward": True}))
    assert stopped_by(report) == {("firewall.iptables.forward", "i-m")}
    assert stage(report, "forward", back=True).decision == "drop"
    open_both = rules("-A FORWARD -s 10.0.1.0/24 -j ACCEPT", f"-A FORWARD {SEEN}")
    assert ask(estate(middle={"iptables": open_both, "ip_forward": True})).verdict == "reachable"


def test_a_translating_appliance_is_answered_at_its_own_address() -> None:
    masked = rules("-A FORWARD -s 10.0.1.0/24 -j ACCEPT", f"-A FORWARD {SEEN}",
                   more=translating("-A POSTROUTING -s 10.0.1.0/24 -j MASQUERADE"))  # fmt: skip
    document = estate(
        b=rules("-A INPUT -s 10.0.3.10/32 -p tcp -j ACCEPT"), middle={"iptables": masked, "ip_forward": True}
    )
    report = ask(document)
    assert report.verdict == "reachable"
    assert "10.0.3.10" in stage(report, "forward").why
    document["instances"]["i-b"]["guest"]["iptables"] = rules("-A INPUT -s 10.0.1.10/32 -p tcp -j ACCEPT")
    assert stopped_by(ask(document)) == {("firewall.iptables.ingress", "i-b")}


TWO_CARDS = """1: lo: <LOOPBACK,UP>
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,UP>
    inet 10.0.3.10/24 scope global eth0
3: eth1: <BROADCAST,UP>
    inet 10.0.4.10/24 scope global eth1
"""


def two_cards(masked: str) -> dict[str, Any]:
    """An appliance that takes in by eth0 and sends on by eth1."""
    routes = "default via 10.0.4.253 dev eth1\n10.0.1.0/24 via 10.0.3.253 dev eth0\n10.0.3.0/24 dev eth0 scope link\n"
    guest = {"iptables": masked, "ip_forward": True, "addresses": TWO_CARDS, "rules": LOOKUPS,
             "routes": routes + "10.0.4.0/24 dev eth1 scope link\n"}  # fmt: skip
    document = estate(middle=guest)
    document["vswitches"]["vsw-4"] = {"vpc": "vpc", "cidr": "10.0.4.0/24"}
    document["instances"]["i-m"]["network_interfaces"] |= {
        "eni-m": {**document["instances"]["i-m"]["network_interfaces"]["eni-m"], "type": "primary"},
        "eni-m2": {"type": "secondary", "vswitch": "vsw-4", "ip": "10.0.4.10", "security_groups": ["sg"]},
    }
    return document


def test_an_appliance_sends_on_by_the_eni_that_its_routes_say() -> None:
    through = rules("-A FORWARD -i eth0 -o eth1 -j ACCEPT", f"-A FORWARD -i eth1 -o eth0 {SEEN}",
                    more=translating("-A POSTROUTING -o eth1 -j MASQUERADE"))  # fmt: skip
    report = ask(two_cards(through))
    assert report.verdict == "reachable"
    assert "10.0.4.10" in stage(report, "forward").why
    path = report.paths[0]
    assert [one.object.id for one in path.forward if one.stage == "security_group.egress"] == ["eni-a", "eni-m2"]
    assert [one.object.id for one in path.return_ if one.stage == "security_group.egress"] == ["eni-b", "eni-m"]
    wrong = through.replace("-i eth0 -o eth1", "-i eth0 -o eth0")
    assert stopped_by(ask(two_cards(wrong))) == {("firewall.iptables.forward", "i-m")}


def test_an_appliance_without_a_route_says_so() -> None:
    document = two_cards(rules(forward="ACCEPT"))
    document["instances"]["i-m"]["guest"]["routes"] = (
        "10.0.3.0/24 dev eth0 scope link\n10.0.1.0/24 via 10.0.3.253 dev eth0\n"
    )
    report = ask(document)
    assert ("guest.route.forward", "i-m") in stopped_by(report)


# ------------------------------------------------------------------------------------------------- hosts of the Internet


def test_hosts_that_the_routes_of_a_guest_tell_apart_are_told_apart() -> None:
    routes = "default via 10.0.1.253 dev eth0\n10.0.1.0/24 dev eth0 scope link\nblackhole 198.51.100.0/24\n"
    guest = {
        "rules": LOOKUPS,
        "routes": routes,
        "interfaces": [{"name": "eth0", "ip": "10.0.1.10", "prefix_length": 24}],
    }
    assert {path.decision for path in ask(estate(a=guest), "i-a", "internet").paths} == {"accept", "drop"}


# ------------------------------------------------------------------------------------------------------------ mistakes


def test_mistakes_of_the_rules_are_told_at_their_place() -> None:
    text = """vpcs: {vpc: {cidrs: [10.0.0.0/16]}}
vswitches: {vsw: {vpc: vpc, cidr: 10.0.1.0/24}}
instances:
  i-a:
    status: Running
    network_interfaces: {eni-a: {vswitch: vsw, ip: 10.0.1.10, security_groups: []}}
    guest:
      iptables: |
        *filter
        -A INPUT -p tcp --dport 70000 -j ACCEPT
        -A INPUT -s 10.0.0.300 -j DROP
        COMMIT
      ipsets: "create x"
"""
    with pytest.raises(InputError) as caught:
        ni.load("-", stdin=io.BytesIO(text.encode()))
    places = [(problem.place.line, problem.place.column) for problem in caught.value.problems]
    assert (10, 33) in places
    assert (11, 21) in places
    assert any(line == 13 for line, _ in places)


# -------------------------------------------------------------------------------------------------- another firewall


def exported(*names: str, **more: Any) -> str:
    """What a Windows guest prints: its profiles, and a rule for each of some ports."""
    allowed = [
        {"Name": f"in-{name}", "DisplayName": f"In {name}", "Enabled": "True", "Profile": "Any", "Direction": "Inbound",
         "Action": "Allow", "Protocol": "TCP", "LocalPort": [name], "RemotePort": ["Any"], "LocalAddress": ["Any"],
         "RemoteAddress": ["Any"], "Program": "Any", "Service": "Any", "InterfaceAlias": ["Any"],
         "InterfaceType": "Any", "Authentication": "NotRequired", "Encryption": "NotRequired", **more} for name in names
    ]  # fmt: skip
    profiles = [{"Name": name, "Enabled": "True", "DefaultInboundAction": "Block", "DefaultOutboundAction": "Allow",
                 "AllowInboundRules": "True"} for name in ("Domain", "Private", "Public")]  # fmt: skip
    return json.dumps({"profiles": profiles, "rules": allowed, "connections": []})


def test_the_windows_firewall_is_judged_by_its_export() -> None:
    document = estate(b={"windows_firewall": exported("3389")})
    document["instances"]["i-b"]["os"] = {"name": "Windows Server", "version": "2022", "architecture": "x86_64"}
    assert ask(document, port=3389).verdict == "reachable"
    report = ask(document, port=22)
    assert stopped_by(report) == {("firewall.iptables.ingress", "i-b")}
    assert "Windows Firewall" in stage(report, "ingress").why
    del document["instances"]["i-b"]["guest"]["windows_firewall"]
    (gap,) = (one for one in ask(document).not_checked if one.item == "firewall.iptables.ingress")
    assert "windows_firewall" in gap.reason


REMOTE = {"Program": r"%SystemRoot%\system32\svchost.exe", "Service": "termservice"}


def listening(process: str | None, port: int = 3389, **more: Any) -> dict[str, Any]:
    """A guest with a rule of Remote Desktop and a process at a port."""
    return {"windows_firewall": exported("3389", **REMOTE),
            "listening": [{"protocol": "tcp", "address": "0.0.0.0", "port": port, "process": process, **more}]}  # fmt: skip


def test_of_a_rule_for_a_service_the_process_is_assumed_and_said() -> None:
    report = ask(estate(b={"windows_firewall": exported("3389", **REMOTE)}), port=3389)
    assert report.verdict == "reachable"
    told = stage(report, "ingress").why
    assert "`In 3389`: the process at port 3389 is taken to be service `termservice` in program" in told
    assert "otherwise DROP" in told
    blocked = ask(estate(b={"windows_firewall": exported("3389", **REMOTE, Action="Block").replace(
        '"DefaultInboundAction": "Block"', '"DefaultInboundAction": "Allow"')}), port=3389)  # fmt: skip
    assert stopped_by(blocked) == {("firewall.iptables.ingress", "i-b")}
    assert "otherwise ACCEPT" in stage(blocked, "ingress").why


@pytest.mark.parametrize(("process", "verdict"), [
    ("svchost.exe", "reachable"),
    ("svchost", "reachable"),
    ("TermService", "reachable"),
    ("nginx", "unreachable"),
    (None, "reachable"),
])  # fmt: skip
def test_the_process_is_the_one_that_listens(process: str | None, verdict: str) -> None:
    assert ask(estate(b=listening(process)), port=3389).verdict == verdict


def test_only_a_process_that_hears_the_packet_counts() -> None:
    for more in ({"address": "10.9.9.9"}, {"protocol": "udp"}, {"port": 3390}):
        assert stage(ask(estate(b=listening("nginx", **more)), port=3389), "ingress").decision == "accept"
    document = estate(b=listening("nginx"))
    guest = document["instances"]["i-b"]["guest"]
    guest["listening"].append({"protocol": "tcp", "address": "10.0.2.10", "port": 3389, "process": "svchost"})
    assert stage(ask(document, port=3389), "ingress").decision == "accept"  # one of the two: it is not known which


def test_of_many_ports_each_has_its_own_process() -> None:
    document = estate(b=listening("web"))
    guest = document["instances"]["i-b"]["guest"]
    guest["windows_firewall"] = exported("8000-8010", Program=r"C:\web.exe")
    there = {7999: "web", 8000: None, 8001: "other.exe", 8002: "web", 8003: "web"}
    guest["listening"] = [{"protocol": "tcp", "port": port, "process": process} for port, process in there.items()]
    report = ask(document, port="7999-8003")
    assert (report.verdict, report.reachable_ports) == ("partial", ["8000", "8002-8003"])
    assert stage(report, "ingress").decision == "partial"


# -------------------------------------------------------------------------------------------------------- the way back


@pytest.mark.parametrize(("sysctl", "stops"), [
    ("net.ipv4.conf.all.rp_filter = 1\n", True),
    ("net.ipv4.conf.eth0.rp_filter = 1\n", True),
    ("net.ipv4.conf.all.rp_filter = 1\nnet.ipv4.conf.eth0.rp_filter = 2\n", False),
    ("net.ipv4.conf.all.rp_filter = 0\n", False),
    ("net.ipv4.conf.eth1.rp_filter = 1\n", False),
])  # fmt: skip
def test_strict_reverse_path_filtering_drops_what_would_not_be_answered_there(sysctl: str, stops: bool) -> None:
    """The way back to the client leads out of the other card."""
    document = two_cards(rules(forward="ACCEPT"))
    guest = document["instances"]["i-m"]["guest"]
    guest["routes"] = guest["routes"].replace("10.0.1.0/24 via 10.0.3.253 dev eth0\n", "")
    guest["sysctl"] = sysctl
    assert (("guest.forwarding", "i-m") in stopped_by(ask(document))) is stops


def test_at_an_end_it_is_the_route_of_the_reply_that_drops() -> None:
    routes = "default via 10.0.2.253 dev eth0\n10.0.2.0/24 dev eth0 scope link\n10.0.1.0/24 dev eth1 scope link\n"
    guest = {"routes": routes, "rules": LOOKUPS, "sysctl": "net.ipv4.conf.all.rp_filter = 1\n",
             "addresses": ADDRESSES.replace("docker0", "eth1")}  # fmt: skip
    report = ask(estate(b=guest))
    (item,) = (one for one in report.items if one.id == "guest.route.return" and one.object.id == "i-b")
    assert (item.status, "rp_filter is strict" in item.message) == ("abnormal", True)
    assert item.evidence[0].id == "i-b/sysctl/1"
    guest["sysctl"] += "net/ipv4/conf/eth1/rp_filter = 0\nnet/ipv4/conf/eth0/rp_filter = 1\n"
    assert said(ask(estate(b=guest)), "guest.route.return").evidence[0].id == "i-b/sysctl/3"


def test_a_process_that_binds_no_address_may_send_from_another_card() -> None:
    document = two_cards(rules(forward="ACCEPT"))
    del document["vswitches"]["vsw-2"]["route_table"]
    told = [one for one in ask(document, "i-m", "i-b").paths[0].forward if one.stage == "guest.route"]
    assert "ask `--src eni-m2`" in told[0].why
    bound = [one for one in ask(document, "eni-m2", "i-b").paths[0].forward if one.stage == "guest.route"]
    assert "--src" not in bound[0].why


@pytest.mark.parametrize("line", [
    "-A INPUT -s 198.51.100.0/24 -p tcp -j ACCEPT",
    "-A INPUT ! -s 198.51.100.0/24 -p tcp -j ACCEPT",
    "-A INPUT -m iprange --src-range 198.51.100.7-198.51.100.9 -j ACCEPT",
    "-A INPUT -m conntrack --ctorigsrc 198.51.100.0/24 -j ACCEPT",
    "-A INPUT -m set --match-set friends src -j ACCEPT",
    "-A INPUT -m set --match-set services src,dst -j ACCEPT",
])  # fmt: skip
def test_hosts_that_the_rules_of_a_guest_tell_apart_are_told_apart(line: str) -> None:
    ipsets = "create friends hash:net family inet\nadd friends 198.51.100.0/24\n"
    ipsets += "create services hash:net,port family inet\nadd services 198.51.100.0/24,tcp:22\n"
    document = estate(a={"iptables": rules(line), "ipsets": ipsets})
    report = ask(document, "internet", "i-a", one_way=True)
    assert {path.decision for path in report.paths} == {"accept", "drop"}
    answered = ask(document, "i-a", "internet")
    assert answered.verdict != "reachable"
