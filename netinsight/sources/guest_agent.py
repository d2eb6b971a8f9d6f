"""The answer of the cloud's agent (``DescribeInvocationResults``) -> what each instance printed."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, NamedTuple

from netinsight.errors import Place, Problem, visible
from netinsight.sources.document import Spot
from netinsight.sources.guest_output import MARK, MOST_BYTES, is_output
from netinsight.sources.json_file import read_json

_KEYS = ("Invocation", "InvocationResults", "InvocationResult")


class Printed(NamedTuple):
    """What the agent tells of one instance."""

    instance: str
    output: bytes
    lacking: str
    """Why it is not the whole output, or none at all; empty: it is whole."""
    place: Place


def is_agent_answer(data: bytes) -> bool:
    """Whether it is such an answer."""
    return data.lstrip()[:1] == b"{" and b'"InvocationResult' in data


def read_agent_answer(text: str, file: str, problems: list[Problem]) -> Iterator[Printed]:
    """Each result of an answer.

    Raises
    ------
    InputError
        Where it is no JSON.
    """
    builder = read_json(text, file)
    problems += builder.problems
    value, spot = builder.result or ({}, Spot(file, 1, 1))
    for key in _KEYS:
        value = value.get(key) if isinstance(value, dict) else None
        spot = spot.child(key) or spot
    if not isinstance(value, list):
        problems.append(Problem(spot.place, f"no list `{'.'.join(_KEYS)}`", "as DescribeInvocationResults answers"))
        return
    for n, one in enumerate(value):
        below = spot.child(n) or spot
        if isinstance(one, dict) and isinstance(one.get("InstanceId"), str) and one["InstanceId"]:
            yield _printed(one, below, problems)
        else:
            problems.append(Problem(below.place, "a result without an `InstanceId`"))


def _printed(one: dict[str, Any], spot: Spot, problems: list[Problem]) -> Printed:
    instance, dropped = one["InstanceId"], one.get("Dropped")
    lacking = f"the agent cut {dropped} bytes of the output" if isinstance(dropped, int) and dropped > 0 else ""
    status, code = str(one.get("InvocationStatus") or ""), str(one.get("ErrorCode") or "")
    place = (spot.child("Output") or spot).place
    output = one.get("Output")
    if not output:
        said = ": ".join(word for word in (status, code, str(one.get("ErrorInfo") or "")) if word)
        return Printed(instance, b"", f"the agent has no output ({visible(said, 200)})", place)
    if not isinstance(output, str):
        problems.append(Problem(place, "`Output` is no text"))
        return Printed(instance, b"", "its output is no text", place)
    data = output.encode("utf-8", "replace")
    if not is_output(data):  # a plain text has the mark of the collector, which base64 never holds
        try:
            data = b64decode("".join(output.split()), validate=True)
        except (binascii.Error, ValueError):
            problems.append(_not_ours(place, instance))
            return Printed(instance, b"", "its output cannot be read", place)
        if not is_output(data) and not (lacking and MARK in data):
            problems.append(_not_ours(place, instance))
    if len(data) > MOST_BYTES:
        problems.append(Problem(place, f"the output is larger than {MOST_BYTES >> 20} MiB"))
        return Printed(instance, b"", "its output is too large", place)
    return Printed(instance, data, lacking, place)


def _not_ours(place: Place, instance: str) -> Problem:
    hint = "run what `netinsight guest script` prints; long outputs in parts (--split)"
    return Problem(place, f"the output of {visible(instance)} is not that of the collector", hint)
