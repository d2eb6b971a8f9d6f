"""What is said where a question cannot be asked, kept whole: a folder of ``tests/golden-errors`` is one such question.

A folder begins with one file, ``command``, as those of ``tests/golden`` do, and holds the topology where it is a broken
one. ``pytest --update-golden`` writes the others: what stands on standard error.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from netinsight.cli import run
from netinsight.errors import ExitStatus

from .conftest import Keep
from .test_golden import GOLDEN_ERRORS

NAMES = sorted(path.parent.name for path in GOLDEN_ERRORS.glob("*/command"))
FORMS = {"error.txt": [], "error.json.txt": ["--output", "json"]}
"""The files of a folder, and the arguments that are added to its command for each."""
HEADLINE = re.compile(r"^(\S+\.yaml):(\d+):(\d+): \S", re.MULTILINE)
"""``FILE:LINE:COLUMN: what is wrong``."""

pytestmark = pytest.mark.usefixtures("project_root")

Refuse = Callable[[str, str], str]


@pytest.fixture
def refuse(capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Runs the command of a folder in one of its forms, and gives what it says on standard error."""

    def said(name: str, form: str) -> str:
        command = (GOLDEN_ERRORS / name / "command").read_text("utf-8")
        status = run([*shlex.split(command), *FORMS[form]])
        captured = capsys.readouterr()
        assert status == ExitStatus.NOT_ASKED
        assert captured.out == ""
        return captured.err

    return said


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_an_error_is_the_one_that_is_kept(name: str, form: str, refuse: Refuse, keep: Keep) -> None:
    keep(GOLDEN_ERRORS / name / form, refuse(name, form))


@pytest.mark.parametrize("name", NAMES)
def test_every_problem_begins_with_its_place_and_shows_the_line_that_stands_there(name: str, refuse: Refuse) -> None:
    text = refuse(name, "error.txt")
    assert HEADLINE.match(text)
    for found in HEADLINE.finditer(text):
        file, line, column = found[1], int(found[2]), int(found[3])
        told = Path(file).read_text("utf-8").splitlines()[line - 1]
        excerpt, marker = text[found.start() :].splitlines()[1:3]
        assert excerpt[marker.index("^") :].rstrip("…") in told[column - 1 :]


@pytest.mark.parametrize("name", NAMES)
def test_json_has_the_same_problems_on_the_last_line(name: str, refuse: Refuse) -> None:
    text, _, last = refuse(name, "error.json.txt").rstrip("\n").rpartition("\n")
    assert f"{text}\n" == refuse(name, "error.txt")
    errors = json.loads(last)["errors"]
    places = [(found[1], int(found[2]), int(found[3])) for found in HEADLINE.finditer(text)]
    assert [(error["file"], error["line"], error["column"]) for error in errors] == places
    assert all(error["severity"] == "error" and error["message"] for error in errors)
