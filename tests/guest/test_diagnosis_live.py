"""The whole diagnosis judged by the kernel: guests in namespaces, rules that hypothesis draws, and real connections.

``NETINSIGHT_SOAK=300`` draws so many rule sets of each back end instead of the fixed few, others each time; with ``-s`` it
tells the counts.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import netinsight as ni
from netinsight.answer import Answer
from netinsight.model.topology import Topology
from tests.guest.live_rules import HIGH, Drawn, settings_drawn
from tests.guest.live_world import ADDRESS, GUESTS, LISTENERS

WORKER = Path(__file__).parent / "live_world.py"
SOAK = int(os.environ.get("NETINSIGHT_SOAK", "0"))
EXAMPLES = {"iptables-nft": SOAK or 25, "iptables-legacy": SOAK or 15}
STAGES = ("guest.firewall.egress", "guest.firewall.ingress", "guest.firewall.forward")
COUNTED = ("drops it", "refuses it", "stops the reply")
"""What is told where a rule or a policy of a guest stops a packet, which its counters tell too."""
PATIENCE, MORE_PATIENCE = 0.2, 2.5
"""Seconds; of what should work and did not, it is asked once more, alone, beyond the second SYN."""


def _why_not(command: str) -> str:
    if os.name != "posix" or os.geteuid() != 0:
        return "network namespaces need root"
    for tool in (f"{command}-restore", f"{command}-save", "ip", "unshare", "sysctl", "mount"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "--propagation", "private", f"{command}-restore"],
        input="*nat\n-A POSTROUTING -m conntrack --ctstate NEW -j MASQUERADE\nCOMMIT\n*raw\n-A OUTPUT -j CT --notrack\nCOMMIT\n",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return f"{command} does not run: {tried.stderr.strip()[:200]}" if tried.returncode else ""


class World:
    """The namespaces, and what was found in them."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.worker = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, str(WORKER), command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(WORKER.parents[2])},
        )  # fmt: skip
        self.ports = {False: cycle(range(10000, HIGH)), True: cycle(range(HIGH, 65000))}
        self.counts: Counter[str] = Counter()

    def job(self, **job: Any) -> dict[str, Any]:
        """Have one done."""
        assert self.worker.stdin is not None
        assert self.worker.stdout is not None
        self.worker.stdin.write(json.dumps(job) + "\n")
        self.worker.stdin.flush()
        line = self.worker.stdout.readline()
        assert line, "the world came to an end, its standard error says why"
        told: dict[str, Any] = json.loads(line)
        return told

    def load(self, drawn: Drawn) -> dict[str, dict[str, str]]:
        """Set the guests up."""
        ways = []
        for number, (name, goes, net) in enumerate(
            [("client", drawn.there, "10.0.2.0/24"), ("server", drawn.back, "10.0.1.0/24")], start=101
        ):
            if goes:
                ways += [f"rule add iif {name} lookup {number} pref {number}",
                         f"route add {net} via {ADDRESS['appliance']} table {number}"]  # fmt: skip
        guests = {name: {"rules": drawn.rules[name], "routes": drawn.routes[name], "forwards": drawn.forwards[name]}
                  for name in GUESTS}  # fmt: skip
        told: dict[str, dict[str, str]] = self.job(guests=guests, ways=ways)["guests"]
        return told

    def question(self, one: tuple[str, str, str, int, bool]) -> dict[str, Any]:
        """One as the worker asks it, with a client port that nobody had before."""
        start, end, protocol, port, high = one
        return {"from": start, "to": end, "protocol": protocol, "dport": port, "sport": next(self.ports[high])}

    def close(self) -> None:
        """End it; its namespaces go with it."""
        assert self.worker.stdin is not None
        self.worker.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.worker.wait(10)
        self.worker.kill()
        self.worker.wait()
        if self.worker.stdout:
            self.worker.stdout.close()


@pytest.fixture(scope="module", params=list(EXAMPLES))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if reason := _why_not(request.param):
        pytest.skip(reason)
    made = World(request.param)
    yield made
    made.close()
    sys.stderr.write(f"\n{request.param}: {dict(sorted(made.counts.items()))}\n")


def described(drawn: Drawn, said: dict[str, dict[str, str]]) -> ni.Net:
    """The same as a topology, with what the guests printed."""
    instances: dict[str, Any] = {}
    for number, name in enumerate(GUESTS, start=1):
        listening = [{"protocol": protocol, "address": address.replace("own", ADDRESS[name]), "port": port}
                     for port, address in LISTENERS.items() for protocol in ("tcp", "udp")]  # fmt: skip
        instances[f"i-{name}"] = {
            "status": "Running",
            "network_interfaces": {f"eni-{name}": {"vswitch": f"vsw-{number}", "ip": ADDRESS[name], "security_groups": ["sg"]}},
            "guest": {**said[name], "listening": listening, "ip_forward": drawn.forwards[name]},
        }  # fmt: skip
    document: dict[str, Any] = {
        "vpcs": {"vpc": {"cidrs": ["10.0.0.0/16"]}},
        "vswitches": {f"vsw-{number}": {"vpc": "vpc", "cidr": f"{ADDRESS[name].rpartition('.')[0]}.0/24"}
                      for number, name in enumerate(GUESTS, start=1)},
        "security_groups": {"sg": {"vpc": "vpc", "rules": [
            {"direction": "ingress", "policy": "accept", "protocol": "all", "source": "0.0.0.0/0"}]}},
        "instances": instances, "route_tables": {},
    }  # fmt: skip
    for vswitch, goes, destination in (
        ("vsw-1", drawn.there, "10.0.2.0/24"),
        ("vsw-2", drawn.back, "10.0.1.0/24"),
    ):
        if goes:
            document["route_tables"][f"rtb-{vswitch}"] = {"vpc": "vpc", "type": "custom", "routes": [
                {"destination": destination, "next_hop": "i-appliance"}]}  # fmt: skip
            document["vswitches"][vswitch]["route_table"] = f"rtb-{vswitch}"
    return ni.Net(Topology.model_validate(document))


