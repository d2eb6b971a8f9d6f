"""The report: what users script against. A change of a key is a new schema version and a line in CHANGELOG.md."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from netinsight.flow import Verdict

SCHEMA: Literal["netinsight.report/1"] = "netinsight.report/1"


class Part(BaseModel):
    """Frozen, and closed to keys that are not in the contract."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        json_schema_serialization_defaults_required=True,
        defer_build=True,
    )


class Object(Part):
    """An object of the topology."""

    type: str = Field(description="instance, eni, vswitch, nat, peering, …")
    id: str = Field(description="Its id.")


class EndReport(Part):
    """One end of the question."""

    type: str = Field(description="instance, eni, internet, service, network, eip, load_balancer, havip or nat.")
    id: str = Field(description="The id, or the address of a host.")
    eni: str | None = Field(None, description="The ENI that was asked.")
    ip: str | None = Field(None, description="Its address; null for any Internet host.")
    public_ip: str | None = Field(None, description="The public address that was asked for, if one was.")


class QuestionReport(Part):
    """What was asked, with what the question left open filled in."""

    source: EndReport
    destination: EndReport
    protocol: str = Field(description="tcp, udp, icmp, icmpv6, gre, or a number.")
    port: str = Field(description="`22`, `8000-8010`, or `-1/-1`.")
    source_port: str = Field(description="The client's ports.")


class PacketReport(Part):
    """A packet as it meets a stage."""

    src: str = Field(description="Its source address, or which hosts it stands for.")
    dst: str = Field(description="Its destination address, or which hosts it stands for.")
    protocol: str = Field(description="As in the question.")
    source_port: str = Field(description="Its source ports.")
    port: str = Field(description="Its destination ports.")


Extent = Literal["yes", "partly", "no", "unknown"]


class Matches(Part):
    """How much of what was asked each field of a rule matches."""

    source: Extent = Field(description="The source address.")
    destination: Extent = Field(description="The destination address.")
    protocol: Extent = Field(description="The protocol.")
    source_port: Extent = Field(description="The source ports.")
    port: Extent = Field(description="The destination ports.")


class RuleReport(Part):
    """A rule that a stage tried, in the order in which it tries them."""

    rule: str = Field(description="Its id; defaults and implicit rows have one too.")
    text: str = Field(description="What it says.")
    action: Literal["accept", "drop", "route", "unknown"]
    matches: Matches
    outcome: Literal["decides", "may_decide", "no_match", "after"] = Field(
        description="`after`: what it would match was decided by the rules before it."
    )
    note: str = Field(description="The outcome in words: on which fields it fails, or which part it decides.")
    file: str | None = None
    line: int | None = None


class StageReport(Part):
    """One stage of a path."""

    stage: str = Field(description="Such as security_group.egress, network_acl.ingress, route.")
    object: Object
    packet: PacketReport
    decision: Literal["accept", "drop", "partial", "unknown"]
    why: str = Field(description="The reason, in the report's language.")
    rule: str | None = Field(None, description="The rule, entry or route that decided.")
    file: str | None = Field(None, description="The file it stands in.")
    line: int | None = Field(None, description="Its line, from 1.")
    explain: list[RuleReport] | None = Field(
        None, description="Every rule of the list that decided; with --explain.", exclude_if=lambda told: told is None
    )


class PathReport(Part):
    """One path, there and back."""

    decision: Literal["accept", "drop", "partial", "unknown"]
    forward: list[StageReport] = Field(description="The stages of the way there.")
    return_: list[StageReport] = Field(alias="return", description="The stages of the way back.")


class Evidence(Part):
    """What decided an item, and where it stands."""

    kind: str = Field(description="Such as security_group_rule, network_acl_entry, route, fact.")
    id: str = Field(description="The rule, or the field of the topology.")
    text: str = Field(description="What stands there.")
    file: str | None = Field(None, description="The file it stands in.")
    line: int | None = Field(None, description="Its line, from 1.")


