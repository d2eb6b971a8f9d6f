"""Every item of the contract: when it is normal, abnormal, skipped and unknown, what it says, and what it does to the
answer. Written from the specification of the diagnosis and from the contract, not from the package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

import netinsight
from netinsight.diagnosis.report import Report
from tests.diagnosis import (
    EVERYONE,
    NOT_KNOWN,
    Document,
    ask,
    blockers,
    item,
    items,
    merged,
    not_checked,
    unknowns,
)


class Case(NamedTuple):
    """One finding of an item."""

    what: str
    """When it is found, for people."""
    changes: Document
    status: str
    asked: Mapping[str, Any] = MappingProxyType({})
    says: str | None = None
    """The whole message in Chinese, where the reference quotes it."""
    verdict: str = "reachable"
    ports: list[str] | None = None
    """The ports that pass; left out, all that were asked for where the verdict is *reachable*, else none."""
    left_out: bool = False
    """Whether it is listed in ``not_checked``."""
    severity: str | None = None
    evidence: str | None = None
    """The id of what decided."""


def cases(*table: Case) -> pytest.MarkDecorator:
    """A table of cases as parameters of a test."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.what) for case in table])


def judge(case: Case, id_: str, object_id: str, severity: str = "critical") -> Report:
    """Ask in Chinese, and compare the item and all that it does to the answer with the case."""
    report = ask(case.changes, **case.asked, lang="zh")
    found = item(report, id_, object_id)
    assert (found.status, found.severity) == (case.status, case.severity or severity), found.message
    assert report.verdict == case.verdict, (blockers(report), unknowns(report))
    if case.says is not None:
        assert found.message == case.says
    if case.evidence is not None:
        assert [evidence.id for evidence in found.evidence] == [case.evidence]
    assert found.message
    assert bool(found.suggestion) == (case.status in ("abnormal", "unknown")), found.suggestion
    assert ((id_, object_id) in not_checked(report)) == case.left_out
    stops = case.status == "abnormal" and found.severity == "critical"
    assert ((id_, object_id) in blockers(report)) == stops
    asked_for = [report.question.port] if case.verdict == "reachable" else []
    assert report.reachable_ports == (asked_for if case.ports is None else case.ports)
    assert not report.partly_reachable_ports
    return report


def there(**facts: Any) -> Document:
    """Facts of the destination, i-b."""
    return {"instances": {"i-b": facts}}


def here(**facts: Any) -> Document:
    """Facts of the source, i-a."""
    return {"instances": {"i-a": facts}}


def guest(**facts: Any) -> Document:
    """What the guest of i-b says of itself."""
    return there(guest=facts)


def both(one: Document, other: Document) -> Document:
    """Two changes at once."""
    return merged(one, other)


UNREACHABLE: Document = {"verdict": "unreachable"}
UNDETERMINED: Document = {"verdict": "undetermined"}
LINUX = there(os={"name": "Ubuntu", "version": "20.04", "architecture": "x86_64"})
WINDOWS = there(os={"name": "Windows Server", "version": "2022", "architecture": "x86_64"})
RDP: Document = {"port": 3389}


# ------------------------------------------------------------------------------------------------------------------ SSH


def sshd(**facts: Any) -> Document:
    """The remote login service of i-b."""
    return guest(sshd=facts)


SSH_SKIPPED = (
    Case("the guest was not collected", {}, "skipped", left_out=True),
    Case("the guest says nothing of the service", guest(dhcp_supported=True), "skipped", left_out=True),
    Case("nothing is known of the service", sshd(), "skipped", left_out=True),
    Case("another port is asked for", sshd(running=False, missing_files=["/etc/ssh"], permit_root_login="no"),
         "skipped", {"port": 80}),
    Case("UDP is asked for", sshd(running=False, missing_files=["/etc/ssh"], permit_root_login="no"), "skipped",
         {"protocol": "udp"}),
    Case("ICMP is asked for", sshd(running=False, missing_files=["/etc/ssh"], permit_root_login="no"), "skipped",
         {"protocol": "icmp"}),
)  # fmt: skip


@cases(
    Case("it runs on 22", sshd(running=True, ports=[22]), "normal", says="SSHD进程状态正常"),
    Case("it runs on 22 of a Linux guest", both(LINUX, sshd(running=True, ports=[22])), "normal",
         says="SSHD进程状态正常"),
    Case("it runs on 3389 of a Windows guest", both(WINDOWS, sshd(running=True, ports=[3389])), "normal", RDP,
         says="SSHD进程状态正常"),
    Case("it runs on 22 and another port", sshd(running=True, ports=[1234, 22]), "normal", says="SSHD进程状态正常"),
    Case("it runs on another port", sshd(running=True, ports=[1234]), "abnormal", **UNREACHABLE,
         says="SSHD进程监听端口为1234，但本次诊断的目标端口为22或3389"),
    Case("it runs on another port of a Windows guest", both(WINDOWS, sshd(running=True, ports=[1234])), "abnormal", RDP,
         **UNREACHABLE, says="SSHD进程监听端口为1234，但本次诊断的目标端口为22或3389"),
    Case("it does not run", sshd(running=False), "abnormal", **UNREACHABLE, says="SSHD进程未启动"),
    Case("it does not run, though a port is configured", sshd(running=False, ports=[22]), "abnormal", **UNREACHABLE,
         says="SSHD进程未启动"),
    Case("it does not run, and 22 is one of the ports asked for", sshd(running=False), "abnormal", {"port": "21-23"},
         verdict="partial", ports=["21", "23"]),
    Case("it runs on another port, and 22 is one of the ports asked for", sshd(running=True, ports=[1234]), "abnormal",
         {"port": "20-22"}, verdict="partial", ports=["20-21"]),
    Case("protocol 6 is TCP", sshd(running=False), "abnormal", {"protocol": 6}, **UNREACHABLE),
    Case("it runs on an unknown port", sshd(running=True), "skipped", left_out=True),
    Case("the port of remote login of the other kind of guest is asked for", both(LINUX, sshd(running=False)),
         "skipped", RDP),
    *SSH_SKIPPED,
)  # fmt: skip
def test_the_ssh_service_must_run_on_the_port_of_remote_login(case: Case) -> None:
    judge(case, "ssh.service", "i-b")


@cases(
    Case("none is missing", sshd(missing_files=[]), "normal"),
    Case("one is missing", sshd(missing_files=["/etc/ssh/sshd_config"]), "abnormal", **UNREACHABLE),
    Case("one is missing, and 22 is one of the ports asked for", sshd(missing_files=["/etc/ssh"]), "abnormal",
         {"port": "22-24"}, verdict="partial", ports=["23-24"]),
    Case("the files were not looked at", sshd(running=True, ports=[22]), "skipped", left_out=True),
    *SSH_SKIPPED,
)  # fmt: skip
def test_the_files_of_the_ssh_service_must_be_there(case: Case) -> None:
    judge(case, "ssh.files", "i-b")


def test_every_missing_ssh_file_is_named() -> None:
    missing = ["/etc/ssh/sshd_config", "/var/empty/sshd"]
    for lang in ("en", "zh"):
        message = item(ask(sshd(missing_files=missing), lang=lang), "ssh.files").message
        assert all(name in message for name in missing)


@cases(
    *(Case(f"PermitRootLogin is {value}", sshd(permit_root_login=value), "normal")
      for value in ("yes", "prohibit-password", "without-password", "forced-commands-only")),
    Case("PermitRootLogin is no", sshd(permit_root_login="no"), "abnormal"),
    Case("it was not looked at", sshd(running=True, ports=[22]), "skipped", left_out=True),
    *SSH_SKIPPED,
)  # fmt: skip
def test_root_login_that_is_off_impairs_and_stops_nothing(case: Case) -> None:
    judge(case, "ssh.root_login", "i-b", "non_critical")


@pytest.mark.parametrize("id_", ["ssh.service", "ssh.files", "ssh.root_login", "service.listening"])
def test_the_login_service_and_the_listener_are_judged_at_the_destination_only(id_: str) -> None:
    broken = {"sshd": {"running": False, "missing_files": ["/etc/ssh"], "permit_root_login": "no"}, "listening": []}
    report = ask(here(guest=broken))
    assert report.verdict == "reachable"
    assert [found.object.id for found in items(report, id_) if found.status != "skipped"] == []


# ------------------------------------------------------------------------------------------------------------------ NIC


def nic(supported: bool | None = True, **facts: Any) -> Document:
    """The only network interface of the guest of i-b."""
    known = {} if supported is None else {"dhcp_supported": supported}
    return guest(interfaces=[{"name": "eth0", **facts}], **known)


NIC_SKIPPED = (
    Case("the guest was not collected", {}, "skipped", left_out=True),
    Case("the interfaces of the guest were not looked at", guest(dhcp_supported=True), "skipped", left_out=True),
)


@cases(
    Case("a DHCP client runs", nic(dhcp=True, ip="10.0.2.20"), "normal"),
    Case("none runs, but the right address is set", nic(dhcp=False, ip="10.0.2.20"), "normal"),
    Case("none runs, and the address is wrong", nic(dhcp=False, ip="10.0.2.99"), "abnormal", **UNREACHABLE,
         says="DHCP服务未启动"),
    Case("none runs, and there is no address", nic(dhcp=False, ip=None), "abnormal", **UNREACHABLE,
         says="DHCP服务未启动"),
    Case("none runs, and nobody looked at the address", nic(dhcp=False), "skipped", left_out=True),
    Case("nobody looked whether one runs, and the address is wrong", nic(ip="10.0.2.99"), "skipped", left_out=True,
         **UNREACHABLE),
    *NIC_SKIPPED,
)  # fmt: skip
def test_a_guest_without_a_right_static_address_needs_a_dhcp_client(case: Case) -> None:
    judge(case, "nic.dhcp", "i-b")


