"""The dashboard, a job's page and a tenant's lists over 10,000 jobs, 200 tenants and 50 nodes."""

import time
from typing import Any

from benchmarks.submission import queries_of
from benchmarks.tables import percentile

TIMES = 30


def measure() -> list[dict[str, Any]]:
    """Whole requests through Django in this process: what a worker spends, without the network."""
    from django.contrib.auth.models import User
    from django.test import Client

    from simulations.models import Job
    from tenants.models import ApiKey
    from tests.clusterops.dashboard import seed

    seed.fill(tenants=200, jobs=10_000)
    staff = Client(headers={"Host": "localhost"})
    staff.force_login(User.objects.create_superuser("bench"))
    job = Job.objects.filter(status=Job.Status.RUNNING).select_related("tenant").first() or Job.objects.first()
    assert job
    tenant = Client(
        headers={"Host": "localhost", "Authorization": f"Bearer {ApiKey.objects.issue(tenant=job.tenant)[1]}"}
    )
    rows = []
    for client, path in (
        (staff, "/cluster/"),
        (staff, f"/cluster/jobs/{job.pk}/"),
        (staff, "/cluster/jobs/"),
        (staff, "/admin/tenants/tenant/"),
        (staff, "/admin/simulations/job/"),
        (tenant, f"/jobs/{job.pk}"),
        (tenant, "/jobs"),
    ):
        rows.append(row_of(client, path, {str(job.pk): "<id>"}))
    return rows


def row_of(client: Any, path: str, names: dict[str, str]) -> dict[str, Any]:
    """A page's queries and times; `names`: what to write for the ids in its address."""
    _get(client, path)
    took = sorted(_get(client, path) for _ in range(TIMES))
    shown = path
    for text, name in names.items():
        shown = shown.replace(text, name)
    return {
        "page": shown,
        "queries": queries_of(lambda: _get(client, path)),
        "p50 ms": percentile(took, 0.5) * 1000,
        "p95 ms": percentile(took, 0.95) * 1000,
    }


def _get(client: Any, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    return time.perf_counter() - began
