"""How loud a command is: --quiet, --verbose, colours; what goes to which stream, and that none of it changes an answer."""

# ruff: noqa: F401, F811  (a fixture is imported, and taken by its name)
from __future__ import annotations

import io
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from netinsight.cli import run
from tests.test_cli import WEB, Answer, Command, command, process, web

ASK = ["--src", "i-client", "--dst", "i-web", "--port"]
WARNING = "14:67: warning: `10.0.1.7/24` has host bits set; they are masked: 10.0.1.0/24"
"""The one warning of ``WEB``, behind the name of its file."""

ANSWERS = {
    # words after `diagnose web.yaml`, and the exit status
    "reachable": ([*ASK, "80"], 0),
    "partial": ([*ASK, "79-80"], 1),
    "unreachable": ([*ASK, "22"], 1),
    "undetermined": (["--src", "i-client", "--dst", "i-lost", "--port", "80"], 3),
    "as JSON": ([*ASK, "22", "-o", "json"], 1),
    "as a page": ([*ASK, "80", "-o", "html"], 0),
    "every rule": ([*ASK, "80", "--explain", "--all"], 0),
    "in Chinese": ([*ASK, "22", "--lang", "zh"], 1),
    "a preset": (["--src", "i-web", "--preset", "cloud-assistant"], 0),
    "many questions": (["--questions", "questions.csv"], 3),
    "many questions as JSON": (["--questions", "questions.csv", "-o", "json"], 3),
}

