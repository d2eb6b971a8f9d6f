"""Files, folders and standard input -> Topology, with every problem of all of them at once.

::

    path ─ texts ─> Document (values and spots) ─ each object ─> model ─┐
                                                     └ problems         ├─> checks between objects ─> Topology
                      an object that fails is read again without ───────┘
                      what is wrong in it, so that the checks see the rest
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import IO, Any, NamedTuple, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from netinsight.errors import InputError, Place, Problem, Severity, did_you_mean, one_of, visible
from netinsight.model.base import Path, check_identifier
from netinsight.model.checks import check
from netinsight.model.findings import Finding
from netinsight.model.topology import SECTIONS, Topology
from netinsight.sources.document import Builder, Document, Spot
from netinsight.sources.files import MOST_BYTES, STDIN, files_of, read_text
from netinsight.sources.guest_from import claimed, include_guests
from netinsight.sources.guest_texts import guest_texts
from netinsight.sources.json_file import read_json
from netinsight.sources.validation import findings, plain
from netinsight.sources.yaml_file import read_yaml


class Reading(NamedTuple):
    """A topology and the warnings about it."""

    topology: Topology
    warnings: tuple[Problem, ...]


def read_topology(source: str, stdin: IO[bytes] | None = None) -> Reading:
    """The topology of a YAML or JSON file, of a folder of them, or of standard input (``-``).

    Raises
    ------
    InputError
        With every problem of every file.
    """
    document, problems = read_documents(source, stdin)
    problems += include_guests(document, source)
    draft = _Draft(document, problems)
    for name, value in (document.value or {}).items():
        draft.read_field(name, value)
    return draft.finish()


def read_documents(source: str, stdin: IO[bytes] | None) -> tuple[Document, list[Problem]]:
    """The files of ``source`` as one document, with what is wrong in them but leaves the rest readable.

    Raises
    ------
    InputError
        Where no file can be read.
    """
    read = [_tried(file, stdin) for file in ([STDIN] if source == "-" else files_of(source))]
    guests = claimed(one for one in read if isinstance(one, Builder)) if len(read) > 1 else set()
    files = [one for one in read if not guests or not _below(one, guests)]
    builders = [one for one in files if isinstance(one, Builder)]
    problems = [problem for one in files for problem in one.problems]
    if not builders:
        raise InputError(problems)
    texts = {builder.file: builder.text for builder in builders}
    merged = Document({}, Spot(builders[0].file, 1, 1), texts, whole=len(builders) == len(files))
    merged.spot.children = {}
    for builder in builders:
        problems += [_with_line(merged, problem) for problem in _merge(merged, builder)]
    return merged, problems


def _tried(file: str, stdin: IO[bytes] | None) -> Builder | InputError:
    try:
        return _parse(read_text(file, stdin), file)
    except InputError as error:
        return error


def _below(one: Builder | InputError, guests: set[FilePath]) -> bool:
    """Whether a file is a guest's, or stands in the folder of one."""
    file = FilePath(one.file if isinstance(one, Builder) else one.problems[0].place.file).resolve()
    return not guests.isdisjoint((file, *file.parents))


def _parse(text: str, file: str) -> Builder:
    """JSON by its name or its first character; what begins like JSON but is none may still be YAML."""
    if file.endswith(".json"):
        return read_json(text, file)
    if text.lstrip()[:1] in ("{", "[") and not file.endswith((".yaml", ".yml")):
        try:
            return read_json(text, file)
        except InputError:
            pass
    if len(text) > MOST_BYTES["yaml"]:
        raise InputError([Problem(Place(file), f"larger than {MOST_BYTES['yaml'] >> 20} MiB", "write it as JSON")])
    return read_yaml(text, file)


def _with_line(document: Document, problem: Problem) -> Problem:
    return problem._replace(excerpt=document.line(problem.place))


def _merge(document: Document, builder: Builder) -> Iterator[Problem]:
    value, spot = builder.result or (None, Spot(builder.file, 1, 1))
    if not isinstance(value, dict) or not isinstance(spot.children, dict):
        found = "an empty file" if value is None else f"a {'list' if isinstance(value, list) else 'plain value'}"
        yield Problem(
            Place(builder.file, spot.line, spot.column), f"expected a topology (keys such as `vpcs:`), found {found}"
        )
        return
    for name, below in value.items():
        yield from _merge_key(document.value, document.spot, name, below, spot.children[name])


def _merge_key(values: dict[str, Any], spot: Spot, name: str, value: Any, below: Spot) -> Iterator[Problem]:
    children: dict[str, Spot] = spot.children  # type: ignore[assignment]
    if name not in values:
        values[name] = dict(value) if isinstance(value, dict) else value
        children[name] = below
        return
    first, held = children[name], values[name]
    if isinstance(held, dict) and isinstance(value, dict) and isinstance(below.children, dict):
        whole = Spot(first.file, first.line, first.column)
        whole.children = dict(first.children) if isinstance(first.children, dict) else {}
        children[name] = whole
        for key, inner in value.items():
            if key in held:
                place = below.children[key].key_place
                yield Problem(place, f"`{visible(key)}` is described already at {whole.children[key].key_place}")
            else:
                held[key], whole.children[key] = inner, below.children[key]
    elif held != value:
        yield Problem(below.key_place, f"`{name}` is told differently at {first.key_place}")


