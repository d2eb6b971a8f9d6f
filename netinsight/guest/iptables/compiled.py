"""Many packets at once: those of a kind by packed rows, all others by the walk, which is the definition.

Packets are of a kind where they agree in all that the rules ask beside addresses and ports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from netinsight.engine.classify import all_matches, first_matches
from netinsight.engine.spaces import Box
from netinsight.engine.tables import halves, whole_address
from netinsight.flow import PortRange
from netinsight.guest.iptables.firewall import judgement_of
from netinsight.guest.iptables.flat import ANY_ADDRESS, WHOLE, Flat, Trail, Watched
from netinsight.guest.iptables.names import Stage
from netinsight.guest.iptables.outcome import UNKNOWN, Outcome, taken
from netinsight.guest.iptables.state import Packet
from netinsight.guest.iptables.walk import entering

if TYPE_CHECKING:
    from netinsight.guest.iptables.firewall import Firewall, Judgement

VERDICTS = ("ACCEPT", "DROP", "REJECT", UNKNOWN)
_MOST_TURNED = 64
"""Doubts of a kind of packets whose other way is compiled too."""
_FIXED = tuple(one.name for one in fields(Packet) if one.name not in ("source", "destination", "ports", "watch"))

_ALWAYS = frozenset(["chain", "protocol", "state", "tcp_flags", "icmp_type", "mark", "connmark"])
"""What a packet is asked before any rule asks."""

Flows = NDArray[np.int64]
"""Of each packet what ``classify.first_matches`` takes."""


class Decided(NamedTuple):
    """Of many packets the number of each verdict in ``VERDICTS``, and of what decided in ``Compiled.outcomes``."""

    verdicts: NDArray[np.int8]
    rows: NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Compiled:
    """A kind of packets.

    Attributes
    ----------
    outcomes
        The verdict, the rule, or the chain whose policy decides, and the trace as far as the rows tell it, by
        ``Decided.rows``: first those of the packed rows (None where the walk is asked), then what the walk found.
    asked
        The fields of a packet that the rules asked: packets that agree in these are of the kind.
    """

    firewall: Firewall
    packet: Packet
    tables: tuple[str, ...]
    flat: Flat
    asked: frozenset[str]
    outcomes: list[Outcome | None]
    found: dict[tuple[Any, ...], int] = field(default_factory=dict)
    turned: dict[int, Flat] = field(default_factory=dict)
    """Of a doubt (the ``id`` of its trail) what comes of the other way."""

    def decide(self, flows: Flows) -> Decided:
        """The verdict of each packet and what decides it; rates and payloads are taken as the walk takes them."""
        rows = first_matches(self.flat.table, flows)
        verdicts = np.array([_code(one) for one in self.outcomes], dtype=np.int8)[rows]
        for i in np.flatnonzero(verdicts < 0).tolist():
            outcome = self.walked(flows[i].tolist())
            verdicts[i], rows[i] = _code(outcome), self._number(outcome)
        return Decided(verdicts, rows)

    def walked(self, flow: Sequence[int]) -> Outcome:
        """What the walk says of a packet of the kind."""
        source, destination = whole_address(*flow[:2]), whole_address(*flow[2:4])
        ports = Box(PortRange(flow[5], flow[5]), PortRange(flow[6], flow[6]))
        one = replace(self.packet, source=source, destination=destination, ports=ports)
        ((_, outcome),) = self.firewall.outcomes(one, self.tables)
        return outcome

    def _number(self, outcome: Outcome) -> int:
        key = (outcome.verdict, outcome.rule, outcome.chain and outcome.chain.name, outcome.stage, outcome.reply)
        if key not in self.found:
            self.found[key] = len(self.outcomes)
            self.outcomes.append(replace(outcome, trace=(), notes=()))
        return self.found[key]

    def judgements(self, flows: Flows) -> list[Judgement | None]:
        """What ``Firewall.judge`` says of each packet; None where only the walk can tell."""
        rows = first_matches(self.flat.table, flows)
        ways: list[list[int]] = [[row] for row in rows.tolist()]
        begins = np.array([trail.at for trail in self.flat.trails] or [0], dtype=np.int64)
        for which, met in all_matches(self.flat.trail, flows):
            before = begins[met] <= rows[which]
            for i, one in zip(which[before].tolist(), met[before].tolist(), strict=True):
                ways[i].append(one)
        alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for i, way in enumerate(ways):
            alike[tuple(way)].append(i)
        told: list[Judgement | None] = [None] * len(flows)
        for (row, *trail), members in alike.items():
            for i, judgement in self._told(row, [self.flat.trails[one] for one in trail], members, flows):
                told[i] = judgement
        return told

    def _told(
        self, row: int, trails: list[Trail], members: list[int], flows: Flows
    ) -> Iterable[tuple[int, Judgement | None]]:
        """The packets that go the same way: they differ in what would come of a doubt taken the other way."""
        outcome = self.flat.outcomes[row]
        turned = [trail for trail in trails if trail.turned]
        if outcome is None or any(trail.open for trail in trails) or not all(map(self._other, turned)):
            return
        others = [first_matches(self.turned[id(trail)].table, flows[members]).tolist() for trail in turned]
        outcome = outcome.after(tuple(trail.rule for trail in trails if trail.told))
        known: dict[tuple[Outcome | None, ...], Judgement | None] = {}
        for i, *ends in zip(members, *others, strict=True):
            worlds = tuple(self.turned[id(trail)].outcomes[end] for trail, end in zip(turned, ends, strict=True))
            if worlds not in known:
                known[worlds] = self._judgement(outcome, turned, worlds)
            yield i, known[worlds]

    def _judgement(self, outcome: Outcome, turned: list[Trail], worlds: tuple[Outcome | None, ...]) -> Judgement | None:
        for trail, other in reversed(list(zip(turned, worlds, strict=True))):
            if other is None or trail.turned is None:
                return None
            ((_, outcome),) = taken(
                trail.rule, trail.turned.doubts, [(WHOLE, outcome)], [(WHOLE, other)], trail.turned.usual
            )
        return judgement_of(outcome, self.firewall.told(self.packet, self.tables))

    def _other(self, trail: Trail) -> bool:
        """Compile what comes of a doubt that is taken the other way; False where there are too many."""
        if id(trail) not in self.turned:
            if trail.turned is None or len(self.turned) == _MOST_TURNED:
                return False
            _, usual, place, state = trail.turned
            self.turned[id(trail)] = Flat(self.flat.chains, self.packet.protocol).build(
                place, state, None if usual else trail.rule
            )
        return True


def _code(outcome: Outcome | None) -> int:
    return -1 if outcome is None else VERDICTS.index(outcome.verdict)


def compile_kind(firewall: Firewall, packet: Packet, tables: tuple[str, ...] = ("filter",)) -> Compiled | None:
    """The rows for packets of a kind; None where another table than filter has rules: those are walked.

    Rows have no bound of worlds: where the walk gives up after ``walk.MOST_STEPS`` of them, they still decide.

    Raises
    ------
    QuestionError
        As ``Firewall.judge``.
    """
    firewall.check(packet, tables)
    state = firewall.state(packet, tables)
    stage = next((one for one in state.stages if one.table == "filter"), None)
    if stage is None or any(_says(firewall, one) for one in state.stages if one is not stage):
        return None
    watched = Watched(packet)
    state = replace(state, packet=cast(Packet, watched), source=ANY_ADDRESS, destination=ANY_ADDRESS, stages=(stage,),
                    whole=WHOLE)  # fmt: skip
    chains = firewall.tables["filter"].chains if "filter" in firewall.tables else {}
    state = entering(state)
    flat = Flat(chains, packet.protocol).build(firewall.walk(tables).start(state), state)
    asked = _ALWAYS | watched.asked
    watched.close(asked)
    return Compiled(firewall, packet, tables, flat, asked, list(flat.outcomes))


def _says(firewall: Firewall, stage: Stage) -> bool:
    """Whether a table has anything to say at a hook."""
    table = firewall.tables.get(stage.table)
    chain = table.chains.get(stage.chain) if table else None
    return chain is not None and (bool(chain.rules) or chain.policy == "DROP")


def flows_of(packets: Sequence[Packet]) -> Flows:
    """Packets with one port each as rows of integers."""
    return np.array(
        [
            (*halves(one.source), *halves(one.destination), one.protocol, one.ports.source_ports.first,
             one.ports.ports.first)
            for one in packets
        ],
        dtype=np.int64,
    )  # fmt: skip


Kind = tuple[tuple[str, ...], tuple[Any, ...]]
_fixed = attrgetter(*_FIXED)


def judge_all(firewall: Firewall, asked: Sequence[tuple[Packet, tuple[str, ...]]]) -> list[Judgement]:
    """What becomes of packets, each with the tables that it passes; as ``Firewall.judge`` of each.

    A kind is compiled as long as that pays: kinds of a few packets each are walked.
    """
    groups: dict[Kind, list[int]] = defaultdict(list)
    told: dict[int, Judgement] = {}
    for i, (packet, tables) in enumerate(asked):
        firewall.check(packet, tables)
        if all(ports.first == ports.last for ports in packet.ports):
            groups[tables, _fixed(packet)].append(i)
    kinds = _Kinds(firewall)
    for (tables, _), members in sorted(groups.items(), key=lambda group: -len(group[1])):
        compiled = kinds.of(asked[members[0]][0], tables, len(members))
        if compiled is not None:
            judged = compiled.judgements(flows_of([asked[i][0] for i in members]))
            told |= {i: one for i, one in zip(members, judged, strict=True) if one is not None}
    return [told[i] if i in told else firewall.judge(*one) for i, one in enumerate(asked)]


class _Kinds:
    """The kinds that are compiled, each once."""

    def __init__(self, firewall: Firewall) -> None:
        self.firewall = firewall
        self.known: dict[tuple[Any, ...], Compiled | None] = {}
        self.asked: dict[frozenset[str], None] = {}
        self.compiled, self.served = 0, 0

    def of(self, packet: Packet, tables: tuple[str, ...], number: int) -> Compiled | None:
        """The kind of ``number`` packets; None where they are to be walked."""
        firewall, served = self.firewall, self.served
        self.served += number
        for asked in self.asked:
            key = (tables, asked, *(getattr(packet, name) for name in sorted(asked)))
            if key in self.known:
                return self.known[key]
        if self.compiled > 8 + (served + number) // _PAYS:
            return None
        self.compiled += 1
        compiled = compile_kind(firewall, packet, tables)
        asked = compiled.asked if compiled else _ALWAYS
        self.asked[asked] = None
        self.known[(tables, asked, *(getattr(packet, name) for name in sorted(asked)))] = compiled
        return compiled


_PAYS = 64
"""A kind takes as long to compile as the walk for about that many packets."""
