"""The kernel of this machine: random rule sets in a namespace of their own, and which rules counted each packet."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from netinsight.guest.iptables import EVERY_TABLE, Firewall, Packet, read_firewall
from tests.guest.iptables_helpers import packet

WORKER = Path(__file__).parent / "live_kernel.py"
SETS, PACKETS = 8, 30
SOURCES = ("10.1.0.1", "10.1.2.77", "192.0.2.9", "192.0.2.200", "198.51.100.5", "203.0.113.130")
TARGETS = ("10.0.0.2", "10.9.0.5", "10.9.1.200")
PORTS = (22, 53, 80, 443, 1024, 5000, 8080, 65535)
MACS = ("02:00:00:00:00:0a", "02:00:00:00:00:0c")


def _why_not(command: str) -> str:
    if os.geteuid() != 0:
        return "needs root"
    for tool in (f"{command}-restore", f"{command}-save", "ip", "unshare", "sysctl"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    tried = subprocess.run(
        ["unshare", "-n", f"{command}-restore"], input="*filter\nCOMMIT\n", capture_output=True, text=True
    )
    return f"{command} does not run: {tried.stderr.strip()[:200]}" if tried.returncode else ""


def _match(random: Random, hook: str) -> str:
    no = random.choice(["", "", "! "])
    ports = random.choice(PORTS)
    kinds = [
        lambda: f"{no}-s {random.choice(['10.1.2.3/8', '192.0.2.0/25', '198.51.100.5', '203.0.113.7/255.255.255.0'])}",
        lambda: f"{no}-d {random.choice(['10.0.0.2', '10.9.0.0/24', '10.9.1.1/16'])}",
        lambda: f"-p tcp {no}--dport {ports}:{min(65535, ports + 100)}",
        lambda: f"-p udp -m udp {no}--sport {random.choice(PORTS)}",
        lambda: f"-p tcp {no}--tcp-flags FIN,SYN,RST,ACK {random.choice(['SYN', 'ACK', 'SYN,ACK', 'NONE'])}",
        lambda: f"-p {random.choice(['tcp', 'udp'])} -m multiport "
                f"{no}--{random.choice(['ports', 'dports', 'sports'])} 22,443,1000:6000",
        lambda: f"-p icmp -m icmp {no}--icmp-type {random.choice(['8', '3/1', '0', 'echo-request', '11'])}",
        lambda: f"{no}-p {random.choice(['tcp', '17', 'icmp'])}",
        lambda: f"-m iprange {no}--src-range 192.0.2.5-192.0.2.100",
        lambda: f"-m conntrack {no}--ctstate {random.choice(['NEW', 'INVALID', 'NEW,INVALID', 'ESTABLISHED'])}",
        lambda: f"-m mark {no}--mark {random.choice(['1', '0x2/0x2', '0'])}",
        lambda: f"-m ttl --ttl-{random.choice(['eq 63', 'eq 64', 'lt 64', 'gt 63'])}",
        lambda: f"-m length {no}--length {random.choice(['40', '0:41', '56'])}",
        lambda: f"-m dscp {no}--dscp {random.choice(['0', '46'])}",
        lambda: f"-m tos {no}--tos {random.choice(['0x10/0xff', '0xb8/0xfc'])}",
        lambda: f"-m addrtype {no}--dst-type {random.choice(['LOCAL', 'UNICAST'])}",
        lambda: f"-m u32 {no}--u32 \"{random.choice(['6&0xFF=17', '12>>24=10:198', '8>>24&0xFF=64', '16=0x0a000002'])}\"",
        lambda: f"-m connmark {no}--mark {random.choice(['0', '1'])}",
    ]  # fmt: skip
    if hook == "OUTPUT":
        kinds += [
            lambda: f"{no}-o v{random.choice(['C', '+', 'B'])}",
            lambda: f"-m owner {no}--uid-owner {random.choice([0, 7])}",
        ]
    else:
        kinds += [lambda: f"{no}-i v{random.choice(['B', '+', 'B.1'])}",
                  lambda: f"-m mac {no}--mac-source {random.choice(MACS)}"]  # fmt: skip
    if hook == "FORWARD":
        kinds.append(lambda: f"{no}-o v{random.choice(['C', 'B'])}")
    return random.choice(kinds)()


def _condition(random: Random, hook: str) -> str:
    first, second = _match(random, hook), _match(random, hook) if random.random() < 0.35 else ""
    clash = "-p" in first.split() and "-p" in second.split()
    same = {word for word in first.split() if word.startswith("-") and len(word) == 2 and word != "-m"} & set(
        second.split()
    )
    again = set(re.findall(r"-m (\S+)", first)) & set(re.findall(r"-m (\S+)", second))
    return first if clash or same or again else f"{first} {second}".strip()


def _filter(random: Random) -> str:
    lines = ["*filter"]
    hooks = ("INPUT", "FORWARD", "OUTPUT")
    lines += [f":{hook} {random.choice(['ACCEPT', 'DROP'])} [0:0]" for hook in hooks]
    users = [f"{hook[0]}{n}" for hook in hooks for n in range(3)]
    lines += [f":{name} - [0:0]" for name in users]
    for hook in hooks:
        for at, chain in enumerate([hook, *(f"{hook[0]}{n}" for n in range(3))]):
            for _ in range(random.randint(2, 5)):
                further = [f"-{way} {hook[0]}{n}" for n in range(at, 3) for way in "jg"]
                target = random.choice([*further, *further, "-j ACCEPT", "-j DROP", "-j RETURN", "-j RETURN",
                                        "-j MARK --set-xmark 0x1/0x1", "-j MARK --set-mark 2", "-j CONNMARK --set-mark 1",
                                        "-j REJECT", "-m comment --comment \"a b\"", ""])  # fmt: skip
                lines.append(f"-A {chain} {_condition(random, hook)} {target}".rstrip())
    return "\n".join([*lines, "COMMIT", ""])


def _before(random: Random) -> str:
    raw = ["*raw", *(f"-A PREROUTING {_condition(random, 'RAW')} -j {t}" for t in ("CT --notrack", "MARK --or-mark 4"))]
    mangle = ["*mangle"]
    for hook in ("PREROUTING", "INPUT", "FORWARD", "OUTPUT"):
        for _ in range(2):
            target = random.choice(["MARK --set-mark 1", "ACCEPT", "TOS --set-tos 0x10", "CONNMARK --save-mark",
                                    "CONNMARK --restore-mark", "DSCP --set-dscp 46", "MARK --xor-mark 3"])  # fmt: skip
            mangle.append(f"-A {hook} {_condition(random, hook)} -j {target}")
    nat = ["*nat"]
    for way in ("-d 10.0.0.2/32 -p tcp", "-d 10.9.0.0/16 -p udp", "-p tcp"):
        target = random.choice(["DNAT --to-destination 10.0.0.2:80", "DNAT --to-destination 10.9.0.5:443", "RETURN", "ACCEPT",
                                "REDIRECT --to-ports 8080", "DNAT --to-destination 10.9.1.9"])  # fmt: skip
        ports = random.choice(["", "--dport 22", "-m multiport --dports 80,443,8080"])
        nat.append(f"-A PREROUTING {way} {ports} -j {target}")
    return "".join("\n".join([*lines, "COMMIT", ""]) for lines in (raw, mangle, nat))


def _packets(random: Random, used: set[Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    while len(made) < PACKETS:
        target, protocol = random.choice(TARGETS), random.choice([6, 6, 17, 1])
        output = target != "10.0.0.2" and random.random() < 0.4
        source = "10.0.0.2" if output else random.choice(SOURCES)
        icmp = random.choice([(8, 0), (8, 0), (3, 1), (0, 0), (11, 0), (13, 0)])
        one = {
            "chain": "OUTPUT" if output else "INPUT" if target == "10.0.0.2" else "FORWARD", "src": source, "dst": target,
            "protocol": protocol, "sport": random.choice([*PORTS, random.randint(1, 65535)]), "dport": random.choice(PORTS),
            "flags": random.choice([2, 2, 2, 16, 18, 1, 0, 17, 4]), "icmp_type": icmp[0], "icmp_code": icmp[1],
            "ttl": random.choice([64, 64, 63, 65]), "tos": random.choice([0, 0, 0x10, 0xB8]), "extra": random.choice([0, 28]),
            "mac": random.choice(MACS),
        }  # fmt: skip
        ends = frozenset(
            [(source, one["sport"] if protocol != 1 else 0), (target, one["dport"] if protocol != 1 else 0)]
        )
        key = (ends, protocol, one["sport"] if protocol == 1 else 0)
        if key not in used:  # connection tracking remembers what went before
            used.add(key)
            made.append(one)
    return made


def _asked(one: dict[str, Any]) -> Packet:
    names = {6: "tcp", 17: "udp", 1: "icmp"}
    output, protocol = one["chain"] == "OUTPUT", one["protocol"]
    return packet(
        one["chain"], one["src"], one["dst"], protocol=names[protocol], sport=one["sport"], dport=one["dport"],
        in_interface=None if output else "vB", out_interface=None if one["chain"] == "INPUT" else "vC",
        tcp_flags=one["flags"] if protocol == 6 else None, icmp_type=one["icmp_type"] if protocol == 1 else None,
        icmp_code=one["icmp_code"] if protocol == 1 else None, ttl=one["ttl"], tos=one["tos"],
        length={6: 40, 17: 28 + one["extra"], 1: 56}[protocol], source_mac=None if output else one["mac"],
        uid=0 if output else None, source_type="LOCAL" if output else "UNICAST",
        destination_type="LOCAL" if one["dst"] == "10.0.0.2" else "UNICAST",
    )  # fmt: skip


def _routed(firewall: Firewall, one: dict[str, Any]) -> Packet:
    """The chain in which a packet ends that may be translated on the way in."""
    asked = _asked(one)
    if one["chain"] == "OUTPUT":
        return asked
    told = [text for chain in ("INPUT", "FORWARD")
            for text in firewall.judge(_asked({**one, "chain": chain}), ("raw", "mangle", "nat")).trace]  # fmt: skip
    moved = [found[1] for text in told if (found := re.search(r"--to-destination (10\.\d+\.\d+\.\d+)", text))]
    redirected = any("REDIRECT" in text for text in told)
    here = redirected or (moved[0] if moved else one["dst"]) == "10.0.0.2"
    return _asked({**one, "chain": "INPUT" if here else "FORWARD"})


@pytest.mark.parametrize("command", ["iptables-legacy", "iptables-nft"])
@pytest.mark.parametrize("whole", [False, True], ids=["filter", "every-table"])
def test_which_rules_count_a_packet(command: str, whole: bool) -> None:
    if reason := _why_not(command):
        pytest.skip(reason)
    random, used = Random(f"{command} {whole} 7"), set[Any]()
    sets = [
        {"text": (_before(random) if whole else "") + _filter(random), "packets": _packets(random, used)}
        for _ in range(SETS)
    ]
    job = json.dumps({"command": command, "sets": sets})
    done = subprocess.run(["unshare", "-n", sys.executable, str(WORKER)], input=job, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    checked = 0
    for asked, told in zip(sets, json.loads(done.stdout), strict=True):
        firewall = read_firewall(told["saved"])
        order = [at for at, line in enumerate(told["saved"].split("\n"), start=1) if "] -A " in line]
        for one, counts in zip(asked["packets"], told["counts"], strict=True):
            judged = firewall.judge(
                _routed(firewall, one) if whole else _asked(one), EVERY_TABLE if whole else ("filter",)
            )
            expected = Counter(line for _, _, line in judged.places)
            seen = Counter({line: count for line, count in zip(order, counts, strict=True) if count})
            # the answer of a REJECT is counted too, and where REDIRECT leads is the address of an interface
            more = judged.verdict == "REJECT" or any("after translation" in note for note in judged.assumptions)
            assert expected <= seen if more else expected == seen, (one, judged, seen, told["saved"])
            assert more or judged.verdict != "UNKNOWN"
            checked += 1
    assert checked == SETS * PACKETS
