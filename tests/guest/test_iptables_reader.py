"""What is read, what is a mistake, and what is not modelled."""

from __future__ import annotations

import pytest

from netinsight.errors import InputError
from netinsight.guest.iptables import EVERY_TABLE, Judgement, family_of, read_firewall
from tests.guest.iptables_helpers import packet, table


def _problems(text: str, **more: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_firewall(text, file="rules.v4", **more)  # type: ignore[arg-type]
    return [str(problem) for problem in caught.value.problems]


def _judge(*rules: str, policies: str = "INPUT DROP", **asked: object) -> Judgement:
    return read_firewall(table(*rules, policies=policies)).judge(packet(**asked))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "column", "message"),
    [
        ("-A INPUT -s 10.0.0.300/8 -j DROP", 13, "`10.0.0.300/8` is not an address, or one with a mask"),
        ("-A INPUT -s example.com -j DROP", 13, "`example.com` is not an address, or one with a mask"),
        ("-A INPUT -s 2001:db8::1 -j DROP", 13, "`2001:db8::1` is an address of the other family"),
        ("-A INPUT -p tcp -m tcp --dport 70000 -j DROP", 32, "port `70000` is not a number from 0 to 65535"),
        ("-A INPUT -p tcp -m tcp --dport 90:80 -j DROP", 32, "ports `90:80` run backwards"),
        ("-A INPUT -p tcp -m tcp --dport -j DROP", 35, "`DROP` stands where an option should"),
        ("-A INPUT -p tcp --dprot 22 -j DROP", 17, "unknown option `--dprot`"),
        ("-A INPUT -m tcp --dport 22 -j DROP", 13, "-m tcp goes with -p tcp"),
        ("-A INPUT -p tpc -j DROP", 13, "protocol `tpc` is not known"),
        ("-A INPUT -m conntrack --ctstate NWE -j DROP", 33, "state `NWE` is not known"),
        ("-A INPUT -p icmp -m icmp --icmp-type pling -j DROP", 38, "ICMP type `pling` is not known"),
        ("-A INPUT -j DROP extra", 18, "`extra` stands where an option should"),
        ("-A INPUT -j DROP -j ACCEPT", 21, "a rule has one target"),
        ("-A INPUT -g nowhere", 13, "there is no chain `nowhere` to go to"),
        ('-A INPUT -m comment --comment "open -j DROP', 31, 'the quote " is not closed'),
        ("-A INPUT ! ! -s 10.0.0.1 -j DROP", 12, "! stands twice"),
        ("-A INPUT -s 10.0.0.1 -s 10.0.0.2 -j DROP", 22, "-s stands twice"),
        ("-A INPUT -j REJECT --reject-with tcp-reset", 20, "--reject-with tcp-reset goes with -p tcp"),
        ("-A INPUT -j REJECT --reject-with icmp-sorry", 34, "`icmp-sorry` is no kind of REJECT"),
        ("-A INPUT -p tcp -m tcp --tcp-flags SYN", 24, "`--tcp-flags` needs 2 values"),
        ("-A INPUT -m mark --mark 0x1ffffffff -j DROP", 25, "value `0x1ffffffff` is not a number from 0 to 4294967295"),
        ("-A INPUT -m recent --name x -j DROP", 13, "-m recent takes one of --set, --rcheck, --update, --remove"),
        ("-A INPUT -m u32 --u32 6&0xFF -j DROP", 23, "u32: a condition needs `=`"),
        ("-A INPUT -m time --timestart 25:00 -j DROP", 30, "`25:00` is not a time such as 08:30"),
        ("-A INPUT -j NOTRACK", 13, "NOTRACK stands in the table raw, not in filter"),
        ("-A INPUT -m mac --mac-source 02:00 -j DROP", 30, "`02:00` is not a MAC address"),
        ("-A INPUT -m limit ! --limit 3/min -j DROP", 21, "`--limit` cannot be negated"),
        ("-A INPUT -j LOG ! --log-prefix x", 19, "`--log-prefix` cannot be negated"),
        ("-X INPUT", 1, "`-X` is not -A, --append, -I, --insert, -N, --new-chain, -P or --policy"),
        ("-A INPTU -j DROP", 4, "there is no chain `INPTU`"),
    ],
)
def test_a_mistake_has_its_line_and_column(rule: str, column: int, message: str) -> None:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n{rule}\nCOMMIT\n"
    assert _problems(text) == [f"rules.v4:3:{column}: {message}"]


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ("-A INPUT -p tcp --dprot 22 -j ACCEPT", "did you mean `--dport`?"),
        ("-A INPUT --dport 22 -j ACCEPT", "it stands behind -p tcp, -p udp, -p udplite, -p sctp or …"),
        ("-A INPUT -p tcp --dports 22,23 -j ACCEPT", "it stands behind -m multiport"),
        ("-A INPUT --ctstate NEW -j ACCEPT", "it stands behind -m conntrack"),
        ("-A INPUT -p tcp --reject-with tcp-reset", "it stands behind -j REJECT"),
        ("-A INPUT --sorce 10.0.0.1", "did you mean `--source`?"),
        ("COMIT", "did you mean `COMMIT`?"),
    ],
)
def test_a_mistake_has_a_hint(rule: str, hint: str) -> None:
    with pytest.raises(InputError) as raised:
        read_firewall(f"*filter\n:INPUT ACCEPT [0:0]\n{rule}\nCOMMIT\n")
    assert [one.hint for one in raised.value.problems] == [hint]


