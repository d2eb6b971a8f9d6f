"""Every error of NetInsight, and where in the input it is.

::

    NetInsightError            exit status 70: a defect of NetInsight itself
    ├── InputError             2: a file (topology, rules) is wrong; carries every problem found in it
    └── QuestionError          2: the question cannot be asked
        ├── ObjectError        2: an object that does not exist, or that is several
        └── PreconditionError  2: an end that cannot be diagnosed (not Running, not attached)
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple


class ExitStatus(IntEnum):
    """What the process says to the shell; the table is in docs/verdicts.md."""

    REACHABLE = 0
    NOT_REACHABLE = 1
    NOT_ASKED = 2
    UNDETERMINED = 3
    DEFECT = 70
    INTERRUPTED = 130


class Severity(StrEnum):
    """How much a problem of the input weighs: an error stops, a warning is told."""

    ERROR = "error"
    WARNING = "warning"


class Place(NamedTuple):
    """A place in an input file; lines and columns count from 1, 0 is *not known*."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column else "")


NOWHERE = Place()


class Problem(NamedTuple):
    """One thing that is wrong: where, what, the source line as it stands, and what may help."""

    place: Place
    message: str
    hint: str = ""
    excerpt: str = ""
    severity: Severity = Severity.ERROR
    code: str = ""
    """Of a precondition, its id."""

    def __str__(self) -> str:
        return self.headline

    @property
    def headline(self) -> str:
        """The one line of the contract: ``FILE:LINE:COLUMN: what is wrong``."""
        where = f"{visible(str(self.place), 400)}: " if str(self.place) else ""
        mark = "warning: " if self.severity is Severity.WARNING else ""
        return f"{where}{mark}{visible(self.message, 500)}"

    def in_full(self) -> str:
        """The headline, the source line with a marker under its column, and the hint."""
        lines = [self.headline]
        if self.excerpt:
            text, marker = excerpt_around(self.excerpt, self.place.column)
            lines += [f"    {text}", f"    {marker}"]
        if self.hint:
            lines.append(f"    hint: {visible(self.hint, 500)}")
        return "\n".join(lines)


class NetInsightError(Exception):
    """The root; raised as itself only for a defect of NetInsight."""

    exit_status = ExitStatus.DEFECT


class InputError(NetInsightError):
    """A file that cannot be used, with all of its problems."""

    exit_status = ExitStatus.NOT_ASKED

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(problem.headline for problem in self.problems))


class Mistakes:
    """Mistakes of a large input while it is read: the first by their place are kept, all are counted."""

    MOST = 49
    """With the line that tells how many there are more, as many as a command prints."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Problem] = []
        self._told: set[str] = set()

    def __bool__(self) -> bool:
        return self.count > 0

    def tell(self, problem: Problem) -> None:
        """One more."""
        self.count += 1
        self._kept.append(problem)
        if len(self._kept) > 4 * self.MOST:
            self._kept = self._first()

    def tell_once(self, problem: Problem) -> None:
        """One that is told where it is met first, such as a name that does not exist."""
        if problem.message not in self._told:
            self._told.add(problem.message)
            self.tell(problem)

    def _first(self) -> list[Problem]:
        return sorted(self._kept, key=lambda problem: problem.place[1:])[: self.MOST]

    def refuse(self) -> None:
        """Go on only where there is none.

        Raises
        ------
        InputError
            With the first, and how many there are beside them.
        """
        if self:
            first = self._first()
            more = self.count - len(first)
            told = [Problem(Place(first[0].place.file if first[0].place.line else ""), f"and {more:,} more mistakes")]
            raise InputError(first + told if more else first)


class QuestionError(NetInsightError):
    """A question that cannot be asked: an argument, an object or a precondition."""

    exit_status = ExitStatus.NOT_ASKED

    def __init__(self, message: str, *, hint: str = "", place: Place = NOWHERE, excerpt: str = "") -> None:
        self.problems: tuple[Problem, ...] = (Problem(place, message, hint, excerpt),)
        super().__init__(message)


class ObjectError(QuestionError):
    """A name or address that means nothing in the topology, or several things."""


class PreconditionError(QuestionError):
    """Ends that cannot be diagnosed as they are; each problem has the ``code`` of its precondition."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


def did_you_mean(found: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """A hint with the nearest known word, or nothing.

    Examples
    --------
    >>> did_you_mean("i-aa", ["i-a", "i-b"])
    'did you mean `i-a`?'
    """
    from difflib import get_close_matches

    nearest = get_close_matches(found, list(known), n=1, cutoff=cutoff)
    return f"did you mean `{nearest[0]}`?" if nearest else ""


def one_of(words: Sequence[str], most: int = 12) -> str:
    """``a, b or c``; a long list is cut."""
    shown = [*words[:most], "…"] if len(words) > most else list(words)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def visible(text: str, most: int = 60) -> str:
    """``text`` safe to print: no control characters or terminal escapes, bounded in length.

    Input is hostile until shown otherwise, and an id may carry an escape sequence.
    """
    shown = text[: most + 1]
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in shown)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def excerpt_around(line: str, column: int, width: int = 92) -> tuple[str, str]:
    """The part of ``line`` around ``column`` (from 1), and a marker line under that column."""
    at = min(max(column - 1, 0), len(line))
    start = max(0, at - width * 2 // 3) if len(line) > width else 0
    cut = line[start : start + width]
    before = visible(line[start:at].expandtabs(1), 4 * width) if at > start else ""
    lead, tail = ("…" if start else ""), ("…" if start + width < len(line) else "")
    return f"{lead}{visible(cut.expandtabs(1), 4 * width)}{tail}", " " * (len(lead) + width_of(before)) + "^"


def width_of(text: str) -> int:
    """The columns that ``text`` takes on a terminal: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def an(word: str) -> str:
    """``word`` with its article."""
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of JSON that ``json`` gives as pairs (``object_pairs_hook``).

    Raises
    ------
    ValueError
        Naming the first key that stands there twice.
    """
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"duplicate key `{visible(twice)}`")
    return dict(pairs)
