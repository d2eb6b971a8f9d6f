"""A look-up of IPv4 as Linux does it: what goes out, what comes in, and whether a source is a martian.

The functions follow ``ip_route_output_key_hash_rcu``, ``ip_route_input_slow`` and ``__fib_validate_source``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netinsight.addresses import V4_FIRST, V4_LAST, block, contains
from netinsight.guest.answers import answer, martian, nowhere
from netinsight.guest.packets import LOOPBACK, Doubts, Found, Hit, Packet
from netinsight.guest.rows import ERRORS, SCOPES, Rule
from netinsight.guest.rules import ask
from netinsight.guest.source_address import LINK
from netinsight.guest.tables import find_v4

if TYPE_CHECKING:
    from netinsight.guest.routes import Routing

_MULTICAST, _LOCAL_MULTICAST = block("224.0.0.0/4"), block("224.0.0.0/24")
_ZERO, _LOOP = block("0.0.0.0/32"), block("127.0.0.0/8")  # the rest of 0.0.0.0/8 is unicast since Linux 5.3
_ALL_HOSTS = block("224.0.0.1/32").first
NOT_OURS = "the source is no address of this guest"


def look(routing: Routing, packet: Packet, doubts: Doubts) -> Hit | Rule | None:
    """The rules and their tables."""

    def one(table: str) -> Hit | None:
        routing.doubt_table(4, table, doubts)
        return find_v4(routing.table(4, table), packet, routing.settings, doubts)

    hit = ask(routing.rules[4], packet, one, doubts)
    if not routing.merged:
        return hit
    whole = find_v4(routing.merged, packet, routing.settings, doubts) or one("default")
    if whole is None:
        return None
    whole.rule = next(rule for rule in routing.rules[4] if rule.table == whole.route.table)
    if isinstance(hit, Hit) and hit.route is not whole.route:
        doubts.add("rules that were ever changed: the longer prefix of `main` goes before that of `local` only where "
                   "they were not")  # fmt: skip
    return whole


def output(routing: Routing, packet: Packet, doubts: Doubts) -> Found:
    """What the guest itself sends."""
    source, destination, out = packet.source, packet.destination, packet.out_interface
    if source == V4_FIRST:
        source = None
    everywhere = contains([_MULTICAST], destination) or destination == V4_LAST
    if source is not None:
        if contains([_MULTICAST], source) or source == V4_LAST:
            return martian(doubts, source, "the source is a multicast or broadcast address")
        holder = routing.holder(source)
        if holder is None:
            return answer("none", None, doubts, source=source, reason=NOT_OURS)
        if everywhere and not out:
            return _made(routing, packet, None, holder, source, doubts, "sent by the interface of its source")
    if out:
        if wrong := routing.unusable(out):
            return answer("none", None, doubts, source=source, reason=wrong)
        if destination == V4_LAST or contains([_LOCAL_MULTICAST], destination):
            source = source if source is not None else routing.select_v4(out, None, LINK, doubts)
            return _made(routing, packet, None, out, source, doubts, "sent by the interface that was asked for")
        if source is None and everywhere:
            source = routing.select_v4(out, None, 0, doubts)
        elif source is None and destination == V4_FIRST:
            source = routing.select_v4(out, None, SCOPES["host"], doubts)
    if destination == V4_FIRST:
        return _to_itself(source, doubts)
    return _routed(routing, replace(packet, source=source), doubts)


def _to_itself(source: int | None, doubts: Doubts) -> Found:
    return answer("local", None, doubts, interface=LOOPBACK, source=source or _LOOP.first + 1,
                  reason="the destination 0.0.0.0 is this guest")  # fmt: skip


def _routed(routing: Routing, packet: Packet, doubts: Doubts) -> Found:
    hit, source, out = look(routing, packet, doubts), packet.source, packet.out_interface
    if not isinstance(hit, Hit) or hit.route.type in ERRORS or hit.hop is None:
        if not out:
            return nowhere(hit, doubts, source)
        source = source if source is not None else routing.select_v4(out, None, LINK, doubts)
        return _made(
            routing, packet, None, out, source, doubts, "no route by the interface asked for: taken to be on its link"
        )
    route, hop = hit.route, hit.hop
    if route.type == "local":
        if source is None:
            source = route.source if route.source is not None else packet.destination
        return _made(routing, packet, hit, LOOPBACK, source, doubts)
    if source is None:
        source = route.source
        if source is None:
            near = None if hop.via_other_family else hop.gateway
            source = routing.select_v4(hop.interface, near, route.scope, doubts)
    return _made(routing, packet, hit, hop.interface, source, doubts)


def _made(
    routing: Routing, packet: Packet, hit: Hit | None, out: str, source: int | None, doubts: Doubts, reason: str = ""
) -> Found:
    """The last checks, and what a broadcast or multicast address makes of a route."""
    destination = packet.destination
    if source is not None and contains([_LOOP], source) and out != LOOPBACK:
        return martian(doubts, source, "a loopback address as the source of what leaves", hit)
    kind = hit.route.type if hit else "unicast"
    gateway = routing.gateway(hit.hop) if hit and hit.hop else None
    if destination == V4_LAST:
        kind = "broadcast"
    elif contains([_MULTICAST], destination):
        kind = "multicast"
        gateway = gateway if hit and hit.route.prefix.length >= 4 else None
    elif contains([_ZERO], destination):
        return martian(doubts, source, "the destination 0.0.0.0", hit)
    if kind in ("broadcast", "local"):
        gateway = None
    return answer(kind, hit, doubts, interface=out, gateway=gateway, source=source, reason=reason)


def incoming(routing: Routing, packet: Packet, doubts: Doubts) -> Found:
    """What comes in by an interface: for the guest itself, or to be passed on."""
    source, destination = packet.source if packet.source is not None else V4_FIRST, packet.destination
    packet = replace(packet, source=source, out_interface="")
    if wrong := routing.unusable(packet.in_interface):
        return answer("none", None, doubts, source=source, reason=wrong)
    if contains([_MULTICAST], source) or source == V4_LAST:
        return martian(doubts, source, "the source is a multicast or broadcast address")
    if contains([_MULTICAST], destination):
        return _multicast(routing, packet, doubts)
    if destination == V4_LAST or (source == destination == V4_FIRST):
        return _broadcast(routing, packet, None, doubts)
    for address, name in ((source, "source"), (destination, "destination")):
        if contains([_ZERO], address):
            return martian(doubts, source, f"the {name} 0.0.0.0")
    for address, name in ((destination, "destination"), (source, "source")):
        if contains([_LOOP], address) and not routing.settings.route_localnet:
            return martian(doubts, source, f"a loopback address as the {name} of what comes in")
    return _routed_in(routing, packet, doubts)


def _routed_in(routing: Routing, packet: Packet, doubts: Doubts) -> Found:
    source = packet.source
    hit = look(routing, packet, doubts)
    if not isinstance(hit, Hit) or hit.route.type in ERRORS or hit.hop is None:
        return nowhere(hit, doubts, source)
    kind = hit.route.type
    if kind == "broadcast":
        return _broadcast(routing, packet, hit, doubts)
    if kind == "local":
        if wrong := invalid(routing, packet, "", doubts):
            return martian(doubts, source, wrong, hit)
        return answer("local", hit, doubts, interface=LOOPBACK, source=source)
    if not routing.settings.forwarding:
        return answer("none", hit, doubts, source=source, reason="this guest does not forward")
    if kind != "unicast":
        return martian(doubts, source, f"a destination of type {kind}", hit)
    if wrong := invalid(routing, packet, hit.hop.interface, doubts):
        return martian(doubts, source, wrong, hit)
    return answer(kind, hit, doubts, interface=hit.hop.interface, gateway=routing.gateway(hit.hop), source=source)


def _multicast(routing: Routing, packet: Packet, doubts: Doubts) -> Found:
    if packet.destination != _ALL_HOSTS:
        doubts.add("the groups that the guest joined are not known")
    # the way back of what is for everybody is asked for with the destination left open
    asked = replace(packet, destination=V4_FIRST)
    if packet.source != V4_FIRST and (wrong := invalid(routing, asked, "", doubts)):
        return martian(doubts, packet.source, wrong)
    return answer("multicast", None, doubts, interface=LOOPBACK, source=packet.source, reason="a group of the guest's")


def _broadcast(routing: Routing, packet: Packet, hit: Hit | None, doubts: Doubts) -> Found:
    # the way back of what is for everybody is asked for with the destination left open
    asked = replace(packet, destination=V4_FIRST)
    if packet.source != V4_FIRST and (wrong := invalid(routing, asked, "", doubts)):
        return martian(doubts, packet.source, wrong, hit)
    reason = "" if hit else "to everybody on the link"
    return answer("broadcast", hit, doubts, interface=LOOPBACK, source=packet.source, reason=reason)


def invalid(routing: Routing, packet: Packet, leaves_by: str, doubts: Doubts, mode: int = 0) -> str:
    """Why a source may not come in where it does, by ``rp_filter`` (0 off, 1 strict, 2 loose); empty: it may."""
    source = packet.source if packet.source is not None else V4_FIRST
    if not mode and routing.settings.accept_local:
        return ""
    if not mode and not routing.custom:
        return _own(routing, routing.has_address(source), "the source is an address of this guest", mode, doubts)
    back = Packet(source, packet.destination, leaves_by, "", packet.mark if routing.settings.src_valid_mark else 0,
                  packet.protocol, packet.destination_port, packet.source_port)  # fmt: skip
    hit = look(routing, back, doubts)
    filtered = "no route leads back to the source" if mode else ""
    if not isinstance(hit, Hit) or hit.route.type in ERRORS:
        return filtered
    if hit.route.type != "unicast" and not (hit.route.type == "local" and routing.settings.accept_local):
        return _own(routing, True, f"the source is of type {hit.route.type}", mode, doubts)
    if any(hop.interface == packet.in_interface for hop in hit.route.hops):
        return ""
    if not any(
        one.interface == packet.in_interface and V4_FIRST <= one.address <= V4_LAST for one in routing.addresses
    ):
        return filtered
    return f"the way back to the source is by {hit.route.hops[0].interface}" if mode == 1 else ""


def _own(routing: Routing, own: bool, why: str, mode: int, doubts: Doubts) -> str:
    """A source that only ``accept_local`` lets in; where that is not known, in, and told."""
    if own and routing.settings.accept_local is None:
        doubts.add(f"{why}, which comes in only with accept_local; whether that is set is not known")
        return why if mode else ""
    return why if own else ""
