"""Rule sets, routes and questions that hypothesis draws for the guests of ``live_world``."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from tests.guest.live_world import ADDRESS, GUESTS, PORTS

HIGH = 40000
"""Rules tell client ports from here on from those below."""
PLACES = [ADDRESS["client"], ADDRESS["server"], "10.0.1.0/24", "10.0.2.0/24", "10.0.3.10/31", "10.0.0.0/8",
          "10.0.0.0/22", "172.17.0.2", "172.17.0.0/16", "203.0.113.7"]  # fmt: skip
STATES = ["NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "NEW,ESTABLISHED", "INVALID", "UNTRACKED", "INVALID,UNTRACKED"]
SEEN = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
REJECTS = [
    "",
    "-p tcp:--reject-with tcp-reset",
    ":--reject-with icmp-host-prohibited",
    ":--reject-with icmp-admin-prohibited",
]
pick = st.sampled_from
PORT = pick([str(port) for port in PORTS])


class Drawn(NamedTuple):
    """What the guests are set to, and what is asked."""

    rules: dict[str, str]
    routes: dict[str, list[str]]
    forwards: dict[str, bool]
    there: bool
    back: bool
    questions: list[tuple[str, str, str, int, bool]]
    """From, to, protocol, port, whether from a high client port."""


@st.composite
def _no(draw: st.DrawFn) -> str:
    return draw(pick(["", "", "", "! "]))


@st.composite
def protocols(draw: st.DrawFn) -> str:
    """A match of a protocol and its ports."""
    protocol = draw(pick(["tcp", "tcp", "udp"]))
    no = draw(_no())
    return draw(pick([
        f"-p {protocol}", "-p icmp", f"{no}-p {protocol}",
        f"-p {protocol} -m {protocol} {no}--dport {draw(PORT)}",
        f"-p {protocol} -m {protocol} {no}--sport {draw(PORT)}",
        f"-p {protocol} -m {protocol} --dport {draw(pick(['1:1023', '80:443', '1024:65535']))}",
        f"-p {protocol} -m {protocol} {no}--sport {draw(pick([f'{HIGH}:65535', '1024:65535']))}",
        f"-p {protocol} -m multiport {no}--{draw(pick(['dports', 'sports', 'ports']))} "
        + ",".join(draw(st.lists(PORT, min_size=1, max_size=3, unique=True))),
        f"-p icmp -m icmp {no}--icmp-type {draw(pick(['8', '0', '3']))}",
        f"-p tcp -m tcp {no}--tcp-flags {draw(pick(['FIN,SYN,RST,ACK SYN', 'SYN,ACK SYN,ACK', 'SYN SYN', 'ACK ACK']))}",
    ]))  # fmt: skip


@st.composite
def places(draw: st.DrawFn, hook: str, kinds: str = "sdio") -> str:
    """Matches of addresses and interfaces that a hook has."""
    words = []
    for kind in kinds:
        if draw(st.integers(0, 9)) < 7:
            continue
        if kind in "sd":
            words.append(f"{draw(_no())}-{kind} {draw(pick(PLACES))}")
        elif (kind == "i") == (hook in ("PREROUTING", "INPUT")) or hook == "FORWARD":
            words.append(f"{draw(_no())}-{kind} {draw(pick(['eth0', 'eth0', 'docker0', 'eth+', 'lo']))}")
    return " ".join(words)


@st.composite
def others(draw: st.DrawFn, hook: str) -> str:
    """Matches of the connection, marks and the like."""
    no = draw(_no())
    kinds = [
        f"-m conntrack {no}--ctstate {draw(pick(STATES))}", f"-m conntrack {no}--ctstate {draw(pick(STATES))}",
        f"-m state {no}--state {draw(pick(STATES))}", f"-m conntrack --ctdir {draw(pick(['ORIGINAL', 'REPLY']))}",
        f"-m mark {no}--mark {draw(pick(['0x1', '0x2/0x2', '0x0']))}", f"-m connmark {no}--mark {draw(pick(['0x1', '0x0']))}",
        f"-m iprange {no}--{draw(pick(['src', 'dst']))}-range {draw(pick(['10.0.1.5-10.0.1.20', '10.0.2.10-10.0.3.9']))}",
        "-m comment --comment \"a b\"",
    ]  # fmt: skip
    if hook not in ("RAW",):
        kinds += [f"-m conntrack {no}--ctstate {draw(pick(['DNAT', 'SNAT']))}",
                  f"-m conntrack {no}--ctorigdst {draw(pick(PLACES))}",
                  f"-m conntrack {no}--ctorigsrc {draw(pick(PLACES))}"]  # fmt: skip
    kinds.append(f"-m addrtype {no}--{draw(pick(['src', 'dst']))}-type {draw(pick(['LOCAL', 'UNICAST']))}")
    return draw(pick(kinds))


@st.composite
def condition(draw: st.DrawFn, hook: str) -> str:
    """What a rule asks."""
    words = [draw(places(hook))]
    if draw(st.booleans()):
        words.append(draw(protocols()))
    if draw(st.integers(0, 9)) < 4:
        words.append(draw(others(hook)))
    return " ".join(filter(None, words)).replace("! -m", "-m")


@st.composite
def rule(draw: st.DrawFn, hook: str, chain: str, further: list[str]) -> str:
    """A rule of the filter table."""
    asked = draw(condition(hook))
    ends = [f"-{draw(pick('jjg'))} {name}" for name in further]
    target = draw(pick([*ends * 3, "-j ACCEPT", "-j ACCEPT", "-j ACCEPT", "-j DROP", "-j REJECT", "-j RETURN"]))
    if target == "-j REJECT":
        needs, _, kind = draw(pick(REJECTS)).partition(":")
        if needs and "-p " in asked:
            kind = ""
        asked, target = f"{asked} {needs if kind else ''}", f"-j REJECT {kind}"
    return " ".join(f"-A {chain} {asked} {target}".split())


@st.composite
def opening(draw: st.DrawFn, hook: str) -> str:
    """What a firewall that somebody wrote opens."""
    protocol = draw(pick(["tcp", "tcp", "udp"]))
    return draw(pick([
        f"-A {hook} {SEEN}", f"-A {hook} {SEEN}", f"-A {hook} -m state --state NEW -j ACCEPT",
        f"-A {hook} -p {protocol} -m multiport --dports 22,80,443,8080,53 -j ACCEPT",
        f"-A {hook} -p {protocol} -m conntrack --ctstate NEW -m {protocol} --dport {draw(PORT)} -j ACCEPT",
        f"-A {hook} -p icmp -j ACCEPT", f"-A {hook} -s 10.0.0.0/8 -j ACCEPT", f"-A {hook} -d 172.17.0.2/32 -j ACCEPT",
        f"-A {hook} -m conntrack --ctstate INVALID -j DROP", f"-A {hook} -m conntrack --ctstate DNAT -j ACCEPT",
        f"-A {hook} -m conntrack --ctstate INVALID,UNTRACKED -j ACCEPT", f"-A {hook} -p tcp -m tcp ! --syn -j ACCEPT",
    ]))  # fmt: skip


@st.composite
def filters(draw: st.DrawFn) -> list[str]:
    """The table filter."""
    lines, made = [], []
    for hook in ("INPUT", "FORWARD", "OUTPUT"):
        busy = draw(st.integers(0, 9))
        if busy < 3:
            lines.append(f":{hook} ACCEPT [0:0]")
            continue
        lines.append(f":{hook} {draw(pick(['ACCEPT', 'DROP']))} [0:0]")
        users = [f"{hook[0]}{n}" for n in range(draw(st.integers(0, 2)))]
        lines += [f":{name} - [0:0]" for name in users]
        made += draw(st.lists(opening(hook), min_size=1, max_size=6))
        for at, chain in enumerate([hook, *users]):
            made += draw(st.lists(rule(hook, chain, users[at:]), min_size=at > 0, max_size=3))
    return ["*filter", *lines, *made, "COMMIT"]


@st.composite
def natted(draw: st.DrawFn, name: str) -> list[str]:
    """The table nat."""
    lines = [
        "*nat",
        ":PREROUTING ACCEPT [0:0]",
        ":INPUT ACCEPT [0:0]",
        ":OUTPUT ACCEPT [0:0]",
        ":POSTROUTING ACCEPT [0:0]",
    ]
    if draw(st.booleans()):
        return [*lines, "COMMIT"]
    protocol = draw(pick(["tcp", "tcp", "udp"]))
    inside = {"server": ["172.17.0.2", ADDRESS["server"]], "appliance": [ADDRESS["server"]],
              "client": [ADDRESS["client"]]}[name]  # fmt: skip
    for _ in range(draw(st.integers(0, 3))):
        to = f"{draw(pick(inside))}{draw(pick(['', ':80', ':8080', ':22']))}"
        target = draw(
            pick([f"DNAT --to-destination {to}"] * 3 + ["RETURN", "ACCEPT", "REDIRECT --to-ports 8080", "REDIRECT"])
        )
        if name == "appliance" and target.startswith("REDIRECT"):
            target = f"DNAT --to-destination {to}"
        where = f"-d {ADDRESS['server']}/32" if name == "appliance" else draw(pick(["", "! -i docker0", "-i eth0", ""]))
        ports = draw(pick([f"--dport {draw(PORT)}", f"--dport {draw(PORT)}", f"--sport {HIGH}:65535"]))
        lines.append(f"-A PREROUTING {where} -p {protocol} -m {protocol} {ports} -j {target}")
    if name == "client" and draw(st.booleans()):
        to = f"{ADDRESS['server']}{draw(pick(['', ':80', ':8080', ':22']))}"
        lines.append(f"-A OUTPUT -d {ADDRESS['server']}/32 -p {protocol} -m {protocol} --dport {draw(PORT)} -j DNAT "
                     f"--to-destination {to}")  # fmt: skip
    for _ in range(draw(st.integers(0, 2))):
        asked = draw(pick(["-s 10.0.1.0/24 ", "", "-s 172.17.0.0/16 ! -o docker0", "-o eth0", "-p tcp", "-o docker0",
                           f"-p udp -m udp --dport {draw(PORT)}", "-d 10.0.2.0/24 -o eth0"]))  # fmt: skip
        lines.append(
            f"-A POSTROUTING {asked} -j {draw(pick(['MASQUERADE', f'SNAT --to-source {ADDRESS[name]}', 'RETURN']))}"
        )
    return [*lines, "COMMIT"]


@st.composite
def raw_and_mangle(draw: st.DrawFn) -> list[str]:
    """The tables raw and mangle."""
    raw = ["*raw", ":PREROUTING ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"]
    mangle = ["*mangle"]
    if draw(st.integers(0, 9)) < 4:
        for _ in range(draw(st.integers(1, 2))):
            hook = draw(pick(["PREROUTING", "OUTPUT"]))
            asked = draw(pick([f"{draw(places(hook))} {draw(protocols())}", "-p tcp", ""]))
            raw.append(f"-A {hook} {asked} -j {draw(pick(['CT --notrack', 'CT --notrack', 'DROP', 'ACCEPT']))}")
    if draw(st.integers(0, 9)) < 4:
        for _ in range(draw(st.integers(1, 3))):
            hook = draw(pick(["PREROUTING", "INPUT", "FORWARD", "POSTROUTING", "OUTPUT"]))
            target = draw(pick(["MARK --set-xmark 0x1/0x1", "MARK --set-mark 2", "ACCEPT", "DROP", "RETURN",
                                "CONNMARK --set-mark 1", "CONNMARK --restore-mark", "CONNMARK --save-mark"]))  # fmt: skip
            mangle.append(f"-A {hook} {draw(condition(hook))} -j {target}")
    return [*raw, "COMMIT", *mangle, "COMMIT"]


WAYS = {
    "client": ["route add blackhole 10.0.2.10/32", "rule add to 10.0.2.0/24 pref 100 prohibit",
               "route add unreachable 10.0.3.0/24", "rule add from 10.0.1.10 pref 100 lookup 100",
               "route add 10.0.2.0/24 via 10.0.1.253 dev eth0", "rule add ipproto tcp dport 80 pref 50 blackhole",
               "route add default via 10.0.1.253 dev eth0 table 100"],
    "server": ["route add prohibit 10.0.1.10/32", "rule add from 10.0.2.10 to 10.0.1.0/24 pref 90 unreachable",
               "rule add ipproto udp pref 80 blackhole", "route add blackhole default metric 5 table 100",
               "rule add from 10.0.2.10 pref 70 lookup 100", "rule add iif docker0 pref 60 prohibit",
               "rule add ipproto tcp sport 8080 pref 50 prohibit"],
    "appliance": ["rule add iif eth0 to 10.0.1.0/24 pref 50 prohibit", "route add blackhole 10.0.2.10/32",
                  "rule add from 10.0.1.10 pref 40 lookup 100", "rule add ipproto udp dport 22 pref 45 unreachable"],
}  # fmt: skip


@st.composite
def settings_drawn(draw: st.DrawFn) -> Drawn:
    """All of it."""
    rules, routes = {}, {}
    for name in GUESTS:
        lines = [*draw(raw_and_mangle()), *draw(natted(name)), *draw(filters())]
        rules[name] = "\n".join([*lines, ""])
        few = draw(st.integers(0, 9)) == 9 and WAYS[name]
        routes[name] = draw(st.lists(pick(WAYS[name]), min_size=1, max_size=2, unique=True)) if few else []
    forwards = {name: name != "client" and draw(st.integers(0, 15)) < 15 for name in GUESTS}
    ends = pick(
        [("client", "server")] * 6 + [("server", "client")] * 2 + [("client", "appliance"), ("appliance", "server")]
    )
    asked = st.tuples(ends, pick(["tcp", "tcp", "tcp", "udp", "udp", "icmp"]), pick(PORTS), st.booleans())
    questions = draw(st.lists(asked, min_size=8, max_size=24, unique=True))
    return Drawn(rules, routes, forwards, draw(st.integers(0, 9)) < 8, draw(st.integers(0, 9)) < 8,
                 [(*one[0], *one[1:]) for one in questions])  # fmt: skip
