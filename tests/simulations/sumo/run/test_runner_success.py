import csv
import gzip
import hashlib
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulations.sumo.builders import config, network, zip_of
from tests.simulations.sumo.harness import TOKEN, FakeControlPlane, Pod


def test_a_run_succeeds_and_everything_it_stored_is_described_and_intact(pod: Pod, plane: FakeControlPlane) -> None:
    done = pod.run(emissions=True, outputs=["edgedata"])
    assert (done.code, done.stderr) == (0, ""), done.stdout
    assert set(done.artifacts) == {
        "manifest.json",
        "sumo.log",
        "effective.sumocfg",
        "summary.csv.gz",
        "statistics.xml.gz",
        "tripinfo.xml.gz",
        "edgedata.xml.gz",
        "travel_times.json",
    }
    assert list(done.artifacts)[-1] == "manifest.json"
    manifest = done.manifest
    for file in manifest["files"]:
        assert hashlib.sha256(done.artifacts[file["name"]]).hexdigest() == file["sha256"]
        assert len(done.artifacts[file["name"]]) == file["bytes"]
    assert {file["name"] for file in manifest["files"] if file["intact"] is False} == set()
    assert manifest["outcome"] == "succeeded"
    assert manifest["complete"] is True
    assert manifest["run"]["reason"] == "The final simulation step has been reached."
    assert manifest["input"]["config"] == "tiny.sumocfg"
    assert done.message["uploaded"] is True
    assert done.message.items() <= done.of("result")[0].items()


