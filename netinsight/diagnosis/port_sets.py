"""The exact set of protocols and ports that pass between two ends: the answer to a question about every port, in pieces.

::

    question about every port ─ diagnose.walked ─ walks ─ cut where any ruling ends ─┬─ verdict of each piece
                                                                                    └─ a packet of it, and its rules

Within a piece nothing tells two ports apart, so what is said of it holds for each of its ports, as ``diagnose`` says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple

from netinsight.addresses import Range
from netinsight.diagnosis.case import Case, Result, Role, Side, Status
from netinsight.diagnosis.catalogue import Catalogue
from netinsight.diagnosis.checks import service
from netinsight.diagnosis.diagnose import judge, walked
from netinsight.diagnosis.verdict import Answer, bounds
from netinsight.engine.classify import Decision
from netinsight.engine.spaces import Box, common, joined, overlap, without
from netinsight.flow import LAST_PORT, TCP, PortRange, Question, Verdict, has_ports
from netinsight.network.build import Network
from netinsight.network.steps import Ruling, Step, Walk
from netinsight.network.ways.walker import Walker

ALL_PORTS = PortRange(1, LAST_PORT)
Listening = Literal["yes", "no", "some", "unknown"]
TOO_MANY = "route.too_many"
SERVICE_ITEMS = ("service.", "ssh.")
"""The items that say whether somebody answers, not whether the packet comes through."""


class Asking(NamedTuple):
    """Of what, at which moment, and how questions are asked.

    Attributes
    ----------
    looked
        Takes every set of addresses that something on the way looked at.
    """

    network: Network
    catalogue: Catalogue
    at: datetime
    with_guest: bool = True
    of_many: bool = False
    looked: set[tuple[Range, ...]] | None = None

    def case(self, question: Question) -> Case:
        """A question with its walks."""
        seen: list[Walker] = []
        case = walked(self.network, question, self.at, self.catalogue, self.with_guest, self.of_many, seen)
        if self.looked is not None:
            self.looked.update(*(walker.sets() for walker in seen))
        return case


class Point(NamedTuple):
    """One packet on a walk: its client port, its port, and whether it passes whatever way the cloud chooses."""

    walk: Walk
    source_port: int
    port: int
    always: bool


class Piece(NamedTuple):
    """Ports that nothing tells apart.

    Attributes
    ----------
    network, verdict
        What becomes of them by the network and the guests' firewalls; and with what listens there.
    listening
        Whether a process listens; None where the protocol has no ports.
    hosts
        Of a question about many hosts, those for which they pass; None where for all.
    walks
        Those on which they pass, or may.
    point
        A packet that passes; None where it is not known whether any does.
    """

    ports: PortRange
    network: Verdict
    verdict: Verdict
    listening: Listening | None
    hosts: tuple[Range, ...] | None
    walks: tuple[Walk, ...]
    point: Point | None
    rules: tuple[tuple[Step, Ruling], ...]

    @property
    def fate(self) -> object:
        """What two pieces share that are told as one."""
        rules = tuple((step.stage, step.object, ruling.origin) for step, ruling in self.rules)
        always = self.point.always if self.point else None
        return self.network, self.verdict, self.listening, self.hosts, always, rules


class Judged:
    """A question about a range of ports, judged, and cut into pieces."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.results = judge(case)
        self._network_only = [one for one in self.results if not one.item.startswith(SERVICE_ITEMS)]
        self._by_network = bounds(case, self._network_only)
        silent = any(one.status is Status.ABNORMAL for one in self._of_services)
        self._by_all = bounds(case, self.results) if silent else self._by_network

    @cached_property
    def is_cut_short(self) -> bool:
        """Whether there were more choices than are walked: of fewer ports there may be few enough."""
        return any(ruling.why.code == TOO_MANY for walk in self.case.walks for step in walk.steps
                   for ruling in step.rulings)  # fmt: skip

    def pieces(self) -> list[Piece]:
        """The ports of which some pass, or may; neighbours of one fate as one."""
        found = [self._piece(ports) for ports in self._cut() if self._open(ports.first)]
        return list(_together(found))

    def passes(self) -> list[PortRange]:
        """The ports that pass the network, or may, for somebody."""
        return joined([*self._by_network[1].every, *self._by_network[1].some])

    def not_known(self, piece: Piece) -> list[Result]:
        """The items that leave a piece open."""
        unknown = [result for result in self.results if result.status is Status.UNKNOWN]
        return [one for one in unknown if not one.parts or _are_about(one.parts, piece.ports.first)]

    def _open(self, port: int) -> bool:
        return _at(self._by_network, port) is not Verdict.UNREACHABLE

    def _cut(self) -> Iterator[PortRange]:
        """The ports asked, cut wherever anything begins or ends."""
        whole = self.case.box.ports
        ranges = {box.ports for walk in self.case.walks for box in (walk.box, *_boxes(walk))}
        ranges |= {box.ports for result in self.results for box in result.stops}
        ranges |= {one for listening in self._listening for side_ranges in listening.ranges for one in side_ranges}
        edges = {edge for first, last in ranges for edge in (first, last + 1) if whole.first < edge <= whole.last}
        cuts = [whole.first, *sorted(edges), whole.last + 1]
        yield from (PortRange(first, after - 1) for first, after in pairwise(cuts))

    def _piece(self, ports: PortRange) -> Piece:
        port = ports.first
        verdict = _at(self._by_all, port)
        reached = verdict in (Verdict.REACHABLE, Verdict.PARTIAL)
        results = self.results if reached else self._network_only
        network = _at(self._by_network, port)
        certain = network in (Verdict.REACHABLE, Verdict.PARTIAL)
        ways = [_Way(walk, port, self._stopped(walk, results), unknown_passes=not certain)
                for walk in self.case.walks if _holds(walk.box.ports, port)]  # fmt: skip
        carrying = tuple(way.walk for way in ways if way.carries)
        point = _point(ways, port) if certain else None
        rules = tuple(_rules(point)) if point else ()
        hosts = self._hosts(carrying, ways)
        return Piece(
            ports, network, verdict, self._heard(port, ports, carrying, results), hosts, carrying, point, rules
        )

    def _stopped(self, walk: Walk, results: list[Result]) -> list[Box]:
        return [box for result in results if result.status is Status.ABNORMAL and result.concerns(walk)
                for box in result.stops]  # fmt: skip

    def _hosts(self, carrying: tuple[Walk, ...], ways: list[_Way]) -> tuple[Range, ...] | None:
        hosts = {walk.hosts for walk in carrying}
        if hosts == {way.walk.hosts for way in ways}:
            return None
        return tuple(piece for one in hosts for piece in one)

    # ------------------------------------------------------------------ what listens

    @cached_property
    def _listening(self) -> list[_Listening]:
        """What is known of the processes at each end that is arrived at."""
        if not has_ports(self.case.question.protocol):
            return []
        return [_listening(self.case, side) for side in self.case.sides if side.role is Role.DESTINATION]

    def _heard(
        self, port: int, ports: PortRange, carrying: tuple[Walk, ...], results: list[Result]
    ) -> Listening | None:
        """What listens on a port, wherever it is carried to."""
        if not has_ports(self.case.question.protocol) or not self._listening:
            return None
        said: set[Listening] = set()
        for walk in carrying:
            if any(_holds(box.ports, port) for box in self._stopped(walk, self._of_services)):
                said.add("no")
                continue
            said |= {one.at(port) for one in self._listening if one.concerns(walk)} or {"unknown"}
        if len(said) == 1:
            return said.pop()
        return "some" if said == {"yes", "no"} else "unknown"

    @cached_property
    def _of_services(self) -> list[Result]:
        return [result for result in self.results if result.item.startswith(SERVICE_ITEMS)]


