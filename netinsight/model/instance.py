"""Instances and their ENIs."""

from pydantic import Field

from netinsight.model.base import (
    AddressV4,
    AddressV6,
    Bandwidth,
    Boolean,
    Id,
    Knowable,
    Label,
    Model,
    Moment,
    Named,
    Percent,
    Text,
    Word,
)
from netinsight.model.guest import Guest


class InstanceStatus(Word):
    """Only a Running instance can be diagnosed."""

    RUNNING = "Running"
    PENDING = "Pending"
    STARTING = "Starting"
    STOPPING = "Stopping"
    STOPPED = "Stopped"


class EniType(Word):
    """An instance has one primary ENI."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class EniStatus(Word):
    """Only InUse carries traffic; Available is not attached."""

    AVAILABLE = "Available"
    IN_USE = "InUse"
    ATTACHING = "Attaching"
    DETACHING = "Detaching"
    DELETING = "Deleting"
    DELETED = "Deleted"
    CREATE_FAILED = "CreateFailed"
    CREATING = "Creating"


class Lock(Word):
    """Why an instance is locked."""

    FINANCIAL = "financial"
    SECURITY = "security"
    RECYCLING = "recycling"
    DEDICATED_HOST_FINANCIAL = "dedicatedhostfinancial"
    REFUNDED = "refunded"


class Health(Word):
    """The cloud's own judgement of an instance."""

    OK = "Ok"
    IMPAIRED = "Impaired"
    WARNING = "Warning"
    MAINTAINING = "Maintaining"
    INITIALIZING = "Initializing"
    INSUFFICIENT_DATA = "InsufficientData"
    NOT_APPLICABLE = "NotApplicable"


class NetworkInterface(Named):
    """An elastic network interface."""

    type: EniType | None = Field(None, description="primary or secondary; an instance's only ENI is its primary one.")
    status: Knowable[EniStatus] = Field(EniStatus.IN_USE, description="Its state; only InUse carries traffic.")
    vswitch: Id = Field(description="The vSwitch it stands in.")
    ip: AddressV4 = Field(description="Its primary private address.")
    secondary_ips: list[AddressV4] = Field(default_factory=list, description="Its further private addresses.")
    ipv6_addresses: list[AddressV6] = Field(default_factory=list, description="Its IPv6 addresses.")
    mac: Text | None = Field(None, description="Its MAC address.", max_length=32)
    security_groups: Knowable[list[Id]] = Field(description="The groups it belongs to: all of one type.")
    source_dest_check: Boolean = Field(
        False, description="Whether the platform drops what is not from or to its addresses."
    )


class OperatingSystem(Model):
    """The guest's system."""

    name: Text = Field(description="Such as Ubuntu, CentOS, Alibaba Cloud Linux, Windows Server.", max_length=128)
    version: Text | None = Field(None, description='Its version, in quotes: "20.04".', max_length=64)
    architecture: Text | None = Field(None, description="x86_64 or arm64.", max_length=32)

    @property
    def is_windows(self) -> bool:
        """Whether the guest is a Windows system."""
        return self.name.casefold().startswith("windows")


class Load(Model):
    """How busy an instance is, in percent of what it has."""

    cpu_percent: Percent | None = Field(None, description="CPU in use.")
    public_bandwidth_percent: Percent | None = Field(None, description="Public bandwidth in use.")
    private_bandwidth_percent: Percent | None = Field(None, description="Private bandwidth in use.")


class Instance(Named):
    """An ECS instance."""

    status: Knowable[InstanceStatus] = Field(InstanceStatus.RUNNING, description="Its state.")
    os: OperatingSystem | None = Field(None, description="The guest's system.")
    cloud_assistant: Boolean | None = Field(None, description="Whether the operations agent runs in the guest.")
    expires: Moment | None = Field(None, description="When it expires.")
    account: Label | None = Field(None, description="The account that owns it, a key of `accounts`.")
    locks: list[Lock] | None = Field(None, description="Why it is locked; `[]`: it is not; left out: not known.")
    health: Health | None = Field(None, description="The cloud's own judgement of it.")
    smtp_unlocked: Boolean = Field(False, description="Whether outbound TCP 25 was unlocked for it.")
    load: Load | None = Field(None, description="How busy it is.")
    public_ip: AddressV4 | None = Field(None, description="Its static public address, on the primary ENI.")
    public_bandwidth_mbps: Bandwidth | None = Field(
        None, description="The outbound bandwidth of its static public address in Mbit/s; 0: no public traffic."
    )
    network_interfaces: dict[Id, NetworkInterface] = Field(min_length=1, description="Its ENIs, by id.")
    guest: Guest | None = Field(None, description="What its guest says of itself; left out: not collected.")
