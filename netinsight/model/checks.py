"""What must hold between the objects of a topology: references, addresses, groups, limits.

Each check is a generator of findings over the whole topology; ``check`` runs them all, so that a user sees every
problem at once. A finding names the path of the value that is wrong; where that stands in a file is the reader's matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from netinsight.addresses import Prefix, family, parse_address, parse_prefix, text
from netinsight.errors import Severity, did_you_mean
from netinsight.model.base import Path, Unknown, looks_like_cidr
from netinsight.model.edge import DnatEntry, NatGateway, SnatEntry
from netinsight.model.instance import EniType
from netinsight.model.routing import RouteTableType
from netinsight.model.security_group import Direction, GroupType
from netinsight.model.topology import SECTIONS, Interface, Topology, check_assumptions


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold, at the value of ``path`` (or at its key)."""

    path: Path
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    at_key: bool = False


def _warning(path: Path, message: str, hint: str = "") -> Finding:
    return Finding(path, message, hint, Severity.WARNING)


class Names:
    """Every id of a topology, and the sections it stands in."""

    def __init__(self, topology: Topology, broken: Iterable[tuple[str, str]] = ()) -> None:
        self.where: dict[str, list[Path]] = defaultdict(list)
        for section in SECTIONS:
            for name in getattr(topology, section):
                self.where[name].append((section, name))
        for interface in topology.interfaces():
            if interface.instance_id:
                self.where[interface.id].append(interface.path)
        self.unknown = topology.unknown
        self.broken: dict[str, str] = {name: section for section, name in broken}

    def kinds(self, name: str) -> set[str]:
        """The sections in which ``name`` stands; an attached ENI counts as a network interface."""
        found = {
            "network_interfaces" if "network_interfaces" in path else str(path[0]) for path in self.where.get(name, ())
        }
        return found | ({self.broken[name]} if name in self.broken else set())

    def problem(self, path: Path, name: str, sections: tuple[str, ...]) -> Iterator[Finding]:
        """Nothing where ``name`` is an object of ``sections`` or declared unknown, else what is wrong."""
        if name in self.unknown or self.kinds(name) & set(sections):
            return
        called = " or ".join(SECTIONS[section] for section in sections)
        if kinds := self.kinds(name):
            yield Finding(path, f"`{name}` is a {SECTIONS[sorted(kinds)[0]]}; expected a {called}")
            return
        known = [other for other in {**self.where, **self.broken} if self.kinds(other) & set(sections)]
        yield Finding(
            path,
            f"no {called} `{name}` in the topology",
            did_you_mean(name, known) or f"describe it, or declare it: `unknown: {{{name}: why}}`",
        )


def check(topology: Topology, broken: Iterable[tuple[str, str]] = ()) -> list[Finding]:
    """Every finding of every check; ``broken`` names (section, id) of objects that stand in the file but could not be read."""
    names = Names(topology, broken)
    checks = (
        _ids(names),
        _accounts(topology),
        _assumptions(topology),
        _vpcs(topology),
        _vswitches(topology, names),
        _groups(topology, names),
        _acls(topology, names),
        _tables(topology, names),
        _lists(topology),
        _interfaces(topology, names),
        _addresses(topology),
        _eips(topology, names),
        _gateways(topology, names),
    )
    return [finding for findings in checks for finding in findings]


def _ids(names: Names) -> Iterator[Finding]:
    for name, paths in names.where.items():
        for path in paths[1:]:
            first = " of ".join(SECTIONS[str(part)] for part in (paths[0][0],))
            yield Finding(path, f"the id `{name}` is taken: it is the id of a {first}", at_key=True)
        if name in names.unknown:
            yield Finding(("unknown", name), f"`{name}` is declared unknown, but described", at_key=True)


def _accounts(topology: Topology) -> Iterator[Finding]:
    for section in ("instances", "vpcs"):
        for name, owned in getattr(topology, section).items():
            if owned.account and owned.account not in topology.accounts:
                hint = did_you_mean(owned.account, topology.accounts)
                yield Finding((section, name, "account"), f"no account `{owned.account}` in `accounts`", hint)


def _assumptions(topology: Topology) -> Iterator[Finding]:
    for name, value in topology.assumptions.items():
        try:
            check_assumptions({name: value})
        except ValueError as error:
            context = getattr(error, "context", None) or {}
            yield Finding(("assumptions", name), str(context.get("message", error)), str(context.get("hint", "")))


