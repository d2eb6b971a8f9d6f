"""The routes of Windows: ``route print`` and ``Get-NetRoute | ConvertTo-Json``.

They are asked as Linux' table ``main`` is: the longest prefix, then the sum of the route's and the interface's metric.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from netinsight.addresses import Prefix, family, parse_address, parse_prefix
from netinsight.addresses import text as written_address
from netinsight.errors import InputError
from netinsight.guest import fields
from netinsight.guest.lines import Problems, Row, Word, Written, json_rows, plain_rows, word_of
from netinsight.guest.routes import Routing
from netinsight.guest.rows import HostAddress, Interface, NextHop, Route, Rule

_TITLE = re.compile(r"^IPv[46] Route Table\s*$|^Active Routes:\s*$", re.MULTILINE)
_JSON_KNOWN = (
    "DestinationPrefix",
    "NextHop",
    "RouteMetric",
    "InterfaceMetric",
    "ifMetric",
    "InterfaceAlias",
    "InterfaceIndex",
)
RULES: dict[int, tuple[Rule, ...]] = {version: (Rule(0, version, 0, table="main"),) for version in (4, 6)}


def is_windows(text: str) -> bool:
    """Whether Windows printed it."""
    return bool(_TITLE.search(text)) or (
        text.lstrip("\ufeff \r\n\t")[:1] in ("[", "{") and '"DestinationPrefix"' in text
    )


def read_windows_routing(routes: str | Written) -> Routing:
    """The routing of a Windows guest, from ``route print`` or ``Get-NetRoute | ConvertTo-Json``.

    Its own addresses are those whose /32 or /128 is on-link there.

    Raises
    ------
    InputError
        With every mistake.
    """
    written, problems = routes if isinstance(routes, Written) else Written(routes, "<routes>"), Problems()
    rows = list(_from_json(written, problems) if written.is_json else _from_print(written, problems))
    if not rows and not problems.found:
        problems.note(Row(written, 1, ""), None, "no route in it", "`route print`, or `Get-NetRoute | ConvertTo-Json`")
    if problems.found:
        raise InputError(problems.found)
    own = tuple(HostAddress(one.line, one.hops[0].interface, one.prefix.first, one.prefix) for one in rows
                if one.type == "local" and one.prefix.first == one.prefix.last)  # fmt: skip
    interfaces = {hop.interface: Interface(hop.interface) for one in rows for hop in one.hops}
    return Routing(tuple(rows), own, interfaces, True, RULES, frozenset((4, 6)))


def _from_print(written: Written, problems: Problems) -> Iterator[Route]:
    """Rows below `Active Routes:` up to the next rule of `=`; a row of IPv6 may go on in the next line."""
    active, held = False, None
    for row, words in plain_rows(written):
        text = " ".join(word.text for word in words)
        if text.startswith(("Active Routes", "Persistent Routes", "===")):
            active, held = text.startswith("Active"), None
        elif not active or not re.match(r"[0-9]", words[0].text):
            if held and active and len(words) == 1:
                yield from _row_v6(*held, words, problems)
                held = None
        elif "." in words[0].text and len(words) >= 5:
            yield from _row_v4(row, words, problems)
        elif len(words) == 3 and ":" in words[2].text:
            held = (row, words)
        elif len(words) == 4 and ":" in words[2].text:
            yield from _row_v6(row, words[:3], words[3:], problems)
        else:
            problems.note(row, words[0], "not a row of `route print`", "destination, mask, gateway, interface, metric")


def _row_v4(row: Row, words: list[Word], problems: Problems) -> Iterator[Route]:
    names = ("destination", "mask", "gateway", "interface", "metric")
    row.fields.update(zip(names, [*words[:2], words[2], *words[-2:]], strict=True))
    mask = fields.address(row, "mask", problems, 4)
    interface = fields.address(row, "interface", problems, 4)
    gateway = None if words[2].text.lower().startswith("on-link") else fields.address(row, "gateway", problems)
    if mask is None or interface is None:
        return
    length = bin(mask & 0xFFFFFFFF).count("1")
    row.fields["destination"] = words[0]._replace(text=f"{words[0].text}/{length}")
    prefix = fields.prefix(row, "destination", problems)
    metric = fields.number(row, "metric", problems)
    if prefix is not None:
        own = prefix.first == prefix.last == interface and gateway is None
        yield _route(row, prefix, words[-2].text, gateway, metric, own, interface)


def _row_v6(row: Row, words: list[Word], rest: list[Word], problems: Problems) -> Iterator[Route]:
    row.fields.update(zip(("if", "metric", "destination"), words, strict=True), gateway=rest[0])
    prefix = fields.prefix(row, "destination", problems)
    gateway = None if rest[0].text.lower() == "on-link" else fields.address(row, "gateway", problems)
    metric = fields.number(row, "metric", problems)
    if prefix is not None:
        own = prefix.first == prefix.last and gateway is None
        yield _route(row, prefix, words[0].text, gateway, metric, own, prefix.first if own else None)


def _from_json(written: Written, problems: Problems) -> Iterator[Route]:
    for row, value in json_rows(written, problems):
        for name in ("DestinationPrefix", "NextHop"):
            if not isinstance(value.get(name), str):
                problems.note(row, None, f"no `{name}`", "as `Get-NetRoute | ConvertTo-Json` prints it")
        if isinstance(value.get("DestinationPrefix"), str) and isinstance(value.get("NextHop"), str):
            yield from _json_row(row, value, problems)


def _json_row(row: Row, value: dict[str, Any], problems: Problems) -> Iterator[Route]:
    for name in _JSON_KNOWN:
        if value.get(name) is not None:
            row.fields[name] = word_of(row, name, value[name])
    prefix, gateway = fields.prefix(row, "DestinationPrefix", problems), fields.address(row, "NextHop", problems)
    metric = fields.number(row, "RouteMetric", problems)
    metric += fields.number(row, "InterfaceMetric" if row.get("InterfaceMetric") else "ifMetric", problems)
    if prefix is None or gateway is None:
        return
    if gateway == parse_address("0.0.0.0" if family(gateway) == 4 else "::"):  # noqa: S104  (on-link)
        gateway = None
    own = prefix.first == prefix.last and gateway is None and not written_address(prefix.first).endswith(".255")
    told = row.get("InterfaceMetric") or row.get("ifMetric")
    strange = () if told else ("no InterfaceMetric",)
    yield _route(
        row, prefix, row.get("InterfaceAlias") or row.get("InterfaceIndex"), gateway, metric, own, None, strange
    )


def _route(
    row: Row, prefix: Prefix, interface: str, gateway: int | None, metric: int, own: bool, source: int | None,
    strange: tuple[str, ...] = (),
) -> Route:  # fmt: skip
    first = written_address(prefix.first)
    kind = "local" if own or (prefix.family == 4 and first.startswith("127.")) else "unicast"
    if gateway is None and prefix.family == 4 and prefix.first == prefix.last and first.endswith(".255"):
        kind = "broadcast"
    if gateway is None and prefix.length <= 8 and prefix in (parse_prefix("224.0.0.0/4"), parse_prefix("ff00::/8")):
        kind = "multicast"
    return Route(row.line, prefix.family, kind, prefix, "main", (NextHop(interface, gateway),), metric, 253 if gateway is None
                 else 0, source, strange=strange)  # fmt: skip
