"""The process at the machine's end of a packet: what the packet says of it, and what it is taken to be.

No rule says which process is at a port, but most rules are for one. The process at a port is therefore taken to be the one
that the rules which name the port are for; the same process meets all rules.
"""

from __future__ import annotations

import ntpath
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from netinsight.engine import classify
from netinsight.engine.spaces import Box
from netinsight.engine.tables import AddressSets, Row, Table
from netinsight.flow import EVERY_PORT, ICMP, ICMPV6, TCP, UDP, PortRange
from netinsight.guest.iptables import Packet
from netinsight.guest.windows_firewall.rules import (
    EVERY_SERVICE,
    IN_ORDER,
    OF_PROCESS,
    Condition,
    Rule,
    World,
    full_path,
)

_PORT_NAMES = {TCP: "port", UDP: "port", ICMP: "ICMP type", ICMPV6: "ICMP type"}


class Process(NamedTuple):
    """A process; what is None is not known.

    Attributes
    ----------
    program
        Its full path, folded.
    name
        That of its file without `.exe`, where the path is not known.
    """

    program: str | None = None
    service: str | None = None
    package: str | None = None
    name: str | None = None

    def holds(self, condition: Condition) -> bool | None:
        """Whether a condition is so; None is not known."""
        mine, asked = getattr(self, condition.kind), condition.value.casefold()
        if condition.kind == "program" and (mine or self.name) is not None:
            if asked in (mine, self.name) or (mine is None and asked == f"{self.name}.exe"):
                return True
            return None if _stem(asked) == _stem(mine or self.name) else False
        if condition.kind == "service" and mine is not None:
            return asked in (EVERY_SERVICE, mine)
        return None if mine is None else asked == mine

    def taking(self, conditions: Iterable[Condition]) -> Process | None:
        """The same with all that some conditions ask for; None where that does not go together."""
        taken = self
        for condition in conditions:
            mine, asked = getattr(taken, condition.kind), condition.value.casefold()
            any_service = condition.kind == "service" and EVERY_SERVICE in (mine, asked)
            if taken.holds(condition) is False and not any_service:
                return None
            if condition.kind == "program" and mine not in (None, asked):
                return None  # a file of the same name elsewhere
            if mine is None or (any_service and asked != EVERY_SERVICE):
                taken = taken._replace(**{condition.kind: asked})
        return taken

    def known(self, asked: Iterable[Condition]) -> World:
        """What is known of the conditions that rules ask for."""
        found = ((condition, self.holds(condition)) for condition in asked if condition.kind in OF_PROCESS)
        return {condition: so for condition, so in found if so is not None}

    def closed(self, asked: Iterable[Condition]) -> World:
        """The same where what is not known of the process is taken not to be."""
        return {condition: self.holds(condition) is True for condition in asked if condition.kind in OF_PROCESS}


class Taken(NamedTuple):
    """What the process is taken to be, and the first rule that says so; None: no rule does.

    Attributes
    ----------
    where
        What that rule names, such as ``port 3389``.
    """

    process: Process
    rule: Rule | None = None
    where: str = ""


class Listeners:
    """What the rules of a machine tell of the processes at its ports."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        ordered = [rule for action in IN_ORDER for rule in rules if rule.action == action]
        self._of_process = [rule for rule in ordered if of_process(rule)]
        self._programs = {_stem(one.value) for rule in rules for one in rule.conditions if one.kind == "program"}
        self._services = {one.value for rule in rules for one in rule.conditions if one.kind == "service"}
        self._named: list[tuple[Rule, PortRange]] = []
        self._table = Table(AddressSets())
        for rule in self._of_process:
            for ports in _named_ports(rule) if rule.inbound else ():
                self._table.add(Row(protocol=rule.protocol, ports=ports, certain=False))
                self._named.append((rule, ports))

    def of_packet(self, packet: Packet) -> Process:
        """What a packet says; a bare name is that of the program's file, or of the service where rules know it as one."""
        service, package = packet.service and packet.service.casefold(), packet.package and packet.package.casefold()
        if not packet.program:
            return Process(None, service, package)
        program = full_path(packet.program)
        if "\\" in program:
            return Process(program, service, package)
        if service is None and _stem(program) not in self._programs and program in self._services:
            return Process(None, program, package)
        return Process(None, service, package, _stem(program))

    def taken(self, packet: Packet, process: Process, box: Box) -> Iterator[tuple[Box, Taken]]:
        """What the process is taken to be, port by port; of what is sent nobody names the process."""
        if packet.chain != "INPUT":
            yield box, self._by_name(packet, Taken(process))
            return
        for cell in classify.partition(self._table, packet.source, packet.destination, packet.protocol, box):
            taken = Taken(process)
            for number in cell.rows:
                rule, ports = self._named[number]
                taken = _with(taken, of_process(rule), rule, _where(packet.protocol, ports))
            yield cell.box, self._by_name(packet, taken)

    def _by_name(self, packet: Packet, taken: Taken) -> Taken:
        """Of a file of which only the name is known the path is that of the first rule for a file of this name."""
        if taken.process.name is None or taken.process.program is not None:
            return taken
        inbound = packet.chain == "INPUT"
        for rule in self._of_process:
            programs = [one for one in of_process(rule) if one.kind == "program"]
            if rule.inbound == inbound and programs and (found := _with(taken, programs, rule, "")) is not taken:
                return found
        return taken


def of_process(rule: Rule) -> list[Condition]:
    """What a rule asks of the process."""
    return [condition for condition in rule.conditions if condition.kind in OF_PROCESS]


def _with(taken: Taken, asked: list[Condition], rule: Rule, where: str) -> Taken:
    """The same where a rule says nothing that is new, or what does not go together."""
    process = taken.process.taking(asked)
    if process is None or process == taken.process:
        return taken
    return taken._replace(process=process) if taken.rule else Taken(process, rule, where)


def _named_ports(rule: Rule) -> Iterator[PortRange]:
    """The local ports that a rule names; of ICMP the types; of another protocol it is enough to name that."""
    first, last = rule.protocol
    if first != last:
        return
    if first in _PORT_NAMES:
        ranges = rule.local_ports.ranges if first in (TCP, UDP) else rule.icmp
        yield from (one for one in ranges if one != EVERY_PORT)
    else:
        yield EVERY_PORT


def _where(protocol: int, ports: PortRange) -> str:
    if protocol not in _PORT_NAMES:
        return f"protocol {protocol}"
    first, last = ports
    if protocol in (ICMP, ICMPV6):
        first, last = first // 256, last // 256
    return f"{_PORT_NAMES[protocol]}{'' if first == last else 's'} {first}" + ("" if first == last else f"-{last}")


def _stem(program: str | None) -> str:
    return ntpath.basename(program or "").removesuffix(".exe")
