"""By which of its ENIs a guest sends what is its own: its rules and routes decide, where they are known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netinsight.addresses import family, parse_address, ranges, text
from netinsight.engine.classify import Decision
from netinsight.flow import UDP, has_ports
from netinsight.model.base import Path
from netinsight.model.topology import Interface
from netinsight.network.build import Network
from netinsight.network.filters import Origin
from netinsight.network.steps import Packet, Ref, Why, why
from netinsight.network.ways.guest_known import addresses_of, routing_of
from netinsight.network.ways.journey import Journey

if TYPE_CHECKING:
    from netinsight.guest.packets import Found
    from netinsight.guest.routes import Routing
    from netinsight.network.ways.walker import Walker

MODES = {1: "strict", 2: "loose"}
NOWHERE = ("none", "blackhole", "unreachable", "prohibit", "martian")
"""What a look-up says where a guest sends nothing."""


def sends(
    walker: Walker, journey: Journey, interface: Interface, inside: int | None = None
) -> tuple[Journey, Interface | None]:
    """A guest's own packet at the ENI that it leaves by, with a stage that says why; no ENI where it is not sent.

    Where nobody knows, it leaves by the ENI that it bears the address of, and nothing is said.
    ``inside``: it is the answer of a container of the guest, at this address.
    """
    if inside is None:
        return _leaves(walker, journey, interface, "", journey.packet.source)
    comes_by = way_to(walker.network, interface, inside)
    return (journey, interface) if comes_by is None else _leaves(walker, journey, interface, comes_by, inside)


def passes_on(walker: Walker, journey: Journey, interface: Interface, source: int) -> tuple[Journey, Interface | None]:
    """A packet that a guest passes on, at the ENI that it leaves by; where nobody knows, by the one it came in by.

    ``source`` is what it came in with: routes are asked after the destination is translated, and before the source is.
    """
    name = interface_name(walker.network, interface)
    return (journey, interface) if name is None else _leaves(walker, journey, interface, name, source)


def _leaves(
    walker: Walker, journey: Journey, interface: Interface, came_by: str, source: int
) -> tuple[Journey, Interface | None]:
    instance = interface.instance_id or ""
    routing = routing_of(walker.network, instance) if walker.with_guest else None
    if routing is None:
        return journey, interface
    packet = journey.packet
    walker.address_sets.update(ranges(block) for block in routing.address_sets)
    found = _look_up(routing, packet, source, came_by)
    leaves_by = _eni_of(walker.network, routing, instance, found.interface)
    if found.doubts or (found.type not in NOWHERE and leaves_by is None):
        return journey, interface  # listed as not checked
    item = "guest.route.return" if journey.frame.back else "guest.route.forward"
    ref, origin = Ref("instance", instance), _origin(walker.network, instance, found, family(packet.destination))
    if not came_by and journey.frame.back and _hangs_on_the_socket(walker.network, routing, packet, instance, found):
        told = why("guest_route.unbound", destination=text(packet.destination), source=text(packet.source))
        return journey.says("guest.route", item, ref, Decision.UNKNOWN, told, origin), leaves_by or interface
    if leaves_by is None:
        told = nowhere(found, packet.destination)
        return journey.says("guest.route", item, ref, Decision.DROP, told, origin), None
    code = "guest_route.carries" if came_by or leaves_by.id == interface.id else "guest_route.elsewhere"
    begins = not (came_by or journey.frame.back)
    free = _look_up(routing, packet, None, "") if begins else found
    chosen = _eni_of(walker.network, routing, instance, free.interface) if begins and not free.doubts else None
    if free.source not in (None, packet.source) and chosen and free.source is not None:
        told = why("guest_route.other_source", policy=_policy(found, origin), interface=found.interface, eni=leaves_by.id,
                   source=text(packet.source), chosen=text(free.source), by=chosen.id)  # fmt: skip
        return journey.says("guest.route", item, ref, Decision.ACCEPT, told, origin), leaves_by
    told = why(code, policy=_policy(found, origin), interface=found.interface, eni=leaves_by.id, own=interface.id,
               source=text(packet.source))  # fmt: skip
    return journey.says("guest.route", item, ref, Decision.ACCEPT, told, origin), leaves_by


def lets_in(walker: Walker, journey: Journey, interface: Interface, item: str) -> Journey:
    """What comes in by an ENI, with a stage where ``rp_filter`` drops it: its way back does not lead there."""
    owner = walker.network.topology.instances.get(interface.instance_id or "")
    guest = owner.guest if owner and walker.with_guest else None
    name, routing = interface_name(walker.network, interface), routing_of(walker.network, interface.instance_id or "")
    if guest is None or guest.sysctl is None or name is None or routing is None:
        return journey
    from netinsight.guest.routes import reverse_path
    from netinsight.sources.guest_described import reverse_path_mode

    mode, packet = reverse_path_mode(guest, name), journey.packet
    if mode == 0:
        return journey
    walker.address_sets.update(ranges(block) for block in routing.address_sets)
    found = reverse_path(routing, packet.source, packet.destination, name, mode=MODES[mode])
    if found.passes or found.doubts:
        return journey
    told = why(
        "guest_route.reverse_path", interface=name, mode=MODES[mode], source=text(packet.source), reason=found.reason
    )
    instance = interface.instance_id or ""
    line = next((n for who in (name, "all") for n in _rows_of(guest.sysctl, who, mode)), 0)
    path: Path = ("instances", instance, "guest", "sysctl", *([line] if line else []))
    at = f"{instance}/sysctl" + (f"/{line}" if line else "")
    origin = Origin(at, "guest_route", path, text=f"rp_filter of {name}: {mode}")
    return journey.says("guest.route", item, Ref("instance", instance), Decision.DROP, told, origin)


def _rows_of(sysctl: str, who: str, mode: int) -> list[int]:
    """The lines of ``sysctl`` that say this ``rp_filter`` of an interface, or of ``all``."""
    row = re.compile(rf".*conf[./]{re.escape(who)}[./]rp_filter\W*{mode}\s*")
    return [n for n, line in enumerate(sysctl.splitlines(), start=1) if row.fullmatch(line)]


def marked(walker: Walker, journey: Journey, interface: Interface, came_by: str, marks: set[int]) -> Journey:
    """The same; not known where the guest's rules ask for a mark that its firewall sets, and go another way by it."""
    instance, packet = interface.instance_id or "", journey.packet
    routing = routing_of(walker.network, instance) if walker.with_guest and marks else None
    if routing is None:
        return journey
    plain = _look_up(routing, packet, packet.source, came_by)
    for mark in sorted(marks):
        found = _look_up(routing, packet, packet.source, came_by, mark)
        if (found.type, found.interface, found.gateway) != (plain.type, plain.interface, plain.gateway):
            item = "guest.route.return" if journey.frame.back else "guest.route.forward"
            told, by = (
                why("guest_route.marked", mark=hex(mark)),
                _origin(walker.network, instance, found, family(packet.source)),
            )
            return journey.says("guest.route", item, Ref("instance", instance), Decision.UNKNOWN, told, by)
    return journey


