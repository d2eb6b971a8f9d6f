"""Why a port passes for some only: for some hosts, for some client ports, or on some of the paths that it may take."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

from netinsight.addresses import Range
from netinsight.diagnosis.case import Case, Result
from netinsight.diagnosis.verdict import Answer, passing
from netinsight.engine.spaces import joined, overlap
from netinsight.flow import PortRange

By = Literal["hosts", "client_ports", "paths"]


class Partly(NamedTuple):
    """Ports, what tells those that pass from those that do not, and on how many of their paths they pass whole."""

    ports: list[PortRange]
    by: tuple[By, ...]
    passing: int
    of: int


class _Fate(NamedTuple):
    """What becomes of a port on one path."""

    hosts: tuple[Range, ...]
    passes: Literal["yes", "partly", "no"]


def partly(case: Case, results: list[Result], answered: Answer) -> list[Partly]:
    """The ports that pass for some, those of one reason together."""
    found: dict[tuple[tuple[By, ...], int, int], list[PortRange]] = {}
    for piece, fates in _pieces(case, results, answered.some):
        whole = sum(fate.passes == "yes" for fate in fates)
        found.setdefault((tuple(_by(fates)), whole, len(fates)), []).append(piece)
    return [Partly(joined(ports), *key) for key, ports in found.items()]


def _pieces(case: Case, results: list[Result], some: list[PortRange]) -> Iterator[tuple[PortRange, list[_Fate]]]:
    """Pieces of ports that no path tells apart, each with its fate on every path that it may take."""
    walks = [(walk, *passing(walk, results, unknown_passes=False)) for walk in case.walks]
    ranges = [one for walk, every, partial in walks for one in (walk.box.ports, *every, *partial)]
    edges = sorted({edge for first, last in ranges for edge in (first, last + 1)})
    for first, last in some:
        cuts = [first, *(edge for edge in edges if first < edge <= last), last + 1]
        for start, end in pairwise(cuts):
            piece = PortRange(start, end - 1)
            fates = [
                _Fate(walk.hosts, "yes" if _in(piece, every) else "partly" if _in(piece, partial) else "no")
                for walk, every, partial in walks if overlap(piece, walk.box.ports)
            ]  # fmt: skip
            yield piece, fates


def _in(piece: PortRange, ports: list[PortRange]) -> bool:
    return any(overlap(piece, one) for one in ports)


def _by(fates: list[_Fate]) -> Iterator[By]:
    by_hosts: dict[tuple[Range, ...], set[str]] = {}
    for fate in fates:
        by_hosts.setdefault(fate.hosts, set()).add(fate.passes)
    if len({frozenset(found) for found in by_hosts.values()}) > 1:
        yield "hosts"
    if any(fate.passes == "partly" for fate in fates):
        yield "client_ports"
    if any(len(found) > 1 for found in by_hosts.values()):
        yield "paths"