def ask(net: ni.Net, one: dict[str, Any]) -> Answer:
    ports = {} if one["protocol"] == "icmp" else {"port": one["dport"], "source_port": one["sport"]}
    return net.diagnose(f"i-{one['from']}", f"i-{one['to']}", protocol=one["protocol"], **ports)


def test_what_is_reachable_works_and_what_is_not_does_not(world: World) -> None:
    @settings(max_examples=EXAMPLES[world.command], deadline=None, derandomize=not SOAK, database=None,
              suppress_health_check=list(HealthCheck), phases=[Phase.generate])  # fmt: skip
    @given(settings_drawn())
    def examine(drawn: Drawn) -> None:
        _examine(world, drawn)

    examine()
    counts = world.counts
    assert counts["works"] > 50
    assert counts["does not work"] > 50
    assert counts["stopped where it is said"] > 5


def _examine(world: World, drawn: Drawn) -> None:
    said = world.load(drawn)
    net = described(drawn, said)
    asked = [world.question(one) for one in drawn.questions]
    works = world.job(questions=asked, patience=PATIENCE)["works"]
    answers = [ask(net, one) for one in asked]
    for one, worked, answer, drew in zip(asked, works, answers, drawn.questions, strict=True):
        if not worked and answer.verdict != "unreachable":
            worked = world.job(questions=[world.question(drew)], patience=MORE_PATIENCE)["works"][0]
        world.counts[str(answer.verdict)] += 1
        world.counts["works" if worked else "does not work"] += 1
        if answer.verdict in ("reachable", "unreachable"):
            assert (answer.verdict == "reachable") == worked, _told(one, worked, answer, said)
        else:
            assert _may_be_open(drawn, one, answer), _told(one, worked, answer, said)
    _where_it_is_stopped(world, drawn, list(zip(drawn.questions, answers, strict=True)), said)


def _may_be_open(drawn: Drawn, one: dict[str, Any], answer: Answer) -> bool:
    """What the rules that are drawn leave open: which client port a translation takes, the source of a UDP socket."""
    if answer.verdict == "partial":
        return "SNAT" in "".join(drawn.rules.values()) or "MASQUERADE" in "".join(drawn.rules.values())
    whys = [
        step.why or "" for path in answer.paths for step in (*path.forward, *path.return_) if step.decision == "unknown"
    ]
    return one["protocol"] == "udp" and any("hangs on the socket" in why for why in whys)


def _where_it_is_stopped(
    world: World, drawn: Drawn, asked: list[tuple[Any, Answer]], said: dict[str, dict[str, str]]
) -> None:
    """One question that a firewall stops, alone: the guest that is told first counts a packet that it dropped."""
    for drew, answer in asked:
        first = next((step for path in answer.paths for step in (*path.forward, *path.return_)
                      if step.decision == "drop"), None)  # fmt: skip
        if any(blocker.item == "service.listening" for blocker in answer.blockers):
            continue  # what answers is an error
        if first is None or first.stage not in STAGES or not any(word in (first.why or "") for word in COUNTED):
            continue
        one = world.question(drew)
        dropped = world.job(questions=[one], patience=PATIENCE, counts=True)["dropped"]
        assert first.object.id.removeprefix("i-") in dropped, (
            _told(one, False, answer, said) + f"\ndropped by {dropped}"
        )
        world.counts["stopped where it is said"] += 1
        return


def _told(one: dict[str, Any], worked: bool, answer: Answer, said: dict[str, dict[str, str]]) -> str:
    """A disagreement, for whoever has to find out who is right."""
    steps = [f"  {way} {step.object.id} {step.stage} {step.decision}: {step.why or step.rule}" for path in answer.paths
             for way, stages in (("→", path.forward), ("←", path.return_)) for step in stages]  # fmt: skip
    saved = [f"--- {name}\n{texts['iptables']}\n{texts['rules']}{texts['routes']}" for name, texts in said.items()]
    verdict = f"{one}: {answer.verdict}, and it {'works' if worked else 'does not work'}"
    return "\n".join(["", verdict, *steps, *(f"  blocker {b.item} {b.object.id}" for b in answer.blockers), *saved])
