"""What joins VPCs to each other and to networks outside: peerings, router interfaces, VBRs, transit routers, VPN.

A network that is known only by its prefixes stands in ``networks``; connections lead to it by its name.
"""

from pydantic import Field

from netinsight.model.base import Boolean, Cidr, Id, Knowable, Model, Named, Text, Weight, Word
from netinsight.model.gateways import BusinessStatus


class OutsideNetwork(Named):
    """A network that is known only by its prefixes: an office, a data centre, a VPC of another account."""

    cidrs: list[Cidr] = Field(min_length=1, description="Its prefixes.")


class PeeringStatus(Word):
    """Only Activated carries traffic."""

    ACTIVATED = "Activated"
    CREATING = "Creating"
    ACCEPTING = "Accepting"
    UPDATING = "Updating"
    REJECTED = "Rejected"
    EXPIRED = "Expired"
    DELETING = "Deleting"
    DELETED = "Deleted"


class Peering(Named):
    """A VPC peering connection."""

    vpc: Id = Field(description="The VPC that asked for it.")
    peer_vpc: Id = Field(description="The other VPC: of this topology, or a name with `peer_cidrs`.")
    peer_cidrs: list[Cidr] = Field(
        default_factory=list, description="The other VPC's blocks, where the topology does not describe it."
    )
    status: Knowable[PeeringStatus] = Field(PeeringStatus.ACTIVATED, description="Its state.")
    business_status: BusinessStatus = Field(BusinessStatus.NORMAL, description="Normal, or why it is locked.")


class RouterInterfaceStatus(Word):
    """Only Active carries traffic."""

    ACTIVE = "Active"
    IDLE = "Idle"
    ACCEPTING_CONNECTING = "AcceptingConnecting"
    CONNECTING = "Connecting"
    ACTIVATING = "Activating"
    MODIFYING = "Modifying"
    DEACTIVATING = "Deactivating"
    INACTIVE = "Inactive"
    DELETING = "Deleting"
    DELETED = "Deleted"


class RouterInterface(Named):
    """One side of a connection between two routers: of VPCs, or of a VPC and a VBR."""

    router: Id = Field(description="The VPC or VBR that it belongs to.")
    opposite: Knowable[Id] = Field(description="The router interface at the other side.")
    status: Knowable[RouterInterfaceStatus] = Field(RouterInterfaceStatus.ACTIVE, description="Its state.")
    business_status: BusinessStatus = Field(BusinessStatus.NORMAL, description="Normal, or why it is locked.")


class LinkRoute(Model):
    """A row of the table of a VBR, a VPN gateway or a transit router."""

    destination: Cidr = Field(description="The block it is for; the longest that matches decides.")


class VbrRoute(LinkRoute):
    """A row of a VBR's table."""

    next_hop: Id = Field(description="A router interface of the VBR, or the network behind the leased line.")


class VbrStatus(Word):
    """Only active carries traffic."""

    ACTIVE = "active"
    UNCONFIRMED = "unconfirmed"
    TERMINATING = "terminating"
    TERMINATED = "terminated"
    RECOVERING = "recovering"
    DELETING = "deleting"


class Vbr(Named):
    """A virtual border router: the end of a leased line."""

    status: Knowable[VbrStatus] = Field(VbrStatus.ACTIVE, description="Its state.")
    routes: Knowable[list[VbrRoute]] = Field(default_factory=list, description="Its table.")


class VpnGatewayStatus(Word):
    """Only active carries traffic."""

    ACTIVE = "active"
    INIT = "init"
    PROVISIONING = "provisioning"
    UPDATING = "updating"
    DELETING = "deleting"


class VpnRouteOrigin(Word):
    """Where a row of a VPN gateway comes from."""

    STATIC = "static"
    BGP = "BGP"


class VpnRoute(LinkRoute):
    """A row of a VPN gateway's own table."""

    connection: Id = Field(description="The connection of the gateway that it leads to.")
    weight: Weight = Field(100, description="100 active, 0 standby.")
    origin: VpnRouteOrigin = Field(VpnRouteOrigin.STATIC, description="static, or BGP: there while BGP is up.")


