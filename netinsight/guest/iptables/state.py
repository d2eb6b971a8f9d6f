"""A packet as it is asked about, and what is known of it while it walks the chains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from netinsight.addresses import Range
from netinsight.engine.spaces import Box, Region
from netinsight.flow import NO_PORT, PortRange
from netinsight.guest.iptables.names import FLAGS, ICMP, ICMPV6, SOURCE_NAT, TCP, Stage

EVERY_BIT = 0xFFFFFFFF
NO_PORTS = Box(NO_PORT, NO_PORT)


class Bits(NamedTuple):
    """A 32-bit mark of which only the bits of ``known`` are known."""

    value: int
    known: int = EVERY_BIT

    def changed(self, value: int, mask: int) -> Bits:
        """The bits of ``mask`` cleared, then ``value`` xored in, as the MARK target does."""
        known = self.known | mask
        return Bits(((self.value & ~mask) ^ value) & known, known)


class Translated(NamedTuple):
    """What translation makes of one end of a packet: one of some addresses; ports None are as they were."""

    addresses: Range
    ports: PortRange | None = None


class Connection(NamedTuple):
    """A connection that is there already, as the packet is part of it.

    Parameters
    ----------
    source, destination
        Of its first packet, as that entered.
    reply
        Whether the packet goes the other way than the first.
    new_source, new_destination
        What becomes of this packet's ends, by how its first was translated; None: they stay.
    kinds
        ``DNAT``, ``SNAT``: how the first packet was translated.
    """

    source: int
    destination: int
    reply: bool = False
    new_source: Translated | None = None
    new_destination: Translated | None = None
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, or all packets of a box of ports; what is None is not known.

    Parameters
    ----------
    chain
        Where routing leads it: ``INPUT``, ``FORWARD`` or ``OUTPUT``.
    source, destination
        Integers of the address line, as the packet enters.
    ports
        Source ports × ports, ``NO_PORT`` where the protocol has none.
    state
        What connection tracking says of it; None is worked out from the packet, taken as the first of its flow.
    source_type, destination_type
        What ``addrtype`` sees: ``LOCAL``, ``UNICAST``, ``BROADCAST``, ``MULTICAST``, …
    connection
        Of an established one, how it began and is translated.
    own
        Every address of the machine, where they are known.
    abroad
        It comes from another machine, or goes to one: an interface that is not given is not the loopback.
    leads
        Tells by which interface the machine reaches an address; None where it cannot.
    watch
        Takes every set of addresses that a match asked for: addresses that none of them tells apart are judged alike.
    way_out
        The address that MASQUERADE takes: that of the interface it leaves by; of a packet to INPUT the one that REDIRECT
        takes: of the interface it comes in by.
    program, service, package
        Of Windows: the file, the service and the Store app (``none``: it is none) of the process at the guest's end.
    """

    chain: str
    source: int
    destination: int
    protocol: int = TCP
    ports: Box = NO_PORTS
    in_interface: str | None = None
    out_interface: str | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    tcp_flags: int | None = None
    state: str | None = None
    mark: int = 0
    connmark: int | None = None
    uid: int | None = None
    gid: int | None = None
    source_mac: str | None = None
    source_type: str | None = None
    destination_type: str | None = None
    length: int | None = None
    ttl: int | None = None
    tos: int | None = None
    time: str | None = None
    in_physdev: str | None = None
    out_physdev: str | None = None
    connection: Connection | None = None
    own: frozenset[int] | None = None
    abroad: bool = False
    leads: Callable[[int], str | None] | None = None
    way_out: int | None = None
    watch: set[tuple[Range, ...]] | None = field(default=None, compare=False)
    program: str | None = None
    service: str | None = None
    package: str | None = None

    def looked_at(self, held: tuple[Range, ...]) -> None:
        """A match asks whether an address is one of these."""
        if self.watch is not None:
            self.watch.add(held)

    def conntrack(self) -> str:
        """The state given, else that of the first packet of a flow."""
        if self.state is not None:
            return self.state
        if self.protocol == TCP:
            return _tcp_state(FLAGS["SYN"] if self.tcp_flags is None else self.tcp_flags)
        kind = self.icmp_type
        if self.protocol == ICMP and kind is not None:
            return "NEW" if kind in (8, 13, 15, 17) else "INVALID"
        if self.protocol == ICMPV6 and kind is not None:
            return "UNTRACKED" if kind in _UNTRACKED_V6 else "NEW" if kind in (128, 139) else "INVALID"
        return "NEW"


