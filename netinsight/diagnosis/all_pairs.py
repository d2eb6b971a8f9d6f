"""All pairs: every ENI, the Internet and every network outside, to every other, for a set of services.

::

    ENIs ─ classes that nothing tells apart ─ one of each asks one of each ─┬─ between two ENIs: kernels.inside_flows
             ▲                   for a service                             └─ what that leaves open: the walk
             └──────────── split by the sets of addresses that a walk looked at

The answer stays as classes × classes with their members; pairs are counted by their numbers and made when they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from netinsight.diagnosis.evaluate import Evaluator
from netinsight.diagnosis.matrix import NOT_ASKED, VERDICTS, Group, Matrix, Pairs, Service
from netinsight.engine import kernels
from netinsight.errors import QuestionError
from netinsight.flow import NO_PORT, PortRange, Question, has_ports
from netinsight.network.alike import GroupRows, Key, addresses_of, alike, described
from netinsight.network.ends import INTERNET
from netinsight.network.filters import Filter
from netinsight.network.inside import Inside
from netinsight.network.internet import address_sets
from netinsight.network.steps import Step, Walk
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
    pack = evaluator.packed_whole()
    for service in asked:
        left = MOST_BYTES - sum(one.codes.nbytes for one in each)
        each.append(_Making(evaluator, pack, service, progress or (lambda done, every: None)).run(left))
    return Matrix(tuple(each))


class _Making:
    """All pairs of a service while they are made."""

    def __init__(self, evaluator: Evaluator, pack: Inside, service: Service, progress: Progress) -> None:
        self.evaluator, self.network = evaluator, evaluator.network
        self.pack, self.service, self.progress = pack, service, progress
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
        self.noted, self.noted_beyond = dict[int, Filter](), dict[int, Filter]()
        """The lists, by their identity, whose sets are in ``sets``, and in ``beyond``; none goes while it is known by that."""
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
        ends = [self.evaluator.end(group.members[0]) for group in groups]
        seconds = [self.evaluator.end(group.members[1 if len(group) > 1 else 0]) for group in groups]
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
            judged = self.asked(sources[a], target)
            if has_ports(self.service.protocol):
                found = self.pack.outcomes(judged[0], one_way=self.evaluator.one_way)[:, 0]
                codes[a, b] = _TOLD[found]
            told = np.stack([self.pack.groups_say(flows, step) for flows in judged for step in _GROUP_STEPS])
            numbers = (3 ** np.arange(len(told))) @ told
            said[a, b] = np.where((told == kernels.OPEN).any(axis=0), _ALONE, numbers)

    def asked(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Questions between ENIs as the kernels take them; where no session lets the answers pass, these too."""
        same, protocol = np.ones(len(source), dtype=np.int64), self.service.protocol
        if has_ports(protocol):
            clients = self.pack.client_ports[source].T
            return [np.stack([source, target, same * protocol, *clients, same * self.service.port], axis=1)]
        kinds = (ECHO_REQUEST[protocol], 0) if protocol in ECHO_REQUEST else (NO_PORT.first, NO_PORT.first)
        none = same * NO_PORT.first
        return [
            np.stack([*ends, same * protocol, none, none, same * kind], axis=1)
            for ends, kind in zip(((source, target), (target, source)), kinds, strict=True)
        ]

    def walk(self, one: Group, other: Group) -> tuple[int, bool]:
        """What a walk says of two classes, asked of one of each; and whether it went straight, see ``is_straight``."""
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
            self.note(walker, own)
        translated = ported and any(_other_ports(walk, self.service.port) for walk in walks)
        if translated:
            self.whole.update((self.described[name], self.keys[name]) for name in (src, dst) if name in self.keys)
        between = src in self.addresses and dst in self.addresses and not translated
        return _CODES[said.verdict], between and all(self.is_straight(walk, src, dst) for walk in walks)

    def note(self, walker: Walker, own: set[int]) -> None:
        """The sets of addresses that a walk looked at; ``own`` are the lists of the two ends' groups."""
        self.sets |= walker.address_sets
        self.beyond |= walker.address_sets
        for key, packed in walker.consulted.items():
            if key not in self.noted:
                self.noted[key] = packed
                self.sets.update(self.rows.sets(packed))
            if key not in own and key not in self.noted_beyond:
                self.noted_beyond[key] = packed
                self.sets.update(address_sets(packed))
                self.beyond.update(address_sets(packed))

    def is_straight(self, walk: Walk, src: str, dst: str) -> bool:
        """Whether only the groups of the two ends were met, and by what was asked: nothing was translated before them."""
        ends = (self.addresses[src], self.addresses[dst])
        back = () if has_ports(self.service.protocol) else _of_groups(walk.back)  # an answer of a session passes
        met = [(step, (step.packet.source, step.packet.destination)) for step in _of_groups(walk.forward)]
        met += [(step, (step.packet.destination, step.packet.source)) for step in back]
        return all(step.object.id in (src, dst) and between == ends for step, between in met)


def _of_groups(steps: Iterable[Step]) -> Iterator[Step]:
    return (step for step in steps if step.stage.startswith("security_group."))


def _other_ports(walk: Walk, port: int) -> bool:
    """Whether groups judged other ports than those that were asked: translated ones, or an answer by their own rows."""
    return any(step.packet.box.ports != (port, port) for step in _of_groups(walk.forward)) or any(
        ruling.why.code != "group.session" for step in _of_groups(walk.back) for ruling in step.rulings
    )


def _check_size(classes: int, limit: int) -> None:
    """Refuse what memory would not hold, before anything is asked."""
    if classes * classes > limit:
        raise QuestionError(
            f"all pairs of {classes} classes of ends need {classes * classes / 1e9:.1f} GB for each service, more than "
            f"the {limit / 1e9:.1f} GB that are left of {MOST_BYTES / 1e9:.0f}",
            hint="ask for fewer services at a time",
        )
