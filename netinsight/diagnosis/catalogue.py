"""The rule catalogue: items, reasons, words, thresholds and lists, as YAML that a user may read and override.

``rules/report`` is what reports need, ``rules/reference`` what only explanations and presets do; an override folder may
have any of it. Beside each of the two stands the same as JSON, which is what is read as long as it is of the same files.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from netinsight.errors import InputError, Place, Problem, did_you_mean, visible
from netinsight.flow import PortRange
from netinsight.model.base import Integer, Model, Percent, Text
from netinsight.sources.document import Document
from netinsight.sources.topology_file import read_documents
from netinsight.sources.validation import finding


class Lang(StrEnum):
    """The language of reports."""

    EN = "en"
    ZH = "zh"


class Words(Model):
    """One text in both languages; ``{names}`` in it are filled in."""

    en: Text = Field(description="English.", max_length=1000)
    zh: Text = Field(description="Chinese.", max_length=1000)

    def fill(self, lang: Lang, values: Mapping[str, str]) -> str:
        """The text in ``lang``, its names replaced; a name without a value stays as it is."""
        written = self.zh if lang is Lang.ZH else self.en
        return re.sub(r"\{(\w+)\}", lambda match: visible(values.get(match[1], match[0]), 600), written)


class Advice(Words):
    """What to do for a reason; for some states of the object something else."""

    by_status: dict[str, Words] = Field(default_factory=dict, description="What to do instead, by the status it tells.")

    def fill(self, lang: Lang, values: Mapping[str, str]) -> str:
        """What to do in the state that the values tell."""
        chosen = self.by_status.get(values.get("status", ""))
        return chosen.fill(lang, values) if chosen else super().fill(lang, values)


class FindingText(Words):
    """What an item may say, and the suggestion that goes with it."""

    suggestion: Words | None = Field(None, description="Replaces the item's own suggestion.")


class ItemSeverity(StrEnum):
    """critical: abnormal means access fails; non_critical: it may be impaired."""

    CRITICAL = "critical"
    NON_CRITICAL = "non_critical"


class ItemRule(Model):
    """One diagnosis item."""

    object: Text = Field(description="The kind of object it is about.")
    category: Text = Field(description="A key of `categories`.")
    severity: ItemSeverity = Field(description="critical or non_critical.")
    name: Words = Field(description="What is asked.")
    findings: dict[str, FindingText] = Field(default_factory=dict, description="What it may say, by code.")
    suggestion: Words = Field(description="What to do where it is abnormal.")
    suggestions: dict[str, Advice] = Field(
        default_factory=dict, description="What to do instead, by the code of a reason."
    )


class Thresholds(Model):
    """Percent, at or above which a load is abnormal."""

    cpu: Percent = 80
    public_bandwidth: Percent = 90
    private_bandwidth: Percent = 90


class GuestSystem(Model):
    """A system whose guests can be collected automatically."""

    name: Text
    versions: list[Text]


class CollectedGuests(Model):
    """What automatic collection supports."""

    architectures: list[Text]
    systems: list[GuestSystem]


class Catalogue(Model):
    """All of it; the files of `rules/` joined."""

    items: dict[str, ItemRule] = Field(description="Diagnosis items by id, in the order of reports.")
    reasons: dict[str, Words] = Field(description="Why a stage decided as it did, by code.")
    words: dict[str, Words] = Field(description="The words of reports.")
    categories: dict[str, Words] = Field(description="What the categories are called.")
    thresholds: Thresholds
    login_ports: dict[str, Integer]
    common_ports: dict[str, Text]
    sensitive_ports: dict[str, dict[str, Text]]
    collected_guests: CollectedGuests

    def word(self, name: str, lang: Lang, /, **values: object) -> str:
        """A word of reports."""
        return self.words[name].fill(lang, {key: str(value) for key, value in values.items()})

    def collects(self, name: str, version: str | None, architecture: str | None) -> bool:
        """Whether the state of such a guest is collected automatically."""
        if architecture and architecture not in self.collected_guests.architectures:
            return False
        full = f"{name} {version or ''}".casefold()
        for system in self.collected_guests.systems:
            if full.startswith(system.name.casefold()):
                rest = full.removeprefix(system.name.casefold()).strip()
                return not rest or any(re.match(rf"{re.escape(prefix)}(?![0-9])", rest) for prefix in system.versions)
        return False


class AgentRegion(Model):
    """Where the operations agent's services are, in one region."""

    server: Text
    package_store: Text


class CloudAssistant(Model):
    """What the operations agent must reach; addresses, or blocks of the cloud's services."""

    server_range: Text
    package_store_range: Text
    metadata: Text
    dns: Text
    regions: dict[str, AgentRegion]


class Cause(Model):
    """Why a packet is stopped, or cannot be judged: the code of a reason, or an item that no stage is the evidence of."""

    topic: Text = Field(description="A key of `topics`.")
    meaning: Words | None = Field(None, description="One sentence; of an item, what `about` says.")
    when: Words = Field(description="Exactly when it is given.")
    advice: list[Text] = Field(
        default_factory=list, description="Items whose suggestion says what to do, where none has one for the reason."
    )


class NamesElsewhere(Model):
    """What the path analyzers of clouds call a reason."""

    aws: list[Text] = Field(default_factory=list)
    google: list[Text] = Field(default_factory=list)
    azure: list[Text] = Field(default_factory=list)
    alibaba: list[Text] = Field(default_factory=list)


