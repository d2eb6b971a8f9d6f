"""Public addresses, gateways, peerings, and the state of public addresses under attack."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from netinsight.model.base import (
    Address,
    AddressV4,
    Bandwidth,
    Boolean,
    Cidr,
    Id,
    Knowable,
    Model,
    Moment,
    Named,
    Port,
    RuleProtocol,
    Text,
    Word,
)


class EipMode(Word):
    """How an EIP is bound to an ENI: NAT (translated, the default), or visible in the guest."""

    NAT = "NAT"
    BINDED = "BINDED"
    MULTI_BINDED = "MULTI_BINDED"


class Eip(Named):
    """An elastic IP address."""

    ip: AddressV4 = Field(description="The public address.")
    bound_to: Knowable[Id] | None = Field(
        None, description="An instance (its primary ENI), an ENI or a NAT gateway; none: bound to nothing."
    )
    private_ip: AddressV4 | None = Field(
        None, description="The private address of the ENI that it stands for; else the primary one."
    )
    mode: EipMode = Field(EipMode.NAT, description="NAT, BINDED or MULTI_BINDED.")
    bandwidth_mbps: Bandwidth | None = Field(None, description="Its bandwidth in Mbit/s.")


class SnatEntry(Model):
    """Source translation for a block of the VPC."""

    source: Cidr = Field(description="The source block; the longest that matches wins.")
    eip: Id = Field(description="The EIP that packets leave with.")


class DnatEntry(Model):
    """Destination translation of a port, or of the whole address (`protocol: any`)."""

    eip: Id = Field(description="The EIP that is asked for.")
    protocol: Annotated[RuleProtocol, BeforeValidator(lambda word: "all" if str(word).lower() == "any" else word)] = (
        Field(description="tcp, udp or any.")
    )
    external_port: Port | None = Field(None, description="The port that is asked for.")
    internal_ip: AddressV4 = Field(description="The private address it leads to.")
    internal_port: Port | None = Field(None, description="The port it leads to.")


class NatGateway(Named):
    """A NAT gateway and its entries."""

    vpc: Id = Field(description="The VPC it belongs to.")
    vswitch: Id | None = Field(None, description="The vSwitch it stands in.")
    snat: list[SnatEntry] = Field(default_factory=list, description="Source translation entries.")
    dnat: list[DnatEntry] = Field(default_factory=list, description="Destination translation entries.")


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
    peer_vpc: Id = Field(description="The other VPC: of this file, or a name with `peer_cidrs`.")
    peer_cidrs: list[Cidr] = Field(
        default_factory=list, description="The other VPC's blocks, where it is not in the file."
    )
    status: PeeringStatus = Field(PeeringStatus.ACTIVATED, description="Its state.")


class Attacked(Model):
    """A public address in a blackhole or being scrubbed."""

    ip: Address = Field(description="The public address.")
    until: Moment | None = Field(None, description="When it ends, if that is known.")


def _lone_address(value: Any) -> Any:
    return {"ip": value} if isinstance(value, str) else value


AttackedAddress = Annotated[Attacked, BeforeValidator(_lone_address, json_schema_input_type=Attacked | str)]


class Ddos(Model):
    """The state of public addresses under attack."""

    blackholed: list[AttackedAddress] = Field(
        default_factory=list, description="Addresses whose inbound packets are all dropped."
    )
    mitigating: list[AttackedAddress] = Field(
        default_factory=list, description="Addresses whose traffic is being scrubbed."
    )


class Account(Model):
    """What is known of an account."""

    overdue: Knowable[Boolean] | None = Field(None, description="Whether it is in arrears.")
    name: Text | None = Field(None, description="A name for people.", max_length=128)