def _look_up(routing: Routing, packet: Packet, source: int | None, came_by: str, mark: int = 0) -> Found:
    """Where a packet goes; rules that ask for ports are asked where those are one."""
    source_port, port = (
        one.first if has_ports(packet.protocol) and one.first == one.last else None for one in packet.box
    )
    return routing.look_up(packet.destination, source, in_interface=came_by, mark=mark, protocol=packet.protocol,
                           source_port=source_port, destination_port=port)  # fmt: skip


def _hangs_on_the_socket(network: Network, routing: Routing, packet: Packet, instance: str, found: Found) -> bool:
    """Whether a UDP socket that is bound to no address answers by another way: its source is chosen by the route."""
    owner = network.topology.instances.get(instance)
    listening = owner.guest.listening if owner and owner.guest else None
    ports = packet.box.source_ports
    bound = [parse_address(one.address) == packet.source for one in listening or () if one.address
             and one.protocol.lower() == "udp" and ports.first <= one.port <= ports.last]  # fmt: skip
    if packet.protocol != UDP or (bound and all(bound)):
        return False
    free = _look_up(routing, packet, None, "")
    same = (free.type, free.interface) == (found.type, found.interface)
    return not same or (free.type not in NOWHERE and free.source not in (None, packet.source))


def nowhere(found: Found, destination: int) -> Why:
    """Why a guest sends nothing."""
    from netinsight.guest.ipv4 import NOT_OURS

    if found.reason == NOT_OURS and found.source is not None:
        return why("guest_route.foreign_source", destination=text(destination), source=text(found.source))
    code = "guest_route.none" if found.type == "none" else "guest_route.refused"
    return why(code, destination=text(destination), type=found.type)


