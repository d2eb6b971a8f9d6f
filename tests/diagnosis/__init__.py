"""What the tests of diagnosis share: a small topology that works, changes to it, and questions about it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from netinsight.api import Net
from netinsight.diagnosis.report import ItemReport, Report
from netinsight.errors import Severity
from netinsight.model.checks import check
from netinsight.model.topology import Topology

Document = dict[str, Any]

GONE: Any = object()
"""As a value in changes: the key is taken away."""

NOT_KNOWN = {"unknown": "not exported"}
"""A value that is declared unknown."""

EVERYONE = "0.0.0.0/0"

BASE: Document = {
    "schema": "netinsight.topology/1",
    "collected_at": "2026-11-24T08:00:00Z",
    "vpcs": {"vpc-1": {"cidrs": ["10.0.0.0/16"], "ipv6_cidr": "2001:db8:1::/56"}},
    "vswitches": {
        "vsw-a": {"vpc": "vpc-1", "cidr": "10.0.1.0/24"},
        "vsw-b": {"vpc": "vpc-1", "cidr": "10.0.2.0/24"},
    },
    "security_groups": {
        "sg-a": {"vpc": "vpc-1"},
        "sg-b": {"vpc": "vpc-1", "rules": [{"direction": "ingress", "source": EVERYONE}]},
    },
    "instances": {
        "i-a": {"network_interfaces": {"eni-a": {"vswitch": "vsw-a", "ip": "10.0.1.10", "security_groups": ["sg-a"]}}},
        "i-b": {"network_interfaces": {"eni-b": {"vswitch": "vsw-b", "ip": "10.0.2.20", "security_groups": ["sg-b"]}}},
    },
}
"""Two instances in two vSwitches of a VPC; eni-b lets everything in; nothing is known of the guests."""


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Document:
    """``base`` with ``changes``: mappings are merged, anything else is replaced, ``GONE`` is taken away."""
    result = dict(copy.deepcopy(base))
    for key, value in changes.items():
        if value is GONE:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value)
        elif isinstance(value, Mapping):
            result[key] = merged({}, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def topology(*changes: Mapping[str, Any]) -> Topology:
    """The base with changes, one after the other; it must be valid."""
    document: Document = BASE
    for change in changes:
        document = merged(document, change)
    built = Topology.model_validate(document)
    errors = [finding for finding in check(built) if finding.severity is Severity.ERROR]
    assert not errors, errors
    return built


def net(*changes: Mapping[str, Any], assume: dict[str, str] | None = None) -> Net:
    """A network of the base with changes."""
    return Net(topology(*changes), assume=assume)


def ask(*changes: Mapping[str, Any], assume: dict[str, str] | None = None, **question: Any) -> Report:
    """One question about the base with changes: TCP 22 from i-a to i-b, unless told otherwise."""
    asked: Document = {"src": "i-a", "dst": "i-b", **question}
    if str(asked.get("protocol", "tcp")).lower() in ("tcp", "udp", "6", "17"):
        asked.setdefault("port", 22)
    return net(*changes, assume=assume).diagnose(**asked)


def items(report: Report, id_: str, object_id: str | None = None) -> list[ItemReport]:
    """The items of an id, of one object or of all."""
    return [item for item in report.items if item.id == id_ and object_id in (None, item.object.id)]


def item(report: Report, id_: str, object_id: str | None = None) -> ItemReport:
    """The one item of an id and object."""
    found = items(report, id_, object_id)
    assert len(found) == 1, (id_, object_id, [(i.id, i.object.id) for i in report.items])
    return found[0]


def blockers(report: Report) -> set[tuple[str, str]]:
    """The blockers, as (item, object)."""
    return {(blocker.item, blocker.object.id) for blocker in report.blockers}


def not_checked(report: Report) -> set[tuple[str, str]]:
    """What is listed as not checked, as (item, object)."""
    return {(left_out.item, left_out.object.id) for left_out in report.not_checked}


def unknowns(report: Report) -> set[tuple[str, str]]:
    """The items that could not be judged, as (item, object)."""
    return {(found.id, found.object.id) for found in report.items if found.status == "unknown"}


def assumed(report: Report) -> dict[str, str]:
    """The assumptions that the report prints."""
    return {assumption.id: assumption.value for assumption in report.assumptions}
