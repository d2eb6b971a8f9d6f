"""What the examples tell of themselves is what happens, and ``docs/examples.md`` is made of what they tell."""

from __future__ import annotations

import json
import re
import shlex
from typing import NamedTuple

import pytest

from netinsight.cli import run

from .conftest import ROOT, Keep
from .test_golden import EXAMPLES, GOLDEN

VERDICTS = {
    "REACHABLE": "reachable",
    "PARTLY REACHABLE": "partial",
    "UNREACHABLE": "unreachable",
    "UNDETERMINED": "undetermined",
    "none": "",
}
"""How the head of an example words its answer, and the verdict that a report has for it."""

TITLES = {
    "REACHABLE": "Reachable",
    "PARTLY REACHABLE": "Partly reachable",
    "UNREACHABLE": "Unreachable",
    "UNDETERMINED": "Undetermined",
    "none": "Cannot be asked",
}

HEAD = """\
# Examples

Each file of [`topologies/`](../topologies) is a small network and a story, told at its head: who asks, what is wrong, the
command, the answer. The best one to start with is [two-tier](../topologies/two-tier.yaml). The report of each command is
kept in [`tests/golden/`](../tests/golden), what cannot be asked in [`tests/golden-errors/`](../tests/golden-errors).

This page is made of those heads by `tests/test_examples.py`.
"""

