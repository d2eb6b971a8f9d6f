"""Why each row of a list decides a packet, or does not: field by field, in the order in which the rows are tried.

Everything here is read off the packed rows by the functions that decide (``kernels``, ``classify.partition``), so that
an explanation cannot say otherwise than the decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from netinsight.addresses import within
from netinsight.engine.classify import accepts, fields_matched, is_certain, partition
from netinsight.engine.spaces import Region
from netinsight.network.filters import Filter, Origin
from netinsight.network.steps import Packet

FIELDS = ("source", "destination", "protocol", "source_port", "port")


class Extent(StrEnum):
    """How much of what was asked a field of a rule matches."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What became of a rule."""

    DECIDES = "decides"
    MAY_DECIDE = "may_decide"
    NO_MATCH = "no_match"
    AFTER = "after"
    """What it would match was decided by the rules before it, or all was."""


class Considered(NamedTuple):
    """A rule against a packet.

    Attributes
    ----------
    fields
        ``FIELDS`` → how much of the packet the field matches.
    decides
        The part of the packet's ports that it decides, or may decide.
    """

    origin: Origin
    accepts: bool
    fields: dict[str, Extent]
    outcome: Outcome
    decides: Region = ()

    @property
    def missed(self) -> tuple[str, ...]:
        """The fields for which the rule does not match; exactly one is a near miss."""
        return tuple(name for name in FIELDS if self.fields[name] is Extent.NO)


def consider(packed: Filter, packet: Packet) -> list[Considered]:
    """Every rule of a list against a packet, in the order of the list; a rule that is several rows is told once."""
    ends = (packet.source, packet.destination, packet.protocol)
    cells = partition(packed.table, *ends, packet.box)
    decided: dict[str, list[int]] = defaultdict(list)
    for number, cell in enumerate(cells):
        for row in cell.rows:
            decided[_key(packed, row)].append(number)
    rows: dict[str, list[int]] = defaultdict(list)
    for row in range(packed.table.count):
        rows[_key(packed, row)].append(row)
    open_ended = any(not cell.rows or not is_certain(packed.table, cell.rows[-1]) for cell in cells)
    last = packed.table.count if open_ended else max(row for cell in cells for row in cell.rows)
    told = []
    placed = {key: _telling(packed, mine, packet) for key, mine in rows.items()}
    for key, at in sorted(placed.items(), key=lambda pair: pair[1]):
        mine = rows[key]
        region = tuple(cells[number].box for number in dict.fromkeys(decided[key]))
        sure = any(is_certain(packed.table, cells[number].rows[-1]) and _key(packed, cells[number].rows[-1]) == key
                   for number in decided[key])  # fmt: skip
        origin, fields = packed.origins[mine[0]], _fields(packed, mine, packet)
        outcome = Outcome.NO_MATCH
        if region:
            outcome = Outcome.DECIDES if sure else Outcome.MAY_DECIDE
        elif not origin.idle and (at > last or Extent.NO not in fields.values()):
            outcome = Outcome.AFTER
        told.append(Considered(origin, accepts(packed.table, mine[0]), fields, outcome, region))
    return told


def _telling(packed: Filter, rows: list[int], packet: Packet) -> int:
    """Of the rows of a rule (a prefix list in a table has one for each length) the first that matches, else the first."""
    ends = (packet.source, packet.destination, packet.protocol)
    return next((row for row in rows if all(fields_matched(packed.table, row, *ends, packet.box))), rows[0])


def _key(packed: Filter, row: int) -> str:
    """Rows of one rule; what is not known may accept or drop, and is told once."""
    return packed.origins[row].id


def _fields(packed: Filter, rows: Iterable[int], packet: Packet) -> dict[str, Extent]:
    """The best that any row of a rule does for each field; *unknown* where only a row that may not be there does it."""
    best = {True: dict.fromkeys(FIELDS, 0), False: dict.fromkeys(FIELDS, 0)}
    ends = (packet.source, packet.destination, packet.protocol)
    listed = list(rows)
    for row in listed:
        mine = best[is_certain(packed.table, row)]
        matched = fields_matched(packed.table, row, *ends, packet.box)
        for name, extent in zip(FIELDS, matched, strict=True):
            mine[name] = max(mine[name], extent)
    if not any(is_certain(packed.table, row) for row in listed):
        doubted = _doubted(packed.origins[listed[0]])
        best[True] = {name: 0 if name in doubted else best[False][name] for name in FIELDS}
    told = {name: _EXTENTS[best[True][name]] if best[True][name] >= best[False][name] else Extent.UNKNOWN
            for name in FIELDS}  # fmt: skip
    written = packed.origins[listed[0]]
    if written.idle and within([getattr(written.rule, "destination", "")], packet.destination):
        told["destination"] = Extent.YES  # it would match, if it took effect
    return told


_EXTENTS = (Extent.NO, Extent.PARTLY, Extent.YES)


def _doubted(origin: Origin) -> tuple[str, ...]:
    """The fields of a rule that are not known: those that name what is not."""
    rule = origin.rule
    if rule is None:
        return FIELDS
    named = {"port": "ports", "source_port": "source_ports", "source": "source", "destination": "destination"}
    found = tuple(name for name, key in named.items() if getattr(rule, key, None) == origin.target)
    return found or FIELDS
