"""Reading and asking a big topology (10,000 ENIs, 2,000 groups) in a process of its own, with its peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.estate import write

ENIS, GROUPS = 10_000, 2_000
QUESTION = """
import json, sys
from netinsight.api import load
net = load(sys.argv[1])
first, *_, last = net.topology.instances
print(net.diagnose(first, last, port=443).verdict.value)
try:
    import resource
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
except ImportError:
    print(0)
"""
PARSE = {
    "json": "import json, sys; json.load(open(sys.argv[1], encoding='utf-8'))",
    "yaml": "import sys, yaml; yaml.load(open(sys.argv[1], encoding='utf-8'), Loader=yaml.CSafeLoader)",
}
"""What the standard or the usual reader needs for the bare values."""


def run(code: str, path: Path) -> tuple[float, str]:
    """Seconds that a piece of Python takes on a file, and what it prints."""
    started = perf_counter()
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})  # fmt: skip
    return perf_counter() - started, done.stdout


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_big_topology_is_read_and_asked(
    benchmark: BenchmarkFixture, ratio: Callable[[str, float, float], None], form: str, tmp_path: Path
) -> None:
    path = tmp_path / f"estate.{form}"
    path.write_text(write(ENIS, GROUPS, 1, form, str(path)), encoding="utf-8")
    anchor: list[float] = []
    memory: list[int] = []

    def before() -> None:
        anchor.append(run(PARSE[form], path)[0])

    def ask() -> None:
        verdict, peak = run(QUESTION, path)[1].split()
        assert verdict in ("reachable", "unreachable", "partial", "undetermined")
        memory.append(int(peak))

    benchmark.pedantic(ask, setup=before, rounds=3)
    if benchmark.stats:
        ratio(f"load and diagnose {ENIS} ENIs, {form}: / bare parse", benchmark.stats.stats.min, min(anchor))
        ratio(f"peak memory of it, {form}: / the file", max(memory) * 1024, path.stat().st_size)
