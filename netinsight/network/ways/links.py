"""From a VPC to another VPC or to a network outside: peerings, router interfaces and VBRs, VPN gateways, transit routers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netinsight.addresses import parse_prefix, text, within
from netinsight.engine.classify import Decision, candidates, is_certain
from netinsight.model.base import Path, Unknown
from netinsight.model.gateways import BusinessStatus
from netinsight.model.links import (
    Attachment,
    AttachmentStatus,
    LinkRoute,
    Peering,
    PeeringStatus,
    RouterInterfaceStatus,
    TransitRoute,
    VbrStatus,
    VpnConnection,
    VpnConnectionStatus,
    VpnGatewayStatus,
)
from netinsight.network.build import Network
from netinsight.network.filters import Filter, Origin
from netinsight.network.routing import counted
from netinsight.network.steps import Ref, why
from netinsight.network.ways.journey import At, Journey, Place

if TYPE_CHECKING:
    from netinsight.network.ways.walker import Walker


def _state(
    journey: Journey, item: str, ref: Ref, path: Path, status: object, up: object,
    lock: BusinessStatus = BusinessStatus.NORMAL,
) -> Journey:  # fmt: skip
    """The state of a link, as a stage: only one that is up, and paid for, carries traffic."""
    judged = journey.state("gateway", item, ref, path, status, up, lock)
    if judged is not journey:
        return judged
    origin = Origin(ref.id, "gateway", path, text=f"status: {status}")
    return journey.says("gateway", item, ref, Decision.ACCEPT, why("gateway.passes", gateway=ref.id), origin)


def _drop(journey: Journey, item: str, ref: Ref, path: Path, said: str, code: str, **values: object) -> Journey:
    origin = Origin(ref.id, "gateway", path, text=said)
    return journey.says("gateway", item, ref, Decision.DROP, why(code, gateway=ref.id, **values), origin)


def _row(walker: Walker, journey: Journey, packed: Filter, ref: Ref, path: Path) -> tuple[Journey, Origin | None]:
    """A look-up in a table outside the VPCs, as a stage."""
    walker.looked_at(packed)
    destination = journey.packet.destination
    for row in candidates(packed.table, destination, destination, 0):
        origin = packed.origins[row]
        if not is_certain(packed.table, row):
            return journey.not_known("route", journey.item, ref, origin.target, origin.reason, origin, packed), None
        code = "route.next_hop" if origin.target else "route.blackhole"
        told = why(code, destination=origin.text.partition(" ")[0], next_hop=origin.target)
        return journey.says("route", journey.item, ref, Decision.ACCEPT, told, origin, packed), origin
    for origin in packed.origins:  # what BGP taught, and would be there if its session were up
        if origin.idle and isinstance(origin.rule, LinkRoute) and within([origin.rule.destination], destination):
            told = why("vpn.bgp_down", gateway=ref.id, destination=origin.rule.destination, connection=origin.target)
            return journey.says("route", journey.item, ref, Decision.DROP, told, origin, packed), None
    told = why("route.none_at", gateway=ref.id, destination=text(destination))
    origin = Origin(ref.id, "route_table", path, text=f"{ref.id}: {counted(len(packed.origins), 'row')}")
    return journey.says("route", journey.item, ref, Decision.DROP, told, origin, packed), None


def _at_network(walker: Walker, journey: Journey, name: str, turns: Place) -> list[Journey]:
    """At a network that is known by its prefixes, if the destination is in it."""
    cidrs = walker.network.topology.networks[name].cidrs
    if not within(cidrs, journey.packet.destination):
        told = why("network.elsewhere", network=name, destination=text(journey.packet.destination))
        last = next((step for step in reversed(journey.steps) if step.stage == "route"), None)
        ref = last.object if last else Ref("network", name)
        origin = last.deciding.origin if last else Origin(name, "gateway", ("networks", name), text=", ".join(cidrs))
        return walker.lost(journey.says("route", journey.item, ref, Decision.DROP, told, origin))
    return [journey._replace(turns=turns).to(At.NETWORK, name)]


# -------------------------------------------------------------------------------------------------------------- peering


def peering(walker: Walker, journey: Journey) -> list[Journey]:
    """Through a peering, which joins the addresses of two VPCs and no others."""
    network, (_, name, vpc), packet = walker.network, journey.place, journey.packet
    described, path, ref = network.topology.peerings[name], ("peerings", name), Ref("peering", name)
    item = "gateway.peering"
    journey = _state(journey, item, ref, path, described.status, PeeringStatus.ACTIVATED, described.business_status)
    far = described.vpc if vpc == described.peer_vpc else described.peer_vpc
    near_cidrs, far_cidrs = _cidrs(network, described, vpc), _cidrs(network, described, far)
    if _overlap(near_cidrs, far_cidrs):
        joined = (described.vpc, described.peer_vpc)
        said = "; ".join(f"{one}: {', '.join(_cidrs(network, described, one))}" for one in joined)
        journey = _drop(journey, item, ref, path, said, "peering.overlap", vpc=joined[0], peer=joined[1])
    for address, cidrs, side in ((packet.source, near_cidrs, vpc), (packet.destination, far_cidrs, far)):
        if not within(cidrs, address):
            return walker.lost(_stray(network, journey, ref, address, side, f"cidrs: {', '.join(cidrs)}"))
    if far not in network.topology.vpcs:
        return [journey._replace(turns=Place(At.PEERING, name, far)).to(At.NETWORK, far)]
    _, rows = walker.rows_at(far, "", packet.destination)
    if not rows or rows[0].kind != "system_route" or rows[0].target not in network.topology.vswitches:
        said = f"no vSwitch that holds {text(packet.destination)}"
        return walker.lost(_stray(network, journey, ref, packet.destination, far, said))
    return [journey.to(At.ROUTER, "", far)]


def _stray(network: Network, journey: Journey, ref: Ref, address: int, vpc: str, said: str) -> Journey:
    """A packet from or to an address that is not of the VPC on that side of a peering."""
    name, path = vpc, ("vpcs", vpc, "cidrs")
    if vpc not in network.topology.vpcs:
        name, path = ref.id, ("peerings", ref.id, "peer_cidrs")
    told = why("peering.not_transitive", gateway=ref.id, address=text(address), vpc=vpc)
    origin = Origin(name, "gateway", path, text=said)
    return journey.says("gateway", "gateway.peering", ref, Decision.DROP, told, origin)


def _cidrs(network: Network, described: Peering, vpc: str) -> list[str]:
    """The blocks of one side of a peering."""
    known = network.topology.vpcs.get(vpc)
    if known:
        return [*known.cidrs, *filter(None, [known.ipv6_cidr])]
    return described.peer_cidrs if vpc == described.peer_vpc else []


def _overlap(one: list[str], other: list[str]) -> bool:
    return any(
        a.first <= b.last and b.first <= a.last for a in map(parse_prefix, one) for b in map(parse_prefix, other)
    )


# --------------------------------------------------------------------------------------------- router interfaces, VBRs


def router_interface(walker: Walker, journey: Journey) -> list[Journey]:
    """Through a router interface and the one at the other side, to that one's router."""
    topology, item = walker.network.topology, "gateway.router_interface"
    near = topology.router_interfaces[journey.place.id]
    journey = _router_interface(walker, journey, journey.place.id)
    if isinstance(near.opposite, Unknown) or near.opposite not in topology.router_interfaces:
        fact = near.opposite if isinstance(near.opposite, str) else journey.place.id
        reason = near.opposite.unknown if isinstance(near.opposite, Unknown) else topology.unknown.get(fact, "")
        ref, path = Ref("router_interface", journey.place.id), ("router_interfaces", journey.place.id, "opposite")
        return walker.lost(journey.not_known("gateway", item, ref, fact, reason, path))
    journey = _router_interface(walker, journey, near.opposite)
    far = topology.router_interfaces[near.opposite].router
    if far in topology.vbrs:
        return [journey.to(At.VBR, far)]
    if far in topology.vpcs:
        return [journey.to(At.ROUTER, "", far)]
    ref, path = Ref("router_interface", near.opposite), ("router_interfaces", near.opposite, "router")
    return walker.lost(journey.not_known("gateway", item, ref, far, topology.unknown.get(far, ""), path))


