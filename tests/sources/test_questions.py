"""Many questions in one file: what is read of CSV and JSON lines, what is refused and where, and how they are answered."""

# ruff: noqa: F401, F811  (a fixture is imported, and taken by its name)
from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from time import process_time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from netinsight.errors import InputError, Problem
from netinsight.flow import ICMP, TCP, UDP, PortRange, Question
from netinsight.sources.questions_file import COLUMNS, read_questions
from tests.conftest import ROOT
from tests.sources.test_hostile import CONTROL
from tests.test_cli import Answer, Command, command, problems, process

TOWN = """\
schema: netinsight.topology/1
collected_at: 2026-11-24T08:00:00Z
vpcs:
  vpc-1: {cidrs: [10.0.0.0/16]}
vswitches:
  vsw-1: {vpc: vpc-1, cidr: 10.0.1.0/24}
security_groups:
  sg-1:
    vpc: vpc-1
    inner_access_policy: Drop
    rules:
      - {direction: ingress, protocol: tcp, ports: 22/22, source: 10.0.1.0/24}
      - {direction: ingress, protocol: icmp, source: 10.0.1.0/24}
instances:
  i-a: {network_interfaces: {eni-a: {vswitch: vsw-1, ip: 10.0.1.10, security_groups: [sg-1]}}}
  i-b:
    name: web server
    network_interfaces: {eni-b: {vswitch: vsw-1, ip: 10.0.1.20, security_groups: [sg-1]}}
  i-off:
    status: Stopped
    network_interfaces: {eni-off: {vswitch: vsw-1, ip: 10.0.1.30, security_groups: [sg-1]}}
  i-lost: {network_interfaces: {eni-lost: {vswitch: vsw-1, ip: 10.0.1.40, security_groups: [sg-lost]}}}
unknown: {sg-lost: "never\\ndescribed\\e[31m"}
"""
"""A network with one answer of each kind: to i-b on 22, on 22-23 and on 23, and to i-lost."""

REACHABLE, PARTIAL, UNREACHABLE = "i-a,i-b,22\n", "i-a,i-b,22-23\n", "i-a,i-b,23\n"
UNDETERMINED, STOPPED = "i-a,i-lost,22\n", "i-off,i-b,22\n"

SSH = Question("i-a", "i-b", TCP, PortRange(22, 22))
WEB = Question("i-a", "web server", TCP, PortRange(80, 443))


@pytest.fixture
def town(tmp_path: Path) -> str:
    path = tmp_path / "town.yaml"
    path.write_text(TOWN, encoding="utf-8")
    return str(path)


def read(written: str | bytes) -> list[Question]:
    """The questions of a text."""
    data = written if isinstance(written, bytes) else written.encode()
    return [asked.question for asked in read_questions("-", io.BytesIO(data))]


def refused(written: str | bytes) -> list[Problem]:
    """What is wrong with a text."""
    with pytest.raises(InputError) as caught:
        read(written)
    assert caught.value.exit_status == 2
    return list(caught.value.problems)


def ask(command: Command, topology: str, questions: str, *words: str) -> Answer:
    """The command, with the questions in a file beside the topology."""
    path = Path(topology).with_name("questions")
    path.write_text(questions, encoding="utf-8", newline="")
    return command("diagnose", topology, "--questions", str(path), *words)


# -- what is read ------------------------------------------------------------------------------------------------------

