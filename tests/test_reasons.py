"""The table of reasons: complete, about nothing else, in both languages, with names that other clouds do have."""

# ruff: noqa: F401, F811  (a fixture is imported, and taken by its name)
from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from netinsight.diagnosis.catalogue import Cause, NamesElsewhere, Reference, load_catalogue, load_reference
from netinsight.diagnosis.glossary import Entry, names_elsewhere
from tests.conftest import ROOT
from tests.reason_codes import given
from tests.test_cli import Command, command, with_rules
from tests.test_explain_command import CHINESE, as_json, squeezed, told

CATALOGUE, REFERENCE = load_catalogue(), load_reference()
SOURCES = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "netinsight" / "network").rglob("*.py"))}
CODES = [code for code in REFERENCE.causes if code not in CATALOGUE.items]
ITEMS = [code for code in REFERENCE.causes if code in CATALOGUE.items]
FOREIGN: dict[str, set[str]] = {cloud: set() for cloud in NamesElsewhere.model_fields}
for line in (ROOT / "tests" / "names-elsewhere.txt").read_text("utf-8").splitlines():
    if not line.startswith("#"):
        FOREIGN[line.partition(" ")[0]].add(line.partition(" ")[2])
NAMES = names_elsewhere(REFERENCE)


# -- complete, and about nothing else ----------------------------------------------------------------------------------


def items_that_stop() -> set[str]:
    """Items of which no stage is the evidence and which may stop a packet: the critical ones that are judged, and locks."""
    judged = {name for name, item in CATALOGUE.items.items() if item.findings and item.severity == "critical"}
    return (judged | {"business.locked", "eni.status"}) - {"blackhole.public_ip"}  # told by the reasons of its stage


def differences(sources: dict[str, str], causes: dict[str, Cause]) -> tuple[set[str], set[str], set[str]]:
    """Codes without an entry, entries that are no code, and codes of which the sources do not tell what they decide."""
    found = given(sources.values(), CATALOGUE.reasons.keys())
    wanted = found.stopping | items_that_stop()
    return wanted - causes.keys(), causes.keys() - wanted, found.unread


def test_each_reason_that_stops_a_packet_has_an_entry_and_nothing_else_has() -> None:
    assert differences(SOURCES, REFERENCE.causes) == (set(), set(), set())


def mutated(name: str, old: str, new: str) -> dict[str, str]:
    """The sources, one of them changed."""
    assert old in SOURCES[name]
    return {**SOURCES, name: SOURCES[name].replace(old, new)}


CHANGED = {
    "another code": ("router.py", 'why("route.loop"', 'why("route.local"', ({"route.local"}, {"route.loop"}, set())),
    "a code of a choice": ("balancer.py", '"balancer.no_healthy" if', '"balancer.answers" if',
                           ({"balancer.answers"}, {"balancer.no_healthy"}, set())),
    "a code of a pair": ("edge.py", 'why("ipv6.egress_only"', 'why("ipv6.passes"',
                         ({"ipv6.passes"}, {"ipv6.egress_only"}, set())),
    "a code by a helper": ("links.py", '"peering.overlap"', '"gateway.passes"',
                           ({"gateway.passes"}, {"peering.overlap"}, set())),
    "a decision": ("router.py", 'Decision.ACCEPT, why("route.service")', 'Decision.UNKNOWN, why("route.service")',
                   ({"route.service"}, set(), set())),
    "no decision beside it": ("walker.py", 'Decision.UNKNOWN, told).to(At.END)', 'decision, told).to(At.END)',
                              (set(), {"route.too_many"}, {"route.too_many"})),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGED)
def test_a_change_of_the_walk_that_the_table_does_not_follow_is_seen(case: str) -> None:
    name, old, new, expected = CHANGED[case]
    assert differences(mutated(name, old, new), REFERENCE.causes) == expected


def test_an_entry_that_is_gone_or_too_many_is_seen() -> None:
    less = {code: cause for code, cause in REFERENCE.causes.items() if code != "nat.no_snat"}
    more = {**REFERENCE.causes, "route.direct": REFERENCE.causes["route.none"]}
    assert differences(SOURCES, less) == ({"nat.no_snat"}, set(), set())
    assert differences(SOURCES, more) == (set(), {"route.direct"}, set())


def test_an_entry_says_what_stands_nowhere_else() -> None:
    advised = {code for item in CATALOGUE.items.values() for code in item.suggestions}
    for code in CODES:
        cause = REFERENCE.causes[code]
        assert cause.meaning, code
        general = [name for name in cause.advice if code not in CATALOGUE.items[name].suggestions]
        assert general == cause.advice, code
        assert bool(general) or code in advised, f"nobody says what to do about {code}"
    assert [code for code in ITEMS if REFERENCE.causes[code].meaning or REFERENCE.causes[code].advice] == []


def test_every_topic_has_entries_in_both_languages() -> None:
    assert {cause.topic for cause in REFERENCE.causes.values()} == REFERENCE.topics.keys()
    for code, cause in REFERENCE.causes.items():
        for words in (cause.when, cause.meaning) if cause.meaning else (cause.when,):
            assert not CHINESE.search(words.en), code
            assert CHINESE.search(words.zh), code
            assert "{" not in words.en + words.zh, code
            assert not re.search(r"[.。]$", words.en + words.zh), code


