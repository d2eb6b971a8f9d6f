"""``netinsight guest`` and its own commands."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def add_guest(commands: Any, command: Callable[..., argparse.ArgumentParser], run: Callable[[str, str], Any]) -> None:
    """Add ``guest``; ``command`` adds one command to some, ``run`` names the function that does it."""
    guest = commands.add_parser(
        "guest",
        help="tell what a guest's own routes and firewall do with packets",
        description="Tell what a guest's own routes and firewall do with packets.",
        epilog="examples:\n  netinsight guest route routes/ --packets packets.jsonl\n"
        "  netinsight guest firewall rules.v4 --packets packets.jsonl",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    kinds = guest.add_subparsers(dest="guest_command", required=True, metavar="WHAT", parser_class=type(guest))
    add_route(kinds, command, run)
    add_firewall(kinds, command, run)


def add_route(commands: Any, command: Callable[..., argparse.ArgumentParser], run: Callable[[str, str], Any]) -> None:
    """Add ``guest route``."""
    parser = command(
        commands, "route", run("guest_route", "run"), "tell where a guest's routes send packets",
        "netinsight guest route routes/ --packets packets.jsonl --output jsonl",
        "netinsight guest route ip.txt --packets - --output text",
    )  # fmt: skip
    add = parser.add_argument
    add("routing", metavar="DIR|FILE", help="what `ip addr`, `ip rule` and `ip route show table all` printed")
    add("--packets", metavar="FILE", required=True,
        help="JSON lines of dst, src, in_interface, out_interface, mark; - for standard input")  # fmt: skip
    add("--output", "-o", choices=("jsonl", "text"), default="jsonl", help="the format (default: jsonl)")
    add("--no-forwarding", action="store_true", help="the guest does not pass on what is for others")
    add("--ignore-linkdown", action="store_true", help="its ignore_routes_with_linkdown is set")
    add("--accept-local", choices=("0", "1"), help="its accept_local (default: not known)")


def add_firewall(
    commands: Any, command: Callable[..., argparse.ArgumentParser], run: Callable[[str, str], Any]
) -> None:
    """Add ``guest firewall``."""
    parser = command(
        commands, "firewall", run("guest_firewall", "run"), "tell what a guest's iptables do with packets",
        "netinsight guest firewall rules.v4 --packets packets.jsonl --output jsonl",
        "netinsight guest firewall rules.v4 --packets packets.jsonl --ipsets ipset.txt --output text",
    )  # fmt: skip
    add = parser.add_argument
    add("file", metavar="FILE", help="what iptables-save or ip6tables-save printed; - for standard input")
    add("--packets", metavar="FILE", required=True,
        help="JSON lines of chain, src, dst, protocol, sport, dport, …; - for standard input")  # fmt: skip
    add("--ipsets", metavar="FILE", help="what `ipset save` printed (default: sets are not modelled)")
    add("--family", type=int, choices=(4, 6), help="IPv4 or IPv6 (default: what the head of the rules says, else 4)")
    add("--output", "-o", choices=("jsonl", "text"), default="jsonl", help="the format (default: jsonl)")
