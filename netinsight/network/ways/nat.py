"""NAT gateways: source translation outward, destination translation inward, and the sessions of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netinsight.addresses import parse_address, text
from netinsight.engine.classify import Decision, decide, partition
from netinsight.flow import ICMP, TCP, UDP
from netinsight.model.gateways import (
    BusinessStatus,
    DnatEntry,
    EipBindMode,
    NatGateway,
    NatNetwork,
    NatStatus,
    SnatEntry,
)
from netinsight.network.build import Public
from netinsight.network.entries import external_address
from netinsight.network.filters import Filter, Origin
from netinsight.network.routing import counted
from netinsight.network.steps import Ref, why
from netinsight.network.ways import edge, publics
from netinsight.network.ways.journey import At, Frame, Journey

if TYPE_CHECKING:
    from netinsight.network.ways.walker import Walker

ITEM = "gateway.nat"


def _says(journey: Journey, name: str, decision: Decision, code: str, origin: Origin | None = None, packed: Filter | None = None,
          **values: object) -> Journey:  # fmt: skip
    return journey.says("nat", ITEM, Ref("nat", name), decision, why(code, gateway=name, **values), origin, packed)


def _state(journey: Journey, name: str, gateway: NatGateway) -> Journey:
    """Only an Available gateway that is paid for carries traffic."""
    return journey.state("nat", ITEM, Ref("nat", name), ("nat_gateways", name), gateway.status, NatStatus.AVAILABLE,
                         gateway.business_status)  # fmt: skip


def _not_known(journey: Journey, name: str, fact: str, reason: str, origin: Origin, packed: Filter) -> Journey:
    return journey.not_known("nat", ITEM, Ref("nat", name), fact, reason, origin, packed)


# -------------------------------------------------------------------------------------------------------------- outward


def outward(walker: Walker, journey: Journey) -> list[Journey]:
    """A packet from inside: the answer of a session, or one whose source is translated."""
    name = journey.place.id
    gateway = walker.network.topology.nat_gateways[name]
    journey = _state(journey, name, gateway)
    if journey.frame.back:
        restored = journey.restored(name)
        if restored is None:
            return walker.lost(_no_session(walker, journey, name))
        return _go_on(walker, _told(journey, restored, name, "nat.restored_source"), name, gateway)
    if gateway.network_type is NatNetwork.INTERNET and not walker.is_public(journey):
        asked, row = text(journey.packet.destination), journey.last_row
        return walker.lost(_says(journey, name, Decision.DROP, "nat.private_destination", row, destination=asked))
    return _translate_source(walker, journey, name, gateway)


def _no_session(walker: Walker, journey: Journey, name: str) -> Journey:
    """An answer that comes to a gateway which did not translate its question: it was routed to the wrong one."""
    if walker.asked_broken:
        return journey
    last, row = journey.last_router or Ref("nat", name), journey.last_row
    return journey.says("route.reply", "route.return", last, Decision.DROP, why("nat.no_session", gateway=name), row)


def _told(
    before: Journey, after: Journey, name: str, code: str, origin: Origin | None = None, packed: Filter | None = None
) -> Journey:
    """A translation as a stage: what came, and as what it leaves."""
    values = {
        "before": text(before.packet.source if "source" in code else before.packet.destination),
        "after": text(after.packet.source if "source" in code else after.packet.destination),
    }
    told = before.says(
        "nat", ITEM, Ref("nat", name), Decision.ACCEPT, why(code, gateway=name, **values), origin, packed
    )
    return after._replace(steps=told.steps)


def _translate_source(walker: Walker, journey: Journey, name: str, gateway: NatGateway) -> list[Journey]:
    packed, packet = walker.looked_at(walker.network.snat_filter(name)), journey.packet
    cells = partition(packed.table, packet.source, packet.destination, packet.protocol, packet.box)
    rows = cells[0].rows
    if not rows:
        listed = gateway.snat if isinstance(gateway.snat, list) else ()
        said = counted(len(listed), "SNAT entry", "SNAT entries")
        lacking = Origin(name, "gateway", ("nat_gateways", name), text=f"{name}: {said}")
        none = _says(journey, name, Decision.DROP, "nat.no_snat", lacking, packed, private=text(packet.source))
        return _lost(walker, none, gateway)
    origin = packed.origins[rows[0]]
    if origin.kind == "unknown":
        return _lost(walker, _not_known(journey, name, origin.target, origin.reason, origin, packed), gateway)
    entry = origin.rule
    whole = isinstance(entry, DnatEntry)
    if not whole and packet.protocol not in (TCP, UDP, ICMP):
        return walker.lost(_says(journey, name, Decision.UNKNOWN, "nat.protocol", origin, protocol=packet.protocol))
    journeys = []
    for public in _leaving_addresses(walker, name, entry):
        if isinstance(public, str):
            reason = walker.network.topology.unknown.get(public, "")
            journeys += _lost(walker, _not_known(journey, name, public, reason, origin, packed), gateway)
            continue
        address = public if isinstance(public, int) else public.address
        after = journey.bears(source=address)
        after = after if whole else after.new_leg()
        after = after.remembers(name, journey)
        told = _told(journey, after, name, "nat.source", origin, packed)
        if isinstance(public, Public):
            told = told if public.lock is BusinessStatus.NORMAL else publics.locked(told, public, "public_ip.egress")
        journeys += _go_on(walker, told, name, gateway)
    return journeys


def _lost(walker: Walker, journey: Journey, gateway: NatGateway) -> list[Journey]:
    """No translation; inside, the asked end would be judged by a source that no packet to it bears."""
    return walker.lost(journey._replace(broken=journey.broken or gateway.network_type is NatNetwork.INTRANET))


def _leaving_addresses(walker: Walker, name: str, entry: object) -> list[Public | int | str]:
    """What an entry translates to: EIPs, private NAT addresses, or the ids of EIPs that nobody described."""
    network = walker.network
    if isinstance(entry, DnatEntry):
        chosen: tuple[str, ...] = (entry.nat_ip,) if entry.nat_ip else (entry.eip or "",)
        private = bool(entry.nat_ip)
    elif isinstance(entry, SnatEntry):
        chosen, private = entry.nat_ip or entry.eip or (), bool(entry.nat_ip)
    else:
        raise TypeError(name)
    if private:
        return [parse_address(one) for one in chosen]
    return [network.public_of_holder.get(one, one) for one in chosen]


def _go_on(walker: Walker, journey: Journey, name: str, gateway: NatGateway) -> list[Journey]:
    """From the gateway outward: to the public edge, or on inside by the table of its vSwitch."""
    network, topology = walker.network, walker.network.topology
    if gateway.network_type is NatNetwork.INTRANET:
        return [journey.to(At.ROUTER, gateway.vswitch or "", gateway.vpc)]
    target = network.public_by_address.get(journey.packet.destination)
    if target and target.bound_to == name and gateway.eip_bind_mode is EipBindMode.MULTI_BINDED:
        origin = Origin(name, "gateway", ("nat_gateways", name, "eip_bind_mode"), text="eip_bind_mode: MULTI_BINDED")
        return walker.lost(_says(journey, name, Decision.DROP, "nat.hairpin", origin))
    central = network.ipv4_gateway_of.get(gateway.vpc)
    if central and topology.ipv4_gateways[central].enabled is not False:
        if gateway.eip_bind_mode is EipBindMode.MULTI_BINDED:
            journey = _says(journey, name, Decision.UNKNOWN, "nat.multi_binded")
        destination = journey.packet.destination
        vswitch = gateway.vswitch or ""
        if not edge.is_public_vswitch(walker, vswitch, central, gateway.vpc, destination):
            origin = Origin(name, "gateway", ("nat_gateways", name, "vswitch"), text=f"vswitch: {vswitch}")
            journey = _says(
                journey,
                name,
                Decision.DROP,
                "nat.private_vswitch",
                origin,
                vswitch=vswitch or gateway.vpc,
                ipv4=central,
            )
    return [journey.to(At.EDGE)]


# --------------------------------------------------------------------------------------------------------------- inward


def inward(walker: Walker, journey: Journey) -> list[Journey]:
    """A packet to an address of the gateway: the answer of a session, or one whose destination is translated."""
    name = journey.place.id
    gateway = walker.network.topology.nat_gateways[name]
    journey = _state(journey, name, gateway)
    if restored := journey.restored(name) if journey.frame.back else None:
        told = _told(journey, restored, name, "nat.restored_destination")
        return [told.to(At.ROUTER, gateway.vswitch or "", gateway.vpc)]
    if journey.frame.back:
        return walker.lost(_no_session(walker, journey, name))
    packed, packet = walker.looked_at(walker.network.dnat_filter(name)), journey.packet
    journeys = []
    for cell in partition(packed.table, packet.source, packet.destination, packet.protocol, packet.box):
        part = journey.part(journey.asked(cell.box).ports)
        certain = decide(packed.table, cell) is not Decision.UNKNOWN
        if cell.rows and certain and packed.origins[cell.rows[0]].kind != "unknown":
            journeys += _by_entry(walker, part, name, gateway, packed.origins[cell.rows[-1]], packed)
        else:
            journeys += _no_entry(walker, part, name, packed, cell.rows)
    return journeys


def _no_entry(walker: Walker, journey: Journey, name: str, packed: Filter, rows: tuple[int, ...]) -> list[Journey]:
    if rows:
        origin = packed.origins[rows[0]]
        return walker.lost(_not_known(journey, name, origin.target, origin.reason, origin, packed))
    asked = text(journey.packet.destination)
    mine = [one.rule for one in packed.origins if isinstance(one.rule, DnatEntry)
            and external_address(walker.network.topology, one.rule) == asked]  # fmt: skip
    known = ", ".join(f"{entry.protocol} {entry.external_ports}" for entry in mine)
    said = f"DNAT entries for {asked}: {known}" if known else f"no DNAT entries for {asked}"
    origin = Origin(name, "gateway", ("nat_gateways", name, "dnat"), text=f"{name}: {said}")
    return walker.lost(_says(journey, name, Decision.DROP, "nat.no_dnat", origin, packed, destination=asked))


def _by_entry(
    walker: Walker, journey: Journey, name: str, gateway: NatGateway, origin: Origin, packed: Filter
) -> list[Journey]:
    entry = origin.rule
    if not isinstance(entry, DnatEntry):
        raise TypeError(origin.id)
    inner = parse_address(entry.internal_ip)
    owner = walker.network.owner_in(gateway.vpc, inner)
    if owner is None or owner[0] not in ("network_interfaces", "havips"):
        none = _says(journey, name, Decision.DROP, "nat.no_target", origin, packed, private=entry.internal_ip)
        return walker.lost(none)
    frame = journey.frame
    after = journey.bears(destination=inner).framed(Frame(frame.leg, frame.shift + entry.shift, frame.back))
    after = after.remembers(name, journey)
    if public := walker.network.public_in(gateway.vpc, inner):
        told = _says(journey, name, Decision.DROP, "nat.target_has_public", origin, packed, private=entry.internal_ip,
                     public=text(public.address))  # fmt: skip
        after = after._replace(steps=told.steps, broken=True)  # what stands at the target is judged all the same
    else:
        after = _told(journey, after, name, "nat.destination", origin, packed)
    return [after.to(At.ROUTER, gateway.vswitch or "", gateway.vpc)]
