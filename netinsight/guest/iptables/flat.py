"""A chain with all that it leads to as one list of packed rows, of which the first that matches a packet decides.

A row holds addresses and ports. All else that rules ask of a packet is fixed beforehand, by one packet of the kind: such
tests are asked once, as the walk asks them. What a test says of addresses only it knows (``Lies``); what it says of ports
it tells as a region. A test that looks at an address in another way, and what cannot be told offline, leaves the packets
that it is asked of to the walk: a row without an outcome.

A jump puts the rows of its chain where it stands, narrowed to what the jump matches; what falls off the chain falls to
the rows behind. RETURN and goto are taken out of what the rest of their chain is asked of. A rule that changes what later
rules see has all that follows behind it once more, for what it matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Any, NamedTuple, NoReturn, cast

from netinsight.addresses import Range, common, outside
from netinsight.engine.spaces import Box, Region, intersect, subtract
from netinsight.engine.tables import EVERYWHERE, AddressSets, Row, Table
from netinsight.flow import EVERY_PORT
from netinsight.guest.iptables.outcome import Outcome, usual_of
from netinsight.guest.iptables.rules import Chain, Kind, Rule
from netinsight.guest.iptables.state import Doubt, Packet, State
from netinsight.guest.iptables.testing import Lies
from netinsight.guest.iptables.walk import Place, applied, by_policy, ended

MOST_PIECES = 256
"""Of what is left of a chain by RETURN and goto; what is in more is left to the walk."""
MOST_DEPTH = 100
"""Jumps and changes inside each other."""
WHOLE = Box(EVERY_PORT, EVERY_PORT)


class NotFixedError(Exception):
    """Something was asked that is not the same for all packets of the kind."""


class _Unfixed:
    """Stands for an address that is any: nobody may ask it anything."""

    def _asked(self, *_: object) -> NoReturn:
        raise NotFixedError

    __getattr__ = __eq__ = __lt__ = __le__ = __gt__ = __ge__ = _asked
    __hash__ = object.__hash__


ANY_ADDRESS = cast(Range, _Unfixed())


class Watched:
    """A packet that stands for its kind: knows which of its fields were asked, and has no address and no ports.

    Once it is closed no other field may be asked.
    """

    def __init__(self, packet: Packet) -> None:
        self._packet = packet
        self._known: frozenset[str] | None = None
        self.asked: set[str] = set()

    def close(self, known: frozenset[str]) -> None:
        """From now on these are what the packets have in common."""
        self._known = known

    def __getattr__(self, name: str) -> Any:
        """A field, as far as it is fixed."""
        names = ("state", "protocol", "tcp_flags", "icmp_type") if name == "conntrack" else (name,)
        if name in ("source", "destination", "ports") or (
            self._known is not None and not self._known.issuperset(names)
        ):
            raise NotFixedError
        self.asked.update(names)
        return getattr(self._packet, name)


class Piece(NamedTuple):
    """Packets: all of some addresses and a box of ports."""

    source: tuple[Range, ...]
    destination: tuple[Range, ...]
    box: Box


Reach = tuple[Piece, ...]
"""Disjoint pieces."""
EVERY_PACKET: Reach = (Piece(EVERYWHERE, EVERYWHERE, WHOLE),)


class Match(NamedTuple):
    """What a rule asks for: a product of sets, and what is not known about it."""

    source: tuple[Range, ...]
    destination: tuple[Range, ...]
    region: Region
    doubts: tuple[Doubt, ...]
    open: bool
    """A test looks at what is not fixed."""

    @property
    def every(self) -> bool:
        """Whether it holds for every packet."""
        return self.source is EVERYWHERE and self.destination is EVERYWHERE and self.region == (WHOLE,)


class Turned(NamedTuple):
    """What was taken one way, and where the other way begins."""

    doubts: tuple[Doubt, ...]
    usual: bool
    place: Place
    state: State


class Trail(NamedTuple):
    """A rule that matches and does not decide; it is met by those that no row before ``at`` took."""

    rule: Rule
    at: int
    told: bool
    """It stands in the trace."""
    open: bool = False
    """Whether it matches the walk must say."""
    turned: Turned | None = None


class _FullError(Exception):
    """There are more rows than there may be."""


class _Ends(Enum):
    PASSES = auto()
    LEAVES = auto()
    """The rest of the chain does not see what matched."""
    DECIDED = auto()
    """Rows above decide all that matched."""


class Flat:
    """The rows, and what each says.

    Attributes
    ----------
    table
        First match decides; its rows cover every packet.
    outcomes
        What each row says; None: ask the walk.
    trails, trail
        What is matched on the way, as rows of another table.
    """

    def __init__(self, chains: Mapping[str, Chain], protocol: int) -> None:
        self.chains, self.protocol = chains, (protocol, protocol)
        self.table, self.trail = Table(AddressSets()), Table(AddressSets())
        self.outcomes: list[Outcome | None] = []
        self.trails: list[Trail] = []
        self.most = 20_000 + 4 * sum(len(chain.rules) for chain in chains.values())
        self.depth = 0
        self.matches: dict[tuple[Rule, int], Match | None] = {}
        self.states: list[State] = []
        """They live as long as ``matches`` knows them by their identity."""

    def build(self, place: Place, state: State, first: Rule | None = None) -> Flat:
        """Rows for every packet that is at ``place``, or that ``first``, the rule before it, matches."""
        try:
            ends = _Ends.PASSES if first is None else self.target(first, place, state, EVERY_PACKET)
            if ends is _Ends.LEAVES:
                place = place._replace(at=len(place.chain.rules))
            if ends is not _Ends.DECIDED:
                self.way(place, state, EVERY_PACKET)
        except _FullError:
            self.rows(EVERY_PACKET, None, beyond=1)
        self.matches.clear()
        return self

    def way(self, place: Place, state: State, reach: Reach) -> None:
        """All that follows, to the end: every packet of ``reach`` is decided by the rows that are added."""
        chain, at, base, back = place
        while True:
            self.rules(Place(chain, at, base, back), state, reach)
            if not back:
                self.rows(reach, by_policy(base, state.stages[0]))
                return
            (chain, at), back = back[-1], back[:-1]

    def rules(self, place: Place, state: State, reach: Reach) -> None:
        """The rows of a chain from a rule on; what none decides falls off the chain."""
        if self.depth == MOST_DEPTH:
            self.rows(reach, None)
            return
        self.depth += 1
        chain, begin, base, back = place
        for at in range(begin, len(chain.rules)):
            rule = chain.rules[at]
            match = self.match(rule, state)
            met = () if match is None else _met(reach, match)
            if match is None or not met:
                continue
            if len(met) > MOST_PIECES or len(reach) > MOST_PIECES:
                self.rows(reach, None)
                break
            ends = self.matched(rule, match, Place(chain, at + 1, base, back), state, met)
            if ends is not _Ends.PASSES and match.every:
                break
            if ends is _Ends.LEAVES:
                reach = tuple(_without(reach, match))
        self.depth -= 1

    def match(self, rule: Rule, state: State) -> Match | None:
        """What a rule asks for; None where nothing can match it."""
        known = (rule, id(state))
        if known not in self.matches:
            self.states.append(state)
            self.matches[known] = _asked(rule, state)
        return self.matches[known]

    def matched(self, rule: Rule, match: Match, here: Place, state: State, met: Reach) -> _Ends:
        """A rule that matches, or may."""
        usual = None if match.open else usual_of(match.doubts)
        if not match.doubts and not match.open:
            return self.target(rule, here, state, met)
        if rule.target.kind is Kind.NOTHING and not rule.lists:
            if usual or match.open:
                self.met(met, Trail(rule, self.table.count, bool(usual), match.open))
            return _Ends.PASSES
        if usual is None:
            self.rows(met, None)
            return _Ends.DECIDED
        if state.explore:
            turned = Turned(match.doubts, usual, here, replace(state, explore=False))
            self.met(met, Trail(rule, self.table.count, False, turned=turned))
        return self.target(rule, here, state, met) if usual else _Ends.PASSES

    def target(self, rule: Rule, here: Place, state: State, met: Reach) -> _Ends:
        """A rule matches ``met``: what its target does."""
        target = rule.target
        if target.kind in (Kind.DROP, Kind.REJECT, Kind.UNKNOWN, Kind.ACCEPT):
            # an ACCEPT that changes the packet is the walk's
            plain = target.kind is not Kind.ACCEPT or not target.change
            self.rows(met, ended(rule, state.stages[0]).after((rule,) if rule.bidden else ()) if plain else None)
            return _Ends.DECIDED
        self.met(met, Trail(rule, self.table.count, rule.bidden))
        if target.kind is Kind.RETURN:
            return _Ends.LEAVES
        if target.kind in (Kind.JUMP, Kind.GOTO):
            back = here.back + (((here.chain, here.at),) if target.kind is Kind.JUMP else ())
            self.rules(Place(self.chains[target.chain], 0, here.base, back), state, met)
            return _Ends.PASSES if target.kind is Kind.JUMP else _Ends.LEAVES
        changed = applied(state, rule)
        if changed == state:
            return _Ends.PASSES
        if 2 * self.table.count > self.most:  # room is left for what stands behind
            self.rows(met, None)
        else:
            self.way(here, changed, met)
        return _Ends.DECIDED

    def rows(self, reach: Reach, outcome: Outcome | None, beyond: int = 0) -> None:
        """Packets that are decided."""
        if self.table.count + len(reach) > self.most + beyond:
            raise _FullError
        for piece in reach:
            self.table.add(self.row(piece, outcome is not None and outcome.verdict == "ACCEPT"))
            self.outcomes.append(outcome)

    def met(self, reach: Reach, trail: Trail) -> None:
        """Packets that a rule matches on their way."""
        if self.trail.count + len(reach) > self.most:
            raise _FullError
        for piece in reach:
            self.trail.add(self.row(piece, False))
            self.trails.append(trail)

    def row(self, piece: Piece, accepts: bool) -> Row:
        """A piece as a packed row."""
        return Row(piece.source, piece.destination, self.protocol, piece.box.source_ports, piece.box.ports, accepts)


def _asked(rule: Rule, state: State) -> Match | None:
    """Every test asked once, as ``Rule.matches`` does of a packet."""
    source: tuple[Range, ...] = EVERYWHERE
    destination: tuple[Range, ...] = EVERYWHERE
    region: Region = (WHOLE,)
    doubts: list[Doubt] = []
    unfixed = False
    for test in rule.tests:
        if isinstance(test, Lies):
            if test.source:
                source = _common(source, test.held)
            else:
                destination = _common(destination, test.held)
            if not source or not destination:
                return None
            continue
        try:
            answer = test(state)
        except NotFixedError:
            unfixed = True
            continue
        if answer is False:
            return None
        if isinstance(answer, Doubt):
            doubts.append(answer)
        elif answer is not True:
            region = intersect(region, answer)
            if not region:
                return None
    return Match(source, destination, region, tuple(doubts), unfixed)


def _common(one: tuple[Range, ...], other: tuple[Range, ...]) -> tuple[Range, ...]:
    if one is EVERYWHERE or one is other:
        return other
    return one if other is EVERYWHERE else common(one, other)


def _met(reach: Reach, match: Match) -> Reach:
    """What of ``reach`` a rule matches."""
    if match.every:
        return reach
    met = []
    for piece in reach:
        source, destination = _common(piece.source, match.source), _common(piece.destination, match.destination)
        if source and destination:
            met += [Piece(source, destination, box) for box in intersect((piece.box,), match.region)]
    return tuple(met)


def _without(reach: Reach, match: Match) -> Iterable[Piece]:
    """What of ``reach`` a rule does not match."""
    no_source, no_destination = outside(match.source), outside(match.destination)
    for piece in reach:
        if rest := common(piece.source, no_source):
            yield piece._replace(source=rest)
        source = _common(piece.source, match.source)
        if not source:
            continue
        if rest := common(piece.destination, no_destination):
            yield Piece(source, rest, piece.box)
        if destination := _common(piece.destination, match.destination):
            yield from (Piece(source, destination, box) for box in subtract((piece.box,), match.region))
