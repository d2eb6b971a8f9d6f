"""How a command is added to the parser, and the arguments that several have; what it does is imported when it runs."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from typing import Any, NoReturn

from netinsight.errors import QuestionError, did_you_mean

RULES = "a folder of rule files that override the shipped catalogue"


class Parser(argparse.ArgumentParser):
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


class Run:
    """A command's function by name, so that only the command that runs is imported."""

    def __init__(self, module: str, function: str) -> None:
        self.module, self.function = module, function

    def __call__(self, arguments: argparse.Namespace) -> int:
        """Run it; returns the exit status."""
        return int(getattr(import_module(f"netinsight.cli.{self.module}"), self.function)(arguments))


def add_commands(parser: argparse.ArgumentParser, dest: str, metavar: str) -> Any:
    """Where the commands of a parser are added."""
    return parser.add_subparsers(dest=dest, required=True, metavar=metavar, parser_class=Parser)


def add_parser(commands: Any, name: str, summary: str, *examples: str) -> argparse.ArgumentParser:
    """Add a command, or a group of commands."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="\n".join(["examples:" if len(examples) > 1 else "example:", *(f"  {each}" for each in examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return parser


def add_command(commands: Any, name: str, run: Run, summary: str, *examples: str) -> argparse.ArgumentParser:
    """Add a command, with what all of them take."""
    parser = add_parser(commands, name, summary, *examples)
    parser.set_defaults(run=run)
    parser.add_argument("--to", metavar="FILE", help="write the result to FILE (default: standard output)")
    parser.add_argument("--no-color", action="store_true", help="no escape codes, even on a terminal")
    return parser


def add_topology(parser: argparse.ArgumentParser) -> None:
    """Which topology is asked."""
    parser.add_argument(
        "topology", metavar="TOPOLOGY", help="a YAML or JSON file, a folder of them, or - for standard input"
    )


def add_loudness(parser: argparse.ArgumentParser) -> None:
    """How much is told beside the answer."""
    loud = parser.add_mutually_exclusive_group()
    loud.add_argument("--quiet", "-q", action="store_true", help="print errors only; the exit status is the answer")
    loud.add_argument("--verbose", "-v", action="store_true", help="tell warnings in full, and how long each part took")


def add_words(parser: argparse.ArgumentParser) -> None:
    """In which words."""
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="the language (default: en)")
    parser.add_argument("--rules", metavar="DIR", help=RULES)


def add_circumstances(parser: argparse.ArgumentParser) -> None:
    """What ``manner.manner_of`` and ``manner.assumptions_of`` read."""
    add = parser.add_argument
    add("--no-guest", action="store_true", help="leave the checks inside the guests out")
    add("--at", metavar="RFC3339",
        help="judge expiry and blackholes at this moment (default: the topology's collected_at)")  # fmt: skip
    add("--assume", metavar="NAME=VALUE", action="append", default=[], help="turn a point that the cloud leaves open")
