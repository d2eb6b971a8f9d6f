"""A file of lines, each an object of JSON: bounded, and every mistake at its line and column."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from netinsight.errors import InputError, Place, Problem, did_you_mean, each_key_once, one_of, visible
from netinsight.sources.document import LINE_BREAK

MOST_LINE = 10_000
MOST_KEYS_TOLD = 30


def key_column(text: str, key: str) -> int:
    """Where a key stands in a line, from 1; 1 where it is not found."""
    return text.find(json.dumps(key, ensure_ascii=False)) + 1 or 1


def value_column(text: str, key: str) -> int:
    """Where the value of a key stands in a line, from 1; 1 where it is not found."""
    found = re.search(rf"{re.escape(json.dumps(key, ensure_ascii=False))}\s*:\s*", text)
    return found.end() + 1 if found else 1


class Form(NamedTuple):
    """What a line may be.

    Attributes
    ----------
    keys
        Those of its object.
    example
        Such an object.
    column
        Where in a line a mistake of a key is told.
    most
        How many lines there may be.
    noun
        What a key is called.
    """

    keys: Collection[str]
    example: str
    column: Callable[[str, str], int]
    most: int
    noun: str = "key"

    def unknown(self, key: str) -> tuple[str, str]:
        """What is told of a key that there is not, and the hint."""
        hint = did_you_mean(key.lower(), self.keys) or f"known: {one_of(list(self.keys), MOST_KEYS_TOLD)}"
        return f"unknown {self.noun} `{visible(key)}`", hint


@dataclass(slots=True)
class Line:
    """A line, its object, and what is wrong with it.

    Attributes
    ----------
    columns
        Where a key is told, if not where the form says.
    """

    place: Place
    text: str
    form: Form
    value: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def column(self, key: str) -> int:
        """Where a key is told, from 1."""
        return self.columns.get(key) or self.form.column(self.text, key)

    def wrong(self, message: str, key: str = "", hint: str = "", column: int = 0) -> None:
        """Tell a mistake at a key, at a column, or at the beginning."""
        at = column or (self.column(key) if key else 1)
        self.problems.append(Problem(self.place._replace(column=at), message, hint, self.text))

    def is_short(self) -> bool:
        """Whether it is no longer than a line may be; else that is told."""
        if len(self.text) <= MOST_LINE:
            return True
        self.text = self.text[:200]
        self.wrong(f"longer than {MOST_LINE} characters")
        return False

    def read(self) -> bool:
        """Read its object; whether there is one, whatever its keys."""
        if not self.is_short():
            return False
        try:
            value = json.loads(self.text, object_pairs_hook=each_key_once)
        except (ValueError, RecursionError) as error:
            message = f"not JSON: {getattr(error, 'msg', error)}"
            self.wrong(message, hint="one object a line", column=getattr(error, "colno", 1))
            return False
        if not isinstance(value, dict):
            self.wrong(f"expected an object such as {self.form.example}")
            return False
        for key in value:
            if key not in self.form.keys:
                message, hint = self.form.unknown(key)
                self.wrong(message, key, hint)
        self.value = value
        return True


def lines_of(text: str, file: str, form: Form) -> Iterator[Line]:
    """The lines of a file; empty ones, and those that begin with ``#``, are passed over.

    Raises
    ------
    InputError
        Where there are too many.
    """
    lines = LINE_BREAK.split(text)
    if len(lines) > form.most:
        raise InputError([Problem(Place(file), f"more than {form.most} lines", "ask them in parts")])
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield Line(Place(file, number, 1), line, form)
