"""Which ends a packet may come to where rows hang on what is not known.

A row only ever asks that something is so, never that it is not. A row may therefore decide if and only if it decides where
nothing is so but what it asks for and what is known: whatever else were so could only let a row before it match.
"""

from __future__ import annotations

from collections.abc import Sequence

from netinsight.guest.windows_firewall.rows import Origin
from netinsight.guest.windows_firewall.rules import BLOCK, Condition, World, followed

MOST_STEPS = 2_000_000


def ends(rows: Sequence[tuple[Origin, bool]], known: World) -> dict[bool, Origin] | None:
    """Of rows in order (each with whether it accepts, the last without a condition) what may decide, by its outcome.

    None where there are too many to compare.
    """
    given = {condition for condition, so in known.items() if so}
    found: dict[bool, Origin] = {}
    before: dict[frozenset[Condition], None] = {}
    steps = 0
    for origin, accepts in rows:
        asked = frozenset(origin.conditions)
        if accepts not in found and not any(known.get(condition) is False for condition in asked):
            steps += len(before)
            if steps > MOST_STEPS:
                return None
            so = followed(asked | given)
            if not any(earlier <= so for earlier in before):
                found[accepts] = origin
        before[asked] = None
    return found


def told(origin: Origin, number: int) -> str:
    """A row that may match, and on what it hangs."""
    rule = origin.rule
    if rule is None:
        return ""
    action = "blocks" if rule.action == BLOCK else "allows"
    line = f"line {number}: " if number else ""
    return f"{line}`{rule.name}` {action} if {' and '.join(map(str, origin.conditions))}"
