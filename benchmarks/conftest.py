"""Shared by the benchmarks: ratios are printed at the end, since only ratios mean anything on a shared machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

_RATIOS: list[str] = []


@pytest.fixture
def ratio() -> Iterator[Callable[[str, float, float], None]]:
    """Note how many times the second figure the first one is."""
    return lambda what, value, anchor: _RATIOS.append(f"{what}: {value / anchor:.1f} x")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The ratios, after the tables."""
    for line in _RATIOS:
        terminalreporter.write_line(f"ratio  {line}")
