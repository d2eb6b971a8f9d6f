"""The preset cloud-assistant: four questions about one instance, asked of the addresses that its region has."""

# ruff: noqa: F401, F811  (a fixture is imported, and taken by its name)
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from netinsight.answer import AnswerSet
from netinsight.api import Manner
from netinsight.diagnosis.catalogue import load_reference
from netinsight.diagnosis.presets import PRESETS
from netinsight.errors import ObjectError, PreconditionError, QuestionError
from netinsight.flow import Verdict
from tests.conftest import ROOT
from tests.diagnosis import BASE, Document, merged, net
from tests.test_cli import Answer, Command, command, with_rules

REGION = "cn-hangzhou"
SERVER, STORE, METADATA, DNS = "100.100.45.106", "100.118.28.50", "100.100.100.200", "100.100.2.136"
"""What the agent needs in that region, as its documentation lists it."""
ASKED = [(SERVER, "tcp", "443"), (STORE, "tcp", "443"), (METADATA, "tcp", "80"), (DNS, "udp", "53")]
NEEDED = [
    {"direction": "egress", "protocol": "tcp", "ports": "443/443", "destination": f"{SERVER}/32"},
    {"direction": "egress", "protocol": "tcp", "ports": "443/443", "destination": f"{STORE}/32"},
    {"direction": "egress", "protocol": "udp", "ports": "53/53", "destination": f"{DNS}/32"},
]
"""The rules without which an enterprise group shuts the agent in; the metadata server needs none."""
REACHABLE, PARTIAL, UNREACHABLE = Verdict.REACHABLE, Verdict.PARTIAL, Verdict.UNREACHABLE


def enterprise(*rules: Document) -> Document:
    """The group of i-a as an enterprise group that has these rules alone."""
    return {"region": REGION, "security_groups": {"sg-a": {"type": "enterprise", "rules": list(rules)}}}


def preset(*changes: Document, src: str = "i-a", manner: Manner | None = None) -> AnswerSet:
    return net(*changes).ask_preset("cloud-assistant", src, manner)


def asked(answers: AnswerSet) -> list[tuple[str, str, str]]:
    """What was asked: to where, by which protocol, at which port."""
    questions = [answer.question for answer in answers.answers]
    return [(question.destination.id, question.protocol, question.port) for question in questions]


def verdicts(answers: AnswerSet) -> list[Verdict]:
    return [answer.verdict for answer in answers.answers]


@pytest.fixture
def run_preset(command: Command, tmp_path: Path) -> Any:
    """The command, of the base with changes."""

    def run(*changes: Document, words: tuple[str, ...] = ("--src", "i-a"), preset: str = "cloud-assistant") -> Answer:
        document = BASE
        for change in changes:
            document = merged(document, change)
        path = tmp_path / "t.json"
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
        return command("diagnose", str(path), *words, "--preset", preset)

    return run


# -- what is asked -----------------------------------------------------------------------------------------------------


def test_four_questions_are_asked_of_the_addresses_of_the_region() -> None:
    answers = preset({"region": REGION})
    assert asked(answers) == ASKED
    assert {answer.question.source.id for answer in answers.answers} == {"i-a"}


def test_the_region_of_the_vpc_goes_before_that_of_the_file() -> None:
    agent = load_reference().cloud_assistant.regions["cn-beijing"]
    answers = preset({"region": REGION, "vpcs": {"vpc-1": {"region": "cn-beijing"}}})
    assert [address for address, _, _ in asked(answers)] == [agent.server, agent.package_store, METADATA, DNS]


@pytest.mark.parametrize("changes", [{}, {"region": "xx-nowhere"}, {"region": ""}], ids=["none", "not listed", "empty"])
def test_the_ranges_are_asked_where_the_region_is_not_known(changes: Document) -> None:
    agent = load_reference().cloud_assistant
    assert asked(preset(changes)) == [
        (agent.server_range, "tcp", "443"), (agent.package_store_range, "tcp", "443"), *ASKED[2:]
    ]  # fmt: skip


@pytest.mark.parametrize("region", load_reference().cloud_assistant.regions)
def test_every_region_of_the_catalogue_can_be_asked(region: str) -> None:
    answers = preset({"region": region})
    assert verdicts(answers) == [REACHABLE] * 4


