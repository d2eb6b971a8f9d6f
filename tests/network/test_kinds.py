"""Which flows between ENIs no list tells apart."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from netinsight.api import Net
from netinsight.engine import compiled as compiled_module
from netinsight.model.topology import Topology
from netinsight.network import inside
from netinsight.network.kinds import distinct


def test_distinct_rows_are_the_first_of_each_kind_whatever_the_numbers() -> None:
    draw = np.random.default_rng(1)
    large = [-(1 << 40), 0, 1 << 40]
    columns = [draw.choice(large, 500), draw.integers(-3, 3, 500), draw.choice(large, 500), draw.choice(large, 500)]
    first, which = distinct(columns)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    assert [rows[first[kind]] for kind in which] == rows
    assert len(first) == len(set(rows)) > 100
    assert all(rows.index(rows[one]) == one for one in first.tolist())
    assert [len(one) for one in distinct([np.array([], dtype=np.int64)])] == [0, 0]


def topology() -> Topology:
    """Two groups of ten each; a rule of the second names five of the first by their block, on a range of ports."""
    rules = [{"direction": "ingress", "protocol": "tcp", "ports": "8000/8009", "source": "10.0.1.0/29"}, {
              "direction": "ingress", "policy": "drop", "protocol": "tcp", "ports": "8005/8005",
              "source": "10.0.1.3"}]  # fmt: skip
    enis = {f"i-{group}{n}": {"network_interfaces": {f"eni-{group}{n}": {
        "vswitch": f"vsw-{group}", "ip": f"10.0.{group}.{n}", "security_groups": [f"sg-{group}"]}}}
        for group in (1, 2) for n in range(3, 13)}  # fmt: skip
    described: dict[str, Any] = {
        "vpcs": {"v": {"cidrs": ["10.0.0.0/16"]}},
        "vswitches": {f"vsw-{n}": {"vpc": "v", "cidr": f"10.0.{n}.0/24"} for n in (1, 2)},
        "security_groups": {"sg-1": {"vpc": "v"}, "sg-2": {"vpc": "v", "rules": rules}},
        "instances": enis,
    }
    return Topology.model_validate(described)


def test_flows_that_no_list_tells_apart_are_decided_once(monkeypatch: Any) -> None:
    """All pairs on eleven ports: what the kernel is asked is far less, and what is said of each flow is its own."""
    asked, real = [], compiled_module.compiled()

    class Counting:
        first_for_box = real.first_for_box

        @staticmethod
        def inside_flows(*words: Any) -> None:
            asked.append(words[-3])
            real.inside_flows(*words)

    monkeypatch.setattr(inside, "compiled", Counting)
    net = Net(topology())
    pairs = itertools.product(range(3, 13), range(3, 13), range(7999, 8011))
    flows = [(f"i-1{a}", f"i-2{b}", port) for a, b, port in pairs]
    found = net.evaluate(dict(zip(("src", "dst", "port"), map(list, zip(*flows, strict=True)), strict=True)))
    # ENIs: 10.0.1.3, the others of the block, the rest; ports: below, 8000-8004, 8005, 8006-8009, above
    assert asked == [3 * 5]
    for (source, destination, port), verdict, blamed in zip(flows, found.verdict, found.object, strict=True):
        in_block, address = int(source[3:]) <= 7, int(source[3:])
        passes = in_block and 8000 <= port <= 8009 and not (address == 3 and port == 8005)
        assert verdict == ("reachable" if passes else "unreachable"), (source, port)
        assert blamed == ("" if passes else f"eni-{destination[2:]}")
