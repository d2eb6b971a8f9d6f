"""The SSH service: ``sshd -T``, the names of its files, and the sockets and processes that are there."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from netinsight.errors import visible
from netinsight.guest import fields
from netinsight.guest.lines import Problems, Row, Word, Written, plain_rows
from netinsight.guest.sections import Section
from netinsight.guest.sockets import Socket

DAEMONS = ("sshd", "dropbear")
STARTERS = ("systemd", "init", "xinetd", "inetd")
"""What listens in the place of sshd, and starts it when somebody comes."""
_PRIVILEGES = re.compile(r"Missing privilege separation directory: (/\S+)")
_NO_FILE = re.compile(r"^(/\S+): No such file or directory", re.M)
MOST_FILES = 64

Settings = dict[str, list[tuple[Row, Word]]]
"""The values of each setting, by its lower-case name."""


def sshd_of(
    config: Section | None, files: Written | None, sockets: Collection[Socket] | None, processes: set[str] | None,
    problems: Problems,
) -> dict[str, Any]:  # fmt: skip
    """``sshd`` as a topology has it; each key only where it is known."""
    told: dict[str, Any] = {}
    settings = _settings(config.written, problems) if config and not config.lacking else None
    configured = _ports(settings, problems) if settings else []
    live = sorted({one.port for one in sockets or () if one.protocol == "tcp" and one.process in DAEMONS})
    by_starter = any(one.process in STARTERS and one.port in (configured or [22]) for one in sockets or ())
    if live or by_starter or (processes is not None and processes & set(DAEMONS)):
        told["running"] = True
    elif processes is not None:
        told["running"] = False
    if ports := live or configured:
        told["ports"] = ports
    if settings and (root := settings.get("permitrootlogin")):
        told["permit_root_login"] = visible(root[0][1].text)
    missing = _missing(config, files, problems)
    return told if missing is None else told | {"missing_files": missing}


def _settings(written: Written, problems: Problems) -> Settings:
    found: Settings = {}
    for row, words in plain_rows(written):
        if len(words) > 1:
            found.setdefault(words[0].text.lower(), []).append((row, words[1]))
        elif not (words[0].text.isascii() and words[0].text.isalpha()):  # a setting may have no value
            problems.note(
                row, words[0], f"expected a setting, found `{visible(words[0].text)}`", "as `sshd -T` prints it"
            )
    return found


def _ports(settings: Settings, problems: Problems) -> list[int]:
    """Those that it listens on: of ``listenaddress``, which ``sshd -T`` tells with its port, else of ``port``."""
    found: dict[int, None] = {}
    ends = [(row, word, end[1]) for row, word in settings.get("listenaddress", ())
            if (end := re.search(r"(?:\]|^[^:]*):([0-9]+)$", word.text))]  # fmt: skip
    for row, word, port in ends or [(row, word, word.text) for row, word in settings.get("port", ())]:
        if number := fields.whole(row, word, port, "port", problems, 0, 65535):
            found[number] = None
    return list(found)


def _missing(config: Section | None, files: Written | None, problems: Problems) -> list[str] | None:
    """What sshd cannot do without and is not there; None: not known.

    Where ``sshd -T`` succeeded nothing is missing: it stops where it finds no configuration, no host key, or not its
    directory. Of the host keys one is enough.
    """
    if config is not None and not config.lacking:
        return []
    there: dict[str, bool] = {}
    for row, words in plain_rows(files) if files else ():
        if len(words) != 2 or words[0].text not in ("there", "missing"):
            problems.note(row, words[0], "expected `there PATH` or `missing PATH`")
            continue
        there[words[1].text] = words[0].text == "there"
    said = config.lacking if config is not None else ""
    missing = dict.fromkeys([*_PRIVILEGES.findall(said), *_NO_FILE.findall(said)])
    keys = [name for name in there if "_key" in name]
    if keys and not any(there[name] for name in keys):
        missing |= dict.fromkeys(keys)
    configs = [name for name in there if name.endswith("sshd_config")]
    if configs and not any(there[name] for name in configs):
        missing |= dict.fromkeys(configs[:1])
    if not missing:
        return None
    return [visible(name, 200) for name in list(missing)[:MOST_FILES]]
