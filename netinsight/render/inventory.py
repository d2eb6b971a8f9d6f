"""The sheet of an object: its fields, its lists in the order in which they are tried, what hangs on it and what refers to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from netinsight.addresses import text
from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.texts import what_it_says
from netinsight.engine.classify import accepts
from netinsight.errors import NOWHERE, Place, visible
from netinsight.model.base import Unknown
from netinsight.model.security_group import Direction
from netinsight.model.topology import SECTIONS, Interface
from netinsight.network.build import Network
from netinsight.network.filters import Filter
from netinsight.render.references import referrers
from netinsight.render.sheets import Listing, Names, Note, Row, Sheet

Body = Iterator[Listing | Names | Note]

LISTS = {
    "instances": {"network_interfaces", "guest"},
    "nat_gateways": {"snat", "dnat"},
    "ipv6_gateways": {"internet"},
    "vbrs": {"routes"},
    "transit_routers": {"attachments", "route_tables"},
    "vpn_gateways": {"connections", "routes"},
    "load_balancers": {"listeners", "server_groups"},
}
"""The fields of a section that are told as lists of their own."""

GUEST_TEXTS = {
    "show_guest_firewall": ("iptables", "ip6tables", "ipsets", "nftables", "windows_firewall"),
    "show_guest_routes": ("routes", "routes6", "rules", "rules6"),
}
"""What a guest told of what it does with packets, by the word that names it."""

_ALWAYS_LISTS = {"rules", "ingress", "egress", "routes"}


@dataclass(frozen=True, slots=True)
class Inventory:
    """Tells of one object at a time."""

    network: Network
    catalogue: Catalogue
    lang: Lang

    def sheet(self, section: str, name: str) -> Sheet:
        """An object of a section of the topology."""
        if section == "network_interfaces":
            return self._interface(self.network.enis[name])
        described = getattr(self.network.topology, section)[name]
        parts = [one for one in self.network.enis.values() if section == "instances" and one.instance_id == name]
        return Sheet(
            section,
            name,
            SECTIONS[section],
            self.place(section, name),
            given(described, without=LISTS.get(section, _ALWAYS_LISTS)),
            given(described, without=set()),
            list(self._body(section, name)),
            self._referred_by(section, name),
            tuple(self._interface(one) for one in parts),
        )

    def word(self, name: str, **values: object) -> str:
        """A word of the catalogue."""
        return self.catalogue.word(name, self.lang, **values)

    def place(self, *path: str | int) -> Place:
        """Where a value stands."""
        return self.network.topology.place(*path)

    def _referred_by(self, section: str, name: str) -> Callable[[], tuple[Row, ...]]:
        return lambda: tuple(referrers(self.network.topology, section, name))

    def _body(self, section: str, name: str) -> Body:
        """What an object has in lists, and what hangs on it."""
        from netinsight.render.inventory_gates import BODIES

        topology = self.network.topology
        if section in BODIES:
            yield from BODIES[section](self, name)
        elif section == "instances":
            yield from self._guest(name)
        elif section == "security_groups":
            for direction in (Direction.INGRESS, Direction.EGRESS):
                packed = self.network.groups_filter((name,), direction)
                yield self.listing(str(direction), self.word(f"show_{direction}"), packed)
            members = [one.id for one in self.network.enis.values()
                       if isinstance(one.eni.security_groups, list) and name in one.eni.security_groups]  # fmt: skip
            yield self.names("members", members)
        elif section == "network_acls":
            yield from self._acl(name)
            yield self.names("bound", [vsw for vsw, one in topology.vswitches.items() if one.network_acl == name])
        elif section == "route_tables":
            yield self.table(topology.route_tables[name].vpc, name)
            yield self.names("bound", [vsw for vsw in topology.vswitches if self.network.table_of(vsw) == name])
        elif section == "vswitches":
            yield from self._vswitch(name)
            yield self.names("enis", [one.id for one in self.network.enis.values() if one.eni.vswitch == name])

    def _guest(self, name: str) -> Body:
        """Which texts a guest has of its firewall, and of its routes, and how long each is."""
        guest = self.network.topology.instances[name].guest
        for word, keys in GUEST_TEXTS.items():
            told = [(key, text) for key in keys if (text := getattr(guest, key, None)) is not None]
            lengths = [self.word("show_lines", key=key, n=sum(map(bool, text.split("\n")))) for key, text in told]
            if told:
                place = self.place("instances", name, "guest", told[0][0])
                yield Note(f"{self.word(word)}: {', '.join(lengths)}", place)

    def names(self, name: str, ids: list[str]) -> Names:
        """Objects that hang on one."""
        return Names(name, self.word(f"show_{name}"), tuple(ids))

    def listing(self, name: str, title: str, packed: Filter, *, routes: bool = False) -> Listing:
        """Each rule of a list once, in the order in which they are tried."""
        rows: dict[str, Row] = {}
        for number in range(packed.table.count):
            origin = packed.origins[number]
            action = "route" if routes else "accept" if accepts(packed.table, number) else "drop"
            said = what_it_says(self.catalogue, self.lang, origin, action)
            where = self.place(*origin.path) if origin.path else NOWHERE
            rows.setdefault(origin.id, Row(origin.id, said, where, "BGP down" if origin.idle else ""))
        return Listing(name, title, tuple(rows.values()))

    def table(self, vpc: str, name: str) -> Listing:
        """The rows of a route table."""
        packed = self.network.table_filter(vpc, name)
        return self.listing("routes", self.word("show_routes", table=name), packed, routes=True)

    def _acl(self, name: str) -> Body:
        for direction in (Direction.INGRESS, Direction.EGRESS):
            title = self.word(f"show_acl_{direction}", acl=name)
            yield self.listing(f"network_acl.{direction}", title, self.network.acl_filter(name, direction))

    def _vswitch(self, name: str) -> Body:
        """The ACL and the routes of a vSwitch."""
        vswitch = self.network.topology.vswitches[name]
        if isinstance(vswitch.network_acl, Unknown):
            yield Note(self.word("show_acl_unknown", reason=known(vswitch.network_acl)))
        elif vswitch.network_acl:
            yield from self._acl(vswitch.network_acl)
        if isinstance(vswitch.route_table, Unknown):
            yield Note(self.word("show_table_unknown", reason=known(vswitch.route_table)))
        else:
            title = self.word("show_routes", table=self.network.table_of(name) or "system")
            yield self.listing("routes", title, self.network.route_filter(name), routes=True)

    def _interface(self, interface: Interface) -> Sheet:
        body, eni = list(self._of_interface(interface)), interface.eni
        refers = self._referred_by("network_interfaces", interface.id)
        return Sheet("network_interfaces", interface.id, SECTIONS["network_interfaces"], self.place(*interface.path),
                     None, given(eni, without=set()), body, refers)  # fmt: skip

    def _of_interface(self, interface: Interface) -> Body:
        eni, network = interface.eni, self.network
        state = self.word("show_status", status=known(eni.status))
        if interface.instance_id:
            state += f", {self.word('show_attached', instance=visible(interface.instance_id, 200))}"
        yield Note(state)
        for path, address in interface.addresses():
            yield Note(f"{address}  ({path[len(interface.path)]})", self.place(*path))
        for public in network.publics:
            if public.interface and public.interface.id == interface.id:
                yield Note(f"{text(public.address)}  (public, {public.holder})", self.place(*public.path))
        groups = eni.security_groups
        yield Note(f"{self.word('show_groups')}: {known(groups) if isinstance(groups, Unknown) else ', '.join(groups)}")
        for direction in (Direction.INGRESS, Direction.EGRESS):
            packed = network.group_filter(interface, direction)
            yield self.listing(str(direction), self.word(f"show_{direction}"), packed)
        vswitch = network.topology.vswitches.get(eni.vswitch)
        if vswitch is None:
            yield Note(f"vSwitch {eni.vswitch}: {self.word('unknown')}")
        else:
            yield Note(f"vSwitch {eni.vswitch}  {vswitch.cidr}", self.place("vswitches", eni.vswitch))
            yield from self._vswitch(eni.vswitch)


def given(described: Any, without: set[str]) -> Any:
    """The fields that the file gives, as it would write them."""
    if isinstance(described, list):
        return list(described)
    return described.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=without)


def known(value: object) -> str:
    """A value as it is; of one that is declared unknown, why."""
    return visible(f"unknown ({value.unknown})" if isinstance(value, Unknown) else str(value), 300)
