"""The words of an ``-A`` line gathered: each option with its words, each match and target with its options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netinsight.errors import did_you_mean, one_of, visible
from netinsight.guest.iptables import match_headers, options
from netinsight.guest.iptables.testing import Given
from netinsight.guest.iptables.words import Word, WordError


@dataclass(slots=True)
class Extension:
    """A match or target while its options are gathered."""

    name: Word
    known: Mapping[str, int] | None
    options: list[Given] = field(default_factory=list)
    loose: list[Word] = field(default_factory=list)
    """Of one that is not known: all its words."""


@dataclass(slots=True)
class Parts:
    """A rule while it is read."""

    general: list[Given] = field(default_factory=list)
    matches: list[Extension] = field(default_factory=list)
    target: Extension | None = None
    goto: bool = False


def gather(words: list[Word]) -> Parts:
    """The words of a rule behind ``-A CHAIN``, each option with its own.

    Raises
    ------
    WordError
        At a word that is no option, or lacks its value.
    """
    parts, at, inverted = Parts(), 0, False
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


def _option(parts: Parts, words: list[Word], at: int, inverted: bool) -> int:
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


def _full(parts: Parts, name: str) -> str:
    """A long option may be cut short where only one begins so."""
    if not name.startswith("--") or name in options.GENERAL or _holder(parts, name) is not None:
        return name
    holders = [*([parts.target] if parts.target else []), *parts.matches]
    known = {*options.GENERAL, *(one for holder in holders for one in holder.known or ())}
    known |= set(options.MATCHES.get(options.IMPLIED.get(protocol_of(parts) or -1, ""), ()))
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


def _general(parts: Parts, name: str, word: Word, rest: list[Word], base: int, inverted: bool) -> int:
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


def _extension(parts: Parts, name: str, word: Word, rest: list[Word]) -> int:
    """A match or target begins; returns how many words one that is not known takes."""
    if name == "-m":
        parts.matches.append(Extension(word, options.MATCHES.get(word.text)))
        begun = parts.matches[-1]
    else:
        if parts.target is not None:
            raise WordError("a rule has one target", word.column)
        parts.target = begun = Extension(word, options.TARGETS.get(word.text))
        parts.goto = name == "-g"
    if begun.known is not None:
        return 0
    taken = 0
    while taken < len(rest) and not _begins(parts, rest[taken : taken + 2]):
        begun.loose.append(rest[taken])
        taken += 1
    return taken


def _begins(parts: Parts, words: list[Word]) -> bool:
    """Whether what follows an extension that is not known is no longer its own."""
    word = words[-1] if words[0].text == "!" and not words[0].quoted else words[0]
    return not word.quoted and (word.text in options.GENERAL or _holder(parts, word.text) is not None)


def _holder(parts: Parts, name: str) -> Extension | None:
    """Whose option it is: the target's, that of the last match that has it, or of the one that ``-p`` brings."""
    for one in [*([parts.target] if parts.target else []), *reversed(parts.matches)]:
        if one.known is not None and name in one.known:
            return one
    implied = options.IMPLIED.get(protocol_of(parts) or -1, "")
    if name in options.MATCHES.get(implied, {}):
        parts.matches.append(Extension(Word(implied, 1), options.MATCHES[implied]))
        return parts.matches[-1]
    return None


def _hint(parts: Parts, name: str) -> str:
    implied = options.IMPLIED.get(protocol_of(parts) or -1, "")
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


def protocol_of(parts: Parts) -> int | None:
    """The protocol that ``-p`` asks for, where it asks for one and is not negated."""
    option = next((one for one in parts.general if one.name == "-p"), None)
    if option is None or option.inverted:
        return None
    return match_headers.protocol_number(option.word) or None
