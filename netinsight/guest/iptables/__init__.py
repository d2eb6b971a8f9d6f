"""The rules of ``iptables-save`` and what the Linux kernel does with a packet under them."""

from netinsight.guest.iptables.firewall import EVERY_TABLE, Firewall, Judgement
from netinsight.guest.iptables.reader import family_of, read_firewall
from netinsight.guest.iptables.state import Packet

__all__ = ["EVERY_TABLE", "Firewall", "Judgement", "Packet", "family_of", "read_firewall"]
