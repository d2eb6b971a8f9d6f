"""A small builder of SVG: boxes, labels, arrows and marks as elements of one tree, escaped by the library that writes it.

A look is a class of ``LOOKS``. What it means is written twice from the one table: as CSS that follows light and dark, and
as plain attributes for what reads no CSS variables. So a drawing stands in a page or alone.

>>> drawing = document(120, 40, "A box", "One box with its name.")
>>> _ = box(drawing, 0, 0, 120, 40)
>>> _ = label(drawing, 10, 25, "vsw-a", "mono", width=100)
>>> to_text(drawing).startswith('<svg xmlns="http://www.w3.org/2000/svg"')
True
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from netinsight.errors import visible, width_of
from netinsight.render import palette

NAMESPACE = "http://www.w3.org/2000/svg"
LONGEST = 160
"""Characters that a label may have at most, whatever room it has; its tooltip may have more."""

SANS = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', "
    "sans-serif"
)
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', monospace"

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]

LOOKS: dict[str, dict[str, str]] = {
    "ground": {"fill": "page"},
    "box": {"fill": "card", "stroke": "line", "stroke-width": "1"},
    "nest": {"fill": "sunk", "stroke": "line", "stroke-width": "1"},
    "line": {"fill": "none", "stroke": "road", "stroke-width": "2"},
    "after": {"fill": "none", "stroke": "road", "stroke-width": "1.5", "stroke-dasharray": "3 4"},
    "rule": {"fill": "none", "stroke": "line", "stroke-width": "1"},
    "head": {"fill": "road", "stroke": "none"},
    "text": {"fill": "ink", "font-family": SANS},
    "strong": {"fill": "ink", "font-family": SANS, "font-weight": "600"},
    "dim": {"fill": "dim", "font-family": SANS},
    "mono": {"fill": "ink", "font-family": MONO},
    "mono-strong": {"fill": "ink", "font-family": MONO, "font-weight": "600"},
    "mono-dim": {"fill": "dim", "font-family": MONO},
    **{f"dot-{tone}": {"fill": tone, "stroke": "card", "stroke-width": "2"} for tone in ("accept", "drop", "partial", "unknown")},
    **{f"tint-{tone}": {"fill": f"{tone}-tint", "stroke": "none"} for tone in ("accept", "drop", "partial", "unknown")},
    **{f"say-{tone}": {"fill": tone, "font-family": SANS, "font-weight": "600"} for tone in ("drop", "partial", "unknown")},
    "icon": {"fill": "none", "stroke": "dim", "stroke-width": "1.4", "stroke-linecap": "round", "stroke-linejoin": "round"},
    "frame": {"fill": "sunk", "stroke": "line", "stroke-width": "1"},
    "glyph": {"fill": "none", "stroke": "on", "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round"},
    "glyph-full": {"fill": "on", "stroke": "none"},
}  # fmt: skip
"""Class → SVG properties; a colour is named as in ``palette.COLOURS``."""

_GLYPHS = {
    "accept": ("glyph", "M-3.6 0.2 L-1.1 2.8 L3.6 -2.6"),
    "drop": ("glyph", "M-2.9 -2.9 L2.9 2.9 M2.9 -2.9 L-2.9 2.9"),
    "partial": ("glyph-full", "M0 -5 A5 5 0 0 0 0 5 Z"),
    "unknown": ("glyph", "M-2.3 -1.9 C-2.3 -4.9 2.4 -4.7 2.4 -1.8 C2.4 0.2 0 0 0 1.7 M0 4.1 L0 4.2"),
}


def styles(scope: str = "") -> str:
    """The looks as CSS rules, each below the selector ``scope``."""
    return "".join(
        f"{scope} .ni-draw-{name}{{{';'.join(f'{key}:{_css(value)}' for key, value in look.items())}}}\n".lstrip()
        for name, look in LOOKS.items()
    )


def document(width: float, height: float, title: str, description: str, *, alone: bool = False) -> Element:
    """An empty drawing that scales with the room it is given.

    Parameters
    ----------
    title, description
        What it shows, for who cannot see it.
    alone
        With its own style sheet and ground, for a file of its own.
    """
    size = {"viewBox": f"0 0 {_n(width)} {_n(height)}", "width": _n(width), "height": _n(height)}
    root = Element("svg", {"xmlns": NAMESPACE, "class": "ni-drawing", "role": "img", **size})
    SubElement(root, "title").text = visible(title, 400)
    SubElement(root, "desc").text = visible(description, 4000)
    if alone:
        dark = f"@media (prefers-color-scheme:dark){{.ni-drawing{{{palette.declarations(dark=True)}}}}}\n"
        SubElement(root, "style").text = dark + styles()
        box(root, 0, 0, width, height, "ground", radius=0)
    return root


def group(parent: Element, tooltip: str = "") -> Element:
    """Elements that belong together, with what a pointer is told above them."""
    made = SubElement(parent, "g")
    if tooltip:
        SubElement(made, "title").text = visible(tooltip, 1000)
    return made


def box(
    parent: Element, x: float, y: float, width: float, height: float, look: str = "box", *, radius: float = 8
) -> Element:
    """A rectangle; boxes nest by being drawn after one another."""
    place = {"x": _n(x), "y": _n(y), "width": _n(width), "height": _n(height)}
    return SubElement(parent, "rect", {**place, **({"rx": _n(radius)} if radius else {}), **_look(look)})


def label(
    parent: Element,
    x: float,
    y: float,
    text: str,
    look: str = "text",
    *,
    size: float = 13,
    anchor: Anchor = "start",
    width: float | None = None,
    tail: bool = True,
) -> Element:
    """A line of text with its baseline at ``y``, cut to ``width``; where it is cut, a tooltip has more of it.

    ``tail``: what is cut is cut from the middle.
    """
    mono = look.startswith("mono")
    whole = visible(text, 600)
    shown = visible(text, LONGEST) if width is None else ellipsis(text, width, size, mono=mono, tail=tail)
    place = {"x": _n(x), "y": _n(y), "font-size": _n(size)}
    made = SubElement(
        parent, "text", {**place, **({"text-anchor": anchor} if anchor != "start" else {}), **_look(look)}
    )
    made.text = shown
    if shown != whole:
        SubElement(made, "title").text = whole
    return made


def line(parent: Element, points: Sequence[Point], look: str = "line") -> Element:
    """A line through ``points``."""
    drawn = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
    return SubElement(parent, "path", {"d": f"M{drawn}", **_look(look)})


def arrow(parent: Element, points: Sequence[Point], look: str = "line", *, size: float = 5) -> Element:
    """A line through ``points`` with a head at the last."""
    made = line(parent, points, look)
    head(parent, points[-2], points[-1], size=size)
    return made


def head(parent: Element, start: Point, end: Point, *, size: float = 5) -> Element:
    """The head of an arrow from ``start`` at ``end``; a shape and no marker, so that no id can clash with another's."""
    turn = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
    shape = f"M0 0L{_n(-1.8 * size)} {_n(size)}L{_n(-1.8 * size)} {_n(-size)}Z"
    place = f"translate({_n(end[0])} {_n(end[1])}) rotate({_n(turn)})"
    return SubElement(parent, "path", {"d": shape, "transform": place, **_look("head")})


