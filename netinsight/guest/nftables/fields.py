"""An expression of nftables read into a field: its type, and what it is for a packet on its way."""

from __future__ import annotations

from typing import NamedTuple

from netinsight.addresses import V4_FIRST, Range, merge
from netinsight.guest.iptables.names import TCP
from netinsight.guest.iptables.testing import Mask
from netinsight.guest.nftables import types
from netinsight.guest.nftables.headers import Read, constant, is_of, not_known, payload
from netinsight.guest.nftables.kernel_fields import ct, fib, meta
from netinsight.guest.nftables.node import Node, NodeError, NotModelledError
from netinsight.guest.nftables.text import expression
from netinsight.guest.nftables.types import Type
from netinsight.guest.nftables.values import Chance, Unknown, Values, masked


class Field(NamedTuple):
    """An expression: how people write it, its type, and its value for a packet."""

    text: str
    type: Type
    read: Read
    bits: tuple[int, int] | None = None
    """``value & keep ^ flip``, where only these bits are asked."""

    def addresses(self, values: Values) -> tuple[Range, ...]:
        """The addresses for which it is among ``values``; none where it is no address, or they are too many ranges."""
        version = next((of for of, kind in types.ADDRESSES.items() if kind is self.type), None)
        if version is None:
            return ()
        offset = V4_FIRST if version == 4 else 0
        if self.bits is None:
            return tuple(Range(first + offset, last + offset) for first, last in values.ranges)
        keep, flip = self.bits
        found: list[Range] = []
        for first, last in values.ranges:
            held = _masked_as(first ^ flip, keep, self.type.most, offset) if first == last else None
            if held is None:
                return ()
            found += held
        return merge(found)


def field_of(node: Node) -> Field:
    """What an expression is; one that is not known has the type ``OPAQUE`` and a value that is not known.

    Raises
    ------
    NodeError
        Where it lacks what every such expression has.
    """
    name, inner = node.only()
    if name == "payload":
        kind, read = payload(inner)
    elif name in ("meta", "ct", "fib"):
        kind, read = {"meta": meta, "ct": ct, "fib": fib}[name](inner)
    elif name in ("numgen", "jhash", "symhash"):
        kind, read = _drawn(name, inner)
    elif name in ("&", "|", "^"):
        return _masked(node)
    elif name in ("ip option", "exthdr") and "field" not in inner.value:
        kind, read = types.BYTE, constant(0)  # a packet is whole, and has no options
    elif name == "tcp option":
        kind, read = not_known("the options of the packet are not known", lambda state: is_of(state, TCP))
    else:
        kind, read = not_known("is not modelled")
    return Field(expression(node.value), kind, read)


def _drawn(name: str, node: Node) -> tuple[Type, Read]:
    count = node.need("mod").whole(0xFFFFFFFF, 1)
    offset = node.get("offset")
    first = offset.whole(0xFFFFFFFF) if offset is not None else 0
    if name == "numgen":
        chance = Chance(first, count, "the packet is one of many", f"numgen {node.path}", True)
    else:
        chance = Chance(first, count, "the hash is not worked out", f"{name} {expression({name: node.value})}", False)
    return types.NUMBER, lambda state: chance


def constant_of(node: Node, kind: Type) -> int:
    """A constant, of which several bits may be put together.

    Raises
    ------
    NotModelledError
        Where it is no constant.
    """
    if isinstance(node.value, list):
        parts, name = node.items(), "|"
    elif isinstance(node.value, dict):
        name, inner = node.only()
        if name not in ("|", "&", "^"):
            raise NotModelledError("is not modelled")
        parts = inner.items()
    else:
        value = kind.read(node)
        if isinstance(value, str):
            raise NodeError(node, "expected a number")
        return value
    values = [constant_of(part, kind) for part in parts]
    result = values[0] if values else 0
    for value in values[1:]:
        result = result | value if name == "|" else result & value if name == "&" else result ^ value
    return result


def bits_of(node: Node) -> tuple[Node, list[tuple[str, Node]]]:
    """The innermost expression that bits are taken of, and the operations on it, the first one first."""
    operations: list[tuple[str, Node]] = []
    while isinstance(node.value, dict) and len(node.value) == 1:
        name, inner = node.only()
        if name not in ("&", "|", "^"):
            break
        parts = inner.items()
        if len(parts) < 2:
            raise NodeError(inner, "expected two values")
        operations += [(name, part) for part in reversed(parts[1:])]
        node = parts[0]
    return node, operations[::-1]


def keep_and_flip(operations: list[tuple[str, Node]], kind: Type) -> tuple[int, int]:
    """Operations with constants as one: ``value & keep ^ flip``.

    Raises
    ------
    NotModelledError
        Where they are with anything else.
    """
    keep, flip = kind.most, 0
    for name, node in operations:
        value = constant_of(node, kind)
        if name == "&":
            keep, flip = keep & value, flip & value
        elif name == "|":
            keep, flip = keep & ~value, flip & ~value | value
        else:
            flip ^= value
    return keep, flip


def _masked_as(value: int, keep: int, most: int, offset: int) -> tuple[Range, ...] | None:
    if value & ~keep:
        return ()
    free = most & ~keep
    first = offset + value
    return Mask(value, keep, offset, first, first | free, free & (free + 1) == 0).ranges()


def _masked(node: Node) -> Field:
    inner, operations = bits_of(node)
    field = field_of(inner)
    try:
        if isinstance(inner.value, dict) and field.type not in (types.OPAQUE, types.INTERFACE):
            keep, flip = keep_and_flip(operations, field.type)
            told = expression(node.value)
            return Field(told, field.type, lambda state: masked(field.read(state), keep, flip), (keep, flip))
    except NotModelledError:
        pass
    there = field.read
    unknown = Unknown("is not modelled")
    return Field(expression(node.value), types.OPAQUE, lambda state: None if there(state) is None else unknown)
