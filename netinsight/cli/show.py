"""``netinsight show``: what a topology holds, as text or drawn."""

from __future__ import annotations

import argparse

from netinsight.api import Net, load
from netinsight.cli.output import wants_colour, write
from netinsight.diagnosis.catalogue import Lang
from netinsight.errors import ExitStatus, ObjectError, did_you_mean
from netinsight.model.topology import SECTIONS
from netinsight.network.ends import find_end
from netinsight.network.outline import belonging, outline
from netinsight.render.layout import Paint


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
    try:
        end = find_end(net.network, written)
    except ObjectError as error:
        known = [name for section in SECTIONS for name in getattr(net.topology, section)]
        hint = did_you_mean(written, [*known, *net.network.enis])
        raise ObjectError(error.problems[0].message, hint=hint or error.problems[0].hint) from None
    if end.interface is None and end.public:
        return "eips", end.public.holder
    if end.interface is None:
        raise ObjectError(f"`{written[:60]}` is outside the topology", hint="name an object of the topology")
    if end.instance_id and written != end.interface.id:
        return "instances", end.instance_id
    return "network_interfaces", end.interface.id


def _shown(net: Net, found: tuple[str, str] | None, arguments: argparse.Namespace) -> str:
    paint = Paint(wants_colour(arguments))
    if arguments.output == "text" and found is not None and found[0] != "vpcs":
        from netinsight.render.inventory import Inventory

        return Inventory(net.network, net.catalogue, Lang(arguments.lang), paint).tell(*found)
    drawn = outline(net.network, net.graph, belonging(net.network, *found) if found else None)
    if arguments.output == "svg":
        from netinsight.render.map_picture import map_picture

        return map_picture(drawn)
    if arguments.output == "text":
        from netinsight.render.inventory import tree

        return tree(drawn, paint)
    from netinsight.render.diagram import dot, mermaid

    return mermaid(drawn) if arguments.output == "mermaid" else dot(drawn)
