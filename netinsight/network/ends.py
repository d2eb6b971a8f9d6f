"""The two ends of a question: from what a user wrote to an ENI, an Internet host or a cloud service."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from netinsight.addresses import (
    PRIVATE_V4,
    SERVICE_V4,
    Range,
    contains,
    family,
    merge,
    parse_address,
    parse_prefix,
    ranges,
    text,
    within,
)
from netinsight.errors import ObjectError, PreconditionError, Problem, QuestionError, did_you_mean, one_of, visible
from netinsight.flow import PortRange, Question
from netinsight.model.base import Path, Unknown, looks_like_cidr
from netinsight.model.instance import EniStatus, InstanceStatus
from netinsight.model.topology import SECTIONS, Interface
from netinsight.network.build import Network, Public

INTERNET = "internet"

CLIENT_PORTS = {
    "linux": PortRange(32768, 60999),
    "windows": PortRange(49152, 65535),
    "internet": PortRange(1024, 65535),
}
"""The ports that a client of a kind sends from, where the question does not say ("Network ACLs", ephemeral ranges)."""


class Kind(StrEnum):
    """What an end is."""

    ENI = "eni"
    INTERNET = "internet"
    SERVICE = "service"
    NETWORK = "network"
    """A network outside that is known by its prefixes, or an address outside every VPC that a route leads to."""
    DOOR = "door"
    """An address of the topology with no ENI behind it: of a NAT gateway, a load balancer, a HaVip without a master, or
    a public one that is bound to nothing."""


class End(NamedTuple):
    """One end of a question.

    Attributes
    ----------
    asked
        What the user wrote.
    address
        The private address of an ENI, or the host's or service's own; None for any of several hosts.
    hosts
        Those hosts, where they are a block of the cloud's services; empty for those of the Internet.
    public
        The public address that was asked for, if the user asked for one of the topology.
    holder
        What has the address, where that is no ENI: its type and id.
    """

    asked: str
    kind: Kind
    address: int | None = None
    interface: Interface | None = None
    public: Public | None = None
    by_address: bool = False
    hosts: tuple[Range, ...] = ()
    holder: tuple[str, str] | None = None

    @property
    def instance_id(self) -> str:
        """The instance that the end's ENI is attached to, or nothing."""
        return (self.interface.instance_id or "") if self.interface else ""


def find_end(network: Network, written: str) -> End:
    """What ``written`` means: an id, a name, an address, or ``internet``.

    Raises
    ------
    ObjectError
        Where it means nothing, or several things.
    """
    written = written.strip()
    if written.lower() == INTERNET:
        return End(INTERNET, Kind.INTERNET)
    interface = network.interface_of(written)
    if interface:
        return End(written, Kind.ENI, parse_address(interface.eni.ip), interface)
    if holder := _holder(network, written):
        return holder
    try:
        address = parse_address(written)
    except ValueError:
        return _by_block(written) or _by_name(network, written)
    return _by_address(network, written, address)


def _holder(network: Network, written: str) -> End | None:
    """A HaVip, a load balancer or a network outside, by its id."""
    topology = network.topology
    if written in topology.havips:
        return _havip(network, written, written)
    if written in topology.networks:
        blocks = tuple(piece for cidr in topology.networks[written].cidrs for piece in ranges(parse_prefix(cidr)))
        return End(written, Kind.NETWORK, hosts=merge(blocks), holder=("network", written))
    if written in topology.load_balancers:
        address = balancer_address(network, written, public=False)
        if address is None:
            raise ObjectError(
                f"load balancer {visible(written)} has no address", hint="give it `ip`, or bind an EIP to it"
            )
        return End(written, Kind.DOOR, address, holder=("load_balancer", written))
    return None


def _havip(network: Network, asked: str, name: str) -> End:
    address, master = parse_address(network.topology.havips[name].ip), network.master_of(name)
    if master is None:
        return End(asked, Kind.DOOR, address, by_address=True, holder=("havip", name))
    return End(asked, Kind.ENI, address, master, by_address=True)


def balancer_address(network: Network, name: str, *, public: bool) -> int | None:
    """An address of a load balancer: its private one, or the one by which the Internet knows it; the other if need be."""
    described = network.topology.load_balancers[name]
    private = parse_address(described.ip) if described.ip else None
    outside = network.public_of_balancer(name)
    first, second = (outside, private) if public else (private, outside)
    return second if first is None else first


def _by_block(written: str) -> End | None:
    """A block of the cloud's services, all of whose addresses are asked."""
    try:
        block = parse_prefix(written) if "/" in written else None
    except ValueError:
        return None
    if block is None:
        return None
    if not (SERVICE_V4.first <= block.first and block.last <= SERVICE_V4.last):
        raise ObjectError(f"{written} is a block of addresses; only one of the cloud's services (in 100.64.0.0/10) can "
                          "be asked whole", hint="name an address in it")  # fmt: skip
    return End(written, Kind.SERVICE, hosts=ranges(block), by_address=True)