def test_every_mistake_is_told_at_once() -> None:
    text = "hello\n*filtre\n*filter\n:INPUT REJECT [0:0]\n-A INPUT -s x -j DROP\n[1:2] -A INPUT -p tcp --dport x\n"
    text += "*nat\nCOMMIT\n*nat\n"
    assert _problems(text) == [
        "rules.v4:1:1: `hello` stands outside a table",
        "rules.v4:2:2: table `filtre` is not known",
        "rules.v4:3:1: the table filtre above has no COMMIT",
        "rules.v4:4:8: policy `REJECT` is not ACCEPT or DROP",
        "rules.v4:5:13: `x` is not an address, or one with a mask",
        "rules.v4:6:31: port `x` is not a number nor a known service",
        "rules.v4:7:1: the table filter above has no COMMIT",
        "rules.v4:9:1: the table nat is there twice (line 7)",
        "rules.v4:9:1: the table nat has no COMMIT; is the file cut off?",
    ]


def test_a_chain_that_leads_back_into_itself() -> None:
    text = table("-A INPUT -j a", "-A a -j b", "-A b -g a", policies="INPUT ACCEPT;a -;b -")
    assert _problems(text) == ["rules.v4:7:1: the chain a leads back into itself"]


def test_an_empty_file() -> None:
    assert _problems("# nothing\n") == ["rules.v4: no table in it"]
    assert _problems("a\nb\n*filter\nCOMMIT\nc\nd\n") == [
        "rules.v4:1:1: `a` stands outside a table", "rules.v4:5:1: `c` stands outside a table"]  # fmt: skip


def test_a_match_that_is_not_known_is_worked_out_both_ways() -> None:
    judged = _judge("-A INPUT -m geoip ! --src-cc DE,FR -p tcp --dport 80 -j ACCEPT")
    assert (judged.verdict, judged.line) == ("UNKNOWN", 3)
    assert judged.assumptions == (
        "line 3: `-m geoip ! --src-cc DE,FR` (is not modelled); ACCEPT if the rule matches, DROP if not",
    )
    judged = _judge("-A INPUT -m geoip --src-cc DE -j DROP")
    assert (judged.verdict, judged.rule) == ("DROP", "policy")
    assert judged.assumptions == ("line 3: `-m geoip --src-cc DE` (is not modelled); DROP either way",)
    assert _judge("-A INPUT -m geoip --src-cc DE -p udp -j ACCEPT").assumptions == ()  # it cannot match a packet of TCP
    assert _judge("-A INPUT -m geoip --src-cc DE -j LOG").assumptions == ()  # nor would it matter


def test_a_target_that_is_not_known_leaves_the_answer_open() -> None:
    judged = _judge("-A INPUT -p tcp -j NFQUEUE --queue-num 3 --queue-bypass")
    assert (judged.verdict, judged.line) == ("UNKNOWN", 3)
    assert judged.assumptions == ("line 3: the target `-j NFQUEUE --queue-num 3 --queue-bypass` is not modelled",)
    assert _judge("-A INPUT -p udp -j NFQUEUE --queue-num 3").verdict == "DROP"


def test_worlds_that_meet_again_are_not_walked_twice() -> None:
    rules = [rule for n in range(60) for rule in (f"-A INPUT -m foo --n {n} -j c{n}", f"-A c{n} -m bar -j LOG")]
    policies = ";".join(["INPUT DROP", *(f"c{n} -" for n in range(60))])
    assert _judge(*rules, policies=policies).verdict == "DROP"


