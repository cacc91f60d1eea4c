"""Strays: Jobs of ours that no row wants. Found by label, deleted after a grace, counted."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from clusterops.contract import Phase, Run
from clusterops.reconciler.pass_state import Pass, as_uuid, log
from simulations.models import Job
from tenants.models import Tenant

GRACE = timedelta(minutes=5)


def delete_strays(this_pass: Pass) -> None:
    """Delete what an earlier state of the database, or a crash, left behind in our tenants' namespaces.

    Other namespaces are not touched: another installation may share the cluster. Pods that nothing owns are only
    counted, since deleting pods is not among our rights.
    """
    this_pass.counts.orphan_pods = sum(run.orphan for run in this_pass.runs)
    active = {job.job_id.hex for job in this_pass.jobs}
    suspects = [run for run in this_pass.runs if run.job_exists and not run.deleting and run.job_id not in active]
    suspects = [run for run in suspects if run.phase is not Phase.UNREADABLE and not _leaves_by_itself(run)]
    if not suspects:
        return
    ours = set(Tenant.objects.values_list("namespace", flat=True))
    named = [(run, as_uuid(run.job_id)) for run in suspects if run.namespace in ours]
    rows = Job.objects.filter(pk__in=[job_id for _, job_id in named if job_id])
    # Wanted: submitted since the rows were read; its outcome still being captured; or let go since the lists were.
    captured_long_ago = Q(released_at__lt=this_pass.now - GRACE) | Q(released_at=None, dispatched_at=None)
    unwanted = Q(status__in=Job.TERMINAL) & captured_long_ago
    wanted = set(rows.exclude(unwanted).values_list("pk", flat=True))
    for run, job_id in named:
        if job_id in wanted:
            continue
        this_pass.counts.strays += 1
        if run.created_at and this_pass.now - run.created_at > GRACE:
            with this_pass.isolate(f"stray {run.namespace}/{run.name}"):
                log.warning("deleting the stray Job %s/%s: no row wants it", run.namespace, run.name)
                this_pass.counts.deleted += this_pass.gateway.delete_run(run.namespace, run.name)


def _leaves_by_itself(run: Run) -> bool:
    return run.decided and run.ttl_s is not None and run.ttl_s <= settings.JOB_TTL_AFTER_CAPTURE_SECONDS
