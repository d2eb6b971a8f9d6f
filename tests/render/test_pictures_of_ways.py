"""Pictures of paths that leave a VPC: every kind has its sign, translation is told at its place, parts stand in their whole."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from netinsight import Net, load
from netinsight.answer import Answer
from netinsight.model.topology import Topology
from netinsight.network.captions import caption_of
from netinsight.render import svg
from netinsight.render.icons import ICONS, icon
from netinsight.render.path_nodes import Node, find_nodes
from netinsight.render.path_picture import draw_path
from tests.diagnosis.test_properties import renamed

from .reports import EVIL, Page, drawings

WIDE = Path(__file__).parent / "wide.yaml"

Asked = tuple[str, str, int | None]

ASKED: dict[str, Asked] = {
    "snat": ("i-app", "198.51.100.7", 443),
    "dnat": ("internet", "203.0.113.3", 8022),
    "ipv6": ("i-app", "2001:db8:ffff::1", 443),
    "peering": ("i-app", "i-data", 3306),
    "transit": ("i-app", "i-far", 3306),
    "vbr": ("i-app", "192.168.1.1", 22),
    "vpn": ("i-app", "172.20.1.1", 22),
    "havip": ("i-app", "i-in3", 22),
    "nlb": ("internet", "nlb-shop", 443),
    "clb": ("198.51.100.7", "clb-shop", 80),
    "eip": ("internet", "i-web", 443),
}


@lru_cache(maxsize=1)
def net() -> Net:
    return load(str(WIDE))


@lru_cache(maxsize=16)
def answer(name: str) -> Answer:
    source, destination, port = ASKED[name]
    return net().diagnose(source, destination, port=port)


def nodes(name: str, path: int = 0) -> list[Node]:
    told = answer(name)
    return find_nodes(told.paths[path], told, told._caption)


def picture(told: Answer, path: int = 0) -> Element:
    return draw_path(told.paths[path], told, net().catalogue, "x", captions=told._caption)


def keys(name: str) -> list[tuple[str, str]]:
    return [node.key for node in nodes(name)]


def node(name: str, id_: str) -> Node:
    (found,) = [one for one in nodes(name) if one.key[1] == id_]
    return found


def labels(drawing: Element) -> list[str]:
    return [one.text or "" for one in drawing.iter("text")]


# -- what is translated --------------------------------------------------------------------------------------------------

TRANSLATED: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "an SNAT entry": ("snat", "ngw-bp1l7fkz0a8v9xw6t2s3q", [("source", "10.0.1.10 ⇄ 203.0.113.1")]),
    "a DNAT entry of a port": ("dnat", "ngw-bp1l7fkz0a8v9xw6t2s3q", [("destination", "203.0.113.3:8022 ⇄ 10.0.1.10:22")]),
    "an EIP": ("eip", "eni-web", [("destination", "203.0.113.4 ⇄ 10.0.2.20")]),
    "a load balancer that asks by itself": (
        "nlb", "nlb-shop", [("source", "internet ⇄ 10.0.2.200"), ("destination", "203.0.113.5:443 ⇄ 10.0.2.20:8443")]),
    "one that keeps the client's address": ("clb", "clb-shop", [("destination", "203.0.113.50 ⇄ 10.0.2.20")]),
}  # fmt: skip


@pytest.mark.parametrize(("name", "where", "told"), TRANSLATED.values(), ids=TRANSLATED)
def test_a_translation_is_told_where_it_happens_and_nowhere_else(
    name: str, where: str, told: list[tuple[str, str]]
) -> None:
    found = {one.key: [(change.field, change.text) for change in one.translated] for one in nodes(name)}
    assert [(key[1], changes) for key, changes in found.items() if changes] == [(where, told)]
    shown = labels(picture(answer(name)))
    assert [text for _, text in told if text not in shown] == []


def test_of_two_equal_addresses_each_path_tells_its_own() -> None:
    assert [node.translated[0].after for path in (0, 1) for node in nodes("snat", path) if node.translated] == [
        "203.0.113.1", "203.0.113.2"]  # fmt: skip
    summaries = re.findall(r"<summary>(.*?)</summary>", answer("snat").html(), re.DOTALL)
    shown = [Page(f"<p>{summary}</p>").text for summary in summaries]
    for number, eip in ((1, "eip-out-1"), (2, "eip-out-2")):
        assert [eip in text for text in shown if f"Path {number} of 2" in text] == [True, True]


def test_what_a_packet_bears_is_told_behind_the_last_stage_too() -> None:
    (told,) = [one.told[0] for one in nodes("snat") if one.key[0] == "nat"]
    assert told == ("203.0.113.1", "198.51.100.7")


def test_where_nothing_is_translated_nothing_is_told() -> None:
    for name in ("peering", "transit", "vbr", "vpn", "havip", "ipv6"):
        assert [one.key for one in nodes(name) if one.translated] == []


def test_a_drop_before_the_translation_leaves_it_untold() -> None:
    document = json.loads(net().topology.model_dump_json(by_alias=True, exclude_unset=True))
    next(iter(document["nat_gateways"].values()))["status"] = "Creating"
    told = Net(Topology.model_validate(document)).diagnose("i-app", "198.51.100.7", port=443)
    assert told.verdict == "unreachable"
    assert [one.key for one in find_nodes(told.paths[0], told, told._caption) if one.key[0] == "nat"]
    (gateway,) = [one for one in find_nodes(told.paths[0], told, told._caption) if one.key[0] == "nat"]
    assert gateway.told[0] is None


# -- what was asked, and who is met --------------------------------------------------------------------------------------


def test_behind_a_load_balancer_the_path_ends_at_the_server_and_what_was_asked_is_marked() -> None:
    assert keys("nlb")[-1] == ("eni", "eni-web")
    assert [(one.key[1], one.asked) for one in nodes("nlb") if one.asked] == [
        ("source", "head_from"), ("nlb-shop", "head_to")]  # fmt: skip
    assert [one.key[1] for one in nodes("dnat") if one.asked == "head_to"] == ["eip-in"]
    assert nodes("dnat")[-1].below == ("i-app", "10.0.1.10")
    assert "destination · load balancer" in labels(picture(answer("nlb")))


def test_what_is_wrong_in_the_machine_behind_a_translation_stands_there() -> None:
    document = json.loads(net().topology.model_dump_json(by_alias=True, exclude_unset=True))
    document["instances"]["i-app"]["guest"] = {"listening": []}
    told = Net(Topology.model_validate(document)).diagnose("internet", "203.0.113.3", port=8022)
    last = find_nodes(told.paths[0], told, told._caption)[-1]
    assert [item.id for item in last.guest] == ["service.listening"]


def test_an_address_is_no_other_names_short_form() -> None:
    """A server's address was once shown by the id of the load balancer that was asked."""
    gaps = [told for one in nodes("nlb") for told in one.told if told]
    assert ("10.0.2.200", "10.0.2.20") in gaps
    assert not any("nlb-shop" in told for told in gaps)


