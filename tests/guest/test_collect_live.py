"""The collector's script as it runs here: in a network namespace of its own, and with secrets all around."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from netinsight.cli import run

from ..conftest import ROOT

SCRIPT = ROOT / "netinsight" / "guest" / "collect" / "collect.sh"
WINDOWS = SCRIPT.with_name("collect.ps1")
CANARY = "canary-5f2d9c77"
SHELLS = [
    pytest.param(
        words, id=" ".join(words), marks=pytest.mark.skipif(not shutil.which(words[0]), reason=f"no {words[0]} here")
    )
    for words in (["sh"], ["dash"], ["bash"], ["bash", "--posix"], ["busybox", "ash"])
]
SETUP = """
ip link set lo up
ip link add net0 type veth peer name far0
ip link set net0 address 02:00:00:00:00:0a
ip link set net0 up
ip link set far0 up
ip addr add 10.7.1.10/24 brd + dev net0
ip addr add 10.7.9.1/32 dev far0
ip -6 addr add fd07::10/64 dev net0 nodad
ip route add default via 10.7.1.1 dev net0
ip route add 10.8.0.0/16 via 10.7.1.2 dev net0 table 100
ip rule add from 10.7.1.10 lookup 100 priority 1000
iptables -A INPUT -p tcp --dport 2222 -j DROP
ip6tables -A INPUT -p tcp --dport 2223 -j DROP
sysctl -qw net.ipv4.ip_forward=1
"""
LISTENERS = """
import socket, sys, time
held = []
for kind, family, address, port, device, v6only in json.loads(sys.argv[1]):
    one = socket.socket(getattr(socket, family), socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    if device:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    if family == "AF_INET6":
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    one.bind((address, port))
    if kind == "tcp":
        one.listen()
    held.append(one)
print("ready", flush=True)
time.sleep(60)
"""
SOCKETS = [
    ("tcp", "AF_INET", "0.0.0.0", 2301, "", 0),
    ("tcp", "AF_INET6", "::", 2302, "", 0),
    ("tcp", "AF_INET6", "::", 2303, "", 1),
    ("tcp", "AF_INET", "127.0.0.1", 2304, "", 0),
    ("tcp", "AF_INET", "0.0.0.0", 2305, "net0", 0),
    ("udp", "AF_INET", "10.7.1.10", 2306, "", 0),
    ("tcp", "AF_INET6", "fd07::10", 2307, "", 1),
]
HEARD = [
    {"protocol": "tcp", "address": "0.0.0.0", "port": 2301},
    {"protocol": "tcp", "address": "::", "port": 2302},
    {"protocol": "tcp", "address": "::", "port": 2303, "v6only": True},
    {"protocol": "tcp", "address": "127.0.0.1", "port": 2304},
    {"protocol": "tcp", "address": "0.0.0.0", "port": 2305, "interface": "net0"},
    {"protocol": "udp", "address": "10.7.1.10", "port": 2306},
    {"protocol": "tcp", "address": "fd07::10", "port": 2307},
]


def _why_not() -> str:
    if os.geteuid() != 0:
        return "needs root"
    for tool in ("ip", "ss", "unshare", "nsenter", "iptables-save", "sysctl"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    tried = subprocess.run(["unshare", "-n", "iptables", "-L"], capture_output=True, text=True)
    return f"no namespace with iptables: {tried.stderr.strip()[:100]}" if tried.returncode else ""


def printed(*arguments: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run(arguments) == 0
    return out.getvalue()


def read(*paths: Path | str) -> dict[str, Any]:
    return json.loads(printed("guest", "read", *map(str, paths), "--output", "json"))


@pytest.fixture(scope="module")
def inside() -> Iterator[list[str]]:
    """What runs a command in a namespace with addresses, rules and sockets of its own."""
    if why := _why_not():
        pytest.skip(why)
    setup = "set -e\n" + SETUP + f'exec {sys.executable} -c "$0" "$1"'
    words = ["unshare", "-n", "sh", "-c", setup, "import json\n" + LISTENERS, json.dumps(SOCKETS)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stderr
    if process.stdout.readline() != "ready\n":
        process.kill()
        pytest.fail(process.stderr.read())
    yield ["nsenter", f"--net=/proc/{process.pid}/ns/net"]
    process.kill()
    process.communicate()


def collected(words: list[str], *arguments: str, **settings: Any) -> str:
    done = subprocess.run([*words, str(SCRIPT), *arguments], capture_output=True, text=True, timeout=120, **settings)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_read_is_what_is_there(shell: list[str], inside: list[str], tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text(collected([*inside, *shell]))
    told = read(tmp_path / "out.txt")
    guest = told["guest"]
    sockets = [{key: one[key] for key in one if key != "process"} for one in guest["listening"]]
    assert sorted(sockets, key=lambda one: one["port"]) == HEARD
    assert {one["name"]: one for one in guest["interfaces"]}["net0"] == {
        "name": "net0", "mac": "02:00:00:00:00:0a", "ip": "10.7.1.10", "prefix_length": 24, "dhcp": False,
    }  # fmt: skip
    assert "-A INPUT -p tcp -m tcp --dport 2222 -j DROP\n" in guest["iptables"]
    assert "-A INPUT -p tcp -m tcp --dport 2223 -j DROP\n" in guest["ip6tables"]
    assert "1000:\tfrom 10.7.1.10 lookup 100" in guest["rules"]
    assert "10.8.0.0/16 via 10.7.1.2 dev net0 table 100" in guest["routes"]
    assert "fd07::/64 dev net0" in guest["routes6"]
    assert guest["ip_forward"] is True
    assert "net/ipv4/conf/net0/rp_filter = " in guest["sysctl"]
    assert 0 <= told["load"]["cpu_percent"] <= 100
    assert told["os"]["name"]
    for command, key in (("nft", "nftables"), ("ipset", "ipsets")):
        assert (key in guest) == (key not in told["not_collected"])
        assert key in guest or shutil.which(command) is None or "failed" in told["not_collected"][key]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_routes_that_were_gathered_are_looked_up_as_the_kernel_does(
    shell: list[str], inside: list[str], tmp_path: Path
) -> None:
    guest = _guest(shell, inside, tmp_path)
    folder = tmp_path / "routes"
    folder.mkdir()
    names = {
        "addresses": "ip-addr",
        "rules": "ip-rule",
        "routes": "ip-route",
        "rules6": "ip6-rule",
        "routes6": "ip6-route",
    }
    for key, name in names.items():
        (folder / name).write_text(guest[key])
    packets = [
        ("10.8.1.1", "10.7.1.10"),
        ("10.9.1.1", "10.7.1.10"),
        ("10.7.1.77", "10.7.1.10"),
        ("fd07::99", "fd07::10"),
    ]
    (tmp_path / "packets").write_text("".join(json.dumps({"dst": to, "src": of}) + "\n" for to, of in packets))
    found = printed("guest", "route", str(folder), "--packets", str(tmp_path / "packets")).splitlines()
    for (to, of), line in zip(packets, found, strict=True):
        asked = subprocess.run([*inside, "ip", "-j", "route", "get", to, "from", of], capture_output=True, text=True)
        (kernel,) = json.loads(asked.stdout)
        told = json.loads(line)
        assert (told["interface"], told["gateway"]) == (kernel["dev"], kernel.get("gateway"))


def _guest(shell: list[str], inside: list[str], tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "out.txt").write_text(collected([*inside, *shell]))
    return read(tmp_path / "out.txt")["guest"]


def test_a_command_that_is_absent_or_fails_is_not_collected(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "awk", "sed", "cat", "head", "ls", "sleep", "grep", "uname"):
        (tools / name).symlink_to(shutil.which(name) or "")
    (tools / "ip").write_text("#!/bin/sh\necho 'half of it'\necho 'no such thing' >&2\nexit 3\n")
    (tools / "ip").chmod(0o755)
    hidden = SCRIPT.read_text().replace('PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"', f'PATH="{tools}"')
    (tmp_path / "collect.sh").write_text(hidden)
    done = subprocess.run(["sh", str(tmp_path / "collect.sh")], capture_output=True, text=True, timeout=60)
    (tmp_path / "out.txt").write_text(done.stdout)
    told = read(tmp_path / "out.txt")
    for key in ("iptables", "ip6tables", "ipsets", "nftables", "listening", "routes", "rules", "interfaces"):
        assert key not in told["guest"]
        assert key in told["not_collected"]
    assert told["not_collected"]["iptables"].startswith("iptables-save: it is not there: ")
    assert told["not_collected"]["rules"] == "ip rule: it failed with status 3: no such thing"
    assert "ss -lntupe: it is not there" in told["not_collected"]["listening"]
    assert "netstat -lntuW: it is not there" in told["not_collected"]["listening"]


def test_nothing_secret_is_gathered(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_rsa").write_text(CANARY)
    (home / ".ssh" / "authorized_keys").write_text(CANARY)
    argued = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", CANARY], env={"SECRET": CANARY})
    environment = {**os.environ, "HOME": str(home), "SECRET_TOKEN": CANARY, "AWS_SECRET_ACCESS_KEY": CANARY}
    key = "/etc/ssh/ssh_host_ed25519_key"
    planted = (
        f"mount -t tmpfs none /etc/ssh && echo {CANARY} > {key} && echo {CANARY} > /etc/ssh/sshd_config && exec sh $0"
    )
    try:
        alone = os.geteuid() == 0 and Path("/etc/ssh").is_dir() and shutil.which("unshare")
        text = collected(["unshare", "-m", "sh", "-c", planted] if alone else ["sh"], env=environment)
    finally:
        argued.kill()
        argued.wait()
    assert CANARY not in text
    assert not alone or f"|there {key}\n" in text
    assert "NETINSIGHT-GUEST/1 end" in text


@pytest.mark.parametrize("shell", SHELLS)
def test_parts_make_the_whole_in_any_order(shell: list[str], tmp_path: Path) -> None:
    script = tmp_path / "collect.sh"
    many = "".join(
        f'    section more-{n} awk "BEGIN {{ for (i = 0; i < 4000; i++) print rand() {n} }}"\n' for n in range(2)
    )
    text = SCRIPT.read_text().replace("    section load processors\n", "    section load processors\n" + many)
    text = re.sub(r"(?m)^if \[ -d /run \].*$", f'kept="{tmp_path}/kept"', text)
    script.write_text(text)

    def part(number: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*shell, str(script), "part", str(number)], capture_output=True, text=True, timeout=60)

    early = part(2)
    assert (early.returncode, early.stderr) == (1, "nothing is kept: part 1 comes first\n")
    first = part(1).stdout
    assert len(first.encode()) < 24_000
    total = int(re.findall(r"part 1 of (\d+) ", first)[0])
    assert total > 2
    paths = []
    for number in range(1, total + 1):
        text = first if number == 1 else part(number).stdout
        paths.append(tmp_path / f"part-{number}.txt")
        paths[-1].write_text(text)
    assert part(total + 1).returncode == 1
    assert oct((tmp_path / "kept").stat().st_mode)[-3:] == "600"
    told = read(*reversed(paths))
    assert told["guest"]["rules"]
    assert "cut" not in told
    other = part(1).stdout
    (tmp_path / "other.txt").write_text(other)
    with contextlib.redirect_stderr(io.StringIO()) as err:
        assert run(["guest", "read", str(tmp_path / "other.txt"), *map(str, paths[2:])]) == 2
    assert f"of {total} parts 1 and 2 are missing" in err.getvalue()
    assert "are of another run" in err.getvalue()
    subprocess.run([*shell, str(script), "clean"], check=True)
    assert not (tmp_path / "kept").exists()


def test_the_yaml_is_what_the_json_is(inside: list[str], tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text(collected([*inside, "sh"]))
    told = read(tmp_path / "out.txt")
    assert run(["guest", "read", str(tmp_path / "out.txt"), "--to", str(tmp_path / "out.yaml")]) == 0
    written = yaml.safe_load((tmp_path / "out.yaml").read_text())
    assert written == {key: told[key] for key in ("os", "load", "guest")}


def test_shellcheck_has_nothing_to_say() -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", str(SCRIPT)], capture_output=True, text=True)
    assert done.stdout == ""


def test_powershell_reads_its_script() -> None:
    shell = shutil.which("pwsh")
    if not shell:
        pytest.skip("pwsh is not installed")
    words = (
        "$e = $null; [void][System.Management.Automation.Language.Parser]::ParseFile($args[0], [ref]$null, [ref]$e); $e"
    )
    done = subprocess.run([shell, "-NoProfile", "-Command", words, str(WINDOWS)], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "")
