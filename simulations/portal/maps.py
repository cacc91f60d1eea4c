"""The data of a job's and a study's map, for those who are signed in: the answers of the API."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from simulations.edges import answers, pages, study_answers
from simulations.edges.requests import CellQuery, CurveQuery, EdgesQuery, StudyCurveQuery, StudyEdgesQuery, read
from simulations.models import Job
from simulations.portal.access import Seat, member_page
from simulations.portal.lookup import find_job, find_study
from simulations.studies.models import Study

PARTS = ("network", "edges", "curve")


def job_map(job: Job, names: Collection[str]) -> dict[str, Any] | None:
    """What the map's template needs; None for a job without its files among `names`."""
    parts = {part: reverse(f"portal:job-map-{part}", args=[job.tenant_id, job.pk]) for part in PARTS}
    return pages.job_map(names, **parts)


@member_page()
def job_network(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponseBase:
    return answers.told(lambda: answers.network(request, find_job(seat, job_id)))


@member_page()
def job_edges(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponseBase:
    return answers.told(lambda: answers.edges(request, find_job(seat, job_id), read(request.GET, EdgesQuery)))


@member_page()
def job_curve(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponseBase:
    return answers.told(lambda: answers.curve(request, find_job(seat, job_id), read(request.GET, CurveQuery)["edge"]))


def study_map(study: Study) -> dict[str, Any] | None:
    """The same for a study; None while no run has brought traffic per edge."""
    parts = {part: reverse(f"portal:study-map-{part}", args=[study.tenant_id, study.pk]) for part in PARTS}
    csv = reverse("portal:study-file", args=[study.tenant_id, study.pk, "edges.csv"])
    return pages.study_map(study, csv=csv, **parts)


@member_page()
def study_network(request: HttpRequest, seat: Seat, study_id: UUID) -> HttpResponseBase:
    def answer() -> HttpResponseBase:
        return study_answers.network(request, find_study(seat, study_id), read(request.GET, CellQuery).get("cell"))

    return answers.told(answer)


@member_page()
def study_edges(request: HttpRequest, seat: Seat, study_id: UUID) -> HttpResponseBase:
    def answer() -> HttpResponseBase:
        return study_answers.edges(request, find_study(seat, study_id), read(request.GET, StudyEdgesQuery))

    return answers.told(answer)


@member_page()
def study_curve(request: HttpRequest, seat: Seat, study_id: UUID) -> HttpResponseBase:
    def answer() -> HttpResponseBase:
        return study_answers.curve(request, find_study(seat, study_id), read(request.GET, StudyCurveQuery))

    return answers.told(answer)
