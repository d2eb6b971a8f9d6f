"""Look-ups in the tables of VPCs: by which row a packet leaves an ENI or a gateway, and where that leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netinsight.addresses import family, parse_address, text
from netinsight.engine.classify import Decision, candidates, is_certain
from netinsight.model.base import Unknown
from netinsight.model.edge import EipMode
from netinsight.model.routing import NextHop, NextHopType, Route
from netinsight.model.topology import Interface
from netinsight.network import routing
from netinsight.network.build import Network, Public
from netinsight.network.filters import SERVICE, Filter, Origin
from netinsight.network.steps import Ref, Why, why
from netinsight.network.ways import publics
from netinsight.network.ways.journey import At, Journey, Place

if TYPE_CHECKING:
    from netinsight.network.ways.walker import Walker

PLACES = {
    NextHopType.INSTANCE: At.APPLIANCE,
    NextHopType.NETWORK_INTERFACE: At.APPLIANCE,
    NextHopType.HAVIP: At.APPLIANCE,
    NextHopType.NAT_GATEWAY: At.NAT_OUT,
    NextHopType.IPV4_GATEWAY: At.IPV4_GATEWAY,
    NextHopType.IPV6_GATEWAY: At.IPV6_GATEWAY,
    NextHopType.VPC_PEER: At.PEERING,
    NextHopType.ROUTER_INTERFACE: At.ROUTER_INTERFACE,
    NextHopType.VPN_GATEWAY: At.VPN_OUT,
    NextHopType.ATTACHMENT: At.ATTACHED,
}
"""The next hops that are followed, where the topology describes them."""


# ---------------------------------------------------------------------------------------------------- out of an ENI


def leave(walker: Walker, journey: Journey, interface: Interface) -> list[Journey]:
    """The way on from an ENI: direct, by its own public address, or by the table of its vSwitch."""
    topology, vswitch, destination = walker.network.topology, interface.eni.vswitch, journey.packet.destination
    if vswitch not in topology.vswitches:
        return _not_known(walker, journey, Ref("vswitch", vswitch), vswitch, topology.unknown.get(vswitch, ""), None)
    far = _expected(walker, journey)
    if far and far.eni.vswitch not in topology.vswitches:
        fact, reason = far.eni.vswitch, topology.unknown.get(far.eni.vswitch, "")
        origin = Origin(fact, "unknown", ("unknown", fact), target=fact, reason=reason)
        return _not_known(walker, journey, Ref("vswitch", vswitch), fact, reason, origin)
    if walker.holds(vswitch, destination):
        return _direct(walker, journey, vswitch)
    if family(destination) == 4 and walker.is_public(journey):
        return _leave_public(walker, journey, interface)
    return [journey.to(At.ROUTER, vswitch, journey.place.vpc)]


def _not_known(
    walker: Walker, journey: Journey, ref: Ref, fact: str, reason: str, origin: Origin | None
) -> list[Journey]:
    return walker.lost(journey.not_known("route", journey.item, ref, fact, reason, origin or ()))


def _expected(walker: Walker, journey: Journey) -> Interface | None:
    """The ENI that was asked for, where the packet bears its address."""
    end = walker.source if journey.frame.back else walker.destination
    return end.interface if end.interface and end.address == journey.packet.destination else None


def _direct(walker: Walker, journey: Journey, vswitch: str) -> list[Journey]:
    _, rows = rows_at(walker.network, journey.place.vpc, vswitch, journey.packet.destination)
    rests = journey._replace(assumptions=journey.assumptions | {"steered_own_vswitch"})
    if any(row.kind in ("route", "unknown") for row in rows):
        if walker.network.assumptions["steered_own_vswitch"] == "routed":
            return [rests.to(At.ROUTER, vswitch, journey.place.vpc)]
        journey = rests
    ref = Ref("vswitch", vswitch)
    return _to_owner(walker, journey, ref, why("route.direct", vswitch=vswitch), None, vswitch, packed=None)


def _to_owner(
    walker: Walker, journey: Journey, ref: Ref, reason: Why, row: Origin | None, vswitch: str, packed: Filter | None
) -> list[Journey]:
    """Into a vSwitch: whoever has the address there, if that is who was asked."""
    vpc, address = journey.place.vpc, journey.packet.destination
    owner, far = walker.network.owner_in(vpc, address), _expected(walker, journey)
    mistaken = far is not None and owner is not None and owner[0] == "network_interfaces" and owner[1] != far.id
    if owner is None or mistaken:
        code = "route.elsewhere" if far else "route.nobody"
        told = why(code, vswitch=vswitch, destination=text(address))
        return walker.lost(journey.says("route", journey.item, ref, Decision.DROP, told, row, packed))
    arrived = journey.says("route", journey.item, ref, Decision.ACCEPT, reason, row, packed)
    return [arrived.to(At.OWNER, "", vpc)]


def owner(walker: Walker, journey: Journey) -> list[Journey]:
    """In a VPC, at whoever has the address."""
    vpc = journey.place.vpc
    found = walker.network.owner_in(vpc, journey.packet.destination)
    if found is None:
        return walker.lost(journey)
    section, name = found
    if section == "network_interfaces":
        return [journey.to(At.ARRIVING, name, vpc)]
    if section == "havips":
        return havip(walker, journey, name, At.ARRIVING)
    return [journey.to(At.NAT_IN if section == "nat_gateways" else At.BALANCER, name, vpc)]


def havip(walker: Walker, journey: Journey, name: str, then: At) -> list[Journey]:
    """At the master of a HaVip."""
    described = walker.network.topology.havips[name]
    ref, path = Ref("havip", name), ("havips", name, "master")
    if isinstance(described.master, Unknown):
        return walker.lost(journey.not_known("gateway", "gateway.havip", ref, name, described.master.unknown, path))
    master = walker.network.master_of(name)
    if master is None:
        origin = Origin(name, "gateway", ("havips", name), text=f"{name}: no master")
        told = why("havip.no_master", havip=name)
        return walker.lost(journey.says("gateway", "gateway.havip", ref, Decision.DROP, told, origin))
    origin = Origin(name, "gateway", path, text=f"master: {described.master}")
    passed = journey.says("gateway", "gateway.havip", ref, Decision.ACCEPT, why("havip.master", havip=name, eni=master.id),
                          origin)  # fmt: skip
    return [passed.to(then, master.id, journey.place.vpc)]


# ------------------------------------------------------------------------------------------------- to public addresses


def _leave_public(walker: Walker, journey: Journey, interface: Interface) -> list[Journey]:
    """By a public address of one's own, or by the table ("Internet access": who wins)."""
    network, vswitch, vpc = walker.network, interface.eni.vswitch, journey.place.vpc
    journey = publics.internet_mode(walker, journey, vpc)
    public = publics.own_public(network, interface, journey.packet.source)
    _, rows = walker.rows_at(vpc, vswitch, journey.packet.destination)
    by_table = [journey.to(At.ROUTER, vswitch, vpc)]
    if public is None or (rows and (rows[0].reason or rows[0].kind == "unknown")):
        return by_table
    gateway = network.ipv4_gateway_of.get(vpc)
    enabled = network.topology.ipv4_gateways[gateway].enabled if gateway else False
    if gateway and isinstance(enabled, Unknown):
        ref, path = Ref("ipv4", gateway), ("ipv4_gateways", gateway, "enabled")
        return walker.lost(journey.not_known("gateway", "gateway.ipv4", ref, gateway, enabled.unknown, path))
    if enabled is not False and public.mode is EipMode.NAT:
        return by_table
    if enabled is not False:
        return _leave_by(
            walker, journey, interface, public._replace(unknown=f"EIP mode {public.mode} and an IPv4 gateway")
        )
    name, route_wins = _route_or_public(network, rows[0], journey.packet.destination) if rows else ("", False)
    journey = journey._replace(assumptions=journey.assumptions | ({name} if name else set()))
    if route_wins:
        return [journey.to(At.ROUTER, vswitch, vpc)]
    if not gateway and (undescribed := routing.ipv4_gateway_route(network, vpc)):  # it may be enabled
        return to_hops(walker, journey, Ref("vswitch", vswitch), undescribed, None)
    return _leave_by(walker, journey, interface, public)


