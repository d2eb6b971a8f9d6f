"""Many questions in one file: CSV with a header, or JSON lines; every mistake of every line at once."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any

from netinsight.errors import InputError, Place, Problem, QuestionError, visible
from netinsight.flow import Asked, PortRange, Question, parse_icmp_type, parse_ports, parse_protocol
from netinsight.sources.files import STDIN, read_text
from netinsight.sources.json_lines import Form, Line, key_column, lines_of, value_column

COLUMNS = ("src", "dst", "protocol", "port", "source_port", "icmp_type", "family", "one_way", "via", "avoid")
MOST_QUESTIONS = 100_000
FORM = Form(COLUMNS, '{"src": "i-a", "dst": "i-b", "port": 22}', key_column, MOST_QUESTIONS, "column")
_WORDS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_CELL = re.compile(r'(?:^|,)\s*("(?:[^"]|"")*"|[^,]*)')


def read_questions(
    source: str, stdin: IO[bytes] | None = None, check: Callable[[Asked], Iterable[Problem]] = lambda _: ()
) -> list[Asked]:
    """The questions of a file, or of standard input (``-``).

    A file whose first line begins with ``{`` is JSON lines, any other is CSV, whose first line names the columns: ``src``
    and ``dst``, and where wanted ``protocol`` (tcp where it is left out), ``port``, ``source_port``, ``icmp_type``,
    ``family``, ``one_way``, ``via`` and ``avoid`` (one object, or several with semicolons between). Lines that begin with
    ``#`` are comments.

    Parameters
    ----------
    check
        What else may be wrong with a question, told together with the mistakes of the file.

    Raises
    ------
    InputError
        With every mistake of every line.
    """
    file = STDIN if source == "-" else source
    lines = list(lines_of(read_text(file, stdin), file, FORM))
    read = _json_lines if lines and lines[0].text.lstrip()[:1] in ("{", "[") else _csv_lines
    problems: list[Problem] = []
    asked = []
    for line in read(lines):
        question = _question(line)
        if question is not None:
            one = Asked(question, line.place, line.text, (line.columns.get("src", 1), line.columns.get("dst", 1)))
            problems += check(one)
            asked.append(one)
    problems += [problem for line in lines for problem in line.problems]
    if not asked and not problems:
        problems.append(Problem(Place(file), "no question in it", f"its first line names columns: {','.join(COLUMNS)}"))
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.place))
    return asked


def _json_lines(lines: list[Line]) -> Iterator[Line]:
    for line in lines:
        if line.read() and not line.problems:
            line.columns = {key: _in_value(line.text, key) for key in line.value}
            yield line


def _in_value(text: str, key: str) -> int:
    """Where the value of a key stands, of a text inside its quotes."""
    at = value_column(text, key)
    return at + text.startswith('"', at - 1) if at > 1 else 1


def _csv_lines(lines: list[Line]) -> Iterator[Line]:
    """The rows of a CSV file; a row is one line, so that a mistake has one."""
    header: list[str] | None = None
    for line in lines:
        if not line.is_short():
            if header is None:
                return
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([line.text], strict=True, skipinitialspace=True))]
        except csv.Error as error:
            line.wrong(f"not CSV: {error}")
            continue
        at = [found.start(1) + 1 for found in _CELL.finditer(line.text)]
        at += [1] * (len(cells) - len(at))
        if header is None:
            header = [cell.lower() for cell in cells]
            if _wrong_header(line, cells, at):
                return
        elif len(cells) != len(header):
            line.wrong(f"{len(cells)} fields, but the header names {len(header)} columns")
        else:
            line.value = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
            line.columns = dict(zip(header, at, strict=False))
            yield line


def _wrong_header(line: Line, cells: list[str], at: list[int]) -> bool:
    names = [cell.lower() for cell in cells]
    for cell, name, column in zip(cells, names, at, strict=False):
        if name not in COLUMNS:
            message, hint = FORM.unknown(cell)
            line.wrong(message, hint=hint, column=column)
    for n, name in enumerate(names):
        if name in COLUMNS and names.index(name) < n:
            line.wrong(f"column `{name}` is named twice", column=at[n])
    missing = [name for name in ("src", "dst") if name not in names]
    if missing:
        hint = "the first line names the columns: src,dst,protocol,port"
        line.wrong(f"no column {' and none '.join(f'`{name}`' for name in missing)}", hint=hint)
    return bool(line.problems)


def _question(line: Line) -> Question | None:
    """The question of a line; a field that is there but empty is one left out. None where anything is wrong."""
    given = {name: value for name, value in line.value.items() if value is not None and value != ""}
    for name in ("src", "dst"):
        if name not in given:
            line.wrong(f"no `{name}`", name)
    read: dict[str, Any] = {}
    for name, value in given.items():
        try:
            read[name] = _READERS[name](_as_text(name, value))
        except QuestionError as error:
            for one in error.problems:
                line.wrong(one.message, name, one.hint)
    if line.problems:
        return None
    try:
        return Question(
            source=read["src"], destination=read["dst"], protocol=read.get("protocol", 6), ports=read.get("port"),
            source_ports=read.get("source_port"), icmp_type=read.get("icmp_type"), family=read.get("family"),
            one_way=read.get("one_way", False), via=read.get("via", ()), avoid=read.get("avoid", ()),
        )  # fmt: skip
    except QuestionError as error:
        for one in error.problems:
            line.wrong(one.message, hint=one.hint)
        return None


def _as_text(name: str, value: object) -> str:
    if name == "one_way" and isinstance(value, bool):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise QuestionError(f"{name}: expected a text or a whole number, found {visible(json.dumps(value), 40)}")
    return str(value)


def _family(written: str) -> int:
    if written not in ("4", "6"):
        raise QuestionError(f"family `{visible(written)}` is not 4 or 6")
    return int(written)


def _one_way(written: str) -> bool:
    if written.lower() not in _WORDS:
        raise QuestionError(f"one_way `{visible(written)}` is not true or false")
    return _WORDS[written.lower()]


def _objects(written: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in written.split(";") if name.strip())


def _source_port(written: str) -> PortRange | None:
    return parse_ports(written, "source port")


_READERS: Mapping[str, Callable[[str], Any]] = {
    "src": str,
    "dst": str,
    "protocol": parse_protocol,
    "port": parse_ports,
    "source_port": _source_port,
    "icmp_type": parse_icmp_type,
    "family": _family,
    "one_way": _one_way,
    "via": _objects,
    "avoid": _objects,
}
