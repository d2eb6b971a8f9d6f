"""ENIs that nothing in the topology tells apart for a service: what one of them reaches, all of a class reach.

Two ENIs are alike if they, and their instances, are described alike but for their own ids, names, tags, addresses and
groups; if nothing else in the topology names one of them; if the rows of their groups that the service can match are the
same; and if every set of addresses that such a row, or any other list on the way, looks at holds both or neither.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from pydantic import BaseModel

from netinsight.addresses import Range, parse_address
from netinsight.engine.kernels import ACTION, CERTAIN, COLUMNS, DESTINATION, PORT, PROTOCOL, SOURCE
from netinsight.flow import has_ports
from netinsight.model.base import Unknown
from netinsight.model.security_group import Direction
from netinsight.model.topology import Interface
from netinsight.network.build import Network
from netinsight.network.filters import Filter
from netinsight.network.ways.guest_known import firewall_of, routing_of

_OWN = {"network_interfaces", "name", "tags"}
_OWN_OF_ENI = {"ip", "name", "tags", "mac", "security_groups"}
_KEPT = (SOURCE, DESTINATION, PORT - 2, PORT - 1, ACTION, CERTAIN)
"""What a row that a service can match still says: sets, source ports, action, whether it is there."""

Key = tuple[Any, ...]


class GroupRows:
    """The lists of groups, as far as a service can match their rows."""

    def __init__(self, network: Network, protocol: int, port: int) -> None:
        self.network, self.protocol, self.port = network, protocol, port
        self._keys: dict[int, int] = {}
        self._numbers: dict[Key, int] = {}
        self._filters: dict[int, Filter] = {}

    def key(self, interface: Interface) -> Key:
        """What an ENI's groups say of the service; equal for ENIs whose groups say the same."""
        return tuple(self._key(packed) for packed in self.of(interface))

    def of(self, interface: Interface) -> Iterator[Filter]:
        """The lists of an ENI's groups, by every assumption about them."""
        groups = interface.eni.security_groups
        if isinstance(groups, Unknown):
            yield from (self.network.group_filter(interface, way) for way in (Direction.EGRESS, Direction.INGRESS))
            return
        yield self.network.groups_filter(tuple(groups), Direction.INGRESS)
        for intra_first in (True, False):
            yield self.network.groups_filter(tuple(groups), Direction.EGRESS, intra_first)

    def is_of_groups(self, packed: Filter) -> bool:
        """Whether a list is one of those that were asked for a key."""
        return id(packed) in self._filters

    def _key(self, packed: Filter) -> int:
        if id(packed) not in self._keys:
            rows = packed.table.rows
            said = tuple(tuple(rows[row * COLUMNS + column] for column in _KEPT) for row in self._matched(packed))
            self._filters[id(packed)] = packed
            self._keys[id(packed)] = self._numbers.setdefault(said, len(self._numbers))
        return self._keys[id(packed)]

    def _matched(self, packed: Filter) -> Iterator[int]:
        """The rows that the service can match, whatever the addresses and the client's ports."""
        rows = packed.table.rows
        for row in range(packed.table.count):
            at = row * COLUMNS
            if rows[at + PROTOCOL] <= self.protocol <= rows[at + PROTOCOL + 1] and (
                not has_ports(self.protocol) or rows[at + PORT] <= self.port <= rows[at + PORT + 1]
            ):
                yield row

    def sets(self, packed: Filter) -> Iterator[tuple[Range, ...]]:
        """The sets of addresses that a list looks at: of one of groups those of rows that the service can match."""
        table = packed.table
        ours = self.is_of_groups(packed)
        for row in self._matched(packed) if ours else range(table.count):
            for column in (SOURCE, DESTINATION):
                yield table.sets.ranges(table.rows[row * COLUMNS + column])

    def all_sets(self) -> Iterator[tuple[Range, ...]]:
        """Those of every list of groups that was asked for a key."""
        for packed in self._filters.values():
            yield from self.sets(packed)


def alike_for_all(network: Network, sets: Iterable[tuple[Range, ...]]) -> list[tuple[Interface, ...]]:
    """The classes of ENIs that nothing tells apart for any service: their groups are the same."""
    told = network.kept(("alike",), lambda: described(network))
    keys = {name: (key, repr(network.enis[name].eni.security_groups)) for name, key in told.items()}
    return [tuple(network.enis[name] for name in members) for members in alike(keys, addresses_of(network), sets)]


def alike(
    described: Mapping[str, Key], addresses: Mapping[str, int], sets: Iterable[tuple[Range, ...]]
) -> list[tuple[str, ...]]:
    """The classes of ENIs, by what is said of each and by the sets that hold its address; each in the order given.

    Parameters
    ----------
    sets
        Each sorted and disjoint, as packed rows hold them.
    """
    sides = Sides(sets)
    classes: dict[Key, list[str]] = {}
    for name, key in described.items():
        classes.setdefault((key, sides.of(addresses[name])), []).append(name)
    return [tuple(members) for members in classes.values()]


class Sides:
    """Which of many sets hold an address, as one number: of equal numbers the same sets do.

    Each set has 128 bits of a hash, and the number is their sum without carry: that two sums meet by chance is as unlikely as
    that two hashes do.
    """

    def __init__(self, sets: Iterable[tuple[Range, ...]]) -> None:
        turns: dict[int, int] = {}
        for number, held in enumerate(set(sets)):
            mark = int.from_bytes(blake2b(number.to_bytes(8), digest_size=16).digest())
            for first, last in held:
                turns[first] = turns.get(first, 0) ^ mark
                turns[last + 1] = turns.get(last + 1, 0) ^ mark
        self.edges, self.sums, total = sorted(turns), [0], 0
        for edge in self.edges:
            total ^= turns[edge]
            self.sums.append(total)

    def of(self, address: int) -> int:
        """The number of an address."""
        return self.sums[bisect_right(self.edges, address)]


def addresses_of(network: Network) -> dict[str, int]:
    """The primary address of each ENI."""
    return {name: parse_address(interface.eni.ip) for name, interface in network.enis.items()}


def described(network: Network) -> dict[str, Key]:
    """Of each ENI what it and its instance are said to be, its groups aside; of one that is a case of its own, its id."""
    topology = network.topology
    named = _named_elsewhere(topology)
    found: dict[str, Key] = {}
    for name, interface in network.enis.items():
        instance_id = interface.instance_id or ""
        instance = topology.instances.get(instance_id)
        eni = interface.eni
        if (
            instance is None
            or len(instance.network_interfaces) > 1
            or instance.public_ip is not None
            or firewall_of(network, instance_id, 4) is not None
            or routing_of(network, instance_id) is not None
            or eni.secondary_ips
            or eni.ipv6_addresses
            or not named.isdisjoint((name, instance_id, eni.ip))
        ):
            found[name] = (name,)
        else:
            found[name] = (instance.model_dump_json(exclude=_OWN), eni.model_dump_json(exclude=_OWN_OF_ENI))
    return found


def _named_elsewhere(topology: BaseModel) -> set[str]:
    """Every text of the topology outside its instances: who stands there is told apart by its id or address."""
    waiting = [getattr(topology, name) for name in type(topology).model_fields if name != "instances"]
    found: set[str] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, BaseModel):
            waiting += value.__dict__.values()
        elif isinstance(value, Mapping):
            waiting += [*value, *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += value
    return found