REFUSED = {
    "no port": (["diagnose", "web.yaml", *ASK[:4]], "tcp needs a port"),
    "a misspelt object": (["diagnose", "web.yaml", "--src", "i-clint", "--dst", "i-web", "--port", "80"], "i-clint"),
    "a stopped instance": (
        ["diagnose", "web.yaml", "--src", "i-stopped", "--dst", "i-web", "--port", "80"],
        "is Stopped",
    ),
    "a wrong file": (["diagnose", "wrong.yaml", *ASK, "80"], "wrong.yaml:1:20: `x` is not a CIDR"),
    "no file": (["diagnose", "gone.yaml", *ASK, "80"], "gone.yaml: cannot be read"),
    "a wrong question": (
        ["diagnose", "web.yaml", "--questions", "wrong.csv"],
        "wrong.csv:2:16: port `x` is not a port",
    ),
    "a wrong file that is validated": (["validate", "wrong.yaml"], "wrong.yaml:1:20: `x` is not a CIDR"),
    "no file that is validated": (["validate", "gone.yaml"], "gone.yaml: cannot be read"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("web.yaml").write_text(WEB, encoding="utf-8")
    Path("wrong.yaml").write_text("vpcs: {v: {cidrs: [x]}}\n", encoding="utf-8")
    Path("questions.csv").write_text("src,dst,port\ni-client,i-web,80\ni-client,i-lost,80\n", encoding="utf-8")
    Path("wrong.csv").write_text("src,dst,port\ni-client,i-web,x\n", encoding="utf-8")


# -- quiet -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "status"), ANSWERS.values(), ids=ANSWERS)
def test_a_quiet_diagnosis_is_its_exit_status(words: list[str], status: int, command: Command) -> None:
    assert command("diagnose", "web.yaml", *words, "--quiet") == Answer(status, "", "")


def test_a_quiet_diagnosis_still_writes_its_file(command: Command) -> None:
    usual = command("diagnose", "web.yaml", *ASK, "22").out
    assert command("diagnose", "web.yaml", *ASK, "22", "--quiet", "--to", "out") == Answer(1, "", "")
    assert Path("out").read_text("utf-8") == usual


def test_quiet_and_verbose_have_short_forms(command: Command) -> None:
    assert command("diagnose", "web.yaml", *ASK, "22", "-q") == Answer(1, "", "")
    assert WARNING in command("diagnose", "web.yaml", *ASK, "22", "-v").err


@pytest.mark.parametrize("flag", ["--quiet", "-q"])
def test_a_quiet_validation_is_its_exit_status(flag: str, command: Command) -> None:
    assert command("validate", "web.yaml", flag) == Answer(0, "", "")


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED)
def test_errors_are_told_as_loudly_as_ever(words: list[str], message: str, command: Command) -> None:
    usual = command(*words)
    assert (usual.status, usual.out) == (2, "")
    assert message in usual.err
    assert command(*words, "--quiet") == usual


def test_a_quiet_error_is_json_where_that_is_asked_for(command: Command) -> None:
    answer = command("diagnose", "wrong.yaml", *ASK, "80", "-q", "-o", "json")
    assert json.loads(answer.err.splitlines()[-1])["errors"][0]["line"] == 1


# -- verbose -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "status"), ANSWERS.values(), ids=ANSWERS)
def test_a_verbose_diagnosis_prints_the_same_result_and_its_warnings_in_full(
    words: list[str], status: int, command: Command
) -> None:
    usual = command("diagnose", "web.yaml", *words)
    verbose = command("diagnose", "web.yaml", *words, "--verbose")
    assert usual.status == verbose.status == status
    assert verbose.out == usual.out
    assert usual.err == "web.yaml: 1 warning; `netinsight validate` tells them\n"
    lines = verbose.err.splitlines()
    at = lines.index(f"web.yaml:{WARNING}")
    assert lines[at + 1].strip() == WEB.splitlines()[13].strip()
    assert lines[at + 2].index("^") == 4 + 66
    assert re.fullmatch(r"read in \d+ ms, answered in [\d.]+ ms", lines[-1])


def test_a_verbose_validation_prints_the_same_result_and_its_warnings_in_full(command: Command) -> None:
    usual, verbose = command("validate", "web.yaml"), command("validate", "web.yaml", "-v")
    assert (verbose.status, verbose.out) == (usual.status, usual.out)
    assert f"web.yaml:{WARNING}\n" in verbose.err
    assert verbose.err.startswith(usual.err)
    assert re.search(r"\d+ ms", verbose.err.removeprefix(usual.err))


def test_verbose_counts_the_answers_of_many_questions(command: Command) -> None:
    err = command("diagnose", "web.yaml", "--questions", "questions.csv", "-v").err
    assert "2 questions: 1 reachable, 1 undetermined\n" in err


@pytest.mark.parametrize("name", ["diagnose", "validate"])
def test_nothing_is_quiet_and_verbose(name: str, command: Command) -> None:
    words = [*ASK, "80"] if name == "diagnose" else []
    answer = command(name, "web.yaml", *words, "-q", "-v")
    assert (answer.status, answer.out) == (2, "")
    assert "not allowed with" in answer.err


def test_verbose_writes_the_same_file(command: Command) -> None:
    for flag in ([], ["-v"]):
        assert command("diagnose", "web.yaml", *ASK, "22", *flag, "--to", f"out{len(flag)}").out == ""
    assert Path("out0").read_bytes() == Path("out1").read_bytes()


# -- colours -----------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A standard output that shows colours."""

    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    run(list(words))
    return terminal.getvalue()


PAINTED = {
    "a diagnosis": ["diagnose", "web.yaml", *ASK, "22"],
    "many questions": ["diagnose", "web.yaml", "--questions", "questions.csv"],
    "a preset": ["diagnose", "web.yaml", "--src", "i-web", "--preset", "cloud-assistant"],
    "a tree": ["show", "web.yaml"],
    "a page": ["show", "web.yaml", "i-web"],
    "a word": ["explain", "eni.status"],
    "a list": ["explain"],
}


@pytest.mark.parametrize("words", PAINTED.values(), ids=PAINTED)
def test_a_terminal_gets_colours_that_change_nothing_else(
    words: list[str], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain = command(*words).out
    coloured = on_terminal(monkeypatch, *words)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert coloured.count("\x1b[0m") * 2 == coloured.count("\x1b[")


@pytest.mark.parametrize("words", PAINTED.values(), ids=PAINTED)
def test_there_are_no_colours_where_anything_says_so(
    words: list[str], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain = command(*words).out
    assert on_terminal(monkeypatch, *words, "--no-color") == plain
    assert on_terminal(monkeypatch, *words, "--to", "out") == ""
    assert Path("out").read_text("utf-8") == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert on_terminal(monkeypatch, *words) == plain


@pytest.mark.parametrize("form", ["json", "html"])
def test_what_a_program_reads_has_no_colours(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in on_terminal(monkeypatch, "diagnose", "web.yaml", *ASK, "22", "-o", form)


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg"])
def test_a_drawing_has_no_colours_of_a_terminal(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in on_terminal(monkeypatch, "show", "web.yaml", "-o", form)


# -- pipes -------------------------------------------------------------------------------------------------------------


def test_a_pipe_gets_the_result_alone_and_no_escapes() -> None:
    done = process("diagnose", "web.yaml", *ASK, "22", "-v", env={**os.environ, "FORCE_COLOR": "1", "TERM": "xterm"})
    assert done.returncode == 1
    assert done.stdout.decode().startswith("UNREACHABLE  i-client")
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"warning" not in done.stdout
    assert b" ms" not in done.stdout


def test_a_chain_of_pipes_is_read_and_written(command: Command) -> None:
    done = process("diagnose", "-", *ASK, "80", "-o", "json", input=WEB.encode())
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (0, "reachable")
    assert done.stderr.decode() == "-: 1 warning; `netinsight validate` tells them\n"


@pytest.mark.parametrize("flag", ["-q", "-v"])
def test_standard_input_is_as_loud_as_a_file(flag: str, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["diagnose", "?", *ASK, "22", flag], ["validate", "?", flag]):
        by_file = command(*[word.replace("?", "web.yaml") for word in words])
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(WEB.encode())))
        by_pipe = command(*[word.replace("?", "-") for word in words])
        assert by_pipe.status == by_file.status
        plain = re.sub(r"<stdin>(?=:\d)|^-(?=: )", "web.yaml", re.sub(r"\s+", " ", by_pipe.out))
        assert plain == re.sub(r"\s+", " ", by_file.out)
        assert len(by_pipe.err.splitlines()) == len(by_file.err.splitlines())
        assert (f"<stdin>:{WARNING}" in by_pipe.err) is (flag == "-v")
