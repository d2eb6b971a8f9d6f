"""Run inside a network namespace of its own: loads rule sets, sends packets, and tells which rules counted each.

Reads one JSON object from standard input, ``{"command": "iptables-legacy", "sets": [{"text", "packets"}]}`` (or the command
``nft``), writes a list of ``{"saved", "counts"}``: the rules as the kernel prints them, and for each packet how often each
rule matched. A set with ``beside`` has rules of nftables too; what is told of them stands under ``beside``.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import subprocess
import sys
import time
from typing import Any

HERE = "10.0.0.2"
SETUP = """
ip link set lo up
ip link add vA type veth peer name vB
ip link add vC type veth peer name vD
ip link set vB address 02:00:00:00:00:0b
ip link set vA up
ip link set vB up
ip link set vC arp off
ip link set vC up
ip link set vD up
ip addr add 10.0.0.2/32 dev vB
ip route add 10.9.0.0/16 dev vC
sysctl -qw net.ipv4.ip_forward=1
sysctl -qw net.ipv4.conf.all.rp_filter=0
sysctl -qw net.ipv4.conf.default.rp_filter=0
sysctl -qw net.ipv4.conf.vB.rp_filter=0
sysctl -qw net.ipv6.conf.all.disable_ipv6=1
"""


def _run(*words: str, given: str | None = None) -> str:
    done = subprocess.run(words, input=given, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr}")
    return done.stdout


def _sum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _payload(one: dict[str, Any]) -> bytes:
    source, target = socket.inet_aton(one["src"]), socket.inet_aton(one["dst"])
    protocol, ports = one["protocol"], struct.pack("!HH", one["sport"], one["dport"])
    if protocol == 6:
        body = ports + struct.pack("!IIBBHHH", 1, 1, 5 << 4, one["flags"], 1024, 0, 0)
        at = 16
    elif protocol == 17:
        body = ports + struct.pack("!HH", 8 + one["extra"], 0) + b"x" * one["extra"]
        at = 6
    else:
        body = struct.pack("!BBHHH", one["icmp_type"], one["icmp_code"], 0, one["sport"], 1) + b"x" * 28
        return body[:2] + struct.pack("!H", _sum(body)) + body[4:]
    pseudo = source + target + struct.pack("!BBH", 0, protocol, len(body))
    return body[:at] + struct.pack("!H", _sum(pseudo + body)) + body[at + 2 :]


def _ip(one: dict[str, Any]) -> bytes:
    body = _payload(one)
    header = struct.pack("!BBHHHBBH", 0x45, one["tos"], 20 + len(body), one["sport"] or 7, 0, one["ttl"], one["protocol"],
                         0) + socket.inet_aton(one["src"]) + socket.inet_aton(one["dst"])  # fmt: skip
    return header[:10] + struct.pack("!H", _sum(header)) + header[12:] + body


def _load_what_it_takes(text: str) -> None:
    """nft refuses a file for a rule that contradicts itself (ip6 in the table of ip): it goes in without such lines."""
    lines = ["flush ruleset", *text.split("\n")]
    for _ in range(9):
        done = subprocess.run(["nft", "-f", "-"], input="\n".join(lines), capture_output=True, text=True)
        refused = {int(at) for at in re.findall(r"^/dev/stdin:(\d+):", done.stderr, re.M)}
        if not done.returncode:
            return
        lines = [line for at, line in enumerate(lines, start=1) if at not in refused or " rule " not in line]
    raise SystemExit(f"nft -f: {done.stderr}")


def _load(command: str, text: str) -> None:
    if command != "nft":
        _run(f"{command}-restore", given=text)
    elif text.lstrip().startswith("{"):
        _run("nft", "flush", "ruleset")
        _run("nft", "-j", "-f", "-", given=text)
    else:
        _load_what_it_takes(text)


def _saved(command: str) -> str:
    return _run("nft", "-j", "list", "ruleset") if command == "nft" else _run(f"{command}-save", "-c")


def _counts(command: str) -> list[int]:
    if command == "nft":
        rules = [one["rule"]["expr"] for one in json.loads(_saved(command))["nftables"] if "rule" in one]
        return [sum(e["counter"]["packets"] for e in rule if isinstance(e.get("counter"), dict)) for rule in rules]
    return [int(n) for n in re.findall(r"^\[(\d+):\d+\] -A ", _run(f"{command}-save", "-c"), re.M)]


def _send(one: dict[str, Any], wire: socket.socket, raw: socket.socket) -> None:
    if one["chain"] == "OUTPUT":
        with contextlib.suppress(OSError):  # how the sender is told of a drop
            raw.sendto(_ip(one), (one["dst"], 0))
    else:
        mac = bytes(int(part, 16) for part in one["mac"].split(":"))
        wire.send(bytes([2, 0, 0, 0, 0, 0x0B]) + mac + b"\x08\x00" + _ip(one))


def main() -> None:
    """Do the whole job."""
    job = json.load(sys.stdin)
    for line in SETUP.strip().splitlines():
        _run(*line.split())
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("vA", 0x0800))
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    command, told = job["command"], []
    time.sleep(0.3)
    for one in job["sets"]:
        commands = ["nft", command] if "beside" in one else [command]
        for which in commands:  # what nft loads takes the place of all that iptables-nft loaded before
            _load(which, one["text"] if which == command else one["beside"])
        saved = [_saved(which) for which in commands]
        counts = [_counted(commands, packet, wire, raw) for packet in one["packets"]]
        sides = [{"saved": text, "counts": [packet[at] for packet in counts]} for at, text in enumerate(saved)]
        told.append({**sides[-1], "beside": sides[0]})
    json.dump(told, sys.stdout)


def _counted(commands: list[str], packet: dict[str, Any], wire: socket.socket, raw: socket.socket) -> list[list[int]]:
    """How often each rule of each command matched a packet that is sent."""
    before = [_counts(which) for which in commands]
    _send(packet, wire, raw)
    for _ in range(4):
        time.sleep(0.004)
        if (after := [_counts(which) for which in commands]) != before:
            break
    return [[b - a for a, b in zip(*pair, strict=True)] for pair in zip(before, after, strict=True)]


if __name__ == "__main__":
    main()
