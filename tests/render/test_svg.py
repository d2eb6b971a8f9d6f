"""Drawings: escaped, bounded, legible in light and dark; and what stands in the picture of a path."""

from __future__ import annotations

from itertools import product
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinsight.diagnosis.catalogue import load_catalogue
from netinsight.render import palette, svg
from netinsight.render.path_nodes import Node, find_nodes
from netinsight.render.path_picture import draw_path

from .reports import EVIL, hostile, net, report

pytestmark = pytest.mark.usefixtures("project_root")

SVG = f"{{{svg.NAMESPACE}}}"


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_keeps_its_contrast_on_every_ground(dark: bool) -> None:
    colours = {name: pair[dark] for name, pair in palette.COLOURS.items()}
    pairs = [
        *product(palette.TEXT, palette.GROUNDS),
        *((tone, "on") for tone in ("accept", "drop", "partial", "unknown")),
    ]
    assert [(one, other) for one, other in pairs if contrast(colours[one], colours[other]) < 4.5] == []
    assert contrast(colours["road"], colours["card"]) >= 3
    assert contrast(colours["road"], colours["page"]) >= 3


@given(st.text(max_size=300), st.floats(1, 400), st.booleans(), st.booleans())
def test_a_label_is_cut_to_its_room_and_is_xml_whatever_it_says(
    text: str, width: float, mono: bool, tail: bool
) -> None:
    look = "mono" if mono else "text"
    drawing = svg.document(400, 100, text, text)
    svg.label(drawing, 0, 50, text, look, width=width, tail=tail)
    label = ElementTree.fromstring(svg.to_text(drawing)).find(f"{SVG}text")
    assert label is not None
    shown = label.text or ""
    assert shown.isprintable()
    assert shown == "…" or svg.text_width(shown, 13, mono=mono) <= width


def test_what_is_cut_is_told_in_a_tooltip() -> None:
    drawing = svg.document(400, 100, "", "")
    made = svg.label(drawing, 0, 0, "eni-" + "a" * 90 + "-last", "mono", width=80)
    assert made.text == "eni-aa…ast"
    assert made[0].text == "eni-" + "a" * 90 + "-last"
    assert list(svg.label(drawing, 0, 0, "short", width=80)) == []


def test_a_file_of_its_own_brings_its_colours_for_light_and_dark() -> None:
    drawing = svg.document(100, 50, EVIL, EVIL, alone=True)
    svg.arrow(drawing, [(0, 0), (50, 0), (50, 40)])
    for number, decision in enumerate(("accept", "drop", "partial", "unknown")):
        svg.mark(drawing, 10 * number, 10, decision)
    root = ElementTree.fromstring(svg.to_text(drawing))
    style = root.findtext(f"{SVG}style") or ""
    assert "prefers-color-scheme:dark" in style
    ink = palette.COLOURS["ink"]
    assert f".ni-draw-text{{fill:var(--ni-ink,{ink[0]})" in style
    assert f"--ni-ink:{ink[1]}" in style
    used = {name for one in root.iter() for name in (one.get("class") or "").split()}
    assert {f"ni-draw-{name}" for name in ("ground", "line", "head", "dot-accept", "glyph", "glyph-full")} <= used
    shapes = [one for one in root.iter() if one.tag in (f"{SVG}rect", f"{SVG}path", f"{SVG}circle")]
    assert all(one.get("fill", "").startswith(("#", "none")) for one in shapes)


def outline(nodes: list[Node]) -> list[str]:
    """Each object with the stages of both ways side by side."""
    return [f"{node.key[0]} {node.key[1]}: " + ", ".join("/".join(stage.stage if stage else "-" for stage in pair)
            for pair in node.rows) for node in nodes]  # fmt: skip


