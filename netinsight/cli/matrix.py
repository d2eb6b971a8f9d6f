"""``netinsight matrix``: all pairs of a topology for a set of services."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from netinsight.api import load
from netinsight.cli.manner import assumptions_of, manner_of
from netinsight.cli.output import wants_colour, write, written
from netinsight.cli.progress import Progress
from netinsight.diagnosis.catalogue import Lang
from netinsight.errors import ExitStatus, QuestionError
from netinsight.sources.flows_file import arrow


def run(arguments: argparse.Namespace) -> int:
    """Ask all pairs and show them; returns the exit status."""
    _check_combination(arguments)
    net = load(arguments.topology, assume=assumptions_of(arguments), rules=arguments.rules)
    from netinsight.diagnosis.matrix import Matrix
    from netinsight.render import matrix as render
    from netinsight.render.layout import Paint

    with Progress() as progress:
        matrix = net.matrix(
            arguments.service,
            manner_of(arguments),
            one_way=arguments.one_way,
            progress=lambda done, every: progress.tell(f"{done:,} of {every:,} pairs of classes"),
        )
    matrix.each[0].labels(arguments.by)  # a word that is none is refused before anything is written

    def told(matrix: Matrix) -> Iterator[str]:
        lang = Lang(arguments.lang)
        if arguments.reaching:
            yield from render.one_end(matrix, arguments.reaching, net.catalogue, lang, to=True)
        elif arguments.reached_by:
            yield from render.one_end(matrix, arguments.reached_by, net.catalogue, lang, to=False)
        elif arguments.output == "csv":
            yield from render.pairs_csv(matrix) if arguments.expand else render.as_csv(matrix)
        elif arguments.output == "json":
            yield render.as_json(matrix)
        elif arguments.output == "html":
            yield render.as_html(matrix, net.catalogue, lang, arguments.by)
        else:
            yield render.as_table(matrix, net.catalogue, lang, arguments.by, Paint(wants_colour(arguments)))

    with written(arguments.to) as draft:
        if arguments.output == "parquet":
            render.write_parquet(matrix, draft)
        else:
            for piece in told(matrix):
                draft.write(piece.encode())
    if arguments.members:
        write("".join(render.members_csv(matrix)), arguments.members)
    return ExitStatus.REACHABLE


def _check_combination(arguments: argparse.Namespace) -> None:
    """Which arguments go together; argparse cannot say it."""
    if arguments.output == "parquet":
        arrow()  # where it is not installed, that is told before anything is asked
        if arguments.to is None and sys.stdout.isatty():
            raise QuestionError("Parquet is not for a terminal", hint="name a file: --to FILE")
    if arguments.expand and arguments.output != "csv":
        raise QuestionError("--expand goes with --output csv")
    if (arguments.reaching or arguments.reached_by) and arguments.output != "table":
        raise QuestionError("--reaching and --reached-by tell ends, line by line; they go with --output table")