def _vpcs(topology: Topology) -> Iterator[Finding]:
    for name, vpc in topology.vpcs.items():
        blocks = [(parse_prefix(cidr), i) for i, cidr in enumerate(vpc.cidrs)]
        for later, (prefix, i) in enumerate(blocks):
            for other, _ in blocks[:later]:
                if prefix.first <= other.last and other.first <= prefix.last:
                    yield Finding(("vpcs", name, "cidrs", i), f"{prefix} overlaps {other} of the same VPC")


def _vswitches(topology: Topology, names: Names) -> Iterator[Finding]:
    taken: dict[str, list[tuple[int, int, str, str]]] = defaultdict(list)
    for name, vswitch in topology.vswitches.items():
        base = ("vswitches", name)
        yield from names.problem((*base, "vpc"), vswitch.vpc, ("vpcs",))
        yield from _same_vpc(topology, names, base, vswitch.vpc, "network_acl", vswitch.network_acl, "network_acls")
        yield from _same_vpc(topology, names, base, vswitch.vpc, "route_table", vswitch.route_table, "route_tables")
        vpc = topology.vpcs.get(vswitch.vpc)
        for key, written in (("cidr", vswitch.cidr), ("ipv6_cidr", vswitch.ipv6_cidr)):
            if written is None:
                continue
            prefix = parse_prefix(written)
            outer = (vpc.cidrs if key == "cidr" else [vpc.ipv6_cidr] if vpc.ipv6_cidr else []) if vpc else []
            if vpc and not any(_inside(prefix, parse_prefix(cidr)) for cidr in outer):
                allowed = ", ".join(outer) or "no IPv6 block"
                yield Finding((*base, key), f"{prefix} is outside its VPC {vswitch.vpc} ({allowed})")
            for first, last, other, cidr in taken[vswitch.vpc]:
                if prefix.first <= last and first <= prefix.last:
                    yield Finding((*base, key), f"{prefix} overlaps {cidr} of vSwitch {other}")
            taken[vswitch.vpc].append((prefix.first, prefix.last, name, written))


def _inside(inner: Prefix, outer: Prefix) -> bool:
    return outer.first <= inner.first and inner.last <= outer.last


def _same_vpc(
    topology: Topology, names: Names, base: Path, vpc: str, key: str, target: str | Unknown | None, section: str
) -> Iterator[Finding]:
    if not isinstance(target, str):
        return
    yield from names.problem((*base, key), target, (section,))
    described = getattr(topology, section).get(target)
    if described is not None and described.vpc != vpc:
        yield Finding((*base, key), f"{SECTIONS[section]} `{target}` belongs to VPC {described.vpc}, not to {vpc}")


def _groups(topology: Topology, names: Names) -> Iterator[Finding]:
    limits = topology.dialect.limits
    for name, group in topology.security_groups.items():
        base = ("security_groups", name)
        yield from names.problem((*base, "vpc"), group.vpc, ("vpcs",))
        rules = group.rules if isinstance(group.rules, list) else []
        references = 0
        for i, rule in enumerate(rules):
            key = "source" if rule.direction is Direction.INGRESS else "destination"
            yield from _cidr_or_list(names, (*base, "rules", i, key), rule.peer, ("security_groups", "prefix_lists"))
            if rule.own:
                own_key = "destination" if rule.direction is Direction.INGRESS else "source"
                yield from _host_bits((*base, "rules", i, own_key), rule.own)
            for port_key in ("ports", "source_ports"):
                written = getattr(rule, port_key)
                if written and written[0].isalpha():
                    yield from names.problem((*base, "rules", i, port_key), written, ("port_lists",))
            if rule.peer in topology.security_groups or "security_groups" in names.kinds(rule.peer):
                references += 1
                yield from _reference(topology, (*base, "rules", i, key), name, rule.peer)
        yield from _over(base, "rules", len(rules), limits.rules_per_group)
        yield from _over(base, "rules that reference a group", references, limits.group_references)


def _reference(topology: Topology, path: Path, name: str, peer: str) -> Iterator[Finding]:
    group, other = topology.security_groups[name], topology.security_groups.get(peer)
    if peer == name:
        yield _warning(path, f"a rule of {name} references {name} itself; the cloud refuses that",
                       "members reach each other by `inner_access_policy`")  # fmt: skip
    elif other and other.vpc != group.vpc:
        yield _warning(path, f"`{peer}` is a group of another VPC ({other.vpc}); the cloud refuses that")
    if group.type is GroupType.ENTERPRISE:
        yield _warning(path, f"the enterprise group {name} references a group; the cloud refuses that")
    elif other and other.type is GroupType.ENTERPRISE:
        yield _warning(path, f"`{peer}` is an enterprise group, which no rule may reference")


