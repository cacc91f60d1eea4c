"""Capture, then let go: log tails into the database, then the finished Job to Kubernetes' own clean-up.

Nothing that other jobs wait for waits for it, and it has a time box of its own: a log lies on its node, and a node that
has died answers late or never. That says nothing of the cluster.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q

from clusterops import errors
from clusterops.contract import Phase, Run
from clusterops.reconciler.pass_state import LastLog, Memory, Pass, Silence, log
from clusterops.reconciler.recording import batches
from clusterops.reconciler.unreachable import heed
from simulations.models import Job, JobLog
from simulations.models.columns import FOR_LOG, FOR_MOVE

TAIL_LINES = 500
RELEASED_PER_PASS = 500
LIVE_LOGS_PER_PASS = 500
AT_ONCE = 20  # logs in memory, a quarter of a MiB each
READING_S = 3.0  # all logs of a pass together
LIVE_SHARE = 0.5  # of it, for those that can wait
ONE_LOG_S = 2.0
FIRST_REST_S = 2.0  # after a failure, before it is asked for again: one slow answer is not yet a dead node
LONGEST_REST_S = 30.0  # after several in a row
NODE_RESTS_S = 5.0  # the same, at most, for other logs on its node
LIVE_LOG_EVERY = timedelta(seconds=60)
FIRST_LOG_AFTER = timedelta(seconds=10)
UNHEARD_EVERY = timedelta(seconds=15)  # of runners that have not reported yet: can they?
PATIENCE = timedelta(seconds=120)  # a log that cannot be read for that long is given up


class LogReader:
    """Reads logs, several at once, until the time box is used up. Never raises: the rest is left for later."""

    def __init__(self, this_pass: Pass) -> None:
        self._gateway, self._memory, self._silent = this_pass.gateway, this_pass.memory, this_pass.memory.silent
        self._begun = time.monotonic()
        for name in [name for name, each in self._silent.items() if each.until + LONGEST_REST_S < self._begun]:
            del self._silent[name]

    def has_time(self, share: float = 1.0) -> bool:
        return time.monotonic() - self._begun < READING_S * share and not self._memory.stop.is_set()

    def tails(self, jobs: Sequence[Job], share: float = 1.0) -> list[str | None]:
        """Of each job's pod: the log's end; empty if there is nothing to read any more; None if not read now."""
        return list(self._memory.log_pool.map(lambda job: self._tail(job, share), jobs))

    def tail_of(self, run: Run) -> str | None:
        return self._read(run.namespace, run.pod_name, run.node_name)

    def _tail(self, job: Job, share: float) -> str | None:
        return self._read(job.k8s_namespace, job.pod_name, job.node_name) if self.has_time(share) else None

    def _read(self, namespace: str, pod: str, node: str) -> str | None:
        if not self.has_time() or self._rests(pod) or self._rests(node):
            return None
        try:
            text = self._gateway.read_log(namespace, pod, tail=TAIL_LINES, timeout_s=ONE_LOG_S)
        except errors.Refused:
            text = ""
        except errors.GatewayError as error:
            log.info("the log of %s/%s cannot be read: %s", namespace, pod, error)
            self._rest(pod, LONGEST_REST_S)
            if node:
                self._rest(node, NODE_RESTS_S)
            return None
        self._silent.pop(pod, None)
        return text

    def _rests(self, name: str) -> bool:
        silence = self._silent.get(name)
        return silence is not None and silence.until > time.monotonic()

    def _rest(self, name: str, most_s: float) -> None:
        before = self._silent.get(name)
        rest_s = min(most_s, 2 * before.rest_s) if before else FIRST_REST_S
        self._silent[name] = Silence(time.monotonic() + rest_s, rest_s)


def resting(memory: Memory) -> set[str]:
    """Pods and nodes that are not asked for logs now."""
    now = time.monotonic()
    return {name for name, each in list(memory.silent.items()) if each.until > now}


@dataclass(frozen=True)
class Errands:
    """Whose logs are wanted, as the rows and this pass's lists agree: a later pass may know otherwise."""

    last_logs: Sequence[LastLog]
    ended: Sequence[Job]
    running: Sequence[Job]


def capture(this_pass: Pass) -> None:
    """Beside the passes where there is somebody for it, else now."""
    keeper = this_pass.memory.keeper
    if keeper and not keeper.is_free(this_pass):
        return
    errands = Errands(this_pass.last_logs, _unreleased(this_pass), _unheard(this_pass))
    if keeper:
        keeper.give(this_pass, lambda own: run(own, errands))
    else:
        run(this_pass, errands)


def run(this_pass: Pass, errands: Errands) -> None:
    """The most urgent first: runs about to be deleted, ended runs whose node may go, running ones."""
    reader = LogReader(this_pass)
    _last_words(this_pass, reader, errands.last_logs)
    for jobs in batches(errands.ended, AT_ONCE):
        _release(this_pass, reader, [job for job in jobs if not this_pass.rests(_release_of(job))])
        if not reader.has_time():
            this_pass.more = True
            return
    for jobs in batches(errands.running, AT_ONCE):
        if not reader.has_time(LIVE_SHARE):
            return
        _capture_live(this_pass, reader, jobs)


def _store(rows: list[JobLog]) -> None:
    JobLog.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["job"], update_fields=["text", "captured_at", "is_final"]
    )


