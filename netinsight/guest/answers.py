"""Answers from what decided them."""

from __future__ import annotations

from netinsight.guest.packets import Doubts, Found, Hit
from netinsight.guest.rows import Rule


def answer(
    kind: str, hit: Hit | Rule | None, doubts: Doubts, *, interface: str = "", gateway: int | None = None,
    source: int | None = None, reason: str = "",
) -> Found:  # fmt: skip
    """An answer with the route and the rule that decided it, where any did."""
    told = tuple(doubts.told)
    if hit is None:
        return Found(kind, interface=interface, gateway=gateway, source=source, reason=reason, doubts=told)
    if isinstance(hit, Rule):
        return Found(kind, source=source, rule_priority=hit.priority, rule_line=hit.line or None, reason=reason,
                     doubts=told)  # fmt: skip
    route, rule = hit.route, hit.rule
    return Found(
        kind, next_hops=hit.hops, interface=interface, gateway=gateway, source=source, table=route.table,
        rule_priority=rule.priority if rule else None, rule_line=(rule.line or None) if rule else None,
        route_line=route.line or None, route_is_made=route.made, reason=reason, doubts=told,
    )  # fmt: skip


def nowhere(hit: Hit | Rule | None, doubts: Doubts, source: int | None) -> Found:
    """No way: by a rule, by a route, or because nothing matched."""
    if hit is None:
        return answer("none", None, doubts, source=source, reason="no rule leads to a route")
    return answer(hit.action if isinstance(hit, Rule) else hit.route.type, hit, doubts, source=source)


def martian(doubts: Doubts, source: int | None, reason: str, hit: Hit | None = None) -> Found:
    """A packet that the kernel drops for its addresses."""
    return answer("martian", hit, doubts, source=source, reason=reason)
