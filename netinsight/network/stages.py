"""What each stage says of a packet: the filters by their rows, the rest by the state of an object.

Every function gives rulings over the question's own box; none of them knows what came before or comes after.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from netinsight.addresses import parse_address, text
from netinsight.engine.classify import Decision, decide, partition
from netinsight.engine.spaces import Box, cut
from netinsight.flow import LAST_PORT, PortRange
from netinsight.model.base import Path, Unknown
from netinsight.model.gateways import BusinessStatus
from netinsight.model.security_group import Direction, Policy
from netinsight.model.topology import Interface
from netinsight.network.build import Network, Public
from netinsight.network.filters import Filter, Origin
from netinsight.network.steps import Packet, Ref, Ruling, Step, Why, why

Rulings = tuple[Ruling, ...]
Asked = Callable[[Box], Box]
"""A box of a packet's ports → the same in the question's own (the reply's are the other way round)."""


def whole(box: Box, decision: Decision, reason: Why, origin: Origin | None = None) -> Rulings:
    """One decision for all that was asked."""
    return (Ruling(box, decision, reason, origin),)


def not_known(box: Box, fact: str, reason: str, path: Path = ()) -> Rulings:
    """A fact that decides is not known."""
    origin = Origin(fact, "unknown", path, target=fact, reason=reason) if path else None
    return whole(box, Decision.UNKNOWN, why("unknown.fact", fact=fact, reason=reason), origin)


def by_rows(packed: Filter, packet: Packet, asked: Asked) -> Rulings:
    """What a list of rows decides, part by part."""
    rulings = []
    for cell in partition(packed.table, packet.source, packet.destination, packet.protocol, packet.box):
        decision = decide(packed.table, cell)
        if not cell.rows:  # a list without a last row is one that nobody knows
            rulings.append(Ruling(asked(cell.box), Decision.UNKNOWN, why("unknown.fact", fact="-", reason="-")))
            continue
        origin = packed.origins[cell.rows[0] if decision is Decision.UNKNOWN else cell.rows[-1]]
        reason = why(_code(origin, decision), rule=origin.id, group=origin.target, list=origin.id.partition("/")[0])
        if decision is Decision.UNKNOWN:
            reason = why("unknown.fact", fact=origin.target or origin.id, reason=origin.reason)
        rulings.append(Ruling(asked(cell.box), decision, reason, origin))
    return tuple(rulings)


def _code(origin: Origin, decision: Decision) -> str:
    """The reason's code; a drop of the best priority has one of its own, since no rule can come before it."""
    code = f"{origin.kind}.{decision}"
    return f"{code}_first" if code == "security_group_rule.drop" and origin.is_first else code


def eni(network: Network, interface: Interface, box: Box) -> Rulings:
    """Only an ENI that is InUse carries traffic, and only of an instance that runs."""
    status = interface.eni.status
    path = (*interface.path, "status")
    if isinstance(status, Unknown):
        return not_known(box, interface.id, status.unknown, path)
    origin = Origin(f"{interface.id}/status", "eni_status", path, text=f"status: {status}")
    reason = why("eni.status", eni=interface.id, status=status)
    if status not in network.topology.dialect.statuses_that_carry:
        return whole(box, Decision.DROP, reason, origin)
    instance = network.topology.instances.get(interface.instance_id or "")
    if instance and isinstance(instance.status, Unknown):
        name = interface.instance_id or ""
        return not_known(box, name, instance.status.unknown, ("instances", name, "status"))
    return whole(box, Decision.ACCEPT, reason, origin)


def told_apart(network: Network, source: Interface | None, receiver: Interface, rulings: Rulings) -> Rulings:
    """The default's drop, told as what it is between members of a group that keeps them apart."""
    mine, theirs = receiver.eni.security_groups, source.eni.security_groups if source else []
    if isinstance(mine, Unknown) or isinstance(theirs, Unknown):
        return rulings
    groups = network.topology.security_groups
    apart = next((name for name in mine if name in theirs and name in groups
                  and groups[name].inner_access_policy is Policy.DROP), None)  # fmt: skip
    if apart is None:
        return rulings
    path = ("security_groups", apart, "inner_access_policy")
    return tuple(
        ruling._replace(why=why("security_group_default.isolated", group=apart, list=apart),
                        origin=ruling.origin._replace(path=path))
        if ruling.origin and ruling.why.code == "security_group_default.drop" else ruling
        for ruling in rulings
    )  # fmt: skip


def acl(
    network: Network, vswitch_id: str, inside: bool, direction: Direction, packet: Packet, box: Box, asked: Asked
) -> tuple[Rulings, Filter | None]:
    """The ACL of a vSwitch, and its list where that decides.

    ``inside``: both ends stand in the vSwitch, and the packet does not leave it.
    """
    topology = network.topology
    vswitch = topology.vswitches.get(vswitch_id)
    if vswitch is None:
        return not_known(box, vswitch_id, topology.unknown.get(vswitch_id, ""), ("unknown", vswitch_id)), None
    bound = vswitch.network_acl
    if bound is None:
        return whole(box, Decision.ACCEPT, why("acl.none", vswitch=vswitch_id)), None
    if inside and not topology.dialect.acl_inside_vswitch:
        return whole(box, Decision.ACCEPT, why("acl.same_vswitch", vswitch=vswitch_id)), None
    if isinstance(bound, Unknown):
        return not_known(box, vswitch_id, bound.unknown, ("vswitches", vswitch_id, "network_acl")), None
    packed = network.acl_filter(bound, direction)
    return by_rows(packed, packet, asked), packed


def mail(network: Network, instance_id: str, protocol: int, box: Box) -> Rulings:
    """The ports that the platform shuts towards public addresses; nothing where the question has none of them."""
    instance = network.topology.instances.get(instance_id)
    rulings, rest = [], [box]
    for blocked, port in network.topology.dialect.blocked_public_egress:
        hit = cut(box, Box(PortRange(0, LAST_PORT), PortRange(port, port)))[0] if blocked == protocol else None
        if hit is None:
            continue
        rest = cut(box, hit)[1]
        unlocked = bool(instance and instance.smtp_unlocked)
        decision = Decision.ACCEPT if unlocked else Decision.DROP
        rulings.append(Ruling(hit, decision, why("mail.unlocked" if unlocked else "mail.blocked", port=port)))
    return (*rulings, *(Ruling(part, Decision.ACCEPT, why("mail.none")) for part in rest)) if rulings else ()


def translation(public: Public, code: str, box: Box) -> Rulings:
    """A public address and the private one that it stands for, one way or the other."""
    origin = Origin(public.holder, "public_ip", public.path, text=f"{public.holder}: {text(public.address)}")
    if not public.has_bandwidth:  # a static one, whose instance says so
        told = why("public.no_bandwidth", public=text(public.address), holder=public.holder)
        path = (*public.path[:-1], "public_bandwidth_mbps")
        return whole(box, Decision.DROP, told, origin._replace(path=path, text="public_bandwidth_mbps: 0"))
    if public.lock is not BusinessStatus.NORMAL:
        told = why("public.locked", public=text(public.address), status=public.lock)
        path, said = (*public.path, "business_status"), f"business_status: {public.lock}"
        return whole(box, Decision.DROP, told, origin._replace(path=path, text=said))
    private = text(public.private) if public.private is not None else ""
    return whole(box, Decision.ACCEPT, why(code, public=text(public.address), private=private), origin)


def blackhole(network: Network, target: int, at: datetime, box: Box) -> Rulings:
    """Every packet to a blackholed address is dropped."""
    address = text(target)
    found = blackholed(network, target, at)
    if found is None:
        return whole(box, Decision.ACCEPT, why("blackhole.none", public=address))
    index, until = found
    origin = Origin(address, "blackhole", ("ddos", "blackholed", index), text=f"blackholed: {address}")
    code = "blackhole.until" if until else "blackhole.in"
    return whole(box, Decision.DROP, why(code, public=address, until=until), origin)


def blackholed(network: Network, address: int, at: datetime) -> tuple[int, str] | None:
    """The row by which an address is in a blackhole at ``at``, and its end as text (empty where it is not known)."""
    for index, attacked in enumerate(network.topology.ddos.blackholed):
        if parse_address(attacked.ip) == address and (attacked.until is None or attacked.until > at):
            return index, attacked.until.isoformat().replace("+00:00", "Z") if attacked.until else ""
    return None


def door_without_eni(public: Public, packet: Packet, box: Box) -> Step:
    """A public address of the topology with nothing behind it that could be followed."""
    ref = Ref("eip", public.holder)
    if public.unknown or public.bound_to:
        rulings = not_known(box, public.holder, public.unknown, public.path)
    else:
        reason = why("public.unbound", public=text(public.address), eip=public.holder)
        rulings = whole(box, Decision.DROP, reason, Origin(public.holder, "public_ip", public.path, text="no bound_to"))
    return Step("public_ip.ingress", "gateway.public_ip", ref, packet, rulings)
