"""What the admin's home shows: three queries, whatever the size of the installation."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from clusterops.models import ReconcilerState
from simulations.models import Job
from tenants.models import Tenant

LATE_AFTER = timedelta(minutes=2)  # four missed passes of the reconciler


@dataclass(frozen=True)
class Tile:
    """A number that leads to what it counts; `kind` colours it: bad, warn, info or empty."""

    name: str
    count: int
    note: str
    url: str
    kind: str = ""


@dataclass(frozen=True)
class Health:
    kind: str
    word: str
    sentence: str


def home() -> dict[str, Any]:
    """The context of the admin's home."""
    hour_ago = timezone.now() - timedelta(hours=1)
    failed_lately = Q(status=Job.Status.FAILED, finished_at__gt=hour_ago)
    counts = Job.objects.filter(Q(status__in=Job.ACTIVE) | failed_lately).aggregate(
        running=Count("pk", filter=Q(status=Job.Status.RUNNING)),
        starting=Count("pk", filter=Q(status=Job.Status.PENDING, dispatched_at__isnull=False)),
        queued=Count("pk", filter=Q(status=Job.Status.PENDING, dispatched_at=None)),
        failed=Count("pk", filter=failed_lately),
    )
    tenants = Tenant.objects.aggregate(
        all=Count("pk"),
        active=Count("pk", filter=Q(is_active=True)),
        paused=Count("pk", filter=Q(is_active=True, submissions_paused=True)),
    )
    jobs = reverse("admin:simulations_job_changelist")
    since = hour_ago.strftime("%Y-%m-%d %H:%M:%S+00:00").replace(" ", "%20").replace("+", "%2B")
    tiles = [
        Tile("running", counts["running"], f"{counts['starting']} starting", f"{jobs}?status__exact=RUNNING", "info"),
        Tile("queued", counts["queued"], "wait for a free slot", f"{jobs}?status__exact=PENDING"),
        Tile(
            "failed in the last hour",
            counts["failed"],
            "each says why" if counts["failed"] else "all is well",
            f"{jobs}?status__exact=FAILED&finished_at__gte={since}",
            "bad" if counts["failed"] else "",
        ),
        Tile(
            "active tenants",
            tenants["active"],
            f"{tenants['all'] - tenants['active']} inactive, {tenants['paused']} paused",
            reverse("admin:tenants_tenant_changelist"),
        ),
    ]
    return {"tiles": tiles, "health": health(ReconcilerState.get())}


def health(state: ReconcilerState) -> Health:
    """One sentence on the reconciler and the cluster, the worst first."""
    if state.pass_finished_at is None:
        return Health("warn", "Not started", "The reconciler has not run yet: start `manage.py reconcile_jobs`.")
    ago = timesince(state.pass_finished_at)
    if timezone.now() - state.pass_finished_at > LATE_AFTER:
        return Health("bad", "Stopped", f"The reconciler's last pass ended {ago} ago: jobs neither start nor end.")
    if state.cluster_reachable is False:
        said = "Submissions are kept and run once the cluster answers again."
        return Health("bad", "Cluster unreachable", f"{said} {state.error}".strip())
    if state.error:
        return Health("warn", "Trouble", f"The last pass ended early: {state.error}")
    return Health("ok", "Healthy", f"The cluster answers; the last pass ended {ago} ago.")
