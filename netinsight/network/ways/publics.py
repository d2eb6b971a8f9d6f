"""Public addresses as a packet on its way meets them: which are public, whose they are, what leaves by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netinsight.addresses import PRIVATE_V4, SERVICE_V4, contains, family, parse_address, text, within
from netinsight.engine.classify import Decision
from netinsight.model.base import Unknown
from netinsight.model.edge import EipMode
from netinsight.model.topology import Interface
from netinsight.model.vpc import InternetMode
from netinsight.network import stages
from netinsight.network.build import Network, Public
from netinsight.network.filters import Origin
from netinsight.network.steps import Ref, Why, why
from netinsight.network.ways.journey import At, Journey

if TYPE_CHECKING:
    from netinsight.network.ways.walker import Walker


def is_public(network: Network, address: int, vpc: str) -> bool:
    """Whether an address is met at the public edge, seen from a VPC: none of its own, of a network, private, a service."""
    topology = network.topology
    if family(address) == 4 and contains((*PRIVATE_V4, SERVICE_V4), address):
        return False
    described = topology.vpcs.get(vpc)
    own = [*described.cidrs, *filter(None, [described.ipv6_cidr])] if described else []
    blocks = [*own, *(cidr for outside in topology.networks.values() for cidr in outside.cidrs)]
    return not within(blocks, address)


def own_public(network: Network, interface: Interface, source: int) -> Public | None:
    """The public address of an ENI that stands for, or is, the source of a packet."""
    if family(source) == 6:
        return None
    public = network.public_by_address.get(source)
    if public and public.interface and public.interface.id == interface.id and public.mode is not EipMode.NAT:
        return public
    return network.public_of(interface, source)


def cut_through(network: Network, interface: Interface) -> Public | None:
    """The EIP of an ENI that its guest sees (modes BINDED and MULTI_BINDED)."""
    public = network.public_of(interface, parse_address(interface.eni.ip))
    return public if public and public.interface and public.mode is not EipMode.NAT else None


def bear_own_public(walker: Walker, journey: Journey, interface: Interface) -> Journey:
    """A packet of a guest that sees its EIP bears that towards public addresses."""
    public = cut_through(walker.network, interface)
    if public is None or public.unknown or journey.packet.source == public.address:
        return journey
    if walker.is_public(journey) and journey.packet.source == public.private:
        return journey.bears(source=public.address)
    return no_private_networking(journey, interface, public) if public.mode is EipMode.BINDED else journey


def no_private_networking(journey: Journey, interface: Interface, public: Public) -> Journey:
    """An ENI whose EIP is cut through to the guest has no private address any more."""
    told = why("public.cut_through", eni=interface.id, eip=public.holder, public=text(public.address))
    ref = Ref("eni", interface.id)
    origin = Origin(public.holder, "public_ip", (*public.path, "mode"), text=f"mode: {public.mode}")
    return journey.says("public_ip.private", "gateway.public_ip", ref, Decision.DROP, told, origin)


def without_public(interface: Interface) -> Origin:
    """An ENI for which no public address stands, as evidence."""
    return Origin(interface.id, "public_ip", interface.path, text="no public_ip, and no EIP that is bound to it")


def out(journey: Journey, public: Public, ref: Ref) -> list[Journey]:
    """Out as a public address; what comes back to it must not be in a blackhole, which the answer is judged by."""
    outside = journey.bears(source=public.address)
    rulings = stages.translation(public, "public.out", journey.leg_box)
    return [outside.step("public_ip.egress", "gateway.public_ip", ref, rulings).to(At.EDGE)]


def locked(journey: Journey, public: Public, stage: str) -> Journey:
    """An EIP that is locked carries nothing, whatever it is bound to."""
    text_ = f"business_status: {public.lock}"
    origin = Origin(public.holder, "public_ip", (*public.path, "business_status"), text=text_)
    told = why("public.locked", public=text(public.address), status=public.lock)
    return journey.says(stage, "gateway.public_ip", Ref("eip", public.holder), Decision.DROP, told, origin)


def no_internet(network: Network, vpc: str) -> tuple[Decision, Why] | None:
    """What is said of a VPC whose IPv4 gateway was deleted in private mode."""
    described = network.topology.vpcs.get(vpc)
    if described is None or vpc in network.ipv4_gateway_of:
        return None
    if isinstance(described.internet_mode, Unknown):
        return Decision.UNKNOWN, why("unknown.fact", fact=vpc, reason=described.internet_mode.unknown)
    return (Decision.DROP, why("ipv4.deleted", vpc=vpc)) if described.internet_mode is InternetMode.PRIVATE else None


def internet_mode(walker: Walker, journey: Journey, vpc: str) -> Journey:
    """A VPC whose IPv4 gateway was deleted in private mode meets the Internet by no address."""
    deleted = no_internet(walker.network, vpc)
    if deleted is None:
        return journey
    origin = Origin(vpc, "gateway", ("vpcs", vpc, "internet_mode"), text="internet_mode: private")
    return journey.says("gateway", "gateway.ipv4", Ref("vpc", vpc), *deleted, origin)
