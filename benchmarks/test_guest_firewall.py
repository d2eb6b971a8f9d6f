"""A guest's firewall: many packets by packed rows beside the walk; a large file read beside its lines cut into words."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter, process_time

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from netinsight.addresses import parse_address
from netinsight.engine.spaces import Box
from netinsight.engine.tables import halves
from netinsight.flow import PortRange
from netinsight.guest.iptables import Firewall, Packet, read_firewall
from netinsight.guest.iptables.compiled import VERDICTS, Compiled, compile_kind
from tests.shared_data import SHARED

PACKETS, WALKED = 1_000_000, 2_000
"""How many by the rows; the walk is asked these few, it takes as long for each of the others."""
LINES = 100_000
PORTS = (22, 25, 53, 80, 443, 3306, 8080)
REAL = SHARED / "iptables"


def make_rules(lines: int, seed: int = 1, hosts: int = 2000) -> str:
    """Rules as a firewall between networks has them: a chain for each interface, comments, states, lists of ports."""
    draw = random.Random(seed)
    known = [".".join(str(draw.randrange(1, 255)) for _ in range(4)) for _ in range(hosts)]
    head = ["*filter", ":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]"]
    head += [f":net{n} - [0:0]" for n in range(20)]
    rules = ["-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]
    rules += [f"-A FORWARD -i eth1.{n} -j net{n}" for n in range(20)]
    while len(rules) < lines:
        chain, host, other = f"net{draw.randrange(20)}", draw.choice(known), draw.choice(known)
        rules.append(draw.choice([
            f"-A {chain} -s {host}/32 -p tcp -m tcp --dport {draw.choice(PORTS)} -j ACCEPT",
            f"-A {chain} -s {host}/32 -d {other}/32 -j DROP",
            f"-A {chain} -d {host}/32 -p tcp -m conntrack --ctstate NEW -m multiport --dports 80,443 -j ACCEPT",
            f'-A {chain} -d {host}/24 -o eth0 -p udp -m udp --dport 53 -m comment --comment "names" -j ACCEPT',
            f"-A {chain} -s {host}/28 -m limit --limit 100/min -j LOG",
            f"-A {chain} ! -s {host}/16 -d {other}/32 -p tcp -m tcp --dport {draw.randrange(1024, 65536)} -j RETURN",
        ]))  # fmt: skip
    return "\n".join([*head, *rules, "COMMIT", ""])


def make_services(lines: int, seed: int = 3) -> str:
    """Rules as kube-proxy writes them for services of three pods each: chains, comments and addresses all differ."""
    draw = random.Random(seed)
    chains, rules = ["KUBE-SERVICES", "KUBE-MARK-MASQ"], ["-A PREROUTING -j KUBE-SERVICES"]
    rules.append("-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000")
    while len(rules) + len(chains) < lines:
        service, comment = _chain("KUBE-SVC", draw), f"ns{draw.randrange(50)}/web-{draw.randrange(10**6)}:http"
        address, port = f"10.96.{draw.randrange(256)}.{draw.randrange(256)}/32", draw.choice(PORTS)
        asked = f'-d {address} -p tcp -m comment --comment "{comment} cluster IP" -m tcp --dport {port}'
        rules += [
            f"-A KUBE-SERVICES {asked} -j {service}",
            f"-A {service} ! -s 10.244.0.0/16 {asked} -j KUBE-MARK-MASQ",
        ]
        chains.append(service)
        for left in (3, 2, 1):
            pod, to = f"10.244.{draw.randrange(256)}.{draw.randrange(256)}", _chain("KUBE-SEP", draw)
            share = f" -m statistic --mode random --probability {1 / left:.11f}" if left > 1 else ""
            rules += [
                f'-A {service} -m comment --comment "{comment} -> {pod}:8080"{share} -j {to}',
                f'-A {to} -s {pod}/32 -m comment --comment "{comment}" -j KUBE-MARK-MASQ',
                f'-A {to} -p tcp -m comment --comment "{comment}" -m tcp -j DNAT --to-destination {pod}:8080',
            ]
            chains.append(to)
    head = ["*nat", ":PREROUTING ACCEPT [0:0]", *(f":{name} - [0:0]" for name in chains)]
    return "\n".join([*head, *rules, "COMMIT", ""])


def _chain(kind: str, draw: random.Random) -> str:
    return f"{kind}-{''.join(draw.choices('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', k=16))}"


def largest() -> tuple[str, str]:
    """The largest real rule set; where there is none, one of its size that is made."""
    files = sorted(REAL.glob("*iptables-save*"), key=lambda path: path.stat().st_size)
    return (files[-1].name[:40], files[-1].read_text(errors="replace")) if files else ("generated", make_rules(5600))


def kinds(text: str) -> list[Packet]:
    """New packets between the interfaces that the rules name most."""
    named = re.findall(r"-[io] (\S+)", text)
    most = sorted(set(named), key=lambda name: (-named.count(name), name))[:8]
    base = Packet("FORWARD", 0, 0, state="NEW", source_mac="02:00:00:00:00:01", destination_type="UNICAST")
    return [
        replace(base, protocol=protocol, in_interface=most[n], out_interface=most[(n + 1) % len(most)])
        for n in range(len(most)) for protocol in (6, 17)
    ]  # fmt: skip


def flows(text: str, protocol: int, count: int, seed: int) -> np.ndarray:
    """Packets between addresses that the rules name."""
    draw = np.random.default_rng(seed)
    named = np.array([halves(parse_address(one)) for one in set(re.findall(r"-[sd] ([\d.]+)", text))], dtype=np.int64)
    ports = np.where(draw.random(count) < 0.5, draw.choice(PORTS, count), draw.integers(1, 65536, count))
    sources, targets = named[draw.integers(0, len(named), count)], named[draw.integers(0, len(named), count)]
    return np.column_stack([sources, targets, np.full(count, protocol), draw.integers(1024, 65536, count), ports])


def compiled_for(firewall: Firewall, text: str) -> list[Compiled]:
    """The kinds with an address of the rules to begin with."""
    (source, *_) = re.findall(r"-s ([\d.]+)", text)
    address = parse_address(source)
    found = [compile_kind(firewall, replace(one, source=address, destination=address)) for one in kinds(text)]
    return [one for one in found if one is not None]


def test_a_million_packets(
    benchmark: BenchmarkFixture, ratio: Callable[[str, float, float], None], request: pytest.FixtureRequest
) -> None:
    smoke = request.config.getoption("benchmark_disable")
    packets, walked = (20_000, 160) if smoke else (PACKETS, WALKED)
    name, text = largest()
    firewall = read_firewall(text)
    begun = perf_counter()
    rows = compiled_for(firewall, text)
    spent = perf_counter() - begun
    parts = [flows(text, one.packet.protocol, packets // len(rows), n) for n, one in enumerate(rows)]

    def judge() -> list[np.ndarray]:
        return [one.decide(part).verdicts for one, part in zip(rows, parts, strict=True)]

    found = benchmark.pedantic(judge, rounds=1 if smoke else 3, warmup_rounds=0 if smoke else 1)
    plain = 0.0
    each = walked // len(rows)
    for one, part, verdicts in zip(rows, parts, found, strict=True):
        asked = [_packet(one, flow) for flow in part[:each].tolist()]
        begun = perf_counter()
        judged = [firewall.judge(packet).verdict for packet in asked]
        plain += perf_counter() - begun
        assert [VERDICTS[code] for code in verdicts[:each]] == judged
    if benchmark.stats:
        number = sum(map(len, parts))
        rate = plain / (each * len(rows))
        ratio(f"a packet walked / by rows, {name}, {number} packets", rate, benchmark.stats.stats.min / number)
        ratio(f"{len(rows)} kinds compiled / a packet of each walked", spent, rate * len(rows))


def _packet(kind: Compiled, flow: list[int]) -> Packet:
    source, target = (((high + (1 << 63)) << 64) + low + (1 << 63) for high, low in (flow[:2], flow[2:4]))
    ports = Box(PortRange(flow[5], flow[5]), PortRange(flow[6], flow[6]))
    return replace(kind.packet, source=source, destination=target, ports=ports)


@pytest.mark.parametrize("shape", ["real", "generated", "every address another", "kubernetes"])
def test_a_large_file_is_read(
    benchmark: BenchmarkFixture, ratio: Callable[[str, float, float], None], request: pytest.FixtureRequest, shape: str
) -> None:
    lines = 2_000 if request.config.getoption("benchmark_disable") else LINES
    if shape == "real" and not REAL.exists():
        pytest.skip("no ../shared/data/iptables beside the project")
    text = {
        "real": lambda: _repeated(largest()[1], lines),
        "generated": lambda: make_rules(lines),
        "every address another": lambda: make_rules(lines, hosts=lines),
        "kubernetes": lambda: make_services(lines),
    }[shape]()
    split = re.compile(r"\s+").split
    spent, anchors = [], []

    def read() -> Firewall:
        begun = process_time()
        made = read_firewall(text)
        spent.append(process_time() - begun)
        return made

    def cut() -> None:
        begun = process_time()
        for line in text.splitlines():
            split(line)
        anchors.append(process_time() - begun)

    firewall = benchmark.pedantic(read, setup=cut, rounds=5)  # in turn
    chains = [chain for table in firewall.tables.values() for chain in table.chains.values()]
    assert len(chains) + sum(len(chain.rules) for chain in chains) >= lines
    if benchmark.stats:  # of the processor's time: seconds of work beside a fraction of one
        ratio(f"{lines} lines read / cut into words, {shape}", min(spent), min(anchors))


def _repeated(text: str, lines: int) -> str:
    """A file whose filter rules are there so often that they are ``lines``."""
    kept = text[text.index("*filter") :].splitlines()
    rules = [line for line in kept if line.startswith("-A")]
    many = rules * (lines // len(rules) + 1)
    return "\n".join(["*filter", *(line for line in kept if line.startswith(":")), *many, "COMMIT", ""])
