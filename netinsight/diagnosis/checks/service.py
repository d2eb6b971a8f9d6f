"""Whether a process listens on the ports asked, at the destination."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from netinsight.addresses import text
from netinsight.diagnosis.case import (
    Case,
    Fact,
    Result,
    Role,
    Side,
    abnormal,
    fact_missing,
    missing,
    normal,
    not_concerned,
)
from netinsight.diagnosis.catalogue import port_list
from netinsight.diagnosis.checks.nic import find_interface
from netinsight.engine.spaces import common, joined, without
from netinsight.flow import PortRange
from netinsight.guest.listeners import hears
from netinsight.model.guest import Guest, Listener
from netinsight.network.steps import why

ITEM = "service.listening"
MOST_SHOWN = 12


def check(case: Case, side: Side) -> Iterator[Result]:
    """The ports asked against the listening sockets that can be reached at the end's address."""
    if side.role is Role.SOURCE:
        return
    if not case.protocol_word:
        yield not_concerned(ITEM, side.ref)
    elif gap := case.guest_gap(side.instance):
        yield missing(ITEM, side.ref, gap)
    elif side.guest is None or side.guest.listening is None:
        yield fact_missing(ITEM, side.ref, "guest.listening")
    else:
        yield _listening(case, side, side.guest, side.guest.listening)


class Heard(NamedTuple):
    """Which of the ports asked a process listens on, which none, and of which that hangs on what is not known.

    Attributes
    ----------
    asked, moved
        The ports that the guest takes itself; those that its firewall moves to other ports of it, with these.
    listeners
        The sockets that hear there, and all those of the protocol, each with its place in the list.
    """

    closed: list[PortRange]
    maybe: list[PortRange]
    asked: list[PortRange]
    moved: list[tuple[PortRange, PortRange]]
    listeners: list[tuple[int, Listener]]
    every: list[tuple[int, Listener]]
    name: str | None

    @property
    def open(self) -> list[PortRange]:
        """The ports asked on which a process listens."""
        return without([*self.asked, *(ports for ports, _ in self.moved)], [*self.closed, *self.maybe])


def heard(case: Case, side: Side, guest: Guest, listeners: list[Listener]) -> Heard:
    """What of the ports asked is listened on at the end's address."""
    address = side.end.address or 0
    asked, moved = _for_the_guest(case, side)
    mine = [(i, one) for i, one in enumerate(listeners) if one.protocol.lower() == case.protocol_word]
    found = find_interface(side, guest) if guest.interfaces and any(one.interface for _, one in mine) else None
    name = found[0].name if found else None
    hearing = [(i, one) for i, one in mine if hears(one, address, name)]
    open_ports = joined(PortRange(one.port, one.port) for _, one in hearing)
    bound = [] if name is not None else _may_hear(mine, address)
    closed, maybe = without(asked, open_ports), list[PortRange]()
    maybe = common(closed, bound)
    closed = without(closed, maybe)
    for ports, to in moved:
        if silent := without([to], open_ports):
            (closed if without(silent, bound) else maybe).append(ports)
    return Heard(joined(closed), joined(maybe), asked, moved, hearing, mine, name)


def _listening(case: Case, side: Side, guest: Guest, listeners: list[Listener]) -> Result:
    address = side.end.address or 0
    found = heard(case, side, guest, listeners)
    closed, maybe, asked, moved, hearing, mine, name = found
    if not asked and not moved:
        return missing(ITEM, side.ref, why("skip.sent_on"))
    base = (*side.path, "guest", "listening")
    open_ports = joined(PortRange(one.port, one.port) for _, one in hearing)
    values = {"protocol": case.protocol_word, "ip": text(address)}
    if maybe and not closed:
        return missing(ITEM, side.ref, why("skip.no_interface", eni=side.interface.id))
    if not closed:
        where = [*asked, *(to for _, to in moved)]
        i, one = next((i, one) for i, one in hearing if where[0].first <= one.port <= where[0].last)
        return normal(
            ITEM,
            side.ref,
            "listening",
            Fact((*base, i), _shown(one)),
            process=one.process or "-",
            ports=port_list(where),
            **values,
        )
    elsewhere = [
        (i, one)
        for i, one in mine
        if not hears(one, address, name) and any(r.first <= one.port <= r.last for r in closed)
    ]
    values["ports"] = port_list(closed)
    if elsewhere:
        i, one = elsewhere[0]
        fact = Fact((*base, i), _shown(one))
        return abnormal(
            ITEM,
            side.ref,
            "other_address",
            side.part(closed),
            fact,
            process=one.process or "-",
            address=f"{_bound(one)}:{one.port}",
            **values,
        )
    silent = [to for _, to in moved if without([to], open_ports)]
    why_none = "moved" if silent and not without(asked, open_ports) else "none"
    values["moved"] = port_list(joined(silent))
    return abnormal(ITEM, side.ref, why_none, side.part(closed), Fact(base, _ports_heard(mine)), **values)


def _for_the_guest(case: Case, side: Side) -> tuple[list[PortRange], list[tuple[PortRange, PortRange]]]:
    """The ports asked that the guest takes itself, and those that its firewall moves to other ports of it.

    What it sends on (``to``), to a container, is neither: what listens there nobody tells.
    """
    asked, moved = [side.ports], []
    steps = (step for walk in side.walks or case.walks for step in walk.forward)
    for step in steps:
        if step.stage != "guest.firewall.ingress" or step.object != side.ref:
            continue
        for ruling in step.rulings:
            ports = PortRange(ruling.box.ports.first + side.shift, ruling.box.ports.last + side.shift)
            if {"to", "first"} & ruling.why.values.keys():
                asked = without(asked, [ports])
            if "first" in ruling.why.values:
                moved.append((ports, PortRange(int(ruling.why.values["first"]), int(ruling.why.values["last"]))))
    return asked, moved


def _may_hear(mine: list[tuple[int, Listener]], address: int) -> list[PortRange]:
    """The ports on which a socket would hear if its interface, which is not the loopback, is the ENI's."""
    return joined(
        PortRange(one.port, one.port)
        for _, one in mine
        if one.interface not in (None, "lo") and hears(one, address, one.interface)
    )


def _ports_heard(mine: list[tuple[int, Listener]]) -> str:
    """What is listened on, in few words."""
    ports = sorted({one.port for _, one in mine})
    more = f" and {len(ports) - MOST_SHOWN} more" if len(ports) > MOST_SHOWN else ""
    return f"listens on: {', '.join(map(str, ports[:MOST_SHOWN])) or 'nothing'}{more}"


def _shown(listener: Listener) -> str:
    return f"{listener.protocol} {_bound(listener)}:{listener.port} {listener.process or ''}".strip()


def _bound(listener: Listener) -> str:
    """The address and the interface, as ``ss`` writes them."""
    return (listener.address or "*") + (f"%{listener.interface}" if listener.interface else "")
