"""Security groups, their rules, and the lists that rules name."""

from typing import Self

from pydantic import Field, model_validator

from netinsight.addresses import parse_prefix
from netinsight.model.base import (
    ALL,
    Cidr,
    CidrOrId,
    Id,
    Knowable,
    Model,
    Named,
    Priority,
    RulePorts,
    RuleProtocol,
    Text,
    Word,
    complaint,
    looks_like_cidr,
    parse_rule_ports,
)


class Direction(Word):
    """As seen from the ENI or the vSwitch."""

    INGRESS = "ingress"
    EGRESS = "egress"


class Policy(Word):
    """What a rule does with what it matches."""

    ACCEPT = "accept"
    DROP = "drop"


class GroupType(Word):
    """`normal` (basic) or `enterprise` (advanced)."""

    NORMAL = "normal"
    ENTERPRISE = "enterprise"


class Family(Word):
    """The address family of a prefix list."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"


def check_ports(protocol: str, ports: str | None, source_ports: str | None = None, first: int = 1) -> None:
    """Ports go with tcp and udp only, and begin at ``first``.

    Raises
    ------
    PydanticCustomError
        Where they do not.
    """
    for key, written in (("ports", ports), ("source_ports", source_ports)):
        if written is None or written == "-1/-1":
            continue
        if protocol not in ("tcp", "udp"):
            raise complaint(f"`{key}: {written}` with protocol {protocol}, which takes none (leave it out, or -1/-1)")
        if not written[0].isalpha() and (range_ := parse_rule_ports(written)) and range_.first < first:
            raise complaint(f"port range `{written}` is out of range ({first} to 65535)")


class GroupRule(Model):
    """One rule of a security group."""

    direction: Direction = Field(description="Which way the traffic goes, seen from the group's ENIs.")
    policy: Policy = Field(Policy.ACCEPT, description="accept or drop.")
    priority: Priority = Field(1, description="1 to 100; the smaller number wins.")
    protocol: RuleProtocol = Field(ALL, description="tcp, udp, icmp, icmpv6, gre, all, or a number from 0 to 255.")
    ports: RulePorts | None = Field(None, description="Destination ports `N/M`, or a port list's id; left out: all.")
    source_ports: RulePorts | None = Field(None, description="Source ports `N/M`, or a port list's id; left out: all.")
    source: CidrOrId | None = Field(
        None,
        description="Ingress: the peer (CIDR, group or prefix list). Egress: narrows to own private addresses (CIDR).",
    )
    destination: CidrOrId | None = Field(
        None,
        description="Egress: the peer (CIDR, group or prefix list). Ingress: narrows to own private addresses (CIDR).",
    )
    description: Text | None = Field(None, description="What the rule is for.", max_length=512)

    @property
    def peer(self) -> str:
        """The other side: a CIDR, or the id of a group or prefix list."""
        return (self.source if self.direction is Direction.INGRESS else self.destination) or ""

    @property
    def own(self) -> str | None:
        """The CIDR that narrows the own side, if any."""
        return self.destination if self.direction is Direction.INGRESS else self.source

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.peer:
            key = "source" if self.direction is Direction.INGRESS else "destination"
            raise complaint(f"an {self.direction} rule needs `{key}`", f"`{key}: 0.0.0.0/0` means every IPv4 address")
        if self.own and not looks_like_cidr(self.own):
            raise complaint(f"`{self.own}`: the own side of a rule is narrowed by a CIDR only")
        if self.own and looks_like_cidr(self.peer) and parse_prefix(self.own).family != parse_prefix(self.peer).family:
            raise complaint("source and destination are of different address families")
        check_ports(self.protocol, self.ports, self.source_ports)
        return self


class SecurityGroup(Named):
    """A stateful filter at the ENI."""

    vpc: Id = Field(description="The VPC it belongs to.")
    type: GroupType = Field(GroupType.NORMAL, description="normal (the default) or enterprise.")
    inner_access_policy: Knowable[Policy] | None = Field(
        None,
        description="Whether members reach each other: Accept (default of a normal group) or Drop (always, enterprise).",
    )
    rules: Knowable[list[GroupRule]] = Field(
        default_factory=list, description="Its rules, in any order: priority decides."
    )

    @model_validator(mode="after")
    def _enterprise_is_isolated(self) -> Self:
        if self.type is GroupType.ENTERPRISE and self.inner_access_policy is Policy.ACCEPT:
            raise complaint("the inner access policy of an enterprise group is always Drop")
        return self


class PrefixList(Named):
    """A named list of CIDRs of one family."""

    family: Family = Field(Family.IPV4, description="IPv4 or IPv6.")
    entries: Knowable[list[Cidr]] = Field(description="Its CIDRs.")

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        version = 4 if self.family is Family.IPV4 else 6
        entries = self.entries if isinstance(self.entries, list) else []
        for entry in entries:
            if parse_prefix(entry).family != version:
                raise complaint(f"`{entry}` in a prefix list of family {self.family}")
        return self
