"""What the checks look at, and what each of them gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from netinsight.diagnosis.catalogue import Catalogue, ItemSeverity
from netinsight.engine.spaces import Box, Region, joined
from netinsight.flow import TCP, UDP, PortRange, Question
from netinsight.model.base import Path
from netinsight.model.guest import Guest
from netinsight.model.instance import Instance
from netinsight.model.topology import Interface
from netinsight.network.build import Network
from netinsight.network.ends import End, Ends, Kind, Unmet
from netinsight.network.filters import Origin
from netinsight.network.steps import Ref, Ruling, Walk, Why, why


class Status(StrEnum):
    """What an item turned out to be; docs/verdicts.md says when each applies."""

    NORMAL = "normal"
    ABNORMAL = "abnormal"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Fact(NamedTuple):
    """A field of the topology that decided an item: its path, and what it says."""

    path: Path
    text: str


class Result(NamedTuple):
    """One item, judged.

    Attributes
    ----------
    says
        The code of a finding of the item, or of a reason in the catalogue, with its values.
    parts
        Of a path item, the rulings that it says, each with its walk.
    stops
        The part of the question that it makes fail, where the walks do not say so themselves.
    missing
        Skipped for want of a fact: listed in ``not_checked``.
    only
        The walks that it is about, where not all: those to one of several back ends.
    """

    item: str
    object: Ref
    status: Status
    says: Why
    stops: Region = ()
    evidence: tuple[Fact | Origin, ...] = ()
    parts: tuple[tuple[Ruling, Walk], ...] = ()
    missing: bool = False
    severity: ItemSeverity | None = None
    only: tuple[Walk, ...] = ()

    def concerns(self, walk: Walk) -> bool:
        """Whether it is about a walk: about all of them, if it names none."""
        return not self.only or any(one is walk for one in self.only)

    def weighs(self, catalogue: Catalogue) -> ItemSeverity:
        """Its severity: what the catalogue says of its item, where it has none of its own."""
        return self.severity or catalogue.items[self.item].severity

    def blocks(self, catalogue: Catalogue) -> bool:
        """Whether it stops what was asked, or a part of it."""
        return self.status is Status.ABNORMAL and self.weighs(catalogue) is ItemSeverity.CRITICAL


class Role(StrEnum):
    """Which end of the question."""

    SOURCE = "source"
    DESTINATION = "destination"


class Side(NamedTuple):
    """One end that has an ENI, with what hangs on it.

    Attributes
    ----------
    ports
        The ports that were asked, as they are at the end.
    shift
        Those less the ports of the question: what was translated on the way.
    walks
        The walks that arrive there, where not all do.
    """

    role: Role
    end: End
    interface: Interface
    instance_id: str
    instance: Instance | None
    guest: Guest | None
    ports: PortRange
    source_ports: PortRange
    shift: int = 0
    walks: tuple[Walk, ...] = ()

    def part(self, ports: list[PortRange]) -> Region:
        """The part of the question on some of the end's ports."""
        return tuple(Box(self.source_ports, PortRange(first - self.shift, last - self.shift)) for first, last in ports)

    @property
    def ref(self) -> Ref:
        """The instance, or the ENI where it has none."""
        return Ref("instance", self.instance_id) if self.instance else Ref("eni", self.interface.id)

    @property
    def path(self) -> Path:
        """Where the instance stands in the topology."""
        return ("instances", self.instance_id)

    @property
    def is_windows(self) -> bool:
        """Whether the guest is a Windows system."""
        return bool(self.instance and self.instance.os and self.instance.os.is_windows)


