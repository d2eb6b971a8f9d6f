"""The collector's scripts as texts: they read what their page says, all of it and no more."""

from __future__ import annotations

import base64
import contextlib
import io
import re

import pytest

from netinsight.cli import run
from netinsight.guest.facts import OF_WINDOWS

from ..conftest import ROOT


def printed(*words: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run(["guest", "script", *words]) == 0
    return out.getvalue()


def test_the_script_does_what_its_page_says() -> None:
    """Commands and paths of the scripts are those of the page, all of them."""
    page = (ROOT / "docs" / "guest-collector.md").read_text("utf-8")
    script = (ROOT / "netinsight" / "guest" / "collect" / "collect.sh").read_text("utf-8")
    sections = re.findall(r"^ +(?:\[.*\|\| )?section (\S+) ", script, re.M)
    listed = re.findall(r"^\| `([^`]+)` \|", page, re.M)
    assert sections == listed[: len(sections)]
    code = re.sub(r"(?m)^\s*#.*$|\s#\s.*$|^PATH=.*$", "", script.replace("\\\n", " "))
    paths = set(
        re.findall(r"(?<![\w/.}])(?:/(?:etc|proc|run|usr|lib|var|home|root|sys)/[\w*./\[\]-]+|net/ipv[\w*./]+)", code)
    )
    told = page.partition("## What is read")[2].partition("\n## ")[0]
    named = {one for row in re.findall(r"`([^`]+)`", told) for one in row.split()}
    assert paths - named == {"/run/netinsight-guest"}
    assert {one for one in named if one.startswith(("/", "net/"))} - paths == {"/run"}
    for secret in ("environ", "cmdline", ".ssh/", "shadow", "passwd", "authorized_keys", "history"):
        assert secret not in code


def test_the_script_for_windows_only_reads() -> None:
    script = printed("--shell", "powershell")
    code = re.sub(r"(?m)^\s*#.*$", "", script)
    cmdlets = set(re.findall(r"\b[A-Z][A-Za-z]*[a-z]-[A-Z]\w+", code))
    reading = {one for one in cmdlets if one.startswith("Get-")}
    assert cmdlets - reading == {"ConvertTo-Json", "ForEach-Object", "Join-Path", "Measure-Object", "New-Object", "Remove-Item",
                                 "Set-StrictMode", "Test-Path", "Where-Object"}  # fmt: skip
    assert re.findall(r"(?:Remove-Item|WriteAll\w+)\b.*?(\$\w+)", code) == ["$Kept", "$Kept"]
    for secret in ("CommandLine", "env:", "GetEnvironment", "Get-Content", "Get-ChildItem"):
        assert secret not in code
    for mark in ("{}", "()"):
        assert code.count(mark[0]) == code.count(mark[1])
    names = re.findall(r"Section '([\w-]+)'", code)
    page = (ROOT / "docs" / "guest-collector.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in names)
    assert set(names) <= set(OF_WINDOWS)


@pytest.mark.parametrize("shell", ["posix", "powershell"])
def test_scripts_are_printed_and_small(shell: str) -> None:
    whole = printed("--shell", shell)
    assert whole.isascii()
    assert len(base64.b64encode(whole.encode())) < 18 << 10
    assert whole.count("# ARGUMENTS\n") == 1
    argument = "set -- part 3\n" if shell == "posix" else "$Arguments = @('part', '3')\n"
    assert printed("--shell", shell, "--split", "3") == whole.replace("# ARGUMENTS\n", argument)
    assert printed("--shell", shell, "--split") == whole.replace("# ARGUMENTS\n", argument.replace("3", "1"))


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "9999999"])
def test_a_part_is_a_number(number: str) -> None:
    with contextlib.redirect_stderr(io.StringIO()) as err:
        assert run(["guest", "script", f"--split={number}"]) == 2
    assert "is no number of a part" in err.getvalue()
