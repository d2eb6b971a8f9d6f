"""What the reader says of a wrong topology, and where: one table of cases, each a valid file with one thing changed.

A ``»`` in the changed text stands where the problem is expected; it is taken out before the file is read. What is told
must be that problem and no other, so that no mistake is told twice or drags others in.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import netinsight
from netinsight.cli import run
from netinsight.errors import InputError, Problem, QuestionError, Severity
from netinsight.model.topology import SECTIONS
from netinsight.sources.topology_file import Reading, read_topology

EXAMPLE = """\
schema: netinsight.topology/1
cloud: aliyun                          # the dialect
region: cn-hangzhou
collected_at: 2026-11-24T08:00:00Z     # the moment that expiry is judged at, unless asked --at another
account: {overdue: false}

vpcs:
  vpc-prod: {cidrs: [10.0.0.0/16]}
  vpc-shared: {cidrs: [172.16.0.0/16]}

vswitches:
  vsw-web: {vpc: vpc-prod, cidr: 10.0.1.0/24, zone: cn-hangzhou-h, network_acl: nacl-web}
  vsw-db:  {vpc: vpc-prod, cidr: 10.0.2.0/24, zone: cn-hangzhou-i, route_table: rtb-db}

security_groups:
  sg-web:
    vpc: vpc-prod
    type: normal                       # normal | enterprise
    inner_access_policy: Accept        # the default of a normal group
    rules:
      - {direction: ingress, policy: accept, priority: 1, protocol: tcp, ports: 80/80, source: 0.0.0.0/0}
      - {direction: ingress, policy: accept, priority: 1, protocol: tcp, ports: 22/22, source: sg-bastion}
      - {direction: egress,  policy: drop,   priority: 100, protocol: all, destination: 10.0.9.0/24}
  sg-bastion: {vpc: vpc-prod}

network_acls:
  nacl-web:
    vpc: vpc-prod
    ingress:                           # first match wins, in this order; the rest is dropped
      - {policy: accept, protocol: tcp, ports: 22/80, source: 0.0.0.0/0}
      - {policy: accept, protocol: tcp, ports: 1024/65535, source: 0.0.0.0/0}
    egress:
      - {policy: accept, protocol: all, destination: 0.0.0.0/0}

route_tables:
  rtb-db:
    vpc: vpc-prod
    type: custom
    routes:                            # local and service routes are there by themselves
      - {destination: 0.0.0.0/0, next_hop: ngw-1}
      - {destination: 172.16.0.0/16, next_hop: pcc-shared}

eips:
  eip-1: {ip: 203.0.113.10, bound_to: i-a, bandwidth_mbps: 5}
  eip-2: {ip: 203.0.113.20, bound_to: ngw-1}
  eip-3: {ip: 203.0.113.30, bound_to: ngw-1}
nat_gateways:
  ngw-1:
    vpc: vpc-prod
    vswitch: vsw-web
    snat: [{source: 10.0.2.0/24, eip: eip-2}]
    dnat:
      - {eip: eip-3, protocol: tcp, external_port: 8022, internal_ip: 10.0.2.20, internal_port: 22}
peerings:
  pcc-shared: {vpc: vpc-prod, peer_vpc: vpc-shared, status: Activated}
ddos: {blackholed: [203.0.113.10], mitigating: []}

instances:
  i-a:
    status: Running
    os: {name: Alibaba Cloud Linux, version: "3", architecture: x86_64}
    cloud_assistant: true
    expires: 2027-01-01T00:00:00Z
    load: {cpu_percent: 35, public_bandwidth_percent: 10, private_bandwidth_percent: 5}
    network_interfaces:
      eni-a: {type: primary, status: InUse, vswitch: vsw-web, ip: 10.0.1.10, security_groups: [sg-web]}
    guest:                             # what the collector found
      dhcp_supported: true             # by the image
      interfaces: [{name: eth0, mac: "00:16:3e:00:00:01", ip: 10.0.1.10, prefix_length: 24, dhcp: true}]
      iptables: |
        *filter
        :INPUT DROP [0:0]
        -A INPUT -p tcp --dport 22 -j ACCEPT
        COMMIT
      routes: |
        default via 10.0.1.253 dev eth0
      ip_forward: false                # an appliance has true
      listening: [{protocol: tcp, address: 0.0.0.0, port: 22, process: sshd}]
      sshd: {running: true, ports: [22], permit_root_login: "yes", missing_files: []}
"""
"""The example that documents the format."""

BASE = """\
schema: netinsight.topology/1
cloud: aliyun
region: cn-hangzhou
collected_at: 2026-11-24T08:00:00Z
account: {overdue: false}
accounts:
  acct-1: {overdue: false}
vpcs:
  vpc-1: {cidrs: [10.0.0.0/16, 10.1.0.0/16], ipv6_cidr: "2001:db8:1::/56"}
  vpc-2: {cidrs: [172.16.0.0/16], account: acct-1}
vswitches:
  vsw-1: {vpc: vpc-1, cidr: 10.0.1.0/24, ipv6_cidr: "2001:db8:1::/64", network_acl: acl-1, route_table: rtb-1}
  vsw-2: {vpc: vpc-1, cidr: 10.0.2.0/24, zone: cn-hangzhou-h}
  vsw-3: {vpc: vpc-2, cidr: 172.16.1.0/24}
security_groups:
  sg-1:
    vpc: vpc-1
    inner_access_policy: Accept
    rules:
      - {direction: ingress, policy: accept, priority: 1, protocol: tcp, ports: 22/22, source: 0.0.0.0/0}
      - {direction: ingress, policy: accept, priority: 2, protocol: tcp, ports: prl-1, source: sg-2}
      - {direction: egress, policy: drop, priority: 100, protocol: all, destination: pl-1}
  sg-2: {vpc: vpc-1, rules: []}
  sg-3: {vpc: vpc-2}
  sg-e: {vpc: vpc-1, type: enterprise}
network_acls:
  acl-1:
    vpc: vpc-1
    ingress:
      - {policy: accept, protocol: tcp, ports: 1/65535, source: 0.0.0.0/0}
    egress:
      - {policy: accept, protocol: all, destination: 0.0.0.0/0}
  acl-2: {vpc: vpc-2}
route_tables:
  rtb-1:
    vpc: vpc-1
    type: custom
    routes:
      - {destination: 0.0.0.0/0, next_hop: ngw-1}
      - {destination: 172.16.0.0/16, next_hop: pcc-1, status: Available}
  rtb-2: {vpc: vpc-2, routes: []}
prefix_lists:
  pl-1: {family: IPv4, entries: [192.168.0.0/16]}
port_lists:
  prl-1: [80/80, 443/443]
eips:
  eip-1: {ip: 203.0.113.10, bound_to: i-1, bandwidth_mbps: 5}
  eip-2: {ip: 203.0.113.20, bound_to: ngw-1}
nat_gateways:
  ngw-1:
    vpc: vpc-1
    vswitch: vsw-1
    snat:
      - {source: 10.0.2.0/24, eip: eip-2}
    dnat:
      - {eip: eip-2, protocol: tcp, external_port: 8022, internal_ip: 10.0.2.10, internal_port: 22}
peerings:
  pcc-1: {vpc: vpc-1, peer_vpc: vpc-2, status: Activated}
ddos: {blackholed: [], mitigating: [{ip: 203.0.113.20, until: 2026-11-24T10:30:00Z}]}
instances:
  i-1:
    status: Running
    os: {name: Ubuntu, version: "22.04"}
    cloud_assistant: true
    expires: 2027-01-01T00:00:00Z
    load: {cpu_percent: 35}
    network_interfaces:
      eni-1: {type: primary, vswitch: vsw-1, ip: 10.0.1.10, ipv6_addresses: ["2001:db8:1::10"], security_groups: [sg-1]}
      eni-2: {type: secondary, vswitch: vsw-2, ip: 10.0.2.10, secondary_ips: [10.0.2.11], security_groups: [sg-2]}
    guest:
      interfaces: [{name: eth0, ip: 10.0.1.10, prefix_length: 24}]
      listening: [{protocol: tcp, port: 22, process: sshd}]
      sshd: {running: true, ports: [22]}
  i-2:
    account: acct-1
    public_ip: 203.0.113.40
    network_interfaces:
      eni-4: {vswitch: vsw-1, ip: 10.0.1.40, security_groups: [sg-1]}
network_interfaces:
  eni-3: {status: Available, vswitch: vsw-2, ip: 10.0.2.30, security_groups: [sg-1]}
