"""``netinsight guest``: what the guest's own kernel does, from what the guest prints of itself."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def add_guest(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add ``guest`` and its sub-commands; ``command`` makes one (commands, name, module, summary, *examples)."""
    summary = "what the guest's own kernel does: its firewall"
    parser = commands.add_parser(
        "guest", help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
    )
    below = parser.add_subparsers(dest="guest_command", required=True, metavar="COMMAND", parser_class=type(parser))
    _add_firewall(below, command)


def _add_firewall(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    parser = command(
        commands, "firewall", "guest_firewall", "judge packets by the rules of iptables-save",
        "netinsight guest firewall rules.v4 --packets packets.jsonl",
        "netinsight guest firewall rules.v4 --packets packets.jsonl --output jsonl --to verdicts.jsonl",
    )  # fmt: skip
    add = parser.add_argument
    add("file", metavar="FILE", help="what iptables-save or ip6tables-save printed, or - for standard input")
    add("--packets", metavar="PACKETS", required=True, help="JSON lines, a packet a line; - for standard input")
    add("--ipsets", metavar="IPSETS", help="what `ipset save` printed; without it sets are not modelled")
    add("--family", type=int, choices=(4, 6), help="IPv4 or IPv6 (default: what the head of FILE says, else 4)")
    add("--output", "-o", choices=("text", "jsonl"), default="text", help="the format (default: text)")
