"""Traffic results from SUMO's own output files, streamed: memory stays flat however many trips there are."""

import math
import xml.etree.ElementTree as ET
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulations.sumo.protocol.kpis import KPIS

Kpis = dict[str, float | int | None]

MAX_BINS = 40
# Figures over finished trips that SUMO's statistics have too, by their name there.
SUMOS_OWN = {kpi.name: kpi.sumo for kpi in KPIS.values() if kpi.sumo}
_BIN_WIDTHS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


@dataclass
class TripTotals:
    """Sums over ``tripinfo`` elements, of finished trips only but for emissions.

    `travel_times` has the finite ones; a sum is NaN or infinite where SUMO wrote such a number.
    """

    travel_times: "array[float]" = field(default_factory=lambda: array("d"))
    finished: int = 0
    travel_time: float = 0.0
    time_loss: float = 0.0
    waiting_time: float = 0.0
    depart_delay: float = 0.0
    speed: float = 0.0
    route_length: float = 0.0
    vaporized: int = 0
    emissions: dict[str, float] | None = None

    def add(self, trip: ET.Element) -> None:
        """Raises ValueError for an element without its numbers (a file of another SUMO version, say)."""
        if trip.get("vaporized", "") not in ("", "end"):  # "end": still under way; `running` has it already
            self.vaporized += 1
        self._add_emissions(trip.find("emissions"))
        if _number(trip, "arrival") < 0:  # write-unfinished lists vehicles that are still under way
            return
        duration = _number(trip, "duration")
        length = _number(trip, "routeLength")
        moving = duration - float(trip.get("stopTime", "0"))
        self.finished += 1
        self.travel_time += duration
        if math.isfinite(duration):
            self.travel_times.append(duration)
        self.time_loss += _number(trip, "timeLoss")
        self.waiting_time += _number(trip, "waitingTime")
        self.depart_delay += _number(trip, "departDelay")
        self.route_length += length
        self.speed += length / moving if moving > 0 else 0.0

    def _add_emissions(self, element: ET.Element | None) -> None:
        if element is None:
            return
        self.emissions = self.emissions or {}
        for name in ("CO2_abs", "NOx_abs", "PMx_abs", "fuel_abs"):
            self.emissions[name] = self.emissions.get(name, 0.0) + float(element.get(name, "0"))


def read_trips(path: Path) -> TripTotals:
    """Raises ET.ParseError for a file that was cut, OSError for one that is not there."""
    totals = TripTotals()
    for trip in _elements(path, "tripinfo"):
        totals.add(trip)
    return totals


def _elements(path: Path, tag: str) -> Iterator[ET.Element]:
    events = ET.iterparse(path, events=("start", "end"))
    _, root = next(events)
    for event, element in events:
        if event == "end" and element.tag == tag:
            yield element
        if event == "end" and element in root:
            root.clear()


def _number(element: ET.Element, name: str) -> float:
    text = element.get(name)
    if text is None:
        raise ValueError(f"<{element.tag}> has no attribute {name!r}")
    return float(text)


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


def compute(statistics: dict[str, dict[str, str]], trips: TripTotals | None) -> Kpis:
    """The figures a traffic engineer reads first; None where the files do not tell, NaN or infinite where SUMO is.

    Units are in the names. CO2 and fuel come in mg from SUMO (fuel has been a mass since 1.14).
    """

    def count(element: str, attribute: str) -> int | None:
        try:
            return int(statistics[element][attribute])
        except (KeyError, ValueError):
            return None

    inserted, running = count("vehicles", "inserted"), count("vehicles", "running")
    walks = count("pedestrianStatistics", "number")
    arrived = None
    if inserted is not None and running is not None:
        arrived = inserted - running - (trips.vaporized if trips else 0)
    kpis: Kpis = {
        "vehicles_inserted": inserted,
        "vehicles_arrived": arrived,
        "vehicles_running_at_end": running,
        "vehicles_waiting_at_end": count("vehicles", "waiting"),
        "teleports": count("teleports", "total"),
        "collisions": count("safety", "collisions"),
        "emergency_braking": count("safety", "emergencyBraking"),
        "persons_loaded": count("persons", "loaded"),
        "persons_running_at_end": count("persons", "running"),
        "walks_finished": walks,
        "mean_walk_time_s": round(float(statistics["pedestrianStatistics"]["duration"]), 2) if walks else None,
        "rides_finished": count("rideStatistics", "number"),
    }
    return kpis | _trip_kpis(trips, statistics.get("vehicleTripStatistics", {}))


def _trip_kpis(trips: TripTotals | None, own: Mapping[str, str]) -> Kpis:
    """SUMO's own figures, where they are over the same trips (with `write-unfinished` they are not)."""
    emissions = trips.emissions if trips else None
    finished = trips.finished if trips else 0

    def mean(total: float) -> float | None:
        return round(total / finished, 2) if finished else None

    def mass(name: str, mg_per_unit: float) -> float | None:
        return round(emissions[name] / mg_per_unit, 3) if emissions is not None else None

    figures: Kpis = dict.fromkeys(("trips_finished", "mean_travel_time_s", "p95_travel_time_s", *SUMOS_OWN))
    if trips is not None:
        p95 = percentile(trips.travel_times, 0.95) if math.isfinite(trips.travel_time) else math.nan
        figures |= {
            "trips_finished": finished,
            "mean_travel_time_s": mean(trips.travel_time),
            "p95_travel_time_s": round(p95, 2) if p95 is not None else None,
            "mean_time_loss_s": mean(trips.time_loss),
            "mean_waiting_time_s": mean(trips.waiting_time),
            "mean_depart_delay_s": mean(trips.depart_delay),
            "mean_speed_ms": mean(trips.speed),
            "mean_route_length_m": mean(trips.route_length),
            "total_travel_time_s": round(trips.travel_time, 2),
        }
        if finished and own.get("count") == str(finished):
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
