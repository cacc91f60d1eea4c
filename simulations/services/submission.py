"""Submitting a job: a lock, an insert, and nothing that needs the cluster."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from psycopg import Error as PsycopgError
from psycopg.errors import ForeignKeyViolation

from simulations.models import Job, JobCount
from simulations.services import refusals
from simulations.services.acceptance import accepted, new_job, no_scenario, problems_of
from tenants import plain_sql
from tenants.errors import ApiError
from tenants.models import Tenant

RETRY_AFTER_S = 30
# Part of the INSERT: a statement of its own sees what was committed before the tenant's lock was granted.
COUNT_ADMITTED = (
    "(SELECT coalesce(max(pending + running), 0) + 1 FROM job_counts WHERE tenant_id = %(tenant_id)s::varchar)"
)
# The scenario is what `ScenarioQuerySet.best_first` puts first: own before shared, then the newest version.
LOCK_TENANT = """
SELECT {columns}, (
  SELECT json_build_object('pk', s.id, 'version', s.version, 'sha256', s.sha256, 'config', s.config,
                           'inspection', s.inspection)
  FROM scenarios s
  WHERE (s.tenant_id = t.tenant_id OR s.tenant_id IS NULL) AND s.scenario_id = %(scenario)s
    AND s.version = coalesce(%(version)s, s.version) AND s.sha256 = coalesce(%(sha256)s, s.sha256)
  ORDER BY s.tenant_id NULLS LAST, s.version DESC LIMIT 1
)::text
FROM tenants t WHERE t.tenant_id = %(tenant)s FOR NO KEY UPDATE
"""


# Fields that earlier versions did not know: where they say nothing a request is the one that it was.
LATER = {"edges_interval_s", "window_begin", "window_end"}


def as_always(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a digest of a request is made of."""
    return {name: value for name, value in request.items() if value is not None or name not in LATER}


def submit_job(*, tenant: Tenant, wanted: Mapping[str, Any], idempotency_key: str | None = None) -> tuple[Job, bool]:
    """Queue a job as `wanted` (a validated POST /jobs, with defaults) in two statements; (job, whether it is new).

    With an idempotency key that was used before, the first job is the answer, whatever has changed since. Raises
    ApiError: 403 tenant.paused or budget.reached, 404 scenario.not_found, 409 idempotency.mismatch, 422 for what the
    tenant's limits or the scenario do not allow, 429 queue.full.
    """
    refusal: ApiError
    # With its defaults, so that spelling one out makes no other request.
    text = json.dumps(as_always(wanted), sort_keys=True)
    request_sha256 = hashlib.sha256(text.encode()).hexdigest() if idempotency_key else ""
    try:
        return _insert(tenant, wanted, idempotency_key, request_sha256), True
    except ApiError as error:
        refusal = error
    except IntegrityError as error:
        refusal = _refusal(error, tenant)
    if idempotency_key is not None:
        first = Job.objects.filter(tenant=tenant, idempotency_key=idempotency_key).first()
        if first and first.request_sha256 == request_sha256:
            return first, False
        if first:
            message = "This Idempotency-Key was used with another request; use a new key for a new job."
            raise ApiError(409, "idempotency.mismatch", message)
    refusals.count(tenant.pk, refusal.code)
    raise refusal


@transaction.atomic
def check_job(*, tenant: Tenant, wanted: Mapping[str, Any]) -> None:
    """Nothing is submitted. Raises ApiError as `submit_job` does, but for the length of the queue."""
    _checked(tenant, wanted)


@transaction.atomic
def _insert(tenant: Tenant, wanted: Mapping[str, Any], idempotency_key: str | None, request_sha256: str) -> Job:
    limits, scenario = _checked(tenant, wanted)
    job = new_job(limits, scenario["pk"], accepted(scenario, wanted))
    job.idempotency_key, job.request_sha256 = idempotency_key, request_sha256
    job.admission_limit = limits.max_concurrent_jobs + limits.max_queued_jobs
    plain_sql.insert(job, admitted_as=COUNT_ADMITTED)
    return job


def _checked(tenant: Tenant, wanted: Mapping[str, Any]) -> tuple[Tenant, dict[str, Any]]:
    limits, scenario = _lock_tenant(tenant, wanted)
    if limits.submissions_paused:
        raise ApiError(403, "tenant.paused", "New jobs are paused for this tenant; ask the operator when they go on.")
    if limits.refused_because:
        raise ApiError(403, "budget.reached", f"New jobs are refused for now: {limits.refused_because}")
    if scenario is None:
        raise no_scenario(wanted)
    if problems := problems_of(limits, scenario, wanted):
        message = "The job cannot be run as asked; each reason is in details."
        raise ApiError(422, problems[0].code, message, details=[problem.as_dict() for problem in problems])
    return limits, scenario


def _lock_tenant(tenant: Tenant, wanted: Mapping[str, Any]) -> tuple[Tenant, dict[str, Any] | None]:
    """The tenant as it is now, locked until the transaction ends, and the scenario that the name means to it."""
    with plain_sql.cursor() as cursor:
        statement = LOCK_TENANT.format(columns=plain_sql.columns(Tenant, "t"))
        named = {
            "scenario": wanted["scenario_id"],
            "version": wanted["scenario_version"],
            "sha256": wanted.get("sha256"),
        }
        cursor.execute(statement, {"tenant": tenant.pk, **named})
        *values, scenario = cursor.fetchone()
    return plain_sql.row(Tenant, values), json.loads(scenario) if scenario else None


def _refusal(error: IntegrityError, tenant: Tenant) -> ApiError:
    """What a constraint that said no means. Raises the error itself if it means nothing to a caller."""
    cause = error.__cause__
    if isinstance(cause, ForeignKeyViolation):
        return ApiError(404, "scenario.not_found", "The scenario was deleted at this very moment.")
    constraint = cause.diag.constraint_name if isinstance(cause, PsycopgError) else None
    if constraint == "jobs_unique_idempotency_key":
        return ApiError(409, "idempotency.mismatch", "This Idempotency-Key was used before.")
    if constraint != "jobs_admitted":
        raise error
    limits = Tenant.objects.get(pk=tenant.pk)
    entry = {
        "code": "queue.full",
        "message": f"{limits.max_concurrent_jobs} jobs may run and {limits.max_queued_jobs} may wait.",
        "max_concurrent_jobs": limits.max_concurrent_jobs,
        "max_queued_jobs": limits.max_queued_jobs,
        "active_jobs": JobCount.objects.filter(tenant=tenant).total().active,
    }
    message = "The queue is full; submit again when a job has ended."
    return ApiError(429, "queue.full", message, details=[entry], headers={"Retry-After": str(RETRY_AFTER_S)})