@pytest.mark.parametrize(
    ("match", "verdict", "told"),
    [
        ("-m limit --limit 5/min", "ACCEPT", "(the rate is not reached): taken to match; otherwise DROP"),
        ("-m hashlimit --hashlimit-above 5/sec --hashlimit-name x", "DROP", "taken not to match; otherwise ACCEPT"),
        ("-m hashlimit --hashlimit-upto 5/sec --hashlimit-name x", "ACCEPT", "taken to match; otherwise DROP"),
        ("-p tcp -m connlimit --connlimit-above 3", "DROP", "(there are few connections): taken not to match"),
        (
            "-m recent --update --seconds 60 --name x --rsource",
            "DROP",
            "(the address is not in the list): taken not to match",
        ),
        ("-m string --string kazaa --algo bm", "DROP", "(the payload does not hold the text): taken not to match"),
        ("-m string ! --string kazaa --algo bm", "ACCEPT", "taken to match; otherwise DROP"),
        ("-m statistic --mode random --probability 0.2", "DROP", "taken not to match; otherwise ACCEPT"),
        ("-p tcp -m connlimit ! --connlimit-upto 3", "DROP", "(there are few connections): taken not to match"),
        ("-m statistic --mode nth --every 3", "DROP", "taken not to match; otherwise ACCEPT"),
        ("-m quota --quota 1000", "ACCEPT", "(the quota is not used up): taken to match"),
        ("-m policy --dir in --pol ipsec", "DROP", "(the packet does not pass IPsec): taken not to match"),
    ],
)
def test_a_rate_or_payload_is_an_assumption(match: str, verdict: str, told: str) -> None:
    judged = _judge(f"-A INPUT {match} -j ACCEPT")
    assert judged.verdict == verdict
    assert len(judged.assumptions) == 1
    assert told in judged.assumptions[0]


def test_who_was_entered_into_a_list_on_the_way_stands_in_it() -> None:
    judged = _judge("-A INPUT -m recent --set --name x", "-A INPUT -m recent --rcheck --name x -j ACCEPT")
    assert (judged.verdict, judged.assumptions) == ("ACCEPT", ())
    judged = _judge("-A INPUT -m recent --set --name x", "-A INPUT -m recent --update --hitcount 4 --name x -j ACCEPT")
    assert judged.verdict == "DROP"


def test_a_fact_that_is_not_given_is_the_same_for_every_rule() -> None:
    rules = [
        "-A INPUT -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT",
        "-A INPUT -m mac ! --mac-source 02:00:00:00:00:01 -j ACCEPT",
    ]
    judged = _judge(*rules)
    assert judged.verdict == "ACCEPT"
    assert _judge(rules[0]).verdict == "UNKNOWN"
    assert _judge(rules[0], source_mac="02:00:00:00:00:01").verdict == "ACCEPT"


