"""What the packets of a path bear between its objects, and where that changes.

A way tells each packet as it meets a stage. Behind the last stage it is what the answer turns round: a host outside has
no stages of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netinsight.diagnosis.report import PacketReport, StageReport

Met = Sequence[Sequence[StageReport]]
"""The stages of one way in each object, in its order."""


class Borne(NamedTuple):
    """The addresses and ports of a packet."""

    source: str
    destination: str
    source_port: str = ""
    port: str = ""

    @property
    def addresses(self) -> tuple[str, str]:
        """Without the ports."""
        return self.source, self.destination

    def turned(self) -> Borne:
        """Those of its answer."""
        return Borne(self.destination, self.source, self.port, self.source_port)


class Translation(NamedTuple):
    """A change of an address at an object.

    Attributes
    ----------
    field
        ``source`` or ``destination``.
    ports
        Before and after, where the port that was asked for changes too.
    both
        Whether the way back undoes it at the same object.
    """

    field: str
    before: str
    after: str
    ports: tuple[str, str] | None = None
    both: bool = False

    @property
    def text(self) -> str:
        """Before and after; the arrow points both ways where the way back undoes it."""
        before, after = (f":{port}" for port in self.ports) if self.ports else ("", "")
        return f"{self.before}{before} {'⇄' if self.both else '→'} {self.after}{after}"


def between(met: Met, other: Met) -> list[Borne | None]:
    """For each gap between objects, in the order of the way, what is borne there; ``other`` is the way opposite.

    A public address is put on as the packet leaves the edge, though the stage tells it already.
    """
    carried: Borne | None = None
    found, arrives = [], _arrives(met, other)
    for number, here in enumerate(met[:-1]):
        following = next((stages[0] for stages in met[number + 1 :] if stages), None)
        if here and here[-1].stage == "public_ip.egress":
            carried = _borne(here[-1].packet)
        elif following and following.stage != "public_ip.egress":
            carried = _borne(following.packet)
        elif following is None and arrives:
            carried = arrives
        elif carried is None and here:
            carried = _borne(here[-1].packet)
        found.append(carried)
    return found


def _arrives(met: Met, other: Met) -> Borne | None:
    """What arrives, where nothing on the way may have stopped it and the opposite way begins with its answer."""
    stages = [stage for here in met for stage in here]
    first = next((stage for here in other for stage in here), None)
    if first is None or not stages or any(stage.decision in ("drop", "unknown") for stage in stages):
        return None
    return _borne(first.packet).turned()


def _borne(packet: PacketReport) -> Borne:
    return Borne(packet.src, packet.dst, packet.source_port, packet.port)


def translations(
    there: tuple[Borne | None, Borne | None], back: tuple[Borne | None, Borne | None]
) -> Iterator[Translation]:
    """What an object changes: what is borne before and after it, on the way there and on the way back."""
    up = [one._replace(ports=None) for one in _changes(*back)]
    for one in _changes(*there):
        undone = next((other for other in up if (other.before, other.after) == (one.after, one.before)), None)
        if undone:
            up.remove(undone)
        yield one._replace(both=undone is not None)
    yield from up


def _changes(before: Borne | None, after: Borne | None) -> Iterator[Translation]:
    if before is None or after is None:
        return
    if before.source != after.source:
        yield Translation("source", before.source, after.source)
    if before.destination != after.destination:
        ports = (before.port, after.port) if before.port != after.port else None
        yield Translation("destination", before.destination, after.destination, ports)
