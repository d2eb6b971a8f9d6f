"""Packets by packed rows are judged as the walk judges them: verdict, rule, trace and what is assumed."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinsight.addresses import parse_address
from netinsight.engine.spaces import Box
from netinsight.errors import InputError, QuestionError
from netinsight.flow import EVERY_PORT
from netinsight.guest.iptables import EVERY_TABLE, Firewall, Packet, flat, read_firewall
from netinsight.guest.iptables.compiled import VERDICTS, Compiled, compile_kind, flows_of
from netinsight.guest.iptables.rule_reader import Pieces
from tests.guest.iptables_helpers import packet, port, table
from tests.shared_data import SHARED

EDGES = (0, 1, 21, 22, 23, 79, 80, 81, 1023, 1024, 1025, 5000, 65534, 65535)
ADDRESSES = ("10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.1.1", "10.255.255.255", "11.0.0.0", "192.0.2.7", "0.0.0.0",
             "255.255.255.255", "127.0.0.1", "224.0.0.1")  # fmt: skip
SETS = "create nets hash:net family inet\nadd nets 10.0.0.0/8\nadd nets 10.0.0.0/31 nomatch\nadd nets 10.0.0.1\n" \
       "create web hash:net,port family inet\nadd web 10.0.0.0/8,tcp:80-81\nadd web 10.0.0.2,tcp:22 nomatch\n" \
       "create hosts bitmap:ip range 10.0.0.0/16\nadd hosts 10.0.1.0-10.0.1.9\n" \
       "create both list:set size 8\nadd both nets\nadd both hosts\n" \
       "create ports bitmap:port range 0-65535\nadd ports 1024-5000\ncreate six hash:ip family inet6\n"  # fmt: skip


def _match(random: Random) -> str:
    first, no, host = random.choice(EDGES), random.choice(["", "! "]), random.choice(ADDRESSES)
    last = random.choice([one for one in EDGES if one >= first])
    low, high = sorted(random.sample(ADDRESSES, 2), key=parse_address)
    return random.choice([
        f"{no}-s {host}/{random.choice([0, 8, 24, 30, 32])}", f"{no}-d {host}", f"{no}-s 10.0.0.1/255.0.0.255",
        f"{no}-d 10.0.1.2/255.255.{random.choice([5, 250])}.250",
        f"{no}-s 10.0.0.0/31 -d 10.0.0.0/8", f"-m iprange {no}--src-range {low}-{high}",
        f"-d {host} -p tcp --dport {first}:{last}",
        f"-m iprange {no}--dst-range {low}-{high}", f"-s 10.0.0.1/0.255.0.255 {no}-d {host}/31",
        f"-p tcp {no}--dport {first}:{last}", f"-p tcp {no}--sport {first}:{last}", f"{no}-p udp", f"-p udp {no}--dport {first}",
        f"-p tcp -m multiport {no}--ports {first},{random.choice(EDGES)}", f"-p tcp -m multiport {no}--dports 22,80:1024",
        f"-p tcp -m multiport {no}--sports {first}:{last},80", "-p icmp --icmp-type 8", f"{no}-i eth0", "-i eth+",
        f"-m set {no}--match-set nets src", f"-m set {no}--match-set both dst", f"-m set {no}--match-set web dst,dst",
        f"-m set {no}--match-set ports src", "-m set ! --match-set six src", f"-m conntrack {no}--ctstate NEW,RELATED",
        "-m conntrack --ctstate ESTABLISHED", f"-m conntrack {no}--ctorigdst {host}", f"-m addrtype {no}--dst-type MULTICAST",
        "-m limit --limit 3/min", f"-m limit --limit 3/min -p tcp --dport {first}:{last}", "-m string --algo bm --string x",
        f"-m mark {no}--mark 1", f"-m recent {no}--rcheck --name x", f"-m mac {no}--mac-source 02:00:00:00:00:01",
        f"-m statistic --mode random --probability 0.9 -s {host}/24", "-m foo --bar", f"-s {host} -m length --length 0:99",
        "-m u32 --u32 12&0xFF000000=0x0a000000", "", f"-p tcp {no}--syn",
    ])  # fmt: skip


def _rules(random: Random) -> str:
    chains = ["INPUT", "one", "two", "three", "four"]
    lines = [f"-P INPUT {random.choice(['ACCEPT', 'DROP'])}", *(f"-N {name}" for name in chains[1:])]
    for at, chain in enumerate(chains):
        for _ in range(random.randint(1, 6)):
            further = [f"-{way} {name}" for name in chains[at + 1 :] for way in "jjg"] or ["-j RETURN"]
            plain = ["-j ACCEPT", "-j DROP", "-j REJECT --reject-with icmp-host-unreachable", "-j RETURN", "-j LOG", "",
                     "-j MARK --set-mark 1", "-j FOO", "-m recent --set --name x"]  # fmt: skip
            target = random.choice([random.choice(further), random.choice(further), random.choice(plain)])
            match = _match(random)
            lines.append(f"-A {chain} {match} {target if 'recent' not in match else '-j DROP'}")
    return "\n".join(["*filter", *lines, "COMMIT", ""])


def _packets(random: Random, count: int) -> list[Packet]:
    kinds: list[dict[str, Any]] = [
        {"protocol": random.choice(["tcp", "udp", "icmp"]), "state": random.choice([None, "NEW", "ESTABLISHED", "INVALID"]),
         "in_interface": random.choice(["eth0", "lo", None]), "mark": random.choice([0, 1]),
         "source_mac": random.choice([None, "02:00:00:00:00:01"]), "length": random.choice([None, 60, 100]),
         "destination_type": random.choice([None, "LOCAL", "MULTICAST"])}
        for _ in range(3)
    ]  # fmt: skip
    return [
        packet(src=random.choice(ADDRESSES), dst=random.choice(ADDRESSES), sport=random.choice(EDGES),
               dport=random.choice(EDGES), **random.choice(kinds))
        for _ in range(count)
    ]  # fmt: skip


def _compare(firewall: Firewall, packets: list[Packet], tables: tuple[str, ...] = ("filter",)) -> int:
    """Every packet both ways; returns how many the rows alone judged."""
    walked = [firewall.judge(one, tables) for one in packets]
    assert firewall.judge_many(packets, tables) == walked
    by_rows = 0
    kinds: dict[Packet, Compiled | None] = {}
    for one, judged in zip(packets, walked, strict=True):
        kind = replace(one, source=0, destination=0, ports=Box(port(0), port(0)))
        if kind not in kinds:
            kinds[kind] = compile_kind(firewall, one, tables)
        compiled = kinds[kind]
        if compiled is None:
            continue
        flows = flows_of([one])
        (told,) = compiled.judgements(flows)
        assert told in (judged, None)
        by_rows += told is not None
        decided = compiled.decide(flows)
        outcome = compiled.outcomes[decided.rows[0]]
        assert outcome is not None
        assert VERDICTS[decided.verdicts[0]] == outcome.verdict == judged.verdict
        rule, chain = outcome.rule.text if outcome.rule else "policy", outcome.rule or outcome.chain
        assert (rule, outcome.reply) == (judged.rule, judged.reject_with)
        assert (chain.line if chain else 0) == (judged.line or 0)
    return by_rows


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 10**9))
def test_generated_rules_as_the_walk(seed: int) -> None:
    random = Random(seed)
    firewall = read_firewall(_rules(random), ipsets=SETS)
    _compare(firewall, _packets(random, 40))


WORDS = ["!", "-s", "-d", "10.0.0.1", "-p", "tcp", "udp", "-m", "multiport", "--dport", "--dports", "--dpor", "80", '"80"',
         "--sport=1", "-j", "one", "LOG", "--log-prefix", "ACCEPT", "-m tcp", "foo", "--bar", "-c 1 2", "-4", '"', "-i", "eth+",
         "TPROXY", "REJECT", "--reject-with", "tcp-reset", "-f", "-g", "--ctstate", "NEW", "conntrack", "-m udp", "--syn",
         '-m comment --comment "a -j b"', "--set", "recent", "--name", "--dport 70000", "--sport 60000", '--comment "x"', "'",
         '""', '--comment "a --dport 70000 b"', "-j nat", "-j DNAT --to-destination 10.0.0.1:80", "-d 10.0.0.300",
         "-s 10.0.0.1/33", "-j DNAT --to-destination 300.0.0.1", "\\", "--comment -j one"]  # fmt: skip


def _read(text: str) -> Firewall | list[str]:
    try:
        return read_firewall(text, ipsets=SETS)
    except InputError as error:
        return [f"{problem.place} {problem.message} {problem.hint} {problem.excerpt}" for problem in error.problems]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9))
def test_a_rule_in_pieces_reads_as_a_whole(seed: int) -> None:
    random = Random(seed)
    lines = _rules(random).split("\n")
    for _ in range(4):
        words = lines[at := random.randrange(len(lines) - 2)].split(" ")
        words[random.randrange(2, len(words) + 2) :] = random.choices(WORDS, k=random.randint(1, 7))
        lines[at] = random.choice([" ", "  "]).join(words)
    text = "\n".join(lines) if random.random() < 0.8 else _rules(random)
    read = _read(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pieces, "leads", lambda *_: None)
        whole = _read(text)
    if isinstance(read, list) or isinstance(whole, list):
        assert read == whole
        return
    assert _shape(read) == _shape(whole)
    for one in _packets(random, 10):
        assert read.judge(one) == whole.judge(one)


def _shape(firewall: Firewall) -> Any:
    return [
        (
            chain.name,
            chain.policy,
            [(rule.text, rule.line, len(rule.tests), rule.target, rule.lists) for rule in chain.rules],
        )
        for chain in sorted(firewall.tables["filter"].chains.values(), key=lambda chain: chain.name)
    ]


@cache
def _recorded(name: str) -> tuple[Firewall, list[Packet]]:
    from tests.guest import test_iptables_kernel as kernel

    rows = [row for row in kernel._rows(kernel.DATA / "truth.jsonl") if row["ruleset"] == name]
    return kernel._firewall(name), [kernel._asked(row) for row in rows]


def _names() -> list[str]:
    manifest = SHARED / "iptables" / "manifest.json"
    return sorted(one["file"] for one in json.loads(manifest.read_text())) if manifest.exists() else []


@pytest.mark.skipif(not _names(), reason="no ../shared/data/iptables beside the project")
@pytest.mark.parametrize("name", _names())
def test_the_real_rule_sets_need_no_walk(name: str) -> None:
    firewall, packets = _recorded(name)
    assert _compare(firewall, packets) == len(packets)
    bare = [replace(one, destination_type=None, source_mac=None, in_interface=None) for one in packets[::3]]
    _compare(firewall, bare)
    _compare(firewall, packets[::3], EVERY_TABLE)


@pytest.mark.parametrize("path", sorted((SHARED / "iptables-generated").glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_generated_rule_sets_need_no_walk(path: Path) -> None:
    from tests.guest.test_iptables_kernel import _rows

    firewall = read_firewall(path.with_suffix(".iptables-save").read_text())
    packets = [
        packet(
            row["hook"], row["src"], row["dst"], protocol=row["proto"], sport=row.get("sport", 0),
            dport=row.get("dport", 0), in_interface=row["in"], out_interface=row["out"], state=row["ctstate"],
            icmp_type=row.get("icmp_type"), icmp_code=row.get("icmp_code"), tcp_flags=row.get("flags"),
        )
        for row in _rows(path)
    ]  # fmt: skip
    assert _compare(firewall, packets) == len(packets)


def test_a_doubt_is_told_with_what_would_come_of_the_other_way() -> None:
    firewall = read_firewall(
        table("-A INPUT -p tcp --dport 22 -m limit --limit 1/s -j ACCEPT", "-A INPUT -s 10.0.0.1 -j DROP")
    )
    packets = [packet(src=src) for src in ("10.0.0.1", "10.0.0.9")] * 2
    packets = [replace(one, ports=Box(port(1), port(22))) for one in packets]
    assert _compare(firewall, packets) == 4
    told = [one.assumptions[0].rpartition("; ")[2] for one in firewall.judge_many(packets)]
    assert told == ["otherwise DROP", "ACCEPT either way"] * 2


def test_what_the_rows_do_not_hold_is_walked() -> None:
    firewall = read_firewall(table("-A INPUT -m u32 --u32 12&0xFF=1 -j DROP", "-A INPUT -s 10.0.0.1/1.2.3.4 -j DROP"))
    assert _compare(firewall, [packet()]) == 0
    nat = read_firewall("*nat\n-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 81\nCOMMIT\n" + table())
    assert compile_kind(nat, packet(), EVERY_TABLE) is None
    assert _compare(nat, [packet(), packet(dport=1)], EVERY_TABLE) == 0
    assert _compare(nat, [packet(), packet(dport=1)]) == 2


def test_a_box_of_ports_is_walked() -> None:
    firewall = read_firewall(table("-A INPUT -p tcp --dport 22 -j DROP"))
    asked = [packet(ports=Box(EVERY_PORT, EVERY_PORT)), packet(dport=22)]
    assert [one.verdict for one in firewall.judge_many(asked)] == ["UNKNOWN", "DROP"]


def test_facts_that_no_rule_asks_make_no_kind_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    firewall = read_firewall(table("-A INPUT -p tcp --dport 22 -j DROP"))
    packets = [packet(dport=20 + n % 5, length=n, time=f"2026-01-01T00:00:{n:02}") for n in range(60)]
    walked = [firewall.judge(one) for one in packets]
    monkeypatch.setattr(Firewall, "judge", None)  # nothing is walked
    assert firewall.judge_many(packets) == walked


def test_kinds_of_a_packet_each_are_walked() -> None:
    firewall = read_firewall(table("-A INPUT -m length --length 0:30 -j DROP"))
    packets = [packet(length=n) for n in range(60)]
    assert firewall.judge_many(packets) == [firewall.judge(one) for one in packets]


@pytest.mark.parametrize(("name", "value"), [("MOST_PIECES", 1), ("MOST_DEPTH", 1)])
def test_what_grows_past_its_bound_is_walked(name: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flat, name, value)
    for seed in range(40):
        random = Random(seed)
        firewall = read_firewall(_rules(random), ipsets=SETS)
        _compare(firewall, _packets(random, 10))


def test_chains_that_double_at_every_jump_are_bounded() -> None:
    rules = [f"-A c{n} {how} -j c{n + 1}" for n in range(20) for how in ("-p tcp ! --dport 5", "-p tcp ! --sport 5")]
    declared = "".join(f":c{n} - [0:0]\n" for n in range(21))
    text = f"*filter\n:INPUT ACCEPT\n{declared}" + "\n".join(
        ["-A INPUT -j c0", *rules, "-A c20 -s 10.0.0.1 -j DROP", "COMMIT"]
    )
    firewall = read_firewall(text)
    compiled = compile_kind(firewall, packet())
    assert compiled is not None
    assert None in compiled.outcomes
    assert len(compiled.outcomes) < 21_000
    _compare(firewall, [packet(), packet(src="10.9.9.9", dport=5, sport=5)])


def test_marks_that_hang_on_ports_are_followed() -> None:
    marks = [f"-A INPUT -p tcp --dport {n}:90 -j MARK --set-xmark {1 << n}/{1 << n}" for n in range(12)]
    firewall = read_firewall(table(*marks, "-A INPUT -m mark --mark 4/12 -j DROP"))
    assert _compare(firewall, [packet(dport=n) for n in (0, 2, 3, 11, 91)]) == 5


def test_an_address_of_the_other_family_is_a_mistake() -> None:
    with pytest.raises(QuestionError, match="IPv4"):
        read_firewall(table()).judge_many([packet(), packet(src="2001:db8::1")])


def test_ipv6() -> None:
    firewall = read_firewall(table("-A INPUT -s 2001:db8::/32 -j DROP", "-A INPUT ! -d ::1 -j REJECT"), family=6)
    asked = [packet(src=src, dst=dst) for src in ("2001:db8::1", "2001:db9::") for dst in ("::1", "fe80::1")]
    assert _compare(firewall, asked) == 4
