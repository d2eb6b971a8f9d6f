"""Random estates of several VPCs, full of what leaves a VPC, and questions about them, for property tests.

``wide_topologies()`` draws small, valid topologies by scenarios: each adds objects and the rows that lead to them, and
now and then makes a mistake. ``wide_questions(topology)`` draws flows that the packet oracle accepts.
"""

from __future__ import annotations

import ipaddress
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from hypothesis import reject
from hypothesis import strategies as st

from netinsight.errors import Severity
from netinsight.model.assumptions import ASSUMPTIONS
from netinsight.model.base import Unknown
from netinsight.model.checks import check
from netinsight.model.gateways import DnatEntry, NatGateway
from netinsight.model.instance import EniStatus, InstanceStatus, NetworkInterface
from netinsight.model.load_balancer import LoadBalancer
from netinsight.model.topology import Topology
from tests import oracle, packet_oracle
from tests.estates import SERVICES, Question

Document = dict[str, Any]
Draw = st.DrawFn

UNKNOWN = {"unknown": "not collected"}
LOST = ("hop-lost", "rt-lost", "acl-lost")
"""Ids that are referenced, but declared unknown."""

HOSTS = ("198.51.100.7", "198.51.100.200", "8.8.8.8")
"""Internet hosts: addresses that no estate owns."""
HOSTS_6 = ("2400:3200::1", "2606:4700::1111")
PUBLIC_CIDRS = ("198.51.100.0/24", "198.51.100.7/32", "8.0.0.0/8", "203.0.113.0/24")
NETWORKS = (("net-1", ["192.168.10.0/24"]), ("net-2", ["192.168.20.0/24", "172.31.0.0/24"]))
"""Offices and data centres."""
FAR_VPC, FAR_CIDR = "vpc-far", "10.200.0.0/16"
"""A VPC of another account, known by the blocks of a peering."""
LOCKS = ("FinancialLocked", "SecurityLocked")
ACCEPT_ALL = (
    {"direction": "ingress", "policy": "accept", "protocol": "all", "source": "0.0.0.0/0"},
    {"direction": "ingress", "policy": "accept", "protocol": "all", "source": "::/0"},
)


class Host(NamedTuple):
    """An ENI of the document, with what it hangs on."""

    instance: str
    id: str
    eni: Document
    vpc: str


# ------------------------------------------------------------------------------------------------------------ the draft


