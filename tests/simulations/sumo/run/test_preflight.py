"""When a dry run is made, and what it proves."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from simulations.sumo.inputs.sumocfg import SumoConfig
from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.endings import Outcome
from simulations.sumo.results.sumo_run import SumoRun
from simulations.sumo.run import preflight
from simulations.sumo.run.plan import RunPlan
from tests.simulations.sumo.harness import FakeControlPlane, Pod

INPUTS = {"net-file": "net.xml", "route-files": "routes.xml"}


def plan(pod: Pod, **options: str) -> RunPlan:
    return RunPlan(JobDescription.parse(json.dumps(pod.description())), SumoConfig(INPUTS | options))


@pytest.mark.parametrize(
    "options, late",
    [
        ({"end": "900"}, True),
        ({}, True),
        ({"end": "200"}, False),
        ({"begin": "800", "end": "900"}, False),
        ({"end": "900", "route-steps": "0"}, False),
        ({"end": "900", "route-steps": "900"}, False),
    ],
)
def test_a_dry_run_is_made_where_the_run_would_see_mistakes_late(pod: Pod, options: dict[str, str], late: bool) -> None:
    assert plan(pod, **options).loads_as_it_goes is late


def test_it_writes_nothing_and_lasts_a_day_at_most(pod: Pod) -> None:
    content = plan(pod, **{"fcd-output": "f.xml", "save-state.period": "9", "begin": "60"}).dry_run_content.decode()
    assert "output" not in content.replace("<output>", "").replace("</output>", "")
    assert "save-state" not in content
    assert '<end value="86460' in content


@pytest.mark.parametrize(
    "run, proves",
    [
        (SumoRun(1, errors=["The edge 'x' is not known."]), True),
        (SumoRun(1, errors=["Unknown vehicle 'bus' in triggered departure for person 'p'."]), False),
        (SumoRun(1, errors=["x"], stopped_for=Outcome.TIME_LIMIT), False),
        (SumoRun(-9, errors=["x"], out_of_memory=True), False),
        (SumoRun(-11, errors=["x"]), False),
        (SumoRun(1), False),
        (SumoRun(0, "All vehicles have left the simulation.", errors=["a complaint"]), False),
    ],
)
def test_what_it_proves(run: SumoRun, proves: bool) -> None:
    assert bool(preflight.problems_of(run)) is proves


def test_one_that_is_cut_proves_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "scenario").mkdir()
    (tmp_path / "sumo").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "sumo").chmod(0o755)
    run = preflight.dry_run(
        binary=str(tmp_path / "sumo"),
        scenario=tmp_path / "scenario",
        scratch=tmp_path / "scratch",
        config_path="a.sumocfg",
        content=b"<c/>",
        environment={"PATH": "/usr/bin:/bin"},
        log=io.StringIO(),
        should_stop=lambda: Outcome.TIME_LIMIT,
    )
    assert run.stopped_for is Outcome.TIME_LIMIT
    assert not preflight.problems_of(run)
    assert not (tmp_path / "scratch").exists()


def test_one_without_room_for_its_copy_proves_nothing(tmp_path: Path) -> None:
    run = preflight.dry_run(
        binary="/bin/false",
        scenario=tmp_path / "gone",
        scratch=tmp_path / "scratch",
        config_path="a.sumocfg",
        content=b"<c/>",
        environment={},
        log=io.StringIO(),
        should_stop=lambda: None,
    )
    assert (run, preflight.problems_of(run)) == (SumoRun(), [])


def test_demand_in_the_first_slice_needs_none(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    plane.scenario = scenario(end=100)
    done = pod.run()
    assert done.code == 0
    assert done.manifest["run"]["preflight_s"] is None
