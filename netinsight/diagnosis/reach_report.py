"""What exact sets of ports are told as: the reports of ``ports``, ``who-can-reach`` and ``exposure``.

As of ``report``, a change of a key is a new schema version and a line in CHANGELOG.md.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from netinsight.diagnosis.report import Assumption, Blocker, EndReport, NotChecked, Object, Part
from netinsight.flow import Verdict

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


class Witness(Part):
    """One concrete packet; asked with `diagnose`, it gets the verdict that stands here."""

    src: str = Field(description="Its source address, of one host where the question is about many.")
    dst: str = Field(description="Its destination address, as the source writes it.")
    protocol: str
    source_port: int | None = Field(description="Null where the protocol has no ports.")
    port: int | None = Field(description="Null where the protocol has no ports.")
    verdict: Verdict = Field(description="`partial`: it passes on some of the paths between which the cloud chooses.")


class Through(Part):
    """A rule, entry or route that lets the witness through."""

    direction: Literal["forward", "return"]
    stage: str
    object: Object
    rule: str = Field(description="Its id; defaults and implicit rows have one too.")
    text: str = Field(description="What stands there.")
    file: str | None = None
    line: int | None = None


class Hosts(Part):
    """Which of the hosts asked."""

    every: bool = Field(description="All of them.")
    prefixes: list[str] = Field(description="Where not all: those for which it passes.")
    every_but: list[str] = Field(
        description="Where not all but the greater part: those for which it does not; else empty."
    )


class Arrival(Part):
    """Where a packet arrives."""

    eni: str
    instance: str | None = None
    ip: str
    port: str = Field(description="The port there, `-1/-1` where the protocol has none.")


class Passing(Part):
    """Ports of a protocol that nothing tells apart, and that pass, or may."""

    protocol: str = Field(description="tcp, udp, icmp (an echo), …, or numbers such as `0, 2-5`.")
    ports: str = Field(description="`22`, `8000-8010`, or `-1/-1`.")
    network: Verdict = Field(description="By the network and the guests' firewalls alone.")
    verdict: Verdict = Field(description="With what listens there: what `diagnose` says of each of the ports.")
    listening: Literal["yes", "no", "some", "unknown"] | None = Field(
        description="Whether a process listens; `some`: on some of the back ends; null where that cannot be asked."
    )
    hosts: Hosts | None = Field(None, description="Where one end is any of many hosts: for which.")
    arrives: list[Arrival] = Field(description="The ENIs where it may arrive; none outside.")
    leaves_as: list[str] = Field(description="The public addresses as which it may leave.")
    not_known: list[str] = Field(description="Where the verdict is `undetermined`: what is not known.")
    witness: Witness | None = Field(None, description="A packet of it that passes.")
    rules: list[Through] = Field(description="What lets that packet through, there and back.")


class Stopped(Part):
    """What stops the other ports of a protocol, or all of them."""

    protocol: str
    all: bool = Field(description="Nothing of the protocol passes.")
    by: list[Blocker]


class _Told(Part):
    """What every report of these says of itself."""

    tool_version: str = Field(description="The version of NetInsight.")
    at: str = Field(description="The moment that expiry and blackholes are judged at, RFC 3339.")
    lang: Literal["en", "zh"]
    notice: str = Field(description="What the answer is worth.")

    def to_json(self) -> str:
        """The report as the contract writes it."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


class Ports(_Told):
    """The exact set of protocols and ports that pass from one object to another."""

    model_config = ConfigDict(title="NetInsight ports")

    schema_: Literal["netinsight.ports/1"] = Field("netinsight.ports/1", alias="schema")
    source: EndReport
    destination: EndReport
    passing: list[Passing] = Field(description="What passes, or may. What is not in it does not.")
    stopped: list[Stopped] = Field(description="What stops the rest.")
    assumptions: list[Assumption]
    not_checked: list[NotChecked] = Field(description="Items that a missing fact left out.")

    @property
    def verdict(self) -> Verdict:
        """Whether anything passes at all."""
        return whether_any(self.passing)


class Reaching(Part):
    """A source."""

    type: Literal["instance", "eni", "internet", "network"]
    id: str
    eni: str | None = None
    ip: str | None = Field(None, description="Null for the Internet, and for a network outside.")
    vswitch: str | None = None
    security_groups: list[str] | None = Field(None, description="Null where they are not known, or there is no ENI.")


class ReachGroup(Part):
    """Sources of which the same holds, by the same rules."""

    sources: list[Reaching]
    passing: list[Passing] = Field(description="Its witness is of the first source.")


class Unreaching(Part):
    """Sources of which nothing passes, for the same reason."""

    sources: list[Reaching]
    by: list[Blocker]


class WhoCanReach(_Told):
    """Which sources reach a destination, and on which ports."""

    model_config = ConfigDict(title="NetInsight who can reach")

    schema_: Literal["netinsight.who_can_reach/1"] = Field("netinsight.who_can_reach/1", alias="schema")
    destination: EndReport
    asked: list[str] = Field(description="What was asked, as `tcp/1-65535`, `icmp`.")
    groups: list[ReachGroup] = Field(description="Who reaches it, or may.")
    unreachable: list[Unreaching] = Field(description="Who does not.")
    assumptions: list[Assumption]

    @property
    def verdict(self) -> Verdict:
        """Whether anybody reaches it."""
        return whether_any([one for group in self.groups for one in group.passing])


class Exposed(Part):
    """What the Internet reaches by one public address, or may."""

    severity: Severity = Field(
        description="critical: any host, a port of administration or of a database; high: any host, more than 100 "
        "ports; medium: any host, other ports; low: only some hosts, or nobody listens."
    )
    address: str = Field(description="The public address.")
    holder: Object = Field(description="What has it.")
    sensitive: list[str] = Field(description="Which of the ports are of administration or databases, as `22 SSH`.")
    not_allowed: list[str] = Field(description="Which of the ports are reached and not allowed by `--allow`.")
    passing: Passing


class Way(Part):
    """What sources reach of the Internet, by the same way."""

    sources: list[Reaching]
    by: list[str] = Field(description="The public addresses as which it leaves; none where nothing passes.")
    passing: list[Passing]
    stopped: list[Stopped]


class Exposure(_Told):
    """What the Internet reaches, and what reaches the Internet."""

    model_config = ConfigDict(title="NetInsight exposure")

    schema_: Literal["netinsight.exposure/1"] = Field("netinsight.exposure/1", alias="schema")
    asked: list[str] = Field(description="The protocols that were asked.")
    doors: int = Field(description="The number of public addresses that were asked.")
    exposed: list[Exposed] = Field(description="By severity, the worst first.")
    outward: list[Way]
    allowed: list[str] = Field(description="What was allowed, as `tcp/443`.")
    assumptions: list[Assumption]

    @property
    def beyond_allowed(self) -> Verdict:
        """Whether anything is reached that is not allowed: unreachable if nothing is."""
        return whether_any([one.passing for one in self.exposed if one.not_allowed])


def whether_any(passing: list[Passing]) -> Verdict:
    """reachable where anything passes for some; undetermined where something may."""
    verdicts = {one.verdict for one in passing}
    if verdicts & {Verdict.REACHABLE, Verdict.PARTIAL}:
        return Verdict.REACHABLE
    return Verdict.UNDETERMINED if Verdict.UNDETERMINED in verdicts else Verdict.UNREACHABLE