def _over(path: Path, what: str, count: int, limit: int) -> Iterator[Finding]:
    if count > limit:
        yield _warning(path, f"{count} {what}; the cloud allows {limit}")


def _cidr_or_list(names: Names, path: Path, written: str, sections: tuple[str, ...]) -> Iterator[Finding]:
    if looks_like_cidr(written):
        yield from _host_bits(path, written)
    else:
        yield from names.problem(path, written, sections)


def _host_bits(path: Path, written: str) -> Iterator[Finding]:
    prefix = parse_prefix(written)
    if prefix.had_host_bits:
        yield _warning(path, f"`{written}` has host bits set; they are masked: {prefix}")


def _acls(topology: Topology, names: Names) -> Iterator[Finding]:
    for name, acl in topology.network_acls.items():
        base = ("network_acls", name)
        yield from names.problem((*base, "vpc"), acl.vpc, ("vpcs",))
        for direction, key in (("ingress", "source"), ("egress", "destination")):
            entries = getattr(acl, direction)
            if isinstance(entries, Unknown):
                continue
            for i, entry in enumerate(entries):
                yield from _cidr_or_list(names, (*base, direction, i, key), entry.peer, ("prefix_lists",))
            yield from _over(
                (*base, direction), f"{direction} entries", len(entries), topology.dialect.limits.acl_entries
            )


NEXT_HOPS = ("instances", "network_interfaces", "nat_gateways", "peerings")


def _tables(topology: Topology, names: Names) -> Iterator[Finding]:
    systems: dict[str, str] = {}
    for name, table in topology.route_tables.items():
        base = ("route_tables", name)
        yield from names.problem((*base, "vpc"), table.vpc, ("vpcs",))
        if table.type is RouteTableType.SYSTEM and systems.setdefault(table.vpc, name) != name:
            yield Finding((*base, "type"), f"VPC {table.vpc} has a system table already: {systems[table.vpc]}")
        rows = table.routes if isinstance(table.routes, list) else []
        seen: dict[str, int] = {}
        for i, row in enumerate(rows):
            path = (*base, "routes", i)
            yield from _cidr_or_list(names, (*path, "destination"), row.destination, ("prefix_lists",))
            if row.next_hop_type is None or names.kinds(row.next_hop):
                yield from names.problem((*path, "next_hop"), row.next_hop, NEXT_HOPS)
            masked = str(parse_prefix(row.destination)) if looks_like_cidr(row.destination) else row.destination
            if masked in seen and rows[seen[masked]].type is row.type:
                yield Finding(
                    (*path, "destination"),
                    f"{masked} stands twice in the table (row {seen[masked] + 1} and row {i + 1})",
                )
            seen.setdefault(masked, i)


def _lists(topology: Topology) -> Iterator[Finding]:
    for name, listed in topology.prefix_lists.items():
        for i, entry in enumerate(listed.entries if isinstance(listed.entries, list) else []):
            yield from _host_bits(("prefix_lists", name, "entries", i), entry)
    for name, ports in topology.port_lists.items():
        for i, written in enumerate(ports):
            if written[0].isalpha():
                yield Finding(("port_lists", name, i), f"`{written}` is not a port range such as 80/80")


def _interfaces(topology: Topology, names: Names) -> Iterator[Finding]:
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
        if vswitch and group.vpc != vswitch.vpc:
            yield Finding((*path, i), f"group `{name}` belongs to VPC {group.vpc}; the ENI stands in {vswitch.vpc}")
        types.setdefault(group.type, name)
    if len(types) > 1:
        mixed = " and ".join(f"{name} ({kind})" for kind, name in types.items())
        yield Finding(path, f"groups of both types on one ENI: {mixed}")
    limits = topology.dialect.limits
    yield from _over(path, "groups on one ENI", len(groups), limits.groups_per_eni)
    yield from _over(path, "rules over the groups of one ENI", rules, limits.rules_per_eni)


def eni_addresses(interface: Interface) -> Iterator[tuple[Path, str]]:
    """Every address of an ENI, with where it stands."""
    yield (*interface.path, "ip"), interface.eni.ip
    for key in ("secondary_ips", "ipv6_addresses"):
        for i, written in enumerate(getattr(interface.eni, key)):
            yield (*interface.path, key, i), written


