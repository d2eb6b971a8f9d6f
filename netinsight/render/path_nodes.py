"""What stands in the picture of a path: its objects in order, the stages of both ways in them, what the packets bear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import groupby
from typing import TypeVar

from netinsight.diagnosis.report import EndReport, ItemReport, PathReport, Report, StageReport

T = TypeVar("T")
Key = tuple[str, str]
"""An object: its kind and its id."""

Group = tuple[Key, list[StageReport]]
Pair = tuple[StageReport | None, StageReport | None]


@dataclass
class Node:
    """An object that the path meets.

    Attributes
    ----------
    address
        Of an end: its own, or the hosts that it stands for.
    rows
        Its stages, from top to bottom: of the way there, and of the way back.
    guest
        What is wrong in the machine itself, where the object is an end.
    told
        What the packets bear that leave it downwards, and that come to it from below, where that is new.
    """

    key: Key
    end: EndReport | None = None
    address: str = ""
    rows: list[Pair] = field(default_factory=list)
    guest: list[ItemReport] = field(default_factory=list)
    told: tuple[Key | None, Key | None] = (None, None)

    @property
    def below(self) -> tuple[str, str]:
        """What stands below the name of an end: its ENI and its address, or the hosts that it stands for."""
        if self.end is None:
            return "", ""
        if self.end.eni:
            return self.end.eni if self.end.eni != self.end.id else "", self.address
        return self.address if self.address != self.end.id else "", ""


def find_nodes(path: PathReport, report: Report) -> list[Node]:
    """The objects of a path from the source to the destination; those that both ways meet are one."""
    source, destination = report.question.source, report.question.destination
    first = ("eni", source.eni) if source.eni else ("end", "source")
    last = ("eni", destination.eni) if destination.eni else ("end", "destination")
    there = _grouped(path.forward, first, last)
    back = _grouped(path.return_, last, first)[::-1]
    inner = _aligned([key for key, _ in there[1:-1]], [key for key, _ in back[1:-1]])
    pairs = [
        (there[1:][down] if down is not None else None, back[1:][up] if up is not None else None) for down, up in inner
    ]
    nodes = [_node(there[0], back[0]), *(_node(down, up) for down, up in pairs), _node(there[-1], back[-1])]
    for node, end in ((nodes[0], source), (nodes[-1], destination)):
        node.end, node.guest, node.address = end, _of_the_guest(path, report, end), end.ip or ""
    if path.forward and not source.eni:
        nodes[0].address = path.forward[0].packet.src
    if path.forward and not destination.eni:
        nodes[-1].address = path.forward[-1].packet.dst
    _tell_packets(nodes)
    return nodes


def _node(there: Group | None, back: Group | None) -> Node:
    group = there or back
    if group is None:
        raise TypeError("an object that no way meets")
    return Node(group[0], rows=_rows(there[1] if there else [], back[1][::-1] if back else []))


def _grouped(stages: Sequence[StageReport], first: Key, last: Key) -> list[Group]:
    """Stages that follow each other in one object, between the two ends."""
    groups = [(key, list(group)) for key, group in groupby(stages, _key)]
    if not groups or groups[0][0] != first:
        groups.insert(0, (first, []))
    if groups[-1][0] != last or len(groups) == 1:
        groups.append((last, []))
    return groups


def _key(stage: StageReport) -> Key:
    """The object of a stage; a public address stands outside the ENI that it belongs to."""
    at_the_edge = stage.stage.startswith("public_ip.") or stage.stage == "blackhole"
    return ("public_edge" if at_the_edge else stage.object.type, stage.object.id)


def _rows(there: list[StageReport], back: list[StageReport]) -> list[Pair]:
    """The stages of an object side by side, a group next to a group, an ACL next to an ACL."""
    kinds = [[stage.stage.partition(".")[0] for stage in stages] for stages in (there, back)]
    return [
        (there[down] if down is not None else None, back[up] if up is not None else None)
        for down, up in _aligned(*kinds)
    ]


def _aligned(one: Sequence[T], other: Sequence[T]) -> list[tuple[int | None, int | None]]:
    """Positions of two lists with equal elements side by side."""
    pairs: list[tuple[int | None, int | None]] = []
    for tag, a, a_end, b, b_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag == "equal":
            pairs += zip(range(a, a_end), range(b, b_end), strict=True)
        else:
            pairs += [(i, None) for i in range(a, a_end)] + [(None, j) for j in range(b, b_end)]
    return pairs


def _of_the_guest(path: PathReport, report: Report, end: EndReport) -> list[ItemReport]:
    """What is wrong with the machine itself, not shown by a stage."""
    shown = {stage.stage.partition(".")[0] for stage in (*path.forward, *path.return_)}
    return [
        item
        for item in report.items
        if (item.object.type, item.object.id) == ("instance", end.id)
        and item.severity == "critical"
        and item.status in ("abnormal", "unknown")
        and item.id.partition(".")[0] not in shown
    ]


def _tell_packets(nodes: list[Node]) -> None:
    """Between which objects a packet first bears its addresses; many hosts together go by the name of their end."""
    short = {node.address: node.end.id for node in (nodes[0], nodes[-1]) if node.end and not node.end.eni}
    down = _packets([[there for there, _ in node.rows if there] for node in nodes])
    up = _packets([[back for _, back in reversed(node.rows) if back] for node in reversed(nodes)])[::-1]
    for node, there, back in zip(nodes, down, up, strict=False):
        node.told = (_named(there, short), _named(back, short))


def _named(addresses: Key | None, short: dict[str, str]) -> Key | None:
    return (short.get(addresses[0], addresses[0]), short.get(addresses[1], addresses[1])) if addresses else None


def _packets(met: list[list[StageReport]]) -> list[Key | None]:
    """For each gap between objects, in the order of the way, the addresses borne there where they are new.

    A public address is put on as the packet leaves the edge, though the stage tells it already.
    """
    carried: Key | None = None
    shown: Key | None = None
    told = []
    for number, here in enumerate(met[:-1]):
        following = next((stages[0] for stages in met[number + 1 :] if stages), None)
        if here and here[-1].stage == "public_ip.egress":
            carried = _addresses(here[-1])
        elif following and following.stage != "public_ip.egress":
            carried = _addresses(following)
        elif carried is None and here:
            carried = _addresses(here[-1])
        told.append(carried if carried != shown else None)
        shown = carried
    return told


def _addresses(stage: StageReport) -> Key:
    return stage.packet.src, stage.packet.dst
