"""Random estates, and questions about them, for property tests.

``topologies()`` draws small, valid topologies in which the interesting things are common: ties, nested and overlapping
ranges, rows that are equal to system rows, facts that are declared unknown. ``questions(topology)`` draws flows that
satisfy the preconditions, with ports at the edges of what the rules say.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from netinsight.errors import Severity
from netinsight.model.base import Unknown
from netinsight.model.checks import check
from netinsight.model.instance import EniStatus, EniType, InstanceStatus, NetworkInterface
from netinsight.model.topology import Topology

Document = dict[str, Any]
Draw = st.DrawFn

UNKNOWN = {"unknown": "not collected"}
LOST = ("sg-lost", "pl-lost", "ports-lost", "acl-lost", "rt-lost", "hop-lost")
"""Ids that are referenced, but declared unknown."""

PUBLIC_CIDRS = ("198.51.100.0/24", "198.51.100.0/25", "198.51.100.7/32", "8.8.8.8", "8.0.0.0/7", "203.0.113.128/25")
HOSTS = ("198.51.100.7", "198.51.100.200", "8.8.8.8", "203.0.113.200")
"""Internet hosts: addresses that no estate owns."""
OWNED_PUBLIC = tuple(f"203.0.113.{n}" for n in range(1, 40))
WIDE = ("0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/8", "10.0.1.0/24", "198.51.100.0/24", "::/0")
SERVICE_CIDRS = ("100.64.0.0/10", "100.100.0.0/16", "100.100.2.136/32", "100.100.100.200/32")
SERVICES = ("100.100.2.136", "100.100.2.138", "100.100.100.200", "100.100.45.1", "100.64.0.1")

PORT_RANGES = ("22/22", "25/25", "80/80", "80/443", "1/1024", "443/8005", "8000/8010", "8005/8020", "1024/65535",
               "1/65535", "-1/-1")  # fmt: skip
SOURCE_RANGES = ("1024/65535", "32768/60999", "40000/40000", "1/1023")
PROTOCOLS = ("tcp", "tcp", "tcp", "TCP", "udp", "all", "all", "all", "all", "icmp", "icmpv6", "gre", 6, 17, 50)
PRIORITIES = (1, 1, 1, 2, 10, 100)
POLICIES = ("accept", "accept", "drop")
LEARNED = ("BGP", "CEN", "ECR")
GATEWAY_HOPS = (("ipv4gw-1", "Ipv4Gateway"), ("vpn-1", "VpnGateway"), ("hv-1", "HaVip"), ("ri-1", "RouterInterface"))
ASSUMPTIONS = {
    "intra_group_egress": "custom_wins",
    "specific_route_beats_eip": "false",
    "default_route_to_instance_beats_eip": "true",
    "steered_own_vswitch": "routed",
    "icmp_gre_stateful": "false",
}
"""The value that each assumption does not have by itself."""


class Question(NamedTuple):
    """One flow to ask about."""

    src: str
    dst: str
    protocol: int
    source_port: int
    port: int


# ----------------------------------------------------------------------------------------------------------- the estate


@st.composite
def topologies(draw: Draw) -> Topology:
    """A valid topology of one or two VPCs."""
    document: Document = {"schema": "netinsight.topology/1", "collected_at": "2026-06-01T00:00:00Z"}
    document["vpcs"] = _vpcs(draw)
    document["vswitches"] = _vswitches(draw, document["vpcs"])
    types = _group_types(draw, document["vpcs"])
    document["instances"] = _instances(draw, document["vswitches"], types)
    if _rarely(draw):
        document["network_interfaces"] = _loose_eni(draw, document["vswitches"], types)
    document["prefix_lists"] = _prefix_lists(draw, document)
    document["port_lists"] = {"ports-web": ["80/80", "443/443"], "ports-high": ["8000/8010", "9000/9000"]}
    document["security_groups"] = {name: _group(draw, document, types, name) for name in types}
    _add_acls(draw, document)
    _add_public_addresses(draw, document)
    _add_tables(draw, document)
    if draw(st.integers(0, 3)) == 3:
        document["assumptions"] = dict(sorted(draw(st.sets(st.sampled_from(sorted(ASSUMPTIONS.items())), max_size=3))))
    written = json.dumps(document)
    document["unknown"] = {name: "of another account" for name in LOST if f'"{name}"' in written}
    topology = Topology.model_validate(document)
    errors = [finding for finding in check(topology) if finding.severity is Severity.ERROR]
    assert not errors, errors
    return topology


def _rarely(draw: Draw, one_in: int = 25) -> bool:
    """True about once in so many; shrinks to False."""
    return draw(st.integers(0, one_in - 1)) == one_in - 1


def _often(draw: Draw) -> bool:
    """True half of the time; shrinks to False."""
    return draw(st.booleans())


def _some(draw: Draw, pool: list[Any], most: int, least: int = 0) -> list[Any]:
    """Distinct ones of a pool, in any order."""
    most = min(most, len(pool))
    return draw(st.lists(st.sampled_from(pool), min_size=min(least, most), max_size=most, unique=True)) if pool else []


def _vpcs(draw: Draw) -> Document:
    vpcs: Document = {"vpc-1": {"cidrs": ["10.0.0.0/16"]}}
    if _often(draw):
        vpcs["vpc-2"] = {"cidrs": ["172.16.0.0/16"]}
    for n, vpc in enumerate(vpcs.values(), start=1):
        if not _rarely(draw, 3):
            vpc["ipv6_cidr"] = f"2001:db8:{n}::/56"
    return vpcs


def _vswitches(draw: Draw, vpcs: Document) -> Document:
    vswitches: Document = {}
    for n in range(1, draw(st.integers(2, 4)) + 1):
        vpc = "vpc-1" if n <= 2 else draw(st.sampled_from(sorted(vpcs)))
        block = vpcs[vpc]["cidrs"][0].split(".0.0/")[0]
        vswitch = {"vpc": vpc, "cidr": f"{block}.{n}.0/24"}
        if "ipv6_cidr" in vpcs[vpc] and not _rarely(draw, 4):
            vswitch["ipv6_cidr"] = vpcs[vpc]["ipv6_cidr"].replace("::/56", f":{n}::/64")
        vswitches[f"vsw-{n}"] = vswitch
    return vswitches


def _group_types(draw: Draw, vpcs: Document) -> dict[str, tuple[str, str]]:
    """The groups by id, each with its VPC and type."""
    types = {}
    for n, vpc in enumerate(vpcs, start=1):
        for i in range(1, draw(st.integers(1, 3)) + 1):
            types[f"sg-{n}{i}"] = (vpc, "normal")
        for i in range(1, draw(st.integers(0, 2)) + 1):
            types[f"sg-e{n}{i}"] = (vpc, "enterprise")
    return types


# ------------------------------------------------------------------------------------------------------ instances, ENIs


def _instances(draw: Draw, vswitches: Document, types: dict[str, tuple[str, str]]) -> Document:
    instances: Document = {}
    for n in range(1, draw(st.integers(2, 6)) + 1):
        first = "vsw-1" if n == 1 else draw(st.sampled_from(sorted(vswitches)))
        homes = [first]
        if _rarely(draw, 3):
            vpc = vswitches[first]["vpc"]
            homes.append(draw(st.sampled_from([name for name in sorted(vswitches) if vswitches[name]["vpc"] == vpc])))
        enis: Document = {}
        for i, vswitch in enumerate(homes, start=1):
            eni = _eni(draw, vswitches, types, vswitch, 10 * n + 4 * i)
            eni["type"] = "primary" if i == 1 else "secondary"
            if n > 1 and _rarely(draw):
                states = ["Attaching", "Detaching", "Deleting", UNKNOWN] + ["Available"] * (i > 1)
                eni["status"] = draw(st.sampled_from(states))
            enis[f"eni-{n}{i}"] = eni
        instance: Document = {"network_interfaces": enis}
        if n > 1 and _rarely(draw):
            instance["status"] = "Stopped"
        if _rarely(draw, 4):
            instance["smtp_unlocked"] = True
        instances[f"i-{n}"] = instance
    return instances


def _eni(draw: Draw, vswitches: Document, types: dict[str, tuple[str, str]], vswitch: str, host: int) -> Document:
    """An ENI whose addresses end in ``host`` and the number after it."""
    described = vswitches[vswitch]
    start = described["cidr"].removesuffix("0/24")
    eni: Document = {"vswitch": vswitch, "ip": f"{start}{host}"}
    if _rarely(draw, 4):
        eni["secondary_ips"] = [f"{start}{host + 1}"]
    if "ipv6_cidr" in described and not _rarely(draw, 4):
        eni["ipv6_addresses"] = [described["ipv6_cidr"].replace("::/64", f"::{host}")]
    eni["security_groups"] = _membership(draw, types, described["vpc"])
    return eni


def _membership(draw: Draw, types: dict[str, tuple[str, str]], vpc: str) -> Any:
    """The groups of an ENI: one to three of one type."""
    kinds = sorted({kind for home, kind in types.values() if home == vpc}, reverse=True)
    kind = draw(st.sampled_from(kinds))
    groups = _some(draw, [name for name, described in types.items() if described == (vpc, kind)], 3, least=1)
    if _rarely(draw, 40):
        return draw(st.sampled_from([UNKNOWN, [*groups, "sg-lost"]]))
    return groups


def _loose_eni(draw: Draw, vswitches: Document, types: dict[str, tuple[str, str]]) -> Document:
    """An ENI that is attached to nothing: it carries groups all the same."""
    vswitch = draw(st.sampled_from(sorted(vswitches)))
    return {"eni-loose": {**_eni(draw, vswitches, types, vswitch, 200), "status": "Available"}}


def _enis(document: Document) -> Iterator[tuple[str, Document]]:
    for instance in document["instances"].values():
        yield from instance["network_interfaces"].items()


# ------------------------------------------------------------------------------------------------------ prefixes, ports


def _prefixes(document: Document) -> tuple[list[str], list[str]]:
    """The IPv4 and IPv6 prefixes that rules speak of: nested ones around what the estate has, and public ones."""
    four = ["0.0.0.0/0", "10.0.0.0/8", "10.0.1.77/24", *PUBLIC_CIDRS, *SERVICE_CIDRS]
    six = ["::/0", "2001:db8::/32"]
    for vpc in document["vpcs"].values():
        four += vpc["cidrs"]
        six += [vpc["ipv6_cidr"]] if "ipv6_cidr" in vpc else []
    for vswitch in document["vswitches"].values():
        four += [vswitch["cidr"], vswitch["cidr"].replace("/24", "/27")]
        six += [vswitch["ipv6_cidr"]] if "ipv6_cidr" in vswitch else []
    for _, eni in _enis(document):
        four += [f"{eni['ip']}/32", *eni.get("secondary_ips", ())]
        six += [f"{address}/128" for address in eni.get("ipv6_addresses", ())]
    return four, six


def _prefix(draw: Draw, document: Document) -> str:
    """A prefix of either family, the widest of both more often than the others."""
    four, six = _prefixes(document)
    pools = [WIDE, WIDE, four, four] + ([["::/0", "2001:db8:1::/56"], six] if len(six) > 2 else [])
    return draw(st.sampled_from(draw(st.sampled_from(pools))))


def _prefix_lists(draw: Draw, document: Document) -> Document:
    four, six = _prefixes(document)
    lists: Document = {
        "pl-a": {"entries": _some(draw, four[1:], 3)},
        "pl-b": {"entries": _some(draw, four, 2, least=1)},
        "pl-six": {"family": "IPv6", "entries": _some(draw, six, 2)},
    }
    if _rarely(draw):
        lists["pl-b"] = {"entries": UNKNOWN}
    return lists


def _listed(draw: Draw) -> str:
    return "pl-lost" if _rarely(draw, 15) else draw(st.sampled_from(["pl-a", "pl-b", "pl-six"]))


def _ports(draw: Draw, protocol: Any) -> Document:
    """The port fields of a group's rule."""
    if str(protocol).lower() not in ("tcp", "udp", "6", "17"):
        return {"ports": "-1/-1"} if _rarely(draw, 4) else {}
    fields: Document = {}
    kind = draw(st.integers(0, 9))
    if kind >= 8:
        fields["ports"] = "ports-lost" if _rarely(draw, 15) else draw(st.sampled_from(["ports-web", "ports-high"]))
    elif kind >= 3:
        fields["ports"] = draw(st.sampled_from(PORT_RANGES))
    if _rarely(draw, 6):
        fields["source_ports"] = draw(st.sampled_from([*SOURCE_RANGES, "-1/-1", "ports-high"]))
    return fields


