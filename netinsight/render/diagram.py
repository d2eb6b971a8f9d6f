"""An outline as Mermaid and as DOT: frames for VPCs and vSwitches, a node for each ENI and each gateway, edges along roads.

Gateways stand beside the frame of their VPC: an edge from a frame may not end inside it.
"""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.errors import visible
from netinsight.network.outline import EniPart, Outline, VpcPart
from netinsight.network.outline_gates import GatePart

INTERNET = "\0internet"
"""The node of the Internet; an id that no object can have."""

ROUTER = "\0router "
"""Before the id of a VPC: the node that its roads to its own ENIs begin at, where a frame may not have an edge into itself."""


def mermaid(drawn: Outline) -> str:
    """A Mermaid flowchart; every text quoted, ids made up so that none can be a keyword."""
    numbers = _Numbers()
    lines = ["flowchart LR"]
    for vpc in drawn.vpcs:
        lines.append(f"  subgraph {numbers.of(vpc.id)}[{_mermaid_text(vpc.id, *vpc.cidrs)}]")
        for vswitch in vpc.vswitches:
            lines.append(f"    subgraph {numbers.of(vswitch.id)}[{_mermaid_text(vswitch.id, vswitch.cidr)}]")
            lines += [f"      {numbers.of(eni.id)}[{_mermaid_text(*_eni_lines(eni))}]" for eni in vswitch.enis]
            lines.append("    end")
        lines.append("  end")
    lines += [f"  {numbers.of(eni.id)}[{_mermaid_text(*_eni_lines(eni))}]" for eni in drawn.elsewhere]
    lines += [f"  {numbers.of(gate.id)}([{_mermaid_text(*_gate_lines(gate))}])" for gate in drawn.gates()]
    inside = {vpc.id: {eni.id for vswitch in vpc.vswitches for eni in vswitch.enis} for vpc in drawn.vpcs}
    for tail, end, text in edges(drawn):
        start = f"{ROUTER}{tail}" if end in inside.get(tail, ()) else tail
        for name in (start, end):
            if not numbers.has(name):
                lines.append(f"  {numbers.of(name)}(({_mermaid_text(*_shown(name))}))")
        lines.append(f"  {numbers.of(start)} -->|{_mermaid_text(text)}| {numbers.of(end)}")
    return "\n".join(lines) + "\n"


def dot(drawn: Outline) -> str:
    """A Graphviz digraph; VPCs and vSwitches are clusters."""
    numbers = _Numbers()
    lines = ["digraph topology {", "  graph [compound=true, rankdir=LR, fontname=Helvetica];",
             "  node [shape=box, style=rounded, fontname=Helvetica];", "  edge [fontname=Helvetica];"]  # fmt: skip
    for vpc in drawn.vpcs:
        lines += [f"  subgraph cluster_{numbers.of(vpc.id)} {{", f"    label={_dot_text(vpc.id, *vpc.cidrs)};"]
        lines.append(f"    {_anchor(numbers, vpc)} [shape=point, style=invis];")
        for vswitch in vpc.vswitches:
            name = numbers.of(vswitch.id)
            lines += [f"    subgraph cluster_{name} {{", f"      label={_dot_text(vswitch.id, vswitch.cidr)};"]
            lines.append(f"      {name}_anchor [shape=point, style=invis];")
            lines += [f"      {numbers.of(eni.id)} [label={_dot_text(*_eni_lines(eni))}];" for eni in vswitch.enis]
            lines.append("    }")
        lines.append("  }")
    lines += [f"  {numbers.of(eni.id)} [label={_dot_text(*_eni_lines(eni))}];" for eni in drawn.elsewhere]
    lines += [
        f"  {numbers.of(gate.id)} [shape=hexagon, label={_dot_text(*_gate_lines(gate))}];" for gate in drawn.gates()
    ]
    vpcs = {vpc.id: vpc for vpc in drawn.vpcs}
    for start, end, text in edges(drawn):
        for name in (start, end):
            if not numbers.has(name):
                lines.append(f"  {numbers.of(name)} [shape=ellipse, label={_dot_text(*_shown(name))}];")
        tail, nose = (_anchor(numbers, vpcs[name]) if name in vpcs else numbers.of(name) for name in (start, end))
        frame = f", ltail=cluster_{numbers.of(start)}" if start in vpcs else ""
        frame += f", lhead=cluster_{numbers.of(end)}" if end in vpcs else ""
        lines.append(f"  {tail} -> {nose} [label={_dot_text(text)}{frame}];")
    return "\n".join([*lines, "}"]) + "\n"


def edges(drawn: Outline) -> Iterator[tuple[str, str, str]]:
    """From, to, text: the Internet to each public address, each VPC along its roads, each gateway to what it leads to."""
    for eni in drawn.enis():
        for address in eni.public:
            yield INTERNET, eni.id, address
    homes = {eni.instance: eni.id for eni in reversed(list(drawn.enis()))}
    for vpc in drawn.vpcs:
        roads = dict.fromkeys((road.next_hop, road.destination) for road in vpc.roads)
        for hop, destination in roads:
            yield vpc.id, homes.get(hop, hop), destination
        for gate in vpc.gates:
            if gate.id not in {hop for hop, _ in roads}:
                yield vpc.id, gate.id, gate.called
    known = {*(vpc.id for vpc in drawn.vpcs), *(eni.id for eni in drawn.enis()), *(gate.id for gate in drawn.gates())}
    for gate in drawn.gates():
        for part in gate.parts:
            yield gate.id, part.id, part.called
        for end, text in dict.fromkeys(gate.leads):
            if end in known:
                yield gate.id, end, text


def _gate_lines(gate: GatePart) -> list[str]:
    return [gate.id, " ".join(filter(None, (gate.called, gate.state))), *gate.told]


def _shown(name: str) -> list[str]:
    return ["internet"] if name == INTERNET else ["router", name[len(ROUTER) :]] if name.startswith(ROUTER) else [name]


class _Numbers:
    """Made-up node names: n1, n2, … by id."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, name: str) -> str:
        return self._known.setdefault(name, f"n{len(self._known) + 1}")

    def has(self, name: str) -> bool:
        return name in self._known


def _anchor(numbers: _Numbers, vpc: VpcPart) -> str:
    """What an edge of a cluster begins at."""
    return f"{numbers.of(vpc.id)}_anchor"


def _eni_lines(eni: EniPart) -> list[str]:
    named = eni.instance or eni.id
    return [f"{named} ({eni.name})" if eni.name else named, eni.ip]


_MERMAID = {
    '"': "#quot;",
    "<": "#lt;",
    ">": "#gt;",
    "#": "#35;",
    "`": "#96;",
    "|": "#124;",
    "%": "#37;",
    "{": "#123;",
    "}": "#125;",
}


def _mermaid_text(*lines: str) -> str:
    shown = ("".join(_MERMAID.get(char, char) for char in visible(line, 120)) for line in lines)
    return f'"{"<br>".join(shown)}"'


def _dot_text(*lines: str) -> str:
    shown = [visible(line, 120).replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(shown) + '"'
