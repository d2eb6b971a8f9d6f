"""Many flows through a topology as arrays, beside the plain oracle of the tests one flow at a time."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import perf_counter

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.estate import make_estate
from netinsight.api import Net
from netinsight.model.instance import InstanceStatus
from netinsight.model.topology import Topology
from tests import oracle

FLOWS = 100_000
BY_THE_ORACLE = 40
"""The oracle is asked these few; it takes as long for each of the others."""
PORTS = (22, 80, 443, 3306, 6379, 8080, 9100)

Columns = dict[str, list[str] | list[int]]


def make_flows(topology: Topology, count: int, seed: int = 3) -> Columns:
    """Random flows inside VPCs, from fixed client ports."""
    draw, homes = random.Random(seed), {}
    for name, instance in topology.instances.items():
        if instance.status is not InstanceStatus.RUNNING:  # no question to the oracle
            continue
        eni = next(iter(instance.network_interfaces.values()))
        homes.setdefault(topology.vswitches[eni.vswitch].vpc, []).append(name)
    flows: Columns = {"src": [], "dst": [], "port": [], "source_port": []}
    for _ in range(count):
        source, destination = draw.sample(draw.choice(list(homes.values())), 2)
        for column, value in zip(flows, (source, destination, draw.choice(PORTS), 40000), strict=True):
            flows[column].append(value)  # type: ignore[arg-type]
    return flows


@pytest.mark.parametrize("enis", [60, 500])
def test_flows_through_a_topology(
    benchmark: BenchmarkFixture, ratio: Callable[[str, float, float], None], enis: int
) -> None:
    topology = Topology.model_validate(make_estate(enis, max(24, enis // 5), 1))
    net, flows = Net(topology), make_flows(topology, FLOWS)
    found = benchmark.pedantic(net.evaluate, (flows,), rounds=5, warmup_rounds=1)
    spent = 0.0
    for row in range(BY_THE_ORACLE):
        started = perf_counter()
        said = oracle.diagnose(topology, flows["src"][row], flows["dst"][row], 6, 40000, flows["port"][row])  # type: ignore[arg-type]
        spent += perf_counter() - started
        stopped_by_the_network = found.item[row] in {item for item, _ in said.blockers}
        assert (found.verdict[row] == said.verdict) or not said.blockers or stopped_by_the_network
    if benchmark.stats:
        rate, plain = FLOWS / benchmark.stats.stats.min, BY_THE_ORACLE / spent
        ratio(f"flows a second, {enis} ENIs: evaluate / plain oracle", rate, plain)
