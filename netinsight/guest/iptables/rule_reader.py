"""One ``-A`` line read into a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from netinsight.errors import did_you_mean, visible
from netinsight.guest.iptables import match_headers, match_rates, options, targets
from netinsight.guest.iptables.ipset import IpSet
from netinsight.guest.iptables.match_table import BUILDERS, NEED_AN_OPTION
from netinsight.guest.iptables.rules import Kind, Rule, Target
from netinsight.guest.iptables.state import Test
from netinsight.guest.iptables.testing import Given, Use, assumed, not_modelled
from netinsight.guest.iptables.words import Word, WordError


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
    known = [*options.GENERAL, *(o for one in parts.matches for o in one.known or ())]
    if parts.target and parts.target.known:
        known += parts.target.known
    return did_you_mean(name, known)


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
        return Target(Kind.NOTHING)
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
