"""``ip rule``, as text or JSON -> rules in the order in which the kernel asks them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from netinsight.addresses import Prefix
from netinsight.errors import visible
from netinsight.guest import fields
from netinsight.guest.lines import Problems, Row, Word, Written, from_words, json_rows, text_rows, word_of
from netinsight.guest.rows import TABLES, Rule

_ACTIONS = frozenset({"unreachable", "blackhole", "prohibit", "nop"})
_VALUED = frozenset(
    {"from", "to", "fwmark", "iif", "oif", "ipproto", "sport", "dport", "lookup", "table", "goto", "priority",
     "suppress_prefixlength", "suppress_ifgroup", "proto", "protocol", "realms"}
)  # fmt: skip
_FLAGS = _ACTIONS | {"not", "[detached]", "[unresolved]"}
_JSON = {"src": "from", "dst": "to", "table": "lookup", "suppress_prefixlen": "suppress_prefixlength"}
_JSON |= {name: name for name in _VALUED - {"from", "to", "table", "protocol"}} | {"protocol": "proto"}
_JSON_PASSED = frozenset({"srclen", "dstlen", "fwmask", "iif_detached", "oif_detached", "unresolved", "action", "not",
                          "sport_start", "sport_end", "dport_start", "dport_end", "flow_from", "flow_to"})  # fmt: skip
_HEAD = re.compile(r"(\d+):")


def read_rules(written: Written, family: int, tables: Mapping[str, str], problems: Problems) -> tuple[Rule, ...]:
    """The rules by their priority; of the same priority as they stand."""
    found: list[Rule] = []
    if written.is_json:
        for row, value in json_rows(written, problems):
            if value:
                _json_fields(row, value)
                _add(row, family, tables, found, problems)
    else:
        for row, words in text_rows(written):
            head = _HEAD.fullmatch(words[0].text)
            if not head:
                message = f"expected `PRIORITY:`, found `{visible(words[0].text)}`"
                problems.note(row, words[0], message, "as `ip rule` prints it")
                continue
            from_words(row, words[1:], _VALUED, _FLAGS, problems)
            row.fields["priority"] = words[0]._replace(text=head[1])
            _add(row, family, tables, found, problems)
    return tuple(sorted(found, key=lambda rule: rule.priority))


def _json_fields(row: Row, value: dict[str, Any]) -> None:
    for key, content in value.items():
        if key in _JSON:
            row.fields[_JSON[key]] = word_of(row, key, content)
        elif key not in _JSON_PASSED:
            row.strange.append(f"{key} {content}" if content is not None else key)
    for name, length in (("from", value.get("srclen")), ("to", value.get("dstlen"))):
        if length is not None and name in row.fields:
            row.fields[name] = word_of(row, name, f"{row.get(name)}/{length}")
    if "fwmask" in value:
        row.fields["fwmark"] = word_of(row, "fwmark", f"{value.get('fwmark', 0)}/{value['fwmask']}")
    for name in ("sport", "dport"):
        if f"{name}_start" in value:
            row.fields[name] = word_of(row, name, f"{value[f'{name}_start']}-{value.get(f'{name}_end')}")
    if "not" in value:
        row.fields["not"] = word_of(row, "not", True)
    if "action" in value:
        action = str(value["action"])
        if action in _ACTIONS:
            row.fields[action] = word_of(row, "action", True)
        elif action not in ("to_tbl", "lookup", "goto"):
            row.strange.append(f"action {action}")


def _add(row: Row, family: int, tables: Mapping[str, str], found: list[Rule], problems: Problems) -> None:
    before = len(problems.found)
    written = row.get("lookup") or row.get("table")
    table = TABLES.get(written) or tables.get(written, written)
    actions = [name for name in (*sorted(_ACTIONS), "goto") if name in row.fields] + (["lookup"] if written else [])
    if len(actions) > 1:
        problems.note(row, None, f"several actions: {', '.join(actions)}")
    if not actions and not row.strange:
        problems.note(row, None, "no action", "such as `lookup main`, `goto 100` or `prohibit`")
    mark, mask = _mark(row, problems)
    rule = Rule(
        row.line, family, fields.number(row, "priority", problems), actions[0] if actions else "strange",
        table=table, target=fields.number(row, "goto", problems), negated="not" in row.fields,
        source=_prefix(row, "from", family, problems), destination=_prefix(row, "to", family, problems),
        mark=mark, mask=mask, in_interface=row.get("iif"), out_interface=row.get("oif"),
        protocol=fields.protocol(row, "ipproto", problems),
        source_ports=fields.ports(row, "sport", problems), ports=fields.ports(row, "dport", problems),
        suppress=fields.number(row, "suppress_prefixlength", problems, -1, 128),
        suppress_group=row.get("suppress_ifgroup"), strange=tuple(row.strange),
    )  # fmt: skip
    if rule.action == "goto" and rule.target <= rule.priority:
        problems.note(row, row.fields["goto"], f"goto {rule.target} leads back", "a rule leads to later ones only")
    if "priority" not in row.fields:
        problems.note(row, None, "no priority")
    if len(problems.found) == before:
        found.append(rule)


def _prefix(row: Row, name: str, family: int, problems: Problems) -> Prefix | None:
    word = row.fields.get(name)
    if word is None or word.text in ("all", "any", "default"):
        return None
    found = fields.prefix(row, name, problems)
    if found is not None and found.family != family:
        problems.note(row, word, f"`{visible(word.text)}` is no IPv{family} address, among rules of IPv{family}",
                      "the rules of IPv6 are read of their own: `ip -6 rule`")  # fmt: skip
    return found


def _mark(row: Row, problems: Problems) -> tuple[int, int]:
    word: Word | None = row.fields.get("fwmark")
    if word is None:
        return 0, 0
    mark, slash, mask = word.text.partition("/")
    value = fields.whole(row, word, mark, "fwmark", problems, 0, 0xFFFFFFFF)
    if slash:
        return value, fields.whole(row, word, mask, "fwmark", problems, 0, 0xFFFFFFFF)
    return value, 0xFFFFFFFF
