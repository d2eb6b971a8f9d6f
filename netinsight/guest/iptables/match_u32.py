"""``-m u32``: four bytes taken out of the packet, masked, shifted, compared; as far as the bytes are known."""

from __future__ import annotations

import re
from typing import NamedTuple

from netinsight.addresses import V4_FIRST
from netinsight.guest.iptables.match_headers import icmp_of
from netinsight.guest.iptables.names import ICMP, ICMPV6, TCP, WITH_PORTS
from netinsight.guest.iptables.state import Answer, Bits, Doubt, State, Test
from netinsight.guest.iptables.testing import Use, negated
from netinsight.guest.iptables.words import Word, WordError, number_in

_WHY = "looks at bytes of the packet that are not known"
_TOKEN = re.compile(r"\s*(0x[0-9a-fA-F]+|\d+|<<|>>|&&|[&@=:,])")
_MOST_TESTS = 10


_Known = dict[int, tuple[int, int]]
"""Bytes by their place, each with the mask of the bits that are known."""


class _Step(NamedTuple):
    operator: str
    amount: int


class _Condition(NamedTuple):
    start: int
    steps: tuple[_Step, ...]
    ranges: tuple[tuple[int, int], ...]


def u32(use: Use) -> list[Test]:
    """Every condition must hold."""
    (option,) = use.options
    conditions = _parse(option.word)

    def test(state: State) -> Answer:
        known = _bytes(state, use.family)
        answers = [_holds(one, known) for one in conditions]
        if False in answers:
            return False
        return Doubt(use.text, None, _WHY) if None in answers else True

    return [negated(test, option.inverted)]


def _parse(word: Word) -> list[_Condition]:
    tokens, at = [], 0
    text = word.text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise WordError(f"u32: `{text[at : at + 12]}` is not understood", word.column)
        tokens.append(found[1])
        at = found.end()
    conditions: list[_Condition] = []
    part: list[str] = []
    for piece in [*tokens, "&&"]:
        if piece == "&&":
            conditions.append(_condition(part, word))
            part = []
        else:
            part.append(piece)
    if len(conditions) > _MOST_TESTS:
        raise WordError("u32: too many conditions", word.column)
    return conditions


def _condition(tokens: list[str], word: Word) -> _Condition:
    if "=" not in tokens:
        raise WordError("u32: a condition needs `=`", word.column)
    at = tokens.index("=")
    left, right = tokens[:at], tokens[at + 1 :]
    if not left or len(left) % 2 == 0 or not right:
        raise WordError("u32: a condition is such as 0>>22&0x3C@4=0x50:0x60", word.column)
    steps = []
    for operator, amount in zip(left[1::2], left[2::2], strict=True):
        if operator not in ("&", "<<", ">>", "@"):
            raise WordError(f"u32: `{operator}` is no operator", word.column)
        steps.append(_Step(operator, _amount(amount, word)))
    ranges = []
    for one in "".join(right).split(","):
        first, _, last = one.partition(":")
        low = _amount(first, word)
        ranges.append((low, _amount(last, word) if last else low))
    return _Condition(_amount(left[0], word), tuple(steps), tuple(ranges))


def _amount(text: str, word: Word) -> int:
    return number_in(text, word.column, 0xFFFFFFFF, "u32: a number")


def _holds(condition: _Condition, known: _Known) -> bool | None:
    base, start = 0, condition.start
    bits = _word(known, base + start)
    for operator, amount in condition.steps:
        if operator == "&":
            bits = Bits(bits.value & amount, (bits.known | ~amount) & 0xFFFFFFFF)
        elif operator == ">>":
            bits = Bits(bits.value >> amount, ((bits.known >> amount) | ~(0xFFFFFFFF >> amount)) & 0xFFFFFFFF)
        elif operator == "<<":
            bits = Bits(
                (bits.value << amount) & 0xFFFFFFFF, ((bits.known << amount) | ((1 << amount) - 1)) & 0xFFFFFFFF
            )
        elif bits.known != 0xFFFFFFFF:
            return None
        else:
            base += bits.value
            bits = _word(known, base + amount)
    low, high = bits.value & bits.known, (bits.value & bits.known) | (~bits.known & 0xFFFFFFFF)
    if any(first <= low and high <= last for first, last in condition.ranges):
        return True
    return False if all(high < first or last < low for first, last in condition.ranges) else None


def _word(known: _Known, at: int) -> Bits:
    value = mask = 0
    for offset in range(4):
        byte, bits = known.get(at + offset, (0, 0))
        value, mask = value << 8 | byte, mask << 8 | bits
    return Bits(value, mask)


def _bytes(state: State, family: int) -> _Known:
    """The bytes that are known: no options, no fragment; ports where they were translated to one."""
    known: _Known = {}
    packet = state.packet

    def put(at: int, value: int | None, width: int) -> None:
        if value is not None:
            known.update({at + n: (byte, 0xFF) for n, byte in enumerate(value.to_bytes(width, "big"))})

    one_source, one_target = state.source.first == state.source.last, state.destination.first == state.destination.last
    if family == 4:
        header = 20
        put(0, 0x45, 1)
        put(1, state.number("tos"), 1)
        put(2, packet.length, 2)
        known[6], known[7] = (0, 0xBF), (0, 0xFF)  # whether it may be cut up is not known
        put(8, state.number("ttl"), 1)
        put(9, packet.protocol, 1)
        put(12, state.source.first - V4_FIRST if one_source else None, 4)
        put(16, state.destination.first - V4_FIRST if one_target else None, 4)
    else:
        header = 40
        put(6, packet.protocol, 1)
        put(7, state.number("ttl"), 1)
        put(8, state.source.first if one_source else None, 16)
        put(24, state.destination.first if one_target else None, 16)
    kind, code = icmp_of(state) if packet.protocol in (ICMP, ICMPV6) else (None, None)
    put(header, kind, 1)
    put(header + 1, code, 1)
    if packet.protocol == TCP:
        put(header + 13, packet.tcp_flags, 1)
    if packet.protocol in WITH_PORTS:
        for at, moved in ((header, state.source_ports), (header + 2, state.ports)):
            put(at, moved.first if moved is not None and moved.first == moved.last else None, 2)
    return known
