"""Estates of any size, as an operator would have them: what benchmarks and the example ``large-estate`` are made of.

::

    python benchmarks/estate.py --enis 2000 --groups 400 --seed 1 --format yaml --to estate.yaml

Three environments (prod, stage, test), each a VPC with five tiers (web, app, cache, db, jump) in three zones; a vSwitch
for each tier and zone, an ACL for each tier, three route tables. Applications have a group for each tier that they use;
those of an application in normal groups reference each other, those in enterprise groups name CIDRs. The same numbers
give the same bytes, with any Python.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, cycle
from pathlib import Path
from typing import Any, TypeVar

Document = dict[str, Any]
Rule = dict[str, Any]
T = TypeVar("T")

TIERS = ("web", "app", "cache", "db", "jump")
APP_TIERS = TIERS[:4]
TIER_WEIGHTS = {"web": 30, "app": 40, "cache": 10, "db": 20}
"""How many of the ENIs of an application are in a tier."""
ENVIRONMENTS = {"prod": 0.5, "stage": 0.3, "test": 0.2}
"""The environments, and their share of the groups."""
PEERS = {"stage": "test", "test": "stage"}
"""Between which of them there is a peering."""
ZONES = ("h", "i", "j")
WORDS = (
    "orders", "billing", "search", "catalog", "cart", "auth", "profile", "stock", "shipping", "pricing", "reviews",
    "mail", "reports", "media", "chat", "events", "risk", "ledger", "coupons", "maps", "feeds", "audit", "quota", "docs",
)  # fmt: skip
DATABASES = (("mysqld", 3306), ("postgres", 5432), ("mongod", 27017))

EVERYWHERE, OFFICES, DATA_CENTRE, MONITORING = "0.0.0.0/0", "198.51.100.0/26", "172.16.0.0/12", "172.16.9.0/24"
SERVICES = "100.64.0.0/10"
"""Where the cloud's load balancers ask for the health of a server from."""
PUBLIC = [f"{block}.{n}" for block in ("203.0.113", "192.0.2") for n in range(1, 255)]
"""Addresses for EIPs, of the blocks that are set aside for examples."""
MOST_PER_VSWITCH = 4000
LEAST_ENIS, LEAST_GROUPS = 40, 24
WIDTH = 118
ON_TOP = ("schema", "region", "collected_at", "account")

INGRESS, EGRESS = "ingress", "egress"


class Draw:
    """Choices by a seed. Of the standard library's generators only ``random()`` promises the same numbers for ever."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, limit: int) -> int:
        """A number from 0 to ``limit - 1``."""
        return int(self._random() * limit)

    def chance(self, one_in: int) -> bool:
        """True once in so many."""
        return self.below(one_in) == 0

    def one_of(self, pool: Sequence[T]) -> T:
        """One of a pool."""
        return pool[self.below(len(pool))]

    def weighted(self, sums: Sequence[float]) -> int:
        """A position, as often as its weight says; ``sums`` are the weights added up."""
        return bisect(sums, self._random() * sums[-1])


@dataclass(frozen=True)
class App:
    """An application of an environment, with a group for each of its tiers."""

    env: str
    name: str
    number: int
    enterprise: bool

    def group(self, tier: str) -> str:
        """The id of its group of a tier."""
        return f"sg-{self.env}-{self.name}-{tier}"

    @property
    def ports(self) -> str:
        """The ports of its application servers."""
        first = 8000 + 10 * (self.number % 100)
        return f"{first}/{first + 9}"

    @property
    def management(self) -> str:
        """The last of them, which nobody is to reach."""
        last = self.ports.partition("/")[2]
        return f"{last}/{last}"

    @property
    def database(self) -> tuple[str, int]:
        """Its database and the port of that."""
        return DATABASES[self.number % len(DATABASES)]


@dataclass
class Estate:
    """An estate in the making.

    Attributes
    ----------
    used
        How many addresses of a vSwitch are taken.
    """

    draw: Draw
    document: Document = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)


# ----------------------------------------------------------------------------------------------------------- addresses


def vpc_block(env: str) -> str:
    """The block of an environment's VPC."""
    return f"10.{32 + 2 * list(ENVIRONMENTS).index(env)}.0.0/15"


def tier_block(env: str, tier: str) -> str:
    """The part of it that is a tier's."""
    second, third = _tier_start(env, tier)
    return f"10.{second}.{third}.0/18"


