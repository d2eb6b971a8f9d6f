"""What the kernel knows of a packet beside its headers: ``meta``, ``ct``, ``fib``, as types and readings."""

from __future__ import annotations

from dataclasses import replace

from netinsight.addresses import V4_FIRST
from netinsight.guest.iptables.match_headers import interface_of
from netinsight.guest.iptables.match_state import kinds_of
from netinsight.guest.iptables.state import Bits, State
from netinsight.guest.nftables import types
from netinsight.guest.nftables.headers import (
    Read,
    address,
    constant,
    ethertype,
    not_known,
    number_of,
    over_ethernet,
    port,
    version,
)
from netinsight.guest.nftables.node import Node
from netinsight.guest.nftables.types import Type
from netinsight.guest.nftables.values import Unknown, Usually, Value


def meta(node: Node) -> tuple[Type, Read]:
    """``meta``."""
    key = node.need("key").text()
    plain: dict[str, tuple[Type, Read]] = {
        "iifname": (types.INTERFACE, _interface(True)), "iif": (types.INTERFACE, _interface(True)),
        "oifname": (types.INTERFACE, _interface(False)), "oif": (types.INTERFACE, _interface(False)),
        "l4proto": (types.PROTOCOL, lambda state: state.packet.protocol),
        "nfproto": (types.NFPROTO, lambda state: 2 if version(state) == 4 else 10),
        "protocol": (types.ETHERTYPE, ethertype),
        "mark": (types.MARK, lambda state: state.mark),
        "length": (types.NUMBER, number_of("length", lambda value: value)),
        "skuid": (types.OWNER, _owner("uid")), "skgid": (types.OWNER, _owner("gid")),
        "iiftype": (types.LINK, _link),
        "pkttype": (types.PACKET_TYPE, _packet_type),
    }  # fmt: skip
    if key in plain:
        return plain[key]
    if key in ("time", "hour", "day"):
        return not_known("counts in the time zone of the machine, which is not known")
    return not_known("is not modelled")


def _interface(inward: bool) -> Read:
    def read(state: State) -> Value:
        packet = state.packet
        came_by = "" if packet.chain == "OUTPUT" else packet.in_interface  # it is known until the packet leaves
        name = came_by if inward else interface_of(state, inward)
        if name is None:
            fact = f"{'in' if inward else 'out'}-interface"
            return Unknown("the interface is not given", fact, never="lo" if packet.abroad else "")
        return name

    return read


def _link(state: State) -> Value:
    return 1 if over_ethernet(state) else None if state.packet.chain == "OUTPUT" else 772


def _owner(name: str) -> Read:
    def read(state: State) -> Value:
        if state.packet.chain != "OUTPUT":
            early = state.hook == "INPUT" and state.tracked() != "NEW"
            return Unknown("whether the kernel found the socket yet is not known") if early else None
        actual: int | None = getattr(state.packet, name)
        return Unknown(f"the packet's {name} is not given", name) if actual is None else actual

    return read


def _packet_type(state: State) -> Value:
    if state.packet.chain == "OUTPUT":
        return 0
    kind = {"BROADCAST": 1, "MULTICAST": 2}.get(kinds_of(state, False)[0], 0)
    return Usually(kind, "the frame is addressed as the packet is")


def ct(node: Node) -> tuple[Type, Read]:
    """``ct``; what has no connection has a state only."""
    key = node.need("key").text()
    if key == "state":
        return types.STATE, lambda state: types.STATE_BITS[state.tracked().lower()]
    kind, read = _of_connection(key, node)
    return kind, lambda state: None if state.tracked() in ("INVALID", "UNTRACKED") else read(state)


def _of_connection(key: str, node: Node) -> tuple[Type, Read]:
    if key == "mark":
        return types.MARK, lambda state: state.connmark
    if key == "direction":
        return types.DIRECTION, _direction
    if key == "status":
        return types.STATUS, _status
    if key == "protocol":
        return types.PROTOCOL, lambda state: state.packet.protocol
    if key == "l3proto":
        return types.NFPROTO, lambda state: 2 if version(state) == 4 else 10
    way = node.get("dir")
    if way is not None and way.value in ("original", "reply"):
        return _tuple(key, way.value == "original")
    return not_known("is not known offline")


