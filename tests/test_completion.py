"""What a shell completes, asked as bash asks it: by the environment, answered on file descriptor 8."""

# ruff: noqa: F401, F811  (a fixture is imported, and taken by its name)
from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from netinsight.diagnosis.catalogue import load_catalogue, load_reference
from netinsight.diagnosis.glossary import entries
from netinsight.model.assumptions import ASSUMPTIONS
from tests.conftest import ROOT
from tests.test_cli import Command, command
from tests.test_show import FULL

BASH = shutil.which("bash")
needs_bash = pytest.mark.skipif(BASH is None, reason="bash is not installed")
SOON = 5
"""Seconds of a processor that nobody waits for a completion, whatever else the machine does."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a topology in it, made the current one."""
    monkeypatch.chdir(tmp_path)
    Path("full.yaml").write_text(FULL, encoding="utf-8")
    return tmp_path


ASKED = """
import json, os, sys
import netinsight.cli.completion, netinsight.diagnosis.glossary, netinsight.sources.topology_file
from netinsight.cli import main
for line, point in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        os.environ |= {"COMP_LINE": line, "COMP_POINT": str(point)}
        main()
    os.waitpid(child, 0)
    os.write(8, b"\\0")
"""
"""Each line in a process of its own, as a shell asks; they are forked, for to import it all anew takes longer."""


def spent() -> float:
    """Processor time of all children until now."""
    times = os.times()
    return times.children_user + times.children_system


