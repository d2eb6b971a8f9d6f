"""Interfaces of a guest: their addresses and masks, and whether a DHCP client runs for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from netinsight.addresses import family, text
from netinsight.errors import visible
from netinsight.guest.address_rows import read_addresses
from netinsight.guest.lines import Problems, Written, json_rows
from netinsight.guest.rows import HostAddress, Interface

CLIENTS = (
    "dhclient",
    "dhcpcd",
    "udhcpc",
    "NetworkManager",
    "systemd-networkd",
    "systemd-network",
    "wickedd-dhcp4",
    "connmand",
)
"""Programs that ask by DHCP; a kernel cuts the name of a process after 15 characters."""
_DAEMONS = ("NetworkManager", "systemd-networkd", "systemd-network")
"""Those that tell which interfaces have a lease."""
_PID_FILE = re.compile(r"(?:dhclient|dhcpcd|udhcpc)[-.]?(.*?)(?:-4)?\.pid")


@dataclass(frozen=True, slots=True)
class Dhcp:
    """What a guest tells of DHCP."""

    processes: set[str] | None = None
    """Which of the clients run."""
    leased: frozenset[int] | None = None
    """The numbers of interfaces with a lease of systemd-networkd."""
    managed: dict[str, bool] | None = None
    """Of NetworkManager: interfaces, and whether each has a lease."""
    pid_files: frozenset[str] = frozenset()
    """The interfaces of clients that run for one interface each."""

    def runs_for(self, interface: Interface, addresses: list[HostAddress]) -> bool | None:
        """Whether a client runs for an interface; None: not known."""
        if any("dynamic" in one.flags for one in addresses) or interface.index in (self.leased or ()):
            return True
        if (self.managed or {}).get(interface.name):
            return True
        if self.processes is None:
            return None
        running = self.processes & set(CLIENTS)
        if running - set(_DAEMONS):  # one that tells its interface by a file only
            return True if interface.name in self.pid_files else None
        unknown = {
            name for name in running if (self.managed is None if name == "NetworkManager" else self.leased is None)
        }
        if running and (unknown or not addresses):  # a client may be asking, and nobody answers
            return None
        return False


def read_dhcp(processes: set[str] | None, leases: Written | None, nmcli: Written | None, pids: Written | None) -> Dhcp:
    """Each where it was gathered: the names of the leases of networkd, ``nmcli``, the names of pid files."""
    managed: dict[str, bool] | None = None
    if nmcli is not None:
        managed, device = {}, ""
        for line in nmcli.text.splitlines():
            if line.startswith("GENERAL.DEVICE:"):
                device = line.partition(":")[2].strip()
                managed[device] = False
            elif line.startswith("DHCP4.") and device:
                managed[device] = True
    numbers = frozenset(int(one) for one in leases.text.split() if one.isascii() and one.isdigit()) if leases else None
    names = pids.text.split() if pids else []
    files = frozenset(found[1] for name in names if (found := _PID_FILE.fullmatch(name)) and found[1])
    return Dhcp(processes, numbers, managed, files)


def interfaces_of(written: Written, dhcp: Dhcp, problems: Problems) -> Iterator[dict[str, Any]]:
    """The interfaces of ``ip address`` as a topology has them, without the loopback."""
    interfaces, addresses = read_addresses(written, problems)
    for name, one in interfaces.items():
        if one.loopback:
            continue
        mine = [held for held in addresses if held.interface == name and family(held.address) == 4]
        first = next((held for held in mine if held.scope == 0 and not held.secondary), mine[0] if mine else None)
        told: dict[str, Any] = {"name": visible(name, 64)} | ({"mac": one.mac} if one.mac else {})
        told["ip"] = text(first.address) if first else None
        told["prefix_length"] = first.network.length if first else None
        runs = dhcp.runs_for(one, mine)
        yield told if runs is None else told | {"dhcp": runs}


def windows_interfaces(
    addresses: Written, adapters: Written | None, bindings: Written | None, problems: Problems
) -> Iterator[dict[str, Any]]:
    """Those of ``Get-NetIPAddress``, ``Get-NetAdapter`` and ``Get-NetIPInterface``, each with ``ConvertTo-Json``."""
    macs = _by_index(adapters, "ifIndex", problems)
    dhcp = {index: str(one.get("Dhcp")) in ("Enabled", "1") for index, one in
            _by_index(bindings, "InterfaceIndex", problems, AddressFamily=("IPv4", "2")).items() if "Dhcp" in one}  # fmt: skip
    held = _by_index(addresses, "InterfaceIndex", problems, AddressFamily=("IPv4", "2"))
    for index in dict.fromkeys([*macs, *held]):
        one, adapter = held.get(index, {}), macs.get(index, {})
        name = str(one.get("InterfaceAlias") or adapter.get("Name") or index)
        if str(one.get("IPAddress", "")).startswith("127."):
            continue
        length = one.get("PrefixLength")
        told: dict[str, Any] = {"name": visible(name, 64)}
        if mac := adapter.get("MacAddress"):
            told["mac"] = visible(str(mac), 32)
        told |= {"ip": one.get("IPAddress"), "prefix_length": length if isinstance(length, int) else None}
        yield told | ({"dhcp": dhcp[index]} if index in dhcp else {})


def _by_index(
    written: Written | None, key: str, problems: Problems, **only: tuple[str, ...]
) -> dict[int, dict[str, Any]]:
    """The first row of each interface, of those that have one of some values."""
    found: dict[int, dict[str, Any]] = {}
    for row, value in json_rows(written, problems) if written and written.is_json else ():
        index = value.get(key)
        if not isinstance(index, int):
            problems.note(row, None, f"no `{key}`", "as `ConvertTo-Json` prints it")
        elif all(str(value.get(name, some[0])) in some for name, some in only.items()):
            found.setdefault(index, value)
    return found
