"""One ``-A`` line read into a rule."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from netinsight.errors import did_you_mean, one_of, visible
from netinsight.guest.iptables import match_headers, match_rates, options, targets
from netinsight.guest.iptables.ipset import IpSet
from netinsight.guest.iptables.match_table import BUILDERS, NEED_AN_OPTION
from netinsight.guest.iptables.rules import Kind, Rule, Target
from netinsight.guest.iptables.state import Test
from netinsight.guest.iptables.testing import Given, Lies, Use, assumed, not_modelled, plain_v4
from netinsight.guest.iptables.words import Word, WordError, words_of


class Surroundings(NamedTuple):
    """What a rule is read against."""

    family: int
    table: str
    user_chains: frozenset[str]
    sets: Mapping[str, IpSet] | None
    touched: frozenset[str]


@dataclass(slots=True)
class _Extension:
    """A match or target while its options are gathered."""

    name: Word
    known: Mapping[str, int] | None
    options: list[Given] = field(default_factory=list)
    loose: list[Word] = field(default_factory=list)
    """Of one that is not known: all its words."""


@dataclass(slots=True)
class _Parts:
    """A rule while it is read."""

    general: list[Given] = field(default_factory=list)
    matches: list[_Extension] = field(default_factory=list)
    target: _Extension | None = None
    goto: bool = False


def read_rules(words: list[Word], chain: str, text: str, line: int, around: Surroundings) -> list[Rule]:
    """The rule of a line, after ``-A CHAIN``; TPROXY becomes two: a socket is there, or none is.

    Raises
    ------
    WordError
        At the word that cannot be read.
    """
    parts = _gather(words)
    protocol = _protocol(parts)
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
_HEAD = re.compile(r"(?:((?:! )?-s \S+) )?(?:((?:! )?-d \S+) )?")
"""The addresses, which differ most often from rule to rule; the rest is read once for all rules that share it."""
_ADDRESS = re.compile(r"""(! )?-([sd]) ([^\s"'\\]+)""")
_BITS = {"-s": 1, "-d": 2, "-i": 4, "-o": 8, "-p": 16, "-f": 32, "-c": 64}
_MATCH, _TARGET = 128, 256


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

    def rule(self, body: str, chain: str, text: str, line: int) -> Rule | None:
        """The rule whose words after ``-A CHAIN`` are ``body``; None where it must be read whole."""
        head = _HEAD.match(body)
        assert head is not None  # it matches nothing, too
        known, rest = self.known[None], body[head.end() :]
        tail = known[rest] if rest in known else self.read(rest, None)
        if tail is None:
            return None
        tests, _, bars, _, lists, target = tail
        for address in (head[2], head[1]):
            if address is not None:
                piece = known[address] if address in known else self.read(address, None)
                if piece is None or piece.bit & bars:
                    return None
                tests = piece.tests + tests
        return Rule(self.around.table, chain, text, line, tests, target or _NOTHING, lists)

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
        parts = _gather(words)
        extensions = [*parts.matches, *([parts.target] if parts.target else [])]
        if len(extensions) > 1 or not all(_whole(word, extensions) for word in words if word.text[:2] == "--"):
            return None
        if any(one.known is None and (one.loose or one.name.text not in self.around.user_chains) for one in extensions):
            return None
        given = sum(_BITS[one.name] for one in parts.general)
        if parts.target is not None:
            target = _target(parts, protocol, self.around)
            return None if given or target.name == "TPROXY" else _Piece((), _TARGET, _TARGET, target=target)
        named = _protocol(parts)
        lists: list[tuple[str, bool]] = []
        tests = _general_tests(parts, self.around.family)
        for match in parts.matches:
            tests += _match_tests(match, named or protocol, self.around, lists)
        bit = given | (_MATCH if parts.matches else 0)
        bars = (given | _MATCH if given else 0) | _TARGET
        return _Piece(tuple(tests), bit, bars, named, tuple(lists))


def _whole(word: Word, extensions: list[_Extension]) -> bool:
    """Whether a word that looks like an option is one that is written out."""
    name = word.text.partition("=")[0]
    return not word.quoted and any(one.known is not None and name in one.known for one in extensions)


_NOTHING = Target(Kind.NOTHING)


def _gather(words: list[Word]) -> _Parts:
    parts, at, inverted = _Parts(), 0, False
    while at < len(words):
        word = words[at]
        at += 1
        if word.text == "!" and not word.quoted:
            if inverted:
                raise WordError("! stands twice", word.column)
            inverted = True
            continue
        at = _option(parts, words, at, inverted)
        inverted = False
    if inverted:
        raise WordError("! at the end negates nothing", words[-1].column)
    return parts


def _option(parts: _Parts, words: list[Word], at: int, inverted: bool) -> int:
    """Read the option before ``at``; returns where the next begins."""
    word = words[at - 1]
    name, equals, value = word.text.partition("=")
    if word.quoted or not word.text.startswith("-"):
        raise WordError(f"`{visible(word.text)}` stands where an option should", word.column)
    if not (equals and name.startswith("--")):
        name, equals = word.text, ""
    name = _full(parts, name)
    given = [Word(value, word.column + word.text.index("=") + 1)] if equals else []
    if name in options.GENERAL:
        return _general(parts, options.GENERAL[name], word, [*given, *words[at:]], at - len(given), inverted)
    holder = _holder(parts, name)
    if holder is None or holder.known is None:
        raise WordError(f"unknown option `{visible(name)}`", word.column, _hint(parts, name))
    taken, at = _words(holder.known[name], word, given, words, at)
    inverted ^= taken[0]
    if inverted and (holder is parts.target or name not in options.INVERTIBLE.get(holder.name.text, {name})):
        raise WordError(f"`{name}` cannot be negated", word.column)
    holder.options.append(Given(options.SAME.get(name, name), inverted, taken[1], word.column))
    return at


def _full(parts: _Parts, name: str) -> str:
    """A long option may be cut short where only one begins so."""
    if not name.startswith("--") or name in options.GENERAL or _holder(parts, name) is not None:
        return name
    holders = [*([parts.target] if parts.target else []), *parts.matches]
    known = {*options.GENERAL, *(one for holder in holders for one in holder.known or ())}
    known |= set(options.MATCHES.get(options.IMPLIED.get(_protocol(parts) or -1, ""), ()))
    meant = {one for one in known if one.startswith(name)}
    return meant.pop() if len({options.SAME.get(one, options.GENERAL.get(one, one)) for one in meant}) == 1 else name


def _words(
    wanted: int, option: Word, given: list[Word], words: list[Word], at: int
) -> tuple[tuple[bool, tuple[Word, ...]], int]:
    inverted = False
    if wanted and not given and at < len(words) and words[at].text == "!" and not words[at].quoted:
        inverted, at = True, at + 1
    taken = given + words[at : at + wanted - len(given)]
    if len(taken) < wanted:
        raise WordError(f"`{option.text}` needs {'a value' if wanted == 1 else f'{wanted} values'}", option.column)
    return (inverted, tuple(taken)), at + wanted - len(given)


def _general(parts: _Parts, name: str, word: Word, rest: list[Word], base: int, inverted: bool) -> int:
    """An option of every rule; ``base`` is where ``rest`` begins."""
    if name in ("-4", "-6"):
        return base
    wanted = {"-f": 0, "-c": 2}.get(name, 1)
    (turned, taken), used = _words(wanted, word, [], rest, 0)
    inverted ^= turned
    if name in ("-m", "-j", "-g"):
        if inverted:
            raise WordError(f"! before {name} means nothing", word.column)
        return base + used + _extension(parts, name, taken[0], rest[used:])
    if name != "-c" and any(one.name == name for one in parts.general):
        raise WordError(f"{name} stands twice", word.column)
    parts.general.append(Given(name, inverted, taken, word.column))
    return base + used


def _extension(parts: _Parts, name: str, word: Word, rest: list[Word]) -> int:
    """A match or target begins; returns how many words one that is not known takes."""
    if name == "-m":
        parts.matches.append(_Extension(word, options.MATCHES.get(word.text)))
        begun = parts.matches[-1]
    else:
        if parts.target is not None:
            raise WordError("a rule has one target", word.column)
        parts.target = begun = _Extension(word, options.TARGETS.get(word.text))
        parts.goto = name == "-g"
    if begun.known is not None:
        return 0
    taken = 0
    while taken < len(rest) and not _begins(parts, rest[taken : taken + 2]):
        begun.loose.append(rest[taken])
        taken += 1
    return taken


def _begins(parts: _Parts, words: list[Word]) -> bool:
    """Whether what follows an extension that is not known is no longer its own."""
    word = words[-1] if words[0].text == "!" and not words[0].quoted else words[0]
    return not word.quoted and (word.text in options.GENERAL or _holder(parts, word.text) is not None)


def _holder(parts: _Parts, name: str) -> _Extension | None:
    """Whose option it is: the target's, that of the last match that has it, or of the one that ``-p`` brings."""
    for one in [*([parts.target] if parts.target else []), *reversed(parts.matches)]:
        if one.known is not None and name in one.known:
            return one
    implied = options.IMPLIED.get(_protocol(parts) or -1, "")
    if name in options.MATCHES.get(implied, {}):
        parts.matches.append(_Extension(Word(implied, 1), options.MATCHES[implied]))
        return parts.matches[-1]
    return None


def _hint(parts: _Parts, name: str) -> str:
    implied = options.IMPLIED.get(_protocol(parts) or -1, "")
    brings = [f"{'-p' if one in options.IMPLIED.values() else '-m'} {one}"
              for one, known in options.MATCHES.items() if name in known]  # fmt: skip
    brings += [f"-j {one}" for one, known in options.TARGETS.items() if name in known]
    if brings:
        return f"it stands behind {one_of(brings, 4)}"
    known = [
        *options.GENERAL,
        *options.MATCHES.get(implied, ()),
        *(o for one in parts.matches for o in one.known or ()),
    ]
    if parts.target and parts.target.known:
        known += parts.target.known
    return did_you_mean(name, options.MATCHES.get(implied, ()), 0.8) or did_you_mean(name, known)


def _protocol(parts: _Parts) -> int | None:
    option = next((one for one in parts.general if one.name == "-p"), None)
    if option is None or option.inverted:
        return None
    return match_headers.protocol_number(option.word) or None


def _general_tests(parts: _Parts, family: int) -> list[Test]:
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


def _text(prefix: str, extension: _Extension) -> str:
    told = [prefix, extension.name.text]
    for option in extension.options:
        told += ["!"] if option.inverted else []
        told += [option.name, *(word.text for word in option.words)]
    return " ".join([*told, *(word.text for word in extension.loose)])


def _match_tests(
    match: _Extension, protocol: int | None, around: Surroundings, lists: list[tuple[str, bool]]
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


def _target(parts: _Parts, protocol: int | None, around: Surroundings) -> Target:
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
