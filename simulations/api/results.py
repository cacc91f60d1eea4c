"""`/jobs/{job_id}/results`: KPIs and files."""

import json
import uuid
from typing import Any

from django.http import HttpResponseBase, HttpResponseRedirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from simulations import files
from simulations.api import downloads
from simulations.api.jobs import find_job
from simulations.api.serializers import ResultsSerializer
from simulations.models import Artifact
from tenants.errors import ApiError

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1024 * 1024
FILE = OpenApiResponse(OpenApiTypes.BINARY, description="The file as the run wrote it; 302 where storage answers.")


class ResultsView(viewsets.ViewSet):
    """What a job's present attempt brought; before its end, what there is so far."""

    @extend_schema(summary="KPIs, warnings and files", responses=ResultsSerializer, tags=["results"])
    def list(self, request: Request, job_id: uuid.UUID) -> Response:
        job = find_job(request, job_id)
        artifacts = list(Artifact.objects.filter(job=job, attempt=job.attempt))
        manifest = next((_read(each) for each in artifacts if each.name == MANIFEST), {})
        told = {**manifest, **{name: value for name, value in (job.results or {}).items() if value}}
        results = {
            "job_id": job.job_id,
            "status": job.status,
            "reason": job.reason,
            "attempt": job.attempt,
            "complete": told.get("complete") is True,
            "kpis": _numbers(told.get("kpis")),
            # The report in the pod's status has room for the first few only.
            "warnings": _entries(manifest.get("warnings")),
            "errors": _entries(manifest.get("errors")) or _entries(told.get("errors")),
            "files": artifacts,
        }
        return Response(ResultsSerializer(results).data)


class ResultFileView(viewsets.ViewSet):
    """One result file."""

    content_negotiation_class = downloads.AnyType

    @extend_schema(
        summary="Download a result",
        responses={(200, "application/octet-stream"): FILE, 302: None, 503: None},
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
            str(artifact.file), save_as=artifact.name, sha256=artifact.sha256, redirect=HttpResponseRedirect
        )


def _read(artifact: Artifact) -> dict[str, Any]:
    """A manifest was made in a tenant's pod: believed no more than any other upload."""
    if artifact.size_bytes > MAX_MANIFEST_BYTES:
        return {}
    try:
        with files.open_file(str(artifact.file)) as content:
            manifest = json.loads(content.read())
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _numbers(value: Any) -> dict[str, float | None]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {
        name: number
        for name, number in pairs
        if number is None or (isinstance(number, int | float) and abs(number) < float("inf"))
    }


def _entries(value: Any) -> list[dict[str, Any]]:
    entries = value if isinstance(value, list) else []
    return [
        {name: entry[name] for name in ("code", "message", "where", "hint") if isinstance(entry.get(name), str)}
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("message"), str) and isinstance(entry.get("code"), str)
    ]
