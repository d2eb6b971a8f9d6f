"""A small drawn sign for each kind of object, so that a gateway is told from a router at a glance.

Lines only, in a square of 18 around the middle, in the colour of quiet text. What has no sign of its own goes by a dashed
square. The sign is never all that tells a kind: the word stands beside it.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from netinsight.render import svg

WIDTH = 18
"""The side of the square that a sign stands in."""

_ROUND = "M-8 0 A8 8 0 1 0 8 0 A8 8 0 1 0 -8 0 "
_GATE = "M-7 7 V-2 A7 5 0 0 1 7 -2 V7 "
_MACHINE = "M-7 -7 H7 V7 H-7 Z M-7 0 H7 M-4 -3.5 H-3 M-4 3.5 H-3"
_HUB = "M-2.5 0 A2.5 2.5 0 1 0 2.5 0 A2.5 2.5 0 1 0 -2.5 0 "
_LOCK = "M-4 -1 V-3.5 A4 4 0 0 1 4 -3.5 V-1 M-5.5 -1 H5.5 V7 H-5.5 Z M0 2 V4"

ICONS: dict[str, str] = {
    "instance": _MACHINE,
    "eni": "M-7 -5 H7 V5 H-7 Z M-4 5 V8 M0 5 V8 M4 5 V8 M-3 -1 H3",
    "appliance": "M-5 -7 H5 V7 H-5 Z M-9 0 H7.5 M4.5 -3 L8 0 L4.5 3",
    "vswitch": "M-8 -2 H8 M-5 -2 V6 M0 -2 V6 M5 -2 V6 M0 -2 V-7",
    "vpc": f"{_ROUND}M-4.5 0 H4.5 M0 -4.5 V4.5 M2.8 -1.7 L4.5 0 L2.8 1.7 M-2.8 -1.7 L-4.5 0 L-2.8 1.7",
    "internet": f"{_ROUND}M-8 0 H8 M0 -8 C-5 -4 -5 4 0 8 C5 4 5 -4 0 -8",
    "service": "M-5 5 A3.5 3.5 0 0 1 -5 -2 A5 5 0 0 1 4.5 -3 A4 4 0 0 1 5 5 Z",
    "public_edge": "M0 8 C-4 3 -6 0.5 -6 -2 A6 6 0 0 1 6 -2 C6 0.5 4 3 0 8 M-2 -2 A2 2 0 1 0 2 -2 A2 2 0 1 0 -2 -2",
    "nat": "M-8 -3.5 H7 M4 -6.5 L7.5 -3.5 L4 -0.5 M8 3.5 H-7 M-4 0.5 L-7.5 3.5 L-4 6.5",
    "ipv4": f"{_GATE}M1.5 7 V0 L-2.5 4.5 H3",
    "ipv6": f"{_GATE}M1.8 0 C-1 0.5 -2.2 2.5 -2.2 4.6 A2.2 2.2 0 1 0 2.2 4.6 A2.2 2.2 0 0 0 -2.2 4.6",
    "peering": "M-8 0 A5 5 0 1 0 2 0 A5 5 0 1 0 -8 0 M-2 0 A5 5 0 1 0 8 0 A5 5 0 1 0 -2 0",
    "router_interface": "M-8 0 H-4 M-4 -5 V5 H0 A5 5 0 0 0 0 -5 Z M5 -2.5 H8 M5 2.5 H8",
    "vbr": "M-8 0 A4 4 0 1 0 0 0 A4 4 0 1 0 -8 0 M0 0 H6 M6 -7 V7 M3 -2.5 V2.5",
    "transit_router": f"{_HUB}M-2 -2 L-6.5 -6.5 M2 -2 L6.5 -6.5 M-2 2 L-6.5 6.5 M2 2 L6.5 6.5 M-7.5 -4.5 V-7.5 H-4.5 "
    "M4.5 -7.5 H7.5 V-4.5 M-7.5 4.5 V7.5 H-4.5 M4.5 7.5 H7.5 V4.5",
    "attachment": f"{_HUB}M2.5 0 H8 M5.5 -2.5 L8 0 L5.5 2.5 M-2.5 0 H-8",
    "vpn": _LOCK,
    "vpn_connection": _LOCK,
    "network": "M-7 7 V-3 L0 -8 L7 -3 V7 Z M-2 7 V2 H2 V7 M-3.5 -1.5 H-3 M3 -1.5 H3.5",
    "havip": "M-8 2 H-2.5 V7.5 H-8 Z M2.5 2 H8 V7.5 H2.5 Z M-5 2 V0 L0 -3 L5 0 V2 M-2 -5.5 A2 2 0 1 0 2 -5.5 A2 2 0 1 0 -2 -5.5",
    "load_balancer": "M-8 0 H-1 M-1 -6 V6 M-1 -6 H7 M-1 0 H7 M-1 6 H7 M5 -8 L7.5 -6 L5 -4 M5 -2 L7.5 0 L5 2 M5 4 L7.5 6 L5 8",
}
"""By kind, as a report or a drawing names it."""

ICONS["eip"] = ICONS["public_edge"]

_OTHER = "M-7 -4 V-7 H-4 M4 -7 H7 V-4 M7 4 V7 H4 M-4 7 H-7 V4 M-1 0 H1"


def icon(parent: Element, x: float, y: float, kind: str, *, size: float = WIDTH) -> Element:
    """The sign of a kind with its middle at ``x``, ``y``."""
    return svg.shape(parent, x, y, ICONS.get(kind, _OTHER), "icon", scale=size / WIDTH)
