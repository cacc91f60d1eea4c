"""Numbers for the charts, thinned on the server: a chart never gets more points than it has pixels."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Avg, Count, F, Func, Max, Q
from django.db.models.fields import DateTimeField
from django.utils import timezone

from clusterops.dashboard.clusters import Chosen
from clusterops.models import ClusterSample
from simulations.models import Job
from simulations.run_series import POINTS

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
AWAY_AFTER = timedelta(minutes=3)  # a sample a minute is usual, one may come late
SEEN = Q(saw_cluster=True)
COLUMNS = ("running", "queued", "cpu_requested", "cpu_allocatable", "nodes")


class _Bin(Func):
    """PostgreSQL's date_bin: the beginning of the interval that a moment falls into."""

    function = "date_bin"
    output_field = DateTimeField()


def activity(hours: int, place: Chosen) -> dict[str, Any]:
    """The last `hours` as bins: jobs, CPU and nodes from the samples, and how jobs ended. Two queries.

    Where there are no samples there is a gap, and `away` says who was: [from, to, reconciler or cluster].
    """
    width = timedelta(seconds=max(60, hours * 3600 // POINTS // 60 * 60))
    ends = timezone.now()
    begins = ends - timedelta(hours=hours)
    samples = list(
        ClusterSample.objects.filter(place.of("cluster"), at__gt=begins)
        .order_by()
        .annotate(bin=_Bin(width, F("at"), EPOCH))
        .values("bin")
        .annotate(
            seen=BoolOr("saw_cluster"),
            running_=Max("running"),
            queued_=Max("queued"),
            requested=Avg("cpu_requested", filter=SEEN),
            allocatable=Avg("cpu_allocatable", filter=SEEN),
            nodes_=Max("nodes", filter=SEEN),
        )
        .order_by("bin")
    )
    away = list(_away(samples, width, ends))
    rows: list[tuple[Any, ...]] = [
        (row["bin"], row["running_"], row["queued_"], _rounded(row["requested"]), _rounded(row["allocatable"]),
         row["nodes_"])
        for row in samples
    ]  # fmt: skip
    # A row of nothing breaks the line where the gap begins.
    rows += [(begun + width, *[None] * len(COLUMNS)) for begun, _, who in away if who == "reconciler"]
    rows.sort(key=lambda row: row[0])
    ended, outcomes = _ended(begins, ends, hours, place)
    return {
        "x": [row[0].timestamp() for row in rows],
        **{name: [row[at] for row in rows] for at, name in enumerate(COLUMNS, 1)},
        "away": [[begun.timestamp(), end.timestamp(), who] for begun, end, who in away],
        "range": [begins.timestamp(), ends.timestamp()],
        "ended_x": ended,
        **outcomes,
    }


def _away(samples: Sequence[Any], width: timedelta, ends: datetime) -> Iterator[tuple[datetime, datetime, str]]:
    """In order. Before the first sample nothing is claimed."""
    blind: datetime | None = None
    for place, row in enumerate(samples, 1):
        if not row["seen"]:
            blind = blind or row["bin"]
        elif blind:
            yield blind, row["bin"], "cluster"
            blind = None
        until = samples[place]["bin"] if place < len(samples) else ends
        if until - row["bin"] > max(AWAY_AFTER, 2 * width):
            if blind:
                yield blind, row["bin"] + width, "cluster"
                blind = None
            yield row["bin"], until, "reconciler"
    if blind:
        yield blind, ends, "cluster"


def _ended(begins: datetime, ends: datetime, hours: int, place: Chosen) -> tuple[list[float], dict[str, list[int]]]:
    """About forty bars; a bin in which nothing ended is a bar of height zero."""
    width = timedelta(seconds=max(300, hours * 3600 // 40 // 300 * 300))
    rows = (
        Job.objects.filter(place.of("cluster"), finished_at__gt=begins)
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


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
