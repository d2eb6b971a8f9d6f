"""Data that lies beside the project: tests that need it skip, with the reason, where it is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


def shared(*parts: str) -> Path:
    """A file or folder of the shared data; skips where it is not there."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no ../shared/data/{'/'.join(parts)} beside the project", allow_module_level=True)
    return path
