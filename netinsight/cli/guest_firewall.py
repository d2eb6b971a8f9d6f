"""``netinsight guest firewall``: packets judged by the rules of iptables-save or nftables, or of a Windows firewall."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from netinsight.addresses import family, text
from netinsight.cli.output import wants_colour, write
from netinsight.errors import ExitStatus, InputError, Problem, QuestionError, visible
from netinsight.guest.iptables import Firewall, Judgement, Packet, family_of, read_firewall
from netinsight.guest.iptables.names import FLAGS, PROTOCOLS, WITH_PORTS
from netinsight.guest.nftables import Ruleset, is_ruleset
from netinsight.guest.windows_firewall import WindowsFirewall, is_windows_firewall
from netinsight.render.layout import Paint
from netinsight.sources.files import STDIN, read_text
from netinsight.sources.firewall_packets_file import Asked, read_packets
from netinsight.sources.guest_output import refuse_output
from netinsight.sources.nftables_file import read_nftables
from netinsight.sources.windows_firewall_file import read_windows_firewall

Read = TypeVar("Read")
Judging = Firewall | Ruleset | WindowsFirewall
MANY = 1000
"""From so many packets on they are judged together; fewer are walked before the compiled kernels are loaded."""


def run(arguments: argparse.Namespace) -> int:
    """Judge every packet; returns the exit status."""
    sources = [arguments.file, arguments.packets, arguments.ipsets]
    if sources.count("-") > 1:
        raise QuestionError("only one of FILE, --packets and --ipsets can be standard input")
    file, packets, ipsets = (STDIN if source == "-" else source for source in sources)
    problems: list[Problem] = []
    rules, lines = _tried(lambda: read_text(file), problems), _tried(lambda: read_text(packets), problems)
    sets = _tried(lambda: read_text(ipsets), problems) if ipsets else None
    windows = rules is not None and is_windows_firewall(rules)
    nftables = rules is not None and not windows and is_ruleset(rules)
    if (windows or nftables) and ipsets:
        raise QuestionError("--ipsets goes with the rules of iptables")
    if nftables and arguments.family:
        raise QuestionError("--family goes with the rules of iptables; those of nftables are of both")
    of_family = arguments.family or (None if windows or nftables else family_of(rules) if rules else 4)
    firewall: Judging | None = None
    asked = None
    if rules is not None and windows:
        firewall = _tried(lambda: read_windows_firewall(rules, file), problems)
    elif rules is not None and nftables:
        firewall = _tried(lambda: read_nftables(rules, file), problems)
    elif rules is not None and not (ipsets and sets is None):
        firewall = _tried(lambda: _iptables(rules, of_family or 4, file, sets, ipsets or ""), problems)
    if lines is not None:
        asked = _tried(lambda: read_packets(lines, packets, of_family), problems)
    if problems or firewall is None or asked is None:
        raise InputError(problems)
    drawn = _Drawn(Paint(wants_colour(arguments)))
    form = drawn if arguments.output == "text" else _nftables_as_json if isinstance(firewall, Ruleset) else _as_json
    write("".join(_judged(firewall, asked, form)), arguments.to)
    return ExitStatus.REACHABLE


def _iptables(rules: str, of_family: int, file: str, sets: str | None, ipsets: str) -> Firewall:
    refuse_output(rules, file, "its rules")
    return read_firewall(rules, family=of_family, ipsets=sets, file=file, ipsets_file=ipsets)


def _tried(read: Callable[[], Read], problems: list[Problem]) -> Read | None:
    try:
        return read()
    except InputError as error:
        problems += error.problems
        return None


def _judged(firewall: Judging, asked: list[Asked], form: Callable[[Asked, Judgement], str]) -> Iterator[str]:
    if isinstance(firewall, (Ruleset, WindowsFirewall)):
        judged: Iterable[Judgement] = (firewall.judge(one.packet) for one in asked)
    elif len(asked) < MANY:
        judged = (firewall.judge(one.packet, one.tables) for one in asked)
    else:
        from netinsight.guest.iptables.compiled import judge_all  # it loads numba

        judged = judge_all(firewall, [(one.packet, one.tables) for one in asked])
    yield from map(form, asked, judged)


def _as_json(asked: Asked, judgement: Judgement) -> str:
    told: dict[str, Any] = {
        "verdict": judgement.verdict,
        "rule": judgement.rule,
        "line": judgement.line,
        "trace": list(judgement.trace),
        "assumptions": list(judgement.assumptions),
    }
    if judgement.reject_with:
        told["reject_with"] = judgement.reject_with
    return json.dumps(told, ensure_ascii=False) + "\n"


def _nftables_as_json(asked: Asked, judgement: Judgement) -> str:
    """A rule says nothing of its chain: its place stands beside it."""
    places = (f"{chain} handle {handle}: " for _, chain, handle in judgement.places)
    trace = tuple(place + rule for place, rule in zip(places, judgement.trace, strict=True))
    told = json.loads(_as_json(asked, replace(judgement, trace=trace)))
    head = {"verdict": told.pop("verdict"), "rule": told.pop("rule"), "place": judgement.place}
    return json.dumps(head | told, ensure_ascii=False) + "\n"


class _Drawn:
    """A packet's walk through the chains as text."""

    def __init__(self, paint: Paint) -> None:
        self.paint = paint

    def __call__(self, asked: Asked, judgement: Judgement) -> str:
        """The packet, each rule that matched under the chain it stands in, and what decided."""
        lines = [_packet_text(asked.packet)]
        lines += self._walk(judgement)
        rule = f"policy of {judgement.chain}" if judgement.rule == "policy" and judgement.chain else judgement.rule
        where = f"{judgement.place}: " if judgement.handle else f"line {judgement.line}: " if judgement.line else ""
        reply = f" with {judgement.reject_with}" if judgement.reject_with else ""
        lines.append(f"  {judgement.verdict}{reply}  {where}{visible(rule, 400)}")
        lines += [f"  assumed: {visible(one, 500)}" for one in judgement.assumptions]
        return "\n".join(lines) + "\n\n"

    def _walk(self, judgement: Judgement) -> Iterator[str]:
        table, open_chains = "", list[str]()
        for rule, (of_table, chain, line) in zip(judgement.trace, judgement.places, strict=True):
            if of_table not in ("", table):
                table, open_chains = of_table, []
                yield f"  {table}"
            if chain in open_chains:
                del open_chains[open_chains.index(chain) + 1 :]
            else:
                open_chains.append(chain)
            yield f"  {'│ ' * len(open_chains)}{line:>5}  {visible(rule, 400)}"


def _packet_text(packet: Packet) -> str:
    names = {number: name for name, number in reversed(PROTOCOLS.items())}
    source, target = text(packet.source), text(packet.destination)
    if packet.protocol in WITH_PORTS:
        six = family(packet.source) == 6
        source, target = (f"[{one}]" if six else one for one in (source, target))
        boxes = (packet.ports.source_ports, packet.ports.ports)
        source, target = (f"{one}:{ports}" for one, ports in zip((source, target), boxes, strict=True))
    words = [packet.chain, names.get(packet.protocol, str(packet.protocol)), source, "→", target]
    if packet.tcp_flags is not None and packet.protocol == PROTOCOLS["tcp"]:
        words.append(
            ",".join(name for name, bit in FLAGS.items() if bit in (1, 2, 4, 8, 16, 32) and packet.tcp_flags & bit)
        )
    if packet.icmp_type is not None:
        words.append(f"type {packet.icmp_type}" + (f"/{packet.icmp_code}" if packet.icmp_code is not None else ""))
    words += [f"in {packet.in_interface}"] if packet.in_interface else []
    words += [f"out {packet.out_interface}"] if packet.out_interface else []
    return " ".join(visible(word) for word in [*words, packet.conntrack()] if word)