class Draft:
    """A document in the making, and what its scenarios need to share."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.document: Document = {"schema": "netinsight.topology/1", "collected_at": "2026-06-01T00:00:00Z"}
        self.public = (f"203.0.113.{n}" for n in range(1, 250))
        self.last: Counter[str] = Counter()
        self.taken: set[tuple[str, str]] = set()
        """The private addresses, each with its VPC, that have a public one."""

    def __getitem__(self, section: str) -> Document:
        found: Document = self.document.setdefault(section, {})
        return found

    # what chance decides

    def one(self, pool: Sequence[Any]) -> Any:
        """One of a pool."""
        return self.draw(st.sampled_from(pool))

    def some(self, pool: Sequence[Any], least: int, most: int) -> list[Any]:
        """Distinct ones of a pool."""
        most = min(most, len(pool))
        indices = st.integers(0, max(0, len(pool) - 1))
        drawn = self.draw(st.lists(indices, min_size=min(least, most), max_size=most, unique=True)) if pool else []
        return [pool[i] for i in drawn]

    def rarely(self, one_in: int = 12) -> bool:
        """True about once in so many; shrinks to False."""
        return self.draw(st.integers(0, one_in - 1)) == one_in - 1

    def often(self) -> bool:
        """True half of the time; shrinks to False."""
        return self.draw(st.booleans())

    def wrong(self, target: Document, one_in: int = 10, **mistakes: Sequence[Any]) -> None:
        """Now and then give one field of an object a value that is likely to stop it."""
        if self.rarely(max(2, one_in * 2 // 3)):
            key = self.one(sorted(mistakes))
            target[key] = self.one(mistakes[key])

    # what there is

    def hosts(self, vpc: str | None = None) -> list[Host]:
        """The ENIs that instances have, of one VPC or of all."""
        found = []
        for instance_id, instance in self["instances"].items():
            for eni_id, eni in instance["network_interfaces"].items():
                home = self["vswitches"][eni["vswitch"]]["vpc"]
                if vpc in (None, home):
                    found.append(Host(instance_id, eni_id, eni, home))
        return found

    def home(self) -> str:
        """A VPC, rarely one without instances."""
        homes = sorted({host.vpc for host in self.hosts()})
        return str(self.one(sorted(self["vpcs"]) if self.rarely(15) else homes))

    def vswitches(self, vpc: str) -> list[str]:
        """The vSwitches of a VPC."""
        return [name for name, vswitch in self["vswitches"].items() if vswitch["vpc"] == vpc]

    def tables(self, vpc: str) -> list[str]:
        """The tables of a VPC that vSwitches use."""
        return [name for name, t in self["route_tables"].items() if t["vpc"] == vpc and t["type"] != "gateway"]

    def blocks(self, vpc: str) -> list[str]:
        """The blocks of a VPC that routes to it are written for."""
        listed: list[str] = self["vpcs"][vpc]["cidrs"]
        return listed

    def table_of(self, vswitch: str) -> str:
        """The table that routes what leaves a vSwitch."""
        described = self["vswitches"][vswitch]
        name = described.get("route_table")
        return name if name in self["route_tables"] else f"rt-{described['vpc'][-1]}s"

    # what is added

    def address(self, vswitch: str) -> str:
        """A free address of a vSwitch."""
        self.last[vswitch] += 1
        return f"{self['vswitches'][vswitch]['cidr'].removesuffix('0/24')}{199 + self.last[vswitch]}"

    def eip(self, **fields: Any) -> str:
        """A new EIP."""
        name = f"eip-{len(self['eips']) + 1}"
        self["eips"][name] = {"ip": next(self.public), **fields}
        self.wrong(self["eips"][name], 30, business_status=LOCKS)
        return name

    def is_free(self, host: Host, private: str) -> bool:
        """Whether an address has no public one yet; afterwards it counts as having one."""
        key = (host.vpc, private)
        is_new = key not in self.taken
        self.taken.add(key)
        return is_new

    def route(
        self, vpc: str, destination: str, hop: str, tables: Sequence[str] = (), one_in: int = 10, **fields: Any
    ) -> None:
        """A row in every table of a VPC, or in some; where there is such a row, one more next hop of it, or nothing."""
        for name in tables or self.tables(vpc):
            if self.rarely(one_in):
                continue
            rows = self["route_tables"][name]["routes"]
            if isinstance(rows, dict):
                continue
            row: Document = {"destination": destination, "next_hop": hop, **fields}
            before = next(
                (r for r in rows if r["destination"] == destination and r.get("type") == row.get("type")), None
            )
            if before is None:
                self.wrong(row, 40, status=["Pending", "Modifying"], healthy=[False])
                rows.append(row)
            elif before["next_hop"] != hop and not before.get("others") and self.rarely(3):
                other = {"id": hop, "weight": self.one([100, 100, 0])}
                self.wrong(other, 10, healthy=[False])
                before["others"] = [other]
                if other["weight"] and self.rarely(4):
                    before.update(self.one([{"healthy": False}, {"weight": 0}]))

    def routes(self, vpc: str, destinations: Sequence[str], hop: str, **fields: Any) -> None:
        """Rows to one next hop; one of them is forgotten now and then."""
        for destination in destinations:
            self.route(vpc, destination, hop, **fields)


# ------------------------------------------------------------------------------------------------------------- the base


def _vpcs(d: Draft) -> None:
    """Two or three VPCs, rarely with the same blocks, and their vSwitches."""
    blocks = ["10.1.0.0/16", "10.2.0.0/16", "172.16.0.0/16"][: d.draw(st.integers(2, 3))]
    if d.rarely(20):
        blocks[-1] = d.one(["10.1.0.0/16", "10.1.128.0/17", "10.0.0.0/8"])
    for n, block in enumerate(blocks, start=1):
        vpc: Document = {"cidrs": [block]}
        if n < 3 and d.rarely(2):
            vpc["ipv6_cidr"] = f"2001:db8:{n}::/56"
        if d.rarely(25):
            vpc["internet_mode"] = d.one(["private", "private", UNKNOWN])
        d["vpcs"][f"vpc-{n}"] = vpc
        start = ".".join(block.split(".")[:2]) if block != "10.0.0.0/8" else "10.1"
        low = 128 if block.endswith("/17") else 0
        for k in range(1, d.draw(st.integers(1, 3)) + 1):
            vswitch: Document = {"vpc": f"vpc-{n}", "cidr": f"{start}.{low + k}.0/24"}
            if "ipv6_cidr" in vpc and not d.rarely(5):
                vswitch["ipv6_cidr"] = f"2001:db8:{n}:{k}::/64"
            d["vswitches"][f"vsw-{n}{k}"] = vswitch


def _filters(d: Draft) -> None:
    """Groups of which most take everything, and a few ACLs."""
    for n, vpc in enumerate(d["vpcs"], start=1):
        for name in (f"sg-{n}a", f"sg-{n}b"):
            kind = "enterprise" if name.endswith("b") and d.rarely(4) else "normal"
            rules: list[Document] = [dict(rule) for rule in ACCEPT_ALL]
            if kind == "enterprise":
                rules += [{"direction": "egress", "policy": "accept", "protocol": "all", "destination": peer}
                          for peer in ("0.0.0.0/0", "::/0")]  # fmt: skip
            if name.endswith("b") and d.rarely(3):
                rules = [_rule(d) for _ in range(d.draw(st.integers(0, 3)))] + rules * d.often()
            d["security_groups"][name] = {"vpc": vpc, "type": kind, "rules": rules}
        for vswitch in d.vswitches(vpc):
            if d.rarely(12):
                name = f"acl-{vswitch[4:]}"
                d["network_acls"][name] = {
                    "vpc": vpc,
                    "ingress": _entries(d, "source"),
                    "egress": _entries(d, "destination"),
                }
                d["vswitches"][vswitch]["network_acl"] = name
            elif d.rarely(80):
                d["vswitches"][vswitch]["network_acl"] = d.one([UNKNOWN, "acl-lost"])


def _rule(d: Draft) -> Document:
    direction = d.one(["ingress", "egress"])
    rule: Document = {
        "direction": direction,
        "policy": d.one(["accept", "drop"]),
        "priority": d.one([1, 2, 100]),
        "protocol": d.one(["tcp", "udp", "all", "icmp"]),
        "source" if direction == "ingress" else "destination": _peer(d),
    }
    if rule["protocol"] in ("tcp", "udp"):
        rule["ports"] = d.one(["1/65535", "22/22", "80/443", "8000/8010", "1024/65535"])
    return rule


def _peer(d: Draft) -> str:
    blocks = [cidr for vpc in d["vpcs"].values() for cidr in vpc["cidrs"]]
    blocks += [vswitch["cidr"] for vswitch in d["vswitches"].values()]
    return str(d.one(["0.0.0.0/0", "198.51.100.0/24", "192.168.0.0/16", "203.0.113.0/24", *blocks]))


def _entries(d: Draft, key: str) -> list[Document]:
    entries: list[Document] = []
    for _ in range(d.draw(st.integers(0, 2))):
        entry: Document = {"policy": d.one(["drop", "accept"]), "protocol": d.one(["tcp", "all", "udp"]), key: _peer(d)}
        if entry["protocol"] == "tcp" and d.often():
            entry["ports"] = d.one(["22/22", "1024/65535", "80/443", "8000/8010"])
        entries.append(entry)
    if not d.rarely(6):
        entries += [{"policy": "accept", key: "0.0.0.0/0"}, {"policy": "accept", key: "::/0"}]
    return entries


def _instances(d: Draft) -> None:
    """Three to seven instances; the first two stand in the first two VPCs."""
    names = sorted(d["vswitches"])
    for n in range(1, d.draw(st.integers(3, 7)) + 1):
        homes = [d.one([name for name in names if name.startswith(f"vsw-{n}")] if n < 3 else names)]
        if d.rarely(4):
            homes.append(d.one(d.vswitches(d["vswitches"][homes[0]]["vpc"])))
        enis: Document = {}
        for i, home in enumerate(homes, start=1):
            enis[f"eni-{n}{i}"] = _eni(d, home, 10 * n + 4 * i, "primary" if i == 1 else "secondary")
        instance: Document = {"network_interfaces": enis}
        d.wrong(instance, 30, status=["Stopped", UNKNOWN] if n > 2 else ["Running"])
        if d.rarely(3):
            instance["smtp_unlocked"] = True
        d["instances"][f"i-{n}"] = instance


def _eni(d: Draft, vswitch: str, host: int, kind: str) -> Document:
    described = d["vswitches"][vswitch]
    start, n = described["cidr"].removesuffix("0/24"), described["vpc"][-1]
    group = f"sg-{n}b" if d.rarely(4) else f"sg-{n}a"
    eni: Document = {"type": kind, "vswitch": vswitch, "ip": f"{start}{host}", "security_groups": [group]}
    if d.rarely(5):
        eni["secondary_ips"] = [f"{start}{host + 1}"]
    if "ipv6_cidr" in described and not d.rarely(4):
        eni["ipv6_addresses"] = [described["ipv6_cidr"].replace("::/64", f"::{host}")]
    if d.rarely(6):
        eni["source_dest_check"] = True
    states = ["Attaching", "Detaching", UNKNOWN, *(["Available"] if kind == "secondary" else [])]
    d.wrong(eni, 40, status=states)
    return eni


def _tables(d: Draft) -> None:
    """A system table for each VPC, and custom tables that some vSwitches name."""
    for n, vpc in enumerate(d["vpcs"], start=1):
        d["route_tables"][f"rt-{n}s"] = {"vpc": vpc, "type": "system", "routes": []}
        if d.rarely(3):
            d["route_tables"][f"rt-{n}c"] = {"vpc": vpc, "type": "custom", "routes": []}
            for vswitch in d.some(d.vswitches(vpc), 1, 2):
                d["vswitches"][vswitch]["route_table"] = f"rt-{n}c"


def _own_table(d: Draft, vpc: str, vswitch: str) -> str:
    """A custom table of one vSwitch, with the rows that it had so far."""
    name = f"rt-{vswitch}"
    if name not in d["route_tables"]:
        before = d["route_tables"][d.table_of(vswitch)]["routes"]
        d["route_tables"][name] = {"vpc": vpc, "type": "custom", "routes": json.loads(json.dumps(before))}
        d["vswitches"][vswitch]["route_table"] = name
    return name


def _public_addresses(d: Draft) -> None:
    """Static addresses and EIPs of ENIs, one that is bound to nothing."""
    for host in d.hosts():
        if not d.rarely(5):
            continue
        instance = d["instances"][host.instance]
        is_primary = host.eni["type"] == "primary"
        if is_primary and d.rarely(3):
            if d.is_free(host, host.eni["ip"]):
                instance["public_ip"] = next(d.public)
                d.wrong(instance, 12, public_bandwidth_mbps=[0])
            continue
        private = d.one([host.eni["ip"], *host.eni.get("secondary_ips", ())])
        if not d.is_free(host, private):
            continue
        fields: Document = {"bound_to": host.instance if is_primary and d.often() else host.id}
        if private != host.eni["ip"]:
            fields["private_ip"] = private
        d.eip(**fields)
    if d.rarely(4):
        d.eip() if not d.rarely(5) else d.eip(bound_to=UNKNOWN)


# -------------------------------------------------------------------------------------------------------- the scenarios


def _pair(d: Draft) -> tuple[str, str]:
    """Two VPCs that have something to say to each other."""
    one, other = d.some(sorted(d["vpcs"]), 2, 2)
    return one, other


def _network(d: Draft) -> tuple[str, list[str]]:
    """A network outside, described once."""
    name, cidrs = d.one(NETWORKS)
    d["networks"][name] = {"cidrs": list(cidrs)}
    return name, list(cidrs)


def _peering(d: Draft) -> None:
    """A peering of two VPCs, or of one with a VPC that only its blocks are known of."""
    one, other = _pair(d)
    name = f"pcx-{len(d['peerings']) + 1}"
    peering: Document = {"vpc": one, "peer_vpc": other}
    if d.rarely(4):
        peering.update(peer_vpc=FAR_VPC, peer_cidrs=[FAR_CIDR])
    d["peerings"][name] = peering
    states = ["Accepting", "Deleted", "Expired", UNKNOWN]
    d.wrong(peering, status=states, business_status=LOCKS)
    if "peer_cidrs" in peering:
        d.routes(one, [FAR_CIDR], name)
        return
    d.routes(one, d.blocks(other), name)
    d.routes(other, d.blocks(one), name, one_in=8)
    if d.rarely(8):
        d.route(one, "0.0.0.0/0", name)


def _nat_gateway(d: Draft, vpc: str, **fields: Any) -> tuple[str, Document]:
    """A NAT gateway that works, but for now and then."""
    name = f"nat-{len(d['nat_gateways']) + 1}"
    gateway: Document = {"vpc": vpc, "snat": [], "dnat": [], **fields}
    if not d.rarely(6):
        gateway["vswitch"] = d.one(d.vswitches(vpc))
    d["nat_gateways"][name] = gateway
    d.wrong(gateway, 14, status=["Creating", "Modifying", UNKNOWN], business_status=LOCKS)
    return name, gateway


def _sources(d: Draft, vpc: str) -> list[str]:
    """Blocks for SNAT entries, nested, the widest more often than not."""
    inside = [d["vswitches"][name]["cidr"] for name in d.vswitches(vpc)]
    lone = [f"{host.eni['ip']}/32" for host in d.hosts(vpc)]
    wide = [] if d.rarely(6) else [d.blocks(vpc)[0]]
    return list(dict.fromkeys(wide + d.some([*inside, *lone], 0 if wide else 1, 2)))


def _internet_nat(d: Draft, vpc: str, has_snat: bool, has_dnat: bool) -> None:
    name, gateway = _nat_gateway(d, vpc)
    if d.rarely(10):
        gateway["eip_bind_mode"] = "MULTI_BINDED"
    eips = [d.eip(bound_to=name) for _ in range(d.draw(st.integers(1, 2)))]
    for source in _sources(d, vpc) if has_snat else ():
        entry: Document = {"source": source, "eip": eips if d.rarely(3) else d.one(eips)}
        d.wrong(entry, 20, status=["Pending", "Deleting"])
        gateway["snat"].append(entry)
    for external, internal in _dnats(d, vpc) if has_dnat else ():
        gateway["dnat"].append({"eip": eips[0] if d.often() else d.one(eips), **external, **internal})
    d.wrong(gateway, 40, snat=[UNKNOWN], dnat=[UNKNOWN])
    if d.rarely(6):
        d.routes(vpc, ["198.51.100.0/24", "8.0.0.0/8"], name)
    else:
        d.route(vpc, "0.0.0.0/0", name)


def _dnats(d: Draft, vpc: str) -> Iterator[tuple[Document, Document]]:
    """DNAT entries without their address: a port, a range, a whole address; to ENIs without a public address, mostly."""
    hosts = d.hosts(vpc)
    private = [host for host in hosts if (vpc, host.eni["ip"]) not in d.taken] or hosts
    if not private:
        return
    for n in range(d.draw(st.integers(1, 3))):
        target = d.one(hosts if d.rarely(8) else private).eni["ip"]
        if d.rarely(20):
            target = f"{target.rsplit('.', 1)[0]}.250"
        inner: Document = {"internal_ip": target}
        d.wrong(inner, 25, status=["Pending", "Deleting"])
        kind = d.draw(st.integers(0, 3))
        protocol = d.one(["tcp", "tcp", "udp"])
        if kind < 2:
            yield (
                {"protocol": protocol, "external_port": 8000 + 10 * n},
                {**inner, "internal_port": d.one([22, 80, 8000])},
            )
        elif kind < 3:
            first = 9000 + 20 * n
            inside = d.one([first, 7000])
            outer: Document = {"protocol": protocol, "external_port": f"{first}/{first + 9}"}
            yield outer, {**inner, "internal_port": f"{inside}/{inside + 9}"}
        else:
            yield {"protocol": "any"}, inner


def _snat(d: Draft) -> None:
    """An Internet NAT gateway that translates sources."""
    _internet_nat(d, d.home(), has_snat=True, has_dnat=d.rarely(3))


def _dnat(d: Draft) -> None:
    """An Internet NAT gateway that translates destinations."""
    _internet_nat(d, d.home(), has_snat=d.rarely(3), has_dnat=True)


def _vpc_nat(d: Draft) -> None:
    """A VPC NAT gateway before a link to another VPC or to a network."""
    vpc, other = _pair(d)
    name, gateway = _nat_gateway(d, vpc, network_type="intranet")
    home = d.vswitches(vpc)[0] if "vswitch" not in gateway else gateway["vswitch"]
    own = [d.address(home) for _ in range(d.draw(st.integers(1, 2)))]
    for source in _sources(d, vpc):
        gateway["snat"].append({"source": source, "nat_ip": own if d.rarely(3) else d.one(own)})
    if d.often():
        gateway["dnat"] = [{"nat_ip": d.one(own), **outer, **inner} for outer, inner in _dnats(d, vpc)]
    if d.often():
        network, cidrs = _network(d)
        hop = _vpn_to(d, vpc, network, cidrs)
        beyond, back = cidrs, None
    else:
        hop = f"pcx-{len(d['peerings']) + 1}"
        d["peerings"][hop] = {"vpc": vpc, "peer_vpc": other}
        beyond, back = d.blocks(other), other
    inside = [vswitch for vswitch in d.vswitches(vpc) if vswitch != home]
    table = _own_table(d, vpc, home)
    d.routes(vpc, beyond, hop, tables=[table])
    d.routes(vpc, beyond, name, tables=[t for t in d.tables(vpc) if t != table] if inside else [table])
    if back:
        d.routes(back, d.blocks(vpc), hop)


def _ipv4_gateway(d: Draft) -> None:
    """An IPv4 gateway: rows to it from some vSwitches, EIPs of addresses, a gateway table with an appliance."""
    vpc = d.home()
    if any(gateway["vpc"] == vpc for gateway in d["ipv4_gateways"].values()):
        return
    name = f"ipv4gw-{vpc[-1]}"
    gateway: Document = {"vpc": vpc}
    d.wrong(gateway, 5, enabled=[False, False, UNKNOWN])
    d["ipv4_gateways"][name] = gateway
    d["vpcs"][vpc].pop("internet_mode", None)
    homes = d.some(d.vswitches(vpc), 1, 3)
    for home in homes:
        table = _own_table(d, vpc, home) if d.rarely(3) else d.table_of(home)
        rows = d["route_tables"][table]["routes"]
        if d.rarely(3) and not isinstance(rows, dict):
            rows[:] = [row for row in rows if row["destination"] != "0.0.0.0/0"]
        d.route(vpc, "0.0.0.0/0", name, tables=[table])
    for host in d.hosts(vpc):
        if host.eni["vswitch"] in homes and d.often() and d.is_free(host, host.eni["ip"]):
            if d.rarely(3):
                d.eip(vpc=vpc, private_ip=host.eni["ip"])
            else:
                d.eip(bound_to=host.id)
    if d.rarely(2):
        table = f"rt-gw-{vpc[-1]}"
        d["route_tables"][table] = {"vpc": vpc, "type": "gateway", "routes": []}
        gateway["route_table"] = table
        hosts = d.hosts(vpc)
        for vswitch in d.some(d.vswitches(vpc), 0, 2):
            if hosts:
                appliance = d.one(hosts)
                if not d.rarely(5):
                    _make_appliance(d, appliance)
                d.route(vpc, d["vswitches"][vswitch]["cidr"], appliance.id, tables=[table])


def _connection(d: Draft, network: str) -> Document:
    """An IPsec connection."""
    found: Document = {"network": network}
    if d.rarely(3):
        found["bgp_up"] = d.one([True, True, False, UNKNOWN])
    if d.rarely(3):
        found["local_cidrs"] = [d.one(["10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16"])]
    if d.rarely(4):
        found["remote_cidrs"] = [d.one(["192.168.0.0/16", "192.168.10.0/24"])]
    d.wrong(found, 10, status=["ike_sa_not_established", "ipsec_sa_not_established", UNKNOWN])
    return found


def _vpn_to(d: Draft, vpc: str, network: str, cidrs: list[str]) -> str:
    """A VPN gateway of a VPC, with one or two connections to a network."""
    n = len(d["vpn_gateways"]) + 1
    gateway: Document = {"vpc": vpc, "connections": {}, "routes": []}
    if d.often():
        gateway["vswitch"] = d.one(d.vswitches(vpc))
    for k in range(1, d.draw(st.integers(1, 2)) + 1):
        connection = _connection(d, network)
        gateway["connections"][f"vco-{n}{k}"] = connection
        for cidr in cidrs:
            if d.rarely(12):
                continue
            row: Document = {
                "destination": cidr,
                "connection": f"vco-{n}{k}",
                "weight": 100 if k == 1 else d.one([0, 100]),
            }
            if connection.get("bgp_up") is not None and d.often():
                row["origin"] = "BGP"
            gateway["routes"].append(row)
    d.wrong(gateway, 16, status=["init", "updating", UNKNOWN], business_status=LOCKS, routes=[UNKNOWN])
    d["vpn_gateways"][f"vpn-{n}"] = gateway
    return f"vpn-{n}"


def _vpn(d: Draft) -> None:
    """A VPN gateway with the rows that lead to it."""
    vpc = d.home()
    network, cidrs = _network(d)
    hop = _vpn_to(d, vpc, network, cidrs)
    d.routes(vpc, cidrs, hop, **({"type": "BGP"} if d.rarely(5) else {}))


def _vbr_to(d: Draft, network: str, cidrs: list[str]) -> tuple[str, Document]:
    """A VBR with a leased line to a network."""
    name = f"vbr-{len(d['vbrs']) + 1}"
    vbr: Document = {"routes": [{"destination": cidr, "next_hop": network} for cidr in cidrs if not d.rarely(12)]}
    d["vbrs"][name] = vbr
    d.wrong(vbr, 16, status=["terminated", "recovering", UNKNOWN], routes=[UNKNOWN])
    return name, vbr


def _joined(d: Draft, one: str, other: str) -> tuple[str, str]:
    """Two router interfaces that face each other."""
    n = len(d["router_interfaces"]) + 1
    ids = (f"ri-{n}", f"ri-{n + 1}")
    for own, facing, router in ((ids[0], ids[1], one), (ids[1], ids[0], other)):
        described: Document = {"router": router, "opposite": facing}
        d.wrong(described, 24, status=["Inactive", "Idle", UNKNOWN], business_status=LOCKS, opposite=[UNKNOWN])
        d["router_interfaces"][own] = described
    return ids


def _vbr(d: Draft) -> None:
    """Router interfaces from a VPC to one or two VBRs before a network, or to another VPC."""
    vpc, other = _pair(d)
    if d.rarely(4):
        there, back = _joined(d, vpc, other)
        d.routes(vpc, d.blocks(other), there)
        d.routes(other, d.blocks(vpc), back)
        return
    network, cidrs = _network(d)
    for _ in range(2 if d.rarely(3) else 1):
        name, vbr = _vbr_to(d, network, cidrs)
        there, back = _joined(d, vpc, name)
        if isinstance(vbr["routes"], list) and not d.rarely(12):
            vbr["routes"] += [{"destination": cidr, "next_hop": back} for cidr in d.blocks(vpc)]
        d.routes(vpc, cidrs, there)


def _transit(d: Draft) -> None:
    """A transit router (rarely two that are joined) with VPCs and perhaps something outside."""
    vpcs = d.some(sorted(d["vpcs"]), 2, 3)
    n = len(d["transit_routers"]) + 1
    router: Document = {"attachments": {}, "route_tables": {f"trt-{n}": {"routes": []}}}
    d["transit_routers"][f"tr-{n}"] = router
    beyond: list[str] = []
    for i, vpc in enumerate(vpcs):
        attachment = _attachment(d, n, vpc)
        if d.rarely(4):
            attachment["vswitches"] = d.some(d.vswitches(vpc), 1, 2)
        if i == 1 and d.rarely(8):
            second: Document = {"attachments": {}, "route_tables": {f"trt-{n}b": {"routes": []}}}
            d["transit_routers"][f"tr-{n}b"] = second
            _join_transit(d, n, router, second, vpcs[0], vpc, attachment)
        else:
            router["attachments"][f"att-{n}{vpc[-1]}"] = attachment
        d.routes(vpc, [cidr for far in vpcs if far != vpc for cidr in d.blocks(far)], f"att-{n}{vpc[-1]}")
    if d.often():
        network, cidrs = _network(d)
        beyond = cidrs
        kind = d.draw(st.integers(0, 2))
        to = network
        if kind == 1:
            to = _vbr_to(d, network, cidrs)[0]
        elif kind == 2:
            to = _vpn_to(d, vpcs[0], network, cidrs)
        router["attachments"][f"att-{n}x"] = _attachment(d, n, to)
        for vpc in vpcs:
            d.routes(vpc, cidrs, f"att-{n}{vpc[-1]}")
    _transit_rows(d, n, router, vpcs, beyond)


def _attachment(d: Draft, n: int, to: str) -> Document:
    found: Document = {"to": to, "route_table": f"trt-{n}", "propagates_to": [f"trt-{n}"]}
    d.wrong(found, 12, status=["Attaching", "Detached", UNKNOWN], business_status=LOCKS, route_table=[None, UNKNOWN],
            propagates_to=[[]])  # fmt: skip
    return found


def _join_transit(
    d: Draft, n: int, router: Document, second: Document, one: str, other: str, attachment: Document
) -> None:
    """Attach a VPC to a second transit router, and join the two."""
    if isinstance(attachment["route_table"], str):
        attachment["route_table"] = f"trt-{n}b"
    attachment["propagates_to"] = [f"trt-{n}b"] * bool(attachment["propagates_to"])
    second["attachments"][f"att-{n}{other[-1]}"] = attachment
    router["attachments"][f"att-{n}p"] = {"to": f"att-{n}q", "route_table": f"trt-{n}"}
    second["attachments"][f"att-{n}q"] = {"to": f"att-{n}p", "route_table": f"trt-{n}b"}
    router["route_tables"][f"trt-{n}"]["routes"] += [
        {"destination": cidr, "attachment": f"att-{n}p"} for cidr in d.blocks(other)
    ]
    second["route_tables"][f"trt-{n}b"]["routes"] += [
        {"destination": cidr, "attachment": f"att-{n}q"} for cidr in d.blocks(one)
    ]


def _transit_rows(d: Draft, n: int, router: Document, vpcs: list[str], beyond: list[str]) -> None:
    """Static rows of a transit router: to attachments, blackholes, some that are not Active."""
    rows = router["route_tables"][f"trt-{n}"]["routes"]
    inside = [vswitch["cidr"] for vswitch in d["vswitches"].values() if vswitch["vpc"] in vpcs]
    for cidr in d.some([*beyond, *(block for vpc in vpcs for block in d.blocks(vpc)), *inside], 0, 2):
        if any(row["destination"] == cidr for row in rows):
            continue
        row: Document = {"destination": cidr}
        if d.rarely(4):
            row["blackhole"] = True
        else:
            fitting = [name for name, one in router["attachments"].items()
                       if one["to"] in vpcs and _holds(d.blocks(one["to"]), cidr)]  # fmt: skip
            row["attachment"] = d.one(fitting or sorted(router["attachments"]))
        d.wrong(row, 8, status=["Rejected", "Prohibited", "Standby"], learned=[True])
        rows.append(row)
    if d.rarely(40):
        router["route_tables"][f"trt-{n}"]["routes"] = UNKNOWN


def _holds(blocks: Sequence[str], cidr: str) -> bool:
    inner = ipaddress.IPv4Network(cidr)
    return any(inner.subnet_of(ipaddress.IPv4Network(block)) for block in blocks)


def _make_appliance(d: Draft, host: Host) -> None:
    """Let an instance forward, mostly."""
    host.eni.pop("source_dest_check", None)
    host.eni["security_groups"] = [f"sg-{host.vpc[-1]}a"]
    d.wrong(host.eni, 12, source_dest_check=[True])
    d["instances"][host.instance]["guest"] = {"ip_forward": not d.rarely(6)}


def _appliance(d: Draft) -> None:
    """Rows that lead through an instance: to the Internet, between vSwitches, to another VPC; rarely in a loop."""
    vpc = d.home()
    hosts = d.hosts(vpc)
    if not hosts:
        return
    host = d.one(hosts)
    _make_appliance(d, host)
    hop = d.one([host.id, host.instance] if host.eni["type"] == "primary" else [host.id])
    if d.rarely(4):
        hop = _havip_of(d, host)
    elsewhere = [name for name in d.vswitches(vpc) if name != host.eni["vswitch"]]
    kind = d.draw(st.integers(0, 3))
    if kind == 0 or not elsewhere:
        if d.often() and d.is_free(host, host.eni["ip"]):
            d.eip(bound_to=host.id)
        far = [cidr for name in d["vpcs"] if name != vpc for cidr in d.blocks(name)]
        destination = d.one(["0.0.0.0/0", "0.0.0.0/0", *PUBLIC_CIDRS, *far])
        for vswitch in elsewhere if not d.rarely(6) else d.vswitches(vpc):
            d.route(vpc, destination, hop, tables=[_own_table(d, vpc, vswitch)])
        return
    steered = d.one(elsewhere)
    others = [name for name in d.vswitches(vpc) if name not in (steered, host.eni["vswitch"])]
    for source in others or [host.eni["vswitch"]]:
        d.route(vpc, d["vswitches"][steered]["cidr"], hop, tables=[_own_table(d, vpc, source)])
        if not d.rarely(3):
            d.route(vpc, d["vswitches"][source]["cidr"], hop, tables=[_own_table(d, vpc, steered)])
    if d.rarely(6):
        table = _own_table(d, vpc, host.eni["vswitch"])
        d.route(vpc, d["vswitches"][steered]["cidr"], d.one(hosts).id, tables=[table])
    if kind == 3:
        second = d.one(hosts)
        row = {
            "destination": "198.51.100.0/24",
            "next_hop": hop,
            "others": [{"id": second.id, "weight": d.one([0, 100])}],
        }
        rows = d["route_tables"][_own_table(d, vpc, steered)]["routes"]
        if isinstance(rows, list) and second.id != hop and all(r["destination"] != row["destination"] for r in rows):
            rows.append(row)


def _havip_of(d: Draft, host: Host | None, vswitch: str = "") -> str:
    """A HaVip in a vSwitch, of an ENI that has it now, or of nobody."""
    name = f"hv-{len(d['havips']) + 1}"
    home = vswitch or (host.eni["vswitch"] if host else "vsw-11")
    havip: Document = {"vswitch": home, "ip": d.address(home)}
    if host is not None:
        havip["master"] = d.one([host.instance, host.id])
        havip["members"] = [host.instance]
    d.wrong(havip, 14, master=[None, UNKNOWN])
    d["havips"][name] = havip
    return name


def _havip(d: Draft) -> None:
    """A HaVip with a public address mostly."""
    host = d.one(d.hosts())
    name = _havip_of(d, None if d.rarely(8) else host, host.eni["vswitch"])
    if not d.rarely(4):
        d.eip(bound_to=name)


def _secondary_eip(d: Draft) -> None:
    """EIPs of secondary ENIs, some of them visible in the guest."""
    hosts = [host for host in d.hosts() if host.eni["type"] == "secondary"]
    if not hosts:
        host = d.one(d.hosts())
        enis = d["instances"][host.instance]["network_interfaces"]
        number = int(host.id[4:-1])
        enis[f"eni-{number}2"] = _eni(d, d.one(d.vswitches(host.vpc)), 10 * number + 8, "secondary")
        hosts = [Host(host.instance, f"eni-{number}2", enis[f"eni-{number}2"], host.vpc)]
    for host in d.some(hosts, 1, 2) if len(hosts) > 1 else hosts:
        if d.is_free(host, host.eni["ip"]):
            d.eip(bound_to=host.id, mode=d.one(["NAT", "BINDED", "BINDED", "MULTI_BINDED"]))


def _ipv6(d: Draft) -> None:
    """An IPv6 gateway and the addresses that meet the Internet."""
    homes = [name for name, vpc in d["vpcs"].items() if "ipv6_cidr" in vpc]
    for vpc in homes:
        addresses = [own for host in d.hosts(vpc) for own in host.eni.get("ipv6_addresses", ())]
        if not addresses or any(gateway["vpc"] == vpc for gateway in d["ipv6_gateways"].values()):
            continue
        internet = []
        for own in d.some(addresses, 1, 4):
            entry: Document = {"ip": own, "bandwidth_mbps": 5}
            if d.rarely(3):
                entry["egress_only"] = True
            d.wrong(entry, 9, bandwidth_mbps=[0], business_status=LOCKS)
            internet.append(entry)
        gateway: Document = {"vpc": vpc, "internet": internet}
        d.wrong(gateway, 20, business_status=LOCKS, internet=[UNKNOWN])
        name = f"ipv6gw-{vpc[-1]}"
        d["ipv6_gateways"][name] = gateway
        custom = [table for table in d.tables(vpc) if d["route_tables"][table]["type"] == "custom"]
        if custom:
            d.route(vpc, "::/0", name, tables=custom)
        if d.rarely(2):
            table = f"rt-gw6-{vpc[-1]}"
            d["route_tables"][table] = {"vpc": vpc, "type": "gateway", "routes": []}
            gateway["route_table"] = table
            for home in d.some([one for one in d.vswitches(vpc) if "ipv6_cidr" in d["vswitches"][one]], 0, 2):
                appliance = d.one(d.hosts(vpc))
                if not d.rarely(5):
                    _make_appliance(d, appliance)
                d.route(vpc, d["vswitches"][home]["ipv6_cidr"], appliance.id, tables=[table])


def _balancer(d: Draft) -> None:
    """A load balancer with listeners and back ends."""
    vpc = d.home()
    name = f"lb-{len(d['load_balancers']) + 1}"
    home = d.one(d.vswitches(vpc))
    balancer: Document = {"vpc": vpc, "type": d.one(["clb", "nlb"]), "vswitch": home, "ip": d.address(home)}
    if d.often():
        balancer["public_ip"] = next(d.public)
    elif d.often():
        d.eip(bound_to=name)
    if balancer["type"] == "nlb":
        if d.often():
            balancer["security_groups"] = [f"sg-{vpc[-1]}{d.one('aab')}"]
        if d.often():
            balancer["preserve_client_ip"] = False
    servers = []
    for host in d.some(d.hosts(vpc), 1, 3):
        server: Document = {"server": host.instance if host.eni["type"] == "primary" and d.often() else host.id}
        if d.often():
            server["port"] = d.one([80, 8000, 22])
        d.wrong(server, 5, weight=[0], health=["unhealthy", "healthy", "unused", UNKNOWN])
        servers.append(server)
    balancer["server_groups"] = {f"rsp-{name[-1]}": {"servers": servers}}
    listeners = []
    ports = [80, "8000/8010"] if balancer["type"] == "nlb" else [80, 443]
    for port in d.some(ports, 1, 2):
        listener: Document = {"protocol": d.one(["tcp", "tcp", "udp"]), "port": port, "server_group": f"rsp-{name[-1]}"}
        if d.rarely(4):
            listener["access_list"] = {
                "allow": d.often(),
                "entries": [_peer(d) for _ in range(d.draw(st.integers(0, 2)))],
            }
        d.wrong(listener, 16, status=["stopped"])
        listeners.append(listener)
    balancer["listeners"] = listeners
    d.wrong(balancer, 16, status=["inactive", "locked", UNKNOWN], business_status=LOCKS)
    d["load_balancers"][name] = balancer


SCENARIOS: tuple[Callable[[Draft], None], ...] = (
    _peering, _snat, _dnat, _vpc_nat, _ipv4_gateway, _transit, _vpn, _vbr, _appliance, _balancer, _havip,
    _secondary_eip, _ipv6,
)  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- the estate


def _evenly(draw: Draw) -> random.Random:
    """Chance without a liking for the first of a list, which hypothesis has: for choices that shape all the others."""
    return random.Random(draw(st.integers(0, 2**16 - 1)))


@st.composite
def wide_topologies(draw: Draw) -> Topology:
    """A valid topology of two or three VPCs, with what joins them and what leads out of them."""
    d = Draft(draw)
    _vpcs(d)
    _filters(d)
    _instances(d)
    _tables(d)
    _public_addresses(d)
    for scenario in _evenly(draw).sample(SCENARIOS, d.one([2, 1, 2, 3, 3])):
        scenario(d)
    _blackholes(d)
    _unknowns(d)
    if d.rarely(4):
        document = {name: d.one(sorted(ASSUMPTIONS[name])) for name in d.some(sorted(ASSUMPTIONS), 1, 4)}
        d.document["assumptions"] = document
    written = json.dumps(d.document)
    d.document["unknown"] = {name: "of another account" for name in LOST if f'"{name}"' in written}
    topology = Topology.model_validate(d.document)
    errors = [finding for finding in check(topology) if finding.severity is Severity.ERROR]
    assert not errors, errors
    return topology


def _blackholes(d: Draft) -> None:
    """Rarely, public addresses under attack."""
    owned = [instance["public_ip"] for instance in d["instances"].values() if "public_ip" in instance]
    owned += [eip["ip"] for eip in d["eips"].values()]
    owned += [balancer["public_ip"] for balancer in d["load_balancers"].values() if "public_ip" in balancer]
    if owned and d.rarely(8):
        until = d.one([None, "2026-05-31T00:00:00Z", "2026-06-01T02:00:00+00:00"])
        d.document["ddos"] = {"blackholed": [{"ip": ip, "until": until} for ip in d.some(owned, 1, 2)]}


def _unknowns(d: Draft) -> None:
    """Rarely, rows and tables that are not known."""
    if not d.rarely(12):
        return
    table = d.one(sorted(d["route_tables"]))
    vpc = d["route_tables"][table]["vpc"]
    kind = d.draw(st.integers(0, 2))
    if kind == 0 and d["route_tables"][table]["type"] != "gateway":
        hop = d.one([{"next_hop_type": "Ecr"}, {"next_hop_type": "GatewayEndpoint"}, {}])
        d.route(vpc, d.one(["0.0.0.0/0", "192.168.0.0/16"]), "hop-lost", tables=[table], **hop)
    elif kind == 1:
        d["route_tables"][table]["routes"] = UNKNOWN
    else:
        d["vswitches"][d.one(d.vswitches(vpc))]["route_table"] = d.one([UNKNOWN, "rt-lost"])


# ------------------------------------------------------------------------------------------------------------ questions


Usable = tuple[str, NetworkInterface, str]
"""An ENI by its id, with its instance's id."""


