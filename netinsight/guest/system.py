"""The system of a guest: ``os-release``, ``uname``, ``sysctl``, ``rt_tables``, and how busy its processors are."""

from __future__ import annotations

import re
from typing import Any

from netinsight.errors import visible
from netinsight.guest import fields
from netinsight.guest.lines import Problems, Row, Written, plain_rows

_RELEASE = re.compile(r"([A-Z_][A-Z0-9_]*)=(.*)")
_ARCHITECTURES = {"aarch64": "arm64", "amd64": "x86_64", "x64": "x86_64"}
_JIFFIES = 8
"""The first columns of /proc/stat; the time of virtual machines after them is in the user's already."""


def os_of(release: Written | None, uname: Written | None) -> dict[str, str]:
    """``os`` of an instance, from /etc/os-release and ``uname -srm``."""
    told: dict[str, str] = {}
    for line in release.text.splitlines() if release else ():
        if found := _RELEASE.fullmatch(line.strip()):
            told[found[1]] = found[2].strip("\"'")
    machine = uname.text.split()[-1:] if uname else []
    result = {"name": told.get("NAME", ""), "version": told.get("VERSION_ID", "")}
    result["architecture"] = _ARCHITECTURES.get(machine[0], machine[0]) if machine else ""
    limits = {"name": 128, "version": 64, "architecture": 32}
    return {key: visible(value, limits[key]) for key, value in result.items() if value} if told.get("NAME") else {}


def cpu_percent(written: Written, problems: Problems) -> float | None:
    """How much of the time between two readings of /proc/stat the processors were at work."""
    read: list[list[int]] = []
    for row, words in plain_rows(written):
        if words[0].text != "cpu":
            continue
        read.append(
            [fields.whole(row, word, word.text, "time", problems, 0, 1 << 63) for word in words[1 : _JIFFIES + 1]]
        )
    if len(read) < 2 or min(len(read[0]), len(read[-1])) < 4:
        return None
    spent = [after - before for before, after in zip(read[0], read[-1], strict=False)]
    total, idle = sum(spent), sum(spent[3:5])  # idle, and idle while a disk is waited for
    return round(min(100.0, max(0.0, 100 * (1 - idle / total))), 1) if total > 0 else None


def read_sysctl(written: Written, problems: Problems) -> dict[tuple[str, ...], str]:
    """Settings by the parts of their names; ``net.ipv4.ip_forward`` or, as of an interface with a dot, with slashes."""
    found: dict[tuple[str, ...], str] = {}
    for number, line in enumerate(written.text.splitlines(), start=1):
        name, equals, value = line.partition("=")
        name = name.strip()
        if not line.strip() or line.startswith(("#", "sysctl:")):
            continue
        if not equals or not name or " " in name:
            row = Row(written, number, line)
            problems.note(row, None, f"expected `NAME = VALUE`, found `{visible(line)}`", "as of `sysctl`")
            continue
        found[tuple(name.split("/" if "/" in name else "."))] = value.strip()
    return found


def read_table_names(written: Written, problems: Problems) -> dict[str, int]:
    """``rt_tables``: a number and a name a line."""
    found: dict[str, int] = {}
    for row, words in plain_rows(written):
        told = words[: next((n for n, word in enumerate(words) if word.text[0] == "#"), None)]
        if not told:
            continue
        if len(told) == 2 and re.fullmatch(r"[0-9]{1,10}|0x[0-9a-fA-F]{1,8}", told[0].text):
            found[told[1].text] = int(told[0].text, 0) if told[0].text.startswith("0x") else int(told[0].text)
        else:
            problems.note(row, None, "expected a number and a name", "as in /etc/iproute2/rt_tables")
    return found


def is_on(settings: dict[tuple[str, ...], str], *name: str) -> bool | None:
    """Whether a switch is on; None where it is not known."""
    value: Any = settings.get(name)
    return None if value is None else value not in ("0", "")
