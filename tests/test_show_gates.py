"""``netinsight show`` of gateways, links and load balancers: what they hold, what refers to them, and how they are drawn."""

# ruff: noqa: F401, F811  (a fixture is imported, and taken by its name)
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from netinsight import load
from netinsight.model.topology import SECTIONS
from netinsight.render.icons import ICONS
from netinsight.render.inventory_gates import BODIES
from netinsight.render.references import referrers
from tests.conftest import ROOT
from tests.test_cli import Command, command
from tests.test_show import FULL, SVG, full, part, places, read_dot, read_mermaid, read_svg, shown

WIDE = "tests/render/wide.yaml"
NGW = "ngw-bp1l7fkz0a8v9xw6t2s3q"

pytestmark = pytest.mark.usefixtures("project_root")

LISTS: dict[tuple[str, str], list[tuple[str, str]]] = {
    (NGW, "SNAT entries, in the order tried:"): [(f"{NGW}/snat/1", "10.0.1.0/24 leaves as eip-out-1, eip-out-2")],
    (NGW, "DNAT entries, in the order tried:"): [(f"{NGW}/dnat/1", "tcp eip-in:8022 leads to 10.0.1.10:22")],
    (NGW, "referred to by:"): [
        ("rtb-app/1", "route table rtb-app: next_hop"), ("eip-out-1", "EIP eip-out-1: bound_to"),
        ("eip-out-2", "EIP eip-out-2: bound_to"), ("eip-in", "EIP eip-in: bound_to")],
    ("ipv4gw-shop", "routes of table rtb-in:"): [("rtb-in/1", "10.0.1.0/24 -> i-fw")],
    ("ipv6gw-shop", "addresses with Internet bandwidth:"): [
        ("ipv6gw-shop/internet/1", "ip: '2001:db8:1::a', bandwidth_mbps: 5.0")],
    ("havip-fw", "referred to by:"): [("rtb-app/6", "route table rtb-app: next_hop")],
    ("pcc-data", "referred to by:"): [
        ("rtb-app/2", "route table rtb-app: next_hop"), ("rtb-edge/2", "route table rtb-edge: next_hop"),
        ("rtb-data/1", "route table rtb-data: next_hop")],
    ("ri-shop", "referred to by:"): [
        ("rtb-app/4", "route table rtb-app: next_hop"), ("ri-vbr", "router interface ri-vbr: opposite")],
    ("vbr-1", "routes of table vbr-1:"): [("vbr-1/1", "192.168.0.0/16 -> idc"), ("vbr-1/2", "10.0.0.0/16 -> ri-vbr")],
    ("tr-hz", "attachments:"): [
        ("tr-attach-shop", "to: vpc-shop, vswitches: [vsw-app], route_table: trt-hz, propagates_to: [trt-hz]"),
        ("tr-attach-peer-hz", "to: tr-attach-peer-sh, route_table: trt-hz, propagates_to: [trt-hz]")],
    ("tr-hz", "routes of table trt-hz:"): [
        ("trt-hz/tr-attach-shop", "10.0.1.0/24 -> tr-attach-shop (propagated)"),
        ("trt-hz/1", "10.3.0.0/16 -> tr-attach-peer-hz"), ("trt-hz/2", "10.9.0.0/16 -> blackhole")],
    ("tr-hz", "referred to by:"): [
        ("rtb-app/3", "route table rtb-app: next_hop"), ("tr-attach-peer-sh", "transit router tr-sh: to")],
    ("vpn-shop", "connections:"): [
        ("vco-1", "network: office, remote_cidrs: [172.20.0.0/16]"),
        ("vco-2", "network: office, status: ike_sa_not_established")],
    ("vpn-shop", "routes of table vpn-shop:"): [
        ("vpn-shop/1", "172.20.0.0/16 -> vco-1 weight 100"), ("vpn-shop/2", "172.20.0.0/16 -> vco-2 weight 0")],
    ("nlb-shop", "listeners:"): [("nlb-shop/1", "port: 443/443, server_group: sgp-1")],
    ("nlb-shop", "servers of sgp-1:"): [
        ("sgp-1/1", "server: i-web, port: 8443, health: healthy"), ("sgp-1/2", "server: i-app, port: 8443"),
        ("sgp-1/3", "server: i-fw2, health: unhealthy")],
    ("clb-shop", "listeners:"): [
        ("clb-shop/1", "port: 80/80, server_group: rsp-1, access_list: {allow: true, entries: [198.51.100.0/24]}")],
    ("idc", "referred to by:"): [("vbr-1/1", "VBR vbr-1: next_hop")],
    ("eip-in", "referred to by:"): [(f"{NGW}/dnat/1", f"NAT gateway {NGW}: eip")],
}  # fmt: skip


