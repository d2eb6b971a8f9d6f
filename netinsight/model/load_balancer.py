"""Load balancers at layer 4."""

from pydantic import Field

from netinsight.flow import EVERY_PORT, PortRange
from netinsight.model.base import (
    AddressV4,
    Boolean,
    Cidr,
    Id,
    Knowable,
    Model,
    Named,
    Port,
    Weight,
    Word,
    parse_rule_ports,
)
from netinsight.model.gateways import BusinessStatus, EntryPorts


class LoadBalancerType(Word):
    """Classic, or network load balancer."""

    CLB = "clb"
    NLB = "nlb"


class LoadBalancerStatus(Word):
    """Only active carries traffic."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    LOCKED = "locked"


class ListenerProtocol(Word):
    """What a listener takes."""

    TCP = "tcp"
    UDP = "udp"


class ListenerStatus(Word):
    """Only running listens."""

    RUNNING = "running"
    STOPPED = "stopped"


class AccessList(Model):
    """Whom a listener takes."""

    allow: Boolean = Field(description="true: only these; false: all but these.")
    entries: list[Cidr] = Field(default_factory=list, description="Blocks of clients.")


class BalancerListener(Model):
    """A listener, and the server group that it forwards to."""

    protocol: ListenerProtocol = Field(ListenerProtocol.TCP, description="tcp or udp.")
    port: EntryPorts = Field(description="The port it listens on, or a range: 8000/8010 (NLB).")
    server_group: Id = Field(description="The server group it forwards to.")
    status: ListenerStatus = Field(ListenerStatus.RUNNING, description="running or stopped.")
    access_list: AccessList | None = Field(None, description="Whom it takes; none: all.")

    @property
    def ports(self) -> PortRange:
        """The ports it listens on."""
        return parse_rule_ports(self.port) or EVERY_PORT


class ServerHealth(Word):
    """What the health check says of a back end; only healthy ones, and those without a check, are chosen."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNUSED = "unused"


class BackEnd(Model):
    """A server of a server group."""

    server: Id = Field(description="An instance (its primary ENI) or an ENI.")
    port: Port | None = Field(None, description="Its port; none: the listener's own.")
    weight: Weight = Field(100, description="0: it gets nothing new.")
    health: Knowable[ServerHealth] | None = Field(None, description="What the health check says; none: not known.")


class ServerGroup(Named):
    """The back ends of a listener."""

    servers: list[BackEnd] = Field(default_factory=list, description="Its servers.")


class LoadBalancer(Named):
    """A load balancer, with its listeners and server groups."""

    type: LoadBalancerType = Field(LoadBalancerType.CLB, description="clb or nlb.")
    vpc: Id = Field(description="The VPC of its back ends.")
    vswitch: Id | None = Field(None, description="The vSwitch that its private address is of.")
    ip: AddressV4 | None = Field(None, description="Its private address.")
    public_ip: AddressV4 | None = Field(None, description="Its own public address; an EIP may be bound to it besides.")
    status: Knowable[LoadBalancerStatus] = Field(LoadBalancerStatus.ACTIVE, description="Its state.")
    business_status: BusinessStatus = Field(BusinessStatus.NORMAL, description="Normal, or why it is locked.")
    preserve_client_ip: Boolean = Field(
        True, description="Whether the back ends see the client's address (CLB: always)."
    )
    security_groups: list[Id] = Field(default_factory=list, description="Of an NLB: the groups that it carries.")
    listeners: list[BalancerListener] = Field(default_factory=list, description="Its listeners.")
    server_groups: dict[Id, ServerGroup] = Field(default_factory=dict, description="Its server groups, by id.")
