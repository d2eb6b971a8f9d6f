"""A guest's routes: as the kernel answered once, as the kernel of this machine answers, and what is wrong with an input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinsight.addresses import parse_address, text
from netinsight.cli import run
from netinsight.errors import InputError, Problem
from netinsight.guest.routes import Found, Routing, Settings, read_routing, reverse_path
from netinsight.guest.windows import read_windows_routing

from . import kernel

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "routes"
KNOWN = sorted(DATA.glob("*.json")) if DATA.is_dir() else []
CANNOT = kernel.why_not()

ADDRESSES = """\
1: lo    inet 127.0.0.1/8 scope host lo
2: eth0    inet 10.0.0.19/24 brd 10.0.0.255 scope global eth0
2: eth0    inet6 2001:db8::19/64 scope global
3: eth1    inet 10.0.1.20/24 brd 10.0.1.255 scope global eth1
"""
RULES = "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n"
ROUTES = """\
default via 10.0.0.253 dev eth0
10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.19
10.0.1.0/24 dev eth1 proto kernel scope link src 10.0.1.20
"""


def routing(
    addresses: str | None = ADDRESSES, rules: str | None = RULES, routes: str = ROUTES, more: str = "", **rest: Any
) -> Routing:
    return read_routing(addresses, rules, routes + more, **rest)


def find(of: Routing, destination: str, source: str | None = None, **rest: Any) -> Found:
    return of.look_up(parse_address(destination), parse_address(source) if source else None, **rest)


def told(found: Found) -> dict[str, Any]:
    return {
        "type": found.type,
        "interface": found.interface,
        "gateway": None if found.gateway is None else text(found.gateway),
        "source": None if found.source is None else text(found.source),
        "table": found.table or "main",
    }


# -- what a kernel answered ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not KNOWN, reason="the answers of a kernel, ../shared/data/routes, are not here")
@pytest.mark.parametrize("path", KNOWN, ids=lambda path: path.stem)
def test_every_probe_is_answered_as_the_kernel_did(path: Path) -> None:
    printed = json.loads(path.read_text("utf-8"))
    # the namespace that was asked let its own addresses in as sources
    of = routing(printed["addr"], printed["rule"], printed["route"], tables=printed.get("tables"),
                 settings=Settings(accept_local=True))  # fmt: skip
    for line in path.with_suffix(".truth.jsonl").read_text("utf-8").splitlines():
        probe = json.loads(line)
        found = find(of, probe["dst"], probe.get("src"), in_interface=probe.get("iif", ""),
                     out_interface=probe.get("oif", ""), mark=probe.get("mark", 0))  # fmt: skip
        assert not found.doubts
        if not probe["ok"]:
            assert found.type == probe["type"], line
            continue
        want = {"type": probe["type"], "interface": probe["dev"], "gateway": probe["gateway"],
                "source": probe["prefsrc"] or probe["from_"], "table": probe["table"]}  # fmt: skip
        assert told(found) == want, line
        assert (found.route_line is not None) == ("fib" in probe), line


@pytest.mark.skipif(not KNOWN, reason="the answers of a kernel, ../shared/data/routes, are not here")
def test_there_are_as_many_probes_as_the_readme_says() -> None:
    assert sum(len(path.with_suffix(".truth.jsonl").read_text("utf-8").splitlines()) for path in KNOWN) == 594


# -- the kernel of this machine --------------------------------------------------------------------------------------


def agrees(found: Found, probe: kernel.Probe, merged: bool) -> bool:
    """The kernel says `main` of a row of `local` while the two are one table, and of a route with several hops any one."""
    said = kernel.expected(probe)
    if isinstance(said, set):
        return found.type in said or any("groups" in doubt for doubt in found.doubts)
    if merged and found.table == "local":
        said["table"] = "local"
    ours = told(found)
    alike = ours["type"] == said["type"] and ours["table"] == said["table"]
    hops = [(hop.interface, hop.gateway and text(hop.gateway)) for hop in found.next_hops]
    if said["type"] in ("broadcast", "multicast"):
        hops = [(interface, None) for interface, _ in hops]
    if len(hops) > 1 and (said["interface"], said["gateway"]) in hops:
        return alike
    return ours == said or (alike and any("one metric" in doubt for doubt in found.doubts))


@pytest.mark.skipif(bool(CANNOT), reason=CANNOT or "it can")
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("seed", range(8))
def test_the_kernel_here_answers_the_same(seed: int, family: int) -> None:
    machine = kernel.machine(seed, family, custom=seed % 4 != 0)
    assert len(machine.probes) == 60
    forms = []
    for form in (machine.text, machine.json):
        six = {"rules6": form["rule"], "routes6": form["route"]} if family == 6 else {}
        rules, routes = (None, "") if six else (form["rule"], form["route"])
        forms.append(read_routing(form["addr"], rules, routes, settings=Settings(accept_local=False), **six))
    for probe in machine.probes:
        ports = probe.ports if probe.protocol in ("tcp", "udp") else (0, 0)
        answers = [
            find(of, probe.destination, probe.source or None, in_interface=probe.in_interface, mark=probe.mark,
                 out_interface=probe.out_interface, protocol=kernel.PROTOCOLS[probe.protocol], source_port=ports[0],
                 destination_port=ports[1])
            for of in forms
        ]  # fmt: skip
        assert told(answers[0]) == told(answers[1])
        merged = family == 4 and forms[0].merged is not None
        assert agrees(answers[0], probe, merged), (probe, answers[0])


@pytest.mark.skipif(bool(CANNOT), reason=CANNOT or "it can")
@pytest.mark.parametrize("family", [4, 6])
def test_the_local_table_is_what_the_kernel_makes_of_the_addresses(family: int) -> None:
    form = kernel.machine(1, family).text
    without = "".join(line for line in form["route"].splitlines(True) if "table local" not in line)
    printed, made = (
        read_routing(form["addr"], None, "" if family == 6 else rows, routes6=rows if family == 6 else None)
        for rows in (form["route"], without)
    )
    assert not made.has_local[family]

    def rows(of: Routing) -> set[tuple[Any, ...]]:
        return {(one.type, one.prefix[1:4], one.hops[0].interface, one.source, one.metric)
                for one in of.table(family, "local").routes if one.type != "anycast"}  # fmt: skip

    assert rows(made) == rows(printed)


# -- what decides ----------------------------------------------------------------------------------------------------


def test_the_lines_that_decide_are_told() -> None:
    found = find(routing(), "8.8.8.8", "10.0.0.19")
    assert (found.rule_line, found.rule_priority, found.route_line, found.route_is_made) == (2, 32766, 1, False)
    own = find(routing(), "10.0.0.19")
    assert (own.type, own.rule_line, own.route_line, own.route_is_made) == ("local", 1, 2, True)


def test_rules_that_were_not_printed_are_not_taken_silently() -> None:
    of = routing(rules=None)
    assert not of.rules_known
    assert "the rules of IPv4 are not known" in find(of, "8.8.8.8").doubts[0]
    assert routing().rules_known == {4}
    assert not find(routing(), "8.8.8.8").doubts
    assert "the rules of IPv6" in find(routing(), "2001:db8::1").doubts[0]


@pytest.mark.parametrize(
    ("rule", "asked", "table"),
    {
        "from X does not match while the source is open": ("from 10.0.0.19 lookup 7", {}, "main"),
        "from X": ("from 10.0.0.19 lookup 7", {"source": "10.0.0.19"}, "7"),
        "not from X matches while the source is open": ("not from 10.0.0.19 lookup 7", {}, "7"),
        "mark under its mask": ("from all fwmark 0x2/0x2 lookup 7", {"mark": 6}, "7"),
        "another mark": ("from all fwmark 0x2 lookup 7", {"mark": 6}, "main"),
        "iif lo is what the guest sends": ("from all iif lo lookup 7", {}, "7"),
        "oif": ("from all oif eth1 lookup 7", {"out_interface": "eth0"}, "main"),
        "a port": ("from all dport 80-90 lookup 7", {"destination_port": 85}, "7"),
        "another port": ("from all dport 80-90 lookup 7", {"destination_port": 91}, "main"),
        "a protocol": ("from all ipproto tcp lookup 7", {"protocol": 17}, "main"),
        "goto": ("from all goto 32766", {}, "main"),
        "goto nowhere": ("from all goto 99 [unresolved]", {}, "main"),
        "suppressed": ("from all lookup 7 suppress_prefixlength 0", {}, "main"),
        "a table that throws": ("from all lookup 8", {}, "main"),
        "an empty table": ("from all lookup 9", {}, "main"),
    }.values(),
)
def test_a_rule(rule: str, asked: dict[str, Any], table: str) -> None:
    of = routing(rules=f"0: from all lookup local\n50: {rule}\n32766: from all lookup main\n",
                 more="default dev eth0 table 7\nthrow default table 8\n")  # fmt: skip
    found = find(of, "8.8.8.8", **asked)
    assert (found.type, found.table, found.doubts) == ("unicast", table, ())


@pytest.mark.parametrize("action", ["unreachable", "prohibit", "blackhole"])
def test_a_rule_and_a_route_that_end_it(action: str) -> None:
    of = routing(rules=f"{RULES}50: from all to 8.8.8.8 {action}\n", more=f"{action} 9.9.9.9\n")
    rule, route = find(of, "8.8.8.8"), find(of, "9.9.9.9")
    assert (rule.type, rule.rule_line, rule.route_line) == (action, 4, None)
    assert (route.type, route.rule_line, route.route_line) == (action, 2, 4)


@pytest.mark.parametrize(
    ("rules", "routes", "doubt"),
    [
        ("50: from all tos 0x10 lookup 7\n", "", "rule of line 4: `tos 0x10` is not modelled"),
        ("50: from all ipproto tcp lookup 7\n", "", "rule of line 4: it is for one protocol"),
        ("50: from all sport 5 lookup 7\n", "", "rule of line 4: it is for some ports"),
        ("50: from all lookup main suppress_ifgroup 3\n", "", "suppress_ifgroup 3"),
        ("50: from all lookup 7\n", "", "table 7 is not among the routes"),
        ("", "8.8.8.0/24 encap mpls 100 via 10.0.0.1 dev eth0\n", "route of line 4: `encap mpls 100` is not modelled"),
        ("", "8.8.8.8 tos 0x10 via 10.0.0.1 dev eth0\n", "route of line 4: `tos 0x10` is not modelled"),
        ("", "default via 10.0.0.252 dev eth0\n", "the defaults of lines 1, 4 have one metric"),
    ],
)
def test_what_is_not_modelled_is_told_where_it_may_decide(rules: str, routes: str, doubt: str) -> None:
    of = routing(rules=RULES + rules, more=routes)
    assert any(doubt in one for one in find(of, "8.8.8.8").doubts)
    if not rules:
        assert not find(of, "10.0.1.7").doubts


def test_an_unknown_word_of_an_address_is_told_where_it_is_the_source() -> None:
    of = routing(ADDRESSES.replace("global eth0", "global future eth0"))
    assert find(of, "10.0.0.7").doubts == ()  # its source is that of the route
    assert any("`future` is not modelled" in one for one in find(of, "8.8.8.8").doubts)


def test_several_hops_are_all_told_and_linkdown_is_used_unless_it_is_to_be_ignored() -> None:
    rows = "8.8.0.0/16\n\tnexthop via 10.0.0.1 dev eth0 weight 1 linkdown\n\tnexthop via 10.0.1.1 dev eth1 weight 3\n"
    found = find(routing(more=rows), "8.8.8.8")
    assert [(hop.interface, hop.weight) for hop in found.next_hops] == [("eth0", 1), ("eth1", 3)]
    assert found.interface == "eth0"
    assert find(routing(more=rows, settings=Settings(ignore_linkdown=True)), "8.8.8.8").interface == "eth1"


def test_martians_and_the_way_back() -> None:
    of = routing(settings=Settings(accept_local=False))
    assert find(of, "127.0.0.1", "9.9.9.9", in_interface="eth0").type == "martian"
    assert find(of, "10.0.1.7", "10.0.0.19", in_interface="eth0").type == "martian"
    assert find(of, "10.0.1.7", "10.0.0.9", in_interface="eth0").type == "unicast"
    open_one = find(routing(), "10.0.1.7", "10.0.0.19", in_interface="eth0")
    assert open_one.type == "unicast"
    assert "accept_local" in open_one.doubts[0]
    assert (
        find(routing(settings=Settings(forwarding=False)), "10.0.1.7", "10.0.0.9", in_interface="eth0").type == "none"
    )
    here, there = parse_address("10.0.0.19"), parse_address("9.9.9.9")
    assert reverse_path(of, there, here, "eth0").passes
    strict = reverse_path(of, there, here, "eth1")
    assert (strict.passes, strict.reason) == (False, "the way back to the source is by eth0")
    assert reverse_path(of, there, here, "eth1", mode="loose").passes
    assert not reverse_path(
        routing(routes=ROUTES.replace("default", "8.8.8.8")), there, here, "eth1", mode="loose"
    ).passes


def test_ipv6_selects_its_source_and_does_not_meet_ipv4() -> None:
    six = "default via fe80::1 dev eth0 metric 1024 pref medium\n2001:db8::/64 dev eth0 metric 256 pref medium\n"
    of = routing(more=six, rules6="0: from all lookup local\n32766: from all lookup main\n")
    found = find(of, "2a00::1")
    assert told(found) | {"table": ""} == {"type": "unicast", "interface": "eth0", "gateway": "fe80::1",
                                           "source": "2001:db8::19", "table": ""}  # fmt: skip
    assert (found.route_line, found.doubts) == (4, ())
    assert find(of, "2001:db8::19").type == "local"
    with pytest.raises(ValueError, match="different families"):
        find(of, "2001:db8::1", "10.0.0.1")


# -- mistakes --------------------------------------------------------------------------------------------------------


def test_every_mistake_is_told_with_line_and_column() -> None:
    with pytest.raises(InputError) as wrong:
        read_routing(
            "2: eth0    inet 10.0.0.300/24 scope global eth0\neth0 UP 10.0.0.1/24\n",
            "0:\tfrom all lookup local\nfrom all lookup main\n5: from 10.0.0.0/99 lookup 7\n6: from all goto 2\n7: from all\n",
            "default via 10.0.0.999 dev eth0\ndefault via\n10.0.0.7/24 dev eth0\n10.0.0.0/24 dev eth0 metric x\n"
            "10.0.0.0/24\ndev eth0\n10.0.0.0/24 dev eth0 dev eth1\n",
        )
    assert [problem.headline.partition(" ")[0] for problem in wrong.value.problems] == [
        "<addresses>:1:17:", "<addresses>:1:17:", "<addresses>:2:1:",
        "<rules>:2:1:", "<rules>:3:9:", "<rules>:4:18:", "<rules>:5:1:",
        "<routes>:1:13:", "<routes>:2:9:", "<routes>:2:1:", "<routes>:3:1:", "<routes>:4:29:", "<routes>:5:1:",
        "<routes>:6:1:", "<routes>:7:22:",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        (
            '[{"dst":"default","dev":"eth0"},\n {"dst":"10.0.0.0/33","dev":"eth0"}]',
            "<routes>:2:2: `10.0.0.0/33` is not a CIDR",
        ),
        ('[{"dst":"default","dev":"eth0"},\n {"dev":"eth0"}]', "<routes>:2:2: no `dst`"),
        ('[{"dst":"default"\n', "<routes>:2:1: not valid JSON"),
        ('[{"dst":"default","dst":"default"}]', "duplicate key `dst`"),
        ('[{"dst":"default","dev":"eth0"}] x', "<routes>:1:32: not valid JSON"),
        ("[7]", "expected an object, found `7`"),
    ],
)
def test_mistakes_in_json(routes: str, said: str) -> None:
    with pytest.raises(InputError, match=r"JSON|CIDR|dst|object") as wrong:
        read_routing(None, None, routes)
    assert any(said in problem.headline for problem in wrong.value.problems), wrong.value


WORDS = ["default", "10.0.0.0/24", "10.0.0.1", "2001:db8::/32", "fe80::1", "::ffff:0.0.0.0/96", "via", "dev", "eth0", "src",
         "metric", "7", "-1", "0x", "nexthop", "table", "lookup", "from", "to", "not", "all", "0:", "5:", "fwmark", "1/2", "/",
         "goto", "inet", "inet6", "peer", "brd", "scope", "link", "throw", "blackhole", "encap", "lock", "\n", "\n\t", "\\",
         "dport", "9-", "proto", "kernel", "2:", "eth0:", "<UP>", "weight", "suppress_prefixlength", "pref", "high"]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 130) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["host", "dev", "gateway", "flags"]), inner)
    ),
)
KEYS = ["dst", "dev", "gateway", "via", "flags", "metrics", "nexthops", "type", "table", "metric", "priority", "src", "srclen",
        "fwmark", "fwmask", "goto", "action", "not", "ifname", "addr_info", "family", "local", "address", "prefixlen", "scope",
        "dport_start", "dport_end", "DestinationPrefix", "NextHop", "RouteMetric"]  # fmt: skip
TEXTS = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join) | st.lists(
    st.dictionaries(st.sampled_from(KEYS), VALUES | st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES), max_size=2)),
    max_size=2,
).map(json.dumps)  # fmt: skip


@settings(max_examples=120)
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_any_text_is_read_or_refused(addresses: str, rules: str, routes: str, windows: str) -> None:
    unplaced: list[Problem] = []
    for read in (lambda: read_routing(addresses, rules, routes, rules6=rules, routes6=routes),
                 lambda: read_routing(addresses, None, ""), lambda: read_routing(None, rules, ""),
                 lambda: read_routing(None, None, routes), lambda: read_windows_routing(windows)):  # fmt: skip
        try:
            of = read()
        except InputError as error:
            unplaced += [problem for problem in error.problems if not problem.place.line]
            continue
        for asked in ({}, {"in_interface": "eth0"}, {"out_interface": "eth0"}):
            find(of, "10.0.0.9", **asked)
            find(of, "2001:db8::9", "fe80::1", **asked)
    assert not unplaced


# -- Windows ---------------------------------------------------------------------------------------------------------

PRINTED = """\
===========================================================================
Interface List
  6...00 16 3e 00 00 01 ......Red Hat VirtIO Ethernet Adapter
