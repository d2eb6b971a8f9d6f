"""All pairs for people and for programs: a table, a page, class pairs as CSV, everything as JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import IO, Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.matrix import NOT_ASKED, VERDICTS, Matrix, Pairs
from netinsight.errors import visible, width_of
from netinsight.flow import Verdict
from netinsight.render import svg
from netinsight.render.html import template
from netinsight.render.layout import Paint, pad
from netinsight.render.palette import declarations

SCHEMA = "netinsight.matrix/1"
LETTERS = "rpud-"
"""Of each code: reachable, partial, unreachable, undetermined, not asked."""
MOST_LABELS = 12
"""Of a grid in text; more are listed row by row."""
MOST_CELLS = 160
"""Rows and columns of the page."""
COLUMNS = ("service", "src_class", "dst_class", "src", "dst", "src_members", "dst_members", "pairs", "verdict")
_STYLES = {
    Verdict.REACHABLE: "green",
    Verdict.PARTIAL: "yellow",
    Verdict.UNREACHABLE: "red",
    Verdict.UNDETERMINED: "cyan",
}
_TONES = {Verdict.REACHABLE: "accept", Verdict.PARTIAL: "partial", Verdict.UNREACHABLE: "drop",
          Verdict.UNDETERMINED: "unknown"}  # fmt: skip


def as_table(matrix: Matrix, catalogue: Catalogue, lang: Lang, by: str, paint: Paint) -> str:
    """Counts of each service, and how much of each part reaches each."""
    lines = [_heading(matrix, catalogue, lang), ""]
    for pairs in matrix:
        counts = pairs.counts()
        told = ", ".join(paint(f"{catalogue.word(word, lang)} {number}", _STYLES[Verdict(word)])
                         for word, number in counts.items())  # fmt: skip
        classes = paint(catalogue.word("matrix_classes", lang, classes=len(pairs.groups)), "dim")
        lines += [f"{paint(pairs.service, 'bold')}  {told or catalogue.word('matrix_no_pairs', lang)}  {classes}"]
        labels, cells = pairs.by(by)
        shown = _grid if len(labels) <= MOST_LABELS else _list
        lines += [*(f"  {line}" for line in shown(labels, cells, catalogue, lang, paint)), ""]
    return "\n".join([*lines, catalogue.word("matrix_legend", lang), ""])


def _heading(matrix: Matrix, catalogue: Catalogue, lang: Lang) -> str:
    return catalogue.word("matrix_heading", lang, ends=len(matrix.each[0].group_of))


def _cell(counts: NDArray[np.int64]) -> str:
    """``all``, ``12/40``, ``-`` for none, with ``?`` where something is not known; empty where nothing was asked."""
    total, reached = int(counts.sum()), int(counts[VERDICTS.index(Verdict.REACHABLE)])
    partial, open_ = int(counts[VERDICTS.index(Verdict.PARTIAL)]), int(counts[VERDICTS.index(Verdict.UNDETERMINED)])
    if not total:
        return ""
    told = "all" if reached == total else "-" if not reached else f"{reached}/{total}"
    return told + ("~" if partial else "") + ("?" if open_ else "")


def _style_of(counts: NDArray[np.int64]) -> str:
    codes = np.flatnonzero(counts)
    return _STYLES[VERDICTS[codes[0]]] if len(codes) == 1 else "yellow" if len(codes) else "dim"


def _grid(labels: list[str], cells: NDArray[np.int64], catalogue: Catalogue, lang: Lang, paint: Paint) -> Iterator[str]:
    shown = [visible(label, 24) for label in labels]
    texts = [[_cell(cell) for cell in row] for row in cells]
    first = max(width_of(one) for one in [*shown, "from \\ to"])
    widths = [max(width_of(label), *(width_of(row[n]) for row in texts)) for n, label in enumerate(shown)]
    yield paint(pad("from \\ to", first), "dim") + "  " + "  ".join(map(pad, shown, widths))
    for n, label in enumerate(shown):
        told = (paint(pad(texts[n][m], widths[m]), _style_of(cells[n, m])) for m in range(len(shown)))
        yield (pad(label, first) + "  " + "  ".join(told)).rstrip()


def _list(labels: list[str], cells: NDArray[np.int64], catalogue: Catalogue, lang: Lang, paint: Paint) -> Iterator[str]:
    """Too many for a grid: what each reaches, all that it reaches wholly on one line."""
    for n, label in enumerate(labels):
        told = [f"{visible(labels[m], 40)} {_cell(cells[n, m])}" for m in range(len(labels))
                if _cell(cells[n, m]) not in ("", "-")]  # fmt: skip
        more = [f"… {len(told) - MOST_LABELS}"] if len(told) > MOST_LABELS else []
        yield f"{visible(label, 40)} -> {', '.join([*told[:MOST_LABELS], *more]) or '-'}"


def as_csv(matrix: Matrix) -> Iterator[str]:
    """A line for each two classes of each service that were asked; the members are ``members_csv``."""
    yield ",".join(COLUMNS) + "\n"
    for pairs in matrix:
        for row in _class_pairs(pairs):
            yield _line(row)


def _class_pairs(pairs: Pairs) -> Iterator[tuple[Any, ...]]:
    sizes = [len(group) for group in pairs.groups]
    for a, group in enumerate(pairs.groups):
        for b in np.flatnonzero(pairs.codes[a] != NOT_ASKED).tolist():
            other = pairs.groups[b]
            yield (pairs.service, a, b, group.members[0], other.members[1 if a == b else 0], sizes[a], sizes[b],
                   int(pairs.sizes[a, b]), VERDICTS[pairs.codes[a, b]].value)  # fmt: skip


def write_parquet(matrix: Matrix, to: IO[bytes]) -> None:
    """The same as Parquet; it needs the extra ``parquet``."""
    import pyarrow
    from pyarrow import parquet

    rows = [row for pairs in matrix for row in _class_pairs(pairs)]
    columns = zip(*rows, strict=True) if rows else ([] for _ in COLUMNS)
    parquet.write_table(pyarrow.table(dict(zip(COLUMNS, map(list, columns), strict=True))), to)


def members_csv(matrix: Matrix) -> Iterator[str]:
    """Which class of each service an end is a member of, and where it stands."""
    yield "service,class,end,type,vpc,vswitch,security_groups,instance,name\n"
    for pairs in matrix:
        told = zip(*(pairs.labels(by) for by in ("vpc", "vswitch", "group", "name")), strict=True)
        for (member, number), labels in zip(pairs.group_of.items(), told, strict=True):
            kind = pairs.groups[number].type
            interface = pairs.network.enis.get(member)
            instance = (interface.instance_id or "") if interface else ""
            where = labels if kind == "eni" else ("", "", "", "")
            yield _line((pairs.service, number, member, kind, *where[:3], instance, where[3]))


def pairs_csv(matrix: Matrix) -> Iterator[str]:
    """Every pair of ends, a line each, made while it is written."""
    yield "service,src,dst,verdict\n"
    for pairs in matrix:
        for src in pairs.group_of:
            for number, code in enumerate(pairs.row(src).tolist()):
                if code != NOT_ASKED:
                    for dst in pairs.groups[number].members:
                        if dst != src:
                            yield _line((pairs.service, src, dst, VERDICTS[code].value))


def _line(row: tuple[Any, ...]) -> str:
    held = StringIO()
    csv.writer(held, lineterminator="\n").writerow(row)
    return held.getvalue()


def one_end(matrix: Matrix, written: str, catalogue: Catalogue, lang: Lang, *, to: bool) -> Iterator[str]:
    """The ends that reach one (``to``), or that it reaches, for each service, and those of which that is not certain."""
    for pairs in matrix:
        ask = pairs.who_reaches if to else pairs.reaches
        for verdict in (Verdict.REACHABLE, Verdict.PARTIAL, Verdict.UNDETERMINED):
            found = list(ask(written, verdict))
            if found or verdict is Verdict.REACHABLE:
                yield f"{pairs.service}  {catalogue.word(verdict.value, lang)} {len(found)}\n"
            yield from (f"  {visible(name)}\n" for name in found)


def as_json(matrix: Matrix) -> str:
    """Classes with their members; verdicts as a text of ``LETTERS`` for each class that asks."""
    letters = np.array(list(LETTERS))
    told = {
        "schema": SCHEMA,
        "letters": dict(zip(LETTERS, [*(one.value for one in VERDICTS), "not asked"], strict=True)),
        "services": [
            {"service": pairs.service, "counts": pairs.counts(),
             "classes": [{"type": group.type, "members": list(group.members)} for group in pairs.groups],
             "verdicts": ["".join(row) for row in letters[pairs.codes].tolist()]}
            for pairs in matrix
        ],
    }  # fmt: skip
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def as_html(matrix: Matrix, catalogue: Catalogue, lang: Lang, by: str) -> str:
    """A page with a heat map for each service: how much of each part reaches each."""
    maps = []
    for pairs in matrix:
        labels, cells = pairs.by(by)
        shown = [visible(label, 60) for label in labels[:MOST_CELLS]]
        rows = [(shown[n], [(to, *_html_cell(cells[n, m])) for m, to in enumerate(shown)]) for n in range(len(shown))]
        counts = {catalogue.word(word, lang): number for word, number in pairs.counts().items()}
        maps.append((pairs.service, counts, shown, rows, len(labels) - len(shown)))
    page = template("matrix.html.j2").render(
        title=catalogue.word("matrix_title", lang, services=", ".join(matrix.services)),
        heading=_heading(matrix, catalogue, lang), legend=catalogue.word("matrix_legend", lang), maps=maps,
        html_lang="zh-Hans" if lang is Lang.ZH else "en", sans=Markup(svg.SANS),  # noqa: S704
        light=Markup(declarations(dark=False)), dark=Markup(declarations(dark=True)),  # noqa: S704
    )  # fmt: skip
    return str(page)


def _html_cell(counts: NDArray[np.int64]) -> tuple[str, str, int]:
    """Text, tone, and how much of it is reached, in percent."""
    total = int(counts.sum())
    codes = np.flatnonzero(counts)
    tone = _TONES[VERDICTS[codes[0]]] if len(codes) == 1 else "partial" if total else "none"
    return _cell(counts), tone, round(100 * int(counts[0]) / total) if total else 0