def _router_interface(walker: Walker, journey: Journey, name: str) -> Journey:
    described, ref = walker.network.topology.router_interfaces[name], Ref("router_interface", name)
    return _state(journey, "gateway.router_interface", ref, ("router_interfaces", name), described.status,
                  RouterInterfaceStatus.ACTIVE, described.business_status)  # fmt: skip


def vbr(walker: Walker, journey: Journey) -> list[Journey]:
    """At a VBR: by its table to a router interface, or to the network behind its leased line."""
    name, topology = journey.place.id, walker.network.topology
    ref, path = Ref("vbr", name), ("vbrs", name)
    journey = _state(journey, "gateway.vbr", ref, path, topology.vbrs[name].status, VbrStatus.ACTIVE)
    before = journey
    journey, row = _row(walker, journey, walker.network.vbr_filter(name), ref, (*path, "routes"))
    outside = any(within(one.cidrs, before.packet.destination) for one in topology.networks.values())
    if row is None and name in walker.network.attachment_of and not outside:
        return [before.to(At.ATTACHED, walker.network.attachment_of[name])]
    if row is None:
        return walker.lost(journey)
    if row.target in topology.router_interfaces:
        return [journey.to(At.ROUTER_INTERFACE, row.target)]
    if row.target in walker.network.attachments:
        return [journey.to(At.ATTACHED, row.target)]
    if row.target in topology.networks:
        return _at_network(walker, journey, row.target, Place(At.VBR, name))
    told = why("gateway.not_modelled", next_hop=row.target)
    return walker.lost(journey.says("gateway", "gateway.vbr", ref, Decision.UNKNOWN, told, row))


