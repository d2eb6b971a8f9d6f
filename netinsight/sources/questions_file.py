"""Many questions in one file: CSV with a header, or JSON lines; every mistake of every line at once."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from netinsight.errors import InputError, Place, Problem, QuestionError, did_you_mean, one_of, visible
from netinsight.flow import Asked, Question, parse_icmp_type, parse_ports, parse_protocol
from netinsight.sources.files import STDIN, read_text

COLUMNS = ("src", "dst", "protocol", "port", "source_port", "icmp_type", "family", "one_way")
MOST_QUESTIONS = 1_000_000
MOST_LINE = 10_000
_WORDS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "": False}


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the file: its fields by name, and what a mistake in it needs."""

    place: Place
    excerpt: str
    fields: Mapping[str, Any]

    def problem(self, message: str, hint: str = "", at: str = "") -> Problem:
        """A mistake, at the column where ``at`` stands."""
        column = self.excerpt.find(at) + 1 if at else 0
        return Problem(Place(self.place.file, self.place.line, column or 1), message, hint, self.excerpt)


def read_questions(source: str, stdin: IO[bytes] | None = None) -> list[Asked]:
    """The questions of a file, or of standard input (``-``).

    A file whose first line begins with ``{`` is JSON lines, any other is CSV, whose first line names the columns: ``src``
    and ``dst``, and where wanted ``protocol`` (tcp where it is left out), ``port``, ``source_port``, ``icmp_type``,
    ``family`` and ``one_way``.

    Raises
    ------
    InputError
        With every mistake of every line.
    """
    file = STDIN if source == "-" else source
    text = read_text(file, stdin)
    if len(lines := text.splitlines()) > MOST_QUESTIONS:
        raise InputError([Problem(Place(file), f"more than {MOST_QUESTIONS} lines", "ask them in parts")])
    problems: list[Problem] = []
    read = _json_lines if text.lstrip()[:1] == "{" else _csv_lines
    asked = []
    for line in read(file, lines, problems):
        try:
            asked.append(Asked(_question(line.fields), line.place, line.excerpt))
        except QuestionError as error:
            problems += [line.problem(one.message, one.hint, _culprit(line, one.message)) for one in error.problems]
    if not asked and not problems:
        problems.append(Problem(Place(file), "no question in it", f"its first line names columns: {','.join(COLUMNS)}"))
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.place))
    return asked


def _too_long(file: str, number: int, line: str, problems: list[Problem]) -> bool:
    if len(line) <= MOST_LINE:
        return False
    problems.append(Problem(Place(file, number, 1), f"longer than {MOST_LINE} characters", "", line[:200]))
    return True


def _json_lines(file: str, lines: list[str], problems: list[Problem]) -> Iterator[_Line]:
    for number, line in enumerate(lines, start=1):
        if not line.strip() or _too_long(file, number, line, problems):
            continue
        try:
            value = json.loads(line, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            column = getattr(error, "colno", 1)
            message = f"not JSON: {getattr(error, 'msg', error)}"
            problems.append(Problem(Place(file, number, column), message, "one object a line", line))
            continue
        if not isinstance(value, dict):
            problems.append(Problem(Place(file, number, 1), "expected an object such as "
                            '{"src": "i-a", "dst": "i-b", "port": 22}', "", line))  # fmt: skip
            continue
        found = _Line(Place(file, number, 1), line, value)
        strange = [found.problem(*_unknown(key), f'"{key}"') for key in value if key not in COLUMNS]
        problems += strange
        if not strange:
            yield found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise ValueError(f"duplicate key `{visible(twice)}`")
    return dict(pairs)


def _unknown(key: str) -> tuple[str, str]:
    return f"unknown column `{visible(key)}`", did_you_mean(key, COLUMNS) or f"known: {one_of(COLUMNS)}"


def _csv_lines(file: str, lines: list[str], problems: list[Problem]) -> Iterator[_Line]:
    """The rows of a CSV file; a row is one line, so that a mistake has one."""
    header: list[str] | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#") or _too_long(file, number, line, problems):
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], strict=True))]
        except csv.Error as error:
            problems.append(Problem(Place(file, number, 1), f"not CSV: {error}", "", line))
            continue
        row = _Line(Place(file, number, 1), line, {})
        if header is None:
            header = [cell.lower() for cell in cells]
            if wrong := _wrong_header(row, header):
                problems += wrong
                return
        elif len(cells) != len(header):
            problems.append(row.problem(f"{len(cells)} fields, but the header names {len(header)} columns"))
        else:
            filled = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
            yield _Line(row.place, line, filled)


def _wrong_header(row: _Line, header: list[str]) -> list[Problem]:
    wrong = [row.problem(*_unknown(name), name) for name in header if name not in COLUMNS]
    wrong += [
        row.problem(f"column `{name}` is named twice", "", name) for name in set(header) if header.count(name) > 1
    ]
    missing = [name for name in ("src", "dst") if name not in header]
    if missing:
        hint = "the first line names the columns: src,dst,protocol,port"
        wrong.append(row.problem(f"no column {' and none '.join(f'`{name}`' for name in missing)}", hint))
    return wrong


def _question(fields: Mapping[str, Any]) -> Question:
    """The question of a line; a field that is there but empty is one left out."""
    given = {name: value for name, value in fields.items() if value is not None and value != ""}
    for name, value in given.items():
        if not isinstance(value, (str, int)):
            raise QuestionError(f"{name}: expected a text or a number, found {json.dumps(value)[:40]}")
    for name in ("src", "dst"):
        if name not in given:
            raise QuestionError(f"no `{name}`")
    icmp_type, family = given.get("icmp_type"), given.get("family")
    if family is not None and str(family) not in ("4", "6"):
        raise QuestionError(f"family `{visible(str(family))}` is not 4 or 6")
    one_way = str(given.get("one_way", "")).lower()
    if one_way not in _WORDS:
        raise QuestionError(f"one_way `{visible(one_way)}` is not true or false")
    return Question(
        source=str(given["src"]),
        destination=str(given["dst"]),
        protocol=parse_protocol(str(given.get("protocol", "tcp"))),
        ports=parse_ports(str(given["port"])) if "port" in given else None,
        source_ports=parse_ports(str(given["source_port"]), "source port") if "source_port" in given else None,
        icmp_type=None if icmp_type is None else parse_icmp_type(str(icmp_type)),
        family=None if family is None else int(family),
        one_way=_WORDS[one_way],
    )


def _culprit(line: _Line, message: str) -> str:
    """The text of the field that a message quotes, to point at."""
    quoted = [str(value) for value in line.fields.values() if f"`{value}`" in message]
    return max(quoted, key=len, default="")
