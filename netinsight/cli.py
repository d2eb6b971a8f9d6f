"""The command line: parse, ask the API, print, and say it all in the exit status."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from netinsight import __version__
from netinsight.errors import ExitStatus, InputError, NetInsightError, Problem, QuestionError, did_you_mean

_VERDICT_STATUS = {
    "reachable": ExitStatus.REACHABLE,
    "partial": ExitStatus.NOT_REACHABLE,
    "unreachable": ExitStatus.NOT_REACHABLE,
    "undetermined": ExitStatus.UNDETERMINED,
}
_ICMP_TYPES = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "echo-request": 8,
    "time-exceeded": 11,
    "timestamp-request": 13,
}
ERROR_SCHEMA = "netinsight.error/1"


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are errors like any other."""

    def error(self, message: str) -> NoReturn:
        hint = ""
        if choice := re.search(r"invalid choice: '?([^' ]*)'? \(choose from (.*)\)", message):
            hint = did_you_mean(choice[1], [word.strip(" '") for word in choice[2].split(",")])
        elif unknown := re.match(r"unrecognized arguments: (\S+)", message):
            hint = did_you_mean(unknown[1], _options(self), cutoff=0.75) if unknown[1].startswith("-") else ""
        raise QuestionError(message, hint=hint or f"see `{self.prog} --help`")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """A command tells what it does not know itself, so that the hint names its own options."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [option for action in parser._actions for option in action.option_strings]


def build_parser() -> argparse.ArgumentParser:
    """Every command and its arguments."""
    parser = _Parser(
        prog="netinsight",
        description="Why a connection in a cloud network passes or fails: offline, with the rule and the line that decided.",
        epilog="example: netinsight diagnose topology.yaml --src i-a --dst i-b --port 22",
    )
    parser.add_argument("--version", action="version", version=f"netinsight {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    _add_diagnose(commands)
    _add_validate(commands)
    _add_schema(commands)
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], summary: str, example: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example: {example}",
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    parser.add_argument("--to", metavar="FILE", help="write the result to FILE (default: standard output)")
    parser.add_argument("--no-color", action="store_true", help="no escape codes, even on a terminal")
    return parser


def _add_topology(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "topology", metavar="TOPOLOGY", help="a YAML or JSON file, a folder of them, or - for standard input"
    )


def _add_diagnose(commands: Any) -> None:
    parser = _command(commands, "diagnose", run_diagnose, "tell why a connection passes or fails",
                      "netinsight diagnose topology.yaml --src i-a --dst i-b --port 22")  # fmt: skip
    _add_topology(parser)
    add = parser.add_argument
    add(
        "--src",
        metavar="OBJECT",
        required=True,
        help="where it begins: an instance, an ENI, a name, an address, or `internet`",
    )
    add("--dst", metavar="OBJECT", required=True, help="where it ends: the same, or an address of the cloud's services")
    add("--protocol", default="tcp", metavar="tcp|udp|icmp|gre|N", help="the IP protocol (default: tcp)")
    add("--port", metavar="N|N-M", help="the port asked for; tcp and udp need one")
    add("--source-port", metavar="N|N-M", help="the client's ports (default: those of its kind)")
    add("--icmp-type", metavar="TYPE", help="an ICMP type by number or name (default: an echo request)")
    add("--family", type=int, choices=(4, 6), help="IPv4 or IPv6 (default: 4 where both ends have it)")
    add("--one-way", action="store_true", help="leave the reply out")
    add("--no-guest", action="store_true", help="leave the checks inside the guests out")
    add(
        "--at",
        metavar="RFC3339",
        help="judge expiry and blackholes at this moment (default: the topology's collected_at)",
    )
    add("--assume", metavar="NAME=VALUE", action="append", default=[], help="turn a point that the cloud leaves open")
    add("--explain", action="store_true", help="show every rule that each stage tried, and on what it failed")
    add("--all", action="store_true", help="show every item, the normal ones too")
    add("--output", "-o", choices=("text", "json"), default="text", help="the format (default: text)")
    add("--lang", choices=("en", "zh"), default="en", help="the language of the report (default: en)")
    add("--rules", metavar="DIR", help="a folder of rule files that override the shipped catalogue")


def _add_validate(commands: Any) -> None:
    parser = _command(commands, "validate", run_validate, "check a topology and tell everything that is wrong with it",
                      "netinsight validate topology.yaml")  # fmt: skip
    _add_topology(parser)


def _add_schema(commands: Any) -> None:
    parser = _command(commands, "schema", run_schema, "print the JSON schema of topology files or of reports",
                      "netinsight schema topology --to topology.schema.json")  # fmt: skip
    parser.add_argument("of", choices=("topology", "report"), help="which")


def run_diagnose(arguments: argparse.Namespace) -> int:
    """Answer one question."""
    from netinsight.api import load

    assume = dict(_assumption(written) for written in arguments.assume)
    moment = _moment(arguments.at) if arguments.at else None
    icmp_type = _icmp_type(arguments.icmp_type) if arguments.icmp_type is not None else None
    net = load(arguments.topology, assume=assume, rules=arguments.rules)
    report = net.diagnose(
        arguments.src, arguments.dst, port=arguments.port, protocol=arguments.protocol, source_port=arguments.source_port,
        icmp_type=icmp_type, family=arguments.family, one_way=arguments.one_way, guest=not arguments.no_guest, at=moment,
        lang=arguments.lang, explain=arguments.explain,
    )  # fmt: skip
    if net.warnings:
        count = len(net.warnings)
        print(
            f"{arguments.topology}: {count} warning{'s' * (count > 1)}; `netinsight validate` tells them",
            file=sys.stderr,
        )
    text = (
        report.to_json()
        if arguments.output == "json"
        else net.text(report, colour=_colour(arguments), every_item=arguments.all)
    )
    _print(text, arguments.to)
    return _VERDICT_STATUS[report.verdict.value]


def run_validate(arguments: argparse.Namespace) -> int:
    """Read a topology and tell its problems."""
    from netinsight.model.topology import SECTIONS
    from netinsight.sources.topology_file import read_topology

    topology, warnings = read_topology(arguments.topology)
    for warning in warnings:
        print(warning.in_full(), file=sys.stderr)
    held = [
        f"{count} {_plural(SECTIONS[section], count)}"
        for section in SECTIONS
        if (count := len(getattr(topology, section)))
    ]
    told = f", {len(warnings)} warning{'s' * (len(warnings) > 1)}" if warnings else ""
    _print(f"{arguments.topology}: valid{told}: {', '.join(held) or 'nothing in it'}\n", arguments.to)
    return ExitStatus.REACHABLE


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}es" if word.endswith("ch") else f"{word}s"


def run_schema(arguments: argparse.Namespace) -> int:
    """Print a JSON schema."""
    if arguments.of == "topology":
        from netinsight.model.topology import Topology as Model
    else:
        from netinsight.diagnosis.report import Report as Model  # type: ignore[assignment]
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Model.model_json_schema(mode=_schema_mode(arguments.of)),
    }
    _print(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", arguments.to)
    return ExitStatus.REACHABLE


def _schema_mode(of: str) -> Any:
    return "validation" if of == "topology" else "serialization"


def _assumption(written: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not equals:
        raise QuestionError(f"--assume {written[:60]}: expected NAME=VALUE")
    return name, value


def _moment(written: str) -> Any:
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise QuestionError(f"--at {written[:60]}: not a moment such as 2026-11-24T08:00:00Z") from None
    if moment.tzinfo is None:
        raise QuestionError(f"--at {written[:60]}: no time zone", hint="end it with Z for UTC")
    return moment


def _icmp_type(written: str) -> int:
    if written in _ICMP_TYPES:
        return _ICMP_TYPES[written]
    if written.isascii() and written.isdigit() and int(written) <= 255:
        return int(written)
    raise QuestionError(
        f"--icmp-type {written[:40]}: not an ICMP type (0 to 255)", hint=did_you_mean(written, _ICMP_TYPES)
    )


def _colour(arguments: argparse.Namespace) -> bool:
    return not (arguments.no_color or arguments.to or os.environ.get("NO_COLOR")) and sys.stdout.isatty()


def _print(text: str, to: str | None) -> None:
    """To standard output, or to a file that is written whole or not at all.

    A link is followed, a pipe or device is written to as it is.
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


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    written = _portless(list(sys.argv[1:] if argv is None else argv))
    try:
        arguments = build_parser().parse_args(written)
        return int(arguments.run(arguments))
    except (InputError, QuestionError) as error:
        _tell(error.problems, as_json=_wants_json(written))
        return error.exit_status
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        _leave_stdout()
        return ExitStatus.REACHABLE
    except SystemExit as stop:  # --help and --version
        return int(stop.code or 0)
    except (Exception, RecursionError, MemoryError) as error:  # noqa: BLE001
        return _defect(error)


