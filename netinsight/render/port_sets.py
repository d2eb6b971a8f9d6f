"""Exact sets of ports as text: what passes, for whom, a packet of it, its rules; what stops the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.reach_report import (
    Exposed,
    Exposure,
    Hosts,
    Passing,
    Ports,
    Reaching,
    Stopped,
    Through,
    Way,
    WhoCanReach,
    Witness,
)
from netinsight.diagnosis.report import Assumption, Blocker
from netinsight.render.layout import Paint, hang
from netinsight.render.marks import STYLES, VERDICT_MARKS, place
from netinsight.render.text import end_text

MOST_NAMES, MOST_PORTS, MOST_HOSTS, MOST_RULES = 12, 12, 3, 24
SILENT = "-"
"""The mark of what the network lets through although nothing listens."""


@dataclass(frozen=True, slots=True)
class _Page:
    catalogue: Catalogue
    lang: Lang
    paint: Paint
    everything: bool = False

    def word(self, name: str, /, **values: object) -> str:
        return self.catalogue.word(name, self.lang, **values)

    def names(self, names: Iterable[str], most: int) -> str:
        """Some of many names, and how many more there are."""
        every = list(names)
        left = 0 if self.everything else len(every) - most
        return ", ".join(every[:most] if left > 0 else every) + (f" {self.word('more', n=left)}" if left > 0 else "")

    # ------------------------------------------------------------------ what passes

    def passing(self, rows: list[Passing], *, briefly: bool = False, outward: bool = False) -> Iterator[str]:
        """Rows that differ in their ports only as one."""
        alike: dict[object, list[Passing]] = {}
        for row in rows:
            alike.setdefault(_said(row), []).append(row)
        for same in alike.values():
            first = same[0]
            mark = mark_of(first)
            told = self.word("reach_and").join(self._told(first, [row.ports for row in same], outward))
            head, *more = hang(f"  {mark} ", told)
            yield f"  {self.paint(mark, STYLES[mark])}{head[3:]}"
            yield from more
            if not briefly:
                yield from self._evidence(first)

    def _told(self, row: Passing, ports: list[str], outward: bool) -> Iterator[str]:
        yield self.ports(row.protocol, ports)
        if row.verdict.value == "partial" and (row.hosts is None or row.hosts.every):
            yield self.word("reach_partial")
        if row.hosts and not (outward and row.hosts.every):
            yield self.word("reach_hosts_to" if outward else "reach_hosts", hosts=self.hosts(row.hosts))
        if row.listening:
            yield self.word(f"reach_listening_{row.listening}")

    def ports(self, protocol: str, ports: list[str]) -> str:
        """``tcp 22 (SSH), 8000-8010``."""
        if ports == ["-1/-1"]:
            return protocol
        usual = self.catalogue.common_ports if protocol == "tcp" else {}
        return f"{protocol} " + self.names(
            (f"{one} ({usual[one]})" if one in usual else one for one in ports), MOST_PORTS
        )

    def hosts(self, hosts: Hosts) -> str:
        """Any host, some prefixes, or any but some."""
        if hosts.every:
            return self.word("reach_every_host")
        if hosts.every_but:
            return self.word("reach_every_but", hosts=self.names(hosts.every_but, MOST_HOSTS))
        return self.names(hosts.prefixes, MOST_HOSTS)

    def _evidence(self, row: Passing) -> Iterator[str]:
        for told in row.not_known:
            yield from hang("      " + self.word("reach_not_known"), told)
        if row.witness:
            yield from hang("      " + self.word("reach_witness"), packet(row.witness))
        if self.everything:
            for rule in row.rules:
                yield from hang(f"      {self.word('by')}", f"{rule.text}  {_placed(rule)}")
        elif row.rules:
            shown = self.names(dict.fromkeys(map(_placed, row.rules)), MOST_RULES)
            yield from hang("      " + self.word("by"), shown)

    def stopped(self, rows: list[Stopped], *, nothing: bool) -> Iterator[str]:
        """What stops the rest, a protocol a line."""
        if rows:
            yield self.paint(self.word("reach_stops_all" if nothing else "reach_stops"), "bold")
        for row in rows:
            first, *more = hang("  ✘ ", f"{row.protocol}: {', '.join(dict.fromkeys(map(self.blocker, row.by)))}")
            yield f"  {self.paint('✘', STYLES['✘'])}{first[3:]}"
            yield from more

    def blocker(self, one: Blocker) -> str:
        """An item and its object."""
        return f"{one.item} {self.word('reach_the_source') if one.object.id == 'source' else one.object.id}"

    def sources(self, who: list[Reaching], most: int = MOST_NAMES) -> Iterator[str]:
        """A line for the sources of each vSwitch and groups."""
        by: dict[str, list[str]] = {}
        for one in who:
            groups = "+".join(one.security_groups or ())
            where = ", ".join(filter(None, (one.vswitch, groups)))
            by.setdefault(where, []).append(
                one.id if one.type != "instance" or not one.eni else f"{one.id} ({one.eni})"
            )
        for where, names in by.items():
            told = self.names(names, most)
            yield from hang("", self.paint(f"{where}: {told}" if where else told, "bold"))

    def foot(self, assumptions: list[Assumption], notice: str, at: str) -> Iterator[str]:
        """What the answer rests on, and what it is worth."""
        if assumptions:
            yield from hang(self.word("assumed"), ", ".join(f"{one.id}={one.value}" for one in assumptions))
        yield from hang("", self.word("at", notice=notice, at=at))


def _said(row: Passing) -> object:
    """What rows share that are told as one."""
    rules = tuple((rule.stage, rule.rule, rule.object) for rule in row.rules)
    arrives = tuple((one.eni, one.ip, one.port == row.ports) for one in row.arrives)
    return row.protocol, row.network, row.verdict, row.listening, _for_whom(row), arrives, tuple(row.not_known), rules


def _for_whom(row: Passing) -> object:
    return (row.hosts.every, *row.hosts.prefixes, None, *row.hosts.every_but) if row.hosts else None


def mark_of(row: Passing) -> str:
    """The mark of a verdict; of what nobody listens to one of its own."""
    return SILENT if row.verdict.value == "unreachable" else VERDICT_MARKS[row.verdict.value]


def packet(one: Witness) -> str:
    """A packet as people write it."""
    if one.port is None:
        return f"{one.protocol} {one.src} -> {one.dst}"
    return f"{one.protocol} {_socket(one.src, one.source_port)} -> {_socket(one.dst, one.port)}"


def _socket(address: str, port: int | None) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _placed(rule: Through) -> str:
    where = place(rule.file, rule.line)
    return f"{rule.rule} [{where}]" if where else rule.rule


def _text(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


# ---------------------------------------------------------------------------------------------------------- the reports


def ports_text(report: Ports, catalogue: Catalogue, *, colour: bool = False, everything: bool = False) -> str:
    """What passes between two ends."""
    page = _Page(catalogue, Lang(report.lang), Paint(colour), everything)
    return _text(_ports(report, page))


def _ports(report: Ports, page: _Page) -> Iterator[str]:
    yield from hang("", page.paint(f"{end_text(report.source)} -> {end_text(report.destination)}", "bold"))
    yield ""
    if report.passing:
        yield page.paint(page.word("reach_passes"), "bold")
        yield from page.passing(report.passing, outward=report.destination.ip is None)
    else:
        yield page.word("reach_nothing")
    yield ""
    yield from page.stopped(report.stopped, nothing=not report.passing)
    if report.stopped:
        yield ""
    gaps: dict[str, list[str]] = {}
    for gap in report.not_checked:
        gaps.setdefault(gap.object.id, []).append(gap.item)
    for name, items in gaps.items():
        yield from hang(page.word("not_checked"), f"{name}: {', '.join(dict.fromkeys(items))}")
    yield from page.foot(report.assumptions, report.notice, report.at)


def who_text(
    report: WhoCanReach,
    catalogue: Catalogue,
    *,
    colour: bool = False,
    everything: bool = False,
    summary: bool = False,
) -> str:
    """Who reaches a destination."""
    page = _Page(catalogue, Lang(report.lang), Paint(colour), everything)
    return _text(_who(report, page, summary))


def _who(report: WhoCanReach, page: _Page, summary: bool) -> Iterator[str]:
    title = page.word("reach_who", object=end_text(report.destination))
    yield from hang("", f"{page.paint(title, 'bold')}  {', '.join(report.asked)}")
    yield ""
    for group in report.groups:
        if summary:
            yield page.paint(_counted(page, len(group.sources)), "bold")
        else:
            yield from page.sources(group.sources)
        yield from page.passing(group.passing, briefly=summary)
        yield ""
    if not report.groups:
        yield from (page.word("reach_nobody"), "")
    silent = sum(len(one.sources) for one in report.unreachable)
    if silent and page.everything:
        yield page.paint(page.word("reach_not"), "bold")
        for one in report.unreachable:
            yield from page.sources(one.sources)
            yield from hang("  ✘ ", ", ".join(map(page.blocker, one.by)) or "-")
        yield ""
    elif silent:
        yield from (page.word("reach_not_count" if silent > 1 else "reach_not_count_one", n=silent), "")
    yield from page.foot(report.assumptions, report.notice, report.at)


def _counted(page: _Page, n: int) -> str:
    return page.word("reach_source") if n == 1 else page.word("reach_sources", n=n)


def exposure_text(
    report: Exposure,
    catalogue: Catalogue,
    *,
    colour: bool = False,
    everything: bool = False,
    summary: bool = False,
) -> str:
    """What the Internet reaches, and what reaches the Internet."""
    page = _Page(catalogue, Lang(report.lang), Paint(colour), everything)
    return _text(_exposure(report, page, summary))


def _exposure(report: Exposure, page: _Page, summary: bool) -> Iterator[str]:
    doors = page.word("reach_doors", doors=report.doors, asked=", ".join(report.asked))
    yield from hang("", f"{page.paint(page.word('reach_exposed'), 'bold')}  {doors}")
    yield ""
    for same in _doors(report, briefly=summary):
        yield from _door(same, page, bool(report.allowed))
        first = [one.passing for one in same if one.address == same[0].address]
        yield from page.passing(first, briefly=summary)
        yield ""
    if not report.exposed:
        yield from (page.word("reach_none_exposed"), "")
    if report.outward:
        yield page.paint(page.word("reach_outward"), "bold")
        yield ""
    for way in report.outward:
        yield from _way(way, page, summary)
    yield from page.foot(report.assumptions, report.notice, report.at)


def _doors(report: Exposure, *, briefly: bool) -> list[list[Exposed]]:
    """What is told together: of a severity the rows of an address; briefly, of every address that has the same."""
    by_address: dict[tuple[str, str, bool], list[Exposed]] = {}
    for one in report.exposed:
        by_address.setdefault((one.severity, one.address, bool(one.not_allowed)), []).append(one)
    if not briefly:
        return list(by_address.values())
    alike: dict[object, list[Exposed]] = {}
    for (severity, _, beyond), rows in by_address.items():
        said = tuple(_outline(one.passing) for one in rows)
        alike.setdefault((severity, beyond, said), []).extend(rows)
    return list(alike.values())


def _outline(row: Passing) -> object:
    """What a summary tells of a row."""
    return row.protocol, row.ports, row.network, row.verdict, row.listening, _for_whom(row)


def _door(same: list[Exposed], page: _Page, has_allowed: bool) -> Iterator[str]:
    first, doors = same[0], {one.address: one.holder.id for one in same}
    arrived = [place.instance or place.eni for one in same for place in one.passing.arrives]
    named = page.names((f"{address} ({holder})" for address, holder in doors.items()), MOST_HOSTS)
    told = [f"{page.word(f'severity_{first.severity}')}  {named}"]
    others = [name for name in dict.fromkeys(arrived) if name not in doors.values()]
    if others:
        told.append(page.word("reach_arrives", places=page.names(others, MOST_HOSTS)))
    if sensitive := list(dict.fromkeys(name for one in same for name in one.sensitive)):
        told.append(page.word("reach_sensitive", ports=page.names(sensitive, MOST_NAMES)))
    if has_allowed:
        beyond: dict[str, dict[str, None]] = {}
        for one in same:
            beyond.setdefault(one.passing.protocol, {}).update(dict.fromkeys(one.not_allowed))
        what = "; ".join(page.ports(protocol, list(ports)) for protocol, ports in beyond.items() if ports)
        told.append(page.word("reach_not_allowed", ports=what) if what else page.word("reach_allowed"))
    yield from hang("", page.paint(page.word("reach_and").join(told), "bold"))


def _way(way: Way, page: _Page, summary: bool) -> Iterator[str]:
    if summary:
        yield page.paint(_counted(page, len(way.sources)), "bold")
    else:
        yield from page.sources(way.sources)
    if way.by:
        yield from hang("  ", page.word("reach_leaves_as", addresses=page.names(way.by, MOST_NAMES)))
    yield from page.passing(way.passing, briefly=True, outward=True)
    if not way.passing:
        why = dict.fromkeys(page.blocker(one) for row in way.stopped for one in row.by)
        yield from hang(
            "  ✘ ", f"{page.word('reach_no_way_out')}: {', '.join(why)}" if why else page.word("reach_no_way_out")
        )
    yield ""