def _route_or_public(network: Network, row: Origin, address: int) -> tuple[str, bool]:
    """Whether a row has a packet that could leave by a public address; and the assumption that decides, if one does."""
    kinds = [kind for kind, _ in next_hops(network, row)]
    if row.kind == "system_route":
        return "", True
    if not routing.is_default(network, row, address):
        return "specific_route_beats_eip", network.assumptions["specific_route_beats_eip"] == "true"
    if any(kind is None for kind in kinds):  # a next hop that nobody described may be an IPv4 gateway
        return "", True
    if any(PLACES.get(kind) is At.APPLIANCE for kind in kinds if kind):
        name = "default_route_to_instance_beats_eip"
        return name, network.assumptions[name] == "true"
    return "", False


def _leave_by(walker: Walker, journey: Journey, interface: Interface, public: Public) -> list[Journey]:
    """Out by a public address of one's own."""
    ref = Ref("vswitch", interface.eni.vswitch)
    if public.unknown:
        return walker.lost(journey.not_known("route", journey.item, ref, public.holder, public.unknown, public.path))
    told = why("route.public", public=text(public.address))
    journey = journey.says("route", journey.item, ref, Decision.ACCEPT, told)
    return publics.out(journey, public, Ref("eni", interface.id))


def guest_translates(walker: Walker, journey: Journey, interface: Interface) -> bool:
    """Whether an appliance's guest has to put its own address in, for a packet to get out at all."""
    network, vpc = walker.network, walker.network.vpc_of(interface)
    public = publics.own_public(network, interface, parse_address(interface.eni.ip))
    if not walker.is_public(journey.to(At.APPLIANCE, interface.id, vpc)) or public is None or public.unknown:
        return False
    if family(journey.packet.destination) == 6 or interface.eni.vswitch not in network.topology.vswitches:
        return False
    gateway = network.ipv4_gateway_of.get(vpc)
    if (gateway and network.topology.ipv4_gateways[gateway].enabled is not False) or publics.no_internet(network, vpc):
        return False
    if journey.packet.source == parse_address(interface.eni.ip):
        return False
    _, rows = walker.rows_at(vpc, interface.eni.vswitch, journey.packet.destination)
    if not rows:
        return True
    if rows[0].reason or rows[0].kind == "unknown":
        return False
    return not _route_or_public(network, rows[0], journey.packet.destination)[1]


