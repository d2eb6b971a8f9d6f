"""Many flows at once, as arrays: the verdict of each, and what stops it first.

::

    flows ─ ends looked up once each ─┬─ between two ENIs: kernels.inside_flows, by the packed rows
                                      └─ all others, and what the kernel leaves open: the walk, once for each question

Both ways decide by the same rows; the tests hold the arrays equal to one diagnosis after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from netinsight.diagnosis.case import Case, Result, Status
from netinsight.diagnosis.catalogue import Catalogue
from netinsight.diagnosis.diagnose import CHECKS, judge, walked
from netinsight.diagnosis.evaluation import Columns, Evaluation, Owners, Said
from netinsight.diagnosis.flow_columns import Flows, read_flows
from netinsight.diagnosis.verdict import answer
from netinsight.engine import kernels
from netinsight.engine.spaces import Box
from netinsight.errors import Mistakes, QuestionError
from netinsight.flow import TCP, UDP, PortRange, Question, Verdict, has_ports
from netinsight.network.build import Network
from netinsight.network.ends import End, Ends, Kind, find_end, find_ends
from netinsight.network.inside import Inside, is_v4
from netinsight.network.kinds import distinct
from netinsight.network.steps import Walk
from netinsight.network.ways.walker import Walker

P = TypeVar("P")
_NOBODY = -1


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
        self._walked: dict[tuple[Any, ...], Said] = {}
        self._found: dict[str, End] = {}
        self._asked: set[tuple[str, str]] = set()
        self._pack = Inside(self.network, self.stops_of)
        self._owners = Owners(self._pack, list(catalogue.items))

    def evaluate_all(self, parts: Iterable[P], mistakes: Mistakes) -> Iterator[tuple[P, Flows, Evaluation]]:
        """Flows in parts, each evaluated when it is asked for: the part, its flows as numbers, what is said of them.

        Parameters
        ----------
        parts
            Columns, as ``net.evaluate`` takes them; those with an attribute ``where`` tell the places of their flows.
        mistakes
            Those of all parts. After the first, parts are looked through for more, and not evaluated.

        Raises
        ------
        InputError
            After the last part, with the flows that cannot be asked.
        """
        for part in parts:
            flows = read_flows(part, mistakes)
            self.check(flows, mistakes)
            if not mistakes:
                yield part, flows, self.evaluate(flows)
        mistakes.refuse()

    def check(self, flows: Flows, mistakes: Mistakes) -> None:
        """Tell which flows cannot be asked; ``evaluate`` takes those of which none is told."""
        ends = self._ends(flows, mistakes)
        self._check_pairs(flows, ends, mistakes)

    def evaluate(self, flows: Flows) -> Evaluation:
        """The verdict of every flow."""
        ends = [self.end(name) for name in flows.names]
        self._pack.extend(ends)
        if len(self._owners.enis) != len(self._pack.ends):
            self._owners = Owners(self._pack, list(self.catalogue.items))
        found = np.full((len(flows), 3), kernels.OPEN, dtype=np.int64)
        a, b = (
            np.array([self._pack.number(end, asked_public=public) for end in ends] or [-1], dtype=np.int64)[column]
            for column, public in ((flows.source, False), (flows.destination, True))
        )
        ported = (flows.protocol == TCP) | (flows.protocol == UDP)
        inside = np.flatnonzero(ported & (a >= 0) & (b >= 0) & self._pack.apart(a, b))
        if len(inside):
            found[inside] = self._decide(a[inside], b[inside], flows, inside)
        said = Columns(len(flows))
        said.fill_inside(found, a, b, self._owners)
        self._walk_the_rest(np.flatnonzero(found[:, 0] == kernels.OPEN), flows, said)
        return said.evaluation()

    def packed_whole(self) -> Inside:
        """Every ENI of the topology packed."""
        self._pack.extend(self.end(name) for name in self.network.enis)
        return self._pack

    def _decide(
        self, a: NDArray[np.int64], b: NDArray[np.int64], flows: Flows, rows: NDArray[np.intp]
    ) -> NDArray[np.int64]:
        """Outcome, stage and row of flows between ENIs."""
        clients, given = self._pack.client_ports, flows.source_port[rows]
        first = np.where(given > 0, given, clients[a, 0])
        last = np.where(given > 0, given, clients[a, 1])
        asked = np.stack([a, b, flows.protocol[rows], first, last, flows.port[rows]], axis=1)
        return self._pack.decide(asked, one_way=self.one_way)

    def _ends(self, flows: Flows, mistakes: Mistakes) -> list[End | None]:
        """What each name means; None where it means nothing."""
        ends: list[End | None] = []
        for number, name in enumerate(flows.names):
            try:
                ends.append(self.end(name))
            except QuestionError as error:
                ends.append(None)
                if name:  # that one is left out is told already
                    _tell_name(flows, number, error, mistakes)
        return ends

    def end(self, name: str) -> End:
        """What a name means; it is looked up once."""
        if name not in self._found:
            self._found[name] = find_end(self.network, name)
        return self._found[name]

    def _check_pairs(self, flows: Flows, ends: list[End | None], mistakes: Mistakes) -> None:
        """Tell the pairs that are no question, such as two ends that are one.

        Two ENIs that are asked by their private IPv4 addresses, of different owners, always are one.
        """
        owners: dict[str, int] = {}
        owner = np.full(len(ends) or 1, _NOBODY, dtype=np.int64)
        for number, end in enumerate(ends):
            if end and end.kind is Kind.ENI and end.interface and not end.public and is_v4(end):
                owner[number] = owners.setdefault(end.instance_id or f"eni {end.interface.id}", len(owners))
        known = np.array([end is not None for end in ends] or [False])
        a, b = owner[flows.source], owner[flows.destination]
        rows = np.flatnonzero((a == _NOBODY) | (b == _NOBODY) | (a == b))
        rows = rows[known[flows.source[rows]] & known[flows.destination[rows]]]
        first, _ = distinct([flows.source[rows], flows.destination[rows]])
        for row in rows[first].tolist():
            pair = flows.names[flows.source[row]], flows.names[flows.destination[row]]
            if pair in self._asked:
                continue
            try:
                find_ends(self.network, Question(*pair, TCP, PortRange(1, 1)))
                self._asked.add(pair)
            except QuestionError as error:
                for one in error.problems:
                    mistakes.tell_once(flows.problem(row, "src", one.message, one.hint))

    def _walk_the_rest(self, rows: NDArray[np.intp], flows: Flows, said: Columns) -> None:
        """Every distinct question is walked once, and never again."""
        columns = [
            one[rows] for one in (flows.source, flows.destination, flows.protocol, flows.port, flows.source_port)
        ]
        first, which = distinct(columns)
        answers = []
        for source, destination, *numbers in np.stack(columns, axis=1)[first].tolist():
            key = (flows.names[source], flows.names[destination], *numbers)
            if key not in self._walked:
                self._walked[key] = self._walk(*key)
            answers.append(self._walked[key])
        if answers:
            said.put(rows, answers, which)

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
        case = walked(self.network, question, self.at, self.catalogue, self.with_guest, of_many=True, seen=seen)
        results, walks = judge(case), case.walks
        verdict = answer(case, results).verdict
        first = next((result for result in results if result.blocks(self.catalogue)), None)
        if first is None and verdict is Verdict.UNDETERMINED:
            first = next((result for result in results if result.status is Status.UNKNOWN), None)
        if first is None:
            return Said(verdict.value), walks
        origin = first.parts[0][0].origin if first.parts else None
        return Said(verdict.value, first.item, first.object.id, origin.id if origin and origin.is_rule else ""), walks

    def stops_of(self, end: End, role: int) -> list[tuple[int, int, int]]:
        """What the state of an end stops: (first port, last port, the item's order), by order; UDP shifted."""
        stops = []
        for protocol, shift in ((TCP, 0), (UDP, kernels.UDP_SHIFT)):
            for result in self._judged(end, role, protocol):
                order = self._order[result.item]
                if result.blocks(self.catalogue):
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


def _tell_name(flows: Flows, number: int, error: QuestionError, mistakes: Mistakes) -> None:
    """A name that means nothing, where it stands first."""
    rows = np.flatnonzero((flows.source == number) | (flows.destination == number))
    row = int(rows[0])
    column = "src" if flows.source[row] == number else "dst"
    for one in error.problems:
        mistakes.tell_once(flows.problem(row, column, one.message, one.hint))
