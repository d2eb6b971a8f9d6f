"""An ENI that is a next hop: its filters, the platform's check of addresses, and the forwarding of its guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netinsight.addresses import family, parse_address, text
from netinsight.engine.classify import Decision
from netinsight.model.base import Unknown
from netinsight.model.instance import InstanceStatus
from netinsight.model.security_group import Direction
from netinsight.model.topology import Interface
from netinsight.network.build import Network
from netinsight.network.filters import Origin
from netinsight.network.steps import Ref, why
from netinsight.network.ways import guest_firewall, guests, router
from netinsight.network.ways.guest_known import firewall_of
from netinsight.network.ways.journey import At, Journey

if TYPE_CHECKING:
    from netinsight.network.ways.walker import Walker


def pass_through(walker: Walker, journey: Journey) -> list[Journey]:
    """In by the ENI, through the guest, out by the ENI that its routes say."""
    interface = walker.network.enis[journey.place.id]
    if journey.packet.destination in {parse_address(written) for _, written in interface.addresses()}:
        return [journey.to(At.ARRIVING, interface.id, journey.place.vpc)]  # the row leads to who was asked
    journey = _state(walker, journey, interface)
    journey = walker.acl(journey, interface, Direction.INGRESS)
    journey = walker.groups(journey, interface, Direction.INGRESS)
    return through_guest(walker, _own_addresses(journey, interface), interface)


def through_guest(walker: Walker, journey: Journey, interface: Interface) -> list[Journey]:
    """Forwarded by the guest; towards public addresses that it cannot reach otherwise, with its own address."""
    network = walker.network
    instance = network.topology.instances.get(interface.instance_id or "")
    forwards = instance.guest.ip_forward if walker.with_guest and instance and instance.guest else None
    if forwards is not None:
        path = ("instances", interface.instance_id or "", "guest", "ip_forward")
        origin = Origin(
            f"{interface.instance_id}/ip_forward", "fact", path, text=f"ip_forward: {str(forwards).lower()}"
        )
        decision, code = (Decision.ACCEPT, "guest.forwards") if forwards else (Decision.DROP, "guest.does_not_forward")
        told = why(code, instance=interface.instance_id or "")
        ref = Ref("instance", interface.instance_id or "")
        journey = journey.says("guest.forwarding", "guest.forwarding", ref, decision, told, origin)
    journey = guests.lets_in(walker, journey, interface, "guest.forwarding")
    if firewall_of(network, interface.instance_id or "", family(journey.packet.source)) and walker.with_guest:
        passed = guest_firewall.passes_on(walker, journey, interface)
    elif not journey.frame.back and router.guest_translates(walker, journey, interface):
        own = parse_address(interface.eni.ip)
        after = journey.bears(source=own).new_leg().remembers(guests.holder(interface), journey)
        told = why("guest.translates", instance=interface.instance_id or interface.id, own=text(own))
        ref = Ref("eni", interface.id)
        passed = [after._replace(steps=journey.says("guest.nat", "", ref, Decision.ACCEPT, told).steps)]
    else:
        passed = [journey]
    source = journey.packet.source
    return [
        on
        for one in passed
        for on in (walker.lost(one) if guest_firewall.is_lost(one) else _passes_on(walker, one, interface, source))
    ]


def restores(walker: Walker, journey: Journey, interface: Interface) -> list[Journey]:
    """An answer to the guest's own address, of a session that it translated."""
    judged = guest_firewall.passes_on(walker, journey, interface)
    if len(judged[0].steps) == len(journey.steps):  # nobody knows its rules
        told = journey.says("guest.nat", "", Ref("eni", interface.id), Decision.ACCEPT, why("guest.restores"))
        judged = [judged[0]._replace(steps=told.steps)]
    return [on for one in judged for on in _passes_on(walker, one, interface, journey.packet.source)]


def _passes_on(walker: Walker, journey: Journey, interface: Interface, source: int) -> list[Journey]:
    """Out by the ENI that the guest's routes say; by the same where nobody knows them."""
    journey, leaves_by = guests.passes_on(walker, journey, interface, source)
    if leaves_by is None:
        return walker.lost(journey)
    return [journey.to(At.SENDING, leaves_by.id, walker.network.vpc_of(leaves_by))]


def _state(walker: Walker, journey: Journey, interface: Interface) -> Journey:
    """Only a running instance with an ENI that is InUse forwards."""
    ref, status = Ref("eni", interface.id), interface.eni.status
    judged = running(walker.network, journey, interface, "appliance", "gateway.appliance", ref)
    if isinstance(status, Unknown):
        path = (*interface.path, "status")
        judged = judged.not_known("appliance", "gateway.appliance", ref, interface.id, status.unknown, path)
    elif status not in walker.network.topology.dialect.statuses_that_carry:
        origin = Origin(f"{interface.id}/status", "eni_status", (*interface.path, "status"), text=f"status: {status}")
        told = why("appliance.status", name=interface.id, status=status)
        judged = judged.says("appliance", "gateway.appliance", ref, Decision.DROP, told, origin)
    if judged is not journey:
        return judged
    origin = Origin(interface.id, "eni_status", interface.path)
    told = why("appliance.next_hop", eni=interface.id)
    return journey.says("appliance", "gateway.appliance", ref, Decision.ACCEPT, told, origin)


def running(
    network: Network, journey: Journey, interface: Interface, stage: str, item: str, ref: Ref | None = None
) -> Journey:
    """The same where the instance of an ENI is Running, or not described; else with a stage at it, or at ``ref``."""
    name = interface.instance_id or ""
    instance, path, ref = (
        network.topology.instances.get(name),
        ("instances", name, "status"),
        ref or Ref("instance", name),
    )
    if instance is None or instance.status is InstanceStatus.RUNNING:
        return journey
    if isinstance(instance.status, Unknown):
        return journey.not_known(stage, item, ref, name, instance.status.unknown, path)
    origin = Origin(f"{name}/status", "instance_status", path, text=f"status: {instance.status}")
    code = "appliance.status" if stage == "appliance" else "instance.status"
    return journey.says(stage, item, ref, Decision.DROP, why(code, name=name, status=instance.status), origin)


def _own_addresses(journey: Journey, interface: Interface) -> Journey:
    """With the check of addresses on, the platform drops what is neither from nor to the ENI."""
    own = {parse_address(written) for _, written in interface.addresses()}
    if not interface.eni.source_dest_check or {journey.packet.source, journey.packet.destination} & own:
        return journey
    path = (*interface.path, "source_dest_check")
    origin = Origin(f"{interface.id}/source_dest_check", "eni_status", path, text="source_dest_check: true")
    told = why("appliance.source_dest_check", eni=interface.id)
    return journey.says("appliance", "gateway.appliance", Ref("eni", interface.id), Decision.DROP, told, origin)