@pytest.mark.parametrize("src", ["i-a", "eni-a", "10.0.1.10", " i-a "])
def test_a_source_is_named_as_anywhere(src: str) -> None:
    answers = preset({"region": REGION}, src=src)
    assert answers.verdict is REACHABLE
    assert {answer.question.source.eni for answer in answers.answers} == {"eni-a"}


# -- what is answered --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", [REGION, "xx-nowhere"])
def test_a_normal_group_without_rules_lets_all_of_it_out(region: str) -> None:
    answers = preset({"region": region})
    assert (answers.verdict, verdicts(answers)) == (REACHABLE, [REACHABLE] * 4)


def test_an_enterprise_group_without_rules_lets_only_metadata_out() -> None:
    answers = preset(enterprise())
    assert verdicts(answers) == [UNREACHABLE, UNREACHABLE, REACHABLE, UNREACHABLE]
    assert answers.verdict is PARTIAL
    for answer in answers.answers:
        passes = answer.verdict is REACHABLE
        assert [blocker.item for blocker in answer.blockers] == ([] if passes else ["eni.security_group.egress"])


def test_an_enterprise_group_with_what_is_needed_lets_all_of_it_out() -> None:
    answers = preset(enterprise(*NEEDED))
    assert (answers.verdict, verdicts(answers)) == (REACHABLE, [REACHABLE] * 4)


@pytest.mark.parametrize(("missing", "shut"), [(0, 0), (1, 1), (2, 3)])
def test_one_rule_that_is_missing_shuts_what_it_was_for(missing: int, shut: int) -> None:
    answers = preset(enterprise(*(rule for number, rule in enumerate(NEEDED) if number != missing)))
    assert answers.verdict is PARTIAL
    assert [number for number, verdict in enumerate(verdicts(answers)) if verdict is not REACHABLE] == [shut]


@pytest.mark.parametrize("changed", [{"protocol": "udp"}, {"ports": "80/80"}, {"priority": 2, "policy": "drop"}])
def test_a_rule_that_is_near_it_is_not_it(changed: Document) -> None:
    answers = preset(enterprise({**NEEDED[0], **changed}, *NEEDED[1:]))
    assert verdicts(answers) == [UNREACHABLE, REACHABLE, REACHABLE, REACHABLE]


def test_rules_for_the_ranges_serve_where_the_region_is_not_known() -> None:
    wide = {"direction": "egress", "protocol": "tcp", "ports": "443/443", "destination": "100.64.0.0/10"}
    assert preset(enterprise(wide, NEEDED[2]), {"region": "xx-nowhere"}).verdict is REACHABLE
    narrow = preset(enterprise({**wide, "destination": "100.100.0.0/16"}, NEEDED[2]), {"region": "xx-nowhere"})
    assert verdicts(narrow) == [REACHABLE, PARTIAL, REACHABLE, REACHABLE]
    assert preset(enterprise(*NEEDED), {"region": "xx-nowhere"}).verdict is PARTIAL


def test_none_that_passes_is_unreachable() -> None:
    assert preset({"instances": {"i-a": {"expires": "2020-01-01T00:00:00Z"}}}).verdict is UNREACHABLE


def test_what_is_not_known_is_undetermined_and_a_blocker_outranks_it() -> None:
    unknown = {"region": REGION, "vswitches": {"vsw-a": {"network_acl": {"unknown": "not exported"}}}}
    assert preset(unknown).verdict is Verdict.UNDETERMINED
    assert preset(unknown, enterprise()).verdict in (PARTIAL, UNREACHABLE)


def test_an_acl_stops_the_servers_but_not_metadata_and_dns() -> None:
    acl: Document = {"region": REGION, "network_acls": {"nacl-1": {"vpc": "vpc-1"}},
                     "vswitches": {"vsw-a": {"network_acl": "nacl-1"}}}  # fmt: skip
    assert verdicts(preset(acl)) == [UNREACHABLE, UNREACHABLE, REACHABLE, REACHABLE]


# -- the command -------------------------------------------------------------------------------------------------------