assumptions: {intra_group_egress: accept_wins}
unknown: {lost: never described}
"""
"""A valid topology without a warning, in which every kind of object and reference stands at least once."""

MARK = "»"
TCP_22 = "protocol: tcp, ports: 22/22, source: 0.0.0.0/0}"
"""The end of the first rule of sg-1."""
RULE_1 = "- {direction: ingress, policy: accept, priority: 1, protocol: tcp, ports: 22/22, source: 0.0.0.0/0}"
ACL_IN = "{policy: accept, protocol: tcp, ports: 1/65535, source: 0.0.0.0/0}"
ROUTE_1 = "- {destination: 0.0.0.0/0, next_hop: ngw-1}"
ENI_1 = 'eni-1: {type: primary, vswitch: vsw-1, ip: 10.0.1.10, ipv6_addresses: ["2001:db8:1::10"], '
ENI_2 = "eni-2: {type: secondary, vswitch: vsw-2, ip: 10.0.2.10, secondary_ips: [10.0.2.11], security_groups: [sg-2]}"
ENI_3 = "eni-3: {status: Available, vswitch: vsw-2, ip: 10.0.2.30, security_groups: [sg-1]}"


class Said(NamedTuple):
    """Parts of what is told of one problem; an empty hint is any."""

    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR


class Case(NamedTuple):
    """``old`` of the base made ``new``, in which the place of the problem is marked."""

    name: str
    old: str
    new: str
    said: Said


def wrong(name: str, old: str, new: str, message: str, hint: str = "") -> Case:
    """A case with one error."""
    return Case(name, old, new, Said(message, hint))


def odd(name: str, old: str, new: str, message: str, hint: str = "") -> Case:
    """A case with one warning."""
    return Case(name, old, new, Said(message, hint, Severity.WARNING))


def edited(old: str, new: str) -> str:
    assert BASE.count(old) == 1, old
    return BASE.replace(old, new)


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without its marks, and the (line, column) of each."""
    places = []
    for number, line in enumerate(text.split("\n"), start=1):
        for before, match in enumerate(re.finditer(MARK, line)):
            places.append((number, match.start() - before + 1))
    return text.replace(MARK, ""), places


def told(path: Path) -> tuple[Problem, ...]:
    """Every problem of a file or folder."""
    try:
        return read_topology(str(path)).warnings
    except InputError as error:
        return error.problems


