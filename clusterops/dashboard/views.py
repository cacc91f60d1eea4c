"""The dashboard's pages, the fragments that keep them live, and the charts' numbers; what they show is made beside."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.gzip import gzip_page

from clusterops.api.log_text import log_view
from clusterops.dashboard import attention, overview, pages, series, tenant_list
from clusterops.dashboard.access import staff_page
from clusterops.dashboard.clusters import Chosen, chosen
from clusterops.dashboard.job_list import Asked
from clusterops.dashboard.job_list import job_list as jobs_asked_for
from clusterops.dashboard.numbers import HOURS, hours_of
from clusterops.dashboard.polling import unless_seen
from clusterops.policy.causes import CAUSES
from simulations import run_series
from simulations.api import downloads
from simulations.edges.answers import told
from simulations.logs import narrow
from simulations.models import Artifact, Job
from tenants.errors import ApiError

STOP_POLLING = 286
FIND = 100  # characters


def _section(request: HttpRequest, name: str, place: Chosen) -> dict[str, Any]:
    match name:
        case "attention":
            return attention.section(place.latest, place.name)
        case "summary":
            return overview.summary(place)
        case "jobs":
            return overview.jobs(place)
        case "nodes":
            return overview.nodes(place.latest)
        case "tenants":
            return tenant_list.section(place.of("cluster"))
    raise Http404


@staff_page
def cluster_page(request: HttpRequest) -> HttpResponse:
    """Everything at a glance; complete without JavaScript, live with it."""
    names = ("attention", "summary", "jobs", "nodes", "tenants")
    place = chosen(request.GET)
    sections = {name: _section(request, name, place) for name in names}
    hours = hours_of(request)
    context = {**sections, "place": place, "hours": hours, "hours_offered": HOURS}
    return render(request, "cluster/overview.html", context)


@gzip_page
@staff_page
def section(request: HttpRequest, name: str) -> HttpResponse:
    """One section of the overview, for polling."""
    place = chosen(request.GET)
    context = {name: _section(request, name, place), "place": place}
    return unless_seen(request, render(request, f"cluster/_{name}.html", context))


@staff_page
def job_list(request: HttpRequest) -> HttpResponse:
    """Jobs by status, reason, tenant, cluster, scenario, label and period, newest first."""
    return render(request, "cluster/jobs.html", jobs_asked_for(Asked.of(request.GET)))


@gzip_page
@staff_page
def job_rows(request: HttpRequest) -> HttpResponse:
    """The list's rows as they stand, for polling."""
    return unless_seen(request, render(request, "cluster/_job_rows.html", jobs_asked_for(Asked.of(request.GET))))


@staff_page
def cause_page(request: HttpRequest, code: str) -> HttpResponse:
    """One cause of the attention list: whom it is about, and its silences."""
    if code not in CAUSES:
        raise Http404
    return render(request, "cluster/cause.html", attention.cause_page(code, chosen(request.GET)))


@staff_page
def job_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job: request, timeline, log, progress, results."""
    context = pages.job_state(_job(job_id))
    return render(request, "cluster/job.html", context | _log(request, context["job"]))


@staff_page
def job_section(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The live part of a job's page."""
    job = _job(job_id)
    return unless_seen(request, render(request, "cluster/_job.html", pages.job_state(job), status=_status(job)))


@staff_page
def job_log(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The job's log as it stands."""
    job = _job(job_id)
    return unless_seen(request, render(request, "cluster/_log.html", _log(request, job), status=_status(job)))


@staff_page
def job_file(request: HttpRequest, job_id: UUID, name: str) -> HttpResponseBase:
    """One result file of the job's present attempt."""
    if not request.user.has_perm("simulations.view_artifact"):
        raise PermissionDenied
    artifact = _artifact(job_id, name)
    try:
        return downloads.send(
            request, str(artifact.file), save_as=artifact.name, sha256=artifact.sha256, redirect=HttpResponseRedirect
        )
    except ApiError as error:
        return HttpResponse(error.message, status=error.status_code, content_type="text/plain", headers=error.headers)


@gzip_page
@staff_page
def activity_data(request: HttpRequest) -> HttpResponse:
    """Numbers of the overview's charts."""
    return JsonResponse(series.activity(hours_of(request), chosen(request.GET)))


@staff_page
def simulated_data(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """Numbers of a job's charts over simulated time."""
    artifact = _artifact(job_id, "summary.csv.gz")
    return told(lambda: JsonResponse(run_series.simulated(artifact)))


@staff_page
def travel_times_data(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """A job's travel-time histogram."""
    artifact = _artifact(job_id, "travel_times.json")
    return told(lambda: JsonResponse(run_series.travel_chart(artifact)))


def _log(request: HttpRequest, job: Job) -> dict[str, Any]:
    """The log, or its lines that contain what is looked for, numbered."""
    find = request.GET.get("find", "")[:FIND]
    return {"log": narrow(log_view(job), find), "find": find}


def _status(job: Job) -> int:
    """286 tells htmx to stop polling: nothing changes any more."""
    return STOP_POLLING if job.is_finished else 200


def _job(job_id: UUID) -> Job:
    return get_object_or_404(Job.objects.select_related("tenant", "scenario"), pk=job_id)


def _artifact(job_id: UUID, name: str) -> Artifact:
    """Of the present attempt, as the page lists them."""
    return get_object_or_404(Artifact, job_id=job_id, attempt=F("job__attempt"), name=name)
