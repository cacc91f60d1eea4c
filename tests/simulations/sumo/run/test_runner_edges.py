import gzip
import json
import xml.etree.ElementTree as ET

import pytest

from simulations.sumo.protocol.edge_file import order_of, unpacked
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
