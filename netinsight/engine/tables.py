"""Packed rows: the only statement of policy, built once and read by the kernels."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from netinsight.addresses import LAST, Range, merge
from netinsight.flow import EVERY_PORT, PortRange

if TYPE_CHECKING:
    from netinsight.engine.classifier import Classifier

_HALF = 1 << 64
_BIAS = 1 << 63

EVERYWHERE = (Range(0, LAST),)
"""Every address of both families."""


def halves(address: int) -> tuple[int, int]:
    """An address as the two signed integers that the kernels compare."""
    return (address >> 64) - _BIAS, address % _HALF - _BIAS


def whole_address(high: int, low: int) -> int:
    """The address of two halves."""
    return ((high + _BIAS) << 64) + low + _BIAS


class AddressSets:
    """Sets of addresses, each stated once; what the source and destination columns of rows point to."""

    def __init__(self) -> None:
        self.bounds = array("q")
        self.starts = array("q", [0])
        self._sets: list[tuple[Range, ...]] = []
        self._known: dict[tuple[Range, ...], int] = {}

    def number(self, ranges: Iterable[Range]) -> int:
        """The number of the set of these addresses."""
        wanted = merge(ranges)
        if wanted not in self._known:
            for first, last in wanted:
                self.bounds.extend((*halves(first), *halves(last)))
            self.starts.append(len(self.bounds) // 4)
            self._known[wanted] = len(self._sets)
            self._sets.append(wanted)
        return self._known[wanted]

    def __iter__(self) -> Iterator[tuple[Range, ...]]:
        return iter(self._sets)

    def ranges(self, number: int) -> tuple[Range, ...]:
        """The addresses of a set, sorted and disjoint."""
        return self._sets[number]


class Row(NamedTuple):
    """One row before it is packed; every range is inclusive."""

    source: tuple[Range, ...] = EVERYWHERE
    destination: tuple[Range, ...] = EVERYWHERE
    protocol: tuple[int, int] = (0, 255)
    source_ports: PortRange = EVERY_PORT
    ports: PortRange = EVERY_PORT
    accepts: bool = False
    certain: bool = True


@dataclass
class Table:
    """A list of packed rows; the first match of a flow is its meaning.

    Attributes
    ----------
    rows : array('q')
        ``kernels.COLUMNS`` integers a row.
    sets : AddressSets
        What the address columns point to; shared by all tables of a network.
    kept
        The content of ``rows`` and what ``classify.classifier_of`` built of it.
    """

    sets: AddressSets
    rows: array[int] = field(default_factory=lambda: array("q"))
    count: int = 0
    kept: tuple[bytes, Classifier | None] | None = field(default=None, repr=False, compare=False)

    def add(self, row: Row) -> int:
        """Append a row; returns its number."""
        self.rows.extend(
            (
                self.sets.number(row.source),
                self.sets.number(row.destination),
                *row.protocol,
                *row.source_ports,
                *row.ports,
                int(row.accepts),
                int(row.certain),
            )
        )
        self.count += 1
        return self.count - 1
