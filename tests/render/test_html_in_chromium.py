"""The page as a browser lays it out: nothing is lost, and it never scrolls sideways."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from netinsight.api import load
from netinsight.diagnosis.catalogue import load_catalogue
from netinsight.diagnosis.report import Report
from netinsight.render.html import render_fragment, render_html

from ..conftest import ROOT
from .reports import Page, hostile, report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (360, 560, 800, 1280)

pytestmark = [
    pytest.mark.usefixtures("project_root"),
    pytest.mark.skipif(BROWSER is None, reason="no chromium, chromium-browser or google-chrome on this machine"),
]

MEASURE = """
addEventListener("load", () => {
  const told = [...document.querySelectorAll("iframe")].map(frame => {
    const inside = frame.contentDocument, root = inside.documentElement;
    inside.querySelectorAll("details").forEach(one => one.open = true);
    const wide = [...inside.querySelectorAll("body *")].filter(one => !one.closest(".ni-scroll, svg, thead"))
      .filter(one => one.getBoundingClientRect().right > root.clientWidth + 1).map(one => one.className || one.tagName);
    return {width: root.clientWidth, scrolls: root.scrollWidth, scripts: inside.scripts.length, wide: wide.slice(0, 5)};
  });
  document.title = JSON.stringify(told);
});
"""


def dom(page: Path, profile: Path) -> str:
    """The document as the browser has it once the page is loaded."""
    flags = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
             "disable-component-update", "disable-sync", "hide-scrollbars", f"user-data-dir={profile}", "dump-dom")  # fmt: skip
    command = [str(BROWSER), *(f"--{flag}" for flag in flags), page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def measured(written: str, folder: Path) -> list[dict[str, Any]]:
    """A page in frames of several widths: how far each scrolls, what sticks out of it."""
    frames = "".join(f'<iframe width="{width}" height="800" style="border:0" srcdoc="{html.escape(written)}"></iframe>'
                     for width in WIDTHS)  # fmt: skip
    wrapper = folder / "wrapper.html"
    wrapper.write_text(f"<!DOCTYPE html><meta charset='utf-8'><script>{MEASURE}</script>{frames}", encoding="utf-8")
    title = re.search(r"<title>(.*?)</title>", dom(wrapper, folder / "profile"), re.DOTALL)
    assert title is not None
    found: list[dict[str, Any]] = json.loads(html.unescape(title[1]))
    return found


def reports() -> dict[str, Report]:
    return {
        "many blockers": report("many-blockers"),
        "Chinese": report("many-blockers", "zh"),
        "several paths": report("prefix-list-offices"),
        "hostile": hostile(),
    }


@pytest.mark.parametrize("name", ["many blockers", "Chinese", "several paths", "hostile"])
def test_a_page_never_scrolls_sideways(name: str, tmp_path: Path) -> None:
    found = measured(render_html(reports()[name], load_catalogue()), tmp_path)
    assert found == [{"width": width, "scrolls": width, "scripts": 0, "wide": []} for width in WIDTHS]


@pytest.mark.parametrize(
    "asked", [("i-app", "198.51.100.7", 443), ("internet", "clb-shop", 80), ("i-app", "i-far", 22)]
)
def test_a_page_of_ways_out_of_a_vpc_does_not_either(asked: tuple[str, str, int], tmp_path: Path) -> None:
    """Several equal paths, told apart by ids that are as long as the cloud's may be."""
    source, destination, port = asked
    text = (ROOT / "tests" / "render" / "wide.yaml").read_text("utf-8")
    for name in ("eip-out-1", "eip-out-2", "tr-attach-peer-hz", "nlb-shop"):
        text = text.replace(name, f"{name}-{'bp1l7fkz0a8v9xw6t2s3q' * 4}")
    file = tmp_path / "wide.yaml"
    file.write_text(text, encoding="utf-8")
    found = measured(load(str(file)).diagnose(source, destination, port=port).html(), tmp_path)
    assert found == [{"width": width, "scrolls": width, "scripts": 0, "wide": []} for width in WIDTHS]


def test_two_fragments_in_a_notebook_do_not_either(tmp_path: Path) -> None:
    both = "".join(render_fragment(report(name), load_catalogue()) for name in ("many-blockers", "ports-partly-open"))
    notebook = f'<!DOCTYPE html><body data-jp-theme-light="false"><div>{both}</div></body>'
    assert [one["scrolls"] for one in measured(notebook, tmp_path)] == list(WIDTHS)


def test_a_browser_reads_the_page_as_it_was_written(tmp_path: Path) -> None:
    written = render_html(hostile(), load_catalogue())
    file = tmp_path / "report.html"
    file.write_text(written, encoding="utf-8")
    read = dom(file, tmp_path / "profile")
    assert Page(read).text.strip() == Page(written).text.strip()
    assert "<script" not in read
