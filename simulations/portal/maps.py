"""The data of a job's map, for those who are signed in: the answers of the API."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from simulations.edges import answers
from simulations.edges.requests import CurveQuery, EdgesQuery, read
from simulations.models import Job
from simulations.portal.access import Seat, member_page
from simulations.portal.lookup import find_job
from simulations.sumo.protocol.edge_file import NAME

PARTS = ("network", "edges", "curve")


def addresses(job: Job, names: set[str]) -> dict[str, str] | None:
    """What the map's template needs; None for a job without its files."""
    if NAME not in names:
        return None
    return {part: reverse(f"portal:job-map-{part}", args=[job.tenant_id, job.pk]) for part in PARTS}


@member_page()
def network(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    return answers.told(lambda: answers.network(request, find_job(seat, job_id)))


@member_page()
def edges(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    return answers.told(lambda: answers.edges(request, find_job(seat, job_id), read(request.GET, EdgesQuery)))


@member_page()
def curve(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    return answers.told(lambda: answers.curve(request, find_job(seat, job_id), read(request.GET, CurveQuery)["edge"]))
