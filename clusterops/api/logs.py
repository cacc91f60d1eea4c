"""GET /jobs/{job_id}/logs: what the simulation says, while it runs and afterwards, by one address."""

import uuid
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusterops import errors
from clusterops.api.tails import TooManyFollowers, tails
from clusterops.gateway import default_gateway
from simulations.api.callers import query
from simulations.api.downloads import AnyType
from simulations.api.fields import StrictSerializer
from simulations.api.jobs import find_job
from simulations.logtext import readable as as_sentences
from simulations.models import Job, JobLog
from simulations.telling import tell
from simulations.waiting import line_for
from tenants.errors import ApiError

DEFAULT_LINES = 500
MAX_LINES = 5000
TIMEOUT_S = 5.0
RETRY_AFTER_S = 10


class LogsQuery(StrictSerializer):
    tail = serializers.IntegerField(
        min_value=1,
        max_value=MAX_LINES,
        default=DEFAULT_LINES,
        help_text="Lines from the end; of an ended job at most 500.",
    )
    readable = serializers.BooleanField(
        default=False, help_text="The runner's JSON lines as sentences, with the time of day in UTC."
    )
    follow = serializers.BooleanField(default=False, help_text="Plain text, line by line, until the job ends.")


class LogsAnswer(serializers.Serializer):
    """The first three fields are the specification's."""

    job_id = serializers.UUIDField()
    pod_name = serializers.CharField(allow_blank=True, help_text="Empty: there is no pod yet.")
    logs = serializers.CharField(allow_blank=True)
    source = serializers.ChoiceField(["live", "stored", "none"])  # type: ignore[assignment]
    captured_at = serializers.DateTimeField(allow_null=True, help_text="Of a stored log.")
    status = serializers.CharField()
    reason = serializers.CharField()
    message = serializers.CharField()


class LogsView(APIView):
    """The log of one job of the caller's."""

    content_negotiation_class = AnyType

    @extend_schema(
        summary="A job's log",
        description="With `follow=1`: text/plain as it is written; lines that begin with `# ` are this service's own.",
        parameters=[LogsQuery],
        responses={
            (200, "application/json"): LogsAnswer,
            (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR),
            404: None,
            503: OpenApiResponse(description="The cluster does not answer; a running job's log cannot be read."),
        },
        tags=["jobs"],
    )
    def get(self, request: Request, job_id: uuid.UUID) -> HttpResponseBase:
        asked = query(request, LogsQuery)
        job = find_job(request, job_id)
        if asked["follow"]:
            return _followed(job, asked["tail"], readable=asked["readable"])
        answer = log_of(job, asked["tail"])
        if asked["readable"]:
            answer["logs"] = as_sentences(answer["logs"])
        return Response(LogsAnswer(answer).data)


def log_of(job: Job, lines: int) -> dict[str, Any]:
    """The fields of `LogsAnswer`. Raises ApiError 503 if only the cluster could tell and does not answer."""
    told = tell(job, line_for(job.tenant, [job]))
    answer = {"job_id": job.job_id, "pod_name": job.pod_name, "status": job.status}
    answer |= {"reason": told.reason, "message": told.message}
    stored = JobLog.objects.filter(job=job).first()
    if job.pod_name and not (stored and stored.is_final) and (job.released_at is None):
        try:
            text = default_gateway().read_log(job.k8s_namespace, job.pod_name, tail=lines, timeout_s=TIMEOUT_S)
            return answer | {"logs": text, "source": "live", "captured_at": None}
        except errors.NotReady:
            return answer | {"logs": "", "source": "none", "captured_at": None}
        except errors.NotFound:  # gone, or about to be replaced: what was captured is all there is
            pass
        except errors.GatewayError as error:
            if not job.is_finished:
                raise _unreachable() from error
    if stored is None:
        return answer | {"logs": "", "source": "none", "captured_at": None}
    text = "".join(stored.text.splitlines(keepends=True)[-lines:])
    return answer | {"logs": text, "source": "stored", "captured_at": stored.captured_at}


def _unreachable() -> ApiError:
    message = "The cluster does not answer, so the log of a running job cannot be read now; the job itself goes on."
    return ApiError(503, "cluster.unreachable", message, headers={"Retry-After": str(RETRY_AFTER_S)})


def _followed(job: Job, lines: int, *, readable: bool) -> HttpResponseBase:
    try:
        text = tails.follow(job.pk, lines, as_sentences if readable else str)
    except TooManyFollowers:
        message = "Too many logs are being followed at the moment; try again, or read it without follow."
        raise ApiError(503, "logs.too_many", message, headers={"Retry-After": str(RETRY_AFTER_S)}) from None
    response = StreamingHttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # nginx would hold the lines back
    return response
