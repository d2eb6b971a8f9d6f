"""``netinsight evaluate``: the verdict of many flows, and what stops each first."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from time import perf_counter

from netinsight.api import Net, load
from netinsight.cli.diagnose import STATUS, remark_on, worst
from netinsight.cli.flow_tables import Summary, table_of
from netinsight.cli.manner import assumptions_of, manner_of
from netinsight.cli.output import written
from netinsight.cli.progress import Progress
from netinsight.diagnosis.evaluate import Evaluator
from netinsight.errors import Mistakes, QuestionError
from netinsight.flow import Verdict
from netinsight.sources.flows_file import Part, arrow, read_flow_parts


def run(arguments: argparse.Namespace) -> int:
    """Evaluate; returns the exit status."""
    _check_combination(arguments)
    started = perf_counter()
    net = load(arguments.topology, assume=assumptions_of(arguments), rules=arguments.rules)
    read = perf_counter()
    summary = _evaluate(net, arguments)
    remark_on(net, arguments, read - started, perf_counter() - read)
    return worst({STATUS[Verdict(verdict)] for verdict in summary.verdicts})


def _check_combination(arguments: argparse.Namespace) -> None:
    if arguments.topology == arguments.flows == "-":
        raise QuestionError("the topology and the flows cannot both be standard input")
    if arguments.all and arguments.output != "table":
        raise QuestionError("--all goes with --output table")
    if arguments.output == "parquet":
        arrow()
        if arguments.to is None and sys.stdout.isatty():
            raise QuestionError("Parquet is not for a terminal", hint="name a file: --to FILE")


def _evaluate(net: Net, arguments: argparse.Namespace) -> Summary:
    manner = manner_of(arguments)
    evaluator = Evaluator(
        net.network, net.catalogue, net.moment(manner), with_guest=manner.guest, one_way=arguments.one_way
    )
    summary, mistakes = Summary(), Mistakes()
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(quiet=arguments.quiet))
        is_written = arguments.to or not arguments.quiet
        draft = stack.enter_context(written(arguments.to)) if is_written else None
        table = table_of(arguments.output, draft) if draft else None
        parts = _told(read_flow_parts(arguments.flows, mistakes), mistakes, progress)
        for part, flows, found in evaluator.evaluate_all(parts, mistakes):
            summary.add(flows, found)
            if table:
                table.add(part, flows, found)
        if table:
            table.end()
        elif draft:
            draft.write(summary.text(_command(arguments), every=arguments.all).encode())
    return summary


def _told(parts: Iterable[Part], mistakes: Mistakes, progress: Progress) -> Iterator[Part]:
    """Parts, and how far they are when the next is asked for."""
    count = 0
    for part in parts:
        yield part
        count += len(part.lines)
        how_much = "" if part.done is None else f" ({part.done:.0%})"
        progress.tell(f"{count:,} flows {'looked through' if mistakes else 'evaluated'}{how_much}")


def _command(arguments: argparse.Namespace) -> list[str]:
    """The command that diagnoses one of the flows, as far as it is the same for all."""
    command = ["netinsight", "diagnose", arguments.topology]
    for name in ("at", "rules"):
        if given := getattr(arguments, name):
            command += [f"--{name}", given]
    for given in arguments.assume:
        command += ["--assume", given]
    return command + ["--one-way"] * arguments.one_way + ["--no-guest"] * arguments.no_guest
