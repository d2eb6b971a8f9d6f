"""The kernel of this machine: nftables made by hypothesis in a namespace of their own, and what became of each packet."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from netinsight.guest.iptables import Judgement
from netinsight.guest.nftables import Ruleset
from netinsight.sources.nftables_file import read_nftables
from tests.guest.test_iptables_live import WORKER, _asked, _packets

SETS = int(os.environ.get("NETINSIGHT_SOAK", "1"))
"""Times as many rule sets as usual."""
COUNTED = "counter packets"
USERS = 3
PROBES = """
table inet zz {
 chain i { type filter hook input priority 2147483647; counter; }
 chain p { type filter hook postrouting priority 2147483647; counter; }
}
"""
"""They count what every other chain let through."""


def _why_not() -> str:
    if os.geteuid() != 0:
        return "needs root"
    for tool in ("nft", "ip", "unshare", "sysctl"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    tried = subprocess.run(["unshare", "-n", "nft", "-f", "-"], input=PROBES, capture_output=True, text=True)
    return f"nft does not run: {tried.stderr.strip()[:200]}" if tried.returncode else ""


no = st.sampled_from(["", "", "!= "])
port = st.sampled_from(["22", "443", "1024-6000", "{ 22, 80, 443 }", "{ 53, 1000-9000 }", ">= 1024", "< 100"])
address = st.sampled_from(["10.1.0.0/16", "192.0.2.0/25", "198.51.100.5", "{ 10.1.2.0/24, 203.0.113.128/25 }", "@near",
                           "192.0.2.5-192.0.2.210", "10.0.0.2", "10.9.0.0/24", "{ 10.9.1.1-10.9.1.255, 10.0.0.2 }"])  # fmt: skip
COMMON = st.one_of(
    st.builds("ip {} {}{}".format, st.sampled_from(["saddr", "daddr"]), no, address),
    st.builds("{} {} {}".format, st.sampled_from(["tcp", "udp"]), st.sampled_from(["dport", "sport"]), port),
    st.builds("{} dport != {{ 22, 53, 80-90 }}".format, st.sampled_from(["tcp", "udp"])),
    st.builds("meta l4proto {{ tcp, udp }} th {} {}".format, st.sampled_from(["dport", "sport"]), port),
    st.builds("meta l4proto {}{}".format, no, st.sampled_from(["tcp", "udp", "icmp", "{ tcp, icmp }"])),
    st.builds("ip protocol {}{}".format, no, st.sampled_from(["tcp", "udp", "{ udp, icmp }"])),
    st.builds("tcp flags {}".format, st.sampled_from(["syn", "syn,ack", "== syn", "!= syn", "& (fin|syn) == syn", "! ack",
              "{ syn, ack }", "& (fin|syn|rst|ack) != syn"])),
    st.builds("icmp {}".format, st.sampled_from(["type echo-request", "type != echo-request", "code 1",
              "type { echo-reply, destination-unreachable }"])),
    st.builds("ct state {}".format, st.sampled_from(["new", "invalid", "established,related", "{ new, invalid }",
              "!= established,related", "!= new", "new,invalid"])),
    st.builds("meta mark {}".format, st.sampled_from(["1", "!= 1", "& 0x2 == 0x2", "1-2", "> 1", "{ 0, 2 }", "and 1 != 1"])),
    st.builds("ct mark {}".format, st.sampled_from(["0", "!= 0", "& 1 == 1"])),
    st.builds("ct {}".format, st.sampled_from(["direction original", "direction reply", "original proto-dst 22",
              "original ip saddr 10.1.0.1", "status dnat", "status != dnat"])),
    st.builds("ip ttl {}".format, st.sampled_from(["64", "!= 64", "< 64", "{ 62, 63 }"])),
    st.builds("meta length {}".format, st.sampled_from(["40", "!= 40", "41-60"])),
    st.builds("ip dscp {}".format, st.sampled_from(["cs0", "ef", "!= ef"])),
    st.builds("ip daddr . tcp dport {}".format, st.sampled_from(["@pairs", "!= @pairs", "{ 10.0.0.2 . 22, 10.9.0.5 . 443 }"])),
    st.builds("meta {}".format, st.sampled_from(["nfproto ipv4", "nfproto ipv6", "protocol ip", "protocol != ip"])),
    st.builds("ip6 saddr {}::/0".format, no),
    st.sampled_from(["ip frag-off & 0x1fff != 0", "ip frag-off & 0x1fff == 0", "ip version 4", "ip ecn not-ect"]),
    st.sampled_from(["udp length 8", "fib daddr type local", "fib daddr type != local", "fib saddr type unicast"]),
    st.builds("ip saddr & 0.0.0.1 {}".format, st.sampled_from(["== 0.0.0.1", "!= 0.0.0.1"])),
    st.builds("iifname {}".format, st.sampled_from(["vB", "!= vB", '"v*"', "{ vB, vC }", '!= "v*"'])),
    st.builds("ether saddr {}02:00:00:00:00:0a".format, no),
    st.builds("iifname . tcp dport {}".format, st.sampled_from(["{ vB . 22, vB . 80-443 }", "!= { vB . 22 }"])),
    st.builds("iif {}".format, st.sampled_from(["lo", "!= lo", "vB"])),
)  # fmt: skip
OUT = st.one_of(
    st.builds("oifname {}".format, st.sampled_from(["vC", "!= vC", '"v*"'])),
    st.builds("meta skuid {}".format, st.sampled_from(["0", "!= 0", "7"])),
)
CHANGE = st.sampled_from(["", "", "", "", "", "meta mark set 1", "meta mark set meta mark | 2", "meta mark set mark and 1",
    "ct mark set meta mark", "meta mark set ct mark", "ct mark set 1", "meta mark set tcp dport map { 22 : 1, 443 : 2 }",
    "ip dscp set ef", "ip ttl set 62", "meta mark set mark xor 3", "meta mark set ip saddr map @marks"])  # fmt: skip
VMAPS = ("tcp dport vmap {{ 22 : jump {0}, 80-443 : accept, 8080 : goto {0} }}",
         "meta l4proto vmap {{ tcp : jump {0}, udp : drop }}",
         "ip saddr vmap {{ 10.1.0.0/16 : jump {0}, 192.0.2.9 : drop, 203.0.113.0/24 : return }}",
         "meta mark vmap {{ 0 : jump {0}, 1-2 : continue }}", "ct state vmap {{ invalid : drop, new : jump {0} }}",
         "ip daddr . udp dport vmap {{ 10.0.0.2 . 53 : goto {0}, 10.9.0.0/16 . 1-65535 : accept }}",
         "tcp dport vmap @verdicts")  # fmt: skip


SETS_AND_MAPS = (
    "add set {} near {{ type ipv4_addr; flags interval; elements = {{ 10.1.0.0/24, 192.0.2.9 }}; }}",
    "add set {} pairs {{ type ipv4_addr . inet_service; flags interval; "
    "elements = {{ 10.0.0.2 . 20-25, 10.9.0.0/16 . 443, 10.0.0.2 . 8080 }}; }}",
    "add map {} marks {{ type ipv4_addr : mark; elements = {{ 10.1.0.1 : 1, 192.0.2.9 : 2 }}; }}",
)


@st.composite
def rules(draw: st.DrawFn, chain: str, further: list[str], out: bool, ends: tuple[str, ...]) -> list[str]:
    """Rules of a chain."""
    match = st.one_of(COMMON, COMMON, COMMON, OUT) if out else COMMON
    made = []
    for _ in range(draw(st.integers(1, 5))):
        parts = [draw(match), draw(CHANGE)]
        parts += [draw(match)] if draw(st.integers(0, 2)) == 0 else []
        if draw(st.integers(0, 4)) == 0 and further:
            parts.append(draw(st.sampled_from(VMAPS)).format(draw(st.sampled_from(further))))
        else:
            jumps = [f"{way} {name}" for name in further for way in ("jump", "goto")]
            parts += ["counter", draw(st.sampled_from([*jumps, *jumps, *ends]))]
        made.append(f" add rule {chain} " + " ".join(filter(None, parts)))
    return made


@st.composite
def rulesets(draw: st.DrawFn, nat: bool) -> str:
    """Chains of two tables at every hook, with policies, jumps, gotos, verdict maps and sets."""
    heads, bodies = ["table inet t { }", "table ip u { }"], []
    for table in ("inet t", "ip u"):
        heads += [line.format(table) for line in SETS_AND_MAPS]
        names = [f"c{n}" for n in range(USERS)]
        heads += [f"add chain {table} {name}" for name in names]
        heads.append(
            f"add map {table} verdicts {{ type inet_service : verdict; elements = {{ 22 : accept, 443 : jump c2 }}; }}"
        )
        for at, name in enumerate(names):
            further = names[at + 1 :]
            made = draw(rules(f"{table} {name}", further, False, ("accept", "drop", "return", "continue", "")))
            bodies.append([line for line in made if further or "@verdicts" not in line])
        for hook, priorities in (
            ("input", (0, 10)),
            ("forward", (-5, 0)),
            ("output", (0,)),
            ("prerouting", (-300, -150)),
        ):
            for priority in priorities:
                chain = f"{table} {hook}{priority + 400}"
                policy = draw(st.sampled_from(["accept", "accept", "drop"])) if hook != "prerouting" else "accept"
                shift = priority + (1 if table == "ip u" else 0)
                heads.append(f"add chain {chain} {{ type filter hook {hook} priority {shift}; policy {policy}; }}")
                ends = {"prerouting": ("accept", "notrack", "")}.get(
                    hook, ("accept", "accept", "drop", "reject", "return", "")
                )
                bodies.append(
                    draw(rules(chain, [] if hook == "prerouting" else names, hook in ("output", "forward"), ends))
                )
    if nat:
        bodies.append(draw(translations()))
    return "\n".join([*heads, *(line for body in bodies for line in body), PROBES])


@st.composite
def translations(draw: st.DrawFn) -> list[str]:
    """Two chains of destination NAT on one hook."""
    made = ["add chain inet t d0 { type nat hook prerouting priority 50; policy accept; }",
            "add chain ip u d1 { type nat hook prerouting priority -150; policy accept; }"]  # fmt: skip
    targets = ["dnat ip to 10.0.0.2:80", "dnat ip to 10.9.0.5:443", "accept", "return", "redirect to :8080",
               "dnat ip to 10.9.1.9", "dnat ip to tcp dport map { 80 : 10.0.0.2, 22 : 10.9.0.5 }",
               "dnat ip to ip saddr map { 10.1.0.0/16 : 10.9.0.7 }"]  # fmt: skip
    for chain in ("inet t d0", "ip u d1"):
        for _ in range(draw(st.integers(1, 3))):
            match = draw(
                st.sampled_from(["ip daddr 10.0.0.2", "tcp dport 22", "tcp dport { 80, 443, 8080 }", "ip protocol tcp"])
            )
            target = draw(st.sampled_from(targets))
            tcp = "meta l4proto tcp " if "tcp" not in match else ""
            made.append(f"add rule {chain} {tcp}{match} counter {target}")
    return made


def _live(sets: list[dict[str, Any]], command: str = "nft") -> list[dict[str, Any]]:
    job = json.dumps({"command": command, "sets": sets})
    done = subprocess.run(["unshare", "-n", sys.executable, str(WORKER)], input=job, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def _judged(ruleset: Ruleset, one: dict[str, Any]) -> tuple[str, Judgement]:
    """Judged in the chain in which it ends, which destination NAT may move."""
    asked = _asked(one)
    if one["chain"] == "OUTPUT":
        return "OUTPUT", ruleset.judge(asked)
    inward = ruleset.judge(replace(asked, chain="INPUT"))
    moved = [text for text in inward.trace if re.search(" dnat (ip )?to| redirect to", text)]
    where = one["dst"]
    for text in moved:
        if "redirect" in text:
            where = "10.0.0.2"
        elif "saddr map" in text:
            where = "10.9.0.7"
        elif "dport map" in text:
            where = "10.0.0.2" if one["dport"] == 80 else "10.9.0.5"
        else:
            where = text.partition(" to ")[2].partition(":")[0].split()[0]
    way = "INPUT" if where == "10.0.0.2" else "FORWARD"
    return way, ruleset.judge(_asked({**one, "chain": way}))


def _counts_what_matches(rule: dict[str, Any]) -> bool:
    """Whether its counter stands behind all that it asks: a map in which the packet has no key comes after it."""
    return any("counter" in one for one in rule["expr"]) and '"map"' not in json.dumps(rule["expr"][-1])


def _compared(saved: str, packets: list[dict[str, Any]], counts: list[list[int]]) -> int:
    ruleset = read_nftables(saved, "nft")
    rules = [one["rule"] for one in json.loads(saved)["nftables"] if "rule" in one]
    order = [(f"{rule['family']} {rule['table']} {rule['chain']}", rule["handle"]) for rule in rules]
    counting = {place for place, rule in zip(order, rules, strict=True) if _counts_what_matches(rule)}
    for one, seen in zip(packets, counts, strict=True):
        way, judged = _judged(ruleset, one)
        expected = Counter((chain, handle) for _, chain, handle in judged.places if (chain, handle) in counting)
        found = Counter({at: count for at, count in zip(order, seen, strict=True) if count and at in counting})
        context = (one, judged, found - expected, expected - found, saved)
        through = any(chain == ("inet zz i" if way == "INPUT" else "inet zz p") for chain, _ in found)
        lost = any(
            "after translation" in told for told in judged.assumptions
        )  # where redirect leads is an interface's own
        assert judged.verdict in ("ACCEPT", "DROP", "REJECT", *(["UNKNOWN"] if lost else [])), context
        if judged.verdict == "REJECT":  # its answer is counted too
            assert lost or expected <= found, context
        else:
            assert lost or expected == found, context
            assert judged.verdict == "UNKNOWN" or (judged.verdict == "ACCEPT") == through, context
    return len(packets)


@pytest.mark.parametrize("nat", [False, True], ids=["filter", "nat"])
def test_what_becomes_of_a_packet(nat: bool) -> None:
    if reason := _why_not():
        pytest.skip(reason)
    random, used, checked = Random(f"nft {nat}"), set[Any](), []

    @settings(
        max_examples=4 * SETS, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
    )
    @given(st.lists(rulesets(nat), min_size=3, max_size=3))
    def compare(texts: list[str]) -> None:
        sets = [{"text": text, "packets": _packets(random, used)} for text in texts]
        for asked, told in zip(sets, _live(sets), strict=True):
            note(str(asked["text"]))
            checked.append(_compared(told["saved"], asked["packets"], told["counts"]))

    compare()
    print(f"{sum(checked)} packets judged as the kernel judges them")
    assert sum(checked) >= 300