def test_an_image_without_dhcp_needs_no_dhcp_client() -> None:
    found = item(ask(nic(supported=False, dhcp=False, ip="10.0.2.20")), "nic.dhcp", "i-b")
    assert found.status == "normal"
    found = item(ask(nic(supported=False, dhcp=False, ip="10.0.2.99")), "nic.dhcp", "i-b")
    assert found.status != "abnormal"


def test_whether_the_image_supports_dhcp_is_not_guessed() -> None:
    report = ask(nic(supported=None, dhcp=False, ip="10.0.2.99"))
    assert item(report, "nic.dhcp", "i-b").status == "skipped"
    assert ("nic.dhcp", "i-b") in not_checked(report)


@cases(
    Case("it is the cloud's", nic(ip="10.0.2.20"), "normal"),
    Case("it differs from the cloud's", nic(ip="10.0.2.99"), "abnormal", **UNREACHABLE, says="IP配置错误"),
    Case("there is none", nic(ip=None), "abnormal", **UNREACHABLE, says="IP配置错误"),
    Case("nobody looked at it", nic(prefix_length=24), "skipped", left_out=True),
    *NIC_SKIPPED,
)
def test_the_guest_must_have_the_address_that_the_cloud_assigned(case: Case) -> None:
    judge(case, "nic.ip", "i-b")


@cases(
    Case("it is the vSwitch's", nic(prefix_length=24), "normal"),
    Case("it differs from the vSwitch's", nic(prefix_length=16), "abnormal", says="eni-b网卡掩码信息未配置"),
    Case("there is none", nic(prefix_length=None), "abnormal", says="eni-b网卡掩码信息未配置"),
    Case("nobody looked at it", nic(ip="10.0.2.20"), "skipped", left_out=True),
    *NIC_SKIPPED,
)
def test_a_wrong_netmask_impairs_and_stops_nothing(case: Case) -> None:
    judge(case, "nic.netmask", "i-b", "non_critical")


@pytest.mark.parametrize("end", ["i-a", "i-b"])
def test_the_nic_is_judged_at_both_ends(end: str) -> None:
    wrong = {"dhcp_supported": True,
             "interfaces": [{"name": "eth0", "ip": "10.0.77.7", "prefix_length": 8, "dhcp": False}]}  # fmt: skip
    report = ask({"instances": {end: {"guest": wrong}}})
    assert blockers(report) == {("nic.dhcp", end), ("nic.ip", end)}
    assert item(report, "nic.netmask", end).status == "abnormal"
    assert report.verdict == "unreachable"


def test_an_interface_of_the_guest_is_told_by_its_mac() -> None:
    interfaces = [
        {"name": "eth0", "mac": "00:16:3e:00:00:01", "ip": "10.0.2.99", "prefix_length": 16, "dhcp": False},
        {"name": "eth1", "mac": "00:16:3e:00:00:02", "ip": "10.0.2.20", "prefix_length": 24, "dhcp": True},
    ]
    with_mac = there(network_interfaces={"eni-b": {"mac": "00:16:3E:00:00:02"}})
    report = ask(both(with_mac, guest(dhcp_supported=True, interfaces=interfaces)))
    assert [item(report, id_, "i-b").status for id_ in ("nic.dhcp", "nic.ip", "nic.netmask")] == ["normal"] * 3


# ----------------------------------------------------------------------------------------------------------------- load

EIPS: Document = {
    "eips": {"eip-a": {"ip": "203.0.113.10", "bound_to": "i-a"}, "eip-b": {"ip": "203.0.113.20", "bound_to": "i-b"}}
}
FROM_INTERNET: Document = {"src": "internet"}
TO_INTERNET: Document = {"dst": "198.51.100.80", "port": 443}


def load(**percent: Any) -> Document:
    """How busy i-b is."""
    return both(EIPS, there(load=percent))


@cases(
    Case("it is below 80 %", load(cpu_percent=79.9), "normal"),
    Case("it is 80 %", load(cpu_percent=80), "abnormal"),
    Case("it is above 80 %", load(cpu_percent=100), "abnormal"),
    Case("it is nothing at all", load(cpu_percent=0), "normal"),
    Case("it is not known", load(private_bandwidth_percent=1), "skipped", left_out=True),
    Case("no load is known", {}, "skipped", left_out=True),
)
def test_a_cpu_that_is_busy_impairs_and_stops_nothing(case: Case) -> None:
    judge(case, "load.cpu", "i-b", "non_critical")


@cases(
    Case("it is below 90 %", load(public_bandwidth_percent=89.9), "normal", FROM_INTERNET),
    Case("it is 90 %", load(public_bandwidth_percent=90), "abnormal", FROM_INTERNET),
    Case("it is not known", EIPS, "skipped", FROM_INTERNET, left_out=True),
    Case("the path is private", load(public_bandwidth_percent=99), "skipped"),
    Case("the path is private, and it is not known", EIPS, "skipped"),
)
def test_public_bandwidth_concerns_public_paths(case: Case) -> None:
    judge(case, "load.public_bandwidth", "i-b", "non_critical")


@cases(
    Case("it is below 90 %", load(private_bandwidth_percent=89.9), "normal"),
    Case("it is 90 %", load(private_bandwidth_percent=90), "abnormal"),
    Case("it is not known", EIPS, "skipped", left_out=True),
    Case("the path is public", load(private_bandwidth_percent=99), "skipped", FROM_INTERNET),
    Case("the path is public, and it is not known", EIPS, "skipped", FROM_INTERNET),
)
def test_private_bandwidth_concerns_private_paths(case: Case) -> None:
    judge(case, "load.private_bandwidth", "i-b", "non_critical")


def test_load_is_judged_at_both_ends() -> None:
    busy = {"cpu_percent": 99, "private_bandwidth_percent": 99}
    report = ask(here(load=busy), there(load=busy))
    for end in ("i-a", "i-b"):
        assert item(report, "load.cpu", end).status == "abnormal"
        assert item(report, "load.private_bandwidth", end).status == "abnormal"
    assert report.verdict == "reachable"
    assert not report.blockers


# ------------------------------------------------------------------------------------------------------------- listener


def listening(*sockets: Document) -> Document:
    """The listening sockets of i-b, on TCP 22 unless told otherwise."""
    return guest(listening=[{"port": 22, **socket} for socket in sockets])


def bound(to: str, name: str, *others: Document) -> Document:
    """A socket of i-b that is bound to an interface, and the interface that is its ENI."""
    return both(listening({"interface": to}, *others), guest(interfaces=[{"name": name, "ip": "10.0.2.20"}]))


SIX: Document = {
    "vswitches": {"vsw-a": {"ipv6_cidr": "2001:db8:1:1::/64"}, "vsw-b": {"ipv6_cidr": "2001:db8:1:2::/64"}},
    "security_groups": {"sg-b": {"rules": [{"direction": "ingress", "source": EVERYONE},
                                           {"direction": "ingress", "source": "::/0"}]}},
    "instances": {"i-a": {"network_interfaces": {"eni-a": {"ipv6_addresses": ["2001:db8:1:1::10"]}}},
                  "i-b": {"network_interfaces": {"eni-b": {"ipv6_addresses": ["2001:db8:1:2::20"]}}}},
}  # fmt: skip
OVER_SIX: Document = {"family": 6}


@cases(
    Case("a process listens on every address", listening({"address": "0.0.0.0"}), "normal"),
    Case("no address is named", listening({}), "normal"),
    Case("a process listens on the address of the ENI", listening({"address": "10.0.2.20"}), "normal"),
    Case("a socket of IPv6 takes IPv4 too", listening({"address": "::"}), "normal"),
    Case("a socket of IPv6 leaves IPv4 out", listening({"address": "::", "v6only": True}), "abnormal", **UNREACHABLE),
    Case("a process listens on the loopback address only", listening({"address": "127.0.0.1"}), "abnormal",
         **UNREACHABLE),
    Case("a socket is bound to the loopback", listening({"address": "0.0.0.0", "interface": "lo"}), "abnormal",
         **UNREACHABLE),
    Case("a socket is bound to the interface of the ENI", bound("eth0", "eth0"), "normal"),
    Case("a socket is bound to another interface", bound("eth1", "eth0"), "abnormal", **UNREACHABLE),
    Case("a socket is bound to an interface, and which is the ENI nobody knows", listening({"interface": "eth0"}),
         "skipped", left_out=True),
    Case("one of two sockets is bound elsewhere", bound("eth1", "eth0", {}), "normal"),
    Case("a process listens on another address only", listening({"address": "10.0.2.99"}), "abnormal", **UNREACHABLE),
    Case("a process listens on another port", listening({"port": 2222}), "abnormal", **UNREACHABLE),
    Case("a process listens on UDP only", listening({"protocol": "udp"}), "abnormal", **UNREACHABLE),
    Case("a process listens on UDP, which is asked for", listening({"protocol": "UDP"}), "normal", {"protocol": "udp"}),
    Case("nothing listens", listening(), "abnormal", **UNREACHABLE),
    Case("something listens on two of the ports asked for", listening({"port": 80}, {"port": 82}), "abnormal",
         {"port": "80-83"}, verdict="partial", ports=["80", "82"]),
    Case("each of the ports asked for has its listener", listening({"port": 80}, {"port": 81}), "normal",
         {"port": "80-81"}),
    Case("IPv6 is asked for, and a socket of IPv6 listens", both(SIX, listening({"address": "::", "v6only": True})),
         "normal", OVER_SIX),
    Case("IPv6 is asked for, and a socket of IPv4 listens", both(SIX, listening({"address": "0.0.0.0"})), "abnormal",
         OVER_SIX, **UNREACHABLE),
    Case("the guest was not collected", {}, "skipped", left_out=True),
    Case("nobody looked", guest(dhcp_supported=True), "skipped", left_out=True),
    Case("ICMP has no listener", listening(), "skipped", {"protocol": "icmp"}),
    Case("GRE has no listener", listening(), "skipped", {"protocol": "gre", "port": "-1/-1"}),
    Case("it is asked for from the Internet", both(EIPS, listening({"address": "10.0.2.20"})), "normal", FROM_INTERNET),
)  # fmt: skip
def test_a_process_must_listen_on_the_destination_port(case: Case) -> None:
    judge(case, "service.listening", "i-b")


