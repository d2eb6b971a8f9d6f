"""The answer as a whole: what makes it reachable, partial, unreachable or undetermined, how the question is read, at which
moment it is judged, and what it was assumed. Written from the contract, not from the package."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from netinsight.diagnosis.report import Report
from netinsight.errors import ObjectError, PreconditionError, QuestionError
from netinsight.flow import Verdict
from tests.diagnosis import (
    EVERYONE,
    GONE,
    NOT_KNOWN,
    Document,
    ask,
    assumed,
    blockers,
    item,
    merged,
    net,
    not_checked,
    unknowns,
)

REACHABLE, PARTIAL, UNREACHABLE, UNDETERMINED = Verdict

PUBLIC = "198.51.100.80"
"""An Internet host."""
OTHER = "198.51.100.81"

EIPS: Document = {
    "eips": {"eip-a": {"ip": "203.0.113.10", "bound_to": "i-a"}, "eip-b": {"ip": "203.0.113.20", "bound_to": "i-b"}}
}
SIX: Document = {
    "vswitches": {"vsw-a": {"ipv6_cidr": "2001:db8:1:1::/64"}, "vsw-b": {"ipv6_cidr": "2001:db8:1:2::/64"}},
    "instances": {
        "i-a": {"network_interfaces": {"eni-a": {"ipv6_addresses": ["2001:db8:1:1::10"]}}},
        "i-b": {"network_interfaces": {"eni-b": {"ipv6_addresses": ["2001:db8:1:2::20"]}}},
    },
}
"""Both ends have an address of either family; sg-b lets every IPv4 address in."""
WINDOWS: Document = {"os": {"name": "Windows Server", "version": "2019"}}


def here(**facts: Any) -> Document:
    """Facts of the source, i-a."""
    return {"instances": {"i-a": facts}}


def there(**facts: Any) -> Document:
    """Facts of the destination, i-b."""
    return {"instances": {"i-b": facts}}


def eni(instance: str, **facts: Any) -> Document:
    """Facts of the ENI of i-a or i-b."""
    return {"instances": {instance: {"network_interfaces": {instance.replace("i-", "eni-"): facts}}}}


def rule(direction: str, policy: str, peer: str = EVERYONE, **facts: Any) -> Document:
    """A rule of a group."""
    key = "source" if direction == "ingress" else "destination"
    return {"direction": direction, "policy": policy, key: peer, **facts}


def group(name: str, *rules: Document, **facts: Any) -> Document:
    """A group with these rules and no others."""
    return {"security_groups": {name: {"vpc": "vpc-1", "rules": list(rules), **facts}}}


def out(*rules: Document, **facts: Any) -> Document:
    """The group of the source."""
    return group("sg-a", *rules, **facts)


def into(*rules: Document, **facts: Any) -> Document:
    """The group of the destination."""
    return group("sg-b", *rules, **facts)


def acl(vswitch: str, ingress: Any = None, egress: Any = None) -> Document:
    """An ACL at a vSwitch; a list that is not given lets everything of either family pass."""
    lists: Document = {"vpc": "vpc-1"}
    for key, direction, entries in (("source", "ingress", ingress), ("destination", "egress", egress)):
        everything = [{"policy": "accept", key: EVERYONE}, {"policy": "accept", key: "::/0"}]
        lists[direction] = everything if entries is None else entries
    name = vswitch.replace("vsw-", "nacl-")
    return {"network_acls": {name: lists}, "vswitches": {vswitch: {"network_acl": name}}}


def source(policy: str, peer: str = EVERYONE, **facts: Any) -> Document:
    """An ingress entry of an ACL."""
    return {"policy": policy, "source": peer, **facts}


def destination(policy: str, peer: str = EVERYONE, **facts: Any) -> Document:
    """An egress entry of an ACL."""
    return {"policy": policy, "destination": peer, **facts}


def table(vswitch: str, *routes: Document) -> Document:
    """A custom table at a vSwitch."""
    name = vswitch.replace("vsw-", "rtb-")
    return {
        "route_tables": {name: {"vpc": "vpc-1", "routes": list(routes)}},
        "vswitches": {vswitch: {"route_table": name}},
    }


def to(cidr: str, next_hop: str = "vpn-1", next_hop_type: str | None = "VpnGateway") -> Document:
    """A row of a table."""
    row = {"destination": cidr, "next_hop": next_hop}
    return row if next_hop_type is None else {**row, "next_hop_type": next_hop_type}


ONE_GROUP = merged(eni("i-a", security_groups=["sg-b"]), eni("i-b", security_groups=["sg-b"]))
"""Both ENIs are members of sg-b."""
NEIGHBOURS = eni("i-b", vswitch="vsw-a", ip="10.0.1.20")
"""i-b moves into the vSwitch of i-a."""
APPLIANCE: Document = {
    "instances": {"i-fw": {"network_interfaces": {"eni-fw": {"vswitch": "vsw-b", "ip": "10.0.2.250",
                                                             "security_groups": ["sg-b"]}}}}
}  # fmt: skip
REPLIES = {"protocol": "tcp", "ports": "32768/50000"}
"""Some of the ports of a Linux client."""


# --------------------------------------------------------------------------------------------------- the verdict's kinds


class Answer(NamedTuple):
    """A question about the base with changes, and its answer."""

    what: str
    changes: list[Document]
    verdict: Verdict
    asked: Mapping[str, Any] = MappingProxyType({})
    ports: Sequence[str] = ()
    partly: Sequence[str] = ()
    blamed: set[tuple[str, str]] | None = None


def answers(*table: Answer) -> pytest.MarkDecorator:
    """A table of answers as parameters of a test."""
    return pytest.mark.parametrize("answer", [pytest.param(answer, id=answer.what) for answer in table])


def judge(answer: Answer) -> Report:
    """Ask, and compare."""
    report = ask(*answer.changes, **answer.asked)
    found = (report.verdict, report.reachable_ports, report.partly_reachable_ports)
    expected = (answer.verdict, list(answer.ports), list(answer.partly))
    assert found == expected, (blockers(report), unknowns(report))
    if answer.blamed is not None:
        assert blockers(report) == answer.blamed
    agrees_with_the_contract(report)
    return report


def agrees_with_the_contract(report: Report) -> None:
    """What holds of every report."""
    stopping = [
        (one.id, one.object.id) for one in report.items if one.status == "abnormal" and one.severity == "critical"
    ]
    assert [(blocker.item, blocker.object.id) for blocker in report.blockers] == stopping
    if report.verdict is Verdict.UNDETERMINED:
        assert unknowns(report)
    if report.verdict is Verdict.REACHABLE:
        assert not stopping
        assert report.reachable_ports == [report.question.port]
    if report.verdict is Verdict.UNREACHABLE:
        assert stopping
        assert not report.reachable_ports
        assert not report.partly_reachable_ports
    skipped = {(one.id, one.object.id) for one in report.items if one.status == "skipped"}
    assert not_checked(report) <= skipped


OPEN_80 = rule("ingress", "accept", protocol="tcp", ports="80/80")


@answers(
    Answer("everything passes", [], REACHABLE, ports=["22"]),
    Answer("a range of ports passes", [], REACHABLE, {"port": "8000-8010"}, ["8000-8010"]),
    Answer("every port passes", [], REACHABLE, {"port": "1-65535"}, ["1-65535"]),
    Answer("a group drops it", [into()], UNREACHABLE, blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("some ports pass", [into(OPEN_80)], PARTIAL, {"port": "79-81"}, ["80"],
           blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("ports pass in two ranges", [into(rule("ingress", "accept", priority=2),
                                             rule("ingress", "drop", protocol="tcp", ports="100/200"))], PARTIAL,
           {"port": "1-300"}, ["1-99", "201-300"]),
    Answer("what one stage lets through the other drops",
           [into(rule("ingress", "accept", protocol="tcp", ports="1/80")),
            out(rule("egress", "drop", protocol="tcp", ports="1/80"))], UNREACHABLE, {"port": "70-90"},
           blamed={("eni.security_group.ingress", "eni-b"), ("eni.security_group.egress", "eni-a")}),
    Answer("two stages take their parts",
           [into(rule("ingress", "accept", protocol="tcp", ports="1/80")),
            out(rule("egress", "drop", protocol="tcp", ports="75/75"))], PARTIAL, {"port": "70-90"}, ["70-74", "76-80"],
           blamed={("eni.security_group.ingress", "eni-b"), ("eni.security_group.egress", "eni-a")}),
    Answer("a guest that does not listen is unreachable", [there(guest={"listening": []})], UNREACHABLE,
           blamed={("service.listening", "i-b")}),
    Answer("the listeners and the network take their parts",
           [there(guest={"listening": [{"port": 80}, {"port": 81}]}),
            into(rule("ingress", "accept", protocol="tcp", ports="81/90"))], PARTIAL, {"port": "80-82"}, ["81"],
           blamed={("service.listening", "i-b"), ("eni.security_group.ingress", "eni-b")}),
    Answer("UDP passes", [], REACHABLE, {"protocol": "udp", "port": 53}, ["53"]),
)  # fmt: skip
def test_the_verdict_is_what_all_stages_let_through(answer: Answer) -> None:
    judge(answer)


@answers(
    Answer("the list of the source lets some of the replies in", [acl("vsw-a", ingress=[source("accept", **REPLIES)])],
           PARTIAL, partly=["22"], blamed={("vswitch.network_acl.ingress.return", "vsw-a")}),
    Answer("the list of the destination lets some of the replies out",
           [acl("vsw-b", egress=[destination("accept", **REPLIES)])], PARTIAL, partly=["22"],
           blamed={("vswitch.network_acl.egress.return", "vsw-b")}),
    Answer("the client's port is one of those", [acl("vsw-a", ingress=[source("accept", **REPLIES)])], REACHABLE,
           {"source_port": 40000}, ["22"]),
    Answer("the client's port is the last of those", [acl("vsw-a", ingress=[source("accept", **REPLIES)])], REACHABLE,
           {"source_port": 50000}, ["22"]),
    Answer("the client's port is another", [acl("vsw-a", ingress=[source("accept", **REPLIES)])], UNREACHABLE,
           {"source_port": 50001}, blamed={("vswitch.network_acl.ingress.return", "vsw-a")}),
    Answer("the client's ports are some of those", [acl("vsw-a", ingress=[source("accept", **REPLIES)])], REACHABLE,
           {"source_port": "33000-34000"}, ["22"]),
    Answer("the client's ports are some of those and others", [acl("vsw-a", ingress=[source("accept", **REPLIES)])],
           PARTIAL, {"source_port": "49999-50001"}, partly=["22"]),
    Answer("the reply is left out", [acl("vsw-a", ingress=[source("accept", **REPLIES)])], REACHABLE,
           {"one_way": True}, ["22"]),
    Answer("two lists take their parts, and nothing is left",
           [acl("vsw-a", ingress=[source("accept", protocol="tcp", ports="32768/40000")]),
            acl("vsw-b", egress=[destination("accept", protocol="tcp", ports="40001/60999")])], UNREACHABLE,
           blamed={("vswitch.network_acl.ingress.return", "vsw-a"), ("vswitch.network_acl.egress.return", "vsw-b")}),
    Answer("a rule of the client's ports lets some of the questions in",
           [into(rule("ingress", "accept", protocol="tcp", source_ports="32768/50000"))], PARTIAL, partly=["22"],
           blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("one port passes for every client, one for some, one for none",
           [into(rule("ingress", "accept", protocol="tcp", ports="80/80"),
                 rule("ingress", "accept", protocol="tcp", ports="81/81", source_ports="32768/50000"))], PARTIAL,
           {"port": "80-82"}, ["80"], ["81"]),
    Answer("ports that pass for some clients are one range",
           [acl("vsw-a", ingress=[source("accept", **REPLIES)])], PARTIAL, {"port": "80-82"}, partly=["80-82"]),
    Answer("a Windows client has other ports", [acl("vsw-a", ingress=[source("accept", protocol="tcp",
           ports="49152/65535")]), here(**WINDOWS)], REACHABLE, ports=["22"]),
    Answer("a Linux client has not those of Windows", [acl("vsw-a", ingress=[source("accept", protocol="tcp",
           ports="49152/65535")])], PARTIAL, partly=["22"]),
    Answer("an Internet host has more of them", [EIPS, acl("vsw-b", egress=[destination("accept", protocol="tcp",
           ports="32768/60999")])], PARTIAL, {"src": "internet"}, partly=["22"]),
    Answer("an Internet host has no others", [EIPS, acl("vsw-b", egress=[destination("accept", protocol="tcp",
           ports="1024/65535")])], REACHABLE, {"src": "internet"}, ["22"]),
)  # fmt: skip
def test_a_stateless_list_must_let_the_reply_back_to_the_client_s_ports(answer: Answer) -> None:
    judge(answer)


def test_the_part_of_the_client_s_ports_that_is_stopped_is_told() -> None:
    for lang in ("en", "zh"):
        report = ask(acl("vsw-a", ingress=[source("accept", **REPLIES)]), lang=lang)
        assert "50001-60999" in item(report, "vswitch.network_acl.ingress.return").message


@pytest.mark.parametrize(
    ("changes", "asked", "ports"),
    [
        ({}, {}, "32768-60999"),
        (here(os={"name": "Ubuntu", "version": "20.04"}), {}, "32768-60999"),
        (here(**WINDOWS), {}, "49152-65535"),
        (there(**WINDOWS), {}, "32768-60999"),
        (EIPS, {"src": "internet"}, "1024-65535"),
        (EIPS, {"src": PUBLIC}, "1024-65535"),
        ({}, {"source_port": 40000}, "40000"),
        ({}, {"source_port": "1-1023"}, "1-1023"),
        ({}, {"protocol": "udp"}, "32768-60999"),
        ({}, {"protocol": "icmp"}, "-1/-1"),
    ],
)
def test_the_client_s_ports_are_those_of_its_kind(changes: Document, asked: Document, ports: str) -> None:
    assert ask(changes, **asked).question.source_port == ports


@answers(
    Answer("a rule lets one host in", [EIPS, into(rule("ingress", "accept", PUBLIC))], PARTIAL, {"src": "internet"},
           partly=["22"], blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("that host asks", [EIPS, into(rule("ingress", "accept", PUBLIC))], REACHABLE, {"src": PUBLIC}, ["22"]),
    Answer("another host asks", [EIPS, into(rule("ingress", "accept", PUBLIC))], UNREACHABLE, {"src": OTHER}),
    Answer("a rule keeps one host out", [EIPS, into(rule("ingress", "accept", priority=2),
           rule("ingress", "drop", PUBLIC))], PARTIAL, {"src": "internet"}, partly=["22"]),
    Answer("an ACL lets one host in", [EIPS, acl("vsw-b", ingress=[source("accept", PUBLIC)])], PARTIAL,
           {"src": "internet"}, partly=["22"], blamed={("vswitch.network_acl.ingress", "vsw-b")}),
    Answer("an ACL lets the replies to one host out", [EIPS, acl("vsw-b", egress=[destination("accept", PUBLIC)])],
           PARTIAL, {"src": "internet"}, partly=["22"], blamed={("vswitch.network_acl.egress.return", "vsw-b")}),
    Answer("a group lets one host be asked", [EIPS, out(rule("egress", "drop"), rule("egress", "accept", PUBLIC))],
           UNREACHABLE, {"dst": "internet"}),
    Answer("a group lets all hosts but one be asked", [EIPS, out(rule("egress", "drop", PUBLIC))], PARTIAL,
           {"dst": "internet"}, partly=["22"], blamed={("eni.security_group.egress", "eni-a")}),
    Answer("a port passes for all hosts and one for some",
           [EIPS, into(rule("ingress", "accept", PUBLIC), rule("ingress", "accept", protocol="tcp", ports="80/80"))],
           PARTIAL, {"src": "internet", "port": "79-80"}, ["80"], ["79"]),
    Answer("what one stage lets one host do the other lets another do",
           [EIPS, into(rule("ingress", "accept", PUBLIC)), acl("vsw-b", ingress=[source("accept", OTHER)])],
           UNREACHABLE, {"src": "internet"},
           blamed={("eni.security_group.ingress", "eni-b"), ("vswitch.network_acl.ingress", "vsw-b")}),
    Answer("the two halves of all addresses are all", [EIPS, into(rule("ingress", "accept", "0.0.0.0/1"),
           rule("ingress", "accept", "128.0.0.0/1"))], REACHABLE, {"src": "internet"}, ["22"]),
    Answer("private addresses are no Internet hosts",
           [EIPS, into(rule("ingress", "drop", "10.0.0.0/8"), rule("ingress", "accept", priority=2))], REACHABLE,
           {"src": "internet"}, ["22"]),
    Answer("a rule for a group keeps no Internet host out",
           [EIPS, into(rule("ingress", "drop", "sg-a"), rule("ingress", "accept", priority=2))], REACHABLE,
           {"src": "internet"}, ["22"]),
    Answer("a rule for a group lets no Internet host in", [EIPS, into(rule("ingress", "accept", "sg-a"))], UNREACHABLE,
           {"src": "internet"}),
    Answer("every Internet host may be asked", [EIPS], REACHABLE, {"dst": "internet"}, ["22"]),
)  # fmt: skip
def test_the_internet_is_every_host_of_it(answer: Answer) -> None:
    judge(answer)


# ---------------------------------------------------------------------------------------------------------- undetermined

UNKNOWN_ACL: Document = {"vswitches": {"vsw-b": {"network_acl": NOT_KNOWN}}}
UNKNOWN_LIST: Document = {"prefix_lists": {"pl-1": {"entries": NOT_KNOWN}}}
LOST_LIST: Document = {"unknown": {"pl-x": "of another account"}}
LOST_VSWITCH: Document = {"unknown": {"vsw-x": "of another team"}}
LOST_PORTS: Document = {"unknown": {"prl-x": "of another account"}}
LOST_GROUP: Document = {
    **merged(eni("i-b", security_groups=["sg-b", "sg-x"]), {"unknown": {"sg-x": "of another account"}})
}
BY_LOST_PORTS = rule("ingress", "accept", protocol="tcp", ports="prl-x")


@answers(
    Answer("an ACL is declared unknown", [UNKNOWN_ACL], UNDETERMINED),
    Answer("an ACL was never described", [{"vswitches": {"vsw-b": {"network_acl": "nacl-x"}},
                                           "unknown": {"nacl-x": "of another team"}}], UNDETERMINED),
    Answer("a list of an ACL is declared unknown", [acl("vsw-a", egress=NOT_KNOWN)], UNDETERMINED),
    Answer("a list that the reply meets is declared unknown", [acl("vsw-a", ingress=NOT_KNOWN)], UNDETERMINED),
    Answer("the rules of a group are declared unknown", [{"security_groups": {"sg-b": {"rules": NOT_KNOWN}}}],
           UNDETERMINED),
    Answer("the groups of an ENI are declared unknown", [eni("i-b", security_groups=NOT_KNOWN)], UNDETERMINED),
    Answer("a group was never described", [LOST_GROUP], UNDETERMINED),
    Answer("a route table is declared unknown", [{"vswitches": {"vsw-a": {"route_table": NOT_KNOWN}}}], UNDETERMINED),
    Answer("the rows of a table are declared unknown",
           [{"route_tables": {"rtb-a": {"vpc": "vpc-1", "routes": NOT_KNOWN}},
             "vswitches": {"vsw-a": {"route_table": "rtb-a"}}}], UNDETERMINED, {"dst": PUBLIC}),
    Answer("a prefix list is declared unknown", [UNKNOWN_LIST, into(rule("ingress", "accept", "pl-1"))], UNDETERMINED),
    Answer("a prefix list was never described", [LOST_LIST, into(rule("ingress", "accept", "pl-x"))], UNDETERMINED),
    Answer("a prefix list of an ACL was never described",
           [LOST_LIST, acl("vsw-b", ingress=[source("drop", "pl-x"), source("accept")])], UNDETERMINED),
    Answer("a prefix list of a route was never described", [LOST_LIST, table("vsw-a", to("pl-x"))], UNDETERMINED,
           {"dst": PUBLIC}),
    Answer("a port list was never described", [LOST_PORTS, into(BY_LOST_PORTS)], UNDETERMINED),
    Answer("a group that a rule names was never described",
           [{"unknown": {"sg-x": "of another account"}}, into(rule("ingress", "accept", "sg-x"))], UNDETERMINED),
    Answer("the state of an ENI is declared unknown", [eni("i-a", status=NOT_KNOWN)], UNDETERMINED),
    Answer("the state of an instance is declared unknown", [there(status=NOT_KNOWN)], UNDETERMINED),
    Answer("the inner policy of a group is declared unknown", [ONE_GROUP, into(inner_access_policy=NOT_KNOWN)],
           UNDETERMINED),
    Answer("the vSwitch of the destination was never described", [LOST_VSWITCH, eni("i-b", vswitch="vsw-x",
           ip="10.0.7.20"), {"vswitches": {"vsw-b": GONE}}], UNDETERMINED),
    Answer("the vSwitch of the source was never described", [LOST_VSWITCH, eni("i-a", vswitch="vsw-x",
           ip="10.0.7.20"), {"vswitches": {"vsw-a": GONE}}], UNDETERMINED),
    Answer("some ports pass, and others are unknown", [LOST_PORTS, into(OPEN_80, BY_LOST_PORTS)], UNDETERMINED,
           {"port": "80-81"}, ["80"]),
    Answer("some ports are dropped, and others are unknown",
           [LOST_PORTS, into(BY_LOST_PORTS), out(rule("egress", "drop", protocol="tcp", ports="80/80"))], UNDETERMINED,
           {"port": "80-81"}),
)  # fmt: skip
def test_what_decides_and_is_not_known_leaves_it_undetermined(answer: Answer) -> None:
    report = judge(answer)
    assert not {item_ for item_, _ in unknowns(report)} & {blocker.item for blocker in report.blockers}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"vswitches": {"vsw-b": {"network_acl": "nacl-x"}}, "unknown": {"nacl-x": "why it is"}}, "nacl-x"),
        (merged(LOST_GROUP, {"unknown": {"sg-x": "why it is"}}), "sg-x"),
        (merged(into(rule("ingress", "accept", "pl-x")), {"unknown": {"pl-x": "why it is"}}), "pl-x"),
        (merged(into(BY_LOST_PORTS), {"unknown": {"prl-x": "why it is"}}), "prl-x"),
        ({"vswitches": {"vsw-a": {"route_table": "rtb-x"}}, "unknown": {"rtb-x": "why it is"}}, "rtb-x"),
        ({"security_groups": {"sg-b": {"rules": {"unknown": "why it is"}}}}, "sg-b"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_known_is_named_with_its_reason(changes: Document, name: str) -> None:
    for lang in ("en", "zh"):
        report = ask(changes, lang=lang)
        assert report.verdict is UNDETERMINED
        found = [one for one in report.items if one.status == "unknown"]
        assert all(name in one.message and "why it is" in one.message for one in found)


@answers(
    Answer("a blocker stands beside it", [UNKNOWN_ACL, into()], UNREACHABLE,
           blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("a blocker of the guest stands beside it", [UNKNOWN_ACL, there(guest={"listening": []})], UNREACHABLE,
           blamed={("service.listening", "i-b")}),
    Answer("a blocker of the account stands beside it", [UNKNOWN_ACL, {"account": {"overdue": True}}], UNREACHABLE,
           blamed={("business.overdue", "i-a"), ("business.overdue", "i-b")}),
    Answer("a blackhole stands beside a next hop that is not modelled",
           [EIPS, {"ddos": {"blackholed": ["203.0.113.20"]}}, UNKNOWN_ACL], UNREACHABLE, {"src": "internet"}),
    Answer("a dropping ACL stands before a next hop that is not modelled",
           [table("vsw-a", to(EVERYONE)), acl("vsw-a", egress=[])], UNREACHABLE, {"dst": PUBLIC},
           blamed={("vswitch.network_acl.egress", "vsw-a")}),
    Answer("outbound mail is dropped before a next hop that is not modelled", [table("vsw-a", to(EVERYONE))],
           UNREACHABLE, {"dst": PUBLIC, "port": 25}, blamed={("platform.smtp_egress", "eni-a")}),
    Answer("both ends are in the vSwitch of an unknown ACL", [NEIGHBOURS, {"vswitches": {"vsw-a": {"network_acl":
           NOT_KNOWN}}}], REACHABLE, ports=["22"]),
    Answer("the unknown list concerns the reply, which is left out", [acl("vsw-a", ingress=NOT_KNOWN)], REACHABLE,
           {"one_way": True}, ["22"]),
    Answer("the unknown list is the one that neither way meets", [acl("vsw-a", egress=NOT_KNOWN), NEIGHBOURS],
           REACHABLE, ports=["22"]),
    Answer("an unknown list stands in a rule after the one that decides",
           [LOST_LIST, into(rule("ingress", "accept"), rule("ingress", "drop", "pl-x", priority=2))], REACHABLE,
           ports=["22"]),
    Answer("an unknown list accepts what is accepted all the same",
           [LOST_LIST, into(rule("ingress", "accept", "pl-x"), rule("ingress", "accept", priority=2))], REACHABLE,
           ports=["22"]),
    Answer("an unknown list drops what is dropped all the same",
           [LOST_LIST, into(rule("ingress", "drop", "pl-x"))], UNREACHABLE,
           blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("an unknown list accepts at the priority of a drop",
           [LOST_LIST, into(rule("ingress", "accept", "pl-x"), rule("ingress", "drop"))], UNREACHABLE,
           blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("an unknown list is of another protocol",
           [LOST_LIST, into(rule("ingress", "drop", "pl-x", protocol="udp"), rule("ingress", "accept", priority=2))],
           REACHABLE, ports=["22"]),
    Answer("an unknown port list is of another peer",
           [LOST_PORTS, into(rule("ingress", "drop", "10.9.0.0/16", protocol="tcp", ports="prl-x"),
                             rule("ingress", "accept", priority=2))], REACHABLE, ports=["22"]),
    Answer("an unknown list of an ACL accepts what is accepted all the same",
           [LOST_LIST, acl("vsw-b", ingress=[source("accept", "pl-x"), source("accept")])], REACHABLE, ports=["22"]),
    Answer("an unknown list of an ACL drops what is dropped all the same",
           [LOST_LIST, acl("vsw-b", ingress=[source("drop", "pl-x")])], UNREACHABLE,
           blamed={("vswitch.network_acl.ingress", "vsw-b")}),
    Answer("the inner policy is unknown, and a rule accepts all the same",
           [ONE_GROUP, into(rule("ingress", "accept"), inner_access_policy=NOT_KNOWN)], REACHABLE, ports=["22"]),
    Answer("the inner policy of a group that is not shared is unknown", [{"security_groups": {"sg-b":
           {"inner_access_policy": NOT_KNOWN}}}], REACHABLE, ports=["22"]),
    Answer("the rules are unknown, and members reach each other all the same",
           [ONE_GROUP, {"security_groups": {"sg-b": {"rules": NOT_KNOWN, "inner_access_policy": "Accept"}}}], REACHABLE,
           ports=["22"]),
    Answer("a group is unknown beside a drop that no rule can precede", [LOST_GROUP, into(rule("ingress", "drop"))],
           UNREACHABLE, blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("a group that another rule names is unknown, and its rule accepts what is accepted all the same",
           [{"unknown": {"sg-x": "of another account"}}, into(rule("ingress", "accept", "sg-x"),
                                                              rule("ingress", "accept", priority=2))], REACHABLE,
           ports=["22"]),
    Answer("a table is unknown, and both ends are in one vSwitch",
           [NEIGHBOURS, {"vswitches": {"vsw-a": {"route_table": NOT_KNOWN}}}], REACHABLE, ports=["22"]),
    Answer("a public next hop is unknown, and the road is private", [table("vsw-a", to(EVERYONE))], REACHABLE,
           ports=["22"]),
    Answer("some ports pass, some are dropped, and one is unknown",
           [LOST_PORTS, into(OPEN_80, BY_LOST_PORTS), out(rule("egress", "drop", protocol="tcp", ports="81/81"))],
           PARTIAL, {"port": "80-82"}, ["80"]),
    Answer("the ports that are unknown here are dropped there",
           [LOST_PORTS, into(OPEN_80, BY_LOST_PORTS), out(rule("egress", "drop", protocol="tcp", ports="81/90"))],
           PARTIAL, {"port": "80-82"}, ["80"]),
    Answer("all the ports are unknown here and dropped there",
           [LOST_PORTS, into(BY_LOST_PORTS), out(rule("egress", "drop"))], UNREACHABLE, {"port": "80-82"}),
    Answer("a missing fact of the guest, of its load or of the account is no such thing", [], REACHABLE, ports=["22"]),
    Answer("arrears are declared unknown", [{"account": {"overdue": NOT_KNOWN}}], REACHABLE, ports=["22"]),
    Answer("an ACL is unknown, and the cloud's name server is always let out",
           [acl("vsw-a", ingress=NOT_KNOWN, egress=NOT_KNOWN)], REACHABLE,
           {"dst": "100.100.2.136", "protocol": "udp", "port": 53}, ["53"]),
    Answer("a group is unknown, and the metadata server is always let out",
           [{"security_groups": {"sg-a": {"rules": NOT_KNOWN}}}], REACHABLE, {"dst": "100.100.100.200", "port": 80},
           ["80"]),
)  # fmt: skip
def test_what_is_not_known_and_does_not_decide_leaves_the_answer_as_it_is(answer: Answer) -> None:
    judge(answer)


# ----------------------------------------------------------------------------------------------- what makes it, what not


@pytest.mark.parametrize("end", ["i-a", "i-b"])
@pytest.mark.parametrize(
    ("fact", "id_"),
    [({"expires": "2026-01-01T00:00:00Z"}, "business.expired"), ({"account": "a-1"}, "business.overdue")],
)
@pytest.mark.parametrize("asked", [{}, {"protocol": "icmp"}, {"one_way": True}, {"guest": False}])
def test_a_business_item_at_either_end_makes_it_unreachable(
    end: str, fact: Document, id_: str, asked: Document
) -> None:
    report = ask({"accounts": {"a-1": {"overdue": True}}, "instances": {end: fact}}, **asked)
    assert report.verdict is UNREACHABLE
    assert blockers(report) == {(id_, end)}
    assert report.reachable_ports == []


def test_items_that_are_not_critical_never_change_the_verdict() -> None:
    bad: Document = {
        "locks": ["security"],
        "load": {"cpu_percent": 100, "private_bandwidth_percent": 100, "public_bandwidth_percent": 100},
        "guest": {"sshd": {"running": True, "ports": [22], "permit_root_login": "no", "missing_files": []},
                  "interfaces": [{"name": "eth0", "prefix_length": None}]},
    }  # fmt: skip
    report = ask(here(**bad), there(**bad), {"ddos": {"mitigating": ["203.0.113.20"]}}, EIPS)
    assert report.verdict is REACHABLE
    abnormal = {(one.id, one.object.id) for one in report.items if one.status == "abnormal"}
    assert abnormal >= {(id_, end) for id_ in ("load.cpu", "load.private_bandwidth", "business.locked", "nic.netmask")
                        for end in ("i-a", "i-b")} | {("ssh.root_login", "i-b")}  # fmt: skip
    assert not report.blockers


def test_every_blocker_is_named_and_not_only_the_first() -> None:
    report = ask(
        out(rule("egress", "drop")), acl("vsw-a", ingress=[], egress=[]), acl("vsw-b", ingress=[], egress=[]), into(),
        eni("i-a", status="Detaching"), eni("i-b", status="Attaching"), {"account": {"overdue": True}},
        there(expires="2026-01-01T00:00:00Z",
              guest={"listening": [], "sshd": {"running": False, "missing_files": ["/etc/ssh"]},
                     "dhcp_supported": True, "interfaces": [{"name": "eth0", "ip": None, "dhcp": False}]}),
    )  # fmt: skip
    assert report.verdict is UNREACHABLE
    assert blockers(report) == {
        ("eni.status", "eni-a"), ("eni.status", "eni-b"),
        ("eni.security_group.egress", "eni-a"), ("eni.security_group.ingress", "eni-b"),
        ("vswitch.network_acl.egress", "vsw-a"), ("vswitch.network_acl.ingress", "vsw-b"),
        ("vswitch.network_acl.egress.return", "vsw-b"), ("vswitch.network_acl.ingress.return", "vsw-a"),
        ("business.overdue", "i-a"), ("business.overdue", "i-b"), ("business.expired", "i-b"),
        ("service.listening", "i-b"), ("ssh.service", "i-b"), ("ssh.files", "i-b"),
        ("nic.dhcp", "i-b"), ("nic.ip", "i-b"),
    }  # fmt: skip


def test_blockers_of_a_public_path_are_all_named() -> None:
    report = ask(
        EIPS, {"ddos": {"blackholed": ["203.0.113.10"]}}, out(rule("egress", "drop")), dst=PUBLIC, port=25
    )  # fmt: skip
    assert blockers(report) == {
        ("blackhole.public_ip", "i-a"),
        ("platform.smtp_egress", "eni-a"),
        ("eni.security_group.egress", "eni-a"),
    }


@answers(
    Answer("the lists would drop the reply", [acl("vsw-a", ingress=[]), acl("vsw-b", egress=[])], REACHABLE,
           {"one_way": True}, ["22"]),
    Answer("the list would drop the question", [acl("vsw-b", ingress=[])], UNREACHABLE, {"one_way": True},
           blamed={("vswitch.network_acl.ingress", "vsw-b")}),
    Answer("syslog over UDP", [acl("vsw-a", ingress=[])], REACHABLE,
           {"one_way": True, "protocol": "udp", "port": 514}, ["514"]),
    Answer("GRE", [acl("vsw-a", ingress=[])], REACHABLE, {"one_way": True, "protocol": "gre"}, ["-1/-1"]),
    Answer("a table that would lead the reply astray",
           [{"vswitches": {"vsw-b": {"route_table": NOT_KNOWN}}}], REACHABLE, {"one_way": True}, ["22"]),
)  # fmt: skip
def test_one_way_leaves_the_reply_out(answer: Answer) -> None:
    report = judge(answer)
    assert not any(path.return_ for path in report.paths)
    assert not [one for one in report.items if one.id.endswith(".return") and one.status != "skipped"]


BROKEN_GUEST: Document = {
    "guest": {"listening": [], "sshd": {"running": False, "missing_files": ["/etc/ssh"], "permit_root_login": "no"},
              "dhcp_supported": True,
              "interfaces": [{"name": "eth0", "ip": "10.0.99.9", "prefix_length": 8, "dhcp": False}]}
}  # fmt: skip


def test_without_the_guest_nothing_inside_it_is_judged() -> None:
    assert ask(here(**BROKEN_GUEST), there(**BROKEN_GUEST)).verdict is UNREACHABLE
    report = ask(here(**BROKEN_GUEST), there(**BROKEN_GUEST), guest=False)
    assert report.verdict is REACHABLE
    assert report.reachable_ports == ["22"]
    inside = ("ssh.", "nic.", "firewall.", "guest.", "service.")
    assert {one.status for one in report.items if one.id.startswith(inside)} <= {"skipped"}


def test_without_the_guest_the_cloud_is_judged_all_the_same() -> None:
    facts: Document = {"locks": ["financial"], "load": {"cpu_percent": 99}, "expires": "2020-01-01T00:00:00Z"}
    report = ask(there(**facts), into(), guest=False)
    assert blockers(report) == {("eni.security_group.ingress", "eni-b"), ("business.expired", "i-b")}
    assert item(report, "load.cpu", "i-b").status == "abnormal"
    assert item(report, "business.locked", "i-b").status == "abnormal"


# ---------------------------------------------------------------------------------------------------- protocols, families


@answers(
    Answer("6 is TCP", [into(rule("ingress", "accept", protocol="tcp", ports="22/22"))], REACHABLE, {"protocol": 6},
           ["22"]),
    Answer("17 is UDP", [into(rule("ingress", "accept", protocol="udp", ports="53/53"))], REACHABLE,
           {"protocol": "17", "port": 53}, ["53"]),
    Answer("1 is ICMP", [into(rule("ingress", "accept", protocol="icmp"))], REACHABLE, {"protocol": 1}, ["-1/-1"]),
    Answer("47 is GRE", [into(rule("ingress", "accept", protocol="gre"))], REACHABLE, {"protocol": 47}, ["-1/-1"]),
    Answer("the words are read without regard to case", [into(rule("ingress", "accept", protocol="tcp"))], REACHABLE,
           {"protocol": "TCP"}, ["22"]),
    Answer("ICMP with no port", [], REACHABLE, {"protocol": "icmp", "port": "-1/-1"}, ["-1/-1"]),
    Answer("GRE with no port", [], REACHABLE, {"protocol": "gre", "port": "-1/-1"}, ["-1/-1"]),
    Answer("ICMP that a rule of TCP does not let in", [into(rule("ingress", "accept", protocol="tcp"))], UNREACHABLE,
           {"protocol": "icmp"}),
    Answer("ICMP that a rule of its number lets in", [into(rule("ingress", "accept", protocol=1))], REACHABLE,
           {"protocol": "icmp"}, ["-1/-1"]),
    Answer("ICMP that a rule of ICMPv6 does not let in", [into(rule("ingress", "accept", protocol="icmpv6"))],
           UNREACHABLE, {"protocol": "icmp"}),
    Answer("ESP that a rule of every protocol lets in", [], REACHABLE, {"protocol": 50, "one_way": True}, ["-1/-1"]),
    Answer("ESP that a rule of its number lets in", [into(rule("ingress", "accept", protocol=50))], REACHABLE,
           {"protocol": 50, "one_way": True}, ["-1/-1"]),
    Answer("ESP that a rule of another number does not let in", [into(rule("ingress", "accept", protocol=51))],
           UNREACHABLE, {"protocol": 50, "one_way": True}),
    Answer("TCP that a rule of every protocol lets in", [into(rule("ingress", "accept", ports="-1/-1"))], REACHABLE,
           ports=["22"]),
)  # fmt: skip
def test_protocols_are_names_and_numbers(answer: Answer) -> None:
    judge(answer)


@pytest.mark.parametrize(
    ("protocol", "name"), [("icmp", "icmp"), (6, "tcp"), (17, "udp"), (47, "gre"), (50, "50"), ("GRE", "gre")]
)
def test_the_question_names_its_protocol(protocol: int | str, name: str) -> None:
    assert ask(protocol=protocol).question.protocol == name


@pytest.mark.parametrize(
    "asked",
    [
        {"protocol": "tcp", "port": None},
        {"protocol": "udp", "port": None},
        {"protocol": 6, "port": "-1/-1"},
        {"protocol": "icmp", "port": 22},
        {"protocol": "gre", "port": 22},
        {"protocol": 50, "port": 500},
        {"protocol": "icmp", "source_port": 22},
        {"port": 0},
        {"port": 65536},
        {"port": "90-80"},
        {"port": "80/90"},
        {"protocol": "sctp"},
        {"protocol": 256},
        {"dst": "i-a"},
        {"dst": "10.0.1.10"},
        {"dst": "i-nobody"},
        {"dst": "10.0.2.99"},
        {"src": "internet", "dst": PUBLIC},
        {"src": PUBLIC, "dst": "internet"},
        {"src": "internet", "dst": "internet"},
        {"icmp_type": 8},
        {"family": 6},
    ],
    ids=str,
)
def test_a_question_that_cannot_be_asked_is_refused(asked: Document) -> None:
    whole: Document = {"src": "i-a", "dst": "i-b", "port": 22, **asked}
    if "port" not in asked and str(whole.get("protocol")) in ("icmp", "gre", "50"):
        del whole["port"]
    with pytest.raises(QuestionError):
        net(EIPS).diagnose(**whole)


@pytest.mark.parametrize("end", ["i-a", "i-b"])
@pytest.mark.parametrize("status", ["Stopped", "Stopping", "Starting", "Pending"])
def test_an_instance_that_does_not_run_is_a_precondition(end: str, status: str) -> None:
    with pytest.raises(PreconditionError) as error:
        ask({"instances": {end: {"status": status}}})
    assert [problem.code for problem in error.value.problems] == ["precondition.instance_running"]
    assert end in str(error.value)


def test_an_eni_that_is_attached_to_nothing_is_a_precondition() -> None:
    loose: Document = {"network_interfaces": {"eni-x": {"type": "secondary", "status": "Available", "vswitch": "vsw-b",
                                                        "ip": "10.0.2.77", "security_groups": ["sg-b"]}}}  # fmt: skip
    with pytest.raises(PreconditionError) as error:
        ask(loose, dst="eni-x")
    assert [problem.code for problem in error.value.problems] == ["precondition.eni_attached"]


def test_the_preconditions_of_both_ends_are_told_at_once() -> None:
    with pytest.raises(PreconditionError) as error:
        ask({"instances": {"i-a": {"status": "Stopped"}, "i-b": {"status": "Stopping"}}})
    assert [problem.message.split(";")[0] for problem in error.value.problems] == [
        "instance i-a is Stopped", "instance i-b is Stopping",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("block", "accepted", "verdict"),
    [
        ("100.100.0.0/16", ["100.100.0.0/16"], "reachable"),
        ("100.100.0.0/16", ["100.100.0.0/17"], "partial"),
        ("100.100.0.0/16", ["100.100.0.0/17", "100.100.128.0/17"], "reachable"),
        ("100.64.0.0/10", ["100.100.0.0/16"], "partial"),
        ("100.100.0.0/16", ["10.0.0.0/8"], "partial"),  # the metadata server is always allowed
        ("100.101.0.0/16", ["10.0.0.0/8"], "unreachable"),
    ],
)
def test_a_block_of_the_cloud_s_services_is_asked_whole(block: str, accepted: list[str], verdict: str) -> None:
    rules = [{"direction": "egress", "protocol": "tcp", "ports": "443/443", "destination": to} for to in accepted]
    report = ask({"security_groups": {"sg-a": {"type": "enterprise", "rules": rules}}}, dst=block, port=443)
    assert report.verdict == verdict
    assert report.question.destination.id == block


@pytest.mark.parametrize("block", ["10.0.2.0/24", "100.0.0.0/8", "8.8.8.0/24", "100.100.0.0/33"])
def test_no_other_block_is_an_end(block: str) -> None:
    with pytest.raises(ObjectError):
        ask(dst=block)


def test_two_enis_of_one_instance_are_no_question() -> None:
    second = {"eni-a": {"type": "primary"}, "eni-a2": {"type": "secondary", "vswitch": "vsw-b", "ip": "10.0.2.55",
                                                        "security_groups": ["sg-b"]}}  # fmt: skip
    with pytest.raises(QuestionError):
        ask(here(network_interfaces=second), src="eni-a", dst="eni-a2")


def test_a_name_stands_for_an_object_where_it_is_unique() -> None:
    assert ask(there(name="database"), dst="database").question.destination.id == "i-b"
    with pytest.raises(ObjectError) as error:
        ask(there(name="twin"), here(name="twin"), APPLIANCE, src="i-fw", dst="twin")
    assert "i-a" in str(error.value.problems)
    assert "i-b" in str(error.value.problems)


def test_an_address_that_two_vpcs_have_is_an_error_that_lists_its_owners() -> None:
    twin: Document = {
        "vpcs": {"vpc-2": {"cidrs": ["10.0.0.0/16"]}},
        "vswitches": {"vsw-2": {"vpc": "vpc-2", "cidr": "10.0.2.0/24"}},
        "security_groups": {"sg-2": {"vpc": "vpc-2"}},
        "instances": {"i-2": {"network_interfaces": {"eni-2": {"vswitch": "vsw-2", "ip": "10.0.2.20",
                                                               "security_groups": ["sg-2"]}}}},
    }  # fmt: skip
    with pytest.raises(ObjectError) as error:
        ask(twin, dst="10.0.2.20")
    assert "eni-b" in str(error.value.problems)
    assert "eni-2" in str(error.value.problems)


@answers(
    Answer("an echo has its reply", [acl("vsw-a", ingress=[])], UNREACHABLE, {"protocol": "icmp"},
           blamed={("vswitch.network_acl.ingress.return", "vsw-a")}),
    Answer("an echo request by its number", [acl("vsw-a", ingress=[])], UNREACHABLE,
           {"protocol": "icmp", "icmp_type": 8}),
    Answer("an echo left without its reply", [acl("vsw-a", ingress=[])], REACHABLE,
           {"protocol": "icmp", "one_way": True}, ["-1/-1"]),
    Answer("an error message has no answer", [acl("vsw-a", ingress=[])], REACHABLE,
           {"protocol": "icmp", "icmp_type": 3}, ["-1/-1"]),
    Answer("an echo reply has no answer", [acl("vsw-a", ingress=[])], REACHABLE, {"protocol": "icmp", "icmp_type": 0},
           ["-1/-1"]),
    Answer("an echo passes through entries of ICMP",
           [acl("vsw-a", ingress=[source("accept", protocol="icmp")], egress=[destination("accept", protocol="icmp")])],
           REACHABLE, {"protocol": "icmp"}, ["-1/-1"]),
    Answer("GRE has its reply", [acl("vsw-a", ingress=[])], UNREACHABLE, {"protocol": "gre"}),
)  # fmt: skip
def test_icmp_asks_an_echo_and_its_reply(answer: Answer) -> None:
    judge(answer)


SIX_IN = rule("ingress", "accept", "::/0")


@answers(
    Answer("both ends have both, and IPv4 is taken", [SIX], REACHABLE, ports=["22"]),
    Answer("IPv6 is asked for, and a rule of IPv4 does not let it in", [SIX], UNREACHABLE, {"family": 6},
           blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("IPv6 is asked for, and a rule of IPv6 lets it in", [SIX, into(SIX_IN)], REACHABLE, {"family": 6}, ["22"]),
    Answer("IPv4 is asked for, and a rule of IPv6 does not let it in", [SIX, into(SIX_IN)], UNREACHABLE,
           {"family": 4}),
    Answer("an address of one end chooses", [SIX, into(SIX_IN)], REACHABLE, {"dst": "2001:db8:1:2::20"}, ["22"]),
    Answer("an address of the source chooses", [SIX, into(SIX_IN)], REACHABLE, {"src": "2001:db8:1:1::10"}, ["22"]),
    Answer("an address in another spelling", [SIX, into(SIX_IN)], REACHABLE,
           {"dst": "2001:0DB8:1:2:0:0:0:20"}, ["22"]),
    Answer("a rule of a group has no family", [SIX, into(rule("ingress", "accept", "sg-a"))], REACHABLE,
           {"family": 6}, ["22"]),
    Answer("members reach each other over IPv6", [SIX, ONE_GROUP, into()], REACHABLE, {"family": 6}, ["22"]),
    Answer("ICMP of an IPv6 pair is ICMPv6", [SIX, into(rule("ingress", "accept", "::/0", protocol="icmpv6"))],
           REACHABLE, {"family": 6, "protocol": "icmp"}, ["-1/-1"]),
    Answer("a rule of ICMP lets no ICMPv6 in", [SIX, into(rule("ingress", "accept", "::/0", protocol="icmp"))],
           UNREACHABLE, {"family": 6, "protocol": "icmp"}),
    Answer("58 is ICMPv6", [SIX, into(rule("ingress", "accept", "::/0", protocol=58))], REACHABLE,
           {"family": 6, "protocol": "icmp"}, ["-1/-1"]),
    Answer("an ACL of IPv4 drops IPv6", [SIX, into(SIX_IN), acl("vsw-b", ingress=[source("accept")])], UNREACHABLE,
           {"family": 6}, blamed={("vswitch.network_acl.ingress", "vsw-b")}),
    Answer("an ACL of both lets IPv6 in", [SIX, into(SIX_IN), acl("vsw-a"), acl("vsw-b")], REACHABLE, {"family": 6},
           ["22"]),
)  # fmt: skip
def test_the_family_is_chosen_and_rules_are_of_one_family(answer: Answer) -> None:
    judge(answer)


def test_an_ipv6_pair_is_told_as_such() -> None:
    report = ask(SIX, into(SIX_IN), family=6, protocol="icmp")
    assert report.question.protocol == "icmpv6"
    assert (report.question.source.ip, report.question.destination.ip) == ("2001:db8:1:1::10", "2001:db8:1:2::20")
    assert ask(SIX).question.destination.ip == "10.0.2.20"


def test_an_end_without_the_family_is_no_question() -> None:
    only_a = {"vswitches": SIX["vswitches"], "instances": {"i-a": SIX["instances"]["i-a"]}}
    assert ask(only_a).verdict is REACHABLE
    with pytest.raises(QuestionError):
        ask(only_a, family=6)
    with pytest.raises(QuestionError):
        ask(only_a, src="2001:db8:1:1::10")


# ------------------------------------------------------------------------------------------------------ public addresses

DOOR_A, DOOR_B = "203.0.113.10", "203.0.113.20"
SECOND = merged(
    {"instances": {"i-b": {"network_interfaces": {"eni-b": {"secondary_ips": ["10.0.2.21"]}}}}},
    {"eips": {"eip-b": {"ip": DOOR_B, "bound_to": "i-b", "private_ip": "10.0.2.21"}}},
)
"""The EIP of i-b stands for a secondary private address."""
DNAT: Document = {
    "eips": {"eip-n": {"ip": "203.0.113.99", "bound_to": "ngw-1"}},
    "nat_gateways": {"ngw-1": {"vpc": "vpc-1", "vswitch": "vsw-a", "dnat": [
        {"eip": "eip-n", "protocol": "tcp", "external_port": 8022, "internal_ip": "10.0.2.20", "internal_port": 22}]}},
}  # fmt: skip
TO_NAT = table("vsw-b", to(EVERYONE, "ngw-1", None))


@answers(
    Answer("from outside", [EIPS], REACHABLE, {"src": "internet", "dst": DOOR_B}, ["22"]),
    Answer("from one host outside", [EIPS], REACHABLE, {"src": PUBLIC, "dst": DOOR_B}, ["22"]),
    Answer("from inside, by the source's own public address", [EIPS], REACHABLE, {"dst": DOOR_B}, ["22"]),
    Answer("from inside, without a way out", [{"eips": {"eip-b": EIPS["eips"]["eip-b"]}}], UNREACHABLE,
           {"dst": DOOR_B}),
    Answer("from inside, the group sees the source's public address",
           [EIPS, into(rule("ingress", "accept", DOOR_A))], REACHABLE, {"dst": DOOR_B}, ["22"]),
    Answer("from inside, the group does not see the source's private address",
           [EIPS, into(rule("ingress", "accept", "10.0.1.10"))], UNREACHABLE, {"dst": DOOR_B},
           blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("from inside, members of a group are none", [EIPS, ONE_GROUP, into()], UNREACHABLE, {"dst": DOOR_B},
           blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("from inside, a rule of a group does not see it", [EIPS, into(rule("ingress", "accept", "sg-a"))],
           UNREACHABLE, {"dst": DOOR_B}),
    Answer("from inside, the source's group sees the public address",
           [EIPS, out(rule("egress", "drop", DOOR_B))], UNREACHABLE, {"dst": DOOR_B},
           blamed={("eni.security_group.egress", "eni-a")}),
    Answer("from inside, in one vSwitch, the ACL sees it", [EIPS, NEIGHBOURS, acl("vsw-a", egress=[])], UNREACHABLE,
           {"dst": DOOR_B}),
    Answer("by a next hop that is not modelled", [{"eips": {"eip-b": EIPS["eips"]["eip-b"]}},
           table("vsw-a", to(EVERYONE))], UNDETERMINED, {"dst": DOOR_B}),
    Answer("by a NAT gateway that has no SNAT entry", [{"eips": {"eip-b": EIPS["eips"]["eip-b"]}}, DNAT,
           table("vsw-a", to(EVERYONE, "ngw-1", None))], UNREACHABLE, {"dst": DOOR_B},
           blamed={("gateway.nat", "ngw-1")}),
    Answer("a default row to a NAT gateway takes nothing from a public address of one's own",
           [EIPS, DNAT, table("vsw-a", to(EVERYONE, "ngw-1", None))], REACHABLE, {"dst": PUBLIC}, ["22"]),
    Answer("a default row to an IPv4 gateway does", [EIPS, table("vsw-a", to(EVERYONE, "ipv4gw-1", "Ipv4Gateway"))],
           UNDETERMINED, {"dst": PUBLIC}),
    Answer("an EIP that is bound to nothing", [EIPS, {"eips": {"eip-free": {"ip": "203.0.113.50"}}}], UNREACHABLE,
           {"src": "internet", "dst": "203.0.113.50"}),
    Answer("an EIP that is bound to nothing, from inside", [EIPS, {"eips": {"eip-free": {"ip": "203.0.113.50"}}}],
           UNREACHABLE, {"dst": "203.0.113.50"}),
    Answer("an EIP of which nobody knows where it leads",
           [EIPS, {"eips": {"eip-free": {"ip": "203.0.113.50", "bound_to": NOT_KNOWN}}}], UNDETERMINED,
           {"src": "internet", "dst": "203.0.113.50"}),
    Answer("the address of a NAT gateway", [DNAT, TO_NAT], REACHABLE, {"src": "internet", "dst": "203.0.113.99",
                                                                       "port": 8022}, ["8022"]),
    Answer("the address of a NAT gateway, and no way back to it", [DNAT], UNREACHABLE,
           {"src": "internet", "dst": "203.0.113.99", "port": 8022}, blamed={("route.return", "vsw-b")}),
    Answer("the address of a NAT gateway, at a port without an entry", [DNAT, TO_NAT], UNREACHABLE,
           {"src": "internet", "dst": "203.0.113.99", "port": 8023}, blamed={("gateway.nat", "ngw-1")}),
    Answer("behind an entry of a NAT gateway", [DNAT, TO_NAT], REACHABLE, {"src": "internet"}, ["22"]),
    Answer("behind an entry of a NAT gateway, and the group drops it", [DNAT, TO_NAT, into()], UNREACHABLE,
           {"src": "internet"}, blamed={("eni.security_group.ingress", "eni-b")}),
    Answer("the public address of a secondary private address", [EIPS, SECOND], REACHABLE,
           {"src": "internet", "dst": DOOR_B}, ["22"]),
    Answer("the secondary private address itself", [EIPS, SECOND], REACHABLE,
           {"src": "internet", "dst": "10.0.2.21"}, ["22"]),
    Answer("the primary private address beside it", [EIPS, SECOND], UNREACHABLE,
           {"src": "internet", "dst": "10.0.2.20"}),
    Answer("a secondary private address that goes out", [EIPS, SECOND], REACHABLE, {"src": "10.0.2.21", "dst": PUBLIC},
           ["22"]),
    Answer("a rule that is narrowed to the secondary private address",
           [EIPS, SECOND, into(rule("ingress", "accept", destination="10.0.2.21"))], REACHABLE,
           {"src": "internet", "dst": DOOR_B}, ["22"]),
    Answer("an EIP at a secondary ENI", [there(network_interfaces={"eni-b": {"type": "primary"}, "eni-b2": {
           "type": "secondary", "vswitch": "vsw-b", "ip": "10.0.2.30", "security_groups": ["sg-b"]}}),
           {"eips": {"eip-b2": {"ip": "203.0.113.30", "bound_to": "eni-b2"}}}], REACHABLE,
           {"src": "internet", "dst": "203.0.113.30"}, ["22"]),
    Answer("a static public address", [there(public_ip=DOOR_B)], REACHABLE, {"src": "internet"}, ["22"]),
    Answer("a static public address without bandwidth", [there(public_ip=DOOR_B, public_bandwidth_mbps=0)],
           UNREACHABLE, {"src": "internet"}, blamed={("gateway.public_ip", "eni-b")}),
    Answer("a static public address without bandwidth, asked for by name of the address",
           [there(public_ip=DOOR_B, public_bandwidth_mbps=0)], UNREACHABLE, {"src": PUBLIC, "dst": DOOR_B}),
    Answer("a static public address without bandwidth, going out", [here(public_ip=DOOR_A, public_bandwidth_mbps=0)],
           UNREACHABLE, {"dst": PUBLIC}),
    Answer("a static public address without bandwidth, inside", [there(public_ip=DOOR_B, public_bandwidth_mbps=0)],
           REACHABLE, ports=["22"]),
)  # fmt: skip
def test_a_public_address_is_a_door(answer: Answer) -> None:
    judge(answer)


@pytest.mark.parametrize("mode", ["BINDED", "MULTI_BINDED"])
@pytest.mark.parametrize("asked", [{"src": "internet"}, {"src": "i-b", "dst": PUBLIC}, {"src": PUBLIC, "dst": DOOR_B}])
@pytest.mark.parametrize("eni_", ["eni-b", "eni-b2"])  # the cloud refuses it at a primary ENI; that is warned of
def test_an_eip_that_is_not_in_nat_mode_is_a_door_that_the_guest_sees(mode: str, asked: Document, eni_: str) -> None:
    second = there(network_interfaces={"eni-b": {"type": "primary"}, "eni-b2": {
        "type": "secondary", "vswitch": "vsw-b", "ip": "10.0.2.30", "security_groups": ["sg-b"]}})  # fmt: skip
    eip: Document = {"eips": {"eip-b": {"ip": DOOR_B, "bound_to": eni_, "mode": mode}}}
    ends = {end: eni_ if value == "i-b" else value for end, value in {"dst": "i-b", **asked}.items()}
    report = ask(second, eip, **ends)
    assert report.verdict is REACHABLE
    assert not unknowns(report)
    central: Document = {"ipv4_gateways": {"ipv4gw-1": {"vpc": "vpc-1", "enabled": True}}}
    report = ask(second, eip, central, table("vsw-b", to(EVERYONE, "ipv4gw-1", None)), **ends)
    assert report.verdict is UNDETERMINED  # these modes and an enabled IPv4 gateway do not go together


@pytest.mark.parametrize(("mode", "verdict"), [("BINDED", UNREACHABLE), ("MULTI_BINDED", REACHABLE)])
@pytest.mark.parametrize("asked", [{"dst": "eni-b2"}, {"src": "eni-b2", "dst": "i-a"}])
def test_an_eip_that_is_cut_through_takes_private_networking(mode: str, verdict: Verdict, asked: Document) -> None:
    second = there(network_interfaces={"eni-b": {"type": "primary"}, "eni-b2": {
        "type": "secondary", "vswitch": "vsw-b", "ip": "10.0.2.30", "security_groups": ["sg-b"]}})  # fmt: skip
    eip: Document = {"eips": {"eip-b": {"ip": DOOR_B, "bound_to": "eni-b2", "mode": mode}}}
    report = ask(second, eip, out(rule("ingress", "accept")), **asked)
    assert report.verdict is verdict
    assert blockers(report) == ({("gateway.public_ip", "eni-b2")} if mode == "BINDED" else set())


@pytest.mark.parametrize("asked", [{"dst": PUBLIC}, {"src": "internet", "dst": "i-a"}])
def test_an_ipv4_gateway_of_the_vpc_may_make_other_vswitches_private(asked: Document) -> None:
    """Where it is enabled, a vSwitch without a route to it has no Internet, public address or not; this is not modelled."""
    centralised = table("vsw-b", to(EVERYONE, "ipv4gw-1", "Ipv4Gateway"))
    report = ask(EIPS, out(rule("ingress", "accept")), centralised, **asked)
    assert report.verdict is UNDETERMINED
    assert any(object_id == "ipv4gw-1" for _, object_id in unknowns(report))


def test_the_end_tells_the_public_address_that_was_asked_for() -> None:
    end = ask(EIPS, dst=DOOR_B).question.destination
    assert (end.id, end.eni, end.ip, end.public_ip) == ("i-b", "eni-b", "10.0.2.20", DOOR_B)


def test_the_internet_over_ipv6_is_not_guessed() -> None:
    """Whether an IPv6 address is public lies with the IPv6 gateway, which is not modelled; neither way may be denied."""
    questions: list[Document] = [
        {"dst": "2001:db8:ffff::1"},
        {"src": "2001:db8:ffff::1", "dst": "2001:db8:1:2::20"},
    ]
    for asked in questions:
        report = ask(SIX, into(SIX_IN), **asked)
        assert report.verdict is UNDETERMINED, (asked, blockers(report))
        assert any(id_ == "gateway.ipv6" for id_, _ in unknowns(report))


# -------------------------------------------------------------------------------------------------- the cloud's services

METADATA, DNS, AGENT = "100.100.100.200", "100.100.2.136", "100.100.45.106"
ENTERPRISE = {"type": "enterprise"}


@answers(
    Answer("a normal group lets its ENIs ask for the agent's servers", [], REACHABLE, {"dst": AGENT, "port": 443},
           ["443"]),
    Answer("an enterprise group does not", [out(**ENTERPRISE)], UNREACHABLE, {"dst": AGENT, "port": 443},
           blamed={("eni.security_group.egress", "eni-a")}),
    Answer("an enterprise group does not let its ENIs ask for names", [out(**ENTERPRISE)], UNREACHABLE,
           {"dst": DNS, "protocol": "udp", "port": 53}, blamed={("eni.security_group.egress", "eni-a")}),
    Answer("a rule of an enterprise group does", [out(rule("egress", "accept", "100.64.0.0/10"), **ENTERPRISE)],
           REACHABLE, {"dst": DNS, "protocol": "udp", "port": 53}, ["53"]),
    Answer("an enterprise group lets its ENIs ask for metadata", [out(**ENTERPRISE)], REACHABLE,
           {"dst": METADATA, "port": 80}, ["80"]),
    Answer("no rule keeps an ENI from metadata", [out(rule("egress", "drop"))], REACHABLE,
           {"dst": METADATA, "port": 80}, ["80"]),
    Answer("a rule keeps an ENI from names", [out(rule("egress", "drop"))], UNREACHABLE,
           {"dst": DNS, "protocol": "udp", "port": 53}),
    Answer("the default row leads no service astray", [table("vsw-a", to(EVERYONE))], REACHABLE,
           {"dst": AGENT, "port": 443}, ["443"]),
    Answer("a row for the services leads elsewhere", [table("vsw-a", to("100.100.0.0/16"))], UNDETERMINED,
           {"dst": AGENT, "port": 443}),
    Answer("an ACL must let the agent's servers answer", [acl("vsw-a", ingress=[])], UNREACHABLE,
           {"dst": AGENT, "port": 443}, blamed={("vswitch.network_acl.ingress.return", "vsw-a")}),
    Answer("an ACL lets metadata answer", [acl("vsw-a", ingress=[], egress=[])], REACHABLE,
           {"dst": METADATA, "port": 80}, ["80"]),
)  # fmt: skip
def test_the_cloud_s_services_are_reached_by_their_route(answer: Answer) -> None:
    judge(answer)


# ------------------------------------------------------------------------------------------------------------ the moment

COLLECTED = datetime(2026, 11, 24, 8, tzinfo=UTC)
SECOND_LATER = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        (None, REACHABLE),
        (COLLECTED, REACHABLE),
        (COLLECTED + timedelta(days=9), UNREACHABLE),
        (COLLECTED - timedelta(days=9), REACHABLE),
    ],
)
def test_expiry_is_judged_at_the_moment_that_is_asked_else_at_collection(at: datetime | None, verdict: Verdict) -> None:
    report = ask(there(expires="2026-12-01T00:00:00Z"), at=at)
    assert report.verdict is verdict
    assert datetime.fromisoformat(report.at) == (at or COLLECTED)
    assert report.generated_at == report.at


def test_a_topology_without_a_moment_is_judged_now() -> None:
    before = datetime.now(UTC) - SECOND_LATER
    report = ask({"collected_at": None}, there(expires="2020-01-01T00:00:00Z"))
    assert before <= datetime.fromisoformat(report.at) <= datetime.now(UTC) + SECOND_LATER
    assert report.verdict is UNREACHABLE


def test_an_instance_expires_at_the_very_moment() -> None:
    facts = there(expires="2026-11-24T08:00:00Z")
    assert ask(facts, at=COLLECTED - SECOND_LATER).verdict is REACHABLE
    assert ask(facts, at=COLLECTED).verdict is UNREACHABLE
    assert ask(facts, at=COLLECTED + SECOND_LATER).verdict is UNREACHABLE


def test_a_blackhole_ends_at_the_very_moment() -> None:
    hole: Document = {"ddos": {"blackholed": [{"ip": DOOR_B, "until": "2026-11-24T08:00:00Z"}]}}
    assert ask(EIPS, hole, src="internet", at=COLLECTED - SECOND_LATER).verdict is UNREACHABLE
    assert ask(EIPS, hole, src="internet", at=COLLECTED).verdict is REACHABLE
    assert ask(EIPS, hole, src="internet", at=COLLECTED + SECOND_LATER).verdict is REACHABLE


def test_a_moment_is_one_moment_in_every_time_zone() -> None:
    eight_in_china = datetime(2026, 11, 24, 16, tzinfo=timezone(timedelta(hours=8)))
    facts = there(expires="2026-11-24T16:00:00+08:00")
    assert ask(facts, at=eight_in_china).verdict is UNREACHABLE
    assert ask(facts, at=eight_in_china - SECOND_LATER).verdict is REACHABLE


# ----------------------------------------------------------------------------------------------------------- assumptions


class Point(NamedTuple):
    """An open point where the answer rests on it: the verdict with each of its values."""

    name: str
    changes: list[Document]
    asked: Document
    verdicts: dict[str, Verdict]


STEERED = table("vsw-a", to("10.0.1.0/24", "eni-fw", None))
POINTS = [
    Point("intra_group_egress", [ONE_GROUP, into(rule("egress", "drop"))], {},
          {"accept_wins": REACHABLE, "custom_wins": UNREACHABLE}),
    Point("specific_route_beats_eip", [EIPS, table("vsw-a", to("198.51.100.0/24"))], {"dst": PUBLIC},
          {"true": UNDETERMINED, "false": REACHABLE}),
    Point("default_route_to_instance_beats_eip", [EIPS, APPLIANCE, table("vsw-a", to(EVERYONE, "i-fw", None))],
          {"dst": PUBLIC}, {"false": REACHABLE, "true": UNREACHABLE}),
    Point("default_route_to_instance_beats_eip", [EIPS, table("vsw-a", to(EVERYONE, "havip-1", "HaVip"))],
          {"dst": PUBLIC}, {"false": REACHABLE, "true": UNDETERMINED}),
    Point("steered_own_vswitch", [NEIGHBOURS, APPLIANCE, {"instances": {"i-fw": {"guest": {"ip_forward": False}}}},
                                  STEERED], {}, {"direct": REACHABLE, "routed": UNREACHABLE}),
    Point("lock_cuts_traffic", [there(locks=["security"])], {}, {"false": REACHABLE, "true": UNREACHABLE}),
    Point("lock_cuts_traffic", [here(locks=["financial"])], {}, {"false": REACHABLE, "true": UNREACHABLE}),
    Point("icmp_gre_stateful", [], {"protocol": "icmp"}, {"true": REACHABLE, "false": UNREACHABLE}),
    Point("icmp_gre_stateful", [], {"protocol": "gre"}, {"true": REACHABLE, "false": UNREACHABLE}),
    Point("icmp_gre_stateful", [into(rule("ingress", "accept", protocol="icmp"), **ENTERPRISE),
                                out(rule("egress", "accept"), rule("ingress", "accept"), **ENTERPRISE)],
          {"protocol": "icmp"}, {"true": REACHABLE, "false": UNREACHABLE}),
]  # fmt: skip


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_an_open_point_that_the_answer_rests_on_is_printed_and_can_be_turned(point: Point) -> None:
    default = next(iter(point.verdicts))
    for value, verdict in point.verdicts.items():
        for report in (
            ask(*point.changes, **point.asked, assume={point.name: value}),
            ask(*point.changes, {"assumptions": {point.name: value}}, **point.asked),
        ):
            assert report.verdict is verdict
            assert assumed(report)[point.name] == value
    plain = ask(*point.changes, **point.asked)
    assert (plain.verdict, assumed(plain)[point.name]) == (point.verdicts[default], default)


def test_the_argument_outranks_the_topology() -> None:
    written: Document = {"assumptions": {"lock_cuts_traffic": "false"}}
    report = ask(there(locks=["security"]), written, assume={"lock_cuts_traffic": "true"})
    assert report.verdict is UNREACHABLE


@pytest.mark.parametrize("value", [True, "true"])
def test_an_assumption_may_be_written_as_a_word_or_a_truth_value(value: object) -> None:
    report = ask(there(locks=["security"]), {"assumptions": {"lock_cuts_traffic": value}})
    assert report.verdict is UNREACHABLE


OPEN_ICMP = [out(rule("ingress", "accept"))]
QUIET: list[tuple[str, list[Document], Document]] = [
    ("nothing is open", [], {}),
    ("an ordinary public path", [EIPS], {"src": "internet"}),
    ("members with no custom egress rule", [ONE_GROUP, into()], {}),
    ("a custom egress rule that accepts members all the same", [ONE_GROUP, into(rule("egress", "accept"))], {}),
    ("a custom egress drop for others than members", [ONE_GROUP, into(rule("egress", "drop", "192.168.0.0/16"))], {}),
    ("a specific route to elsewhere", [EIPS, table("vsw-a", to("192.0.2.0/24"))], {"dst": PUBLIC}),
    ("a specific route without a public address", [table("vsw-a", to("198.51.100.0/24"))], {"dst": PUBLIC}),
    ("a default route to a gateway", [EIPS, table("vsw-a", to(EVERYONE))], {"dst": PUBLIC}),
    ("a steered vSwitch of others", [APPLIANCE, table("vsw-a", to("10.0.2.0/24", "eni-fw", None))], {}),
    ("no lock", [there(locks=[]), here(locks=[])], {}),
    ("locks that are not known", [], {}),
    ("TCP between groups that let only one way", [], {"protocol": "tcp"}),
    ("ICMP between groups that let both ways", OPEN_ICMP, {"protocol": "icmp"}),
    ("ICMP without its reply", [], {"protocol": "icmp", "one_way": True}),
    ("a blackholed address that the source uses", [EIPS, {"ddos": {"blackholed": [DOOR_A]}}], {"dst": PUBLIC}),
]


@pytest.mark.parametrize(("changes", "asked"), [pytest.param(c, a, id=what) for what, c, a in QUIET])
def test_an_open_point_that_the_answer_does_not_rest_on_is_not_printed(
    changes: list[Document], asked: Document
) -> None:
    assert assumed(ask(*changes, **asked)) == {}


TURNED = {
    "intra_group_egress": "custom_wins",
    "specific_route_beats_eip": "false",
    "default_route_to_instance_beats_eip": "true",
    "steered_own_vswitch": "routed",
    "lock_cuts_traffic": "true",
    "nlb_client_ip_meets_groups": "true",
    "blackhole_stops_snat_replies": "false",
    "icmp_gre_stateful": "false",
}


def bare(report: Report) -> Mapping[str, Any]:
    """A report without its assumptions."""
    return {key: value for key, value in report.model_dump(by_alias=True).items() if key != "assumptions"}


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        *(pytest.param(point.changes, point.asked, id=point.name) for point in POINTS),
        *(pytest.param(c, a, id=what) for what, c, a in QUIET),
        pytest.param([there(locks=["security"]), into()], {}, id="a lock beside a blocker"),
        pytest.param([out(rule("egress", "drop"))], {"protocol": "icmp"}, id="ICMP that is dropped"),
        pytest.param([ONE_GROUP, into(rule("egress", "drop")), acl("vsw-b", ingress=[])], {}, id="members, and an ACL"),
    ],
)
def test_what_turns_the_verdict_is_printed_and_what_turns_nothing_is_not(
    changes: list[Document], asked: Document
) -> None:
    plain = ask(*changes, **asked)
    for name, value in TURNED.items():
        turned = ask(*changes, **asked, assume={name: value})
        if turned.verdict is not plain.verdict:
            assert name in assumed(plain)
            assert name in assumed(turned)
        if bare(turned) == bare(plain):
            assert name not in assumed(plain)
            assert name not in assumed(turned)


@pytest.mark.parametrize(
    "assume", [{"lock_cuts_trafic": "true"}, {"lock_cuts_traffic": "perhaps"}, {"intra_group_egress": "true"}], ids=str
)
def test_an_assumption_that_does_not_exist_is_refused(assume: dict[str, str]) -> None:
    with pytest.raises(QuestionError):
        ask(assume=assume)


# ------------------------------------------------------------------------------------------------------------- the bytes

MUCH: list[Document] = [
    EIPS, SIX, into(OPEN_80, rule("ingress", "accept", PUBLIC, priority=2)), acl("vsw-a"),
    acl("vsw-b", egress=[destination("accept", **REPLIES)]), there(locks=["security"], guest={"listening": []}),
]  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [{}, {"src": "internet", "port": "1-100"}, {"protocol": "icmp", "lang": "zh"}, {"family": 6}, {"dst": DOOR_B}],
    ids=str,
)
def test_equal_input_at_an_equal_moment_gives_equal_bytes(asked: Document) -> None:
    first, second = ask(*MUCH, **asked).to_json(), ask(*MUCH, **asked).to_json()
    assert first.encode() == second.encode()
    one_net = net(*MUCH)
    whole: Document = {"src": "i-a", "dst": "i-b", **({} if "protocol" in asked else {"port": 22}), **asked}
    assert one_net.diagnose(**whole).to_json() == one_net.diagnose(**whole).to_json() == first
    assert one_net.diagnose(**whole, at=COLLECTED).to_json() == first


def test_a_report_is_what_the_contract_says() -> None:
    report = json.loads(ask(*MUCH, src="internet", port="1-100").to_json())
    assert list(report) == ["schema", "tool_version", "generated_at", "at", "lang", "verdict", "notice", "question",
                            "reachable_ports", "partly_reachable_ports", "paths", "items", "blockers", "assumptions",
                            "not_checked"]  # fmt: skip
    assert report["schema"] == "netinsight.report/1"
    assert report["notice"] == "advisory: reflects the key configuration, not live traffic"
    assert set(report["paths"][0]) == {"decision", "forward", "return"}
    assert set(report["items"][0]) == {"id", "object", "category", "name", "severity", "status", "message",
                                       "suggestion", "evidence"}  # fmt: skip
    assert all(set(blocker) == {"item", "object"} for blocker in report["blockers"])
    assert all(set(left_out) == {"item", "object", "reason"} for left_out in report["not_checked"])


# ------------------------------------------------------------------------------------------ networks behind a next hop

BEHIND: Document = {
    "vswitches": {"vsw-a": {"route_table": "rtb-a"}},
    "route_tables": {
        "rtb-a": {
            "vpc": "vpc-1",
            "routes": [{"destination": "172.19.0.0/16", "next_hop": "vpn-1", "next_hop_type": "VpnGateway"}],
        }
    },
}


def test_an_address_that_a_route_leads_to_is_undetermined_and_names_the_hop() -> None:
    report = ask(BEHIND, dst="172.19.3.4")
    assert report.verdict == Verdict.UNDETERMINED
    assert unknowns(report) == {("gateway.vpn", "vpn-1")}
    assert report.question.destination.type == "network"
    back = ask(BEHIND, {"security_groups": {"sg-a": {"rules": [{"direction": "ingress", "source": EVERYONE}]}}},
               src="172.19.3.4", dst="i-a")  # fmt: skip
    assert (back.verdict, unknowns(back)) == (Verdict.UNDETERMINED, {("gateway.vpn", "vpn-1")})


def test_an_address_behind_a_hop_that_this_vswitch_has_no_route_to_is_unreachable() -> None:
    report = ask(BEHIND, src="i-b", dst="172.19.3.4")
    assert report.verdict == Verdict.UNREACHABLE
    assert blockers(report) == {("route.forward", "vsw-b")}


def test_a_private_address_that_no_route_leads_to_is_no_object_and_names_its_neighbours() -> None:
    with pytest.raises(ObjectError):
        ask(BEHIND, dst="172.20.3.4")
    with pytest.raises(ObjectError) as error:
        ask(dst="10.0.2.99")
    assert error.value.problems[0].hint == "vsw-b has 10.0.2.20"


def test_members_that_a_group_keeps_apart_are_told_so() -> None:
    shared = {"security_groups": {"sg-a": {"inner_access_policy": "Drop"}},
              "instances": {"i-b": {"network_interfaces": {"eni-b": {"security_groups": ["sg-a"]}}}}}  # fmt: skip
    told = item(ask(shared), "eni.security_group.ingress")
    assert told.message == "no rule matches, and sg-a keeps its members apart; the group's default drops"
    assert "set inner_access_policy of sg-a to Accept" in told.suggestion


def test_a_drop_of_the_best_priority_is_not_to_be_preceded() -> None:
    rules = [{"direction": "ingress", "policy": "drop", "priority": p, "source": EVERYONE} for p in (1, 2)]
    for rule, wanted in zip(rules, ("no rule can come before", "smaller priority number"), strict=True):
        told = item(ask({"security_groups": {"sg-b": {"rules": [rule]}}}), "eni.security_group.ingress")
        assert wanted in told.suggestion
