"""What PowerShell may print of a firewall: of a few rules, and of a machine of the oracle in every form it may have."""

from __future__ import annotations

import ipaddress
import json
from random import Random
from typing import Any

from netinsight.addresses import parse_address
from netinsight.engine.spaces import Box
from netinsight.flow import NO_PORT, PortRange
from netinsight.guest.iptables import Packet
from netinsight.guest.windows_firewall import WindowsFirewall
from netinsight.sources.windows_firewall_file import read_windows_firewall
from tests.guest.windows_firewall_oracle import PROFILES, Asked, Connection, Machine, Profile, Rule


def rule(**more: Any) -> dict[str, Any]:
    """A rule that allows what comes in by TCP."""
    whole = {"DisplayName": "a rule", "Enabled": "True", "Profile": "Any", "Direction": "Inbound", "Action": "Allow",
             "LocalAddress": "Any", "RemoteAddress": "Any", "Protocol": "TCP", "LocalPort": "Any", "RemotePort": "Any",
             "IcmpType": "Any", "Program": "Any", "Service": "Any", "InterfaceAlias": "Any", "InterfaceType": "Any",
             "Authentication": "NotRequired", "Encryption": "NotRequired"}  # fmt: skip
    return {**whole, **more}


def whole(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An export with some rules."""
    profiles = [{"Name": name, "Enabled": "True", "DefaultInboundAction": "NotConfigured",
                 "DefaultOutboundAction": "NotConfigured"} for name in ("Domain", "Private", "Public")]  # fmt: skip
    connections = [{"InterfaceAlias": "Ethernet", "NetworkCategory": "Public", "Addresses": ["10.0.0.2/24"]}]
    return {"store": "ActiveStore", "profiles": profiles, "rules": list(rules), "connections": connections, **more}


def firewall(*rules: dict[str, Any], **more: Any) -> WindowsFirewall:
    """The firewall of it."""
    return read_windows_firewall(json.dumps(whole(*rules, **more), indent=1))


def export(machine: Machine, random: Random) -> str:
    """The JSON text."""
    whole: dict[str, Any] = {
        "store": "ActiveStore",
        "profiles": [_profile(name, machine.profiles[name], random) for name in PROFILES],
        "rules": [_rule(at, rule, random) for at, rule in enumerate(machine.rules)],
        "connections": [_connection(one, random) for one in machine.connections],
    }
    if not machine.connections and random.random() < 0.5:
        del whole["connections"]
    return json.dumps(whole, indent=random.choice([None, 2]))


def packet(asked: Asked) -> Packet:
    """The packet of a question."""
    ports = Box(*(PortRange(one, one) for one in (asked.source_port, asked.port)))
    typed = asked.protocol in (1, 58)
    side = "in_interface" if asked.inbound else "out_interface"
    return Packet(
        "INPUT" if asked.inbound else "OUTPUT", parse_address(asked.source), parse_address(asked.target), asked.protocol,
        ports if asked.protocol in (6, 17) else Box(NO_PORT, NO_PORT), icmp_type=asked.kind[0] if typed else None,
        icmp_code=asked.kind[1] if typed else None, program=asked.program, service=asked.service, package=asked.package,
        state="NEW", **{side: asked.alias},
    )  # fmt: skip


def _profile(name: str, profile: Profile, random: Random) -> dict[str, Any]:
    def switch(so: bool) -> Any:
        return random.choice(["True", 1, True, *([2, "NotConfigured"] if random.random() < 0.3 else [])]
                             if so else ["False", 0, False])  # fmt: skip

    numbers = {"NotConfigured": 0, "Allow": 2, "Block": 4}
    return {
        "Name": name, "Enabled": switch(profile.enabled), "LogAllowed": 2, "AllowInboundRules": switch(profile.inbound_rules),
        "DefaultInboundAction": random.choice([profile.inbound, numbers[profile.inbound]]),
        "DefaultOutboundAction": random.choice([profile.outbound, numbers[profile.outbound]]),
        "AllowLocalFirewallRules": switch(profile.local_rules),
        "DisabledInterfaceAliases": _list(profile.off or ["NotConfigured"], random),
    }  # fmt: skip


def _connection(one: Connection, random: Random) -> dict[str, Any]:
    numbers = {"Public": 0, "Private": 1, "Domain": 2}
    word = {"Domain": "DomainAuthenticated"}
    category = one.category and random.choice([word.get(one.category, one.category), numbers[one.category]])
    return {"InterfaceAlias": random.choice([one.alias, one.alias.upper()]), "NetworkCategory": category,
            "InterfaceType": one.type, "Addresses": _list(one.subnets, random), "Gateways": _list(one.gateways, random),
            "DnsServers": _list(one.dns, random)}  # fmt: skip


def _list(value: list[Any] | None, random: Random) -> Any:
    if value is None:
        return None
    forms = [value, {"value": value, "Count": len(value)}, *(value if len(value) == 1 else [])]
    return random.choice(forms)


def _rule(at: int, rule: Rule, random: Random) -> dict[str, Any]:
    some = random.choice
    bits = sum(1 << PROFILES.index(name) for name in rule.profiles)
    names = {None: "Any", 1: "ICMPv4", 6: "TCP", 17: "UDP", 58: "ICMPv6", 47: "47"}
    whole = len(rule.profiles) == 3
    icmp = [f"{kind}" if code is None else f"{kind}:{code}" for kind, code in rule.icmp or []] or ["Any"]
    bypass = rule.action == "Bypass" and random.random() < 0.5
    types = {"Wired": 1, "Wireless": 2, "RemoteAccess": 4}
    actions = {"Allow": ["Allow", 2], "Block": ["Block", 4], "Bypass": ["AllowBypass", 3]}
    return {
        "Name": f"rule-{at}", "DisplayName": f"Rule {at}", "InstanceID": f"rule-{at}", "Caption": None,
        "Enabled": some(["True", 1, True] if rule.enabled else ["False", 2, False]),
        "Profile": some([", ".join(rule.profiles), bits, rule.profiles, *(["Any", 0, 2147483647] if whole else [])]),
        "Direction": some(["Inbound", 1] if rule.inbound else ["Outbound", 2]),
        "Action": some(["Allow", 2] if bypass else actions[rule.action]), "OverrideBlockRules": bypass,
        "EdgeTraversalPolicy": some(["Block", 0, 3, "Defer to App"]),
        "PolicyStoreSourceType": some(["Local", 1] if rule.local_store else ["GroupPolicy", 2]),
        "LocalAddress": _list([_address(item, random) for item in rule.local], random),
        "RemoteAddress": _list([_address(item, random) for item in rule.remote], random),
        "Protocol": some([names[rule.protocol], rule.protocol if rule.protocol is not None else "Any"]),
        "LocalPort": _list([_port(item, random) for item in rule.local_ports], random),
        "RemotePort": _list([_port(item, random) for item in rule.remote_ports], random),
        "IcmpType": _list(icmp, random), "Program": rule.program or some(["Any", None]),
        "Service": rule.service or some(["Any", None]), "Package": rule.package, "Platform": some([[], ["6.1+"], None]),
        "InterfaceAlias": _list(rule.aliases or ["Any"], random),
        "InterfaceType": some([", ".join(rule.types), sum(types[one] for one in rule.types)]) if rule.types else some(["Any", 0]),
        "Authentication": some(["Required", 1, "NoEncap", 2] if rule.authenticated else ["NotRequired", 0]),
        "Encryption": some(["Required", "Dynamic", 2] if rule.encrypted else ["NotRequired", 0]),
    }  # fmt: skip


def _port(item: Any, random: Random) -> Any:
    if isinstance(item, str):
        return item
    first, last = item
    return f"{first}-{last}" if first != last else random.choice([first, str(first)])


def _address(item: Any, random: Random) -> str:
    if item == "Any":
        return "Any"
    if item[0] == "net":
        net = ipaddress.ip_network(item[1])
        alone = net.num_addresses == 1
        masked = net.with_netmask if net.version == 4 else item[1]
        return str(random.choice([item[1], masked, *([str(net.network_address)] if alone else [])]))
    if item[0] == "span":
        return f"{item[1]}-{item[2]}"
    return f"{item[1]}{item[2] or ''}"
