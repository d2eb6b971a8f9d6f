"""The reports that the renderers are tried on, and a reader of the pages that they write."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

from netinsight.api import Net, load
from netinsight.diagnosis.report import Report

from ..conftest import ROOT

QUESTIONS: dict[str, dict[str, str]] = {
    "many-blockers": {"src": "i-jump", "dst": "i-build", "port": "22"},
    "two-tier": {"src": "i-web", "dst": "i-db", "port": "3306"},
    "ports-partly-open": {"src": "i-client", "dst": "i-svc", "port": "8000-8010"},
    "nat-undetermined": {"src": "i-worker", "dst": "198.51.100.80", "port": "443"},
    "blackhole": {"src": "internet", "dst": "i-shop", "port": "443"},
    "prefix-list-offices": {"src": "internet", "dst": "i-code", "port": "22"},
    "enterprise-group": {"src": "i-node", "dst": "100.100.2.136", "port": "53", "protocol": "udp"},
}
"""A topology of the examples, and what is asked of it."""

EVIL = "<script>alert(1)</script>\"'`]]>&amp;<!--\N{RIGHT-TO-LEFT OVERRIDE}\N{ZERO WIDTH SPACE}\x1b[31m\x00"


@lru_cache(maxsize=16)
def net(name: str) -> Net:
    return load(str(Path("topologies") / f"{name}.yaml"))


@lru_cache(maxsize=64)
def report(name: str, lang: str = "en", explain: bool = True) -> Report:
    """The answer to one of ``QUESTIONS``; the current folder must be the project's."""
    assert Path.cwd() == ROOT
    return net(name).diagnose(**QUESTIONS[name], lang=lang, explain=explain)  # type: ignore[arg-type]


def changed(original: Report, **replaced: str) -> Report:
    """A report with other names in it than a topology could have: ``i_jump="…"`` for ``i-jump``."""
    text = original.to_json()
    for name, new in replaced.items():
        text = text.replace(name.replace("_", "-"), json.dumps(new)[1:-1])
    return Report.model_validate_json(text)


def hostile() -> Report:
    """Names that would break out, turn the text round, or never end."""
    return changed(
        report("many-blockers"),
        i_jump=EVIL,
        vsw_build="v" + "W" * 5000,
        eni_build="e\N{COMBINING ACUTE ACCENT}" * 2500,
        sg_jump="安" * 5000,
        topologies="/".join(["long"] * 1000),
    )


class Page(HTMLParser):
    """A page as its elements, their attributes and its text; fails where an element is not closed by its own end."""

    VOID = ("meta", "wbr", "br")

    def __init__(self, written: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.pieces: list[str] = []
        self.comments: list[str] = []
        self.feed(written)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.pieces.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def text(self) -> str:
        """All that is written on it, the room between words as one space."""
        return squeezed("".join(self.pieces))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def drawings(written: str) -> list[str]:
    return re.findall(r"<svg.*?</svg>", written, re.DOTALL)
