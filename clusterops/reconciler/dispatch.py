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
from clusterops.reconciler.namespaces import ensure, is_applied, spec_of
from clusterops.reconciler.pass_state import Pass
from clusterops.reconciler.recording import record
from clusterops.reconciler.room import largest, room
from clusterops.reconciler.shares import claims, half_life, note_overtaken
from clusterops.reconciler.starting import start_all, start_of
from clusterops.usage.budgets import allowances
from simulations.models import Job, Move
from simulations.models.columns import FOR_DECISION
from tenants.clusters import Cluster
from tenants.models import Tenant

BOX_S = 0.25  # of a step; then endings are looked at again, whatever is left to start
BATCH = 50  # created, then recorded
HEADS = 200  # jobs read in one round, all tenants together; a few of each in any case
FEW = 3


def dispatch(this_pass: Pass, until: float | None = None) -> None:
    """Start what may start, batch by batch, until nothing more may, the rate allows no more, or the time is over:
    `until` (time.monotonic()), else BOX_S from now.

    `this_pass.more_to_start` afterwards: there is more to start, and nothing new need be known of the cluster for it.
    The same pass may be given again for that, or when jobs were submitted: of what the cluster has it knows since its
    own lists.
    """
    until = time.monotonic() + BOX_S if until is None else until
    may_go_on = True
    while may_go_on:
        this_pass.now = timezone.now()
        may_go_on = _round(this_pass) and time.monotonic() < until


def _round(this_pass: Pass) -> bool:
    """One batch; whether another one may follow at once.

    1. What begins again stands in line with the rest: a retry has no right over others.
    2. What the cluster has of ours is counted before anything is chosen: limits and shares come from it.
    3. Tenants whose namespace is not as wanted are left out before the turns are dealt: no turn is lost on them.
    4. Turns are dealt over all tenants at once; why the others wait is written before anything is created, as creating
       takes longest and their people look now.
    5. The rate's tokens are taken for what was chosen, also if its creation fails: a failing cluster is not pressed.
    """
    allowed = this_pass.memory.bucket.free(settings.DISPATCH_PER_SECOND, BATCH)
    again = [job for job in this_pass.jobs if _begins_again(this_pass, job)]
    tenants = _in_line(this_pass, {job.tenant_id for job in again})
    this_pass.more_to_start = bool(tenants)
    if not tenants or not allowed:
        return False
    started = _started(this_pass)
    elsewhere = _elsewhere(this_pass, tenants)
    rooms = {pk: Room.of(tenant, [*started[pk], *elsewhere[pk]]) for pk, tenant in tenants.items()}
    queued = _queued(this_pass, tenants, rooms, again)
    waits: list[Turn] = []
    if why := this_pass.cluster.holds_back:
        begun = set() if this_pass.cluster.state == Cluster.State.DOWN else {job.pk for job in again}
        _hold_back(queued, begun, waits, why)
    _leave_out_unfit(this_pass, tenants, queued, waits)
    for pk, allowance in allowances({pk: [*started[pk], *elsewhere[pk], *jobs] for pk, jobs in queued.items()}).items():
        rooms[pk].allowance = allowance
        for job in (*started[pk], *elsewhere[pk]):
            allowance.take(job)
    capacity = room(this_pass, (job for jobs in started.values() for job in jobs))
    places = claims(this_pass, tenants, started, capacity.whole)
    chosen: list[Job] = []
    this_pass.more_to_start = False
    for turn in turns(queued, rooms, tenants, places, capacity, half_life()):
        if turn.why:
            waits.append(turn)
        elif len(chosen) < allowed:
            chosen.append(turn.job)
        else:
            this_pass.more_to_start = True
    _explain(this_pass, waits)
    with this_pass.isolate("jobs that find no room"):
        note_overtaken(this_pass, [turn.job for turn in waits if turn.overtaken])
    if not chosen:
        return False
    this_pass.memory.bucket.take(len(chosen))
    known = {job.pk for job in this_pass.jobs}
    this_pass.jobs += [job for job in chosen if job.pk not in known]
    this_pass.tried.update(job.pk for job in chosen)
    created = start_all(this_pass, chosen)
    this_pass.more_to_start = True  # the next heads come up
    return bool(created)


def _begins_again(this_pass: Pass, job: Job) -> bool:
    return (
        not job.is_finished
        and job.dispatched_at is None
        and job.cancel_requested_at is None
        and job.pk not in this_pass.blocked | this_pass.tried
        and not this_pass.rests(start_of(job))
    )