# --------------------------------------------------------------------------------------------------------- by a table


def rows_at(network: Network, vpc: str, reader: str, address: int) -> tuple[Filter | None, list[Origin]]:
    """A table, and its rows that may decide: those that may or may not be there, then the longest prefix that is.

    ``reader`` is the vSwitch that reads the table, a table, or empty for the system table.
    """
    vswitch = network.topology.vswitches.get(reader)
    if vswitch and isinstance(vswitch.route_table, Unknown):
        path = ("vswitches", reader, "route_table")
        return None, [Origin(reader, "unknown", path, target=reader, reason=vswitch.route_table.unknown)]
    table = network.table_of(reader) if vswitch else (reader or network.system_table(vpc))
    packed = network.table_filter(vpc, table)
    found = []
    for row in candidates(packed.table, address, address, 0):
        found.append(packed.origins[row])
        if is_certain(packed.table, row):
            break
    return packed, found


def look_up(walker: Walker, journey: Journey) -> list[Journey]:
    """By the table of a VPC's router."""
    network, (_, reader, vpc) = walker.network, journey.place
    destination = journey.packet.destination
    packed, rows = walker.rows_at(vpc, reader, destination)
    ref = Ref("vswitch", reader) if reader in network.topology.vswitches else Ref("vpc", vpc)
    if not rows:
        return walker.lost(_no_row(walker, journey, ref, packed))
    row = rows[0]
    if row.reason or row.kind == "unknown":
        return _not_known(walker, journey, ref, row.target, row.reason, row)
    if row.target == SERVICE:
        passed = journey.says("route", journey.item, ref, Decision.ACCEPT, why("route.service"), row, packed)
        return [passed._replace(turns=Place(At.OWNER, "", vpc)).to(At.SERVICE, "", vpc)]
    if row.kind == "system_route" and row.target in network.topology.vswitches:
        return _to_owner(walker, journey, ref, why("route.local", vswitch=row.target), row, row.target, packed)
    return to_hops(walker, journey, ref, row, packed)


