"""``guest: {from: PATH}`` of a topology: what was gathered stands in its place, with its places in the guest's files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from netinsight.errors import Place, Problem, Severity, visible
from netinsight.sources.document import Builder, Document, Spot
from netinsight.sources.files import STDIN

if TYPE_CHECKING:
    from netinsight.guest.facts import Facts
    from netinsight.guest.lines import Written
    from netinsight.guest.sections import Gathered


_BELOW = "a path below it: the topology may be somebody else's, and must not show other files of yours"


def claimed(builders: Iterable[Builder]) -> set[FilePath]:
    """The files and folders that guests are read from: they are no part of the topology, wherever they lie."""
    found = set()
    for builder in builders:
        value = builder.result[0] if builder.result else None
        instances = value.get("instances") if isinstance(value, dict) else None
        for instance in instances.values() if isinstance(instances, dict) else ():
            guest = instance.get("guest") if isinstance(instance, dict) else None
            written = guest.get("from") if isinstance(guest, dict) else None
            if isinstance(written, str) and "\0" not in written:
                found.add((FilePath(builder.file).parent / written).resolve())
    return found


def include_guests(document: Document, source: str) -> Iterator[Problem]:
    """Read what guests of a document are told to be read from, and put it into the document."""
    instances = (document.value or {}).get("instances")
    spots = document.spot.child("instances")
    if not isinstance(instances, dict) or spots is None or not isinstance(spots.children, dict):
        return
    for name, instance in list(instances.items()):
        guest = instance.get("guest") if isinstance(instance, dict) else None
        if not isinstance(guest, dict) or "from" not in guest:
            continue
        spot = spots.children[name]  # its own: an alias shares values and spots with others
        instances[name] = instance = dict(instance)
        instance["guest"] = guest = dict(guest)
        spots.children[name] = spot = _copy(spot)
        spot.children["guest"] = below = _copy(spot.children["guest"])  # type: ignore[index, call-overload]
        at = below.child("from")
        written = guest.pop("from")
        yield from _include(written, at or below, source, instance, spot, document)


def _include(
    written: Any, at: Spot, source: str, instance: dict[str, Any], spot: Spot, document: Document
) -> Iterator[Problem]:
    path, problem = _target(written, at.place, source)
    if problem is not None:
        yield problem
        return
    from netinsight.sources.guest_files import facts_and_problems, read_guest_files  # a topology seldom needs them

    reading = read_guest_files([path])
    document.texts.update(reading.texts)
    yield from reading.problems
    errors = [one for one in reading.problems if one.severity is Severity.ERROR]
    if errors:
        return
    if len(reading.guests) != 1 or not reading.guests[0].sections:
        lacking = reading.guests[0].lacking if len(reading.guests) == 1 else "it tells of several instances"
        yield Problem(at.place, f"`from`: {lacking or 'nothing was gathered'}", "an output of one guest")
        return
    facts = facts_and_problems(reading.guests[0])
    yield from facts.problems
    if facts.problems:
        return
    yield from _failed(reading.guests[0], facts, at.place)
    guest, below = instance["guest"], spot.child("guest")
    for key, value in facts.guest.items():
        _put(guest, below, key, value, facts)
    if facts.os:
        _put(instance, spot, "os", facts.os, facts)
    if facts.load and isinstance(instance.setdefault("load", {}), dict):
        instance["load"] = dict(instance["load"])
        loads = spot.child("load")
        load = _copy(loads) if loads is not None else _spot(facts.places["load"])
        load.children = load.children if isinstance(load.children, dict) else {}
        spot.children["load"] = load  # type: ignore[index, call-overload]
        for key, percent in facts.load.items():
            if key not in instance["load"]:
                instance["load"][key] = percent
                load.children[key] = _spot(facts.places["load"])


def _failed(gathered: Gathered, facts: Facts, place: Place) -> Iterator[Problem]:
    """What was to be gathered and is not there whole, in one warning: what hangs on it is not checked.

    That a guest has no such command, or that a folder has no such file, is no failure.
    """
    from netinsight.guest.facts import OTHERS, TEXTS
    from netinsight.guest.sections import NOT_THERE

    told = {gathered.lacking: None} if gathered.lacking else {}
    for key in facts.lacking:
        for one in (gathered.sections.get(name) for name in (TEXTS | OTHERS)[key]):
            if one is not None and not one.lacking.startswith(NOT_THERE):
                told[f"{one.title}: {one.lacking}"] = None
    if told:
        message = f"not all that {visible(gathered.source, 200)} tells can be used: {'; '.join(told)}"
        hint = f"gather it again; `netinsight guest read {visible(gathered.source, 200)}` lists what is not known"
        yield Problem(place, message, hint, "", Severity.WARNING)


def _target(written: Any, place: Place, source: str) -> tuple[str, Problem | None]:
    """The path as it is to be opened. It stays below the topology's folder: a topology may be somebody else's, and what is
    read is shown in messages and reports."""
    if not isinstance(written, str) or not written or "\0" in written:
        return "", Problem(place, "`from` is no path", "such as guests/i-a.txt")
    if source == "-" or place.file == STDIN:
        return "", Problem(place, "`from` needs a folder, and the topology is standard input", "read it from a file")
    root = FilePath(source) if FilePath(source).is_dir() else FilePath(source).parent
    path = FilePath(place.file).parent / written
    if FilePath(written).is_absolute() or not path.resolve().is_relative_to(root.resolve()):
        return "", Problem(place, "`from` leads out of the folder of the topology", _BELOW)
    try:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        if outside := next((one for one in inside if not one.resolve().is_relative_to(root.resolve())), None):
            return "", Problem(Place(str(outside)), "leads out of the folder of the topology", _BELOW)
        if pipe := next((one for one in inside if one.is_fifo()), None):
            return "", Problem(Place(str(pipe)), "not a file")  # it would be waited for
    except OSError as error:
        return "", Problem(Place(str(path)), f"cannot be read: {error.strerror}")
    return str(path), None


def _put(values: dict[str, Any], spot: Spot | None, key: str, value: Any, facts: Facts) -> None:
    """A key with its place in the guest's file, unless the topology tells it itself."""
    if key in values:
        return
    values[key] = value
    if spot is not None and isinstance(spot.children, dict):
        spot.children[key] = _spot(facts.places[key], is_text=isinstance(value, str))


def _spot(written: Written, is_text: bool = False) -> Spot:
    place = written.place(1, 1)
    spot = Spot(place.file, place.line, place.column)
    spot.lines = written.place if is_text else None
    return spot


def _copy(spot: Spot) -> Spot:
    other = Spot(spot.file, spot.line, spot.column)
    other.key_line, other.key_column, other.lines = spot.key_line, spot.key_column, spot.lines
    other.size, other.height = spot.size, spot.height
    other.children = dict(spot.children) if isinstance(spot.children, dict) else spot.children
    return other
