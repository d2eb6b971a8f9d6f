"""The routing of a guest as a topology describes it: the texts that ``ip`` printed in it."""

from __future__ import annotations

from netinsight.guest.routes import Routing, read_routing
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


def _as_addresses(guest: Guest) -> str | None:
    """The interfaces of a guest as ``ip address`` prints them."""
    known = [one for one in guest.interfaces or () if one.ip and one.prefix_length is not None]
    if not known:
        return None
    lines = (f"{n}: {one.name}: <UP>\n    inet {one.ip}/{one.prefix_length} scope global {one.name}"
             for n, one in enumerate(known, start=2))  # fmt: skip
    return "1: lo: <LOOPBACK,UP>\n    inet 127.0.0.1/8 scope host lo\n" + "\n".join(lines) + "\n"
