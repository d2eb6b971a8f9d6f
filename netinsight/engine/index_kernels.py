"""What is compiled to build and to read the structures of ``classifier``; like ``kernels`` it runs as it stands too.

A row vector is ``words`` integers of ``BITS`` bits: bit b of word w stands for row ``w * BITS + b``. A word is never
negative, so that no unsigned number, which would turn into a float beside a signed one, is needed.

A class is a set of places (addresses, ports) that the same rows hold: places are alike if their row vectors are equal,
word by word; the code of a vector only says where to look for its equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BITS = 63
NOT_HELD = -1
V4_HIGH, V4_MARK = -(1 << 63), 0xFFFF - (1 << 31)
"""The high half of an IPv4 address of the line (``tables.halves``), and the upper part of its low half."""


def coded(vector: Any, places: Any, filled: int) -> Any:
    """A number that equal vectors share; ``places`` are the words that are not 0."""
    code = np.int64(0)
    for k in range(filled):
        code ^= vector[places[k]] ^ places[k]
        code ^= code << 13
        code ^= code >> 7
        code ^= code << 17
    return code


def sought(slots: Any, codes: Any, sizes: Any, vectors: Any, vector: Any, places: Any, filled: int, code: int) -> int:
    """The slot where a vector stands, or the free one where it would; ``sizes`` are how many words are not 0."""
    mask = len(slots) - 1
    at = (code ^ (code >> 32)) & mask
    while slots[at] >= 0:
        known = slots[at]
        if codes[known] == code and sizes[known] == filled:
            k = 0
            while k < filled and vectors[known, places[k]] == vector[places[k]]:
                k += 1
            if k == filled:
                return at
        at = (at + 1) & mask
    return at


def grown(codes: Any, sizes: Any, vectors: Any, count: int) -> tuple[Any, Any, Any, Any]:
    """Twice the room for vectors: slots, codes, sizes, vectors."""
    size = 2 * len(codes)
    slots = np.full(4 * size, NOT_HELD, dtype=np.int64)
    more = np.empty(size, dtype=np.int64)
    more[:count] = codes[:count]
    longer = np.empty(size, dtype=np.int64)
    longer[:count] = sizes[:count]
    wider = np.empty((size, vectors.shape[1]), dtype=np.int64)
    wider[:count] = vectors[:count]
    mask = len(slots) - 1
    for known in range(count):
        at = (codes[known] ^ (codes[known] >> 32)) & mask
        while slots[at] >= 0:
            at = (at + 1) & mask
        slots[at] = known
    return slots, more, longer, wider


def swept(
    parts: int, firsts: Any, lasts: Any, rows: Any, begun: Any, ended: Any, words: int, most: int
) -> tuple[Any, Any]:
    """The class of each part of a line, and the row vector of each class; none at all if there are more than ``most``.

    Row ``rows[i]`` holds the parts ``firsts[i]`` to ``lasts[i]``; ``begun`` and ``ended`` order i by these. The ranges
    of a row are disjoint.
    """
    labels = np.empty(parts, dtype=np.int32)
    slots = np.full(64, NOT_HELD, dtype=np.int64)
    codes = np.empty(16, dtype=np.int64)
    sizes = np.empty(16, dtype=np.int64)
    places = np.empty(words, dtype=np.int64)
    vectors = np.empty((16, words), dtype=np.int64)
    now = np.zeros(words, dtype=np.int64)
    count = 0
    opened = 0
    closed = 0
    for part in range(parts):
        while closed < len(ended) and lasts[ended[closed]] < part:
            row = rows[ended[closed]]
            now[row // BITS] ^= np.int64(1) << (row % BITS)
            closed += 1
        while opened < len(begun) and firsts[begun[opened]] <= part:
            row = rows[begun[opened]]
            now[row // BITS] ^= np.int64(1) << (row % BITS)
            opened += 1
        filled = 0
        for word in range(words):
            if now[word] != 0:
                places[filled] = word
                filled += 1
        code = coded(now, places, filled)
        at = sought(slots, codes, sizes, vectors, now, places, filled, code)
        if slots[at] < 0:
            if count == most:
                return labels[:0], vectors[:0]
            if count == len(codes):
                slots, codes, sizes, vectors = grown(codes, sizes, vectors, count)
                at = sought(slots, codes, sizes, vectors, now, places, filled, code)
            slots[at] = count
            codes[count] = code
            sizes[count] = filled
            vectors[count] = now
            count += 1
        labels[part] = slots[at]
    return labels, vectors[:count]


def crossed(one: Any, other: Any, most: int) -> tuple[Any, Any]:
    """The class of each pair of classes, and the row vectors of these; none at all if there are more than ``most``."""
    words = one.shape[1]
    table = np.empty((len(one), len(other)), dtype=np.int32)
    own = np.empty(words, dtype=np.int64)
    slots = np.full(64, NOT_HELD, dtype=np.int64)
    codes = np.empty(16, dtype=np.int64)
    sizes = np.empty(16, dtype=np.int64)
    places = np.empty(words, dtype=np.int64)
    vectors = np.empty((16, words), dtype=np.int64)
    now = np.zeros(words, dtype=np.int64)
    count = 0
    for i in range(len(one)):
        now[:] = 0
        held = 0
        for word in range(words):
            if one[i, word] != 0:
                own[held] = word
                held += 1
        for j in range(len(other)):
            filled = 0
            for k in range(held):
                word = own[k]
                now[word] = one[i, word] & other[j, word]
                if now[word] != 0:
                    places[filled] = word
                    filled += 1
            code = coded(now, places, filled)
            at = sought(slots, codes, sizes, vectors, now, places, filled, code)
            if slots[at] < 0:
                if count == most:
                    return table[:0], vectors[:0]
                if count == len(codes):
                    slots, codes, sizes, vectors = grown(codes, sizes, vectors, count)
                    at = sought(slots, codes, sizes, vectors, now, places, filled, code)
                slots[at] = count
                codes[count] = code
                sizes[count] = filled
                vectors[count] = now
                count += 1
            table[i, j] = slots[at]
    return table, vectors[:count]


def lowest(word: int, positions: Any) -> int:
    """The lowest bit of a word; no two powers of two below 2**63 leave the same rest by 67."""
    return positions[(word & -word) % 67]  # type: ignore[no-any-return]


def decided(one: Any, other: Any, rows: Any, none: int, positions: Any, table: Any) -> None:
    """``table[i, j]`` becomes the first row that both classes hold, by ``rows`` its number; ``none`` where there is none."""
    for i in range(len(one)):
        for j in range(len(other)):
            table[i, j] = none
            for word in range(one.shape[1]):
                both = one[i, word] & other[j, word]
                if both != 0:
                    table[i, j] = rows[word * BITS + lowest(both, positions)]
                    break


def shared_out(
    sides: Any, starts: Any, firsts: Any, lasts: Any, widest: int, longest: int, lengths: Any
) -> None:  # fmt: skip
    """``sides[row]`` becomes the side (0 source, 1 destination) whose lists take the row, or stays ``NOT_HELD``.

    Row r has the ranges of parts ``starts[s, r]`` to ``starts[s, r + 1] - 1`` at side s. A side can take it if its
    entries (parts held there times ranges at the other side) are few and no list becomes too long; of two that can,
    the one with the shorter lists does.
    """
    for row in range(len(sides)):
        best = longest
        for side in range(2):
            other = 1 - side
            held = 0
            for i in range(starts[side, row], starts[side, row + 1]):
                held += lasts[side, i] - firsts[side, i] + 1
            entries = starts[other, row + 1] - starts[other, row]
            if held * entries > widest:
                continue
            length = 0
            for i in range(starts[side, row], starts[side, row + 1]):
                for part in range(firsts[side, i], lasts[side, i] + 1):
                    length = max(length, lengths[side, part] + entries)
            if length < best:
                best = length
                sides[row] = side
        side = sides[row]
        if side >= 0:
            for i in range(starts[side, row], starts[side, row + 1]):
                for part in range(firsts[side, i], lasts[side, i] + 1):
                    lengths[side, part] += starts[1 - side, row + 1] - starts[1 - side, row]


def listed(side: int, sides: Any, starts: Any, firsts: Any, lasts: Any, asked: Any, free: Any, entries: Any) -> None:
    """Write the entries of a side: row, first and last part at the other side, then ``asked[row]``; ``free`` is where."""
    other = 1 - side
    for row in range(len(sides)):
        if sides[row] != side:
            continue
        for i in range(starts[side, row], starts[side, row + 1]):
            for part in range(firsts[side, i], lasts[side, i] + 1):
                for k in range(starts[other, row], starts[other, row + 1]):
                    at = free[part]
                    entries[at, 0] = row
                    entries[at, 1] = firsts[other, k]
                    entries[at, 2] = lasts[other, k]
                    for column in range(5):
                        entries[at, 3 + column] = asked[row, column]
                    free[part] += 1


def v4_labels(addresses: Any, root: Any, middle: Any, leaves: Any, labels: Any) -> None:
    """The label of each IPv4 address, in three steps that are the same for all (``tries``): no branch to be guessed."""
    for i in range(len(addresses)):
        address = np.int64(addresses[i])
        step = np.int64(root[address >> 16])
        inner = step & 1
        step = np.int64(middle[((step >> 1) << (inner << 3)) + (((address >> 8) & 255) & -inner)])
        inner = step & 1
        labels[i] = leaves[((step >> 1) << (inner << 3)) + ((address & 255) & -inner)]


def v4_halved(addresses: Any, root: Any, cuts: Any, own: Any, steps: int, labels: Any) -> None:
    """The same by halving: ``root`` is the last cut at or below each 65,536 addresses, ``2**steps - 1`` more may follow.

    ``cuts`` go on with the last address ``2**steps`` times past those that are in ``own``.
    """
    last = len(own) - 1
    for i in range(len(addresses)):
        address = np.int64(addresses[i])
        left = np.int64(root[address >> 16])
        for step in range(steps - 1, -1, -1):
            left += ((cuts[left + (1 << step)] - address - 1) >> 63) & (1 << step)  # no branch to be guessed
        labels[i] = own[min(left, last)]


def v4_of(flows: Any, column: int, addresses: Any) -> bool:
    """The IPv4 addresses of two columns of flows (high, low); False if some are of IPv6."""
    alike = True
    for i in range(len(flows)):
        alike &= flows[i, column] == V4_HIGH and flows[i, column + 1] >> 32 == V4_MARK
        addresses[i] = flows[i, column + 1] & 0xFFFFFFFF
    return alike


def v6_labels(flows: Any, column: int, cuts: Any, own: Any, labels: Any) -> None:
    """The label of each IPv6 address of two columns of flows, by halving the cuts of the line."""
    for i in range(len(flows)):
        high = flows[i, column]
        low = flows[i, column + 1]
        if high == V4_HIGH and low >> 32 == V4_MARK:
            continue
        left = 0
        right = len(cuts)
        while left < right:
            half = (left + right) // 2
            if cuts[half, 0] < high or (cuts[half, 0] == high and cuts[half, 1] <= low):
                left = half + 1
            else:
                right = half
        labels[i] = own[left - 1]


def narrowed(flows: Any, protocols: Any, source_ports: Any, ports: Any) -> bool:
    """The last three columns of ``flows`` in few bytes; False if any is no protocol or port."""
    sound = True
    for i in range(len(flows)):
        sound &= 0 <= flows[i, 4] <= 255 and 0 <= flows[i, 5] <= 65535 and 0 <= flows[i, 6] <= 65535
        protocols[i] = flows[i, 4] & 255
        source_ports[i] = flows[i, 5] & 65535
        ports[i] = flows[i, 6] & 65535
    return sound


def classes_of(labels: Any, classes: Any, found: Any) -> None:
    """The class of each label."""
    for i in range(len(labels)):
        found[i] = classes[labels[i]]


def by_tables(
    sources: Any, destinations: Any, protocols: Any, source_ports: Any, ports: Any, pairs: Any, of_protocol: Any,
    of_source_port: Any, of_port: Any, first: Any, second: Any, rows: Any, found: Any,
) -> None:  # fmt: skip
    """``found[i]`` becomes the first row by crossproduct tables: of addresses, of protocol and ports, of both."""
    for i in range(len(found)):
        asked = second[first[of_source_port[source_ports[i]], of_protocol[protocols[i]]], of_port[ports[i]]]
        found[i] = rows[pairs[sources[i], destinations[i]], asked]


def by_vectors(
    sources: Any, destinations: Any, protocols: Any, source_ports: Any, ports: Any, of_protocol: Any, of_source_port: Any,
    of_port: Any, s: Any, d: Any, p: Any, sp: Any, dp: Any, many_s: Any, many_d: Any, many_p: Any, many_sp: Any,
    many_dp: Any, rows: Any, none: int, positions: Any, found: Any,
) -> None:  # fmt: skip
    """The same by row vectors; bit w of ``many`` tells whether word w of a vector holds any row."""
    for i in range(len(found)):
        a = sources[i]
        b = destinations[i]
        c = of_protocol[protocols[i]]
        e = of_source_port[source_ports[i]]
        f = of_port[ports[i]]
        best = none
        for many in range(many_s.shape[1]):
            words = many_s[a, many] & many_d[b, many] & many_p[c, many] & many_sp[e, many] & many_dp[f, many]
            while words != 0:
                word = many * BITS + lowest(words, positions)
                words &= words - 1
                left = s[a, word] & d[b, word] & p[c, word] & sp[e, word] & dp[f, word]
                if left != 0:
                    best = rows[word * BITS + lowest(left, positions)]
                    break
            if best != none:
                break
        found[i] = best


def by_lists(
    own: Any, others: Any, protocols: Any, source_ports: Any, ports: Any, starts: Any, entries: Any, found: Any
) -> None:  # fmt: skip
    """``found[i]`` becomes the first row of the list of its part, if that comes before what was found.

    First where the lists begin is read for all, then how: nothing hangs on these loads, so that they overlap.
    """
    begins = np.empty(len(found), dtype=np.int32)
    ends = np.empty(len(found), dtype=np.int32)
    for i in range(len(found)):
        begins[i] = starts[own[i]]
        ends[i] = starts[own[i] + 1]
    for i in range(len(found)):
        if entries[begins[i], 0] >= found[i]:
            ends[i] = begins[i]
    for i in range(len(found)):
        best = found[i]
        other = others[i]
        protocol = np.int64(protocols[i])
        source_port = np.int64(source_ports[i])
        port = np.int64(ports[i])
        for at in range(begins[i], ends[i]):
            row = entries[at, 0]
            misses = (
                (other - entries[at, 1]) | (entries[at, 2] - other) | (protocol - (entries[at, 3] & 255))
                | ((entries[at, 3] >> 8) - protocol) | (source_port - entries[at, 4]) | (entries[at, 5] - source_port)
                | (port - entries[at, 6]) | (entries[at, 7] - port)
            )  # fmt: skip
            if misses >= 0 or row >= best:
                found[i] = min(row, best)
                break


def told(found: Any, none: int, rows: Any) -> None:
    """What was found as row numbers, -1 for ``none``."""
    for i in range(len(found)):
        rows[i] = found[i] if found[i] != none else -1


IN_ORDER = (
    coded, sought, grown, swept, crossed, lowest, decided, shared_out, listed, v4_labels, v4_halved, v4_of,
    v6_labels, narrowed, classes_of, by_tables, by_vectors, by_lists, told,
)  # fmt: skip
"""Callees before callers: the order in which they are compiled."""
