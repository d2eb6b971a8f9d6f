"""Matches on what the headers say: addresses, interfaces, protocol, ports, flags, types, lengths."""

from __future__ import annotations

import re
from collections.abc import Iterable

from netinsight.addresses import Range, merge
from netinsight.errors import did_you_mean, visible
from netinsight.flow import PortRange
from netinsight.guest.iptables.names import (
    DSCP_CLASSES,
    FLAGS,
    ICMP,
    ICMP_TYPES,
    ICMPV6,
    ICMPV6_TYPES,
    PROTOCOLS,
    SERVICES,
    SYN,
    SYN_MASK,
    TCP,
    TOS_NAMES,
    WITH_PORTS,
)
from netinsight.guest.iptables.state import Answer, State, Test
from netinsight.guest.iptables.testing import (
    Given,
    Lies,
    Use,
    address_is,
    address_mask,
    address_range,
    constant,
    either,
    missing,
    negated,
    not_modelled,
    ports_in,
)
from netinsight.guest.iptables.words import Word, WordError, number, number_in, span, value_and_mask


def addresses(option: Given, source: bool, family: int) -> Test:
    """``-s`` and ``-d``; several with commas are any of them."""
    text = option.word.text
    what = f"{option.name} {text}"
    masks = [address_mask(option.word, one, family) for one in text.split(",")]
    if len(masks) > 1 and option.inverted:
        raise WordError("! with several addresses is not allowed", option.column)
    held = [mask.ranges() for mask in masks]
    if len(held) == 1 and held[0] is not None:
        return negated(Lies(source, held[0], what), option.inverted)
    if None not in held:
        return Lies(source, merge(one for ranges in held for one in ranges or ()), what)

    def test(state: State) -> Answer:
        where = state.source if source else state.destination
        answers = [address_is(where, mask, what) for mask in masks]
        return True if True in answers else next((one for one in answers if one is not False), False)

    return negated(test, option.inverted)


def interface(option: Given, inward: bool) -> Test:
    """``-i`` and ``-o``: the whole name, or what begins as it does before ``+``."""
    name = option.word.text
    if not name or len(name) > 15 or "/" in name or any(char.isspace() for char in name):
        raise WordError(f"`{visible(name)}` is not the name of an interface", option.word.column)
    prefix = name[:-1] if name.endswith("+") else None
    why = "the interface is not given"

    def test(state: State) -> Answer:
        actual = interface_of(state, inward)
        if prefix == "":
            return True
        if actual is None:
            if name == "lo" and state.packet.abroad:
                return False
            group = f"{'in' if inward else 'out'}-interface{'' if prefix is None else ' ' + name}"
            return missing(state, f"{option.name} {name}", why, group, "" if prefix is not None else name)
        return actual == name if prefix is None else actual.startswith(prefix)

    return negated(test, option.inverted)


def interface_of(state: State, inward: bool) -> str | None:
    """The interface that a rule sees at this hook: empty where there is none, None where it is not given."""
    packet = state.packet
    if inward:
        return packet.in_interface if state.hook in ("PREROUTING", "INPUT", "FORWARD") else ""
    if state.hook in ("PREROUTING", "INPUT"):
        return ""
    moved = state.rerouted or (packet.chain == "FORWARD" and bool(state.translated) and not state.is_as_asked())
    if not moved or not packet.leads or (packet.chain == "OUTPUT" and state.hook != "POSTROUTING"):
        return None if state.rerouted and state.hook == "POSTROUTING" else packet.out_interface
    where = state.destination
    return packet.leads(where.first) if where.first == where.last else None


def protocol_number(word: Word, text: str | None = None) -> int:
    """A protocol by name or number.

    Raises
    ------
    WordError
        For anything else.
    """
    name = (word.text if text is None else text).lower()
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    if name.isdigit():
        return number_in(name, word.column, 255, "protocol")
    raise WordError(f"protocol `{visible(name)}` is not known", word.column, did_you_mean(name, PROTOCOLS))


def protocol(option: Given) -> Test:
    """``-p``; 0 and all are every protocol."""
    wanted = protocol_number(option.word)
    if wanted == 0 and option.inverted:
        raise WordError("! with every protocol never matches and is not allowed", option.column)
    return negated(lambda state: wanted in (0, state.packet.protocol), option.inverted)


def port_ranges(word: Word, protocol_of: int | None, separator: str = ":") -> list[PortRange]:
    """Ports with commas between, each one or ``n:m``, by number or service name."""
    found = []
    for part in word.text.split(","):
        ends = [_port_number(end, word) for end in part.split(separator) if end]
        if part.startswith(separator):
            ends.insert(0, 0)
        if part.endswith(separator):
            ends.append(65535)
        if len(ends) not in (1, 2) or part.count(separator) > 1:
            raise WordError(f"`{visible(part)}` is not a port or a range of ports", word.column)
        if ends[0] > ends[-1]:
            raise WordError(f"ports `{visible(part)}` run backwards", word.column)
        found.append(PortRange(ends[0], ends[-1]))
    return found


