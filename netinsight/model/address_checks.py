"""What must hold of ENIs, their groups and their addresses; of public addresses."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.addresses import family, parse_address, parse_prefix, text
from netinsight.model.base import Path, Unknown
from netinsight.model.findings import Finding, Names, over
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
    for section in ("havips", "load_balancers"):
        for name, holder in getattr(topology, section).items():
            vswitch = topology.vswitches.get(holder.vswitch or "")
            if vswitch and holder.ip:
                path = (section, name, "ip")
                owner = owners.setdefault((vswitch.vpc, parse_address(holder.ip)), path)
                if owner != path:
                    taken_by = (
                        owner[owner.index("network_interfaces") + 1] if "network_interfaces" in owner else owner[1]
                    )
                    yield Finding(path, f"{holder.ip} is taken: {taken_by} has it")
    yield from _public_addresses(topology)


def _public_addresses(topology: Topology) -> Iterator[Finding]:
    owners: dict[int, str] = {}
    places: list[tuple[Path, str, str]] = [
        (("instances", name, "public_ip"), instance.public_ip, name)
        for name, instance in topology.instances.items() if instance.public_ip
    ]  # fmt: skip
    places += [(("eips", name, "ip"), eip.ip, name) for name, eip in topology.eips.items()]
    places += [(("load_balancers", name, "public_ip"), balancer.public_ip, name)
               for name, balancer in topology.load_balancers.items() if balancer.public_ip]  # fmt: skip
    for path, written, name in places:
        owner = owners.setdefault(parse_address(written), name)
        if owner != name:
            yield Finding(path, f"{written} is taken: {owner} has it")
