"""Flows in a file (CSV, JSON lines or Parquet) -> parts of columns, in bounded memory; every mistake at its line."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import IO, Any

from netinsight.errors import InputError, Mistakes, Place, Problem, did_you_mean, each_key_once, one_of, visible
from netinsight.flow import FLOW_COLUMNS
from netinsight.sources.files import STDIN, decode, opened
from netinsight.sources.json_lines import MOST_LINE, key_column, value_column

PART_BYTES = 4 << 20
PART_ROWS = 100_000
EXTRA = "pip install 'netinsight[parquet]'"
_ONLY_QUESTIONS = ("icmp_type", "family", "one_way", "via", "avoid")
_CELL = re.compile(r'(?:^|,)\s*("(?:[^"]|"")*"|[^,]*)')


@dataclass(frozen=True)
class Part(Mapping[str, Any]):
    """Some of the flows of a file, as columns by name.

    Attributes
    ----------
    lines
        The number of each flow's line; of Parquet, of its row.
    texts
        Those lines; empty for Parquet.
    done
        How much of the file is read with this part: 0 to 1, or None where nobody knows how long it is.
    """

    file: str
    columns: dict[str, list[Any]]
    lines: list[int]
    texts: list[str]
    done: float | None

    def __getitem__(self, name: str) -> list[Any]:
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def where(self, row: int, name: str) -> tuple[Place, str]:
        """The place of a flow's column, and its line."""
        text = self.texts[row] if self.texts else ""
        if text.lstrip().startswith("{"):
            return Place(self.file, self.lines[row], value_column(text, name)), text
        if text and name in self.columns:
            return Place(self.file, self.lines[row], _cell_column(text, list(self.columns).index(name))), text
        return Place(self.file, self.lines[row]), text


def read_flow_parts(source: str, mistakes: Mistakes, stdin: IO[bytes] | None = None) -> Iterator[Part]:
    """The flows of a file, or of standard input (``-``), part by part.

    What begins as Parquet does is Parquet; a file whose first line begins with ``{`` is JSON lines; any other is CSV, whose
    first line names the columns: ``src``, ``dst``, and where wanted ``protocol``, ``port`` and ``source_port``. Lines that
    begin with ``#`` are comments. Every part has the same columns.

    Parameters
    ----------
    mistakes
        Where it is told what is wrong with lines; they are left out.

    Raises
    ------
    InputError
        Where the file cannot be read, or its columns are not those of flows.
    """
    file = STDIN if source == "-" else source
    with opened(file, stdin) as (stream, size):
        head = stream.read(4)
        if head == b"PAR1":
            yield from _parquet(file, stream, head)
            return
        found = 0
        for part in _parts(file, stream, head, size, mistakes):
            found += len(part.lines)
            yield part
        if not found and not mistakes:
            hint = f"its first line names columns: {','.join(FLOW_COLUMNS)}"
            raise InputError([Problem(Place(file), "no flow in it", hint)])


# --------------------------------------------------------------------------------------------------------------- lines


def _parts(file: str, stream: IO[bytes], head: bytes, size: int | None, mistakes: Mistakes) -> Iterator[Part]:
    """Blocks of lines, each read as the first line of the file says."""
    reader: _Csv | _Json | None = None
    for number, text, read in _blocks(file, stream, head):
        numbers, lines = _told(number, text)
        if lines and reader is None:
            reader = _Json(file) if lines[0].lstrip()[0] in "{[" else _Csv(file, numbers.pop(0), lines.pop(0))
        if lines and reader:
            columns, numbers, lines = reader.read(numbers, lines, mistakes)
            yield Part(file, columns, numbers, lines, min(read / size, 1) if size else None)


