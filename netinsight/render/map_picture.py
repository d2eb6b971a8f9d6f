"""An outline as a picture: VPCs as frames, vSwitches in them, a chip for each ENI and each gateway, then the roads out.

What stands between VPCs has chips below them all; each says what it joins.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from netinsight.network.outline import EniPart, Outline, VpcPart, VSwitchPart
from netinsight.network.outline_gates import GatePart
from netinsight.render import svg
from netinsight.render.icons import icon

CHIP_WIDTH, CHIP_HEIGHT, GAP, PAD, HEAD = 208.0, 62.0, 10.0, 14.0, 44.0
COLUMNS = 3
"""Chips side by side in a vSwitch."""
MOST_CHIPS = 60
"""Chips of a vSwitch, and of the gateways of a VPC; what is past them is counted."""
ROAD_HEIGHT = 22.0
MOST_ROADS = 30


@dataclass(frozen=True, slots=True)
class _Size:
    width: float
    height: float


def map_picture(drawn: Outline) -> str:
    """The outline as an SVG file of its own; the same outline, the same bytes."""
    sizes = [_vpc_size(vpc) for vpc in drawn.vpcs]
    links = [part for link in drawn.links for part in (link, *link.parts)]
    rest = [("vSwitch not described", _chips_size(len(drawn.elsewhere)))] if drawn.elsewhere else []
    rest += [(f"Between VPCs: {len(drawn.links)}", _chips_size(len(links)))] if links else []
    width = max([360.0, *(size.width + 2 * PAD for _, size in rest), *(size.width for size in sizes)]) + 2 * PAD
    height = PAD + sum(size.height + GAP for size in sizes) + sum(size.height + HEAD for _, size in rest) + PAD
    drawing = svg.document(width, height, "Topology", _said(drawn), alone=True)
    y = PAD
    for vpc, size in zip(drawn.vpcs, sizes, strict=True):
        _draw_vpc(drawing, PAD, y, width - 2 * PAD, size.height, vpc)
        y += size.height + GAP
    for title, size in rest:
        svg.label(drawing, PAD, y + 20, title, "dim", size=12)
        if title.startswith("Between"):
            _draw_gates(drawing, PAD, y + HEAD - PAD, links)
        else:
            _draw_chips(drawing, PAD, y + HEAD - PAD, drawn.elsewhere)
        y += size.height + HEAD
    return svg.to_text(drawing) + "\n"


def _said(drawn: Outline) -> str:
    """The picture in words."""
    count, vswitches = sum(1 for _ in drawn.enis()), sum(len(vpc.vswitches) for vpc in drawn.vpcs)
    said = f"{len(drawn.vpcs)} VPCs with {vswitches} vSwitches and {count} ENIs"
    gates = [f"{gate.called} {gate.id}" for gate in drawn.gates()]
    return f"{said}; {', '.join(gates)}" if gates else said


def _chips_size(count: int) -> _Size:
    shown = min(count, MOST_CHIPS) + (count > MOST_CHIPS)
    rows, columns = max(1, -(-shown // COLUMNS)), min(COLUMNS, max(1, shown))
    return _Size(columns * (CHIP_WIDTH + GAP) - GAP, rows * (CHIP_HEIGHT + GAP) - GAP)


def _vswitch_size(vswitch: VSwitchPart) -> _Size:
    chips = _chips_size(len(vswitch.enis))
    return _Size(max(chips.width, 440.0) + 2 * PAD, (chips.height if vswitch.enis else 0) + HEAD + PAD)


def _vpc_size(vpc: VpcPart) -> _Size:
    inner = [_vswitch_size(vswitch) for vswitch in vpc.vswitches]
    roads = min(len(vpc.roads), MOST_ROADS) + (len(vpc.roads) > MOST_ROADS)
    gates = _chips_size(len(_chips_of(vpc)))
    height = HEAD + sum(size.height + GAP for size in inner) + (roads * ROAD_HEIGHT + GAP if roads else 0) + PAD / 2
    height += gates.height + GAP if vpc.gates else 0
    return _Size(max([360.0, gates.width if vpc.gates else 0, *(size.width for size in inner)]) + 2 * PAD, height)


def _chips_of(vpc: VpcPart) -> list[GatePart]:
    """The gateways of a VPC, each before its parts."""
    return [part for gate in vpc.gates for part in (gate, *gate.parts)]


def _draw_vpc(drawing: Element, x: float, y: float, width: float, height: float, vpc: VpcPart) -> None:
    svg.box(drawing, x, y, width, height, "box", radius=12)
    titled = f"{vpc.id} ({vpc.name})" if vpc.name else vpc.id
    svg.label(drawing, x + PAD, y + 20, titled, "mono-strong", size=14, width=width - 2 * PAD)
    svg.label(drawing, x + PAD, y + 36, ", ".join(vpc.cidrs), "mono-dim", size=12, width=width - 2 * PAD)
    below = y + HEAD
    for vswitch in vpc.vswitches:
        size = _vswitch_size(vswitch)
        _draw_vswitch(drawing, x + PAD, below, width - 2 * PAD, size.height, vswitch)
        below += size.height + GAP
    if vpc.gates:
        gates = _chips_of(vpc)
        _draw_gates(drawing, x + PAD, below, gates)
        below += _chips_size(len(gates)).height + GAP
    for road in vpc.roads[:MOST_ROADS]:
        text = f"{road.destination} → {road.next_hop}  ({road.table})"
        svg.label(drawing, x + PAD, below + 14, text, "mono", size=12, width=width - 2 * PAD)
        below += ROAD_HEIGHT
    if len(vpc.roads) > MOST_ROADS:
        svg.label(drawing, x + PAD, below + 14, f"+ {len(vpc.roads) - MOST_ROADS} routes", "dim", size=12)


def _draw_vswitch(drawing: Element, x: float, y: float, width: float, height: float, vswitch: VSwitchPart) -> None:
    svg.box(drawing, x, y, width, height, "nest", radius=10)
    svg.label(drawing, x + PAD, y + 19, vswitch.id, "mono-strong", width=width - 2 * PAD)
    told = [vswitch.cidr, vswitch.zone, f"ACL {vswitch.acl}" if vswitch.acl else "", vswitch.table]
    svg.label(drawing, x + PAD, y + 35, "  ".join(filter(None, told)), "mono-dim", size=11, width=width - 2 * PAD)
    _draw_chips(drawing, x + PAD, y + HEAD, vswitch.enis)


def _draw_chips(drawing: Element, x: float, y: float, enis: tuple[EniPart, ...]) -> None:
    for number, eni in enumerate(enis[:MOST_CHIPS]):
        _draw_chip(drawing, *_spot(x, y, number), eni)
    if len(enis) > MOST_CHIPS:
        left, top = _spot(x, y, MOST_CHIPS)
        svg.label(drawing, left + 8, top + 28, f"+ {len(enis) - MOST_CHIPS} ENIs", "dim")


def _spot(x: float, y: float, number: int) -> tuple[float, float]:
    row, column = divmod(number, COLUMNS)
    return x + column * (CHIP_WIDTH + GAP), y + row * (CHIP_HEIGHT + GAP)


def _draw_chip(drawing: Element, x: float, y: float, eni: EniPart) -> None:
    told = [eni.id, eni.instance, eni.name, eni.state, eni.ip, *eni.public]
    chip = svg.group(drawing, tooltip="  ".join(filter(None, told)))
    svg.box(chip, x, y, CHIP_WIDTH, CHIP_HEIGHT, "box", radius=8)
    mark = "partial" if eni.state else "accept"
    svg.mark(chip, x + 16, y + CHIP_HEIGHT / 2, mark, radius=7)
    named = eni.name or eni.instance or eni.id
    room = CHIP_WIDTH - 38
    svg.label(chip, x + 30, y + 20, named, "mono", size=12, width=room)
    state = f"  {eni.state}" if eni.state else ""
    svg.label(chip, x + 30, y + 36, eni.ip + state, "mono-dim", size=11, width=room)
    if eni.public:
        svg.label(chip, x + 30, y + 52, f"⇄ {', '.join(eni.public)}", "mono-dim", size=11, width=room)


def _draw_gates(drawing: Element, x: float, y: float, gates: list[GatePart]) -> None:
    for number, gate in enumerate(gates[:MOST_CHIPS]):
        _draw_gate(drawing, *_spot(x, y, number), gate)
    if len(gates) > MOST_CHIPS:
        left, top = _spot(x, y, MOST_CHIPS)
        svg.label(drawing, left + 8, top + 28, f"+ {len(gates) - MOST_CHIPS}", "dim")


def _draw_gate(drawing: Element, x: float, y: float, gate: GatePart) -> None:
    """A chip with the sign of its kind; a mark in its corner and its state where it carries no traffic."""
    chip = svg.group(drawing, tooltip="  ".join((gate.id, gate.called, *gate.told, gate.state)).strip())
    svg.box(chip, x, y, CHIP_WIDTH, CHIP_HEIGHT, "nest", radius=8)
    icon(chip, x + 16, y + CHIP_HEIGHT / 2, gate.type)
    room = CHIP_WIDTH - 38
    svg.label(chip, x + 30, y + 20, gate.id, "mono", size=12, width=room - (18 if gate.state else 0))
    svg.label(chip, x + 30, y + 36, gate.called, "dim", size=11, width=room)
    if gate.state:
        svg.mark(chip, x + CHIP_WIDTH - 14, y + 16, "partial", radius=6)
        svg.label(chip, x + 30, y + 52, gate.state, "say-partial", size=11, width=room)
    elif gate.told:
        svg.label(chip, x + 30, y + 52, "  ".join(gate.told), "mono-dim", size=11, width=room)
