"""A report as one page that needs nothing else, and as a piece of a notebook.

No script, no link, nothing fetched. Every value goes through ``visible`` and is then escaped by the template engine, so
that no name of a topology can break out or turn the text round.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.report import EndReport, PathReport, Report, RuleReport
from netinsight.errors import visible
from netinsight.render import palette, svg
from netinsight.render.marks import (
    DECISION_MARKS,
    EXTENT_MARKS,
    FIELDS,
    STATUS_MARKS,
    VERDICT_MARKS,
    asked,
    name_of,
    place,
    ports_that_pass,
)
from netinsight.render.path_nodes import Captions, no_captions
from netinsight.render.path_picture import draw_path

OPEN_PATHS = 4
"""Paths whose pictures are open from the start, where there are several."""

MOST_OBJECTS = 3
"""Objects by which a path is told from another between the same ends."""

SHORT = 3
"""Findings beside which there is room for what was not checked."""

LONGEST_PATH = 240
"""Characters of the name of a file."""

LONGEST = 20_000
"""Characters of one value: the longest sentence about parts of a question stays whole, nothing grows without end."""

_TONES = {
    "reachable": "accept",
    "partial": "partial",
    "unreachable": "drop",
    "undetermined": "unknown",
    "normal": "accept",
    "abnormal": "drop",
    "skipped": "skipped",
    "yes": "accept",
    "partly": "partial",
    "no": "drop",
}
"""The tone of a word, where it is not the word itself."""

_TEXT_FORM = "\N{VARIATION SELECTOR-15}"
"""Behind a mark: as text, not as a picture of some phone's."""


def render_html(report: Report, catalogue: Catalogue, captions: Captions = no_captions) -> str:
    """The report as a page of its own; ``captions`` is what its pictures say of objects beside their ids."""
    return template("page.html.j2").render(_values(report, catalogue, captions), level=1)


def render_fragment(report: Report, catalogue: Catalogue, captions: Captions = no_captions) -> str:
    """The report as a ``<div>`` for a notebook: its style reaches nothing else, and it has no ids that could clash."""
    return template("fragment.html.j2").render(_values(report, catalogue, captions), level=3)


