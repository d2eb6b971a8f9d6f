"""Flows as a user has them (a mapping of columns, a DataFrame, a structured array) -> checked columns of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinsight.errors import Mistakes, Place, Problem, QuestionError, did_you_mean, one_of, visible
from netinsight.flow import FLOW_COLUMNS, LAST_PORT, TCP, has_ports, parse_protocol

Numbers = NDArray[np.int64]
Column = Sequence[Any] | NDArray[Any]
Where = Callable[[int, str], tuple[Place, str]]
"""The place of a flow's column, and the line that it stands in."""


def by_number(row: int, _: str) -> tuple[Place, str]:
    """The place of a flow that has none but its number."""
    return Place(f"flow {row}"), ""


@dataclass(frozen=True, slots=True)
class Flows:
    """Questions as columns of equal length; -1 for a port that is left out.

    Attributes
    ----------
    names
        Every object that is named, once, as the command line takes it.
    source, destination
        Numbers of names.
    protocol, port, source_port
        IP protocol numbers and ports.
    where
        The place of a flow, for what is wrong with it.
    """

    names: list[str]
    source: Numbers
    destination: Numbers
    protocol: Numbers
    port: Numbers
    source_port: Numbers
    where: Where = by_number

    def __len__(self) -> int:
        return len(self.source)

    def problem(self, row: int, column: str, message: str, hint: str = "") -> Problem:
        """What is wrong with a flow."""
        return problem(self.where, row, column, message, hint)


def problem(where: Where, row: int, column: str, message: str, hint: str = "") -> Problem:
    place, excerpt = where(row, column)
    return Problem(place, message, hint, excerpt)


def read_flows(flows: Any, mistakes: Mistakes) -> Flows:
    """The columns of flows; where there are mistakes, the flows are of use only to look for more.

    Raises
    ------
    QuestionError
        For columns that are missing, strange or of different lengths.
    """
    columns, where = _columns(flows), getattr(flows, "where", by_number)
    lengths = {name: len(column) for name, column in columns.items() if not _is_single(column)}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise QuestionError(f"the columns of flows are of different lengths ({told})")
    count = next(iter(lengths.values()), 1)
    reader = _Reader(count, mistakes, where)
    protocol = reader.numbers("protocol", columns.get("protocol", "tcp"), _protocol)
    port, source_port = (
        reader.numbers(name, columns.get(name), _port_reader(name)) for name in ("port", "source_port")
    )
    ported = np.isin(protocol, [number for number in range(256) if has_ports(number)])
    for row in np.flatnonzero(ported & (port == _NO_PORT) & ~reader.wrong).tolist():
        mistakes.tell(problem(where, row, "port", "tcp and udp need a port"))
    numbers: dict[str, int] = {}
    source, destination = (reader.names(name, columns[name], numbers) for name in ("src", "dst"))
    return Flows(
        list(numbers), source, destination, protocol, np.where(ported, port, _NO_PORT),
        np.where(ported, source_port, _NO_PORT), where,
    )  # fmt: skip


def _is_single(column: Any) -> bool:
    """Whether one value stands for a whole column."""
    return not isinstance(column, (list, tuple, np.ndarray))


def _columns(flows: Any) -> dict[str, Any]:
    names = getattr(flows, "columns", None)
    if names is None and isinstance(flows, np.ndarray):
        names = flows.dtype.names
    if names is None and isinstance(flows, Mapping):
        names = flows.keys()
    if names is None:
        raise QuestionError(
            "flows are columns by name: a mapping of arrays, a DataFrame or a structured array",
            hint='net.evaluate({"src": ["i-a"], "dst": ["i-b"], "port": [22]})',
        )
    named = [str(name) for name in names]
    if strange := [name for name in named if name not in FLOW_COLUMNS]:
        hint = did_you_mean(strange[0].lower(), FLOW_COLUMNS) or f"known: {one_of(FLOW_COLUMNS)}"
        raise QuestionError(f"flows have an unknown column `{strange[0][:40]}`", hint=hint)
    if missing := [name for name in ("src", "dst") if name not in named]:
        raise QuestionError(f"flows have no column `{missing[0]}`")
    return {name: _column(flows[name]) for name in named}