# --------------------------------------------------------------------------------------------------------- groups, ACLs


def _group(draw: Draw, document: Document, types: dict[str, tuple[str, str]], name: str) -> Document:
    vpc, kind = types[name]
    group: Document = {"vpc": vpc, "type": kind}
    if kind == "normal" and _often(draw):
        group["inner_access_policy"] = (
            UNKNOWN if _rarely(draw, 15) else draw(st.sampled_from(["Drop", "Drop", "Accept"]))
        )
    count = draw(st.sampled_from([0, 3, 5, 7, 9]))
    group["rules"] = UNKNOWN if _rarely(draw, 50) else [_rule(draw, document, sorted(types)) for _ in range(count)]
    return group


def _rule(draw: Draw, document: Document, groups: list[str]) -> Document:
    direction = draw(st.sampled_from(["ingress", "egress"]))
    peer_key, own_key = ("source", "destination") if direction == "ingress" else ("destination", "source")
    broad = _rarely(draw, 3)
    protocol = "all" if broad else draw(st.sampled_from(PROTOCOLS))
    rule: Document = {
        "direction": direction,
        "policy": draw(st.sampled_from(POLICIES)),
        "priority": draw(st.sampled_from(PRIORITIES)),
        "protocol": protocol,
        peer_key: draw(st.sampled_from(WIDE)) if broad else _rule_peer(draw, document, groups),
        **_ports(draw, protocol),
    }
    if _rarely(draw, 8):
        rule[own_key] = _own(draw, document, rule[peer_key])
    return rule