def template(name: str) -> Template:
    """A template of the package; escaping is always on."""
    return _environment().get_template(name)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("netinsight.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(name=lambda text: visible(text, svg.LONGEST), lines=_lines)
    environment.globals.update(
        fields=FIELDS,
        name_of=name_of,
        place=_place,
        mark=_mark,
        tone=lambda word: _TONES.get(word, word),
        mono=Markup(svg.MONO),  # noqa: S704
        sans=Markup(svg.SANS),  # noqa: S704
    )
    return environment


def _shown(value: Any) -> Any:
    """A value as the page has it; what is markup already is the page's own."""
    return visible(value, LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    """``text`` that may break behind a slash or an underscore, as ids and file names may."""
    return Markup("<wbr>").join(re.findall(r"[^/_]*[/_]+(?=.)|.+", visible(text, LONGEST)))


def _place(file: str | None, line: int | None) -> str:
    """``FILE:LINE``; of an endless path, its beginning."""
    return place(visible(file or "", LONGEST_PATH), line)


def _mark(word: str) -> str:
    return {**VERDICT_MARKS, **DECISION_MARKS, **STATUS_MARKS, **EXTENT_MARKS}[word] + _TEXT_FORM


def _values(report: Report, catalogue: Catalogue, captions: Captions) -> dict[str, Any]:
    """All that the templates are told."""
    lang = Lang(report.lang)
    word = partial(_word, catalogue, lang)
    style, scope = _style()
    wrong = {
        "blockers": [item for item in report.items if item.status == "abnormal" and item.severity == "critical"],
        "not_known": [item for item in report.items if item.status == "unknown"],
        "impaired": [item for item in report.items if item.status == "abnormal" and item.severity != "critical"],
    }
    return {
        "report": report,
        "word": word,
        "html_lang": "zh-Hans" if lang is Lang.ZH else "en",
        "style": style,
        "scope": scope,
        "asked": asked(report, catalogue),
        "wrong": {title: items for title, items in wrong.items() if items},
        "short": sum(map(len, wrong.values())) <= SHORT,
        "rest": [item for item in report.items if item.status in ("normal", "skipped")],
        "counts": {status: sum(item.status == status for item in report.items) for status in ("normal", "skipped")},
        "pictures": _pictures(report, catalogue, captions, word),
        "open_paths": OPEN_PATHS,
        "ways": _ways(report),
        "gaps": _gaps(report),
        "known": _known,
        "is_near": partial(_is_near, word),
        "ports": ports_that_pass(report, catalogue),
    }


def _word(catalogue: Catalogue, lang: Lang, name: str, /, **values: object) -> str:
    """A word of the catalogue; of a stage or kind that it has no word for, its own name."""
    if name not in catalogue.words and name.startswith(("stage_", "kind_")):
        return name.partition("_")[2]
    return catalogue.word(name, lang, **values)


def _pictures(report: Report, catalogue: Catalogue, captions: Captions, word: Any) -> list[Markup]:
    question = report.question
    source, destination = (visible(end.id, svg.LONGEST) for end in (question.source, question.destination))
    title = word("html_picture", source=source, destination=destination)
    several = len(report.paths) > 1
    drawn = []
    for number, path in enumerate(report.paths, start=1):
        named = f"{word('path', n=number, total=len(report.paths))}: {title}" if several else title
        picture = draw_path(path, report, catalogue, named, captions=captions)
        drawn.append(Markup(svg.to_text(picture)))  # noqa: S704
    return drawn


def _ways(report: Report) -> list[list[str]]:
    """Of each path the objects that not all paths meet, where another has the same first and last address."""
    ends = [_ends(path) for path in report.paths]
    met = [{(one.object.type, one.object.id): None for one in (*path.forward, *path.return_)} for path in report.paths]
    common = set.intersection(*map(set, met)) if met else set()
    return [
        [name for kind, name in objects if (kind, name) not in common and kind != "vswitch"][:MOST_OBJECTS]
        if ends.count(mine) > 1
        else []
        for mine, objects in zip(ends, met, strict=True)
    ]


def _ends(path: PathReport) -> tuple[str, ...]:
    stages = path.forward or path.return_
    return (stages[0].packet.src, stages[-1].packet.dst) if stages else ()


def _known(end: EndReport) -> list[str]:
    """What is known of an end beside its id."""
    return list(dict.fromkeys(part for part in (end.eni, end.ip, end.public_ip) if part and part != end.id))


def _gaps(report: Report) -> dict[str, dict[str, list[str]]]:
    """What was not checked: of each object, why, and the items."""
    gaps: dict[str, dict[str, list[str]]] = {}
    for gap in report.not_checked:
        gaps.setdefault(gap.object.id, {}).setdefault(gap.reason, []).append(gap.item)
    return gaps


def _is_near(word: Any, rule: RuleReport) -> bool:
    """Whether a rule is one that fails on a single field, as the report says of it."""
    missed = [name for name in FIELDS if getattr(rule.matches, name) == "no"]
    return len(missed) == 1 and rule.note == word("near_miss", fields=word(f"field_{missed[0]}"))


@lru_cache(maxsize=1)
def _style() -> tuple[Markup, str]:
    """The style sheet below a class that is named after its content, and that class.

    So two versions of NetInsight in one notebook leave each other alone.
    """
    written = template("report.css").render(
        light=Markup(palette.declarations(dark=False)),  # noqa: S704
        dark=Markup(palette.declarations(dark=True)),  # noqa: S704
        drawing=Markup(svg.styles(".NI")),  # noqa: S704
    )
    scope = f"ni-{sha256(written.encode()).hexdigest()[:8]}"
    return Markup(written.replace(".NI", f".ni-report.{scope}")), scope  # noqa: S704
