"""A path as a picture: the objects from top to bottom, the way there down the left side, the way back up the right.

Each stage is a dot on its way. After the first that drops, a way is drawn broken: no packet comes so far, but what it
would meet there is judged all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.report import PathReport, Report, StageReport
from netinsight.errors import visible
from netinsight.render import svg
from netinsight.render.path_nodes import Node, find_nodes

WIDTH, MARGIN = 400, 1
LANE = 27
"""How far from its side of the picture a way runs."""

ROW, HEAD, END_HEAD, FOOT, GAP, NARROW_GAP, TOP = 27, 32, 48, 8, 46, 22, 26
MOST_GUEST_ROWS = 6


def draw_path(path: PathReport, report: Report, catalogue: Catalogue, title: str, *, alone: bool = False) -> Element:
    """The picture of a path.

    Parameters
    ----------
    title
        What a reader who cannot see it is told first.
    alone
        For a file of its own.
    """
    nodes = find_nodes(path, report)
    height = TOP + sum(map(_height, nodes)) + sum(map(_gap, nodes[:-1])) + MARGIN
    painter = _Painter(catalogue, Lang(report.lang), report, both=bool(path.return_))
    drawing = svg.document(WIDTH, height, title, painter.described(path), alone=alone)
    painter.draw(drawing, nodes)
    return drawing


def _head(node: Node) -> float:
    """The height of a heading."""
    return END_HEAD if any(node.below) else HEAD


def _height(node: Node) -> float:
    """The height of a box."""
    guest = min(len(node.guest), MOST_GUEST_ROWS) + (len(node.guest) > MOST_GUEST_ROWS)
    rows = (len(node.rows) + guest) * ROW + (10 if guest else 0)
    return _head(node) + (rows + FOOT if rows else 0)


def _gap(node: Node) -> float:
    """The room below a box."""
    return GAP if any(node.told) else NARROW_GAP


@dataclass(frozen=True)
class _Painter:
    catalogue: Catalogue
    lang: Lang
    report: Report
    both: bool

    def word(self, name: str, otherwise: str | None = None, /) -> str:
        """A word of the catalogue; of what it has no word for, its own name."""
        if otherwise is not None and name not in self.catalogue.words:
            return otherwise
        return self.catalogue.word(name, self.lang)

    def stage(self, stage: StageReport) -> str:
        return self.word(f"stage_{stage.stage.replace('.', '_')}", stage.stage)

    def decision(self, stage: StageReport) -> str:
        return self.word("partly" if stage.decision == "partial" else stage.decision)

    def described(self, path: PathReport) -> str:
        """The picture in words."""
        ways = []
        for name, stages in (("forward", path.forward), ("back", path.return_)):
            told = "; ".join(f"{self.stage(one)} {_short(one.object.id)}: {self.decision(one)}" for one in stages)
            ways += [f"{self.word(name)}: {told}."] if told else []
        return " ".join(ways)

    @property
    def room(self) -> float:
        """The width of a label beside a way."""
        return (WIDTH / 2 if self.both else WIDTH - LANE) - LANE - 22

    def draw(self, drawing: Element, nodes: list[Node]) -> None:
        """Boxes first, then the ways over them, then the dots and labels."""
        tops = [TOP + sum(_height(node) + _gap(node) for node in nodes[:number]) for number in range(len(nodes))]
        placed = list(zip(nodes, tops, strict=True))
        svg.label(drawing, 4, 15, self.word("forward"), "dim", size=12.5)
        if self.both:
            svg.label(drawing, WIDTH - 4, 15, self.word("back"), "dim", size=12.5, anchor="end")
        for node, top in placed:
            self._box(drawing, node, top)
        for back in (False, True) if self.both else (False,):
            _draw_way(drawing, placed, back=back)
        for node, top in placed:
            for number, pair in enumerate(node.rows):
                for stage, back in zip(pair, (False, True), strict=True):
                    if stage:
                        self._stage(drawing, stage, top + _head(node) + (number + 0.5) * ROW, back)
            if node.guest:
                self._guest(drawing, node, top + _head(node) + len(node.rows) * ROW)
            if node is not nodes[-1]:
                self._told(drawing, node, top + _height(node))

    def _box(self, drawing: Element, node: Node, top: float) -> None:
        """A box with its heading, which stands between the ways."""
        svg.box(drawing, MARGIN, top, WIDTH - 2 * MARGIN, _height(node))
        left, right = LANE + 16, WIDTH - (LANE + 16 if self.both else 14)
        kind, name = self._names(node)
        if node.end is not None:
            kind = f"{self.word('head_from' if node.end is self.report.question.source else 'head_to')} · {kind}"
        room = right - left
        told = min(svg.text_width(kind, 12), room * 0.6)
        svg.label(drawing, left, top + 21, name, "mono-strong", size=13.5, width=room - told - 8)
        svg.label(drawing, right, top + 21, kind, "dim", size=12, anchor="end", width=told)
        below, address = node.below
        beside = min(svg.text_width(address, 12, mono=True) + 8, room * 0.6) if address else 0
        if below:
            svg.label(drawing, left, top + 39, below, "mono-dim", size=11.5, width=room - beside, tail=bool(address))
        if address:
            svg.label(
                drawing, right, top + 39, address, "mono-dim", size=12, anchor="end", width=beside if below else room
            )

    def _names(self, node: Node) -> tuple[str, str]:
        """What kind of object it is, and its id."""
        kind, name = node.key
        if node.end is not None:
            shown = kind if node.end.eni else node.end.type
            return self.word(f"kind_{shown}", shown), node.end.id
        if kind == "public_edge":
            own = (self.report.question.source.ip, self.report.question.destination.ip)
            for stage in (stage for pair in node.rows for stage in pair if stage):
                address = stage.packet.src if stage.stage == "public_ip.egress" else stage.packet.dst
                name = address if address not in own else name
        return self.word(f"kind_{kind}", kind), name

    def _stage(self, drawing: Element, stage: StageReport, y: float, back: bool) -> None:
        made = svg.group(drawing, f"{stage.stage}  {_short(stage.object.id)}: {stage.why}")
        x, text_x = (WIDTH - LANE, WIDTH - LANE - 16) if back else (LANE, LANE + 16)
        look = "text"
        if stage.decision != "accept":
            look = f"say-{stage.decision}"
            start = text_x - self.room - 4 if back else LANE - 13
            svg.box(made, start, y - 12, self.room + 33, 24, f"tint-{stage.decision}", radius=12)
        svg.mark(made, x, y, stage.decision)
        anchor: svg.Anchor = "end" if back else "start"
        svg.label(made, text_x, y + 4.5, self.stage(stage), look, anchor=anchor, width=self.room)

    def _guest(self, drawing: Element, node: Node, top: float) -> None:
        """What is wrong in the machine, in a box of its own between the ways."""
        shown, left = node.guest[:MOST_GUEST_ROWS], len(node.guest) - MOST_GUEST_ROWS
        side = LANE + 14
        count = len(shown) + (left > 0)
        svg.box(drawing, side, top + 4, WIDTH - 2 * side, count * ROW + 2, "nest", radius=6)
        for number, item in enumerate(shown):
            y = top + 5 + (number + 0.5) * ROW
            decision = "drop" if item.status == "abnormal" else "unknown"
            made = svg.group(drawing, f"{item.name}: {item.message}")
            svg.mark(made, side + 16, y, decision)
            svg.label(made, side + 32, y + 4.5, item.id, "mono", size=12.5, width=WIDTH - 2 * side - 40)
        if left > 0:
            more = self.catalogue.word("more", self.lang, n=left)
            svg.label(drawing, side + 32, top + 9.5 + (len(shown) + 0.5) * ROW, more, "dim", size=12.5)

    def _told(self, drawing: Element, node: Node, top: float) -> None:
        for addresses, back in zip(node.told, (False, True), strict=True):
            anchor: svg.Anchor = "end" if back else "start"
            x = WIDTH - LANE - 16 if back else LANE + 16
            for number, text in enumerate((addresses[0], f"→ {addresses[1]}") if addresses else ()):
                svg.label(
                    drawing, x, top + 19 + 15 * number, text, "mono-dim", size=11.5, anchor=anchor, width=self.room
                )


def _short(name: str) -> str:
    return visible(name, svg.LONGEST)


def _draw_way(drawing: Element, placed: list[tuple[Node, float]], *, back: bool) -> None:
    """One way as a line along its dots, with a head where it enters a box."""
    x = WIDTH - LANE if back else LANE
    way = placed[::-1] if back else placed
    dots = [dot for node, top in way for dot in _dots(node, top, back=back)]
    (first, first_top), (last, last_top) = way[0], way[-1]
    start = _dots(first, first_top, back=back)[:1]
    end = _dots(last, last_top, back=back)[-1:]
    from_y = start[0][0] if start else first_top + (0 if back else _height(first))
    to_y = end[0][0] if end else last_top + (_height(last) if back else 0)
    lost = any(stage and stage.decision == "drop" for node, _ in placed for stage, _ in node.rows) and back
    stop = from_y if lost else next((y for y, decision in dots if decision == "drop"), to_y)
    for one, other, look in ((from_y, stop, "line"), (stop, to_y, "after")):
        if one != other:
            svg.line(drawing, [(x, one), (x, other)], look)
    for node, top in way[1:]:
        enters = top + _height(node) if back else top
        svg.head(drawing, (x, enters + (1 if back else -1)), (x, enters))


def _dots(node: Node, top: float, *, back: bool) -> list[tuple[float, str]]:
    """The height and decision of each stage of one way, in the order of the way."""
    dots: list[tuple[float, str]] = [
        (top + _head(node) + (number + 0.5) * ROW, stage.decision)
        for number, pair in enumerate(node.rows)
        if (stage := pair[back])
    ]
    return dots[::-1] if back else dots
