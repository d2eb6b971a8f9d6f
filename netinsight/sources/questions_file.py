"""Many questions in one file: CSV with a header, or JSON lines; every mistake of every line at once."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from netinsight.errors import InputError, Place, Problem, QuestionError, did_you_mean, one_of, visible
from netinsight.flow import Asked, PortRange, Question, parse_icmp_type, parse_ports, parse_protocol
from netinsight.sources.document import LINE_BREAK, once
from netinsight.sources.files import STDIN, read_text

COLUMNS = ("src", "dst", "protocol", "port", "source_port", "icmp_type", "family", "one_way", "via", "avoid")
MOST_QUESTIONS = 100_000
MOST_LINE = 10_000
_WORDS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_CELL = re.compile(r'(?:^|,)\s*("(?:[^"]|"")*"|[^,]*)')


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the file: its fields by name, and where in it each begins."""

    place: Place
    excerpt: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, int] = field(default_factory=dict)

    def problem(self, message: str, hint: str = "", column: int = 1) -> Problem:
        """A mistake at a column, from 1."""
        return Problem(self.place._replace(column=column), message, hint, self.excerpt)


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
    lines = LINE_BREAK.split(read_text(file, stdin))
    if len(lines) > MOST_QUESTIONS:
        raise InputError([Problem(Place(file), f"more than {MOST_QUESTIONS} lines", "ask them in parts")])
    numbered = [_Line(Place(file, n, 1), line) for n, line in enumerate(lines, start=1)
                if line.strip() and not line.lstrip().startswith("#")]  # fmt: skip
    problems: list[Problem] = []
    read = _json_lines if numbered and numbered[0].excerpt.lstrip()[:1] in ("{", "[") else _csv_lines
    asked = []
    for line in read(numbered, problems):
        question = _question(line, problems)
        if question is not None:
            one = Asked(question, line.place, line.excerpt, (line.columns.get("src", 1), line.columns.get("dst", 1)))
            problems += check(one)
            asked.append(one)
    if not asked and not problems:
        problems.append(Problem(Place(file), "no question in it", f"its first line names columns: {','.join(COLUMNS)}"))
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.place))
    return asked


def _too_long(line: _Line, problems: list[Problem]) -> bool:
    if len(line.excerpt) <= MOST_LINE:
        return False
    problems.append(Problem(line.place, f"longer than {MOST_LINE} characters", "", line.excerpt[:200]))
    return True


def _json_lines(lines: list[_Line], problems: list[Problem]) -> Iterator[_Line]:
    for line in lines:
        if _too_long(line, problems):
            continue
        try:
            value = json.loads(line.excerpt, object_pairs_hook=once)
        except (ValueError, RecursionError) as error:
            message = f"not JSON: {getattr(error, 'msg', error)}"
            problems.append(line.problem(message, "one object a line", getattr(error, "colno", 1)))
            continue
        if not isinstance(value, dict):
            problems.append(line.problem('expected an object such as {"src": "i-a", "dst": "i-b", "port": 22}'))
            continue
        strange = [line.problem(*_unknown(key), line.excerpt.find(json.dumps(key, ensure_ascii=False)) + 1 or 1)
                   for key in value if key not in COLUMNS]  # fmt: skip
        problems += strange
        if not strange:
            yield _Line(line.place, line.excerpt, value, {key: _value_column(line.excerpt, key) for key in value})


def _value_column(text: str, key: str) -> int:
    found = re.search(rf'"{re.escape(key)}"\s*:\s*', text)
    return found.end() + 1 + text.startswith('"', found.end()) if found else 1


def _unknown(key: str) -> tuple[str, str]:
    return f"unknown column `{visible(key)}`", did_you_mean(key.lower(), COLUMNS) or f"known: {one_of(COLUMNS)}"


def _csv_lines(lines: list[_Line], problems: list[Problem]) -> Iterator[_Line]:
    """The rows of a CSV file; a row is one line, so that a mistake has one."""
    header: list[str] | None = None
    for line in lines:
        if _too_long(line, problems):
            if header is None:
                return
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([line.excerpt], strict=True, skipinitialspace=True))]
        except csv.Error as error:
            problems.append(line.problem(f"not CSV: {error}"))
            continue
        at = [found.start(1) + 1 for found in _CELL.finditer(line.excerpt)]
        at += [1] * (len(cells) - len(at))
        if header is None:
            header = [cell.lower() for cell in cells]
            if wrong := _wrong_header(line, cells, at):
                problems += wrong
                return
        elif len(cells) != len(header):
            problems.append(line.problem(f"{len(cells)} fields, but the header names {len(header)} columns"))
        else:
            filled = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
            yield _Line(line.place, line.excerpt, filled, dict(zip(header, at, strict=False)))


def _wrong_header(line: _Line, cells: list[str], at: list[int]) -> list[Problem]:
    names = [cell.lower() for cell in cells]
    wrong = [line.problem(*_unknown(cell), column) for cell, name, column in zip(cells, names, at, strict=False)
             if name not in COLUMNS]  # fmt: skip
    wrong += [line.problem(f"column `{name}` is named twice", "", at[n]) for n, name in enumerate(names)
              if name in COLUMNS and names.index(name) < n]  # fmt: skip
    missing = [name for name in ("src", "dst") if name not in names]
    if missing:
        hint = "the first line names the columns: src,dst,protocol,port"
        wrong.append(line.problem(f"no column {' and none '.join(f'`{name}`' for name in missing)}", hint))
    return wrong


def _question(line: _Line, problems: list[Problem]) -> Question | None:
    """The question of a line; a field that is there but empty is one left out. None where anything is wrong."""
    given = {name: value for name, value in line.fields.items() if value is not None and value != ""}
    wrong = [
        line.problem(f"no `{name}`", "", line.columns.get(name, 1)) for name in ("src", "dst") if name not in given
    ]
    read: dict[str, Any] = {}
    for name, value in given.items():
        try:
            read[name] = _READERS[name](_as_text(name, value))
        except QuestionError as error:
            wrong += [line.problem(one.message, one.hint, line.columns.get(name, 1)) for one in error.problems]
    problems += wrong
    if wrong:
        return None
    try:
        return Question(
            source=read["src"], destination=read["dst"], protocol=read.get("protocol", 6), ports=read.get("port"),
            source_ports=read.get("source_port"), icmp_type=read.get("icmp_type"), family=read.get("family"),
            one_way=read.get("one_way", False), via=read.get("via", ()), avoid=read.get("avoid", ()),
        )  # fmt: skip
    except QuestionError as error:
        problems += [line.problem(one.message, one.hint) for one in error.problems]
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
