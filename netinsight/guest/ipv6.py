"""A look-up of IPv6 as Linux does it; it follows ``ip6_route_output_flags``, ``ip6_route_input`` and ``ip6_pol_route``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netinsight.addresses import block, contains
from netinsight.guest.answers import answer, martian, nowhere
from netinsight.guest.packets import LOOPBACK, Doubts, Found, Hit, Packet
from netinsight.guest.rows import ERRORS, Rule
from netinsight.guest.rules import ask
from netinsight.guest.source_address import source_v6
from netinsight.guest.tables import STRICT_V6, find_v6

if TYPE_CHECKING:
    from netinsight.guest.routes import Routing

_MULTICAST, _LOOP = block("ff00::/8"), block("::1/128")


def look(routing: Routing, packet: Packet, doubts: Doubts) -> Hit | Rule | None:
    """The rules and their tables."""

    def one(table: str) -> Hit | None:
        routing.doubt_table(6, table, doubts)
        return find_v6(routing.table(6, table), packet, routing.settings, doubts)

    return ask(routing.rules[6], packet, one, doubts)


def find(routing: Routing, packet: Packet, doubts: Doubts) -> Found:
    """What the guest sends, or what comes in by an interface."""
    packet = replace(packet, source=packet.source or None)
    source = packet.source
    if wrong := routing.unusable(packet.in_interface or packet.out_interface):
        return answer("none", None, doubts, source=source, reason=wrong)
    if packet.in_interface and (wrong := _not_let_in(packet)):
        return martian(doubts, source, wrong)
    hit = look(routing, packet, doubts)
    if not isinstance(hit, Hit) or hit.route.type in ERRORS or hit.hop is None:
        return nowhere(hit, doubts, source)
    kind, hop = hit.route.type, hit.hop
    if packet.in_interface and kind == "unicast" and not routing.settings.forwarding:
        return answer("none", hit, doubts, source=source, reason="this guest does not forward")
    if source is None and not packet.in_interface:
        source = hit.route.source
        if source is None and routing.addresses_known:
            source = source_v6(routing.addresses, routing.interfaces, hop.interface, packet.destination, doubts)
        elif source is None:
            doubts.add("the source: the addresses are not known")
    out = hop.interface
    if kind in ("local", "anycast"):
        kind = "local"
        out = out if contains(STRICT_V6, hit.route.prefix.first) and hit.route.prefix.length else LOOPBACK
    return answer(kind, hit, doubts, interface=out, gateway=hop.gateway, source=source)


def _not_let_in(packet: Packet) -> str:
    if packet.source is not None and contains([_MULTICAST], packet.source):
        return "the source is a multicast address"
    for address, name in ((packet.destination, "destination"), (packet.source, "source")):
        if address is not None and contains([_LOOP], address) and packet.in_interface != LOOPBACK:
            return f"a loopback address as the {name} of what comes in"
    return ""
