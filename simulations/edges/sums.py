"""Running sums per edge: over a cell's runs, and over its pairs with another cell. Pure.

A pair is one seed in both cells. Its differences are kept as number, mean and sum of squared deviations (Welford 1962),
over the whole time: so the test needs no run again.
"""

from __future__ import annotations

import math
import zlib
from array import array
from collections.abc import Callable, Sequence
from operator import add
from typing import Any

from simulations.edges.metrics import Traffic, Values
from simulations.studies.statistics.multiplicity import benjamini_hochberg
from simulations.studies.statistics.student import quantile, two_sided
from simulations.sumo.protocol.edge_file import CO2, DISTANCE, ENTERED, SAMPLED, TIME_LOSS, WAITING, EdgeFile

MAX_VALUES = 2_000_000  # edges times intervals times columns of a cell; beyond, only the whole time is kept
LEVEL = 1
RATE = 0.05  # of false discoveries among the edges called different
FEWEST_PAIRS = 2
# What is tested; a metric is tested by its column, and a speed by itself.
TESTED = (DISTANCE, SAMPLED, TIME_LOSS, WAITING, ENTERED, CO2)
PARTS = 3  # number, mean, squared deviations


def packed(values: array[float]) -> bytes:
    return zlib.compress(values.tobytes(), LEVEL)


def unpacked(content: bytes | memoryview) -> array[float]:
    values = array("f")
    values.frombytes(zlib.decompress(content))
    return values


def bounded(data: EdgeFile) -> EdgeFile:
    """With one interval only where a cell could not keep all."""
    if data.edges * len(data.intervals) * len(data.columns) <= MAX_VALUES or not data.intervals:
        return data
    values = array("f", [value for name in data.columns for value in data.column(name)])
    whole = [(data.intervals[0][0], data.intervals[-1][1])]
    return EdgeFile(data.edge_order, whole, data.columns, data.lengths, data.limits, values.tobytes())


def added(sums: array[float], data: EdgeFile) -> array[float]:
    """Both; a run that lasted longer than those before has more intervals."""
    run = array("f")
    run.frombytes(data.data)
    short, long = sorted((sums, run), key=len)
    both = array("f", map(add, short, long))
    both.extend(long[len(short) :])
    return both


def column_of(sums: array[float], edges: int, columns: Sequence[str], name: str, interval: int | None) -> array[float]:
    """One sum of every edge, in an interval or over all."""
    step = edges * len(columns)
    place = edges * columns.index(name)
    if interval is not None:
        return sums[step * interval + place : step * interval + place + edges]
    total = array("f", bytes(4 * edges))
    for start in range(place, len(sums), step):
        total = array("f", map(add, total, sums[start : start + edges]))
    return total


def figures(traffic: Traffic, column: str) -> Values:
    """What is compared for a column: the sum itself, or the mean speed for the distance."""
    if column != DISTANCE:
        return list(traffic.column(column))
    pairs = zip(traffic.column(DISTANCE), traffic.column(SAMPLED), strict=True)
    return [distance / time if time > 0 else None for distance, time in pairs]


def with_pair(
    kept: array[float], run: Traffic, base: Traffic, places: Sequence[int], columns: Sequence[str]
) -> array[float]:
    """`kept` with the differences of one more pair; `places` has each edge's place in the base's network, or -1."""
    edges = len(places)
    if not kept:
        kept = array("f", bytes(4 * edges * PARTS * len(columns)))
    for number, column in enumerate(columns):
        ours, theirs = figures(run, column), figures(base, column)
        at = number * PARTS * edges
        for edge, place in enumerate(places):
            one, other = ours[edge], theirs[place] if place >= 0 else None
            if one is None or other is None:
                continue
            n = kept[at + edge] + 1
            mean = kept[at + edges + edge]
            off = one - other - mean
            mean += off / n
            kept[at + edge], kept[at + edges + edge] = n, mean
            kept[at + 2 * edges + edge] += off * (one - other - mean)
    return kept


def significant(kept: array[float], edges: int, columns: Sequence[str], column: str) -> list[bool]:
    """Which edges differ: a paired t test each, Benjamini-Hochberg over all. One that never varies has no p value."""
    at = columns.index(column) * PARTS * edges
    critical: Callable[[float], float] = _critical()
    p_values: list[float | None] = []
    for edge in range(edges):
        n, mean, squares = (kept[at + part * edges + edge] for part in range(PARTS))
        if n < FEWEST_PAIRS or squares <= 0:
            p_values.append(None if mean or n < FEWEST_PAIRS else 1.0)
            continue
        t = abs(mean) / math.sqrt(squares / (n - 1) / n)
        # What is not even significant by itself cannot be a discovery, and needs no exact value.
        p_values.append(two_sided(t, n - 1) if t >= critical(n) else 1.0)
    return benjamini_hochberg(p_values, RATE)


def _critical() -> Callable[[float], float]:
    known: dict[float, float] = {}

    def critical(n: float) -> float:
        if n not in known:
            known[n] = quantile(1 - RATE / 2, n - 1)
        return known[n]

    return critical


def joined(intervals: Sequence[Any], seconds: Sequence[float], data: EdgeFile) -> tuple[list[Any], list[float]] | None:
    """Intervals and their seconds over all runs with one run more; None if that run's are others."""
    if any(one[0] != other[0] for one, other in zip(intervals, data.intervals, strict=False)):
        return None
    short, long = sorted((intervals, data.intervals), key=len)
    if short and len(short) < len(long) and short[-1][1] > long[len(short) - 1][1]:
        return None  # one has a whole where the other has parts
    longest = len(long)
    ends: list[Any] = []
    times: list[float] = []
    for number in range(longest):
        known = [list(source[number]) for source in (intervals, data.intervals) if number < len(source)]
        ends.append([known[0][0], max(end for _, end in known)])
        before = seconds[number] if number < len(seconds) else 0.0
        times.append(before + (data.duration(number) if number < len(data.intervals) else 0.0))
    return ends, times