# ------------------------------------------------------------------------------------------------------------- business


@cases(
    Case("it expires later", there(expires="2026-11-24T08:00:01Z"), "normal"),
    Case("it expired before", there(expires="2026-11-24T07:59:59Z"), "abnormal", **UNREACHABLE),
    Case("it expired before, in another time zone", there(expires="2026-11-24T15:00:00+08:00"), "abnormal",
         **UNREACHABLE),
    Case("it expires later, in another time zone", there(expires="2026-11-24T07:00:00-08:00"), "normal"),
    Case("it is not known", {}, "skipped", left_out=True),
)  # fmt: skip
def test_an_expired_instance_is_unreachable(case: Case) -> None:
    judge(case, "business.expired", "i-b")


@cases(
    Case("the account is not in arrears", {"account": {"overdue": False}}, "normal"),
    Case("the account is in arrears", {"account": {"overdue": True}}, "abnormal", **UNREACHABLE),
    Case("it is not known", {}, "skipped", left_out=True),
    Case("it is declared unknown", {"account": {"overdue": NOT_KNOWN}}, "skipped", left_out=True),
    Case("the account of the instance is in arrears", both({"accounts": {"a-1": {"overdue": True}}},
                                                           there(account="a-1")), "abnormal", **UNREACHABLE),
    Case("another account is in arrears", both({"account": {"overdue": True}, "accounts": {"a-1": {"overdue": False}}},
                                               there(account="a-1")), "normal", **UNREACHABLE),
    Case("the account of the VPC is in arrears", {"accounts": {"a-1": {"overdue": True}},
                                                  "vpcs": {"vpc-1": {"account": "a-1"}}}, "abnormal", **UNREACHABLE),
    Case("it is asked for by ICMP", {"account": {"overdue": True}}, "abnormal", {"protocol": "icmp"}, **UNREACHABLE),
)  # fmt: skip
def test_an_account_in_arrears_makes_its_instances_unreachable(case: Case) -> None:
    judge(case, "business.overdue", "i-b")


@cases(
    Case("it is not locked", there(locks=[]), "normal"),
    *(Case(f"it has a {lock} lock", there(locks=[lock]), "abnormal") for lock in ("security", "financial", "refunded")),
    Case("it is not known", {}, "skipped", left_out=True),
)
def test_a_lock_impairs_and_stops_nothing(case: Case) -> None:
    judge(case, "business.locked", "i-b", "non_critical")


@pytest.mark.parametrize("end", ["i-a", "i-b"])
@pytest.mark.parametrize(
    ("id_", "fact", "verdict"),
    [
        ("business.expired", {"expires": "2020-01-01T00:00:00Z"}, "unreachable"),
        ("business.overdue", {"account": "a-1"}, "unreachable"),
        ("business.locked", {"locks": ["security"]}, "reachable"),
    ],
)
def test_the_business_status_is_judged_at_both_ends(end: str, id_: str, fact: Document, verdict: str) -> None:
    report = ask({"accounts": {"a-1": {"overdue": True}}, "instances": {end: fact}})
    assert item(report, id_, end).status == "abnormal"
    assert report.verdict == verdict
    other = "i-b" if end == "i-a" else "i-a"
    assert item(report, id_, other).status == "skipped"


# ------------------------------------------------------------------------------------------------------------ blackhole

HOLE = "203.0.113.20在黑洞保护策略中，访问受限"


def blackholed(**facts: Any) -> Document:
    """The public address of i-b in a blackhole."""
    return both(EIPS, {"ddos": {"blackholed": [{"ip": "203.0.113.20", **facts}]}})


@cases(
    Case("no address is in a blackhole", EIPS, "normal", FROM_INTERNET),
    Case("another address is in a blackhole", both(EIPS, {"ddos": {"blackholed": ["203.0.113.10"]}}), "normal",
         FROM_INTERNET),
    Case("its address is in a blackhole", blackholed(), "abnormal", FROM_INTERNET, **UNREACHABLE, says=HOLE),
    Case("the blackhole ends later", blackholed(until="2026-11-24T10:30:00Z"), "abnormal", FROM_INTERNET,
         **UNREACHABLE),
    Case("the blackhole has ended", blackholed(until="2026-11-24T07:30:00Z"), "normal", FROM_INTERNET),
    Case("the blackholed address is not on the path", blackholed(), "normal"),
    Case("its address is scrubbed", both(EIPS, {"ddos": {"mitigating": ["203.0.113.20"]}}), "abnormal", FROM_INTERNET,
         severity="non_critical"),
    Case("the scrubbing ends at this moment", both(EIPS, {"ddos": {"mitigating": [{"ip": "203.0.113.20", "until":
         "2026-11-24T08:00:00Z"}]}}), "normal", FROM_INTERNET),
    Case("the address is a static one", both(there(public_ip="203.0.113.20"), {"ddos": {"blackholed":
         ["203.0.113.20"]}}), "abnormal", FROM_INTERNET, **UNREACHABLE, says=HOLE),
    Case("it has no public address", {}, "skipped"),
    Case("its public address is the one asked for", blackholed(), "abnormal", {"src": "internet",
         "dst": "203.0.113.20"}, **UNREACHABLE, says=HOLE),
    Case("its public address is asked for from inside", blackholed(), "abnormal", {"dst": "203.0.113.20"},
         **UNREACHABLE, says=HOLE),
)  # fmt: skip
def test_a_blackholed_address_stops_what_uses_it(case: Case) -> None:
    judge(case, "blackhole.public_ip", "i-b")


def test_a_blackhole_off_the_path_is_remarked() -> None:
    for lang in ("en", "zh"):
        remark = item(ask(blackholed(), lang=lang), "blackhole.public_ip", "i-b").message
        assert "203.0.113.20" in remark
        assert remark != item(ask(EIPS, lang=lang), "blackhole.public_ip", "i-b").message


def test_the_end_of_a_blackhole_is_told() -> None:
    report = ask(blackholed(until="2026-11-24T10:30:00Z"), **FROM_INTERNET, lang="zh")
    message = item(report, "blackhole.public_ip", "i-b").message
    assert message.startswith(HOLE)
    assert "10:30" in message


@pytest.mark.parametrize(
    ("changes", "asked", "without"),
    [
        ({"eips": {"eip-b": {"bound_to": "eni-b", "mode": "BINDED"}}}, {"src": "internet"}, "reachable"),
        ({"eips": {"eip-b": {"bound_to": "ngw-1"}}, "nat_gateways": {"ngw-1": {"vpc": "vpc-1", "vswitch": "vsw-b"}}},
         {"src": "internet", "dst": "203.0.113.20"}, "unreachable"),
        ({"eips": {"eip-b": {"bound_to": NOT_KNOWN}}}, {"src": "internet", "dst": "203.0.113.20"}, "undetermined"),
    ],
    ids=["an EIP that is not in NAT mode", "a NAT gateway", "nobody knows what"],
)  # fmt: skip
def test_a_blackhole_stops_what_comes_in_whatever_stands_behind_it(
    changes: Document, asked: Document, without: str
) -> None:
    assert ask(EIPS, changes, **asked).verdict == without
    report = ask(blackholed(), changes, **asked)
    assert report.verdict == "unreachable"
    assert "blackhole.public_ip" in {blocker.item for blocker in report.blockers}


def test_a_blackholed_address_of_another_eni_of_the_instance_is_remarked() -> None:
    second = {"eni-b": {"type": "primary"}, "eni-b2": {"type": "secondary", "vswitch": "vsw-b", "ip": "10.0.2.30",
                                                        "security_groups": ["sg-b"]}}  # fmt: skip
    report = ask(there(network_interfaces=second), blackholed(), {"eips": {"eip-b": {"bound_to": "eni-b2"}}})
    found = item(report, "blackhole.public_ip", "i-b")
    assert (found.status, report.verdict) == ("normal", "reachable")
    assert "203.0.113.20" in found.message


