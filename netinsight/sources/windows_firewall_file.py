"""The export of a Windows firewall as JSON -> the firewall, every mistake at its line and column."""

from __future__ import annotations

from netinsight.errors import InputError, Problem
from netinsight.guest.windows_firewall import Telling, WindowsFirewall, read_export
from netinsight.model.guest import Guest
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


def windows_firewall_of(guest: Guest) -> WindowsFirewall | None:
    """The Windows firewall of a guest; None where it is not known.

    Raises
    ------
    InputError
        With every mistake in the text, each at ``<windows_firewall>`` and its line there.
    """
    return None if guest.windows_firewall is None else read_windows_firewall(guest.windows_firewall)