def complete_all(lines: list[tuple[str, int]]) -> list[list[str]]:
    """What may stand in lines at their points; fails where anything is printed, or it takes long."""
    reading, writing = os.pipe()
    environment = {**os.environ, "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\v", "_ARGCOMPLETE_SHELL": "bash",
                   "_ARGCOMPLETE_SUPPRESS_SPACE": "1", "_ARGCOMPLETE_COMP_WORDBREAKS": " \t\n\"'><=;|&(:",
                   "COMP_TYPE": "9"}  # fmt: skip
    before = spent()
    done = subprocess.run(
        [sys.executable, "-c", f"import os; os.dup2({writing}, 8)" + ASKED, json.dumps(lines)],
        env=environment, pass_fds=[writing], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answered:
        found = answered.read()
    assert spent() - before < SOON
    assert (done.stdout, done.stderr) == (b"", b"")
    return [text.split("\v") if text else [] for text in found.split("\0")[:-1]]


def complete(line: str, point: int | None = None) -> list[str]:
    """What may stand at the end of a line, or at ``point``."""
    (found,) = complete_all([(line, len(line) if point is None else point)])
    return found


# -- what the shell is given -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_code_of_a_shell_names_the_command(shell: str, command: Command) -> None:
    answer = command("completion", shell)
    assert (answer.status, answer.err) == (0, "")
    assert "netinsight" in answer.out
    assert "_ARGCOMPLETE" in answer.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_accepts_its_code(shell: str, command: Command) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    code = command("completion", shell).out
    done = subprocess.run([shell, "-n"], input=code.encode(), capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_code_goes_to_a_file(command: Command) -> None:
    assert command("completion", "fish", "--to", "netinsight.fish").out == ""
    assert Path("netinsight.fish").read_text("utf-8") == command("completion", "fish").out


@pytest.mark.parametrize(("words", "message"), [([], "required"), (["bsh"], "did you mean `bash`?")])
def test_a_shell_must_be_named(words: list[str], message: str, command: Command) -> None:
    answer = command("completion", *words)
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err


def in_bash(code: str, line: str) -> list[str]:
    """What bash would offer for a line, by the function that the code registers."""
    Path("bin").mkdir(exist_ok=True)
    script = Path("bin/netinsight")
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m netinsight "$@"\n')
    script.chmod(0o755)
    words = line.split(" ")
    asked = f"""
        {code}
        registered=$(complete -p netinsight | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
        COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)} COMP_TYPE=9 COMP_CWORD={len(words) - 1}
        COMP_WORDS=({" ".join(map(shlex.quote, words))})
        "$registered" netinsight {shlex.quote(words[-1])} {shlex.quote(words[-2])} 2>/dev/null
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    path = f"{Path('bin').resolve()}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", asked], env=environment, capture_output=True, timeout=60, check=False)
    assert done.stderr == b""
    return [word.strip() for word in done.stdout.decode().splitlines() if word.strip()]


@needs_bash
@pytest.mark.parametrize(
    ("line", "offered"),
    [("netinsight diagnose full.yaml --src i-", ["i-a", "i-b"]), ("netinsight expl", ["explain"]),
     ("netinsight show full.yaml pcc", ["pcc-shared"])],
)  # fmt: skip
def test_bash_completes_by_the_code(line: str, offered: list[str], command: Command) -> None:
    assert in_bash(command("completion", "bash").out, line) == offered


# -- what is completed -------------------------------------------------------------------------------------------------

COMMANDS = ["diagnose", "show", "explain", "validate", "schema", "completion"]
ENIS = ["eni-a", "eni-a2", "eni-b", "eni-c", "eni-gone"]
ENDS = sorted(["i-a", "i-b", *ENIS, "web\\ server", "internet"])

COMPLETED = {
    "a command by its first letters": ("netinsight ex", ["explain", "exposure"]),
    "an option by its first letters": ("netinsight diagnose full.yaml --so", ["--source-port"]),
    "options of another command": ("netinsight show full.yaml --o", ["--output"]),
    "no option that the command has not": ("netinsight validate full.yaml --sr", []),
    "the source": ("netinsight diagnose full.yaml --src ", ENDS),
    "the destination": ("netinsight diagnose full.yaml --src i-a --port 22 --dst ", ENDS),
    "instances by their prefix": ("netinsight diagnose full.yaml --src i-", ["i-a", "i-b"]),
    "ENIs by their prefix": ("netinsight diagnose full.yaml --dst eni-a", ["eni-a", "eni-a2"]),
    "a name by its prefix": ("netinsight diagnose full.yaml --src we", ["web\\ server"]),
    "a name in quotes": ('netinsight diagnose full.yaml --src "web s', ["web server"]),
    "the Internet": ("netinsight diagnose full.yaml --src in", ["internet"]),
    "nothing that begins so": ("netinsight diagnose full.yaml --src zz", []),
    "no vSwitch as an end": ("netinsight diagnose full.yaml --src vsw", []),
    "any object of show": ("netinsight show full.yaml n", ["nacl-web", "ngw-1"]),
    "a group of show": ("netinsight show full.yaml sg-", ["sg-ops", "sg-web"]),
    "no Internet in show": ("netinsight show full.yaml inter", []),
    "the form": ("netinsight show full.yaml --output ", ["dot", "json", "mermaid", "svg", "text"]),
    "the language": ("netinsight diagnose full.yaml --lang ", ["en", "zh"]),
    "an item": ("netinsight explain eni.st", ["eni.status"]),
    "a verdict": ("netinsight explain und", ["undetermined"]),
    "a reason": ("netinsight explain mail.", ["mail.blocked", "mail.none", "mail.unlocked"]),
    "a reason that stops": ("netinsight explain route.no_", ["route.no_healthy"]),
    "another cloud's name": ("netinsight explain NO_ROUTE_T", ["NO_ROUTE_TO_DESTINATION"]),
    "a name in two cases": ("netinsight explain User", ["UserDefinedRoute"]),
    "an assumption": ("netinsight diagnose full.yaml --assume icmp", ["icmp_gre_stateful=false", "icmp_gre_stateful=true"]),
    "a preset": ("netinsight diagnose full.yaml --src i-a --preset ", ["cloud-assistant"]),
    "a shell": ("netinsight completion z", ["zsh"]),
    "a schema": ("netinsight schema ", ["exposure", "ports", "report", "topology", "who-can-reach"]),
    "a file": ("netinsight validate fu", ["full.yaml"]),
    "nothing before the topology": ("netinsight diagnose --src i", []),
    "nothing of standard input": ("netinsight diagnose - --src i-", []),
    "nothing of a file that is not there": ("netinsight diagnose gone.yaml --src i", []),
}  # fmt: skip


@pytest.fixture(scope="module")
def completed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What is offered for each of those lines."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("completed"))
    try:
        Path("full.yaml").write_text(FULL, encoding="utf-8")
        found = complete_all([(line, len(line)) for line, _ in COMPLETED.values()])
    finally:
        os.chdir(before)
    return dict(zip(COMPLETED, found, strict=True))


@pytest.mark.parametrize("case", COMPLETED)
def test_a_word_is_completed(case: str, completed: dict[str, list[str]]) -> None:
    line, offered = COMPLETED[case]
    begun = line.split(" ")[-1]
    assert sorted(word for word in completed[case] if begun.startswith("-") or not word.startswith("-")) == offered


def test_every_word_that_may_stand_somewhere_is_offered(command: Command) -> None:
    lines = [
        "netinsight ",
        "netinsight diagnose full.yaml --",
        "netinsight explain ",
        "netinsight diagnose full.yaml --assume ",
    ]
    commands, options, words, assumptions = complete_all([(line, len(line)) for line in lines])
    assert [name for name in COMMANDS if name not in commands] == []
    assert sorted(options) == sorted(
        set(re.findall(r"(?<=[ ,])--[a-z][a-z-]*(?=[ ,\n])", command("diagnose", "--help").out))
    )
    assert [word for word in entries(load_catalogue(), load_reference()) if word not in words] == []
    pairs = [f"{name}={value}" for name, values in ASSUMPTIONS.items() for value in values]
    assert sorted(assumptions) == sorted(pairs)


def test_an_object_is_completed_where_the_cursor_stands() -> None:
    line = "netinsight diagnose full.yaml --src eni-a --dst i-b"
    assert sorted(complete(line, line.index(" --dst"))) == ["eni-a", "eni-a2"]


def test_json_and_a_folder_are_read_like_yaml() -> None:
    instances = {"i-json": {"name": "j", "network_interfaces": {"eni-json": {}}}}
    Path("t.json").write_text(json.dumps({"instances": instances}))
    assert complete("netinsight diagnose t.json --src i-") == ["i-json"]
    Path("folder").mkdir()
    Path("t.json").rename("folder/one.json")
    Path("folder/two.yaml").write_text("instances: {i-yaml: {}}\n")
    assert sorted(complete("netinsight diagnose folder --src i-")) == ["i-json", "i-yaml"]


# -- files that are not as they should be ------------------------------------------------------------------------------

BROKEN = {
    "no YAML": b"instances: [\n",
    "no text": b"\xff\x00\x01" * 50,
    "UTF-16": "instances: {i-a: {}}".encode("utf-16"),
    "a bomb": b"a: &a [" + b"x," * 50 + b"]\n" + b"".join(b"b%d: &b%d [*a,*a,*a]\n" % (n, n) for n in range(3000)),
    "brackets": b"[" * 100_000,
    "empty": b"",
}


def test_a_broken_file_completes_nothing_and_prints_nothing() -> None:
    lines = []
    for number, data in enumerate(BROKEN.values()):
        Path(f"{number}.yaml").write_bytes(data)
        lines += [f"netinsight diagnose {number}.yaml --src i-", f"netinsight show {number}.yaml i-"]
    assert complete_all([(line, len(line)) for line in lines]) == [[]] * len(lines)


def test_a_file_need_not_be_valid() -> None:
    Path("odd.yaml").write_text(
        "instances: {i-1: 5, i-2: {name: 7, network_interfaces: [x]}, i-3: {vswitch: none}}\n"
        "network_interfaces: none\nregoin: x\n"
    )
    assert sorted(complete("netinsight diagnose odd.yaml --src i-")) == ["i-1", "i-2", "i-3"]


def test_a_place_that_is_no_file_completes_nothing() -> None:
    Path("empty").mkdir()
    places = ["gone.yaml", "empty", "/dev/null", "/dev/zero", "full.yaml/x", "~none/x", "a\\ b"]
    lines = [f"netinsight diagnose {place} --src i-" for place in places]
    assert complete_all([(line, len(line)) for line in lines]) == [[]] * len(lines)


@needs_bash
def test_no_name_is_run_by_the_shell(command: Command) -> None:
    Path("evil.yaml").write_text(
        'instances: {"i-$(touch${IFS}pwned)": {name: "x;touch pwned"}, "i-`touch pwned`": {}}\n'
    )
    for word in (
        *complete("netinsight diagnose evil.yaml --src i-"),
        *complete("netinsight diagnose evil.yaml --src x"),
    ):
        done = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, timeout=60, check=True)
        assert done.stdout.decode() in ("i-$(touch${IFS}pwned)", "x;touch pwned", "i-`touch pwned`")
    in_bash(command("completion", "bash").out, "netinsight diagnose evil.yaml --src i-")
    assert not Path("pwned").exists()


def test_a_large_estate_is_completed_soon() -> None:
    estate = ROOT / "topologies" / "large-estate.yaml"
    offered = complete(f"netinsight diagnose {estate} --src i-prod-orders-w")
    assert offered
    assert all(word.startswith("i-prod-orders-w") for word in offered)
