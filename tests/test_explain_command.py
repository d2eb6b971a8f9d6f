"""``netinsight explain``: every word that a report uses is explained, in both languages, and nothing else is."""

# ruff: noqa: F401, F811  (a fixture is imported, and taken by its name)
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from netinsight.diagnosis.case import Status
from netinsight.diagnosis.catalogue import load_catalogue, load_reference
from netinsight.errors import width_of
from netinsight.flow import Verdict
from netinsight.model.assumptions import ASSUMPTIONS
from tests.conftest import ROOT
from tests.test_cli import Command, command, with_rules

CATALOGUE, ABOUT = load_catalogue(), load_reference().about
REPORTS = [json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "tests" / "golden").glob("*/report.json"))]
SHOWN = {stage["stage"] for report in REPORTS for path in report["paths"]
         for stage in (*path["forward"], *path["return"])}  # fmt: skip
STAGES = sorted(
    SHOWN | {"gateway", "appliance", "guest.nat", "guest.route", "load_balancer", "route.reply", "public_ip.private"}
)
VERDICTS, STATUSES = [verdict.value for verdict in Verdict], [status.value for status in Status]
KINDS = {
    **dict.fromkeys(STAGES, "stage"),
    **dict.fromkeys(CATALOGUE.items, "item"),
    **dict.fromkeys(VERDICTS, "verdict"),
    **dict.fromkeys(STATUSES, "status"),
    **dict.fromkeys(ASSUMPTIONS, "assumption"),
}
REASONS = [name for name in CATALOGUE.reasons if name not in KINDS]
CHINESE = re.compile("[\u4e00-\u9fff]")


def told(command: Command, *words: str) -> str:
    """What ``explain`` prints, and nothing else."""
    answer = command("explain", *words)
    assert (answer.status, answer.err) == (0, ""), answer.err
    assert [line for line in answer.out.splitlines() if width_of(line) > 100 or line != line.rstrip()] == []
    return answer.out


def as_json(command: Command, *words: str) -> Any:
    return json.loads(command("explain", *words, "--output", "json").out)


def squeezed(text: str) -> str:
    """A text without its line breaks; they stand for nothing in Chinese, for a space in English."""
    return re.sub(r"\s+", "", text)


def test_the_example_reports_have_the_stages_that_there_are() -> None:
    assert len(REPORTS) > 30
    assert {"eni", "route", "nat", "security_group.egress", "network_acl.ingress", "platform.smtp", "blackhole",
            "public_ip.egress", "public_ip.ingress"} <= SHOWN  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", [*KINDS, *REASONS])
def test_every_word_of_a_report_is_explained(name: str, lang: str, command: Command) -> None:
    text = told(command, name, "--lang", lang)
    assert text.startswith(name)
    assert len(text.splitlines()) > 1
    entry = as_json(command, name, "--lang", lang)
    assert (entry["id"], entry["kind"]) == (name, KINDS.get(name, "reason"))
    assert entry["meaning"]
    assert squeezed(entry["meaning"]) in squeezed(text)
    if name in KINDS:
        assert bool(CHINESE.search(entry["meaning"])) is (lang == "zh")
        assert entry["meaning"] == getattr(ABOUT[name], lang)
    assert bool(CHINESE.search(text)) is (lang == "zh")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", CATALOGUE.items)
def test_an_item_tells_all_that_it_says_and_advises(name: str, lang: str, command: Command) -> None:
    item, text = CATALOGUE.items[name], squeezed(told(command, name, "--lang", lang))
    wanted = [item.name, item.suggestion, *item.findings.values(), *item.suggestions.values(),
              CATALOGUE.categories[item.category]]  # fmt: skip
    wanted += [said.suggestion for said in item.findings.values() if said.suggestion]
    wanted += [CATALOGUE.reasons[code] for code in item.suggestions]
    assert [words for words in wanted if squeezed(getattr(words, lang)) not in text] == []
    assert (
        squeezed(CATALOGUE.words[item.severity.value].zh if lang == "zh" else CATALOGUE.words[item.severity.value].en)
        in text
    )