def _no_row(walker: Walker, journey: Journey, ref: Ref, packed: Filter | None) -> Journey:
    network, (_, reader, vpc), packet = walker.network, journey.place, journey.packet
    vswitch = reader if reader in network.topology.vswitches else ""
    table = (network.table_of(vswitch) if vswitch else reader or network.system_table(vpc)) or "system"
    values = {"vswitch": vswitch or vpc, "destination": text(packet.destination), "table": table}
    here = network.owner_in(vpc, packet.source)
    lacks = here and here[0] == "network_interfaces" and walker.is_public(journey)
    lacks = lacks and publics.own_public(network, network.enis[here[1]], packet.source) is None if here else False
    told = why("route.none_public", eni=here[1], **values) if lacks and here else why("route.none", **values)
    origin = routing.no_route(network, table)
    return journey.says("route", journey.item, ref, Decision.DROP, told, origin, packed)


def next_hops(network: Network, row: Origin) -> list[tuple[NextHopType | None, str]]:
    """What a row leads to now: of several next hops the healthy ones of weight, else the healthy ones that stand by."""
    rule = row.rule
    if not isinstance(rule, Route):
        return [(routing.next_hop_type(network, row), row.target)]
    first = NextHop.model_construct(id=rule.next_hop, type=rule.next_hop_type, weight=rule.weight, healthy=rule.healthy)
    healthy = [hop for hop in (first, *rule.others) if hop.healthy]
    chosen = [hop for hop in healthy if hop.weight > 0] or healthy
    return [(routing.kind_of(network, hop.id) or hop.type, hop.id) for hop in chosen]


def to_hops(walker: Walker, journey: Journey, ref: Ref, row: Origin, packed: Filter | None) -> list[Journey]:
    """At every next hop that a row chooses between now."""
    hops = next_hops(walker.network, row)
    destination = routing.route_destination(row)
    if not hops:
        told = why("route.no_healthy", destination=destination)
        return walker.lost(journey.says("route", journey.item, ref, Decision.DROP, told, row, packed))
    journeys = []
    for kind, hop in hops:
        code = "route.next_hop" if len(hops) == 1 else "route.equal_next_hop"
        name = walker.network.ipv6_gateway_of.get(journey.place.vpc, hop) if hop == NextHopType.IPV6_GATEWAY else hop
        told = why(code, destination=destination, next_hop=name, n=len(hops))
        passed = journey.says("route", journey.item, ref, Decision.ACCEPT, told, row, packed)
        journeys += to_hop(walker, passed, kind, name, row)
    return journeys


def to_hop(walker: Walker, journey: Journey, kind: NextHopType | None, name: str, row: Origin | None) -> list[Journey]:
    """At a next hop; one that is not described or not modelled is named."""
    network, vpc = walker.network, journey.place.vpc
    place = PLACES.get(kind) if kind else None
    if kind is NextHopType.IPV6_GATEWAY:
        name = network.ipv6_gateway_of.get(vpc, "") if name == NextHopType.IPV6_GATEWAY else name
    if place is None or routing.kind_of(network, name) is None:
        item = routing.gateway_item(kind)
        ref = Ref(item.removeprefix("gateway."), name or str(kind))
        code = "gateway.not_followed" if kind and place is None else "gateway.not_modelled"
        return walker.lost(journey.says("gateway", item, ref, Decision.UNKNOWN, why(code, next_hop=ref.id), row))
    if kind is NextHopType.HAVIP:
        return havip(walker, journey, name, At.APPLIANCE)
    if kind is NextHopType.INSTANCE:
        primary = network.topology.primary_interface(name)
        name = primary.id if primary else name
    return [journey.to(place, name, vpc)]


def loop(walker: Walker, journey: Journey) -> list[Journey]:
    """The same packet at the same router again: the round it makes, and the row that closes it."""
    last = next(step for step in reversed(journey.steps) if step.stage == "route")
    nodes = [step.object.id for step in journey.steps if step.stage in ("route", "gateway", "appliance")]
    again = journey.place.id or journey.place.vpc
    around = nodes[nodes.index(again) :] if again in nodes else nodes
    told = why("route.loop", nodes=" -> ".join([*dict.fromkeys(around), around[0]]))
    looped = journey.says("route", journey.item, last.object, Decision.DROP, told, last.deciding.origin)
    return walker.lost(looped)
