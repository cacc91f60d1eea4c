"""Tenants' namespaces: made when first needed, changed with the limits, repaired after others."""

import hashlib
import json
import time

from django.db.models import Exists, F, OuterRef, Q

from clusterops import errors
from clusterops.contract import NamespaceSpec
from clusterops.models import TenantNamespace
from clusterops.objects import manifests
from clusterops.reconciler.pass_state import Pass, log
from simulations.models import Job
from tenants.clusters import Cluster
from tenants.models import Tenant

CHECK_EVERY_S = 60
RETRY_AFTER_S = 30  # a tenant whose namespace cannot be made is tried again after this
RIGHTS_SPREAD_S = 2.0  # a fresh RoleBinding takes a moment to be known to every API server
TIME_BETWEEN_TRIES_S = 0.2
UNANSWERED = "The cluster did not answer when the tenant's namespace was prepared; it is tried again."


def spec_of(tenant: Tenant, cluster: Cluster) -> NamespaceSpec:
    return NamespaceSpec(
        tenant_id=tenant.tenant_id,
        namespace=tenant.namespace,
        max_cpu=tenant.max_cpu,
        max_memory_gi=tenant.max_memory_gi,
        max_concurrent_jobs=tenant.max_concurrent_jobs,
        cluster=cluster.label,
        service_url=cluster.service_url,
    )


def digest(spec: NamespaceSpec) -> str:
    """Changes when anything that we would write into the tenant's namespace changes."""
    objects = [manifests.namespace(spec), *manifests.tenant_objects(spec)]
    return hashlib.sha256(json.dumps(objects, sort_keys=True).encode()).hexdigest()[:16]


def applied_by(spec: NamespaceSpec) -> dict[str, str | int]:
    """What the row tells when all of it is written; the limits too, as not each change of one changes an object."""
    return {
        "digest": digest(spec),
        "max_cpu": spec.max_cpu,
        "max_memory_gi": spec.max_memory_gi,
        "max_concurrent_jobs": spec.max_concurrent_jobs,
    }


def is_applied(row: TenantNamespace, spec: NamespaceSpec, cluster: Cluster) -> bool:
    return row.cluster_id == cluster.pk and bool(row.applied == applied_by(spec))


def keep_namespaces(this_pass: Pass) -> None:
    """Changed limits at once; every minute, and once at the start, also what others changed or deleted.

    A deactivated tenant without active jobs needs no namespace, and may be on its way out: nothing is written there, so
    that `offboard_tenant` can delete it for good. One that moved away leaves its namespace as it is, for what still
    runs there.
    """
    here = this_pass.cluster
    needed = Q(tenant__is_active=True) | Exists(Job.objects.active().filter(tenant=OuterRef("pk")))
    rows = list(TenantNamespace.objects.filter(needed, tenant__cluster=here.pk).select_related("tenant"))
    for row in rows:
        if not is_applied(row, spec_of(row.tenant, here), here):
            ensure(this_pass, row.tenant)
    if this_pass.memory.due("namespaces", CHECK_EVERY_S):
        with this_pass.isolate("look at tenants' namespaces"):
            _repair(this_pass, rows)


def _repair(this_pass: Pass, rows: list[TenantNamespace]) -> None:
    found = this_pass.gateway.inspect_namespaces(spec_of(row.tenant, this_pass.cluster) for row in rows)
    good = []
    for row in rows:
        state = found.get(row.tenant.namespace)
        if state and state.as_wanted and not state.terminating and state.tenant_id == row.tenant_id:
            good.append(row.pk)
        elif row.problem:
            ensure(this_pass, row.tenant)
        else:
            log.warning("namespace %s is not as it should be; repairing", row.namespace)
            if ensure(this_pass, row.tenant) == "":
                this_pass.counts.repaired += 1
                TenantNamespace.objects.filter(pk=row.pk).update(repairs=F("repairs") + 1)
    TenantNamespace.objects.filter(pk__in=good).update(checked_at=this_pass.now, problem="", problem_since=None)


def ensure(this_pass: Pass, tenant: Tenant) -> str:
    """Make the tenant's namespace as it should be. Returns why that is not possible, empty if it is done.

    Its row tells of its home alone.
    """
    task, here = f"namespace {tenant.pk}", this_pass.cluster
    at_home = tenant.cluster_id == here.pk
    if time.monotonic() - this_pass.memory.done_at.get(task, float("-inf")) < RETRY_AFTER_S:
        return _row(tenant).problem if at_home else UNANSWERED
    spec, problem, uid = spec_of(tenant, here), "", ""
    with this_pass.isolate(f"namespace {tenant.namespace}"):
        try:
            uid = _ensure_patiently(this_pass, spec)
        except errors.NamespaceNotOurs as error:
            problem = f"{error} The operator must choose another namespace for the tenant, or remove that one."
        except errors.NamespaceTerminating:
            problem = f"The namespace {tenant.namespace} is being deleted in the cluster; jobs wait until it is gone."
        except errors.Refused as error:
            problem = f"The cluster refuses to prepare the namespace {tenant.namespace}; the operator must act. {error}"
    if uid and not at_home:
        return ""
    if uid:
        TenantNamespace.objects.update_or_create(
            tenant=tenant,
            defaults={
                "cluster": here,
                "namespace": tenant.namespace,
                "uid": uid,
                "applied": applied_by(spec),
                "applied_at": this_pass.now,
                "checked_at": this_pass.now,
                "problem": "",
                "problem_since": None,
            },
        )
        this_pass.counts.namespaces += 1
        return ""
    this_pass.memory.done_at[task] = time.monotonic()
    problem = problem or UNANSWERED
    row = _row(tenant)
    if at_home and (row.problem, row.cluster_id) != (problem, here.pk):
        log.warning("tenant %s: %s", tenant.pk, problem)
        TenantNamespace.objects.update_or_create(
            tenant=tenant,
            defaults={
                "cluster": here,
                "namespace": tenant.namespace,
                "problem": problem,
                "problem_since": row.problem_since or this_pass.now,
                # Of another cluster's it says nothing here.
                **({} if row.cluster_id == here.pk else {"uid": "", "applied": {}}),
            },
        )
    return problem


def _row(tenant: Tenant) -> TenantNamespace:
    return TenantNamespace.objects.filter(tenant=tenant).first() or TenantNamespace(tenant=tenant)


def _ensure_patiently(this_pass: Pass, spec: NamespaceSpec) -> str:
    """The right to write there comes with the RoleBinding just made: 403 may mean "not yet"."""
    deadline = time.monotonic() + RIGHTS_SPREAD_S
    while True:
        try:
            return this_pass.gateway.ensure_namespace(spec)
        except errors.NamespaceTerminating:
            raise
        except errors.Forbidden:
            if time.monotonic() > deadline or this_pass.memory.stop.wait(TIME_BETWEEN_TRIES_S):
                raise