class Ends:
    """What the ends of questions about a topology may be."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.count = Counter(address for address, _ in _private_addresses(topology))
        self.hosts = list(_usable(topology))
        self.havips = [
            word for name, havip in topology.havips.items() if self._runs(name) for word in self._unique(name, havip.ip)
        ]
        self.balancers = [
            word
            for name, balancer in topology.load_balancers.items()
            if balancer.ip
            for word in self._unique(name, balancer.ip)
        ]
        self.nat_ips = [
            address
            for gateway in topology.nat_gateways.values()
            for address in dict.fromkeys(packet_oracle.nat_addresses(gateway))
            if self.count[address] == 1
        ]
        self.public = sorted({one.ip for one in packet_oracle.publics(topology) if self._is_asked(one)})
        self.senders = sorted(
            {one.ip for one in packet_oracle.publics(topology) if one.kind in ("eni", "havip") and self._is_asked(one)}
        )
        self.networks = [
            word for network in topology.networks.values() for cidr in network.cidrs for word in _inside(cidr)
        ]
        self.far = [
            word for peering in topology.peerings.values() for cidr in peering.peer_cidrs for word in _inside(cidr)
        ]

    def _unique(self, name: str, address: str) -> list[str]:
        return [name, address] if self.count[address] == 1 else [name]

    def _runs(self, havip: str) -> bool:
        master = packet_oracle.master_of(self.topology, havip)
        return not isinstance(master, str) or self._is_running(master)

    def _is_running(self, eni_id: str) -> bool:
        instance = packet_oracle.owner_instance(self.topology, eni_id)
        return instance is None or self.topology.instances[instance].status is InstanceStatus.RUNNING

    def _is_asked(self, public: packet_oracle.Public) -> bool:
        """Whether a public address leads to nothing that does not run."""
        if public.kind == "havip":
            return self._runs(public.holder)
        return public.kind != "eni" or self._is_running(public.holder)

    def vpc(self, host: Usable) -> str:
        """The VPC that an ENI stands in."""
        return self.topology.vswitches[host[1].vswitch].vpc

    def has_way(self, host: Usable, dst: str) -> bool:
        """Whether an ENI's table has a row for a destination, or its public address leads there."""
        topology, vpc = self.topology, self.vpc(host)
        for section in (topology.havips, topology.load_balancers):
            if dst in section:
                dst = section[dst].ip or dst
        if packet_oracle.is_public(topology, vpc, dst):
            public = packet_oracle.public_of(topology, vpc, host[1].ip)
            if public is not None and public.kind != "unknown":
                return True
        table = topology.vswitches[host[1].vswitch].route_table or packet_oracle.system_table(topology, vpc)
        return packet_oracle.row_of(topology, vpc, table, dst) != oracle.NO_ROW

    def spell(self, draw: Draw, host: Usable, family: int) -> str:
        """An ENI as a question may name it: its id, its instance's, or one of its unique addresses."""
        eni_id, eni, instance_id = host
        if family == 6:
            return draw(st.sampled_from(eni.ipv6_addresses))
        words = [eni_id, *(own for own in [eni.ip, *eni.secondary_ips] if self.count[own] == 1)]
        primary = self.topology.primary_interface(instance_id)
        if primary and primary.id == eni_id:
            words.append(instance_id)
        return draw(st.sampled_from(words))