def sends_on(walker: Walker, packet: Packet, interface: Interface) -> tuple[Found, Origin] | None:
    """Where a guest passes on what comes in by an ENI; None where nobody knows."""
    instance, name = interface.instance_id or "", interface_name(walker.network, interface)
    routing = routing_of(walker.network, instance)
    if routing is None or name is None:
        return None
    found = _look_up(routing, packet, packet.source, name)
    return None if found.doubts else (found, _origin(walker.network, instance, found, family(packet.destination)))


def holder(interface: Interface) -> str:
    """Who remembers what a guest translates: the instance, whichever of its ENIs a packet comes by."""
    return interface.instance_id or interface.id


def interface_name(network: Network, interface: Interface) -> str | None:
    """What a guest calls an ENI: by its MAC address, else by an address of it; None where the guest did not tell."""
    owner = network.topology.instances.get(interface.instance_id or "")
    if owner is None or owner.guest is None:
        return None
    told, mac = owner.guest.interfaces or (), (interface.eni.mac or "").lower()
    if mac and (named := next((one.name for one in told if (one.mac or "").lower() == mac), None)):
        return named
    mine = {parse_address(written) for _, written in interface.addresses()}
    held = addresses_of(network, interface.instance_id or "")
    return next((one.interface for one in held or () if one.address in mine), None) or next(
        (one.name for one in told if one.ip and parse_address(one.ip) in mine), None
    )


def named(network: Network, interface: Interface, name: str | None) -> Interface | None:
    """The ENI of the same guest that it calls so."""
    owner = network.topology.instances.get(interface.instance_id or "")
    mine = [network.enis[eni] for eni in owner.network_interfaces] if owner and name else []
    return next((one for one in mine if interface_name(network, one) == name), None)


def way_to(network: Network, interface: Interface, address: int, source: int | None = None) -> str | None:
    """The interface by which a guest reaches an address, for what ``source`` sends in by an ENI; None where nobody knows."""
    routing = routing_of(network, interface.instance_id or "")
    name = interface_name(network, interface) if source is not None else ""
    found = routing.look_up(address, source, in_interface=name) if routing and name is not None else None
    return found.interface if found and not found.doubts and found.type not in NOWHERE else None


def _eni_of(network: Network, routing: Routing, instance: str, name: str) -> Interface | None:
    """The ENI of an interface of a guest: by its MAC address, else by an address of it."""
    owner = network.topology.instances[instance]
    mine = [network.enis[eni] for eni in owner.network_interfaces]
    macs = {one.mac.lower().replace("-", ":") for one in (owner.guest.interfaces or () if owner.guest else ())
            if one.name == name and one.mac}  # fmt: skip
    held = {one.address for one in routing.addresses if one.interface == name}
    return next((one for one in mine if one.eni.mac and one.eni.mac.lower() in macs), None) or next(
        (one for one in mine if held & {parse_address(written) for _, written in one.addresses()}), None
    )


def _origin(network: Network, instance: str, found: Found, version: int) -> Origin:
    """The row that decided, as evidence; of a rule that ends the look-up, the rule."""
    guest = network.topology.instances[instance].guest
    key, line = ("routes", found.route_line) if found.route_line else ("rules", found.rule_line)
    if found.route_line and found.route_is_made:
        key = "addresses"
    elif version == 6 and (key == "rules" or (guest and guest.routes6 is not None)):
        key += "6"
    rows = ((getattr(guest, key) if guest else None) or "").splitlines()
    there = bool(line) and 0 < (line or 0) <= len(rows)
    said = rows[(line or 1) - 1].strip() if there and key != "addresses" else found.reason or found.type
    path = ("instances", instance, "guest", key)
    name = f"{instance}/{key}" + (f"/{line}" if line else "")
    return Origin(name, "guest_route", (*path, line) if there and line else path, text=said)


def _policy(found: Found, origin: Origin) -> str:
    return f"{found.table}: {origin.text}" if found.table else origin.text
