"""What is wrong with the texts that a guest printed, told at their lines in the file, else at their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from netinsight.errors import InputError, Problem
from netinsight.model.findings import Finding
from netinsight.model.guest import Guest
from netinsight.model.topology import Topology
from netinsight.sources.document import Document
from netinsight.sources.guest_described import (
    addresses_of,
    firewall_of,
    nftables_of,
    routing_of,
    windows_firewall_of,
)

if TYPE_CHECKING:
    from netinsight.guest.lines import Written


def guest_texts(topology: Topology, document: Document) -> Iterator[Finding]:
    """Every mistake in the texts of guests."""
    for name, instance in topology.instances.items():
        for key, problem in text_problems(instance.guest) if instance.guest else ():
            path = ("instances", name, "guest", key)
            line, column = problem.place.line, problem.place.column
            if document.spot.find((*path, line, column))[1]:
                yield Finding((*path, line, column), problem.message, problem.hint)
            else:
                yield Finding(path, f"line {line}, column {column} of `{key}`: {problem.message}", problem.hint)


_READERS: tuple[Callable[[Guest], object], ...] = (
    routing_of, addresses_of, partial(firewall_of, family=4), partial(firewall_of, family=6), nftables_of,
    windows_firewall_of,
)  # fmt: skip


def text_problems(guest: Guest, places: dict[str, Written] | None = None) -> Iterator[tuple[str, Problem]]:
    """Every mistake in the texts that a guest printed, with the key of the text; at its place in a file where one is known."""
    told: dict[Problem, None] = {}
    for read in _READERS:
        try:
            read(guest)
        except InputError as error:
            told |= dict.fromkeys(error.problems)  # two readers may read one text
    for problem in told:
        key = problem.place.file.strip("<>")
        written = (places or {}).get(key)
        place = written.place(problem.place.line, problem.place.column) if written else problem.place
        yield key, problem._replace(place=place)