def test_kpis_agree_with_sumos_own_statistics(pod: Pod) -> None:
    done = pod.run(emissions=True)
    statistics = ET.fromstring(gzip.decompress(done.artifacts["statistics.xml.gz"]))
    trips = statistics.find("vehicleTripStatistics").attrib
    kpis = done.message["kpis"]
    assert kpis["vehicles_inserted"] == int(statistics.find("vehicles").get("inserted")) == 135
    assert kpis["vehicles_arrived"] == kpis["trips_finished"] == int(trips["count"])
    for name, theirs in [
        ("mean_travel_time_s", "duration"),
        ("mean_time_loss_s", "timeLoss"),
        ("mean_waiting_time_s", "waitingTime"),
        ("mean_depart_delay_s", "departDelay"),
        ("mean_speed_ms", "speed"),
        ("mean_route_length_m", "routeLength"),
        ("total_travel_time_s", "totalTravelTime"),
    ]:
        assert kpis[name] == pytest.approx(float(trips[theirs]), abs=0.02), name
    assert kpis["mean_travel_time_s"] < kpis["p95_travel_time_s"]
    assert min(kpis["co2_kg"], kpis["nox_g"], kpis["pmx_g"], kpis["fuel_kg"]) > 0
    histogram = json.loads(done.artifacts["travel_times.json"])
    assert sum(histogram["counts"]) == kpis["trips_finished"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(
    tmp_path: Path, plane: FakeControlPlane, sumo_environment: dict[str, str]
) -> None:
    hashes = []
    for number, seed in enumerate((3, 3, 4)):
        plane.artifacts.clear()
        done = Pod(tmp_path / str(number), plane, sumo_environment).run(seed=seed)
        assert done.code == 0
        hashes.append(hashlib.sha256(done.artifacts["tripinfo.xml.gz"]).hexdigest())
    assert hashes[0] == hashes[1] != hashes[2]


def test_progress_goes_to_stdout_and_to_the_control_plane(pod: Pod, plane: FakeControlPlane) -> None:
    done = pod.run()
    assert done.events[0]["event"] == "phase"
    assert "scenario tiny version 1, seed 7" in done.events[0]["message"]
    last = done.of("progress")[-1]
    assert (last["sim_time"], last["percent"], last["arrived"]) == (540, 90, 135)
    assert set(plane.progress[0]) == {
        "sim_time", "percent", "running", "halting", "waiting", "inserted", "arrived", "teleports", "mean_speed",
        "rtf", "eta_s", "trail",
    }  # fmt: skip
    assert plane.progress[-1]["trail"][-1] == [540, last["running"], last["halting"]]
    rows = list(csv.reader(io.StringIO(gzip.decompress(done.artifacts["summary.csv.gz"]).decode())))
    assert rows[0] == [
        "time", "running", "halting", "waiting", "inserted", "arrived", "teleports", "mean_speed", "mean_travel_time",
        "discarded", "stopped",
    ]  # fmt: skip
    assert [row[0] for row in rows[1:4]] == ["0.0", "60.0", "120.0"]


def test_without_an_end_there_is_no_percentage(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    plane.scenario = scenario(end=None)
    done = pod.run()
    assert done.code == 0, done.stdout
    assert done.message["reason"] == "All vehicles have left the simulation."
    assert {record["percent"] for record in done.of("progress")} == {None}


@pytest.mark.parametrize("end", [60, None])
def test_an_end_of_the_jobs_own_is_not_told_as_lacking(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], end: int | None
) -> None:
    plane.scenario = scenario(end=None)
    told = [warning["code"] for warning in pod.run(end=end).manifest["warnings"]]
    assert ("config.no_end" in told) is (end is None)


def test_what_the_scenario_writes_itself_is_kept_and_its_output_folders_are_made(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    detectors = '<additional><inductionLoop id="d" lane="A0B0_0" pos="9" period="60" file="e1/loop.xml"/></additional>'
    plane.scenario = scenario(
        extra='<additional-files value="det.xml"/><vehroute-output value="own/routes.out.xml"/>',
        files={"det.xml": detectors},
    )
    done = pod.run()
    assert done.code == 0, done.stdout
    assert b"<detector" in gzip.decompress(done.artifacts["scenario/e1/loop.xml.gz"])
    assert b"</routes>" in gzip.decompress(done.artifacts["scenario/own/routes.out.xml.gz"])


def test_scenario_and_results_may_go_through_presigned_urls_without_the_token(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    bucket = FakeControlPlane(plane.scenario)
    plane.presigned, plane.bucket = True, bucket
    try:
        done = pod.run()
    finally:
        bucket.close()
    assert done.code == 0, done.stdout
    assert done.artifacts["manifest.json"] == bucket.artifacts["manifest.json"]
    assert bucket.requests
    assert not [headers for _, _, headers in bucket.requests if "Authorization" in headers]


def test_the_token_appears_nowhere(pod: Pod) -> None:
    done = pod.run()
    everything = done.stdout.encode() + json.dumps(done.message).encode() + b"".join(done.artifacts.values())
    assert TOKEN.encode() not in everything


def test_an_input_with_the_name_of_a_result_is_left_alone(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    plane.scenario = scenario(
        extra='<additional-files value="tripinfo.xml"/>',
        files={"tripinfo.xml": '<additional><vType id="bus" vClass="bus"/></additional>'},
    )
    done = pod.run()
    assert done.code == 0, done.stdout
    assert not [name for name in done.artifacts if name.startswith("scenario/")]


def test_flows_without_an_end_and_names_beyond_ascii_run_as_with_sumo_itself(pod: Pod, plane: FakeControlPlane) -> None:
    flow = '<routes><flow id="f" begin="30" period="5" from="A0B0" to="B2C2"/></routes>'
    members = {
        "Köln Süd/lauf.sumocfg": config(net="Straßen.net.xml", routes="größe.rou.xml"),
        "Köln Süd/Straßen.net.xml": network(),
        "Köln Süd/größe.rou.xml": flow,
    }
    plane.scenario = zip_of(members).getvalue()
    done = pod.run()
    assert (done.code, done.message["outcome"]) == (0, "succeeded")
    kpis = done.message["kpis"]
    assert kpis["vehicles_inserted"] + kpis["vehicles_waiting_at_end"] == 14


def test_figures_that_sumo_calls_nan_are_null_and_the_run_counts(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    trip = '<vehicle id="0" type="v" depart="0" departSpeed="max"><route edges="A0B0 B0C0"/></vehicle>'
    plane.scenario = scenario(routes=f'<routes><vType id="v" speedFactor="nan"/>{trip}</routes>')
    done = pod.run(emissions=True)
    assert done.code == 0, done.stdout
    assert (done.message["kpis"]["co2_kg"], done.manifest["kpis"]["co2_kg"]) == (None, None)
    assert done.message["kpis"]["trips_finished"] == 1
    assert "NaN" not in done.stdout


def test_a_window_takes_its_trips_whole_and_those_that_never_ended(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    plane.scenario = scenario(extra='<fcd-output value="own/fcd.xml"/>')
    done = pod.run(window_begin=100, window_end=290, end=300)
    assert done.code == 0, done.stdout
    trips = list(ET.fromstring(gzip.decompress(done.artifacts["tripinfo.xml.gz"])).iter("tripinfo"))
    planned = [
        (each, (float(each.attrib["depart"]) if float(each.attrib["depart"]) >= 0 else 300) - delay)
        for each in trips
        if (delay := float(each.attrib["departDelay"])) >= 0
    ]
    inside = [each for each, at in planned if 100 <= at < 290]
    ended = [each for each in inside if float(each.attrib["arrival"]) >= 0]
    kpis = done.message["kpis"]
    assert 0 < len(ended) < len(inside) < len(trips)
    assert (kpis["trips_finished"], kpis["trips_unfinished"]) == (len(ended), len(inside) - len(ended))
    seconds = sum(float(each.attrib["duration"]) + float(each.attrib["departDelay"]) for each in inside)
    assert kpis["vehicle_time_h"] == pytest.approx(seconds / 3600, abs=1e-4)
    assert done.manifest["request"]["window_end"] == 290
    assert b"<fcd-export" in gzip.decompress(done.artifacts["scenario/own/fcd.xml.gz"])  # as the scenario asks
