"""Public addresses, the state of those under attack, and accounts."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from netinsight.model.base import Address, AddressV4, Bandwidth, Boolean, Id, Knowable, Model, Moment, Named, Text, Word
from netinsight.model.gateways import BusinessStatus


class EipMode(Word):
    """How an EIP is bound to an ENI: NAT (translated, the default), or visible in the guest."""

    NAT = "NAT"
    BINDED = "BINDED"
    MULTI_BINDED = "MULTI_BINDED"


class Eip(Named):
    """An elastic IP address."""

    ip: AddressV4 = Field(description="The public address.")
    bound_to: Knowable[Id] | None = Field(
        None,
        description="An instance (its primary ENI), an ENI, a NAT gateway, a HaVip or a load balancer; none: bound to "
        "nothing, or with `vpc` and `private_ip` to any address of a VPC.",
    )
    private_ip: AddressV4 | None = Field(
        None, description="The private address of the ENI that it stands for; else the primary one."
    )
    vpc: Id | None = Field(None, description="Of an EIP that is bound to an address, by an IPv4 gateway: its VPC.")
    mode: EipMode = Field(EipMode.NAT, description="NAT, BINDED or MULTI_BINDED.")
    bandwidth_mbps: Bandwidth | None = Field(None, description="Its bandwidth in Mbit/s.")
    business_status: BusinessStatus = Field(BusinessStatus.NORMAL, description="Normal, or why it is locked.")


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
