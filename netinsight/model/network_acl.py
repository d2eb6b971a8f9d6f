"""Network ACLs: stateless lists at the vSwitch, first match wins."""

from typing import Self

from pydantic import Field, model_validator

from netinsight.model.base import (
    ALL,
    CidrOrId,
    Id,
    Knowable,
    Label,
    Model,
    Named,
    RulePorts,
    RuleProtocol,
    Text,
    complaint,
)
from netinsight.model.security_group import Policy, check_ports


class AclEntry(Model):
    """One entry; its place in the list is its priority."""

    name: Label | None = Field(None, description="A name for people.")
    policy: Policy = Field(description="accept or drop.")
    protocol: RuleProtocol = Field(ALL, description="tcp, udp, icmp, icmpv6, gre, all, or a number from 0 to 255.")
    ports: RulePorts | None = Field(
        None, description="The packet's destination ports `N/M`, in both lists; left out: all."
    )
    description: Text | None = Field(None, description="What the entry is for.", max_length=512)

    @model_validator(mode="after")
    def _ports_fit(self) -> Self:
        if self.ports and self.ports[0].isalpha():
            raise complaint(f"`{self.ports}` is not a port range such as 22/22 or -1/-1")
        check_ports(self.protocol, self.ports, first=0)
        return self


class IngressEntry(AclEntry):
    """Matches what comes into the vSwitch, by its source."""

    source: CidrOrId = Field(description="CIDR or prefix list.")

    @property
    def peer(self) -> str:
        """The CIDR or prefix list that the entry looks at."""
        return self.source


class EgressEntry(AclEntry):
    """Matches what leaves the vSwitch, by its destination."""

    destination: CidrOrId = Field(description="CIDR or prefix list.")

    @property
    def peer(self) -> str:
        """The CIDR or prefix list that the entry looks at."""
        return self.destination


class NetworkAcl(Named):
    """Left out or empty, a list has only the implicit rows, and so drops the rest."""

    vpc: Id = Field(description="The VPC it belongs to.")
    ingress: Knowable[list[IngressEntry]] = Field(
        default_factory=list, description="Entries for what comes in, in order."
    )
    egress: Knowable[list[EgressEntry]] = Field(default_factory=list, description="Entries for what leaves, in order.")