WORDS = {
    f"{NGW}/dnat/1": "external_port: 8022", "ipv6gw-shop/internet/1": "2001:db8:1::a", "trt-hz/tr-attach-shop": "tr-attach-shop",
    "trt-hz/2": "blackhole", "rtb-app/3": "tr-attach-shop", "tr-attach-peer-sh": "tr-attach-peer-hz", "nlb-shop/1": "port: 443",
    "clb-shop/1": "port: 80",
}  # fmt: skip
"""What stands in the line of an entry, where that is not how its text begins."""


@pytest.mark.parametrize(("where", "rows"), LISTS.items(), ids=map("/".join, LISTS))
def test_a_list_has_its_entries_in_order_each_with_its_name_and_true_line(
    where: tuple[str, str], rows: list[tuple[str, str]], command: Command
) -> None:
    page = re.sub(r"\n {4}(?=\S)", "\n    ", part(shown(command, WIDE, where[0]), where[1]))
    squeezed = re.sub(r"\s+", " ", page)
    found = places(page)
    wanted = [id_ for id_, _ in rows]
    assert [id_ for id_, _, _ in found if not id_.startswith("local/")] == wanted
    for id_, said in rows:
        assert f"{said} [{id_} {WIDE}:" in squeezed
    lines = (ROOT / WIDE).read_text("utf-8").splitlines()
    wanted_words = {id_: WORDS.get(id_) or re.split(r" ->|, | leaves", said)[0] for id_, said in rows}
    for id_, file, line in found:
        assert file == WIDE
        word = where[0] if "referred" in where[1] and where[0] != "tr-hz" else wanted_words.get(id_, "vsw-")
        assert word in lines[line - 1], (id_, lines[line - 1])


@pytest.mark.parametrize(
    ("name", "told"),
    [(NGW, "public addresses: 203.0.113.1 (eip-out-1), 203.0.113.2 (eip-out-2), 203.0.113.3 (eip-in)"),
     ("nlb-shop", "public addresses: 203.0.113.5 (eip-lb)"), ("clb-shop", "public addresses: 203.0.113.50"),
     ("havip-fw", "has it now: eni-fw"), ("pcc-data", "joins: vpc-shop, vpc-data"), ("ri-shop", "joins: vpc-shop, vbr-1"),
     ("vbr-1", "router interfaces: ri-vbr"), ("tr-hz", "associated with: tr-attach-shop, tr-attach-peer-hz"),
     ("ipv6gw-shop", "no gateway table"), ("idc", "cidrs: [192.168.0.0/16]")],
)  # fmt: skip
def test_a_page_names_what_hangs_on_the_object(name: str, told: str, command: Command) -> None:
    assert f"  {told}\n" in shown(command, WIDE, name)


def test_there_is_a_body_for_every_new_section() -> None:
    plain = {"vpcs", "vswitches", "security_groups", "network_acls", "route_tables", "prefix_lists", "port_lists", "eips",
             "networks", "instances", "network_interfaces"}  # fmt: skip
    assert set(BODIES) == set(SECTIONS) - plain


