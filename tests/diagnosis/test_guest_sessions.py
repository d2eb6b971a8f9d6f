"""What a guest's firewall takes for a connection, what it translates alike, and where it sends that on: as the kernel does.

Each is a thing that ``tests/guest/test_diagnosis_live.py`` found, or would find, with real connections.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.diagnosis.test_guest_firewall import (
    LOOKUPS,
    OPEN,
    PASS,
    PUBLISHED,
    ROUTES,
    SEEN,
    ask,
    docker,
    estate,
    rules,
    stage,
    stopped_by,
    translating,
)  # fmt: skip

UNTRACKED = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -j CT --notrack\nCOMMIT\n"


def test_what_is_not_tracked_has_no_connection() -> None:
    """The kernel takes the SYN-ACK of a connection that it was told to forget for INVALID."""
    known = rules("-A INPUT -p tcp -j ACCEPT", f"-A OUTPUT {SEEN}", outward="DROP", more=UNTRACKED)
    assert stopped_by(ask(estate(b=known))) == {("firewall.iptables.egress", "i-b")}
    only = rules("-A INPUT -p tcp -j ACCEPT", "-A OUTPUT -m state --state INVALID -j ACCEPT", outward="DROP",
                 more=UNTRACKED)  # fmt: skip
    assert stopped_by(ask(estate(b=only))) == {
        ("firewall.iptables.egress", "i-b")
    }  # what follows it is a new connection
    assert ask(estate(b=only.replace("INVALID", "NEW,INVALID"))).verdict == "reachable"


def test_later_packets_are_invalid_to_a_guest_that_does_not_track_the_reply() -> None:
    state = "-m conntrack --ctstate NEW,{} -j ACCEPT"
    unheard = estate(middle={"iptables": rules(f"-A FORWARD {state.format('ESTABLISHED')}"), "ip_forward": True})
    assert ask(unheard).verdict == "reachable"
    del unheard["vswitches"]["vsw-2"]["route_table"]  # the reply goes back directly
    report = ask(unheard)
    assert stopped_by(report) == {("firewall.iptables.forward", "i-m")}
    assert "INVALID" in stage(report, "forward").why
    unheard["instances"]["i-m"]["guest"]["iptables"] = rules(f"-A FORWARD {state.format('INVALID')}")
    assert ask(unheard).verdict == "reachable"
    for seen, verdict in (("ESTABLISHED", "unreachable"), ("INVALID", "reachable")):
        mute = rules(f"-A INPUT {state.format(seen)}", more=UNTRACKED.replace("-A PREROUTING", "-A OUTPUT"))
        assert ask(estate(b=mute)).verdict == verdict


def test_of_ports_some_of_which_are_not_tracked_each_is_told_for_itself() -> None:
    mute = rules("-A INPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT",
                 more="*raw\n-A OUTPUT -p tcp -m tcp --sport 22:23 -j CT --notrack\nCOMMIT\n")  # fmt: skip
    report = ask(estate(b=mute), port="20-25")
    assert (report.verdict, report.reachable_ports) == ("partial", ["20-21", "24-25"])


def test_a_reply_that_is_not_tracked_is_not_translated_back() -> None:
    more = PUBLISHED + "*raw\n-A PREROUTING -i docker0 -j CT --notrack\nCOMMIT\n"
    guest = docker(nat=more)
    guest["iptables"] = guest["iptables"].replace(":FORWARD DROP", ":FORWARD ACCEPT")
    report = ask(estate(b=guest), port=8080)
    assert stopped_by(report) >= {("firewall.iptables.egress", "i-b")}


def test_a_reply_of_no_connection_that_is_translated_is_no_reply() -> None:
    masked = rules(forward="ACCEPT", more=translating("-A POSTROUTING -j MASQUERADE"))
    document = estate(middle={"iptables": masked, "ip_forward": True})
    del document["vswitches"]["vsw-1"]["route_table"]  # only the reply comes by the appliance
    for protocol, port in (("tcp", 22), ("udp", 53)):
        assert stopped_by(ask(document, protocol=protocol, port=port)) == {("firewall.iptables.forward", "i-m")}
    assert ask(document, protocol="icmp", port=None).verdict == "reachable"  # an echo reply is INVALID


def test_what_is_sent_on_has_to_be_forwarded_and_to_find_its_way_there_and_back() -> None:
    assert stopped_by(ask(estate(b=docker(*OPEN) | {"ip_forward": False}), port=8080)) == {
        ("firewall.iptables.ingress", "i-b")}  # fmt: skip
    refused = docker("-A FORWARD -j ACCEPT") | {"routes": ROUTES + "unreachable 172.17.0.2\n"}
    assert "its route is unreachable" in stage(ask(estate(b=refused), port=8080), "ingress").why
    back = docker(*OPEN) | {"rules": "0: from all lookup local\n60: from all iif docker0 prohibit\n" + LOOKUPS[26:]}
    assert stopped_by(ask(estate(b=back), port=8080)) == {("guest.route.return", "i-b")}
    assert ask(estate(b=back), port=22).verdict != "reachable"  # nothing listens, but its own reply finds its way
    assert ("guest.route.return", "i-b") not in stopped_by(ask(estate(b=back), port=22))


def test_what_is_sent_on_by_an_eni_again_is_not_followed() -> None:
    elsewhere = translating("-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.3.10:80")
    report = ask(estate(b=docker("-A FORWARD -j ACCEPT", nat=elsewhere), middle=PASS), port=8080)
    assert (report.verdict, "not followed" in stage(report, "ingress").why) == ("undetermined", True)


def test_the_mark_of_a_connection_is_that_of_its_first_packet() -> None:
    sets = ("*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m conntrack --ctstate NEW -j CONNMARK --set-mark {}\n"
            "COMMIT\n")  # fmt: skip
    for mark, verdict in ((1, "reachable"), (2, "unreachable")):
        marked = rules(
            "-A OUTPUT -m connmark --mark 1 -j ACCEPT", inward="ACCEPT", outward="DROP", more=sets.format(mark)
        )
        assert ask(estate(b=marked)).verdict == verdict


@pytest.mark.parametrize(("rule", "question", "verdict"), [
    ("ipproto tcp dport 22 prohibit", {}, "unreachable"),
    ("ipproto tcp dport 23 prohibit", {}, "reachable"),
    ("fwmark 0x7 prohibit", {}, "undetermined"),
    ("fwmark 0x8 prohibit", {}, "reachable"),
])  # fmt: skip
def test_rules_of_the_guest_ask_for_ports_and_marks(rule: str, question: dict[str, Any], verdict: str) -> None:
    sets = "*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j MARK --set-mark 7\nCOMMIT\n"
    guest = {
        "iptables": sets + PASS,
        "interfaces": [{"name": "eth0", "ip": "10.0.1.10", "prefix_length": 24}],
        "rules": f"0: from all lookup local\n50: from all {rule}\n" + LOOKUPS[26:],
        "routes": "default via 10.0.1.253 dev eth0\n10.0.1.0/24 dev eth0 scope link\n",
    }
    assert ask(estate(a=guest), **question).verdict == verdict


def test_a_udp_reply_hangs_on_whether_its_socket_is_bound() -> None:
    """One that is bound to no address has no source yet when it looks for its way."""
    guest = docker("-A INPUT -j ACCEPT") | {
        "rules": "0: from all lookup local\n50: from 10.0.2.10 prohibit\n" + LOOKUPS[26:]
    }
    for address, verdict in (("10.0.2.10", "unreachable"), ("0.0.0.0", "undetermined")):
        guest["listening"] = [{"protocol": "udp", "address": address, "port": 53}]
        assert ask(estate(b=guest), protocol="udp", port=53).verdict == verdict
    guest["rules"] = LOOKUPS
    assert ask(estate(b=guest), protocol="udp", port=53).verdict == "reachable"


def test_a_redirected_packet_bears_the_address_of_its_interface() -> None:
    moved = translating("-A PREROUTING -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 8443")
    for address, verdict in (("10.0.2.10", "reachable"), ("172.17.0.2", "unreachable")):
        guest = docker(f"-A INPUT -d {address}/32 -j ACCEPT", f"-A INPUT -p tcp --dport 8443 {SEEN}", nat=moved)
        guest["listening"] = [{"port": 8443}]
        assert ask(estate(b=guest), port=443).verdict == verdict


@pytest.mark.parametrize(
    "rule", ["DNAT --to-destination 10.0.2.10:22", "REDIRECT --to-ports 22", "REDIRECT", "MASQUERADE"]
)
def test_a_translation_to_what_is_there_already_is_none(rule: str) -> None:
    chain = "POSTROUTING" if rule == "MASQUERADE" else "PREROUTING"
    closed = docker("-A INPUT -m conntrack --ctstate DNAT,SNAT -j DROP", "-A INPUT -j ACCEPT",
                    nat=translating(f"-A {chain} -p tcp -j {rule}"))  # fmt: skip
    assert ask(estate(b=closed | {"listening": [{"port": 22}]})).verdict == "reachable"


def test_an_appliance_that_translates_the_source_is_not_told_to_choose_another() -> None:
    masked = rules(forward="ACCEPT", more=translating("-A POSTROUTING -s 10.0.1.0/24 -j MASQUERADE"))
    routes = "default via 10.0.3.253 dev eth0\n10.0.3.0/24 dev eth0 scope link\n"
    guest = {"iptables": masked, "ip_forward": True, "rules": LOOKUPS, "routes": routes,
             "interfaces": [{"name": "eth0", "ip": "10.0.3.10", "prefix_length": 24}]}  # fmt: skip
    report = ask(estate(middle=guest))
    assert report.verdict == "reachable"
    (told,) = (
        one.why or "" for one in report.paths[0].forward if one.stage == "guest.route" and one.object.id == "i-m"
    )
    assert "binds no address" not in told


def test_an_echo_reply_that_is_translated_back_is_still_one() -> None:
    masked = rules(forward="ACCEPT", more=translating("-A POSTROUTING -j MASQUERADE"))
    for kind, verdict in ((0, "reachable"), (8, "unreachable")):
        opens = rules(f"-A INPUT -p icmp -m icmp --icmp-type {kind} -j ACCEPT")
        document = estate(a=opens, middle={"iptables": masked, "ip_forward": True})
        assert ask(document, protocol="icmp", port=None).verdict == verdict


def test_an_appliance_that_translates_ports_is_heard_at_those() -> None:
    moved = rules("-A FORWARD -p tcp -m tcp --dport 22 -j ACCEPT", f"-A FORWARD {SEEN}", more=translating(
        "-A PREROUTING -d 10.0.2.10/32 -p tcp -m tcp --dport 2222 -j DNAT --to-destination 10.0.2.10:22"))  # fmt: skip
    document = estate(
        b={"listening": [{"protocol": "tcp", "port": 22}]}, middle={"iptables": moved, "ip_forward": True}
    )
    report = ask(document, port=2222)
    assert report.verdict == "reachable"
    document["instances"]["i-b"]["guest"]["listening"][0]["port"] = 2222
    assert stopped_by(ask(document, port=2222)) == {("service.listening", "i-b")}
    assert (ask(estate(b={"listening": [{"port": 22}]}, middle={"iptables": moved}), port="22-2222").reachable_ports) == [
        "22", "2222"]  # fmt: skip


def test_a_translation_to_one_of_several_addresses_is_not_known() -> None:
    masked = rules("-A FORWARD -j ACCEPT", more=translating("-A POSTROUTING -j SNAT --to-source 10.0.3.10-10.0.3.12"))
    report = ask(estate(middle={"iptables": masked, "ip_forward": True}))
    assert report.verdict == "undetermined"


def test_a_reply_that_comes_by_an_appliance_which_did_not_see_the_question_has_no_connection() -> None:
    document = estate(middle={"iptables": rules(f"-A FORWARD {SEEN}"), "ip_forward": True})
    del document["vswitches"]["vsw-1"]["route_table"]
    assert stopped_by(ask(document)) == {("firewall.iptables.forward", "i-m")}
    for states, verdict in (("INVALID", "unreachable"), ("INVALID,NEW", "reachable")):
        document["instances"]["i-m"]["guest"]["iptables"] = rules(f"-A FORWARD -m state --state {states} -j ACCEPT")
        assert ask(document).verdict == verdict


def test_where_a_translation_is_not_known_no_table_judges_the_packet_that_came() -> None:
    """Whether it leaves as the appliance, which has the public address, is not known: that it has none is no reason."""
    masked = rules(forward="ACCEPT", more=translating("-A POSTROUTING -o eth0 -j MASQUERADE"))
    document = estate(middle={"iptables": masked, "ip_forward": True})
    document["eips"]["eip-a"]["bound_to"] = "i-m"
    document["route_tables"]["rtb-there"]["routes"] = [{"destination": "0.0.0.0/0", "next_hop": "i-m"}]
    report = ask(document, dst="internet", port=443)
    assert (report.verdict, stopped_by(report)) == ("undetermined", set())
    document["instances"]["i-m"]["guest"]["interfaces"] = [{"name": "eth0", "ip": "10.0.3.10", "prefix_length": 24}]
    assert ask(document, dst="internet", port=443).verdict == "reachable"
