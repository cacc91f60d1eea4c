"""Queued jobs become Kubernetes Jobs, as far as the tenants' limits and the rate of creation allow."""

import time
from collections import defaultdict
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from clusterops import errors
from clusterops.contract import RunSpec
from clusterops.models import TenantNamespace
from clusterops.objects.manifests import uses_kueue
from clusterops.policy.queue import Room, Turn, turns
from clusterops.policy.sentences import sentence
from clusterops.reconciler.pass_state import Pass
from clusterops.reconciler.room import room
from clusterops.reconciler.shares import claims, half_life, note_overtaken
from clusterops.reconciler.tenant_spaces import ensure, is_applied, space_of
from simulations import tokens
from simulations.models import Job
from tenants.models import Tenant

Reason = Job.Reason
SUMMARY_PERIOD_S = 60
PROGRESS_S = 5
BATCH = 200  # jobs loaded in full at once
KUEUE_HOLDS_S = 90 * 24 * 3600  # nobody but Kueue knows how long
TOKEN_SLACK_S = 24 * 3600  # a pod may be replaced, and wait for a machine, more than once


def dispatch(this: Pass) -> None:
    """Start what may start. What the rate leaves over is for the next pass, which `this.more` asks for."""
    queued: dict[str, list[Job]] = defaultdict(list)
    started: dict[str, list[Job]] = defaultdict(list)
    for job in this.jobs:
        if job.is_finished:
            continue
        if job.dispatched_at is not None or job.pk in this.blocked:  # what begins again keeps its place
            started[job.tenant_id].append(job)
        elif job.cancel_requested_at is None and not this.rests(_start_of(job)):
            queued[job.tenant_id].append(job)
    if not queued:
        return
    tenants = {tenant.pk: tenant for tenant in Tenant.objects.filter(pk__in=queued)}
    spaces = {row.pk: row for row in TenantNamespace.objects.filter(pk__in=queued)}
    rooms = {pk: Room.of(tenant, started[pk]) for pk, tenant in tenants.items()}
    for pk, tenant in tenants.items():
        if why := _unfit(this, tenant, spaces.get(pk)):
            _explain(this, Turn(min(queued.pop(pk), key=lambda job: job.submitted_at), why))
    capacity = room(this, (job for jobs in started.values() for job in jobs))
    places = claims(this, tenants, started, capacity.whole)
    chosen: list[Job] = []
    waiting: list[Turn] = []
    allowed = _allowed(this)
    for turn in turns(queued, rooms, tenants, places, capacity, half_life()):
        if turn.why:
            _explain(this, turn)
            waiting.append(turn)
        elif len(chosen) < allowed:
            chosen.append(turn.job)
        else:
            this.more = True
    with this.wall("jobs that find no room"):
        note_overtaken(this, [turn.job for turn in waiting if turn.overtaken])
    for first in range(0, len(chosen), BATCH):
        _start_all(this, chosen[first : first + BATCH])


def _allowed(this: Pass) -> int:
    """How many Jobs may be created now, so that no second sees more than DISPATCH_PER_SECOND."""
    if not settings.DISPATCH_PER_SECOND:
        return len(this.jobs)
    lately = this.memory.created_at
    while lately and time.monotonic() - lately[0] > 1:
        lately.popleft()
    return max(0, settings.DISPATCH_PER_SECOND - len(lately))


def _unfit(this: Pass, tenant: Tenant, row: TenantNamespace | None) -> str:
    """Why nothing can be started for the tenant at all; makes its place in the cluster when there is none yet."""
    if not tenant.is_active:
        return "The tenant is deactivated; its jobs wait until the operator activates it."
    if row and not row.problem and is_applied(row, space_of(tenant)):
        return ""
    return ensure(this, tenant)


def _explain(this: Pass, turn: Turn) -> None:
    job, why = turn.job, turn.why
    if job.attempt > 1:
        why = f"Attempt {job.attempt} of {settings.MAX_ATTEMPTS}: {why}"
    with this.wall(f"place of job {job.job_id}"):
        if (job.reason, job.message) != (Reason.QUEUED, why):
            job.move_to(job.status, reason=Reason.QUEUED, message=why)


def _start_of(job: Job) -> str:
    return f"start of job {job.job_id}"


def _start_all(this: Pass, jobs: list[Job]) -> None:
    full = _announced(this, jobs).select_related("scenario").only("scenario_data", "scenario").in_bulk()
    for job in jobs:
        with this.wall(_start_of(job)):
            if whole := full.get(job.pk):
                job.scenario_data, job.scenario = whole.scenario_data, whole.scenario
                _start(this, job)


def _announced(this: Pass, jobs: list[Job]) -> QuerySet[Job]:
    """Mark them, once for all, before the cluster is asked: from here on each may be there. See `cancel_untouched`."""
    rows = Job.objects.active().filter(pk__in=[job.pk for job in jobs])
    rows.filter(dispatching_at=None).update(dispatching_at=this.now)
    return rows.filter(dispatching_at__isnull=False)  # not those that ended meanwhile


def _start(this: Pass, job: Job) -> None:
    """Create, then record. A death in between is healed by the next pass, which finds the run by its name."""
    this.memory.created_at.append(time.monotonic())
    try:
        created = this.gateway.start_run(run_spec(job))
    except errors.NotFound:  # the namespace went away since we looked
        TenantNamespace.objects.filter(pk=job.tenant_id).update(applied={})
        this.more = True
        return
    except errors.QuotaExceeded as error:
        _wait(job, Reason.WAITING_QUOTA, str(error))
        return
    except errors.NamespaceTerminating:
        TenantNamespace.objects.filter(pk=job.tenant_id).update(applied={})
        _wait(job, Reason.NAMESPACE_TERMINATING, "")
        return
    except errors.Forbidden as error:
        _wait(job, Reason.ADMISSION_REFUSED, str(error))
        return
    except errors.Conflict:  # its namesake is still being deleted
        this.more = True
        return
    except errors.Refused as error:  # 4xx: it would be refused for ever
        message = f"{sentence(Reason.CONFIG_ERROR, job)} The cluster says: {error}"
        job.move_to(Job.Status.FAILED, reason=Reason.CONFIG_ERROR, message=message)
        return
    job.move_to(job.status, reason=Reason.STARTING, message=sentence(Reason.STARTING, job), dispatched_at=this.now)
    this.counts.created += created


def _wait(job: Job, reason: str, words: str) -> None:
    message = sentence(reason, job) + (f" The cluster says: {words}" if words else "")
    if (job.reason, job.message) != (reason, message):
        job.move_to(job.status, reason=reason, message=message)


def run_spec(job: Job) -> RunSpec:
    """Everything the job's present attempt needs; `scenario` and `scenario_data` must be loaded."""
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
        "summary_period_s": SUMMARY_PERIOD_S,
        "progress_s": PROGRESS_S,
        "limits": {
            "wall_s": wall_s,
            "output_bytes": settings.JOB_MAX_OUTPUT_BYTES,
            "unpacked_bytes": settings.SCENARIO_MAX_UNPACKED_BYTES,
            "files": settings.SCENARIO_MAX_FILES,
        },
    }
