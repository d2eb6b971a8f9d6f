"""What holds of every answer, over random estates: what cannot matter does not, and the blame is real."""

from __future__ import annotations

import copy
import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netinsight.api import Net
from netinsight.diagnosis.report import Report, StageReport
from netinsight.flow import ICMP, ICMPV6, Verdict, has_ports
from netinsight.model.topology import SECTIONS, Topology
from tests import estates

SOME = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(SOME, max_examples=20)
TRIES = 3
"""How many questions about one estate are tried, where not every one serves."""

Document = dict[str, Any]


# ------------------------------------------------------------------------------------------------- estates and questions


class Asked(NamedTuple):
    """An estate as a document, a question about it, and its answer."""

    document: Document
    question: Document
    report: Report


def document_of(topology: Topology) -> Document:
    """A topology as it would be written in a file."""
    written: Document = topology.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return written


def words(question: estates.Question) -> Document:
    """A question as a notebook asks it."""
    asked: Document = {"src": question.src, "dst": question.dst}
    if has_ports(question.protocol):
        return {**asked, "protocol": question.protocol, "port": question.port, "source_port": question.source_port}
    return {**asked, "protocol": ICMP if question.protocol == ICMPV6 else question.protocol}


def answer(document: Document, question: Document, **chosen: str) -> Report:
    """The answer of a network that is built anew."""
    return Net(Topology.model_validate(document), assume=chosen).diagnose(**question)


def ask(data: st.DataObject) -> Asked:
    """An estate, a question about it and its answer."""
    topology = data.draw(estates.topologies())
    document, question = document_of(topology), words(data.draw(estates.questions(topology)))
    return Asked(document, question, answer(document, question))


def core(report: Report) -> Document:
    """The verdict, what passes, the blockers, and the status of every item."""
    return {
        "verdict": report.verdict,
        "ports": report.reachable_ports,
        "blockers": [(blocker.item, blocker.object.id) for blocker in report.blockers],
        "items": [(item.id, item.object.id, item.status) for item in report.items],
    }


# ------------------------------------------------------------------------------------------------------ rules that decide


class Decider(NamedTuple):
    """A row of a group or of an ACL that decided, with certainty, at a stage."""

    stage: StageReport
    is_reply: bool
    owner: str
    direction: str
    row: str
    """Its number among the rows of its direction, from 1; or the word of an implicit row."""

    @property
    def drops(self) -> bool:
        """Whether it is to blame."""
        return self.stage.decision == "drop"


def deciders(report: Report, kind: str) -> list[Decider]:
    """Those of the stages of a kind, there and back."""
    found = []
    for path in report.paths:
        for is_reply, stages in ((False, path.forward), (True, path.return_)):
            for stage in stages:
                parts = (stage.rule or "").rsplit("/", 2)
                if stage.stage.startswith(kind) and len(parts) == 3 and stage.decision in ("accept", "drop"):
                    found.append(Decider(stage, is_reply, *parts))
    return found


def written(report: Report, kind: str) -> list[Decider]:
    """Those that stand in the file, in a list that no second stage of the path meets."""
    found = deciders(report, kind)
    lists = [(decider.owner, decider.direction) for decider in found]
    return [d for d in found if d.row.isdecimal() and lists.count((d.owner, d.direction)) == 1]


def ask_for(data: st.DataObject, kind: str, wanted: Callable[[Decider], bool]) -> tuple[Asked, Decider] | None:
    """An estate and a question, and a written row of a kind that decides it; None where none of some questions serves."""
    topology = data.draw(estates.topologies())
    document, net = document_of(topology), Net(topology)
    for _ in range(TRIES if kind != "network_acl" or topology.network_acls else 0):
        question = words(data.draw(estates.questions(topology)))
        report = net.diagnose(**question)
        if found := [decider for decider in written(report, kind) if wanted(decider)]:
            return Asked(document, question, report), data.draw(st.sampled_from(found))
    return None


def rules_of(document: Document, decider: Decider) -> list[Document]:
    """The rules of a group in the direction of a decider, in the order of the file."""
    rules = document["security_groups"][decider.owner]["rules"]
    return [rule for rule in rules if rule["direction"] == decider.direction]


def order(rule: Document) -> tuple[int, bool]:
    """Where a rule of a group stands: smaller priorities first, and drop before accept."""
    return rule["priority"], rule["policy"].lower() == "accept"


def same_stage(report: Report, decider: Decider, kind: str) -> Decider | None:
    """What decides now where the decider did; None where it is uncertain."""
    here = (decider.stage.stage, decider.stage.object, decider.is_reply)
    return next((d for d in deciders(report, kind) if (d.stage.stage, d.stage.object, d.is_reply) == here), None)


# ---------------------------------------------------------------------------------------------------- what cannot matter


