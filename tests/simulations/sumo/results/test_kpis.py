import xml.etree.ElementTree as ET
from array import array
from pathlib import Path

import pytest

from simulations.sumo.results import kpis
from simulations.sumo.results import trips as trip_sums

STATISTICS = {
    "vehicles": {"loaded": "5", "inserted": "4", "running": "1", "waiting": "1"},
    "teleports": {"total": "2"},
    "safety": {"collisions": "1", "emergencyBraking": "3"},
    "persons": {"loaded": "20", "running": "1", "jammed": "0"},
    "pedestrianStatistics": {"number": "19", "routeLength": "164.71", "duration": "134.58", "timeLoss": "13.79"},
    "rideStatistics": {"number": "0"},
}
TRIPS = """<tripinfos>
<tripinfo id="a" arrival="10" duration="10" routeLength="100" timeLoss="1" waitingTime="0" departDelay="0" vaporized="">
    <emissions CO2_abs="2000000" NOx_abs="3000" PMx_abs="400" fuel_abs="500000"/></tripinfo>
<tripinfo id="b" arrival="40" duration="30" routeLength="150" timeLoss="5" waitingTime="4" departDelay="2" vaporized="">
    <emissions CO2_abs="1000000" NOx_abs="1000" PMx_abs="100" fuel_abs="250000"/></tripinfo>
<personinfo id="p" depart="0" duration="-1"><walk depart="0" arrival="-1" duration="5"/></personinfo>
<tripinfo id="u" arrival="-1" duration="90" routeLength="9" timeLoss="9" waitingTime="9" departDelay="9" vaporized=""/>
</tripinfos>"""


@pytest.fixture
def trips(tmp_path: Path) -> trip_sums.TripTotals:
    path = tmp_path / "tripinfo.xml"
    path.write_text(TRIPS)
    return trip_sums.read_trips(path)


def test_kpis_count_finished_trips_and_all_emissions(trips: trip_sums.TripTotals) -> None:
    assert kpis.compute(STATISTICS, trips, 61.999, dropped=3) == {
        "vehicles_dropped": 3,
        "vehicles_inserted": 4,
        "vehicles_arrived": 3,
        "vehicles_running_at_end": 1,
        "vehicles_waiting_at_end": 1,
        "teleports": 2,
        "collisions": 1,
        "emergency_braking": 3,
        "standstill_s": 62.0,
        "persons_loaded": 20,
        "persons_running_at_end": 1,
        "walks_finished": 0,
        "mean_walk_time_s": None,
        "rides_finished": 0,
        "persons_finished": 0,
        "mean_person_trip_time_s": None,
        "mean_ride_waiting_time_s": None,
        "trips_finished": 2,
        "trips_unfinished": None,
        "vehicle_time_h": None,
        "mean_travel_time_s": 20.0,
        "p95_travel_time_s": 29.0,
        "mean_time_loss_s": 3.0,
        "mean_waiting_time_s": 2.0,
        "mean_depart_delay_s": 1.0,
        "mean_speed_ms": 7.5,
        "mean_route_length_m": 125.0,
        "total_travel_time_s": 40.0,
        "co2_kg": 3.0,
        "nox_g": 4.0,
        "pmx_g": 0.5,
        "fuel_kg": 0.75,
    }


def test_vehicles_under_way_at_the_end_are_subtracted_once(tmp_path: Path) -> None:
    """With `write-unfinished` SUMO gives them vaporized="end"; who was taken out on the way has another word."""
    path = tmp_path / "tripinfo.xml"
    numbers = 'duration="5" routeLength="9" timeLoss="1" waitingTime="0" departDelay="0"'
    words = [("-1", "end"), ("20", ""), ("30", "collision"), ("40", "teleport"), ("50", "calibrator")]
    trips = (f'<tripinfo id="{w}" arrival="{at}" {numbers} vaporized="{w}"/>' for at, w in words)
    path.write_text(f"<tripinfos>{''.join(trips)}</tripinfos>")
    statistics = {"vehicles": {"inserted": "5", "running": "1"}, "vehicleTripStatistics": {"count": "4"}}
    figures = kpis.compute(statistics, trip_sums.read_trips(path))
    assert (figures["vehicles_arrived"], figures["trips_finished"]) == (2, 2)


def test_without_files_the_figures_are_unknown_not_zero() -> None:
    figures = kpis.compute({}, None)
    assert figures["vehicles_inserted"] is figures["mean_travel_time_s"] is figures["co2_kg"] is None


def test_without_emissions_devices_the_emissions_are_unknown(tmp_path: Path) -> None:
    path = tmp_path / "tripinfo.xml"
    path.write_text("<tripinfos/>")
    assert kpis.compute(STATISTICS, trip_sums.read_trips(path))["co2_kg"] is None


def test_a_cut_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "tripinfo.xml"
    path.write_text(TRIPS[:-20])
    with pytest.raises(ET.ParseError):
        trip_sums.read_trips(path)


@pytest.mark.parametrize(
    "values, share, expected", [([], 0.95, None), ([5], 0.95, 5), ([1, 2, 3, 4], 0.5, 2.5), ([4, 1, 3, 2], 1, 4)]
)
def test_percentile(values: list[float], share: float, expected: float | None) -> None:
    assert kpis.percentile(array("d", values), share) == expected


@pytest.mark.parametrize(
    "values, expected",
    [
        ([], {"bin_s": 5, "counts": [], "max_s": 0.0}),
        ([0, 4.9, 5, 12], {"bin_s": 5, "counts": [2, 1, 1], "max_s": 12}),
        ([300, 10], {"bin_s": 10, "counts": [0, 1, *[0] * 28, 1], "max_s": 300}),
    ],
)
def test_histogram(values: list[float], expected: dict) -> None:
    assert kpis.histogram(array("d", values)) == expected


def test_histogram_of_very_long_trips_stays_small() -> None:
    assert len(kpis.histogram(array("d", [1, 3_000_000]))["counts"]) <= kpis.MAX_BINS
