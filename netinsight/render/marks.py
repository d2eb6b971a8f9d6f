"""What every form of a report shows alike: marks (never colour alone), how a question and a place are written."""

from __future__ import annotations

from netinsight.diagnosis.catalogue import Catalogue
from netinsight.diagnosis.report import Report
from netinsight.errors import visible

DECISION_MARKS = {"accept": "✔", "drop": "✘", "partial": "◐", "unknown": "?"}
STATUS_MARKS = {"normal": "✔", "abnormal": "✘", "skipped": "-", "unknown": "?"}
VERDICT_MARKS = {"reachable": "✔", "partial": "◐", "unreachable": "✘", "undetermined": "?"}
EXTENT_MARKS = {"yes": "✔", "partly": "◐", "no": "✘", "unknown": "?"}
STYLES = {"✔": "green", "✘": "red", "◐": "yellow", "?": "yellow", "-": "dim"}
"""The colour of a mark on a terminal."""

FIELDS = ("source", "destination", "protocol", "source_port", "port")
"""The fields of a rule, in the order of ``Matches``."""


def asked(report: Report, catalogue: Catalogue) -> str:
    """``tcp 22 (SSH)``: the protocol and port of a question, with what the port usually is."""
    question = report.question
    if question.port == "-1/-1":
        return question.protocol
    usual = catalogue.common_ports.get(question.port) if question.protocol == "tcp" else None
    return f"{question.protocol} {question.port}" + (f" ({usual})" if usual else "")


def place(file: str | None, line: int | None) -> str:
    """``FILE:LINE``, or what of it is known."""
    shown = visible(file or "", 400)
    return f"{shown}:{line}" if file and line else shown
