"""The data of a job's map, for staff: the answers of the API, kept by the browser as long as nothing changes."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse

from clusterops.dashboard.access import staff_data
from simulations.edges import answers
from simulations.edges.pages import job_map
from simulations.edges.requests import CurveQuery, EdgesQuery, read
from simulations.models import Job


def map_of(job: Job, names: Collection[str]) -> dict[str, Any] | None:
    """What the map's template needs; None for a job without its files among `names`."""
    parts = {part: reverse(f"cluster:map-{part}", args=[job.pk]) for part in ("network", "edges", "curve")}
    return job_map(names, **parts)


@staff_data
def network(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    return answers.told(lambda: answers.network(request, _job(job_id)))


@staff_data
def edges(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    return answers.told(lambda: answers.edges(request, _job(job_id), read(request.GET, EdgesQuery)))


@staff_data
def curve(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    return answers.told(lambda: answers.curve(request, _job(job_id), read(request.GET, CurveQuery)["edge"]))


def _job(job_id: UUID) -> Job:
    return get_object_or_404(Job, pk=job_id)
