"""``net.evaluate``: many flows as arrays say what one diagnosis after another says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netinsight.api import Manner, Net
from netinsight.diagnosis import evaluate as evaluate_module
from netinsight.diagnosis.evaluation import STAGE_ITEMS, Evaluation
from netinsight.diagnosis.report import Report
from netinsight.engine import kernels
from netinsight.errors import InputError, QuestionError
from netinsight.flow import TCP, UDP, PortRange, Question, has_ports
from netinsight.model.topology import Topology
from tests import estates, wide_estates
from tests.diagnosis import NOT_KNOWN, net

MANY = settings(
    max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


def first_said(report: Report) -> tuple[str, str, str, str]:
    """Verdict, first blocker (or unknown), its object, and the rule that decided, as a report tells them."""
    wrong = [item for item in report.items if item.status == "abnormal" and item.severity == "critical"]
    if not wrong and report.verdict.value == "undetermined":
        wrong = [item for item in report.items if item.status == "unknown"]
    if not wrong:
        return report.verdict.value, "", "", ""
    rule = wrong[0].evidence[0] if wrong[0].evidence else None
    named = rule.id if rule and rule.kind not in STATES else ""
    return report.verdict.value, wrong[0].id, wrong[0].object.id, named


STATES = ("route_table", "fact", "unknown", "eni_status", "public_ip", "blackhole", "dnat_entry", "gateway")


def compared(found: Evaluation, row: int) -> tuple[str, str, str, str]:
    return found.verdict[row], found.item[row], found.object[row], found.rule[row]


def questions(data: st.DataObject, topology: Topology, number: int, *, with_source_port: bool) -> list[Question]:
    """Questions between two ends that exist, whatever they are."""
    made = []
    for _ in range(number):
        asked = data.draw(estates.questions(topology))
        if has_ports(asked.protocol):
            from_port = PortRange(asked.source_port, asked.source_port) if with_source_port else None
            port = PortRange(asked.port, asked.port)
            made.append(Question(asked.src, asked.dst, asked.protocol, port, from_port))
    return made


def enis_of(topology: Topology) -> list[str]:
    return [interface.id for interface in topology.interfaces()]


def as_columns(asked: list[Question]) -> dict[str, list[Any]]:
    return {
        "src": [one.source for one in asked],
        "dst": [one.destination for one in asked],
        "protocol": [one.protocol for one in asked],
        "port": [one.ports.first if one.ports else None for one in asked],
        "source_port": [one.source_ports.first if one.source_ports else None for one in asked],
    }


@MANY
@given(st.data(), st.booleans(), st.booleans())
def test_many_flows_say_what_one_diagnosis_after_another_says(
    data: st.DataObject, with_source_port: bool, guest: bool
) -> None:
    topology = data.draw(estates.topologies())
    asked = questions(data, topology, 4, with_source_port=with_source_port)
    names = enis_of(topology)
    instances = {one.id: one.instance_id or one.id for one in topology.interfaces()}
    ports = [22, 25, 53, 80, 443, 3306, 8080]
    for source in names[:4]:
        for destination in names[:4]:
            if instances[source] != instances[destination]:
                port, protocol = data.draw(st.sampled_from(ports)), data.draw(st.sampled_from([TCP, UDP]))
                asked.append(Question(source, destination, protocol, PortRange(port, port)))
    assert_alike(topology, asked, Manner(guest=guest))


@MANY
@given(st.data())
def test_flows_through_gateways_and_appliances_say_it_too(data: st.DataObject) -> None:
    topology = data.draw(wide_estates.wide_topologies())
    drawn = data.draw(st.lists(wide_estates.wide_questions(topology), min_size=1, max_size=6))
    asked = [Question(one.src, one.dst, one.protocol, PortRange(one.port, one.port), None)
             for one in drawn if has_ports(one.protocol)]  # fmt: skip
    names = enis_of(topology)
    instances = {one.id: one.instance_id or one.id for one in topology.interfaces()}
    asked += [Question(a, b, TCP, PortRange(22, 22))
              for a in names[:5] for b in names[:5] if instances[a] != instances[b]]  # fmt: skip
    assert_alike(topology, [one for one in asked if not Net(topology).problems_of(one)], Manner())


def assert_alike(topology: Topology, asked: list[Question], manner: Manner) -> None:
    """Arrays and reports say the same: verdict, first blocker, its object, the rule."""
    if not asked:
        return
    network = Net(topology)
    found = network.evaluate(as_columns(asked), manner)
    for row, report in enumerate(network.diagnose_all(asked, manner)):
        told = first_said(report)
        assert compared(found, row)[:3] == told[:3], (row, asked[row])
        if told[1] and not told[1].startswith("gateway."):
            assert compared(found, row)[3] == told[3], (row, asked[row])


def test_flows_between_enis_are_decided_by_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("walked")

    network = net({"vswitches": {"vsw-a": {"network_acl": "nacl-1"}}, "network_acls": {"nacl-1": {
        "vpc": "vpc-1", "egress": [{"policy": "accept", "destination": "0.0.0.0/0", "protocol": "tcp"}],
        "ingress": [{"policy": "accept", "source": "0.0.0.0/0", "protocol": "tcp", "ports": "1024/65535"}]}}})  # fmt: skip
    monkeypatch.setattr(evaluate_module.Evaluator, "_walk", never)
    found = network.evaluate({"src": ["i-a", "i-b", "eni-a"], "dst": ["i-b", "eni-a", "10.0.2.20"], "port": 22})
    assert found.verdict.tolist() == ["reachable", "unreachable", "reachable"]
    assert found.rule.tolist() == ["", "nacl-1/ingress/default", ""]
    assert found.counts() == {"reachable": 2, "unreachable": 1}
    assert len(found) == 3


def test_a_precondition_is_a_blocker_among_many_flows() -> None:
    found = net({"instances": {"i-b": {"status": "Stopped"}}}).evaluate({"src": ["i-a"], "dst": ["i-b"], "port": [22]})
    assert compared(found, 0)[:3] == ("unreachable", "precondition.instance_running", "i-b")


def test_what_is_asked_by_arrays_frames_and_single_values_is_the_same() -> None:
    network = net()
    columns: dict[str, Any] = {"src": np.array(["i-a", "i-a"]), "dst": ["i-b", "i-b"], "port": np.array([22.0, 80.0])}
    structured = np.array(
        [("i-a", "i-b", 22), ("i-a", "i-b", 80)], dtype=[("src", "U9"), ("dst", "U9"), ("port", "i4")]
    )

    class Frame:
        """What a DataFrame shows of itself."""

        columns = ("src", "dst", "port")

        def __getitem__(self, name: str) -> Any:
            return structured[name]

    one = {"src": "i-a", "dst": ["i-b", "i-b"], "port": [22, 80], "protocol": "TCP"}
    for flows in (columns, structured, Frame(), one):
        assert network.evaluate(flows).verdict.tolist() == ["reachable", "reachable"]


def test_no_flows_are_no_answers() -> None:
    found = net().evaluate({"src": [], "dst": [], "port": []})
    assert (len(found), found.counts()) == (0, {})


@pytest.mark.parametrize(
    ("flows", "message"),
    [
        ({"src": ["i-a"], "port": [22]}, "no column `dst`"),
        ({"src": ["i-a"], "dst": ["i-b"], "prot": [22]}, "unknown column `prot`"),
        ({"src": ["i-a"], "dst": ["i-b", "i-a"], "port": [22]}, "different lengths"),
        ([1, 2], "columns by name"),
    ],
)
def test_columns_that_are_no_flows_are_refused(flows: Any, message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        net().evaluate(flows)


def test_every_flow_that_cannot_be_asked_is_named() -> None:
    flows = {"src": ["i-a", "i-a", "i-a", "i-b"], "dst": ["i-b"] * 4, "port": [22, 70000, None, 22],
             "protocol": ["tcp", "tcp", "udp", "tpc"]}  # fmt: skip
    with pytest.raises(InputError) as error:
        net().evaluate(flows)
    told = [problem.headline.split(":")[0] for problem in error.value.problems]
    assert told == ["flow 3", "flow 1", "flow 2", "flow 3"]  # the last: its ends are one
    with pytest.raises(InputError, match="flow 1: nothing in the topology is called `i-x`"):
        net().evaluate({"src": ["i-a", "i-x"], "dst": ["i-b", "i-b"], "port": 22})
    with pytest.raises(InputError, match="flow 0: source and destination are one ENI"):
        net().evaluate({"src": ["i-a"], "dst": ["i-a"], "port": 22})


def test_the_stages_of_the_kernel_are_those_of_the_walk() -> None:
    """Each drop at one stage only, in the order of the walk: the kernel blames the first."""
    stops = {"i-a": {"status": "Stopped"}}
    found = net({"instances": stops}, {"security_groups": {"sg-b": {"rules": NOT_KNOWN}}}).evaluate(
        {"src": ["i-a"], "dst": ["i-b"], "port": [22]}
    )
    assert found.item.tolist() == ["precondition.instance_running"]
    assert len(STAGE_ITEMS) + 2 == kernels.AT_ENDS
