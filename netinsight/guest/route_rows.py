"""``ip route show table all``, as text or JSON -> routes in the order in which the kernel tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netinsight.addresses import V4_FIRST, V4_LAST, Prefix
from netinsight.addresses import family as family_of
from netinsight.errors import visible
from netinsight.guest import fields
from netinsight.guest.lines import Problems, Row, Word, Written, from_words, json_rows, text_rows, word_of
from netinsight.guest.rows import ERRORS, ROUTE_TYPES, SCOPES, TABLES, NextHop, Route

_METRICS = frozenset(
    {"mtu", "advmss", "window", "rtt", "rttvar", "ssthresh", "cwnd", "initcwnd", "initrwnd", "hoplimit", "reordering",
     "rto_min", "quickack", "features", "congctl", "fastopen_no_cookie"}
)  # fmt: skip
"""How a connection is carried, not where it goes."""
_VALUED = _METRICS | {"via", "dev", "proto", "protocol", "scope", "src", "metric", "table", "realm", "realms", "pref",
                      "expires", "error", "nhid", "weight"}  # fmt: skip
_HOP_FLAGS = frozenset({"onlink", "linkdown", "dead", "pervasive", "offload", "offload_failed", "trap", "notify",
                        "rt_offload", "rt_offload_failed", "rt_trap", "rt_notify", "unresolved"})  # fmt: skip
_NARROWING = frozenset({"tos", "dsfield", "from", "iif"})
_JSON = {"prefsrc": "src", "gateway": "via", "protocol": "proto"}
_JSON |= {name: name for name in _VALUED - _METRICS - {"src", "via", "proto", "protocol"}}
_JSON_PASSED = _METRICS | {"type", "dst", "flags", "metrics", "nexthops", "via", "ttl-propagate"}
_PREFERENCES = {"high": 1, "medium": 0, "low": -1}
_ANY_V4, _ANY_V6 = Prefix(4, V4_FIRST, V4_LAST, 0, False), Prefix(6, 0, (1 << 128) - 1, 0, False)


def read_routes(
    written: Written, family: int, tables: Mapping[str, str], problems: Problems, table: str = "main"
) -> tuple[Route, ...]:
    """Every route; ``family`` is that of a default which does not tell it, ``table`` that of a row without one."""
    found: list[Route] = []
    if written.is_json:
        for row, value in json_rows(written, problems):
            if value:
                _json_fields(row, value, problems)
                _add(row, family, tables, found, problems, table)
    else:
        for row, words in text_rows(written):
            _text_fields(row, words, problems)
            _add(row, family, tables, found, problems, table)
    return tuple(found)


def _text_fields(row: Row, words: list[Word], problems: Problems) -> None:
    if words[0].text in ROUTE_TYPES:
        row.fields["type"] = words.pop(0)
    if not words or words[0].text in _VALUED:
        problems.note(row, words[0] if words else None, "expected a destination", "such as `default` or 10.0.0.0/24")
        row.fields.clear()
        return
    row.fields["dst"] = words[0]
    starts = [n for n, word in enumerate(words) if word.text == "nexthop"]
    for start, end in zip([0, *starts], [*starts, len(words)], strict=True):
        part = row if start == 0 else Row(row.written, words[start].line, row.excerpt, column=words[start].column)
        from_words(part, _without_family(words[start + 1 : end]), _VALUED, _HOP_FLAGS, problems)
        if part is not row:
            row.hops.append(part)


def _without_family(words: list[Word]) -> list[Word]:
    """``via inet6 ADDRESS`` as ``via ADDRESS``: the address tells its family."""
    return [word for n, word in enumerate(words)
            if not (n and words[n - 1].text == "via" and word.text in ("inet", "inet6"))]  # fmt: skip


def _json_fields(row: Row, value: dict[str, Any], problems: Problems) -> None:
    if "dst" not in value:
        problems.note(row, None, "no `dst`", "as `ip -j route` prints it")
        return
    row.fields["dst"] = word_of(row, "dst", value["dst"])
    if "type" in value:
        row.fields["type"] = word_of(row, "type", value["type"])
    for key, content in value.items():
        if key in _JSON:
            row.fields[_JSON[key]] = word_of(row, key, content)
        elif key not in _JSON_PASSED:
            row.strange.append(f"{key} {content}")
    if isinstance(via := value.get("via"), dict):
        row.fields["via"] = word_of(row, "via", via.get("host"))
    flags = value.get("flags") or []
    for flag in flags if isinstance(flags, list) else [flags]:
        if str(flag) in _HOP_FLAGS:
            row.fields[str(flag)] = word_of(row, str(flag), True)
        else:
            row.strange.append(str(flag))
    metrics = value.get("metrics") or []
    for one in metrics if isinstance(metrics, list) else [metrics]:
        row.strange += [str(key) for key in one if key not in _METRICS] if isinstance(one, dict) else [str(one)]
    for hop in value.get("nexthops") or []:
        if isinstance(hop, dict):
            part = Row(row.written, row.line, row.excerpt, column=row.column)
            _json_fields(part, {"dst": "", **hop}, problems)
            row.hops.append(part)


def _add(row: Row, family: int, tables: Mapping[str, str], found: list[Route], problems: Problems, table: str) -> None:
    before = len(problems.found)
    if "dst" not in row.fields:
        return
    kind = row.get("type") or "unicast"
    if kind not in ROUTE_TYPES:
        row.strange.append(f"type {kind}")
    prefix = _destination(row, family, problems)
    if prefix is None:
        return
    family = prefix.family
    written = row.get("table") or table
    hops = tuple(_hop(part, family, problems) for part in row.hops or [row])
    strange = (*row.strange, *(word for hop in row.hops for word in hop.strange))
    route = Route(
        row.line, family, kind, prefix, TABLES.get(written) or tables.get(written, written),
        hops if row.hops or row.get("dev") or row.get("via") else (),
        metric=fields.number(row, "metric", problems, 1024 if family == 6 else 0),
        scope=_scope(row, problems), source=fields.address(row, "src", problems, family),
        preference=_PREFERENCES.get(row.get("pref"), 0), kernel=(row.get("proto") in ("kernel", "2")), strange=strange,
        narrowed=any(word.split()[0] in _NARROWING for word in strange) or kind not in ROUTE_TYPES,
    )  # fmt: skip
    if kind not in ERRORS and not route.hops and not strange:
        problems.note(row, None, "the route has no `dev` and no `via`")
    if prefix.had_host_bits:
        problems.note(row, row.fields["dst"], f"`{visible(row.get('dst'))}` has bits beyond its length")
    if len(problems.found) == before:
        found.append(route)


def _destination(row: Row, family: int, problems: Problems) -> Prefix | None:
    if row.get("dst") not in ("default", "all", "any"):
        return fields.prefix(row, "dst", problems)
    for name in ("src", "via"):
        told = next((part.get(name) for part in (row, *row.hops) if part.get(name)), "")
        if told:  # an IPv4 default may lead to an IPv6 gateway, an IPv6 one has its metric and preference told
            return _ANY_V6 if ":" in told and (family == 6 or "pref" in row.fields) else _family_of_default(row, family)
    return _family_of_default(row, family)


def _family_of_default(row: Row, family: int) -> Prefix:
    told = any("." in part.get(name) for part in (row, *row.hops) for name in ("via", "src"))
    return _ANY_V6 if not told and (family == 6 or "pref" in row.fields) else _ANY_V4


def _scope(row: Row, problems: Problems) -> int:
    written = row.get("scope")
    return SCOPES[written] if written in SCOPES else fields.number(row, "scope", problems, 0, 255)


def _hop(row: Row, family: int, problems: Problems) -> NextHop:
    gateway = fields.address(row, "via", problems)
    return NextHop(
        row.get("dev"), gateway, fields.number(row, "weight", problems, 1), "linkdown" in row.fields,
        "dead" in row.fields, gateway is not None and family_of(gateway) != family,
    )  # fmt: skip
