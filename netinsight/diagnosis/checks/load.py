"""How busy the instances are, at both ends; a bandwidth concerns its own road only."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.diagnosis.case import Case, Fact, Result, Side, abnormal, fact_missing, normal, not_concerned


def check(case: Case, side: Side) -> Iterator[Result]:
    """CPU, public and private bandwidth against the catalogue's thresholds."""
    limits = case.catalogue.thresholds
    yield _measure(side, "load.cpu", "cpu_percent", limits.cpu)
    own = bool(case.network.publics_of.get(side.instance_id))  # behind a NAT gateway it is the inner road
    for road, limit in (("public", limits.public_bandwidth), ("private", limits.private_bandwidth)):
        item = f"load.{road}_bandwidth"
        if (case.is_public and own) == (road == "public"):
            yield _measure(side, item, f"{road}_bandwidth_percent", limit)
        else:
            yield not_concerned(item, side.ref)


def _measure(side: Side, item: str, fact: str, limit: float) -> Result:
    load = side.instance.load if side.instance else None
    percent = getattr(load, fact) if load else None
    if percent is None:
        return fact_missing(item, side.ref, f"load.{fact}")
    evidence = Fact((*side.path, "load", fact), f"{fact}: {percent:g}")
    if percent >= limit:
        return abnormal(item, side.ref, "above", (), evidence, percent=f"{percent:g}", limit=f"{limit:g}")
    return normal(item, side.ref, "below", evidence, percent=f"{percent:g}", limit=f"{limit:g}")
