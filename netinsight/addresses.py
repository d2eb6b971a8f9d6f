"""Text to integers on one address line, and back: the only module that knows how addresses are written.

Both families lie on one line of 128-bit integers. An IPv4 address stands where IPv6 itself maps it
(``::ffff:a.b.c.d``), so that every table, set and comparison of the engine serves both families. No IPv6
packet ever carries an address of that block, so an IPv6 prefix that would cover it (``::/0``) leaves it out,
and a rule of one family never meets a packet of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import NamedTuple

V4_FIRST = 0xFFFF << 32
V4_LAST = V4_FIRST + 0xFFFFFFFF
LAST = (1 << 128) - 1


class Range(NamedTuple):
    """The addresses ``first`` to ``last`` on the line, inclusive."""

    first: int
    last: int


class Prefix(NamedTuple):
    """A CIDR as written: its family, its network on the line, the bits, and what was masked away."""

    family: int
    first: int
    last: int
    length: int
    had_host_bits: bool

    def __str__(self) -> str:
        return f"{text(self.first)}/{self.length}"


@lru_cache(maxsize=65536)
def parse_address(written: str) -> int:
    """An IPv4 or IPv6 address in its usual notation, as an integer of the line.

    Raises
    ------
    ValueError
        For anything else: octal or short IPv4 forms, a zone, a prefix.
    """
    try:
        version, value = _number(written)
    except (OSError, ValueError) as error:
        raise ValueError(f"`{written[:60]}` is not an IP address") from error
    if version == 6 and V4_FIRST <= value <= V4_LAST:
        raise ValueError(f"`{written[:60]}` is an IPv4-mapped address; write the IPv4 address itself")
    return value if version == 6 else V4_FIRST + value


def _number(written: str) -> tuple[int, int]:
    """The family of an address, and its number in that; ``inet_pton`` takes no other notation than the usual one."""
    if ":" in written:
        return 6, int.from_bytes(inet_pton(AF_INET6, written), "big")
    return 4, int.from_bytes(inet_pton(AF_INET, written), "big")


@lru_cache(maxsize=65536)
def parse_prefix(written: str) -> Prefix:
    """A CIDR such as ``10.0.0.0/8`` or ``2001:db8::/32``; a lone address is its /32 or /128.

    Raises
    ------
    ValueError
        Where the text is no CIDR; host bits are no error here, see ``Prefix.had_host_bits``.
    """
    base, slash, length = written.partition("/")
    try:
        version, value = _number(base)
        width = 32 if version == 4 else 128
        bits = int(length) if slash else width
        if bits > width or (slash and not (length.isascii() and length.isdigit())):
            raise ValueError(length)
    except (OSError, ValueError) as error:
        raise ValueError(f"`{written[:60]}` is not a CIDR such as 10.0.0.0/8 or 2001:db8::/32") from error
    hosts = (1 << (width - bits)) - 1
    first, last = value & ~hosts, value | hosts
    if version == 6 and first >= V4_FIRST and last <= V4_LAST:
        raise ValueError(f"`{written[:60]}` is an IPv4-mapped block; write the IPv4 CIDR itself")
    offset = V4_FIRST if version == 4 else 0
    return Prefix(version, offset + first, offset + last, bits, value != first)


def ranges(prefix: Prefix) -> tuple[Range, ...]:
    """The addresses of a prefix; an IPv6 prefix that covers the IPv4 block leaves it out."""
    return ranges_between(prefix.first, prefix.last)


def ranges_between(first: int, last: int) -> tuple[Range, ...]:
    """The addresses from one to another of its family; those of IPv6 leave the IPv4 block out."""
    whole = Range(first, last)
    return tuple(subtract([whole], Range(V4_FIRST, V4_LAST))) if family(first) == 6 else (whole,)


def subtract(pieces: Iterable[Range], hole: Range) -> list[Range]:
    """What is left of ``pieces`` without ``hole``."""
    left = []
    for first, last in pieces:
        if first < hole.first:
            left.append(Range(first, min(last, hole.first - 1)))
        if last > hole.last:
            left.append(Range(max(first, hole.last + 1), last))
    return left


def merge(pieces: Iterable[Range]) -> tuple[Range, ...]:
    """The same addresses as sorted, disjoint, maximal ranges."""
    merged: list[Range] = []
    for first, last in sorted(pieces):
        if merged and first <= merged[-1].last + 1:
            merged[-1] = Range(merged[-1].first, max(last, merged[-1].last))
        else:
            merged.append(Range(first, last))
    return tuple(merged)


def outside(pieces: Iterable[Range]) -> tuple[Range, ...]:
    """What of the whole line lies in none of some sorted, disjoint ranges."""
    left, free = [], 0
    for first, last in pieces:
        if free < first:
            left.append(Range(free, first - 1))
        free = last + 1
    return (*left, Range(free, LAST)) if free <= LAST else tuple(left)


def common(one: Sequence[Range], other: Sequence[Range]) -> tuple[Range, ...]:
    """The addresses of both of two lists of sorted, disjoint ranges."""
    both, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        first, last = max(one[i].first, other[j].first), min(one[i].last, other[j].last)
        if first <= last:
            both.append(Range(first, last))
        if one[i].last < other[j].last:
            i += 1
        else:
            j += 1
    return tuple(both)


def family(address: int) -> int:
    """4 or 6."""
    return 4 if V4_FIRST <= address <= V4_LAST else 6


def text(address: int) -> str:
    """An address of the line as people write it."""
    if family(address) == 4:
        return inet_ntop(AF_INET, (address - V4_FIRST).to_bytes(4, "big"))
    return inet_ntop(AF_INET6, address.to_bytes(16, "big"))


def block(written: str) -> Range:
    """The one range of a CIDR that holds addresses of one family only."""
    (only,) = ranges(parse_prefix(written))
    return only


PRIVATE_V4 = tuple(block(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
SERVICE_V4 = block("100.64.0.0/10")
"""The cloud's own services: DNS, metadata, the operations agent."""

_NOT_INTERNET_V4 = (
    *PRIVATE_V4,
    SERVICE_V4,
    *(block(cidr) for cidr in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")),
)


def internet(version: int) -> tuple[Range, ...]:
    """Every address that an Internet host can have: unicast, not private, not the cloud's service range."""
    if version == 6:
        return (block("2000::/3"),)
    pieces = [Range(V4_FIRST, V4_LAST)]
    for hole in _NOT_INTERNET_V4:
        pieces = subtract(pieces, hole)
    return tuple(pieces)


def contains(pieces: Iterable[Range], address: int) -> bool:
    """Whether ``address`` lies in one of ``pieces``."""
    return any(first <= address <= last for first, last in pieces)


def within(blocks: Iterable[str], address: int) -> bool:
    """Whether ``address`` lies in one of some CIDRs, each in its text; of its own family."""
    return any(contains(ranges(parse_prefix(block)), address) for block in blocks)


def cidrs(piece: Range) -> list[str]:
    """``piece`` as the fewest CIDRs, for people."""
    from netaddr import iprange_to_cidrs  # only where it is written: importing it costs as much as reading a topology

    return [str(block) for block in iprange_to_cidrs(text(piece.first), text(piece.last))]