class ItemReport(Part):
    """One diagnosis item."""

    id: str
    object: Object
    category: str = Field(description="What it belongs to, in words.")
    name: str = Field(description="What is asked, in words.")
    severity: Literal["critical", "non_critical"]
    status: Literal["normal", "abnormal", "skipped", "unknown"] = Field(description="What it turned out to be.")
    message: str = Field(description="What it says, in words.")
    suggestion: str = Field(description="What to do; empty unless abnormal or unknown.")
    evidence: list[Evidence]


class Blocker(Part):
    """A critical item that is abnormal."""

    item: str
    object: Object


class Assumption(Part):
    """An open point that the answer rests on, and the value it was given."""

    id: str
    value: str


class NotChecked(Part):
    """An item that a missing fact left out."""

    item: str
    object: Object
    reason: str


class PartlyReport(Part):
    """Ports that pass for some, and for which."""

    ports: list[str]
    by: list[Literal["hosts", "client_ports", "paths"]] = Field(
        description="For some hosts, for some client ports, on some of the paths between which the cloud chooses."
    )
    passing: int = Field(description="The number of paths on which they pass for every client port.")
    of: int = Field(description="The number of paths that they may take.")


class AgainstReport(Part):
    """A path that does not keep a demand."""

    path: int = Field(description="Its number in `paths`, from 1.")
    direction: Literal["forward", "return"] = Field(description="The way there, or the way back.")
    src: str = Field(description="Its source address where it begins.")
    dst: str = Field(description="Its destination address where it begins.")


class DemandReport(Part):
    """What the paths were asked to pass (`--via`), or to avoid (`--avoid`)."""

    kind: Literal["via", "avoid"]
    object: Object
    holds: Literal["yes", "no", "unknown"] = Field(
        description="`unknown`: only paths fail it of which it is not known whether they carry anything."
    )
    message: str = Field(description="The answer in words.")
    counterexample: AgainstReport | None = Field(None, description="A path that fails it.")


class Report(Part):
    """One diagnosis."""

    model_config = ConfigDict(title="NetInsight report")

    schema_: Literal["netinsight.report/1"] = Field(SCHEMA, alias="schema")
    tool_version: str = Field(description="The version of NetInsight.")
    generated_at: str = Field(description="The moment of the judgement, RFC 3339.")
    at: str = Field(description="The moment that expiry and blackholes are judged at, RFC 3339.")
    lang: Literal["en", "zh"]
    verdict: Verdict
    notice: str = Field(description="What the answer is worth.")
    question: QuestionReport
    reachable_ports: list[str] = Field(description="Ports that pass for every client asked.")
    partly_reachable_ports: list[str] = Field(
        description="Ports that pass for some of the clients asked, or on some paths."
    )
    partly_reachable: list[PartlyReport] = Field(
        [], description="Of those, what tells who passes; where there are any.", exclude_if=lambda told: not told
    )
    paths: list[PathReport]
    demands: list[DemandReport] = Field(
        [], description="With --via and --avoid: whether each holds.", exclude_if=lambda asked: not asked
    )
    items: list[ItemReport]
    blockers: list[Blocker] = Field(description="All of them.")
    assumptions: list[Assumption]
    not_checked: list[NotChecked]

    @property
    def keeps_demands(self) -> Literal["yes", "no", "unknown"]:
        """Whether all of --via and --avoid hold; yes where nothing was asked."""
        said = {demand.holds for demand in self.demands}
        return "no" if "no" in said else "unknown" if "unknown" in said else "yes"

    def to_json(self) -> str:
        """The report as the contract writes it."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"

    def to_json_line(self) -> str:
        """The same on one line."""
        return self.model_dump_json(by_alias=True) + "\n"


class Answers(Part):
    """Several questions that are one: each with its report, and what they say together."""

    model_config = ConfigDict(title="NetInsight answers")

    schema_: Literal["netinsight.answers/1"] = Field("netinsight.answers/1", alias="schema")
    preset: str = Field(description="What the questions are.")
    verdict: Verdict = Field(description="reachable: all are; unreachable: none passes any of it; partial: some do.")
    answers: list[Report]

    def to_json(self) -> str:
        """The answers as the contract writes them."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"
