"""``netinsight guest firewall`` with nftables, and ``guest.nftables`` of a topology."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from netinsight.cli import run
from netinsight.errors import InputError
from netinsight.sources.topology_file import read_topology
from tests.conftest import ROOT
from tests.guest.iptables_helpers import runs_as_shown
from tests.guest.test_nftables_reader import ACCEPT, document, match

SSH = '{"chain": "INPUT", "in_interface": "eth0", "src": "10.0.0.1", "dst": "10.0.0.2", "dport": 22, "sport": 40000}'


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    rules, packets = tmp_path / "ruleset", tmp_path / "packets.jsonl"
    rules.write_text(document([match("tcp dport", 22), ACCEPT], policy="drop"))
    packets.write_text(f"{SSH}\n{SSH.replace('22', '23')}\n")
    return rules, packets


def test_a_line_a_packet(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["guest", "firewall", str(files[0]), "--packets", str(files[1])]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [
        {"verdict": "ACCEPT", "rule": "tcp dport 22 accept", "place": "inet t in handle 10", "line": 28,
         "trace": ["inet t in handle 10: tcp dport 22 accept"], "assumptions": []},
        {"verdict": "DROP", "rule": "policy", "place": "inet t in", "line": 16, "trace": [], "assumptions": []},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (SSH.replace('"dport"', '"tables": ["raw"], "dport"'), "tables: these rules are judged whole"),
        (SSH.replace("10.0.0.2", "2001:db8::1"), "dst: the addresses are of two families"),
    ],
)
def test_a_packet_that_does_not_fit(
    files: tuple[Path, Path], line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files[1].write_text(f"{line}\n")
    assert run(["guest", "firewall", str(files[0]), "--packets", str(files[1])]) == 2
    assert told in capsys.readouterr().err.splitlines()[0]


def test_what_belongs_to_iptables_and_mistakes_of_both_files(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["guest", "firewall", str(files[0]), "--packets", str(files[1]), "--family", "4"]) == 2
    assert "--family goes with the rules of iptables" in capsys.readouterr().err
    files[0].write_text(files[0].read_text().replace("22", "70000"))
    files[1].write_text("{}\n")
    assert run(["guest", "firewall", str(files[0]), "--packets", str(files[1])]) == 2
    heads = [line for line in capsys.readouterr().err.splitlines() if line.startswith("/")]
    assert re.fullmatch(r".*ruleset:\d+:\d+: expected a number from 0 to 65535, found `70000`", heads[0])
    assert len(heads) == 4


def test_the_page_shows_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runs_as_shown(ROOT / "docs" / "nftables.md", Path("ruleset.json"), capsys)


def test_mistakes_are_told_when_a_topology_is_read(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    eni = {"network_interfaces": {"eni-a": {"vswitch": "vsw-a", "ip": "10.0.0.5", "security_groups": ["sg-a"]}}}
    vswitches = {"vsw-a": {"vpc": "vpc-1", "cidr": "10.0.0.0/24"}}

    def written(text: str) -> str:
        instance = {**eni, "guest": {"nftables": text}}
        vpcs = {"vpc-1": {"cidrs": ["10.0.0.0/16"]}}
        file.write_text(
            json.dumps(
                {
                    "vpcs": vpcs,
                    "vswitches": vswitches,
                    "instances": {"i-a": instance},
                    "security_groups": {"sg-a": {"vpc": "vpc-1"}},
                }
            )
        )
        try:
            read_topology(str(file))
        except InputError as wrong:
            return " ".join(problem.message for problem in wrong.problems)
        return ""

    assert written(document([ACCEPT])) == ""
    told = written('{"nftables": [{"table": {"family": "inett", "name": "t"}}]}')
    assert "line 1, column 36 of `nftables`: family `inett` is not ip" in told
    assert "of `nftables`: not valid JSON" in written("table inet t {}")
