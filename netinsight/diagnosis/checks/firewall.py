"""The guest's firewall and routes: listed, and not judged by this version."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.diagnosis.case import Case, Result, Role, Side, fact_missing, missing
from netinsight.network.steps import why


def check(case: Case, side: Side) -> Iterator[Result]:
    """iptables in the direction that passes at the end; the route there at the source, back at the destination."""
    outward = side.role is Role.SOURCE
    if outward or not case.question.one_way:
        yield _not_judged(case, side, "guest.route.forward" if outward else "guest.route.return", "routes")
    yield _not_judged(case, side, "firewall.iptables.egress" if outward else "firewall.iptables.ingress", "iptables")


def _not_judged(case: Case, side: Side, item: str, fact: str) -> Result:
    if gap := case.guest_gap(side):
        return missing(item, side.ref, gap)
    if side.guest is None or getattr(side.guest, fact) is None:
        return fact_missing(item, side.ref, f"guest.{fact}")
    return missing(item, side.ref, why("skip.not_judged", what=fact))