def test_entries_that_decide_nothing_are_told_with_the_reason(command: Command, tmp_path: Path) -> None:
    document = json.loads(load(WIDE).topology.model_dump_json(by_alias=True, exclude_unset=True))
    document["nat_gateways"][NGW]["snat"].append({"source": "10.0.2.0/24", "eip": "eip-in", "status": "Pending"})
    document["transit_routers"]["tr-hz"]["route_tables"]["trt-hz"]["routes"].append(
        {"destination": "10.8.0.0/16", "attachment": "tr-attach-shop", "status": "Prohibited"})  # fmt: skip
    document["vpn_gateways"]["vpn-shop"]["connections"]["vco-2"]["bgp_up"] = False
    document["vpn_gateways"]["vpn-shop"]["routes"][1]["origin"] = "BGP"
    document["ipv6_gateways"]["ipv6gw-shop"]["internet"] = {"unknown": "not exported"}
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    for name, entry, why in ((NGW, f"{NGW}/snat/2", "Pending"), ("tr-hz", "trt-hz/3", "Prohibited"),
                             ("vpn-shop", "vpn-shop/2", "BGP down"), ("ipv6gw-shop", "internet", "not exported")):  # fmt: skip
        told = re.sub(r"\s+", " ", shown(command, str(file), name))
        assert re.search(rf"; no effect \({why}\) \[{entry}", told), told
        sheet = json.loads(shown(command, str(file), name, "-o", "json"))["object"]
        rows = {row["id"]: row["no_effect"] for listed in sheet["lists"] for row in listed["rows"]}
        assert rows[entry] == why
        assert [why for id_, why in rows.items() if id_ != entry and why] == []


def test_a_reference_of_every_kind_is_found() -> None:
    """Each field that the checks follow is one that ``show`` finds: renaming an object leaves no other trace of it."""
    topology = load(WIDE).topology
    written = json.loads(topology.model_dump_json(by_alias=True, exclude_unset=True))

    def count(value: Any, name: str) -> int:
        if isinstance(value, dict):
            return sum(count(below, name) for below in value.values())
        return sum(count(below, name) for below in value) if isinstance(value, list) else int(value == name)

    for section in SECTIONS:
        for name in getattr(topology, section):
            inside = count(written[section][name], name)
            attached = sum(count(written, one) for one in topology.transit_routers[name].attachments) \
                - sum(count(written[section][name], one) for one in topology.transit_routers[name].attachments) \
                if section == "transit_routers" else 0  # fmt: skip
            assert len(list(referrers(topology, section, name))) == count(written, name) - inside + attached, name


# -- JSON --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", SECTIONS)
def test_an_object_of_every_section_is_json_too(section: str, command: Command) -> None:
    net = load(WIDE)
    for name in list(getattr(net.topology, section))[:2]:
        document = json.loads(shown(command, WIDE, name, "--output", "json"))
        assert document["schema"] == "netinsight.show/1"
        told = document["object"]
        assert (told["type"], told["id"], told["file"]) == (SECTIONS[section], name, WIDE)
        assert set(told) == {"type", "id", "file", "line", "fields", "lists", "names", "referred_by", "parts"}
        described = json.loads(net.topology.model_dump_json(by_alias=True, exclude_unset=True))[section][name]
        assert told["fields"] == described


def test_the_rows_of_json_are_those_of_the_text(command: Command) -> None:
    for (name, title), rows in LISTS.items():
        told = json.loads(shown(command, WIDE, name, "-o", "json"))["object"]
        listed = told["referred_by"] if title == "referred to by:" else next(
            one["rows"] for one in told["lists"] if one["title"] == title)  # fmt: skip
        found = [(row["id"], row["text"]) for row in listed if not row["id"].startswith(("local/", "service"))]
        assert found == rows
        assert all(row["line"] for row in listed if row["id"] != "service")


