"""Numbers for the charts, thinned on the server: a chart never gets more points than it has pixels."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, F, Func, Max
from django.db.models.fields import DateTimeField
from django.utils import timezone

from clusterops.models import ClusterSample
from simulations.models import Artifact, Job

POINTS = 360
MAX_SUMMARY_BYTES = 64 * 1024**2  # unpacked; a week in steps of a second is about half of it
MAX_HISTOGRAM_BYTES = 1024**2
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
SUMMARY_COLUMNS = ("time", "running", "halting", "mean_speed")


class _Bin(Func):
    """PostgreSQL's date_bin: the beginning of the interval that a moment falls into."""

    function = "date_bin"
    output_field = DateTimeField()


def activity(hours: int) -> dict[str, Any]:
    """The last `hours` as bins: jobs, CPU and nodes from the samples, and how jobs ended. Two queries."""
    width = timedelta(seconds=max(60, hours * 3600 // POINTS // 60 * 60))
    ends = timezone.now()
    begins = ends - timedelta(hours=hours)
    samples = list(
        ClusterSample.objects.filter(at__gt=begins)
        .order_by()
        .annotate(bin=_Bin(width, F("at"), EPOCH))
        .values("bin")
        .annotate(
            running_=Max("running"),
            queued_=Max("queued"),
            requested=Avg("cpu_requested"),
            allocatable=Avg("cpu_allocatable"),
            nodes_=Max("nodes"),
        )
        .order_by("bin")
    )
    ended, outcomes = _ended(begins, ends, hours)
    return {
        "x": [row["bin"].timestamp() for row in samples],
        "running": [row["running_"] for row in samples],
        "queued": [row["queued_"] for row in samples],
        "cpu_requested": [_rounded(row["requested"]) for row in samples],
        "cpu_allocatable": [_rounded(row["allocatable"]) for row in samples],
        "nodes": [row["nodes_"] for row in samples],
        "range": [begins.timestamp(), ends.timestamp()],
        "ended_x": ended,
        **outcomes,
    }


def _ended(begins: datetime, ends: datetime, hours: int) -> tuple[list[float], dict[str, list[int]]]:
    """About forty bars; a bin in which nothing ended is a bar of height zero."""
    width = timedelta(seconds=max(300, hours * 3600 // 40 // 300 * 300))
    rows = (
        Job.objects.filter(finished_at__gt=begins)
        .order_by()
        .annotate(bin=_Bin(width, F("finished_at"), EPOCH))
        .values_list("bin", "status")
        .annotate(Count("pk"))
    )
    counts = {(moment, status): count for moment, status, count in rows}
    first = begins - (begins - EPOCH) % width
    bins = [first + width * n for n in range((ends - first) // width + 1)]
    outcomes = {
        status.lower(): [counts.get((moment, status), 0) for moment in bins] for status in map(str, Job.TERMINAL)
    }
    return [moment.timestamp() for moment in bins], outcomes


def simulated(artifact: Artifact) -> dict[str, Any]:
    """summary.csv.gz as columns over simulated time in seconds, at most twice `POINTS` rows.

    A file that is broken or huge gives what could be read of it.
    """
    rows: list[list[float]] = []
    stride = 1
    try:
        with artifact.file.open("rb") as packed, gzip.open(packed) as plain:
            for number, row in enumerate(_summary_rows(plain)):
                if number % stride == 0:
                    rows.append(row)
                if len(rows) == 2 * POINTS:
                    rows, stride = rows[::2], stride * 2
    except (OSError, EOFError, zlib.error, ValueError, KeyError):
        if not rows:
            return {"x": [], "running": [], "halting": [], "mean_speed": []}
    columns: Sequence[Sequence[float]] = list(zip(*rows, strict=True)) or [[], [], [], []]
    return dict(zip(("x", *SUMMARY_COLUMNS[1:]), columns, strict=True))


def _summary_rows(plain: gzip.GzipFile) -> Iterator[list[float]]:
    read = 0
    lines = io.TextIOWrapper(plain, encoding="utf-8", errors="replace")
    reader = csv.reader(lines)
    header = next(reader, [])
    places = [header.index(name) for name in SUMMARY_COLUMNS]
    for row in reader:
        read += sum(map(len, row))
        if read > MAX_SUMMARY_BYTES:
            return
        yield [float(row[place]) if row[place] else 0.0 for place in places]


def travel_times(artifact: Artifact) -> dict[str, Any]:
    """travel_times.json as bars: each bin's beginning in seconds and its trips."""
    if artifact.size_bytes > MAX_HISTOGRAM_BYTES:
        return {"x": [], "trips": []}
    try:
        with artifact.file.open("rb") as file:
            histogram = json.load(file)
        width, counts = float(histogram["bin_s"]), [int(count) for count in histogram["counts"]]
    except (OSError, ValueError, KeyError, TypeError):
        return {"x": [], "trips": []}
    return {"x": [width * n for n in range(len(counts))], "trips": counts, "bin_s": width}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