def test_the_source_s_blackholed_address_stops_the_replies() -> None:
    hole: Document = {"ddos": {"blackholed": ["203.0.113.10"]}}
    report = ask(EIPS, hole, **TO_INTERNET)
    assert report.verdict == "unreachable"
    assert blockers(report) == {("blackhole.public_ip", "i-a")}
    report = ask(EIPS, hole, **TO_INTERNET, one_way=True)
    assert report.verdict == "reachable"
    assert item(report, "blackhole.public_ip", "i-a").status == "normal"


# ------------------------------------------------------------------------------------------------------------------ ENI


def eni(instance: str, **facts: Any) -> Document:
    """Facts of the ENI of i-a or i-b."""
    return {"instances": {instance: {"network_interfaces": {instance.replace("i-", "eni-"): facts}}}}


@cases(
    Case("it is InUse", eni("i-b", status="InUse"), "normal"),
    Case("it is in use in other letters", eni("i-b", status="inuse"), "normal"),
    *(Case(f"it is {status}", eni("i-b", status=status), "abnormal", **UNREACHABLE)
      for status in ("Attaching", "Detaching", "Deleting", "Deleted", "CreateFailed", "Creating")),
    Case("it is declared unknown", eni("i-b", status=NOT_KNOWN), "unknown", **UNDETERMINED),
)  # fmt: skip
def test_an_eni_carries_traffic_only_in_use(case: Case) -> None:
    judge(case, "eni.status", "eni-b")


def test_the_eni_status_is_judged_at_both_ends_and_says_to_open_a_ticket() -> None:
    report = ask(eni("i-a", status="Deleting"), eni("i-b", status="Attaching"), lang="zh")
    assert blockers(report) == {("eni.status", "eni-a"), ("eni.status", "eni-b")}
    assert all("工单" in found.suggestion for found in items(report, "eni.status"))


# ------------------------------------------------------------------------------------------------------ security groups


def rule(direction: str, policy: str, peer: str = EVERYONE, **facts: Any) -> Document:
    """A rule of a group."""
    key = "source" if direction == "ingress" else "destination"
    return {"direction": direction, "policy": policy, key: peer, **facts}


def group(name: str, *rules: Document, **facts: Any) -> Document:
    """A group with these rules and no others."""
    return {"security_groups": {name: {"vpc": "vpc-1", "rules": list(rules), **facts}}}


def out(*rules: Document, **facts: Any) -> Document:
    """The group of the source with egress rules."""
    return group("sg-a", *rules, **facts)


def into(*rules: Document, **facts: Any) -> Document:
    """The group of the destination with these ingress rules and no others."""
    return group("sg-b", *rules, **facts)


ONE_GROUP = both(eni("i-a", security_groups=["sg-b"]), eni("i-b", security_groups=["sg-b"]))
"""Both ENIs are members of sg-b."""
PORTS: Document = {"port": "8000-8010"}


@cases(
    Case("a normal group lets everything out", out(), "normal", evidence="sg-a/egress/default"),
    Case("a rule drops it", out(rule("egress", "drop")), "abnormal", **UNREACHABLE, evidence="sg-a/egress/1"),
    Case("rules of the other direction have no say", out(rule("ingress", "drop")), "normal",
         evidence="sg-a/egress/default"),
    Case("an accepting rule takes nothing away from the default", out(rule("egress", "accept", "10.9.0.0/16")),
         "normal", evidence="sg-a/egress/default"),
    Case("the smaller priority number wins", out(rule("egress", "drop", priority=2), rule("egress", "accept")),
         "normal", evidence="sg-a/egress/2"),
    Case("at equal priority drop wins", out(rule("egress", "accept"), rule("egress", "drop")), "abnormal",
         **UNREACHABLE, evidence="sg-a/egress/2"),
    Case("the destination is another", out(rule("egress", "drop", "10.0.3.0/24")), "normal"),
    Case("the port is another", out(rule("egress", "drop", protocol="tcp", ports="23/65535")), "normal"),
    Case("the protocol is another", out(rule("egress", "drop", protocol="udp")), "normal"),
    Case("the client's port is another", out(rule("egress", "drop", protocol="tcp", source_ports="1/32767")),
         "normal"),
    Case("the rule is narrowed to another own address", out(rule("egress", "drop", source="10.0.1.11")), "normal"),
    Case("the rule is narrowed to its own address", out(rule("egress", "drop", source="10.0.1.0/28")), "abnormal",
         **UNREACHABLE, evidence="sg-a/egress/1"),
    Case("a rule drops some of the ports", out(rule("egress", "drop", protocol="tcp", ports="8000/8005")), "abnormal",
         PORTS, verdict="partial", ports=["8006-8010"]),
    Case("an enterprise group lets nothing out", out(type="enterprise"), "abnormal", **UNREACHABLE,
         evidence="sg-a/egress/default"),
    Case("a rule of an enterprise group lets it out",
         out(rule("egress", "accept", protocol="tcp", ports="22/22"), type="enterprise"), "normal",
         evidence="sg-a/egress/1"),
    Case("a member of its own group is not stopped by a custom drop",
         both(ONE_GROUP, into(rule("egress", "drop"))), "normal"),
    Case("isolated members are stopped by a custom drop",
         both(ONE_GROUP, into(rule("egress", "drop"), rule("ingress", "accept"), inner_access_policy="Drop")),
         "abnormal", **UNREACHABLE, evidence="sg-b/egress/1"),
    Case("a rule drops what goes to a group", out(rule("egress", "drop", "sg-b")), "abnormal", **UNREACHABLE,
         evidence="sg-a/egress/1"),
    Case("its rules are declared unknown", {"security_groups": {"sg-a": {"rules": NOT_KNOWN}}}, "unknown",
         **UNDETERMINED),
    Case("its groups are declared unknown", eni("i-a", security_groups=NOT_KNOWN), "unknown", **UNDETERMINED),
    Case("a group of it was never described",
         both(eni("i-a", security_groups=["sg-a", "sg-x"]), {"unknown": {"sg-x": "of another account"}}), "unknown",
         **UNDETERMINED),
)  # fmt: skip
def test_the_groups_of_the_source_decide_what_leaves(case: Case) -> None:
    judge(case, "eni.security_group.egress", "eni-a")


PREFIXES: Document = {"prefix_lists": {"pl-1": {"entries": ["10.0.1.0/28", "192.168.0.0/16"]},
                                       "pl-2": {"entries": []}}}  # fmt: skip
LISTS: Document = {"port_lists": {"prl-1": ["22/22", "8000/8003"]}}


@cases(
    Case("a rule lets it in", into(rule("ingress", "accept")), "normal", evidence="sg-b/ingress/1"),
    Case("no rule lets it in", into(), "abnormal", **UNREACHABLE, evidence="sg-b/ingress/default"),
    Case("a rule drops it", into(rule("ingress", "drop"), rule("ingress", "accept", priority=2)), "abnormal",
         **UNREACHABLE, evidence="sg-b/ingress/1"),
    Case("the smaller priority number wins", into(rule("ingress", "drop", priority=100), rule("ingress", "accept",
         priority=99)), "normal", evidence="sg-b/ingress/2"),
    Case("at equal priority drop wins", into(rule("ingress", "accept", priority=7), rule("ingress", "drop",
         priority=7)), "abnormal", **UNREACHABLE, evidence="sg-b/ingress/2"),
    Case("numbers of protocols are their names", into(rule("ingress", "accept", protocol=6, ports="22/22")), "normal",
         evidence="sg-b/ingress/1"),
    Case("the rule is for another protocol", into(rule("ingress", "accept", protocol="udp")), "abnormal",
         **UNREACHABLE, evidence="sg-b/ingress/default"),
    Case("-1/-1 is every port", into(rule("ingress", "accept", protocol="tcp", ports="-1/-1")), "normal"),
    Case("a rule names the group of the source", into(rule("ingress", "accept", "sg-a")), "normal",
         evidence="sg-b/ingress/1"),
    Case("a rule names another group", both(group("sg-c"), into(rule("ingress", "accept", "sg-c"))), "abnormal",
         **UNREACHABLE, evidence="sg-b/ingress/default"),
    Case("a rule names a prefix list that has the source", both(PREFIXES, into(rule("ingress", "accept", "pl-1"))),
         "normal", evidence="sg-b/ingress/1"),
    Case("a rule names an empty prefix list", both(PREFIXES, into(rule("ingress", "accept", "pl-2"))), "abnormal",
         **UNREACHABLE),
    Case("a rule names a port list that has the port",
         both(LISTS, into(rule("ingress", "accept", protocol="tcp", ports="prl-1"))), "normal"),
    Case("a rule names a port list that has some of the ports",
         both(LISTS, into(rule("ingress", "accept", protocol="tcp", ports="prl-1"))), "abnormal", PORTS,
         verdict="partial", ports=["8000-8003"]),
    Case("a rule of the client's ports lets it in",
         into(rule("ingress", "accept", protocol="tcp", source_ports="32768/60999")), "normal"),
    Case("the rule is narrowed to another own address", into(rule("ingress", "accept", destination="10.0.2.21")),
         "abnormal", **UNREACHABLE, evidence="sg-b/ingress/default"),
    Case("the rule is narrowed to its private address, though a public one is asked for",
         both(EIPS, into(rule("ingress", "accept", destination="10.0.2.20"))), "normal", FROM_INTERNET,
         evidence="sg-b/ingress/1"),
    Case("the rule is narrowed to its public address",
         both(EIPS, into(rule("ingress", "accept", destination="203.0.113.20"))), "abnormal", FROM_INTERNET,
         **UNREACHABLE),
    Case("a rule of IPv6 is none for IPv4", into(rule("ingress", "accept", "::/0")), "abnormal", **UNREACHABLE),
    Case("members of one group reach each other", both(ONE_GROUP, into()), "normal"),
    Case("a custom drop does not stop members", both(ONE_GROUP, into(rule("ingress", "drop"))), "normal"),
    Case("isolated members do not reach each other", both(ONE_GROUP, into(inner_access_policy="Drop")), "abnormal",
         **UNREACHABLE, evidence="sg-b/ingress/default"),
    Case("isolated members reach each other by a rule",
         both(ONE_GROUP, into(rule("ingress", "accept"), inner_access_policy="Drop")), "normal",
         evidence="sg-b/ingress/1"),
    Case("members of an enterprise group do not reach each other",
         both(ONE_GROUP, into(rule("egress", "accept"), type="enterprise")), "abnormal", **UNREACHABLE,
         evidence="sg-b/ingress/default"),
    Case("one open group of two is enough for members",
         both(both(group("sg-c", inner_access_policy="Drop"), into()),
              both(eni("i-a", security_groups=["sg-c", "sg-b"]), eni("i-b", security_groups=["sg-b", "sg-c"]))),
         "normal"),
    Case("the rules of all groups stand in one order",
         both(both(into(rule("ingress", "accept", priority=2)), group("sg-c", rule("ingress", "drop"))),
              eni("i-b", security_groups=["sg-b", "sg-c"])), "abnormal", **UNREACHABLE, evidence="sg-c/ingress/1"),
    Case("its rules are declared unknown", {"security_groups": {"sg-b": {"rules": NOT_KNOWN}}}, "unknown",
         **UNDETERMINED),
    Case("a prefix list is declared unknown",
         both({"prefix_lists": {"pl-1": {"entries": NOT_KNOWN}}}, into(rule("ingress", "accept", "pl-1"))), "unknown",
         **UNDETERMINED),
    Case("the inner policy is declared unknown", both(ONE_GROUP, into(inner_access_policy=NOT_KNOWN)), "unknown",
         **UNDETERMINED),
)  # fmt: skip
def test_the_groups_of_the_destination_decide_what_comes_in(case: Case) -> None:
    judge(case, "eni.security_group.ingress", "eni-b")


