"""ClassBench: its files of rules, lists like them made from a seed, headers for both, and DPDK's form of both."""

from __future__ import annotations

import lzma
import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from netinsight.addresses import V4_FIRST, Range
from netinsight.engine.classifier import V4Flows
from netinsight.engine.tables import AddressSets, Row, Table, halves
from netinsight.flow import PortRange

_LINE = re.compile(
    r"@([\d.]+)/(\d+)\s+([\d.]+)/(\d+)\s+(\d+) : (\d+)\s+(\d+) : (\d+)\s+0x([0-9a-fA-F]+)/0x([0-9a-fA-F]+)"
)
_PORTS = (20, 22, 25, 53, 80, 123, 161, 389, 443, 1433, 1521, 3306, 3389, 5060, 8080)
_LENGTHS = {
    "acl": (([0, 16, 21, 24, 27, 32], [6, 10, 10, 30, 14, 30]), ([0, 16, 24, 28, 32], [1, 4, 25, 20, 50])),
    "fw": (([0, 8, 16, 24, 28, 32], [25, 2, 8, 20, 20, 25]), ([0, 16, 24, 28, 32], [15, 10, 25, 25, 25])),
    "ipc": (([0, 16, 24, 28, 32], [6, 10, 34, 10, 40]), ([0, 16, 24, 28, 32], [6, 10, 34, 10, 40])),
}
"""Of the styles of lists how often prefixes of which length are sources, and destinations."""
_SOURCE_PORT_ANY = {"acl": 1.0, "fw": 0.75, "ipc": 0.85}


class Rule(NamedTuple):
    """A line: a prefix as its first address and its length, ports and protocol as first and last."""

    source: tuple[int, int]
    destination: tuple[int, int]
    source_ports: tuple[int, int]
    ports: tuple[int, int]
    protocol: tuple[int, int]


def read_rules(path: Path) -> list[Rule]:
    """The rules of a file, compressed by xz or not; flags, which no five-tuple has, are left out."""
    packed = path.read_bytes()
    text = (lzma.decompress(packed) if path.suffix == ".xz" else packed).decode()
    rules = []
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            raise ValueError(f"{path.name}: not a rule: {line!r}")
        source, s, destination, d, *ports = found.groups()[:8]
        protocol, mask = (int(number, 16) for number in found.groups()[8:])
        first, last, begin, end = map(int, ports)
        rules.append(
            Rule(
                _prefix(_number(source), int(s)), _prefix(_number(destination), int(d)), (first, last), (begin, end),
                (protocol, protocol) if mask else (0, 255),
            )
        )  # fmt: skip
    return rules


def make_rules(style: str, count: int, seed: int = 1) -> list[Rule]:
    """A list in a style (acl, fw, ipc) of ClassBench: hosts that many rules name, the narrow prefixes rather first."""
    draw = random.Random(seed)
    networks = [draw.randrange(1, 223) << 24 | draw.getrandbits(8) << 16 for _ in range(max(4, count // 1000))]
    hosts = [[draw.choice(networks) | draw.getrandbits(16) for _ in range(max(64, count // 3))] for _ in range(2)]
    made: dict[Rule, float] = {}
    while len(made) < count:
        ends = [
            _prefix(draw.choice(known), draw.choices(*lengths)[0])
            for known, lengths in zip(hosts, _LENGTHS[style], strict=True)
        ]
        any_source = draw.random() < _SOURCE_PORT_ANY[style]
        protocol = draw.choices([6, 17, 1, None], [75, 17, 3, 5])[0]
        rule = Rule(
            ends[0], ends[1], (0, 65535) if any_source else _ports(draw), _ports(draw) if draw.random() < 0.75 else (0, 65535),
            (0, 255) if protocol is None else (protocol, protocol),
        )  # fmt: skip
        made.setdefault(rule, -ends[0][1] - ends[1][1] + draw.random() * 12)
    return sorted(made, key=made.__getitem__)


def _ports(draw: random.Random) -> tuple[int, int]:
    port = draw.choice(_PORTS)
    return draw.choice([(port, port), (port, port), (1024, 65535), (6000, 6063)])


def _number(text: str) -> int:
    return int.from_bytes(bytes(map(int, text.split("."))), "big")


def _prefix(address: int, length: int) -> tuple[int, int]:
    return address >> (32 - length) << (32 - length), length


def bounds(rule: Rule) -> list[tuple[int, int]]:
    """First and last of source, destination, protocol, source port and port."""
    ends = [(first, first + (1 << (32 - length)) - 1) for first, length in rule[:2]]
    return [*ends, rule.protocol, rule.source_ports, rule.ports]


def table_of(rules: Iterable[Rule]) -> Table:
    """The rules as packed rows."""
    table = Table(AddressSets())
    for rule in rules:
        source, destination, protocol, source_ports, ports = bounds(rule)
        table.add(
            Row(
                *((Range(V4_FIRST + first, V4_FIRST + last),) for first, last in (source, destination)), protocol,
                PortRange(*source_ports), PortRange(*ports),
            )
        )  # fmt: skip
    return table


def make_headers(rules: list[Rule], count: int, seed: int = 2) -> V4Flows:
    """Headers of which nine of ten lie inside a rule, anywhere in it, and the others anywhere."""
    draw = np.random.default_rng(seed)
    held = np.array([bounds(rule) for rule in rules], dtype=np.int64)[draw.integers(0, len(rules), count)]
    points = held[..., 0] + (draw.random((count, 5)) * (held[..., 1] - held[..., 0] + 1)).astype(np.int64)
    free = draw.random(count) < 0.1
    points[free] = draw.integers(0, [1 << 32, 1 << 32, 256, 1 << 16, 1 << 16], (int(free.sum()), 5))
    columns = (
        points[:, n].astype(kind) for n, kind in enumerate((np.uint32, np.uint32, np.uint8, np.uint16, np.uint16))
    )
    return V4Flows(*map(np.ascontiguousarray, columns))


def on_the_line(flows: V4Flows) -> np.ndarray:
    """The headers as ``classify.first_matches`` takes them."""
    high, low = halves(V4_FIRST)
    both = np.full(len(flows.source), high)
    ends = [column.astype(np.int64) + low for column in flows[:2]]
    return np.column_stack([both, ends[0], both, ends[1], *(column.astype(np.int64) for column in flows[2:])])


def write_for_dpdk(rules: list[Rule], flows: V4Flows, folder: Path) -> tuple[Path, Path]:
    """The files of rules and of headers that ``dpdk-test-acl`` reads."""
    lines = []
    for rule in rules:
        (source, s), (destination, d) = rule[:2]
        one, other = (".".join(map(str, end.to_bytes(4, "big"))) for end in (source, destination))
        mask = "0xff" if rule.protocol[0] == rule.protocol[1] else "0x00"
        ports = "\t".join(f"{first} : {last}" for first, last in (rule.source_ports, rule.ports))
        lines.append(f"@{one}/{s}\t{other}/{d}\t{ports}\t0x{rule.protocol[0]:02x}/{mask}\n")
    (folder / "rules").write_text("".join(lines))
    columns = [flows.source, flows.destination, flows.source_port, flows.port, flows.protocol]
    np.savetxt(folder / "headers", np.column_stack([column.astype(np.int64) for column in columns]), "%d", "\t")
    return folder / "rules", folder / "headers"