def zone_block(env: str, tier: str, zone: str) -> str:
    """The block of a vSwitch."""
    second, third = _tier_start(env, tier)
    return f"10.{second}.{third + 16 * ZONES.index(zone)}.0/20"


def _tier_start(env: str, tier: str) -> tuple[int, int]:
    place = TIERS.index(tier)
    return 32 + 2 * list(ENVIRONMENTS).index(env) + place // 4, 64 * (place % 4)


def next_address(estate: Estate, env: str, tier: str, zone: str) -> str:
    """The next free address of a vSwitch."""
    name = vswitch(env, tier, zone)
    estate.used[name] += 1
    if estate.used[name] > MOST_PER_VSWITCH:
        raise ValueError(f"{name} is full: fewer ENIs, please")
    second, third = _tier_start(env, tier)
    offset = 9 + estate.used[name]
    return f"10.{second}.{third + 16 * ZONES.index(zone) + offset // 256}.{offset % 256}"


def vswitch(env: str, tier: str, zone: str) -> str:
    """The id of a vSwitch."""
    return f"vsw-{env}-{tier}-{zone}"


# ------------------------------------------------------------------------------------------------------------- network


def add_network(estate: Estate) -> None:
    """VPCs, vSwitches, ACLs, route tables, and the ways out of an environment."""
    document = estate.document
    document["vpcs"] = {f"vpc-{env}": {"cidrs": [vpc_block(env)]} for env in ENVIRONMENTS}
    document["vswitches"] = {
        vswitch(env, tier, zone): _vswitch(env, tier, zone) for env in ENVIRONMENTS for tier in TIERS for zone in ZONES
    }
    document["prefix_lists"] = {"pl-offices": {"name": "all offices", "entries": [OFFICES, "198.51.100.128/27"]}}
    document["port_lists"] = {"prl-web": ["80/80", "443/443"]}
    document["network_acls"] = {f"nacl-{env}-{tier}": _acl(env, tier) for env in ENVIRONMENTS for tier in TIERS}
    document["route_tables"] = {name: table for env in ENVIRONMENTS for name, table in _tables(env)}
    document["nat_gateways"] = {f"ngw-{env}": _nat_gateway(env) for env in ENVIRONMENTS}
    document["peerings"] = {"pcc-stage-test": {"vpc": "vpc-stage", "peer_vpc": "vpc-test"}}


def _vswitch(env: str, tier: str, zone: str) -> Document:
    described = {"vpc": f"vpc-{env}", "cidr": zone_block(env, tier, zone), "zone": f"cn-hangzhou-{zone}"}
    described["network_acl"] = f"nacl-{env}-{tier}"
    if tier in ("app", "cache", "db"):
        described["route_table"] = f"rtb-{env}-{'data' if tier == 'db' else 'private'}"
    return described


def _acl(env: str, tier: str) -> Document:
    """An ACL of a tier: what it serves, logins from the jump hosts, monitoring, replies; everything out."""
    jump, vpc = tier_block(env, "jump"), vpc_block(env)
    served = {
        "web": [("80/80", EVERYWHERE), ("443/443", EVERYWHERE)],
        "app": [("8000/8999", tier_block(env, "web")), ("8000/8999", tier_block(env, "app"))],
        "cache": [("6379/6379", tier_block(env, "app"))],
        "db": [(f"{port}/{port}", tier_block(env, "app")) for _, port in DATABASES],
        "jump": [("22/22", "pl-offices"), ("3389/3389", "pl-offices")],
    }[tier]
    entries = [entry(INGRESS, "tcp", source, ports) for ports, source in served]
    entries += [entry(INGRESS, "tcp", jump, "22/22"), entry(INGRESS, "tcp", MONITORING, "9100/9100")]
    entries.append(entry(INGRESS, "icmp", vpc))
    replies = EVERYWHERE if tier in ("web", "app", "jump") else vpc
    entries.append(entry(INGRESS, "tcp", replies, "1024/65535", name="replies"))
    quarantined = entry(EGRESS, "all", "10.255.0.0/16", policy="drop", name="quarantine")
    return {"vpc": f"vpc-{env}", INGRESS: entries, EGRESS: [quarantined, entry(EGRESS, "all", EVERYWHERE)]}


def entry(
    direction: str, protocol: str, peer: str, ports: str = "", policy: str = "accept", name: str = ""
) -> dict[str, Any]:
    """One entry of an ACL."""
    written = {"name": name, "policy": policy, "protocol": protocol, "ports": ports, peer_key(direction): peer}
    return {key: value for key, value in written.items() if value}


