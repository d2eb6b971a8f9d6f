"""What becomes of a packet, and how the outcomes of several worlds are told as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from netinsight.engine.spaces import Box, cut
from netinsight.guest.iptables.names import Stage
from netinsight.guest.iptables.rules import Chain, Rule
from netinsight.guest.iptables.state import Doubt, State

UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a way: the verdict, what decided, what matched on the way, what was assumed."""

    verdict: str
    rule: Rule | None = None
    chain: Chain | None = None
    """Whose policy decided."""
    stage: Stage | None = None
    """Where it ended."""
    reply: str = ""
    trace: tuple[Rule, ...] = ()
    notes: tuple[str, ...] = ()
    state: State | None = field(default=None, compare=False)
    """The packet as it leaves or was stopped; None where worlds differ in it."""

    @property
    def weight(self) -> int:
        """Of several chains that accept, the heaviest is told: one that filters, and a rule before a policy there."""
        if self.stage is None or not self.stage.table:
            return 0
        return (3 if self.rule else 2) if self.stage.kind == "filter" else 1

    def after(self, trace: tuple[Rule, ...]) -> Outcome:
        """The same with what matched before."""
        return replace(self, trace=trace + self.trace) if trace else self

    def noting(self, *notes: str) -> Outcome:
        """The same with what was assumed before."""
        return replace(self, notes=tuple(dict.fromkeys((*notes, *self.notes))))


Outcomes = list[tuple[Box, Outcome]]
"""Disjoint boxes of ports, each with what becomes of its packets."""


def after(outcomes: Outcomes, trace: tuple[Rule, ...]) -> Outcomes:
    """Every outcome with what matched before."""
    return [(box, outcome.after(trace)) for box, outcome in outcomes] if trace else outcomes


def pairs(one: Outcomes, other: Outcomes) -> Iterable[tuple[Box, Outcome, Outcome]]:
    """Two worlds side by side."""
    for box, first in one:
        for hole, second in other:
            if (part := cut(box, hole)[0]) is not None:
                yield part, first, second


def either_way(rule: Rule, doubts: tuple[Doubt, ...], matched: Outcomes, skipped: Outcomes, stage: Stage) -> Outcomes:
    """Nobody knows whether the rule matches: the verdict stands where both worlds agree."""
    told = _told(rule, doubts)
    found = []
    for box, yes, no in pairs(matched, skipped):
        if yes.verdict == no.verdict and yes.verdict != UNKNOWN:
            state = no.state if _leaves(yes) == _leaves(no) else None
            found.append((box, replace(no, state=state).noting(f"{told}; {no.verdict} either way")))
        else:
            note = f"{told}; {yes.verdict} if the rule matches, {no.verdict} if not"
            notes = tuple(dict.fromkeys((note, *yes.notes, *no.notes)))
            found.append((box, Outcome(UNKNOWN, rule, None, stage, notes=notes)))
    return found


def _leaves(outcome: Outcome) -> object:
    """As what a packet leaves, whatever is believed of it."""
    state = outcome.state
    return state and (state.source, state.destination, state.source_ports, state.ports, state.conntrack, state.rerouted)


def taken(rule: Rule, doubts: tuple[Doubt, ...], usual: Outcomes, other: Outcomes, matched: bool) -> Outcomes:
    """The rule is taken to match, or not to: the verdict is that world's, and the other one is told."""
    told = f"{_told(rule, doubts)}: taken {'to match' if matched else 'not to match'}"
    found = []
    for box, one, another in pairs(usual, other):
        end = f"{one.verdict} either way" if one.verdict == another.verdict else f"otherwise {another.verdict}"
        found.append((box, one.noting(f"{told}; {end}")))
    return found


def _told(rule: Rule, doubts: tuple[Doubt, ...]) -> str:
    where = f"{rule.place}: " if rule.place else ""
    return where + ", ".join(f"`{doubt.what}` ({doubt.why})" for doubt in doubts)


def usual_of(doubts: tuple[Doubt, ...]) -> bool | None:
    """What several doubts together are taken to be: one that is taken to fail decides."""
    usual = [doubt.usual for doubt in doubts]
    return False if False in usual else None if None in usual else True
