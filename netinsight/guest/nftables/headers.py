"""What the packet's own headers say, as types and readings."""

from __future__ import annotations

from collections.abc import Callable

from netinsight.addresses import V4_FIRST, Range, family
from netinsight.guest.iptables.match_headers import icmp_of
from netinsight.guest.iptables.names import FLAGS, ICMP, ICMPV6, PROTOCOLS, TCP, UDP, WITH_PORTS
from netinsight.guest.iptables.state import Bits, State
from netinsight.guest.nftables import types
from netinsight.guest.nftables.node import Node
from netinsight.guest.nftables.types import Type
from netinsight.guest.nftables.values import Port, Unknown, Value

Read = Callable[[State], Value]


def version(state: State) -> int:
    """4 or 6."""
    return family(state.packet.source)


def constant(value: Value) -> Read:
    """The same for every packet."""
    return lambda state: value


def not_known(why: str, there: Callable[[State], bool] = lambda state: True) -> tuple[Type, Read]:
    """A value of which nothing is known but which packets have it."""
    unknown = Unknown(why)
    return types.OPAQUE, lambda state: unknown if there(state) else None


def is_of(state: State, protocol: int) -> bool:
    """Whether a packet is of a protocol."""
    return state.packet.protocol == protocol


def _behind_ip(length: Value, state: State) -> Value:
    """What a packet holds behind its IP header."""
    return max(0, length - (20 if version(state) == 4 else 40)) if isinstance(length, int) else length


_IP = {"ip": 4, "ip6": 6}
_IP_PROTOCOLS = {"icmp": ICMP, "icmpv6": ICMPV6, "igmp": 2, "ah": 51, "esp": 50, "comp": 108, "gre": 47}


def payload(node: Node) -> tuple[Type, Read]:
    """A field of a header."""
    if node.get("base") is not None:
        return not_known("bytes of the packet are not modelled")
    protocol, name = node.need("protocol").text(), node.need("field").text()
    if protocol in _IP:
        return _ip_header(_IP[protocol], name)
    if name in ("sport", "dport") and (protocol == "th" or PROTOCOLS.get(protocol) in WITH_PORTS):
        return types.PORT, port(None if protocol == "th" else PROTOCOLS[protocol], name == "sport")
    if protocol == "ether":
        return _ether(name)
    if protocol == "tcp" and name == "flags":
        return types.FLAGS, _flags
    if protocol in ("icmp", "icmpv6") and name in ("type", "code"):
        return _icmp(protocol, name == "type")
    if protocol == "udp" and name == "length":
        read = number_of("length", lambda value: value)
        return types.SHORT, lambda state: _behind_ip(read(state), state) if is_of(state, UDP) else None
    number = _IP_PROTOCOLS.get(protocol, PROTOCOLS.get(protocol))
    if number is None:
        return not_known("is not modelled")
    return not_known("is not modelled", lambda state: is_of(state, number))


def _ip_header(of: int, name: str) -> tuple[Type, Read]:
    kind, read = _ip_field(of, name)
    return kind, lambda state: read(state) if version(state) == of else None


def _ip_field(of: int, name: str) -> tuple[Type, Read]:
    if name in ("saddr", "daddr"):
        return types.ADDRESSES[of], address(of, name == "saddr")
    if name in ("protocol", "nexthdr"):
        return types.PROTOCOL, lambda state: state.packet.protocol
    if name in ("ttl", "hoplimit"):
        return types.BYTE, number_of("ttl", lambda value: value)
    if name == "dscp":
        return types.DSCP, number_of("tos", lambda value: value >> 2)
    if name == "ecn":
        return types.ECN, number_of("tos", lambda value: value & 3)
    if name == "length":
        return types.SHORT, number_of("length", lambda value: value if of == 4 else max(0, value - 40))
    if name == "version":
        return types.BYTE, constant(of)
    if name == "hdrlength":
        return types.BYTE, constant(5)
    if name == "frag-off":
        return types.SHORT, constant(Bits(0, 0xFFFFFFFF ^ 0x4000))  # whole; whether it may be cut is not known
    return not_known("is not modelled")


def address(of: int, source: bool) -> Read:
    """An address as it is now, counted within its family."""
    offset = V4_FIRST if of == 4 else 0

    def read(state: State) -> Value:
        first, last = state.source if source else state.destination
        return first - offset if first == last else Range(first - offset, last - offset)

    return read


def number_of(name: str, part: Callable[[int], int]) -> Read:
    """A part of ``ttl``, ``tos`` or ``length``."""

    def read(state: State) -> Value:
        seen = state.number(name)
        return Unknown(f"the packet's {name} is not given", name) if seen is None else part(seen)

    return read


def port(protocol: int | None, source: bool) -> Read:
    """A port as it is now, of one protocol or of any that has ports."""

    def read(state: State) -> Value:
        own = state.packet.protocol
        if own not in WITH_PORTS:
            return Unknown("the packet has no ports there") if protocol is None else None
        if protocol not in (None, own):
            return None
        box = state.whole
        ports = (state.source_ports or box.source_ports) if source else (state.ports or box.ports)
        return ports.first if ports.first == ports.last else Port(source)

    return read


def over_ethernet(state: State) -> bool:
    """Whether it came in over a wire."""
    return state.packet.chain != "OUTPUT" and state.packet.in_interface != "lo"


def _ether(name: str) -> tuple[Type, Read]:
    if name == "type":
        return types.ETHERTYPE, lambda state: ethertype(state) if over_ethernet(state) else None
    if name == "saddr":

        def read(state: State) -> Value:
            if not over_ethernet(state):
                return None
            given = state.packet.source_mac
            if given is None:
                return Unknown("the packet's source MAC is not given", "mac")
            return types.MAC.read(Node(given))

        return types.MAC, read
    return not_known("the frame of the packet is not known", over_ethernet)


def ethertype(state: State) -> int:
    """That of IPv4 or IPv6."""
    return 0x0800 if version(state) == 4 else 0x86DD


def _flags(state: State) -> Value:
    if not is_of(state, TCP):
        return None
    flags = state.packet.tcp_flags
    if flags is None and state.packet.conntrack() == "NEW":
        return FLAGS["SYN"]
    return Unknown("the packet's TCP flags are not given", "flags") if flags is None else flags


def _icmp(protocol: str, of_type: bool) -> tuple[Type, Read]:
    number = ICMP if protocol == "icmp" else ICMPV6
    what = "type" if of_type else "code"
    kinds = (types.ICMP_TYPE, types.ICMP_CODE) if number == ICMP else (types.ICMPV6_TYPE, types.ICMPV6_CODE)

    def read(state: State) -> Value:
        if not is_of(state, number):
            return None
        seen = icmp_of(state)[0 if of_type else 1]
        return Unknown(f"the packet's ICMP {what} is not given", f"icmp {what}") if seen is None else seen

    return kinds[0 if of_type else 1], read