def _usable(topology: Topology) -> Iterator[tuple[str, NetworkInterface, str]]:
    """The ENIs that can be an end: attached to an instance that runs."""
    for instance_id, instance in topology.instances.items():
        for eni_id, eni in instance.network_interfaces.items():
            if instance.status is InstanceStatus.RUNNING and eni.status is not EniStatus.AVAILABLE:
                yield eni_id, eni, instance_id


def _private_addresses(topology: Topology) -> Iterator[tuple[str, str]]:
    """Every private address, with what has it."""
    for interface in topology.interfaces():
        for address in (interface.eni.ip, *interface.eni.secondary_ips, *interface.eni.ipv6_addresses):
            yield address, interface.id
    for section in (topology.havips, topology.load_balancers):
        for name, holder in section.items():
            if holder.ip:
                yield holder.ip, name
    for name, gateway in topology.nat_gateways.items():
        for address in dict.fromkeys(packet_oracle.nat_addresses(gateway)):
            yield address, name


def _inside(cidr: str) -> list[str]:
    """Two addresses of a block."""
    network = ipaddress.ip_network(cidr, strict=False)
    return [str(network[5]), str(network[-2])]


@st.composite
def wide_questions(draw: Draw, topology: Topology) -> Question:
    """A flow that may be asked about, across VPCs and out of them mostly."""
    ends = Ends(topology)
    src, dst = _ends(draw, ends)
    protocol, port = _service(draw, topology, dst)
    if protocol not in (6, 17):
        question = Question(src, dst, protocol, 0, 0)
    else:
        question = Question(src, dst, protocol, draw(st.sampled_from([40000, 40000, 32768, 1024, 65535, 1023])), port)
    try:
        packet_oracle.simulate(topology, *question)
    except ValueError:
        reject()
    return question


