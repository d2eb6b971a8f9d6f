"""The page: all of the report stands in it, nothing of the report can break it, and it needs nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from netinsight.api import load
from netinsight.diagnosis.catalogue import load_catalogue
from netinsight.diagnosis.report import Report
from netinsight.render.html import OPEN_PATHS, render_fragment, render_html
from netinsight.render.svg import NAMESPACE

from ..conftest import ROOT
from .reports import EVIL, QUESTIONS, Page, changed, drawings, hostile, report, squeezed

pytestmark = pytest.mark.usefixtures("project_root")

ELEMENTS = (
    "html head meta title style body main div header section footer h1 h2 h3 h4 h5 span strong small p code br wbr ol ul li dl"
    " dt dd details summary table caption thead tbody tr th td svg desc g rect path circle text"
)
ATTRIBUTES = (
    "lang charset http-equiv content name class open scope colspan tabindex role aria-hidden aria-label data-field xmlns"
    " viewbox width height x y rx r d fill stroke stroke-width stroke-linecap stroke-linejoin stroke-dasharray font-family"
    " font-size font-weight text-anchor transform"
)


def page(of: Report) -> str:
    return render_html(of, load_catalogue())


def fragment(of: Report) -> str:
    return render_fragment(of, load_catalogue())


def told(value: Any, inside: str = "") -> Iterator[str]:
    """What a report tells, piece by piece; a file and its line as one."""
    if isinstance(value, dict):
        if value.get("file"):
            yield f"{value['file']}:{value['line']}"
        for key, below in value.items():
            if key not in ("schema", "lang", "verdict", "severity", "status", "decision", "action", "outcome", "matches",
                           "type", "kind", "file", "line", "reachable_ports", "partly_reachable_ports", "by"):  # fmt: skip
                yield from told(below, key)
    elif isinstance(value, list):
        for below in value:
            yield from told(below, inside)
    elif isinstance(value, str) and value not in ("", "-1/-1"):
        yield value


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_everything_that_a_report_tells_stands_in_its_page(name: str, lang: str) -> None:
    answer = report(name, lang)
    text = Page(page(answer)).text
    pieces = json.loads(answer.to_json())
    for item in pieces["items"]:
        for evidence in item["evidence"]:
            if evidence["kind"] == "fact":
                del evidence["id"]  # where in the document the fact stands; the page has its file and line
    missing = [piece for piece in told(pieces) if squeezed(piece) not in text]
    assert missing == []


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_verdict_is_a_mark_and_a_word_and_the_first_heading(name: str) -> None:
    written = page(report(name))
    verdict = {"reachable": "✔", "partial": "◐", "unreachable": "✘", "undetermined": "?"}[report(name).verdict.value]
    (heading,) = re.findall(r"<h1.*?</h1>", written, re.DOTALL)
    assert verdict in heading
    assert Page(heading).text.endswith(load_catalogue().words[report(name).verdict.value].en)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_decision_and_extent_has_a_word_beside_its_mark(name: str) -> None:
    for mark, said in re.findall(r'<span aria-hidden="true">(.+?)</span>\s*<span.*?>(.*?)</span>', page(report(name))):
        assert mark.strip("\N{VARIATION SELECTOR-15}") in ("✔", "✘", "◐", "?", "-")
        assert re.search(r"\w", said)


def test_a_page_speaks_chinese_where_the_report_does() -> None:
    written = page(report("many-blockers", "zh"))
    assert '<html lang="zh-Hans">' in written
    text = Page(written).text
    for word in ("不可达", "阻断原因", "逐级判断", "其余诊断项", "未检查", "按顺序匹配的规则", "源地址", "弹性网卡"):
        assert word in text
    for word in ("What stops it", "Stage by stage", "matches", "vSwitch"):
        assert word not in text


def test_ports_that_pass_are_told_where_not_all_do() -> None:
    assert "passes: 8000-8002, 8006" in Page(page(report("ports-partly-open"))).text
    assert "passes:" not in Page(page(report("two-tier"))).text


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_page_needs_nothing_else_and_runs_nothing(name: str) -> None:
    written = page(report(name))
    assert "<script" not in written
    assert set(re.findall(r"https?:[^\"'\s<>]+", written)) == {NAMESPACE}
    assert not re.search(r"@import|url\(|\bon\w+=|javascript:", written)
    (policy,) = (values["content"] for tag, values in Page(written).elements if values.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")


def check_structure(written: str) -> None:
    """Only elements and attributes that the templates write; headings without gaps; table headers that say of what."""
    elements = Page(written).elements
    assert {tag for tag, _ in elements} <= set(ELEMENTS.split())
    assert {name for _, values in elements for name in values} <= set(ATTRIBUTES.split())
    assert Page(written).comments == []
    assert all(values.get("scope") in ("row", "col") for tag, values in elements if tag == "th")
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch(r"h[1-5]", tag)]
    assert all(below <= above + 1 for above, below in pairwise(levels))


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_page_is_well_formed(name: str) -> None:
    check_structure(page(report(name)))


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_path_has_a_picture_that_is_xml_and_says_what_it_shows(name: str) -> None:
    found = drawings(page(report(name)))
    assert len(found) == len(report(name).paths)
    for drawing, path in zip(found, report(name).paths, strict=True):
        root = ElementTree.fromstring(drawing)
        assert root.tag == f"{{{NAMESPACE}}}svg"
        assert root.get("role") == "img"
        title, description = root[0], root[1]
        assert (title.tag, description.tag) == (f"{{{NAMESPACE}}}title", f"{{{NAMESPACE}}}desc")
        stages = [*path.forward, *path.return_]
        assert all(stage.object.id in (description.text or "") for stage in stages)
        dots = [one.get("class") for one in root.iter(f"{{{NAMESPACE}}}circle")]
        for decision in ("accept", "drop", "partial", "unknown"):
            assert dots.count(f"ni-draw-dot-{decision}") >= sum(stage.decision == decision for stage in stages)


def test_the_first_pictures_of_several_are_open() -> None:
    answer = report("prefix-list-offices")
    several = answer.model_copy(update={"paths": answer.paths * 3})
    folds = re.findall(r'<details class="ni-fold"( open)?><summary>', page(several).partition("Stage by stage")[0])
    assert [bool(fold) for fold in folds] == [number < OPEN_PATHS for number in range(6)]
    assert page(report("two-tier")).partition("Stage by stage")[0].count("<details") == 0


def test_a_report_without_a_path_is_a_page_too() -> None:
    written = page(report("two-tier").model_copy(update={"paths": []}))
    check_structure(written)
    assert drawings(written) == []


def test_the_rules_of_a_stage_are_told_where_asked_and_the_deciding_one_is_marked() -> None:
    explained, plain = page(report("many-blockers")), page(report("many-blockers", explain=False))
    assert "ni-rules" not in plain.partition("</style>")[2]
    decided = sum(rule.outcome == "decides" for path in report("many-blockers").paths
                  for stage in (*path.forward, *path.return_) for rule in stage.explain or ())  # fmt: skip
    assert explained.count('<tr class="ni-decides">') == explained.count("▸") == decided > 0


def test_a_near_miss_is_told_apart() -> None:
    answer = load("topologies/two-tier.yaml").diagnose("i-web", "i-db", port=3307, explain=True)
    rows = re.findall(r'<tr class="ni-near">.*?</tr>', page(answer), re.DOTALL)
    assert any("sg-db/ingress/1" in Page(row).text and "fails on port only" in Page(row).text for row in rows)


def test_a_stage_or_object_that_has_no_word_yet_goes_by_its_name() -> None:
    text = report("nat-undetermined").to_json().replace('"stage": "nat"', '"stage": "nat.warp"')
    text = text.replace('"nat"', '"wormhole"')
    written = page(Report.model_validate_json(text))
    assert "nat.warp" in Page(written).text
    assert "wormhole" in drawings(written)[0]


# ---------------------------------------------------------------------- hostile names


def test_hostile_names_of_a_topology_are_only_text(tmp_path: Path) -> None:
    names = {
        "i-web": "<script>alert(1)",
        "eni-web": "\"onload='x'",
        "vsw-web": "]]>&amp;<!--",
        "i-db": "<style>",
    }
    text = (ROOT / "topologies" / "two-tier.yaml").read_text("utf-8")
    for name, evil in names.items():
        text = re.sub(rf"\b{name}\b(?!/)", lambda _, evil=evil: json.dumps(evil), text)
    file = tmp_path / "<b>&quot;.yaml"
    file.write_text(text, encoding="utf-8")
    answer = load(str(file)).diagnose("<script>alert(1)", "<style>", port=3306, explain=True)
    written = page(answer)
    check_structure(written)
    assert all(evil in Page(written).text for evil in (*names.values(), "<b>&quot;.yaml"))
    assert written.count("<style") == written.count("</style") == 1


@pytest.mark.parametrize("render", [page, fragment])
def test_hostile_names_of_a_report_are_bounded_and_only_text(render: Any) -> None:
    written = render(hostile())
    check_structure(written)
    assert "<script" not in written
    assert {char for char in written if unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs")} <= {"\n"}
    assert "\\u202e" in written
    assert EVIL.partition("\N{RIGHT-TO-LEFT OVERRIDE}")[0] in Page(written).text
    for drawing in drawings(written):
        ElementTree.fromstring(drawing)
        assert max(len(piece) for piece in Page(drawing).pieces) <= 4000
    assert len(written) < 30 * len(page(report("many-blockers")))


def test_a_long_sentence_stays_whole_and_a_long_name_does_not() -> None:
    answer = report("nat-undetermined")
    (path,) = answer.paths
    told = "; ".join(f"not known (port {port})" for port in range(1, 500))
    stage = path.forward[2].model_copy(update={"why": told})
    longer = answer.model_copy(update={"paths": [path.model_copy(update={"forward": [*path.forward[:2], stage]})]})
    assert told in Page(page(longer)).text
    assert (
        "x" * 1000 not in Page(page(changed(report("two-tier"), i_web="x" * 5000))).text.partition("Stage by stage")[0]
    )


# ---------------------------------------------------------------------- the same bytes, and fragments


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_same_report_gives_the_same_bytes(name: str) -> None:
    again = Report.model_validate_json(report(name).to_json())
    assert page(report(name)) == page(again)
    assert fragment(report(name)) == fragment(again)


def test_fragments_have_no_ids_and_style_only_themselves() -> None:
    together = fragment(report("many-blockers")) + fragment(report("prefix-list-offices", "zh"))
    elements = Page(together).elements
    assert not any("id" in values for _, values in elements)
    assert {tag for tag, _ in elements}.isdisjoint({"html", "head", "body", "main", "title"} - {"title"})
    styles = re.findall(r"<style>(.*?)</style>", together, re.DOTALL)
    assert len(styles) == 2
    for style in styles:
        selectors = [part for rule in re.findall(r"([^{}]+)\{[^{}@]*\}", style) for part in rule.split(",")]
        assert len(selectors) > 150
        assert [one for one in selectors if not re.search(r"\.ni-report\.ni-[0-9a-f]{8}\b", one)] == []
    (scope,) = set(re.findall(r'class="ni-report (ni-[0-9a-f]{8})"', together))
    assert scope in styles[0]


def test_a_fragment_says_what_the_page_says() -> None:
    whole, part = Page(page(report("many-blockers"))).text.strip(), Page(fragment(report("many-blockers"))).text.strip()
    assert whole.endswith(part)


def test_text_and_json_do_not_load_the_template_engine() -> None:
    code = (
        "import sys; from netinsight.cli import run; "
        "[run(['diagnose', 'topologies/two-tier.yaml', '--src', 'i-web', '--dst', 'i-db', '--port', '3306', '-o', form])"
        " for form in ('text', 'json')]; print([name for name in ('jinja2', 'markupsafe') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"
