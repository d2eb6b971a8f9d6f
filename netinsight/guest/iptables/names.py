"""Words of iptables with their numbers: protocols, services, ICMP types, TCP flags, tables in kernel order, options."""

from __future__ import annotations

from typing import NamedTuple

TCP, UDP, SCTP, DCCP, UDPLITE, ICMP, ICMPV6 = 6, 17, 132, 33, 136, 1, 58
WITH_PORTS = (TCP, UDP, SCTP, DCCP, UDPLITE)

PROTOCOLS = {
    "all": 0, "any": 0, "icmp": ICMP, "igmp": 2, "ggp": 3, "ipencap": 4, "ipip": 4, "ipv4": 4, "st": 5, "tcp": TCP,
    "egp": 8, "igp": 9, "pup": 12, "udp": UDP, "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": DCCP,
    "xtp": 36, "ddp": 37, "idpr-cmtp": 38, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46,
    "gre": 47, "esp": 50, "ipv6-crypt": 50, "ah": 51, "ipv6-auth": 51, "skip": 57, "ipv6-icmp": ICMPV6,
    "icmpv6": ICMPV6, "icmp6": ICMPV6, "ipv6-nonxt": 59, "ipv6-opts": 60, "rspf": 73, "vmtp": 81, "eigrp": 88,
    "ospf": 89, "ax.25": 93, "etherip": 97, "encap": 98, "pim": 103, "ipcomp": 108, "vrrp": 112, "l2tp": 115,
    "isis": 124, "sctp": SCTP, "fc": 133, "mobility-header": 135, "mh": 135, "ipv6-mh": 135, "udplite": UDPLITE,
    "mpls-in-ip": 137, "manet": 138, "hip": 139, "shim6": 140, "wesp": 141, "rohc": 142,
}  # fmt: skip

SERVICES = {
    "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "time": 37, "domain": 53, "bootps": 67,
    "bootpc": 68, "tftp": 69, "http": 80, "www": 80, "kerberos": 88, "pop3": 110, "sunrpc": 111, "auth": 113,
    "nntp": 119, "ntp": 123, "netbios-ns": 137, "netbios-dgm": 138, "netbios-ssn": 139, "imap2": 143, "imap": 143,
    "snmp": 161, "snmp-trap": 162, "bgp": 179, "ldap": 389, "https": 443, "microsoft-ds": 445, "isakmp": 500,
    "syslog": 514, "submission": 587, "ldaps": 636, "imaps": 993, "pop3s": 995, "openvpn": 1194, "mysql": 3306,
    "postgresql": 5432, "mdns": 5353, "http-alt": 8080,
}  # fmt: skip

FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}
SYN, SYN_MASK = FLAGS["SYN"], FLAGS["SYN"] | FLAGS["RST"] | FLAGS["ACK"] | FLAGS["FIN"]

ICMP_TYPES: dict[str, tuple[int, int, int]] = {
    "any": (255, 0, 255), "echo-reply": (0, 0, 255), "pong": (0, 0, 255), "destination-unreachable": (3, 0, 255),
    "network-unreachable": (3, 0, 0), "host-unreachable": (3, 1, 1), "protocol-unreachable": (3, 2, 2),
    "port-unreachable": (3, 3, 3), "fragmentation-needed": (3, 4, 4), "source-route-failed": (3, 5, 5),
    "network-unknown": (3, 6, 6), "host-unknown": (3, 7, 7), "network-prohibited": (3, 9, 9),
    "host-prohibited": (3, 10, 10), "TOS-network-unreachable": (3, 11, 11), "TOS-host-unreachable": (3, 12, 12),
    "communication-prohibited": (3, 13, 13), "host-precedence-violation": (3, 14, 14), "precedence-cutoff": (3, 15, 15),
    "source-quench": (4, 0, 255), "redirect": (5, 0, 255), "network-redirect": (5, 0, 0), "host-redirect": (5, 1, 1),
    "TOS-network-redirect": (5, 2, 2), "TOS-host-redirect": (5, 3, 3), "echo-request": (8, 0, 255),
    "ping": (8, 0, 255), "router-advertisement": (9, 0, 255), "router-solicitation": (10, 0, 255),
    "time-exceeded": (11, 0, 255), "ttl-exceeded": (11, 0, 255), "ttl-zero-during-transit": (11, 0, 0),
    "ttl-zero-during-reassembly": (11, 1, 1), "parameter-problem": (12, 0, 255), "ip-header-bad": (12, 0, 0),
    "required-option-missing": (12, 1, 1), "timestamp-request": (13, 0, 255), "timestamp-reply": (14, 0, 255),
    "address-mask-request": (17, 0, 255), "address-mask-reply": (18, 0, 255),
}  # fmt: skip

