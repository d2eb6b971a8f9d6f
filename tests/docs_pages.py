"""The pages of ``docs`` that are made, not written: from the schemas, the catalogue and the argument parser."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from netinsight.cli import run
from netinsight.cli.parser import build_parser
from netinsight.diagnosis.catalogue import load_reference
from netinsight.diagnosis.glossary import names_elsewhere
from netinsight.errors import ExitStatus

Schema = dict[str, Any]

MADE = "<!-- made by tests/docs_pages.py; `make golden` writes it anew -->"

EXIT_STATUSES = {
    ExitStatus.REACHABLE: "`reachable`; of `ports`: something passes; of `validate`: valid, maybe with warnings; of other "
    "commands: done",
    ExitStatus.NOT_REACHABLE: "`unreachable` or `partial`; of `ports`: nothing passes; of `exposure --fail-if-exposed`: "
    "something is reached that is not allowed",
    ExitStatus.NOT_ASKED: "the command could not be done: bad arguments, bad input, an object that does not exist, a "
    "precondition that does not hold",
    ExitStatus.UNDETERMINED: "`undetermined`",
    ExitStatus.DEFECT: "a defect of NetInsight itself",
    ExitStatus.INTERRUPTED: "interrupted",
}


def printed(*arguments: str) -> str:
    """What a command prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        run(arguments)
    return out.getvalue()


