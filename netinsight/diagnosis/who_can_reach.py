"""Who reaches a destination, and on which ports: every ENI, the Internet, every network outside.

Of ENIs that nothing tells apart one is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from netinsight.addresses import Range
from netinsight.diagnosis.catalogue import Lang
from netinsight.diagnosis.diagnose import end_report
from netinsight.diagnosis.pair_ports import Asked, PairSet, pair_set
from netinsight.diagnosis.port_sets import Asking
from netinsight.diagnosis.port_writer import assumptions_of, header
from netinsight.diagnosis.reach_report import Passing, ReachGroup, Reaching, Unreaching, WhoCanReach
from netinsight.diagnosis.report import Assumption, Blocker
from netinsight.errors import QuestionError
from netinsight.model.topology import Interface
from netinsight.network.alike import addresses_of, alike, described
from netinsight.network.build import Network
from netinsight.network.ends import INTERNET, End, Kind, find_end


def who_can_reach(asking: Asking, destination: str, asked: Asked, family: int | None, lang: Lang) -> WhoCanReach:
    """The report of a destination.

    Raises
    ------
    QuestionError
        For a destination that does not exist, or that none of the sources can be asked about.
    """
    target, sets = find_end(asking.network, destination), set(asking.network.sets)
    asking = asking._replace(looked=sets)
    groups, silent, assumptions = Groups(), Unreached(), dict[Assumption, None]()
    refused, end = list[QuestionError](), None

    def answer(source: str) -> PairSet | None:
        try:
            return pair_set(asking, source, destination, asked, family, lang)
        except QuestionError as error:
            refused.append(error)
            return None

    answers = of_classes(asking.network, sets, lambda one: not _is_of(target, one), answer)
    for name in outside(asking.network, target):
        answers.append(([_outside(name)], answer(name)))
    for who, found in answers:
        if found is None:
            continue
        end = end or end_report(found.judged[0].case.ends.destination)
        assumptions.update(dict.fromkeys(assumptions_of(asking, found.judged)))
        if found.passing:
            groups.add(who, found.passing)
        else:
            silent.add(who, found)
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


Answers = list[tuple[list[Reaching], "PairSet | None"]]


def of_classes(
    network: Network,
    sets: set[tuple[Range, ...]],
    wanted: Callable[[Interface], bool],
    answer: Callable[[str], PairSet | None],
) -> Answers:
    """What is said of the ENIs, each with those that nothing tells apart from it: one of each class is asked.

    Parameters
    ----------
    sets
        The sets of addresses that are looked at; ``answer`` adds to them, and classes are split by them until all is said.
    """
    said: dict[str, PairSet | None] = {}
    enis, addresses = network.enis, addresses_of(network)
    keys = {name: (*key, *_groups_of(enis[name])) for name, key in described(network).items() if wanted(enis[name])}
    while True:
        classes = alike(keys, addresses, sets)
        left = [each[0] for each in classes if said.keys().isdisjoint(each)]
        if not left:
            break
        said.update((eni, answer(eni)) for eni in left)
    firsts = [(each, next(one for one in each if one in said)) for each in classes]
    return [([reaching(enis[one]) for one in each], said[first]) for each, first in firsts]


def _groups_of(interface: Interface) -> tuple[str, ...]:
    """What tells ENIs apart by their groups, whatever the port; of unknown groups each is a case of its own."""
    groups = interface.eni.security_groups
    return tuple(groups) if isinstance(groups, list) else (interface.id, "unknown")


def _is_of(target: End, interface: Interface) -> bool:
    """Whether an ENI is the destination, or of its instance."""
    if target.interface is None:
        return False
    same = bool(target.instance_id) and interface.instance_id == target.instance_id
    return same or interface.id == target.interface.id


def outside(network: Network, target: End) -> Iterator[str]:
    """The Internet and the networks outside, where a question to a destination may begin there."""
    if target.kind in (Kind.ENI, Kind.DOOR):
        yield from (INTERNET, *network.topology.networks)


def _outside(name: str) -> Reaching:
    return Reaching.model_construct(type="internet" if name == INTERNET else "network", id=name)


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

    def add(self, who: list[Reaching], passing: list[Passing]) -> None:
        """Sources, and what of the first passes."""
        source = who[0]
        key = "".join(one.model_copy(update={"witness": None}).model_dump_json() for one in passing)
        key = key.replace(f'"{source.eni or source.id}"', '"source"').replace(f'"{source.id}"', '"source"')
        self._found.setdefault(key, ([], passing))[0].extend(who)

    def told(self) -> list[ReachGroup]:
        """The groups, in the order in which their first sources came."""
        return [ReachGroup.model_construct(sources=who, passing=passing) for who, passing in self._found.values()]


class Unreached:
    """Sources of which nothing passes, by what stops it."""

    def __init__(self) -> None:
        self._found: dict[tuple[Blocker, ...], list[Reaching]] = {}

    def add(self, who: list[Reaching], found: PairSet) -> None:
        """Sources, and what stops all of the first."""
        source = who[0]
        by = tuple(dict.fromkeys(_of_the_end(one, source) for stopped in found.stopped for one in stopped.by))
        self._found.setdefault(by, []).extend(who)

    def told(self) -> list[Unreaching]:
        """Them, the most first."""
        ordered = sorted(self._found.items(), key=lambda pair: -len(pair[1]))
        return [Unreaching.model_construct(sources=who, by=list(by)) for by, who in ordered]


def _of_the_end(blocker: Blocker, source: Reaching) -> Blocker:
    """What stops a source at itself: the object is the source, whichever it is."""
    if blocker.object.id not in (source.id, source.eni):
        return blocker
    return blocker.model_copy(update={"object": blocker.object.model_copy(update={"id": "source"})})