ICMPV6_TYPES: dict[str, tuple[int, int, int]] = {
    "destination-unreachable": (1, 0, 255), "no-route": (1, 0, 0), "communication-prohibited": (1, 1, 1),
    "beyond-scope": (1, 2, 2), "address-unreachable": (1, 3, 3), "port-unreachable": (1, 4, 4),
    "failed-policy": (1, 5, 5), "reject-route": (1, 6, 6), "packet-too-big": (2, 0, 255), "time-exceeded": (3, 0, 255),
    "ttl-exceeded": (3, 0, 255), "ttl-zero-during-transit": (3, 0, 0), "ttl-zero-during-reassembly": (3, 1, 1),
    "parameter-problem": (4, 0, 255), "bad-header": (4, 0, 0), "unknown-header-type": (4, 1, 1),
    "unknown-option": (4, 2, 2), "echo-request": (128, 0, 255), "ping": (128, 0, 255), "echo-reply": (129, 0, 255),
    "pong": (129, 0, 255), "mld-listener-query": (130, 0, 255), "mld-listener-report": (131, 0, 255),
    "mld-listener-done": (132, 0, 255), "mld-listener-reduction": (132, 0, 255), "router-solicitation": (133, 0, 255),
    "router-advertisement": (134, 0, 255), "neighbour-solicitation": (135, 0, 255),
    "neighbor-solicitation": (135, 0, 255), "neighbour-advertisement": (136, 0, 255),
    "neighbor-advertisement": (136, 0, 255), "redirect": (137, 0, 255),
}  # fmt: skip

DSCP_CLASSES = {
    "CS0": 0, "CS1": 8, "CS2": 16, "CS3": 24, "CS4": 32, "CS5": 40, "CS6": 48, "CS7": 56, "BE": 0, "AF11": 10,
    "AF12": 12, "AF13": 14, "AF21": 18, "AF22": 20, "AF23": 22, "AF31": 26, "AF32": 28, "AF33": 30, "AF41": 34,
    "AF42": 36, "AF43": 38, "EF": 46, "VOICE-ADMIT": 44, "LE": 1,
}  # fmt: skip
TOS_NAMES = {"Minimize-Delay": 16, "Maximize-Throughput": 8, "Maximize-Reliability": 4, "Minimize-Cost": 2,
             "Normal-Service": 0}  # fmt: skip

HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
TABLES = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": HOOKS,
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
_ORDER = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}

WAYS = {
    "INPUT": ("PREROUTING", "INPUT"),
    "FORWARD": ("PREROUTING", "FORWARD", "POSTROUTING"),
    "OUTPUT": ("OUTPUT", "POSTROUTING"),
}
SOURCE_NAT = ("INPUT", "POSTROUTING")


def priority(table: str, hook: str) -> int:
    """Where a table stands in a hook."""
    return 100 if table == "nat" and hook in SOURCE_NAT else _ORDER[table]


REJECT_KINDS = {
    4: {
        "icmp-net-unreachable": "icmp-net-unreachable", "net-unreach": "icmp-net-unreachable",
        "icmp-host-unreachable": "icmp-host-unreachable", "host-unreach": "icmp-host-unreachable",
        "icmp-proto-unreachable": "icmp-proto-unreachable", "proto-unreach": "icmp-proto-unreachable",
        "icmp-port-unreachable": "icmp-port-unreachable", "port-unreach": "icmp-port-unreachable",
        "icmp-net-prohibited": "icmp-net-prohibited", "net-prohib": "icmp-net-prohibited",
        "icmp-host-prohibited": "icmp-host-prohibited", "host-prohib": "icmp-host-prohibited",
        "icmp-admin-prohibited": "icmp-admin-prohibited", "admin-prohib": "icmp-admin-prohibited",
        "tcp-reset": "tcp-reset", "tcp-rst": "tcp-reset",
    },
    6: {
        "icmp6-no-route": "icmp6-no-route", "no-route": "icmp6-no-route",
        "icmp6-adm-prohibited": "icmp6-adm-prohibited", "adm-prohibited": "icmp6-adm-prohibited",
        "icmp6-addr-unreachable": "icmp6-addr-unreachable", "addr-unreach": "icmp6-addr-unreachable",
        "icmp6-port-unreachable": "icmp6-port-unreachable", "port-unreach": "icmp6-port-unreachable",
        "icmp6-policy-fail": "icmp6-policy-fail", "policy-fail": "icmp6-policy-fail",
        "icmp6-reject-route": "icmp6-reject-route", "reject-route": "icmp6-reject-route", "tcp-reset": "tcp-reset",
    },
}  # fmt: skip


class Stage(NamedTuple):
    """A chain that hangs on a hook: the table and the name by which it is found."""

    hook: str
    table: str
    chain: str
    kind: str
    """``raw``: before connection tracking; ``nat``; ``filter``: of its verdicts an accept is told; or something else."""


def is_built_in(table: str, chain: str, hook: str, at: int) -> bool:
    """Whether a chain that hangs on a hook at a priority is one of those that iptables hangs there."""
    return chain == hook and hook in TABLES.get(table, ()) and at == priority(table, hook)


def stages(chain: str, tables: tuple[str, ...]) -> tuple[Stage, ...]:
    """What a packet passes on its way to and through ``chain``, in kernel order.

    Examples
    --------
    >>> [(stage.hook, stage.table) for stage in stages("INPUT", ("nat", "filter"))]
    [('PREROUTING', 'nat'), ('INPUT', 'filter'), ('INPUT', 'nat')]
    """
    asked = [
        (at, priority(table, hook), hook, table)
        for at, hook in enumerate(WAYS[chain])
        for table in tables
        if hook in TABLES[table]
    ]
    return tuple(Stage(hook, table, hook, table) for _, _, hook, table in sorted(asked))
