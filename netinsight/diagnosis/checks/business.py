"""Expiry, arrears and locks, at both ends."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.diagnosis.case import Case, Fact, Result, Side, abnormal, fact_missing, missing, normal
from netinsight.diagnosis.catalogue import ItemSeverity
from netinsight.model.base import Unknown
from netinsight.network.steps import why


def check(case: Case, side: Side) -> Iterator[Result]:
    """Has it expired, is the account in arrears, is it locked."""
    yield _expired(case, side)
    yield _overdue(case, side)
    yield _locked(case, side)


def _expired(case: Case, side: Side) -> Result:
    expires = side.instance.expires if side.instance else None
    if expires is None:
        return fact_missing("business.expired", side.ref, "expires")
    written = expires.isoformat().replace("+00:00", "Z")
    fact = Fact((*side.path, "expires"), f"expires: {written}")
    if expires <= case.at:
        return abnormal("business.expired", side.ref, "expired", case.whole, fact, expires=written)
    return normal("business.expired", side.ref, "valid", fact, expires=written)


def _overdue(case: Case, side: Side) -> Result:
    if side.instance is None:
        return fact_missing("business.overdue", side.ref, "account.overdue")
    account, path = case.network.topology.account_of(side.instance)
    if account.overdue is None:
        return fact_missing("business.overdue", side.ref, "account.overdue")
    if isinstance(account.overdue, Unknown):
        return missing(
            "business.overdue",
            side.ref,
            why("skip.fact_unknown", fact="account.overdue", reason=account.overdue.unknown),
        )
    fact = Fact((*path, "overdue"), f"overdue: {str(account.overdue).lower()}")
    if account.overdue:
        return abnormal("business.overdue", side.ref, "overdue", case.whole, fact)
    return normal("business.overdue", side.ref, "paid", fact)


def _locked(case: Case, side: Side) -> Result:
    locks = side.instance.locks if side.instance else None
    if locks is None:
        return fact_missing("business.locked", side.ref, "locks")
    if not locks:
        return normal("business.locked", side.ref, "free", Fact((*side.path, "locks"), "locks: []"))
    words = ", ".join(locks)
    case.assumptions.add("lock_cuts_traffic")
    result = abnormal(
        "business.locked", side.ref, "locked", (), Fact((*side.path, "locks"), f"locks: [{words}]"), locks=words
    )
    if case.network.assumptions["lock_cuts_traffic"] == "true":
        return result._replace(stops=case.whole, severity=ItemSeverity.CRITICAL)
    return result
