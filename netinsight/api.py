"""The Python API: load a topology once, ask it many questions.

>>> import netinsight as ni                                            # doctest: +SKIP
>>> net = ni.load("topology.yaml")                                     # doctest: +SKIP
>>> net.diagnose(src="i-a", dst="i-b", port=22).verdict                # doctest: +SKIP
<Verdict.REACHABLE: 'reachable'>
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from netinsight.answer import Answer, AnswerSet
from netinsight.diagnosis.catalogue import Catalogue, Lang, load_catalogue, load_reference
from netinsight.diagnosis.diagnose import diagnose
from netinsight.diagnosis.presets import PRESETS
from netinsight.diagnosis.verdict import together
from netinsight.errors import InputError, Mistakes, Problem, QuestionError, did_you_mean, one_of
from netinsight.flow import Asked, PortRange, Question, parse_ports, parse_protocol
from netinsight.model.topology import SECTIONS, Topology, check_assumptions, count_of
from netinsight.network.build import Network
from netinsight.network.ends import find_end, find_ends
from netinsight.network.passing import find_object
from netinsight.sources.topology_file import read_topology

if TYPE_CHECKING:
    import networkx

    from netinsight.diagnosis.evaluate import Evaluator
    from netinsight.diagnosis.evaluation import Evaluation
    from netinsight.diagnosis.matrix import Matrix
    from netinsight.set_answers import ExposureAnswer, PortsAnswer, Sets, WhoCanReachAnswer


@dataclass(frozen=True, slots=True)
class Manner:
    """How questions are answered.

    Attributes
    ----------
    guest
        Judge what is inside the guests too.
    at
        The moment that expiry and blackholes are judged at; else the topology's ``collected_at``, else now.
    lang
        ``en`` or ``zh``.
    explain
        Tell of each stage every rule that it tried, and on which fields it failed.
    """

    guest: bool = True
    at: datetime | None = None
    lang: str = "en"
    explain: bool = False

    def __post_init__(self) -> None:
        if self.lang not in list(Lang):
            raise QuestionError(f"no language `{str(self.lang)[:20]}` ({one_of(list(Lang))})")
        if self.at is not None and (not isinstance(self.at, datetime) or self.at.tzinfo is None):
            raise QuestionError(f"`at` is not a moment with a time zone: {str(self.at)[:40]}")


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
        self._rules = rules
        self.catalogue: Catalogue = load_catalogue(rules)
        self.network = Network(topology, assume)
        self._evaluators: dict[tuple[datetime, bool, bool], Evaluator] = {}

    def __repr__(self) -> str:
        held = [count_of(section, count) for section in SECTIONS if (count := len(getattr(self.topology, section)))]
        return f"<Net of {', '.join(held) or 'nothing'}>"

    @cached_property
    def graph(self) -> networkx.MultiDiGraph:
        """The networkx graph, made when it is first asked for; docs/graph.md documents its nodes and edges."""
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
        via: tuple[str, ...] | list[str] = (),
        avoid: tuple[str, ...] | list[str] = (),
        guest: bool = True,
        at: datetime | None = None,
        lang: str = "en",
        explain: bool = False,
    ) -> Answer:
        """Why a connection passes or fails.

        Parameters
        ----------
        src, dst
            An instance, an ENI, a name, an address, or ``internet``.
        port, source_port
            A port, or a range as text: ``"8000-8010"``.
        via, avoid
            Objects that every path must pass, there and back, or must not: ids, addresses, names. The answer's
            ``demands`` say whether, and ``keeps_demands`` all at once.
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
            via=tuple(via),
            avoid=tuple(avoid),
        )
        return self._answer(question, Manner(guest=guest, at=at, lang=lang, explain=explain))

    def diagnose_all(self, questions: Iterable[Asked | Question], manner: Manner | None = None) -> Iterator[Answer]:
        """Many questions, each answered when it is asked for; a precondition that does not hold is a blocker here.

        Parameters
        ----------
        questions
            ``Question`` objects, or those of ``read_questions``.

        Raises
        ------
        InputError
            Before the first answer, with every question that cannot be asked.
        """
        asked = list(questions)
        problems = [problem for one in asked for problem in self.problems_of(one)]
        if problems:
            raise InputError(problems)
        chosen = manner or Manner()
        return (self._answer(_question_of(one), chosen, of_many=True) for one in asked)

    def evaluate(self, flows: Any, manner: Manner | None = None, *, one_way: bool = False) -> Evaluation:
        """The verdict of many flows, as arrays.

        Parameters
        ----------
        flows
            Columns by name, of equal length: a mapping of arrays or lists, a DataFrame, a structured array. ``src`` and
            ``dst`` (objects as the command line takes them), ``port`` where the protocol has ports, and where wanted
            ``protocol`` (words or numbers; tcp where it is left out) and ``source_port`` (else the ports of the client's
            kind). A single value stands for a whole column.
        one_way
            Leave the replies out.

        Raises
        ------
        QuestionError
            For columns that are missing, strange or of different lengths.
        InputError
            For flows that cannot be asked, by their number from 0.
        """
        evaluator = self._evaluator(manner or Manner(), one_way)
        return next(evaluation for _, _, evaluation in evaluator.evaluate_all([flows], Mistakes()))

    def matrix(
        self,
        services: Sequence[str],
        manner: Manner | None = None,
        *,
        one_way: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Matrix:
        """Every ENI, the Internet and every network outside, to every other, for a set of services.

        Parameters
        ----------
        services
            ``["tcp/22", "udp/53", "icmp"]``.
        progress
            Told how many pairs of classes of a service are answered, of how many.

        Raises
        ------
        QuestionError
            For a service that cannot be asked, or an answer that memory would not hold.
        """
        from netinsight.diagnosis.all_pairs import make_matrix

        return make_matrix(self._evaluator(manner or Manner(), one_way), services, progress)

    def _evaluator(self, manner: Manner, one_way: bool) -> Evaluator:
        """What answers many flows; it is kept, with all that it packs."""
        from netinsight.diagnosis.evaluate import Evaluator

        key = (self.moment(manner), manner.guest, one_way)
        if key not in self._evaluators:
            moment, guest, _ = key
            self._evaluators[key] = Evaluator(self.network, self.catalogue, moment, with_guest=guest, one_way=one_way)
        return self._evaluators[key]

    def ask_preset(self, name: str, src: str, manner: Manner | None = None) -> AnswerSet:
        """A ready-made set of questions about one instance, answered as one; ``cloud-assistant`` is there.

        Raises
        ------
        QuestionError
            For a preset or a source that does not exist.
        """
        if name not in PRESETS:
            raise QuestionError(f"no preset `{name[:40]}` ({one_of(list(PRESETS))})", hint=did_you_mean(name, PRESETS))
        end = find_end(self.network, src)
        vpc = self.topology.vpcs.get(self.network.vpc_of(end.interface)) if end.interface else None
        region = (vpc.region if vpc else None) or self.topology.region
        chosen = manner or Manner()
        answers = [
            self._answer(question, chosen) for question in PRESETS[name](src, region, load_reference(self._rules))
        ]
        return AnswerSet(preset=name, verdict=together([answer.verdict for answer in answers]), answers=answers)

    def ports(
        self,
        src: str,
        dst: str,
        *,
        port: int | str | None = None,
        protocol: str | Iterable[str] | None = None,
        family: int | None = None,
        manner: Manner | None = None,
    ) -> PortsAnswer:
        """The exact set of protocols and ports that pass, each with a packet of it and the rules that let it through.

        Parameters
        ----------
        port
            Only of these: a port, or a range as text; tcp, unless ``protocol`` says otherwise.
        protocol
            One or several, ``all`` for every one; every one where it is left out.

        Raises
        ------
        QuestionError
            Where the question cannot be asked.
        """
        return self._sets(manner).ports(src, dst, port, protocol, family)

    def who_can_reach(
        self,
        dst: str,
        *,
        port: int | str | None = None,
        protocol: str | Iterable[str] | None = None,
        family: int | None = None,
        manner: Manner | None = None,
    ) -> WhoCanReachAnswer:
        """Which ENIs, Internet hosts and networks outside reach a destination, and on which ports.

        ``port`` and ``protocol`` are as those of ``ports``; without them tcp, udp and icmp are asked.
        """
        return self._sets(manner).who_can_reach(dst, port, protocol, family)

    def exposure(
        self,
        *,
        port: int | str | None = None,
        protocol: str | Iterable[str] | None = None,
        allow: Iterable[str] = (),
        outward: bool = True,
        manner: Manner | None = None,
    ) -> ExposureAnswer:
        """What the Internet truly reaches by every public address, the worst first; and what reaches the Internet.

        Parameters
        ----------
        allow
            What may be reached, as ``tcp/443``, ``icmp``; the others are named in ``not_allowed``.
        outward
            Ask what reaches the Internet too.

        Raises
        ------
        QuestionError
            For what cannot be read.
        """
        return self._sets(manner).exposure(port, protocol, allow, outward=outward)

    def _sets(self, manner: Manner | None) -> Sets:
        from netinsight.set_answers import Asking, Sets

        chosen = manner or Manner()
        asking = Asking(self.network, self.catalogue, self.moment(chosen), chosen.guest)
        return Sets(asking, Lang(chosen.lang))

    def moment(self, manner: Manner) -> datetime:
        """The moment that expiry and blackholes are judged at."""
        return manner.at or self.topology.collected_at or datetime.now(UTC).replace(microsecond=0)

    def _answer(self, question: Question, manner: Manner, *, of_many: bool = False) -> Answer:
        report = diagnose(self.network, question, self.moment(manner), self.catalogue, Lang(manner.lang), manner.guest,
                          manner.explain, of_many)  # fmt: skip
        return Answer.of(report, self.catalogue, self.network)

    def problems_of(self, one: Asked | Question) -> tuple[Problem, ...]:
        """Why a question cannot be asked of this topology; empty where it can."""
        question = _question_of(one)
        try:
            find_ends(self.network, question)
            for name in (*question.via, *question.avoid):
                find_object(self.network, name)
        except QuestionError as error:
            return tuple(_placed(problem, one) for problem in error.problems)
        return ()


def _placed(problem: Problem, one: Asked | Question) -> Problem:
    """A problem of a question, at the end that it quotes in the line that asks it."""
    if not isinstance(one, Asked):
        return problem
    ends = (one.question.source, one.question.destination)
    column = next((at for end, at in zip(ends, one.columns, strict=True) if f"`{end}`" in problem.message), 0)
    demanded = (*one.question.via, *one.question.avoid)
    column = column or next((one.excerpt.rfind(name) + 1 for name in demanded if f"`{name}`" in problem.message), 0)
    column = column or next((at for end, at in zip(ends, one.columns, strict=True) if end in problem.message), 1)
    return Problem(one.place._replace(column=column), problem.message, problem.hint, one.excerpt)


def _question_of(one: Asked | Question) -> Question:
    return one.question if isinstance(one, Asked) else one


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
