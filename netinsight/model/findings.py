"""What a check finds, and the ids that it looks up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from netinsight.addresses import parse_prefix
from netinsight.errors import Severity, an, did_you_mean
from netinsight.model.base import Path, Unknown, looks_like_cidr
from netinsight.model.topology import SECTIONS, Topology


class Finding(NamedTuple):
    """Something that does not hold, at the value of ``path`` (or at its key)."""

    path: Path
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    at_key: bool = False


def warning(path: Path, message: str, hint: str = "") -> Finding:
    """Something that is told but stops nothing."""
    return Finding(path, message, hint, Severity.WARNING)


class Names:
    """Every id of a topology, and the sections it stands in."""

    def __init__(
        self, topology: Topology, broken: Iterable[tuple[str, str]] = (), partial: Iterable[tuple[str, str]] = ()
    ) -> None:
        self.where: dict[str, list[Path]] = defaultdict(list)
        for section in SECTIONS:
            for name in getattr(topology, section):
                self.where[name].append((section, name))
        for interface in topology.interfaces():
            if interface.instance_id:
                self.where[interface.id].append(interface.path)
        self.attachments = {id_ for router in topology.transit_routers.values() for id_ in router.attachments}
        self.unknown = topology.unknown
        self.partial = frozenset(partial)
        self._hints = (
            100  # a search for the nearest name takes its time: where hundreds are wrong, few hints are enough
        )
        self.broken: dict[str, str] = {name: section for section, name in broken}

    def kinds(self, name: str) -> set[str]:
        """The sections in which ``name`` stands; an attached ENI counts as a network interface."""
        found = {
            "network_interfaces" if "network_interfaces" in path else str(path[0]) for path in self.where.get(name, ())
        }
        return found | ({self.broken[name]} if name in self.broken else set())

    def problem(self, path: Path, name: str, sections: tuple[str, ...]) -> Iterator[Finding]:
        """Nothing where ``name`` is an object of ``sections`` or declared unknown, else what is wrong."""
        if name in self.unknown or self.kinds(name) & set(sections):
            return
        called = " or ".join(an(SECTIONS[section]) for section in sections)
        if kinds := self.kinds(name):
            yield Finding(path, f"`{name}` is {an(SECTIONS[sorted(kinds)[0]])}; expected {called}")
            return
        self._hints -= 1
        hint = ""
        if self._hints >= 0:
            known = [other for other in {**self.where, **self.broken} if self.kinds(other) & set(sections)]
            hint = did_you_mean(name, known)
        yield Finding(
            path,
            f"no {' or '.join(SECTIONS[section] for section in sections)} `{name}` in the topology",
            hint or f"describe it, or declare it: `unknown: {{{name}: why}}`",
        )


def same_vpc(
    topology: Topology, names: Names, base: Path, vpc: str, key: str, target: str | Unknown | None, section: str
) -> Iterator[Finding]:
    """A reference to an object that must be of the same VPC."""
    if not isinstance(target, str):
        return
    yield from names.problem((*base, key), target, (section,))
    described = getattr(topology, section).get(target)
    if described is not None and vpc != described.vpc and {vpc, described.vpc} <= topology.vpcs.keys():
        yield Finding((*base, key), f"{SECTIONS[section]} `{target}` belongs to VPC {described.vpc}, not to {vpc}")


def over(path: Path, what: str, count: int, limit: int) -> Iterator[Finding]:
    """A warning where a count exceeds one of the cloud's limits."""
    if count > limit:
        yield warning(path, f"{count} {what}; the cloud allows {limit}")


def cidr_or_list(names: Names, path: Path, written: str, sections: tuple[str, ...]) -> Iterator[Finding]:
    """What is wrong with a CIDR, or with the id that stands in its place."""
    if looks_like_cidr(written):
        yield from host_bits(path, written)
    else:
        yield from names.problem(path, written, sections)


def host_bits(path: Path, written: str) -> Iterator[Finding]:
    """A warning where a CIDR has host bits."""
    prefix = parse_prefix(written)
    if prefix.had_host_bits:
        yield warning(path, f"`{written}` has host bits set; they are masked: {prefix}")
