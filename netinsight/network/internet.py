"""*Any Internet host* made exact: the hosts that no rule on the way tells apart are one class, walked once.

Where a question says ``internet`` (or names a block of the cloud's services) it asks for all of them; an answer that
differs between classes is partial, and says which hosts it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from netinsight.addresses import Range, internet, merge, parse_prefix, ranges, subtract
from netinsight.engine.kernels import COLUMNS, DESTINATION, SOURCE
from netinsight.model.base import Unknown
from netinsight.model.security_group import Direction
from netinsight.network.build import Network
from netinsight.network.filters import Filter

if TYPE_CHECKING:
    from netinsight.model.topology import Interface
    from netinsight.network.ends import Ends


def host_classes(network: Network, ends: Ends) -> list[tuple[tuple[Range, ...], int]]:
    """The classes of hosts of a question about many of them, each with one of its addresses, the largest first.

    A question between two given ends has one class that stands for nobody: ``[((), 0)]``.
    """
    if ends.source.address is not None and ends.destination.address is not None:
        return [((), 0)]
    interface = ends.source.interface or ends.destination.interface
    hosts = ends.source.hosts or ends.destination.hosts or _internet_hosts(network, ends.family)
    sets = (
        {ranges_ for packed in _filters(network, interface) for ranges_ in _address_sets(packed)}
        if interface
        else set()
    )
    classes: dict[tuple[bool, ...], list[Range]] = defaultdict(list)
    for piece, signature in _atoms(hosts, sorted(sets)):
        classes[signature].append(piece)
    merged = [merge(pieces) for pieces in classes.values()]
    merged.sort(key=lambda pieces: (-sum(last - first for first, last in pieces), pieces))
    return [(pieces, _representative(pieces)) for pieces in merged]


def _internet_hosts(network: Network, family: int) -> tuple[Range, ...]:
    """The Internet, less what the VPCs use of it."""
    hosts: tuple[Range, ...] = internet(family)
    for vpc in network.topology.vpcs.values():
        for cidr in (*vpc.cidrs, *([vpc.ipv6_cidr] if vpc.ipv6_cidr else [])):
            for piece in ranges(parse_prefix(cidr)):
                hosts = tuple(subtract(hosts, piece))
    return hosts


def _representative(pieces: tuple[Range, ...]) -> int:
    widest = max(pieces, key=lambda piece: piece.last - piece.first)
    return min(widest.first + 1, widest.last)


def _filters(network: Network, interface: Interface) -> Iterator[Filter]:
    """Every list that a packet between an ENI and the Internet can meet; ACLs and routes serve the reply too."""
    for direction in (Direction.INGRESS, Direction.EGRESS):
        yield network.group_filter(interface, direction)
    vswitch = network.topology.vswitches.get(interface.eni.vswitch)
    if vswitch and isinstance(vswitch.network_acl, str):
        for direction in (Direction.INGRESS, Direction.EGRESS):
            yield network.acl_filter(vswitch.network_acl, direction)
    if vswitch and not isinstance(vswitch.route_table, Unknown):
        yield network.route_filter(interface.eni.vswitch)


def _address_sets(packed: Filter) -> Iterator[tuple[Range, ...]]:
    numbers = {
        packed.table.rows[row * COLUMNS + column]
        for row in range(packed.table.count)
        for column in (SOURCE, DESTINATION)
    }
    for number in numbers:
        yield packed.table.sets.ranges(number)


def _atoms(hosts: tuple[Range, ...], sets: list[tuple[Range, ...]]) -> Iterator[tuple[Range, tuple[bool, ...]]]:
    """Pieces of ``hosts`` that each lie wholly inside or outside every set, with which of them hold it."""
    edges = sorted({edge for ranges_ in sets for first, last in ranges_ for edge in (first, last + 1)})
    for first, last in hosts:
        cuts = [first, *(edge for edge in edges if first < edge <= last), last + 1]
        for start, after in pairwise(cuts):
            yield Range(start, after - 1), tuple(any(a <= start <= b for a, b in ranges_) for ranges_ in sets)