def _port_number(text: str, word: Word) -> int:
    if text in SERVICES:
        return SERVICES[text]
    if not text.isdigit():
        raise WordError(f"port `{visible(text)}` is not a number nor a known service", word.column,
                    did_you_mean(text, SERVICES))  # fmt: skip
    return number_in(text.lstrip("0") or "0", word.column, 65535, "port")


def _needs(use: Use, *protocols: int) -> None:
    if use.protocol not in protocols:
        names = " or ".join(
            f"-p {name}" for name, number in PROTOCOLS.items() if number in protocols and name in _COMMON
        )
        raise WordError(f"-m {use.name} goes with {names}", use.column)


_COMMON = ("tcp", "udp", "sctp", "dccp", "udplite", "icmp", "ipv6-icmp")


def with_ports(use: Use) -> list[Test]:
    """tcp, udp, sctp, dccp, udplite: their ports, and what else each has."""
    _needs(use, {"tcp": 6, "udp": 17, "udplite": 136, "sctp": 132, "dccp": 33}[use.name])
    tests: list[Test] = []
    for option in use.options:
        if option.name in ("--sport", "--dport"):
            ranges = port_ranges(option.word, use.protocol)
            if len(ranges) > 1:
                raise WordError("several ports need -m multiport", option.word.column)
            tests.append(negated(_port_test(option.name == "--sport", ranges, use.text), option.inverted))
        elif option.name == "--syn":
            tests.append(negated(_flags(SYN_MASK, SYN, use.text), option.inverted))
        elif option.name == "--tcp-flags":
            mask, wanted = (flag_bits(word) for word in option.words)
            tests.append(negated(_flags(mask, wanted, use.text), option.inverted))
        else:
            tests.append(not_modelled(f"-m {use.name} {option.name} {' '.join(w.text for w in option.words)}"))
    return tests


def _port_test(source: bool, ranges: list[PortRange], what: str) -> Test:
    return lambda state: state.packet.protocol in WITH_PORTS and ports_in(state, source, ranges, what)


def _either_port(ranges: list[PortRange], what: str) -> Test:
    def test(state: State) -> Answer:
        if state.packet.protocol not in WITH_PORTS:
            return False
        return either(state, ports_in(state, True, ranges, what), ports_in(state, False, ranges, what))

    return test


def flag_bits(word: Word, text: str | None = None) -> int:
    """TCP flags with commas between.

    Raises
    ------
    WordError
        For a flag that there is not.
    """
    bits = 0
    for name in (word.text if text is None else text).split(","):
        if name.upper() not in FLAGS:
            raise WordError(f"TCP flag `{visible(name)}` is not known", word.column, did_you_mean(name.upper(), FLAGS))
        bits |= FLAGS[name.upper()]
    return bits


def _flags(mask: int, wanted: int, what: str) -> Test:
    def test(state: State) -> Answer:
        flags = state.packet.tcp_flags
        if state.packet.protocol != TCP:
            return False
        if flags is None and state.packet.conntrack() == "NEW":
            flags = SYN
        if flags is None:
            return missing(state, what, "the packet's TCP flags are not given", f"flags {mask} {wanted}")
        return flags & mask == wanted

    return test


def multiport(use: Use) -> list[Test]:
    """``--ports`` is the source port or the port."""
    _needs(use, *WITH_PORTS)
    if len(use.options) != 1:
        raise WordError("-m multiport takes one of --sports, --dports, --ports", use.column)
    option = use.options[0]
    ranges = port_ranges(option.word, use.protocol)
    if sum(1 + (one.first != one.last) for one in ranges) > 15:
        raise WordError("-m multiport takes at most 15 ports, a range counts as two", option.word.column)
    if option.name == "--ports":
        return [negated(_either_port(ranges, use.text), option.inverted)]
    return [negated(_port_test(option.name == "--sports", ranges, use.text), option.inverted)]


def icmp(use: Use) -> list[Test]:
    """icmp and icmp6: a type, or a type and a code, by name or number."""
    _needs(use, ICMP if use.name == "icmp" else ICMPV6)
    return [negated(_icmp_test(use, option), option.inverted) for option in use.options]


