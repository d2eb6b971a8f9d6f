"""Fields of rows -> numbers, prefixes, ports; a mistake is noted with its place."""

from __future__ import annotations

from netinsight.addresses import Prefix, family, parse_address, parse_prefix
from netinsight.errors import visible
from netinsight.guest.lines import Problems, Row, Word

PROTOCOLS = {"icmp": 1, "igmp": 2, "ipencap": 4, "tcp": 6, "udp": 17, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51,
             "ipv6-icmp": 58, "icmpv6": 58, "ospf": 89, "sctp": 132, "udplite": 136}  # fmt: skip


def number(row: Row, name: str, problems: Problems, otherwise: int = 0, most: int = 0xFFFFFFFF) -> int:
    """A whole number, decimal or with 0x."""
    word = row.fields.get(name)
    if word is None:
        return otherwise
    return whole(row, word, word.text, name, problems, otherwise, most)


def whole(row: Row, word: Word, written: str, name: str, problems: Problems, otherwise: int, most: int) -> int:
    """A part of a field as a whole number."""
    try:
        value = int(written, 16) if written[:2].lower() == "0x" else int(written)
        if written.isascii() and "_" not in written and 0 <= value <= most:
            return value
    except ValueError:
        pass
    problems.note(row, word, f"{name} `{visible(written)}` is not a whole number of at most {most}")
    return otherwise


def address(row: Row, name: str, problems: Problems, version: int | None = None) -> int | None:
    """An address of the line."""
    word = row.fields.get(name)
    if word is None:
        return None
    try:
        value = parse_address(word.text)
    except ValueError as error:
        problems.note(row, word, f"{name} {error}")
        return None
    if version is not None and family(value) != version:
        problems.note(row, word, f"{name} `{visible(word.text)}` is not an IPv{version} address")
        return None
    return value


def prefix(row: Row, name: str, problems: Problems) -> Prefix | None:
    """A CIDR; of an IPv4-mapped block, which no packet is ever in, a prefix without addresses."""
    word = row.fields[name]
    if word.text.lower().startswith("::ffff:"):
        return Prefix(6, 1, 0, 96, False)
    try:
        return parse_prefix(word.text)
    except ValueError as error:
        problems.note(row, word, str(error))
        return None


def ports(row: Row, name: str, problems: Problems) -> tuple[int, int] | None:
    """``N`` or ``N-M``."""
    word = row.fields.get(name)
    if word is None:
        return None
    first, dash, last = word.text.partition("-")
    low = whole(row, word, first, name, problems, 0, 65535)
    return low, whole(row, word, last, name, problems, 65535, 65535) if dash else low


def protocol(row: Row, name: str, problems: Problems) -> int:
    """A protocol by its name or number; 0 where there is none."""
    word = row.fields.get(name)
    if word is None:
        return 0
    found = PROTOCOLS.get(word.text.lower())
    return found if found is not None else whole(row, word, word.text.removeprefix("ipproto-"), name, problems, 0, 255)


def inside(prefix: Prefix | None, value: int) -> bool:
    """Whether an address is in a prefix; one of another family is not."""
    return prefix is None or (prefix.first <= value <= prefix.last and prefix.family == family(value))