def written(folder: Path, text: str, name: str = "t.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def assert_as_marked(folder: Path, text: str, said: Said) -> None:
    plain, places = marked(text)
    assert len(places) == 1, "the case itself: one mark"
    problems = told(written(folder, plain))
    listing = "\n".join(problem.in_full() for problem in problems)
    assert [(problem.place.line, problem.place.column) for problem in problems] == places, listing
    assert said.message in problems[0].message, listing
    assert said.hint in problems[0].hint, listing
    assert problems[0].severity is said.severity, listing
    assert_well_told(problems[0], folder / "t.yaml", plain)


def assert_well_told(problem: Problem, file: Path, text: str) -> None:
    """The headline of the contract, the source line as it stands, and a caret below the column."""
    place, lines = problem.place, problem.in_full().split("\n")
    assert lines[0].startswith(f"{file}:{place.line}:{place.column}: "), lines
    assert len(lines) == 3 + bool(problem.hint), lines
    assert not re.search(
        "`None|`[{[]|pydantic|validation error|Input should|Value error|<class|Traceback", problem.message
    ), lines
    assert not re.search(r"\ba `?(EIP|ENI|instance|IPv)|\ban `?(VPC|vSwitch|NAT)", problem.message), lines
    source = text.split("\n")[place.line - 1]
    shown, caret = lines[1].removeprefix("    "), lines[2].removeprefix("    ")
    assert caret.strip() == "^", lines
    if len(source) <= 92:
        assert shown == source
        assert len(caret) - 1 == columns(source[: place.column - 1]), lines
    else:
        assert shown.strip("…") in source
        under = shown[len(caret) - 1 :].rstrip("…")
        assert source[place.column - 1 :].startswith(under), lines


# -- unknown keys ------------------------------------------------------------------------------------------------------

KEYS = {
    "at the top": ("region: cn-hangzhou\n", "»regoin: cn-hangzhou\n", "regoin", "region"),
    "of a vpc": ("account: acct-1}\nvsw", "»acount: acct-1}\nvsw", "acount", "account"),
    "of a vswitch": ("zone: cn-hangzhou-h", "»zones: cn-hangzhou-h", "zones", "zone"),
    "of a group": ("inner_access_policy: Accept", "»inner_acces_policy: Accept", "inner_acces_policy",
                   "inner_access_policy"),
    "of a rule": (TCP_22, "protocol: tcp, »port: 22/22, source: 0.0.0.0/0}", "port", "ports"),
    "of an acl": ("    ingress:\n", "    »ingres:\n", "ingres", "ingress"),
    "of an acl entry": (ACL_IN, "{policy: accept, »protocoll: tcp, source: 0.0.0.0/0}", "protocoll", "protocol"),
    "of a route table": ("    routes:\n", "    »route:\n", "route", "routes"),
    "of a route": ("next_hop: pcc-1, status", "next_hop: pcc-1, »statuss", "statuss", "status"),
    "of a prefix list": ("pl-1: {family: IPv4,", "pl-1: {»familly: IPv4,", "familly", "family"),
    "of an eip": ("bandwidth_mbps: 5", "»bandwidth_mbp: 5", "bandwidth_mbp", "bandwidth_mbps"),
    "of a nat gateway": ("    snat:\n", "    »snats:\n", "snats", "snat"),
    "of a snat entry": ("eip: eip-2}\n    dnat", "eip: eip-2, »sources: x}\n    dnat", "sources", "source"),
    "of a dnat entry": ("external_port: 8022", "»extrenal_port: 8022", "extrenal_port", "external_port"),
    "of a peering": ("peer_vpc: vpc-2, status", "peer_vpc: vpc-2, »state", "state", "status"),
    "of ddos": ("ddos: {blackholed: []", "ddos: {»blackhole: []", "blackhole", "blackholed"),
    "of an attacked address": ("until: 2026", "»untill: 2026", "untill", "until"),
    "of an instance": ("cloud_assistant: true", "»cloud_asistant: true", "cloud_asistant", "cloud_assistant"),
    "of a system": ('os: {name: Ubuntu, version: "22.04"}', 'os: {name: Ubuntu, »versoin: "22.04"}', "versoin", "version"),
    "of a load": ("load: {cpu_percent: 35}", "load: {»cpu_percnt: 35}", "cpu_percnt", "cpu_percent"),
    "of an attached eni": ("secondary_ips: [10.0.2.11]", "»secondary_ip: [10.0.2.11]", "secondary_ip", "secondary_ips"),
    "of a lone eni": ("ip: 10.0.2.30,", "ip: 10.0.2.30, »macs: x,", "macs", "mac"),
    "of a guest": ("      listening:", "      »listenning:", "listenning", "listening"),
    "of a guest's interface": ("prefix_length: 24}", "»prefix_lenght: 24}", "prefix_lenght", "prefix_length"),
    "of a listener": ("port: 22, process: sshd", "port: 22, »proces: sshd", "proces", "process"),
    "of sshd": ("sshd: {running: true, ports: [22]}", "sshd: {running: true, »port: [22]}", "port", "ports"),
    "of an account": ("account: {overdue: false}\na", "account: {»overdu: false}\na", "overdu", "overdue"),
    "of one of several accounts": ("acct-1: {overdue: false}", "acct-1: {»overdu: false}", "overdu", "overdue"),
}  # fmt: skip
UNKNOWN_KEYS = [
    wrong(f"an unknown key {where}", old, new, f"unknown key `{key}`", f"did you mean `{nearest}`?")
    for where, (old, new, key, nearest) in KEYS.items()
] + [
    wrong("a key that is like no other tells which there are", "zone: cn-hangzhou-h", "»xyz: 1",
          "unknown key `xyz`", "route_table"),
    wrong("a key at the top that is like no other tells which there are", "region: cn-hangzhou\n", "»qqq: 1\n",
          "unknown key `qqq`", "security_groups"),
    wrong("a key in another case is told with the right one", "region: cn-hangzhou\n", "»Region: cn-hangzhou\n",
          "unknown key `Region`", "did you mean `region`?"),
]  # fmt: skip

# -- keys and ids that stand twice, and what is missing ----------------------------------------------------------------

IDS = [
    wrong("a vpc described twice", "\nvswitches:", "\n  »vpc-2: {cidrs: [192.168.0.0/16]}\nvswitches:",
          "duplicate key `vpc-2`", "keep one"),
    wrong("a duplicate key names the line of the first", "cloud: aliyun\n", "cloud: aliyun\n»cloud: aliyun\n",
          "it stands at line 2 already"),
    wrong("a section that stands twice", "unknown: {lost", "»account: {overdue: true}\nunknown: {lost",
          "duplicate key `account`"),
    wrong("a key twice in a rule", TCP_22, "protocol: tcp, »protocol: udp, ports: 22/22, source: 0.0.0.0/0}",
          "duplicate key `protocol`"),
    wrong("an eni twice in one instance", ENI_2, ENI_2 + "\n      »" + ENI_2, "duplicate key `eni-2`"),
    wrong("an id of two sections", "  sg-3:", "  »vsw-3:", "the id `vsw-3` is taken: it is the id of a vSwitch"),
    wrong("an eni of two instances", "      eni-4:", "      »eni-1:", "the id `eni-1` is taken: it is the id of an ENI"),
    wrong("an eni both attached and alone", ENI_1, "»eni-3" + ENI_1.removeprefix("eni-1"),
          "the id `eni-3` is taken: it is the id of an ENI"),
    wrong("an object that is described and declared unknown", "unknown: {lost", "unknown: {»sg-3: why, lost",
          "`sg-3` is declared unknown, but described"),
    wrong("an id with a space", "  sg-3:", '  »"sg 3":', "1 to 128 printable characters and no spaces"),
    wrong("an id with a slash", "  sg-3:", "  »sg/3:", "an id has no slash"),
    wrong("an id like an address", "  sg-3:", '  »"10.0.0.3":', "does not look like an address"),
    wrong("an empty id", "  sg-3:", '  »"":', "1 to 128 printable characters"),
    wrong("an id that is too long", "  sg-3:", f"  »{'s' * 129}:", "1 to 128 printable characters"),
    wrong("a name of control characters", "sg-3: {vpc: vpc-2}", 'sg-3: {vpc: vpc-2, name: »"a\\eb"}',
          "printable characters"),
    wrong("a group without its vpc", "sg-3: {vpc: vpc-2}", "»sg-3: {}", "`vpc` is missing", "The VPC it belongs to"),
    wrong("an eni without an address", ENI_3, ENI_3.replace("eni-3", "»eni-3").replace("ip: 10.0.2.30, ", ""),
          "`ip` is missing", "primary private address"),
    wrong("a rule without its peer", RULE_1, RULE_1.replace("- {", "- »{").replace(", source: 0.0.0.0/0", ""),
          "needs `source`", "0.0.0.0/0"),
    wrong("an instance whose enis are a truth value",
          "    network_interfaces:\n      eni-4: {vswitch: vsw-1, ip: 10.0.1.40, security_groups: [sg-1]}",
          "    network_interfaces: »true", "expected a mapping, found `true`"),
    wrong("an instance without an eni",
          "    network_interfaces:\n      eni-4: {vswitch: vsw-1, ip: 10.0.1.40, security_groups: [sg-1]}",
          "    »network_interfaces: {}", "at least 1"),
    wrong("a vpc without a block", "cidrs: [172.16.0.0/16], account", "cidrs: »[], account", "at least 1"),
]  # fmt: skip

# -- the traps of YAML 1.1, and scalars of the wrong kind --------------------------------------------------------------

SCALARS = [
    wrong("22:22 is not base 60", "ports: 22/22", "ports: »22:22", "`22:22` is not a port range",
          "did you mean `22/22`?"),
    wrong("no is not false", "account: {overdue: false}\na", "account: {overdue: »no}\na",
          "expected true or false, found `no`", "write `false`"),
    wrong("yes is not true", "cloud_assistant: true", "cloud_assistant: »yes", "found `yes`", "write `true`"),
    wrong("on is not true", "cloud_assistant: true", "cloud_assistant: »on", "found `on`", "write `true`"),
    wrong("OFF is not false", "cloud_assistant: true", "cloud_assistant: »OFF", "found `OFF`", "write `false`"),
    wrong("1 is not true", "cloud_assistant: true", "cloud_assistant: »1", "expected true or false, found `1`"),
    wrong("a quoted true is not true", "cloud_assistant: true", 'cloud_assistant: »"true"', "found `true`"),
    wrong("012 is not ten", "priority: 2,", "priority: »012,", "expected a whole number, found `012`", "write `12`"),
    wrong("0o12 is no number", "priority: 2,", "priority: »0o12,", "expected a whole number, found `0o12`"),
    wrong("0x10 is not sixteen", "priority: 2,", "priority: »0x10,", "expected a whole number, found `0x10`"),
    wrong("1_0 is not ten", "priority: 2,", "priority: »1_0,", "expected a whole number, found `1_0`"),
    wrong("+2 is no plain number", "priority: 2,", "priority: »+2,", "expected a whole number, found `+2`"),
    wrong("2.0 is no whole number", "priority: 2,", "priority: »2.0,", "expected a whole number, found `2.0`"),
    wrong("a quoted number is no number", "priority: 2,", 'priority: »"2",', "expected a whole number, found `2`",
          "take the quotes away"),
    wrong("a version without quotes", 'version: "22.04"', "version: »22", "expected text, found `22`",
          "put it in quotes"),
    wrong("a region that is a truth value", "region: cn-hangzhou\n", "region: »true\n", "expected text, found `true`",
          "put it in quotes"),
    wrong("nothing is no text", "ip: 203.0.113.20, bound_to: ngw-1", "ip: »~, bound_to: ngw-1",
          "expected text, found nothing"),
    wrong("nothing is no number", "priority: 2,", "priority: »~,", "expected a whole number, found nothing"),
    wrong("a list is no number", "priority: 2,", "priority: »[2],", "expected a whole number, found a list"),
    wrong("nothing is no protocol", "protocol: all, destination: pl-1", "protocol: »~, destination: pl-1", "protocol"),
    wrong("a mapping is no word", "policy: drop, priority: 100", "»policy: {a: b}, priority: 100", "a mapping"),
    wrong("a priority of zero", "priority: 2,", "priority: »0,", "1, found `0`"),
    wrong("a priority past 100", "priority: 2,", "priority: »101,", "100, found `101`"),
    wrong("a percent past 100", "cpu_percent: 35", "cpu_percent: »101", "100, found `101`"),
    wrong("a percent that is a word", "cpu_percent: 35", "cpu_percent: »high", "expected a number, found `high`"),
    wrong("a word that is not one of the cloud's", "status: Running", "status: »Runing",
          "`Runing` is not one of", "did you mean `Running`?"),
    wrong("a policy that is a truth value", "policy: drop, priority: 100", "policy: »no, priority: 100",
          "`no` is not one of accept or drop"),
    wrong("a direction that is misspelt", "direction: egress", "direction: »egres", "`egres` is not one of",
          "did you mean `egress`?"),
    wrong("a type of group that is misspelt", "type: enterprise", "type: »advanced",
          "`advanced` is not one of normal or enterprise"),
    wrong("another version of the format", "netinsight.topology/1", "»netinsight.topology/2",
          "`netinsight.topology/2` is not one of netinsight.topology/1"),
    wrong("a cloud that is not known", "cloud: aliyun", "cloud: »aliyum", "`aliyum` is not one of",
          "did you mean `aliyun`?"),
    wrong("a protocol that is not known", TCP_22, "protocol: »tpc, ports: 22/22, source: 0.0.0.0/0}",
          "protocol `tpc` is not known", "did you mean `tcp`?"),
    wrong("a protocol number past 255", "protocol: all, destination: pl-1", "protocol: »256, destination: pl-1",
          "protocol `256` is not known"),
    wrong("a list where a mapping stands", "os: {name: Ubuntu, version: \"22.04\"}", "os: »[Ubuntu]",
          "expected a mapping, found a list"),
    wrong("a text where a list stands", "security_groups: [sg-2]", "security_groups: »sg-2",
          "expected a list, found `sg-2`"),
    wrong("a mapping where a list stands", "snat:\n      - {source: 10.0.2.0/24, eip: eip-2}",
          "»snat: {source: 10.0.2.0/24, eip: eip-2}", "expected a list, found a mapping"),
    wrong("a section that is a list", f"network_interfaces:\n  {ENI_3}", "network_interfaces: »[eni-3]",
          "expected ENIs by id, found a list"),
    wrong("an object that is nothing", "  sg-3: {vpc: vpc-2}\n", "  sg-3:»\n", "expected a mapping, found nothing"),
    wrong("a moment without a zone", "collected_at: 2026-11-24T08:00:00Z", "collected_at: »2026-11-24T08:00:00",
          "has no time zone", "write `2026-11-24T08:00:00Z`"),
    wrong("an expiry without a zone", "expires: 2027-01-01T00:00:00Z", "expires: »2027-01-01T00:00:00",
          "has no time zone", "write `2027-01-01T00:00:00Z`"),
    wrong("an end of an attack that is a day", "until: 2026-11-24T10:30:00Z", "until: »2026-11-24",
          "has no time zone", "write `2026-11-24T00:00:00Z`"),
    wrong("a moment with a space and no zone", "collected_at: 2026-11-24T08:00:00Z",
          "collected_at: »2026-11-24 08:00:00", "has no time zone", "write `2026-11-24 08:00:00Z`"),
    wrong("a moment that is no moment", "collected_at: 2026-11-24T08:00:00Z", "collected_at: »yesterday",
          "expected a moment such as 2026-11-24T08:00:00Z, found `yesterday`"),
    wrong("a 30th of February", "collected_at: 2026-11-24T08:00:00Z", "collected_at: »2026-02-30T08:00:00Z",
          "expected a moment"),
    wrong("a moment that is a number", "collected_at: 2026-11-24T08:00:00Z", "collected_at: »1764000000",
          "expected a moment"),
    wrong("a tag that is no text", "sg-3: {vpc: vpc-2}", "sg-3: {vpc: vpc-2, tags: {cost: »7}}", "text"),
    wrong("a listener of another protocol", "listening: [{protocol: tcp,", "listening: [{protocol: »sctp,", "found `sctp`"),
    wrong("a listener's port past the last", "port: 22, process: sshd", "port: »65536, process: sshd", "found `65536`"),
    wrong("a prefix length past 32", "prefix_length: 24}", "prefix_length: »33}", "found `33`"),
]  # fmt: skip

# -- addresses, blocks and ports ---------------------------------------------------------------------------------------

NO_CIDR = "is not a CIDR such as 10.0.0.0/8"
ADDRESSES = [
    wrong("a mask past 32", "destination: 172.16.0.0/16", "destination: »172.16.0.0/33", NO_CIDR),
    wrong("a block of three numbers", "destination: 172.16.0.0/16", "destination: »172.16.0/16", NO_CIDR),
    wrong("a block with a dotted mask", "destination: 172.16.0.0/16", "destination: »172.16.0.0/255.255.0.0", NO_CIDR),
    wrong("a block without its mask", "destination: 172.16.0.0/16", "destination: »172.16.0.0/", NO_CIDR),
    wrong("a block with a leading zero", "destination: 172.16.0.0/16", "destination: »172.016.0.0/16", NO_CIDR),
    wrong("a block with a number past 255", "destination: 172.16.0.0/16", "destination: »172.256.0.0/16", NO_CIDR),
    wrong("an IPv6 block past 128", "destination: 172.16.0.0/16", 'destination: »"2001:db8::/129"', NO_CIDR),
    wrong("a block of a vpc that is none", "cidrs: [172.16.0.0/16], account", "cidrs: [172.16.0.0/16, »x], account",
          NO_CIDR),
    wrong("an address that is none", "ip: 10.0.2.30,", "ip: »10.0.2.300,", "`10.0.2.300` is not an IP address"),
    wrong("a block where an address stands", "ip: 10.0.2.30,", "ip: »10.0.2.30/24,", "is not an IP address"),
    wrong("an IPv6 address where IPv4 stands", "ip: 10.0.2.30,", 'ip: »"2001:db8:1::30",', "expected an IPv4 address"),
    wrong("an IPv4 address where IPv6 stands", '"2001:db8:1::10"', '»"10.0.1.11"', "expected an IPv6 address"),
    wrong("a mapped block", "destination: 172.16.0.0/16", 'destination: »"::ffff:10.0.0.0/104"', "IPv4-mapped"),
    wrong("a mapped address", '"2001:db8:1::10"', '»"::ffff:10.0.1.11"', "IPv4-mapped"),
    wrong("an eip that is no address", "ip: 203.0.113.20, bound_to", "ip: »eip, bound_to", "`eip` is not an IP address"),
    wrong("a blackhole of a name", "blackholed: []", "blackholed: [»i-1]", "`i-1` is not an IP address"),
    wrong("host bits of a vpc", "cidrs: [172.16.0.0/16], account", "cidrs: [»172.16.1.0/16], account",
          "`172.16.1.0/16` has host bits set", "did you mean `172.16.0.0/16`?"),
    wrong("host bits of a vswitch", "cidr: 10.0.2.0/24", "cidr: »10.0.2.1/24", "`10.0.2.1/24` has host bits set",
          "did you mean `10.0.2.0/24`?"),
    wrong("host bits of an IPv6 block", '"2001:db8:1::/56"', '»"2001:db8:1::1/56"', "has host bits set",
          "did you mean `2001:db8:1::/56`?"),
    odd("host bits of a group's rule", TCP_22, "protocol: tcp, ports: 22/22, source: »10.0.2.7/24}",
        "`10.0.2.7/24` has host bits set; they are masked: 10.0.2.0/24"),
    odd("host bits of a group's own side", TCP_22,
        "protocol: tcp, ports: 22/22, source: 0.0.0.0/0, destination: »10.0.1.7/24}", "they are masked: 10.0.1.0/24"),
    odd("host bits of an acl entry", ACL_IN, "{policy: accept, source: »10.0.2.7/8}", "they are masked: 10.0.0.0/8"),
    odd("host bits of a route", "destination: 172.16.0.0/16", "destination: »172.16.9.9/16",
        "they are masked: 172.16.0.0/16"),
    odd("host bits of a prefix list", "entries: [192.168.0.0/16]", "entries: [»192.168.1.1/16]",
        "they are masked: 192.168.0.0/16"),
    odd("host bits of a snat entry", "source: 10.0.2.0/24", "source: »10.0.2.9/24", "they are masked: 10.0.2.0/24"),
    odd("host bits of a peer's block", "peer_vpc: vpc-2,", "peer_vpc: vpc-2, peer_cidrs: [»172.16.1.1/16],",
        "they are masked: 172.16.0.0/16"),
    odd("host bits of an IPv6 rule", TCP_22, 'protocol: tcp, ports: 22/22, source: »"2001:db8::1/32"}',
        "they are masked: 2001:db8::/32"),
    wrong("an IPv6 block of a vpc that is IPv4", "account: acct-1}\nvsw", "ipv6_cidr: »10.9.0.0/16}\nvsw", "IPv6"),
    wrong("an IPv4 block of a vpc that is IPv6", "cidrs: [172.16.0.0/16], account",
          'cidrs: [172.16.0.0/16, »"2001:db8:9::/56"], account', "IPv4"),
    wrong("an IPv4 block of a vswitch that is IPv6", "  vsw-3:",
          '  vsw-4: {vpc: vpc-1, cidr: »"2001:db8:1:2::/64"}\n  vsw-3:', "2001:db8:1:2::/64"),
    wrong("a rule of both families", RULE_1,
          RULE_1.replace("- {", "- »{").replace("0.0.0.0/0}", '0.0.0.0/0, destination: "2001:db8::/32"}'), "families"),
    wrong("a prefix list of both families", "  pl-1: {family: IPv4, entries: [192.168.0.0/16]}",
          '  »pl-1: {family: IPv4, entries: [192.168.0.0/16, "2001:db8::/32"]}', "family IPv4"),
]  # fmt: skip

PORTS = [
    wrong("ports that run backwards", "ports: 22/22", "ports: »80/22", "`80/22` runs backwards", "did you mean `22/80`?"),
    wrong("ports past the last", "ports: 22/22", "ports: »22/65536", "out of range"),
    wrong("one number for ports", "ports: 22/22", "ports: »22", "`22` is not a port range such as 22/22",
          "did you mean `22/22`?"),
    wrong("ports with a dash", "ports: 22/22", "ports: »22-80", "`22-80` is not a port range", "did you mean `22/80`?"),
    wrong("ports of half a minus one", "ports: 22/22", "ports: »-1/22", "`-1/22` is not a port range"),
    wrong("ports that are a list", "ports: 22/22", "ports: »[22/22]", "a list"),
    wrong("port zero of a rule", RULE_1, RULE_1.replace("- {", "- »{").replace("22/22", "0/22"),
          "`0/22` is out of range (1 to 65535)"),
    wrong("ports of every protocol", RULE_1, RULE_1.replace("- {", "- »{").replace("tcp", "all"),
          "`ports: 22/22` with protocol all"),
    wrong("ports of icmp", RULE_1, RULE_1.replace("- {", "- »{").replace("tcp", "icmp"),
          "`ports: 22/22` with protocol icmp"),
    wrong("ports of a protocol that is left out", RULE_1, RULE_1.replace("- {", "- »{").replace("protocol: tcp, ", ""),
          "`ports: 22/22` with protocol all"),
    wrong("a source port of gre", RULE_1, RULE_1.replace("- {", "- »{").replace("tcp, ports", "gre, source_ports"),
          "`source_ports: 22/22` with protocol gre"),
    wrong("ports of an acl's icmp entry", "- " + ACL_IN, "- »" + ACL_IN.replace("tcp", "icmp"),
          "`ports: 1/65535` with protocol icmp"),
    wrong("ports of an acl that name a list", "- " + ACL_IN, "- »" + ACL_IN.replace("1/65535", "prl-1"),
          "`prl-1` is not a port range"),
    wrong("a port list within a port list", "prl-1: [80/80, 443/443]", "prl-1: [80/80, »prl-2]",
          "`prl-2` is not a port range"),
    wrong("a port list with one number", "prl-1: [80/80, 443/443]", "prl-1: [80/80, »443]", "`443` is not a port range",
          "did you mean `443/443`?"),
    wrong("port zero in a port list", "prl-1: [80/80, 443/443]", "prl-1: [»0/80, 443/443]", "out of range"),
    wrong("port zero of a dnat entry", "external_port: 8022", "external_port: »0", "found `0`"),
    wrong("a dnat range that runs backwards", "internal_port: 22}", "internal_port: »22/21}", "runs backwards"),
]  # fmt: skip

# -- references --------------------------------------------------------------------------------------------------------

REFERENCES: dict[str, tuple[str, str, str, str, str, str]] = {
    # of what: (in the base, before the reference, after it, what is expected there, nearest or "", something else)
    "the vpc of a vswitch": ("vsw-2: {vpc: vpc-1,", "vsw-2: {vpc: ", ",", "VPC", "vpc-1", "sg-3"),
    "the acl of a vswitch": ("network_acl: acl-1,", "network_acl: ", ",", "network ACL", "acl-1", "rtb-1"),
    "the table of a vswitch": ("route_table: rtb-1}", "route_table: ", "}", "route table", "rtb-1", "acl-1"),
    "the vpc of a group": ("sg-2: {vpc: vpc-1,", "sg-2: {vpc: ", ",", "VPC", "vpc-1", "vsw-1"),
    "the vpc of an acl": ("acl-2: {vpc: vpc-2}", "acl-2: {vpc: ", "}", "VPC", "vpc-2", "i-1"),
    "the vpc of a table": ("rtb-2: {vpc: vpc-2,", "rtb-2: {vpc: ", ",", "VPC", "vpc-2", "pl-1"),
    "the source of a rule": ("source: sg-2}", "source: ", "}", "security group or prefix list", "sg-2", "vsw-1"),
    "the destination of a rule": ("destination: pl-1}", "destination: ", "}", "security group or prefix list", "pl-1",
                                  "prl-1"),
    "the ports of a rule": ("ports: prl-1,", "ports: ", ",", "port list", "prl-1", "pl-1"),
    "the source of an acl entry": ("ports: 1/65535, source: 0.0.0.0/0}", "ports: 1/65535, source: ", "}", "prefix list",
                                   "pl-1", "sg-1"),
    "the destination of a route": ("destination: 172.16.0.0/16", "destination: ", "", "prefix list", "pl-1", "vpc-2"),
    "the next hop of a route": ("next_hop: ngw-1}", "next_hop: ", "}", "instance", "ngw-1", "eip-1"),
    "what an eip is bound to": ("bound_to: i-1,", "bound_to: ", ",", "instance", "i-1", "sg-1"),
    "the vpc of a nat gateway": ("    vpc: vpc-1\n    vswitch", "    vpc: ", "\n    vswitch", "VPC", "vpc-1", "acl-2"),
    "the vswitch of a nat gateway": ("    vswitch: vsw-1", "    vswitch: ", "", "vSwitch", "vsw-1", "vpc-1"),
    "the eip of a snat entry": ("eip: eip-2}\n", "eip: ", "}\n", "EIP", "eip-2", "i-1"),
    "the eip of a dnat entry": ("- {eip: eip-2,", "- {eip: ", ",", "EIP", "eip-2", "ngw-1"),
    "the vpc of a peering": ("pcc-1: {vpc: vpc-1,", "pcc-1: {vpc: ", ",", "VPC", "vpc-1", "vsw-1"),
    "the other vpc of a peering": ("peer_vpc: vpc-2,", "peer_vpc: ", ",", "VPC", "vpc-2", "vsw-1"),
    "the vswitch of an eni": ("vswitch: vsw-2, ip: 10.0.2.30", "vswitch: ", ", ip: 10.0.2.30", "vSwitch", "vsw-2",
                              "vpc-1"),
    "a group of an eni": ("security_groups: [sg-2]", "security_groups: [", "]", "security group", "sg-2", "acl-1"),
}  # fmt: skip
DANGLING = [
    wrong(f"{of} that is not described", old, f"{before}»{near}x{after}", f"no {kind}", f"did you mean `{near}`?")
    for of, (old, before, after, kind, near, _) in REFERENCES.items()
]
NOWHERE_NEAR = [
    wrong(f"{of} that is like nothing", old, f"{before}»zzzzzzzz{after}", "`zzzzzzzz` in the topology",
          "`unknown: {zzzzzzzz: why}`")
    for of, (old, before, after, *_) in REFERENCES.items()
]  # fmt: skip
OF_ANOTHER_KIND = [
    wrong(f"{of} that is of another kind", old, f"{before}»{other}{after}", f"`{other}` is a")
    for of, (old, before, after, _, _, other) in REFERENCES.items()
]
MORE_REFERENCES = [
    wrong("the account of an instance", "    account: acct-1\n", "    account: »acct-2\n",
          "no account `acct-2`", "did you mean `acct-1`?"),
    wrong("the account of a vpc", "account: acct-1}\nvsw", "account: »acct-2}\nvsw",
          "no account `acct-2`", "did you mean `acct-1`?"),
    wrong("a next hop of another type than is said", ROUTE_1, "- {destination: 0.0.0.0/0, next_hop: ngw-1, "
          "next_hop_type: »Instance}", "NAT gateway"),
    wrong("an own side that is a group", RULE_1,
          RULE_1.replace("- {", "- »{").replace("0.0.0.0/0}", "0.0.0.0/0, destination: sg-2}"), "own side"),
]  # fmt: skip

# -- what must hold between the objects --------------------------------------------------------------------------------

BETWEEN = [
    wrong("a vswitch outside its vpc", "cidr: 172.16.1.0/24", "cidr: »172.17.1.0/24",
          "172.17.1.0/24 is outside its VPC vpc-2 (172.16.0.0/16)"),
    wrong("a vswitch wider than its vpc", "cidr: 172.16.1.0/24", "cidr: »172.16.0.0/15", "is outside its VPC vpc-2"),
    wrong("a vswitch whose IPv6 block is outside", "  vsw-3:",
          '  vsw-4: {vpc: vpc-1, cidr: 10.0.4.0/24, ipv6_cidr: »"2001:db8:2::/64"}\n  vsw-3:', "outside its VPC vpc-1"),
    wrong("a vswitch with an IPv6 block in a vpc without", "cidr: 172.16.1.0/24",
          'cidr: 172.16.1.0/24, ipv6_cidr: »"2001:db8:2::/64"', "outside its VPC vpc-2"),
    wrong("vswitches that overlap", "  vsw-3:", "  vsw-4: {vpc: vpc-1, cidr: »10.0.2.128/25}\n  vsw-3:",
          "10.0.2.128/25 overlaps 10.0.2.0/24 of vSwitch vsw-2"),
    wrong("vswitches whose IPv6 blocks overlap", "  vsw-3:",
          '  vsw-4: {vpc: vpc-1, cidr: 10.0.4.0/24, ipv6_cidr: »"2001:db8:1::/65"}\n  vsw-3:', "of vSwitch vsw-1"),
    wrong("blocks of a vpc that overlap", "cidrs: [172.16.0.0/16], account",
          "cidrs: [172.16.0.0/16, »172.16.128.0/17], account", "172.16.128.0/17 overlaps 172.16.0.0/16"),
    wrong("an address outside its vswitch", "ip: 10.0.2.30,", "ip: »10.0.3.30,",
          "10.0.3.30 is outside its vSwitch vsw-2 (10.0.2.0/24)"),
    wrong("a secondary address outside its vswitch", "[10.0.2.11]", "[»10.0.3.11]", "10.0.3.11 is outside its vSwitch"),
    wrong("an IPv6 address outside its vswitch", '"2001:db8:1::10"', '»"2001:db8:2::10"', "is outside its vSwitch vsw-1"),
    wrong("an IPv6 address in a vswitch without", "secondary_ips: [10.0.2.11]", 'ipv6_addresses: [»"2001:db8:1::11"]',
          "vSwitch vsw-2 has no IPv6 block"),
    wrong("an address that is taken", "ip: 10.0.1.40", "ip: »10.0.1.10", "10.0.1.10 is taken: eni-1 has it"),
    wrong("an address that is taken as a secondary one", "ip: 10.0.2.30,", "ip: »10.0.2.11,",
          "10.0.2.11 is taken: eni-2 has it"),
    wrong("a secondary address that is the primary one", "[10.0.2.11]", "[»10.0.2.10]", "10.0.2.10 is taken: eni-2"),
    wrong("a secondary address that stands twice", "[10.0.2.11]", "[10.0.2.11, »10.0.2.11]", "10.0.2.11 is taken"),
    wrong("an IPv6 address that is taken", "ip: 10.0.1.40,", 'ip: 10.0.1.40, ipv6_addresses: [»"2001:DB8:1:0::10"],',
          "2001:db8:1::10 is taken: eni-1 has it"),
    wrong("an IPv6 address that stands twice in two spellings", '["2001:db8:1::10"]',
          '["2001:db8:1::10", »"2001:db8:1:0:0::10"]', "2001:db8:1::10 is taken"),
    wrong("a public address that is taken", "ip: 203.0.113.20, bound", "ip: »203.0.113.10, bound",
          "203.0.113.10 is taken: eip-1 has it"),
    wrong("an eip that is a static public address", "ip: 203.0.113.20, bound", "ip: »203.0.113.40, bound",
          "203.0.113.40 is taken: i-2 has it"),
    wrong("two public addresses of one private one", "  eip-2:", "  eip-3: {ip: 203.0.113.30, bound_to: »eni-1}\n  eip-2:",
          "has a public address already: eip-1"),
    wrong("an eip and a static address of one instance",
          "  eip-2: {ip: 203.0.113.20, bound_to: ngw-1}",
          "  eip-2: {ip: 203.0.113.20, bound_to: ngw-1}\n  eip-3: {ip: 203.0.113.30, bound_to: »i-2}",
          "static public address already: 203.0.113.40"),
    wrong("an eip for an address that its eni has not", "bound_to: i-1,", "bound_to: i-1, private_ip: »10.0.1.11,",
          "10.0.1.11 is no address of eni-1"),
    wrong("groups of both types on one eni", "security_groups: [sg-2]", "security_groups: »[sg-2, sg-e]",
          "groups of both types on one ENI: sg-2 (normal) and sg-e (enterprise)"),
    wrong("a group of another vpc", "security_groups: [sg-2]", "security_groups: [sg-2, »sg-3]",
          "group `sg-3` belongs to VPC vpc-2; the ENI stands in vpc-1"),
    wrong("a group that is named twice", "security_groups: [sg-2]", "security_groups: [sg-2, »sg-2]",
          "group `sg-2` is named twice"),
    wrong("an eni without a group", "security_groups: [sg-2]", "security_groups: »[]", "at least one security group"),
    wrong("an acl of another vpc", "network_acl: acl-1,", "network_acl: »acl-2,",
          "network ACL `acl-2` belongs to VPC vpc-2, not to vpc-1"),
    wrong("a table of another vpc", "route_table: rtb-1}", "route_table: »rtb-2}",
          "route table `rtb-2` belongs to VPC vpc-2, not to vpc-1"),
    wrong("a nat gateway in a vswitch of another vpc", "    vswitch: vsw-1", "    vswitch: »vsw-3",
          "vSwitch `vsw-3` belongs to VPC vpc-2, not to vpc-1"),
    wrong("a row that leads into another vpc", "rtb-2: {vpc: vpc-2, routes: []}",
          "rtb-2: {vpc: vpc-2, routes: [{destination: 0.0.0.0/0, next_hop: »ngw-1}]}",
          "`ngw-1` stands in VPC vpc-1, not in vpc-2"),
    wrong("a havip whose master is elsewhere", "nat_gateways:",
          "havips: {hv-1: {vswitch: vsw-3, ip: 172.16.1.9, master: »i-1}}\nnat_gateways:",
          "`i-1` stands in VPC vpc-1, not in vpc-2"),
    wrong("a server of another vpc", "nat_gateways:",
          "load_balancers: {lb-1: {type: clb, vpc: vpc-2, server_groups: {web: {servers: [{server: »i-1}]}}}}\nnat_gateways:",
          "`i-1` stands in VPC vpc-1, not in vpc-2"),
    wrong("an enterprise group whose members reach each other", "  sg-e: {vpc: vpc-1, type: enterprise}",
          "  »sg-e: {vpc: vpc-1, type: enterprise, inner_access_policy: Accept}", "always Drop"),
    wrong("two system tables of one vpc", "rtb-2: {vpc: vpc-2,",
          "rtb-3: {vpc: vpc-2, type: system}\n  rtb-2: {vpc: vpc-2, type: »system,",
          "VPC vpc-2 has a system table already: rtb-3"),
    wrong("a destination twice in a table", "destination: 172.16.0.0/16, next", "destination: »0.0.0.0/0, next",
          "0.0.0.0/0 stands twice in the table"),
    wrong("two primary enis", f"    network_interfaces:\n      {ENI_1}security_groups: [sg-1]}}\n      eni-2: {{type: secondary",
          f"    »network_interfaces:\n      {ENI_1}security_groups: [sg-1]}}\n      eni-2: {{type: primary",
          "one primary ENI, i-1 has 2"),
    wrong("two enis and none primary", f"    network_interfaces:\n      {ENI_1}",
          f"    »network_interfaces:\n      {ENI_1.replace('type: primary, ', '')}",
          "one primary ENI, i-1 has 0", "type: primary"),
    wrong("a snat entry with an address that is bound to another", "eip: eip-2}\n", "eip: »eip-1}\n",
          "EIP `eip-1` is bound to i-1, not to ngw-1"),
    wrong("an assumption that is not known", "{intra_group_egress: accept_wins}", "{»intra_group_egres: accept_wins}",
          "unknown assumption `intra_group_egres`", "did you mean `intra_group_egress`?"),
    wrong("an assumption that cannot have the value", "{intra_group_egress: accept_wins}",
          "{intra_group_egress: »custom}", "assumption intra_group_egress cannot be `custom` (accept_wins or custom_wins)"),
    odd("a rule that references a group of another vpc", "source: sg-2}", "source: »sg-3}",
        "`sg-3` is a group of another VPC (vpc-2)"),
    odd("a rule that references its own group", "source: sg-2}", "source: »sg-1}", "references sg-1 itself",
        "inner_access_policy"),
    odd("an enterprise group that references a group", "type: enterprise}",
        "type: enterprise, rules: [{direction: ingress, source: »sg-2}]}", "the enterprise group sg-e references a group"),
    odd("a rule that references an enterprise group", "source: sg-2}", "source: »sg-e}", "`sg-e` is an enterprise group"),
]  # fmt: skip

# -- what may be declared unknown, and what not ------------------------------------------------------------------------

UNKNOWN = "{unknown: not collected}"
KNOWABLE = {
    "the acl of a vswitch": ("network_acl: acl-1", f"network_acl: {UNKNOWN}"),
    "the table of a vswitch": ("route_table: rtb-1", f"route_table: {UNKNOWN}"),
    "the inner access policy": ("inner_access_policy: Accept", f"inner_access_policy: {UNKNOWN}"),
    "the rules of a group": ("sg-2: {vpc: vpc-1, rules: []}", f"sg-2: {{vpc: vpc-1, rules: {UNKNOWN}}}"),
    "what comes in by an acl": ("ingress:\n      - " + ACL_IN, f"ingress: {UNKNOWN}"),
    "what leaves by an acl": ("egress:\n      - {policy: accept, protocol: all, destination: 0.0.0.0/0}",
                              f"egress: {UNKNOWN}"),
    "the rows of a table": ("rtb-2: {vpc: vpc-2, routes: []}", f"rtb-2: {{vpc: vpc-2, routes: {UNKNOWN}}}"),
    "the entries of a prefix list": ("entries: [192.168.0.0/16]", f"entries: {UNKNOWN}"),
    "what an eip is bound to": ("bound_to: i-1,", f"bound_to: {UNKNOWN},"),
    "whether an account is overdue": ("account: {overdue: false}\na", f"account: {{overdue: {UNKNOWN}}}\na"),
    "the state of an instance": ("status: Running", f"status: {UNKNOWN}"),
    "the state of an eni": ("eni-1: {type: primary,", f"eni-1: {{status: {UNKNOWN}, type: primary,"),
    "the groups of an eni": ("security_groups: [sg-2]", f"security_groups: {UNKNOWN}"),
}  # fmt: skip
NOT_KNOWABLE = [
    wrong(f"{of} cannot be declared unknown", old, new.replace("?", UNKNOWN), "cannot be declared unknown")
    for of, old, new in (
        ("the region", "region: cn-hangzhou\n", "»region: ?\n"),
        ("the moment", "collected_at: 2026-11-24T08:00:00Z", "»collected_at: ?"),
        ("the block of a vswitch", "cidr: 10.0.2.0/24,", "»cidr: ?,"),
        ("the vpc of a group", "sg-2: {vpc: vpc-1,", "sg-2: {»vpc: ?,"),
        ("the type of a group", "type: enterprise", "»type: ?"),
        ("the policy of a rule", "policy: drop, priority: 100", "»policy: ?, priority: 100"),
        ("the priority of a rule", "priority: 2,", "»priority: ?,"),
        ("the protocol of a rule", "protocol: all, destination: pl-1", "»protocol: ?, destination: pl-1"),
        ("the ports of a rule", "ports: 22/22", "»ports: ?"),
        ("the next hop of a route", "next_hop: pcc-1,", "»next_hop: ?,"),
        ("the address of an eni", "ip: 10.0.2.30,", "»ip: ?,"),
        ("the load of a cpu", "cpu_percent: 35", "»cpu_percent: ?"),
        ("the agent", "cloud_assistant: true", "»cloud_assistant: ?"),
        ("the listeners", "listening: [{protocol: tcp, port: 22, process: sshd}]", "»listening: ?"),
        ("the port of a dnat entry", "external_port: 8022", "»external_port: ?"),
    )
]
DECLARED = [
    *NOT_KNOWABLE,
    wrong("a reason that is no text", "status: Running", "status: {unknown: »5}", "text"),
    wrong("a reason that is nothing", "status: Running", "status: {unknown: »~}", "text"),
    wrong("a reason beside another key", "status: Running", "status: {unknown: why, »since: today}",
          "unknown key `since`"),
    wrong("a reason that is too long", "status: Running", f"status: {{unknown: »{'x' * 301}}}", "300"),
    wrong("a reason of an object that is no text", "unknown: {lost: never described}", "unknown: {lost: »7}",
          "expected text, found `7`"),
]  # fmt: skip

CASES = [*UNKNOWN_KEYS, *IDS, *SCALARS, *ADDRESSES, *PORTS, *DANGLING, *NOWHERE_NEAR, *OF_ANOTHER_KIND,
         *MORE_REFERENCES, *BETWEEN, *DECLARED]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_problem_is_told_once_at_its_place(case: Case, tmp_path: Path) -> None:
    assert_as_marked(tmp_path, edited(case.old, case.new), case.said)


# -- the cloud's limits ------------------------------------------------------------------------------------------------

SMALL = """\
vpcs:
  vpc-1: {cidrs: [10.0.0.0/16]}
vswitches:
  vsw-1: {vpc: vpc-1, cidr: 10.0.1.0/24}
"""
RULE = "{direction: ingress, source: 10.0.0.0/8}"


def listed(parts: list[str]) -> str:
    return f"[{', '.join(parts)}]"


def groups_of_an_eni(count: int) -> str:
    names = [f"sg-{n}" for n in range(count)]
    groups = "".join(f"  {name}: {{vpc: vpc-1}}\n" for name in names)
    return f"""{SMALL}security_groups:\n{groups}network_interfaces:
  eni-1: {{vswitch: vsw-1, ip: 10.0.1.10, security_groups: »{listed(names)}}}\n"""


def rules_of_a_group(count: int) -> str:
    return f"{SMALL}security_groups:\n  »sg-1: {{vpc: vpc-1, rules: {listed([RULE] * count)}}}\n"


def references_of_a_group(count: int) -> str:
    references = ["{direction: ingress, source: sg-2}"] * count
    return f"{SMALL}security_groups:\n  »sg-1: {{vpc: vpc-1, rules: {listed(references)}}}\n  sg-2: {{vpc: vpc-1}}\n"


def rules_of_an_eni(count: int) -> str:
    sizes = [200] * (count // 200) + [count % 200]
    groups = "".join(f"  sg-{n}: {{vpc: vpc-1, rules: {listed([RULE] * size)}}}\n" for n, size in enumerate(sizes))
    return f"""{SMALL}security_groups:\n{groups}network_interfaces:
  eni-1: {{vswitch: vsw-1, ip: 10.0.1.10, security_groups: »{listed([f"sg-{n}" for n in range(len(sizes))])}}}\n"""


def entries_of_an_acl(count: int) -> str:
    entries = ["{policy: accept, destination: 10.0.0.0/8}"] * count
    return f"{SMALL}network_acls:\n  acl-1: {{vpc: vpc-1, egress: »{listed(entries)}}}\n"


LIMITS = [
    (groups_of_an_eni, 10, "11 groups on one ENI; the cloud allows 10"),
    (rules_of_a_group, 200, "201 rules; the cloud allows 200"),
    (references_of_a_group, 20, "21 rules that reference a group; the cloud allows 20"),
    (rules_of_an_eni, 1000, "1001 rules over the groups of one ENI; the cloud allows 1000"),
    (entries_of_an_acl, 20, "21 egress entries; the cloud allows 20"),
]


@pytest.mark.parametrize(("build", "most", "message"), LIMITS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_the_cloud_would_refuse_by_its_number_is_warned_of(
    build: Callable[[int], str], most: int, message: str, tmp_path: Path
) -> None:
    assert_as_marked(tmp_path, build(most + 1), Said(message, severity=Severity.WARNING))
    assert told(written(tmp_path, build(most).replace(MARK, ""))) == ()


# -- what is right -----------------------------------------------------------------------------------------------------


def test_the_base_of_the_cases_is_valid_without_a_warning(tmp_path: Path) -> None:
    assert told(written(tmp_path, BASE)) == ()


def test_the_example_of_the_format_is_valid_without_a_warning(tmp_path: Path) -> None:
    reading: Reading = read_topology(str(written(tmp_path, EXAMPLE)))
    assert reading.warnings == ()
    held = {section: len(getattr(reading.topology, section)) for section in SECTIONS}
    assert {section: count for section, count in held.items() if count} == {
        "vpcs": 2, "vswitches": 2, "security_groups": 2, "network_acls": 1, "route_tables": 1, "eips": 3,
        "nat_gateways": 1, "peerings": 1, "instances": 1,
    }  # fmt: skip
    assert reading.topology.place("security_groups", "sg-web", "rules", 1).line == 22
    assert reading.topology.instances["i-a"].guest is not None


ACCEPTED = {
    "words in another case": ("type: enterprise", "type: ENTERPRISE"),
    "a policy in capitals": ("policy: drop, priority: 100", "policy: Drop, priority: 100"),
    "a protocol in capitals": ("protocol: all, destination: pl-1", "protocol: ALL, destination: pl-1"),
    "a protocol by its number": ("protocol: all, destination: pl-1", "protocol: 47, destination: pl-1"),
    "a rule without a priority": ("priority: 2, ", ""),
    "a rule without a protocol": ("protocol: all, destination: pl-1", "destination: pl-1"),
    "no ports of icmp": (RULE_1, RULE_1.replace("tcp, ports: 22/22", "icmp, ports: -1/-1")),
    "every port": (RULE_1, RULE_1.replace("22/22", "-1/-1")),
    "the first and the last port": (RULE_1, RULE_1.replace("22/22", "1/65535")),
    "port zero of an acl": (ACL_IN, ACL_IN.replace("1/65535", "0/65535")),
    "True and FALSE": ("cloud_assistant: true", "cloud_assistant: True"),
    "null for what may be left out": ("    os: {name", "    health: null\n    os: {name"),
    "an empty section": (f"network_interfaces:\n  {ENI_3}", "network_interfaces:"),
    "a section without an object": (f"network_interfaces:\n  {ENI_3}", "network_interfaces: {}"),
    "a moment with an offset": ("collected_at: 2026-11-24T08:00:00Z", "collected_at: 2026-11-24T16:00:00+08:00"),
    "a quoted moment": ("collected_at: 2026-11-24T08:00:00Z", 'collected_at: "2026-11-24T08:00:00Z"'),
    "a lone address for a block": ("entries: [192.168.0.0/16]", "entries: [192.168.7.7]"),
    "a next hop that only its type describes": (ROUTE_1, "- {destination: 0.0.0.0/0, next_hop: vpn-9, "
                                                "next_hop_type: VpnGateway}"),
    "a peer that only its blocks describe": ("peer_vpc: vpc-2,", "peer_vpc: vpc-far, peer_cidrs: [172.16.0.0/12],"),
    "an instance's only eni of no type": ("eni-4: {vswitch", "eni-4: {name: only, vswitch"),
    "a nat entry for a whole address": ("protocol: tcp, external_port: 8022, internal_ip: 10.0.2.10, internal_port: 22}",
                                        "protocol: any, internal_ip: 10.0.2.10}"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), ACCEPTED.values(), ids=ACCEPTED)
def test_what_the_format_allows_is_read_without_a_word(old: str, new: str, tmp_path: Path) -> None:
    assert [problem.in_full() for problem in told(written(tmp_path, edited(old, new)))] == []


def assert_can_be_asked(path: Path) -> None:
    """It is valid without a warning, and no question of it is a defect."""
    assert [problem.in_full() for problem in told(path)] == []
    net = netinsight.load(str(path))
    for asked in (
        "i-1 i-2",
        "i-2 i-1",
        "internet i-1",
        "eni-2 172.16.1.9",
        "i-1 8.8.8.8",
        "eni-2 8.8.8.8",
        "i-1 8.8.4.4",
    ):
        for family in (None, 6):
            source, destination = asked.split()
            with contextlib.suppress(QuestionError):
                net.diagnose(source, destination, port=22, family=family).text()


@pytest.mark.parametrize(("old", "new"), KNOWABLE.values(), ids=KNOWABLE)
def test_a_value_that_decides_may_be_declared_unknown(old: str, new: str, tmp_path: Path) -> None:
    assert_can_be_asked(written(tmp_path, edited(old, new)))


@pytest.mark.parametrize("of", REFERENCES)
def test_a_reference_to_what_is_declared_unknown_is_valid(of: str, tmp_path: Path) -> None:
    old, before, after, *_ = REFERENCES[of]
    assert_can_be_asked(written(tmp_path, edited(old, f"{before}lost{after}")))


def test_a_group_that_is_declared_unknown_makes_the_answer_undetermined_and_names_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, edited("ip: 10.0.1.40, security_groups: [sg-1]", "ip: 10.0.1.40, security_groups: [lost]"))
    assert run(["diagnose", str(path), "--src", "i-1", "--dst", "i-2", "--port", "22"]) == 3
    assert "never described" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "verdict"),
    [("10.0.2.77/24", "reachable"), ("10.0.2.77/32", "unreachable"), ("10.0.2.77/9", "reachable")],
)
def test_host_bits_of_a_rule_are_masked_where_it_is_applied(source: str, verdict: str, tmp_path: Path) -> None:
    text = edited("ports: 22/22, source: 0.0.0.0/0}", f"ports: 22/22, source: {source}}}")
    net = netinsight.load(str(written(tmp_path, text)))
    assert net.diagnose("eni-2", "i-2", port=22, guest=False).verdict == verdict
    assert len(net.warnings) == (source[-3:] != "/32")


