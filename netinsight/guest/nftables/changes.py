"""Statements that change a packet, translate it or refuse it, as targets of the walk."""

from __future__ import annotations

from typing import NamedTuple

from netinsight.addresses import V4_FIRST, V4_LAST, Range
from netinsight.guest.iptables.names import TCP
from netinsight.guest.iptables.rules import Kind, Target
from netinsight.guest.iptables.state import EVERY_BIT, State, Test
from netinsight.guest.nftables import types
from netinsight.guest.nftables.fields import bits_of, constant_of, keep_and_flip
from netinsight.guest.nftables.headers import version
from netinsight.guest.nftables.matching import choices, map_text
from netinsight.guest.nftables.node import Node, NodeError, NotModelledError
from netinsight.guest.nftables.sets import Around, values_of


class Way(NamedTuple):
    """What happens where some tests hold."""

    tests: tuple[Test, ...]
    target: Target
    lists: tuple[tuple[str, bool], ...] = ()


def ways(name: str, node: Node, around: Around) -> list[Way] | None:
    """What a statement does; an empty list: nothing that a rule sees; None: it is not modelled.

    Raises
    ------
    NodeError
        Where it cannot be what it is called.
    """
    if name == "notrack":
        return [Way((), Target(Kind.CHANGE, "notrack", change="notrack"))]
    if name == "reject":
        return _reject(node, around)
    if name == "mangle":
        return _mangle(node, around)
    if name in _TRANSLATIONS:
        return _translation(name, node, around)
    return None


def of_family(wanted: int) -> Test:
    """Whether a packet is of a family."""
    return lambda state: version(state) == wanted


def _tcp(state: State) -> bool:
    return state.packet.protocol == TCP


# -- reject ------------------------------------------------------------------------------------------------------------

_ANY_REPLY = {
    "port-unreachable": ("icmp-port-unreachable", "icmp6-port-unreachable"),
    "admin-prohibited": ("icmp-admin-prohibited", "icmp6-adm-prohibited"),
    "no-route": ("icmp-net-unreachable", "icmp6-no-route"),
    "host-unreachable": ("icmp-host-unreachable", "icmp6-addr-unreachable"),
}
_REPLIES_6 = {"no-route": "no-route", "admin-prohibited": "adm-prohibited", "addr-unreachable": "addr-unreachable",
              "port-unreachable": "port-unreachable", "policy-fail": "policy-fail", "reject-route": "reject-route"}  # fmt: skip


def _reject(node: Node, around: Around) -> list[Way]:
    given = node if isinstance(node.value, dict) else Node({}, node.path)
    kind = given.get("type")
    what = given.get("expr")
    told = "port-unreachable" if what is None else str(what.value)
    name = "icmpx" if kind is None else kind.text()
    if name == "tcp reset":
        return [Way((_tcp,), Target(Kind.REJECT, "reject", reply="tcp-reset"))]
    if name == "icmp":
        reply = "icmp-" + ("proto-unreachable" if told == "prot-unreachable" else told)
        return [Way((of_family(4),), Target(Kind.REJECT, "reject", reply=reply))]
    if name == "icmpv6":
        return [Way((of_family(6),), Target(Kind.REJECT, "reject", reply=f"icmp6-{_REPLIES_6.get(told, told)}"))]
    if name != "icmpx":
        raise NodeError(given.need("type"), "expected icmp, icmpv6, icmpx or tcp reset")
    replies = _ANY_REPLY.get(told, (f"icmp-{told}", f"icmp6-{told}"))
    return [Way((of_family(of),), Target(Kind.REJECT, "reject", reply=reply))
            for of, reply in zip((4, 6), replies, strict=True) if around.family in ("inet", _NAMES[of])]  # fmt: skip


_NAMES = {4: "ip", 6: "ip6"}

# -- what is changed ---------------------------------------------------------------------------------------------------

_QUIET_META = ("priority", "nftrace", "secmark")
_QUIET_CT = ("label", "event", "helper", "secmark")


def _mangle(node: Node, around: Around) -> list[Way] | None:
    """``… set …``."""
    name, key = node.need("key").only()
    value = node.need("value")
    if name == "tcp option":
        return []
    part = key.get("key") or key.get("field")
    field = "" if part is None else str(part.value)
    if (name == "meta" and field in _QUIET_META) or (name == "ct" and field in _QUIET_CT):
        return []
    if name in ("meta", "ct") and field == "mark":
        return _marks("mark" if name == "meta" else "connmark", value, around)
    if name == "payload" and key.get("protocol") is not None:
        return _header(key.need("protocol").text(), field, value)
    return None


def _marks(change: str, value: Node, around: Around) -> list[Way]:
    if (lookup := value.get("map")) is not None:
        told = map_text("map", lookup)
        return [Way((test,), _mark(change, data)[0]) for test, data in choices(lookup, around, told)]
    targets = _mark(change, value)
    tracked: tuple[Test, ...] = ()
    if targets[0].change == "restore":
        tracked = (lambda state: state.tracked() not in ("INVALID", "UNTRACKED"),)
    if len(targets) == 1 or targets[1].amounts == (0, 0):
        return [Way(tracked, targets[0])]
    return [Way(tracked, Target(Kind.CHANGE, "mark", change=f"{change}-unknown"))]


