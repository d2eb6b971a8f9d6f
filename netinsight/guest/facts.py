"""What was gathered in a guest -> ``guest``, ``os`` and ``load`` as a topology has them, and what is not known of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from netinsight.errors import Problem
from netinsight.guest.interfaces import CLIENTS, interfaces_of, read_dhcp, windows_interfaces
from netinsight.guest.lines import Problems, Written, json_rows
from netinsight.guest.sections import Gathered
from netinsight.guest.sockets import Sockets, listeners, read_sockets
from netinsight.guest.sshd import sshd_of
from netinsight.guest.system import cpu_percent, is_on, os_of, read_sysctl

TEXTS = {
    "iptables": ("iptables-save",),
    "ip6tables": ("ip6tables-save",),
    "ipsets": ("ipset-save",),
    "nftables": ("nft",),
    "windows_firewall": ("windows-firewall",),
    "addresses": ("ip-addr",),
    "rules": ("ip-rule",),
    "rules6": ("ip6-rule",),
    "routes": ("ip-route", "get-netroute", "route-print"),
    "routes6": ("ip6-route",),
    "rt_tables": ("rt_tables",),
    "sysctl": ("sysctl",),
}
"""Keys of ``guest`` that are what a command printed, by the sections that may hold it."""
OTHERS = {
    "dhcp_supported": ("dhcp-clients",),
    "interfaces": ("ip-addr", "get-netipaddress"),
    "ip_forward": ("sysctl",),
    "listening": ("ss", "netstat", "get-nettcpconnection"),
    "sshd": ("sshd-T", "processes", "termservice"),
}
"""Keys that are worked out, by the sections that they need first."""
OF_WINDOWS = ("windows", "windows-firewall", "get-netroute", "route-print", "get-netipaddress", "get-netadapter",
              "get-netipinterface", "get-nettcpconnection", "get-netudpendpoint", "termservice")  # fmt: skip
NAMES = tuple(dict.fromkeys(
    [*(name for names in TEXTS.values() for name in names), *(name for names in OTHERS.values() for name in names),
     *OF_WINDOWS, "uname", "os-release", "load", "ssh-files", "dhcp-leases", "dhcp-pids", "nmcli"]
))  # fmt: skip
"""Every section there is."""
_ELSEWHERE = re.compile(r"# Warning: ip6?tables-legacy tables present[^#]*")
"""What iptables-save of the newer back end writes to its standard error where the older one has tables too."""


@dataclass(slots=True)
class Facts:
    """What a guest tells."""

    guest: dict[str, Any] = field(default_factory=dict)
    os: dict[str, str] = field(default_factory=dict)
    load: dict[str, float] = field(default_factory=dict)
    places: dict[str, Written] = field(default_factory=dict)
    """Where the content of a key stands: the text itself, or what it was worked out of."""
    lacking: dict[str, str] = field(default_factory=dict)
    """Keys that are not known, and why."""
    notes: dict[str, list[str]] = field(default_factory=dict)
    """What was taken for granted of a key, or said beside it."""
    problems: list[Problem] = field(default_factory=list)


def facts_of(gathered: Gathered) -> Facts:
    """Everything that can be told of what was gathered; a key that needs what is not there is left out."""
    facts, problems = Facts(), Problems()
    for key, names in TEXTS.items():
        if section := gathered.first(*names):
            facts.guest[key] = section.written.text
            facts.places[key] = section.written
            if section.said:
                facts.notes.setdefault(key, []).append(f"{section.title} said: {section.said}")
            if warning := _ELSEWHERE.search(section.said):
                facts.guest[key] += f"{warning[0]}\n"  # as the firewall's reader wants it: every answer says so
    sockets = _listening(gathered, facts, problems)
    processes = _names(gathered.get("processes"))
    _interfaces(gathered, facts, processes, problems)
    _sshd(gathered, facts, sockets, processes, problems)
    _system(gathered, facts, problems)
    facts.problems = problems.found
    windows = any(name in gathered.sections for name in OF_WINDOWS)
    for key, names in (TEXTS | OTHERS).items():
        concerned = any((name in OF_WINDOWS) == windows for name in names)
        if key not in facts.guest and concerned:
            facts.lacking[key] = gathered.why_not(*names)
    return facts


def _names(written: Written | None) -> set[str] | None:
    return set(written.text.split()) if written is not None else None


def _listening(gathered: Gathered, facts: Facts, problems: Problems) -> Sockets | None:
    first = gathered.first(*OTHERS["listening"])
    if first is None:
        return None
    udp = gathered.get("get-netudpendpoint") if first.name == "get-nettcpconnection" else None
    sockets = read_sockets(first.written, problems, protocol="tcp" if first.name == "get-nettcpconnection" else "")
    if udp is not None:
        read_sockets(udp, problems, sockets, "udp")
    elif first.name == "get-nettcpconnection":
        facts.notes.setdefault("listening", []).append(f"of TCP only: {gathered.why_not('get-netudpendpoint')}")
    facts.guest["listening"] = list(listeners(sockets))
    facts.places["listening"] = first.written
    if sockets.notes:
        facts.notes.setdefault("listening", []).extend(sockets.notes)
    return sockets


def _interfaces(gathered: Gathered, facts: Facts, processes: set[str] | None, problems: Problems) -> None:
    if clients := gathered.get("dhcp-clients"):
        facts.guest["dhcp_supported"] = bool(clients.text.split())
        facts.places["dhcp_supported"] = clients
    if (addresses := gathered.get("ip-addr")) is not None:
        dhcp = read_dhcp(processes, *(gathered.get(name) for name in ("dhcp-leases", "nmcli", "dhcp-pids")))
        facts.guest["interfaces"] = list(interfaces_of(addresses, dhcp, problems))
        facts.places["interfaces"] = addresses
        if without := [one["name"] for one in facts.guest["interfaces"] if "dhcp" not in one]:
            running = ", ".join(sorted((processes or set()) & set(CLIENTS)))
            why = f"{running} may ask for it" if running else gathered.why_not("processes")
            facts.notes.setdefault("interfaces", []).append(f"dhcp of {', '.join(without)} is not known: {why}")
    elif (addresses := gathered.get("get-netipaddress")) is not None:
        adapters, bindings = gathered.get("get-netadapter"), gathered.get("get-netipinterface")
        facts.guest["interfaces"] = list(windows_interfaces(addresses, adapters, bindings, problems))
        facts.places["interfaces"] = addresses


def _sshd(
    gathered: Gathered, facts: Facts, sockets: Sockets | None, processes: set[str] | None, problems: Problems
) -> None:
    if (desktop := gathered.get("termservice")) is not None:
        facts.places["sshd"] = desktop
        for _, value in json_rows(desktop, problems):
            told = {"running": value.get("Running"), "ports": value.get("Port") and [value["Port"]]}
            facts.guest["sshd"] = {key: one for key, one in told.items() if one is not None}
        return
    config = gathered.sections.get("sshd-T")
    found = sshd_of(config, gathered.get("ssh-files"), sockets.found.values() if sockets else None, processes, problems)
    if found:
        facts.guest["sshd"] = found
        facts.places["sshd"] = config.written if config else Written("")
        if absent := [key for key in ("running", "ports", "permit_root_login", "missing_files") if key not in found]:
            facts.notes.setdefault("sshd", []).append(f"{', '.join(absent)} not known: {gathered.why_not('sshd-T')}")


def _system(gathered: Gathered, facts: Facts, problems: Problems) -> None:
    if (text := gathered.get("sysctl")) is not None:
        forwards = is_on(read_sysctl(text, problems), "net", "ipv4", "ip_forward")
        if forwards is not None:
            facts.guest["ip_forward"] = forwards
            facts.places["ip_forward"] = text
    release = gathered.get("os-release")
    facts.os = os_of(release, gathered.get("uname"))
    if release is not None:
        facts.places["os"] = release
    if (load := gathered.get("load")) is not None and (percent := cpu_percent(load, problems)) is not None:
        facts.load = {"cpu_percent": percent}
        facts.places["load"] = load
    if (windows := gathered.get("windows")) is not None:
        _windows(windows, facts, problems)


def _windows(written: Written, facts: Facts, problems: Problems) -> None:
    """``Caption``, ``Version``, ``Architecture``, ``LoadPercentage`` and ``Forwarding`` of the collector for Windows."""
    for _, value in json_rows(written, problems):
        machine = {"9": "x86_64", "12": "arm64"}.get(str(value.get("Architecture")), "")
        told = {"name": str(value.get("Caption") or "").removeprefix("Microsoft ").strip(),
                "version": str(value.get("Version") or ""), "architecture": machine}  # fmt: skip
        facts.os = {key: one[:128] for key, one in told.items() if one}
        facts.places["os"] = facts.places["load"] = written
        if isinstance(percent := value.get("LoadPercentage"), (int, float)) and 0 <= percent <= 100:
            facts.load = {"cpu_percent": float(percent)}
        if isinstance(forwards := value.get("Forwarding"), bool):
            facts.guest["ip_forward"] = forwards
            facts.places["ip_forward"] = written
