"""Packets at a firewall, one JSON object a line; every mistake of every line at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from netinsight.addresses import family, parse_address
from netinsight.engine.spaces import Box
from netinsight.errors import InputError, Place, Problem, one_of, visible
from netinsight.flow import EVERY_PORT, NO_PORT, PortRange
from netinsight.guest.iptables.match_time import moment
from netinsight.guest.iptables.names import FLAGS, ICMP, ICMPV6, PROTOCOLS, TABLES, WAYS, WITH_PORTS
from netinsight.guest.iptables.state import Packet
from netinsight.sources.json_lines import Form, Line, lines_of, value_column

MOST_PACKETS = 1_000_000
_STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED")
_KINDS = ("LOCAL", "UNICAST", "BROADCAST", "MULTICAST", "ANYCAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "UNSPEC",
          "THROW", "NAT", "XRESOLVE")  # fmt: skip


class Asked(NamedTuple):
    """A packet of a file, the tables it passes, and its line."""

    packet: Packet
    tables: tuple[str, ...]
    line: int


def read_packets(text: str, file: str, of_family: int | None) -> list[Asked]:
    """The packets of a file of JSON lines; empty lines and those that begin with ``#`` are passed over.

    Parameters
    ----------
    of_family
        That of the rules; None: rules of both, which have no ``tables`` to choose from.

    Raises
    ------
    InputError
        With every mistake of every line.
    """
    problems: list[Problem] = []
    asked = []
    for line in lines_of(text, file, FORM):
        one = _packet(line, of_family)
        problems += sorted(line.problems, key=lambda told: told.place)
        if one is not None:
            asked.append(one)
    if not asked and not problems:
        problems.append(Problem(Place(file), "no packet in it", 'one object a line: {"chain": "INPUT", "src": …}'))
    if problems:
        raise InputError(problems)
    return asked


def _packet(line: Line, of_family: int | None) -> Asked | None:
    if not line.read():
        return None
    read = {}
    for key, value in line.value.items():
        if key not in _READERS:
            continue  # told already
        if value is None or (value == "" and key != "tcp_flags"):  # no flag at all is a kind of packet
            continue
        try:
            read[key] = _READERS[key](value)
        except (ValueError, TypeError) as error:
            line.wrong(f"{key}: {error}", key)
    for key in ("chain", "src", "dst"):
        if line.value.get(key) in (None, ""):
            line.wrong(f"no `{key}`")
    if of_family is None and "tables" in read:
        line.wrong("tables: these rules are judged whole", "tables")
    wanted = family(read["src"]) if of_family is None and "src" in read else of_family
    for key in ("src", "dst"):
        if key in read and wanted is not None and family(read[key]) != wanted:
            told = f"the rules are those of IPv{of_family}, the address is not"
            line.wrong(f"{key}: {told if of_family else 'the addresses are of two families'}", key)
    _together(line, read)
    if line.problems:
        return None
    protocol = read.get("protocol", PROTOCOLS["tcp"])
    ports = Box(*(read.get(name, EVERY_PORT) for name in ("sport", "dport"))) if protocol in WITH_PORTS else _NO_PORTS
    fields = {_FIELDS.get(key, key): value for key, value in read.items() if key not in ("sport", "dport", "tables")}
    return Asked(Packet(**{**fields, "ports": ports}), read.get("tables", ("filter",)), line.place.line)


_NO_PORTS = Box(NO_PORT, NO_PORT)


def _together(line: Line, read: Mapping[str, Any]) -> None:
    """What does not go together."""
    protocol = read.get("protocol", PROTOCOLS["tcp"])
    if protocol not in WITH_PORTS:
        for key in ("sport", "dport"):
            if read.get(key, NO_PORT) != NO_PORT:
                line.wrong(f"{key}: this protocol has no ports", key)
    if "icmp_type" in read and protocol not in (ICMP, ICMPV6):
        line.wrong("icmp_type: the protocol is not icmp", "icmp_type")
    if "tcp_flags" in read and protocol != PROTOCOLS["tcp"] and read["tcp_flags"]:
        line.wrong("tcp_flags: the protocol is not tcp", "tcp_flags")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a text, found {visible(json.dumps(value), 40)}")
    return value


def _number(most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        text = str(value)
        if isinstance(value, (bool, float)) or not re.fullmatch(r"\d{1,10}|0x[0-9a-fA-F]{1,8}", text):
            raise ValueError(f"`{visible(text)}` is not a number from 0 to {most}")
        number = int(text, 0) if text.startswith("0x") else int(text)
        if number > most:
            raise ValueError(f"`{visible(text)}` is not a number from 0 to {most}")
        return number

    return read


def _port(value: Any) -> PortRange:
    number = _number(65535)(value)
    return PortRange(number, number)


def _of(known: tuple[str, ...]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        word = _text(value).upper()
        if word not in known:
            raise ValueError(f"`{visible(word)}` is not {one_of(known, 20)}")
        return word

    return read


def _protocol(value: Any) -> int:
    if isinstance(value, str) and value.lower() in PROTOCOLS and PROTOCOLS[value.lower()]:
        return PROTOCOLS[value.lower()]
    try:
        return _number(255)(value)
    except ValueError:
        raise ValueError(f"`{visible(str(value))}` is not a protocol") from None


def _flags(value: Any) -> int:
    bits = 0
    for name in filter(None, (part.strip().upper() for part in _text(value).split(","))):
        if name not in FLAGS or name == "ALL":
            raise ValueError(f"`{visible(name)}` is not FIN, SYN, RST, PSH, ACK, URG or NONE")
        bits |= FLAGS[name]
    return bits


def _mac(value: Any) -> str:
    if not re.fullmatch(r"([0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}", _text(value)):
        raise ValueError(f"`{visible(value)}` is not a MAC address")
    return str(value).lower()


def _time(value: Any) -> str:
    moment(_text(value))
    return str(value)


def _tables(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or any(one not in TABLES for one in value):
        raise ValueError(f"expected a list of {one_of(list(TABLES))}")
    return tuple(value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "chain": _of(tuple(WAYS)),
    "in_interface": _text,
    "out_interface": _text,
    "src": lambda value: parse_address(_text(value)),
    "dst": lambda value: parse_address(_text(value)),
    "protocol": _protocol,
    "sport": _port,
    "dport": _port,
    "icmp_type": _number(255),
    "icmp_code": _number(255),
    "tcp_flags": _flags,
    "state": _of(_STATES),
    "mark": _number(0xFFFFFFFF),
    "connmark": _number(0xFFFFFFFF),
    "uid": _number(0xFFFFFFFF),
    "gid": _number(0xFFFFFFFF),
    "src_mac": _mac,
    "src_type": _of(_KINDS),
    "dst_type": _of(_KINDS),
    "length": _number(65535),
    "ttl": _number(255),
    "tos": _number(255),
    "time": _time,
    "in_physdev": _text,
    "out_physdev": _text,
    "program": _text,
    "service": _text,
    "package": _text,
    "tables": _tables,
}
_FIELDS = {"src": "source", "dst": "destination", "src_mac": "source_mac", "src_type": "source_type",
           "dst_type": "destination_type"}  # fmt: skip
FORM = Form(_READERS, '{"chain": "INPUT", "src": "10.0.0.1", "dst": "10.0.0.2"}', value_column, MOST_PACKETS)
