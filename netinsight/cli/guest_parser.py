"""``netinsight guest`` and its own commands."""

from __future__ import annotations

import argparse
from typing import Any

from netinsight.cli.command import Run, add_command, add_commands, add_parser


def add_guest(commands: Any) -> None:
    """Add ``guest``."""
    guest = add_parser(
        commands, "guest", "gather the state of guests, and tell what their routes and firewalls do with packets",
        "netinsight guest script --to collect.sh",
        "netinsight guest read i-a.txt --to i-a.yaml",
        "netinsight guest route routes/ --packets packets.jsonl",
        "netinsight guest firewall rules.v4 --packets packets.jsonl",
    )  # fmt: skip
    kinds = add_commands(guest, "guest_command", "WHAT")
    _add_script(kinds)
    _add_read(kinds)
    _add_route(kinds)
    _add_firewall(kinds)


def _add_script(commands: Any) -> None:
    parser = add_command(
        commands, "script", Run("guest_script", "run"), "print the script that gathers the state of a guest in it",
        "netinsight guest script --to collect.sh",
        "netinsight guest script --shell powershell --to collect.ps1",
        "netinsight guest script --split 2",
    )  # fmt: skip
    parser.add_argument(
        "--shell", choices=("posix", "powershell"), default="posix", help="for Linux, or for Windows (default: posix)"
    )
    parser.add_argument("--split", metavar="N", nargs="?", const=1, type=_part,
        help="a script that prints part N of its output, for an agent that cuts long ones (default: part 1)")  # fmt: skip


def _part(written: str) -> int:
    if not written.isascii() or not written.isdigit() or not 0 < int(written) < 100_000:
        raise argparse.ArgumentTypeError(f"`{written[:20]}` is no number of a part")
    return int(written)


def _add_read(commands: Any) -> None:
    parser = add_command(
        commands, "read", Run("guest_read", "run"), "write what was gathered in guests as a topology has it",
        "netinsight guest read i-a.txt --to i-a.yaml",
        "netinsight guest read part-1.txt part-2.txt part-3.txt",
        "netinsight guest read results.json --output json",
    )  # fmt: skip
    parser.add_argument("paths", metavar="PATH", nargs="+",
        help="outputs of the script, their parts, answers of the agent, or a folder of files; - for standard input")  # fmt: skip
    parser.add_argument("--output", "-o", choices=("yaml", "json"), default="yaml", help="the format (default: yaml)")


def _add_route(commands: Any) -> None:
    parser = add_command(
        commands, "route", Run("guest_route", "run"), "tell where a guest's routes send packets",
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


def _add_firewall(commands: Any) -> None:
    parser = add_command(
        commands, "firewall", Run("guest_firewall", "run"), "tell what a guest's firewall does with packets",
        "netinsight guest firewall rules.v4 --packets packets.jsonl --output jsonl",
        "netinsight guest firewall rules.v4 --packets packets.jsonl --ipsets ipset.txt --output text",
        "netinsight guest firewall ruleset.json --packets packets.jsonl",
        "netinsight guest firewall windows-firewall.json --packets packets.jsonl",
    )  # fmt: skip
    add = parser.add_argument
    add("file", metavar="FILE",
        help="what iptables-save, ip6tables-save, `nft -j list ruleset` or windows-firewall.ps1 printed; - for standard "
             "input")  # fmt: skip
    add("--packets", metavar="FILE", required=True,
        help="JSON lines of chain, src, dst, protocol, sport, dport, …; - for standard input")  # fmt: skip
    add("--ipsets", metavar="FILE", help="what `ipset save` printed, with iptables (default: sets are not modelled)")
    add("--family", type=int, choices=(4, 6), help="IPv4 or IPv6, of iptables (default: what the head says, else 4)")
    add("--output", "-o", choices=("jsonl", "text"), default="jsonl", help="the format (default: jsonl)")
