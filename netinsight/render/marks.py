"""What every form of a report shows alike: marks (never colour alone), how a question and a place are written."""

from __future__ import annotations

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.report import Evidence, Report
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


def ports_that_pass(report: Report, catalogue: Catalogue) -> list[str]:
    """Which ports pass, where not all that were asked do: for everybody, and for whom else."""
    if report.verdict.value not in ("partial", "undetermined") or report.question.port == "-1/-1":
        return []
    lang, ports = Lang(report.lang), ", ".join(report.reachable_ports)
    told = [catalogue.word("ports_pass", lang, ports=ports)] if ports else []
    for one in report.partly_reachable:
        ports = ", ".join(one.ports)
        if one.by == ["paths"]:
            told.append(catalogue.word("ports_partly_paths", lang, passing=one.passing, of=one.of, ports=ports))
        else:
            parts = catalogue.word("partly_or", lang).join(catalogue.word(f"partly_{by}", lang) for by in one.by)
            told.append(catalogue.word("ports_partly", lang, parts=parts, ports=ports))
    return told


def name_of(evidence: Evidence) -> str:
    """What stands beside the text of an evidence: its id, unless the text tells that, or is of a field."""
    told = evidence.text.startswith(evidence.id) or evidence.text.endswith(evidence.id)
    return "" if told or evidence.kind == "fact" else evidence.id


def place(file: str | None, line: int | None) -> str:
    """``FILE:LINE``, or what of it is known."""
    shown = visible(file or "", 400)
    return f"{shown}:{line}" if file and line else shown
