"""Outputs of the collector, its parts, answers of the agent and folders of files -> what each guest tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import IO

from pydantic import ValidationError

from netinsight.errors import InputError, Place, Problem, did_you_mean, one_of, visible
from netinsight.guest.facts import NAMES, Facts, facts_of
from netinsight.guest.lines import Written
from netinsight.guest.sections import Gathered, Section
from netinsight.model.guest import Guest
from netinsight.sources.files import MOST_FILES, STDIN, decode, read_bytes
from netinsight.sources.guest_agent import is_agent_answer, read_agent_answer
from netinsight.sources.guest_output import MOST_BYTES, Parts, Whole, is_output, joined, read_output, take_parts
from netinsight.sources.guest_texts import text_problems
from netinsight.sources.routing_files import SUFFIXES, named_files, not_read
from netinsight.sources.validation import finding

_PART = b"NETINSIGHT-GUEST/1 part "


@dataclass(slots=True)
class Reading:
    """What was read: the guests, the texts of the files for excerpts, and every mistake."""

    guests: list[Gathered] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    parts: dict[Whole, Parts] = field(default_factory=dict)


def read_guest_files(paths: Iterable[str], stdin: IO[bytes] | None = None) -> Reading:
    """What was gathered in guests, from files and folders (``-``: standard input); parts may stand in any order."""
    reading = Reading()
    for path in paths:
        try:
            _read_path(path, reading, stdin)
        except InputError as error:
            reading.problems += error.problems
    for whole, parts in reading.parts.items():
        data = joined(whole, parts)
        if isinstance(data, Problem):
            reading.problems.append(data)
            continue
        file = f"{next(iter(parts.places.values())).file}{f' ({whole.instance})' if whole.instance else ''}, its parts together"
        _add(data, file, whole.instance, "", reading)
    known: set[str] = set()
    for guest in reading.guests:
        if guest.instance in known:
            message = f"a second output of {visible(guest.instance)}" if guest.instance else "a second guest"
            hint = "" if guest.instance else "read each of its own: nothing tells their instances"
            reading.problems.append(Problem(Place(guest.source), message, hint))
        known.add(guest.instance)
    if not reading.guests and not reading.problems:
        reading.problems.append(Problem(Place(), "nothing that a guest told in any of the files"))
    return reading


def _read_path(path: str, reading: Reading, stdin: IO[bytes] | None) -> None:
    folder = FilePath(path)
    if path == "-" or not folder.is_dir():
        _read_file(STDIN if path == "-" else path, reading, stdin)
        return
    files = sorted(one.name for one in folder.iterdir() if not one.name.startswith("."))
    if len(files) > MOST_FILES:
        raise InputError([Problem(Place(path), f"more than {MOST_FILES} files")])
    named = dict(named_files(path, NAMES, reading.problems))
    others = [str(folder / name) for name in files if str(folder / name) not in named.values()]
    if named:
        _read_named(path, named, reading)
        reading.problems += not_read(path, NAMES)
        return
    outputs = [other for other in others if FilePath(other).is_file()]
    if not outputs:
        names = one_of([*NAMES], 30)
        raise InputError([Problem(Place(path), "nothing that a guest told in the folder", f"an output, or {names}")])
    for other in outputs:
        _read_file(other, reading, None)


def _read_named(path: str, named: dict[str, str], reading: Reading) -> None:
    sections: dict[str, Section] = {}
    for name, file in named.items():
        try:
            text = decode(_utf8(read_bytes(file, most=MOST_BYTES)), file)
        except InputError as error:
            reading.problems += error.problems
            continue
        reading.texts[file] = text
        sections[name] = Section(name, Written(text, file))
    reading.guests.append(Gathered(path, "", sections))


def _read_file(file: str, reading: Reading, stdin: IO[bytes] | None) -> None:
    data = _utf8(read_bytes(file, stdin, MOST_BYTES))
    if is_agent_answer(data):
        _read_answer(decode(data, file), file, reading)
    elif _has_parts(data):
        reading.problems += take_parts(data, file, "", reading.parts)
    elif is_output(data):
        _add(data, file, "", "", reading)
    else:
        name = FilePath(file).name
        stem = next((name.removesuffix(s) for s in SUFFIXES[1:] if name.endswith(s)), name)
        if stem not in NAMES:
            hint = "what `netinsight guest script` prints; the agent's answer; a folder of files such as ip-route.txt"
            raise InputError(
                [Problem(Place(file), "not what the collector printed", did_you_mean(stem, NAMES) or hint)]
            )
        _read_named(file, {stem: file}, reading)


def _read_answer(text: str, file: str, reading: Reading) -> None:
    for one in read_agent_answer(text, file, reading.problems):
        if _has_parts(one.output):
            found = list(take_parts(one.output, f"{file} ({one.instance})", one.instance, reading.parts))
            if found and one.lacking:
                found = [Problem(one.place, f"{visible(one.instance)}: {one.lacking}", "take shorter parts")]
            reading.problems += found
        else:
            _add(one.output, f"{file} ({visible(one.instance)})", one.instance, one.lacking, reading)


def _add(data: bytes, file: str, instance: str, lacking: str, reading: Reading) -> None:
    reading.texts[file] = data.decode("utf-8", "backslashreplace")
    reading.guests.append(read_output(data, file, instance, lacking))


def _has_parts(data: bytes) -> bool:
    return data.startswith(_PART) or b"\n" + _PART in data


def _utf8(data: bytes) -> bytes:
    """PowerShell redirects as UTF-16, and marks UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data.removeprefix(b"\xef\xbb\xbf")


def facts_and_problems(gathered: Gathered) -> Facts:
    """The facts of a guest; ``problems`` has every mistake in what it printed, each at its place in the file."""
    facts = facts_of(gathered)
    if facts.problems:
        return facts
    try:
        guest = Guest.model_validate(facts.guest)
    except ValidationError as error:
        for each in error.errors():
            found = finding(each, (), Guest)
            written = facts.places.get(str(found.path[0])) if found.path else None
            place = written.place(1, 1) if written else Place(gathered.source)
            facts.problems.append(Problem(place, found.message, found.hint))
        return facts
    facts.problems += (problem for _, problem in text_problems(guest, facts.places))
    return facts
