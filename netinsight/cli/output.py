"""What commands write and where: results, files, colour, errors."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from netinsight import __version__
from netinsight.errors import ExitStatus, NetInsightError, Problem, QuestionError, Severity

ERROR_SCHEMA = "netinsight.error/1"
MOST_TOLD = 50
"""Of a big wrong file nobody reads more; JSON has all."""


def wants_colour(arguments: argparse.Namespace) -> bool:
    """Only on a terminal, and not where anything says no."""
    return not (arguments.no_color or arguments.to or os.environ.get("NO_COLOR")) and sys.stdout.isatty()


def write(text: str, to: str | None) -> None:
    """To standard output, or to a file that is written whole or not at all.

    A link is followed, a pipe or device is written to as it is.

    Raises
    ------
    QuestionError
        Where it cannot be written.
    """
    try:
        if to is None:
            sys.stdout.write(text)
            sys.stdout.flush()
        elif Path(to).exists() and not Path(to).is_file():
            Path(to).write_text(text, encoding="utf-8", newline="\n")
        else:
            _replace(Path(to).resolve(), text)
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"--to {to}" if to else "standard output"
        raise QuestionError(f"{where}: cannot be written: {error.strerror}") from None


def _replace(target: Path, text: str) -> None:
    import tempfile  # only here: it costs as much as a tenth of an answer

    draft = tempfile.NamedTemporaryFile(  # noqa: SIM115  (it outlives its own block, to be renamed)
        "w", encoding="utf-8", dir=target.parent, prefix=".", delete=False, newline="\n"
    )
    try:
        with draft:
            draft.write(text)
        Path(draft.name).chmod(0o666 & ~_umask())
        Path(draft.name).replace(target)
    except BaseException:
        Path(draft.name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def leave_stdout() -> None:
    """Nobody reads on: say nothing more at exit."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123


def wants_json(written: list[str]) -> bool:
    """Whether a command line, maybe one that cannot be parsed, asks for JSON."""
    joined = " ".join(written)
    return any(f"{flag}{sep}json" in joined for flag in ("--output", "-o") for sep in (" ", "=", ""))


def remark(problems: Sequence[Problem]) -> None:
    """Problems, to standard error, each in full; of very many the first, errors before warnings, and how many there are more."""
    shown = problems
    if len(problems) > MOST_TOLD:
        shown = sorted(problems, key=lambda one: one.severity is not Severity.ERROR)[:MOST_TOLD]
    for problem in shown:
        print(problem.in_full(), file=sys.stderr)
    if more := len(problems) - len(shown):
        print(f"    and {more} more", file=sys.stderr)


def tell(problems: tuple[Problem, ...], *, as_json: bool) -> None:
    """Problems, to standard error; where JSON was asked for all of them as one object too."""
    remark(problems)
    if as_json:
        errors = [
            {"file": p.place.file or None, "line": p.place.line or None, "column": p.place.column or None,
             "severity": p.severity.value, "message": p.message, "hint": p.hint or None, "code": p.code or None}
            for p in problems
        ]  # fmt: skip
        print(json.dumps({"schema": ERROR_SCHEMA, "errors": errors}, ensure_ascii=False), file=sys.stderr)


def tell_defect(error: BaseException) -> int:
    """A defect of NetInsight itself, with what a report of it needs."""
    import traceback

    if not isinstance(error, NetInsightError):
        traceback.print_exception(error, file=sys.stderr)
    print(
        f"netinsight {__version__}: a defect of NetInsight itself ({type(error).__name__}); "
        "please report it with the lines above",
        file=sys.stderr,
    )
    return ExitStatus.DEFECT
