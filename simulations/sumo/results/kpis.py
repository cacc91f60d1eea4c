"""Traffic results from SUMO's own output files."""

import math
import xml.etree.ElementTree as ET
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulations.sumo.protocol.kpis import KPIS
from simulations.sumo.results.trips import TripSums, TripTotals

Kpis = dict[str, float | int | None]

MAX_BINS = 40
# Figures over finished trips that SUMO's statistics have too, by their name there.
SUMOS_OWN = {kpi.name: kpi.sumo for kpi in KPIS.values() if kpi.sumo}
_BIN_WIDTHS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


def percentile(values: "array[float]", share: float) -> float | None:
    """Linear interpolation between the closest ranks (as numpy's default); None for nothing."""
    if not values:
        return None
    ordered = sorted(values)
    position = (len(ordered) - 1) * share
    lower = math.floor(position)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (position - lower)


def histogram(values: "array[float]") -> dict[str, Any]:
    """``{"bin_s", "counts", "max_s"}``: counts[i] trips took from i·bin_s up to (i+1)·bin_s seconds.

    The narrowest round width is taken that needs at most `MAX_BINS` bins.
    """
    longest = max(values, default=0.0)
    width = next((w for w in _BIN_WIDTHS_S if longest / w < MAX_BINS), math.ceil((longest + 1) / MAX_BINS))
    counts = [0] * (int(longest // width) + 1 if values else 0)
    for value in values:
        counts[int(value // width)] += 1
    return {"bin_s": width, "counts": counts, "max_s": round(longest, 2)}


def read_statistics(path: Path) -> dict[str, dict[str, str]]:
    """SUMO's statistic-output as {element: attributes}. Raises ET.ParseError, OSError."""
    return {element.tag: dict(element.attrib) for element in ET.parse(path).getroot()}


def compute(
    statistics: dict[str, dict[str, str]],
    trips: TripTotals | None,
    standstill_s: float | None = None,
    dropped: int | None = None,
) -> Kpis:
    """The figures a traffic engineer reads first; None where the files do not tell, NaN or infinite where SUMO is.

    `dropped`: vehicles that waited for `max-depart-delay` in vain; None where that is not set or
    they are not counted.

    Units are in the names. CO2 and fuel come in mg from SUMO (fuel has been a mass since 1.14).
    """

    def count(element: str, attribute: str) -> int | None:
        try:
            return int(statistics[element][attribute])
        except (KeyError, ValueError):
            return None

    inserted, running = count("vehicles", "inserted"), count("vehicles", "running")
    arrived = None
    if inserted is not None and running is not None:
        arrived = inserted - running - (trips.removed if trips else 0)
    kpis: Kpis = {
        "vehicles_inserted": inserted,
        "vehicles_arrived": arrived,
        "vehicles_running_at_end": running,
        "vehicles_waiting_at_end": count("vehicles", "waiting"),
        "vehicles_dropped": dropped,
        "teleports": count("teleports", "total"),
        "collisions": count("safety", "collisions"),
        "emergency_braking": count("safety", "emergencyBraking"),
        "standstill_s": None if standstill_s is None else round(standstill_s, 2),
        "persons_loaded": count("persons", "loaded"),
        "persons_running_at_end": count("persons", "running"),
        "walks_finished": count("pedestrianStatistics", "number"),
        "mean_walk_time_s": _walk_time(statistics.get("pedestrianStatistics", {})),
        "rides_finished": count("rideStatistics", "number"),
        "persons_finished": None,
        "mean_person_trip_time_s": None,
        "mean_ride_waiting_time_s": None,
    }
    return (
        kpis
        | _person_kpis(trips, kpis["persons_running_at_end"])
        | _trip_kpis(trips, statistics.get("vehicleTripStatistics", {}))
    )


def of_types(trips: TripTotals) -> dict[str, Kpis]:
    """The figures that are means over finished trips, for each type of vehicle."""
    return {name: {"trips_finished": sums.finished, **_means(sums)} for name, sums in trips.types.items()}


def _walk_time(own: Mapping[str, str]) -> float | None:
    """SUMO's, where the scenario writes persons to a file of its own."""
    duration = float(own.get("duration", "-1"))
    return round(duration, 2) if own.get("number", "0") != "0" and duration >= 0 else None


def _person_kpis(trips: TripTotals | None, running: float | None) -> Kpis:
    persons = trips.persons if trips else None
    if persons is None:
        return {}

    def mean(total: float, number: int) -> float | None:
        return round(total / number, 2) if number else None

    return {
        "persons_running_at_end": running or persons.unfinished,
        "walks_finished": persons.walks,
        "mean_walk_time_s": mean(persons.walk_time, persons.walks),
        "rides_finished": persons.rides,
        "persons_finished": persons.finished,
        "mean_person_trip_time_s": mean(persons.trip_time, persons.trips),
        "mean_ride_waiting_time_s": mean(persons.ride_waiting_time, persons.boarded),
    }


def _means(sums: TripSums) -> Kpis:
    def mean(total: float) -> float | None:
        return round(total / sums.finished, 2) if sums.finished else None

    return {
        "mean_travel_time_s": mean(sums.travel_time),
        "mean_time_loss_s": mean(sums.time_loss),
        "mean_waiting_time_s": mean(sums.waiting_time),
        "mean_depart_delay_s": mean(sums.depart_delay),
        "mean_speed_ms": mean(sums.speed),
        "mean_route_length_m": mean(sums.route_length),
    }


def _trip_kpis(trips: TripTotals | None, own: Mapping[str, str]) -> Kpis:
    """SUMO's own figures, where they are over the same trips (with `write-unfinished`, or a window, they are not)."""
    emissions = trips.emissions if trips else None

    def mass(name: str, mg_per_unit: float) -> float | None:
        return round(emissions[name] / mg_per_unit, 3) if emissions is not None else None

    asked = ("trips_finished", "trips_unfinished", "vehicle_time_h", "p95_travel_time_s", *SUMOS_OWN)
    figures: Kpis = dict.fromkeys(asked)
    if trips is not None:
        p95 = percentile(trips.travel_times, 0.95) if math.isfinite(trips.all.travel_time) else math.nan
        figures |= {
            "trips_finished": trips.all.finished,
            **_means(trips.all),
            "p95_travel_time_s": round(p95, 2) if p95 is not None else None,
            "total_travel_time_s": round(trips.all.travel_time, 2),
        }
        if trips.window is not None:
            figures |= {"trips_unfinished": trips.unfinished, "vehicle_time_h": round(trips.system_s / 3600, 4)}
        if trips.all.finished and own.get("count") == str(trips.all.finished):
            figures |= {name: float(own[theirs]) for name, theirs in SUMOS_OWN.items() if theirs in own}
    return figures | {
        "co2_kg": mass("CO2_abs", 1e6),
        "nox_g": mass("NOx_abs", 1e3),
        "pmx_g": mass("PMx_abs", 1e3),
        "fuel_kg": mass("fuel_abs", 1e6),
    }


def without_not_finite(figures: Kpis) -> tuple[Kpis, list[str]]:
    """The figures with None for what is no finite number, and the names of those."""
    odd = [name for name, value in figures.items() if value is not None and not math.isfinite(value)]
    return {**figures, **dict.fromkeys(odd)}, odd
