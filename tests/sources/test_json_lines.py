"""The three readers of JSON lines are one: what bounds a line, what is passed over, what a bad line is told."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from netinsight.errors import InputError
from netinsight.sources import firewall_packets_file, packets_file, questions_file

READERS: dict[str, tuple[Callable[[str], list[Any]], str, str]] = {
    "questions": (
        lambda text: questions_file.read_questions("-", io.BytesIO(text.encode())),
        '{"src": "i-a", "dst": "i-b", "port": 22}',
        "column",
    ),
    "packets of a guest's routes": (
        lambda text: packets_file.read_packets("-", io.BytesIO(text.encode())),
        '{"dst": "8.8.8.8"}',
        "key",
    ),
    "packets at a firewall": (
        lambda text: firewall_packets_file.read_packets(text, "packets.jsonl", 4),
        '{"chain": "INPUT", "src": "10.0.0.1", "dst": "10.0.0.2"}',
        "key",
    ),
}
every_reader = pytest.mark.parametrize(("read", "line", "noun"), READERS.values(), ids=READERS)


@every_reader
def test_empty_lines_and_comments_are_passed_over(read: Callable[[str], list[Any]], line: str, noun: str) -> None:
    assert len(read(f"{line}\r\n\n  # between\n{line}\n")) == 2


@every_reader
def test_every_bad_line_is_told_once_at_its_place(read: Callable[[str], list[Any]], line: str, noun: str) -> None:
    long = line.replace("{", '{"' + "x" * 10_000 + '": 1, ')
    twice = line.replace("}", ', "dst": "again"}')
    strange = line.replace("}", ', "\\u001b[31mdts": 1}')
    text = "\n".join([line, long, twice, "[1]", strange, '{"dst": 1} {}', "[" * 9_000])
    with pytest.raises(InputError) as error:
        read(text)
    told = [(problem.place.line, problem.message) for problem in error.value.problems]
    assert told[:2] == [(2, "longer than 10000 characters"), (3, "not JSON: duplicate key `dst`")]
    assert told[2][1].startswith("expected an object such as {")
    assert told[3] == (5, f"unknown {noun} `\\x1b[31mdts`")
    assert [at for at, _ in told[4:]] == [6, 7]
    assert all(message.startswith("not JSON") for _, message in told[4:])
    assert all(len(problem.excerpt) <= 10_000 for problem in error.value.problems)
