"""Matches on what the kernel knows of a packet beside its headers: its connection, marks, types, socket, bridge."""

from __future__ import annotations

from netinsight.addresses import V4_FIRST, V4_LAST, Range, block
from netinsight.guest.iptables.match_headers import any_of, port_ranges, protocol_number
from netinsight.guest.iptables.state import Answer, Bits, Doubt, State, Test
from netinsight.guest.iptables.testing import (
    Given,
    Mask,
    Use,
    address_is,
    address_mask,
    assumed,
    bits_are,
    missing,
    negated,
    not_modelled,
    ports_in,
)
from netinsight.guest.iptables.words import WordError, span, value_and_mask

_STATES = ("INVALID", "NEW", "ESTABLISHED", "RELATED", "UNTRACKED")
_KINDS = ("UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT",
          "THROW", "NAT", "XRESOLVE")  # fmt: skip
_DIRECTION = "the direction of the packet in its connection is not known"
_MULTICAST = (block("224.0.0.0/4"), block("ff00::/8"))
_LOOPBACK = (block("127.0.0.0/8"), block("::1/128"))


def state_(use: Use) -> list[Test]:
    """``-m state``."""
    return [_in_states(option, _STATES, use.text) for option in use.options]


def _in_states(option: Given, known: tuple[str, ...], what: str) -> Test:
    wanted = any_of(option.word.text.split(","), known, option.word, "state")

    def test(state: State) -> Answer:
        tracked = state.tracked()
        if tracked in wanted:
            return True
        if tracked in ("INVALID", "UNTRACKED"):
            return False
        if ("DNAT" in wanted and state.translated & {"DNAT", "REDIRECT"}) or wanted & state.translated & {"SNAT"}:
            return True
        if wanted & {"DNAT", "SNAT"} and "OTHER" in state.translated:
            return missing(state, what, "how its connection is translated is not known", f"translated {wanted}")
        return False

    return negated(test, option.inverted)


def conntrack(use: Use) -> list[Test]:
    """``-m conntrack``; what has no connection meets only ``--ctstate``."""
    by_state = use.has("--ctstate")
    tests = []
    for option in use.options:
        if option.name == "--ctstate":
            tests.append(_in_states(option, (*_STATES, "SNAT", "DNAT"), use.text))
        else:
            tests.append(_of_connection(negated(_connection_test(use, option), option.inverted), by_state))
    return tests


def _of_connection(test: Test, otherwise: bool) -> Test:
    return lambda state: otherwise if state.tracked() in ("INVALID", "UNTRACKED") else test(state)


def _connection_test(use: Use, option: Given) -> Test:
    name, word = option.name, option.word
    if name == "--ctproto":
        wanted = protocol_number(word)
        return lambda state: state.packet.protocol == wanted
    if name == "--ctdir":
        (direction,) = any_of([word.text], ("ORIGINAL", "REPLY"), word, "direction")
        return negated(_direction(use.text), direction == "REPLY")
    if name in ("--ctorigsrc", "--ctorigdst"):
        mask = address_mask(word, word.text, use.family)
        return _of_the_first(use.text, lambda state: _lies(state, _first_address(state, name), mask, use.text))
    if name in ("--ctreplsrc", "--ctrepldst"):
        mask = address_mask(word, word.text, use.family)
        return _when_first(use.text, lambda state: _lies(state, _tuple_address(state, name), mask, use.text))
    if name.endswith("port"):
        ranges = port_ranges(word, None)
        source = name in ("--ctorigsrcport", "--ctrepldstport")
        original = name.startswith("--ctorig")
        return _when_first(use.text, lambda state: ports_in(_original(state) if original else state, source, ranges,
                                                            use.text))  # fmt: skip
    return not_modelled(f"-m conntrack {name} {word.text}", "is not known offline")


def _direction(what: str) -> Test:
    def test(state: State) -> Answer:
        if state.tracked() == "NEW":
            return True
        connection = state.packet.connection
        return not connection.reply if connection else missing(state, what, _DIRECTION, "original direction")

    return test


def _when_first(what: str, test: Test) -> Test:
    """Of a connection that is there already the packet does not tell which addresses it began with."""
    return lambda state: test(state) if state.tracked() == "NEW" else Doubt(what, None, _DIRECTION)


def _of_the_first(what: str, test: Test) -> Test:
    """The addresses that a connection began with, where they are known."""
    return lambda state: test(state) if state.packet.connection else _when_first(what, test)(state)


def _lies(state: State, where: Range, mask: Mask, what: str) -> Answer:
    state.packet.looked_at((Range(mask.first, mask.last),))
    return address_is(where, mask, what)


def _first_address(state: State, name: str) -> Range:
    first = state.packet.connection or state.packet
    address = first.source if name == "--ctorigsrc" else first.destination
    return Range(address, address)


def _tuple_address(state: State, name: str) -> Range:
    return state.destination if name == "--ctreplsrc" else state.source


def _original(state: State) -> State:
    from dataclasses import replace

    return replace(state, source_ports=None, ports=None)


def mark(use: Use) -> list[Test]:
    """mark and connmark, bit by bit."""
    tests: list[Test] = []
    for option in use.options:
        value, mask = value_and_mask(option.word)
        test = negated(_mark_test(use, value, mask), option.inverted)
        tests.append(_of_connection(test, False) if use.name == "connmark" else test)
    return tests