def table(heads: list[str], rows: list[list[str]]) -> Iterator[str]:
    """A Markdown table, and the empty line after it."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def page(*lines: str) -> str:
    """Lines as a file."""
    return "\n".join(lines).rstrip("\n") + "\n"


# The command line


def command_line() -> str:
    """Every command and every option, as the parser knows them."""
    parser = build_parser()
    commands = dict(_commands(parser))
    summaries = {name: summary for name, (summary, _) in commands.items()}
    lines = ["# Command line", "", MADE, "", parser.description or "", ""]
    lines += ["`netinsight --help` and `netinsight COMMAND --help` tell the same.", ""]
    rows = [[f"[`{name}`](#{name.replace(' ', '-')})", summary] for name, summary in summaries.items()]
    lines += table(["command", "what it does"], rows)
    for name, (_, command) in commands.items():
        lines += [f"## {name}", "", f"{command.description}", "", "```text", _usage(command), "```", ""]
        arguments = sorted(command._actions, key=lambda action: bool(action.option_strings))
        lines += table(["argument", "meaning"], [_argument(action) for action in arguments])
        examples = [line.strip() for line in (command.epilog or "").splitlines()[1:]]
        lines += ["```sh", *examples, "```", ""]
    statuses = [[f"{status.value}", words] for status, words in EXIT_STATUSES.items()]
    return page(*lines, "## Exit statuses", "", *table(["status", "when"], statuses), *_AFTER_STATUSES)


def _commands(
    parser: argparse.ArgumentParser, before: str = ""
) -> Iterator[tuple[str, tuple[str, argparse.ArgumentParser]]]:
    """Every command with its summary; of one that has commands of its own only those."""
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    summaries = {action.dest: action.help or "" for action in commands._choices_actions}
    for name, command in commands.choices.items():
        if any(isinstance(action, argparse._SubParsersAction) for action in command._actions):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield before + name, (summaries[name], command)


_AFTER_STATUSES = (
    "Of many questions the exit status is that of all of them together: 0 where each is reachable, 3 where what is not",
    "known leaves it open, else 1. Results go to standard output or to the file of `--to`, errors and warnings to standard",
    "error; [verdicts](verdicts.md) tells how errors look.",
)


def _usage(command: argparse.ArgumentParser) -> str:
    positional = [action for action in command._actions if not action.option_strings]
    words = [f"[{_metavar(action)}]" if action.nargs == "?" else _metavar(action) for action in positional]
    return " ".join([command.prog, *words, "[OPTION …]"])


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return "|".join(map(str, action.choices or ())) or action.dest.upper()


def _argument(action: argparse.Action) -> list[str]:
    if not action.option_strings:
        return [f"`{_metavar(action)}`", marked(action.help or "")]
    value = "" if action.nargs == 0 else f" {_metavar(action)}"
    options = sorted(action.option_strings, reverse=True)
    return [", ".join(f"`{option}{value}`" for option in options), marked(action.help or "")]


# Items, assumptions, what reasons say


def items() -> str:
    """Everything that a report may say, as ``netinsight explain`` tells it."""
    told: list[Schema] = json.loads(printed("explain", "--output", "json"))
    by_kind = {kind: list(entries) for kind, entries in groupby(sorted(told, key=_kind), key=_kind)}
    lines = ["# Items and reasons", "", MADE, "", *_ABOUT_ITEMS, "## Items", ""]
    rows = [[f"[`{one['id']}`](#{slug(one['id'])})", one["name"], one["severity"]] for one in by_kind["item"]]
    lines += table(["item", "name", "severity"], rows)
    for item in by_kind["item"]:
        lines += _item(item)
    lines += ["## Reasons", "", *_ABOUT_SAID, ""]
    rows = [[f"`{one['id']}`", names(one["text"])] for one in by_kind["reason"]]
    lines += table(["reason", "what it says"], rows)
    lines += [
        "## Assumptions",
        "",
        "What the cloud's documentation leaves open: [how to turn one](assumptions.md).",
        "",
    ]
    rows = [[f"`{one['id']}`", one["meaning"], *map(code, one["values"])] for one in by_kind["assumption"]]
    return page(*lines, *table(["assumption", "what it asks", "default", "otherwise"], rows))


_ABOUT_ITEMS = (
    "An item is one thing that is checked. A report gives each a status: `normal`, `abnormal`, `skipped` or `unknown`",
    "([verdicts](verdicts.md)). An abnormal item that is critical stops what was asked; one that is not critical may impair",
    "it, and never changes the verdict. Names in italics stand for what a report fills in: an id, a rule, an address.",
    "",
    "`netinsight explain ITEM` prints the same, with `--lang zh` in Chinese; `--rules DIR` replaces texts and thresholds.",
    "",
)


_ABOUT_SAID = (
    "Why a stage of a path decided as it did. [Why a packet is stopped](reasons.md) tells of each reason that stops one what",
    "it means, exactly when it is given, and what other clouds call it.",
)


def _kind(entry: Schema) -> str:
    return str(entry["kind"])


def _item(item: Schema) -> Iterator[str]:
    yield from (f"### {item['id']}", "")
    yield from (f"**{item['name']}** ({item['severity']}; {item['category']})", "")
    yield from (f"{sentence(item['meaning'])}.", "")
    if item["suggestion"]:
        yield from (f"What to do: {names(item['suggestion'])}.", "")
    rows = [[names(one["text"]), names(one["suggestion"])] for one in item["says"]]
    if any(then for _, then in rows):
        yield from table(["it may say", "then"], rows)
    elif rows:
        yield from ("It may say:", "", *(f"- {text}" for text, _ in rows), "")


# Reasons


def reasons() -> str:
    """Why a packet is stopped or cannot be judged, by topic, and what other clouds call that."""
    told: list[Schema] = [one for one in json.loads(printed("explain", "--output", "json")) if one["when"]]
    topics = {words.en: [one for one in told if one["topic"] == words.en] for words in load_reference().topics.values()}
    lines = ["# Why a packet is stopped", "", MADE, "", *_ABOUT_REASONS, ""]
    for topic, mine in topics.items():
        lines += [f"## {topic}", ""]
        rows = [
            [f"`{one['id']}`", sentence(one["meaning"]), sentence(marked(one["when"])), _to_do(one)] for one in mine
        ]
        lines += table(["reason", "what it means", "exactly when", "what to do"], rows)
        rows = [[f"`{one['id']}`", *map(_called, one["elsewhere"].values())] for one in mine]
        lines += table(["reason", *_CLOUDS.values()], rows)
    lines += ["## By another cloud's name", "", *_ABOUT_NAMES, ""]
    called = sorted(names_elsewhere(load_reference()).values(), key=lambda one: one.name.casefold())
    rows = [[_called([one.name]), ", ".join(_CLOUDS[cloud] for cloud in one.clouds), ", ".join(map(code, one.reasons))]
            for one in called]  # fmt: skip
    return page(*lines, *table(["name", "whose", "reason here"], rows), *_AFTER_NAMES)


_CLOUDS = {"aws": "AWS", "google": "Google", "azure": "Azure", "alibaba": "Alibaba NIS"}

_ABOUT_REASONS = (
    "Each reason that stops a packet, or leaves open whether it passes, and each item of a guest or an account that does.",
    "Reports and `--explain` give the reason as a sentence ([what each says](items.md#reasons)); its code names it here. A",
    "reason of the last table makes an answer `undetermined`, as do `nat.multi_binded` and `nat.protocol`; the others stop",
    "what they are about ([verdicts](verdicts.md)). Names in italics stand for what a report fills in.",
    "",
    "`netinsight explain REASON` prints the same, with `--lang zh` in Chinese, and `netinsight explain NAME` finds a reason",
    "by another cloud's name. A dash stands where that cloud has no name for it. The names are those of AWS Reachability",
    "Analyzer and Route Analyzer, the drop and abort causes of Google's Connectivity Tests, the issue types of Azure Network",
    "Watcher, and, in short, the reasons that Alibaba Cloud's reachability analyzer (NIS) tells apart.",
)

_ABOUT_NAMES = ("For who comes from another analyzer: its name, and the reasons that tell the same here.",)

_AFTER_NAMES = (
    "Three more reasons of NIS are errors here, with exit status 2 and no answer: that source and destination are one, that",
    "an end does not exist (where the topology names an object without describing it, the answer is `undetermined` by",
    "`unknown.fact` or `gateway.not_modelled`), and that an end is of a kind that cannot be one. A defect of the tool has exit",
    "status 70.",
)


def _to_do(entry: Schema) -> str:
    told = entry["says"] if entry["kind"] == "reason" else []
    advice = [f"{one['text']}: {one['suggestion']}" for one in told]
    return "; or: ".join(names(one) for one in (advice or [entry["suggestion"]]))


def _called(known: list[str]) -> str:
    return ", ".join(name if " " in name else f"`{name}`" for name in known) or "—"


# Words and marks


def code(text: str) -> str:
    """In backquotes."""
    return f"`{text}`"


def sentence(text: str) -> str:
    """With a capital letter, where it begins with a word."""
    return text[0].upper() + text[1:]


def names(text: str) -> str:
    """``{name}``, in backquotes or not, in italics."""
    return re.sub(r"(`?)\{(\w+)\}\1", lambda match: f"*{match[2].replace('_', ' ')}*", marked(text))


def marked(text: str) -> str:
    """With options as code, and the pages that it names as links."""
    parts = re.split(r"(`[^`]*`)", text)  # what is code already stays as it is
    text = "".join(
        re.sub(r"(?<![\w-])--[a-z-]+", r"`\g<0>`", one) if n % 2 == 0 else one for n, one in enumerate(parts)
    )
    return re.sub(r"docs/([\w-]+\.md)", r"[docs/\1](\1)", text)


def slug(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# Keys, from a JSON schema


def topology_keys() -> str:
    """Every key of a topology file."""
    lead = [
        "Every key that a topology file may have. [The topology file](topology-format.md) tells how they go together; an",
        "editor that knows [the schema](topology.schema.json) completes them. No other key is accepted.",
        "",
        "*required* stands where a key must not be left out, a dash where leaving it out means that nothing is said of it.",
        "A type *or Unknown* may be declared not known: `{unknown: why}`.",
        "",
    ]
    return _keys("Keys of the topology file", json.loads(printed("schema", "topology")), lead, defaults=True)


def report_keys() -> str:
    """Every key of a report."""
    lead = [
        "What `--output json` prints and what an `Answer` has as attributes ([the schema](report.schema.json)). Every key is",
        "always there, but for `explain`, which only `--explain` adds. In Python two have an underscore, `schema_` and",
        "`return_`.",
        "",
    ]
    return _keys("Keys of the report", json.loads(printed("schema", "report")), lead, defaults=False)


def _keys(title: str, schema: Schema, lead: list[str], *, defaults: bool) -> str:
    kinds: dict[str, Schema] = schema["$defs"]
    lines = [f"# {title}", "", MADE, "", *lead, "## Top level", "", *_properties(schema, kinds, defaults)]
    for name in _in_order(schema, kinds):
        if "properties" in kinds[name]:
            lines += [f"## {name}", "", marked(kinds[name].get("description", "")), ""]
            lines += _properties(kinds[name], kinds, defaults)
    for name, kind in sorted(kinds.items()):
        if "enum" in kind:
            words = ", ".join(map(code, _words(kind["enum"])))
            lines += [f"## {name}", "", marked(f"{kind['description']} One of {words}."), ""]
    return page(*lines)


def _in_order(schema: Schema, kinds: dict[str, Schema]) -> list[str]:
    """The definitions in the order in which a reader from the top meets them."""
    met: list[str] = []
    for name in re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema["properties"])):
        for found in [name, *(_in_order(kinds[name], kinds) if "properties" in kinds[name] else [])]:
            if found not in met:
                met.append(found)
    return met


def _properties(kind: Schema, kinds: dict[str, Schema], defaults: bool) -> Iterator[str]:
    heads = ["key", "type", "default", "meaning"] if defaults else ["key", "type", "meaning"]
    rows = []
    for key, value in kind["properties"].items():
        reference = value.get("$ref") or value.get("items", {}).get("$ref", "")
        target = kinds.get(reference.rpartition("/")[2], {})
        meaning = marked(value.get("description") or target.get("description", ""))
        default = [_default(key, value, kind)] if defaults else []
        rows.append([f"`{key}`", _type(value, null=not defaults), *default, meaning])
    yield from table(heads, rows)


def _default(key: str, value: Schema, kind: Schema) -> str:
    if key in kind.get("required", []):
        return "*required*"
    if value.get("default") is not None:
        return f"`{json.dumps(value['default']).strip(chr(34))}`"
    if "default" in value:
        return "–"
    forms = [form.get("type") for form in value.get("anyOf", [value])]
    return "`[]`" if "array" in forms else "`{}`"


def _type(value: Schema, *, null: bool) -> str:
    if "anyOf" in value:
        forms = [_type(form, null=null) for form in value["anyOf"] if null or form != {"type": "null"}]
        return " or ".join(forms)
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(map(code, _words(value["enum"])))
    if value.get("type") == "array":
        return f"list of {_type(value['items'], null=null)}"
    if value.get("type") == "object":
        return f"{_type(value['additionalProperties'], null=null)} by key"
    return _plain(value)


def _plain(value: Schema) -> str:
    word = {"string": "text", "boolean": "`true` or `false`"}.get(value["type"], value["type"])
    if value.get("format") == "date-time":
        return "moment"
    first, last = (value.get(one, value.get(two)) for one, two in (("minimum", "ge"), ("maximum", "le")))
    if first is not None and last is not None:
        return f"{word}, {first:g} to {last:g}"
    return f"{word}, at least {first:g}" if first is not None else word


def _words(enum: list[str]) -> list[str]:
    """Without the spellings that differ only in case."""
    return list({word.casefold(): word for word in reversed(enum)}.values())[::-1]
