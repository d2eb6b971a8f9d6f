"""First match: many flows compiled, beside plain Python, beside the linear scan, beside DPDK's rte_acl on the same core."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import geometric_mean
from subprocess import TimeoutExpired
from time import perf_counter

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.classbench import Rule, make_headers, make_rules, on_the_line, read_rules, table_of, write_for_dpdk
from benchmarks.dpdk import ALGORITHMS, TOOL, answers, rate
from netinsight.addresses import V4_FIRST, Range
from netinsight.engine import classify
from netinsight.engine.classifier import Classifier, V4Flows
from netinsight.engine.classify import first_match, first_matches
from netinsight.engine.tables import AddressSets, Row, Table, halves
from netinsight.flow import PortRange
from tests.shared_data import SHARED


def make_table(rules: int, seed: int = 1) -> Table:
    """Rules over random prefixes and ports, with a last row that drops the rest."""
    draw, table = random.Random(seed), Table(AddressSets())
    for _ in range(rules):
        length = draw.choice([8, 16, 24, 32])
        first = V4_FIRST + (draw.getrandbits(32) >> (32 - length) << (32 - length))
        port = draw.randint(1, 65000)
        source = (Range(first, first + (1 << (32 - length)) - 1),)
        table.add(
            Row(
                source,
                protocol=(6, 6),
                ports=PortRange(port, port + draw.choice([0, 10, 500])),
                accepts=draw.random() < 0.7,
            )
        )
    table.add(Row())
    return table


def make_flows(count: int, seed: int = 2) -> list[tuple[int, int, int, int, int]]:
    """Random five-tuples: source, destination, protocol, source port, port."""
    draw = random.Random(seed)
    return [
        (
            V4_FIRST + draw.getrandbits(32),
            V4_FIRST + draw.getrandbits(32),
            6,
            draw.randint(1024, 65535),
            draw.randint(1, 65535),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("rules", [10, 100])
def test_many_flows_compiled(
    benchmark: BenchmarkFixture, ratio: Callable[[str, float, float], None], rules: int
) -> None:
    table, flows = make_table(rules), make_flows(20_000)
    packed = np.array([[*halves(s), *halves(d), p, sp, dp] for s, d, p, sp, dp in flows], dtype=np.int64)
    found = benchmark(first_matches, table, packed)
    started = perf_counter()
    plain = [first_match(table, *flow) for flow in flows[:500]]
    plain_rate = (perf_counter() - started) / 500
    assert found[:500].tolist() == plain
    if benchmark.stats:
        ratio(f"one flow in plain Python / compiled, {rules} rules", plain_rate, benchmark.stats.stats.min / len(flows))


SETS = [f"{style}1_{size}" for size in (1000, 10_000, 100_000) for style in ("acl", "fw", "ipc")]
"""Of ClassBench; where its files are not there, lists of these styles and sizes are made."""
SMALL = [f"{style} {size}" for size in (50, 100, 200) for style in ("acl", "fw", "ipc")]
SCANNED = 200_000_000
"""Rows times headers of which the linear scan is timed and asked; rte_acl is asked all."""
ITERATIONS = 10
_TO_DPDK: dict[str, list[float]] = {}


def rules_of(name: str) -> list[Rule]:
    """A set of ClassBench, or a list that is made."""
    path = SHARED / "classbench" / f"{name}.xz"
    if path.exists():
        return read_rules(path)
    style, size = name.replace("1_", " ").split()
    return make_rules(style, int(size))


def best_rate(work: Callable[[], object], count: int, rounds: int = 5) -> float:
    spent = []
    for _ in range(rounds):
        begun = perf_counter()
        work()
        spent.append(perf_counter() - begun)
    return count / min(spent)


def own_rate(one: Classifier, flows: V4Flows) -> float:
    """As DPDK's tool takes its own: all iterations together."""
    begun = perf_counter()
    for _ in range(ITERATIONS):
        one.match(flows)
    return ITERATIONS * len(flows.source) / (perf_counter() - begun)


@pytest.fixture
def core() -> Iterator[int]:
    """One core for this process and for DPDK in turn."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    yield max(allowed)
    os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize("name", SMALL + SETS)
def test_a_list_classified(
    ratio: Callable[[str, float, float], None], request: pytest.FixtureRequest, tmp_path: Path, core: int, name: str
) -> None:
    smoke = request.config.getoption("benchmark_disable")
    if smoke and name.endswith("00000"):
        pytest.skip("100k rules are for the benchmark only")
    rules = rules_of(name)
    table, flows = table_of(rules), make_headers(rules, 2_000 if smoke else 200_000)
    count = len(flows.source)
    Classifier.build(table)  # its kernels are compiled
    one = Classifier.build(table)
    assert one is not None
    found = one.match(flows)
    line = on_the_line(flows)
    assert (one.match(line) == found).all()
    asked = min(count, SCANNED // 10 // len(rules) if smoke else SCANNED // len(rules))
    begun = perf_counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classify, "SCANNED", 1 << 60)
        assert (first_matches(table, line[:asked]) == found[:asked]).all()
    scan = asked / (perf_counter() - begun)
    if not smoke:
        mine = best_rate(lambda: one.match(flows), count)
        size = f"{one.seconds * 1000:.0f} ms to build, {one.bytes / 1e6:.1f} MB"
        ratio(f"{name} ({len(rules)} rules, {one.kind}, {size}): classified / scanned", mine, scan)
        ratio(f"{name}: (n, 7) integers / columns", best_rate(lambda: one.match(line), count), mine)
    if TOOL is None:
        pytest.skip("dpdk-test-acl is not installed (Debian package dpdk)")
    _beside_dpdk(ratio, name, rules, flows, one, core, tmp_path, smoke)


def _beside_dpdk(
    ratio: Callable[[str, float, float], None], name: str, rules: list[Rule], flows: V4Flows, one: Classifier, core: int,
    folder: Path, smoke: bool,
) -> None:  # fmt: skip
    """Rates in turn, the best of as many rounds for us and for each of its algorithms; every answer compared."""
    files, count = write_for_dpdk(rules, flows, folder), len(flows.source)
    try:
        assert (answers(*files, count, core) == one.match(flows)).all()
    except TimeoutExpired:
        pytest.skip("rte_acl does not build this list in two minutes")
    if smoke:
        return
    theirs, ours = dict.fromkeys(ALGORITHMS, 0.0), 0.0
    for _ in range(2 if len(rules) > 50_000 else 5):  # they build the list each time
        for algorithm in [each for each, known in theirs.items() if known or not ours]:
            theirs[algorithm] = max(theirs[algorithm], rate(*files, count, algorithm, ITERATIONS, core))
        ours = max(ours, own_rate(one, flows))
    best = max(theirs, key=theirs.__getitem__)
    ratio(f"{name}: classified ({ours / 1e6:.1f} M/s) / rte_acl {best} ({theirs[best] / 1e6:.1f} M/s)",
          ours, theirs[best])  # fmt: skip
    sort = "up to 200 rules" if name in SMALL else "100k rules" if name.endswith("_100000") else "1k and 10k rules"
    _TO_DPDK.setdefault(sort, []).append(ours / theirs[best])


def test_the_geometric_mean(ratio: Callable[[str, float, float], None]) -> None:
    if not _TO_DPDK:
        pytest.skip("nothing was compared with dpdk-test-acl")
    for sort, ratios in _TO_DPDK.items():
        assert all(one > 0 for one in ratios)
        ratio(f"classified / rte_acl, geometric mean of {len(ratios)} lists of {sort}", geometric_mean(ratios), 1.0)
