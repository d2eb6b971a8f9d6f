"""Load balancers at layer 4: listener, whom it takes, the back ends that may be chosen, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netinsight.addresses import parse_address, parse_prefix, ranges, text, within
from netinsight.engine.classify import Decision
from netinsight.engine.spaces import overlap, without
from netinsight.flow import PROTOCOLS, PortRange
from netinsight.model.base import Path, Unknown
from netinsight.model.edge import EipMode
from netinsight.model.load_balancer import (
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
from netinsight.network.filters import Origin
from netinsight.network.steps import Ref, why
from netinsight.network.ways import edge
from netinsight.network.ways.journey import At, Frame, Journey, Place

if TYPE_CHECKING:
    from netinsight.network.ways.walker import Walker

ITEM = "gateway.load_balancer"


def _says(journey: Journey, name: str, decision: Decision, code: str, path: Path, **values: object) -> Journey:
    origin = Origin(name, "gateway", path, text=".".join(map(str, path)))
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
        none = _says(journey.part(rest), name, Decision.DROP, "balancer.no_listener", ("load_balancers", name))
        journeys += walker.lost(none)
    return journeys


def _state(journey: Journey, name: str, balancer: LoadBalancer) -> Journey:
    path, up = ("load_balancers", name), LoadBalancerStatus.ACTIVE
    judged = journey.state("load_balancer", ITEM, Ref("load_balancer", name), path, balancer.status, up,
                           balancer.business_status)  # fmt: skip
    return _says(journey, name, Decision.ACCEPT, "gateway.passes", path) if judged is journey else judged


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
        code = "balancer.not_allowed" if access.allow else "balancer.denied"
        journey = _says(journey, name, Decision.DROP, code, (*path, "access_list"), client=text(journey.packet.source))
    group = balancer.server_groups[listener.server_group]
    base = ("load_balancers", name, "server_groups", listener.server_group)
    chosen = [
        (n, one) for n, one in enumerate(group.servers) if one.weight and one.health is not ServerHealth.UNHEALTHY
    ]
    if not chosen:
        code = "balancer.no_healthy" if any(one.weight for one in group.servers) else "balancer.no_server"
        return walker.lost(_says(journey, name, Decision.DROP, code, base, group=listener.server_group))
    return [
        one for n, server in chosen
        for one in _forward(walker, journey, name, balancer, server, (*base, "servers", n), len(chosen))
    ]  # fmt: skip


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
    told = _says(before, name, Decision.ACCEPT, "balancer.forwards", path, server=server.server,
                 address=text(after.packet.destination), n=choices)  # fmt: skip
    after = after._replace(steps=told.steps)
    return _at_server(walker, after, name, balancer, interface)


def _at_server(
    walker: Walker, journey: Journey, name: str, balancer: LoadBalancer, interface: Interface
) -> list[Journey]:
    vpc = walker.network.vpc_of(interface)
    journey = journey.to(At.ARRIVING, interface.id, vpc)
    if (visible := edge.cut_through(walker.network, interface)) and visible.mode is EipMode.BINDED:
        journey = edge.no_private_networking(journey, interface)
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
            passed = _says(journey, name, Decision.ACCEPT, "balancer.answers", ("load_balancers", name))
            restored = restored._replace(steps=passed.steps)
            balancer = walker.network.topology.load_balancers[name]
            if balancer.ip and restored.packet.source == parse_address(balancer.ip):
                return [restored.to(At.ROUTER, balancer.vswitch or "", balancer.vpc)]
            return [restored.to(At.EDGE)]
    return None
