"""YAML without its traps: only true, false, null and plain decimal integers are anything but text.

The events of the C parser are read one by one, so that nothing is ever constructed, no nesting reaches the stack, and
each value knows its line and column. (YAML 1.1 would read ``22:22`` as 1342, ``no`` as false and ``012`` as 10.)
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from netinsight.errors import visible
from netinsight.sources.document import Builder, Spot

_LOADER = getattr(yaml, "CLoader", yaml.Loader)
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_WORDS: dict[str, Any] = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
                          "null": None, "Null": None, "NULL": None, "~": None, "": None}  # fmt: skip
_TEXT_TAG = "tag:yaml.org,2002:str"


def resolve(written: str) -> Any:
    """What a plain (unquoted) scalar means."""
    if written in _WORDS:
        return _WORDS[written]
    return int(written) if _INTEGER.fullmatch(written) else written


def read_yaml(text: str, file: str) -> Builder:
    """The one document of a YAML text.

    Raises
    ------
    InputError
        Where it is no YAML, or past a limit.
    """
    builder = Builder(file, text)
    anchors: dict[str, tuple[Any, Spot]] = {}
    documents = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise builder.fatal("a second document in one file", *_at(event), "put it into a file of its own")
            else:
                _take(builder, event, anchors)
    except yaml.YAMLError as error:
        raise builder.fatal(*_syntax(error, text)) from None
    except RecursionError:
        raise builder.fatal("nested too deeply", 1, 1) from None
    return builder


def _take(builder: Builder, event: yaml.Event, anchors: dict[str, tuple[Any, Spot]]) -> None:
    if isinstance(event, yaml.ScalarEvent):
        _scalar(builder, event, anchors)
    elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
        if builder.wants_key:
            raise builder.fatal("a key must be a plain text", *_at(event))
        if event.tag and not event.implicit:
            builder.note(f"the tag `{visible(str(event.tag))}` is not supported", *_at(event))
        node = builder.open({} if isinstance(event, yaml.MappingStartEvent) else [], *_at(event))
        if event.anchor:
            anchors[event.anchor] = node
    elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
        builder.close()
    elif isinstance(event, yaml.AliasEvent):
        if builder.wants_key:
            raise builder.fatal("an alias cannot be a key", *_at(event))
        if event.anchor not in anchors:
            raise builder.fatal(f"the alias `*{visible(str(event.anchor))}` names no anchor", *_at(event))
        builder.repeat(*anchors[event.anchor], *_at(event))


def _scalar(builder: Builder, event: yaml.ScalarEvent, anchors: dict[str, tuple[Any, Spot]]) -> None:
    if builder.wants_key:
        builder.key(event.value, *_at(event), merges=event.value == "<<" and event.style in (None, ""))
        return
    if event.tag is not None and event.tag not in ("!", _TEXT_TAG):
        builder.note(f"the tag `{visible(str(event.tag))}` is not supported", *_at(event), "write the plain value")
    plain = event.style in (None, "") and event.tag is None
    node = builder.scalar(resolve(event.value) if plain else event.value, *_at(event), literal=event.style == "|")
    if event.anchor:
        anchors[event.anchor] = node


def _at(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _syntax(error: yaml.YAMLError, text: str) -> tuple[str, int, int, str]:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    message = f"not valid YAML: {visible(' '.join(str(problem).split()), 120)}"
    if mark is not None:
        return message, mark.line + 1, mark.column + 1, _advice(text, mark.line)
    before = text[: getattr(error, "position", 0) or 0]
    return message, before.count("\n") + 1, len(before) - before.rfind("\n"), ""


def _advice(text: str, line: int) -> str:
    lines = text.splitlines()
    near = "\n".join(lines[max(0, line - 1) : line + 1])
    if re.search(r"^\s*\t", near, re.M):
        return "indent with spaces, not with tabs"
    bare = re.search(r"[:,\[{]\s*([0-9A-Fa-f:]*::[0-9A-Fa-f:.]*(?:/\d+)?)\s*[,}\]]", near)
    return f'put it in quotes: "{bare[1]}"' if bare else ""
