"""The lists of gateways, links and load balancers, and what hangs on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import yaml

from netinsight.addresses import text
from netinsight.model.base import Model, Path, Unknown
from netinsight.model.gateways import EntryStatus
from netinsight.model.links import TransitRouteStatus
from netinsight.render.sheets import Listing, Names, Note, Row

if TYPE_CHECKING:
    from netinsight.render.inventory import Body, Inventory


def flow(one: Model, without: set[str] | None = None) -> str:
    """What the file gives of something, on one line, as it would write it."""
    given = one.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=without)
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True, default_flow_style=True, width=10**9).strip()[
        1:-1
    ]


def _rows(here: Inventory, entries: Iterable[tuple[str, Any]], path: Path) -> Iterator[Row]:
    """Objects or entries within an object, as the file writes them."""
    for key, one in entries:
        last = int(key.rpartition("/")[2]) - 1 if "/" in key else key
        yield Row(key, flow(one), here.place(*path, last))


def _numbered(name: str, entries: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{name}/{i}", one) for i, one in enumerate(entries, start=1))


def _left_out(here: Inventory, prefix: str, entries: Any, path: Path, why: Callable[[Any], str]) -> Iterator[Row]:
    """The rows that decide nothing now."""
    for i, one in enumerate(() if isinstance(entries, Unknown) else entries):
        if reason := why(one):
            yield Row(f"{prefix}/{i + 1}", flow(one, without={"status"}), here.place(*path, i), reason)


def _with(listing: Listing, rows: Iterable[Row]) -> Listing:
    return Listing(listing.name, listing.title, (*listing.rows, *rows))


def _nat_gateway(here: Inventory, name: str) -> Body:
    gateway = here.network.topology.nat_gateways[name]
    for key, packed, entries in (("snat", here.network.snat_filter(name), gateway.snat),
                                 ("dnat", here.network.dnat_filter(name), gateway.dnat)):  # fmt: skip
        found = here.listing(key, here.word(f"show_{key}"), packed)
        path = ("nat_gateways", name, key)
        yield _with(found, _left_out(here, f"{name}/{key}", entries, path, _pending))
    yield _publics(here, name)


def _pending(entry: Any) -> str:
    return "" if entry.status is EntryStatus.AVAILABLE else str(entry.status)


def _publics(here: Inventory, name: str) -> Names:
    bound = [f"{text(one.address)} ({one.holder})" for one in here.network.publics if one.bound_to == name]
    return here.names("publics", bound)


def _gateway_table(here: Inventory, section: str, name: str) -> Body:
    """The gateway table: it is for what comes in."""
    gateway = getattr(here.network.topology, section)[name]
    if gateway.route_table in here.network.topology.route_tables:
        yield here.table(gateway.vpc, gateway.route_table)
    else:
        yield Note(here.word("show_no_gateway_table"))


def _ipv4_gateway(here: Inventory, name: str) -> Body:
    yield from _gateway_table(here, "ipv4_gateways", name)


def _ipv6_gateway(here: Inventory, name: str) -> Body:
    internet = here.network.topology.ipv6_gateways[name].internet
    path = ("ipv6_gateways", name, "internet")
    entries = _numbered(f"{name}/internet", () if isinstance(internet, Unknown) else internet)
    yield _known(here, "internet", internet, _rows(here, entries, path))
    yield from _gateway_table(here, "ipv6_gateways", name)


def _known(here: Inventory, name: str, value: Any, rows: Iterable[Row]) -> Listing:
    """A list; of one that is declared unknown, why."""
    if isinstance(value, Unknown):
        rows = [Row(name, here.word("unknown"), no_effect=value.unknown)]
    return Listing(name, here.word(f"show_{name}"), tuple(rows))


def _havip(here: Inventory, name: str) -> Body:
    master = here.network.master_of(name)
    yield here.names("master", [master.id] if master else [])
    yield _publics(here, name)


def _peering(here: Inventory, name: str) -> Body:
    described = here.network.topology.peerings[name]
    yield here.names("ends", [described.vpc, described.peer_vpc])


def _router_interface(here: Inventory, name: str) -> Body:
    interfaces = here.network.topology.router_interfaces
    far = interfaces.get(str(interfaces[name].opposite))
    yield here.names("ends", [interfaces[name].router, *([far.router] if far else [])])


def _vbr(here: Inventory, name: str) -> Body:
    title = here.word("show_routes", table=name)
    yield here.listing("routes", title, here.network.vbr_filter(name), routes=True)
    interfaces = here.network.topology.router_interfaces
    yield here.names("interfaces", [id_ for id_, one in interfaces.items() if one.router == name])


def _transit_router(here: Inventory, name: str) -> Body:
    described, path = here.network.topology.transit_routers[name], ("transit_routers", name)
    rows = _rows(here, described.attachments.items(), (*path, "attachments"))
    yield Listing("attachments", here.word("show_attachments"), tuple(rows))
    for id_, table in described.route_tables.items():
        packed = here.network.transit_filter(name, id_)
        found = here.listing(f"routes.{id_}", here.word("show_routes", table=id_), packed, routes=True)
        where = (*path, "route_tables", id_, "routes")
        yield _with(found, _left_out(here, id_, table.routes, where, _not_active))
        yield here.names("associated", [one for one, at in described.attachments.items() if at.route_table == id_])


def _not_active(row: Any) -> str:
    return "" if row.status is TransitRouteStatus.ACTIVE else str(row.status)


def _vpn_gateway(here: Inventory, name: str) -> Body:
    described, path = here.network.topology.vpn_gateways[name], ("vpn_gateways", name)
    rows = _rows(here, described.connections.items(), (*path, "connections"))
    yield Listing("connections", here.word("show_connections"), tuple(rows))
    found = here.listing("routes", here.word("show_routes", table=name), here.network.vpn_filter(name), routes=True)
    listed = [] if isinstance(described.routes, Unknown) else described.routes
    weights = {f"{name}/{i}": f" weight {one.weight}" for i, one in enumerate(listed, start=1)}
    weighed = tuple(replace(row, text=row.text + weights.get(row.id, "")) for row in found.rows)
    yield replace(found, rows=weighed)


def _load_balancer(here: Inventory, name: str) -> Body:
    described, path = here.network.topology.load_balancers[name], ("load_balancers", name)
    rows = _rows(here, _numbered(name, described.listeners), (*path, "listeners"))
    yield Listing("listeners", here.word("show_listeners"), tuple(rows))
    for id_, group in described.server_groups.items():
        rows = _rows(here, _numbered(id_, group.servers), (*path, "server_groups", id_, "servers"))
        yield Listing(f"servers.{id_}", here.word("show_servers", group=id_), tuple(rows))
    own = [described.public_ip] if described.public_ip else []
    yield here.names("publics", [*own, *_publics(here, name).ids])


BODIES: dict[str, Callable[[Inventory, str], Body]] = {
    "nat_gateways": _nat_gateway,
    "ipv4_gateways": _ipv4_gateway,
    "ipv6_gateways": _ipv6_gateway,
    "havips": _havip,
    "peerings": _peering,
    "router_interfaces": _router_interface,
    "vbrs": _vbr,
    "transit_routers": _transit_router,
    "vpn_gateways": _vpn_gateway,
    "load_balancers": _load_balancer,
}
"""By section; a network has nothing but its prefixes, and what refers to it."""