def _last_words(this_pass: Pass, reader: LogReader, words: Sequence[LastLog]) -> None:
    """Stored now or not at all: these runs do not wait for their logs."""
    for some in batches(words, AT_ONCE):
        texts = this_pass.memory.log_pool.map(lambda each: reader.tail_of(each.run) if each.run.pod_name else "", some)
        for each, text in zip(some, texts, strict=True):
            run = each.run
            with this_pass.isolate(f"end of {run.namespace}/{run.name}"):
                if text:
                    _store([JobLog(job=each.job, text=text, is_final=each.is_final)])
                if each.delete:
                    this_pass.counts.deleted += this_pass.gateway.delete_run(run.namespace, run.name)


def _unreleased(this_pass: Pass) -> Sequence[Job]:
    """Finished jobs whose Kubernetes Job is still held, the longest held first."""
    silent = resting(this_pass.memory)
    waits = Q(node_name__in=silent) | Q(pod_name__in=silent)
    held = (
        Job.objects.filter(finished_at__isnull=False, dispatched_at__isnull=False, released_at=None)
        .filter(cluster=this_pass.cluster.pk)
        .exclude(pk__in=this_pass.told)  # as its lists have them, they have not ended
        .exclude(waits, finished_at__gt=this_pass.now - PATIENCE)
        .only(*FOR_LOG, "k8s_job_name", "finished_at", "reason")
        .annotate(has_final_log=F("log__is_final"))
        .order_by("finished_at")
    )
    return list(held[:RELEASED_PER_PASS])


def _release(this_pass: Pass, reader: LogReader, jobs: Sequence[Job]) -> None:
    """Store the log's end, then give the Kubernetes Job its short TTL."""
    logless = [job for job in jobs if job.pod_name and not job.has_final_log]  # type: ignore[attr-defined]
    texts = dict(zip((job.pk for job in logless), reader.tails(logless), strict=True))
    patient = {pk for pk, text in texts.items() if text is None}
    # What nobody asked for yet, for want of time, is asked for in the next pass.
    ready = [job for job in jobs if job.pk not in patient or (reader.has_time() and _is_over(this_pass, job))]
    logs = [JobLog(job=job, text=text, is_final=True) for job in logless if (text := texts[job.pk])]
    _store(logs)
    this_pass.counts.logs += len(logs)
    released = []
    calls = this_pass.memory.log_pool.map(lambda job: _let_go(this_pass, this_pass.current(job)), ready)
    try:
        for job, call in zip(ready, calls, strict=True):
            with this_pass.isolate(_release_of(job)):
                if call.error:
                    raise call.error
                this_pass.counts.deleted += call.deleted
                released.append(job.pk)
    finally:
        Job.objects.filter(pk__in=released).update(released_at=this_pass.now)
        this_pass.counts.released += len(released)


def _is_over(this_pass: Pass, job: Job) -> bool:
    """It is not waited for its log any longer."""
    return job.finished_at is not None and this_pass.now - job.finished_at > PATIENCE


def _release_of(job: Job) -> str:
    return f"release of job {job.job_id}"


@dataclass(frozen=True)
class ReleaseCall:
    """What came of one call to let a run go."""

    error: Exception | None = None
    deleted: bool = False


def _let_go(this_pass: Pass, run: Run | None) -> ReleaseCall:
    if run is None or not run.job_exists or run.deleting:
        return ReleaseCall()
    try:
        if run.decided or run.phase in (Phase.SUCCEEDED, Phase.FAILED):
            this_pass.gateway.release_run(run.namespace, run.name, ttl_s=settings.JOB_TTL_AFTER_CAPTURE_SECONDS)
            return ReleaseCall()
        # The job failed because it could not start: nothing would ever end this run.
        return ReleaseCall(deleted=this_pass.gateway.delete_run(run.namespace, run.name))
    except Exception as error:  # noqa: BLE001 - raised again where the job is isolated
        return ReleaseCall(error)


def _unheard(this_pass: Pass) -> Sequence[Job]:
    """A vanished node costs at most the log since the last capture: some running jobs, the stalest first. A job that
    has just begun has said little, and may end within seconds: then its log is read once, at its end.
    """
    if not this_pass.memory.due("live logs", 5):
        return []
    unheard = Q(progress_at=None) | Q(reason=Job.Reason.SERVICE_UNREACHABLE)
    stale = Q(log=None, started_at__lt=this_pass.now - FIRST_LOG_AFTER) | Q(
        log__captured_at__lt=this_pass.now - LIVE_LOG_EVERY
    )
    stale |= unheard & Q(log__captured_at__lt=this_pass.now - UNHEARD_EVERY)
    rows = (
        Job.objects.filter(stale, status=Job.Status.RUNNING, dispatched_at__isnull=False, cluster=this_pass.cluster.pk)
        .exclude(pod_name="")
        .only(*FOR_LOG, *FOR_MOVE)
        .order_by(F("log__captured_at").asc(nulls_first=True))
    )
    return list(rows[:LIVE_LOGS_PER_PASS])


def _capture_live(this_pass: Pass, reader: LogReader, jobs: Sequence[Job]) -> None:
    read, failed = [], []
    for job, text in zip(jobs, reader.tails(jobs, LIVE_SHARE), strict=True):
        if text:
            read.append(JobLog(job=job, text=text))
        elif reader.has_time(LIVE_SHARE):
            failed.append(job)
    _store(read)
    this_pass.counts.logs += len(read)
    for row in read:
        with this_pass.isolate(f"what the log of job {row.job_id} says"):
            heed(row)
    # Their turn comes again after the others', and what was stored before stays.
    JobLog.objects.bulk_create([JobLog(job=job, text="") for job in failed], ignore_conflicts=True)
    JobLog.objects.filter(job__in=failed).update(captured_at=this_pass.now)
