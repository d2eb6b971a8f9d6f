"""First match of many flows by a structure that is built from the rows once; equal to ``kernels.first_match``.

By the number of rows and what they hold: crossproduct tables of all rows; else lists of candidates for the rows that are
narrow, and for the others crossproduct tables or, where these would be too large, bit vectors (``candidates``, ``cores``).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinsight.engine.candidates import Lists, lists_of
from netinsight.engine.compiled import compiled_index
from netinsight.engine.cores import SIZES, Core, core_of
from netinsight.engine.kernels import DESTINATION, FLOW_COLUMNS, PORT, PROTOCOL, SOURCE, SOURCE_PORT
from netinsight.engine.lines import Line, line_of
from netinsight.engine.parts import Integers, addresses_cut, numbers_cut, rows_of
from netinsight.engine.tables import Table

BLOCK = 2048
"""Flows between two stages: what is known of them stays in the cache."""


class V4Flows(NamedTuple):
    """Flows between IPv4 addresses as columns, in their order of the wire."""

    source: NDArray[np.uint32]
    destination: NDArray[np.uint32]
    protocol: NDArray[np.uint8]
    source_port: NDArray[np.uint16]
    port: NDArray[np.uint16]


class _Scratch(NamedTuple):
    """Buffers of a block, written again and again: the first touch of fresh memory is what costs."""

    labels: NDArray[np.int32]
    classes: NDArray[np.int32]
    found: NDArray[np.int32]
    addresses: NDArray[np.uint32]
    protocol: NDArray[np.uint8]
    ports: NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A list of rows as a structure.

    Attributes
    ----------
    kind
        ``crossproduct``, ``candidates and crossproduct``, ``candidates and bit vectors``.
    seconds, bytes
        What it took to build, and what it takes.
    none
        The number of rows: what is found where there is none.
    """

    kind: str
    seconds: float
    bytes: int
    none: int
    ends: tuple[Line, Line]
    core: Core
    lists: Lists | None

    @classmethod
    def build(cls, table: Table) -> Classifier | None:
        """The structure of a table; None where every one would be too large."""
        begun = perf_counter()
        rows, none = rows_of(table), table.count
        fields = [addresses_cut(table, column) for column in (SOURCE, DESTINATION)]
        fields += [
            numbers_cut(table, column, size) for column, size in zip((PROTOCOL, SOURCE_PORT, PORT), SIZES, strict=True)
        ]  # fmt: skip
        lists, core = None, core_of(fields, np.arange(none), none, tables_only=True)
        if core is None:
            lists, wide = lists_of(fields[0], fields[1], rows)
            core = core_of(fields, wide, none)
        if core is None:
            return None
        labels = [np.arange(len(one.cuts), dtype=np.int32) for one in fields[:2]] if lists else core[:2]
        ends = (line_of(fields[0].cuts, labels[0]), line_of(fields[1].cuts, labels[1]))
        kind = f"candidates and {core.kind}" if lists else core.kind
        return cls(kind, perf_counter() - begun, _size((ends, core, lists)), none, ends, core, lists)

    def match(self, flows: Integers | V4Flows) -> Integers:
        """The first match of each flow: row numbers, -1 where no row matches.

        Parameters
        ----------
        flows
            int64 of shape (n, 7), as ``classify.first_matches`` takes them, or IPv4 columns, which is faster.
        """
        columns = flows if isinstance(flows, V4Flows) else None
        line = np.empty((0, FLOW_COLUMNS), dtype=np.int64) if columns else np.ascontiguousarray(flows, dtype=np.int64)
        count = len(columns.source) if columns else len(line)
        rows = np.empty(count, dtype=np.int64)
        room = min(BLOCK, count)
        scratch = _Scratch(
            np.empty((2, room), dtype=np.int32), np.empty((2, room), dtype=np.int32), np.empty(room, dtype=np.int32),
            np.empty(room, dtype=np.uint32), np.empty(room, dtype=np.uint8), np.empty((2, room), dtype=np.uint16),
        )  # fmt: skip
        for begin in range(0, count, BLOCK):
            block = slice(begin, begin + BLOCK)
            if columns:
                self._match_v4(_part(columns, block), rows[block], scratch)
            else:
                self._match_line(line[block], rows[block], scratch)
        return rows

    def _match_v4(self, flows: V4Flows, rows: Integers, scratch: _Scratch) -> None:
        source, destination = scratch.labels[:, : len(rows)]
        self.ends[0].v4.write(flows.source, source)
        self.ends[1].v4.write(flows.destination, destination)
        self._decide(source, destination, flows[2:], rows, scratch)

    def _match_line(self, flows: Integers, rows: Integers, scratch: _Scratch) -> None:
        count = len(rows)
        source, destination = scratch.labels[:, :count]
        self.ends[0].write(flows, 0, scratch.addresses[:count], source)
        self.ends[1].write(flows, 2, scratch.addresses[:count], destination)
        asked = (scratch.protocol[:count], scratch.ports[0, :count], scratch.ports[1, :count])
        sound = compiled_index().narrowed(flows, *asked)
        self._decide(source, destination, asked, rows, scratch)
        if not sound:  # no row holds what is no protocol or port
            rows[((flows[:, 4:] < 0) | (flows[:, 4:] >= SIZES)).any(axis=1)] = -1

    def _decide(
        self,
        source: NDArray[np.int32],
        destination: NDArray[np.int32],
        asked: tuple[Any, Any, Any],
        rows: Integers,
        scratch: _Scratch,
    ) -> None:
        found, (own, other) = scratch.found[: len(rows)], scratch.classes[:, : len(rows)]
        if self.lists is None:
            self.core.decider.match(source, destination, asked, found)
        else:
            compiled_index().classes_of(source, self.core.sources, own)
            compiled_index().classes_of(destination, self.core.destinations, other)
            self.core.decider.match(own, other, asked, found)
            self.lists.improve(source, destination, asked, found)
        compiled_index().told(found, self.none, rows)


def _part(flows: V4Flows, block: slice) -> V4Flows:
    return V4Flows(
        flows.source[block],
        flows.destination[block],
        flows.protocol[block],
        flows.source_port[block],
        flows.port[block],
    )


def _size(held: Any) -> int:
    """The bytes of all arrays in nested tuples."""
    if isinstance(held, np.ndarray):
        return int(held.nbytes)
    return sum(map(_size, held)) if isinstance(held, tuple) else 0
