"""Which flows between ENIs no list tells apart: each such kind is decided once.

Two ENIs are alike where their lists, vSwitch and state are the same, and every set of addresses that a list names holds
both or neither. Two ports are alike where no row, and nothing that an end stops, begins or ends between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netinsight.engine import kernels
from netinsight.network.alike import Sides

if TYPE_CHECKING:
    from netinsight.network.inside import Inside

Numbers = NDArray[np.int64]
_LARGEST = 1 << 62


class Kinds:
    """The kinds of ENIs and ports of packed lists."""

    def __init__(self, pack: Inside) -> None:
        self._kinds = _kinds(pack)
        rows, stops = pack.rows.reshape(-1, kernels.COLUMNS), pack.stops.reshape(-1, 3)
        first = [rows[:, kernels.PORT], rows[:, kernels.SOURCE_PORT], stops[:, 0] % kernels.UDP_SHIFT]
        last = [rows[:, kernels.PORT + 1], rows[:, kernels.SOURCE_PORT + 1], stops[:, 1] % kernels.UDP_SHIFT]
        self._port_cuts = np.unique(np.concatenate([*first, *(column + 1 for column in last)]))

    def distinct(self, asked: Numbers) -> tuple[Numbers, Numbers]:
        """One flow of each kind, and the number of its kind of each flow; ``asked`` as the kernel takes them."""
        ends = [self._kinds[asked[:, column]] for column in (0, 1)]
        ports = [np.searchsorted(self._port_cuts, asked[:, column], side="right") for column in (3, 4, 5)]
        return distinct([*ends, asked[:, 2], *ports])


def _kinds(pack: Inside) -> Numbers:
    enis = pack.enis.reshape(-1, kernels.ENI_COLUMNS)
    if not len(enis):
        return np.zeros(1, dtype=np.int64)
    starts, flat = pack.stop_starts.tolist(), pack.stops.reshape(-1, 3).tolist()
    numbers: dict[str, int] = {}
    stopped = [numbers.setdefault(repr((flat[starts[n] : starts[n + 1]], flat[starts[n + 1] : starts[n + 2]])),
                                  len(numbers)) for n in range(0, 2 * len(enis), 2)]  # fmt: skip
    sides, held = Sides(pack.network.sets), dict[int, int]()
    inside = [held.setdefault(sides.of(end.address or 0), len(held)) for end in pack.ends]
    told_apart = [enis[:, column] for column in range(kernels.ENI_EGRESS, kernels.ENI_COLUMNS)]
    return distinct([*told_apart, np.array(stopped, dtype=np.int64), np.array(inside, dtype=np.int64)])[1]


def distinct(columns: list[Numbers]) -> tuple[Numbers, Numbers]:
    """The first row of each that is like no other before it, by its numbers, and which of them each row is."""
    code, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns if len(code) else ():
        least = int(column.min())
        span = int(column.max()) - least + 1
        if size * span > _LARGEST:
            code = np.unique(code, return_inverse=True)[1].astype(np.int64)
            size = len(code)
        code, size = code * span + (column - least), size * span
    kinds, which = np.unique(code, return_inverse=True)
    first = np.empty(len(kinds), dtype=np.int64)
    first[which[::-1]] = np.arange(len(code) - 1, -1, -1)
    return first, which.astype(np.int64)
