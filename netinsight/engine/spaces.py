"""Exact sets of (source port, port): boxes, and regions made of disjoint boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from netinsight.flow import PortRange


class Box(NamedTuple):
    """All pairs of a source port and a port of two inclusive ranges."""

    source_ports: PortRange
    ports: PortRange

    def swapped(self) -> Box:
        """The box of the reply, whose ports are the other way round."""
        return Box(self.ports, self.source_ports)


Region = tuple[Box, ...]
"""Disjoint boxes."""


def overlap(a: PortRange, b: PortRange) -> PortRange | None:
    """The ports that both ranges hold."""
    first, last = max(a.first, b.first), min(a.last, b.last)
    return PortRange(first, last) if first <= last else None


def cut(box: Box, other: Box) -> tuple[Box | None, list[Box]]:
    """The part of ``box`` inside ``other``, and the disjoint rest."""
    sources, ports = overlap(box.source_ports, other.source_ports), overlap(box.ports, other.ports)
    if sources is None or ports is None:
        return None, [box]
    rest = [Box(strip, box.ports) for strip in _around(box.source_ports, sources)]
    rest += [Box(sources, strip) for strip in _around(box.ports, ports)]
    return Box(sources, ports), rest


def _around(whole: PortRange, part: PortRange) -> Iterator[PortRange]:
    if whole.first < part.first:
        yield PortRange(whole.first, part.first - 1)
    if part.last < whole.last:
        yield PortRange(part.last + 1, whole.last)


def subtract(region: Iterable[Box], hole: Iterable[Box]) -> Region:
    """What of ``region`` lies outside ``hole``."""
    left = list(region)
    for other in hole:
        left = [rest for box in left for rest in cut(box, other)[1]]
    return tuple(left)


def intersect(region: Iterable[Box], other: Iterable[Box]) -> Region:
    """What of ``region`` lies inside ``other`` (disjoint boxes too)."""
    others = list(other)
    return tuple(part for box in region for hole in others if (part := cut(box, hole)[0]) is not None)


def ports_of(region: Region, whole: Box) -> tuple[list[PortRange], list[PortRange]]:
    """The ports of ``region`` for which every source port of ``whole`` is there, and those for which only some are."""
    edges = sorted(
        {whole.ports.first, whole.ports.last + 1, *(e for box in region for e in (box.ports.first, box.ports.last + 1))}
    )
    every: list[PortRange] = []
    some: list[PortRange] = []
    width = whole.source_ports.last - whole.source_ports.first + 1
    for first, after in pairwise(edges):
        held = sum(
            b.source_ports.last - b.source_ports.first + 1 for b in region if b.ports.first <= first <= b.ports.last
        )
        if held:
            (every if held == width else some).append(PortRange(first, after - 1))
    return joined(every), joined(some)


def joined(ports: Iterable[PortRange]) -> list[PortRange]:
    """The same ports as sorted, maximal ranges."""
    together: list[PortRange] = []
    for first, last in sorted(ports):
        if together and first <= together[-1].last + 1:
            together[-1] = PortRange(together[-1].first, max(last, together[-1].last))
        else:
            together.append(PortRange(first, last))
    return together


def common(a: Iterable[PortRange], b: Iterable[PortRange]) -> list[PortRange]:
    """The ports of both lists."""
    others = list(b)
    return joined(part for x in a for y in others if (part := overlap(x, y)))


def without(ports: Iterable[PortRange], holes: Iterable[PortRange]) -> list[PortRange]:
    """The ports of the first list that are not in the second."""
    left = list(ports)
    for hole in holes:
        left = [rest for one in left for rest in _outside(one, hole)]
    return joined(left)


def _outside(ports: PortRange, hole: PortRange) -> list[PortRange]:
    part = overlap(ports, hole)
    return [ports] if part is None else list(_around(ports, part))