@dataclass
class _Draft:
    """What has been read so far of a topology, and what is wrong with it."""

    document: Document
    problems: list[Problem]
    fields: dict[str, Any] = field(default_factory=dict)
    broken: list[tuple[str, str]] = field(default_factory=list)
    partial: list[tuple[str, str]] = field(default_factory=list)

    def read_field(self, name: str, value: Any) -> None:
        """One top-level key."""
        fields = {info.alias or key: (key, info) for key, info in Topology.model_fields.items()}
        if name not in fields:
            hint = did_you_mean(name, fields) or f"known: {one_of(list(fields), 30)}"
            self._add(Finding((name,), f"unknown key `{visible(name)}`", hint, at_key=True))
            return
        key, info = fields[name]
        if name in SECTIONS:
            self._read_section(name, value, get_args(info.annotation)[1])
            return
        model = _read(_reader(info.annotation), value, (name,), info.annotation, self)
        if model is not _FAILED:
            self.fields[key] = model

    def _read_section(self, section: str, value: Any, kind: Any) -> None:
        if value is None:
            return
        if not isinstance(value, dict):
            found = "a list" if isinstance(value, list) else f"`{visible(str(value))}`"
            self._add(
                Finding(
                    (section,),
                    f"expected {SECTIONS[section]}s by id, found {found}",
                    f"`{section}: {{some-id: {{…}}}}`",
                )
            )
            return
        read, objects = _reader(kind), {}
        for name, described in value.items():
            try:
                check_identifier(name)
            except PydanticCustomError as error:
                self._add(Finding((section, name), f"`{visible(name)}`: {error.message()}", at_key=True))
                continue
            model = _read(read, described, (section, name), kind, self)
            if model is _FAILED:
                self.broken.append((section, name))
                enis = described.get("network_interfaces") if isinstance(described, dict) else None
                self.broken += [("network_interfaces", eni) for eni in (enis if isinstance(enis, dict) else ())]
            else:
                objects[name] = model
        self.fields[section] = objects

    def _add(self, found: Finding) -> None:
        problem = self.document.problem(found.path, found.message, found.hint, found.at_key)
        if found.severity is Severity.WARNING:
            problem = Problem(problem.place, problem.message, problem.hint, problem.excerpt, Severity.WARNING)
        self.problems.append(problem)

    def add_all(self, found: Iterable[Finding]) -> None:
        """Findings, each at its place."""
        for one in found:
            self._add(one)

    def finish(self) -> Reading:
        """The topology, if nothing is wrong with it."""
        topology = Topology.model_construct(_fields_set=set(self.fields), **self.fields)
        topology._locate = self.document.locate
        if self.document.whole:  # what a file that cannot be read describes is not missing elsewhere
            self.add_all(check(topology, self.broken, self.partial))
            self.add_all(guest_texts(topology, self.document))
        problems = sorted(dict.fromkeys(self.problems), key=lambda p: (list(self.document.texts).index(p.place.file)
                          if p.place.file in self.document.texts else -1, p.place.line, p.place.column))  # fmt: skip
        if any(problem.severity is Severity.ERROR for problem in problems):
            raise InputError(problems)
        return Reading(topology, tuple(problems))


_FAILED = object()


def _reader(kind: Any) -> Callable[[Any], Any]:
    """What reads a value of a kind; a model reads itself, which spares it a second schema."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_validate
    return TypeAdapter(kind).validate_python


def _read(read: Callable[[Any], Any], value: Any, base: Path, kind: Any, draft: _Draft) -> Any:
    """The model of ``value``; where it fails, that of what remains without the parts that fail, or ``_FAILED``."""
    try:
        return read(value)
    except ValidationError as error:
        draft.add_all(findings(error, base, kind))
        if len(base) > 1:
            draft.partial.append((str(base[0]), str(base[1])))
        return _read_the_rest(read, copy.deepcopy(value), base, draft.document, error)


def _read_the_rest(
    read: Callable[[Any], Any], value: Any, base: Path, document: Document, error: ValidationError
) -> Any:
    for _ in range(4):
        locations = {plain(each["loc"]) for each in error.errors()}
        spot = _own_copy(document.spot, base)
        removed = [_without(value, spot, loc) for loc in sorted(locations, key=_index_order, reverse=True)]
        if not all(removed):
            return _FAILED
        try:
            return read(value)
        except ValidationError as next_error:
            error = next_error
    return _FAILED


def _own_copy(root: Spot, base: Path) -> Spot:
    """The spots of a value made its own: an alias shares those of its anchor, from which nothing must be taken."""
    holder, _ = root.find(base[:-1])
    spot = copy.deepcopy(root.find(base)[0])
    if isinstance(holder.children, dict):
        holder.children[str(base[-1])] = spot
    return spot


def _index_order(loc: tuple[int | str, ...]) -> list[tuple[int, str]]:
    return [(part, "") if isinstance(part, int) else (-1, part) for part in loc]


def _without(value: Any, spot: Spot, loc: tuple[int | str, ...]) -> bool:
    """Take the innermost list item or key of ``loc`` away, from the value and from its spots alike."""
    chain: list[tuple[Any, Spot | None, int | str]] = []
    for part in loc:
        chain.append((value, spot, part))
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            break
        spot = (spot.child(part) if spot else None) or spot
    for holder, place, part in reversed(chain):
        if isinstance(holder, list) and isinstance(part, int) and part < len(holder):
            del holder[part]
            if place is not None and isinstance(place.children, list) and part < len(place.children):
                place.children.pop(part)
            return True
        if isinstance(holder, dict) and part in holder:
            del holder[part]
            return True
    return False
