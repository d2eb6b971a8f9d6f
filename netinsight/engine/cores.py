"""First match among rows by the classes of all five fields: by crossproduct tables, or by aggregated bit vectors.

Crossproduct tables (Gupta and McKeown's recursive flow classification, 1999) tell the row in four look-ups, and are as
large as the classes multiplied. Bit vectors (Lakshman and Stiliadis, 1998; aggregated: Baboescu and Varghese, 2001) are
as large as the classes times the rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinsight.engine.compiled import compiled_index
from netinsight.engine.index_kernels import BITS, NOT_HELD
from netinsight.engine.parts import Classes, Field, Integers, classes, table_of

MOST_CELLS = 1 << 23
"""Cells of a crossproduct table, at two bytes each: what a large cache holds."""
MOST_WORK = 1 << 30
"""Words that are read to build one: about a second."""
MOST_WORDS = 1 << 25
"""Words of the bit vectors of all fields together: 256 MB."""
SIZES = (1 << 8, 1 << 16, 1 << 16)
"""Of protocol, source port and port."""
_POSITIONS = np.full(67, NOT_HELD, dtype=np.int64)
_POSITIONS[[(1 << bit) % 67 for bit in range(BITS)]] = np.arange(BITS)

Labels = NDArray[np.int32]


class Crossproduct(NamedTuple):
    """Tables of the classes of source and destination, of source port and protocol, of these and the port, of both."""

    pairs: NDArray[Any]
    of_protocol: NDArray[Any]
    of_source_port: NDArray[Any]
    of_port: NDArray[Any]
    first: NDArray[Any]
    second: NDArray[Any]
    rows: NDArray[Any]

    def match(self, sources: Labels, destinations: Labels, asked: tuple[Any, Any, Any], found: Labels) -> None:
        """Write the first row of each flow: the classes of its addresses, its protocol, source port and port."""
        compiled_index().by_tables(sources, destinations, *asked, *self, found)


class Vectors(NamedTuple):
    """The rows of each class of each field (source, destination, protocol, source port, port) as bits."""

    of_protocol: NDArray[Any]
    of_source_port: NDArray[Any]
    of_port: NDArray[Any]
    vectors: tuple[Integers, ...]
    aggregates: tuple[Integers, ...]
    rows: Integers
    none: int

    def match(self, sources: Labels, destinations: Labels, asked: tuple[Any, Any, Any], found: Labels) -> None:
        """As ``Crossproduct.match``."""
        compiled_index().by_vectors(
            sources, destinations, *asked, self.of_protocol, self.of_source_port, self.of_port, *self.vectors,
            *self.aggregates, self.rows, self.none, _POSITIONS, found,
        )  # fmt: skip


class Core(NamedTuple):
    """The classes of the parts of source and destination, and what gives the first row of them."""

    sources: Labels
    destinations: Labels
    decider: Crossproduct | Vectors

    @property
    def kind(self) -> str:
        """Its name."""
        return "crossproduct" if isinstance(self.decider, Crossproduct) else "bit vectors"


def core_of(fields: list[Field], rows: Integers, none: int, *, tables_only: bool = False) -> Core | None:
    """The core of some rows, given in order; None where it would be too large."""
    held: list[Classes] = []
    words = max(1, -(-len(rows) // BITS))
    room = MOST_WORDS
    for field in fields:
        found = classes(field, rows, room // words)
        if found is None:
            return None
        room -= found.vectors.size
        held.append(found)
    direct = [
        table_of(field, one.labels, size) for field, one, size in zip(fields[2:], held[2:], SIZES, strict=True)
    ]  # fmt: skip
    decider: Crossproduct | Vectors | None = _crossproduct(held, direct, rows, none)
    if decider is None and not tables_only:
        vectors = tuple(one.vectors for one in held)
        decider = Vectors(direct[0], direct[1], direct[2], vectors, tuple(map(_aggregate, vectors)), rows, none)
    return Core(held[0].labels, held[1].labels, decider) if decider else None


def _crossproduct(held: list[Classes], direct: list[NDArray[Any]], rows: Integers, none: int) -> Crossproduct | None:
    source, destination, protocol, source_port, port = (one.vectors for one in held)
    tables: list[NDArray[Any]] = []
    known: list[Integers] = []
    for one, other in ((source_port, protocol), (None, port), (source, destination)):
        one = known[-1] if one is None else one
        cells = len(one) * len(other)
        if cells > MOST_CELLS or cells * one.shape[1] > MOST_WORK:
            return None
        most = MOST_CELLS // len(known[-1]) if other is destination else MOST_CELLS
        table, vectors = compiled_index().crossed(one, other, most)
        if not len(table):
            return None
        tables.append(table.astype(np.uint16 if len(vectors) <= 1 << 16 else np.int32))
        known.append(vectors)
    asked, pairs = known[1:]
    decided = np.empty((len(pairs), len(asked)), dtype=np.int16 if none < 1 << 15 else np.int32)
    numbers = np.append(rows, none)  # never empty
    compiled_index().decided(pairs, asked, numbers, none, _POSITIONS, decided)
    return Crossproduct(tables[2], direct[0], direct[1], direct[2], tables[0], tables[1], decided)


def _aggregate(vectors: Integers) -> Integers:
    """Of each vector which words are not 0, as bits."""
    many = -(-vectors.shape[1] // BITS)
    held = np.zeros((len(vectors), many * BITS), dtype=np.int64)
    held[:, : vectors.shape[1]] = vectors != 0
    aggregates: Integers = held.reshape(len(vectors), many, BITS) @ (np.int64(1) << np.arange(BITS))
    return aggregates