class VpnConnectionStatus(Word):
    """Only an established IPsec association carries traffic."""

    ESTABLISHED = "ipsec_sa_established"
    IPSEC_NOT_ESTABLISHED = "ipsec_sa_not_established"
    IKE_ESTABLISHED = "ike_sa_established"
    IKE_NOT_ESTABLISHED = "ike_sa_not_established"


class VpnConnection(Named):
    """An IPsec connection of a VPN gateway."""

    network: Id = Field(description="The network behind it.")
    status: Knowable[VpnConnectionStatus] = Field(VpnConnectionStatus.ESTABLISHED, description="Its state.")
    local_cidrs: list[Cidr] = Field(
        default_factory=lambda: ["0.0.0.0/0"],
        description="The blocks on the cloud's side that it encrypts for; left out: all.",
    )
    remote_cidrs: list[Cidr] = Field(
        default_factory=lambda: ["0.0.0.0/0"],
        description="The blocks on the other side that it encrypts for; left out: all.",
    )
    bgp_up: Knowable[Boolean] | None = Field(None, description="Whether its BGP session is up; none: it has none.")


class VpnGateway(Named):
    """A VPN gateway: its connections, and the routes by which it chooses one."""

    vpc: Id = Field(description="The VPC it belongs to.")
    vswitch: Id | None = Field(None, description="The vSwitch it stands in.")
    status: Knowable[VpnGatewayStatus] = Field(VpnGatewayStatus.ACTIVE, description="Its state.")
    business_status: BusinessStatus = Field(BusinessStatus.NORMAL, description="Normal, or why it is locked.")
    connections: dict[Id, VpnConnection] = Field(default_factory=dict, description="Its IPsec connections, by id.")
    routes: Knowable[list[VpnRoute]] = Field(
        default_factory=list, description="Its own table; a VPC's table must lead to the gateway besides."
    )


class AttachmentStatus(Word):
    """Only Attached carries traffic."""

    ATTACHED = "Attached"
    ATTACHING = "Attaching"
    DETACHING = "Detaching"
    DETACHED = "Detached"


class Attachment(Named):
    """What is attached to a transit router: a VPC, a VBR, a VPN gateway, a network, or an attachment of another one."""

    to: Id = Field(description="A VPC, a VBR, a VPN gateway, a network, or the attachment of another transit router.")
    vswitches: list[Id] = Field(
        default_factory=list,
        description="Of a VPC: the vSwitches it enters by, whose tables route what comes in; else the system table.",
    )
    status: Knowable[AttachmentStatus] = Field(AttachmentStatus.ATTACHED, description="Its state.")
    business_status: BusinessStatus = Field(BusinessStatus.NORMAL, description="Normal, or why it is locked.")
    route_table: Knowable[Id] | None = Field(
        None, description="The transit router's table that it is associated with: where what comes from it is routed."
    )
    propagates_to: list[Id] = Field(
        default_factory=list, description="The transit router's tables that learn the routes to it."
    )


class TransitRouteStatus(Word):
    """Only Active rows forward."""

    ACTIVE = "Active"
    REJECTED = "Rejected"
    PROHIBITED = "Prohibited"
    STANDBY = "Standby"
    CANDIDATE = "Candidate"


class TransitRoute(LinkRoute):
    """A row of a transit router's table."""

    attachment: Id | None = Field(None, description="The attachment it leads to.")
    blackhole: Boolean = Field(False, description="Whether it drops what it matches.")
    status: TransitRouteStatus = Field(TransitRouteStatus.ACTIVE, description="Only Active rows forward.")
    learned: Boolean = Field(False, description="Whether it was propagated; a static one of equal length wins.")


class TransitRouteTable(Named):
    """A table of a transit router."""

    routes: Knowable[list[TransitRoute]] = Field(
        default_factory=list, description="Its rows; what attachments propagate is added by itself."
    )


class TransitRouter(Named):
    """A transit router of a Cloud Enterprise Network."""

    cen: Text | None = Field(None, description="The Cloud Enterprise Network it belongs to.", max_length=128)
    attachments: dict[Id, Attachment] = Field(default_factory=dict, description="Its attachments, by id.")
    route_tables: dict[Id, TransitRouteTable] = Field(default_factory=dict, description="Its tables, by id.")
