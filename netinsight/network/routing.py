"""One look-up in the table of a vSwitch, and what its next hop means for a packet.

Next hops other than the VPC itself, the cloud's services and the public edge are not modelled yet: a packet that needs
one is *not known* beyond it, and the step names the hop.
"""

from __future__ import annotations

from typing import NamedTuple

from netinsight.addresses import V4_FIRST, V4_LAST, parse_prefix, text
from netinsight.engine.classify import Decision, candidates, is_certain
from netinsight.model.assumptions import other
from netinsight.model.base import Unknown, looks_like_cidr
from netinsight.model.edge import EipMode
from netinsight.model.routing import NextHopType, RouteStatus
from netinsight.model.topology import Interface
from netinsight.network.build import Network, Public
from netinsight.network.filters import SERVICE, Filter, Origin
from netinsight.network.steps import Ref, Why, why

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
    topology, target = network.topology, origin.target
    if target in topology.instances:
        return NextHopType.INSTANCE
    if target in network.enis:
        return NextHopType.NETWORK_INTERFACE
    if target in topology.nat_gateways:
        return NextHopType.NAT_GATEWAY
    if target in topology.peerings:
        return NextHopType.VPC_PEER
    if origin.kind == "system_route" and target == NextHopType.IPV6_GATEWAY:
        return NextHopType.IPV6_GATEWAY
    return getattr(origin.rule, "next_hop_type", None)


def gateway_item(kind: NextHopType | None) -> str:
    """The diagnosis item of a next hop."""
    return _ITEM_OF_TYPE[kind] if kind else "gateway.unknown"


class Exit(NamedTuple):
    """Where a look-up sends a packet.

    Attributes
    ----------
    hop
        The next hop that is not modelled, if the packet needs one.
    public
        The public address that the packet leaves by, if it does.
    assumptions
        The open points that the choice rests on.
    """

    decision: Decision
    why: Why
    origin: Origin | None = None
    hop: Ref | None = None
    hop_item: str = ""
    public: Public | None = None
    assumptions: frozenset[str] = frozenset()


def matching_routes(network: Network, vswitch: str, address: int) -> list[Origin]:
    """The rows that may decide: those that may or may not be there, then the longest prefix that is."""
    table = network.topology.vswitches[vswitch].route_table
    if isinstance(table, Unknown):
        return [Origin(vswitch, "unknown", ("vswitches", vswitch, "route_table"), target=vswitch, reason=table.unknown)]
    routes = network.route_filter(vswitch)
    found = []
    for row in candidates(routes.table, address, address, 0):
        found.append(routes.origins[row])
        if is_certain(routes.table, row):
            break
    return found


def route_inside(network: Network, vswitch: str, target: Interface, address: int) -> Exit:
    """The way to a private address of an ENI."""
    if target.eni.vswitch not in network.topology.vswitches:
        fact = target.eni.vswitch
        origin = Origin(fact, "unknown", ("unknown", fact), target=fact, reason=network.topology.unknown.get(fact, ""))
        return Exit(Decision.UNKNOWN, why("unknown.fact", fact=fact, reason=origin.reason), origin)
    rows = matching_routes(network, vswitch, address)
    if target.eni.vswitch == vswitch:
        if not any(row.kind in ("route", "unknown") for row in rows):
            return Exit(Decision.ACCEPT, why("route.direct", vswitch=vswitch))
        rests = frozenset({"steered_own_vswitch"})
        if network.assumptions["steered_own_vswitch"] == "direct":
            return Exit(Decision.ACCEPT, why("route.direct", vswitch=vswitch), assumptions=rests)
        return _follow(network, vswitch, rows, address, target)._replace(assumptions=rests)
    return _follow(network, vswitch, rows, address, target)


def route_to_service(network: Network, vswitch: str, address: int) -> Exit:
    """The way to one of the cloud's services."""
    return _follow(network, vswitch, matching_routes(network, vswitch, address), address, None)


def _follow(network: Network, vswitch: str, rows: list[Origin], address: int, target: Interface | None) -> Exit:
    if not rows:
        none = why("route.none", vswitch=vswitch, destination=text(address), table=_table(network, vswitch))
        return Exit(Decision.DROP, none, _no_route(network, vswitch))
    row = rows[0]
    if row.reason or row.kind == "unknown":
        return Exit(Decision.UNKNOWN, why("unknown.fact", fact=row.target, reason=row.reason), row)
    if row.target == SERVICE:
        return Exit(Decision.ACCEPT, why("route.service"), row)
    if row.kind == "system_route" and row.target in network.topology.vswitches:
        if target is None or target.eni.vswitch == row.target:
            return Exit(Decision.ACCEPT, why("route.local", vswitch=row.target), row)
        return Exit(Decision.DROP, why("route.elsewhere", vswitch=row.target, destination=text(address)), row)
    return _next_hop(network, row)


def _next_hop(network: Network, row: Origin) -> Exit:
    kind = next_hop_type(network, row)
    reached = why("route.next_hop", destination=route_destination(row), next_hop=row.target)
    return Exit(Decision.ACCEPT, reached, row, Ref(_object_type(kind), row.target), gateway_item(kind))


def _object_type(kind: NextHopType | None) -> str:
    return gateway_item(kind).removeprefix("gateway.") if kind else "unknown"


