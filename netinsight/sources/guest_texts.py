"""What is wrong with the texts that a guest printed, told at their keys in the file."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.errors import InputError
from netinsight.guest.described import routing_of
from netinsight.model.findings import Finding
from netinsight.model.topology import Topology


def guest_texts(topology: Topology) -> Iterator[Finding]:
    """Every mistake in the rules and routes of guests."""
    for name, instance in topology.instances.items():
        try:
            if instance.guest is not None:
                routing_of(instance.guest)
        except InputError as error:
            for problem in error.problems:
                key = problem.place.file.strip("<>")
                path = ("instances", name, "guest", key)
                yield Finding(path, f"line {problem.place.line} of `{key}`: {problem.message}", problem.hint)
