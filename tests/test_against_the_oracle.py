"""The package against an independent twin, over random estates: one flow, many flows, and sets of ports."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netinsight.addresses import parse_address
from netinsight.diagnosis.catalogue import load_catalogue
from netinsight.diagnosis.diagnose import diagnose
from netinsight.diagnosis.report import Report
from netinsight.engine.classify import decide, first_match, first_matches, partition
from netinsight.engine.kernels import ACTION, COLUMNS
from netinsight.engine.spaces import Box
from netinsight.engine.tables import halves
from netinsight.errors import QuestionError
from netinsight.flow import ICMP, ICMPV6, PortRange, Question, has_ports
from netinsight.model.security_group import Direction
from netinsight.model.topology import Topology
from netinsight.network.build import Network
from netinsight.network.filters import Filter
from tests import estates, oracle, packet_oracle, wide_estates

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
MANY = settings(
    max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
FEW = settings(MANY, max_examples=100)
OUT_OF_SCOPE = ("ssh.", "nic.", "load.", "business.", "service.", "firewall.", "guest.route.")


class OneEnd(Exception):  # noqa: N818 - it is no error
    """No question: both ends are one, a HaVip and its own master; it begins at a HaVip that has none; an ENI is free."""


def ask(topology: Topology, question: estates.Question, ports: PortRange | None = None) -> Report:
    ported = has_ports(question.protocol)
    protocol = ICMP if question.protocol == ICMPV6 else question.protocol
    asked = Question(
        question.src,
        question.dst,
        protocol,
        (ports or PortRange(question.port, question.port)) if ported else None,
        PortRange(question.source_port, question.source_port) if ported else None,
    )
    try:
        return diagnose(Network(topology), asked, topology.collected_at or NOW, load_catalogue())
    except QuestionError as error:
        told = ("source and destination are one", "a question begins at", "is attached to no instance")
        if any(words in str(error) for words in told):
            raise OneEnd from error
        raise


def judged(report: Report, topology: Topology, status: str) -> set[tuple[str, str]]:
    """The critical items of a status as the oracles name them."""
    found = set()
    for item in report.items:
        if item.status != status or item.id.startswith(OUT_OF_SCOPE) or item.severity != "critical":
            continue
        name = item.object.id
        if item.id == "blackhole.public_ip" and item.object.type == "instance":
            name = _eni_of(report, topology, name)
        found.add((item.id, _whole(topology, item.id, name)))
    return found


def _eni_of(report: Report, topology: Topology, instance: str) -> str:
    asked = {report.question.source.eni, report.question.destination.eni}
    return next(eni for eni in topology.instances[instance].network_interfaces if eni in asked)


def _whole(topology: Topology, item: str, name: str) -> str:
    """The gateway of a connection, the router of an attachment: the oracle tells of those."""
    parts = {"gateway.vpn": (topology.vpn_gateways, "connections"),
             "gateway.transit_router": (topology.transit_routers, "attachments")}  # fmt: skip
    wholes, inner = parts.get(item, ({}, ""))
    return next((whole for whole, described in wholes.items() if name in getattr(described, inner)), name)


def simulated(topology: Topology, question: estates.Question) -> packet_oracle.Outcome:
    return packet_oracle.simulate(
        topology, question.src, question.dst, question.protocol, question.source_port, question.port
    )


def _wherever(blockers: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Blockers, those of the answer's routes whatever the object: the simulation goes on to where it gets lost."""
    return {(item, "" if item == "route.return" else name) for item, name in blockers}


def assert_agree(report: Report, topology: Topology, question: estates.Question) -> None:
    """The verdict and the blockers of the packet that was simulated.

    Where that finds no way on, the analyzer still judges what stands at the asked end: it may find more that stops it
    there, and so be sure where the simulation is not.
    """
    outcome = simulated(topology, question)
    blockers, expected = (_wherever(found) for found in (judged(report, topology, "abnormal"), outcome.blockers))
    not_known = {one for path in outcome.paths for one in path.unknowns}
    lost_back = any(item == "route.return" for item, _ in blockers | expected | not_known)
    if lost_back and outcome.verdict in ("unreachable", "partial"):
        # an answer that comes to the wrong gateway: the simulation goes on, and may get lost elsewhere
        elsewhere = ("route.return", "gateway.nat")
        blockers, expected = ({one for one in found if one[0] not in elsewhere} for found in (blockers, expected))
    assert blockers >= expected
    if outcome.verdict in ("reachable", "partial") and not lost_back:
        assert blockers == expected
    lost = lost_back or any(not path.back for path in outcome.paths)
    assert blockers == expected or outcome.verdict == "undetermined" or lost
    sure = outcome.verdict == "undetermined" and bool(blockers - expected)
    assert report.verdict == ("unreachable" if sure else outcome.verdict)


@MANY
@given(st.data())
def test_one_flow_has_the_verdict_and_the_blockers_of_the_oracle(data: st.DataObject) -> None:
    topology = data.draw(estates.topologies())
    question = data.draw(estates.questions(topology))
    expected = oracle.diagnose(
        topology, question.src, question.dst, question.protocol, question.source_port, question.port
    )
    report = ask(topology, question)
    assert_agree(report, topology, question)
    if expected.unknowns:  # this oracle follows no next hop
        return
    assert judged(report, topology, "abnormal") == set(expected.blockers)
    assert not judged(report, topology, "unknown")
    assert report.verdict == expected.verdict
    for rule in _deciding(report):
        assert rule in expected.deciding.items()


@MANY
@given(st.data())
def test_one_flow_through_gateways_and_appliances_is_that_of_the_simulated_packet(data: st.DataObject) -> None:
    topology = data.draw(wide_estates.wide_topologies())
    question = data.draw(wide_estates.wide_questions(topology))
    with contextlib.suppress(OneEnd):
        assert_agree(ask(topology, question), topology, question)


