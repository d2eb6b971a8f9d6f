"""What is wrong with the texts that a guest printed, told at their lines in the file, else at their keys."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.model.findings import Finding
from netinsight.model.topology import Topology
from netinsight.sources.document import Document

TEXTS = frozenset({"iptables", "ip6tables", "ipsets", "nftables", "windows_firewall", "addresses", "rules", "rules6", "routes",
                   "routes6", "rt_tables", "sysctl"})  # fmt: skip
"""The keys of a guest that hold what a command printed."""


def guest_texts(topology: Topology, document: Document) -> Iterator[Finding]:
    """Every mistake in the texts of guests."""
    for name, instance in topology.instances.items():
        if instance.guest is None or TEXTS.isdisjoint(instance.guest.model_fields_set):
            continue
        from netinsight.sources.guest_files import text_problems  # it brings the readers of all of them

        for key, problem in text_problems(instance.guest):
            path = ("instances", name, "guest", key)
            line, column = problem.place.line, problem.place.column
            if document.spot.find((*path, line, column))[1]:
                yield Finding((*path, line, column), problem.message, problem.hint)
            else:
                yield Finding(path, f"line {line}, column {column} of `{key}`: {problem.message}", problem.hint)
