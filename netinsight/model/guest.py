"""What a guest says of itself. A key that is left out was not looked at; an empty list was, and is empty."""

from typing import Self

from pydantic import Field, model_validator

from netinsight.model.base import Address, AddressV4, Boolean, Model, Port, PrefixLengthV4, Text, complaint


class GuestInterface(Model):
    """A network interface as the guest configured it."""

    name: Text = Field(description="Its name in the guest, such as eth0.", max_length=64)
    mac: Text | None = Field(None, description="Its MAC address, by which it is matched to an ENI.", max_length=32)
    ip: AddressV4 | None = Field(None, description="Its IPv4 address; `null`: it has none; left out: not collected.")
    prefix_length: PrefixLengthV4 | None = Field(
        None, description="Its mask as a prefix length; `null`: it has none; left out: not collected."
    )
    dhcp: Boolean | None = Field(None, description="Whether a DHCP client runs for it.")


class Listener(Model):
    """A listening socket."""

    protocol: Text = Field("tcp", description="tcp or udp.", pattern="(?i)^(tcp|udp)$")
    address: Address | None = Field(
        None, description="The address it listens on; left out, 0.0.0.0 or ::, all of them."
    )
    port: Port = Field(description="The port it listens on.")
    process: Text | None = Field(
        None,
        description="The process: the name of its program's file, or of its service, which the rules of a Windows "
        "firewall may be for.",
        max_length=128,
    )
    v6only: Boolean = Field(False, description="Whether a socket on :: leaves IPv4 out.")
    interface: Text | None = Field(
        None, description="The interface that it is bound to: it hears what comes in there only.", max_length=64
    )


class Sshd(Model):
    """The guest's remote login service: SSH, or Remote Desktop on Windows."""

    running: Boolean | None = Field(None, description="Whether it runs.")
    ports: list[Port] | None = Field(None, description="The ports it is configured to listen on.")
    permit_root_login: Text | None = Field(None, description="sshd's PermitRootLogin.", max_length=64)
    missing_files: list[Text] | None = Field(
        None, description="Its files and directories that are missing; `[]`: none is."
    )


class Guest(Model):
    """The state of a guest."""

    from_: Text | None = Field(
        None,
        alias="from",
        description="What the collector printed, or a folder of files: what it tells stands here, beneath the keys "
        "beside it. A path below the folder of the topology.",
    )
    dhcp_supported: Boolean | None = Field(None, description="Whether the image supports DHCP.")
    interfaces: list[GuestInterface] | None = Field(None, description="Network interfaces.")
    iptables: Text | None = Field(None, description="The output of iptables-save; empty: there are no rules.")
    ip6tables: Text | None = Field(None, description="The output of ip6tables-save; empty: there are no rules.")
    ipsets: Text | None = Field(None, description="The output of `ipset save`; left out, what asks a set is not known.")
    nftables: Text | None = Field(
        None, description="The output of `nft -j list ruleset`; judged together with iptables."
    )
    windows_firewall: Text | None = Field(
        None, description="The Windows firewall as JSON: `profiles`, `rules`, `connections`."
    )
    addresses: Text | None = Field(None, description="The output of `ip address`; left out, `interfaces` tell them.")
    rules: Text | None = Field(None, description="The output of `ip rule`.")
    rules6: Text | None = Field(None, description="The output of `ip -6 rule`.")
    routes: Text | None = Field(
        None,
        description="The output of `ip route show table all`, judged where `rules` are known too; of Windows that of "
        "`route print` or `Get-NetRoute`.",
    )
    routes6: Text | None = Field(
        None, description="The output of `ip -6 route show table all`, where `routes` does not hold it."
    )
    rt_tables: Text | None = Field(None, description="The file /etc/iproute2/rt_tables: the numbers of tables by name.")
    sysctl: Text | None = Field(None, description="The output of `sysctl net`, or a part of it.")
    ip_forward: Boolean | None = Field(None, description="Whether the guest forwards packets (an appliance does).")
    listening: list[Listener] | None = Field(None, description="Listening sockets; `[]`: nothing listens.")
    sshd: Sshd | None = Field(None, description="The SSH service (Remote Desktop on Windows).")

    @model_validator(mode="after")
    def _was_read(self) -> Self:
        """What reads a file of a topology puts the content in the place of ``from``; nothing else does."""
        if self.from_ is not None:
            raise complaint("`from` is read in files only", "load the topology from a file")
        return self
