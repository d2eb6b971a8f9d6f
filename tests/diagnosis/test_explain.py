"""``--explain``: every rule that a stage tried, the fields that matched, and which of them decided."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netinsight.api import Net
from netinsight.cli import run
from netinsight.diagnosis.report import Report, RuleReport, StageReport
from tests import estates
from tests.diagnosis import EVERYONE, NOT_KNOWN, net
from tests.diagnosis.test_properties import words

SOME = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


def rule(direction: str, **said: Any) -> dict[str, Any]:
    return {"direction": direction, "policy": "accept", "protocol": "tcp", "priority": 1, **said}


def explained(report: Report, stage: str) -> list[RuleReport]:
    """The rules that the first stage of a name tried."""
    found = next(step for step in report.paths[0].forward if step.stage == stage)
    assert found.explain is not None
    return found.explain


def ask(*changes: dict[str, Any], **question: Any) -> Report:
    return net(*changes).diagnose("i-a", "i-b", explain=True, **{"port": 22, **question})


def near(rules: list[dict[str, Any]], **question: Any) -> list[RuleReport]:
    return explained(ask({"security_groups": {"sg-b": {"rules": rules}}}, **question), "security_group.ingress")


@pytest.mark.parametrize(
    ("said", "missed"),
    [
        ({"ports": "80/80", "source": EVERYONE}, ["port"]),
        ({"source": "192.0.2.0/24"}, ["source"]),
        ({"protocol": "udp", "source": EVERYONE}, ["protocol"]),
        ({"ports": "22/22", "source": EVERYONE, "source_ports": "1/1000"}, ["source_port"]),
        ({"source": EVERYONE, "destination": "10.0.2.99/32"}, ["destination"]),
        ({"ports": "80/80", "source": "192.0.2.0/24"}, ["source", "port"]),
    ],
)
def test_a_rule_is_told_with_the_fields_on_which_it_fails(said: dict[str, Any], missed: list[str]) -> None:
    told = next(one for one in near([rule("ingress", **said)]) if one.rule == "sg-b/ingress/1")
    assert told.outcome == "no_match"
    assert [name for name, extent in told.matches.model_dump().items() if extent == "no"] == missed
    assert told.note == f"fails on {', '.join(name.replace('_', ' ') for name in missed)}" + " only" * (
        len(missed) == 1
    )


def test_what_decides_what_comes_after_and_the_default_stand_in_the_order_in_which_they_are_tried() -> None:
    told = near([
        rule("ingress", source=EVERYONE, priority=50),
        rule("ingress", source="10.0.1.0/24", priority=5, policy="drop"),
        rule("ingress", source="192.0.2.0/24", priority=60),
    ])  # fmt: skip
    assert [(one.rule, one.outcome) for one in told] == [
        ("sg-b/ingress/intra-group", "no_match"),
        ("sg-b/ingress/2", "decides"),
        ("sg-b/ingress/1", "after"),
        ("sg-b/ingress/3", "after"),
        ("sg-b/ingress/default", "after"),
    ]
    assert told[2].note == "would match, but comes after"
    assert told[3].note == "comes after, and fails on source"


def test_a_range_is_told_in_parts() -> None:
    told = {one.rule: one for one in near([rule("ingress", source=EVERYONE, ports="8000/8004")], port="8000-8010")}
    assert told["sg-b/ingress/1"].matches.port == "partly"
    assert told["sg-b/ingress/1"].note == "decides (ports 8000-8004)"
    assert told["sg-b/ingress/default"].note == "decides (ports 8005-8010)"


def test_a_rule_whose_name_nobody_described_may_decide() -> None:
    changes = {
        "unknown": {"pl-x": "not exported"},
        "security_groups": {"sg-b": {"rules": [rule("ingress", source="pl-x")]}},
    }
    told = next(one for one in explained(ask(changes), "security_group.ingress") if one.rule == "sg-b/ingress/1")
    assert (told.outcome, told.matches.source, told.matches.port) == ("may_decide", "unknown", "yes")


def test_a_list_that_nobody_knows_is_told_as_one() -> None:
    told = explained(ask({"security_groups": {"sg-b": {"rules": NOT_KNOWN}}}), "security_group.ingress")
    assert [(one.rule, one.action, one.outcome) for one in told if one.outcome == "may_decide"] == [
        ("sg-b", "unknown", "may_decide")
    ]


def test_a_table_is_told_where_a_look_up_decided_and_only_there() -> None:
    told = explained(ask(), "route")
    assert [(one.rule, one.action, one.outcome) for one in told] == [
        ("local/vsw-a", "route", "no_match"),
        ("local/vsw-b", "route", "decides"),
        ("service", "route", "after"),
    ]
    public = net({"instances": {"i-a": {"public_ip": "203.0.113.9"}}}).diagnose(
        "i-a", "198.51.100.7", port=443, explain=True
    )
    by_its_own_address = next(step for step in public.paths[0].forward if step.stage == "route")
    assert by_its_own_address.decision == "accept"
    assert by_its_own_address.explain is None


def test_nothing_is_explained_unless_asked() -> None:
    assert '"explain"' not in net().diagnose("i-a", "i-b", port=22).to_json()


def test_the_command_line_explains_in_text_and_in_json(
    project_root: object, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*shlex.split(Path("tests/golden/group-drops-port/command").read_text("utf-8")), "--explain"]
    assert run(command) == 1
    assert "tried in this order" in capsys.readouterr().out
    run([*command, "--output", "json"])
    stages = json.loads(capsys.readouterr().out)["paths"][0]["forward"]
    told = [stage["explain"] for stage in stages if stage["stage"].startswith("security_group")]
    assert told
    assert all(any(one["outcome"] == "decides" for one in rules) for rules in told)


def stages(report: Report) -> list[StageReport]:
    return [stage for path in report.paths for stage in (*path.forward, *path.return_)]


@SOME
@given(st.data())
def test_what_decides_is_what_the_stage_blames_and_is_the_first_that_matches(data: st.DataObject) -> None:
    topology = data.draw(estates.topologies())
    report = Net(topology).diagnose(**words(data.draw(estates.questions(topology))), explain=True)
    for stage in stages(report):
        if stage.explain is None:
            continue
        told = stage.explain
        assert len({one.rule for one in told}) == len(told)
        first = next((i for i, one in enumerate(told) if _matches(one)), len(told))
        assert all(one.outcome != "decides" and one.outcome != "after" for one in told[:first])
        if first < len(told):
            assert told[first].outcome == "decides"
            # a local route has a row for each family, the IPv4 ones before all of IPv6
            later = {"after", "no_match"} if stage.stage == "route" else {"after"}
            assert {one.outcome for one in told[first + 1 :]} <= later
        if stage.decision in ("accept", "drop") and stage.rule:
            assert told[first].rule == stage.rule or any(
                one.rule == stage.rule and one.outcome == "may_decide" for one in told
            )


def _matches(one: RuleReport) -> bool:
    return all(extent == "yes" for extent in one.matches.model_dump().values())
