"""Each structure of the classifier against the linear scan, on every flow tried."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinsight.addresses import LAST, V4_FIRST, V4_LAST, Range, parse_address, parse_prefix, ranges
from netinsight.engine import candidates, classifier, classify, cores, index_kernels, lines
from netinsight.engine.classifier import Classifier, V4Flows
from netinsight.engine.classify import classifier_of, first_match, first_matches
from netinsight.engine.tables import EVERYWHERE, Row, Table, halves
from netinsight.flow import PortRange
from tests.engine.test_engine import FLOWS, ROWS, SOME, Flow, packed

KINDS = {
    "crossproduct": "crossproduct",
    "lists and tables": "candidates and crossproduct",
    "lists and vectors": "candidates and bit vectors",
    "vectors": "candidates and bit vectors",
    "halving": "crossproduct",
}


@contextmanager
def structure(name: str) -> Iterator[None]:
    """Limits that lead to a structure, whatever the list."""
    with pytest.MonkeyPatch.context() as patch:
        if name.startswith("lists"):
            whole = cores.core_of
            patch.setattr(classifier, "core_of", lambda *a, tables_only=False: None if tables_only else whole(*a))
        if name.endswith("vectors"):
            patch.setattr(cores, "MOST_CELLS", 0)
        if name == "vectors":
            patch.setattr(candidates, "WIDEST", 0)
        if name == "halving":
            patch.setattr(lines, "MOST_BLOCKS", -1)
        yield


def lined(flows: list[Flow]) -> np.ndarray:
    return np.array(
        [[*halves(f.source), *halves(f.destination), f.protocol, f.source_port, f.port] for f in flows], dtype=np.int64
    ).reshape(-1, 7)


def columns(flows: list[Flow]) -> V4Flows:
    return V4Flows(
        np.array([f.source - V4_FIRST for f in flows], dtype=np.uint32),
        np.array([f.destination - V4_FIRST for f in flows], dtype=np.uint32),
        np.array([f.protocol for f in flows], dtype=np.uint8),
        np.array([f.source_port for f in flows], dtype=np.uint16),
        np.array([f.port for f in flows], dtype=np.uint16),
    )


def built(table: Table, name: str) -> Classifier:
    with structure(name):
        one = Classifier.build(table)
    assert one is not None
    assert one.kind == KINDS[name]
    assert one.bytes > 0
    assert one.seconds > 0
    return one


EDGES = [
    0,
    1,
    V4_FIRST - 1,
    V4_FIRST,
    V4_FIRST + 255,
    V4_FIRST + 256,
    V4_LAST,
    V4_LAST + 1,
    1 << 64,
    (1 << 127) - 1,
    LAST,
]
PLACES = st.one_of(
    st.sampled_from(EDGES), st.integers(V4_FIRST, V4_LAST), st.integers(0, 600).map(lambda n: V4_FIRST + (10 << 24) + n)
)
PIECES = st.tuples(PLACES, PLACES).map(lambda pair: Range(min(pair), max(pair)))
RANGES = st.lists(PIECES, max_size=4).map(tuple)
ANY_ROWS = st.builds(lambda row, s, d: row._replace(source=s or EVERYWHERE, destination=d), ROWS, RANGES, RANGES)
ANY_FLOWS = st.builds(lambda flow, s, d: flow._replace(source=s, destination=d), FLOWS, PLACES, PLACES)


@pytest.mark.parametrize("name", KINDS)
@settings(SOME, max_examples=60)
@given(
    rows=st.lists(ROWS | ANY_ROWS, max_size=12), flows=st.lists(FLOWS | ANY_FLOWS, max_size=30), repeated=st.booleans()
)
def test_it_is_the_linear_scan(name: str, rows: list[Row], flows: list[Flow], repeated: bool) -> None:
    if repeated:  # rows of no protocol that is asked: the others lie in two words
        rows = [Row(protocol=(255, 255), ports=PortRange(9, 9))] * (index_kernels.BITS - 6) + rows
    table = packed(rows)
    one = built(table, name)
    told = [first_match(table, *flow) for flow in flows]
    assert one.match(lined(flows)).tolist() == told
    v4 = [i for i, f in enumerate(flows) if all(V4_FIRST <= a <= V4_LAST for a in (f.source, f.destination))]
    assert one.match(columns([flows[i] for i in v4])).tolist() == [told[i] for i in v4]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("rows", [[], [Row()], [Row(certain=False), Row()], [Row()] * 200, [Row(source=())]])
def test_lists_of_nothing_and_of_everything(name: str, rows: list[Row]) -> None:
    one = built(packed(rows), name)
    flows = [Flow(V4_FIRST, V4_LAST, 0, 0, 65535), Flow(LAST, 0, 255, 65535, 0)]
    found = one.match(lined(flows)).tolist()
    assert found == [0 if rows and rows[0].source else -1] * 2
    assert one.match(np.empty((0, 7), dtype=np.int64)).tolist() == []


def random_rows(count: int, seed: int) -> list[Row]:
    """Prefixes of both families, nested, some sets of several ranges, ports and protocols."""
    draw = random.Random(seed)

    def piece() -> Range:
        if draw.random() < 0.15:
            length = draw.choice([32, 48, 64, 128])
            first = (0x20010DB8 << 96) + (draw.getrandbits(20) << 60) >> (128 - length) << (128 - length)
            return Range(first, first + (1 << (128 - length)) - 1)
        length = draw.choice([8, 16, 24, 24, 32, 32, 32, 32])
        first = V4_FIRST + (((10 + draw.randrange(3)) << 24) + draw.getrandbits(24) >> (32 - length) << (32 - length))
        return Range(first, first + (1 << (32 - length)) - 1)

    def end() -> tuple[Range, ...]:
        return EVERYWHERE if draw.random() < 0.1 else tuple(piece() for _ in range(draw.choice([1, 1, 1, 1, 2, 5])))

    def ports() -> PortRange:
        first = draw.randrange(65536)
        return draw.choice([PortRange(0, 65535), PortRange(first, first), PortRange(1024, 65535)])

    protocols = [(0, 255), (6, 6), (17, 17)]
    return [
        Row(end(), end(), draw.choice(protocols), ports(), ports(), certain=draw.random() < 0.9) for _ in range(count)
    ]


def flows_inside(rows: list[Row], count: int, seed: int) -> list[Flow]:
    """Nine of ten inside a row, the others anywhere."""
    draw = random.Random(seed)

    def some(pieces: tuple[Range, ...]) -> int:
        return draw.randint(*draw.choice(pieces)) if pieces and draw.random() < 0.9 else V4_FIRST + draw.getrandbits(32)

    chosen = (draw.choice(rows) for _ in range(count))
    return [
        Flow(some(r.source), some(r.destination), draw.randint(*r.protocol), draw.randint(*r.source_ports),
             draw.randint(*r.ports) if draw.random() < 0.9 else draw.randrange(65536))
        for r in chosen
    ]  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_long_lists(name: str) -> None:
    rows = random_rows(5000 if KINDS[name].endswith("vectors") else 150, seed=7)
    table = packed(rows)
    one = built(table, name)
    flows = lined(flows_inside(rows, 3 * classifier.BLOCK + 5, seed=8))
    found = one.match(flows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classify, "SCANNED", 1 << 60)
        assert found.tolist() == first_matches(table, flows).tolist()
    assert np.unique(found).size > 50


def test_the_halving_reaches_the_last_address() -> None:
    rows = [Row((Range(V4_LAST - n, V4_LAST - n),)) for n in range(5)] + [Row((Range(V4_FIRST, V4_FIRST),))]
    one = built(packed(rows), "halving")
    flows = [Flow(V4_LAST - n, 0, 6, 1, 1) for n in range(7)] + [Flow(V4_FIRST, 0, 6, 1, 1)]
    assert one.match(lined(flows)).tolist() == [0, 1, 2, 3, 4, -1, -1, 5]


def test_what_is_no_protocol_or_port_matches_nothing() -> None:
    table = packed([Row()])
    flows = np.array([[*halves(V4_FIRST), *halves(V4_FIRST), *asked] for asked in
                      [(256, 0, 0), (-1, 0, 0), (6, 65536, 0), (6, 0, -1), (6, 0, 0)]], dtype=np.int64)  # fmt: skip
    assert built(table, "crossproduct").match(flows).tolist() == first_matches(table, flows).tolist() == [-1] * 4 + [0]


def test_large_batches_are_matched_by_the_classifier_of_the_rows_as_they_are() -> None:
    rows = random_rows(100, seed=3)
    table = packed(rows)
    flows = lined(flows_inside(rows, 200, seed=4))
    scanned = first_matches(table, flows)
    assert table.kept is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classify, "SCANNED", 0)
        assert first_matches(table, flows).tolist() == scanned.tolist()
        kept = classifier_of(table)
        assert kept is classifier_of(table) is not None
        table.add(Row())
        assert first_matches(table, flows).tolist() == np.where(scanned < 0, 100, scanned).tolist()
        assert classifier_of(table) is not kept
        patch.setattr(cores, "MOST_WORDS", 0)
        table.add(Row())
        assert classifier_of(table) is None
        assert first_matches(table, flows).tolist() == np.where(scanned < 0, 100, scanned).tolist()


def test_every_index_kernel_is_compiled_after_what_it_calls() -> None:
    defined = [one for one in vars(index_kernels).values() if getattr(one, "__module__", "") == index_kernels.__name__]
    assert set(index_kernels.IN_ORDER) == set(defined)
    for position, kernel in enumerate(index_kernels.IN_ORDER):
        called = set(kernel.__code__.co_names) & {other.__name__ for other in index_kernels.IN_ORDER}
        assert called <= {earlier.__name__ for earlier in index_kernels.IN_ORDER[:position]}


PLAIN = """
import numba
from tests.engine.test_classifier import KINDS, built, flows_inside, lined, random_rows
from tests.engine.test_engine import packed
from netinsight.engine.classify import first_match
assert numba.config.DISABLE_JIT
rows = random_rows(12, seed=5)
table, flows = packed(rows), flows_inside(rows, 60, seed=6)
told = [first_match(table, *flow) for flow in flows]
for name in KINDS:
    assert built(table, name).match(lined(flows)).tolist() == told, name
print(len(set(told)))
"""


def test_without_the_compiler_it_is_the_same() -> None:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-W", "error", "-c", PLAIN], env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    assert int(done.stdout) > 5


def test_addresses_of_both_families_beside_each_other() -> None:
    v6, v4 = ranges(parse_prefix("2001:db8::/32")), ranges(parse_prefix("10.0.0.0/8"))
    table = packed([Row(v6, v4), Row(v4, v6), Row(v6 + v4, v6 + v4), Row()])
    ends = [parse_address(text) for text in ("2001:db8::1", "2001:db9::", "10.1.2.3", "11.0.0.0")]
    flows = [Flow(s, d, 6, 1, 1) for s in ends for d in ends]
    for name in KINDS:
        assert built(table, name).match(lined(flows)).tolist() == [2, 3, 0, 3, 3, 3, 3, 3, 1, 3, 2, 3, 3, 3, 3, 3]