class Reference(Model):
    """What no report needs: what words mean, and what presets ask."""

    about: dict[str, Words] = Field(description="What items, verdicts, statuses, stages and assumptions mean.")
    topics: dict[str, Words] = Field(description="What the topics of reasons are called.")
    causes: dict[str, Cause] = Field(description="Why a packet is stopped, or cannot be judged, by code.")
    elsewhere: dict[str, NamesElsewhere] = Field(description="What other clouds call a reason, by its code.")
    cloud_assistant: CloudAssistant


def port_list(ports: list[PortRange]) -> str:
    """``22, 80-90`` for people."""
    return ", ".join(str(range_) for range_ in ports)


def shipped_rules() -> FilePath:
    """The folder of the catalogue: inside the installed package, or beside it in a checkout."""
    package = FilePath(__file__).parent.parent
    installed = package / "rules"
    return installed if installed.is_dir() else package.parent / "rules"


@lru_cache(maxsize=8)
def load_catalogue(override: str | None = None) -> Catalogue:
    """The shipped catalogue, with what the files of a folder say instead.

    Raises
    ------
    InputError
        For a folder that cannot be read, or says what neither the catalogue nor the reference has a place for.
    """
    if override is None:
        return _load(Catalogue, "report", None)
    if not FilePath(override).is_dir():
        raise InputError([Problem(Place(override), "not a folder of rule files")])
    problems = [*_problems(load_reference, override), *_problems(partial(_load, Catalogue, "report"), override)]
    if problems:
        raise InputError(dict.fromkeys(problems))
    return _load(Catalogue, "report", override)


def _problems(load: Callable[[str], object], override: str) -> tuple[Problem, ...]:
    try:
        load(override)
    except InputError as error:
        return error.problems
    return ()


@lru_cache(maxsize=8)
def load_reference(override: str | None = None) -> Reference:
    """What explanations and presets need beside the catalogue; errors as those of ``load_catalogue``."""
    return _load(Reference, "reference", override)


M = TypeVar("M", bound=Model)


def _load(model: type[M], folder: str, override: str | None) -> M:
    """The files of a folder of the shipped rules, with those sections of the override that are the model's."""
    compiled = _compiled(folder)
    if compiled is not None and override is None:
        return model.model_validate(compiled)
    document, problems = read_documents(str(shipped_rules() / folder), None)
    value = document.value
    if override is not None:
        base = value
        document, problems = read_documents(override, None)
        value = _overlaid(base, {name: said for name, said in document.value.items() if name in model.model_fields})
        problems += _strange(base, document)
    try:
        loaded = model.model_validate(value)
    except ValidationError as error:
        found = [finding(each, (), model) for each in error.errors()]
        raise InputError([*problems, *(document.problem(f.path, f.message, f.hint, f.at_key) for f in found)]) from None
    if problems:
        raise InputError(problems)
    return loaded


def _compiled(folder: str) -> dict[str, Any] | None:
    """The values of a folder as ``compile_rules`` keeps them; None where its files say something else by now."""
    try:
        kept = json.loads((shipped_rules() / f"{folder}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    value: dict[str, Any] | None = kept["value"] if kept["digest"] == _digest(folder) else None
    return value


def compile_rules(folder: str) -> str:
    """A folder of the shipped rules as JSON, which is read many times faster; with the digest of its files."""
    document, problems = read_documents(str(shipped_rules() / folder), None)
    if problems:
        raise InputError(problems)
    return json.dumps({"digest": _digest(folder), "value": document.value}, ensure_ascii=False, indent=0) + "\n"


def _digest(folder: str) -> str:
    files = sorted((shipped_rules() / folder).glob("*.yaml"))
    return sha256(b"\0".join(file.read_bytes().replace(b"\r\n", b"\n") for file in files)).hexdigest()


def _overlaid(base: Any, above: Any) -> Any:
    if isinstance(base, dict) and isinstance(above, dict):
        return {**base, **{key: _overlaid(base.get(key), value) for key, value in above.items()}}
    return above


_BY_CODE = {"items", "reasons", "words", "categories", "about", "topics", "causes", "elsewhere"}


def _strange(base: dict[str, Any], document: Document) -> Iterator[Problem]:
    """Keys and ids that the catalogue does not have, and names that a text cannot fill in."""
    known = [*Catalogue.model_fields, *Reference.model_fields]
    for name in document.value:
        if name not in known:
            hint = did_you_mean(name, known)
            yield document.problem((name,), f"unknown key `{visible(name)}`", hint, at_key=True)
    for section in base.keys() & _BY_CODE:
        described = document.value.get(section)
        for key, value in described.items() if isinstance(described, dict) else ():
            if key not in base[section]:
                yield document.problem(
                    (section, key), f"`{visible(key)}` is not in the catalogue's `{section}`", at_key=True
                )
            elif extra := _names(value) - _names(base[section][key]) - {"object"}:
                message = f"`{{{visible(sorted(extra)[0])}}}` is not filled in here"
                yield document.problem((section, key), message, at_key=True)


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {name for below in value.values() for name in _names(below)}
    return set(re.findall(r"\{(\w+)\}", value)) if isinstance(value, str) else set()
