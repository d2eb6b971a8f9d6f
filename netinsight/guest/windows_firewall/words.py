"""The values that PowerShell prints of a firewall, each as a word or as the number of its enumeration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from netinsight.addresses import (
    LAST,
    Range,
    family,
    merge,
    parse_address,
    parse_prefix,
    ranges,
    ranges_between,
)
from netinsight.engine.spaces import joined
from netinsight.engine.tables import EVERYWHERE
from netinsight.errors import did_you_mean, one_of, visible
from netinsight.flow import EVERY_PORT, PortRange
from netinsight.guest.windows_firewall.rules import PROFILES, Addresses, Keyword, Ports

RULE_ENABLED = {"true": True, "false": False, "1": True, "2": False}
SWITCH = {"false": False, "true": True, "notconfigured": None, "0": False, "1": True, "2": None}
ACTIONS = {"notconfigured": "", "allow": "Allow", "allowbypass": "Bypass", "block": "Block",
           "0": "", "2": "Allow", "3": "Bypass", "4": "Block"}  # fmt: skip
DIRECTIONS = {"inbound": True, "outbound": False, "1": True, "2": False}
EDGE = {"block": "", "allow": "", "defertouser": "", "defertoapp": "", "0": "", "1": "", "2": "", "3": ""}
AUTHENTICATION = {"notrequired": False, "required": True, "noencap": True, "noencapsulation": True,
                  "0": False, "1": True, "2": True}  # fmt: skip
ENCRYPTION = {"notrequired": False, "required": True, "dynamic": True, "0": False, "1": True, "2": True}
CATEGORIES = {"public": "Public", "private": "Private", "domainauthenticated": "Domain", "domain": "Domain",
              "0": "Public", "1": "Private", "2": "Domain"}  # fmt: skip
TYPES = {"any": "", "wired": "Wired", "lan": "Wired", "wireless": "Wireless", "remoteaccess": "RemoteAccess"}
TYPE_BITS = {1: "Wired", 2: "Wireless", 4: "RemoteAccess"}
DYNAMIC = {"any": "", "proximityapps": "ProximityApps", "proximitysharing": "ProximitySharing",
           "wifidirectprinting": "WifiDirectPrinting", "wifidirectdisplay": "WifiDirectDisplay",
           "wifidirectdevices": "WifiDirectDevices", "0": "", "1": "ProximityApps", "2": "ProximitySharing",
           "4": "WifiDirectPrinting", "8": "WifiDirectDisplay", "16": "WifiDirectDevices"}  # fmt: skip
STORE_TYPES = {"none": None, "local": True, "grouppolicy": False, "0": None, "1": True, "2": False}
"""Whether a rule is the machine's own; of other kinds of store it is not."""

_ADDRESS_WORDS = {"localsubnet": "LocalSubnet", "dns": "DNS", "dhcp": "DHCP", "wins": "WINS",
                  "defaultgateway": "DefaultGateway", "internet": "Internet", "intranet": "Intranet",
                  "intranetremoteaccess": "IntranetRemoteAccess", "rmtintranet": "IntranetRemoteAccess",
                  "playtodevice": "PlayToDevice", "playtotargets": "PlayToDevice", "ply2renders": "PlayToDevice"}  # fmt: skip
RPC_ENDPOINT_MAPPER = PortRange(135, 135)
_PORT_WORDS = {"rpc": "RPC", "iphttps": "IPHTTPS", "iphttpsin": "IPHTTPS", "iphttpsout": "IPHTTPS",
               "iptlsin": "IPHTTPS", "iptlsout": "IPHTTPS", "teredo": "Teredo", "playtodiscovery": "PlayToDiscovery",
               "ply2disc": "PlayToDiscovery", "mdns": "mDNS", "cortanaout": "CortanaOut"}  # fmt: skip
