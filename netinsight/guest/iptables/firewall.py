"""The firewall that was read, and its judgement of a packet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from netinsight.addresses import Range, family
from netinsight.engine.spaces import Box
from netinsight.errors import QuestionError
from netinsight.guest.iptables.names import TABLES, WAYS, stages
from netinsight.guest.iptables.outcome import UNKNOWN, Outcome, Outcomes
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
    end: State | None = field(default=None, compare=False)


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
        self.check(packet, tables)
        notes = self.told(packet, tables)
        return [(box, judgement_of(outcome, notes)) for box, outcome in self.outcomes(packet, tables)]

    def judge_many(self, packets: Sequence[Packet], tables: tuple[str, ...] = ("filter",)) -> list[Judgement]:
        """As ``judge`` of each; of many packets those that differ in addresses and ports only are judged at once.

        Raises
        ------
        QuestionError
            As ``judge``.
        """
        from netinsight.guest.iptables.compiled import judge_all  # it brings numpy and the compiled kernels

        return judge_all(self, [(packet, tables) for packet in packets])

    def check(self, packet: Packet, tables: tuple[str, ...]) -> None:
        """Whether the question is one.

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

    def outcomes(self, packet: Packet, tables: tuple[str, ...]) -> Outcomes:
        """By the walk."""
        state = self.state(packet, tables)
        return Walk(self, tables).run(state) if state.stages else [(packet.ports, Outcome("ACCEPT"))]

    def state(self, packet: Packet, tables: tuple[str, ...]) -> State:
        """A packet as it enters."""
        conntrack = packet.conntrack()
        fresh = conntrack == "NEW"
        connmark = Bits(packet.connmark) if packet.connmark is not None else Bits(0, 0xFFFFFFFF if fresh else 0)
        return State(
            packet=packet,
            source=Range(packet.source, packet.source),
            destination=Range(packet.destination, packet.destination),
            mark=Bits(packet.mark),
            connmark=connmark,
            conntrack=conntrack,
            stages=stages(packet.chain, tables),
            whole=packet.ports,
            translated=self._kinds(packet, tables),
        )

    def _kinds(self, packet: Packet, tables: tuple[str, ...]) -> frozenset[str]:
        """How its connection was translated, as far as that is known."""
        if packet.connection is not None:
            return packet.connection.kinds
        return frozenset(["OTHER"]) if self._moved(packet, tables) else frozenset()

    def _moved(self, packet: Packet, tables: tuple[str, ...]) -> bool:
        """Whether its connection may have been translated before, and nobody says how."""
        known = packet.conntrack() in ("ESTABLISHED", "RELATED") and packet.connection is None
        return known and "nat" in tables and self.translates

    @property
    def translates(self) -> bool:
        """Whether the table nat has a rule."""
        nat = self.tables.get("nat")
        return nat is not None and any(chain.rules for chain in nat.chains.values())

    def told(self, packet: Packet, tables: tuple[str, ...]) -> tuple[str, ...]:
        """What holds of every answer about such a packet."""
        if not self._moved(packet, tables):
            return self.notes
        told = "how the connection is translated was decided by its first packet: addresses are taken as given"
        return (*self.notes, told)


def as_one(parts: list[tuple[Box, Judgement]]) -> Judgement:
    """The judgement of all packets of some boxes: UNKNOWN where they differ."""
    first = parts[0][1]
    verdicts = {judgement.verdict for _, judgement in parts}
    notes = tuple(dict.fromkeys(note for _, judgement in parts for note in judgement.assumptions))
    if len(parts) == 1 or (len(verdicts) == 1 and UNKNOWN not in verdicts):
        return replace(first, assumptions=notes)
    told = [f"ports {_ports(box)}: {judgement.verdict}" for box, judgement in parts[:8]]
    return replace(first, verdict=UNKNOWN, trace=(), places=(), assumptions=(*told, *notes))


def judgement_of(outcome: Outcome, notes: tuple[str, ...]) -> Judgement:
    """An outcome as it is told, after what holds of every packet."""
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
