"""Capture, then let go: log tails into the database, then the finished Job to Kubernetes' own clean-up."""

import json
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q

from clusterops import errors
from clusterops.contract import Phase, Run
from clusterops.gateway import Gateway
from clusterops.passing import Pass, log
from clusterops.unreachable import heed
from simulations.models import Artifact, Job, JobLog

TAIL_LINES = 500
RELEASED_PER_PASS = 500
LIVE_LOGS_PER_PASS = 500
LIVE_LOGS_AT_ONCE = 20  # in memory, a quarter of a MiB each
YOUNG_S = 2.0
LIVE_LOG_EVERY = timedelta(seconds=60)
UNHEARD_EVERY = timedelta(seconds=15)  # of runners that have not reported yet: can they?
PATIENCE = timedelta(seconds=120)  # a log that cannot be read for that long is given up
MAX_MANIFEST_BYTES = 16 * 1024**2


def save_tail(gateway: Gateway, job: Job, pod: str, *, is_final: bool) -> None:
    """Store the log's tail now or not at all: for runs that are about to go."""
    try:
        text = gateway.read_log(job.k8s_namespace, pod, tail=TAIL_LINES)
    except errors.GatewayError as error:
        log.info("job %s: its log could not be read before the end: %s", job.job_id, error)
        return
    if text:
        _store([JobLog(job=job, text=text, is_final=is_final)])


def _store(rows: list[JobLog]) -> None:
    JobLog.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["job"], update_fields=["text", "captured_at", "is_final"]
    )


def stored_report(job: Job) -> dict[str, Any] | None:
    """What the manifest among the job's results says, in the words of a report; None if there is no manifest.

    The manifest is uploaded last: it is there only if everything else is.
    """
    row = Artifact.objects.filter(job=job, attempt=job.attempt, name="manifest.json").first()
    if row is None or row.size_bytes > MAX_MANIFEST_BYTES:
        return None
    try:
        with row.file.open("rb") as file:
            manifest = json.load(file)
    except (OSError, ValueError) as error:
        log.warning("job %s: its manifest cannot be read: %s", job.job_id, error)
        return None
    if not isinstance(manifest, dict):
        return None
    run = manifest.get("run") or {}
    return {
        **{name: manifest.get(name) for name in ("outcome", "complete", "kpis", "errors")},
        **{name: run.get(name) for name in ("reason", "sim_begin", "sim_end", "wall_s", "cpu_s", "warnings_total")},
        "files": len(manifest.get("files") or ()),
        "uploaded": True,
    }


def release_finished(this: Pass) -> None:
    """Finished jobs whose Kubernetes Job is still held: store the log's end, then give it its short TTL."""
    held = (
        Job.objects.filter(finished_at__isnull=False, dispatched_at__isnull=False, released_at=None)
        .only("job_id", "k8s_job_name", "k8s_namespace", "pod_name", "finished_at", "reason")
        .annotate(has_final_log=F("log__is_final"))
        .order_by("finished_at")[:RELEASED_PER_PASS]
    )
    released, logs = [], []
    try:
        for job in held:
            with this.wall(f"release of job {job.job_id}"):
                run = this.current(job)
                if not job.has_final_log and job.pod_name:
                    text = _final_log(this, job)
                    if text is not None:
                        logs.append(JobLog(job=job, text=text, is_final=True))
                _let_go(this, run)
                released.append(job.pk)
    finally:
        _store([row for row in logs if row.text])
        Job.objects.filter(pk__in=released).update(released_at=this.now)
        this.counts.released += len(released)
        this.counts.logs += len(logs)


def _final_log(this: Pass, job: Job) -> str | None:
    """None: there is nothing to read any more. Raises ClusterUnreachable while waiting may still help."""
    try:
        return this.gateway.read_log(job.k8s_namespace, job.pod_name, tail=TAIL_LINES)
    except errors.ClusterUnreachable:
        if job.finished_at and this.now - job.finished_at > PATIENCE:
            return None
        raise
    except errors.Refused:
        return None


def _let_go(this: Pass, run: Run | None) -> None:
    if run is None or not run.job_exists or run.deleting:
        return
    if run.decided or run.phase in (Phase.SUCCEEDED, Phase.FAILED):
        this.gateway.release_run(run.namespace, run.name, ttl_s=settings.JOB_TTL_AFTER_CAPTURE_SECONDS)
    else:  # the job failed because it could not start: nothing would ever end this run
        this.counts.deleted += this.gateway.delete_run(run.namespace, run.name)


def capture_live_logs(this: Pass) -> None:
    """A vanished node costs at most the log since the last capture: some running jobs, the stalest first, and more of
    them while the pass is young."""
    if not this.memory.due("live logs", 5):
        return
    unheard = Q(progress_at=None) | Q(reason=Job.Reason.SERVICE_UNREACHABLE)
    stale = Q(log=None) | Q(log__captured_at__lt=this.now - LIVE_LOG_EVERY)
    stale |= unheard & Q(log__captured_at__lt=this.now - UNHEARD_EVERY)
    rows = (
        Job.objects.filter(stale, status=Job.Status.RUNNING, dispatched_at__isnull=False)
        .exclude(pod_name="")
        .only("job_id", "k8s_namespace", "pod_name", "status", "reason", "message", "attempt")
        .order_by(F("log__captured_at").asc(nulls_first=True))[:LIVE_LOGS_PER_PASS]
    )
    jobs = list(rows)
    for first in range(0, len(jobs), LIVE_LOGS_AT_ONCE):
        if first and time.monotonic() - this.begun > YOUNG_S:
            break
        _capture(this, jobs[first : first + LIVE_LOGS_AT_ONCE])


def _capture(this: Pass, jobs: Iterable[Job]) -> None:
    read, failed = [], []
    try:
        for job in jobs:
            failed.append(job)
            with this.wall(f"log of job {job.job_id}"):
                text = this.gateway.read_log(job.k8s_namespace, job.pod_name, tail=TAIL_LINES)
                read.append(JobLog(job=job, text=text))
                failed.pop()
    finally:
        _store(read)
        heed(read)
        # Their turn comes again after the others', and what was stored before stays.
        JobLog.objects.bulk_create([JobLog(job=job, text="") for job in failed], ignore_conflicts=True)
        JobLog.objects.filter(job__in=failed).update(captured_at=this.now)
        this.counts.logs += len(read)
