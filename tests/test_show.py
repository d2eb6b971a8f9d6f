"""``netinsight show``: everything that a topology holds stands in it, each place is true, and no name breaks a drawing."""

# ruff: noqa: F401, F811  (a fixture is imported, and taken by its name)
from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from netinsight.api import Net, load
from netinsight.model.topology import SECTIONS
from netinsight.render.layout import WIDTH
from tests.conftest import ROOT
from tests.sources.test_hostile import CONTROL
from tests.test_cli import Command, command, web

FULL = """\
schema: netinsight.topology/1
region: cn-hangzhou
collected_at: 2026-11-24T08:00:00Z
vpcs:
  vpc-prod: {name: production, cidrs: [10.0.0.0/16], ipv6_cidr: "2001:db8:1::/56"}
  vpc-shared: {cidrs: [172.16.0.0/16]}
vswitches:
  vsw-web: {vpc: vpc-prod, cidr: 10.0.1.0/24, ipv6_cidr: "2001:db8:1::/64", zone: cn-hangzhou-h, network_acl: nacl-web}
  vsw-db: {vpc: vpc-prod, cidr: 10.0.2.0/24, zone: cn-hangzhou-i, route_table: rtb-db}
security_groups:
  sg-web:
    vpc: vpc-prod
    rules:
      - {direction: ingress, policy: accept, priority: 50, protocol: tcp, ports: prl-web, source: pl-offices}
      - {direction: egress, policy: drop, priority: 100, protocol: all, destination: 10.0.9.0/24}
      - {direction: ingress, policy: accept, priority: 2, protocol: tcp, ports: 22/22, source: sg-ops}
      - {direction: ingress, policy: drop, priority: 2, protocol: tcp, ports: 22/22, source: 10.0.8.0/24}
      - {direction: egress, policy: accept, priority: 1, protocol: all, destination: 10.0.7.0/24}
  sg-ops:
    vpc: vpc-prod
    rules:
      - {direction: ingress, priority: 3, protocol: udp, source: 10.0.0.0/8}
network_acls:
  nacl-web:
    vpc: vpc-prod
    ingress:
      - {policy: accept, protocol: tcp, ports: 22/80, source: 10.0.6.0/24}
      - {policy: drop, protocol: tcp, ports: 1024/65535, source: 10.0.5.0/24}
    egress:
      - {policy: accept, protocol: all, destination: 10.0.4.0/24}
route_tables:
  rtb-db:
    vpc: vpc-prod
    type: custom
    routes:
      - {destination: 0.0.0.0/0, next_hop: ngw-1}
      - {destination: 172.16.0.0/16, next_hop: pcc-shared}
      - {destination: 172.17.0.0/16, next_hop: pcc-shared, status: Pending}
prefix_lists:
  pl-offices: {family: IPv4, entries: [192.0.2.0/24, 198.51.100.0/24]}
port_lists:
  prl-web: [80/80, 443/443]
eips:
  eip-1: {ip: 203.0.113.10, bound_to: i-a, bandwidth_mbps: 5}
  eip-2: {ip: 203.0.113.20, bound_to: ngw-1}
nat_gateways:
  ngw-1: {vpc: vpc-prod, vswitch: vsw-web, snat: [{source: 10.0.2.0/24, eip: eip-2}]}
ipv4_gateways:
  ipv4gw-1: {vpc: vpc-shared, enabled: false}
ipv6_gateways:
  ipv6gw-1: {vpc: vpc-prod, internet: [{ip: "2001:db8:1::a", bandwidth_mbps: 5}]}
havips:
  havip-1: {vswitch: vsw-web, ip: 10.0.1.100, master: i-a, members: [i-a]}
peerings:
  pcc-shared: {vpc: vpc-prod, peer_vpc: vpc-shared, status: Activated}
router_interfaces:
  ri-1: {router: vpc-prod, opposite: ri-2}
  ri-2: {router: vbr-1, opposite: ri-1}
vbrs:
  vbr-1: {routes: [{destination: 192.168.0.0/16, next_hop: idc}, {destination: 10.0.0.0/16, next_hop: ri-2}]}
transit_routers:
  tr-1:
    attachments:
      tr-attach-1: {to: vpc-prod, vswitches: [vsw-web], route_table: trt-1, propagates_to: [trt-1]}
    route_tables: {trt-1: {routes: [{destination: 10.9.0.0/16, blackhole: true}]}}
vpn_gateways:
  vpn-1:
    vpc: vpc-prod
    connections: {vco-1: {network: office, remote_cidrs: [192.168.9.0/24]}}
    routes: [{destination: 192.168.9.0/24, connection: vco-1}]
networks:
  idc: {cidrs: [192.168.0.0/16]}
  office: {cidrs: [192.168.9.0/24]}
load_balancers:
  lb-1:
    vpc: vpc-prod
    vswitch: vsw-web
    ip: 10.0.1.200
    listeners: [{port: 80, server_group: rsp-1}]
    server_groups: {rsp-1: {servers: [{server: i-a, port: 8080, health: healthy}]}}
instances:
  i-a:
    name: web server
    network_interfaces:
      eni-a:
        type: primary
        vswitch: vsw-web
        ip: 10.0.1.10
        secondary_ips: [10.0.1.11]
        ipv6_addresses: ["2001:db8:1::a"]
        security_groups: [sg-ops, sg-web]
      eni-a2: {type: secondary, status: Detaching, vswitch: vsw-db, ip: 10.0.2.10, security_groups: [sg-ops]}
  i-b:
    status: Stopped
    public_ip: 203.0.113.30
    network_interfaces:
      eni-b: {vswitch: vsw-db, ip: 10.0.2.20, security_groups: [sg-ops]}
network_interfaces:
  eni-c: {name: spare part, status: Available, vswitch: vsw-db, ip: 10.0.2.30, security_groups: [sg-ops]}
  eni-gone: {vswitch: vsw-gone, ip: 10.0.3.30, security_groups: [sg-ops]}
unknown: {vsw-gone: not exported}
"""
"""Two objects of most sections, and each state once."""

