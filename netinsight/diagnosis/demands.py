"""What a way is asked to pass, or to avoid: whether every path does, and one that does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from netinsight.diagnosis.case import Case, Result
from netinsight.diagnosis.verdict import passing
from netinsight.network.passing import find_object, passed
from netinsight.network.steps import Packet, Ref, Walk

Holds = Literal["yes", "no", "unknown"]
Kind = Literal["via", "avoid"]
Direction = Literal["forward", "return"]


class Counterexample(NamedTuple):
    """A walk, by its number from 0, that does not keep a demand: in which direction, and the packet that sets out there."""

    walk: int
    direction: Direction
    packet: Packet


class Demand(NamedTuple):
    """A demand, judged.

    Attributes
    ----------
    holds
        ``unknown`` where only paths fail it of which nobody knows whether they carry anything.
    keeping, judged
        How many paths keep it, of how many.
    carries
        Whether anything passes at all; else it was judged on the ways that the packets would take.
    """

    kind: Kind
    object: Ref
    holds: Holds
    keeping: int
    judged: int
    carries: bool
    against: Counterexample | None = None


class _Way(NamedTuple):
    """A walk that may carry something: whether it surely does, and what it passes in each direction that it has."""

    number: int
    surely: bool
    directions: list[tuple[Direction, Packet, set[str]]]


def judge_demands(case: Case, results: list[Result]) -> list[Demand]:
    """Every demand of a question, on the walks that carry some of it; on all of them where none does.

    Raises
    ------
    ObjectError
        For what the topology does not have.
    """
    question = case.question
    if not question.via and not question.avoid:
        return []
    maybe = [(n, walk) for n, walk in enumerate(case.walks) if _carries(walk, results, unknown_passes=True)]
    ways = [
        _Way(n, not maybe or _carries(walk, results, unknown_passes=False), list(_directions(case, walk)))
        for n, walk in maybe or enumerate(case.walks)
    ]
    asked: tuple[tuple[Kind, tuple[str, ...]], ...] = (("via", question.via), ("avoid", question.avoid))
    return [
        _judge(kind, find_object(case.network, name), ways, carries=bool(maybe))
        for kind, names in asked
        for name in names
    ]


def _carries(walk: Walk, results: list[Result], *, unknown_passes: bool) -> bool:
    return any(passing(walk, results, unknown_passes=unknown_passes))


def _directions(case: Case, walk: Walk) -> Iterator[tuple[Direction, Packet, set[str]]]:
    if walk.forward:
        yield "forward", walk.forward[0].packet, passed(case.network, walk.forward)
    if walk.back:
        yield "return", walk.back[0].packet, passed(case.network, walk.back)


def _judge(kind: Kind, object_: Ref, ways: list[_Way], *, carries: bool) -> Demand:
    failing = [(way.surely, against) for way in ways if (against := _against(kind, object_.id, way))]
    certain = [against for surely, against in failing if surely]
    first = next(iter(certain or [against for _, against in failing]), None)
    holds: Holds = "yes" if first is None else "no" if certain else "unknown"
    return Demand(kind, object_, holds, len(ways) - len(failing), len(ways), carries, first)


def _against(kind: Kind, name: str, way: _Way) -> Counterexample | None:
    """Where a way does not pass what it should, or passes what it should not."""
    for direction, packet, met in way.directions:
        if (name in met) is (kind == "avoid"):
            return Counterexample(way.number, direction, packet)
    return None