def _portless(written: list[str]) -> list[str]:
    """``--port -1/-1`` as one word: argparse would take the second for an option."""
    joined: list[str] = []
    for word in written:
        if word.startswith("-1") and joined and joined[-1] in ("--port", "--source-port"):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _leave_stdout() -> None:
    """Nobody reads on: say nothing more at exit."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123


def _wants_json(written: list[str]) -> bool:
    joined = " ".join(written)
    return any(f"{flag}{sep}json" in joined for flag in ("--output", "-o") for sep in (" ", "=", ""))


def _tell(problems: tuple[Problem, ...], *, as_json: bool) -> None:
    for problem in problems:
        print(problem.in_full(), file=sys.stderr)
    if as_json:
        errors = [
            {"file": p.place.file or None, "line": p.place.line or None, "column": p.place.column or None,
             "severity": p.severity.value, "message": p.message, "hint": p.hint or None}
            for p in problems
        ]  # fmt: skip
        print(json.dumps({"schema": ERROR_SCHEMA, "errors": errors}, ensure_ascii=False), file=sys.stderr)


def _defect(error: BaseException) -> int:
    import traceback

    if not isinstance(error, NetInsightError):
        traceback.print_exception(error, file=sys.stderr)
    print(
        f"netinsight {__version__}: a defect of NetInsight itself ({type(error).__name__}); "
        "please report it with the lines above",
        file=sys.stderr,
    )
    return ExitStatus.DEFECT


def main() -> NoReturn:
    """The entry point of the ``netinsight`` command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(run())
