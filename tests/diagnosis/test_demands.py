"""``--via`` and ``--avoid``: whether every path passes an object, whether any does, and one that shows the contrary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import netinsight as ni
from netinsight.cli import run
from tests.diagnosis.test_ways import estate, net

FORWARDS = {"ip_forward": True}


def firewalls(*, back: bool = True, **others: Any) -> dict[str, Any]:
    """Client and server in vSwitches that are steered through one firewall, or two of equal weight."""
    document = estate()
    for name in ("i-fw", "i-fw2"):
        document["instances"][name]["guest"] = dict(FORWARDS)
    document["vswitches"]["vsw-1"]["route_table"] = "rtb-1"
    document["route_tables"]["rtb-1"] = {"vpc": "vpc-1", "type": "custom", "routes": [
        {"destination": "10.0.2.0/24", "next_hop": "i-fw", **others}]}  # fmt: skip
    if back:
        document["vswitches"]["vsw-2"]["route_table"] = "rtb-2"
        document["route_tables"]["rtb-2"] = {"vpc": "vpc-1", "type": "custom", "routes": [
            {"destination": "10.0.1.0/24", "next_hop": "i-fw"}]}  # fmt: skip
    return document


def asked(document: dict[str, Any], **demands: list[str]) -> ni.Answer:
    return net(document).diagnose("i-a", "i-b", port=22, **demands)  # type: ignore[arg-type]


def test_without_a_demand_the_report_has_no_key_for_it() -> None:
    report = asked(firewalls())
    assert "demands" not in json.loads(report.to_json())
    assert report.keeps_demands == "yes"


@pytest.mark.parametrize("name", ["i-fw", "eni-fw", "vsw-3", "vpc-1", "sg", "rtb-1", "rtb-2", "10.0.3.5", "i-a", "i-b"])
def test_what_stands_on_the_way_is_passed(name: str) -> None:
    report = asked(firewalls(), via=[name], avoid=[name])
    via, avoid = report.demands
    lists = ("rtb-1", "rtb-2")
    assert via.holds == ("no" if name in lists else "yes")  # each direction has a table of its own
    assert avoid.holds == "no"
    assert report.keeps_demands == "no"
    assert report.verdict == "reachable"


def test_what_does_not_is_avoided() -> None:
    report = asked(firewalls(), via=["ngw-1"], avoid=["i-c", "ngw-1", "eip-1"])
    assert [demand.holds for demand in report.demands] == ["no", "yes", "yes", "yes"]


def test_a_reply_that_goes_round_the_firewall_is_the_counterexample() -> None:
    report = asked(firewalls(back=False), via=["i-fw"])
    (demand,) = report.demands
    assert demand.holds == "no"
    assert demand.counterexample is not None
    assert (demand.counterexample.path, demand.counterexample.direction) == (1, "return")
    assert (demand.counterexample.src, demand.counterexample.dst) == ("10.0.2.20", "10.0.1.10")
    assert demand.message == "path 1 does not pass it on the way back (10.0.2.20 -> 10.0.1.10)"


def test_one_way_asks_nothing_of_the_reply() -> None:
    report = net(firewalls(back=False)).diagnose("i-a", "i-b", port=22, one_way=True, via=["i-fw"])
    assert [demand.message for demand in report.demands] == ["every path passes it"]


def test_one_of_two_equal_ways_misses_it() -> None:
    document = firewalls(weight=100, others=[{"id": "i-fw2", "weight": 100}])
    via, other, both = asked(document, via=["i-fw", "i-fw2"], avoid=["i-fw2"]).demands
    assert (via.holds, other.holds, both.holds) == ("no", "no", "no")
    assert via.counterexample is not None
    assert both.counterexample is not None
    assert via.counterexample.path == both.counterexample.path
    assert "1 of 2 paths do" in via.message


def test_a_way_that_carries_nothing_does_not_count_while_another_does() -> None:
    document = firewalls(weight=100, others=[{"id": "i-fw2", "weight": 100}])
    document["instances"]["i-fw2"]["guest"] = {"ip_forward": False}
    report = asked(document, via=["i-fw"])
    assert report.verdict == "partial"
    assert [demand.holds for demand in report.demands] == ["yes"]


def test_where_nothing_passes_the_ways_that_would_be_taken_are_judged() -> None:
    document = firewalls()
    document["security_groups"]["sg-shut"] = {"vpc": "vpc-1"}
    document["instances"]["i-b"]["network_interfaces"]["eni-b"]["security_groups"] = ["sg-shut"]
    (demand,) = asked(document, via=["i-fw"]).demands
    assert demand.holds == "yes"
    assert demand.message.endswith("(nothing passes; this is where the packets would go)")


def test_a_way_of_which_nobody_knows_whether_it_passes_leaves_it_open() -> None:
    document = firewalls(weight=100, others=[{"id": "vpn-lost", "type": "VpnGateway", "weight": 100}])
    report = asked(document, via=["i-fw"], avoid=["vpn-lost"])
    assert report.verdict == "undetermined"
    assert [demand.holds for demand in report.demands] == ["unknown", "unknown"]
    assert report.keeps_demands == "unknown"
    assert all("whether that path carries anything is not known" in demand.message for demand in report.demands)


def test_public_addresses_are_passed_by_the_packets_that_bear_them() -> None:
    report = net(estate()).diagnose(
        "i-a", "198.51.100.7", port=443, via=["eip-2", "203.0.113.2", "ngw-1"], avoid=["eip-1"]
    )
    assert report.keeps_demands == "yes"
    assert [demand.object.type for demand in report.demands] == ["eip", "eip", "nat", "eip"]


def test_what_nobody_has_is_an_error_with_a_hint() -> None:
    with pytest.raises(ni.QuestionError, match="i-fww") as caught:
        asked(firewalls(), via=["i-fww"])
    assert "did you mean `i-fw`?" in str(caught.value.problems[0].hint)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "topology.json"
    path.write_text(json.dumps(firewalls(back=False)))
    return str(path)


def test_the_command_fails_where_a_demand_does(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    question = ["diagnose", file, "--src", "i-a", "--dst", "i-b", "--port", "22"]
    assert run([*question, "--avoid", "i-c"]) == 0
    assert "✔ avoid i-c: no path passes it" in capsys.readouterr().out
    assert run([*question, "--via", "i-fw", "--avoid", "i-c"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("REACHABLE")
    assert "✘ via i-fw: path 1 does not pass it on the way back" in told
    assert run([*question, "--via", "i-fw", "--output", "html"]) == 1
    assert "via i-fw" in capsys.readouterr().out.replace("<wbr>", "")
    assert run([*question, "--via", "i-fw", "--output", "json"]) == 1
    (demand,) = json.loads(capsys.readouterr().out)["demands"]
    assert demand["object"] == {"type": "instance", "id": "i-fw"}
    assert demand["counterexample"] == {"path": 1, "direction": "return", "src": "10.0.2.20", "dst": "10.0.1.10"}


def test_each_question_of_a_file_may_have_its_own(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = tmp_path / "questions.csv"
    questions.write_text("src,dst,port,via,avoid\ni-a,i-b,22,,i-c; i-fw2\ni-a,i-b,22,i-fw,\n")
    assert run(["diagnose", file, "--questions", str(questions)]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert "✘" not in first
    assert "✘ via i-fw: path 1 does not pass it on the way back" in second
    questions.write_text("src,dst,port,via\ni-a,i-b,22,nobody\n")
    assert run(["diagnose", file, "--questions", str(questions)]) == 2
    assert (
        f"{questions}:2:12: nothing in the topology that a packet could pass is called `nobody`"
        in capsys.readouterr().err
    )