ALIKE = {
    "as it is": "src,dst,protocol,port\ni-a,i-b,tcp,22\ni-a,web server,tcp,80-443\n",
    "columns in another order": "port,protocol,dst,src\n22,tcp,i-b,i-a\n80-443,tcp,web server,i-a\n",
    "no protocol": "src,dst,port\ni-a,i-b,22\ni-a,web server,80-443\n",
    "an empty protocol": "src,dst,protocol,port\ni-a,i-b,,22\ni-a,web server,,80-443\n",
    "a protocol by its number": "src,dst,protocol,port\ni-a,i-b,6,22\ni-a,web server,TCP,80-443\n",
    "every column, empty": f"{','.join(COLUMNS)}\ni-a,i-b,,22,,,,,,\ni-a,web server,,80-443,,,,,,\n",
    "comments": "# whom to ask\nsrc,dst,port\n# ssh\ni-a,i-b,22\n#i-a,i-c,23\ni-a,web server,80-443\n# end\n",
    "blank lines": "\n\nsrc,dst,port\n\ni-a,i-b,22\n   \ni-a,web server,80-443\n\n\n",
    "CRLF": "src,dst,port\r\n# ssh\r\n\r\ni-a,i-b,22\r\ni-a,web server,80-443\r\n",
    "a byte order mark": "\ufeffsrc,dst,port\ni-a,i-b,22\ni-a,web server,80-443\n",
    "a byte order mark and CRLF": "\ufeffsrc,dst,port\r\ni-a,i-b,22\r\ni-a,web server,80-443\r\n",
    "quotes": '"src","dst","port"\n"i-a","i-b","22"\n"i-a","web server","80-443"\n',
    "spaces around": " src , dst , port \n  i-a ,i-b  ,\t22\n i-a, web server , 80-443 \n",
    "a header in capitals": "SRC,Dst,Port\ni-a,i-b,22\ni-a,web server,80-443\n",
    "no line break at the end": "src,dst,port\ni-a,i-b,22\ni-a,web server,80-443",
    "JSON": '{"src":"i-a","dst":"i-b","port":22}\n{"src":"i-a","dst":"web server","port":"80-443"}\n',
    "JSON with texts": '{"port":"22","dst":"i-b","src":"i-a"}\n{"src":"i-a","dst":"web server","port":"80-443"}',
    "JSON with nulls": '{"src":"i-a","dst":"i-b","port":22,"protocol":null,"icmp_type":null,"one_way":null}\n'
                       '{"src":"i-a","dst":"web server","port":"80-443","family":null,"source_port":""}\n',
    "JSON with CRLF, blank lines and a mark": '\ufeff\r\n{"src":"i-a","dst":"i-b","port":22}\r\n\r\n'
                                              '  {"src":"i-a","dst":"web\\u0020server","port":"80-443"}  \r\n',
    "JSON with a protocol by its number": '{"src":"i-a","dst":"i-b","port":22,"protocol":6}\n'
                                          '{"src":"i-a","dst":"web server","port":"80-443","protocol":"tcp"}\n',
}  # fmt: skip


@pytest.mark.parametrize("written", ALIKE.values(), ids=ALIKE)
def test_the_same_questions_may_be_written_in_many_ways(written: str) -> None:
    assert read(written) == [SSH, WEB]


def test_every_column_is_read_alike_from_csv_and_json() -> None:
    rows: list[tuple[dict[str, Any], Question]] = [
        ({"src": "internet", "dst": "i-b", "protocol": "udp", "port": "53", "source_port": "1024-65535", "family": 6},
         Question("internet", "i-b", UDP, PortRange(53, 53), PortRange(1024, 65535), family=6)),
        ({"src": "i-a", "dst": "10.0.1.20", "protocol": "icmp", "icmp_type": 13, "one_way": True},
         Question("i-a", "10.0.1.20", ICMP, icmp_type=13, one_way=True)),
        ({"src": "i-a", "dst": "i-b", "protocol": "icmp", "icmp_type": "echo-reply", "port": "-1/-1", "one_way": False},
         Question("i-a", "i-b", ICMP, icmp_type=0)),
        ({"src": "i-a", "dst": "i-b", "protocol": "gre", "family": "4"}, Question("i-a", "i-b", 47, family=4)),
    ]  # fmt: skip
    wanted = [question for _, question in rows]
    assert read("\n".join(json.dumps(row) for row, _ in rows)) == wanted
    cells = [",".join(str(row.get(column, "")) for column in COLUMNS) for row, _ in rows]
    assert read("\n".join([",".join(COLUMNS), *cells])) == wanted


