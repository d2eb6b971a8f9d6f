"""What a guest printed as rows of named fields, each with its place: from text as from JSON."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple

from netinsight.errors import Place, Problem, each_key_once, visible

_BREAK = re.compile("\r\n|\n|\r")
_WORD = re.compile(r"[^\s\\]+")
_SPACE = re.compile(r"[\s]*")


class Word(NamedTuple):
    """A word of a row, with its line and column."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Written:
    """A text and where it stands: a whole file, or a part of one."""

    text: str
    file: str = ""
    places: Callable[[int, int], Place] | None = None
    """The place in the file of a line and column of the text; None: the text is the file."""

    def place(self, line: int, column: int) -> Place:
        """A line and column of the text as a place in the file."""
        return self.places(line, column) if self.places else Place(self.file, line, column)

    @property
    def is_json(self) -> bool:
        """Whether ``ip -j`` or ConvertTo-Json wrote it."""
        return self.text.lstrip("\ufeff \t\r\n")[:1] in ("[", "{")


@dataclass(slots=True)
class Row:
    """A row: its fields by name, the hops of several, and the words that nobody here knows."""

    written: Written
    line: int
    excerpt: str
    fields: dict[str, Word] = field(default_factory=dict)
    hops: list[Row] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    column: int = 1

    def get(self, name: str) -> str:
        """The text of a field; empty where there is none."""
        found = self.fields.get(name)
        return found.text if found else ""


class Problems:
    """Every mistake, in the order of reading."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def note(self, row: Row, at: Word | None, message: str, hint: str = "") -> None:
        """A mistake at a word, or at the row."""
        place = row.written.place(at.line, at.column) if at else row.written.place(row.line, row.column)
        self.found.append(Problem(place, message, hint, row.excerpt))


def plain_rows(written: Written) -> Iterator[tuple[Row, list[Word]]]:
    """The lines that hold something, with their words."""
    for number, line in enumerate(_BREAK.split(written.text.removeprefix("\ufeff")), start=1):
        if found := [Word(word[0], number, word.start() + 1) for word in _WORD.finditer(line)]:
            yield Row(written, number, line, column=found[0].column), found


def text_rows(written: Written) -> Iterator[tuple[Row, list[Word]]]:
    r"""The lines that hold something, with their words; a line that is indented goes on with the row before it.

    A ``\`` is what ``ip -o`` writes for a line break.
    """
    row: Row | None = None
    words: list[Word] = []
    for line, found in plain_rows(written):
        if line.excerpt.startswith("#"):
            continue
        if line.excerpt[0] in " \t" and row is not None:
            words += found
            continue
        if row is not None:
            yield row, words
        row, words = line, found
    if row is not None:
        yield row, words


def json_rows(written: Written, problems: Problems) -> Iterator[tuple[Row, dict[str, Any]]]:
    """The objects of a JSON list (or the one object), each with its line."""
    text, decoder = written.text, json.JSONDecoder(object_pairs_hook=each_key_once)
    starts = [0, *accumulate((len(line) + 1 for line in text.split("\n")), initial=0)][1:]
    at = _skip(text, 1 if text[:1] == "\ufeff" else 0)
    many = text[at : at + 1] == "["
    at = _skip(text, at + 1) if many else at
    while not (many and text[at : at + 1] == "]"):
        line = bisect_right(starts, at)
        row = Row(written, line, text[starts[line - 1] : starts[line] - 1], column=at - starts[line - 1] + 1)
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            _not_json(row, error, problems, starts)
            return
        if isinstance(value, dict):
            yield row, value
        elif value is not None:
            problems.note(row, None, f"expected an object, found `{visible(text[at:end])}`")
        at = _skip(text, end)
        if text[at : at + 1] == "," and many:
            at = _skip(text, at + 1)
        elif not many or text[at : at + 1] != "]":
            break
    rest = text[at + 1 if many else at :]
    if (many and text[at : at + 1] != "]") or rest.strip():
        line = bisect_right(starts, at)
        row = Row(written, line, text[starts[line - 1] :].partition("\n")[0], column=at - starts[line - 1] + 1)
        problems.note(
            row, None, f"not valid JSON: expected the end, found `{visible(text[at : at + 12]) or 'nothing'}`"
        )


def _not_json(row: Row, error: Exception, problems: Problems, starts: list[int]) -> None:
    at = getattr(error, "pos", None)
    word = None
    if at is not None:
        line = bisect_right(starts, at)
        word = Word("", line, at - starts[line - 1] + 1)
    problems.note(row, word, f"not valid JSON: {getattr(error, 'msg', error)}")


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def word_of(row: Row, name: str, value: Any) -> Word:
    """A value of a JSON row as a word at the row's place: numbers as they are written, truth as ``1``."""
    told = "1" if value is True or value is None else str(value)
    return Word(told, row.line, row.column)


def from_words(row: Row, words: list[Word], valued: frozenset[str], flags: frozenset[str], problems: Problems) -> None:
    """Fill a row's fields from ``name value name value flag …``.

    A word that is not known is strange, and what follows it up to the next known word is taken for its value.
    """
    known, at = valued | flags, 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.text in flags:
            row.fields.setdefault(word.text, word)
        elif word.text in valued:
            if at < len(words) and words[at].text == "lock":  # a metric that the path may not lower
                at += 1
            if at >= len(words):
                problems.note(row, word, f"`{visible(word.text)}` has no value")
                return
            if word.text in row.fields:
                problems.note(row, word, f"`{visible(word.text)}` is there twice")
            row.fields[word.text] = words[at]
            at += 1
        else:
            strange = [word.text]
            while at < len(words) and words[at].text not in known:
                strange.append(words[at].text)
                at += 1
            row.strange.append(" ".join(strange))
