"""Matches, and the look-ups of maps: what they say of a packet on its way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from netinsight.errors import visible
from netinsight.guest.iptables.state import Answer, Doubt, State, Test
from netinsight.guest.iptables.testing import constant, negated, not_modelled
from netinsight.guest.nftables import types
from netinsight.guest.nftables.fields import Field, constant_of, field_of
from netinsight.guest.nftables.node import Node, NodeError, NotModelledError
from netinsight.guest.nftables.sets import AddressSets, Around, Element, Members, element_of
from netinsight.guest.nftables.text import expression, statement
from netinsight.guest.nftables.values import Chance, Value, Values, among, any_bit, together

OPERATORS = ("==", "!=", "in", "!", "<", ">", "<=", ">=")
_DRAWN = ("numgen", "jhash", "symhash")


def fields_of(node: Node) -> tuple[Field, ...]:
    """An expression, or the parts of a concatenation.

    Raises
    ------
    NodeError
        Where it is none.
    """
    concat = node.get("concat")
    return tuple(field_of(one) for one in (concat.items() if concat is not None else [node]))


def _test(
    fields: Sequence[Field],
    holds: Callable[[State, list[Value]], Answer],
    inverted: bool = False,
    looks_at: Callable[[], AddressSets] = tuple,
) -> Test:
    """A test on values that a packet must have, inverted or not, and the sets of addresses that it looks at."""

    def test(state: State) -> Answer:
        return holds(state, [one.read(state) for one in fields])

    turned = negated(test, inverted)

    def watched(state: State) -> Answer:
        if any(one.read(state) is None for one in fields):
            return False
        if state.packet.watch is not None:
            for held in looks_at():
                state.packet.looked_at(held)
        return turned(state)

    return watched


def match(node: Node, around: Around) -> Test:
    """``match``.

    Raises
    ------
    NodeError
        Where it is none.
    """
    what = visible(statement({"match": node.value}), 200)
    operator, right = node.need("op").text(), Node(node.need("right").value, (*node.path, "right"))
    if operator not in OPERATORS:
        raise NodeError(node.need("op"), f"`{visible(operator)}` is no operator of a match")
    fields = fields_of(node.need("left"))
    try:
        return _matched(operator, fields, right, around, what)
    except NotModelledError as wrong:
        doubt = Doubt(what, None, str(wrong))
        return _test(fields, lambda state, values: doubt)


def _matched(operator: str, fields: tuple[Field, ...], right: Node, around: Around, what: str) -> Test:
    inverted = operator in ("!=", "!")
    named = isinstance(right.value, str) and right.value.startswith("@")
    several = named or (isinstance(right.value, dict) and "set" in right.value)
    if len(fields) == 1 and fields[0].type is types.OPAQUE:
        return _test(fields, lambda state, values: among(state, values[0], Values(), what), inverted)  # it tells why
    if operator in ("<", ">", "<=", ">="):
        held = _beyond(operator, constant_of(right, fields[0].type), fields[0].type.most)
        return _test(fields, lambda state, values: among(state, values[0], held, what),
                     looks_at=lambda: (fields[0].addresses(held),))  # fmt: skip
    if operator in ("in", "!") and not several and len(fields) == 1 and fields[0].type is not types.INTERFACE:
        mask = constant_of(right, fields[0].type)
        return _test(fields, lambda state, values: any_bit(state, values[0], mask, what), inverted)
    members = around.members(right, fields)
    if named and right.text().removeprefix("@") in around.touched:
        holds = _changing(members, listed(around, right.text(), fields), what)
    else:
        holds = partial(members.answer, what=what)
    return _test(fields, holds, inverted, lambda: members.address_sets(fields))


def _beyond(operator: str, value: int, most: int) -> Values:
    first, last = {"<": (0, value - 1), "<=": (0, value), ">": (value + 1, most), ">=": (value, most)}[operator]
    return Values(((first, last),) if first <= last else ())


def listed(around: Around, name: str, fields: Sequence[Field]) -> str:
    """What a walk enters a packet into that a rule adds to a set: the set, and by which key."""
    return f"{around.table} {name.removeprefix('@')} {' . '.join(one.text for one in fields)}"


def _changing(members: Members, name: str, what: str) -> Callable[[State, list[Value]], Answer]:
    """A set that rules change: what the file lists is taken, unless a rule on the same way entered the packet."""

    def holds(state: State, values: list[Value]) -> Answer:
        if name in state.seen:
            return True
        answer = members.answer(state, values, what)
        if isinstance(answer, bool):
            why = "rules change the set; it is taken as it is listed"
            return Doubt(what, answer, why)
        return answer if isinstance(answer, Doubt) else Doubt(what, None, "rules change the set")

    return holds


class Choice(NamedTuple):
    """Keys of a map: when one is the packet's, and what stands there; None where nobody knows."""

    test: Test
    data: Node | None


def choices(node: Node, around: Around, what: str) -> list[Choice]:
    """The look-up of a map or verdict map, by what it gives; where no key is the packet's, the rule does not match.

    Raises
    ------
    NodeError
        Where it cannot be one.
    """
    what = visible(what, 200)
    key, data = node.need("key"), node.need("data")
    fields = fields_of(key)
    named = isinstance(data.value, str)
    if named:
        elements = around.named("map", data).get("elem")
        pairs = [] if elements is None else elements.items()
    else:
        pairs = data.need("set").items()
    try:
        found = [(element_of(one, fields), datum) for one, datum in (pair.pair() for pair in pairs)]
    except NotModelledError as wrong:
        return [Choice(not_modelled(what, str(wrong)), None)]
    by_data: dict[str, tuple[list[Element], Node]] = {}
    for element, datum in sorted(found, key=lambda pair: not pair[0].parts):  # every other key comes last
        kind = "" if element.parts else "*"
        by_data.setdefault(kind + repr(datum.value), ([], datum))[0].append(element)
    chosen = [Choice(_elements_test(fields, elements, what), datum) for elements, datum in by_data.values()]
    if named and data.text().removeprefix("@") in around.touched:
        chosen.append(Choice(not_modelled(what, "rules change the map"), None))
    elif chosen and _covers(key, fields, [element for element, _ in found]):
        chosen[-1] = Choice(constant(True), chosen[-1].data)
    return chosen


def _elements_test(fields: Sequence[Field], elements: list[Element], what: str) -> Test:
    members = Members(elements, len(fields))

    def holds(state: State, values: list[Value]) -> Answer:
        fixed = [one._replace(drawn=False) if isinstance(one, Chance) else one for one in values]
        return members.answer(state, fixed, what)

    return _test(fields, holds, looks_at=lambda: members.address_sets(fields))


def _covers(key: Node, fields: Sequence[Field], elements: list[Element]) -> bool:
    """Whether a number that is drawn is always among the keys."""
    if key.only()[0] not in _DRAWN or not all(one.parts for one in elements):
        return False
    count = key.only()[1].need("mod").whole(0xFFFFFFFF, 1)
    held = together(one.parts[0] for one in elements).ranges
    offset = key.only()[1].get("offset")
    first = offset.whole(0xFFFFFFFF) if offset is not None else 0
    return any(low <= first and first + count - 1 <= high for low, high in held)


def map_text(name: str, node: Node) -> str:
    """A look-up for people: its key, and not all that stands in it."""
    return f"{expression(node.need('key').value)} {name}"
