"""The firewall that was read, and its judgement of a packet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from netinsight.addresses import Range, family
from netinsight.engine.spaces import Box
from netinsight.errors import QuestionError
from netinsight.guest.iptables.names import TABLES, WAYS, Stage, stages
from netinsight.guest.iptables.outcome import UNKNOWN, Outcome, Outcomes
from netinsight.guest.iptables.rules import Table
from netinsight.guest.iptables.state import EVERY_BIT, Bits, Packet, State
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
    chain, handle
        Of nftables the chain, with the family and name of its table, and the rule's number there (0 for a policy).
    table
        In which it was decided: of nftables by family and name.
    places
        Of each rule of ``trace`` its table, chain and line; of nftables the chain if it hangs on a hook, the chain, the
        handle.
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
    handle: int = 0
    table: str = ""
    end: State | None = field(default=None, compare=False)

    @property
    def place(self) -> str:
        """Where what decided stands: its line; of nftables its chain and handle. Empty where it stands nowhere."""
        if self.handle:
            return f"{self.chain} handle {self.handle}"
        return self.chain if self.chain.startswith(f"{self.table} ") else str(self.line or "")


@dataclass(frozen=True, slots=True, eq=False)
class Firewall:
    """The tables of a machine.

    Parameters
    ----------
    legacy
        They are those of the older back end, of which nftables know nothing.
    notes
        What every answer has to say.
    not_printed
        The same, of tables of nftables that iptables-save did not print.
    """

    family: int
    tables: Mapping[str, Table]
    notes: tuple[str, ...] = ()
    not_printed: tuple[str, ...] = ()
    legacy: bool = False

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
        check_chain(packet)
        for address in (packet.source, packet.destination):
            if family(address) != self.family:
                raise QuestionError(f"the rules are those of IPv{self.family}, an address of the packet is not")

    def outcomes(self, packet: Packet, tables: tuple[str, ...]) -> Outcomes:
        """By the walk."""
        return outcomes_of(self.walk(tables), self.state(packet, tables))

    def walk(self, tables: tuple[str, ...]) -> Walk:
        """A walk through these tables."""
        return Walk(self.tables, lambda chain: stages(chain, tables))

    def state(self, packet: Packet, tables: tuple[str, ...]) -> State:
        """A packet as it enters."""
        return entered(packet, stages(packet.chain, tables), "nat" in tables and self.translates)

    def told(self, packet: Packet, tables: tuple[str, ...]) -> tuple[str, ...]:
        """What holds of every answer about such a packet."""
        return (*self.notes, *self.not_printed, *moved(packet, "nat" in tables and self.translates))

    @property
    def translates(self) -> bool:
        """Whether the table nat has a rule."""
        nat = self.tables.get("nat")
        return nat is not None and any(chain.rules for chain in nat.chains.values())


def check_chain(packet: Packet) -> None:
    """Whether a packet is of a chain that is judged.

    Raises
    ------
    QuestionError
        Where it is of none.
    """
    if packet.chain not in WAYS:
        raise QuestionError(f"chain `{packet.chain[:40]}` is not INPUT, FORWARD or OUTPUT")


def moved(packet: Packet, translates: bool) -> tuple[str, ...]:
    """What is said of a packet whose connection may have been translated before, and nobody says how."""
    if not translates or packet.connection is not None or packet.conntrack() not in ("ESTABLISHED", "RELATED"):
        return ()
    return ("how the connection is translated was decided by its first packet: addresses are taken as given",)


def entered(packet: Packet, passed: tuple[Stage, ...], translates: bool) -> State:
    """A packet as it enters; ``translates``: whether rules may have translated its connection."""
    conntrack, connection = packet.conntrack(), packet.connection
    known = EVERY_BIT if conntrack == "NEW" else 0
    return State(
        packet=packet,
        source=Range(packet.source, packet.source),
        destination=Range(packet.destination, packet.destination),
        mark=Bits(packet.mark),
        connmark=Bits(packet.connmark) if packet.connmark is not None else Bits(0, known),
        conntrack=conntrack,
        stages=passed,
        whole=packet.ports,
        translated=connection.kinds if connection else frozenset(["OTHER"] if moved(packet, translates) else ()),
    )


def outcomes_of(walk: Walk, state: State) -> Outcomes:
    """What becomes of every packet of a box of ports."""
    return walk.run(state) if state.stages else [(state.whole, Outcome("ACCEPT", state=state))]


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
        handle=rule.handle if rule else 0,
        table=outcome.stage.table if outcome.stage else "",
        places=tuple((one.table, one.chain, one.handle or one.line) for one in outcome.trace),
        end=outcome.state,
    )


def _ports(box: Box) -> str:
    return f"{box.source_ports} → {box.ports}"
