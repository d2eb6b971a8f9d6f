"""What is said of many flows, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinsight.engine import kernels
from netinsight.flow import PortRange, Verdict
from netinsight.network.ends import End, Ends, Kind, unmet_preconditions
from netinsight.network.inside import Inside

STAGE_ITEMS = {
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


class Said(NamedTuple):
    """What is said of one flow."""

    verdict: str
    item: str = ""
    object: str = ""
    rule: str = ""


class Columns:
    """The columns of an evaluation while they are filled."""

    def __init__(self, count: int) -> None:
        self.verdict = np.full(count, Verdict.REACHABLE.value, dtype=object)
        self.item, self.object, self.rule = (np.full(count, "", dtype=object) for _ in range(3))

    def put(self, rows: NDArray[np.intp], said: list[Said], which: NDArray[np.int64]) -> None:
        """What is said of rows: of each the one of ``said`` that its number names."""
        for column, words in zip(
            (self.verdict, self.item, self.object, self.rule), zip(*said, strict=True), strict=True
        ):
            column[rows] = _objects(list(words))[which]

    def fill_inside(self, found: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64], owners: Owners) -> None:
        """What the kernel decided."""
        stopped = found[:, 0] == kernels.STOPPED
        self.verdict[stopped] = Verdict.UNREACHABLE.value

        for stage in np.unique(found[stopped, 1]).tolist():
            rows = np.flatnonzero(stopped & (found[:, 1] == stage))
            self._fill_stage(stage, rows, found[rows, 2], a[rows], b[rows], owners)

    def _fill_stage(
        self, stage: int, rows: NDArray[np.intp], detail: NDArray[np.int64], a: NDArray[np.int64],
        b: NDArray[np.int64], owners: Owners,
    ) -> None:  # fmt: skip
        if stage == kernels.AT_ENDS:
            order, role = detail // 2, detail % 2
            self.item[rows] = owners.items[order]
            self.object[rows] = np.where(role == 0, owners.ends[a], owners.ends[b])
        elif stage in (kernels.AT_SOURCE_MET, kernels.AT_DESTINATION_MET):
            which = a if stage == kernels.AT_SOURCE_MET else b
            self.item[rows], self.object[rows] = owners.unmet[which, 0], owners.unmet[which, 1]
        else:
            item, whose = STAGE_ITEMS[stage]
            self.item[rows] = item
            self.object[rows] = (owners.enis[a], owners.enis[b], owners.vswitches[a], owners.vswitches[b])[whose]
            known = detail >= 0
            self.rule[rows[known]] = owners.rules[detail[known]]

    def evaluation(self) -> Evaluation:
        """All of it."""
        return Evaluation(self.verdict, self.item, self.object, self.rule)


class Owners:
    """Names by number: ENIs, their vSwitches, ends, items, rules."""

    def __init__(self, pack: Inside, items: list[str]) -> None:
        interfaces = [end.interface for end in pack.ends]
        self.enis = _objects([one.id if one else "" for one in interfaces])
        self.vswitches = _objects([one.eni.vswitch if one else "" for one in interfaces])
        self.ends = _objects([end.instance_id or (end.interface.id if end.interface else "") for end in pack.ends])
        self.items = _objects(items)
        self.rules = _objects([origin.id if origin.is_rule else "" for origin in pack.origins])
        nobody = End("", Kind.SERVICE, 0)
        unmet = [unmet_preconditions(pack.network, Ends(end, nobody, 4, PortRange(1, 1))) for end in pack.ends]
        self.unmet = np.array(
            [(one[0].code, one[0].id) if one else ("", "") for one in unmet] or [("", "")], dtype=object
        )


def _objects(names: list[str]) -> NDArray[np.object_]:
    return np.array(names or [""], dtype=object)
