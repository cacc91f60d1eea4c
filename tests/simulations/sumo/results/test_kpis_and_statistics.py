"""Every figure that SUMO's own statistics have is SUMO's, to the last digit."""

import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from simulations.sumo.results import kpis
from simulations.sumo.results import trips as trip_sums

DEMAND = """<routes>
    <flow id="through" from="A0B0" to="B2C2" begin="0" end="300" period="3" departLane="best"/>
    <flow id="parking" from="C2B2" to="B0A0" begin="0" end="300" period="20">
        <stop lane="B2B1_0" duration="50" parking="true"/></flow>
    <flow id="blocking" from="A2B2" to="B0C0" begin="0" end="300" period="60"><stop lane="B2B1_0" duration="90"/></flow>
    <personFlow id="walker" begin="0" end="301" period="50"><walk from="A0B0" to="B0C0"/></personFlow>
    <person id="passenger" depart="0"><ride from="C2B2" to="B0A0" lines="parking.1"/></person>
    <vehicle id="through.x" depart="301"><route edges="A0B0"/></vehicle>
</routes>"""
Ran = Callable[..., tuple[dict[str, dict[str, str]], trip_sums.TripTotals]]


@pytest.fixture
def ran(tmp_path: Path, tiny_net: str, sumo_environment: dict[str, str]) -> Ran:
    (tmp_path / "net.xml").write_text(tiny_net)
    (tmp_path / "routes.xml").write_text(DEMAND)

    def run(seed: int, *options: str) -> tuple[dict[str, dict[str, str]], trip_sums.TripTotals]:
        files = ["--statistic-output", "stat.xml", "--tripinfo-output", "trips.xml", "--duration-log.statistics"]
        inputs = ["-n", "net.xml", "-r", "routes.xml", "--end", "400", "--seed", str(seed), "--no-step-log"]
        quick = ["--time-to-teleport", "40", "--collision.action", "remove"]
        subprocess.run(
            [sumo_environment["SUMO_BINARY"], *inputs, *files, *quick, *options],
            cwd=tmp_path, env=sumo_environment, check=True, capture_output=True,
        )  # fmt: skip
        return kpis.read_statistics(tmp_path / "stat.xml"), trip_sums.read_trips(tmp_path / "trips.xml")

    return run


@pytest.mark.parametrize("seed", range(5))
def test_the_figures_are_sumos(ran: Ran, seed: int) -> None:
    statistics, trips = ran(seed)
    figures, own = kpis.compute(statistics, trips), statistics["vehicleTripStatistics"]
    assert trips.all.finished == int(own["count"]) > 50
    assert {name: figures[name] for name in kpis.SUMOS_OWN} == {
        name: float(own[theirs]) for name, theirs in kpis.SUMOS_OWN.items()
    }
    counts = {
        "vehicles_inserted": ("vehicles", "inserted"),
        "vehicles_running_at_end": ("vehicles", "running"),
        "vehicles_waiting_at_end": ("vehicles", "waiting"),
        "teleports": ("teleports", "total"),
        "collisions": ("safety", "collisions"),
        "emergency_braking": ("safety", "emergencyBraking"),
        "persons_loaded": ("persons", "loaded"),
        "persons_running_at_end": ("persons", "running"),
        "walks_finished": ("pedestrianStatistics", "number"),
        "rides_finished": ("rideStatistics", "number"),
    }
    assert {name: figures[name] for name in counts} == {
        name: int(statistics[element][attribute]) for name, (element, attribute) in counts.items()
    }


def test_with_unfinished_trips_in_its_statistics_the_figures_stay_those_of_finished_trips(ran: Ran) -> None:
    plain = kpis.compute(*ran(3))
    statistics, trips = ran(3, "--tripinfo-output.write-unfinished")
    assert int(statistics["vehicleTripStatistics"]["count"]) > trips.all.finished
    figures = kpis.compute(statistics, trips)
    assert figures["trips_finished"] == plain["trips_finished"]
    assert {name: figures[name] for name in kpis.SUMOS_OWN} == pytest.approx(
        {name: plain[name] for name in kpis.SUMOS_OWN}, abs=0.011
    )


@pytest.mark.parametrize("seed", range(2))
def test_persons_under_way_at_the_end_are_no_finished_walks_whatever_is_written_of_them(
    ran: Ran, tmp_path: Path, seed: int
) -> None:
    """SUMO's statistics are the right value where unfinished trips are not written, and wrong where they are."""
    statistics, trips = ran(seed)
    names = ("persons_running_at_end", "persons_finished", "walks_finished", "rides_finished", "mean_walk_time_s")
    plain = kpis.compute(statistics, trips)
    assert plain["mean_walk_time_s"] == float(statistics["pedestrianStatistics"]["duration"]) > 0
    assert (plain["persons_running_at_end"] or 0) > 0
    with_unfinished = kpis.compute(*ran(seed, "--tripinfo-output.write-unfinished"))
    assert {name: with_unfinished[name] for name in names} == {name: plain[name] for name in names}
    statistics, trips = ran(seed, "--personinfo-output", "persons.xml")
    assert trips.persons is None
    apart = trip_sums.read_trips(tmp_path / "trips.xml", persons=tmp_path / "persons.xml")
    assert kpis.compute(statistics, apart) == plain


def test_emissions_are_the_sum_of_what_sumo_wrote_per_trip(ran: Ran, tmp_path: Path) -> None:
    statistics, trips = ran(1, "--device.emissions.probability", "1")
    written = [float(each.attrib["CO2_abs"]) for each in ET.parse(tmp_path / "trips.xml").iter("emissions")]
    assert kpis.compute(statistics, trips)["co2_kg"] == pytest.approx(sum(written) / 1e6, abs=0.001)
