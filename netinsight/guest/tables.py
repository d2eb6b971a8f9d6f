"""Tables of routes: longest prefix, then metric, then order; by the kernel's ways of IPv4 and of IPv6."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from netinsight.addresses import V4_FIRST, block, contains
from netinsight.guest.packets import Doubts, Hit, Packet, Settings
from netinsight.guest.rows import ERRORS, NextHop, Route

STRICT_V6 = (block("ff00::/8"), block("fe80::/10"), block("::1/128"))
"""Addresses that mean something on one link only."""


class Table:
    """Routes by their prefix."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self.by_length: dict[int, dict[int, list[Route]]] = {}
        for route in self.routes:
            if route.prefix.first <= route.prefix.last:
                self.by_length.setdefault(route.prefix.length, {}).setdefault(route.prefix.first, []).append(route)
        for nodes in self.by_length.values():
            for node in nodes.values():  # where two tables are one, local goes before main
                node.sort(key=lambda route: (route.table != "local", route.metric))
        self.lengths = sorted(self.by_length, reverse=True)

    def nodes(self, destination: int, family: int) -> Iterator[list[Route]]:
        """The routes to a destination, by their prefix, the longest first."""
        base, width = (V4_FIRST, 32) if family == 4 else (0, 128)
        for length in self.lengths:
            low = width - length
            if node := self.by_length[length].get(base + ((destination - base) >> low << low)):
                yield node


def find_v4(table: Table, packet: Packet, settings: Settings, doubts: Doubts) -> Hit | None:
    """The first route to the destination with a hop that may be taken; of routes to nowhere the route alone."""
    for node in table.nodes(packet.destination, 4):
        for route in node:
            if _passed_over(route, doubts):
                continue
            if route.type in ERRORS:
                return None if route.type == "throw" else Hit(route)
            hops = [hop for hop in route.hops if not hop.dead and not (hop.linkdown and settings.ignore_linkdown)]
            hops = [hop for hop in hops if packet.out_interface in ("", hop.interface)]
            if hops:
                if not packet.out_interface:
                    _several_defaults(route, node, doubts)
                return Hit(route, hops[0], route.hops if not packet.out_interface else tuple(hops))
    return None


def _passed_over(route: Route, doubts: Doubts) -> bool:
    for words in route.strange:
        doubts.add(f"route of line {route.line}: `{words}` is not modelled")
    return route.narrowed


def _several_defaults(route: Route, node: Sequence[Route], doubts: Doubts) -> None:
    """Of defaults with one metric the kernel takes one whose gateway answers."""
    alike = [one for one in node if one.table == route.table and one.metric == route.metric and one.type == "unicast"
             and not one.strange and any(hop.gateway is not None for hop in one.hops)]  # fmt: skip
    if route.prefix.length == 0 and len(route.hops) == 1 and route in alike and len(alike) > 1:
        lines = ", ".join(str(one.line) for one in alike)
        doubts.add(f"the defaults of lines {lines} have one metric: the kernel takes one whose gateway answers")


def find_v6(table: Table, packet: Packet, settings: Settings, doubts: Doubts) -> Hit | None:
    """The best route of the longest prefix that has any: by metric, then interface and preference, then order."""
    wanted = packet.in_interface or packet.out_interface
    strict = contains(STRICT_V6, packet.destination)
    strict = strict or (not packet.in_interface and bool(wanted) and packet.source is None)
    for node in table.nodes(packet.destination, 6):
        for _, alike in groupby(node, key=lambda route: route.metric):
            if hit := _best(list(alike), wanted, strict, settings, doubts):
                return None if hit.route.type == "throw" else hit
    return None


def _best(routes: list[Route], wanted: str, strict: bool, settings: Settings, doubts: Doubts) -> Hit | None:
    best: Hit | None = None
    most = -10
    for route in routes:
        ways = route.hops or (NextHop("lo"),)
        fits = tuple(hop for hop in ways if not hop.dead and not (hop.linkdown and settings.ignore_linkdown)
                     and (not strict or wanted in ("", hop.interface)))  # fmt: skip
        if not fits or _passed_over(route, doubts):
            continue
        for hop in fits:
            score = (2 if wanted in ("", hop.interface) else 0) + route.preference * 4
            if score > most:
                most, best = score, Hit(route, None if route.type in ERRORS else hop, fits)
            elif best and score == most and route is not best.route and hop.gateway and best.hop and best.hop.gateway:
                doubts.add(f"the routes of lines {best.route.line} and {route.line} may be the hops of one")
    return best
