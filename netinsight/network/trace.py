"""One question walked through a network, forward and back; nothing stops at a deny.

::

    forward   ENI ─ group egress ─ mail ─ ACL egress ─ route ─(public edge)─ ACL ingress ─ group ingress ─ ENI
    back      ENI ─ session ─ ACL egress ─ route ─(public edge)─ ACL ingress ─ session ─ ENI

An end may be an Internet host or a cloud service; its half of the way is then left out. The order is that of
docs/evaluation-order.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from netinsight.addresses import family, parse_address, text
from netinsight.engine.classify import Decision, decide, partition
from netinsight.engine.spaces import Box, cut
from netinsight.flow import GRE, ICMP, ICMPV6, LAST_PORT, NO_PORT, PortRange, Question, has_ports
from netinsight.model.base import Unknown
from netinsight.model.instance import EniStatus
from netinsight.model.security_group import Direction
from netinsight.model.topology import Interface
from netinsight.network.build import Network, Public
from netinsight.network.ends import End, Ends, Kind
from netinsight.network.filters import Filter
from netinsight.network.internet import host_classes
from netinsight.network.routing import Exit, flipped, not_followed, route_inside, route_to_internet, route_to_service
from netinsight.network.steps import Packet, Ref, Ruling, Step, Walk, Why, why

ECHO_REQUEST = {ICMP: 8, ICMPV6: 128}
ANSWERS = {ICMP: {8: 0, 13: 14, 15: 16, 17: 18}, ICMPV6: {128: 129}}
"""The ICMP types that are answered, and by which."""


def trace(network: Network, question: Question, ends: Ends, at: datetime) -> tuple[Walk, ...]:
    """Walk a question between its ends; once for each kind of Internet host that the rules tell apart.

    Parameters
    ----------
    at
        The moment at which blackholes are judged.
    """
    box = question_box(question, ends)
    protocol = question.protocol
    if ends.family == 6 and protocol == ICMP:
        protocol = ICMPV6
    walks = []
    for hosts, address in host_classes(network, ends):
        source, destination = (
            replace(end, address=address) if end.address is None else end for end in (ends.source, ends.destination)
        )
        walker = _Walker(network, source, destination, protocol, box, at)
        forward = tuple(walker.forward())
        answered = not question.one_way and (protocol not in ANSWERS or box.ports.first in ANSWERS[protocol])
        back = tuple(walker.back()) if answered else ()
        walks.append(Walk(box, forward, back, hosts, frozenset(walker.assumptions)))
    return tuple(walks)


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

    # ------------------------------------------------------------------ the two legs

    def forward(self) -> Iterator[Step]:
        """The question on its way."""
        yield from self._leg(self.source, self.destination, back=False)

    def back(self) -> Iterator[Step]:
        """The answer on its way."""
        yield from self._leg(self.destination, self.source, back=True)

    def _leg(self, sender: End, receiver: End, back: bool) -> Iterator[Step]:
        exit_: Exit | None = None
        if sender.interface:
            packet = self._packet(_own(sender), self._seen(sender, receiver), back)
            yield from self._eni(sender.interface, packet, back)
            yield from self._groups(sender.interface, Direction.EGRESS, packet, back)
            if not back and self._is_public(sender, receiver):
                yield from self._mail(sender, packet)
            yield from self._acl(sender, receiver, Direction.EGRESS, packet, back)
            exit_ = self._exit(sender, receiver, packet)
            yield from self._route(sender.interface, packet, exit_, back)
        if receiver.kind is Kind.DOOR:
            yield self._closed_door(receiver, self._packet(self._far(sender, receiver), _own(receiver), back))
        if receiver.interface:
            yield from self._arrive(sender, receiver, exit_, back)

    def _arrive(self, sender: End, receiver: End, exit_: Exit | None, back: bool) -> Iterator[Step]:
        interface = receiver.interface
        if interface is None:
            return
        packet = self._packet(self._far(sender, receiver), _own(receiver), back)
        if self._is_public(receiver, sender):
            yield from self._enter(receiver, packet, back)
        yield from self._acl(receiver, sender, Direction.INGRESS, packet, back)
        yield from self._groups(interface, Direction.INGRESS, packet, back)
        yield from self._eni(interface, packet, back)

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
        if sender.interface and self._is_public(receiver, sender):
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

    def _asked(self, box: Box, back: bool) -> Box:
        """A box of a packet's ports, in the question's own."""
        if not back:
            return box
        return box.swapped() if has_ports(self.protocol) else self.box

    def _whole(self, decision: Decision, reason: Why) -> tuple[Ruling, ...]:
        return (Ruling(self.box, decision, reason),)

    # ------------------------------------------------------------------ stages

    def _eni(self, interface: Interface, packet: Packet, back: bool) -> Iterator[Step]:
        if back:
            return
        status = interface.eni.status
        if isinstance(status, Unknown):
            rulings = self._whole(Decision.UNKNOWN, why("unknown.fact", object=interface.id, reason=status.unknown))
        else:
            carries = status in self.network.topology.dialect.statuses_that_carry
            decision = Decision.ACCEPT if carries else Decision.DROP
            rulings = self._whole(decision, why("eni.status", eni=interface.id, status=status))
        instance = self.network.topology.instances.get(interface.instance_id or "")
        if (
            instance
            and isinstance(instance.status, Unknown)
            and not isinstance(status, Unknown)
            and status is EniStatus.IN_USE
        ):
            reason = instance.status.unknown
            rulings = self._whole(Decision.UNKNOWN, why("unknown.fact", object=interface.instance_id, reason=reason))
        yield Step("eni", "eni.status", Ref("eni", interface.id), packet, rulings)

    def _groups(self, interface: Interface, direction: Direction, packet: Packet, back: bool) -> Iterator[Step]:
        stage, ref = f"security_group.{direction}", Ref("eni", interface.id)
        item = f"eni.security_group.{direction}"
        if not back:
            rulings = self._judge(self.network.group_filter(interface, direction), packet, back)
            if direction is Direction.EGRESS:
                self._note_intra_group(interface, packet, rulings, back)
            yield Step(stage, item, ref, packet, rulings)
            return
        session = Step(stage, "", ref, packet, self._whole(Decision.ACCEPT, why("group.session")))
        if self.protocol not in (ICMP, ICMPV6, GRE):
            yield session
            return
        judged = Step(
            stage,
            f"{item}.return",
            ref,
            packet,
            self._judge(self.network.group_filter(interface, direction), packet, back),
        )
        if judged.decision != Decision.ACCEPT:
            self.assumptions.add("icmp_gre_stateful")
        yield session if self.network.assumptions["icmp_gre_stateful"] == "true" else judged

    def _note_intra_group(self, interface: Interface, packet: Packet, rulings: tuple[Ruling, ...], back: bool) -> None:
        """The answer rests on ``intra_group_egress`` where the other value would decide some part otherwise."""
        packed = self.network.group_filter(interface, Direction.EGRESS)
        if not any(origin.kind == "intra_group" for origin in packed.origins):
            return
        swapped = self.network.group_filter(interface, Direction.EGRESS, flipped(self.network, "intra_group_egress"))
        others = self._judge(swapped, packet, back)
        if any(a.decision != b.decision and cut(a.box, b.box)[0] for a in rulings for b in others):
            self.assumptions.add("intra_group_egress")

    def _mail(self, sender: End, packet: Packet) -> Iterator[Step]:
        """The ports that the platform shuts towards public addresses, where the question has one."""
        instance = self.network.topology.instances.get(sender.instance_id)
        blocked = [
            port for protocol, port in self.network.topology.dialect.blocked_public_egress if protocol == self.protocol
        ]
        rulings, rest = [], [self.box]
        for port in blocked:
            hit, rest = cut(self.box, Box(PortRange(0, LAST_PORT), PortRange(port, port)))
            if hit and not (instance and instance.smtp_unlocked):
                rulings.append(Ruling(hit, Decision.DROP, why("mail.blocked", port=port)))
            elif hit:
                rulings.append(Ruling(hit, Decision.ACCEPT, why("mail.unlocked", port=port)))
        if rulings:
            rulings += [Ruling(box, Decision.ACCEPT, why("mail.none")) for box in rest]
            ref = Ref("eni", sender.interface.id if sender.interface else "")
            yield Step("platform.smtp", "platform.smtp_egress", ref, packet, tuple(rulings))

    def _acl(self, end: End, other: End, direction: Direction, packet: Packet, back: bool) -> Iterator[Step]:
        interface = end.interface
        if interface is None:
            return
        vswitch_id = interface.eni.vswitch
        stage, ref = f"network_acl.{direction}", Ref("vswitch", vswitch_id)
        item = f"vswitch.network_acl.{direction}" + (".return" if back else "")
        yield Step(stage, item, ref, packet, self._acl_rulings(vswitch_id, end, other, direction, packet, back))

    def _acl_rulings(
        self, vswitch_id: str, end: End, other: End, direction: Direction, packet: Packet, back: bool
    ) -> tuple[Ruling, ...]:
        topology = self.network.topology
        vswitch = topology.vswitches.get(vswitch_id)
        if vswitch is None:
            return self._whole(
                Decision.UNKNOWN, why("unknown.fact", object=vswitch_id, reason=topology.unknown.get(vswitch_id, ""))
            )
        inside = other.interface and other.interface.eni.vswitch == vswitch_id and not self._is_public(end, other)
        if inside and not topology.dialect.acl_inside_vswitch:
            return self._whole(Decision.ACCEPT, why("acl.same_vswitch", vswitch=vswitch_id))
        acl = vswitch.network_acl
        if acl is None:
            return self._whole(Decision.ACCEPT, why("acl.none", vswitch=vswitch_id))
        if isinstance(acl, Unknown):
            return self._whole(Decision.UNKNOWN, why("unknown.fact", object=vswitch_id, reason=acl.unknown))
        return self._judge(self.network.acl_filter(acl, direction), packet, back)

    def _exit(self, sender: End, receiver: End, packet: Packet) -> Exit:
        interface, topology = sender.interface, self.network.topology
        if interface is None:
            raise TypeError(sender.kind)
        vswitch = interface.eni.vswitch
        if vswitch not in topology.vswitches:
            return Exit(Decision.UNKNOWN, why("unknown.fact", object=vswitch, reason=topology.unknown.get(vswitch, "")))
        table = topology.vswitches[vswitch].route_table
        if isinstance(table, Unknown):
            return Exit(Decision.UNKNOWN, why("unknown.fact", object=vswitch, reason=table.unknown))
        if self._is_public(sender, receiver):
            chosen = route_to_internet(self.network, interface, packet.source, packet.destination)
        elif receiver.interface:
            chosen = route_inside(self.network, vswitch, receiver.interface, packet.destination)
        else:
            chosen = route_to_service(self.network, vswitch, packet.destination)
        self.assumptions |= chosen.assumptions
        return chosen

    def _route(self, interface: Interface, packet: Packet, exit_: Exit, back: bool) -> Iterator[Step]:
        item = "route.return" if back else "route.forward"
        yield Step(
            "route",
            item,
            Ref("vswitch", interface.eni.vswitch),
            packet,
            (Ruling(self.box, exit_.decision, exit_.why, exit_.origin),),
        )
        if exit_.hop:
            unmodelled = self._whole(
                Decision.UNKNOWN, why("gateway.not_modelled", next_hop=exit_.hop.id, kind=exit_.hop.type)
            )
            yield Step("gateway", exit_.hop_item, exit_.hop, packet, unmodelled)
        elif exit_.public and exit_.decision is Decision.ACCEPT:
            translated = replace(packet, source=exit_.public.address)
            yield Step("public_ip.egress", "gateway.public_ip", Ref("eni", interface.id), translated,
                       self._public_rulings(exit_.public, "public.out"))  # fmt: skip

    def _public_rulings(self, public: Public, code: str) -> tuple[Ruling, ...]:
        if not public.has_bandwidth:
            return self._whole(Decision.DROP, why("public.no_bandwidth", public=text(public.address)))
        private = text(public.private) if public.private is not None else ""
        return self._whole(Decision.ACCEPT, why(code, public=text(public.address), private=private))

    def _enter(self, receiver: End, packet: Packet, back: bool) -> Iterator[Step]:
        """In by the public address that stands for an ENI: the blackhole, then the translation."""
        interface, public = receiver.interface, self._public(receiver)
        if interface is None:
            return
        ref = Ref("eni", interface.id)
        if public is None:
            if not back:
                yield self._no_public_address(receiver, packet)
            return
        outside = replace(packet, destination=public.address)
        if reason := not_followed(public):
            rulings = self._whole(Decision.UNKNOWN, why("unknown.fact", object=public.holder, reason=reason))
            yield Step("public_ip.ingress", "gateway.public_ip", ref, outside, rulings)
            return
        yield Step("blackhole", "blackhole.public_ip", ref, outside, self._blackhole(public))
        yield Step("public_ip.ingress", "gateway.public_ip", ref, outside, self._public_rulings(public, "public.in"))

    def _blackhole(self, public: Public) -> tuple[Ruling, ...]:
        until = blackholed_until(self.network, public.address, self.at)
        if until is None:
            return self._whole(Decision.ACCEPT, why("blackhole.none", public=text(public.address)))
        code = "blackhole.until" if until else "blackhole.in"
        return self._whole(Decision.DROP, why(code, public=text(public.address), until=until))

    def _no_public_address(self, receiver: End, packet: Packet) -> Step:
        interface, address = receiver.interface, text(_own(receiver))
        for name, gateway in self.network.topology.nat_gateways.items():
            if any(parse_address(entry.internal_ip) == _own(receiver) for entry in gateway.dnat):
                rulings = self._whole(Decision.UNKNOWN, why("gateway.not_modelled", next_hop=name, kind="nat"))
                return Step("gateway", "gateway.nat", Ref("nat", name), packet, rulings)
        eni = interface.id if interface else ""
        return Step("public_ip.ingress", "gateway.public_ip", Ref("eni", eni), packet,
                    self._whole(Decision.DROP, why("public.none", eni=eni, private=address)))  # fmt: skip

    def _closed_door(self, receiver: End, packet: Packet) -> Step:
        public = receiver.public
        bound = public.bound_to if public else ""
        if public and (public.unknown or bound):
            reason = why("unknown.fact", object=public.holder, reason=public.unknown)
            if bound in self.network.topology.nat_gateways:
                return Step("gateway", "gateway.nat", Ref("nat", bound), packet,
                            self._whole(Decision.UNKNOWN, why("gateway.not_modelled", next_hop=bound, kind="nat")))  # fmt: skip
            return Step(
                "public_ip.ingress",
                "gateway.public_ip",
                Ref("eip", public.holder),
                packet,
                self._whole(Decision.UNKNOWN, reason),
            )
        holder = public.holder if public else ""
        reason = why("public.unbound", public=text(_own(receiver)), eip=holder)
        return Step(
            "public_ip.ingress", "gateway.public_ip", Ref("eip", holder), packet, self._whole(Decision.DROP, reason)
        )

    # ------------------------------------------------------------------ judging by rows

    def _judge(self, packed: Filter, packet: Packet, back: bool) -> tuple[Ruling, ...]:
        rulings = []
        for cell in partition(packed.table, packet.source, packet.destination, packet.protocol, packet.box):
            decision = decide(packed.table, cell)
            row = cell.rows[0] if decision is Decision.UNKNOWN else cell.rows[-1] if cell.rows else None
            origin = packed.origins[row] if row is not None else None
            if origin is None:
                reason = why("unknown.fact", object="", reason="")
            elif decision is Decision.UNKNOWN:
                reason = why("unknown.fact", object=origin.target or origin.id, reason=origin.reason)
            else:
                reason = why(f"{origin.kind}.{decision}", rule=origin.id, group=origin.target)
            rulings.append(Ruling(self._asked(cell.box, back), decision, reason, origin))
        return tuple(rulings)


def _own(end: End) -> int:
    if end.address is None:
        raise TypeError(f"{end.asked} has no address yet")
    return end.address


def blackholed_until(network: Network, address: int, at: datetime) -> str | None:
    """None where a public address is in no blackhole at ``at``; else its end as text, empty where that is not known."""
    for attacked in network.topology.ddos.blackholed:
        if parse_address(attacked.ip) == address and (attacked.until is None or attacked.until > at):
            return attacked.until.isoformat().replace("+00:00", "Z") if attacked.until else ""
    return None
