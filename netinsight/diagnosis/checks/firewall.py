"""The guest's firewall and routes, where the walk could not ask them: they are listed as not checked."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.diagnosis.case import Case, Result, Role, Side, fact_missing, missing
from netinsight.model.instance import Instance
from netinsight.network.steps import Ref, why

ROUTING = ("routes", "rules")
"""What a look-up in a guest needs."""


def check(case: Case, side: Side) -> Iterator[Result]:
    """iptables in the direction that passes at the end; the route there at the source, back at the destination."""
    outward = side.role is Role.SOURCE
    judged = {(step.item, step.object) for walk in case.walks for step in walk.steps}
    route = "guest.route.forward" if outward else "guest.route.return"
    if (outward or not case.question.one_way) and (route, side.ref) not in judged:
        yield _unjudged(case, side.instance, side.ref, route, *ROUTING)
    firewall = "firewall.iptables.egress" if outward else "firewall.iptables.ingress"
    if (firewall, side.ref) not in judged:
        yield _unjudged(case, side.instance, side.ref, firewall, case.rules_key(side.instance))


def check_appliances(case: Case) -> Iterator[Result]:
    """The guests that forward on the way: whether they do, and what their firewalls say, where nobody knows."""
    steps = [step for walk in case.walks for step in walk.steps]
    judged = {(step.item, step.object.id) for step in steps}
    for eni in dict.fromkeys(step.object.id for step in steps if step.stage == "appliance"):
        name = case.network.enis[eni].instance_id or ""
        instance = case.network.topology.instances.get(name)
        ref = Ref("instance", name) if instance else Ref("eni", eni)
        if ("guest.forwarding", name) not in judged:
            yield _unjudged(case, instance, ref, "guest.forwarding", "ip_forward")
        if ("firewall.iptables.forward", name) not in judged:
            yield _unjudged(case, instance, ref, "firewall.iptables.forward", case.rules_key(instance))


def _unjudged(case: Case, instance: Instance | None, ref: Ref, item: str, *facts: str) -> Result:
    if gap := case.guest_gap(instance):
        return missing(item, ref, gap)
    guest = instance.guest if instance else None
    for fact in facts:
        if guest is None or getattr(guest, fact) is None:
            return fact_missing(item, ref, f"guest.{fact}")
    return missing(item, ref, why("skip.not_judged", what=facts[0]))