def _icmp_test(use: Use, option: Given) -> Test:
    names = ICMP_TYPES if use.name == "icmp" else ICMPV6_TYPES
    text = option.word.text
    if text in names:
        kind, first, last = names[text]
    elif re.fullmatch(r"\d+(/\d+)?", text):
        kind = number_in(text.partition("/")[0], option.word.column, 255, "type")
        code = text.partition("/")[2]
        first = number_in(code, option.word.column, 255, "code") if code else 0
        last = first if code else 255
    else:
        raise WordError(f"ICMP type `{visible(text)}` is not known", option.word.column, did_you_mean(text, names))
    if use.name == "icmp" and kind == 255:
        return constant(True)

    def test(state: State) -> Answer:
        seen, code = icmp_of(state)
        if seen is None:
            return missing(state, use.text, "the packet's ICMP type is not given", f"icmp {first}-{last}", str(kind))
        if seen != kind or (first, last) == (0, 255):
            return seen == kind
        if code is None:
            return missing(state, use.text, "the packet's ICMP code is not given", "icmp code", str(first))
        return first <= code <= last

    return test


def icmp_of(state: State) -> tuple[int | None, int | None]:
    """Type and code; a new flow of which neither is given is an echo request."""
    packet = state.packet
    if packet.icmp_type is None and packet.conntrack() == "NEW":
        return (8 if packet.protocol == ICMP else 128), 0
    return packet.icmp_type, packet.icmp_code


def iprange(use: Use) -> list[Test]:
    """``--src-range`` and ``--dst-range``."""
    return [_range_test(option, address_range(option.word, use.family), use.text) for option in use.options]


def _range_test(option: Given, held: Range, what: str) -> Test:
    return negated(Lies(option.name == "--src-range", (held,), what), option.inverted)


def mac(use: Use) -> list[Test]:
    """The source MAC, which a packet has that came in over Ethernet."""
    (option,) = use.options
    text = option.word.text.lower()
    if not re.fullmatch(r"([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}", text):
        raise WordError(f"`{visible(text)}` is not a MAC address", option.word.column)
    wanted = mac_text(text)

    unknown = negated(
        lambda state: missing(state, use.text, "the packet's source MAC is not given", "mac", wanted), option.inverted
    )

    def test(state: State) -> Answer:
        if state.packet.source_mac is None:
            return unknown(state)
        return (mac_text(state.packet.source_mac) == wanted) != option.inverted

    return [lambda state: test(state) if _over_ethernet(state) else False]


def _over_ethernet(state: State) -> bool:
    return state.packet.chain != "OUTPUT" and state.packet.in_interface != "lo" and state.hook != "POSTROUTING"


def mac_text(text: str) -> str:
    """A MAC as it is compared."""
    return ":".join(f"{int(part, 16):02x}" for part in text.split(":"))


def numbers(use: Use) -> list[Test]:
    """length, ttl and hl, dscp and tos: numbers of the header."""
    return [negated(_number_test(use, option), option.inverted) for option in use.options]


def _number_test(use: Use, option: Given) -> Test:
    name, first, last, mask = "ttl", 0, 255, 255
    if use.name == "length":
        name, mask = "length", 0xFFFF
        first, last = span(option.word, 65535, "length")
    elif use.name in ("ttl", "hl"):
        value = number(option.word, 255, use.name)
        first, last = {"eq": (value, value), "lt": (0, value - 1), "gt": (value + 1, 255)}[option.name[-2:]]
    elif use.name == "dscp":
        name, mask = "tos", 0xFC
        first = last = _dscp(option) << 2
    else:
        name = "tos"
        value, mask = (
            (TOS_NAMES[option.word.text], 0x3F) if option.word.text in TOS_NAMES else value_and_mask(option.word, 8)
        )
        first = last = value

    def test(state: State) -> Answer:
        seen = state.number(name)
        if seen is None:
            return missing(state, use.text, f"the packet's {name} is not given", f"{name}/{mask} {first}-{last}")
        return first <= seen & mask <= last

    return test


def _dscp(option: Given) -> int:
    if option.name == "--dscp":
        return number(option.word, 63, "DSCP value")
    name = option.word.text.upper()
    if name not in DSCP_CLASSES:
        raise WordError(
            f"DSCP class `{visible(name)}` is not known", option.word.column, did_you_mean(name, DSCP_CLASSES)
        )
    return DSCP_CLASSES[name]


def comment(use: Use) -> list[Test]:
    """It says nothing of the packet."""
    return []


def fragment(option: Given) -> Test:
    """``-f``: second and further fragments; packets are whole here."""
    return constant(option.inverted)


def any_of(words: Iterable[str], known: Iterable[str], word: Word, what: str) -> frozenset[str]:
    """Words with commas between, each of ``known``."""
    names, upper = list(known), [text.upper() for text in words]
    for text in upper:
        if text not in names:
            raise WordError(f"{what} `{visible(text)}` is not known", word.column, did_you_mean(text, names))
    return frozenset(upper)