def test_the_whole_is_json_too(command: Command) -> None:
    told = json.loads(shown(command, WIDE, "-o", "json"))
    assert (told["schema"], [vpc["id"] for vpc in told["vpcs"]]) == (
        "netinsight.show/1", ["vpc-shop", "vpc-data", "vpc-mid", "vpc-far"])  # fmt: skip
    gates = {gate["id"]: gate for vpc in told["vpcs"] for gate in vpc["gates"]}
    assert gates[NGW]["told"] == ["shop out", "203.0.113.1", "203.0.113.2", "203.0.113.3"]
    assert [one["id"] for one in gates["vpn-shop"]["parts"]] == ["vco-1", "vco-2"]
    assert gates["vpn-shop"]["parts"][1]["state"] == "ike_sa_not_established"
    assert [one["id"] for one in told["links"]] == ["pcc-data", "vbr-1", "tr-hz", "tr-sh", "idc", "office"]


def test_an_instance_has_its_enis_as_parts(command: Command, full: str) -> None:
    told = json.loads(shown(command, full, "i-a", "-o", "json"))["object"]
    assert [one["id"] for one in told["parts"]] == ["eni-a", "eni-a2"]
    names = [one["name"] for one in told["parts"][0]["lists"]]
    assert names == ["ingress", "egress", "network_acl.ingress", "network_acl.egress", "routes"]
    assert [row["text"] for row in told["referred_by"]] == [
        "EIP eip-1: bound_to", "HaVip havip-1: master", "HaVip havip-1: members", "load balancer lb-1: server"]  # fmt: skip


# -- drawings ----------------------------------------------------------------------------------------------------------


def chips(root: Element) -> dict[str, set[str]]:
    """Of each chip of the map its id, and the paths that are drawn in it."""
    return {
        (chip.findtext(f"{SVG}title") or "").partition("  ")[0]: {
            path.get("d") or "" for path in chip.iter(f"{SVG}path")
        }
        for chip in root.iter(f"{SVG}g")
        if chip.find(f"{SVG}title") is not None
    }


def test_the_map_has_a_chip_with_its_sign_for_every_gateway_and_link(command: Command) -> None:
    root = read_svg(shown(command, WIDE, "-o", "svg"))
    drawn = chips(root)
    for name, kind in ((NGW, "nat"), ("ipv4gw-shop", "ipv4"), ("ipv6gw-shop", "ipv6"), ("havip-fw", "havip"),
                       ("nlb-shop", "load_balancer"), ("vpn-shop", "vpn"), ("vco-2", "vpn_connection"),
                       ("ri-shop", "router_interface"),
                       ("pcc-data", "peering"), ("vbr-1", "vbr"), ("tr-hz", "transit_router"), ("tr-attach-far", "attachment"),
                       ("idc", "network"), ("office", "network")):  # fmt: skip
        assert ICONS[kind] in drawn[name], name
    said = root.findtext(f"{SVG}desc") or ""
    assert f"NAT gateway {NGW}" in said


def test_the_map_holds_all_of_it_side_by_side(command: Command) -> None:
    root = read_svg(shown(command, WIDE, "-o", "svg"))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    boxes = [tuple(float(one.get(key, 0)) for key in ("x", "y", "width", "height")) for one in root.iter(f"{SVG}rect")]
    assert all(x >= 0 and y >= 0 and x + wide <= width and y + high <= height for x, y, wide, high in boxes)
    small = [box for box in boxes if box[2:] == (208.0, 62.0)]
    assert len(small) == 7 + 22
    overlaps = [(one, other) for i, one in enumerate(small) for other in small[:i]
                if abs(one[0] - other[0]) < 208 and abs(one[1] - other[1]) < 62]  # fmt: skip
    assert overlaps == []


def test_the_diagrams_have_an_edge_for_what_each_leads_to(command: Command) -> None:
    labels = read_mermaid(shown(command, WIDE, "-o", "mermaid"))
    for told in ("203.0.113.3:8022", "tcp 443", "master", "vco-1", "opposite", "peering", "attachment", "10.3.0.0/16"):
        assert told in labels
    assert any(label.startswith("tr-hz\ntransit router") for label in labels)
    assert "vco-2\nVPN connection ike_sa_not_established\n→ office\n0.0.0.0/0" in labels
    assert sorted({*labels} - {"router\nvpc-shop"}) == sorted({*read_dot(shown(command, WIDE, "-o", "dot"))})