def _direction(state: State) -> Value:
    if state.tracked() == "NEW":
        return 0
    connection = state.packet.connection
    told = Unknown("which side began the connection is not known", "original direction", True)
    return int(connection.reply) if connection else told


def _status(state: State) -> Value:
    there = state.packet.connection is not None and state.tracked() == "ESTABLISHED"
    if not there and state.tracked() != "NEW":
        return Unknown("the status of the connection is not known", "status")
    # a side that is translated is marked as done too; of one that is not, nobody knows whether anything looked
    value = (0x90 if "SNAT" in state.translated else 0) | (0x120 if state.translated & {"DNAT", "REDIRECT"} else 0)
    if there:
        return Bits(value | 0x0A, value | 0x3B)  # answered and confirmed, not expected; whether assured is not known
    return Bits(value, value | 0x37)  # not expected, not answered, not assured


def _tuple(key: str, original: bool) -> tuple[Type, Read]:
    """The addresses and ports of the connection: the first packet's own, or those of what will answer it."""
    of = {"ip saddr": 4, "ip daddr": 4, "ip6 saddr": 6, "ip6 daddr": 6}.get(key)
    unknown = Unknown("the addresses with which the connection began are not known")
    if of is not None:
        source = key.endswith("saddr")
        read = _original(source, of) if original else address(of, not source)

        def known(state: State) -> Value:
            if version(state) != of:
                return None
            began = original and state.packet.connection is not None
            return read(state) if began or state.tracked() == "NEW" else unknown

        return types.ADDRESSES[of], known
    if key in ("proto-src", "proto-dst"):
        source = (key == "proto-src") == original
        read_port = port(None, source)

        def read_now(state: State) -> Value:
            if state.tracked() != "NEW":
                return unknown
            return read_port(replace(state, source_ports=None, ports=None) if original else state)

        return types.PORT, read_now
    return not_known("is not known offline")


def _original(source: bool, of: int) -> Read:
    offset = V4_FIRST if of == 4 else 0

    def read(state: State) -> Value:
        first = state.packet.connection or state.packet
        return (first.source if source else first.destination) - offset

    return read


def fib(node: Node) -> tuple[Type, Read]:
    """``fib``: the type of an address, and whether there is a way back."""
    flags = {str(one.value) for one in node.need("flags").items()} if isinstance(node.need("flags").value, list) else {
        str(node.need("flags").value)}  # fmt: skip
    result = node.need("result").text()
    if result == "type" and len(flags & {"saddr", "daddr"}) == 1 and flags <= {"saddr", "daddr", "iif", "oif"}:
        source, by_interface = "saddr" in flags, bool(flags & {"iif", "oif"})
        return types.FIB_TYPE, _fib_type(source, by_interface)
    if result in ("oif", "oifname") and "saddr" in flags:
        # as a truth value: whether there is a way back
        return types.numbers("interface", 32), constant(Usually(1, "the way back to the source leads there"))
    return not_known("is not modelled")


def _fib_type(source: bool, by_interface: bool) -> Read:
    side = "source" if source else "destination"
    why = f"the type of the {side} address is not given"

    def read(state: State) -> Value:
        kinds = kinds_of(state, source)
        if by_interface and {"LOCAL", "BROADCAST"} & set(kinds):
            return Unknown("the addresses of the interface are not known")
        if len(kinds) == 1:
            return types.FIB_TYPES[kinds[0].lower()]
        if kinds[0]:
            possible = tuple(types.FIB_TYPES[kind.lower()] for kind in kinds)
            return Usually(possible[0], f"{why}, {kinds[0]} is the usual one here", possible)
        moved = " after translation" if state.translated else ""
        return Unknown(why, f"{side} type{moved}")

    return read