def _ends(draw: Draw, ends: Ends) -> tuple[str, str]:
    """The two ends: the kinds of pairs that a topology has, those that leave a VPC more often than others."""
    hosts = ends.hosts
    six = [host for host in hosts if host[1].ipv6_addresses]
    kind = _evenly(draw).choice(_kinds(ends, six))
    if kind == "havip-out":
        return draw(st.sampled_from(ends.havips)), draw(st.sampled_from([*HOSTS, *ends.networks]))
    if kind in ("six-out", "six-in"):
        inside, outside = ends.spell(draw, draw(st.sampled_from(six)), 6), draw(st.sampled_from(HOSTS_6))
        return (inside, outside) if kind == "six-out" else (outside, inside)
    if kind in ("six", "hosts"):
        return _two_hosts(draw, ends, six if kind == "six" else hosts, 6 if kind == "six" else 4)
    if kind == "in":
        reached = ends.public if draw(st.integers(0, 7)) < 7 else _reached(ends)
        return draw(st.sampled_from(HOSTS)), draw(st.sampled_from(reached))
    if kind == "from-network":
        outside, targets = draw(st.sampled_from(ends.networks)), [*ends.havips, *ends.balancers, *ends.nat_ips]
        if targets and draw(st.integers(0, 2)) == 2:
            return outside, draw(st.sampled_from(targets))
        return outside, ends.spell(draw, _one_with_a_way(draw, ends, hosts, outside), 4)
    if kind == "public-source":
        return draw(st.sampled_from(ends.senders)), draw(st.sampled_from([*HOSTS, *ends.networks]))
    pool = {
        "out": HOSTS,
        "to-public": ends.public,
        "to-network": [*ends.networks, *ends.far],
        "to-shared": [*ends.havips, *ends.balancers, *ends.nat_ips],
        "service": SERVICES,
    }[kind]
    dst = draw(st.sampled_from(pool))
    others = [host for host in hosts if host[2] != _instance_of(ends.topology, dst)]
    return ends.spell(draw, _one_with_a_way(draw, ends, others or hosts, dst), 4), dst