STATUSES = {
    "all": ((), 0, "REACHABLE"),
    "one missing": ((enterprise(*NEEDED[1:]),), 1, "PARTLY REACHABLE"),
    "exactly what is needed": ((enterprise(*NEEDED),), 0, "REACHABLE"),
    "none": (({"instances": {"i-a": {"expires": "2020-01-01T00:00:00Z"}}},), 1, "UNREACHABLE"),
    "not known": (({"region": REGION, "vswitches": {"vsw-a": {"network_acl": {"unknown": "-"}}}},), 3, "UNDETERMINED"),
}


@pytest.mark.parametrize(("changes", "status", "word"), STATUSES.values(), ids=STATUSES)
def test_the_status_is_that_of_all_four(changes: tuple[Document, ...], status: int, word: str, run_preset: Any) -> None:
    answer = run_preset({"region": REGION}, *changes)
    assert (answer.status, answer.err) == (status, "")
    title, *lines = answer.out.splitlines()[:5]
    assert title == f"cloud-assistant: {word}"
    assert [re.search("i-a -> (.*?)  (.*?) ([0-9]+)", line).groups() for line in lines] == ASKED  # type: ignore[union-attr]


@pytest.mark.parametrize(("missing", "address"), [(0, SERVER), (1, STORE), (2, DNS)])
def test_what_is_missing_is_named_with_its_line(missing: int, address: str, run_preset: Any, tmp_path: Path) -> None:
    answer = run_preset(enterprise(*(rule for number, rule in enumerate(NEEDED) if number != missing)))
    assert answer.status == 1
    (line,) = [line for line in answer.out.splitlines()[:5] if line.startswith("✘")]
    assert f"i-a -> {address}  " in line
    place = re.search(r"eni\.security_group\.egress eni-a: .* \[(.*):(\d+)\]$", line)
    assert place
    assert '"sg-a"' in Path(place[1]).read_text().splitlines()[int(place[2]) - 1]
    assert answer.out.count("What stops it") == 1


def test_the_reports_of_what_holds_are_shown_with_all(run_preset: Any) -> None:
    assert run_preset({"region": REGION}).out.count("\n") == 5
    assert run_preset({"region": REGION}, words=("--src", "i-a", "--all")).out.count("The way there") == 4


def test_json_has_four_reports_that_fit_the_schema(run_preset: Any) -> None:
    answer = run_preset(enterprise(*NEEDED[1:]), words=("--src", "i-a", "-o", "json"))
    assert answer.status == 1
    answers = json.loads(answer.out)
    assert {key: answers[key] for key in ("schema", "preset", "verdict")} == {
        "schema": "netinsight.answers/1", "preset": "cloud-assistant", "verdict": "partial"
    }  # fmt: skip
    assert set(answers) == {"schema", "preset", "verdict", "answers"}
    assert [report["verdict"] for report in answers["answers"]] == ["unreachable", *["reachable"] * 3]
    validator = Draft202012Validator(json.loads((ROOT / "docs" / "report.schema.json").read_text("utf-8")))
    for report in answers["answers"]:
        validator.validate(report)


def test_each_report_is_that_of_the_question_asked_alone(run_preset: Any, command: Command, tmp_path: Path) -> None:
    reports = json.loads(run_preset(enterprise(*NEEDED[1:]), words=("--src", "i-a", "-o", "json")).out)["answers"]
    for (address, protocol, port), report in zip(ASKED, reports, strict=True):
        words = ["--src", "i-a", "--dst", address, "--protocol", protocol, "--port", port, "-o", "json"]
        assert json.loads(command("diagnose", str(tmp_path / "t.json"), *words).out) == report


def test_a_page_has_each_question_and_opens_what_does_not_hold(run_preset: Any) -> None:
    answer = run_preset(enterprise(*NEEDED[1:]), words=("--src", "i-a", "-o", "html"))
    assert answer.status == 1
    assert answer.out.startswith("<!DOCTYPE html>")
    opened = re.findall(r"<details( open)?><summary>. \w+ .*?-&gt; (\S+)", answer.out)
    assert opened == [(" open" if number == 0 else "", address) for number, (address, _, _) in enumerate(ASKED)]
    assert not re.search(r"<script|src=|href=.?http|@import|url\(", answer.out)


