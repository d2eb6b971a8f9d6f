"""``ipset save`` and the ``set`` match."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from netinsight.addresses import Range, common, merge, outside
from netinsight.engine.spaces import Region, intersect, subtract
from netinsight.errors import Place, Problem, visible
from netinsight.flow import PortRange
from netinsight.guest.iptables.match_headers import icmp_of, interface_of, mac_text, protocol_number
from netinsight.guest.iptables.names import ICMP, ICMPV6, WITH_PORTS
from netinsight.guest.iptables.state import Answer, Doubt, State, Test
from netinsight.guest.iptables.testing import (
    Lies,
    Use,
    address_mask,
    address_range,
    bits_are,
    negated,
    not_modelled,
    ports_in,
)
from netinsight.guest.iptables.words import Word, WordError, number_in, span, words_of

_TYPE = re.compile(r"(bitmap|hash|list):([a-z,]+)")
_DIMENSIONS = ("ip", "net", "port", "mac", "mark", "iface", "set")
Part = Callable[[State, bool, str], Answer]
"""One dimension of an entry: of a state, of its source or destination, and the text of the match."""


class Entry(NamedTuple):
    """An entry: what each dimension must be; a longer prefix decides first, ``nomatch`` takes it out."""

    parts: tuple[Part, ...]
    nomatch: bool
    length: int
    held: Range | None = None
    """Of a set of addresses alone: those of the entry."""


@dataclass(slots=True)
class IpSet:
    """A set: its dimensions, its entries with the longest prefixes first."""

    name: str
    dimensions: tuple[str, ...]
    family: int
    entries: list[Entry] = field(default_factory=list)
    members: list[str] = field(default_factory=list)


def read_ipsets(text: str, file: str) -> tuple[dict[str, IpSet], list[Problem]]:
    """The sets of ``ipset save``, and what is wrong with it."""
    sets: dict[str, IpSet] = {}
    problems: list[Problem] = []
    for at, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            _line(words_of(line.rstrip("\r")), sets)
        except WordError as wrong:
            problems.append(Problem(Place(file, at, wrong.column), wrong.message, wrong.hint, line.rstrip("\r")))
    for one in sets.values():
        one.entries.sort(key=lambda entry: -entry.length)
    return sets, problems


def _line(words: list[Word], sets: dict[str, IpSet]) -> None:
    verb = words[0].text
    if verb not in ("create", "-N", "add", "-A") or len(words) < 3:
        raise WordError(f"`{visible(verb)}` is not a line of ipset save (create or add)", words[0].column)
    name = words[1].text
    if verb in ("create", "-N"):
        sets[name] = _created(words)
    elif name not in sets:
        raise WordError(f"there is no set `{visible(name)}` above", words[1].column)
    else:
        _added(sets[name], words[2], [word.text for word in words[3:]])


def _created(words: list[Word]) -> IpSet:
    kind = _TYPE.fullmatch(words[2].text)
    dimensions = tuple(kind[2].split(",")) if kind else ()
    if not kind or any(one not in _DIMENSIONS for one in dimensions):
        raise WordError(f"type of set `{visible(words[2].text)}` is not known", words[2].column)
    options = [word.text for word in words[3:]]
    return IpSet(words[1].text, dimensions, 6 if "inet6" in options else 4)


def _added(one: IpSet, word: Word, options: list[str]) -> None:
    if one.dimensions == ("set",):
        one.members.append(word.text)
        return
    values = word.text.split(",")
    if len(values) < len(one.dimensions) and one.dimensions[-1] == "mac":
        values.append("")  # a bitmap of addresses may leave the MAC out
    if len(values) != len(one.dimensions):
        raise WordError(f"`{visible(word.text)}` has {len(values)} parts, the set {len(one.dimensions)}", word.column)
    parts: list[Part] = []
    length = 0
    for dimension, value in zip(one.dimensions, values, strict=True):
        part, bits = _part(dimension, value, word, one.family)
        parts.append(part)
        length += bits
    held = _addresses(values[0], word, one.family) if one.dimensions in (("ip",), ("net",)) else None
    one.entries.append(Entry(tuple(parts), "nomatch" in options, length, held))


def _part(dimension: str, value: str, word: Word, family: int) -> tuple[Part, int]:
    if dimension in ("ip", "net"):
        held = _addresses(value, word, family)
        bits = (32 if family == 4 else 128) - (held.last - held.first).bit_length()
        return (lambda state, source, what: Lies(source, (held,), what)(state)), bits
    if dimension == "port":
        return _port(value, word), 0
    if dimension == "iface":
        name = value.removeprefix("physdev:")
        return (lambda state, source, what: _interface(state, source, name, what)), 0
    if dimension == "mac":
        return (lambda state, source, what: _mac(state, value, what)), 0
    first, slash, mask = value.partition("/")
    wanted = number_in(first, word.column, 0xFFFFFFFF, "mark")
    held_mask = number_in(mask, word.column, 0xFFFFFFFF, "mask") if slash else 0xFFFFFFFF
    return (lambda state, _, what: bits_are(state.mark, wanted, held_mask, what, "the mark is not known")), 0


def _addresses(value: str, word: Word, family: int) -> Range:
    if "-" in value:
        return address_range(word, family, value)
    mask = address_mask(word, value, family)
    return Range(mask.first, mask.last)


def _port(value: str, word: Word) -> Part:
    name, colon, ports = value.partition(":")
    if not colon:
        name, ports = "", value
    protocol = protocol_number(word, name) if name else None
    if protocol in (ICMP, ICMPV6):
        kind, _, code = ports.partition("/")
        wanted = (number_in(kind, word.column, 255, "type"), number_in(code or "0", word.column, 255, "code"))
        return lambda state, _, what: state.packet.protocol == protocol and _icmp(state, wanted, what)
    held = [PortRange(*span(word._replace(text=ports), 65535, "port", "-"))]
    wanted_protocols = WITH_PORTS if protocol is None else (protocol,)
    return lambda state, source, what: state.packet.protocol in wanted_protocols and ports_in(state, source, held, what)


def _icmp(state: State, wanted: tuple[int, int], what: str) -> Answer:
    kind, code = icmp_of(state)
    if kind is None or code is None:
        return Doubt(what, None, "the packet's ICMP type and code are not given")
    return (kind, code) == wanted


def _interface(state: State, source: bool, name: str, what: str) -> Answer:
    actual = interface_of(state, source)
    return Doubt(what, None, "the interface is not given") if actual is None else actual == name


def _mac(state: State, value: str, what: str) -> Answer:
    if not value:
        return True
    actual = state.packet.source_mac
    if actual is None:
        return Doubt(what, None, "the packet's source MAC is not given")
    return mac_text(actual) == mac_text(value.lower())


def set_match(use: Use) -> list[Test]:
    """``--match-set NAME src,dst``; without the sets nobody knows who is in them."""
    option = use.get("--match-set")
    if option is None:
        raise WordError("-m set needs --match-set", use.column)
    name, sides = option.words
    if any(side not in ("src", "dst") for side in sides.text.split(",")):
        raise WordError(f"`{visible(sides.text)}` is not src, dst, or both with a comma", sides.column)
    if use.sets is None:
        return [not_modelled(use.text, "needs the sets, which are not given (ipset save)")]
    if name.text not in use.sets:
        raise WordError(f"there is no set `{visible(name.text)}`", name.column)
    if name.text in use.touched:
        return [not_modelled(use.text, "asks a set that these rules change themselves")]
    if any(one.name.startswith(("--packets", "--bytes", "--return-nomatch")) for one in use.options):
        return [not_modelled(use.text, "counts what nobody knows offline")]
    sources = [side == "src" for side in sides.text.split(",")]
    sets = use.sets
    held = _ranges(sets[name.text], use)
    if held is not None:
        return [negated(Lies(sources[0], held, use.text), option.inverted)]
    return [negated(lambda state: _in_set(state, sets[name.text], sources, use, 0), option.inverted)]


def _ranges(one: IpSet, use: Use, member: bool = False) -> tuple[Range, ...] | None:
    """The addresses of a set that holds nothing else, or of a list of such sets."""
    if one.dimensions == ("set",) and use.sets and not member:  # the kernel puts no list into a list
        members = [_ranges(use.sets[name], use, True) for name in dict.fromkeys(one.members) if name in use.sets]
        return None if None in members else merge(piece for held in members for piece in held or ())
    if any(entry.held is None for entry in one.entries) or one.dimensions not in (("ip",), ("net",)):
        return None
    held: tuple[Range, ...] = ()
    if one.family != use.family:
        return held
    for _, group in groupby(
        reversed(one.entries), key=lambda entry: entry.length
    ):  # the longest decides: it comes last
        entries = list(group)
        taken, out = (merge(e.held for e in entries if e.held and e.nomatch == no) for no in (False, True))
        held = common(merge((*held, *taken)), outside(out)) if out else merge((*held, *taken))
    return held


def _in_set(state: State, one: IpSet, sources: list[bool], use: Use, depth: int) -> Answer:
    sets, what = use.sets or {}, use.text
    whole: Region = (state.whole,)
    left, held, doubt = whole, [], None
    if one.dimensions == ("set",):
        members = [sets[name] for name in one.members if name in sets and depth < 8]
        answers = ((_in_set(state, each, sources, use, depth + 1), False) for each in members)
    else:
        if one.family != use.family:
            return False
        sides = sources + [True] * (len(one.dimensions) - len(sources))
        if len(sources) < len(one.dimensions):
            return False
        answers = ((_entry(state, entry, sides, what), entry.nomatch) for entry in one.entries)
    for answer, nomatch in answers:
        if answer is False:
            continue
        if isinstance(answer, Doubt):
            doubt = answer
            continue
        part = left if answer is True else intersect(left, answer)
        left = subtract(left, part)
        held += [] if nomatch else list(part)
        if not left:
            break
    if doubt is not None and left:
        return doubt
    return True if not left and len(held) and not subtract(whole, held) else tuple(held) or False


def _entry(state: State, entry: Entry, sources: list[bool], what: str) -> Answer:
    region: Region | None = None
    doubt: Doubt | None = None
    for part, source in zip(entry.parts, sources, strict=False):
        answer = part(state, source, what)
        if answer is False:
            return False
        if isinstance(answer, Doubt):
            doubt = answer
        elif answer is not True:
            region = answer if region is None else intersect(region, answer)
            if not region:
                return False
    return doubt or (True if region is None else region)
