"""What a picture says of an object beside its id: what it joins or leads to, its address, its VPC, and what it is part of.

Read off the topology alone; which way a packet goes is in the report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from netinsight.model.links import Attachment
from netinsight.network.build import Network

Key = tuple[str, str]
"""An object as a report names it: its type and its id."""

JOINED, LEADS = " ↔ ", "→ "


class Caption(NamedTuple):
    """What is said of an object.

    Attributes
    ----------
    fact
        What it joins, or whom it leads to.
    vpc
        The VPC that it stands in; empty of what stands between VPCs.
    holder
        The object that it is a part of: of an attachment its transit router.
    is_whole
        Whether other objects may be parts of it.
    """

    fact: str = ""
    address: str = ""
    vpc: str = ""
    holder: Key | None = None
    is_whole: bool = False


NOTHING = Caption()


def caption_of(network: Network, kind: str, name: str) -> Caption:
    """What is said of an object; nothing of one that the topology does not describe."""
    tell = _CAPTIONS.get(kind)
    found = tell(network, name) if tell else None
    return found or NOTHING


def _eni(network: Network, name: str) -> Caption | None:
    interface = network.enis.get(name)
    if interface is None:
        return None
    return Caption(interface.instance_id or "", interface.eni.ip, network.vpc_of(interface))


def _vswitch(network: Network, name: str) -> Caption | None:
    described = network.topology.vswitches.get(name)
    return Caption(address=described.cidr, vpc=described.vpc) if described else None


def _vpc(network: Network, name: str) -> Caption | None:
    described = network.topology.vpcs.get(name)
    return Caption(address=", ".join(described.cidrs), vpc=name) if described else None


def _in_vpc(section: str) -> Callable[[Network, str], Caption | None]:
    """Of what has nothing to tell but its name and its VPC."""

    def tell(network: Network, name: str) -> Caption | None:
        described = getattr(network.topology, section).get(name)
        return Caption(described.name or "", vpc=described.vpc) if described else None

    return tell


def _havip(network: Network, name: str) -> Caption | None:
    described = network.topology.havips.get(name)
    if described is None:
        return None
    vswitch, master = network.topology.vswitches.get(described.vswitch), network.master_of(name)
    return Caption(f"{LEADS}{master.id}" if master else "", described.ip, vswitch.vpc if vswitch else "")


def _peering(network: Network, name: str) -> Caption | None:
    described = network.topology.peerings.get(name)
    return Caption(f"{described.vpc}{JOINED}{described.peer_vpc}") if described else None


def _router_interface(network: Network, name: str) -> Caption | None:
    """A side of a connection stands at its router: that of a VBR is a part of it."""
    interfaces = network.topology.router_interfaces
    described = interfaces.get(name)
    if described is None:
        return None
    far = interfaces.get(described.opposite) if isinstance(described.opposite, str) else None
    fact = f"{described.router}{JOINED}{far.router}" if far else described.router
    if described.router in network.topology.vbrs:
        return Caption(fact, holder=("vbr", described.router))
    return Caption(fact, vpc=described.router)


def _vbr(network: Network, name: str) -> Caption | None:
    described = network.topology.vbrs.get(name)
    if described is None:
        return None
    rows = described.routes if isinstance(described.routes, list) else []
    behind = dict.fromkeys(row.next_hop for row in rows if row.next_hop in network.topology.networks)
    return Caption(LEADS + ", ".join(behind) if behind else described.name or "", is_whole=True)


def _vpn(network: Network, name: str) -> Caption | None:
    described = network.topology.vpn_gateways.get(name)
    if described is None:
        return None
    behind = dict.fromkeys(one.network for one in described.connections.values())
    return Caption(LEADS + ", ".join(behind) if behind else described.name or "", vpc=described.vpc, is_whole=True)


def _vpn_connection(network: Network, name: str) -> Caption | None:
    for gateway, described in network.topology.vpn_gateways.items():
        if name in described.connections:
            fact = f"{gateway}{JOINED}{described.connections[name].network}"
            return Caption(fact, vpc=described.vpc, holder=("vpn", gateway))
    return None


def _transit_router(network: Network, name: str) -> Caption | None:
    described = network.topology.transit_routers.get(name)
    return Caption(described.name or described.cen or "", is_whole=True) if described else None


def _attachment(network: Network, name: str) -> Caption | None:
    router = network.attachments.get(name)
    if router is None:
        return None
    attached: Attachment = network.topology.transit_routers[router].attachments[name]
    return Caption(f"{router}{JOINED}{attached.to}", holder=("transit_router", router))


def _network(network: Network, name: str) -> Caption | None:
    described = network.topology.networks.get(name)
    return Caption(described.name or "", ", ".join(described.cidrs)) if described else None


def _load_balancer(network: Network, name: str) -> Caption | None:
    described = network.topology.load_balancers.get(name)
    if described is None:
        return None
    return Caption(str(described.type).upper(), described.ip or described.public_ip or "", described.vpc)


def _eip(network: Network, name: str) -> Caption | None:
    described = network.topology.eips.get(name)
    if described is None:
        return None
    bound = described.bound_to if isinstance(described.bound_to, str) else ""
    return Caption(f"{LEADS}{bound}" if bound else "", described.ip)


_CAPTIONS: dict[str, Callable[[Network, str], Caption | None]] = {
    "eni": _eni,
    "vswitch": _vswitch,
    "vpc": _vpc,
    "nat": _in_vpc("nat_gateways"),
    "ipv4": _in_vpc("ipv4_gateways"),
    "ipv6": _in_vpc("ipv6_gateways"),
    "havip": _havip,
    "peering": _peering,
    "router_interface": _router_interface,
    "vbr": _vbr,
    "vpn": _vpn,
    "vpn_connection": _vpn_connection,
    "transit_router": _transit_router,
    "attachment": _attachment,
    "network": _network,
    "load_balancer": _load_balancer,
    "eip": _eip,
}
