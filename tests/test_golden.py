"""The reports of the examples, kept whole: a folder of ``tests/golden`` is a question and everything said in answer.

A folder begins with one file, ``command``: the arguments after ``netinsight``. ``pytest --update-golden`` writes the
others. What they say is then for a person to read; the tests here hold it to what any report must be.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator

from netinsight.cli import run
from netinsight.render.layout import WIDTH, width_of

from .conftest import ROOT, Keep

GOLDEN = ROOT / "tests" / "golden"
GOLDEN_ERRORS = ROOT / "tests" / "golden-errors"
NAMES = sorted(path.parent.name for path in GOLDEN.glob("*/command"))
EXAMPLES = sorted(path.stem for path in (ROOT / "topologies").glob("*.yaml"))
FORMS = {"report.txt": [], "report.json": ["--output", "json"], "report.zh.txt": ["--lang", "zh"]}
"""The files of a folder, and the arguments that are added to its command for each."""

pytestmark = pytest.mark.usefixtures("project_root")


class Answer(NamedTuple):
    """What a command wrote, and its exit status."""

    written: str
    status: int


Ask = Callable[[str, str], Answer]


_ASKED: dict[tuple[str, str], Answer] = {}


@pytest.fixture
def ask_anew(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs the command of a folder of ``tests/golden`` in one of its forms."""

    def answer(name: str, form: str) -> Answer:
        status = run([*shlex.split(command_of(name)), *FORMS[form]])
        captured = capsys.readouterr()
        assert captured.err == ""
        return Answer(captured.out, status)

    return answer


@pytest.fixture
def ask(ask_anew: Ask) -> Ask:
    """The same, asked once for all tests: an estate takes a second to read."""

    def answer(name: str, form: str) -> Answer:
        if (name, form) not in _ASKED:
            _ASKED[name, form] = ask_anew(name, form)
        return _ASKED[name, form]

    return answer


def command_of(name: str) -> str:
    return (GOLDEN / name / "command").read_text("utf-8").rstrip("\n")


def places(value: Any) -> Iterator[tuple[str, int]]:
    """Every file and line that a report names."""
    if isinstance(value, dict):
        if value.get("line") is not None:
            yield value["file"], value["line"]
        value = list(value.values())
    if isinstance(value, list):
        for below in value:
            yield from places(below)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_the_one_that_is_kept(name: str, form: str, ask: Ask, keep: Keep) -> None:
    keep(GOLDEN / name / form, ask(name, form).written)


@pytest.mark.parametrize("name", NAMES)
def test_the_exit_status_is_the_one_that_is_kept_in_every_form(name: str, ask: Ask, keep: Keep) -> None:
    (status,) = {ask(name, form).status for form in FORMS}
    keep(GOLDEN / name / "status", f"{status}\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_json_report_is_what_its_schema_says(name: str, ask: Ask) -> None:
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(json.loads(ask(name, "report.json").written))


@pytest.mark.parametrize("name", NAMES)
def test_every_place_that_a_report_names_is_a_line_of_the_topology_that_says_something(name: str, ask: Ask) -> None:
    named = set(places(json.loads(ask(name, "report.json").written)))
    assert named
    for file, line in named:
        lines = Path(file).read_text("utf-8").splitlines()
        assert 1 <= line <= len(lines)
        assert lines[line - 1].partition("#")[0].strip()


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_that_decided_stands_on_the_line_that_is_named(name: str, ask: Ask) -> None:
    for item in json.loads(ask(name, "report.json").written)["items"]:
        for evidence in item["evidence"]:
            if evidence["kind"] in ("security_group_rule", "network_acl_entry"):
                line = Path(evidence["file"]).read_text("utf-8").splitlines()[evidence["line"] - 1].replace('"', "")
                policy, *_, peer = re.sub(r" priority \d+$", "", evidence["text"]).split()
                assert f"policy: {policy}," in line
                assert f": {peer}" in line


@pytest.mark.parametrize("form", [form for form in FORMS if form.endswith(".txt")])
@pytest.mark.parametrize("name", NAMES)
def test_no_line_of_a_text_is_wider_than_a_page(name: str, form: str, ask: Ask) -> None:
    assert [line for line in ask(name, form).written.splitlines() if width_of(line) > WIDTH] == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_asking_twice_gives_the_same_bytes(name: str, form: str, ask: Ask, ask_anew: Ask) -> None:
    assert ask(name, form) == ask_anew(name, form)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_command_that_an_example_tells_first_is_the_one_whose_report_is_kept(example: str) -> None:
    written = (ROOT / "topologies" / f"{example}.yaml").read_text("utf-8")
    told = re.search(r"^# +netinsight (.+)$", written, re.MULTILINE)
    assert told is not None
    kept = [folder / example / "command" for folder in (GOLDEN, GOLDEN_ERRORS)]
    assert [told[1]] == [path.read_text("utf-8").rstrip("\n") for path in kept if path.is_file()]