FURTHER = {
    "account-overdue": ["--src internet --dst i-home --port 443 -> REACHABLE"],
    "acl-blocks-reply": [
        "--src i-batch --dst i-cache --port 6379 --source-port 40000 -> REACHABLE",
        "--src i-batch --dst i-cache --port 6379 --source-port 55000 -> UNREACHABLE",
    ],
    "acl-drops-egress": ["--src i-catalog --dst i-broker --port 9092 -> REACHABLE"],
    "acl-entry-order": ["--src i-desk --dst i-intranet --port 22 -> REACHABLE"],
    "appliance-check": ["--src i-kiosk --dst i-proxy --port 3128 -> REACHABLE"],
    "appliance-group-drops": ["--src i-payroll --dst i-oracle --port 443 -> REACHABLE"],
    "appliance-iptables": ["--src i-worker --dst i-nat --port 22 -> REACHABLE"],
    "appliance-not-forwarding": [
        "--src i-bench --dst i-router --port 22 -> REACHABLE",
        "--src i-bench --dst i-nas --port 2049 --no-guest -> REACHABLE",
    ],
    "appliance-stopped": ["--src i-dev --dst i-git --port 22 -> REACHABLE"],
    "blackhole": [
        "--src internet --dst i-api --port 443 -> REACHABLE",
        "--src i-api --dst i-shop --port 443 -> REACHABLE",
        "--src i-shop --dst 198.51.100.80 --port 443 -> UNREACHABLE",
        "--src internet --dst i-shop --port 443 --at 2026-11-24T11:00:00Z -> REACHABLE",
    ],
    "clb-denied-by-access-list": [
        "--src 198.51.100.30 --dst clb-prices --port 443 -> REACHABLE",
        "--src internet --dst clb-prices --port 443 -> PARTLY REACHABLE",
    ],
    "clb-listener-missing": ["--src 198.51.100.66 --dst 203.0.113.90 --port 1883 -> REACHABLE"],
    "clb-no-healthy-backend": ["--src internet --dst clb-tickets --port 8443 -> REACHABLE"],
    "cloned-address": ["--src i-ops --dst i-batch-1 --port 22 -> REACHABLE"],
    "cloud-assistant-blocked": [
        "--src i-etl --dst 100.100.2.136 --protocol udp --port 53 -> REACHABLE",
        "--src i-etl --dst 100.118.102.35 --port 443 -> REACHABLE",
        "--src i-etl --dst 100.100.100.200 --port 80 -> REACHABLE",
        "--src i-load --dst 100.100.36.108 --port 443 -> REACHABLE",
        "--src i-load --dst 100.100.2.136 --protocol udp --port 53 -> REACHABLE",
        "--src i-load --dst 100.118.102.35 --port 443 -> REACHABLE",
        "--src i-load --dst 100.100.100.200 --port 80 -> REACHABLE",
    ],
    "eip-cut-through": [
        "--src i-billing --dst eni-control --port 161 --protocol udp -> REACHABLE",
        "--src internet --dst eni-media --port 5060 --protocol udp -> REACHABLE",
    ],
    "eip-locked": [
        "--src i-forum --dst 198.51.100.12 --port 443 -> UNREACHABLE",
        "--src i-admin --dst i-forum --port 443 -> REACHABLE",
    ],
    "eni-detaching": ["--src i-app --dst i-pg-a --port 5432 -> REACHABLE"],
    "enterprise-group": [
        "--src i-node --dst 100.100.45.106 --port 443 -> UNREACHABLE",
        "--src i-node --dst 100.118.28.50 --port 443 -> UNREACHABLE",
        "--src i-node --dst 100.100.100.200 --port 80 -> REACHABLE",
        "--src i-old --dst 100.100.2.136 --protocol udp --port 53 -> REACHABLE",
        "--src i-old --dst 100.100.45.106 --port 443 -> REACHABLE",
        "--src i-old --dst 100.118.28.50 --port 443 -> REACHABLE",
        "--src i-old --dst 100.100.100.200 --port 80 -> REACHABLE",
    ],
    "expired-instance": ["--src i-runner --dst i-cache --port 8081 --at 2026-11-20T12:00:00Z -> REACHABLE"],
    "five-hops-to-the-internet": ["--src i-app --dst 198.51.100.77 --port 8080 -> UNREACHABLE"],
    "gateway-endpoint-undetermined": ["--src i-loader --dst 203.0.113.250 --port 443 -> UNREACHABLE"],
    "gateway-table-to-appliance": ["--src internet --dst i-legacy --port 443 -> REACHABLE"],
    "group-drops-egress": ["--src i-report --dst i-mirror --port 443 -> REACHABLE"],
    "guest-iptables-later": [
        "--src i-monitor --dst i-hardened --port 22 -> REACHABLE",
        "--src i-monitor --dst i-hardened --port 3306 -> UNREACHABLE",
    ],
    "guest-nftables": [
        "--src i-client --dst i-docker --port 22 -> REACHABLE",
        "--src i-client --dst i-docker --port 3306 -> UNREACHABLE",
    ],
    "guest-published-port": [
        "--src i-client --dst i-docker --port 8080 -> REACHABLE",
        "--src i-client --dst i-docker --port 22 -> REACHABLE",
    ],
    "havip-no-master": ["--src i-erp --dst i-maria-1 --port 3306 -> REACHABLE"],
    "ipv4-gateway-deleted": ["--src i-mirror --dst i-vault --port 8200 -> REACHABLE"],
    "ipv4-gateway-not-enabled": ["--src i-crawler --dst 198.51.100.70 --port 443 -> REACHABLE"],
    "ipv6-egress-only": ["--src i-status --dst 2001:db8:cafe::80 --port 80 -> REACHABLE"],
    "ipv6-no-bandwidth": [
        "--src i-app-1 --dst 2001:db8:f00d::443 --port 443 -> REACHABLE",
        "--src i-app-1 --dst i-app-2 --port 22 --family 6 -> REACHABLE",
    ],
    "ipv6-pair": [
        "--src i-front --dst i-search --port 9200 -> REACHABLE",
        "--src i-front --dst i-search --port 9300 --family 6 -> REACHABLE",
    ],
    "isolated-members": ["--src i-etcd-1 --dst i-etcd-3 --port 2380 -> REACHABLE"],
    "mail-port-25": [
        "--src i-alarm --dst 198.51.100.25 --port 465 -> REACHABLE",
        "--src i-alarm --dst i-relay --port 25 -> REACHABLE",
        "--src i-relay --dst 198.51.100.25 --port 25 -> REACHABLE",
    ],
    "missing-route": ["--src i-gpu --dst i-registry --port 5000 -> REACHABLE"],
    "nat-dnat-missing-port": [
        "--src internet --dst 203.0.113.121 --port 80 -> REACHABLE",
        "--src i-probe --dst i-site --port 443 -> REACHABLE",
    ],
    "nat-dnat-target-has-eip": ["--src 198.51.100.230 --dst i-farm --port 22 -> REACHABLE"],
    "nat-eip-in-blackhole": [
        "--src i-payout --dst 198.51.100.60 --port 443 --one-way -> REACHABLE",
        "--src i-payout --dst 198.51.100.60 --port 443 --at 2026-11-11T14:30:00Z -> REACHABLE",
        "--src i-ledger --dst 198.51.100.60 --port 443 -> REACHABLE",
    ],
    "nat-in-private-vswitch": ["--src i-edge --dst 198.51.100.15 --port 443 -> REACHABLE"],
    "nat-locked": ["--src i-scanner --dst i-stock --port 5432 -> REACHABLE"],
    "nat-no-snat-entry": ["--src i-render-1 --dst 198.51.100.44 --port 443 -> REACHABLE"],
    "nat-pool-half-locked": ["--src i-monitor --dst 198.51.100.101 --port 443 -> REACHABLE"],
    "nat-reply-other-way": [
        "--src internet --dst 203.0.113.155 --port 27000 --one-way -> REACHABLE",
        "--src i-licence --dst 198.51.100.9 --port 443 -> REACHABLE",
    ],
    "nat-undetermined": ["--src i-worker --dst 198.51.100.80 --port 25 -> UNREACHABLE"],
    "nat-vpc-to-vpc": ["--src i-audit --dst i-clearing --port 8443 -> UNREACHABLE"],
    "nlb-backend-acl": ["--src i-lobby --dst nlb-game --port 7777 -> REACHABLE"],
    "nlb-group-drops": ["--src i-cron --dst nlb-api --port 443 -> REACHABLE"],
    "no-ingress-rule": [
        "--src i-prometheus --dst i-ledger --port 9100 -> UNREACHABLE",
        "--src i-prometheus --dst i-orders --port 8080 -> REACHABLE",
    ],
    "peering-not-transitive": [
        "--src i-till --dst i-hub --port 8443 -> REACHABLE",
        "--src i-hub --dst i-ledger --port 8443 -> REACHABLE",
    ],
    "peering-one-sided": ["--src i-job --dst i-orders-db --port 5432 --one-way -> REACHABLE"],
    "ping-not-allowed": ["--src i-desk --dst i-files --port 445 -> REACHABLE"],
    "prefix-list-offices": [
        "--src 198.51.100.20 --dst i-code --port 443 -> REACHABLE",
        "--src internet --dst i-code --port 443 -> PARTLY REACHABLE",
    ],
    "private-vswitch": ["--src internet --dst i-portal --port 8080 -> REACHABLE"],
    "public-bandwidth-zero": ["--src i-second --dst 198.51.100.21 --port 443 -> REACHABLE"],
    "public-web-server": ["--src internet --dst i-www --port 22 -> PARTLY REACHABLE"],
    "reference-without-member": [
        "--src i-web-1 --dst i-mysql --port 3306 -> REACHABLE",
        "--src i-web-2 --dst i-mysql --port 3306 -> REACHABLE",
    ],
    "router-interface-inactive": ["--src i-claims --dst 10.6.200.9 --port 445 -> REACHABLE"],
    "routing-loop": ["--src i-client --dst i-router-b --port 22 -> REACHABLE"],
    "secondary-eni-asymmetric": ["--src i-office --dst eni-manager-2 --port 8443 -> REACHABLE"],
    "specific-route-beats-eip": [
        "--src i-sync --dst 198.51.100.205 --port 443 --assume specific_route_beats_eip=false -> REACHABLE",
        "--src i-sync --dst 198.51.100.10 --port 443 -> REACHABLE",
    ],
    "sshd-stopped": [
        "--src i-admin --dst i-wiki --port 22 --no-guest -> REACHABLE",
        "--src i-admin --dst i-wiki --port 80 -> REACHABLE",
    ],
    "transit-router-blackhole": ["--src i-collector --dst i-press-8 --port 5044 -> REACHABLE"],
    "transit-router-missing-return": ["--src i-worker --dst i-cache --port 6379 --one-way -> REACHABLE"],
    "transit-router-no-association": ["--src i-customers --dst i-invoice --port 9000 -> UNREACHABLE"],
    "two-groups-one-eni": [
        "--src i-gateway --dst i-api --port 8081 -> REACHABLE",
        "--src i-gateway --dst i-api --port 8080-8081 -> PARTLY REACHABLE",
    ],
    "two-tier": ["--src i-web --dst i-db --port 22 -> UNREACHABLE"],
    "unknown-prefix-list": [
        "--src 198.51.100.140 --dst i-partner-api --port 443 -> REACHABLE",
        "--src 198.51.100.140 --dst i-partner-api --port 8444 -> UNREACHABLE",
    ],
    "vbr-standby-unhealthy": ["--src i-viewer --dst 10.44.130.1 --port 22 -> REACHABLE"],
    "vpn-bgp-down": ["--src i-tills --dst 192.168.78.20 --port 8080 -> REACHABLE"],
    "vpn-no-return-route": ["--src 172.24.8.40 --dst i-documents --port 443 -> REACHABLE"],
    "vpn-selector": ["--src i-scada --dst 10.18.0.20 --port 502 -> REACHABLE"],
    "windows-rdp": [
        "--src i-terminal --dst i-accounting --port 13389 -> UNREACHABLE",
        "--src i-terminal --dst i-accounting --port 1433 -> REACHABLE",
    ],
}
"""What the heads tell beyond their command: other questions of the same file, with their answers."""

