"""The question: protocols, port ranges, and the boxes of (source ports × ports) that a question is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from netinsight.errors import Place, QuestionError, did_you_mean

ICMP, TCP, UDP, GRE, ICMPV6 = 1, 6, 17, 47, 58
PROTOCOLS = {"icmp": ICMP, "tcp": TCP, "udp": UDP, "gre": GRE, "icmpv6": ICMPV6}
NAMES = {number: name for name, number in PROTOCOLS.items()}
LAST_PORT = 65535
FLOW_COLUMNS = ("src", "dst", "protocol", "port", "source_port")
"""What many flows are told by, in files and arrays."""
ICMP_TYPES = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "echo-request": 8,
    "time-exceeded": 11,
    "timestamp-request": 13,
}


class PortRange(NamedTuple):
    """Ports ``first`` to ``last``, inclusive."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


EVERY_PORT = PortRange(0, LAST_PORT)
NO_PORT = PortRange(0, 0)
"""The one point that stands for *no port* where a protocol has none."""


class Verdict(StrEnum):
    """The answer to a question; docs/verdicts.md has the table of when each applies."""

    REACHABLE = "reachable"
    PARTIAL = "partial"
    UNREACHABLE = "unreachable"
    UNDETERMINED = "undetermined"


def protocol_name(number: int) -> str:
    """The usual name of an IP protocol number, else the number."""
    return NAMES.get(number, str(number))


def has_ports(protocol: int) -> bool:
    """Whether a packet of this protocol bears ports that rules look at."""
    return protocol in (TCP, UDP)


def parse_protocol(written: str) -> int:
    """``tcp``, ``udp``, ``icmp``, ``gre``, ``icmpv6`` in any case, or a number from 0 to 255.

    Raises
    ------
    QuestionError
        For anything else.
    """
    word = written.strip().lower()
    if word in PROTOCOLS:
        return PROTOCOLS[word]
    if re.fullmatch(r"[0-9]{1,3}", word) and int(word) <= 255:
        return int(word)
    raise QuestionError(
        f"protocol `{written[:40]}` is not known (tcp, udp, icmp, gre, icmpv6 or a number from 0 to 255)",
        hint=did_you_mean(word, PROTOCOLS),
    )


def parse_ports(written: str, what: str = "port") -> PortRange | None:
    """``22`` or ``8000-8010``; ``-1/-1`` and ``-1`` are *no port* and give None.

    Raises
    ------
    QuestionError
        For anything else, ports outside 1–65535, or a range that runs backwards.
    """
    word = written.strip()
    if word in ("-1/-1", "-1"):
        return None
    match = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", word)
    if not match:
        raise QuestionError(
            f"{what} `{written[:40]}` is not a port (a number from 1 to 65535, or a range such as 8000-8010)"
        )
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= LAST_PORT or not 1 <= last <= LAST_PORT:
        raise QuestionError(f"{what} `{written[:40]}` is out of range (1 to 65535)")
    if first > last:
        raise QuestionError(f"{what} `{written[:40]}` runs backwards", hint=f"did you mean `{last}-{first}`?")
    return PortRange(first, last)


def parse_icmp_type(written: str) -> int:
    """An ICMP type by number (0 to 255) or by name.

    Raises
    ------
    QuestionError
        For anything else.
    """
    if written in ICMP_TYPES:
        return ICMP_TYPES[written]
    if written.isascii() and written.isdigit() and int(written) <= 255:
        return int(written)
    raise QuestionError(f"icmp type `{written[:40]}` is not known (0 to 255)", hint=did_you_mean(written, ICMP_TYPES))


def _as_ports(given: object, what: str) -> PortRange | None:
    """What a caller may give for ports: a range, a pair, a number, a text."""
    if given is None or isinstance(given, PortRange):
        return given
    if isinstance(given, tuple) and len(given) == 2:
        return parse_ports(f"{given[0]}-{given[1]}", what)
    return parse_ports(str(given), what)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, before it is looked up in a topology.

    Parameters
    ----------
    source, destination
        An object as the command line takes it: id, name, address, or ``internet``.
    protocol
        IP protocol number.
    ports, source_ports
        Inclusive ranges (a pair, a number or a text such as ``"8000-8010"`` will do); None where the protocol has no
        ports, and for source ports *those of the client's kind*.
    icmp_type
        The ICMP type asked; None is an echo request.
    family
        4, 6, or None for the one that both ends have (4 where both do).
    one_way
        Leave the reply out.
    via, avoid
        Objects that every path must pass, there and back, or must not.
    """

    source: str
    destination: str
    protocol: int = TCP
    ports: PortRange | None = None
    source_ports: PortRange | None = None
    icmp_type: int | None = None
    family: int | None = None
    one_way: bool = False
    via: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("ports", "source_ports"):
            object.__setattr__(self, name, _as_ports(getattr(self, name), name.replace("_", " ")))
        if has_ports(self.protocol) and self.ports is None:
            raise QuestionError(
                f"{protocol_name(self.protocol)} needs a port", hint="such as 22, or a range such as 8000-8010"
            )
        if not has_ports(self.protocol) and (self.ports or self.source_ports):
            raise QuestionError(
                f"{protocol_name(self.protocol)} has no ports", hint="leave the port out, or give -1/-1"
            )
        if self.icmp_type is not None and self.protocol not in (ICMP, ICMPV6):
            raise QuestionError("an icmp type goes with the protocol icmp")
        if self.icmp_type is not None and not 0 <= self.icmp_type <= 255:
            raise QuestionError(f"icmp type {self.icmp_type} is out of range (0 to 255)")


class Asked(NamedTuple):
    """A question of a file, and the line that asks it."""

    question: Question
    place: Place
    excerpt: str
    columns: tuple[int, int] = (1, 1)
    """Where its source and its destination stand in the line."""
