"""SUMO's summary and FCD as XML, where the scenario itself asks for them."""

import csv
import gzip
import io
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulations.sumo.harness import ENDLESS, TOO_LATE, FakeControlPlane, Finished, Pod


def steps(xml: bytes) -> list[dict[str, str]]:
    return [{name: value for name, value in step.items() if name != "duration"} for step in ET.fromstring(xml)]


def times(done: Finished) -> list[float]:
    rows = list(csv.reader(io.StringIO(gzip.decompress(done.artifacts["summary.csv.gz"]).decode())))
    return [float(row[0]) for row in rows[1:]]


@pytest.mark.parametrize("period", [None, 90])
def test_the_scenarios_own_summary_is_sumos(
    pod: Pod,
    plane: FakeControlPlane,
    scenario: Callable[..., bytes],
    tmp_path: Path,
    sumo_environment: dict[str, str],
    period: int | None,
) -> None:
    often = "" if period is None else f'<summary-output.period value="{period}"/>'
    plane.scenario = scenario(extra=f'<summary-output value="own%20files/summary.xml"/>{often}')
    done = pod.run()
    assert done.code == 0, done.stdout
    kept = steps(gzip.decompress(done.artifacts["scenario/own files/summary.xml.gz"]))
    options = ["--seed", "7", "--summary-output", "alone.xml"]
    options += [] if period is None else ["--summary-output.period", str(period)]
    subprocess.run(
        [sumo_environment["SUMO_BINARY"], "-c", "tiny.sumocfg", *options],
        cwd=pod.folder / "work" / "scenario", env=sumo_environment, check=True, capture_output=True,
    )  # fmt: skip
    assert kept == steps((pod.folder / "work" / "scenario" / "alone.xml").read_bytes())
    assert len(kept) == (600 if period is None else 8)
    assert times(done)[:3] == ([0, 60, 120] if period is None else [0, 90, 180])
    assert times(done)[-1] == float(kept[-1]["time"])


def test_a_packed_summary_is_packed_once(pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]) -> None:
    plane.scenario = scenario(extra='<summary-output value="summary.xml.gz"/>')
    done = pod.run()
    assert len(steps(gzip.decompress(done.artifacts["scenario/summary.xml.gz"]))) == 600


@pytest.mark.parametrize("value", ["../../summary.xml", "/tmp/summary.xml", "summary.csv"])
def test_a_summary_that_lies_elsewhere_or_is_no_xml_is_left_to_summary_csv(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], value: str
) -> None:
    plane.scenario = scenario(extra=f'<summary-output value="{value}"/>')
    done = pod.run()
    assert done.code == 0, done.stdout
    assert not [name for name in done.artifacts if name.startswith("scenario/")]


def test_a_cut_run_leaves_a_whole_summary(pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]) -> None:
    plane.scenario = scenario(routes=ENDLESS, end=TOO_LATE, extra='<summary-output value="summary.xml"/>')
    done = pod.run_and_stop('"event": "progress"')
    assert done.code == 75
    assert steps(gzip.decompress(done.artifacts["scenario/summary.xml.gz"]))


def test_the_scenarios_own_fcd_stays_xml(pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]) -> None:
    extra = '<fcd-output value="out/fcd.xml"/><device.fcd.period value="60"/>'
    plane.scenario = scenario(extra=extra)
    fcd = ET.fromstring(gzip.decompress(pod.run().artifacts["scenario/out/fcd.xml.gz"]))
    assert fcd.find("timestep/vehicle") is not None
