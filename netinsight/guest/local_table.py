"""The ``local`` table that the kernel makes of the addresses, for where nobody printed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from netinsight.addresses import V4_FIRST, V4_LAST, Prefix, family, parse_prefix
from netinsight.addresses import text as written
from netinsight.guest.rows import SCOPES, HostAddress, Interface, NextHop, Route


def local_v4(addresses: Sequence[HostAddress], interfaces: Mapping[str, Interface]) -> Iterator[Route]:
    """Each address; the broadcast addresses of each primary network and those that are assigned; 127.0.0.0/8."""
    for one in addresses:
        if family(one.address) != 4:
            continue
        primary = _primary(one, addresses)
        yield _route(one, "local", parse_prefix(written(one.address)), primary.address, "host")
        known = interfaces.get(one.interface)
        if known is not None and not known.up:
            continue
        ends = {one.broadcast} - {None, V4_LAST}
        network = one.network
        if not one.secondary and network.first > V4_FIRST + 0xFFFFFF:
            if known is not None and known.loopback and network.length < 32:
                yield _route(one, "local", network, primary.address, "host")
            if network.length < 31:
                ends.add(network.last)
        for end in sorted(end for end in ends if end is not None):
            yield _route(one, "broadcast", parse_prefix(written(end)), primary.address, "link")


def _primary(one: HostAddress, addresses: Sequence[HostAddress]) -> HostAddress:
    """Of a secondary address the one before it in the same network."""
    if not one.secondary:
        return one
    return next((other for other in addresses if other.interface == one.interface and not other.secondary
                 and other.network[1:4] == one.network[1:4]), one)  # fmt: skip


def local_v6(addresses: Sequence[HostAddress], interfaces: Mapping[str, Interface]) -> Iterator[Route]:
    """Each address that is ready, and multicast on each interface that has any."""
    told = set()
    for one in addresses:
        if family(one.address) != 6:
            continue
        if not {"tentative", "dadfailed"} & one.flags:
            yield _route(one, "local", parse_prefix(written(one.address)), None, "global")
        known = interfaces.get(one.interface)
        if one.interface not in told and not (known and (known.loopback or not known.up)):
            told.add(one.interface)
            yield _route(one, "multicast", parse_prefix("ff00::/8"), None, "global", metric=256)


def _route(one: HostAddress, kind: str, prefix: Prefix, source: int | None, scope: str, metric: int = 0) -> Route:
    return Route(one.line, prefix.family, kind, prefix, "local", (NextHop(one.interface),), metric, SCOPES[scope], source,
                 kernel=True, made=True, strange=one.strange)  # fmt: skip
