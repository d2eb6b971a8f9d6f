"""What ``show`` tells of one object, before it is written as text or as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from netinsight.errors import NOWHERE, Place


@dataclass(frozen=True, slots=True)
class Row:
    """A rule, an entry, a route, or something that refers to the object.

    Attributes
    ----------
    no_effect
        Why it decides nothing now; empty where it may.
    """

    id: str
    text: str
    place: Place = NOWHERE
    no_effect: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list in the order in which it is tried.

    Attributes
    ----------
    name
        For scripts.
    title
        For people.
    """

    name: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """Objects that hang on this one."""

    name: str
    title: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A line for people; what it says is in the fields."""

    text: str
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Sheet:
    """An object.

    Attributes
    ----------
    shown
        The fields that the file gives, as it would write them, without those that are lists of their own.
    fields
        All of them.
    referred_by
        Finds what refers to the object, in the whole file: only where it is told.
    parts
        The ENIs of an instance.
    """

    section: str
    id: str
    called: str
    place: Place
    shown: Any
    fields: Any
    body: list[Listing | Names | Note] = field(default_factory=list)
    referred_by: Callable[[], tuple[Row, ...]] = tuple
    parts: tuple[Sheet, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As a script reads it."""
        return {
            "type": self.called,
            "id": self.id,
            **_placed(self.place),
            "fields": self.fields,
            "lists": [{"name": one.name, "title": one.title, "rows": [_row(row) for row in one.rows]}
                      for one in self.body if isinstance(one, Listing)],
            "names": {one.name: list(one.ids) for one in self.body if isinstance(one, Names)},
            "referred_by": [_row(row) for row in self.referred_by()],
            "parts": [part.as_json() for part in self.parts],
        }  # fmt: skip


def _row(row: Row) -> dict[str, Any]:
    return {"id": row.id, "text": row.text, **_placed(row.place), "no_effect": row.no_effect or None}


def _placed(place: Place) -> dict[str, Any]:
    return {"file": place.file or None, "line": place.line or None}
