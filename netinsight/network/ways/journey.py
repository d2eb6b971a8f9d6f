"""A packet on its way: where it is, what it bears, which part of the question it is, and what it met so far."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from netinsight.engine.classify import Decision
from netinsight.engine.spaces import Box
from netinsight.flow import NO_PORT, PortRange, has_ports
from netinsight.model.base import Path, Unknown
from netinsight.model.gateways import BusinessStatus
from netinsight.network.filters import Filter, Origin
from netinsight.network.stages import Asked, Rulings, whole
from netinsight.network.steps import Packet, Ref, Step, Why, why

NAT_PORTS = PortRange(1024, 65535)
"""The client ports that a translator chooses from ("Network ACLs", ephemeral ranges)."""


class At(StrEnum):
    """The kinds of places."""

    SENDING = "sending"
    """An ENI that sends: its own packet, or one that its guest forwards."""
    ROUTER = "router"
    """The router of a VPC, by one of its tables; ``table`` names the vSwitch that reads it, or the table."""
    OWNER = "owner"
    """A VPC that has to find who has the address."""
    ARRIVING = "arriving"
    """An ENI that has the address."""
    APPLIANCE = "appliance"
    """An ENI that is a next hop."""
    EDGE = "edge"
    """The public edge, on the Internet's side."""
    IPV4_GATEWAY = "ipv4_gateway"
    IPV6_GATEWAY = "ipv6_gateway"
    NAT_OUT = "nat_out"
    NAT_IN = "nat_in"
    PEERING = "peering"
    ROUTER_INTERFACE = "router_interface"
    VBR = "vbr"
    VPN_OUT = "vpn_out"
    VPN_IN = "vpn_in"
    ATTACHED = "attached"
    """A packet that enters a transit router by an attachment."""
    DETACHED = "detached"
    """A packet that leaves a transit router by an attachment."""
    BALANCER = "balancer"
    SERVICE = "service"
    NETWORK = "network"
    """A network known by its prefixes."""
    INTERNET = "internet"
    END = "end"


class Place(NamedTuple):
    """Where a packet is: the kind, the object's id, and the VPC that it is in or came from."""

    at: At
    id: str = ""
    vpc: str = ""


class Frame(NamedTuple):
    """How the ports of a packet are those of the question.

    Attributes
    ----------
    leg
        Which client ports: 0 the asked ones, more after each translator that chooses its own.
    shift
        The packet's port less the question's.
    back
        Whether it is the answer, whose ports are the other way round.
    """

    leg: int = 0
    shift: int = 0
    back: bool = False

    def asked(self, protocol: int, whole_box: Box) -> Asked:
        """How a box of the packet's ports is told in the question's own."""
        if not has_ports(protocol):
            return (lambda box: whole_box) if self.back else (lambda box: box)

        def told(box: Box) -> Box:
            mine = box.swapped() if self.back else box
            return Box(mine.source_ports, moved(mine.ports, -self.shift))

        return told

    def box(self, protocol: int, client_ports: PortRange, ports: PortRange) -> Box:
        """The packet's ports for those of the question."""
        if not has_ports(protocol):
            return Box(NO_PORT, ports)
        mine = Box(client_ports, moved(ports, self.shift))
        return mine.swapped() if self.back else mine


def moved(ports: PortRange, by: int) -> PortRange:
    """Ports shifted by a translation."""
    return PortRange(ports.first + by, ports.last + by) if by else ports


class Session(NamedTuple):
    """What a translator remembers: the packet that came, how its ports were told, and the packet that left."""

    holder: str
    came: Packet
    frame: Frame
    left: Packet

    def answers(self, holder: str, packet: Packet) -> bool:
        """Whether a packet is the answer to the one that left."""
        return (self.holder, self.left.destination, self.left.source) == (holder, packet.source, packet.destination)


