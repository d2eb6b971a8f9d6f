"""The routing of a guest: its addresses, rules and tables, and where it sends a packet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from netinsight.addresses import Prefix, family
from netinsight.errors import InputError, visible
from netinsight.guest import ipv4, ipv6
from netinsight.guest.address_rows import read_addresses
from netinsight.guest.lines import Problems, Written
from netinsight.guest.local_table import local_v4, local_v6
from netinsight.guest.packets import Doubts, Found, Hit, Packet, Settings
from netinsight.guest.route_rows import read_routes
from netinsight.guest.rows import HostAddress, Interface, NextHop, Route, Rule, default_rules, is_default
from netinsight.guest.rule_rows import read_rules
from netinsight.guest.source_address import source_v4
from netinsight.guest.tables import Table, find_v4

__all__ = ["Found", "Packet", "ReversePath", "Routing", "Settings", "Written", "read_routing", "reverse_path"]

Text = str | Written


@dataclass(frozen=True)
class Routing:
    """What a guest printed of its routing."""

    routes: tuple[Route, ...]
    addresses: tuple[HostAddress, ...]
    interfaces: dict[str, Interface]
    addresses_known: bool
    rules: dict[int, tuple[Rule, ...]]
    rules_known: frozenset[int]
    """The families (4, 6) whose rules were printed; of the others look-ups take those that a kernel begins with, and say so."""
    settings: Settings = field(default_factory=Settings)

    def look_up(
        self, destination: int, source: int | None = None, *, in_interface: str = "", out_interface: str = "",
        mark: int = 0, protocol: int | None = None, source_port: int | None = None, destination_port: int | None = None,
    ) -> Found:  # fmt: skip
        """Where a packet goes.

        With ``in_interface`` it comes in there, to be passed on or taken in; without, the guest sends it, and where
        ``source`` is left out the kernel selects one.

        Raises
        ------
        ValueError
            Where source and destination are of different families.
        """
        if source is not None and family(source) != family(destination):
            raise ValueError("the source and the destination are of different families")
        packet = Packet(destination, source, in_interface, out_interface, mark, protocol, source_port, destination_port)
        doubts = Doubts()
        self._doubt_what_is_not_known(packet.family, doubts)
        if packet.family == 6:
            return ipv6.find(self, packet, doubts)
        return ipv4.incoming(self, packet, doubts) if in_interface else ipv4.output(self, packet, doubts)

    def _doubt_what_is_not_known(self, version: int, doubts: Doubts) -> None:
        if version not in self.rules_known:
            doubts.add(f"the rules of IPv{version} are not known; those that a kernel begins with are taken")
        if not self.addresses_known and not self.has_local[version]:
            doubts.add("neither the addresses nor the local table are known")

    @cached_property
    def has_local(self) -> dict[int, bool]:
        """Whether the local table of a family was printed."""
        return {v: any(one.table == "local" and one.family == v for one in self.routes) for v in (4, 6)}

    @cached_property
    def address_sets(self) -> frozenset[Prefix]:
        """Every block of addresses that a look-up may ask for."""
        rules = (rule for rules in self.rules.values() for rule in rules)
        asked = (block for rule in rules for block in (rule.source, rule.destination) if block)
        return frozenset([*asked, *(route.prefix for route in self.routes)])

    @cached_property
    def _tables(self) -> dict[tuple[int, str], Table]:
        rows: dict[tuple[int, str], list[Route]] = {}
        made = [] if self.has_local[4] else list(local_v4(self.addresses, self.interfaces))
        made += [] if self.has_local[6] else list(local_v6(self.addresses, self.interfaces))
        for route in (*self.routes, *made):
            rows.setdefault((route.family, route.table), []).append(route)
        return {name: Table(routes) for name, routes in rows.items()}

    def table(self, version: int, name: str) -> Table:
        """A table of a family; an empty one where it has no routes."""
        return self._tables.get((version, name)) or Table(())

    @cached_property
    def merged(self) -> Table | None:
        """Tables local and main as one, which they are in IPv4 while the rules are those that a kernel begins with."""
        if not is_default(self.rules[4], 4):
            return None
        return Table((*self.table(4, "local").routes, *self.table(4, "main").routes))

    @cached_property
    def custom(self) -> bool:
        """Whether the kernel asks the tables of a source's way back, and not its own addresses alone (IPv4)."""
        own = any(one.type == "local" and one.family == 4 and not one.kernel for one in self.routes)
        return own or not is_default(self.rules[4], 4)

    @cached_property
    def _only_main(self) -> bool:
        return all(one.table == "main" for one in self.routes)

    def doubt_table(self, version: int, name: str, doubts: Doubts) -> None:
        """A table without rows is empty, but not where only ``main`` was printed."""
        if self._only_main and name not in ("local", "main", "default"):
            doubts.add(f"table {name} is not among the routes: were those of all tables printed?")

    @cached_property
    def _own(self) -> frozenset[int]:
        return frozenset(one.address for one in self.addresses)

    def has_address(self, address: int) -> bool:
        """Whether an address is one of the guest's."""
        if self.addresses_known:
            return address in self._own
        return any(address == one.prefix.first == one.prefix.last for one in self.table(4, "local").routes
                   if one.type == "local")  # fmt: skip

    def holder(self, address: int) -> str | None:
        """The interface of an address of the guest's, or the loopback's where a local route says so (IPv4)."""
        for one in self.addresses:
            if one.address == address:
                return one.interface
        hit = find_v4(self.merged or self.table(4, "local"), Packet(address), self.settings, Doubts())
        return hit.hop.interface if hit and hit.hop and hit.route.type == "local" else None

    def gateway(self, hop: NextHop) -> int | None:
        """The gateway of a hop of IPv4; one that is the guest itself means the link."""
        own = hop.gateway is not None and not hop.via_other_family and self.holder(hop.gateway) is not None
        return None if own else hop.gateway

    def unusable(self, interface: str) -> str:
        """Why nothing can go by an interface; empty where it can, or nothing is known of interfaces."""
        if not interface or not self.interfaces:
            return ""
        if interface not in self.interfaces:
            return f"no interface `{visible(interface)}`"
        return "" if self.interfaces[interface].up else f"`{visible(interface)}` is down"

    def select_v4(self, interface: str, near: int | None, scope: int, doubts: Doubts) -> int | None:
        """The source that the kernel selects for an interface."""
        if not self.addresses_known:
            doubts.add("the source: the addresses are not known")
            return None
        found = source_v4(self.addresses, self.interfaces, interface, near, scope)
        for one in self.addresses:
            if one.address == found and one.strange:
                doubts.add(f"address of line {one.line}: `{'`, `'.join(one.strange)}` is not modelled")
        return found


