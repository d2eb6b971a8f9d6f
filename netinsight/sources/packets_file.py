"""Packets to look up, one JSON object a line; every mistake of every line at once."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import IO

from netinsight.addresses import family, parse_address
from netinsight.errors import InputError, Place, Problem, one_of, visible
from netinsight.guest.packets import Packet
from netinsight.sources.files import STDIN, read_text
from netinsight.sources.json_lines import Form, Line, key_column, lines_of

KEYS = ("dst", "src", "in_interface", "out_interface", "mark", "protocol", "source_port", "destination_port")
MOST_PACKETS = 1_000_000
FORM = Form(KEYS, '{"dst": "8.8.8.8"}', key_column, MOST_PACKETS)
_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "icmpv6": 58, "ipv6-icmp": 58, "sctp": 132}
_MOST = {"mark": 0xFFFFFFFF, "protocol": 255, "source_port": 65535, "destination_port": 65535}


def read_packets(source: str, stdin: IO[bytes] | None = None) -> list[Packet]:
    """The packets of a file, or of standard input (``-``).

    Raises
    ------
    InputError
        With every mistake of every line.
    """
    file = STDIN if source == "-" else source
    problems: list[Problem] = []
    packets = []
    for line in lines_of(read_text(file, stdin), file, FORM):
        packet = _packet(line) if line.read() else None
        problems += line.problems
        packets += [packet] if packet else []
    if not packets and not problems:
        problems.append(Problem(Place(file), "no packet in it", 'one a line: {"dst": "8.8.8.8", "src": "10.0.0.1"}'))
    if problems:
        raise InputError(problems)
    return packets


def _packet(line: Line) -> Packet | None:
    """The packet of a line; None where anything is wrong."""
    destination, source = _address(line, "dst"), _address(line, "src")
    if destination is None and not line.value.get("dst"):
        line.wrong("no `dst`", "dst" if "dst" in line.value else "")
    if destination is not None and source is not None and family(source) != family(destination):
        line.wrong("`src` and `dst` are of different families", "src")
    numbers = {key: _number(line, key, most) for key, most in _MOST.items()}
    names = {key: _name(line, key) for key in ("in_interface", "out_interface")}
    if line.problems or destination is None:
        return None
    mark = numbers.pop("mark")
    return Packet(destination, source, names["in_interface"], names["out_interface"], mark or 0, **numbers)


def _address(line: Line, key: str) -> int | None:
    written = line.value.get(key)
    if written is None or written == "":
        return None
    try:
        if not isinstance(written, str):
            raise ValueError(f"{visible(json.dumps(written))} is not an IP address")
        return parse_address(written)
    except ValueError as error:
        line.wrong(f"{key}: {error}", key)
        return None


def _name(line: Line, key: str) -> str:
    written = line.value.get(key)
    if written is not None and not isinstance(written, str):
        line.wrong(f"{key}: {visible(json.dumps(written))} is no name of an interface", key)
    return written if isinstance(written, str) else ""


def _number(line: Line, key: str, most: int) -> int | None:
    written = line.value.get(key)
    if written is None:
        return None
    if key == "protocol" and isinstance(written, str) and written.lower() in _PROTOCOLS:
        return _PROTOCOLS[written.lower()]
    if isinstance(written, str):
        with suppress(ValueError):
            written = int(written, 16 if written[:2].lower() == "0x" else 10)
    if isinstance(written, bool) or not isinstance(written, int) or not 0 <= written <= most:
        names = f", {one_of(list(_PROTOCOLS))}" if key == "protocol" else ""
        line.wrong(f"{key}: {visible(json.dumps(written))} is not a whole number of at most {most}{names}", key)
        return None
    return written