def _rule_peer(draw: Draw, document: Document, groups: list[str]) -> str:
    kind = draw(st.integers(0, 9))
    if kind < 6:
        return _prefix(draw, document)
    if kind < 8:
        return _listed(draw)
    return "sg-lost" if _rarely(draw, 15) else draw(st.sampled_from(groups))


def _own(draw: Draw, document: Document, peer: str) -> str:
    """A narrowing of the own side, of the family of the peer."""
    four, six = _prefixes(document)
    return draw(st.sampled_from(six if ":" in peer else four))


def _add_acls(draw: Draw, document: Document) -> None:
    """One or two ACLs for each VPC, bound to some of its vSwitches."""
    document["network_acls"] = {}
    for n, vpc in enumerate(document["vpcs"], start=1):
        names = [f"acl-{n}{i}" for i in range(1, draw(st.integers(0, 2)) + 1)]
        for name in names:
            acl: Document = {"vpc": vpc}
            for direction in ("ingress", "egress"):
                acl[direction] = UNKNOWN if _rarely(draw, 50) else _entries(draw, document, direction)
            document["network_acls"][name] = acl
        for vswitch in document["vswitches"].values():
            if vswitch["vpc"] != vpc:
                continue
            if names and not _rarely(draw, 4):
                vswitch["network_acl"] = draw(st.sampled_from(names))
            elif _rarely(draw):
                vswitch["network_acl"] = draw(st.sampled_from([UNKNOWN, "acl-lost"]))


