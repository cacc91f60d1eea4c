"""`/runner/jobs/{job_id}/…`: what a pod may ask, with the token of its attempt and nothing else."""

import re
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from simulations import files, tokens
from simulations.api import downloads
from simulations.api.requests import ProgressRequest
from simulations.models import Job
from simulations.services import AnnouncedFile, deliver, expect_delivery
from tenants import throttling
from tenants.database import give_connection_back
from tenants.errors import ApiError
from tenants.parsers import StrictJSONParser

SHA256 = re.compile(r"[0-9a-f]{64}")
CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
MAX_NAME_BYTES = 255
MAX_PROGRESS_BYTES = 8 * 1024
DRAIN_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Pod:
    """The caller behind a job's token."""

    claim: tokens.JobClaim
    is_authenticated: bool = True


class JobTokenAuthentication(BaseAuthentication):
    """The token is signed, so guessing asks nothing of the database; the one statement is the rate limit's. Whether the
    token's attempt is still the present one is asked of the job's row."""

    def authenticate(self, request: Request) -> tuple[Pod, None]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            claim = tokens.verify(token.strip() if scheme.lower() == "bearer" else "")
        except tokens.InvalidToken:
            raise AuthenticationFailed from None
        if limit := throttling.of_job_tokens():
            counted = throttling.count(f"job:{claim.job_id.hex}", limit)
            if not counted.allowed:
                raise counted.refusal("Too many requests for this job; try again after Retry-After seconds.")
        return Pod(claim), None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="sumok8-runner"'


class IsOwnJob(BasePermission):
    """The job in the address is the one that the token names."""

    message = "This token is for another job."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, Pod) and view.kwargs["job_id"] == request.user.claim.job_id


@extend_schema(exclude=True)
class RunnerView(viewsets.ViewSet):
    """One attempt of one job."""

    authentication_classes = [JobTokenAuthentication]
    permission_classes = [IsOwnJob]
    parser_classes = [StrictJSONParser]
    content_negotiation_class = downloads.AnyType

    def scenario(self, request: Request, job_id: uuid.UUID) -> HttpResponseBase:
        scenario = _present_job(request).scenario
        if scenario is None:
            raise ApiError(404, "scenario.not_found", "The job's scenario was deleted.")
        return downloads.send(
            request,
            str(scenario.file),
            save_as=f"{scenario.sha256}.zip",
            sha256=scenario.sha256,
            redirect=downloads.RedirectKeepingMethod,
        )

    def put_artifact(self, request: Request, job_id: uuid.UUID, name: str) -> HttpResponseBase:
        size = request.META.get("CONTENT_LENGTH") or ""
        if not size:
            raise ApiError(411, "length_required", "Send Content-Length.")
        job = _present_job(request)
        delivery = _delivery(request, name, size)
        if expect_delivery(job=job, delivery=delivery):
            _drain(request, delivery.size)
            return Response({"name": name}, status=200)
        # A runner of an older image knows no checksum header, and a link that asks for one would refuse it.
        signed = delivery.sha256 if request.headers.get("X-Accept-Checksum") == "sha256" else None
        if link := files.upload_link(delivery.file_name(job), delivery.size, sha256=signed):
            _drain(request, delivery.size)
            return downloads.RedirectKeepingMethod(link)
        give_connection_back()  # a pod that stalls must not keep one from the others
        try:
            files.store(delivery.file_name(job), request._request, size=delivery.size, sha256=delivery.sha256)
        except files.BrokenUpload as error:
            raise ApiError(422, "artifact.broken", str(error)) from None
        return _recorded(job, delivery)

    def confirm_artifact(self, request: Request, job_id: uuid.UUID, name: str) -> Response:
        """After a PUT to storage itself: the object is there, with the bytes that were announced."""
        job = _present_job(request)
        delivery = _delivery(request, name, request.headers.get("X-Size", ""))
        if not files.arrived(delivery.file_name(job), delivery.size, delivery.sha256):
            raise ApiError(
                422, "artifact.broken", "Storage does not have this file with the announced size and SHA-256."
            )
        return _recorded(job, delivery)

    def progress(self, request: Request, job_id: uuid.UUID) -> Response:
        record = ProgressRequest(data=request.data)
        record.is_valid(raise_exception=True)
        claim = _claim(request)
        if not Job.objects.record_progress(claim.job_id, claim.attempt, record.validated_data):
            raise _over()
        return Response(status=204)


def _claim(request: Request) -> tokens.JobClaim:
    if not isinstance(request.user, Pod):
        raise TypeError("this view needs JobTokenAuthentication")
    return request.user.claim


def _present_job(request: Request) -> Job:
    claim = _claim(request)
    job = Job.objects.run(claim.job_id, claim.attempt).select_related("scenario", "cluster").first()
    if job is None:
        raise _over()
    return job


def _over() -> ApiError:
    return ApiError(410, "job.over", "This attempt of the job is over; its token is worthless.")


def _delivery(request: Request, name: str, size: str) -> AnnouncedFile:
    problems = []
    sha256 = request.headers.get("X-Content-SHA256", "").lower()
    if not SHA256.fullmatch(sha256):
        problems.append(("header.bad_value", "X-Content-SHA256 must be 64 hex digits."))
    if not re.fullmatch(r"[0-9]{1,15}", size):
        problems.append(("header.bad_value", "The size must be a whole number of bytes."))
    if request.headers.get("X-Attempt") != str(_claim(request).attempt):
        problems.append(("header.bad_value", "X-Attempt is not the attempt of this token."))
    parts = name.split("/")
    if CONTROL.search(name) or len(name.encode()) > MAX_NAME_BYTES or {"", ".", ".."} & set(parts):
        problems.append(("artifact.bad_name", "An artifact's name is a relative path of at most 255 bytes."))
    if problems:
        details = [{"code": code, "message": message} for code, message in problems]
        raise ApiError(400, problems[0][0], "The artifact is not described properly.", details=details)
    return AnnouncedFile(name=name, size=int(size), sha256=sha256)


def _recorded(job: Job, delivery: AnnouncedFile) -> Response:
    artifact, is_new = deliver(job=job, delivery=delivery)
    return Response({"name": artifact.name}, status=201 if is_new else 200)


def _drain(request: Request, size: int) -> None:
    """Read a body that is not needed, if it is short: a sender that is cut off may miss the answer."""
    if size <= settings.JOB_MAX_OUTPUT_BYTES:
        while request._request.read(DRAIN_BYTES):
            pass
