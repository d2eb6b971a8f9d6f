"""A packet's way through the chains, for all ports of a box at once and for every world that is not known apart."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import NamedTuple

from netinsight.addresses import parse_prefix
from netinsight.engine.spaces import Region
from netinsight.guest.iptables.names import SOURCE_NAT, WAYS, Stage
from netinsight.guest.iptables.outcome import UNKNOWN, Outcome, Outcomes, after, either_way, taken, usual_of
from netinsight.guest.iptables.rules import Chain, Kind, Rule, Table, Target
from netinsight.guest.iptables.state import Answer, Belief, Doubt, State
from netinsight.guest.iptables.targets import changed

MOST_STEPS = 20_000
"""Worlds that are followed before an answer is left open."""


class Place(NamedTuple):
    """Where a packet is: the chain, the next rule in it, and where a return leads."""

    chain: Chain
    at: int
    base: Chain
    back: tuple[tuple[Chain, int], ...] = ()

    def outer(self) -> Place:
        """The same in the chain that was written: after the rule whose steps an inline chain holds."""
        if not self.chain.inline:
            return self
        (chain, at), back = self.back[-1], self.back[:-1]
        return Place(chain, at, self.base, back)

    def into(self, chain: Chain) -> Place:
        """The begin of a chain that leads back here."""
        return Place(chain, 0, self.base, (*self.back, (self.chain, self.at)))

    def past(self, rule: Rule) -> Place:
        """Where a packet goes on that ``rule`` matched and did not stop."""
        outer = self.outer()
        return outer if rule.then is None else outer.into(rule.then)


class Leg(NamedTuple):
    """A part of the way that is asked for: from a place, or through a rule first, or into the next table."""

    place: Place
    state: State
    region: Region
    rule: Rule | None = None
    """Its target is applied first."""
    leave: bool = False
    """The table is passed."""


Walking = Generator[Leg, Outcomes, Outcomes]


class Walk:
    """One question's walk."""

    def __init__(self, tables: Mapping[str, Table], stages: Callable[[str], tuple[Stage, ...]]) -> None:
        self.tables, self.stages = tables, stages
        self.known: dict[Leg, Outcomes] = {}
        self.steps = 0
        self.routing = _routing_table()

    def run(self, state: State) -> Outcomes:
        """What becomes of all packets of ``state``."""
        state = entering(state)
        leg = Leg(self.start(state), state, (state.whole,))
        waiting: list[tuple[Leg, Walking]] = [(leg, self.follow(leg))]
        answer: Outcomes | None = None
        while True:
            leg, walking = waiting[-1]
            try:
                asked = walking.send(answer) if answer is not None else next(walking)
            except StopIteration as done:
                waiting.pop()
                answer = self.known[leg] = done.value
                if not waiting:
                    return answer
                continue
            answer = self.known.get(asked)
            if answer is None:
                waiting.append((asked, self.follow(asked)))

    def start(self, state: State) -> Place:
        """The first rule of the chain that a hook begins with."""
        hook, name, first, kind = state.stages[0]
        table = self.routing if kind == "routing" else self.tables.get(name, Table(name))
        passed = kind == "nat" and (not state.opens() or state.bound())
        chain = (None if passed else table.chains.get(first)) or Chain(hook, policy="ACCEPT")
        return Place(chain, 0, chain)

    def follow(self, leg: Leg) -> Walking:
        """From a leg's begin to the end of the whole way."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            note = f"more than {MOST_STEPS} worlds of what is not known: left open"
            return [(box, Outcome(UNKNOWN, leg.rule, notes=(note,))) for box in leg.region]
        if leg.leave:
            return (yield from self.next_table(leg))
        if leg.rule is not None:
            return (yield from self.through(leg))
        return (yield from self.chain(leg))

    def chain(self, leg: Leg) -> Walking:
        """Rule after rule; what splits off is followed apart."""
        (chain, at, base, back), state, region = leg.place, leg.state, leg.region
        trace: tuple[Rule, ...] = ()
        found: Outcomes = []
        while region:
            if at == len(chain.rules):
                if not back:
                    found += after((yield from self.policy(Place(chain, at, base), state, region)), trace)
                    break
                (chain, at), back = back[-1], back[:-1]
                continue
            rule = chain.rules[at]
            at += 1
            hit, rest, doubts = rule.matches(state, region)
            if not hit:
                continue
            here = Place(chain, at, base, back)
            if doubts:
                found += after((yield from self.doubted(rule, doubts, here, state, hit)), trace)
                region = rest
                continue
            quiet = rule.target.kind in (Kind.NOTHING, Kind.CHANGE)
            if rest or not quiet:
                found += after((yield Leg(here, state, hit, rule)), trace)
                region = rest
                continue
            trace += (rule,) if rule.bidden else ()
            state = applied(state, rule)
            chain, at, base, back = here.past(rule)
        return found

    def doubted(self, rule: Rule, doubts: tuple[Doubt, ...], here: Place, state: State, hit: Region) -> Walking:
        """Whether the rule matches is not known: both ways."""
        usual = usual_of(doubts)
        plain = not rule.lists and rule.then is None and not here.chain.inline
        if rule.target.kind is Kind.NOTHING and plain:  # the packet goes on as it is in either case
            rest = yield Leg(here, state, hit)
            return after(rest, (rule,)) if usual else rest
        if usual is not None and not state.explore:
            return (yield Leg(here, state, hit, rule if usual else None))
        if usual is not None:
            alone = replace(state, explore=False)
            main = yield Leg(here, state, hit, rule if usual else None)
            other = yield Leg(here, alone, hit, None if usual else rule)
            return taken(rule, doubts, main, other, usual)
        matched = yield Leg(here, _believing(state, doubts, True), hit, rule)
        skipped = yield Leg(here, _believing(state, doubts, False), hit)
        return either_way(rule, doubts, matched, skipped, state.stages[0])

    def through(self, leg: Leg) -> Walking:
        """A rule matched: what its target does."""
        rule, place, region = leg.rule, leg.place, leg.region
        assert rule is not None
        target, trace = rule.target, (rule,) if rule.bidden else ()
        state = applied(leg.state, rule)
        if target.kind in (Kind.DROP, Kind.REJECT, Kind.UNKNOWN):
            end = replace(ended(rule, state.stages[0]), state=state if target.kind is not Kind.UNKNOWN else None)
            return after([(box, end) for box in region], trace)
        if target.kind is Kind.ACCEPT:
            return after((yield from self.accepted(place, state, region, ended(rule, state.stages[0]))), trace)
        if target.kind is Kind.RETURN:
            place = place.outer()
            if place.back:
                (chain, at), back = place.back[-1], place.back[:-1]
                return after((yield Leg(Place(chain, at, place.base, back), state, region)), trace)
            return after((yield from self.policy(place, state, region)), trace)
        if target.kind in (Kind.JUMP, Kind.GOTO):
            place = place.outer()
            chain = self.tables[state.table].chains[target.chain]
            place = place.into(chain) if target.kind is Kind.JUMP else Place(chain, 0, place.base, place.back)
        else:
            place = place.past(rule)
        return after((yield Leg(place, state, region)), trace)

    def policy(self, place: Place, state: State, region: Region) -> Walking:
        """The end of a chain that is built in."""
        end = by_policy(place.base, state.stages[0])
        if end.verdict == "DROP":
            return [(box, replace(end, state=state)) for box in region]
        return (yield from self.accepted(place, state, region, end))

    def accepted(self, place: Place, state: State, region: Region, end: Outcome) -> Walking:
        """A table is passed; of all tables the filter tells what accepted."""
        rest = yield Leg(Place(place.base, 0, place.base), state, region, None, True)
        found = []
        for box, outcome in rest:
            if outcome.verdict == "ACCEPT" and end.weight > outcome.weight:
                outcome = replace(outcome, rule=end.rule, chain=end.chain, stage=end.stage)
            found.append((box, outcome))
        return found

    def next_table(self, leg: Leg) -> Walking:
        """Into the table that comes next, or out."""
        state = self.advanced(leg.state)
        if not state.stages:
            return [(box, Outcome("ACCEPT", state=state)) for box in leg.region]
        return (yield Leg(self.start(state), state, leg.region))

    def advanced(self, state: State) -> State:
        """After a table; between PREROUTING and what follows, routing looks at where the packet goes now."""
        state = _as_its_connection(state)
        before, rest = state.hook, state.stages[1:]
        if before == "PREROUTING" and (not rest or rest[0].hook != "PREROUTING"):
            if state.packet.chain == "INPUT" and _sent_elsewhere(state):
                return replace(state, stages=(_ROUTING, *rest))
            if state.packet.chain == "FORWARD" and state.is_own():
                rest = tuple(one for one in self.stages("INPUT") if one.hook == "INPUT")
        if before == "ROUTING" and state.rerouted:
            rest = tuple(one for one in self.stages("FORWARD") if one.hook in WAYS["FORWARD"][1:])
        state = replace(state, stages=rest)
        return entering(state) if rest and rest[0].hook != before else state


def ended(rule: Rule, stage: Stage) -> Outcome:
    """What a rule says that ends the way through a table."""
    target = rule.target
    if target.kind is Kind.UNKNOWN:
        note = f"{rule.place}: the {'statement' if rule.handle else 'target'} `{target.name}` is not modelled"
        return Outcome(UNKNOWN, rule, None, stage, notes=(note,))
    return Outcome(target.kind.name, rule, None, stage, target.reply)


def by_policy(base: Chain, stage: Stage) -> Outcome:
    """What the end of a chain that is built in says."""
    return Outcome(base.policy or "ACCEPT", None, base, stage)


def entering(state: State) -> State:
    """A packet that is forwarded has lived one hop longer before FORWARD sees it."""
    ttl = state.number("ttl")
    return state.with_number("ttl", max(0, ttl - 1)) if state.hook == "FORWARD" and ttl is not None else state


def applied(state: State, rule: Rule) -> State:
    """A rule matched: the lists it enters, what its target changes."""
    if rule.lists:
        seen = set(state.seen)
        for name, entered in rule.lists:
            (seen.add if entered else seen.discard)(name)
        state = replace(state, seen=frozenset(seen))
    return changed(state, rule.target)


def _as_its_connection(state: State) -> State:
    """After the table nat, a packet of a connection that is there is translated as its first one was."""
    connection = state.packet.connection
    if state.kind != "nat" or connection is None or state.opens() or state.conntrack == "UNTRACKED":
        return state
    if state.hook in SOURCE_NAT and (new := connection.new_source):
        return replace(state, source=new.addresses, source_ports=new.ports or state.source_ports)
    if state.hook not in SOURCE_NAT and (new := connection.new_destination):
        return replace(state, destination=new.addresses, ports=new.ports or state.ports)
    return state


def _believing(state: State, doubts: tuple[Doubt, ...], matched: bool) -> State:
    """What a world takes the facts to be in which a rule matches, or does not."""
    if not matched and len(doubts) > 1:
        return state
    new = {Belief(b[0], b[1], matched != b[2]) for doubt in doubts if (b := doubt.belief) is not None}
    return replace(state, beliefs=state.beliefs | new) if new else state


_LOOPBACK = (parse_prefix("127.0.0.0/8"), parse_prefix("::1/128"))


def _sent_elsewhere(state: State) -> bool:
    """Whether a destination was translated to an address that may be another machine's."""
    where, asked = state.destination, state.packet.destination
    if "DNAT" not in state.translated or where == (asked, asked):
        return False
    return not any(one.first <= where.first and where.last <= one.last for one in _LOOPBACK)


_ROUTING = Stage("ROUTING", "routing", "ROUTING", "routing")


def _routing_table() -> Table:
    """The step after PREROUTING as a chain of one rule: whether the new destination is this machine, nobody said."""
    doubt = Doubt("destination after translation", None, "whether it is an address of this machine is not known")

    def elsewhere(state: State) -> Answer:
        own = state.is_own()
        return doubt if own is None else not own

    target = Target(Kind.ACCEPT, "routing", change="forward")
    text = "routing to another machine after translation"
    rule = Rule("routing", "ROUTING", text, 0, (elsewhere,), target, (), False)
    return Table("routing", {"ROUTING": Chain("ROUTING", (rule,), "ACCEPT")})
