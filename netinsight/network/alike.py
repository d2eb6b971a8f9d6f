"""ENIs that nothing in the topology tells apart: what one of them reaches, all of a class reach.

Two ENIs are alike if they, and their instances, are described alike but for their own ids, names, tags and addresses; if
nothing else in the topology names one of them; and if every set of addresses that some rule looks at holds the addresses
of both or of neither. Those sets are known from what has been packed and walked: ``split`` takes further ones.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from pydantic import BaseModel

from netinsight.addresses import Range, parse_address
from netinsight.model.topology import Interface
from netinsight.network.build import Network
from netinsight.network.ways.guest_rules import firewall_of
from netinsight.network.ways.guests import routing_of

_OWN = {"network_interfaces", "name", "tags"}
_OWN_OF_ENI = {"ip", "name", "tags", "mac"}


class Alike(NamedTuple):
    """A class: its ENIs in the order of the topology."""

    members: tuple[Interface, ...]

    @property
    def first(self) -> Interface:
        """The one that is asked for all."""
        return self.members[0]


def alike(network: Network, sets: Iterable[tuple[Range, ...]]) -> list[Alike]:
    """The classes of all ENIs, by what is described and by the sets of addresses that are looked at.

    Parameters
    ----------
    sets
        Each sorted and disjoint, as packed rows hold them.
    """
    described = network.kept(("alike",), lambda: _described(network))
    sides = _Sides(sets)
    classes: dict[Any, list[Interface]] = {}
    for interface, key in zip(network.enis.values(), described, strict=True):
        classes.setdefault((key, sides.of(parse_address(interface.eni.ip))), []).append(interface)
    return [Alike(tuple(members)) for members in classes.values()]


class _Sides:
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


def _described(network: Network) -> list[Any]:
    """Of each ENI what it and its instance are said to be; of one that is a case of its own, its id."""
    topology = network.topology
    named = _named_elsewhere(topology)
    found: list[Any] = []
    for interface in network.enis.values():
        instance_id = interface.instance_id or ""
        instance = topology.instances.get(instance_id)
        eni = interface.eni
        of_its_own = (
            instance is None
            or len(instance.network_interfaces) > 1
            or instance.public_ip is not None
            or firewall_of(network, instance_id, 4) is not None
            or routing_of(network, instance_id) is not None
            or bool(eni.secondary_ips or eni.ipv6_addresses)
            or not named.isdisjoint((interface.id, instance_id, eni.ip))
        )
        if of_its_own or instance is None:
            found.append(interface.id)
            continue
        found.append((instance.model_dump_json(exclude=_OWN), eni.model_dump_json(exclude=_OWN_OF_ENI)))
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