# -- parts and wholes, frames ----------------------------------------------------------------------------------------------


def test_attachments_connections_and_interfaces_stand_in_what_they_are_parts_of() -> None:
    assert [id_ for kind, id_ in keys("transit") if kind == "transit_router"] == ["tr-hz", "tr-sh"]
    assert [kind for kind, _ in keys("transit") if kind == "attachment"] == []
    shown = labels(picture(answer("transit")))
    assert [shown.count(name) for name in ("tr-attach-shop", "tr-attach-peer-hz", "tr-attach-far")] == [2, 2, 2]
    assert ("vpn_connection", "vco-1") not in keys("vpn")
    assert labels(picture(answer("vpn"))).count("vco-1") == 2
    assert [id_ for kind, id_ in keys("vbr") if kind in ("router_interface", "vbr")] == ["ri-shop", "vbr-1"]


def test_a_path_through_several_vpcs_has_a_frame_for_each() -> None:
    def frames(name: str) -> int:
        return sum(one.get("class") == "ni-draw-frame" for one in picture(answer(name)).iter("rect"))

    assert {name: frames(name) for name in ASKED} == {
        **dict.fromkeys(ASKED, 0), "peering": 2, "transit": 2}  # fmt: skip
    assert {"vpc-shop", "vpc-far"} <= set(labels(picture(answer("transit"))))


def test_an_appliance_is_one_box_between_the_acls() -> None:
    met = [(one.key[1], [stage.stage for stage in one.stages if stage in answer("havip").paths[0].forward])
           for one in nodes("havip") if one.key[1] in ("havip-fw", "vsw-edge", "eni-fw")]  # fmt: skip
    assert met == [
        ("havip-fw", ["gateway"]), ("vsw-edge", ["network_acl.ingress"]),
        ("eni-fw", ["appliance", "security_group.ingress", "security_group.egress"]),
        ("vsw-edge", ["network_acl.egress", "route"]),
    ]  # fmt: skip
    assert "appliance" in labels(picture(answer("havip")))


