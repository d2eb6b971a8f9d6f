"""The notebook of ``docs`` runs, and what is kept in it is what it shows."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from .conftest import ROOT, Keep

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


def run(notebook: nbformat.NotebookNode) -> None:
    """Every cell anew, as in its own folder; what depends on the machine is left out of what is kept."""
    client = NotebookClient(notebook, kernel_name="python3", timeout=120, record_timing=False,
                            resources={"metadata": {"path": str(NOTEBOOK.parent)}})  # fmt: skip
    client.execute()
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):  # beside it, the text is the repr of all that an answer holds
                output["data"].pop("text/plain", None)


def written(notebook: nbformat.NotebookNode) -> str:
    return nbformat.writes(notebook, indent=1) + "\n"


def test_the_notebook_shows_what_is_kept_in_it(keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    run(notebook)
    keep(NOTEBOOK, written(notebook))