def peer_key(direction: str) -> str:
    """Where a rule or entry names the other side."""
    return "source" if direction == INGRESS else "destination"


def _tables(env: str) -> Iterator[tuple[str, Document]]:
    """The default table, one with a way out by NAT, and one for databases, which have none."""
    vpc = f"vpc-{env}"
    data_centre = {"destination": DATA_CENTRE, "next_hop": f"vpn-{env}", "next_hop_type": "VpnGateway"}
    out = {"destination": EVERYWHERE, "next_hop": f"ngw-{env}"}
    other = PEERS.get(env)
    peer = [{"destination": vpc_block(other), "next_hop": "pcc-stage-test"}] if other else []
    yield f"rtb-{env}", {"vpc": vpc, "type": "system", "routes": [data_centre, *peer]}
    yield f"rtb-{env}-private", {"vpc": vpc, "type": "custom", "routes": [out, data_centre, *peer]}
    yield f"rtb-{env}-data", {"vpc": vpc, "type": "custom", "routes": [data_centre]}


def _nat_gateway(env: str) -> Document:
    snat = [{"source": tier_block(env, tier), "eip": f"eip-nat-{env}"} for tier in ("app", "cache")]
    return {"vpc": f"vpc-{env}", "vswitch": vswitch(env, "web", ZONES[0]), "snat": snat}


# -------------------------------------------------------------------------------------------------------------- groups


