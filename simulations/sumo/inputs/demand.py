"""What SUMO comes to read of the demand, and whether anything will drive.

SUMO reads a route file in slices: first up to the begin, then, whenever the simulation comes to the departure that it
read last, `route-steps` (200 s) further. So what stands behind the last slice before the end is never read, and a
mistake there does no harm. Files that are loaded as additional files are read at once.
"""

from __future__ import annotations

import itertools
import math
import re
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..protocol.problems import Problem, plain, shown
from . import sumocfg
from .sumocfg import SumoConfig

ROUTE_STEPS_S = 200.0
MAX_DRIVEN_EDGES = 50_000
MAX_MISTAKES = 20
MAX_ROUTE_LENGTH = 256 * 1024
# Departures that wait for something else; they have no place in the order of a file.
WITHOUT_TIME = frozenset({"triggered", "containerTriggered", "split", "begin", "now"})
ALWAYS_READ = -1.0
KINDS = {
    "vehicle": "vehicles",
    "trip": "vehicles",
    "flow": "flows",
    "person": "persons",
    "personFlow": "flows",
    "container": "persons",
    "containerFlow": "flows",
}
FLOWS = frozenset({"flow", "personFlow", "containerFlow"})


@dataclass
class Demand:
    """The demand in one file. Times are in seconds.

    SUMO reads an element after all before it; `driven` (edge: …) and `mistakes` say which departure it must have come
    to for that. `departures` are those times in their order, rising. `late` counts the elements that SUMO ignores
    because they depart before what stands in front of them.
    """

    counts: Counter[str] = field(default_factory=Counter)
    departures: array[float] = field(default_factory=lambda: array("d"))
    driven: dict[str, float] = field(default_factory=dict)
    mistakes: list[tuple[float, str]] = field(default_factory=list)
    late: int = 0
    first_late: str = ""
    first_departure: float = math.inf
    last_departure: float = -math.inf
    complete: bool = True


class DemandReader:
    """Fills in a `Demand` from the elements of a file. `in_slices`: a route file, not one that is loaded at once."""

    def __init__(self, *, in_slices: bool) -> None:
        self.demand = Demand()
        self._in_slices = in_slices
        self._last = ALWAYS_READ  # the latest departure so far
        self._before = ALWAYS_READ  # the same without the vehicle that is being read

    def departing(self, name: str, attributes: Mapping[str, str]) -> None:
        """A vehicle, person, container, or a flow of them."""
        demand = self.demand
        demand.counts[KINDS[name]] += 1
        self._before = self._last
        departure = self._departure(name, attributes)
        if departure is None:
            demand.first_departure, demand.last_departure = -math.inf, math.inf
        else:
            demand.first_departure = min(demand.first_departure, departure)
            demand.last_departure = max(demand.last_departure, _until(name, attributes, departure))
            if self._in_slices:
                self._in_order(departure, attributes)
        if name in ("trip", "flow"):
            self._over(attributes.get("from"), attributes.get("to"), attributes.get("via"))

    def route(self, attributes: Mapping[str, str]) -> None:
        """A route, of the vehicle before or, with an id, on its own."""
        if "id" in attributes:
            self._before = self._last
        self._over(attributes.get("edges"))

    def leg(self, attributes: Mapping[str, str]) -> None:
        """A walk or trip of a person."""
        self._over(attributes.get("edges"), attributes.get("from"), attributes.get("to"))

    def _departure(self, name: str, attributes: Mapping[str, str]) -> float | None:
        key = "begin" if name in FLOWS else "depart"
        text = attributes.get(key)
        if text in WITHOUT_TIME or (text is None and key == "begin"):
            return None
        try:
            departure = sumocfg.parse_time(text or "")
            if departure < 0:
                raise ValueError(text)
        except ValueError:
            if len(self.demand.mistakes) < MAX_MISTAKES:
                what = "has no departure" if text is None else f"departs at '{shown(text)}', which is no time for SUMO"
                sentence = f"The {name} '{shown(attributes.get('id', ''))}' {what}."
                self.demand.mistakes.append((self._read_after(), sentence))
            return None
        return departure

    def _in_order(self, departure: float, attributes: Mapping[str, str]) -> None:
        if departure < self._last:
            self.demand.first_late = self.demand.first_late or attributes.get("id", "")
            self.demand.late += 1
        elif departure > self._last and "line" not in attributes:  # of public transport, which puts nothing in order
            self._last = departure
            self.demand.departures.append(departure)

    def _read_after(self) -> float:
        return self._before if self._in_slices else ALWAYS_READ

    def _over(self, *lists: str | None) -> None:
        driven, after = self.demand.driven, self._read_after()
        for text in lists:
            if text and len(text) <= MAX_ROUTE_LENGTH and len(driven) < MAX_DRIVEN_EDGES:
                for edge in _ids(text):
                    driven.setdefault(edge, after)  # what comes later is read later


