"""What must hold between the objects of a topology: references, addresses, groups, limits.

Each check is a generator of findings over the whole topology; ``check`` runs them all, so that a user sees every
problem at once. A finding names the path of the value that is wrong; where that stands in a file is the reader's matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from netinsight.addresses import Prefix, parse_prefix
from netinsight.errors import an, did_you_mean
from netinsight.model import address_checks, edge_checks, home_checks
from netinsight.model.assumptions import ASSUMPTIONS
from netinsight.model.base import Path, Unknown, looks_like_cidr, parse_rule_ports
from netinsight.model.findings import Finding, Names, cidr_or_list, host_bits, over, same_vpc, warning
from netinsight.model.routing import NextHopType, RouteTableType
from netinsight.model.security_group import Direction, GroupType
from netinsight.model.topology import SECTIONS, Topology, check_assumptions


def check(
    topology: Topology, broken: Iterable[tuple[str, str]] = (), partial: Iterable[tuple[str, str]] = ()
) -> list[Finding]:
    """Every finding of every check; ``broken`` names (section, id) of objects that stand in the file but could not be read."""
    names = Names(topology, broken, partial)
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
        address_checks.interfaces(topology, names),
        address_checks.addresses(topology),
        edge_checks.eips(topology, names),
        edge_checks.nat_gateways(topology, names),
        edge_checks.gateways(topology, names),
        edge_checks.links(topology, names),
        edge_checks.load_balancers(topology, names),
        home_checks.homes(topology),
    )
    return [finding for findings in checks for finding in findings]


def _ids(names: Names) -> Iterator[Finding]:
    for name, paths in names.where.items():
        for path in paths[1:]:
            first = SECTIONS["network_interfaces" if "network_interfaces" in paths[0] else str(paths[0][0])]
            yield Finding(path, f"the id `{name}` is taken: it is the id of {an(first)}", at_key=True)
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
            message, hint = str(context.get("message", error)), str(context.get("hint", ""))
            yield Finding(("assumptions", name), message, hint, at_key=name not in ASSUMPTIONS)


class _Block(NamedTuple):
    """A CIDR that must not overlap its neighbours: where it begins and ends, its place in the file, what it is called."""

    first: int
    last: int
    order: int
    path: Path
    cidr: str
    owner: str


def _overlaps(blocks: Iterable[_Block]) -> Iterator[Finding]:
    """One finding for each block that overlaps one before it on the line, at the later of the two in the file."""
    widest: _Block | None = None
    for block in sorted(blocks):
        if widest and block.first <= widest.last:
            earlier, later = sorted((widest, block), key=lambda one: one.order)
            yield Finding(later.path, f"{later.cidr} overlaps {earlier.cidr} of {earlier.owner}")
        widest = block if widest is None or block.last > widest.last else widest


def _vpcs(topology: Topology) -> Iterator[Finding]:
    for name, vpc in topology.vpcs.items():
        prefixes = [parse_prefix(cidr) for cidr in vpc.cidrs]
        yield from _overlaps(
            _Block(prefix.first, prefix.last, i, ("vpcs", name, "cidrs", i), str(prefix), "the same VPC")
            for i, prefix in enumerate(prefixes)
        )


def _vswitches(topology: Topology, names: Names) -> Iterator[Finding]:
    taken: dict[str, list[_Block]] = defaultdict(list)
    for order, (name, vswitch) in enumerate(topology.vswitches.items()):
        base = ("vswitches", name)
        yield from names.problem((*base, "vpc"), vswitch.vpc, ("vpcs",))
        yield from same_vpc(topology, names, base, vswitch.vpc, "network_acl", vswitch.network_acl, "network_acls")
        yield from same_vpc(topology, names, base, vswitch.vpc, "route_table", vswitch.route_table, "route_tables")
        vpc = topology.vpcs.get(vswitch.vpc)
        for key, written in (("cidr", vswitch.cidr), ("ipv6_cidr", vswitch.ipv6_cidr)):
            if written is None:
                continue
            prefix, path = parse_prefix(written), (*base, key)
            outer = (vpc.cidrs if key == "cidr" else [vpc.ipv6_cidr] if vpc.ipv6_cidr else []) if vpc else []
            judged = vpc is not None and ("vpcs", vswitch.vpc) not in names.partial
            if judged and not any(_inside(prefix, parse_prefix(cidr)) for cidr in outer):
                allowed = ", ".join(outer) or "no IPv6 block"
                yield Finding(path, f"{prefix} is outside its VPC {vswitch.vpc} ({allowed})")
            taken[vswitch.vpc].append(_Block(prefix.first, prefix.last, order, path, str(prefix), f"vSwitch {name}"))
    for blocks in taken.values():
        yield from _overlaps(blocks)


def _inside(inner: Prefix, outer: Prefix) -> bool:
    return outer.first <= inner.first and inner.last <= outer.last


def _groups(topology: Topology, names: Names) -> Iterator[Finding]:
    limits = topology.dialect.limits
    for name, group in topology.security_groups.items():
        base = ("security_groups", name)
        yield from names.problem((*base, "vpc"), group.vpc, ("vpcs",))
        rules = group.rules if isinstance(group.rules, list) else []
        references = 0
        for i, rule in enumerate(rules):
            key = "source" if rule.direction is Direction.INGRESS else "destination"
            yield from cidr_or_list(names, (*base, "rules", i, key), rule.peer, ("security_groups", "prefix_lists"))
            if rule.own:
                own_key = "destination" if rule.direction is Direction.INGRESS else "source"
                yield from host_bits((*base, "rules", i, own_key), rule.own)
            for port_key in ("ports", "source_ports"):
                written = getattr(rule, port_key)
                if written and written[0].isalpha():
                    yield from names.problem((*base, "rules", i, port_key), written, ("port_lists",))
            if rule.peer in topology.security_groups or "security_groups" in names.kinds(rule.peer):
                references += 1
                yield from _reference(topology, (*base, "rules", i, key), name, rule.peer)
        yield from over(base, "rules", len(rules), limits.rules_per_group)
        yield from over(base, "rules that reference a group", references, limits.group_references)


def _reference(topology: Topology, path: Path, name: str, peer: str) -> Iterator[Finding]:
    group, other = topology.security_groups[name], topology.security_groups.get(peer)
    if peer == name:
        yield warning(path, f"a rule of {name} references {name} itself; the cloud refuses that",
                       "members reach each other by `inner_access_policy`")  # fmt: skip
    elif other and other.vpc != group.vpc and {other.vpc, group.vpc} <= topology.vpcs.keys():
        yield warning(path, f"`{peer}` is a group of another VPC ({other.vpc}); the cloud refuses that")
    if group.type is GroupType.ENTERPRISE:
        yield warning(path, f"the enterprise group {name} references a group; the cloud refuses that")
    elif other and other.type is GroupType.ENTERPRISE:
        yield warning(path, f"`{peer}` is an enterprise group, which no rule may reference")


def _acls(topology: Topology, names: Names) -> Iterator[Finding]:
    for name, acl in topology.network_acls.items():
        base = ("network_acls", name)
        yield from names.problem((*base, "vpc"), acl.vpc, ("vpcs",))
        for direction, key in (("ingress", "source"), ("egress", "destination")):
            entries = getattr(acl, direction)
            if isinstance(entries, Unknown):
                continue
            for i, entry in enumerate(entries):
                yield from cidr_or_list(names, (*base, direction, i, key), entry.peer, ("prefix_lists",))
            yield from over(
                (*base, direction), f"{direction} entries", len(entries), topology.dialect.limits.acl_entries
            )


NEXT_HOPS = {
    "instances": NextHopType.INSTANCE,
    "network_interfaces": NextHopType.NETWORK_INTERFACE,
    "nat_gateways": NextHopType.NAT_GATEWAY,
    "peerings": NextHopType.VPC_PEER,
    "ipv4_gateways": NextHopType.IPV4_GATEWAY,
    "ipv6_gateways": NextHopType.IPV6_GATEWAY,
    "havips": NextHopType.HAVIP,
    "router_interfaces": NextHopType.ROUTER_INTERFACE,
    "vpn_gateways": NextHopType.VPN_GATEWAY,
}
"""The sections whose objects a route may lead to, and the API's word for each."""


