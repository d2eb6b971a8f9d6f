"""``netinsight explain``: the words of reports, and what to do."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from netinsight.cli.output import wants_colour, write
from netinsight.diagnosis.catalogue import Catalogue, Lang, load_catalogue, load_reference
from netinsight.diagnosis.glossary import Entry, entries, explain
from netinsight.errors import ExitStatus, QuestionError, did_you_mean
from netinsight.render.layout import Paint, hang, pad

KINDS = ("verdict", "item", "status", "stage", "assumption", "reason")


def run(arguments: argparse.Namespace) -> int:
    """Explain a word, or list all of them."""
    catalogue, lang, paint = load_catalogue(arguments.rules), Lang(arguments.lang), Paint(wants_colour(arguments))
    reference = load_reference(arguments.rules)
    known = entries(catalogue, reference)
    if arguments.item is not None:
        arguments.item = _by_its_word(arguments.item, catalogue, known)
    if arguments.item is not None and arguments.item not in known:
        hint = did_you_mean(arguments.item, known, cutoff=0.5) or "`netinsight explain` lists all of them"
        raise QuestionError(f"nothing in a report is called `{arguments.item[:60]}`", hint=hint)
    chosen = [explain(catalogue, reference, name, lang) for name in known if arguments.item in (None, name)]
    if arguments.output == "json":
        told = [entry.model_dump() for entry in chosen]
        text = json.dumps(told[0] if arguments.item else told, indent=2, ensure_ascii=False) + "\n"
    elif arguments.item:
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


def _whole(entry: Entry, catalogue: Catalogue, lang: Lang, paint: Paint) -> Iterator[str]:
    about = [catalogue.word(f"kind_{entry.kind}", lang), entry.severity, entry.category]
    title = f"{entry.id}  " if entry.name == entry.id else f"{entry.id}  {entry.name}  "
    first, *more = hang("", f"{title}({', '.join(filter(None, about))})")
    yield paint(entry.id, "bold") + first[len(entry.id) :]
    yield from more
    yield from hang("  ", entry.meaning)
    if entry.values:
        yield from hang("  ", catalogue.word("default_and_other", lang, default=entry.values[0], other=entry.values[1]))
        yield from hang("  ", f"--assume {entry.id}={entry.values[1]}")
    if entry.suggestion:
        yield from hang(f"  {catalogue.word('do', lang)}", entry.suggestion)
    if entry.says:
        yield ""
        yield paint(catalogue.word("what_it_says" if entry.kind == "item" else "told_by", lang), "bold")
    for said in entry.says:
        yield from hang("  - ", said.text)
        if said.suggestion:
            yield from hang(f"    {catalogue.word('do', lang)}", said.suggestion)


def _listed(chosen: list[Entry], catalogue: Catalogue, lang: Lang, paint: Paint) -> Iterator[str]:
    for kind in KINDS:
        mine = [entry for entry in chosen if entry.kind == kind]
        column = min(34, max(len(entry.id) for entry in mine))
        yield paint(catalogue.word(f"kinds_{kind}", lang), "bold")
        for entry in mine:
            yield from hang(f"  {pad(entry.id, column)}  ", entry.name if kind == "item" else entry.meaning)
        yield ""
    yield from hang("", catalogue.word("explain_hint", lang))
