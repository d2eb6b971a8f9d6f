"""Load balancers at layer 4: listener, whom it takes, the back ends that may be chosen, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netinsight.addresses import parse_address, parse_prefix, ranges, text, within
from netinsight.engine.classify import Decision
from netinsight.engine.spaces import overlap, without
from netinsight.flow import PROTOCOLS, PortRange
from netinsight.model.base import Path, Unknown
from netinsight.model.edge import EipMode
from netinsight.model.load_balancer import (
    AccessList,
    BackEnd,
    BalancerListener,
    ListenerStatus,
    LoadBalancer,
    LoadBalancerStatus,
    LoadBalancerType,
    ServerHealth,
)
from netinsight.model.security_group import Direction
from netinsight.model.topology import Interface
from netinsight.network import stages
from netinsight.network.ends import INTERNET
from netinsight.network.filters import Origin
from netinsight.network.steps import Ref, why
from netinsight.network.ways import publics
from netinsight.network.ways.journey import At, Frame, Journey, Place

if TYPE_CHECKING:
    from netinsight.network.ways.walker import Walker

ITEM = "gateway.load_balancer"


class Stands(NamedTuple):
    """What the topology says, and where."""

    path: Path
    text: str


def _says(journey: Journey, name: str, decision: Decision, code: str, by: Stands, **values: object) -> Journey:
    origin = Origin(name, "gateway", by.path, text=by.text)
    return journey.says("load_balancer", ITEM, Ref("load_balancer", name), decision, why(code, gateway=name, **values),
                        origin)  # fmt: skip


def balance(walker: Walker, journey: Journey) -> list[Journey]:
    """By the listener of each port to every back end that may be chosen."""
    name = journey.place.id
    balancer = walker.network.topology.load_balancers[name]
    journey = _groups(walker, _state(journey, name, balancer), name, balancer)
    asked, left, journeys = journey.box.ports, [journey.box.ports], []
    shift = journey.frame.shift
    for i, listener in enumerate(balancer.listeners):
        taken = listener.status is ListenerStatus.RUNNING and PROTOCOLS[listener.protocol] == journey.packet.protocol
        ports = PortRange(listener.ports.first - shift, listener.ports.last - shift)
        part = overlap(asked, ports) if taken else None
        if part:
            left = without(left, [part])
            journeys += _listen(walker, journey.part(part), name, balancer, i, listener)
    for rest in left:
        none = journey.part(rest)
        by = _not_listening(none, name, balancer)
        journeys += walker.lost(_says(none, name, Decision.DROP, "balancer.no_listener", by))
    return journeys


def _not_listening(journey: Journey, name: str, balancer: LoadBalancer) -> Stands:
    """The listener for a port that is stopped; where there is none, those that there are."""
    path, ports = ("load_balancers", name, "listeners"), journey.packet.box.ports
    told = [f"{one.protocol} {one.ports}" for one in balancer.listeners]
    for i, one in enumerate(balancer.listeners):
        asked = PROTOCOLS[one.protocol] == journey.packet.protocol and overlap(one.ports, ports)
        if asked and one.status is ListenerStatus.STOPPED:
            return Stands((*path, i, "status"), f"listener {told[i]}: {one.status}")
    return Stands(path, f"listeners: {', '.join(told)}" if told else "no listeners")


def _state(journey: Journey, name: str, balancer: LoadBalancer) -> Journey:
    path, up = ("load_balancers", name), LoadBalancerStatus.ACTIVE
    judged = journey.state("load_balancer", ITEM, Ref("load_balancer", name), path, balancer.status, up,
                           balancer.business_status)  # fmt: skip
    if judged is not journey:
        return judged
    by = Stands((*path, "status"), f"status: {balancer.status}")
    return _says(journey, name, Decision.ACCEPT, "gateway.passes", by)


def _groups(walker: Walker, journey: Journey, name: str, balancer: LoadBalancer) -> Journey:
    """The groups of a network load balancer judge what comes to it."""
    if not balancer.security_groups:
        return journey
    packed = walker.looked_at(walker.network.groups_filter(tuple(balancer.security_groups), Direction.INGRESS))
    rulings = stages.by_rows(packed, journey.packet, journey.asked)
    ref = Ref("load_balancer", name)
    return journey.step("security_group.ingress", "eni.security_group.ingress", ref, rulings, packed)


def _listen(
    walker: Walker, journey: Journey, name: str, balancer: LoadBalancer, i: int, listener: BalancerListener
) -> list[Journey]:
    """One listener: its access list, then each back end that may be chosen."""
    path = ("load_balancers", name, "listeners", i)
    access = listener.access_list
    if access:  # it tells clients apart as any list does
        walker.address_sets.update(ranges(parse_prefix(entry)) for entry in access.entries)
    if access and within(access.entries, journey.packet.source) != access.allow:
        journey = _shut_out(journey, name, access, (*path, "access_list"), whole=walker.source.asked == INTERNET)
    group = balancer.server_groups[listener.server_group]
    base = ("load_balancers", name, "server_groups", listener.server_group)
    chosen = [
        (n, one) for n, one in enumerate(group.servers) if one.weight and one.health is not ServerHealth.UNHEALTHY
    ]
    if not chosen:
        code = "balancer.no_healthy" if any(one.weight for one in group.servers) else "balancer.no_server"
        told = ", ".join(f"{one.server}: {one.health if one.weight else 'weight 0'}" for one in group.servers)
        by = Stands((*base, "servers"), told or f"{listener.server_group}: no servers")
        return walker.lost(_says(journey, name, Decision.DROP, code, by, group=listener.server_group))
    return [
        one for n, server in chosen
        for one in _forward(walker, journey, name, balancer, server, (*base, "servers", n), len(chosen))
    ]  # fmt: skip


def _shut_out(journey: Journey, name: str, access: AccessList, path: Path, *, whole: bool) -> Journey:
    """A client that is not on the list of those that are taken, or on that of those that are not.

    ``whole``: any Internet host was asked, so that all entries of a denylist tell who is shut out.
    """
    client, values = journey.packet.source, {"client": text(journey.packet.source)}
    if access.allow:
        by = Stands((*path, "entries"), f"allow: true, entries: {', '.join(access.entries)}")
        return _says(journey, name, Decision.DROP, "balancer.not_allowed", by, **values)
    held = {k: entry for k, entry in enumerate(access.entries) if whole or within([entry], client)}
    told, first = ", ".join(held.values()), next(iter(held))
    where = (*path, "entries", first) if len(held) == 1 else (*path, "entries")
    by = Stands(where, f"allow: false, entries: {told}")
    return _says(journey, name, Decision.DROP, "balancer.denied", by, entry=told, **values)


def _forward(
    walker: Walker, journey: Journey, name: str, balancer: LoadBalancer, server: BackEnd, path: Path, choices: int
) -> list[Journey]:
    """To one back end: groups let it in, the ACL of its vSwitch does not know it."""
    network = walker.network
    interface = network.enis.get(server.server) or network.topology.primary_interface(server.server)
    if interface is None:
        reason = network.topology.unknown.get(server.server, "")
        ref = Ref("load_balancer", name)
        return walker.lost(journey.not_known("load_balancer", ITEM, ref, server.server, reason, path))
    if isinstance(server.health, Unknown):
        ref, reason = Ref("load_balancer", name), server.health.unknown
        journey = journey.not_known("load_balancer", ITEM, ref, server.server, reason, (*path, "health"))
    before, frame = journey, journey.frame
    port = journey.packet.box.ports
    shift = (server.port - port.first) if server.port else 0
    after = journey.bears(destination=parse_address(interface.eni.ip))
    if server.port and port.first != port.last:  # every port of a range leads to the one of the server
        return [one for p in range(journey.box.ports.first, journey.box.ports.last + 1)
                for one in _forward(walker, journey.part(PortRange(p, p)), name, balancer, server, path, choices)]  # fmt: skip
    after = after.framed(Frame(frame.leg, frame.shift + shift, frame.back))
    hides = balancer.type is LoadBalancerType.NLB and not balancer.preserve_client_ip
    if hides and balancer.ip:
        after = after.bears(source=parse_address(balancer.ip)).new_leg()
    after = after.remembers(name, before)
    code, by = "balancer.forwards" if choices == 1 else "balancer.chooses", Stands(path, f"server: {server.server}")
    told = _says(before, name, Decision.ACCEPT, code, by, server=server.server,
                 address=text(after.packet.destination), n=choices)  # fmt: skip
    after = after._replace(steps=told.steps)
    return _at_server(walker, after, name, balancer, interface)


def _at_server(
    walker: Walker, journey: Journey, name: str, balancer: LoadBalancer, interface: Interface
) -> list[Journey]:
    vpc = walker.network.vpc_of(interface)
    journey = journey.to(At.ARRIVING, interface.id, vpc)
    if (visible := publics.cut_through(walker.network, interface)) and visible.mode is EipMode.BINDED:
        journey = publics.no_private_networking(journey, interface, visible)
    journey = walker.acl(journey, interface, Direction.INGRESS, always=True)
    preserved = balancer.type is LoadBalancerType.NLB and balancer.preserve_client_ip
    if preserved:
        journey = journey._replace(assumptions=journey.assumptions | {"nlb_client_ip_meets_groups"})
    if preserved and walker.network.assumptions["nlb_client_ip_meets_groups"] == "true":
        journey = walker.groups(journey, interface, Direction.INGRESS)
    else:
        told = why("group.load_balancer", gateway=name)
        journey = journey.says("security_group.ingress", "eni.security_group.ingress", Ref("eni", interface.id),
                               Decision.ACCEPT, told)  # fmt: skip
    journey = walker.eni_status(journey, interface)
    return [journey.to(At.END, interface.id)._replace(turns=Place(At.SENDING, interface.id))]


def is_answer(walker: Walker, journey: Journey) -> bool:
    """Whether a packet is the answer to one that a load balancer forwarded."""
    return any(session.answers(session.holder, journey.packet) for session in journey.sessions
               if session.holder in walker.network.topology.load_balancers)  # fmt: skip


def answered(walker: Walker, journey: Journey) -> list[Journey] | None:
    """The answer of a back end goes back by the load balancer, whatever the routes say."""
    for name in dict.fromkeys(session.holder for session in journey.sessions):
        restored = journey.restored(name) if name in walker.network.topology.load_balancers else None
        if restored is not None:
            balancer = walker.network.topology.load_balancers[name]
            by = Stands(("load_balancers", name, "status"), f"status: {balancer.status}")
            passed = _says(journey, name, Decision.ACCEPT, "balancer.answers", by)
            restored = restored._replace(steps=passed.steps)
            if balancer.ip and restored.packet.source == parse_address(balancer.ip):
                return [restored.to(At.ROUTER, balancer.vswitch or "", balancer.vpc)]
            return [restored.to(At.EDGE)]
    return None