def _called(names: Names, name: str) -> str:
    return SECTIONS[sorted(names.kinds(name))[0]]


def _next_hop(
    names: Names, path: Path, keys: tuple[str, str], hop: str, written: NextHopType | None
) -> Iterator[Finding]:
    if hop in names.attachments:
        kinds, described = [NextHopType.ATTACHMENT], "an attachment"
    else:
        if written is None or names.kinds(hop):
            yield from names.problem((*path, keys[0]), hop, tuple(NEXT_HOPS))
        kinds = [kind for section, kind in NEXT_HOPS.items() if section in names.kinds(hop)]
        described = an(_called(names, hop)) if kinds else ""
    if written and kinds and written not in kinds:
        yield Finding((*path, keys[1]), f"`{hop}` is {described}: {kinds[0]}, not {written}")


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
            yield from cidr_or_list(names, (*path, "destination"), row.destination, ("prefix_lists",))
            yield from _next_hop(names, path, ("next_hop", "next_hop_type"), row.next_hop, row.next_hop_type)
            for n, hop in enumerate(row.others):
                yield from _next_hop(names, (*path, "others", n), ("id", "type"), hop.id, hop.type)
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
            yield from host_bits(("prefix_lists", name, "entries", i), entry)
    for name, ports in topology.port_lists.items():
        for i, written in enumerate(ports):
            if written[0].isalpha():
                yield Finding(("port_lists", name, i), f"`{written}` is not a port range such as 80/80")
            elif (ports_range := parse_rule_ports(written)) and ports_range.first < 1:
                yield Finding(("port_lists", name, i), f"port range `{written}` is out of range (1 to 65535)")
