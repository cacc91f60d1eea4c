"""Queued jobs become Kubernetes Jobs, as far as the tenants' limits and the rate of creation allow."""

import time
import uuid
from collections import defaultdict
from collections.abc import Mapping

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from clusterops.models import TenantNamespace
from clusterops.policy.queue import Room, Turn, turns
from clusterops.reconciler.heads import Wanted, heads
from clusterops.reconciler.job_states import NEEDED
from clusterops.reconciler.pass_state import Pass
from clusterops.reconciler.recording import record
from clusterops.reconciler.room import largest, room
from clusterops.reconciler.shares import claims, half_life, note_overtaken
from clusterops.reconciler.starting import start_all, start_of
from clusterops.reconciler.tenant_spaces import ensure, is_applied, space_of
from clusterops.usage.budgets import allowances
from simulations.models import Job, Move
from tenants.models import Tenant

BOX_S = 0.5  # then endings are looked at again, whatever is left to start
BATCH = 50  # created, then recorded
HEADS = 200  # jobs read in one round, all tenants together; a few of each in any case
FEW = 3


def dispatch(this: Pass, until: float | None = None) -> None:
    """Start what may start, batch by batch, until nothing more may, the rate allows no more, or the time is over:
    `until` (time.monotonic()), else BOX_S from now.

    `this.hungry` afterwards: there is more to start, and nothing new need be known of the cluster for it. The same pass
    may be given again for that, or when jobs were submitted: of what the cluster has it knows since its own lists.
    """
    begun = time.monotonic()
    until = begun + BOX_S if until is None else until
    may_go_on = True
    while may_go_on:
        this.now = timezone.now()
        may_go_on = _round(this) and time.monotonic() < until
    this.dispatch_s += time.monotonic() - begun


def _round(this: Pass) -> bool:
    """One batch; whether another one may follow at once."""
    allowed = this.memory.bucket.free(settings.DISPATCH_PER_SECOND, BATCH)
    again = [job for job in this.jobs if _begins_again(this, job)]
    tenants = _in_line({job.tenant_id for job in again})
    this.hungry = bool(tenants)
    if not tenants or not allowed:
        return False
    started = _started(this)
    rooms = {pk: Room.of(tenant, started[pk]) for pk, tenant in tenants.items()}
    queued = _queued(this, tenants, rooms, again)
    waits: list[Turn] = []
    _leave_out_unfit(this, tenants, queued, waits)
    for pk, allowance in allowances({pk: [*started[pk], *jobs] for pk, jobs in queued.items()}).items():
        rooms[pk].allowance = allowance
        for job in started[pk]:
            allowance.take(job)
    capacity = room(this, (job for jobs in started.values() for job in jobs))
    places = claims(this, tenants, started, capacity.whole)
    chosen: list[Job] = []
    this.hungry = False
    for turn in turns(queued, rooms, tenants, places, capacity, half_life()):
        if turn.why:
            waits.append(turn)
        elif len(chosen) < allowed:
            chosen.append(turn.job)
        else:
            this.hungry = True
    _explain(this, waits)
    with this.wall("jobs that find no room"):
        note_overtaken(this, [turn.job for turn in waits if turn.overtaken])
    if not chosen:
        return False
    this.memory.bucket.take(len(chosen))
    known = {job.pk for job in this.jobs}
    this.jobs += [job for job in chosen if job.pk not in known]
    this.tried.update(job.pk for job in chosen)
    created = start_all(this, chosen)
    this.hungry = True  # the next heads come up
    return bool(created)


def _begins_again(this: Pass, job: Job) -> bool:
    return (
        not job.is_finished
        and job.dispatched_at is None
        and job.cancel_requested_at is None
        and job.pk not in this.blocked | this.tried
        and not this.rests(start_of(job))
    )


def _in_line(besides: set[str]) -> dict[str, Tenant]:
    """Tenants with jobs that wait for their turn."""
    rows = Tenant.objects.filter(Q(job_count__queued__gt=0) | Q(pk__in=besides))
    return {tenant.pk: tenant for tenant in rows}


def _started(this: Pass) -> Mapping[str, list[Job]]:
    """What holds room; what begins again keeps its own."""
    started: dict[str, list[Job]] = defaultdict(list)
    for job in this.jobs:
        if not job.is_finished and (job.dispatched_at is not None or job.pk in this.blocked):
            started[job.tenant_id].append(job)
    return started


def _queued(
    this: Pass, tenants: Mapping[str, Tenant], rooms: Mapping[str, Room], again: list[Job]
) -> dict[str, list[Job]]:
    """What begins again, and as much of the lines as there may be room for in this round."""
    known = {job.pk for job in again}
    each = max(FEW, HEADS // len(tenants))
    bound = largest(this)
    wanted = [Wanted.of(tenant, max(1, min(rooms[pk].slots + FEW, each)), bound) for pk, tenant in tenants.items()]
    queued: dict[str, list[Job]] = defaultdict(list)
    for job in again:
        queued[job.tenant_id].append(job)
    for tenant_id, jobs in heads(wanted, NEEDED, this.blocked | this.tried | _resting(this)).items():
        queued[tenant_id] += [job for job in jobs if job.pk not in known]
    return queued


def _resting(this: Pass) -> set[uuid.UUID]:
    """Those whose start failed and whose next turn has not come."""
    prefix = "start of job "
    return {uuid.UUID(what.removeprefix(prefix)) for what in this.memory.troubles.resting() if what.startswith(prefix)}


def _leave_out_unfit(
    this: Pass, tenants: Mapping[str, Tenant], queued: dict[str, list[Job]], waits: list[Turn]
) -> None:
    """Tenants for which nothing can be started at all; a place in the cluster is made for those that have none yet."""
    spaces = TenantNamespace.objects.in_bulk(set(queued) - this.fit)
    for pk in list(queued):
        if why := _unfit(this, tenants[pk], spaces.get(pk)):
            waits.append(Turn(min(queued.pop(pk), key=lambda job: job.submitted_at), why))
        else:
            this.fit.add(pk)


def _unfit(this: Pass, tenant: Tenant, row: TenantNamespace | None) -> str:
    """Why nothing can be started for the tenant; empty: nothing is in the way."""
    if not tenant.is_active:
        return "The tenant is deactivated; its jobs wait until the operator activates it."
    if tenant.pk in this.fit or (row and not row.problem and is_applied(row, space_of(tenant))):
        return ""
    return ensure(this, tenant)


def _explain(this: Pass, waits: list[Turn]) -> None:
    moves = []
    for turn in waits:
        job, why = turn.job, turn.why
        if job.attempt > 1:
            why = f"Attempt {job.attempt} of {settings.MAX_ATTEMPTS}: {why}"
        if (job.reason, job.message) != (turn.reason, why):
            moves.append(Move(job, job.status, turn.reason, why))
    record(this, moves, name=lambda job: f"place of job {job.job_id}")