def _entries(draw: Draw, document: Document, direction: str) -> list[Document]:
    key = "source" if direction == "ingress" else "destination"
    entries = [_entry(draw, document, key) for _ in range(draw(st.integers(0, 4)))]
    if not _rarely(draw, 3):
        entries.append({"policy": "accept", key: draw(st.sampled_from(["0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/8"]))})
        entries.append({"policy": "accept", key: "::/0"})
    return entries


def _entry(draw: Draw, document: Document, key: str) -> Document:
    protocol = draw(st.sampled_from(PROTOCOLS))
    entry: Document = {
        "policy": draw(st.sampled_from(["accept", "drop"])),
        "protocol": protocol,
        key: _listed(draw) if _rarely(draw, 5) else _prefix(draw, document),
    }
    if str(protocol).lower() in ("tcp", "udp", "6", "17") and _often(draw):
        entry["ports"] = draw(st.sampled_from([*PORT_RANGES, "0/79", "32768/60999"]))
    return entry


# ------------------------------------------------------------------------------------------ public addresses and routes


def _add_public_addresses(draw: Draw, document: Document) -> None:
    """Static addresses, EIPs, a NAT gateway, and which of them all are in a blackhole."""
    free = iter(OWNED_PUBLIC)
    static = set()
    for name, instance in document["instances"].items():
        if _rarely(draw, 3):
            static.add(name)
            instance["public_ip"] = next(free)
            if _often(draw):
                instance["public_bandwidth_mbps"] = 0 if _rarely(draw, 6) else 5
    eips: Document = {}
    for instance_id, eni_id, eni, is_primary in _attached(document):
        for private in (eni["ip"], *eni.get("secondary_ips", ())):
            if (is_primary and private == eni["ip"] and instance_id in static) or not _rarely(draw, 3):
                continue
            eip: Document = {"ip": next(free), "bound_to": instance_id if is_primary and _often(draw) else eni_id}
            if private != eni["ip"] or _rarely(draw, 3):
                eip["private_ip"] = private
            if not is_primary and _rarely(draw, 10):
                eip["mode"] = "MULTI_BINDED"
            eips[f"eip-{len(eips) + 1}"] = eip
    eips["eip-free"] = {"ip": next(free)} if not _rarely(draw) else {"ip": next(free), "bound_to": UNKNOWN}
    document["eips"] = eips
    _add_nat_gateway(draw, document, next(free))
    _add_blackholes(draw, document)


