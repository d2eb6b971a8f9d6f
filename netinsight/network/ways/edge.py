"""The public edge: addresses that stand for private ones, IPv4 and IPv6 gateways, blackholes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netinsight.addresses import family, parse_address, text
from netinsight.engine.classify import Decision
from netinsight.model.base import Unknown
from netinsight.model.edge import EipMode
from netinsight.model.gateways import BusinessStatus, Ipv6Internet
from netinsight.model.topology import Interface
from netinsight.network import stages
from netinsight.network.build import Network, Public
from netinsight.network.filters import Origin
from netinsight.network.routing import is_default, no_route
from netinsight.network.steps import Ref, why
from netinsight.network.ways import publics, router
from netinsight.network.ways.journey import At, Journey

if TYPE_CHECKING:
    from netinsight.network.ways.walker import Walker

ANYWHERE = parse_address("0.0.0.0")  # noqa: S104  (an address that is looked up, not bound)


# ------------------------------------------------------------------------------------------------------- EIPs, outward


# ---------------------------------------------------------------------------------------------------------- the edge


def public_edge(walker: Walker, journey: Journey) -> list[Journey]:
    """By its destination: a host, or a public address of the topology and what stands behind it."""
    network, destination = walker.network, journey.packet.destination
    if family(destination) == 6:
        return _edge_v6(walker, journey)
    public = network.public_by_address.get(destination)
    if public is not None:
        return _door(walker, journey, public)
    if balancer := network.balancer_of_public.get(destination):
        journey = _blackhole(walker, journey, Ref("load_balancer", balancer))
        journey = publics.internet_mode(walker, journey, network.topology.load_balancers[balancer].vpc)
        return [journey.to(At.BALANCER, balancer)]
    if not publics.is_public(network, destination, ""):
        return walker.lost(journey if journey.frame.back else _not_routed(walker, journey))
    return [journey.to(At.INTERNET)]


def _not_routed(walker: Walker, journey: Journey) -> Journey:
    """A private address is none on the Internet: what has it, and no public one, was asked from there."""
    asked, private = walker.destination, text(journey.packet.destination)
    ref = Ref(*asked.holder) if asked.holder else Ref("address", private)
    told = why("public.none", eni=ref.id, private=private)
    return journey.says("public_ip.ingress", "gateway.public_ip", ref, Decision.DROP, told)


def _door(walker: Walker, journey: Journey, public: Public) -> list[Journey]:
    """In by a public address of the topology."""
    topology, packet = walker.network.topology, journey.packet
    eni_ref = Ref("eni", public.interface.id) if public.interface else Ref("eip", public.holder)
    journey = _blackhole(walker, journey, eni_ref)
    if public.unknown or (public.interface is None and not _leads_on(walker, public)):
        step = stages.door_without_eni(public, packet, journey.leg_box)
        return walker.lost(journey.step(step.stage, step.item, step.object, step.rulings))
    if public.interface is None and public.lock is not BusinessStatus.NORMAL:
        journey = publics.locked(journey, public, "public_ip.ingress")
    if public.bound_to in topology.nat_gateways:
        journey = publics.internet_mode(walker, journey, topology.nat_gateways[public.bound_to].vpc)
        return [journey.to(At.NAT_IN, public.bound_to, topology.nat_gateways[public.bound_to].vpc)]
    if public.bound_to in topology.load_balancers:
        journey = publics.internet_mode(walker, journey, topology.load_balancers[public.bound_to].vpc)
        return [journey.to(At.BALANCER, public.bound_to)]
    rulings = stages.translation(public, "public.in", journey.leg_box)
    journey = journey.step("public_ip.ingress", "gateway.public_ip", eni_ref, rulings)
    if public.mode is EipMode.NAT:
        journey = journey.bears(destination=public.private)
    vpc = walker.network.vpc_of(public.interface) if public.interface else public.vpc
    if public.interface is None and public.bound_to in topology.havips:  # that has no master
        return router.havip(walker, journey, public.bound_to, At.ARRIVING)
    return _enter(walker, journey, public, vpc)


def _leads_on(walker: Walker, public: Public) -> bool:
    topology, bound_to = walker.network.topology, public.bound_to
    followed = (topology.nat_gateways, topology.load_balancers, topology.havips)
    return bool(public.vpc) or any(bound_to in section for section in followed)


def _blackhole(walker: Walker, journey: Journey, ref: Ref) -> Journey:
    """Every packet to a blackholed address is dropped; of answers to source translation that is assumed."""
    address = journey.packet.destination
    rulings = stages.blackhole(walker.network, address, walker.moment, journey.leg_box)
    if journey.frame.back and ref.type == "eip" and rulings[0].decision is Decision.DROP:
        name = "blackhole_stops_snat_replies"
        journey = journey._replace(assumptions=journey.assumptions | {name})
        if walker.network.assumptions[name] == "false":
            told = why("blackhole.assumed", public=text(address))
            return journey.says("blackhole", "blackhole.public_ip", ref, Decision.ACCEPT, told, rulings[0].origin)
    return journey.step("blackhole", "blackhole.public_ip", ref, rulings)


def _enter(walker: Walker, journey: Journey, public: Public, vpc: str) -> list[Journey]:
    """Into the VPC: past its IPv4 gateway, which may steer to an appliance."""
    network = walker.network
    journey = publics.internet_mode(walker, journey, vpc)
    gateway = network.ipv4_gateway_of.get(vpc)
    described = network.topology.ipv4_gateways[gateway] if gateway else None
    target = public.interface
    vswitch = network.vswitch_at(vpc, public.private) if public.private is not None else ""
    if public.vpc and (described is None or described.enabled is False):
        origin = Origin(public.holder, "public_ip", public.path, text=f"vpc: {public.vpc}")
        told = why("ipv4.needed", public=text(public.address), vpc=vpc)
        ref = Ref("eip", public.holder)
        journey = journey.says("public_ip.ingress", "gateway.public_ip", ref, Decision.DROP, told, origin)
    elif gateway and described and described.enabled is not False:
        known = not isinstance(described.enabled, Unknown)
        steered = _steered(walker, journey, Ref("ipv4", gateway), described.route_table, vpc)
        if steered and known:
            return steered
        private = vswitch and not journey.frame.back and not is_public_vswitch(walker, vswitch, gateway, vpc)
        if isinstance(described.enabled, Unknown) and (steered or private):
            ref, path = Ref("ipv4", gateway), ("ipv4_gateways", gateway, "enabled")
            journey = journey.not_known("gateway", "gateway.ipv4", ref, gateway, described.enabled.unknown, path)
        elif private:
            table = no_route(network, network.table_of(vswitch))
            told = why("ipv4.private_vswitch", vswitch=vswitch, gateway=gateway)
            journey = journey.says("gateway", "gateway.ipv4", Ref("ipv4", gateway), Decision.DROP, told, table)
    return [journey.to(At.OWNER, "", vpc) if target is None else journey.to(At.ARRIVING, target.id, vpc)]


def _steered(walker: Walker, journey: Journey, gateway: Ref, table: str | None, vpc: str) -> list[Journey]:
    """What a gateway table sends to an appliance; nothing where it says local, or there is none."""
    if table is None:
        return []
    packed, rows = walker.rows_at(vpc, table, journey.packet.destination)
    if rows and (rows[0].reason or rows[0].kind == "unknown"):
        item = f"gateway.{gateway.type}"
        return walker.lost(journey.not_known("gateway", item, gateway, rows[0].target, rows[0].reason, rows[0]))
    if not rows or rows[0].kind != "route":
        return []
    return router.to_hops(walker, journey.to(At.ROUTER, table, vpc), gateway, rows[0], packed)


def is_public_vswitch(walker: Walker, vswitch: str, gateway: str, vpc: str, address: int = ANYWHERE) -> bool:
    """Whether the table of a vSwitch (or the system table) leads to the IPv4 gateway: for an address, or by default."""
    if vswitch and vswitch not in walker.network.topology.vswitches:
        return False
    _, rows = walker.rows_at(vpc, vswitch, address)
    if not rows or (address == ANYWHERE and not is_default(walker.network, rows[0], address)):
        return False
    return any(name == gateway for _, name in router.next_hops(walker.network, rows[0]))


def ipv4_gateway(walker: Walker, journey: Journey) -> list[Journey]:
    """Out by an IPv4 gateway: a private address needs a public one that stands for it."""
    network, (_, name, vpc), packet = walker.network, journey.place, journey.packet
    gateway, ref = network.topology.ipv4_gateways[name], Ref("ipv4", name)
    origin = Origin(name, "gateway", ("ipv4_gateways", name), text=f"{name} of {gateway.vpc}")
    if isinstance(gateway.enabled, Unknown):
        path = ("ipv4_gateways", name, "enabled")
        journey = journey.not_known("gateway", "gateway.ipv4", ref, name, gateway.enabled.unknown, path)
    elif not gateway.enabled:
        told, written = why("ipv4.not_enabled", gateway=name), ("ipv4_gateways", name, "enabled")
        off = Origin(name, "gateway", written, text="enabled: false")
        journey = journey.says("gateway", "gateway.ipv4", ref, Decision.DROP, told, off)
    if not walker.is_public(journey):
        told, row = (
            why("ipv4.private_destination", gateway=name, destination=text(packet.destination)),
            journey.last_row,
        )
        return walker.lost(journey.says("gateway", "gateway.ipv4", ref, Decision.DROP, told, row or origin))
    public = network.public_in(vpc, packet.source)
    if public is None:
        told = why("ipv4.no_public_address", gateway=name, private=text(packet.source))
        section, held = network.owner_in(vpc, packet.source) or ("", "")
        lacking = publics.without_public(network.enis[held]) if section == "network_interfaces" else origin
        return walker.lost(journey.says("gateway", "gateway.ipv4", ref, Decision.DROP, told, lacking))
    passed = journey.says("gateway", "gateway.ipv4", ref, Decision.ACCEPT, why("ipv4.out", gateway=name), origin)
    passed = passed if gateway.enabled is True else journey
    holder = Ref("eni", public.interface.id) if public.interface else Ref("eip", public.holder)
    return publics.out(passed, public, holder)


# ---------------------------------------------------------------------------------------------------------------- IPv6


def _bandwidth(network: Network, gateway: str, address: int) -> tuple[int, Ipv6Internet] | None:
    listed = network.topology.ipv6_gateways[gateway].internet
    for i, entry in enumerate(listed if isinstance(listed, list) else ()):
        if parse_address(entry.ip) == address:
            return i, entry
    return None


def _judge_v6(walker: Walker, journey: Journey, gateway: str, address: int, *, inward: bool) -> Journey:
    """Whether an IPv6 address meets the Internet by its gateway."""
    network, ref = walker.network, Ref("ipv6", gateway)
    described, path = network.topology.ipv6_gateways[gateway], ("ipv6_gateways", gateway)
    if isinstance(described.internet, Unknown):
        return journey.not_known(
            "gateway", "gateway.ipv6", ref, gateway, described.internet.unknown, (*path, "internet")
        )
    if described.business_status is not BusinessStatus.NORMAL:
        told = why("gateway.locked", gateway=gateway, status=described.business_status)
        said = f"business_status: {described.business_status}"
        origin = Origin(gateway, "gateway", (*path, "business_status"), text=said)
        return journey.says("gateway", "gateway.ipv6", ref, Decision.DROP, told, origin)
    found = _bandwidth(network, gateway, address)
    if found is None:
        told = why("ipv6.no_bandwidth", gateway=gateway, ip=text(address))
        origin = Origin(gateway, "gateway", (*path, "internet"), text=f"internet: no entry for {text(address)}")
        return journey.says("gateway", "gateway.ipv6", ref, Decision.DROP, told, origin)
    key, decision, told = "bandwidth_mbps", Decision.ACCEPT, why("ipv6.passes", gateway=gateway, ip=text(address))
    if not found[1].bandwidth_mbps:
        decision, told = Decision.DROP, why("ipv6.no_bandwidth", gateway=gateway, ip=text(address))
    elif found[1].business_status is not BusinessStatus.NORMAL:
        decision, told = Decision.DROP, why("gateway.locked", gateway=text(address), status=found[1].business_status)
        key = "business_status"
    elif inward and found[1].egress_only and not journey.frame.back:
        decision, told = Decision.DROP, why("ipv6.egress_only", gateway=gateway, ip=text(address))
        key = "egress_only"
    said = f"{key}: {str(getattr(found[1], key)).replace('True', 'true')}"
    origin = Origin(gateway, "gateway", (*path, "internet", found[0], key), text=said)
    return journey.says("gateway", "gateway.ipv6", ref, decision, told, origin)


def ipv6_gateway(walker: Walker, journey: Journey) -> list[Journey]:
    """Out by an IPv6 gateway: the source needs Internet bandwidth."""
    judged = _judge_v6(walker, journey, journey.place.id, journey.packet.source, inward=False)
    return [judged.to(At.EDGE)]


def _edge_v6(walker: Walker, journey: Journey) -> list[Journey]:
    """In by the IPv6 gateway of the VPC that has the address; else it is an Internet host's."""
    network, destination = walker.network, journey.packet.destination
    owners = network.owners.get(destination)
    if not owners:
        return [journey.to(At.INTERNET)]
    vpc = network.vpc_of(owners[0])
    gateway = network.ipv6_gateway_of.get(vpc)
    if gateway is None:
        told = why("gateway.not_modelled", next_hop="ipv6-gateway")
        if not journey.frame.back:
            journey = journey.says("gateway", "gateway.ipv6", Ref("ipv6", "ipv6-gateway"), Decision.UNKNOWN, told)
        return walker.lost(journey._replace(broken=False)) if journey.frame.back else _arrive(journey, owners[0], vpc)
    judged = _judge_v6(walker, journey, gateway, destination, inward=True)
    steered = _steered(walker, judged, Ref("ipv6", gateway), network.topology.ipv6_gateways[gateway].route_table, vpc)
    return steered or _arrive(judged, owners[0], vpc)


def _arrive(journey: Journey, interface: Interface, vpc: str) -> list[Journey]:
    return [journey.to(At.ARRIVING, interface.id, vpc)]