@SOME
@given(st.data())
def test_a_rule_of_a_group_below_the_one_that_decides_changes_nothing(data: st.DataObject) -> None:
    if not (drawn := ask_for(data, "security_group", lambda decider: True)):
        return
    asked, decider = drawn
    packet, drops = decider.stage.packet, not decider.drops
    below: Document = {"direction": decider.direction, "policy": "drop" if drops else "accept", "priority": 100,
                       "protocol": "all", "source": packet.src, "destination": packet.dst}  # fmt: skip
    if order(below) <= order(rules_of(asked.document, decider)[int(decider.row) - 1]):
        return
    changed = copy.deepcopy(asked.document)
    changed["security_groups"][decider.owner]["rules"].append(below)
    assert core(answer(changed, asked.question)) == core(asked.report)


@FEW
@given(st.data())
def test_no_rule_of_a_group_comes_before_what_its_members_may_do(data: st.DataObject) -> None:
    topology = data.draw(estates.topologies())
    net, document = Net(topology), document_of(topology)
    for _ in range(TRIES):
        question = words(data.draw(estates.questions(topology)))
        report = net.diagnose(**question)
        for decider in deciders(report, "security_group.ingress"):
            rules = document["security_groups"].get(decider.owner, {}).get("rules")
            if decider.row != "intra-group" or decider.is_reply or not isinstance(rules, list):
                continue
            packet = decider.stage.packet
            first = {"direction": "ingress", "policy": "drop", "priority": 1, "source": packet.src,
                     "destination": packet.dst}  # fmt: skip
            changed = copy.deepcopy(document)
            changed["security_groups"][decider.owner]["rules"].append(first)
            assert core(answer(changed, question)) == core(report)


@SOME
@given(st.data())
def test_an_acl_entry_is_to_blame_before_the_one_that_decides_and_changes_nothing_after_it(data: st.DataObject) -> None:
    if not (drawn := ask_for(data, "network_acl", lambda decider: True)):
        return
    asked, decider = drawn
    changed = copy.deepcopy(asked.document)
    entries = changed["network_acls"][decider.owner][decider.direction]
    packet, number = decider.stage.packet, int(decider.row)
    peer = {"source": packet.src} if decider.direction == "ingress" else {"destination": packet.dst}
    place = data.draw(st.integers(number, len(entries)))
    entries.insert(place, {"policy": "accept" if decider.drops else "drop", **peer})
    assert core(answer(changed, asked.question)) == core(asked.report)
    entries.pop(place)
    place = data.draw(st.integers(0, number - 1))
    entries.insert(place, {"policy": "drop", **peer})
    report = answer(changed, asked.question)
    now = same_stage(report, decider, "network_acl")
    assert now is not None
    assert (now.row, now.drops) == (str(place + 1), True)
    assert report.verdict is Verdict.UNREACHABLE


def halves(prefix: str) -> tuple[str, str] | None:
    """The two halves of a prefix; None where it is no prefix, or one address."""
    try:
        network = ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        return None
    if network.prefixlen == network.max_prefixlen:
        return None
    one, other = network.subnets(prefixlen_diff=1)
    return str(one), str(other)


class Place(NamedTuple):
    """A prefix of a rule or entry that can be split."""

    rows: list[Document]
    at: int
    key: str
    parts: tuple[str, str]


def prefixes(document: Document) -> Iterator[Place]:
    """Every prefix of a rule or entry that can be split."""
    lists = [group["rules"] for group in document["security_groups"].values()]
    lists += [acl.get(direction) for acl in document["network_acls"].values() for direction in ("ingress", "egress")]
    for rows in lists:
        for index, row in enumerate(rows if isinstance(rows, list) else []):
            for key in ("source", "destination"):
                if parts := halves(row.get(key, "")):
                    yield Place(rows, index, key, parts)


@SOME
@given(st.data())
def test_splitting_a_prefix_of_a_rule_into_its_two_halves_changes_nothing(data: st.DataObject) -> None:
    asked = ask(data)
    changed = copy.deepcopy(asked.document)
    if not (places := list(prefixes(changed))):
        return
    for index in data.draw(st.sets(st.integers(0, len(places) - 1), min_size=1, max_size=2)):
        place = places[index]
        row = place.rows[place.at]
        place.rows[place.at : place.at + 1] = [{**row, place.key: half} for half in place.parts]
        report = answer(changed, asked.question)
        place.rows[place.at : place.at + 2] = [row]
        assert core(report) == core(asked.report)


@FEW
@given(st.data())
def test_the_order_in_which_the_rules_of_a_group_are_written_changes_nothing(data: st.DataObject) -> None:
    asked = ask(data)
    changed = copy.deepcopy(asked.document)
    for group in changed["security_groups"].values():
        if isinstance(group["rules"], list):
            group["rules"] = data.draw(st.permutations(group["rules"]))
    assert core(answer(changed, asked.question)) == core(asked.report)


def ids_of(document: Document) -> list[str]:
    """Every id of an estate, those of ENIs and of objects that are not described among them."""
    found = {name for section in SECTIONS for name in document.get(section, {})} | set(document.get("unknown", {}))
    for instance in document["instances"].values():
        found |= set(instance["network_interfaces"])
    for table in document["route_tables"].values():
        found |= {row["next_hop"] for row in table["routes"]} if isinstance(table["routes"], list) else set()
    return sorted(found)


