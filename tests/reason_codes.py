"""The reasons that the walk gives and what each decides, read off its sources: who adds one is told to describe it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from functools import cache
from typing import NamedTuple

_HELPERS = {"_drop": "DROP"}
"""Functions that decide the same always, and take the code."""

_BY_A_PARAMETER = {
    "security_group_default.isolated": "DROP",
    "appliance.next_hop": "ACCEPT",
    "guest_route.foreign_source": "DROP",
    "guest_route.none": "DROP",
    "guest_route.refused": "DROP",
    "nat.destination": "ACCEPT",
    "nat.restored_destination": "ACCEPT",
    "nat.restored_source": "ACCEPT",
    "nat.source": "ACCEPT",
    "public.in": "ACCEPT",
    "public.locked": "DROP",
    "public.out": "ACCEPT",
    "route.direct": "ACCEPT",
    "route.local": "ACCEPT",
}
"""Codes that are handed on to where the decision stands, so that nothing beside them tells it."""


class Given(NamedTuple):
    """Codes by what is decided with them, and those of which that could not be read."""

    decided: dict[str, set[str]]
    unread: set[str]

    @property
    def stopping(self) -> set[str]:
        """Those that stop a packet, or leave it open."""
        return self.decided["DROP"] | self.decided["UNKNOWN"]


def given(sources: Iterable[str], known: Set[str]) -> Given:
    """Every code of ``known`` that sources give, with what they decide by it."""
    read = [_read(source, frozenset(known)) for source in sources]
    decided: dict[str, set[str]] = defaultdict(set)
    mentioned = set[str]().union(*(one.mentioned for one in read))
    for decision, code in (pair for one in read for pair in one.pairs):
        decided[decision].add(code)
    for code in _of_rows(frozenset[str]().union(*(one.kinds for one in read)), known):
        decided["ACCEPT" if code.endswith(".accept") else "DROP"].add(code)
    for code in mentioned & _BY_A_PARAMETER.keys():
        decided[_BY_A_PARAMETER[code]].add(code)
    return Given(decided, mentioned.difference(*decided.values()))


class _Read(NamedTuple):
    """What one source says: its codes, each beside a decision, and the kinds of rows that it makes."""

    mentioned: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    kinds: frozenset[str]


@cache
def _read(source: str, known: frozenset[str]) -> _Read:
    """One source; where another is changed it says the same."""
    nodes = list(ast.walk(ast.parse(source)))
    pairs = {pair for node in nodes if isinstance(node, ast.FunctionDef) for pair in _Function(node, known).pairs()}
    kinds = {node.value for call in nodes if isinstance(call, ast.Call) for node in call.args
             if getattr(call.func, "id", "") == "Origin" and isinstance(node, ast.Constant)}  # fmt: skip
    mentioned = {node.value for node in nodes if isinstance(node, ast.Constant) and node.value in known}
    return _Read(frozenset(mentioned), frozenset(pairs), frozenset(kinds))


def _of_rows(kinds: Set[str], known: Set[str]) -> Iterator[str]:
    """Codes that a list gives by the kind of its row (``stages.by_rows``)."""
    for code in known:
        kind, _, word = code.rpartition(".")
        if kind in kinds and re.fullmatch("accept|drop|drop_first", word):
            yield code


class _Function:
    """A function: what its names stand for at a line, and which codes stand beside which decisions."""

    def __init__(self, node: ast.FunctionDef, known: Set[str]) -> None:
        self.node, self.known = node, known
        self.assigned: dict[str, list[tuple[int, ast.expr]]] = defaultdict(list)
        for each in ast.walk(node):
            if isinstance(each, ast.Assign):
                for target in each.targets:
                    self._assign(target, each.value)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.assigned[target.id].append((value.lineno, value))
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, its in zip(target.elts, value.elts, strict=True):
                self._assign(one, its)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Each decision with each code beside it, in a tuple or among the arguments of a call."""
        for node in ast.walk(self.node):
            if isinstance(node, ast.Tuple):
                yield from self._beside(node.elts)
            elif isinstance(node, ast.Call):
                name, arguments = getattr(node.func, "id", ""), [*node.args, *(word.value for word in node.keywords)]
                yield from self._beside(arguments)
                for argument in arguments if name in _HELPERS else ():
                    yield from ((_HELPERS[name], code) for code in self._codes(argument))

    def _beside(self, nodes: list[ast.expr]) -> Iterator[tuple[str, str]]:
        for one in map(self._meant, nodes):
            for other in map(self._meant, nodes):
                yield from self._pair(one, other)

    def _pair(self, one: ast.expr, other: ast.expr) -> Iterator[tuple[str, str]]:
        """Of two choices by the same condition the branches belong together."""
        if isinstance(one, ast.IfExp) and isinstance(other, ast.IfExp) and ast.dump(one.test) == ast.dump(other.test):
            yield from self._pair(one.body, other.body)
            yield from self._pair(one.orelse, other.orelse)
            return
        yield from ((decision, code) for decision in self._decisions(one) for code in self._codes(other))

    def _meant(self, node: ast.expr) -> ast.expr:
        """What stands for a name where it is used: its last value before; of a reason its code."""
        if isinstance(node, ast.Name):
            before = [(line, value) for line, value in self.assigned[node.id] if line < node.lineno]
            return self._meant(max(before, key=lambda pair: pair[0])[1]) if before else node
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "why" and node.args:
            return self._meant(node.args[0])
        return node

    def _decisions(self, node: ast.expr) -> set[str]:
        if isinstance(node, ast.IfExp):
            return self._decisions(node.body) | self._decisions(node.orelse)
        is_one = isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "Decision"
        return {node.attr} if is_one and isinstance(node, ast.Attribute) else set()

    def _codes(self, node: ast.expr) -> set[str]:
        node = self._meant(node)
        if isinstance(node, ast.IfExp):
            return self._codes(node.body) | self._codes(node.orelse)
        is_one = isinstance(node, ast.Constant) and node.value in self.known
        return {str(node.value)} if is_one and isinstance(node, ast.Constant) else set()
