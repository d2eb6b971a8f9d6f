"""Which protocols and ports pass from one object to another, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple, TypeVar

from netinsight.diagnosis.catalogue import Lang
from netinsight.diagnosis.diagnose import end_report
from netinsight.diagnosis.port_sets import ALL_PORTS, Asking, Judged, ask
from netinsight.diagnosis.port_writer import assumptions_of, header, passing_of, stopped_of
from netinsight.diagnosis.reach_report import Passing, Ports, Stopped
from netinsight.diagnosis.report import NotChecked
from netinsight.diagnosis.texts import Writer, ref
from netinsight.engine.spaces import joined
from netinsight.errors import QuestionError
from netinsight.flow import (
    GRE,
    ICMP,
    ICMPV6,
    TCP,
    UDP,
    PortRange,
    Question,
    has_ports,
    parse_ports,
    parse_protocol,
    protocol_name,
)
from netinsight.model.base import protocol_range
from netinsight.model.network_acl import NetworkAcl
from netinsight.model.topology import Topology

KNOWN = (TCP, UDP, ICMP, ICMPV6, GRE)
"""The protocols that something beside the rules tells apart."""
USUAL = (TCP, UDP, ICMP)
LAST_PROTOCOL = 255


class Asked(NamedTuple):
    """What is asked of a pair: protocols; of those with ports, which; the others by classes too."""

    protocols: tuple[int, ...] = USUAL
    ports: PortRange = ALL_PORTS
    others: bool = False

    @property
    def words(self) -> list[str]:
        """As people write it."""
        told = [
            f"{protocol_name(one)}/{self.ports}" if has_ports(one) else protocol_name(one) for one in self.protocols
        ]
        return [*told, "all"] if self.others else told


def read_asked(port: int | str | None, protocol: str | Iterable[str] | None, default: str = "usual") -> Asked:
    """What a user asks: ports and protocols, by word or number; ``all`` is every protocol.

    Raises
    ------
    QuestionError
        For what cannot be read, or ports of protocols that have none.
    """
    written = [protocol] if isinstance(protocol, str) else list(protocol or ())
    ports = parse_ports(str(port)) if port is not None else None
    if not written:
        written = ["tcp"] if ports else ["all"] if default == "all" else []
    every = any(one.strip().lower() == "all" for one in written)
    named = tuple(dict.fromkeys(parse_protocol(one) for one in written if one.strip().lower() != "all"))
    chosen = tuple(dict.fromkeys((*named, *USUAL))) if every or not named else named
    if ports and not any(map(has_ports, chosen)):
        raise QuestionError(f"{protocol_name(chosen[0])} has no ports", hint="leave the port out")
    return Asked(chosen, ports or ALL_PORTS, every)


class PairSet(NamedTuple):
    """What passes between two ends, what stops the rest, and the questions that told it."""

    passing: list[Passing]
    stopped: list[Stopped]
    judged: list[Judged]


def pair_ports(asking: Asking, source: str, destination: str, asked: Asked, family: int | None, lang: Lang) -> Ports:
    """The report of a pair.

    Raises
    ------
    QuestionError
        As ``diagnose``.
    """
    found = pair_set(asking, source, destination, asked, family, lang)
    case = found.judged[0].case
    return Ports.model_construct(
        **header(asking, lang),
        source=end_report(case.ends.source),
        destination=end_report(case.ends.destination),
        passing=found.passing,
        stopped=found.stopped,
        assumptions=assumptions_of(asking, found.judged),
        not_checked=list(dict.fromkeys(_not_checked(found.judged, lang))),
    )


def pair_set(asking: Asking, source: str, destination: str, asked: Asked, family: int | None, lang: Lang) -> PairSet:
    """Every protocol asked, then the others by classes that nothing tells apart."""
    passing, stopped, judged = list[Passing](), list[Stopped](), list[Judged]()
    for protocol in asked.protocols:
        parts = ask(asking, _question(source, destination, protocol, asked.ports, family))
        judged += parts
        passing += [one for part in parts for one in passing_of(part, lang)]
        stopped += filter(None, [stopped_of(parts)])
    if asked.others:
        left = set(range(LAST_PROTOCOL + 1)) - set(asked.protocols)
        left -= {ICMP, ICMPV6} if judged and {ICMP, ICMPV6} & set(asked.protocols) and _is_v6(judged) else set()
        told = list(_others(asking, source, destination, left, family, lang))
        passing += _joined((numbers, one.passing) for numbers, one in told)
        stopped += _joined((numbers, one.stopped) for numbers, one in told)
        judged += [part for _, one in told for part in one.judged]
    return PairSet(passing, stopped, judged)


def _is_v6(judged: list[Judged]) -> bool:
    return judged[0].case.ends.family == 6


def _question(source: str, destination: str, protocol: int, ports: PortRange, family: int | None) -> Question:
    return Question(source, destination, protocol, ports if has_ports(protocol) else None, family=family)


# ------------------------------------------------------------------------------------------------------ other protocols


def _others(
    asking: Asking, source: str, destination: str, left: set[int], family: int | None, lang: Lang
) -> Iterator[tuple[PortRange, PairSet]]:
    """One of each class is asked; where a guest's firewall is met, whose rules may tell any two apart, each is."""
    for numbers in protocol_classes(asking.network.topology, left):
        parts = ask(asking, _question(source, destination, numbers.first, ALL_PORTS, family))
        alone = numbers.first == numbers.last or not any(_meets_firewall(part) for part in parts)
        yield numbers if alone else PortRange(numbers.first, numbers.first), _set_of(parts, lang)
        for number in range(numbers.first + 1, numbers.last + 1) if not alone else ():
            parts = ask(asking, _question(source, destination, number, ALL_PORTS, family))
            yield PortRange(number, number), _set_of(parts, lang)