def test_a_page_holds_to_its_frame_whatever_the_names_are(run_preset: Any) -> None:
    name = "</summary></details><script>alert(1)</script>"
    answer = run_preset({"region": REGION, "instances": {"i-a": {"name": name}}}, words=("--src", name, "-o", "html"))
    assert answer.status == 0
    assert "<script" not in answer.out
    assert answer.out.count("<summary>") == answer.out.count("</summary>")


def test_the_answer_is_chinese_where_that_is_asked_for(run_preset: Any) -> None:
    answer = run_preset(enterprise(), words=("--src", "i-a", "--lang", "zh"))
    assert answer.status == 1
    assert answer.out.startswith("cloud-assistant: 部分可达\n✘ 不可达")
    assert preset(enterprise(), manner=Manner(lang="zh")).answers[0].lang == "zh"


def test_a_folder_of_rules_has_regions_of_its_own(run_preset: Any, tmp_path: Path) -> None:
    mine = "cloud_assistant: {regions: {my-cloud: {server: 100.64.0.9, package_store: 100.64.0.10}}}\n"
    answer = run_preset({"region": "my-cloud"}, words=("--src", "i-a", *with_rules(tmp_path, mine)))
    assert answer.status == 0, answer.err
    assert "i-a -> 100.64.0.9  tcp 443" in answer.out
    assert "i-a -> 100.64.0.10  tcp 443" in answer.out


REFUSED = {
    "a preset that is misspelt": (("--src", "i-a"), "cloud-asistant", "no preset `cloud-asistant`", "`cloud-assistant`?"),
    "a preset that is like no other": (("--src", "i-a"), "zzz", "no preset `zzz` (cloud-assistant)", ""),
    "an empty preset": (("--src", "i-a"), "", "no preset", ""),
    "no source": ((), "cloud-assistant", "--preset needs --src", ""),
    "a destination": (("--src", "i-a", "--dst", "i-b"), "cloud-assistant", "does not go with --dst", ""),
    "a port": (("--src", "i-a", "--port", "22"), "cloud-assistant", "does not go with --port", ""),
    "a protocol": (("--src", "i-a", "--protocol", "tcp"), "cloud-assistant", "does not go with --protocol", ""),
    "one way": (("--src", "i-a", "--one-way"), "cloud-assistant", "does not go with --one-way", ""),
    "the Internet": (("--src", "internet"), "cloud-assistant", "must be an instance or an ENI", "name an instance"),
    "an Internet host": (("--src", "8.8.8.8"), "cloud-assistant", "must be an instance or an ENI", "name an instance"),
    "a source that does not exist": (("--src", "i-aa"), "cloud-assistant", "is called `i-aa`", "did you mean `i-a`?"),
    "a vSwitch": (("--src", "vsw-a"), "cloud-assistant", "`vsw-a` is a vSwitch", ""),
}  # fmt: skip


@pytest.mark.parametrize("output", ["text", "json", "html"])
@pytest.mark.parametrize(("words", "name", "message", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_asked_is_2_with_a_reason(
    words: tuple[str, ...], name: str, message: str, hint: str, output: str, run_preset: Any
) -> None:
    answer = run_preset(words=(*words, "-o", output), preset=name)
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err.splitlines()[0]
    assert hint in answer.err
    assert "Traceback" not in answer.err


def test_a_stopped_instance_cannot_be_asked(run_preset: Any) -> None:
    answer = run_preset({"instances": {"i-a": {"status": "Stopped"}}})
    assert (answer.status, answer.out) == (2, "")
    assert "instance i-a is Stopped" in answer.err
    assert answer.err.count("is Stopped") == 1


def test_the_api_refuses_what_the_command_does() -> None:
    with pytest.raises(QuestionError, match="no preset"):
        net().ask_preset("cloud", "i-a")
    with pytest.raises(ObjectError):
        preset(src="i-zzz")
    with pytest.raises(QuestionError, match="must be an instance"):
        preset(src="internet")
    with pytest.raises(PreconditionError):
        preset({"instances": {"i-a": {"status": "Stopped"}}})


def test_there_is_one_preset() -> None:
    assert list(PRESETS) == ["cloud-assistant"]
