"""What an expression is for a packet, and whether it is among some values."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from netinsight.addresses import Range
from netinsight.flow import PortRange
from netinsight.guest.iptables.state import Answer, Bits, Doubt, State
from netinsight.guest.iptables.testing import bits_are, missing, ports_in


class Port(NamedTuple):
    """The source port or the port, of which a box holds several."""

    source: bool


class Unknown(NamedTuple):
    """A value that is not known; ``fact`` names what every rule sees alike, empty where each asks anew."""

    why: str
    fact: str = ""
    binary: bool = False
    """Whether it is 0 or 1."""
    never: str = ""
    """A name that it is not."""


class Usually(NamedTuple):
    """A value that is not known, and what it is taken to be."""

    value: int
    why: str
    possible: tuple[int, ...] = ()
    """All that it may be, where that is known."""


class Chance(NamedTuple):
    """One of ``of`` values from ``first`` on, each as likely; ``drawn``: anew for every packet."""

    first: int
    of: int
    why: str
    fact: str
    drawn: bool


Value = int | str | Range | Bits | Port | Unknown | Usually | Chance | None
"""None: the packet has none, and no match on it holds, not even ``!=``."""


@dataclass(frozen=True, slots=True)
class Values:
    """Some values: ranges in order, without overlap; or names of interfaces, whole ones and begins of such."""

    ranges: tuple[tuple[int, int], ...] = ()
    names: frozenset[str] = frozenset()
    begins: tuple[str, ...] = ()

    def has(self, value: int | str) -> bool:
        """Whether a value is among them."""
        if isinstance(value, str):
            return value in self.names or any(value.startswith(one) for one in self.begins)
        at = bisect_right(self.ranges, (value, 1 << 128))
        return at > 0 and value <= self.ranges[at - 1][1]

    @property
    def single(self) -> str | None:
        """The one value, if it is one."""
        if len(self.ranges) == 1 and self.ranges[0][0] == self.ranges[0][1]:
            return str(self.ranges[0][0])
        return next(iter(self.names)) if len(self.names) == 1 and not self.begins else None

    @property
    def fact(self) -> str:
        """A text that is the same for the same values."""
        names = " ".join([*sorted(self.names), *(f"{one}*" for one in self.begins)])
        return " ".join([*(f"{first}-{last}" for first, last in self.ranges[:100]), names, str(len(self.ranges))])


def of_ranges(ranges: Iterable[tuple[int, int]]) -> Values:
    """Values out of ranges in any order."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return Values(tuple(merged))


def together(several: Iterable[Values]) -> Values:
    """The values of all."""
    found = list(several)
    ranges = of_ranges(one for values in found for one in values.ranges).ranges
    names = frozenset(name for values in found for name in values.names)
    return Values(ranges, names, tuple(dict.fromkeys(one for values in found for one in values.begins)))


def among(state: State, value: Value, values: Values, what: str) -> Answer:
    """Whether a value is among ``values``."""
    if value is None:
        return False
    if isinstance(value, (int, str)):
        return values.has(value)
    if isinstance(value, Port):
        return ports_in(state, value.source, _ports(values), what)
    if isinstance(value, Usually):
        held = {values.has(one) for one in value.possible}
        return held.pop() if len(held) == 1 else Doubt(what, values.has(value.value), value.why)
    if isinstance(value, Chance):
        return _chance(state, value, values, what)
    if isinstance(value, Unknown):
        return _unknown(state, value, values, what)
    if isinstance(value, Bits):
        answers = [_bits(value, first, last, what) for first, last in values.ranges]
        return True if True in answers else next((one for one in answers if one is not False), False)
    return _one_of_several(value, values, what)


def _ports(values: Values) -> list[PortRange]:
    return [PortRange(first, last) for first, last in values.ranges]


def _one_of_several(where: Range, values: Values, what: str) -> Answer:
    held = [(max(first, where.first), min(last, where.last)) for first, last in values.ranges]
    held = [one for one in held if one[0] <= one[1]]
    if not held:
        return False
    return True if held == [tuple(where)] else Doubt(what, None, "the address after translation is one of several")


def _bits(bits: Bits, first: int, last: int, what: str) -> Answer:
    every = 0xFFFFFFFF
    if first == last:
        return bits_are(bits, first, every, what, "not all of it is known")
    least, most = bits.value & bits.known, bits.value | (~bits.known & every)
    if first <= least and most <= last:
        return True
    return False if most < first or last < least else Doubt(what, None, "not all of it is known")


def _unknown(state: State, value: Unknown, values: Values, what: str) -> Answer:
    if not value.fact:
        return Doubt(what, None, value.why)
    if value.never in values.names:
        values = replace(values, names=values.names - {value.never})
        if values == Values():
            return False
    single = values.single
    if value.binary and single == "1":
        answer = missing(state, what, value.why, value.fact, "0")
        if isinstance(answer, Doubt) and answer.belief is not None:
            return answer._replace(belief=(value.fact, "0", True))
        return not answer
    fact = value.fact if single is not None else f"{value.fact} {values.fact}"
    return missing(state, what, value.why, fact, single or "")


def _chance(state: State, value: Chance, values: Values, what: str) -> Answer:
    last = value.first + value.of - 1
    hits = sum(max(0, min(b, last) - max(a, value.first) + 1) for a, b in values.ranges)
    if hits in (0, value.of):
        return hits > 0
    answer = missing(state, what, value.why, value.fact, values.single or values.fact)
    return answer._replace(usual=hits * 2 > value.of) if value.drawn and isinstance(answer, Doubt) else answer


def masked(value: Value, keep: int, flip: int) -> Value:
    """``value & keep ^ flip``."""
    if isinstance(value, int):
        return value & keep ^ flip
    if isinstance(value, Bits):
        return Bits(value.value & keep ^ flip, value.known | (~keep & 0xFFFFFFFF))
    if isinstance(value, Range):
        return value.first & keep ^ flip if value.first == value.last else Unknown("one of several is masked")
    if isinstance(value, Unknown) and value.fact:
        return Unknown(value.why, f"{value.fact} {keep} {flip}")
    if isinstance(value, Usually):
        return Usually(value.value & keep ^ flip, value.why)
    if isinstance(value, Port):
        return Unknown("of several ports bits are asked")
    return value if value is None or isinstance(value, Unknown) else Unknown("bits of it are not modelled")


def any_bit(state: State, value: Value, mask: int, what: str) -> Answer:
    """Whether a value has any bit of ``mask``."""
    value = masked(value, mask, 0)
    if isinstance(value, Bits) and value.value & value.known:
        return True
    return among(state, value, Values(((1, (1 << 128) - 1),)), what)
