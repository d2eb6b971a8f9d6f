"""What stands at the edge of a VPC: NAT gateways, IPv4 and IPv6 gateways, highly available virtual addresses."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from netinsight.flow import EVERY_PORT, PortRange
from netinsight.model.base import (
    AddressV4,
    AddressV6,
    Bandwidth,
    Boolean,
    Cidr,
    Id,
    Knowable,
    Model,
    Named,
    RulePorts,
    RuleProtocol,
    Word,
    complaint,
    parse_rule_ports,
    shown,
)


class BusinessStatus(Word):
    """Whether an object is paid for and not locked; only Normal carries traffic."""

    NORMAL = "Normal"
    FINANCIAL_LOCKED = "FinancialLocked"
    SECURITY_LOCKED = "SecurityLocked"


class EntryStatus(Word):
    """Only Available entries translate."""

    AVAILABLE = "Available"
    PENDING = "Pending"
    MODIFYING = "Modifying"
    DELETING = "Deleting"


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


OneOrMoreIds = Annotated[
    tuple[Id, ...], Field(min_length=1), BeforeValidator(_several, json_schema_input_type=Id | list[Id])
]
OneOrMoreAddresses = Annotated[
    tuple[AddressV4, ...],
    Field(min_length=1),
    BeforeValidator(_several, json_schema_input_type=AddressV4 | list[AddressV4]),
]


def _entry_ports(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"{value}/{value}"
    if not isinstance(value, str):
        raise complaint(f"expected a port or a range such as 8000/8010, found {shown(value)}")
    found = parse_rule_ports(value)
    if found is not None and found.first < 1:
        raise complaint(f"expected a port from 1 to 65535, found `{found}`")
    return value


EntryPorts = Annotated[RulePorts, BeforeValidator(_entry_ports, json_schema_input_type=int | str)]
"""A port as a number, or a range as the cloud writes it: ``8000/8010``."""


class SnatEntry(Model):
    """Source translation for a block of the VPC."""

    source: Cidr = Field(description="The source block; the longest that matches wins.")
    eip: OneOrMoreIds | None = Field(None, description="The EIP that packets leave with, or several to choose from.")
    nat_ip: OneOrMoreAddresses | None = Field(
        None, description="Of a VPC NAT gateway: the private address that packets leave with, or several."
    )
    status: EntryStatus = Field(EntryStatus.AVAILABLE, description="Only Available entries translate.")


class DnatEntry(Model):
    """Destination translation of a port, of a range of ports, or of the whole address (`protocol: any`)."""

    eip: Id | None = Field(None, description="The EIP that is asked for.")
    nat_ip: AddressV4 | None = Field(None, description="Of a VPC NAT gateway: the private address that is asked for.")
    protocol: Annotated[RuleProtocol, BeforeValidator(lambda word: "all" if str(word).lower() == "any" else word)] = (
        Field(description="tcp, udp or any.")
    )
    external_port: EntryPorts | None = Field(None, description="The port that is asked for, or a range: 8000/8010.")
    internal_ip: AddressV4 = Field(description="The private address it leads to.")
    internal_port: EntryPorts | None = Field(
        None, description="The port it leads to, or a range as long as the external one."
    )
    status: EntryStatus = Field(EntryStatus.AVAILABLE, description="Only Available entries translate.")

    @property
    def is_whole(self) -> bool:
        """Whether it maps the whole address, and so serves outbound too."""
        return self.protocol == "all"

    @property
    def external_ports(self) -> PortRange:
        """The ports that are asked for."""
        return (self.external_port and parse_rule_ports(self.external_port)) or EVERY_PORT

    @property
    def shift(self) -> int:
        """What is added to a port that is asked for."""
        inner = self.internal_port and parse_rule_ports(self.internal_port)
        return inner.first - self.external_ports.first if inner else 0


class NatNetwork(Word):
    """internet: to public addresses by EIPs; intranet (a VPC NAT gateway): to private ones by NAT addresses."""

    INTERNET = "internet"
    INTRANET = "intranet"


class NatStatus(Word):
    """Only an Available gateway carries traffic."""

    AVAILABLE = "Available"
    CREATING = "Creating"
    MODIFYING = "Modifying"
    DELETING = "Deleting"
    CONVERTING = "Converting"


class EipBindMode(Word):
    """How EIPs are bound to a NAT gateway; an IPv4 gateway and hairpin traffic need NAT."""

    NAT = "NAT"
    MULTI_BINDED = "MULTI_BINDED"


class NatGateway(Named):
    """A NAT gateway and its entries."""

    vpc: Id = Field(description="The VPC it belongs to.")
    vswitch: Id | None = Field(None, description="The vSwitch it stands in; its table routes what it translated.")
    network_type: NatNetwork = Field(NatNetwork.INTERNET, description="internet, or intranet for a VPC NAT gateway.")
    status: Knowable[NatStatus] = Field(NatStatus.AVAILABLE, description="Its state; only Available carries traffic.")
    business_status: BusinessStatus = Field(BusinessStatus.NORMAL, description="Normal, or why it is locked.")
    eip_bind_mode: EipBindMode = Field(EipBindMode.NAT, description="NAT or MULTI_BINDED.")
    snat: Knowable[list[SnatEntry]] = Field(default_factory=list, description="Source translation entries.")
    dnat: Knowable[list[DnatEntry]] = Field(default_factory=list, description="Destination translation entries.")


class Ipv4Gateway(Named):
    """An IPv4 gateway: once enabled, the route tables alone decide who meets the Internet."""

    vpc: Id = Field(description="The VPC it belongs to.")
    enabled: Knowable[Boolean] = Field(True, description="Whether it was activated; before that it changes nothing.")
    route_table: Id | None = Field(
        None, description="Its gateway table (`type: gateway`): rows that steer what comes in to an appliance."
    )


class Ipv6Internet(Model):
    """The Internet bandwidth of an IPv6 address; without an entry an address is private."""

    ip: AddressV6 = Field(description="The IPv6 address.")
    bandwidth_mbps: Bandwidth = Field(description="Its Internet bandwidth in Mbit/s; 0: private only.")
    egress_only: Boolean = Field(False, description="Whether the gateway drops connections that come in to it.")
    business_status: BusinessStatus = Field(BusinessStatus.NORMAL, description="Normal, or why it is locked.")


class Ipv6Gateway(Named):
    """An IPv6 gateway, and the addresses that may meet the Internet by it."""

    vpc: Id = Field(description="The VPC it belongs to.")
    business_status: BusinessStatus = Field(BusinessStatus.NORMAL, description="Normal, or why it is locked.")
    route_table: Id | None = Field(None, description="Its gateway table (`type: gateway`), if it has one.")
    internet: Knowable[list[Ipv6Internet]] = Field(
        default_factory=list, description="The addresses that have Internet bandwidth."
    )


class HaVip(Named):
    """A private address that moves between instances; who is master has it."""

    vswitch: Id = Field(description="The vSwitch that it is an address of.")
    ip: AddressV4 = Field(description="The address.")
    master: Knowable[Id] | None = Field(
        None, description="The instance or ENI that has it now; none: it leads nowhere."
    )
    members: list[Id] = Field(default_factory=list, description="The instances or ENIs that it may move to.")
