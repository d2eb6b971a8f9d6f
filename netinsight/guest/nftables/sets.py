"""Sets and the keys of maps, named and anonymous: elements, and whether a packet is among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from netinsight.addresses import Range
from netinsight.engine.spaces import Region, intersect, subtract
from netinsight.errors import visible
from netinsight.guest.iptables.state import Answer, Doubt, State
from netinsight.guest.nftables import types
from netinsight.guest.nftables.fields import Field, constant_of
from netinsight.guest.nftables.node import Node, NodeError, NotModelledError
from netinsight.guest.nftables.types import Type
from netinsight.guest.nftables.values import Value, Values, among, of_ranges, together

AddressSets = tuple[tuple[Range, ...], ...]
_EXPIRES = "the element expires"


class Element(NamedTuple):
    """An element: the values of each part of its key; none where it is every other key (``*``)."""

    parts: tuple[Values, ...]
    expires: bool = False


def values_of(node: Node, kind: Type) -> Values:
    """What a part of a key may be.

    Raises
    ------
    NodeError, NotModelledError
        Where it cannot be read.
    """
    if kind is types.OPAQUE:
        return Values()
    if kind is types.INTERFACE and isinstance(node.value, str):
        name = node.text()
        if name.endswith("*") and not name.endswith("\\*"):
            return Values(begins=(name[:-1],))
        return Values(names=frozenset([name.replace("\\*", "*")]))
    if kind is types.INTERFACE:
        raise NotModelledError("the number of an interface tells nothing of its name")
    if isinstance(node.value, dict):
        name, inner = node.only()
        if name == "set":
            found = inner.items() if isinstance(inner.value, list) else [inner]
            return together(values_of(one, kind) for one in found)
        if name == "range":
            first, last = (constant_of(one, kind) for one in inner.pair())
            if first > last:
                raise NodeError(inner, "the range runs backwards")
            return of_ranges([(first, last)])
        if name == "prefix":
            length = inner.need("len").whole(kind.bits)
            free = (1 << (kind.bits - length)) - 1
            first = constant_of(inner.need("addr"), kind) & ~free
            return of_ranges([(first, first | free)])
    value = constant_of(node, kind)
    return Values(((value, value),))


def element_of(node: Node, fields: Sequence[Field]) -> Element:
    """An element of a set, or a key of a map.

    Raises
    ------
    NodeError, NotModelledError
        Where it cannot be read.
    """
    expires = False
    if (inner := node.get("elem")) is not None:
        expires = inner.get("expires") is not None
        node = inner.need("val")
    if node.value == "*":
        return Element((), expires)
    concat = node.get("concat")
    parts = concat.items() if concat is not None else [node]
    if len(parts) != len(fields):
        raise NodeError(node, f"the key has {len(parts)} parts, what is looked up {len(fields)}")
    found = tuple(values_of(part, one.type) for part, one in zip(parts, fields, strict=True))
    return Element(found, expires)


class Members:
    """The elements of a set; those of one part merged into one look-up."""

    def __init__(self, elements: Iterable[Element], width: int) -> None:
        rows = list(elements)
        self.every = any(not one.parts for one in rows)
        rows = [one for one in rows if one.parts]
        self.one: tuple[Values, Values] | None = None
        self._address_sets: dict[tuple[object, ...], AddressSets] = {}
        self.rows = rows
        if width == 1:
            lasting, expiring = (together(r.parts[0] for r in rows if r.expires is e) for e in (False, True))
            self.one = (lasting, expiring)

    def answer(self, state: State, values: Sequence[Value], what: str) -> Answer:
        """Whether the values of a packet are among them; none of ``values`` is None."""
        if self.every:
            return True
        if self.one is None:
            rows = ((_row(state, one, values, what), one.expires) for one in self.rows)
            return _any(state, rows, what)
        lasting, expiring = self.one
        answer = among(state, values[0], lasting, what)
        if answer is True or expiring == Values() or isinstance(answer, Doubt):
            return answer
        return _any(state, [(answer, False), (among(state, values[0], expiring, what), True)], what)

    def address_sets(self, fields: Sequence[Field]) -> AddressSets:
        """Every set of addresses that is looked at."""
        key = tuple((field.type.name, field.bits) for field in fields)
        if key not in self._address_sets:
            held = (field.addresses(one) for at, field in enumerate(fields) for one in self._parts(at))
            self._address_sets[key] = tuple({one: None for one in held if one})
        return self._address_sets[key]

    def _parts(self, at: int) -> Iterable[Values]:
        """What a part of the key may be; of elements that agree in all other parts together."""
        if self.one is not None:
            return self.one
        alike: dict[tuple[Values, ...], list[Values]] = {}
        for row in self.rows:
            alike.setdefault((*row.parts[:at], *row.parts[at + 1 :]), []).append(row.parts[at])
        return [together(several) for several in alike.values()]


def _row(state: State, element: Element, values: Sequence[Value], what: str) -> Answer:
    answer: Answer = True
    for value, part in zip(values, element.parts, strict=True):
        one = among(state, value, part, what)
        if one is False:
            return False
        if isinstance(answer, Doubt) or one is True:
            continue
        if answer is True or isinstance(one, Doubt):
            answer = one
        elif not isinstance(answer, bool):
            answer = intersect(answer, one) or False
            if answer is False:
                return False
    return answer


def _any(state: State, answers: Iterable[tuple[Answer, bool]], what: str) -> Answer:
    """Whether any holds; each with whether its element expires."""
    left: Region = (state.whole,)
    doubt: Doubt | None = None
    for answer, expires in answers:
        if answer is False:
            continue
        if isinstance(answer, Doubt) or expires:
            doubt = answer if isinstance(answer, Doubt) else Doubt(what, True, _EXPIRES)
            continue
        left = () if answer is True else subtract(left, answer)
        if not left:
            return True
    return doubt if doubt is not None else subtract((state.whole,), left) or False


@dataclass(slots=True)
class Around:
    """What the rules of a table are read against."""

    table: str
    family: str
    chains: frozenset[str]
    objects: Mapping[tuple[str, str], Node]
    """Sets, maps, quotas and limits by kind and name."""
    touched: frozenset[str]
    """The sets and maps that rules of the table change."""
    _members: dict[tuple[str, tuple[str, ...]], Members] = field(default_factory=dict)
    _wrong: dict[tuple[str, tuple[str, ...]], NotModelledError] = field(default_factory=dict)

    def named(self, kind: str, node: Node) -> Node:
        """The object that ``@name`` names.

        Raises
        ------
        NodeError
            Where there is none.
        """
        name = node.text().removeprefix("@")
        found = self.objects.get((kind, name))
        if found is None:
            raise NodeError(node, f"there is no {kind} `{visible(name)}` in the table {visible(self.table)}")
        return found

    def members(self, node: Node, fields: Sequence[Field]) -> Members:
        """The elements of ``@name`` or of an anonymous set, or the one element that stands there.

        Raises
        ------
        NodeError, NotModelledError
            Where they cannot be read.
        """
        if isinstance(node.value, str) and node.value.startswith("@"):
            return self._named_members(node, fields)
        inner = node.get("set")
        if inner is None:
            return Members([element_of(node, fields)], len(fields))
        if isinstance(inner.value, str) and inner.value.startswith("@"):
            return self._named_members(inner, fields)
        found = inner.items() if isinstance(inner.value, list) else [inner]
        return Members((element_of(one, fields) for one in found), len(fields))

    def _named_members(self, node: Node, fields: Sequence[Field]) -> Members:
        key = (node.text(), tuple(one.type.name for one in fields))
        if key in self._wrong:
            raise self._wrong[key]
        if key not in self._members:
            elements = self.named("set", node).get("elem")
            found = [] if elements is None else elements.items()
            try:
                self._members[key] = Members((element_of(one, fields) for one in found), len(fields))
            except NotModelledError as wrong:
                self._wrong[key] = wrong
                raise
        return self._members[key]