def renamed(value: Any, names: dict[str, str]) -> Any:
    """A document with every id replaced, as a key and as a value."""
    if isinstance(value, dict):
        return {names.get(key, key): renamed(part, names) for key, part in value.items()}
    if isinstance(value, list):
        return [renamed(part, names) for part in value]
    return names.get(value, value) if isinstance(value, str) else value


@SOME
@given(st.data())
def test_renaming_every_id_changes_nothing_but_the_names(data: st.DataObject) -> None:
    asked = ask(data)
    ids = ids_of(asked.document)
    names = {name: f"q{n:03}q" for name, n in zip(ids, data.draw(st.permutations(range(len(ids)))), strict=True)}
    back = {new: old for old, new in names.items()}
    report = answer(renamed(asked.document, names), renamed(asked.question, names))
    told = re.sub(r"q\d{3}q", lambda found: back[found[0]], report.to_json())
    assert json.loads(told) == json.loads(asked.report.to_json())


@FEW
@given(st.data())
def test_asking_twice_gives_the_same_bytes(data: st.DataObject) -> None:
    asked = ask(data)
    net = Net(Topology.model_validate_json(json.dumps(asked.document)))
    reports = [net.diagnose(**asked.question), net.diagnose(**asked.question), asked.report]
    assert len({report.to_json().encode() for report in reports}) == 1


# ------------------------------------------------------------------------------------------------------ what does matter


@SOME
@given(st.data())
def test_without_the_blamed_rule_of_a_group_the_next_one_is_to_blame_or_none(data: st.DataObject) -> None:
    if not (drawn := ask_for(data, "security_group", lambda decider: decider.drops)):
        return
    asked, decider = drawn
    changed = copy.deepcopy(asked.document)
    rules = changed["security_groups"][decider.owner]["rules"]
    blamed = rules_of(changed, decider)[int(decider.row) - 1]
    rules.pop(next(i for i, rule in enumerate(rules) if rule is blamed))
    now = same_stage(answer(changed, asked.question), decider, "security_group")
    if now is not None and now.row.isdecimal():
        assert order(rules_of(changed, now)[int(now.row) - 1]) >= order(blamed)
    elif now is not None:
        assert (now.row, now.drops) in [("default", True), ("default", False), ("intra-group", False)]


# ------------------------------------------------------------------------------------------------- sets of what is asked


@FEW
@given(st.data())
def test_the_internet_is_answered_as_its_hosts_are(data: st.DataObject) -> None:
    topology = data.draw(estates.topologies())
    document, question = document_of(topology), words(data.draw(estates.questions(topology)))
    inside = next((question[end] for end in ("src", "dst") if question[end] not in estates.HOSTS), "")
    if ":" in question["src"] + question["dst"] or inside in estates.SERVICES:
        return
    ends = data.draw(st.sampled_from([("src", "dst"), ("dst", "src")]))
    every, *hosts = [
        answer(document, {**question, ends[0]: inside, ends[1]: host}).verdict for host in ("internet", *estates.HOSTS)
    ]
    if every in (Verdict.REACHABLE, Verdict.UNREACHABLE):
        assert set(hosts) == {every}
    if {Verdict.REACHABLE, Verdict.UNREACHABLE} <= set(hosts):
        assert every is Verdict.PARTIAL


@FEW
@given(st.data())
def test_the_client_s_ports_are_answered_as_each_of_them_is(data: st.DataObject) -> None:
    topology = data.draw(estates.topologies())
    drawn = data.draw(estates.questions(topology))
    if not has_ports(drawn.protocol):
        return
    document, question = document_of(topology), words(drawn)
    first, last = drawn.source_port, min(drawn.source_port + data.draw(st.integers(0, 3)), 65535)
    every = answer(document, {**question, "source_port": f"{first}-{last}"})
    each = {answer(document, {**question, "source_port": port}).verdict for port in range(first, last + 1)}
    if len(each) == 1:
        assert every.verdict in each
    elif Verdict.UNDETERMINED not in each:
        assert every.verdict is Verdict.PARTIAL
    assert bool(every.reachable_ports) == (each == {Verdict.REACHABLE})
    assert bool(every.partly_reachable_ports) == (Verdict.REACHABLE in each and len(each) > 1)


# ----------------------------------------------------------------------------------------------------------- assumptions


@SOME
@given(st.data())
def test_an_assumption_is_printed_where_it_turns_the_verdict_and_only_where_it_turns_something(
    data: st.DataObject,
) -> None:
    asked = ask(data)
    name = data.draw(st.sampled_from(sorted(estates.ASSUMPTIONS)))
    chosen = {**asked.document.get("assumptions", {}), name: estates.ASSUMPTIONS[name]}
    turned = answer({**asked.document, "assumptions": chosen}, asked.question)
    chosen.pop(name)
    plain = answer({**asked.document, "assumptions": chosen}, asked.question)
    printed = [name in {assumption.id for assumption in report.assumptions} for report in (plain, turned)]
    if plain.verdict is not turned.verdict:
        assert printed == [True, True]
    if _bare(plain) == _bare(turned):
        assert printed == [False, False]


def _bare(report: Report) -> Document:
    """A report without its assumptions."""
    return {key: part for key, part in report.model_dump().items() if key != "assumptions"}
