"""A run's numbers as tables, for readers without JavaScript."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulations import run_series
from simulations.models import Job
from simulations.templatetags.figures import simclock

SUMMARY, HISTOGRAM = "summary.csv.gz", "travel_times.json"
ROWS = 120  # over time
MAX_BARS = 1000


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    heads: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


def thinned(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """Every so many of them, `ROWS` at most."""
    return rows[:: max(1, -(-len(rows) // ROWS))]


def tables_of(job: Job) -> list[Table]:
    """Of the files that its present attempt has left. Raises ApiError 503 storage.unavailable."""
    stored = {row.name: row for row in job.artifacts.filter(attempt=job.attempt, name__in=[SUMMARY, HISTOGRAM])}
    tables = []
    if SUMMARY in stored:
        found = run_series.simulated(stored[SUMMARY])
        columns = (found["x"], found["running"], found["halting"], found["mean_speed"])
        rows = [(simclock(at), *rest) for at, *rest in zip(*columns, strict=True)]
        heads = ("Simulated time", "Running vehicles", "Halting vehicles", "Mean speed, km/h")
        tables.append(Table("Over simulated time", heads, thinned(rows)))
    if HISTOGRAM in stored:
        found = run_series.travel_times(stored[HISTOGRAM])
        bars = list(zip(found["x"], found["trips"], strict=True))
        tables.append(Table("Trips by travel time", ("Travel time from, s", "Trips"), bars[:MAX_BARS]))
    return tables
