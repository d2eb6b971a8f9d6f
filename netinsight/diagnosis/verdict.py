"""From walks and items to the one answer; the table is in docs/verdicts.md."""

from __future__ import annotations

from typing import NamedTuple

from netinsight.diagnosis.case import Case, Result, Status
from netinsight.engine.spaces import joined, without
from netinsight.flow import PortRange, Verdict
from netinsight.network.steps import DecisionWord, Walk


class Answer(NamedTuple):
    """The verdict, and the ports that pass for every client asked and for some of them only."""

    verdict: Verdict
    every: list[PortRange]
    some: list[PortRange]


def answer(case: Case, results: list[Result]) -> Answer:
    """What passes, with what is not known taken to stop and to pass: where both say the same, that is the verdict."""
    at_least, at_most = bounds(case, results)
    verdict = at_least.verdict if at_least.verdict is at_most.verdict else Verdict.UNDETERMINED
    return at_least._replace(verdict=verdict)


def bounds(case: Case, results: list[Result]) -> tuple[Answer, Answer]:
    """What surely passes, and what does where all that is not known lets it through."""
    return _passing(case, results, unknown_passes=False), _passing(case, results, unknown_passes=True)


def _passing(case: Case, results: list[Result], *, unknown_passes: bool) -> Answer:
    """A port passes where it does on every walk that it may take: every host, every equal choice."""
    every: list[PortRange] = [case.box.ports] if case.walks or unknown_passes else []  # no path proves nothing
    some: list[PortRange] = []
    for walk in case.walks:
        for_every, for_some = passing(walk, results, unknown_passes=unknown_passes)
        every = without(every, without([walk.box.ports], for_every))
        some = joined([*some, *for_some])
    some = without(some, every)
    if every == [case.box.ports]:
        return Answer(Verdict.REACHABLE, every, some)
    return Answer(Verdict.PARTIAL if every or some else Verdict.UNREACHABLE, every, some)


def passing(walk: Walk, results: list[Result], *, unknown_passes: bool) -> tuple[list[PortRange], list[PortRange]]:
    """The ports that pass a walk and the items that are about it: for every client port, and for some."""
    abnormal = (result for result in results if result.status is Status.ABNORMAL and result.concerns(walk))
    stopped = [box for result in abnormal for box in result.stops]
    return walk.passing(unknown_passes=unknown_passes, stopped=stopped)


def together(verdicts: list[Verdict]) -> Verdict:
    """What the answers of several questions say as one: what does not hold outranks what is not known."""
    if any(verdict in (Verdict.UNREACHABLE, Verdict.PARTIAL) for verdict in verdicts):
        some = any(verdict in (Verdict.REACHABLE, Verdict.PARTIAL) for verdict in verdicts)
        return Verdict.PARTIAL if some else Verdict.UNREACHABLE
    return Verdict.UNDETERMINED if Verdict.UNDETERMINED in verdicts else Verdict.REACHABLE


def walk_decision(walk: Walk) -> DecisionWord:
    """What one path says: accept, drop, partial, or unknown."""
    at_least, at_most = walk.passing(unknown_passes=False), walk.passing(unknown_passes=True)
    if at_least[0] == [walk.box.ports]:
        return "accept"
    if not at_most[1]:
        return "drop"
    return "partial" if at_least == at_most else "unknown"
