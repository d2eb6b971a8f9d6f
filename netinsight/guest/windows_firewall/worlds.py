"""Which ends a packet may come to where rows hang on what is not known.

A row only ever asks that something is so, never that it is not. A row may therefore decide if and only if it decides where
nothing is so but what it asks for and what is known: whatever else were so could only let a row before it match.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from netinsight.guest.windows_firewall.rows import Origin
from netinsight.guest.windows_firewall.rules import Condition, World, followed

MOST_STEPS = 2_000_000


Rows = Sequence[tuple[Origin, bool]]
"""Rows in order, each with whether it accepts; the last has no condition."""


class TooManyError(Exception):
    """There are more rows that hang on something than are compared."""


def ends(rows: Rows, known: World) -> dict[bool, Origin] | None:
    """Of the rows what may decide, by its outcome; None where there are too many to compare."""
    found: dict[bool, Origin] = {}
    wanted = {True, False}
    try:
        for origin, accepts in may_decide(rows, known, wanted):
            found[accepts] = origin
            wanted.discard(accepts)
    except TooManyError:
        return None
    return found


def may_decide(rows: Rows, known: World, wanted: Container[bool]) -> Iterator[tuple[Origin, bool]]:
    """The rows of some outcomes that may decide.

    Raises
    ------
    TooManyError
        Where there are too many to compare.
    """
    given = {condition for condition, so in known.items() if so}
    before: dict[frozenset[Condition], None] = {}
    steps = 0
    for origin, accepts in rows:
        asked = frozenset(origin.conditions)
        if any(known.get(condition) is False for condition in asked):
            continue
        if accepts in wanted:
            steps += len(before)
            if steps > MOST_STEPS:
                raise TooManyError
            so = followed(asked | given)
            if not any(earlier <= so for earlier in before):
                yield origin, accepts
        before[asked] = None
