"""Pages that show commands: what their blocks hold, and a folder in which the commands run as a reader would run them.

A block in ``yaml`` whose first line is ``# NAME`` is the file ``NAME``; one in ``diff`` changes the last file so made; one
in ``console`` holds commands after ``$ ``, each with what it prints. A line ``…`` there stands for lines left out.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from netinsight.cli import run

FENCE = re.compile(r"^(```)(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Shown(NamedTuple):
    """A command, as it is written and as a line, and what the page says that it prints."""

    written: str
    output: str

    @property
    def words(self) -> list[str]:
        """The command and its arguments; a backslash at the end of a line goes on in the next."""
        return shlex.split(self.written.replace("\\\n", ""))


def commands_of(block: str) -> Iterator[Shown]:
    """The commands of a console."""
    for found in re.finditer(r"^\$ (.*(?:(?<=\\)\n.*)*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
        yield Shown(found[1], found[2].strip("\n") and found[2].rstrip("\n") + "\n")


def brought_up_to_date(shown: str, printed: str) -> str:
    """What is shown, if it is what is printed with lines left out; else the like parts of what is printed."""
    parts = [part.splitlines() for part in re.split(r"^…\n", shown, flags=re.MULTILINE)]
    pattern = r"(?:.*\n)+?".join("".join(re.escape(line) + r"\n" for line in part) for part in parts)
    if re.fullmatch(pattern, printed):
        return shown
    if len(parts) == 1:
        return printed
    lines, kept, at = printed.splitlines(), [], 0
    for number, part in enumerate(parts):
        first, last = _place(part, lines, at, begins=number == 0, ends=number == len(parts) - 1)
        kept += ["…"] * (first > at) + lines[first : last + 1]
        at = max(last + 1, at)
    return "".join(f"{line}\n" for line in kept)


def _place(part: list[str], lines: list[str], at: int, *, begins: bool, ends: bool) -> tuple[int, int]:
    """The first and last line, from one on, of what a part stands for."""
    if not part:
        return (0, -1) if begins else (len(lines), len(lines))
    first = 0 if begins else _like(part[0], lines, at)
    return first, len(lines) - 1 if ends else _like(part[-1], lines, first)


def _like(line: str, lines: list[str], at: int) -> int:
    """The number of the line that is most like one, from a place on."""
    return max(range(at, len(lines)), key=lambda i: SequenceMatcher(None, line, lines[i]).ratio(), default=at)


@dataclass
class Console:
    """A folder, the last file made in it, and the exit status of the last command."""

    folder: Path
    file: Path | None = None
    status: int = 0

    def follow(self, page: str) -> str:
        """Do what a page says; returns the page, with what its commands really print."""
        followed, at = [], 0
        for found in FENCE.finditer(page):
            followed.append(page[at : found.start(3)])
            followed.append(self._block(found[2], found[3]))
            at = found.end(3)
        return "".join([*followed, page[at:]])

    def _block(self, language: str, text: str) -> str:
        if language == "yaml":
            self._write(text)
        if language == "diff":
            self._change(text)
        if language != "console":
            return text
        parts = []
        for shown in commands_of(text):
            printed = brought_up_to_date(shown.output, self._answer(shown))
            parts.append(f"$ {shown.written}\n{printed}")
        return "".join(parts)

    def _write(self, block: str) -> None:
        """A file, where the block is one."""
        if name := re.match(r"# ([\w-]+\.yaml)\n", block):
            self.file = self.folder / name[1]
            self.file.write_text(block, encoding="utf-8")

    def _change(self, block: str) -> None:
        """The last file, by a diff without line numbers: what it takes out must stand in the file once."""
        assert self.file is not None, "nothing to change"
        lines = block.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] != "+")
        after = "".join(line[1:] for line in lines if line[0] != "-")
        text = self.file.read_text("utf-8")
        assert text.count(before) == 1, f"{self.file.name} does not have this once:\n{before}"
        self.file.write_text(text.replace(before, after), encoding="utf-8")

    def _answer(self, shown: Shown) -> str:
        """What a command prints, to standard output and error; ``cat`` makes the file that it shows."""
        program, *words = shown.words
        if program == "cat":
            file = self.folder / words[0]
            file.exists() or file.write_text(shown.output, encoding="utf-8")
            return file.read_text("utf-8")
        if shown.words == ["echo", "$?"]:
            return f"{self.status}\n"
        assert program == "netinsight", f"a console of the docs may not run {program}"
        with io.StringIO() as out, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            self.status = run(words)
            return out.getvalue()
