"""The Python face: what is public, how answers show themselves, the graph."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import netinsight as ni
from tests.conftest import ROOT
from tests.diagnosis import net


def test_all_is_what_is_public() -> None:
    assert sorted(ni.__all__) == ni.__all__
    assert [name for name in dir(ni) if not name.startswith("_")] == [n for n in ni.__all__ if not n.startswith("_")]
    for name in ni.__all__:
        assert getattr(ni, name) is not None
    with pytest.raises(AttributeError):
        ni.nothing  # noqa: B018


def test_what_type_checkers_see_is_what_there_is() -> None:
    tree = ast.parse((ROOT / "netinsight" / "__init__.py").read_text("utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen | {"__version__"} == set(ni.__all__)


def test_everything_that_the_public_face_gives_or_takes_is_public_too() -> None:
    public = {getattr(ni, name) for name in ni.__all__ if inspect.isclass(getattr(ni, name))}
    for name, method in inspect.getmembers(ni.Net, inspect.isfunction):
        if name.startswith("_"):
            continue
        hints = typing.get_type_hints(method, vars(sys.modules["netinsight.api"]) | _types())
        for hint in hints.values():
            for one in typing.get_args(hint) or (hint,):
                if getattr(one, "__module__", "").startswith("netinsight"):
                    assert one in public | {_types()["Asked"]}, (name, one)


def _types() -> dict[str, object]:
    from netinsight.diagnosis.evaluate import Evaluator
    from netinsight.flow import Asked
    from netinsight.set_answers import Sets

    sets = {name: getattr(ni, name) for name in ("PortsAnswer", "WhoCanReachAnswer", "ExposureAnswer")}
    return sets | {
        "Sets": Sets,
        "Evaluation": ni.Evaluation,
        "Evaluator": Evaluator,
        "Asked": Asked,
        "Matrix": ni.Matrix,
    }


def test_every_public_name_is_documented() -> None:
    for name in ni.__all__:
        thing = getattr(ni, name)
        if not inspect.isclass(thing):
            continue
        assert thing.__doc__, name
        for member, function in inspect.getmembers(thing, inspect.isfunction):
            if not member.startswith("_") and function.__module__.startswith("netinsight"):
                assert function.__doc__, f"{name}.{member}"


def test_an_answer_is_a_report_and_shows_itself() -> None:
    answer = net().diagnose(src="i-a", dst="i-b", port=22)
    assert isinstance(answer, ni.Report)
    assert answer.verdict is ni.Verdict.REACHABLE
    assert answer.blockers == []
    assert answer.paths[0].decision == "accept"
    assert {item.status for item in answer.items} <= {"normal", "skipped"}
    assert str(answer).startswith("REACHABLE")
    assert str(answer) == answer.text()
    assert answer._repr_html_().lstrip().startswith("<div")
    assert answer.html().startswith("<!DOCTYPE html>")
    assert answer.line().startswith("✔ REACHABLE")
    assert ni.Report.model_validate_json(answer.to_json()).verdict == answer.verdict


def test_an_answer_in_chinese_shows_itself_in_chinese() -> None:
    answer = net().diagnose(src="i-a", dst="i-b", port=22, lang="zh")
    assert str(answer).startswith("可达")
    assert "可达" in answer._repr_html_()


def test_answers_to_many_questions_come_one_by_one() -> None:
    questions = [ni.Question("i-a", "i-b", ports=None, protocol=1), ni.Question("i-b", "i-a", protocol=1)]
    answers = net().diagnose_all(questions)
    assert next(answers).verdict is ni.Verdict.REACHABLE
    assert next(answers).verdict is ni.Verdict.UNREACHABLE
    with pytest.raises(ni.InputError):
        net().diagnose_all([ni.Question("i-a", "i-x", protocol=1), ni.Question("i-y", "i-b", protocol=1)])


@pytest.mark.parametrize(
    ("topology", "source", "destination", "port", "kinds"),
    [
        ("two-tier", "i-web", "i-db", "3306", {"iptables", "routes", "windows"}),
        ("many-blockers", "i-jump", "i-build", "22", set()),
    ],
)
def test_nothing_is_imported_that_one_question_does_not_need(
    topology: str, source: str, destination: str, port: str, kinds: set[str]
) -> None:
    """Of what reads the firewalls and routes of guests, only the kinds that they tell of."""
    code = (
        "import sys; from netinsight.cli import run;"
        f"run(['diagnose', 'topologies/{topology}.yaml', '--src', '{source}', '--dst', '{destination}', '--port', '{port}']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(ROOT), capture_output=True, check=False)
    imported = set(done.stderr.decode().split())
    assert "netinsight.answer" in imported
    assert not imported & {"numpy", "numba", "networkx", "jinja2", "argcomplete", "xml"}
    readers = ("iptables", "nftables", "windows_firewall", "windows", "routes")
    assert {name for name in readers if f"netinsight.guest.{name}" in imported} == kinds
    assert kinds or {name for name in imported if name.startswith("netinsight.guest.")} == {
        "netinsight.guest.listeners"
    }