def _attached(document: Document) -> Iterator[tuple[str, str, Document, bool]]:
    for instance_id, instance in document["instances"].items():
        for eni_id, eni in instance["network_interfaces"].items():
            yield instance_id, eni_id, eni, eni["type"] == "primary"


def _add_nat_gateway(draw: Draw, document: Document, address: str) -> None:
    if not _rarely(draw, 3):
        return
    document["eips"]["eip-nat"] = {"ip": address, "bound_to": "nat-1"}
    targets = _some(draw, [eni["ip"] for _, eni in _enis(document) if eni["ip"].startswith("10.")], 2)
    dnat = [
        {"eip": "eip-nat", "protocol": "tcp", "external_port": 2200 + n, "internal_ip": target, "internal_port": 22}
        for n, target in enumerate(targets)
    ]
    snat = [{"source": "10.0.0.0/16", "eip": "eip-nat"}] if _often(draw) else []
    document["nat_gateways"] = {"nat-1": {"vpc": "vpc-1", "vswitch": "vsw-1", "dnat": dnat, "snat": snat}}


def _add_blackholes(draw: Draw, document: Document) -> None:
    owned = [instance["public_ip"] for instance in document["instances"].values() if "public_ip" in instance]
    owned += [eip["ip"] for eip in document["eips"].values()]
    until = [None, "2026-05-31T00:00:00Z", "2026-06-01T00:00:00Z", "2026-06-01T02:00:00+00:00"]
    attacked = [{"ip": address, "until": draw(st.sampled_from(until))} for address in _some(draw, owned, 4)]
    if attacked:
        document["ddos"] = {"blackholed": attacked}


