"""What is wrong with the texts that a guest printed, told at their keys in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from netinsight.errors import InputError, Problem
from netinsight.guest.described import addresses_of, firewall_of, routing_of
from netinsight.model.findings import Finding
from netinsight.model.guest import Guest
from netinsight.model.topology import Topology

_READERS: tuple[Callable[[Guest], object], ...] = (routing_of, addresses_of, partial(firewall_of, family=4),
                                                   partial(firewall_of, family=6))  # fmt: skip


def guest_texts(topology: Topology) -> Iterator[Finding]:
    """Every mistake in what guests printed of their addresses, rules, routes and firewalls."""
    for name, instance in topology.instances.items():
        if instance.guest is None:
            continue
        for problem in dict.fromkeys(one for read in _READERS for one in _problems(read, instance.guest)):
            key = problem.place.file.strip("<>")
            path = ("instances", name, "guest", key)
            exact = (*path, problem.place.line, problem.place.column)
            if topology.place(*exact) != topology.place(*path, ""):
                yield Finding(exact, f"`{key}` of {name}: {problem.message}", problem.hint)
            else:  # a text in one line, as JSON has it
                yield Finding(path, f"line {problem.place.line} of `{key}`: {problem.message}", problem.hint)


def _problems(read: Callable[[Guest], object], guest: Guest) -> list[Problem]:
    try:
        read(guest)
    except InputError as error:
        return list(error.problems)
    return []