def test_groups_are_not_judged_for_the_reply() -> None:
    report = ask(out(rule("ingress", "drop")), into(rule("ingress", "accept"), rule("egress", "drop")))
    assert report.verdict == "reachable"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    ("id_", "changes", "asked", "parts"),
    [
        ("eni.security_group.ingress", into(rule("ingress", "accept", protocol="tcp", ports="8002/8003")), PORTS,
         ["8000-8001", "8004-8010"]),
        ("ssh.service", sshd(running=False), {"port": "21-23"}, ["22"]),
        ("ssh.files", sshd(missing_files=["/etc/ssh"]), {"port": "21-23"}, ["22"]),
        ("service.listening", listening({"port": 80}, {"port": 82}), {"port": "80-83"}, ["81", "83"]),
        ("platform.smtp_egress", EIPS, {"dst": "198.51.100.80", "port": "24-26"}, ["25"]),
        ("eni.security_group.ingress", both(EIPS, into(rule("ingress", "accept", "198.51.100.80"))), FROM_INTERNET,
         ["198.51.100.80"]),
    ],
    ids=["a group", "the login service", "its files", "the listeners", "outbound mail", "a group that tells hosts apart"],
)  # fmt: skip
def test_an_item_that_stops_a_part_says_which(
    id_: str, changes: Document, asked: Document, parts: list[str], lang: str
) -> None:
    report = ask(changes, **asked, lang=lang)
    assert report.verdict == "partial"
    (found,) = [one for one in items(report, id_) if one.status == "abnormal"]
    assert all(part in found.message for part in parts), found.message


# ----------------------------------------------------------------------------------------------------------------- ACLs


def entry(policy: str, peer: str = EVERYONE, **facts: Any) -> Document:
    """An ACL entry without the key of its peer."""
    return {"policy": policy, "peer": peer, **facts}


def acl(vswitch: str, ingress: Any = None, egress: Any = None) -> Document:
    """An ACL at a vSwitch; a list that is not given lets everything pass."""
    lists: Document = {"vpc": "vpc-1"}
    for key, direction, entries in (("source", "ingress", ingress), ("destination", "egress", egress)):
        given = [entry("accept")] if entries is None else entries
        lists[direction] = given if given == NOT_KNOWN else [
            {key: one["peer"], **{k: v for k, v in one.items() if k != "peer"}} for one in given]  # fmt: skip
    name = vswitch.replace("vsw-", "nacl-")
    return {"network_acls": {name: lists}, "vswitches": {vswitch: {"network_acl": name}}}


NEIGHBOURS: Document = {
    "instances": {"i-b": {"network_interfaces": {"eni-b": {"vswitch": "vsw-a", "ip": "10.0.1.20"}}}}
}
"""i-b moves into the vSwitch of i-a."""
SSH_ENTRY = entry("accept", protocol="tcp", ports="22/22")
CLIENTS = entry("accept", protocol="tcp", ports="1024/65535")


@cases(
    Case("none is bound", {}, "normal"),
    Case("an entry accepts it", acl("vsw-a", egress=[SSH_ENTRY]), "normal", evidence="nacl-a/egress/1"),
    Case("an entry drops it", acl("vsw-a", egress=[entry("drop", "10.0.2.0/24"), entry("accept")]), "abnormal",
         **UNREACHABLE, evidence="nacl-a/egress/1"),
    Case("the first match wins", acl("vsw-a", egress=[entry("accept", "10.0.2.0/24"), entry("drop")]), "normal",
         evidence="nacl-a/egress/1"),
    Case("an entry for another port does not accept it", acl("vsw-a", egress=[CLIENTS]), "abnormal", **UNREACHABLE),
    Case("an empty list drops everything", acl("vsw-a", egress=[]), "abnormal", **UNREACHABLE),
    Case("an entry of IPv6 is none for IPv4", acl("vsw-a", egress=[entry("accept", "::/0")]), "abnormal",
         **UNREACHABLE),
    Case("a prefix list is named", both(PREFIXES, acl("vsw-a", egress=[entry("drop", "pl-1"), entry("accept")])),
         "normal", evidence="nacl-a/egress/2"),
    Case("some of the ports are dropped", acl("vsw-a", egress=[entry("drop", protocol="tcp", ports="1/8003"),
                                                               entry("accept")]), "abnormal", PORTS,
         verdict="partial", ports=["8004-8010"]),
    Case("the list is declared unknown", acl("vsw-a", egress=NOT_KNOWN), "unknown", **UNDETERMINED),
    Case("the ACL is declared unknown", {"vswitches": {"vsw-a": {"network_acl": NOT_KNOWN}}}, "unknown",
         **UNDETERMINED),
    Case("the ACL was never described", {"vswitches": {"vsw-a": {"network_acl": "nacl-x"}},
                                         "unknown": {"nacl-x": "of another team"}}, "unknown", **UNDETERMINED),
)  # fmt: skip
def test_the_acl_of_the_source_decides_what_leaves(case: Case) -> None:
    judge(case, "vswitch.network_acl.egress", "vsw-a")


@cases(
    Case("none is bound", {}, "normal"),
    Case("an entry accepts it", acl("vsw-b", ingress=[SSH_ENTRY]), "normal", evidence="nacl-b/ingress/1"),
    Case("an entry drops it", acl("vsw-b", ingress=[entry("drop", "10.0.1.0/24"), entry("accept")]), "abnormal",
         **UNREACHABLE, evidence="nacl-b/ingress/1"),
    Case("the first match wins", acl("vsw-b", ingress=[entry("accept", "10.0.1.10"), entry("drop")]), "normal",
         evidence="nacl-b/ingress/1"),
    Case("an empty list drops everything", acl("vsw-b", ingress=[]), "abnormal", **UNREACHABLE),
    Case("the list is declared unknown", acl("vsw-b", ingress=NOT_KNOWN), "unknown", **UNDETERMINED),
    Case("ICMP has its entries", acl("vsw-b", ingress=[entry("accept", protocol="icmp", ports="-1/-1")]), "normal",
         {"protocol": "icmp"}),
    Case("TCP entries are none for ICMP", acl("vsw-b", ingress=[entry("accept", protocol="tcp")]), "abnormal",
         {"protocol": "icmp"}, **UNREACHABLE),
    Case("it looks at the client's public address", both(EIPS, acl("vsw-b", ingress=[entry("accept", "203.0.113.10"),
                                                                                     entry("drop")])), "normal",
         {"dst": "203.0.113.20"}, evidence="nacl-b/ingress/1"),
)  # fmt: skip
def test_the_acl_of_the_destination_decides_what_comes_in(case: Case) -> None:
    judge(case, "vswitch.network_acl.ingress", "vsw-b")


