"""The answer for a box of ports is the answer for each of its ports."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinsight.engine.spaces import Box
from netinsight.flow import EVERY_PORT, PortRange
from netinsight.guest.iptables import EVERY_TABLE, Firewall, read_firewall
from tests.guest.iptables_helpers import packet, port

EDGES = (0, 1, 21, 22, 23, 79, 80, 81, 1023, 1024, 1025, 5000, 65534, 65535)
SETS = "create web hash:net,port family inet\nadd web 10.0.0.0/8,tcp:80-81\nadd web 10.0.0.2,tcp:22 nomatch\n" \
       "create ports bitmap:port range 0-65535\nadd ports 1024-5000\n"  # fmt: skip


def _match(random: Random) -> str:
    first, no = random.choice(EDGES), random.choice(["", "! "])
    last = random.choice([one for one in EDGES if one >= first])
    return random.choice([
        f"-p tcp {no}--dport {first}:{last}", f"-p tcp {no}--sport {first}:{last}", f"-p tcp {no}--dport {first}",
        f"-p tcp -m multiport {no}--ports {first},{random.choice(EDGES)}", f"-p tcp -m multiport {no}--dports 22,80:1024",
        f"-p tcp -m multiport {no}--sports {first}:{last},80", f"-p tcp --sport {first}:{last} --dport {first}:65535",
        f"-m set {no}--match-set web dst,dst", f"-m set {no}--match-set ports src", f"{no}-s 10.0.0.0/8", "-i eth+",
        "-m foo --bar", f"-m limit --limit 3/min -p tcp --dport {first}:{last}", f"-m mark {no}--mark 1",
        f"-m recent {no}--rcheck --name x", f"-m conntrack {no}--ctorigdstport {first}:{last}",
        "-m mac --mac-source 02:00:00:00:00:01",
        f"-m string --algo bm --string x -p tcp {no}--sport {first}:{last}",
    ])  # fmt: skip


def _rules(random: Random) -> str:
    chains = ["INPUT", "one", "two", "three"]
    lines = [
        "*filter",
        f":INPUT {random.choice(['ACCEPT', 'DROP'])} [0:0]",
        *(f":{name} - [0:0]" for name in chains[1:]),
    ]
    for at, chain in enumerate(chains):
        for _ in range(random.randint(1, 5)):
            further = [f"-{way} {name}" for name in chains[at + 1 :] for way in "jg"] or ["-j RETURN"]
            target = random.choice([*further, "-j ACCEPT", "-j DROP", "-j REJECT", "-j RETURN", "-j MARK --set-mark 1",
                                    "-j LOG", "-m recent --set --name x"])  # fmt: skip
            match = _match(random)
            lines.append(f"-A {chain} {match} {target if 'recent' not in match else '-j DROP'}")
    nat = ["*nat", "-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 1024",
           f"-A PREROUTING -p tcp --sport {random.choice(EDGES)}:65535 -j DNAT --to-destination 10.0.0.2:5000",
           "COMMIT"]  # fmt: skip
    return "\n".join([*lines, "COMMIT", *nat, ""])


def _told(judgement: Any) -> Any:
    return (
        judgement.verdict,
        judgement.rule,
        judgement.line,
        judgement.trace,
        judgement.assumptions,
        judgement.reject_with,
    )


def _area(box: Box) -> int:
    return (box.source_ports.last - box.source_ports.first + 1) * (box.ports.last - box.ports.first + 1)


def _holds(box: Box, source: int, target: int) -> bool:
    return box.source_ports.first <= source <= box.source_ports.last and box.ports.first <= target <= box.ports.last


@pytest.mark.parametrize("tables", [("filter",), EVERY_TABLE])
@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**9))
def test_every_sampled_port_is_judged_as_its_region(tables: tuple[str, ...], seed: int) -> None:
    random = Random(seed)
    firewall = read_firewall(_rules(random), ipsets=SETS)
    first, last = sorted(random.sample(EDGES, 2))
    whole = random.choice(
        [Box(EVERY_PORT, EVERY_PORT), Box(PortRange(first, last), EVERY_PORT), Box(port(first), EVERY_PORT)]
    )
    asked = packet(ports=whole, in_interface="eth0", state="NEW")
    regions = firewall.regions(asked, tables)
    assert sum(_area(box) for box, _ in regions) == _area(whole)
    corners = {(s, d) for box, _ in regions for s in box.source_ports for d in box.ports}
    points = [*corners, *((random.choice(EDGES), random.choice(EDGES)) for _ in range(20))]
    for source, target in random.sample(points, min(60, len(points))):
        held = [judgement for box, judgement in regions if _holds(box, source, target)]
        if not _holds(whole, source, target):
            assert not held
            continue
        (judgement,) = held
        assert _told(judgement) == _told(firewall.judge(replace(asked, ports=Box(port(source), port(target))), tables))


def _firewall(*rules: str) -> Firewall:
    return read_firewall("\n".join(["*filter", ":INPUT DROP [0:0]", *rules, "COMMIT"]))


def test_a_rule_cuts_the_box() -> None:
    regions = _firewall("-A INPUT -p tcp --dport 22 -j ACCEPT").regions(packet(ports=Box(EVERY_PORT, EVERY_PORT)))
    accepted = [box for box, judgement in regions if judgement.verdict == "ACCEPT"]
    assert accepted == [Box(EVERY_PORT, port(22))]
    assert len(regions) == 3


def test_a_range_that_is_judged_at_once_is_unknown_where_its_ports_differ() -> None:
    firewall = _firewall("-A INPUT -p tcp --dport 22 -j ACCEPT")
    judged = firewall.judge(packet(ports=Box(EVERY_PORT, EVERY_PORT)))
    assert judged.verdict == "UNKNOWN"
    assert "ports 0-65535 → 22: ACCEPT" in judged.assumptions
    assert firewall.judge(packet(ports=Box(EVERY_PORT, PortRange(23, 80)))).verdict == "DROP"
