"""First match: many flows compiled, beside the same rows walked by plain Python one flow at a time."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import perf_counter

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from netinsight.addresses import V4_FIRST, Range
from netinsight.engine.classify import first_match, first_matches
from netinsight.engine.tables import AddressSets, Row, Table, halves
from netinsight.flow import PortRange


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
