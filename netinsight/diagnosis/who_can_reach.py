"""Who reaches a destination, and on which ports: every ENI, the Internet, every network outside, asked one by one."""

from __future__ import annotations

from collections.abc import Iterator

from netinsight.diagnosis.catalogue import Lang
from netinsight.diagnosis.diagnose import end_report
from netinsight.diagnosis.pair_ports import Asked, PairSet, pair_set
from netinsight.diagnosis.port_sets import Asking
from netinsight.diagnosis.port_writer import assumptions_of, header
from netinsight.diagnosis.reach_report import Passing, ReachGroup, Reaching, Unreaching, WhoCanReach
from netinsight.diagnosis.report import Assumption, Blocker
from netinsight.errors import QuestionError
from netinsight.model.topology import Interface
from netinsight.network.build import Network
from netinsight.network.ends import INTERNET, End, Kind, find_end


def who_can_reach(asking: Asking, destination: str, asked: Asked, family: int | None, lang: Lang) -> WhoCanReach:
    """The report of a destination.

    Raises
    ------
    QuestionError
        For a destination that does not exist, or that none of the sources can be asked about.
    """
    target = find_end(asking.network, destination)
    groups, silent, assumptions = Groups(), Unreached(), dict[Assumption, None]()
    refused, end = list[QuestionError](), None
    for source in sources(asking.network, target):
        try:
            found = pair_set(asking, source.eni or source.id, destination, asked, family, lang)
        except QuestionError as error:
            refused.append(error)
            continue
        end = end or end_report(found.judged[0].case.ends.destination)
        assumptions.update(dict.fromkeys(assumptions_of(asking, found.judged)))
        if found.passing:
            groups.add(source, found.passing)
        else:
            silent.add(source, found)
    if end is None:
        raise refused[0] if refused else QuestionError(f"there is no source that could reach {destination}")
    return WhoCanReach.model_construct(
        **header(asking, lang),
        destination=end,
        asked=asked.words,
        groups=groups.told(),
        unreachable=silent.told(),
        assumptions=list(assumptions),
    )


def sources(network: Network, target: End) -> Iterator[Reaching]:
    """Everything that a question to a destination may begin at."""
    for interface in network.enis.values():
        same = target.interface is not None and (
            interface.id == target.interface.id or (interface.instance_id or "-") == target.instance_id
        )
        if not same:
            yield reaching(interface)
    if target.kind in (Kind.ENI, Kind.DOOR):
        yield Reaching.model_construct(type="internet", id=INTERNET)
        for name in network.topology.networks:
            yield Reaching.model_construct(type="network", id=name)


def reaching(interface: Interface) -> Reaching:
    """An ENI as a source."""
    groups = interface.eni.security_groups
    return Reaching.model_construct(
        type="instance" if interface.instance_id else "eni",
        id=interface.instance_id or interface.id,
        eni=interface.id,
        ip=interface.eni.ip,
        vswitch=interface.eni.vswitch,
        security_groups=list(groups) if isinstance(groups, list) else None,
    )


class Groups:
    """Sources of which the same holds, by the same rules; the packets may differ."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[list[Reaching], list[Passing]]] = {}

    def add(self, source: Reaching, passing: list[Passing]) -> None:
        """A source, and what of it passes."""
        key = "".join(one.model_copy(update={"witness": None}).model_dump_json() for one in passing)
        key = key.replace(f'"{source.eni or source.id}"', '"source"').replace(f'"{source.id}"', '"source"')
        self._found.setdefault(key, ([], passing))[0].append(source)

    def told(self) -> list[ReachGroup]:
        """The groups, in the order in which their first sources came."""
        return [ReachGroup.model_construct(sources=who, passing=passing) for who, passing in self._found.values()]


class Unreached:
    """Sources of which nothing passes, by what stops it."""

    def __init__(self) -> None:
        self._found: dict[tuple[Blocker, ...], list[Reaching]] = {}

    def add(self, source: Reaching, found: PairSet) -> None:
        """A source, and what stops all of it."""
        by = tuple(dict.fromkeys(_of_the_end(one, source) for stopped in found.stopped for one in stopped.by))
        self._found.setdefault(by, []).append(source)

    def told(self) -> list[Unreaching]:
        """Them, the most first."""
        ordered = sorted(self._found.items(), key=lambda pair: -len(pair[1]))
        return [Unreaching.model_construct(sources=who, by=list(by)) for by, who in ordered]


def _of_the_end(blocker: Blocker, source: Reaching) -> Blocker:
    """What stops a source at itself: the object is the source, whichever it is."""
    if blocker.object.id not in (source.id, source.eni):
        return blocker
    return blocker.model_copy(update={"object": blocker.object.model_copy(update={"id": "source"})})
