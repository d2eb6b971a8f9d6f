"""The Windows firewall is judged as the documentation tells, packet by packet, and a box as each of its ports."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from netinsight.engine.spaces import Box
from netinsight.flow import EVERY_PORT, PortRange
from netinsight.sources.windows_firewall_file import read_windows_firewall
from tests.guest import windows_firewall_drawn as drawn
from tests.guest import windows_firewall_oracle as oracle
from tests.guest.windows_firewall_export import export, packet

PACKETS = 12


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 10**9))
def test_every_packet_is_judged_as_the_documentation_tells(seed: int) -> None:
    random = Random(seed)
    machine = drawn.machine(random)
    text = export(machine, random)
    firewall = read_windows_firewall(text)
    for _ in range(PACKETS):
        asked = drawn.asked(random, machine)
        judged = firewall.judge(packet(asked))
        assert judged.verdict == oracle.verdict(machine, asked), (asked, text)
        every, _ = oracle.outcomes(machine, asked)
        assert (len(every) == 1) == (not judged.assumptions), (asked, text, judged.assumptions)
        told = {word for note in judged.assumptions for word in re.findall(r"; otherwise (\w+)$", note)}
        assert told - {"UNKNOWN"} <= every - {judged.verdict}, (asked, text, judged.assumptions)
        assert told or judged.verdict == "UNKNOWN" or len(every) == 1


def test_what_is_drawn_has_every_verdict_and_kind_of_rule() -> None:
    seen: Counter[str] = Counter()
    for seed in range(120):
        random = Random(seed)
        machine = drawn.machine(random)
        seen.update(rule.action for rule in machine.rules)
        firewall = read_windows_firewall(export(machine, random))
        seen.update((firewall.judge(packet(drawn.asked(random, machine))).rule == "policy" and "policy") or "rule"
                    for _ in range(3))  # fmt: skip
        seen.update(oracle.verdict(machine, drawn.asked(random, machine)) for _ in range(3))
    assert min(seen[word] for word in ("Allow", "Block", "Bypass", "ACCEPT", "DROP", "UNKNOWN", "policy", "rule")) > 20


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**9))
def test_every_port_is_judged_as_its_region(seed: int) -> None:
    random = Random(seed)
    machine = drawn.machine(random)
    firewall = read_windows_firewall(export(machine, random))
    asked = replace(drawn.asked(random, machine), protocol=random.choice([oracle.TCP, oracle.UDP]))
    whole = random.choice([Box(EVERY_PORT, EVERY_PORT), Box(EVERY_PORT, PortRange(22, 5000))])
    regions = firewall.regions(replace(packet(asked), ports=whole))
    assert sum(_area(box) for box, _ in regions) == _area(whole)
    corners = [(s, p) for box, _ in regions for s in box.source_ports for p in box.ports]
    for source, port in random.sample(corners, min(25, len(corners))):
        (held,) = [judgement for box, judgement in regions if _holds(box, source, port)]
        point = replace(asked, source_port=source, port=port)
        assert held == firewall.judge(packet(point))
        assert held.verdict == oracle.verdict(machine, point)


def _area(box: Box) -> int:
    return (box.source_ports.last - box.source_ports.first + 1) * (box.ports.last - box.ports.first + 1)


def _holds(box: Box, source: int, port: int) -> bool:
    return box.source_ports.first <= source <= box.source_ports.last and box.ports.first <= port <= box.ports.last
