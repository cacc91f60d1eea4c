"""A tenant's way out: no new jobs, the present ones ended, its namespace deleted, its data kept or erased."""

import time
from collections.abc import Iterator

from clusterops import errors
from clusterops.gateway import KubeApi, path_of
from clusterops.install import installer
from clusterops.models import ReconcilerState, TenantNamespace
from clusterops.readings.cluster import refuse_foreign_namespace
from clusterops.reconciler.leader_lock import is_at_work
from clusterops.reconciler.namespaces import spec_of
from simulations.models import Job
from simulations.services.retention import erase_tenant
from simulations.studies.models import Study
from simulations.studies.services import control
from tenants.models import Tenant

POLL_S = 0.5


class NotEnded(Exception):
    """Jobs are still there when patience ends; nothing was deleted."""


def offboard(api: KubeApi, tenant: Tenant, *, erase: bool, patience_s: float) -> Iterator[str]:
    """Say each step as it is done. Every step may be repeated; what was done before is passed over.

    Raises NotEnded, GatewayError (NamespaceNotOurs rather than delete another's namespace).
    """
    if tenant.is_active:
        Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
        yield f"Tenant {tenant} is inactive: its keys are refused."
    for study_id in Study.objects.active().filter(tenant=tenant).values_list("pk", flat=True):
        control.change(tenant, study_id, control.cancel)
    wished = Job.objects.filter(tenant=tenant).request_cancel()
    if wished:
        yield f"Asked {wished} job(s) to end."
    _wait_for_jobs(tenant, patience_s)
    _wait_for_pass(tenant.cluster.pk, patience_s)
    TenantNamespace.objects.filter(tenant=tenant).delete()
    yield _delete_namespace(api, tenant)
    if erase:
        tenant_id = tenant.tenant_id  # Django takes a deleted row's key away
        gone = erase_tenant(tenant=tenant)
        yield (
            f"Erased tenant {tenant_id} with its keys and jobs, {gone.results} result file(s) and "
            f"{gone.scenario_versions} scenario version(s)."
        )
    else:
        yield "Its scenarios, jobs and results are kept; its keys stay refused."


def plan(api: KubeApi, tenant: Tenant, *, erase: bool) -> Iterator[str]:
    """What `offboard` would do."""
    yield f"Would make {tenant} inactive and end {Job.objects.active().filter(tenant=tenant).count()} job(s)."
    found = installer.find(api, path_of("namespaces", name=tenant.namespace))
    yield f"Would delete the namespace {tenant.namespace}." if found else f"There is no namespace {tenant.namespace}."
    kept = "Would erase" if erase else "Would keep"
    jobs, scenarios = Job.objects.filter(tenant=tenant).count(), tenant.scenarios.count()
    yield f"{kept} {jobs} job(s) with their results and {scenarios} scenario version(s)."


def _wait_for_jobs(tenant: Tenant, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while count := Job.objects.active().filter(tenant=tenant).count():
        if time.monotonic() > deadline:
            raise NotEnded(
                f"{count} job(s) of {tenant} have not ended within {patience_s:.0f} s; is the reconciler running? "
                "Nothing was deleted. Repeat the command to go on."
            )
        time.sleep(POLL_S)


def _wait_for_pass(cluster_id: int, patience_s: float) -> None:
    """A pass of its home's reconciler that read the tenant before it was locked out may make its namespace again; later
    ones leave it alone."""
    before, deadline = ReconcilerState.get(cluster_id).passes, time.monotonic() + patience_s
    while is_at_work(cluster_id) and ReconcilerState.get(cluster_id).passes == before:
        if time.monotonic() > deadline:
            raise NotEnded(
                f"The reconciler has not ended a pass within {patience_s:.0f} s. Nothing was deleted. Repeat the "
                "command to go on."
            )
        time.sleep(POLL_S)


def _delete_namespace(api: KubeApi, tenant: Tenant) -> str:
    path = path_of("namespaces", name=tenant.namespace)
    found = installer.find(api, path)
    if found is None:
        return f"There is no namespace {tenant.namespace} in the cluster."
    try:
        refuse_foreign_namespace(found, spec_of(tenant, tenant.cluster))
    except errors.NamespaceTerminating:
        return f"The namespace {tenant.namespace} is being deleted already."
    installer.delete(api, path)
    return f"The namespace {tenant.namespace} is being deleted with everything in it."
