"""The rules of ``iptables-save`` and what the Linux kernel does with a packet under them."""

from netinsight.guest.iptables.firewall import EVERY_TABLE, Firewall, Judgement, as_one
from netinsight.guest.iptables.names import FLAGS
from netinsight.guest.iptables.reader import family_of, read_firewall
from netinsight.guest.iptables.state import NO_PORTS, Connection, Packet, State, Translated

__all__ = ["EVERY_TABLE", "FLAGS", "NO_PORTS", "Connection", "Firewall", "Judgement", "Packet", "State", "Translated",
           "as_one", "family_of", "read_firewall"]  # fmt: skip