def route_destination(row: Origin) -> str:
    """The destination of a row, as the file has it."""
    return row.rule.destination or "" if row.rule is not None and hasattr(row.rule, "destination") else "::/0"


def _no_route(network: Network, vswitch: str) -> Origin | None:
    """The table in which no row was found, where the file describes it."""
    name = network.table_of(vswitch)
    table = network.topology.route_tables.get(name or "")
    if name is None or table is None:
        return None
    count = len(table.routes) if isinstance(table.routes, list) else 0
    return Origin(
        name,
        "route_table",
        ("route_tables", name),
        text=f"{name}: {count} custom route{'s' * (count != 1)}, none that matches",
    )


def _table(network: Network, vswitch: str) -> str:
    return network.table_of(vswitch) or "system"


def route_to_internet(network: Network, interface: Interface, private: int, address: int) -> Exit:
    """The way to a public address from a private address of an ENI.

    A public address of its own needs no route and beats a default route; it yields to a more specific custom route and
    to an IPv4 gateway, whose table always decides ("Internet access", "IPv4 gateway").
    """
    vswitch = interface.eni.vswitch
    rows = matching_routes(network, vswitch, address)
    public = network.public_of(interface, private) if V4_FIRST <= private <= V4_LAST else None
    if rows and (rows[0].reason or rows[0].kind == "unknown"):
        return _follow(network, vswitch, rows, address, None)
    if public is None:
        if not rows:
            none = why("route.none_public", eni=interface.id, vswitch=vswitch, destination=text(address),
                       table=_table(network, vswitch))  # fmt: skip
            return Exit(Decision.DROP, none, _no_route(network, vswitch))
        return _follow(network, vswitch, rows, address, None)
    if centralised := ipv4_gateway_route(network, network.vpc_of(interface)):
        return _next_hop(network, centralised)._replace(public=None)
    if not rows:
        return leave_by(public)
    return _public_or_route(network, vswitch, rows, address, public)


def ipv4_gateway_route(network: Network, vpc: str) -> Origin | None:
    """A route of a VPC that leads to an IPv4 gateway; where that is enabled, no public address works by itself."""
    tables = {network.table_of(name) for name, one in network.topology.vswitches.items() if one.vpc == vpc}
    for name, table in network.topology.route_tables.items():
        for n, row in enumerate(table.routes if name in tables and isinstance(table.routes, list) else (), start=1):
            # a row that takes no effect still tells that the gateway is there
            if row.next_hop_type is NextHopType.IPV4_GATEWAY and row.status is RouteStatus.AVAILABLE:
                return Origin(f"{name}/{n}", "route", ("route_tables", name, "routes", n - 1), row, row.next_hop)
    return None


def _public_or_route(network: Network, vswitch: str, rows: list[Origin], address: int, public: Public) -> Exit:
    row, by_route = rows[0], _follow(network, vswitch, rows, address, None)
    kind = next_hop_type(network, row)
    if row.kind == "system_route":
        return by_route
    is_default = _is_default(network, row, address)
    if is_default and kind in (NextHopType.IPV4_GATEWAY, None):  # a next hop that nobody described may be one
        return by_route
    if not is_default:
        name, route_wins = "specific_route_beats_eip", "true"
    elif kind in (NextHopType.INSTANCE, NextHopType.NETWORK_INTERFACE, NextHopType.HAVIP):
        name, route_wins = "default_route_to_instance_beats_eip", "true"
    else:
        return leave_by(public)
    chosen = by_route if network.assumptions[name] == route_wins else leave_by(public)
    return chosen._replace(assumptions=frozenset({name}))


def _is_default(network: Network, row: Origin, address: int) -> bool:
    """Whether a row takes an address by 0.0.0.0/0; of a prefix list, its longest entry that holds the address counts."""
    destination = route_destination(row)
    listed = network.topology.prefix_lists.get(destination)
    entries = [destination] if looks_like_cidr(destination) else listed.entries if listed else []
    prefixes = [parse_prefix(entry) for entry in entries] if isinstance(entries, list) else []
    return not any(prefix.length for prefix in prefixes if prefix.first <= address <= prefix.last)


def leave_by(public: Public) -> Exit:
    """Out by a public address, where that can be followed."""
    if reason := not_followed(public):
        return Exit(Decision.UNKNOWN, why("unknown.fact", fact=public.holder, reason=reason), public=public)
    return Exit(Decision.ACCEPT, why("route.public", public=text(public.address)), public=public)


def not_followed(public: Public) -> str:
    """Why a public address cannot be followed, or nothing."""
    if public.unknown:
        return public.unknown
    return f"EIP mode {public.mode} is not modelled" if public.mode is not EipMode.NAT else ""


def route_list(network: Network, vswitch: str, exit_: Exit) -> Filter | None:
    """The table of a vSwitch, where a row of it decided or none did; None where none was needed."""
    known = network.topology.vswitches.get(vswitch)
    if known is None or isinstance(known.route_table, Unknown):
        return None
    routes = network.route_filter(vswitch)
    if exit_.why.code.startswith("route.none"):
        return routes
    looked_up = any(origin is exit_.origin for origin in routes.origins)
    return routes if looked_up else None


def flipped(network: Network, name: str) -> str:
    """The value that an assumption does not have."""
    return other(name, network.assumptions[name])
