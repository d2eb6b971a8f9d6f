"""``netinsight explain``: the words of reports, and what to do."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator

from netinsight.cli.output import wants_colour, write
from netinsight.diagnosis.catalogue import Catalogue, Lang, Reference, load_catalogue, load_reference
from netinsight.diagnosis.glossary import Entry, NameElsewhere, entries, explain, names_elsewhere
from netinsight.errors import ExitStatus, QuestionError, did_you_mean, width_of
from netinsight.render.layout import Paint, hang, pad

KINDS = ("verdict", "item", "status", "stage", "assumption", "reason")
NO_NAME = "—"


def run(arguments: argparse.Namespace) -> int:
    """Explain a word, or list all of them."""
    catalogue, lang, paint = load_catalogue(arguments.rules), Lang(arguments.lang), Paint(wants_colour(arguments))
    reference = load_reference(arguments.rules)
    known, asked = entries(catalogue, reference), arguments.item
    name = asked if asked is None else _by_its_word(asked, catalogue, known)
    foreign = None if name is None or name in known else _elsewhere(asked, known, reference)
    wanted = foreign.reasons if foreign else known if name is None else [name]
    chosen = [explain(catalogue, reference, one, lang) for one in wanted]
    if arguments.output == "json":
        text = json.dumps(_as_json(chosen, foreign, asked is None), indent=2, ensure_ascii=False) + "\n"
    elif foreign:
        text = "\n".join(_foreign(foreign, chosen, catalogue, lang, paint)) + "\n"
    elif name is not None:
        text = "\n".join(_whole(chosen[0], catalogue, lang, paint)) + "\n"
    else:
        text = "\n".join(_listed(chosen, catalogue, lang, paint)) + "\n"
    write(text, arguments.to)
    return ExitStatus.REACHABLE


def _by_its_word(written: str, catalogue: Catalogue, known: dict[str, str]) -> str:
    """The name of a verdict or status that a report tells by its word, in either language."""
    for name, kind in known.items():
        if kind in ("verdict", "status") and written.casefold() in (
            catalogue.words[name].en.casefold(), catalogue.words[name].zh
        ):  # fmt: skip
            return name
    return written


def _elsewhere(written: str, known: Iterable[str], reference: Reference) -> NameElsewhere:
    """What another cloud means by a name, in whatever case it is written."""
    names = names_elsewhere(reference)
    for name, one in names.items():
        if name.casefold() == written.casefold():
            return one
    hint = did_you_mean(written.upper(), names, cutoff=0.85) or did_you_mean(written, known, cutoff=0.5)
    hint = hint or "`netinsight explain` lists all of them"
    raise QuestionError(f"nothing in a report is called `{written[:60]}`", hint=hint)


def _as_json(chosen: list[Entry], foreign: NameElsewhere | None, everything: bool) -> object:
    told = [entry.model_dump() for entry in chosen]
    if foreign:
        return {**foreign.model_dump(), "reasons": told}
    return told if everything else told[0]


def _whole(entry: Entry, catalogue: Catalogue, lang: Lang, paint: Paint) -> Iterator[str]:
    about = [catalogue.word(f"kind_{entry.kind}", lang), entry.severity, entry.category or entry.topic]
    title = f"{entry.id}  " if entry.name == entry.id else f"{entry.id}  {entry.name}  "
    first, *more = hang("", f"{title}({', '.join(filter(None, about))})")
    yield paint(entry.id, "bold") + first[len(entry.id) :]
    yield from more
    yield from hang("  ", entry.meaning)
    if entry.values:
        yield from hang("  ", catalogue.word("default_and_other", lang, default=entry.values[0], other=entry.values[1]))
        yield from hang("  ", f"--assume {entry.id}={entry.values[1]}")
    yield from _rows(entry, catalogue, lang)
    if entry.says:
        yield ""
        yield paint(catalogue.word("what_it_says" if entry.kind == "item" else "told_by", lang), "bold")
    for said in entry.says:
        yield from hang("  - ", said.text)
        if said.suggestion:
            yield from hang(f"    {catalogue.word('do', lang)}", said.suggestion)


def _rows(entry: Entry, catalogue: Catalogue, lang: Lang) -> Iterator[str]:
    """What a report says, when, what to do, and what others call it, in two columns; of other words what to do only."""
    if not entry.when:
        if entry.suggestion:
            yield from hang(f"  {catalogue.word('do', lang)}", entry.suggestion)
        return
    rows = [("row_says", entry.text), ("row_when", entry.when), ("row_items", ", ".join(entry.items))]
    rows += [("row_do", entry.suggestion)]
    rows += [(f"cloud_{cloud}", ", ".join(names) or NO_NAME) for cloud, names in entry.elsewhere.items()]
    labels = {name: catalogue.word(name, lang) for name, _ in rows}
    column = max(map(width_of, labels.values()))
    for name, told in rows:
        if told:
            yield from hang(f"  {pad(labels[name], column)}  ", told)


def _foreign(
    foreign: NameElsewhere, chosen: list[Entry], catalogue: Catalogue, lang: Lang, paint: Paint
) -> Iterator[str]:
    """Whose name it is, and the reasons here: one in full, several as a list."""
    clouds = ", ".join(catalogue.word(f"cloud_{cloud}", lang) for cloud in foreign.clouds)
    first, *more = hang("", catalogue.word("name_elsewhere", lang, name=foreign.name, clouds=clouds))
    yield paint(foreign.name, "bold") + first[len(foreign.name) :]
    yield from more
    if len(chosen) == 1:
        yield ""
        yield from _whole(chosen[0], catalogue, lang, paint)
        return
    yield from _columns(chosen)
    yield ""
    yield from hang("", catalogue.word("explain_hint", lang))


def _columns(chosen: list[Entry]) -> Iterator[str]:
    column = min(34, max(len(entry.id) for entry in chosen))
    for entry in chosen:
        yield from hang(f"  {pad(entry.id, column)}  ", entry.name if entry.kind == "item" else entry.meaning)


def _listed(chosen: list[Entry], catalogue: Catalogue, lang: Lang, paint: Paint) -> Iterator[str]:
    for kind in KINDS:
        yield paint(catalogue.word(f"kinds_{kind}", lang), "bold")
        yield from _columns([entry for entry in chosen if entry.kind == kind])
        yield ""
    yield from hang("", catalogue.word("explain_hint", lang))
