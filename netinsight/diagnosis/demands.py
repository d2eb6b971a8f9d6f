"""What a way is asked to pass, or to avoid: whether every path does, and one that does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from netinsight.diagnosis.case import Case, Result
from netinsight.diagnosis.verdict import passing
from netinsight.network.passing import find_object, passed
from netinsight.network.steps import Ref, Walk

Holds = Literal["yes", "no", "unknown"]
Direction = Literal["forward", "return"]


class Counterexample(NamedTuple):
    """A walk, by its number from 0, and the direction in which it does not keep a demand."""

    walk: int
    direction: Direction


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

    kind: Literal["via", "avoid"]
    object: Ref
    holds: Holds
    keeping: int
    judged: int
    carries: bool
    against: Counterexample | None = None


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
    surely = [walk for walk in case.walks if _carries(walk, results, unknown_passes=False)]
    maybe = [walk for walk in case.walks if _carries(walk, results, unknown_passes=True)]
    asked = [("via", name) for name in question.via] + [("avoid", name) for name in question.avoid]
    return [_judge(case, kind, find_object(case.network, name), surely, maybe) for kind, name in asked]  # type: ignore[arg-type]


def _carries(walk: Walk, results: list[Result], *, unknown_passes: bool) -> bool:
    return any(passing(walk, results, unknown_passes=unknown_passes))


def _judge(
    case: Case, kind: Literal["via", "avoid"], object_: Ref, surely: Sequence[Walk], maybe: Sequence[Walk]
) -> Demand:
    judged = maybe or case.walks
    failing = {id(walk): way for walk in judged if (way := _fails(case, kind, object_.id, walk))}
    certain = [walk for walk in (surely if maybe else judged) if id(walk) in failing]
    first = next((walk for walk in certain or judged if id(walk) in failing), None)
    holds: Holds = "yes" if first is None else "no" if certain else "unknown"
    against = None
    if first is not None:
        number = next(n for n, walk in enumerate(case.walks) if walk is first)
        against = Counterexample(number, failing[id(first)])
    return Demand(kind, object_, holds, len(judged) - len(failing), len(judged), bool(maybe), against)


def _fails(case: Case, kind: str, name: str, walk: Walk) -> Direction | None:
    """The direction in which a walk does not pass what it should, or passes what it should not."""
    for direction, steps in (("forward", walk.forward), ("return", walk.back)):
        if steps and (name in passed(case.network, steps)) is (kind == "avoid"):
            return direction  # type: ignore[return-value]
    return None
