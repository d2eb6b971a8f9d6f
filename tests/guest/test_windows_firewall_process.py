"""Rules of a Windows firewall that are for a program, a service or a package: what is known of the process, and taken."""

from __future__ import annotations

import re

from netinsight.guest.iptables import Judgement
from tests.guest.iptables_helpers import packet
from tests.guest.windows_firewall_export import firewall, rule

REMOTE = {"DisplayName": "Remote Desktop", "LocalPort": "3389", "Program": r"%SystemRoot%\System32\svchost.exe",
          "Service": "TermService"}  # fmt: skip
SVCHOST = r"`c:\windows\system32\svchost.exe`"


def assumed(judged: Judgement) -> list[str]:
    """What is assumed, without the lines."""
    return [re.sub(r"line \d+: ", "", note) for note in judged.assumptions]


def test_the_process_at_a_port_is_taken_to_be_that_of_the_rule_which_names_the_port() -> None:
    judged = firewall(rule(**REMOTE)).judge(packet(dport=3389))
    assert (judged.verdict, judged.rule) == ("ACCEPT", "Remote Desktop")
    assert assumed(judged) == [f"`Remote Desktop`: the process at port 3389 is taken to be service `termservice` in "
                               f"program {SVCHOST}; otherwise DROP"]  # fmt: skip
    blocked = firewall(rule(**REMOTE, Action="Block"), rule()).judge(packet(dport=3389))
    assert (blocked.verdict, assumed(blocked)[0].endswith("; otherwise ACCEPT")) == ("DROP", True)
    process = {"program": r"C:\Windows\system32\svchost.exe", "service": "termservice", "package": "none"}
    told = firewall(rule(**REMOTE)).judge(packet(dport=3389, **process))
    assert (told.verdict, told.assumptions) == ("ACCEPT", ())
    other = firewall(rule(**REMOTE)).judge(packet(dport=3389, program=r"C:\x\nginx.exe"))
    assert (other.verdict, other.assumptions) == ("DROP", ())


def test_a_rule_of_any_port_is_taken_not_to_match_and_said() -> None:
    many = [rule(DisplayName=f"app {at}", Protocol="Any", Program=rf"C:\{at}.exe") for at in range(7)]
    judged = firewall(*many).judge(packet())
    assert (judged.verdict, judged.rule) == ("DROP", "policy")
    assert assumed(judged) == ["`app 0`, `app 1`, `app 2`, `app 3` and 3 more rules: taken not to be about the process "
                               "that listens; otherwise ACCEPT"]  # fmt: skip
    blocks = firewall(rule(DisplayName="no", Action="Block", Program=r"C:\a.exe"), rule())
    assert assumed(blocks.judge(packet())) == ["`no`: taken not to be about the process that listens; otherwise DROP"]
    sends = firewall(rule(DisplayName="no", Action="Block", Direction="Outbound", Program=r"C:\a.exe", RemotePort=443))
    judged = sends.judge(packet("OUTPUT", dport=443))
    assert (judged.verdict, assumed(judged)) == (
        "ACCEPT",
        ["`no`: taken not to be about the process that sends; otherwise DROP"],
    )


def test_nothing_is_assumed_where_the_rules_say_the_same_either_way() -> None:
    assert firewall(rule(**REMOTE), rule(LocalPort=3389)).judge(packet(dport=3389)).assumptions == ()
    assert firewall(rule(**REMOTE), rule(Action="Block")).judge(packet(dport=3389)).assumptions == ()


def test_one_process_is_at_a_port_whatever_the_addresses() -> None:
    two = firewall(rule(DisplayName="near", LocalPort=80, RemoteAddress="10.0.0.0/8", Program=r"C:\a.exe"),
                   rule(DisplayName="far", LocalPort="80-90", Program=r"C:\b.exe"),
                   rule(DisplayName="same", Action="Block", Program=r"C:\a.exe", RemoteAddress="10.9.0.0/16"))  # fmt: skip
    assert two.judge(packet(src="10.1.0.1", dport=80)).rule == "near"
    judged = two.judge(packet(src="192.0.2.1", dport=80))
    assert (judged.verdict, assumed(judged)) == (
        "DROP",
        ["`far`: taken not to be about the process that listens; otherwise ACCEPT"],
    )
    assert two.judge(packet(src="10.9.0.1", dport=80)).rule == "same"  # names no port, but is for this process
    assert "at ports 80-90 is taken" in two.judge(packet(src="192.0.2.1", dport=81)).assumptions[0]


