"""What the admin's home shows: what needs somebody, then the numbers; as cheap at any size."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from clusterops.dashboard import attention
from clusterops.dashboard.clusters import chosen
from clusterops.dashboard.overview import job_counts
from simulations.models import Job
from tenants.models import Tenant


@dataclass(frozen=True)
class Tile:
    """A number that leads to what it counts; `kind` colours it: bad, warn, info or empty."""

    name: str
    count: int
    note: str
    url: str
    kind: str = ""


def home() -> dict[str, Any]:
    """The context of the admin's home."""
    hour_ago = timezone.now() - timedelta(hours=1)
    now = job_counts()
    failed = Job.objects.filter(status=Job.Status.FAILED, finished_at__gt=hour_ago).count()
    tenants = Tenant.objects.aggregate(
        all=Count("pk"),
        active=Count("pk", filter=Q(is_active=True)),
        paused=Count("pk", filter=Q(is_active=True, submissions_paused=True)),
    )
    jobs = reverse("cluster:jobs")
    tiles = [
        Tile("running", now["running"], f"{now['starting']} starting", f"{jobs}?status=RUNNING", "info"),
        Tile("queued", now["queued"], "wait for a free slot", f"{jobs}?status=PENDING"),
        Tile(
            "failed in the last hour",
            failed,
            "each says why" if failed else "all is well",
            f"{jobs}?status=FAILED&ended=1h",
            "warn" if failed else "",
        ),
        Tile(
            "active tenants",
            tenants["active"],
            f"{tenants['all'] - tenants['active']} inactive, {tenants['paused']} paused",
            reverse("admin:tenants_tenant_changelist"),
        ),
    ]
    place = chosen({})
    return {"tiles": tiles, "attention": attention.section(place.latest, place.name)}
