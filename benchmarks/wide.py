"""An estate of ten VPCs around a transit router, in which all that leaves a VPC passes a firewall.

::

    vpc-1 … vpc-9 ─ attachment ─ tr-hub ─ attachment ─ vpc-hub: vSwitch ─ firewall ─ table ─┬─ tr-hub ─ vpc-1 … vpc-9
                                                                                           └─ NAT gateway ─ the Internet

Every VPC has ten vSwitches, each with an ACL; every ENI has two groups, one of its team and one of its VPC; every
hundredth instance has an EIP.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

Document = dict[str, Any]

VPCS = 10
VSWITCHES = 10
TEAMS = 20
"""Groups of a VPC."""
EVERYWHERE = "0.0.0.0/0"
HUB, ROUTER = "vpc-0", "tr-hub"


def block(vpc: int) -> str:
    """The block of a VPC."""
    return f"10.{16 * vpc}.0.0/12"


def vswitch_block(vpc: int, number: int) -> str:
    """The block of a vSwitch."""
    return f"10.{16 * vpc + number}.0.0/16"


def address(vpc: int, number: int, host: int) -> str:
    """An address of a vSwitch."""
    return str(ip_address(f"10.{16 * vpc + number}.0.10") + host)


def make_wide(enis: int) -> Document:
    """The estate as a topology of so many ENIs, and the firewall's."""
    vpcs = range(VPCS)
    document: Document = {
        "schema": "netinsight.topology/1",
        "collected_at": "2026-11-24T08:00:00Z",
        "account": {"overdue": False},
        "vpcs": {f"vpc-{n}": {"cidrs": [block(n)]} for n in vpcs},
        "vswitches": {f"vsw-{n}-{m}": _vswitch(n, m) for n in vpcs for m in range(VSWITCHES)},
        "network_acls": {f"nacl-{n}-{m}": _acl(n) for n in vpcs for m in range(VSWITCHES)},
        "route_tables": {f"rtb-{n}": _table(n) for n in vpcs},
        "security_groups": {name: group for n in vpcs for name, group in _groups(n)},
        "transit_routers": {ROUTER: _transit_router()},
        "nat_gateways": {
            "ngw-hub": {"vpc": HUB, "vswitch": "vsw-0-1", "snat": [{"source": "10.0.0.0/8", "eip": "eip-nat"}]}
        },
    }
    document["route_tables"]["rtb-inspect"] = {"vpc": HUB, "type": "custom", "routes": [
        {"destination": destination, "next_hop": "i-firewall"} for destination in ("10.0.0.0/8", EVERYWHERE)]}  # fmt: skip
    document["vswitches"]["vsw-0-2"]["route_table"] = "rtb-inspect"
    document["instances"] = _instances(enis)
    document["eips"] = {"eip-nat": {"ip": "203.0.113.1", "bound_to": "ngw-hub"}} | {
        f"eip-{name}": {"ip": str(ip_address("198.18.0.0") + n), "bound_to": name}
        for n, name in enumerate(list(document["instances"])[1::100])
    }
    return document


def _vswitch(vpc: int, number: int) -> Document:
    return {"vpc": f"vpc-{vpc}", "cidr": vswitch_block(vpc, number), "network_acl": f"nacl-{vpc}-{number}"}


def _acl(vpc: int) -> Document:
    entries = [
        {"policy": "drop", "protocol": "tcp", "ports": "23/23", "source": EVERYWHERE},
        {"policy": "accept", "protocol": "tcp", "ports": "1024/65535", "source": EVERYWHERE},
        {"policy": "accept", "protocol": "tcp", "ports": "22/22", "source": "10.0.0.0/8"},
        {"policy": "accept", "protocol": "tcp", "ports": "443/443", "source": "10.0.0.0/8"},
    ]
    out = [{"policy": "accept", "protocol": "all", "destination": EVERYWHERE}]
    return {"vpc": f"vpc-{vpc}", "ingress": entries, "egress": out}


def _table(vpc: int) -> Document:
    """All that is not of the VPC goes to the router; in the hub the Internet is behind the NAT gateway."""
    routes = [{"destination": "10.0.0.0/8", "next_hop": f"att-{vpc}"}]
    routes.append({"destination": EVERYWHERE, "next_hop": f"att-{vpc}" if vpc else "ngw-hub"})
    return {"vpc": f"vpc-{vpc}", "type": "system", "routes": routes}


def _transit_router() -> Document:
    """Two tables: what comes from a VPC goes to the hub, what comes from the hub to its VPC."""
    attachments: Document = {
        f"att-{n}": {"to": f"vpc-{n}", "route_table": "spokes" if n else "hub", "vswitches": [f"vsw-{n}-2"]}
        for n in range(VPCS)
    }
    spokes = [{"destination": destination, "attachment": "att-0"} for destination in ("10.0.0.0/8", EVERYWHERE)]
    hub = [{"destination": block(n), "attachment": f"att-{n}"} for n in range(1, VPCS)]
    return {"attachments": attachments, "route_tables": {"spokes": {"routes": spokes}, "hub": {"routes": hub}}}


def _groups(vpc: int) -> list[tuple[str, Document]]:
    """One that everybody carries, and one for each team, which names two others and its neighbours' blocks."""
    anybody = [_rule("10.0.0.0/8", "443/443"), _rule("10.0.0.0/8", "22/22", priority=50)]
    groups = [(f"sg-{vpc}", {"vpc": f"vpc-{vpc}", "inner_access_policy": "Drop", "rules": anybody})]
    for team in range(TEAMS):
        rules = [_rule(f"sg-{vpc}-{(team + n) % TEAMS}", f"{8000 + 100 * n}/{8099 + 100 * n}") for n in (1, 2)]
        rules += [_rule(block((vpc + n) % VPCS), f"{9000 + n}/{9000 + n}", priority=10 + n) for n in range(5)]
        groups.append((f"sg-{vpc}-{team}", {"vpc": f"vpc-{vpc}", "rules": rules}))
    return groups


def _rule(source: str, ports: str, priority: int = 1) -> Document:
    return {"direction": "ingress", "policy": "accept", "priority": priority, "protocol": "tcp", "ports": ports,
            "source": source}  # fmt: skip


def _instances(enis: int) -> Document:
    firewall_group = {"vswitch": "vsw-0-3", "ip": address(0, 3, 60_000), "security_groups": ["sg-0"]}
    instances: Document = {
        "i-firewall": {"network_interfaces": {"eni-firewall": firewall_group}, "guest": {"ip_forward": True}}
    }
    for n in range(enis):
        vpc, number, host = n % VPCS, n // VPCS % VSWITCHES, n // VPCS // VSWITCHES
        groups = [f"sg-{vpc}-{host % TEAMS}", f"sg-{vpc}"]
        eni = {"vswitch": f"vsw-{vpc}-{number}", "ip": address(vpc, number, host), "security_groups": groups}
        instances[f"i-{vpc}-{number}-{host}"] = {"network_interfaces": {f"eni-{vpc}-{number}-{host}": eni}}
    return instances
