"""Packed rows: the first match of one flow, of many, and of boxes; each against plain loops over the rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netinsight.addresses import Range, parse_address, parse_prefix, ranges
from netinsight.engine import kernels
from netinsight.engine.classify import Decision, all_matches, decide, first_match, first_matches, partition
from netinsight.engine.spaces import Box, common, cut, intersect, ports_of, subtract, without
from netinsight.engine.tables import EVERYWHERE, AddressSets, Row, Table, halves
from netinsight.flow import PortRange

SOME = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
PREFIXES = ["10.0.0.0/8", "10.0.0.0/24", "10.0.0.7/32", "0.0.0.0/0", "::/0", "2001:db8::/32", "8.8.8.0/24"]
ADDRESSES = [parse_address(a) for a in ("10.0.0.7", "10.0.0.8", "10.9.0.1", "8.8.8.8", "2001:db8::1", "2a00::1")]
SETS = st.lists(st.sampled_from(PREFIXES), max_size=3).map(
    lambda named: tuple(r for cidr in named for r in ranges(parse_prefix(cidr))) if named else EVERYWHERE
)


@st.composite
def port_ranges(draw: st.DrawFn) -> PortRange:
    edges = st.sampled_from([0, 1, 5, 6, 7, 10, 65535])
    first, last = sorted((draw(edges), draw(edges)))
    return PortRange(first, last)


ROWS = st.builds(
    Row,
    SETS,
    SETS,
    st.sampled_from([(0, 255), (6, 6), (17, 17), (6, 17)]),
    port_ranges(),
    port_ranges(),
    st.booleans(),
    st.sampled_from([True, True, True, False]),
)


class Flow(NamedTuple):
    source: int
    destination: int
    protocol: int
    source_port: int
    port: int


PORTS = st.sampled_from([0, 1, 4, 5, 6, 7, 8, 10, 11, 65535])
FLOWS = st.builds(
    Flow, st.sampled_from(ADDRESSES), st.sampled_from(ADDRESSES), st.sampled_from([1, 6, 17]), PORTS, PORTS
)


def packed(rows: list[Row]) -> Table:
    table = Table(AddressSets())
    for row in rows:
        table.add(row)
    return table


def within(value: int, pieces: tuple[Range, ...]) -> bool:
    return any(first <= value <= last for first, last in pieces)


def matching(rows: list[Row], flow: Flow) -> list[int]:
    """The rows that match, by nothing but the rows themselves."""
    return [
        i
        for i, row in enumerate(rows)
        if within(flow.source, row.source)
        and within(flow.destination, row.destination)
        and row.protocol[0] <= flow.protocol <= row.protocol[1]
        and row.source_ports.first <= flow.source_port <= row.source_ports.last
        and row.ports.first <= flow.port <= row.ports.last
    ]


@SOME
@given(st.lists(ROWS, max_size=12), st.lists(FLOWS, min_size=1, max_size=20))
def test_the_first_match_is_the_first_row_that_matches(rows: list[Row], flows: list[Flow]) -> None:
    table = packed(rows)
    for flow in flows:
        assert first_match(table, *flow) == next(iter(matching(rows, flow)), -1)


@SOME
@given(st.lists(ROWS, max_size=12), st.lists(FLOWS, min_size=1, max_size=40))
def test_many_flows_match_as_each_by_itself(rows: list[Row], flows: list[Flow]) -> None:
    table = packed(rows)
    columns = [[*halves(f.source), *halves(f.destination), f.protocol, f.source_port, f.port] for f in flows]
    found = first_matches(table, np.array(columns, dtype=np.int64))
    assert found.tolist() == [first_match(table, *flow) for flow in flows]
    every: list[list[int]] = [[] for _ in flows]
    for which, met in all_matches(table, np.array(columns, dtype=np.int64)):
        for i, row in zip(which.tolist(), met.tolist(), strict=True):
            every[i].append(row)
    assert every == [matching(rows, flow) for flow in flows]


@SOME
@given(st.lists(ROWS, max_size=10), FLOWS, port_ranges(), port_ranges())
def test_a_box_is_cut_exactly_where_its_points_match(
    rows: list[Row], flow: Flow, sources: PortRange, ports: PortRange
) -> None:
    table = packed(rows)
    cells = partition(table, flow.source, flow.destination, flow.protocol, Box(sources, ports))
    probes = [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 65535]
    for source_port in (p for p in probes if sources.first <= p <= sources.last):
        for port in (p for p in probes if ports.first <= p <= ports.last):
            point = flow._replace(source_port=source_port, port=port)
            held = [c for c in cells if within(source_port, (Range(*c.box[0]),)) and within(port, (Range(*c.box[1]),))]
            assert len(held) == 1
            assert list(held[0].rows) == _up_to_certain(rows, matching(rows, point))
            if rows and all(row.certain for row in rows) and held[0].rows:
                assert held[0].rows[-1] == first_match(table, *point)


def _up_to_certain(rows: list[Row], matched: list[int]) -> list[int]:
    taken: list[int] = []
    for row in matched:
        taken.append(row)
        if rows[row].certain:
            break
    return taken


@SOME
@given(st.lists(ROWS, min_size=1, max_size=8), FLOWS)
def test_what_is_not_certain_is_decided_both_ways(rows: list[Row], flow: Flow) -> None:
    rows = [*rows, Row()]
    table = packed(rows)
    (cell,) = partition(table, *flow[:3], Box(PortRange(*[flow.source_port] * 2), PortRange(*[flow.port] * 2)))
    outcomes = set()
    doubtful = [i for i, row in enumerate(rows) if not row.certain]
    for present in range(1 << len(doubtful)):
        there = {row for bit, row in enumerate(doubtful) if present >> bit & 1}
        kept = [row for i, row in enumerate(rows) if row.certain or i in there]
        outcomes.add(kept[matching(kept, flow)[0]].accepts)
    expected = Decision.UNKNOWN if len(outcomes) == 2 else Decision.ACCEPT if outcomes == {True} else Decision.DROP
    assert decide(table, cell) is expected


@SOME
@given(st.lists(st.tuples(port_ranges(), port_ranges()), max_size=4), port_ranges(), port_ranges())
def test_regions_keep_exactly_their_points(
    holes: list[tuple[PortRange, PortRange]], a: PortRange, b: PortRange
) -> None:
    whole = Box(a, b)
    region = subtract((whole,), [Box(*hole) for hole in holes])
    for source_port in (a.first, a.last):
        for port in range(b.first, min(b.last, b.first + 12) + 1):
            inside = sum(
                bool(cut(Box(PortRange(source_port, source_port), PortRange(port, port)), box)[0]) for box in region
            )
            holed = any(s.first <= source_port <= s.last and p.first <= port <= p.last for s, p in holes)
            assert inside == (0 if holed else 1)
    every, some = ports_of(region, whole)
    assert not common(every, some)
    assert set(intersect(region, (whole,))) == set(region)
    assert without(every, every) == []


def test_a_set_is_stated_once_whatever_its_order() -> None:
    sets = AddressSets()
    one = sets.number(ranges(parse_prefix("10.0.0.0/8")) + ranges(parse_prefix("8.8.8.0/24")))
    other = sets.number(ranges(parse_prefix("8.8.8.0/24")) + ranges(parse_prefix("10.0.0.0/8")))
    assert one == other
    assert sets.number(sets.ranges(one)) == one


def test_an_empty_set_holds_nothing() -> None:
    table = packed([Row(source=())])
    assert first_match(table, ADDRESSES[0], ADDRESSES[1], 6, 1, 1) == -1


def test_every_kernel_is_compiled_after_what_it_calls() -> None:
    defined = [value for value in vars(kernels).values() if getattr(value, "__module__", "") == kernels.__name__]
    assert set(kernels.IN_ORDER) == set(defined)
    for position, kernel in enumerate(kernels.IN_ORDER):
        called = set(kernel.__code__.co_names) & {other.__name__ for other in kernels.IN_ORDER}
        assert called <= {earlier.__name__ for earlier in kernels.IN_ORDER[:position]}
