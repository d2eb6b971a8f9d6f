"""Defects that an independent tester found in the commands around the verdict; each test failed before it was mended."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.diagnosis.test_presets import REGION, enterprise, preset
from tests.sources.test_questions import CONTROL, TOWN, ask, read, refused, town  # noqa: F401
from tests.test_cli import WEB, Command, command  # noqa: F401
from tests.test_completion import complete
from tests.test_show import FULL, places


@pytest.fixture
def full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("full.yaml").write_text(FULL)
    return "full.yaml"


# Q: questions
@pytest.mark.parametrize(
    "marked",
    [
        "src,dst,port\n10.0.1.10,i-b,»0\n",
        "src,dst,port\ni-a,8.8.8.8,»8888888\n".replace("»8888888", "»0").replace("8.8.8.8", "10.0.0.1"),
        "src,dst,protocol,port\ni-tpc,i-b,»tpc,22\n",
        "source_port,port,src,dst,»port\n",
        "src,dst,»PRT\n",
        '{"src":"i-a","dst":"i-b","port":»true}\n',
        "src,dst,»\ni-a,i-b,\n",
    ],
)
def test_column_of_mistake(marked):
    before, _, after = marked.partition("»")
    p = refused(before + after)[0]
    assert p.place.column == len(before.rpartition("\n")[2]) + 1


@pytest.mark.parametrize("row", ["i-a,»i-", "i-b,»i", "web server,»web"])
def test_column_of_unknown_object(row, command: Command, town):
    col = row.index("»") + 1
    answer = ask(command, town, "src,dst,port\n" + row.replace("»", "") + ",22\n")
    assert f":2:{col}: nothing in the topology" in answer.err


def test_two_mistakes_of_one_line():
    assert len(refused("src,dst,protocol,port,family\ni-a,i-b,tpc,99999,5\n")) == 3


def test_mistakes_and_unknown_objects_together(command: Command, town):
    answer = ask(command, town, "src,dst,port\ni-a,i-b,zz\ni-a,nobody,22\n")
    assert ":2:" in answer.err
    assert ":3:" in answer.err


@pytest.mark.parametrize(
    "text", ["# c\n" + '{"src":"i-a","dst":"i-b","port":22}\n', '{"src":"i-a","dst":"i-b","port":22}\n# c\n']
)
def test_comments_in_json_lines(text):
    assert len(read(text)) == 1


def test_indented_comment():
    assert len(read("  # c\nsrc,dst,port\n  # c\ni-a,i-b,22\n")) == 1


def test_space_before_quote():
    assert read('src, dst, port\n"i-a", "i-b", 22\n')[0].destination == "i-b"


def test_json_array_first_line():
    assert "CSV" not in refused('[{"src":"i-a","dst":"i-b","port":22}]\n')[0].message


def test_float_message():
    assert "a number, found 22.5" not in refused('{"src":"i-a","dst":"i-b","port":22.5}\n')[0].message


def test_line_breaks_are_those_of_editors():
    (p,) = refused("src,dst,port\n# page\x0c two \x1c\ni-a,i-b,zz\n")
    assert p.place.line == 3


def test_long_header_no_cascade():
    assert len(refused("src,dst,port," + "x" * 20000 + "\ni-a,i-b,22,\n")) == 1


def test_hints_are_of_a_file():
    assert "--" not in refused("src,dst\ni-a,i-b\n")[0].hint


def test_messages_are_of_a_file():
    assert "--" not in refused("src,dst,port,icmp_type\ni-a,i-b,22,8\n")[0].message


@pytest.mark.parametrize(
    "words",
    [
        ["diagnose", "--questions", "q"],
        ["show", "eni-lost"],
        ["diagnose", "--src", "i-a", "--dst", "i-b", "--port", "22"],
    ],
)
def test_hostile_file_name(words, command: Command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("f").mkdir()
    Path("f/a\nb\x1b[31m.yaml").write_text(TOWN)
    Path("q").write_text("src,dst,port\ni-a,i-b,23\n")
    answer = command(words[0], "f", *words[1:])
    assert not CONTROL.search(answer.out)


def test_one_question(command: Command, town):
    assert "1 question:" in ask(command, town, "src,dst,port\ni-a,i-b,22\n", "-v").err


# S: show
def test_stopped_instance_in_tree(command: Command, full):
    assert "Stopped" in command("show", full).out


def test_stopped_instance_in_svg(command: Command, full):
    assert "Stopped" in command("show", full, "-o", "svg").out


@pytest.mark.parametrize(("name", "words"), [("eni-a2", ["Detaching", "i-a"]), ("eni-c", ["Available"])])
def test_eni_page_status_and_instance(name, words, command: Command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("full.yaml").write_text(FULL)
    page = command("show", "full.yaml", name).out
    assert all(re.search(rf"(?<![\w-]){w}(?![\w-])", page) for w in words)


def test_name_of_vpc(command: Command, full):
    assert command("show", full, "production").status == 0


def test_name_of_eni_is_the_eni(command: Command, full):
    Path(full).write_text(FULL.replace("{type: secondary, status", "{name: second, type: secondary, status"))
    assert command("show", full, "second").out == command("show", full, "eni-a2").out


UNKNOWNS = """schema: netinsight.topology/1
vpcs: {vpc-1: {cidrs: [10.0.0.0/16]}}
vswitches: {vsw-1: {vpc: vpc-1, cidr: 10.0.1.0/24, network_acl: {unknown: acl not exported}, route_table: {unknown: table not exported}}}
instances: {i-a: {network_interfaces: {eni-a: {status: {unknown: api failed}, vswitch: vsw-1, ip: 10.0.1.1, security_groups: {unknown: "why\\e[31m\\nnext"}}}}}
"""


@pytest.fixture
def unk(tmp_path):
    p = tmp_path / "u.yaml"
    p.write_text(UNKNOWNS)
    return str(p)


def test_escape_in_groups_reason(command: Command, unk):
    assert not CONTROL.search(command("show", unk, "eni-a").out)


def test_unknown_status(command: Command, unk):
    assert "unknown='" not in command("show", unk).out


def test_unknown_status_svg(command: Command, unk):
    assert "unknown='" not in command("show", unk, "-o", "svg").out


def test_unknown_acl_and_table_are_told(command: Command, unk):
    page = command("show", unk, "eni-a").out
    assert "acl not exported" in page
    assert "table not exported" in page


def test_place_of_service_row(command: Command):
    page = command("show", "topologies/nat-undetermined.yaml", "eni-worker").out
    assert [line for _, _, line in places(page) if line == 1] == []


def test_place_in_report(command: Command):
    out = command(
        "diagnose",
        "topologies/nat-undetermined.yaml",
        "--src",
        "i-worker",
        "--dst",
        "100.100.2.136",
        "--protocol",
        "udp",
        "--port",
        "53",
        "-o",
        "json",
    ).out
    assert [s for p in json.loads(out)["paths"] for s in p["forward"] + p["return"] if s["line"] == 1] == []


@pytest.mark.parametrize("name", ["ngw-1", "pcc-shared", "pl-offices", "eip-2"])
def test_empty_drawing(name, command: Command, full):
    answer = command("show", full, name, "-o", "svg")
    assert answer.status == 2 or "0 VPCs" not in answer.out


def test_mermaid_directive(command: Command, full):
    Path(full).write_text(FULL.replace("name: web server", "name: \"%%{init: {'theme':'dark'}}%%\""))
    assert "%%{" not in command("show", full, "-o", "mermaid").out


def test_vpc_called_internet(command: Command, full):
    Path(full).write_text(FULL.replace("vpc-shared", "internet"))
    out = command("show", full, "-o", "mermaid").out
    assert re.search(r"\(\(\"internet\"\)\)", out)


def test_object_after_option(command: Command, full):
    assert command("show", full, "-o", "svg", "i-a").status == 0


# E
@pytest.mark.parametrize("word", ["UNREACHABLE", "PARTLY REACHABLE", "不可达"])
def test_word_of_report(word, command: Command):
    answer = command("explain", word)
    assert answer.status == 0 or "did you mean" in answer.err


# C
def test_fifo(tmp_path, monkeypatch):

    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    env = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "COMP_LINE": "netinsight diagnose pipe --src i",
        "COMP_POINT": "32",
        "_ARGCOMPLETE_STDOUT_FILENAME": "out",
    }
    subprocess.run([sys.executable, "-m", "netinsight"], env=env, timeout=4)


def test_control_characters(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("t.yaml").write_text('instances: {"i-\\e[31m": {name: "i-a\\nb"}}\n')
    assert not any(CONTROL.search(w.replace("\n", "\x1b")) for w in complete("netinsight diagnose t.yaml --src i-"))


# L
@pytest.mark.parametrize(
    "words", [["diagnose", "--src", "i-client", "--dst", "i-web", "--port", "80", "-o", "json"], ["validate"]]
)
def test_quiet_writes_the_file(words, command: Command, tmp_path):
    (tmp_path / "w.yaml").write_text(WEB)
    command(words[0], str(tmp_path / "w.yaml"), *words[1:], "--quiet", "--to", str(tmp_path / "out"))
    assert (tmp_path / "out").exists()


# P
def test_partial_without_anything_that_passes():
    answer = preset({"region": REGION, "vswitches": {"vsw-a": {"network_acl": {"unknown": "x"}}}}, enterprise())
    assert answer.verdict.value != "partial"
