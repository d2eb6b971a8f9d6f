"""The export of a Windows firewall as values -> the firewall; every value that cannot be read is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from netinsight.addresses import Range, merge
from netinsight.errors import did_you_mean, one_of, visible
from netinsight.guest.windows_firewall import words
from netinsight.guest.windows_firewall.firewall import WindowsFirewall
from netinsight.guest.windows_firewall.rows import alternatives
from netinsight.guest.windows_firewall.rules import (
    ALLOW,
    BYPASS,
    PROFILES,
    Condition,
    Connection,
    Ports,
    Profile,
    Rule,
    full_path,
)

MOST_RULES = 50_000
MOST_ROWS = 500_000
MOST_CONNECTIONS = 64
SECTIONS = ("store", "profiles", "rules", "connections")
RULE_KEYS = ("Enabled", "Profile", "Direction", "Action", "LocalAddress", "RemoteAddress", "Protocol", "Program",
             "Service", "InterfaceAlias", "InterfaceType", "Authentication", "Encryption")  # fmt: skip
"""Without one of these a rule is not told whole: its filters are missing."""
PORT_KEYS = ("LocalPort", "RemotePort")
_SERVICE_STORES = ("staticservicestore", "configurableservicestore")
_CONTENT = re.compile(r'"profiles"\s*:|"rules"\s*:|"DefaultInboundAction"\s*:')

Path = tuple[str | int, ...]
Read = TypeVar("Read")


class Telling(NamedTuple):
    """How a mistake is told, and where a value stands."""

    wrong: Callable[[Path, str, str], None]
    line_of: Callable[[Path], int]


def is_windows_firewall(text: str) -> bool:
    """Whether a text is the export and not what ``iptables-save`` printed."""
    start = text.lstrip("\ufeff \t\r\n")
    return start[:1] in ("{", "[") and bool(_CONTENT.search(start))


def read_export(value: Any, telling: Telling) -> WindowsFirewall | None:
    """The firewall of ``{"store", "profiles", "rules", "connections"}``; None where nothing can be read."""
    if not isinstance(value, dict):
        telling.wrong((), "expected an object with `profiles` and `rules`", "")
        return None
    for key in value:
        if key not in SECTIONS:
            hint = did_you_mean(key, SECTIONS) or f"known: {one_of(SECTIONS)}"
            telling.wrong((key,), f"unknown key `{visible(key)}`", hint)
    reader = _Reader(value, telling)
    notes = reader.store()
    profiles = {profile.name: profile for profile in reader.profiles()}
    for name in PROFILES:
        if name not in profiles:
            telling.wrong(("profiles",), f"no profile `{name}`", "as `Get-NetFirewallProfile` lists them")
    rules = tuple(reader.rules())
    if reader.hardening:
        notes += (f"rules that restrict services of Windows are not judged: {reader.hardening}",)
    return WindowsFirewall(profiles, rules, tuple(reader.connections()), notes)


@dataclass(slots=True)
class _Object:
    """One object of a section; what cannot be read is told and None."""

    value: dict[str, Any]
    path: Path
    telling: Telling

    def read(self, key: str, how: Callable[[Any], Read]) -> Read | None:
        """The value of a key."""
        try:
            return how(self.value.get(key))
        except ValueError as error:
            self.telling.wrong((*self.path, key), f"{key}: {error}", "")
            return None

    def word(self, key: str, known: Any, default: Any = None) -> Any:
        """A word or number of an enumeration; ``default`` where there is none."""
        if self.value.get(key) is None:
            return default
        return self.read(key, lambda value: words.word(value, known))

    def text(self, key: str) -> str:
        """A text; empty where there is none."""
        return self.read(key, lambda value: "" if value is None else words.text_of(value)) or ""

    def scope(self, key: str) -> str:
        """A text of which ``Any`` says nothing."""
        written = self.text(key)
        return "" if written.casefold() in ("any", "{}") else written

    def needs(self, keys: tuple[str, ...]) -> bool:
        """Whether all of some keys are there."""
        missing = [key for key in keys if key not in self.value]
        if missing:
            told = ", ".join(f"`{key}`" for key in missing)
            self.telling.wrong(self.path, f"no {told}", "a rule is exported with its filters; `Any` is written")
        return not missing


@dataclass(slots=True)
class _Reader:
    """The sections, one after the other."""

    value: dict[str, Any]
    telling: Telling
    rows: int = 0
    hardening: int = 0

    def store(self) -> tuple[str, ...]:
        """What is to be said of where the rules come from."""
        store = self.value.get("store")
        if store is None:
            return ("the rules are taken to be those of the ActiveStore",)
        if not isinstance(store, str) or store.casefold() != "activestore":
            message = f"store: the rules of `{visible(str(store))}` are not all that is in force"
            self.telling.wrong(("store",), message, "export those of the ActiveStore")
        return ()

    def _objects(self, section: str, most: int, needed: bool) -> Iterator[_Object]:
        value = self.value.get(section)
        if value is None and needed:
            self.telling.wrong((), f"no `{section}`", "")
        found = list(words.items(value))
        if len(found) > most:
            self.telling.wrong((section,), f"more than {most} {section}", "")
            return
        for below, one in found:
            path = (section, *below)
            if isinstance(one, dict):
                yield _Object(one, path, self.telling)
            else:
                self.telling.wrong(path, f"expected an object, found `{visible(str(one))}`", "")

    def profiles(self) -> Iterator[Profile]:
        """Every profile, once."""
        seen: set[str] = set()
        for one in self._objects("profiles", MOST_CONNECTIONS, needed=True):
            name = one.read("Name", words.profiles)
            if name is None:
                continue
            if len(name) != 1 or name & seen:
                again = "is there twice" if name & seen else "is not one profile"
                self.telling.wrong((*one.path, "Name"), f"Name: `{visible(one.text('Name'))}` {again}", "")
                continue
            seen |= name
            if one.needs(("Enabled", "DefaultInboundAction", "DefaultOutboundAction")):
                yield self._profile(one, *name)

    def _profile(self, one: _Object, name: str) -> Profile:
        inbound, outbound = (
            one.word(key, words.ACTIONS, "") for key in ("DefaultInboundAction", "DefaultOutboundAction")
        )
        enabled, inbound_rules, local_rules = (
            one.word(key, words.SWITCH) is not False
            for key in ("Enabled", "AllowInboundRules", "AllowLocalFirewallRules")
        )
        off = [written.casefold() for written in one.read("DisabledInterfaceAliases", _names) or ()]
        disabled = frozenset(written for written in off if written not in ("notconfigured", "none"))
        allowed = (inbound == ALLOW, outbound in (ALLOW, ""))
        return Profile(name, self.telling.line_of(one.path), enabled, *allowed, inbound_rules, local_rules, disabled)

    def rules(self) -> Iterator[Rule]:
        """Every rule that is enabled."""
        for one in self._objects("rules", MOST_RULES, needed=True):
            enabled = one.word("Enabled", words.RULE_ENABLED)
            rule = self._rule(one)
            if rule is None or not enabled or one.text("PolicyStoreSource").casefold() == "systemdefaults":
                continue
            if one.text("PolicyStoreSource").casefold() in _SERVICE_STORES:
                self.hardening += 1
                continue
            self.rows += alternatives(rule)
            if self.rows > MOST_ROWS:
                self.telling.wrong(one.path, f"more than {MOST_ROWS} combinations of ports and addresses", "")
                return
            yield rule

    def _rule(self, one: _Object) -> Rule | None:
        if not one.needs(RULE_KEYS):
            return None
        protocol = one.read("Protocol", words.protocol)
        ports = protocol in ((6, 6), (17, 17))
        if not one.needs(PORT_KEYS if ports else ("IcmpType",) if protocol in ((1, 1), (58, 58)) else ()):
            return None
        action, inbound = one.word("Action", words.ACTIONS), one.word("Direction", words.DIRECTIONS)
        for key, given in (("Action", one.value["Action"]), ("Direction", one.value["Direction"])):
            if given is None or (key == "Action" and action == ""):
                self.telling.wrong((*one.path, key), f"{key}: it is not said what the rule does", "")
        override = one.word("OverrideBlockRules", words.SWITCH)
        one.word("EdgeTraversalPolicy", words.EDGE)
        local, remote = one.read("LocalAddress", words.addresses), one.read("RemoteAddress", words.addresses)
        local_ports, remote_ports = (one.read(key, words.ports if ports else _any_port) for key in PORT_KEYS)
        icmp = one.read("IcmpType", words.icmp if protocol in ((1, 1), (58, 58)) else lambda _: ())
        profiles, types = one.read("Profile", words.profiles), one.read("InterfaceType", words.interface_types)
        names = one.read("InterfaceAlias", _names)
        conditions = self._conditions(one, action == BYPASS or bool(override))
        if None in (protocol, action, inbound, local, remote, local_ports, remote_ports, icmp, profiles, types, names):
            return None
        name = one.text("DisplayName") or one.text("Name") or one.text("InstanceID")
        interfaces = () if any(written.casefold() == "any" for written in names or ()) else names or ()
        return Rule(
            name, self.telling.line_of(one.path), bool(inbound), profiles or frozenset(),
            BYPASS if override and action == ALLOW else str(action), local, remote, protocol, local_ports,  # type: ignore[arg-type]
            remote_ports, icmp or (), tuple(written.casefold() for written in interfaces), types or (),  # type: ignore[arg-type]
            self._local_store(one), conditions,
        )  # fmt: skip

    def _local_store(self, one: _Object) -> bool | None:
        kind, source = one.text("PolicyStoreSourceType").casefold(), one.text("PolicyStoreSource").casefold()
        local: bool | None = words.STORE_TYPES.get(kind, False) if kind else None
        return source == "persistentstore" if local is None and source else local

    def _conditions(self, one: _Object, bypass: bool) -> tuple[Condition, ...]:
        """What must be so for the rule to match, beside the fields of the packet."""
        found = []
        if program := one.scope("Program"):
            found.append(Condition("program", full_path(program)))
        if service := one.scope("Service"):
            found.append(Condition("service", service.casefold()))
        for key, kind in (("Package", "package"), ("LocalUser", "local user"), ("Owner", "owner"),
                          ("RemoteUser", "remote user"), ("RemoteMachine", "remote machine")):  # fmt: skip
            if written := one.scope(key):
                found.append(Condition(kind, written))
        authentication, encryption = (
            one.word("Authentication", words.AUTHENTICATION),
            one.word("Encryption", words.ENCRYPTION),
        )
        if authentication or encryption or bypass:
            found.append(Condition("IPsec", "authenticated"))
        if encryption:
            found.append(Condition("IPsec", "encrypted"))
        for key in ("DynamicTarget", "DynamicTransport"):
            if written := one.word(key, words.DYNAMIC):
                found.append(Condition("transport", written))
        dynamic = one.read("RemoteDynamicKeywordAddresses", _names) or ()
        found += [Condition("remote address", ", ".join(dynamic))] if dynamic else []
        platforms = [written for written in one.read("Platform", _names) or () if not _every_platform(written)]
        found += [Condition("Windows version", ", ".join(platforms))] if platforms else []
        return tuple(dict.fromkeys(found))

    def connections(self) -> Iterator[Connection]:
        """The connections, each with what is known of it."""
        for one in self._objects("connections", MOST_CONNECTIONS, needed=False):
            alias = one.text("InterfaceAlias").casefold() or None
            types = one.read("InterfaceType", words.interface_types) if one.value.get("InterfaceType") else ()
            kind = types[0] if types and len(types) == 1 else None
            profile = one.word("NetworkCategory", words.CATEGORIES)
            known = [self._ranges(one, key) for key in ("Addresses", "Gateways", "DnsServers")]
            yield Connection(alias, profile, kind, *known)

    def _ranges(self, one: _Object, key: str) -> tuple[Range, ...] | None:
        if one.value.get(key) is None:
            return None
        return one.read(key, lambda value: merge(r for each in words.split(value) for r in words.address_ranges(each)))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(written for _, one in words.items(value) if (written := words.text_of(one)))


def _any_port(_: Any) -> Ports:
    return words.ports(None)


def _every_platform(written: str) -> bool:
    """Whether a rule is for every Windows that has these cmdlets, 6.2 and later."""
    return re.fullmatch(r"6(\.[0-2])?\+", written) is not None
