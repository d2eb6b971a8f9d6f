"""Bytes of files, folders and standard input -> text; bounded, and every failure an error that names the file."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import IO

from netinsight.errors import InputError, Place, Problem, did_you_mean, visible

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "<stdin>"
MOST_FILES = 10_000
_SMALLER = "write it as JSON, or split it over several files"
MOST_BYTES = {"yaml": 64 << 20, "json": 512 << 20}


def files_of(source: str) -> list[str]:
    """The file itself, or the YAML and JSON files of a folder and those below it, in order.

    Raises
    ------
    InputError
        Where there is none.
    """
    path = FilePath(source)
    try:
        files = [str(file) for file in _files_below(path)] if path.is_dir() else [source]
    except (OSError, ValueError) as error:
        raise _unreadable(source, error) from None
    if not files:
        raise InputError([Problem(Place(source), "no .yaml, .yml or .json file in the folder")])
    return files


def read_text(file: str, stdin: IO[bytes] | None = None) -> str:
    """The text of a file, or of standard input (``STDIN``); at most ``MOST_BYTES`` of it, and UTF-8.

    Raises
    ------
    InputError
        Where it cannot be read.
    """
    return decode(read_bytes(file, stdin), file)


def read_bytes(file: str, stdin: IO[bytes] | None = None, most: int | None = None) -> bytes:
    """What a file or standard input holds, at most ``most`` bytes of it.

    Raises
    ------
    InputError
        Where it cannot be read.
    """
    most = most or MOST_BYTES["yaml" if file.endswith((".yaml", ".yml")) else "json"]
    with opened(file, stdin) as (stream, _):
        return _bounded(stream, file, most)


@contextmanager
def opened(file: str, stdin: IO[bytes] | None = None) -> Iterator[tuple[IO[bytes], int | None]]:
    """A file or standard input to read from, and how long it is, where that is known.

    Raises
    ------
    InputError
        Where it cannot be read.
    """
    if file == STDIN:
        yield stdin or sys.stdin.buffer, None
        return
    try:
        found = FilePath(file).stat()
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISFIFO(found.st_mode):
            raise InputError([Problem(Place(visible(file, 200)), "not a file")])
        with FilePath(file).open("rb") as stream:
            yield stream, found.st_size or None
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from None


def _unreadable(file: str, error: OSError | ValueError) -> InputError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return InputError([Problem(Place(visible(file, 200)), f"cannot be read: {reason}", _near(FilePath(file)))])


def _near(path: FilePath) -> str:
    try:
        return did_you_mean(path.name, [near.name for near in path.parent.iterdir() if near.name.endswith(SUFFIXES)])
    except (OSError, ValueError):
        return ""


def _files_below(folder: FilePath) -> Iterator[FilePath]:
    count = 0
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                count += 1
                if count > MOST_FILES:
                    raise InputError([Problem(Place(str(folder)), f"more than {MOST_FILES} files")])
                file = FilePath(root) / name
                if not file.exists() or stat.S_ISREG(file.stat().st_mode):  # a pipe would be waited for
                    yield file


def _bounded(stream: IO[bytes], file: str, limit: int) -> bytes:
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise InputError(
            [Problem(Place(file), f"larger than {limit >> 20} MiB", _SMALLER if file.endswith(SUFFIXES) else "")]
        )
    return data


def decode(data: bytes, file: str) -> str:
    """Bytes of a file as text.

    Raises
    ------
    InputError
        At the first byte that is not UTF-8.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError([Problem(Place(file, 1, 1), "the text is UTF-16", "save it as UTF-8")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise InputError(
            [Problem(place, f"not UTF-8 text (byte 0x{data[error.start]:02x})", "save it as UTF-8")]
        ) from None
