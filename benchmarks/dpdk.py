"""DPDK's ``dpdk-test-acl`` (Debian package dpdk), the anchor for first matches: its rate on one core, and its answers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np

TOOL = shutil.which("dpdk-test-acl")
ALGORITHMS = ("scalar", "sse", "avx2", "avx512x16", "avx512x32")
_NONE = 0xFFFFFFFF


def run(rules: Path, headers: Path, count: int, algorithm: str, rounds: int, core: int, *, told: bool = False) -> str:
    """What the tool prints; with ``told`` the result for each header too."""
    assert TOOL
    done = subprocess.run(
        [
            "stdbuf", "-oL", TOOL, "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "--force-max-simd-bitwidth=512",
            "-m", "6144", "-l", str(core), "--", f"--rulesf={rules}", f"--tracef={headers}", f"--tracenum={count}",
            "--rulenum=131072",
            f"--iter={rounds}", "--tracestep=256", "--bldcat=1", "--runcat=1", f"--alg={algorithm}",
            f"--verbose={3 if told else 0}",
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout if told else done.stdout + done.stderr  # it may crash as it ends: stdbuf keeps what was printed


def rate(rules: Path, headers: Path, count: int, algorithm: str, rounds: int, core: int) -> float:
    """Look-ups a second; 0 where the processor lacks what the algorithm needs."""
    try:
        found = re.search(r"([\d.]+) pkt/sec", run(rules, headers, count, algorithm, rounds, core))
    except subprocess.TimeoutExpired:
        return 0.0
    return float(found.group(1)) if found else 0.0


def answers(rules: Path, headers: Path, count: int, core: int) -> np.ndarray:
    """The row of each header by its plainest algorithm, -1 where none matches."""
    printed = run(rules, headers, count, "scalar", 1, core, told=True)
    results = [int(row) for row in re.findall(r"category: 0, result: (\d+)", printed)]
    assert len(results) == count
    return np.array([-1 if row == _NONE else row for row in results], dtype=np.int64)
