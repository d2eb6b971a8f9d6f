"""First match over packed rows: of one flow, of many, and of a box of ports at once.

All three are the same definition (``kernels.first_match``). ``partition`` cuts a box by the rows that match its ends;
on each point of each cell the definition finds the cell's deciding row, which the tests check.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from netinsight.engine import kernels
from netinsight.engine.spaces import Box, cut, overlap
from netinsight.engine.tables import Table, halves
from netinsight.flow import PortRange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netinsight.engine.classifier import Classifier


SCANNED = 4_000_000
"""Rows times flows beyond which a structure of the rows is built; a row beyond ``LARGE`` costs a flow no more."""
LARGE = 1000


class Decision(StrEnum):
    """What a list says of a packet; unknown where rows that may or may not be there would turn it."""

    ACCEPT = "accept"
    DROP = "drop"
    UNKNOWN = "unknown"


class Cell(NamedTuple):
    """A part of a box with one fate: the rows that may decide it, of which only the last is certain."""

    box: Box
    rows: tuple[int, ...]


def first_match(table: Table, source: int, destination: int, protocol: int, source_port: int, port: int) -> int:
    """The number of the first row that matches one flow, -1 where none does.

    Parameters
    ----------
    source, destination
        Addresses of the line, see ``addresses``.
    """
    return kernels.first_match(
        table.rows, 0, table.count, table.sets.bounds, table.sets.starts, *halves(source), *halves(destination), protocol,
        source_port, port,
    )  # fmt: skip


def first_matches(table: Table, flows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first match of many flows, compiled.

    Parameters
    ----------
    flows : int64, shape (n, 7)
        Source high and low, destination high and low (``tables.halves``), protocol, source port, port.

    Returns
    -------
    int64, shape (n,)
        Row numbers; -1 where no row matches.
    """
    import numpy as np

    from netinsight.engine.compiled import compiled

    if min(table.count, LARGE) * len(flows) > SCANNED:
        classifier = classifier_of(table)
        if classifier is not None:
            return classifier.match(flows)
    found = np.full(len(flows), -1, dtype=np.int64)
    flat = np.ascontiguousarray(flows, dtype=np.int64).reshape(-1)
    compiled().next_matches(*_buffers(table), flat, np.arange(len(flows), dtype=np.int64), len(flows), found)
    return found


def classifier_of(table: Table) -> Classifier | None:
    """The structure of a table's rows as they are now, built when they are first asked for; None if it is too large."""
    from netinsight.engine.classifier import Classifier

    content = table.rows.tobytes()  # a set, once numbered, does not change
    if table.kept is None or table.kept[0] != content:
        table.kept = (content, Classifier.build(table))
    return table.kept[1]


def all_matches(table: Table, flows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Every match of many flows, as (flows, a row of each): first the first row of each, then the second, …

    Parameters
    ----------
    flows
        As ``first_matches``.
    """
    import numpy as np

    from netinsight.engine.compiled import compiled

    found = np.full(len(flows), -1, dtype=np.int64)
    flat = np.ascontiguousarray(flows, dtype=np.int64).reshape(-1)
    which = np.arange(len(flows), dtype=np.int64)
    while len(which):
        compiled().next_matches(*_buffers(table), flat, which, len(which), found)
        which = which[found[which] >= 0]
        yield which, found[which]


def _buffers(table: Table) -> tuple[NDArray[np.int64], int, NDArray[np.int64], NDArray[np.int64]]:
    """A table as the kernels take it."""
    import numpy as np

    rows, bounds, starts = (
        np.frombuffer(buffer, dtype=np.int64) if len(buffer) else np.empty(0, dtype=np.int64)
        for buffer in (table.rows, table.sets.bounds, table.sets.starts)
    )
    return rows, table.count, bounds, starts


def candidates(table: Table, source: int, destination: int, protocol: int) -> list[int]:
    """The rows that match two addresses and a protocol on some ports, in order."""
    ends = (*halves(source), *halves(destination), protocol)
    return [
        row for row in range(table.count)
        if kernels.ends_match(table.rows, row, table.sets.bounds, table.sets.starts, *ends)
    ]  # fmt: skip


def partition(table: Table, source: int, destination: int, protocol: int, box: Box) -> list[Cell]:
    """Cut a box by the first row that matches; a part that no certain row takes has only uncertain ones, or none."""
    pending: list[Cell] = [Cell(box, ())]
    decided: list[Cell] = []
    for row in candidates(table, source, destination, protocol):
        if not _meets(table, row, box):
            continue
        matched, certain = _row_box(table, row), is_certain(table, row)
        left: list[Cell] = []
        for cell in pending:
            part, rest = cut(cell.box, matched)
            left += [Cell(piece, cell.rows) for piece in rest]
            if part is not None:
                (decided if certain else left).append(Cell(part, (*cell.rows, row)))
        pending = left
        if not pending:
            break
    return decided + pending


def _meets(table: Table, row: int, box: Box) -> bool:
    """Whether a row matches any ports of a box; most rows of a list that is asked about one port do not."""
    at, rows = row * kernels.COLUMNS, table.rows
    return (
        rows[at + kernels.PORT] <= box.ports.last
        and box.ports.first <= rows[at + kernels.PORT + 1]
        and rows[at + kernels.SOURCE_PORT] <= box.source_ports.last
        and box.source_ports.first <= rows[at + kernels.SOURCE_PORT + 1]
    )


def _row_box(table: Table, row: int) -> Box:
    at = row * kernels.COLUMNS
    source, port = at + kernels.SOURCE_PORT, at + kernels.PORT
    return Box(PortRange(*table.rows[source : source + 2]), PortRange(*table.rows[port : port + 2]))


def accepts(table: Table, row: int) -> bool:
    """What a row does."""
    return bool(table.rows[row * kernels.COLUMNS + kernels.ACTION])


def is_certain(table: Table, row: int) -> bool:
    """Whether a row is there; one that is not certain may be or not."""
    return bool(table.rows[row * kernels.COLUMNS + kernels.CERTAIN])


def fields_matched(table: Table, row: int, source: int, destination: int, protocol: int, box: Box) -> tuple[int, ...]:
    """How each field of a row meets a packet: source, destination, protocol, source ports, ports; 0 no, 1 in part, 2 yes.

    ``kernels.ends_match`` is the first three together.
    """
    rows, sets, at = table.rows, table.sets, row * kernels.COLUMNS
    matched = _row_box(table, row)
    return (
        2 * kernels.in_set(sets.bounds, sets.starts, rows[at + kernels.SOURCE], *halves(source)),
        2 * kernels.in_set(sets.bounds, sets.starts, rows[at + kernels.DESTINATION], *halves(destination)),
        2 * (rows[at + kernels.PROTOCOL] <= protocol <= rows[at + kernels.PROTOCOL + 1]),
        _share(matched.source_ports, box.source_ports),
        _share(matched.ports, box.ports),
    )


def _share(mine: PortRange, asked: PortRange) -> int:
    both = overlap(mine, asked)
    return 0 if both is None else 2 if both == asked else 1


def decide(table: Table, cell: Cell) -> Decision:
    """What a cell's rows say together: unknown where they differ, drop where there is none."""
    fates = {accepts(table, row) for row in cell.rows}
    if len(fates) > 1:
        return Decision.UNKNOWN
    return Decision.ACCEPT if True in fates else Decision.DROP
