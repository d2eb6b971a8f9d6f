"""Pydantic's errors in our words, at our places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from netinsight.errors import did_you_mean, one_of, visible
from netinsight.model.base import KNOWN, UNKNOWN, Path, Unknown, shown
from netinsight.model.findings import Finding

_EXPECTED = {"list_type": "a list", "dict_type": "a mapping", "model_type": "a mapping", "string_type": "text",
             "model_attributes_type": "a mapping", "literal_error": ""}  # fmt: skip


def plain(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The path of a pydantic error without the tags of what may be unknown."""
    return tuple(part for part in loc if part not in (KNOWN, UNKNOWN))


def findings(error: ValidationError, base: Path, root: Any) -> Iterator[Finding]:
    """The errors of a validation; a key that is missing because it is misspelt beside is told once, as misspelt."""
    found = [(each["type"], finding(each, base, root)) for each in error.errors()]
    meant = {(one.path[:-1], one.hint) for kind, one in found if kind == "extra_forbidden"}
    for kind, one in found:
        key = one.message.split("`")[1] if kind == "missing" else ""
        if (one.path, f"did you mean `{key}`?") not in meant:
            yield one


def finding(error: ErrorDetails, base: Path, root: Any) -> Finding:
    """One pydantic error as a finding; ``base`` is the path of what was validated as ``root``."""
    loc = plain(error["loc"])
    path: Path = (*base, *loc)
    kind, found, context = error["type"], error["input"], error.get("ctx") or {}
    if isinstance(found, dict) and found.keys() == {"unknown"} and UNKNOWN not in error["loc"] and kind != "missing":
        return Finding(path, "this value cannot be declared unknown", at_key=True)
    if kind == "netinsight":
        return Finding(path, context["message"], context["hint"])
    if kind == "extra_forbidden":
        key = str(loc[-1])
        known = ["unknown"] if UNKNOWN in error["loc"] else known_keys(root, loc[:-1])
        return Finding(
            path,
            f"unknown key `{visible(key)}`",
            did_you_mean(key, known) or f"known: {one_of(known, 20)}",
            at_key=True,
        )
    if kind == "missing":
        key = str(loc[-1])
        return Finding(path[:-1], f"`{key}` is missing", describe(root, loc), at_key=True)
    if kind in ("enum", "literal_error"):
        words = [word.strip(" '") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
        meant = _SYNONYMS.get(str(found).lower(), str(found).lower())
        hint = did_you_mean(meant, words) or did_you_mean(str(found), words)
        return Finding(path, f"{shown(found)} is not one of {one_of(words)}", hint)
    if kind in _EXPECTED:
        return Finding(path, f"expected {_EXPECTED[kind]}, found {shown(found)}")
    key = next((f"`{part}` " for part in reversed(loc) if isinstance(part, str)), "")
    return Finding(path, f"{key}{_plain(error['msg'])}, found {shown(found)}")


_SYNONYMS = {"allow": "accept", "permit": "accept", "deny": "drop", "reject": "drop", "block": "drop"}
"""What other clouds and tools call a policy."""


def _plain(message: str) -> str:
    words = message.removeprefix("Input ").removeprefix("Value error, ")
    return words[:1].lower() + words[1:]


def _known_side(annotation: Any) -> Any:
    """The one alternative of an annotation that is neither None nor *declared unknown*."""
    while True:
        if isinstance(annotation, type) or get_origin(annotation) in (list, dict):
            return annotation
        sides = [arg for arg in get_args(annotation) if arg not in (type(None), Unknown)]
        if not sides:
            return annotation
        annotation = sides[0]


def _at(root: Any, path: Sequence[str | int]) -> Any:
    annotation = _known_side(root)
    for part in path:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            fields = annotation.model_fields
            field = fields.get(str(part)) or next((f for f in fields.values() if f.alias == part), None)
            if field is None:
                return None
            annotation = _known_side(field.annotation)
        elif get_origin(annotation) in (list, dict):
            annotation = _known_side(get_args(annotation)[-1])
        else:
            return None
    return annotation


def known_keys(root: Any, path: Sequence[str | int]) -> list[str]:
    """The keys that may stand at ``path`` below ``root``."""
    model = _at(root, path)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [field.alias or name for name, field in model.model_fields.items()]
    return []


def describe(root: Any, path: Sequence[str | int]) -> str:
    """What the field at ``path`` is for."""
    model = _at(root, path[:-1])
    if isinstance(model, type) and issubclass(model, BaseModel) and (field := model.model_fields.get(str(path[-1]))):
        return f"{path[-1]}: {field.description}"
    return ""
