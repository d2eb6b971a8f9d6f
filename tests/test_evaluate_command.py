"""``netinsight evaluate``: the flows of a file; what is written, what is refused, and that nothing is left half-written."""

# ruff: noqa: F401, F811  (a fixture is imported, and taken by its name)
from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from netinsight.cli import progress
from netinsight.sources import flows_file
from tests.test_cli import WEB, Answer, Command, command, problems, process, web

FLOWS = """\
src,dst,protocol,port,source_port
i-client,i-web,tcp,80,
# a comment
i-client,i-web,TCP,22,40000

internet,i-web,,80,
i-client,web,icmp,,
i-client,i-lost,6,80,
i-client,i-stopped,udp,53,
"""
SAID = [
    ("reachable", "", "", ""),
    ("unreachable", "eni.security_group.ingress", "eni-web", "sg-1/ingress/default"),
    ("unreachable", "eni.security_group.ingress", "eni-web", "sg-1/ingress/default"),
    ("reachable", "", "", ""),
    ("undetermined", "eni.security_group.ingress", "eni-lost", ""),
    ("unreachable", "precondition.instance_running", "i-stopped", ""),
]
SUMMARY = """\
6 flows: 2 reachable, 3 unreachable, 1 undetermined

What stops them first
  2  eni.security_group.ingress  eni-web  by sg-1/ingress/default
     netinsight diagnose web.yaml --src i-client --dst i-web --port 22 --source-port 40000
  1  precondition.instance_running  i-stopped
     netinsight diagnose web.yaml --src i-client --dst i-stopped --protocol udp --port 53

What is not known of them first
  1  eni.security_group.ingress  eni-lost
     netinsight diagnose web.yaml --src i-client --dst i-lost --port 80
"""
QUIET = "-q"  # the topology has a warning, of which standard error would tell


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a topology and flows."""
    monkeypatch.chdir(tmp_path)
    Path("web.yaml").write_text(WEB, encoding="utf-8")
    Path("flows.csv").write_text(FLOWS, encoding="utf-8")
    return tmp_path


def rows() -> list[dict[str, str]]:
    """The flows of ``FLOWS``, as CSV reads them."""
    return list(csv.DictReader(line for line in FLOWS.splitlines() if line and line[0] != "#"))


def typed() -> list[dict[str, Any]]:
    """The same with numbers for ports, and without what is left out."""
    return [
        {name: int(word) if name.endswith("port") else word for name, word in row.items() if word} for row in rows()
    ]


def said_in(told: list[dict[str, str]]) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in ("verdict", "item", "object", "rule")) for row in told]


# -- what is written ---------------------------------------------------------------------------------------------------


def test_the_table_tells_what_stops_how_many_and_how_to_look_at_one(command: Command) -> None:
    answer = command("evaluate", "web.yaml", "flows.csv")
    assert answer == Answer(1, SUMMARY, "web.yaml: 1 warning; `netinsight validate` tells them\n")
    for line in re.findall(r"netinsight (diagnose .*--dst i-(?:web|lost).*)", answer.out):
        assert command(*shlex.split(line)).status in (1, 3)


def test_csv_has_the_columns_of_the_file_and_what_is_said_in_its_order(command: Command) -> None:
    answer = command("evaluate", "web.yaml", "flows.csv", "-o", "csv")
    assert answer.status == 1
    told = list(csv.DictReader(io.StringIO(answer.out)))
    assert said_in(told) == SAID
    assert [{name: row[name] for name in rows()[0]} for row in told] == rows()


def test_json_has_an_object_a_line_with_numbers_for_ports(command: Command) -> None:
    answer = command("evaluate", "web.yaml", "flows.csv", "--output", "json")
    told = [json.loads(line) for line in answer.out.splitlines()]
    assert said_in(told) == SAID
    assert [row["port"] for row in told] == [80, 22, 80, None, 80, 53]
    assert told[1]["source_port"] == 40000


def test_json_lines_and_standard_input_are_read(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in typed())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines.encode())))
    answer = command("evaluate", "web.yaml", "-", "-o", "csv")
    assert (answer.status, said_in(list(csv.DictReader(io.StringIO(answer.out))))) == (1, SAID)


def test_parquet_is_read_and_written(command: Command) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (the extra `parquet`)")
    import pyarrow

    columns = {name: [row.get(name) for row in typed()] for name in rows()[0]}
    parquet.write_table(pyarrow.table(columns), "flows.parquet")
    answer = command("evaluate", "web.yaml", "flows.parquet", "-o", "parquet", "--to", "said.parquet", QUIET)
    assert answer == Answer(1, "", "")
    told = parquet.read_table("said.parquet")
    assert said_in(told.to_pylist()) == SAID
    assert told.select(list(columns)).to_pydict() == columns
    wrong = pyarrow.table({"src": ["i-client", "i-clint"], "dst": ["i-web", "i-web"], "port": [80, 70000]})
    parquet.write_table(wrong, "wrong.parquet")
    assert sorted(problems(command("evaluate", "web.yaml", "wrong.parquet").err)) == [
        "wrong.parquet:2: nothing in the topology is called `i-clint`",
        "wrong.parquet:2: port `70000` is not a port (1 to 65535)",
    ]
    parquet.write_table(pyarrow.table({"src": ["a"], "dest": ["b"]}), "wrong.parquet")
    assert "unknown column `dest`" in command("evaluate", "web.yaml", "wrong.parquet").err
    Path("wrong.parquet").write_bytes(b"PAR1 and nothing else")
    assert "not Parquet that can be read" in command("evaluate", "web.yaml", "wrong.parquet").err


def test_parquet_without_its_package_names_the_extra(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    Path("flows.parquet").write_bytes(b"PAR1")
    for words in (["flows.parquet"], ["flows.csv", "-o", "parquet", "--to", "out"]):
        answer = command("evaluate", "web.yaml", *words)
        assert answer.status == 2
        assert "pip install 'netinsight[parquet]'" in answer.err
    assert not Path("out").exists()


def test_many_parts_say_what_one_says(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {form: command("evaluate", "web.yaml", "flows.csv", "-o", form) for form in ("table", "csv", "json")}
    monkeypatch.setattr(flows_file, "PART_BYTES", 40)
    for form, usual in whole.items():
        assert command("evaluate", "web.yaml", "flows.csv", "-o", form) == usual


def test_flows_are_answered_as_questions_are(command: Command) -> None:
    """The exit status and every verdict are those of ``diagnose --questions``, with and without its options."""
    for options in ([], ["--no-guest"], ["--at", "2026-11-24T08:00:00Z"], ["--assume", "intra_group_egress=priority"]):
        asked = command("diagnose", "web.yaml", "--questions", "flows.csv", "-o", "json", *options)
        flows = command("evaluate", "web.yaml", "flows.csv", "-o", "json", *options)
        verdicts = [json.loads(line)["verdict"] for line in asked.out.splitlines()]
        assert [json.loads(line)["verdict"] for line in flows.out.splitlines()] == verdicts
        assert flows.status == asked.status
    for options in (["--one-way"], ["--no-guest"]):
        text = command("evaluate", "web.yaml", "flows.csv", *options).out
        assert f"netinsight diagnose web.yaml {options[0]} --src" in text


@pytest.mark.parametrize(
    ("port", "destination", "status"), [(80, "i-web", 0), (22, "i-web", 1), (80, "i-lost", 3)], ids=str
)
def test_the_exit_status_is_that_of_all_flows(port: int, destination: str, status: int, command: Command) -> None:
    Path("one.csv").write_text(f"dst,src,port\n{destination},i-client,{port}\n")
    assert command("evaluate", "web.yaml", "one.csv", QUIET) == Answer(status, "", "")


def test_more_blockers_than_a_screen_has_are_shown_if_asked_for(command: Command) -> None:
    topology = json.loads(json.dumps({
        "vpcs": {"v": {"cidrs": ["10.0.0.0/16"]}}, "vswitches": {"w": {"vpc": "v", "cidr": "10.0.0.0/24"}},
        "security_groups": {"g": {"vpc": "v", "inner_access_policy": "Drop"}},
        "instances": {f"i-{n}": {"network_interfaces": {f"eni-{n}": {"vswitch": "w", "ip": f"10.0.0.{n}",
                                                                     "security_groups": ["g"]}}} for n in range(10, 40)},
    }))  # fmt: skip
    Path("thirty.json").write_text(json.dumps(topology))
    Path("all.csv").write_text("src,dst,port\n" + "".join(f"i-10,i-{n},22\n" for n in range(11, 40)))
    short, long = (command("evaluate", "thirty.json", "all.csv", *more).out for more in ([], ["--all"]))
    assert "  … and 9 more, of 9 flows (--all shows them)" in short
    assert (short.count("netinsight diagnose"), long.count("netinsight diagnose")) == (20, 29)


# -- what is refused ---------------------------------------------------------------------------------------------------

WRONG = {
    "a value of each kind": (
        "src,dst,port,protocol\n"
        "i-client,i-web,70000,tcp\n"
        "i-client,i-wen,22,tpc\n"
        '"i-client,i-web\n'
        " ,i-web,2,tcp\n"
        "i-web,i-web,22,tcp\n"
        "i-client,i-web,,tcp\n"
        "i-client,i-web,8000-8010,tcp\n"
        "i-client,i-web\n",
        [
            "2:16: port `70000` is not a port (1 to 65535)",
            "3:10: nothing in the topology is called `i-wen`",
            "3:19: protocol `tpc` is not known (tcp, udp, icmp, gre, icmpv6 or a number from 0 to 255)",
            "4:1: not CSV: unexpected end of data",
            "5:2: no `src`",
            "6:1: source and destination are one ENI: eni-web",
            "7:16: tcp and udp need a port",
            "8:16: port `8000-8010` is not a port (1 to 65535)",
            "9:1: 2 fields, but the header names 4 columns",
        ],
    ),
    "columns": (
        "src,Dst,prot,via,dst,port\n",
        ["1:9: unknown column `prot`", "1:14: unknown column `via`", "1:18: column `dst` is named twice"],
    ),
    "no source": ("dst,port\n", ["1:1: no column `src`"]),
    "an empty file": ("", ["no flow in it"]),
    "a header alone": ("src,dst,port\n# none\n", ["no flow in it"]),
    "a long line": (f"src,dst,port\n{'x' * 10_001},i-web,80\n", ["2:1: longer than 10000 characters"]),
    "objects": (
        '{"src": "i-client", "dst": "i-web", "port": 80}\n'
        '{"src": "i-client", "dst": "i-web", "port": [80], "pory": 1}\n'
        '{"src": "i-client", "src": "i-web", "port": 80}\n'
        '{"src": "i-client", "dst": "i-web", "port": true}\n'
        '{"src": "i-client", "dst": "i-web", "port": 80.5}\n'
        "[]\n"
        '{"src": "i-client", "dst": "i-web"\n'
        '"port": 80}\n'
        '{"dst": "i-web", "port": 80}\n',
        [
            "2:45: port: expected a text or a whole number, found [80]",
            "2:51: unknown key `pory`",
            "3:1: not JSON: duplicate key `src`",
            "4:45: port: expected a text or a whole number, found true",
            "5:45: port: expected a text or a whole number, found 80.5",
            '6:1: expected an object such as {"src": "i-a", "dst": "i-b", "port": 22}',
            "7:35: not JSON: Expecting ',' delimiter",
            "8:7: not JSON: Extra data",
            "9:1: no `src`",
        ],
    ),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("part", [16, 4 << 20], ids=["by lines", "at once"])
def test_all_that_is_wrong_is_told_at_its_place_and_nothing_is_written(
    text: str, told: list[str], part: int, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows_file, "PART_BYTES", part)
    Path("wrong.csv").write_text(text)
    Path("kept.csv").write_text("as it was\n")
    answer = command("evaluate", "web.yaml", "wrong.csv", "-o", "csv", "--to", "kept.csv")
    assert (answer.status, answer.out) == (2, "")
    assert problems(answer.err) == [
        re.sub(r"^(?=\d|no flow)", "wrong.csv:", one).replace("csv:no", "csv: no") for one in told
    ]
    assert Path("kept.csv").read_text() == "as it was\n"
    assert sorted(path.name for path in Path().iterdir()) == ["flows.csv", "kept.csv", "web.yaml", "wrong.csv"]


def test_a_mistake_far_behind_stops_what_is_before_it(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows_file, "PART_BYTES", 64)
    Path("long.csv").write_text("src,dst,port\n" + "i-client,i-web,80\n" * 50 + "i-client,i-web,x\n" * 60)
    answer = command("evaluate", "web.yaml", "long.csv", "-o", "csv")
    assert (answer.status, answer.out) == (2, "")
    told = problems(answer.err)
    assert told[0] == "long.csv:52:16: port `x` is not a port (1 to 65535)"
    assert (len(told), told[-1]) == (50, "long.csv: and 11 more mistakes")


def test_a_name_that_is_wrong_is_told_once(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows_file, "PART_BYTES", 64)
    Path("long.csv").write_text("src,dst,port\n" + "i-clent,i-web,80\n" * 50 + "i-client,i-wep,80\n" * 60)
    told = command("evaluate", "web.yaml", "long.csv").err.splitlines()
    assert [line.split(": ")[0] for line in told if line.startswith("long")] == ["long.csv:2:1", "long.csv:52:10"]
    assert [line.strip() for line in told if "hint" in line] == [
        "hint: did you mean `i-client`?", "hint: did you mean `i-web`?"]  # fmt: skip


def test_errors_are_json_too_where_that_is_asked_for(command: Command) -> None:
    Path("wrong.csv").write_text("src,dst,port\ni-client,i-web,x\n")
    told = json.loads(command("evaluate", "web.yaml", "wrong.csv", "-o", "json").err.splitlines()[-1])
    assert [(one["file"], one["line"], one["column"]) for one in told["errors"]] == [("wrong.csv", 2, 16)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"src,dst,port\ni-client,i-web,80\n" * 3 + b"i-\xff,i-web,80\n", "flows.bin:7:3: not UTF-8 text"),
        ("src,dst\n".encode("utf-16"), "flows.bin:1:1: the text is UTF-16"),
        (b"src,dst,port\n" + b"x" * 200_000, "longer than 10000 characters"),
    ],
    ids=["not UTF-8", "UTF-16", "a line without an end"],
)
def test_bytes_that_are_no_text_are_refused(
    data: bytes, message: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows_file, "PART_BYTES", 64)
    Path("flows.bin").write_bytes(data)
    answer = command("evaluate", "web.yaml", "flows.bin")
    assert answer.status == 2
    assert message in answer.err


def test_what_editors_and_spreadsheets_write_is_read(command: Command) -> None:
    text = 'SRC, dst ,port\r\ni-client,"i-web", 80 \r\n"i-client",i-web,"80"\r\n'
    Path("flows.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    told = command("evaluate", "web.yaml", "flows.csv", "-o", "csv").out
    assert told.splitlines()[:2] == ["src,dst,port,verdict,item,object,rule", "i-client,i-web,80,reachable,,,"]
    assert len(told.splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["web.yaml", "gone.csv"], "gone.csv: cannot be read: No such file or directory"),
        (["web.yaml", "."], ".: not a file"),
        (["-", "-"], "cannot both be standard input"),
        (["web.yaml", "flows.csv", "--all", "-o", "csv"], "--all goes with --output table"),
        (["web.yaml", "flows.csv", "--to", "gone/out"], "--to gone/out: cannot be written: No such file or directory"),
        (["web.yaml", "flows.csv", "--at", "noon"], "--at noon: not a moment"),
    ],
    ids=str,
)
def test_arguments_that_do_not_go_are_refused(words: list[str], message: str, command: Command) -> None:
    answer = command("evaluate", *words)
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err


# -- interrupted, unread, long -----------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no signals and pipes as these here")
def test_an_interruption_leaves_the_file_as_it_was(folder: Path) -> None:
    Path("kept.csv").write_text("as it was\n")
    words = ["evaluate", "web.yaml", "-", "-o", "csv", "--to", "kept.csv"]
    with subprocess.Popen(
        [sys.executable, "-m", "netinsight", *words], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        running.stdin.write(FLOWS.encode())
        running.stdin.flush()
        for _ in range(600):  # a draft stands beside the file, and more flows are waited for
            if len(list(folder.iterdir())) == 4:
                break
            time.sleep(0.1)
        drafts = [path for path in folder.iterdir() if path.name.startswith(".")]
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130
        told = running.stderr.read().decode()
    assert len(drafts) == 1
    assert "Traceback" not in told
    assert Path("kept.csv").read_text() == "as it was\n"
    assert sorted(path.name for path in Path().iterdir()) == ["flows.csv", "kept.csv", "web.yaml"]


def test_a_reader_who_leaves_is_no_error() -> None:
    Path("many.csv").write_text("src,dst,port\n" + "i-client,i-web,80\n" * 20_000)
    words = ["evaluate", "web.yaml", "many.csv", "-o", "csv"]
    with subprocess.Popen(
        [sys.executable, "-m", "netinsight", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.read(7) == b"src,dst"
        running.stdout.close()
        assert running.wait(120) == 0
        assert running.stderr.read() == b""


class Terminal(io.StringIO):
    """What says that it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_is_told_how_far_it_is_and_is_clean_at_the_end(
    quiet: bool, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = command("evaluate", "web.yaml", "flows.csv").out
    terminal = Terminal()
    monkeypatch.setattr(flows_file, "PART_BYTES", 40)
    monkeypatch.setattr(progress, "AFTER", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    monkeypatch.setattr(sys, "stderr", terminal)
    answer = command("evaluate", "web.yaml", "flows.csv", *(["-q"] if quiet else []))
    told = terminal.getvalue().split("\r")
    if quiet:
        assert told == [""]
        return
    assert answer.out == usual
    assert next(line for line in told if "flows" in line).startswith("1 flows evaluated (")
    assert [line.strip() for line in told if "flows" in line][-1] == "6 flows evaluated (100%)"
    assert told[-2].strip() == ""
    assert told[-1] == "web.yaml: 1 warning; `netinsight validate` tells them\n"


def test_what_is_no_terminal_is_told_nothing(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "AFTER", 0.0)
    assert command("evaluate", "web.yaml", "flows.csv").err == "web.yaml: 1 warning; `netinsight validate` tells them\n"
    monkeypatch.setattr(progress, "AFTER", 1000.0)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    command("evaluate", "web.yaml", "flows.csv")
    assert "evaluated" not in terminal.getvalue()
