"""What the overview shows: each function makes one section's context, with a fixed number of queries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery, Sum
from django.utils import timezone

from clusterops.attention.gathering import drift
from clusterops.contract import Node
from clusterops.dashboard.clusters import Chosen
from clusterops.gateway.snapshot_cache import LatestSnapshot
from clusterops.models import ReconcilerState
from simulations.attention import SILENT_AFTER
from simulations.models import WAITS, Job, JobCount
from tenants.models import Tenant

ROWS = 30  # of each list; the rest is a link
TENANT_ROWS = 20
JOINING_FOR = timedelta(minutes=10)
DISPATCHED = Q(dispatched_at__isnull=False)
LIST_COLUMNS = (
    "job_id", "tenant_id", "status", "reason", "message", "submitted_at", "started_at", "finished_at",
    "cpu_request", "memory_gi", "progress", "cancel_requested_at", "scenario_data", "attempt", "node_name",
    "dispatched_at", "cluster_id",
)  # fmt: skip


def health(place: Chosen, latest: LatestSnapshot) -> dict[str, Any]:
    """One query: the reconciler's last pass; is the cluster reachable, is anything amiss."""
    state = ReconcilerState.get(place.cluster.pk)
    late = state.pass_finished_at is None or timezone.now() - state.pass_finished_at > SILENT_AFTER
    last_good_at = max(filter(None, (latest.last_good_at, state.last_success_at)), default=None)
    return {
        "latest": latest,
        "reconciler": state,
        "reconciler_late": late,
        "last_good_at": last_good_at,
        "compared": not late and state.cluster_reachable is True and not state.error,  # else nothing is claimed
        "drift": [f"{count} {words}" for words, count in drift(state).items()],
    }


def summary(place: Chosen) -> dict[str, Any]:
    """Four queries: the numbers at the top. Queued with us, reserved in the cluster and running are three things."""
    latest, of_jobs = place.latest, place.of("cluster")
    in_hand = Job.objects.in_hand().filter(of_jobs, dispatched_at__isnull=False)
    reserved = in_hand.aggregate(
        running=Count("pk", filter=~WAITS),
        starting=Count("pk", filter=WAITS),
        for_node=Count("pk", filter=Q(reason=Job.Reason.WAITING_FOR_NODE)),
        cpu=Sum("cpu_request", default=0),
    )
    total = JobCount.objects.filter(place.of("tenant__cluster")).total()
    oldest = (
        Job.objects.queued().filter(of_jobs).order_by("submitted_at").values_list("submitted_at", flat=True).first()
    )
    counts = reserved | {
        "queued": max(0, total.active - reserved["running"] - reserved["starting"]),  # counted at two moments
        "oldest": oldest if total.queued else None,
    }
    ended = (
        _finished_since(timezone.now() - timedelta(hours=1))
        .filter(of_jobs)
        .aggregate(
            succeeded=Count("pk", filter=Q(status=Job.Status.SUCCEEDED)),
            failed=Count("pk", filter=Q(status=Job.Status.FAILED)),
        )
    )
    nodes = latest.current.nodes if latest.current else ()
    capacity = {
        "nodes": len(nodes),
        "ready": sum(node.ready for node in nodes),
        "cpu": sum(node.cpu for node in nodes),
        "cpu_requested": sum(node.cpu_requested for node in nodes),
        "memory": sum(node.memory for node in nodes),
        "memory_requested": sum(node.memory_requested for node in nodes),
    }
    return {"counts": counts, "ended": ended, "capacity": capacity, **health(place, latest)}


def jobs(place: Chosen) -> dict[str, Any]:
    """Three queries: what runs, what waits and why, what failed in the last hour."""
    listed = Job.objects.filter(place.of("cluster")).only(*LIST_COLUMNS)
    running = listed.running().order_by("-submitted_at")
    waiting = listed.waiting().order_by("submitted_at")
    failed = listed.filter(status=Job.Status.FAILED, finished_at__gt=timezone.now() - timedelta(hours=1))
    lists = {"running": running, "waiting": waiting, "failed": failed.order_by("-finished_at")}
    context: dict[str, Any] = {"latest": place.latest}
    for name, rows in lists.items():
        found = list(rows[: ROWS + 1])
        context[name] = found[:ROWS]
        context[f"more_{name}"] = len(found) > ROWS
    return context


@dataclass(frozen=True)
class NodeRow:
    """A node and what an operator would call its state."""

    node: Node
    state: str


def nodes(latest: LatestSnapshot) -> dict[str, Any]:
    """No query: the machines, troubled ones first, then by name."""
    snapshot = latest.snapshot
    now = timezone.now()
    rows = [NodeRow(node, state_of(node, now)) for node in snapshot.nodes] if snapshot else []
    rows.sort(key=lambda row: (row.state == "Ready", row.node.name))
    return {"rows": rows, "latest": latest}


def state_of(node: Node, now: datetime) -> str:
    """Ready, Joining (young, not ready yet), Leaving (takes no more pods), or Not ready."""
    if not node.ready:
        young = node.created_at is not None and now - node.created_at < JOINING_FOR
        return "Joining" if young else "Not ready"
    return "Ready" if node.schedulable else "Leaving"


@dataclass(frozen=True)
class TenantRow:
    """A tenant's limits beside what it uses: started jobs count, queued ones wait."""

    tenant: Tenant
    cpu: int
    memory_gi: int
    started: int
    queued: int
    oldest: datetime | None

    @property
    def problem(self) -> str:
        """Why its jobs cannot start, if the reconciler says so."""
        place = getattr(self.tenant, "cluster_namespace", None)
        return place.problem if place else ""


def tenants(place: Chosen, *, show_all: bool = False) -> dict[str, Any]:
    """Two queries, neither of which walks the queue: tenants with jobs first, the longest waiting on top."""
    started: dict[str, tuple[int, int, int]] = {
        pk: (cpu, memory_gi, count)
        for pk, cpu, memory_gi, count in Job.objects.in_hand()
        .filter(place.of("cluster"), DISPATCHED)
        .order_by()
        .values_list("tenant_id")
        .annotate(Sum("cpu_request"), Sum("memory_gi"), Count("pk"))
    }
    waiting = Job.objects.filter(tenant=OuterRef("pk"), status=Job.Status.PENDING).order_by("submitted_at")
    found = Tenant.objects.filter(place.of("cluster")).select_related("cluster_namespace", "job_count")
    rows = []
    for tenant in found.annotate(oldest=Subquery(waiting.values("submitted_at")[:1])):
        cpu, memory_gi, count = started.get(tenant.pk, (0, 0, 0))
        active = tenant.job_count.active if hasattr(tenant, "job_count") else 0
        rows.append(TenantRow(tenant, cpu, memory_gi, count, max(0, active - count), tenant.oldest))
    never = timezone.now() + timedelta(days=1)
    rows.sort(key=lambda row: (row.oldest or never, -row.started, row.tenant.tenant_id))
    shown = rows if show_all else rows[:TENANT_ROWS]
    return {"rows": shown, "total": len(rows), "hidden": len(rows) - len(shown), "show_all": show_all}


def _finished_since(moment: datetime) -> Any:
    return Job.objects.filter(finished_at__gt=moment).order_by()