@pytest.mark.parametrize(("word", "one_way"), [("true", True), ("yes", True), ("1", True), ("TRUE", True),
                                               ("false", False), ("no", False), ("0", False), ("", False)])  # fmt: skip
def test_one_way_is_a_word(word: str, one_way: bool) -> None:
    assert read(f"src,dst,port,one_way\ni-a,i-b,22,{word}\n") == [
        Question("i-a", "i-b", TCP, PortRange(22, 22), one_way=one_way)
    ]


def test_a_question_knows_the_line_that_asks_it() -> None:
    written = "\ufeff# first\r\n\r\nsrc,dst,port\r\n  i-a,i-b,22\r\n# between\r\ni-b,i-a,22\r\n"
    asked = read_questions("-", io.BytesIO(written.encode()))
    assert [(one.place.file, one.place.line, one.excerpt) for one in asked] == [
        ("<stdin>", 4, "  i-a,i-b,22"), ("<stdin>", 6, "i-b,i-a,22")
    ]  # fmt: skip


# -- what is refused, and where ----------------------------------------------------------------------------------------

ROW, JSON = "src,dst,protocol,port,source_port,icmp_type,family,one_way\n", '{"src":"i-a","dst":"i-b","port":22}\n'

MISTAKES = {
    # a » stands where the problem is told: (text, part of the message, part of the hint)
    "a port that is a word": ("src,dst,port\ni-a,i-b,»ssh\n", "port `ssh` is not a port", ""),
    "a port past the last": ("src,dst,port\ni-a,i-b,»65536\n", "port `65536` is out of range (1 to 65535)", ""),
    "a range that runs backwards": ("src,dst,port\ni-a,i-b,»90-80\n", "runs backwards", "did you mean `80-90`?"),
    "a range as the topology writes it": ("src,dst,port\ni-a,i-b,»80/90\n", "`80/90` is not a port", ""),
    "a negative port": ("src,dst,port\ni-a,i-b,»-22\n", "`-22` is not a port", ""),
    "a port in other digits": ("src,dst,port\ni-a,i-b,»２２\n", "is not a port", ""),
    "a source port": (ROW + "i-a,i-b,tcp,22,»x,,,\n", "source port `x` is not a port", ""),
    "no port": ("src,dst\n»i-a,i-b\n", "tcp needs a port", ""),
    "an empty port": ("src,dst,port\n»i-a,i-b,\n", "tcp needs a port", ""),
    "a port of icmp": ("src,dst,protocol,port\n»i-a,i-b,icmp,22\n", "icmp has no ports", ""),
    "a protocol": ("src,dst,protocol,port\ni-a,i-b,»tpc,22\n", "protocol `tpc` is not known", "did you mean `tcp`?"),
    "an icmp type": (ROW + "i-a,i-b,icmp,,,»pong,,\n", "icmp type `pong` is not known", ""),
    "a family": (ROW + "i-a,i-b,tcp,22,,,»5,\n", "family `5` is not 4 or 6", ""),
    "a one_way": (ROW + "i-a,i-b,tcp,22,,,,»maybe\n", "one_way `maybe` is not true or false", ""),
    "no source": ("src,dst,port\n»,i-b,22\n", "no `src`", ""),
    "no destination": ("src,dst,port\ni-a,»,22\n", "no `dst`", ""),
    "one field too few": ("src,dst,port\n»i-a,i-b\n", "2 fields, but the header names 3 columns", ""),
    "one field too many": ("src,dst,port\n»i-a,i-b,22,tcp\n", "4 fields, but the header names 3 columns", ""),
    "a quote that is not closed": ('src,dst,port\n»i-a,"i-b,22\n', "not CSV", ""),
    "text after a quote": ('src,dst,port\n»i-a,"i-b"x,22\n', "not CSV", ""),
    "an unknown column": ("src,dst,»prt\ni-a,i-b,22\n", "unknown column `prt`", "did you mean `port`?"),
    "an unknown column like no other": ("src,dst,»zzzzzz\n1,2,3\n", "unknown column `zzzzzz`", "known: src, dst, protocol"),
    "no column for the source": ("»dst,port\ni-b,22\n", "no column `src`", "src,dst,protocol,port"),
    "no column for the destination": ("»src,port\ni-a,22\n", "no column `dst`", "src,dst,protocol,port"),
    "a broken line of JSON": (JSON + '{"src":"i-a",»}\n', "not JSON", "one object a line"),
    "JSON that ends early": (JSON + '{"src":"i-a"»\n', "not JSON", "one object a line"),
    "more than one object a line": (JSON + '{"src":"i-a"} »{}\n', "not JSON", "one object a line"),
    "an object over several lines": ("{»\n", "not JSON", "one object a line"),
    "a duplicate key": (JSON + '»{"src":"i-a","src":"i-b","dst":"i-b","port":22}\n', "duplicate key `src`", ""),
    "an unknown key": (JSON + '{"src":"i-a","dst":"i-b",»"prot":"tcp"}\n', "unknown column `prot`", "did you mean"),
    "a list": (JSON + '»["i-a","i-b",22]\n', "expected an object", ""),
    "a number": (JSON + "»5\n", "expected an object", ""),
    "a text": (JSON + '»"i-a"\n', "expected an object", ""),
    "null": (JSON + "»null\n", "expected an object", ""),
    "a source that is a list": ('{"src":»["i-a"],"dst":"i-b","port":22}\n', "src: expected a text", ""),
    "a port that is an object": ('{"src":"i-a","dst":"i-b","port":»{}}\n', "port: expected a text or a whole number", ""),
    "no source in JSON": ('»{"dst":"i-b","port":22}\n', "no `src`", ""),
    "a source that is null": ('{"src":»null,"dst":"i-b","port":22}\n', "no `src`", ""),
    "a port of JSON that is a word": ('{"src":"i-a","dst":"i-b","port":"»ssh"}\n', "port `ssh` is not a port", ""),
}  # fmt: skip


