"""Exact sets of ports say of each port what ``diagnose`` says of it, and each packet that they show passes."""

from __future__ import annotations

import random
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netinsight.api import Manner, Net, load
from netinsight.diagnosis.catalogue import Lang
from netinsight.diagnosis.pair_ports import Asked, PairSet, pair_set
from netinsight.diagnosis.port_sets import Asking
from netinsight.diagnosis.reach_report import Passing
from netinsight.errors import QuestionError
from netinsight.flow import (
    TCP,
    UDP,
    PortRange,
    Question,
    Verdict,
    has_ports,
    parse_ports,
    parse_protocol,
    protocol_name,
)
from netinsight.model.topology import Topology
from netinsight.network.ends import find_end
from tests import estates, wide_estates
from tests.conftest import ROOT
from tests.diagnosis import NOT_KNOWN, net

EXAMPLES = sorted(path for path in (ROOT / "topologies").glob("*.yaml") if path.stem != "large-estate")
MOST_ENIS = 40
EDGES = (1, 22, 25, 80, 443, 3389, 65535)
MANY = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


def pairs(of: Net) -> list[tuple[str, str]]:
    """Ends that may be asked about: one of them has an ENI, or is a load balancer."""
    inside = [*of.network.enis, *of.topology.load_balancers]
    names = [*inside, "internet", *of.topology.networks]
    return [(a, b) for a, b in permutations(names, 2) if a in inside or b in inside]


def asked(of: Net, src: str, dst: str, what: Asked) -> PairSet | None:
    """The set of a pair; None for a pair that cannot be asked."""
    asking = Asking(of.network, of.catalogue, of.moment(Manner()), of_many=True)
    try:
        return pair_set(asking, src, dst, what, None, Lang.EN)
    except QuestionError:
        return None


def said(of: Net, src: str, dst: str, protocol: int, port: int | None, source_port: int | None = None) -> Verdict:
    """What ``diagnose`` says of one packet, or of every client port."""
    ports = PortRange(port, port) if port else None
    question = Question(src, dst, protocol, ports, PortRange(source_port, source_port) if source_port else None)
    (answer,) = of.diagnose_all([question])
    return answer.verdict


def told(found: PairSet, protocol: int, port: int) -> Verdict:
    """What a set says of a port; what is not in it does not pass."""
    name = protocol_name(protocol)
    rows = [row for row in found.passing if row.protocol == name and _holds(row, port)]
    assert len(rows) <= 1, rows
    return rows[0].verdict if rows else Verdict.UNREACHABLE


def _holds(row: Passing, port: int) -> bool:
    ports = parse_ports(row.ports)
    return ports is None or ports.first <= port <= ports.last


def check_ports(of: Net, src: str, dst: str, chance: random.Random, most: int) -> int:
    """Compare a pair with brute force: each edge of each piece, the ports beside it, well-known and random ones."""
    found = asked(of, src, dst, Asked((TCP, UDP)))
    if found is None:
        return 0
    for protocol in (TCP, UDP):
        edges = {
            port
            for row in found.passing
            for port in parse_ports(row.ports) or ()
            if row.protocol == protocol_name(protocol)
        }
        ports = {*EDGES, chance.randint(1, 65535), *(one + by for one in edges for by in (-1, 0, 1))} & set(
            range(1, 65536)
        )
        for port in chance.sample(sorted(ports), min(most, len(ports))):
            assert told(found, protocol, port) is said(of, src, dst, protocol, port), (src, dst, protocol, port)
    check_witnesses(of, found, src, dst)
    return len(found.passing)


def check_witnesses(of: Net, found: PairSet, src: str, dst: str) -> int:
    """Each packet that is shown gets the verdict that is shown."""
    shown = [(row, row.witness) for row in found.passing if row.witness]
    certain = {Verdict.REACHABLE, Verdict.PARTIAL}
    assert all(row.witness for row in found.passing if row.network in certain)
    for row, packet in shown:
        protocol = parse_protocol(packet.protocol)
        # an address may be that of several ENIs, and a private one has another meaning from outside
        a, b = (written if find_end(of.network, written).interface else packet_end
                for written, packet_end in ((src, packet.src), (dst, packet.dst)))  # fmt: skip
        if find_end(of.network, dst).interface and not find_end(of.network, src).interface:
            b = packet.dst if parse_ports(row.ports) and packet.port not in _range(row) else dst
        ports = (packet.port, packet.source_port) if has_ports(protocol) else (None, None)
        assert said(of, a, b, protocol, *ports) is packet.verdict, (src, dst, row)
        rules = {(rule.stage, rule.object.id) for rule in row.rules}
        assert len(row.rules) >= len(rules)
    return len(shown)


