"""What SUMO is told, by what the scenario and the job say."""

import json

import pytest

from simulations.sumo.inputs.sumocfg import SumoConfig
from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.problems import Problem
from simulations.sumo.run.plan import RunPlan
from tests.simulations.sumo.protocol.test_description import GOOD

OWN = GOOD | {"end": None, "scale": None, "options": {}, "outputs": [], "emissions": False}


def plan(options: dict[str, str] | None = None, *, with_edges: bool = False, **job: object) -> RunPlan:
    config = SumoConfig({"net-file": "net.xml"} | (options or {}))
    return RunPlan(JobDescription.parse(json.dumps(OWN | job)), config, with_edges)


def test_the_run_tells_what_is_needed_to_watch_it() -> None:
    assert plan({"no-warnings": "true", "tripinfo-output": "mine.xml"}).effective.options == {
        "net-file": "net.xml", "seed": "3", "verbose": "true", "no-step-log": "true", "no-warnings": "false",
        "duration-log.statistics": "true", "summary-output": "stdout", "summary-output.period": "60.0",
        "statistic-output": "results/statistics.xml", "tripinfo-output": "results/tripinfo.xml",
    }  # fmt: skip


@pytest.mark.parametrize(
    "options, own, period",
    [
        ({}, None, "60.0"),
        ({"summary-output": "a%20b.xml"}, "a b.xml", "-1"),
        ({"summary-output": "s.xml.gz", "summary-output.period": "90"}, "s.xml.gz", "90"),
        ({"summary-output": "s.csv"}, None, "60.0"),
        ({"summary-output": " "}, None, "60.0"),
        ({"summary-output": "a%00b.xml"}, None, "60.0"),  # no file can have the name
    ],
)
def test_a_summary_of_the_scenarios_own_is_written_as_often_as_it_wants(
    options: dict[str, str], own: str | None, period: str
) -> None:
    found = plan(options)
    assert (found.own_summary, found.effective.options["summary-output.period"]) == (own, period)


@pytest.mark.parametrize(
    "options, drops, scale",
    [
        ({}, False, 1),
        ({"max-depart-delay": "-1"}, False, 1),
        ({"max-depart-delay": "0"}, True, 1),
        ({"max-depart-delay": "0:15:00", "scale": "2"}, True, 2),
        ({"max-depart-delay": "900", "scale": "0.5"}, True, 0.5),
    ],
)
def test_who_waits_too_long_is_dropped(options: dict[str, str], drops: bool, scale: float) -> None:
    assert (plan(options).drops_late, plan(options).scale) == (drops, scale)


@pytest.mark.parametrize(
    "options, end, period",
    [
        ({}, 900, "60.0"),
        ({"max-depart-delay": "60"}, 900, "61.0"),
        ({"max-depart-delay": "60"}, 3660, "62.0"),
        ({"max-depart-delay": "60", "begin": "15", "step-length": "0.5"}, 915, "60.5"),
        ({"max-depart-delay": "60"}, 890, "60.0"),
        ({"max-depart-delay": "60"}, None, "60.0"),
        ({"max-depart-delay": "60", "begin": "900"}, 900, "60.0"),
    ],
)
def test_the_last_step_is_among_the_records_where_vehicles_may_be_dropped(
    options: dict[str, str], end: float | None, period: str
) -> None:
    assert plan(options, end=end).effective.options["summary-output.period"] == period


@pytest.mark.parametrize(
    "code, job, overruled",
    [
        ("config.no_end", {}, False),
        ("config.no_end", {"end": 900}, True),
        ("demand.before_begin", {"end": 900}, False),
        ("demand.before_begin", {"begin": 60}, True),
        ("output.large", {"begin": 60, "end": 900}, False),
    ],
)
def test_a_warning_of_a_time_that_the_job_sets_otherwise_is_overruled(
    code: str, job: dict[str, int], overruled: bool
) -> None:
    assert plan(**job).overrules(Problem(code, "As it stands in the configuration.")) is overruled


@pytest.mark.parametrize(
    "window, unfinished", [({}, None), ({"window_begin": 60}, "true"), ({"window_end": 900}, "true")]
)
def test_a_window_needs_the_trips_that_do_not_end(window: dict[str, int], unfinished: str | None) -> None:
    options = plan(**window).effective.options
    names = ("tripinfo-output.write-unfinished", "tripinfo-output.write-undeparted")
    assert [options.get(name) for name in names] == [unfinished] * 2


@pytest.mark.parametrize(
    "options, job, unfinished",
    [
        ({}, {"emissions": True}, "true"),
        ({"device.emissions.probability": "0.5"}, {}, "true"),
        ({"device.emissions.probability": "0"}, {}, None),
    ],
)
def test_emissions_are_those_of_all_vehicles_also_of_those_under_way_at_the_end(
    options: dict[str, str], job: dict[str, bool], unfinished: str | None
) -> None:
    assert plan(options, **job).effective.options.get("tripinfo-output.write-unfinished") == unfinished


@pytest.mark.parametrize(
    "with_edges, files, added",
    [
        (False, None, None),
        (True, None, "results/edges.add.xml"),
        (True, "a.xml,b.xml", "a.xml,b.xml,results/edges.add.xml"),
    ],
)
def test_edge_data_is_asked_for_beside_the_scenarios_own_files(
    with_edges: bool, files: str | None, added: str | None
) -> None:
    found = plan({"additional-files": files} if files else {}, with_edges=with_edges)
    assert found.effective.options.get("additional-files") == added
