"""The command line: parse, ask the API, print, and say it all in the exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from netinsight.cli.output import leave_stdout, tell, tell_defect, wants_json
from netinsight.cli.parser import build_parser
from netinsight.errors import ExitStatus, InputError, QuestionError


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    written = _portless(list(sys.argv[1:] if argv is None else argv))
    try:
        arguments = build_parser().parse_args(written)
        return int(arguments.run(arguments))
    except (InputError, QuestionError) as error:
        tell(error.problems, as_json=wants_json(written))
        return error.exit_status
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        leave_stdout()
        return ExitStatus.REACHABLE
    except SystemExit as stop:  # --help and --version
        return int(stop.code or 0)
    except (Exception, RecursionError, MemoryError) as error:  # noqa: BLE001
        return tell_defect(error)


def _portless(written: list[str]) -> list[str]:
    """``--port -1/-1`` as one word: argparse would take the second for an option."""
    joined: list[str] = []
    for word in written:
        if word.startswith("-1") and joined and joined[-1] in ("--port", "--source-port"):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def main() -> NoReturn:
    """The entry point of the ``netinsight`` command."""
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what may follow
        from netinsight.cli.completion import complete

        complete(build_parser())
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # none is ours, and to look for them takes time
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(run())
