"""One level-triggered pass: list → decide → record → repair → dispatch → capture, let go → sweep → sum up.

Nothing is remembered from pass to pass but pacing: each pass compares all wishes with all that is there.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from clusterops import errors
from clusterops.contract import ClusterSnapshot
from clusterops.gateway import Gateway
from clusterops.models import ClusterSample, ReconcilerState
from clusterops.reconciler.cancelling import cancel_untouched
from clusterops.reconciler.digest import tell
from clusterops.reconciler.dispatch import dispatch
from clusterops.reconciler.job_states import add_listed, confirm, jobs_in_hand, settle
from clusterops.reconciler.logs import capture
from clusterops.reconciler.measures import PASS_ERRORS, PASS_SECONDS, PASSES
from clusterops.reconciler.pass_state import Counts, Memory, Pass, Stopped, log
from clusterops.reconciler.room import learn
from clusterops.reconciler.shares import charge
from clusterops.reconciler.strays import sweep
from clusterops.reconciler.study_runs import start_study_runs
from clusterops.reconciler.tenant_spaces import keep_spaces
from simulations.models import Job, JobCount
from simulations.sumo.protocol.strict_json import clean, storable
from tenants import throttling

SAMPLE_EVERY_S = 60
SAMPLES_KEPT = timedelta(days=7)
MAX_ERROR = 1000  # characters

__all__ = ["Counts", "Memory", "Pass", "reconcile_once"]


def reconcile_once(gateway: Gateway, memory: Memory | None = None) -> Pass:
    """One pass. A cluster that does not answer, or an error of our own, ends it early, is recorded, and raises nothing.

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
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is: the next pass comes, and may do better
        log.exception("the pass failed")
        problem = f"The pass failed, which is our fault; the reconciler's log has more. {type(error).__name__}: {error}"
    _sum_up(this, time.monotonic() - this.begun, problem)
    if not this.memory.stop.is_set():
        with this.wall("operators' digest"):
            tell(this)
    return this


def start_more(this: Pass, *, until: float) -> None:
    """The dispatch of a pass that is over, once more; see `dispatch`. Raises database errors only."""
    before = this.counts.created
    try:
        with this.wall("dispatch"):
            dispatch(this, until)
    except (Stopped, errors.GatewayError):
        this.hungry = False  # `this.unreachable` says why
    if created := this.counts.created - before:
        log.info("started between passes: %d", created)


def _run(this: Pass) -> None:
    cancel_untouched(this)
    # Rows before lists: whatever a row says was made is then in the lists, unless it is gone.
    this.jobs = jobs_in_hand()
    this.counts.jobs = len(this.jobs)
    snapshot = None
    if this.memory.due("sample", SAMPLE_EVERY_S):
        runs, snapshot = this.gateway.list_runs_and_snapshot()
    else:
        runs = this.gateway.list_runs()
    this.counts.runs = len(runs)
    this.look(runs)
    add_listed(this)
    for what in snapshot.unreadable if snapshot else ():
        this.odd(what)
    if snapshot:
        with this.wall("the cluster's capacity"):
            learn(this, snapshot)
    settle(this)
    for name, step in STEPS.items():
        with this.wall(name):
            step(this)
    _count(this)
    if snapshot:
        with this.wall("sample of the cluster"):
            _sample(this, snapshot)
        with this.wall("rate limits that are whole again"):
            throttling.prune()


# Each behind its own wall: what breaks one of them does not keep the others from their work.
STEPS: dict[str, Callable[[Pass], None]] = {
    "confirmation": confirm,
    "fair shares": charge,
    "tenants' namespaces": keep_spaces,
    "studies": start_study_runs,
    "dispatch": dispatch,
    "logs and release": capture,
    "sweep": sweep,
}


def _count(this: Pass) -> None:
    this.counts.queued = JobCount.objects.all().total().queued
    for job in this.jobs:
        if job.is_finished:
            continue
        if job.dispatched_at is None:
            this.counts.queued += job.status == Job.Status.RUNNING  # the count knows the others
        elif job.waits:
            this.counts.starting += 1
        else:
            this.counts.running += 1


def _sample(this: Pass, snapshot: ClusterSnapshot) -> None:
    nodes = snapshot.nodes
    ClusterSample.objects.create(
        at=this.now,
        running=this.counts.running,
        queued=this.counts.queued,
        starting=this.counts.starting,
        nodes=len(nodes),
        nodes_ready=sum(node.ready for node in nodes),
        cpu_requested=sum(node.cpu_requested for node in nodes),
        cpu_allocatable=sum(node.cpu for node in nodes),
        memory_requested=sum(node.memory_requested for node in nodes),
        memory_allocatable=sum(node.memory for node in nodes),
    )
    ClusterSample.objects.filter(at__lt=this.now - SAMPLES_KEPT).delete()
    ReconcilerState.objects.update_or_create(
        pk=1, defaults={"snapshot": _as_json(snapshot), "snapshot_at": snapshot.taken_at}
    )


def _as_json(snapshot: ClusterSnapshot) -> dict[str, Any]:
    """Without the runs: those are rows of ours already. As jsonb takes it."""
    nodes = []
    for node in snapshot.nodes:
        nodes.append(asdict(node) | {"created_at": node.created_at.isoformat() if node.created_at else None})
    whole = {
        "taken_at": snapshot.taken_at.isoformat(),
        "nodes": nodes,
        "pods_by_phase": dict(snapshot.pods_by_phase),
        "jobs": dict(snapshot.jobs),
        "usage_by_namespace": {name: dict(usage) for name, usage in snapshot.usage_by_namespace.items()},
    }
    return dict(storable(whole))


def _sum_up(this: Pass, duration_s: float, problem: str) -> None:
    this.counts.failing = len(this.memory.troubles.lasting())
    PASSES.labels("early" if problem else "whole").inc()
    PASS_SECONDS.observe(duration_s)
    PASS_ERRORS.inc(this.counts.errors)
    state: dict[str, Any] = {
        "pass_started_at": this.now,
        "pass_finished_at": timezone.now(),
        "pass_duration_s": round(duration_s, 3),
        "counts": this.summary(),
        "cluster_reachable": this.seen,
        "error": clean(problem)[:MAX_ERROR],
        "troubles": this.memory.troubles.told(this.now),
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
