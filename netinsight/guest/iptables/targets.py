"""What a target is, and what it changes of a packet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from netinsight.addresses import V4_FIRST, V4_LAST, Range, family, parse_address
from netinsight.errors import did_you_mean, visible
from netinsight.flow import PortRange
from netinsight.guest.iptables.names import DSCP_CLASSES, REJECT_KINDS, TCP, TOS_NAMES
from netinsight.guest.iptables.rules import Kind, Target
from netinsight.guest.iptables.state import EVERY_BIT, Bits, State
from netinsight.guest.iptables.testing import Use, address_mask, address_range
from netinsight.guest.iptables.words import WordError, number, span, value_and_mask

_PLAIN = {"ACCEPT": Kind.ACCEPT, "DROP": Kind.DROP, "RETURN": Kind.RETURN}
QUIET = frozenset(
    ["LOG", "NFLOG", "ULOG", "TRACE", "TCPMSS", "CHECKSUM", "CLASSIFY", "SECMARK", "CONNSECMARK", "AUDIT", "TEE", "ECN",
     "TCPOPTSTRIP", "LED", "IDLETIMER", "RATEEST", "SET"]
)  # fmt: skip
"""Targets after which the packet goes on as it was, for all that rules see of it."""


def reject(use: Use) -> Target:
    """REJECT; without an option it answers that the port is unreachable, to TCP too."""
    option = use.get("--reject-with")
    if option is None:
        return Target(
            Kind.REJECT, "REJECT", reply="icmp-port-unreachable" if use.family == 4 else "icmp6-port-unreachable"
        )
    kinds = REJECT_KINDS[use.family]
    if option.word.text not in kinds:
        raise WordError(f"`{visible(option.word.text)}` is no kind of REJECT", option.word.column,
                    did_you_mean(option.word.text, kinds))  # fmt: skip
    if kinds[option.word.text] == "tcp-reset" and use.protocol != TCP:
        raise WordError("--reject-with tcp-reset goes with -p tcp", option.column)
    return Target(Kind.REJECT, "REJECT", reply=kinds[option.word.text])


def mark(use: Use) -> Target:
    """MARK and CONNMARK."""
    if use.has("--save-mark") or use.has("--restore-mark"):
        masks = {one.name: number(one.word, EVERY_BIT, "mask") for one in use.options if one.words}
        both = masks.get("--mask", EVERY_BIT)
        change = "save" if use.has("--save-mark") else "restore"
        amounts = (masks.get("--nfmask", both), masks.get("--ctmask", both))
        return Target(Kind.CHANGE, use.name, change=change, amounts=amounts)
    options = [one for one in use.options if one.words and one.name.endswith("mark")]
    if len(options) != 1:
        raise WordError(f"{use.name} needs what to set, such as --set-mark", use.column)
    value, mask = value_and_mask(options[0].word)
    name = options[0].name
    if name == "--set-mark":
        mask |= value
    elif name == "--and-mark":
        value, mask = 0, ~value & EVERY_BIT
    elif name == "--or-mark":
        mask = value
    elif name == "--xor-mark":
        mask = 0
    return Target(Kind.CHANGE, use.name, change="mark" if use.name == "MARK" else "connmark", amounts=(value, mask))


def untracked(use: Use) -> Target:
    """CT and NOTRACK."""
    if use.name == "NOTRACK" or use.has("--notrack"):
        return Target(Kind.CHANGE, use.name, change="notrack")
    return Target(Kind.NOTHING, use.name)


def translation(use: Use) -> Target:
    """DNAT, SNAT, MASQUERADE, REDIRECT and NETMAP; each ends the table."""
    option = next((one for one in use.options if one.words), None)
    if use.name in ("MASQUERADE", "REDIRECT"):
        ports = None if option is None else span(option.word, 65535, "port", "-")
        return Target(Kind.ACCEPT, use.name, change=use.name, ports=ports)
    if option is None:
        raise WordError(f"{use.name} needs the address to translate to", use.column)
    if use.name == "NETMAP":
        held = address_mask(option.word, option.word.text, use.family)
        return Target(Kind.ACCEPT, "NETMAP", change="NETMAP", amounts=(held.value, held.mask))
    addresses, ports_text = _host_and_ports(option.word.text)
    ports = None
    if ports_text:
        shown = option.word._replace(text=ports_text.partition("/")[0])
        ports = span(shown, 65535, "port", "-")
    where = address_range(option.word, use.family, addresses) if addresses else None
    return Target(Kind.ACCEPT, use.name, change=use.name, addresses=where, ports=ports)


def _host_and_ports(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    if text.count(":") > 1:
        return text, ""
    host, _, ports = text.partition(":")
    return host, ports


def header(use: Use) -> Target:
    """TOS, DSCP, TTL and HL change a number of the header."""
    option = next((one for one in use.options if one.words), None)
    if option is None:
        raise WordError(f"{use.name} needs what to set", use.column)
    text, word = option.word.text, option.word
    if use.name in ("TTL", "HL"):
        return Target(Kind.CHANGE, use.name, change=f"ttl-{option.name[-3:]}", amounts=(number(word, 255, "ttl"),))
    if use.name == "DSCP":
        if option.name == "--set-dscp-class" and text.upper() not in DSCP_CLASSES:
            raise WordError(f"DSCP class `{visible(text)}` is not known", word.column)
        value = DSCP_CLASSES[text.upper()] if option.name == "--set-dscp-class" else number(word, 63, "DSCP value")
        return Target(Kind.CHANGE, "DSCP", change="tos", amounts=(value << 2, 0xFC))
    value, mask = (TOS_NAMES[text], 0x3F) if text in TOS_NAMES else value_and_mask(word, 8)
    operation = {"--and-tos": (0, ~value & 0xFF), "--or-tos": (value, value), "--xor-tos": (value, 0)}
    return Target(Kind.CHANGE, "TOS", change="tos", amounts=operation.get(option.name, (value, mask)))


def tproxy(use: Use) -> Target:
    """TPROXY gives the packet to a socket of this machine, and marks it."""
    option = use.get("--tproxy-mark")
    amounts = value_and_mask(option.word) if option else (0, 0)
    return Target(Kind.ACCEPT, "TPROXY", change="mark", amounts=amounts)


BUILDERS: Mapping[str, Callable[[Use], Target]] = {
    **{name: (lambda use: Target(_PLAIN[use.name], use.name)) for name in _PLAIN},
    **{name: (lambda use: Target(Kind.NOTHING, use.name)) for name in QUIET},
    "REJECT": reject, "MARK": mark, "CONNMARK": mark, "CT": untracked, "NOTRACK": untracked, "DNAT": translation,
    "SNAT": translation, "MASQUERADE": translation, "REDIRECT": translation, "NETMAP": translation, "TOS": header,
    "DSCP": header, "TTL": header, "HL": header, "TPROXY": tproxy,
}  # fmt: skip


def changed(state: State, target: Target) -> State:
    """``state`` after ``target``."""
    change, amounts = target.change, target.amounts
    if change == "mark":
        return replace(state, mark=state.mark.changed(*amounts))
    if change in ("connmark", "save", "restore"):
        return _connmark(state, change, amounts)
    if change == "notrack":
        untracked = state.kind == "raw" or state.conntrack == "INVALID"
        return replace(state, conntrack="UNTRACKED") if untracked else state
    if change == "mark-unknown":
        return replace(state, mark=Bits(0, 0))
    if change == "connmark-unknown":
        return replace(state, connmark=Bits(0, 0))
    if change == "tos":
        seen = state.number("tos")
        full = amounts[1] == 0xFF
        return (
            state if seen is None and not full else state.with_number("tos", ((seen or 0) & ~amounts[1]) ^ amounts[0])
        )
    if change == "forward":
        return replace(state, rerouted=True)
    if change.startswith("ttl-"):
        return _ttl(state, change, amounts[0])
    return _translated(state, target) if change else state


def _connmark(state: State, change: str, amounts: tuple[int, ...]) -> State:
    if state.tracked() in ("INVALID", "UNTRACKED"):
        return state
    if change == "connmark":
        return replace(state, connmark=state.connmark.changed(*amounts))
    netfilter, connection = amounts
    if change == "save":
        return replace(state, connmark=_merged(state.connmark, connection, state.mark, netfilter))
    return replace(state, mark=_merged(state.mark, netfilter, state.connmark, connection))


def _merged(kept: Bits, cleared: int, other: Bits, taken: int) -> Bits:
    """``(kept & ~cleared) ^ (other & taken)``."""
    known = (kept.known | cleared) & (other.known | (~taken & EVERY_BIT))
    return Bits(((kept.value & ~cleared) ^ (other.value & taken)) & known, known)


def _ttl(state: State, change: str, amount: int) -> State:
    seen = state.number("ttl")
    if change == "ttl-set":
        return state.with_number("ttl", amount)
    if seen is None:
        return state
    return state.with_number("ttl", max(0, seen - amount) if change == "ttl-dec" else min(255, seen + amount))


def _translated(state: State, target: Target) -> State:
    if target.change == "NETMAP":
        return _netmapped(state, *target.amounts)
    if target.change in ("SNAT", "MASQUERADE"):
        where = target.addresses or _way_out(state)
        ports = PortRange(*target.ports) if target.ports else state.source_ports
        if _same(where, state.source, ports, state.whole.source_ports):
            return _settled(state)
        return replace(state, source=where, source_ports=ports, translated=state.translated | {"SNAT"})
    ports = PortRange(*target.ports) if target.ports else state.ports
    if target.change == "DNAT":
        where = target.addresses or state.destination
        if _same(where, state.destination, ports, state.whole.ports):
            return _settled(state)
        moved = state.hook == "OUTPUT"
        return replace(state, destination=where, ports=ports, rerouted=state.rerouted or moved,
                       translated=state.translated | {"DNAT"})  # fmt: skip
    where = _here(state)
    if _same(where, state.destination, ports, state.whole.ports):
        return _settled(state)
    return replace(state, destination=where, ports=ports, rerouted=state.rerouted or state.hook == "OUTPUT",
                   translated=state.translated | {"REDIRECT"})  # fmt: skip


def _same(where: Range, asked: Range, ports: PortRange | None, whole: PortRange) -> bool:
    """Whether a translation changes nothing: the connection is then not one that is translated (``--ctstate DNAT``)."""
    kept = ports is None or (ports.first <= whole.first and whole.last <= ports.last)
    return where == asked and where.first == where.last and kept


def _settled(state: State) -> State:
    return replace(state, settled=state.settled | {state.manipulated})


def _netmapped(state: State, value: int, mask: int) -> State:
    """The bits of the mask are replaced, the rest of the address stays."""
    source = state.hook in ("INPUT", "POSTROUTING")
    where = state.source if source else state.destination
    offset = V4_FIRST if family(where.first) == 4 else 0
    if where.first != where.last:
        return replace(state, source=_any_address(state)) if source else replace(state, destination=_any_address(state))
    new = offset + (((where.first - offset) & ~mask) | value)
    if source:
        return replace(state, source=Range(new, new), translated=state.translated | {"SNAT"})
    return replace(state, destination=Range(new, new), rerouted=state.rerouted or state.hook == "OUTPUT",
                   translated=state.translated | {"DNAT"})  # fmt: skip


def _way_out(state: State) -> Range:
    """What MASQUERADE takes."""
    known = state.packet.way_out
    return _any_address(state) if known is None else Range(known, known)


def _here(state: State) -> Range:
    """What REDIRECT takes: of what comes in, the address of the interface by which it does."""
    if state.hook == "OUTPUT":
        return _loopback(state)
    return _way_out(state) if state.packet.chain == "INPUT" else _any_address(state)


def _any_address(state: State) -> Range:
    return Range(V4_FIRST, V4_LAST) if family(state.packet.source) == 4 else Range(0, (1 << 128) - 1)


def _loopback(state: State) -> Range:
    address = parse_address("127.0.0.1" if family(state.packet.source) == 4 else "::1")
    return Range(address, address)
