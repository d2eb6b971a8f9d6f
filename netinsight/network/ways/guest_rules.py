"""The rules of a guest's firewall, asked about a packet on its way.

A packet is judged as the first of its connection; of TCP, whose third packet has to pass too, also as a later one. The
answer is judged as part of the connection where the same guest saw its question, and was not told to leave it untracked;
of TCP it is the SYN-ACK, and what follows it.

What the guest takes later packets for hangs on whether it tracks the answer too, which is known when that was walked: they
are ESTABLISHED, or INVALID. A SYN-ACK of no connection is INVALID, what follows it is a connection of its own (NEW).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from netinsight.addresses import family, parse_address
from netinsight.engine.spaces import Box, Region, cut, intersect, subtract
from netinsight.flow import ICMP, ICMPV6, TCP, has_ports
from netinsight.guest.iptables import FLAGS, NO_PORTS, Connection, Judgement
from netinsight.guest.iptables import Packet as Judged
from netinsight.model.topology import Interface
from netinsight.network.steps import Packet
from netinsight.network.ways import guests
from netinsight.network.ways.guest_known import STAGES, GuestFirewall, addresses_of
from netinsight.network.ways.guest_parts import (
    Part,
    asked_box,
    chain_of,
    connmark_of,
    ends_as,
    is_changed,
    is_untracked,
    reply_box,
    restored_to,
)
from netinsight.network.ways.journey import Journey

if TYPE_CHECKING:
    from netinsight.network.ways.walker import Walker

_OTHER_WAY = {"OUTPUT": "INPUT", "INPUT": "OUTPUT", "FORWARD": "FORWARD"}
_FLAGS = {"question": None, "answer": FLAGS["SYN"] | FLAGS["ACK"], "later": FLAGS["ACK"], "reply": FLAGS["ACK"]}


def judged(walker: Walker, firewall: GuestFirewall, journey: Journey, interface: Interface, chain: str) -> list[Part]:
    """What the firewall of a guest says of a packet, part by part.

    Parameters
    ----------
    interface
        The ENI by which the packet comes in, or goes out.
    chain
        ``OUTPUT`` of what the guest sends, ``INPUT`` of what it takes in, ``FORWARD`` of what it passes on.
    """
    instance, packet = interface.instance_id or "", journey.packet
    asker = _Asker(walker, firewall, interface, packet, chain)
    if journey.frame.back:
        return list(asker.answer())
    key = (instance, chain, packet)
    if key not in walker.firewalled:
        walker.firewalled[key] = list(asker.question())
    return walker.firewalled[key]


def judged_again(
    walker: Walker, firewall: GuestFirewall, journey: Journey, interface: Interface, chain: str, seen: Region
) -> list[Part]:
    """The same of a question whose answer is known: ``seen`` are the ports of which the guest tracks it."""
    return list(_Asker(walker, firewall, interface, journey.packet, chain).question(seen))


class _Asker(NamedTuple):
    """Asks a firewall about one packet."""

    walker: Walker
    firewall: GuestFirewall
    interface: Interface
    packet: Packet
    chain: str

    def question(self, seen: Region | None = None) -> Iterator[Part]:
        """As the first packet of a connection, and where that passes, of TCP, as a later one.

        ``seen``: the ports of which this guest tracks the answer; None: of all.
        """
        first = self._packet(self.packet.box, "question")
        for box, judgement in self._judged(first, self.packet.box):
            if judgement.verdict != "ACCEPT" or self.packet.protocol != TCP or not self.walker.answered:
                yield Part(box, judgement)
                continue
            tracked = (box,) if seen is None or is_untracked(judgement) else intersect((box,), seen)
            for piece in tracked:
                yield from self._with_later(piece, judgement, self._later(piece, judgement))
            for piece in subtract((box,), tracked):
                fits = judgement.end is None or not is_changed(judgement.end, box)
                for part in self._with_later(piece, judgement, self._packet(piece, "later", state="INVALID")):
                    yield part._replace(fits=fits)

    def _with_later(self, box: Box, first: Judgement, later: Judged) -> Iterator[Part]:
        for part, judgement in self._judged(later, box):
            yield Part(part, first, None if judgement.verdict == "ACCEPT" else judgement)

    def answer(self) -> Iterator[Part]:
        """As part of the connection whose question this guest saw; the rest as a packet of its own."""
        rest, seen = [self.packet.box], []
        for asked, part in self._asked():
            if part.judgement.verdict == "ACCEPT" and is_untracked(part.judgement):
                continue
            for piece in list(rest):
                here, around = cut(piece, reply_box(part)) if has_ports(self.packet.protocol) else (piece, [])
                if here is None:
                    continue
                rest.remove(piece)
                rest += around
                found = list(self._answered(here, partial(self._of_connection, asked=asked, part=part)))
                seen += [(asked, asked_box(part, one.box)) for one in found if not is_untracked(one.judgement)]
                yield from found
        self.walker.seen[self.interface.instance_id or "", self.chain, self.packet] = seen
        at_end = self.interface.id in self.walker.end_enis
        known = (self.walker.asked_broken and at_end) or self._asked_as_what()
        for piece in rest:
            yield from self._answered(piece, self._of_known if known else self._of_none)

    def _answered(self, box: Box, of: Callable[[Box, str], Judged]) -> Iterator[Part]:
        """The answer's first packet, and where that passes, of TCP, a later one; what no connection owns stays as it is."""
        for part, first in self._judged(of(box, "answer"), box):
            if first.verdict != "ACCEPT" or self.packet.protocol != TCP:
                yield Part(part, first, fits=self._fits(first, part))
                continue
            for piece, later in self._judged(of(part, "reply"), part):
                passes = later.verdict == "ACCEPT"
                fits = self._fits(first, piece) and (not passes or self._fits(later, piece))
                yield Part(piece, first, None if passes else later, fits)

    def _fits(self, judgement: Judgement, box: Box) -> bool:
        """Whether an answer leaves with the addresses of its connection: only one that is tracked is translated back."""
        left = judgement.end
        if left is None or judgement.verdict != "ACCEPT":
            return True
        known = left.packet.connection
        if known is not None:
            return left.conntrack != "UNTRACKED" or not (known.new_source or known.new_destination)
        return not is_changed(left, box)

    def _asked_as_what(self) -> bool:
        """Whether it is not known as what this guest sent the question on."""
        steps = self.walker.asked_steps
        return any(one.object.id == self.interface.instance_id and one.decision == "unknown" for one in steps)

    def _asked(self) -> Iterator[tuple[Packet, Part]]:
        """What this guest's firewall said of the question whose answer this is."""
        instance, chain = self.interface.instance_id or "", _OTHER_WAY[self.chain]
        for step in self.walker.asked_steps:
            if step.object.id == instance and step.stage == STAGES[chain]:
                for part in self.walker.firewalled.get((instance, chain, step.packet), ()):
                    if self._answers(step.packet, part):
                        yield step.packet, part

    def _answers(self, asked: Packet, part: Part) -> bool:
        """Whether the packet answers what the guest saw, or what it made of that."""
        mine, left = (self.packet.destination, self.packet.source), part.left
        if left is None or chain_of(part) == "INPUT":
            return mine == (asked.source, asked.destination)
        return all(
            first <= one <= last for one, (first, last) in zip(mine, (left.source, left.destination), strict=True)
        )

    def _judged(self, packet: Judged, whole: Box) -> list[tuple[Box, Judgement]]:
        """Judged by the guest, told in the ports that the network sees."""
        parts = self.firewall.regions(packet)
        if packet.ports == whole:
            return parts
        worst = max(parts, key=lambda one: _WORST.index(one[1].verdict))  # no ports, or those of a container
        return [(whole, worst[1])]

    def _packet(self, box: Box, kind: str, **more: object) -> Judged:
        walker, protocol = self.walker, self.packet.protocol
        name = guests.interface_name(walker.network, self.interface)
        held = addresses_of(walker.network, self.interface.instance_id or "")
        out = self._way_on(self.packet.destination) if self.chain == "FORWARD" else name
        facts: dict[str, object] = {
            "chain": self.chain,
            "source": self.packet.source,
            "destination": self.packet.destination,
            "protocol": protocol,
            "ports": box if has_ports(protocol) else NO_PORTS,
            "in_interface": None if self.chain == "OUTPUT" else name,
            "out_interface": None if self.chain == "INPUT" else out,
            "abroad": True,
            "watch": walker.address_sets,
            "source_type": "LOCAL" if self.chain == "OUTPUT" else "UNICAST",
            "destination_type": "LOCAL" if self.chain == "INPUT" else "UNICAST",
            "tcp_flags": _FLAGS[kind] if protocol == TCP else None,
            "icmp_type": box.ports.first if protocol in (ICMP, ICMPV6) else None,
            "icmp_code": 0 if protocol in (ICMP, ICMPV6) else None,
            "time": walker.moment.isoformat(),
            "own": None if held is None else frozenset(one.address for one in held),
            "leads": self._way_on,
            "way_out": _primary(
                guests.named(walker.network, self.interface, out) or self.interface, family(self.packet.source)
            ),
        }
        return Judged(**{**facts, **more})  # type: ignore[arg-type]

    def _way_on(self, address: int) -> str | None:
        """By which interface it goes on to an address; where the routes are not known, by the one it came in by."""
        network, source = self.walker.network, None if self.chain == "OUTPUT" else self.packet.source
        found = guests.way_to(network, self.interface, address, source)
        return found or (guests.interface_name(network, self.interface) if self.chain == "FORWARD" else None)

    def _later(self, box: Box, first: Judgement) -> Judged:
        """A later packet of the connection that the first one made."""
        left = first.end
        if left is not None and left.conntrack == "UNTRACKED":
            return self._packet(box, "later")
        known = Connection(self.packet.source, self.packet.destination)
        if left is not None:
            known = known._replace(
                new_source=ends_as(left.source, left.source_ports, self.packet.source),
                new_destination=ends_as(left.destination, left.ports, self.packet.destination),
                kinds=left.translated,
            )
        return self._packet(box, "later", state="ESTABLISHED", connection=known, connmark=connmark_of(left))

    def _of_none(self, box: Box, kind: str) -> Judged:
        """A packet of the answer to a guest that has no connection for it."""
        return self._packet(box, kind)

    def _of_known(self, box: Box, kind: str) -> Judged:
        """The same to a guest that asked, was asked, or passed the question on in a way that is not known."""
        known = Connection(self.packet.destination, self.packet.source, reply=True)
        return self._packet(box, kind, state="ESTABLISHED", connection=known)

    def _of_connection(self, box: Box, kind: str, asked: Packet, part: Part) -> Judged:
        """The answer as the guest's kernel sees it: of a container it comes from there, and is passed on."""
        left = part.left
        known = Connection(asked.source, asked.destination, reply=True)
        if left is None:
            return self._packet(box, kind, state="ESTABLISHED", connection=known)
        moved = None if left.ports in (None, part.box.ports) else part.box.ports
        known = known._replace(
            kinds=left.translated,
            new_source=restored_to(asked.destination, moved, left.destination),
            new_destination=restored_to(asked.source, None, left.source),
        )
        facts: dict[str, object] = {"state": "ESTABLISHED", "connection": known, "connmark": connmark_of(left)}
        if part.sent_on:
            inside, own = left.destination.first, guests.interface_name(self.walker.network, self.interface)
            facts |= {"chain": "FORWARD", "source": inside, "source_type": "UNICAST", "out_interface": own,
                      "in_interface": guests.way_to(self.walker.network, self.interface, inside)}  # fmt: skip
        box = Box(left.ports, box.ports) if left.ports else box
        return self._packet(box, kind, **facts)


_WORST = ("ACCEPT", "UNKNOWN", "REJECT", "DROP")


def _primary(interface: Interface, of_family: int) -> int | None:
    """The first address of an ENI."""
    addresses = (parse_address(written) for _, written in interface.addresses())
    return next((one for one in addresses if family(one) == of_family), None)