def _add_tables(draw: Draw, document: Document) -> None:
    """A system table for some VPCs, and a custom table that some vSwitches name."""
    document["route_tables"] = {}
    for n, vpc in enumerate(document["vpcs"], start=1):
        names = []
        for name, kind in ((f"rt-{n}s", "system"), (f"rt-{n}c", "custom")):
            if _often(draw):
                names.append(name)
                document["route_tables"][name] = _table(draw, document, vpc, kind)
        for vswitch in document["vswitches"].values():
            if vswitch["vpc"] == vpc and names and _rarely(draw, 3):
                vswitch["route_table"] = draw(st.sampled_from(names))
            elif vswitch["vpc"] == vpc and _rarely(draw, 40):
                vswitch["route_table"] = draw(st.sampled_from([UNKNOWN, "rt-lost"]))


def _table(draw: Draw, document: Document, vpc: str, kind: str) -> Document:
    if _rarely(draw, 50):
        return {"vpc": vpc, "type": kind, "routes": UNKNOWN}
    learned = draw(st.sampled_from(LEARNED))
    rows: list[Document] = []
    taken: set[tuple[str, bool]] = set()
    for _ in range(draw(st.integers(0, 4))):
        row = _route(draw, document, vpc, learned)
        key = (_masked(row["destination"]), "type" in row)
        if key not in taken:
            taken.add(key)
            rows.append(row)
    return {"vpc": vpc, "type": kind, "routes": rows}


def _masked(destination: str) -> str:
    try:
        return str(ipaddress.ip_network(destination, strict=False))
    except ValueError:
        return destination


def _route(draw: Draw, document: Document, vpc: str, learned: str) -> Document:
    row: Document = {"destination": _destination(draw, document, vpc)}
    hops = [name for name, eni in _enis(document) if document["vswitches"][eni["vswitch"]]["vpc"] == vpc]
    hops += [i for i, _, eni, _ in _attached(document) if document["vswitches"][eni["vswitch"]]["vpc"] == vpc]
    hops += ["nat-1"] if vpc == "vpc-1" and "nat_gateways" in document else []
    if not hops or _often(draw):
        row["next_hop"], row["next_hop_type"] = draw(st.sampled_from(GATEWAY_HOPS))
    else:
        row["next_hop"] = "hop-lost" if _rarely(draw) else draw(st.sampled_from(hops))
    if _rarely(draw, 4):
        row["type"] = learned
    if _rarely(draw, 6):
        row["status"] = draw(st.sampled_from(["Pending", "Modifying"]))
    return row


def _destination(draw: Draw, document: Document, vpc: str) -> str:
    """Default routes, public ones, those of a vSwitch and around it, the service block, prefix lists."""
    inside = [vswitch for vswitch in document["vswitches"].values() if vswitch["vpc"] == vpc]
    blocks = [vswitch[key] for vswitch in inside for key in ("cidr", "ipv6_cidr") if key in vswitch]
    kind = draw(st.integers(0, 11))
    if kind < 4:
        return "0.0.0.0/0"
    if kind < 7:
        return draw(st.sampled_from(PUBLIC_CIDRS))
    if kind < 9:
        return str(draw(st.sampled_from(["::/0", "10.0.0.0/8", *document["vpcs"][vpc]["cidrs"], *SERVICE_CIDRS])))
    if kind < 11 and blocks:
        block = str(draw(st.sampled_from(blocks)))
        return block.replace("/24", "/27") if _rarely(draw, 5) else block
    return _listed(draw)


# ------------------------------------------------------------------------------------------------------------ questions