_MAPPERS = ("rpcepmap", "rpc-epmap", "epmap")
PROTOCOLS = {"any": (0, 255), "icmpv4": (1, 1), "icmp": (1, 1), "igmp": (2, 2), "ipv4": (4, 4), "tcp": (6, 6),
             "udp": (17, 17), "ipv6": (41, 41), "ipv6route": (43, 43), "ipv6frag": (44, 44), "gre": (47, 47),
             "esp": (50, 50), "ah": (51, 51), "icmpv6": (58, 58), "ipv6nonxt": (59, 59), "ipv6opts": (60, 60),
             "vrrp": (112, 112), "pgm": (113, 113), "l2tp": (115, 115)}  # fmt: skip


def items(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The values of a list, each with its path below; a scalar is a list of one.

    Windows PowerShell may print a list as an object with ``value`` and ``Count``.
    """
    below: tuple[str | int, ...] = ()
    if isinstance(value, dict) and set(value) == {"value", "Count"}:
        value, below = value["value"], ("value",)
    if isinstance(value, list):
        yield from (((*below, at), one) for at, one in enumerate(value) if one is not None)
    elif value is not None:
        yield below, value


def text_of(value: Any) -> str:
    """A text or a number as it is written.

    Raises
    ------
    ValueError
        For a list or an object.
    """
    if isinstance(value, (dict, list, float)):
        raise ValueError("expected a text, found " + ("a list" if isinstance(value, list) else "another value"))
    return str(value).strip()


def word(value: Any, known: Mapping[str, Any]) -> Any:
    """What a word or number of an enumeration stands for.

    Raises
    ------
    ValueError
        For any other.
    """
    written = text_of(value)
    key = written.casefold().replace(" ", "").replace("_", "")
    if key not in known:
        words = [one for one in known if not one.isdigit()]
        raise ValueError(f"`{visible(written)}` is not {one_of(words)}" + _meant(key, words))
    return known[key]


def _meant(written: str, known: Iterable[str]) -> str:
    hint = did_you_mean(written, known)
    return f"; {hint}" if hint else ""


def profiles(value: Any) -> frozenset[str]:
    """``Any``, ``Domain, Private``, ``[2, 4]``, or the sum of Domain 1, Private 2 and Public 4.

    Raises
    ------
    ValueError
        For any other.
    """
    found: set[str] = set()
    for one in split(value):
        known = {name.casefold(): name for name in PROFILES}
        if one.isdecimal() and (int(one) <= 7 or int(one) in (0x7FFFFFFF, 0x8000)):
            bits = int(one) or 7
            found |= {name for at, name in enumerate(PROFILES) if bits & (1 << at)}
        elif one.casefold() in known:
            found.add(known[one.casefold()])
        elif one.casefold() in ("any", "all"):
            found |= set(PROFILES)
        elif one.casefold() != "notapplicable":
            raise ValueError(f"`{visible(one)}` is not Any, Domain, Private or Public" + _meant(one.casefold(), known))
    return frozenset(found)


def interface_types(value: Any) -> tuple[str, ...]:
    """Which types of interface; empty: any.

    Raises
    ------
    ValueError
        For what is no type.
    """
    found: set[str] = set()
    for one in split(value):
        if one.isdecimal() and int(one) <= 7:
            found |= {name for bit, name in TYPE_BITS.items() if int(one) & bit}
        else:
            found.add(word(one, TYPES))
    return () if "" in found or len(found) == len(TYPE_BITS) else tuple(sorted(found))


def split(value: Any) -> Iterator[str]:
    """The words of a list, or of a text with commas."""
    for _, one in items(value):
        yield from (part for part in (part.strip() for part in text_of(one).split(",")) if part)


def _said(value: Any) -> list[str]:
    """The words of a list; one that says nothing means any."""
    return list(split(value)) or ["Any"]


def protocol(value: Any) -> tuple[int, int]:
    """A name or number of a protocol; ``Any`` is all.

    Raises
    ------
    ValueError
        For any other.
    """
    if value is None:
        return PROTOCOLS["any"]
    written = text_of(value)
    if written.isdecimal() and len(written) <= 3 and int(written) <= 255:
        return int(written), int(written)
    key = written.casefold().replace("-", "")
    if key not in PROTOCOLS:
        raise ValueError(
            f"`{visible(written)}` is not a protocol (a number from 0 to 255, TCP, UDP, ICMPv4, …)"
            + _meant(key, PROTOCOLS)
        )
    return PROTOCOLS[key]


def ports(value: Any) -> Ports:
    """Numbers, ranges and keywords.

    Raises
    ------
    ValueError
        For what is none of these.
    """
    found: list[PortRange] = []
    keywords: set[str] = set()
    for one in _said(value):
        key = one.casefold()
        if key in ("any", "*"):
            found.append(EVERY_PORT)
        elif key in _MAPPERS:
            found.append(RPC_ENDPOINT_MAPPER)
        elif key in _PORT_WORDS:
            keywords.add(_PORT_WORDS[key])
        else:
            found.append(_port_range(one, key))
    whole = joined(found)
    return Ports(tuple(whole), () if EVERY_PORT in whole else tuple(sorted(keywords)))


def _port_range(written: str, key: str) -> PortRange:
    match = re.fullmatch(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?", written)
    if not match:
        raise ValueError(
            f"`{visible(written)}` is not a port, a range or a keyword such as RPC" + _meant(key, _PORT_WORDS)
        )
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last or last > 65535:
        raise ValueError(f"`{visible(written)}` is not a port from 0 to 65535, or a range that runs forwards")
    return PortRange(first, last)


def icmp(value: Any) -> tuple[PortRange, ...]:
    """Types (``8``) and types with codes (``3:4``, ``3.4``), as type × 256 + code.

    Raises
    ------
    ValueError
        For what is none of these.
    """
    found: list[PortRange] = []
    for one in _said(value):
        if one.casefold() in ("any", "*"):
            found.append(EVERY_PORT)
            continue
        match = re.fullmatch(r"(\d{1,3})(?:[:.](\d{1,3}|\*|any))?", one.casefold())
        if not match or int(match[1]) > 255 or ((match[2] or "").isdecimal() and int(match[2]) > 255):
            raise ValueError(f"`{visible(one)}` is not an ICMP type such as 8, or a type and a code such as 3:4")
        kind = int(match[1]) * 256
        coded = (match[2] or "").isdecimal()
        found.append(PortRange(kind + int(match[2]), kind + int(match[2])) if coded else PortRange(kind, kind + 255))
    return tuple(joined(found))


def addresses(value: Any) -> Addresses:
    """Addresses, prefixes, masks, ranges and keywords.

    Raises
    ------
    ValueError
        For what is none of these.
    """
    found: list[Range] = []
    keywords: set[Keyword] = set()
    for one in _said(value):
        key = one.casefold()
        base, of_family = (key[:-1], int(key[-1])) if key[-1] in "46" else (key, None)
        if key in ("any", "*"):
            found.append(Range(0, LAST))
        elif base in _ADDRESS_WORDS:
            keywords.add(Keyword(_ADDRESS_WORDS[base], of_family))
        else:
            found += address_ranges(one)
    whole = merge(found)
    return Addresses(whole, () if whole == EVERYWHERE else tuple(sorted(keywords, key=str)))


def address_ranges(written: str) -> tuple[Range, ...]:
    """``a``, ``a/24``, ``a/255.255.255.0`` or ``a-b``; host bits are masked away.

    Raises
    ------
    ValueError
        For any other, or a mask with a gap.
    """
    plain = re.sub(r"%[0-9A-Za-z]+", "", written) if written.casefold().startswith("fe80") else written
    try:
        if "-" in plain:
            first, last = (parse_address(one.strip()) for one in plain.split("-", 1))
            if first > last or family(first) != family(last):
                raise ValueError(plain)
            return ranges_between(first, last)
        base, slash, mask = plain.partition("/")
        if slash and "." in mask:
            bits = parse_address(mask) & 0xFFFFFFFF
            gap = (bits ^ 0xFFFFFFFF) + 1
            if gap & (gap - 1):
                raise ValueError(mask)
            plain = f"{base}/{bits.bit_count()}"
        return ranges(parse_prefix(plain))
    except ValueError:
        hint = _meant(written.casefold(), _ADDRESS_WORDS)
        raise ValueError(
            f"`{visible(written)}` is not an address, a subnet, a range or a keyword such as LocalSubnet{hint}"
        ) from None
