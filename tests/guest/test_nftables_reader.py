"""``nft -j list ruleset`` read, every mistake told at its place, and packets judged by hand-made rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from netinsight.engine.spaces import Box
from netinsight.errors import InputError, QuestionError
from netinsight.flow import EVERY_PORT
from netinsight.guest.nftables import Ruleset
from netinsight.sources.nftables_file import read_nftables
from tests.guest.iptables_helpers import packet

ACCEPT, DROP = {"accept": None}, {"drop": None}


def match(left: str, right: Any, op: str = "==") -> dict[str, Any]:
    """``tcp dport``, ``meta mark``, ``ct state``, … as libnftables writes it."""
    kind, _, name = left.partition(" ")
    side = {kind: {"key": name}} if kind in ("meta", "ct") else {"payload": {"protocol": kind, "field": name}}
    return {"match": {"op": op, "left": side, "right": right}}


def document(
    *rules: Any, policy: str = "accept", family: str = "inet", users: tuple[str, ...] = (), more: Any = ()
) -> str:
    """One table with one chain at input; a rule is its statements, one of another chain ``(chain, statements)``."""
    at = {"family": family, "table": "t"}
    found: list[Any] = [
        {"metainfo": {"json_schema_version": 1}},
        {"table": {"family": family, "name": "t", "handle": 1}},
    ]
    found += [
        {"chain": {**at, "name": "in", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": policy}}
    ]
    found += [{"chain": {**at, "name": name, "handle": 2}} for name in users]
    found += [{kind: {**at, **inner}} for kind, inner in more]
    for n, rule in enumerate(rules):
        chain, expr = rule if isinstance(rule, tuple) else ("in", rule)
        found.append({"rule": {**at, "chain": chain, "handle": 10 + n, "expr": expr}})
    return json.dumps({"nftables": found}, indent=1)


def ruleset(*rules: Any, **more: Any) -> Ruleset:
    return read_nftables(document(*rules, **more), "r.json")


def verdict(*rules: Any, asked: dict[str, Any] | None = None, **more: Any) -> str:
    return ruleset(*rules, **more).judge(packet(**{"in_interface": "eth0", **(asked or {})})).verdict


def test_the_rule_that_decides_and_where_it_stands() -> None:
    rules = ruleset([match("tcp dport", 22), {"jump": {"target": "ssh"}}],
                    ("ssh", [match("ip saddr", {"prefix": {"addr": "10.0.0.0", "len": 8}}), ACCEPT]), users=("ssh",),
                    policy="drop")  # fmt: skip
    judged = rules.judge(packet(dport=22, in_interface="eth0"))
    assert (judged.verdict, judged.rule, judged.chain, judged.handle) == (
        "ACCEPT", "ip saddr 10.0.0.0/8 accept", "inet t ssh", 11)  # fmt: skip
    assert judged.trace == ("tcp dport 22 jump ssh", "ip saddr 10.0.0.0/8 accept")
    assert judged.places == (("inet t in", "inet t in", 10), ("", "inet t ssh", 11))
    assert judged.line == 63
    other = rules.judge(packet(src="192.0.2.1", dport=22, in_interface="eth0"))
    assert (other.verdict, other.rule, other.chain, other.handle) == ("DROP", "policy", "inet t in", 0)


def test_what_differs_by_port_is_cut() -> None:
    rules = ruleset([match("tcp dport", {"set": [22, {"range": [80, 90]}]}), ACCEPT], policy="drop")
    parts = rules.regions(packet(ports=Box(EVERY_PORT, EVERY_PORT), in_interface="eth0"))
    assert sorted({(box.ports.first, box.ports.last) for box, one in parts if one.verdict == "ACCEPT"}) == [
        (22, 22),
        (80, 90),
    ]
    lookup = {"vmap": {"key": match("tcp dport", 0)["match"]["left"], "data": {"set": [[22, ACCEPT], [80, DROP]]}}}
    parts = ruleset([lookup], policy="accept").regions(packet(ports=Box(EVERY_PORT, EVERY_PORT), in_interface="eth0"))
    assert [(box.ports.first, box.ports.last) for box, one in parts if one.verdict == "DROP"] == [(80, 80)]


@pytest.mark.parametrize(
    ("statements", "asked", "expected"),
    [
        ([match("tcp dport", 80, "!="), DROP], {"protocol": "udp"}, "ACCEPT"),  # no dport of TCP, no match either way
        ([match("ct mark", 1, "!="), DROP], {"state": "INVALID"}, "ACCEPT"),
        ([match("ct state", ["established", "related"], "in"), DROP], {"state": "RELATED"}, "DROP"),
        ([match("ct state", {"|": ["established", "related"]}, "!="), DROP], {}, "DROP"),
        ([match("ip6 saddr", "2001:db8::1", "!="), DROP], {}, "ACCEPT"),
        ([match("ip6 saddr", {"prefix": {"addr": "2001:db8::", "len": 32}}), DROP],
         {"src": "2001:db8::9", "dst": "2001:db8::2"}, "DROP"),
        ([match("meta iifname", "eth*"), DROP], {}, "DROP"),
        ([match("meta iifname", "eth\\*"), DROP], {}, "ACCEPT"),
        ([match("meta oifname", "eth0", "!="), DROP], {}, "DROP"),  # at input its name is empty
        ([match("meta skuid", 0, "!="), DROP], {}, "ACCEPT"),
        ([match("tcp flags", "syn", "in"), DROP], {"flags": "SYN,ACK"}, "DROP"),
        ([match("tcp flags", "syn", "!"), DROP], {"flags": "ACK"}, "DROP"),
        ([match("icmp type", "echo-request"), DROP], {"protocol": "icmp", "icmp_type": 8}, "DROP"),
        ([match("meta mark", {"range": [1, 5]}), DROP], {"mark": 3}, "DROP"),
        ([match("meta mark", 5, ">"), DROP], {"mark": 5}, "ACCEPT"),
        ([match("ip ttl", 64, "<="), DROP], {"ttl": 64}, "DROP"),
        ([match("ether saddr", "00:11:22:33:44:55"), DROP], {"source_mac": "0:11:22:33:44:55"}, "DROP"),
        ([{"reject": {"type": "tcp reset"}}], {"protocol": "udp"}, "ACCEPT"),
        ([{"reject": {"type": "tcp reset"}}], {}, "REJECT"),
        ([{"limit": {"rate": 1, "per": "second"}}, DROP], {}, "DROP"),
        ([{"limit": {"rate": 1, "per": "second", "inv": True}}, DROP], {}, "ACCEPT"),
        ([{"ct count": {"val": 9, "inv": True}}, DROP], {}, "ACCEPT"),
        ([{"match": {"op": "<", "left": {"numgen": {"mode": "random", "mod": 10}}, "right": 3}}, DROP], {}, "ACCEPT"),
        ([{"match": {"op": "==", "left": {"socket": {"key": "transparent"}}, "right": 1}}, DROP], {}, "UNKNOWN"),
        ([{"match": {"op": "==", "left": {"new thing": {}}, "right": 1}}, DROP], {}, "UNKNOWN"),
        ([{"match": {"op": "==", "left": {"new thing": {}}, "right": 1}}, ACCEPT], {}, "ACCEPT"),
        ([{"queue": {"num": 1}}], {}, "UNKNOWN"),
        ([{"xt": None}, {"counter": {"packets": 0, "bytes": 0}}, DROP], {}, "UNKNOWN"),
        ([{"xt": {"type": "target", "name": "LOG"}}], {}, "ACCEPT"),
        ([{"xt": {"type": "target", "name": "REJECT"}}], {}, "UNKNOWN"),
        ([match("meta hour", "10:00"), DROP], {}, "UNKNOWN"),
        ([match("ip saddr", "@no"), DROP], {}, "there is no set `no` in the table inet t"),
    ],
)  # fmt: skip
def test_matches_and_statements(statements: Any, asked: dict[str, Any], expected: str) -> None:
    if expected.startswith("there"):
        with pytest.raises(InputError) as wrong:
            verdict(statements, asked=asked)
        assert wrong.value.problems[0].message == expected
    else:
        assert verdict(statements, asked=asked) == expected


def test_a_rule_changes_a_packet_and_goes_on() -> None:
    mark = {"meta": {"key": "mark"}}
    set_mark = {"mangle": {"key": mark, "value": {"|": [{"&": [mark, 0xF0]}, 1]}}}
    rule = [match("meta mark", 0x1F), set_mark, match("meta mark", 0x11), {"counter": None}, DROP]
    assert verdict(rule, asked={"mark": 0x1F}) == "DROP"
    assert verdict(rule, asked={"mark": 0x2F}) == "ACCEPT"
    lookup = {"map": {"key": mark, "data": {"set": [[1, 2], [2, 3]]}}}  # only one element is the packet's
    assert (
        verdict([{"mangle": {"key": mark, "value": lookup}}], [match("meta mark", 2), DROP], asked={"mark": 1})
        == "DROP"
    )
    rules = ruleset([set_mark, match("tcp dport", 1), DROP], [match("meta mark", 1), DROP])
    judged = rules.judge(packet(in_interface="eth0"))
    assert (judged.verdict, judged.trace) == (
        "DROP",
        ("meta mark 0x00000001 drop",),
    )  # changed, though it did not match


def test_return_goto_and_maps_inside_a_rule_end_that_rule() -> None:
    mark = {"meta": {"key": "mark"}}
    one = {"mangle": {"key": mark, "value": 1}}
    vmap = {
        "vmap": {"key": mark, "data": {"set": [[1, {"jump": {"target": "c"}}], [2, DROP], ["*", {"return": None}]]}}
    }
    assert verdict(("c", [{"mangle": {"key": mark, "value": 2}}]), [one, vmap], [DROP], users=("c",)) == "DROP"
    assert verdict([one, vmap], ("c", [{"mangle": {"key": mark, "value": 2}}]), users=("c",)) == "ACCEPT"
    goto = [{"goto": {"target": "c"}}]
    assert verdict(goto, [DROP], users=("c",)) == "ACCEPT"
    assert verdict([one, {"goto": {"target": "c"}}], [DROP], users=("c",)) == "ACCEPT"
    assert (
        verdict(
            [one, {"jump": {"target": "c"}}],
            [DROP],
            (
                "c",
                [one, {"return": None}],
            ),
            users=("c",),
        )
        == "DROP"
    )


def test_sets_with_intervals_concatenations_and_timeouts() -> None:
    near = ("set", {"name": "near", "type": "ipv4_addr", "flags": ["interval", "timeout"], "elem": [
        {"prefix": {"addr": "10.0.0.0", "len": 24}}, {"elem": {"val": "192.0.2.1", "timeout": 60, "expires": 9}}]})  # fmt: skip
    rule = [match("ip saddr", "@near"), DROP]
    assert verdict(rule, more=[near]) == "DROP"
    judged = ruleset(rule, more=[near]).judge(packet(src="192.0.2.1", in_interface="eth0"))
    assert judged.verdict == "DROP"
    assert judged.assumptions == (
        "inet t in handle 10: `ip saddr @near` (the element expires): taken to match; otherwise ACCEPT",
    )
    both = {"concat": [match("ip saddr", 0)["match"]["left"], match("tcp dport", 0)["match"]["left"]]}
    pairs = {
        "set": [
            {"concat": [{"prefix": {"addr": "10.0.0.0", "len": 8}}, {"range": [80, 90]}]},
            {"concat": ["1.1.1.1", 22]},
        ]
    }
    rules = ruleset([{"match": {"op": "==", "left": both, "right": pairs}}, DROP])
    assert [rules.judge(packet(dport=n, in_interface="eth0")).verdict for n in (79, 80, 22)] == [
        "ACCEPT",
        "DROP",
        "ACCEPT",
    ]


def test_a_set_that_rules_change() -> None:
    blocked = ("set", {"name": "blocked", "type": "ipv4_addr", "flags": ["dynamic"]})
    add = {"set": {"op": "add", "elem": match("ip saddr", 0)["match"]["left"], "set": "@blocked"}}
    ask = [match("ip saddr", "@blocked"), DROP]
    before = ruleset(ask, [add], more=[blocked]).judge(packet(in_interface="eth0"))
    assert before.verdict == "ACCEPT"
    assert "rules change the set; it is taken as it is listed" in before.assumptions[0]
    assert verdict([add], ask, more=[blocked]) == "DROP"  # entered on the same way


def test_what_is_drawn_always_has_a_value() -> None:
    draw = {"numgen": {"mode": "random", "mod": 2, "offset": 0}}
    both = {"vmap": {"key": draw, "data": {"set": [[0, {"goto": {"target": "a"}}], [1, {"goto": {"target": "b"}}]]}}}
    assert verdict([both], ("a", [ACCEPT]), ("b", [ACCEPT]), users=("a", "b"), policy="drop") == "ACCEPT"
    assert verdict([both], ("a", [ACCEPT]), ("b", [DROP]), users=("a", "b"), policy="drop") == "UNKNOWN"


def chains(*several: tuple[str, str, str, int, str, list[Any]], more: Any = ()) -> Ruleset:
    """Base chains: family, type, hook, priority, policy and their rules, each in a table of its own."""
    found: list[Any] = []
    for n, (family, kind, hook, priority, policy, rules) in enumerate(several):
        at = {"family": family, "table": f"t{n}"}
        hung = {"handle": 1, "type": kind, "hook": hook, "prio": priority, "policy": policy}
        found += [{"table": {"family": family, "name": f"t{n}", "handle": n}}, {"chain": {**at, "name": "c", **hung}}]
        found += [{"rule": {**at, "chain": "c", "handle": 5 + at_, "expr": expr}} for at_, expr in enumerate(rules)]
    return read_nftables(json.dumps({"nftables": [*found, *more]}), "r.json")


def test_base_chains_one_after_the_other() -> None:
    asked = packet(in_interface="eth0")
    several = chains(("inet", "filter", "input", 10, "drop", []), ("ip", "filter", "input", 0, "accept", [[ACCEPT]]))
    assert several.judge(asked).verdict == "DROP"  # an accept ends only its own chain
    judged = chains(
        ("inet", "filter", "input", 10, "accept", []), ("ip", "filter", "input", 0, "drop", [[ACCEPT]])
    ).judge(asked)
    assert (judged.verdict, judged.chain, judged.rule) == ("ACCEPT", "ip t1 c", "accept")
    assert chains(("ip6", "filter", "input", 0, "drop", [])).judge(asked).verdict == "ACCEPT"
    marks = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}
    even = ("inet", "filter", "input", 0, "accept", [[DROP]]), ("ip", "filter", "input", 0, "accept", [[marks]])
    told = ("`ip t1 c` and `inet t0 c` have the same priority at input: taken in this order",)
    assert chains(*even).judge(asked).assumptions == told
    assert chains(even[0], (*even[1][:5], [[ACCEPT]])).judge(asked).assumptions == ()  # they see the same packet
    raw = [[match("ct state", "new", "in"), DROP]]
    assert chains(("ip", "filter", "prerouting", -300, "accept", raw)).judge(asked).verdict == "ACCEPT"
    assert chains(("ip", "filter", "prerouting", -150, "accept", raw)).judge(asked).verdict == "DROP"


def test_translation_ends_translation_and_is_seen_by_filters() -> None:
    to = {"dnat": {"family": "ip", "addr": "10.9.0.5", "port": 8080}}
    other = {"dnat": {"family": "ip", "addr": "10.9.0.6", "port": 9090}}
    seen = [[match("ip daddr", "10.9.0.5"), match("tcp dport", 8080), DROP]]
    asked = packet("FORWARD", in_interface="eth0", out_interface="eth1")
    rules = chains(("ip", "nat", "prerouting", -90, "accept", [[to]]), ("ip", "nat", "prerouting", -80, "accept", [[other]]),
                   ("ip", "filter", "forward", 0, "accept", seen))  # fmt: skip
    assert rules.judge(asked).verdict == "DROP"
    lookup = {"dnat": {"family": "ip", "addr": {"map": {"key": match("tcp dport", 0)["match"]["left"], "data": {"set": [
        [80, {"concat": ["10.9.0.5", 8080]}]]}}}}}  # fmt: skip
    nat = ("ip", "nat", "prerouting", -90, "accept", [[lookup]])
    assert chains(nat, ("ip", "filter", "forward", 0, "accept", seen)).judge(asked).verdict == "DROP"
    assert chains(nat, ("ip", "filter", "forward", 0, "accept", seen)).judge(
        packet("FORWARD", in_interface="eth0", out_interface="eth1", dport=81)).verdict == "ACCEPT"  # fmt: skip
    late = chains(nat, ("ip", "filter", "forward", 0, "accept", seen)).judge(
        packet("FORWARD", in_interface="eth0", out_interface="eth1", state="ESTABLISHED")
    )
    assert "how the connection is translated" in late.assumptions[0]


def test_what_is_not_judged_is_said() -> None:
    more = [{"table": {"family": "bridge", "name": "b"}}, {"chain": {"family": "bridge", "table": "b", "name": "f"}},
            {"gadget": {"family": "inet"}}]  # fmt: skip
    rules = chains(("inet", "filter", "ingress", 0, "drop", []), more=more)
    judged = rules.judge(packet(in_interface="eth0"))
    assert judged.verdict == "ACCEPT"
    assert judged.assumptions == ("`gadget` is not modelled", "`inet t0 c` hangs on ingress: not judged",
                                  "the table `bridge b` is of the family bridge: not judged")  # fmt: skip
    with pytest.raises(QuestionError):
        rules.judge(packet("PREROUTING"))
    with pytest.raises(QuestionError):
        rules.judge(packet(src="2001:db8::1"))


def test_a_table_that_sleeps_is_passed_by() -> None:
    text = document([DROP]).replace('"handle": 1\n', '"handle": 1, "flags": "dormant"\n', 1)
    assert read_nftables(text, "r.json").judge(packet(in_interface="eth0")).verdict == "ACCEPT"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "r.json:1:2: not valid JSON: expected a key in double quotes, found `the end of the file`"),
        ("[1]", "r.json:1:1: no `nftables` list in it"),
        ('{"nftables": {}}', "r.json:1:1: no `nftables` list in it"),
        ('{"nftables": [3]}', "r.json:1:15: expected an object of one key"),
        (document([{"jump": {"target": "sshh"}}], users=("ssh",)), "there is no chain `sshh` in the table inet t"),
        (document([{"jump": {"target": "in"}}]), "there is no chain `in` in the table inet t"),
        (document(("nowhere", [ACCEPT])), "there is no chain `nowhere` in the table inet t"),
        (document([match("ip saddr", "10.0.0.300")]), "`10.0.0.300` is not an IPv4 address"),
        (document([match("ip saddr", "::1")]), "`::1` is not an IPv4 address"),
        (document([match("ip saddr", {"prefix": {"addr": "10.0.0.0", "len": 33}})]), "a number from 0 to 32, found `33`"),
        (document([match("tcp dport", 70000)]), "expected a number from 0 to 65535, found `70000`"),
        (document([match("tcp dport", {"range": [9, 1]})]), "the range runs backwards"),
        (document([match("tcp dport", 1, "~")]), "`~` is no operator of a match"),
        (document([{"match": {"op": "=="}}]), "no `right`"),
        (document([{}]), "expected an object of one key"),
        (document([match("ip saddr", {"set": [{"concat": ["1.1.1.1", 2]}]})]), "the key has 2 parts, what is looked up 1"),
        (document(("a", [{"jump": {"target": "b"}}]), ("b", [match("tcp dport", 1), {"goto": {"target": "a"}}]),
                  users=("a", "b")), "the chain a leads back into itself"),
        (document(policy="dropp"), "policy `dropp` is not accept or drop"),
        (document(family="inett"), "family `inett` is not ip, ip6, inet, arp, bridge or netdev"),
        (document(more=[("chain", {"name": "in"})]), "the chain in of inet t is there twice"),
        (document([{"dnat": {"addr": "10.0.0.x", "family": "ip"}}]), "`10.0.0.x` is not an IPv4 address"),
    ],
)  # fmt: skip
def test_a_mistake(text: str, told: str) -> None:
    with pytest.raises(InputError) as wrong:
        read_nftables(text, "r.json")
    heads = [problem.headline for problem in wrong.value.problems]
    assert any(told in head for head in heads), heads
    assert all(problem.place.line for problem in wrong.value.problems)


def test_every_mistake_at_once_and_at_its_place() -> None:
    text = document([match("tcp dport", -1)], [DROP], [match("ip saddr", "x")], [{"goto": {"target": "y"}}])
    with pytest.raises(InputError) as wrong:
        read_nftables(text, "r.json")
    lines = text.split("\n")
    pointed = [lines[problem.place.line - 1][problem.place.column - 1 :] for problem in wrong.value.problems]
    assert pointed == ["-1", '"x"', '"y"']


def test_hostile_input_is_bounded() -> None:
    deep: Any = 1
    for _ in range(35):
        deep = {"&": [deep, 1]}
    many = [{"mangle": {"key": {"meta": {"key": "mark"}}, "value": n}} for n in range(2000)]
    odd = [{"match": {"op": "==", "left": {"odd": n}, "right": n}} for n in range(300)]
    big = {"set": [[n, {"jump": {"target": "c"}}] for n in range(3000)]}
    vmap = {"vmap": {"key": {"meta": {"key": "cpu"}}, "data": big}}
    at_key = {
        "vmap": {"key": match("tcp dport", 0)["match"]["left"], "data": {"set": [[n, ACCEPT] for n in range(3000)]}}
    }
    rules = ruleset(
        [*many, DROP], *([one, DROP] for one in odd), [vmap], [at_key], ("c", [{"\x1b[31m": None}]), users=("c",)
    )
    judged = rules.judge(packet(in_interface="eth0"))
    assert judged.verdict == "DROP"
    assert all("\x1b" not in note for note in judged.assumptions)
    doubled = [(f"c{n}", [{"jump": {"target": f"c{n + 1}"}}]) for n in range(40) for _ in range(2)]
    wide = ruleset([{"jump": {"target": "c0"}}], *doubled, users=tuple(f"c{n}" for n in range(41)))
    assert wide.judge(packet(in_interface="eth0")).verdict == "UNKNOWN"
    with pytest.raises(InputError, match="nested deeper"):
        ruleset([{"match": {"op": "==", "left": deep, "right": 1}}])
