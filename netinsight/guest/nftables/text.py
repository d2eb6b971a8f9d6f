"""Rules as ``nft list ruleset`` writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

MOST_ELEMENTS = 64
"""Elements of a set that are written out."""
_SPACED = ("|", "&", "^", "<<", ">>")
_BARE_META = ("iif", "oif", "iifname", "oifname", "iifgroup", "oifgroup")
_QUOTED = ("iifname", "oifname", "iif", "oif", "ibrname", "obrname", "time", "hour", "day", "helper")


def expression(value: Any) -> str:
    """An expression; one that is not known as JSON."""
    if isinstance(value, bool):
        return "exists" if value else "missing"
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, list):
        return ",".join(map(expression, value))
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        try:
            return _EXPRESSIONS[name](inner) if name in _EXPRESSIONS else _other(name, inner)
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
    return _json(value)


def _json(value: Any) -> str:
    told = json.dumps(value, ensure_ascii=False)
    return told if len(told) <= 200 else told[:199] + "…"


def _other(name: str, inner: Any) -> str:
    if name in _SPACED:
        key = _key(inner[0])
        return f" {name} ".join([expression(inner[0]), *(expression(_dressed(one, key)) for one in inner[1:])])
    return f"{name} {_json(inner)}" if inner is not None else name


def _payload(inner: Any) -> str:
    if "base" in inner:
        return f"@{inner['base']},{inner['offset']},{inner['len']}"
    return f"{inner['protocol']} {inner['field']}"


def _meta(inner: Any) -> str:
    return str(inner["key"]) if inner["key"] in _BARE_META else f"meta {inner['key']}"


def _ct(inner: Any) -> str:
    return " ".join(["ct", *([inner["dir"]] if "dir" in inner else []), str(inner["key"])])


def _fib(inner: Any) -> str:
    flags = inner["flags"] if isinstance(inner["flags"], list) else [inner["flags"]]
    return f"fib {' . '.join(flags)} {inner['result']}"


def _numgen(inner: Any) -> str:
    offset = f" offset {inner['offset']}" if inner.get("offset") else ""
    return f"numgen {inner['mode']} mod {inner['mod']}{offset}"


def _hash(inner: Any) -> str:
    offset = f" offset {inner['offset']}" if inner.get("offset") else ""
    of = f"jhash {expression(inner['expr'])}" if "expr" in inner else "symhash"
    return f"{of} mod {inner['mod']}{offset}"


def _element(inner: Any) -> str:
    told = [expression(inner["val"])]
    told += [f"timeout {inner['timeout']}s"] if "timeout" in inner else []
    told += [f"expires {inner['expires']}s"] if "expires" in inner else []
    return " ".join(told)


def _set(inner: Any) -> str:
    shown = inner if isinstance(inner, list) else [inner]
    told = [" : ".join(_datum(part) for part in one) if isinstance(one, list) else expression(one)
            for one in shown[:MOST_ELEMENTS]]  # fmt: skip
    told += [f"… {len(shown) - MOST_ELEMENTS} more"] if len(shown) > MOST_ELEMENTS else []
    return "{ " + ", ".join(told) + " }"


def _datum(value: Any) -> str:
    return statement(value) if isinstance(value, dict) and set(value) & set(_VERDICTS) else expression(value)


def _map(inner: Any) -> str:
    return f"{expression(inner['key'])} map {expression(inner['data'])}"


def _option(name: str) -> Callable[[Any], str]:
    return lambda inner: f"{name} {inner['name']}" + (f" {inner['field']}" if "field" in inner else "")


_EXPRESSIONS: dict[str, Callable[[Any], str]] = {
    "payload": _payload, "meta": _meta, "ct": _ct, "fib": _fib, "numgen": _numgen, "jhash": _hash, "symhash": _hash,
    "elem": _element, "set": _set, "map": _map,
    "prefix": lambda inner: f"{expression(inner['addr'])}/{inner['len']}",
    "range": lambda inner: "-".join(map(expression, inner)),
    "concat": lambda inner: " . ".join(map(expression, inner)),
    "tcp option": _option("tcp option"), "ip option": _option("ip option"), "exthdr": lambda inner: (
        f"exthdr {inner['name']}" if "field" not in inner else f"{inner['name']} {inner['field']}"),
    "socket": lambda inner: f"socket {inner['key']}", "rt": lambda inner: f"rt {inner['key']}",
    "osf": lambda inner: f"osf {inner['key']}",
}  # fmt: skip


def _values(left: Any, right: Any) -> str:
    """The right side of a match, marks and names of interfaces as they are written there."""
    if isinstance(left, dict) and "concat" in left:
        return expression(_dressed(right, tuple(_key(one) for one in left["concat"])))
    return expression(_dressed(right, _key(left)))


def _key(left: Any) -> str:
    """What ``meta`` or ``ct`` asks, if the expression is one of them."""
    while isinstance(left, dict) and len(left) == 1 and next(iter(left)) in _SPACED:
        left = next(iter(left.values()))[0]
    return str(next(iter(left.values())).get("key")) if isinstance(left, dict) and set(left) <= {"meta", "ct"} else ""


def _dressed(value: Any, key: str | tuple[str, ...]) -> Any:
    if isinstance(key, tuple):
        if isinstance(value, dict) and "concat" in value:
            return {"concat": [_dressed(part, of) for part, of in zip(value["concat"], key, strict=False)]}
        if isinstance(value, dict):
            return {name: _dressed(inner, key) for name, inner in value.items()}
        return [_dressed(inner, key) for inner in value] if isinstance(value, list) else value
    if isinstance(value, dict) and "map" in value:  # the key of a map is of another kind than what it gives
        inner = value["map"]
        pairs = inner["data"]["set"] if isinstance(inner["data"], dict) else []
        data = {"set": [[one, _dressed(datum, key)] for one, datum in pairs]} if pairs else inner["data"]
        return {"map": {"key": inner["key"], "data": data}}
    if isinstance(value, str) and key in _QUOTED and not value.startswith("@"):
        return f'"{value}"'
    if isinstance(value, int) and not isinstance(value, bool) and key == "mark":
        return f"0x{value:08x}"
    if isinstance(value, dict):
        return {name: _dressed(inner, key) for name, inner in value.items()}
    if isinstance(value, list):
        return [_dressed(inner, key) for inner in value]
    return value


def _match(inner: Any) -> str:
    left, right, operator = inner["left"], inner["right"], inner["op"]
    told, values = expression(left), _values(left, right)
    flags = isinstance(left, dict) and (left.get("payload") == {"protocol": "tcp", "field": "flags"})
    if isinstance(left, dict) and "&" in left and left["&"][0] == {"payload": {"protocol": "tcp", "field": "flags"}}:
        mask = expression(left["&"][1]).replace(" | ", ",")
        return f"tcp flags {'!= ' if operator == '!=' else ''}{values} / {mask}"
    bits = isinstance(left, dict) and next(iter(left), "") in _SPACED
    shown = "" if operator == "in" or (operator == "==" and not bits and not flags) else f"{operator} "
    if flags and isinstance(right, dict) and "set" in right and operator == "==":
        shown = ""
    return f"{told} {shown}{values}"


def _limit(inner: Any) -> str:
    if isinstance(inner, str):
        return f'limit name "{inner}"'
    unit = inner.get("rate_unit", "packets")
    rate = f"{inner['rate']}" if unit == "packets" else f"{inner['rate']} {unit}"
    over = "over " if inner.get("inv") else ""
    burst = (
        f" burst {inner['burst']} {inner.get('burst_unit', 'packets')}" if inner.get("burst", 5) not in (0, 5) else ""
    )
    return f"limit rate {over}{rate}/{inner.get('per', 'second')}{burst}"


def _counter(inner: Any) -> str:
    if isinstance(inner, str):
        return f'counter name "{inner}"'
    return "counter" + (f" packets {inner['packets']} bytes {inner['bytes']}" if inner else "")


def _quota(inner: Any) -> str:
    if isinstance(inner, str):
        return f'quota name "{inner}"'
    return f"quota {'over ' if inner.get('inv') else ''}{inner['val']} {inner.get('val_unit', 'bytes')}"


def _log(inner: Any) -> str:
    told = ["log"]
    for name, content in (inner or {}).items():
        told += ["prefix", f'"{content}"'] if name == "prefix" else [name, expression(content)]
    return " ".join(told)


def _reject(inner: Any) -> str:
    kind, what = (inner or {}).get("type"), (inner or {}).get("expr")
    if kind is None or (kind == "icmpx" and what == "port-unreachable"):
        return "reject"
    return " ".join(["reject with", kind, *([str(what)] if what else [])])


def _mangle(inner: Any) -> str:
    return f"{expression(inner['key'])} set {_values(inner['key'], inner['value'])}"


def _translation(name: str) -> Callable[[Any], str]:
    def told(inner: Any) -> str:
        inner = inner or {}
        words = [name, *([inner["family"]] if "family" in inner else [])]
        words += [str(inner["type_flags"])] if "type_flags" in inner else []
        address, port = (expression(inner[key]) if key in inner else "" for key in ("addr", "port"))
        address = f"[{address}]" if port and ":" in address else address
        words += ["to", address + (f":{port}" if port else "")] if address or port else []
        flags = inner.get("flags", [])
        flags = [flag for flag in (flags if isinstance(flags, list) else [flags]) if flag != "netmap"]
        return " ".join([*words, *([",".join(flags)] if flags else [])])

    return told


def _update(inner: Any) -> str:
    inside = [expression(inner["elem"]), *(statement(one) for one in inner.get("stmt", []))]
    return f"{inner['op']} {inner.get('set', inner.get('map'))} {{ {' '.join(inside)} }}"


def _vmap(inner: Any) -> str:
    key, data = inner["key"], inner["data"]
    return f"{expression(key)} vmap {_values(key, data)}"


_VERDICTS = ("accept", "drop", "continue", "return", "jump", "goto", "queue")
_STATEMENTS: dict[str, Callable[[Any], str]] = {
    "match": _match, "limit": _limit, "counter": _counter, "quota": _quota, "log": _log, "reject": _reject,
    "mangle": _mangle, "set": _update, "map": _update, "vmap": _vmap, "xt": lambda inner: f"xt {_json(inner)}",
    "jump": lambda inner: f"jump {inner['target']}", "goto": lambda inner: f"goto {inner['target']}",
    "ct count": lambda inner: f"ct count {'over ' if inner.get('inv') else ''}{inner['val']}",
    "ct helper": lambda inner: f'ct helper set "{inner}"',
    **{name: _translation(name) for name in ("snat", "dnat", "masquerade", "redirect", "tproxy")},
}  # fmt: skip


def statement(value: Any) -> str:
    """A statement; one that is not known as JSON."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        try:
            return _STATEMENTS[name](inner) if name in _STATEMENTS else _other(name, inner)
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
    return _json(value)


def rule_text(statements: Any, comment: str = "") -> str:
    """A rule on one line."""
    told = [statement(one) for one in statements] if isinstance(statements, list) else [_json(statements)]
    return " ".join([*told, *([f'comment "{comment}"'] if comment else [])])
