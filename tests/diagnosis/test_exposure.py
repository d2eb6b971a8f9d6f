"""Who reaches what, and what is exposed: each answer is that of the questions that it is made of."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netinsight.api import Net, load
from netinsight.cli import run
from netinsight.diagnosis.reach_report import Exposed, ReachGroup, WhoCanReach
from netinsight.errors import QuestionError
from netinsight.flow import TCP, PortRange, Question, Verdict, parse_ports, parse_protocol
from netinsight.model.topology import Topology
from tests import estates, wide_estates
from tests.conftest import ROOT
from tests.diagnosis import BASE, EVERYONE, merged, net

SOME = settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
PUBLIC = {"eips": {"eip-b": {"ip": "203.0.113.5", "bound_to": "eni-b"}}}


def groups_of(answer: WhoCanReach) -> dict[str, ReachGroup]:
    """The group of each source that reaches it, or may."""
    return {one.eni or one.id: group for group in answer.groups for one in group.sources}


def check_sources(of: Net, destination: str, chance: random.Random) -> None:
    """Every source has one place, and some ports of each are as ``diagnose`` says."""
    try:
        answer = of.who_can_reach(destination, protocol="tcp")
    except QuestionError:
        return
    reached = groups_of(answer)
    silent = [one.eni or one.id for row in answer.unreachable for one in row.sources]
    assert len([*reached, *silent]) == len({*reached, *silent})
    for source in (*reached, *silent):
        rows = reached[source].passing if source in reached else []
        edges = {port for row in rows for port in parse_ports(row.ports) or ()}
        for port in chance.sample(sorted({22, 80, 443, *edges}), 3):
            at = [row.verdict for row in rows if _holds(row.ports, port)]
            (said,) = of.diagnose_all([Question(source, destination, TCP, PortRange(port, port))])
            assert (at or [Verdict.UNREACHABLE]) == [said.verdict], (source, destination, port)


def _holds(written: str, port: int) -> bool:
    ports = parse_ports(written)
    return ports is not None and ports.first <= port <= ports.last


def crowded(topology: Topology) -> Topology:
    """The same with two more of each instance, which nothing tells apart from it but their addresses."""
    document = json.loads(topology.model_dump_json(by_alias=True, exclude_unset=True))
    taken = {one.eni.ip for one in topology.interfaces()}
    for name, instance in list(document.get("instances", {}).items()):
        for n in (1, 2):
            twin = copy.deepcopy(instance)
            twin.pop("public_ip", None)
            twin.pop("name", None)
            enis = {}
            for eni, one in twin["network_interfaces"].items():
                block = one["ip"].rsplit(".", 1)[0]
                one["ip"] = next(ip for ip in (f"{block}.{host}" for host in range(200, 250)) if ip not in taken)
                taken.add(one["ip"])
                for key in ("secondary_ips", "ipv6_addresses", "name"):
                    one.pop(key, None)
                enis[f"{eni}-{n}"] = one
            twin["network_interfaces"] = enis
            document["instances"][f"{name}-{n}"] = twin
    return Topology.model_validate(document)


@SOME
@given(st.data())
def test_who_reaches_an_eni_of_a_crowded_estate_is_what_diagnose_says(data: st.DataObject) -> None:
    of = Net(crowded(data.draw(estates.topologies())))
    chance = random.Random(data.draw(st.integers(0, 1000)))
    check_sources(of, chance.choice(list(of.network.enis)), chance)


@SOME
@given(st.data())
def test_who_reaches_an_end_of_a_wide_estate_is_what_diagnose_says(data: st.DataObject) -> None:
    of = Net(data.draw(wide_estates.wide_topologies()))
    chance = random.Random(data.draw(st.integers(0, 1000)))
    check_sources(of, chance.choice([*of.network.enis, *of.topology.load_balancers]), chance)


@SOME
@given(st.data())
def test_what_is_exposed_in_a_wide_estate_is_what_the_internet_reaches(data: st.DataObject) -> None:
    of = Net(data.draw(wide_estates.wide_topologies()))
    answer = of.exposure(protocol=["tcp", "icmp"])
    for one in answer.exposed:
        row, protocol = one.passing, parse_protocol(one.passing.protocol)
        ports = parse_ports(row.ports)
        asked = PortRange(ports.first, ports.first) if ports else None
        (said,) = of.diagnose_all([Question("internet", one.address, protocol, asked)])
        assert said.verdict is row.verdict
        if row.witness and row.verdict in (Verdict.REACHABLE, Verdict.PARTIAL):
            source = PortRange(row.witness.source_port, row.witness.source_port) if row.witness.source_port else None
            (packet,) = of.diagnose_all([Question(row.witness.src, row.witness.dst, protocol, asked, source)])
            assert packet.verdict is row.witness.verdict
    for way in answer.outward:
        for row in way.passing:
            ports = parse_ports(row.ports)
            question = Question(str(way.sources[-1].eni), "internet", parse_protocol(row.protocol),
                                PortRange(ports.last, ports.last) if ports else None)  # fmt: skip
            (said,) = of.diagnose_all([question])
            assert said.verdict is row.verdict


# ---------------------------------------------------------------------------------------------------- who reaches it


def test_sources_of_one_answer_stand_together_and_those_of_another_apart() -> None:
    more = {f"i-c{n}": {"network_interfaces": {f"eni-c{n}": {"vswitch": "vsw-a", "ip": f"10.0.1.{n}",
            "security_groups": ["sg-a"]}}} for n in range(30, 40)}  # fmt: skip
    shut = {"security_groups": {"sg-shut": {"vpc": "vpc-1", "rules": [
        {"direction": "egress", "policy": "drop", "destination": EVERYONE}]}},
        "instances": {"i-shut": {"network_interfaces": {"eni-shut": {"vswitch": "vsw-a", "ip": "10.0.1.99",
                                 "security_groups": ["sg-shut"]}}}}}  # fmt: skip
    answer = net({"instances": more}, shut).who_can_reach("i-b", port=22)
    (group,) = answer.groups
    assert [one.id for one in group.sources] == ["i-a", *more]
    assert {one.id for row in answer.unreachable for one in row.sources} == {"i-shut", "internet"}
    assert "vsw-a, sg-a: i-a (eni-a), i-c30 (eni-c30)" in answer.text()
    assert "11 sources" in answer.text(summary=True)
    assert "eni.security_group.egress at the source" in answer.text(everything=True)


def test_nobody_reaches_what_is_shut() -> None:
    answer = net({"instances": {"i-b": {"status": "Stopped"}}}).who_can_reach("i-b")
    assert (answer.groups, answer.verdict) == ([], Verdict.UNREACHABLE)
    assert "nobody reaches it" in answer.text()
    assert "precondition.instance_running" in {by.item for row in answer.unreachable for by in row.by}


def test_networks_outside_are_sources_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    of = load("topologies/vpn-selector.yaml")
    target = next(iter(of.network.enis))
    answer = of.who_can_reach(target, protocol="tcp")
    named = {*groups_of(answer), *(one.id for row in answer.unreachable for one in row.sources)}
    assert {*of.topology.networks, "internet"} <= named


# -------------------------------------------------------------------------------------------------------- exposure


def exposed(answer: Any) -> list[tuple[str, str, str]]:
    return [(one.severity, one.passing.protocol, one.passing.ports) for one in answer.exposed]


def test_an_open_port_of_administration_is_the_worst() -> None:
    answer = net(PUBLIC).exposure()
    assert exposed(answer) == [
        ("critical", "tcp", "1-65535"),
        ("critical", "udp", "1-65535"),
        ("medium", "icmp", "-1/-1"),
    ]
    assert "22 SSH" in answer.exposed[0].sensitive
    assert answer.doors == 1
    assert answer.exposed[0].passing.arrives[0].eni == "eni-b"


RULES = [{"direction": "ingress", "protocol": "tcp", "ports": "22/22", "source": "198.51.100.0/24"},
         {"direction": "ingress", "protocol": "tcp", "ports": "443/443", "source": EVERYONE}]  # fmt: skip


def test_a_port_that_only_some_reach_says_for_whom() -> None:
    answer = net(PUBLIC, {"security_groups": {"sg-b": {"rules": RULES}}}).exposure()
    assert exposed(answer) == [("medium", "tcp", "443"), ("low", "tcp", "22")]
    office = answer.exposed[1].passing
    assert office.hosts is not None
    assert office.hosts.prefixes == ["198.51.100.0/24"]
    assert office.witness is not None
    assert office.witness.src.startswith("198.51.100.")
    assert "from 198.51.100.0/24" in answer.text()


def test_what_nothing_listens_on_is_no_exposure() -> None:
    quiet = {"instances": {"i-b": {"guest": {"listening": []}}}}
    answer = net(PUBLIC, {"security_groups": {"sg-b": {"rules": RULES[1:]}}}, quiet).exposure()
    assert exposed(answer) == [("low", "tcp", "443")]
    assert answer.beyond_allowed is Verdict.UNREACHABLE
    assert "nothing listens" in answer.text()


def test_the_way_out_is_told_with_its_address() -> None:
    answer = net(PUBLIC).exposure()
    ways = {one.eni: way for way in answer.outward for one in way.sources}
    assert ways["eni-b"].by == ["203.0.113.5"]
    assert ways["eni-a"].passing == []
    assert "as 203.0.113.5" in answer.text()
    assert "no way out: route.forward" in answer.text()


def test_what_is_allowed_is_not_counted_and_what_lies_beside_it_is() -> None:
    def beyond(*allow: str) -> list[list[str]]:
        found: list[Exposed] = net(PUBLIC).exposure(protocol="tcp", allow=allow).exposed
        return [one.not_allowed for one in found]

    assert beyond() == [["1-65535"]]
    assert beyond("tcp/443") == [["1-442", "444-65535"]]
    assert beyond("tcp") == [[]]
    assert beyond("udp") == [["1-65535"]]
    assert beyond("tcp/1-1000", "tcp/1001-65535") == [[]]


@pytest.mark.parametrize("written", ["tpc/443", "tcp/0", "tcp/x", "icmp/8", "tcp/9-3", ""])
def test_what_cannot_be_allowed_is_refused(written: str) -> None:
    with pytest.raises(QuestionError):
        net().exposure(allow=[written])


# ------------------------------------------------------------------------------------------------------- the commands


@pytest.fixture
def file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    document = merged(merged(BASE, PUBLIC), {"security_groups": {"sg-b": {"rules": RULES}}})
    (tmp_path / "net.json").write_text(json.dumps(document), encoding="utf-8")
    return "net.json"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["ports", "i-b", "i-a"], 1),
        (["ports", "internet", "i-b"], 0),
        (["ports", "internet", "i-b", "--port", "80"], 1),
        (["who-can-reach", "i-b"], 0),
        (["who-can-reach", "i-a"], 0),
        (["exposure"], 0),
        (["exposure", "--fail-if-exposed"], 1),
        (["exposure", "--fail-if-exposed", "--allow", "tcp/443"], 1),
        (["exposure", "--fail-if-exposed", "--allow", "tcp/443", "--allow", "tcp/22"], 0),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_command_says_it_in_its_status(
    file: str, words: list[str], status: int, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = words
    assert run([command, file, *rest, "--lang", lang]) == status
    shown = capsys.readouterr()
    assert (shown.out != "", shown.err) == (True, "")
    assert run([command, file, *rest, "--lang", lang, "-o", "json"]) == status
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["lang"]) == (f"netinsight.{command.replace('-', '_')}/1", lang)


def test_what_is_not_known_fails_a_gate_otherwise(file: str, capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    document = json.loads((tmp_path / file).read_text("utf-8"))
    document["instances"]["i-b"]["network_interfaces"]["eni-b"]["security_groups"] = {"unknown": "not exported"}
    (tmp_path / file).write_text(json.dumps(document), encoding="utf-8")
    assert run(["exposure", file, "--fail-if-exposed"]) == 3
    assert "not known: " in capsys.readouterr().out
    assert run(["ports", file, "internet", "i-b"]) == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ports", "i-a"], "the following arguments are required: DST"),
        (["ports", "i-a", "i-x"], "nothing in the topology is called `i-x`"),
        (["ports", "i-a", "i-a"], "source and destination are one ENI"),
        (["who-can-reach", "i-x"], "nothing in the topology is called `i-x`"),
        (["who-can-reach", "i-b", "--port", "70000"], "out of range"),
        (["who-can-reach", "i-b", "--summary", "--all"], "not allowed with"),
        (["who-can-reach", "vpc-1"], "expected an instance, an ENI or an address"),
        (["exposure", "--allow", "443"], "protocol `443` is not known"),
        (["exposure", "--protocol", "icmp", "--port", "22"], "icmp has no ports"),
    ],
)
def test_what_cannot_be_done_is_refused(
    file: str, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = words
    assert run([command, file, *rest]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert told in shown.err


def test_a_strange_name_is_escaped(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ports", file, "i-a", "i-\x1b[31mb"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_the_json_forms_hold_to_their_schemas(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    from jsonschema import Draft202012Validator

    for words in (["ports", file, "internet", "i-b"], ["who-can-reach", file, "i-b"], ["exposure", file]):
        assert run([*words, "-o", "json"]) == 0
        told = json.loads(capsys.readouterr().out)
        schema = json.loads((ROOT / "docs" / f"{words[0]}.schema.json").read_text("utf-8"))
        assert [error.message for error in Draft202012Validator(schema).iter_errors(told)] == []
