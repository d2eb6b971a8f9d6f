"""Which options each match and target takes, and how many words each option takes with it."""

from __future__ import annotations

_PORTS = {"--source-port": 1, "--sport": 1, "--destination-port": 1, "--dport": 1}
_HASHLIMIT = {f"--hashlimit-{name}": 1 for name in (
    "upto", "above", "mode", "srcmask", "dstmask", "name", "burst", "htable-size", "htable-max", "htable-expire",
    "htable-gcinterval", "rate-interval")}  # fmt: skip

MATCHES: dict[str, dict[str, int]] = {
    "tcp": {**_PORTS, "--tcp-flags": 2, "--syn": 0, "--tcp-option": 1},
    "udp": _PORTS,
    "udplite": _PORTS,
    "sctp": {**_PORTS, "--chunk-types": 2},
    "dccp": {**_PORTS, "--dccp-types": 1, "--dccp-option": 1},
    "multiport": {"--source-ports": 1, "--sports": 1, "--destination-ports": 1, "--dports": 1, "--ports": 1},
    "icmp": {"--icmp-type": 1},
    "icmp6": {"--icmpv6-type": 1},
    "iprange": {"--src-range": 1, "--dst-range": 1},
    "state": {"--state": 1},
    "conntrack": {"--ctstate": 1, "--ctproto": 1, "--ctorigsrc": 1, "--ctorigdst": 1, "--ctreplsrc": 1,
                  "--ctrepldst": 1, "--ctorigsrcport": 1, "--ctorigdstport": 1, "--ctreplsrcport": 1,
                  "--ctrepldstport": 1, "--ctstatus": 1, "--ctexpire": 1, "--ctdir": 1},
    "mark": {"--mark": 1},
    "connmark": {"--mark": 1},
    "addrtype": {"--src-type": 1, "--dst-type": 1, "--limit-iface-in": 0, "--limit-iface-out": 0},
    "owner": {"--uid-owner": 1, "--gid-owner": 1, "--socket-exists": 0, "--suppl-groups": 0},
    "mac": {"--mac-source": 1},
    "set": {"--match-set": 2, "--return-nomatch": 0, "--update-counters": 0, "--update-subcounters": 0,
            "--packets-eq": 1, "--packets-lt": 1, "--packets-gt": 1, "--bytes-eq": 1, "--bytes-lt": 1,
            "--bytes-gt": 1},
    "comment": {"--comment": 1},
    "physdev": {"--physdev-in": 1, "--physdev-out": 1, "--physdev-is-in": 0, "--physdev-is-out": 0,
                "--physdev-is-bridged": 0},
    "length": {"--length": 1},
    "ttl": {"--ttl-eq": 1, "--ttl": 1, "--ttl-lt": 1, "--ttl-gt": 1},
    "hl": {"--hl-eq": 1, "--hl": 1, "--hl-lt": 1, "--hl-gt": 1},
    "dscp": {"--dscp": 1, "--dscp-class": 1},
    "tos": {"--tos": 1},
    "time": {"--datestart": 1, "--datestop": 1, "--timestart": 1, "--timestop": 1, "--monthdays": 1, "--weekdays": 1,
             "--contiguous": 0, "--kerneltz": 0, "--utc": 0, "--localtz": 0},
    "u32": {"--u32": 1},
    "limit": {"--limit": 1, "--limit-burst": 1},
    "hashlimit": {"--hashlimit": 1, **_HASHLIMIT, "--hashlimit-rate-match": 0},
    "recent": {"--name": 1, "--set": 0, "--rsource": 0, "--rdest": 0, "--rcheck": 0, "--update": 0, "--remove": 0,
               "--seconds": 1, "--reap": 0, "--hitcount": 1, "--rttl": 0, "--mask": 1},
    "connlimit": {"--connlimit-upto": 1, "--connlimit-above": 1, "--connlimit-mask": 1, "--connlimit-saddr": 0,
                  "--connlimit-daddr": 0},
    "statistic": {"--mode": 1, "--probability": 1, "--every": 1, "--packet": 1},
    "string": {"--from": 1, "--to": 1, "--algo": 1, "--string": 1, "--hex-string": 1, "--icase": 0},
    "quota": {"--quota": 1},
    "policy": {"--dir": 1, "--pol": 1, "--strict": 0, "--reqid": 1, "--spi": 1, "--proto": 1, "--mode": 1,
               "--tunnel-src": 1, "--tunnel-dst": 1, "--next": 0},
    "rpfilter": {"--loose": 0, "--validmark": 0, "--accept-local": 0, "--invert": 0},
    "nfacct": {"--nfacct-name": 1},
}  # fmt: skip
MATCHES["icmpv6"] = MATCHES["icmp6"]

