"""A packet walked from place to place until it arrives, or there is no way on; every choice is a journey of its own.

::

    SENDING ─ groups, mail, ACL ─ route ─┬─ OWNER ─ ARRIVING          a local route
                                         ├─ APPLIANCE ─ SENDING       an ENI as next hop
                                         ├─ NAT_OUT ─┐
                                         ├─ IPV4_GATEWAY ─ EDGE ─┬─ INTERNET
                                         │                       └─ NAT_IN, BALANCER, OWNER   a public address of the topology
                                         └─ PEERING, VPN, …  links.py: other VPCs, networks

Where there is no way on, what stands at the asked end is judged all the same, so that all blockers are found at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from netinsight.addresses import Range, text, within
from netinsight.engine.classify import Decision
from netinsight.engine.spaces import Box, cut
from netinsight.flow import GRE, ICMP, ICMPV6
from netinsight.model.edge import EipMode
from netinsight.model.security_group import Direction
from netinsight.model.topology import Interface
from netinsight.network import internet, stages
from netinsight.network.build import Network, Public
from netinsight.network.ends import End, Kind
from netinsight.network.filters import Filter, Origin
from netinsight.network.routing import flipped
from netinsight.network.steps import Packet, Ref, Ruling, Step, why
from netinsight.network.ways import (
    appliance,
    balancer,
    edge,
    guest_firewall,
    guests,
    links,
    nat,
    publics,
    router,
)
from netinsight.network.ways.guest_known import GuestFirewall
from netinsight.network.ways.journey import At, Journey, Place

if TYPE_CHECKING:
    from netinsight.network.ways.guest_parts import Part

MOST_JOURNEYS = 256
"""Equal choices multiply: beyond so many the rest is not walked, and the answer is not known."""
MOST_PLACES = 64


class Walker:
    """Walks packets of one question.

    Attributes
    ----------
    consulted
        Every list that was looked at: addresses that none of them tells apart have one fate.
    """

    def __init__(
        self, network: Network, source: End, destination: End, at: datetime, *, with_guest: bool = True
    ) -> None:
        self.network, self.source, self.destination = network, source, destination
        self.moment, self.with_guest = at, with_guest
        self.end_enis = {end.interface.id for end in (source, destination) if end.interface}
        self.consulted: dict[int, Filter] = {}
        self.address_sets: set[tuple[Range, ...]] = set()
        self.asked_steps: tuple[Step, ...] = ()
        """The stages of the question, while its answer is walked; whether it was followed all the way; whom it asked."""
        self.asked_broken, self.asked_destination = False, 0
        self.answered = True
        """Whether an answer is asked for."""
        self.firewalled: dict[tuple[str, str, Packet], list[Part]] = {}
        """What the firewalls of guests said of the packets of the question, by instance and chain."""
        self.judged: dict[tuple[str, str, Packet], tuple[GuestFirewall, Journey, Interface, str]] = {}
        """How they were asked, by instance and stage: the journey before, the ENI, the chain."""
        self.seen: dict[tuple[str, str, Packet], list[tuple[Packet, Box]]] = {}
        """Of each packet of the answer, by instance and chain: which questions, and which ports, it was tracked as answer to."""
        self._handlers: dict[At, Callable[[Journey], list[Journey]]] = {
            At.SENDING: self._sending,
            At.ARRIVING: self._arriving,
            **{place: partial(handle, self) for place, handle in HANDLERS.items()},
        }

    # ------------------------------------------------------------------ the walk

    def walk(self, start: Journey) -> list[Journey]:
        """Every journey that a packet may make."""
        pending, done = [start], list[Journey]()
        while pending:
            journey = pending.pop()
            if journey.place.at is At.END:
                done.append(journey)
            elif len(done) + len(pending) >= MOST_JOURNEYS:
                told = why("route.too_many", n=MOST_JOURNEYS)
                ref = Ref("vpc", journey.place.vpc)
                done.append(journey.says("route", journey.item, ref, Decision.UNKNOWN, told).to(At.END))
            elif journey.place.at in (At.ROUTER, At.APPLIANCE) and self.has_been(journey):
                pending += router.loop(self, journey)
            else:
                pending += reversed(self._handlers[journey.place.at](self._counted(journey)))
        return done

    def _counted(self, journey: Journey) -> Journey:
        """The same, with where it is remembered."""
        here = (journey.place, journey.packet.source, journey.packet.destination)
        return journey._replace(been=journey.been | {here})

    def has_been(self, journey: Journey) -> bool:
        """Whether the same packet was here before, or has come too far."""
        here = (journey.place, journey.packet.source, journey.packet.destination)
        return here in journey.been or len(journey.been) > MOST_PLACES

    def looked_at(self, packed: Filter) -> Filter:
        """A list, noted as one that decided."""
        self.consulted[id(packed)] = packed
        return packed

    def rows_at(self, vpc: str, reader: str, address: int) -> tuple[Filter | None, list[Origin]]:
        """A look-up in a table of a VPC (``router.rows_at``), noted."""
        packed, rows = router.rows_at(self.network, vpc, reader, address)
        return self.looked_at(packed) if packed else None, rows

    def sets(self) -> set[tuple[Range, ...]]:
        """Every set of addresses that something on the way looked at."""
        return self.address_sets.union(*(internet.address_sets(packed) for packed in self.consulted.values()))

    def lost(self, journey: Journey) -> list[Journey]:
        """No way on: what stands at the asked end is judged all the same."""
        if journey.broken and journey.place.at is not At.EDGE:
            return [journey.to(At.END)]
        if not self.asked_broken and all(step.decision == "accept" for step in journey.steps):
            told = why("gateway.not_modelled", next_hop=text(journey.packet.destination))  # never without a reason
            ref = Ref("address", text(journey.packet.destination))
            journey = journey.says("gateway", "gateway.unknown", ref, Decision.UNKNOWN, told)
        broken = journey._replace(broken=True)
        target = self.source if journey.frame.back else self.destination
        if target.interface is None or target.kind is not Kind.ENI:
            turns = Place(At.EDGE if target.kind in (Kind.INTERNET, Kind.DOOR) else At.END)
            return [broken.to(At.END)._replace(turns=turns)]
        if self.is_public(journey) and journey.place.at is not At.EDGE and not journey.frame.back:
            return [broken.to(At.EDGE)]
        return [broken.bears(destination=target.address).to(At.ARRIVING, target.interface.id)]

    def is_public(self, journey: Journey) -> bool:
        """Whether the destination is met at the public edge, seen from where the packet is."""
        return publics.is_public(self.network, journey.packet.destination, journey.place.vpc)

    # ------------------------------------------------------------------ ENIs

    def interface(self, journey: Journey) -> Interface:
        """The ENI that a packet is at."""
        return self.network.enis[journey.place.id]

    def _sending(self, journey: Journey) -> list[Journey]:
        interface = self.interface(journey)
        vpc = self.network.vpc_of(interface)
        journey = journey.to(At.SENDING, interface.id, vpc)
        first = not journey.frame.back and not journey.steps
        own = not journey.steps
        if first:
            journey = self.eni_status(journey, interface)
        cut_through = publics.cut_through(self.network, interface)
        if cut_through and own:
            journey = publics.bear_own_public(self, journey, interface)
        elif own:
            inside = guest_firewall.answers_inside(self, journey, interface)
            journey, leaves_by = guests.sends(self, journey, interface, inside)
            if leaves_by is None:
                return self.lost(journey)
            interface = leaves_by
            journey = journey.to(At.SENDING, interface.id, self.network.vpc_of(interface))
        judged = guest_firewall.sends(self, journey, interface) if own else [journey]
        return [one for sent in judged for one in self._leaving(sent, interface, cut_through, first=first)]

    def _leaving(
        self, journey: Journey, interface: Interface, cut_through: Public | None, *, first: bool
    ) -> list[Journey]:
        """Out of the ENI: its groups, the platform's ban of mail, the ACL; then by the table of its vSwitch."""
        journey = self.groups(journey, interface, Direction.EGRESS)
        if first and self.is_public(journey) and not self.network.is_of_a_vpc(journey.packet.destination):
            journey = self._mail(journey, interface)
        if cut_through and cut_through.mode is EipMode.BINDED:
            journey = self._past_acl(journey, interface, Direction.EGRESS)
        else:
            balanced = journey.frame.back and balancer.is_answer(self, journey)
            journey = self.acl(journey, interface, Direction.EGRESS, always=balanced)
        if journey.frame.back and (restored := balancer.answered(self, journey)):
            return restored
        return router.leave(self, journey, interface)

    def _arriving(self, journey: Journey) -> list[Journey]:
        interface = self.interface(journey)
        cut_through = publics.cut_through(self.network, interface)
        if cut_through is None or cut_through.mode is not EipMode.BINDED:
            journey = self.acl(journey, interface, Direction.INGRESS)
        elif journey.packet.destination == cut_through.address:
            journey = self._past_acl(journey, interface, Direction.INGRESS)
        else:
            journey = publics.no_private_networking(journey, interface, cut_through)
        journey = self.groups(journey, interface, Direction.INGRESS)
        if journey.frame.back and journey.restored(guests.holder(interface)):
            return appliance.restores(self, journey, interface)
        item = "guest.route.forward" if journey.frame.back else "guest.route.return"
        journey = guests.lets_in(self, journey, interface, item)
        journey = guest_firewall.takes_in(self, journey, interface)
        journey = self.returned(journey) if journey.frame.back else self.eni_status(journey, interface)
        return [journey.to(At.END, interface.id)._replace(turns=Place(At.SENDING, interface.id))]

    def returned(self, journey: Journey) -> Journey:
        """An answer must come from the address that was asked: any other belongs to no session of the client."""
        if self.asked_broken or journey.broken or journey.packet.source == self.asked_destination:
            return journey
        last = journey.last_router or Ref("eni", journey.place.id)
        told = why("route.reply_address", source=text(journey.packet.source), asked=text(self.asked_destination))
        left = next((step for step in reversed(journey.steps) if step.stage in ("route", "public_ip.egress")), None)
        return journey.says("route.reply", "route.return", last, Decision.DROP, told, left and left.deciding.origin)

    def eni_status(self, journey: Journey, interface: Interface) -> Journey:
        """Only an ENI that is InUse carries traffic; and only an instance that is Running, where nobody asked for it."""
        if interface.id not in self.end_enis:  # that of an end is a precondition
            journey = appliance.running(self.network, journey, interface, "eni", "precondition.instance_running")
        rulings = stages.eni(self.network, interface, journey.leg_box)
        return journey.step("eni", "eni.status", Ref("eni", interface.id), rulings)

    def _mail(self, journey: Journey, interface: Interface) -> Journey:
        rulings = stages.mail(self.network, interface.instance_id or "", journey.packet.protocol, journey.leg_box)
        if not rulings:
            return journey
        return journey.step("platform.smtp", "platform.smtp_egress", Ref("eni", interface.id), rulings)

    # ------------------------------------------------------------------ filters

    def acl(self, journey: Journey, interface: Interface, direction: Direction, *, always: bool = False) -> Journey:
        """The ACL of the ENI's vSwitch; not between two addresses of that, but ``always`` to and from a load balancer."""
        vswitch, packet = interface.eni.vswitch, journey.packet
        far = packet.destination if direction is Direction.EGRESS else packet.source
        inside = not always and self.holds(vswitch, far)
        rulings, packed = stages.acl(self.network, vswitch, inside, direction, packet, journey.leg_box, journey.asked)
        if packed:
            self.looked_at(packed)
        stage, item = _acl_stage(direction, back=journey.frame.back)
        return journey.step(stage, item, Ref("vswitch", vswitch), rulings, packed)

    def _past_acl(self, journey: Journey, interface: Interface, direction: Direction) -> Journey:
        """An EIP that is cut through to the guest is met by no ACL."""
        told, ref = why("acl.cut_through", eni=interface.id), Ref("vswitch", interface.eni.vswitch)
        return journey.says(*_acl_stage(direction, back=journey.frame.back), ref, Decision.ACCEPT, told)

    def holds(self, vswitch: str, address: int) -> bool:
        """Whether an address is one of a vSwitch."""
        described = self.network.topology.vswitches.get(vswitch)
        if described is None:
            return False
        return within(filter(None, (described.cidr, described.ipv6_cidr)), address)

    def groups(self, journey: Journey, interface: Interface, direction: Direction) -> Journey:
        """The groups of an ENI: stateful, so that the answer passes where its question was judged."""
        back, protocol = journey.frame.back, journey.packet.protocol
        stage, ref, item = f"security_group.{direction}", Ref("eni", interface.id), f"eni.security_group.{direction}"
        stateful = protocol not in (ICMP, ICMPV6, GRE)
        known = back and (
            (self.asked_broken and interface.id in self.end_enis) or self._admitted(journey, interface, direction)
        )
        session = journey.says(stage, "", ref, Decision.ACCEPT, why("group.session"))
        if known and stateful:
            return session
        packed = self.looked_at(self.network.group_filter(interface, direction))
        rulings = stages.by_rows(packed, journey.packet, journey.asked)
        if not back:
            if direction is Direction.INGRESS:
                rulings = stages.told_apart(self.network, self.source.interface, interface, rulings)
            judged = journey.step(stage, item, ref, rulings, packed)
            return self._intra_group(judged, interface, rulings) if direction is Direction.EGRESS else judged
        judged = journey.step(stage, f"{item}.return", ref, rulings, packed)
        if not known:
            return judged
        assumed = frozenset({"icmp_gre_stateful"} if judged.steps[-1].decision != "accept" else ())
        chosen = session if self.network.assumptions["icmp_gre_stateful"] == "true" else judged
        return chosen._replace(assumptions=journey.assumptions | assumed)

    def _admitted(self, journey: Journey, interface: Interface, direction: Direction) -> bool:
        """Whether the question passed this ENI the other way, with the addresses that the answer turns round."""
        other = Direction.INGRESS if direction is Direction.EGRESS else Direction.EGRESS
        turned = (journey.packet.destination, journey.packet.source)
        return any(
            step.stage == f"security_group.{other}" and step.object.id == interface.id
            and (step.packet.source, step.packet.destination) == turned
            for step in self.asked_steps
        )  # fmt: skip

    def _intra_group(self, journey: Journey, interface: Interface, rulings: tuple[Ruling, ...]) -> Journey:
        """The answer rests on ``intra_group_egress`` where the other value would decide some part otherwise."""
        packed = self.network.group_filter(interface, Direction.EGRESS)
        if not any(origin.kind == "intra_group" for origin in packed.origins):
            return journey
        turned = self.network.group_filter(interface, Direction.EGRESS, flipped(self.network, "intra_group_egress"))
        others = stages.by_rows(turned, journey.packet, journey.asked)
        differs = any(a.decision != b.decision and cut(a.box, b.box)[0] for a in rulings for b in others)
        return journey._replace(assumptions=journey.assumptions | ({"intra_group_egress"} if differs else set()))


