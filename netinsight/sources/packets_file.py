"""Packets to look up, one JSON object a line; every mistake of every line at once."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import IO, Any

from netinsight.addresses import family, parse_address
from netinsight.errors import InputError, Place, Problem, did_you_mean, one_of, visible
from netinsight.guest.packets import Packet
from netinsight.sources.document import LINE_BREAK
from netinsight.sources.files import STDIN, read_text

KEYS = ("dst", "src", "in_interface", "out_interface", "mark", "protocol", "source_port", "destination_port")
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
    for n, line in enumerate(LINE_BREAK.split(read_text(file, stdin)), start=1):
        if line.strip():
            packet = _Line(Place(file, n, 1), line, problems).packet()
            packets += [packet] if packet else []
    if not packets and not problems:
        problems.append(Problem(Place(file), "no packet in it", 'one a line: {"dst": "8.8.8.8", "src": "10.0.0.1"}'))
    if problems:
        raise InputError(problems)
    return packets


class _Line:
    """A line and what is wrong with it."""

    def __init__(self, place: Place, text: str, problems: list[Problem]) -> None:
        self.place, self.text, self.problems = place, text, problems
        self.value: dict[str, Any] = {}

    def _note(self, message: str, key: str = "", hint: str = "", column: int = 0) -> None:
        at = column or (self.text.find(json.dumps(key, ensure_ascii=False)) + 1 if key else 1)
        self.problems.append(Problem(self.place._replace(column=max(at, 1)), message, hint, self.text))

    def packet(self) -> Packet | None:
        """The packet; None where anything is wrong."""
        before = len(self.problems)
        try:
            value = json.loads(self.text, object_pairs_hook=self._once)
        except (ValueError, RecursionError) as error:
            self._note(f"not JSON: {getattr(error, 'msg', error)}", column=getattr(error, "colno", 1))
            return None
        if not isinstance(value, dict):
            self._note('expected an object such as {"dst": "8.8.8.8"}')
            return None
        self.value = value
        for key in value:
            if key not in KEYS:
                self._note(f"unknown key `{visible(key)}`", key, did_you_mean(key, KEYS) or f"known: {one_of(KEYS)}")
        destination, source = self._address("dst"), self._address("src")
        if destination is None and not value.get("dst"):
            self._note("no `dst`", "dst" if "dst" in value else "")
        if destination is not None and source is not None and family(source) != family(destination):
            self._note("`src` and `dst` are of different families", "src")
        numbers = {key: self._number(key, most) for key, most in _MOST.items()}
        names = {key: self._name(key) for key in ("in_interface", "out_interface")}
        if len(self.problems) > before or destination is None:
            return None
        mark = numbers.pop("mark")
        return Packet(destination, source, names["in_interface"], names["out_interface"], mark or 0, **numbers)

    def _once(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise ValueError(f"duplicate key `{visible(twice)}`")
        return dict(pairs)

    def _address(self, key: str) -> int | None:
        written = self.value.get(key)
        if written is None or written == "":
            return None
        try:
            if not isinstance(written, str):
                raise ValueError(f"{visible(json.dumps(written))} is not an IP address")
            return parse_address(written)
        except ValueError as error:
            self._note(f"{key}: {error}", key)
            return None

    def _name(self, key: str) -> str:
        written = self.value.get(key)
        if written is not None and not isinstance(written, str):
            self._note(f"{key}: {visible(json.dumps(written))} is no name of an interface", key)
        return written if isinstance(written, str) else ""

    def _number(self, key: str, most: int) -> int | None:
        written = self.value.get(key)
        if written is None:
            return None
        if key == "protocol" and isinstance(written, str) and written.lower() in _PROTOCOLS:
            return _PROTOCOLS[written.lower()]
        if isinstance(written, str):
            with suppress(ValueError):
                written = int(written, 16 if written[:2].lower() == "0x" else 10)
        if isinstance(written, bool) or not isinstance(written, int) or not 0 <= written <= most:
            self._note(f"{key}: {visible(json.dumps(written))} is not a whole number of at most {most}", key)
            return None
        return written