# ------------------------------------------------------------------------------------------------------------------ VPN


def vpn_out(walker: Walker, journey: Journey) -> list[Journey]:
    """Out by a VPN gateway: by its own routes to a connection, which must be up and encrypt for both addresses."""
    name = journey.place.id
    gateway, ref = walker.network.topology.vpn_gateways[name], Ref("vpn", name)
    path = ("vpn_gateways", name)
    journey = _vpn_state(walker, journey, name)
    journey, row = _row(walker, journey, walker.network.vpn_filter(name), ref, (*path, "routes"))
    if row is None:
        return walker.lost(journey)
    row = _standby(walker, journey, name, row)
    if row.reason:  # what stands by was taught by a session of which nobody knows whether it is up
        return walker.lost(journey.not_known("route", journey.item, ref, row.target, row.reason, row))
    chosen = row.target
    connection = gateway.connections[chosen]
    journey = _connection(journey, name, chosen, connection, journey.packet.source, journey.packet.destination)
    if connection.network not in walker.network.topology.networks:
        told = why("gateway.not_modelled", next_hop=connection.network)
        return walker.lost(journey.says("gateway", "gateway.vpn", ref, Decision.UNKNOWN, told))
    return _at_network(walker, journey, connection.network, Place(At.VPN_IN, f"{name}/{chosen}"))


def _standby(walker: Walker, journey: Journey, name: str, row: Origin) -> Origin:
    """A row; where its connection is surely down, the first that stands by for the same block and may be up."""
    connections = walker.network.topology.vpn_gateways[name].connections
    packed, destination = walker.network.vpn_filter(name), journey.packet.destination
    block = row.text.partition(" ")[0]
    for number in candidates(packed.table, destination, destination, 0):
        one = packed.origins[number]
        status = connections[one.target].status
        if one.text.partition(" ")[0] == block and (
            isinstance(status, Unknown) or status is VpnConnectionStatus.ESTABLISHED
        ):
            return one
    return row


def _vpn_state(walker: Walker, journey: Journey, name: str) -> Journey:
    gateway = walker.network.topology.vpn_gateways[name]
    return _state(journey, "gateway.vpn", Ref("vpn", name), ("vpn_gateways", name), gateway.status,
                  VpnGatewayStatus.ACTIVE, gateway.business_status)  # fmt: skip


def _connection(journey: Journey, name: str, id_: str, connection: VpnConnection, local: int, remote: int) -> Journey:
    ref, path = Ref("vpn_connection", id_), ("vpn_gateways", name, "connections", id_)
    journey = _state(journey, "gateway.vpn", ref, path, connection.status, VpnConnectionStatus.ESTABLISHED)
    for key, address in (("local_cidrs", local), ("remote_cidrs", remote)):
        if not within(getattr(connection, key), address):
            said = f"{key}: {', '.join(getattr(connection, key))}"
            journey = _drop(
                journey, "gateway.vpn", ref, (*path, key), said, "vpn.selector", address=text(address), side=key
            )
    return journey