EXAMPLES = sorted(path.stem for path in (ROOT / "topologies").glob("*.yaml") if path.stem != "large-estate")
FORMS = ("text", "mermaid", "dot", "svg")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the topology above, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("full.yaml").write_text(FULL, encoding="utf-8")
    return "full.yaml"


def shown(command: Command, *words: str) -> str:
    """What ``show`` prints, and nothing else."""
    answer = command("show", *words)
    assert (answer.status, answer.err) == (0, ""), answer.err
    assert not CONTROL.search(answer.out)
    return answer.out


def places(page: str) -> list[tuple[str, str, int]]:
    """The (rule, file, line) that stand in a page, in their order."""
    found = re.findall(r"\[(\S+) (\S+):(\d+)\]", re.sub(r"\s+", " ", page))
    return [(rule, file, int(line)) for rule, file, line in found]


def part(page: str, title: str) -> str:
    """The lines of a page beneath a title."""
    return re.split(r"^  \S", page.partition(f"  {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


# -- the tree ----------------------------------------------------------------------------------------------------------


def test_the_tree_has_each_vswitch_below_its_vpc_and_each_eni_below_its_vswitch(command: Command, full: str) -> None:
    home, below = "", []
    for line in shown(command, full).splitlines():
        depth = len(re.match("[ │├└─]*", line)[0]) // 4  # type: ignore[index]
        name = line.strip("│├└─ ").split()[0]
        if depth == 1:
            home = name
        below.append((depth, name, home if depth == 2 else ""))
    assert below == [
        (0, "vpc-prod", ""), (1, "vsw-web", ""), (2, "eni-a", "vsw-web"), (1, "vsw-db", ""), (2, "eni-a2", "vsw-db"),
        (2, "eni-b", "vsw-db"), (2, "eni-c", "vsw-db"), (1, "ngw-1", ""), (1, "ipv6gw-1", ""), (1, "havip-1", ""),
        (1, "lb-1", ""), (1, "vpn-1", ""), (2, "vco-1", "vpn-1"), (1, "ri-1", ""), (1, "0.0.0.0/0", ""),
        (1, "172.16.0.0/16", ""), (0, "vpc-shared", ""), (1, "ipv4gw-1", ""), (0, "eni-gone", ""),
        (0, "pcc-shared", ""), (0, "vbr-1", ""), (1, "ri-2", ""), (0, "tr-1", ""), (1, "tr-attach-1", ""),
        (0, "idc", ""), (0, "office", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "told"),
    [("vpc-prod", ["production", "10.0.0.0/16", "2001:db8:1::/56"]), ("vsw-web", ["10.0.1.0/24", "cn-hangzhou-h", "nacl-web"]),
     ("vsw-db", ["10.0.2.0/24", "rtb-db"]), ("eni-a", ["10.0.1.10", "i-a", "web server", "203.0.113.10"]),
     ("eni-a2", ["10.0.2.10", "i-a", "Detaching"]), ("eni-b", ["10.0.2.20", "i-b", "203.0.113.30"]),
     ("eni-c", ["10.0.2.30", "spare part", "Available"]), ("0.0.0.0/0", ["ngw-1", "rtb-db"]),
     ("172.16.0.0/16", ["pcc-shared"]), ("eni-gone", ["10.0.3.30"]), ("ngw-1", ["NAT gateway", "203.0.113.20"]),
     ("ipv4gw-1", ["IPv4 gateway", "not enabled"]), ("ipv6gw-1", ["IPv6 gateway"]), ("havip-1", ["10.0.1.100", "→ eni-a"]),
     ("lb-1", ["load balancer", "CLB", "10.0.1.200"]), ("vco-1", ["→ office", "192.168.9.0/24"]),
     ("pcc-shared", ["vpc-prod ↔ vpc-shared"]), ("ri-2", ["→ vpc-prod"]), ("tr-attach-1", ["attachment", "→ vpc-prod"]),
     ("idc", ["network", "192.168.0.0/16"])],
)  # fmt: skip
def test_a_line_of_the_tree_tells_what_matters(name: str, told: list[str], command: Command, full: str) -> None:
    (line,) = [line for line in shown(command, full).splitlines() if line.strip("│├└─ ").split()[0] == name]
    assert [word for word in told if word not in line] == []


def test_an_eni_that_carries_traffic_has_no_state_in_the_tree(command: Command, full: str) -> None:
    assert "InUse" not in shown(command, full)


def test_a_route_that_is_not_available_is_no_road(command: Command, full: str) -> None:
    assert "172.17.0.0/16" not in shown(command, full)


# -- one object --------------------------------------------------------------------------------------------------------

IDS = {
    "vswitches": "vsw-web", "security_groups": "sg-web", "network_acls": "nacl-web", "route_tables": "rtb-db",
    "prefix_lists": "pl-offices", "port_lists": "prl-web", "eips": "eip-1", "nat_gateways": "ngw-1",
    "peerings": "pcc-shared", "instances": "i-a", "network_interfaces": "eni-c", "ipv4_gateways": "ipv4gw-1",
    "ipv6_gateways": "ipv6gw-1", "havips": "havip-1", "router_interfaces": "ri-1", "vbrs": "vbr-1",
    "transit_routers": "tr-1", "vpn_gateways": "vpn-1", "networks": "office", "load_balancers": "lb-1",
}  # fmt: skip


def test_there_is_an_id_of_every_section() -> None:
    assert {*IDS, "vpcs"} == set(SECTIONS)


@pytest.mark.parametrize(("section", "name"), IDS.items())
def test_an_object_of_every_section_is_shown_with_its_place(
    section: str, name: str, command: Command, full: str
) -> None:
    title = shown(command, full, name).splitlines()[0]
    line = re.fullmatch(rf"{name}  {SECTIONS[section]}  \[full\.yaml:(\d+)\]", title)
    assert line, title
    assert FULL.splitlines()[int(line[1]) - 1].startswith(f"  {name}:")


@pytest.mark.parametrize(
    ("name", "told"),
    [("pl-offices", ["IPv4", "192.0.2.0/24", "198.51.100.0/24"]), ("prl-web", ["80/80", "443/443"]),
     ("eip-1", ["203.0.113.10", "i-a"]), ("eip-2", ["203.0.113.20", "ngw-1"]), ("ngw-1", ["10.0.2.0/24", "eip-2"]),
     ("pcc-shared", ["vpc-shared", "Activated"]), ("nacl-web", ["vsw-web", "nacl-web/ingress/2", "nacl-web/egress/1"]),
     ("rtb-db", ["vsw-db", "0.0.0.0/0 -> ngw-1", "rtb-db/2"]), ("sg-ops", ["eni-a", "eni-a2", "eni-b", "eni-c"]),
     ("vsw-db", ["eni-a2", "eni-b", "eni-c", "10.0.2.0/24", "rtb-db/1"]), ("i-b", ["Stopped", "203.0.113.30", "eni-b"]),
     ("i-a", ["web server", "eni-a", "eni-a2", "Detaching", "nacl-web/ingress/1", "rtb-db/1"])],
)  # fmt: skip
def test_a_page_tells_what_the_object_is(name: str, told: list[str], command: Command, full: str) -> None:
    page = shown(command, full, name)
    assert [word for word in told if word not in page] == []


def test_a_vpc_is_shown_as_its_part_of_the_tree(command: Command, full: str) -> None:
    whole = shown(command, full)
    assert shown(command, full, "vpc-shared") == "vpc-shared  172.16.0.0/16\n└── ipv4gw-1  IPv4 gateway  not enabled\n"
    assert whole.startswith(shown(command, full, "vpc-prod"))


OTHERWISE = {
    "the name of an instance": ("web server", "i-a"),
    "the name of an ENI": ("spare part", "eni-c"),
    "a private address": ("10.0.1.10", "i-a"),
    "a secondary address": ("10.0.1.11", "i-a"),
    "the address of the second ENI": ("10.0.2.10", "i-a"),
    "an IPv6 address": ("2001:db8:1::a", "i-a"),
    "an IPv6 address written at length": ("2001:0db8:0001::000a", "i-a"),
    "the address of an ENI that is attached to nothing": ("10.0.2.30", "eni-c"),
    "an EIP": ("203.0.113.10", "i-a"),
    "a static public address": ("203.0.113.30", "i-b"),
    "the EIP of a NAT gateway": ("203.0.113.20", "eip-2"),
}


@pytest.mark.parametrize(("written", "name"), OTHERWISE.values(), ids=OTHERWISE)
def test_an_object_is_found_by_its_name_and_addresses(written: str, name: str, command: Command, full: str) -> None:
    assert shown(command, full, written) == shown(command, full, name)


def test_the_page_of_an_eni_names_its_addresses_and_groups(command: Command, full: str) -> None:
    page = shown(command, full, "eni-a")
    for address in ("10.0.1.10", "10.0.1.11", "2001:db8:1::a", "203.0.113.10"):
        (line,) = re.findall(rf"^  {re.escape(address)} .*\[full\.yaml:(\d+)\]$", page, re.MULTILINE)
        assert address in FULL.splitlines()[int(line) - 1]
    assert "sg-ops, sg-web" in page


LISTS = {
    "ingress, in the order tried:": [
        ("sg-ops/ingress/intra-group", "sg-ops:"), ("sg-web/ingress/intra-group", "sg-web:"),
        ("sg-web/ingress/3", "10.0.8.0/24"), ("sg-web/ingress/2", "source: sg-ops"), ("sg-ops/ingress/1", "10.0.0.0/8"),
        ("sg-web/ingress/1", "pl-offices"), ("sg-ops/ingress/default", "sg-ops:"),
    ],
    "egress, in the order tried:": [
        ("sg-ops/egress/intra-group", "sg-ops:"), ("sg-web/egress/intra-group", "sg-web:"),
        ("sg-web/egress/2", "10.0.7.0/24"), ("sg-web/egress/1", "10.0.9.0/24"), ("sg-ops/egress/default", "sg-ops:"),
    ],
    "network ACL nacl-web, ingress:": [
        ("nacl-web/ingress/service", "nacl-web:"), ("nacl-web/ingress/1", "10.0.6.0/24"),
        ("nacl-web/ingress/2", "10.0.5.0/24"), ("nacl-web/ingress/default", "nacl-web:"),
    ],
    "network ACL nacl-web, egress:": [
        ("nacl-web/egress/service", "nacl-web:"), ("nacl-web/egress/1", "10.0.4.0/24"),
        ("nacl-web/egress/default", "nacl-web:"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("title", "rules"), LISTS.items(), ids=LISTS)
def test_the_rules_of_an_eni_stand_in_the_order_of_evaluation_with_their_lines(
    title: str, rules: list[tuple[str, str]], command: Command, full: str
) -> None:
    found = places(part(shown(command, full, "eni-a"), title))
    assert [rule for rule, _, _ in found] == [rule for rule, _ in rules]
    lines = FULL.splitlines()
    assert [text for (_, _, line), (_, text) in zip(found, rules, strict=True) if text not in lines[line - 1]] == []


def test_the_routes_of_an_eni_stand_with_the_longest_prefix_first(command: Command, full: str) -> None:
    routes = part(shown(command, full, "eni-b"), "routes of table rtb-db:")
    assert re.findall(r"\[([^]\s]+)", routes) == ["local/vsw-web", "local/vsw-db", "rtb-db/2", "service", "rtb-db/1"]
    assert "172.16.0.0/16 -> pcc-shared" in routes
    assert "172.17.0.0/16" not in routes
    assert "pcc-shared" in FULL.splitlines()[places(routes)[2][2] - 1]


def test_a_rule_tells_what_it_accepts_or_drops(command: Command, full: str) -> None:
    page = shown(command, full, "eni-a")
    for rule, text in (("sg-web/ingress/3", "drop tcp 22/22 source 10.0.8.0/24 priority 2"),
                       ("sg-web/ingress/2", "accept tcp 22/22 source sg-ops priority 2"),
                       ("sg-web/ingress/1", "accept tcp prl-web source pl-offices priority 50"),
                       ("nacl-web/ingress/2", "drop tcp 1024/65535 source 10.0.5.0/24")):  # fmt: skip
        assert f"    {text}  [{rule} " in page


def test_the_order_is_that_in_which_a_diagnosis_tries_the_rules(command: Command, full: str) -> None:
    answer = command("diagnose", full, "--src", "8.8.8.8", "--dst", "eni-a", "--port", "99", "--explain", "-o", "json")
    report = json.loads(answer.out)
    stages = {stage["stage"]: stage for path in report["paths"] for stage in path["forward"]}
    page = shown(command, full, "eni-a")
    for stage, title in (("security_group.ingress", "ingress, in the order tried:"),
                         ("network_acl.ingress", "network ACL nacl-web, ingress:")):  # fmt: skip
        tried = [rule["rule"] for rule in stages[stage]["explain"]]
        assert tried
        assert [rule for rule, _, _ in places(part(page, title))] == tried


def rule_text(net: Net, rule: str) -> str:
    """What must stand in the line of a rule: what it names; of anything else, the object it belongs to."""
    owner, _, rest = rule.partition("/")
    topology, (kind, _, number) = net.topology, rest.partition("/")
    if owner in topology.security_groups and number.isdigit():
        rules = topology.security_groups[owner].rules
        assert isinstance(rules, list)
        return [one.peer for one in rules if one.direction == kind][int(number) - 1]
    if owner in topology.network_acls and number.isdigit():
        return str(getattr(topology.network_acls[owner], kind)[int(number) - 1].peer)
    if owner in topology.route_tables:
        return str(topology.route_tables[owner].routes[int(rest) - 1].destination)  # type: ignore[union-attr]
    return rest if owner == "local" else owner


# -- every example -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("project_root")
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_shown_whole_in_every_form(name: str, command: Command) -> None:
    file = f"topologies/{name}.yaml"
    topology = load(file).topology
    enis = {one.id: one for one in topology.interfaces()}
    tree, mermaid, dot, svg = (shown(command, file, "-o", form) for form in FORMS)
    words = re.findall(r"[^\s│├└─]+", tree)
    assert [name for name in (*topology.vpcs, *topology.vswitches, *enis) if name not in words] == []
    assert {one.eni.status for one in enis.values()} - {"InUse"} <= set(words)
    read_mermaid(mermaid)
    read_dot(dot)
    titles = " ".join(title.text or "" for title in read_svg(svg).iter(f"{SVG}title")).split()
    assert [name for name in enis if name not in titles] == []
    for text in (mermaid, dot):
        assert [one.eni.ip for one in enis.values() if one.eni.ip not in text] == []


@pytest.mark.usefixtures("project_root")
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_place_that_a_page_of_an_example_tells_is_true(name: str, command: Command) -> None:
    file = f"topologies/{name}.yaml"
    net, lines = load(file), Path(file).read_text("utf-8").splitlines()
    found = {place for eni in net.network.enis for place in places(shown(command, file, eni))}
    assert found
    assert {where for _, where, _ in found} == {file}
    told = [
        (rule, line) for rule, _, line in found if "/" not in rule or rule.split("/")[0] not in net.topology.unknown
    ]
    assert [(rule, line) for rule, line in told if rule_text(net, rule) not in lines[line - 1]] == []


# -- what there is not -------------------------------------------------------------------------------------------------

REFUSED = {
    "a misspelt id": ("eni-aa", "nothing in the topology is called `eni-aa`", "did you mean `eni-a"),
    "a misspelt name": ("web sever", "`web sever`", "did you mean `web server`?"),
    "nothing like it": ("zzzzzz", "`zzzzzz`", "known: "),
    "nothing": ("", "``", "known: "),
    "the Internet": ("internet", "outside the topology", "name an object"),
    "an Internet host": ("8.8.8.8", "outside the topology", "name an object"),
    "a private address of nobody": ("10.0.1.99", "10.0.1.99", "vsw-web has 10.0.1.1"),
    "what is declared unknown": ("vsw-gone", "declared unknown: not exported", ""),
}


@pytest.mark.parametrize("form", ["text", "svg"])
@pytest.mark.parametrize(("written", "message", "hint"), REFUSED.values(), ids=REFUSED)
def test_an_object_that_is_not_there_is_2_with_a_hint(
    written: str, message: str, hint: str, form: str, command: Command, full: str
) -> None:
    answer = command("show", full, written, "--output", form)
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err.splitlines()[0]
    assert hint in answer.err


@pytest.mark.parametrize("written", ["twin", "10.0.1.10"])
def test_what_means_several_objects_is_2_and_names_them(written: str, command: Command, web: str) -> None:
    answer = command("show", web, written)
    assert (answer.status, answer.out) == (2, "")
    assert " or " in answer.err


# -- drawings ----------------------------------------------------------------------------------------------------------


def read_mermaid(text: str) -> list[str]:
    """The labels of a flowchart as Mermaid reads them; fails where a line is none that is known, or a frame is not closed."""
    lines = text.splitlines()
    assert lines[0] == "flowchart LR"
    label, labels, nodes, depth = r'"([^"]*)"', [], set(), 0
    for line in lines[1:]:
        line = line.strip()
        if frame := re.fullmatch(rf"subgraph (n\d+)\[{label}\]", line):
            depth += 1
        elif line == "end":
            depth -= 1
        elif edge := re.fullmatch(rf"(n\d+) -->\|{label}\| (n\d+)", line):
            assert {edge[1], edge[3]} <= nodes, line
            labels.append(edge[2])
            continue
        frame = frame or re.fullmatch(rf"(n\d+)(?:\[{label}\]|\(\[{label}\]\)|\(\({label}\)\))", line)
        assert frame or line == "end", line
        if frame:
            assert frame[1] not in nodes, f"{frame[1]} stands for two things"
            nodes.add(frame[1])
            labels.append(next(text for text in frame.groups()[1:] if text is not None))
        assert depth >= 0
    assert depth == 0
    for written in labels:
        assert not re.search("[<>`|]", written.replace("<br>", "")), written
    return [re.sub(r"#(\w+);", lambda code: unescape(f"&{'#' if code[1].isdigit() else ''}{code[1]};"),
                   written.replace("<br>", "\n")) for written in labels]  # fmt: skip


QUOTED = r'"((?:[^"\\]|\\.)*)"'


def read_dot(text: str) -> list[str]:
    """The labels of a digraph as Graphviz reads them; fails where one is not closed, or a name is made of the topology."""
    labels: list[str] = []

    def take(match: re.Match[str]) -> str:
        labels.append(re.sub(r"\\(.)", lambda escaped: "\n" if escaped[1] == "n" else escaped[1], match[1]))
        return "LABEL"

    plain = re.sub(QUOTED, take, text)
    assert '"' not in plain
    assert plain.startswith("digraph topology {\n")
    assert plain.endswith("}\n")
    assert plain.count("{") == plain.count("}")
    known = r"digraph topology \{|(?:graph|node|edge) \[[\w=, ]+\];|subgraph cluster_n\d+ \{|label=LABEL;|\}|" \
            r"n\d+(?:_anchor)?(?: -> n\d+(?:_anchor)?)? \[[\w=, ]+\];"  # fmt: skip
    assert [line for line in plain.splitlines() if not re.fullmatch(known, line.strip())] == []
    return labels


def read_svg(text: str) -> Element:
    """The root of a picture; fails where it could run or fetch anything."""
    root = fromstring(text)
    assert root.tag == f"{SVG}svg"
    allowed = {"svg", "title", "desc", "style", "rect", "text", "g", "circle", "path"}
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= allowed
    attributes = {name for element in root.iter() for name in element.attrib}
    assert [name for name in attributes if name.startswith("on") or "href" in name] == []
    for style in root.iter(f"{SVG}style"):
        assert not re.search(r"@import|url\(|</", style.text or "")
    return root


NAMES = ['"]; evil', "</style><script>alert(1)</script>", "a\\", "\\", '\\"; }', "\\N\\G\\l", "安全 é 🚀", "`x`|y|#quot;",
         "--> n1", "end", "subgraph x", "<b>&lt;&amp;", "]]>", "<!--", "{{}}", "n1", "'", "%s{0}$(x)", "x" * 128]  # fmt: skip
"""Names that mean something to Mermaid, Graphviz or XML."""
HOSTILE_IDS = ['"];evil', "\\N", 'a\\"', "end", "安全", "<b>", "]]>", "graph", "n1", "#35;", "`|`", "&lt;"]


def hostile() -> dict[str, Any]:
    """A topology in which every id and name is one of those."""
    enis = {
        f"eni-{number}{HOSTILE_IDS[number % len(HOSTILE_IDS)]}": {
            "name": name, "vswitch": 'vsw-"];evil', "ip": f"10.0.1.{number + 1}", "security_groups": []}
        for number, name in enumerate(NAMES)
    }  # fmt: skip
    instances = {
        f"i-{name}": {"name": NAMES[number], "network_interfaces": {
            f"e-{name}": {"vswitch": "vsw-\\", "ip": f"10.0.2.{number + 1}", "security_groups": ['sg-"];evil']}}}
        for number, name in enumerate(HOSTILE_IDS)
    }  # fmt: skip
    for eni in enis.values():
        eni["security_groups"] = ['sg-"];evil']
    return {
        "schema": "netinsight.topology/1",
        "vpcs": {'vpc-"];evil': {"name": NAMES[1], "cidrs": ["10.0.0.0/16"]}},
        "vswitches": {
            'vsw-"];evil': {"vpc": 'vpc-"];evil', "cidr": "10.0.1.0/24", "zone": "z\x1b[31m\n</style>"},
            "vsw-\\": {"vpc": 'vpc-"];evil', "cidr": "10.0.2.0/24", "route_table": "rtb-\\"},
        },
        "route_tables": {
            "rtb-\\": {"vpc": 'vpc-"];evil', "type": "custom", "routes": [
                {"destination": "0.0.0.0/0", "next_hop": 'ngw-"];evil', "next_hop_type": "NatGateway"}]},
        },
        "security_groups": {'sg-"];evil': {"vpc": 'vpc-"];evil', "rules": {"unknown": "why\x1b[31m\nnot"}}},
        "nat_gateways": {'ngw-"];evil': {"vpc": 'vpc-"];evil', "vswitch": 'vsw-"];evil'}},
        "eips": {'eip-"': {"ip": "203.0.113.1", "bound_to": "i-<b>"}},
        "instances": instances,
        "network_interfaces": enis,
    }  # fmt: skip


@pytest.fixture
def evil(tmp_path: Path) -> str:
    path = tmp_path / "evil.json"
    path.write_text(json.dumps(hostile()), encoding="utf-8")
    return str(path)


def test_no_name_breaks_the_text(command: Command, evil: str) -> None:
    tree = shown(command, evil)
    assert len(tree.splitlines()) == 1 + 2 + len(NAMES) + len(HOSTILE_IDS) + 1 + 1
    for section, objects in hostile().items():
        for name in objects if isinstance(objects, dict) else ():
            assert name in shown(command, evil, name), section


def test_no_name_breaks_a_flowchart(command: Command, evil: str) -> None:
    labels = read_mermaid(shown(command, evil, "-o", "mermaid"))
    assert len(labels) == 1 + 2 + len(NAMES) + len(HOSTILE_IDS) + 2 + 2
    for name in (*NAMES, 'ngw-"];evil', 'vpc-"];evil\n10.0.0.0/16'):
        assert any(name[:100] in label for label in labels), name


def test_no_name_breaks_a_digraph(command: Command, evil: str) -> None:
    labels = read_dot(shown(command, evil, "-o", "dot"))
    for name in (*NAMES, 'ngw-"];evil', "vsw-\\\n10.0.2.0/24"):
        assert any(name[:100] in label for label in labels), name


def test_no_name_breaks_a_picture(command: Command, evil: str) -> None:
    root = read_svg(shown(command, evil, "-o", "svg"))
    told = "\n".join("".join(element.itertext()) for element in root.iter() if element.tag != f"{SVG}style")
    assert [name for name in NAMES if name not in told] == []


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("which", ["full", "evil"])
def test_graphviz_draws_the_digraph(which: str, command: Command, full: str, evil: str) -> None:
    text = shown(command, {"full": full, "evil": evil}[which], "-o", "dot")
    done = subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert "script" not in {element.tag for element in fromstring(done.stdout).iter()}


def test_the_drawings_tell_the_same_roads(command: Command, full: str) -> None:
    roads = ["203.0.113.10", "203.0.113.30", "0.0.0.0/0", "172.16.0.0/16"]
    for labels in (read_mermaid(shown(command, full, "-o", "mermaid")), read_dot(shown(command, full, "-o", "dot"))):
        assert [label for label in labels if label in roads] == roads
        assert {"internet", "ngw-1", "pcc-shared"} <= {label.partition("\n")[0] for label in labels}


def test_a_picture_tells_the_state_of_an_eni(command: Command, full: str) -> None:
    text = shown(command, full, "-o", "svg")
    titles = [element.text or "" for element in read_svg(text).iter(f"{SVG}title")]
    for name, state in (("eni-a2", "Detaching"), ("eni-c", "Available")):
        assert any(name in title and state in title for title in titles)
    assert "2 VPCs with 2 vSwitches and 5 ENIs" in text


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg"])
@pytest.mark.parametrize(
    ("name", "there", "not_there"),
    [("i-a", ["10.0.1.10", "10.0.2.10"], ["10.0.2.20"]), ("eni-b", ["10.0.2.20"], ["10.0.2.10", "10.0.1.10"]),
     ("vsw-web", ["10.0.1.10"], ["10.0.2.20"]), ("nacl-web", ["10.0.1.10"], ["10.0.2.20"]),
     ("rtb-db", ["10.0.2.20", "10.0.2.30"], ["10.0.1.10"]), ("sg-web", ["10.0.1.10"], ["10.0.2.20"]),
     ("eip-1", ["10.0.1.10"], ["10.0.2.20"]), ("vpc-shared", ["172.16.0.0/16"], ["10.0.1.10"]),
     ("web server", ["10.0.1.10"], ["10.0.2.20"]), ("203.0.113.30", ["10.0.2.20"], ["10.0.1.10"])],
)  # fmt: skip
def test_a_drawing_of_one_object_has_what_belongs_to_it(
    name: str, there: list[str], not_there: list[str], form: str, command: Command, full: str
) -> None:
    text = shown(command, full, name, "-o", form)
    assert [word for word in there if word not in text] == []
    assert [word for word in not_there if word in text] == []


def test_the_same_topology_gives_the_same_bytes(evil: str) -> None:
    every = f"from netinsight.cli import run; [run(['show', {evil!r}, '-o', form]) for form in {FORMS}]"
    one, other = (
        subprocess.run([sys.executable, "-c", every], capture_output=True, timeout=60, check=True,
                       env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}).stdout
        for seed in ("1", "2")
    )  # fmt: skip
    assert one == other
    assert b"flowchart" in one


# -- where it comes from and goes to -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_file_gets_what_standard_output_would(form: str, command: Command, full: str) -> None:
    usual = shown(command, full, "-o", form)
    assert shown(command, full, "-o", form, "--to", "drawing") == ""
    assert Path("drawing").read_bytes() == usual.encode()


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_topology_is_shown(form: str, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("schema: netinsight.topology/1\n")
    text = shown(command, str(path), "-o", form)
    readers = {"mermaid": read_mermaid, "dot": read_dot, "svg": read_svg}
    assert form == "text" or readers[form](text) is not None


def test_an_object_of_an_empty_topology_is_2(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("schema: netinsight.topology/1\n")
    answer = command("show", str(path), "i-a")
    assert (answer.status, answer.out) == (2, "")
    assert "no instances" in answer.err


def test_chinese_is_another_language_of_the_same_page(command: Command, full: str) -> None:
    english, chinese = (shown(command, full, "eni-a", "--lang", lang) for lang in ("en", "zh"))
    assert re.search("[\u4e00-\u9fff]", chinese)
    assert not re.search("[\u4e00-\u9fff]", english)
    assert places(chinese) == places(english)


def test_standard_input_and_a_folder_are_shown_like_a_file(
    command: Command, full: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = shown(command, full, "eni-a")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(FULL.encode())))
    assert shown(command, "-", "eni-a") == usual.replace("full.yaml", "<stdin>")
    Path("folder").mkdir()
    Path(full).rename("folder/full.yaml")
    assert shown(command, "folder").splitlines()[0].startswith("vpc-prod")


def test_a_topology_that_is_wrong_is_2(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("vpcs: {v: {cidrs: [x]}}\n")
    answer = command("show", str(path))
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith(f"{path}:1:20: `x` is not a CIDR")


def test_the_rules_of_a_page_keep_to_the_width_of_a_terminal(command: Command, full: str) -> None:
    page = shown(command, full, "i-a")
    assert [line for line in page.splitlines() if len(line) > WIDTH] == []


def test_an_instance_tells_what_there_is_of_its_guests_firewall_and_routes(command: Command) -> None:
    page = shown(command, "topologies/two-tier.yaml", "i-web")
    assert "  firewall of the guest: iptables (5 lines)  [topologies/two-tier.yaml:75]\n" in page
    assert "  routes of the guest: routes (2 lines)  [topologies/two-tier.yaml:81]\n" in page
    assert "系统防火墙: iptables（5行）" in shown(command, "topologies/two-tier.yaml", "i-web", "--lang", "zh")
    assert "of the guest" not in shown(command, "topologies/many-blockers.yaml", "i-build")
