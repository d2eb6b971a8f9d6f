"""Every function that is compiled when there is a batch, and runs as it stands for one question.

Nothing is imported but for the types, no object is made: the arguments are flat buffers of 64-bit integers
(``array('q')`` for one question, numpy arrays for many) and plain integers, so that one text has one meaning in both
modes.

An address of the line (see ``addresses``) is two signed integers, its halves less 2**63: their order is the order of
the addresses, and no unsigned number, which would turn into a float beside a signed one, ever appears.

A set of addresses is the sorted, disjoint ranges ``starts[s]`` to ``starts[s + 1]`` of ``bounds``, four integers a
range: first high, first low, last high, last low.

A row is ``COLUMNS`` integers: source set, destination set, protocol first and last, source port first and last,
port first and last (all inclusive), action (1 accepts), certain (0: the row may or may not be there).

The meaning of a list of rows is defined here and nowhere else: the first row that matches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableSequence, Sequence

COLUMNS = 10
SOURCE, DESTINATION, PROTOCOL, SOURCE_PORT, PORT, ACTION, CERTAIN = 0, 1, 2, 4, 6, 8, 9
FLOW_COLUMNS = 7


def in_set(bounds: Sequence[int], starts: Sequence[int], which: int, high: int, low: int) -> bool:
    """Whether the address (high, low) is in set ``which``: the last range that begins at or below it must reach it."""
    left = starts[which]
    right = starts[which + 1]
    first = left
    while left < right:
        middle = (left + right) // 2
        at = 4 * middle
        if bounds[at] < high or (bounds[at] == high and bounds[at + 1] <= low):
            left = middle + 1
        else:
            right = middle
    if left == first:
        return False
    at = 4 * (left - 1)
    return high < bounds[at + 2] or (high == bounds[at + 2] and low <= bounds[at + 3])


def ends_match(
    rows: Sequence[int],
    row: int,
    bounds: Sequence[int],
    starts: Sequence[int],
    source_high: int,
    source_low: int,
    high: int,
    low: int,
    protocol: int,
) -> bool:
    """Whether a row matches both addresses and the protocol, whatever the ports."""
    at = row * COLUMNS
    return (
        rows[at + PROTOCOL] <= protocol <= rows[at + PROTOCOL + 1]
        and in_set(bounds, starts, rows[at + SOURCE], source_high, source_low)
        and in_set(bounds, starts, rows[at + DESTINATION], high, low)
    )


def first_match(
    rows: Sequence[int],
    count: int,
    bounds: Sequence[int],
    starts: Sequence[int],
    source_high: int,
    source_low: int,
    high: int,
    low: int,
    protocol: int,
    source_port: int,
    port: int,
) -> int:
    """The first row that matches a flow, -1 where none does."""
    for row in range(count):
        at = row * COLUMNS
        if (
            rows[at + PORT] <= port <= rows[at + PORT + 1]
            and rows[at + SOURCE_PORT] <= source_port <= rows[at + SOURCE_PORT + 1]
            and ends_match(rows, row, bounds, starts, source_high, source_low, high, low, protocol)
        ):
            return row
    return -1


def first_matches(
    rows: Sequence[int],
    count: int,
    bounds: Sequence[int],
    starts: Sequence[int],
    flows: Sequence[int],
    number: int,
    found: MutableSequence[int],
) -> None:
    """``found[i]`` becomes the first match of flow i: source high and low, high and low, protocol, source port, port."""
    for i in range(number):
        at = i * FLOW_COLUMNS
        found[i] = first_match(
            rows, count, bounds, starts, flows[at], flows[at + 1], flows[at + 2], flows[at + 3], flows[at + 4],
            flows[at + 5], flows[at + 6],
        )  # fmt: skip


IN_ORDER = (in_set, ends_match, first_match, first_matches)
"""Callees before callers: the order in which they are compiled."""