@pytest.mark.parametrize(("marked", "message", "hint"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_at_its_line_and_column(marked: str, message: str, hint: str) -> None:
    before, _, after = marked.partition("»")
    (problem,) = refused(before + after)
    assert message in problem.message
    assert hint in problem.hint
    line = before.count("\n") + 1
    assert problem.excerpt == (before + after).splitlines()[line - 1]
    assert (problem.place.file, problem.place.line) == ("<stdin>", line)
    if problem.place.column != 1:  # the beginning of the line is a place, if a rough one, of anything in it
        assert problem.place.column == len(before.rpartition("\n")[2]) + 1
    else:
        assert before.endswith("\n") or not before


def test_a_column_that_is_named_twice_is_refused() -> None:
    (problem,) = refused("src,dst,port,dst\ni-a,i-b,22,i-c\n")
    assert "column `dst` is named twice" in problem.message
    assert problem.place.line == 1


def test_every_wrong_column_of_a_header_is_told() -> None:
    found = refused("from,to,port,protocl\ni-a,i-b,22,tcp\n")
    assert sorted(problem.message for problem in found) == [
        "no column `src` and none `dst`", "unknown column `from`", "unknown column `protocl`", "unknown column `to`"
    ]  # fmt: skip
    assert {problem.place.line for problem in found} == {1}


def test_the_mistakes_of_every_line_are_told_in_their_order() -> None:
    rows = ["i-a,i-b,tcp,22", "i-a,i-b,tpc,22", "i-a", "# a comment", ",i-b,tcp,22", "i-a,i-b,tcp,99999", "i-b,i-a,,22"]
    found = refused("\n".join(["src,dst,protocol,port", *rows, ""]))
    assert [problem.place.line for problem in found] == [3, 4, 6, 7]
    assert [problem.excerpt for problem in found] == [rows[1], rows[2], rows[4], rows[5]]


def test_the_mistakes_of_every_line_of_json_are_told_in_their_order() -> None:
    rows = [
        JSON.strip(),
        "{",
        JSON.strip(),
        "[]",
        '{"src":"i-a","prt":1,"dts":2}',
        '{"src":"i-a","dst":"i-b","port":0}',
    ]
    found = refused("\n".join(rows))
    assert [problem.place.line for problem in found] == [2, 4, 5, 5, 6]


@pytest.mark.parametrize("written", ["", "\n", "\ufeff", " \n\t\n", "# only a comment\n", "src,dst,port\n", "src,dst\r\n\r\n",
                                     "# a\nsrc,dst,port\n# b\n"])  # fmt: skip
def test_a_file_without_a_question_is_refused(written: str) -> None:
    (problem,) = refused(written)
    assert problem.place.file == "<stdin>"
    assert "no question" in problem.message
    assert "src,dst" in problem.hint


BYTES = {
    "UTF-16": ("src,dst,port\n".encode("utf-16"), 1, "UTF-16"),
    "Latin-1": ("src,dst,port\ni-\xe4,i-b,22\n".encode("latin-1"), 2, "not UTF-8"),
    "a program": (b"\x7fELF\x02\x01\x01\x00\xff\xff", 1, "not UTF-8"),
    "a surrogate": (b"src,dst,port\ni-\xed\xa0\x80,i-b,22\n", 2, "not UTF-8"),
}


@pytest.mark.parametrize(("written", "line", "message"), BYTES.values(), ids=BYTES)
def test_bytes_that_are_no_text_are_refused_at_their_line(written: bytes, line: int, message: str) -> None:
    (problem,) = refused(written)
    assert problem.place.line == line
    assert message in problem.message


HUGE = {
    "100,000 brackets": '{"src":' + "[" * 100_000,
    "100,000 brackets that close": '{"src":' + "[" * 100_000 + "]" * 100_000 + "}",
    "9,000 brackets": '{"src":' + "[" * 9_000,
    "4,000 objects": '{"src":' * 1_200,
    "a number of 5,000 digits": '{"src":"i-a","dst":"i-b","port":' + "1" * 5000 + "}",
    "a number past all measure": '{"src":"i-a","dst":"i-b","port":1e999}',
    "no number": '{"src":"i-a","dst":"i-b","port":NaN}',
    "a long line of CSV": "src,dst,port\ni-a,i-b," + "2" * 1_000_000,
    "a long field": "src,dst,port\ni-a,i-b," + "2" * 9_000,
    "many columns": "src,dst,port\n" + "," * 9_000,
    "many quotes": "src,dst,port\n" + '"' * 9_001,
    "a long key": '{"' + "k" * 9_000 + '":1}',
}


@pytest.mark.parametrize("written", HUGE.values(), ids=HUGE)
def test_what_is_too_much_is_refused_in_few_words_and_soon(written: str) -> None:
    began = process_time()
    found = refused(written)
    assert process_time() - began < 2
    assert len(found) == 1
    assert found[0].place.line == written.count("\n") + 1
    assert len(found[0].in_full()) < 2000


def test_a_line_that_is_too_long_hides_no_mistake_after_it() -> None:
    found = refused("src,dst,port\n" + "x" * 200_000 + "\ni-a,i-b,zz\n")
    assert [problem.place.line for problem in found] == [2, 3]


PIECES = st.sampled_from([*COLUMNS, ",", ",", "\n", "\r\n", '"', "#", " ", "i-a", "22", "-1/-1", "{", "}", "[", ":", "null",
                          '"src"', '"dst"', "src,dst,port\n", JSON, "\x00", "\x1b", "\u2028", "é", "\ufeff", "1e5"])  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=12).map("".join))
