"""What rows of route tables lead to."""

from __future__ import annotations

from netinsight.addresses import parse_prefix
from netinsight.model.assumptions import other
from netinsight.model.base import looks_like_cidr
from netinsight.model.checks import NEXT_HOPS
from netinsight.model.routing import NextHopType, RouteStatus
from netinsight.network.build import Network
from netinsight.network.filters import Origin

_ITEM_OF_TYPE = {
    NextHopType.INSTANCE: "gateway.appliance",
    NextHopType.NETWORK_INTERFACE: "gateway.appliance",
    NextHopType.HAVIP: "gateway.havip",
    NextHopType.ROUTER_INTERFACE: "gateway.router_interface",
    NextHopType.VPN_GATEWAY: "gateway.vpn",
    NextHopType.IPV6_GATEWAY: "gateway.ipv6",
    NextHopType.NAT_GATEWAY: "gateway.nat",
    NextHopType.ATTACHMENT: "gateway.transit_router",
    NextHopType.VPC_PEER: "gateway.peering",
    NextHopType.IPV4_GATEWAY: "gateway.ipv4",
    NextHopType.GATEWAY_ENDPOINT: "gateway.endpoint",
    NextHopType.CEN_BASIC: "gateway.cen",
    NextHopType.ECR: "gateway.ecr",
    NextHopType.GWLB_ENDPOINT: "gateway.gwlb_endpoint",
}


def next_hop_type(network: Network, origin: Origin) -> NextHopType | None:
    """What a route leads to: what the file describes under the id, else the row's own word."""
    if found := kind_of(network, origin.target):
        return found
    if origin.kind == "system_route" and origin.target == NextHopType.IPV6_GATEWAY:
        return NextHopType.IPV6_GATEWAY
    return getattr(origin.rule, "next_hop_type", None)


def kind_of(network: Network, name: str) -> NextHopType | None:
    """What the topology describes under the id of a next hop."""
    if name in network.enis:
        return NextHopType.NETWORK_INTERFACE
    if name in network.attachments:
        return NextHopType.ATTACHMENT
    return next((kind for section, kind in NEXT_HOPS.items() if name in getattr(network.topology, section)), None)


def gateway_item(kind: NextHopType | None) -> str:
    """The diagnosis item of a next hop."""
    return _ITEM_OF_TYPE[kind] if kind else "gateway.unknown"


def route_destination(row: Origin) -> str:
    """The destination of a row, as the file has it."""
    return row.rule.destination or "" if row.rule is not None and hasattr(row.rule, "destination") else "::/0"


def no_route(network: Network, name: str | None) -> Origin | None:
    """The table in which no row was found, where the file describes it."""
    table = network.topology.route_tables.get(name or "")
    if name is None or table is None:
        return None
    count = len(table.routes) if isinstance(table.routes, list) else 0
    told = counted(count, "custom route")
    return Origin(name, "route_table", ("route_tables", name), text=f"{name}: {told}")


def counted(number: int, what: str, several: str = "") -> str:
    """How long a list is in which nothing was found, as evidence."""
    many = several or f"{what}s"
    return f"{number} {what if number == 1 else many}, none that matches" if number else f"no {many}"


def object_type(kind: NextHopType | None) -> str:
    """What a next hop is called in reports."""
    return gateway_item(kind).removeprefix("gateway.") if kind else "unknown"


def ipv4_gateway_route(network: Network, vpc: str) -> Origin | None:
    """A route of a VPC that leads to an IPv4 gateway; where that is enabled, no public address works by itself."""
    return network.kept(("ipv4 gateway route", vpc), lambda: _ipv4_gateway_route(network, vpc))


def _ipv4_gateway_route(network: Network, vpc: str) -> Origin | None:
    tables = {network.table_of(name) for name, one in network.topology.vswitches.items() if one.vpc == vpc}
    for name, table in network.topology.route_tables.items():
        for n, row in enumerate(table.routes if name in tables and isinstance(table.routes, list) else (), start=1):
            # a row that takes no effect still tells that the gateway is there
            if row.next_hop_type is NextHopType.IPV4_GATEWAY and row.status is RouteStatus.AVAILABLE:
                return Origin(f"{name}/{n}", "route", ("route_tables", name, "routes", n - 1), row, row.next_hop)
    return None


def is_default(network: Network, row: Origin, address: int) -> bool:
    """Whether a row takes an address by 0.0.0.0/0; of a prefix list, its longest entry that holds the address counts."""
    destination = route_destination(row)
    listed = network.topology.prefix_lists.get(destination)
    entries = [destination] if looks_like_cidr(destination) else listed.entries if listed else []
    prefixes = [parse_prefix(entry) for entry in entries] if isinstance(entries, list) else []
    return not any(prefix.length for prefix in prefixes if prefix.first <= address <= prefix.last)


def flipped(network: Network, name: str) -> str:
    """The value that an assumption does not have."""
    return other(name, network.assumptions[name])
