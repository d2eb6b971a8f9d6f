"""``netinsight diagnose``: one question, many, or a ready-made set."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from time import perf_counter

from netinsight.answer import Answer
from netinsight.api import Manner, Net, load
from netinsight.cli.manner import assumptions_of, manner_of
from netinsight.cli.output import remark, wants_colour, write
from netinsight.errors import ExitStatus, QuestionError
from netinsight.flow import Verdict, parse_icmp_type

STATUS = {
    Verdict.REACHABLE: ExitStatus.REACHABLE,
    Verdict.PARTIAL: ExitStatus.NOT_REACHABLE,
    Verdict.UNREACHABLE: ExitStatus.NOT_REACHABLE,
    Verdict.UNDETERMINED: ExitStatus.UNDETERMINED,
}
_KEEPS = {"yes": ExitStatus.REACHABLE, "no": ExitStatus.NOT_REACHABLE, "unknown": ExitStatus.UNDETERMINED}
_ONE = ("dst", "protocol", "port", "source_port", "icmp_type", "family", "one_way", "via", "avoid")
"""What only one question has, by the name of its argument."""


def run(arguments: argparse.Namespace) -> int:
    """Answer; returns the exit status."""
    _check_combination(arguments)
    manner = manner_of(arguments)
    started = perf_counter()
    net = load(arguments.topology, assume=assumptions_of(arguments), rules=arguments.rules)
    read = perf_counter()
    if arguments.questions is not None:
        status, text = _many(net, arguments, manner)
    elif arguments.preset is not None:
        status, text = _preset(net, arguments, manner)
    else:
        status, text = _one(net, arguments, manner)
    remarks(net, arguments, read - started, perf_counter() - read)
    if arguments.to or not arguments.quiet:
        write(text, arguments.to)
    return status


def _check_combination(arguments: argparse.Namespace) -> None:
    """Which arguments go together; argparse cannot say it.

    Raises
    ------
    QuestionError
        Naming those that do not.
    """
    given = [
        f"--{name.replace('_', '-')}" for name in ("src", *_ONE) if getattr(arguments, name) not in (None, False, [])
    ]
    if arguments.questions is not None:
        given += ["--preset"] if arguments.preset is not None else []
        if given:
            raise QuestionError(f"--questions stands alone; it does not go with {', '.join(given)}")
        if arguments.questions == "-" and arguments.topology == "-":
            raise QuestionError("only one of TOPOLOGY and --questions can be standard input")
        if arguments.output == "html":
            raise QuestionError("--output html is for one question or a preset", hint="--output json gives JSON lines")
    elif arguments.preset is not None:
        if extra := [name for name in given if name != "--src"]:
            raise QuestionError(f"--preset needs only --src; it does not go with {', '.join(extra)}")
        if arguments.src is None:
            raise QuestionError("--preset needs --src", hint="--src i-a")
    elif missing := [f"--{name}" for name in ("src", "dst") if getattr(arguments, name) is None]:
        raise QuestionError(f"the following arguments are required: {', '.join(missing)}",
                            hint="see `netinsight diagnose --help`; many questions: --questions FILE")  # fmt: skip


def _said(answer: Answer) -> set[ExitStatus]:
    """What its verdict says, and its demands."""
    return {STATUS[answer.verdict], _KEEPS[answer.keeps_demands]}


def _worst(said: set[ExitStatus]) -> ExitStatus:
    """What does not hold outranks what is not known."""
    ranked = (ExitStatus.NOT_REACHABLE, ExitStatus.UNDETERMINED, ExitStatus.REACHABLE)
    return next(status for status in ranked if status in said)


def _one(net: Net, arguments: argparse.Namespace, manner: Manner) -> tuple[ExitStatus, str]:
    answer = net.diagnose(
        arguments.src, arguments.dst, port=arguments.port, protocol=arguments.protocol or "tcp",
        source_port=arguments.source_port, family=arguments.family, one_way=arguments.one_way,
        via=tuple(arguments.via), avoid=tuple(arguments.avoid),
        icmp_type=None if arguments.icmp_type is None else parse_icmp_type(arguments.icmp_type),
        guest=manner.guest, at=manner.at, lang=manner.lang, explain=manner.explain,
    )  # fmt: skip
    status = _worst(_said(answer))
    if arguments.output == "json":
        return status, answer.to_json()
    if arguments.output == "html":
        return status, answer.html()
    return status, answer.text(colour=wants_colour(arguments), every_item=arguments.all)


def _preset(net: Net, arguments: argparse.Namespace, manner: Manner) -> tuple[ExitStatus, str]:
    answers = net.ask_preset(arguments.preset, arguments.src, manner)
    status = STATUS[answers.verdict]
    if arguments.output == "json":
        return status, answers.to_json()
    if arguments.output == "html":
        return status, answers.html()
    return status, answers.text(colour=wants_colour(arguments), every_item=arguments.all)


def _many(net: Net, arguments: argparse.Namespace, manner: Manner) -> tuple[ExitStatus, str]:
    from netinsight.sources.questions_file import read_questions

    colour, said, lines = wants_colour(arguments), set[ExitStatus](), list[str]()
    verdicts = Counter[Verdict]()  # an answer itself is let go: there may be very many
    for answer in net.diagnose_all(read_questions(arguments.questions, check=net.problems_of), manner):
        said |= _said(answer)
        verdicts[answer.verdict] += 1
        lines.append(answer.to_json_line() if arguments.output == "json" else _told(answer, arguments, colour))
    if arguments.verbose:
        told = ", ".join(f"{verdicts[verdict]} {verdict.value}" for verdict in Verdict if verdict in verdicts)
        print(f"{len(lines)} question{'s' * (len(lines) != 1)}: {told}", file=sys.stderr)
    return _worst(said), "".join(lines)


def _told(answer: Answer, arguments: argparse.Namespace, colour: bool) -> str:
    """A line, and beneath it the whole report where one was asked for."""
    line = answer.line(colour=colour) + "\n"
    if not (arguments.explain or arguments.all):
        return line
    return f"{line}\n{answer.text(colour=colour, every_item=arguments.all)}\n"


def remarks(net: Net, arguments: argparse.Namespace, reading: float, answering: float) -> None:
    """To standard error: warnings, and with --verbose how long it took."""
    if arguments.verbose:
        remark(net.warnings)
        print(f"read in {reading * 1000:.0f} ms, answered in {answering * 1000:.1f} ms", file=sys.stderr)
    elif net.warnings and not arguments.quiet:
        count = len(net.warnings)
        print(
            f"{arguments.topology}: {count} warning{'s' * (count > 1)}; `netinsight validate` tells them",
            file=sys.stderr,
        )
