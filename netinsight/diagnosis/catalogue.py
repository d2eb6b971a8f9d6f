"""The rule catalogue: items, reasons, words, thresholds and lists, as YAML that a user may read and override."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from pathlib import Path as FilePath
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError

from netinsight.errors import InputError, Place, Problem, visible
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
    suggestions: dict[str, Words] = Field(
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


class Catalogue(Model):
    """All of it; the files of `rules/` joined."""

    items: dict[str, ItemRule] = Field(description="Diagnosis items by id, in the order of reports.")
    reasons: dict[str, Words] = Field(description="Why a stage decided as it did, by code.")
    words: dict[str, Words] = Field(description="The words of reports.")
    categories: dict[str, Words] = Field(description="What the categories are called.")
    about: dict[str, Words] = Field(description="What items, verdicts, statuses, stages and assumptions mean.")
    thresholds: Thresholds
    login_ports: dict[str, Integer]
    common_ports: dict[str, Text]
    collected_guests: CollectedGuests
    cloud_assistant: CloudAssistant

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


def port_list(ports: list[PortRange]) -> str:
    """``22, 80-90`` for people."""
    return ", ".join(str(range_) for range_ in ports)


def shipped_rules() -> FilePath:
    """The folder of the catalogue: inside the installed package, or beside it in a checkout."""
    installed = FilePath(str(files("netinsight"))) / "rules"
    return installed if installed.is_dir() else installed.parent.parent / "rules"


@lru_cache(maxsize=8)
def load_catalogue(override: str | None = None) -> Catalogue:
    """The shipped catalogue, with what the files of a folder say instead.

    Raises
    ------
    InputError
        For a folder that cannot be read, or says what the catalogue has no place for.
    """
    base, problems = read_documents(str(shipped_rules()), None)
    value = base.value
    document = base
    if override is not None:
        if not FilePath(override).is_dir():
            raise InputError([Problem(Place(override), "not a folder of rule files")])
        document, problems = read_documents(override, None)
        value = _overlaid(value, document.value)
        problems += _strange(base.value, document)
    try:
        catalogue = TypeAdapter(Catalogue).validate_python(value)
    except ValidationError as error:
        found = [finding(each, (), Catalogue) for each in error.errors()]
        raise InputError([*problems, *(document.problem(f.path, f.message, f.hint, f.at_key) for f in found)]) from None
    if problems:
        raise InputError(problems)
    return catalogue


def _overlaid(base: Any, above: Any) -> Any:
    if isinstance(base, dict) and isinstance(above, dict):
        return {**base, **{key: _overlaid(base.get(key), value) for key, value in above.items()}}
    return above


def _strange(base: dict[str, Any], document: Document) -> Iterator[Problem]:
    """Ids that the catalogue does not have, and names that a text cannot fill in."""
    for section in ("items", "reasons", "words", "categories", "about"):
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
