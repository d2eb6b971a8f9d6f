"""What the tests share: files that are kept as the tool wrote them, and the flag that writes them anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from hypothesis import settings
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

import netinsight
from netinsight.diagnosis import diagnose
from netinsight.diagnosis.report import Report

# The same examples in every run, so that a run says something of the code and not of its luck; a search for rarer ones is
# `pytest --hypothesis-profile=search --hypothesis-seed=N`.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("same")
# Hypothesis draws from the constants of what is imported too: it is all of the package, whichever tests run, and before them.
for _found in walk_packages(netinsight.__path__, "netinsight."):
    if not _found.name.endswith("__main__"):
        import_module(_found.name)

ROOT = Path(__file__).resolve().parent.parent

Keep = Callable[[Path, str], None]
"""Compares a text with a kept file, byte by byte."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the reports of tests/golden and the schemas of docs anew, instead of comparing with them",
    )


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Keep:
    """Compares a text with a kept file, or writes the file where ``--update-golden`` is given."""
    update = request.config.getoption("--update-golden")

    def compare(path: Path, text: str) -> None:
        if update:
            path.write_bytes(text.encode())
            return
        assert path.is_file(), f"{path.name} was never written: run pytest --update-golden, and read what it writes"
        assert text == path.read_bytes().decode(), f"{path.name} differs; if it should, run pytest --update-golden"

    return compare


@pytest.fixture
def project_root(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of the project, made the current folder, so that reports name files as a reader of the README would."""
    monkeypatch.chdir(ROOT)
    return ROOT


@pytest.fixture(scope="session", autouse=True)
def every_report_fits_its_schema() -> Iterator[None]:
    """Each report that any test makes is checked against the documented schema, as a script would read it.

    Reports have much in common: of equal parts that fit one is looked at.
    """
    by_reference, fitting = Draft202012Validator.VALIDATORS["$ref"], set[tuple[str, str]]()

    def remembered(validator: Any, reference: str, instance: object, schema: Any) -> Iterator[Any]:
        part = reference, json.dumps(instance)
        if part not in fitting:
            errors = list(by_reference(validator, reference, instance, schema))
            if not errors:
                fitting.add(part)
            yield from errors

    validator = extend(Draft202012Validator, {"$ref": remembered})(
        json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    )
    write = diagnose.write

    def checked(*arguments: object) -> Report:
        report = write(*arguments)  # type: ignore[arg-type]
        validator.validate(json.loads(report.to_json()))
        return report

    patch = pytest.MonkeyPatch()
    patch.setattr(diagnose, "write", checked)
    yield
    patch.undo()
