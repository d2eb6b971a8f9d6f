"""Addresses on one line: parsing, ranges, and what is refused."""

from __future__ import annotations

import ipaddress
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinsight import addresses
from netinsight.addresses import Range, parse_address, parse_prefix, ranges

ANY_ADDRESS = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).filter(
    lambda a: a.version == 4 or a.ipv4_mapped is None  # type: ignore[union-attr]
)


@given(ANY_ADDRESS)
def test_an_address_survives_the_line(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    value = parse_address(str(address))
    assert ipaddress.ip_address(addresses.text(value)) == address
    assert addresses.family(value) == address.version


@given(ANY_ADDRESS, st.integers(0, 128))
def test_a_prefix_holds_what_the_standard_library_says(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int
) -> None:
    network = ipaddress.ip_network(f"{address}/{min(length, address.max_prefixlen)}", strict=False)
    pieces = ranges(parse_prefix(f"{address}/{network.prefixlen}"))
    for probe in (network[0], network[-1]):
        if probe.version == 4 or probe.ipv4_mapped is None:  # type: ignore[union-attr]
            assert addresses.contains(pieces, parse_address(str(probe)))
    assert parse_prefix(f"{address}/{network.prefixlen}").had_host_bits == (network.network_address != address)


@pytest.mark.parametrize(
    "written",
    ["", "10.0.0", "10.0.0.0.1", "010.0.0.1", "10.1", "1.2.3.4/", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "fe80::1%eth0",
     "0x0a000001", "10.0.0.0/255.0.0.0", "::ffff:10.0.0.1", "10.0.0.0/ 8", "a" * 100_000],
)  # fmt: skip
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"is (not|an IPv4-mapped)"):
        parse_address(written)


def test_every_ipv6_address_leaves_ipv4_out() -> None:
    assert not addresses.contains(ranges(parse_prefix("::/0")), parse_address("10.0.0.1"))
    assert addresses.contains(ranges(parse_prefix("::/0")), parse_address("2001:db8::1"))
    assert not addresses.contains(ranges(parse_prefix("0.0.0.0/0")), parse_address("2001:db8::1"))


def test_the_internet_is_neither_private_nor_the_clouds_own() -> None:
    hosts = addresses.internet(4)
    for inside in ("8.8.8.8", "203.0.113.1", "100.63.255.255", "100.128.0.0", "172.15.0.1"):
        assert addresses.contains(hosts, parse_address(inside)), inside
    for outside in ("10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "224.0.0.1", "169.254.1.1", "172.31.0.1"):
        assert not addresses.contains(hosts, parse_address(outside)), outside


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=8), st.integers(0, 90))
def test_merged_ranges_hold_the_same_addresses(drawn: list[tuple[int, int]], probe: int) -> None:
    pieces = [Range(first, first + length) for first, length in drawn]
    merged = addresses.merge(pieces)
    assert addresses.contains(merged, probe) == addresses.contains(pieces, probe)
    assert all(a.last + 1 < b.first for a, b in itertools.pairwise(merged))


SETS = st.lists(st.tuples(st.sampled_from([0, 1, 5, 6, 7, addresses.LAST - 2]), st.integers(0, 2)), max_size=4).map(
    lambda drawn: addresses.merge(Range(first, first + more) for first, more in drawn)
)


@given(SETS, SETS)
def test_what_is_outside_and_what_is_common(one: tuple[Range, ...], other: tuple[Range, ...]) -> None:
    out, both = addresses.outside(one), addresses.common(one, other)
    assert addresses.merge(out) == out
    for probe in [*range(12), *range(addresses.LAST - 4, addresses.LAST + 1)]:
        within = addresses.contains(one, probe)
        assert addresses.contains(out, probe) is not within
        assert addresses.contains(both, probe) == (within and addresses.contains(other, probe))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**20))
def test_a_range_as_cidrs_is_the_range(first: int, length: int) -> None:
    piece = Range(addresses.V4_FIRST + first, min(addresses.V4_FIRST + first + length, addresses.V4_LAST))
    blocks = [addresses.block(cidr) for cidr in addresses.cidrs(piece)]
    assert addresses.merge(blocks) == (piece,)
