"""A run's numbers for charts, thinned on the server: a chart never gets more points than it has pixels."""

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from simulations import files
from simulations.models import Artifact

POINTS = 360
MAX_PACKED_BYTES = 32 * 1024**2
MAX_SUMMARY_BYTES = 64 * 1024**2  # unpacked; a week in steps of a second is about half of it
MAX_LINE = 10_000  # characters
MAX_HISTOGRAM_BYTES = 1024**2
MOST = 10**12  # as in a progress record: far beyond any simulation
SUMMARY_COLUMNS = ("time", "running", "halting", "mean_speed")
MARKS = {"mean_travel_time_s": "mean", "p95_travel_time_s": "95 % took less"}
KMH = 3.6  # of a metre per second: pages speak of kilometres per hour
HOLE = 2.5  # steps without a sample; up to there it is the rhythm of the file
Row = list[float | None]


def simulated(artifact: Artifact) -> dict[str, Any]:
    """summary.csv.gz as columns over simulated time in seconds, at most twice `POINTS` samples.

    Speeds are in km/h. What was not measured is null: a hole among the samples, and the speed while nobody drives.
    A file that is broken or huge gives what could be read of it. Raises ApiError 503 storage.unavailable.
    """
    rows: list[Row] = []
    stride = 1
    try:
        packed = files.read(str(artifact.file), at_most=MAX_PACKED_BYTES)
        with gzip.open(io.BytesIO(packed)) as plain:
            lines = _lines(plain)
            header = _fields(next(lines, ""))
            places = [header.index(name) for name in SUMMARY_COLUMNS]
            for number, line in enumerate(lines):
                if number % stride:  # most of a long run's: to understand them all would take seven times as long
                    continue
                rows.append(_row(_fields(line), places))
                if len(rows) == 2 * POINTS:
                    rows, stride = rows[::2], stride * 2
    except (OSError, EOFError, zlib.error, csv.Error, ValueError, IndexError):
        if not rows:
            return {"x": [], "running": [], "halting": [], "mean_speed": []}
    columns: Sequence[Sequence[float | None]] = list(zip(*_with_holes(rows), strict=True)) or [[], [], [], []]
    return dict(zip(("x", *SUMMARY_COLUMNS[1:]), columns, strict=True))


def _with_holes(rows: list[Row]) -> list[Row]:
    """An empty row inside each hole, so that no line bridges it."""
    times = [row[0] or 0.0 for row in rows]
    steps = sorted(later - earlier for earlier, later in pairwise(times))
    usual = steps[len(steps) // 2] if steps else 0.0
    found: list[Row] = []
    for time, row in zip(times, rows, strict=True):
        if found and usual > 0 and time - (before := found[-1][0] or 0.0) > HOLE * usual:
            found.append([before + usual, None, None, None])
        found.append(row)
    return found


def _fields(line: str) -> list[str]:
    return next(csv.reader([line]))


def _row(fields: Sequence[str], places: Sequence[int]) -> Row:
    time, running, halting, speed = (_figure(fields[place]) for place in places)
    return [time or 0.0, running, halting, speed * KMH if running and speed is not None else None]


def _lines(plain: gzip.GzipFile) -> Iterator[str]:
    """Neither a line nor the whole grows without end, whatever the file unpacks to."""
    text = io.TextIOWrapper(plain, encoding="utf-8", errors="replace")
    left = MAX_SUMMARY_BYTES
    while left > 0 and (line := text.readline(MAX_LINE)):
        left -= len(line)
        yield line


def _figure(text: str) -> float | None:
    """None also for what no simulation measures: JSON knows no NaN and no infinity, and axes end somewhere."""
    value = float(text) if text else math.nan
    return value if abs(value) <= MOST else None


def travel_chart(artifact: Artifact) -> dict[str, Any]:
    """`travel_times` with the mean and the 95th percentile that the run reported, to read its bars against."""
    results: Mapping[str, Any] = artifact.job.results or {}
    kpis = results.get("kpis") or {}
    marks = [
        {"chart": "travel", "axis": "x", "at": at, "label": label}
        for name, label in MARKS.items()
        if isinstance(at := kpis.get(name), int | float)
    ]
    return {**travel_times(artifact), "marks": marks}


def travel_times(artifact: Artifact) -> dict[str, Any]:
    """travel_times.json as bars: each bin's beginning in seconds and its trips. Raises ApiError 503."""
    if artifact.size_bytes > MAX_HISTOGRAM_BYTES:
        return {"x": [], "trips": []}
    try:
        histogram = json.loads(files.read(str(artifact.file), at_most=MAX_HISTOGRAM_BYTES))
        width, counts = float(histogram["bin_s"]), [int(count) for count in histogram["counts"]]
        if not all(0 <= value <= MOST for value in (width, *counts)):
            raise ValueError("no histogram")
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return {"x": [], "trips": []}
    return {"x": [width * n for n in range(len(counts))], "trips": counts, "bin_s": width}
