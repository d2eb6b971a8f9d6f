"""The export of a Windows firewall as JSON -> the firewall, every mistake at its line and column."""

from __future__ import annotations

from netinsight.errors import InputError, Problem
from netinsight.guest.windows_firewall import Telling, WindowsFirewall, read_export
from netinsight.sources.document import Document
from netinsight.sources.json_file import read_json


def read_windows_firewall(text: str, file: str = "<windows_firewall>") -> WindowsFirewall:
    """The firewall of what ``windows-firewall.ps1`` printed.

    Raises
    ------
    InputError
        With every mistake.
    """
    builder = read_json(text.removeprefix("\ufeff"), file)
    problems: list[Problem] = list(builder.problems)
    if builder.result is None:
        raise InputError(problems)
    value, spot = builder.result
    document = Document(value, spot, {file: builder.text})

    def wrong(path: tuple[str | int, ...], message: str, hint: str) -> None:
        problems.append(document.problem(path, message, hint))

    firewall = read_export(value, Telling(wrong, lambda path: spot.find(path)[0].line))
    if problems or firewall is None:
        raise InputError(sorted(problems, key=lambda one: (one.place.line, one.place.column)))
    return firewall