def test_rules_that_go_together_are_about_one_process() -> None:
    machine = firewall(rule(DisplayName="near", LocalPort=80, RemoteAddress="10.0.0.0/8", Program=r"C:\a.exe"),
                       rule(DisplayName="service", LocalPort=80, Program=r"C:\a.exe", Service="W3SVC"))  # fmt: skip
    judged = machine.judge(packet(src="192.0.2.1", dport=80))
    assert (judged.verdict, judged.rule) == ("ACCEPT", "service")
    assert assumed(judged) == [
        r"`near`: the process at port 80 is taken to be service `w3svc` in program `c:\a.exe`; otherwise DROP"
    ]


def test_an_icmp_type_and_a_protocol_are_named_as_a_port_is() -> None:
    kernel = firewall(rule(Protocol="ICMPv4", IcmpType="8", Program="System"), rule(Protocol="47", Program="System"))
    ping = kernel.judge(packet(protocol="icmp", icmp_type=8))
    assert (ping.verdict, "the process at ICMP type 8 is taken" in ping.assumptions[0]) == ("ACCEPT", True)
    tunnel = kernel.judge(packet(protocol="gre"))
    assert (tunnel.verdict, "the process at protocol 47 is taken" in tunnel.assumptions[0]) == ("ACCEPT", True)


def test_of_a_bare_name_the_rule_says_which_file_it_is() -> None:
    machine = firewall(rule(**REMOTE), rule(DisplayName="web", Program=r"C:\web\nginx.exe"),
                       rule(DisplayName="old", Program=r"D:\nginx.exe", Action="Block"))  # fmt: skip
    for name in ("svchost", "SvcHost.exe"):
        judged = machine.judge(packet(dport=3389, program=name))
        assert (judged.verdict, "the process `svchost` at port 3389 is taken" in judged.assumptions[0]) == (
            "ACCEPT",
            True,
        )
    judged = machine.judge(packet(dport=3389, program="nginx"))
    assert (judged.verdict, judged.rule) == ("DROP", "old")
    assert assumed(judged) == ["`web`: taken not to be about the process that listens; otherwise ACCEPT"]
    judged = firewall(rule(DisplayName="web", Program=r"C:\web\nginx.exe")).judge(packet(program="nginx"))
    assert (judged.verdict, assumed(judged)) == (
        "ACCEPT",
        [r"`web`: the process `nginx` is taken to be program `c:\web\nginx.exe`; otherwise DROP"],
    )
    assert machine.judge(packet(dport=3389, program="mstsc")).assumptions == ()
    service = machine.judge(packet(dport=3389, program="TermService"))
    assert (service.verdict, "taken to be program" in service.assumptions[0]) == ("ACCEPT", True)
    assert machine.judge(packet(dport=3389, program="System")).verdict == "DROP"


def test_what_hangs_on_more_than_the_process_stays_open() -> None:
    more = firewall(
        rule(**REMOTE, Authentication="Required"), rule(DisplayName="app", Protocol="Any", Package="S-1-15-2-1")
    )
    judged = more.judge(packet(dport=3389))
    assert judged.verdict == "UNKNOWN"
    assert assumed(judged) == [
        f"`Remote Desktop`: the process at port 3389 is taken to be service `termservice` in program {SVCHOST}",
        "`Remote Desktop` allows if IPsec `authenticated`",
        "if none of these matches, the default of Public: DROP",
    ]


def test_a_rule_of_a_store_app_is_decided_by_the_package() -> None:
    app = firewall(rule(DisplayName="app", Protocol="Any", Package="S-1-15-2-1", Owner="S-1-5-21-1"))
    judged = app.judge(packet())
    assert (judged.verdict, assumed(judged)) == (
        "DROP",
        ["`app`: taken not to be about the process that listens; otherwise UNKNOWN"],
    )
    assert app.judge(packet(package="none")).assumptions == ()
    assert "owner `S-1-5-21-1`" in app.judge(packet(package="s-1-15-2-1")).assumptions[0]


def test_a_block_and_an_allow_rule_of_one_program_are_about_one_program() -> None:
    block = rule(DisplayName="no", Action="Block", Program=r"C:\a.exe")
    assert firewall(block, rule(DisplayName="yes", Program=r"C:\a.exe")).judge(packet()).assumptions == ()
    secured = rule(DisplayName="no", Action="Block", RemoteUser="O:LSD:(A;;CC;;;S-1-5-1)")
    judged = firewall(secured, rule(DisplayName="yes", Authentication="Required")).judge(packet())
    assert [note.split(" if ")[0] for note in assumed(judged)[:2]] == ["`no` blocks", "`yes` allows"]