def _in_line(this_pass: Pass, besides: set[str]) -> dict[str, Tenant]:
    """Tenants with jobs that wait for their turn here."""
    at_home = Q(job_count__queued__gt=0, cluster=this_pass.cluster.pk)
    rows = Tenant.objects.filter(at_home | Q(pk__in=besides))
    return {tenant.pk: tenant for tenant in rows}


def _started(this_pass: Pass) -> Mapping[str, list[Job]]:
    """What holds room; what begins again keeps its own."""
    started: dict[str, list[Job]] = defaultdict(list)
    for job in this_pass.jobs:
        if not job.is_finished and (job.dispatched_at is not None or job.pk in this_pass.blocked):
            started[job.tenant_id].append(job)
    return started


def _elsewhere(this_pass: Pass, tenants: Mapping[str, Tenant]) -> Mapping[str, list[Job]]:
    """What tenants that moved here still have in other clusters: it holds its room until it has ended, also what begins
    again there, so that no two reconcilers ever give the same room away."""
    found: dict[str, list[Job]] = defaultdict(list)
    if this_pass.others:
        at_home = [pk for pk, tenant in tenants.items() if tenant.cluster_id == this_pass.cluster.pk]
        rows = Job.objects.in_hand().filter(tenant__in=at_home, cluster__in=this_pass.others)
        for job in rows.only("job_id", "tenant_id", "cpu_request", "memory_gi"):
            found[job.tenant_id].append(job)
    return found


def _hold_back(queued: dict[str, list[Job]], begun: set[uuid.UUID], waits: list[Turn], why: str) -> None:
    """Of a cluster that is drained, only what has begun there, and cannot be moved, begins again; of one that is down,
    nothing."""
    for pk, jobs in list(queued.items()):
        if fresh := [job for job in jobs if job.pk not in begun]:
            waits.append(Turn(fresh[0], why))
        queued[pk] = [job for job in jobs if job.pk in begun]
        if not queued[pk]:
            del queued[pk]


def _queued(
    this_pass: Pass, tenants: Mapping[str, Tenant], rooms: Mapping[str, Room], again: list[Job]
) -> dict[str, list[Job]]:
    """What begins again, and as much of the lines as there may be room for in this round."""
    known = {job.pk for job in again}
    each = max(FEW, HEADS // len(tenants))
    bound = largest(this_pass)
    wanted = [Wanted.of(tenant, max(1, min(rooms[pk].slots + FEW, each)), bound) for pk, tenant in tenants.items()]
    queued: dict[str, list[Job]] = defaultdict(list)
    for job in again:
        queued[job.tenant_id].append(job)
    left_out = this_pass.blocked | this_pass.tried | _resting(this_pass)
    for tenant_id, jobs in heads(wanted, FOR_DECISION, left_out, this_pass.cluster.pk).items():
        queued[tenant_id] += [job for job in jobs if job.pk not in known]
    return queued


def _resting(this_pass: Pass) -> set[uuid.UUID]:
    """Those whose start failed and whose next turn has not come."""
    prefix = "start of job "
    return {
        uuid.UUID(what.removeprefix(prefix)) for what in this_pass.memory.troubles.resting() if what.startswith(prefix)
    }


def _leave_out_unfit(
    this_pass: Pass, tenants: Mapping[str, Tenant], queued: dict[str, list[Job]], waits: list[Turn]
) -> None:
    """Tenants for which nothing can be started at all; a namespace is made for those that have none yet."""
    known = TenantNamespace.objects.in_bulk(set(queued) - this_pass.fit)
    for pk in list(queued):
        if why := _unfit(this_pass, tenants[pk], known.get(pk)):
            waits.append(Turn(min(queued.pop(pk), key=lambda job: job.submitted_at), why))
        else:
            this_pass.fit.add(pk)


def _unfit(this_pass: Pass, tenant: Tenant, row: TenantNamespace | None) -> str:
    """Why nothing can be started for the tenant; empty: nothing is in the way."""
    if not tenant.is_active:
        return "The tenant is deactivated; its jobs wait until the operator activates it."
    here = this_pass.cluster
    if tenant.pk in this_pass.fit or (row and not row.problem and is_applied(row, spec_of(tenant, here), here)):
        return ""
    return ensure(this_pass, tenant)


def _explain(this_pass: Pass, waits: list[Turn]) -> None:
    moves = []
    for turn in waits:
        job, why = turn.job, turn.why
        if job.attempt > 1:
            why = f"Attempt {job.attempt} of {settings.MAX_ATTEMPTS}: {why}"
        if (job.reason, job.message) != (turn.reason, why):
            moves.append(Move(job, job.status, turn.reason, why))
    record(this_pass, moves, name=lambda job: f"place of job {job.job_id}")