def _set_of(parts: list[Judged], lang: Lang) -> PairSet:
    return PairSet([one for part in parts for one in passing_of(part, lang)],
                   list(filter(None, [stopped_of(parts)])), parts)  # fmt: skip


def _meets_firewall(judged: Judged) -> bool:
    return any(step.stage.startswith("guest.firewall") for walk in judged.case.walks for step in walk.steps)


def protocol_classes(topology: Topology, numbers: Iterable[int]) -> list[PortRange]:
    """Numbers that no rule of the topology tells apart; of those that the cloud knows by themselves each is one."""
    edges = {edge for number in KNOWN for edge in (number, number + 1)}
    edges |= {edge for first, last in _protocols(topology) for edge in (first, last + 1)}
    cuts = sorted({0, *(edge for edge in edges if edge <= LAST_PROTOCOL), LAST_PROTOCOL + 1})
    wanted, found = sorted(numbers), list[PortRange]()
    for first, after in pairwise(cuts):
        inside = [number for number in wanted if first <= number < after]
        for number in inside:
            if found and found[-1].first >= first and found[-1].last == number - 1:
                found[-1] = PortRange(found[-1].first, number)
            else:
                found.append(PortRange(number, number))
    return found


def _protocols(topology: Topology) -> Iterator[tuple[int, int]]:
    for group in topology.security_groups.values():
        if isinstance(group.rules, list):
            yield from (protocol_range(rule.protocol) for rule in group.rules)
    for acl in topology.network_acls.values():
        yield from _of_acl(acl)
    for gateway in topology.nat_gateways.values():
        if isinstance(gateway.dnat, list):
            yield from (protocol_range(entry.protocol) for entry in gateway.dnat)


def _of_acl(acl: NetworkAcl) -> Iterator[tuple[int, int]]:
    for entries in (acl.ingress, acl.egress):
        if isinstance(entries, list):
            yield from (protocol_range(entry.protocol) for entry in entries)


Told = TypeVar("Told", Passing, Stopped)


def _joined(told: Iterable[tuple[PortRange, list[Told]]]) -> list[Told]:
    """Classes of which the same is told as one, with the packet of the first."""
    first, numbers = dict[str, Told](), dict[str, list[PortRange]]()
    for range_, rows in told:
        for row in rows:
            key = row.model_copy(update={"protocol": "", "witness": None}).model_dump_json()
            first.setdefault(key, row)
            numbers.setdefault(key, []).append(range_)
    return [row.model_copy(update={"protocol": _named(numbers[key])}) for key, row in first.items()]


def _named(numbers: list[PortRange]) -> str:
    """One by its name, several by their numbers."""
    ranges = joined(numbers)
    if len(ranges) == 1 and ranges[0].first == ranges[0].last:
        return protocol_name(ranges[0].first)
    return ", ".join(map(str, ranges))


def _not_checked(judged: list[Judged], lang: Lang) -> Iterator[NotChecked]:
    for one in judged:
        writer = Writer(one.case, lang)
        for result in one.results:
            if result.missing:
                reason = writer.message(result)
                yield NotChecked.model_construct(item=result.item, object=ref(result.object), reason=reason)
