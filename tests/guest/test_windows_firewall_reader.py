"""The export of a Windows firewall: what is read, what is wrong in it, and what the commands say of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from netinsight.cli import run
from netinsight.errors import InputError
from netinsight.guest.windows_firewall.reader import RULE_KEYS
from netinsight.sources.guest_described import windows_firewall_of
from netinsight.sources.topology_file import read_topology
from netinsight.sources.windows_firewall_file import read_windows_firewall
from tests.conftest import ROOT
from tests.guest.iptables_helpers import packet, runs_as_shown
from tests.guest.windows_firewall_export import firewall, rule, whole

SCRIPT = ROOT / "netinsight" / "guest" / "collect" / "windows-firewall.ps1"
PAGE = ROOT / "docs" / "windows-firewall.md"


def test_a_reply_passes_and_a_loopback_is_not_filtered() -> None:
    blocked = firewall(rule(Action="Block"), rule(Action="Block", Direction="Outbound", Protocol="Any"))
    assert blocked.judge(packet(state="ESTABLISHED")).verdict == "ACCEPT"
    assert blocked.judge(packet(src="127.0.0.1", dst="127.0.0.1")).rule == "loopback"
    assert blocked.judge(packet("OUTPUT", src="10.0.0.2", dst="10.0.0.2")).verdict == "ACCEPT"
    assert blocked.judge(packet()).verdict == "DROP"


def test_what_belongs_to_a_connection_is_open_where_the_rules_block_it() -> None:
    assert firewall().judge(packet(state="RELATED")).verdict == "UNKNOWN"
    assert firewall(rule()).judge(packet(state="RELATED")).verdict == "ACCEPT"
    assert firewall(rule()).judge(packet(flags="SYN,ACK")).verdict == "UNKNOWN"
    assert firewall().judge(packet(flags="SYN,ACK")).verdict == "DROP"


def test_forwarding_is_not_judged_and_said() -> None:
    judged = firewall(rule()).judge(packet("FORWARD"))
    assert (judged.verdict, judged.assumptions) == ("UNKNOWN", ("what Windows forwards is not judged",))


def test_the_evidence_is_the_display_name_and_its_line() -> None:
    text = json.dumps(whole(rule(DisplayName="web", LocalPort=["80", 443])), indent=1)
    judged = read_windows_firewall(text).judge(packet(dport=443, in_interface="ethernet"))
    line = next(at for at, row in enumerate(text.split("\n"), 1) if '"web"' in row) - 1
    assert (judged.verdict, judged.rule, judged.line, judged.chain) == ("ACCEPT", "web", line, "Public")
    assert judged.places == (("Public", "INPUT", line),)


def test_profiles_that_differ_leave_it_open() -> None:
    unknown = [{"InterfaceAlias": "Ethernet", "NetworkCategory": None}]
    judged = firewall(rule(Profile="Domain"), connections=unknown).judge(packet())
    assert judged.verdict == "UNKNOWN"
    assert judged.assumptions[0] == "profile Domain of ethernet: ACCEPT by a rule"
    assert firewall(rule(), connections=unknown).judge(packet()).verdict == "ACCEPT"


def test_rules_out_of_force() -> None:
    for more in ({"Enabled": 2}, {"Profile": "Domain"}, {"PolicyStoreSource": "SystemDefaults"}, {"Direction": 2}):
        assert firewall(rule(**more)).judge(packet()).verdict == "DROP"
    hardening = firewall(rule(Action="Block", PolicyStoreSource="StaticServiceStore"), rule()).judge(packet())
    assert hardening.verdict == "ACCEPT"
    assert hardening.assumptions == ("rules that restrict services of Windows are not judged: 1",)


def test_without_a_store_it_is_said_and_another_store_is_a_mistake() -> None:
    assert "taken to be those of the ActiveStore" in firewall(store=None).judge(packet()).assumptions[0]
    with pytest.raises(InputError, match="are not all that is in force"):
        firewall(store="PersistentStore")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("Enabled", "Yes", "Enabled: `Yes` is not true or false"),
        ("Enabled", 3, "Enabled: `3` is not true or false"),
        ("Profile", "Domian", "Profile: `Domian` is not Any, Domain, Private or Public; did you mean `domain`?"),
        ("Profile", 8, "Profile: `8` is not Any, Domain, Private or Public"),
        ("Direction", "In", "Direction: `In` is not inbound or outbound"),
        ("Action", 1, "Action: `1` is not notconfigured, allow, allowbypass or block"),
        ("Action", 0, "Action: it is not said what the rule does"),
        ("EdgeTraversalPolicy", 9, "EdgeTraversalPolicy: `9` is not block, allow, defertouser or defertoapp"),
        ("RemoteAddress", "10.0.0.0/33", "RemoteAddress: `10.0.0.0/33` is not an address, a subnet, a range or a keyword"),
        ("RemoteAddress", "10.0.0.0/255.0.255.0", "RemoteAddress: `10.0.0.0/255.0.255.0` is not an address"),
        ("RemoteAddress", ["10.0.0.9-10.0.0.1"], "RemoteAddress: `10.0.0.9-10.0.0.1` is not an address"),
        ("RemoteAddress", "LocalSubnets", "did you mean `localsubnet`?"),
        ("LocalAddress", {"a": 1}, "LocalAddress: expected a text, found another value"),
        ("Protocol", "TPC", "Protocol: `TPC` is not a protocol (a number from 0 to 255, TCP, UDP, ICMPv4, …); did you mean"),
        ("Protocol", 256, "Protocol: `256` is not a protocol"),
        ("LocalPort", "65536", "LocalPort: `65536` is not a port from 0 to 65535"),
        ("LocalPort", ["80", "90-80"], "LocalPort: `90-80` is not a port from 0 to 65535, or a range that runs forwards"),
        ("RemotePort", "http", "RemotePort: `http` is not a port, a range or a keyword such as RPC"),
        ("InterfaceType", "Wierd", "InterfaceType: `Wierd` is not any, wired, lan, wireless or remoteaccess"),
        ("Authentication", "Maybe", "Authentication: `Maybe` is not notrequired, required"),
        ("Encryption", 3, "Encryption: `3` is not notrequired, required or dynamic"),
        ("Program", ["a", "b"], "Program: expected a text, found a list"),
        ("Service", 1.5, "Service: expected a text, found another value"),
        ("DisplayName", [], "DisplayName: expected a text, found a list"),
        ("DynamicTarget", "Wifi", "DynamicTarget: `Wifi` is not any, proximityapps"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_read_is_told_at_its_place(key: str, value: Any, message: str) -> None:
    text = json.dumps(whole(rule(), rule(**{key: value})), indent=1)
    with pytest.raises(InputError) as error:
        read_windows_firewall(text, "fw.json")
    (problem,) = error.value.problems
    assert message in problem.message
    at = [(number, row) for number, row in enumerate(text.split("\n"), 1) if f'"{key}": ' in row][-1]
    assert problem.place.file == "fw.json"
    assert problem.place.line in (at[0], at[0] + 1)
    assert problem.place.column == at[1].index('"') + 1 if isinstance(value, dict) else problem.place.column > 1


def test_an_icmp_type_that_cannot_be_read() -> None:
    for value in ("256", "8:300", "echo"):
        with pytest.raises(InputError, match=f"IcmpType: `{value}` is not an ICMP type such as 8"):
            firewall(rule(Protocol="ICMPv4", IcmpType=value))
    assert firewall(rule(Protocol="TCP", IcmpType="8", LocalPort=22)).judge(packet(dport=22)).verdict == "ACCEPT"
    assert firewall(rule(Protocol=1, IcmpType="8", LocalPort="RPC")).judge(packet(protocol="icmp")).verdict == "ACCEPT"


def test_every_mistake_at_once() -> None:
    broken = whole(rule(Action="Deny", Protocol="TPC"), {"DisplayName": "bare", "Enabled": 1}, "x", profils=[])
    del broken["profiles"][2]
    broken["profiles"][0]["Enabled"] = "On"
    broken["connections"] = [{"InterfaceAlias": "Ethernet", "NetworkCategory": "Home", "Addresses": ["10.0.0.2/40"]}]
    with pytest.raises(InputError) as error:
        read_windows_firewall(json.dumps(broken, indent=1))
    told = [problem.message for problem in error.value.problems]
    assert len(told) == 9
    assert any(message.startswith("no `Profile`, `Direction`") and "`Encryption`" in message for message in told)
    assert any(message == "unknown key `profils`" for message in told)
    assert any(message == "no profile `Public`" for message in told)
    assert [one.place.line for one in error.value.problems] == sorted(one.place.line for one in error.value.problems)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected an object with `profiles` and `rules`"),
        ('{"rules": []', "not valid JSON"),
        ("", "not valid JSON"),
        ('{"rules": [' + "[" * 100, "nested deeper than 40 levels"),
        ('{"profiles": [], "rules": {"\\u001b[31m": 1}}', "no `Enabled`"),
    ],
)
def test_hostile_texts(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_windows_firewall(text)
    assert any(message in problem.message for problem in error.value.problems)
    assert "\x1b" not in "".join(problem.in_full() for problem in error.value.problems)


def test_what_is_too_much_is_refused() -> None:
    many = [str(at) for at in range(0, 4000, 2)]
    with pytest.raises(InputError, match="more than 500000 combinations"):
        firewall(rule(LocalPort=many, RemotePort=many))
    with pytest.raises(InputError, match="more than 64 connections"):
        firewall(connections=[{"InterfaceAlias": f"e{at}"} for at in range(65)])


def test_many_rules_of_what_is_not_known_are_followed() -> None:
    rules = [
        rule(RemoteUser=f"{at}", RemoteMachine=f"m{at % 7}", Action="Block" if at % 2 else "Allow") for at in range(900)
    ]
    judged = firewall(*rules).judge(packet())
    assert judged.verdict == "UNKNOWN"
    assert len(judged.assumptions) == 14
    assert "and 888 more rules" in judged.assumptions


def test_the_script_writes_what_is_read_and_changes_nothing() -> None:
    script = SCRIPT.read_text(encoding="utf-8")
    written = set(re.findall(r"^        (\w+) = ", script, re.M))
    assert (
        set(RULE_KEYS) | {"LocalPort", "RemotePort", "IcmpType", "DefaultInboundAction", "NetworkCategory"} <= written
    )
    assert set(re.findall(r"\b([A-Z]\w+)-[A-Z]\w+", script)) == {"Get", "ForEach", "Where", "ConvertTo"}
    assert script.isascii()
    assert script in PAGE.read_text(encoding="utf-8")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    rules, packets = tmp_path / "firewall.json", tmp_path / "packets.jsonl"
    rules.write_text("\ufeff" + json.dumps(whole(rule(DisplayName="web", LocalPort=443)), indent=1))
    packets.write_text('{"chain": "INPUT", "src": "192.0.2.7", "dst": "10.0.0.2", "dport": 443}\n'
                       '{"chain": "INPUT", "src": "2001:db8::1", "dst": "2001:db8::2", "dport": 22}\n')  # fmt: skip
    return rules, packets


def test_the_command_knows_the_export_by_its_content(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    rules, packets = files
    assert run(["guest", "firewall", str(rules), "--packets", str(packets)]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["verdict"], one["rule"], one["trace"]) for one in told] == [
        ("ACCEPT", "web", ["web"]),
        ("DROP", "policy", []),
    ]
    assert run(["guest", "firewall", str(rules), "--packets", str(packets), "--ipsets", str(packets)]) == 2
    assert "--ipsets goes with the rules of iptables" in capsys.readouterr().err


def test_the_command_tells_the_mistakes_of_both_files(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    rules, packets = files
    rules.write_text(rules.read_text().replace('"TCP"', '"TPC"').replace("443", '"x"'))
    packets.write_text("{}\n")
    assert run(["guest", "firewall", str(rules), "--packets", str(packets)]) == 2
    err = capsys.readouterr().err
    assert "firewall.json" in err
    assert "packets.jsonl:1:1: no `chain`" in err
    assert "Protocol: `TPC` is not a protocol" in err


def test_the_page_shows_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runs_as_shown(PAGE, Path("windows-firewall.json"), capsys)


def test_a_topology_is_told_of_mistakes_in_its_text(tmp_path: Path) -> None:
    text = json.dumps(whole(rule(Protocol="TPC")), indent=1)
    topology = yaml.safe_load((ROOT / "topologies" / "acl-blocks-reply.yaml").read_text(encoding="utf-8"))
    name, instance = next(iter(topology["instances"].items()))
    instance["guest"] = {"windows_firewall": text}
    file = tmp_path / "topology.json"
    file.write_text(json.dumps(topology, indent=1, default=str).replace("+00:00", "Z"))
    with pytest.raises(InputError) as error:
        read_topology(str(file))
    (problem,) = error.value.problems
    assert "of `windows_firewall`: Protocol: `TPC` is not a protocol" in problem.message
    assert '"windows_firewall": ' in problem.excerpt
    instance["guest"]["windows_firewall"] = text.replace("TPC", "TCP")
    file.write_text(json.dumps(topology, default=str).replace("+00:00", "Z"))
    read = read_topology(str(file)).topology.instances[name]
    assert read.guest is not None
    known = windows_firewall_of(read.guest)
    assert known is not None
    assert known.judge(packet()).verdict == "ACCEPT"
