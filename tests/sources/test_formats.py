"""The same topology as YAML, as JSON, over several files and by standard input; and what is no topology at all."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from netinsight.api import load
from netinsight.errors import InputError, Problem
from netinsight.model.topology import Topology
from netinsight.sources.json_file import read_json
from netinsight.sources.topology_file import Reading, read_topology
from netinsight.sources.yaml_file import read_yaml
from tests.sources.test_topology_errors import BASE, EXAMPLE, marked

VPC = "vpcs: {vpc-1: {cidrs: [10.0.0.0/16]}}\n"


def document(text: str = EXAMPLE) -> dict[str, Any]:
    """The plain values of a YAML text."""
    result = read_yaml(text, "t.yaml").result
    assert result is not None
    assert isinstance(result[0], dict)
    return result[0]


def read(folder: Path, content: str | bytes, name: str = "t.yaml") -> Reading:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_topology(str(path))


def read_stdin(content: str | bytes) -> Reading:
    return read_topology("-", io.BytesIO(content.encode() if isinstance(content, str) else content))


def problems_of(folder: Path, content: str | bytes, name: str = "t.yaml") -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        read(folder, content, name)
    return caught.value.problems


def only_problem(folder: Path, content: str | bytes, name: str = "t.yaml") -> Problem:
    (problem,) = problems_of(folder, content, name)
    return problem


def same(one: Topology, other: Topology) -> bool:
    """Equal values, wherever they stand."""
    return one.model_dump() == other.model_dump()


# -- YAML and JSON -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [EXAMPLE, BASE], ids=["the example", "the base"])
@pytest.mark.parametrize("indent", [None, 2], ids=["in one line", "indented"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_is_read_as_the_same_yaml_is(text: str, indent: int | None, ascii_only: bool, tmp_path: Path) -> None:
    as_json = json.dumps(document(text), indent=indent, ensure_ascii=ascii_only)
    expected = read(tmp_path, text).topology
    for reading in (
        read(tmp_path, as_json, "t.json"),
        read(tmp_path, as_json, "as-yaml.yaml"),
        read(tmp_path, as_json, "without-a-suffix"),
        read_stdin(as_json),
        read_stdin(text),
    ):
        assert same(reading.topology, expected)
        assert reading.warnings == ()


def test_a_value_stands_at_the_same_place_in_json_as_the_same_text_in_yaml(tmp_path: Path) -> None:
    text = json.dumps(document(), indent=2)
    as_json, as_yaml = read(tmp_path, text, "t.json").topology, read(tmp_path, text, "t.yaml").topology
    for path in (("vpcs", "vpc-prod"), ("vpcs", "vpc-prod", "cidrs", 0), ("security_groups", "sg-web", "rules", 1),
                 ("instances", "i-a", "network_interfaces", "eni-a", "ip"), ("eips", "eip-3", "bound_to")):  # fmt: skip
        one, other = as_json.located(*path), as_yaml.located(*path)
        assert (one.place.line, one.place.column, one.excerpt) == (other.place.line, other.place.column, other.excerpt)
        assert one.excerpt == text.splitlines()[one.place.line - 1]


JSON_ERRORS = {
    "an unknown key": ('{\n  "region": "x",\n  »"regoin": "x"\n}', "unknown key `regoin`"),
    "a duplicate key": ('{\n  "region": "x",\n  »"region": "y"\n}', "duplicate key `region`; it stands at line 2"),
    "a value that is wrong": ('{\n  "vpcs": {"v": {"cidrs": [\n    »"10.0.1.0/16"]}}}', "`10.0.1.0/16` has host bits set"),
    "a value after Chinese text": ('{"vpcs": {"v": {"name": "生产", "cidrs": [»"10.0.1.0/16"]}}}', "has host bits"),
    "a value after an escaped text": ('{"vpcs": {"v": {"name": "\\u751f", "cidrs": [»"x"]}}}', "`x` is not a CIDR"),
    "a missing comma": ('{"region": "x"\n »"cloud": "aliyun"}', 'expected `,` or `}`, found `"cloud": "al`'),
    "a comma at the end": ('{"region": "x",\n»}', "expected a key in double quotes, found `}`"),
    "a comma at the end of a list": ('{"port_lists": {"p": ["80/80",»]}}', "expected a value, found `]}}`"),
    "a missing colon": ('{"region" »"x"}', 'expected `:`, found `"x"}`'),
    "a key without quotes": ('{»region: "x"}', "expected a key in double quotes"),
    "single quotes": ("{»'region': 'x'}", "expected a key in double quotes"),
    "a comment": ('{\n»// no comment\n"region": "x"}', "expected a key in double quotes"),
    "two values": ('{"region": "x"}\n»{"region": "x"}', "more follows"),
    "a word that is none": ('{"cloud_assistant": »yes}', "expected a value, found `yes}`"),
    "True": ('{"account": {"overdue": »True}}', "expected a value, found `True}}`"),
    "NaN": ('{"account": {"overdue": »NaN}}', "expected a value, found `NaN}}`"),
    "Infinity": ('{"account": {"overdue": »Infinity}}', "expected a value, found `Infinity}}`"),
    "a negative Infinity": ('{"account": {"overdue": »-Infinity}}', "expected a value, found `-Infinity}}`"),
    "a number with a leading zero": ('{"eips": {"e": {"ip": »012}}}', "012}}}`"),
    "a hexadecimal number": ('{"eips": {"e": {"ip": 0»x12}}}', "expected `,` or `}`, found `x12}}}`"),
    "a number with a plus": ('{"eips": {"e": {"ip": »+1}}}', "expected a value, found `+1}}}`"),
    "a number without its fraction": ('{"eips": {"e": {"ip": »1.}}}', "1.}}}`"),
    "nothing after a key": ('{"region": »', "expected a value, found `the end of the file`"),
    "an object that is not closed": ('{"region": "x"»', "expected `,` or `}`, found `the end of the file`"),
    "closers that are crossed": ('{"port_lists": {"p": ["80/80"»}]}', "expected `,` or `]`, found `}]}`"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), JSON_ERRORS.values(), ids=JSON_ERRORS)
def test_an_error_in_json_has_its_line_and_column(text: str, message: str, tmp_path: Path) -> None:
    plain, places = marked(text)
    problem = only_problem(tmp_path, plain, "t.json")
    assert [(problem.place.line, problem.place.column)] == places, problem.in_full()
    assert message in problem.message
    assert problem.excerpt == plain.split("\n")[problem.place.line - 1]


@pytest.mark.parametrize(
    "text",
    ['{"region": "abc', '{"region": "a\nb"}', '{"region": "a\tb"}', '{"region": "\\x"}', '{"region": "\\u12"}',
     '{"region": "\\', "{", "[", '{"a"', "nul", "-", '"x"', "1"],
)  # fmt: skip
def test_what_is_no_json_object_is_refused_at_a_place(text: str, tmp_path: Path) -> None:
    problem = only_problem(tmp_path, text, "t.json")
    assert problem.place.line >= 1
    assert problem.place.column >= 1


def test_a_key_of_json_that_is_yamls_merge_key_merges_nothing(tmp_path: Path) -> None:
    text = '{"vpcs": {"vpc-1": {"<<": {"name": "x"}, "cidrs": ["10.0.0.0/16"]}}}'
    assert "unknown key `<<`" in only_problem(tmp_path, text, "t.json").message


def test_json_values_are_those_of_the_standard_library() -> None:
    text = (
        '{"a": [1, -0, 0, 1.5, -2e3, 1E+2, true, false, null, "", "\\u00e9\\n\\"\\/", {}, []], "": {"b": {"c": [[]]}}}'
    )
    result = read_json(text, "t.json").result
    assert result is not None
    assert result[0] == json.loads(text)
    assert [type(value) for value in result[0]["a"]] == [type(value) for value in json.loads(text)["a"]]


# -- a folder ----------------------------------------------------------------------------------------------------------


def write_parts(folder: Path, suffix: str = ".yaml") -> None:
    """The example, each of its sections in a file of its own, in folders of two levels."""
    for number, (key, value) in enumerate(document().items()):
        path = folder / f"part-{number % 3}" / f"{key}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({key: value}, ensure_ascii=False), encoding="utf-8")


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".json"])
def test_a_folder_is_read_as_one_topology(suffix: str, tmp_path: Path) -> None:
    expected = read_stdin(EXAMPLE).topology
    write_parts(tmp_path, suffix)
    assert same(read_topology(str(tmp_path)).topology, expected)


def test_sections_of_several_files_are_joined(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"schema: netinsight.topology/1\nregion: x\n{VPC}")
    (tmp_path / "b.json").write_text(
        '{"schema": "netinsight.topology/1", "region": "x",\n "vpcs": {"vpc-2": {"cidrs": ["10.0.0.0/8"]}}}'
    )
    topology = read_topology(str(tmp_path)).topology
    assert list(topology.vpcs) == ["vpc-1", "vpc-2"]
    assert str(topology.place("vpcs", "vpc-1", "cidrs", 0)) == f"{tmp_path / 'a.yaml'}:3:24"
    assert str(topology.place("vpcs", "vpc-2")) == f"{tmp_path / 'b.json'}:2:11"


def test_references_go_across_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("security_groups: {sg-1: {vpc: vpc-1}}\n")
    (tmp_path / "b.yaml").write_text(VPC)
    assert read_topology(str(tmp_path)).warnings == ()


def test_what_is_no_topology_file_is_left_out_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(VPC)
    for name in ("README.md", "notes.txt", ".hidden.yaml", "t.yaml.bak", ".git/x.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("not: [a topology")
    assert list(read_topology(str(tmp_path)).topology.vpcs) == ["vpc-1"]


def test_the_problems_of_every_file_of_a_folder_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("regoin: x\n")
    (tmp_path / "b.yaml").write_text("vpcs: [\n")
    (tmp_path / "c.json").write_text('{"vpcs": {"v": {"cidrs": ["x"]}}')
    (tmp_path / "d.yaml").write_text("")
    (tmp_path / "e.yaml").write_text("vpcs: {w: {cidrs: [y]}}\n")
    with pytest.raises(InputError) as caught:
        read_topology(str(tmp_path))
    named = sorted(Path(problem.place.file).name for problem in caught.value.problems)
    assert named == ["a.yaml", "b.yaml", "c.json", "d.yaml", "e.yaml"]


def test_a_file_that_is_not_utf8_does_not_hide_the_problems_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"region: \xff\n")
    (tmp_path / "b.yaml").write_text("regoin: x\n")
    with pytest.raises(InputError) as caught:
        read_topology(str(tmp_path))
    assert {Path(problem.place.file).name for problem in caught.value.problems} == {"a.yaml", "b.yaml"}


def test_what_stands_in_a_file_that_cannot_be_parsed_is_not_missing_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(VPC + "unknown: [\n")
    (tmp_path / "b.yaml").write_text("security_groups: {sg-1: {vpc: vpc-1}}\n")
    with pytest.raises(InputError) as caught:
        read_topology(str(tmp_path))
    assert [Path(problem.place.file).name for problem in caught.value.problems] == ["a.yaml"]


def test_a_folder_without_a_topology_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError) as caught:
        read_topology(str(tmp_path))
    (problem,) = caught.value.problems
    assert problem.headline == f"{tmp_path}: no .yaml, .yml or .json file in the folder"


def test_a_link_of_a_folder_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(VPC)
    (tmp_path / "b.yaml").symlink_to(tmp_path / "gone")
    with pytest.raises(InputError) as caught:
        read_topology(str(tmp_path))
    assert [problem.place.file for problem in caught.value.problems] == [str(tmp_path / "b.yaml")]


def test_a_folder_that_links_to_itself_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(VPC)
    (tmp_path / "again").symlink_to(tmp_path)
    assert list(read_topology(str(tmp_path)).topology.vpcs) == ["vpc-1"]


# -- how a text may be written -----------------------------------------------------------------------------------------

WRITTEN = {
    "with CRLF": EXAMPLE.replace("\n", "\r\n").encode(),
    "with CR": EXAMPLE.replace("\n", "\r").encode(),
    "with a byte order mark": b"\xef\xbb\xbf" + EXAMPLE.encode(),
    "without the last line break": EXAMPLE.rstrip("\n").encode(),
    "with a document start": f"---\n{EXAMPLE}".encode(),
    "with a document end": f"{EXAMPLE}...\n".encode(),
    "with a directive": f"%YAML 1.1\n---\n{EXAMPLE}".encode(),
    "with Chinese comments": EXAMPLE.replace("# the moment that expiry is", "# 到期判断的时间（默认）").encode(),
    "with blank lines": EXAMPLE.replace("\n\n", "\n\n   \n# x\n\n").encode(),
}  # fmt: skip


@pytest.mark.parametrize("data", WRITTEN.values(), ids=WRITTEN)
def test_how_a_text_is_written_does_not_matter(data: bytes, tmp_path: Path) -> None:
    expected = read_stdin(EXAMPLE).topology
    assert same(read(tmp_path, data).topology, expected)
    assert same(read_stdin(data).topology, expected)


def test_the_order_of_the_sections_does_not_matter(tmp_path: Path) -> None:
    backwards = json.dumps(dict(reversed(document().items())))
    assert same(read(tmp_path, backwards, "t.json").topology, read_stdin(EXAMPLE).topology)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_lines_are_counted_by_what_ends_them(ending: str, tmp_path: Path) -> None:
    text = ending.join(["# 注释", "region: x", "", "# more", "regoin: y", ""])
    problem = only_problem(tmp_path, text)
    assert (problem.place.line, problem.place.column, problem.excerpt) == (5, 1, "regoin: y")


def test_columns_count_characters_and_not_bytes(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, "vpcs: {v: {name: 生产环境, cidrs: [x]}}\n")
    assert (problem.place.line, problem.place.column) == (1, 32)


def test_a_byte_order_mark_takes_no_column(tmp_path: Path) -> None:
    for name, text in (("t.yaml", "regoin: x"), ("t.json", '{"regoin": "x"}')):
        problem = only_problem(tmp_path, b"\xef\xbb\xbf" + text.encode(), name)
        assert (problem.place.line, problem.place.column) == (1, 2 if name == "t.json" else 1)
        assert problem.excerpt == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["t.yaml", "t.json"])
def test_another_encoding_is_an_error_that_tells_what_to_do(encoding: str, name: str, tmp_path: Path) -> None:
    problem = only_problem(tmp_path, json.dumps(document()).encode(encoding), name)
    assert problem.place.line == 1
    assert "UTF-" in problem.message + problem.hint
    assert "UTF-8" in problem.hint


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [(b"region: \xff\n", 1, 9), (b"# \xe4\xb8\xad\nname: \xc3(\n", 2, 7), (b"\x80", 1, 1), (b"a: \xe4\xb8", 1, 4)],
)
def test_bytes_that_are_no_utf8_are_told_at_their_place(data: bytes, line: int, column: int, tmp_path: Path) -> None:
    problem = only_problem(tmp_path, data)
    assert (problem.place.line, problem.place.column) == (line, column)
    assert "not UTF-8" in problem.message
    assert problem.hint == "save it as UTF-8"


NO_TOPOLOGY = {
    "nothing": ("", "an empty file"),
    "only blanks": ("  \n\n", "an empty file"),
    "only a comment": ("# 还没有内容\n", "an empty file"),
    "null": ("null\n", "an empty file"),
    "a list": ("- vpcs\n", "a list"),
    "a word": ("hello\n", "a plain value"),
    "a number": ("42\n", "a plain value"),
}


@pytest.mark.parametrize(("text", "found"), NO_TOPOLOGY.values(), ids=NO_TOPOLOGY)
def test_what_is_no_mapping_is_no_topology(text: str, found: str, tmp_path: Path) -> None:
    problem = only_problem(tmp_path, text)
    assert f"found {found}" in problem.message
    assert "vpcs:" in problem.message
    assert (problem.place.line, problem.place.column) == (1, 1)


# -- YAML's own things -------------------------------------------------------------------------------------------------

YAML_ERRORS = {
    "two documents": ("region: x\n»---\nregion: y\n", "a second document in one file", "a file of its own"),
    "a tab that indents": ("vpcs:\n»\tvpc-1: {cidrs: [10.0.0.0/16]}\n", "not valid YAML", "not with tabs"),
    "a bracket that is not closed": ("vpcs: {v: {cidrs: [10.0.0.0/16}}\n", "not valid YAML", ""),
    "a colon in a plain text": ("region: a»: b\n", "not valid YAML", ""),
    "a quote that is not closed": ('region: "x\n', "not valid YAML", ""),
    "a tag of Python": ("region: »!!python/object/apply:os.getcwd []\n", "the tag", ""),
    "a tag of a number": ("region: »!!int 5\n", "the tag", ""),
    "a tag of one's own": ("region: »!secret x\n", "the tag `!secret` is not supported", "plain value"),
    "an alias without an anchor": ("region: »*nothing\n", "the alias `*nothing` names no anchor", ""),
    "an alias of itself": ("vpcs: &v {v: »*v}\n", "inside the value that it repeats", ""),
    "an alias for a key": ("region: &r x\n»*r : y\n", "an alias cannot be a key", ""),
    "a list for a key": ("? »[a, b]\n: c\n", "a key must be a plain text", ""),
    "a mapping for a key": ("»{a: b}: c\n", "a key must be a plain text", ""),
    "a duplicate key that is merged twice": ("vpcs:\n  v: {cidrs: [10.0.0.0/16], »cidrs: [10.1.0.0/16]}\n",
                                             "duplicate key `cidrs`", "keep one"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message", "hint"), YAML_ERRORS.values(), ids=YAML_ERRORS)
def test_what_yaml_allows_and_a_topology_does_not_is_told(text: str, message: str, hint: str, tmp_path: Path) -> None:
    plain, places = marked(text)
    problem = problems_of(tmp_path, plain)[0]
    assert message in problem.message, problem.in_full()
    assert hint in problem.hint, problem.in_full()
    assert problem.place.line >= 1
    assert problem.place.column >= 1
    assert not places or (problem.place.line, problem.place.column) == places[0]


def test_an_alias_repeats_the_value_of_its_anchor(tmp_path: Path) -> None:
    topology = read(
        tmp_path,
        VPC + "security_groups:\n  sg-1: {vpc: vpc-1, rules: &rules [&rule {direction: ingress, source: 10.0.0.0/8}]}\n"
        "  sg-2: {vpc: vpc-1, rules: *rules}\n  sg-3: {vpc: vpc-1, rules: [*rule, *rule]}\n",
    ).topology
    assert topology.security_groups["sg-1"] == topology.security_groups["sg-2"]
    assert topology.security_groups["sg-3"].rules == [*topology.security_groups["sg-1"].rules] * 2  # type: ignore[misc]


MERGES = {
    "a merge": "{<<: *base, name: x}",
    "a merge at the end": "{name: x, <<: *base}",
    "a key beside a merge wins": "{cidrs: [10.0.0.0/16], <<: *other, name: x}",
    "a list of merges": "{<<: [*base], name: x}",
    "the first of a list wins": "{<<: [*base, *other], name: x}",
}


@pytest.mark.parametrize("merged", MERGES.values(), ids=MERGES)
def test_a_merge_key_adds_what_is_not_there(merged: str, tmp_path: Path) -> None:
    topology = read(
        tmp_path,
        f"vpcs:\n  a: &base {{cidrs: [10.0.0.0/16]}}\n  b: &other {{cidrs: [10.9.0.0/16]}}\n  c: {merged}\n",
    ).topology
    assert (topology.vpcs["c"].cidrs, topology.vpcs["c"].name) == (["10.0.0.0/16"], "x")


def test_a_problem_in_what_was_merged_stands_where_it_is_written(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, "vpcs:\n  a: &base {cidrs: [x]}\n  b: {<<: *base}\n")
    assert {(problem.place.line, problem.place.column) for problem in problems} == {(2, 21)}


def test_a_merge_of_what_is_no_mapping_is_an_error_at_it(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, "vpcs:\n  a: {<<: 5, cidrs: [10.0.0.0/16]}\n")
    assert (problem.place.line, problem.place.column) in ((2, 7), (2, 11))


def test_texts_of_every_style_are_texts(tmp_path: Path) -> None:
    vpcs = read(
        tmp_path,
        "vpcs:\n  a: {cidrs: ['10.0.0.0/16'], name: \"生产\\u0020网络\"}\n"
        "  'b':\n    cidrs:\n    - >-\n      10.1.0.0/16\n    name: !!str 7\n",
    ).topology.vpcs
    assert (vpcs["a"].name, vpcs["b"].cidrs, vpcs["b"].name) == ("生产 网络", ["10.1.0.0/16"], "7")


# -- what cannot be read -----------------------------------------------------------------------------------------------


def test_a_missing_file_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "topology.yaml").write_text(VPC)
    with pytest.raises(InputError) as caught:
        read_topology(str(tmp_path / "topolgy.yaml"))
    (problem,) = caught.value.problems
    assert problem.headline == f"{tmp_path / 'topolgy.yaml'}: cannot be read: No such file or directory"
    assert problem.hint == "did you mean `topology.yaml`?"


@pytest.mark.parametrize("name", ["gone/t.yaml", "t.yaml/x", "a" * 300, "a\0b", ""], ids=lambda name: name[:12])
def test_a_path_that_cannot_be_one_is_an_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.yaml").write_text(VPC)
    (tmp_path / "only").mkdir()
    monkeypatch.chdir(tmp_path / "only")
    with pytest.raises(InputError):
        read_topology(str(tmp_path / name) if name else "")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(VPC)
    path.chmod(0)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        read_topology(str(path))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no device files here")
def test_a_device_is_no_file() -> None:
    with pytest.raises(InputError, match="not a file"):
        read_topology("/dev/zero")


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    return path


def test_a_named_pipe_is_read_like_a_file(fifo: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", f"open({str(fifo)!r}, 'w').write({VPC!r})"]):
        assert list(read_topology(str(fifo)).topology.vpcs) == ["vpc-1"]


def test_a_named_pipe_in_a_folder_is_not_waited_for(fifo: Path) -> None:
    code = "import sys; from netinsight.cli import run; sys.exit(run(['validate', sys.argv[1]]))"
    (fifo.parent / "a.yaml").write_text(VPC)
    done = subprocess.run([sys.executable, "-c", code, str(fifo.parent)], timeout=10, capture_output=True, check=False)
    assert done.returncode in (0, 2)


def test_the_far_side_of_a_peering_may_stand_in_another_file_of_the_folder(tmp_path: Path) -> None:
    def account(n: int) -> str:
        return (f"vpcs: {{vpc-{n}: {{cidrs: [10.{n}.0.0/16]}}}}\n"
                f"vswitches: {{vsw-{n}: {{vpc: vpc-{n}, cidr: 10.{n}.1.0/24}}}}\n"
                f"security_groups: {{sg-{n}: {{vpc: vpc-{n}, rules: [{{direction: ingress, source: 10.0.0.0/8}}]}}}}\n"
                f"route_tables: {{rtb-{n}: {{vpc: vpc-{n}, type: system, routes: "
                f"[{{destination: 10.{3 - n}.0.0/16, next_hop: pcc}}]}}}}\n"
                f"instances: {{i-{n}: {{network_interfaces: {{eni-{n}: {{vswitch: vsw-{n}, ip: 10.{n}.1.5, "
                f"security_groups: [sg-{n}]}}}}}}}}\n")  # fmt: skip

    (tmp_path / "ours.yaml").write_text(
        f"schema: netinsight.topology/1\n{account(1)}peerings: {{pcc: {{vpc: vpc-1, peer_vpc: vpc-2}}}}\n"
    )
    (tmp_path / "theirs.yaml").write_text(f"schema: netinsight.topology/1\n{account(2)}")
    report = load(str(tmp_path)).diagnose("i-1", "i-2", port=22)
    assert report.verdict == "reachable"
    rules = {stage.stage: stage.file for stage in report.paths[0].forward if stage.file}
    assert rules["security_group.ingress"] == str(tmp_path / "theirs.yaml")
    assert rules["gateway"] == str(tmp_path / "ours.yaml")
