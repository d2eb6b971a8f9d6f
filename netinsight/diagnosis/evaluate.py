"""Many flows at once, as arrays: the verdict of each, and what stops it first.

::

    flows ─ ends looked up once each ─┬─ between two ENIs: kernels.inside_flows, by the packed rows
                                      └─ all others, and what the kernel leaves open: the walk, once for each question

Both ways decide by the same rows; the tests hold the arrays equal to one diagnosis after another.
"""

from __future__ import annotations

from array import array
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
from netinsight.engine.classify import Decision
from netinsight.engine.compiled import compiled
from netinsight.engine.spaces import Box
from netinsight.engine.tables import halves
from netinsight.errors import InputError, Place, Problem, QuestionError
from netinsight.flow import TCP, UDP, PortRange, Question, Verdict, has_ports
from netinsight.model.base import Unknown
from netinsight.model.security_group import Direction
from netinsight.network.build import Network
from netinsight.network.ends import End, Ends, Kind, client_ports, find_end, find_ends, unmet_preconditions
from netinsight.network.filters import SERVICE, Filter, Origin
from netinsight.network.stages import eni as eni_stage
from netinsight.network.trace import question_box, trace

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
class _Said:
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
        self._walked: dict[tuple[str, str, int, int, int], _Said] = {}
        self._known: dict[tuple[str, int], End] = {}
        self._pack = _Pack(self, {})

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
            found[inside] = pack.decide(a[inside], b[inside], flows, inside)
        said = _Columns(len(source))
        said.fill_inside(found, a, b, pack)
        self._walk_the_rest(np.flatnonzero(found[:, 0] == kernels.OPEN), flows, said)
        return said.evaluation()

    def _packed(self, ends: list[End]) -> _Pack:
        """The ENIs of a batch packed, together with those of the batches before."""
        wanted = {_key(end): end for end in ends if end.kind is Kind.ENI and end.interface}
        if not wanted.keys() <= self._known.keys():
            self._known.update(wanted)
            self._pack = _Pack(self, self._known)
        return self._pack

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

    def _walk(self, source: str, destination: str, protocol: int, port: int, source_port: int) -> _Said:
        ports = PortRange(port, port) if port > 0 and has_ports(protocol) else None
        from_ports = PortRange(source_port, source_port) if source_port > 0 and has_ports(protocol) else None
        question = Question(source, destination, protocol, ports, from_ports, one_way=self.one_way)
        ends = find_ends(self.network, question)
        walks = trace(self.network, question, ends, self.at)
        unmet = unmet_preconditions(self.network, ends)
        case = Case(self.network, self.catalogue, question, ends, question_box(question, ends), walks, self.at,
                    self.with_guest, unmet)  # fmt: skip
        results = judge(case)
        verdict = answer(case, results).verdict
        first = next(filter(self._blocks, results), None)
        if first is None and verdict is Verdict.UNDETERMINED:
            first = next((result for result in results if result.status is Status.UNKNOWN), None)
        if first is None:
            return _Said(verdict.value)
        origin = first.parts[0][0].origin if first.parts else None
        return _Said(verdict.value, first.item, first.object.id, origin.id if origin and origin.is_rule else "")

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


def _key(end: End) -> tuple[str, int]:
    return (end.interface.id if end.interface else "", end.address or 0)