class _Listening(NamedTuple):
    """Which ports of the question are listened on at an end, and which not; of the others nobody knows."""

    walks: tuple[Walk, ...]
    open: list[PortRange]
    closed: list[PortRange]

    @property
    def ranges(self) -> tuple[list[PortRange], list[PortRange]]:
        return self.open, self.closed

    def concerns(self, walk: Walk) -> bool:
        return not self.walks or any(one is walk for one in self.walks)

    def at(self, port: int) -> Listening:
        if any(_holds(one, port) for one in self.open):
            return "yes"
        return "no" if any(_holds(one, port) for one in self.closed) else "unknown"


def _listening(case: Case, side: Side) -> _Listening:
    guest = side.guest
    if case.guest_gap(side.instance) or guest is None or guest.listening is None:
        return _Listening(side.walks, [], [])
    found = service.heard(case, side, guest, guest.listening)
    asked, closed = ([PortRange(first - side.shift, last - side.shift) for first, last in one]
                     for one in (found.open, found.closed))  # fmt: skip
    return _Listening(side.walks, asked, closed)


class _Way:
    """What becomes of one port on one walk: the client ports that pass, on each leg."""

    def __init__(self, walk: Walk, port: int, stopped: list[Box], *, unknown_passes: bool) -> None:
        self.walk = walk
        decisions = (Decision.ACCEPT, Decision.UNKNOWN) if unknown_passes else (Decision.ACCEPT,)
        self.clients = without([walk.box.source_ports], [b.source_ports for b in stopped if _holds(b.ports, port)])
        self.others_whole = self.others_some = True
        for leg, box in enumerate((walk.box, *walk.legs)):
            left = self.clients if leg == 0 else [box.source_ports]
            for step in walk.steps:
                if step.leg == leg:
                    left = common(left, [b.source_ports for b in step.where(*decisions) if _holds(b.ports, port)])
            if leg == 0:
                self.clients = left
            else:
                self.others_whole &= left == [box.source_ports]
                self.others_some &= bool(left)

    @property
    def carries(self) -> bool:
        """Whether anything passes."""
        return bool(self.clients) and self.others_some


