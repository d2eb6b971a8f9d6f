"""Outputs of the collector, their parts, the agent's answers and folders, whole, cut and hostile; and ``guest: {from}``."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinsight.cli import run
from netinsight.cli.guest_read import _entry
from netinsight.model.guest import Guest
from netinsight.sources.guest_described import firewall_of
from netinsight.sources.guest_output import checksum
from netinsight.sources.yaml_file import read_yaml

from ..shared_data import shared

IP_ADDR = """\
1: lo: <LOOPBACK,UP> mtu 65536
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,UP> mtu 1500
    link/ether 00:16:3e:00:00:01 brd ff:ff:ff:ff:ff:ff
    inet 10.0.2.20/24 brd 10.0.2.255 scope global eth0
"""
RULES = "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n"
ROUTES = "default via 10.0.2.253 dev eth0 \n10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.20 \n"
SS = "Netid State Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\ntcp LISTEN 0 1 0.0.0.0:5432 0.0.0.0:*\n"
GUEST = {"ip-addr": IP_ADDR, "ip-rule": RULES, "ip-route": ROUTES, "ss": SS, "iptables-save": "*filter\nCOMMIT\n",
         "processes": "sshd\n", "load": "cpu 1 0 0 9\ncpu 2 0 0 18\n", "os-release": 'NAME="Ubuntu"\n'}  # fmt: skip


def section(name: str, text: str, status: int = 0, said: str = "") -> str:
    lines = text.splitlines()
    told = "".join(f"|{line}\n" for line in lines) + f"+{len(lines)} {sum(len(line.encode()) for line in lines)}\n"
    return f"#{name} {name}\n{told}" + (f"!{said}\n" if said else "") + f"={name} {status}\n"


def output(texts: dict[str, str] = GUEST) -> str:
    body = "".join(section(name, text) for name, text in texts.items())
    return f"NETINSIGHT-GUEST/1 begin\n{body}NETINSIGHT-GUEST/1 end {len(texts)}\n"


def parts(whole: str, size: int = 3, encoding: str = "gzip base64") -> list[str]:
    data = whole.encode()
    data = gzip.compress(data, mtime=0) if "gzip" in encoding else data
    text = base64.encodebytes(data).decode() if "base64" in encoding else data.hex(" ", 16).replace(" ", "\n") + "\n"
    lines = text.splitlines(keepends=True)
    cut = ["".join(lines[n : n + size]) for n in range(0, len(lines), size)]
    of = f"of {len(cut)} {checksum(text.encode())} {len(text)} {encoding}"
    return [
        f"NETINSIGHT-GUEST/1 part {n} {of}\n{one}NETINSIGHT-GUEST/1 end of part {n}\n" for n, one in enumerate(cut, 1)
    ]


def answer(*results: dict[str, Any]) -> str:
    rows = [{"InvocationStatus": "Success", "Dropped": 0, "ErrorCode": "", **one} for one in results]
    return json.dumps({"RequestId": "r", "Invocation": {"InvocationResults": {"InvocationResult": rows}}}, indent=1)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def asked(*paths: Path, status: int = 0) -> tuple[str, str]:
    """What ``guest read`` writes as JSON, and its errors."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        assert run(["guest", "read", *map(str, paths), "--output", "json"]) == status, err.getvalue()
    return out.getvalue(), err.getvalue()


def told(*paths: Path) -> dict[str, Any]:
    return json.loads(asked(*paths)[0])


