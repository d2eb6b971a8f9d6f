"""The statements of a rule, compiled into steps of the walk: what must hold, what then happens, what comes after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from netinsight.errors import did_you_mean, visible
from netinsight.guest.iptables.rules import Chain, Kind, Rule, Target
from netinsight.guest.iptables.state import Test
from netinsight.guest.iptables.targets import QUIET
from netinsight.guest.iptables.testing import assumed, constant, not_modelled
from netinsight.guest.nftables import changes
from netinsight.guest.nftables.changes import Way
from netinsight.guest.nftables.matching import choices, fields_of, listed, map_text, match
from netinsight.guest.nftables.node import Node, NodeError
from netinsight.guest.nftables.sets import Around
from netinsight.guest.nftables.text import statement

_QUIET = frozenset({"counter", "log", "ct helper", "ct timeout", "ct expectation", "flow", "dup", "secmark", "last"})
"""Statements after which the packet goes on as it was, for all that rules see of it."""
_PLAIN = {"accept": Kind.ACCEPT, "drop": Kind.DROP, "continue": Kind.NOTHING, "return": Kind.RETURN}
_ENDS = (Kind.ACCEPT, Kind.DROP, Kind.REJECT, Kind.RETURN, Kind.JUMP, Kind.GOTO, Kind.UNKNOWN)


class Written(NamedTuple):
    """A rule as it is told: where it stands and its text."""

    hung: str
    """The chain, where it hangs on a hook."""
    chain: str
    text: str
    line: int
    handle: int


@dataclass(slots=True)
class _Part:
    """Tests, and the ways that then part; several where a map is looked up."""

    tests: list[Test] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)


def compiled(statements: Node, written: Written, around: Around) -> Rule:
    """A rule of the walk.

    Raises
    ------
    NodeError
        Where a statement cannot be what it is called.
    """
    parts = [_Part()]
    found = statements.items()
    for at, node in enumerate(found):
        name, inner = node.only()
        tests, ways = _statement(name, inner, around, at + 1 == len(found))
        parts[-1].tests += tests
        if ways is None:
            continue
        parts[-1].ways = ways or [Way((constant(False),), Target(Kind.NOTHING))]
        if ways and all(way.target.kind in _ENDS for way in ways):
            break
        parts.append(_Part())
    if len(parts) > 1 and not parts[-1].tests and not parts[-1].ways:
        parts.pop()
    return _folded(parts, written, around)


def _folded(parts: list[_Part], written: Written, around: Around) -> Rule:
    then: Chain | None = None
    for at in reversed(range(len(parts))):
        part, last = parts[at], at + 1 == len(parts)
        ways = part.ways or [Way((), Target(Kind.NOTHING))]
        first = tuple(part.tests) if len(ways) == 1 else ()
        rules = tuple(_rule(written, around, (*first, *way.tests), way, last, then) for way in ways)
        if len(rules) > 1:
            inner = Chain(written.chain, rules, inline=True)
            rules = (_rule(written, around, tuple(part.tests), Way((), Target(Kind.NOTHING)), False, inner),)
        then = Chain(written.chain, rules, inline=True)
    assert then is not None
    return then.rules[0]


def _rule(written: Written, around: Around, tests: tuple[Test, ...], way: Way, last: bool, then: Chain | None) -> Rule:
    ends = way.target.kind in _ENDS
    return Rule(written.hung, written.chain, written.text, written.line, tests, way.target, way.lists, last or ends,
                written.handle, None if ends else then)  # fmt: skip


def _statement(name: str, node: Node, around: Around, last: bool) -> tuple[list[Test], list[Way] | None]:
    """What must hold further, and what then happens; None: nothing that a rule sees."""
    if name == "match":
        return [match(node, around)], None
    if name in _QUIET:
        return [], None
    if name in _PLAIN:
        return [], [Way((), Target(_PLAIN[name], name))]
    if name in ("jump", "goto"):
        return [], [_jump(name, node, around)]
    if name == "vmap":
        return [], _verdicts(node, around)
    if name in ("limit", "quota", "ct count"):
        return [_rate(name, node, around)], None
    if name in ("set", "map", "meter"):
        return _update(name, node, around)
    if name == "tproxy":
        return [assumed(_told(name, node), True, "a socket of this machine listens")], None
    if name == "xt":
        return _foreign(node, last)
    ways = changes.ways(name, node, around)
    return [], [Way((), Target(Kind.UNKNOWN, _told(name, node)))] if ways is None else ways or None


def _told(name: str, node: Node) -> str:
    return visible(statement({name: node.value}), 200)


def _jump(name: str, node: Node, around: Around) -> Way:
    target = node.need("target").text()
    if target not in around.chains:
        raise NodeError(node.need("target"), f"there is no chain `{visible(target)}` in the table {visible(around.table)}",
                        did_you_mean(target, around.chains))  # fmt: skip
    return Way((), Target(Kind.JUMP if name == "jump" else Kind.GOTO, name, chain=target))


def _verdicts(node: Node, around: Around) -> list[Way]:
    """Each element of a verdict map."""
    ways = []
    for test, data in choices(node, around, map_text("vmap", node)):
        if data is None:
            ways.append(Way((test,), Target(Kind.UNKNOWN, map_text("vmap", node))))
            continue
        name, inner = data.only()
        if name in _PLAIN:
            ways.append(Way((test,), Target(_PLAIN[name], name)))
        elif name in ("jump", "goto"):
            ways.append(_jump(name, inner, around)._replace(tests=(test,)))
        else:
            ways.append(Way((test,), Target(Kind.UNKNOWN, _told(name, inner))))
    return ways


def _rate(name: str, node: Node, around: Around) -> Test:
    """Rates and amounts are not reached, connections are few: within it the statement lets go on, over it it does not."""
    given = around.named(name, node) if isinstance(node.value, str) and name != "ct count" else node
    over = isinstance(given.value, dict) and bool(given.value.get("inv"))
    why = {"limit": "the rate is not reached", "quota": "the quota is not used up"}.get(
        name, "there are few connections"
    )
    return assumed(_told(name, node), not over, why)


def _update(name: str, node: Node, around: Around) -> tuple[list[Test], list[Way] | None]:
    """A rule enters the packet into a set, or takes it out; rates may stand with the element."""
    told = _told(name, node)
    target = node.get(name)
    if name == "meter" or target is None:
        inner = [] if node.get("stmt") is None else node.need("stmt")
        return _rates(inner if isinstance(inner, Node) else Node([]), around), None
    if isinstance(target.value, str):
        around.named(name, target)
    tests = _rates(Node([]) if node.get("stmt") is None else node.need("stmt"), around)
    if node.need("op").text() == "delete":
        entered = False
    else:
        entered = True
        tests = [assumed(told, True, "there is room in the set"), *tests]
    key = node.need("elem").get("elem")
    fields = fields_of(node.need("elem") if key is None else key.need("val"))
    return tests, [Way((), Target(Kind.NOTHING), ((listed(around, target.text(), fields), entered),))]


def _rates(node: Node, around: Around) -> list[Test]:
    found = node.items() if isinstance(node.value, list) else [node]
    tests = []
    for one in found:
        name, inner = one.only()
        if name in ("limit", "quota", "ct count"):
            tests.append(_rate(name, inner, around))
        elif name not in _QUIET:
            tests.append(not_modelled(_told(name, inner)))
    return tests


def _foreign(node: Node, last: bool) -> tuple[list[Test], list[Way] | None]:
    """An extension of iptables, of which nftables tell at most the name."""
    told = _told("xt", node)
    kind, name = (node.value.get("type"), node.value.get("name")) if isinstance(node.value, dict) else (None, None)
    why = "is an extension of iptables: give what iptables-save prints of this table"
    if kind == "match" and name == "comment":
        return [], None
    if kind in ("target", "watcher") or (kind is None and last):
        return [], None if name in QUIET else [Way((), Target(Kind.UNKNOWN, f"{told} ({why})"))]
    return [not_modelled(told, why)], None
