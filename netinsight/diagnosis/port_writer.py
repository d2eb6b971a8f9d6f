"""Pieces of an exact set as a report tells them: the packet, the rules, for whom, where it arrives, what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from netinsight import __version__
from netinsight.addresses import PRIVATE_V4, SERVICE_V4, Range, cidrs, contains, merge, text
from netinsight.diagnosis.case import Case
from netinsight.diagnosis.catalogue import Lang
from netinsight.diagnosis.port_sets import SERVICE_ITEMS, Asking, Judged, Piece
from netinsight.diagnosis.reach_report import Arrival, Hosts, Passing, Stopped, Through, Witness
from netinsight.diagnosis.report import Assumption, Blocker
from netinsight.diagnosis.texts import Writer, ref, what_it_says
from netinsight.engine.spaces import joined
from netinsight.errors import visible
from netinsight.flow import ICMP, ICMPV6, PortRange, Verdict, has_ports, protocol_name
from netinsight.model.gateways import DnatEntry
from netinsight.network.ends import Kind
from netinsight.network.steps import Ruling, Step, Walk

_NO_RULE = frozenset({"eni_status", "public_ip", "blackhole", "unknown"})
"""Origins that are the state of an object."""


def passing_of(judged: Judged, lang: Lang) -> list[Passing]:
    """What passes of a question, or may."""
    told = _Teller(judged, Writer(judged.case, lang))
    return [told.passing(piece) for piece in judged.pieces()]


def stopped_of(parts: Sequence[Judged]) -> Stopped | None:
    """What stops the ports that do not pass; None where all pass.

    Where nothing passes it is what stops all of it, if anything does by itself.
    """
    by, whole = dict[Blocker, None](), list[set[Blocker]]()
    nothing = not any(one.passes() for one in parts)
    for one in parts:
        if one.passes() != [one.case.box.ports]:
            found = list(_blockers(one))
            by.update((blocker, None) for blocker, _ in found)
            whole.append({blocker for blocker, ports in found if ports == [one.case.box.ports]})
    if not by:
        return None
    everything = set.intersection(*whole) if nothing else set()
    told = [one for one in by if one in everything] or list(by)
    return Stopped.model_construct(protocol=word_of(parts[0].case), all=nothing, by=told)


def _blockers(judged: Judged) -> Iterator[tuple[Blocker, list[PortRange]]]:
    """What stops some ports, by the network: and which."""
    for one in judged.results:
        if one.blocks(judged.case.catalogue) and not one.item.startswith(SERVICE_ITEMS):
            ports = joined([*(box.ports for box in one.stops), *(ruling.box.ports for ruling, _ in one.parts)])
            yield Blocker.model_construct(item=one.item, object=ref(one.object)), ports


def word_of(case: Case) -> str:
    """The protocol of a question: that of its family."""
    protocol = case.question.protocol
    return protocol_name(ICMPV6 if case.ends.family == 6 and protocol == ICMP else protocol)


def header(asking: Asking, lang: Lang) -> dict[str, Any]:
    """What every report says of itself."""
    moment = asking.at.isoformat().replace("+00:00", "Z")
    notice = asking.catalogue.word("notice", lang)
    return {"tool_version": __version__, "at": moment, "lang": lang.value, "notice": notice}


def assumptions_of(asking: Asking, parts: Iterable[Judged]) -> list[Assumption]:
    """The open points that answers rest on."""
    names = {name for one in parts for walk in one.case.walks for name in walk.assumptions}
    names |= {name for one in parts for name in one.case.assumptions}
    known = asking.network.assumptions
    return [Assumption.model_construct(id=name, value=known[name]) for name in sorted(names)]


class _Teller:
    """Tells the pieces of one question."""

    def __init__(self, judged: Judged, writer: Writer) -> None:
        self.judged, self.case, self.writer = judged, judged.case, writer
        self.ported = has_ports(self.case.question.protocol)

    def passing(self, piece: Piece) -> Passing:
        open_ = Verdict.UNDETERMINED in (piece.network, piece.verdict)
        not_known = [self.writer.message(result) for result in self.judged.not_known(piece)] if open_ else []
        return Passing.model_construct(
            protocol=word_of(self.case),
            ports=self._ports(piece.ports),
            network=piece.network,
            verdict=piece.verdict,
            listening=piece.listening,
            hosts=self._hosts(piece),
            arrives=list(dict.fromkeys(one for walk in piece.walks for one in self._arrival(walk, piece.ports))),
            leaves_as=list(dict.fromkeys(one for walk in piece.walks for one in _leaves_as(self.case, walk))),
            not_known=list(dict.fromkeys(not_known)),
            witness=self._witness(piece),
            rules=[one for step, ruling in piece.rules for one in self._through(piece, step, ruling)],
        )

    def _ports(self, ports: PortRange) -> str:
        return str(ports) if self.ported else "-1/-1"

    def _witness(self, piece: Piece) -> Witness | None:
        point = piece.point
        if point is None or not point.walk.forward:
            return None
        first = point.walk.forward[0].packet
        shift = _outside_shift(self.case, point.walk)
        verdict = piece.verdict
        if verdict in (Verdict.REACHABLE, Verdict.PARTIAL):
            verdict = Verdict.REACHABLE if point.always else Verdict.PARTIAL
        return Witness.model_construct(
            src=text(first.source),
            dst=text(first.destination),
            protocol=word_of(self.case),
            source_port=point.source_port if self.ported else None,
            port=point.port + shift if self.ported else None,
            verdict=verdict,
        )

    def _through(self, piece: Piece, step: Step, ruling: Ruling) -> Iterator[Through]:
        origin = ruling.origin
        if origin is None or origin.kind in _NO_RULE or piece.point is None:
            return
        place = self.case.network.topology.place(*origin.path) if origin.path else None
        forward = any(step is one for one in piece.point.walk.forward)
        action = "route" if step.stage == "route" else "accept"
        yield Through.model_construct(
            direction="forward" if forward else "return",
            stage=step.stage,
            object=ref(step.object),
            rule=origin.id,
            text=visible(what_it_says(self.case.catalogue, self.writer.lang, origin, action), 400),
            file=(place.file or None) if place else None,
            line=(place.line or None) if place else None,
        )

    def _hosts(self, piece: Piece) -> Hosts | None:
        every = [piece_ for walk in self.case.walks for piece_ in walk.hosts]
        if not every:
            return None
        if piece.hosts is None:
            return Hosts.model_construct(every=True, prefixes=[], every_but=[])
        passing = merge(piece.hosts)
        others = merge(hosts for walk in self.case.walks for hosts in walk.hosts if hosts not in piece.hosts)
        greater = _size(passing) > _size(others)
        return Hosts.model_construct(every=False, prefixes=[] if greater else list(_cidrs(passing)),
                                     every_but=list(_cidrs(others)) if greater else [])  # fmt: skip

    def _arrival(self, walk: Walk, ports: PortRange) -> Iterator[Arrival]:
        last = next((step for step in reversed(walk.forward) if step.stage == "eni"), None)
        if last is None or (self.case.ends.source.interface and last is walk.forward[0]):
            return
        shift = last.packet.box.ports.first - walk.box.ports.first if self.ported else 0
        moved = PortRange(ports.first + shift, ports.last + shift)
        yield Arrival.model_construct(
            eni=last.object.id,
            instance=self.case.network.enis[last.object.id].instance_id,
            ip=text(last.packet.destination),
            port=self._ports(moved),
        )


def _outside_shift(case: Case, walk: Walk) -> int:
    """What the external port of a DNAT entry is more than the port at an ENI that is asked for by that, from outside."""
    source, destination = case.ends.source, case.ends.destination
    if source.kind is not Kind.INTERNET or destination.interface is None or destination.public:
        return 0
    rules = (step.deciding.origin.rule for step in walk.forward if step.deciding.origin)
    return next((-rule.shift for rule in rules if isinstance(rule, DnatEntry)), 0)


def _leaves_as(case: Case, walk: Walk) -> Iterator[str]:
    """The public address that a packet to the Internet bears there: the one that its answer comes to."""
    if case.ends.destination.kind is not Kind.INTERNET:
        return
    borne = [step.packet.source for step in walk.forward[-1:]] + [step.packet.destination for step in walk.back[:1]]
    if borne and not contains((*PRIVATE_V4, SERVICE_V4), borne[-1]):
        yield text(borne[-1])


def _size(pieces: Iterable[Range]) -> int:
    return sum(last - first + 1 for first, last in pieces)


def _cidrs(pieces: Iterable[Range]) -> Iterator[str]:
    return (cidr for piece in pieces for cidr in cidrs(Range(*piece)))
