"""``iptables-save`` and ``ip6tables-save`` read whole: all tables, and every mistake of every line at once."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from netinsight.errors import InputError, Place, Problem, did_you_mean, one_of, visible
from netinsight.guest.iptables.firewall import Firewall
from netinsight.guest.iptables.ipset import IpSet, read_ipsets
from netinsight.guest.iptables.names import TABLES
from netinsight.guest.iptables.rule_reader import Pieces, Surroundings, read_rules
from netinsight.guest.iptables.rules import Chain, Rule, Table
from netinsight.guest.iptables.words import Word, WordError, number, words_of

_COUNTERS = re.compile(r"\s*\[\d+:\d+\]\s*")
_SETS = re.compile(r"--(?:add|del|map)-set\s+(\S+)")
MOST_LINE = 10_000
_ELSEWHERE = re.compile(r"#\s*(?:Warning: ip6?tables-legacy tables present|Table `.*' is incompatible).*")


@dataclass(slots=True)
class _Line:
    """A line that says something, and its number."""

    text: str
    number: int


@dataclass(slots=True)
class _Draft:
    """A table while it is read."""

    name: str
    line: int
    policies: dict[str, tuple[str | None, int]] = field(default_factory=dict)
    rules: dict[str, list[_Line]] = field(default_factory=dict)


class _Reader:
    def __init__(self, text: str, family: int, file: str, sets: dict[str, IpSet] | None) -> None:
        self.family, self.file, self.sets = family, file, sets
        self.lines = text.split("\n")
        self.touched = frozenset(_SETS.findall(text))
        self.problems: list[Problem] = []
        self.tables: dict[str, _Draft] = {}
        self.notes: list[str] = []

    def told(self, line: _Line, column: int, message: str, hint: str = "") -> None:
        self.problems.append(Problem(Place(self.file, line.number, column), message, hint, line.text[:MOST_LINE]))

    def drafts(self) -> None:
        """Cut the file into tables and chains."""
        draft: _Draft | None = None
        for at, raw in enumerate(self.lines, start=1):
            line = _Line(raw.rstrip(), at)
            if draft is not None and raw.startswith("-A ") and len(raw) <= MOST_LINE:
                rules = draft.rules.get(raw[3 : raw.find(" ", 3)])
                if rules is not None:
                    rules.append(line)  # as most lines are
                    continue
            text = line.text.strip()
            if _ELSEWHERE.fullmatch(text):
                self.notes.append(f"line {at}: {text.lstrip('# ')}: rules that are not in this file are not judged")
            if not text or text.startswith("#"):
                continue
            if len(text) > MOST_LINE:
                self.told(line, 1, f"longer than {MOST_LINE} characters")
            elif text.startswith("*"):
                draft = self.begun(line, draft)
            elif draft is None:
                self.told(
                    line, 1, f"`{visible(text, 30)}` stands outside a table", "a table begins with *filter and such"
                )
            elif text == "COMMIT":
                draft = None
            else:
                self.inside(line, draft)
        if draft is not None:
            self.told(
                _Line(f"*{draft.name}", draft.line), 1, f"the table {draft.name} has no COMMIT; is the file cut off?"
            )

    def begun(self, line: _Line, before: _Draft | None) -> _Draft:
        """A table begins."""
        name = line.text.strip()[1:]
        column = line.text.index("*") + 1
        draft = _Draft(name, line.number)
        if before is not None:
            self.told(line, column, f"the table {before.name} above has no COMMIT")
        if name not in TABLES:
            self.told(line, column + 1, f"table `{visible(name)}` is not known", did_you_mean(name, TABLES))
        elif name in self.tables:
            self.told(line, column, f"the table {name} is there twice (line {self.tables[name].line})",
                      "the rules of two back ends are judged one after the other: give them apart")  # fmt: skip
        else:
            self.tables[name] = draft
        return draft

    def inside(self, line: _Line, draft: _Draft) -> None:
        """A line of a table."""
        try:
            if line.text.lstrip().startswith(":"):
                self.chain(words_of(line.text), draft, line)
            else:
                self.command(line, draft)
        except WordError as wrong:
            self.told(line, wrong.column, wrong.message, wrong.hint)

    def chain(self, words: list[Word], draft: _Draft, line: _Line) -> None:
        """``:INPUT DROP [0:0]``."""
        name = words[0].text[1:]
        if not name or len(words) < 2:
            raise WordError("a chain is declared such as `:INPUT ACCEPT [0:0]`", words[0].column)
        self.policy(draft, name, words[1], line)

    def policy(self, draft: _Draft, name: str, word: Word, line: _Line) -> None:
        """What becomes of a packet at the end of a chain."""
        if name not in TABLES.get(draft.name, ()):
            if word.text != "-":
                raise WordError(f"the chain {visible(name)} is not built in and has no policy", word.column)
        elif word.text not in ("ACCEPT", "DROP"):
            raise WordError(f"policy `{visible(word.text)}` is not ACCEPT or DROP", word.column)
        draft.policies[name] = (None if word.text == "-" else word.text, line.number)

    def command(self, line: _Line, draft: _Draft) -> None:
        """``-A``, and what a file for iptables-restore may hold beside it."""
        counters = _COUNTERS.match(line.text)
        words = words_of(line.text, counters.end() if counters else 0)
        verb = words[0].text if words else ""
        if not words:
            raise WordError("counters without a rule", 1)
        if verb not in _VERBS or len(words) < 2:
            raise WordError(f"`{visible(verb)}` is not {one_of(list(_VERBS))}", words[0].column)
        name, verb = words[1].text, _VERBS[verb]
        if verb == "-N":
            draft.policies.setdefault(name, (None, line.number))
        elif verb == "-P":
            if len(words) < 3:
                raise WordError("-P needs a policy", words[0].column)
            self.policy(draft, name, words[2], line)
        else:
            self.appended(draft, name, words, line, verb)

    def appended(self, draft: _Draft, name: str, words: list[Word], line: _Line, verb: str) -> None:
        """A rule, at the end or, by ``-I``, at a number."""
        if name not in draft.policies and name not in TABLES.get(draft.name, ()):
            raise WordError(f"there is no chain `{visible(name)}`", words[1].column, did_you_mean(name, draft.policies))
        rules = draft.rules.setdefault(name, [])
        at = len(rules)
        if verb == "-I":
            numbered = len(words) > 2 and words[2].text.isdigit()
            at = max(0, number(words[2], 1_000_000, "number") - 1) if numbered else 0
            if at > len(rules):
                raise WordError("the chain has not so many rules", words[2].column)
        rules.insert(at, line)

    def table(self, draft: _Draft) -> Table:
        """A table with its rules read."""
        built_in = TABLES[draft.name]
        users = frozenset(name for name in draft.policies if name not in built_in)
        around = Surroundings(self.family, draft.name, users, self.sets, self.touched)
        pieces = Pieces(around)
        chains = {}
        for name in [*built_in, *users]:
            policy, line = draft.policies.get(name, (None, 0))
            rules: list[Rule] = []
            prefix = f"-A {name} "
            for one in draft.rules.get(name, ()):
                text = one.text if one.text[0] != "[" else one.text[one.text.find("-A ") :]
                rule = pieces.rule(text[len(prefix) :], name, text, one.number) if text.startswith(prefix) else None
                rules += self.rule(one, name, around) if rule is None else (rule,)
            chains[name] = Chain(name, tuple(rules), (policy or "ACCEPT") if name in built_in else None, line)
        return Table(draft.name, chains)

    def rule(self, line: _Line, chain: str, around: Surroundings) -> list[Rule]:
        """The rules of a line that is read whole: one, where it can be read."""
        try:
            counters = _COUNTERS.match(line.text)
            words = words_of(line.text, counters.end() if counters else 0)
            text = line.text[words[0].column - 1 :]
            skip = 3 if _VERBS[words[0].text] == "-I" and len(words) > 2 and words[2].text.isdigit() else 2
            return read_rules(words[skip:], chain, text, line.number, around)
        except WordError as wrong:
            self.told(line, wrong.column, wrong.message, wrong.hint)
            return []

    def loops(self, table: Table) -> None:
        """A chain that leads back into itself is refused by the kernel."""
        jumps = {name: [rule for rule in chain.rules if rule.target.chain] for name, chain in table.chains.items()}
        done: set[str] = set()
        for start in table.chains:
            way: list[tuple[str, Iterator[Rule]]] = [(start, iter(jumps[start]))]
            while way:
                rule = next(way[-1][1], None)
                if rule is None:
                    done.add(way.pop()[0])
                    continue
                there = rule.target.chain
                if there in [one for one, _ in way]:
                    self.told(_Line(rule.text, rule.line), 1, f"the chain {there} leads back into itself")
                elif there not in done:
                    way.append((there, iter(jumps[there])))


_VERBS = {"-A": "-A", "--append": "-A", "-I": "-I", "--insert": "-I", "-N": "-N", "--new-chain": "-N", "-P": "-P",
          "--policy": "-P"}  # fmt: skip


def read_firewall(text: str, *, family: int = 4, ipsets: str | None = None, file: str = "",
                  ipsets_file: str = "ipset") -> Firewall:  # fmt: skip
    """The rules of ``iptables-save`` or ``ip6tables-save``, with or without counters, of either back end.

    Parameters
    ----------
    family
        4 or 6.
    ipsets
        What ``ipset save`` printed; without it a ``set`` match is not modelled.
    file
        What problems call the file.

    Raises
    ------
    InputError
        With every mistake of every line. A match or target that is not known is none: its rule is *not modelled*.
    """
    with _no_collection():
        return _read(text, family, ipsets, file, ipsets_file)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the search for garbage: of a large file nothing is garbage yet, and each search looks at all of it."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _read(text: str, family: int, ipsets: str | None, file: str, ipsets_file: str) -> Firewall:
    sets, wrong = (None, []) if ipsets is None else read_ipsets(ipsets, ipsets_file)
    reader = _Reader(text, family, file, sets)
    reader.problems += wrong
    reader.drafts()
    tables = {name: reader.table(draft) for name, draft in reader.tables.items()}
    for table in tables.values():
        reader.loops(table)
    if not tables and not reader.problems:
        reader.problems.append(Problem(Place(file), "no table in it", "is it what iptables-save prints?"))
    if reader.problems:
        raise InputError(sorted(reader.problems, key=lambda one: one.place))
    return Firewall(family, tables, tuple(reader.notes))


def family_of(text: str) -> int:
    """The family that the head of the file names; 4 where it names none."""
    return 6 if re.search(r"^# Generated by (?:x|ip)6tables(?:-\w+)?-save|^# Generated by ip6tables", text, re.M) else 4
