"""The Python API: load a topology once, ask it many questions.

>>> import netinsight as ni                                            # doctest: +SKIP
>>> net = ni.load("topology.yaml")                                     # doctest: +SKIP
>>> net.diagnose(src="i-a", dst="i-b", port=22).verdict                # doctest: +SKIP
<Verdict.REACHABLE: 'reachable'>
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import IO, TYPE_CHECKING

from pydantic_core import PydanticCustomError

from netinsight.diagnosis.catalogue import Catalogue, Lang, load_catalogue
from netinsight.diagnosis.diagnose import diagnose
from netinsight.diagnosis.report import Report
from netinsight.errors import Problem, QuestionError
from netinsight.flow import PortRange, Question, parse_ports, parse_protocol
from netinsight.model.topology import Topology, check_assumptions
from netinsight.network.build import Network
from netinsight.render.text import render_text
from netinsight.sources.topology_file import read_topology

if TYPE_CHECKING:
    import networkx


class Net:
    """A topology that answers questions.

    Parameters
    ----------
    topology
        Valid; ``load`` gives one from a file.
    assume
        Open points by name, see docs/assumptions.md.
    rules
        A folder whose files override the shipped catalogue.

    Raises
    ------
    QuestionError
        For an assumption that does not exist.
    InputError
        For a rule folder that is wrong.
    """

    def __init__(
        self,
        topology: Topology,
        *,
        assume: dict[str, str] | None = None,
        rules: str | None = None,
        warnings: tuple[Problem, ...] = (),
    ) -> None:
        try:
            check_assumptions(assume or {})
        except PydanticCustomError as error:
            context = error.context or {}
            raise QuestionError(str(context["message"]), hint=str(context["hint"])) from None
        self.topology = topology
        self.warnings = warnings
        self.catalogue: Catalogue = load_catalogue(rules)
        self.network = Network(topology, assume)

    @cached_property
    def graph(self) -> networkx.MultiDiGraph:
        """The networkx graph, made when it is first asked for; docs/architecture.md documents its nodes and edges."""
        from netinsight.network.graph import build_graph

        return build_graph(self.network)

    def diagnose(
        self,
        src: str,
        dst: str,
        *,
        port: int | str | None = None,
        protocol: int | str = "tcp",
        source_port: int | str | None = None,
        icmp_type: int | None = None,
        family: int | None = None,
        one_way: bool = False,
        guest: bool = True,
        at: datetime | None = None,
        lang: str = "en",
        explain: bool = False,
    ) -> Report:
        """Why a connection passes or fails.

        Parameters
        ----------
        src, dst
            An instance, an ENI, a name, an address, or ``internet``.
        port, source_port
            A port, or a range as text: ``"8000-8010"``.
        at
            The moment that expiry and blackholes are judged at; else the topology's ``collected_at``, else now.
        explain
            Tell of each stage every rule that it tried, and on which fields it failed.

        Raises
        ------
        QuestionError
            Where the question cannot be asked.
        """
        question = Question(
            source=src,
            destination=dst,
            protocol=parse_protocol(str(protocol)),
            ports=_ports(port, "port"),
            source_ports=_ports(source_port, "source port"),
            icmp_type=icmp_type,
            family=family,
            one_way=one_way,
        )
        moment = at or self.topology.collected_at or datetime.now(UTC).replace(microsecond=0)
        return diagnose(self.network, question, moment, self.catalogue, Lang(lang), guest, explain)

    def text(self, report: Report, *, colour: bool = False, every_item: bool = False) -> str:
        """A report as the command line prints it."""
        return render_text(report, self.catalogue, colour=colour, every_item=every_item)


def _ports(written: int | str | None, what: str) -> PortRange | None:
    return None if written is None else parse_ports(str(written), what)


def load(
    source: str, *, assume: dict[str, str] | None = None, rules: str | None = None, stdin: IO[bytes] | None = None
) -> Net:
    """Read a topology: a YAML or JSON file, a folder of them, or ``-`` for standard input.

    Raises
    ------
    InputError
        With every problem of every file.
    """
    reading = read_topology(source, stdin)
    return Net(reading.topology, assume=assume, rules=rules, warnings=reading.warnings)
