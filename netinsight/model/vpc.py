"""VPCs and their vSwitches."""

from pydantic import Field

from netinsight.model.base import Id, Knowable, Label, Named, NetworkCidrV4, NetworkCidrV6, Text, Word


class InternetMode(Word):
    """What is left of the Internet where a VPC's IPv4 gateway was deleted: public, as without one; private, nothing."""

    PUBLIC = "public"
    PRIVATE = "private"


class Vpc(Named):
    """A virtual private cloud."""

    cidrs: list[NetworkCidrV4] = Field(min_length=1, description="The IPv4 blocks of the VPC, without host bits.")
    ipv6_cidr: NetworkCidrV6 | None = Field(None, description="The IPv6 block of the VPC.")
    internet_mode: Knowable[InternetMode] = Field(
        InternetMode.PUBLIC,
        description="private: its IPv4 gateway was deleted in private mode, and no address meets the IPv4 Internet.",
    )
    region: Text | None = Field(None, description="Its region, where the file holds several.")
    account: Label | None = Field(None, description="The account that owns it, a key of `accounts`.")


class VSwitch(Named):
    """A subnet of a VPC, in one zone."""

    vpc: Id = Field(description="The VPC it belongs to.")
    cidr: NetworkCidrV4 = Field(description="Its IPv4 block, inside one of the VPC's.")
    ipv6_cidr: NetworkCidrV6 | None = Field(None, description="Its IPv6 block; with one, its addresses have IPv6.")
    zone: Text | None = Field(None, description="The zone it stands in.")
    network_acl: Knowable[Id] | None = Field(None, description="The network ACL bound to it; none filters nothing.")
    route_table: Knowable[Id] | None = Field(
        None, description="Its custom route table; otherwise the VPC's system table."
    )