class _Pack:
    """The ENIs of a batch and all their lists as the flat arrays that the kernel reads."""

    def __init__(self, evaluator: Evaluator, ends: dict[tuple[str, int], End]) -> None:
        self.evaluator, self.network = evaluator, evaluator.network
        self._lists: dict[int, int] = {}
        self._packed: list[Filter] = []
        self._vswitches: dict[str, int] = {}
        self._numbers: dict[tuple[str, int], int] = {}
        self.ends: list[End] = []
        vswitches: list[tuple[int, int, int]] = []
        enis: list[tuple[int, ...]] = []
        inside = not self.network.topology.dialect.acl_inside_vswitch
        for key, end in ends.items() if inside else ():
            if self._is_v4(end):
                self._numbers[key] = len(self.ends)
                self.ends.append(end)
                enis.append(self._eni(end, vswitches))
        self.enis = np.array(enis, dtype=np.int64).reshape(-1)
        self.vswitches = np.array(vswitches, dtype=np.int64).reshape(-1)
        self._join()
        self._stops()

    @staticmethod
    def _is_v4(end: End) -> bool:
        return end.address is not None and end.address >> 32 == V4_HIGH

    def number(self, end: End, *, asked_public: bool) -> int:
        """The number of an end among the ENIs of the kernel; -1 where only a walk can tell."""
        if end.kind is not Kind.ENI or end.interface is None or (asked_public and end.public):
            return -1
        return self._numbers.get(_key(end), -1)

    def apart(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Where two ends are not one ENI or instance (that is no question, and the walk says so)."""
        owners: dict[str, int] = {}
        owner = np.array([owners.setdefault(end.instance_id or f"eni {end.interface and end.interface.id}", len(owners))
                          for end in self.ends] or [0], dtype=np.int64)  # fmt: skip
        apart: NDArray[np.bool_] = owner[np.maximum(a, 0)] != owner[np.maximum(b, 0)]
        return apart

    def _eni(self, end: End, vswitches: list[tuple[int, int, int]]) -> tuple[int, ...]:
        interface = end.interface
        if interface is None:
            raise TypeError(end.asked)
        box = Box(PortRange(1, 65535), PortRange(1, 65535))
        states = {Decision.ACCEPT: kernels.PASSES, Decision.DROP: kernels.STOPPED, Decision.UNKNOWN: kernels.OPEN}
        state = states[eni_stage(self.network, interface, box)[0].decision]
        unmet = unmet_preconditions(self.network, Ends(end, End("", Kind.SERVICE, 0), 4, box.ports))
        return (
            *halves(end.address or 0),
            self._list(self.network.group_filter(interface, Direction.EGRESS)),
            self._list(self.network.group_filter(interface, Direction.INGRESS)),
            self._vswitch(interface.eni.vswitch, vswitches),
            state,
            kernels.STOPPED if unmet else kernels.PASSES,
        )

    def _list(self, packed: Filter) -> int:
        if id(packed) not in self._lists:
            self._lists[id(packed)] = len(self._packed)
            self._packed.append(packed)
        return self._lists[id(packed)]

    def _vswitch(self, name: str, vswitches: list[tuple[int, int, int]]) -> int:
        if name not in self._vswitches:
            self._vswitches[name] = len(vswitches)
            vswitches.append((0, 0, 0))  # its number first: its table may name it
            vswitches[-1] = self._lists_of(name)
        return self._vswitches[name]

    def _lists_of(self, name: str) -> tuple[int, int, int]:
        vswitch = self.network.topology.vswitches.get(name)
        if vswitch is None:
            return (kernels.UNKNOWN_LIST,) * 3
        acl, table = vswitch.network_acl, vswitch.route_table
        routes = kernels.UNKNOWN_LIST if isinstance(table, Unknown) else self._list(self.network.route_filter(name))
        if acl is None or isinstance(acl, Unknown):
            none = kernels.NO_LIST if acl is None else kernels.UNKNOWN_LIST
            return none, none, routes
        egress, ingress = (
            self._list(self.network.acl_filter(acl, way)) for way in (Direction.EGRESS, Direction.INGRESS)
        )
        return egress, ingress, routes

    def _join(self) -> None:
        """All lists one after the other, with where each begins and what each local route leads to."""
        rows, lists = array("q"), []
        self.origins: list[Origin] = []
        for packed in self._packed:
            lists += [len(self.origins), packed.table.count]
            rows.extend(packed.table.rows)
            self.origins += packed.origins
        self.rows = np.array(rows, dtype=np.int64)
        self.lists = np.array(lists, dtype=np.int64)
        self.leads_to = np.array(
            [self._vswitches.get(one.target, UNSEEN) if one.kind == "system_route" and one.target != SERVICE
             and one.target in self.network.topology.vswitches else -1 for one in self.origins], dtype=np.int64,
        )  # fmt: skip
        self.bounds = np.array(self.network.sets.bounds, dtype=np.int64)
        self.starts = np.array(self.network.sets.starts, dtype=np.int64)

    def _stops(self) -> None:
        stops: list[tuple[int, int, int]] = []
        starts = [0]
        for end in self.ends:
            for role in (0, 1):
                stops += self.evaluator.stops_of(end, role)
                starts.append(len(stops))
        self.stops = np.array(stops or [(0, -1, 0)], dtype=np.int64).reshape(-1)
        self.stop_starts = np.array(starts, dtype=np.int64)

    def decide(
        self, a: NDArray[np.int64], b: NDArray[np.int64], flows: Flows, rows: NDArray[np.intp]
    ) -> NDArray[np.int64]:
        """Outcome, stage and row of flows between ENIs."""
        network = self.network
        clients = np.array([client_ports(network, end) for end in self.ends], dtype=np.int64)
        given = flows.source_port[rows]
        first = np.where(given > 0, given, clients[a, 0])
        last = np.where(given > 0, given, clients[a, 1])
        packed = np.stack([a, b, flows.protocol[rows], first, last, flows.port[rows]], axis=1).reshape(-1)
        found = np.empty(3 * len(rows), dtype=np.int64)
        compiled().inside_flows(
            self.rows, self.lists, self.leads_to, self.bounds, self.starts, self.enis, self.vswitches, self.stops,
            self.stop_starts, packed, len(rows), self.evaluator.one_way, found,
        )  # fmt: skip
        return found.reshape(-1, 3)


V4_HIGH = 0xFFFF
"""What the upper bits of an IPv4 address of the line are (``addresses``: IPv4 mapped)."""
UNSEEN = 1 << 40
"""A vSwitch in which no ENI of the batch stands."""


class _Columns:
    """The columns of an evaluation while they are filled."""

    def __init__(self, count: int) -> None:
        self.verdict = np.full(count, Verdict.REACHABLE.value, dtype=object)
        self.item, self.object, self.rule = (np.full(count, "", dtype=object) for _ in range(3))

    def put(self, row: int, said: _Said) -> None:
        """One flow."""
        self.verdict[row], self.item[row] = said.verdict, said.item
        self.object[row], self.rule[row] = said.object, said.rule

    def fill_inside(self, found: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64], pack: _Pack) -> None:
        """What the kernel decided."""
        stopped = found[:, 0] == kernels.STOPPED
        self.verdict[stopped] = Verdict.UNREACHABLE.value
        owners = _Owners(pack)
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

    def __init__(self, pack: _Pack) -> None:
        interfaces = [end.interface for end in pack.ends]
        self.enis = _objects([one.id if one else "" for one in interfaces])
        self.vswitches = _objects([one.eni.vswitch if one else "" for one in interfaces])
        self.ends = _objects([end.instance_id or (end.interface.id if end.interface else "") for end in pack.ends])
        self.items = _objects(list(pack.evaluator.catalogue.items))
        self.rules = _objects([origin.id if origin.is_rule else "" for origin in pack.origins])
        nobody = End("", Kind.SERVICE, 0)
        unmet = [unmet_preconditions(pack.network, Ends(end, nobody, 4, PortRange(1, 1))) for end in pack.ends]
        self.unmet = np.array(
            [(one[0].code, one[0].id) if one else ("", "") for one in unmet] or [("", "")], dtype=object
        )


def _objects(names: list[str]) -> NDArray[np.object_]:
    return np.array(names or [""], dtype=object)
