"""JSON with the place of every value, for the same builder as YAML."""

from __future__ import annotations

import re
from bisect import bisect_right
from json.decoder import JSONDecodeError
from json.decoder import scanstring as _scanstring  # type: ignore[attr-defined]
from math import isinf
from typing import Any

from netinsight.errors import InputError, visible
from netinsight.sources.document import LINE_BREAK, Builder

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,3})?(?![0-9.])")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_WORD = re.compile(r"[A-Za-z]+")


def read_json(text: str, file: str) -> Builder:
    """The one value of a JSON text (RFC 8259).

    Raises
    ------
    InputError
        Where it is no JSON, or past a limit.
    """
    return _Reader(text, file).read()


class _Reader:
    """Reads with a stack of its own, so that deep nesting meets the builder's limit and not Python's."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.at = text, 0
        self.builder = Builder(file, text)
        self.starts = [0, *(match.end() for match in LINE_BREAK.finditer(text))]
        self.closers: list[str] = []

    def read(self) -> Builder:
        self._value()
        while self.closers:
            self._next_in_container()
        self._skip()
        if self.at < len(self.text):
            raise self._wrong("one value; more follows")
        return self.builder

    def _where(self, at: int) -> tuple[int, int]:
        line = bisect_right(self.starts, at)
        return line, at - self.starts[line - 1] + 1

    def _wrong(self, expected: str) -> InputError:
        found = visible(self.text[self.at : self.at + 12]) or "the end of the file"
        return self.builder.fatal(f"not valid JSON: expected {expected}, found `{found}`", *self._where(self.at))

    def _skip(self) -> str:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def _next_in_container(self) -> None:
        closer, char = self.closers[-1], self._skip()
        if char == closer:
            self._close()
            return
        if not self._fresh():
            if char != ",":
                raise self._wrong(f"`,` or `{closer}`")
            self.at += 1
            self._skip()
        if closer == "}":
            self._key()
        self._value()

    def _fresh(self) -> bool:
        """Whether the innermost container is still empty."""
        fresh = self.empty
        self.empty = False
        return fresh

    def _close(self) -> None:
        self.at += 1
        self.closers.pop()
        self.empty = False
        self.builder.close()

    def _key(self) -> None:
        if self._skip() != '"':
            raise self._wrong("a key in double quotes")
        at = self.at
        self.builder.key(self._string(), *self._where(at))
        if self._skip() != ":":
            raise self._wrong("`:`")
        self.at += 1

    def _string(self) -> str:
        try:
            value, at = _scanstring(self.text, self.at + 1, True)
        except JSONDecodeError as error:
            self.at = error.pos
            raise self._wrong("the rest of a text") from None
        try:
            value.encode()
        except UnicodeEncodeError:
            self.builder.note("half of a character (a lone surrogate)", *self._where(self.at))
            value = value.encode(errors="backslashreplace").decode()
        self.at = at
        return str(value)

    def _value(self) -> None:
        char, at = self._skip(), self.at
        if char in ("{", "["):
            self.builder.open({} if char == "{" else [], *self._where(at))
            self.closers.append("}" if char == "{" else "]")
            self.at += 1
            self.empty = True
        elif char == '"':
            self.builder.scalar(self._string(), *self._where(at))
        elif match := _NUMBER.match(self.text, at):
            self.at = match.end()
            number = float(match[0]) if re.search("[.eE]", match[0]) else int(match[0])
            # past any measure, a number is only the text that it was written as, and of the wrong kind everywhere
            self.builder.scalar(match[0] if isinf(number) else number, *self._where(at))
        elif (match := _WORD.match(self.text, at)) and match[0] in _WORDS:
            self.at = match.end()
            self.builder.scalar(_WORDS[match[0]], *self._where(at))
        else:
            raise self._wrong("a value")

    empty: bool = False
