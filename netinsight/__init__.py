"""NetInsight: why a connection in a cloud network passes or fails, offline, with the rule and the line that decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from netinsight.api import Net, load
    from netinsight.diagnosis.report import Report
    from netinsight.errors import InputError, NetInsightError, QuestionError
    from netinsight.flow import Verdict
    from netinsight.model.topology import Topology

__all__ = [
    "InputError",
    "Net",
    "NetInsightError",
    "QuestionError",
    "Report",
    "Topology",
    "Verdict",
    "__version__",
    "load",
]

_HOMES = {
    "InputError": "netinsight.errors",
    "Net": "netinsight.api",
    "NetInsightError": "netinsight.errors",
    "QuestionError": "netinsight.errors",
    "Report": "netinsight.diagnosis.report",
    "Topology": "netinsight.model.topology",
    "Verdict": "netinsight.flow",
    "load": "netinsight.api",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for, so that no command pays for what it does not use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'netinsight' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
