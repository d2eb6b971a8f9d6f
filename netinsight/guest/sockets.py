"""Listening sockets: ``ss -lntup``, ``netstat -lntup``, and of Windows ``netstat -ano`` and the ``Get-Net…`` cmdlets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from netinsight.addresses import parse_address
from netinsight.addresses import text as address_text
from netinsight.errors import visible
from netinsight.guest import fields
from netinsight.guest.lines import Problems, Row, Word, Written, json_rows, plain_rows, word_of

_PROTOCOLS = {"tcp": "tcp", "tcp4": "tcp", "tcp6": "tcp", "udp": "udp", "udp4": "udp", "udp6": "udp"}
_PASSED = frozenset(
    {"p_raw", "p_dgr", "raw", "raw6", "sctp", "dccp", "mptcp", "vsock", "v_str", "v_dgr", "tipc", "xdp", "nl", "u_str",
     "u_dgr", "u_seq", "unix", "udplite", "udplite6", "icmp6", "icmp", "???"}
)  # fmt: skip
"""Sockets of other kinds."""
_HOST = re.compile(r"(?P<open>\[)?(?P<host>[^%\[\]]*)(?:%(?P<in>[^%\[\]]+))?(?(open)\])(?:%(?P<zone>[^%\[\]]+))?")
_USERS = re.compile(r'users:\(\("([^"]*)",(?:pid=)?(\d+)')
_HEADS = ("Netid", "State", "Active", "Proto", "Local", "LocalAddress", "------------", "(")
MOST_ROWS = 20_000
_ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104  (addresses that are read, not bound)
OLD_OR_NEW = "`ss` may be an old one, where `*` is IPv4 alone: sockets on `*` are taken to hear IPv4"
DUAL = "sockets on `::` are taken to hear IPv4 too, as the kernel has it by default: `netstat` does not tell"
APART = "sockets on `::` are taken to leave IPv4 out, as Windows has it by default"


@dataclass(frozen=True, slots=True)
class Socket:
    """A listening socket."""

    protocol: str
    address: str
    port: int
    interface: str = ""
    v6only: bool = False
    process: str = ""
    pid: int = 0


@dataclass(slots=True)
class Sockets:
    """Those of a guest, each once, and what was taken for granted of them."""

    found: dict[tuple[str, str, int, str], Socket]
    notes: dict[str, None]

    def add(self, socket: Socket) -> None:
        """One more; of several on one port (SO_REUSEPORT) the first is kept, of two the one that hears more."""
        key = (socket.protocol, socket.address, socket.port, socket.interface)
        held = self.found.get(key)
        if held is None or (held.v6only and not socket.v6only):
            self.found[key] = socket


def read_sockets(written: Written, problems: Problems, into: Sockets | None = None, protocol: str = "") -> Sockets:
    """Every listening socket of TCP and UDP; ``protocol`` is that of rows which do not tell it (the cmdlets' own)."""
    sockets = into or Sockets({}, {})
    if written.is_json:
        for row, value in json_rows(written, problems):
            _json_socket(row, value, protocol, sockets, problems)
        return sockets
    rows = list(islice(plain_rows(written), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        problems.note(rows[-1][0], None, f"more than {MOST_ROWS} sockets")
        return sockets
    kind = _kind(rows)
    if kind == "ss":
        _read_ss(rows, sockets, problems)
    elif kind == "table":
        _read_table(rows, protocol, sockets, problems)
    else:
        sockets_at = [n for n, (_, words) in enumerate(rows) if words[0].text.lower() in _PROTOCOLS and len(words) > 2]
        for row, words in rows[sockets_at[0] if sockets_at else 0 :]:  # above are headings, in the guest's language
            _netstat_row(row, words, sockets, problems)
    return sockets


def _kind(rows: list[tuple[Row, list[Word]]]) -> str:
    first = [words[0].text for _, words in rows[:4]]
    if "Active" in first or "Proto" in first:
        return "netstat"
    if "LocalAddress" in first:
        return "table"
    if first and first[0] in ("State", "Recv-Q"):
        return "ss"
    third = next((words for _, words in rows if words[0].text.lower() in _PROTOCOLS and len(words) > 3), None)
    return "ss" if third and not third[1].text.isdigit() and ":" not in third[1].text else "netstat"


def _read_ss(rows: list[tuple[Row, list[Word]]], sockets: Sockets, problems: Problems) -> None:
    new = any(words[0].text == "Netid" and row.excerpt.rstrip().endswith("Process") for row, words in rows[:1])
    local = [words[4].text for _, words in rows if len(words) > 5]
    new = new or any(one.startswith(("0.0.0.0", "[")) for one in local)  # noqa: S104  (read, not bound)
    old = not new and any(one.startswith(":::") for one in local)
    for row, words in rows:
        kind = words[0].text
        if kind in _HEADS and kind != "State":
            continue
        if kind in ("State", "Recv-Q"):
            problems.note(row, words[0], "no column `Netid`: which protocol is not told", "as `ss -lntup` prints it")
            return
        if kind in _PASSED:
            continue
        if kind not in _PROTOCOLS or len(words) < 6:
            problems.note(row, words[0], f"expected a socket, found `{visible(kind)}`", "as `ss -lntup` prints it")
            continue
        told = re.search(r"\sv6only:([01])(?:\s|$)", row.excerpt)
        found = _end(row, words[4], problems)
        if found is None or words[1].text not in ("LISTEN", "UNCONN"):
            continue
        host, interface, port = found
        if host == "*":
            host = _ANY[4] if not new else _ANY[6]
            if not new and not old:
                sockets.notes[OLD_OR_NEW] = None
            v6only = bool(told and told[1] == "1")
        else:
            v6only = host == _ANY[6] and (told[1] == "1" if told else new)
        user = _USERS.search(row.excerpt)
        process, pid = (_name(user[1]), int(user[2][:10])) if user else ("", 0)
        sockets.add(Socket(_PROTOCOLS[kind], host, port, interface, v6only, process, pid))


def _netstat_row(row: Row, words: list[Word], sockets: Sockets, problems: Problems) -> None:
    kind = words[0].text.lower()
    if words[0].text in _HEADS or kind in _PASSED or kind == "active":
        return
    if kind not in _PROTOCOLS or len(words) < 3:
        if words[0].text.startswith("[") or (row.excerpt[:1] == " " and len(words) <= 3):
            return  # `netstat -b` tells the program below
        problems.note(row, words[0], f"expected a socket, found `{visible(words[0].text)}`", "as `netstat` prints it")
        return
    windows = not words[1].text.isdigit()
    local = words[1] if windows else words[3] if len(words) > 4 else words[-1]
    foreign = words[2] if windows else words[4] if len(words) > 4 else words[-1]
    if foreign.text.rpartition(":")[2] not in ("*", "0"):
        return  # a connection
    found = _end(row, local, problems)
    if found is None:
        return
    host, interface, port = found
    if host == "*":
        host = _ANY[6] if kind.endswith("6") else _ANY[4]
    if host == _ANY[6]:
        sockets.notes[APART if windows else DUAL] = None
    program = re.search(r"\s(\d{1,10})/(\S+)", row.excerpt) if not windows else None
    process, pid = (_name(program[2].rstrip(":")), int(program[1])) if program else ("", 0)
    sockets.add(Socket(_PROTOCOLS[kind], host, port, interface, windows and host == _ANY[6], process, pid))


def _read_table(rows: list[tuple[Row, list[Word]]], protocol: str, sockets: Sockets, problems: Problems) -> None:
    """What ``Get-NetUDPEndpoint`` and ``Get-NetTCPConnection`` print as a table."""
    for row, words in rows:
        if words[0].text in _HEADS or words[0].text.startswith("---"):
            continue
        if len(words) < 2:
            problems.note(row, words[0], "expected an address and a port", "as `Get-NetUDPEndpoint` prints it")
            continue
        state = next((word.text for word in words[2:] if word.text.isalpha()), "Listen")
        if state in ("Listen", "Bound") or len(words) < 5:
            _windows_socket(row, words[0], words[1], protocol or "udp", "", 0, sockets, problems)


def _json_socket(row: Row, value: dict[str, Any], protocol: str, sockets: Sockets, problems: Problems) -> None:
    if "LocalAddress" not in value or "LocalPort" not in value:
        problems.note(row, None, "no `LocalAddress` and `LocalPort`", "as `Get-NetTCPConnection | ConvertTo-Json`")
        return
    if str(value.get("State", "Listen")) not in ("Listen", "2"):  # 2: as ConvertTo-Json writes Listen
        return
    kind = protocol or ("tcp" if "State" in value or "RemoteAddress" in value else "udp")
    pid = value.get("OwningProcess")
    host, port = (word_of(row, name, value[name]) for name in ("LocalAddress", "LocalPort"))
    _windows_socket(row, host, port, kind, str(value.get("Process") or ""), pid if isinstance(pid, int) else 0, sockets,
                    problems)  # fmt: skip


def _windows_socket(
    row: Row, host: Word, port: Word, protocol: str, process: str, pid: int, sockets: Sockets, problems: Problems
) -> None:
    shown = f"[{host.text}]" if ":" in host.text else host.text
    found = _end(row, Word(f"{shown}:{port.text}", host.line, host.column), problems)
    if found is None:
        return
    address, interface, number = found
    if address == _ANY[6]:
        sockets.notes[APART] = None
    sockets.add(Socket(protocol, address, number, interface, address == _ANY[6], _name(process), pid))


def _end(row: Row, word: Word, problems: Problems) -> tuple[str, str, int] | None:
    """``ADDRESS%INTERFACE:PORT`` as its parts; the zone of a link-local address by its number binds to no interface."""
    written, _, last = word.text.rpartition(":")
    port = fields.whole(row, word, last, "port", problems, 0, 65535)
    found = _HOST.fullmatch(written) if port else None
    if found is None:
        if port or last == "0":
            problems.note(row, word, f"`{visible(word.text)}` is no address and port")
        return None
    host, zone = found["host"], found["in"] or found["zone"] or ""
    if host == "*":
        return host, zone, port
    try:
        value = address_text(parse_address(host.removeprefix("::ffff:") if "." in host else host))
    except ValueError as error:
        problems.note(row, word, str(error))
        return None
    return value, "" if zone.isdigit() else zone, port


def _name(process: str) -> str:
    """A process's name as a model may hold it."""
    return visible(process, 64)


def listeners(sockets: Sockets) -> Iterator[dict[str, Any]]:
    """The sockets as a topology has them."""
    for one in sockets.found.values():
        told: dict[str, Any] = {"protocol": one.protocol, "address": one.address, "port": one.port}
        told |= {"interface": one.interface} if one.interface else {}
        told |= {"v6only": True} if one.v6only else {}
        yield told | ({"process": one.process} if one.process else {})