def read_until(demands: Sequence[Demand], config: SumoConfig, *, tick: Callable[[], None] = lambda: None) -> float:
    """Up to which departure SUMO reads the route files before the end; infinity if it reads all.

    The begin, end and step length must be such as SUMO takes. `tick` is called in the loop over departures.
    """
    advance = sumocfg.parse_time(config.options.get("route-steps", str(ROUTE_STEPS_S)))
    if config.end is None or advance <= 0:
        return math.inf
    departures = sorted(itertools.chain.from_iterable(demand.departures for demand in demands))
    seen = min((max(demand.departures, default=0.0) for demand in demands if not demand.complete), default=math.inf)
    reached = config.begin
    while (following := bisect_right(departures, reached)) < len(departures):
        tick()
        steps = math.ceil((departures[following] - config.begin) / config.step_length - 1e-9)
        if reached >= seen or config.begin + steps * config.step_length >= config.end:
            return reached
        reached = departures[following] + advance
    return reached if seen < math.inf else math.inf


def mistakes(path: str, demand: Demand, read: float) -> Iterator[Problem]:
    """What SUMO refuses in the part of a file that it reads."""
    for after, sentence in demand.mistakes:
        if after <= read:
            yield Problem("input.bad_departure", sentence, path, "Write seconds, or H:M:S.")


def unknown_edges(path: str, demand: Demand, read: float, known: set[str]) -> Iterator[Problem]:
    """Routes over edges that the network does not have, in the part of a file that SUMO reads."""
    unknown = [edge for edge, after in demand.driven.items() if after <= read and edge not in known and edge[0] != ":"]
    if unknown:
        some = ", ".join(f"'{shown(edge)}'" for edge in unknown[:5]) + (", …" if len(unknown) > 5 else "")
        edges = "an edge" if len(unknown) == 1 else f"{len(unknown)} edges"
        message = f"'{path}' has routes over {edges} that the network does not have: {some}."
        yield Problem("input.unknown_edge", message, path, "Do the routes and the network belong together?")


def order_warning(path: str, demand: Demand) -> Iterator[Problem]:
    """Vehicles that SUMO passes over, with a warning in its log only."""
    if demand.late:
        total = sum(demand.counts.values())
        message = (
            f"'{path}' is not sorted by departure: SUMO ignores {demand.late} of its {total} vehicles, persons "
            f"and flows, the first of them '{shown(demand.first_late)}'."
        )
        hint = "Sort it, with SUMO's tools/route/sort_routes.py for example."
        yield Problem("demand.unsorted", message, path, hint)


def emptiness_warning(path: str, demands: Iterable[Demand], config: SumoConfig) -> Problem | None:
    """Why nothing at all would be simulated, as far as the files show; `path` is the configuration."""
    demands = list(demands)
    if "load-state" in config.options or not all(demand.complete for demand in demands):
        return None
    if not any(demand.counts for demand in demands):
        message = "The inputs hold no vehicles, persons or flows: nothing will be simulated."
        return Problem("demand.none", message, path, "Are the route files named in 'route-files'?")
    first = min(demand.first_departure for demand in demands)
    last = max(demand.last_departure for demand in demands)
    if config.end is not None and first >= config.end:
        message = (
            f"The first departure is at {plain(first)} s, the run ends at {plain(config.end)} s: nobody will drive."
        )
        return Problem("demand.after_end", message, path, "Set 'begin' and 'end' to the time of the demand.")
    if last < config.begin:
        message = (
            f"The last departure is at {plain(last)} s, the run begins at {plain(config.begin)} s: nobody will drive."
        )
        return Problem("demand.before_begin", message, path, "Set 'begin' and 'end' to the time of the demand.")
    return None


def _ids(text: str) -> list[str]:
    """The ids in a list as SUMO takes it apart: other letters that look like a space belong to an id."""
    return text.split() if text.isascii() else [part for part in re.split("[ \t\r\n]+", text) if part]


def _until(name: str, attributes: Mapping[str, str], departure: float) -> float:
    """The last departure of an element."""
    if name not in FLOWS:
        return departure
    try:
        return sumocfg.parse_time(attributes["end"])
    except (KeyError, ValueError):
        return math.inf
