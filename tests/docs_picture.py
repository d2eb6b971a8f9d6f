"""The picture of ``docs/evaluation-order.md``: down from the source, across, up to the destination, and back inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LEVELS = ("eni", "security_group", "platform.smtp", "network_acl", "route", "public_ip", "blackhole")
"""From an end to the middle; one name for both directions of a filter."""

OUT = ("security_group.egress", "network_acl.egress", "route", "public_ip.egress")
IN = ("blackhole", "public_ip.ingress", "network_acl.ingress", "security_group.ingress")


class Column(NamedTuple):
    """One of the four columns: what is met there, in order."""

    stages: tuple[str, ...]
    colour: str
    down: bool


THERE, BACK, END = "#0969da", "#8250df", "#57606a"
COLUMNS = (
    Column(("eni", OUT[0], "platform.smtp", *OUT[1:]), THERE, True),
    Column(IN, BACK, False),
    Column(OUT, BACK, True),
    Column((*IN, "eni"), THERE, False),
)
WIDTH, BOX, HIGH, PITCH, TOP = 760, 176, 28, 46, 62
BOTTOM = TOP + PITCH * len(LEVELS) - PITCH + HIGH
TEXT = "There and back in two ways that lie in each other. The way there: {there}. The way back: {back}."


def picture() -> str:
    """The file; boxes carry their own ground, and lines are of middle tone, for light pages and dark ones."""
    there = ", ".join((*COLUMNS[0].stages, *COLUMNS[3].stages))
    back = ", ".join((*COLUMNS[2].stages, *COLUMNS[1].stages))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {BOTTOM + 90}" role="img">',
        "<title>The stages of the way there and of the way back</title>",
        f"<desc>{TEXT.format(there=there, back=back)}</desc>",
        "<style>text{font:600 13px system-ui,-apple-system,'Segoe UI','Noto Sans',sans-serif;fill:#fff;text-anchor:middle}"
        ".stage{font:12.5px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}"
        "path{fill:none;stroke-width:2}</style>",
        *_ways(),
        *_box(_left(0), 8, _left(1) + BOX - _left(0), END, "source", ""),
        *_box(_left(2), 8, _left(3) + BOX - _left(2), END, "destination", ""),
    ]
    for number, column in enumerate(COLUMNS):
        for stage in column.stages:
            lines += _box(_left(number), _top(stage), BOX, column.colour, stage, "stage")
    return "\n".join([*lines, "</svg>"]) + "\n"


def _left(column: int) -> int:
    return 4 + column * (BOX + 8) + (8 if column > 1 else 0)


def _top(stage: str) -> int:
    return TOP + PITCH * next(i for i, level in enumerate(LEVELS) if stage.startswith(level))


def _box(left: int, top: int, width: int, colour: str, text: str, kind: str) -> Iterator[str]:
    named = f' class="{kind}"' if kind else ""
    yield f'<rect x="{left}" y="{top}" width="{width}" height="{HIGH}" rx="5" fill="{colour}"/>'
    yield f'<text x="{left + width // 2}" y="{top + 19}"{named}>{text}</text>'


def _ways() -> Iterator[str]:
    """The two lines behind the boxes, with a head where each comes up to its end and a word where it crosses."""
    for first, last, colour, low, word in ((0, 3, THERE, 62, "the way there"), (2, 1, BACK, 26, "the way back")):
        begin, end = _left(first) + BOX // 2, _left(last) + BOX // 2
        across = BOTTOM + low
        yield f'<path stroke="{colour}" d="M{begin} {8 + HIGH}V{across}H{end}V{8 + HIGH + 3}"/>'
        yield f'<path stroke="{colour}" d="M{end - 5} {8 + HIGH + 9}l5 -6l5 6"/>'
        for number in (first, last):
            yield from _heads(number, colour)
        yield from _box(WIDTH // 2 - 62, across - HIGH // 2, 124, colour, word, "")


def _heads(number: int, colour: str) -> Iterator[str]:
    """A head in each gap of a column."""
    column, middle = COLUMNS[number], _left(number) + BOX // 2
    back = -6 if column.down else 6
    for stage in column.stages[1:]:
        tip = _top(stage) - 4 if column.down else _top(stage) + HIGH + 4
        yield f'<path stroke="{colour}" d="M{middle - 5} {tip + back}l5 {-back}l5 {back}"/>'
