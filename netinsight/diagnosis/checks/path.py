"""The items whose evidence is a stage of the walks: ENI state, groups, ACLs, routes, gateways, outbound mail."""

from __future__ import annotations

from collections import defaultdict

from netinsight.diagnosis.case import Case, Result, Status, not_concerned
from netinsight.diagnosis.catalogue import ItemSeverity
from netinsight.engine.classify import Decision
from netinsight.network.steps import Ref, Step, Walk

_NOT_HERE = ("blackhole.public_ip",)
"""Stages that another module judges at the ends, together with what is not on the path."""

_BY_ANOTHER_ENI = "guest_route.elsewhere"

_MAIL = "platform.smtp_egress"


def check(case: Case) -> list[Result]:
    """One result for each item and object that the walks met."""
    met: dict[tuple[str, Ref], list[tuple[Step, Walk]]] = defaultdict(list)
    for walk in case.walks:
        for step in walk.steps:
            if step.item and (step.item not in _NOT_HERE or step.object.type != "eni"):
                met[step.item, step.object].append((step, walk))
    results = [_result(item, ref, steps) for (item, ref), steps in met.items()]
    source = case.ends.source.interface
    if source and not any(result.item == _MAIL for result in results):
        results.append(not_concerned(_MAIL, Ref("eni", source.id)))
    return results


def _result(item: str, ref: Ref, steps: list[tuple[Step, Walk]]) -> Result:
    decisions = {ruling.decision for step, _ in steps for ruling in step.rulings}
    status, wanted = Status.NORMAL, Decision.ACCEPT
    if Decision.DROP in decisions:
        status, wanted = Status.ABNORMAL, Decision.DROP
    elif Decision.UNKNOWN in decisions:
        status, wanted = Status.UNKNOWN, Decision.UNKNOWN
    parts = [(ruling, walk) for step, walk in steps for ruling in step.rulings if ruling.decision is wanted]
    evidence = {(by.id, by.path, by.text): by for ruling, _ in parts if (by := ruling.origin)}
    result = Result(item, ref, status, parts[0][0].why, evidence=tuple(evidence.values()), parts=tuple(parts))
    if status is Status.NORMAL and any(ruling.why.code == _BY_ANOTHER_ENI for ruling, _ in parts):
        return result._replace(
            status=Status.ABNORMAL, severity=ItemSeverity.NON_CRITICAL
        )  # what it meets there decides
    return result
