"""Exact sets of ports as people see them: reports that know how to show themselves, and how each is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.exposure import exposure, parse_allowed
from netinsight.diagnosis.pair_ports import pair_ports, read_asked
from netinsight.diagnosis.port_sets import Asking
from netinsight.diagnosis.reach_report import Exposure, Ports, WhoCanReach
from netinsight.diagnosis.who_can_reach import who_can_reach
from netinsight.render.port_sets import exposure_text, ports_text, who_text

__all__ = ["Asking", "ExposureAnswer", "PortsAnswer", "Sets", "WhoCanReachAnswer"]

Protocols = str | Iterable[str] | None


class _Answer(BaseModel):
    """A report that knows how to show itself."""

    model_config = ConfigDict(defer_build=True)  # nothing of it is validated: it is made of a report

    _catalogue: Catalogue = PrivateAttr()

    @classmethod
    def of(cls, report: BaseModel, catalogue: Catalogue) -> Self:
        """A report, with the catalogue whose words it is told in."""
        answer = cls.model_construct(report.model_fields_set, **dict(report))
        answer._catalogue = catalogue
        return answer  # type: ignore[return-value]  # pydantic's plugin takes what is constructed for this very class


class PortsAnswer(_Answer, Ports):
    """The exact set of ports between two objects, as ``Ports``; ``print`` gives the text."""

    def text(self, *, colour: bool = False, everything: bool = False) -> str:
        """As the command line prints it; with ``everything`` each rule by itself, and no list cut short."""
        return ports_text(self, self._catalogue, colour=colour, everything=everything)

    def __str__(self) -> str:
        return self.text()


class WhoCanReachAnswer(_Answer, WhoCanReach):
    """Who reaches a destination, as ``WhoCanReach``; ``print`` gives the text."""

    def text(self, *, colour: bool = False, everything: bool = False, summary: bool = False) -> str:
        """As the command line prints it; with ``everything`` who does not too, with ``summary`` numbers for names."""
        return who_text(self, self._catalogue, colour=colour, everything=everything, summary=summary)

    def __str__(self) -> str:
        return self.text()


class ExposureAnswer(_Answer, Exposure):
    """What the Internet reaches, as ``Exposure``; ``print`` gives the text."""

    def text(self, *, colour: bool = False, everything: bool = False, summary: bool = False) -> str:
        """As the command line prints it; with ``everything`` no list cut short, with ``summary`` no packets and rules."""
        return exposure_text(self, self._catalogue, colour=colour, everything=everything, summary=summary)

    def __str__(self) -> str:
        return self.text()


class Sets(NamedTuple):
    """Asks for them."""

    asking: Asking
    lang: Lang

    def ports(self, src: str, dst: str, port: int | str | None, protocol: Protocols, family: int | None) -> PortsAnswer:
        """What passes between two objects."""
        report = pair_ports(self.asking, src, dst, read_asked(port, protocol, default="all"), family, self.lang)
        return PortsAnswer.of(report, self.asking.catalogue)

    def who_can_reach(
        self, dst: str, port: int | str | None, protocol: Protocols, family: int | None
    ) -> WhoCanReachAnswer:
        """Who reaches an object; a precondition that does not hold at a source is a blocker of that."""
        asking = self.asking._replace(of_many=True)
        report = who_can_reach(asking, dst, read_asked(port, protocol), family, self.lang)
        return WhoCanReachAnswer.of(report, asking.catalogue)

    def exposure(
        self, port: int | str | None, protocol: Protocols, allow: Iterable[str], *, outward: bool
    ) -> ExposureAnswer:
        """What the Internet reaches, and what reaches it."""
        asking, asked = self.asking._replace(of_many=True), read_asked(port, protocol)
        report = exposure(asking, asked, tuple(map(parse_allowed, allow)), self.lang, outward=outward)
        return ExposureAnswer.of(report, asking.catalogue)