def test_no_edge_of_a_flowchart_begins_at_a_frame_and_ends_inside_it(command: Command) -> None:
    """Mermaid refuses such a flowchart: gateways stand beside the frame, and roads to an appliance begin at a router."""
    text = shown(command, WIDE, "-o", "mermaid")
    inside: dict[str, list[str]] = {}
    open_ = list[str]()
    for line in map(str.strip, text.splitlines()):
        if frame := re.match(r"subgraph (n\d+)", line):
            inside[frame[1]] = list(open_)
            open_.append(frame[1])
        elif line == "end":
            open_.pop()
        elif node := re.match(r"(n\d+)[\[(]", line):
            inside[node[1]] = list(open_)
    edges = re.findall(r"^  (n\d+) -->\|.*\| (n\d+)$", text, re.MULTILINE)
    assert len(edges) > 40
    assert [(start, end) for start, end in edges if start in inside[end] or end in inside[start]] == []
    assert "router\nvpc-shop" in read_mermaid(text)


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg"])
@pytest.mark.parametrize(
    ("name", "there", "not_there"),
    [(NGW, [NGW, "10.0.1.10", "vpc-shop"], ["10.0.2.20", "tr-hz"]),
     ("nlb-shop", ["10.0.2.20", "10.0.1.10"], ["10.0.3.30", "vpc-mid"]),
     ("pcc-data", ["vpc-shop", "vpc-data"], ["vpc-far", "10.0.1.10"]), ("havip-fw", ["10.0.2.5", "10.0.2.6"], ["10.0.1.10"]),
     ("tr-hz", ["tr-attach-shop", "tr-attach-peer-hz", "vpc-shop"], ["vpc-data", "vbr-1"]),
     ("vpn-shop", ["office", "vco-2"], ["idc"]), ("idc", ["idc"], ["vpc-shop"])],
)  # fmt: skip
def test_a_drawing_of_a_gateway_has_what_it_joins(
    name: str, there: list[str], not_there: list[str], form: str, command: Command
) -> None:
    text = shown(command, WIDE, name, "-o", form)
    assert [word for word in there if word not in text] == []
    assert [word for word in not_there if word in text] == []


def test_no_reason_breaks_the_text(command: Command, tmp_path: Path) -> None:
    """A reason is the user's own text, and may hold anything."""
    document = json.loads(load(WIDE).topology.model_dump_json(by_alias=True, exclude_unset=True))
    reason = "not\x1b[31m\nexported \N{RIGHT-TO-LEFT OVERRIDE}"
    for section, name, key in (("ipv6_gateways", "ipv6gw-shop", "internet"), ("nat_gateways", NGW, "snat"),
                               ("vbrs", "vbr-1", "routes"), ("havips", "havip-fw", "master"), ("peerings", "pcc-data", "status"),
                               ("vpn_gateways", "vpn-shop", "routes"), ("router_interfaces", "ri-shop", "opposite")):  # fmt: skip
        document[section][name][key] = {"unknown": reason}
    file = tmp_path / "unknown.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    for name in ("ipv6gw-shop", NGW, "vbr-1", "havip-fw", "pcc-data", "vpn-shop", "ri-shop"):
        page = shown(command, str(file), name)
        assert "exported" in page
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page
    for form in ("text", "mermaid", "dot", "svg", "json"):
        assert "pcc-data" in shown(command, str(file), "-o", form)


def test_a_gateway_of_an_undescribed_vpc_is_shown(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "gone.json"
    gateway = {"vpc": "vpc-gone", "status": "Creating"}
    document = {"unknown": {"vpc-gone": "not exported"}, "nat_gateways": {"ngw": gateway}}
    file.write_text(json.dumps({"schema": "netinsight.topology/1", **document}), encoding="utf-8")
    assert shown(command, str(file)) == "ngw  NAT gateway  Creating\n"
    assert "Creating" in shown(command, str(file), "-o", "svg")