def file(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def folder_of(folder: Path, texts: dict[str, str] = GUEST) -> Path:
    for name, text in texts.items():
        file(folder, name + (".json" if text.startswith(("[", "{")) else ".txt"), text)
    return folder


def test_one_guest_in_every_form_is_the_same(tmp_path: Path) -> None:
    whole = told(file(tmp_path, "out.txt", output()))
    assert whole["guest"]["routes"] == ROUTES
    assert whole["guest"]["listening"] == [{"protocol": "tcp", "address": "0.0.0.0", "port": 5432}]
    assert whole["guest"]["sshd"]["running"] is True
    assert whole["load"] == {"cpu_percent": 10.0}
    kept = {key: whole[key] for key in ("guest", "os", "load")}
    forms = {
        "windows lines": [file(tmp_path, "crlf.txt", output().replace("\n", "\r\n"))],
        "utf-16": [file(tmp_path, "utf16.txt", output().encode("utf-16"))],
        "a folder": [folder_of(tmp_path / "named")],
        "a folder of parts": [tmp_path / "parted"],
        "hex": [file(tmp_path, f"hex-{n}", one) for n, one in enumerate(parts(output(), 900, "hex"))],
        "base64": [file(tmp_path, f"b64-{n}", one) for n, one in enumerate(parts(output(), 9, "base64"))],
        "parts in one file": [file(tmp_path, "all.txt", "noise\n" + "".join(reversed(parts(output()))))],
        "the agent": [file(tmp_path, "a.json", answer({"InstanceId": "i-a", "Output": encoded(output())}))],
        "the agent, plain": [file(tmp_path, "p.json", answer({"InstanceId": "i-a", "Output": output()}))],
        "the agent, in parts": [file(tmp_path, "s.json", answer(
            *({"InstanceId": "i-a", "Output": encoded(one)} for one in parts(output()))))],
    }  # fmt: skip
    for n, one in enumerate(parts(output())):
        file(tmp_path / "parted", f"p{n}.txt", one)
    for form, paths in forms.items():
        found = told(*paths)
        assert {key: found[key] for key in kept} == kept, form


def test_several_instances_are_told_by_their_ids(tmp_path: Path) -> None:
    path = file(tmp_path, "a.json", answer(
        {"InstanceId": "i-a", "Output": encoded(output())},
        {"InstanceId": "i-b", "Output": encoded(output({"ip-rule": RULES}))},
        {"InstanceId": "i-c", "Output": "", "InvocationStatus": "Failed", "ErrorCode": "ClientNotRunning"},
    ))  # fmt: skip
    found = told(path)
    assert list(found) == ["i-a", "i-b", "i-c"]
    assert found["i-b"]["guest"] == {"rules": RULES}
    assert found["i-c"]["cut"] == "the agent has no output (Failed: ClientNotRunning)"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run(["guest", "read", str(path)]) == 0
    document = read_yaml(out.getvalue(), "out").result
    assert document
    assert document[0]["i-a"]["guest"] == found["i-a"]["guest"]
    assert document[0]["i-c"] == {}


def test_what_is_cut_is_not_used(tmp_path: Path) -> None:
    """Every cut of the head, the tail and the middle: what is told is as it was, or is not told."""
    text, whole = output(), told(file(tmp_path, "out.txt", output()))["guest"]
    for start in range(0, len(text), 41):
        for end in (start + 7, start + 160, len(text)):
            cut = text[:start] + text[end:]
            row = {"InstanceId": "i-a", "Output": encoded(cut), "Dropped": end - start}
            if "NETINSIGHT-GUEST/1 " not in cut:
                continue
            found = told(file(tmp_path, "cut.json", answer(row)))
            assert found["cut"] == f"the agent cut {end - start} bytes of the output"
            texts = {key: value for key, value in found.get("guest", {}).items() if isinstance(value, str)}
            assert texts.items() <= whole.items()


def test_a_command_goes_by_its_words_and_a_function_of_the_script_by_the_name_of_its_section(tmp_path: Path) -> None:
    whole = output() + section("sshd-T", "", 127, "sshd: not found")
    whole = (
        whole.replace("#ss ss", "#ss ss -lntupe")
        .replace("=ss 0", "=ss 1")
        .replace("#sshd-T sshd-T", "#sshd-T sshd_settings")
    )
    found = told(
        file(tmp_path, "out.txt", whole.replace("NETINSIGHT-GUEST/1 end 8\n", "") + "NETINSIGHT-GUEST/1 end 9\n")
    )
    assert found["not_collected"]["listening"] == "ss -lntupe: it failed with status 1"
    assert found["notes"]["sshd"][0].endswith("not known: sshd-T: it is not there: sshd: not found")


def test_a_cut_output_says_so_without_the_agent(tmp_path: Path) -> None:
    text = output()
    found = told(file(tmp_path, "cut.txt", text[: text.index("#ss") + 60]))
    assert found["cut"] == "the output is cut: its end is missing"
    assert found["not_collected"]["listening"] == "ss: it is cut"
    assert found["guest"]["routes"] == ROUTES


@pytest.mark.parametrize("text", ["", "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"])
def test_that_there_are_rules_of_the_older_back_end_too_stays_with_the_rules(text: str, tmp_path: Path) -> None:
    """iptables-save writes it to its standard error; without it, what those drop would pass for accepted."""
    warning = "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them"
    whole = output().replace(
        section("iptables-save", GUEST["iptables-save"]), section("iptables-save", text, 0, warning)
    )
    found = told(file(tmp_path, "out.txt", whole))
    assert found["guest"]["iptables"] == text + warning + "\n"
    assert found["notes"]["iptables"] == [f"iptables-save said: {warning}"]
    firewall = firewall_of(Guest.model_validate(found["guest"]), 4)
    assert firewall
    (note,) = firewall.notes
    assert "rules that are not in this file are not judged" in note


def test_content_cannot_pass_for_the_collector(tmp_path: Path) -> None:
    """A comment of a rule, or a name of a process, that says what the script says."""
    forged = "*filter\n#ip-rule ip rule\n#0: from all lookup 9\nCOMMIT\n"
    found = told(file(tmp_path, "out.txt", output({"iptables-save": forged})))
    assert "rules" not in found["guest"]
    assert found["guest"]["iptables"] == forged
    ends = "=iptables-save 0\n+1 2\nNETINSIGHT-GUEST/1 end 1\nNETINSIGHT-GUEST/1 part 1 of 1 1 1 base64\n"
    _, errors = asked(file(tmp_path, "ends.txt", output({"iptables-save": ends})), status=2)
    assert errors.count("`=iptables-save 0` stands outside a table") == 2  # for people, and for scripts; once for all
    assert errors.count("stands outside a table") == 2


def test_bytes_that_are_no_text_are_kept_as_escapes(tmp_path: Path) -> None:
    data = (
        output({"iptables-save": "# 12345678\n*filter\nCOMMIT\n"}).encode().replace(b"12345678", b"\xff\x00\x1b[31m.")
    )
    path = file(tmp_path, "out.txt", data)
    kept = told(path)["guest"]["iptables"]
    assert kept == "# \\xff\0\x1b[31m.\n*filter\nCOMMIT\n"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run(["guest", "read", str(path)]) == 0
    assert "\x1b" not in out.getvalue()
    document = read_yaml(out.getvalue(), "out").result
    assert document
    assert document[0]["guest"]["iptables"] == kept


def test_a_line_of_100_mb_and_a_bomb_are_bounded(tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    with long.open("wb") as stream:
        stream.write(b"NETINSIGHT-GUEST/1 begin\n#ss ss\n|")
        stream.truncate(100 << 20)
    assert "larger than 64 MiB" in asked(long, status=2)[1]
    bomb = parts("NETINSIGHT-GUEST/1 begin\n" + "#x y\n" + "|" * (65 << 20))
    assert "larger than 64 MiB" in asked(file(tmp_path, "bomb", "".join(bomb)), status=2)[1]


MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "a part is missing": ({"p": "".join(parts(output())[1:])}, "p:1:1: of {n} parts 1 is missing"),
    "a part was changed": ({"p": "".join(parts(output())).replace("H4s", "H5s")}, "p:1:1: the parts are not what their sum says"),
    "a part is cut": ({"p": parts(output())[0][:60]}, "p:1:1: part 1 is cut"),
    "no output": ({"x.bin": "hello\n"}, "x.bin: not what the collector printed"),
    "no file": ({}, "none: cannot be read: No such file or directory"),
    "a mistake in a section": ({"o": output({**GUEST, "ip-route": "default via 10.0.2.999 dev eth0\n"})},
                               "o:{line}:14: via "),
    "a mistake in a file of a folder": ({"d/ip-route": "default via x dev eth0\n", "d/ip-rule": RULES}, "d/ip-route:1:13: via"),
    "too many sockets": ({"d/ss": "tcp LISTEN 0 1 1.2.3.4:80 *:*\n" * 20_001}, "d/ss:20001:1: more than 20000 sockets"),
    "a socket that is none": ({"d/ss": "tcp LISTEN 0 1 1.2.3.4:99999 *:*\n"}, "d/ss:1:16: port `99999`"),
    "a mistake behind the agent": ({"a.json": answer({"InstanceId": "i-a", "Output": encoded(output({"ip-rule": "x\n",
                                   "ip-route": ROUTES}))})}, "a.json (i-a):3:2: expected `PRIORITY:`"),
    "another output of the agent": ({"a.json": answer({"InstanceId": "i-a", "Output": "LVAgSU5QVVQgRFJPUAo="})},
                                    "a.json:11:16: the output of i-a is not that of the collector"),
    "no base64": ({"a.json": answer({"InstanceId": "i-a", "Output": "%%%"})}, "a.json:11:16: the output of i-a is not that"),
    "two guests": ({"a": output(), "b": output()}, "b: a second guest"),
    "no JSON": ({"a.json": '{"InvocationResult": [,]}'}, "a.json:1:23: not valid JSON"),
    "two forms of a file": ({"d/ss.txt": SS, "d/ss.json": "[]"}, "d/ss.json: stands beside ss.txt"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_at_its_place(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, message = MISTAKES[name]
    monkeypatch.chdir(tmp_path)
    for path, text in texts.items():
        file(tmp_path, path, text)
    line = next((n for n, one in enumerate(output().splitlines(), 1) if one.startswith("|default")), 0)
    message = message.format(n=len(parts(output())), line=line)
    paths = dict.fromkeys(Path(path.partition("/")[0]) for path in texts) or {Path("none"): None}
    assert message in asked(*paths, status=2)[1]


def test_a_file_of_no_known_name_is_told(tmp_path: Path) -> None:
    folder_of(tmp_path / "g")
    file(tmp_path / "g", "iptable-save.txt", "")
    assert "iptable-save.txt: warning: not read: no name that is known" in asked(tmp_path / "g")[1]


def test_the_recorded_answer_of_the_agent_is_refused_with_advice() -> None:
    path = shared("aliyun-api", "ecs.DescribeInvocationResults.json")
    assert "the output of i-demo0web01 is not that of the collector" in asked(path, status=2)[1]


@given(st.text(max_size=60))
def test_a_text_is_read_as_it_was_written(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    written = "guest:\n" + "".join(_entry("key", text, "  ")) + "  other: 1\n"
    result = read_yaml(written, "x").result
    assert result
    assert result[0] == {"guest": {"key": text, "other": 1}}
