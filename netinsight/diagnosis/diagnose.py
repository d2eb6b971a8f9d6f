"""The pipeline: a question to a report."""

from __future__ import annotations

from datetime import datetime

from netinsight import __version__
from netinsight.addresses import text
from netinsight.diagnosis.case import Case, Result, Status
from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.checks import blackhole, business, firewall, load, nic, path, precondition, service, ssh
from netinsight.diagnosis.demands import judge_demands
from netinsight.diagnosis.partly import partly
from netinsight.diagnosis.report import (
    Assumption,
    Blocker,
    EndReport,
    ItemReport,
    NotChecked,
    PartlyReport,
    PathReport,
    QuestionReport,
    Report,
)
from netinsight.diagnosis.texts import Writer, ref
from netinsight.diagnosis.verdict import Answer, answer, walk_decision
from netinsight.flow import ICMP, ICMPV6, PortRange, Question, has_ports, protocol_name
from netinsight.network.build import Network
from netinsight.network.ends import End, Kind, find_ends, refuse, unmet_preconditions
from netinsight.network.trace import question_box, trace
from netinsight.network.ways.walker import Walker

CHECKS = (ssh, nic, firewall, blackhole, load, service, business)
"""What is judged at each end, beside what the walks show."""


def diagnose(
    network: Network,
    question: Question,
    at: datetime,
    catalogue: Catalogue,
    lang: Lang = Lang.EN,
    with_guest: bool = True,
    explain: bool = False,
    of_many: bool = False,
) -> Report:
    """Answer a question about a network.

    Parameters
    ----------
    at
        The moment at which expiry and blackholes are judged; aware of its time zone.
    with_guest
        False leaves the guest items out.
    explain
        Tell of each stage every rule that it tried.
    of_many
        One of many questions: a precondition that does not hold is a blocker, not an error.

    Raises
    ------
    QuestionError
        Where the question cannot be asked of this network; ``PreconditionError`` where an end cannot be diagnosed as
        it is.
    """
    case = walked(network, question, at, catalogue, with_guest, of_many)
    results = judge(case)
    return write(case, results, answer(case, results), Writer(case, lang, explain))


def walked(
    network: Network,
    question: Question,
    at: datetime,
    catalogue: Catalogue,
    with_guest: bool,
    of_many: bool,
    seen: list[Walker] | None = None,
) -> Case:
    """A question with its walks, as ``diagnose`` takes it.

    Parameters
    ----------
    seen
        Takes the walkers, which know what they looked at.

    Raises
    ------
    QuestionError
        As ``diagnose``.
    """
    ends = find_ends(network, question)
    unmet = unmet_preconditions(network, ends)
    if not of_many:
        refuse(network, unmet)
    walks = trace(network, question, ends, at, with_guest=with_guest, seen=seen)
    return Case(network, catalogue, question, ends, question_box(question, ends), walks, at, with_guest, unmet)


def judge(case: Case) -> list[Result]:
    """Every item: preconditions, those of the path as it meets them, then those of the ends in the catalogue's order."""
    results = [
        result._replace(only=side.walks)
        for side in case.sides
        for check in CHECKS
        for result in check.check(case, side)
    ]
    order = {item: position for position, item in enumerate(case.catalogue.items)}
    results += firewall.check_appliances(case)
    return [*precondition.check(case), *path.check(case), *sorted(results, key=lambda result: order[result.item])]


def write(case: Case, results: list[Result], answered: Answer, writer: Writer) -> Report:
    """The report of a judged case."""
    lang = writer.lang
    items = [_item(writer, result) for result in results]
    moment = case.at.isoformat().replace("+00:00", "Z")
    rests_on = sorted(case.assumptions.union(*(walk.assumptions for walk in case.walks)))
    return Report.model_construct(
        tool_version=__version__,
        generated_at=moment,
        at=moment,
        lang=lang.value,
        verdict=answered.verdict,
        notice=case.catalogue.word("notice", lang),
        question=_question(case),
        reachable_ports=_ports(case, answered.every),
        partly_reachable_ports=_ports(case, answered.some),
        partly_reachable=[
            PartlyReport.model_construct(ports=_ports(case, one.ports), by=list(one.by), passing=one.passing, of=one.of)
            for one in partly(case, results, answered)
        ],
        paths=[
            PathReport.model_construct(
                decision=walk_decision(walk),
                forward=[writer.stage(step, walk) for step in walk.forward],
                return_=[writer.stage(step, walk) for step in walk.back],
            )
            for walk in case.walks
        ],
        demands=[writer.demand(demand) for demand in judge_demands(case, results)],
        items=items,
        blockers=[
            Blocker.model_construct(item=item.id, object=item.object)
            for item in items
            if item.status == "abnormal" and item.severity == "critical"
        ],
        assumptions=[Assumption.model_construct(id=name, value=case.network.assumptions[name]) for name in rests_on],
        not_checked=[
            NotChecked.model_construct(item=result.item, object=ref(result.object), reason=writer.message(result))
            for result in results
            if result.missing
        ],
    )


def _item(writer: Writer, result: Result) -> ItemReport:
    catalogue = writer.case.catalogue
    rule = catalogue.items[result.item]
    needs_action = result.status in (Status.ABNORMAL, Status.UNKNOWN)
    return ItemReport.model_construct(
        id=result.item,
        object=ref(result.object),
        category=catalogue.categories[rule.category].fill(writer.lang, {}),
        name=rule.name.fill(writer.lang, {}),
        severity=result.weighs(catalogue).value,
        status=result.status.value,
        message=writer.message(result),
        suggestion=writer.suggestion(result) if needs_action else "",
        evidence=[writer.evidence(one) for one in result.evidence],
    )


def _ports(case: Case, ports: list[PortRange]) -> list[str]:
    if not has_ports(case.question.protocol):
        return ["-1/-1"] if ports else []
    return [str(range_) for range_ in ports]


def _question(case: Case) -> QuestionReport:
    ported = has_ports(case.question.protocol)
    protocol = ICMPV6 if case.question.protocol == ICMP and case.ends.family == 6 else case.question.protocol
    return QuestionReport.model_construct(
        source=end_report(case.ends.source),
        destination=end_report(case.ends.destination),
        protocol=protocol_name(protocol),
        port=str(case.box.ports) if ported else "-1/-1",
        source_port=str(case.box.source_ports) if ported else "-1/-1",
    )


def end_report(end: End) -> EndReport:
    """An end of a question in the report."""
    address = text(end.address) if end.address is not None else None
    public = text(end.public.address) if end.public else None
    if end.interface is None:
        if end.kind is Kind.DOOR and end.public:
            return EndReport.model_construct(type="eip", id=end.public.holder, ip=address, public_ip=public)
        kind, id_ = end.holder or (end.kind.value, end.asked)
        return EndReport.model_construct(type=kind, id=id_, ip=address)
    by_eni = end.asked == end.interface.id or not end.instance_id or (end.asked == end.interface.eni.name)
    return EndReport.model_construct(
        type="eni" if by_eni else "instance",
        id=end.interface.id if by_eni else end.instance_id,
        eni=end.interface.id,
        ip=address,
        public_ip=public,
    )
