"""What the collector printed, whole or in parts -> sections; what is cut or changed is told, and not used.

::

    NETINSIGHT-GUEST/1 begin          NETINSIGHT-GUEST/1 part 2 of 5 SUM LENGTH gzip base64
    #NAME COMMAND                     base64, in lines
    |a line of its output             NETINSIGHT-GUEST/1 end of part 2
    +LINES BYTES
    !a line of its errors
    =NAME STATUS
    NETINSIGHT-GUEST/1 end SECTIONS
"""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from netinsight.errors import InputError, Place, Problem, one_of, visible
from netinsight.guest.lines import Written
from netinsight.guest.sections import NOT_THERE, Gathered, Section

MARK = b"NETINSIGHT-GUEST/1 "
MOST_BYTES = 64 << 20
"""Of one guest: as much as a topology that holds it may have."""
MOST_PARTS = 10_000
_PART = re.compile(rb"part ([1-9]\d{0,5}) of ([1-9]\d{0,5}) (\d{1,10}) (\d{1,10}) (gzip )?(base64|hex)")
_END = re.compile(rb"end of part (\d{1,6})")
_COUNTS = re.compile(rb"\+(\d{1,12}) (\d{1,12})")
_STATUS = re.compile(rb"=(\S{1,64}) (\d{1,4})")
_NOT_FOUND = 127
_MOST_SAID = 300
_MOST_HEAD = 4096


class Whole(NamedTuple):
    """What all parts of one run have in common."""

    instance: str
    total: int
    checksum: int
    length: int
    encoding: str


@dataclass(slots=True)
class Parts:
    """The parts of one run: their texts, and where each stood."""

    texts: dict[int, bytes] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)


@dataclass(slots=True)
class _Draft:
    name: str
    command: str
    begins: int
    lines: list[bytes] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    counts: tuple[int, int] | None = None
    lacking: str = ""


def is_output(data: bytes) -> bool:
    """Whether the collector printed it."""
    return data.startswith(MARK) or b"\n" + MARK in data


def refuse_output(text: str, file: str, wanted: str) -> None:
    """What the collector printed, given where what one command printed is wanted.

    Raises
    ------
    InputError
        If it is that.
    """
    if is_output(text[:_MOST_HEAD].encode("utf-8", "replace")):
        hint = f"`netinsight guest read {visible(file, 200)}` tells {wanted}; a topology takes it whole: `guest: {{from: …}}`"
        raise InputError([Problem(Place(file), "what the collector printed, not what one command did", hint)])


def read_output(data: bytes, file: str, instance: str = "", lacking: str = "") -> Gathered:
    """The sections of one output; ``lacking`` tells why it may not be whole."""
    sections: dict[str, Section] = {}
    draft: _Draft | None = None
    begun = ended = False
    for number, raw in enumerate(data.split(b"\n"), start=1):
        line = raw.rstrip(b"\r")
        if line.startswith(MARK):
            begun, ended = begun or line == MARK + b"begin", line.startswith(MARK + b"end ")
        elif line.startswith(b"#"):
            if draft is not None:
                _close(draft, "a part of it is missing", file, sections)
            name, _, command = line[1:].decode("utf-8", "backslashreplace").partition(" ")
            draft = _Draft(name, visible(command, _MOST_SAID), number + 1)
        elif draft is not None:
            done = _take(draft, line)
            if done is not None:
                _close(draft, done, file, sections)
                draft = None
    if draft is not None:
        _close(draft, "it is cut", file, sections)
    if not (begun and ended) and not lacking:
        lacking = (
            "the output is cut: its " + ("end" if begun else "begin" if ended else "begin and end") + " is missing"
        )
    return Gathered(file, instance, sections, lacking)


def _take(draft: _Draft, line: bytes) -> str | None:
    """One line of a section; at its last one, what is wrong with the section, or nothing."""
    if line.startswith(b"|") and draft.counts is None:
        draft.lines.append(line[1:])
    elif found := _COUNTS.fullmatch(line):
        draft.counts = (int(found[1]), int(found[2]))
    elif line.startswith(b"!"):
        draft.said.append(line[1:])
    elif found := _STATUS.fullmatch(line):
        return _wrong(draft, found[1].decode("ascii", "replace"), int(found[2]))
    elif line:
        draft.lacking = draft.lacking or "a line of it was changed"
    return None


