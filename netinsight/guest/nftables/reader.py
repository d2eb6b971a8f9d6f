"""``nft -j list ruleset`` read whole: tables, chains, sets and rules, and every mistake of all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from netinsight.errors import InputError, Problem, did_you_mean, one_of, visible
from netinsight.guest.iptables.rules import Chain, Kind, Rule, Table, every_rule
from netinsight.guest.nftables.node import Node, NodeError, Places
from netinsight.guest.nftables.ruleset import Base, Ruleset
from netinsight.guest.nftables.sets import Around
from netinsight.guest.nftables.statements import Written, compiled
from netinsight.guest.nftables.text import rule_text

JUDGED = ("ip", "ip6", "inet")
FAMILIES = (*JUDGED, "arp", "bridge", "netdev")
_HOOKS = {"prerouting": "PREROUTING", "input": "INPUT", "forward": "FORWARD", "output": "OUTPUT",
          "postrouting": "POSTROUTING"}  # fmt: skip
_TYPES = ("filter", "nat", "route")
_OBJECTS = {"set": "set", "map": "map", "quota": "quota", "limit": "limit"}
_PASSED = frozenset({"metainfo", "counter", "ct helper", "ct timeout", "ct expectation", "flowtable", "secmark",
                     "synproxy", "element", "tunnel"})  # fmt: skip
MOST_NAME = 256


@dataclass(slots=True)
class _Table:
    """A table while it is read."""

    family: str
    name: str
    handle: int
    asleep: bool
    chains: dict[str, Node] = field(default_factory=dict)
    objects: dict[tuple[str, str], Node] = field(default_factory=dict)
    rules: dict[str, list[Node]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.family} {visible(self.name, 80)}"


class _Reader:
    def __init__(self, places: Places) -> None:
        self.places = places
        self.problems: list[Problem] = []
        self.tables: dict[tuple[str, str], _Table] = {}
        self.notes: dict[str, None] = {}

    def told(self, wrong: NodeError) -> None:
        self.problems.append(self.places.problem(wrong.path, wrong.message, wrong.hint))

    def gathered(self, document: Any) -> None:
        """Every object under its table; tables first, whatever their order."""
        found = Node(document).get("nftables")
        if found is None or not isinstance(found.value, list):
            raise NodeError(Node(None), "no `nftables` list in it", "is it what `nft -j list ruleset` prints?")
        objects: list[tuple[str, Node]] = []
        for node in found.items():
            try:
                objects.append(node.only())
            except NodeError as wrong:
                self.told(wrong)
        for wanted in (("table",), ("chain", *_OBJECTS), ("rule",)):
            for name, node in objects:
                if name in wanted:
                    self.tried(name, node)
        known = {"table", "chain", "rule", *_OBJECTS, *_PASSED}
        for name, _ in objects:
            if name not in known:
                self.notes.setdefault(f"`{visible(name)}` is not modelled")

    def tried(self, name: str, node: Node) -> None:
        try:
            if name == "table":
                self.table(node)
                return
            table = self.table_of(node)
            if name == "rule":
                self.rule(table, node)
            elif name == "chain":
                self.chain(table, node)
            else:
                table.objects[name, _name(node)] = node
        except NodeError as wrong:
            self.told(wrong)

    def table(self, node: Node) -> None:
        family, name = node.need("family").text(), _name(node)
        if family not in FAMILIES:
            raise NodeError(node.need("family"), f"family `{visible(family)}` is not {one_of(list(FAMILIES))}",
                            did_you_mean(family, FAMILIES))  # fmt: skip
        if (family, name) in self.tables:
            raise NodeError(node.need("name"), f"the table {family} {visible(name)} is there twice")
        flags = node.get("flags")
        asleep = flags is not None and "dormant" in (flags.value if isinstance(flags.value, list) else [flags.value])
        self.tables[family, name] = _Table(family, name, _handle(node), asleep)

    def table_of(self, node: Node) -> _Table:
        family, name = node.need("family").text(), node.need("table").text()
        if (family, name) not in self.tables:
            raise NodeError(node.need("table"), f"there is no table {visible(family)} {visible(name)}",
                            did_you_mean(name, [other for _, other in self.tables]))  # fmt: skip
        return self.tables[family, name]

    def chain(self, table: _Table, node: Node) -> None:
        name = _name(node)
        if name in table.chains:
            raise NodeError(node.need("name"), f"the chain {visible(name)} of {table.title} is there twice")
        table.chains[name] = node

    def rule(self, table: _Table, node: Node) -> None:
        name = node.need("chain").text()
        if name not in table.chains:
            raise NodeError(node.need("chain"), f"there is no chain `{visible(name)}` in the table {table.title}",
                            did_you_mean(name, table.chains))  # fmt: skip
        table.rules.setdefault(name, []).append(node)

    def base(self, table: _Table, name: str) -> tuple[Base, str] | None:
        """A chain that hangs on a hook, and its policy."""
        node = table.chains[name]
        hook = node.get("hook")
        if hook is None:
            return None
        if hook.text() not in _HOOKS:
            self.notes.setdefault(f"`{table.title} {visible(name)}` hangs on {visible(hook.text())}: not judged")
            return None
        kind, policy = node.need("type"), node.get("policy")
        if kind.text() not in _TYPES:
            raise NodeError(kind, f"type `{visible(kind.text())}` is not {one_of(list(_TYPES))}")
        if policy is not None and policy.value not in ("accept", "drop"):
            raise NodeError(policy, f"policy `{visible(str(policy.value))}` is not accept or drop")
        priority = node.need("prio").whole(0x7FFFFFFF, -0x80000000)
        age = (table.handle, _handle(node))
        told = "ACCEPT" if policy is None else str(policy.value).upper()
        return Base(table.title, table.family, name, _HOOKS[hook.text()], kind.text(), priority, age), told

    def read(self, table: _Table) -> tuple[Table, list[Base]]:
        """A table with its rules compiled."""
        bases: dict[str, tuple[Base, str]] = {}
        for name in table.chains:
            try:
                if (found := self.base(table, name)) is not None:
                    bases[name] = found
            except NodeError as wrong:
                self.told(wrong)
        jumped = frozenset(name for name, node in table.chains.items() if node.get("hook") is None)
        around = Around(table.title, table.family, jumped, table.objects, frozenset(_touched(table)))
        chains = {}
        for name, node in table.chains.items():
            title = f"{table.title} {visible(name, 80)}"
            rules = tuple(
                rule for one in table.rules.get(name, ()) if (rule := self.compiled(one, title, name in bases, around))
            )
            policy = bases[name][1] if name in bases else None
            chains[name] = Chain(title, rules, policy, self.line(node))
        return Table(table.title, chains), [] if table.asleep else [base for base, _ in bases.values()]

    def compiled(self, node: Node, title: str, hung: bool, around: Around) -> Rule | None:
        handle = _handle(node)
        comment = node.value.get("comment")
        text = rule_text(node.value.get("expr"), comment if isinstance(comment, str) else "")
        try:
            return compiled(
                node.need("expr"), Written(title if hung else "", title, text, self.line(node), handle), around
            )
        except NodeError as wrong:
            self.told(wrong)
            return None

    def line(self, node: Node) -> int:
        return self.places.problem(node.path, "").place.line

    def loops(self, table: Table, nodes: Mapping[str, Node]) -> None:
        """A chain that leads back into itself is refused by the kernel."""
        done: set[str] = set()
        for start in table.chains:
            way: list[tuple[str, Iterator[str]]] = [(start, _leads(table.chains[start]))]
            open_chains = {start}
            while way:
                there = next(way[-1][1], None)
                if there is None:
                    done.add(way[-1][0])
                    open_chains.discard(way.pop()[0])
                elif there in open_chains:
                    self.told(NodeError(nodes[there], f"the chain {visible(there)} leads back into itself"))
                elif there not in done:
                    open_chains.add(there)
                    way.append((there, _leads(table.chains[there])))


def _leads(chain: Chain) -> Iterator[str]:
    """The chains into which its rules lead."""
    return (rule.target.chain for rule in every_rule(chain) if rule.target.kind in (Kind.JUMP, Kind.GOTO))


def _touched(table: _Table) -> Iterator[str]:
    """The sets and maps that rules change."""
    for rules in table.rules.values():
        for node in rules:
            for one in node.value.get("expr") if isinstance(node.value.get("expr"), list) else ():
                for kind in ("set", "map") if isinstance(one, dict) else ():
                    name = one[kind].get(kind) if isinstance(one.get(kind), dict) else None
                    if isinstance(name, str):
                        yield name.removeprefix("@")


def _name(node: Node) -> str:
    name = node.need("name")
    if len(name.text()) > MOST_NAME:
        raise NodeError(name, f"longer than {MOST_NAME} characters")
    return name.text()


def _handle(node: Node) -> int:
    handle = node.get("handle")
    return 0 if handle is None else handle.whole((1 << 63) - 1)


def read_ruleset(document: Any, places: Places) -> Ruleset:
    """The rules of ``nft -j list ruleset``, parsed; ``places`` knows where each value stood.

    Raises
    ------
    InputError
        With every mistake. An expression or statement that is not known is none: its rule is *not modelled*.
    """
    reader = _Reader(places)
    tables: dict[str, Table] = {}
    bases: list[Base] = []
    try:
        reader.gathered(document)
    except NodeError as wrong:
        reader.told(wrong)
    for (family, _), draft in reader.tables.items():
        if family not in JUDGED:
            if draft.chains:
                reader.notes.setdefault(f"the table `{draft.title}` is of the family {family}: not judged")
            continue
        tables[draft.title], hung = reader.read(draft)
        bases += hung
        reader.loops(tables[draft.title], draft.chains)
    if reader.problems:
        raise InputError(sorted(reader.problems, key=lambda one: one.place))
    return Ruleset(tables, tuple(bases), tuple(reader.notes))


def is_ruleset(text: str) -> bool:
    """Whether a text is JSON, as ``nft -j`` prints, and not what iptables-save prints."""
    return text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")
