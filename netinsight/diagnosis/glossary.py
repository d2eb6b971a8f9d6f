"""What the words of a report mean: items, reasons, verdicts, statuses, stages, assumptions, from the catalogue."""

from __future__ import annotations

from pydantic import BaseModel

from netinsight.diagnosis.case import Status
from netinsight.diagnosis.catalogue import Catalogue, ItemRule, Lang, Reference, Words
from netinsight.flow import Verdict
from netinsight.model.assumptions import ASSUMPTIONS


class Said(BaseModel):
    """One thing that an item may say, and what to do then; ``{names}`` stand for what a report fills in."""

    code: str
    text: str
    suggestion: str = ""


class Entry(BaseModel):
    """One word of a report.

    ``kind`` is ``item``, ``reason``, ``verdict``, ``status``, ``stage`` or ``assumption``.
    """

    id: str
    kind: str
    name: str
    meaning: str
    severity: str = ""
    category: str = ""
    says: list[Said] = []
    suggestion: str = ""
    values: list[str] = []


def entries(catalogue: Catalogue, reference: Reference) -> dict[str, str]:
    """Every word that can be explained, and its kind."""
    kinds = dict.fromkeys(catalogue.items, "item")
    kinds |= {verdict.value: "verdict" for verdict in Verdict}
    kinds |= {status.value: "status" for status in Status}
    kinds |= dict.fromkeys(ASSUMPTIONS, "assumption")
    kinds |= {name: "stage" for name in reference.about if name not in kinds}
    return kinds | {name: "reason" for name in catalogue.reasons if name not in kinds}


def explain(catalogue: Catalogue, reference: Reference, name: str, lang: Lang) -> Entry:
    """What one of ``entries`` means, in a language."""
    kind = entries(catalogue, reference)[name]
    if kind == "item":
        return _item(catalogue, reference, name, catalogue.items[name], lang)
    if kind == "reason":
        return _reason(catalogue, name, lang)
    meaning = reference.about[name].fill(lang, {})
    title = catalogue.word(name, lang) if name in catalogue.words else name
    return Entry(id=name, kind=kind, name=title, meaning=meaning, values=list(ASSUMPTIONS.get(name, ())))


def _item(catalogue: Catalogue, reference: Reference, name: str, item: ItemRule, lang: Lang) -> Entry:
    says = [
        Said(code=code, text=said.fill(lang, {}), suggestion=_told(said.suggestion, lang))
        for code, said in item.findings.items()
    ]
    says += [
        Said(code=code, text=catalogue.reasons[code].fill(lang, {}), suggestion=_told(words, lang))
        for code, words in item.suggestions.items()
    ]
    return Entry(
        id=name,
        kind="item",
        name=item.name.fill(lang, {}),
        meaning=reference.about[name].fill(lang, {}),
        severity=catalogue.word(item.severity.value, lang),
        category=catalogue.categories[item.category].fill(lang, {}),
        says=says,
        suggestion=_told(item.suggestion, lang),
    )


def _reason(catalogue: Catalogue, code: str, lang: Lang) -> Entry:
    """A reason: what it says, and of each item that has its own advice for it what to do."""
    advice: dict[str, list[str]] = {}
    for item in catalogue.items.values():
        if code in item.suggestions:
            advice.setdefault(_told(item.suggestions[code], lang), []).append(item.name.fill(lang, {}))
    says = [Said(code=code, text="; ".join(names), suggestion=told) for told, names in advice.items()]
    return Entry(id=code, kind="reason", name=code, meaning=catalogue.reasons[code].fill(lang, {}), says=says)


def _told(words: Words | None, lang: Lang) -> str:
    return words.fill(lang, {}) if words else ""