def _told(number: int, text: str) -> tuple[list[int], list[str]]:
    """Lines and their numbers; empty ones and comments are passed over."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    numbers = list(range(number, number + len(lines)))
    if "#" in text or "" in lines or any(map(str.isspace, lines)):
        told = [(at, line) for at, line in zip(numbers, lines, strict=True) if line.lstrip()[:1] not in ("", "#")]
        return [at for at, _ in told], [line for _, line in told]
    return numbers, lines


def _blocks(file: str, stream: IO[bytes], head: bytes) -> Iterator[tuple[int, str, int]]:
    """Whole lines, some megabytes at a time: the number of the first, the text, and how many bytes are read with it."""
    number, rest, read = 1, head, len(head)
    while block := stream.read(PART_BYTES):
        read += len(block)
        whole, newline, rest = (rest + block).rpartition(b"\n")
        if newline:
            yield number, _decoded(whole, file, number), read
            number += whole.count(b"\n") + 1
        if len(rest) > 4 * MOST_LINE:
            raise InputError([Problem(Place(file, number), f"longer than {MOST_LINE} characters")])
    if rest:
        yield number, _decoded(rest, file, number), read


def _decoded(data: bytes, file: str, number: int) -> str:
    try:
        return decode(data, file)
    except InputError as error:
        moved = [one._replace(place=one.place._replace(line=one.place.line + number - 1)) for one in error.problems]
        raise InputError(moved) from None


class _Csv:
    """Rows of the columns that the header names; a row is one line, so that a mistake has one."""

    def __init__(self, file: str, number: int, header: str) -> None:
        self.file = file
        cells = _cells(header) if len(header) <= MOST_LINE else []
        self.names = [cell.strip().lower() for cell in cells or []]
        problems = list(_wrong_columns(self.names))
        if problems:
            raise InputError(
                Problem(Place(file, number, _cell_column(header, at)), message, hint, header[:MOST_LINE])
                for at, message, hint in problems
            )

    def read(
        self, numbers: list[int], lines: list[str], mistakes: Mistakes
    ) -> tuple[dict[str, list[Any]], list[int], list[str]]:
        """The columns of lines, the numbers of those that are right, and they themselves."""
        width, text = len(self.names), "\n".join(lines)
        plain = '"' not in text and set(map(str.count, lines, repeat(","))) == {width - 1}
        if plain and max(map(len, lines)) <= MOST_LINE:  # no list for each row: that is what takes time
            cells = text.replace("\n", ",").split(",")
            columns = [cells[at::width] for at in range(width)]
        else:
            rows, numbers, lines = self._one_by_one(numbers, lines, mistakes)
            columns = [[row[at] for row in rows] for at in range(width)]
        if not text.isascii() or " " in text or "\t" in text:
            columns = [list(map(str.strip, column)) for column in columns]
        return dict(zip(self.names, columns, strict=True)), numbers, lines

    def _one_by_one(
        self, numbers: list[int], lines: list[str], mistakes: Mistakes
    ) -> tuple[list[list[str]], list[int], list[str]]:
        """The same, slowly: each line is a row, or a mistake."""
        kept: list[tuple[list[str], int, str]] = []
        for number, line in zip(numbers, lines, strict=True):
            wrong = f"longer than {MOST_LINE} characters" if len(line) > MOST_LINE else ""
            cells: list[str] = []
            try:
                cells = [] if wrong else next(csv.reader([line], strict=True, skipinitialspace=True))
            except csv.Error as error:
                wrong = f"not CSV: {error}"
            if not wrong and len(cells) != len(self.names):
                wrong = f"{len(cells)} fields, but the header names {len(self.names)} columns"
            if wrong:
                mistakes.tell(Problem(Place(self.file, number, 1), wrong, "", line[:200]))
            else:
                kept.append((cells, number, line))
        return [one[0] for one in kept], [one[1] for one in kept], [one[2] for one in kept]


def _cells(line: str) -> list[str] | None:
    try:
        return next(csv.reader([line], strict=True, skipinitialspace=True), None)
    except csv.Error:
        return None


def _cell_column(line: str, number: int) -> int:
    """Where a cell of a line begins, from 1."""
    found = [match.start(1) + 1 for match in _CELL.finditer(line[:MOST_LINE])]
    return found[number] if number < len(found) else 1


def _wrong_columns(names: list[str]) -> Iterator[tuple[int, str, str]]:
    """What is wrong with the columns that a file names: which one, what, and a hint."""
    for at, name in enumerate(names):
        if name in names[:at]:
            yield at, f"column `{visible(name)}` is named twice", ""
        elif name not in FLOW_COLUMNS:
            yield at, f"unknown column `{visible(name)}`", unknown_column(name)
    if missing := [name for name in ("src", "dst") if name not in names]:
        told = " and none ".join(f"`{name}`" for name in missing)
        yield 0, f"no column {told}", f"the first line names the columns: {','.join(FLOW_COLUMNS)}"


def unknown_column(name: str) -> str:
    """A hint for a column that flows do not have."""
    if name.lower() in _ONLY_QUESTIONS:
        return f"`netinsight diagnose --questions` takes `{name.lower()}`"
    return did_you_mean(name.lower(), FLOW_COLUMNS) or f"known: {one_of(FLOW_COLUMNS)}"


class _Json:
    """An object a line."""

    def __init__(self, file: str) -> None:
        self.file = file

    def read(
        self, numbers: list[int], lines: list[str], mistakes: Mistakes
    ) -> tuple[dict[str, list[Any]], list[int], list[str]]:
        """The columns of lines, the numbers of those that are right, and they themselves."""
        values = _all_at_once(lines) if max(map(len, lines)) <= MOST_LINE else None
        if values is None:
            told = [(self._value(at, line, mistakes), at, line) for at, line in zip(numbers, lines, strict=True)]
            values = [value for value, _, _ in told if value is not None]
            numbers = [at for value, at, _ in told if value is not None]
            lines = [line for value, _, line in told if value is not None]
        return {name: [value.get(name) for value in values] for name in FLOW_COLUMNS}, numbers, lines

    def _value(self, number: int, line: str, mistakes: Mistakes) -> dict[str, Any] | None:
        found = _wrong_line(line)
        value: dict[str, Any] = {} if found else json.loads(line)
        found = found or list(_wrong_values(line, value))
        for message, hint, column in found:
            mistakes.tell(Problem(Place(self.file, number, column), message, hint, line[:MOST_LINE]))
        return None if found else value


def _all_at_once(lines: list[str]) -> list[dict[str, Any]] | None:
    """The objects of lines; None where any is wrong, or may be.

    The word between two lines may stand neither inside an object nor inside a value that a flow may have.
    """
    try:
        found = json.loads(f"[{',null,'.join(lines)}]", object_pairs_hook=each_key_once)
    except (ValueError, RecursionError):
        return None
    values = found[::2]
    if len(found) != 2 * len(lines) - 1 or any(found[1::2]) or set(map(type, values)) != {dict}:
        return None
    names = set().union(*values)
    kinds = {type(value.get(name)) for name in names for value in values}
    return values if names <= set(FLOW_COLUMNS) and kinds <= {str, int, type(None)} else None


def _wrong_line(line: str) -> list[tuple[str, str, int]]:
    """Why a line is no object: what, a hint, the column."""
    if len(line) > MOST_LINE:
        return [(f"longer than {MOST_LINE} characters", "", 1)]
    try:
        value = json.loads(line, object_pairs_hook=each_key_once)
    except (ValueError, RecursionError) as error:
        return [(f"not JSON: {getattr(error, 'msg', error)}", "one object a line", getattr(error, "colno", 1))]
    return (
        []
        if isinstance(value, dict)
        else [('expected an object such as {"src": "i-a", "dst": "i-b", "port": 22}', "", 1)]
    )


def _wrong_values(line: str, value: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """What is wrong with the keys and values of an object."""
    for name, word in value.items():
        at = value_column(line, name)
        if name not in FLOW_COLUMNS:
            yield f"unknown key `{visible(name)}`", unknown_column(name), key_column(line, name)
        elif type(word) not in (str, int, type(None)):
            yield f"{name}: expected a text or a whole number, found {visible(json.dumps(word), 40)}", "", at


# ------------------------------------------------------------------------------------------------------------- Parquet


def arrow(file: str = "") -> Any:
    """The module ``pyarrow.parquet``.

    Raises
    ------
    InputError
        Where it is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError:
        raise InputError(
            [Problem(Place(file), "Parquet needs the package pyarrow, which is not installed", EXTRA)]
        ) from None
    return pyarrow.parquet


def _parquet(file: str, stream: IO[bytes], head: bytes) -> Iterator[Part]:
    """The row groups of a file, some rows at a time."""
    parquet = arrow(file)
    import pyarrow

    if not stream.seekable():
        raise InputError([Problem(Place(file), "Parquet cannot be read from a pipe", "name the file")])
    stream.seek(0)
    try:
        with parquet.ParquetFile(stream) as found:
            names = [name.lower() for name in found.schema_arrow.names]
            if problems := [Problem(Place(file), message, hint) for _, message, hint in _wrong_columns(names)]:
                raise InputError(problems)
            total, done = found.metadata.num_rows, 0
            if not total:
                raise InputError([Problem(Place(file), "no flow in it")])
            for batch in found.iter_batches(PART_ROWS):
                columns = {name: column.to_pylist() for name, column in zip(names, batch.columns, strict=True)}
                lines = list(range(done + 1, done + batch.num_rows + 1))
                done += batch.num_rows
                yield Part(file, columns, lines, [], done / total)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError([Problem(Place(file), f"not Parquet that can be read: {visible(str(error), 200)}")]) from None