_UNTRACKED_V6 = (130, 131, 132, 133, 134, 135, 136, 143)
_VALID_FLAGS = {2, 2 | 32, 2 | 16, 4, 4 | 16, 1 | 16, 1 | 16 | 32, 16, 16 | 32}


def _tcp_state(flags: int) -> str:
    """A first packet: a lone SYN opens, a bare ACK is picked up in the middle, all else is invalid."""
    fin, syn, rst, ack = (flags & FLAGS[name] for name in ("FIN", "SYN", "RST", "ACK"))
    if flags & ~FLAGS["PSH"] not in _VALID_FLAGS or rst or fin:
        return "INVALID"
    return "INVALID" if syn and ack else "NEW"


class Belief(NamedTuple):
    """A fact of the packet that nobody gave, taken one way in one of the worlds that are examined."""

    group: str
    value: str
    holds: bool


class Doubt(NamedTuple):
    """Whether a match holds is not known."""

    what: str
    usual: bool | None = None
    """What a rate or payload match is taken to be; None where there is no usual case."""
    why: str = ""
    belief: tuple[str, str, bool] | None = None
    """(group, value, negated): the packet's fact that decides it, the same for every rule that asks."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known at one point of the way; every change is a new state."""

    packet: Packet
    source: Range
    destination: Range
    mark: Bits
    connmark: Bits
    conntrack: str
    stages: tuple[Stage, ...]
    whole: Box
    """The ports asked about."""
    source_ports: PortRange | None = None
    """After source NAT: one port of these; None is the packet's own."""
    ports: PortRange | None = None
    """After destination NAT."""
    translated: frozenset[str] = frozenset()
    """``DNAT``, ``SNAT``, ``REDIRECT``: what was done; ``OTHER`` where the kernel may choose."""
    settled: frozenset[str] = frozenset()
    """The sides of which a rule said that they stay as they are: as one that is translated, it is asked no more."""
    beliefs: frozenset[Belief] = frozenset()
    seen: frozenset[str] = frozenset()
    """The lists of ``recent`` that this walk entered the packet into."""
    explore: bool = True
    changes: tuple[tuple[str, int], ...] = ()
    rerouted: bool = False
    """The way out was chosen anew, and is not known."""

    @property
    def hook(self) -> str:
        """The hook it is in."""
        return self.stages[0].hook

    @property
    def table(self) -> str:
        """The table it is in."""
        return self.stages[0].table

    @property
    def kind(self) -> str:
        """What kind of chain it is in."""
        return self.stages[0].kind

    def tracked(self) -> str:
        """The conntrack state as rules see it here: raw comes before connection tracking."""
        if self.kind == "raw" and self.conntrack != "UNTRACKED" and self.packet.in_interface != "lo":
            return "INVALID"
        return self.conntrack

    def opens(self) -> bool:
        """Whether it is the first of a connection, which alone the table nat sees."""
        tracked = self.tracked()
        return tracked == "NEW" or (tracked == "RELATED" and self.packet.protocol not in (ICMP, ICMPV6))

    @property
    def manipulated(self) -> str:
        """The side of the packet that rules translate at this hook."""
        return "source" if self.hook in SOURCE_NAT else "destination"

    def bound(self) -> bool:
        """Whether a chain of this hook translated it already, after which no other one is asked."""
        kinds = {"SNAT"} if self.hook in SOURCE_NAT else {"DNAT", "REDIRECT"}
        return self.manipulated in self.settled or not self.translated.isdisjoint(kinds)

    def number(self, name: str) -> int | None:
        """``ttl``, ``tos`` or ``length``, as changed on the way."""
        changed: int | None = dict(self.changes).get(name)
        given: int | None = getattr(self.packet, name)
        return changed if changed is not None else given

    def is_as_asked(self) -> bool:
        """Whether its destination is the one that it came with."""
        return self.destination == (self.packet.destination, self.packet.destination)

    def is_own(self) -> bool | None:
        """Whether it is for this machine itself; None where nobody knows."""
        if "REDIRECT" in self.translated:
            return True
        own, (first, last) = self.packet.own, self.destination
        return None if own is None or first != last else first in own

    def with_number(self, name: str, value: int) -> State:
        """Another ``ttl`` or ``tos``."""
        return replace(self, changes=tuple(sorted({**dict(self.changes), name: value}.items())))

    def believes(self, group: str, value: str) -> bool | None:
        """What this world takes a fact to be; of a group only one value holds."""
        for belief in self.beliefs:
            if belief.group == group:
                if belief.value == value:
                    return belief.holds
                if belief.holds:
                    return False
        return None


Answer = bool | Doubt | Region
"""What a match says of all packets of a state: of every one, not known, or of the ports of a region."""
Test = Callable[[State], Answer]
