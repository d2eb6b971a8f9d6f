"""``netinsight matrix``: every form says the same, and what cannot be asked is refused before anything is written."""

# ruff: noqa: F401, F811  (a fixture is imported, and taken by its name)
from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

import netinsight
from netinsight.render.matrix import LETTERS
from tests.conftest import ROOT
from tests.test_cli import Command, command

ISOLATED = str(ROOT / "topologies" / "isolated-members.yaml")
SERVICES = ("--service", "tcp/22", "--service", "icmp")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_table_by_what_is_asked(command: Command) -> None:
    status, out, _ = command("matrix", ISOLATED, *SERVICES, "--by", "group")
    assert status == 0
    assert "icmp  REACHABLE 2, UNREACHABLE 10" in out
    assert "  sg-etcd sg-migration  all                   -        -" in out
    assert "4 classes" in command("matrix", ISOLATED, *SERVICES, "--by", "vpc").out
    chinese = command("matrix", ISOLATED, *SERVICES, "--lang", "zh").out
    assert "4个端点两两之间" in chinese


def test_every_form_counts_the_same(command: Command, tmp_path: Path) -> None:
    net = netinsight.load(ISOLATED)
    matrix = net.matrix(["tcp/22", "icmp"])
    members = tmp_path / "members.csv"
    classes = rows(command("matrix", ISOLATED, *SERVICES, "-o", "csv", "--members", str(members)).out)
    every = rows(command("matrix", ISOLATED, *SERVICES, "-o", "csv", "--expand").out)
    told = json.loads(command("matrix", ISOLATED, *SERVICES, "-o", "json").out)
    assert told["schema"] == "netinsight.matrix/1"
    for pairs, as_json in zip(matrix, told["services"], strict=True):
        counts = pairs.counts()
        assert as_json["counts"] == counts
        assert Counter(row["verdict"] for row in every if row["service"] == pairs.service) == counts
        summed = Counter[str]()
        for row in classes:
            if row["service"] == pairs.service:
                summed[row["verdict"]] += int(row["pairs"])
        assert summed == counts
        assert ["".join(LETTERS[code] for code in line) for line in pairs.codes.tolist()] == as_json["verdicts"]
    listed = rows(members.read_text(encoding="utf-8"))
    assert {row["end"] for row in listed} == set(matrix.each[0].group_of)
    assert len(listed) == sum(len(pairs.group_of) for pairs in matrix)


def test_parquet_holds_what_csv_does(command: Command, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (the extra `parquet`)")
    target = tmp_path / "pairs.parquet"
    assert command("matrix", ISOLATED, *SERVICES, "-o", "parquet", "--to", str(target)).status == 0
    read = [{name: str(value) for name, value in row.items()} for row in parquet.read_table(target).to_pylist()]
    assert read == rows(command("matrix", ISOLATED, *SERVICES, "-o", "csv").out)


def test_the_ends_of_one(command: Command) -> None:
    two_tier = str(ROOT / "topologies" / "two-tier.yaml")
    assert (
        command("matrix", two_tier, "--service", "tcp/3306", "--reaching", "i-db").out
        == "tcp/3306  REACHABLE 1\n  eni-web\n"
    )
    assert command("matrix", two_tier, "--service", "tcp/443", "--reached-by", "internet").out.endswith("\n  eni-web\n")


def test_a_page_holds_no_script_and_escapes_names(command: Command, tmp_path: Path) -> None:
    document = yaml.safe_load(Path(ISOLATED).read_text(encoding="utf-8"))
    next(iter(document["instances"].values()))["name"] = "<script>x"
    source, page = tmp_path / "wild.json", tmp_path / "matrix.html"
    source.write_text(json.dumps(document, default=str), encoding="utf-8")
    assert command("matrix", str(source), *SERVICES, "--by", "name", "-o", "html", "--to", str(page)).status == 0
    written = page.read_text(encoding="utf-8")
    assert "&lt;script&gt;x" in written
    assert "<script" not in written
    assert written.count("<table>") == 2


@pytest.mark.parametrize(("words", "told"), [
    (("--service", "tcp"), "needs a port"), ((), "--service"), ((*SERVICES, "--by", "vswich"), "`vswich` is not"),
    ((*SERVICES, "--expand"), "--expand goes with --output csv"), ((*SERVICES, "--reaching", "i-x"), "i-x"),
    ((*SERVICES, "--reaching", "internet", "-o", "json"), "go with --output table"),
    (("--service", "tcp/22", "--assume", "x"), "expected NAME=VALUE"),
])  # fmt: skip
def test_what_cannot_be_asked(command: Command, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    target = tmp_path / "out"
    status, out, err = command("matrix", ISOLATED, *words, "--to", str(target))
    assert (status, out) == (2, "")
    assert told in err
    assert not target.exists()
