"""NetInsight: why a connection in a cloud network passes or fails, offline, with the rule and the line that decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from netinsight.answer import Answer, AnswerSet
    from netinsight.api import Manner, Net, load
    from netinsight.diagnosis.evaluate import Evaluation
    from netinsight.diagnosis.matrix import Matrix, Pairs
    from netinsight.diagnosis.report import Report
    from netinsight.errors import (
        InputError,
        NetInsightError,
        ObjectError,
        PreconditionError,
        Problem,
        QuestionError,
    )
    from netinsight.flow import PortRange, Question, Verdict
    from netinsight.model.topology import Topology
    from netinsight.set_answers import ExposureAnswer, PortsAnswer, WhoCanReachAnswer

__all__ = [
    "Answer",
    "AnswerSet",
    "Evaluation",
    "ExposureAnswer",
    "InputError",
    "Manner",
    "Matrix",
    "Net",
    "NetInsightError",
    "ObjectError",
    "Pairs",
    "PortRange",
    "PortsAnswer",
    "PreconditionError",
    "Problem",
    "Question",
    "QuestionError",
    "Report",
    "Topology",
    "Verdict",
    "WhoCanReachAnswer",
    "__version__",
    "load",
]

_HOMES = {
    "netinsight.answer": ("Answer", "AnswerSet"),
    "netinsight.api": ("Manner", "Net", "load"),
    "netinsight.diagnosis.evaluate": ("Evaluation",),
    "netinsight.diagnosis.matrix": ("Matrix", "Pairs"),
    "netinsight.diagnosis.report": ("Report",),
    "netinsight.errors": (
        "InputError", "NetInsightError", "ObjectError", "PreconditionError", "Problem", "QuestionError",
    ),
    "netinsight.flow": ("PortRange", "Question", "Verdict"),
    "netinsight.model.topology": ("Topology",),
    "netinsight.set_answers": ("ExposureAnswer", "PortsAnswer", "WhoCanReachAnswer"),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for, so that no command pays for what it does not use."""
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'netinsight' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
