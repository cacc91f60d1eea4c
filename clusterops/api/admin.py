"""The admin API: what the cluster does and what the database says, side by side."""

from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusterops.api.serializers import (
    ActivityAnswer,
    AdminJob,
    AdminJobsAnswer,
    AdminJobsRequest,
    ClusterAnswer,
    ClusterRequest,
    ClusterView,
    NodeAnswer,
    ReconcilerView,
)
from clusterops.contract import Node
from clusterops.gateway.snapshot_cache import LatestSnapshot, look_at
from clusterops.models import ReconcilerState
from simulations.api.callers import query
from simulations.api.pagination import page
from simulations.models import Job, JobCount, JobQuerySet
from tenants.authentication import ApiKeyAuthentication, StaffSessionAuthentication
from tenants.clusters import FIRST, Cluster
from tenants.errors import ApiError
from tenants.permissions import IsAdmin


class AdminView(APIView):
    """For admin keys and staff sessions. A cluster that does not answer takes away its half only."""

    authentication_classes = [ApiKeyAuthentication, StaffSessionAuthentication]
    permission_classes = [IsAdmin]


class ClusterOverview(AdminView):
    """GET /admin/cluster"""

    @extend_schema(
        summary="All nodes and their state", parameters=[ClusterRequest], responses=ClusterAnswer, tags=["admin"]
    )
    def get(self, request: Request) -> Response:
        own, is_only = _asked_cluster(request)
        latest = look_at(own)
        nodes = latest.current.nodes if latest.current else None
        return Response(
            {
                "nodes": None if nodes is None else NodeAnswer([_node(node) for node in nodes], many=True).data,
                "total_nodes": None if nodes is None else len(nodes),
                "db_jobs": _active(None if is_only else own),
                "cluster": _cluster(latest, own),
                "reconciler": _reconciler(own),
            }
        )


class AdminJobs(AdminView):
    """GET /admin/jobs"""

    @extend_schema(
        summary="Jobs of all tenants", parameters=[AdminJobsRequest], responses=AdminJobsAnswer, tags=["admin"]
    )
    def get(self, request: Request) -> Response:
        asked = AdminJobsRequest(data=request.query_params)
        asked.is_valid(raise_exception=True)
        filters = asked.validated_data
        found = Job.objects.all()
        lookups = {"status": "status", "tenant": "tenant_id", "cluster": "cluster__name", "since": "submitted_at__gte"}
        for name, lookup in lookups.items():
            if name in filters:
                found = found.filter(**{lookup: filters[name]})
        rows, following = page(
            request,
            found.select_related("cluster").defer("results", "labels"),
            order_by="submitted_at",
            limit=filters["limit"],
            cursor=filters["cursor"],
        )
        own = _find(filters.get("cluster"))
        places: set[Cluster] = {own, *(job.cluster for job in rows)}
        seen = {each.pk: look_at(each) for each in places}
        latest = seen[own.pk]
        counters = {pk: each.current.job_counters for pk, each in seen.items() if each.current}
        return Response(
            {
                "jobs": AdminJob(rows, many=True, context={"job_counters": counters}).data,
                "total": found.count(),
                "next": following,
                "cluster": _cluster(latest, own),
            }
        )


class Activity(AdminView):
    """GET /admin/activity"""

    @extend_schema(summary="What goes on now", parameters=[ClusterRequest], responses=ActivityAnswer, tags=["admin"])
    def get(self, request: Request) -> Response:
        own, is_only = _asked_cluster(request)
        latest = look_at(own)
        snapshot = latest.current
        answer = {
            "timestamp": timezone.now(),
            "nodes": len(snapshot.nodes) if snapshot else None,
            "pods": dict(snapshot.pods_by_phase) if snapshot else None,
            "k8s_jobs": dict(snapshot.jobs) if snapshot else None,
            "db_jobs": _by_status(Job.objects.filter(Q() if is_only else Q(cluster=own)), Job.Status.values),
            "cluster": _cluster(latest, own),
        }
        return Response(ActivityAnswer(answer).data)


def _node(node: Node) -> dict[str, Any]:
    status = ["Ready" if node.ready else "NotReady"]
    status += [] if node.schedulable else ["SchedulingDisabled"]
    status += [condition for condition in node.conditions if condition not in {"Ready", "NotReady"}]
    return {
        "name": node.name,
        "status": status,
        "capacity": node.capacity,
        "allocatable": node.allocatable,
        "requested": {"cpu": node.cpu_requested, "memory": node.memory_requested},
        "pods_running": node.pods_running,
        "created": node.created_at,
    }


def _asked_cluster(request: Request) -> tuple[Cluster, bool]:
    """The one that the request names, and whether nothing else was asked for: then all jobs are told. Raises 404."""
    asked = query(request, ClusterRequest)
    return _find(asked.get("cluster")), "cluster" not in asked


def _find(name: str | None) -> Cluster:
    found = Cluster.objects.filter(Q(name=name) if name is not None else Q(pk=FIRST)).first()
    if found is None:
        raise ApiError(404, "cluster.not_found", "There is no such cluster.")
    return found


def _active(cluster: Cluster | None) -> dict[str, int]:
    total = JobCount.objects.filter(Q(tenant__cluster=cluster) if cluster else Q()).total()
    return {Job.Status.PENDING.value: total.pending, Job.Status.RUNNING.value: total.running}


def _by_status(jobs: JobQuerySet, statuses: Any) -> dict[str, int]:
    counts = dict(jobs.order_by().values_list("status").annotate(Count("pk")))
    return {str(status): counts.get(status, 0) for status in statuses}


def _cluster(latest: LatestSnapshot, cluster: Cluster) -> Any:
    last_good_at = latest.last_good_at
    if not latest.reachable:  # another process, the reconciler above all, may have seen it later than this one
        last_good_at = max(filter(None, (last_good_at, ReconcilerState.get(cluster.pk).last_success_at)), default=None)
    return ClusterView({"reachable": latest.reachable, "last_good_at": last_good_at, "message": latest.problem}).data


def _reconciler(cluster: Cluster) -> Any:
    state = ReconcilerState.get(cluster.pk)
    counted = {name: state.counts.get(name, 0) for name in ("unreadable", "failing")}
    told = {name: getattr(state, name) for name in ("pass_finished_at", "error", "troubles")}
    return ReconcilerView(told | counted).data
