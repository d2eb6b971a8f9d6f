"""What commands that answer questions share: how they answer, and what they assume."""

from __future__ import annotations

import argparse
from datetime import datetime

from netinsight.api import Manner
from netinsight.errors import QuestionError


def manner_of(arguments: argparse.Namespace) -> Manner:
    """The manner that ``--no-guest``, ``--at``, ``--lang`` and ``--explain`` ask for.

    Raises
    ------
    QuestionError
        For a moment that is none.
    """
    return Manner(
        guest=not arguments.no_guest,
        at=_moment(arguments.at) if arguments.at else None,
        lang=arguments.lang,
        explain=getattr(arguments, "explain", False),
    )


def assumptions_of(arguments: argparse.Namespace) -> dict[str, str]:
    """The assumptions of ``--assume``, by name.

    Raises
    ------
    QuestionError
        For one without a value.
    """
    return dict(_assumption(written) for written in arguments.assume)


def _assumption(written: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not equals:
        raise QuestionError(f"--assume {written[:60]}: expected NAME=VALUE")
    return name, value


def _moment(written: str) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise QuestionError(f"--at {written[:60]}: not a moment such as 2026-11-24T08:00:00Z") from None
    if moment.tzinfo is None:
        raise QuestionError(f"--at {written[:60]}: no time zone", hint="end it with Z for UTC")
    return moment
