"""``netinsight guest read``: what was gathered in guests, as a topology has it."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from typing import Any

from netinsight.cli.output import remark, write
from netinsight.errors import ExitStatus, InputError, Severity, visible
from netinsight.guest.facts import Facts
from netinsight.guest.sections import Gathered
from netinsight.sources.guest_files import facts_and_problems, read_guest_files
from netinsight.sources.yaml_file import resolve

_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./-]*")
_LITERAL = re.compile(r"[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
"""What YAML prints as it is, without the line breaks that only it knows."""
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def run(arguments: argparse.Namespace) -> int:
    """Read every path; returns the exit status."""
    reading = read_guest_files(arguments.paths)
    told = [(gathered, facts_and_problems(gathered)) for gathered in reading.guests]
    problems = [*reading.problems, *(problem for _, facts in told for problem in facts.problems)]
    if any(one.severity is Severity.ERROR for one in problems):
        raise InputError(problems)
    remark(problems)
    write(_as_json(told) if arguments.output == "json" else _as_yaml(told), arguments.to)
    return ExitStatus.REACHABLE


Told = list[tuple[Gathered, Facts]]


def _values(facts: Facts) -> dict[str, Any]:
    return {key: value for key, value in (("os", facts.os), ("load", facts.load), ("guest", facts.guest)) if value}


def _as_json(told: Told) -> str:
    all_of_them = {
        gathered.instance: _values(facts)
        | {"not_collected": facts.lacking, "notes": facts.notes}
        | ({"cut": gathered.lacking} if gathered.lacking else {})
        for gathered, facts in told
    }
    whole: Any = all_of_them if len(told) > 1 else next(iter(all_of_them.values()))
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _as_yaml(told: Told) -> str:
    if len(told) == 1:
        gathered, facts = told[0]
        head = f"# {visible(gathered.instance)}\n" if gathered.instance else ""
        return head + "".join(_yaml_of(gathered, facts, ""))
    parts = (f"{_scalar(gathered.instance)}:\n" + "".join(_yaml_of(gathered, facts, "  ")) for gathered, facts in told)
    return "".join(parts)


def _yaml_of(gathered: Gathered, facts: Facts, indent: str) -> Iterator[str]:
    yield f"{indent}# gathered in {visible(gathered.source, 200)}\n"
    if gathered.lacking:
        yield f"{indent}# not whole: {visible(gathered.lacking, 400)}\n"
    for key, why in facts.lacking.items():
        yield f"{indent}# not collected: {key}: {visible(why, 600)}\n"
    for key, notes in facts.notes.items():
        yield from (f"{indent}# {key}: {visible(note, 600)}\n" for note in notes)
    for key, value in _values(facts).items():
        if key == "guest":
            yield f"{indent}guest:\n"
            for name, content in value.items():
                yield from _entry(name, content, indent + "  ")
        else:
            yield f"{indent}{key}: {_flow(value)}\n"
    if not _values(facts):
        yield f"{indent}{{}}\n"


def _entry(name: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, list) and value:
        yield f"{indent}{name}:\n"
        yield from (f"{indent}  - {_flow(one)}\n" for one in value)
    elif isinstance(value, str) and "\n" in value and _LITERAL.fullmatch(value):
        yield f"{indent}{name}: |{_header(value)}\n"
        lines = value.removesuffix("\n").split("\n")
        yield "".join(f"{indent}  {line}\n" if line else "\n" for line in lines)
    else:
        yield f"{indent}{name}: {_flow(value)}\n"


def _header(text: str) -> str:
    """How a block literal is indented, where its first line does not show it, and how it ends."""
    indent = "2" if text[0] in " \n\t" else ""
    return indent + ("-" if not text.endswith("\n") else "+" if text.endswith("\n\n") or text == "\n" else "")


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    return _scalar(value) if isinstance(value, str) else json.dumps(value)


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and resolve(text) == text and not re.match(r"[0-9.]+$", text):
        return text
    return '"' + "".join(_ESCAPES.get(char) or _escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char.isprintable() and _LITERAL.fullmatch(char):
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
