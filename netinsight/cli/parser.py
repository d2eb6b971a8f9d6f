"""Every command and its arguments."""

from __future__ import annotations

import argparse
from functools import cache
from typing import Any

from netinsight import __version__
from netinsight.cli.command import (
    RULES,
    Parser,
    Run,
    add_circumstances,
    add_command,
    add_commands,
    add_loudness,
    add_topology,
    add_words,
)
from netinsight.cli.guest_parser import add_guest
from netinsight.cli.reach_parser import add_reach


@cache
def build_parser() -> argparse.ArgumentParser:
    """Every command and its arguments; made once, it takes longer than to parse."""
    parser = Parser(
        prog="netinsight",
        description="Why a connection in a cloud network passes or fails: offline, with the rule and the line that decided.",
        epilog="example: netinsight diagnose topology.yaml --src i-a --dst i-b --port 22",
    )
    parser.add_argument("--version", action="version", version=f"netinsight {__version__}")
    commands = add_commands(parser, "command", "COMMAND")
    _add_diagnose(commands)
    _add_matrix(commands)
    _add_evaluate(commands)
    add_reach(commands)
    _add_show(commands)
    _add_explain(commands)
    _add_validate(commands)
    add_guest(commands)
    _add_schema(commands)
    _add_completion(commands)
    return parser


def _add_diagnose(commands: Any) -> None:
    parser = add_command(
        commands, "diagnose", Run("diagnose", "run"), "tell why a connection passes or fails",
        "netinsight diagnose topology.yaml --src i-a --dst i-b --port 22",
        "netinsight diagnose topology.yaml --src internet --dst i-web --port 8000-8010 --explain",
        "netinsight diagnose topology.yaml --src i-a --dst internet --port 443 --via fw-1 --avoid vpn-b",
        "netinsight diagnose topology.yaml --questions questions.csv",
        "netinsight diagnose topology.yaml --src i-a --preset cloud-assistant",
    )  # fmt: skip
    add_topology(parser)
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
    add_circumstances(parser)
    add("--explain", action="store_true", help="show every rule that each stage tried, and on what it failed")
    add("--all", action="store_true", help="show every item, the normal ones too")
    add("--output", "-o", choices=("text", "json", "html"), default="text", help="the format (default: text)")
    add_words(parser)
    add_loudness(parser)


def _add_matrix(commands: Any) -> None:
    parser = add_command(
        commands, "matrix", Run("matrix", "run"), "ask every pair of ends at once, for a set of services",
        "netinsight matrix topology.yaml --service tcp/22 --service tcp/443",
        "netinsight matrix topology.yaml --service tcp/22 --by group --output html --to matrix.html",
        "netinsight matrix topology.yaml --service tcp/3306 --reaching i-db",
    )  # fmt: skip
    add_topology(parser)
    add = parser.add_argument
    add("--service", metavar="SERVICE", action="append", required=True,
        help="a protocol and its port: tcp/22, udp/53, icmp; may be repeated")  # fmt: skip
    add("--by", metavar="WHAT", default="vswitch",
        help="what rows and columns stand for: vpc, vswitch, group, name, tag:KEY, class (default: vswitch)")  # fmt: skip
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--reaching", metavar="OBJECT", help="tell only which ends reach it")
    one.add_argument("--reached-by", metavar="OBJECT", help="tell only which ends it reaches")
    add("--expand", action="store_true", help="with csv: a line for each pair of ends, not of classes")
    add("--members", metavar="FILE", help="write which class each end is a member of to FILE, as CSV")
    add("--one-way", action="store_true", help="leave the replies out")
    add_circumstances(parser)
    add("--output", "-o", choices=("table", "csv", "parquet", "json", "html"), default="table",
        help="the format (default: table)")  # fmt: skip
    add_words(parser)


def _add_evaluate(commands: Any) -> None:
    parser = add_command(
        commands, "evaluate", Run("evaluate", "run"), "tell the verdict of many flows, and what stops each first",
        "netinsight evaluate topology.yaml flows.csv",
        "netinsight evaluate topology.yaml flows.csv --output csv --to verdicts.csv",
        "netinsight evaluate topology.yaml flows.parquet --output parquet --to verdicts.parquet",
    )  # fmt: skip
    add_topology(parser)
    add = parser.add_argument
    add("flows", metavar="FLOWS",
        help="CSV, JSON lines or Parquet of src, dst, protocol, port, source_port; - for standard input")  # fmt: skip
    add("--one-way", action="store_true", help="leave the replies out")
    add_circumstances(parser)
    add("--all", action="store_true", help="show everything that stops flows, however much there is")
    add("--output", "-o", choices=("table", "csv", "json", "parquet"), default="table",
        help="a table of what stops how many, or a line for each flow (json: an object a line; default: table)")  # fmt: skip
    parser.add_argument("--rules", metavar="DIR", help=RULES)
    add_loudness(parser)


def _add_show(commands: Any) -> None:
    parser = add_command(
        commands, "show", Run("show", "run"), "list what a topology holds, or draw it",
        "netinsight show topology.yaml",
        "netinsight show topology.yaml i-a",
        "netinsight show topology.yaml --output svg --to topology.svg",
    )  # fmt: skip
    add_topology(parser)
    parser.add_argument("object", metavar="OBJECT", nargs="?", help="an object by its id, name or address")
    parser.add_argument(
        "--output",
        "-o",
        choices=("text", "json", "mermaid", "dot", "svg"),
        default="text",
        help="the format (default: text)",
    )
    add_words(parser)


def _add_explain(commands: Any) -> None:
    parser = add_command(
        commands, "explain", Run("explain", "run"), "tell what an item or a reason means, and what to do",
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
    add_words(parser)


def _add_validate(commands: Any) -> None:
    parser = add_command(
        commands, "validate", Run("validate", "run"), "check a topology and tell everything that is wrong with it",
        "netinsight validate topology.yaml",
    )  # fmt: skip
    add_topology(parser)
    add_loudness(parser)


def _add_schema(commands: Any) -> None:
    parser = add_command(
        commands, "schema", Run("schema", "run"), "print the JSON schema of topology files, or of what a command prints as JSON",
        "netinsight schema topology --to topology.schema.json",
    )  # fmt: skip
    parser.add_argument("of", choices=("topology", "report", "ports", "who-can-reach", "exposure"), help="which")


def _add_completion(commands: Any) -> None:
    parser = add_command(
        commands, "completion", Run("completion", "run"), "print what makes a shell complete commands, files and objects",
        'eval "$(netinsight completion bash)"',
        "netinsight completion fish > ~/.config/fish/completions/netinsight.fish",
    )  # fmt: skip
    parser.add_argument("shell", choices=("bash", "zsh", "fish", "tcsh", "powershell"), help="which shell")
