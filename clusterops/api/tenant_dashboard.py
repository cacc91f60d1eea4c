"""GET /tenants/me/dashboard: limits, usage and recent jobs of the caller."""

import logging
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusterops import errors
from clusterops.gateway import gateway_of
from simulations import attention
from simulations.api.callers import tenant_of
from simulations.api.storage import StorageSerializer, storage_shown
from simulations.models import Job
from simulations.services.storage import COLUMNS, LIMITS, uses_in
from simulations.telling import tell
from simulations.waiting import line_for
from tenants.database import give_connection_back
from tenants.models import Tenant

log = logging.getLogger(__name__)

RECENT_JOBS = 10
GI = 2**30
KEPT = (*(f"storage__{column}" for column in COLUMNS.values()), *LIMITS.values())


class JobCounts(serializers.Serializer):
    """Jobs by status; of the pending ones, those that wait in line."""

    pending = serializers.IntegerField()
    running = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    queued = serializers.IntegerField()


class RecentJob(serializers.ModelSerializer[Job]):
    scenario_id = serializers.CharField(source="scenario_data.scenario_id", default=None, read_only=True)
    reason = serializers.SerializerMethodField()
    message = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = [
            "job_id", "status", "reason", "message", "scenario_id", "cpu_request", "memory_gi", "submitted_at",
            "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_reason(self, job: Job) -> str:
        return tell(job).reason

    def get_message(self, job: Job) -> str:
        return tell(job, self.context["line"]).message


class PlanLimits(serializers.ModelSerializer[Tenant]):
    class Meta:
        model = Tenant
        fields = ["max_cpu", "max_memory_gi", "max_concurrent_jobs", "max_queued_jobs"]
        read_only_fields = fields


class TenantDashboard(serializers.Serializer):
    """The first six fields are the specification's."""

    tenant_id = serializers.CharField()
    plan_limits = PlanLimits()
    current_usage = serializers.DictField(child=serializers.CharField(), help_text="Kubernetes quantities.")
    running_pods = serializers.IntegerField()
    recent_jobs = RecentJob(many=True)
    stats = JobCounts()
    notice = serializers.CharField(allow_blank=True, help_text="What keeps jobs from going on; empty: nothing.")
    storage = StorageSerializer()
    usage_source = serializers.ChoiceField(["cluster", "database"], help_text="database: the cluster does not answer.")


class TenantDashboardView(APIView):
    """For a tenant's key."""

    @extend_schema(summary="The tenant's limits, usage and recent jobs", responses=TenantDashboard, tags=["tenant"])
    def get(self, request: Request) -> Response:
        tenant = tenant_of(request)
        counted = _counted(tenant)
        storage = uses_in({name: counted.pop(name) for name in KEPT})
        database = {
            "cpu": counted.pop("used_cpu"),
            "memory": counted.pop("used_gi") * GI,
            "running": counted["running"],
        }
        usage, source = _usage(tenant, database)
        jobs = Job.objects.filter(tenant=tenant)
        recent = list(jobs.order_by("-submitted_at", "-job_id").defer("results", "labels")[:RECENT_JOBS])
        silence = attention.silence(timezone.now(), tenant.cluster_id)
        answer = {
            "tenant_id": tenant.tenant_id,
            "plan_limits": tenant,
            "current_usage": {"requests.cpu": f"{usage['cpu']:g}", "requests.memory": _memory(usage["memory"])},
            "running_pods": int(usage["running"]),
            "recent_jobs": recent,
            "stats": counted,
            "storage": storage_shown(storage),
            "usage_source": source,
            "notice": silence.sentence if silence else "",
        }
        return Response(TenantDashboard(answer, context={"line": line_for(tenant, recent)}).data)


def _counted(tenant: Tenant) -> dict[str, Any]:
    """Jobs by status, what the started ones ask for, and what is stored: one query."""
    started = Q(jobs__status__in=Job.ACTIVE, jobs__dispatched_at__isnull=False)
    return (
        Tenant.objects.filter(pk=tenant.pk)
        .annotate(
            **{status.lower(): Count("jobs", filter=Q(jobs__status=status)) for status in Job.Status.values},
            queued=Count("jobs", filter=Q(jobs__status=Job.Status.PENDING, jobs__dispatched_at=None)),
            used_cpu=Sum("jobs__cpu_request", filter=started, default=0),
            used_gi=Sum("jobs__memory_gi", filter=started, default=0),
        )
        .values(
            *(status.lower() for status in Job.Status.values),
            *("queued", "used_cpu", "used_gi"),
            *KEPT,
        )
        .get()
    )


def _usage(tenant: Tenant, database: dict[str, float]) -> tuple[Any, str]:
    try:
        gateway = gateway_of(tenant.cluster)
        give_connection_back()
        return gateway.usage(tenant.namespace), "cluster"
    except errors.GatewayError as error:
        log.info("usage of %s from the database: %s", tenant.pk, error)
        return database, "database"


def _memory(size: float) -> str:
    """Bytes as a Kubernetes quantity."""
    return f"{int(size // GI)}Gi" if size % GI == 0 else f"{int(size // 2**20)}Mi"
