"""What the reconciler counts for Prometheus as it works: passes, jobs on their way. Calls to the cluster are counted in
`gateway.kube_api`; gauges that the database knows are in `exporter`."""

from collections.abc import Iterable

from prometheus_client import Counter, Histogram

from simulations.models import Job, Move

LONG = (1, 5, 15, 60, 300, 900, 3600, 14400, 86400)  # seconds

PASSES = Counter("sumok8_reconciler_passes", "Passes by how they ended: whole, or early for a cause.", ["result"])
PASS_SECONDS = Histogram(
    "sumok8_reconciler_pass_seconds", "How long a pass took.", buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
)
PASS_ERRORS = Counter("sumok8_reconciler_errors", "What failed in passes, each isolated from the rest.")
FINISHED = Counter("sumok8_jobs_finished", "Jobs that ended, by status and reason.", ["status", "reason"])
ATTEMPTS_LOST = Counter("sumok8_attempts_lost", "Attempts that ended for nothing, after which another began.")
DISPATCH_SECONDS = Histogram("sumok8_job_dispatch_wait_seconds", "From submission to the Kubernetes Job.", buckets=LONG)
START_SECONDS = Histogram("sumok8_job_start_wait_seconds", "From the Kubernetes Job to the run's start.", buckets=LONG)
RUN_SECONDS = Histogram("sumok8_job_run_seconds", "From the first start to the end.", buckets=LONG)


class Watch:
    """Jobs as they were before moves that are about to be made."""

    def __init__(self, moves: Iterable[Move]) -> None:
        self._were = {move.job.pk: (move.job.attempt, move.job.dispatched_at, move.job.started_at) for move in moves}

    def made(self, job: Job) -> None:
        """Count what its move was."""
        attempt, dispatched_at, started_at = self._were[job.pk]
        if job.attempt > attempt:
            ATTEMPTS_LOST.inc()
        elif job.attempt == 1 and dispatched_at is None and job.dispatched_at:
            DISPATCH_SECONDS.observe((job.dispatched_at - job.submitted_at).total_seconds())
        if job.attempt == 1 and started_at is None and job.started_at and job.dispatched_at:
            START_SECONDS.observe((job.started_at - job.dispatched_at).total_seconds())
        if job.is_finished:
            FINISHED.labels(job.status, job.reason).inc()
            if job.started_at and job.finished_at:
                RUN_SECONDS.observe((job.finished_at - job.started_at).total_seconds())
