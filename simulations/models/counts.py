"""How many jobs of a tenant have not ended: kept by the database itself, since counting rows walks the queue."""

from typing import ClassVar

from django.db import connection, models, transaction
from django.db.models import Sum

from tenants.models import Tenant


class JobCountQuerySet(models.QuerySet["JobCount"]):
    def total(self) -> "JobCount":
        """All tenants' together, as an unsaved row."""
        names = ("queued", "pending", "running")
        sums = self.aggregate(**{name: Sum(name, default=0) for name in names})
        return JobCount(**sums)


class JobCount(models.Model):
    """Written by triggers on `jobs` alone (migration 0021), in the transaction that changes the jobs."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="job_count")
    queued = models.IntegerField(default=0, help_text="PENDING, and not given to the cluster.")
    pending = models.IntegerField(default=0, help_text="All that are PENDING.")
    running = models.IntegerField(default=0)

    objects: ClassVar = JobCountQuerySet.as_manager()

    class Meta:
        db_table = "job_counts"

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.queued} queued, {self.active} active"

    @property
    def active(self) -> int:
        return self.pending + self.running


def mend_counts() -> list[str]:
    """Count anew from the rows; the tenants whose counts were wrong, which only a hand past the triggers can bring
    about. Safe while everything runs, but jobs are not changed while it counts."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(MEND)
        return [tenant_id for (tenant_id,) in cursor.fetchall()]


MEND = """
INSERT INTO job_counts AS c (tenant_id, queued, pending, running)
SELECT t.tenant_id, count(*) FILTER (WHERE status = 'PENDING' AND dispatched_at IS NULL),
  count(*) FILTER (WHERE status = 'PENDING'), count(*) FILTER (WHERE status = 'RUNNING')
FROM tenants t LEFT JOIN jobs j ON j.tenant_id = t.tenant_id AND j.status IN ('PENDING', 'RUNNING')
GROUP BY t.tenant_id HAVING count(j.job_id) > 0 OR EXISTS (SELECT 1 FROM job_counts k WHERE k.tenant_id = t.tenant_id)
ON CONFLICT (tenant_id) DO UPDATE SET queued = EXCLUDED.queued, pending = EXCLUDED.pending, running = EXCLUDED.running
  WHERE (c.queued, c.pending, c.running) <> (EXCLUDED.queued, EXCLUDED.pending, EXCLUDED.running)
RETURNING tenant_id
"""
