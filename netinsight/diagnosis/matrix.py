"""All pairs: every ENI, the Internet and every network outside, to every other, for a set of services.

::

    ENIs ─ classes that nothing tells apart ─ one of each asks one of each ─┬─ between two ENIs: kernels.inside_flows
             ▲                                                             └─ what that leaves open: the walk
             └──────────── split by the sets of addresses that a walk looked at

The answer stays as classes × classes with their members; pairs are counted by their numbers and made when they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from netinsight.diagnosis.evaluate import Evaluator
from netinsight.engine import kernels
from netinsight.errors import QuestionError, did_you_mean, visible
from netinsight.flow import Verdict, has_ports, parse_ports, parse_protocol
from netinsight.network.alike import alike
from netinsight.network.build import Network
from netinsight.network.ends import INTERNET, find_end

VERDICTS = (Verdict.REACHABLE, Verdict.PARTIAL, Verdict.UNREACHABLE, Verdict.UNDETERMINED)
NOT_ASKED = len(VERDICTS)
"""The code of two ends of which no question can be asked: one ENI or instance, or both outside."""
_OPEN = 255
_CODES = {verdict.value: code for code, verdict in enumerate(VERDICTS)}
MOST_BYTES = 4_000_000_000
_BLOCK = 1 << 20

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Service:
    """A protocol, and its port where it has one."""

    protocol: int
    port: int
    written: str

    @classmethod
    def read(cls, written: str) -> Service:
        """``tcp/22``, ``udp/53``, ``icmp``, ``gre``.

        Raises
        ------
        QuestionError
            For anything else, and for a range of ports: its ports may differ, each is a service.
        """
        word, slash, ports = written.strip().partition("/")
        protocol = parse_protocol(word)
        if not has_ports(protocol):
            if slash and ports != "-1":
                raise QuestionError(f"service `{visible(written)}`: {word} has no ports")
            return cls(protocol, -1, word.lower())
        if not ports:
            raise QuestionError(f"service `{visible(written)}` needs a port", hint=f"such as {word}/22")
        asked = parse_ports(ports, "port")
        if asked is None or asked.first != asked.last:
            raise QuestionError(
                f"service `{visible(written)}` is a range of ports", hint="name each port as a service of its own"
            )
        return cls(protocol, asked.first, f"{word.lower()}/{asked.first}")


@dataclass(frozen=True, slots=True)
class Group:
    """Ends that are asked as one: ENIs that nothing tells apart, ``internet``, or a network outside."""

    type: str
    members: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.members)


@dataclass(frozen=True)
class Matrix:
    """The verdict of every pair of ends, for each service.

    Attributes
    ----------
    services
        As they were asked: ``tcp/22``.
    groups
        The classes of ends, in the order of the topology; each end is a member of one.
    verdicts : uint8, shape (services, classes, classes)
        From the one to the other: a number of ``VERDICTS``, or ``NOT_ASKED``. Of a class to itself: of two members.
    walked
        How many pairs of classes were answered by a walk, and not by the kernel.
    """

    services: tuple[str, ...]
    groups: tuple[Group, ...]
    verdicts: NDArray[np.uint8]
    network: Network = field(repr=False)
    walked: int = 0

    @cached_property
    def group_of(self) -> dict[str, int]:
        """The class of an end, by its id."""
        return {member: number for number, group in enumerate(self.groups) for member in group.members}

    @cached_property
    def _pairs(self) -> NDArray[np.int64]:
        """How many pairs of ends two classes are."""
        sizes = np.array([len(group) for group in self.groups], dtype=np.int64)
        pairs: NDArray[np.int64] = np.multiply.outer(sizes, sizes)
        pairs[np.diag_indices(len(sizes))] = sizes * (sizes - 1)
        return pairs

    def counts(self, service: str | None = None) -> dict[str, int]:
        """How many pairs have each verdict, of one service or all; those that none has are left out."""
        which = self.verdicts if service is None else self.verdicts[[self.number(service)]]
        found = {}
        for code, verdict in enumerate(VERDICTS):
            number = sum(int(self._pairs[one == code].sum()) for one in which)
            if number:
                found[verdict.value] = number
        return found

    def number(self, service: str) -> int:
        """The place of a service in ``services``.

        Raises
        ------
        QuestionError
            For one that was not asked.
        """
        if service not in self.services:
            hint = did_you_mean(service, self.services) or f"asked: {', '.join(self.services)}"
            raise QuestionError(f"the matrix has no service `{visible(service)}`", hint=hint)
        return self.services.index(service)

    def verdict(self, src: str, dst: str, service: str) -> Verdict | None:
        """The verdict of one pair; None where no question can be asked of it.

        Raises
        ------
        QuestionError
            For an end or a service that the matrix has not.
        """
        a, b = self.end(src), self.end(dst)
        code = NOT_ASKED if a == b else int(self.verdicts[self.number(service), self.group_of[a], self.group_of[b]])
        return None if code == NOT_ASKED else VERDICTS[code]

    def end(self, written: str) -> str:
        """The end that an id, a name or an address means.

        Raises
        ------
        QuestionError
            For one that the matrix has not.
        """
        if written in self.group_of:
            return written
        end = find_end(self.network, written)
        found = end.interface.id if end.interface else end.holder[1] if end.holder else ""
        if found not in self.group_of:
            raise QuestionError(f"`{visible(written)}` is no end of the matrix: an ENI, internet or a network outside")
        return found

    def row(self, src: str, service: str) -> NDArray[np.uint8]:
        """The codes from one end to every class; its own class's are of its other members."""
        row: NDArray[np.uint8] = self.verdicts[self.number(service), self.group_of[self.end(src)]]
        return row

    def reaches(self, src: str, service: str, verdict: Verdict = Verdict.REACHABLE) -> Iterator[str]:
        """The ends that one reaches, in the order of the classes."""
        own = self.end(src)
        yield from self._members(self.row(own, service), own, verdict)

    def who_reaches(self, dst: str, service: str, verdict: Verdict = Verdict.REACHABLE) -> Iterator[str]:
        """The ends that reach one, in the order of the classes."""
        own = self.end(dst)
        yield from self._members(self.verdicts[self.number(service), :, self.group_of[own]], own, verdict)

    def _members(self, codes: NDArray[np.uint8], own: str, verdict: Verdict) -> Iterator[str]:
        for number in np.flatnonzero(codes == VERDICTS.index(verdict)).tolist():
            yield from (member for member in self.groups[number].members if member != own)

    def pairs(self, service: str, verdict: Verdict = Verdict.REACHABLE) -> Iterator[tuple[str, str]]:
        """Every pair of ends with a verdict, one after the other."""
        for src in self.group_of:
            for dst in self.reaches(src, service, verdict):
                yield src, dst

    def labels(self, by: str) -> list[str]:
        """What each class belongs to: its ``vpc``, ``vswitch``, ``group``, ``name`` or ``tag:KEY``.

        A class whose members have several names or tags is of the first; outside the VPCs each end stands for itself.

        Raises
        ------
        QuestionError
            For anything else.
        """
        known = ("class", "vpc", "vswitch", "group", "name")
        if by not in known and not by.startswith("tag:"):
            raise QuestionError(
                f"`{visible(by)}` is not {', '.join(known)} or tag:KEY",
                hint=did_you_mean(by, known) or "such as tag:env",
            )
        return [self._label(number, group, by) for number, group in enumerate(self.groups)]

    def _label(self, number: int, group: Group, by: str) -> str:
        first = group.members[0]
        if by == "class":
            return f"{number}"
        if group.type != "eni":
            return first
        interface = self.network.enis[first]
        if by == "vpc":
            return self.network.vpc_of(interface)
        if by == "vswitch":
            return interface.eni.vswitch
        if by == "group":
            groups = interface.eni.security_groups
            return " ".join(groups) if isinstance(groups, list) else "?"
        instance = self.network.topology.instances.get(interface.instance_id or "")
        if by == "name":
            return (instance.name if instance else interface.eni.name) or interface.instance_id or first
        tags = {**(instance.tags if instance else {}), **interface.eni.tags}
        return tags.get(by.removeprefix("tag:"), "-")

    def by(self, by: str, service: str) -> tuple[list[str], NDArray[np.int64]]:
        """How many pairs have each verdict between what ends belong to.

        Returns
        -------
        labels
            In the order of the topology.
        counts : int64, shape (labels, labels, verdicts)
        """
        told = self.labels(by)
        labels = list(dict.fromkeys(told))
        where = np.array([labels.index(one) for one in told], dtype=np.int64)
        codes = self.verdicts[self.number(service)]
        counts = np.zeros((len(labels), len(labels), len(VERDICTS)), dtype=np.int64)
        a, b = np.nonzero(codes != NOT_ASKED)
        np.add.at(counts, (where[a], where[b], codes[a, b]), self._pairs[a, b])
        return labels, counts


