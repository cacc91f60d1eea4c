"""Sums over SUMO's file of trips, streamed: memory stays flat however many trips there are."""

import math
import xml.etree.ElementTree as ET
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MAX_TYPES = 200
# Words of SUMO's `vaporized` for vehicles that were not taken out on their way: `running` has those of "end" already,
# and whoever was teleported to the end of a route has arrived, as who was teleported before it.
NOT_REMOVED = ("", "end", "teleport")
OTHERS = "(others)"  # types of vehicles beyond that


@dataclass(frozen=True)
class Window:
    """Trips count that the demand has depart from `begin` up to `end`, however late they could or how long they took.

    By the planned departure, so that a jam before the network takes no trip out of the window: variants are compared
    over the same ones. `sim_end` is when the run ended.
    """

    begin: float
    end: float
    sim_end: float

    def planned(self, depart: float, delay: float) -> float:
        """`depart` is negative for a vehicle that never entered; its delay is the one so far."""
        return (depart if depart >= 0 else self.sim_end) - delay

    def has(self, depart: float, delay: float) -> bool:
        return self.begin <= self.planned(depart, delay) < self.end


@dataclass
class TripSums:
    """Over finished trips. A sum is NaN or infinite where SUMO wrote such a number."""

    finished: int = 0
    travel_time: float = 0.0
    time_loss: float = 0.0
    waiting_time: float = 0.0
    depart_delay: float = 0.0
    speed: float = 0.0
    route_length: float = 0.0

    def add(self, trip: ET.Element) -> float:
        """The trip's travel time. Raises ValueError for an element without its numbers."""
        duration = _number(trip, "duration")
        length = _number(trip, "routeLength")
        moving = duration - float(trip.get("stopTime", "0"))
        self.finished += 1
        self.travel_time += duration
        self.time_loss += _number(trip, "timeLoss")
        self.waiting_time += _number(trip, "waitingTime")
        self.depart_delay += _number(trip, "departDelay")
        self.route_length += length
        self.speed += length / moving if moving > 0 else 0.0
        return duration


@dataclass
class PersonSums:
    """Over persons who reached the end of their plan, over walks and rides that ended, over rides that were boarded.

    Not SUMO's own statistics: with `write-unfinished` they take walks that go on for ended, at a time below 0, and say
    that nobody is under way.
    """

    finished: int = 0
    unfinished: int = 0
    trips: int = 0
    trip_time: float = 0.0
    walks: int = 0
    walk_time: float = 0.0
    rides: int = 0
    boarded: int = 0
    ride_waiting_time: float = 0.0

    def add(self, person: ET.Element) -> None:
        for walk in person.iterfind("walk"):
            if (arrival := float(walk.get("arrival", "-1"))) >= 0:
                self.walks += 1
                self.walk_time += arrival - _number(walk, "depart")
        for ride in person.iterfind("ride"):
            self.rides += float(ride.get("arrival", "-1")) >= 0
            if float(ride.get("depart", "-1")) >= 0:
                self.boarded += 1
                self.ride_waiting_time += float(ride.get("waitingTime", "0"))
        if _number(person, "duration") < 0:
            self.unfinished += _number(person, "depart") >= 0
            return
        self.finished += 1
        arrivals = [float(stage.get("arrival", "-1")) for stage in person if stage.tag != "stop"]
        if arrivals:  # a plan of stops alone has no trip
            self.trips += 1
            self.trip_time += max(arrivals) - _number(person, "depart")


@dataclass
class TripTotals:
    """Of what lies in the window, if there is one, but for `removed`: those that a collision, a calibrator or the like
    took out on their way.

    `travel_times` has the finite ones. `system_s` is the time of all vehicles on their way or waiting to enter,
    finished or not: without a window SUMO does not write those that have not finished.
    """

    window: Window | None = None
    travel_times: "array[float]" = field(default_factory=lambda: array("d"))
    all: TripSums = field(default_factory=TripSums)
    types: dict[str, TripSums] = field(default_factory=dict)
    persons: PersonSums | None = None
    unfinished: int = 0
    system_s: float = 0.0
    removed: int = 0
    emissions: dict[str, float] | None = None

    def add(self, trip: ET.Element) -> None:
        """Raises ValueError for an element without its numbers (a file of another SUMO version, say)."""
        removed = trip.get("vaporized", "") not in NOT_REMOVED
        self.removed += removed
        if self.window:
            delay = _number(trip, "departDelay")
            if not self.window.has(_number(trip, "depart"), delay) or delay < 0:  # not yet due
                return
            self.system_s += _number(trip, "duration") + delay
        self._add_emissions(trip.find("emissions"))
        if removed or _number(trip, "arrival") < 0:  # write-unfinished lists vehicles that are still under way
            self.unfinished += 1
            return
        duration = self.all.add(trip)
        if math.isfinite(duration):
            self.travel_times.append(duration)
        kind = trip.get("vType", "")
        known = kind in self.types or len(self.types) < MAX_TYPES
        self.types.setdefault(kind if known else OTHERS, TripSums()).add(trip)

    def add_person(self, person: ET.Element) -> None:
        self.persons = self.persons or PersonSums()
        if self.window is None or self.window.has(_number(person, "depart"), 0.0):
            self.persons.add(person)

    def _add_emissions(self, element: ET.Element | None) -> None:
        if element is None:
            return
        self.emissions = self.emissions or {}
        for name in ("CO2_abs", "NOx_abs", "PMx_abs", "fuel_abs"):
            self.emissions[name] = self.emissions.get(name, 0.0) + float(element.get(name, "0"))


def read_trips(path: Path, window: Window | None = None, persons: Path | None = None) -> TripTotals:
    """`persons`: the file that has them, where it is not that of the vehicles.

    Raises ET.ParseError for a file that was cut, OSError for one that is not there.
    """
    totals = TripTotals(window)
    for file in (path, persons) if persons else (path,):
        for element in _elements(file):
            if element.tag == "tripinfo":
                totals.add(element)
            else:
                totals.add_person(element)
    return totals


def _elements(path: Path) -> Iterator[ET.Element]:
    events = ET.iterparse(path, events=("start", "end"))
    _, root = next(events)
    for event, element in events:
        if event == "end" and element.tag in ("tripinfo", "personinfo"):
            yield element
        if event == "end" and element in root:
            root.clear()


def _number(element: ET.Element, name: str) -> float:
    text = element.get(name)
    if text is None:
        raise ValueError(f"<{element.tag}> has no attribute {name!r}")
    return float(text)
