"""How far a long command is: a line on the terminal that is gone at the end."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType

AFTER = 1.0
"""Seconds before the first word: what is done sooner needs none."""
EVERY = 0.1


class Progress:
    """Tells on standard error how far a command is, where that is a terminal.

    ::

        with Progress(quiet=arguments.quiet) as progress:
            for done in ...:
                progress.tell(f"{done:,} of {total:,} flows")
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._next = monotonic() + AFTER
        self._width = 0
        self._is_told = not quiet and sys.stderr.isatty()

    def tell(self, text: str) -> None:
        """How far it is; most of the time that is not printed."""
        if self._is_told and monotonic() >= self._next:
            self._print(text[:79])
            self._next = monotonic() + EVERY

    def _print(self, text: str) -> None:
        try:
            sys.stderr.write(f"\r{text.ljust(self._width)}" + ("" if text else "\r"))
            sys.stderr.flush()
        except OSError:  # nobody looks on
            self._is_told = False
        self._width = len(text)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._width:
            self._print("")
