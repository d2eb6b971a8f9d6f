"""The arguments of ``ports``, ``who-can-reach`` and ``exposure``."""

from __future__ import annotations

import argparse
from typing import Any

from netinsight.cli.command import Run, add_circumstances, add_command, add_loudness, add_topology, add_words


def add_reach(commands: Any) -> None:
    """The three commands."""
    ports = add_command(
        commands, "ports", Run("reach", "run_ports"), "tell exactly which protocols and ports pass from one object to another",
        "netinsight ports topology.yaml i-a i-b",
        "netinsight ports topology.yaml internet i-web --port 1-1024",
    )  # fmt: skip
    add_topology(ports)
    ports.add_argument("src", metavar="SRC", help="an instance, an ENI, a name, an address, or `internet`")
    ports.add_argument("dst", metavar="DST", help="the same, or an address of the cloud's services")
    _add_asked(ports, "every protocol")
    ports.add_argument("--all", action="store_true", help="show each rule by itself, and no list cut short")
    _add_manner(ports)

    who = add_command(
        commands, "who-can-reach", Run("reach", "run_who"), "tell who reaches an object, and on which ports",
        "netinsight who-can-reach topology.yaml i-db --port 3306",
        "netinsight who-can-reach topology.yaml i-db --summary",
    )  # fmt: skip
    add_topology(who)
    who.add_argument("dst", metavar="DST", help="an instance, an ENI, a load balancer, a name or an address")
    _add_asked(who, "tcp, udp and icmp")
    _add_extent(who, "name every source, those that do not reach it too")
    _add_manner(who)

    exposure = add_command(
        commands, "exposure", Run("reach", "run_exposure"), "tell what the Internet truly reaches, and what reaches the Internet",
        "netinsight exposure topology.yaml",
        "netinsight exposure topology.yaml --allow tcp/443 --allow icmp --fail-if-exposed",
    )  # fmt: skip
    add_topology(exposure)
    _add_asked(exposure, "tcp, udp and icmp", family=False)
    add = exposure.add_argument
    add("--allow", metavar="PROTOCOL[/N[-M]]", action="append", default=[],
        help="what may be reached from outside, such as tcp/443; may be repeated")  # fmt: skip
    add("--fail-if-exposed", action="store_true",
        help="exit with 1 where anything is reached that --allow does not name, 3 where that is not known")  # fmt: skip
    add("--no-outward", action="store_true", help="leave out what reaches the Internet")
    _add_extent(exposure, "show each rule by itself, and no list cut short")
    _add_manner(exposure)


def _add_asked(parser: argparse.ArgumentParser, default: str, *, family: bool = True) -> None:
    parser.add_argument("--port", metavar="N|N-M", help="only of these ports (default: every port)")
    parser.add_argument(
        "--protocol",
        metavar="tcp|udp|icmp|gre|N|all",
        action="append",
        help=f"only of this protocol; may be repeated (default: {default}; with --port tcp)",
    )
    if family:
        parser.add_argument(
            "--family", type=int, choices=(4, 6), help="IPv4 or IPv6 (default: 4 where both ends have it)"
        )


def _add_extent(parser: argparse.ArgumentParser, everything: str) -> None:
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--summary", action="store_true", help="numbers for names; no packets and no rules")
    extent.add_argument("--all", action="store_true", help=everything)


def _add_manner(parser: argparse.ArgumentParser) -> None:
    add_circumstances(parser)
    parser.add_argument("--output", "-o", choices=("text", "json"), default="text", help="the format (default: text)")
    add_words(parser)
    add_loudness(parser)
