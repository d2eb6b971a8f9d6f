"""Which sockets of a guest take a packet, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from netinsight.addresses import family, parse_address, text
from netinsight.engine.spaces import Box, cut
from netinsight.flow import NAMES, PortRange
from netinsight.model.guest import Listener

if TYPE_CHECKING:
    from netinsight.guest.iptables import Packet


def hears(listener: Listener, address: int, interface: str | None = None) -> bool:
    """Whether a socket takes a packet to ``address`` that comes in by ``interface``.

    One on ``::`` takes IPv4 too, unless it is v6only; one that is bound to an interface takes what comes in there only.
    """
    if listener.interface is not None and listener.interface != interface:
        return False
    if listener.address is None:
        return True
    bound = parse_address(listener.address)
    if text(bound) in ("0.0.0.0", "::"):  # noqa: S104  (an address that is read, not bound)
        return family(bound) == family(address) or (family(bound) == 6 and not listener.v6only)
    return bound == address


def processes(listeners: Iterable[Listener], packet: Packet, box: Box) -> Iterator[tuple[Box, str | None]]:
    """The ports of a box by the process that takes what comes for them; None is not known, as where there are several."""
    names: dict[int, set[str | None]] = {}
    for one in listeners:
        if one.protocol.lower() == NAMES.get(packet.protocol) and hears(one, packet.destination, packet.in_interface):
            names.setdefault(one.port, set()).add(one.process)
    rest = [box]
    for port, (name, *more) in names.items():
        if more or name is None:
            continue
        pieces, rest = rest, []
        for piece in pieces:
            here, around = cut(piece, Box(piece.source_ports, PortRange(port, port)))
            rest += around
            if here is not None:
                yield here, name
    yield from ((piece, None) for piece in rest)
