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
from netinsight.render.icons import WIDTH as ICON
from netinsight.render.icons import icon
from netinsight.render.path_nodes import Captions, Node, find_nodes, no_captions
from netinsight.render.path_packets import Translation
from netinsight.render.path_places import HEAD, LINE, MARGIN, MOST_GUEST_ROWS, ROW, Placed, Places, place

WIDTH = 400
LANE = 27
"""How far from its side of the picture a way runs."""

INSET = 7
"""How far inside a frame a box stands."""


def draw_path(
    path: PathReport,
    report: Report,
    catalogue: Catalogue,
    title: str,
    *,
    captions: Captions = no_captions,
    alone: bool = False,
) -> Element:
    """The picture of a path.

    Parameters
    ----------
    title
        What a reader who cannot see it is told first.
    captions
        What is said of the objects beside their ids.
    alone
        For a file of its own.
    """
    places = place(find_nodes(path, report, captions))
    painter = _Painter(
        catalogue, Lang(report.lang), report, both=bool(path.return_), inset=INSET if places.frames else 0
    )
    drawing = svg.document(WIDTH, places.height, title, painter.described(path), alone=alone)
    painter.draw(drawing, places)
    return drawing


@dataclass(frozen=True)
class _Painter:
    catalogue: Catalogue
    lang: Lang
    report: Report
    both: bool
    inset: float

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

    def draw(self, drawing: Element, places: Places) -> None:
        """Frames and boxes first, then the ways over them, then the dots and labels."""
        svg.label(drawing, 4, 15, self.word("forward"), "dim", size=12.5)
        if self.both:
            svg.label(drawing, WIDTH - 4, 15, self.word("back"), "dim", size=12.5, anchor="end")
        for frame in places.frames:
            svg.box(drawing, MARGIN, frame.top, WIDTH - 2 * MARGIN, frame.height, "frame", radius=10)
            icon(drawing, LANE + 16 + ICON / 2, frame.top + 13, "vpc", size=14)
            room = WIDTH - 2 * (LANE + 16) - ICON - 4
            svg.label(drawing, LANE + 20 + ICON, frame.top + 17, frame.vpc, "mono-dim", size=12, width=room)
        for placed in places.boxes:
            self._box(drawing, placed)
        for back in (False, True) if self.both else (False,):
            _draw_way(drawing, places.boxes, back=back)
        for placed in places.boxes:
            for number, pair in enumerate(placed.node.rows):
                for stage, back in zip(pair, (False, True), strict=True):
                    if stage:
                        self._stage(drawing, placed.node, stage, placed.rows_top + (number + 0.5) * ROW, back)
            if placed.node.guest:
                self._guest(drawing, placed.node, placed.rows_top + len(placed.node.rows) * ROW)
            if placed is not places.boxes[-1]:
                self._told(drawing, placed.node, placed.under)

    def _box(self, drawing: Element, placed: Placed) -> None:
        """A box with its heading, which stands between the ways."""
        node, top, side = placed.node, placed.top, MARGIN + self.inset
        svg.box(drawing, side, top, WIDTH - 2 * side, placed.bottom - top)
        left, right = LANE + 16.0, WIDTH - (LANE + 16.0 if self.both else 14.0)
        sign, kind, name = self._names(node)
        if node.asked:
            kind = f"{self.word(node.asked)} · {kind}"
        icon(drawing, left + ICON / 2 - 1, top + 16.5, sign)
        told = min(svg.text_width(kind, 12), (right - left) * 0.6)
        room = right - left - ICON - 5 - told - 8
        svg.label(drawing, left + ICON + 5, top + 21, name, "mono-strong", size=13.5, width=room)
        svg.label(drawing, right, top + 21, kind, "dim", size=12, anchor="end", width=told)
        y = top + HEAD + 7
        if any(node.below):
            self._below(drawing, node.below, left, right, y)
            y += LINE
        for one in node.translated:
            self._translated(drawing, one, left, right, y)
            y += LINE

    def _below(self, drawing: Element, told: tuple[str, str], left: float, right: float, y: float) -> None:
        """What stands below a name: to the left what it joins or belongs to, to the right its address."""
        (below, address), room = told, right - left
        beside = min(svg.text_width(address, 12, mono=True) + 8, room * 0.6) if address else 0
        if below:
            svg.label(drawing, left, y, below, "mono-dim", size=11.5, width=room - beside, tail=bool(address))
        if address:
            svg.label(drawing, right, y, address, "mono-dim", size=12, anchor="end", width=beside if below else room)

    def _translated(self, drawing: Element, one: Translation, left: float, right: float, y: float) -> None:
        """An address before and after: which of the two, and an arrow that points both ways where the reply undoes it."""
        field = self.word(f"field_{one.field}")
        svg.label(drawing, left, y, field, "dim", size=11.5, width=80)
        room = right - left - svg.text_width(field, 11.5) - 8
        svg.label(drawing, right, y, one.text, "mono", size=11.5, anchor="end", width=room)

    def _names(self, node: Node) -> tuple[str, str, str]:
        """Its sign, what kind of object it is, and its id."""
        kind, name = node.key
        if node.end is not None:
            shown = kind if node.end.eni else node.end.type
            sign = "instance" if node.end.type == "instance" else shown
            return sign, self.word(f"kind_{shown}", shown), node.end.id
        if node.is_appliance:
            return "appliance", self.word("kind_appliance"), name
        return kind, self.word(f"kind_{kind}", kind), node.name or name

    def _label(self, node: Node, stage: StageReport) -> tuple[str, str]:
        """What stands beside a dot, and how: the stage; of a part of the object, which part."""
        is_part = node.caption.is_whole and stage.object.id != node.key[1]
        text, look = (_short(stage.object.id), "mono") if is_part else (self.stage(stage), "text")
        return text, look if stage.decision == "accept" else f"say-{stage.decision}"

    def _stage(self, drawing: Element, node: Node, stage: StageReport, y: float, back: bool) -> None:
        made = svg.group(drawing, f"{stage.stage}  {_short(stage.object.id)}: {stage.why}")
        x, text_x = (WIDTH - LANE, WIDTH - LANE - 16) if back else (LANE, LANE + 16)
        text, look = self._label(node, stage)
        if stage.decision != "accept":
            start = text_x - self.room - 4 if back else LANE - 13
            svg.box(made, start, y - 12, self.room + 33, 24, f"tint-{stage.decision}", radius=12)
        svg.mark(made, x, y, stage.decision)
        anchor: svg.Anchor = "end" if back else "start"
        size = 12 if look == "mono" else 13
        svg.label(made, text_x, y + 4.5, text, look, size=size, anchor=anchor, width=self.room)

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