def make_apps(draw: Draw, groups: int) -> tuple[list[App], list[str]]:
    """The applications, and the environments of the groups that are left over: of projects that were given up."""
    free = groups - 3 * len(ENVIRONMENTS)
    shares = {env: int(free * share) for env, share in ENVIRONMENTS.items()}
    shares["prod"] += free - sum(shares.values())
    apps, spare = [], []
    for env, share in shares.items():
        for n in range(share // len(APP_TIERS)):
            name = WORDS[n % len(WORDS)] + (f"-{n // len(WORDS) + 1}" if n >= len(WORDS) else "")
            apps.append(App(env, name, n, enterprise=n > 0 and draw.chance(4)))
        spare += [env] * (share % len(APP_TIERS))
    return apps, spare


def add_groups(estate: Estate, apps: list[App], spare: list[str]) -> None:
    """The groups that everybody carries, those of the jump hosts, and four for each application."""
    groups: Document = {}
    for env in ENVIRONMENTS:
        groups[f"sg-{env}-baseline"] = _group(env, _baseline(f"sg-{env}-jump", env), inner="Drop")
        open_egress = rule(EGRESS, "all", EVERYWHERE, priority=100)
        baseline = [*_baseline(tier_block(env, "jump"), env), open_egress]
        groups[f"sg-{env}-baseline-e"] = _group(env, baseline, kind="enterprise")
        logins = [rule(INGRESS, "tcp", "pl-offices", ports) for ports in ("22/22", "3389/3389")]
        groups[f"sg-{env}-jump"] = _group(env, logins)
    for app in apps:
        for tier in APP_TIERS:
            rules = {"web": _web, "app": _app, "cache": _cache, "db": _db}[tier](estate.draw, app, apps)
            groups[app.group(tier)] = _group(app.env, rules, kind="enterprise" if app.enterprise else "")
    for n, env in enumerate(spare, start=1):
        groups[f"sg-{env}-spare-{n}"] = _group(env, [])
    estate.document["security_groups"] = groups


def _group(env: str, rules: list[Rule], kind: str = "", inner: str = "") -> Document:
    written = {"vpc": f"vpc-{env}", "type": kind, "inner_access_policy": inner, "rules": rules}
    return {key: value for key, value in written.items() if value}


def rule(
    direction: str,
    protocol: str,
    peer: str,
    ports: str = "",
    *,
    policy: str = "accept",
    priority: int = 1,
    why: str = "",
) -> Rule:
    """One rule of a group; priority 1 goes without saying."""
    written: Rule = {"direction": direction, "policy": policy, "priority": priority if priority > 1 else None}
    written |= {"protocol": protocol, "ports": ports, peer_key(direction): peer, "description": why}
    return {key: value for key, value in written.items() if value}


def _baseline(jump: str, env: str) -> list[Rule]:
    """Logins from the jump hosts, monitoring and ping; no telnet, and no way into an environment that is no peer."""
    others = [vpc_block(other) for other in ENVIRONMENTS if other not in (env, PEERS.get(env))]
    return [
        rule(INGRESS, "tcp", jump, "22/22"),
        rule(INGRESS, "tcp", MONITORING, "9100/9100"),
        rule(INGRESS, "icmp", vpc_block(env), priority=20),
        rule(INGRESS, "tcp", EVERYWHERE, "23/23", policy="drop"),
        *(rule(EGRESS, "all", block, policy="drop", priority=5) for block in others),
    ]


def _peer(app: App, tier: str) -> str:
    """A tier of an application, as a rule may name it: enterprise groups reference no groups."""
    return tier_block(app.env, tier) if app.enterprise else app.group(tier)


def _web(draw: Draw, app: App, apps: list[App]) -> list[Rule]:
    """For the world, or for the offices only; health checks, and nothing from blocks that misbehaved."""
    visitors = EVERYWHERE if app.number == 0 or not draw.chance(3) else "pl-offices"
    rules = [rule(INGRESS, "tcp", visitors, "prl-web", priority=10)]
    rules.append(rule(INGRESS, "tcp", SERVICES, "8080/8081", priority=15))
    for _ in range(draw.below(4)):
        block = f"198.51.100.{16 * draw.below(16)}/28"
        rules.append(rule(INGRESS, "all", block, policy="drop", priority=1 + draw.below(9), why="abuse"))
    return rules


def _app(draw: Draw, app: App, apps: list[App]) -> list[Rule]:
    """For its web servers, for the applications that call it, for the data centre; but not the management port."""
    rules = [
        rule(INGRESS, "tcp", EVERYWHERE, app.management, policy="drop", why="management"),
        rule(INGRESS, "tcp", _peer(app, "web"), app.ports, priority=10),
        *_callers(draw, app, apps, app.ports, most=9),
    ]
    for _ in range(draw.below(4)):
        block = f"172.16.{16 + draw.below(64)}.0/24"
        rules.append(rule(INGRESS, "tcp", block, app.ports, priority=30 + draw.below(10)))
    return rules + _allow_list(draw, app, draw.chance(5))


def _callers(draw: Draw, app: App, apps: list[App], ports: str, most: int) -> Iterator[Rule]:
    """Other applications of the environment, by their groups; for an enterprise group, the servers of one zone."""
    others = [other for other in apps if other.env == app.env and other is not app and not other.enterprise]
    if app.enterprise or not others:
        yield rule(INGRESS, "tcp", zone_block(app.env, "app", draw.one_of(ZONES)), ports, priority=20 + draw.below(10))
        return
    for group in sorted({draw.one_of(others).group("app") for _ in range(draw.below(most))}):
        yield rule(INGRESS, "tcp", group, ports, priority=20 + draw.below(10))


def _allow_list(draw: Draw, app: App, wanted: bool) -> list[Rule]:
    """What a hardened group lets out: its own databases and caches, names, HTTPS; nothing else."""
    if not wanted or app.enterprise:
        return []
    return [
        rule(EGRESS, "tcp", app.group("db"), f"{app.database[1]}/{app.database[1]}", priority=10),
        rule(EGRESS, "tcp", app.group("cache"), "6379/6379", priority=10),
        rule(EGRESS, "udp", SERVICES, "53/53", priority=10),
        rule(EGRESS, "tcp", EVERYWHERE, "443/443", priority=50 + draw.below(10)),
        rule(EGRESS, "all", EVERYWHERE, policy="drop", priority=100),
    ]


def _cache(draw: Draw, app: App, apps: list[App]) -> list[Rule]:
    own = rule(INGRESS, "tcp", _peer(app, "app"), "6379/6379", priority=10)
    return [own, *_callers(draw, app, apps, "6379/6379", most=2)]


def _db(draw: Draw, app: App, apps: list[App]) -> list[Rule]:
    """For its application servers and some others; at times for backups from the data centre, at odd ports."""
    port = app.database[1]
    rules = [rule(INGRESS, "tcp", _peer(app, "app"), f"{port}/{port}", priority=10)]
    rules += _callers(draw, app, apps, f"{port}/{port}", most=4)
    if draw.chance(2):
        first = 30000 + 100 * draw.below(20)
        rules.append(rule(INGRESS, "tcp", "172.16.8.0/24", f"{first}/{first + 49}", priority=40))
    if draw.chance(3):
        rules.append(rule(INGRESS, "all", vpc_block(app.env), policy="drop", priority=90, why="nothing else"))
    return rules


# ----------------------------------------------------------------------------------------------------------- instances


def add_instances(estate: Estate, apps: list[App], enis: int) -> None:
    """Jump hosts, then the ENIs of the applications; a few ENIs are attached to nothing."""
    instances: Document = {}
    for env in ENVIRONMENTS:
        for n, zone in enumerate(ZONES, start=1):
            name = f"{env}-jump-{n}"
            system = {"name": "Windows Server 2019"} if n == 2 else {"name": "Alibaba Cloud Linux", "version": "3"}
            eni: Document = {"vswitch": vswitch(env, "jump", zone), "ip": next_address(estate, env, "jump", zone)}
            eni["security_groups"] = [f"sg-{env}-jump"]
            instances[f"i-{name}"] = {"os": system, "network_interfaces": {f"eni-{name}": eni}}
    loose = enis // 100
    for (app, tier), count in _members(estate.draw, apps, enis - len(instances) - loose):
        instances |= _tier_instances(estate, app, tier, count)
    estate.document["instances"] = instances
    estate.document["network_interfaces"] = {
        f"eni-free-{n}": {"status": "Available", **_eni(estate, estate.draw.one_of(apps), "app", n)}
        for n in range(1, loose + 1)
    }


def _members(draw: Draw, apps: list[App], count: int) -> list[tuple[tuple[App, str], int]]:
    """How many ENIs each tier of each application has: one if there are enough, the rest as large as it happens."""
    places = [(app, tier) for app in apps for tier in APP_TIERS]
    sums = list(accumulate(TIER_WEIGHTS[tier] / (1 + app.number) ** 0.5 for app, tier in places))
    members = Counter(range(min(count, len(places))))
    members.update(draw.weighted(sums) for _ in range(count - members.total()))
    return [(place, members[n]) for n, place in enumerate(places) if members[n]]


def _tier_instances(estate: Estate, app: App, tier: str, enis: int) -> Document:
    """Instances with one ENI, at times two; the first one always runs, and says what listens if it is a database."""
    draw = estate.draw
    instances: Document = {}
    while enis:
        n = len(instances) + 1
        name = f"{app.env}-{app.name}-{tier}-{n}"
        interfaces = {f"eni-{name}": _eni(estate, app, tier, n)}
        if n > 1 and enis > 1 and draw.chance(25):
            interfaces[f"eni-{name}"]["type"] = "primary"
            status = {"status": draw.one_of(("Detaching", "Attaching"))} if draw.chance(4) else {}
            interfaces[f"eni-{name}-b"] = {"type": "secondary", **status, **_eni(estate, app, tier, n)}
        instance: Document = {"status": "Stopped"} if n > 1 and draw.chance(40) else {}
        instance["network_interfaces"] = interfaces
        if tier == "db" and n == 1:
            process, port = app.database
            listener = {"protocol": "tcp", "address": "0.0.0.0", "port": port, "process": process}
            instance["guest"] = {"listening": [listener]}
        instances[f"i-{name}"] = instance
        enis -= len(interfaces)
    return instances


def _eni(estate: Estate, app: App, tier: str, n: int) -> Document:
    """An ENI with its application's group and the one that everybody carries; the two are of one type."""
    zone = ZONES[n % len(ZONES)]
    eni: Document = {"vswitch": vswitch(app.env, tier, zone), "ip": next_address(estate, app.env, tier, zone)}
    if tier == "db" and estate.draw.chance(20):
        eni["secondary_ips"] = [next_address(estate, app.env, tier, zone)]
    baseline = f"sg-{app.env}-baseline" + ("-e" if app.enterprise else "")
    return {**eni, "security_groups": [app.group(tier), baseline]}


def add_public_addresses(estate: Estate, enis: int) -> None:
    """EIPs: one for each NAT gateway and jump host, and for some of the web servers."""
    free = iter(PUBLIC)
    eips = {
        f"eip-nat-{env}": {"ip": next(free), "bound_to": f"ngw-{env}", "bandwidth_mbps": 100} for env in ENVIRONMENTS
    }
    web = [name for name in estate.document["instances"] if re.search(r"-web-\d+$", name)]
    jump = [name for name in estate.document["instances"] if re.search(r"-jump-\d+$", name)]
    count = min(enis // 40, len(PUBLIC) - len(eips) - len(jump))
    for name, mbps in zip([*jump, *web[:count]], cycle((5, 10, 20)), strict=False):
        eips[f"eip-{name.removeprefix('i-')}"] = {"ip": next(free), "bound_to": name, "bandwidth_mbps": mbps}
    estate.document["eips"] = eips


def make_estate(enis: int, groups: int, seed: int) -> Document:
    """An estate as a topology.

    Parameters
    ----------
    enis, groups
        How many of each, exactly; at least 40 and 24.
    seed
        Which of the estates of that size.
    """
    estate = Estate(Draw(seed))
    estate.document |= {
        "schema": "netinsight.topology/1",
        "region": "cn-hangzhou",
        "collected_at": "2026-11-24T08:00:00Z",
        "account": {"overdue": False},
    }
    add_network(estate)
    apps, spare = make_apps(estate.draw, groups)
    add_groups(estate, apps, spare)
    add_instances(estate, apps, enis)
    add_public_addresses(estate, enis)
    return estate.document


# ------------------------------------------------------------------------------------------------------------- writing

HEAD = """\
# yaml-language-server: $schema=../docs/topology.schema.json
#
# An estate of {enis:,} ENIs and {groups:,} groups, and all 65,535 ports of one of its servers.
#
# Who asks: an auditor. What can a web server of the shop's orders reach on an application server behind it: the ports
# of the application, as the documents have it, or more?
# What is wrong: nothing; but it takes the members of every group that is named, among {enis:,} ENIs, to be sure. The
# application server has two groups. One accepts the members of the web servers' group on 8000-8009, and drops the
# management port 8009 from everywhere; the other accepts logins from the jump hosts, monitoring and ping. The ACL lets
# in more, for it must let replies in.
# The command:
#
#     netinsight diagnose {name} --src i-prod-orders-web-1 --dst i-prod-orders-app-1 --port 1-65535
#
# The answer: PARTLY REACHABLE, on 8000-8008 and on no other port; and what stops each of the others.
#
# The file is generated, this comment included:
#
#     {command}

"""


def to_yaml(document: Document, head: str = "") -> str:
    """The document as the examples are written: objects in blocks, rules one a line."""
    top = [f"{key}: {_flow(value)}" for key, value in document.items() if key in ON_TOP]
    sections = ["\n".join(_block(key, value, 0)) for key, value in document.items() if key not in ON_TOP]
    return head + "\n\n".join(["\n".join(top), *sections]) + "\n"


def _block(key: str, value: Any, depth: int) -> Iterator[str]:
    """A key and its value: on one line where it is no section, holds no further objects and fits."""
    line = f"{'  ' * depth}{key}: {_flow(value)}"
    if depth and not _holds_objects(value) and len(line) <= WIDTH:
        yield line
        return
    yield f"{'  ' * depth}{key}:"
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _block(name, below, depth + 1)
    else:
        for below in value:
            yield f"{'  ' * (depth + 1)}- {_flow(below)}"


def _holds_objects(value: Any) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(below, dict) or _holds_objects(below) for below in inside)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and re.fullmatch(r"(?!\d+(\.\d+)?$)[\w./-][\w ./:-]*", value):
        return value
    return json.dumps(value)


def main(argv: Sequence[str] | None = None) -> None:
    """Write an estate to a file, or to standard output."""
    parser = argparse.ArgumentParser(description="Write an estate of any size as a topology.")
    parser.add_argument("--enis", type=int, default=2000, help=f"how many ENIs, at least {LEAST_ENIS}")
    parser.add_argument("--groups", type=int, default=400, help=f"how many groups, at least {LEAST_GROUPS}")
    parser.add_argument("--seed", type=int, default=1, help="which estate of that size")
    parser.add_argument("--format", choices=("yaml", "json"), default="yaml", help="default: yaml")
    parser.add_argument("--to", metavar="FILE", help="default: standard output")
    chosen = parser.parse_args(argv)
    if chosen.enis < LEAST_ENIS or chosen.groups < LEAST_GROUPS:
        parser.error(f"at least {LEAST_ENIS} ENIs and {LEAST_GROUPS} groups")
    text = write(chosen.enis, chosen.groups, chosen.seed, chosen.format, chosen.to or "estate.yaml")
    if chosen.to:
        Path(chosen.to).write_text(text, encoding="utf-8", newline="\n")
    else:
        sys.stdout.write(text)


def write(enis: int, groups: int, seed: int, form: str, name: str) -> str:
    """The text of an estate; ``name`` is the file that its head speaks of."""
    document = make_estate(enis, groups, seed)
    if form == "json":
        return json.dumps(document) + "\n"
    command = f"python benchmarks/estate.py --enis {enis} --groups {groups} --seed {seed} --to {name}"
    return to_yaml(document, HEAD.format(enis=enis, groups=groups, name=name, command=command))


if __name__ == "__main__":
    main()
