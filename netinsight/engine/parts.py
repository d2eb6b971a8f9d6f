"""A field of the rows cut into parts that no row tells apart inside, and what each row holds as ranges of parts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinsight.engine.compiled import compiled_index
from netinsight.engine.index_kernels import BITS
from netinsight.engine.kernels import COLUMNS
from netinsight.engine.tables import Table

Integers = NDArray[np.int64]
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


class Field(NamedTuple):
    """A field of all rows.

    Attributes
    ----------
    cuts
        Where each part begins: numbers, or high and low of addresses.
    starts, firsts, lasts
        Row r holds the parts ``firsts[i]`` to ``lasts[i]`` for i from ``starts[r]`` to ``starts[r + 1] - 1``.
    """

    cuts: Integers
    starts: Integers
    firsts: Integers
    lasts: Integers


class Classes(NamedTuple):
    """The class of each part for some rows, and the rows of each class as bits."""

    labels: NDArray[np.int32]
    vectors: Integers


def rows_of(table: Table) -> Integers:
    """The rows, one a line."""
    return (
        np.frombuffer(table.rows, dtype=np.int64).reshape(-1, COLUMNS) if table.count else np.empty((0, COLUMNS), int)
    )


def addresses_cut(table: Table, column: int) -> Field:
    """The field of the source or the destination."""
    starts = np.frombuffer(table.sets.starts, dtype=np.int64)
    bounds = np.frombuffer(table.sets.bounds or bytes(32), dtype=np.int64).reshape(-1, 4)
    named = rows_of(table)[:, column]
    used = np.unique(named)
    ranges = bounds[_spread(starts[used], starts[used + 1] - starts[used])]
    after = ranges[:, 2:].copy()
    carried = after[:, 1] == _MOST
    open_ended = carried & (after[:, 0] == _MOST)
    after[carried & ~open_ended, 0] += 1
    after[:, 1] = np.where(carried, _LEAST, after[:, 1] + ~carried)
    after[open_ended] = _LEAST
    cuts, where = _distinct(np.concatenate([np.full((1, 2), _LEAST), ranges[:, :2], after]))
    first, beyond = where[1 : 1 + len(ranges)], where[1 + len(ranges) :]
    last = np.where(open_ended, len(cuts), beyond) - 1
    own = np.searchsorted(used, named)
    begins = np.concatenate([[0], np.cumsum(starts[used + 1] - starts[used])])
    counts = begins[own + 1] - begins[own]
    each = _spread(begins[own], counts)
    return Field(cuts, np.concatenate([[0], np.cumsum(counts)]), first[each], last[each])


def numbers_cut(table: Table, column: int, size: int) -> Field:
    """The field of a number below ``size``, whose first and last stand in ``column`` and the next."""
    first, last = rows_of(table)[:, column], rows_of(table)[:, column + 1]
    cuts = np.unique(np.concatenate([[0], first, last[last + 1 < size] + 1]))
    return Field(
        cuts, np.arange(len(first) + 1), np.searchsorted(cuts, first), np.searchsorted(cuts, last, side="right") - 1
    )  # fmt: skip


def classes(field: Field, rows: Integers, most: int) -> Classes | None:
    """The parts as ``rows`` tell them apart, of which bit i stands for the i-th; None if there are more than ``most``."""
    counts = field.starts[rows + 1] - field.starts[rows]
    each = _spread(field.starts[rows], counts)
    firsts, lasts = field.firsts[each], field.lasts[each]
    order = [np.argsort(ends, kind="stable") for ends in (firsts, lasts)]
    words = max(1, -(-len(rows) // BITS))
    owners = np.repeat(np.arange(len(rows)), counts)
    labels, vectors = compiled_index().swept(len(field.cuts), firsts, lasts, owners, *order, words, most)
    return Classes(labels, np.ascontiguousarray(vectors)) if len(labels) else None


def table_of(field: Field, labels: NDArray[np.int32], size: int) -> NDArray[Any]:
    """The label of every number below ``size``."""
    spread = np.repeat(labels, np.diff(field.cuts, append=size))
    return spread.astype(np.uint8 if labels.max() < 1 << 8 else np.uint16)


def _spread(begins: Integers, counts: Integers) -> Integers:
    """The numbers from each begin on, as many as its count, one after the other."""
    total = int(counts.sum())
    return np.repeat(begins - np.concatenate([[0], np.cumsum(counts)[:-1]])[: len(counts)], counts) + np.arange(total)


def _distinct(points: Integers) -> tuple[Integers, Integers]:
    """The distinct addresses in order, and where each address stands among them."""
    order = np.lexsort((points[:, 1], points[:, 0]))
    ordered = points[order]
    new = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])
    where = np.empty(len(points), dtype=np.int64)
    where[order] = np.cumsum(new) - 1
    return ordered[new], where
