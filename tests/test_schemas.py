"""The JSON schemas of ``docs``, which editors and scripts read, are those of the tool, and the examples hold to them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from netinsight.cli import run
from netinsight.sources.yaml_file import read_yaml

from .conftest import ROOT, Keep

KINDS = ("topology", "report", "ports", "who-can-reach", "exposure")
EXAMPLES = sorted((ROOT / "topologies").glob("*.yaml"))

pytestmark = pytest.mark.usefixtures("project_root")


def path_of(kind: str) -> Path:
    return ROOT / "docs" / f"{kind}.schema.json"


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_the_one_that_is_kept(kind: str, keep: Keep, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", kind]) == 0
    keep(path_of(kind), capsys.readouterr().out)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_itself_a_valid_schema(kind: str) -> None:
    Draft202012Validator.check_schema(json.loads(path_of(kind).read_text("utf-8")))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_what_the_schema_says(example: Path) -> None:
    read = read_yaml(example.read_text("utf-8"), example.name).result
    assert read is not None
    schema = json.loads(path_of("topology").read_text("utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(read[0])] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_tells_editors_where_its_schema_is(example: Path) -> None:
    first = example.read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../docs/topology.schema.json"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid_without_a_warning(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", str(example.relative_to(ROOT))]) == 0
    assert capsys.readouterr().err == ""
