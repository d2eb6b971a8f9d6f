"""From an address to the label of its part of the line: IPv4 by a trie or by halving, IPv6 by halving.

A step of the trie (16, 8 and 8 bits) is a number whose lowest bit says whether the next eight bits of the address choose
in a block of 256 (the rest is the block's number) or the rest is the label already; then it is found again under itself,
so that every address takes the same three steps. Single addresses far from each other need a block each; of many such the
cuts themselves are smaller, and are halved from where those of each 65,536 addresses begin.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinsight.engine.compiled import compiled_index
from netinsight.engine.index_kernels import V4_HIGH, V4_MARK
from netinsight.engine.parts import Integers

_BLOCK = 256
MOST_BLOCKS = 1 << 14
"""Blocks of a trie: 8 MB at two bytes each."""

Labels = NDArray[np.int32]


class Trie(NamedTuple):
    """What ``index_kernels.v4_labels`` reads."""

    root: NDArray[Any]
    middle: NDArray[Any]
    leaves: NDArray[Any]

    def write(self, addresses: NDArray[np.uint32], labels: Labels) -> None:
        """Write the label of each IPv4 address."""
        compiled_index().v4_labels(addresses, *self, labels)


class Halves(NamedTuple):
    """What ``index_kernels.v4_halved`` reads."""

    root: NDArray[np.int32]
    cuts: Integers
    own: Labels
    steps: int

    def write(self, addresses: NDArray[np.uint32], labels: Labels) -> None:
        """As ``Trie.write``."""
        compiled_index().v4_halved(addresses, *self, labels)


class Line(NamedTuple):
    """The labels of the line of addresses."""

    v4: Trie | Halves
    cuts: Integers
    own: Labels

    def write(self, flows: Integers, column: int, addresses: NDArray[np.uint32], labels: Labels) -> None:
        """Write the label of each address whose halves stand in two columns of flows; ``addresses`` is a buffer."""
        alike = compiled_index().v4_of(flows, column, addresses)
        self.v4.write(addresses, labels)
        if not alike:
            compiled_index().v6_labels(flows, column, self.cuts, self.own, labels)


def line_of(cuts: Integers, labels: Labels) -> Line:
    """The line whose parts begin at ``cuts`` (high and low) and have these labels."""
    changed = np.concatenate([[True], labels[1:] != labels[:-1]])
    cuts, labels = np.ascontiguousarray(cuts[changed]), labels[changed]
    high, low = cuts[:, 0], cuts[:, 1]
    inside = (high == V4_HIGH) & (low >> 32 == V4_MARK)
    before = int(np.count_nonzero((high == V4_HIGH) & (low >> 32 < V4_MARK)))
    v4_cuts, v4_labels = low[inside] & 0xFFFFFFFF, labels[inside]
    if not len(v4_cuts) or v4_cuts[0] != 0:
        v4_cuts, v4_labels = np.concatenate([[0], v4_cuts]), np.concatenate([labels[before - 1 : before], v4_labels])
    blocks = sum(len(np.unique(v4_cuts[v4_cuts % size != 0] // size)) for size in (1 << 16, 1 << 8))
    v4 = _trie(v4_cuts, v4_labels) if blocks <= MOST_BLOCKS else _halves(v4_cuts, v4_labels)
    return Line(v4, cuts, labels)


def _trie(cuts: Integers, labels: Labels) -> Trie:
    kept = -(-(int(labels.max()) + 1) // _BLOCK)  # blocks whose place the labels take
    root, divided = _level(cuts, labels, np.arange(1 << 16) << 16, 16, kept)
    begins = ((divided << 16)[:, None] + (np.arange(_BLOCK) << 8)).reshape(-1)
    middle, divided = _level(cuts, labels, begins, 8, kept)
    ends = ((begins[divided])[:, None] + np.arange(_BLOCK)).reshape(-1)
    leaves = labels[np.searchsorted(cuts, ends, side="right") - 1]
    known = np.arange(kept * _BLOCK)
    middle, leaves = np.concatenate([known << 1, middle]), np.concatenate([known, leaves])
    small = max(len(middle), len(leaves)) // _BLOCK < 1 << 15 and labels.max() < 1 << 15
    width = np.uint16 if small else np.int32
    return Trie(root.astype(width), middle.astype(width), leaves.astype(width))


def _level(cuts: Integers, labels: Labels, begins: Integers, bits: int, kept: int) -> tuple[Integers, Integers]:
    """The steps of the stretches of ``2**bits`` addresses that begin there, and which of them are divided further."""
    first = np.searchsorted(cuts, begins, side="right") - 1
    divided = np.searchsorted(cuts, begins + (1 << bits) - 1, side="right") - 1 != first
    steps = labels[first].astype(np.int64) << 1
    steps[divided] = (np.arange(np.count_nonzero(divided)) + kept) << 1 | 1
    return steps, np.flatnonzero(divided)


def _halves(cuts: Integers, labels: Labels) -> Halves:
    root = np.searchsorted(cuts, np.arange((1 << 16) + 1) << 16, side="right") - 1
    steps = int(np.diff(root).max()).bit_length()
    padded = np.concatenate([cuts, np.full(1 << steps, 0xFFFFFFFF)])
    return Halves(root[:-1].astype(np.int32), padded, labels, steps)