def _instance_of(topology: Topology, dst: str) -> str | None:
    """The instance that a HaVip or a public address leads to."""
    eni: str | None = None
    for name, havip in topology.havips.items():
        master = packet_oracle.master_of(topology, name)
        if dst in (name, havip.ip) and isinstance(master, str):
            eni = master
    return packet_oracle.owner_instance(topology, eni) if eni else None


def _two_hosts(draw: Draw, ends: Ends, hosts: list[Usable], family: int) -> tuple[str, str]:
    """Two ENIs of two instances, of two VPCs more often than not where there is a way."""
    target = draw(st.sampled_from(hosts))
    others = [host for host in hosts if host[2] != target[2]]
    own = target[1].ipv6_addresses[0] if family == 6 else target[1].ip
    far = [host for host in others if ends.vpc(host) != ends.vpc(target) and ends.has_way(host, own)]
    is_far = bool(far) and draw(st.integers(0, 3)) > 0
    source = draw(st.sampled_from(far)) if is_far else _one_with_a_way(draw, ends, others, own)
    return ends.spell(draw, source, family), ends.spell(draw, target, family)


def _one_with_a_way(draw: Draw, ends: Ends, hosts: list[Usable], dst: str) -> Usable:
    """An ENI, mostly one whose table has a row for the destination."""
    found = [host for host in hosts if ends.has_way(host, dst)]
    return draw(st.sampled_from(found if found and draw(st.integers(0, 5)) < 5 else hosts))


