"""The Windows firewall that was read, and its judgement of a packet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from netinsight.addresses import within
from netinsight.engine import classify
from netinsight.engine.spaces import Box, cut
from netinsight.errors import QuestionError, visible
from netinsight.flow import EVERY_PORT, ICMP, ICMPV6, NO_PORT, TCP, PortRange
from netinsight.guest.iptables import Judgement, Packet, as_one
from netinsight.guest.windows_firewall.judging import UNKNOWN, Asked
from netinsight.guest.windows_firewall.process import Listeners
from netinsight.guest.windows_firewall.rows import Packed, Place, packed
from netinsight.guest.windows_firewall.rules import PROFILES, Connection, Profile, Rule

MOST_TYPES = 12
"""How many types of ICMP an answer tells that are not judged alike."""
MOST_PLACES = 256
"""Of how many places the rows are kept."""
_ECHO = {ICMP: 8, ICMPV6: 128}

Regions = list[tuple[Box, Judgement]]


@dataclass(frozen=True, slots=True, eq=False)
class WindowsFirewall:
    """The profiles, the rules that are enabled, and the connections of a machine.

    Parameters
    ----------
    notes
        What every answer has to say of how it was exported.
    """

    profiles: Mapping[str, Profile]
    rules: tuple[Rule, ...]
    connections: tuple[Connection, ...] = ()
    notes: tuple[str, ...] = ()
    _packed: dict[tuple[Place, bool], Packed] = field(default_factory=dict)
    _listeners: list[Listeners] = field(default_factory=list)

    def judge(self, packet: Packet) -> Judgement:
        """What becomes of a packet; of one with a box of ports what becomes of all, UNKNOWN where they differ.

        Raises
        ------
        QuestionError
            For a chain that there is not.
        """
        return as_one(self.regions(packet))

    def regions(self, packet: Packet) -> Regions:
        """What becomes of every packet of a box of ports: disjoint boxes that together are the whole.

        Raises
        ------
        QuestionError
            As ``judge``.
        """
        if packet.chain not in ("INPUT", "FORWARD", "OUTPUT"):
            raise QuestionError(f"chain `{packet.chain[:40]}` is not INPUT, FORWARD or OUTPUT")
        if packet.chain == "FORWARD":
            return self._at_once(packet, UNKNOWN, "", "what Windows forwards is not judged")
        if _is_loopback(packet):
            return self._at_once(packet, "ACCEPT", "loopback", None)
        state = packet.conntrack()
        if state == "ESTABLISHED":
            return self._at_once(packet, "ACCEPT", "a connection that is there already", None)
        parts = _merged([(place, self._at(place, packet)) for place in self._places(packet)])
        if state == "RELATED":
            parts = [
                (box, _unless(one, "ACCEPT", "what belongs to a connection is not modelled")) for box, one in parts
            ]
        elif state == "INVALID" and packet.protocol == TCP:
            parts = [(box, _unless(one, "DROP", "a segment that opens no connection is not modelled"))
                     for box, one in parts]  # fmt: skip
        return [(box, replace(one, assumptions=(*self.notes, *one.assumptions))) for box, one in parts]

    def _at_once(self, packet: Packet, verdict: str, rule: str, note: str | None) -> Regions:
        notes = (*self.notes, note) if note else self.notes
        return [(packet.ports, Judgement(verdict, rule or "policy", None, assumptions=notes, chain=packet.chain))]

    def _places(self, packet: Packet) -> Iterator[Place]:
        """Where the packet may be judged: every profile and connection that its interface may have."""
        name = packet.in_interface if packet.chain == "INPUT" else packet.out_interface
        alias = name.casefold() if name is not None else None
        here = [one for one in self.connections if alias in (None, one.interface) or one.interface is None]
        for connection in here or [Connection(alias)]:
            others = tuple(one for one in self.connections if one is not connection)
            for profile in PROFILES if connection.profile is None else (connection.profile,):
                yield Place(self.profiles[profile], connection, others)

    def _at(self, place: Place, packet: Packet) -> Regions:
        """The judgement in one profile."""
        profile, inbound = place.profile, packet.chain == "INPUT"
        named = Judgement("ACCEPT", "Enabled False", profile.line or None, chain=profile.name)
        if not profile.enabled:
            return [(packet.ports, named)]
        alias = place.connection.interface
        if alias in profile.disabled_interfaces:
            return [(packet.ports, replace(named, rule="DisabledInterfaceAliases"))]
        if inbound and not profile.inbound_rules:
            parts = [(packet.ports, replace(named, verdict="DROP", rule="AllowInboundRules False"))]
        else:
            parts = self._by_rules(place, packet, inbound)
        if alias is None and profile.disabled_interfaces:
            why = f"the interface is not known, and the profile {profile.name} is off on some"
            parts = [(box, _unless(one, "ACCEPT", why)) for box, one in parts]
        return parts

    def _by_rules(self, place: Place, packet: Packet, inbound: bool) -> Regions:
        key = (place, inbound)
        if key not in self._packed:
            if len(self._packed) >= MOST_PLACES:
                self._packed.clear()
            self._packed[key] = packed(self.rules, place, inbound)
        rows = self._packed[key]
        for held in rows.address_sets:
            packet.looked_at(held)
        typed = packet.protocol in _ECHO
        asked = _icmp_box(packet) if typed else packet.ports
        cells = classify.partition(rows.table, packet.source, packet.destination, packet.protocol, asked)
        if not self._listeners:
            self._listeners.append(Listeners(self.rules))
        listeners = self._listeners[0]
        judging = Asked(packet, place.profile, listeners.of_packet(packet), listeners)
        parts = [part for cell in cells for part in judging.judged(rows, cell)]
        if not typed:
            return parts
        verdicts = {judgement.verdict for _, judgement in parts}
        if len(verdicts) == 1:
            return [(packet.ports, _noting(parts[0][1], (one for _, one in parts)))]
        notes = [f"type {_types(box)}: {judgement.verdict}" for box, judgement in parts[:MOST_TYPES]]
        return [(packet.ports, replace(parts[0][1], verdict=UNKNOWN, trace=(), places=(), assumptions=tuple(notes)))]


def _is_loopback(packet: Packet) -> bool:
    return packet.source == packet.destination or any(
        within(("127.0.0.0/8",), one) or within(("::1",), one) for one in (packet.source, packet.destination)
    )


def _icmp_box(packet: Packet) -> Box:
    """Type × 256 + code where the rows have it; what a new flow leaves out is an echo request."""
    kind, code = packet.icmp_type, packet.icmp_code
    if kind is None and packet.conntrack() == "NEW":
        kind, code = _ECHO[packet.protocol], 0 if code is None else code
    if kind is None:
        return Box(NO_PORT, EVERY_PORT)
    if code is None and kind in (8, 128):
        code = 0
    first = kind * 256 + (code or 0)
    return Box(NO_PORT, PortRange(first, first if code is not None else first + 255))


def _types(box: Box) -> str:
    first, last = (f"{one // 256}/{one % 256}" for one in box.ports)
    return first if first == last else f"{first} to {last}"


def _unless(judgement: Judgement, verdict: str, why: str) -> Judgement:
    """What it may be instead: the verdict stands where it is the same."""
    if judgement.verdict == verdict:
        return judgement
    notes = (f"{why}: {verdict} or {judgement.verdict}", *judgement.assumptions)
    return replace(judgement, verdict=UNKNOWN, trace=(), places=(), assumptions=notes)


def _merged(at_places: list[tuple[Place, Regions]]) -> Regions:
    """The judgements at several places as one: it stands where all agree."""
    (first, parts), *others = at_places
    if not others:
        return parts
    found: list[tuple[Box, tuple[tuple[str, Judgement], ...]]]
    found = [(box, ((_named(first), judgement),)) for box, judgement in parts]
    for place, more in others:
        found = [(part, (*held, (_named(place), judgement))) for box, held in found for other, judgement in more
                 if (part := cut(box, other)[0]) is not None]  # fmt: skip
    return [(box, _agreed(held)) for box, held in found]


def _named(place: Place) -> str:
    alias = place.connection.interface
    return f"profile {place.profile.name}" + (f" of {visible(alias)}" if alias else "")


def _agreed(held: tuple[tuple[str, Judgement], ...]) -> Judgement:
    first = held[0][1]
    verdicts = {judgement.verdict for _, judgement in held}
    if verdicts != {first.verdict} or first.verdict == UNKNOWN:
        notes = [f"{name}: {one.verdict}" + (f" by {one.rule}" if one.verdict != UNKNOWN else "") for name, one in held]
        notes += dict.fromkeys(note for _, one in held for note in one.assumptions)
        return replace(first, verdict=UNKNOWN, trace=(), places=(), assumptions=tuple(notes))
    return _noting(first, (one for _, one in held))


def _noting(judgement: Judgement, others: Iterable[Judgement]) -> Judgement:
    """The same with what all were assumed to be."""
    return replace(judgement, assumptions=tuple(dict.fromkeys(note for one in others for note in one.assumptions)))
