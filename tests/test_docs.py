"""What the documents say is what happens."""

from __future__ import annotations

import doctest
import json
import re
import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

import netinsight
from netinsight.cli import run
from netinsight.diagnosis.catalogue import load_catalogue
from netinsight.model import gateways, links, load_balancer
from netinsight.model.assumptions import ASSUMPTIONS
from netinsight.model.base import Model
from netinsight.model.routing import NextHop, Route
from netinsight.model.topology import SECTIONS
from netinsight.sources.topology_file import read_topology
from tests.guest.test_guest_read import output

from .conftest import ROOT, Keep
from .docs_console import Console
from .docs_pages import slug

DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text(name), re.S)


def test_the_readme_shows_what_the_demo_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    (command,) = re.findall(r"@\$\(BIN\)/netinsight (.*?);", text("Makefile"))
    assert run(command.split()) == 1
    assert blocks("README.md", "text") == [capsys.readouterr().out]


def test_the_readmes_python_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (code,) = blocks("README.md", "python")
    exec(code, {})
    assert capsys.readouterr().out == "reachable []\n{'reachable': 1, 'unreachable': 1}\n"


def test_the_readmes_commands_are_understood(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "topology.yaml").write_text(blocks("docs/topology-format.md", "yaml")[1], encoding="utf-8")
    extra = tmp_path / "more.yaml"
    extra.write_text(
        "instances: {i-b: {network_interfaces: {eni-b: {vswitch: vsw-db, ip: 10.0.2.20, security_groups: [sg-bastion]}}}}"
    )
    (tmp_path / "questions.csv").write_text("src,dst,port\ni-a,i-b,22\n", encoding="utf-8")
    (tmp_path / "flows.csv").write_text("src,dst,port\ni-a,i-b,22\n", encoding="utf-8")
    rules, packets, *_ = (block for kind in ("text", "json") for block in blocks("docs/guest-firewall.md", kind)[:1])
    (tmp_path / "rules.v4").write_text(rules)
    (tmp_path / "packets.jsonl").write_text(packets)
    (tmp_path / "i-a.txt").write_text(output())
    monkeypatch.chdir(tmp_path)
    commands = [
        line for block in blocks("README.md", "sh") for line in block.splitlines() if line.startswith("netinsight ")
    ]
    assert len(commands) >= 5
    for command in commands:
        words = shlex.split(command.replace("topology.yaml", "."), comments=True)[1:]
        assert run(words) in (0, 1, 3), (command, capsys.readouterr().err)


def test_the_example_of_the_format_loads_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(blocks("docs/topology-format.md", "yaml")[1], encoding="utf-8")
    reading = read_topology(str(file))
    assert not reading.warnings
    assert reading.topology.place("security_groups", "sg-web", "rules", 1).line == 22


def test_the_examples_of_the_sections_go_together_with_the_first(tmp_path: Path) -> None:
    """Each example of a section adds to the file; whole, it is valid without a warning, and holds what no example lacks."""
    whole: dict[str, Any] = {}
    for block in blocks("docs/topology-format.md", "yaml")[1:]:
        for key, value in yaml.safe_load(block).items():
            whole[key] = {**whole.get(key, {}), **value} if isinstance(value, dict) else value
    file = tmp_path / "whole.json"
    file.write_text(json.dumps(whole, default=datetime.isoformat), encoding="utf-8")
    reading = read_topology(str(file))
    assert not reading.warnings
    missing = [section for section in SECTIONS if not getattr(reading.topology, section)]
    assert missing == ["prefix_lists", "port_lists", "network_interfaces"]  # the text below the first example has these


def test_every_key_of_gateways_links_and_load_balancers_is_in_the_page() -> None:
    page = text("docs/topology-format.md").partition("## Gateways")[2]
    kinds = [kind for module in (gateways, links, load_balancer) for kind in vars(module).values()
             if isinstance(kind, type) and issubclass(kind, Model) and kind.__module__ == module.__name__]  # fmt: skip
    keys = {key for kind in kinds for key in kind.model_fields} | set(Route.model_fields) | set(NextHop.model_fields)
    assert len(keys) > 60
    assert sorted(key for key in keys - {"tags", "next_hop_type"} if not re.search(rf"\b{key}\b", page)) == []


def test_every_assumption_is_documented_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|", text("docs/assumptions.md"), re.M)
    assert {name: (default, other) for name, default, other in rows} == dict(ASSUMPTIONS)


def test_every_stage_of_the_package_is_documented() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "netinsight" / "network").rglob("*.py"))
    written = set(re.findall(r'(?:Step|says|step)\(\s*"([\w.]+)", ', code)) | {
        "security_group.egress",
        "network_acl.ingress",
    }
    documented = set(re.findall(r"`([\w.]+)`", text("docs/evaluation-order.md")))
    assert len(written) > 6
    assert written <= documented


def test_every_item_of_the_catalogue_has_both_languages_and_every_finding_says_something() -> None:
    for name, item in load_catalogue().items.items():
        for words in (item.name, item.suggestion, *item.findings.values()):
            assert words.en, name
            assert words.zh, name
            assert re.search(r"[\u4e00-\u9fff]", words.zh) or words.zh == words.en, name


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of somebody who follows a page: the examples are in it."""
    (tmp_path / "topologies").symlink_to(ROOT / "topologies", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pages_with(language: str) -> list[Path]:
    return [page for page in DOCUMENTS if f"```{language}\n" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", pages_with("console"), ids=lambda path: path.name)
def test_the_commands_of_a_page_print_what_it_shows(page: Path, reader: Path, keep: Keep) -> None:
    keep(page, Console(reader).follow(page.read_text(encoding="utf-8")))


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("page", pages_with("pycon"), ids=lambda path: path.name)
def test_the_python_of_a_page_prints_what_it_shows(page: Path) -> None:
    text = "\n".join(blocks(str(page.relative_to(ROOT)), "pycon"))
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    told: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=told.append)
    assert not told, "".join(told)


def anchors_of(document: Path) -> set[str]:
    return {slug(heading.replace("`", "")) for heading in re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.M)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", document.read_text(encoding="utf-8")):
        page = document.parent / target if target else document
        assert page.exists(), target
        assert not anchor or anchor in anchors_of(page), f"{target}#{anchor}"


def test_what_is_public_is_there() -> None:
    for name in netinsight.__all__:
        assert getattr(netinsight, name) is not None