def _wrong(draft: _Draft, name: str, status: int) -> str:
    if name != draft.name:
        return "a part of it is missing"
    if draft.lacking:
        return draft.lacking
    held = (len(draft.lines), sum(map(len, draft.lines)))
    if draft.counts != held:
        told = f"{draft.counts[0]} lines and {draft.counts[1]} bytes" if draft.counts else "no count of lines"
        return f"it was changed or cut: {told} were told, {held[0]} lines and {held[1]} bytes are there"
    if status == 0:
        return ""
    said = _text(b"\n".join(draft.said))
    reason = NOT_THERE if status == _NOT_FOUND else f"it failed with status {status}"
    return f"{reason}: {said}" if said else reason


def _text(data: bytes) -> str:
    return visible(" ".join(data.decode("utf-8", "backslashreplace").split()), _MOST_SAID)


def _close(draft: _Draft, lacking: str, file: str, sections: dict[str, Section]) -> None:
    text = b"".join(line + b"\n" for line in draft.lines).decode("utf-8", "backslashreplace")
    begins = draft.begins

    def place(line: int, column: int) -> Place:
        return Place(file, begins + line - 1, column + 1)

    if draft.name in sections:
        lacking = "it is there twice"
    sections[draft.name] = Section(
        draft.name, Written(text, file, place), draft.command, lacking, "" if lacking else _text(b"\n".join(draft.said))
    )


def take_parts(data: bytes, file: str, instance: str, found: dict[Whole, Parts]) -> Iterator[Problem]:
    """Every part in a text; one that is cut or there twice in different words is a problem."""
    lines = data.split(b"\n")
    whole, number, begins = None, 0, 0
    for at, raw in enumerate(lines, start=1):
        line = raw.rstrip(b"\r")
        if not line.startswith(MARK):
            continue
        if match := _PART.fullmatch(line[len(MARK) :]):
            if whole is not None:
                yield Problem(Place(file, begins, 1), f"part {number} is cut")
            number, total = int(match[1]), int(match[2])
            whole, begins = None, at
            if number > total or total > MOST_PARTS:
                yield Problem(Place(file, at, 1), f"part {number} of {total}: at most {MOST_PARTS} parts are read")
                continue
            encoding = (match[5] or b"").decode() + match[6].decode()
            whole = Whole(instance, total, int(match[3]), int(match[4]), encoding)
        elif (match := _END.fullmatch(line[len(MARK) :])) and whole is not None:
            text = b"".join(one.rstrip(b"\r") + b"\n" for one in lines[begins : at - 1])
            parts = found.setdefault(whole, Parts())
            if int(match[1]) != number or parts.texts.get(number, text) != text:
                yield Problem(Place(file, begins, 1), f"part {number} is there twice, and differs")
            parts.texts[number], parts.places[number] = text, Place(file, begins, 1)
            whole = None
    if whole is not None:
        yield Problem(Place(file, begins, 1), f"part {number} is cut", "take it again")


def joined(whole: Whole, parts: Parts) -> bytes | Problem:
    """The output that was cut into parts, or what is wrong with them."""
    place = next(iter(parts.places.values()))
    absent = [n for n in range(1, whole.total + 1) if n not in parts.texts]
    if absent:
        told = one_of([str(n) for n in absent], 20).replace(" or ", " and ")
        message = f"of {whole.total} parts {told} {'is' if len(absent) == 1 else 'are'} missing"
        return Problem(
            place, message, f"they have the sum {whole.checksum} {whole.length}; other parts are of another run"
        )
    text = b"".join(parts.texts[n] for n in range(1, whole.total + 1))
    if (checksum(text), len(text)) != (whole.checksum, whole.length):
        return Problem(place, "the parts are not what their sum says", "one of them was changed: take them again")
    try:
        data = b64decode(text, validate=False) if "base64" in whole.encoding else bytes.fromhex(text.decode("ascii"))
        if "gzip" in whole.encoding:
            reader = zlib.decompressobj(wbits=31)
            data = reader.decompress(data, MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                return Problem(place, f"larger than {MOST_BYTES >> 20} MiB")
            if not reader.eof:
                return Problem(place, "not what gzip writes: it has no end")
    except (binascii.Error, zlib.error, ValueError) as error:
        return Problem(place, f"the parts cannot be read: {visible(str(error))}")
    return data


_REVERSED = bytes(int(f"{n:08b}"[::-1], 2) for n in range(256))


def checksum(data: bytes) -> int:
    """The first number of POSIX ``cksum``: the CRC of the bytes and of their number, the highest bit first.

    ``zlib`` counts the same with the lowest bit first, from another start.
    """
    length = len(data).to_bytes((len(data).bit_length() + 7) // 8, "little")
    crc = zlib.crc32((data + length).translate(_REVERSED), 0xFFFFFFFF)
    return int(f"{crc:032b}"[::-1], 2)
