"""The guest's network interfaces against what the cloud assigned: DHCP, address, mask; at both ends."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.diagnosis.case import Case, Fact, Result, Side, abnormal, fact_missing, missing, normal
from netinsight.model.base import Path
from netinsight.model.guest import Guest, GuestInterface
from netinsight.network.steps import why

ITEMS = ("nic.dhcp", "nic.ip", "nic.netmask")


def check(case: Case, side: Side) -> Iterator[Result]:
    """Does DHCP run, is the address right, is the mask right."""
    gap = case.guest_gap(side.instance)
    if gap or side.guest is None:
        yield from (missing(item, side.ref, gap or why("skip.not_collected")) for item in ITEMS)
    elif side.guest.interfaces is None:
        yield from (fact_missing(item, side.ref, "guest.interfaces") for item in ITEMS)
    elif (found := find_interface(side, side.guest)) is None:
        yield from (missing(item, side.ref, why("skip.no_interface", eni=side.interface.id)) for item in ITEMS)
    else:
        interface, path = found
        yield _dhcp(case, side, side.guest, interface, path)
        yield _ip(case, side, interface, path)
        yield _netmask(case, side, interface, path)


def find_interface(side: Side, guest: Guest) -> tuple[GuestInterface, Path] | None:
    """The guest's interface that is the ENI: by MAC, else by address, else the only one on both sides."""
    interfaces, eni = guest.interfaces or [], side.interface.eni
    base = (*side.path, "guest", "interfaces")
    if not interfaces:
        none = {"name": "-", "ip": None, "prefix_length": None, "dhcp": False}
        return GuestInterface.model_validate(none), base
    for i, interface in enumerate(interfaces):
        if eni.mac and interface.mac and interface.mac.lower().replace("-", ":") == eni.mac.lower().replace("-", ":"):
            return interface, (*base, i)
    for i, interface in enumerate(interfaces):
        if interface.ip == eni.ip:
            return interface, (*base, i)
    real = [(interface, (*base, i)) for i, interface in enumerate(interfaces) if interface.name != "lo"]
    alone = side.instance is not None and len(side.instance.network_interfaces) == 1
    return real[0] if alone and len(real) == 1 else None


def _dhcp(case: Case, side: Side, guest: Guest, interface: GuestInterface, path: Path) -> Result:
    eni, fact = side.interface, Fact((*path, "dhcp"), f"dhcp: {str(interface.dhcp).lower()}")
    if interface.dhcp is None:
        return fact_missing("nic.dhcp", side.ref, "guest.interfaces[].dhcp")
    if interface.dhcp:
        return normal("nic.dhcp", side.ref, "running", fact, eni=eni.id)
    if interface.ip == eni.eni.ip:
        return normal("nic.dhcp", side.ref, "static", fact, eni=eni.id)
    if "ip" not in interface.model_fields_set:
        return fact_missing("nic.dhcp", side.ref, "guest.interfaces[].ip")
    if guest.dhcp_supported is None:
        return fact_missing("nic.dhcp", side.ref, "guest.dhcp_supported")
    if not guest.dhcp_supported:
        return normal(
            "nic.dhcp", side.ref, "unsupported", Fact((*side.path, "guest", "dhcp_supported"), "dhcp_supported: false")
        )
    return abnormal("nic.dhcp", side.ref, "stopped", case.whole, fact, eni=eni.id)


def _ip(case: Case, side: Side, interface: GuestInterface, path: Path) -> Result:
    expected, actual = side.interface.eni.ip, interface.ip
    if "ip" not in interface.model_fields_set:
        return fact_missing("nic.ip", side.ref, "guest.interfaces[].ip")
    fact = Fact((*path, "ip"), f"ip: {actual or 'null'}")
    values = {"eni": side.interface.id, "expected": expected, "actual": actual or "-"}
    if actual == expected:
        return normal("nic.ip", side.ref, "right", fact, **values)
    return abnormal("nic.ip", side.ref, "wrong" if actual else "none", case.whole, fact, **values)


def _netmask(case: Case, side: Side, interface: GuestInterface, path: Path) -> Result:
    expected, actual = case.network.prefix_length(side.interface), interface.prefix_length
    if expected is None or "prefix_length" not in interface.model_fields_set:
        return fact_missing("nic.netmask", side.ref, "guest.interfaces[].prefix_length")
    fact = Fact((*path, "prefix_length"), f"prefix_length: {'null' if actual is None else actual}")
    values = {"eni": side.interface.id, "expected": expected, "actual": actual}
    if actual == expected:
        return normal("nic.netmask", side.ref, "right", fact, **values)
    return abnormal("nic.netmask", side.ref, "none" if actual is None else "wrong", (), fact, **values)
