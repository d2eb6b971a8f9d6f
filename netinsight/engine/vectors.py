"""Bit vectors: of every part of the line of addresses, which rows of a table hold it (Lakshman and Stiliadis, 1998).

The bits of a packet's source and destination together leave few rows to be tried. Nothing is decided by them: a row that
both name is tried as every row is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinsight.addresses import LAST
from netinsight.engine.kernels import BITS, COLUMNS, DESTINATION, SOURCE
from netinsight.engine.tables import Table, halves

MOST_WORDS = 4_000_000
"""32 MB; tables that need more are scanned."""


class Vectors(NamedTuple):
    """What ``kernels.first_matches`` takes: the parts of both addresses as ranges, and their words."""

    parts: NDArray[np.int64]
    sources: int
    last: int
    bits: NDArray[np.int64]


def vectors_of(table: Table) -> Vectors | None:
    """The bit vectors of a table; None where they would be too large."""
    words = (table.count + BITS - 1) // BITS
    parts: list[tuple[int, int, int, int]] = []
    bits = []
    for column in (SOURCE, DESTINATION):
        sets = table.rows[column::COLUMNS]
        held = {number: table.sets.ranges(number) for number in set(sets)}
        cuts = sorted({0, *(cut for ranges in held.values() for first, last in ranges for cut in (first, last + 1))})
        if cuts[-1] > LAST:
            cuts.pop()
        if (len(parts) + len(cuts)) * words > MOST_WORDS:
            return None
        at = {cut: i for i, cut in enumerate(cuts)}
        where = {
            number: [slice(at[first], at.get(last + 1, len(cuts))) for first, last in ranges]
            for number, ranges in held.items()
        }
        own = np.zeros((len(cuts), words), dtype=np.int64)
        for row, number in enumerate(sets):
            for part in where[number]:
                own[part, row // BITS] |= 1 << row % BITS
        ends = [*(cut - 1 for cut in cuts[1:]), LAST]
        parts += [(*halves(first), *halves(last)) for first, last in zip(cuts, ends, strict=True)]
        bits.append(own.reshape(-1))
    sources = len(bits[0]) // words
    return Vectors(np.array(parts, dtype=np.int64).reshape(-1), sources, len(parts), np.concatenate(bits))