def _by_address(network: Network, written: str, address: int) -> End:
    owners = network.owners.get(address, [])
    if len(owners) > 1:
        raise ObjectError(
            f"several ENIs have the address {written}: {one_of([owner.id for owner in owners])}",
            hint="name one of them",
        )
    if owners:
        return End(written, Kind.ENI, address, owners[0], by_address=True)
    for (_, held), (section, name) in network.holders.items():
        if held == address:
            if section == "havips":
                return _havip(network, written, name)
            kind = {"load_balancers": "load_balancer", "nat_gateways": "nat"}[section]
            return End(written, Kind.DOOR, address, by_address=True, holder=(kind, name))
    if balancer := network.balancer_of_public.get(address):
        return End(written, Kind.DOOR, address, by_address=True, holder=("load_balancer", balancer))
    if any(within(one.cidrs, address) for one in network.topology.networks.values()):
        return End(written, Kind.NETWORK, address, by_address=True)
    public = network.public_by_address.get(address)
    if public:
        kind = Kind.ENI if public.interface else Kind.DOOR
        return End(
            written, kind, public.private if public.interface else address, public.interface, public, by_address=True
        )
    if contains([SERVICE_V4], address):
        return End(written, Kind.SERVICE, address, by_address=True)
    blocks = [cidr for vpc in network.topology.vpcs.values() for cidr in (*vpc.cidrs, vpc.ipv6_cidr) if cidr]
    private = contains(PRIVATE_V4, address) or any(
        parse_prefix(cidr).first <= address <= parse_prefix(cidr).last for cidr in blocks
    )
    if private and _is_routed(network, address, blocks):
        return End(written, Kind.NETWORK, address, by_address=True)
    if private:
        raise ObjectError(
            f"no ENI of the topology has the private address {written}", hint=_neighbours(network, address)
        )
    return End(written, Kind.INTERNET, address, by_address=True)


def _neighbours(network: Network, address: int) -> str:
    """The addresses that there are in the vSwitch of one that nobody has."""
    for name, vswitch in network.topology.vswitches.items():
        block = parse_prefix(vswitch.cidr)
        if block.first <= address <= block.last:
            near = sorted(owner for owner in network.owners if block.first <= owner <= block.last)
            near.sort(key=lambda owner: abs(owner - address))
            return f"{name} has {one_of([text(owner) for owner in near], 6)}" if near else f"{name} has no ENI"
    return ""


def _is_routed(network: Network, address: int, blocks: list[str]) -> bool:
    """Whether an address outside the VPCs is the destination of a route more specific than the default."""
    inside = within(blocks, address)
    if not inside and any(within(peering.peer_cidrs, address) for peering in network.topology.peerings.values()):
        return True
    tables = network.topology.route_tables.values()
    rows = (row for table in tables if isinstance(table.routes, list) for row in table.routes)
    return not inside and any(
        prefix.length and prefix.first <= address <= prefix.last
        for row in rows if looks_like_cidr(row.destination) for prefix in [parse_prefix(row.destination)]
    )  # fmt: skip


def _by_name(network: Network, written: str) -> End:
    topology = network.topology
    named = [name for name, instance in topology.instances.items() if instance.name == written]
    named += [name for name, interface in network.enis.items() if interface.eni.name == written]
    if len(named) == 1:
        return find_end(network, named[0])._replace(asked=written)
    if named:
        raise ObjectError(f"the name `{visible(written)}` is that of {one_of(named)}", hint="use the id")
    if written in topology.unknown:
        raise ObjectError(f"`{visible(written)}` is declared unknown: {topology.unknown[written]}")
    for section, called in SECTIONS.items():
        if written in getattr(topology, section):
            raise ObjectError(f"`{visible(written)}` is a {called}; expected an instance, an ENI or an address")
    known = [*topology.instances, *network.enis, *(i.name for i in topology.instances.values() if i.name)]
    hint = did_you_mean(written, known) or (f"known: {one_of(known, 8)}" if known else "the topology has no instances")
    raise ObjectError(f"nothing in the topology is called `{visible(written)}`", hint=hint)


class Ends(NamedTuple):
    """Both ends, with the family of their addresses and the ports of the client."""

    source: End
    destination: End
    family: int
    source_ports: PortRange


def find_ends(network: Network, question: Question) -> Ends:
    """Look both ends up, and refuse what cannot be asked.

    Raises
    ------
    QuestionError
        For two ends that are one, two public ends, or no common address family.
    """
    source, destination = find_end(network, question.source), find_end(network, question.destination)
    if source.interface:  # a packet begins at the ENI behind a public address; the way out is looked up
        source = source._replace(public=None)
    _refuse_pairs(source, destination)
    if source.kind is Kind.INTERNET:
        destination = _behind_public(network, destination, question.family)
    if source.kind is Kind.INTERNET and destination.holder and destination.holder[0] == "load_balancer":
        name = destination.holder[1]
        if not destination.by_address:
            destination = destination._replace(address=balancer_address(network, name, public=True))
    version = _family(source, destination, question.family)
    source, destination = _in_family(source, version), _in_family(destination, version)
    return Ends(source, destination, version, question.source_ports or client_ports(network, source))


