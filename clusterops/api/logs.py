"""GET /jobs/{job_id}/logs: what the simulation says, while it runs and afterwards, by one address."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusterops import errors
from clusterops.api import log_formats
from clusterops.api.log_followers import Followed, shared_logs
from clusterops.api.log_reader import Position, stamped
from clusterops.gateway import gateway_of
from simulations.api.callers import query
from simulations.api.downloads import AnyType
from simulations.api.fields import LOST_PLUS, PLUS, StrictSerializer
from simulations.api.jobs import find_job
from simulations.held import NoPlace
from simulations.logtext import readable as as_sentences
from simulations.models import Job, JobLog
from simulations.telling import tell
from simulations.waiting import line_for
from tenants.database import give_connection_back
from tenants.errors import ApiError

DEFAULT_LINES = 500
MAX_LINES = 5000
TIMEOUT_S = 5.0
RETRY_AFTER_S = 10
FOLLOWING = (
    "With `follow=1` as it is written; lines of plain text that begin with `# ` are this service's own. One that had "
    "to be cut off before the job's end says so in its last line, and where to go on. As events, each line has its "
    "position as `id`; `note`, `cut` and `end` are this service's own."
)


class PositionField(serializers.CharField):
    """A place in a log: what an answer told, or a moment."""

    default_error_messages = {
        "invalid": "Write the position that an answer told, or a time such as 2026-01-31T12:00:00Z."
    }

    def to_internal_value(self, data: Any) -> Position:  # type: ignore[override]
        text = super().to_internal_value(data)
        if LOST_PLUS.search(text):
            raise serializers.ValidationError(PLUS, code="plus")
        try:
            return Position.parse(text)
        except (ValueError, OverflowError):
            self.fail("invalid")


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
    follow = serializers.BooleanField(
        default=False,
        help_text="As it is written, until the job ends: plain text or, with Accept: text/event-stream, events.",
    )
    since = PositionField(
        required=False, help_text="Only what comes after: a `position`, or a time in ISO 8601. Not of a stored log."
    )


SOURCES = ["live", "stored", "none"]


class LogsAnswer(serializers.Serializer):
    """The first three fields are the specification's."""

    job_id = serializers.UUIDField()
    pod_name = serializers.CharField(allow_blank=True, help_text="Empty: there is no pod yet.")
    logs = serializers.CharField(allow_blank=True)
    source = serializers.ChoiceField(SOURCES)  # type: ignore[assignment]
    captured_at = serializers.DateTimeField(allow_null=True, help_text="Of a stored log.")
    position = serializers.CharField(allow_null=True, help_text="Of the last line of a live log, for `since`.")
    status = serializers.CharField()
    reason = serializers.CharField()
    message = serializers.CharField()


class LogsView(APIView):
    """The log of one job of the caller's."""

    content_negotiation_class = AnyType

    @extend_schema(
        summary="A job's log",
        description=FOLLOWING,
        parameters=[
            LogsQuery,
            OpenApiParameter("Last-Event-ID", location="header", description="As `since`; browsers send it."),
        ],
        responses={
            (200, "application/json"): LogsAnswer,
            (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR),
            (200, "text/event-stream"): OpenApiResponse(OpenApiTypes.STR),
            204: OpenApiResponse(description="Last-Event-ID says that the end was told; browsers then stop asking."),
            404: None,
            503: OpenApiResponse(description="The cluster does not answer; a running job's log cannot be read."),
        },
        tags=["jobs"],
    )
    def get(self, request: Request, job_id: uuid.UUID) -> HttpResponseBase:
        asked = query(request, LogsQuery)
        job = find_job(request, job_id)
        if asked["follow"]:
            return _followed(request, job, asked)
        answer = log_of(job, asked["tail"], asked.get("since"))
        if asked["readable"]:
            answer["logs"] = as_sentences(answer["logs"])
        return Response(LogsAnswer(answer).data)


def log_of(job: Job, lines: int, after: Position | None = None) -> dict[str, Any]:
    """The fields of `LogsAnswer`: the last `lines` of the log, of a live one those after that position.

    Raises ApiError 503 if only the cluster could tell and does not answer.
    """
    told = tell(job, line_for(job.tenant, [job]))
    answer = {"job_id": job.job_id, "pod_name": job.pod_name, "status": job.status}
    answer |= {"reason": told.reason, "message": told.message, "position": after and str(after)}
    stored = JobLog.objects.filter(job=job).first()
    if job.pod_name and not (stored and stored.is_final) and (job.released_at is None):
        try:
            gateway = gateway_of(job.cluster)
            give_connection_back()
            text = gateway.read_log(
                job.k8s_namespace,
                job.pod_name,
                tail=lines,
                since=after.time if after else None,
                timestamps=True,
                timeout_s=TIMEOUT_S,
            )
            found = list(stamped(text, after))
            if found:
                answer["position"] = str(found[-1].position)
            return answer | {"logs": "".join(line.text for line in found), "source": "live", "captured_at": None}
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
    return answer | {"logs": text, "source": "stored", "captured_at": stored.captured_at, "position": None}


def _unreachable() -> ApiError:
    message = "The cluster does not answer, so the log of a running job cannot be read now; the job itself goes on."
    return ApiError(503, "cluster.unreachable", message, headers={"Retry-After": str(RETRY_AFTER_S)})


def _followed(request: Request, job: Job, asked: dict[str, Any]) -> HttpResponseBase:
    events = "text/event-stream" in request.headers.get("Accept", "")
    last = request.headers.get("Last-Event-ID", "")
    if last == log_formats.ENDED:
        return Response(status=204)
    after: Position | None = asked.get("since")
    if last:
        after = LogsQuery.read({"since": last})["since"]
    try:
        lines = shared_logs.follow(job.tenant_id, job.pk, asked["tail"], after)
    except NoPlace:
        message = "Too many logs are being followed at the moment; try again, or read it without follow."
        raise ApiError(503, "logs.too_many", message, headers={"Retry-After": str(RETRY_AFTER_S)}) from None
    form = as_sentences if asked["readable"] else str
    text = Formatted(lines, log_formats.events(form) if events else log_formats.plain(form))
    response = StreamingHttpResponse(text, content_type=f"text/{'event-stream' if events else 'plain'}; charset=utf-8")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # nginx would hold the lines back
    return response


class Formatted(Iterator[str]):
    """Followed lines as text; closing it gives the follower's place free."""

    def __init__(self, lines: Followed, form: log_formats.Form) -> None:
        self._lines = lines
        self._form = form

    def __next__(self) -> str:
        return self._form(next(self._lines))

    def close(self) -> None:
        self._lines.close()
