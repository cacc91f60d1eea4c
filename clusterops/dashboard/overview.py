"""What the overview shows: each function makes one section's context, with a fixed number of queries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone

from clusterops.attention.gathering import drift
from clusterops.contract import Node
from clusterops.dashboard.capacity import HATCH, Box, capacity
from clusterops.dashboard.clusters import Chosen
from clusterops.gateway.snapshot_cache import LatestSnapshot
from clusterops.models import ReconcilerState
from simulations.attention import SILENT_AFTER
from simulations.models import WAITS, Job, JobCount
from simulations.models.columns import FOR_LIST

NODE_ROWS = 200
ROWS = 30  # of each list; the rest is a link
JOINING_FOR = timedelta(minutes=10)


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


def job_counts(place: Chosen | None = None) -> dict[str, Any]:
    """Two queries, of one cluster or of all. Queued with us, reserved in the cluster (running and starting) and running
    are three things, and counted so wherever they are shown."""
    in_hand = Job.objects.in_hand().filter(place.of("cluster") if place else Q(), dispatched_at__isnull=False)
    reserved = in_hand.aggregate(
        running=Count("pk", filter=~WAITS),
        starting=Count("pk", filter=WAITS),
        for_node=Count("pk", filter=Q(reason=Job.Reason.WAITING_FOR_NODE)),
        cpu=Sum("cpu_request", default=0),
    )
    active = JobCount.objects.filter(place.of("tenant__cluster") if place else Q()).total().active
    return reserved | {"queued": max(0, active - reserved["running"] - reserved["starting"])}  # counted at two moments


def summary(place: Chosen) -> dict[str, Any]:
    """Four queries: the numbers at the top."""
    latest, counts, own = place.latest, job_counts(place), place.of("cluster")
    line = Job.objects.queued().filter(own).order_by("submitted_at")
    counts["oldest"] = line.values_list("submitted_at", flat=True).first() if counts["queued"] else None
    ended = (
        _finished_since(timezone.now() - timedelta(hours=1))
        .filter(own)
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
    listed = Job.objects.filter(place.of("cluster")).only(*FOR_LIST)
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
    """A node, what an operator would call its state, and who holds what of it."""

    node: Node
    state: str
    box: Box


def nodes(latest: LatestSnapshot) -> dict[str, Any]:
    """Three queries at most: the machines, troubled ones first, then by name."""
    snapshot, now = latest.snapshot, timezone.now()
    whole = capacity(snapshot)
    rows = (
        [NodeRow(node, state_of(node, now), whole.boxes[node.name]) for node in snapshot.nodes]
        if snapshot and whole
        else []
    )
    rows.sort(key=lambda row: (row.state == "Ready", row.node.name))
    shown = rows[:NODE_ROWS]
    return {"rows": shown, "hidden": len(rows) - len(shown), "latest": latest, "whole": whole, "hatch": HATCH}


def state_of(node: Node, now: datetime) -> str:
    """Ready, Joining (young, not ready yet), Leaving (takes no more pods), or Not ready."""
    if not node.ready:
        young = node.created_at is not None and now - node.created_at < JOINING_FOR
        return "Joining" if young else "Not ready"
    return "Ready" if node.schedulable else "Leaving"


def _finished_since(moment: datetime) -> Any:
    return Job.objects.filter(finished_at__gt=moment).order_by()
