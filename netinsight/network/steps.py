"""The values of a trace: packets, what each stage says of which part of a question, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from netinsight.addresses import Range
from netinsight.engine.classify import Decision
from netinsight.engine.spaces import Box, Region, common, intersect, joined, ports_of, subtract
from netinsight.flow import PortRange
from netinsight.network.filters import Filter, Origin

DecisionWord = Literal["accept", "drop", "unknown", "partial"]
_WORDS: dict[Decision, DecisionWord] = {
    Decision.ACCEPT: "accept",
    Decision.DROP: "drop",
    Decision.UNKNOWN: "unknown",
}


class Ref(NamedTuple):
    """An object of the topology: what it is, and its id."""

    type: str
    id: str


class Why(NamedTuple):
    """A reason by its code in the catalogue, with the words that fill its text."""

    code: str
    values: dict[str, str]


def why(code: str, **values: object) -> Why:
    """A reason; its values become text."""
    return Why(code, {name: str(value) for name, value in values.items()})


class Packet(NamedTuple):
    """A packet as it meets a stage: addresses of the line, protocol number, and its ports as a box."""

    source: int
    destination: int
    protocol: int
    box: Box


class Ruling(NamedTuple):
    """What a stage decides for a part of the question (in the question's own ports, forward and back)."""

    box: Box
    decision: Decision
    why: Why
    origin: Origin | None = None


class Step(NamedTuple):
    """One stage that a packet meets.

    Attributes
    ----------
    stage
        ``security_group.egress``, ``network_acl.ingress``, ``route``, …; docs/evaluation-order.md has them all.
    item
        The diagnosis item that the stage is the evidence of.
    packed
        The list that decided, where one did; ``network.explain`` tells how each of its rules met the packet.
    leg
        Whose client ports its rulings tell of: 0 those asked, more after each translator that chooses its own.
    """

    stage: str
    item: str
    object: Ref
    packet: Packet
    rulings: tuple[Ruling, ...]
    packed: Filter | None = None
    leg: int = 0

    def where(self, *decisions: Decision) -> Region:
        """The part of the question that the stage decides so."""
        return tuple(ruling.box for ruling in self.rulings if ruling.decision in decisions)

    @property
    def decision(self) -> DecisionWord:
        """accept, drop, unknown, or partial where it differs between parts."""
        decisions = {ruling.decision for ruling in self.rulings}
        return _WORDS[next(iter(decisions))] if len(decisions) == 1 else "partial"

    @property
    def deciding(self) -> Ruling:
        """The ruling to show first: the first that stops, else the first that is not known, else the first."""
        order = {Decision.DROP: 0, Decision.UNKNOWN: 1, Decision.ACCEPT: 2}
        return min(self.rulings, key=lambda ruling: order[ruling.decision])


class Walk(NamedTuple):
    """A question walked forward and back between two addresses.

    Attributes
    ----------
    hosts
        The Internet hosts that it stands for, where one end is any Internet host; empty elsewhere.
    host
        The one of them that was walked.
    assumptions
        The names of the open points that it rests on.
    legs
        The same part of the question with the client ports that each translator on the way chose.
    """

    box: Box
    forward: tuple[Step, ...]
    back: tuple[Step, ...]
    hosts: tuple[Range, ...] = ()
    host: int | None = None
    assumptions: frozenset[str] = frozenset()
    legs: tuple[Box, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of them, in order."""
        return self.forward + self.back

    def passing(self, *, unknown_passes: bool, stopped: Iterable[Box] = ()) -> tuple[list[PortRange], list[PortRange]]:
        """The ports that pass every stage for every client port, and those that do for some or for every one.

        What is not known is taken to pass or to stop. Each leg has client ports of its own, chosen by the client or a
        translator without regard to each other: a port passes where it does on every leg.
        """
        every, some = [self.box.ports], [self.box.ports]
        for leg, box in enumerate((self.box, *self.legs)):
            region = self._region(leg, box, unknown_passes, stopped if leg == 0 else ())
            for_every, for_some = ports_of(region, box)
            every, some = common(every, for_every), common(some, joined([*for_every, *for_some]))
        return every, some

    def _region(self, leg: int, box: Box, unknown_passes: bool, stopped: Iterable[Box]) -> Region:
        decisions = (Decision.ACCEPT, Decision.UNKNOWN) if unknown_passes else (Decision.ACCEPT,)
        region: Region = subtract((box,), stopped)
        for step in self.steps:
            if step.leg == leg:
                region = intersect(region, step.where(*decisions))
        return region
