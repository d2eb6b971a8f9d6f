"""Every packet whose verdict the kernel told: real rule sets, a docker host with its translation, generated rule sets."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from netinsight.guest.iptables import EVERY_TABLE, Firewall, read_firewall
from tests.guest.iptables_helpers import loadable, packet
from tests.shared_data import shared

DATA = shared("iptables")
GENERATED = shared("iptables-generated")
MANIFEST = {one["file"]: one for one in json.loads((DATA / "manifest.json").read_text())}
DOCKER = "generated__docker_20.10.24__iptables-save"


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@cache
def _firewall(name: str) -> Firewall:
    text = (DATA / name).read_text(errors="replace")
    return read_firewall(loadable(text, MANIFEST[name]["dropped_rules"]), file=name)


def _asked(row: dict[str, Any]) -> Any:
    names = ("icmp_type", "icmp_code", "state", "mark", "uid")
    return packet(
        row["chain"], row["src"], row["dst"], protocol=row["proto"], sport=row["sport"], dport=row["dport"],
        in_interface=row["in_iface"] or None, out_interface=row["out_iface"] or None, flags=row["tcp_flags"],
        source_mac=row["src_mac"], source_type=row["src_type"], destination_type=row["dst_type"],
        **{name: row[name] for name in names},
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(MANIFEST))
def test_the_real_rule_sets_as_the_kernel_judged_them(name: str) -> None:
    rows = [row for row in _rows(DATA / "truth.jsonl") if row["ruleset"] == name]
    firewall = _firewall(name)
    wrong = []
    for row in rows:
        judged = firewall.judge(_asked(row))
        chain = firewall.tables["filter"].chains[row["rule_chain"]]
        # the index counts the kernel's rules, in whose order -I puts a later line before an earlier one
        text = "policy" if row["rule_index"] is None else chain.rules[row["rule_index"]].text
        told = (judged.verdict, judged.reject_with or None, judged.rule, judged.chain)
        if told != (row["verdict"], row["reject_with"], text, row["rule_chain"]):
            wrong.append((row, judged))
        assert not row["rate_or_payload_sensitive"] or judged.verdict != "UNKNOWN"
    assert rows
    assert not wrong, f"{len(wrong)} of {len(rows)}: {wrong[0]}"


@pytest.mark.parametrize("row", _rows(DATA / "nat_truth.jsonl"), ids=lambda row: f"{row['dst']}:{row['dport']}")
def test_the_docker_host_all_tables_together(row: dict[str, Any]) -> None:
    firewall = read_firewall((DATA / DOCKER).read_text())
    local = row["dst"] in ("172.31.5.10", "172.17.0.1", "172.20.0.1", "127.0.0.1")
    to = (
        row["egress"][0]["dst"]
        if row["egress"]
        else "172.20.0.2"
        if row["dport"] > 8999 or row["proto"] == "udp"
        else ""
    )
    out = row["egress"][0]["dev"] if row["egress"] else "br-3cb1a9f4673a" if to else "docker0"
    one = packet(
        row["hook"], row["src"], row["dst"], protocol=row["proto"], sport=row["sport"], dport=row["dport"],
        in_interface=row["in_iface"] or None, out_interface=None if row["hook"] == "INPUT" else out, state="NEW",
        destination_type="LOCAL" if local else "UNICAST",
    )  # fmt: skip
    judged = firewall.judge(one, EVERY_TABLE)
    assert (judged.verdict, judged.rule) == (row["verdict"], row["rule"])
    in_filter = [text for text, (table, _, _) in zip(judged.trace, judged.places, strict=True) if table == "filter"]
    assert in_filter == row["path"]
    in_nat = [text for text, (table, _, _) in zip(judged.trace, judged.places, strict=True) if table == "nat"]
    for told in row["nat"].values():
        assert told["rule"] == "policy" or told["rule"] in in_nat


@pytest.mark.parametrize("form", [".iptables", ".iptables-save"])
@pytest.mark.parametrize("path", sorted(GENERATED.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_generated_rule_sets(path: Path, form: str) -> None:
    firewall = read_firewall(path.with_suffix(form).read_text())
    for row in _rows(path):
        one = packet(
            row["hook"], row["src"], row["dst"], protocol=row["proto"], sport=row.get("sport", 0),
            dport=row.get("dport", 0), in_interface=row["in"], out_interface=row["out"], state=row["ctstate"],
            icmp_type=row.get("icmp_type"), icmp_code=row.get("icmp_code"), tcp_flags=row.get("flags"),
        )  # fmt: skip
        judged = firewall.judge(one)
        assert judged.verdict in (("ACCEPT",) if row["accept"] else ("DROP", "REJECT")), (row, judged)
        assert replace(one, state=None).conntrack() == row["ctstate"], row