def _point(ways: list[_Way], port: int) -> Point | None:
    """A packet that passes on every walk that it may take; where there is none, one that passes on some."""
    for hosts in dict.fromkeys(way.walk.hosts for way in ways):
        alike = [way for way in ways if way.walk.hosts == hosts]
        clients = alike[0].clients
        for way in alike[1:]:
            clients = common(clients, way.clients)
        if clients and all(way.others_whole for way in alike):
            return Point(alike[0].walk, clients[0].first, port, always=True)
    some = next((way for way in ways if way.carries), None)
    return Point(some.walk, some.clients[0].first, port, always=False) if some else None


def _rules(point: Point) -> Iterator[tuple[Step, Ruling]]:
    """What each stage of the walk lets the packet through by."""
    legs = (point.walk.box, *point.walk.legs)
    for step in point.walk.steps:
        box = legs[step.leg]
        client = point.source_port if step.leg == 0 else box.source_ports.first
        for ruling in step.rulings:
            if _holds(ruling.box.ports, point.port) and _holds(ruling.box.source_ports, client) and ruling.origin:
                yield step, ruling
                break


def _boxes(walk: Walk) -> Iterator[Box]:
    yield from (ruling.box for step in walk.steps for ruling in step.rulings)


def _are_about(parts: Iterable[tuple[Ruling, Walk]], port: int) -> bool:
    return any(_holds(ruling.box.ports, port) for ruling, _ in parts)


def _holds(ports: PortRange, port: int) -> bool:
    return ports.first <= port <= ports.last


def _at(said: tuple[Answer, Answer], port: int) -> Verdict:
    """What ``diagnose`` says of one port."""
    verdicts = {_of(one, port) for one in said}
    return verdicts.pop() if len(verdicts) == 1 else Verdict.UNDETERMINED


def _of(said: Answer, port: int) -> Verdict:
    if any(_holds(one, port) for one in said.every):
        return Verdict.REACHABLE
    return Verdict.PARTIAL if any(_holds(one, port) for one in said.some) else Verdict.UNREACHABLE


def _together(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Neighbours of one fate as one, with the packet and the walks of the first."""
    last: Piece | None = None
    for piece in pieces:
        if last and last.ports.last + 1 == piece.ports.first and last.fate == piece.fate:
            last = last._replace(ports=PortRange(last.ports.first, piece.ports.last))
            continue
        if last:
            yield last
        last = piece
    if last:
        yield last


# ------------------------------------------------------------------------------------------------------------ questions


def ask(asking: Asking, question: Question) -> list[Judged]:
    """A question about a range of ports, in as few parts as say of each port what a question about it alone says."""
    return [judged for part in _apart(asking, question) for judged in _ask(asking, part)]


def _ask(asking: Asking, question: Question) -> list[Judged]:
    judged, ports = Judged(asking.case(question)), question.ports
    if not judged.is_cut_short or ports is None or ports.first == ports.last:
        return [judged]
    middle = (ports.first + ports.last) // 2
    halves = (PortRange(ports.first, middle), PortRange(middle + 1, ports.last))
    return [one for half in halves for one in _ask(asking, _with(question, half))]


def _apart(asking: Asking, question: Question) -> Iterator[Question]:
    """Of a guest whose kind is not known either login port is judged, of one question only one."""
    ports = question.ports
    either = asking.network.kept(("guests of either kind",), lambda: _of_either_kind(asking.network))
    if ports is None or question.protocol != TCP or not either:
        yield question
        return
    left = [ports]
    for port in sorted(asking.catalogue.login_ports.values())[:-1]:
        before = overlap(left[-1], PortRange(1, port))
        after = overlap(left[-1], PortRange(port + 1, LAST_PORT))
        left[-1:] = [part for part in (before, after) if part]
    yield from (_with(question, part) for part in left)


def _of_either_kind(network: Network) -> bool:
    instances = network.topology.instances.values()
    return any(one.guest and one.guest.sshd and one.os is None for one in instances)


def _with(question: Question, ports: PortRange) -> Question:
    return Question(question.source, question.destination, question.protocol, ports, question.source_ports,
                    question.icmp_type, question.family, question.one_way)  # fmt: skip