===========================================================================

IPv4 Route Table
===========================================================================
Active Routes:
Network Destination        Netmask          Gateway       Interface  Metric
          0.0.0.0          0.0.0.0       10.0.0.253        10.0.0.19     25
          0.0.0.0          0.0.0.0       10.0.1.253        10.0.1.20     15
         10.0.0.0    255.255.255.0         On-link         10.0.0.19    281
        10.0.0.19  255.255.255.255         On-link         10.0.0.19    281
       10.0.0.255  255.255.255.255         On-link         10.0.0.19    281
        127.0.0.0        255.0.0.0         On-link         127.0.0.1    331
===========================================================================
Persistent Routes:
  Network Address          Netmask  Gateway Address  Metric
          0.0.0.0          0.0.0.0       10.0.0.254       1
===========================================================================
"""
NET_ROUTE = json.dumps([
    {"DestinationPrefix": "0.0.0.0/0", "NextHop": "10.0.0.253", "RouteMetric": 0, "InterfaceMetric": 25,
     "InterfaceAlias": "Ethernet"},
    {"DestinationPrefix": "0.0.0.0/0", "NextHop": "10.0.1.253", "RouteMetric": 5, "InterfaceMetric": 10,
     "InterfaceAlias": "Ethernet 2"},
    {"DestinationPrefix": "10.0.0.19/32", "NextHop": "0.0.0.0", "RouteMetric": 256, "InterfaceMetric": 25,
     "InterfaceAlias": "Ethernet"},
], indent=1)  # fmt: skip


def test_windows_by_its_metrics() -> None:
    printed, told_by_powershell = read_windows_routing(PRINTED), read_windows_routing(NET_ROUTE)
    out = find(printed, "8.8.8.8")
    assert (out.type, out.interface, out.gateway, out.route_line) == (
        "unicast", "10.0.1.20", parse_address("10.0.1.253"), 11)  # fmt: skip
    assert [find(printed, one).type for one in ("10.0.0.19", "10.0.0.255", "10.0.0.7", "127.0.0.1")] == [
        "local", "broadcast", "unicast", "local"]  # fmt: skip
    assert find(told_by_powershell, "8.8.8.8").interface == "Ethernet 2"
    assert find(told_by_powershell, "10.0.0.19").type == "local"
    with pytest.raises(InputError, match=r"<routes>:2:2: not a row"):
        read_windows_routing("Active Routes:\n 0.0.0.0 0.0.0.0 10.0.0.1\n0.0.0.0 0.0.0.0 here 10.0.0.1\n")


# -- the command -----------------------------------------------------------------------------------------------------

PACKETS = '{"dst": "8.8.8.8", "src": "10.0.0.19", "in_interface": null, "out_interface": null, "mark": 0}\n{"dst": "10.0.1.9"}\n'
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "packets.jsonl").write_text(PACKETS, "utf-8")

    def answer(source: str, *words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run(["guest", "route", source, "--packets", "packets.jsonl", *words])
        return (status, *capsys.readouterr())

    return answer


def folder(tmp_path: Path) -> str:
    (tmp_path / "g").mkdir()
    for name, written in (("ip-addr", ADDRESSES), ("ip-rule.txt", RULES), ("ip-route", ROUTES)):
        (tmp_path / "g" / name).write_text(written, "utf-8")
    return "g"


def sections(tmp_path: Path) -> str:
    written = f"# ip -o addr\n{ADDRESSES}\n[root@a ~]# ip rule\n{RULES}\n$ ip route show table all\n{ROUTES}"
    (tmp_path / "ip.txt").write_text(written, "utf-8")
    return "ip.txt"


def wrapped(tmp_path: Path) -> str:
    (tmp_path / "ip.json").write_text(
        json.dumps({"addr": ADDRESSES, "rule": RULES, "route": ROUTES}, indent=1), "utf-8"
    )
    return "ip.json"


@pytest.mark.parametrize(("form", "lines"), [(folder, (2, 1)), (sections, (9, 13)), (wrapped, (2, 1))])
def test_the_command(command: Command, tmp_path: Path, form: Callable[[Path], str], lines: tuple[int, int]) -> None:
    status, out, err = command(form(tmp_path), "--output", "jsonl")
    assert (status, err) == (0, "")
    first, second = map(json.loads, out.splitlines())
    assert first == {
        "type": "unicast", "nexthops": [], "interface": "eth0", "gateway": "10.0.0.253", "source": "10.0.0.19",
        "table": "main", "rule_priority": 32766, "rule_line": lines[0], "route_line": lines[1], "route_from": "routes",
        "reason": None, "doubts": [],
    }  # fmt: skip
    assert (second["interface"], second["gateway"], second["source"]) == ("eth1", None, "10.0.1.20")


def test_the_command_for_people(command: Command, tmp_path: Path) -> None:
    assert command(folder(tmp_path), "--output", "text") == (0, """\
