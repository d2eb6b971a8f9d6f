"""Route tables."""

from pydantic import Field

from netinsight.model.base import Boolean, CidrOrId, Id, Knowable, Model, Named, Text, Weight, Word


class RouteTableType(Word):
    """What a table is bound to: every vSwitch by default, those that name it, or a gateway."""

    SYSTEM = "system"
    CUSTOM = "custom"
    GATEWAY = "gateway"


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


class NextHop(Model):
    """One of several next hops of a row."""

    id: Id = Field(description="The id of what it leads to.")
    type: NextHopType | None = Field(None, description="What it is; needed where the topology does not describe it.")
    weight: Weight = Field(100, description="Equal weights share the traffic; 0 stands by for the others.")
    healthy: Boolean = Field(True, description="What its health check says; one that is not gets nothing.")


class Route(Model):
    """One custom or learned row; local and service routes are there by themselves."""

    destination: CidrOrId = Field(description="CIDR or prefix list.")
    next_hop: Id = Field(description="The id of what the row leads to.")
    next_hop_type: NextHopType | None = Field(
        None, description="What the next hop is; needed where the file does not describe it."
    )
    others: tuple[NextHop, ...] = Field(
        default=(), description="More next hops: equal ones (ECMP), or standby ones of weight 0."
    )
    weight: Weight = Field(100, description="Of the next hop, where there are others.")
    healthy: Boolean = Field(True, description="Of the next hop, where a health check watches it.")
    type: RouteType = Field(RouteType.CUSTOM, description="Custom (static), or how it was learned.")
    status: RouteStatus = Field(RouteStatus.AVAILABLE, description="Available, Pending or Modifying.")
    name: Text | None = Field(None, description="A name for people.", max_length=128)


class RouteTable(Named):
    """The rows by which a vSwitch's packets find their next hop."""

    vpc: Id = Field(description="The VPC it belongs to.")
    type: RouteTableType = Field(
        RouteTableType.CUSTOM,
        description="system: bound to every vSwitch of the VPC that names no other; custom: to those that name it; "
        "gateway: to the IPv4 or IPv6 gateway that names it.",
    )
    routes: Knowable[list[Route]] = Field(default_factory=list, description="Its custom and learned rows.")
