"""Types of nftables' data: how a value is written, and the number that it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from netinsight.addresses import V4_FIRST, family, parse_address
from netinsight.errors import visible
from netinsight.guest.iptables.names import DSCP_CLASSES, PROTOCOLS, SERVICES
from netinsight.guest.nftables.node import Node, NodeError, NotModelledError


class Type(NamedTuple):
    """A type of data: its name, how many bits it has, and what reads a value."""

    name: str
    bits: int
    read: Callable[[Node], int | str]

    @property
    def most(self) -> int:
        """The greatest value."""
        return (1 << self.bits) - 1


def numbers(name: str, bits: int, names: Mapping[str, int] | None = None) -> Type:
    """Whole numbers, some of which have names; a name that is not known here is not modelled."""
    most = (1 << bits) - 1

    def read(node: Node) -> int:
        value: Any = node.value
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, str):
            if names is not None and value.lower() in names:
                return names[value.lower()]
            if not re.fullmatch(r"[0-9]{1,39}|0x[0-9a-fA-F]{1,32}", value):
                raise NotModelledError(f"the {name} `{visible(value)}` is not known here")
            node = node._replace(value=int(value, 0) if value[:2] == "0x" else int(value))
        return node.whole(most)

    return Type(name, bits, read)


def _addresses(version: int) -> Type:
    def read(node: Node) -> int:
        try:
            value = parse_address(node.text())
        except ValueError:
            raise NodeError(node, f"`{visible(node.text())}` is not an IPv{version} address") from None
        if family(value) != version:
            raise NodeError(node, f"`{visible(node.text())}` is not an IPv{version} address")
        return value - (V4_FIRST if version == 4 else 0)

    return Type(f"IPv{version} address", 32 if version == 4 else 128, read)


def _mac(node: Node) -> int:
    if not re.fullmatch(r"([0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}", node.text()):
        raise NodeError(node, f"`{visible(node.text())}` is not a MAC address")
    value = 0
    for part in node.text().split(":"):
        value = value << 8 | int(part, 16)
    return value


def _interface(node: Node) -> str:
    return node.text()


def _nothing(node: Node) -> int:
    raise NotModelledError("is not modelled")


ADDRESSES = {4: _addresses(4), 6: _addresses(6)}
MAC = Type("MAC address", 48, _mac)
INTERFACE = Type("interface", 0, _interface)
"""Texts; all other types are numbers."""
OPAQUE = Type("value", 0, _nothing)
"""Of expressions that are not modelled."""
PORT = numbers("port", 16, SERVICES)
PROTOCOL = numbers("protocol", 8, {**PROTOCOLS, "comp": 108})
MARK = numbers("mark", 32)
BYTE = numbers("number", 8)
SHORT = numbers("number", 16)
NUMBER = numbers("number", 32)
OWNER = numbers("user or group", 32, {"root": 0})
DSCP = numbers("DSCP class", 6, {name.lower(): value for name, value in DSCP_CLASSES.items()})
ECN = numbers("ECN value", 2, {"not-ect": 0, "ect1": 1, "ect0": 2, "ce": 3})
FLAGS = numbers("TCP flag", 8, {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128})
STATE_BITS = {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
STATE = numbers("state", 32, STATE_BITS)
STATUS = numbers("status", 32, {"expected": 1, "seen-reply": 2, "assured": 4, "confirmed": 8, "snat": 16, "dnat": 32,
                                "dying": 512})  # fmt: skip
DIRECTION = numbers("direction", 8, {"original": 0, "reply": 1})
NFPROTO = numbers("family", 8, {"ipv4": 2, "ip": 2, "ipv6": 10, "ip6": 10})
ETHERTYPE = numbers("Ethernet type", 16, {"ip": 0x0800, "arp": 0x0806, "ip6": 0x86DD, "vlan": 0x8100, "8021q": 0x8100,
                                          "8021ad": 0x88A8})  # fmt: skip
LINK = numbers("type of link", 16, {"ether": 1, "loopback": 772, "ppp": 512, "ipgre": 778, "none": 0xFFFE})
PACKET_TYPE = numbers("packet type", 8, {"host": 0, "unicast": 0, "broadcast": 1, "multicast": 2, "other": 3})
FIB_TYPES = {"unspec": 0, "unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5, "blackhole": 6,
             "unreachable": 7, "prohibit": 8, "throw": 9, "nat": 10, "xresolve": 11}  # fmt: skip
FIB_TYPE = numbers("address type", 32, FIB_TYPES)
ICMP_TYPE = numbers("ICMP type", 8, {
    "echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
    "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
    "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16, "address-mask-request": 17,
    "address-mask-reply": 18})  # fmt: skip
ICMP_CODE = numbers("ICMP code", 8, {
    "net-unreachable": 0, "host-unreachable": 1, "prot-unreachable": 2, "port-unreachable": 3, "frag-needed": 4,
    "net-prohibited": 9, "host-prohibited": 10, "admin-prohibited": 13})  # fmt: skip
ICMPV6_TYPE = numbers("ICMPv6 type", 8, {
    "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo-request": 128,
    "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131, "mld-listener-done": 132,
    "mld-listener-reduction": 132, "nd-router-solicit": 133, "nd-router-advert": 134, "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138, "ind-neighbor-solicit": 141,
    "ind-neighbor-advert": 142, "mld2-listener-report": 143})  # fmt: skip
ICMPV6_CODE = numbers("ICMPv6 code", 8, {"no-route": 0, "admin-prohibited": 1, "addr-unreachable": 3,
                                         "port-unreachable": 4, "policy-fail": 5, "reject-route": 6})  # fmt: skip
