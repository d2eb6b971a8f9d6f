"""An answer in one line, for many questions at once: verdict, question, the first thing that stops it and where."""

from __future__ import annotations

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.report import ItemReport, Report
from netinsight.errors import visible, width_of
from netinsight.render.layout import Paint, pad
from netinsight.render.marks import EXTENT_MARKS, STYLES, VERDICT_MARKS, asked, place, ports_that_pass


def render_line(report: Report, catalogue: Catalogue, *, colour: bool = False) -> str:
    """A mark, the verdict, the question, and what to look at first; no line break, whatever the names hold."""
    lang, paint, verdict = Lang(report.lang), Paint(colour), report.verdict.value
    column = max(width_of(catalogue.word(word, lang)) for word in VERDICT_MARKS)
    said = f"{VERDICT_MARKS[verdict]} {pad(catalogue.word(verdict, lang), column)}"
    ends = f"{report.question.source.id} -> {report.question.destination.id}"
    parts = [paint(said, "bold", STYLES[VERDICT_MARKS[verdict]]), visible(ends, 300), asked(report, catalogue)]
    parts += ports_that_pass(report, catalogue) if verdict == "partial" else []
    for demand in report.demands:
        if demand.holds != "yes":
            asked_of_it = catalogue.word(f"demand_{demand.kind}", lang, object=demand.object.id)
            parts.append(f"{EXTENT_MARKS[demand.holds]} {visible(f'{asked_of_it}: {demand.message}', 400)}")
    wrong = _first(report)
    if wrong:
        parts.append(_what(wrong))
        more = len(_stopping(report)) - 1
        parts += [catalogue.word("more", lang, n=more)] if more > 0 else []
    return "  ".join(parts)


def _stopping(report: Report) -> list[ItemReport]:
    """What decides against it: the blockers, or what is not known where there are none."""
    blockers = [item for item in report.items if item.status == "abnormal" and item.severity == "critical"]
    unknown = [item for item in report.items if item.status == "unknown"]
    return blockers or (unknown if report.verdict.value == "undetermined" else [])


def _first(report: Report) -> ItemReport | None:
    return next(iter(_stopping(report)), None)


def _what(item: ItemReport) -> str:
    told = f"{item.id} {item.object.id}: {item.message}"
    where = next((place(one.file, one.line) for one in item.evidence if one.file), "")
    return visible(told, 400) + (f" [{where}]" if where else "")
