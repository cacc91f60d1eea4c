"""One level-triggered pass: list → decide → record → repair → dispatch → capture, let go → delete strays → sum up.

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
from clusterops.reconciler.books import keep_books
from clusterops.reconciler.cancelling import cancel_untouched
from clusterops.reconciler.digest import tell
from clusterops.reconciler.dispatch import dispatch
from clusterops.reconciler.job_states import add_listed, confirm, jobs_in_hand, update_jobs
from clusterops.reconciler.logs import capture
from clusterops.reconciler.meanwhile import Meanwhile
from clusterops.reconciler.measures import PASS_ERRORS, PASS_SECONDS, PASSES
from clusterops.reconciler.namespaces import keep_namespaces
from clusterops.reconciler.pass_state import Counts, Memory, Pass, Stopped, log
from clusterops.reconciler.room import learn
from clusterops.reconciler.shares import charge
from clusterops.reconciler.strays import delete_strays
from clusterops.reconciler.study_runs import fold_edges, start_study_runs
from clusterops.reconciler.told import record_told
from simulations.models import Job, JobCount
from simulations.sumo.protocol.strict_json import clean, storable
from simulations.volume import fullest
from tenants import throttling
from tenants.clusters import Cluster
from tenants.models import Tenant

SAMPLE_EVERY_S = 60
SAMPLES_KEPT = timedelta(days=7)
MAX_ERROR = 1000  # characters

__all__ = ["Counts", "Memory", "Pass", "reconcile_once"]


def reconcile_once(gateway: Gateway, memory: Memory | None = None) -> Pass:
    """One pass. A cluster that does not answer, or an error of our own, ends it early, is recorded, and raises nothing.

    Database errors are raised: without the database there is nothing to reconcile.
    """
    memory = memory or Memory()
    cluster, others = _clusters(memory.cluster_id)
    this_pass = Pass(gateway=gateway, memory=memory, now=timezone.now(), cluster=cluster, others=others)
    problem = ""
    try:
        _run(this_pass)
    except Stopped:
        problem = "Stopped in the middle of a pass."
    except errors.GatewayError as error:
        problem = str(error)
        this_pass.rest_s = max(this_pass.rest_s, error.retry_after_s or 0.0)
        if not this_pass.seen and this_pass.memory.due("sample without the cluster", SAMPLE_EVERY_S):
            _sample_blindly(this_pass)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is: the next pass comes, and may do better
        log.exception("the pass failed")
        problem = f"The pass failed, which is our fault; the reconciler's log has more. {type(error).__name__}: {error}"
    this_pass.forget_runs()
    this_pass.memory.last_pass = this_pass
    _sum_up(this_pass, time.monotonic() - this_pass.begun, problem)
    if not this_pass.memory.stop.is_set() and this_pass.memory.works_for_all():
        with this_pass.isolate("operators' digest"):
            tell(this_pass)
    return this_pass


def _clusters(own: int) -> tuple[Cluster, frozenset[int]]:
    """This process's, as its row is now, and the others' keys."""
    rows = {row.pk: row for row in Cluster.objects.all()}
    return rows[own], frozenset(rows.keys() - {own})


def _run(this_pass: Pass) -> None:
    cancel_untouched(this_pass)
    record_told(this_pass, this_pass.memory.last_pass)
    this_pass.told.clear()  # these the lists have
    # Rows before lists: whatever a row says was made is then in the lists, unless it is gone.
    this_pass.jobs = jobs_in_hand(this_pass.cluster.pk)
    this_pass.counts.jobs = len(this_pass.jobs)
    meanwhile = Meanwhile(this_pass)
    snapshot = None
    asked = time.monotonic()
    try:
        if this_pass.memory.due("sample", SAMPLE_EVERY_S):
            runs, snapshot = this_pass.gateway.list_runs_and_snapshot(meanwhile)
        else:
            runs = this_pass.gateway.list_runs(meanwhile)
    finally:
        this_pass.lists_s = time.monotonic() - asked - meanwhile.spent_s
    this_pass.counts.runs = len(runs)
    this_pass.look(runs)
    unlisted = meanwhile.settle(this_pass)
    add_listed(this_pass)
    this_pass.guests = _guests(this_pass)
    for what in snapshot.unreadable if snapshot else ():
        this_pass.odd(what)
    if snapshot:
        with this_pass.isolate("the cluster's capacity"):
            learn(this_pass, snapshot)
    update_jobs(this_pass)
    this_pass.jobs += unlisted
    with this_pass.isolate("fair shares"):
        charge(this_pass)
    this_pass.settled = True
    meanwhile.hand_over(this_pass)
    for name, step in STEPS.items():
        with this_pass.isolate(name):
            step(this_pass)
        meanwhile()
    _count(this_pass)
    if snapshot:
        with this_pass.isolate("sample of the cluster"):
            _sample(this_pass, snapshot)
        with this_pass.isolate("rate limits that are whole again"):
            throttling.prune()


# Each isolated: what breaks one of them does not keep the others from their work.
STEPS: dict[str, Callable[[Pass], None]] = {
    "confirmation": confirm,
    "tenants' namespaces": keep_namespaces,
    "studies": start_study_runs,
    "ledger": keep_books,
    "dispatch": dispatch,
    "logs and release": capture,
    "strays": delete_strays,
    "traffic of studies": fold_edges,
}


def _guests(this_pass: Pass) -> frozenset[str]:
    if not this_pass.others:
        return frozenset()
    here = {job.tenant_id for job in this_pass.jobs}
    return frozenset(Tenant.objects.filter(pk__in=here, cluster__in=this_pass.others).values_list("pk", flat=True))


def _count(this_pass: Pass) -> None:
    this_pass.counts.queued = JobCount.objects.filter(tenant__cluster=this_pass.cluster.pk).total().queued
    for job in this_pass.jobs:
        if job.is_finished:
            continue
        if job.dispatched_at is None:
            this_pass.counts.queued += job.status == Job.Status.RUNNING  # the count knows the others
        elif job.waits:
            this_pass.counts.starting += 1
        else:
            this_pass.counts.running += 1


def _sample(this_pass: Pass, snapshot: ClusterSnapshot) -> None:
    nodes = snapshot.nodes
    ClusterSample.objects.create(
        at=this_pass.now,
        cluster_id=this_pass.cluster.pk,
        running=this_pass.counts.running,
        queued=this_pass.counts.queued,
        starting=this_pass.counts.starting,
        nodes=len(nodes),
        nodes_ready=sum(node.ready for node in nodes),
        cpu_requested=sum(node.cpu_requested for node in nodes),
        cpu_allocatable=sum(node.cpu for node in nodes),
        memory_requested=sum(node.memory_requested for node in nodes),
        memory_allocatable=sum(node.memory for node in nodes),
    )
    ClusterSample.objects.filter(at__lt=this_pass.now - SAMPLES_KEPT).delete()
    ReconcilerState.objects.update_or_create(
        pk=this_pass.cluster.pk,
        defaults={
            "snapshot": _as_json(snapshot),
            "snapshot_at": snapshot.taken_at,
            "certificate_ends_at": this_pass.gateway.certificate_ends_at(),
        },
    )


def _sample_blindly(this_pass: Pass) -> None:
    """The database's half, so that charts tell a cluster that was away from a reconciler that was."""
    total = JobCount.objects.filter(tenant__cluster=this_pass.cluster.pk).total()
    ClusterSample.objects.create(
        at=this_pass.now,
        cluster_id=this_pass.cluster.pk,
        running=total.running,
        queued=total.queued,
        starting=total.pending - total.queued,
        saw_cluster=False,
        **dict.fromkeys(
            ("nodes", "nodes_ready", "cpu_requested", "cpu_allocatable", "memory_requested", "memory_allocatable"), 0
        ),
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


def _sum_up(this_pass: Pass, duration_s: float, problem: str) -> None:
    this_pass.counts.failing = len(this_pass.memory.troubles.lasting())
    PASSES.labels("early" if problem else "whole").inc()
    PASS_SECONDS.observe(duration_s)
    PASS_ERRORS.inc(this_pass.counts.errors)
    state: dict[str, Any] = {
        "pass_started_at": this_pass.now,
        "pass_finished_at": timezone.now(),
        "pass_duration_s": round(duration_s, 3),
        "counts": this_pass.summary(),
        "cluster_reachable": this_pass.seen,
        "error": clean(problem)[:MAX_ERROR],
        "troubles": this_pass.memory.troubles.told(this_pass.now),
    }
    if this_pass.seen:
        state["last_success_at"] = this_pass.now
    room = fullest() if this_pass.memory.works_for_all() else None
    state |= {"volume_free": room and room.free, "volume_size": room and room.size}
    row, _ = ReconcilerState.objects.get_or_create(pk=this_pass.cluster.pk)
    ReconcilerState.objects.filter(pk=row.pk).update(passes=row.passes + 1, **state)
    told = " ".join(f"{name}={value}" for name, value in this_pass.summary().items() if value)
    if problem:
        log.warning("pass ended early after %.2f s: %s (%s)", duration_s, problem, told)
    else:
        quiet = not (
            this_pass.counts.changed or this_pass.counts.created or this_pass.counts.errors or this_pass.counts.deleted
        )
        log.log(10 if quiet else 20, "pass took %.2f s: %s", duration_s, told or "nothing to do")