@example('{"src":"\\ud800","dst":"\\u0000","port":22}')
def test_any_text_is_questions_or_problems_with_a_place(written: str) -> None:
    try:
        read(written.encode("utf-8", "surrogatepass"))
    except InputError as error:
        for problem in error.problems:
            assert problem.place.file == "<stdin>"
            assert problem.place.line <= len(written.splitlines()) + 1
            assert not CONTROL.search(problem.headline)


# -- the command -------------------------------------------------------------------------------------------------------


def test_there_is_a_line_for_each_question_in_its_order(command: Command, town: str) -> None:
    answer = ask(command, town, "src,dst,port\n" + REACHABLE + UNDETERMINED + UNREACHABLE + PARTIAL + STOPPED)
    assert answer.status == 1
    assert answer.err == ""
    marks = [re.split("  +", line)[0] for line in answer.out.splitlines()]
    assert marks == ["✔ REACHABLE", "? UNDETERMINED", "✘ UNREACHABLE", "◐ PARTLY REACHABLE", "✘ UNREACHABLE"]


def test_a_line_names_the_first_blocker_and_its_place(command: Command, town: str) -> None:
    (line,) = ask(command, town, "src,dst,port\n" + UNREACHABLE).out.splitlines()
    assert "i-a -> i-b" in line
    assert "tcp 23" in line
    assert "eni.security_group.ingress eni-b: " in line
    assert f"[{town}:10]" in line  # inner_access_policy: Drop