pytestmark = pytest.mark.usefixtures("project_root")


class Example(NamedTuple):
    """The head of an example."""

    name: str
    story: str
    command: str
    answer: str


def read(name: str) -> Example:
    """The first paragraph of a head, the command, and the answer in its own word."""
    written = (ROOT / "topologies" / f"{name}.yaml").read_text("utf-8")
    paragraphs = re.findall(r"(?:^# .+\n)+", written, re.MULTILINE)
    story = " ".join(line.removeprefix("# ") for line in paragraphs[1].splitlines())
    (command,) = re.findall(r"^# The command.*:\n#\n# +(netinsight .+)$", written, re.MULTILINE)
    (answer,) = re.findall(rf"^# The answer: ({'|'.join(VERDICTS)})\b", written, re.MULTILINE)
    return Example(name, story, command, answer)


def page() -> str:
    """The index, by answer."""
    examples = [read(name) for name in EXAMPLES]
    parts = [HEAD]
    for answer, title in TITLES.items():
        parts.append(f"## {title}\n")
        parts += [_entry(example) for example in examples if example.answer == answer]
    return "\n".join(parts)


def _entry(example: Example) -> str:
    link = f"[{example.name}](../topologies/{example.name}.yaml)"
    return f"- {link}: {example.story}\n\n  ```sh\n  {example.command}\n  ```\n"


def test_the_index_is_made_of_the_heads(keep: Keep) -> None:
    keep(ROOT / "docs" / "examples.md", page())


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_head_of_an_example_tells_who_asks_and_what_is_wrong(name: str) -> None:
    head = (ROOT / "topologies" / f"{name}.yaml").read_text("utf-8").partition("\n\n")[0]
    told = re.findall(r"^# (Who asks|What is wrong|The command|The answer)\b", head, re.MULTILINE)
    assert told == ["Who asks", "What is wrong", "The command", "The answer"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_answer_that_a_head_tells_is_the_verdict(name: str) -> None:
    verdict = VERDICTS[read(name).answer]
    if verdict:
        assert json.loads((GOLDEN / name / "report.json").read_text("utf-8"))["verdict"] == verdict
    else:
        assert not (GOLDEN / name).exists()


@pytest.mark.parametrize(("name", "told"), [(name, told) for name, all_told in FURTHER.items() for told in all_told])
def test_what_a_head_tells_of_other_questions_is_so(name: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    question, _, answer = told.partition(" -> ")
    run(["diagnose", f"topologies/{name}.yaml", *shlex.split(question), "--output", "json"])
    assert json.loads(capsys.readouterr().out)["verdict"] == VERDICTS[answer]
