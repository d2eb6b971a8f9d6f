"""The generator of estates: the same bytes for the same numbers, valid at any size, and an answer that holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.estate import LEAST_ENIS, LEAST_GROUPS, main, make_estate, write
from netinsight.api import Net
from netinsight.model.checks import check
from netinsight.model.topology import Topology
from netinsight.sources.topology_file import read_topology

from .conftest import ROOT, Keep

SIZES = [(LEAST_ENIS, LEAST_GROUPS), (61, 33), (500, 97)]
EXAMPLE = "topologies/large-estate.yaml"

Document = dict[str, Any]


def enis(document: Document) -> int:
    """How many ENIs an estate has, attached or not."""
    attached = sum(len(instance["network_interfaces"]) for instance in document["instances"].values())
    return attached + len(document["network_interfaces"])


def test_the_shipped_estate_is_what_the_generator_writes(keep: Keep) -> None:
    keep(ROOT / EXAMPLE, write(2000, 400, 1, "yaml", EXAMPLE))


def test_the_shipped_estate_tells_the_command_that_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = (ROOT / EXAMPLE).read_text("utf-8")
    (told,) = re.findall(r"^# +python benchmarks/estate.py (.+)$", kept, re.MULTILINE)
    (tmp_path / "topologies").mkdir()
    monkeypatch.chdir(tmp_path)
    main(told.split())
    assert (tmp_path / EXAMPLE).read_bytes() == kept.encode()


def test_a_seed_is_one_estate() -> None:
    assert make_estate(61, 33, seed=1) == make_estate(61, 33, seed=1)
    assert make_estate(61, 33, seed=1) != make_estate(61, 33, seed=2)


@pytest.mark.parametrize(("count", "groups"), [*SIZES, (10_000, 2_000)])
def test_an_estate_has_as_many_of_each_as_asked_for(count: int, groups: int) -> None:
    document = make_estate(count, groups, seed=3)
    assert enis(document) == count
    assert len(document["security_groups"]) == groups


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("count", "groups"), SIZES)
def test_an_estate_is_valid_without_a_warning(count: int, groups: int, seed: int) -> None:
    assert list(check(Topology.model_validate(make_estate(count, groups, seed)))) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("count", "groups"), SIZES)
def test_the_answer_that_its_head_tells_holds_in_every_estate(count: int, groups: int, seed: int) -> None:
    net = Net(Topology.model_validate(make_estate(count, groups, seed)))
    report = net.diagnose("i-prod-orders-web-1", "i-prod-orders-app-1", port="1-65535")
    assert (report.verdict, report.reachable_ports, report.partly_reachable_ports) == ("partial", ["8000-8008"], [])


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    for form in ("yaml", "json"):
        (tmp_path / f"estate.{form}").write_text(write(61, 33, 1, form, "estate.yaml"), encoding="utf-8")
    by_yaml, by_json = (read_topology(str(tmp_path / f"estate.{form}")).topology for form in ("yaml", "json"))
    assert by_yaml.model_dump() == by_json.model_dump()


def test_an_estate_has_both_types_of_group_and_every_kind_of_peer() -> None:
    document = make_estate(500, 97, seed=1)
    written = json.dumps(document["security_groups"])
    for word in ('"enterprise"', '"source": "sg-', '"source": "pl-', '"ports": "prl-', '"drop"', '"priority": 9'):
        assert word in written
    statuses = json.dumps(document["instances"])
    assert '"Stopped"' in statuses
    assert re.search(r"(At|De)taching", statuses)


def test_without_a_file_it_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--enis", "61", "--groups", "33", "--format", "json"])
    assert json.loads(capsys.readouterr().out) == make_estate(61, 33, seed=1)


def test_an_estate_that_is_too_small_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--enis", "3"])
    assert "at least 40 ENIs" in capsys.readouterr().err
