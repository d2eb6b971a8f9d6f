"""Ends that cannot be diagnosed as they are; an item only where many questions are asked, an error elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.diagnosis.case import Case, Fact, Result, abnormal
from netinsight.network.steps import Ref


def check(case: Case) -> Iterator[Result]:
    """Is the instance Running, is the ENI attached."""
    for one in case.unmet:
        fact = Fact(one.path, f"status: {one.status}")
        yield abnormal(one.code, Ref(one.type, one.id), "unmet", case.whole, fact, status=one.status)
