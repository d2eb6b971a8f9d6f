"""The kernel of this machine, asked in a network namespace of its own: random rules and tables, and its answers."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

MARK = "@@"
SETUP = """
for v in 4 6; do
  sysctl -q -w net.ipv$v.conf.all.forwarding=1 net.ipv$v.conf.default.forwarding=1
done
sysctl -q -w net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
ip link set lo up
for n in 0 1 2 3; do
  ip link add d$n type veth peer name p$n; ip link set p$n up; ip link set d$n up
done
"""
ADDRESSES = {
    4: ["10.0.0.5/24 dev d0", "10.0.0.6/24 dev d0", "10.0.9.1/24 brd 10.0.9.255 dev d0", "10.1.0.5/16 dev d1",
        "169.254.7.1/16 scope link dev d1", "172.16.0.1 peer 172.16.0.2/32 dev d2", "10.0.3.1/31 dev d3",
        "192.168.0.1/32 dev lo", "10.2.3.9/24 dev d2"],
    6: ["2001:db8::5/64 dev d0", "2001:db8:1::5/64 dev d1", "2001:db8:1::6/64 dev d1", "fd00:2::5/64 dev d2",
        "2001:db8:3::5/128 dev d3", "fd00:2:1::1/48 dev d0", "fec0::7/64 dev d3"],
}  # fmt: skip
PREFIXES = {
    4: ["default", "10.0.0.0/8", "10.2.0.0/16", "10.2.3.0/24", "10.2.3.4/32", "8.8.0.0/16", "8.8.8.8/32", "8.0.0.0/7",
        "127.9.0.0/16", "224.0.0.0/4", "10.1.0.0/24"],
    6: ["default", "2001:db8::/32", "2001:db8:2::/48", "2001:db8:2:3::/64", "2001:db8:2:3::4/128", "2400::/12",
        "2400:8::8/128", "fd00::/8", "2001:db8:1::/96"],
}  # fmt: skip
DESTINATIONS = {
    4: ["10.2.3.4", "10.2.3.5", "10.2.9.9", "10.0.0.9", "10.0.0.255", "10.0.0.5", "10.0.0.6", "10.0.9.1", "10.0.9.255",
        "10.1.0.9", "10.1.255.255", "8.8.8.8", "8.8.1.1", "9.9.9.9", "1.1.1.1", "127.0.0.1", "127.9.0.1", "224.0.0.5",
        "239.1.1.1", "255.255.255.255", "172.16.0.2", "10.0.3.0", "169.254.7.7", "192.168.0.1", "0.0.0.0", "0.1.1.1"],
    6: ["2001:db8:2:3::4", "2001:db8:2:3::5", "2001:db8:2::9", "2001:db8::9", "2001:db8::5", "2001:db8::", "fd00:2::9",
        "2001:db8:1::9", "2400:8::8", "2400::1", "2a00::1", "fd77::1", "fd00:2:1::9", "2001:db8:3::5"],
}  # fmt: skip
SOURCES = {
    4: ["10.0.0.5", "10.0.0.6", "10.1.0.5", "172.16.0.1", "10.2.3.9", "127.0.0.1", "8.8.8.9", "10.77.0.1", "10.0.0.77"],
    6: ["2001:db8::5", "2001:db8:1::6", "fd00:2::5", "2a00::7", "2001:db8:2::77"],
}
GATEWAYS = {4: ["10.0.0.1 dev d0", "10.1.0.1 dev d1", "10.1.7.1 dev d1", "10.0.3.0 dev d3 onlink", "172.16.0.2 dev d2"],
            6: ["2001:db8::1 dev d0", "fe80::1 dev d1", "fd00:2::1 dev d2", "fe80::2 dev d3 onlink"]}  # fmt: skip
BLOCKS = {4: ["10.0.0.0/8", "10.0.0.5", "8.8.0.0/16", "10.1.0.0/16", "0.0.0.0/8"],
          6: ["2001:db8::/32", "2001:db8::5", "2400::/12", "fd00::/8"]}  # fmt: skip
TABLES = ["main", "100", "101", "102"]
DEVICES = ["d0", "d1", "d2", "d3"]
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "ipv6-icmp": 58}


def why_not() -> str:
    """Why the kernel cannot be asked here; empty where it can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "a network namespace needs root"
    if not all(map(shutil.which, ("ip", "unshare", "sysctl"))):
        return "no iproute2 or unshare here"
    done = subprocess.run(["unshare", "-n", "sh", "-ec", "ip link add d0 type veth peer name p0; ip rule; ip -6 rule"],
                          capture_output=True, check=False, timeout=20)  # fmt: skip
    return (
        "" if done.returncode == 0 else f"no network namespace with veth: {done.stderr.decode(errors='replace')[:80]}"
    )