def _deciding(report: Report) -> list[tuple[tuple[str, str], str]]:
    """The rule of each group, ACL and route stage whose item is certain."""
    return [
        ((item.id, item.object.id), evidence.id)
        for item in report.items
        if item.id.startswith(("eni.security_group", "vswitch.network_acl", "route."))
        and item.status in ("normal", "abnormal")
        for evidence in item.evidence
        if evidence.kind != "route_table"  # where no row decided
    ]


@FEW
@given(st.data())
def test_a_range_of_ports_passes_exactly_where_each_of_its_ports_does(data: st.DataObject) -> None:
    topology = data.draw(estates.topologies())
    question = data.draw(estates.questions(topology).filter(lambda q: has_ports(q.protocol)))
    last = data.draw(st.integers(question.port, min(question.port + 30, 65535)))
    report = ask(topology, question, PortRange(question.port, last))
    passing = {port for written in report.reachable_ports for port in _ports(written)}
    verdicts = {
        port: simulated(topology, question._replace(port=port)).verdict for port in range(question.port, last + 1)
    }
    assert passing == {port for port, verdict in verdicts.items() if verdict == "reachable"}
    assert not report.partly_reachable_ports


def _ports(written: str) -> range:
    first, _, last = written.partition("-")
    return range(int(first), int(last or first) + 1)


@FEW
@given(st.data())
def test_many_flows_have_the_rows_of_one_flow_and_the_rules_of_the_oracle(data: st.DataObject) -> None:
    topology = data.draw(estates.topologies())
    network = Network(topology)
    eni = data.draw(st.sampled_from(sorted(network.enis)))
    direction = data.draw(st.sampled_from([Direction.INGRESS, Direction.EGRESS]))
    packed = network.group_filter(network.enis[eni], direction)
    packets = [_packet(data, topology, network, eni, direction) for _ in range(20)]
    flows = np.array([_flow(packet) for packet in packets], dtype=np.int64)
    found = first_matches(packed.table, flows)
    for packet, row in zip(packets, found, strict=True):
        assert row == first_match(packed.table, *_ends(packet), packet.protocol, packet.source_port, packet.port)
        decision, rule = oracle.group_decision(topology, eni, str(direction), packet, topology.assumptions)
        cell = _cell(packed, packet)
        assert decide(packed.table, cell).value == decision
        if decision != "unknown":
            assert packed.origins[cell.rows[-1]].id == rule
            assert bool(packed.table.rows[cell.rows[-1] * COLUMNS + ACTION]) == (decision == "accept")


def _packet(data: st.DataObject, topology: Topology, network: Network, eni: str, direction: Direction) -> oracle.Packet:
    own = data.draw(st.sampled_from(oracle.private_addresses(network.enis[eni].eni)))
    version = 6 if ":" in own else 4
    others = [a for i in network.enis.values() for a in oracle.private_addresses(i.eni) if (":" in a) == (version == 6)]
    peer = data.draw(st.sampled_from([*others, *(estates.HOSTS if version == 4 else ("2001:db8::1",))]))
    protocol = data.draw(st.sampled_from([6, 6, 17, 1, 47, 50]))
    ports = st.sampled_from([22, 25, 79, 80, 81, 442, 443, 444, 1023, 1024, 8000, 8005, 8010, 8020, 40000, 65535])
    sport, port = (data.draw(ports), data.draw(ports)) if has_ports(protocol) else (0, 0)
    source, destination = (peer, own) if direction is Direction.INGRESS else (own, peer)
    return oracle.Packet(source, destination, protocol, sport, port)


def _ends(packet: oracle.Packet) -> tuple[int, int]:
    return parse_address(packet.src), parse_address(packet.dst)


def _flow(packet: oracle.Packet) -> list[int]:
    source, destination = _ends(packet)
    return [*halves(source), *halves(destination), packet.protocol, packet.source_port, packet.port]


def _cell(packed: Filter, packet: oracle.Packet):  # type: ignore[no-untyped-def]
    box = Box(PortRange(packet.source_port, packet.source_port), PortRange(packet.port, packet.port))
    (cell,) = partition(packed.table, *_ends(packet), packet.protocol, box)
    return cell


@FEW
@given(st.data())
def test_acl_lists_decide_as_the_oracle_does(data: st.DataObject) -> None:
    topology = data.draw(estates.topologies())
    network = Network(topology)
    if not topology.network_acls:
        return
    acl = data.draw(st.sampled_from(sorted(topology.network_acls)))
    eni = data.draw(st.sampled_from(sorted(network.enis)))
    direction = data.draw(st.sampled_from([Direction.INGRESS, Direction.EGRESS]))
    packed = network.acl_filter(acl, direction)
    for _ in range(10):
        packet = _packet(data, topology, network, eni, direction)
        decision, rule = oracle.acl_decision(topology, acl, str(direction), packet)
        cell = _cell(packed, packet)
        assert decide(packed.table, cell).value == decision
        if decision != "unknown":
            assert packed.origins[cell.rows[-1]].id == rule


@pytest.mark.parametrize("name", sorted(estates.ASSUMPTIONS))
@settings(FEW, max_examples=25)
@given(data=st.data())
def test_an_assumption_that_is_turned_decides_as_the_oracle_says(name: str, data: st.DataObject) -> None:
    drawn = data.draw(estates.topologies())
    topology = drawn.model_copy(update={"assumptions": {**drawn.assumptions, name: estates.ASSUMPTIONS[name]}})
    question = data.draw(estates.questions(topology))
    report = ask(topology, question)
    assert_agree(report, topology, question)
