"""What builders of matches share: the options given to a match, and answers that are not known."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from netinsight.addresses import V4_FIRST, V4_LAST, Range, outside, parse_address
from netinsight.engine.spaces import Box, subtract
from netinsight.errors import visible
from netinsight.flow import PortRange
from netinsight.guest.iptables.state import Answer, Bits, Doubt, State, Test
from netinsight.guest.iptables.words import Word, WordError

if TYPE_CHECKING:
    from netinsight.guest.iptables.ipset import IpSet


class Given(NamedTuple):
    """An option with its words."""

    name: str
    inverted: bool
    words: tuple[Word, ...]
    column: int

    @property
    def word(self) -> Word:
        """Its one word."""
        return self.words[0]


class Use(NamedTuple):
    """A match as a rule uses it."""

    name: str
    family: int
    options: tuple[Given, ...]
    text: str
    column: int
    protocol: int | None = None
    """What ``-p`` asks for, where it asks for one and is not negated."""
    sets: Mapping[str, IpSet] | None = None
    touched: frozenset[str] = frozenset()
    """The sets that a rule of these tables changes."""

    def has(self, name: str) -> bool:
        """Whether an option is there."""
        return any(option.name == name for option in self.options)

    def get(self, name: str) -> Given | None:
        """An option, if it is there."""
        return next((option for option in self.options if option.name == name), None)


@dataclass(slots=True)  # not frozen, which takes three times as long: there may be very many
class Lies:
    """The match of one address: whether it lies in a set; the walk asks it, packed rows hold the set.

    ``held`` is sorted and disjoint; ``what`` is the text of the match.
    """

    source: bool
    held: tuple[Range, ...]
    what: str

    def __call__(self, state: State) -> Answer:
        """What it says of an address that may be one of several."""
        state.packet.looked_at(self.held)
        return address_in(state.source if self.source else state.destination, self.held, self.what)


def negated(test: Test, inverted: bool = True) -> Test:
    """``test`` the other way round, where ``inverted``."""
    if not inverted:
        return test
    if isinstance(test, Lies):
        return replace(test, held=outside(test.held))

    def other(state: State) -> Answer:
        answer = test(state)
        if isinstance(answer, bool):
            return not answer
        if isinstance(answer, Doubt):
            usual = None if answer.usual is None else not answer.usual
            group = answer.belief
            return answer._replace(usual=usual, belief=group and (group[0], group[1], not group[2]))
        return subtract((state.whole,), answer)

    return other


def constant(answer: bool) -> Test:
    """The same for every packet."""
    return lambda state: answer


def not_modelled(what: str, why: str = "is not modelled") -> Test:
    """A match of which nobody knows what it says."""
    doubt = Doubt(what, None, why)
    return lambda state: doubt


def assumed(what: str, usual: bool, why: str) -> Test:
    """A match on rate or payload, taken to be ``usual``."""
    doubt = Doubt(what, usual, why)
    return lambda state: doubt


def missing(state: State, what: str, why: str, group: str, value: str = "") -> Answer:
    """A fact of the packet that was not given: what this world takes it to be, else a doubt."""
    believed = state.believes(group, value)
    return Doubt(what, None, why, (group, value, False)) if believed is None else believed


_MOST_FREE = 10


class Mask(NamedTuple):
    """Addresses: those whose bits of ``mask`` are ``value``, both counted within the family."""

    value: int
    mask: int
    offset: int
    first: int
    last: int
    plain: bool
    """Whether it is one range."""

    def ranges(self) -> tuple[Range, ...] | None:
        """Its addresses; None where they are too many ranges."""
        if self.plain:
            return (Range(self.first, self.last),)
        free = self.last - self.first  # the bits that may be anything
        run = (free ^ (free + 1)) >> 1  # those of them at the end
        above = free & ~run
        if above.bit_count() > _MOST_FREE:
            return None
        found, bits = [], 0
        while True:  # every number of the free bits, in ascending order
            found.append(Range(self.first + bits, self.first + bits + run))
            bits = (bits - above) & above
            if not bits:
                return tuple(found)


def address_mask(word: Word, text: str, family: int) -> Mask:
    """``a``, ``a/24``, ``a/255.255.255.0``; host bits are masked away, as the kernel does.

    Raises
    ------
    WordError
        For anything else, a host name, or an address of the other family.
    """
    base, slash, after = text.partition("/")
    bits, offset = (32, V4_FIRST) if family == 4 else (128, 0)
    every = (1 << bits) - 1
    try:
        value = parse_address(base) - offset
        if not 0 <= value <= every:
            raise WordError(f"`{visible(text)}` is an address of the other family", word.column)
        mask = every
        if slash and (":" in after or "." in after):
            mask = parse_address(after) - offset
        elif slash:
            length = int(after) if after.isascii() and after.isdigit() else -1
            if not 0 <= length <= bits:
                raise ValueError(after)
            mask = every ^ (every >> length)
    except ValueError:
        hint = "a host name means nothing offline; write its address" if _is_name(base) else ""
        raise WordError(f"`{visible(text)}` is not an address, or one with a mask", word.column, hint) from None
    value &= mask
    plain = (mask ^ every) & ((mask ^ every) + 1) == 0
    return Mask(value, mask, offset, offset + value, offset + (value | (mask ^ every)), plain)


def plain_v4(text: str) -> Range | None:
    """The addresses of ``a`` or ``a/24`` of IPv4, as most rules have them; None for all else, which ``address_mask`` reads."""
    base, slash, after = text.partition("/")
    length = int(after) if after.isdecimal() and after.isascii() and len(after) < 3 else -1 if slash else 32
    if not 0 <= length <= 32:
        return None
    try:
        value = parse_address(base)
    except ValueError:
        return None
    if not V4_FIRST <= value <= V4_LAST:
        return None
    hosts = 0xFFFFFFFF >> length
    return Range(value & ~hosts, value | hosts)


def _is_name(text: str) -> bool:
    return text.replace("-", "").replace(".", "").isalnum() and not text.replace(".", "").isdigit()


def address_range(word: Word, family: int, text: str | None = None) -> Range:
    """``a`` or ``a-b``.

    Raises
    ------
    WordError
        For anything else.
    """
    first, dash, last = (word.text if text is None else text).partition("-")
    low, high = (address_mask(word, one, family) for one in (first, last if dash else first))
    if low.first > high.last:
        raise WordError(f"`{visible(word.text)}` runs backwards", word.column)
    return Range(low.first, high.last)


def address_in(where: Range, held: Sequence[Range], what: str) -> Answer:
    """Whether an address, one of ``where``, lies in one of the sorted, disjoint ranges ``held``."""
    at = bisect_right(held, where.first, key=_first)
    if at and where.last <= held[at - 1].last:
        return True
    if (not at or held[at - 1].last < where.first) and (at == len(held) or where.last < held[at].first):
        return False
    return Doubt(what, None, "the address after translation is one of several")


_first = itemgetter(0)


def address_is(where: Range, mask: Mask, what: str) -> Answer:
    """Whether an address, one of ``where``, has the bits of ``mask``."""
    if mask.plain:
        return address_in(where, (Range(mask.first, mask.last),), what)
    if where.first == where.last:
        return (where.first - mask.offset) & mask.mask == mask.value
    return Doubt(what, None, "the address after translation is one of several")


def bits_are(bits: Bits, value: int, mask: int, what: str, why: str) -> Answer:
    """Whether ``bits & mask == value``, of bits that may not all be known."""
    if value & ~mask:
        return False
    if (bits.value ^ value) & mask & bits.known:
        return False
    return True if mask & ~bits.known == 0 else Doubt(what, None, why)


def ports_in(state: State, source: bool, held: Iterable[PortRange], what: str) -> Answer:
    """Whether the source port or the port lies in ``held``."""
    moved = state.source_ports if source else state.ports
    whole = state.whole.source_ports if source else state.whole.ports
    asked = moved or whole
    inside = [PortRange(max(asked.first, one.first), min(asked.last, one.last)) for one in held]
    inside = [one for one in inside if one.first <= one.last]
    if not inside:
        return False
    if any(one == asked for one in inside):
        return True
    if moved is not None:
        return Doubt(what, None, "the port after translation is one of several")
    full = state.whole
    cover = [Box(one, full.ports) if source else Box(full.source_ports, one) for one in inside]
    outside = subtract((full,), cover)
    return subtract((full,), outside) if outside else True


def either(state: State, one: Answer, other: Answer) -> Answer:
    """Where the one holds or the other."""
    if one is True or other is True or isinstance(other, bool):
        return True if one is True or other is True else one
    if isinstance(one, Doubt) or one is False:
        return other if one is False else one
    if isinstance(other, Doubt):
        return other
    left = subtract(subtract((state.whole,), one), other)
    return subtract((state.whole,), left) if left else True
