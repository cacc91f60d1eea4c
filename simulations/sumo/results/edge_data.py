"""SUMO's edge data by interval, streamed into columns in the network's order."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path

from simulations.sumo.inputs.net_geometry import NetGeometry
from simulations.sumo.inputs.xmlfiles import scan_file
from simulations.sumo.protocol.edge_file import (
    CO2,
    COLUMNS,
    DISTANCE,
    ENTERED,
    LEFT,
    SAMPLED,
    TIME_LOSS,
    WAITING,
    EdgeFile,
    most_intervals,
    order_of,
)

TRAFFIC, EMISSIONS = "edges_traffic.xml", "edges_emissions.xml"
MG_PER_G = 1000.0
_ASKED = {
    TRAFFIC: 'writeAttributes="sampledSeconds speed timeLoss waitingTime entered departed left arrived"',
    EMISSIONS: 'type="emissions" writeAttributes="CO2_abs"',
}


def additional_file(period_s: float, *, emissions: bool) -> str:
    """What asks SUMO for it: an additional file of our own beside the scenario's."""
    wanted = [TRAFFIC, EMISSIONS] if emissions else [TRAFFIC]
    lines = [
        f'  <edgeData id="sumok8.{file}" file="{file}" period="{period_s:.10g}" {_ASKED[file]} excludeEmpty="true"/>\n'
        for file in wanted
    ]
    return "".join(["<additional>\n", *lines, "</additional>\n"])


def period_for(interval_s: float, duration_s: float | None, edges: int) -> float:
    """The interval asked for, or as many times it as needed to stay within the file's bounds."""
    if duration_s is None:
        return interval_s
    return interval_s * max(1, math.ceil(math.ceil(duration_s / interval_s) / most_intervals(edges)))


def read_edge_data(folder: Path, net: NetGeometry, *, deadline: float) -> EdgeFile:
    """From the files in `folder`. Raises XmlError, OSError, TooSlow, ValueError (not SUMO's)."""
    columns = COLUMNS if (folder / EMISSIONS).exists() else COLUMNS[:-1]
    reader = _Reader(net.ids, columns)
    scan_file(folder / TRAFFIC, reader.start, deadline=deadline)
    if CO2 in columns:
        reader.again()
        scan_file(folder / EMISSIONS, reader.start, deadline=deadline)
    return EdgeFile(
        order_of(net.ids),
        reader.intervals,
        columns,
        array("f", net.lengths),
        array("f", net.limits),
        b"".join(map(_little, reader.values)),
    )


class _Reader:
    """Adds up; once there are more intervals than a file takes, two neighbours become one."""

    def __init__(self, ids: Sequence[str], columns: Sequence[str]) -> None:
        self._place = {name: place for place, name in enumerate(ids)}
        self._start = {name: len(ids) * number for number, name in enumerate(columns)}
        self._width = len(ids) * len(columns)
        self._most = most_intervals(len(ids))
        self._joined = 1
        self._seen = 0
        self.intervals: list[tuple[float, float]] = []
        self.values: list[array[float]] = []
        self._now: array[float] | None = None

    def again(self) -> None:
        """The next file has the same intervals."""
        self._seen = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "edge":
            self._edge(attributes)
        elif name == "interval":
            begin, end = float(attributes["begin"]), float(attributes["end"])
            self._now = self._column_of(begin, end) if end > begin else None  # the last may be empty

    def _column_of(self, begin: float, end: float) -> array[float]:
        number = self._seen // self._joined
        if number == len(self.values) == self._most:
            self._halve()
            number = self._seen // self._joined
        self._seen += 1
        if number == len(self.values):
            self.values.append(array("f", bytes(4 * self._width)))
            self.intervals.append((begin, end))
        self.intervals[number] = (self.intervals[number][0], max(end, self.intervals[number][1]))
        return self.values[number]

    def _halve(self) -> None:
        if len(self.values) % 2:
            self.values.append(array("f", bytes(4 * self._width)))
            self.intervals.append(self.intervals[-1])
        pairs = zip(self.values[::2], self.values[1::2], strict=True)
        self.values = [array("f", map(float.__add__, one, other)) for one, other in pairs]
        ends = zip(self.intervals[::2], self.intervals[1::2], strict=True)
        self.intervals = [(one[0], other[1]) for one, other in ends]
        self._joined *= 2

    def _edge(self, given: dict[str, str]) -> None:
        place = self._place.get(given.get("id", ""))
        now, at = self._now, self._start
        if place is None or now is None:
            return
        if "CO2_abs" in given:
            now[at[CO2] + place] += float(given["CO2_abs"]) / MG_PER_G
            return
        sampled = float(given["sampledSeconds"])
        now[at[SAMPLED] + place] += sampled
        now[at[DISTANCE] + place] += sampled * float(given.get("speed", 0))
        now[at[TIME_LOSS] + place] += float(given.get("timeLoss", 0))
        now[at[WAITING] + place] += float(given.get("waitingTime", 0))
        now[at[ENTERED] + place] += float(given.get("entered", 0)) + float(given.get("departed", 0))
        now[at[LEFT] + place] += float(given.get("left", 0)) + float(given.get("arrived", 0))


def _little(values: array[float]) -> bytes:
    if sys.byteorder == "big":  # pragma: no cover - on machines that no test runs on
        values.byteswap()
    return values.tobytes()
