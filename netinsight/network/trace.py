"""One question walked through a network, forward and back; nothing stops at a deny.

::

    forward   ENI ─ group egress ─ mail ─ ACL egress ─ route ─(public edge)─ ACL ingress ─ group ingress ─ ENI
    back      ENI ─ session ─ ACL egress ─ route ─(public edge)─ ACL ingress ─ session ─ ENI

An end may be an Internet host or a cloud service; its half of the way is then left out. The order is that of
docs/evaluation-order.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from netinsight.addresses import family, merge, text
from netinsight.engine.classify import Decision
from netinsight.engine.spaces import Box, cut
from netinsight.flow import GRE, ICMP, ICMPV6, NO_PORT, PortRange, Question, has_ports
from netinsight.model.security_group import Direction
from netinsight.model.topology import Interface
from netinsight.network import stages
from netinsight.network.build import Network, Public
from netinsight.network.ends import End, Ends, Kind
from netinsight.network.internet import host_classes
from netinsight.network.routing import (
    Exit,
    flipped,
    not_followed,
    route_inside,
    route_list,
    route_to_internet,
    route_to_service,
)
from netinsight.network.steps import Packet, Ref, Ruling, Step, Walk, why

ECHO_REQUEST = {ICMP: 8, ICMPV6: 128}
ANSWERS = {ICMP: {8: 0, 13: 14, 15: 16, 17: 18}, ICMPV6: {128: 129}}
"""The ICMP types that are answered, and by which."""


def trace(network: Network, question: Question, ends: Ends, at: datetime) -> tuple[Walk, ...]:
    """Walk a question between its ends; once for each kind of Internet host that decides otherwise.

    Parameters
    ----------
    at
        The moment at which blackholes are judged.
    """
    box = question_box(question, ends)
    protocol = ICMPV6 if ends.family == 6 and question.protocol == ICMP else question.protocol
    walks: dict[object, Walk] = {}
    for hosts, address in host_classes(network, ends):
        source, destination = (
            end._replace(address=address) if end.address is None else end for end in (ends.source, ends.destination)
        )
        walker = _Walker(network, source, destination, protocol, box, at)
        forward = tuple(walker.forward())
        answered = not question.one_way and (protocol not in ANSWERS or box.ports.first in ANSWERS[protocol])
        back = tuple(walker.back()) if answered else ()
        walk = Walk(box, forward, back, hosts, address if hosts else None, frozenset(walker.assumptions))
        first = walks.setdefault(_fate(walk), walk)
        if first is not walk:
            walks[_fate(walk)] = first._replace(hosts=merge(first.hosts + walk.hosts))
    return tuple(walks.values())


def _fate(walk: Walk) -> object:
    """What two walks share that nobody can tell apart but by their Internet hosts."""
    steps = tuple(
        (step.stage, step.object, tuple((r.box, r.decision, r.origin) for r in step.rulings)) for step in walk.steps
    )
    return steps, walk.assumptions


def question_box(question: Question, ends: Ends) -> Box:
    """The source ports and ports of a question; of ICMP its code and type; of others the one point *no port*."""
    if has_ports(question.protocol) and question.ports:
        return Box(ends.source_ports, question.ports)
    if question.protocol in ECHO_REQUEST:
        version = ICMPV6 if ends.family == 6 else question.protocol
        kind = ECHO_REQUEST[version] if question.icmp_type is None else question.icmp_type
        return Box(NO_PORT, PortRange(kind, kind))
    return Box(NO_PORT, NO_PORT)


@dataclass
class _Walker:
    """Makes the steps of one walk; what an answer rests on is gathered on the way."""

    network: Network
    source: End
    destination: End
    protocol: int
    box: Box
    at: datetime
    assumptions: set[str] = field(default_factory=set)
    left_by: Public | None = None
    """The public address that the question left by: what its answer comes back to."""

    def forward(self) -> Iterator[Step]:
        """The question on its way."""
        yield from self._depart(self.source, self.destination, back=False)
        yield from self._arrive(self.source, self.destination, back=False)

    def back(self) -> Iterator[Step]:
        """The answer on its way."""
        yield from self._depart(self.destination, self.source, back=True)
        yield from self._arrive(self.destination, self.source, back=True)

    def _depart(self, sender: End, receiver: End, back: bool) -> Iterator[Step]:
        interface = sender.interface
        if interface is None:
            return
        packet = self._packet(_own(sender), self._seen(sender, receiver), back)
        if not back:
            yield self._eni(interface, packet)
        yield self._groups(interface, Direction.EGRESS, packet, back)
        if not back and self._is_public(sender, receiver):
            rulings = stages.mail(self.network, sender.instance_id, self.protocol, self.box)
            if rulings:
                yield Step("platform.smtp", "platform.smtp_egress", Ref("eni", interface.id), packet, rulings)
        yield self._acl(sender, receiver, Direction.EGRESS, packet, back)
        yield from self._route(interface, packet, self._exit(sender, receiver, packet), back)

    def _arrive(self, sender: End, receiver: End, back: bool) -> Iterator[Step]:
        packet = self._packet(self._far(sender, receiver), _own(receiver), back)
        if receiver.kind is Kind.DOOR and receiver.public:
            hole = stages.blackhole(self.network, receiver.public, self.at, self.box)
            yield Step("blackhole", "blackhole.public_ip", Ref("eip", receiver.public.holder), packet, hole)
            yield stages.door_without_eni(self.network, receiver.public, packet, self.box)
        interface = receiver.interface
        if interface is None:
            return
        if sender.kind is Kind.NETWORK and not back:
            yield self._from_network(interface, packet)
        if self._is_public(receiver, sender):
            yield from self._enter(receiver, interface, packet, back)
        yield self._acl(receiver, sender, Direction.INGRESS, packet, back)
        yield self._groups(interface, Direction.INGRESS, packet, back)
        if not back:
            yield self._eni(interface, packet)

    # ------------------------------------------------------------------ addresses and ports

    def _is_public(self, one: End, other: End) -> bool:
        """Whether the road between two ends, seen from the ENI ``one``, leads over the public edge."""
        if other.kind in (Kind.INTERNET, Kind.DOOR):
            return True
        return other.kind is Kind.ENI and one.kind is Kind.ENI and bool(one.public or other.public)

    def _seen(self, sender: End, receiver: End) -> int:
        """The destination address that the sender's packet bears."""
        if receiver.interface and self._is_public(sender, receiver):
            return self._public_address(receiver)
        return _own(receiver)

    def _far(self, sender: End, receiver: End) -> int:
        """The source address that the receiver sees."""
        if sender.interface and self._is_public(sender, receiver):
            return self._public_address(sender)
        return _own(sender)

    def _public_address(self, end: End) -> int:
        public = self._public(end)
        return public.address if public and not not_followed(public) else _own(end)

    def _public(self, end: End) -> Public | None:
        if end.public or end.interface is None or family(_own(end)) == 6:
            return end.public
        return self.network.public_of(end.interface, _own(end))

    def _packet(self, source: int, destination: int, back: bool) -> Packet:
        return Packet(source, destination, self.protocol, self._answer_box() if back else self.box)

    def _answer_box(self) -> Box:
        if has_ports(self.protocol):
            return self.box.swapped()
        answers = ANSWERS.get(self.protocol, {})
        kind = answers.get(self.box.ports.first, self.box.ports.first)
        return Box(NO_PORT, PortRange(kind, kind))

    def _asked(self, back: bool) -> stages.Asked:
        """How a box of the packet's ports is told in the question's own."""
        if not back:
            return lambda box: box
        return (lambda box: box.swapped()) if has_ports(self.protocol) else (lambda box: self.box)

    # ------------------------------------------------------------------ stages

    def _eni(self, interface: Interface, packet: Packet) -> Step:
        return Step(
            "eni", "eni.status", Ref("eni", interface.id), packet, stages.eni(self.network, interface, self.box)
        )

    def _groups(self, interface: Interface, direction: Direction, packet: Packet, back: bool) -> Step:
        """Groups are stateful: an answer passes where its question was judged; for ICMP and GRE that is assumed."""
        stage, ref, item = f"security_group.{direction}", Ref("eni", interface.id), f"eni.security_group.{direction}"
        if back and self.protocol not in (ICMP, ICMPV6, GRE):
            return self._session(stage, ref, packet)
        packed = self.network.group_filter(interface, direction)
        rulings = stages.by_rows(packed, packet, self._asked(back))
        if not back:
            if direction is Direction.EGRESS:
                self._note_intra_group(interface, packet, rulings)
            else:
                rulings = stages.told_apart(self.network, self.source.interface, interface, rulings)
            return Step(stage, item, ref, packet, rulings, packed)
        judged = Step(stage, f"{item}.return", ref, packet, rulings, packed)
        if judged.decision != "accept":
            self.assumptions.add("icmp_gre_stateful")
        stateful = self.network.assumptions["icmp_gre_stateful"] == "true"
        return self._session(stage, ref, packet) if stateful else judged

    def _session(self, stage: str, ref: Ref, packet: Packet) -> Step:
        return Step(stage, "", ref, packet, stages.whole(self.box, Decision.ACCEPT, why("group.session")))

    def _note_intra_group(self, interface: Interface, packet: Packet, rulings: tuple[Ruling, ...]) -> None:
        """The answer rests on ``intra_group_egress`` where the other value would decide some part otherwise."""
        packed = self.network.group_filter(interface, Direction.EGRESS)
        if not any(origin.kind == "intra_group" for origin in packed.origins):
            return
        turned = self.network.group_filter(interface, Direction.EGRESS, flipped(self.network, "intra_group_egress"))
        others = stages.by_rows(turned, packet, self._asked(back=False))
        if any(a.decision != b.decision and cut(a.box, b.box)[0] for a in rulings for b in others):
            self.assumptions.add("intra_group_egress")

    def _acl(self, end: End, other: End, direction: Direction, packet: Packet, back: bool) -> Step:
        vswitch = end.interface.eni.vswitch if end.interface else ""
        inside = bool(other.interface and other.interface.eni.vswitch == vswitch and not self._is_public(end, other))
        rulings, packed = stages.acl(self.network, vswitch, inside, direction, packet, self.box, self._asked(back))
        item = f"vswitch.network_acl.{direction}" + (".return" if back else "")
        return Step(f"network_acl.{direction}", item, Ref("vswitch", vswitch), packet, rulings, packed)

    def _exit(self, sender: End, receiver: End, packet: Packet) -> Exit:
        interface, topology = sender.interface, self.network.topology
        if interface is None:
            raise TypeError(sender.kind)
        vswitch = interface.eni.vswitch
        if vswitch not in topology.vswitches:
            return Exit(Decision.UNKNOWN, why("unknown.fact", fact=vswitch, reason=topology.unknown.get(vswitch, "")))
        if self._is_public(sender, receiver):
            chosen = route_to_internet(self.network, interface, packet.source, packet.destination)
        elif receiver.interface:
            chosen = route_inside(self.network, vswitch, receiver.interface, packet.destination)
        else:
            chosen = route_to_service(self.network, vswitch, packet.destination)
        self.assumptions |= chosen.assumptions
        return chosen

    def _route(self, interface: Interface, packet: Packet, exit_: Exit, back: bool) -> Iterator[Step]:
        item, ref = "route.return" if back else "route.forward", Ref("vswitch", interface.eni.vswitch)
        packed = route_list(self.network, ref.id, exit_)
        yield Step("route", item, ref, packet, stages.whole(self.box, exit_.decision, exit_.why, exit_.origin), packed)
        if exit_.hop:
            yield stages.not_modelled(exit_.hop_item, exit_.hop, packet, self.box, exit_.origin)
        elif exit_.public and exit_.decision is Decision.ACCEPT:
            self.left_by = self.left_by if back else exit_.public
            outside = packet._replace(source=exit_.public.address)
            rulings = stages.translation(exit_.public, "public.out", self.box)
            yield Step("public_ip.egress", "gateway.public_ip", Ref("eni", interface.id), outside, rulings)

    def _from_network(self, interface: Interface, packet: Packet) -> Step:
        """In from a network that is known only by a route to it: by the hop of that route, which is not followed."""
        vswitch = interface.eni.vswitch
        back = (
            route_to_service(self.network, vswitch, packet.source)
            if vswitch in self.network.topology.vswitches
            else None
        )
        ref = back.hop if back and back.hop else Ref("network", text(packet.source))
        item = back.hop_item if back and back.hop else "gateway.unknown"
        return stages.not_modelled(item, ref, packet, self.box, back.origin if back else None)

    def _enter(self, receiver: End, interface: Interface, packet: Packet, back: bool) -> Iterator[Step]:
        """In by the public address that stands for an ENI: the blackhole, then the translation."""
        if family(_own(receiver)) == 6:
            if not back:
                yield stages.not_modelled("gateway.ipv6", Ref("ipv6", "ipv6-gateway"), packet, self.box, None)
            return
        public, ref = self.left_by if back else self._public(receiver), Ref("eni", interface.id)
        if public is None:
            if not back:
                yield stages.no_public_address(self.network, interface, _own(receiver), packet, self.box)
            return
        outside = packet._replace(destination=public.address)
        if public.interface:  # of an address that may belong to another, nothing is said
            hole = stages.blackhole(self.network, public, self.at, self.box)
            yield Step("blackhole", "blackhole.public_ip", ref, outside, hole)
        if reason := not_followed(public):
            rulings = stages.not_known(self.box, public.holder, reason, public.path)
        else:
            rulings = stages.translation(public, "public.in", self.box)
        yield Step("public_ip.ingress", "gateway.public_ip", ref, outside, rulings)


def _own(end: End) -> int:
    if end.address is None:
        raise TypeError(f"{end.asked} has no address yet")
    return end.address
