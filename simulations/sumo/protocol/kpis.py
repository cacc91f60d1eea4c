"""The table of KPIs: what a traffic engineer reads first of a run, by name.

The runner computes them, the API's schema, the terminal, the pages, the statistics of studies and their CSV name them,
all from here. A new one is a row here and a line in `simulations/sumo/results/kpis.py` that computes it.
"""

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher"] | None
Aggregation = Literal["count", "mean", "p95", "sum", "longest"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How people read a figure: its value times `times`, in that unit."""

    unit: str
    times: float
    decimals: int


READINGS = {"mean_speed_ms": Reading("km/h", 3.6, 1), "total_travel_time_s": Reading("h", 1 / 3600, 1)}


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure of a run. None where it was not measured."""

    name: str  # with its unit
    label: str  # for people, as in the middle of a sentence
    unit: str
    decimals: int
    better: Better  # which direction is an improvement; None: neither is
    aggregation: (
        Aggregation  # of vehicles, persons or events; means, p95 and total_travel_time_s are over finished trips
    )
    help: str
    sumo: str = ""  # its attribute in SUMO's own statistics of trips
    is_rare: bool = False  # a count of rare events: an interval from Student's t would mislead

    @property
    def is_whole(self) -> bool:
        return self.aggregation == "count"

    @property
    def is_of_trips(self) -> bool:
        """Over trips that ended: what has not arrived is not in it."""
        return bool(self.sumo) or self.name == "p95_travel_time_s"

    @property
    def title(self) -> str:
        return self.label[0].upper() + self.label[1:]

    def text(self, value: float) -> str:
        """With its unit, for people."""
        reading = self.reading
        return f"{value * reading.times:,.{reading.decimals}f} {reading.unit}".strip()

    @property
    def reading(self) -> Reading:
        return READINGS.get(self.name) or Reading(self.unit, 1.0, self.decimals)


def _count(name: str, label: str, better: Better, text: str, *, rare: bool = False) -> Kpi:
    return Kpi(name, label, "", 0, better, "count", text, is_rare=rare)


def _mass(name: str, label: str, unit: str, text: str) -> Kpi:
    return Kpi(name, label, unit, 1, "lower", "sum", f"{text}, of all vehicles, finished or not; only with emissions.")


KPIS = {
    kpi.name: kpi
    for kpi in (
        _count("vehicles_inserted", "vehicles inserted", None, "Vehicles that entered the network."),
        _count(
            "vehicles_arrived", "vehicles arrived", "higher",
            "Vehicles that reached their destination, some of them by a teleport.",
        ),
        _count(
            "vehicles_running_at_end", "vehicles still under way at the end", "lower",
            "Vehicles still under way at the end.",
        ),
        _count(
            "vehicles_waiting_at_end", "vehicles still waiting to enter at the end", "lower",
            "Vehicles that had found no place to enter by the end.",
        ),
        _count(
            "vehicles_dropped", "vehicles dropped before they entered", "lower",
            "Vehicles that waited for 'max-depart-delay' in vain; only where that is set, and not with a 'scale' below "
            "1, when SUMO counts those that it leaves out among them.", rare=True,
        ),
        _count("trips_finished", "trips finished", "higher", "Trips that the means are over."),
        _count(
            "trips_unfinished", "trips of the window not finished", "lower",
            "Trips of the window that had not ended or begun when the run did, or were removed; only with a window.",
        ),
        Kpi(
            "vehicle_time_h", "vehicle-hours of all trips", "h", 2, "lower", "sum",
            "Hours under way or waiting to enter, of all trips of the window, finished or not; only with a window.",
        ),
        Kpi(
            "mean_travel_time_s", "mean travel time", "s", 1, "lower", "mean",
            "Seconds from entering to arriving, stops included.", "duration",
        ),
        Kpi(
            "p95_travel_time_s", "95th percentile of travel times", "s", 1, "lower", "p95",
            "Seconds; 95 % of finished trips took less.",
        ),
        Kpi(
            "mean_time_loss_s", "mean time loss", "s", 1, "lower", "mean",
            "Seconds lost by driving slower than wished.", "timeLoss",
        ),
        Kpi(
            "mean_waiting_time_s", "mean waiting time", "s", 1, "lower", "mean",
            "Seconds standing, planned stops apart.", "waitingTime",
        ),
        Kpi(
            "mean_depart_delay_s", "mean depart delay", "s", 2, "lower", "mean",
            "Seconds waited for a place to enter.", "departDelay",
        ),
        Kpi(
            "mean_speed_ms", "mean speed", "m/s", 2, "higher", "mean",
            "Metres per second; each trip weighs the same, planned stops apart.", "speed",
        ),
        Kpi("mean_route_length_m", "mean route length", "m", 0, None, "mean", "Metres.", "routeLength"),
        Kpi(
            "total_travel_time_s", "total travel time", "s", 0, None, "sum",
            "Seconds, all finished trips together.", "totalTravelTime",
        ),
        _count(
            "teleports", "teleports", "lower", "Vehicles that SUMO moved out of a deadlock.", rare=True
        ),
        _count("collisions", "collisions", "lower", "Collisions.", rare=True),
        _count("emergency_braking", "emergency brakings", "lower", "Emergency brakings.", rare=True),
        Kpi(
            "standstill_s", "longest standstill", "s", 0, "lower", "longest",
            "Seconds in which half of the vehicles under way stood, planned stops apart, and none arrived.",
        ),
        _count("persons_loaded", "persons loaded", None, "Persons that the demand has, as far as it was loaded."),
        _count(
            "persons_running_at_end", "persons still under way at the end", "lower",
            "Persons still under way at the end.",
        ),
        _count("walks_finished", "walks finished", "higher", "Walks that ended."),
        Kpi("mean_walk_time_s", "mean walk time", "s", 1, "lower", "mean", "Seconds."),
        _count("rides_finished", "rides finished", "higher", "Rides that ended."),
        _count("persons_finished", "persons at their destination", "higher", "Persons whose plan ended."),
        Kpi(
            "mean_person_trip_time_s", "mean trip time of persons", "s", 1, "lower", "mean",
            "Seconds from departure to the last arrival.",
        ),
        Kpi(
            "mean_ride_waiting_time_s", "mean waiting time for rides", "s", 1, "lower", "mean",
            "Seconds at the stop until boarding.",
        ),
        _mass("co2_kg", "CO₂", "kg", "Kilograms"),
        _mass("nox_g", "NOx", "g", "Grams"),
        _mass("pmx_g", "PMx", "g", "Grams"),
        _mass("fuel_kg", "fuel", "kg", "Kilograms"),
    )
}  # fmt: skip
