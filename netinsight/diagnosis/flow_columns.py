"""Flows as a user has them (a mapping of columns, a DataFrame, a structured array) -> checked columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinsight.diagnosis.evaluate import MOST_PROBLEMS, Flows
from netinsight.errors import InputError, Place, Problem, QuestionError, did_you_mean, one_of
from netinsight.flow import LAST_PORT, TCP, has_ports, parse_protocol

COLUMNS = ("src", "dst", "protocol", "port", "source_port")


def read_flows(flows: Any) -> Flows:
    """The columns of flows, checked.

    Raises
    ------
    QuestionError
        For columns that are missing, strange or of different lengths.
    InputError
        For values that no flow can have, by the flow's number from 0.
    """
    columns = _columns(flows)
    lengths = {name: len(column) for name, column in columns.items() if column.ndim}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise QuestionError(f"the columns of flows are of different lengths ({told})")
    count = next(iter(lengths.values()), 1)
    problems: list[Problem] = []
    protocol = _protocols(columns.get("protocol", np.asarray("tcp")), count, problems)
    port = _ports("port", columns.get("port"), count, problems)
    source_port = _ports("source_port", columns.get("source_port"), count, problems)
    ported = np.isin(protocol, [number for number in range(256) if has_ports(number)])
    lacking = np.flatnonzero(ported & (port < 0))[:MOST_PROBLEMS].tolist()
    problems += [Problem(Place(f"flow {row}"), "tcp and udp need a port") for row in lacking]
    if problems:
        raise InputError(problems[:MOST_PROBLEMS])
    source, destination = (_names(columns[name], count) for name in ("src", "dst"))
    return Flows(source, destination, protocol, np.where(ported, port, -1), np.where(ported, source_port, -1))


def _columns(flows: Any) -> dict[str, NDArray[Any]]:
    names = getattr(flows, "columns", None)
    if names is None and isinstance(flows, np.ndarray):
        names = flows.dtype.names
    if names is None and isinstance(flows, Mapping):
        names = flows.keys()
    if names is None:
        raise QuestionError(
            "flows are columns by name: a mapping of arrays, a DataFrame or a structured array",
            hint='net.evaluate({"src": ["i-a"], "dst": ["i-b"], "port": [22]})',
        )
    named = [str(name) for name in names]
    if strange := [name for name in named if name not in COLUMNS]:
        hint = did_you_mean(strange[0], COLUMNS) or f"known: {one_of(COLUMNS)}"
        raise QuestionError(f"flows have an unknown column `{strange[0][:40]}`", hint=hint)
    if missing := [name for name in ("src", "dst") if name not in named]:
        raise QuestionError(f"flows have no column `{missing[0]}`")
    return {name: np.asarray(flows[name]) for name in named}


def _names(column: NDArray[Any], count: int) -> list[str]:
    return [str(column)] * count if not column.ndim else [str(name) for name in column.tolist()]


def _protocols(column: NDArray[Any], count: int, problems: list[Problem]) -> NDArray[np.int64]:
    """Numbers of words or numbers; each word is looked up once."""
    if not column.ndim:
        return np.full(count, parse_protocol(str(column)), dtype=np.int64)
    known: dict[Any, int] = {}
    for row, word in enumerate(column.tolist()):
        if word not in known:
            try:
                known[word] = parse_protocol(str(word))
            except QuestionError as error:
                known[word] = TCP
                problems += [Problem(Place(f"flow {row}"), one.message, one.hint) for one in error.problems]
    return np.fromiter((known[word] for word in column.tolist()), dtype=np.int64, count=count)


def _ports(name: str, column: NDArray[Any] | None, count: int, problems: list[Problem]) -> NDArray[np.int64]:
    """Ports as numbers; -1 where there is none (None, NaN, an empty text, or -1)."""
    if column is None:
        return np.full(count, -1, dtype=np.int64)
    if column.dtype.kind in "iu":
        ports = np.broadcast_to(column, (count,)).astype(np.int64)
    else:
        given = [column.item()] * count if not column.ndim else column.tolist()
        ports = np.array([_port(value) for value in given], dtype=np.int64)
    wrong = np.flatnonzero((ports != -1) & ((ports < 1) | (ports > LAST_PORT)))[:MOST_PROBLEMS]
    problems += [Problem(Place(f"flow {row}"), f"{name} is not a port (1 to {LAST_PORT})") for row in wrong.tolist()]
    return ports


_NO_NUMBER = -2


def _port(value: Any) -> int:
    if value is None or value == "" or value != value:
        return -1
    try:
        return int(value) if float(value) == int(value) else _NO_NUMBER
    except (TypeError, ValueError, OverflowError):
        return _NO_NUMBER
