"""What stands in the picture of a path: its objects in order, the stages of both ways in them, what the packets bear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import groupby, pairwise
from typing import TypeVar

from netinsight.diagnosis.report import EndReport, ItemReport, PathReport, Report, StageReport
from netinsight.network.captions import NOTHING, Caption, Key
from netinsight.render.path_packets import Borne, Translation, between, translations

T = TypeVar("T")

Group = tuple[Key, list[StageReport]]
Pair = tuple[StageReport | None, StageReport | None]
Captions = Callable[[str, str], Caption]
"""What a picture says of an object, by its type and id."""

HOSTS = ("internet", "service", "network")
"""Ends that have no stages of their own."""


def no_captions(kind: str, name: str) -> Caption:
    """For a report whose topology is not at hand."""
    return NOTHING


@dataclass
class Node:
    """An object that the path meets.

    Attributes
    ----------
    name
        What it goes by, where that is not its id: of the public edge the address.
    asked
        ``head_from`` or ``head_to`` of what was asked, else empty.
    address
        Of an end: its own, or the hosts that it stands for.
    rows
        Its stages, from top to bottom: of the way there, and of the way back.
    guest
        What is wrong in the machine itself, where the object is an end.
    told
        What the packets bear that leave it downwards, and that come to it from below, where that is new.
    translated
        What it changes in them.
    """

    key: Key
    end: EndReport | None = None
    name: str = ""
    asked: str = ""
    address: str = ""
    caption: Caption = NOTHING
    rows: list[Pair] = field(default_factory=list)
    guest: list[ItemReport] = field(default_factory=list)
    told: tuple[Key | None, Key | None] = (None, None)
    translated: list[Translation] = field(default_factory=list)

    @property
    def stages(self) -> list[StageReport]:
        """Its stages of both ways."""
        return [stage for pair in self.rows for stage in pair if stage]

    @property
    def below(self) -> tuple[str, str]:
        """What stands below its name: what it joins or belongs to, and its address or the hosts that it stands for."""
        if self.end is None:
            shown = {self.name or self.key[1], *(one for told in self.translated for one in (told.before, told.after))}
            address = self.address or self.caption.address
            return self.caption.fact, "" if address in shown else address
        if self.end.eni:
            return self.end.eni if self.end.eni != self.end.id else "", self.address
        return self.caption.fact, self.caption.address if self.address == self.end.id else self.address

    @property
    def is_appliance(self) -> bool:
        """Whether packets are forwarded here that are for somebody else."""
        return any(stage.stage.partition(".")[0] in ("appliance", "guest") for stage in self.stages)


def find_nodes(path: PathReport, report: Report, captions: Captions = no_captions) -> list[Node]:
    """The objects of a path from the source to the destination; those that both ways meet are one."""
    source, destination = report.question.source, report.question.destination
    forward, return_ = _in_order(path.forward), _in_order(path.return_)
    first, last = _end_key(source, "source", forward[:1]), _end_key(destination, "destination", forward[-1:])
    there = _grouped(forward, first, last, captions)
    back = _grouped(return_, last, first, captions)[::-1]
    inner = _aligned([key for key, _ in there[1:-1]], [key for key, _ in back[1:-1]])
    pairs = [
        (there[1:][down] if down is not None else None, back[1:][up] if up is not None else None) for down, up in inner
    ]
    nodes = [_node(there[0], back[0]), *(_node(down, up) for down, up in pairs), _node(there[-1], back[-1])]
    for node in nodes:
        node.caption = captions(*node.key)
        if node.key[0] == "public_edge":
            _name_edge(node, (source.ip, destination.ip))
    _name_end(nodes, 0, source, "head_from", path.forward[0].packet.src if path.forward else "")
    _name_end(nodes, -1, destination, "head_to", path.forward[-1].packet.dst if path.forward else "")
    for node, end in ((nodes[0], source), (nodes[-1], destination)):
        node.caption = captions("network", end.id) if end.type == "network" else node.caption
    for node in (nodes[0], nodes[-1]):
        node.guest = _of_the_guest(path, report, node)
    _tell_packets(nodes)
    return nodes


def _in_order(stages: Sequence[StageReport]) -> list[StageReport]:
    """The stages as the packet meets them: what an appliance is told of itself first stands behind the ACL before it."""
    ordered = list(stages)
    for number, (one, other) in enumerate(pairwise(stages)):
        if one.stage == "appliance" and other.stage == "network_acl.ingress":
            ordered[number], ordered[number + 1] = other, one
    return ordered


def _end_key(end: EndReport, name: str, stages: Sequence[StageReport]) -> Key:
    """The object at an end: its ENI; behind an address that is translated or balanced, whoever is met there."""
    if end.eni:
        return "eni", end.eni
    if end.type in HOSTS or not stages:
        return "end", name
    return _key(stages[0])


def _name_edge(node: Node, asked: tuple[str | None, str | None]) -> None:
    """The public edge goes by the address, and by its id where the address is what was asked."""
    stage = node.stages[-1]
    address = stage.packet.src if stage.stage == "public_ip.egress" else stage.packet.dst
    node.name = address if address not in asked else node.key[1]
    node.caption = Caption(fact=node.key[1] if node.name == address else "", address=address)


def _name_end(nodes: list[Node], number: int, end: EndReport, asked: str, hosts: str) -> None:
    """What was asked stands at its end, or where its address is translated or balanced."""
    node = nodes[number]
    if end.eni or end.type in HOSTS or node.key[0] == "end":
        node.end, node.asked, node.address = end, asked, (end.ip or "") if end.eni else hosts or end.ip or ""
        return
    met = next((one for one in nodes if one.key[1] == end.id), node)
    met.asked = asked


def _node(there: Group | None, back: Group | None) -> Node:
    group = there or back
    if group is None:
        raise TypeError("an object that no way meets")
    return Node(group[0], rows=_rows(there[1] if there else [], back[1][::-1] if back else []))


def _grouped(stages: Sequence[StageReport], first: Key, last: Key, captions: Captions) -> list[Group]:
    """Stages that follow each other in one object, or in parts of one, between the two ends."""
    met: list[Key] = []
    for stage in stages:
        key = _key(stage)
        here = met[-1] if met else first
        inside = here[0] == "eni" and stage.stage.startswith("guest.")  # the guest forwards between its groups
        met.append(here if inside else captions(*key).holder or key)
    pairs = groupby(zip(met, stages, strict=True), lambda pair: pair[0])
    groups = [(key, [stage for _, stage in group]) for key, group in pairs]
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


def _of_the_guest(path: PathReport, report: Report, node: Node) -> list[ItemReport]:
    """What is wrong with the machine itself, not shown by a stage."""
    machine = node.end.id if node.end else node.caption.fact if node.key[0] == "eni" else ""
    shown = {stage.stage.partition(".")[0] for stage in (*path.forward, *path.return_)}
    return [
        item
        for item in report.items
        if (item.object.type, item.object.id) == ("instance", machine)
        and item.severity == "critical"
        and item.status in ("abnormal", "unknown")
        and item.id.partition(".")[0] not in shown
    ]


def _tell_packets(nodes: list[Node]) -> None:
    """What is borne between objects, where it is new, and what each changes; many hosts go by the name of their end."""
    short = {node.address: node.end.id for node in (nodes[0], nodes[-1]) if node.end and node.end.type in HOSTS}
    met = [[there for there, _ in node.rows if there] for node in nodes]
    met_back = [[back for _, back in reversed(node.rows) if back] for node in reversed(nodes)]
    down, up = between(met, met_back), between(met_back, met)[::-1]
    for number, node in enumerate(nodes):
        above, below = number - 1, number
        if 0 < number < len(nodes) - 1:
            node.translated = list(translations((down[above], down[below]), (up[below], up[above])))
        if below < len(down):
            new_down = number == 0 or down[below] is None or _addresses(down[above]) != _addresses(down[below])
            new_up = below == len(up) - 1 or _addresses(up[below + 1]) != _addresses(up[below])
            node.told = (_named(down[below] if new_down else None, short), _named(up[below] if new_up else None, short))


def _addresses(borne: Borne | None) -> Key | None:
    return borne.addresses if borne else None


def _named(borne: Borne | None, short: dict[str, str]) -> Key | None:
    if borne is None:
        return None
    return short.get(borne.source, borne.source), short.get(borne.destination, borne.destination)