def mark(parent: Element, x: float, y: float, decision: str, *, radius: float = 9) -> Element:
    """A decision as a filled dot with its sign: the sign is drawn, so that it looks alike in every font."""
    made = SubElement(parent, "g", {"transform": f"translate({_n(x)} {_n(y)}) scale({_n(radius / 9)})"})
    SubElement(made, "circle", {"r": "9", **_look(f"dot-{decision}")})
    look, drawn = _GLYPHS[decision]
    SubElement(made, "path", {"d": drawn, **_look(look)})
    return made


def shape(parent: Element, x: float, y: float, drawn: str, look: str, *, scale: float = 1) -> Element:
    """A path that was drawn around 0, 0, moved to ``x``, ``y``."""
    place = f"translate({_n(x)} {_n(y)})" + (f" scale({_n(scale)})" if scale != 1 else "")
    return SubElement(parent, "path", {"d": drawn, "transform": place, **_look(look)})


def to_text(drawing: Element) -> str:
    """The drawing as XML, which is HTML too."""
    return tostring(drawing, encoding="unicode")


def text_width(text: str, size: float, *, mono: bool = False) -> float:
    """About the width of ``text`` in the units of ``size``, rather too much than too little."""
    if mono:
        return width_of(text) * size * 0.61
    return sum(width_of(char) * _EMS.get(char, 0.7 if char.isupper() else 0.56) for char in text) * size


_EMS = {**dict.fromkeys("iljtfrI.,:;'|!()[]/ -", 0.36), **dict.fromkeys("mwMW@%", 0.88)}


def ellipsis(text: str, width: float, size: float, *, mono: bool = False, tail: bool = True) -> str:
    """As much of ``text`` as fits in ``width``; with ``tail`` some of its end is kept, as ids differ there."""
    shown = visible(text, LONGEST)
    if text_width(shown, size, mono=mono) <= width:
        return shown
    for kept in range(len(shown) - 1, 0, -1):
        end = kept // 3 if tail else 0
        cut = f"{shown[: kept - end]}…{shown[len(shown) - end :]}"
        if text_width(cut, size, mono=mono) <= width:
            return cut
    return "…"


def _css(value: str) -> str:
    return palette.colour(value) if value in palette.COLOURS else value


def _look(name: str) -> dict[str, str]:
    plain = {
        key: palette.COLOURS[value][0] if value in palette.COLOURS else value for key, value in LOOKS[name].items()
    }
    if "font-family" in plain:
        plain["font-family"] = plain["font-family"].rpartition(", ")[2]
    return {"class": f"ni-draw-{name}", **plain}


def _n(value: float) -> str:
    """A number as short as it may be, always alike."""
    return f"{round(value, 2):g}"
