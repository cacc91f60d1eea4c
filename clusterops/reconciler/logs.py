"""Capture, then let go: log tails into the database, then the finished Job to Kubernetes' own clean-up.

It comes after all that other jobs wait for, and in a time box of its own: a log lies on its node, and a node that has
died answers late or never. That says nothing of the cluster.
"""

import time
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q

from clusterops import errors
from clusterops.contract import Phase, Run
from clusterops.reconciler.pass_state import Pass, log
from clusterops.reconciler.recording import batches
from clusterops.reconciler.unreachable import heed
from simulations.models import Job, JobLog

TAIL_LINES = 500
RELEASED_PER_PASS = 500
LIVE_LOGS_PER_PASS = 500
AT_ONCE = 20  # logs in memory, a quarter of a MiB each
READING_S = 3.0  # all logs of a pass together; half of it for those that can wait
ONE_LOG_S = 2.0
LOG_RESTS_S = 30.0  # after a failure, before it is asked for again
NODE_RESTS_S = 5.0  # the same, for other logs on its node
LIVE_LOG_EVERY = timedelta(seconds=60)
UNHEARD_EVERY = timedelta(seconds=15)  # of runners that have not reported yet: can they?
PATIENCE = timedelta(seconds=120)  # a log that cannot be read for that long is given up


class LogReader:
    """Reads logs until the time box is used up. Never raises: what cannot be read now is left for later."""

    def __init__(self, this: Pass) -> None:
        self._gateway, self._silent = this.gateway, this.memory.silent
        self._begun = time.monotonic()
        for name in [name for name, until in self._silent.items() if until < self._begun]:
            del self._silent[name]

    def has_time(self, share: float = 1.0) -> bool:
        return time.monotonic() - self._begun < READING_S * share

    @property
    def silent(self) -> list[str]:
        """Names of nodes and pods that have just failed to hand out a log."""
        return list(self._silent)

    def tail(self, namespace: str, pod: str, node: str) -> str | None:
        """The log's end; empty if there is nothing to read any more; None if it cannot be read now."""
        if not self.has_time() or pod in self._silent or node in self._silent:
            return None
        try:
            return self._gateway.read_log(namespace, pod, tail=TAIL_LINES, timeout_s=ONE_LOG_S)
        except errors.Refused:
            return ""
        except errors.GatewayError as error:
            log.info("the log of %s/%s cannot be read: %s", namespace, pod, error)
            now = time.monotonic()
            self._silent[pod] = now + LOG_RESTS_S
            if node:
                self._silent[node] = now + NODE_RESTS_S
            return None


def capture(this: Pass) -> None:
    """The most urgent first: runs about to be deleted, ended runs whose node may go, running ones."""
    reader = LogReader(this)
    _last_words(this, reader)
    _release_finished(this, reader)
    _live_logs(this, reader)


def _store(rows: list[JobLog]) -> None:
    JobLog.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["job"], update_fields=["text", "captured_at", "is_final"]
    )


def _last_words(this: Pass, reader: LogReader) -> None:
    """Stored now or not at all: these runs do not wait for their logs."""
    for each in this.last_words:
        run = each.run
        with this.wall(f"end of {run.namespace}/{run.name}"):
            text = reader.tail(run.namespace, run.pod_name, run.node_name) if run.pod_name else ""
            if text:
                _store([JobLog(job=each.job, text=text, is_final=each.is_final)])
            if each.delete:
                this.counts.deleted += this.gateway.delete_run(run.namespace, run.name)


def _release_finished(this: Pass, reader: LogReader) -> None:
    """Finished jobs whose Kubernetes Job is still held: store the log's end, then give it its short TTL."""
    silent = reader.silent
    waits = Q(node_name__in=silent) | Q(pod_name__in=silent)
    held = (
        Job.objects.filter(finished_at__isnull=False, dispatched_at__isnull=False, released_at=None)
        .exclude(waits, finished_at__gt=this.now - PATIENCE)
        .only("job_id", "k8s_job_name", "k8s_namespace", "pod_name", "node_name", "finished_at", "reason")
        .annotate(has_final_log=F("log__is_final"))
        .order_by("finished_at")[:RELEASED_PER_PASS]
    )
    for jobs in batches(list(held), AT_ONCE):
        _release(this, reader, [job for job in jobs if not this.rests(_release_of(job))])
        if not reader.has_time():
            this.more = True
            return


def _release(this: Pass, reader: LogReader, jobs: list[Job]) -> None:
    ready, logs, released = [], [], []
    for job in jobs:
        if job.pod_name and not job.has_final_log:  # type: ignore[attr-defined]
            if not reader.has_time():
                break
            text = reader.tail(job.k8s_namespace, job.pod_name, job.node_name)
            if text is None and job.finished_at and this.now - job.finished_at <= PATIENCE:
                continue
            if text:
                logs.append(JobLog(job=job, text=text, is_final=True))
        ready.append(job)
    _store(logs)
    this.counts.logs += len(logs)
    try:
        for job in ready:
            with this.wall(_release_of(job)):
                _let_go(this, this.current(job))
                released.append(job.pk)
    finally:
        Job.objects.filter(pk__in=released).update(released_at=this.now)
        this.counts.released += len(released)


def _release_of(job: Job) -> str:
    return f"release of job {job.job_id}"


def _let_go(this: Pass, run: Run | None) -> None:
    if run is None or not run.job_exists or run.deleting:
        return
    if run.decided or run.phase in (Phase.SUCCEEDED, Phase.FAILED):
        this.gateway.release_run(run.namespace, run.name, ttl_s=settings.JOB_TTL_AFTER_CAPTURE_SECONDS)
    else:  # the job failed because it could not start: nothing would ever end this run
        this.counts.deleted += this.gateway.delete_run(run.namespace, run.name)


def _live_logs(this: Pass, reader: LogReader) -> None:
    """A vanished node costs at most the log since the last capture: some running jobs, the stalest first."""
    if not reader.has_time(0.5) or not this.memory.due("live logs", 5):
        return
    unheard = Q(progress_at=None) | Q(reason=Job.Reason.SERVICE_UNREACHABLE)
    stale = Q(log=None) | Q(log__captured_at__lt=this.now - LIVE_LOG_EVERY)
    stale |= unheard & Q(log__captured_at__lt=this.now - UNHEARD_EVERY)
    rows = (
        Job.objects.filter(stale, status=Job.Status.RUNNING, dispatched_at__isnull=False)
        .exclude(pod_name="")
        .only("job_id", "k8s_namespace", "pod_name", "node_name", "status", "reason", "message", "attempt")
        .order_by(F("log__captured_at").asc(nulls_first=True))[:LIVE_LOGS_PER_PASS]
    )
    for jobs in batches(list(rows), AT_ONCE):
        _capture_live(this, reader, jobs)
        if not reader.has_time(0.5):
            return


def _capture_live(this: Pass, reader: LogReader, jobs: Sequence[Job]) -> None:
    read, failed = [], []
    for job in jobs:
        if not reader.has_time(0.5) or this.memory.stop.is_set():
            break
        if text := reader.tail(job.k8s_namespace, job.pod_name, job.node_name):
            read.append(JobLog(job=job, text=text))
        else:
            failed.append(job)
    _store(read)
    this.counts.logs += len(read)
    for row in read:
        with this.wall(f"what the log of job {row.job_id} says"):
            heed(row)
    # Their turn comes again after the others', and what was stored before stays.
    JobLog.objects.bulk_create([JobLog(job=job, text="") for job in failed], ignore_conflicts=True)
    JobLog.objects.filter(job__in=failed).update(captured_at=this.now)
