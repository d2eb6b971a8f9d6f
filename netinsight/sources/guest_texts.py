"""What is wrong with the texts that a guest printed, told at their lines in the file, else at their keys."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.model.findings import Finding
from netinsight.model.topology import Topology
from netinsight.sources.document import Document
from netinsight.sources.guest_files import text_problems


def guest_texts(topology: Topology, document: Document) -> Iterator[Finding]:
    """Every mistake in the texts of guests."""
    for name, instance in topology.instances.items():
        for key, problem in text_problems(instance.guest) if instance.guest is not None else ():
            path = ("instances", name, "guest", key)
            line, column = problem.place.line, problem.place.column
            if document.spot.find((*path, line, column))[1]:
                yield Finding((*path, line, column), problem.message, problem.hint)
            else:
                yield Finding(path, f"line {line} of `{key}`: {problem.message}", problem.hint)