def changed(change: dict[str, Any]) -> Net:
    """The topology with some values replaced, by dotted paths."""
    document = json.loads(net().topology.model_dump_json(by_alias=True, exclude_unset=True))
    for path, value in change.items():
        *keys_, last = path.split(".")
        inner = document
        for key in keys_:
            inner = inner.setdefault(key, {}) if isinstance(inner, dict) else inner[int(key)]
        inner[last] = value
    return Net(Topology.model_validate(document))


def test_what_the_guest_at_an_end_does_stands_in_its_box() -> None:
    """The answer begins in the guest: no machine of its own before the ENI."""
    rules = "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    told = changed({"instances.i-data.guest": {"iptables": rules}}).diagnose("i-app", "i-data", port=3306)
    nodes = find_nodes(told.paths[0], told, told._caption)
    assert [node.key for node in nodes if node.key[0] == "instance"] == []
    stages = [[way and way.stage for way in pair] for pair in nodes[-1].rows]
    assert ["guest.firewall.ingress", "guest.firewall.egress"] in stages


def test_what_the_guest_of_an_appliance_does_stands_in_its_box() -> None:
    told = changed({"instances.i-fw.guest": {"ip_forward": False}}).diagnose("i-app", "i-in3", port=22)
    assert told.verdict == "unreachable"
    (appliance,) = [one for one in find_nodes(told.paths[0], told, told._caption) if one.is_appliance]
    assert appliance.key == ("eni", "eni-fw")
    assert [there.stage for there, _ in appliance.rows if there] == [
        "appliance", "security_group.ingress", "guest.forwarding", "security_group.egress"]  # fmt: skip


def test_a_network_that_is_asked_by_its_id_tells_its_prefixes() -> None:
    told = net().diagnose("i-app", "idc", port=22)
    last = find_nodes(told.paths[0], told, told._caption)[-1]
    assert (last.key, last.asked, last.below) == (("end", "destination"), "head_to", ("data centre", "192.168.0.0/16"))
    assert last.told == (None, None)
    assert {"data centre", "192.168.0.0/16"} <= set(labels(picture(told)))


# -- signs and captions ------------------------------------------------------------------------------------------------------

CAPTIONS = {
    ("peering", "pcc-data"): ("vpc-shop ↔ vpc-data", "", ""),
    ("router_interface", "ri-shop"): ("vpc-shop ↔ vbr-1", "", "vpc-shop"),
    ("vbr", "vbr-1"): ("→ idc", "", ""),
    ("vpn", "vpn-shop"): ("→ office", "", "vpc-shop"),
    ("vpn_connection", "vco-1"): ("vpn-shop ↔ office", "", "vpc-shop"),
    ("attachment", "tr-attach-far"): ("tr-sh ↔ vpc-far", "", ""),
    ("transit_router", "tr-sh"): ("cen-1", "", ""),
    ("network", "idc"): ("data centre", "192.168.0.0/16", ""),
    ("havip", "havip-fw"): ("→ eni-fw", "10.0.2.100", "vpc-shop"),
    ("load_balancer", "nlb-shop"): ("NLB", "10.0.2.200", "vpc-shop"),
    ("load_balancer", "clb-shop"): ("CLB", "203.0.113.50", "vpc-shop"),
    ("nat", "ngw-bp1l7fkz0a8v9xw6t2s3q"): ("shop out", "", "vpc-shop"),
    ("ipv4", "ipv4gw-shop"): ("", "", "vpc-shop"),
    ("ipv6", "ipv6gw-shop"): ("", "", "vpc-shop"),
    ("eip", "eip-in"): ("→ ngw-bp1l7fkz0a8v9xw6t2s3q", "203.0.113.3", ""),
    ("eni", "eni-far"): ("i-far", "10.3.1.30", "vpc-far"),
    ("vswitch", "vsw-far"): ("", "10.3.1.0/24", "vpc-far"),
    ("vpc", "vpc-far"): ("", "10.3.0.0/16", "vpc-far"),
    ("peering", "nobody"): ("", "", ""),
    ("wormhole", "pcc-data"): ("", "", ""),
}  # fmt: skip


