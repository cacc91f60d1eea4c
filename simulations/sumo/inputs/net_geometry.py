"""A network as lines to draw: edges in the order of its file, in whole decimetres, simplified to a metre.

An edge is drawn along its middle lane, so that the two directions of a street lie beside each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..protocol.edge_file import MAX_EDGES, order_of
from .xmlfiles import scan_file

VERSION = 1
MAX_POINTS = 2_000_000
MAX_LINE = 5000  # points of one edge: `simplified` takes up to the square of it, and no deadline is looked at meanwhile
TOLERANCE = 10  # decimetres that a simplified line may be off
NOT_DRAWN = frozenset({"internal", "crossing", "walkingarea"})
DEFAULT_SPEED = 13.89  # m/s, SUMO's own

Line = list[tuple[int, int]]


class _Enough(Exception):
    """The connections follow, most of a network's bytes: SUMO writes them after all edges and junctions, and needs it
    so."""


class TooLarge(Exception):
    """More edges or points than a map takes."""


@dataclass
class NetGeometry:
    """`lines`, `lanes`, `limits` (m/s) and `lengths` (m) go with `ids`; `signals` are places of traffic lights."""

    ids: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    lanes: list[int] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    signals: Line = field(default_factory=list)

    def as_json(self) -> bytes:
        """See docs/edges.md. Points are differences to the point before, over all edges: small numbers pack well."""
        xs = [x for line in self.lines for x, _ in line] or [0]
        ys = [y for line in self.lines for _, y in line] or [0]
        left, low = min(xs), min(ys)
        document = {
            "v": VERSION,
            "edge_order": order_of(self.ids),
            "unit_m": 0.1,
            "origin": [left, low],
            "size": [max(xs) - left, max(ys) - low],
            "ids": self.ids,
            "lanes": self.lanes,
            "limit_ms": self.limits,
            "length_m": self.lengths,
            "points": [len(line) for line in self.lines],
            "shape": _differences((point for line in self.lines for point in line), (left, low)),
            "signals": _differences(self.signals, (left, low)),
        }
        return json.dumps(document, separators=(",", ":")).encode()


def read_networks(paths: Iterable[Path], *, deadline: float) -> NetGeometry:
    """Of network files, plain or gzip, streamed. Raises XmlError, OSError, TooSlow, TooLarge."""
    reader = _Reader()
    for path in paths:
        with suppress(_Enough):
            scan_file(path, reader.start, deadline=deadline)
        reader.close_edge()
    return reader.found


def _differences(points: Iterable[tuple[int, int]], start: tuple[int, int]) -> list[int]:
    x, y = start
    flat: list[int] = []
    for to_x, to_y in points:
        flat += (to_x - x, to_y - y)
        x, y = to_x, to_y
    return flat


class _Reader:
    """Takes the elements of a network in the order of the file."""

    def __init__(self) -> None:
        self.found = NetGeometry()
        self._points = 0
        self._id: str | None = None
        self._lanes: list[dict[str, str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "lane":
            if self._id is not None:
                self._lanes.append(attributes)
        elif name == "edge":
            self.close_edge()
            self._id = None if attributes.get("function") in NOT_DRAWN else attributes.get("id")
        elif name == "junction" and attributes.get("type", "").startswith("traffic_light"):
            self.found.signals.append(_point(f"{attributes.get('x', 0)},{attributes.get('y', 0)}"))
        elif name == "connection":
            raise _Enough

    def close_edge(self) -> None:
        edge, lanes = self._id, self._lanes
        self._id, self._lanes = None, []
        if edge is None or not lanes:
            return
        middle = _middle(lanes)
        if len(middle) > MAX_LINE:
            raise TooLarge(f"an edge of the network has more than {MAX_LINE} points")
        line = simplified(middle, TOLERANCE)
        self._points += len(line)
        if len(self.found.ids) >= MAX_EDGES or self._points > MAX_POINTS:
            raise TooLarge(f"the network has more than {MAX_EDGES} edges or {MAX_POINTS} points")
        self.found.ids.append(edge)
        self.found.lines.append(line)
        self.found.lanes.append(len(lanes))
        self.found.limits.append(round(max(_number(lane.get("speed"), DEFAULT_SPEED) for lane in lanes), 2))
        self.found.lengths.append(round(_number(lanes[0].get("length"), 0.0), 2))


def _middle(lanes: Sequence[dict[str, Any]]) -> Line:
    """The middle lane's line; between two of them where their number is even."""
    upper = _line(lanes[len(lanes) // 2])
    lower = _line(lanes[(len(lanes) - 1) // 2])
    if len(upper) != len(lower):
        return upper
    return [((x + a) // 2, (y + b) // 2) for (x, y), (a, b) in zip(upper, lower)]


def _line(lane: dict[str, Any]) -> Line:
    return [_point(text) for text in lane.get("shape", "").split()] or [(0, 0)]


def _point(text: str) -> tuple[int, int]:
    x, y = text.split(",")[:2]  # a third would be the height
    return round(float(x) * 10), round(float(y) * 10)


def _number(text: str | None, default: float) -> float:
    return default if text is None else float(text)


def simplified(line: Line, tolerance: float) -> Line:
    """Without the points that lie within `tolerance` of the line of the others (Ramer 1972, Douglas & Peucker 1973)."""
    if len(line) <= 2:
        return line
    kept = {0, len(line) - 1}
    waiting = [(0, len(line) - 1)]
    while waiting:
        first, last = waiting.pop()
        farthest, off = 0, tolerance
        for place in range(first + 1, last):
            distance = _distance(line[place], line[first], line[last])
            if distance > off:
                farthest, off = place, distance
        if farthest:
            kept.add(farthest)
            waiting += [(first, farthest), (farthest, last)]
    return [line[place] for place in sorted(kept)]


def _distance(point: tuple[int, int], a: tuple[int, int], b: tuple[int, int]) -> float:
    """From a point to the segment from a to b."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    px, py = point[0] - a[0], point[1] - a[1]
    square = dx * dx + dy * dy
    along = max(0.0, min(1.0, (px * dx + py * dy) / square)) if square else 0.0
    return float(((px - along * dx) ** 2 + (py - along * dy) ** 2) ** 0.5)