# -- many problems, and several files ----------------------------------------------------------------------------------


def test_all_the_problems_of_a_file_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, places = marked("""\
schema: netinsight.topology/1
»regoin: cn-hangzhou
collected_at: »2026-11-24T08:00:00
vpcs:
  vpc-1: {cidrs: [10.0.0.0/16]}
  »vpc-1: {cidrs: [10.1.0.0/16]}
  vpc-2: {cidrs: [»172.16.0.1/16]}
vswitches:
  vsw-1: {vpc: vpc-1, cidr: 10.0.1.0/24, »zoen: a}
  vsw-2: {vpc: vpc-1, cidr: »10.0.1.128/25}
  vsw-3: {vpc: »vpc-9, cidr: 10.0.3.0/24}
security_groups:
  sg-1:
    vpc: vpc-1
    rules:
      - {direction: ingress, priority: »012, protocol: tcp, ports: »22:22, source: 0.0.0.0/0}
      - {direction: ingress, protocol: tcp, ports: 22/22, source: 0.0.0.0/0}
      - »{direction: ingress, protocol: icmp, ports: 22/22, source: 0.0.0.0/0}
      - {direction: ingress, protocol: tcp, ports: 22/22, source: »sg-9}
      - {direction: ingress, protocol: tcp, ports: 22/22, source: »10.0.0.7/8}
instances:
  i-1:
    cloud_assistant: »yes
    network_interfaces:
      eni-1: {vswitch: vsw-1, ip: »10.0.9.10, security_groups: [sg-1, »sg-2]}
""")
    path = written(tmp_path, text)
    problems = told(path)
    assert [(problem.place.line, problem.place.column) for problem in problems] == places
    assert run(["validate", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    heads = [line for line in lines if not line.startswith("    ")]
    assert heads == [problem.headline for problem in problems]
    assert [head for head in heads if not re.match(rf"{re.escape(str(path))}:[0-9]+:[0-9]+: \S", head)] == []
    assert [head.partition(" ")[2] for head in heads if "warning: " in head] == [
        "warning: `10.0.0.7/8` has host bits set; they are masked: 10.0.0.0/8"
    ]


def test_a_problem_after_a_rule_that_was_left_out_keeps_its_place(tmp_path: Path) -> None:
    text, places = marked("""\
vpcs: {vpc-1: {cidrs: [10.0.0.0/16]}}
security_groups:
  sg-1:
    vpc: vpc-1
    rules:
      - »{direction: ingress, ports: 1/1, protocol: icmp, source: 10.0.0.0/8}
      - {direction: ingress, ports: 2/2, protocol: tcp, source: »nothing}
      - »{direction: ingress, ports: 3/3, protocol: icmp, source: 10.0.0.0/8}
      - {direction: ingress, ports: 4/4, protocol: tcp, source: »nobody}
""")
    assert [(p.place.line, p.place.column) for p in told(written(tmp_path, text))] == places


def test_a_problem_in_rules_that_an_alias_repeats_is_told_where_they_stand(tmp_path: Path) -> None:
    text, places = marked("""\
vpcs: {vpc-1: {cidrs: [10.0.0.0/16]}}
security_groups:
  sg-1:
    vpc: vpc-1
    rules: &rules
      - »{direction: ingress, ports: 1/1, protocol: icmp, source: 10.0.0.0/8}
      - {direction: ingress, ports: 2/2, protocol: tcp, source: 10.0.0.0/8}
      - »{direction: ingress, ports: 3/3, protocol: icmp, source: 10.0.0.0/8}
      - {direction: ingress, ports: 4/4, protocol: tcp, source: »nobody}
  sg-2: {vpc: vpc-1, rules: *rules}
""")
    assert sorted({(p.place.line, p.place.column) for p in told(written(tmp_path, text))}) == places


def test_an_object_that_could_not_be_read_is_not_missing_elsewhere(tmp_path: Path) -> None:
    text, places = marked("""\
vpcs:
  vpc-1: {cidrs: »10.0.0.0/16}
vswitches:
  vsw-1: {vpc: vpc-1, cidr: »10.0.1.0/33}
security_groups:
  »sg-1: {rules: []}
network_interfaces:
  eni-1: {vswitch: vsw-1, ip: 10.0.1.10, security_groups: [sg-1]}
""")
    assert [(p.place.line, p.place.column) for p in told(written(tmp_path, text))] == places


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("vpcs: {vpc-1: {cidrs: [10.0.0.0/16]}}", "vpcs:\n  »vpc-1: {cidrs: [10.1.0.0/16]}", "`vpc-1` is described already at"),
        ("vpcs: {vpc-1: {cidrs: [10.0.0.0/16]}}", "vpcs:\n  »vpc-1: {cidrs: [10.0.0.0/16]}", "`vpc-1` is described already at"),
        ("vpcs: {x: {cidrs: [10.0.0.0/16]}}", "security_groups:\n  »x: {vpc: x}", "the id `x` is taken: it is the id of a VPC"),
        ("region: cn-hangzhou", "»region: cn-beijing", "`region` is told differently at"),
    ],
    ids=["another object of one id", "the same object again", "an id of another section", "another region"],
)  # fmt: skip
def test_what_two_files_of_a_folder_both_say_is_told_at_the_second(
    first: str, second: str, message: str, tmp_path: Path
) -> None:
    text, places = marked(second + "\n")
    written(tmp_path, first + "\n", "a.yaml")
    path = written(tmp_path, text, "b.yaml")
    (problem,) = told(tmp_path)
    assert [(problem.place.file, problem.place.line, problem.place.column)] == [(str(path), *places[0])]
    assert message in problem.message
    if " already at" in message or "differently" in message:
        assert str(tmp_path / "a.yaml:1") in problem.message
    assert_well_told(problem, path, text)


def test_a_caret_stands_below_its_column_after_chinese_text(tmp_path: Path) -> None:
    text = edited("vsw-2: {vpc: vpc-1, cidr: 10.0.2.0/24", "vsw-2: {name: 数据库, vpc: vpc-1, cidr: »10.0.2.0/33")
    assert_as_marked(tmp_path, text, Said(NO_CIDR))


def test_a_misspelt_key_is_one_mistake_and_not_a_missing_one_too(tmp_path: Path) -> None:
    text = edited("security_groups: [sg-2]", "security_group: [sg-2]")
    messages = [problem.message for problem in told(written(tmp_path, text))]
    assert "unknown key `security_group`" in messages
    assert "`security_groups` is missing" not in messages
