"""*Any Internet host* made exact: the hosts that no rule on the way tells apart are one class, walked once.

Where a question says ``internet`` (or names a block of the cloud's services) it asks for all of them; an answer that
differs between classes is partial, and says which hosts it is about.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from netinsight.addresses import LAST, Range, internet, merge, parse_prefix, ranges, subtract
from netinsight.engine.kernels import COLUMNS, DESTINATION, SOURCE
from netinsight.network.build import Network
from netinsight.network.filters import Filter

if TYPE_CHECKING:
    from netinsight.network.ends import Ends


def hosts_of(network: Network, ends: Ends) -> tuple[Range, ...]:
    """The hosts of a question about many of them; none where both ends are given."""
    if ends.source.address is not None and ends.destination.address is not None:
        return ()
    every = ("internet hosts", str(ends.family))
    return (
        ends.source.hosts
        or ends.destination.hosts
        or network.kept(every, lambda: _internet_hosts(network, ends.family))
    )


def same_fate(
    hosts: tuple[Range, ...], address: int, sets: set[tuple[Range, ...]]
) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    """The hosts that no set tells apart from the one that was walked, and the others."""
    ordered = sorted(sets)
    wanted = tuple(_holds(ranges_, address) for ranges_ in ordered)
    alike: list[Range] = []
    others: list[Range] = []
    for piece, signature in _atoms(hosts, ordered):
        (alike if signature == wanted else others).append(piece)
    return merge(alike), merge(others)


def _internet_hosts(network: Network, family: int) -> tuple[Range, ...]:
    """The Internet, less what the VPCs and the networks outside use of it, and what the topology owns."""
    hosts: tuple[Range, ...] = internet(family)
    topology = network.topology
    blocks = [
        cidr for vpc in topology.vpcs.values() for cidr in (*vpc.cidrs, *([vpc.ipv6_cidr] if vpc.ipv6_cidr else []))
    ]
    blocks += [cidr for outside in topology.networks.values() for cidr in outside.cidrs]
    owned = [Range(address, address) for address in (*network.public_by_address, *network.balancer_of_public)]
    for piece in merge([*owned, *(piece for cidr in blocks for piece in ranges(parse_prefix(cidr)))]):
        hosts = tuple(subtract(hosts, piece))
    return hosts


def representative(pieces: tuple[Range, ...]) -> int:
    widest = max(pieces, key=lambda piece: piece.last - piece.first)
    return min(widest.first + 1, widest.last)


def address_sets(packed: Filter) -> Iterator[tuple[Range, ...]]:
    """Every set of addresses that a row of a list looks at."""
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
            yield Range(start, after - 1), tuple(_holds(ranges_, start) for ranges_ in sets)


def _holds(pieces: tuple[Range, ...], address: int) -> bool:
    """Whether sorted, disjoint pieces hold an address; a set may be of thousands of members."""
    at = bisect_right(pieces, (address, LAST)) - 1
    return at >= 0 and address <= pieces[at].last
