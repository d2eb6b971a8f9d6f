"""All pairs: every ENI, the Internet and every network outside, to every other, for a set of services.

::

    ENIs ─ classes that nothing tells apart ─ one of each asks one of each ─┬─ between two ENIs: kernels.inside_flows
             ▲                   for a service                             └─ what that leaves open: the walk
             └──────────── split by the sets of addresses that a walk looked at

The answer stays as classes × classes with their members; pairs are counted by their numbers and made when they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from netinsight.diagnosis.evaluate import Evaluator
from netinsight.diagnosis.matrix import NOT_ASKED, VERDICTS, Group, Matrix, Pairs, Service
from netinsight.engine import kernels
from netinsight.errors import QuestionError
from netinsight.flow import NO_PORT, PortRange, Question, has_ports
from netinsight.network.alike import GroupRows, Key, addresses_of, alike, described
from netinsight.network.ends import INTERNET, find_end
from netinsight.network.internet import address_sets
from netinsight.network.steps import Walk
from netinsight.network.trace import ECHO_REQUEST
from netinsight.network.ways.walker import Walker

_OPEN = 255
_CODES = {verdict.value: code for code, verdict in enumerate(VERDICTS)}
_TOLD = np.array([_CODES["reachable"], _CODES["unreachable"], _OPEN], dtype=np.uint8)
"""The code of each outcome of the kernel."""
_ALONE = 255
"""Two ends of which the kernel does not know what their groups say: each pair is walked for itself."""
_GROUP_STEPS = (kernels.AT_GROUP_OUT, kernels.AT_GROUP_IN)
MOST_BYTES = 4_000_000_000
_BLOCK = 1 << 20

Progress = Callable[[int, int], None]


def make_matrix(evaluator: Evaluator, services: Sequence[str], progress: Progress | None = None) -> Matrix:
    """Ask every pair.

    Parameters
    ----------
    services
        ``tcp/22``, ``udp/53``, ``icmp``; at least one.
    progress
        Told how many pairs of classes of a service are answered, of how many.

    Raises
    ------
    QuestionError
        For a service that cannot be asked, or an answer that would be too large: it says of what size.
    """
    asked = tuple(dict.fromkeys(Service.read(one) for one in services))
    if not asked:
        raise QuestionError("a matrix needs a service", hint="such as tcp/22")
    each: list[Pairs] = []
    for service in asked:
        left = MOST_BYTES - sum(one.codes.nbytes for one in each)
        each.append(_Making(evaluator, service, progress or (lambda done, every: None)).run(left))
    return Matrix(tuple(each))


class _Making:
    """All pairs of a service while they are made."""

    def __init__(self, evaluator: Evaluator, service: Service, progress: Progress) -> None:
        self.evaluator, self.network = evaluator, evaluator.network
        self.service, self.progress = service, progress
        self.pack = evaluator.packed_whole()
        self.rows = GroupRows(self.network, service.protocol, service.port)
        self.described = self.network.kept(("alike",), lambda: described(self.network))
        self.addresses = addresses_of(self.network)
        self.keys = {name: self.rows.key(interface) for name, interface in self.network.enis.items()}
        self.sets = {*self.rows.all_sets(), *(held for one in self.pack.filters for held in self.rows.sets(one))}
        self.beyond = {
            held for one in self.pack.filters for held in address_sets(one) if not self.rows.is_of_groups(one)
        }
        """The sets of addresses that lists look at which are no groups of an ENI."""
        self.whole: set[Key] = set()
        """What is said of ENIs whose groups must be told apart whole: a walk met them with other ports."""
        self.walked: dict[tuple[str, str], tuple[int, bool]] = {}

    def run(self, limit: int) -> Pairs:
        """Ask, and split what a walk has told apart, until nothing is."""
        groups = self.groups()
        while True:
            _check_size(len(groups), limit)
            known = len(self.sets), len(self.beyond)
            codes = self.of(groups)
            again = self.groups()
            if len(again) == len(groups) and known == (len(self.sets), len(self.beyond)):
                return Pairs(self.service.written, groups, codes, self.network, len(self.walked))
            groups = again

    def key(self, name: str) -> Key:
        """What tells an ENI apart, its address aside."""
        key = (self.described[name], self.keys[name])
        return (*key, repr(self.network.enis[name].eni.security_groups)) if key in self.whole else key

    def groups(self) -> tuple[Group, ...]:
        """The classes of ends as far as they are told apart now."""
        keys = {name: self.key(name) for name in self.network.enis}
        enis = (Group("eni", members) for members in alike(keys, self.addresses, self.sets))
        outside = (Group("network", (name,)) for name in self.network.topology.networks)
        return (*enis, Group("internet", (INTERNET,)), *outside)

    def of(self, groups: tuple[Group, ...]) -> NDArray[np.uint8]:
        """The codes of all pairs of classes."""
        codes = np.full((len(groups), len(groups)), _OPEN, dtype=np.uint8)
        said = np.full((len(groups), len(groups)), _ALONE, dtype=np.uint8)
        self.decide(groups, codes, said)
        ways = self.ways(groups)
        left = np.argwhere(codes == _OPEN)
        done = codes.size - len(left)
        alike_ways: dict[tuple[int, int, int], int] = {}
        for number, (a, b) in enumerate(left.tolist()):
            if number % 256 == 0:
                self.progress(done + number, codes.size)
            way = (ways[a], ways[b], int(said[a, b]))
            if a != b and said[a, b] != _ALONE and way in alike_ways:
                codes[a, b] = alike_ways[way]
                continue
            codes[a, b], straight = self.walk(groups[a], groups[b])
            if straight:
                alike_ways[way] = int(codes[a, b])
        self.progress(codes.size, codes.size)
        return codes

    def ways(self, groups: tuple[Group, ...]) -> list[int]:
        """Of each class a number: equal where but their own groups nothing tells their ENIs apart."""
        names = {group.members[0]: self.described.get(group.members[0], (group.members[0],)) for group in groups}
        addresses = {name: self.addresses.get(name, 0) for name in names}
        number_of = {name: n for n, members in enumerate(alike(names, addresses, self.beyond)) for name in members}
        return [number_of[group.members[0]] for group in groups]

    def decide(self, groups: tuple[Group, ...], codes: NDArray[np.uint8], said: NDArray[np.uint8]) -> None:
        """What the kernel says of pairs of ENIs, in blocks: verdicts, and where it leaves them open what the groups say."""
        ends = [find_end(self.network, group.members[0]) for group in groups]
        seconds = [find_end(self.network, group.members[1 if len(group) > 1 else 0]) for group in groups]
        sources = np.array([self.pack.number(end, asked_public=False) for end in ends], dtype=np.int64)
        targets = np.array([self.pack.number(end, asked_public=True) for end in ends], dtype=np.int64)
        others = np.array([self.pack.number(end, asked_public=True) for end in seconds], dtype=np.int64)
        plain_sources, plain_targets = np.flatnonzero(sources >= 0), np.flatnonzero(targets >= 0)
        rows = max(1, _BLOCK // max(1, len(plain_targets)))
        for begin in range(0, len(plain_sources), rows):
            some = plain_sources[begin : begin + rows]
            a, b = (one.reshape(-1) for one in np.meshgrid(some, plain_targets, indexing="ij"))
            target = np.where(a == b, others[b], targets[b])
            apart = np.flatnonzero(self.pack.apart(sources[a], target))
            a, b, target = a[apart], b[apart], target[apart]
            there, back = self.asked(sources[a], target)
            if has_ports(self.service.protocol):
                found = self.pack.decide(there, one_way=self.evaluator.one_way)[:, 0]
                codes[a, b] = _TOLD[found]
            judged = [there] if has_ports(self.service.protocol) else [there, back]  # an answer of a session passes
            told = np.stack([self.pack.groups_say(flows, step) for flows in judged for step in _GROUP_STEPS])
            numbers = (3 ** np.arange(len(told))) @ told
            said[a, b] = np.where((told == kernels.OPEN).any(axis=0), _ALONE, numbers)

    def asked(
        self, source: NDArray[np.int64], target: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Questions and answers between ENIs as the kernels take them; an answer's ports are those of the question."""
        same, protocol, port = np.ones(len(source), dtype=np.int64), self.service.protocol, self.service.port
        if has_ports(protocol):
            clients = self.pack.client_ports[source].T
            there = np.stack([source, target, same * protocol, *clients, same * port], axis=1)
            return there, np.stack([target, source, same * protocol, *clients, same * port], axis=1)
        kinds = (ECHO_REQUEST[protocol], 0) if protocol in ECHO_REQUEST else (NO_PORT.first, NO_PORT.first)
        none = same * NO_PORT.first
        there, back = (
            np.stack([*ends, same * protocol, none, none, same * kind], axis=1)
            for ends, kind in zip(((source, target), (target, source)), kinds, strict=True)
        )
        return there, back

    def walk(self, one: Group, other: Group) -> tuple[int, bool]:
        """What a walk says of two classes, asked of one of each; and whether it went straight, see ``_is_straight``."""
        src, dst = one.members[0], other.members[0]
        if src == dst:
            if len(one) < 2:
                return NOT_ASKED, False
            dst = other.members[1]
        if (src, dst) not in self.walked:
            try:
                self.walked[src, dst] = self.ask(src, dst)
            except QuestionError:
                self.walked[src, dst] = NOT_ASKED, False
        return self.walked[src, dst]

    def ask(self, src: str, dst: str) -> tuple[int, bool]:
        """The code of one question, with note of what its walk looked at."""
        ported = has_ports(self.service.protocol)
        ports = PortRange(self.service.port, self.service.port) if ported else None
        seen: list[Walker] = []
        question = Question(src, dst, self.service.protocol, ports, one_way=self.evaluator.one_way)
        said, walks = self.evaluator.walk(question, seen)
        own = {
            id(packed) for name in (src, dst) if name in self.keys for packed in self.rows.of(self.network.enis[name])
        }
        for walker in seen:
            looked = {held for packed in walker.consulted.values() for held in self.rows.sets(packed)}
            beyond = {
                held for packed in walker.consulted.values() if id(packed) not in own for held in address_sets(packed)
            }
            self.sets |= walker.address_sets | looked | beyond
            self.beyond |= walker.address_sets | beyond
        if ported and any(_other_ports(walk, self.service.port) for walk in walks):
            self.whole.update((self.described[name], self.keys[name]) for name in (src, dst) if name in self.keys)
        straight = (
            src in self.addresses and dst in self.addresses and all(self.is_straight(walk, src, dst) for walk in walks)
        )
        return _CODES[said.verdict], straight

    def is_straight(self, walk: Walk, src: str, dst: str) -> bool:
        """Whether only the groups of the two ends were met, and by what was asked: nothing was translated before them."""
        ends = (self.addresses[src], self.addresses[dst])
        for step in walk.forward:
            if step.stage.startswith("security_group.") and (
                step.object.id not in (src, dst) or (step.packet.source, step.packet.destination) != ends
            ):
                return False
        return not _other_ports(walk, self.service.port) if has_ports(self.service.protocol) else all(
            step.object.id in (src, dst) and (step.packet.destination, step.packet.source) == ends
            for step in walk.back if step.stage.startswith("security_group.")
        )  # fmt: skip


def _other_ports(walk: Walk, port: int) -> bool:
    """Whether groups judged other ports than those that were asked: translated ones, or an answer by their own rows."""
    forward = (step for step in walk.forward if step.stage.startswith("security_group."))
    back = (step for step in walk.back if step.stage.startswith("security_group."))
    return any(step.packet.box.ports != (port, port) for step in forward) or any(
        ruling.why.code != "group.session" for step in back for ruling in step.rulings
    )


def _check_size(classes: int, limit: int) -> None:
    """Refuse what memory would not hold, before anything is asked."""
    if classes * classes > limit:
        raise QuestionError(
            f"all pairs of {classes} classes of ends need {classes * classes / 1e9:.1f} GB for each service, more than "
            f"the {limit / 1e9:.1f} GB that are left of {MOST_BYTES / 1e9:.0f}",
            hint="ask for fewer services at a time",
        )
