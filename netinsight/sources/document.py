"""A file as plain values beside a tree of where each of them stands; bounded against hostile input.

Both readers (YAML and JSON) drive one ``Builder``, so that a value, its place and the limits mean the same in both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from netinsight.errors import InputError, Place, Problem, visible
from netinsight.model.base import Path
from netinsight.model.topology import Located

MOST_DEPTH = 40
MOST_REPEATED = 100_000
"""How many values aliases may add: past that, a file is a bomb, not a topology."""

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Spot:
    """Where a value stands: its own place, its key's, and those of what it holds."""

    __slots__ = ("children", "column", "file", "height", "key_column", "key_line", "line", "lines", "size")

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file, self.line, self.column = file, line, column
        self.key_line, self.key_column = line, column
        self.children: dict[str, Spot] | list[Spot] | None = None
        self.lines: Callable[[int, int], Place] | None = None
        """Of a text whose lines stand in the file as they are: the place of a line and column of it."""
        self.size, self.height = 1, 1

    def child(self, part: str | int) -> Spot | None:
        """The spot below, by key or position; of a text a line of it, and below that a column."""
        if isinstance(self.children, dict):
            return self.children.get(str(part))
        if isinstance(self.children, list) and isinstance(part, int) and part < len(self.children):
            return self.children[part]
        if self.lines is not None and isinstance(part, int) and part > 0:
            lines = self.lines
            place = lines(part, 1)
            spot = Spot(place.file, place.line, place.column)
            spot.lines = lambda column, _: lines(part, column)
            return spot
        return None

    def find(self, path: Path) -> tuple[Spot, bool]:
        """The deepest spot of ``path`` that exists, and whether that is the whole path."""
        spot = self
        for part in path:
            below = spot.child(part)
            if below is None:
                return spot, False
            spot = below
        return spot, True

    @property
    def place(self) -> Place:
        """The place of the value."""
        return Place(self.file, self.line, self.column)

    @property
    def key_place(self) -> Place:
        """The place of the key (of the value itself, in a list)."""
        return Place(self.file, self.key_line, self.key_column)


@dataclass
class Document:
    """The values of one or several files, their spots, and the texts for excerpts."""

    value: Any
    spot: Spot
    texts: dict[str, str]
    whole: bool = True
    """False where a file of a folder could not be read at all."""
    _lines: dict[str, list[str]] = field(default_factory=dict)

    def line(self, place: Place) -> str:
        """The source line at ``place``."""
        if place.file not in self._lines:
            self._lines[place.file] = LINE_BREAK.split(self.texts.get(place.file, ""))
        lines = self._lines[place.file]
        return lines[place.line - 1] if 0 < place.line <= len(lines) else ""

    def locate(self, path: Path) -> Located:
        """Where a value stands; the id of an object where the path names one."""
        spot, whole = self.spot.find(path)
        place = spot.key_place if isinstance(spot.children, dict) or not whole else spot.place
        return Located(place, self.line(place))

    def problem(self, path: Path, message: str, hint: str = "", at_key: bool = False) -> Problem:
        """A problem at a value, or at its key."""
        spot, whole = self.spot.find(path)
        place = spot.key_place if at_key or not whole or isinstance(spot.children, dict) else spot.place
        return Problem(place, message, hint, self.line(place))


@dataclass
class _Frame:
    """A mapping or list that is being read."""

    spot: Spot
    value: dict[str, Any] | list[Any]
    key: tuple[str, int, int] | None = None
    merges: bool = False
    """Whether the key is YAML's merge key."""
    merged: list[tuple[dict[str, Any], Spot]] = field(default_factory=list)
    pending_list: tuple[list[Any], Spot] | None = None


