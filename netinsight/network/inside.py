"""The ENIs of a batch and all their lists as the flat arrays that ``kernels.inside_flows`` reads.

Every list is the packed rows of ``network.build``, one after the other; nothing of the policy is said anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from netinsight.engine import kernels
from netinsight.engine.classify import Decision
from netinsight.engine.compiled import compiled
from netinsight.engine.spaces import Box
from netinsight.engine.tables import halves
from netinsight.flow import LAST_PORT, PortRange
from netinsight.model.base import Unknown
from netinsight.model.security_group import Direction
from netinsight.network.build import Network
from netinsight.network.ends import End, Ends, Kind, client_ports, unmet_preconditions
from netinsight.network.filters import SERVICE, Filter, Origin
from netinsight.network.kinds import Kinds, distinct
from netinsight.network.stages import eni as eni_stage
from netinsight.network.ways.guest_known import firewall_of, routing_of
from netinsight.network.ways.publics import cut_through

V4_HIGH = 0xFFFF
"""What the upper bits of an IPv4 address of the line are (``addresses``: IPv4 mapped)."""
UNSEEN = 1 << 40
"""A vSwitch in which no ENI of the batch stands."""


def key_of(end: End) -> tuple[str, int]:
    return (end.interface.id if end.interface else "", end.address or 0)


def is_v4(end: End) -> bool:
    """Whether an end is one IPv4 address."""
    return end.address is not None and end.address >> 32 == V4_HIGH


class Inside:
    """The ENIs of all batches so far and all their lists as the flat arrays that the kernel reads."""

    def __init__(self, network: Network, stops_of: Callable[[End, int], list[tuple[int, int, int]]]) -> None:
        self.network, self._stops_of = network, stops_of
        self._lists: dict[int, int] = {}
        self.filters: list[Filter] = []
        self._vswitches: dict[str, int] = {}
        self._vswitch_rows: list[tuple[int, int, int]] = []
        self._numbers: dict[tuple[str, int], int] = {}
        self._known: set[tuple[str, int]] = set()
        self._eni_rows: list[tuple[int, ...]] = []
        self._stop_rows: list[tuple[int, int, int]] = []
        self._stop_starts = [0]
        self.ends: list[End] = []
        self._join()

    def extend(self, ends: Iterable[End]) -> None:
        """Pack the ENIs of a batch that were in none before; those that are packed keep their numbers."""
        wanted = {key_of(end): end for end in ends if end.kind is Kind.ENI and end.interface}
        new = wanted.keys() - self._known
        if not new or self.network.topology.dialect.acl_inside_vswitch:
            return
        self._known |= new
        for key, end in wanted.items():
            if key in new and self._is_plain(end):
                self._numbers[key] = len(self.ends)
                self.ends.append(end)
                self._eni_rows.append(self._eni(end))
                for role in (0, 1):
                    self._stop_rows += self._stops_of(end, role)
                    self._stop_starts.append(len(self._stop_rows))
        self._join()

    def _is_plain(self, end: End) -> bool:
        """Whether the kernel knows all that an ENI does: IPv4, no EIP that its guest sees, no routes and rules of its guest."""
        if not is_v4(end) or end.interface is None or routing_of(self.network, end.instance_id) is not None:
            return False
        if firewall_of(self.network, end.instance_id, 4) is not None:
            return False
        return cut_through(self.network, end.interface) is None

    def number(self, end: End, *, asked_public: bool) -> int:
        """The number of an end among the ENIs of the kernel; -1 where only a walk can tell."""
        if end.kind is not Kind.ENI or end.interface is None or (asked_public and end.public):
            return -1
        return self._numbers.get(key_of(end), -1)

    def apart(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Where two ends are not one ENI or instance (that is no question, and the walk says so)."""
        apart: NDArray[np.bool_] = self._owner[np.maximum(a, 0)] != self._owner[np.maximum(b, 0)]
        return apart

    def _eni(self, end: End) -> tuple[int, ...]:
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
            self._vswitch(interface.eni.vswitch),
            state,
            kernels.STOPPED if unmet else kernels.PASSES,
        )

    def _list(self, packed: Filter) -> int:
        if id(packed) not in self._lists:
            self._lists[id(packed)] = len(self.filters)
            self.filters.append(packed)
        return self._lists[id(packed)]

    def _vswitch(self, name: str) -> int:
        if name not in self._vswitches:
            self._vswitches[name] = len(self._vswitch_rows)
            self._vswitch_rows.append((0, 0, 0))  # its number first: its table may name it
            self._vswitch_rows[-1] = self._lists_of(name)
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
        for packed in self.filters:
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
        self.enis = np.array(self._eni_rows, dtype=np.int64).reshape(-1)
        self.vswitches = np.array(self._vswitch_rows, dtype=np.int64).reshape(-1)
        self.stops = np.array(self._stop_rows or [(0, -1, 0)], dtype=np.int64).reshape(-1)
        self.stop_starts = np.array(self._stop_starts, dtype=np.int64)
        ports = [client_ports(self.network, end) for end in self.ends]
        self.client_ports = np.array(ports, dtype=np.int64).reshape(-1, 2)
        """First and last port that each ENI sends from, where the question does not say."""
        owners: dict[str, int] = {}
        owned = [owners.setdefault(end.instance_id or f"eni {key_of(end)[0]}", len(owners)) for end in self.ends]
        self._owner = np.array(owned or [0], dtype=np.int64)
        self._kinds = Kinds(self)

    def decide(self, asked: NDArray[np.int64], *, one_way: bool) -> NDArray[np.int64]:
        """Outcome, stage and row of flows between ENIs, shape (n, 3); ``asked`` as the kernel takes them, shape (n, 6).

        Flows that no list tells apart are decided once.
        """
        first, which = self._kinds.distinct(asked)
        decided = self.outcomes(asked[first], one_way=one_way)
        self._name_routes(asked[first], decided)
        return decided[which]

    def outcomes(self, asked: NDArray[np.int64], *, one_way: bool) -> NDArray[np.int64]:
        """As ``decide``, each flow for itself, and no row of a route that stops it."""
        found = np.empty(3 * len(asked), dtype=np.int64)
        last_stage = kernels.AT_DESTINATION_ENI if one_way else kernels.AT_REPLY_ACL_IN
        compiled().inside_flows(
            self.rows, self.lists, self.leads_to, self.bounds, self.starts, self.enis, self.vswitches, self.stops,
            self.stop_starts, asked.reshape(-1), len(asked), last_stage, found,
        )  # fmt: skip
        return found.reshape(-1, 3)

    def groups_say(self, asked: NDArray[np.int64], step: int) -> NDArray[np.int64]:
        """What the groups of one end say of flows between ENIs (``kernels.group_flows``), shape (n,); ``asked`` as ``decide``."""
        found = np.empty(len(asked), dtype=np.int64)
        compiled().group_flows(
            self.rows, self.lists, self.bounds, self.starts, self.enis, asked.reshape(-1), len(asked), step, found
        )
        return found

    def _name_routes(self, asked: NDArray[np.int64], decided: NDArray[np.int64]) -> None:
        """The rows of the routes that stop flows, which the kernel does not tell: a local one that leads elsewhere."""
        enis = self.enis.reshape(-1, kernels.ENI_COLUMNS)
        for stage, sender, receiver in ((kernels.AT_ROUTE, 0, 1), (kernels.AT_REPLY_ROUTE, 1, 0)):
            rows = np.flatnonzero((decided[:, 0] == kernels.STOPPED) & (decided[:, 1] == stage))
            own, target = enis[asked[rows, sender], kernels.ENI_VSWITCH], asked[rows, receiver]
            first, which = distinct([own, target])
            found = [
                self._route(vswitch, enis[to, kernels.ENI_HIGH], enis[to, kernels.ENI_LOW])
                for vswitch, to in zip(own[first].tolist(), target[first].tolist(), strict=True)
            ]
            decided[rows, 2] = np.array(found or [-1], dtype=np.int64)[which]

    def _route(self, vswitch: int, high: int, low: int) -> int:
        """The row by which a vSwitch sends to an address; -1 for one in its own block, which needs no route."""
        routes = self._vswitch_rows[vswitch][kernels.ROUTES]
        row = compiled().first_for_box(
            self.rows, self.lists[2 * routes], self.lists[2 * routes + 1], self.bounds, self.starts, high, low, high, low,
            0, 0, LAST_PORT, 0, LAST_PORT,
        )  # fmt: skip
        return -1 if row >= 0 and self.leads_to[row] == vswitch else int(row)
