"""NAT entries and the tables of VBRs, VPN gateways and transit routers -> packed rows, as ``filters`` does for policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from netinsight.addresses import Range, parse_prefix, ranges
from netinsight.engine.tables import EVERYWHERE, AddressSets, Row, Table
from netinsight.flow import EVERY_PORT, PortRange
from netinsight.model.base import Path, Unknown, protocol_range
from netinsight.model.gateways import DnatEntry, EntryStatus, NatGateway
from netinsight.model.links import TransitRouter, TransitRouteStatus, VpnRouteOrigin
from netinsight.model.topology import Topology
from netinsight.network.filters import Filter, Origin


def pack_snat(sets: AddressSets, name: str, gateway: NatGateway) -> Filter:
    """Source translation in the order in which it decides: whole-address entries, then the longest source block.

    ("Internet access": an address with an IP mapping leaves by it; overlapping entries: longest source prefix.)
    """
    packed = Filter(Table(sets))
    base: Path = ("nat_gateways", name)
    if isinstance(gateway.dnat, Unknown):
        packed.add_unknown(name, gateway.dnat.unknown, (*base, "dnat"))
    for i, entry in _available(gateway.dnat):
        if entry.is_whole:
            packed.add(Row(source=_one(entry.internal_ip), accepts=True), _dnat_origin(name, i, entry))
    if isinstance(gateway.snat, Unknown):
        packed.add_unknown(name, gateway.snat.unknown, (*base, "snat"))
        return packed
    rows = []
    for i, snat in enumerate(gateway.snat):
        if snat.status is EntryStatus.AVAILABLE:
            prefix = parse_prefix(snat.source)
            out = ", ".join(snat.eip or snat.nat_ip or ())
            origin = Origin(f"{name}/snat/{i + 1}", "snat_entry", (*base, "snat", i), snat, out,
                            text=f"{snat.source} leaves as {out}")  # fmt: skip
            rows.append((prefix.length, Row(source=ranges(prefix), accepts=True), origin))
    for _, row, origin in sorted(rows, key=lambda one: -one[0]):
        packed.add(row, origin)
    return packed


def pack_dnat(topology: Topology, sets: AddressSets, name: str, gateway: NatGateway) -> Filter:
    """Destination translation: entries of a port before those of the whole address."""
    packed = Filter(Table(sets))
    if isinstance(gateway.dnat, Unknown):
        packed.add_unknown(name, gateway.dnat.unknown, ("nat_gateways", name, "dnat"))
        return packed
    for i, entry in sorted(_available(gateway.dnat), key=lambda pair: pair[1].is_whole):
        outer = external_address(topology, entry)
        if outer is None:
            origin = Origin(entry.eip or "", "unknown", ("unknown", entry.eip or ""), target=entry.eip or "",
                            reason=topology.unknown.get(entry.eip or "", ""))  # fmt: skip
            packed.add(Row(EVERYWHERE, EVERYWHERE, protocol_range(entry.protocol), EVERY_PORT, entry.external_ports,
                           accepts=True, certain=False), origin)  # fmt: skip
            continue
        row = Row(EVERYWHERE, _one(outer), protocol_range(entry.protocol), EVERY_PORT, entry.external_ports, True)
        packed.add(row, _dnat_origin(name, i, entry))
    return packed


def external_address(topology: Topology, entry: DnatEntry) -> str | None:
    """The address that an entry is for; None where its EIP is not described."""
    if entry.nat_ip is not None:
        return entry.nat_ip
    eip = topology.eips.get(entry.eip or "")
    return eip.ip if eip else None


def _one(written: str) -> tuple[Range, ...]:
    return ranges(parse_prefix(written))


def _available(entries: list[DnatEntry] | Unknown) -> Iterator[tuple[int, DnatEntry]]:
    for i, entry in enumerate(entries if isinstance(entries, list) else ()):
        if entry.status is EntryStatus.AVAILABLE:
            yield i, entry


def _dnat_origin(name: str, i: int, entry: DnatEntry) -> Origin:
    outer, inner = entry.eip or entry.nat_ip or "", entry.internal_ip
    if entry.external_port:
        ports = entry.external_ports
        outer, inner = f"{outer}:{ports}", f"{inner}:{PortRange(ports.first + entry.shift, ports.last + entry.shift)}"
    return Origin(f"{name}/dnat/{i + 1}", "dnat_entry", ("nat_gateways", name, "dnat", i), entry, entry.internal_ip,
                  text=f"{entry.protocol} {outer} leads to {inner}")  # fmt: skip


class LinkRow(NamedTuple):
    """A row of a table outside the VPCs, before it is packed; the lower rank wins at equal length."""

    destination: str
    rank: int
    origin: Origin
    certain: bool = True


def pack_links(sets: AddressSets, rows: Iterable[LinkRow], unknown: tuple[str, str, Path] | None = None) -> Filter:
    """Rows by longest prefix, then rank."""
    packed = Filter(Table(sets))
    if unknown:
        packed.add_unknown(*unknown)
    ordered = sorted(rows, key=lambda row: (-_length(row.destination), row.rank))
    for row in ordered:
        destination = () if row.origin.idle else ranges(parse_prefix(row.destination))
        packed.add(Row(destination=destination, accepts=True, certain=row.certain), row.origin)
    return packed


def _length(cidr: str) -> int:
    prefix = parse_prefix(cidr)
    return prefix.length + (96 if prefix.family == 4 else 0)


def vbr_rows(topology: Topology, name: str) -> Iterator[LinkRow]:
    """The table of a VBR."""
    routes = topology.vbrs[name].routes
    for i, row in enumerate(routes if isinstance(routes, list) else ()):
        path = ("vbrs", name, "routes", i)
        origin = Origin(
            f"{name}/{i + 1}", "route", path, row, row.next_hop, text=f"{row.destination} -> {row.next_hop}"
        )
        yield LinkRow(row.destination, 0, origin)


def vpn_rows(topology: Topology, name: str) -> Iterator[LinkRow]:
    """The table of a VPN gateway: what BGP taught is idle while its session is down; standby rows come after active ones."""
    gateway = topology.vpn_gateways[name]
    for i, row in enumerate(gateway.routes if isinstance(gateway.routes, list) else ()):
        connection = gateway.connections.get(row.connection)
        up = connection.bgp_up if connection and row.origin is VpnRouteOrigin.BGP else True
        path = ("vpn_gateways", name, "routes", i)
        text = f"{row.destination} -> {row.connection}" + ("" if up else " (BGP, whose session is down)")
        reason = up.unknown if isinstance(up, Unknown) else ""
        origin = Origin(f"{name}/{i + 1}", "route", path, row, row.connection, reason, text, idle=not up)
        yield LinkRow(row.destination, 100 - row.weight, origin, certain=not reason)


def transit_rows(topology: Topology, name: str, table: str) -> Iterator[LinkRow]:
    """A table of a transit router: its Active rows, static before learned, and what attachments propagate to it."""
    router = topology.transit_routers[name]
    routes = router.route_tables[table].routes
    for i, row in enumerate(routes if isinstance(routes, list) else ()):
        if row.status is TransitRouteStatus.ACTIVE:
            path = ("transit_routers", name, "route_tables", table, "routes", i)
            text = f"{row.destination} -> {row.attachment or 'blackhole'}"
            origin = Origin(f"{table}/{i + 1}", "route", path, row, row.attachment or "", text=text)
            yield LinkRow(row.destination, 1 if row.learned else 0, origin)
    for id_, attachment in router.attachments.items():
        if table in attachment.propagates_to:
            where = ("transit_routers", name, "attachments", id_)
            for cidr in _propagated(topology, router, attachment.to):
                origin = Origin(f"{table}/{id_}", "route", where, None, id_, text=f"{cidr} -> {id_} (propagated)")
                yield LinkRow(cidr, 1, origin)


def _propagated(topology: Topology, router: TransitRouter, to: str) -> Iterator[str]:
    """The prefixes that an attachment teaches."""
    if to in topology.vpcs:
        for vswitch in topology.vswitches.values():
            if vswitch.vpc == to:
                yield from filter(None, (vswitch.cidr, vswitch.ipv6_cidr))
    elif to in topology.networks:
        yield from topology.networks[to].cidrs
    elif to in topology.vbrs:
        for row in vbr_rows(topology, to):
            if row.origin.target in topology.networks:
                yield row.destination
    elif to in topology.vpn_gateways:
        yield from (row.destination for row in vpn_rows(topology, to) if not row.origin.idle)