def _range(row: Passing) -> range:
    ports = parse_ports(row.ports) or PortRange(0, -1)
    return range(ports.first, ports.last + 1)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_a_set_says_of_each_port_of_an_example_what_diagnose_says(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    of, chance = load(str(example)), random.Random(example.stem)
    every = pairs(of)
    for src, dst in chance.sample(every, min(2, len(every))):
        check_ports(of, src, dst, chance, 6)
    assert every


@pytest.mark.parametrize("drawn", [estates.topologies(), wide_estates.wide_topologies()], ids=["random", "wide"])
@MANY
@given(st.data())
def test_a_set_says_of_each_port_of_a_drawn_estate_what_diagnose_says(
    drawn: st.SearchStrategy[Topology], data: st.DataObject
) -> None:
    of = Net(data.draw(drawn))
    chance = random.Random(data.draw(st.integers(0, 1000)))
    every = pairs(of)
    for src, dst in chance.sample(every, min(2, len(every))):
        check_ports(of, src, dst, chance, 10)


@MANY
@given(st.data())
def test_a_class_of_protocols_says_of_each_what_diagnose_says(data: st.DataObject) -> None:
    of = Net(data.draw(estates.topologies()))
    chance = random.Random(data.draw(st.integers(0, 1000)))
    src, dst = chance.choice(pairs(of))
    found = asked(of, src, dst, Asked((), others=True))
    if found is None:
        return
    by_number: dict[int, Verdict] = {}
    for row in found.passing:
        by_number.update(dict.fromkeys(numbers(row.protocol), row.verdict))
    for protocol in {1, 47, 58, *chance.sample(range(256), 8)} - {TCP, UDP}:
        assert by_number.get(protocol, Verdict.UNREACHABLE) is said(of, src, dst, protocol, None), (src, dst, protocol)


def numbers(written: str) -> list[int]:
    """The protocols of a row."""
    found = []
    for part in written.split(", "):
        first, _, last = part.partition("-")
        found += range(parse_protocol(first), parse_protocol(last or first) + 1)
    return found


# ------------------------------------------------------------------------------------------------- what stands in a row


LISTENS = {"instances": {"i-b": {"guest": {"listening": [
    {"protocol": "tcp", "port": 22, "address": "0.0.0.0", "process": "sshd"},
    {"protocol": "tcp", "port": 8000, "address": "127.0.0.1", "process": "app"},
]}}}}  # fmt: skip


def rows(found: list[Passing], protocol: str = "tcp") -> list[tuple[str, str, str, str | None]]:
    return [
        (row.ports, row.network.value, row.verdict.value, row.listening) for row in found if row.protocol == protocol
    ]


def test_everything_passes_where_no_rule_stops_it_and_who_listens_is_not_invented() -> None:
    answer = net().ports("i-a", "i-b")
    assert rows(answer.passing) == [("1-65535", "reachable", "reachable", "unknown")]
    assert [row.protocol for row in answer.passing] == ["tcp", "udp", "icmp", "0, 2-5, 7-16, 18-255"]
    assert answer.stopped == []
    assert answer.verdict is Verdict.REACHABLE
    assert "service.listening" in {gap.item for gap in answer.not_checked}


def test_the_network_and_who_listens_are_told_apart() -> None:
    answer = net(LISTENS).ports("i-a", "i-b", protocol="tcp")
    silent = ("reachable", "unreachable", "no")
    assert rows(answer.passing) == [("1-21", *silent), ("22", "reachable", "reachable", "yes"), ("23-65535", *silent)]
    text = answer.text()
    assert "tcp 22 (SSH), a process listens" in text
    assert "- tcp 1-21, 23-65535, the network lets it through, but nothing listens" in text


def test_a_socket_of_an_interface_that_nobody_knows_leaves_its_port_open_and_no_other() -> None:
    bound = {"protocol": "tcp", "port": 9000, "interface": "eth7"}
    known = {"protocol": "tcp", "port": 22, "address": "0.0.0.0"}
    of = net({"instances": {"i-b": {"guest": {"listening": [bound, known]}}}})
    answer = of.ports("i-a", "i-b", protocol="tcp")
    assert [(row.ports, row.listening) for row in answer.passing] == [
        ("1-21", "no"), ("22", "yes"), ("23-8999", "no"), ("9000", "unknown"), ("9001-65535", "no"),
    ]  # fmt: skip
    for port in (21, 22, 9000, 9001):
        assert of.diagnose("i-a", "i-b", port=port).verdict is told(PairSet(answer.passing, [], []), TCP, port)


def test_of_a_guest_of_unknown_kind_both_login_ports_are_judged() -> None:
    of = net({"instances": {"i-b": {"guest": {"sshd": {"running": False}}}}})
    answer = of.ports("i-a", "i-b", protocol="tcp")
    assert [row.ports for row in answer.passing if row.verdict is Verdict.UNREACHABLE] == ["22", "3389"]
    for port in (22, 3389, 3390):
        assert of.diagnose("i-a", "i-b", port=port).verdict is told(PairSet(answer.passing, [], []), TCP, port)


def test_a_row_names_the_rules_of_its_packet_with_their_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    answer = load("topologies/two-tier.yaml").ports("i-web", "i-db")
    (row,) = answer.passing
    assert (row.ports, row.listening) == ("3306", "yes")
    found = {rule.rule: (rule.file, rule.line, rule.direction) for rule in row.rules}
    assert found["sg-db/ingress/1"] == ("topologies/two-tier.yaml", 37, "forward")
    assert found["nacl-db/egress/1"] == ("topologies/two-tier.yaml", 54, "return")
    assert row.arrives[0].eni == "eni-db"


def test_ports_that_are_not_known_say_why() -> None:
    answer = net({"instances": {"i-b": {"network_interfaces": {"eni-b": {"security_groups": NOT_KNOWN}}}}}).ports(
        "i-a", "i-b", protocol="tcp"
    )
    assert rows(answer.passing) == [("1-65535", "undetermined", "undetermined", "unknown")]
    (row,) = answer.passing
    assert "not exported" in row.not_known[0]
    assert row.witness is None
    assert answer.verdict is Verdict.UNDETERMINED


def test_a_listener_of_very_many_back_ends_is_asked_in_parts() -> None:
    """Beyond so many choices nothing is walked: a question about all ports has more of them than one about a port."""
    servers = {f"i-{n}": {"network_interfaces": {f"eni-{n}": {"vswitch": "vsw-b", "ip": f"10.0.2.{n}",
               "security_groups": ["sg-b"]}}} for n in range(100, 106)}  # fmt: skip
    group = {"servers": [{"server": name, "port": 80, "health": "healthy"} for name in servers]}
    listeners = [{"protocol": "tcp", "port": 8000 + n, "server_group": "all"} for n in range(60)]
    balancer = {"vpc": "vpc-1", "type": "clb", "public_ip": "203.0.113.9", "server_groups": {"all": group},
                "listeners": listeners}  # fmt: skip
    of = net({"instances": servers, "load_balancers": {"clb-1": balancer}})
    answer = of.ports("internet", "clb-1", protocol="tcp")
    assert [row.ports for row in answer.passing if row.network is Verdict.UNDETERMINED] == []
    for port in (7999, 8000, 8030, 8059, 8060):
        assert of.diagnose("internet", "clb-1", port=port).verdict is told(PairSet(answer.passing, [], []), TCP, port)


def test_some_protocols_and_some_ports_may_be_asked() -> None:
    answer = net().ports("i-a", "i-b", port="20-30")
    assert rows(answer.passing) == [("20-30", "reachable", "reachable", "unknown")]
    assert {row.protocol for row in answer.passing} == {"tcp"}
    both = net().ports("i-a", "i-b", port=53, protocol=["udp", "icmp"])
    assert [(row.protocol, row.ports) for row in both.passing] == [("udp", "53"), ("icmp", "-1/-1")]


@pytest.mark.parametrize(
    ("words", "told_"),
    [
        ({"protocol": "tpc"}, "protocol `tpc` is not known"),
        ({"port": "x"}, "port `x` is not a port"),
        ({"port": "30-20"}, "runs backwards"),
        ({"protocol": "icmp", "port": 1}, "icmp has no ports"),
    ],
)
def test_what_cannot_be_asked_is_refused(words: dict[str, object], told_: str) -> None:
    with pytest.raises(QuestionError, match=told_):
        net().ports("i-a", "i-b", **words)  # type: ignore[arg-type]


def test_a_stopped_instance_is_refused_as_diagnose_refuses_it() -> None:
    with pytest.raises(QuestionError, match="is Stopped"):
        net({"instances": {"i-b": {"status": "Stopped"}}}).ports("i-a", "i-b")
