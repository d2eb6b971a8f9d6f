"""What the tests of the guest's firewall share."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from netinsight.addresses import parse_address
from netinsight.cli import run
from netinsight.engine.spaces import Box
from netinsight.flow import PortRange
from netinsight.guest.iptables import Packet
from netinsight.guest.iptables.names import FLAGS, PROTOCOLS


def port(number: int) -> PortRange:
    return PortRange(number, number)


def packet(chain: str = "INPUT", src: str = "10.0.0.1", dst: str = "10.0.0.2", **more: Any) -> Packet:
    """A packet in short: ``sport`` and ``dport`` as numbers, ``protocol`` and ``flags`` by name."""
    ports = Box(port(more.pop("sport", 40000)), port(more.pop("dport", 80)))
    protocol = PROTOCOLS[more.pop("protocol", "tcp")]
    if protocol not in (6, 17, 132):
        ports = Box(port(0), port(0))
    if (flags := more.pop("flags", None)) is not None:
        more["tcp_flags"] = sum(FLAGS[name] for name in flags.split(",") if name)
    more.setdefault("ports", ports)
    return Packet(chain, parse_address(src), parse_address(dst), protocol, **more)


def table(*rules: str, name: str = "filter", policies: str = "INPUT ACCEPT") -> str:
    """A file of one table; chains are declared as they are named."""
    chains = dict(line.split() for line in policies.split(";"))
    for rule in rules:
        chains.setdefault(rule.split()[1], "ACCEPT" if rule.split()[1].isupper() and len(rule.split()[1]) > 3 else "-")
    declared = [f":{chain} {policy} [0:0]" for chain, policy in chains.items()]
    return "\n".join([f"*{name}", *declared, *rules, "COMMIT", ""])


def runs_as_shown(page: Path, rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page's command prints what the page shows, of its rules and packets in files of the folder it runs in."""
    text = page.read_text(encoding="utf-8")
    written, packets, shown = re.findall(r"^```(?:text|json)\n(.*?)^```", text, re.M | re.S)
    (command,) = re.findall(r"^`netinsight (guest firewall .*?)`", text, re.M)
    rules.write_text(written)
    Path("packets.jsonl").write_text(packets)
    assert run(command.split()) == 0
    assert capsys.readouterr().out == shown


def loadable(text: str, dropped: list[str], wanted: tuple[str, ...] = ("filter",)) -> str:
    """What of a file the kernel was given: prose and refused lines out, the sections of a table as one."""
    tables: dict[str, list[str]] = defaultdict(list)
    now = ""
    for line in map(str.rstrip, text.split("\n")):
        if line.startswith("*"):
            now = line[1:]
        elif line == "COMMIT":
            now = ""
        elif now and line and not line.startswith("#"):
            declared = line.startswith(":") and line.split()[0] in [one.split()[0] for one in tables[now]]
            if not declared and not any(line in one for one in dropped if line.startswith("-")):
                tables[now].append(line)
    return "".join(f"*{name}\n" + "\n".join([*lines, "COMMIT", ""]) for name, lines in tables.items() if name in wanted)
