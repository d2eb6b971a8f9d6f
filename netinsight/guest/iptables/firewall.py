"""The firewall that was read, and its judgement of a packet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from netinsight.addresses import Range, family
from netinsight.engine.spaces import Box
from netinsight.errors import QuestionError
from netinsight.guest.iptables.names import TABLES, WAYS, stages
from netinsight.guest.iptables.outcome import UNKNOWN, Outcome
from netinsight.guest.iptables.rules import Table
from netinsight.guest.iptables.state import Bits, Packet, State
from netinsight.guest.iptables.walk import Walk

EVERY_TABLE = ("raw", "mangle", "nat", "filter")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a packet.

    Parameters
    ----------
    verdict
        ``ACCEPT``, ``DROP``, ``REJECT``, or ``UNKNOWN`` where it hangs on what is not known.
    rule, line
        The ``-A`` line that decided and where it stands, or ``policy`` and its chain's line (None where it has none).
    trace
        Every rule that matched, in order.
    assumptions
        What a rate or payload match was taken to be, what is not modelled, and what would come of it otherwise.
    reject_with
        What a REJECT answers.
    places
        Of each rule of ``trace`` its table, chain and line.
    end
        The packet as it leaves, or where it was stopped; None where this is not known.
    """

    verdict: str
    rule: str
    line: int | None
    trace: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    reject_with: str = ""
    chain: str = ""
    places: tuple[tuple[str, str, int], ...] = ()
    end: State | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Firewall:
    """The tables of a machine."""

    family: int
    tables: Mapping[str, Table]
    notes: tuple[str, ...] = ()

    def judge(self, packet: Packet, tables: tuple[str, ...] = ("filter",)) -> Judgement:
        """What becomes of a packet; of one with a box of ports what becomes of all, UNKNOWN where they differ.

        Parameters
        ----------
        tables
            Which tables it passes, in the kernel's order whatever their order here.

        Raises
        ------
        QuestionError
            For a table or chain that there is not, or an address of the other family.
        """
        return as_one(self.regions(packet, tables))

    def regions(self, packet: Packet, tables: tuple[str, ...] = ("filter",)) -> list[tuple[Box, Judgement]]:
        """What becomes of every packet of a box of ports: disjoint boxes that together are the whole.

        Raises
        ------
        QuestionError
            As ``judge``.
        """
        if unknown := [name for name in tables if name not in TABLES]:
            raise QuestionError(f"there is no table `{unknown[0][:40]}`")
        if packet.chain not in WAYS:
            raise QuestionError(f"chain `{packet.chain[:40]}` is not INPUT, FORWARD or OUTPUT")
        for address in (packet.source, packet.destination):
            if family(address) != self.family:
                raise QuestionError(f"the rules are those of IPv{self.family}, an address of the packet is not")
        state = self._state(packet, tables)
        if not state.stages:
            judgement = Judgement("ACCEPT", "policy", None, assumptions=self._notes(state, tables))
            return [(packet.ports, judgement)]
        notes = self._notes(state, tables)
        return [(box, _judgement(outcome, notes)) for box, outcome in Walk(self, tables).run(state)]

    def _state(self, packet: Packet, tables: tuple[str, ...]) -> State:
        conntrack = packet.conntrack()
        fresh = conntrack == "NEW"
        connection = packet.connection
        connmark = Bits(packet.connmark) if packet.connmark is not None else Bits(0, 0xFFFFFFFF if fresh else 0)
        told = conntrack in ("ESTABLISHED", "RELATED") and "nat" in tables and self.translates
        kinds = frozenset(["OTHER"]) if told and connection is None else connection.kinds if connection else frozenset()
        return State(
            packet=packet,
            source=Range(packet.source, packet.source),
            destination=Range(packet.destination, packet.destination),
            mark=Bits(packet.mark),
            connmark=connmark,
            conntrack=conntrack,
            stages=stages(packet.chain, tables),
            whole=packet.ports,
            translated=kinds,
        )

    @property
    def translates(self) -> bool:
        """Whether the table nat has a rule."""
        nat = self.tables.get("nat")
        return nat is not None and any(chain.rules for chain in nat.chains.values())

    def _notes(self, state: State, tables: tuple[str, ...]) -> tuple[str, ...]:
        if "OTHER" not in state.translated:
            return self.notes
        told = "how the connection is translated was decided by its first packet: addresses are taken as given"
        return (*self.notes, told)


def as_one(parts: list[tuple[Box, Judgement]]) -> Judgement:
    """The judgement of all packets of some boxes: UNKNOWN where they differ."""
    first = parts[0][1]
    verdicts = {judgement.verdict for _, judgement in parts}
    if len(parts) == 1 or (len(verdicts) == 1 and UNKNOWN not in verdicts):
        return first
    told = [f"ports {_ports(box)}: {judgement.verdict}" for box, judgement in parts[:8]]
    notes = tuple(dict.fromkeys(note for _, judgement in parts for note in judgement.assumptions))
    return replace(first, verdict=UNKNOWN, trace=(), places=(), assumptions=(*told, *notes))


def _judgement(outcome: Outcome, notes: tuple[str, ...]) -> Judgement:
    rule, chain = outcome.rule, outcome.chain
    return Judgement(
        verdict=outcome.verdict,
        rule=rule.text if rule else "policy",
        line=(rule.line if rule else chain.line if chain else 0) or None,
        trace=tuple(one.text for one in outcome.trace),
        assumptions=(*notes, *outcome.notes),
        reject_with=outcome.reply,
        chain=rule.chain if rule else chain.name if chain else "",
        places=tuple((one.table, one.chain, one.line) for one in outcome.trace),
        end=outcome.state,
    )


def _ports(box: Box) -> str:
    return f"{box.source_ports} → {box.ports}"