@dataclass(frozen=True)
class Probe:
    """A question to the kernel, and what it said."""

    destination: str
    source: str
    in_interface: str
    out_interface: str
    mark: int
    protocol: str
    ports: tuple[int, int]
    said: str = ""

    @property
    def words(self) -> str:
        """As arguments of ``ip route get``."""
        words = [self.destination]
        for name, value in (("from", self.source), ("iif", self.in_interface), ("oif", self.out_interface)):
            words += [name, value] if value else []
        words += ["mark", str(self.mark)] if self.mark else []
        words += ["ipproto", self.protocol]
        words += [f"sport {self.ports[0]} dport {self.ports[1]}"] if "icmp" not in self.protocol else []
        return " ".join(words)


@dataclass(frozen=True)
class Machine:
    """What ``ip`` printed in a namespace, as text and as JSON, and what the kernel answered."""

    text: dict[str, str]
    json: dict[str, str]
    probes: list[Probe]


def _route(rng: random.Random, family: int) -> str:
    prefix, table = rng.choice(PREFIXES[family]), rng.choice(TABLES)
    tail = f"table {table}" + (f" metric {rng.choice([0, 5, 9])}" if rng.random() < 0.4 else "")
    kind = rng.random()
    if kind < 0.2:
        return f"{rng.choice(['blackhole', 'unreachable', 'prohibit', 'throw', 'throw'])} {prefix} {tail}"
    if kind < 0.25:
        return f"local {prefix} dev {rng.choice(['lo', 'd1'])} {tail}"
    if kind < 0.4 and not prefix.startswith("224."):
        hops = " ".join(
            f"nexthop via {gateway} weight {rng.randint(1, 3)}" for gateway in rng.sample(GATEWAYS[family], 2)
        )
        return f"{prefix} {tail} {hops}"
    source = f" src {rng.choice(SOURCES[family][:4])}" if rng.random() < 0.25 else ""
    if kind < 0.6 or prefix.startswith("224."):  # by a gateway, its answers are kept for others of the same hop
        scope = rng.choice(["", " scope link", " scope host", " scope global"]) if family == 4 else ""
        return f"{prefix} dev {rng.choice(DEVICES)} {tail}{scope}{source}"
    preference = f" pref {rng.choice(['low', 'high', 'medium'])}" if family == 6 and rng.random() < 0.3 else ""
    return f"{prefix} via {rng.choice(GATEWAYS[family])} {tail}{source}{preference}"


def _rule(rng: random.Random, family: int, priority: int) -> str:
    words = [f"pref {priority}"]
    words += ["not"] if rng.random() < 0.15 else []
    words += ["from", rng.choice(BLOCKS[family])] if rng.random() < 0.4 else ["from all"]
    words += ["to", rng.choice(BLOCKS[family])] if rng.random() < 0.25 else []
    words += ["fwmark", rng.choice(["1", "2", "0x3", "0x2/0x2", "0/1"])] if rng.random() < 0.3 else []
    words += ["iif", rng.choice([*DEVICES, "lo"])] if rng.random() < 0.2 else []
    words += ["oif", rng.choice(DEVICES)] if rng.random() < 0.15 else []
    words += ["ipproto", rng.choice(["tcp", "udp"])] if rng.random() < 0.15 else []
    words += ["dport", rng.choice(["80", "80-90"])] if rng.random() < 0.1 else []
    action = rng.random()
    if action < 0.65:
        words += ["lookup", rng.choice(TABLES)]
        words += [f"suppress_prefixlength {rng.choice([0, 8, 24])}"] if rng.random() < 0.3 else []
    elif action < 0.8:
        words += ["goto", rng.choice([str(priority + 20), "32766"])]
    else:
        words.append(rng.choice(["unreachable", "blackhole", "prohibit"]))
    return " ".join(words)


