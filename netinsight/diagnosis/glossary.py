"""What the words of a report mean: items, reasons, verdicts, statuses, stages, assumptions, from the catalogue."""

from __future__ import annotations

from pydantic import BaseModel

from netinsight.diagnosis.case import Status
from netinsight.diagnosis.catalogue import Advice, Catalogue, ItemRule, Lang, NamesElsewhere, Reference, Words
from netinsight.flow import Verdict
from netinsight.model.assumptions import ASSUMPTIONS


class Said(BaseModel):
    """One thing that an item may say, and what to do then; ``{names}`` stand for what a report fills in."""

    code: str
    text: str
    suggestion: str = ""


class Entry(BaseModel):
    """One word of a report.

    Attributes
    ----------
    kind
        ``item``, ``reason``, ``verdict``, ``status``, ``stage`` or ``assumption``.
    items
        Of a reason whose items advise the same: those that tell what to do.
    text
        What a report says, of a reason.
    when
        Exactly when it stops a packet or leaves it open; empty where it does neither, as ``topic`` and ``elsewhere`` are.
    elsewhere
        Cloud → its names for the same thing, none where it has none.
    """

    id: str
    kind: str
    name: str
    meaning: str
    severity: str = ""
    category: str = ""
    says: list[Said] = []
    suggestion: str = ""
    items: list[str] = []
    values: list[str] = []
    text: str = ""
    topic: str = ""
    when: str = ""
    elsewhere: dict[str, list[str]] = {}


class NameElsewhere(BaseModel):
    """A name that other clouds have for reasons, as they write it; ``clouds`` are keys of ``Entry.elsewhere``."""

    name: str
    clouds: list[str]
    reasons: list[str]


def names_elsewhere(reference: Reference) -> dict[str, NameElsewhere]:
    """Every name of another cloud, and what it stands for here."""
    found: dict[str, NameElsewhere] = {}
    for code, names in reference.elsewhere.items():
        for cloud in type(names).model_fields:
            for name in getattr(names, cloud):
                one = found.setdefault(name, NameElsewhere(name=name, clouds=[], reasons=[]))
                one.clouds += [cloud] if cloud not in one.clouds else []
                one.reasons += [code] if code not in one.reasons else []
    return found


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
        return _with_cause(_item(catalogue, reference, name, catalogue.items[name], lang), reference, lang)
    if kind == "reason":
        return _with_cause(_reason(catalogue, reference, name, lang), reference, lang)
    meaning = reference.about[name].fill(lang, {})
    title = catalogue.word(name, lang) if name in catalogue.words else name
    return Entry(id=name, kind=kind, name=title, meaning=meaning, values=list(ASSUMPTIONS.get(name, ())))


def _item(catalogue: Catalogue, reference: Reference, name: str, item: ItemRule, lang: Lang) -> Entry:
    says = [
        Said(code=code, text=said.fill(lang, {}), suggestion=_told(catalogue, said.suggestion, lang))
        for code, said in item.findings.items()
    ]
    says += [
        Said(code=code, text=catalogue.reasons[code].fill(lang, {}), suggestion=_told(catalogue, words, lang))
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
        suggestion=_told(catalogue, item.suggestion, lang),
    )


def _reason(catalogue: Catalogue, reference: Reference, code: str, lang: Lang) -> Entry:
    """A reason: what it says and means, and what to do; by item, where items have different advice for it."""
    cause, text = reference.causes.get(code), catalogue.reasons[code].fill(lang, {})
    general = cause.advice if cause else []
    advice: dict[str, list[str]] = {}
    for name, item in catalogue.items.items():
        words = item.suggestions.get(code) or (item.suggestion if name in general else None)
        if words:
            advice.setdefault(_told(catalogue, words, lang), []).append(name)
    says = [
        Said(code=code, text=", ".join(f"{catalogue.items[name].name.fill(lang, {})} ({name})" for name in names),
             suggestion=told)
        for told, names in advice.items()
    ]  # fmt: skip
    meaning = _told(catalogue, cause.meaning if cause else None, lang) or text
    entry = Entry(id=code, kind="reason", name=code, meaning=meaning, text=text)
    if len(says) == 1:
        (names,) = advice.values()
        return entry.model_copy(update={"suggestion": says[0].suggestion, "items": names})
    return entry.model_copy(update={"says": says})


def _with_cause(entry: Entry, reference: Reference, lang: Lang) -> Entry:
    """The same with when it stops a packet, and what others call that."""
    cause = reference.causes.get(entry.id)
    if cause is None:
        return entry
    names = reference.elsewhere.get(entry.id, NamesElsewhere())
    topic, when = reference.topics[cause.topic].fill(lang, {}), cause.when.fill(lang, {})
    return entry.model_copy(update={"topic": topic, "when": when, "elsewhere": names.model_dump()})


def _told(catalogue: Catalogue, words: Words | None, lang: Lang) -> str:
    """A text; of advice that depends on a state, all of it."""
    if words is None:
        return ""
    told = words.fill(lang, {})
    by_state: dict[str, list[str]] = {}
    for status, other in words.by_status.items() if isinstance(words, Advice) else ():
        by_state.setdefault(other.fill(lang, {}), []).append(status)
    others = [f"{', '.join(states)}: {other}" for other, states in by_state.items()]
    return catalogue.word("sentences", lang).join([told, *others])