def test_a_line_tells_which_ports_pass(command: Command, town: str) -> None:
    (line,) = ask(command, town, "src,dst,port\n" + PARTIAL).out.splitlines()
    assert re.search(r"passes: 22\b", line)


STATUSES = {
    "all reachable": (REACHABLE * 2, 0),
    "one unreachable": (REACHABLE + UNREACHABLE, 1),
    "one partial": (REACHABLE + PARTIAL, 1),
    "all unreachable": (UNREACHABLE * 2, 1),
    "one undetermined": (REACHABLE + UNDETERMINED, 3),
    "all undetermined": (UNDETERMINED * 2, 3),
    "unreachable outranks undetermined": (UNDETERMINED + UNREACHABLE + REACHABLE, 1),
    "partial outranks undetermined": (PARTIAL + UNDETERMINED, 1),
    "one stopped": (REACHABLE + STOPPED, 1),
    "stopped outranks undetermined": (UNDETERMINED + STOPPED, 1),
}


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize(("rows", "status"), STATUSES.values(), ids=STATUSES)
def test_one_status_is_that_of_all(
    rows: str,
    status: int,
    output: str,
    command: Command,
    town: str,
) -> None:
    answer = ask(command, town, "src,dst,port\n" + rows, "--output", output)
    assert answer.status == status
    assert len(answer.out.splitlines()) == rows.count("\n")


@pytest.mark.parametrize("row", ["i-off,i-b,22", "i-a,i-off,22", "10.0.1.30,i-b,22", "i-a,eni-off,22"])
def test_a_stopped_instance_among_many_questions_is_a_blocker_and_no_error(
    row: str,
    command: Command,
    town: str,
) -> None:
    answer = ask(command, town, f"src,dst,port\n{REACHABLE}{row}\n{REACHABLE}", "-o", "json")
    assert (answer.status, answer.err) == (1, "")
    verdicts = [(one["verdict"], one["blockers"]) for one in map(json.loads, answer.out.splitlines())]
    stopped = {"item": "precondition.instance_running", "object": {"type": "instance", "id": "i-off"}}
    assert verdicts == [("reachable", []), ("unreachable", [stopped]), ("reachable", [])]


def test_json_is_one_report_a_line_that_fits_the_schema(command: Command, town: str) -> None:
    rows = [REACHABLE, UNREACHABLE, PARTIAL, UNDETERMINED]
    answer = ask(command, town, "src,dst,port\n" + "".join(rows), "-o", "json")
    validator = Draft202012Validator(json.loads((ROOT / "docs" / "report.schema.json").read_text("utf-8")))
    reports = [json.loads(line) for line in answer.out.splitlines()]
    for report in reports:
        validator.validate(report)
    alone = []
    for row in rows:
        src, dst, port = row.strip().split(",")
        words = ["--src", src, "--dst", dst, "--port", port]
        alone.append(json.loads(command("diagnose", town, *words, "-o", "json").out))
    assert reports == alone


