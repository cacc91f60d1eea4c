import gzip
import json
import time
import xml.etree.ElementTree as ET

import pytest

from simulations.sumo.inputs.net_geometry import NetGeometry
from simulations.sumo.protocol.edge_file import order_of, unpacked
from simulations.sumo.results import edge_data
from simulations.sumo.results.outputs import ResultFile
from simulations.sumo.run.edges import EdgeOutput
from simulations.sumo.run.report import Report
from simulations.sumo.run.workspace import Workspace
from tests.simulations.sumo.harness import Pod

TALLY = '<additional><edgeData id="own" file="own.xml"/></additional>'


def test_edge_data_adds_up_to_sumos_own_and_fits_the_network(pod: Pod, plane, scenario) -> None:
    own = '<additional-files value="add.xml"/>'
    plane.scenario = scenario(extra=own, files={"add.xml": TALLY})
    done = pod.run(outputs=["edges"], emissions=True, edges_interval_s=240)
    assert done.code == 0, done.stdout
    found = unpacked(done.artifacts["edges.bin.gz"])
    network = json.loads(gzip.decompress(done.artifacts["network.json.gz"]))
    assert network["edge_order"] == found.edge_order == order_of(network["ids"])
    assert found.intervals == [(0, 240), (240, 480), (480, 600)]
    assert len(network["ids"]) == 24
    theirs = {
        each.get("id"): each.attrib
        for each in ET.fromstring(gzip.decompress(done.artifacts["scenario/own.xml.gz"])).iter("edge")
    }
    columns = {name: found.column(name) for name in found.columns}
    assert min(columns["co2_g"]) == 0 < max(columns["co2_g"])
    for place, edge in enumerate(network["ids"]):
        told = theirs.get(edge, {})
        sampled = float(told.get("sampledSeconds", 0))
        assert columns["sampled_s"][place] == pytest.approx(sampled, abs=0.1), edge
        assert columns["distance_m"][place] == pytest.approx(
            sampled * float(told.get("speed", 0)), abs=0.01 * sampled + 0.1
        )
        assert columns["time_loss_s"][place] == pytest.approx(float(told.get("timeLoss", 0)), abs=0.1)
        assert columns["entered"][place] == float(told.get("entered", 0)) + float(told.get("departed", 0))
    assert not [name for name in done.artifacts if name.startswith("edges_")]
    assert b"results/edges.add.xml" in done.artifacts["effective.sumocfg"]


def test_without_asking_there_is_none(pod: Pod) -> None:
    assert not {"edges.bin.gz", "network.json.gz"} & set(pod.run().artifacts)


def test_a_network_that_cannot_be_drawn_is_a_warning(pod: Pod, plane, scenario, tiny_net) -> None:
    far = '<junction id="far" type="traffic_light" x="inf" y="0" incLanes="" intLanes="" shape=""/>'
    head, connections = tiny_net.split("<connection", 1)
    plane.scenario = scenario(files={"net.xml": f"{head}{far}<connection{connections}"})
    done = pod.run(outputs=["edges"])
    assert done.code == 0, done.stdout
    assert "edges.bin.gz" not in done.artifacts
    assert "edges.none" in [warning["code"] for warning in done.manifest["warnings"]]


def test_of_a_stopped_run_reading_ends_in_time_for_the_upload(tmp_path) -> None:
    space, report = Workspace(tmp_path), Report()
    space.prepare()
    (space.out / edge_data.TRAFFIC).write_text("<meandata/>")
    network = ResultFile("network.json.gz", space.artifacts / "network.json.gz", 1, 1, True, "0" * 64)
    EdgeOutput(NetGeometry(), network).collect(report, space, latest=time.monotonic())
    assert report.files == [network]
    assert [warning.code for warning in report.warnings] == ["edges.none"]
    assert not list(space.out.iterdir())
