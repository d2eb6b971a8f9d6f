"""Route tables."""

from __future__ import annotations

from pydantic import Field

from netinsight.model.base import CidrOrId, Id, Knowable, Model, Named, Text, Word


class RouteTableType(Word):
    """Whether a table is the VPC's default one."""

    SYSTEM = "system"
    CUSTOM = "custom"


class RouteStatus(Word):
    """Only Available rows forward."""

    AVAILABLE = "Available"
    PENDING = "Pending"
    MODIFYING = "Modifying"


class RouteType(Word):
    """Where a row comes from; Custom is static, the others are learned."""

    CUSTOM = "Custom"
    BGP = "BGP"
    CEN = "CEN"
    ECR = "ECR"


class NextHopType(Word):
    """The API's words for what a row leads to; needed only where the file does not describe the object."""

    INSTANCE = "Instance"
    NETWORK_INTERFACE = "NetworkInterface"
    HAVIP = "HaVip"
    ROUTER_INTERFACE = "RouterInterface"
    VPN_GATEWAY = "VpnGateway"
    IPV6_GATEWAY = "IPv6Gateway"
    NAT_GATEWAY = "NatGateway"
    ATTACHMENT = "Attachment"
    VPC_PEER = "VpcPeer"
    IPV4_GATEWAY = "Ipv4Gateway"
    GATEWAY_ENDPOINT = "GatewayEndpoint"
    CEN_BASIC = "CenBasic"
    ECR = "Ecr"
    GWLB_ENDPOINT = "GatewayLoadBalancerEndpoint"


class Route(Model):
    """One custom or learned row; local and service routes are there by themselves."""

    destination: CidrOrId = Field(description="CIDR or prefix list.")
    next_hop: Id = Field(description="The id of what the row leads to.")
    next_hop_type: NextHopType | None = Field(
        None, description="What the next hop is; needed where the file does not describe it."
    )
    type: RouteType = Field(RouteType.CUSTOM, description="Custom (static), or how it was learned.")
    status: RouteStatus = Field(RouteStatus.AVAILABLE, description="Available, Pending or Modifying.")
    name: Text | None = Field(None, description="A name for people.", max_length=128)


class RouteTable(Named):
    """The rows by which a vSwitch's packets find their next hop."""

    vpc: Id = Field(description="The VPC it belongs to.")
    type: RouteTableType = Field(
        RouteTableType.CUSTOM,
        description="system: bound to every vSwitch of the VPC that names no other; custom: to those that name it.",
    )
    routes: Knowable[list[Route]] = Field(default_factory=list, description="Its custom and learned rows.")