@pytest.mark.parametrize(
    ("rule", "asked", "verdict"),
    [
        ("-A INPUT -i eth0 -j ACCEPT", {"in_interface": "eth0.10"}, "DROP"),
        ("-A INPUT -i vif+ -j ACCEPT", {"in_interface": "vif0.0"}, "ACCEPT"),
        ("-A INPUT -s 10.0.0.77/24 -j ACCEPT", {}, "ACCEPT"),
        ("-A INPUT -s 10.0.0.1/255.0.0.255 -j ACCEPT", {"src": "10.8.7.1"}, "ACCEPT"),
        ("-A INPUT -s ! 10.0.0.0/8 -j ACCEPT", {}, "DROP"),
        ("-A INPUT -s 192.0.2.1,10.0.0.1 -j ACCEPT", {}, "ACCEPT"),
        ("-A INPUT -p tcp --dport ! 80 -j ACCEPT", {}, "DROP"),
        ("-A INPUT -p tcp --destination-port http -j ACCEPT", {}, "ACCEPT"),
        ("-A INPUT -p tcp -m multiport --ports 40000 -j ACCEPT", {}, "ACCEPT"),
        ("-A INPUT -p tcp --syn -j ACCEPT", {}, "ACCEPT"),
        ("-A INPUT -p tcp ! --syn -j ACCEPT", {"flags": "SYN,ACK"}, "ACCEPT"),
        ("-A INPUT -f -j ACCEPT", {}, "DROP"),
        ("-A INPUT -p sctp --dport 80 -j ACCEPT", {"protocol": "sctp"}, "ACCEPT"),
        ("-A INPUT -p 50 -j ACCEPT", {"protocol": "esp"}, "ACCEPT"),
        ("-A INPUT -m state --state INVALID -j ACCEPT", {"flags": "SYN,ACK"}, "ACCEPT"),
        ("-A INPUT -m state --state INVALID -j ACCEPT", {"flags": ""}, "ACCEPT"),
        ("-A INPUT -m state --state NEW -j ACCEPT", {"flags": "ACK"}, "ACCEPT"),
        ("-A INPUT -m state --state INVALID -j ACCEPT", {"protocol": "icmp", "icmp_type": 0}, "ACCEPT"),
        ("-A INPUT -m conntrack --ctorigdst 10.0.0.2 --ctstate NEW -j ACCEPT", {}, "ACCEPT"),
        ("-A INPUT -m conntrack --ctdir REPLY -j ACCEPT", {}, "DROP"),
        ("-A INPUT -m conntrack --ctdir REPLY -j ACCEPT", {"state": "ESTABLISHED"}, "UNKNOWN"),
        ("-A INPUT -m owner --uid-owner 0 -j ACCEPT", {}, "DROP"),
        ("-A OUTPUT -m owner --uid-owner 1000-1010 -j DROP", {"chain": "OUTPUT", "uid": 1001}, "DROP"),
        ("-A OUTPUT -m owner --uid-owner 7 -j DROP", {"chain": "OUTPUT"}, "UNKNOWN"),
        ("-A INPUT -m physdev --physdev-in eth+ -j ACCEPT", {"in_physdev": "eth3"}, "ACCEPT"),
        ("-A INPUT -m time --timestart 08:00 --timestop 17:00 --weekdays Mon,Tue -j ACCEPT",
         {"time": "2026-11-24T09:00:00Z"}, "ACCEPT"),
        ("-A INPUT -m time --timestart 22:00 --timestop 06:00 -j ACCEPT", {"time": "2026-11-24T07:00:00Z"}, "DROP"),
        ("-A INPUT -m time --timestart 22:00 -j ACCEPT", {}, "UNKNOWN"),
        ("-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT", {}, "ACCEPT"),
        ("-A INPUT -m addrtype --dst-type MULTICAST -j ACCEPT", {"dst": "224.0.0.5"}, "ACCEPT"),
        ("-A INPUT -m length --length 0:100 -j ACCEPT", {"length": 60}, "ACCEPT"),
        ("-A INPUT -m length --length 0:100 -j ACCEPT", {}, "UNKNOWN"),
        ("-A INPUT -m u32 --u32 6&0xFF=6 -j ACCEPT", {}, "ACCEPT"),
        ("-A INPUT -m u32 --u32 4&0x3FFF=0 -j ACCEPT", {}, "ACCEPT"),
        ("-A INPUT -m u32 --u32 4&0x4000=0 -j ACCEPT", {}, "UNKNOWN"),
        ("-A INPUT -m statistic --mode nth --every 1 -j ACCEPT", {}, "ACCEPT"),
        ("-A INPUT -m tcp -p tcp --dport=80 --jump ACCEPT", {}, "ACCEPT"),
    ],
)  # fmt: skip
def test_what_a_match_means(rule: str, asked: dict[str, object], verdict: str) -> None:
    assert _judge(rule, policies="INPUT DROP;OUTPUT ACCEPT", **asked).verdict == verdict


def test_a_goto_that_falls_off_its_chain_returns_to_the_callers_caller() -> None:
    rules = ["-A INPUT -j a", "-A INPUT -j ACCEPT", "-A a -g b", "-A a -j DROP", "-A b -p udp -j DROP"]
    judged = _judge(*rules, policies="INPUT DROP;a -;b -")
    assert (judged.verdict, judged.trace) == ("ACCEPT", ("-A INPUT -j a", "-A a -g b", "-A INPUT -j ACCEPT"))
    assert _judge("-A INPUT -g b", "-A INPUT -j ACCEPT", "-A b -j LOG", policies="INPUT DROP;b -").rule == "policy"


def test_reject_says_what_it_answers() -> None:
    assert _judge("-A INPUT -j REJECT").reject_with == "icmp-port-unreachable"
    assert _judge("-A INPUT -p tcp -j REJECT --reject-with tcp-reset").reject_with == "tcp-reset"


