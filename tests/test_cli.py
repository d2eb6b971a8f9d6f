"""The command line by its contract: exit statuses, what is said of a wrong command, where the output goes."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

import netinsight
from netinsight.cli import diagnose, run, validate
from tests.sources.test_topology_errors import BASE

WEB = """\
schema: netinsight.topology/1
collected_at: 2026-11-24T08:00:00Z
vpcs:
  vpc-1: {cidrs: [10.0.0.0/16]}
  vpc-2: {cidrs: [10.0.0.0/16]}
vswitches:
  vsw-1: {vpc: vpc-1, cidr: 10.0.1.0/24}
  vsw-2: {vpc: vpc-2, cidr: 10.0.1.0/24}
security_groups:
  sg-1:
    vpc: vpc-1
    inner_access_policy: Drop
    rules:
      - {direction: ingress, protocol: tcp, ports: 80/80, source: 10.0.1.7/24}
      - {direction: ingress, protocol: icmp, source: 10.0.1.0/24}
  sg-2: {vpc: vpc-2}
instances:
  i-web:
    name: web
    public_ip: 203.0.113.5
    load: {cpu_percent: 60}
    network_interfaces:
      eni-web: {vswitch: vsw-1, ip: 10.0.1.10, security_groups: [sg-1]}
  i-client:
    public_ip: 203.0.113.6
    network_interfaces:
      eni-client: {vswitch: vsw-1, ip: 10.0.1.20, security_groups: [sg-1]}
  i-lost: {network_interfaces: {eni-lost: {vswitch: vsw-1, ip: 10.0.1.30, security_groups: [sg-lost]}}}
  i-twin: {name: twin, network_interfaces: {eni-twin: {vswitch: vsw-2, ip: 10.0.1.10, security_groups: [sg-2]}}}
  i-stopped:
    name: twin
    status: Stopped
    network_interfaces:
      eni-stopped: {vswitch: vsw-1, ip: 10.0.1.40, security_groups: [sg-1]}
network_interfaces:
  eni-loose: {status: Available, vswitch: vsw-1, ip: 10.0.1.50, security_groups: [sg-1]}
unknown: {sg-lost: never described}
"""
"""One answer of each kind, with one warning."""

ASK = ["--src", "i-client", "--dst", "i-web"]
WEB_80 = [*ASK, "--port", "80"]
WEB_22 = [*ASK, "--port", "22"]


class Answer(NamedTuple):
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str


Command = Callable[..., Answer]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process."""

    def answer(*words: str) -> Answer:
        capsys.readouterr()
        status = run(list(words))
        captured = capsys.readouterr()
        return Answer(status, captured.out, captured.err)

    return answer


@pytest.fixture
def web(tmp_path: Path) -> str:
    """The path of a topology with one answer of each kind."""
    path = tmp_path / "web.yaml"
    path.write_text(WEB, encoding="utf-8")
    return str(path)


