"""A job's move and the evidence of what ran, in one transaction."""

import math
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from clusterops.contract import Run
from clusterops.usage.models import PodRun, PodRunQuerySet
from clusterops.usage.rules import is_billable
from simulations.models import Job

DISRUPTIONS = {Job.Reason.PREEMPTED, Job.Reason.NODE_LOST}


def move(job: Job, run: Run | None, status: str, *, reason: str, message: str, **columns: Any) -> bool:
    """`Job.move_to`; what `run` tells of its container is written with it. False if another writer was first.

    `run` is the job's present attempt before the move, None if the cluster has nothing of it.
    """
    ends = status in Job.TERMINAL or columns.get("attempt", job.attempt) != job.attempt
    last_seen = job.observed_at if ends and (run is None or run.finished_at is None) else None
    # The job moves last, so that its attributes are changed only if all is written.
    with transaction.atomic():
        _open(job, run)
        if columns.get("disruptions", job.disruptions):
            _close_replaced(job, run, last_seen)
        if ends:
            _close(job, reason, columns.get("results"), last_seen)
        moved = job.move_to(status, reason=reason, message=message, **columns)
        if not moved:
            transaction.set_rollback(True)
    return moved


def note_end(job: Job, run: Run | None) -> None:
    """Keep the time of a container's end that no move tells of: its pod may be gone when the attempt's end is known."""
    if run is not None and run.finished_at is not None:
        rows = _still_open(job).filter(pod_name=run.pod_name, started_at__lte=run.finished_at)
        rows.update(ended_at=_second(run.finished_at))


def _still_open(job: Job) -> PodRunQuerySet:
    """Rows of its present attempt."""
    return PodRun.objects.open().filter(job_id=job.pk, attempt=job.attempt)


def _open(job: Job, run: Run | None) -> None:
    """A row for a container that has started, if it has none; with its end, if that was seen."""
    if run is None or run.started_at is None or not run.pod_name:
        return
    key = {"job_id": job.pk, "attempt": job.attempt, "pod_name": run.pod_name}
    if not PodRun.objects.filter(**key).exists():
        asked = Job.objects.filter(pk=job.pk).values_list("scenario_data__scenario_id", "labels").get()
        PodRun.objects.create(
            **key,
            node_name=run.node_name,
            tenant_id=job.tenant_id,
            tenant_name=job.tenant_id,
            scenario_id=str(asked[0] or "")[:64],
            labels=asked[1],
            cpu=job.cpu_request,
            memory_gi=job.memory_gi,
            started_at=_second(run.started_at),
        )
    if run.finished_at is not None:
        ended_at = _second(max(run.started_at, run.finished_at))
        PodRun.objects.open().filter(**key, started_at__lte=ended_at).update(ended_at=ended_at)


def _close_replaced(job: Job, run: Run | None, last_seen: datetime | None) -> None:
    """Rows of pods that the cluster took away and replaced within the attempt."""
    if run is not None and run.pod_name:
        ending = job.reason if job.reason in DISRUPTIONS else Job.Reason.PREEMPTED
        for row in _still_open(job).exclude(pod_name=run.pod_name):
            _end(row, ending, row.ended_at, last_seen)


def _close(job: Job, reason: str, report: Any, last_seen: datetime | None) -> None:
    """The row of the attempt's last pod."""
    for row in _still_open(job):
        _end(row, reason, row.ended_at or _end_by_report(row, report), last_seen)


def _end(row: PodRun, ending: str, ended_at: datetime | None, last_seen: datetime | None) -> None:
    row.end_is_estimate = ended_at is None
    row.ended_at = max(row.started_at, _second(ended_at or last_seen or row.started_at))
    row.ending = ending
    row.billable = is_billable(ending, end_is_estimate=row.end_is_estimate)
    row.save(update_fields=["end_is_estimate", "ended_at", "ending", "billable"])


def _second(moment: datetime) -> datetime:
    """Kubernetes tells whole seconds; in these, sums of parts are the sum of the whole."""
    return moment.replace(microsecond=0)


def _end_by_report(row: PodRun, report: Any) -> datetime | None:
    """When the pod is gone and its report is stored: the report says how long SUMO ran, which is within the run."""
    wall_s = report.get("wall_s") if isinstance(report, dict) else None
    if isinstance(wall_s, bool) or not isinstance(wall_s, int | float) or not math.isfinite(wall_s) or wall_s < 0:
        return None
    possible_s = max(0.0, (timezone.now() - row.started_at).total_seconds())
    return row.started_at + timedelta(seconds=int(min(wall_s, possible_s)))