@dataclass
class Case:
    """A question with its walks, ready to be judged."""

    network: Network
    catalogue: Catalogue
    question: Question
    ends: Ends
    box: Box
    walks: tuple[Walk, ...]
    at: datetime
    with_guest: bool = True
    unmet: tuple[Unmet, ...] = ()
    assumptions: set[str] = field(default_factory=set)

    @cached_property
    def sides(self) -> list[Side]:
        """The ends that have an ENI, the source first; behind an address without one, where the walks arrive."""
        sides: list[Side] = []
        for role, end in ((Role.SOURCE, self.ends.source), (Role.DESTINATION, self.ends.destination)):
            if end.interface:
                side = self._side(role, end, end.interface)
                sides += self._shifted(side) if role is Role.DESTINATION else [side]
            elif role is Role.DESTINATION and end.kind is Kind.DOOR:
                sides += self._arrivals(end)
        return sides

    def _side(self, role: Role, end: End, interface: Interface) -> Side:
        instance_id = interface.instance_id or ""
        instance = self.network.topology.instances.get(instance_id)
        guest = instance.guest if instance else None
        return Side(role, end, interface, instance_id, instance, guest, self.box.ports, self.box.source_ports)

    def _shifted(self, side: Side) -> Iterator[Side]:
        """The asked end; where guests on the way translate ports, once for each way they do, with its walks."""
        found: dict[int, list[Walk]] = {}
        for walk in self.walks:
            last = walk.forward[-1] if walk.forward else None
            arrives = last is not None and last.stage == "eni" and last.object.id == side.interface.id
            shift = last.packet.box.ports.first - walk.box.ports.first if last and arrives else 0
            found.setdefault(shift, []).append(walk)
        if set(found) <= {0}:
            yield side
            return
        for shift, walks in found.items():
            ports = joined(PortRange(walk.box.ports.first + shift, walk.box.ports.last + shift) for walk in walks)
            alone = () if len(walks) == len(self.walks) else tuple(walks)
            yield side._replace(ports=PortRange(ports[0].first, ports[-1].last), shift=shift, walks=alone)

    def _arrivals(self, door: End) -> Iterator[Side]:
        """The ENIs behind a door, each with the walks that lead there."""
        found: dict[tuple[str, int, int], list[Walk]] = {}
        for walk in self.walks:
            last = walk.forward[-1] if walk.forward else None
            if last and last.stage == "eni":
                shift = last.packet.box.ports.first - walk.box.ports.first
                found.setdefault((last.object.id, last.packet.destination, shift), []).append(walk)
        for (eni, address, shift), walks in found.items():
            interface = self.network.enis[eni]
            side = self._side(Role.DESTINATION, End(door.asked, Kind.ENI, address, interface), interface)
            ports = joined(PortRange(walk.box.ports.first + shift, walk.box.ports.last + shift) for walk in walks)
            alone = () if len(walks) == len(self.walks) else tuple(walks)
            whole = PortRange(ports[0].first, ports[-1].last)
            yield side._replace(ports=whole, shift=shift, walks=alone)

    @property
    def whole(self) -> Region:
        """All that was asked."""
        return (self.box,)

    @property
    def protocol_word(self) -> str:
        """tcp or udp, for people; empty for the others."""
        return {TCP: "tcp", UDP: "udp"}.get(self.question.protocol, "")

    @property
    def is_public(self) -> bool:
        """Whether the road leads over the public edge."""
        source, destination = self.ends.source, self.ends.destination
        asked_for = source.public or destination.public
        return Kind.INTERNET in (source.kind, destination.kind) or asked_for is not None

    def rules_key(self, instance: Instance | None) -> str:
        """The key of a guest that holds the rules of its firewall for the family asked."""
        if instance and instance.os and instance.os.is_windows:
            return "windows_firewall"
        return "iptables" if self.ends.family == 4 else "ip6tables"

    def guest_gap(self, instance: Instance | None) -> Why | None:
        """Why a guest is not judged at all, or None where its state is there."""
        if not self.with_guest:
            return why("skip.no_guest")
        if instance is None:
            return why("skip.no_instance")
        if instance.guest is not None:
            return None
        system = instance.os
        if system and not self.catalogue.collects(system.name, system.version, system.architecture):
            name = " ".join(filter(None, (system.name, system.version, system.architecture)))
            return why("skip.unsupported_guest", os=name)
        return why("skip.no_assistant") if instance.cloud_assistant is False else why("skip.not_collected")


def normal(item: str, ref: Ref, code: str, *evidence: Fact | Origin, **values: object) -> Result:
    """An item that is as it should be."""
    return Result(item, ref, Status.NORMAL, why(code, **values), evidence=evidence)


def abnormal(item: str, ref: Ref, code: str, stops: Region, *evidence: Fact | Origin, **values: object) -> Result:
    """An item that is not."""
    return Result(item, ref, Status.ABNORMAL, why(code, **values), stops, evidence)


def not_concerned(item: str, ref: Ref) -> Result:
    """An item that the question does not touch."""
    return Result(item, ref, Status.SKIPPED, why("skip.not_concerned"))


def missing(item: str, ref: Ref, reason: Why) -> Result:
    """An item whose fact is not in the input."""
    return Result(item, ref, Status.SKIPPED, reason, missing=True)


def fact_missing(item: str, ref: Ref, fact: str) -> Result:
    """An item whose fact, named as the file would, is not in the input."""
    return missing(item, ref, why("skip.fact_missing", fact=fact))
