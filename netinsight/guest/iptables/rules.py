"""A rule as the walk sees it: what must hold, what then happens; chains and tables of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from netinsight.addresses import Range
from netinsight.engine.spaces import Region, intersect, subtract
from netinsight.guest.iptables.state import Doubt, State, Test


class Kind(Enum):
    """What a target does."""

    NOTHING = auto()
    """It logs or counts: the packet goes on as it is."""
    CHANGE = auto()
    """The packet goes on, changed."""
    ACCEPT = auto()
    DROP = auto()
    REJECT = auto()
    RETURN = auto()
    JUMP = auto()
    GOTO = auto()
    UNKNOWN = auto()
    """A target that is not modelled: nobody knows what it does."""


@dataclass(frozen=True, slots=True)
class Target:
    """What happens to a packet that a rule matches.

    ``change`` names what changes, ``amounts`` by how much; ``chain`` is where a jump leads; ``reply`` what REJECT sends.
    """

    kind: Kind
    name: str = ""
    chain: str = ""
    reply: str = ""
    change: str = ""
    amounts: tuple[int, ...] = ()
    addresses: Range | None = None
    ports: tuple[int, int] | None = None


@dataclass(slots=True, eq=False)  # not frozen, which takes three times as long: there may be very many
class Rule:
    """A rule: its own text, its line, its tests in order."""

    table: str
    chain: str
    text: str
    line: int
    tests: tuple[Test, ...]
    target: Target
    lists: tuple[tuple[str, bool], ...] = ()
    """The lists of ``recent`` that a match enters (True) or leaves."""
    bidden: bool = True
    """Written by the user; False for a step that the walk itself puts in, or that has more to come in ``then``."""
    handle: int = 0
    """Of nftables: its number in the table."""
    then: Chain | None = None
    """What the same rule goes on with where it matched: an ``inline`` chain."""

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.chain} handle {self.handle}" if self.handle else f"line {self.line}" if self.line else ""

    def matches(self, state: State, region: Region) -> tuple[Region, Region, tuple[Doubt, ...]]:
        """The ports that match, those that do not, and what is not known about the match of the former."""
        doubts: list[Doubt] = []
        hit = region
        for test in self.tests:
            answer = test(state)
            if answer is True:
                continue
            if answer is False:
                return (), region, ()
            if isinstance(answer, Doubt):
                doubts.append(answer)
                continue
            hit = intersect(hit, answer)
            if not hit:
                return (), region, ()
        return hit, () if hit is region else subtract(region, hit), tuple(doubts)


@dataclass(slots=True, eq=False)  # not frozen, as ``Rule``
class Chain:
    """A chain; ``policy`` is None for a user's."""

    name: str
    rules: Sequence[Rule] = ()
    policy: str | None = None
    line: int = 0
    inline: bool = False
    """Steps inside one rule of another chain: the first that matches is the last, and no verdict sees the chain."""


def every_rule(chain: Chain) -> Iterator[Rule]:
    """The rules of a chain, and the steps inside them."""
    waiting = list(chain.rules)
    while waiting:
        rule = waiting.pop()
        yield rule
        waiting += rule.then.rules if rule.then else ()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table: its chains by name."""

    name: str
    chains: Mapping[str, Chain] = field(default_factory=dict)
