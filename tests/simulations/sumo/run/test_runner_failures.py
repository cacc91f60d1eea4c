import gzip
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from tests.simulations.sumo.harness import ENDLESS, TOO_LATE, FakeControlPlane, Pod, make_zip

LATE_DISCONNECTED = """<routes>
    <vehicle id="first" depart="0"><route edges="A0B0 B0C0"/></vehicle>
    <vehicle id="jumper" depart="500"><route edges="A0A1 C1C2"/></vehicle>
</routes>"""
LATE_UNKNOWN_TYPE = """<routes>
    <vehicle id="first" depart="0"><route edges="A0B0 B0C0"/></vehicle>
    <vehicle id="odd" depart="5000" type="hovercraft"><route edges="A0B0 B0C0"/></vehicle>
</routes>"""
GRIDLOCK = """<routes>
    <vType id="stuck" vClass="passenger"/>
    <flow id="f" type="stuck" from="A0B0" to="B2C2" begin="0" end="2000" period="2">
        <stop edge="B1B2" duration="100000" parking="false"/>
    </flow>
</routes>"""


def test_a_broken_archive_is_an_invalid_scenario(pod: Pod, plane: FakeControlPlane) -> None:
    plane.scenario = b"not a zip"
    done = pod.run()
    assert done.code == 65
    assert done.message["outcome"] == done.manifest["outcome"] == "invalid_scenario"
    assert done.error_codes == ["zip.unreadable"]


@pytest.mark.parametrize(
    ("files", "extra"),
    [({".run.sumocfg/x.txt": ""}, ""), ({}, '<queue-output value=".run.sumocfg/x.xml"/>')],
)
def test_a_folder_where_the_runs_configuration_is_written_is_the_scenarios_fault(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], files: dict[str, str], extra: str
) -> None:
    plane.scenario = scenario(files=files, extra=extra, end=10)
    done = pod.run()
    assert (done.code, done.error_codes) == (65, ["config.reserved_name"])


def test_missing_inputs_are_all_listed(pod: Pod, plane: FakeControlPlane) -> None:
    plane.scenario = make_zip({"a.sumocfg": '<c><net-file value="n.xml"/><route-files value="r.xml,s.xml"/></c>'})
    done = pod.run()
    assert done.code == 65
    assert done.error_codes == ["input.missing"] * 3


def test_the_dry_run_finds_a_mistake_in_late_demand_before_the_run(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    plane.scenario = scenario(routes=LATE_UNKNOWN_TYPE, end=9000)
    done = pod.run()
    assert done.code == 65
    assert done.error_codes == ["sumo.load"]
    assert "'hovercraft'" in done.message["errors"][0]["message"]
    assert not done.of("progress")
    assert b"hovercraft" in done.artifacts["sumo.log"]


def test_an_error_in_the_middle_of_the_run_keeps_what_was_simulated(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    plane.scenario = scenario(routes=LATE_DISCONNECTED, end=900)
    done = pod.run()
    assert done.code == 66
    assert done.message["outcome"] == "sumo_failed"
    assert "jumper" in done.message["errors"][0]["message"]
    assert done.manifest["complete"] is False
    assert "route.disconnected" in [warning["code"] for warning in done.manifest["warnings"]]
    ET.fromstring(gzip.decompress(done.artifacts["tripinfo.xml.gz"]))
    assert done.message["kpis"]["trips_finished"] == 1
    assert [event for event in done.of("log") if event["level"] == "error"]


def test_the_time_limit_keeps_partial_results(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    plane.scenario = scenario(routes=ENDLESS, end=TOO_LATE)
    done = pod.run(limits={"wall_s": 2})
    assert done.code == 67
    assert (done.message["outcome"], done.message["complete"]) == ("time_limit", False)
    assert done.message["reason"] == "Interrupted."
    assert done.message["kpis"]["trips_finished"] > 10
    assert done.manifest["run"]["sim_end"] > 60
    ET.fromstring(gzip.decompress(done.artifacts["tripinfo.xml.gz"]))


@pytest.mark.parametrize("own_option", ["", '<max-num-teleports value="999999"/>'])
def test_the_teleport_limit(pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], own_option: str) -> None:
    plane.scenario = scenario(routes=GRIDLOCK, end=90000, extra=own_option)
    done = pod.run(options={"time-to-teleport": 60, "max-num-teleports": 2})
    assert done.code == 68, done.stdout
    assert done.message["kpis"]["teleports"] == 3
    assert "quality.teleports" in [warning["code"] for warning in done.manifest["warnings"]]


def test_the_output_limit_keeps_what_was_written(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    plane.scenario = scenario(routes=ENDLESS, end=TOO_LATE, extra='<netstate-dump value="dump.xml"/>')
    done = pod.run(limits={"output_bytes": 300_000})
    assert done.code == 69
    assert done.manifest["complete"] is False
    assert "scenario/dump.xml.gz" in done.artifacts


def test_a_bad_job_description_lists_everything_and_ends_with_64(pod: Pod) -> None:
    done = pod.run(seed="many", limits={"wall_s": None, "files": -1})
    assert done.code == 64
    assert [error["where"] for error in done.message["errors"]] == ["seed", "limits.wall_s", "limits.files"]


def test_options_that_no_tenant_may_set_are_refused_in_the_pod_too(pod: Pod) -> None:
    assert pod.run(options={"remote-port": 8813}).code == 64


def test_the_wrong_scenario_is_not_run(pod: Pod) -> None:
    done = pod.run(scenario={"sha256": "0" * 64})
    assert done.code == 74
    assert done.error_codes == ["fetch.wrong_hash"]


def test_a_binary_that_crashes_is_told_apart_from_a_mistake_of_the_user(pod: Pod) -> None:
    """Stands for SUMO dying of a signal, which cannot be provoked at will in the real one."""
    script = pod.folder / "crashes"
    script.write_text("#!/bin/sh\nkill -SEGV $$\n")
    script.chmod(0o755)
    pod.extra_environment["SUMO_BINARY"] = str(script)
    done = pod.run()
    assert done.code == 70
    assert done.error_codes[0] == "sumo.crashed"


def test_a_result_file_that_a_full_disk_cut_is_no_success(pod: Pod) -> None:
    """SUMO ends with 0 and says nothing; here the file is cut behind its back."""
    script = pod.folder / "cuts"
    tripinfo = pod.folder / "work" / "out" / "tripinfo.xml"
    real = pod.sumo_environment["SUMO_BINARY"]
    script.write_text(f'#!/bin/sh\n"{real}" "$@"\nif [ -f "{tripinfo}" ]; then truncate -s -30 "{tripinfo}"; fi\n')
    script.chmod(0o755)
    pod.extra_environment["SUMO_BINARY"] = str(script)
    done = pod.run()
    assert done.code == 74
    assert done.error_codes[0] == "output.damaged"
    assert {file["name"]: file["intact"] for file in done.manifest["files"]}["tripinfo.xml.gz"] is False
    assert done.message["kpis"]["vehicles_inserted"] == 135


def test_a_fault_of_our_own_is_told_with_where_it_happened(pod: Pod) -> None:
    in_the_way = pod.folder / "no-folder"
    in_the_way.touch()
    pod.extra_environment["WORK_DIR"] = str(in_the_way)
    done = pod.run()
    assert (done.code, done.message["outcome"], done.error_codes) == (72, "internal", ["runner.internal"])
    assert any("Traceback" in event["message"] for event in done.of("log") if event["level"] == "error")
