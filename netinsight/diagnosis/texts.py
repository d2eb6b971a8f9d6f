"""Steps, rulings and results in words, by the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from netinsight.addresses import Range, cidrs, text
from netinsight.diagnosis.case import Case, Fact, Result
from netinsight.diagnosis.catalogue import Catalogue, Lang, port_list
from netinsight.diagnosis.demands import Demand
from netinsight.diagnosis.report import Evidence, Matches, Object, PacketReport, RuleReport, StageReport
from netinsight.engine.spaces import Box, joined
from netinsight.errors import visible
from netinsight.flow import has_ports, protocol_name
from netinsight.model.network_acl import AclEntry
from netinsight.model.routing import NextHopType, Route
from netinsight.model.security_group import GroupRule
from netinsight.network.ends import Kind
from netinsight.network.explain import Considered, Outcome, consider
from netinsight.network.filters import SERVICE, Origin
from netinsight.network.steps import Packet, Ref, Ruling, Step, Walk, Why

MOST_HOSTS = 3
MOST_ADVICE = 4


def describe(origin: Origin, *, with_policy: bool = True) -> str:
    """A rule as the file would say it, whatever the language."""
    rule = origin.rule
    if isinstance(rule, Route):
        return f"{rule.destination} -> {_next_hops(rule)}"
    if not isinstance(rule, (GroupRule, AclEntry)):
        return origin.text or origin.reason or origin.id
    words = [rule.policy.value if with_policy else "", rule.protocol, rule.ports or ""]
    if isinstance(rule, GroupRule):
        words += [f"source_ports {rule.source_ports}" if rule.source_ports else ""]
    for key in ("source", "destination"):
        if value := getattr(rule, key, None):
            words += [key, value]
    if isinstance(rule, GroupRule):
        words += ["priority", str(rule.priority)]
    return " ".join(word for word in words if word)


def _next_hops(route: Route) -> str:
    """The next hop of a route; of several, each with its weight and health."""
    if not route.others:
        return route.next_hop
    hops = [(route.next_hop, route.weight, route.healthy), *((one.id, one.weight, one.healthy) for one in route.others)]
    return ", ".join(f"{id_} (weight {weight}, {'' if healthy else 'un'}healthy)" for id_, weight, healthy in hops)


def what_it_says(catalogue: Catalogue, lang: Lang, origin: Origin, action: str) -> str:
    """A rule as the file would say it; of a row that nobody wrote, what it does."""
    if origin.rule is not None or f"implied_{origin.kind}" not in catalogue.words:
        return describe(origin)
    named = {SERVICE: "cloud_services", NextHopType.IPV6_GATEWAY: "ipv6_gateway"}.get(origin.target)
    next_hop = catalogue.word(named, lang) if named else origin.target
    values = {"next_hop": next_hop, "group": origin.target, "fact": origin.target, "reason": origin.reason}
    return catalogue.word(f"implied_{origin.kind}", lang, action=catalogue.word(action, lang), **values)


def _together(parts: list[tuple[list[Box], Walk]]) -> list[tuple[list[Box], list[Walk]]]:
    """The parts of walks of the same hosts and client ports as one."""
    found: dict[object, tuple[list[Box], list[Walk]]] = {}
    for boxes, walk in parts:
        key = walk.hosts, tuple(joined(box.source_ports for box in boxes))
        mine, walks = found.setdefault(key, ([], []))
        mine += boxes
        walks.append(walk)
    return list(found.values())


def ref(object_: Ref) -> Object:
    """An object of the trace in the report."""
    return Object.model_construct(type=object_.type, id=object_.id)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes a case in one language."""

    case: Case
    lang: Lang
    explain: bool = False

    def reason(self, reason: Why, origin: Origin | None = None, walk: Walk | None = None) -> str:
        """The text of a reason's code; the one host that was walked is told as those that it stands for."""
        values = self._values(reason, walk)
        if origin is not None:
            values["text"] = describe(origin, with_policy=False)
        return self.case.catalogue.reasons[reason.code].fill(self.lang, values)

    def _values(self, reason: Why, walk: Walk | None) -> dict[str, str]:
        """What fills a text; instead of the one host that was walked, those that it stands for."""
        if walk is None or walk.host is None:
            return dict(reason.values)
        hosts, host = self.hosts(walk, self._word("the_internet")), text(walk.host)
        return {name: hosts if value == host else value for name, value in reason.values.items()}

    def hosts(self, walk: Walk, internet: str = "") -> str:
        """The hosts of a walk, of those asked: all of them, some blocks, or all but those of the other walks.

        ``internet`` is what all of them are called in a sentence.
        """
        ends = self.case.ends
        asked = next(end.asked for end in (ends.source, ends.destination) if end.address is None)
        asked = internet if internet and asked == Kind.INTERNET else asked
        kinds = list(dict.fromkeys(other.hosts for other in self.case.walks))
        if len(kinds) == 1:
            return asked
        if walk.hosts == kinds[0]:
            others = [piece for hosts in kinds[1:] for piece in hosts]
            return self._word("hosts_rest", all=asked, hosts=self._blocks(others))
        return self._blocks(list(walk.hosts))

    def _blocks(self, hosts: list[Range]) -> str:
        shown = [cidr for piece in hosts[:MOST_HOSTS] for cidr in cidrs(Range(*piece))][:MOST_HOSTS]
        left = len(hosts) - MOST_HOSTS
        return ", ".join(shown) + (f" {self._word('more', n=left)}" if left > 0 else "")

    def packet(self, packet: Packet, walk: Walk) -> PacketReport:
        """A packet, with any Internet host by that name."""
        ported = has_ports(packet.protocol)
        return PacketReport.model_construct(
            src=self._address(packet.source, walk),
            dst=self._address(packet.destination, walk),
            protocol=protocol_name(packet.protocol),
            source_port=str(packet.box.source_ports) if ported else "-1/-1",
            port=str(packet.box.ports) if ported else "-1/-1",
        )

    def _address(self, address: int, walk: Walk) -> str:
        inside = any(first <= address <= last for first, last in walk.hosts)
        own = address in self.case.network.public_by_address
        return self.hosts(walk) if inside and not own else text(address)

    def stage(self, step: Step, walk: Walk) -> StageReport:
        """A step of a walk; where rules decide parts of it, each part is told."""
        deciding = step.deciding.origin
        place = self.case.network.topology.place(*deciding.path) if deciding and deciding.path else None
        return StageReport.model_construct(
            stage=step.stage,
            object=ref(step.object),
            packet=self.packet(step.packet, walk),
            decision=step.decision,
            why=self.parted([(ruling, walk) for ruling in step.rulings], [walk]),
            rule=deciding.id if deciding and deciding.is_rule else None,
            file=(place.file or None) if place else None,
            line=(place.line or None) if place else None,
            explain=self.rules(step, walk) if self.explain and step.packed else None,
        )

    def rules(self, step: Step, walk: Walk) -> list[RuleReport]:
        """Every rule of the list that decided a step."""
        if step.packed is None:
            return []
        return [self._rule(one, step) for one in consider(step.packed, step.packet)]

    def _rule(self, one: Considered, step: Step) -> RuleReport:
        origin = one.origin
        place = self.case.network.topology.place(*origin.path) if origin.path else None
        action: Literal["accept", "drop", "route", "unknown"] = "accept" if one.accepts else "drop"
        if origin.kind == "unknown":
            action = "unknown"
        elif step.stage == "route":
            action = "route"
        return RuleReport.model_construct(
            rule=origin.id,
            text=visible(what_it_says(self.case.catalogue, self.lang, origin, action), 400),
            action=action,
            matches=Matches(**{name: extent.value for name, extent in one.fields.items()}),
            outcome=one.outcome.value,
            note=self._note(one, step.packet.box),
            file=(place.file or None) if place else None,
            line=(place.line or None) if place else None,
        )

    def _note(self, one: Considered, whole: Box) -> str:
        fields = ", ".join(self._word(f"field_{name}") for name in one.missed)
        if one.origin.idle:
            return self._word("idle")
        if one.outcome in (Outcome.DECIDES, Outcome.MAY_DECIDE):
            part = self._part(list(one.decides), whole)
            return self._word(one.outcome.value) + (self._word("only_for", parts=part) if part else "")
        if one.outcome is Outcome.NO_MATCH:
            near = len(one.missed) == 1 and isinstance(one.origin.rule, (GroupRule, AclEntry))
            return self._word("near_miss" if near else "fails_on", fields=fields)
        return self._word("after_miss", fields=fields) if fields else self._word("after")

    def parted(self, parts: list[tuple[Ruling, Walk]], walks: list[Walk]) -> str:
        """Rulings of equal text together, each with the part of the question that it is about."""
        told: dict[str, dict[int, list[Box]]] = {}
        named = set()  # sentences that tell their hosts themselves
        for ruling, walk in parts:
            number = next(i for i, one in enumerate(walks) if one is walk)
            sentence = self.reason(ruling.why, ruling.origin, walk)
            told.setdefault(sentence, {}).setdefault(number, []).append(ruling.box)
            if walk.host is not None and text(walk.host) in ruling.why.values.values():
                named.add(sentence)
        sentences = []
        for sentence, by_walk in told.items():
            alike: dict[str, list[Walk]] = {}
            for boxes, where in _together([(boxes, walks[number]) for number, boxes in by_walk.items()]):
                alike.setdefault(self._part(boxes), []).extend(where)
            for part, where in alike.items():
                apart = {walk.hosts: walk for walk in where}
                told_apart = len(apart) < len({walk.hosts for walk in walks}) and sentence not in named
                others = self._word("sentences").join(map(self.hosts, apart.values()))
                hosts = self._word("part_hosts", hosts=others) if told_apart else ""
                words = ", ".join(filter(None, (part, hosts)))
                sentences.append(sentence + (self._word("only_for", parts=words) if words else ""))
        return self._word("sentences").join(sentences)

    def _word(self, name: str, /, **values: object) -> str:
        return self.case.catalogue.word(name, self.lang, **values)

    def _part(self, boxes: list[Box], whole: Box | None = None) -> str:
        """Which of what was asked ``boxes`` are; nothing where they are all of it."""
        whole, words = whole or self.case.box, []
        ports, clients = joined(box.ports for box in boxes), joined(box.source_ports for box in boxes)
        if ports != [whole.ports]:
            one = len(ports) == 1 and ports[0].first == ports[0].last
            words.append(self._word("part_port" if one else "part_ports", ports=port_list(ports)))
        legs = {box.source_ports for walk in self.case.walks for box in walk.legs}
        if clients != [whole.source_ports] and not (len(clients) == 1 and clients[0] in legs):
            words.append(self._word("part_client_ports", ports=port_list(clients)))
        return ", ".join(words)

    def message(self, result: Result) -> str:
        """What an item says."""
        if result.parts:
            return self.parted(list(result.parts), list(self.case.walks))
        rule = self.case.catalogue.items[result.item]
        if result.says.code not in rule.findings:
            return self.reason(result.says)
        told = rule.findings[result.says.code].fill(self.lang, result.says.values)
        part = self._part(list(result.stops)) if result.stops and "ports" not in result.says.values else ""
        return told + (self._word("only_for", parts=part) if part else "")

    def suggestion(self, result: Result) -> str:
        """What to do about an item; where several causes stop it, about each of them."""
        rule = self.case.catalogue.items[result.item]
        told = []
        causes: list[tuple[Why, Walk | None]] = [(ruling.why, walk) for ruling, walk in result.parts]
        for says, walk in causes or [(result.says, None)]:
            said = rule.findings.get(says.code)
            words = said.suggestion if said and said.suggestion else rule.suggestions.get(says.code, rule.suggestion)
            told.append(words.fill(self.lang, {**self._values(says, walk), "object": result.object.id}))
        once = list(dict.fromkeys(told))
        more = [self._word("more", n=len(once) - MOST_ADVICE)] if len(once) > MOST_ADVICE else []
        return self._word("sentences").join([*once[:MOST_ADVICE], *more])

    def demand(self, demand: Demand) -> str:
        """Whether the paths pass what they should, or a path that does not."""
        against = demand.against
        if against is None:
            one_way = "_one_way" if demand.kind == "via" and not any(walk.back for walk in self.case.walks) else ""
            told = self._word(f"demand_{demand.kind}_yes{one_way}")
        else:
            walk = self.case.walks[against.walk]
            forward = against.direction == "forward"
            packet = self.packet((walk.forward if forward else walk.back)[0].packet, walk)
            told = self._word(
                f"demand_{demand.kind}_no", n=against.walk + 1, src=packet.src, dst=packet.dst,
                direction=self._word("on_the_way_there" if forward else "on_the_way_back"),
            )  # fmt: skip
            if demand.judged > 1:
                told += self._word(f"demand_{demand.kind}_some", keeping=demand.keeping, judged=demand.judged)
        if demand.holds == "unknown":
            told = self._word("demand_unknown", told=told)
        return told if demand.carries else self._word("demand_nothing_passes", told=told)

    def evidence(self, one: Fact | Origin) -> Evidence:
        """What decided, with its place."""
        place = self.case.network.topology.place(*one.path) if one.path else None
        file, line = (place.file or None, place.line or None) if place else (None, None)
        if isinstance(one, Fact):
            return Evidence.model_construct(
                kind="fact",
                id=visible(".".join(map(str, one.path)), 400),
                text=visible(one.text, 400),
                file=file,
                line=line,
            )
        return Evidence.model_construct(
            kind=one.kind, id=one.id, text=visible(describe(one), 400), file=file, line=line
        )
