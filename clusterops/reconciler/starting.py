"""Chosen jobs become Kubernetes Jobs: announced in the database, created several at once, then recorded together."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from clusterops import errors
from clusterops.contract import RunSpec
from clusterops.models import TenantNamespace
from clusterops.objects.manifests import uses_kueue
from clusterops.policy.sentences import sentence
from clusterops.reconciler.pass_state import UNREACHABLE_LIMIT, Pass
from clusterops.reconciler.recording import record
from simulations import tokens
from simulations.models import Job, Move
from tenants.clusters import Cluster

Reason = Job.Reason
SUMMARY_PERIOD_S = 60
PROGRESS_S = 5
KUEUE_HOLDS_S = 90 * 24 * 3600  # nobody but Kueue knows how long
TOKEN_SLACK_S = 24 * 3600  # a pod may be replaced, and wait for a machine, more than once


def start_of(job: Job) -> str:
    return f"start of job {job.job_id}"


@dataclass
class Try:
    """One call to create a run, and what came of it."""

    job: Job
    spec: RunSpec
    created: bool = False
    error: Exception | None = None
    made: bool = False


def start_all(this_pass: Pass, jobs: Sequence[Job]) -> int:
    """How many Jobs were created. A death on the way is healed by the next pass, which finds the runs by name."""
    tries = []
    full = _announced(this_pass, jobs).select_related("scenario").only("scenario_data", "scenario").in_bulk()
    for job in jobs:
        with this_pass.isolate(start_of(job), done=False):
            if whole := full.get(job.pk):
                job.scenario_data, job.scenario = whole.scenario_data, whole.scenario
                tries.append(Try(job, run_spec(job, this_pass.cluster)))
    _create(this_pass, tries)
    moves = []
    for each in tries:
        with this_pass.isolate(start_of(each.job), done=False):
            if each.made and (move := _told(this_pass, each)):
                moves.append(move)
    before = this_pass.counts.created
    try:
        record(this_pass, moves, name=start_of)
    finally:
        this_pass.counts.created += sum(each.created for each in tries)
    return this_pass.counts.created - before


def _announced(this_pass: Pass, jobs: Sequence[Job]) -> QuerySet[Job]:
    """Mark them, once for all, before the cluster is asked: from here on each may be there. See `cancel_untouched`."""
    # Not those that were moved to another cluster meanwhile: of the two writers of a row one is first.
    rows = Job.objects.active().filter(pk__in=[job.pk for job in jobs], cluster=this_pass.cluster.pk)
    rows.filter(dispatching_at=None).update(dispatching_at=this_pass.now)
    return rows.filter(dispatching_at__isnull=False)  # not those that ended meanwhile


def _create(this_pass: Pass, tries: Sequence[Try]) -> None:
    """All at once as far as the pool goes. No more are begun once some calls were not answered, or at the end."""
    unanswered = 0
    lock = threading.Lock()

    def create(each: Try) -> None:
        nonlocal unanswered
        if unanswered >= UNREACHABLE_LIMIT or this_pass.memory.stop.is_set():
            return
        each.made = True
        try:
            each.created = this_pass.gateway.start_run(each.spec)
        except Exception as error:  # noqa: BLE001 - looked at where the job is isolated
            each.error = error
            with lock:
                unanswered += isinstance(error, errors.ClusterUnreachable)

    list(this_pass.memory.pool.map(create, tries))


def _told(this_pass: Pass, each: Try) -> Move | None:
    """What its row shall say. Raises what only time can heal."""
    job, error = each.job, each.error
    match error:
        case None:
            columns = {"dispatched_at": this_pass.now}
            return Move(job, job.status, Reason.STARTING, sentence(Reason.STARTING, job), columns)
        case errors.NotFound():  # the namespace went away since we looked
            _forget_namespace(this_pass, job)
            this_pass.more = True
            return None
        case errors.QuotaExceeded():
            return _wait(job, Reason.WAITING_QUOTA, str(error))
        case errors.NamespaceTerminating():
            _forget_namespace(this_pass, job)
            return _wait(job, Reason.NAMESPACE_TERMINATING, "")
        case errors.Forbidden():
            return _wait(job, Reason.ADMISSION_REFUSED, str(error))
        case errors.Conflict():  # its namesake is still being deleted
            this_pass.more = True
            return None
        case errors.Refused():  # 4xx: it would be refused for ever
            message = f"{sentence(Reason.CONFIG_ERROR, job)} The cluster says: {error}"
            return Move(job, Job.Status.FAILED, Reason.CONFIG_ERROR, message)
    raise error


def _forget_namespace(this_pass: Pass, job: Job) -> None:
    TenantNamespace.objects.filter(pk=job.tenant_id, cluster=this_pass.cluster.pk).update(applied={})
    this_pass.fit.discard(job.tenant_id)


def _wait(job: Job, reason: str, words: str) -> Move | None:
    message = sentence(reason, job) + (f" The cluster says: {words}" if words else "")
    return Move(job, job.status, reason, message) if (job.reason, job.message) != (reason, message) else None


def run_spec(job: Job, cluster: Cluster) -> RunSpec:
    """Everything the job's present attempt needs there; `scenario` and `scenario_data` must be loaded."""
    wall_s = int(job.scenario_data.get("time_limit_s") or settings.JOB_DEFAULT_TIME_LIMIT_S)
    held_s = KUEUE_HOLDS_S if uses_kueue() else settings.START_TIMEOUT_S
    lifetime_s = held_s + wall_s + TOKEN_SLACK_S
    return RunSpec(
        job_id=job.job_id.hex,
        tenant_id=job.tenant_id,
        namespace=job.k8s_namespace,
        name=job.k8s_job_name,
        attempt=job.attempt,
        scenario_id=str(job.scenario_data.get("scenario_id", "")),
        cpu=job.cpu_request,
        memory_gi=job.memory_gi,
        description=description(job, wall_s),
        token=tokens.issue(job.job_id, job.attempt, lifetime_s),
        wall_s=wall_s,
        cluster=cluster.label,
        service_url=cluster.service_url,
    )


def description(job: Job, wall_s: int) -> dict[str, Any]:
    """SUMOK8_JOB of the runner contract, version 1; read by simulations/sumo/protocol/description.py."""
    asked = job.scenario_data
    return {
        "v": 1,
        "job_id": str(job.job_id),
        "attempt": job.attempt,
        "scenario": {
            "scenario_id": asked.get("scenario_id"),
            "version": asked.get("scenario_version"),
            "sha256": asked.get("sha256"),
            "config": asked.get("config"),
        },
        **{name: asked.get(name) for name in ("seed", "begin", "end", "step_length", "scale")},
        "options": asked.get("options") or {},
        "outputs": asked.get("outputs") or [],
        "emissions": bool(asked.get("emissions")),
        **{name: asked.get(name) for name in ("edges_interval_s", "window_begin", "window_end")},
        "summary_period_s": SUMMARY_PERIOD_S,
        "progress_s": PROGRESS_S,
        "limits": {
            "wall_s": wall_s,
            "output_bytes": settings.JOB_MAX_OUTPUT_BYTES,
            "unpacked_bytes": settings.SCENARIO_MAX_UNPACKED_BYTES,
            "files": settings.SCENARIO_MAX_FILES,
        },
    }