INVERTIBLE = {
    "limit": frozenset[str](), "comment": frozenset[str](), "rpfilter": frozenset[str](), "nfacct": frozenset[str](),
    "hashlimit": frozenset(["--hashlimit", "--hashlimit-upto", "--hashlimit-above"]),
    "recent": frozenset(["--set", "--rcheck", "--update", "--remove"]),
    "connlimit": frozenset(["--connlimit-upto", "--connlimit-above"]),
    "statistic": frozenset(["--probability", "--every"]),
    "string": frozenset(["--string", "--hex-string"]),
    "time": frozenset(["--monthdays", "--weekdays"]),
    "set": frozenset(["--match-set"]),
    "addrtype": frozenset(["--src-type", "--dst-type"]),
    "owner": frozenset(["--uid-owner", "--gid-owner", "--socket-exists"]),
    "policy": frozenset(["--pol", "--reqid", "--spi", "--proto", "--mode", "--tunnel-src", "--tunnel-dst"]),
}  # fmt: skip
"""Of matches some options of which cannot be negated, those that can; no option of a target can."""

IMPLIED = {6: "tcp", 17: "udp", 132: "sctp", 33: "dccp", 136: "udplite", 1: "icmp", 58: "icmp6"}
"""The match that ``-p`` brings with it."""

_NAT = {"--random": 0, "--random-fully": 0, "--persistent": 0}
TARGETS: dict[str, dict[str, int]] = {
    "ACCEPT": {}, "DROP": {}, "RETURN": {}, "TRACE": {}, "NOTRACK": {}, "CHECKSUM": {"--checksum-fill": 0},
    "REJECT": {"--reject-with": 1},
    "LOG": {"--log-level": 1, "--log-prefix": 1, "--log-tcp-sequence": 0, "--log-tcp-options": 0,
            "--log-ip-options": 0, "--log-uid": 0, "--log-macdecode": 0},
    "NFLOG": {"--nflog-group": 1, "--nflog-prefix": 1, "--nflog-range": 1, "--nflog-size": 1, "--nflog-threshold": 1},
    "ULOG": {"--ulog-nlgroup": 1, "--ulog-prefix": 1, "--ulog-cprange": 1, "--ulog-qthreshold": 1},
    "MARK": {"--set-xmark": 1, "--set-mark": 1, "--and-mark": 1, "--or-mark": 1, "--xor-mark": 1},
    "CONNMARK": {"--set-xmark": 1, "--set-mark": 1, "--and-mark": 1, "--or-mark": 1, "--xor-mark": 1,
                 "--save-mark": 0, "--restore-mark": 0, "--nfmask": 1, "--ctmask": 1, "--mask": 1},
    "CT": {"--notrack": 0, "--helper": 1, "--timeout": 1, "--ctevents": 1, "--expevents": 1, "--zone": 1,
           "--zone-orig": 1, "--zone-reply": 1},
    "DNAT": {"--to-destination": 1, **_NAT},
    "SNAT": {"--to-source": 1, **_NAT},
    "MASQUERADE": {"--to-ports": 1, **_NAT},
    "REDIRECT": {"--to-ports": 1, **_NAT},
    "NETMAP": {"--to": 1},
    "TCPMSS": {"--set-mss": 1, "--clamp-mss-to-pmtu": 0},
    "TPROXY": {"--on-port": 1, "--on-ip": 1, "--tproxy-mark": 1},
    "TOS": {"--set-tos": 1, "--and-tos": 1, "--or-tos": 1, "--xor-tos": 1},
    "DSCP": {"--set-dscp": 1, "--set-dscp-class": 1},
    "TTL": {"--ttl-set": 1, "--ttl-dec": 1, "--ttl-inc": 1},
    "HL": {"--hl-set": 1, "--hl-dec": 1, "--hl-inc": 1},
    "CLASSIFY": {"--set-class": 1},
    "SECMARK": {"--selctx": 1}, "CONNSECMARK": {"--save": 0, "--restore": 0},
    "SET": {"--add-set": 2, "--del-set": 2, "--map-set": 2, "--timeout": 1, "--exist": 0, "--map-mark": 0,
            "--map-prio": 0, "--map-queue": 0},
    "AUDIT": {"--type": 1}, "TEE": {"--gateway": 1}, "ECN": {"--ecn-tcp-remove": 0},
    "TCPOPTSTRIP": {"--strip-options": 1},
    "LED": {"--led-trigger-id": 1, "--led-delay": 1, "--led-always-blink": 0},
    "IDLETIMER": {"--timeout": 1, "--label": 1, "--alarm": 0, "--send_nl_msg": 0},
    "RATEEST": {"--rateest-name": 1, "--rateest-interval": 1, "--rateest-ewmalog": 1},
}  # fmt: skip

SAME = {
    "--source-port": "--sport", "--destination-port": "--dport", "--source-ports": "--sports",
    "--destination-ports": "--dports", "--ttl": "--ttl-eq", "--hl": "--hl-eq", "--hashlimit": "--hashlimit-upto",
}  # fmt: skip
"""Another way to write an option."""

GENERAL = {
    "-s": "-s", "--source": "-s", "--src": "-s", "-d": "-d", "--destination": "-d", "--dst": "-d",
    "-p": "-p", "--protocol": "-p", "--proto": "-p", "-i": "-i", "--in-interface": "-i", "-o": "-o",
    "--out-interface": "-o", "-m": "-m", "--match": "-m", "-j": "-j", "--jump": "-j", "-g": "-g", "--goto": "-g",
    "-f": "-f", "--fragment": "-f", "-c": "-c", "--set-counters": "-c", "-4": "-4", "--ipv4": "-4", "-6": "-6",
    "--ipv6": "-6",
}  # fmt: skip
"""The options of every rule."""