8.8.8.8 from 10.0.0.19: unicast by eth0 to 10.0.0.253, source 10.0.0.19
    rule 32766 (line 2)
    table main (line 1 of the routes)
10.0.1.9: unicast by eth1, source 10.0.1.20
    rule 32766 (line 2)
    table main (line 3 of the routes)
""", "")  # fmt: skip


def test_every_mistake_of_every_file_at_once_and_nothing_written(command: Command, tmp_path: Path) -> None:
    source = wrapped(tmp_path)
    path = tmp_path / source
    path.write_text(path.read_text("utf-8").replace("10.0.0.253", "10.0.0.999"), "utf-8")
    (tmp_path / "packets.jsonl").write_text('{"dst": "8.8.8.8"}\n{"dst": "8.8.8"}\n{"src": 7, "marc": 1}\nno\n'
                                            '{"dst": "::1", "src": "1.1.1.1", "mark": -1}\n', "utf-8")  # fmt: skip
    status, out, err = command(source, "--to", "out.jsonl")
    assert (status, out) == (2, "")
    assert [line.partition(" ")[0] for line in err.splitlines() if not line.startswith("    ")] == [
        "ip.json:4:24:", "packets.jsonl:2:2:", "packets.jsonl:3:12:", "packets.jsonl:3:2:", "packets.jsonl:3:1:",
        "packets.jsonl:4:1:", "packets.jsonl:5:16:", "packets.jsonl:5:34:",
    ]  # fmt: skip
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("a.json", '{"adr": ""}', "a.json:1:9: unknown key `adr`"),
        ("a.json", '{"route": 7}', "a.json:1:11: `route` is neither a text nor a list"),
        ("a.json", '{"addr": ""}', "a.json: no routes in it"),
        ("a.json", "{", "a.json:1:2: not valid JSON"),
        ("a.txt", "default dev eth0\n# ip rule\n", "a.txt:1:1: a line before the first section"),
        ("a.txt", "# ip rule\n# ip rule\n", "a.txt:2:1: a second section of the same kind"),
        ("g/other", "", "g: none of the files"),
        ("g/ip-rule.json", "[7]", "g/ip-rule.json:1:2: expected an object"),
        ("g/rt_tables", "seven 7\n", "g/rt_tables:1:1: expected a number and a name"),
    ],
)
def test_inputs_that_are_none(command: Command, tmp_path: Path, name: str, written: str, said: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    if name == "g/ip-rule.json":
        (tmp_path / "g" / "ip-route").write_text(ROUTES, "utf-8")
    path.write_text(written, "utf-8")
    status, out, err = command(name.partition("/")[0])
    assert (status, out) == (2, "")
    assert said in err


def test_an_empty_file_is_no_routing(command: Command, tmp_path: Path) -> None:
    """A kernel has routes of `lo` at least: it is a command that failed."""
    (tmp_path / "empty").write_text("\n", "utf-8")
    status, out, err = command("empty")
    assert (status, out) == (2, "")
    assert err.startswith("empty: nothing in it\n")


def test_a_protocol_that_is_none_is_told_with_those_that_are(command: Command, tmp_path: Path) -> None:
    (tmp_path / "packets.jsonl").write_text('{"dst": "8.8.8.8", "protocol": "tpc"}\n', "utf-8")
    _, _, err = command(folder(tmp_path))
    assert '"tpc" is not a whole number of at most 255, icmp, tcp, udp, gre, icmpv6, ipv6-icmp or sctp' in err


def test_a_file_of_a_folder_that_is_not_read_is_named(command: Command, tmp_path: Path) -> None:
    routes = folder(tmp_path)
    for name in ("ip-rull.txt", "iptables-save.txt", "notes", ".hidden"):
        (tmp_path / "g" / name).write_text("", "utf-8")
    status, out, err = command(routes)
    assert (status, bool(out)) == (0, True)
    assert err.splitlines() == ["g/ip-rull.txt: warning: not read: no name that is known",
                                "    hint: did you mean `ip-rule`?",
                                "g/notes: warning: not read: no name that is known"]  # fmt: skip
    (tmp_path / "g" / "ip-route").rename(tmp_path / "g" / "ip-rout")
    status, _, err = command(routes)
    assert status == 2
    assert "no routes in it" in err
    assert "did you mean `ip-route`?" in err