def _acl_stage(direction: Direction, *, back: bool) -> tuple[str, str]:
    """The stage of an ACL, and its item."""
    return f"network_acl.{direction}", f"vswitch.network_acl.{direction}" + (".return" if back else "")


def answer_of(journey: Journey) -> Journey:
    """The answer where it begins: its addresses and ports are those of the question turned round."""
    packet, frame = journey.packet, journey.frame._replace(back=True)
    turned = packet._replace(source=packet.destination, destination=packet.source)
    return journey._replace(packet=turned, place=journey.turns, steps=(), been=frozenset()).framed(frame)


def _end(walker: Walker, journey: Journey) -> list[Journey]:
    """Arrived outside: at a host, a service, a network."""
    if journey.frame.back:
        journey = walker.returned(journey)
    turns = journey.turns if journey.turns.at is not At.END else _TURNS.get(journey.place.at, Place(At.END))
    return [journey.to(At.END)._replace(turns=turns)]


_TURNS = {At.INTERNET: Place(At.EDGE)}

HANDLERS: dict[At, Callable[[Walker, Journey], list[Journey]]] = {
    At.ROUTER: router.look_up,
    At.OWNER: router.owner,
    At.APPLIANCE: appliance.pass_through,
    At.EDGE: edge.public_edge,
    At.IPV4_GATEWAY: edge.ipv4_gateway,
    At.IPV6_GATEWAY: edge.ipv6_gateway,
    At.NAT_OUT: nat.outward,
    At.NAT_IN: nat.inward,
    At.PEERING: links.peering,
    At.ROUTER_INTERFACE: links.router_interface,
    At.VBR: links.vbr,
    At.VPN_OUT: links.vpn_out,
    At.VPN_IN: links.vpn_in,
    At.ATTACHED: links.attached,
    At.DETACHED: links.detached,
    At.BALANCER: balancer.balance,
    At.SERVICE: _end,
    At.NETWORK: _end,
    At.INTERNET: _end,
}
