"""Evaluated flows as files: CSV, JSON lines and Parquet, part by part; and what they come to, as a table."""

from __future__ import annotations

import csv
import io
import json
import shlex
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple, Protocol

import numpy as np

from netinsight.diagnosis.evaluation import Evaluation
from netinsight.diagnosis.flow_columns import Flows, numbered
from netinsight.errors import visible
from netinsight.flow import Verdict, has_ports, protocol_name
from netinsight.network.kinds import distinct
from netinsight.sources.flows_file import Part, arrow

SAID = ("verdict", "item", "object", "rule")
MOST_BLOCKERS = 20


class Table(Protocol):
    """What evaluated flows are written to."""

    def add(self, part: Part, flows: Flows, found: Evaluation) -> None:
        """Some more of them."""

    def end(self) -> None:
        """That is all."""


def _columns(part: Part, flows: Flows, found: Evaluation) -> dict[str, Sequence[Any]]:
    """The columns of the file as they stand there, ports as numbers, and what is said of each flow."""
    columns: dict[str, Sequence[Any]] = dict(part.columns)
    for name, numbers in (("port", flows.port), ("source_port", flows.source_port)):
        if name in columns:
            columns[name] = [None if number < 0 else number for number in numbers.tolist()]
    return columns | {name: column.tolist() for name, column in found.columns().items()}


class _Lines(ABC):
    """A line for each flow; every word is written as its format has it once, however often it stands there."""

    def __init__(self, to: IO[bytes]) -> None:
        self._to, self._count = to, 0

    def add(self, part: Part, flows: Flows, found: Evaluation) -> None:
        columns = _columns(part, flows, found)
        lines = [self.head(list(columns))] if not self._count else []
        words = [
            map({word: self.word(name, word) for word in dict.fromkeys(column)}.__getitem__, column)
            for name, column in columns.items()
        ]
        lines += map(self.line, zip(*words, strict=True))
        self._to.write("".join(lines).encode())
        self._count += len(flows)

    def end(self) -> None:
        """Nothing more stands behind the last line."""
        self._to.flush()

    @abstractmethod
    def head(self, names: list[str]) -> str:
        """What stands before the first line."""

    @abstractmethod
    def word(self, name: str, word: Any) -> str:
        """A word of a column as it is written."""

    @abstractmethod
    def line(self, words: tuple[str, ...]) -> str:
        """A line of such words."""


class CsvTable(_Lines):
    """A header, and a row for each flow."""

    def head(self, names: list[str]) -> str:
        return ",".join(names) + "\n"

    def word(self, _: str, word: Any) -> str:
        """A cell, in quotes where it must be."""
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow([word, ""])
        return text.getvalue()[:-1]

    def line(self, words: tuple[str, ...]) -> str:
        return ",".join(words) + "\n"


class JsonTable(_Lines):
    """An object for each flow, one a line."""

    def head(self, _: list[str]) -> str:
        return ""

    def word(self, name: str, word: Any) -> str:
        return f'"{name}": {json.dumps(word, ensure_ascii=False)}'

    def line(self, words: tuple[str, ...]) -> str:
        return f"{{{', '.join(words)}}}\n"


class ParquetTable:
    """A row group for each part."""

    def __init__(self, to: IO[bytes]) -> None:
        self._to, self._parquet = to, arrow()
        self._writer: Any = None

    def add(self, part: Part, flows: Flows, found: Evaluation) -> None:
        import pyarrow

        words, number = pyarrow.dictionary(pyarrow.int32(), pyarrow.string()), pyarrow.int32()
        arrays = {
            name: pyarrow.array(column, number)
            if name in ("port", "source_port")
            else pyarrow.array([None if word is None else str(word) for word in column], pyarrow.string()).cast(words)
            for name, column in _columns(part, flows, found).items()
        }
        table = pyarrow.table(arrays)
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(self._to, table.schema)
        self._writer.write_table(table)

    def end(self) -> None:
        if self._writer is not None:
            self._writer.close()


def table_of(form: str, to: IO[bytes]) -> Table | None:
    """The table of a format; None where that has no line for each flow."""
    tables: dict[str, Callable[[IO[bytes]], Table]] = {"csv": CsvTable, "json": JsonTable, "parquet": ParquetTable}
    return tables[form](to) if form in tables else None


class Blocker(NamedTuple):
    """What stops flows first, or is not known of them first."""

    is_known: bool
    item: str
    object: str
    rule: str


@dataclass
class Summary:
    """How many flows have each verdict, and what stops them first.

    Attributes
    ----------
    first
        Of each blocker the first flow that it stops, as the words of a command.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    blockers: Counter[Blocker] = field(default_factory=Counter)
    first: dict[Blocker, list[str]] = field(default_factory=dict)

    def add(self, flows: Flows, found: Evaluation) -> None:
        """Some more flows."""
        columns = [column.tolist() for column in found.columns().values()]
        first, which = distinct([numbered(column) for column in columns])
        for row, count in zip(first.tolist(), np.bincount(which).tolist(), strict=False):
            verdict, *blamed = (column[row] for column in columns)
            self.verdicts[verdict] += count
            if blamed[0]:
                blocker = Blocker(verdict != Verdict.UNDETERMINED, *blamed)
                self.blockers[blocker] += count
                self.first.setdefault(blocker, _asking(flows, row))

    def text(self, command: list[str], *, every: bool) -> str:
        """As the command line prints it; ``command`` diagnoses a flow if what asks it is put behind."""
        count = self.verdicts.total()
        told = ", ".join(f"{self.verdicts[one]:,} {one}" for one in Verdict if self.verdicts[one])
        lines = [f"{count:,} flow{'s' * (count != 1)}: {told}"]
        for is_known, title in ((True, "What stops them first"), (False, "What is not known of them first")):
            lines += self._section(is_known, title, command, every)
        return "\n".join(lines) + "\n"

    def _section(self, is_known: bool, title: str, command: list[str], every: bool) -> Iterator[str]:
        found = [(blocker, count) for blocker, count in self.blockers.items() if blocker.is_known is is_known]
        found.sort(key=lambda one: (-one[1], one[0]))
        if not found:
            return
        shown = found if every else found[:MOST_BLOCKERS]
        width = max(len(f"{count:,}") for _, count in shown)
        yield ""
        yield title
        for blocker, count in shown:
            by = f"  by {blocker.rule}" if blocker.rule else ""
            yield visible(f"  {count:>{width},}  {blocker.item}  {blocker.object}{by}", 400)
            yield visible(f"  {'':{width}}  {shlex.join([*command, *self.first[blocker]])}", 1000)
        if len(shown) < len(found):
            rest = sum(count for _, count in found[len(shown) :])
            yield f"  … and {len(found) - len(shown):,} more, of {rest:,} flows (--all shows them)"


def _asking(flows: Flows, row: int) -> list[str]:
    """The options of ``netinsight diagnose`` that ask a flow."""
    protocol, port, source_port = (int(one[row]) for one in (flows.protocol, flows.port, flows.source_port))
    words = ["--src", flows.names[flows.source[row]], "--dst", flows.names[flows.destination[row]]]
    words += ["--protocol", protocol_name(protocol)] if protocol_name(protocol) != "tcp" else []
    words += ["--port", str(port)] if has_ports(protocol) else []
    return words + (["--source-port", str(source_port)] if source_port > 0 else [])
