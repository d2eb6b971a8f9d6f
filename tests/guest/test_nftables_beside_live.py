"""The kernel of this machine: rules of iptables and of nftables at once, and which rules of both counted each packet."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from netinsight.addresses import parse_address, within
from netinsight.guest.iptables import Judgement, Packet, read_firewall
from netinsight.sources.nftables_file import read_nftables
from tests.guest import test_iptables_live as iptables
from tests.guest import test_nftables_live as nftables

OWN = parse_address("10.0.0.2")
_APART = ((r"priority 0;", "priority 2;"), (r"priority -300;", "priority -290;"), (r"priority -150;", "priority -140;"))
"""Chains of nftables stand where no table of iptables does: of equal priority nobody knows which comes first."""


def _apart(text: str) -> str:
    for there, here in _APART:
        text = text.replace(there, here)
    return text


def _leads(address: int) -> str | None:
    return "vC" if within(("10.9.0.0/16",), address) else None


def _asked(one: dict[str, Any]) -> Packet:
    """As it enters; where it is for is known, as in a diagnosis."""
    return replace(iptables._asked(one), own=frozenset([OWN]), leads=_leads)


def _seen(order: list[Any], counts: list[int]) -> Counter[Any]:
    return Counter({place: count for place, count in zip(order, counts, strict=True) if count and place})


def _order(saved: str) -> list[tuple[str, int] | None]:
    """The rules of nftables in order; None for those that count otherwise, or that are those of iptables."""
    rules = [one["rule"] for one in json.loads(saved)["nftables"] if "rule" in one]
    own = {"inet t", "ip u", "inet zz"}
    return [(f"{rule['family']} {rule['table']} {rule['chain']}", rule["handle"])
            if f"{rule['family']} {rule['table']}" in own and nftables._counts_what_matches(rule) else None
            for rule in rules]  # fmt: skip


def _expected(judged: Judgement, counting: set[Any]) -> tuple[Counter[Any], Counter[Any]]:
    """The lines of iptables that match, and the rules of nftables."""
    lines = Counter(at for _, chain, at in judged.places if " " not in chain)
    rules = Counter((chain, at) for _, chain, at in judged.places if (chain, at) in counting)
    return lines, rules


def _compared(told: dict[str, Any], packets: list[dict[str, Any]]) -> int:
    firewall = read_firewall(told["saved"])
    both = read_nftables(told["beside"]["saved"], "nft").beside(firewall)
    lines = [at for at, line in enumerate(told["saved"].split("\n"), start=1) if "] -A " in line]
    order = _order(told["beside"]["saved"])
    checked = 0
    for asked, seen, beside in zip(packets, told["counts"], told["beside"]["counts"], strict=True):
        judged = both.judge(_asked(asked))
        expected = _expected(judged, set(order))
        found = (_seen(lines, seen), _seen(order, beside))
        lost = bool(judged.assumptions)  # where REDIRECT leads is an interface's own, and may not be known
        context = (asked, judged, [(a - b, b - a) for a, b in zip(found, expected, strict=True)], told)
        if lost:
            continue
        assert judged.verdict in ("ACCEPT", "DROP", "REJECT"), context
        if judged.verdict == "REJECT":  # its answer is counted too
            assert all(one <= other for one, other in zip(expected, found, strict=True)), context
        else:
            assert expected == found, context
            through = any(chain.startswith("inet zz ") for chain, _ in found[1])
            assert (judged.verdict == "ACCEPT") == through, context
        checked += 1
    return checked


@pytest.mark.parametrize("command", ["iptables-legacy", "iptables-nft"])
def test_what_becomes_of_a_packet_that_passes_both(command: str) -> None:
    if reason := iptables._why_not(command) or nftables._why_not():
        pytest.skip(reason)
    checked: list[int] = []

    @settings(max_examples=2 * nftables.SETS, deadline=None, derandomize=True,
              suppress_health_check=list(HealthCheck), database=None)  # fmt: skip
    @given(st.lists(nftables.rulesets(True), min_size=3, max_size=3))
    def compare(texts: list[str]) -> None:
        random, used = Random(f"{command} {texts}"), set[Any]()
        sets = [{"text": iptables._before(random) + iptables._filter(random), "beside": _apart(text),
                 "packets": iptables._packets(random, used)} for text in texts]  # fmt: skip
        for asked, told in zip(sets, nftables._live(sets, command), strict=True):
            note(str(asked["text"]))
            note(str(asked["beside"]))
            checked.append(_compared(told, asked["packets"]))

    compare()
    print(f"{sum(checked)} packets judged as the kernel judges them")
    assert sum(checked) >= 100
