"""The judgement of rows of which only the last is certain: what is known, then what is taken, decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from netinsight.engine import classify
from netinsight.engine.classify import Cell
from netinsight.engine.spaces import Box
from netinsight.guest.iptables import Judgement, Packet
from netinsight.guest.windows_firewall.process import Listeners, Process, Taken, of_process
from netinsight.guest.windows_firewall.rows import Origin, Packed
from netinsight.guest.windows_firewall.rules import BLOCK, OF_PROCESS, Condition, Profile, Rule, World
from netinsight.guest.windows_firewall.worlds import Rows, TooManyError, ends, may_decide

UNKNOWN = "UNKNOWN"
VERDICT = {True: "ACCEPT", False: "DROP"}
MOST_OPEN = 12
"""How many rules that may match an answer tells."""
MOST_NAMED = 4
"""How many rules a note names that are taken not to match."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A packet at a place, and what is known of its process."""

    packet: Packet
    profile: Profile
    process: Process
    listeners: Listeners

    def judged(self, rows: Packed, cell: Cell) -> Iterator[tuple[Box, Judgement]]:
        """The judgement of a cell; where it hangs on the process, of each part that one is taken to be at."""
        held = [(rows.origins[number], classify.accepts(rows.table, number)) for number in cell.rows]
        asked = list(dict.fromkeys(condition for origin, _ in held for condition in origin.conditions))
        known: World = self.process.known(asked)
        known |= {
            Condition("interface", alias): False for alias in self.profile.disabled_interfaces
        }  # on these it is off
        found = ends(held, known)
        if found is not None and len(found) == 1:
            yield cell.box, self._decided(found)
            return
        if set(known) >= {condition for condition in asked if condition.kind in OF_PROCESS}:
            yield cell.box, self._open(held, known, found is None)
            return
        for box, taken in self.listeners.taken(self.packet, self.process, cell.box):
            yield box, self._taken(held, known, taken)

    def _taken(self, held: Rows, known: World, taken: Taken) -> Judgement:
        """As the process is taken to be."""
        asked = list(dict.fromkeys(condition for origin, _ in held for condition in origin.conditions))
        assumed = known | taken.process.closed(asked)
        found = ends(held, assumed)
        if found is None or len(found) > 1:
            judgement = self._open(held, assumed, found is None)
            notes = [*self._said(taken), *judgement.assumptions]
        else:
            judgement = self._decided(found)
            notes = list(self._otherwise(held, known, assumed, taken, judgement.verdict))
        return Judgement(judgement.verdict, judgement.rule, judgement.line, judgement.trace, tuple(notes),
                         chain=judgement.chain, places=judgement.places)  # fmt: skip

    def _decided(self, found: dict[bool, Origin]) -> Judgement:
        ((accepts, origin),) = found.items()
        verdict, rule = VERDICT[accepts], origin.rule
        if rule is None:
            return Judgement(verdict, "policy", self.profile.line or None, chain=self.profile.name)
        places = ((self.profile.name, self.packet.chain, rule.line),)
        return Judgement(verdict, rule.name, rule.line, (rule.name,), chain=self.profile.name, places=places)

    def _open(self, held: Rows, known: World, too_many: bool) -> Judgement:
        """UNKNOWN, with every rule that may match and what comes where none does."""
        rules: dict[str, Rule] = {}
        end = ""
        for origin, accepts in held:
            left = [condition for condition in origin.conditions if not known.get(condition)]
            if origin.rule is None or not left:  # this one matches
                last = f"`{origin.rule.name}`" if origin.rule else f"the default of {self.profile.name}"
                end = f"if none of these matches, {last}: {VERDICT[accepts]}"
                break
            if not any(condition in known for condition in left):
                rules.setdefault(_hanging(origin.rule, left), origin.rule)
        notes = list(rules)[:MOST_OPEN]
        notes += [f"and {len(rules) - MOST_OPEN} more rules"] if len(rules) > MOST_OPEN else []
        notes.append(end)
        if too_many:
            notes.append("more rules of this kind than are compared")
        first = next(iter(rules.values()))
        return Judgement(UNKNOWN, first.name, first.line, assumptions=tuple(notes), chain=self.profile.name)

    def _otherwise(self, held: Rows, known: World, assumed: World, taken: Taken, verdict: str) -> Iterator[str]:
        """What the verdict rests on, with what would come of the other: one thing at a time is turned."""
        others, overruled = self._others(held, known, assumed, verdict)
        nobody = known | self.process.closed(condition for condition in assumed if condition.kind in OF_PROCESS)
        other = _verdict(ends(held, nobody))
        if other == verdict and overruled:
            other = overruled[0]
        if other != verdict:
            yield from (f"{note}; otherwise {other}" for note in self._said(taken))
        for other, rules in others.items():
            named = [_named(rule) for rule in rules[:MOST_NAMED]]
            more = f" and {len(rules) - MOST_NAMED} more rules" if len(rules) > MOST_NAMED else ""
            does = "listens" if self.packet.chain == "INPUT" else "sends"
            yield f"{', '.join(named)}{more}: taken not to be about the process that {does}; otherwise {other}"

    def _others(
        self, held: Rows, known: World, assumed: World, verdict: str
    ) -> tuple[dict[str, list[Rule]], list[str]]:
        """The rules that are taken not to match and would turn the verdict, by what would come of it.

        And what would come of those that match, but come after one that is taken to match.
        """
        turned = next(accepts for accepts, word in VERDICT.items() if word != verdict)
        try:
            cells, compared = list(may_decide(held, known, {turned})), True
        except TooManyError:
            cells, compared = [one for one in held if one[1] == turned], False
        found: dict[str, dict[int, Rule]] = {}
        overruled = []
        for rule, conditions in ((origin.rule, origin.conditions) for origin, _ in cells if origin.rule is not None):
            sure = compared and len(of_process(rule)) == len(conditions)
            word = VERDICT[turned] if sure else UNKNOWN
            if any(assumed[one] is False and one not in known for one in of_process(rule)):
                found.setdefault(word, {})[id(rule)] = rule
            else:
                overruled.append(word)
        return {word: list(rules.values()) for word, rules in found.items()}, overruled

    def _said(self, taken: Taken) -> Iterator[str]:
        """What the process is taken to be."""
        if taken.rule is None:
            return
        kinds = ("service", "package", "program")
        new = [f"{kind} `{value}`" for kind in kinds if (value := getattr(taken.process, kind)) is not None
               and value != getattr(self.process, kind)]  # fmt: skip
        name = f" `{self.process.name}`" if self.process.name else ""
        where = f" at {taken.where}" if taken.where else ""
        yield f"{_named(taken.rule)}: the process{name}{where} is taken to be {' in '.join(new)}"


def _verdict(found: dict[bool, Origin] | None) -> str:
    return UNKNOWN if found is None or len(found) > 1 else VERDICT[next(iter(found))]


def _named(rule: Rule) -> str:
    return (f"line {rule.line}: " if rule.line else "") + f"`{rule.name}`"


def _hanging(rule: Rule, left: Iterable[Condition]) -> str:
    """A rule that may match, and on what it hangs."""
    return f"{_named(rule)} {'blocks' if rule.action == BLOCK else 'allows'} if {' and '.join(map(str, left))}"
