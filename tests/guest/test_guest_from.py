"""``guest: {from}`` of a topology: what was gathered stands in its place, with its places in the guest's files."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path

import pytest

from netinsight.cli import run
from netinsight.errors import InputError
from netinsight.model.topology import Topology
from netinsight.sources.topology_file import read_topology

from .test_guest_read import GUEST, ROUTES, RULES, file, folder_of, output, section

TOPOLOGY = """\
schema: netinsight.topology/1
vpcs: {vpc-1: {cidrs: [10.0.0.0/16]}}
vswitches: {vsw-1: {vpc: vpc-1, cidr: 10.0.2.0/24}}
security_groups:
  sg-1:
    vpc: vpc-1
    rules: [{direction: ingress, policy: accept, protocol: all, source: 0.0.0.0/0}]
instances:
  i-a:
    network_interfaces: {eni-a: {vswitch: vsw-1, ip: 10.0.2.10, security_groups: [sg-1]}}
  i-b:
    network_interfaces: {eni-b: {vswitch: vsw-1, ip: 10.0.2.20, mac: "00:16:3e:00:00:01", security_groups: [sg-1]}}
    guest: {from: guests/i-b, %s}
"""


def described(folder: Path, path: str = "guests/i-b", more: str = "dhcp_supported: true") -> Path:
    return file(folder, "topology.yaml", TOPOLOGY.replace("guests/i-b", path) % more)


@pytest.mark.parametrize("form", ["a folder", "an output"])
def test_a_topology_refers_to_what_was_gathered(form: str, tmp_path: Path) -> None:
    if form == "a folder":
        folder_of(tmp_path / "guests" / "i-b")
    else:
        file(tmp_path, "guests/i-b", output())
    topology = read_topology(str(described(tmp_path, more="ip_forward: true"))).topology
    one = topology.instances["i-b"]
    assert one.guest
    assert one.guest.routes == ROUTES
    assert one.guest.ip_forward is True
    assert one.load
    assert one.load.cpu_percent == 10.0
    assert one.os
    assert one.os.name == "Ubuntu"
    place = topology.place("instances", "i-b", "guest", "routes", 2)
    assert Path(place.file).is_relative_to(tmp_path / "guests")
    text = Path(place.file).read_text().splitlines()
    assert text[place.line - 1].removeprefix("|") == ROUTES.splitlines()[1]
    assert topology.located("instances", "i-b", "guest", "routes", 2).excerpt == text[place.line - 1]


def test_keys_beside_it_go_before_it(tmp_path: Path) -> None:
    folder_of(tmp_path / "guests" / "i-b")
    topology = read_topology(str(described(tmp_path, more="listening: []"))).topology
    guest = topology.instances["i-b"].guest
    assert guest
    assert guest.listening == []
    assert topology.place("instances", "i-b", "guest", "listening").file.endswith("topology.yaml")


def test_evidence_of_a_diagnosis_names_the_line_of_the_guest(tmp_path: Path) -> None:
    file(tmp_path, "guests/i-b", output())
    with contextlib.redirect_stdout(io.StringIO()) as out:
        words = ["--src", "i-a", "--dst", "i-b", "--port", "5432", "--all", "--output", "json"]
        run(["diagnose", str(described(tmp_path)), *words])
    report = json.loads(out.getvalue())
    items = {(one["id"], one["object"]["id"]): one for one in report["items"]}
    line = next(n for n, one in enumerate(output().splitlines(), 1) if one.startswith("|10.0.2.0/24"))
    (evidence,) = items["guest.route.return", "i-b"]["evidence"]
    assert (Path(evidence["file"]).name, evidence["line"]) == ("i-b", line)
    assert items["service.listening", "i-b"]["status"] == "normal"
    assert items["nic.ip", "i-b"]["status"] == "normal"


REFUSED: dict[str, tuple[str, str]] = {
    "../outside": ("leads out of the folder of the topology", "..."),
    "/etc/passwd": ("leads out of the folder of the topology", ""),
    "guests/../../outside": ("leads out of the folder of the topology", ""),
    "link": ("leads out of the folder of the topology", ""),
    "guests/none": ("cannot be read: No such file", ""),
    '""': ("`from` is no path", ""),
    "[a]": ("`from` is no path", ""),
}


@pytest.mark.parametrize("path", REFUSED)
def test_a_path_that_leads_out_is_refused(path: str, tmp_path: Path) -> None:
    inside = tmp_path / "in"
    file(tmp_path, "outside", output())
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(InputError) as raised:
        read_topology(str(described(inside, path)))
    (problem,) = raised.value.problems
    assert REFUSED[path][0] in problem.message
    assert "none" in path or problem.place.line == 13


def test_a_link_in_the_folder_of_a_guest_that_leads_out_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    folder_of(inside / "guests" / "i-b")
    file(tmp_path, "outside", ROUTES)
    link = inside / "guests" / "i-b" / "ip6-route"
    link.symlink_to(tmp_path / "outside")
    with pytest.raises(InputError) as raised:
        read_topology(str(described(inside)))
    (problem,) = raised.value.problems
    assert problem.headline == f"{link}: leads out of the folder of the topology"


@pytest.mark.parametrize("form", ["a folder", "an output"])
def test_a_pipe_is_not_waited_for(form: str, tmp_path: Path) -> None:
    pipe = tmp_path / "guests" / "i-b"
    if form == "a folder":
        folder_of(pipe)
        pipe /= "ip6-route"
    else:
        pipe.parent.mkdir()
    os.mkfifo(pipe)
    with pytest.raises(InputError) as raised:
        read_topology(str(described(tmp_path)))
    assert [one.headline for one in raised.value.problems] == [f"{pipe}: not a file"]


def test_what_was_not_collected_is_a_warning(tmp_path: Path) -> None:
    """Else its checks were left out as if nobody had asked for it."""
    whole = output()[: -len("NETINSIGHT-GUEST/1 end 8\n")]
    denied = section("iptables-save", "", 4, "Permission denied (you must be root)")
    whole = whole.replace(section("iptables-save", GUEST["iptables-save"]), denied)
    absent = section("nft", "", 127, "nft: not found")
    end = "NETINSIGHT-GUEST/1 end 9\n"
    warned = []
    for text in (output(), whole + absent + end, whole + absent):
        file(tmp_path, "guests/i-b", text)
        warned.append([one.message for one in read_topology(str(described(tmp_path))).warnings])
    failed = "iptables-save: it failed with status 4: Permission denied (you must be root)"
    begins = f"not all that {tmp_path}/guests/i-b tells can be used: "
    cut = "the output is cut: its end is missing"
    assert warned == [[], [begins + failed], [f"{begins}{cut}; {failed}"]]


def test_standard_input_has_no_folder() -> None:
    with pytest.raises(InputError, match="`from` needs a folder, and the topology is standard input"):
        read_topology("-", io.BytesIO((TOPOLOGY % "").encode()))


def test_a_mistake_in_a_guests_file_is_told_there(tmp_path: Path) -> None:
    folder_of(tmp_path / "guests" / "i-b", {**GUEST, "ip-route": ROUTES + "10.9.0.0/16 via nowhere dev eth0\n"})
    with pytest.raises(InputError) as raised:
        read_topology(str(described(tmp_path)))
    (problem,) = raised.value.problems
    assert str(problem.place) == f"{tmp_path}/guests/i-b/ip-route.txt:3:17"


def test_a_mistake_in_nftables_is_told_there(tmp_path: Path) -> None:
    folder_of(tmp_path / "guests" / "i-b")
    file(tmp_path / "guests" / "i-b", "nft.json", '{"nftables": [\n {"table": {"family": "inett", "name": "t"}}]}')
    with pytest.raises(InputError) as raised:
        read_topology(str(described(tmp_path)))
    (problem,) = raised.value.problems
    assert str(problem.place) == f"{tmp_path}/guests/i-b/nft.json:2:23"
    assert "family `inett` is not ip" in problem.message


def test_a_mistake_in_a_block_of_the_topology_is_told_at_its_line(tmp_path: Path) -> None:
    more = "rules: '0: from all lookup main', routes: x}\n#"
    text = (TOPOLOGY % more).replace("guest: {from: guests/i-b, ", "guest: {")
    text = text.replace("routes: x}", "routes: ok}").replace("    guest: {rules", "    guest:\n      rules")
    text = text.replace(
        "main', routes: ok}\n",
        "main'\n      routes: |\n        default via 10.0.2.1 dev eth0\n        10.9.0.0/16 via no\n",
    )
    path = file(tmp_path, "topology.yaml", text)
    with pytest.raises(InputError) as raised:
        read_topology(str(path))
    (problem,) = raised.value.problems
    assert (problem.place.line, problem.place.column) == (17, 25)
    assert problem.excerpt == "        10.9.0.0/16 via no"


def test_a_folder_of_topologies_leaves_the_files_of_guests_alone(tmp_path: Path) -> None:
    folder_of(tmp_path / "guests" / "i-b")
    file(tmp_path / "guests" / "i-b", "nft.json", '{"nftables": []}')
    described(tmp_path)
    guest = read_topology(str(tmp_path)).topology.instances["i-b"].guest
    assert guest
    assert guest.nftables == '{"nftables": []}'


def test_an_alias_is_read_for_each_that_has_it(tmp_path: Path) -> None:
    folder_of(tmp_path / "guests" / "i-b")
    text = (TOPOLOGY % "").replace("guest: {from: guests/i-b, }", "guest: &g {from: guests/i-b}")
    text += "  i-c:\n    network_interfaces: {eni-c: {vswitch: vsw-1, ip: 10.0.2.30, security_groups: [sg-1]}}\n    guest: *g\n"
    topology = read_topology(str(file(tmp_path, "topology.yaml", text))).topology
    first, second = topology.instances["i-b"].guest, topology.instances["i-c"].guest
    assert first
    assert first == second
    assert first.rules == RULES


def test_from_is_read_in_files_only() -> None:
    with pytest.raises(ValueError, match="`from` is read in files only"):
        Topology.model_validate({"instances": {"i-b": {"network_interfaces": {"eni-b": {
            "vswitch": "v", "ip": "10.0.0.1", "security_groups": []}}, "guest": {"from": "x"}}}})  # fmt: skip
