"""What must hold of ENIs, their groups and addresses, public addresses and NAT entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netinsight.addresses import family, parse_address, parse_prefix, text
from netinsight.model.base import Path, Unknown
from netinsight.model.edge import DnatEntry, NatGateway, SnatEntry
from netinsight.model.findings import Finding, Names, host_bits, over, same_vpc
from netinsight.model.instance import EniType
from netinsight.model.security_group import GroupType
from netinsight.model.topology import Interface, Topology


def interfaces(topology: Topology, names: Names) -> Iterator[Finding]:
    """One primary ENI an instance; vSwitches and groups that fit."""
    for instance_id, instance in topology.instances.items():
        primary = [eni for eni in instance.network_interfaces.values() if eni.type is EniType.PRIMARY]
        if len(primary) > 1 or (not primary and len(instance.network_interfaces) > 1):
            yield Finding(
                ("instances", instance_id, "network_interfaces"),
                f"an instance has one primary ENI, {instance_id} has {len(primary)}",
                "write `type: primary` at one and `type: secondary` at the others",
            )
    for interface in topology.interfaces():
        yield from names.problem((*interface.path, "vswitch"), interface.eni.vswitch, ("vswitches",))
        yield from _interface_groups(topology, names, interface)


def _interface_groups(topology: Topology, names: Names, interface: Interface) -> Iterator[Finding]:
    groups, path = interface.eni.security_groups, (*interface.path, "security_groups")
    if isinstance(groups, Unknown):
        return
    if not groups:
        yield Finding(path, "an ENI belongs to at least one security group")
    vswitch = topology.vswitches.get(interface.eni.vswitch)
    types: dict[GroupType, str] = {}
    rules = 0
    for i, name in enumerate(groups):
        if name in groups[:i]:
            yield Finding((*path, i), f"group `{name}` is named twice")
        yield from names.problem((*path, i), name, ("security_groups",))
        group = topology.security_groups.get(name)
        if group is None:
            continue
        rules += len(group.rules) if isinstance(group.rules, list) else 0
        if vswitch and group.vpc != vswitch.vpc and {group.vpc, vswitch.vpc} <= topology.vpcs.keys():
            yield Finding((*path, i), f"group `{name}` belongs to VPC {group.vpc}; the ENI stands in {vswitch.vpc}")
        types.setdefault(group.type, name)
    if len(types) > 1:
        mixed = " and ".join(f"{name} ({kind})" for kind, name in types.items())
        yield Finding(path, f"groups of both types on one ENI: {mixed}")
    limits = topology.dialect.limits
    yield from over(path, "groups on one ENI", len(groups), limits.groups_per_eni)
    yield from over(path, "rules over the groups of one ENI", rules, limits.rules_per_eni)


def addresses(topology: Topology) -> Iterator[Finding]:
    """Addresses inside their vSwitch, each taken once."""
    owners: dict[tuple[str, int], Path] = {}
    for interface in topology.interfaces():
        vswitch = topology.vswitches.get(interface.eni.vswitch)
        if vswitch is None:
            continue
        for path, written in interface.addresses():
            address = parse_address(written)
            block = vswitch.cidr if family(address) == 4 else vswitch.ipv6_cidr
            if block is None:
                yield Finding(
                    path, f"{written} is an IPv6 address, but vSwitch {interface.eni.vswitch} has no IPv6 block"
                )
            elif not parse_prefix(block).first <= address <= parse_prefix(block).last:
                yield Finding(path, f"{written} is outside its vSwitch {interface.eni.vswitch} ({block})")
            owner = owners.setdefault((vswitch.vpc, address), path)
            if owner != path:
                taken_by = owner[owner.index("network_interfaces") + 1]
                yield Finding(path, f"{text(address)} is taken: {taken_by} has it")
    yield from _public_addresses(topology)


def _public_addresses(topology: Topology) -> Iterator[Finding]:
    owners: dict[int, str] = {}
    places: list[tuple[Path, str, str]] = [
        (("instances", name, "public_ip"), instance.public_ip, name)
        for name, instance in topology.instances.items() if instance.public_ip
    ]  # fmt: skip
    places += [(("eips", name, "ip"), eip.ip, name) for name, eip in topology.eips.items()]
    for path, written, name in places:
        owner = owners.setdefault(parse_address(written), name)
        if owner != name:
            yield Finding(path, f"{written} is taken: {owner} has it")


def eips(topology: Topology, names: Names) -> Iterator[Finding]:
    """What EIPs are bound to, one a private address."""
    bound: dict[tuple[str, str], str] = {}
    enis = {interface.id: interface for interface in topology.interfaces()}
    for name, eip in topology.eips.items():
        if not isinstance(eip.bound_to, str):
            continue
        base = ("eips", name)
        yield from names.problem((*base, "bound_to"), eip.bound_to, ("instances", "network_interfaces", "nat_gateways"))
        interface = enis.get(eip.bound_to) or topology.primary_interface(eip.bound_to)
        if interface is None:
            continue
        private = eip.private_ip or interface.eni.ip
        if private not in (interface.eni.ip, *interface.eni.secondary_ips):
            yield Finding((*base, "private_ip"), f"{private} is no address of {interface.id}")
        taken = bound.setdefault((interface.id, private), name)
        if taken != name:
            yield Finding((*base, "bound_to"), f"{private} of {interface.id} has a public address already: {taken}")
        instance = topology.instances.get(interface.instance_id or "")
        first = topology.primary_interface(interface.instance_id or "")
        if instance and instance.public_ip and first and (interface.id, private) == (first.id, first.eni.ip):
            yield Finding(
                (*base, "bound_to"),
                f"{interface.instance_id} has a static public address already: {instance.public_ip}",
            )


def _nat_entries(gateway: NatGateway) -> list[tuple[str, Sequence[SnatEntry | DnatEntry]]]:
    return [("snat", gateway.snat), ("dnat", gateway.dnat)]


def gateways(topology: Topology, names: Names) -> Iterator[Finding]:
    """NAT gateways and peerings: VPCs, EIPs, sources."""
    for name, gateway in topology.nat_gateways.items():
        base = ("nat_gateways", name)
        yield from names.problem((*base, "vpc"), gateway.vpc, ("vpcs",))
        if gateway.vswitch:
            yield from same_vpc(topology, names, base, gateway.vpc, "vswitch", gateway.vswitch, "vswitches")
        for key, entries in _nat_entries(gateway):
            for i, entry in enumerate(entries):
                path = (*base, key, i, "eip")
                yield from names.problem(path, entry.eip, ("eips",))
                eip = topology.eips.get(entry.eip)
                if eip and isinstance(eip.bound_to, str) and eip.bound_to != name:
                    yield Finding(path, f"EIP `{entry.eip}` is bound to {eip.bound_to}, not to {name}")
        for i, entry in enumerate(gateway.snat):
            yield from host_bits((*base, "snat", i, "source"), entry.source)
    for name, peering in topology.peerings.items():
        base = ("peerings", name)
        yield from names.problem((*base, "vpc"), peering.vpc, ("vpcs",))
        for i, cidr in enumerate(peering.peer_cidrs):
            yield from host_bits((*base, "peer_cidrs", i), cidr)
        if not peering.peer_cidrs:
            yield from names.problem((*base, "peer_vpc"), peering.peer_vpc, ("vpcs",))
