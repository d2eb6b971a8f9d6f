"""``netinsight guest route``: where a guest's routes send packets."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from netinsight.addresses import text
from netinsight.cli.output import remark, write
from netinsight.errors import ExitStatus, InputError, Problem, QuestionError
from netinsight.guest.packets import Found, Packet, Settings
from netinsight.guest.rows import NextHop
from netinsight.sources.packets_file import read_packets
from netinsight.sources.routing_files import read_routing_files


def run(arguments: argparse.Namespace) -> int:
    """Look every packet up; returns the exit status."""
    if arguments.routing == arguments.packets == "-":
        raise QuestionError("the routes and the packets cannot both be standard input")
    accept = None if arguments.accept_local is None else arguments.accept_local == "1"
    settings = Settings(not arguments.no_forwarding, arguments.ignore_linkdown, accept_local=accept)
    problems: list[Problem] = []
    read: list[Any] = []
    for reader in (lambda: read_routing_files(arguments.routing, settings), lambda: read_packets(arguments.packets)):
        try:
            read.append(reader())
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    (routing, unread), packets = read
    remark(unread)
    tell = _as_json if arguments.output == "jsonl" else _as_text
    write("".join(tell(packet, routing.look_up(**asdict(packet))) + "\n" for packet in packets), arguments.to)
    return ExitStatus.REACHABLE


def _as_json(packet: Packet, found: Found) -> str:
    several = found.next_hops if len(found.next_hops) > 1 else ()
    # of what no table decided `ip route get` says `main`; that none did is told by route_line
    table = found.table or (None if found.type in ("none", "martian") or found.rule_line else "main")
    told = {
        "type": found.type,
        "nexthops": [{"interface": one.interface or None, "gateway": _address(one.gateway), "weight": one.weight}
                     for one in several],
        "interface": found.interface or None,
        "gateway": _address(found.gateway),
        "source": _address(found.source),
        "table": table,
        "rule_priority": found.rule_priority,
        "rule_line": found.rule_line,
        "route_line": found.route_line,
        "route_from": None if found.route_line is None else "addresses" if found.route_is_made else "routes",
        "reason": found.reason or None,
        "doubts": list(found.doubts),
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False)


def _address(value: int | None) -> str | None:
    return None if value is None else text(value)


def _as_text(packet: Packet, found: Found) -> str:
    asked = [text(packet.destination)]
    asked += [f"from {text(packet.source)}"] if packet.source is not None else []
    asked += [f"in {packet.in_interface}"] if packet.in_interface else []
    asked += [f"out {packet.out_interface}"] if packet.out_interface else []
    asked += [f"mark {packet.mark:#x}"] if packet.mark else []
    lines = [f"{' '.join(asked)}: {found.type}{_way(found)}"]
    if found.rule_priority is not None:
        line = f" (line {found.rule_line})" if found.rule_line else ""
        lines.append(f"    rule {found.rule_priority}{line}")
    if found.table:
        of = "addresses" if found.route_is_made else "routes"
        lines.append(
            f"    table {found.table}" + (f" (line {found.route_line} of the {of})" if found.route_line else "")
        )
    if len(found.next_hops) > 1:
        lines += [f"    one of: {_hop(one)}" for one in found.next_hops]
    lines += [f"    {found.reason}"] if found.reason else []
    lines += [f"    not certain: {doubt}" for doubt in found.doubts]
    return "\n".join(lines)


def _way(found: Found) -> str:
    words = f" by {found.interface}" if found.interface else ""
    words += f" to {text(found.gateway)}" if found.gateway is not None else ""
    return words + (f", source {text(found.source)}" if found.source is not None else "")


def _hop(hop: NextHop) -> str:
    gateway = f" to {text(hop.gateway)}" if hop.gateway is not None else ""
    return f"{hop.interface}{gateway}, weight {hop.weight}"
