"""A diagnosis across five hops of an estate of ten VPCs, beside one inside a vSwitch of it: one process, warm.

::

    i-3-4-7 ─ att-3 ─ att-0 ─ i-firewall ─ att-0 ─ att-7 ─ i-7-4-9
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.wide import make_wide
from netinsight.api import Net
from netinsight.model.topology import Topology

ENIS = 100_000
ENIS_OF_A_SMOKE_RUN = 1000
ROUNDS = 60
INSIDE = ("i-3-4-7", "i-3-4-9")
HOPS = ("i-3-4-7", "i-7-4-9")
OUT = ("i-3-4-7", "192.0.2.80")


def test_across_five_hops(benchmark: BenchmarkFixture, ratio: Callable[[str, float, float], None]) -> None:
    enis = ENIS if benchmark.enabled else ENIS_OF_A_SMOKE_RUN
    net = Net(Topology.model_validate(make_wide(enis)))
    pairs = (INSIDE, HOPS, OUT)
    answers = [net.diagnose(*pair, port=443) for pair in pairs]
    assert [answer.verdict.value for answer in answers] == ["reachable"] * 3
    hops = [stage.object.id for stage in answers[1].paths[0].forward if stage.stage in ("gateway", "appliance")]
    assert hops == ["att-3", "att-0", "eni-firewall", "att-0", "att-7"]
    best = [float("inf")] * 3
    benchmark.pedantic(lambda: net.diagnose(*HOPS, port=443), rounds=5)
    for _ in range(ROUNDS if benchmark.enabled else 0):  # in turn, so that a busy machine is busy for all of them
        for n, pair in enumerate(pairs):
            started = perf_counter()
            net.diagnose(*pair, port=443)
            best[n] = min(best[n], perf_counter() - started)
    if not benchmark.enabled:
        return
    ratio(f"{enis:,} ENIs, a diagnosis: across five hops / inside a vSwitch", best[1], best[0])
    ratio(f"{enis:,} ENIs, a diagnosis: out by firewall and NAT gateway / inside a vSwitch", best[2], best[0])
