"""The whole of what a user describes; every reference in it is checked, and every value knows where it stands."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr

from netinsight.errors import NOWHERE, Place, did_you_mean, one_of
from netinsight.model.assumptions import ASSUMPTIONS
from netinsight.model.base import Id, Label, Model, Moment, Path, RulePorts, Text, Word, complaint
from netinsight.model.dialect import DIALECTS, Dialect
from netinsight.model.edge import Account, Ddos, Eip
from netinsight.model.gateways import HaVip, Ipv4Gateway, Ipv6Gateway, NatGateway
from netinsight.model.instance import EniType, Instance, NetworkInterface
from netinsight.model.links import OutsideNetwork, Peering, RouterInterface, TransitRouter, Vbr, VpnGateway
from netinsight.model.load_balancer import LoadBalancer
from netinsight.model.network_acl import NetworkAcl
from netinsight.model.routing import RouteTable
from netinsight.model.security_group import PrefixList, SecurityGroup
from netinsight.model.vpc import Vpc, VSwitch

SCHEMA: Literal["netinsight.topology/1"] = "netinsight.topology/1"


class Cloud(Word):
    """Whose meaning the file has."""

    ALIYUN = "aliyun"


def _assumption_value(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def check_assumptions(chosen: dict[str, str]) -> dict[str, str]:
    """Refuse a name or a value that is not in the table.

    Raises
    ------
    PydanticCustomError
        Naming what may stand there.
    """
    for name, value in chosen.items():
        if name not in ASSUMPTIONS:
            raise complaint(
                f"unknown assumption `{name[:60]}` ({one_of(list(ASSUMPTIONS))})", did_you_mean(name, ASSUMPTIONS)
            )
        if value not in ASSUMPTIONS[name]:
            raise complaint(f"assumption {name} cannot be `{str(value)[:40]}` ({one_of(ASSUMPTIONS[name])})")
    return chosen


class Located(NamedTuple):
    """A place in the input and the source line that stands there."""

    place: Place
    excerpt: str


class Interface(NamedTuple):
    """An ENI with what it hangs on."""

    id: str
    eni: NetworkInterface
    instance_id: str | None
    path: Path

    def addresses(self) -> Iterator[tuple[Path, str]]:
        """Every private address, with where it stands."""
        yield (*self.path, "ip"), self.eni.ip
        for key in ("secondary_ips", "ipv6_addresses"):
            for i, written in enumerate(getattr(self.eni, key)):
                yield (*self.path, key, i), written


class Topology(Model):
    """A topology file."""

    model_config = ConfigDict(title="NetInsight topology")

    schema_: Literal["netinsight.topology/1"] = Field(SCHEMA, alias="schema", description="The format and its version.")
    cloud: Cloud = Field(Cloud.ALIYUN, description="The dialect: whose meaning groups, ACLs and routes have.")
    region: Text | None = Field(None, description="The region.")
    collected_at: Moment | None = Field(None, description="The moment that expiry and blackholes are judged at.")
    account: Account = Field(default_factory=Account, description="The account, where the file holds one.")
    accounts: dict[Label, Account] = Field(
        default_factory=dict, description="Accounts by id, where the file holds several."
    )
    vpcs: dict[Id, Vpc] = Field(default_factory=dict, description="VPCs by id.")
    vswitches: dict[Id, VSwitch] = Field(default_factory=dict, description="vSwitches by id.")
    security_groups: dict[Id, SecurityGroup] = Field(default_factory=dict, description="Security groups by id.")
    network_acls: dict[Id, NetworkAcl] = Field(default_factory=dict, description="Network ACLs by id.")
    route_tables: dict[Id, RouteTable] = Field(default_factory=dict, description="Route tables by id.")
    prefix_lists: dict[Id, PrefixList] = Field(default_factory=dict, description="Prefix lists by id.")
    port_lists: dict[Id, list[RulePorts]] = Field(
        default_factory=dict, description="Port lists by id: `[80/80, 443/443]`."
    )
    eips: dict[Id, Eip] = Field(default_factory=dict, description="Elastic IP addresses by id.")
    nat_gateways: dict[Id, NatGateway] = Field(default_factory=dict, description="NAT gateways by id.")
    ipv4_gateways: dict[Id, Ipv4Gateway] = Field(default_factory=dict, description="IPv4 gateways by id, one a VPC.")
    ipv6_gateways: dict[Id, Ipv6Gateway] = Field(default_factory=dict, description="IPv6 gateways by id, one a VPC.")
    havips: dict[Id, HaVip] = Field(default_factory=dict, description="Highly available virtual addresses by id.")
    peerings: dict[Id, Peering] = Field(default_factory=dict, description="VPC peering connections by id.")
    router_interfaces: dict[Id, RouterInterface] = Field(default_factory=dict, description="Router interfaces by id.")
    vbrs: dict[Id, Vbr] = Field(default_factory=dict, description="Virtual border routers by id.")
    transit_routers: dict[Id, TransitRouter] = Field(default_factory=dict, description="Transit routers by id.")
    vpn_gateways: dict[Id, VpnGateway] = Field(default_factory=dict, description="VPN gateways by id.")
    networks: dict[Id, OutsideNetwork] = Field(
        default_factory=dict, description="Networks outside that are known only by their prefixes, by id."
    )
    load_balancers: dict[Id, LoadBalancer] = Field(default_factory=dict, description="Load balancers by id.")
    ddos: Ddos = Field(default_factory=Ddos, description="Public addresses under attack.")
    instances: dict[Id, Instance] = Field(default_factory=dict, description="Instances by id.")
    network_interfaces: dict[Id, NetworkInterface] = Field(
        default_factory=dict, description="ENIs that are attached to no instance of the file."
    )
    assumptions: dict[str, Annotated[str, BeforeValidator(_assumption_value)]] = Field(
        default_factory=dict,
        description="Points that the cloud's documentation leaves open, by name; see docs/assumptions.md.",
    )
    unknown: dict[Id, Text] = Field(
        default_factory=dict, description="Objects that are referenced but not known, and why."
    )

    _locate: Callable[[Path], Located] | None = PrivateAttr(default=None)

    @property
    def dialect(self) -> Dialect:
        """The cloud's meaning, as data."""
        return DIALECTS[self.cloud]

    def place(self, *path: str | int) -> Place:
        """Where a value stands in the input; ``NOWHERE`` for a topology that was not read from a file."""
        return self._locate(path).place if self._locate else NOWHERE

    def located(self, *path: str | int) -> Located:
        """The place of a value and its source line."""
        return self._locate(path) if self._locate else Located(NOWHERE, "")

    def interfaces(self) -> Iterator[Interface]:
        """Every ENI, attached or not, in the order of the file."""
        for instance_id, instance in self.instances.items():
            for eni_id, eni in instance.network_interfaces.items():
                yield Interface(eni_id, eni, instance_id, ("instances", instance_id, "network_interfaces", eni_id))
        for eni_id, eni in self.network_interfaces.items():
            yield Interface(eni_id, eni, None, ("network_interfaces", eni_id))

    def primary_interface(self, instance_id: str) -> Interface | None:
        """The primary ENI of an instance: the one of that type, else its only one; None where there is none."""
        instance = self.instances.get(instance_id)
        if instance is None:
            return None
        enis = instance.network_interfaces
        chosen = next((name for name, eni in enis.items() if eni.type is EniType.PRIMARY), next(iter(enis)))
        return Interface(chosen, enis[chosen], instance_id, ("instances", instance_id, "network_interfaces", chosen))

    def account_of(self, instance: Instance) -> tuple[Account, Path]:
        """The account that an instance belongs to (its own, else its VPC's, else the file's), and where it stands."""
        vswitches = (self.vswitches.get(eni.vswitch) for eni in instance.network_interfaces.values())
        vpcs = (self.vpcs.get(vswitch.vpc) for vswitch in vswitches if vswitch)
        for name in (instance.account, *(vpc.account for vpc in vpcs if vpc)):
            if name in self.accounts:
                return self.accounts[name], ("accounts", name)
        return self.account, ("account",)


SECTIONS: dict[str, str] = {
    "vpcs": "VPC",
    "vswitches": "vSwitch",
    "security_groups": "security group",
    "network_acls": "network ACL",
    "route_tables": "route table",
    "prefix_lists": "prefix list",
    "port_lists": "port list",
    "eips": "EIP",
    "nat_gateways": "NAT gateway",
    "ipv4_gateways": "IPv4 gateway",
    "ipv6_gateways": "IPv6 gateway",
    "havips": "HaVip",
    "peerings": "peering",
    "router_interfaces": "router interface",
    "vbrs": "VBR",
    "transit_routers": "transit router",
    "vpn_gateways": "VPN gateway",
    "networks": "network",
    "load_balancers": "load balancer",
    "instances": "instance",
    "network_interfaces": "ENI",
}
"""The collections of a topology that hold objects by id, and what one of each is called."""


def count_of(section: str, count: int) -> str:
    """``1 VPC``, ``2 vSwitches``."""
    word = SECTIONS[section]
    plural = f"{word}es" if word.endswith("ch") else f"{word}s"
    return f"{count} {word if count == 1 else plural}"
