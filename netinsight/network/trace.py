"""One question walked through a network, forward and back; nothing stops at a deny.

::

    question ─ ends ─ hosts that no list tells apart ─┬─ where it begins ─ ways.walker ─ journeys there
                                                      └─ for each: the answer ─ ways.walker ─ journeys back ─> Walk

The order of the stages is that of docs/evaluation-order.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from netinsight.addresses import family, merge, parse_address, text, within
from netinsight.engine.classify import Decision
from netinsight.engine.spaces import Box, overlap, without
from netinsight.flow import ICMP, ICMPV6, NO_PORT, PROTOCOLS, PortRange, Question, has_ports
from netinsight.model.gateways import DnatEntry, EntryStatus
from netinsight.model.topology import Interface
from netinsight.network import stages
from netinsight.network.build import Network
from netinsight.network.ends import End, Ends, Kind
from netinsight.network.filters import Origin
from netinsight.network.internet import hosts_of, representative, same_fate
from netinsight.network.routing import gateway_item, next_hop_type, object_type
from netinsight.network.steps import Packet, Ref, Step, Walk, why
from netinsight.network.ways import guest_firewall, links, publics, router
from netinsight.network.ways.journey import At, Frame, Journey, Place
from netinsight.network.ways.walker import Walker, answer_of

ECHO_REQUEST = {ICMP: 8, ICMPV6: 128}
ANSWERS = {ICMP: {8: 0, 13: 14, 15: 16, 17: 18}, ICMPV6: {128: 129}}
"""The ICMP types that are answered, and by which."""


def trace(
    network: Network,
    question: Question,
    ends: Ends,
    at: datetime,
    *,
    with_guest: bool = True,
    seen: list[Walker] | None = None,
) -> tuple[Walk, ...]:
    """Walk a question between its ends: once for each choice on the way, and each kind of host that decides otherwise.

    Parameters
    ----------
    at
        The moment at which blackholes are judged.
    with_guest
        False leaves the forwarding of appliances' guests out.
    seen
        Takes the walkers, which know what they looked at.
    """
    box = question_box(question, ends)
    protocol = ICMPV6 if ends.family == 6 and question.protocol == ICMP else question.protocol
    answered = not question.one_way and (protocol not in ANSWERS or box.ports.first in ANSWERS[protocol])
    walks: dict[object, Walk] = {}
    hosts = hosts_of(network, ends)
    while True:
        address = representative(hosts) if hosts else None
        source, destination = (
            end._replace(address=address or 0) if end.address is None else end
            for end in (ends.source, ends.destination)
        )
        walker = Walker(network, source, destination, at, with_guest=with_guest)
        walker.answered = answered
        found = list(_walks(walker, protocol, box, answered))
        if seen is not None:
            seen.append(walker)
        alike, hosts = same_fate(hosts, address, walker.sets()) if address is not None else ((), ())
        for walk in found:
            walk = walk._replace(hosts=alike, host=address)
            first = walks.setdefault(_fate(walk), walk)
            if first is not walk:
                walks[_fate(walk)] = first._replace(hosts=merge(first.hosts + walk.hosts))
        if not hosts:
            return _largest_first(walks.values())


def _largest_first(walks: Iterable[Walk]) -> tuple[Walk, ...]:
    return tuple(sorted(walks, key=lambda walk: (-sum(last - first for first, last in walk.hosts), walk.hosts)))


def _fate(walk: Walk) -> object:
    """What two walks share that nobody can tell apart but by their Internet hosts."""
    steps = tuple(
        (step.stage, step.object, tuple((r.box, r.decision, r.origin) for r in step.rulings)) for step in walk.steps
    )
    return walk.box, len(walk.forward), steps, walk.assumptions


def question_box(question: Question, ends: Ends) -> Box:
    """The source ports and ports of a question; of ICMP its code and type; of others the one point *no port*."""
    if has_ports(question.protocol) and question.ports:
        return Box(ends.source_ports, question.ports)
    if question.protocol in ECHO_REQUEST:
        version = ICMPV6 if ends.family == 6 else question.protocol
        kind = ECHO_REQUEST[version] if question.icmp_type is None else question.icmp_type
        return Box(NO_PORT, PortRange(kind, kind))
    return Box(NO_PORT, NO_PORT)


def _walks(walker: Walker, protocol: int, box: Box, answered: bool) -> Iterator[Walk]:
    """Every way there, each with every way back."""
    for start in _starts(walker, protocol, box):
        walker.asked_destination = start.packet.destination
        for there in walker.walk(start):
            if not answered:
                yield _walk(there, ())
                continue
            walker.asked_steps, walker.asked_broken = there.steps, there.broken
            for back in _answers(walker, there):
                asked = guest_firewall.answered(walker, there, back)
                yield _walk(asked, back.steps)._replace(assumptions=there.assumptions | back.assumptions)
            walker.asked_steps, walker.asked_broken = (), False


def _walk(there: Journey, back: tuple[Step, ...]) -> Walk:
    legs = tuple(Box(ports, there.box.ports) for ports in there.legs[1:])
    return Walk(there.box, there.steps, back, legs=legs, assumptions=there.assumptions)


def _answers(walker: Walker, there: Journey) -> list[Journey]:
    """The answer on its way; where nobody knows from where it comes, what it meets at the client."""
    answer = answer_of(there)._replace(broken=False)
    protocol = answer.packet.protocol
    if not has_ports(protocol):
        answers = ANSWERS.get(protocol, {})
        kind = answers.get(there.box.ports.first, there.box.ports.first)
        answer = answer._replace(packet=answer.packet._replace(box=Box(NO_PORT, PortRange(kind, kind))))
    return walker.walk(answer) if answer.place.at is not At.END else [
        one for lost in walker.lost(answer) for one in walker.walk(lost)]  # fmt: skip


# ------------------------------------------------------------------------------------------------- where it begins


def _starts(walker: Walker, protocol: int, box: Box) -> Iterator[Journey]:
    source, destination = walker.source, walker.destination
    target = destination.public.address if destination.public else _own(destination)
    packet = Packet(_own(source), target, protocol, box)
    start = Journey(Place(At.END), packet, Frame(), box, (box.source_ports,))
    if source.interface is not None:
        yield start.to(At.SENDING, source.interface.id)
    elif source.kind is Kind.NETWORK:
        yield from _from_network(walker, start)
    else:
        yield from _from_internet(walker, start)


def _own(end: End) -> int:
    if end.address is None:
        raise TypeError(f"{end.asked} has no address yet")
    return end.address


def _from_network(walker: Walker, start: Journey) -> Iterator[Journey]:
    """In from a network outside: by every connection to it; where none is described, by a hop that nobody knows."""
    network, address = walker.network, start.packet.source
    name = next((name for name, one in network.topology.networks.items() if within(one.cidrs, address)), "")
    entries = list(links.entries(network, name)) if name else []
    entries += [Place(At.PEERING, id_, one.peer_vpc) for id_, one in network.topology.peerings.items()
                if one.peer_vpc not in network.topology.vpcs and within(one.peer_cidrs, address)]  # fmt: skip
    for place in entries:
        yield start._replace(place=place)
    if entries:
        return
    interface = walker.destination.interface
    arriving = Place(At.ARRIVING, interface.id, network.vpc_of(interface)) if interface else Place(At.END)
    if name:
        told = why("network.no_entry", network=name)
        by = Origin(
            name, "gateway", ("networks", name), text=f"cidrs: {', '.join(network.topology.networks[name].cidrs)}"
        )
        none = start.says("route", start.item, Ref("network", name), Decision.DROP, told, by)
        yield none._replace(broken=True, place=arriving)
        return
    vswitch = interface.eni.vswitch if interface else ""
    described = network.topology.vswitches.get(vswitch)
    rows = router.rows_at(network, described.vpc, vswitch, address)[1] if described else []
    row = rows[0] if rows and rows[0].kind == "route" else None
    kind = next_hop_type(network, row) if row else None
    ref = Ref(object_type(kind), row.target) if row else Ref("network", text(address))
    code = "gateway.not_followed" if kind and kind not in router.PLACES else "gateway.not_modelled"
    judged = start.says("gateway", gateway_item(kind), ref, Decision.UNKNOWN, why(code, next_hop=ref.id), row)
    yield judged._replace(broken=True, place=arriving)


def _from_internet(walker: Walker, start: Journey) -> Iterator[Journey]:
    """In from an Internet host: by the public address of an ENI, else by the DNAT entries that lead to it."""
    network, destination, interface = walker.network, walker.destination, walker.destination.interface
    if interface is None or destination.public or family(start.packet.destination) == 6:
        yield start.to(At.EDGE)
        return
    own = _own(destination)
    public = network.public_in(network.vpc_of(interface), own) or network.public_of(interface, own)
    if public is not None:
        if public.interface is None and not public.vpc:
            step = Step("public_ip.ingress", "gateway.public_ip", Ref("eni", interface.id), start.packet,
                        stages.not_known(start.box, public.holder, public.unknown, public.path))  # fmt: skip
            yield start._replace(steps=(step,), broken=True).to(At.ARRIVING, interface.id, network.vpc_of(interface))
            return
        yield start.bears(destination=public.address).to(At.EDGE)
        return
    yield from _by_dnat(walker, start)


def _by_dnat(walker: Walker, start: Journey) -> Iterator[Journey]:
    """Asked for by its own port: from outside that is each external port that leads there."""
    interface, network = walker.destination.interface, walker.network
    if interface is None:
        return
    left, vpc, private = [start.box.ports], network.vpc_of(interface), _own(walker.destination)
    for gateway in network.topology.nat_gateways.values():
        for entry in gateway.dnat if gateway.vpc == vpc and isinstance(gateway.dnat, list) else ():
            if not _serves(entry, private, start.packet.protocol):
                continue
            inner = PortRange(entry.external_ports.first + entry.shift, entry.external_ports.last + entry.shift)
            part = overlap(start.box.ports, inner) if has_ports(start.packet.protocol) else start.box.ports
            eip = network.public_of_holder.get(entry.eip or "")
            if part is None or eip is None:
                continue
            left = without(left, [part])
            asked = start._replace(frame=Frame(0, -entry.shift, False)).part(part)
            yield asked.bears(destination=eip.address).to(At.EDGE)
    for rest in left:
        alone = start.part(rest)
        none = _unseen(network, alone, interface, private)
        yield none._replace(broken=True).to(At.ARRIVING, interface.id, vpc)


def _unseen(network: Network, journey: Journey, interface: Interface, private: int) -> Journey:
    """An ENI that no Internet host can ask for by this port: how one could, if by something that is there."""
    topology, vpc = network.topology, network.vpc_of(interface)
    for name, gateway in topology.nat_gateways.items():
        entries = gateway.dnat if gateway.vpc == vpc and isinstance(gateway.dnat, list) else []
        if any(entry.eip and parse_address(entry.internal_ip) == private for entry in entries):
            return _drop(journey, interface, "public.no_dnat", private=text(private), gateway=name)
    for name, balancer in topology.load_balancers.items():
        servers = {server.server for group in balancer.server_groups.values() for server in group.servers}
        address = network.public_of_balancer(name) if servers & {interface.id, interface.instance_id} else None
        if address is not None:
            told = {"gateway": name, "address": text(address)}
            return _drop(journey, interface, "public.balanced", private=text(private), **told)
    return _drop(journey, interface, "public.none", private=text(private), vpc=vpc)


def _drop(journey: Journey, interface: Interface, code: str, **values: object) -> Journey:
    told, by, ref = why(code, eni=interface.id, **values), publics.without_public(interface), Ref("eni", interface.id)
    return journey.says("public_ip.ingress", "gateway.public_ip", ref, Decision.DROP, told, by)


def _serves(entry: DnatEntry, private: int, protocol: int) -> bool:
    """Whether a DNAT entry of an EIP leads to an address for a protocol."""
    if entry.status is not EntryStatus.AVAILABLE or entry.eip is None:
        return False
    return parse_address(entry.internal_ip) == private and (entry.is_whole or PROTOCOLS.get(entry.protocol) == protocol)
