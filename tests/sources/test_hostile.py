"""Input that means harm, or that no one meant: bounded in time and memory, never a defect, never an escape code."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from netinsight.cli import run
from netinsight.errors import InputError
from netinsight.sources import document, files
from netinsight.sources.topology_file import STDIN, read_topology
from netinsight.sources.yaml_file import read_yaml
from tests.sources.test_topology_errors import BASE, EXAMPLE

VPC = "vpcs: {vpc-1: {cidrs: [10.0.0.0/16]}}\n"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What may change a terminal, or the order of what it shows."""
HEADLINE = re.compile(rf"{re.escape(STDIN)}:[1-9][0-9]*:[1-9][0-9]*: \S")


class Answer(NamedTuple):
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str


def ask(command: list[str], data: str | bytes) -> Answer:
    """Runs a command with ``data`` on standard input."""
    out, err = io.StringIO(), io.StringIO()
    stream = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    with (
        patch("sys.stdin", SimpleNamespace(buffer=stream)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status = run(command)
    return Answer(status, out.getvalue(), err.getvalue())


def validate(data: str | bytes) -> Answer:
    """Validates ``data``, and holds the answer to what any answer must be."""
    answer = ask(["validate", "-"], data)
    assert answer.status in (0, 2), answer.err[-2000:]
    assert not CONTROL.search(answer.out + answer.err), repr(answer.err[:500])
    heads = [line for line in answer.err.splitlines() if not line.startswith("    ")]
    assert [head for head in heads if not HEADLINE.match(head)] == []
    assert answer.status == 0 or heads
    return answer


def refused(data: str | bytes) -> str:
    """The first line of what is said of an input that must be refused."""
    answer = validate(data)
    assert answer.status == 2
    return answer.err.splitlines()[0]


def as_json(text: str) -> Any:
    """A YAML text as plain values that may be changed."""
    result = read_yaml(text, "t.yaml").result
    assert result is not None
    return json.loads(json.dumps(result[0]))


# -- depth, size and repetition ----------------------------------------------------------------------------------------

DEEP = {
    "flow lists": "[" * 100_000,
    "flow lists below a key": "vpcs: " + "[" * 100_000,
    "flow mappings": "{a: " * 100_000,
    "flow lists that are closed": "vpcs: " + "[" * 100_000 + "]" * 100_000,
    "block lists": "- " * 100_000,
    "block mappings": "".join(f"{' ' * depth}a:\n" for depth in range(2000)),
    "lists of JSON": '{"vpcs": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "mappings of JSON": '{"a":' * 100_000 + "1" + "}" * 100_000,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_nesting_is_bounded(text: str) -> None:
    assert re.search("nest", refused(text))


@pytest.mark.parametrize("opened", ['{"a":', "["])
def test_nesting_of_json_is_bounded_by_a_place(opened: str, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(opened * 100_000)
    with pytest.raises(InputError) as caught:
        read_topology(str(path))
    (problem,) = caught.value.problems
    assert problem.message == f"nested deeper than {document.MOST_DEPTH} levels"
    assert (problem.place.line, problem.place.column) == (1, document.MOST_DEPTH * len(opened) + 1)


def nested_aliases(count: int) -> str:
    """Each line nests the one before: the depth is the product, the count of values small."""
    lines = [f"  v{n}: &a{n} {'[' * 36}{f'*a{n - 1}' if n else 1}{']' * 36}\n" for n in range(count)]
    return "vpcs:\n" + "".join(lines)


@pytest.mark.parametrize("count", [2, 10, 50])
def test_nesting_by_aliases_is_bounded_too(count: int) -> None:
    refused(nested_aliases(count))


def bomb(opened: str, closed: str) -> str:
    lines = [f"a0: &a0 {opened}{', '.join(['lol'] * 10)}{closed}\n"]
    lines += [f"a{n}: &a{n} {opened}{', '.join([f'*a{n - 1}'] * 10)}{closed}\n" for n in range(1, 40)]
    return "".join(lines)


def test_an_alias_bomb_is_refused_fast() -> None:
    assert "aliases repeat more than" in refused(bomb("[", "]"))


def test_an_alias_bomb_by_merge_keys_is_refused_fast() -> None:
    lines = ["a0: &a0 {k0: 1, k1: 1, k2: 1}\n"]
    lines += [f"a{n}: &a{n} {{b: *a{n - 1}, c: *a{n - 1}, <<: *a{n - 1}}}\n" for n in range(1, 60)]
    assert "aliases repeat more than" in refused("".join(lines))


LARGE = {
    "a line of 3 MB": (f"region: {'x' * 3_000_000}\n", 0),
    "a line of 3 MB with a problem at its end": ('{"region": "' + "x" * 3_000_000 + '", "regoin": 1}', 2),
    "a comment of 3 MB": (f"region: x # {'y' * 3_000_000}\n", 0),
    "an address of 3 MB": (f"vpcs: {{v: {{cidrs: ['{'1' * 3_000_000}']}}}}\n", 2),
    "a word of 3 MB": ('{"instances": {"i": {"status": "' + "R" * 3_000_000 + '"}}}', 2),
    "a moment of 3 MB": (f"collected_at: '{'1' * 3_000_000}'\n", 2),
    "a key of 3 MB": ('{"' + "k" * 3_000_000 + '": 1}', 2),
    "an id of 3 MB": ('{"vpcs": {"' + "v" * 3_000_000 + '": {"cidrs": ["10.0.0.0/8"]}}}', 2),
    "a reference of 3 MB": (VPC + f"security_groups: {{s: {{vpc: {'v' * 3_000_000}}}}}\n", 2),
    "ports of 3 MB": (
        VPC + f"security_groups: {{s: {{vpc: vpc-1, rules: [{{direction: ingress, source: 10.0.0.0/8, protocol: tcp, "
        f"ports: '{'1/' * 1_500_000}'}}]}}}}\n", 2),
    "a list in one line": (VPC + f"port_lists: {{p: [{', '.join(['1/1'] * 100_000)}]}}\n", 0),
    "a list of 20000 wrong values": (f"port_lists: {{p: [{', '.join(['x/y'] * 20_000)}]}}\n", 2),
}  # fmt: skip


@pytest.mark.parametrize(("text", "status"), LARGE.values(), ids=LARGE)
def test_a_large_value_is_read_or_refused_in_a_few_words(text: str, status: int) -> None:
    answer = validate(text)
    assert answer.status == status
    assert max(map(len, (answer.out + answer.err).splitlines())) < 600


MANY = {
    "duplicate keys": "vpcs:\n" + "  vpc-1: {cidrs: [10.0.0.0/16]}\n" * 2500,
    "unknown keys": "".join(f"key-{n}: 1\n" for n in range(2500)),
    "unknown keys of one object": VPC + f"instances: {{i: {{{', '.join(f'k{n}: 1' for n in range(2500))}}}}}\n",
    "references to nothing": "vpcs:\n"
    + "".join(f"  vpc-{n:04}: {{cidrs: [10.0.0.0/16]}}\n" for n in range(500))
    + "security_groups:\n"
    + "".join(f"  sg-{n}: {{vpc: vpx{n:04}}}\n" for n in range(500)),
    "vswitches that overlap": VPC
    + "vswitches:\n"
    + "".join(f"  vsw-{n}: {{vpc: vpc-1, cidr: 10.0.0.0/16}}\n" for n in range(500)),
    "blocks that overlap": f"vpcs: {{v: {{cidrs: [{', '.join(['10.0.0.0/8'] * 500)}]}}}}\n",
    "tags that are refused": "".join(f"k{n}: !x y\n" for n in range(2500)),
}


@pytest.mark.parametrize("text", MANY.values(), ids=MANY)
def test_many_problems_are_not_more_than_there_are_wrong_places(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_topology("-", io.BytesIO(text.encode()))
    assert len(caught.value.problems) <= 6000


@pytest.mark.parametrize("name", ["t.yaml", "t.yml", "t.json"])
def test_a_file_over_the_limit_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(files.MOST_BYTES, "yaml", 2000)
    monkeypatch.setitem(files.MOST_BYTES, "json", 3000)
    limit = files.MOST_BYTES["json" if name.endswith("json") else "yaml"]
    path = tmp_path / name
    path.write_text('{"region": "x"}'.ljust(limit))
    assert read_topology(str(path)).topology.region == "x"
    path.write_text('{"region": "x"}'.ljust(limit + 1))
    with pytest.raises(InputError, match="larger than"):
        read_topology(str(path))


def test_yaml_over_its_limit_is_refused_by_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(files.MOST_BYTES, "yaml", 2000)
    monkeypatch.setitem(files.MOST_BYTES, "json", 3000)
    assert read_topology("-", io.BytesIO(b'{"region": "x"}'.ljust(2500))).topology.region == "x"
    with pytest.raises(InputError, match="larger than"):
        read_topology("-", io.BytesIO(b"region: x\n".ljust(2500)))


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 3)
    for n in range(4):
        (tmp_path / f"{n}.yaml").write_text(f"vpcs: {{v{n}: {{cidrs: [10.0.0.0/16]}}}}\n")
    with pytest.raises(InputError, match="more than 3 files"):
        read_topology(str(tmp_path))


class Endless(io.RawIOBase):
    """A stream that never ends, and tells how much of it was read."""

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        buffer[:] = b" " * size
        self.given += size
        assert self.given < 1 << 20, "still reading"
        return size


def test_a_stream_that_never_ends_is_read_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(files.MOST_BYTES, "yaml", 50_000)
    monkeypatch.setitem(files.MOST_BYTES, "json", 100_000)
    stream = Endless()
    with pytest.raises(InputError, match="larger than"):
        read_topology("-", io.BufferedReader(stream))
    assert stream.given < 400_000


# -- numbers and characters --------------------------------------------------------------------------------------------

NUMBERS = ("9" * 40, "9" * 5000, "-" + "9" * 5000, "1e999", "1e400", "-1e999", "1" + "0" * 400, "1.5e309", "1e99999",
           "NaN", "Infinity", "-Infinity", ".inf", ".nan", "0x" + "f" * 5000)  # fmt: skip
KINDS = {
    "bandwidth": '{"eips": {"e": {"ip": "203.0.113.1", "bandwidth_mbps": %s}}}',
    "priority": '{"security_groups": {"s": {"vpc": "v", "rules": '
    '[{"direction": "ingress", "source": "10.0.0.0/8", "priority": %s}]}}, "unknown": {"v": "x"}}',
    "percent": '{"instances": {"i": {"load": {"cpu_percent": %s}, "network_interfaces": '
    '{"e": {"vswitch": "w", "ip": "10.0.0.1", "security_groups": ["s"]}}}}, "unknown": {"w": "x", "s": "x"}}',
    "boolean": '{"account": {"overdue": %s}}',
    "moment": '{"collected_at": %s}',
    "block": '{"vpcs": {"v": {"cidrs": [%s]}}}',
    "object": '{"vpcs": {"v": %s}}',
    "section": '{"vpcs": %s}',
    "schema": '{"schema": %s}',
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["t.yaml", "t.json"])
def test_a_number_past_any_measure_is_no_value_of_any_kind(kind: str, name: str, tmp_path: Path) -> None:
    read = []
    for number in NUMBERS:
        (tmp_path / name).write_text(KINDS[kind] % number)
        try:
            read_topology(str(tmp_path / name))
        except InputError as error:
            (problem,) = error.problems
            assert problem.place.line == 1
            assert len(problem.message) < 300
        else:
            read.append(number[:12])
    assert read == []


BYTES = {
    "a NUL": b"region: \x00\n",
    "a NUL in JSON": b'{"region": "\x00"}',
    "a NUL between values of JSON": b'{"region":\x00 "x"}',
    "a bell": b"region: \x07\n",
    "an escape": b"region: \x1b[31m\n",
    "an escape in JSON": b'{"region": "\x1b[31m"}',
    "a delete": b'"\x7f": x\n',
    "a C1 control": '"\x9b31m": x\n'.encode(),
    "a form feed": b"region:\x0c x\n",
    "an override of direction": '"\u202e": x\n'.encode(),
    "invalid UTF-8": b"region: \xc3\x28\n",
    "an overlong slash": b"region: \xc0\xaf\n",
    "a surrogate in UTF-8": b"region: \xed\xa0\x80\n",
    "a character past Unicode": b"region: \xf4\x90\x80\x80\n",
    "a text that ends in a character": b"region: \xe4\xb8",
    "a byte order mark twice": b"\xef\xbb\xbf\xef\xbb\xbfregoin: x\n",
}


@pytest.mark.parametrize("data", BYTES.values(), ids=BYTES)
def test_a_character_that_no_text_has_is_refused_and_not_printed(data: bytes) -> None:
    refused(data)


RED = "\x1b[31mred"
HOSTILE = f"{RED}\r\na: \u202ecba\x9b31m\u2028x"


def texts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], bool]]:
    """The path of every text of a document, and whether it is a key."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield (*path, key), True
            yield from texts(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from texts(below, (*path, index))
    elif isinstance(value, str):
        yield path, False


def holder_of(document_: Any, path: tuple[str | int, ...]) -> Any:
    for part in path[:-1]:
        document_ = document_[part]
    return document_


PLACES = list(texts(as_json(BASE)))
"""Every key and every text of a topology with an object of every kind."""


def test_no_text_of_a_file_reaches_the_terminal_as_it_is() -> None:
    printed = []
    for path, is_key in PLACES:
        changed = as_json(BASE)
        holder = holder_of(changed, path)
        value = holder.pop(path[-1]) if is_key else None
        holder[HOSTILE if is_key else path[-1]] = value if is_key else HOSTILE
        answer = ask(["validate", "-"], json.dumps(changed))
        assert answer.status in (0, 2), answer.err
        heads = [line for line in answer.err.splitlines() if not line.startswith("    ")]
        if CONTROL.search(answer.out + answer.err) or not all(HEADLINE.match(head) for head in heads):
            printed.append(path)
    assert printed == []


FREE = {
    "region": ("region",),
    "zone": ("vswitches", "vsw-2", "zone"),
    "description": ("security_groups", "sg-1", "rules", 0, "description"),
    "entry": ("network_acls", "acl-1", "ingress", 0, "description"),
    "row": ("route_tables", "rtb-1", "routes", 0, "name"),
    "tag": ("instances", "i-1", "tags"),
    "system": ("instances", "i-1", "os", "name"),
    "version": ("instances", "i-1", "os", "version"),
    "architecture": ("instances", "i-1", "os", "architecture"),
    "interface": ("instances", "i-1", "guest", "interfaces", 0, "name"),
    "mac": ("instances", "i-1", "guest", "interfaces", 0, "mac"),
    "iptables": ("instances", "i-1", "guest", "iptables"),
    "routes": ("instances", "i-1", "guest", "routes"),
    "process": ("instances", "i-1", "guest", "listening", 0, "process"),
    "root": ("instances", "i-1", "guest", "sshd", "permit_root_login"),
    "files": ("instances", "i-1", "guest", "sshd", "missing_files"),
    "account": ("account", "name"),
    "status": ("instances", "i-2", "status"),
    "eni": ("network_interfaces", "eni-3", "status"),
    "groups": ("instances", "i-1", "network_interfaces", "eni-2", "security_groups"),
    "acl": ("vswitches", "vsw-2", "network_acl"),
    "table": ("vswitches", "vsw-2", "route_table"),
    "eip": ("eips", "eip-1", "bound_to"),
    "lost": ("unknown", "lost"),
}
RULES = f'*filter\n:INPUT DROP [0:0]\n-A INPUT -m comment --comment "{RED}" -m strange --{RED} -j DROP\nCOMMIT\n'
UNKNOWN_VALUES = {"status", "eni", "groups", "acl", "table", "eip"}


@pytest.mark.parametrize("form", [[], ["--all"], ["--lang", "zh", "--all"], ["--output", "json"]], ids=" ".join)
def test_no_free_text_reaches_a_report_as_it_is(form: list[str]) -> None:
    changed = as_json(BASE)
    for name, path in FREE.items():
        value = {"unknown": RED} if name in UNKNOWN_VALUES else {RED: RED} if name == "tag" else RED
        value = RULES if name == "iptables" else [RED] if name == "files" else value
        holder_of(changed, path)[path[-1]] = value
    data = json.dumps(changed)
    assert validate(data).status == 0
    asked = ("i-1 i-2", "i-2 i-1", "internet i-1", "eni-2 i-2", "i-1 eni-2", "i-1 8.8.8.8", "eni-3 i-2", "lost i-1")
    for source, destination in (pair.split() for pair in asked):
        answer = ask(["diagnose", "-", "--src", source, "--dst", destination, "--port", "22", *form], data)
        assert answer.status in (0, 1, 2, 3), answer.err
        assert not CONTROL.search(answer.out + answer.err), (source, destination)


@pytest.mark.parametrize("option", ["--src", "--dst", "--port", "--source-port", "--protocol", "--icmp-type", "--family",
                                    "--at", "--assume", "--output", "--lang", "--rules", "--to", f"--{RED}"])  # fmt: skip
def test_no_argument_reaches_the_terminal_as_it_is(option: str) -> None:
    usual = {"--src": "i-1", "--dst": "i-2", "--port": "22"}
    value = f"{RED}/x/y" if option == "--to" else RED
    words = [word for pair in ({**usual, option: value}).items() for word in pair]
    answer = ask(["diagnose", "-", *words], BASE)
    assert answer.status == 2
    assert not CONTROL.search(answer.out + answer.err), repr(answer.err)


@pytest.mark.parametrize("command", [[RED], ["validate", RED], ["validate", f"{RED}/x"], ["schema", RED]])
def test_no_word_of_a_command_reaches_the_terminal_as_it_is(command: list[str]) -> None:
    answer = ask(command, b"")
    assert answer.status == 2
    assert not CONTROL.search(answer.out + answer.err), repr(answer.err)


def test_no_name_of_a_file_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    (tmp_path / f"{RED}.yaml").write_text("regoin: x\n")
    answer = ask(["validate", str(tmp_path)], b"")
    assert answer.status == 2
    assert not CONTROL.search(answer.err), repr(answer.err)


SURROGATES = {
    "a key": '{"\\ud800": 1}',
    "an id": '{"vpcs": {"\\ud800": {"cidrs": ["10.0.0.0/8"]}}}',
    "a boolean": '{"account": {"overdue": "\\ud800"}}',
    "a block": '{"vpcs": {"v": {"cidrs": ["\\udfff"]}}}',
    "a word": '{"cloud": "\\ud800"}',
    "a moment": '{"collected_at": "\\ud800"}',
    "a name": '{"vpcs": {"v": {"cidrs": ["10.0.0.0/8"], "name": "\\ud800"}}}',
    "a key of an object": '{"vpcs": {"v": {"cidrs": ["10.0.0.0/8"], "\\ud800": 1}}}',
    "a key of a tag": '{"vpcs": {"v": {"cidrs": ["10.0.0.0/8"], "tags": {"\\ud800": "x"}}}}',
    "an assumption": '{"assumptions": {"\\ud800": "x"}}',
    "a reason": '{"unknown": {"lost": "\\ud800"}}',
    "a region": '{"region": "\\ud800"}',
}


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
def test_half_a_character_of_json_is_no_defect(text: str) -> None:
    validate(text)


def test_half_a_character_is_no_defect_in_a_report() -> None:
    changed = as_json(BASE)
    changed["unknown"]["lost"] = changed["instances"]["i-1"]["guest"]["listening"][0]["process"] = "\ud800"
    changed["instances"]["i-1"]["os"]["name"] = "Ubuntu \ud800"
    changed["instances"]["i-2"]["network_interfaces"]["eni-4"]["security_groups"] = ["lost"]
    for form in ([], ["--all"], ["--output", "json"]):
        for source, destination in (("i-1", "i-2"), ("i-2", "i-1"), ("lost", "i-1")):
            words = ["diagnose", "-", "--src", source, "--dst", destination, "--port", "22", *form]
            answer = ask(words, json.dumps(changed))
            assert answer.status in (0, 1, 2, 3), answer.err
            (answer.out + answer.err).encode()


# -- whatever is written -----------------------------------------------------------------------------------------------

FUZZ = settings(deadline=None, suppress_health_check=list(HealthCheck))
IDS = ("vpc-1", "vpc-2", "vsw-1", "sg-1", "sg-e", "acl-1", "rtb-1", "pl-1", "prl-1", "eip-1", "ngw-1", "pcc-1", "i-1",
       "eni-1", "eni-3", "lost")  # fmt: skip
WORDS = (*IDS, "0.0.0.0/0", "::/0", "10.0.0.0/8", "10.0.1.10", "::1", "2001:db8::/32", "203.0.113.10", "-1/-1", "22/22",
         "65535/1", "0/0", "all", "tcp", "icmp", "icmpv6", "gre", "6", "accept", "drop", "ingress", "egress", "normal",
         "enterprise", "Available", "Stopped", "primary", "system", "Instance", "2026-11-24T08:00:00Z", "0001-01-01T00:00:00Z",
         "9999-12-31T23:59:59-23:59", "", " ", "~", "<<", "100.100.100.200", "100.64.0.0/10")  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 70000), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(WORDS)
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=4)), below, max_size=3),
        st.fixed_dictionaries({"unknown": below}),
    ),
    max_leaves=6,
)
QUESTIONS = (
    ["--src", "i-1", "--dst", "i-2", "--port", "22"],
    ["--src", "internet", "--dst", "i-1", "--port", "22", "--output", "json"],
    ["--src", "eni-2", "--dst", "8.8.8.8", "--port", "80-443", "--all"],
    ["--src", "i-1", "--dst", "eni-2", "--protocol", "icmp", "--lang", "zh"],
    ["--src", "i-1", "--dst", "100.100.100.200", "--protocol", "udp", "--port", "53", "--one-way"],
    ["--src", "10.0.1.40", "--dst", "203.0.113.20", "--port", "8022"],
    ["--src", "eni-1", "--dst", "i-2", "--port", "22", "--family", "6"],
)  # fmt: skip


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield (*path, key)
        yield from paths_of(below, (*path, key))


@st.composite
def changed_documents(draw: st.DrawFn) -> Any:
    """A valid document with one to four things deleted, doubled, moved or replaced."""
    changed = as_json(draw(st.sampled_from([BASE, EXAMPLE])))
    for _ in range(draw(st.integers(1, 4))):
        paths = list(paths_of(changed))
        if not paths:
            break
        path, other = draw(st.sampled_from(paths)), draw(st.sampled_from(paths))
        holder, key = holder_of(changed, path), path[-1]
        match draw(st.sampled_from(["delete", "double", "move", "replace", "replace", "replace"])):
            case "delete":
                del holder[key]
            case "double" if isinstance(holder, list):
                holder.append(holder[int(key)])
            case "double":
                holder[draw(st.sampled_from(WORDS))] = holder[key]
            case "move":
                holder[key] = json.loads(json.dumps(holder_of(changed, other)[other[-1]]))
            case _:
                holder[key] = draw(VALUES)
    return changed


@st.composite
def changed_texts(draw: st.DrawFn) -> str:
    """The text of a valid document with some characters or lines put in, taken out or doubled."""
    text = draw(st.sampled_from([BASE, EXAMPLE, json.dumps(as_json(EXAMPLE), indent=1)]))
    for _ in range(draw(st.integers(1, 5))):
        at, size = draw(st.integers(0, len(text))), draw(st.integers(0, 12))
        match draw(st.sampled_from(["insert", "delete", "double", "line"])):
            case "insert":
                text = (
                    text[:at]
                    + draw(st.one_of(st.text(max_size=4), st.sampled_from(list("{}[]:,&*!|>%@`'\"#-? \t\n"))))
                    + text[at:]
                )
            case "delete":
                text = text[:at] + text[at + size :]
            case "double":
                text = text[: at + size] + text[at:]
            case _:
                lines = text.split("\n")
                line = draw(st.integers(0, len(lines) - 1))
                lines.insert(draw(st.integers(0, len(lines))), lines.pop(line))
                text = "\n".join(lines)
    return text


def assert_no_defect(data: str, question: list[str]) -> None:
    status = validate(data).status
    answer = ask(["diagnose", "-", *question], data)
    assert answer.status in ((2,) if status == 2 else (0, 1, 2, 3)), answer.err[-3000:]
    assert not CONTROL.search(answer.out + answer.err)
    if answer.status != 2 and "json" in question:
        json.loads(answer.out)


@given(changed_documents(), st.sampled_from(QUESTIONS))
@settings(FUZZ, max_examples=120)
def test_no_change_of_a_valid_document_is_a_defect(changed: Any, question: list[str]) -> None:
    assert_no_defect(json.dumps(changed), question)


@given(changed_texts(), st.sampled_from(QUESTIONS))
@example("vpcs: {v: {cidrs: [10.0.0.0/8]}}\n<<: *x", QUESTIONS[0])
@settings(FUZZ, max_examples=150)
def test_no_change_of_a_valid_text_is_a_defect(text: str, question: list[str]) -> None:
    assert_no_defect(text, question)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
@settings(FUZZ, max_examples=200)
def test_no_bytes_are_a_defect(data: bytes) -> None:
    validate(data)