def _addresses(topology: Topology) -> Iterator[Finding]:
    owners: dict[tuple[str, int], str] = {}
    for interface in topology.interfaces():
        vswitch = topology.vswitches.get(interface.eni.vswitch)
        if vswitch is None:
            continue
        for path, written in eni_addresses(interface):
            address = parse_address(written)
            block = vswitch.cidr if family(address) == 4 else vswitch.ipv6_cidr
            if block is None:
                yield Finding(
                    path, f"{written} is an IPv6 address, but vSwitch {interface.eni.vswitch} has no IPv6 block"
                )
            elif not parse_prefix(block).first <= address <= parse_prefix(block).last:
                yield Finding(path, f"{written} is outside its vSwitch {interface.eni.vswitch} ({block})")
            owner = owners.setdefault((vswitch.vpc, address), interface.id)
            if owner != interface.id or (path[-1] != "ip" and written in (interface.eni.ip, *_before(interface, path))):
                yield Finding(path, f"{text(address)} is taken: {owner} has it")
    yield from _public_addresses(topology)


def _before(interface: Interface, path: Path) -> list[str]:
    key, index = path[-2], path[-1]
    return list(getattr(interface.eni, str(key))[: int(index)])


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


def _eips(topology: Topology, names: Names) -> Iterator[Finding]:
    bound: dict[tuple[str, str], str] = {}
    enis = {interface.id: interface for interface in topology.interfaces()}
    for name, eip in topology.eips.items():
        if not isinstance(eip.bound_to, str):
            continue
        base = ("eips", name)
        yield from names.problem((*base, "bound_to"), eip.bound_to, ("instances", "network_interfaces", "nat_gateways"))
        interface = enis.get(eip.bound_to) or primary_interface(topology, eip.bound_to)
        if interface is None:
            continue
        private = eip.private_ip or interface.eni.ip
        if private not in (interface.eni.ip, *interface.eni.secondary_ips):
            yield Finding((*base, "private_ip"), f"{private} is no address of {interface.id}")
        taken = bound.setdefault((interface.id, private), name)
        if taken != name:
            yield Finding((*base, "bound_to"), f"{private} of {interface.id} has a public address already: {taken}")
        instance = topology.instances.get(interface.instance_id or "")
        first = primary_interface(topology, interface.instance_id or "")
        if instance and instance.public_ip and first and (interface.id, private) == (first.id, first.eni.ip):
            yield Finding(
                (*base, "bound_to"),
                f"{interface.instance_id} has a static public address already: {instance.public_ip}",
            )


def primary_interface(topology: Topology, instance_id: str) -> Interface | None:
    """The primary ENI of an instance: the one of that type, else its only one; None where there is none."""
    instance = topology.instances.get(instance_id)
    if instance is None:
        return None
    enis = instance.network_interfaces
    chosen = next((name for name, eni in enis.items() if eni.type is EniType.PRIMARY), next(iter(enis), None))
    return (
        Interface(chosen, enis[chosen], instance_id, ("instances", instance_id, "network_interfaces", chosen))
        if chosen
        else None
    )


def _nat_entries(gateway: NatGateway) -> list[tuple[str, Sequence[SnatEntry | DnatEntry]]]:
    return [("snat", gateway.snat), ("dnat", gateway.dnat)]


def _gateways(topology: Topology, names: Names) -> Iterator[Finding]:
    for name, gateway in topology.nat_gateways.items():
        base = ("nat_gateways", name)
        yield from names.problem((*base, "vpc"), gateway.vpc, ("vpcs",))
        if gateway.vswitch:
            yield from _same_vpc(topology, names, base, gateway.vpc, "vswitch", gateway.vswitch, "vswitches")
        for key, entries in _nat_entries(gateway):
            for i, entry in enumerate(entries):
                path = (*base, key, i, "eip")
                yield from names.problem(path, entry.eip, ("eips",))
                eip = topology.eips.get(entry.eip)
                if eip and isinstance(eip.bound_to, str) and eip.bound_to != name:
                    yield Finding(path, f"EIP `{entry.eip}` is bound to {eip.bound_to}, not to {name}")
        for i, entry in enumerate(gateway.snat):
            yield from _host_bits((*base, "snat", i, "source"), entry.source)
    for name, peering in topology.peerings.items():
        base = ("peerings", name)
        yield from names.problem((*base, "vpc"), peering.vpc, ("vpcs",))
        if not peering.peer_cidrs:
            yield from names.problem((*base, "peer_vpc"), peering.peer_vpc, ("vpcs",))