def _mark_test(use: Use, value: int, mask: int) -> Test:
    def test(state: State) -> Answer:
        bits: Bits = state.mark if use.name == "mark" else state.connmark
        return bits_are(bits, value, mask, use.text, f"the {use.name} is not known")

    return test


def addrtype(use: Use) -> list[Test]:
    """What kind of address routing sees."""
    by_interface = use.has("--limit-iface-in") or use.has("--limit-iface-out")
    tests = []
    for option in use.options:
        if option.words:
            wanted = any_of(option.word.text.split(","), _KINDS, option.word, "address type")
            test = _kind_test(use.text, option.name == "--src-type", wanted, by_interface)
            tests.append(negated(test, option.inverted))
    if not tests:
        raise WordError("-m addrtype needs --src-type or --dst-type", use.column)
    return tests


def _kind_test(what: str, source: bool, wanted: frozenset[str], by_interface: bool) -> Test:
    side = "source" if source else "destination"

    def test(state: State) -> Answer:
        kinds = kinds_of(state, source)
        if not wanted.intersection(kinds):
            return False
        if by_interface and wanted.intersection(kinds) & {"LOCAL", "BROADCAST"}:
            return Doubt(what, None, "the addresses of the interface are not known")
        if wanted.issuperset(kinds):
            return True
        why = f"the type of the {side} address is not given"
        if kinds[0] == _ANY:
            moved = "after translation" if state.translated else ""
            return (
                missing(state, what, why, f"{side} type {moved}", min(wanted))
                if len(wanted) == 1
                else Doubt(what, None, why)
            )
        return Doubt(what, kinds[0] in wanted, f"{why}, {kinds[0]} is the usual one here")

    return test


_ANY = ""
"""Stands first among types of which none is the usual one."""


def kinds_of(state: State, source: bool) -> tuple[str, ...]:
    """The types that an address may have, as far as the packet tells; the usual one first."""
    packet = state.packet
    where, given = (state.source, packet.source_type) if source else (state.destination, packet.destination_type)
    if given and (not state.translated or where == ((packet.source,) * 2 if source else (packet.destination,) * 2)):
        return (given,)
    if any(first <= where.first and where.last <= last for first, last in _MULTICAST):
        return ("MULTICAST",)
    if any(first <= where.first and where.last <= last for first, last in _LOOPBACK):
        return ("LOCAL",)
    if source:
        return ("LOCAL" if packet.chain == "OUTPUT" or packet.in_interface == "lo" else "UNICAST",)
    if where == (V4_LAST, V4_LAST):
        return ("BROADCAST",)
    return ("LOCAL",) if "REDIRECT" in state.translated else _kinds_here(state)


def _kinds_here(state: State) -> tuple[str, ...]:
    """The types of a destination that its address does not tell."""
    packet = state.packet
    many = "BROADCAST" if V4_FIRST <= state.destination.first <= V4_LAST else "ANYCAST"
    if packet.chain == "OUTPUT":
        if packet.out_interface == "lo":
            return ("LOCAL", many)
        return ("UNICAST", many) if packet.out_interface else (_ANY, "UNICAST", "LOCAL", many)
    if state.hook in ("FORWARD", "POSTROUTING"):
        return ("UNICAST",)
    if packet.chain == "INPUT" and not state.translated:
        return ("LOCAL", many) if state.hook == "INPUT" else ("LOCAL", "UNICAST", many)
    return ("LOCAL", many) if state.hook == "INPUT" else (_ANY, "LOCAL", "UNICAST", many)


def owner(use: Use) -> list[Test]:
    """Who owns the socket, of packets that this machine sends."""
    return [negated(_owner_test(use, option), option.inverted) for option in use.options
            if option.name != "--suppl-groups"]  # fmt: skip


def _owner_test(use: Use, option: Given) -> Test:
    if option.name == "--socket-exists":
        return lambda state: (
            Doubt(use.text, None, "whether a socket exists is not known") if _sent_here(state) else False
        )
    name = option.name[2:5]
    text = "0" if option.word.text == "root" else option.word.text
    if not text.replace("-", "").isdigit():
        return not_modelled(use.text, "names somebody whose number is not known")
    first, last = span(option.word._replace(text=text), 0xFFFFFFFF, name, "-")

    def test(state: State) -> Answer:
        if not _sent_here(state):
            return False
        actual = state.packet.uid if name == "uid" else state.packet.gid
        if actual is None:
            group, value = (name, text) if first == last else (f"{name} {text}", "")
            return missing(state, use.text, f"the packet's {name} is not given", group, value)
        return first <= actual <= last

    return test


def _sent_here(state: State) -> bool:
    return state.packet.chain == "OUTPUT"


def physdev(use: Use) -> list[Test]:
    """The port of the bridge; a packet of which none is given is taken not to cross one."""
    return [negated(_physdev_test(use, option), option.inverted) for option in use.options]


def _physdev_test(use: Use, option: Given) -> Test:
    inward = option.name in ("--physdev-in", "--physdev-is-in")
    nowhere = assumed(use.text, False, "the packet does not cross a bridge")

    def test(state: State) -> Answer:
        packet = state.packet
        if packet.in_physdev is None and packet.out_physdev is None:
            return nowhere(state)
        port = packet.in_physdev if inward else packet.out_physdev
        if option.name == "--physdev-is-bridged":
            return packet.in_physdev is not None and packet.out_physdev is not None
        if not option.words or port is None:
            return port is not None
        name = option.word.text
        return port.startswith(name[:-1]) if name.endswith("+") else port == name

    return test
