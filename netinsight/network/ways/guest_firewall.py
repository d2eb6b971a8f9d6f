"""What the firewall of a guest does with what it sends, takes in and passes on: the stages, and the packet as it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netinsight.addresses import Range, family, text
from netinsight.engine.classify import Decision
from netinsight.engine.spaces import Box, joined, subtract
from netinsight.flow import TCP, PortRange, has_ports
from netinsight.model.base import Path
from netinsight.model.topology import Interface
from netinsight.network.filters import Origin
from netinsight.network.steps import Packet, Ref, Ruling, Why, why
from netinsight.network.ways import guests
from netinsight.network.ways.guest_known import STAGES, GuestFirewall, firewall_of
from netinsight.network.ways.journey import Journey

if TYPE_CHECKING:
    from netinsight.network.ways.guest_parts import Part
    from netinsight.network.ways.walker import Walker

ITEMS = {"OUTPUT": "firewall.iptables.egress", "INPUT": "firewall.iptables.ingress",
         "FORWARD": "firewall.iptables.forward"}  # fmt: skip
_DECISIONS = {"ACCEPT": Decision.ACCEPT, "DROP": Decision.DROP, "REJECT": Decision.DROP, "UNKNOWN": Decision.UNKNOWN}


class _Change(NamedTuple):
    """What translation makes of a packet."""

    source: Range
    destination: Range
    shift: int = 0
    client_ports: PortRange | None = None


def takes_in(walker: Walker, journey: Journey, interface: Interface) -> Journey:
    """What comes for the guest: PREROUTING and INPUT; for a container of it, PREROUTING and FORWARD."""
    return _stage(walker, journey, interface, "INPUT")[0]


def sends(walker: Walker, journey: Journey, interface: Interface) -> list[Journey]:
    """What the guest sends itself: OUTPUT and POSTROUTING."""
    told, parts = _stage(walker, journey, interface, "OUTPUT")
    told = guests.marked(walker, told, interface, "", _marks(parts))
    return [told] if journey.frame.back else _changed(told, parts)  # an answer leaves as it was asked


def passes_on(walker: Walker, journey: Journey, interface: Interface) -> list[Journey]:
    """What the guest passes on: PREROUTING, FORWARD and POSTROUTING."""
    told, parts = _stage(walker, journey, interface, "FORWARD")
    came_by = guests.interface_name(walker.network, interface) or ""
    told = guests.marked(walker, told, interface, came_by, _marks(parts))
    if journey.frame.back:
        restored = journey.restored(guests.holder(interface))
        return [restored._replace(steps=told.steps) if restored else told]
    return [
        one if one.packet == told.packet else one.remembers(guests.holder(interface), told)
        for one in _changed(told, parts)
    ]


def answers_inside(walker: Walker, journey: Journey, interface: Interface) -> int | None:
    """The container of a guest whose answer this is: to where the guest sent the question on."""
    instance, packet = interface.instance_id or "", journey.packet
    if not journey.frame.back:
        return None
    asked = [part for step in walker.asked_steps if (step.object.id, step.stage) == (instance, STAGES["INPUT"])
             and (step.packet.destination, step.packet.source) == (packet.source, packet.destination)
             for part in walker.firewalled.get((instance, "INPUT", step.packet), ())]  # fmt: skip
    inside = {part.left.destination for part in asked if part.sent_on and part.left}
    (only,) = inside if len(inside) == 1 and all(part.sent_on for part in asked) else (None,)
    return only.first if only and only.first == only.last else None


def _marks(parts: list[Part]) -> set[int]:
    """The marks that rules set."""
    return {part.left.mark.value for part in parts if part.left and part.left.mark.value}


def _stage(walker: Walker, journey: Journey, interface: Interface, chain: str) -> tuple[Journey, list[Part]]:
    """The same with what the firewall says, and its parts; as it was where nobody knows its rules."""
    instance = interface.instance_id or ""
    firewall = firewall_of(walker.network, instance, family(journey.packet.source)) if walker.with_guest else None
    if firewall is None:
        return journey, []
    from netinsight.network.ways.guest_rules import judged  # with the walks through chains

    parts = judged(walker, firewall, journey, interface, chain)
    told = _step(walker, firewall, journey, interface, chain, parts)
    if not journey.frame.back:
        walker.judged[instance, STAGES[chain], journey.packet] = (firewall, journey, interface, chain)
    return told, parts


def _step(
    walker: Walker, firewall: GuestFirewall, journey: Journey, interface: Interface, chain: str, parts: list[Part]
) -> Journey:
    instance = interface.instance_id or ""
    rulings = []
    for part in parts:
        decision, told = _told(part, journey, chain, firewall)
        ruling = Ruling(journey.asked(part.box), decision, told, _origin(instance, part, firewall))
        on = _sent_on(walker, journey, interface, part) if part.sent_on and decision is Decision.ACCEPT else None
        rulings.append(on or ruling)
    return journey.step(STAGES[chain], ITEMS[chain], Ref("instance", instance), tuple(rulings))


def _origin(instance: str, part: Part, firewall: GuestFirewall) -> Origin:
    """The rule that decided, or the policy, as evidence."""
    one = part.decides
    key = firewall.key_of(one)
    said = one.rule if one.rule != "policy" else f"policy of {one.chain}: {one.verdict}" if one.chain else "no chain"
    name = "/".join([instance, key, *([one.place] if one.place else [])])
    path: Path = ("instances", instance, "guest", key, *([one.line] if one.line else []))
    return Origin(name, "guest_firewall_rule", path, text=said)


def _sent_on(walker: Walker, journey: Journey, interface: Interface, part: Part) -> Ruling | None:
    """What hinders a guest from sending on to another machine what came for it; None where nothing does."""
    network, instance, left, asked = walker.network, interface.instance_id or "", part.left, journey.asked(part.box)
    owner = network.topology.instances.get(instance)
    if left is None or owner is None or owner.guest is None:
        return None
    to = _address(left.destination)
    if owner.guest.ip_forward is False:
        path = ("instances", instance, "guest", "ip_forward")
        origin = Origin(f"{instance}/ip_forward", "fact", path, text="ip_forward: false")
        return Ruling(asked, Decision.DROP, why("guest.does_not_forward", instance=instance, to=to), origin)
    ports = journey.packet.box._replace(ports=left.ports or part.box.ports)
    on = guests.sends_on(walker, journey.packet._replace(destination=left.destination.first, box=ports), interface)
    if on and on[0].type in guests.NOWHERE:
        told = guests.nowhere(on[0], left.destination.first)
        return Ruling(asked, Decision.DROP, told._replace(values={**told.values, "to": to}), on[1])
    told = why("guest_firewall.elsewhere", to=to, ports=_ports(ports.ports))
    by_an_eni = on is not None and guests.named(network, interface, on[0].interface) is not None
    return Ruling(asked, Decision.UNKNOWN, told, on and on[1]) if by_an_eni else None


def answered(walker: Walker, there: Journey, back: Journey) -> Journey:
    """The question told again when its answer is known: later packets are INVALID to a guest that does not track that."""
    lost = there.broken or back.broken or any(step.decision == "unknown" for step in there.steps)
    if lost or there.packet.protocol != TCP:
        return there
    seen: dict[str, list[tuple[Packet, Box]]] = {}
    for step in back.steps:
        chain = next((chain for chain, stage in STAGES.items() if stage == step.stage), "")
        seen.setdefault(step.object.id, []).extend(walker.seen.get((step.object.id, chain, step.packet), ()))
    steps = list(there.steps)
    for at, step in enumerate(steps):
        if (asked := walker.judged.get((step.object.id, step.stage, step.packet))) is None:
            continue
        firewall, journey, interface, chain = asked
        tracked = tuple(box for packet, box in seen.get(step.object.id, ()) if packet == step.packet)
        mine = journey.part(there.box.ports).packet.box
        tracked = (*tracked, *subtract((step.packet.box,), (mine,)))  # the rest is other walks' to tell
        if subtract((step.packet.box,), tracked):
            from netinsight.network.ways.guest_rules import judged_again

            again = judged_again(walker, firewall, journey, interface, chain, tracked)
            steps[at] = _step(walker, firewall, journey, interface, chain, again).steps[-1]
    return there._replace(steps=tuple(steps))


def _told(part: Part, journey: Journey, chain: str, firewall: GuestFirewall) -> tuple[Decision, Why]:
    """What becomes of a part, and why."""
    one, left = part.decides, part.left
    decision = _DECISIONS[one.verdict]
    rule = one.rule if one.rule != "policy" else f"{one.chain or chain} policy {one.verdict}"
    values = {
        "rule": rule,
        "line": one.line or "-",
        "assumed": "; ".join(one.assumptions),
        "kind": one.reject_with,
        "firewall": firewall.name_of(one),
        "chain": _walked(part, chain),
    }
    if part.sent_on and left is not None:
        values |= {"to": _address(left.destination), "ports": _ports(left.ports or part.box.ports)}
    elif firewall.translates and decision is Decision.UNKNOWN:
        values["to"] = "-"
    elif chain == "INPUT" and left is not None and left.ports is not None:
        values |= {"ports": _ports(left.ports), "first": left.ports.first, "last": left.ports.last}
    if decision is Decision.UNKNOWN:
        return Decision.UNKNOWN, why("guest_firewall.unknown", **values)
    if decision is Decision.ACCEPT and not part.fits:
        return Decision.DROP, why("guest_firewall.session", **values)
    if decision is Decision.DROP and journey.frame.back:
        return Decision.DROP, why("guest_firewall.answer", **values)
    if decision is Decision.DROP and part.later:
        invalid = part.later.end is not None and part.later.end.conntrack == "INVALID"
        return Decision.DROP, why("guest_firewall.unseen" if invalid else "guest_firewall.later", **values)
    if decision is Decision.DROP:
        drops = "guest_firewall.drop_assumed" if one.assumptions else "guest_firewall.drop"
        return Decision.DROP, why("guest_firewall.reject" if one.verdict == "REJECT" else drops, **values)
    if part.sent_on:
        return Decision.ACCEPT, why("guest_firewall.sent_on", **values)
    if "first" in values:
        return Decision.ACCEPT, why("guest_firewall.moved", **values)
    if left is not None and left.source.first != journey.packet.source and not journey.frame.back:
        return Decision.ACCEPT, why("guest_firewall.translated", **values, source=_address(left.source))
    return Decision.ACCEPT, why("guest_firewall.assumed" if one.assumptions else "guest_firewall.accept", **values)


def _walked(part: Part, chain: str) -> str:
    """The built-in chain that it passes: what comes for a container of the guest, or from one, is passed on."""
    end = part.decides.end
    return "FORWARD" if part.sent_on else end.packet.chain if end is not None else chain


def _ports(ports: PortRange) -> str:
    return str(ports.first) if ports.first == ports.last else f"{ports.first}-{ports.last}"


def _address(addresses: Range) -> str:
    return (
        text(addresses.first)
        if addresses.first == addresses.last
        else f"{text(addresses.first)}-{text(addresses.last)}"
    )


def _changed(journey: Journey, parts: list[Part]) -> list[Journey]:
    """The packet as it leaves; several journeys where its ports are translated differently."""
    found: dict[_Change | None, list[Box]] = {}
    for part in parts:
        if part.judgement.verdict == "ACCEPT":
            found.setdefault(_change(part), []).append(part.box)
    same = _Change(Range(journey.packet.source, journey.packet.source),
                   Range(journey.packet.destination, journey.packet.destination))  # fmt: skip
    if not found or set(found) == {same}:
        return [journey]
    whole = journey.packet.box.source_ports
    apart = all(box.source_ports == whole for boxes in found.values() for box in boxes)
    if len(found) == 1:
        return [_apply(journey, change) for change in found]
    if not apart or not has_ports(journey.packet.protocol):
        return [_not_known(journey)]
    return [
        _apply(journey.part(journey.asked(Box(whole, ports)).ports), change)
        for change, boxes in found.items()
        for ports in joined(box.ports for box in boxes)
    ] + _stopped(journey, parts)


def _stopped(journey: Journey, parts: list[Part]) -> list[Journey]:
    """The parts that do not pass, which go on as they are, for what stands on their way to be judged."""
    ports = joined(part.box.ports for part in parts if part.judgement.verdict != "ACCEPT")
    whole = journey.packet.box.source_ports
    return [journey.part(journey.asked(Box(whole, one)).ports) for one in ports]


def _change(part: Part) -> _Change | None:
    """What became of a part; None where nobody knows."""
    left = part.left
    if left is None:
        return None
    ports, new = part.box.ports, left.ports
    if new is None or (new.first <= ports.first and ports.last <= new.last):
        shift = 0  # a port that is one of those asked for is kept
    elif new.first == new.last and ports.first == ports.last:
        shift = new.first - ports.first
    else:
        return None
    return _Change(left.source, left.destination, shift, left.source_ports)


def _apply(journey: Journey, change: _Change | None) -> Journey:
    """The packet after a translation to one address; one of several is not known."""
    if change is None or any(one.first != one.last for one in (change.source, change.destination)):
        return _not_known(journey)
    translated = change.source.first != journey.packet.source
    after = journey.bears(change.source.first, change.destination.first)
    if change.shift:
        after = after.framed(after.frame._replace(shift=after.frame.shift + change.shift))
    return after.new_leg() if translated else after


def is_lost(journey: Journey) -> bool:
    """Whether it is not known what a guest made of the packet: no stage further on can judge it by its addresses."""
    return journey.steps[-1].deciding.why.code == "guest_firewall.translation"


def _not_known(journey: Journey) -> Journey:
    step = journey.steps[-1]
    told = why("guest_firewall.translation", instance=step.object.id)
    return journey.says(step.stage, step.item, step.object, Decision.UNKNOWN, told, step.deciding.origin)