def _reached(ends: Ends) -> list[str]:
    """What else an Internet host may ask for: ENIs and load balancers by their ids."""
    return [host[0] for host in ends.hosts] + sorted(ends.topology.load_balancers)[:1] * bool(ends.balancers)


def _kinds(ends: Ends, six: list[Usable]) -> list[str]:
    """The kinds of pairs there are, each as often as it is to be drawn."""
    topology = ends.topology
    linked = bool(topology.peerings or topology.transit_routers or topology.router_interfaces)
    outward = bool(topology.nat_gateways or topology.ipv4_gateways)
    several = len({host[2] for host in ends.hosts}) > 1
    kinds = ["out"] * (4 if outward else 2 if ends.senders else 1)
    kinds += ["hosts"] * ((6 if linked else 1) if several else 0)
    kinds += ["in"] * (4 if ends.public else 0) + ["to-public"] * (2 if ends.public else 0)
    kinds += ["to-network"] * (4 if ends.networks or ends.far else 0) + ["from-network"] * (3 if ends.networks else 0)
    kinds += ["to-shared"] * (4 if ends.havips or ends.balancers or ends.nat_ips else 0)
    kinds += ["havip-out"] * bool(ends.havips) + ["public-source"] * bool(ends.senders)
    if six and topology.ipv6_gateways:
        kinds += ["six-out", "six-in"] * 2 + ["six"] * (len({host[2] for host in six}) > 1)
    return [*kinds, "service"] if len(kinds) > 8 else kinds