def test_unknown_objects_of_every_line_are_told_at_their_place_before_any_answer(
    command: Command,
    town: str,
) -> None:
    rows = ["i-a,i-b,22", "i-zebra,i-b,22", "i-a,10.0.1.99,22", "i-a,i-b,22", "i-a,i-a,22", "internet,8.8.8.8,22"]
    answer = ask(command, town, "\n".join(["# a comment", "src,dst,port", *rows, ""]))
    file = str(Path(town).with_name("questions"))
    assert (answer.status, answer.out) == (2, "")
    heads = problems(answer.err)
    assert [head.split(":")[:2] for head in heads] == [[file, "4"], [file, "5"], [file, "7"], [file, "8"]]
    assert f"{file}:4:1: nothing in the topology is called `i-zebra`" in heads
    assert f"{file}:5:5: no ENI of the topology has the private address 10.0.1.99" in heads
    for row in (rows[1], rows[2], rows[4], rows[5]):
        assert f"    {row}\n" in answer.err


def test_a_misspelt_object_has_a_hint(command: Command, town: str) -> None:
    answer = ask(command, town, '{"src":"i-a","dst":"web sever","port":22}\n')
    assert answer.status == 2
    assert "did you mean `web server`?" in answer.err


@pytest.mark.parametrize("where", ["first", "last"])
def test_nothing_is_answered_where_anything_is_wrong(where: str, command: Command, town: str) -> None:
    good = REACHABLE * 50
    for bad in ("i-a,i-b,zero\n", "i-a,nobody,22\n", "i-a,i-b\n"):
        rows = bad + good if where == "first" else good + bad
        answer = ask(command, town, "src,dst,port\n" + rows, "-o", "json")
        assert (answer.status, answer.out) == (2, "")
        errors = json.loads(answer.err.splitlines()[-1])["errors"]
        assert [error["line"] for error in errors] == [2 if where == "first" else 52]


def test_a_mistake_leaves_the_file_of_the_answers_as_it_was(command: Command, town: str) -> None:
    target = Path(town).with_name("answers")
    target.write_text("before")
    assert ask(command, town, "src,dst,port\ni-a,i-b,x\n", "--to", str(target)).status == 2
    assert target.read_text() == "before"


def test_the_answers_go_to_a_file_as_to_standard_output(command: Command, town: str) -> None:
    target = Path(town).with_name("answers")
    rows = "src,dst,port\n" + REACHABLE + UNREACHABLE
    usual = ask(command, town, rows)
    to_file = ask(command, town, rows, "--to", str(target))
    assert (to_file.status, to_file.out) == (usual.status, "")
    assert target.read_bytes() == usual.out.encode()


def test_the_lines_are_chinese_where_that_is_asked_for(command: Command, town: str) -> None:
    english, chinese = (
        ask(command, town, "src,dst,port\n" + REACHABLE + STOPPED, "--lang", lang) for lang in ("en", "zh")
    )
    assert english.status == chinese.status == 1
    assert [line[:4] for line in chinese.out.splitlines()] == ["✔ 可达", "✘ 不可"]
    assert not re.search("[\u4e00-\u9fff]", english.out)


def test_explain_shows_the_whole_report_beneath_each_line(command: Command, town: str) -> None:
    answer = ask(command, town, "src,dst,port\n" + REACHABLE + UNREACHABLE, "--explain")
    assert answer.status == 1
    assert answer.out.count("The way there") == 2
    assert answer.out.startswith("✔ REACHABLE")
    assert "sg-1/ingress/1" in answer.out


