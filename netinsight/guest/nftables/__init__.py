"""The rules of ``nft -j list ruleset`` and what the Linux kernel does with a packet under them."""

from netinsight.guest.nftables.reader import is_ruleset, read_ruleset
from netinsight.guest.nftables.ruleset import Ruleset, iptables_of

__all__ = ["Ruleset", "iptables_of", "is_ruleset", "read_ruleset"]
