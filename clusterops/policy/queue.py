"""Whose job is next. Pure.

Within a tenant: class, then priority, then age, while its limits last. Among tenants: `fair_share`. Nobody is overtaken
for ever: a job that has found no room in the cluster for a while has room kept free for it.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from clusterops.policy.budget import Allowance
from clusterops.policy.capacity import Capacity
from clusterops.policy.fair_share import Claim, used_in_words
from simulations.models import Job
from tenants.models import Tenant


@dataclass
class Room:
    """What a tenant may still use."""

    slots: int
    cpu: int
    memory_gi: int
    allowance: Allowance | None = None  # of its budget; None: nothing is stopped by one

    @classmethod
    def of(cls, tenant: Tenant, started: Iterable[Job]) -> "Room":
        """The tenant's limits less what its `started` (dispatched, not ended) jobs hold."""
        room = cls(tenant.max_concurrent_jobs, tenant.max_cpu, tenant.max_memory_gi)
        for job in started:
            room.take(job)
        return room

    def take(self, job: Job) -> None:
        self.slots -= 1
        self.cpu -= job.cpu_request
        self.memory_gi -= job.memory_gi
        if self.allowance:
            self.allowance.take(job)

    def fits(self, job: Job) -> bool:
        return self.slots >= 1 and job.cpu_request <= self.cpu and job.memory_gi <= self.memory_gi


@dataclass
class Turn:
    """A job that may start now, or (with `why`) the first of its tenant's that cannot."""

    job: Job
    why: str = ""
    reason: str = Job.Reason.QUEUED
    overtaken: bool = False  # known at the end: the cluster had no room for it, and then some for one after it


def turns(
    queued: Mapping[str, Iterable[Job]],
    rooms: Mapping[str, Room],
    tenants: Mapping[str, Tenant],
    claims: Mapping[str, Claim],
    capacity: Capacity,
    half_life: timedelta,
) -> Iterator[Turn]:
    """Job by job, each time of the tenant that has least for its weight; rooms, claims and capacity shrink with it.

    `queued`: the heads of the tenants' lines, of each as many as could start now, or whole lines. In a tenant's line
    nobody overtakes: a large job is not starved by small ones behind it. Only a job beyond what the tenant's limits, or
    the cluster's machines, could ever hold lets the others pass. Other tenants' jobs pass one that finds no room in the
    cluster, until room is kept.
    """
    lines, order = {}, []
    for tenant_id, claim in claims.items():
        if tenant_id in queued:
            line = list(_line(queued[tenant_id], tenants[tenant_id], capacity))
            lines[tenant_id] = iter(line)
            order.append((_is_owed_room(line, claim), claim.level(capacity.whole), tenant_id))
    heapq.heapify(order)
    no_room: list[Turn] = []
    while order:
        _, level, tenant_id = heapq.heappop(order)
        job, why = next(lines[tenant_id], (None, ""))
        if job is None:
            continue
        claim, room = claims[tenant_id], rooms[tenant_id]
        if why:
            yield Turn(job, why)
        elif not room.fits(job):
            yield Turn(job, _why_not(job, room, tenants[tenant_id]))
            continue
        elif room.allowance and not room.allowance.bears(job):
            yield Turn(job, room.allowance.why_not(job), Job.Reason.BUDGET_REACHED)
            continue
        elif not capacity.fits(job):
            no_room.append(Turn(job, _full(claim, capacity, half_life)))
            yield no_room[-1]
            if claim.is_owed_room(job):
                capacity.reserve(job)
            continue
        else:
            room.take(job)
            capacity.take(job)
            claim.take(job)
            level = claim.level(capacity.whole)
            for turn in no_room:
                turn.overtaken = True
            yield Turn(job)
        heapq.heappush(order, (0.0, level, tenant_id))


def _is_owed_room(line: Iterable[tuple[Job, str]], claim: Claim) -> float:
    """For sorting: such a job comes before all others, so that none takes its room; the longest overtaken first."""
    head = next((job for job, why in line if not why), None)
    return -claim.overtaken_for.total_seconds() if head and claim.is_owed_room(head) else 0.0


def _line(jobs: Iterable[Job], tenant: Tenant, capacity: Capacity) -> Iterator[tuple[Job, str]]:
    # A job that ran before and lost its machine keeps its place at the front.
    for job in sorted(
        jobs,
        key=lambda job: (
            *(job.status != Job.Status.RUNNING, -job.priority_class, -job.priority),
            *(job.submitted_at, job.pk),
        ),
    ):
        if job.cpu_request <= tenant.max_cpu and job.memory_gi <= tenant.max_memory_gi:
            yield job, capacity.never_fits(job)
            continue
        yield (
            job,
            (
                f"It asks for {job.cpu_request} CPUs and {job.memory_gi} Gi; the tenant's limits were lowered to "
                f"{tenant.max_cpu} CPUs and {tenant.max_memory_gi} Gi. Cancel it, or ask the operator for more."
            ),
        )


def _why_not(job: Job, room: Room, tenant: Tenant) -> str:
    if room.slots < 1:
        return "Waiting for a free slot."
    return (
        f"Next in line: it needs {job.cpu_request} CPUs and {job.memory_gi} Gi; {max(0, room.cpu)} of "
        f"{tenant.max_cpu} CPUs and {max(0, room.memory_gi)} of {tenant.max_memory_gi} Gi are free."
    )


def _full(claim: Claim, capacity: Capacity, half_life: timedelta) -> str:
    used = f"; your tenant used {used_in_words(claim.used_share, half_life)}" if claim.used_share is not None else ""
    kept = " Room is kept free for a job that has waited longer." if capacity.is_reserved else ""
    return f"The cluster is full{used}.{kept}"
