"""Sparse lists of candidates: a row whose source or destination is narrow is tried only where a packet is in it.

Of large lists nearly all rows are narrow on one side, and a part of that side is held by few of them: what is left for
the core are the rows that are wide on both sides.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinsight.engine.compiled import compiled_index
from netinsight.engine.cores import Labels
from netinsight.engine.index_kernels import NOT_HELD
from netinsight.engine.kernels import PORT, PROTOCOL, SOURCE_PORT
from netinsight.engine.parts import Field, Integers

WIDEST = 64
"""Entries that a row may have."""
LONGEST = 64
"""Entries of a list; a row that would make one longer is left to the core."""


class Lists(NamedTuple):
    """The lists of the parts of the sources, and of those of the destinations."""

    starts: tuple[NDArray[np.int32], NDArray[np.int32]]
    entries: tuple[NDArray[np.int32], NDArray[np.int32]]

    def improve(self, sources: Labels, destinations: Labels, asked: tuple[Any, Any, Any], found: Labels) -> None:
        """Put the first row of the lists in the place of what was found, where it comes before that."""
        for own, other, starts, entries in zip(
            (sources, destinations), (destinations, sources), self.starts, self.entries, strict=True
        ):
            compiled_index().by_lists(own, other, *asked, starts, entries, found)


def lists_of(source: Field, destination: Field, rows: Integers) -> tuple[Lists, Integers]:
    """The lists of the rows that are narrow, and the numbers of the others."""
    starts = np.stack([source.starts, destination.starts])
    firsts, lasts = _both(source.firsts, destination.firsts), _both(source.lasts, destination.lasts)
    lengths = np.zeros((2, max(len(source.cuts), len(destination.cuts))), dtype=np.int64)
    sides = np.full(len(rows), NOT_HELD, dtype=np.int64)
    compiled_index().shared_out(sides, starts, firsts, lasts, WIDEST, LONGEST + 1, lengths)
    asked = np.column_stack(
        [
            rows[:, PROTOCOL] | rows[:, PROTOCOL + 1] << 8,
            rows[:, SOURCE_PORT : SOURCE_PORT + 2],
            rows[:, PORT : PORT + 2],
        ]
    )
    begins, entries = [], []
    for side in range(2):
        ends = np.concatenate([[0], np.cumsum(lengths[side])])
        free, written = ends[:-1].copy(), np.zeros((int(ends[-1]) + 1, 8), dtype=np.int32)  # never empty
        compiled_index().listed(side, sides, starts, firsts, lasts, asked, free, written)
        begins.append(ends.astype(np.int32))
        entries.append(written)
    return Lists((begins[0], begins[1]), (entries[0], entries[1])), np.flatnonzero(sides == NOT_HELD)


def _both(one: Integers, other: Integers) -> Integers:
    both = np.zeros((2, max(len(one), len(other))), dtype=np.int64)
    both[0, : len(one)], both[1, : len(other)] = one, other
    return both