class Builder:
    """Takes what a reader finds, in order, and makes values and spots of it.

    Raises
    ------
    InputError
        Past a limit. What leaves the file readable (a duplicate key) is collected in ``problems``.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.problems: list[Problem] = []
        self.result: tuple[Any, Spot] | None = None
        self._stack: list[_Frame] = []
        self._repeated = 0
        self._lines: list[str] | None = None

    @property
    def wants_key(self) -> bool:
        """Whether the next scalar is a key."""
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None

    def key(self, name: str, line: int, column: int, *, merges: bool = False) -> None:
        """A mapping's next key; ``merges``: the value's keys are added where they are not there already."""
        self._stack[-1].key = (name, line, column)
        self._stack[-1].merges = merges

    def scalar(self, value: Any, line: int, column: int, *, literal: bool = False) -> tuple[Any, Spot]:
        """A text, number, truth value or nothing; ``literal``: a text whose lines follow its own in the file as they are."""
        spot = Spot(self.file, line, column)
        if literal:
            spot.lines = lambda n, at: self._in_literal(value, line + n, n, at)
        return self._add(value, spot)

    def _in_literal(self, text: str, line: int, number: int, column: int) -> Place:
        """A line is indented in the file, and ends as in the text."""
        written, lines = self._line(line), text.split("\n")
        indent = max(0, len(written) - len(lines[number - 1])) if number <= len(lines) else 0
        return Place(self.file, line, column + indent)

    def open(self, value: dict[str, Any] | list[Any], line: int, column: int) -> tuple[Any, Spot]:
        """The start of a mapping or list."""
        if len(self._stack) >= MOST_DEPTH:
            raise self.fatal(f"nested deeper than {MOST_DEPTH} levels", line, column)
        spot = Spot(self.file, line, column)
        spot.children = {} if isinstance(value, dict) else []
        node = self._add(value, spot)
        self._stack.append(_Frame(spot, value))
        return node

    def close(self) -> None:
        """The end of the innermost mapping or list."""
        frame = self._stack.pop()
        if frame.pending_list:
            values, spots = frame.pending_list
            for value, spot in zip(values, spots.children if isinstance(spots.children, list) else [], strict=True):
                self._merge(frame, value, spot)
        for value, spot in frame.merged:
            for name, below in value.items():
                if isinstance(frame.value, dict) and name not in frame.value and isinstance(spot.children, dict):
                    frame.value[name] = below
                    frame.spot.children[name] = spot.children[name]  # type: ignore[index, call-overload]
        for parent in self._stack[-1:]:
            parent.spot.size += frame.spot.size
            parent.spot.height = max(parent.spot.height, frame.spot.height + 1)

    def repeat(self, value: Any, spot: Spot, line: int, column: int) -> None:
        """An alias: the same value once more, counted at its full size."""
        self._repeated += spot.size
        if self._repeated > MOST_REPEATED:
            raise self.fatal(f"aliases repeat more than {MOST_REPEATED} values", line, column)
        if len(self._stack) + spot.height > MOST_DEPTH:
            raise self.fatal(f"nested deeper than {MOST_DEPTH} levels by aliases", line, column)
        if any(frame.spot is spot for frame in self._stack):
            raise self.fatal("an alias inside the value that it repeats", line, column)
        again = Spot(self.file, line, column)
        again.children, again.size, again.height, again.lines = spot.children, spot.size, spot.height, spot.lines
        self._add(value, again)
        for parent in self._stack[-1:]:
            parent.spot.size += spot.size
            parent.spot.height = max(parent.spot.height, spot.height + 1)

    def fatal(self, message: str, line: int, column: int, hint: str = "") -> InputError:
        """The problem past which nothing can be read, with those before it."""
        return InputError([*self.problems, self._problem(message, line, column, hint)])

    def note(self, message: str, line: int, column: int, hint: str = "") -> None:
        """A problem that leaves the rest readable."""
        self.problems.append(self._problem(message, line, column, hint))

    def _problem(self, message: str, line: int, column: int, hint: str) -> Problem:
        return Problem(Place(self.file, line, column), message, hint, self._line(line))

    def _line(self, line: int) -> str:
        if self._lines is None:
            self._lines = LINE_BREAK.split(self.text)
        return self._lines[line - 1] if 0 < line <= len(self._lines) else ""

    def _add(self, value: Any, spot: Spot) -> tuple[Any, Spot]:
        if not self._stack:
            self.result = (value, spot)
        elif isinstance(self._stack[-1].value, dict):
            self._add_pair(self._stack[-1], value, spot)
        else:
            self._stack[-1].value.append(value)
            self._stack[-1].spot.children.append(spot)  # type: ignore[union-attr]
            self._stack[-1].spot.size += 1
        return value, spot

    def _merge(self, frame: _Frame, value: Any, spot: Spot) -> None:
        """``<<: *a`` or ``<<: [*a, *b]``: taken up when the mapping ends, the first of a list before the others."""
        if isinstance(value, list):
            frame.pending_list = (value, spot)
        elif isinstance(value, dict):
            frame.merged.append((value, spot))
        else:
            self.note("`<<` merges a mapping, or a list of them", spot.line, spot.column)

    def _add_pair(self, frame: _Frame, value: Any, spot: Spot) -> None:
        if frame.key is None:
            raise self.fatal("a key must be a plain text", spot.line, spot.column)
        name, line, column = frame.key
        frame.key = None
        spot.key_line, spot.key_column = line, column
        children = frame.spot.children
        if not isinstance(frame.value, dict) or not isinstance(children, dict):
            raise TypeError(name)
        if frame.merges:
            self._merge(frame, value, spot)
            return
        if name in frame.value:
            first = children[name].key_line
            self.note(f"duplicate key `{visible(name)}`; it stands at line {first} already", line, column,
                      "keep one of the two")  # fmt: skip
            return
        frame.value[name] = value
        children[name] = spot
        frame.spot.size += 1
