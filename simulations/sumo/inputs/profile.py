"""A scenario at a glance: its network as lines, its departures over time, and the fingerprints of its files.

Bounded in CPU time and in what is kept; what there was no time for is left out, and said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..protocol.problems import InvalidScenario
from . import sumocfg, xmlscan
from .archive import Archive, ArchiveLimits, Source, open_archive

VERSION = 2  # kept ones of another version are made anew
GRID = 600  # the longer side of the picture: what falls together on it is drawn once
MAX_LINES = 4000  # drawn, the longest of all
MAX_EDGES = 200_000  # read
MAX_POINTS = 4  # of an edge
BINS = 60
BIN_STEPS_S = (60, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800)
MAX_BYTES = 512 * 1024**2
MAX_MINUTES = 100_000  # in which somebody departs
MAX_FILES = 2000  # with more, versions are not compared file by file
MAX_COUNT = 10**9
MAX_PLACE, LEAST_SIDE = 1e9, 1e-6  # of a network, in metres: beyond them a picture has no figures to be drawn with
DAY_S = 86_400.0
NET_SHARE, DEMAND_SHARE = 0.5, 1.0  # of the CPU time, one after the other

Points = tuple[tuple[float, float], ...]
Clock = Callable[[], float]


class _Enough(Exception):
    """No more is needed, or there is no time for it."""


def profile(
    source: Source,
    inputs: Sequence[Mapping[str, Any]],
    *,
    begin: float,
    end: float | None,
    limits: ArchiveLimits,
    cpu_s: float,
    clock: Clock,
) -> dict[str, Any]:
    """{v, network: {width, height, path, complete}, departures: {bin_s, begin, counts, complete} or null,
    files: {path: fingerprint} or null}. `inputs`, `begin` and `end` are those of the inspection. Raises
    InvalidScenario.
    """
    started = clock()

    def used_up(share: float) -> Callable[[], bool]:
        return lambda: clock() - started > cpu_s * share

    with open_archive(source, limits) as archive:
        net, demand = _Net(), _Demand(begin, end, used_up(DEMAND_SHARE))
        complete = _read(archive, inputs, {"net"}, net.start, used_up(NET_SHARE))
        network = net.drawn() | {"complete": complete and len(net.edges) < MAX_EDGES}
        kinds = {"routes", "additional"}
        complete = _read(archive, inputs, kinds, demand.start, used_up(DEMAND_SHARE))
        departures = demand.binned()
        return {
            "v": VERSION,
            "network": network,
            "departures": departures and departures | {"complete": complete},
            "files": _fingerprints(archive),
        }


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, list[str]]:
    """Paths that were added, changed and removed between two `files`, those without a change left out."""
    return {
        kind: paths
        for kind, paths in (
            ("added", sorted(new.keys() - old.keys())),
            ("changed", sorted(path for path in new.keys() & old.keys() if new[path] != old[path])),
            ("removed", sorted(old.keys() - new.keys())),
        )
        if paths
    }


def _read(
    archive: Archive,
    inputs: Sequence[Mapping[str, Any]],
    kinds: set[str],
    start: xmlscan.StartHandler,
    is_late: Callable[[], bool],
) -> bool:
    """Whether all of these inputs were read whole."""
    whole = True

    def chunks(path: str) -> Iterator[bytes]:
        for chunk in xmlscan.gunzipped(archive.chunks(path)):
            if is_late():
                raise _Enough
            yield chunk

    for path in (each["path"] for each in inputs if each["kind"] in kinds and each["path"] in archive.files):
        try:
            whole = xmlscan.scan(chunks(path), start, limit=MAX_BYTES) and whole
        except (_Enough, xmlscan.XmlError, InvalidScenario):
            whole = False
    return whole


class _Net:
    """Each edge along its first lane."""

    def __init__(self) -> None:
        self.edges: list[Points] = []
        self._waits = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "edge":
            self._waits = "function" not in attributes
        elif name == "lane" and self._waits:
            self._waits = False
            with suppress(ValueError):
                self.edges.append(_thinned(attributes.get("shape", "")))
            if len(self.edges) >= MAX_EDGES:
                raise _Enough

    def drawn(self) -> dict[str, Any]:
        edges = [edge for edge in self.edges if len(edge) > 1]
        xs = [x for edge in edges for x, _ in edge] or [0.0]
        ys = [y for edge in edges for _, y in edge] or [0.0]
        left, top = min(xs), max(ys)
        scale = GRID / max(max(xs) - left, top - min(ys), LEAST_SIDE)
        lines: dict[tuple[tuple[int, int], ...], float] = {}
        for edge in edges:
            line = tuple(dict.fromkeys((round((x - left) * scale), round((top - y) * scale)) for x, y in edge))
            if len(line) > 1:
                lines[min(line, line[::-1])] = math.dist(line[0], line[-1])
        longest = sorted(lines, key=lambda line: -lines[line])[:MAX_LINES]
        return {
            "width": round((max(xs) - left) * scale),
            "height": round((top - min(ys)) * scale),
            "path": "".join(f"M{'L'.join(f'{x} {y}' for x, y in line)}" for line in longest),
        }


def _thinned(shape: str) -> Points:
    """First, last and what lies evenly between. Raises ValueError for what is no line of numbers."""
    texts = shape.split()
    if len(texts) > MAX_POINTS:
        texts = [texts[round(place * (len(texts) - 1) / (MAX_POINTS - 1))] for place in range(MAX_POINTS)]
    points = []
    for text in texts:
        x, y = (float(part) for part in text.split(",")[:2])
        if not (abs(x) <= MAX_PLACE and abs(y) <= MAX_PLACE):
            raise ValueError(text)
        points.append((x, y))
    return tuple(points)


class _Demand:
    """Vehicles by the minute in which they depart; flows are spread evenly over their time.

    As in SUMO, a flow that says neither its end nor how many at which rate lasts until the run's end, or for a day.
    """

    def __init__(self, begin: float, end: float | None, is_late: Callable[[], bool]) -> None:
        self._begin, self._end = begin, end
        self.minutes: dict[int, float] = {}
        self._is_late = is_late

    def start(self, name: str, attributes: dict[str, str]) -> None:
        with suppress(ValueError, KeyError):
            if name in ("vehicle", "trip"):
                self._add(_time(attributes["depart"]), 1.0)
            elif name == "flow":
                self._spread(attributes)

    def _spread(self, attributes: Mapping[str, str]) -> None:
        begin = _time(attributes["begin"]) if "begin" in attributes else self._begin
        if "end" in attributes:
            end = _time(attributes["end"])
        elif "number" in attributes and (rate := _rate(attributes)) is not None:
            end = begin + float(attributes["number"]) / rate
        else:
            end = begin + DAY_S if self._end is None else self._end
        count = _count(attributes, end - begin)
        first, last = int(begin // 60), int(max(begin, end - 1) // 60)
        if last - first > 7 * 24 * 60:  # such a flow says nothing of an hour
            raise ValueError("an endless flow")
        if self._is_late():  # a few bytes of a flow may be a week of minutes
            raise _Enough
        for minute in range(first, last + 1):
            inside = min(end, 60 * minute + 60) - max(begin, 60 * minute)
            self._add(60.0 * minute, count * inside / (end - begin) if end > begin else count)

    def _add(self, at: float, count: float) -> None:
        minute = int(at // 60)
        if minute in self.minutes or len(self.minutes) < MAX_MINUTES:
            self.minutes[minute] = self.minutes.get(minute, 0.0) + count

    def binned(self) -> dict[str, Any] | None:
        if not self.minutes:
            return None
        first, last = min(self.minutes) * 60, (max(self.minutes) + 1) * 60
        width = next((step for step in BIN_STEPS_S if (last - first) / step <= BINS), BIN_STEPS_S[-1])
        begin = first // width * width
        counts = [0.0] * min(BINS + 1, -(-(last - begin) // width))
        for minute, count in self.minutes.items():
            place = (minute * 60 - begin) // width
            if place < len(counts):
                counts[place] += count
        return {"bin_s": width, "begin": begin, "counts": [round(count, 1) for count in counts]}


def _time(text: str) -> float:
    time = sumocfg.parse_time(text)
    if time < 0:
        raise ValueError(text)
    return time


def _count(attributes: Mapping[str, str], seconds: float) -> float:
    """How many a flow sends. Raises ValueError for one that does not say."""
    if "number" in attributes:
        count = float(attributes["number"])
    elif (rate := _rate(attributes)) is not None:
        count = rate * seconds
    else:
        raise ValueError("neither a number nor a rate")
    if not 0 <= count <= MAX_COUNT:
        raise ValueError("no number of vehicles")
    return count


def _rate(attributes: Mapping[str, str]) -> float | None:
    """Vehicles per second; None where the flow gives no rate. Raises ValueError for one that is not above 0."""
    if "vehsPerHour" in attributes or "perHour" in attributes:
        rate = float(attributes.get("vehsPerHour") or attributes["perHour"]) / 3600
    elif "probability" in attributes:
        rate = float(attributes["probability"])
    elif "period" in attributes:
        return _per_second(attributes["period"])
    else:
        return None
    if not 0 < rate < math.inf:
        raise ValueError("no rate")
    return rate


def _per_second(text: str) -> float:
    """Vehicles, by a period in seconds or as the rate of `exp(rate)`. Raises ValueError for what is not above 0."""
    rate = text.removeprefix("exp(")
    value = float(rate.rstrip(")")) if rate != text else sumocfg.parse_time(text)
    if not value > 0:
        raise ValueError(text)
    return value if rate != text else 1 / value


def _fingerprints(archive: Archive) -> dict[str, str] | None:
    """Size and checksum as the archive's directory has them: equal ones are the same file."""
    if len(archive.members) > MAX_FILES:
        return None
    return {path: f"{member.file_size}-{member.CRC:08x}" for path, member in archive.members.items()}
