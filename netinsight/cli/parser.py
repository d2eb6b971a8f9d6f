"""Every command and its arguments; what a command does is imported when it runs."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from typing import Any, NoReturn

from netinsight import __version__
from netinsight.cli.guest_parser import add_guest
from netinsight.cli.reach_parser import add_reach
from netinsight.errors import QuestionError, did_you_mean


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
        if len(unknown) == 1 and not unknown[0].startswith("-") and getattr(known, "object", "") is None:
            known.object = unknown.pop()  # argparse takes OBJECT for left out where an option comes before it
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [option for action in parser._actions for option in action.option_strings]


class _Run:
    """A command's function by name, so that only the command that runs is imported."""

    def __init__(self, module: str, function: str) -> None:
        self.module, self.function = module, function

    def __call__(self, arguments: argparse.Namespace) -> int:
        """Run it; returns the exit status."""
        return int(getattr(import_module(f"netinsight.cli.{self.module}"), self.function)(arguments))


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
    add_reach(commands, _command, _Run, (_add_words, _add_loudness))
    _add_show(commands)
    _add_explain(commands)
    _add_validate(commands)
    add_guest(commands, _command, _Run)
    _add_schema(commands)
    _add_completion(commands)
    return parser


def _command(commands: Any, name: str, run: _Run, summary: str, *examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="\n".join(["examples:" if len(examples) > 1 else "example:", *(f"  {each}" for each in examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
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


def _add_loudness(parser: argparse.ArgumentParser) -> None:
    loud = parser.add_mutually_exclusive_group()
    loud.add_argument("--quiet", "-q", action="store_true", help="print errors only; the exit status is the answer")
    loud.add_argument("--verbose", "-v", action="store_true", help="tell warnings in full, and how long each part took")


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="the language (default: en)")
    parser.add_argument("--rules", metavar="DIR", help="a folder of rule files that override the shipped catalogue")


def _add_diagnose(commands: Any) -> None:
    parser = _command(
        commands, "diagnose", _Run("diagnose", "run"), "tell why a connection passes or fails",
        "netinsight diagnose topology.yaml --src i-a --dst i-b --port 22",
        "netinsight diagnose topology.yaml --src internet --dst i-web --port 8000-8010 --explain",
        "netinsight diagnose topology.yaml --src i-a --dst internet --port 443 --via fw-1 --avoid vpn-b",
        "netinsight diagnose topology.yaml --questions questions.csv",
        "netinsight diagnose topology.yaml --src i-a --preset cloud-assistant",
    )  # fmt: skip
    _add_topology(parser)
    add = parser.add_argument
    add("--src", metavar="OBJECT", help="where it begins: an instance, an ENI, a name, an address, or `internet`")
    add("--dst", metavar="OBJECT", help="where it ends: the same, or an address of the cloud's services")
    add("--protocol", metavar="tcp|udp|icmp|gre|N", help="the IP protocol (default: tcp)")
    add("--port", metavar="N|N-M", help="the port asked for; tcp and udp need one")
    add("--source-port", metavar="N|N-M", help="the client's ports (default: those of its kind)")
    add("--icmp-type", metavar="TYPE", help="an ICMP type by number or name (default: an echo request)")
    add("--family", type=int, choices=(4, 6), help="IPv4 or IPv6 (default: 4 where both ends have it)")
    add("--one-way", action="store_true", help="leave the reply out")
    add("--via", metavar="OBJECT", action="append", default=[],
        help="every path must pass it, there and back: a gateway, an appliance, a vSwitch, a list; may be repeated")  # fmt: skip
    add("--avoid", metavar="OBJECT", action="append", default=[], help="no path may pass it; may be repeated")
    add(
        "--questions", metavar="FILE", help="many questions: CSV or JSON lines of src, dst, protocol, port; - for stdin"
    )
    add("--preset", metavar="NAME", help="a ready-made set of questions about --src: cloud-assistant")
    add("--no-guest", action="store_true", help="leave the checks inside the guests out")
    add(
        "--at",
        metavar="RFC3339",
        help="judge expiry and blackholes at this moment (default: the topology's collected_at)",
    )
    add("--assume", metavar="NAME=VALUE", action="append", default=[], help="turn a point that the cloud leaves open")
    add("--explain", action="store_true", help="show every rule that each stage tried, and on what it failed")
    add("--all", action="store_true", help="show every item, the normal ones too")
    add("--output", "-o", choices=("text", "json", "html"), default="text", help="the format (default: text)")
    _add_words(parser)
    _add_loudness(parser)


def _add_show(commands: Any) -> None:
    parser = _command(
        commands, "show", _Run("show", "run"), "list what a topology holds, or draw it",
        "netinsight show topology.yaml",
        "netinsight show topology.yaml i-a",
        "netinsight show topology.yaml --output svg --to topology.svg",
    )  # fmt: skip
    _add_topology(parser)
    parser.add_argument("object", metavar="OBJECT", nargs="?", help="an object by its id, name or address")
    parser.add_argument(
        "--output",
        "-o",
        choices=("text", "json", "mermaid", "dot", "svg"),
        default="text",
        help="the format (default: text)",
    )
    _add_words(parser)


def _add_explain(commands: Any) -> None:
    parser = _command(
        commands, "explain", _Run("explain", "run"), "tell what an item or a reason means, and what to do",
        "netinsight explain eni.security_group.ingress",
        "netinsight explain NO_ROUTE_TO_DESTINATION",
        "netinsight explain",
    )  # fmt: skip
    parser.add_argument(
        "item",
        metavar="ITEM",
        nargs="?",
        help="an item, reason, verdict, stage or assumption, or what another cloud calls a reason (default: list them)",
    )
    parser.add_argument("--output", "-o", choices=("text", "json"), default="text", help="the format (default: text)")
    _add_words(parser)


def _add_validate(commands: Any) -> None:
    parser = _command(
        commands, "validate", _Run("validate", "run"), "check a topology and tell everything that is wrong with it",
        "netinsight validate topology.yaml",
    )  # fmt: skip
    _add_topology(parser)
    _add_loudness(parser)


def _add_schema(commands: Any) -> None:
    parser = _command(
        commands, "schema", _Run("schema", "run"), "print the JSON schema of topology files, or of what a command prints as JSON",
        "netinsight schema topology --to topology.schema.json",
    )  # fmt: skip
    parser.add_argument("of", choices=("topology", "report", "ports", "who-can-reach", "exposure"), help="which")


def _add_completion(commands: Any) -> None:
    parser = _command(
        commands, "completion", _Run("completion", "run"), "print what makes a shell complete commands, files and objects",
        'eval "$(netinsight completion bash)"',
        "netinsight completion fish > ~/.config/fish/completions/netinsight.fish",
    )  # fmt: skip
    parser.add_argument("shell", choices=("bash", "zsh", "fish", "tcsh", "powershell"), help="which shell")
