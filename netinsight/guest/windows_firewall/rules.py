"""The rules of a Windows firewall as they were read, and what a rule may hang on that no packet tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from netinsight.addresses import Range
from netinsight.flow import PortRange

PROFILES = ("Domain", "Private", "Public")
ALLOW, BLOCK, BYPASS = "Allow", "Block", "Bypass"
IN_ORDER = (BYPASS, BLOCK, ALLOW)
"""Rules of the first of these that matches decide."""
INTERFACE_TYPES = ("Wired", "Wireless", "RemoteAccess")
EVERY_SERVICE = "*"
OF_PROCESS = ("program", "service", "package")
"""The kinds of condition that the process at the machine's end decides."""

_VARIABLES = {
    "%systemroot%": r"c:\windows",
    "%windir%": r"c:\windows",
    "%programfiles%": r"c:\program files",
    "%programfiles(x86)%": r"c:\program files (x86)",
    "%systemdrive%": "c:",
}


class Condition(NamedTuple):
    """What must be so for a rule to match and is no field of a packet, such as which program listens.

    Programs are full paths, services and interfaces folded.
    """

    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind} `{self.value}`"


World = dict[Condition, bool]
"""What is known to be so or not."""


def followed(conditions: frozenset[Condition]) -> frozenset[Condition]:
    """The same with what follows: who is a service is one of all services."""
    if any(condition.kind == "service" for condition in conditions):
        return conditions | {Condition("service", EVERY_SERVICE)}
    return conditions


def full_path(program: str) -> str:
    """A path with the variables of a usual installation written out."""
    path = program.casefold().replace("/", "\\")
    found = re.match(r"%[^%\\]+%", path)
    return _VARIABLES.get(found[0], found[0]) + path[found.end() :] if found else path


class Keyword(NamedTuple):
    """Addresses by what they are to the machine, such as ``LocalSubnet``; of one family where 4 or 6 is appended."""

    word: str
    family: int | None = None


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of one side of a rule: those written, and those told by keyword."""

    ranges: tuple[Range, ...] = ()
    keywords: tuple[Keyword, ...] = ()


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one side of a rule: those written, and those that a keyword stands for."""

    ranges: tuple[PortRange, ...] = ()
    keywords: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many alternatives they are."""
        return len(self.ranges) + len(self.keywords)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that is enabled.

    Parameters
    ----------
    profiles
        In which it is in force.
    action
        ``Allow``, ``Block``, or ``Bypass``: an allow rule that comes before the block rules.
    protocol
        First and last number.
    icmp
        Type × 256 + code, where the protocol is ICMP.
    interfaces, interface_types
        Empty: any.
    local_store
        Whether it is the machine's own and not Group Policy's; None is not known.
    conditions
        What else must be so.
    """

    name: str
    line: int
    inbound: bool
    profiles: frozenset[str]
    action: str
    local: Addresses
    remote: Addresses
    protocol: tuple[int, int]
    local_ports: Ports
    remote_ports: Ports
    icmp: tuple[PortRange, ...]
    interfaces: tuple[str, ...] = ()
    interface_types: tuple[str, ...] = ()
    local_store: bool | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """What holds for the interfaces of a network category."""

    name: str
    line: int
    enabled: bool
    inbound_allowed: bool
    """The default action of what comes in."""
    outbound_allowed: bool
    inbound_rules: bool
    """False: all that comes in is blocked, whatever the rules say."""
    local_rules: bool
    """False: only the rules of Group Policy are in force."""
    disabled_interfaces: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Connection:
    """A network that the machine is connected to; None is not known.

    Parameters
    ----------
    interface
        The alias of the interface, folded.
    """

    interface: str | None
    profile: str | None = None
    type: str | None = None
    subnets: tuple[Range, ...] | None = None
    gateways: tuple[Range, ...] | None = None
    dns: tuple[Range, ...] | None = None
