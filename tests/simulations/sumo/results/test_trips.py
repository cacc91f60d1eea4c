"""Trips of a window, persons, types of vehicles."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from simulations.sumo.results import kpis
from simulations.sumo.results.trips import MAX_TYPES, OTHERS, TripTotals, Window, read_trips


def trip(depart: float, *, delay: float = 0, took: float = 10, arrives: bool = True, kind: str = "car") -> str:
    arrival = depart + took if arrives else -1
    return (
        f'<tripinfo depart="{depart}" departDelay="{delay}" arrival="{arrival}" duration="{took}" routeLength="100" '
        f'timeLoss="1" waitingTime="0" vType="{kind}" vaporized=""><emissions CO2_abs="1000000"/></tripinfo>'
    )


def totals(path: Path, *elements: str, window: Window | None = None) -> TripTotals:
    path.write_text(f"<tripinfos>{''.join(elements)}</tripinfos>")
    return read_trips(path, window)


WINDOW = Window(begin=100, end=200, sim_end=400)


def test_a_window_takes_trips_by_their_planned_departure(tmp_path: Path) -> None:
    found = totals(
        tmp_path / "t.xml",
        trip(99, took=200),  # before it
        trip(100, took=20),
        trip(250, delay=60, took=30),  # planned for 190
        trip(260, delay=60),  # planned for 200
        trip(150, took=250, arrives=False),  # under way
        trip(-1, delay=250, took=0, arrives=False),  # never entered: planned for 150
        trip(-1, delay=100, took=0, arrives=False),  # planned for 300
        trip(-1, delay=-5, took=0, arrives=False),  # not due yet
        window=WINDOW,
    )
    figures = kpis.compute({"vehicleTripStatistics": {"count": "7", "duration": "1.0"}}, found)
    assert (figures["trips_finished"], figures["trips_unfinished"]) == (2, 2)
    assert figures["mean_travel_time_s"] == 25
    assert figures["mean_depart_delay_s"] == 30
    assert figures["vehicle_time_h"] == pytest.approx((20 + 30 + 60 + 250 + 250) / 3600, abs=1e-4)
    assert figures["co2_kg"] == 4


def test_an_open_window_takes_all_that_is_due(tmp_path: Path) -> None:
    everything = Window(begin=float("-inf"), end=float("inf"), sim_end=400)
    found = totals(tmp_path / "t.xml", trip(0), trip(-1, delay=-5, took=0, arrives=False), window=everything)
    assert (found.all.finished, found.unfinished) == (1, 0)


def test_persons_and_their_rides(tmp_path: Path) -> None:
    arrived = (
        '<personinfo depart="10" duration="150"><walk depart="10" arrival="30"/><stop duration="5" arrival="35"/>'
        '<ride waitingTime="20" depart="55" arrival="100"/><stop duration="60" arrival="160"/></personinfo>'
    )
    waiting = '<personinfo depart="110" duration="-1"><ride waitingTime="90" depart="-1" arrival="-1"/></personinfo>'
    riding = '<personinfo depart="120" duration="-1"><ride waitingTime="40" depart="160" arrival="-1"/></personinfo>'
    staying = '<personinfo depart="5" duration="50"><stop duration="50" arrival="55"/></personinfo>'
    figures = kpis.compute({}, totals(tmp_path / "t.xml", arrived, waiting, riding, staying))
    assert (figures["persons_finished"], figures["persons_running_at_end"]) == (2, 2)
    assert (figures["walks_finished"], figures["mean_walk_time_s"], figures["rides_finished"]) == (1, 20, 1)
    assert figures["mean_person_trip_time_s"] == 90
    assert figures["mean_ride_waiting_time_s"] == 30
    assert totals(tmp_path / "t.xml", arrived, riding, window=WINDOW).persons.boarded == 1  # type: ignore[union-attr]
    assert kpis.compute({}, totals(tmp_path / "t.xml", trip(0)))["persons_finished"] is None


def test_who_was_taken_out_on_the_way_is_a_trip_of_the_window_that_did_not_end(tmp_path: Path) -> None:
    removed = trip(150, took=40).replace('vaporized=""', 'vaporized="calibrator"')
    found = totals(tmp_path / "t.xml", trip(150, took=20), removed, window=WINDOW)
    assert (found.all.finished, found.unfinished, found.all.travel_time, found.system_s) == (1, 1, 20, 60)


def test_types_of_vehicles(tmp_path: Path) -> None:
    found = totals(tmp_path / "t.xml", trip(0), trip(0, took=30), trip(0, kind="bus", took=50))
    told = kpis.of_types(found)
    assert {name: each["mean_travel_time_s"] for name, each in told.items()} == {"car": 20, "bus": 50}
    assert told["car"]["trips_finished"] == 2
    for number in range(MAX_TYPES + 5):
        found.add(ET.fromstring(trip(0, kind=f"t{number}")))
    assert len(found.types) == MAX_TYPES + 1
    assert found.types[OTHERS].finished == 7


@pytest.mark.parametrize("missing", ["departDelay", "arrival", "duration"])
def test_a_trip_without_its_numbers_is_no_trip_of_this_sumo(tmp_path: Path, missing: str) -> None:
    with pytest.raises(ValueError, match=f"<tripinfo> has no attribute '{missing}'"):
        totals(tmp_path / "t.xml", trip(0).replace(f"{missing}=", "other="))