@dataclass(frozen=True, slots=True)
class ReversePath:
    """Whether ``rp_filter`` lets a source in by an interface."""

    passes: bool
    reason: str = ""
    doubts: tuple[str, ...] = ()


def reverse_path(
    routing: Routing, source: int, destination: int, in_interface: str, *, mode: str = "strict", mark: int = 0
) -> ReversePath:
    """What ``rp_filter`` says of a packet that comes in by ``in_interface``: ``strict`` (1), ``loose`` (2), ``off`` (0).

    IPv6 has none. Of a packet that is passed on the way back is asked as for one from the interface that it leaves by.
    """
    if family(source) == 6:
        return ReversePath(True, "IPv6 has no rp_filter")
    doubts = Doubts()
    routing._doubt_what_is_not_known(4, doubts)
    packet = Packet(destination, source, in_interface, "", mark)
    hit = ipv4.look(routing, packet, doubts)
    passed_on = isinstance(hit, Hit) and hit.route.type == "unicast" and hit.hop is not None
    leaves_by = hit.hop.interface if passed_on and isinstance(hit, Hit) and hit.hop else ""
    wrong = ipv4.invalid(routing, packet, leaves_by, doubts, {"off": 0, "strict": 1, "loose": 2}[mode])
    return ReversePath(not wrong, wrong, tuple(doubts.told))


def read_routing(
    addresses: Text | None, rules: Text | None, routes: Text, *, rules6: Text | None = None, routes6: Text | None = None,
    tables: Mapping[str, int] | None = None, settings: Settings | None = None,
) -> Routing:  # fmt: skip
    """The routing of a Linux guest, from what ``ip`` printed as text or with ``-j``.

    Parameters
    ----------
    addresses
        ``ip address``; None: not collected.
    rules
        ``ip rule``; ``rules6``: ``ip -6 rule``; None: not collected.
    routes
        ``ip route show table all``; ``routes6``: ``ip -6 route show table all``, where they are apart.
    tables
        The numbers of tables by their names, where they have names (/etc/iproute2/rt_tables).

    Raises
    ------
    InputError
        With every mistake in any of them.
    """
    problems = Problems()
    numbers = {name: str(number) for name, number in (tables or {}).items()}
    interfaces, own = read_addresses(_written(addresses, "addresses"), problems) if addresses is not None else ({}, ())
    known = {version: read_rules(_written(text, name), version, numbers, problems)
             for version, text, name in ((4, rules, "rules"), (6, rules6, "rules6")) if text is not None}  # fmt: skip
    rows = read_routes(_written(routes, "routes"), 4, numbers, problems)
    if routes6 is not None:
        rows += read_routes(_written(routes6, "routes6"), 6, numbers, problems)
    if problems.found:
        raise InputError(problems.found)
    return Routing(rows, own, interfaces, addresses is not None,
                   {version: known.get(version, default_rules(version)) for version in (4, 6)}, frozenset(known),
                   settings or Settings())  # fmt: skip


def _written(text: Text, name: str) -> Written:
    return text if isinstance(text, Written) else Written(text, f"<{name}>")