def _mark(change: str, value: Node | None) -> list[Target]:
    """A constant, the same mark with some bits changed, or the other mark, of which bits may then be flipped."""
    unknown = [Target(Kind.CHANGE, "mark", change=f"{change}-unknown")]
    if value is None:
        return unknown
    try:
        inner, operations = bits_of(value)
        if not isinstance(inner.value, dict):
            return [Target(Kind.CHANGE, "mark", change=change, amounts=(constant_of(value, types.MARK), EVERY_BIT))]
        keep, flip = keep_and_flip(operations, types.MARK)
    except NotModelledError:
        return unknown
    same, other = ("meta", "ct") if change == "mark" else ("ct", "meta")
    name, of = inner.only()
    if not isinstance(of.value, dict) or of.value.get("key") != "mark":
        return unknown
    if name == same:
        return [Target(Kind.CHANGE, "mark", change=change, amounts=(flip, ~keep & EVERY_BIT))]
    if name == other:
        amounts = (EVERY_BIT, keep) if change == "mark" else (keep, EVERY_BIT)
        taken = Target(Kind.CHANGE, "mark", change="restore" if change == "mark" else "save", amounts=amounts)
        return [taken, Target(Kind.CHANGE, "mark", change=change, amounts=(flip, 0))]
    return unknown


def _header(protocol: str, field: str, value: Node) -> list[Way] | None:
    """Numbers of the IP header; other bytes may be what rules ask, and are not followed."""
    if field in ("checksum", "csumcov"):
        return []
    kinds = {"dscp": (types.DSCP, 2, 0xFC), "ecn": (types.ECN, 0, 3)}
    try:
        if protocol in ("ip", "ip6") and field in kinds:
            kind, shift, mask = kinds[field]
            target = Target(Kind.CHANGE, field, change="tos", amounts=(constant_of(value, kind) << shift, mask))
        elif (protocol, field) in (("ip", "ttl"), ("ip6", "hoplimit")):
            target = Target(Kind.CHANGE, field, change="ttl-set", amounts=(constant_of(value, types.BYTE),))
        else:
            return None
    except NotModelledError:
        return None
    return [Way((of_family(4 if protocol == "ip" else 6),), target)]


# -- translation -------------------------------------------------------------------------------------------------------

_TRANSLATIONS = {"snat": "SNAT", "dnat": "DNAT", "masquerade": "MASQUERADE", "redirect": "REDIRECT"}
_EVERY_PORT = (0, 65535)


def _translation(name: str, node: Node, around: Around) -> list[Way]:
    """Address and port, each as it stands or looked up in a map; one that cannot be worked out is any."""
    given = node if isinstance(node.value, dict) else Node({}, node.path)
    told = given.get("family")
    families = {"ip": 4, "ip6": 6}
    of = families.get(around.family) or (families.get(str(told.value)) if told is not None else None)
    tests = () if of is None else (of_family(of),)
    address, port = given.get("addr"), given.get("port")
    netmap = given.get("type_flags") is not None or "netmap" in str(given.value.get("flags"))
    lookup = next((one for one in (address, port) if one is not None and one.get("map") is not None), None)
    if lookup is None or (address is not None and port is not None):
        return [Way(tests, _translated(name, of, address, port, netmap))]
    found = []
    for test, data in choices(lookup.need("map"), around, map_text("map", lookup.need("map"))):
        new = (data, port) if lookup is address else (address, data)
        first, second = (Node(None) if data is None and one is data else one for one in new)
        found.append(Way((*tests, test), _translated(name, of, first, second, netmap)))
    return found


def _translated(name: str, of: int | None, address: Node | None, port: Node | None, netmap: bool) -> Target:
    change = _TRANSLATIONS[name]
    if address is not None and (parts := address.get("concat")) is not None and len(parts.items()) == 2:
        address, port = parts.items()
    ports = None if port is None else _ports(port)
    if address is None:
        return Target(Kind.ACCEPT, name, change=change, ports=ports)
    of = of or (6 if ":" in str(address.value) else 4)
    where = _addresses(address, of)
    if where is None:
        return Target(Kind.ACCEPT, name, change=change, addresses=_every(of), ports=ports)
    first, last = where
    if netmap and address.get("prefix") is not None:
        bits = 32 if of == 4 else 128
        mask = ((1 << bits) - 1) ^ (last - first)
        return Target(Kind.ACCEPT, name, change="NETMAP", amounts=(first, mask))
    offset = V4_FIRST if of == 4 else 0
    return Target(Kind.ACCEPT, name, change=change, addresses=Range(first + offset, last + offset), ports=ports)


def _every(of: int) -> Range:
    return Range(V4_FIRST, V4_LAST) if of == 4 else Range(0, (1 << 128) - 1)


def _addresses(node: Node, of: int) -> tuple[int, int] | None:
    try:
        held = values_of(node, types.ADDRESSES[of]).ranges
    except NotModelledError:
        return None
    return held[0] if len(held) == 1 else None


def _ports(node: Node) -> tuple[int, int]:
    try:
        held = values_of(node, types.PORT).ranges
    except (NotModelledError, NodeError):
        return _EVERY_PORT
    return held[0] if len(held) == 1 else _EVERY_PORT
