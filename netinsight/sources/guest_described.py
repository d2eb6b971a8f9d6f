"""A guest's routing, addresses and firewalls, from the texts of it that a topology has.

Few topologies have any: what reads a kind of text is loaded where there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netinsight.errors import InputError
from netinsight.model.guest import Guest

if TYPE_CHECKING:
    from netinsight.guest.iptables import Firewall
    from netinsight.guest.lines import Problems
    from netinsight.guest.nftables import Ruleset
    from netinsight.guest.packets import Settings
    from netinsight.guest.routes import Routing
    from netinsight.guest.rows import HostAddress
    from netinsight.guest.windows_firewall import WindowsFirewall


def routing_of(guest: Guest) -> Routing | None:
    """The rules and routes of a guest; None where either is not known: a guess would be no answer. Windows has no rules.

    Raises
    ------
    InputError
        With every mistake in the texts, each at the key in ``<>``, such as ``<rules>``, and its line there.
    """
    if (guest.routes, guest.rules, guest.rt_tables, guest.sysctl) == (None,) * 4:
        return None
    from netinsight.guest.lines import Problems, Written
    from netinsight.guest.routes import read_routing
    from netinsight.guest.system import read_table_names
    from netinsight.guest.windows import is_windows, read_windows_routing

    if guest.routes is not None and is_windows(guest.routes):
        return read_windows_routing(guest.routes)
    problems = Problems()
    tables = read_table_names(Written(guest.rt_tables, "<rt_tables>"), problems) if guest.rt_tables else {}
    settings = _settings(guest, problems)
    if guest.routes is None or guest.rules is None:
        if problems.found:
            raise InputError(problems.found)
        return None
    addresses = guest.addresses if guest.addresses is not None else _as_addresses(guest)
    try:
        routing = read_routing(addresses, guest.rules, guest.routes, rules6=guest.rules6, routes6=guest.routes6,
                               tables=tables, settings=settings)  # fmt: skip
    except InputError as error:
        raise InputError([*problems.found, *error.problems]) from None
    if problems.found:
        raise InputError(problems.found)
    return routing


def _settings(guest: Guest, problems: Problems) -> Settings:
    """The kernel's switches, as far as ``sysctl`` tells them; whether it forwards is asked elsewhere."""
    from netinsight.guest.lines import Written
    from netinsight.guest.packets import Settings
    from netinsight.guest.system import is_on, read_sysctl

    if guest.sysctl is None:
        return Settings()
    known = read_sysctl(Written(guest.sysctl, "<sysctl>"), problems)
    of_all = {name: is_on(known, "net", "ipv4", "conf", "all", name)
              for name in ("ignore_routes_with_linkdown", "accept_local", "route_localnet", "src_valid_mark")}  # fmt: skip
    return Settings(
        ignore_linkdown=bool(of_all["ignore_routes_with_linkdown"]), route_localnet=bool(of_all["route_localnet"]),
        accept_local=of_all["accept_local"], src_valid_mark=bool(of_all["src_valid_mark"]),
    )  # fmt: skip


def reverse_path_mode(guest: Guest, interface: str) -> int:
    """``rp_filter`` of an interface: the greater of its own and that of ``all``; 0 where nobody told."""
    from netinsight.guest.lines import Problems, Written
    from netinsight.guest.system import read_sysctl

    known = read_sysctl(Written(guest.sysctl or "", "<sysctl>"), Problems())
    values = (known.get(("net", "ipv4", "conf", name, "rp_filter"), "") for name in ("all", interface))
    return max(int(value) if value in ("1", "2") else 0 for value in values)


def addresses_of(guest: Guest) -> tuple[HostAddress, ...] | None:
    """Every address of a guest; None where it did not print them.

    Raises
    ------
    InputError
        With every mistake in the text.
    """
    if guest.addresses is None:
        return None
    from netinsight.guest.address_rows import read_addresses
    from netinsight.guest.lines import Problems, Written

    problems = Problems()
    found = read_addresses(Written(guest.addresses, "<addresses>"), problems)[1]
    if problems.found:
        raise InputError(problems.found)
    return found


def firewall_of(guest: Guest, family: int) -> Firewall | None:
    """The rules of a guest's firewall for IPv4 or IPv6; None where they are not known.

    Raises
    ------
    InputError
        With every mistake in the text, each at ``<iptables>``, ``<ip6tables>`` or ``<ipsets>`` and its line there.
    """
    text = guest.iptables if family == 4 else guest.ip6tables
    if text is None:
        return None
    from netinsight.guest.iptables import Firewall, read_firewall

    if not text.strip():
        return Firewall(family, {})
    name = "<iptables>" if family == 4 else "<ip6tables>"
    return read_firewall(text, family=family, ipsets=guest.ipsets, file=name, ipsets_file="<ipsets>")


def nftables_of(guest: Guest) -> Ruleset | None:
    """The rules of a guest's nftables; None where they are not known.

    Raises
    ------
    InputError
        With every mistake, at ``<nftables>`` and its line there.
    """
    if guest.nftables is None:
        return None
    from netinsight.sources.nftables_file import read_nftables

    return read_nftables(guest.nftables, "<nftables>")


def windows_firewall_of(guest: Guest) -> WindowsFirewall | None:
    """The Windows firewall of a guest; None where it is not known.

    Raises
    ------
    InputError
        With every mistake in the text, each at ``<windows_firewall>`` and its line there.
    """
    if guest.windows_firewall is None:
        return None
    from netinsight.sources.windows_firewall_file import read_windows_firewall

    return read_windows_firewall(guest.windows_firewall)


def _as_addresses(guest: Guest) -> str | None:
    """The interfaces of a guest as ``ip address`` prints them."""
    known = [one for one in guest.interfaces or () if one.ip and one.prefix_length is not None]
    if not known:
        return None
    lines = (f"{n}: {one.name}: <UP>\n    inet {one.ip}/{one.prefix_length} scope global {one.name}"
             for n, one in enumerate(known, start=2))  # fmt: skip
    return "1: lo: <LOOPBACK,UP>\n    inet 127.0.0.1/8 scope host lo\n" + "\n".join(lines) + "\n"