# -- the names of others -----------------------------------------------------------------------------------------------


def test_every_name_of_another_cloud_is_one_that_it_has() -> None:
    assert REFERENCE.elsewhere.keys() <= REFERENCE.causes.keys()
    assert [len(known) > 8 for known in FOREIGN.values()] == [True] * 4
    for code, names in REFERENCE.elsewhere.items():
        for cloud, known in FOREIGN.items():
            mine = getattr(names, cloud)
            assert [name for name in mine if name not in known] == [], code
            assert len(mine) == len(set(mine)), code
    assert [
        name for name in FOREIGN["aws"] | FOREIGN["google"] if not re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", name)
    ] == []


def test_every_reason_that_nis_tells_apart_has_ours() -> None:
    assert sorted(name for name, one in NAMES.items() if "alibaba" in one.clouds) == sorted(FOREIGN["alibaba"])


@pytest.mark.parametrize("name", NAMES)
def test_a_reason_is_found_by_the_name_of_another_cloud(name: str, command: Command) -> None:
    one, answer = NAMES[name], as_json(command, name.lower())
    assert (answer["name"], answer["clouds"]) == (name, one.clouds)
    assert [entry["id"] for entry in answer["reasons"]] == one.reasons
    assert all(name in entry["elsewhere"][cloud] for entry in answer["reasons"] for cloud in one.clouds)
    text = told(command, name.upper())
    assert text.startswith(f"{name}  (a name of ")
    assert all(f"\n{code}  (" in text or f"\n  {code}  " in text for code in one.reasons)


def test_several_reasons_are_listed_and_one_is_told_in_full(command: Command) -> None:
    several, one = told(command, "no_route_to_destination"), told(command, "ROUTING_LOOP")
    assert several.splitlines()[0] == "NO_ROUTE_TO_DESTINATION  (a name of AWS)"
    assert re.findall(r"^  (\S+)  ", several, re.M) == ["route.none", "route.none_public", "nat.private_vswitch"]
    assert "netinsight explain " in several.splitlines()[-1]
    assert one == "ROUTING_LOOP  (a name of Google)\n\n" + told(command, "route.loop")
    assert told(command, "BAD_STATE", "--lang", "zh").startswith("BAD_STATE  （AWS的名称）\n  gateway.status")


def test_a_name_that_is_misspelt_has_a_hint_and_one_of_ours_comes_first(command: Command) -> None:
    answer = command("explain", "no_route_to_destinaton")
    assert (answer.status, answer.out) == (2, "")
    assert "did you mean `NO_ROUTE_TO_DESTINATION`?" in answer.err
    assert as_json(command, "unknown")["kind"] == "status"


# -- what is told of each ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("code", REFERENCE.causes)
def test_a_reason_tells_its_meaning_when_what_to_do_and_what_others_call_it(
    code: str, lang: str, command: Command
) -> None:
    text, entry = told(command, code, "--lang", lang), as_json(command, code, "--lang", lang)
    cause, names = REFERENCE.causes[code], REFERENCE.elsewhere.get(code, NamesElsewhere()).model_dump()
    meaning = cause.meaning or REFERENCE.about[code]
    advice = [said["suggestion"] for said in entry["says"]] if code in CODES else []
    advice = [*advice, *filter(None, [entry["suggestion"]])]
    assert (entry["meaning"], entry["when"]) == (getattr(meaning, lang), getattr(cause.when, lang))
    assert (entry["elsewhere"], entry["topic"]) == (names, getattr(REFERENCE.topics[cause.topic], lang))
    assert advice
    wanted = [entry["meaning"], entry["when"], entry["text"], *advice, *(", ".join(one) for one in names.values())]
    assert [words for words in wanted if squeezed(words) not in squeezed(text)] == []
    rows = [line for line in text.splitlines() if re.match(r"  (AWS|Google|Azure|Alibaba NIS|阿里云NIS)  ", line)]
    assert len(rows) == len(names)
    assert [row.endswith("  —") for row in rows] == [not one for one in names.values()]


def test_an_answer_in_json_says_all_of_it_again(command: Command) -> None:
    for entry in as_json(command):
        assert Entry.model_validate(entry).model_dump() == entry
    assert Reference.model_validate(json.loads(REFERENCE.model_dump_json())) == REFERENCE


def test_a_reason_that_stops_nothing_has_no_condition(command: Command) -> None:
    entry = as_json(command, "route.direct")
    assert (entry["when"], entry["topic"], entry["elsewhere"]) == ("", "", {})
    assert entry["meaning"] == entry["text"] == CATALOGUE.reasons["route.direct"].en


def test_a_folder_of_rules_may_say_otherwise_but_adds_no_reason(command: Command, tmp_path: Path) -> None:
    rules = with_rules(tmp_path, 'causes: {route.none: {when: {en: "nobody knows the way"}}}\n')
    assert "when         nobody knows the way" in told(command, "route.none", *rules)
    (other := tmp_path / "other").mkdir()
    rules = with_rules(other, "elsewhere: {route.nonne: {aws: [X]}}\n")
    answer = command("explain", "route.none", *rules)
    assert answer.status == 2
    assert "is not in the catalogue's `elsewhere`" in answer.err