@pytest.mark.parametrize(("sets", "verdict"), [
    (None, "UNKNOWN"), ("create s hash:ip family inet\n", "DROP"), ("create s hash:ip\nadd s 10.0.0.1\n", "ACCEPT"),
    ("create s hash:net\nadd s 10.0.0.0/8\nadd s 10.0.0.0/24 nomatch\n", "DROP"),
    ("create t hash:ip\nadd t 10.0.0.0-10.0.0.9\ncreate s list:set\nadd s t\n", "ACCEPT"),
])  # fmt: skip
def test_a_set(sets: str | None, verdict: str) -> None:
    text = table("-A INPUT -m set --match-set s src -j ACCEPT", policies="INPUT DROP")
    assert read_firewall(text, ipsets=sets).judge(packet()).verdict == verdict


def test_mistakes_of_sets() -> None:
    text = table("-A INPUT -m set --match-set s src -j ACCEPT")
    told = _problems(text, ipsets="create t hash:ip\nadd u 1.2.3.4\nadd t 1.2.3\ndestroy t\n", ipsets_file="sets")
    assert told == [
        "rules.v4:3:29: there is no set `s`", "sets:2:5: there is no set `u` above",
        "sets:3:7: `1.2.3` is not an address, or one with a mask",
        "sets:4:1: `destroy` is not a line of ipset save (create or add)",
    ]  # fmt: skip


V6 = """# Generated by ip6tables-save v1.8.9 (nf_tables) on Wed Nov 25 11:03:28 2026
*filter
:INPUT DROP [12:3456]
[3:120] -A INPUT -s 2001:db8::/32 -p tcp -m tcp --dport 22 -j ACCEPT
[0:0] -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT
[0:0] -A INPUT -d ::/0 -p ipv6-icmp -m icmp6 --icmpv6-type echo-request -j REJECT --reject-with icmp6-adm-prohibited
COMMIT
"""


def test_ip6tables() -> None:
    assert family_of(V6) == 6
    firewall = read_firewall(V6, family=6)
    assert firewall.judge(packet(src="2001:db8::1", dst="2001:db8::2", dport=22)).line == 4
    ping = packet(src="2001:db9::1", dst="2001:db8::2", protocol="icmpv6", icmp_type=128)
    assert firewall.judge(ping).reject_with == "icmp6-adm-prohibited"
    neighbour = packet(src="fe80::1", dst="ff02::1", protocol="icmpv6", icmp_type=135)
    assert (firewall.judge(neighbour).verdict, neighbour.conntrack()) == ("ACCEPT", "UNTRACKED")


def test_rules_that_another_back_end_holds_are_named() -> None:
    warning = "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n"
    (note,) = read_firewall(table("-A INPUT -j DROP") + warning).judge(packet()).assumptions
    assert "rules that are not in this file are not judged" in note


WAY = """*raw
-A PREROUTING -p udp --dport 53 -j CT --notrack
COMMIT
*mangle
-A PREROUTING -p tcp --dport 8443 -j MARK --set-mark 7
-A INPUT -p tcp --dport 23 -j DROP
COMMIT
*nat
-A PREROUTING -p tcp --dport 8443 -j DNAT --to-destination 172.17.0.2:443
-A PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 80
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:TO443 - [0:0]
-A FORWARD -d 172.17.0.2/32 -o docker0 -p tcp -m mark --mark 7 -m conntrack --ctstate DNAT --ctorigdstport 8443 -j TO443
-A TO443 -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT -p udp -m conntrack --ctstate UNTRACKED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 23 -j ACCEPT
COMMIT
"""


def test_the_whole_way_in_the_kernels_order() -> None:
    firewall = read_firewall(WAY)

    def told(**more: object) -> tuple[str, int | None]:
        judged = firewall.judge(packet(in_interface="eth0", **more), EVERY_TABLE)  # type: ignore[arg-type]
        return judged.verdict, judged.line

    assert told(chain="FORWARD", dport=8443, out_interface="docker0") == ("ACCEPT", 17)
    assert told(dport=8443)[0] == "UNKNOWN"  # whether the new address is this machine's nobody said
    assert told(dport=8080) == ("ACCEPT", 19)
    assert told(protocol="udp", dport=53) == ("ACCEPT", 18)
    assert told(dport=23) == ("DROP", 6)
    assert firewall.judge(packet(dport=23)).verdict == "ACCEPT"  # the filter alone
