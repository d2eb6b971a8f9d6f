"""What must stand in one VPC: a route and its next hops, a HaVip and its members, a load balancer and its servers."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.model.base import Path
from netinsight.model.findings import Finding
from netinsight.model.topology import Topology

Homes = dict[str, set[str]]
"""Id → the VPCs that it may be met from; of what is not known, nothing."""


def homes(topology: Topology) -> Iterator[Finding]:
    """What leads into a VPC that it does not stand in."""
    known = _homes(topology)
    for name, table in topology.route_tables.items():
        for i, row in enumerate(table.routes if isinstance(table.routes, list) else ()):
            path = ("route_tables", name, "routes", i)
            yield from _strange(topology, known, (*path, "next_hop"), row.next_hop, table.vpc)
            for n, hop in enumerate(row.others):
                yield from _strange(topology, known, (*path, "others", n, "id"), hop.id, table.vpc)
    for name, havip in topology.havips.items():
        home = next(iter(known.get(name, ())), "")
        if isinstance(havip.master, str):
            yield from _strange(topology, known, ("havips", name, "master"), havip.master, home)
        for i, member in enumerate(havip.members):
            yield from _strange(topology, known, ("havips", name, "members", i), member, home)
    for name, balancer in topology.load_balancers.items():
        for id_, group in balancer.server_groups.items():
            for i, server in enumerate(group.servers):
                where = ("load_balancers", name, "server_groups", id_, "servers", i, "server")
                yield from _strange(topology, known, where, server.server, balancer.vpc)


def _strange(topology: Topology, known: Homes, path: Path, name: str, vpc: str) -> Iterator[Finding]:
    """An object that stands in other VPCs than the one that is to meet it, as far as all of them are described."""
    found = known.get(name)
    if found and vpc in topology.vpcs and vpc not in found and found <= topology.vpcs.keys():
        yield Finding(path, f"`{name}` stands in VPC {' and '.join(sorted(found))}, not in {vpc}")


def _homes(topology: Topology) -> Homes:
    found: Homes = {}
    for interface in topology.interfaces():
        vswitch = topology.vswitches.get(interface.eni.vswitch)
        for name in filter(None, (interface.id, interface.instance_id)):
            found.setdefault(name, set()).add(vswitch.vpc if vswitch else "")
    for havip_name, havip in topology.havips.items():
        home = topology.vswitches.get(havip.vswitch)
        found[havip_name] = {home.vpc} if home else set()
    for section in (topology.nat_gateways, topology.ipv4_gateways, topology.ipv6_gateways, topology.vpn_gateways):
        found |= {name: {gateway.vpc} for name, gateway in section.items()}
    found |= {name: {peering.vpc, peering.peer_vpc} for name, peering in topology.peerings.items()}
    found |= {name: {one.router} for name, one in topology.router_interfaces.items() if one.router in topology.vpcs}
    attachments = (pair for router in topology.transit_routers.values() for pair in router.attachments.items())
    found |= {name: {one.to} for name, one in attachments if one.to in topology.vpcs}
    return found
