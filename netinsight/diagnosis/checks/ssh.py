"""The guest's SSH service (Remote Desktop on Windows), at the destination, for TCP to its port."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.diagnosis.case import (
    Case,
    Fact,
    Result,
    Role,
    Side,
    abnormal,
    fact_missing,
    missing,
    normal,
    not_concerned,
)
from netinsight.flow import TCP, PortRange
from netinsight.model.guest import Sshd

ITEMS = ("ssh.service", "ssh.files", "ssh.root_login")


def check(case: Case, side: Side) -> Iterator[Result]:
    """Is it running, is it whole, may root log in."""
    if side.role is Role.SOURCE:
        return
    port = _login_port(case, side)
    if port is None:
        yield from (not_concerned(item, side.ref) for item in ITEMS)
    elif gap := case.guest_gap(side.instance):
        yield from (missing(item, side.ref, gap) for item in ITEMS)
    elif side.guest is None or side.guest.sshd is None:
        yield from (fact_missing(item, side.ref, "guest.sshd") for item in ITEMS)
    else:
        yield _service(case, side, side.guest.sshd, port)
        yield from _configuration(case, side, side.guest.sshd, port)


def _login_port(case: Case, side: Side) -> int | None:
    """The remote login port of the guest's kind, if the question is TCP to it."""
    ports = case.catalogue.login_ports
    instance = side.instance
    kinds = list(ports) if instance is None or instance.os is None else ["windows" if side.is_windows else "linux"]
    asked = side.ports
    if case.question.protocol != TCP:
        return None
    return next((ports[kind] for kind in kinds if asked.first <= ports[kind] <= asked.last), None)


def _service(case: Case, side: Side, sshd: Sshd, port: int) -> Result:
    base = (*side.path, "guest", "sshd")
    stops, kind = side.part([PortRange(port, port)]), "_windows" if side.is_windows else ""
    if sshd.running is False:
        return abnormal("ssh.service", side.ref, f"stopped{kind}", stops, Fact((*base, "running"), "running: false"))
    if sshd.running is None:
        return fact_missing("ssh.service", side.ref, "guest.sshd.running")
    if sshd.ports is None:
        return fact_missing("ssh.service", side.ref, "guest.sshd.ports")
    actual = ", ".join(map(str, sshd.ports)) or "-"
    fact = Fact((*base, "ports"), f"ports: [{actual}]")
    if port in sshd.ports:
        return normal("ssh.service", side.ref, f"running{kind}", fact, port=port)
    return abnormal("ssh.service", side.ref, f"other_port{kind}", stops, fact, actual=actual, port=port)


def _configuration(case: Case, side: Side, sshd: Sshd, port: int) -> Iterator[Result]:
    if side.is_windows:
        yield from (not_concerned(item, side.ref) for item in ITEMS[1:])
        return
    base = (*side.path, "guest", "sshd")
    if sshd.missing_files is None:
        yield fact_missing("ssh.files", side.ref, "guest.sshd.missing_files")
    elif sshd.missing_files:
        files = ", ".join(sshd.missing_files)
        fact = Fact((*base, "missing_files"), f"missing_files: [{files}]")
        yield abnormal("ssh.files", side.ref, "missing", side.part([PortRange(port, port)]), fact, files=files)
    else:
        yield normal("ssh.files", side.ref, "complete", Fact((*base, "missing_files"), "missing_files: []"))
    value = sshd.permit_root_login
    if value is None:
        yield fact_missing("ssh.root_login", side.ref, "guest.sshd.permit_root_login")
        return
    fact = Fact((*base, "permit_root_login"), f"permit_root_login: {value}")
    if value.lower() == "no":
        yield abnormal("ssh.root_login", side.ref, "refused", (), fact, value=value)
    else:
        yield normal("ssh.root_login", side.ref, "allowed", fact, value=value)
