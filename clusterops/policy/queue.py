"""Whose job is next. Pure: tenants take turns; within a tenant priority, then age, while its limits last."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from simulations.models import Job
from tenants.models import Tenant


@dataclass
class Room:
    """What a tenant may still use."""

    slots: int
    cpu: int
    memory_gi: int

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

    def fits(self, job: Job) -> bool:
        return self.slots >= 1 and job.cpu_request <= self.cpu and job.memory_gi <= self.memory_gi


@dataclass(frozen=True)
class Turn:
    """A job that may start now, or (with `why`) the first of its tenant's that cannot."""

    job: Job
    why: str = ""


def turns(queued: Mapping[str, list[Job]], rooms: Mapping[str, Room], tenants: Mapping[str, Tenant]) -> Iterator[Turn]:
    """One job per tenant and round, tenants by name.

    Nobody overtakes: a large job is not starved by small ones behind it. Only a job beyond the tenant's limits, which
    were lowered after its submission, lets the others pass.
    """
    lines = {tenant_id: _line(queued[tenant_id], tenants[tenant_id]) for tenant_id in sorted(queued)}
    while lines:
        for tenant_id in list(lines):
            job, why = next(lines[tenant_id], (None, ""))
            if job is None:
                del lines[tenant_id]
            elif why:
                yield Turn(job, why)
            elif rooms[tenant_id].fits(job):
                rooms[tenant_id].take(job)
                yield Turn(job)
            else:
                yield Turn(job, _why_not(job, rooms[tenant_id], tenants[tenant_id]))
                del lines[tenant_id]


def _line(jobs: list[Job], tenant: Tenant) -> Iterator[tuple[Job, str]]:
    # A job that ran before and lost its machine keeps its place at the front.
    for job in sorted(
        jobs, key=lambda job: (job.status != Job.Status.RUNNING, -job.priority, job.submitted_at, job.pk)
    ):
        too_much = job.cpu_request > tenant.max_cpu or job.memory_gi > tenant.max_memory_gi
        why = (
            f"It asks for {job.cpu_request} CPUs and {job.memory_gi} Gi; the tenant's limits were lowered to "
            f"{tenant.max_cpu} CPUs and {tenant.max_memory_gi} Gi. Cancel it, or ask the operator for more."
        )
        yield job, why if too_much else ""


def _why_not(job: Job, room: Room, tenant: Tenant) -> str:
    if room.slots < 1:
        return "Waiting for a free slot."
    return (
        f"Next in line: it needs {job.cpu_request} CPUs and {job.memory_gi} Gi; {max(0, room.cpu)} of "
        f"{tenant.max_cpu} CPUs and {max(0, room.memory_gi)} of {tenant.max_memory_gi} Gi are free."
    )