@cases(
    Case("none is bound", {}, "normal"),
    Case("an entry accepts the client's ports", acl("vsw-b", egress=[CLIENTS]), "normal", evidence="nacl-b/egress/1"),
    Case("an entry accepts just the client's ports",
         acl("vsw-b", egress=[entry("accept", "10.0.1.10", protocol="tcp", ports="32768/60999")]), "normal"),
    Case("an entry accepts the port that was asked for only", acl("vsw-b", egress=[SSH_ENTRY]), "abnormal",
         **UNREACHABLE, evidence="nacl-b/egress/default"),
    Case("an entry drops the reply", acl("vsw-b", egress=[entry("drop", "10.0.1.0/24"), entry("accept")]), "abnormal",
         **UNREACHABLE, evidence="nacl-b/egress/1"),
    Case("the list is empty", acl("vsw-b", egress=[]), "abnormal", **UNREACHABLE),
    Case("the list is declared unknown", acl("vsw-b", egress=NOT_KNOWN), "unknown", **UNDETERMINED),
)  # fmt: skip
def test_the_egress_list_of_the_destination_decides_the_reply(case: Case) -> None:
    judge(case, "vswitch.network_acl.egress.return", "vsw-b")


@cases(
    Case("none is bound", {}, "normal"),
    Case("an entry accepts the client's ports", acl("vsw-a", ingress=[CLIENTS]), "normal", evidence="nacl-a/ingress/1"),
    Case("an entry accepts the port that was asked for only", acl("vsw-a", ingress=[SSH_ENTRY]), "abnormal",
         **UNREACHABLE, evidence="nacl-a/ingress/default"),
    Case("an entry drops the reply", acl("vsw-a", ingress=[entry("drop", "10.0.2.20"), entry("accept")]), "abnormal",
         **UNREACHABLE, evidence="nacl-a/ingress/1"),
    Case("the list is declared unknown", acl("vsw-a", ingress=NOT_KNOWN), "unknown", **UNDETERMINED),
    Case("the replies come from the Internet",
         both(EIPS, acl("vsw-a", ingress=[entry("accept", "198.51.100.80", protocol="tcp")])), "normal", TO_INTERNET,
         evidence="nacl-a/ingress/1"),
)  # fmt: skip
def test_the_ingress_list_of_the_source_decides_the_reply(case: Case) -> None:
    judge(case, "vswitch.network_acl.ingress.return", "vsw-a")


def test_an_acl_does_not_concern_two_ends_of_its_vswitch() -> None:
    report = ask(NEIGHBOURS, acl("vsw-a", ingress=[], egress=[]))
    assert report.verdict == "reachable"
    assert all(found.status in ("normal", "skipped") for found in report.items if "network_acl" in found.id)


@pytest.mark.parametrize("service", ["100.100.2.136", "100.100.2.138", "100.100.100.200"])
def test_an_empty_acl_lets_the_name_and_metadata_servers_pass(service: str) -> None:
    report = ask(acl("vsw-a", ingress=[], egress=[]), dst=service, protocol="udp", port=53)
    assert report.verdict == "reachable"


def test_an_empty_acl_drops_what_goes_to_other_services() -> None:
    report = ask(acl("vsw-a", ingress=[], egress=[]), dst="100.100.45.106", port=443)
    assert blockers(report) == {
        ("vswitch.network_acl.egress", "vsw-a"),
        ("vswitch.network_acl.ingress.return", "vsw-a"),
    }


def test_a_list_of_an_acl_meets_the_question_at_one_end_and_the_reply_at_the_other() -> None:
    report = ask(acl("vsw-a", ingress=[], egress=[]), acl("vsw-b", ingress=[], egress=[]))
    assert blockers(report) == {
        ("vswitch.network_acl.egress", "vsw-a"),
        ("vswitch.network_acl.ingress", "vsw-b"),
        ("vswitch.network_acl.egress.return", "vsw-b"),
        ("vswitch.network_acl.ingress.return", "vsw-a"),
    }


# --------------------------------------------------------------------------------------------------------------- routes


def table(vswitch: str, *routes: Document, **facts: Any) -> Document:
    """A custom table at a vSwitch."""
    name = vswitch.replace("vsw-", "rtb-")
    return {
        "route_tables": {name: {"vpc": "vpc-1", "routes": list(routes), **facts}},
        "vswitches": {vswitch: {"route_table": name}},
    }


def to(destination: str, next_hop: str = "vpn-1", next_hop_type: str = "VpnGateway", **facts: Any) -> Document:
    """A row of a table."""
    return {"destination": destination, "next_hop": next_hop, "next_hop_type": next_hop_type, **facts}


TWO_VPCS: Document = {
    "vpcs": {"vpc-2": {"cidrs": ["172.16.0.0/16"]}},
    "vswitches": {"vsw-c": {"vpc": "vpc-2", "cidr": "172.16.1.0/24"}},
    "security_groups": {"sg-c": {"vpc": "vpc-2", "rules": [rule("ingress", "accept")]}},
    "instances": {"i-b": {"network_interfaces": {"eni-b": {"vswitch": "vsw-c", "ip": "172.16.1.20",
                                                           "security_groups": ["sg-c"]}}}},
}  # fmt: skip


@cases(
    Case("the system route leads to another vSwitch", {}, "normal"),
    Case("both ends are in one vSwitch", NEIGHBOURS, "normal"),
    Case("a less specific row loses", table("vsw-a", to("10.0.0.0/16")), "normal"),
    Case("the default row loses", table("vsw-a", to(EVERYONE)), "normal"),
    Case("a row that is not Available does not forward", table("vsw-a", to("10.0.2.0/24", status="Pending")),
         "normal"),
    Case("the table is declared unknown", {"vswitches": {"vsw-a": {"route_table": NOT_KNOWN}}}, "unknown",
         **UNDETERMINED),
    Case("the table was never described", {"vswitches": {"vsw-a": {"route_table": "rtb-x"}},
                                           "unknown": {"rtb-x": "of another team"}}, "unknown", **UNDETERMINED),
    Case("nothing leads to another VPC", TWO_VPCS, "abnormal", **UNREACHABLE),
    Case("nothing leads to the Internet", {}, "abnormal", TO_INTERNET, **UNREACHABLE),
    Case("its own public address needs no row", EIPS, "normal", TO_INTERNET),
    Case("the only row to the Internet is not Available", table("vsw-a", to(EVERYONE, status="Modifying")), "abnormal",
         TO_INTERNET, **UNREACHABLE),
    Case("its own public address goes before the default row", both(EIPS, table("vsw-a", to(EVERYONE))), "normal",
         TO_INTERNET),
    Case("the system route leads to the cloud's services", {}, "normal", {"dst": "100.100.45.106"}),
)  # fmt: skip
def test_a_route_must_lead_to_the_destination(case: Case) -> None:
    judge(case, "route.forward", "vsw-a")


@cases(
    Case("the system route leads back", {}, "normal"),
    Case("the table is declared unknown", {"vswitches": {"vsw-b": {"route_table": NOT_KNOWN}}}, "unknown",
         **UNDETERMINED),
    Case("its own public address leads back to the Internet", EIPS, "normal", FROM_INTERNET),
)  # fmt: skip
def test_a_route_must_lead_back(case: Case) -> None:
    judge(case, "route.return", "vsw-b")


def test_a_route_back_from_another_vpc_is_missing_too() -> None:
    report = ask(TWO_VPCS)
    assert blockers(report) == {("route.forward", "vsw-a"), ("route.return", "vsw-c")}


def test_a_system_table_of_the_file_is_the_table_of_every_vswitch_that_names_none() -> None:
    rows: Document = {
        "route_tables": {"rtb-s": {"vpc": "vpc-1", "type": "system", "routes": [to("198.51.100.0/24", "vpn-9")]}}
    }
    report = ask(rows, **TO_INTERNET)
    assert report.verdict == "undetermined"
    assert any(object_id == "vpn-9" for _, object_id in unknowns(report))
    assert ask(rows, table("vsw-a"), **TO_INTERNET).verdict == "unreachable"


# ------------------------------------------------------------------------------------------------------------- gateways

NAT: Document = {"nat_gateways": {"ngw-1": {"vpc": "vpc-1", "vswitch": "vsw-b"}}}
PEERING: Document = {"peerings": {"pcc-1": {"vpc": "vpc-1", "peer_vpc": "vpc-far", "peer_cidrs": ["198.51.100.0/24"]}}}
APPLIANCE: Document = {
    "instances": {"i-fw": {"network_interfaces": {"eni-fw": {"vswitch": "vsw-b", "ip": "10.0.2.250",
                                                             "security_groups": ["sg-b"]}}}}
}  # fmt: skip


@pytest.mark.parametrize(
    ("hop", "type_", "described"),
    [
        ("ngw-1", "NatGateway", {}),
        ("pcc-1", "VpcPeer", {}),
        ("i-fw", "Instance", {}),
        ("eni-fw", "NetworkInterface", {}),
        ("vpn-1", "VpnGateway", {}),
        ("ri-1", "RouterInterface", {}),
        ("tr-attach-1", "Attachment", {}),
        ("havip-1", "HaVip", {}),
        ("ipv4gw-1", "Ipv4Gateway", {}),
        ("vpce-1", "GatewayEndpoint", {}),
        ("cen-1", "CenBasic", {}),
        ("ecr-1", "Ecr", {}),
        ("gwlbe-1", "GatewayLoadBalancerEndpoint", {}),
        ("hop-x", None, {"unknown": {"hop-x": "of another team"}}),
    ],
)
def test_a_next_hop_that_is_not_modelled_is_unknown_and_named(hop: str, type_: str | None, described: Document) -> None:
    row: Document = {"destination": "198.51.100.0/24", "next_hop": hop}
    if type_:
        row["next_hop_type"] = type_
    for lang in ("en", "zh"):
        report = ask(described, table("vsw-a", row), **TO_INTERNET, lang=lang)
        assert report.verdict == "undetermined"
        assert not report.blockers
        assert report.reachable_ports == []
        (found,) = [i for i in report.items if i.status == "unknown" and i.id.startswith("gateway.")]
        assert (found.object.id, found.severity) == (hop, "critical")
        assert hop in found.message
        assert found.suggestion


