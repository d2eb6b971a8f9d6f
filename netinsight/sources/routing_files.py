"""A folder, a text with sections or a JSON file -> the routing of a guest."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from netinsight.errors import InputError, Place, Problem, Severity, did_you_mean, one_of, visible
from netinsight.guest import facts
from netinsight.guest.lines import Problems, Written
from netinsight.guest.routes import Routing, Settings, read_routing
from netinsight.guest.system import read_table_names
from netinsight.guest.windows import is_windows, read_windows_routing
from netinsight.sources.files import STDIN, read_text
from netinsight.sources.guest_output import refuse_output

NAMES = {"ip-addr": "addr", "ip-rule": "rule", "ip-route": "route", "ip6-rule": "rule6", "ip6-route": "route6",
         "rt_tables": "tables", "route-print": "windows", "get-netroute": "windows"}  # fmt: skip
SUFFIXES = ("", ".txt", ".json")
KEYS = ("addr", "rule", "route", "rule6", "route6", "tables", "source")
_HEAD = re.compile(
    r"^(?:[#$=>\[-].*?\s|[#$>]\s*)?ip(?P<options>(?:\s+-\S+)*)\s+(?P<what>a\w*|ru\w*|r|ro\w*)(?P<rest>\s.*)?$"
)
_PROMPT = re.compile(r"^(?:[#$=>\[-]|ip\s)")


@dataclass(slots=True)
class _Parts:
    """What was found: the parts by name, and the numbers of tables."""

    texts: dict[str, Written] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)


def read_routing_files(source: str, settings: Settings | None = None) -> tuple[Routing, list[Problem]]:
    """The routing of a guest, from a folder or a file (``-``: standard input), and a warning of each file that was not read.

    Raises
    ------
    InputError
        With every mistake in any file.
    """
    is_folder = source != "-" and FilePath(source).is_dir()
    # what `guest read` takes from such a folder is no mistake in it
    unread = list(not_read(source, facts.NAMES)) if is_folder else []
    try:
        return _routing(source, _folder(source) if is_folder else _file(source), settings), unread
    except InputError as error:
        raise InputError([*error.problems, *unread]) from None


def _routing(source: str, parts: _Parts, settings: Settings | None) -> Routing:
    if windows := parts.texts.get("windows"):
        return read_windows_routing(windows)
    if "route" not in parts.texts and "route6" not in parts.texts:
        raise InputError([Problem(Place(source), "no routes in it", "`ip route show table all`, or `ip -j` of it")])
    route = parts.texts.get("route") or Written("", source)
    return read_routing(parts.texts.get("addr"), parts.texts.get("rule"), route, rules6=parts.texts.get("rule6"),
                        routes6=parts.texts.get("route6"), tables=parts.tables, settings=settings)  # fmt: skip


def named_files(source: str, names: Iterable[str], problems: list[Problem]) -> Iterator[tuple[str, str]]:
    """The files of a folder that have one of some names, each as it is or with one of ``SUFFIXES``."""
    for name in names:
        there = [path for suffix in SUFFIXES if (path := FilePath(source) / f"{name}{suffix}").exists()]
        if len(there) > 1:
            problems.append(Problem(Place(str(there[1])), f"stands beside {there[0].name}", "keep one of the two"))
        for path in there[:1]:
            yield name, str(path)


def not_read(source: str, names: Collection[str]) -> Iterator[Problem]:
    """A warning of each file of a folder that has none of the names."""
    for file in sorted(FilePath(source).iterdir()):
        name = next((file.name.removesuffix(end) for end in SUFFIXES[1:] if file.name.endswith(end)), file.name)
        if name not in names and not name.startswith("."):
            hint = did_you_mean(name, names)
            yield Problem(Place(str(file)), "not read: no name that is known", hint, "", Severity.WARNING)


def _folder(source: str) -> _Parts:
    parts, problems = _Parts(), list[Problem]()
    for name, path in named_files(source, NAMES, problems):
        written = Written(read_text(path), path)
        if NAMES[name] == "tables":
            mistakes = Problems()
            parts.tables |= read_table_names(written, mistakes)
            problems += mistakes.found
        else:
            parts.texts[NAMES[name]] = written
    if problems:
        raise InputError(problems)
    if not parts.texts:
        raise InputError([Problem(Place(source), f"none of the files {one_of(list(NAMES))} in the folder")])
    return parts


def _file(source: str) -> _Parts:
    file = STDIN if source == "-" else source
    text = read_text(file)
    refuse_output(text, file, "its routes and rules")
    if text.strip() == "":
        raise InputError(
            [Problem(Place(file), "nothing in it", "`ip route show table all` prints at least those of `lo`")]
        )
    if is_windows(text):
        return _Parts({"windows": Written(text, file)})
    if text.lstrip()[:1] == "{":
        return _json(text, file)
    if text.lstrip()[:1] == "[":
        return _Parts({"route": Written(text, file)})
    return _sections(text, file)


def _sections(text: str, file: str) -> _Parts:
    """Each section begins with the command that printed it; a text without any is routes."""
    parts, name, begins = _Parts(), "route", 0
    lines = text.splitlines()
    heads = [(n, head) for n, line in enumerate(lines) if _PROMPT.match(line) and (head := _HEAD.match(line.strip()))]
    if not heads:
        return _Parts({"route": Written(text, file)})
    before = [n for n, line in enumerate(lines[: heads[0][0]]) if line.strip() and not line.startswith("#")]
    if before:
        raise InputError([Problem(Place(file, before[0] + 1, 1), "a line before the first section",
                                  "a section begins with its command, such as `# ip rule`", lines[before[0]])])  # fmt: skip
    for (begins, head), (end, _) in zip(heads, [*heads[1:], (len(lines), None)], strict=True):
        name = _name(head)
        if name in parts.texts:
            raise InputError(
                [Problem(Place(file, begins + 1, 1), "a second section of the same kind", "", lines[begins])]
            )
        # the lines above stay as empty ones, so that a line of the section has the number that it has in the file
        parts.texts[name] = Written("\n" * (begins + 1) + "\n".join(lines[begins + 1 : end]), file)
    return parts


def _name(head: re.Match[str]) -> str:
    what = "addr" if head["what"].startswith("a") else "rule" if head["what"].startswith("ru") else "route"
    six = any(option in ("-6", "-family6") for option in head["options"].split())
    return f"{what}6" if six and what != "addr" else what


def _json(text: str, file: str) -> _Parts:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = Place(file, getattr(error, "lineno", 0), getattr(error, "colno", 0))
        raise InputError([Problem(place, f"not valid JSON: {getattr(error, 'msg', error)}")]) from None
    parts, problems = _Parts(), []
    for key, value in whole.items():
        at = re.search(rf'"{re.escape(key)}"\s*:\s*', text)
        place = _place(text, file, at.end() if at else 0)
        if key not in KEYS:
            problems.append(Problem(place, f"unknown key `{visible(key)}`", f"known: {one_of(KEYS)}"))
        elif key == "tables":
            problems += _tables(value, place, parts)
        elif key != "source" and value is not None and at:
            if isinstance(value, str):
                parts.texts[key] = _inside_string(text, file, at.end(), value)
            elif isinstance(value, list):
                parts.texts[key] = _slice(text, file, at.end())
            else:
                problems.append(Problem(place, f"`{key}` is neither a text nor a list", "what `ip` printed"))
    if problems:
        raise InputError(problems)
    return parts


def _tables(value: Any, place: Place, parts: _Parts) -> Iterator[Problem]:
    if not isinstance(value, dict) or any(isinstance(n, bool) or not isinstance(n, int) for n in value.values()):
        yield Problem(place, "`tables` is no object of names and their numbers")
    else:
        parts.tables.update(value)


def _place(text: str, file: str, at: int) -> Place:
    return Place(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _slice(text: str, file: str, at: int) -> Written:
    """A value as a text of its own; what is not of it is made blank, so that its places are those of the file."""
    _, end = json.JSONDecoder().raw_decode(text, at)
    return Written(re.sub(r"[^\n]", " ", text[:at]) + text[at:end], file)


def _inside_string(text: str, file: str, at: int, value: str) -> Written:
    """A text inside JSON: a line and column of it are those of the character in the file."""
    marks = [found.start() for found in re.finditer(r'\\u[0-9a-fA-F]{4}|\\.|[^"\\]', text[at + 1 :])]
    lines = [0, *(n + 1 for n, letter in enumerate(value) if letter == "\n")]

    def place(line: int, column: int) -> Place:
        n = min(lines[min(line, len(lines)) - 1] + column - 1, len(value) - 1)
        return _place(text, file, at + 1 + marks[n] if 0 <= n < len(marks) else at)

    return Written(value, file, place)
