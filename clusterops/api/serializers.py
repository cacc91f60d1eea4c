"""Answers and questions of the admin API, field by field; the first fields of each are the specification's."""

import uuid
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from simulations.api.fields import Choice, Moment, StrictSerializer
from simulations.api.pagination import MAX_LIMIT, CursorField
from simulations.api.requests import ProgressRequest
from simulations.models import Job
from simulations.telling import tell
from tenants.clusters import FIRST


class ClusterView(serializers.Serializer):
    """Did the cluster answer, and if not, when it last did."""

    reachable = serializers.BooleanField()
    last_good_at = serializers.DateTimeField(allow_null=True, help_text="The last good answer; null: never.")
    message = serializers.CharField(allow_blank=True, help_text="Why it did not answer; empty: it did.")


class TroubleSerializer(serializers.Serializer):
    """One job, tenant or object that fails pass after pass, or cannot be read."""

    what = serializers.CharField()
    since = serializers.DateTimeField()
    times = serializers.IntegerField(help_text="How often it failed since then.")
    error = serializers.CharField(help_text="The last time.")
    next_try_at = serializers.DateTimeField()


class ReconcilerView(serializers.Serializer):
    """The last pass of the reconciler, and what it could not do."""

    pass_finished_at = serializers.DateTimeField(allow_null=True, help_text="Null: it never passed.")
    error = serializers.CharField(allow_blank=True, help_text="Why the last pass ended early; empty: it did not.")
    unreadable = serializers.IntegerField(help_text="Kubernetes objects in a shape that cannot be read.")
    failing = serializers.IntegerField(help_text="What fails pass after pass and steps back.")
    troubles = TroubleSerializer(many=True, help_text="The first 20 of these.")


class NodeAnswer(serializers.Serializer):
    """A machine of the cluster. Quantities are Kubernetes' own texts."""

    name = serializers.CharField()
    status = serializers.ListField(child=serializers.CharField(), help_text="Ready or NotReady, then what else is so.")
    capacity = serializers.DictField(child=serializers.CharField())
    allocatable = serializers.DictField(child=serializers.CharField())
    requested = serializers.DictField(
        child=serializers.FloatField(), help_text="By all pods on the node. CPU in cores, memory in bytes."
    )
    pods_running = serializers.IntegerField()
    created = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One node",
            value={
                "nodes": [
                    {
                        "name": "node-abc123",
                        "status": ["Ready"],
                        "capacity": {"cpu": "16", "memory": "64Gi"},
                        "allocatable": {"cpu": "15.5", "memory": "60Gi"},
                        "requested": {"cpu": 6.0, "memory": 12884901888.0},
                        "pods_running": 3,
                        "created": "2025-11-09T10:00:00Z",
                    }
                ],
                "total_nodes": 1,
                "db_jobs": {"PENDING": 1, "RUNNING": 3},
                "cluster": {"reachable": True, "last_good_at": "2025-11-09T11:00:00Z", "message": ""},
                "reconciler": {
                    "pass_finished_at": "2025-11-09T11:00:00Z",
                    "error": "",
                    "unreadable": 0,
                    "failing": 0,
                    "troubles": [],
                },
            },
        )
    ]
)
class ClusterAnswer(serializers.Serializer):
    """All nodes. Null where only the cluster knows and it does not answer."""

    nodes = NodeAnswer(many=True, allow_null=True)
    total_nodes = serializers.IntegerField(allow_null=True)
    db_jobs = serializers.DictField(child=serializers.IntegerField(), help_text="Jobs that have not ended, by status.")
    cluster = ClusterView()
    reconciler = ReconcilerView()


class K8sStatus(serializers.Serializer):
    """The Kubernetes Job's own counters."""

    active = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()


class AdminJob(serializers.Serializer):
    """A job as admins see it."""

    job_id = serializers.UUIDField()
    tenant_id = serializers.CharField()
    cluster = serializers.CharField(source="cluster.name")
    namespace = serializers.CharField(source="k8s_namespace")
    status = serializers.ChoiceField(Job.Status.choices)
    submitted_at = serializers.DateTimeField()
    k8s_status = serializers.SerializerMethodField()
    k8s_job_name = serializers.CharField()
    reason = serializers.SerializerMethodField()
    message = serializers.SerializerMethodField()
    scenario_id = serializers.SerializerMethodField()
    cpu_request = serializers.IntegerField()
    memory_gi = serializers.IntegerField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    attempt = serializers.IntegerField()
    node_name = serializers.CharField(allow_blank=True)
    cancel_requested_at = serializers.DateTimeField(allow_null=True)
    progress = serializers.SerializerMethodField(help_text="The last progress record of the runner.")

    @extend_schema_field(K8sStatus(allow_null=True))
    def get_k8s_status(self, job: Job) -> Mapping[str, int] | None:
        """Null: there is no such Kubernetes Job now, or the cluster does not answer."""
        counters: Mapping[int, Mapping[str, Mapping[str, int]]] = self.context["job_counters"]
        return counters.get(job.cluster_id or FIRST, {}).get(f"{job.k8s_namespace}/{job.k8s_job_name}")

    def get_reason(self, job: Job) -> str:
        return tell(job).reason

    def get_message(self, job: Job) -> str:
        return tell(job).message

    @extend_schema_field(ProgressRequest(allow_null=True))
    def get_progress(self, job: Job) -> Mapping[str, Any] | None:
        return job.told_progress

    def get_scenario_id(self, job: Job) -> str:
        return str(job.scenario_data.get("scenario_id", ""))


class AdminJobsAnswer(serializers.Serializer):
    """A page of jobs, newest first; `total` counts all that match."""

    jobs = AdminJob(many=True)
    total = serializers.IntegerField()
    next = serializers.URLField(allow_null=True, help_text="The next page; null: this was the last.")
    cluster = ClusterView()


class ClusterRequest(StrictSerializer):
    """Which cluster, where there are several."""

    cluster = serializers.CharField(max_length=40, required=False, help_text="Its name; if not told the first.")


class AdminJobsRequest(StrictSerializer):
    """Filters; all of them must match."""

    status = Choice(Job.Status.choices, required=False)
    tenant = serializers.CharField(max_length=40, required=False)
    cluster = serializers.CharField(max_length=40, required=False, help_text="Where they run, or are to run.")
    since = Moment(required=False, help_text="Submitted at or after this moment (ISO 8601).")
    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=50)
    cursor = CursorField(key_of=uuid.UUID, required=False, default=None, help_text="From `next` of the page before.")


class ActivityAnswer(serializers.Serializer):
    """What goes on now. Null where only the cluster knows and it does not answer."""

    timestamp = serializers.DateTimeField()
    nodes = serializers.IntegerField(allow_null=True)
    pods = serializers.DictField(child=serializers.IntegerField(), allow_null=True, help_text="Our pods by phase.")
    k8s_jobs = serializers.DictField(child=serializers.IntegerField(), allow_null=True)
    db_jobs = serializers.DictField(child=serializers.IntegerField(), help_text="All jobs by status.")
    cluster = ClusterView()
