"""A tenant's line: who is where in it, what is in the way, and how much of that is free. Counted when it is asked for,
by one statement whose cost does not grow with the line."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulations import machines
from simulations.models import Job
from tenants import plain_sql
from tenants.models import Tenant

# Both are `sumok8_line`'s, the database's function.
COUNTED = 1000  # places told exactly; a job further back has place COUNTED + 1
ORDER = "priority_class DESC, priority DESC, submitted_at, job_id"  # the dispatcher's
BESIDE_JOB = (
    "CASE WHEN o.status = 'PENDING' AND o.dispatched_at IS NULL THEN sumok8_line(o.tenant_id, ARRAY[o.job_id]) END"
)


@dataclass(frozen=True)
class Head:
    """The first job of the line that the tenant's limits allow at all: the others wait behind it."""

    cpu: int
    memory_gi: int
    message: str


@dataclass(frozen=True)
class Line:
    """What a tenant's started jobs hold, and where some of its waiting ones stand."""

    limits: Tenant
    slots: int
    cpu: int
    memory_gi: int
    head: Head | None
    places: Mapping[uuid.UUID, int]

    @property
    def limits_alone(self) -> bool:
        """Nothing is known to be in the way of the first but the tenant's own limits: no full cluster, no budget."""
        if self.head is None:
            return False
        full = self.slots >= self.limits.max_concurrent_jobs or bool(self._lacking(self.head))
        return full or self.head.message == Job.UNEXPLAINED

    def place(self, job: Job) -> int:
        """1 is next."""
        return self.places.get(job.pk, COUNTED + 1)

    def sentence(self, job: Job) -> str:
        """Where a queued job stands and what is in the way."""
        limits = self.limits
        if job.cpu_request > limits.max_cpu or job.memory_gi > limits.max_memory_gi:
            return (
                f"It needs {job.cpu_request} CPUs and {job.memory_gi} Gi; the tenant may use {limits.max_cpu} CPUs and "
                f"{limits.max_memory_gi} Gi by now. Cancel it, or ask the operator for more."
            )
        if refusal := machines.refusal(job.cpu_request, job.memory_gi, limits.cluster_id):
            return refusal
        place = self.place(job)
        where = ordinal(place)
        if self.slots < limits.max_concurrent_jobs and self.head is not None:
            if lacking := self._lacking(self.head):
                return f"{where}; {'' if place == 1 else 'the first '}needs {lacking}."
            if self.head.message != Job.UNEXPLAINED:  # the limits leave room: the reconciler knows what does not
                return f"{where}. {self.head.message}"
        return f"{where}; {self.slots} of {limits.max_concurrent_jobs} slots in use."

    def _lacking(self, head: Head) -> str:
        wanted = (
            (head.cpu, self.limits.max_cpu, self.cpu, "CPU" if head.cpu == 1 else "CPUs"),
            (head.memory_gi, self.limits.max_memory_gi, self.memory_gi, "Gi of memory"),
        )
        return ", and ".join(
            f"{need} {unit}; {max(0, limit - used)} of {limit} are free"
            for need, limit, used, unit in wanted
            if need > limit - used
        )


def ordinal(place: int) -> str:
    """`Next in line`, `2nd in line`, …"""
    if place == 1:
        return "Next in line"
    if place > COUNTED:
        return f"More than {COUNTED:,} are before it in line"
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place:,}{ending} in line"


def line_for(tenant: Tenant, jobs: Iterable[Job]) -> Line | None:
    """The tenant's line as it is now, with the places of those of its `jobs` that wait; None if none of them does."""
    waiting = [job.pk for job in jobs if job.is_queued]
    if not waiting:
        return None
    with plain_sql.cursor() as cursor:
        cursor.execute("SELECT sumok8_line(%s, %s)", (tenant.pk, waiting))
        return line_of(tenant, cursor.fetchone()[0])


def line_of(tenant: Tenant, told: dict[str, Any] | None) -> Line | None:
    """As the database's function tells it of that tenant."""
    if told is None:
        return None
    return Line(
        limits=tenant,
        slots=told["slots"],
        cpu=told["cpu"],
        memory_gi=told["memory_gi"],
        head=Head(*told["head"]) if told["head"] else None,
        places={uuid.UUID(job_id): place for job_id, place in (told["places"] or {}).items()},
    )
