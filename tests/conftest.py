"""What the tests share: files that are kept as the tool wrote them, and the flag that writes them anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