SNAT: Document = {
    "eips": {"eip-n": {"ip": "203.0.113.99", "bound_to": "ngw-1"}},
    "nat_gateways": {"ngw-1": {"vpc": "vpc-1", "vswitch": "vsw-b", "snat": [
        {"source": "10.0.1.0/24", "eip": "eip-n"}]}},
}  # fmt: skip
APPLIANCE_OUT = both(APPLIANCE, {"instances": {"i-fw": {"public_ip": "203.0.113.98"}}})


@pytest.mark.parametrize(
    ("hop", "described", "verdict", "stopped"),
    [
        ("ngw-1", NAT, "unreachable", {("gateway.nat", "ngw-1")}),  # no SNAT entry
        ("ngw-1", SNAT, "reachable", set()),
        ("pcc-1", PEERING, "reachable", set()),
        ("i-fw", APPLIANCE, "unreachable", {("route.forward", "vsw-b")}),  # its own table leads nowhere
        ("eni-fw", APPLIANCE, "unreachable", {("route.forward", "vsw-b")}),
        ("i-fw", APPLIANCE_OUT, "reachable", set()),  # its guest translates
        ("eni-fw", APPLIANCE_OUT, "reachable", set()),
    ],
)
def test_a_next_hop_that_is_described_is_followed(
    hop: str, described: Document, verdict: str, stopped: set[tuple[str, str]]
) -> None:
    report = ask(described, table("vsw-a", {"destination": "198.51.100.0/24", "next_hop": hop}), **TO_INTERNET)
    assert (report.verdict, blockers(report), unknowns(report)) == (verdict, stopped, set())


def test_a_steered_route_to_an_appliance_goes_through_its_guest() -> None:
    steered = both(APPLIANCE, table("vsw-a", {"destination": "10.0.2.0/24", "next_hop": "eni-fw"}))
    report = ask(steered)
    assert report.verdict == "reachable"
    assert item(report, "gateway.appliance", "eni-fw").status == "normal"
    report = ask(steered, {"instances": {"i-fw": {"guest": {"ip_forward": False}}}})
    assert report.verdict == "unreachable"
    assert blockers(report) == {("guest.forwarding", "i-fw")}


def test_an_ipv6_gateway_is_unknown_and_named() -> None:
    row = {"destination": "::/0", "next_hop": "ipv6gw-1", "next_hop_type": "IPv6Gateway"}
    report = ask(SIX, table("vsw-a", row), dst="2001:db8:ffff::1")
    assert report.verdict == "undetermined"
    assert {object_id for id_, object_id in unknowns(report) if id_.startswith("gateway.")} == {"ipv6gw-1"}


def static(**facts: Any) -> Document:
    """A static public address at i-b."""
    return there(public_ip="203.0.113.20", **facts)


@cases(
    Case("an EIP leads to it", EIPS, "normal", FROM_INTERNET),
    Case("a static public address leads to it", static(), "normal", FROM_INTERNET),
    Case("a static public address with bandwidth leads to it", static(public_bandwidth_mbps=5), "normal",
         FROM_INTERNET),
    Case("a static public address without bandwidth carries nothing", static(public_bandwidth_mbps=0), "abnormal",
         FROM_INTERNET, **UNREACHABLE),
    Case("it has no public address", {}, "abnormal", FROM_INTERNET, **UNREACHABLE),
    Case("its EIP is visible in the guest", {"eips": {"eip-b": {"ip": "203.0.113.20", "bound_to": "eni-b",
                                                                "mode": "BINDED"}}}, "normal", FROM_INTERNET),
    Case("its EIP is one of many", {"eips": {"eip-b": {"ip": "203.0.113.20", "bound_to": "eni-b",
                                                       "mode": "MULTI_BINDED"}}}, "normal", FROM_INTERNET),
)  # fmt: skip
def test_a_public_address_must_lead_to_the_destination(case: Case) -> None:
    judge(case, "gateway.public_ip", "eni-b")


# ----------------------------------------------------------------------------------------------------------------- mail

MAIL: Document = {"dst": "198.51.100.80", "port": 25}


@cases(
    Case("TCP 25 to a public destination is dropped", EIPS, "abnormal", MAIL, **UNREACHABLE),
    Case("the instance is unlocked for it", both(EIPS, here(smtp_unlocked=True)), "normal", MAIL),
    Case("25 is one of the ports asked for", EIPS, "abnormal", {**MAIL, "port": "24-26"}, verdict="partial",
         ports=["24", "26"]),
    Case("protocol 6 is TCP", EIPS, "abnormal", {**MAIL, "protocol": 6}, **UNREACHABLE),
    Case("UDP 25 is not concerned", EIPS, "skipped", {**MAIL, "protocol": "udp"}),
    Case("another port is not concerned", EIPS, "skipped", {**MAIL, "port": 465}),
    Case("a private path is not concerned", EIPS, "skipped", {"port": 25}),
    Case("a cloud service is not concerned", EIPS, "skipped", {"dst": "100.100.45.106", "port": 25}),
    Case("a public address of the topology is a public destination", EIPS, "abnormal",
         {"dst": "203.0.113.20", "port": 25}, **UNREACHABLE),
)  # fmt: skip
def test_outbound_mail_is_dropped_towards_public_destinations(case: Case) -> None:
    judge(case, "platform.smtp_egress", "eni-a")


def test_mail_from_the_internet_is_no_outbound_mail() -> None:
    report = ask(EIPS, src="internet", port=25)
    assert report.verdict == "reachable"
    assert all(found.status == "skipped" for found in items(report, "platform.smtp_egress"))


# ------------------------------------------------------------------------------------- the guest's firewall and routes

GUEST_TABLES = {"iptables": "*filter\n:INPUT DROP [0:0]\nCOMMIT\n", "routes": "", "ip_forward": True}


@pytest.mark.parametrize(
    ("id_", "instance"),
    [
        ("firewall.iptables.egress", "i-a"),
        ("firewall.iptables.ingress", "i-b"),
        ("guest.route.forward", "i-a"),
        ("guest.route.return", "i-b"),
    ],
)
def test_of_the_guest_s_firewall_and_routes_it_is_said_that_nobody_knows_them(id_: str, instance: str) -> None:
    report = ask({})
    found = item(report, id_, instance)
    assert (found.status, found.severity, found.suggestion) == ("skipped", "critical", "")
    assert (id_, instance) in not_checked(report)
    assert report.verdict == "reachable"


def test_the_guest_s_firewall_and_routes_never_stand_without_a_suffix() -> None:
    found = {one.id for one in ask(here(guest=GUEST_TABLES), there(guest=GUEST_TABLES)).items}
    assert not found & {"firewall.iptables", "firewall", "guest.route", "guest"}


def test_a_reply_that_is_left_out_needs_no_guest_route() -> None:
    report = ask(one_way=True)
    assert ("guest.route.return", "i-b") not in not_checked(report)
    assert ("guest.route.forward", "i-a") in not_checked(report)


# ------------------------------------------------------------------------------------------------------- why it skipped


@pytest.mark.parametrize("id_", ["ssh.service", "nic.ip", "service.listening", "firewall.iptables.ingress"])
@pytest.mark.parametrize(
    ("facts", "part"),
    [
        ({"os": {"name": "FreeBSD", "version": "14", "architecture": "x86_64"}}, "FreeBSD"),
        ({"os": {"name": "Ubuntu", "version": "20.04", "architecture": "arm64"}}, "arm64"),
    ],
)
def test_a_guest_outside_automatic_collection_is_skipped_with_the_reason(id_: str, facts: Document, part: str) -> None:
    report = ask(there(**facts))
    found = item(report, id_, "i-b")
    assert found.status == "skipped"
    assert part in found.message
    assert [left.reason for left in report.not_checked if left.item == id_ and left.object.id == "i-b"] == [
        found.message
    ]


def test_a_guest_outside_automatic_collection_is_judged_where_its_state_is_known() -> None:
    system = there(os={"name": "FreeBSD", "version": "14", "architecture": "riscv64"})
    assert item(ask(system, sshd(running=False)), "ssh.service", "i-b").status == "abnormal"
    assert item(ask(system, listening({})), "service.listening", "i-b").status == "normal"


# ----------------------------------------------------------------------------------- names, categories, severities, ids

