"""Public addresses in a blackhole or being scrubbed, at both ends; on the path or not."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.addresses import parse_address, text
from netinsight.diagnosis.case import Case, Fact, Result, Side, Status, abnormal, normal
from netinsight.diagnosis.catalogue import ItemSeverity
from netinsight.network.build import Public
from netinsight.network.stages import blackholed
from netinsight.network.steps import Step, why

ITEM = "blackhole.public_ip"


def check(case: Case, side: Side) -> Iterator[Result]:
    """Every public address of the end; the walks say whether one on the path stops it."""
    publics = case.network.publics_of.get(side.instance_id if side.instance else side.interface.id)
    if not publics:
        yield Result(ITEM, side.ref, Status.SKIPPED, why("skip.no_public_address", eni=side.interface.id))
        return
    results = [_judge(case, side, public) for public in publics]
    order = {Status.ABNORMAL: 0, Status.UNKNOWN: 1, Status.NORMAL: 2, Status.SKIPPED: 3}
    told = [r for r in results if r.says.code != "clear"]
    yield min(told or results, key=lambda result: order[result.status])


def _judge(case: Case, side: Side, public: Public) -> Result:
    address = text(public.address)
    found = blackholed(case.network, public.address, case.at)
    used = _steps(case, side, public)
    if found is None:
        return _mitigating(case, side, public, bool(used)) or normal(
            ITEM, side.ref, "clear", Fact(public.path, address), public=address
        )
    index, until = found
    fact = Fact(("ddos", "blackholed", index), f"blackholed: {address}")
    if any(step.stage == "blackhole" for step in used):
        code = "blackholed_until" if until else "blackholed"
        return abnormal(ITEM, side.ref, code, case.whole, fact, public=address, until=until)
    return normal(ITEM, side.ref, "outbound_only" if used else "not_on_path", fact, public=address)


def _steps(case: Case, side: Side, public: Public) -> list[Step]:
    """The steps at the public edge that use this address."""
    stages = ("blackhole", "public_ip.egress", "public_ip.ingress")
    return [
        step for walk in case.walks for step in walk.steps
        if step.stage in stages and step.object.id == side.interface.id
        and public.address in (step.packet.source, step.packet.destination)
    ]  # fmt: skip


def _mitigating(case: Case, side: Side, public: Public, on_path: bool) -> Result | None:
    for i, attacked in enumerate(case.network.topology.ddos.mitigating):
        if parse_address(attacked.ip) == public.address and (attacked.until is None or attacked.until > case.at):
            fact = Fact(("ddos", "mitigating", i), f"mitigating: {attacked.ip}")
            result = abnormal(ITEM, side.ref, "mitigating", (), fact, public=attacked.ip)
            return result._replace(
                severity=ItemSeverity.NON_CRITICAL, status=Status.ABNORMAL if on_path else Status.NORMAL
            )
    return None
