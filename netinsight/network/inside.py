"""The ENIs of a batch and all their lists as the flat arrays that ``kernels.inside_flows`` reads.

Every list is the packed rows of ``network.build``, one after the other; nothing of the policy is said anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from netinsight.engine import kernels
from netinsight.engine.classify import Decision
from netinsight.engine.compiled import compiled
from netinsight.engine.spaces import Box
from netinsight.engine.tables import halves
from netinsight.flow import PortRange
from netinsight.model.base import Unknown
from netinsight.model.security_group import Direction
from netinsight.network.build import Network
from netinsight.network.ends import End, Ends, Kind, client_ports, unmet_preconditions
from netinsight.network.filters import SERVICE, Filter, Origin
from netinsight.network.stages import eni as eni_stage
from netinsight.network.ways.guest_known import firewall_of, routing_of
from netinsight.network.ways.publics import cut_through

V4_HIGH = 0xFFFF
"""What the upper bits of an IPv4 address of the line are (``addresses``: IPv4 mapped)."""
UNSEEN = 1 << 40
"""A vSwitch in which no ENI of the batch stands."""


def key_of(end: End) -> tuple[str, int]:
    return (end.interface.id if end.interface else "", end.address or 0)


class Inside:
    """The ENIs of a batch and all their lists as the flat arrays that the kernel reads."""

    def __init__(
        self,
        network: Network,
        ends: dict[tuple[str, int], End],
        stops_of: Callable[[End, int], list[tuple[int, int, int]]],
    ) -> None:
        self.network, self._stops_of = network, stops_of
        self._lists: dict[int, int] = {}
        self.filters: list[Filter] = []
        self._vswitches: dict[str, int] = {}
        self._numbers: dict[tuple[str, int], int] = {}
        self.ends: list[End] = []
        vswitches: list[tuple[int, int, int]] = []
        enis: list[tuple[int, ...]] = []
        inside = not self.network.topology.dialect.acl_inside_vswitch
        for key, end in ends.items() if inside else ():
            if self._is_plain(end):
                self._numbers[key] = len(self.ends)
                self.ends.append(end)
                enis.append(self._eni(end, vswitches))
        self.enis = np.array(enis, dtype=np.int64).reshape(-1)
        self.vswitches = np.array(vswitches, dtype=np.int64).reshape(-1)
        self._join()
        self._stops()

    def _is_plain(self, end: End) -> bool:
        """Whether the kernel knows all that an ENI does: IPv4, no EIP that its guest sees, no routes and rules of its guest."""
        is_v4 = end.address is not None and end.address >> 32 == V4_HIGH
        if not is_v4 or end.interface is None or routing_of(self.network, end.instance_id) is not None:
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
            self._lists[id(packed)] = len(self.filters)
            self.filters.append(packed)
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

    def _stops(self) -> None:
        stops: list[tuple[int, int, int]] = []
        starts = [0]
        for end in self.ends:
            for role in (0, 1):
                stops += self._stops_of(end, role)
                starts.append(len(stops))
        self.stops = np.array(stops or [(0, -1, 0)], dtype=np.int64).reshape(-1)
        self.stop_starts = np.array(starts, dtype=np.int64)

    def decide(self, asked: NDArray[np.int64], *, one_way: bool) -> NDArray[np.int64]:
        """Outcome, stage and row of flows between ENIs, shape (n, 3); ``asked`` as the kernel takes them, shape (n, 6)."""
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

    @cached_property
    def client_ports(self) -> NDArray[np.int64]:
        """First and last port that each ENI sends from, where the question does not say; shape (n, 2)."""
        return np.array([client_ports(self.network, end) for end in self.ends], dtype=np.int64).reshape(-1, 2)
