"""The shipped rules and the JSON that is read in their place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from netinsight.diagnosis import catalogue
from netinsight.diagnosis.catalogue import compile_rules, shipped_rules

from .conftest import Keep

FOLDERS = ("report", "reference")


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_compiled_rules_are_those_of_the_files(folder: str, keep: Keep) -> None:
    keep(shipped_rules() / f"{folder}.json", compile_rules(folder))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_compiled_rules_are_what_is_read(folder: str) -> None:
    assert catalogue._compiled(folder) == json.loads(compile_rules(folder))["value"]


def test_a_file_that_was_edited_is_read_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(shipped_rules(), rules)
    monkeypatch.setattr(catalogue, "shipped_rules", lambda: rules)
    facts = rules / "report" / "facts.yaml"
    facts.write_text(facts.read_text("utf-8").replace("cpu: 80", "cpu: 55"), "utf-8")
    assert catalogue._compiled("report") is None
    assert catalogue._load(catalogue.Catalogue, "report", None).thresholds.cpu == 55
    (rules / "report.json").unlink()
    assert catalogue._load(catalogue.Catalogue, "report", None).thresholds.cpu == 55


def test_line_ends_of_windows_are_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(shipped_rules(), rules)
    for file in (rules / "report").iterdir():
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    monkeypatch.setattr(catalogue, "shipped_rules", lambda: rules)
    assert catalogue._compiled("report") is not None