@st.composite
def questions(draw: Draw, topology: Topology) -> Question:
    """A flow between two ends that may be asked about."""
    pairs = _private_pairs(topology)
    usable = [name for name, *_ in _usable(topology)]
    kind = draw(st.integers(0, 9))
    if pairs and kind < 5:
        src, dst = _spell_pair(draw, topology, draw(st.sampled_from(pairs)))
    elif kind < 7:
        src, dst = _spell(draw, topology, draw(st.sampled_from(usable)), 4), draw(st.sampled_from(HOSTS))
    elif kind < 9:
        src, dst = draw(st.sampled_from(HOSTS)), _spell(draw, topology, draw(st.sampled_from(usable)), 4)
    else:
        src, dst = _spell(draw, topology, draw(st.sampled_from(usable)), 4), draw(st.sampled_from(SERVICES))
    is_six = ":" in src + dst
    protocol = draw(st.sampled_from([6, 6, 6, 6, 17, 17, 1, 47, 50, *([58] if is_six else [])]))
    if protocol not in (6, 17):
        return Question(src, dst, protocol, 0, 0)
    ports = st.one_of(st.sampled_from([22, 25, 80]), st.sampled_from(_edges(topology)))
    source_ports = st.one_of(st.sampled_from([40000, 32768, 60999, 1024, 65535, 1023]), ports)
    return Question(src, dst, protocol, draw(source_ports), draw(ports))


def _usable(topology: Topology) -> Iterator[tuple[str, NetworkInterface, str]]:
    """The ENIs that can be an end: attached to an instance that runs."""
    for instance_id, instance in topology.instances.items():
        for eni_id, eni in instance.network_interfaces.items():
            if instance.status is InstanceStatus.RUNNING and eni.status is not EniStatus.AVAILABLE:
                yield eni_id, eni, instance_id


def _private_pairs(topology: Topology) -> list[tuple[str, str, bool]]:
    """The pairs of ENIs of one VPC and two instances, once for IPv4 and once for IPv6 where both have it."""
    pairs = []
    for one, eni, instance in _usable(topology):
        for other, other_eni, other_instance in _usable(topology):
            if instance == other_instance or _vpc(topology, eni) != _vpc(topology, other_eni):
                continue
            pairs.append((one, other, False))
            if eni.ipv6_addresses and other_eni.ipv6_addresses:
                pairs.append((one, other, True))
    return pairs


def _vpc(topology: Topology, eni: NetworkInterface) -> str:
    """The VPC that an ENI stands in."""
    return topology.vswitches[eni.vswitch].vpc


def _spell_pair(draw: Draw, topology: Topology, pair: tuple[str, str, bool]) -> tuple[str, str]:
    """The two ends in words; of an IPv6 pair at least one is an address."""
    one, other, is_six = pair
    if not is_six:
        return _spell(draw, topology, one, 4), _spell(draw, topology, other, 4)
    src, dst = _spell(draw, topology, one, 6), _spell(draw, topology, other, 6)
    if ":" not in src + dst:
        src = next(eni for name, eni, _ in _usable(topology) if name == one).ipv6_addresses[0]
    return src, dst


def _spell(draw: Draw, topology: Topology, eni_id: str, family: int) -> str:
    """An ENI as a question may name it: its id, its instance's, or one of its addresses."""
    eni, instance_id = next((eni, instance) for name, eni, instance in _usable(topology) if name == eni_id)
    words = [eni_id, *([eni.ip, *eni.secondary_ips] if family == 4 else eni.ipv6_addresses)]
    if eni.type is EniType.PRIMARY:
        words.append(instance_id)
    return draw(st.sampled_from(words))


def _edges(topology: Topology) -> list[int]:
    """The ports at which some range begins or ends, and those beside them."""
    ports = {22, 25, 80, 443, 8005, 40000, 65535}
    for written in _ranges(topology):
        for word in written.split("/"):
            ports |= {int(word) - 1, int(word), int(word) + 1}
    return sorted(port for port in ports if 1 <= port <= 65535)


def _ranges(topology: Topology) -> Iterator[str]:
    """Every port range that is written somewhere."""
    for group in topology.security_groups.values():
        for rule in [] if isinstance(group.rules, Unknown) else group.rules:
            yield from (ports for ports in (rule.ports, rule.source_ports) if ports and not ports[0].isalpha())
    for acl in topology.network_acls.values():
        for entries in (acl.ingress, acl.egress):
            yield from (entry.ports for entry in ([] if isinstance(entries, Unknown) else entries) if entry.ports)
    for ports in topology.port_lists.values():
        yield from ports
