"""``ip address``, as text (with and without ``-o``) or JSON -> interfaces and their addresses."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from netinsight.addresses import family
from netinsight.errors import visible
from netinsight.guest import fields
from netinsight.guest.lines import Problems, Row, Word, Written, from_words, json_rows, text_rows, word_of
from netinsight.guest.rows import SCOPES, HostAddress, Interface

_VALUED = frozenset({"peer", "brd", "scope", "any", "metric", "proto", "protocol", "valid_lft", "preferred_lft"})
_FLAGS = frozenset(
    {"dynamic", "secondary", "temporary", "deprecated", "tentative", "dadfailed", "noprefixroute", "mngtmpaddr", "nodad",
     "home", "optimistic", "permanent", "stable-privacy", "autojoin", "nodelay"}
)  # fmt: skip
_JSON = {"broadcast": "brd", "scope": "scope", "metric": "metric", "anycast": "any", "protocol": "proto"}
_JSON_PASSED = frozenset({"family", "local", "address", "prefixlen", "label", "valid_life_time", "preferred_life_time",
                          "index", "dev"})  # fmt: skip
_HEAD = re.compile(r"[0-9]{1,10}:")


def read_addresses(written: Written, problems: Problems) -> tuple[dict[str, Interface], tuple[HostAddress, ...]]:
    """Every interface by name, and every address in the order in which the kernel tells them."""
    interfaces: dict[str, Interface] = {}
    found: list[HostAddress] = []
    if written.is_json:
        for row, value in json_rows(written, problems):
            if value:
                _json_interface(row, value, interfaces, found, problems)
    else:
        for row, words in text_rows(written):
            _text_interface(row, words, interfaces, found, problems)
    return interfaces, tuple(found)


def _text_interface(
    row: Row, words: list[Word], interfaces: dict[str, Interface], found: list[HostAddress], problems: Problems
) -> None:
    if len(words) < 2 or not _HEAD.fullmatch(words[0].text):
        problems.note(
            row, words[0], f"expected `N: INTERFACE`, found `{visible(words[0].text)}`", "as `ip addr` prints it"
        )
        return
    name = words[1].text.removesuffix(":").partition("@")[0]
    flags = next((word.text for word in words[2:4] if word.text.startswith("<")), "")
    mac = next((after.text for word, after in pairwise(words) if word.text == "link/ether"), "")
    index = int(words[0].text.removesuffix(":"))
    _add_interface(name, flags.strip("<>").split(",") if flags else None, index, mac, interfaces)
    starts = [n for n, word in enumerate(words) if word.text in ("inet", "inet6") or word.text.startswith("link/")]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=False):
        if words[start].text.startswith("link/"):
            continue
        part = Row(row.written, words[start].line, row.excerpt, column=words[start].column)
        if start + 1 == end:
            problems.note(part, words[start], f"`{words[start].text}` has no address")
            continue
        rest = [word for word in words[start + 2 : end] if word.text != name and not word.text.startswith(f"{name}:")]
        part.fields["address"] = words[start + 1]
        from_words(part, rest, _VALUED, _FLAGS, problems)
        _add_address(part, name, found, problems)


def _json_interface(
    row: Row, value: dict[str, Any], interfaces: dict[str, Interface], found: list[HostAddress], problems: Problems
) -> None:
    name, told = value.get("ifname"), value.get("addr_info", [])
    if not isinstance(name, str) or not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
        problems.note(row, None, "expected `ifname` and a list `addr_info`", "as `ip -j addr` prints it")
        return
    flags = value.get("flags")
    index, mac = value.get("ifindex"), value.get("address") if value.get("link_type") == "ether" else ""
    _add_interface(
        name, flags if isinstance(flags, list) else None, index if isinstance(index, int) else 0, str(mac), interfaces
    )
    for one in told:
        if not one:
            continue
        part = Row(row.written, row.line, row.excerpt, column=row.column)
        length = one.get("prefixlen", 128 if one.get("family") == "inet6" else 32)
        part.fields["address"] = word_of(row, "address", one.get("local") if "address" in one else
                                         f"{one.get('local')}/{length}")  # fmt: skip
        if "address" in one:
            part.fields["peer"] = word_of(row, "peer", f"{one['address']}/{length}")
        for key, content in one.items():
            if key in _JSON:
                part.fields[_JSON[key]] = word_of(row, key, content)
            elif key in _FLAGS and content is not False:
                part.fields[key] = word_of(row, key, content)
            elif key not in _JSON_PASSED and key not in _FLAGS:
                part.strange.append(key)
        _add_address(part, name, found, problems)


def _add_interface(name: str, flags: list[str] | None, index: int, mac: str, interfaces: dict[str, Interface]) -> None:
    before = interfaces.get(name)
    if before is not None and flags is None:
        return
    up = flags is None or "UP" in flags
    loopback = name == "lo" if flags is None else "LOOPBACK" in flags
    interfaces[name] = Interface(name, up, loopback, index, mac)


def _add_address(row: Row, interface: str, found: list[HostAddress], problems: Problems) -> None:
    word = row.fields["address"]
    at = Row(row.written, row.line, row.excerpt, {"address": word._replace(text=word.text.partition("/")[0])})
    value = fields.address(at, "address", problems)
    network = fields.prefix(row, "peer" if row.get("peer") else "address", problems)
    scope = SCOPES.get(row.get("scope"), -1) if row.get("scope") else 0
    if scope < 0:
        scope = fields.number(row, "scope", problems, most=255)
    version = family(value) if value is not None else None
    broadcast = fields.address(row, "brd", problems, version)
    metric = fields.number(row, "metric", problems)
    if value is None or network is None:
        return
    if network.family != version:
        problems.note(row, row.fields.get("peer"), "the peer is of the other family")
        return
    flags = frozenset(name for name in row.fields if name in _FLAGS)
    found.append(HostAddress(row.line, interface, value, network, scope, broadcast, flags, metric, tuple(row.strange)))
