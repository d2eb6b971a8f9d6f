"""The rules in their order, each with its table: how the kernel decides which table a packet is looked up in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netinsight.addresses import V4_FIRST
from netinsight.guest.fields import inside
from netinsight.guest.packets import LOOPBACK, Doubts, Hit, Packet
from netinsight.guest.rows import ERRORS, Rule

Look = Callable[[str], Hit | None]
"""One table -> what it says, None where it misses or throws."""


def ask(rules: Sequence[Rule], packet: Packet, look: Look, doubts: Doubts) -> Hit | Rule | None:
    """The route that decides, or the rule that ends it, or nothing where no rule leads anywhere."""
    at = 0
    while at < len(rules):
        rule = rules[at]
        at += 1
        if not matches(rule, packet, doubts):
            continue
        if rule.action == "goto":
            target = next((n for n in range(at, len(rules)) if rules[n].priority == rule.target), None)
            at = at if target is None else target  # one that is not there (yet) is passed over
        elif rule.action in ERRORS:
            return rule
        elif rule.action == "lookup":
            hit = look(rule.table)
            if hit is not None and not _suppressed(rule, hit, doubts):
                hit.rule = rule
                return hit
    return None


def matches(rule: Rule, packet: Packet, doubts: Doubts) -> bool:
    """Whether a rule is one for a packet; what is not known of either is taken for not matching, and told."""
    found = _known_part(rule, packet)
    if found and (open_words := _open(rule, packet)):
        for words in open_words:
            doubts.add(f"rule of line {rule.line}: {words}")
        found = False
    return found != rule.negated


def _known_part(rule: Rule, packet: Packet) -> bool:
    if rule.in_interface and rule.in_interface != (packet.in_interface or LOOPBACK):
        return False
    if rule.out_interface and rule.out_interface != packet.out_interface:
        return False
    if (rule.mark ^ packet.mark) & rule.mask or not inside(rule.destination, packet.destination):
        return False
    if packet.source is not None:
        sourced = inside(rule.source, packet.source)
    elif rule.family == 4:  # a source that is not selected yet is 0.0.0.0
        sourced = inside(rule.source, V4_FIRST)
    else:
        sourced = rule.source is None or rule.source.length == 0
    if not sourced or (rule.protocol and packet.protocol not in (None, rule.protocol)):
        return False
    for ports, port in ((rule.source_ports, packet.source_port), (rule.ports, packet.destination_port)):
        if ports is not None and port is not None and not ports[0] <= port <= ports[1]:
            return False
    return True


def _open(rule: Rule, packet: Packet) -> list[str]:
    """What of a rule cannot be told of a packet."""
    told = [f"`{words}` is not modelled" for words in rule.strange]
    if rule.protocol and packet.protocol is None:
        told.append("it is for one protocol, and that of the packet is not given")
    if (rule.source_ports and packet.source_port is None) or (rule.ports and packet.destination_port is None):
        told.append("it is for some ports, and those of the packet are not given")
    return told


def _suppressed(rule: Rule, hit: Hit, doubts: Doubts) -> bool:
    if hit.route.type in ERRORS:
        return False
    if hit.route.prefix.length <= rule.suppress:
        return True
    if rule.suppress_group:
        doubts.add(f"rule of line {rule.line}: `suppress_ifgroup {rule.suppress_group}` is not modelled")
    return False
