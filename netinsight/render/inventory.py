"""What a topology holds as text: the tree of all of it, or one object with its groups, rules, routes and addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.texts import what_it_says
from netinsight.engine.classify import accepts
from netinsight.errors import visible
from netinsight.model.base import Unknown
from netinsight.model.security_group import Direction, SecurityGroup
from netinsight.model.topology import SECTIONS, Interface
from netinsight.network.build import Network
from netinsight.network.filters import Filter
from netinsight.network.outline import EniPart, Outline, VpcPart
from netinsight.render.layout import Paint, hang
from netinsight.render.marks import place


def tree(drawn: Outline, paint: Paint) -> str:
    """VPCs, their vSwitches, and the ENIs in them."""
    lines: list[str] = []
    for vpc in drawn.vpcs:
        lines.append(paint(visible(vpc.id, 200), "bold") + _after(vpc.name, *vpc.cidrs))
        lines += _branches(vpc, paint)
    for eni in drawn.elsewhere:
        lines.append(_eni_line(eni))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _branches(vpc: VpcPart, paint: Paint) -> Iterator[str]:
    below = [(vswitch.id, _after(vswitch.cidr, vswitch.zone, vswitch.acl, vswitch.table), vswitch.enis)
             for vswitch in vpc.vswitches]  # fmt: skip
    total = len(below) + len(vpc.roads)
    for number, (name, told, enis) in enumerate(below, start=1):
        last = number == total
        yield f"{'└──' if last else '├──'} {paint(visible(name, 200), 'bold')}{told}"
        for i, eni in enumerate(enis, start=1):
            yield f"{'    ' if last else '│   '}{'└──' if i == len(enis) else '├──'} {_eni_line(eni)}"
    for number, road in enumerate(vpc.roads, start=len(below) + 1):
        told = f"{road.destination} → {road.next_hop}{_after(road.table)}"
        yield f"{'└──' if number == total else '├──'} {visible(told, 300)}"


def _eni_line(eni: EniPart) -> str:
    public = f"⇄ {', '.join(eni.public)}" if eni.public else ""
    return visible(eni.id, 200) + _after(eni.ip, eni.instance, eni.name and f"({eni.name})", eni.state, public)


def _after(*words: str) -> str:
    return "".join(f"  {visible(word, 200)}" for word in words if word)


@dataclass(frozen=True, slots=True)
class Inventory:
    """Tells of one object at a time."""

    network: Network
    catalogue: Catalogue
    lang: Lang
    paint: Paint

    def tell(self, section: str, name: str) -> str:
        """An object of a section of the topology."""
        lines = [self._title(section, name)]
        if section == "instances":
            interfaces = [one for one in self.network.enis.values() if one.instance_id == name]
            lines += self._facts(section, name, without={"network_interfaces", "guest"})
            for interface in interfaces:
                lines += ["", *self._interface(interface)]
        elif section == "network_interfaces":
            lines = self._interface(self.network.enis[name])
        else:
            lines += self._facts(section, name, without={"rules", "ingress", "egress", "routes"})
            lines += self._lists(section, name)
        return "\n".join(line.rstrip() for line in lines) + "\n"

    def _word(self, name: str, **values: object) -> str:
        return self.catalogue.word(name, self.lang, **values)

    def _where(self, *path: str | int) -> str:
        found = self.network.topology.place(*path)
        return f"  [{place(found.file, found.line)}]" if found.file else ""

    def _title(self, section: str, name: str) -> str:
        path = self.network.enis[name].path if section == "network_interfaces" else (section, name)
        return self.paint(visible(name, 200), "bold") + f"  {SECTIONS[section]}{self._where(*path)}"

    def _facts(self, section: str, name: str, without: set[str]) -> Iterator[str]:
        """The fields that the file gives, as it would write them."""
        described = getattr(self.network.topology, section)[name]
        if isinstance(described, list):
            yield from (f"  - {one}" for one in described)
            return
        given = described.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=without)
        if given:
            written = yaml.safe_dump(given, sort_keys=False, allow_unicode=True, default_flow_style=None, width=96)
            yield from (f"  {visible(line, 300)}" for line in written.splitlines())

    def _interface(self, interface: Interface) -> list[str]:
        eni, network = interface.eni, self.network
        state = self._word("show_status", status=_known(eni.status))
        if interface.instance_id:
            state += f", {self._word('show_attached', instance=visible(interface.instance_id, 200))}"
        lines = [self.paint(visible(interface.id, 200), "bold") + f"  ENI{self._where(*interface.path)}", f"  {state}"]
        for path, address in interface.addresses():
            lines.append(f"  {address}  ({path[len(interface.path)]}){self._where(*path)}")
        for public in network.publics:
            if public.interface and public.interface.id == interface.id:
                shown = network.topology.place(*public.path)
                told = f"  [{place(shown.file, shown.line)}]" if shown.file else ""
                lines.append(f"  {_text(public.address)}  (public, {public.holder}){told}")
        groups = eni.security_groups
        named = _known(groups) if isinstance(groups, Unknown) else ", ".join(groups)
        lines.append(f"  {self._word('show_groups')}: {named}")
        for direction in (Direction.INGRESS, Direction.EGRESS):
            lines += self._rules(self._word(f"show_{direction}"), network.group_filter(interface, direction))
        return [*lines, *self._vswitch_lists(eni.vswitch)]

    def _vswitch_lists(self, name: str) -> list[str]:
        network, vswitch = self.network, self.network.topology.vswitches.get(name)
        if vswitch is None:
            return [f"  vSwitch {name}: {self._word('unknown')}"]
        lines = [f"  vSwitch {name}  {vswitch.cidr}{self._where('vswitches', name)}"]
        if isinstance(vswitch.network_acl, Unknown):
            lines.append(f"  {self._word('show_acl_unknown', reason=_known(vswitch.network_acl))}")
        elif vswitch.network_acl:
            lines += self._acl(vswitch.network_acl)
        if isinstance(vswitch.route_table, Unknown):
            lines.append(f"  {self._word('show_table_unknown', reason=_known(vswitch.route_table))}")
        else:
            table = network.table_of(name) or "system"
            lines += self._rules(self._word("show_routes", table=table), network.route_filter(name), routes=True)
        return lines

    def _acl(self, name: str) -> list[str]:
        lines = []
        for direction in (Direction.INGRESS, Direction.EGRESS):
            title = self._word(f"show_acl_{direction}", acl=name)
            lines += self._rules(title, self.network.acl_filter(name, direction))
        return lines

    def _lists(self, section: str, name: str) -> list[str]:
        """What an object that is no ENI has in lists, and what hangs on it."""
        topology = self.network.topology
        if section == "security_groups":
            return self._group(name, topology.security_groups[name])
        if section == "network_acls":
            bound = [vswitch for vswitch, one in topology.vswitches.items() if one.network_acl == name]
            return [*self._acl(name), self._list_of("show_bound", bound)]
        if section == "route_tables":
            bound = [vswitch for vswitch in topology.vswitches if self.network.table_of(vswitch) == name]
            packed = self.network.table_filter(topology.route_tables[name].vpc, name)
            title = self._word("show_routes", table=name)
            return [*self._rules(title, packed, routes=True), self._list_of("show_bound", bound)]
        if section == "vswitches":
            held = [one.id for one in self.network.enis.values() if one.eni.vswitch == name]
            return [*self._vswitch_lists(name)[1:], self._list_of("show_enis", held)]
        return []

    def _group(self, name: str, group: SecurityGroup) -> list[str]:
        lines: list[str] = []
        for direction in (Direction.INGRESS, Direction.EGRESS):
            lines += self._rules(self._word(f"show_{direction}"), self.network.groups_filter((name,), direction))
        members = [one.id for one in self.network.enis.values()
                   if isinstance(one.eni.security_groups, list) and name in one.eni.security_groups]  # fmt: skip
        return [*lines, self._list_of("show_members", members)]

    def _list_of(self, word: str, names: list[str]) -> str:
        shown = ", ".join(names[:MOST_NAMES])
        more = f" {self._word('more', n=len(names) - MOST_NAMES)}" if len(names) > MOST_NAMES else ""
        return "\n".join(hang("  ", f"{self._word(word)}: {shown or '-'}{more}"))

    def _rules(self, title: str, packed: Filter, *, routes: bool = False) -> list[str]:
        """Each rule of a list once, in the order in which they are tried."""
        lines, told = [f"  {title}"], set()
        for row in range(packed.table.count):
            origin = packed.origins[row]
            if origin.id in told:
                continue
            told.add(origin.id)
            action = "route" if routes else "accept" if accepts(packed.table, row) else "drop"
            text = what_it_says(self.catalogue, self.lang, origin, action)
            where = self.network.topology.place(*origin.path) if origin.path else None
            shown = f"{origin.id} {place(where.file, where.line)}" if where and where.file else origin.id
            lines += hang("    ", f"{text}  [{shown}]")
        return lines


MOST_NAMES = 40


def _known(value: object) -> str:
    """A value as it is; of one that is declared unknown, why."""
    return visible(f"unknown ({value.unknown})" if isinstance(value, Unknown) else str(value), 300)


def _text(address: int) -> str:
    from netinsight.addresses import text

    return text(address)
