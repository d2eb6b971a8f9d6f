"""``netinsight show``: what a topology holds, as text, as JSON or drawn."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from netinsight.api import Net, load
from netinsight.cli.output import wants_colour, write
from netinsight.diagnosis.catalogue import Lang
from netinsight.errors import ExitStatus, ObjectError, QuestionError, did_you_mean, one_of, visible
from netinsight.model.topology import SECTIONS
from netinsight.network.ends import find_end
from netinsight.network.outline import belonging, outline
from netinsight.render.layout import Paint

SCHEMA = "netinsight.show/1"


def run(arguments: argparse.Namespace) -> int:
    """List or draw; returns the exit status."""
    net = load(arguments.topology, rules=arguments.rules)
    found = find_object(net, arguments.object) if arguments.object is not None else None
    write(_shown(net, found, arguments), arguments.to)
    return ExitStatus.REACHABLE


def find_object(net: Net, written: str) -> tuple[str, str]:
    """The section and id of what a user named: any id of the topology, or what ``--src`` would take.

    Raises
    ------
    ObjectError
        Where it means nothing, or several things.
    """
    for section in SECTIONS:
        if written in getattr(net.topology, section):
            return section, written
    named = [(section, name) for section in SECTIONS for name, one in getattr(net.topology, section).items()
             if getattr(one, "name", None) == written]  # fmt: skip
    named += [("network_interfaces", one.id) for one in net.network.enis.values()
              if one.eni.name == written and one.instance_id]  # fmt: skip
    if written in net.network.enis:
        return "network_interfaces", written
    if len(named) > 1:
        raise ObjectError(f"the name `{visible(written)}` is that of {one_of([name for _, name in named])}",
                          hint="use the id")  # fmt: skip
    return named[0] if named else _by_address(net, written)


def _by_address(net: Net, written: str) -> tuple[str, str]:
    try:
        end = find_end(net.network, written)
    except ObjectError as error:
        known = [name for section in SECTIONS for name in getattr(net.topology, section)]
        hint = did_you_mean(written, [*known, *net.network.enis])
        raise ObjectError(error.problems[0].message, hint=hint or error.problems[0].hint) from None
    if end.interface is None and end.public:
        return "eips", end.public.holder
    if end.interface is None:
        raise ObjectError(f"`{visible(written)}` is outside the topology", hint="name an object of the topology")
    return ("instances", end.instance_id) if end.instance_id else ("network_interfaces", end.interface.id)


def _shown(net: Net, found: tuple[str, str] | None, arguments: argparse.Namespace) -> str:
    paint, form = Paint(wants_colour(arguments)), arguments.output
    if found is not None and (form == "json" or (form == "text" and found[0] != "vpcs")):
        from netinsight.render.inventory import Inventory
        from netinsight.render.inventory_text import to_text

        inventory = Inventory(net.network, net.catalogue, Lang(arguments.lang))
        sheet = inventory.sheet(*found)
        return to_text(sheet, inventory, paint) if form == "text" else _json({"object": sheet.as_json()})
    drawn = outline(net.network, net.graph, belonging(net.network, net.graph, *found) if found else None)
    if found and not drawn.vpcs and not drawn.elsewhere and not drawn.links:
        raise QuestionError(
            f"nothing to draw of {found[1]}: no vSwitch or ENI belongs to it", hint="--output text tells it"
        )
    if form == "json":
        return _json(asdict(drawn))
    if form == "svg":
        from netinsight.render.map_picture import map_picture

        return map_picture(drawn)
    if form == "text":
        from netinsight.render.tree import tree

        return tree(drawn, paint)
    from netinsight.render.diagram import dot, mermaid

    return mermaid(drawn) if form == "mermaid" else dot(drawn)


def _json(told: dict[str, Any]) -> str:
    return json.dumps({"schema": SCHEMA, **told}, indent=2, ensure_ascii=False) + "\n"