def make_matrix(evaluator: Evaluator, services: Sequence[str], progress: Progress | None = None) -> Matrix:
    """Ask every pair.

    Parameters
    ----------
    services
        ``tcp/22``, ``udp/53``, ``icmp``; at least one.
    progress
        Told how many pairs of classes are answered, of how many.

    Raises
    ------
    QuestionError
        For a service that cannot be asked, or an answer that would be too large: it says of what size.
    """
    asked = tuple(dict.fromkeys(Service.read(one) for one in services))
    if not asked:
        raise QuestionError("a matrix needs a service", hint="such as tcp/22")
    return _Making(evaluator, asked, progress or (lambda done, every: None)).run()


class _Making:
    """A matrix while it is made."""

    def __init__(self, evaluator: Evaluator, services: tuple[Service, ...], progress: Progress) -> None:
        self.evaluator, self.network = evaluator, evaluator.network
        self.services, self.progress = services, progress
        self.pack = evaluator.packed_whole()
        self.sets = set(self.network.sets)
        self.walked: dict[tuple[str, str, Service], int] = {}

    def run(self) -> Matrix:
        """Ask, and split what a walk has told apart, until nothing is."""
        while True:
            groups = self.groups()
            self.check_size(len(groups))
            known = len(self.sets)
            verdicts = np.stack([self.of(service, groups) for service in self.services])
            if len(self.sets) == known or len(self.groups()) == len(groups):
                written = tuple(service.written for service in self.services)
                return Matrix(written, groups, verdicts, self.network, len(self.walked))

    def groups(self) -> tuple[Group, ...]:
        """The classes of ends as far as they are told apart now."""
        enis = (Group("eni", tuple(member.id for member in one.members)) for one in alike(self.network, self.sets))
        outside = (Group("network", (name,)) for name in self.network.topology.networks)
        return (*enis, Group("internet", (INTERNET,)), *outside)

    def check_size(self, classes: int) -> None:
        """Refuse what memory would not hold, before anything is asked."""
        needed = classes * classes * len(self.services)
        if needed > MOST_BYTES:
            raise QuestionError(
                f"the matrix of {classes} classes of ends and {len(self.services)} services needs "
                f"{needed / 1e9:.1f} GB, more than {MOST_BYTES / 1e9:.0f}",
                hint="ask for fewer services at a time",
            )

    def of(self, service: Service, groups: tuple[Group, ...]) -> NDArray[np.uint8]:
        """The codes of a service."""
        size = len(groups)
        codes = np.full((size, size), _OPEN, dtype=np.uint8)
        done = self.services.index(service) * size * size
        whole = len(self.services) * size * size
        if has_ports(service.protocol):
            self.decide(service, groups, codes)
        left = np.argwhere(codes == _OPEN)
        done += size * size - len(left)
        for number, (a, b) in enumerate(left.tolist()):
            if number % 256 == 0:
                self.progress(done + number, whole)
            codes[a, b] = self.walk(service, groups, a, b)
        self.progress(done + len(left), whole)
        return codes

    def decide(self, service: Service, groups: tuple[Group, ...], codes: NDArray[np.uint8]) -> None:
        """What the kernel says of pairs of ENIs, in blocks."""
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
            source, clients = sources[a], self.pack.client_ports[sources[a]]
            same = np.full(len(a), 1, dtype=np.int64)
            asked = np.stack([source, target, same * service.protocol, *clients.T, same * service.port], axis=1)
            found = self.pack.decide(asked, one_way=self.evaluator.one_way)[:, 0]
            told = np.full(len(found), _OPEN, dtype=np.uint8)
            told[found == kernels.PASSES] = _CODES[Verdict.REACHABLE.value]
            told[found == kernels.STOPPED] = _CODES[Verdict.UNREACHABLE.value]
            codes[a, b] = told

    def walk(self, service: Service, groups: tuple[Group, ...], a: int, b: int) -> int:
        """What a walk says of two classes, asked of one of each."""
        src, dst = groups[a].members[0], groups[b].members[0]
        if a == b:
            if len(groups[a]) < 2:
                return NOT_ASKED
            dst = groups[b].members[1]
        key = (src, dst, service)
        if key not in self.walked:
            try:
                said = self.evaluator.walk(src, dst, service.protocol, service.port, -1, self.sets)
                self.walked[key] = _CODES[said.verdict]
            except QuestionError:
                self.walked[key] = NOT_ASKED
        return self.walked[key]