@pytest.mark.parametrize("name", ASSUMPTIONS)
def test_an_assumption_tells_its_values_and_how_to_choose(name: str, command: Command) -> None:
    text = told(command, name)
    default, other = ASSUMPTIONS[name]
    assert default in text
    assert f"--assume {name}={other}" in text
    assert as_json(command, name)["values"] == [default, other]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_without_a_word_all_of_them_are_listed(lang: str, command: Command) -> None:
    text = told(command, "--lang", lang)
    names = re.findall(r"^  (\S+)  ", text, re.MULTILINE)
    assert [name for name in [*KINDS, *REASONS] if name not in names] == []
    assert len(names) == len(set(names)) == len(KINDS) + len(REASONS)
    listed = as_json(command, "--lang", lang)
    assert sorted(entry["id"] for entry in listed) == sorted(names)
    assert [entry for entry in listed if entry != as_json(command, entry["id"], "--lang", lang)][:1] == []


def test_the_list_tells_how_to_learn_more(command: Command) -> None:
    assert "netinsight explain " in told(command).splitlines()[-1]


MISSPELT = {
    "eni.security_group.ingres": "did you mean `eni.security_group.ingress`?",
    "unreachabel": "did you mean `unreachable`?",
    "icmp_gre_statefull": "did you mean `icmp_gre_stateful`?",
    "abnorml": "did you mean `abnormal`?",
    "zzzzzzzz": "`netinsight explain` lists all of them",
    "": "`netinsight explain` lists all of them",
    "\x1b[31m\n": "`netinsight explain` lists all of them",
}


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize(("written", "hint"), MISSPELT.items(), ids=map(repr, MISSPELT))
def test_a_word_that_no_report_has_is_2_with_a_hint(written: str, hint: str, output: str, command: Command) -> None:
    answer = command("explain", written, "--output", output)
    assert (answer.status, answer.out) == (2, "")
    assert hint in answer.err
    assert "\x1b" not in answer.err
    assert output == "text" or json.loads(answer.err.splitlines()[-1])["errors"][0]["hint"] == hint


def test_a_folder_of_rules_changes_what_is_told(command: Command, tmp_path: Path) -> None:
    rules = with_rules(
        tmp_path,
        'about: {load.cpu: {en: "how hot it runs"}}\n'
        'items: {load.cpu: {name: {en: "Is the CPU idle"}, suggestion: {en: "sleep"}}}\n'
        'reasons: {route.none: {en: "no way to {destination}"}}\n',
    )
    assert told(command, "load.cpu", *rules).splitlines()[0].startswith("load.cpu  Is the CPU idle  (")
    assert "how hot it runs" in told(command, "load.cpu", *rules)
    assert "do: sleep" in told(command, "load.cpu", *rules)
    assert "no way to {destination}" in told(command, "route.none", *rules)
    assert "Is the CPU idle" in told(command, *rules)
    assert told(command, "load.cpu", *rules, "--lang", "zh") == told(command, "load.cpu", "--lang", "zh")
    assert told(command, "nic.ip", *rules) == told(command, "nic.ip")


WRONG = {
    "a word that is not known": ('about:\n  load.cpuu: {en: x, zh: x}\n', 2, "not in the catalogue's `about`"),
    "a text that is a number": ("about:\n  load.cpu: {en: 5}\n", 2, "expected text, found `5`"),
    "a section that is not known": ("abuot: {}\n", 1, "unknown key `abuot`"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_folder_of_rules_is_told_at_its_place(
    text: str, line: int, message: str, command: Command, tmp_path: Path
) -> None:
    rules = with_rules(tmp_path, text)
    answer = command("explain", "load.cpu", *rules)
    assert (answer.status, answer.out) == (2, "")
    assert re.match(rf"{re.escape(str(Path(rules[1]) / 'mine.yaml'))}:{line}:\d+: ", answer.err)
    assert message in answer.err.splitlines()[0]


def test_a_file_gets_what_standard_output_would(command: Command, tmp_path: Path) -> None:
    target = tmp_path / "text"
    assert told(command, "eni.status", "--to", str(target)) == ""
    assert target.read_text("utf-8") == told(command, "eni.status")


def test_the_catalogue_explains_each_word_that_there_is_and_no_other() -> None:
    assert sorted(ABOUT) == sorted(KINDS)


def test_no_explanation_has_a_name_that_is_not_filled_in() -> None:
    assert [name for name, words in ABOUT.items() if "{" in words.en + words.zh] == []
