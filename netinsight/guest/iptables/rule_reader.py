"""One ``-A`` line read into a rule."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from netinsight.errors import did_you_mean, visible
from netinsight.guest.iptables import match_headers, match_rates, targets
from netinsight.guest.iptables.ipset import IpSet
from netinsight.guest.iptables.match_table import BUILDERS, NEED_AN_OPTION
from netinsight.guest.iptables.parts import Extension, Parts, gather, protocol_of
from netinsight.guest.iptables.rules import Kind, Rule, Target
from netinsight.guest.iptables.state import Test
from netinsight.guest.iptables.testing import Given, Lies, Use, address_mask, assumed, not_modelled, plain_v4
from netinsight.guest.iptables.words import Word, WordError, words_of


class Surroundings(NamedTuple):
    """What a rule is read against."""

    family: int
    table: str
    user_chains: frozenset[str]
    sets: Mapping[str, IpSet] | None
    touched: frozenset[str]


def read_rules(words: list[Word], chain: str, text: str, line: int, around: Surroundings) -> list[Rule]:
    """The rule of a line, after ``-A CHAIN``; TPROXY becomes two: a socket is there, or none is.

    Raises
    ------
    WordError
        At the word that cannot be read.
    """
    parts = gather(words)
    protocol = protocol_of(parts)
    tests = _general_tests(parts, around.family)
    lists: list[tuple[str, bool]] = []
    for match in parts.matches:
        tests += _match_tests(match, protocol, around, lists)
    target = _target(parts, protocol, around)
    rule = Rule(around.table, chain, text, line, tuple(tests), target, tuple(lists))
    if target.name != "TPROXY":
        return [rule]
    listening = assumed("-j TPROXY", True, "a socket of this machine listens")
    gone = Rule(around.table, chain, text, line, tuple(tests), Target(Kind.DROP, "TPROXY"))
    return [Rule(around.table, chain, text, line, (*tests, listening), target, tuple(lists)), gone]


_CUT = re.compile(r"(?<!!) (?=(?:! )?-[a-z] )")
"""Before an option of every rule; a match and a target are cut off with their own."""
_ADDRESS = re.compile(r"""(! )?-([sd]) ([^\s"'\\]+)""")
_V4 = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_V4 = rf"{_V4}(?:\.{_V4}){{3}}"
_EITHER = {4: rf"{_V4}(?:/(?:3[0-2]|[12]?[0-9]))?", 6: r"[0-9a-f:.]+(?:/[0-9]+)?"}
_SHAPES = {
    family: re.compile(rf"(?:\[[0-9]+:[0-9]+\] )?-A (\S+) ((?:(?:! )?-s {held} )?(?:(?:! )?-d {held} )?)(-.*\S)\s*")
    for family, held in _EITHER.items()
}
"""A rule as iptables-save writes it, by family: its chain, its addresses, the rest."""
_PORT = re.compile(r"(?<= --[sd]port )(?:[1-9][0-9]{0,3}|[1-5][0-9]{4})(?!\S)")
_TARGET_ADDRESS = re.compile(rf"(?<= -j DNAT --to-destination ){_V4}(?=:[1-9][0-9]{{0,3}}$|$)")
"""Of the ports and the addresses of DNAT these are as good as any other."""
_QUOTING = re.compile(r"""["'\\]""")
_BITS = {"-s": 1, "-d": 2, "-i": 4, "-o": 8, "-p": 16, "-f": 32, "-c": 64}
_MATCH, _TARGET, _ADDRESSES = 128, 256, 3


def shape_of(line: str, family: int) -> tuple[str, str, str] | None:
    """Chain, addresses and what is behind them, where a line is written as iptables-save does and they are addresses."""
    found = _SHAPES[family].fullmatch(line)
    if found is None or (family == 6 and found[2] and not _sound(found[2])):
        return None
    return found.groups()  # type: ignore[return-value]  # each of the three is in every match


@lru_cache(maxsize=65536)
def _sound(head: str) -> bool:
    """Whether addresses of IPv6, in their place, are some; those of IPv4 the shape of their line proves."""
    try:
        for written in head.split(" -"):
            address_mask(Word("", 0), written.split()[-1], 6)
    except WordError:
        return False
    return True


class _Piece(NamedTuple):
    """A piece of a rule that reads the same in every rule of its table and protocol."""

    tests: tuple[Test, ...]
    bit: int
    bars: int
    """The bits of the pieces that it may not stand behind."""
    protocol: int | None = None
    lists: tuple[tuple[str, bool], ...] = ()
    target: Target | None = None


class Pieces:
    """The pieces of the rules of a table, each read once.

    A rule as ``iptables-save`` writes it is made of them: the options of every rule, then matches, then the target. What
    does not come apart so, or has a mistake, is read whole.
    """

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.known: defaultdict[int | None, dict[str, _Piece | None]] = defaultdict(dict)
        self.some_chain = min(around.user_chains, default="")
        self.shapes: dict[str, _Piece | None] = {}

    def leads(self, tail: str) -> str | None:
        """The chain that a rule with this behind its addresses leads to, empty for none; None: it must be read whole.

        Nothing is built: rules that differ in a port, a comment or the chain alone are one to this question.
        """
        rest, jump, there = tail.rpartition("-j ")
        leaps = there in self.around.user_chains
        shape = rest + jump + self.some_chain if leaps else tail
        if '"' in shape and shape.count('"') == 2 and "\\" not in shape and "'" not in shape:
            before, comment, quoted = shape.partition('--comment "')
            shape = before + comment + quoted[quoted.index('"') :] if comment else shape
        if shape not in self.shapes:
            self.shapes[shape] = self.shaped(shape)
        piece = self.shapes[shape]
        if piece is None or piece.bit & _ADDRESSES or not tail:
            return None
        return there if leaps else piece.target.chain if piece.target else ""

    def shaped(self, shape: str) -> _Piece | None:
        """A piece that reads as ``shape`` does, its ports and addresses aside."""
        if _QUOTING.search(shape.replace('""', "")):
            return self.piece(shape)
        return self.piece(_TARGET_ADDRESS.sub("1.1.1.1", _PORT.sub("1", shape)))

    def rule(self, head: str, tail: str, chain: str, text: str, line: int) -> Rule:
        """The rule of a line that was found to be one: ``head`` its addresses, ``tail`` what is behind them."""
        last, *before = (self.piece(one) for one in (tail, *(_CUT.split(head.rstrip()) if head else ())))
        if last is None or None in before:
            raise AssertionError(f"line {line} was found to be a rule, and is none")
        tests = tuple(test for piece in (*before, last) if piece for test in piece.tests)
        return Rule(self.around.table, chain, text, line, tests, last.target or _NOTHING, last.lists)

    def piece(self, text: str) -> _Piece | None:
        """A piece, or several, that no other stands before; None where it must be read whole."""
        known = self.known[None]
        return known[text] if text in known else self.read(text, None)

    def together(self, texts: Iterable[str]) -> _Piece | None:
        """Pieces one after the other, as one."""
        whole = _Piece((), 0, 0)
        for text in texts:
            tests, bit, bars, protocol, lists, target = whole
            known = self.known[protocol]
            piece = known[text] if text in known else self.read(text, protocol)
            if piece is None or bit & piece.bars:
                return None
            whole = _Piece(tests + piece.tests, bit | piece.bit, bars | piece.bars, piece.protocol or protocol,
                           lists + piece.lists, piece.target or target)  # fmt: skip
        return whole

    def read(self, text: str, protocol: int | None) -> _Piece | None:
        """A piece, or several, that is met for the first time."""
        bits = _BITS.get(text[:2], 0)
        if bits < 3 and bits and self.around.family == 4 and (held := plain_v4(text[3:])) is not None:
            plain = _Piece((Lies(bits == 1, (held,), text),), bits, bits | _MATCH | _TARGET)
            self.known[protocol][text] = plain
            return plain
        texts = _CUT.split(text)
        try:
            piece = self._read(text, protocol) if len(texts) == 1 else self.together(texts)
        except WordError:
            piece = None
        self.known[protocol][text] = piece
        return piece

    def _read(self, text: str, protocol: int | None) -> _Piece | None:
        if (address := _ADDRESS.fullmatch(text)) is not None:
            bits = _BITS[f"-{address[2]}"]
            option = Given(f"-{address[2]}", bool(address[1]), (Word(address[3], address.start(3) + 1),), 1)
            test = match_headers.addresses(option, address[2] == "s", self.around.family)
            return _Piece((test,), bits, bits | _MATCH | _TARGET)
        words = words_of(text)
        parts = gather(words)
        extensions = [*parts.matches, *([parts.target] if parts.target else [])]
        if len(extensions) > 1 or not all(_whole(word, extensions) for word in words if word.text[:2] == "--"):
            return None
        if any(one.known is None and (one.loose or one.name.text not in self.around.user_chains) for one in extensions):
            return None
        given = sum(_BITS[one.name] for one in parts.general)
        if parts.target is not None:
            target = _target(parts, protocol, self.around)
            return None if given or target.name == "TPROXY" else _Piece((), _TARGET, _TARGET, target=target)
        named = protocol_of(parts)
        lists: list[tuple[str, bool]] = []
        tests = _general_tests(parts, self.around.family)
        for match in parts.matches:
            tests += _match_tests(match, named or protocol, self.around, lists)
        bit = given | (_MATCH if parts.matches else 0)
        bars = (given | _MATCH if given else 0) | _TARGET
        return _Piece(tuple(tests), bit, bars, named, tuple(lists))


def _whole(word: Word, extensions: list[Extension]) -> bool:
    """Whether a word that looks like an option is one that is written out."""
    name = word.text.partition("=")[0]
    return not word.quoted and any(one.known is not None and name in one.known for one in extensions)


_NOTHING = Target(Kind.NOTHING)


def _general_tests(parts: Parts, family: int) -> list[Test]:
    tests: list[Test] = []
    for option in parts.general:
        if option.name in ("-s", "-d"):
            tests.append(match_headers.addresses(option, option.name == "-s", family))
        elif option.name in ("-i", "-o"):
            tests.append(match_headers.interface(option, option.name == "-i"))
        elif option.name == "-p":
            tests.append(match_headers.protocol(option))
        elif option.name == "-f":
            tests.append(match_headers.fragment(option))
    return tests


def _text(prefix: str, extension: Extension) -> str:
    told = [prefix, extension.name.text]
    for option in extension.options:
        told += ["!"] if option.inverted else []
        told += [option.name, *(word.text for word in option.words)]
    return " ".join([*told, *(word.text for word in extension.loose)])


def _match_tests(
    match: Extension, protocol: int | None, around: Surroundings, lists: list[tuple[str, bool]]
) -> list[Test]:
    name, column = match.name.text, match.name.column
    text = _text("-m", match)
    if match.known is None:
        return [not_modelled(text)]
    if name in NEED_AN_OPTION and not match.options:
        raise WordError(f"-m {name} needs an option, such as {next(iter(match.known))}", column)
    seen = [option.name for option in match.options]
    if twice := next((one for one in match.options if seen.count(one.name) > 1), None):
        raise WordError(f"{twice.name} stands twice", twice.column)
    use = Use(name, around.family, tuple(match.options), text, column, protocol, around.sets, around.touched)
    if name == "recent" and (use.has("--set") or use.has("--remove")):
        lists.append((match_rates.recent_list(use, use.get("--name")), use.has("--set")))
    return BUILDERS[name](use)


def _target(parts: Parts, protocol: int | None, around: Surroundings) -> Target:
    target = parts.target
    if target is None:
        return _NOTHING
    name, column = target.name.text, target.name.column
    if name in around.user_chains:
        if target.options or target.loose:
            raise WordError(f"a jump to the chain {visible(name)} takes no options", column)
        return Target(Kind.GOTO if parts.goto else Kind.JUMP, name, chain=name)
    if parts.goto:
        raise WordError(f"there is no chain `{visible(name)}` to go to", column, did_you_mean(name, around.user_chains))
    use = Use(name, around.family, tuple(target.options), _text("-j", target), column, protocol)
    if target.known is None or name not in targets.BUILDERS:
        return Target(Kind.UNKNOWN, use.text)
    if name in ("NOTRACK", "CT") and around.table != "raw":
        raise WordError(f"{name} stands in the table raw, not in {around.table}", column)
    return targets.BUILDERS[name](use)
