"""The whole command, cold, beside an interpreter that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from pytest_benchmark.fixture import BenchmarkFixture

ROOT = Path(__file__).parent.parent
DIAGNOSE = [
    sys.executable,
    "-m",
    "netinsight",
    "diagnose",
    "topologies/two-tier.yaml",
    "--src",
    "i-web",
    "--dst",
    "i-db",
    "--port",
    "3306",
]

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""As an installed command runs: with its byte code kept."""


def run(command: list[str]) -> float:
    """Seconds that a command takes."""
    started = perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    return perf_counter() - started


def test_a_cold_diagnosis(benchmark: BenchmarkFixture, ratio: Callable[[str, float, float], None]) -> None:
    nothing: list[float] = []

    def alternate() -> None:
        run(DIAGNOSE)

    def before() -> None:
        nothing.append(run([sys.executable, "-c", "pass"]))

    benchmark.pedantic(alternate, setup=before, rounds=15, warmup_rounds=1)
    assert nothing
    if benchmark.stats:
        ratio("cold diagnose / python -c pass", benchmark.stats.stats.min, min(nothing))
