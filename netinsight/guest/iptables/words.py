"""A line cut into words, each knowing its column; and numbers read out of words."""

from __future__ import annotations

import re
from typing import NamedTuple

from netinsight.errors import visible

_QUOTING, _PLAIN = re.compile(r"""["'\\]"""), re.compile(r"\S+")


class Word(NamedTuple):
    """A word of a line; what stood in quotes is never an option."""

    text: str
    column: int
    quoted: bool = False


class WordError(Exception):
    """A word that cannot be what it stands for."""

    def __init__(self, message: str, column: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.column, self.hint = message, column, hint


def words_of(line: str, start: int = 0) -> list[Word]:
    """The words of ``line`` from ``start``, quotes and backslashes as iptables-restore reads them.

    Raises
    ------
    WordError
        Where a quote is not closed.
    """
    if not _QUOTING.search(line, start):
        return [Word(one[0], one.start() + 1) for one in _PLAIN.finditer(line, start)]
    found: list[Word] = []
    at = start
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        begin, text, quoted, open_quote = at, [], False, ""
        while at < len(line) and (open_quote or not line[at].isspace()):
            char = line[at]
            if char == "\\" and open_quote == '"' and at + 1 < len(line):
                at += 1
                text.append(line[at])
            elif char == open_quote:
                open_quote = ""
            elif not open_quote and char in "\"'":
                quoted, open_quote = True, char
            else:
                text.append(char)
            at += 1
        if open_quote:
            raise WordError(f"the quote {open_quote} is not closed", begin + 1)
        found.append(Word("".join(text), begin + 1, quoted))
    return found


def number(word: Word, most: int, what: str) -> int:
    """A number from 0 to ``most``, decimal, 0x or octal with a leading 0, as ``strtoul`` reads it.

    Raises
    ------
    WordError
        For anything else.
    """
    return number_in(word.text, word.column, most, what)


def number_in(text: str, column: int, most: int, what: str) -> int:
    """The same for a part of a word."""
    value = -1
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,16}", text):
        value = int(text, 16)
    elif re.fullmatch(r"0[0-7]{1,20}", text):
        value = int(text, 8)
    elif re.fullmatch(r"[0-9]{1,20}", text) and not (len(text) > 1 and text[0] == "0"):
        value = int(text)
    if not 0 <= value <= most:
        raise WordError(f"{what} `{visible(text)}` is not a number from 0 to {most}", column)
    return value


def span(word: Word, most: int, what: str, separator: str = ":") -> tuple[int, int]:
    """``n``, ``n:m``, ``:m`` or ``n:``.

    Raises
    ------
    WordError
        For anything else, and where it runs backwards.
    """
    first, found, last = word.text.partition(separator)
    low = number_in(first, word.column, most, what) if first or not found else 0
    high = low if not found else number_in(last, word.column, most, what) if last else most
    if low > high:
        raise WordError(f"{what} `{visible(word.text)}` runs backwards", word.column)
    return low, high


def value_and_mask(word: Word, bits: int = 32) -> tuple[int, int]:
    """``value`` or ``value/mask``."""
    value, slash, mask = word.text.partition("/")
    every = (1 << bits) - 1
    read = number_in(value, word.column, every, "value")
    return read, number_in(mask, word.column, every, "mask") if slash else every