@pytest.mark.parametrize("output", ["text", "json"])
def test_hostile_texts_keep_to_one_line(output: str, command: Command, town: str) -> None:
    name = "\u5b89\u5168 \u202ex\u0007"
    for said in ("</script>", "%s{}$(x)`", "安全 é", "'\""):
        path = Path(town)
        path.write_text(TOWN.replace("name: web server", f"name: {json.dumps(said)}"), encoding="utf-8")
        question = json.dumps({"src": "i-a", "dst": said, "port": 22})
        answer = ask(command, town, f"{question}\n{question}\n", "-o", output)
        assert answer.status == 0, answer.err
        assert len(answer.out.split("\n")) == 3
    answer = ask(command, town, json.dumps({"src": "i-a", "dst": "i-lost", "port": 22}) + "\n", "-o", output)
    assert len(answer.out.splitlines()) == 1
    assert not CONTROL.search(answer.out)
    answer = ask(command, town, json.dumps({"src": "a\nb\x1b[31m", "dst": name, "port": 22}) + "\n")
    assert answer.status == 2
    assert not CONTROL.search(answer.err)
    assert len(problems(answer.err)) == 1


TOGETHER = {
    "a source": (["--src", "i-a"], "--src"),
    "a destination": (["--dst", "i-b"], "--dst"),
    "both": (["--src", "i-a", "--dst", "i-b"], "--src, --dst"),
    "a port": (["--port", "22"], "--port"),
    "a protocol": (["--protocol", "tcp"], "--protocol"),
    "a source port": (["--source-port", "1024-65535"], "--source-port"),
    "an icmp type": (["--icmp-type", "8"], "--icmp-type"),
    "a family": (["--family", "4"], "--family"),
    "one way": (["--one-way"], "--one-way"),
    "a preset": (["--preset", "cloud-assistant"], "--preset"),
    "a page": (["--output", "html"], "html"),
}


@pytest.mark.parametrize(("words", "named"), TOGETHER.values(), ids=TOGETHER)
def test_what_only_one_question_has_is_refused(
    words: list[str],
    named: str,
    command: Command,
    town: str,
) -> None:
    answer = ask(command, town, "src,dst,port\n" + REACHABLE, *words)
    assert (answer.status, answer.out) == (2, "")
    assert named in answer.err.splitlines()[0]


def test_only_one_of_two_files_may_be_standard_input(command: Command) -> None:
    answer = command("diagnose", "-", "--questions", "-")
    assert (answer.status, answer.out) == (2, "")
    assert "standard input" in answer.err


def test_questions_come_by_standard_input() -> None:
    topology = str(ROOT / "topologies" / "two-tier.yaml")
    done = process("diagnose", topology, "--questions", "-", input=b"src,dst,port\r\ni-web,i-db,3306\r\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("✔ REACHABLE         i-web -> i-db  tcp 3306 (MySQL)")


def test_a_mistake_of_standard_input_has_its_place(
    command: Command,
    town: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"src,dst,port\ni-a,i-b,zz\n")))
    answer = command("diagnose", town, "--questions", "-")
    assert answer.status == 2
    assert answer.err.startswith("<stdin>:2:9: port `zz` is not a port")


def test_a_topology_by_standard_input_answers_a_file_of_questions(
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(TOWN.encode())))
    (tmp_path / "q").write_text("src,dst,port\n" + REACHABLE)
    assert command("diagnose", "-", "--questions", str(tmp_path / "q")).status == 0


@pytest.mark.parametrize("name", ["gone.csv", ".", "a\x00b"])
def test_a_file_that_cannot_be_read_is_named(
    name: str,
    command: Command,
    town: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = command("diagnose", town, "--questions", name)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith(name.replace("\x00", "\\x00"))


def test_a_wrong_topology_is_told_before_the_questions(command: Command, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("vpcs: {v: {cidrs: [x]}}\n")
    answer = ask(command, str(tmp_path / "t.yaml"), "src,dst,port\n" + REACHABLE)
    assert (answer.status, answer.out) == (2, "")
    assert "`x` is not a CIDR" in answer.err