def _column(given: Any) -> Any:
    """A list, an array of whole numbers, or a single value."""
    if isinstance(given, (list, tuple)):
        return given
    array = np.asarray(given)
    if array.ndim and array.dtype.kind in "iu":
        return array
    if array.dtype.kind == "f":  # NaN, which is none, is unlike itself
        array = np.where(np.isnan(array), -1, array)
    return array.tolist()


class _Reader:
    """Reads columns; every word of one is read once, however often it stands there."""

    def __init__(self, count: int, mistakes: Mistakes, where: Where) -> None:
        self.count, self.mistakes, self.where = count, mistakes, where
        self.wrong = np.zeros(count, dtype=bool)
        self._next = _NO_PORT

    def numbers(self, name: str, column: Any, read: Callable[[Any], int]) -> Numbers:
        """What ``read`` makes of each word; where it raises, the mistake is told."""
        if _is_single(column):
            return np.full(self.count, read(column), dtype=np.int64)
        if isinstance(column, np.ndarray):
            words, which = np.unique(column, return_inverse=True)
            known = [self._read(read, word) for word in words.tolist()]
            return self._checked(name, np.array([number for number, _ in known] or [0], dtype=np.int64)[which],
                                 {number: error for number, error in known if error})  # fmt: skip
        told = {word: self._read(read, word) for word in _distinct(column)}
        wrong = {number: error for number, error in told.values() if error}
        return self._checked(name, _looked_up(column, {word: number for word, (number, _) in told.items()}), wrong)

    def _read(self, read: Callable[[Any], int], word: Any) -> tuple[int, QuestionError | None]:
        """The number of a word; of one that is wrong a number of its own, below all others."""
        try:
            return read(word), None
        except QuestionError as error:
            self._next -= 1
            return self._next, error

    def _checked(self, name: str, numbers: Numbers, wrong: dict[int, QuestionError]) -> Numbers:
        if wrong:
            for row in np.flatnonzero(numbers < _NO_PORT).tolist():
                for one in wrong[int(numbers[row])].problems:
                    self.mistakes.tell(problem(self.where, row, name, one.message, one.hint))
            self.wrong |= numbers < _NO_PORT
        return numbers

    def names(self, name: str, column: Any, numbers: dict[str, int]) -> Numbers:
        """The number of each name."""
        if _is_single(column):
            return np.full(self.count, numbers.setdefault(str(column), len(numbers)), dtype=np.int64)
        if isinstance(column, np.ndarray):
            column = column.tolist()
        own = {word: numbers.setdefault(_text(word), len(numbers)) for word in _distinct(column)}
        found = _looked_up(column, own)
        if "" in numbers:
            for row in np.flatnonzero(found == numbers[""]).tolist():
                self.mistakes.tell(problem(self.where, row, name, f"no `{name}`"))
        return found


def _distinct(column: Sequence[Any]) -> Iterable[Any]:
    try:
        return dict.fromkeys(column)
    except TypeError:
        strange = next(word for word in column if word.__hash__ is None)
        raise QuestionError(
            f"flows have a column with {visible(repr(strange), 40)} in it; expected texts or numbers"
        ) from None


def numbered(column: Sequence[Any]) -> Numbers:
    """The words of a column as numbers, in the order in which they are met."""
    return _looked_up(column, {word: number for number, word in enumerate(_distinct(column))})


def _looked_up(column: Sequence[Any], numbers: Mapping[Any, int]) -> Numbers:
    return np.fromiter(map(numbers.__getitem__, column), dtype=np.int64, count=len(column))


def _text(word: Any) -> str:
    return "" if word is None else str(word)


def _protocol(word: Any) -> int:
    return TCP if word is None or word == "" else parse_protocol(str(word))


_NO_PORT = -1


def _port_reader(name: str) -> Callable[[Any], int]:
    def read(word: Any) -> int:
        """A port as a number; ``_NO_PORT`` where there is none (None, an empty text, -1 or -1/-1)."""
        if word is None or word in ("", "-1", "-1/-1"):
            return _NO_PORT
        try:
            number = int(word)
            if number == _NO_PORT or (1 <= number <= LAST_PORT and number == float(word)):
                return number
        except (TypeError, ValueError, OverflowError):
            pass
        raise QuestionError(f"{name} `{visible(str(word), 40)}` is not a port (1 to {LAST_PORT})")

    return read
