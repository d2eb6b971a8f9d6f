"""Many flows at once, as arrays: the verdict of each, and what stops it first.

::

    flows ─ ends looked up once each ─┬─ between two ENIs: kernels.inside_flows, by the packed rows
                                      └─ all others, and what the kernel leaves open: the walk, once for each question

Both ways decide by the same rows; the tests hold the arrays equal to one diagnosis after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinsight.diagnosis.case import Case, Result, Status
from netinsight.diagnosis.catalogue import Catalogue, ItemSeverity
from netinsight.diagnosis.diagnose import CHECKS, judge
from netinsight.diagnosis.verdict import answer
from netinsight.engine import kernels
from netinsight.engine.spaces import Box
from netinsight.errors import InputError, Place, Problem, QuestionError
from netinsight.flow import TCP, UDP, PortRange, Question, Verdict, has_ports
from netinsight.network.build import Network
from netinsight.network.ends import End, Ends, Kind, find_end, find_ends, unmet_preconditions
from netinsight.network.inside import Inside, key_of
from netinsight.network.steps import Walk
from netinsight.network.trace import question_box, trace
from netinsight.network.ways.walker import Walker

VERDICTS = tuple(Verdict)
MOST_PROBLEMS = 50
_STAGE_ITEMS = {
    kernels.AT_SOURCE_ENI: ("eni.status", 0),
    kernels.AT_GROUP_OUT: ("eni.security_group.egress", 0),
    kernels.AT_ACL_OUT: ("vswitch.network_acl.egress", 2),
    kernels.AT_ROUTE: ("route.forward", 2),
    kernels.AT_ACL_IN: ("vswitch.network_acl.ingress", 3),
    kernels.AT_GROUP_IN: ("eni.security_group.ingress", 1),
    kernels.AT_DESTINATION_ENI: ("eni.status", 1),
    kernels.AT_REPLY_ACL_OUT: ("vswitch.network_acl.egress.return", 3),
    kernels.AT_REPLY_ROUTE: ("route.return", 3),
    kernels.AT_REPLY_ACL_IN: ("vswitch.network_acl.ingress.return", 2),
}
"""Stage of the kernel → its item, and whose it is: 0 and 1 the ENIs, 2 and 3 their vSwitches."""


@dataclass(frozen=True, slots=True)
class Flows:
    """Questions as columns of equal length; -1 for a port that is left out.

    Attributes
    ----------
    sources, destinations
        Objects as the command line takes them.
    protocol, port, source_port : int64
        IP protocol numbers and ports.
    """

    sources: Sequence[str]
    destinations: Sequence[str]
    protocol: NDArray[np.int64]
    port: NDArray[np.int64]
    source_port: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is said of each flow, in arrays of equal length.

    Attributes
    ----------
    verdict
        ``reachable``, ``partial``, ``unreachable`` or ``undetermined``.
    item
        The first blocker; of an undetermined flow, what is not known first; empty where there is none.
    object
        What that is about.
    rule
        The rule that decided it; empty where none did.
    """

    verdict: NDArray[np.object_]
    item: NDArray[np.object_]
    object: NDArray[np.object_]
    rule: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.verdict)

    def counts(self) -> dict[str, int]:
        """How many flows have each verdict; those that none has are left out."""
        words, numbers = np.unique(self.verdict.astype(str), return_counts=True)
        return dict(zip(words.tolist(), numbers.tolist(), strict=True))

    def columns(self) -> dict[str, NDArray[np.object_]]:
        """The arrays by name, as a DataFrame takes them."""
        return {"verdict": self.verdict, "item": self.item, "object": self.object, "rule": self.rule}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one flow."""

    verdict: str
    item: str = ""
    object: str = ""
    rule: str = ""


class Evaluator:
    """Answers flows about a network; what it packs is kept for the next batch.

    Parameters
    ----------
    at
        The moment that expiry and blackholes are judged at.
    """

    def __init__(
        self, network: Network, catalogue: Catalogue, at: datetime, *, with_guest: bool = True, one_way: bool = False
    ) -> None:
        self.network, self.catalogue, self.at = network, catalogue, at
        self.with_guest, self.one_way = with_guest, one_way
        self._order = {item: number for number, item in enumerate(catalogue.items)}
        self._walked: dict[tuple[str, str, int, int, int], Said] = {}
        self._known: dict[tuple[str, int], End] = {}
        self._pack = Inside(self.network, {}, self.stops_of)

    def evaluate(self, flows: Flows) -> Evaluation:
        """The verdict of every flow.

        Raises
        ------
        InputError
            Naming the flows, by number from 0, that cannot be asked.
        """
        names, source, target = _numbered(flows.sources, flows.destinations)
        ends = self._ends(names, flows)
        pack = self._packed(ends)
        at_source = np.array([pack.number(end, asked_public=False) for end in ends], dtype=np.int64)
        at_target = np.array([pack.number(end, asked_public=True) for end in ends], dtype=np.int64)
        ported = (flows.protocol == TCP) | (flows.protocol == UDP)
        a, b = at_source[source], at_target[target]
        inside = np.flatnonzero(ported & (a >= 0) & (b >= 0) & (flows.port > 0) & pack.apart(a, b))
        found = np.full((len(source), 3), kernels.OPEN, dtype=np.int64)
        if len(inside):
            found[inside] = self._decide(pack, a[inside], b[inside], flows, inside)
        said = _Columns(len(source))
        said.fill_inside(found, a, b, _Owners(pack, list(self.catalogue.items)))
        self._walk_the_rest(np.flatnonzero(found[:, 0] == kernels.OPEN), flows, said)
        return said.evaluation()

    def _packed(self, ends: list[End]) -> Inside:
        """The ENIs of a batch packed, together with those of the batches before."""
        wanted = {key_of(end): end for end in ends if end.kind is Kind.ENI and end.interface}
        if not wanted.keys() <= self._known.keys():
            self._known.update(wanted)
            self._pack = Inside(self.network, self._known, self.stops_of)
        return self._pack

    def packed_whole(self) -> Inside:
        """Every ENI of the topology packed."""
        return self._packed([find_end(self.network, name) for name in self.network.enis])

    def _decide(
        self, pack: Inside, a: NDArray[np.int64], b: NDArray[np.int64], flows: Flows, rows: NDArray[np.intp]
    ) -> NDArray[np.int64]:
        """Outcome, stage and row of flows between ENIs."""
        clients, given = pack.client_ports, flows.source_port[rows]
        first = np.where(given > 0, given, clients[a, 0])
        last = np.where(given > 0, given, clients[a, 1])
        asked = np.stack([a, b, flows.protocol[rows], first, last, flows.port[rows]], axis=1)
        return pack.decide(asked, one_way=self.one_way)

    def _ends(self, names: list[str], flows: Flows) -> list[End]:
        ends, problems = [], []
        for name in names:
            try:
                ends.append(find_end(self.network, name))
            except QuestionError as error:
                first = _first_row(flows, name)
                problems += [Problem(Place(f"flow {first}"), one.message, one.hint) for one in error.problems]
        if problems:
            raise InputError(problems[:MOST_PROBLEMS])
        return ends

    def _walk_the_rest(self, rows: NDArray[np.intp], flows: Flows, said: _Columns) -> None:
        problems: list[Problem] = []
        for row in rows.tolist():
            key = (flows.sources[row], flows.destinations[row], int(flows.protocol[row]), int(flows.port[row]),
                   int(flows.source_port[row]))  # fmt: skip
            if key not in self._walked:
                try:
                    self._walked[key] = self._walk(*key)
                except QuestionError as error:
                    problems += [Problem(Place(f"flow {row}"), one.message, one.hint) for one in error.problems]
                    if len(problems) >= MOST_PROBLEMS:
                        break
                    continue
            said.put(row, self._walked[key])
        if problems:
            raise InputError(problems)

    def _walk(self, source: str, destination: str, protocol: int, port: int, source_port: int) -> Said:
        ports = PortRange(port, port) if port > 0 and has_ports(protocol) else None
        from_ports = PortRange(source_port, source_port) if source_port > 0 and has_ports(protocol) else None
        return self.walk(Question(source, destination, protocol, ports, from_ports, one_way=self.one_way))[0]

    def walk(self, question: Question, seen: list[Walker] | None = None) -> tuple[Said, tuple[Walk, ...]]:
        """What a walk says of one question, and the walk.

        Parameters
        ----------
        seen
            Takes the walkers, which know what they looked at.

        Raises
        ------
        QuestionError
            Where it cannot be asked.
        """
        ends = find_ends(self.network, question)
        walks = trace(self.network, question, ends, self.at, with_guest=self.with_guest, seen=seen)
        unmet = unmet_preconditions(self.network, ends)
        case = Case(self.network, self.catalogue, question, ends, question_box(question, ends), walks, self.at,
                    self.with_guest, unmet)  # fmt: skip
        results = judge(case)
        verdict = answer(case, results).verdict
        first = next(filter(self._blocks, results), None)
        if first is None and verdict is Verdict.UNDETERMINED:
            first = next((result for result in results if result.status is Status.UNKNOWN), None)
        if first is None:
            return Said(verdict.value), walks
        origin = first.parts[0][0].origin if first.parts else None
        return Said(verdict.value, first.item, first.object.id, origin.id if origin and origin.is_rule else ""), walks

    def _blocks(self, result: Result) -> bool:
        severity = result.severity or self.catalogue.items[result.item].severity
        return result.status is Status.ABNORMAL and severity is ItemSeverity.CRITICAL

    def stops_of(self, end: End, role: int) -> list[tuple[int, int, int]]:
        """What the state of an end stops: (first port, last port, the item's order), by order; UDP shifted."""
        stops = []
        for protocol, shift in ((TCP, 0), (UDP, kernels.UDP_SHIFT)):
            for result in self._judged(end, role, protocol):
                order = self._order[result.item]
                if self._blocks(result):
                    stops += [(box.ports.first + shift, box.ports.last + shift, order) for box in result.stops]
        return sorted(stops, key=lambda stop: stop[2])

    def _judged(self, end: End, role: int, protocol: int) -> list[Result]:
        """The items of one end, whatever the port; the other end is left empty."""
        nobody = End("", Kind.SERVICE, 0)
        box = Box(PortRange(1, 65535), PortRange(1, 65535))
        ends = Ends(end, nobody, 4, box.ports) if role == 0 else Ends(nobody, end, 4, box.ports)
        question = Question(ends.source.asked, ends.destination.asked, protocol, box.ports)
        case = Case(self.network, self.catalogue, question, ends, box, (), self.at, self.with_guest)
        return [result for side in case.sides for check in CHECKS for result in check.check(case, side)]


def _numbered(sources: Sequence[str], destinations: Sequence[str]) -> tuple[list[str], NDArray[Any], NDArray[Any]]:
    """Every name once, and the flows' ends by its number."""
    numbers: dict[str, int] = {}
    both = [
        np.fromiter((numbers.setdefault(name, len(numbers)) for name in column), dtype=np.int64, count=len(column))
        for column in (sources, destinations)
    ]
    return list(numbers), both[0], both[1]


def _first_row(flows: Flows, name: str) -> int:
    pairs = enumerate(zip(flows.sources, flows.destinations, strict=True))
    return next(row for row, pair in pairs if name in pair)


class _Columns:
    """The columns of an evaluation while they are filled."""

    def __init__(self, count: int) -> None:
        self.verdict = np.full(count, Verdict.REACHABLE.value, dtype=object)
        self.item, self.object, self.rule = (np.full(count, "", dtype=object) for _ in range(3))

    def put(self, row: int, said: Said) -> None:
        """One flow."""
        self.verdict[row], self.item[row] = said.verdict, said.item
        self.object[row], self.rule[row] = said.object, said.rule

    def fill_inside(
        self, found: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64], owners: _Owners
    ) -> None:
        """What the kernel decided."""
        stopped = found[:, 0] == kernels.STOPPED
        self.verdict[stopped] = Verdict.UNREACHABLE.value

        for stage in np.unique(found[stopped, 1]).tolist():
            rows = np.flatnonzero(stopped & (found[:, 1] == stage))
            self._fill_stage(stage, rows, found[rows, 2], a[rows], b[rows], owners)

    def _fill_stage(
        self, stage: int, rows: NDArray[np.intp], detail: NDArray[np.int64], a: NDArray[np.int64],
        b: NDArray[np.int64], owners: _Owners,
    ) -> None:  # fmt: skip
        if stage == kernels.AT_ENDS:
            order, role = detail // 2, detail % 2
            self.item[rows] = owners.items[order]
            self.object[rows] = np.where(role == 0, owners.ends[a], owners.ends[b])
        elif stage in (kernels.AT_SOURCE_MET, kernels.AT_DESTINATION_MET):
            which = a if stage == kernels.AT_SOURCE_MET else b
            self.item[rows], self.object[rows] = owners.unmet[which, 0], owners.unmet[which, 1]
        else:
            item, whose = _STAGE_ITEMS[stage]
            self.item[rows] = item
            self.object[rows] = (owners.enis[a], owners.enis[b], owners.vswitches[a], owners.vswitches[b])[whose]
            known = detail >= 0
            self.rule[rows[known]] = owners.rules[detail[known]]

    def evaluation(self) -> Evaluation:
        """All of it."""
        return Evaluation(self.verdict, self.item, self.object, self.rule)


class _Owners:
    """Names by number: ENIs, their vSwitches, ends, items, rules."""

    def __init__(self, pack: Inside, items: list[str]) -> None:
        interfaces = [end.interface for end in pack.ends]
        self.enis = _objects([one.id if one else "" for one in interfaces])
        self.vswitches = _objects([one.eni.vswitch if one else "" for one in interfaces])
        self.ends = _objects([end.instance_id or (end.interface.id if end.interface else "") for end in pack.ends])
        self.items = _objects(items)
        self.rules = _objects([origin.id if origin.is_rule else "" for origin in pack.origins])
        nobody = End("", Kind.SERVICE, 0)
        unmet = [unmet_preconditions(pack.network, Ends(end, nobody, 4, PortRange(1, 1))) for end in pack.ends]
        self.unmet = np.array(
            [(one[0].code, one[0].id) if one else ("", "") for one in unmet] or [("", "")], dtype=object
        )


def _objects(names: list[str]) -> NDArray[np.object_]:
    return np.array(names or [""], dtype=object)
