"""Traffic per edge: what it makes of files, and that it is never a reason to fail."""

import gzip
import json
from pathlib import Path

import pytest

from simulations.sumo.inputs.net_geometry import TooLarge
from simulations.sumo.inputs.sumocfg import SumoConfig
from simulations.sumo.inputs.xmlfiles import TooSlow
from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.edge_file import unpacked
from simulations.sumo.results import edge_data
from simulations.sumo.run import edges
from simulations.sumo.run.edges import EdgeOutput
from simulations.sumo.run.plan import EDGES_FILE, RunPlan
from simulations.sumo.run.report import Report
from simulations.sumo.run.workspace import Workspace
from tests.simulations.sumo.inputs.test_net_geometry import NET
from tests.simulations.sumo.protocol.test_description import GOOD

TRAFFIC = '<meandata><interval begin="0" end="900"><edge id="b" sampledSeconds="8" speed="2"/></interval></meandata>'


def prepared(folder: Path, report: Report, *, net: str = NET, end: float | None = 3600, **job: object) -> tuple:
    space = Workspace(folder)
    space.prepare()
    (space.scenario / "my net.xml").write_text(net)
    description = JobDescription.parse(json.dumps(GOOD | {"outputs": ["edges"], "end": end} | job))
    plan = RunPlan(description, SumoConfig({"net-file": "my%20net.xml"}))
    return EdgeOutput.prepare(report, plan, scenario=space.scenario, space=space), space


@pytest.mark.parametrize("end, period", [(3600, "900"), (None, "900"), (900 * 400, "1800")])
def test_the_network_is_packed_and_sumo_asked_for_the_data(tmp_path: Path, end: float | None, period: str) -> None:
    report = Report()
    found, space = prepared(tmp_path, report, end=end)
    assert f'period="{period}"' in (space.out / EDGES_FILE).read_text()
    (space.out / edge_data.TRAFFIC).write_text(TRAFFIC)
    found.collect(report, space)
    assert [file.name for file in report.files] == ["network.json.gz", "edges.bin.gz"]
    assert json.loads(gzip.decompress((space.artifacts / "network.json.gz").read_bytes()))["ids"] == ["b", "a"]
    data = unpacked((space.artifacts / "edges.bin.gz").read_bytes())
    assert list(data.column("distance_m")) == [16, 0]
    assert not (space.out / edge_data.TRAFFIC).exists()
    assert report.warnings == []


def test_a_job_that_does_not_ask_for_it_has_none(tmp_path: Path) -> None:
    assert prepared(tmp_path, Report(), outputs=[])[0] is None


def test_a_network_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    report = Report()
    assert prepared(tmp_path, report, net="<net>")[0] is None
    [warning] = report.warnings
    assert warning.code == "edges.none"
    assert "for the map: a file is not well-formed XML" in warning.message


@pytest.mark.parametrize(
    "traffic, latest, why",
    [
        (None, float("inf"), "No such file or directory"),
        (TRAFFIC, 0.0, "reading took too long"),
        (TRAFFIC.replace('"8"', '"many"'), float("inf"), "a file is not as SUMO writes it"),
    ],
)
def test_data_that_cannot_be_read_leave_the_network(
    tmp_path: Path, traffic: str | None, latest: float, why: str
) -> None:
    report = Report()
    found, space = prepared(tmp_path, report)
    if traffic:
        (space.out / edge_data.TRAFFIC).write_text(traffic)
    found.collect(report, space, latest=latest)
    assert [file.name for file in report.files] == ["network.json.gz"]
    assert [each.message for each in report.warnings] == [f"There is no traffic per edge for the map: {why}."]


def test_each_trouble_in_words() -> None:
    assert "a file cannot be read." in edges._warning(OSError()).message
    assert "took too long." in edges._warning(TooSlow("net.xml")).message
    assert "more than 5 points." in edges._warning(TooLarge("more than 5 points")).message
