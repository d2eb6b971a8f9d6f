"""What is asked of a guest's routing, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from netinsight.addresses import family
from netinsight.guest.rows import NextHop, Route, Rule

LOOPBACK = "lo"


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet to find the way of; its source may still be open."""

    destination: int
    source: int | None = None
    in_interface: str = ""
    out_interface: str = ""
    mark: int = 0
    protocol: int | None = None
    source_port: int | None = None
    destination_port: int | None = None

    @property
    def family(self) -> int:
        """4 or 6."""
        return family(self.destination)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the kernel's switches (sysctl) are, where they change a look-up."""

    forwarding: bool = True
    """Whether it passes on what is for others (net.ipv4.ip_forward)."""
    ignore_linkdown: bool = False
    """ignore_routes_with_linkdown."""
    route_localnet: bool = False
    """Whether 127.0.0.0/8 may come in."""
    accept_local: bool | None = None
    """Whether the guest's own addresses may come in as a source; None: not known, they are let in and it is told."""
    src_valid_mark: bool = False


@dataclass(slots=True)
class Hit:
    """What a table says: a route, and the hop that is taken."""

    route: Route
    hop: NextHop | None = None
    hops: tuple[NextHop, ...] = ()
    rule: Rule | None = None


@dataclass(slots=True)
class Doubts:
    """What an answer may hang on that is not modelled or not known; each once, in order."""

    told: dict[str, None] = field(default_factory=dict)

    def add(self, doubt: str) -> None:
        """Tell one more."""
        self.told.setdefault(doubt)


@dataclass(frozen=True, slots=True)
class Found:
    """Where a packet goes, and what decided it."""

    type: str
    next_hops: tuple[NextHop, ...] = ()
    """Every way of a route with several; the kernel takes one by the flow's hash."""
    interface: str = ""
    gateway: int | None = None
    source: int | None = None
    """The packet's own, or the one that the kernel selects."""
    table: str = ""
    rule_priority: int | None = None
    rule_line: int | None = None
    route_line: int | None = None
    route_is_made: bool = False
    """Whether the route was made of an address; ``route_line`` is a line of the addresses then."""
    reason: str = ""
    """Why there is no way, or why no route decided."""
    doubts: tuple[str, ...] = ()