def _behind_public(network: Network, end: End, wanted: int | None) -> End:
    """An instance or ENI asked from the Internet by its name: at the address of its that has a public one, if any does."""
    interface = end.interface
    if interface is None or end.public or end.by_address or wanted == 6:
        return end
    found = [public for public in network.publics_of.get(end.instance_id or interface.id, []) if _is_own(public)]
    if end.asked in (interface.id, interface.eni.name):
        found = [public for public in found if public.interface is interface]
    if not found or any(public.interface is interface and public.private == end.address for public in found):
        return end
    return end._replace(interface=found[0].interface, address=found[0].private)


def _is_own(public: Public) -> bool:
    """Whether a public address stands for one of its ENI's own, not for a HaVip that the ENI has now."""
    owned = public.interface.addresses() if public.interface and not public.unknown else ()
    return public.private in {parse_address(written) for _, written in owned}


def _refuse_pairs(source: End, destination: End) -> None:
    if source.kind is Kind.DOOR:
        holder = (source.public and source.public.bound_to) or (source.holder and source.holder[1]) or "nothing"
        raise QuestionError(f"`{source.asked}` is an address of {holder}; "
                            "a question begins at an instance, an ENI, a network or an Internet host")  # fmt: skip
    if source.interface and destination.interface:
        if source.interface.id == destination.interface.id:
            raise QuestionError(f"source and destination are one ENI: {source.interface.id}")
        if source.instance_id and source.instance_id == destination.instance_id:
            raise QuestionError(f"source and destination are one instance: {source.instance_id}")
    if source.kind is Kind.NETWORK and destination.kind in (Kind.INTERNET, Kind.SERVICE):
        return
    if not source.interface and destination.kind is not Kind.ENI and destination.kind is not Kind.DOOR:
        raise QuestionError(
            "both ends are outside the VPCs; one of them must be an instance or an ENI",
            hint="name an instance, an ENI or one of their addresses",
        )


class Unmet(NamedTuple):
    """A precondition that does not hold at an end: its id, the object, and the path of the fact."""

    code: str
    type: str
    id: str
    status: str
    path: Path


RUNNING, ATTACHED = "precondition.instance_running", "precondition.eni_attached"


def unmet_preconditions(network: Network, ends: Ends) -> tuple[Unmet, ...]:
    """An instance must be Running, an ENI attached; at both ends."""
    return tuple(unmet for end in (ends.source, ends.destination) for unmet in _unmet(network, end))


def _unmet(network: Network, end: End) -> Iterator[Unmet]:
    interface = end.interface
    if interface is None:
        return
    instance = network.topology.instances.get(end.instance_id)
    if instance and not isinstance(instance.status, Unknown) and instance.status is not InstanceStatus.RUNNING:
        path = ("instances", end.instance_id, "status")
        yield Unmet(RUNNING, "instance", end.instance_id, str(instance.status), path)
    if interface.eni.status is EniStatus.AVAILABLE:
        yield Unmet(ATTACHED, "eni", interface.id, str(interface.eni.status), (*interface.path, "status"))


def refuse(network: Network, unmet: tuple[Unmet, ...]) -> None:
    """Preconditions that do not hold, as the error that tells all of them.

    Raises
    ------
    PreconditionError
        Where there are any.
    """
    said = {RUNNING: ("instance {id} is {status}; only a Running one can be diagnosed",
                      "start the instance, then ask again"),
            ATTACHED: ("ENI {id} is Available: it is attached to no instance",
                       "attach the ENI to an instance, then ask again")}  # fmt: skip
    problems = []
    for one in unmet:
        (message, hint), located = said[one.code], network.topology.located(*one.path)
        message = message.format(id=visible(one.id), status=one.status)
        problems.append(Problem(located.place, message, hint, located.excerpt, code=one.code))
    if problems:
        raise PreconditionError(problems)


def _families(end: End) -> set[int]:
    if end.kind is Kind.INTERNET and end.address is None:
        return {4, 6}
    if end.by_address and end.address is not None:
        return {family(end.address)}
    return {4, 6} if end.interface and end.interface.eni.ipv6_addresses else {4}


def _family(source: End, destination: End, wanted: int | None) -> int:
    both = _families(source) & _families(destination)
    if not both:
        raise QuestionError(f"{source.asked} and {destination.asked} have no address family in common")
    if wanted is None:
        return min(both)
    if wanted not in both:
        lacking = source if wanted not in _families(source) else destination
        raise QuestionError(f"{lacking.asked} has no IPv{wanted} address")
    return wanted


def _in_family(end: End, version: int) -> End:
    if end.kind is not Kind.ENI or end.by_address or end.interface is None or version == 4:
        return end
    return end._replace(address=parse_address(end.interface.eni.ipv6_addresses[0]))


def client_ports(network: Network, source: End) -> PortRange:
    """The ports that an end sends from, where the question does not say."""
    if source.kind is Kind.NETWORK:
        return CLIENT_PORTS["linux"]
    if source.interface is None:
        return CLIENT_PORTS["internet"]
    instance = network.topology.instances.get(source.instance_id)
    return CLIENT_PORTS["windows" if instance and instance.os and instance.os.is_windows else "linux"]