def _probe(rng: random.Random, family: int) -> Probe:
    comes_in = rng.random() < 0.3
    source = rng.choice(SOURCES[family]) if comes_in or rng.random() < 0.4 else ""
    if comes_in and family == 6 and rng.random() < 0.1:
        source = ""
    return Probe(
        rng.choice(DESTINATIONS[family]), source, rng.choice(DEVICES) if comes_in else "",
        rng.choice(DEVICES) if not comes_in and rng.random() < 0.25 else "", rng.choice([0, 0, 1, 2, 3]),
        rng.choice(["tcp", "udp", "icmp" if family == 4 else "ipv6-icmp"]), (rng.choice([1, 5000]), rng.choice([80, 443])),
    )  # fmt: skip


def machine(seed: int, family: int, *, custom: bool = True, probes: int = 60) -> Machine:
    """A random machine; ``custom``: with rules of its own."""
    rng = random.Random(seed * 10 + family)
    ip = f"ip -{family}"
    lines = [SETUP]
    # without `noprefixroute` nothing of main is taken away; a command that the kernel refuses is one that is not there
    lines += [
        f"{ip} addr add {one}{' nodad' if family == 6 else ''}" for one in ADDRESSES[family] if rng.random() < 0.8
    ]
    lines += [f"{ip} route {rng.choice(['add', 'add', 'append', 'prepend'] if family == 4 else ['add', 'append'])} "
              f"{_route(rng, family)}" for _ in range(22)]  # fmt: skip
    if custom:
        lines += [
            f"{ip} rule add {_rule(rng, family, priority)}" for priority in range(10, 10 + 10 * rng.randint(1, 9), 10)
        ]
    asked = [_probe(rng, family) for _ in range(probes)]
    lines.append("exec 2>&1")
    lines += [f"echo {MARK}; {ip} -j route get {probe.words}" for probe in asked]
    for form in ("", "-j"):
        for what in (f"ip {form} addr", f"{ip} {form} rule", f"{ip} {form} route show table all"):
            lines.append(f"echo {MARK}; {what}")
    done = subprocess.run(["unshare", "-n", "sh"], input="\n".join(lines), capture_output=True, text=True, timeout=120,
                          check=False)  # fmt: skip
    parts = [part.strip("\n") for part in done.stdout.split(f"{MARK}\n")[1:]]
    told = [Probe(*[getattr(probe, name) for name in Probe.__dataclass_fields__ if name != "said"], said=said)
            for probe, said in zip(asked, parts, strict=False)]  # fmt: skip
    names = ("addr", "rule", "route")
    dumps = parts[len(asked) :]
    return Machine(dict(zip(names, dumps[:3], strict=True)), dict(zip(names, dumps[3:], strict=True)), told)


ERRNO = {
    "Network is unreachable": {"none", "unreachable"},
    "No route to host": {"unreachable"},
    "Permission denied": {"prohibit"},
    "Invalid argument": {"blackhole", "martian"},
}


def expected(probe: Probe) -> dict[str, Any] | set[str]:
    """The kernel's answer: its fields, or the types of which its error is one."""
    if not probe.said.startswith("[{"):
        for words, types in ERRNO.items():
            if words in probe.said:
                return types
        raise AssertionError(f"{probe.words}: {probe.said}")
    (answer,) = json.loads(probe.said.splitlines()[0])
    kind = answer.get("type", "unicast")
    return {
        "type": "local" if kind == "anycast" else kind,
        "interface": answer.get("dev", ""),
        "gateway": answer.get("gateway") or answer.get("via", {}).get("host"),
        "source": probe.source or (None if probe.in_interface else answer.get("prefsrc")),
        "table": answer.get("table", "main"),
    }