def _draw_way(drawing: Element, boxes: list[Placed], *, back: bool) -> None:
    """One way as a line along its dots, with a head where it enters a box."""
    x = WIDTH - LANE if back else LANE
    way = boxes[::-1] if back else boxes
    dots = [dot for placed in way for dot in _dots(placed, back=back)]
    first, last = way[0], way[-1]
    start, end = _dots(first, back=back)[:1], _dots(last, back=back)[-1:]
    from_y = start[0][0] if start else first.top if back else first.bottom
    to_y = end[0][0] if end else last.bottom if back else last.top
    lost = any(stage and stage.decision == "drop" for placed in boxes for stage, _ in placed.node.rows) and back
    stop = from_y if lost else next((y for y, decision in dots if decision == "drop"), to_y)
    for one, other, look in ((from_y, stop, "line"), (stop, to_y, "after")):
        if one != other:
            svg.line(drawing, [(x, one), (x, other)], look)
    for placed in way[1:]:
        enters = placed.bottom if back else placed.top
        svg.head(drawing, (x, enters + (1 if back else -1)), (x, enters))


def _dots(placed: Placed, *, back: bool) -> list[tuple[float, str]]:
    """The height and decision of each stage of one way, in the order of the way."""
    dots: list[tuple[float, str]] = [
        (placed.rows_top + (number + 0.5) * ROW, stage.decision)
        for number, pair in enumerate(placed.node.rows)
        if (stage := pair[back])
    ]
    return dots[::-1] if back else dots
