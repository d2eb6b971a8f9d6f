"""What refers to an object: every field of the topology that names it, by rule and place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netinsight.model.base import Path
from netinsight.model.topology import SECTIONS, Topology
from netinsight.render.sheets import Row

_NAMING = frozenset({
    "vpc", "vswitch", "vswitches", "network_acl", "route_table", "security_groups", "source", "destination", "ports",
    "source_ports", "next_hop", "id", "bound_to", "eip", "master", "members", "peer_vpc", "router", "opposite", "to",
    "propagates_to", "attachment", "connection", "network", "server",
})  # fmt: skip
"""The fields that name an object by its id."""


def referrers(topology: Topology, section: str, name: str) -> Iterator[Row]:
    """A row for each; the fields of an attachment or a VPN connection are those of what it is a part of."""
    names = {name, *_parts(topology, section, name)}
    for where, objects in ((one, getattr(topology, one)) for one in SECTIONS):
        for owner, described in objects.items():
            if isinstance(described, list) or (where, owner) == (section, name):
                continue
            written = described.model_dump(mode="json", by_alias=True, exclude_unset=True)
            for path, key in _naming(written, names, (where, owner)):
                yield Row(
                    _rule(topology, path), f"{SECTIONS[_home(path)]} {_owner(path)}: {key}", topology.place(*path)
                )


def _parts(topology: Topology, section: str, name: str) -> set[str]:
    """The ids that lead to an object as well: the attachments of a transit router."""
    return set(topology.transit_routers[name].attachments) if section == "transit_routers" else set()


def _naming(value: Any, names: set[str], path: Path) -> Iterator[tuple[Path, str]]:
    """The paths of fields that hold one of the names, each with its field."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in entries:
        here = (*path, key)
        if isinstance(below, str):
            field = next(one for one in reversed(here) if isinstance(one, str))
            if below in names and field in _NAMING:
                yield here, field
        else:
            yield from _naming(below, names, here)


def _home(path: Path) -> str:
    return "network_interfaces" if "network_interfaces" in path else str(path[0])


def _owner(path: Path) -> str:
    """The object that a field belongs to: an ENI stands within its instance."""
    return str(path[path.index("network_interfaces") + 1]) if "network_interfaces" in path else str(path[1])


def _rule(topology: Topology, path: Path) -> str:
    """The name of the rule, entry or route that a field is of; else the id of what it belongs to."""
    section, owner, *rest = path
    if section == "security_groups" and rest[:1] == ["rules"] and isinstance(rest[1], int):
        rules = topology.security_groups[str(owner)].rules
        if isinstance(rules, list):
            direction = rules[rest[1]].direction
            return f"{owner}/{direction}/{sum(one.direction is direction for one in rules[: rest[1] + 1])}"
    if section == "transit_routers" and "routes" in rest:
        return f"{rest[1]}/{int(rest[3]) + 1}"
    if section in ("transit_routers", "vpn_gateways") and rest[0] in ("attachments", "connections"):
        return str(rest[1])
    number = next((i for i, one in enumerate(rest) if isinstance(one, int)), None)
    if number is None or rest[0] not in ("ingress", "egress", "snat", "dnat", "routes"):
        return _owner(path)
    lists = () if rest[0] == "routes" else (rest[0],)
    return "/".join(map(str, (owner, *lists, int(rest[number]) + 1)))
