"""All pairs as they are kept: classes of ends × classes, with their members; pairs are made when they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from netinsight.errors import QuestionError, did_you_mean, visible
from netinsight.flow import Verdict, has_ports, parse_ports, parse_protocol
from netinsight.network.build import Network
from netinsight.network.ends import find_end

VERDICTS = (Verdict.REACHABLE, Verdict.PARTIAL, Verdict.UNREACHABLE, Verdict.UNDETERMINED)
NOT_ASKED = len(VERDICTS)
"""The code of two ends of which no question can be asked: one ENI or instance, or both outside."""


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
class Pairs:
    """The verdict of every pair of ends, for one service.

    Attributes
    ----------
    groups
        The classes of ends, in the order of the topology; each end is a member of one.
    codes : uint8, shape (classes, classes)
        From the one to the other: a number of ``VERDICTS``, or ``NOT_ASKED``. Of a class to itself: of two members.
    walked
        How many pairs of classes were answered by a walk, and not by the kernel.
    """

    service: str
    groups: tuple[Group, ...]
    codes: NDArray[np.uint8]
    network: Network = field(repr=False)
    walked: int = 0

    @cached_property
    def group_of(self) -> dict[str, int]:
        """The class of an end, by its id."""
        return {member: number for number, group in enumerate(self.groups) for member in group.members}

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """How many pairs of ends two classes are; shape (classes, classes)."""
        sizes = np.array([len(group) for group in self.groups], dtype=np.int64)
        pairs: NDArray[np.int64] = np.multiply.outer(sizes, sizes)
        pairs[np.diag_indices(len(sizes))] = sizes * (sizes - 1)
        return pairs

    def counts(self) -> dict[str, int]:
        """How many pairs have each verdict; those that none has are left out."""
        numbers = {verdict.value: int(self.sizes[self.codes == code].sum()) for code, verdict in enumerate(VERDICTS)}
        return {word: number for word, number in numbers.items() if number}

    def verdict(self, src: str, dst: str) -> Verdict | None:
        """The verdict of one pair; None where no question can be asked of it.

        Raises
        ------
        QuestionError
            For an end that the matrix has not.
        """
        a, b = self.end(src), self.end(dst)
        code = NOT_ASKED if a == b else int(self.codes[self.group_of[a], self.group_of[b]])
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

    def row(self, src: str) -> NDArray[np.uint8]:
        """The codes from one end to every class; its own class's are of its other members."""
        row: NDArray[np.uint8] = self.codes[self.group_of[self.end(src)]]
        return row

    def reaches(self, src: str, verdict: Verdict = Verdict.REACHABLE) -> Iterator[str]:
        """The ends that one reaches, in the order of the classes."""
        own = self.end(src)
        yield from self._members(self.row(own), own, verdict)

    def who_reaches(self, dst: str, verdict: Verdict = Verdict.REACHABLE) -> Iterator[str]:
        """The ends that reach one, in the order of the classes."""
        own = self.end(dst)
        yield from self._members(self.codes[:, self.group_of[own]], own, verdict)

    def _members(self, codes: NDArray[np.uint8], own: str, verdict: Verdict) -> Iterator[str]:
        for number in np.flatnonzero(codes == VERDICTS.index(verdict)).tolist():
            yield from (member for member in self.groups[number].members if member != own)

    def pairs(self, verdict: Verdict = Verdict.REACHABLE) -> Iterator[tuple[str, str]]:
        """Every pair of ends with a verdict, one after the other."""
        for src in self.group_of:
            for dst in self.reaches(src, verdict):
                yield src, dst

    def labels(self, by: str) -> list[str]:
        """What each end belongs to, in the order of the classes: ``vpc``, ``vswitch``, ``group``, ``name`` or ``tag:KEY``.

        ``class`` is the number of its class; outside the VPCs each end stands for itself.

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
        return [
            f"{number}" if by == "class" else self._label(member, by) if group.type == "eni" else member
            for number, group in enumerate(self.groups) for member in group.members
        ]  # fmt: skip

    def _label(self, first: str, by: str) -> str:
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

    def by(self, by: str) -> tuple[list[str], NDArray[np.int64]]:
        """How many pairs have each verdict between what ends belong to.

        Returns
        -------
        labels
            In the order of the classes.
        counts : int64, shape (labels, labels, verdicts)
        """
        told = self.labels(by)
        numbers = {label: number for number, label in enumerate(dict.fromkeys(told))}
        of = np.array([numbers[label] for label in told], dtype=np.int64)
        classes = np.repeat(np.arange(len(self.groups)), [len(group) for group in self.groups])
        members = np.zeros((len(self.groups), len(numbers)), dtype=np.int64)
        np.add.at(members, (classes, of), 1)
        counts = np.zeros((len(numbers), len(numbers), len(VERDICTS)), dtype=np.int64)
        for code in range(len(VERDICTS)):
            says = (self.codes == code).astype(np.int64)
            counts[:, :, code] = members.T @ says @ members
            own = says.diagonal() @ members  # a pair is two ends: none is its own partner
            counts[np.arange(len(numbers)), np.arange(len(numbers)), code] -= own
        return list(numbers), counts


@dataclass(frozen=True)
class Matrix:
    """All pairs for a set of services: ``matrix["tcp/22"]`` are those of one."""

    each: tuple[Pairs, ...]

    @property
    def services(self) -> tuple[str, ...]:
        """As they were asked."""
        return tuple(one.service for one in self.each)

    def __getitem__(self, service: str) -> Pairs:
        found = next((one for one in self.each if one.service == service), None)
        if found is None:
            hint = did_you_mean(service, self.services) or f"asked: {', '.join(self.services)}"
            raise QuestionError(f"the matrix has no service `{visible(service)}`", hint=hint)
        return found

    def __iter__(self) -> Iterator[Pairs]:
        return iter(self.each)
