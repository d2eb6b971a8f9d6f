"""What a guest's firewall makes of the parts of a question, and which ports of its answer belong to each."""

from __future__ import annotations

from typing import NamedTuple

from netinsight.addresses import Range
from netinsight.engine.spaces import Box
from netinsight.flow import EVERY_PORT, PortRange
from netinsight.guest.iptables import Judgement, State, Translated
from netinsight.guest.iptables.state import EVERY_BIT


class Part(NamedTuple):
    """What becomes of a box of a packet's ports.

    Attributes
    ----------
    judgement
        Of the first packet.
    later
        Of a later one, where the first passes and that does not.
    fits
        Whether the guest translates all of them alike.
    """

    box: Box
    judgement: Judgement
    later: Judgement | None = None
    fits: bool = True

    @property
    def left(self) -> State | None:
        """The first packet as it leaves the rules, or was stopped by one."""
        return self.judgement.end

    @property
    def decides(self) -> Judgement:
        """What stops the connection, or lets it pass."""
        return self.later or self.judgement

    @property
    def sent_on(self) -> bool:
        """Whether what came for the guest is for another machine now: a container, or one behind the guest."""
        state = self.left
        return bool(state and state.packet.chain == "INPUT" and state.rerouted)


def reply_box(part: Part) -> Box:
    """The ports of the reply to a part; what a translated source chose of client ports nobody knows."""
    left, box = part.left, part.box.swapped()
    ports = left.ports if left and left.ports and chain_of(part) != "INPUT" else box.source_ports
    return Box(ports, EVERY_PORT if moves_source(part) else box.ports)


def asked_box(part: Part, box: Box) -> Box:
    """The ports of the question to which some of the reply belong."""
    there = part.box
    client = there.source_ports if moves_source(part) else box.ports
    ports, came = box.source_ports, reply_box(part).source_ports
    if ports == came or ports.last - ports.first > there.ports.last - there.ports.first:
        return Box(client, there.ports)
    by = there.ports.first - came.first
    return Box(client, PortRange(ports.first + by, ports.last + by))


def moves_source(part: Part) -> bool:
    """Whether the source is translated."""
    left = part.left
    return left is not None and left.source != (left.packet.source, left.packet.source)


def chain_of(part: Part) -> str:
    """The chain that was asked."""
    return part.left.packet.chain if part.left else ""


def is_untracked(judgement: Judgement) -> bool:
    """Whether a rule told connection tracking to leave it."""
    return judgement.end is not None and judgement.end.conntrack == "UNTRACKED"


def is_changed(left: State, box: Box) -> bool:
    """Whether translation made another packet of one with the ports of ``box``."""
    packet = left.packet
    same = left.source == (packet.source, packet.source) and left.destination == (packet.destination,) * 2
    return not same or left.source_ports not in (None, box.source_ports) or left.ports not in (None, box.ports)


def connmark_of(left: State | None) -> int | None:
    """The mark of the connection, as its first packet left it; None where not all of it is known."""
    return left.connmark.value if left is not None and left.connmark.known == EVERY_BIT else None


def ends_as(after: Range, ports: PortRange | None, before: int) -> Translated | None:
    """What becomes of one end of every packet of a connection; None: it stays."""
    return None if after == (before, before) and ports is None else Translated(after, ports)


def restored_to(before: int, ports: PortRange | None, after: Range) -> Translated | None:
    """What becomes of the same end of an answer, on its way back; None: it stays."""
    return None if after == (before, before) and ports is None else Translated(Range(before, before), ports)