@pytest.mark.parametrize(("key", "told"), CAPTIONS.items(), ids=map("/".join, CAPTIONS))
def test_a_caption_tells_what_an_object_joins_its_address_and_its_vpc(
    key: tuple[str, str], told: tuple[str, str, str]
) -> None:
    assert caption_of(net().network, *key)[:3] == told


@pytest.mark.parametrize("name", ASKED)
def test_every_box_has_the_sign_of_its_kind_and_the_fact_below_its_name(name: str) -> None:
    drawing, met = picture(answer(name)), nodes(name)
    signs = [one.get("d") for one in drawing.iter("path") if one.get("class") == "ni-draw-icon"]
    assert len(signs) >= len(met)
    kinds = ["appliance" if one.is_appliance else one.key[0] for one in met if one.end is None]
    assert [kind for kind in kinds if ICONS[kind] not in signs] == []
    shown = labels(drawing)
    assert [fact for one in met for fact in one.below if fact and fact not in shown] == []


def test_no_two_kinds_have_one_sign_but_those_that_are_one_thing() -> None:
    drawn: dict[str, list[str]] = {}
    for kind, path in ICONS.items():
        drawn.setdefault(path, []).append(kind)
    assert [kinds for kinds in drawn.values() if len(kinds) > 1] == [["public_edge", "eip"], ["vpn", "vpn_connection"]]
    other = icon(svg.document(20, 20, "", ""), 10, 10, "wormhole")
    assert other.get("d") not in ICONS.values()


def stays_inside(drawing: Element) -> bool:
    """Whether each box and label is inside the picture."""
    width, height = float(drawing.get("width", 0)), float(drawing.get("height", 0))
    for one in drawing.iter("rect"):
        x, y, wide, high = (float(one.get(name, 0)) for name in ("x", "y", "width", "height"))
        if x < 0 or y < 0 or x + wide > width or y + high > height:
            return False
    for one in drawing.iter("text"):
        size, mono = float(one.get("font-size", 0)), "mono" in one.get("class", "")
        wide = svg.text_width(one.text or "", size, mono=mono)
        left = float(one.get("x", 0)) - (wide if one.get("text-anchor") == "end" else 0)
        if left < 0 or left + wide > width or not 0 <= float(one.get("y", 0)) <= height:
            return False
    return True


@pytest.mark.parametrize("name", ASKED)
def test_every_part_stays_inside_and_boxes_do_not_overlap(name: str) -> None:
    for number in range(len(answer(name).paths)):
        drawing = picture(answer(name), number)
        assert stays_inside(drawing)
        boxes = [(float(one.get("y", 0)), float(one.get("height", 0))) for one in drawing.iter("rect")
                 if one.get("class") == "ni-draw-box"]  # fmt: skip
        assert all(top + high < below for (top, high), (below, _) in pairwise(boxes))


def test_names_of_what_is_not_in_a_report_are_only_text_too() -> None:
    """Captions come from the topology: the peer VPC, the CEN, the name of a gateway."""
    evil = EVIL.replace("\x00", "").replace("\x1b", "").replace("/", "").replace(" ", "")
    evil = "".join(char for char in evil if char.isprintable())
    names = {"vpc-data": evil, "idc": f"x{evil}", "shop out": f"y{evil}", "vpc-far": "W" * 128, "cen-1": "安" * 100}
    document = renamed(json.loads(net().topology.model_dump_json(by_alias=True, exclude_unset=True)), names)
    strange = Net(Topology.model_validate(document))
    for name in ("snat", "peering", "transit", "vbr"):
        source, destination, port = ASKED[name]
        told = strange.diagnose(source, destination, port=port)
        written = told.html()
        assert "<script" not in written
        assert all(stays_inside(picture(told, number)) for number in range(len(told.paths)))
        assert len(drawings(written)) == len(told.paths)


@pytest.mark.parametrize("name", ASKED)
def test_every_kind_of_way_is_explained_rule_by_rule(name: str) -> None:
    """A row that an attachment taught has no rule of the file: explaining it once ended in a defect."""
    source, destination, port = ASKED[name]
    told = net().diagnose(source, destination, port=port, explain=True)
    texts = [rule.text for stage in told.paths[0].forward for rule in stage.explain or ()]
    assert all(texts)
    if name == "transit":
        assert "10.3.1.0/24 -> tr-attach-far (propagated)" in texts
