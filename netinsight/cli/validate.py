"""``netinsight validate``: everything that is wrong with a topology."""

from __future__ import annotations

import argparse
import sys
from time import perf_counter

from netinsight.cli.output import remark, write
from netinsight.errors import ExitStatus
from netinsight.model.topology import SECTIONS, count_of
from netinsight.sources.topology_file import read_topology


def run(arguments: argparse.Namespace) -> int:
    """Read a topology and tell its problems."""
    started = perf_counter()
    topology, warnings = read_topology(arguments.topology)
    if not arguments.quiet:
        remark(warnings)
    if arguments.verbose:
        print(f"read in {(perf_counter() - started) * 1000:.0f} ms", file=sys.stderr)
    if arguments.to or not arguments.quiet:
        held = [count_of(section, count) for section in SECTIONS if (count := len(getattr(topology, section)))]
        told = f", {len(warnings)} warning{'s' * (len(warnings) > 1)}" if warnings else ""
        write(f"{arguments.topology}: valid{told}: {', '.join(held) or 'nothing in it'}\n", arguments.to)
    return ExitStatus.REACHABLE
