"""``net.matrix``: every pair of ends says what a diagnosis of it says, whatever class it was asked in."""

from __future__ import annotations

import copy
from ipaddress import ip_network
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import netinsight
from netinsight.api import Net
from netinsight.diagnosis import all_pairs
from netinsight.diagnosis.matrix import NOT_ASKED, VERDICTS, Matrix
from netinsight.errors import PreconditionError, QuestionError
from netinsight.flow import Verdict
from netinsight.model.topology import Topology
from tests import estates, wide_estates

SERVICES = ["tcp/22", "udp/53", "icmp"]
EXAMPLES = Path(__file__).parents[2] / "topologies"
DRAWN = settings(
    max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


def diagnosed(net: Net, src: str, dst: str, service: str) -> Verdict | None:
    """What one diagnosis says; None where the question cannot be asked."""
    protocol, _, port = service.partition("/")
    try:
        return net.diagnose(src, dst, protocol=protocol, port=port or None).verdict
    except PreconditionError:
        return Verdict.UNREACHABLE
    except QuestionError:
        return None


def crowded(topology: Topology, times: int = 2) -> Topology:
    """The same estate with copies of its instances of one ENI, at free addresses of the vSwitches."""
    document = topology.model_dump(mode="json", by_alias=True, exclude_unset=True)
    taken = {written for interface in topology.interfaces() for _, written in interface.addresses()}
    for name, instance in list(document.get("instances", {}).items()):
        if len(instance["network_interfaces"]) > 1:
            continue
        ((eni_id, eni),) = instance["network_interfaces"].items()
        vswitch = topology.vswitches.get(eni["vswitch"])
        hosts = ip_network(vswitch.cidr).hosts() if vswitch else iter(())
        free = [str(host) for host in islice(hosts, 5, 60) if str(host) not in taken]
        for n, address in enumerate(free[:times]):
            copied: dict[str, Any] = copy.deepcopy(instance)
            copied.pop("public_ip", None)
            own = copied["network_interfaces"].pop(eni_id) | {"ip": address}
            for more in ("secondary_ips", "ipv6_addresses"):
                own.pop(more, None)
            copied["network_interfaces"][f"{eni_id}-{n}"] = own
            document["instances"][f"{name}-{n}"] = copied
            taken.add(address)
    return Topology.model_validate(document)


def agrees(net: Net, matrix: Matrix) -> int:
    """How many pairs were compared with a diagnosis of each."""
    compared = 0
    for service in matrix.services:
        for src in matrix[service].group_of:
            for dst in matrix[service].group_of:
                if src != dst:
                    assert matrix[service].verdict(src, dst) == diagnosed(net, src, dst, service), (src, dst, service)
                    compared += 1
    return compared


@pytest.mark.parametrize("name", ["many-blockers", "five-hops-to-the-internet", "appliance-iptables", "stopped-instance",
                                  "transit-router-no-association", "isolated-members", "secondary-eni-asymmetric",
                                  "vpn-selector", "nat-undetermined", "guest-nftables"])  # fmt: skip
def test_every_pair_of_an_example(name: str) -> None:
    net = netinsight.load(str(EXAMPLES / f"{name}.yaml"))
    assert agrees(net, net.matrix(SERVICES)) >= 6


@pytest.mark.parametrize("name", ["peering-not-transitive", "transit-router-missing-return", "nat-vpc-to-vpc",
                                  "appliance-iptables", "guest-published-port"])  # fmt: skip
def test_every_pair_where_ways_are_shared(name: str) -> None:
    net = Net(crowded(netinsight.load(str(EXAMPLES / f"{name}.yaml")).topology))
    matrix = net.matrix(["tcp/22", "tcp/443", "icmp"])
    assert agrees(net, matrix) > 100
    assert all(pairs.walked < len(pairs.group_of) ** 2 for pairs in matrix)


@DRAWN
@given(st.data(), st.booleans())
def test_every_pair_of_drawn_estates(data: st.DataObject, wide: bool) -> None:
    net = Net(crowded(data.draw(wide_estates.wide_topologies() if wide else estates.topologies())))
    matrix = net.matrix([data.draw(st.sampled_from(["tcp/22", "tcp/443", "udp/53", "icmp"]))])
    assert sum(map(len, matrix.each[0].groups)) == len(net.network.enis) + 1 + len(net.topology.networks)
    ends = list(matrix.each[0].group_of)
    for src in data.draw(st.lists(st.sampled_from(ends), max_size=6, unique=True)):
        for dst in ends:
            if src != dst:
                for service in matrix.services:
                    assert matrix[service].verdict(src, dst) == diagnosed(net, src, dst, service), (src, dst)


def estate(count: int = 6) -> Topology:
    """A vSwitch of alike servers, one of which a rule names by its address, and a client."""
    instances: dict[str, Any] = {
        f"i-{n}": {"network_interfaces": {f"eni-{n}": {"vswitch": "vsw-a", "ip": f"10.0.0.{10 + n}",
                   "security_groups": ["sg-a"]}}, "name": f"web-{n}", "tags": {"env": "prod"}}
        for n in range(count)
    }  # fmt: skip
    instances["i-c"] = {
        "network_interfaces": {"eni-c": {"vswitch": "vsw-b", "ip": "10.0.1.10", "security_groups": ["sg-c"]}}
    }
    rules = [{"direction": "egress", "policy": "accept", "protocol": "all", "ports": "-1/-1", "priority": 1,
              "destination": "0.0.0.0/0"}]  # fmt: skip
    named = {"direction": "ingress", "policy": "accept", "protocol": "tcp", "ports": "22/22", "priority": 1,
             "source": "10.0.0.13/32"}  # fmt: skip
    return Topology.model_validate({
        "schema": "netinsight.topology/1",
        "vpcs": {"vpc-a": {"cidrs": ["10.0.0.0/16"]}},
        "vswitches": {"vsw-a": {"vpc": "vpc-a", "cidr": "10.0.0.0/24"}, "vsw-b": {"vpc": "vpc-a", "cidr": "10.0.1.0/24"}},
        "security_groups": {"sg-a": {"vpc": "vpc-a", "rules": rules}, "sg-c": {"vpc": "vpc-a", "rules": [*rules, named]}},
        "instances": instances,
    })  # fmt: skip


def test_a_rule_that_names_one_tells_it_apart() -> None:
    pairs = Net(estate()).matrix(["tcp/22"])["tcp/22"]
    assert [group.members for group in pairs.groups if len(group) > 1] == [
        ("eni-0", "eni-1", "eni-2", "eni-4", "eni-5")
    ]
    assert list(pairs.who_reaches("i-c")) == ["eni-3"]
    assert pairs.verdict("web-3", "10.0.1.10") is Verdict.REACHABLE
    assert pairs.verdict("i-2", "eni-c") is Verdict.UNREACHABLE


def test_a_rule_for_another_service_tells_nobody_apart() -> None:
    pairs = Net(estate()).matrix(["udp/53"])["udp/53"]
    assert [len(group) for group in pairs.groups] == [6, 1, 1]


def test_counts_are_those_of_the_pairs() -> None:
    net = Net(estate())
    for pairs in net.matrix(["tcp/22", "udp/53"]):
        every = {verdict.value: sum(1 for _ in pairs.pairs(verdict)) for verdict in VERDICTS}
        assert pairs.counts() == {word: number for word, number in every.items() if number}
        for by, labels in [("vswitch", ["vsw-a", "vsw-b", "internet"]), ("tag:env", ["prod", "-", "internet"])]:
            told, counts = pairs.by(by)
            assert sorted(told) == sorted(labels)
            assert counts.sum(axis=(0, 1)).tolist() == list(every.values())
        assert sum(every.values()) == 7 * 6 + 2 * 7  # the Internet and each ENI, both ways


def test_labels() -> None:
    pairs = Net(estate(2)).matrix(["icmp"])["icmp"]
    assert pairs.labels("vpc") == ["vpc-a", "vpc-a", "vpc-a", "internet"]
    assert pairs.labels("group") == ["sg-a", "sg-a", "sg-c", "internet"]
    assert pairs.labels("tag:env") == ["prod", "prod", "-", "internet"]
    assert pairs.labels("name") == ["web-0", "web-1", "i-c", "internet"]
    with pytest.raises(QuestionError, match="`vswich` is not"):
        pairs.labels("vswich")


@pytest.mark.parametrize(("services", "told"), [([], "needs a service"), (["tcp"], "needs a port"),
                                                (["tcp/1-5"], "range of ports"), (["icmp/3"], "has no ports"),
                                                (["tpc/22"], "is not known"), (["tcp/0"], "0")])  # fmt: skip
def test_a_service_that_cannot_be_asked(services: list[str], told: str) -> None:
    with pytest.raises(QuestionError, match=told):
        Net(estate(2)).matrix(services)


def test_an_end_or_service_that_is_not_there() -> None:
    matrix = Net(estate(2)).matrix(["tcp/22"])
    with pytest.raises(QuestionError, match="no service `tcp/23`"):
        matrix["tcp/23"]
    with pytest.raises(QuestionError, match="nothing in the topology"):
        matrix["tcp/22"].end("i-9")
    with pytest.raises(QuestionError, match="no end of the matrix"):
        matrix["tcp/22"].end("100.100.2.136")


def test_what_memory_would_not_hold_is_refused_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_pairs, "MOST_BYTES", 20)
    assert Net(estate(2)).matrix(["tcp/22"]).services == ("tcp/22",)
    with pytest.raises(QuestionError, match=r"of 3 classes of ends need 0\.0 GB"):
        Net(estate(2)).matrix(["tcp/22", "udp/53", "icmp"])


def test_progress_is_told_up_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    pairs = Net(estate()).matrix(["tcp/22"], progress=lambda done, every: told.append((done, every)))["tcp/22"]
    size = len(pairs.groups) ** 2
    assert told[-1] == (size, size)


def test_a_class_of_one_is_not_asked_of_itself() -> None:
    pairs = Net(estate(1)).matrix(["tcp/22"])["tcp/22"]
    assert pairs.codes.diagonal().tolist() == [NOT_ASKED] * 3
    assert np.count_nonzero(pairs.codes == NOT_ASKED) == 3