def process(*words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Runs a command as a process of its own."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60, **options}
    return subprocess.run([sys.executable, "-m", "netinsight", *words], check=False, **options)


def problems(err: str) -> list[str]:
    """The lines of standard error that begin a problem."""
    return [line for line in err.splitlines() if not line.startswith("    ")]


# -- exit statuses -----------------------------------------------------------------------------------------------------

STATUSES = {
    "reachable": (WEB_80, 0, "reachable"),
    "partial": ([*ASK, "--port", "79-80"], 1, "partial"),
    "unreachable": (WEB_22, 1, "unreachable"),
    "undetermined": (["--src", "i-client", "--dst", "i-lost", "--port", "80"], 3, "undetermined"),
    "icmp that takes no port": ([*ASK, "--protocol", "icmp"], 0, "reachable"),
    "icmp with -1/-1": ([*ASK, "--protocol", "icmp", "--port", "-1/-1"], 0, "reachable"),
    "icmp with -1/-1 by an equals sign": ([*ASK, "--protocol", "icmp", "--port=-1/-1"], 0, "reachable"),
    "icmp with both": ([*ASK, "--protocol", "icmp", "--port", "-1/-1", "--source-port", "-1/-1"], 0, "reachable"),
    "gre": ([*ASK, "--protocol", "gre"], 1, "unreachable"),
    "a protocol by its number": ([*ASK, "--protocol", "6", "--port", "80"], 0, "reachable"),
    "a protocol in capitals": ([*ASK, "--protocol", "TCP", "--port", "80"], 0, "reachable"),
    "one way": ([*WEB_80, "--one-way"], 0, "reachable"),
    "by an address": (["--src", "10.0.1.20", "--dst", "eni-web", "--port", "80"], 0, "reachable"),
    "by a name": (["--src", "i-client", "--dst", "web", "--port", "80"], 0, "reachable"),
    "from the internet": (["--src", "internet", "--dst", "i-web", "--port", "80"], 1, "unreachable"),
    "IPv4 asked for": ([*WEB_80, "--family", "4"], 0, "reachable"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "status", "verdict"), STATUSES.values(), ids=STATUSES)
def test_the_exit_status_is_that_of_the_verdict(
    words: list[str], status: int, verdict: str, command: Command, web: str
) -> None:
    as_text = command("diagnose", web, *words)
    assert as_text.status == status, as_text.err
    as_json = command("diagnose", web, *words, "--output", "json")
    assert as_json.status == status
    report = json.loads(as_json.out)
    assert (report["schema"], report["verdict"]) == ("netinsight.report/1", verdict)


def test_a_defect_is_70_with_a_line_that_asks_for_a_report(
    command: Command, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Any) -> int:
        raise KeyError("nothing of the sort")

    monkeypatch.setattr(validate, "run", broken)
    answer = command("validate", web)
    assert answer.status == 70
    assert answer.out == ""
    last = answer.err.splitlines()[-1]
    assert last.startswith(f"netinsight {netinsight.__version__}: a defect of NetInsight itself (KeyError)")
    assert "report" in last


def test_a_lack_of_memory_or_stack_is_told_like_a_defect(
    command: Command, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (MemoryError(), RecursionError("too deep")):

        def broken(_: Any, error: Exception = error) -> int:
            raise error

        monkeypatch.setattr(validate, "run", broken)
        assert command("validate", web).status == 70


def test_an_interruption_is_130_without_a_traceback(
    command: Command, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(diagnose, "run", interrupted)
    answer = command("diagnose", web, *WEB_80)
    assert answer.status == 130
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("words", [
    ["--help"], *([name, "--help"] for name in ("diagnose", "evaluate", "show", "explain", "validate", "guest",
                                                   "schema", "completion")),
    ["guest", "route", "--help"],
])  # fmt: skip
def test_help_is_no_error_and_has_an_example(words: list[str], command: Command) -> None:
    answer = command(*words)
    assert (answer.status, answer.err) == (0, "")
    examples = re.findall(r"^(?:example: | {2}| {2}eval \"\$\()(netinsight .+)$", answer.out, re.MULTILINE)
    assert examples


def test_the_version_is_that_of_the_package() -> None:
    done = process("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"netinsight {netinsight.__version__}\n".encode(), b"")


# -- questions that cannot be asked ------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[list[str], str, str]] = {
    # words after `diagnose web.yaml`: (words, part of the message, part of the hint)
    "no port": (ASK, "tcp needs a port", "such as 22"),
    "no port of udp": ([*ASK, "--protocol", "udp"], "udp needs a port", "such as 22"),
    "port -1/-1 of tcp": ([*ASK, "--port", "-1/-1"], "tcp needs a port", "such as 22"),
    "port zero": ([*ASK, "--port", "0"], "port `0` is out of range (1 to 65535)", ""),
    "a port past the last": ([*ASK, "--port", "70000"], "port `70000` is out of range (1 to 65535)", ""),
    "a range past the last": ([*ASK, "--port", "22-65536"], "out of range (1 to 65535)", ""),
    "a range from zero": ([*ASK, "--port", "0-22"], "out of range (1 to 65535)", ""),
    "a range that runs backwards": ([*ASK, "--port", "22-20"], "port `22-20` runs backwards", "did you mean `20-22`?"),
    "a port that is a word": ([*ASK, "--port", "abc"], "port `abc` is not a port", ""),
    "a range as the file writes it": ([*ASK, "--port", "22/80"], "port `22/80` is not a port", ""),
    "a list of ports": ([*ASK, "--port", "22,80"], "port `22,80` is not a port", ""),
    "a negative port": ([*ASK, "--port", "-22"], "-22", ""),
    "half of -1/-1": ([*ASK, "--port", "-1/22"], "port `-1/22` is not a port", ""),
    "a port in other digits": ([*ASK, "--port", "２２"], "is not a port", ""),
    "an empty port": ([*ASK, "--port", ""], "is not a port", ""),
    "a source port that is none": ([*WEB_80, "--source-port", "x"], "source port `x` is not a port", ""),
    "a port of icmp": ([*ASK, "--protocol", "icmp", "--port", "22"], "icmp has no ports", "-1/-1"),
    "a source port of gre": ([*ASK, "--protocol", "gre", "--source-port", "1-9"], "gre has no ports", "-1/-1"),
    "a protocol that is misspelt": ([*ASK, "--protocol", "tpc", "--port", "80"], "protocol `tpc` is not known",
                                    "did you mean `tcp`?"),
    "a protocol past 255": ([*ASK, "--protocol", "256", "--port", "80"], "protocol `256` is not known", ""),
    "an icmp type of tcp": ([*WEB_80, "--icmp-type", "8"], "an icmp type goes with the protocol icmp", ""),
    "an icmp type past 255": ([*ASK, "--protocol", "icmp", "--icmp-type", "256"], "is not known (0 to 255)", ""),
    "an icmp type that is misspelt": ([*ASK, "--protocol", "icmp", "--icmp-type", "echo-requst"], "is not known",
                                      "did you mean `echo-request`?"),
    "a moment without a zone": ([*WEB_80, "--at", "2026-11-24T08:00:00"], "no time zone", "end it with Z"),
    "a moment that is a day": ([*WEB_80, "--at", "2026-11-24"], "no time zone", ""),
    "a moment that is none": ([*WEB_80, "--at", "tomorrow"], "--at tomorrow: not a moment such as", ""),
    "an assumption without a value": ([*WEB_80, "--assume", "x"], "--assume x: expected NAME=VALUE", ""),
    "an assumption that is not known": ([*WEB_80, "--assume", "intra_group_egres=custom_wins"],
                                        "unknown assumption `intra_group_egres`", "did you mean `intra_group_egress`?"),
    "a value that an assumption has not": ([*WEB_80, "--assume", "intra_group_egress=custom"],
                                           "cannot be `custom` (accept_wins or custom_wins)", ""),
    "a language that is not known": ([*WEB_80, "--lang", "fr"], "invalid choice: 'fr'", "--help"),
    "an output that is misspelt": ([*WEB_80, "--output", "jsn"], "invalid choice: 'jsn'", "did you mean `json`?"),
    "a family that there is not": ([*WEB_80, "--family", "5"], "5", ""),
    "a family that is a word": ([*WEB_80, "--family", "ipv4"], "ipv4", ""),
    "an option that is misspelt": ([*WEB_80, "--asume", "x=y"], "unrecognized arguments: --asume",
                                   "did you mean `--assume`?"),
    "an option that is shortened": ([*ASK, "--por", "80"], "unrecognized arguments: --por", "did you mean `--port`?"),
    "an option without its value": ([*ASK, "--port"], "--port: expected one argument", "--help"),
    "an object that does not exist": (["--src", "i-clint", "--dst", "i-web", "--port", "80"],
                                      "nothing in the topology is called `i-clint`", "did you mean `i-client`?"),
    "an object that is like no other": (["--src", "i-client", "--dst", "zzz", "--port", "80"],
                                        "nothing in the topology is called `zzz`", "known: i-web, i-client"),
    "an object of another kind": (["--src", "vsw-1", "--dst", "i-web", "--port", "80"],
                                  "`vsw-1` is a vSwitch; expected an instance, an ENI or an address", ""),
    "an object that is declared unknown": (["--src", "sg-lost", "--dst", "i-web", "--port", "80"],
                                           "`sg-lost` is declared unknown: never described", ""),
    "a name of two objects": (["--src", "twin", "--dst", "i-web", "--port", "80"],
                              "the name `twin` is that of i-twin or i-stopped", "use the id"),
    "an address of two enis": (["--src", "i-client", "--dst", "10.0.1.10", "--port", "80"],
                               "several ENIs have the address 10.0.1.10: eni-web or eni-twin", "name one of them"),
    "a private address of no eni": (["--src", "i-client", "--dst", "10.0.1.99", "--port", "80"],
                                    "no ENI of the topology has the private address 10.0.1.99", ""),
    "one instance twice": (["--src", "i-web", "--dst", "eni-web", "--port", "80"], "are one ENI: eni-web", ""),
    "an instance and its public address": (["--src", "i-web", "--dst", "203.0.113.5", "--port", "80"],
                                           "are one ENI: eni-web", ""),
    "two Internet hosts": (["--src", "internet", "--dst", "8.8.8.8", "--port", "80"],
                           "both ends are outside the VPCs", "name an instance"),
    "an Internet host and a service": (["--src", "8.8.8.8", "--dst", "100.100.2.136", "--port", "80"],
                                       "both ends are outside the VPCs", "name an instance"),
    "IPv6 of an instance without": ([*WEB_80, "--family", "6"], "i-client has no IPv6 address", ""),
    "no source": (["--dst", "i-web", "--port", "80"], "required: --src", "--help"),
    "a folder of rules that is none": ([*WEB_80, "--rules", "no-such-folder"], "no-such-folder", ""),
}  # fmt: skip


@pytest.mark.parametrize(("words", "message", "hint"), REFUSED.values(), ids=REFUSED)
def test_a_question_that_cannot_be_asked_is_2_with_a_reason(
    words: list[str], message: str, hint: str, command: Command, web: str
) -> None:
    answer = command("diagnose", web, *words)
    assert answer.status == 2, answer.err
    assert answer.out == ""
    first, *rest = answer.err.splitlines()
    assert message in first
    assert "Traceback" not in answer.err
    assert hint in "\n".join(rest)


COMMANDS = {
    "no command": ([], "the following arguments are required: COMMAND", "--help"),
    "a command that is misspelt": (["diagnos", "x"], "invalid choice: 'diagnos'", "did you mean `diagnose`?"),
    "a command that is like no other": (["zzz"], "invalid choice: 'zzz'", "--help"),
    "no topology": (["validate"], "required: TOPOLOGY", "--help"),
    "a schema that is misspelt": (["schema", "topolgy"], "invalid choice: 'topolgy'", "did you mean `topology`?"),
    "one word too many": (["schema", "topology", "report"], "unrecognized arguments: report", "--help"),
    "an option that the command has not": (["validate", "x", "--port", "22"], "unrecognized arguments: --port 22", "--help"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "message", "hint"), COMMANDS.values(), ids=COMMANDS)
def test_a_command_that_is_wrong_is_2_with_a_hint(words: list[str], message: str, hint: str, command: Command) -> None:
    answer = command(*words)
    assert answer.status == 2
    assert answer.out == ""
    assert message in answer.err.splitlines()[0]
    assert hint in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("asked", "line", "column", "message"),
    [("i-stopped", 32, 13, "instance i-stopped is Stopped; only a Running one can be diagnosed"),
     ("eni-stopped", 32, 13, "instance i-stopped is Stopped"),
     ("10.0.1.40", 32, 13, "instance i-stopped is Stopped"),
     ("eni-loose", 36, 23, "ENI eni-loose is Available: it is attached to no instance")],
)  # fmt: skip
@pytest.mark.parametrize("side", ["--src", "--dst"])
def test_a_precondition_that_does_not_hold_is_told_at_its_place(
    asked: str, line: int, column: int, message: str, side: str, command: Command, web: str
) -> None:
    other = {"--src": "--dst", "--dst": "--src"}[side]
    answer = command("diagnose", web, side, asked, other, "i-web", "--port", "80")
    assert answer.status == 2
    head, excerpt, caret, hint = answer.err.splitlines()
    assert head.startswith(f"{web}:{line}:{column}: {message}")
    assert excerpt.strip() == WEB.splitlines()[line - 1].strip()
    assert caret.index("^") == column - 1 + 4
    assert "then ask again" in hint


@pytest.mark.parametrize(("port", "protocol"), [("-1/-1", "icmp"), ("-1", "icmp"), ("-1/-1", "gre"), ("-1/-1", "47")])
def test_minus_one_is_no_port(port: str, protocol: str, command: Command, web: str) -> None:
    given = command("diagnose", web, *ASK, "--protocol", protocol, "--port", port, "-o", "json")
    left_out = command("diagnose", web, *ASK, "--protocol", protocol, "-o", "json")
    assert given == left_out
    assert json.loads(given.out)["question"]["port"] == "-1/-1"


def test_a_moment_that_is_asked_for_is_the_one_that_is_named(command: Command, web: str) -> None:
    for at, told in (
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
        ("2030-01-01T08:00:00+08:00", "2030-01-01T08:00:00+08:00"),
    ):
        assert json.loads(command("diagnose", web, *WEB_80, "--at", at, "-o", "json").out)["at"] == told
    assert json.loads(command("diagnose", web, *WEB_80, "-o", "json").out)["at"] == "2026-11-24T08:00:00Z"


@pytest.mark.parametrize(("value", "status"), [("true", 0), ("false", 1)])
def test_an_assumption_that_is_chosen_decides_and_is_printed(
    value: str, status: int, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(WEB.replace("protocol: icmp, source: 10.0.1.0/24", "protocol: icmp, source: 10.0.1.20/32"))
    answer = command(
        "diagnose", str(path), *ASK, "--protocol", "icmp", "-o", "json", "--assume", f"icmp_gre_stateful={value}"
    )
    assert answer.status == status, answer.err
    assert {"id": "icmp_gre_stateful", "value": value} in json.loads(answer.out)["assumptions"]


# -- errors as JSON ----------------------------------------------------------------------------------------------------


def last_as_json(err: str) -> dict[str, Any]:
    value = json.loads(err.splitlines()[-1])
    assert isinstance(value, dict)
    assert value["schema"] == "netinsight.error/1"
    return value


@pytest.mark.parametrize("output", [["--output", "json"], ["-o", "json"], ["--output=json"], ["-ojson"]], ids=" ".join)
def test_an_error_is_json_on_the_last_line_where_json_is_asked_for(
    output: list[str], command: Command, web: str
) -> None:
    answer = command("diagnose", web, "--src", "i-clint", "--dst", "i-web", "--port", "80", *output)
    assert answer.status == 2
    assert answer.out == ""
    assert last_as_json(answer.err)["errors"] == [
        {"file": None, "line": None, "column": None, "severity": "error", "hint": "did you mean `i-client`?",
         "message": "nothing in the topology is called `i-clint`", "code": None}
    ]  # fmt: skip


def test_of_very_many_problems_the_first_are_told_and_how_many_more_there_are(command: Command, tmp_path: Path) -> None:
    topology = tmp_path / "t.yaml"
    topology.write_text("vpcs:\n" + "".join(f"  v{n}: {{cidrs: [10.{n}.0.0/33]}}\n" for n in range(120)))
    done = command("validate", str(topology))
    lines = [line for line in done.err.splitlines() if line.startswith(str(topology))]
    assert done.status == 2
    assert [int(line.removeprefix(f"{topology}:").partition(":")[0]) for line in lines] == list(range(2, 52))
    assert done.err.splitlines()[-1] == "    and 70 more"
    done = command("diagnose", str(topology), "--src", "a", "--dst", "b", "--port", "1", "--output", "json")
    assert len(json.loads(done.err.splitlines()[-1])["errors"]) == 120


def test_every_problem_of_a_file_stands_in_the_json(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("regoin: x\nvpcs: {v: {cidrs: [x]}}\n")
    answer = command("diagnose", str(path), *WEB_80, "--output", "json")
    assert answer.status == 2
    errors = last_as_json(answer.err)["errors"]
    assert [(error["file"], error["line"], error["column"]) for error in errors] == [
        (str(path), 1, 1),
        (str(path), 2, 20),
    ]
    assert [f"{e['file']}:{e['line']}:{e['column']}: {e['message']}" for e in errors] == problems(answer.err)[:-1]


def test_a_precondition_has_its_place_in_the_json(command: Command, web: str) -> None:
    answer = command("diagnose", web, "--src", "i-stopped", "--dst", "i-web", "--port", "80", "--output", "json")
    (error,) = last_as_json(answer.err)["errors"]
    assert (error["file"], error["line"], error["column"]) == (web, 32, 13)


def test_a_wrong_option_is_json_too_where_json_is_asked_for(command: Command, web: str) -> None:
    answer = command("diagnose", web, *WEB_80, "--output", "json", "--lang", "fr")
    assert answer.status == 2
    assert "fr" in last_as_json(answer.err)["errors"][0]["message"]


def test_no_json_is_printed_where_text_is_asked_for(command: Command, web: str) -> None:
    answer = command("diagnose", web, "--src", "json", "--dst", "i-web", "--port", "80", "--output", "text")
    assert answer.status == 2
    assert "netinsight.error" not in answer.err


# -- validate ----------------------------------------------------------------------------------------------------------


def test_validate_tells_what_it_read_and_the_warnings(command: Command, web: str) -> None:
    answer = command("validate", web)
    assert answer.status == 0
    assert answer.out == (f"{web}: valid, 1 warning: 2 VPCs, 2 vSwitches, 2 security groups, 5 instances, 1 ENI\n")
    assert problems(answer.err) == [
        f"{web}:14:67: warning: `10.0.1.7/24` has host bits set; they are masked: 10.0.1.0/24"
    ]


def test_validate_without_a_warning_says_nothing_on_standard_error(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(BASE, encoding="utf-8")
    answer = command("validate", str(path))
    assert (answer.status, answer.err) == (0, "")
    assert re.fullmatch(rf"{re.escape(str(path))}: valid: .*\n", answer.out)
    assert "2 network ACLs" in answer.out
    assert "3 vSwitches" in answer.out


def test_diagnose_tells_that_there_are_warnings(command: Command, web: str) -> None:
    assert command("diagnose", web, *WEB_80).err == f"{web}: 1 warning; `netinsight validate` tells them\n"


def test_a_wrong_file_is_2_for_every_command_that_reads_one(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("vpcs: {v: {cidrs: [x]}}\n")
    for words in (["validate", str(path)], ["diagnose", str(path), *WEB_80]):
        answer = command(*words)
        assert (answer.status, answer.out) == (2, "")
        assert answer.err.startswith(f"{path}:1:20: `x` is not a CIDR")


@pytest.mark.parametrize("of", ["topology", "report"])
def test_a_schema_is_printed_as_json(of: str, command: Command) -> None:
    answer = command("schema", of)
    assert (answer.status, answer.err) == (0, "")
    assert json.loads(answer.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


# -- where the output goes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["validate", "?"], ["diagnose", "?", *WEB_22], ["diagnose", "?", *WEB_22, "-o", "json"],
                                   ["diagnose", "?", *WEB_22, "--lang", "zh"], ["schema", "report"]])  # fmt: skip
def test_a_file_gets_the_bytes_that_standard_output_would(
    words: list[str], command: Command, web: str, tmp_path: Path
) -> None:
    words = [web if word == "?" else word for word in words]
    usual = command(*words)
    target = tmp_path / "out" / "report"
    target.parent.mkdir()
    target.write_text("what stood there before, which is longer than nothing" * 1000)
    to_file = command(*words, "--to", str(target))
    assert (to_file.status, to_file.out, to_file.err) == (usual.status, "", usual.err)
    assert target.read_bytes() == usual.out.encode()
    assert list(target.parent.iterdir()) == [target]


def test_a_written_file_may_be_read_as_any_other(command: Command, web: str, tmp_path: Path) -> None:
    target = tmp_path / "report"
    before = os.umask(0o027)
    try:
        command("diagnose", web, *WEB_80, "--to", str(target))
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.parametrize("where", ["gone/report", "file/report", "folder", "."])
def test_a_place_that_cannot_be_written_is_an_error_and_nothing_is_left(
    where: str, command: Command, web: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    area = tmp_path / "area"
    (area / "folder").mkdir(parents=True)
    (area / "file").write_text("x")
    monkeypatch.chdir(area)
    before = sorted(tmp_path.rglob("*"))
    answer = command("diagnose", web, *WEB_80, "--to", where)
    assert answer.status == 2
    assert answer.out == ""
    assert f"--to {where}: cannot be written: " in answer.err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_error(command: Command, web: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o500)
    answer = command("diagnose", web, *WEB_80, "--to", str(folder / "report"))
    assert answer.status == 2
    assert "Permission denied" in answer.err


def test_an_error_leaves_the_file_as_it_was(command: Command, web: str, tmp_path: Path) -> None:
    target = tmp_path / "report"
    target.write_text("before")
    assert command("diagnose", web, *ASK, "--to", str(target)).status == 2
    assert target.read_text() == "before"


def test_a_link_is_written_through(command: Command, web: str, tmp_path: Path) -> None:
    target, link = tmp_path / "real", tmp_path / "link"
    target.write_text("before")
    link.symlink_to(target)
    assert command("validate", web, "--to", str(link)).status == 0
    assert link.is_symlink()
    assert ": valid" in target.read_text()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_written_and_not_replaced(command: Command, web: str, tmp_path: Path) -> None:
    fifo, got = tmp_path / "pipe", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: got.append(fifo.read_text()), daemon=True)
    reader.start()
    status = command("validate", web, "--to", str(fifo)).status
    kept = stat.S_ISFIFO(fifo.lstat().st_mode)
    if kept and status != 0:  # refused: let the reader go
        fifo.write_text("")
    assert kept, "the pipe was replaced by a file, as /dev/null would be"
    reader.join(5)


def escapes(text: str) -> bool:
    return "\x1b" in text


def test_a_pipe_gets_no_escape_codes(web: str) -> None:
    done = process("diagnose", web, *WEB_22, env={**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color"})
    assert done.returncode == 1
    assert not escapes(done.stdout.decode() + done.stderr.decode())


@pytest.mark.parametrize(
    ("words", "no_color", "coloured"),
    [([], None, True), ([], "", True), ([], "1", False), (["--no-color"], None, False), (["--output", "json"], None, False)],
    ids=["by itself", "with an empty NO_COLOR", "with NO_COLOR", "with --no-color", "as JSON"],
)  # fmt: skip
def test_a_terminal_gets_colours_unless_told_otherwise(
    words: list[str], no_color: str | None, coloured: bool, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    assert run(["diagnose", web, *WEB_22, *words]) == 1
    assert escapes(terminal.getvalue()) is coloured


def test_colours_change_nothing_else(command: Command, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = command("diagnose", web, *WEB_22).out
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(diagnose, "wants_colour", lambda _: True)
    assert re.sub("\x1b\\[[0-9;]*m", "", command("diagnose", web, *WEB_22).out) == plain


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--version"], ["schema", "topology"], ["validate", "?"], ["diagnose", "?", *WEB_22]],
    ids=lambda words: words[0],
)
def test_a_reader_that_left_is_no_defect(words: list[str], web: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = process(*[web if word == "?" else word for word in words], stdout=writing)
    finally:
        os.close(writing)
    assert [
        line for line in done.stderr.decode().splitlines() if "warning" not in line and not line.startswith("    ")
    ] == []
    assert done.returncode not in (70, 120)


def test_the_head_of_a_long_output_is_no_defect(web: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "netinsight", "schema", "topology"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == b"{\n"
        running.stdout.close()
        assert running.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told_and_is_no_defect(web: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = process("validate", web, stdout=full)
    assert done.returncode not in (0, 70)
    assert "Traceback" not in done.stderr.decode()
    assert "No space left" in done.stderr.decode()


# -- standard input, languages, encodings ------------------------------------------------------------------------------


@pytest.mark.parametrize("as_json", [False, True])
def test_a_topology_comes_by_standard_input(
    as_json: bool, command: Command, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from netinsight.sources.yaml_file import read_yaml

    result = read_yaml(WEB, "web.yaml").result
    assert result is not None
    text = json.dumps(result[0], indent=1) if as_json else WEB
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    piped = json.loads(command("diagnose", "-", *WEB_80, "-o", "json").out)
    usual = json.loads(command("diagnose", web, *WEB_80, "-o", "json").out)
    assert piped["verdict"] == usual["verdict"]
    assert {stage["file"] for path in piped["paths"] for stage in path["forward"]} <= {"<stdin>", None}


def test_an_error_of_standard_input_has_its_place() -> None:
    done = process("validate", "-", input=b"vpcs:\n  v: {cidrs: [x]}\n")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith("<stdin>:2:15: `x` is not a CIDR")


def test_validate_names_standard_input_by_its_dash() -> None:
    done = process("validate", "-", input=BASE.encode())
    assert done.returncode == 0
    assert re.match("(-|<stdin>): valid: ", done.stdout.decode())


def test_chinese_is_another_language_of_the_same_report(command: Command, web: str) -> None:
    english, chinese = (command("diagnose", web, *WEB_22, "--lang", lang) for lang in ("en", "zh"))
    assert english.status == chinese.status == 1
    assert re.search("[\u4e00-\u9fff]", chinese.out)
    assert not re.search("[\u4e00-\u9fff]", english.out)
    reports = [json.loads(command("diagnose", web, *WEB_22, "--lang", lang, "-o", "json").out) for lang in ("en", "zh")]
    assert [report["lang"] for report in reports] == ["en", "zh"]
    one, other = ([(item["id"], item["status"]) for item in report["items"]] for report in reports)
    assert one == other
    assert reports[0]["blockers"] == reports[1]["blockers"]


@pytest.mark.parametrize(
    "settings",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"PYTHONIOENCODING": "gbk:strict"}],
    ids=["ascii", "C", "gbk"],
)  # fmt: skip
def test_output_is_utf8_whatever_the_locale_says(settings: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "拓扑.yaml"
    path.write_text(WEB.replace("name: web", "name: 网站"), encoding="utf-8")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON"))}
    done = process("diagnose", "拓扑.yaml", *WEB_22, "--lang", "zh", env={**env, **settings}, cwd=tmp_path)
    assert done.returncode == 1, done.stderr.decode(errors="replace")
    assert "不可达" in done.stdout.decode("utf-8")
    refused = process(
        "diagnose", "拓扑.yaml", "--src", "网", "--dst", "i-web", "--port", "22", env={**env, **settings}, cwd=tmp_path
    )
    assert refused.returncode == 2
    assert "`网`" in refused.stderr.decode("utf-8")


# -- rules -------------------------------------------------------------------------------------------------------------


def with_rules(folder: Path, text: str, name: str = "mine.yaml") -> list[str]:
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    (rules / name).write_text(text, encoding="utf-8")
    return ["--rules", str(rules)]


def items(answer: Answer) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item["id"], item["object"]["id"]): item for item in json.loads(answer.out)["items"]}


def test_a_rules_folder_overrides_a_threshold(command: Command, web: str, tmp_path: Path) -> None:
    usual = items(command("diagnose", web, *WEB_80, "-o", "json"))
    changed = items(command("diagnose", web, *WEB_80, "-o", "json", *with_rules(tmp_path, "thresholds: {cpu: 60}\n")))
    assert usual["load.cpu", "i-web"]["status"] == "normal"
    assert changed["load.cpu", "i-web"]["status"] == "abnormal"


def test_a_rules_folder_overrides_a_text_in_one_language(command: Command, web: str, tmp_path: Path) -> None:
    rules = with_rules(tmp_path, 'items: {load.cpu: {name: {en: "Is the CPU idle"}}}\nwords: {notice: {en: "mine"}}\n')
    for lang, name in (("en", "Is the CPU idle"), ("zh", None)):
        usual = command("diagnose", web, *WEB_80, "-o", "json", "--lang", lang)
        changed = command("diagnose", web, *WEB_80, "-o", "json", "--lang", lang, *rules)
        assert changed.status == usual.status
        before, after = items(usual)["load.cpu", "i-web"], items(changed)["load.cpu", "i-web"]
        assert after["name"] == (name or before["name"])
        assert {**after, "name": ""} == {**before, "name": ""}
        assert (json.loads(changed.out)["notice"] == "mine") is (lang == "en")


BAD_RULES = {
    "a threshold past 100": ("thresholds:\n  cpu: 900\n", 2, 8, "900"),
    "a threshold that is a word": ("thresholds:\n  cpu: high\n", 2, 8, "expected a number, found `high`"),
    "a threshold that is not known": ("thresholds:\n  cpuu: 10\n", 2, 3, "unknown key `cpuu`"),
    "a section that is not known": ("treshold: {}\n", 1, 1, "unknown key `treshold`"),
    "an item that is not known": ("items:\n  load.cpuu: {}\n", 2, 3, "`load.cpuu` is not in the catalogue's `items`"),
    "a reason that is not known": ("reasons:\n  nothing: {en: x, zh: x}\n", 2, 3, "not in the catalogue's `reasons`"),
    "a name that is not filled in": ('words:\n  notice: {en: "{nothing}"}\n', 2, 3, "`{nothing}` is not filled in"),
    "a severity that there is not": ("items:\n  load.cpu: {severity: grave}\n", 2, 24, "`grave`"),
    "a text that is a number": ("words:\n  notice: {en: 5}\n", 2, 16, "expected text, found `5`"),
    "an item that is a number": ("items:\n  load.cpu: 5\n", 2, 13, "mapping"),
    "a section that is a list": ("items: [load.cpu]\n", 1, 8, "list"),
    "a section that is a number": ("words: 5\n", 1, 8, "5"),
    "a section that is nothing": ("categories:\n", 1, 1, ""),
    "a duplicate key": ("thresholds:\n  cpu: 1\n  cpu: 2\n", 3, 3, "duplicate key `cpu`"),
    "no YAML": ("thresholds: [\n", 2, 1, "not valid YAML"),
    "a list": ("- x\n", 1, 1, "found a list"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "message"), BAD_RULES.values(), ids=BAD_RULES)
def test_a_wrong_rules_file_is_told_at_its_place(
    text: str, line: int, column: int, message: str, command: Command, web: str, tmp_path: Path
) -> None:
    rules = with_rules(tmp_path, text)
    answer = command("diagnose", web, *WEB_80, *rules)
    assert answer.status == 2, answer.err
    first = answer.err.splitlines()[0]
    assert first.startswith(f"{Path(rules[1]) / 'mine.yaml'}:{line}:{column}: ") or (line, column) == (1, 1)
    assert re.match(rf"{re.escape(str(Path(rules[1]) / 'mine.yaml'))}:[0-9]+:[0-9]+: \S", first)
    assert message in first


def test_all_the_problems_of_the_rules_are_told(command: Command, web: str, tmp_path: Path) -> None:
    with_rules(tmp_path, "thresholds: {cpu: 900}\nwords: {nothing: {en: x, zh: x}}\n", "a.yaml")
    rules = with_rules(tmp_path, "items: {load.cpu: {severity: grave}}\n", "b.yaml")
    answer = command("diagnose", web, *WEB_80, *rules)
    assert answer.status == 2
    assert len(problems(answer.err)) == 3


def test_a_rules_folder_without_a_file_is_an_error(command: Command, web: str, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    answer = command("diagnose", web, *WEB_80, "--rules", str(tmp_path / "rules"))
    assert answer.status == 2
    assert str(tmp_path / "rules") in answer.err


def test_a_rules_file_for_a_folder_is_an_error(command: Command, web: str) -> None:
    answer = command("diagnose", web, *WEB_80, "--rules", web)
    assert answer.status == 2
    assert f"{web}: not a folder of rule files" in answer.err


def test_an_error_of_a_precondition_has_its_code_in_json(command: Command, tmp_path: Path) -> None:
    stopped = tmp_path / "stopped.yaml"
    text = WEB
    stopped.write_text(re.sub(r"(\n  i-web:\n)", r"\1    status: Stopped\n", text, count=1), "utf-8")
    answer = command("diagnose", str(stopped), *WEB_80, "--output", "json")
    assert answer.status == 2
    assert [error["code"] for error in last_as_json(answer.err)["errors"]] == ["precondition.instance_running"]
