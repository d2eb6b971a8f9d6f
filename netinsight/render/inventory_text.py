"""The sheet of an object as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from netinsight.errors import Place, visible
from netinsight.render.inventory import Inventory
from netinsight.render.layout import Paint, hang
from netinsight.render.marks import place
from netinsight.render.sheets import Listing, Names, Note, Row, Sheet

MOST_NAMES = 40
LONGEST = 2000
"""Characters of an entry."""

_TOLD_OTHERWISE = frozenset({"vpcs", "vswitches", "security_groups", "network_acls", "route_tables", "prefix_lists",
                             "port_lists", "instances", "network_interfaces"})  # fmt: skip
"""Sections whose sheets name what hangs on them; of the others it is told what refers to them."""


def to_text(sheet: Sheet, inventory: Inventory, paint: Paint) -> str:
    """A sheet, and those of its parts."""
    lines = list(_lines(sheet, inventory, paint))
    for part in sheet.parts:
        lines += ["", *_lines(part, inventory, paint)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _lines(sheet: Sheet, inventory: Inventory, paint: Paint) -> Iterator[str]:
    yield paint(visible(sheet.id, 200), "bold") + f"  {sheet.called}{_where(sheet.place)}"
    yield from _fields(sheet.shown)
    for one in sheet.body:
        if isinstance(one, Note):
            yield f"  {one.text}{_where(one.place)}"
        elif isinstance(one, Names):
            yield from _names(one, inventory)
        else:
            yield from _listing(one, inventory)
    if sheet.section not in _TOLD_OTHERWISE:
        yield from _listing(Listing("referred_by", inventory.word("show_referred_by"), sheet.referred_by()), inventory)


def _fields(shown: Any) -> Iterator[str]:
    if isinstance(shown, list):
        yield from (f"  - {one}" for one in shown)
    elif shown:
        written = yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, default_flow_style=None, width=96)
        yield from (f"  {visible(line, 300)}" for line in written.splitlines())


def _names(one: Names, inventory: Inventory) -> Iterator[str]:
    shown = ", ".join(one.ids[:MOST_NAMES])
    more = f" {inventory.word('more', n=len(one.ids) - MOST_NAMES)}" if len(one.ids) > MOST_NAMES else ""
    yield from hang("  ", f"{one.title}: {shown or '-'}{more}")


def _listing(one: Listing, inventory: Inventory) -> Iterator[str]:
    yield f"  {one.title}"
    for row in one.rows:
        yield from hang("    ", f"{_said(row, inventory)}  [{_named(row)}]")
    if not one.rows:
        yield "    -"


def _said(row: Row, inventory: Inventory) -> str:
    why = f"; {inventory.word('show_no_effect', status=row.no_effect)}" if row.no_effect else ""
    return visible(row.text + why, LONGEST)


def _named(row: Row) -> str:
    return f"{row.id} {place(row.place.file, row.place.line)}" if row.place.file else row.id


def _where(found: Place) -> str:
    return f"  [{place(found.file, found.line)}]" if found.file else ""
