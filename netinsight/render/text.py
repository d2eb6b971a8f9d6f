"""A report for a person at 3 a.m.: the verdict, the path, what is wrong and what to do, the rest in a line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.report import EndReport, ItemReport, PathReport, Report, RuleReport, StageReport
from netinsight.errors import width_of
from netinsight.render.layout import Paint, hang, pad
from netinsight.render.marks import (
    DECISION_MARKS,
    EXTENT_MARKS,
    FIELDS,
    STATUS_MARKS,
    STYLES,
    VERDICT_MARKS,
    asked,
    name_of,
    place,
    ports_that_pass,
)

MOST_PATHS = 4
"""Paths that a report shows by itself; the others are there with --all, and in JSON."""


_UNBROKEN = "\N{NO-BREAK SPACE}"
"""For a space at which no line may break."""


def render_text(report: Report, catalogue: Catalogue, *, colour: bool = False, every_item: bool = False) -> str:
    """The report as text, at most 100 columns wide.

    Parameters
    ----------
    every_item
        Show normal and skipped items too, each by itself.
    """
    page = _Page(report, catalogue, Lang(report.lang), Paint(colour))
    lines = [
        *page.headline(),
        "",
        *page.paths(None if every_item else MOST_PATHS),
        *page.demands(),
        *page.wrong(every_item),
        *page.foot(every_item),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Page:
    report: Report
    catalogue: Catalogue
    lang: Lang
    paint: Paint

    def word(self, name: str, /, **values: object) -> str:
        return self.catalogue.word(name, self.lang, **values)

    def headline(self) -> Iterator[str]:
        report, question = self.report, self.report.question
        verdict = self.word(report.verdict.value)
        lead = f"{verdict}  "
        whole = asked(report, self.catalogue).replace(" ", _UNBROKEN)
        told = hang(lead, f"{end_text(question.source)} -> {end_text(question.destination)}  {whole}")
        first, *more = (line.replace(_UNBROKEN, " ") for line in told)
        yield self.paint(verdict, "bold", STYLES[VERDICT_MARKS[report.verdict.value]]) + first[len(verdict) :]
        yield from more
        indent = " " * width_of(lead)
        for passing in ports_that_pass(report, self.catalogue):
            yield from hang(indent, passing)

    def paths(self, most: int | None) -> Iterator[str]:
        against = {demand.counterexample.path for demand in self.report.demands if demand.counterexample}
        shown = [number for number in range(1, len(self.report.paths) + 1)
                 if most is None or number <= most or number in against]  # fmt: skip
        for number in shown:
            path = self.report.paths[number - 1]
            if len(self.report.paths) > 1:
                mark = DECISION_MARKS[path.decision]
                named = self.word("path", n=number, total=len(self.report.paths))
                yield f"{self.paint(mark, STYLES[mark])} {self.paint(named, 'bold')}  {_road(path)}"
            yield from self._chain(self.word("forward"), path.forward)
            if path.return_:
                yield from self._chain(self.word("back"), path.return_)
            yield ""
        if left := len(self.report.paths) - len(shown):
            yield from [self.word("more_paths", n=left), ""]

    def demands(self) -> Iterator[str]:
        if not self.report.demands:
            return
        yield self.paint(self.word("demands"), "bold")
        for demand in self.report.demands:
            mark = EXTENT_MARKS[demand.holds]
            asked = self.word(f"demand_{demand.kind}", object=demand.object.id)
            first, *more = hang(f"  {mark} {asked}: ", demand.message)
            yield f"  {self.paint(mark, STYLES[mark])}{first[3:]}"
            yield from more
        yield ""

    def _chain(self, title: str, stages: list[StageReport]) -> Iterator[str]:
        if not stages:
            return
        packet = stages[0].packet
        yield from hang("", self.paint(title, "bold") + f"  {packet.src} -> {packet.dst}")
        column = min(26, max(width_of(stage.object.id) for stage in stages))
        for stage in stages:
            mark = DECISION_MARKS[stage.decision]
            lead = f"  {mark} {pad(stage.stage, 22)} {pad(stage.object.id, column)}  "
            rule = stage.rule if stage.rule and stage.rule not in stage.why else None
            where = " ".join(filter(None, (rule, place(stage.file, stage.line))))
            first, *more = hang(lead, stage.why + (f"  [{where}]" if where else ""))
            yield f"  {self.paint(mark, STYLES[mark])}{first[3:]}"
            yield from more
            if stage.explain:
                yield from self._tried(stage.explain)

    def _tried(self, rules: list[RuleReport]) -> Iterator[str]:
        """Each rule of a list: a column for each field, then the rule and what became of it."""
        heads = [self.word(f"head_{name}") for name in FIELDS]
        columns = [max(4, width_of(head) + 1) for head in heads]
        head = "".join(pad(word, width) for word, width in zip(heads, columns, strict=True))
        yield self.paint(f"      {head} {self.word('tried')}", "dim")
        for rule in rules:
            marks = (EXTENT_MARKS[getattr(rule.matches, name)] for name in FIELDS)
            shown = "".join(pad(mark, width) for mark, width in zip(marks, columns, strict=True))
            decides = rule.outcome in ("decides", "may_decide")
            lead = f"    {'▸' if decides else ' '} {shown} "
            where = " ".join(filter(None, (rule.rule, place(rule.file, rule.line))))
            styles = ("bold",) if decides else ("dim",) if rule.outcome == "after" else ()
            for line in hang(lead, f"{rule.text}: {rule.note}  [{where}]"):
                yield self.paint(line, *styles)

    def wrong(self, every_item: bool) -> Iterator[str]:
        items = self.report.items
        abnormal = [item for item in items if item.status == "abnormal"]
        yield from self._items(self.word("blockers"), [item for item in abnormal if item.severity == "critical"])
        yield from self._items(self.word("not_known"), [item for item in items if item.status == "unknown"])
        yield from self._items(self.word("impaired"), [item for item in abnormal if item.severity != "critical"])
        if every_item:
            yield from self._items(
                self.word("all_items"), [item for item in items if item.status in ("normal", "skipped")]
            )

    def _items(self, title: str, items: list[ItemReport]) -> Iterator[str]:
        if not items:
            return
        yield self.paint(title, "bold")
        for item in items:
            mark = STATUS_MARKS[item.status]
            about = self.word("about", severity=self.word(item.severity), name=item.name)
            first, *more = hang(f"  {mark} ", f"{item.id}  {item.object.id}  {about}")
            yield f"  {self.paint(mark, STYLES[mark])}{first[3:]}"
            yield from more
            yield from hang("      ", item.message)
            if item.status in ("abnormal", "unknown"):
                for evidence in item.evidence:
                    where = " ".join(filter(None, (name_of(evidence), place(evidence.file, evidence.line))))
                    yield from hang(
                        f"      {self.word('by')}", f"{evidence.text}  [{where}]" if where else evidence.text
                    )
            if item.suggestion:
                yield from hang(f"      {self.word('do')}", item.suggestion)
        yield ""

    def foot(self, every_item: bool) -> Iterator[str]:
        report = self.report
        counts = {status: sum(item.status == status for item in report.items) for status in ("normal", "skipped")}
        if not every_item:
            yield from hang("", self.word("the_rest", **counts))
        yield from self._not_checked(with_reasons=every_item)
        if report.assumptions:
            yield from hang(self.word("assumed"), ", ".join(f"{one.id}={one.value}" for one in report.assumptions))
        yield from hang("", self.word("at", notice=report.notice, at=report.at))

    def _not_checked(self, *, with_reasons: bool) -> Iterator[str]:
        """What a missing fact left out: an object a line, or an object and reason."""
        gaps: dict[tuple[str, str], list[str]] = defaultdict(list)
        for gap in self.report.not_checked:
            gaps[gap.object.id, gap.reason if with_reasons else ""].append(gap.item)
        for (object_id, reason), items in gaps.items():
            told = self.word("only_for", parts=reason) if reason else ""
            yield from hang(self.word("not_checked"), f"{object_id}: {', '.join(items)}{told}")
        if gaps and not with_reasons:
            yield self.word("all_tells")


def end_text(end: EndReport) -> str:
    """An end: its id, and by which ENI and addresses it was asked."""
    known = [
        part
        for part in (end.eni if end.eni != end.id else None, end.ip if end.ip != end.id else None, end.public_ip)
        if part
    ]
    return f"{end.id} ({', '.join(dict.fromkeys(known))})" if known else end.id


def _road(path: PathReport) -> str:
    stages = path.forward or path.return_
    return f"{stages[0].packet.src} -> {stages[-1].packet.dst}" if stages else ""
