"""`/jobs/{job_id}/results`: KPIs and files."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponseBase, HttpResponseRedirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from simulations import result_manifest
from simulations.api import downloads
from simulations.api.jobs import find_job
from simulations.api.serializers import ResultsSerializer
from simulations.models import Artifact
from simulations.sumo.protocol.report import figures, problems
from simulations.telling import tell
from tenants.errors import ApiError

FILE = OpenApiResponse(OpenApiTypes.BINARY, description="The file as the run wrote it; 302 where storage answers.")


class ResultsView(viewsets.ViewSet):
    """What a job's present attempt brought; before its end, what there is so far."""

    @extend_schema(summary="KPIs, warnings and files", responses=ResultsSerializer, tags=["results"])
    def list(self, request: Request, job_id: uuid.UUID) -> Response:
        job = find_job(request, job_id)
        artifacts = list(Artifact.objects.filter(job=job, attempt=job.attempt))
        manifest = next((result_manifest.read(each) for each in artifacts if each.name == result_manifest.NAME), None)
        # The report in the pod's status has room for the first few problems only.
        told: Mapping[str, Any] = job.results or (manifest["report"] if manifest else {})
        results = {
            "job_id": job.job_id,
            "status": job.status,
            "reason": tell(job).reason,
            "attempt": job.attempt,
            "complete": told.get("complete") is True,
            "kpis": figures(told.get("kpis")) or (manifest["report"]["kpis"] if manifest else {}),
            "warnings": manifest["warnings"] if manifest else [],
            "errors": (manifest["errors"] if manifest else []) or problems(told.get("errors")),
            "files": artifacts,
        }
        return Response(ResultsSerializer(results).data)


class ResultFileView(viewsets.ViewSet):
    """One result file."""

    content_negotiation_class = downloads.AnyType

    @extend_schema(
        summary="Download a result",
        responses={
            (200, "application/octet-stream"): FILE,
            (206, "application/octet-stream"): downloads.RANGE,
            302: None,
            416: None,
            503: None,
        },
        tags=["results"],
    )
    def retrieve(self, request: Request, job_id: uuid.UUID, name: str) -> HttpResponseBase:
        job = find_job(request, job_id)
        artifact = None
        if "\0" not in name:
            artifact = Artifact.objects.filter(job=job, attempt=job.attempt, name=name).first()
        if artifact is None:
            raise ApiError(404, "result.not_found", "This job has no such result; GET …/results lists them.")
        return downloads.send(
            request, str(artifact.file), save_as=artifact.name, sha256=artifact.sha256, redirect=HttpResponseRedirect
        )
