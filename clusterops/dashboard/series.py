"""Numbers for the charts, thinned on the server: a chart never gets more points than it has pixels."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, F, Func, Max
from django.db.models.fields import DateTimeField
from django.utils import timezone

from clusterops.dashboard.clusters import Chosen
from clusterops.models import ClusterSample
from simulations.models import Job
from simulations.run_series import POINTS

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class _Bin(Func):
    """PostgreSQL's date_bin: the beginning of the interval that a moment falls into."""

    function = "date_bin"
    output_field = DateTimeField()


def activity(hours: int, place: Chosen) -> dict[str, Any]:
    """The last `hours` as bins: jobs, CPU and nodes from the samples, and how jobs ended. Two queries."""
    width = timedelta(seconds=max(60, hours * 3600 // POINTS // 60 * 60))
    ends = timezone.now()
    begins = ends - timedelta(hours=hours)
    samples = list(
        ClusterSample.objects.filter(place.of("cluster"), at__gt=begins)
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
    ended, outcomes = _ended(begins, ends, hours, place)
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