def vpn_in(walker: Walker, journey: Journey) -> list[Journey]:
    """In from the network behind a connection, and on by the system table of the VPC."""
    name, _, id_ = journey.place.id.partition("/")
    gateway = walker.network.topology.vpn_gateways[name]
    packet = journey.packet
    journey = _connection(journey, name, id_, gateway.connections[id_], packet.destination, packet.source)
    journey = _vpn_state(walker, journey, name)
    vpc = walker.network.topology.vpcs.get(gateway.vpc)
    attachment = walker.network.attachment_of.get(name)
    if attachment and vpc and not within(vpc.cidrs, packet.destination):
        return [journey.to(At.ATTACHED, attachment)]
    return [journey.to(At.ROUTER, "", gateway.vpc)]


# ------------------------------------------------------------------------------------------------------ transit routers


def _attachment(walker: Walker, journey: Journey, name: str) -> tuple[Journey, Attachment]:
    router_name = walker.network.attachments[name]
    described = walker.network.topology.transit_routers[router_name].attachments[name]
    path = ("transit_routers", router_name, "attachments", name)
    state = _state(journey, "gateway.transit_router", Ref("attachment", name), path, described.status,
                   AttachmentStatus.ATTACHED, described.business_status)  # fmt: skip
    return state, described


def attached(walker: Walker, journey: Journey) -> list[Journey]:
    """Into a transit router: the table that the attachment is associated with decides."""
    network, name = walker.network, journey.place.id
    router_name = network.attachments[name]
    journey, described = _attachment(walker, journey, name)
    item, ref = "gateway.transit_router", Ref("transit_router", router_name)
    path = ("transit_routers", router_name)
    where: Path = (*path, "attachments", name)
    if isinstance(described.route_table, Unknown):
        where = (*where, "route_table")
        return walker.lost(journey.not_known("gateway", item, ref, name, described.route_table.unknown, where))
    if described.route_table is None:
        return walker.lost(
            _drop(journey, item, Ref("attachment", name), where, "no route_table", "transit.no_association")
        )
    table = described.route_table
    packed = network.transit_filter(router_name, table)
    journey, row = _row(walker, journey, packed, ref, (*path, "route_tables", table))
    if row is None:
        return walker.lost(journey)
    if isinstance(row.rule, TransitRoute) and row.rule.blackhole:
        told = why("transit.blackhole", gateway=router_name, destination=row.rule.destination)
        return walker.lost(journey.says("gateway", item, ref, Decision.DROP, told, row))
    return [journey.to(At.DETACHED, row.target)]


def detached(walker: Walker, journey: Journey) -> list[Journey]:
    """Out of a transit router by an attachment, to what is attached."""
    network, name = walker.network, journey.place.id
    topology = network.topology
    journey, described = _attachment(walker, journey, name)
    to = described.to
    if to in topology.vpcs:
        readers = list(dict.fromkeys(described.vswitches)) or [""]
        return [journey.to(At.ROUTER, reader, to) for reader in readers]
    if to in topology.vbrs:
        return [journey.to(At.VBR, to)]
    if to in topology.vpn_gateways:
        return [journey.to(At.VPN_OUT, to)]
    if to in topology.networks:
        return _at_network(walker, journey, to, Place(At.ATTACHED, name))
    if to in network.attachments:
        return [journey.to(At.ATTACHED, to)]
    told = why("gateway.not_modelled", next_hop=to)
    return walker.lost(
        journey.says("gateway", "gateway.transit_router", Ref("attachment", name), Decision.UNKNOWN, told)
    )


# ----------------------------------------------------------------------------------------------------- from a network


def entries(network: Network, name: str) -> Iterator[Place]:
    """Every place by which a packet of a network comes in."""
    topology = network.topology
    for vbr_name, described in topology.vbrs.items():
        rows = described.routes if isinstance(described.routes, list) else []
        if any(row.next_hop == name for row in rows):
            yield Place(At.VBR, vbr_name)
    for gateway_name, gateway in topology.vpn_gateways.items():
        for id_, connection in gateway.connections.items():
            if connection.network == name:
                yield Place(At.VPN_IN, f"{gateway_name}/{id_}")
    for router_name in topology.transit_routers:
        for id_, attachment in topology.transit_routers[router_name].attachments.items():
            if attachment.to == name:
                yield Place(At.ATTACHED, id_)
    for peering_name, one in topology.peerings.items():
        if one.peer_vpc == name and name not in topology.vpcs:
            yield Place(At.PEERING, peering_name, name)
