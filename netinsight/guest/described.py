"""The routing of a guest as a topology describes it: the texts that ``ip`` printed in it."""

from __future__ import annotations

from netinsight.errors import InputError
from netinsight.guest.address_rows import read_addresses
from netinsight.guest.iptables import Firewall, read_firewall
from netinsight.guest.lines import Problems, Written
from netinsight.guest.routes import Routing, read_routing
from netinsight.guest.rows import HostAddress
from netinsight.model.guest import Guest


def routing_of(guest: Guest) -> Routing | None:
    """The rules and routes of a guest; None where either is not known: a guess would be no answer.

    Raises
    ------
    InputError
        With every mistake in the texts, each at ``<addresses>``, ``<rules>`` or ``<routes>`` and its line there.
    """
    if guest.routes is None or guest.rules is None:
        return None
    addresses = guest.addresses if guest.addresses is not None else _as_addresses(guest)
    return read_routing(addresses, guest.rules, guest.routes)


def addresses_of(guest: Guest) -> tuple[HostAddress, ...] | None:
    """Every address of a guest; None where it did not print them.

    Raises
    ------
    InputError
        With every mistake in the text.
    """
    if guest.addresses is None:
        return None
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
    if not text.strip():
        return Firewall(family, {})
    name = "<iptables>" if family == 4 else "<ip6tables>"
    return read_firewall(text, family=family, ipsets=guest.ipsets, file=name, ipsets_file="<ipsets>")


def _as_addresses(guest: Guest) -> str | None:
    """The interfaces of a guest as ``ip address`` prints them."""
    known = [one for one in guest.interfaces or () if one.ip and one.prefix_length is not None]
    if not known:
        return None
    lines = (f"{n}: {one.name}: <UP>\n    inet {one.ip}/{one.prefix_length} scope global {one.name}"
             for n, one in enumerate(known, start=2))  # fmt: skip
    return "1: lo: <LOOPBACK,UP>\n    inet 127.0.0.1/8 scope host lo\n" + "\n".join(lines) + "\n"
