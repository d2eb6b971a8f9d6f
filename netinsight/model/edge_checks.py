"""What must hold of EIPs, gateways, links and load balancers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from netinsight.addresses import parse_address, parse_prefix
from netinsight.model.base import Path, Unknown
from netinsight.model.findings import Finding, Names, host_bits, same_vpc, warning
from netinsight.model.gateways import DnatEntry, NatGateway, NatNetwork, SnatEntry
from netinsight.model.routing import RouteTableType
from netinsight.model.topology import Topology

EIP_HOLDERS = ("instances", "network_interfaces", "nat_gateways", "havips", "load_balancers")
ATTACHED = ("vpcs", "vbrs", "vpn_gateways", "networks")


def eips(topology: Topology, names: Names) -> Iterator[Finding]:
    """What EIPs are bound to, one a private address."""
    bound: dict[tuple[str, str], str] = {}
    enis = {interface.id: interface for interface in topology.interfaces()}
    for name, eip in topology.eips.items():
        base = ("eips", name)
        if eip.vpc is not None:
            yield from names.problem((*base, "vpc"), eip.vpc, ("vpcs",))
            if eip.private_ip is None or eip.bound_to is not None:
                yield Finding((*base, "vpc"), "`vpc` goes with `private_ip`, and without `bound_to`")
        if not isinstance(eip.bound_to, str):
            continue
        yield from names.problem((*base, "bound_to"), eip.bound_to, EIP_HOLDERS)
        interface = enis.get(eip.bound_to) or topology.primary_interface(eip.bound_to)
        if interface is None:
            continue
        private = eip.private_ip or interface.eni.ip
        if private not in (interface.eni.ip, *interface.eni.secondary_ips):
            yield Finding((*base, "private_ip"), f"{private} is no address of {interface.id}")
        taken = bound.setdefault((interface.id, private), name)
        if taken != name and eip.mode == topology.eips[taken].mode == "NAT":
            yield Finding((*base, "bound_to"), f"{private} of {interface.id} has a public address already: {taken}")
        instance = topology.instances.get(interface.instance_id or "")
        first = topology.primary_interface(interface.instance_id or "")
        if first and interface.id == first.id and eip.mode != "NAT":
            message = f"{interface.id} is a primary ENI; the cloud refuses mode {eip.mode} there"
            yield warning((*base, "mode"), message)
        if instance and instance.public_ip and first and (interface.id, private) == (first.id, first.eni.ip):
            yield Finding(
                (*base, "bound_to"),
                f"{interface.instance_id} has a static public address already: {instance.public_ip}",
            )


def nat_gateways(topology: Topology, names: Names) -> Iterator[Finding]:
    """NAT gateways: their VPC, their entries, their EIPs."""
    for name, gateway in topology.nat_gateways.items():
        base = ("nat_gateways", name)
        yield from names.problem((*base, "vpc"), gateway.vpc, ("vpcs",))
        if gateway.vswitch:
            yield from same_vpc(topology, names, base, gateway.vpc, "vswitch", gateway.vswitch, "vswitches")
        entries: list[tuple[str, Sequence[SnatEntry | DnatEntry] | Unknown]] = [
            ("snat", gateway.snat), ("dnat", gateway.dnat)]  # fmt: skip
        for key, listed in entries:
            for i, entry in enumerate(() if isinstance(listed, Unknown) else listed):
                yield from _entry(topology, names, (*base, key, i), name, gateway, entry)


def _entry(
    topology: Topology, names: Names, base: Path, name: str, gateway: NatGateway, entry: SnatEntry | DnatEntry
) -> Iterator[Finding]:
    wanted, other = ("nat_ip", "eip") if gateway.network_type is NatNetwork.INTRANET else ("eip", "nat_ip")
    whole = ("nat_gateways", name) not in names.partial  # what could not be read is told already
    if getattr(entry, other) is not None:
        yield Finding((*base, other), f"an entry of an {gateway.network_type} NAT gateway has `{wanted}`")
    elif whole and getattr(entry, wanted) is None:
        yield Finding(base, f"an entry of an {gateway.network_type} NAT gateway needs `{wanted}`")
    used = entry.eip if isinstance(entry.eip, tuple) else (entry.eip,) if entry.eip else ()
    for id_ in used:
        path = (*base, "eip", used.index(id_)) if isinstance(entry.eip, tuple) and len(used) > 1 else (*base, "eip")
        yield from names.problem(path, id_, ("eips",))
        eip = topology.eips.get(id_)
        if eip and isinstance(eip.bound_to, str) and eip.bound_to != name:
            yield Finding(path, f"EIP `{id_}` is bound to {eip.bound_to}, not to {name}")
    if isinstance(entry, SnatEntry):
        yield from host_bits((*base, "source"), entry.source)
        return
    if entry.is_whole and (entry.external_port or entry.internal_port):
        yield Finding((*base, "protocol"), "`any` maps the whole address: it takes no ports")
    if not entry.is_whole:
        for key in ("external_port", "internal_port"):
            if whole and getattr(entry, key) is None:
                yield Finding(base, f"a {entry.protocol} entry needs `{key}`")
    if entry.external_port and entry.internal_port:
        outer, inner = entry.external_ports, entry.model_copy(update={"external_port": entry.internal_port})
        if outer.last - outer.first != inner.external_ports.last - inner.external_ports.first:
            yield Finding((*base, "internal_port"), "the internal range is as long as the external one")


def gateways(topology: Topology, names: Names) -> Iterator[Finding]:
    """IPv4 and IPv6 gateways, one a VPC; HaVips."""
    for section in ("ipv4_gateways", "ipv6_gateways"):
        of_vpc: dict[str, str] = {}
        for name, gateway in getattr(topology, section).items():
            base = (section, name)
            yield from names.problem((*base, "vpc"), gateway.vpc, ("vpcs",))
            first = of_vpc.setdefault(gateway.vpc, name)
            if first != name:
                yield Finding((*base, "vpc"), f"VPC {gateway.vpc} has a gateway of this kind already: {first}")
            yield from same_vpc(topology, names, base, gateway.vpc, "route_table", gateway.route_table, "route_tables")
            table = topology.route_tables.get(gateway.route_table or "")
            if table and table.type is not RouteTableType.GATEWAY:
                yield Finding((*base, "route_table"), f"{gateway.route_table} is no gateway table", "`type: gateway`")
    for name, havip in topology.havips.items():
        base = ("havips", name)
        yield from names.problem((*base, "vswitch"), havip.vswitch, ("vswitches",))
        vswitch = topology.vswitches.get(havip.vswitch)
        if vswitch and not _holds(vswitch.cidr, havip.ip):
            yield Finding((*base, "ip"), f"{havip.ip} is outside its vSwitch {havip.vswitch} ({vswitch.cidr})")
        for key, member in (("master", havip.master), *((("members", i), one) for i, one in enumerate(havip.members))):
            path = (*base, *key) if isinstance(key, tuple) else (*base, key)
            if isinstance(member, str):
                yield from names.problem(path, member, ("instances", "network_interfaces"))


def _holds(cidr: str, written: str) -> bool:
    prefix = parse_prefix(cidr)
    return prefix.first <= parse_address(written) <= prefix.last


def links(topology: Topology, names: Names) -> Iterator[Finding]:
    """Peerings, router interfaces, VBRs, VPN gateways, networks outside."""
    for name, peering in topology.peerings.items():
        base = ("peerings", name)
        yield from names.problem((*base, "vpc"), peering.vpc, ("vpcs",))
        yield from _blocks((*base, "peer_cidrs"), peering.peer_cidrs)
        if not peering.peer_cidrs:
            yield from names.problem((*base, "peer_vpc"), peering.peer_vpc, ("vpcs",))
        if peering.vpc == peering.peer_vpc:
            yield Finding((*base, "peer_vpc"), "a peering joins two VPCs")
    for name, interface in topology.router_interfaces.items():
        base = ("router_interfaces", name)
        yield from names.problem((*base, "router"), interface.router, ("vpcs", "vbrs"))
        if isinstance(interface.opposite, str):
            yield from names.problem((*base, "opposite"), interface.opposite, ("router_interfaces",))
    for name, vbr in topology.vbrs.items():
        for i, row in enumerate(vbr.routes if isinstance(vbr.routes, list) else ()):
            path = ("vbrs", name, "routes", i)
            yield from host_bits((*path, "destination"), row.destination)
            yield from names.problem((*path, "next_hop"), row.next_hop, ("router_interfaces", "networks"))
    for name, network in topology.networks.items():
        yield from _blocks(("networks", name, "cidrs"), network.cidrs)
    yield from _vpn_gateways(topology, names)
    yield from _transit_routers(topology, names)


def _blocks(path: Path, cidrs: list[str]) -> Iterator[Finding]:
    for i, cidr in enumerate(cidrs):
        yield from host_bits((*path, i), cidr)


def _vpn_gateways(topology: Topology, names: Names) -> Iterator[Finding]:
    for name, gateway in topology.vpn_gateways.items():
        base = ("vpn_gateways", name)
        yield from names.problem((*base, "vpc"), gateway.vpc, ("vpcs",))
        if gateway.vswitch:
            yield from same_vpc(topology, names, base, gateway.vpc, "vswitch", gateway.vswitch, "vswitches")
        for id_, connection in gateway.connections.items():
            yield from names.problem((*base, "connections", id_, "network"), connection.network, ("networks",))
            for key in ("local_cidrs", "remote_cidrs"):
                yield from _blocks((*base, "connections", id_, key), getattr(connection, key))
        for i, row in enumerate(gateway.routes if isinstance(gateway.routes, list) else ()):
            yield from host_bits((*base, "routes", i, "destination"), row.destination)
            if row.connection not in gateway.connections:
                yield Finding((*base, "routes", i, "connection"), f"{name} has no connection `{row.connection}`")


def _transit_routers(topology: Topology, names: Names) -> Iterator[Finding]:
    attachments = {id_ for router in topology.transit_routers.values() for id_ in router.attachments}
    for name, router in topology.transit_routers.items():
        base = ("transit_routers", name)
        for id_, attachment in router.attachments.items():
            path = (*base, "attachments", id_)
            if attachment.to not in attachments or attachment.to in router.attachments:
                yield from names.problem((*path, "to"), attachment.to, ATTACHED)
            for i, vswitch in enumerate(attachment.vswitches):
                yield from names.problem((*path, "vswitches", i), vswitch, ("vswitches",))
            tables = [("route_table", attachment.route_table), *(
                ("propagates_to", table) for table in attachment.propagates_to)]  # fmt: skip
            for key, table in tables:
                if isinstance(table, str) and table not in router.route_tables:
                    yield Finding((*path, key), f"{name} has no table `{table}`")
        for id_, described in router.route_tables.items():
            for i, row in enumerate(described.routes if isinstance(described.routes, list) else ()):
                where = (*base, "route_tables", id_, "routes", i)
                yield from host_bits((*where, "destination"), row.destination)
                if row.blackhole == (row.attachment is not None):
                    yield Finding(where, "a row leads to an attachment, or is a blackhole")
                elif row.attachment and row.attachment not in router.attachments:
                    yield Finding((*where, "attachment"), f"{name} has no attachment `{row.attachment}`")


def load_balancers(topology: Topology, names: Names) -> Iterator[Finding]:
    """Listeners that do not overlap, groups and servers that are there."""
    for name, balancer in topology.load_balancers.items():
        base = ("load_balancers", name)
        yield from names.problem((*base, "vpc"), balancer.vpc, ("vpcs",))
        if balancer.vswitch:
            yield from same_vpc(topology, names, base, balancer.vpc, "vswitch", balancer.vswitch, "vswitches")
        for i, group in enumerate(balancer.security_groups):
            yield from names.problem((*base, "security_groups", i), group, ("security_groups",))
        numbered = sorted(enumerate(balancer.listeners), key=lambda pair: (pair[1].protocol, pair[1].ports))
        for (_, one), (i, other) in pairwise(numbered):
            if one.protocol is other.protocol and other.ports.first <= one.ports.last:
                yield Finding((*base, "listeners", i, "port"), f"{other.protocol} {other.ports} is taken by a listener")
        for i, listener in enumerate(balancer.listeners):
            if listener.server_group not in balancer.server_groups:
                path = (*base, "listeners", i, "server_group")
                yield Finding(path, f"{name} has no server group `{listener.server_group}`")
            if listener.access_list:
                yield from _blocks((*base, "listeners", i, "access_list", "entries"), listener.access_list.entries)
        for id_, servers in balancer.server_groups.items():
            for i, server in enumerate(servers.servers):
                where = (*base, "server_groups", id_, "servers", i, "server")
                yield from names.problem(where, server.server, ("instances", "network_interfaces"))
