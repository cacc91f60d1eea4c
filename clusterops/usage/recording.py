"""Jobs' moves and the evidence of what ran, in one transaction."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.fields.json import KT
from django.utils import timezone

from clusterops.contract import Run
from clusterops.usage.models import PodRun
from clusterops.usage.rules import is_billable
from simulations.models import Job, Move

DISRUPTIONS = {Job.Reason.PREEMPTED, Job.Reason.NODE_LOST}


@transaction.atomic
def move_all(moves: Sequence[Move], runs: Mapping[UUID, Run | None]) -> set[UUID]:
    """`moves.make_all`; what the jobs' runs tell of their containers is written with them, all or nothing. The keys of
    the jobs that no other writer was before.

    `runs`: of each job's present attempt before its move, None if the cluster has nothing of it.
    """
    books = _books([move.job for move in moves])
    ours = [move for move in moves if move.job.pk in books]
    for move in ours:
        books[move.job.pk].enter(move, runs[move.job.pk])
    changed = [row for book in books.values() for row in book.changed.values()]
    if changed:
        PodRun.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["job_id", "attempt", "pod_name"],
            update_fields=["ended_at", "ending", "end_is_estimate", "billable"],
        )
    # Last, so that the jobs' attributes are changed only if all is written.
    return Job.objects.move_all(ours)


def note_end(job: Job, run: Run | None) -> None:
    """Keep the time of a container's end that no move tells of: its pod may be gone when the attempt's end is known."""
    if run is not None and run.finished_at is not None:
        rows = PodRun.objects.open().filter(job_id=job.pk, attempt=job.attempt, pod_name=run.pod_name)
        rows.filter(started_at__lte=run.finished_at).update(ended_at=_second(run.finished_at))


def _books(jobs: Iterable[Job]) -> dict[UUID, "_Book"]:
    """Of those whose rows are as `jobs` say, which stay so until the transaction ends."""
    by_pk = {job.pk: job for job in jobs}
    rows = Job.objects.filter(pk__in=by_pk).order_by("pk").select_for_update(no_key=True)
    books = {
        pk: _Book(by_pk[pk], str(scenario_id or "")[:64], labels)
        for pk, status, attempt, labels, scenario_id in rows.values_list(
            "pk", "status", "attempt", "labels", KT("scenario_data__scenario_id")
        )
        if (status, attempt) == (by_pk[pk].status, by_pk[pk].attempt)
    }
    for row in PodRun.objects.filter(job_id__in=list(books)):
        if row.attempt == by_pk[row.job_id].attempt:
            books[row.job_id].rows[row.pod_name] = row
    return books


@dataclass
class _Book:
    """What is known of the containers of a job's present attempt."""

    job: Job
    scenario_id: str
    labels: Mapping[str, Any]
    rows: dict[str, PodRun] = field(default_factory=dict)  # by pod
    changed: dict[str, PodRun] = field(default_factory=dict)

    def enter(self, move: Move, run: Run | None) -> None:
        job, columns = self.job, move.columns
        ends = move.status in Job.TERMINAL or columns.get("attempt", job.attempt) != job.attempt
        last_seen = job.observed_at if ends and (run is None or run.finished_at is None) else None
        if run is not None and run.pod_name:
            self._see(run)
            if columns.get("disruptions", job.disruptions):
                self._close_replaced(run, last_seen)
        if ends:
            for row in self._open():
                self._close(row, move.reason, row.ended_at or _end_by_report(row, columns.get("results")), last_seen)

    def _open(self) -> list[PodRun]:
        return [row for row in self.rows.values() if not row.ending]

    def _see(self, run: Run) -> None:
        """A row for a container that has started, if it has none; with its end, if that was seen."""
        if run.started_at is None:
            return
        row = self.rows.get(run.pod_name)
        if row is None:
            row = self.rows[run.pod_name] = self.changed[run.pod_name] = self._new(run)
        if run.finished_at is not None and not row.ending:
            ended_at = _second(max(run.started_at, run.finished_at))
            if row.started_at <= ended_at:
                row.ended_at = ended_at
                self.changed[run.pod_name] = row

    def _new(self, run: Run) -> PodRun:
        job = self.job
        assert run.started_at
        return PodRun(
            job_id=job.pk,
            attempt=job.attempt,
            pod_name=run.pod_name,
            node_name=run.node_name,
            tenant_id=job.tenant_id,
            tenant_name=job.tenant_id,
            scenario_id=self.scenario_id,
            labels=self.labels,
            cpu=job.cpu_request,
            memory_gi=job.memory_gi,
            started_at=_second(run.started_at),
        )

    def _close_replaced(self, run: Run, last_seen: datetime | None) -> None:
        """Rows of pods that the cluster took away and replaced within the attempt."""
        ending = self.job.reason if self.job.reason in DISRUPTIONS else Job.Reason.PREEMPTED
        for row in self._open():
            if row.pod_name != run.pod_name:
                self._close(row, ending, row.ended_at, last_seen)

    def _close(self, row: PodRun, ending: str, ended_at: datetime | None, last_seen: datetime | None) -> None:
        row.end_is_estimate = ended_at is None
        row.ended_at = max(row.started_at, _second(ended_at or last_seen or row.started_at))
        row.ending = ending
        row.billable = is_billable(ending, end_is_estimate=row.end_is_estimate)
        self.changed[row.pod_name] = row


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
