"""What a walk passes: the objects that its stages stand at, and the lists that they read."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.addresses import parse_address
from netinsight.errors import ObjectError, did_you_mean, one_of, visible
from netinsight.model.routing import NextHopType
from netinsight.network.build import Network
from netinsight.network.graph_links import GATES
from netinsight.network.routing import object_type
from netinsight.network.steps import Ref, Step

_TYPES = {
    "vpcs": "vpc",
    "vswitches": "vswitch",
    "security_groups": "security_group",
    "network_acls": "network_acl",
    "route_tables": "route_table",
    "eips": "eip",
    "instances": "instance",
    "network_interfaces": "eni",
    **{gate.section: gate.type for gate in GATES},
}
"""What reports call the objects of a section; only those that stand on a way, or decide it."""


def find_object(network: Network, written: str) -> Ref:
    """What a packet may be asked to pass: an id, an address of the topology, or the name of an instance or ENI.

    Raises
    ------
    ObjectError
        Where nothing is called so, or several things are.
    """
    written = written.strip()
    if kind := _kind(network, written):
        return Ref(kind, written)
    found = list(dict.fromkeys([*_of_address(network, written), *_of_name(network, written)]))
    if len(found) == 1:
        return found[0]
    if found:
        several = one_of([ref.id for ref in found])
        raise ObjectError(f"`{visible(written)}` is {several}", hint="use the id")
    known = [name for section in _TYPES for name in getattr(network.topology, section)]
    hint = did_you_mean(written, [*known, *network.enis, *_hops(network)])
    raise ObjectError(
        f"nothing in the topology that a packet could pass is called `{visible(written)}`",
        hint=hint or "an id of any section, such as a gateway, an appliance, a vSwitch, a security group",
    )


def _kind(network: Network, name: str) -> str:
    """What something that has this id is called in reports; empty where nothing has it."""
    topology = network.topology
    if name in network.enis:
        return "eni"
    if name in network.attachments:
        return "attachment"
    if any(name in gateway.connections for gateway in topology.vpn_gateways.values()):
        return "vpn_connection"
    section = next((one for one in _TYPES if name in getattr(topology, one)), "")
    if section:
        return _TYPES[section]
    hops = _hops(network)
    return object_type(hops[name]) if name in hops else ""


def _hops(network: Network) -> dict[str, NextHopType | None]:
    """The next hops of custom routes, described or not, with the row's word for them."""
    rows = (row for table in network.topology.route_tables.values() if isinstance(table.routes, list)
            for row in table.routes)  # fmt: skip
    return {hop: kind for row in rows for hop, kind in
            ((row.next_hop, row.next_hop_type), *((other.id, other.type) for other in row.others))}  # fmt: skip


def _of_address(network: Network, written: str) -> Iterator[Ref]:
    try:
        address = parse_address(written)
    except ValueError:
        return
    if public := network.public_by_address.get(address):
        yield Ref("eip", public.holder) if public.holder in network.topology.eips else Ref("address", written)
    if balancer := network.balancer_of_public.get(address):
        yield Ref("load_balancer", balancer)
    yield from (Ref("eni", interface.id) for interface in network.owners.get(address, ()))
    yield from (Ref(_TYPES[section], name)
                for (_, held), (section, name) in network.holders.items() if held == address)  # fmt: skip


def _of_name(network: Network, written: str) -> Iterator[Ref]:
    yield from (Ref("instance", id_) for id_, one in network.topology.instances.items() if one.name == written)
    yield from (Ref("eni", id_) for id_, one in network.enis.items() if one.eni.name == written)


def passed(network: Network, steps: tuple[Step, ...]) -> set[str]:
    """The ids of all that some stages stand at or are decided by, and the public addresses that packets bear."""
    return {name for step in steps for name in (*_stands_at(network, step), *_decided_by(network, step))}


def _stands_at(network: Network, step: Step) -> Iterator[str]:
    yield step.object.id
    kind, id_ = step.object
    interface = network.enis.get(id_)
    if interface:
        yield from (interface.instance_id or "", interface.eni.vswitch, network.vpc_of(interface))
    elif kind == "vswitch" and id_ in network.topology.vswitches:
        yield network.topology.vswitches[id_].vpc
    elif kind == "nat" and id_ in network.topology.nat_gateways:
        yield network.topology.nat_gateways[id_].vpc
    for address in (step.packet.source, step.packet.destination, *_translated(step)):
        if public := network.public_by_address.get(address):
            yield from (public.holder, *_as_written(network, public.holder))


def _translated(step: Step) -> Iterator[int]:
    """The address that a packet bears after a translation: the last on its way is borne at no stage."""
    for ruling in step.rulings:
        if after := ruling.why.values.get("after") or ruling.why.values.get("public"):
            yield parse_address(after)


def _as_written(network: Network, holder: str) -> Iterator[str]:
    """A static public address, which has no id of its own."""
    instance = network.topology.instances.get(holder)
    if instance and instance.public_ip:
        yield instance.public_ip


def _decided_by(network: Network, step: Step) -> Iterator[str]:
    interface = network.enis.get(step.object.id)
    if step.stage.startswith("security_group") and interface and isinstance(interface.eni.security_groups, list):
        yield from interface.eni.security_groups
    if step.packed is None:
        return
    vswitch = network.topology.vswitches.get(step.object.id)
    if step.stage.startswith("network_acl") and vswitch and isinstance(vswitch.network_acl, str):
        yield vswitch.network_acl
    if step.stage == "route" and vswitch:
        yield network.table_of(step.object.id) or ""
    for ruling in step.rulings:
        if ruling.origin and ruling.origin.path[:1] == ("route_tables",):
            yield str(ruling.origin.path[1])