def _service(draw: Draw, topology: Topology, dst: str) -> tuple[int, int]:
    """The protocol and the port: of a destination that is translated or balanced mostly one that it takes."""
    taken = list(_taken(topology, dst))
    if taken and draw(st.integers(0, 7)) < 7:
        protocol, first, last = draw(st.sampled_from(taken))
        port = draw(st.sampled_from([first, first, last, (first + last) // 2, last + 1, first - 1]))
        return protocol, min(max(port, 1), 65535)
    protocol = draw(st.sampled_from([6, 6, 6, 6, 6, 6, 17, 17, 1, 47]))
    return protocol, draw(st.sampled_from([22, 80, 80, 443, 8000, 8005, 40000, 25]))


def _taken(topology: Topology, dst: str) -> Iterator[tuple[int, int, int]]:
    """The protocols and ports that a NAT gateway or a load balancer takes for a destination."""
    bound = {eip.ip: eip.bound_to for eip in topology.eips.values() if isinstance(eip.bound_to, str)}
    for name, balancer in topology.load_balancers.items():
        if dst in (name, balancer.ip, balancer.public_ip) or bound.get(dst) == name:
            yield from _listened(balancer)
    for gateway in topology.nat_gateways.values():
        for entry in _entries_of(gateway):
            eip = topology.eips.get(entry.eip or "")
            if dst != entry.nat_ip and (eip is None or eip.ip != dst):
                continue
            ports = (22, 22) if entry.is_whole else (entry.external_ports.first, entry.external_ports.last)
            for protocol in (6, 17) if entry.is_whole else (17,) if str(entry.protocol) in ("udp", "17") else (6,):
                yield protocol, *ports


def _listened(balancer: LoadBalancer) -> Iterator[tuple[int, int, int]]:
    for listener in balancer.listeners:
        yield 17 if listener.protocol == "udp" else 6, listener.ports.first, listener.ports.last


def _entries_of(gateway: NatGateway) -> list[DnatEntry]:
    return [] if isinstance(gateway.dnat, Unknown) else gateway.dnat
