"""The tenants: what each uses of its limits, and how long its jobs wait. Neither walks the queue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, OuterRef, Q, Subquery, Sum
from django.utils import timezone

from simulations.models import Job
from tenants.models import Tenant

SECTION_ROWS = 20
PAGE_ROWS = 100
JOBS = 50_000  # the newest of a week, of all tenants, are looked at for waits
DISPATCHED = Q(dispatched_at__isnull=False)
WAITS = """
SELECT tenant_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY wait), percentile_cont(0.95) WITHIN GROUP (ORDER BY wait)
FROM (
  SELECT tenant_id, extract(epoch FROM started_at - submitted_at)::float8 AS wait FROM jobs
  WHERE submitted_at > now() - interval '7 days' ORDER BY submitted_at DESC, job_id DESC LIMIT %s
) AS newest WHERE wait IS NOT NULL GROUP BY tenant_id
"""


@dataclass(frozen=True)
class TenantRow:
    """A tenant's limits beside what it uses: started jobs count, queued ones wait."""

    tenant: Tenant
    cpu: int
    memory_gi: int
    started: int
    queued: int
    oldest: datetime | None
    median_s: float | None = None
    p95_s: float | None = None

    @property
    def problem(self) -> str:
        """Why its jobs cannot start, if the reconciler says so."""
        place = getattr(self.tenant, "cluster_namespace", None)
        return place.problem if place else ""

    @property
    def is_at_limit(self) -> bool:
        """Nothing more of it can start now."""
        limits = self.tenant
        return (
            self.started >= limits.max_concurrent_jobs
            or self.cpu >= limits.max_cpu
            or self.memory_gi >= limits.max_memory_gi
        )


def section(of: Q) -> dict[str, Any]:
    """For the overview, two queries: the longest waiting on top. `of`: of a cluster."""
    rows = _sorted(_rows({}, of), "waiting")
    shown = rows[:SECTION_ROWS]
    return {"rows": shown, "total": len(rows), "hidden": len(rows) - len(shown)}


def page(query: Mapping[str, str]) -> dict[str, Any]:
    """The whole list, three queries: `sort` by one of SORTS, `at=limit` for those at a limit now, `q` in the name."""
    sort = query.get("sort", "") if query.get("sort") in SORTS else "waiting"
    find = query.get("q", "").strip()[:40]
    rows = [row for row in _sorted(_rows(_waits(), Q()), sort) if find in row.tenant.tenant_id]
    at_limit = sum(row.is_at_limit for row in rows)
    only = query.get("at") == "limit"
    if only:
        rows = [row for row in rows if row.is_at_limit]
    number = int(query["page"]) if query.get("page", "").isascii() and query.get("page", "").isdigit() else 1
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    number = min(max(1, number), pages)
    return {
        "rows": rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS],
        "count": len(rows),
        "at_limit": at_limit,
        "only_at_limit": only,
        "find": find,
        "sort": sort,
        "sorts": [(name, words) for name, (words, _) in SORTS.items()],
        "page": number,
        "pages": pages,
    }


def _rows(waits: Mapping[str, tuple[float, float]], of: Q) -> list[TenantRow]:
    started: dict[str, tuple[int, int, int]] = {
        pk: (cpu, memory_gi, count)
        for pk, cpu, memory_gi, count in Job.objects.in_hand()
        .filter(of, DISPATCHED)
        .order_by()
        .values_list("tenant_id")
        .annotate(Sum("cpu_request"), Sum("memory_gi"), Count("pk"))
    }
    waiting = Job.objects.filter(tenant=OuterRef("pk"), status=Job.Status.PENDING).order_by("submitted_at")
    found = Tenant.objects.filter(of).select_related("cluster_namespace", "job_count")
    rows = []
    for tenant in found.annotate(oldest=Subquery(waiting.values("submitted_at")[:1])):
        cpu, memory_gi, count = started.get(tenant.pk, (0, 0, 0))
        active = tenant.job_count.active if hasattr(tenant, "job_count") else 0
        queued = max(0, active - count)
        rows.append(
            TenantRow(tenant, cpu, memory_gi, count, queued, tenant.oldest, *waits.get(tenant.pk, (None, None)))
        )
    return rows


def _waits() -> dict[str, tuple[float, float]]:
    """Median and the wait that 19 of 20 stayed below, in seconds."""
    with connection.cursor() as cursor:
        cursor.execute(WAITS, [JOBS])
        return {tenant_id: (middle, long) for tenant_id, middle, long in cursor.fetchall()}


Key = Callable[[TenantRow], Any]
FAR = timedelta(days=1)
SORTS: dict[str, tuple[str, Key]] = {
    "waiting": ("longest waiting now", lambda row: (row.oldest or timezone.now() + FAR, -row.started)),
    "waited": ("waited most in 7 days", lambda row: -(row.p95_s or 0)),
    "queued": ("most queued", lambda row: -row.queued),
    "started": ("most running", lambda row: -row.started),
    "name": ("name", lambda row: ()),
}


def _sorted(rows: list[TenantRow], sort: str) -> list[TenantRow]:
    key = SORTS[sort][1]
    return sorted(rows, key=lambda row: (key(row), row.tenant.tenant_id))
