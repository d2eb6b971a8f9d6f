"""The rule set that was read, and its judgement of a packet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from netinsight.addresses import family
from netinsight.engine.spaces import Box
from netinsight.errors import QuestionError
from netinsight.guest.iptables.firewall import (
    Firewall,
    Judgement,
    as_one,
    check_chain,
    entered,
    judgement_of,
    moved,
    outcomes_of,
)
from netinsight.guest.iptables.names import SOURCE_NAT, TABLES, WAYS, Stage, is_built_in, priority
from netinsight.guest.iptables.rules import Table, every_rule
from netinsight.guest.iptables.state import Packet
from netinsight.guest.iptables.walk import Walk

CONNECTION_TRACKING = -200
NAT, SOURCE = -100, 100
"""Where the kernel's translation stands in a hook, whatever the priorities of its chains among themselves."""


class Base(NamedTuple):
    """A chain that hangs on a hook."""

    table: str
    """Its family and name."""
    of: str
    """The family."""
    chain: str
    hook: str
    type: str
    priority: int
    age: tuple[int, int]
    """The handles of its table and of itself: of equal priority the one that was made last comes first."""
    kind: str = ""
    """As the walk sees it, where its type does not tell."""

    @property
    def position(self) -> int:
        """Where it stands in its hook."""
        return self.priority if self.type != "nat" else SOURCE if self.hook in SOURCE_NAT else NAT

    @property
    def stage(self) -> Stage:
        """It as the walk sees it."""
        if self.kind or self.type == "nat":
            kind = self.kind or "nat"
        elif self.hook in ("PREROUTING", "OUTPUT") and self.priority < CONNECTION_TRACKING:
            kind = "raw"
        else:
            kind = "filter" if self.hook in ("INPUT", "FORWARD", "OUTPUT") else "other"
        return Stage(self.hook, self.table, self.chain, kind)


@dataclass(frozen=True, slots=True, eq=False)
class Ruleset:
    """The tables of a machine."""

    tables: Mapping[str, Table]
    bases: tuple[Base, ...]
    notes: tuple[str, ...] = ()
    _changing: dict[str, bool] = field(default_factory=dict)

    def judge(self, packet: Packet) -> Judgement:
        """What becomes of a packet; of one with a box of ports what becomes of all, UNKNOWN where they differ.

        Raises
        ------
        QuestionError
            As ``regions``.
        """
        return as_one(self.regions(packet))

    def regions(self, packet: Packet) -> list[tuple[Box, Judgement]]:
        """What becomes of every packet of a box of ports: disjoint boxes that together are the whole.

        Every base chain of the way is passed, as the kernel does.

        Raises
        ------
        QuestionError
            For a chain that there is not, or addresses of two families.
        """
        check_chain(packet)
        if family(packet.source) != family(packet.destination):
            raise QuestionError("the addresses of the packet are of two families")
        mine = self._of(family(packet.source))
        walk = Walk(self.tables, lambda way: _stages(mine, way))
        translates = self.translates(family(packet.source))
        notes = (*self.notes, *self._even(_ordered(mine, packet.chain)), *moved(packet, translates))
        state = entered(packet, walk.stages(packet.chain), translates)
        return [(box, judgement_of(outcome, notes)) for box, outcome in outcomes_of(walk, state)]

    def translates(self, of_family: int) -> bool:
        """Whether a chain that translates has a rule."""
        nat = (one for one in self._of(of_family) if one.type == "nat")
        return any(self.tables[one.table].chains[one.chain].rules for one in nat)

    def _of(self, version: int) -> list[Base]:
        return [one for one in self.bases if one.of in ("inet", _FAMILIES[version])]

    def _changes(self, table: str) -> bool:
        """Whether a rule of a table changes what others see."""
        if table not in self._changing:
            rules = (rule for chain in self.tables[table].chains.values() for rule in every_rule(chain))
            self._changing[table] = any(rule.target.change or rule.lists for rule in rules)
        return self._changing[table]

    def _even(self, bases: list[Base]) -> tuple[str, ...]:
        """Where the order of two chains is not in the file, and what comes of a packet may hang on it."""
        told = []
        for one, other in pairwise(bases):
            even = (one.hook, one.position) == (other.hook, other.position)
            same = one.priority == other.priority and one.table != other.table
            if even and (one.type != other.type or same) and (self._changes(one.table) or self._changes(other.table)):
                told.append(f"`{one.table} {one.chain}` and `{other.table} {other.chain}` have the same priority at "
                            f"{one.hook.lower()}: taken in this order")  # fmt: skip
        for one in bases:
            if one.hook in ("PREROUTING", "OUTPUT") and one.position == CONNECTION_TRACKING:
                told.append(
                    f"`{one.table} {one.chain}` has the priority of connection tracking: taken to come after it"
                )
        return tuple(told)

    def beside(self, firewall: Firewall) -> Ruleset:
        """These rules and those of iptables: a packet passes both, each chain at its priority.

        Chains of iptables that nftables know are there twice where ``iptables-save`` printed them: they stand for the
        same rules, and those of iptables-save, which tells every extension, are taken.
        """
        of = _FAMILIES[firewall.family]
        printed = () if firewall.legacy else tuple(firewall.tables)
        twice = {(name, one.hook): one for one in self.bases for name in printed
                 if one.table == f"{of} {name}" and is_built_in(name, one.chain, one.hook, one.priority)}  # fmt: skip
        kept = tuple(one for one in self.bases if one not in twice.values())
        program = _IPTABLES[firewall.family]
        added = []
        for name in firewall.tables:
            for hook in TABLES[name]:
                same = twice.get((name, hook))
                kind = "nat" if name == "nat" else "filter"
                added.append(Base(f"{program} {name}", of, hook, hook, kind, priority(name, hook),
                                  same.age if same else (0, 0), name))  # fmt: skip
        tables = {f"{program} {name}": table for name, table in firewall.tables.items()}
        return Ruleset({**self.tables, **tables}, (*kept, *added), (*self.notes, *firewall.notes))


_FAMILIES = {4: "ip", 6: "ip6"}
_IPTABLES = {4: "iptables", 6: "ip6tables"}
"""How the tables of iptables are called among those of nftables: ``iptables filter``."""


def iptables_of(table: str) -> str | None:
    """Whether a table among those of nftables is one of ``iptables`` or ``ip6tables``."""
    program = table.partition(" ")[0]
    return program if program in _IPTABLES.values() else None


def _stages(bases: list[Base], way: str) -> tuple[Stage, ...]:
    """The chains of a way; where any translates, every hook does so to packets of connections that are there."""
    found = _ordered(bases, way)
    if any(one.type == "nat" for one in bases):
        bare = [Base("", "", "", hook, "nat", NAT, (0, 0)) for hook in WAYS[way] if hook in TABLES["nat"]]
        found = _ordered([*found, *bare], way)
    return tuple(one.stage for one in found)


def _ordered(bases: list[Base], way: str) -> list[Base]:
    hooks = WAYS[way]
    mine = [one for one in bases if one.hook in hooks]
    return sorted(mine, key=lambda one: (hooks.index(one.hook), one.position, one.priority, [-age for age in one.age]))
