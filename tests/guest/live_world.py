"""Run inside network and mount namespaces of its own: guests in a small cloud, real listeners, and connections between them.

::

    client 10.0.1.10 ─┐
    appliance 10.0.3.10 ─ router ─ server 10.0.2.10 ─ docker0 172.17.0.1 ─ container 172.17.0.2

Reads a JSON object a line from standard input and writes one for each, until its input ends: with ``guests`` it loads their
rules and routes and tells what they print of themselves; with ``questions`` it asks them, all at once, and tells which
work; ``counts`` tells how often each guest dropped anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

ADDRESS = {"client": "10.0.1.10", "server": "10.0.2.10", "appliance": "10.0.3.10", "container": "172.17.0.2"}
GUESTS = ("client", "server", "appliance")
LISTENERS = {22: "0.0.0.0", 80: "0.0.0.0", 443: "0.0.0.0", 8080: "0.0.0.0", 8443: "own", 53: "127.0.0.1"}
"""What listens in a guest, of TCP and UDP; nothing does on 9999. In the container everything listens everywhere."""
PORTS = (*LISTENERS, 9999)
SETTINGS = """
net.ipv4.conf.all.rp_filter=0
net.ipv4.conf.default.rp_filter=0
net.ipv4.conf.all.send_redirects=0
net.ipv4.conf.default.send_redirects=0
net.ipv4.conf.all.accept_redirects=0
net.ipv4.conf.default.accept_redirects=0
net.ipv4.ping_group_range=0 2147483647
net.ipv4.tcp_synack_retries=0
net.ipv6.conf.all.disable_ipv6=1
net.ipv6.conf.default.disable_ipv6=1
"""
TRACKING = "net.netfilter.nf_conntrack_tcp_timeout_established=60"
LOADED = re.compile(r"^(?::\S+ DROP \[(\d+):|\[(\d+):\d+\] -A .*-[jg] (?:DROP|REJECT))", re.M)


def run(*words: str, given: str | None = None) -> str:
    """What a command printed."""
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr}\n{given or ''}")
    return done.stdout


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """In the network namespace of a guest; what is opened there stays there."""
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if libc.setns(there, 0):
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        libc.setns(here, 0)
        os.close(here)
        os.close(there)


def build() -> None:
    """The namespaces, with links, addresses and routes."""
    run("mount", "-t", "tmpfs", "tmpfs", "/run")  # of this mount namespace: names and locks of nobody else
    for name in ("router", *ADDRESS):
        run("ip", "netns", "add", name)
        with inside(name):
            run("sysctl", "-qw", *[line for line in SETTINGS.split("\n") if line])
            run("ip", "link", "set", "lo", "up")
    with inside("router"):
        run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    for name in GUESTS:
        gateway = ADDRESS[name].rpartition(".")[0] + ".253"
        _link("router", name, name, "eth0", f"{gateway}/24", f"{ADDRESS[name]}/24")
        with inside(name):
            run("ip", "route", "add", "default", "via", gateway)
            run("sysctl", "-qw", TRACKING)
    with inside("server"):
        run("ip", "link", "add", "docker0", "type", "bridge")
        run("ip", "link", "set", "docker0", "up")
        run("ip", "addr", "add", "172.17.0.1/16", "dev", "docker0")
    _link("server", "veth0", "container", "eth0", "", f"{ADDRESS['container']}/16")
    with inside("server"):
        run("ip", "link", "set", "veth0", "master", "docker0")
    with inside("container"):
        run("ip", "route", "add", "default", "via", "172.17.0.1")


def _link(one: str, its: str, other: str, name: str, address: str, other_address: str) -> None:
    with inside(one):
        run("ip", "link", "add", its, "type", "veth", "peer", "name", name, "netns", other)
        run("ip", "link", "set", its, "up")
        if address:
            run("ip", "addr", "add", address, "dev", its)
    with inside(other):
        run("ip", "link", "set", name, "up")
        run("ip", "addr", "add", other_address, "dev", name)


# --------------------------------------------------------------------------------------------------------- the listeners


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(16):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()


class _Answers(asyncio.DatagramProtocol):
    transport: Any

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        with contextlib.suppress(OSError):
            self.transport.sendto(data, addr)


async def listen() -> list[Any]:
    """Echo servers in every namespace."""
    kept: list[Any] = []
    for name, own in ADDRESS.items():
        for port in PORTS:
            where = "0.0.0.0" if name == "container" else LISTENERS.get(port, "").replace("own", own)
            if not where:
                continue
            with inside(name):
                stream, datagrams = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for one in (stream, datagrams):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.setblocking(False)
                one.bind((where, port))
            kept.append(await asyncio.start_server(_echo, sock=stream, backlog=512))
            kept.append(await asyncio.get_running_loop().create_datagram_endpoint(_Answers, sock=datagrams))
    return kept


# --------------------------------------------------------------------------------------------------------- the questions


async def _tcp(sock: socket.socket, there: tuple[str, int]) -> bool:
    """Connect, a byte there and back, and a clean end."""
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, there)
    await loop.sock_sendall(sock, b"?")
    if await loop.sock_recv(sock, 1) != b"?":
        return False
    sock.shutdown(socket.SHUT_WR)
    return await loop.sock_recv(sock, 1) == b""


async def _udp(sock: socket.socket, there: tuple[str, int]) -> bool:
    loop = asyncio.get_running_loop()
    sock.connect(there)
    await loop.sock_sendall(sock, b"?")
    return await loop.sock_recv(sock, 1) == b"?"


async def _icmp(sock: socket.socket, there: tuple[str, int]) -> bool:
    loop = asyncio.get_running_loop()
    sock.connect((there[0], 0))
    await loop.sock_sendall(sock, struct.pack("!BBHHH", 8, 0, 0, 0, 1) + b"ping")
    return (await loop.sock_recv(sock, 64)).endswith(b"ping")


KINDS = {"tcp": (socket.SOCK_STREAM, 0, _tcp), "udp": (socket.SOCK_DGRAM, 0, _udp),
         "icmp": (socket.SOCK_DGRAM, socket.IPPROTO_ICMP, _icmp)}  # fmt: skip


async def _ask(one: dict[str, Any], patience: float) -> bool:
    kind, protocol, does = KINDS[one["protocol"]]
    with inside(one["from"]):
        sock = socket.socket(socket.AF_INET, kind, protocol)
    with sock:
        sock.setblocking(False)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.bind((ADDRESS[one["from"]], one["sport"]))
        asking: Coroutine[Any, Any, bool] = does(sock, (ADDRESS[one["to"]], one["dport"]))
        try:
            return await asyncio.wait_for(asking, patience)
        except (TimeoutError, OSError):
            return False


# ------------------------------------------------------------------------------------------------------------- the jobs


class World:
    """The guests as they are set now."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.undo: list[tuple[str, str]] = []

    def load(self, guests: dict[str, Any], ways: list[str]) -> dict[str, dict[str, str]]:
        """Set the guests up, and collect what they print."""
        for name, words in reversed(self.undo):
            with inside(name):
                run("ip", *words.split())
        self.undo = []
        for words in ways:
            self._ip("router", words)
        told = {}
        for name, guest in guests.items():
            with inside(name):
                run(f"{self.command}-restore", given=guest["rules"])
                Path("/proc/sys/net/ipv4/ip_forward").write_text(str(int(guest["forwards"])))
                for key in ("all", "default", "eth0"):  # forwarding switches some of them back
                    Path(f"/proc/sys/net/ipv4/conf/{key}/send_redirects").write_text("0")
            for words in guest["routes"]:
                self._ip(name, words)
            with inside(name):
                told[name] = {"iptables": run(f"{self.command}-save"), "addresses": run("ip", "addr"),
                              "rules": run("ip", "rule"), "routes": run("ip", "route", "show", "table", "all")}  # fmt: skip
        return told

    def _ip(self, name: str, words: str) -> None:
        with inside(name):
            run("ip", *words.split())
        self.undo.append((name, words.replace(" add ", " del ", 1)))

    def counts(self) -> dict[str, int]:
        """How many packets the DROP and REJECT of each guest counted."""
        found = {}
        for name in GUESTS:
            with inside(name):
                saved = run(f"{self.command}-save", "-c")
            found[name] = sum(int(a or b) for a, b in LOADED.findall(saved))
        return found


async def main() -> None:
    """Do the jobs."""
    world = World(sys.argv[1])
    build()
    kept = await listen()
    time.sleep(0.2)
    for line in sys.stdin:
        job, told = json.loads(line), dict[str, Any]()
        if "guests" in job:
            told["guests"] = world.load(job["guests"], job["ways"])
        if "questions" in job:
            before = world.counts() if job.get("counts") else {}
            told["works"] = await asyncio.gather(*(_ask(one, job["patience"]) for one in job["questions"]))
            if before:
                told["dropped"] = [name for name, count in world.counts().items() if count != before[name]]
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
    del kept


if __name__ == "__main__":
    asyncio.run(main())
