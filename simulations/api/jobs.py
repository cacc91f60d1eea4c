"""`/jobs`: submit, list, watch, cancel."""

import re
import uuid
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from simulations.api.callers import query, tenant_of
from simulations.api.job_waiters import waiters
from simulations.api.pagination import page
from simulations.api.requests import JobListQuery, JobQuery, SubmitRequest
from simulations.api.serializers import JobEventsSerializer, JobListSerializer, JobSerializer, jobs_as_json
from simulations.held import NoPlace
from simulations.models import Job, JobEvent
from simulations.services import submit_job
from tenants import plain_sql
from tenants.database import give_connection_back
from tenants.errors import ApiError
from tenants.parsers import JSONSentAsForm, StrictJSONParser

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
EXAMPLES = [
    OpenApiExample("Small", {"scenario_id": "zurich_peak", "cpu_request": 2, "memory_gi": 4}, request_only=True),
    OpenApiExample(
        "Full",
        {
            "scenario_id": "zurich_peak",
            "scenario_version": 3,
            "seed": 42,
            "end": 3600,
            "options": {"time-to-teleport": 120},
            "outputs": ["edgedata"],
            "emissions": True,
            "time_limit_s": 1800,
            "labels": {"study": "bus-lane"},
        },
        request_only=True,
    ),
]


class JobsView(viewsets.ViewSet):
    """All jobs of the caller."""

    parser_classes = [StrictJSONParser, JSONSentAsForm]

    @extend_schema(
        summary="Submit a job",
        request={"application/json": SubmitRequest},
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", location="header", description="Repeat with the same request: the same job again."
            )
        ],
        responses={
            201: JobSerializer,
            200: OpenApiResponse(JobSerializer, description="Submitted before with this Idempotency-Key."),
            404: None,
            409: None,
            422: None,
        },
        examples=EXAMPLES,
        tags=["jobs"],
    )
    def create(self, request: Request) -> Response:
        job, is_new = submit_job(
            tenant=tenant_of(request),
            wanted=SubmitRequest.read(request.data),
            idempotency_key=idempotency_key(request),
        )
        [answer] = jobs_as_json(tenant_of(request), [job], placed=False)
        headers = {"Location": f"/jobs/{job.job_id}"} | ({} if is_new else {"Idempotent-Replayed": "true"})
        return Response(answer, status=201 if is_new else 200, headers=headers)

    @extend_schema(summary="List jobs", parameters=[JobListQuery], responses=JobListSerializer, tags=["jobs"])
    def list(self, request: Request) -> Response:
        asked = query(request, JobListQuery)
        rows = Job.objects.filter(filters(asked), tenant=tenant_of(request))
        if scenario_id := asked.get("scenario_id"):
            rows = rows.of_scenario(scenario_id)
        found, following = page(
            request, rows, order_by="submitted_at", limit=asked["limit"], cursor=asked.get("cursor")
        )
        return Response({"jobs": jobs_as_json(tenant_of(request), found), "next": following})


class JobView(viewsets.ViewSet):
    """One job."""

    @extend_schema(
        summary="Watch a job",
        description="With `wait`, the answer comes when the status has changed, or that many seconds later.",
        parameters=[JobQuery],
        responses={200: JobSerializer, 503: None},
        tags=["jobs"],
    )
    def retrieve(self, request: Request, job_id: uuid.UUID) -> Response:
        wait = query(request, JobQuery)["wait"] if request.query_params else 0
        job = find_job(request, job_id)
        if wait and not job.is_finished:
            job = _waited_for(request, job, wait)
        [answer] = jobs_as_json(tenant_of(request), [job])
        return Response(answer)

    @extend_schema(
        summary="Cancel a job",
        description="The job ends as CANCELLED once its pod is gone; until then, asking again changes nothing.",
        request=None,
        responses={202: JobSerializer, 409: None},
        tags=["jobs"],
    )
    def cancel(self, request: Request, job_id: uuid.UUID) -> Response:
        job = find_job(request, job_id)
        if not job.request_cancel():
            job = find_job(request, job_id)
            if job.is_finished:
                raise ApiError(409, "job.finished", f"The job has ended already: {job.status}.")
        [answer] = jobs_as_json(tenant_of(request), [job])
        return Response(answer, status=202)

    @extend_schema(summary="A job's timeline", responses=JobEventsSerializer, tags=["jobs"])
    def events(self, request: Request, job_id: uuid.UUID) -> Response:
        job = find_job(request, job_id)
        submission = JobEvent(
            at=job.submitted_at, status=Job.Status.PENDING, reason=Job.Reason.QUEUED, message="Submitted.", attempt=1
        )
        return Response(JobEventsSerializer({"job_id": job.job_id, "events": [submission, *job.events.all()]}).data)


def _waited_for(request: Request, job: Job, seconds: int) -> Job:
    """The job once its status is another one, or as it is after so many seconds."""
    try:
        with waiters.waiter(job.tenant_id, job.pk, job.status) as waiter:
            now = find_job(request, job.pk)  # it may have changed before the waiter was there to hear it
            if now.status == job.status:
                give_connection_back()
                waiters.wait(waiter, seconds)
    except NoPlace:
        message = "Too many requests wait for jobs at the moment; try again, or ask without `wait`."
        raise ApiError(503, "jobs.too_many_waiting", message, headers={"Retry-After": "5"}) from None
    return find_job(request, job.pk)


def find_job(request: Request, job_id: uuid.UUID) -> Job:
    """The caller's own job. Raises ApiError 404, also for another tenant's."""
    tenant = tenant_of(request)
    job = plain_sql.find(Job, job_id=job_id, tenant_id=tenant.pk)
    if job is None:
        raise ApiError(404, "job.not_found", "You have no such job.")
    job.tenant = tenant
    return job


def filters(asked: dict[str, Any]) -> Q:
    """Of a validated `JobListQuery`, but its scenario."""
    chosen = Q()
    if "status" in asked:
        chosen &= Q(status__in=asked["status"])
    if "submitted_since" in asked:
        chosen &= Q(submitted_at__gte=asked["submitted_since"])
    if "submitted_until" in asked:
        chosen &= Q(submitted_at__lt=asked["submitted_until"])
    for label in asked.get("label", []):
        name, _, value = label.partition(":")
        chosen &= Q(labels__contains={name: value})
    return chosen


def idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not IDEMPOTENCY_KEY.fullmatch(key):
        message = "Idempotency-Key must be 1 to 255 printable ASCII characters without spaces."
        raise ApiError(400, "idempotency.bad_key", message)
    return key
