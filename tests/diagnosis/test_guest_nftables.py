"""A guest's nftables in a diagnosis, alone and together with its iptables; hosts that a guest's firewall tells apart."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

import netinsight as ni
from netinsight.errors import InputError
from tests.diagnosis.test_guest_firewall import (
    PUBLISHED,
    ask,
    docker,
    estate,
    exported,
    rules,
    stage,
    stopped_by,
    translating,
    with_ipv6,
)

ACCEPT, DROP = {"accept": None}, {"drop": None}
Chain = tuple[str, str, int, str, list[list[dict[str, Any]]]]


def match(left: str, right: Any, op: str = "==") -> dict[str, Any]:
    """``tcp dport``, ``iifname``, ``ct state``, ``ct original ip saddr``, … as libnftables writes it."""
    kind, _, name = left.partition(" ")
    if kind == "ct":
        direction, _, key = name.partition(" ")
        side = {"ct": {"dir": direction, "key": key} if key else {"key": name}}
    elif not name:
        side = {"meta": {"key": kind}}
    else:
        side = {"payload": {"protocol": kind, "field": name}}
    return {"match": {"op": op, "left": side, "right": right}}


SEEN = match("ct state", ["established", "related"], "in")


def tcp(port: Any) -> dict[str, Any]:
    return match("tcp dport", port)


def net_of(address: str) -> dict[str, Any]:
    base, _, length = address.partition("/")
    return {"prefix": {"addr": base, "len": int(length)}}


def chain(hook: str, *expressions: Any, policy: str = "drop", kind: str = "filter", priority: int = 0) -> Chain:
    return hook, kind, priority, policy, list(expressions)


def nft(*chains: Chain, family: str = "inet", table: str = "t", sets: Any = (), upper: bool = False) -> str:
    """One table, handles from 5 on; ``upper``: chains are called as iptables calls them."""
    at = {"family": family, "table": table}
    found: list[Any] = [
        {"metainfo": {"json_schema_version": 1}},
        {"table": {"family": family, "name": table, "handle": 1}},
    ]
    found += [{"set": {**at, **one}} for one in sets]
    for hook, kind, priority, policy, expressions in chains:
        name = hook.upper() if upper else hook
        found.append({"chain": {**at, "name": name, "handle": 2, "type": kind, "hook": hook, "prio": priority,
                                "policy": policy}})  # fmt: skip
        found += [{"rule": {**at, "chain": name, "handle": n, "expr": expression}}
                  for n, expression in enumerate(expressions, start=5)]  # fmt: skip
    return json.dumps({"nftables": found}, indent=1)


def guest(*chains: Chain, **more: Any) -> dict[str, Any]:
    return {"nftables": nft(*chains, **more)}


def joined(*texts: str) -> str:
    """Several tables in one rule set."""
    return json.dumps({"nftables": [one for text in texts for one in json.loads(text)["nftables"]]}, indent=1)


def test_a_rule_drops_with_its_handle_and_its_line() -> None:
    shut = guest(chain("input", [tcp(80), ACCEPT], [tcp(22), DROP], policy="accept"))
    report = ask(estate(b=shut))
    found = stage(report, "ingress")
    assert (found.decision, report.verdict) == ("drop", "unreachable")
    assert stopped_by(report) == {("firewall.iptables.ingress", "i-b")}
    assert "the guest's nftables drops it: tcp dport 22 drop" in found.why
    (item,) = (one for one in report.items if one.id == "firewall.iptables.ingress" and one.object.id == "i-b")
    assert item.evidence[0].id == "i-b/nftables/inet t input handle 6"
    assert ask(estate(b=shut), port=80).verdict == "reachable"


def test_a_policy_drops_by_the_name_of_its_chain() -> None:
    report = ask(estate(b=guest(chain("input"))))
    (item,) = (one for one in report.items if one.id == "firewall.iptables.ingress" and one.object.id == "i-b")
    assert "inet t input policy DROP" in item.message
    assert (item.evidence[0].id, item.evidence[0].text) == ("i-b/nftables/inet t input", "policy of inet t input: DROP")


def test_rules_that_hang_on_no_hook_of_the_way_let_all_pass() -> None:
    report = ask(estate(b=guest(chain("forward"))))
    assert (report.verdict, stage(report, "ingress").decision) == ("reachable", "accept")


def test_of_tcp_the_later_packets_have_to_pass_too() -> None:
    new = [match("ct state", "new", "in"), tcp(22), ACCEPT]
    report = ask(estate(b=guest(chain("input", new))))
    assert (report.verdict, "later" in stage(report, "ingress").why) == ("unreachable", True)
    assert ask(estate(b=guest(chain("input", [SEEN, ACCEPT], new)))).verdict == "reachable"


@pytest.mark.parametrize(("one", "verdict"), [
    (SEEN, "reachable"),
    (match("ct state", "related", "in"), "unreachable"),
    (match("ct direction", "reply"), "reachable"),
    (match("ct direction", "original"), "unreachable"),
    (match("ct original ip daddr", "10.0.2.10"), "reachable"),
    (match("ct original ip daddr", "10.0.1.10"), "unreachable"),
    (match("ct status", "seen-reply", "in"), "reachable"),
    (match("ct status", "dnat", "in"), "unreachable"),
    (match("iifname", "lo"), "unreachable"),
    (match("iifname", {"set": ["lo", "eth1"]}), "undetermined"),
])  # fmt: skip
def test_the_reply_is_judged_at_the_source_as_part_of_its_connection(one: dict[str, Any], verdict: str) -> None:
    report = ask(estate(a=guest(chain("input", [one, ACCEPT]))))
    assert report.verdict == verdict
    if verdict == "unreachable":
        assert stage(report, "ingress", "i-a", back=True).decision == "drop"


def test_one_rule_set_holds_the_rules_of_both_families() -> None:
    document = with_ipv6(estate(b=guest(chain("input", [match("ip6 saddr", net_of("2001:db8::/32")), ACCEPT]))))
    assert ask(document, family=6).verdict == "reachable"
    assert ask(document, family=4).verdict == "unreachable"
    assert not [one for one in ask(document, family=6).not_checked if one.item == "firewall.iptables.ingress"
                and one.object.id == "i-b"]  # fmt: skip


# ------------------------------------------------------------------------------------------------------- translation

TO_CONTAINER = chain("prerouting", [tcp(8080), {"dnat": {"addr": "172.17.0.2", "port": 80}}], kind="nat",
                     priority=-100, policy="accept")  # fmt: skip
OPEN = chain("forward", [match("oifname", "docker0"), match("ip daddr", "172.17.0.2"), tcp(80), ACCEPT],
             [match("iifname", "docker0"), ACCEPT], [SEEN, ACCEPT])  # fmt: skip


def inside(*chains: Chain, **more: Any) -> dict[str, Any]:
    """A guest with a container behind it."""
    told = docker()
    del told["iptables"]
    return {**told, **guest(*chains, family="ip", **more), "ip_forward": True}


def test_a_published_port_is_forwarded_to_the_container() -> None:
    report = ask(estate(b=inside(TO_CONTAINER, OPEN)), port=8080)
    assert report.verdict == "reachable"
    assert "172.17.0.2 port 80" in stage(report, "ingress").why
    answer = stage(report, "egress", "i-b", back=True)
    assert 'iifname "docker0"' in answer.why
    shut = inside(TO_CONTAINER, chain("forward", *OPEN[4][1:]))
    assert stopped_by(ask(estate(b=shut), port=8080)) == {("firewall.iptables.ingress", "i-b")}


def test_a_translating_appliance_is_answered_at_its_own_address() -> None:
    """There is one chain that translates; the kernel translates the answer at another hook all the same."""
    masked = chain("postrouting", [match("ip saddr", net_of("10.0.1.0/24")), {"masquerade": None}], kind="nat",
                   priority=100, policy="accept")  # fmt: skip
    through = chain("forward", [match("ip saddr", net_of("10.0.1.0/24")), ACCEPT],
                    [match("ip daddr", "10.0.1.10"), SEEN, ACCEPT])  # fmt: skip
    middle = {**guest(masked, through), "ip_forward": True}
    report = ask(estate(b=rules("-A INPUT -s 10.0.3.10/32 -p tcp -j ACCEPT"), middle=middle))
    assert report.verdict == "reachable"
    assert "10.0.3.10" in stage(report, "forward").why
    assert "ip daddr 10.0.1.10" in stage(report, "forward", back=True).why
    other = ask(estate(b=rules("-A INPUT -s 10.0.1.10/32 -p tcp -j ACCEPT"), middle=middle))
    assert stopped_by(other) == {("firewall.iptables.ingress", "i-b")}


# ------------------------------------------------------------------------------------------- together with iptables


@pytest.mark.parametrize(("iptables", "nftables", "stops"), [
    (rules("-A INPUT -p tcp -j ACCEPT"), chain("input", [tcp(22), ACCEPT]), None),
    (rules(), chain("input", [tcp(22), ACCEPT]), "i-b/iptables/2"),
    (rules("-A INPUT -p tcp -j ACCEPT"), chain("input"), "i-b/nftables/inet t input"),
    (rules("-A INPUT -p tcp -j REJECT"), chain("input", priority=10), "i-b/iptables/5"),
    (rules("-A INPUT -m geoip --src-cc DE -j DROP", inward="ACCEPT"), chain("input", priority=10), "i-b/nftables/inet t input"),
])  # fmt: skip
def test_a_packet_has_to_pass_both(iptables: str, nftables: Chain, stops: str | None) -> None:
    report = ask(estate(b={"iptables": iptables, **guest(nftables)}))
    assert report.verdict == ("unreachable" if stops else "reachable")
    (item,) = (one for one in report.items if one.id == "firewall.iptables.ingress" and one.object.id == "i-b")
    assert stops is None or item.evidence[0].id == stops


def test_what_one_leaves_open_is_not_known_where_the_other_lets_it_pass() -> None:
    strange = rules("-A INPUT -m geoip --src-cc DE -j ACCEPT")
    report = ask(estate(b={"iptables": strange, **guest(chain("input", [tcp(22), ACCEPT]))}))
    assert (report.verdict, "the guest's iptables" in stage(report, "ingress").why) == ("undetermined", True)


def test_what_iptables_translate_nftables_see_translated() -> None:
    forward = rules("-A FORWARD -j ACCEPT", more=PUBLISHED)
    both = {**docker(), "iptables": forward, **guest(OPEN), "ip_forward": True}
    report = ask(estate(b=both), port=8080)
    assert (report.verdict, "172.17.0.2 port 80" in stage(report, "ingress").why) == ("reachable", True)
    both |= guest(chain("forward", [tcp(8080), ACCEPT], [SEEN, ACCEPT]))
    assert stopped_by(ask(estate(b=both), port=8080)) == {("firewall.iptables.ingress", "i-b")}


def test_of_two_translations_the_kernel_takes_the_first() -> None:
    other = chain("prerouting", [tcp(8080), {"dnat": {"addr": "172.17.0.9", "port": 81}}], kind="nat", priority=-90,
                  policy="accept")  # fmt: skip
    both = {**docker(), "iptables": rules(forward="ACCEPT", more=PUBLISHED), **guest(other, family="ip")}
    told = stage(ask(estate(b=both | {"ip_forward": True}), port=8080), "ingress")
    assert "172.17.0.2 port 80" in told.why
    earlier = nft((*other[:2], -110, *other[3:]), family="ip")
    told = stage(ask(estate(b=both | {"nftables": earlier, "ip_forward": True}), port=8080), "ingress")
    assert "172.17.0.9 port 81" in told.why


FOREIGN = {"xt": {"type": "match", "name": "geoip"}}
"""An extension of iptables, of which nftables tell the name."""


def test_tables_that_iptables_tell_are_not_judged_a_second_time() -> None:
    twice = guest(chain("input", [FOREIGN, DROP], policy="accept"), family="ip", table="filter", upper=True)
    printed = "# Generated by iptables-nft-save v1.8.9 (nf_tables) on Wed Nov 25 15:14:49 2026\n"
    told = printed + rules("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT")
    assert ask(estate(b={"iptables": told, **twice})).verdict == "reachable"
    assert ask(estate(b={"iptables": told.replace("nf_tables", "1"), **twice})).verdict == "reachable"
    assert ask(estate(b=twice)).verdict == "undetermined"
    assert ask(estate(b={"iptables": translating(), **twice})).verdict == "undetermined"  # another table


def test_tables_of_the_older_iptables_are_others_than_those_of_nftables() -> None:
    shut = guest(chain("input"), family="ip", table="filter", upper=True)
    legacy = "# Generated by iptables-save v1.8.9 on Wed Nov 25 15:14:48 2026\n" + rules("-A INPUT -j ACCEPT")
    report = ask(estate(b={"iptables": legacy, **shut}))
    assert stopped_by(report) == {("firewall.iptables.ingress", "i-b")}
    assert "nftables" in stage(report, "ingress").why


def test_chains_that_iptables_do_not_print_are_judged_by_nftables() -> None:
    """``iptables-save`` leaves out chains that nft hung into its table, and says so."""
    table = "# Table `filter' contains incompatible base-chains, use 'nft' tool to list them.\n"
    told = table + rules("-A INPUT -j ACCEPT")
    assert "not judged" in stage(ask(estate(b=told)), "ingress").why
    mine = nft(chain("input", [FOREIGN, DROP], policy="accept"), family="ip", table="filter", upper=True)
    own = nft(chain("input", [tcp(22), DROP], policy="accept", priority=3), family="ip", table="filter")
    hung = json.loads(own)["nftables"][2:]
    both = json.dumps({"nftables": [*json.loads(mine)["nftables"], *hung]})
    report = ask(estate(b={"iptables": told, "nftables": both}))
    assert "the guest's nftables drops it: tcp dport 22 drop" in stage(report, "ingress").why
    assert "not judged" not in stage(ask(estate(b={"iptables": told, "nftables": both}), port=80), "ingress").why


def test_where_neither_is_known_the_gap_names_iptables() -> None:
    report = ask(estate(b={"sysctl": ""}))
    (gap,) = (one for one in report.not_checked if one.item == "firewall.iptables.ingress" and one.object.id == "i-b")
    assert "guest.iptables" in gap.reason


# ------------------------------------------------------------------------------------------------- hosts of the Internet

FRIENDS = net_of("198.51.100.0/24")
SOURCE = {"payload": {"protocol": "ip", "field": "saddr"}}
PORT = {"payload": {"protocol": "tcp", "field": "dport"}}
KEY = {"concat": [SOURCE, PORT]}
SETS = [{"name": "friends", "type": "ipv4_addr", "handle": 20, "flags": ["interval"], "elem": [FRIENDS]},
        {"name": "services", "type": ["ipv4_addr", "inet_service"], "handle": 21, "flags": ["interval"],
         "elem": [{"concat": [FRIENDS, 22]}]}]  # fmt: skip


@pytest.mark.parametrize("expression", [
    [match("ip saddr", FRIENDS), ACCEPT],
    [match("ip saddr", FRIENDS, "!="), ACCEPT],
    [match("ip saddr", "@friends"), ACCEPT],
    [{"match": {"op": "==", "left": KEY, "right": "@services"}}, ACCEPT],
    [match("ip saddr", "198.51.100.0", ">="), ACCEPT],
    [match("ct original ip saddr", FRIENDS), ACCEPT],
    [{"match": {"op": "==", "left": {"&": [SOURCE, "255.255.255.0"]}, "right": "198.51.100.0"}}, ACCEPT],
    [{"match": {"op": "==", "left": {"&": [SOURCE, "255.255.255.1"]}, "right": "198.51.100.1"}}, ACCEPT],
    [{"vmap": {"key": SOURCE, "data": {"set": [[FRIENDS, ACCEPT]]}}}],
])  # fmt: skip
def test_hosts_that_nftables_tell_apart_are_told_apart(expression: list[dict[str, Any]]) -> None:
    document = estate(a=guest(chain("input", expression), sets=SETS))
    report = ask(document, "internet", "i-a", one_way=True)
    assert {path.decision for path in report.paths} == {"accept", "drop"}


def test_hosts_that_the_windows_firewall_tells_apart_are_told_apart() -> None:
    told = json.loads(exported("22"))
    told["rules"][0]["RemoteAddress"] = ["198.51.100.0/255.255.255.0"]
    document = estate(a={"windows_firewall": json.dumps(told)})
    document["instances"]["i-a"]["os"] = {"name": "Windows Server", "version": "2022", "architecture": "x86_64"}
    report = ask(document, "internet", "i-a", one_way=True)
    assert {path.decision for path in report.paths} == {"accept", "drop"}


# ------------------------------------------------------------------------------------------------------------ mistakes


def test_mistakes_of_the_rules_are_told_at_their_place() -> None:
    text = """vpcs: {vpc: {cidrs: [10.0.0.0/16]}}
vswitches: {vsw: {vpc: vpc, cidr: 10.0.1.0/24}}
instances:
  i-a:
    status: Running
    network_interfaces: {eni-a: {vswitch: vsw, ip: 10.0.1.10, security_groups: []}}
    guest:
      nftables: |
        {"nftables": [
          {"table": {"family": "inet", "name": "t", "handle": 1}},
          {"chain": {"family": "inet", "table": "t", "name": "in", "hook": "input", "type": "filter", "prio": 0}},
          {"rule": {"family": "inet", "table": "t", "chain": "out", "handle": 3, "expr": [{"accept": null}]}}
        ]}
"""
    with pytest.raises(InputError) as caught:
        ni.load("-", stdin=io.BytesIO(text.encode()))
    told = [(one.place.line, one.place.column, one.message) for one in caught.value.problems]
    assert (12, 62, "there is no chain `out` in the table inet t") in told
