"""What a shell completes: commands and options, and the objects of the topology that the line names."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import argcomplete
from argcomplete.completers import ChoicesCompleter
from argcomplete.shell_integration import shellcode

from netinsight.cli.output import write
from netinsight.diagnosis.presets import PRESETS
from netinsight.errors import ExitStatus, NetInsightError


def run(arguments: argparse.Namespace) -> int:
    """Print the shell's part of it."""
    write(shellcode(["netinsight"], shell=arguments.shell) + "\n", arguments.to)
    return ExitStatus.REACHABLE


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and end the process, where it asks."""
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for command in commands.choices.values():
        for action in command._actions:
            if action.dest in ("src", "dst", "object", "via", "avoid"):
                action.completer = _Objects(action.dest)
            elif action.dest == "assume":
                action.completer = _assumptions
            elif action.dest == "item":
                action.completer = _items
            elif action.dest == "preset":
                action.completer = ChoicesCompleter(dict.fromkeys(PRESETS, ""))
    argcomplete.autocomplete(parser)


class _Objects:
    """The objects that may stand somewhere; the file need not be valid, only readable."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __call__(self, prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
        """Those that begin with ``prefix``."""
        topology = getattr(parsed_args, "topology", None)
        if not topology or not (Path(topology).is_file() or Path(topology).is_dir()):  # a pipe would be waited for
            return []
        return [one for one in dict.fromkeys(self._all(topology)) if one.startswith(prefix) and one.isprintable()]

    def _all(self, topology: str) -> Iterator[str]:
        from netinsight.model.topology import SECTIONS
        from netinsight.sources.topology_file import read_documents

        try:
            document = read_documents(topology, None)[0].value
        except NetInsightError:
            return
        sections = SECTIONS if self.where in ("object", "via", "avoid") else ("instances", "network_interfaces")
        for section in sections:
            yield from _ids(document.get(section))
        for instance in _values(document.get("instances")):
            yield from _ids(instance.get("network_interfaces"))
            if isinstance(instance.get("name"), str):
                yield instance["name"]
        if self.where in ("src", "dst"):
            yield "internet"


def _ids(section: Any) -> Iterator[str]:
    yield from section if isinstance(section, dict) else ()


def _values(section: Any) -> Iterator[dict[str, Any]]:
    yield from (value for value in section.values() if isinstance(value, dict)) if isinstance(section, dict) else ()


def _assumptions(prefix: str, **_: Any) -> list[str]:
    from netinsight.model.assumptions import ASSUMPTIONS

    pairs = (f"{name}={value}" for name, values in ASSUMPTIONS.items() for value in values)
    return [pair for pair in pairs if pair.startswith(prefix)]


def _items(prefix: str, **_: Any) -> list[str]:
    from netinsight.diagnosis.catalogue import load_catalogue, load_reference
    from netinsight.diagnosis.glossary import entries, names_elsewhere

    reference = load_reference()
    ours = [name for name in entries(load_catalogue(), reference) if name.startswith(prefix)]
    if ours:  # the names of other clouds are many: only who begins one is offered them
        return ours
    return [name for name in names_elsewhere(reference) if " " not in name and name.startswith(prefix)]
