"""``netinsight guest script``: print what gathers the state of a guest in it."""

from __future__ import annotations

import argparse
from importlib.resources import files

from netinsight.cli.output import write
from netinsight.errors import ExitStatus

_NAMES = {"posix": "collect.sh", "powershell": "collect.ps1"}
_MARK = "# ARGUMENTS\n"
_FIREWALL = "# WINDOWS-FIREWALL\n"
_SET = {"posix": "set -- part {}\n", "powershell": "$Arguments = @('part', '{}')\n"}


def run(arguments: argparse.Namespace) -> int:
    """Print a script; with ``--split`` one that prints a part of what it gathers."""
    folder = files("netinsight.guest") / "collect"
    text = (folder / _NAMES[arguments.shell]).read_text("utf-8")
    text = text.replace(_FIREWALL, (folder / "windows-firewall.ps1").read_text("utf-8"))
    if arguments.split is not None:
        text = text.replace(_MARK, _SET[arguments.shell].format(arguments.split), 1)
    write(text, arguments.to)
    return ExitStatus.REACHABLE
