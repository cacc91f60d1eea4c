"""The heads of the tenants' lines: all that a pass reads of the queue, however long it is."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clusterops.policy.fair_share import Resources
from simulations.models import Job
from simulations.waiting import ORDER
from tenants.clusters import FIRST
from tenants.models import Tenant

# The first of a line tells why its tenant waits, whatever it asks for; the others are those that the tenant's limits
# allow at all. `jobs_line` is the index of both.
HEADS = """
SELECT {columns} FROM unnest(%(tenants)s::varchar[], %(numbers)s::int[], %(max_cpu)s::int[], %(max_memory_gi)s::int[])
  AS t (tenant_id, number, max_cpu, max_memory_gi)
CROSS JOIN LATERAL (
  (SELECT * FROM jobs WHERE {line} ORDER BY {order} LIMIT 1)
  UNION ALL
  (SELECT * FROM jobs WHERE {line} AND cpu_request <= t.max_cpu AND memory_gi <= t.max_memory_gi
   ORDER BY {order} LIMIT t.number)
) j
"""
LINE = """jobs.tenant_id = t.tenant_id AND status = 'PENDING' AND dispatched_at IS NULL AND cancel_requested_at IS NULL
  AND cluster_id = %(cluster)s
  AND job_id <> ALL (%(left_out)s::uuid[])"""


@dataclass(frozen=True)
class Wanted:
    """How many jobs at the head of a tenant's line, none larger than its limits and the largest machine."""

    tenant_id: str
    number: int
    max_cpu: int
    max_memory_gi: int

    @classmethod
    def of(cls, tenant: Tenant, number: int, bound: Resources | None) -> "Wanted":
        if bound is None:
            return cls(tenant.pk, number, tenant.max_cpu, tenant.max_memory_gi)
        cpu, memory_gi = min(tenant.max_cpu, int(bound.cpu)), min(tenant.max_memory_gi, int(bound.memory_gi))
        return cls(tenant.pk, number, cpu, memory_gi)


def heads(
    wanted: Iterable[Wanted], columns: Iterable[str], left_out: Iterable[uuid.UUID], cluster_id: int = FIRST
) -> Mapping[str, list[Job]]:
    """Per tenant the first jobs that wait to be given to the cluster, with these columns: one query.

    Those wished to end are not among them, nor those left out.
    """
    rows = [(each.tenant_id, each.number, each.max_cpu, each.max_memory_gi) for each in wanted]
    found: dict[str, dict[uuid.UUID, Job]] = {}
    if not rows:
        return {}
    tenants, numbers, max_cpu, max_memory_gi = (list(column) for column in zip(*rows, strict=True))
    statement = HEADS.format(columns=", ".join(f"j.{name}" for name in columns), line=LINE, order=ORDER)
    values = {"tenants": tenants, "numbers": numbers, "max_cpu": max_cpu, "max_memory_gi": max_memory_gi}
    for job in Job.objects.raw(statement, {**values, "left_out": list(left_out), "cluster": cluster_id}):
        found.setdefault(job.tenant_id, {})[job.pk] = job
    return {tenant_id: list(jobs.values()) for tenant_id, jobs in found.items()}
