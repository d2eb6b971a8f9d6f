"""What is known of a guest's firewall, routes and addresses: read when first asked for, and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from netinsight.engine.spaces import Box
from netinsight.flow import has_ports
from netinsight.guest.listeners import processes
from netinsight.model.guest import Guest, Listener
from netinsight.network.build import Network
from netinsight.sources import guest_described as described

if TYPE_CHECKING:
    from netinsight.guest.iptables import Judgement, Packet
    from netinsight.guest.nftables import Ruleset
    from netinsight.guest.routes import Routing
    from netinsight.guest.rows import HostAddress
    from netinsight.guest.windows_firewall import WindowsFirewall

TABLES = ("raw", "mangle", "nat", "filter", "security")
STAGES = {"OUTPUT": "guest.firewall.egress", "INPUT": "guest.firewall.ingress", "FORWARD": "guest.firewall.forward"}


class GuestFirewall(NamedTuple):
    """The firewall of a guest, of whatever kind.

    Attributes
    ----------
    key
        Where the topology has its rules.
    regions
        What becomes of all packets of a box of ports.
    translates
        Whether it may turn a packet to another address.
    """

    key: str
    regions: Callable[[Packet], list[tuple[Box, Judgement]]]
    translates: bool = False

    def key_of(self, judgement: Judgement) -> str:
        """Where the topology has the rules that decided: those of iptables and nftables may be judged together."""
        if self.key != "nftables":
            return self.key
        from netinsight.guest.nftables import iptables_of

        return iptables_of(judgement.table) or self.key

    def name_of(self, judgement: Judgement) -> str:
        """What decided, for people."""
        return "Windows Firewall" if self.key == "windows_firewall" else self.key_of(judgement)


def firewall_of(network: Network, instance: str, of_family: int) -> GuestFirewall | None:
    """The firewall of a guest for a family; None where its rules are not known."""
    guest = _guest(network, instance)
    if guest is None:
        return None
    ruleset = network.kept(("nftables", instance), lambda: described.nftables_of(guest))
    return network.kept(("guest firewall", instance, str(of_family)), lambda: _read(guest, ruleset, of_family))


def _read(guest: Guest, ruleset: Ruleset | None, of_family: int) -> GuestFirewall | None:
    """Of nftables and iptables a packet passes both, on one way through the chains of both."""
    if (windows := described.windows_firewall_of(guest)) is not None:
        asked = partial(_by_process, windows, guest.listening or [])
        return GuestFirewall("windows_firewall", asked)
    tables = described.firewall_of(guest, of_family)
    if ruleset is not None:
        together = ruleset if tables is None else ruleset.beside(tables)
        return GuestFirewall("nftables", together.regions, together.translates(of_family))
    if tables is not None:
        key = "iptables" if of_family == 4 else "ip6tables"
        return GuestFirewall(key, lambda packet: tables.regions(packet, TABLES), tables.translates)
    return None


def _by_process(windows: WindowsFirewall, listeners: list[Listener], packet: Packet) -> list[tuple[Box, Judgement]]:
    """What a Windows firewall says; where that hangs on the process, of each port by the one that listens there."""
    found = []
    for box, judgement in windows.regions(packet):
        if packet.chain != "INPUT" or not has_ports(packet.protocol) or not judgement.assumptions:
            found.append((box, judgement))
            continue
        for part, name in processes(listeners, packet, box):
            known = windows.regions(replace(packet, ports=part, program=name)) if name else [(part, judgement)]
            found += known
    return found


def routing_of(network: Network, instance: str) -> Routing | None:
    """The routing of a guest; None where its rules or routes are not known: a guess would be no answer."""
    guest = _guest(network, instance)
    return network.kept(("guest routing", instance), lambda: described.routing_of(guest)) if guest else None


def addresses_of(network: Network, instance: str) -> tuple[HostAddress, ...] | None:
    """Every address of a guest; None where it did not print them."""
    guest = _guest(network, instance)
    return network.kept(("guest addresses", instance), lambda: described.addresses_of(guest)) if guest else None


def _guest(network: Network, instance: str) -> Guest | None:
    one = network.topology.instances.get(instance)
    return one.guest if one else None
