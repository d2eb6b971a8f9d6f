"""Which function reads which match."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netinsight.guest.iptables import match_headers, match_rates, match_state
from netinsight.guest.iptables.ipset import set_match
from netinsight.guest.iptables.match_time import time_match
from netinsight.guest.iptables.match_u32 import u32
from netinsight.guest.iptables.state import Test
from netinsight.guest.iptables.testing import Use

BUILDERS: Mapping[str, Callable[[Use], list[Test]]] = {
    "tcp": match_headers.with_ports,
    "udp": match_headers.with_ports,
    "udplite": match_headers.with_ports,
    "sctp": match_headers.with_ports,
    "dccp": match_headers.with_ports,
    "multiport": match_headers.multiport,
    "icmp": match_headers.icmp,
    "icmp6": match_headers.icmp,
    "icmpv6": match_headers.icmp,
    "iprange": match_headers.iprange,
    "mac": match_headers.mac,
    "length": match_headers.numbers,
    "ttl": match_headers.numbers,
    "hl": match_headers.numbers,
    "dscp": match_headers.numbers,
    "tos": match_headers.numbers,
    "comment": match_headers.comment,
    "state": match_state.state_,
    "conntrack": match_state.conntrack,
    "mark": match_state.mark,
    "connmark": match_state.mark,
    "addrtype": match_state.addrtype,
    "owner": match_state.owner,
    "physdev": match_state.physdev,
    "set": set_match,
    "time": time_match,
    "u32": u32,
    "limit": match_rates.limit,
    "hashlimit": match_rates.hashlimit,
    "connlimit": match_rates.connlimit,
    "statistic": match_rates.statistic,
    "string": match_rates.string,
    "quota": match_rates.quota,
    "policy": match_rates.policy,
    "rpfilter": match_rates.rpfilter,
    "nfacct": match_rates.nfacct,
    "recent": match_rates.recent,
}
NEED_AN_OPTION = frozenset(BUILDERS) - {
    "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "icmpv6", "limit", "nfacct", "rpfilter", "comment",
    "time", "hashlimit", "policy", "quota",
}  # fmt: skip
"""Matches that say nothing without one."""
