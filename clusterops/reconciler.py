"""One level-triggered pass: list → decide → act → record → release → dispatch → repair → sweep → sum up.

Nothing is remembered from pass to pass but pacing: each pass compares all wishes with all that is there.
"""

import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone

from clusterops import errors
from clusterops.cancelling import cancel_untouched
from clusterops.capture import capture_live_logs, release_finished
from clusterops.contract import ClusterSnapshot
from clusterops.dispatch import dispatch
from clusterops.gateway import Gateway
from clusterops.models import ClusterSample, ReconcilerState
from clusterops.passing import Counts, Memory, Pass, Stopped, log
from clusterops.settle import active_jobs, confirm, settle
from clusterops.spaces import keep_spaces
from clusterops.sweep import sweep
from simulations.models import Job

SAMPLE_EVERY_S = 60
SAMPLES_KEPT = timedelta(days=7)

__all__ = ["Counts", "Memory", "Pass", "reconcile_once"]


def reconcile_once(gateway: Gateway, memory: Memory | None = None) -> Pass:
    """One pass. A cluster that does not answer ends it early, is recorded, and raises nothing.

    Database errors are raised: without the database there is nothing to reconcile.
    """
    this = Pass(gateway=gateway, memory=memory or Memory(), now=timezone.now())
    problem = ""
    try:
        _run(this)
    except Stopped:
        problem = "Stopped in the middle of a pass."
    except errors.GatewayError as error:
        problem = str(error)
        this.rest_s = max(this.rest_s, error.retry_after_s or 0.0)
    _sum_up(this, time.monotonic() - this.begun, problem)
    return this


def _run(this: Pass) -> None:
    cancel_untouched(this)
    # Rows before lists: whatever a row says was made is then in the lists, unless it is gone.
    this.jobs = active_jobs()
    this.counts.jobs = len(this.jobs)
    snapshot = None
    if this.memory.due("sample", SAMPLE_EVERY_S):
        runs, snapshot = this.gateway.list_runs_and_snapshot()
    else:
        runs = this.gateway.list_runs()
    this.counts.runs = len(runs)
    this.look(runs)
    settle(this)
    confirm(this)
    release_finished(this)
    keep_spaces(this)
    dispatch(this)
    capture_live_logs(this)
    sweep(this)
    _count(this)
    if snapshot:
        _sample(this, snapshot)


def _count(this: Pass) -> None:
    for job in this.jobs:
        if job.is_finished:
            continue
        if job.status == Job.Status.RUNNING:
            this.counts.running += 1
        elif job.dispatched_at:
            this.counts.starting += 1
        else:
            this.counts.queued += 1


def _sample(this: Pass, snapshot: ClusterSnapshot) -> None:
    nodes = snapshot.nodes
    ClusterSample.objects.create(
        at=this.now,
        running=this.counts.running,
        queued=this.counts.queued,
        starting=this.counts.starting,
        nodes=len(nodes),
        nodes_ready=sum(node.ready for node in nodes),
        cpu_requested=sum(usage["cpu"] for usage in snapshot.usage_by_namespace.values()),
        cpu_allocatable=sum(node.cpu for node in nodes),
        memory_requested=sum(usage["memory"] for usage in snapshot.usage_by_namespace.values()),
        memory_allocatable=sum(node.memory for node in nodes),
    )
    ClusterSample.objects.filter(at__lt=this.now - SAMPLES_KEPT).delete()
    ReconcilerState.objects.update_or_create(
        pk=1, defaults={"snapshot": _as_json(snapshot), "snapshot_at": snapshot.taken_at}
    )


def _as_json(snapshot: ClusterSnapshot) -> dict[str, Any]:
    """Without the runs: those are rows of ours already."""
    nodes = []
    for node in snapshot.nodes:
        nodes.append(asdict(node) | {"created_at": node.created_at.isoformat() if node.created_at else None})
    return {
        "taken_at": snapshot.taken_at.isoformat(),
        "nodes": nodes,
        "pods_by_phase": dict(snapshot.pods_by_phase),
        "jobs": dict(snapshot.jobs),
        "usage_by_namespace": {name: dict(usage) for name, usage in snapshot.usage_by_namespace.items()},
    }


def _sum_up(this: Pass, duration_s: float, problem: str) -> None:
    state: dict[str, Any] = {
        "pass_started_at": this.now,
        "pass_finished_at": timezone.now(),
        "pass_duration_s": round(duration_s, 3),
        "counts": this.summary(),
        "cluster_reachable": this.seen,
        "error": problem,
    }
    if this.seen:
        state["last_success_at"] = this.now
    row, _ = ReconcilerState.objects.get_or_create(pk=1)
    ReconcilerState.objects.filter(pk=1).update(passes=row.passes + 1, **state)
    told = " ".join(f"{name}={value}" for name, value in this.summary().items() if value)
    if problem:
        log.warning("pass ended early after %.2f s: %s (%s)", duration_s, problem, told)
    else:
        quiet = not (this.counts.changed or this.counts.created or this.counts.errors or this.counts.deleted)
        log.log(10 if quiet else 20, "pass took %.2f s: %s", duration_s, told or "nothing to do")
