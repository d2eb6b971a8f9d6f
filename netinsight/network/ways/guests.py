"""By which of its ENIs a guest sends what is its own: its rules and routes decide, where they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netinsight.addresses import parse_address, text
from netinsight.engine.classify import Decision
from netinsight.guest import described
from netinsight.guest.packets import Found
from netinsight.guest.routes import Routing
from netinsight.model.topology import Interface
from netinsight.network.build import Network
from netinsight.network.filters import Origin
from netinsight.network.steps import Ref, why
from netinsight.network.ways.journey import Journey

if TYPE_CHECKING:
    from netinsight.network.ways.walker import Walker

NOWHERE = ("none", "blackhole", "unreachable", "prohibit")
"""What a look-up says where a guest sends nothing."""


def routing_of(network: Network, instance: str) -> Routing | None:
    """The routing of a guest; None where its rules or routes are not known: a guess would be no answer."""
    one = network.topology.instances.get(instance)
    guest = one.guest if one else None
    return network.kept(("guest routing", instance), lambda: described.routing_of(guest)) if guest else None


def sends(walker: Walker, journey: Journey, interface: Interface) -> tuple[Journey, Interface | None]:
    """A guest's own packet at the ENI that it leaves by, with a stage that says why; no ENI where it is not sent.

    Where nobody knows, it leaves by the ENI that it bears the address of, and nothing is said.
    """
    instance = interface.instance_id or ""
    routing = routing_of(walker.network, instance) if walker.with_guest else None
    if routing is None:
        return journey, interface
    packet = journey.packet
    found = routing.look_up(packet.destination, packet.source, protocol=packet.protocol)
    leaves_by = _eni_of(walker.network, routing, instance, found.interface)
    if found.doubts or (found.type not in NOWHERE and leaves_by is None):
        return journey, interface  # listed as not checked
    item = "guest.route.return" if journey.frame.back else "guest.route.forward"
    ref, origin = Ref("instance", instance), _origin(walker.network, instance, found)
    if leaves_by is None:
        code = "guest_route.none" if found.type == "none" else "guest_route.refused"
        told = why(code, destination=text(packet.destination), type=found.type)
        return journey.says("guest.route", item, ref, Decision.DROP, told, origin), None
    code = "guest_route.carries" if leaves_by.id == interface.id else "guest_route.elsewhere"
    told = why(code, policy=_policy(found, origin), interface=found.interface, eni=leaves_by.id, own=interface.id,
               source=text(packet.source))  # fmt: skip
    return journey.says("guest.route", item, ref, Decision.ACCEPT, told, origin), leaves_by


def _eni_of(network: Network, routing: Routing, instance: str, name: str) -> Interface | None:
    """The ENI of an interface of a guest: by its MAC address, else by an address of it."""
    owner = network.topology.instances[instance]
    mine = [network.enis[eni] for eni in owner.network_interfaces]
    macs = {one.mac.lower() for one in (owner.guest.interfaces or () if owner.guest else ())
            if one.name == name and one.mac}  # fmt: skip
    held = {one.address for one in routing.addresses if one.interface == name}
    return next((one for one in mine if one.eni.mac and one.eni.mac.lower() in macs), None) or next(
        (one for one in mine if held & {parse_address(written) for _, written in one.addresses()}), None
    )


def _origin(network: Network, instance: str, found: Found) -> Origin:
    """The row that decided, as evidence; of a rule that ends the look-up, the rule."""
    guest = network.topology.instances[instance].guest
    key, line = ("routes", found.route_line) if found.route_line else ("rules", found.rule_line)
    written = (guest.routes if key == "routes" else guest.rules) if guest else None
    rows = (written or "").splitlines()
    said = (
        rows[line - 1].strip() if line and line <= len(rows) and not found.route_is_made else found.reason or found.type
    )
    name = f"{instance}/{key}" + (f"/{line}" if line else "")
    return Origin(name, "guest_route", ("instances", instance, "guest", key), text=said)


def _policy(found: Found, origin: Origin) -> str:
    return f"{found.table}: {origin.text}" if found.table else origin.text