class Journey(NamedTuple):
    """A packet on its way.

    Attributes
    ----------
    box
        The part of the question that it is, in the question's own ports.
    legs
        The client ports of each leg; the first are those asked.
    sessions
        What translators on the way there remember.
    turns
        Where the answer of a host, a network or a service comes in again.
    broken
        Whether it could not have got to where it is: only what stands there is still judged.
    """

    place: Place
    packet: Packet
    frame: Frame
    box: Box
    legs: tuple[PortRange, ...]
    steps: tuple[Step, ...] = ()
    sessions: tuple[Session, ...] = ()
    turns: Place = Place(At.END)
    been: frozenset[tuple[Place, int, int]] = frozenset()
    assumptions: frozenset[str] = frozenset()
    broken: bool = False

    @property
    def leg_box(self) -> Box:
        """All of this part, in the question's ports and the client ports of this leg."""
        return Box(self.legs[self.frame.leg], self.box.ports)

    @property
    def asked(self) -> Asked:
        """How a box of the packet's ports is told in the question's own."""
        return self.frame.asked(self.packet.protocol, self.leg_box)

    @property
    def item(self) -> str:
        """The item of a look-up."""
        return "route.return" if self.frame.back else "route.forward"

    @property
    def last_router(self) -> Ref | None:
        """Where it was routed last."""
        return next((step.object for step in reversed(self.steps) if step.stage == "route"), None)

    @property
    def last_row(self) -> Origin | None:
        """The row by which it was routed last, where one is the evidence."""
        return next((step.deciding.origin for step in reversed(self.steps) if step.stage == "route"), None)

    def step(
        self,
        stage: str,
        item: str,
        ref: Ref,
        rulings: Rulings,
        packed: Filter | None = None,
        packet: Packet | None = None,
    ) -> Journey:
        """The same with one stage more."""
        made = Step(stage, item, ref, packet or self.packet, rulings, packed, self.frame.leg)
        return self._replace(steps=(*self.steps, made))

    def says(
        self, stage: str, item: str, ref: Ref, decision: Decision, reason: Why, origin: Origin | None = None,
        packed: Filter | None = None, packet: Packet | None = None,
    ) -> Journey:  # fmt: skip
        """The same with a stage that decides all of it."""
        return self.step(stage, item, ref, whole(self.leg_box, decision, reason, origin), packed, packet)

    def not_known(
        self, stage: str, item: str, ref: Ref, fact: str, reason: str, by: Origin | Path = (), packed: Filter | None = None
    ) -> Journey:  # fmt: skip
        """The same with a stage that cannot be judged: of the fact that decides, its reason, and where it would stand."""
        if not isinstance(by, Origin):
            by = Origin(fact, "unknown", by, target=fact, reason=reason)
        return self.says(stage, item, ref, Decision.UNKNOWN, why("unknown.fact", fact=fact, reason=reason), by, packed)

    def state(
        self, stage: str, item: str, ref: Ref, path: Path, status: object, up: object,
        lock: BusinessStatus = BusinessStatus.NORMAL,
    ) -> Journey:  # fmt: skip
        """The same where an object is up and paid for; else with a stage for each thing that is wrong with it."""
        judged = self
        if isinstance(status, Unknown):
            judged = judged.not_known(stage, item, ref, ref.id, status.unknown, (*path, "status"))
        elif status != up:
            origin = Origin(ref.id, "gateway", (*path, "status"), text=f"status: {status}")
            told = why("gateway.status", gateway=ref.id, status=status)
            judged = judged.says(stage, item, ref, Decision.DROP, told, origin)
        if lock is not BusinessStatus.NORMAL:
            origin = Origin(ref.id, "gateway", (*path, "business_status"), text=f"business_status: {lock}")
            told = why("gateway.locked", gateway=ref.id, status=lock)
            judged = judged.says(stage, item, ref, Decision.DROP, told, origin)
        return judged

    def to(self, at: At, id_: str = "", vpc: str = "") -> Journey:
        """The same at another place."""
        return self._replace(place=Place(at, id_, vpc))

    def bears(self, source: int | None = None, destination: int | None = None) -> Journey:
        """The same with other addresses."""
        packet = self.packet
        return self._replace(
            packet=packet._replace(
                source=packet.source if source is None else source,
                destination=packet.destination if destination is None else destination,
            )
        )

    def framed(self, frame: Frame) -> Journey:
        """The same with its ports told otherwise; an answer without ports stays the ICMP type that it is."""
        kept = frame.back and not has_ports(self.packet.protocol)
        box = self.packet.box if kept else frame.box(self.packet.protocol, self.legs[frame.leg], self.box.ports)
        return self._replace(frame=frame, packet=self.packet._replace(box=box))

    def new_leg(self) -> Journey:
        """The same with client ports that a translator chose; protocols without ports keep theirs."""
        if not has_ports(self.packet.protocol):
            return self
        longer = self._replace(legs=(*self.legs, NAT_PORTS))
        return longer.framed(self.frame._replace(leg=len(self.legs)))

    def part(self, ports: PortRange) -> Journey:
        """The part of it on some of the question's ports."""
        return self._replace(box=Box(self.box.source_ports, ports)).framed(self.frame)

    def remembers(self, holder: str, before: Journey) -> Journey:
        """The same with a session of a translator that made it of ``before``."""
        session = Session(holder, before.packet, before.frame, self.packet)
        return self._replace(sessions=(*self.sessions, session))

    def restored(self, holder: str) -> Journey | None:
        """The answer as it left before translation, where the translator remembers its question."""
        for session in reversed(self.sessions):
            if session.answers(holder, self.packet):
                frame = session.frame._replace(back=True)
                return self.bears(session.came.destination, session.came.source).framed(frame)
        return None