def test_both_ways_share_the_objects_that_they_meet() -> None:
    answer = report("many-blockers")
    nodes = find_nodes(answer.paths[0], answer)
    assert outline(nodes) == [
        "eni eni-jump: eni/-, security_group.egress/security_group.ingress",
        "vswitch vsw-jump: network_acl.egress/network_acl.ingress, route/-",
        "vswitch vsw-build: -/route, network_acl.ingress/network_acl.egress",
        "eni eni-build: security_group.ingress/security_group.egress, eni/-",
    ]
    assert [item.id for item in nodes[-1].guest] == [
        "ssh.service",
        "ssh.files",
        "service.listening",
        "business.expired",
    ]


def test_addresses_are_told_where_they_change() -> None:
    answer = report("blackhole")
    nodes = find_nodes(answer.paths[0], answer)
    assert outline(nodes) == [
        "end source: ",
        "public_edge eni-shop: blackhole/-, public_ip.ingress/public_ip.egress",
        "vswitch vsw-front: -/route, network_acl.ingress/network_acl.egress",
        "eni eni-shop: security_group.ingress/security_group.egress, eni/-",
    ]
    assert [node.told for node in nodes] == [
        (("internet", "203.0.113.10"), ("203.0.113.10", "internet")),
        (("internet", "10.4.1.10"), None),
        (None, ("10.4.1.10", "internet")),
        (None, None),
    ]
    assert nodes[-1].guest == []  # the blackhole is the instance's, and a stage tells it already


def test_what_the_path_needs_beyond_the_network_stands_before_the_end() -> None:
    answer = report("nat-undetermined")
    assert outline(find_nodes(answer.paths[0], answer))[2:] == [
        "vswitch vsw-edge: -/route",
        "nat ngw-out: nat/nat",
        "public_edge eip-out: -/blackhole",
        "end destination: ",
    ]


def test_an_end_that_is_met_twice_stays_where_it_is() -> None:
    answer = report("two-tier")
    again = answer.paths[0].forward[0]
    path = answer.paths[0].model_copy(
        update={"forward": [*answer.paths[0].forward[:4], again, *answer.paths[0].forward[4:]]}
    )
    keys = [node.key for node in find_nodes(path, answer)]
    assert (keys[0], keys[-1]) == (("eni", "eni-web"), ("eni", "eni-db"))
    assert keys.count(("eni", "eni-web")) == 2


def test_a_way_is_broken_after_the_first_drop_and_absent_where_not_asked() -> None:
    def lines(name: str, **asked: bool) -> list[str]:
        answer = report(name)
        path = answer.paths[0].model_copy(update={"return_": []}) if asked else answer.paths[0]
        drawing = draw_path(path, answer, net(name).catalogue, "x")
        return [one.get("class", "").removeprefix("ni-draw-") for one in drawing.iter("path")
                if one.get("class") in ("ni-draw-line", "ni-draw-after")]  # fmt: skip

    assert lines("two-tier") == ["line", "line"]
    assert lines("two-tier", one_way=True) == ["line"]
    assert lines("blackhole") == ["line", "after", "after"]


def test_every_part_of_a_picture_stays_inside_it() -> None:
    for answer in (
        hostile(),
        *(report(name, "zh") for name in ("many-blockers", "prefix-list-offices", "nat-undetermined")),
    ):
        drawing = draw_path(answer.paths[0], answer, load_catalogue(), "x")
        width, height = float(drawing.get("width", 0)), float(drawing.get("height", 0))
        for one in drawing.iter("rect"):
            x, y, wide, high = (float(one.get(name, 0)) for name in ("x", "y", "width", "height"))
            assert x >= 0
            assert y >= 0
            assert x + wide <= width
            assert y + high <= height
        for one in drawing.iter("text"):
            size, mono = float(one.get("font-size", 0)), "mono" in one.get("class", "")
            wide = svg.text_width(one.text or "", size, mono=mono)
            left = float(one.get("x", 0)) - (wide if one.get("text-anchor") == "end" else 0)
            assert left >= 0
            assert left + wide <= width
