"""Where the objects of a path stand in its picture: boxes below each other, in frames for VPCs where there are several."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from netinsight.render.path_nodes import Node

ROW, HEAD, LINE, FOOT, GAP, NARROW_GAP, TOP = 27, 32, 16, 8, 46, 22, 26
FRAME_HEAD, FRAME_FOOT = 25, 8
MARGIN = 1
MOST_GUEST_ROWS = 6


class Placed(NamedTuple):
    """A box.

    Attributes
    ----------
    under
        Where the room below it begins: below its frame, where that ends here.
    """

    node: Node
    top: float
    under: float

    @property
    def rows_top(self) -> float:
        """Where its rows begin."""
        return self.top + head(self.node)

    @property
    def bottom(self) -> float:
        """Its lower side."""
        return self.top + height(self.node)


class Frame(NamedTuple):
    """A frame around the boxes of a VPC that follow each other."""

    vpc: str
    top: float
    height: float


class Places(NamedTuple):
    """All boxes and frames, and how high the picture is."""

    boxes: list[Placed]
    frames: list[Frame]
    height: float


def place(nodes: Sequence[Node]) -> Places:
    """Boxes and frames from top to bottom; frames only where the path meets several VPCs."""
    framed = len({node.caption.vpc for node in nodes if node.caption.vpc}) > 1
    boxes, frames, y = list[Placed](), list[Frame](), float(TOP)
    for vpc, run in groupby(nodes, lambda node: node.caption.vpc if framed else ""):
        begin, members = y, list(run)
        y += FRAME_HEAD if vpc else 0
        for node in members:
            under = y + height(node) + (FRAME_FOOT if vpc and node is members[-1] else 0)
            boxes.append(Placed(node, y, under))
            y = under + gap(node)
        if vpc:
            frames.append(Frame(vpc, begin, boxes[-1].under - begin))
    return Places(boxes, frames, boxes[-1].under + MARGIN)


def head(node: Node) -> float:
    """The height of a heading: the name, what stands below it, what is translated."""
    return HEAD + LINE * (any(node.below) + len(node.translated))


def height(node: Node) -> float:
    """The height of a box."""
    guest = min(len(node.guest), MOST_GUEST_ROWS) + (len(node.guest) > MOST_GUEST_ROWS)
    rows = (len(node.rows) + guest) * ROW + (10 if guest else 0)
    return head(node) + (rows + FOOT if rows else 0)


def gap(node: Node) -> float:
    """The room below a box."""
    return GAP if any(node.told) else NARROW_GAP
