"""Which runs carry a warning about their figures, from the figures alone and from real runs."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from simulations.sumo.results import quality
from simulations.sumo.results.kpis import Kpis
from simulations.sumo.results.sumo_run import SumoRun
from tests.simulations.sumo.harness import FakeControlPlane, Finished, Pod

NOBODY = {"vehicles_inserted": 0, "vehicles_waiting_at_end": 0, "persons_loaded": 0}
ROUTE = '<route edges="A0B0 B0C0"/>'
UNSORTED = "".join(f'<vehicle id="v{n}" depart="{300 - n}">{ROUTE}</vehicle>' for n in range(31))


def run(*, unsorted: int = 0) -> SumoRun:
    return SumoRun(sim_begin=0, sim_end=900, unsorted=unsorted)


@pytest.mark.parametrize(
    "figures, facts, complete, codes",
    [
        ({"vehicles_inserted": 100, "teleports": 1, "vehicles_waiting_at_end": 5}, {}, True, []),
        ({"vehicles_inserted": 100, "teleports": 2, "vehicles_waiting_at_end": 6}, {}, True,
         ["quality.teleports", "quality.not_inserted"]),
        ({"vehicles_inserted": 100, "teleports": 0, "vehicles_waiting_at_end": 60}, {}, False, []),
        ({"vehicles_inserted": 100, "vehicles_dropped": 5}, {}, True, []),
        ({"vehicles_inserted": 100, "vehicles_dropped": 6}, {}, True, ["quality.dropped"]),
        ({"vehicles_inserted": 131, "vehicles_running_at_end": 13}, {}, True, []),
        ({"vehicles_inserted": 100, "vehicles_arrived": 90, "vehicles_running_at_end": 9}, {}, True, []),
        ({"vehicles_inserted": 607, "vehicles_arrived": 411, "vehicles_running_at_end": 15}, {}, True,
         ["quality.removed"]),
        ({"vehicles_inserted": 131, "vehicles_running_at_end": 91}, {}, True, ["quality.unfinished"]),
        ({"vehicles_inserted": 131, "vehicles_running_at_end": 91}, {}, False, []),
        ({"vehicles_inserted": 9, "persons_loaded": 10, "persons_running_at_end": 2}, {}, True, ["quality.unfinished"]),
        ({"vehicles_inserted": 1}, {"unsorted": 30}, True, ["quality.unsorted"]),
        (NOBODY, {}, True, ["quality.nothing_simulated"]),
        (NOBODY, {}, False, []),
        ({**NOBODY, "persons_loaded": 3}, {}, True, []),
        ({**NOBODY, "vehicles_waiting_at_end": 3}, {}, True, ["quality.not_inserted"]),
        ({**NOBODY, "vehicles_dropped": 3}, {}, True, ["quality.dropped"]),
        ({}, {}, True, []),
    ],
)  # fmt: skip
def test_which_figures_are_doubtful(figures: Kpis, facts: dict[str, int], complete: bool, codes: list[str]) -> None:
    found = quality.warnings(figures, run(unsorted=facts.get("unsorted", 0)), complete=complete)
    assert [warning.code for warning in found] == codes
    assert all(re.search(r"\d", warning.message) for warning in found)


def test_the_counts_stand_in_the_sentence() -> None:
    figures: Kpis = {"vehicles_inserted": 131, "vehicles_running_at_end": 91}
    (warning,) = quality.warnings(figures, run(), complete=True)
    assert warning.message.startswith("91 of 131 vehicles were still under way at the end (900 s)")


def test_a_run_in_which_nothing_happened_in_words() -> None:
    demand = {"complete": True, "vehicles": 3, "flows": 0, "persons": 1}
    for facts, counted, words in (
        (run(), None, "Nothing was simulated between 0 s and 900 s: nobody departed."),
        (
            SumoRun(),
            demand,
            "Nothing was simulated: nobody departed; the files name 3 vehicles, 0 flows and 1 persons.",
        ),
        (SumoRun(), demand | {"complete": False}, "Nothing was simulated: nobody departed."),
    ):
        (warning,) = quality.warnings(NOBODY, facts, complete=True, demand=counted)
        assert (warning.code, warning.message) == ("quality.nothing_simulated", words)


def test_figures_that_are_no_number_are_named() -> None:
    (warning,) = quality.warnings({}, run(), complete=False, not_finite=["nox_g", "co2_kg"])
    assert warning.code == "quality.not_finite"
    assert warning.message == "SUMO gave no finite number for 2 figures, which are left out: co2_kg, nox_g."


def quality_of(done: Finished) -> dict[str, str]:
    assert done.code == 0, done.stdout
    warnings: list[dict[str, Any]] = done.manifest["warnings"]
    return {warning["code"]: warning["message"] for warning in warnings if warning["code"].startswith("quality.")}


@pytest.mark.parametrize("option", ["", '<aggregate-warnings value="1"/>', '<no-warnings value="true"/>'])
def test_vehicles_that_an_unsorted_file_loses_are_counted(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], option: str
) -> None:
    plane.scenario = scenario(routes=f"<routes>{UNSORTED}</routes>", extra=option)
    message = quality_of(pod.run())["quality.unsorted"]
    assert message.startswith("SUMO left out 30 of ")
    assert message.endswith("entered the network is 1.")


@pytest.mark.parametrize(
    "job, known",
    [
        ({"scale": 0.5}, False),  # SUMO discards those that it thins out, too
        ({"options": {"max-depart-delay": 0}}, True),
        ({"options": {"max-depart-delay": 900}, "scale": 0.5}, False),
    ],
)
def test_who_was_dropped_and_who_was_not_asked_for(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], job: dict[str, Any], known: bool
) -> None:
    vehicles = "".join(f'<vehicle id="v{n}" depart="0">{ROUTE}</vehicle>' for n in range(20))
    plane.scenario = scenario(routes=f"<routes>{vehicles}</routes>")
    done = pod.run(**job)
    found = quality_of(done)
    assert (done.manifest["kpis"]["vehicles_dropped"] is not None) is known
    assert set(found) == ({"quality.dropped"} if known else set())
    assert ("were dropped after 'max-depart-delay'" in found.get("quality.dropped", "")) is known


@pytest.mark.parametrize("step", [1, 2])
def test_of_a_thinned_demand_is_told_how_many_were_dropped_at_least(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], step: int
) -> None:
    """Never more than were. Flows are thinned before their vehicles are counted, which is why the rest may be more."""
    single = "".join(f'<vehicle id="v{n}" depart="{n}">{ROUTE}</vehicle>' for n in range(0, 300, step))
    crowd = '<route id="r" edges="A0B0 B0C0"/><flow id="f" begin="0" end="300" period="0.5" route="r"/>'
    plane.scenario = scenario(routes=f"<routes>{crowd}{single}</routes>")
    free = pod.run(scale=0.5).manifest["kpis"]
    plane.artifacts.clear()
    done = pod.run(scale=0.5, options={"max-depart-delay": 1})
    assert done.manifest["kpis"]["vehicles_dropped"] is None  # null is not 0
    [told] = re.findall(r"at least (\d+) were dropped after 'max-depart-delay'", quality_of(done)["quality.dropped"])
    were = free["vehicles_inserted"] + free["vehicles_waiting_at_end"] - done.manifest["kpis"]["vehicles_inserted"]
    assert 0 < int(told) <= were


@pytest.mark.parametrize(
    "inner",
    [
        f'<vType id="thin" scale="0.5"/><flow id="f" type="thin" begin="0" end="500" period="10">{ROUTE}</flow>',
        '<vType id="car"/><route id="r" edges="A0B0 B0C0"/>'
        '<calibrator id="c" edge="A0B0" pos="1" freq="60" output="c.xml">'
        '<flow begin="0" end="600" vehsPerHour="9000" speed="10" route="r" type="car"/></calibrator>',
    ],
)
def test_who_the_demand_itself_leaves_out_was_not_dropped_for_waiting(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], inner: str
) -> None:
    """SUMO counts them among the discarded, and nobody can have waited for 900 s in a run of 600 s."""
    plane.scenario = scenario(routes=f"<routes>{inner}</routes>")
    done = pod.run(options={"max-depart-delay": 900})
    assert done.code == 0, done.stdout
    assert done.manifest["kpis"]["vehicles_dropped"] is None
    assert "quality.dropped" not in quality_of(done)


def test_who_is_dropped_in_the_last_minute_counts(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    """The run ends at 600 s: each of the twenty vehicles has entered by then or was dropped."""
    vehicles = "".join(f'<vehicle id="v{n}" depart="560">{ROUTE}</vehicle>' for n in range(20))
    plane.scenario = scenario(routes=f"<routes>{vehicles}</routes>")
    kpis = pod.run(options={"max-depart-delay": 5}).manifest["kpis"]
    assert kpis["vehicles_dropped"] > 0
    assert kpis["vehicles_dropped"] + kpis["vehicles_inserted"] == 20


@pytest.mark.parametrize(
    "routes",
    ["<routes/>", f'<routes><vehicle id="a" depart="0">{ROUTE}</vehicle></routes>'],
    ids=["empty", "too early"],
)
def test_a_run_that_simulated_nothing_says_so(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], routes: str
) -> None:
    plane.scenario = scenario(routes=routes)
    found = quality_of(pod.run(begin=300))
    assert list(found) == ["quality.nothing_simulated"]
    assert "between 300 s and 600 s" in found["quality.nothing_simulated"]
    assert f"the files name {routes.count('<vehicle')} vehicles" in found["quality.nothing_simulated"]


def test_figures_that_are_no_number_are_left_out_and_told(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    odd = '<vType id="odd" speedFactor="nan"/><vehicle id="a" type="odd" depart="0" departSpeed="max">'
    plane.scenario = scenario(routes=f"<routes>{odd}{ROUTE}</vehicle></routes>", end=60)
    done = pod.run(emissions=True)
    assert "co2_kg, fuel_kg, nox_g, pmx_g" in quality_of(done)["quality.not_finite"]
    assert done.message["kpis"]["co2_kg"] is done.manifest["kpis"]["co2_kg"] is None
    assert done.message["kpis"]["trips_finished"] == 1
    assert b"NaN" not in b"".join(done.artifacts.values())
    assert "NaN" not in done.stdout
