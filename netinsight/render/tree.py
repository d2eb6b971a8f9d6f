"""What a topology holds as text, as a tree: VPCs, vSwitches and ENIs, gateways and routes out, then what joins VPCs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netinsight.errors import visible
from netinsight.network.outline import EniPart, Outline, VpcPart
from netinsight.network.outline_gates import GatePart
from netinsight.render.layout import Paint


def tree(drawn: Outline, paint: Paint) -> str:
    """VPCs, their vSwitches, and the ENIs in them; their gateways and routes out; then what joins VPCs."""
    lines: list[str] = []
    for vpc in drawn.vpcs:
        lines.append(paint(visible(vpc.id, 200), "bold") + _after(vpc.name, *vpc.cidrs))
        lines += _drawn(_branches(vpc, paint))
    for eni in drawn.elsewhere:
        lines.append(_eni_line(eni))
    for link in drawn.links:
        lines.append(_gate_line(link, paint))
        lines += _drawn((_gate_line(part, paint), ()) for part in link.parts)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _branches(vpc: VpcPart, paint: Paint) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What stands below a VPC, each with what stands below that."""
    for vswitch in vpc.vswitches:
        told = _after(vswitch.cidr, vswitch.zone, vswitch.acl, vswitch.table)
        yield paint(visible(vswitch.id, 200), "bold") + told, tuple(map(_eni_line, vswitch.enis))
    for gate in vpc.gates:
        yield _gate_line(gate, paint), tuple(_gate_line(part, paint) for part in gate.parts)
    for road in vpc.roads:
        yield visible(f"{road.destination} → {road.next_hop}{_after(road.table)}", 300), ()


def _drawn(branches: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[str]:
    """Branches with the lines of a tree before them."""
    whole = list(branches)
    for number, (line, below) in enumerate(whole, start=1):
        last = number == len(whole)
        yield f"{'└──' if last else '├──'} {line}"
        for i, inner in enumerate(below, start=1):
            yield f"{'    ' if last else '│   '}{'└──' if i == len(below) else '├──'} {inner}"


def _gate_line(gate: GatePart, paint: Paint) -> str:
    return paint(visible(gate.id, 200), "bold") + _after(gate.called, *gate.told, gate.state)


def _eni_line(eni: EniPart) -> str:
    public = f"⇄ {', '.join(eni.public)}" if eni.public else ""
    return visible(eni.id, 200) + _after(eni.ip, eni.instance, eni.name and f"({eni.name})", eni.state, public)


def _after(*words: str) -> str:
    return "".join(f"  {visible(word, 200)}" for word in words if word)
