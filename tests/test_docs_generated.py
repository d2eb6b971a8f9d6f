"""The pages of ``docs`` that are made from the package are what the package says now, and what graphs hold is documented."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

import netinsight as ni
from netinsight.model.topology import Topology

from . import docs_pages
from .conftest import ROOT, Keep
from .docs_picture import COLUMNS, picture

DOCS = ROOT / "docs"
MADE: dict[str, Callable[[], str]] = {
    "command-line.md": docs_pages.command_line,
    "items.md": docs_pages.items,
    "reasons.md": docs_pages.reasons,
    "topology-reference.md": docs_pages.topology_keys,
    "report-reference.md": docs_pages.report_keys,
    "images/evaluation-order.svg": picture,
}
SMALL = sorted(path for path in (ROOT / "topologies").glob("*.yaml") if path.stat().st_size < 20_000)


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_what_it_is_made_of(name: str, keep: Keep) -> None:
    keep(DOCS / name, MADE[name]())


def test_the_picture_has_the_stages_of_the_text_in_their_order() -> None:
    (text,) = re.findall(r"```text\n(.*?)```", (DOCS / "evaluation-order.md").read_text("utf-8"), re.S)
    there, back = re.findall(r"there(.*)back(.*)", text, re.S)[0]
    drawn = [(*COLUMNS[out].stages, *COLUMNS[into].stages) for out, into in ((0, 3), (2, 1))]
    assert [tuple(re.findall(r"[a-z_.]+", way)) for way in (there, back)] == drawn


def test_all_that_is_public_is_in_the_api_page() -> None:
    page = (DOCS / "api.md").read_text("utf-8")
    told = re.findall(r"^\.\. auto\w+:: (\w+)", page, re.M)
    assert sorted([*told, "__version__"]) == ni.__all__
    assert "netinsight.__version__" in page


def documented(heading: str) -> Iterator[tuple[list[str], set[str]]]:
    """The rows of a table of graph.md: the words of the first column, and the attributes of the last."""
    section = (DOCS / "graph.md").read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    for row in re.findall(r"^\| (`.*) \|$", section, re.M):
        first, *_, last = row.split("|")
        yield re.findall(r"`([^`]+)`", first), set(re.findall(r"`([^`]+)`", last))


@pytest.fixture(scope="module")
def graphs() -> list[ni.Net]:
    """The examples, and what they have none of: every gateway and link, a peering to a VPC of another account."""
    outside = {"schema": "netinsight.topology/1", "vpcs": {"vpc-1": {"cidrs": ["10.0.0.0/16"]}},
               "peerings": {"pcc-1": {"vpc": "vpc-1", "peer_vpc": "vpc-far", "peer_cidrs": ["10.9.0.0/16"]}},
               "route_tables": {"rtb-1": {"vpc": "vpc-1", "routes": [
                   {"destination": "0.0.0.0/0", "next_hop": "ecr-1", "next_hop_type": "Ecr"}]}}}  # fmt: skip
    described = [ni.load(str(path)) for path in (*SMALL, ROOT / "tests" / "render" / "wide.yaml")]
    return [*described, ni.Net(Topology.model_validate(outside))]


def test_every_attribute_of_a_node_is_documented_and_there(graphs: list[ni.Net]) -> None:
    found: dict[str, set[str]] = {}
    for net in graphs:
        for _, attributes in net.graph.nodes(data=True):  # a lock is told of any kind, beneath the table
            found.setdefault(attributes["kind"], set()).update(attributes.keys() - {"kind", "business_status"})
    assert found == {kind: attributes for (kind,), attributes in documented("Nodes")}


def test_every_attribute_of_an_edge_is_documented_and_there(graphs: list[ni.Net]) -> None:
    found: dict[str, set[str]] = {}
    for net in graphs:
        for _, _, attributes in net.graph.edges(data=True):
            found.setdefault(attributes["kind"], set()).update(attributes.keys() - {"kind"})
    assert found == {kind: attributes for (kind,), attributes in documented("Edges")}


def test_edges_are_between_the_kinds_that_are_documented(graphs: list[ni.Net]) -> None:
    section = (DOCS / "graph.md").read_text("utf-8").partition("## Edges\n")[2]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (yes|no) \|", section, re.M)
    ends = {kind: (re.findall(r"`(\w+)`", one), re.findall(r"`(\w+)`", other), both) for kind, one, other, both in rows}
    for net in graphs:
        kinds = net.graph.nodes(data="kind")
        for one, other, kind in net.graph.edges(data="kind"):
            left, right, both = ends[kind]
            way = kinds[one] in left and (kinds[other] in right or not right)
            back = both == "yes" and kinds[other] in left and kinds[one] in right
            assert way or back, (kinds[one], kind, kinds[other])
            mirrored = any(edge["kind"] == kind for edge in (net.graph.get_edge_data(other, one) or {}).values())
            assert mirrored == (both == "yes"), (kind, one, other)