NAMES = {  # id: (category and name in Chinese, severity), as the reference has them
    "ssh.service": ("SSH服务", "SSH服务是否启动", "critical"),
    "ssh.files": ("SSH服务", "SSH服务关键文件或者目录是否缺失", "critical"),
    "ssh.root_login": ("SSH服务", "SSH是否允许root用户登录", "non_critical"),
    "nic.dhcp": ("系统网卡配置", "DHCP服务是否启动", "critical"),
    "nic.ip": ("系统网卡配置", "网卡IP是否配置错误", "critical"),
    "nic.netmask": ("系统网卡配置", "网卡掩码信息是否正确配置", "non_critical"),
    "firewall.iptables.egress": ("实例安全策略", "实例是否配置了iptables拦截/放行流量", "critical"),
    "firewall.iptables.ingress": ("实例安全策略", "实例是否配置了iptables拦截/放行流量", "critical"),
    "blackhole.public_ip": ("实例安全策略", "公网IP是否在黑洞中", "critical"),
    "guest.route.forward": ("系统路由配置", "系统是否配置流量路由规则", "critical"),
    "guest.route.return": ("系统路由配置", "系统是否配置", "critical"),
    "load.cpu": ("实例系统负载", "CPU负载", "non_critical"),
    "load.public_bandwidth": ("实例系统负载", "公网带宽负载", "non_critical"),
    "load.private_bandwidth": ("实例系统负载", "私网带宽负载", "non_critical"),
    "service.listening": ("用户服务状态", "目的端口是否有进程监听", "critical"),
    "business.expired": ("实例业务状态", "实例是否超期", "critical"),
    "business.overdue": ("实例业务状态", "账号是否欠费", "critical"),
    "business.locked": ("实例业务状态", "", "non_critical"),
    "eni.status": ("弹性网卡状态", "弹性网卡底层状态", "critical"),
    "eni.security_group.egress": ("弹性网卡安全组配置", "弹性网卡安全组", "critical"),
    "eni.security_group.ingress": ("弹性网卡安全组配置", "弹性网卡安全组", "critical"),
    "vswitch.network_acl.egress": ("网络ACL", "", "critical"),
    "vswitch.network_acl.ingress": ("网络ACL", "", "critical"),
    "vswitch.network_acl.egress.return": ("网络ACL", "", "critical"),
    "vswitch.network_acl.ingress.return": ("网络ACL", "", "critical"),
    "route.forward": ("", "", "critical"),
    "route.return": ("", "", "critical"),
}


@pytest.fixture(scope="module")
def chinese() -> Report:
    """A question inside a VPC."""
    return ask(EIPS, lang="zh")


@pytest.mark.parametrize("id_", sorted(NAMES))
def test_items_have_the_reference_s_category_name_and_severity(id_: str, chinese: Report) -> None:
    category, name, severity = NAMES[id_]
    found = items(chinese, id_)
    assert found
    for one in found:
        assert one.category == category or not category
        assert one.name.startswith(name) or (name and name in one.name)
        assert one.severity == severity


def test_no_item_stands_twice_for_one_object(chinese: Report) -> None:
    keys = [(found.id, found.object.type, found.object.id) for found in chinese.items]
    assert len(keys) == len(set(keys))


# ---------------------------------------------------------------------------------------------------- evidence, by line

WRITTEN = """\
schema: netinsight.topology/1
collected_at: 2026-11-24T08:00:00Z
account:
  overdue: true                                                            # overdue
vpcs: {vpc-1: {cidrs: [10.0.0.0/16]}}
vswitches:
  vsw-a: {vpc: vpc-1, cidr: 10.0.1.0/24, network_acl: nacl-a, route_table: rtb-a}
  vsw-b: {vpc: vpc-1, cidr: 10.0.2.0/24, network_acl: nacl-b}
network_acls:
  nacl-a:
    vpc: vpc-1
    ingress:
      - {policy: accept, protocol: udp, source: 0.0.0.0/0}
      - policy: drop                                                       # acl ingress return
        source: 10.0.2.0/24
    egress:
      - {policy: accept, protocol: udp, destination: 0.0.0.0/0}
      - {policy: drop, protocol: all, destination: 10.0.2.0/24}            # acl egress
      - {policy: accept, protocol: all, destination: 0.0.0.0/0}
  nacl-b:
    vpc: vpc-1
    ingress:
      - {policy: accept, protocol: all, source: 0.0.0.0/0}                 # acl ingress
    egress:
      - {policy: accept, protocol: all, destination: 0.0.0.0/0}            # acl egress return
route_tables:
  rtb-a:
    vpc: vpc-1
    routes:
      - {destination: 0.0.0.0/0, next_hop: vpn-1, next_hop_type: VpnGateway}
      - {destination: 198.51.100.0/24, next_hop: vpn-2, next_hop_type: VpnGateway}   # route
security_groups:
  sg-a:
    vpc: vpc-1
    rules:
      - {direction: ingress, policy: accept, protocol: all, source: 0.0.0.0/0}
      - {direction: egress, policy: accept, priority: 5, destination: 0.0.0.0/0}
      - direction: egress                                                  # group egress
        policy: drop
        priority: 5
        destination: 10.0.2.20/32
  sg-b:
    vpc: vpc-1
    rules:
      - {direction: ingress, policy: accept, priority: 2, source: 0.0.0.0/0}
      - {direction: ingress, policy: drop, priority: 1, source: 10.0.1.0/24}     # group ingress
eips:
  eip-a: {ip: 203.0.113.10, bound_to: i-a}
ddos:
  blackholed:
    - {ip: 203.0.113.77}
    - {ip: 203.0.113.10}                                                   # blackhole
instances:
  i-a:
    network_interfaces: {eni-a: {vswitch: vsw-a, ip: 10.0.1.10, security_groups: [sg-a]}}
  i-b:
    expires: 2020-01-01T00:00:00Z                                          # expires
    locks: [financial]                                                     # locks
    load:
      cpu_percent: 99                                                      # cpu
      private_bandwidth_percent: 95                                        # private bandwidth
    network_interfaces:
      eni-b:
        vswitch: vsw-b
        ip: 10.0.2.20
        security_groups: [sg-b]
        status: Detaching                                                  # eni
    guest:
      dhcp_supported: true
      interfaces:
        - name: eth0
          ip: 10.0.2.21                                                    # ip
          prefix_length: 25                                                # mask
          dhcp: false                                                      # dhcp
      listening: []                                                        # listening
      sshd:
        running: true
        ports: [2222]                                                      # sshd
        permit_root_login: "no"                                            # root
        missing_files: [/etc/ssh]                                          # files
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, netinsight.Net]:
    """A topology in which nearly everything is wrong, as a file."""
    path = tmp_path_factory.mktemp("written") / "topology.yaml"
    path.write_text(WRITTEN, encoding="utf-8")
    return path, netinsight.load(str(path))


def line_of(mark: str) -> int:
    """The line that bears a mark."""
    (found,) = [n for n, line in enumerate(WRITTEN.splitlines(), start=1) if line.endswith(f" # {mark}")]
    return found


INSIDE: Document = {"src": "i-a", "dst": "i-b", "port": 22}
OUTSIDE: Document = {"src": "i-a", "dst": "198.51.100.80", "port": 443}
ELSEWHERE: Document = {"src": "i-a", "dst": "192.0.2.1", "port": 443}


@pytest.mark.parametrize(
    ("question", "id_", "object_id", "mark"),
    [
        (INSIDE, "eni.security_group.egress", "eni-a", "group egress"),
        (INSIDE, "eni.security_group.ingress", "eni-b", "group ingress"),
        (INSIDE, "vswitch.network_acl.egress", "vsw-a", "acl egress"),
        (INSIDE, "vswitch.network_acl.ingress", "vsw-b", "acl ingress"),
        (INSIDE, "vswitch.network_acl.egress.return", "vsw-b", "acl egress return"),
        (INSIDE, "vswitch.network_acl.ingress.return", "vsw-a", "acl ingress return"),
        (INSIDE, "eni.status", "eni-b", "eni"),
        (INSIDE, "ssh.service", "i-b", "sshd"),
        (INSIDE, "ssh.root_login", "i-b", "root"),
        (INSIDE, "ssh.files", "i-b", "files"),
        (INSIDE, "nic.ip", "i-b", "ip"),
        (INSIDE, "nic.netmask", "i-b", "mask"),
        (INSIDE, "nic.dhcp", "i-b", "dhcp"),
        (INSIDE, "service.listening", "i-b", "listening"),
        (INSIDE, "load.cpu", "i-b", "cpu"),
        (INSIDE, "load.private_bandwidth", "i-b", "private bandwidth"),
        (INSIDE, "business.expired", "i-b", "expires"),
        (INSIDE, "business.overdue", "i-b", "overdue"),
        (INSIDE, "business.locked", "i-b", "locks"),
        (OUTSIDE, "route.forward", "vsw-a", "route"),
        (ELSEWHERE, "blackhole.public_ip", "i-a", "blackhole"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_evidence_of_an_item_stands_on_the_line_that_decided(
    question: Document, id_: str, object_id: str, mark: str, written: tuple[Path, netinsight.Net]
) -> None:
    path, net = written
    found = item(net.diagnose(**question), id_, object_id)
    assert (str(path), line_of(mark)) in [(evidence.file, evidence.line) for evidence in found.evidence], found


def test_stages_of_a_path_name_the_line_of_their_rule(written: tuple[Path, netinsight.Net]) -> None:
    _, net = written
    (path,) = net.diagnose(**INSIDE).paths
    found = {stage.stage: (stage.rule, stage.line, stage.decision) for stage in path.forward}
    assert found["security_group.egress"] == ("sg-a/egress/2", line_of("group egress"), "drop")
    assert found["network_acl.egress"] == ("nacl-a/egress/2", line_of("acl egress"), "drop")
    assert found["security_group.ingress"] == ("sg-b/ingress/2", line_of("group ingress"), "drop")


def test_a_topology_of_no_file_has_evidence_without_a_place() -> None:
    report = ask(into(rule("ingress", "drop")))
    assert {evidence.line for evidence in item(report, "eni.security_group.ingress").evidence} == {None}
