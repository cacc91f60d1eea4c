"""The dashboard's pages, the fragments that keep them live, and the charts' numbers; what they show is made beside."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render

from clusterops.api.log_text import log_view
from clusterops.dashboard import overview, pages, series
from clusterops.dashboard.access import staff_page
from clusterops.gateway.snapshot_cache import cluster
from simulations import run_series
from simulations.models import Artifact, Job

HOURS = (1, 6, 24)
STOP_POLLING = 286


def _section(request: HttpRequest, name: str) -> dict[str, Any]:
    latest = cluster.look()
    match name:
        case "summary":
            return overview.summary(latest)
        case "jobs":
            return overview.jobs(latest)
        case "nodes":
            return overview.nodes(latest)
        case "tenants":
            return overview.tenants(show_all=request.GET.get("tenants") == "all")
    raise Http404


@staff_page
def cluster_page(request: HttpRequest) -> HttpResponse:
    """Everything at a glance; complete without JavaScript, live with it."""
    names = ("summary", "jobs", "nodes", "tenants")
    sections = {name: _section(request, name) for name in names}
    hours = _hours(request)
    return render(request, "cluster/overview.html", {**sections, "hours": hours, "hours_offered": HOURS})


@staff_page
def section(request: HttpRequest, name: str) -> HttpResponse:
    """One section of the overview, for polling."""
    return render(request, f"cluster/_{name}.html", {name: _section(request, name)})


@staff_page
def job_list(request: HttpRequest) -> HttpResponse:
    """All jobs, newest first."""
    asked = {name: request.GET.get(name, "").replace("\0", "").strip()[:200] for name in ("status", "tenant", "before")}
    search = request.GET.get("q", "").replace("\0", "").strip()[:100]
    return render(request, "cluster/jobs.html", pages.job_list(search=search, **asked))


@staff_page
def job_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job: request, timeline, log, progress, results."""
    context = pages.job_state(_job(job_id))
    return render(request, "cluster/job.html", context | {"log": log_view(context["job"])})


@staff_page
def job_section(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The live part of a job's page."""
    job = _job(job_id)
    return render(request, "cluster/_job.html", pages.job_state(job), status=_status(job))


@staff_page
def job_log(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The job's log as it stands."""
    job = _job(job_id)
    return render(request, "cluster/_log.html", {"log": log_view(job)}, status=_status(job))


@staff_page
def activity_data(request: HttpRequest) -> HttpResponse:
    """Numbers of the overview's charts."""
    return JsonResponse(series.activity(_hours(request)))


@staff_page
def simulated_data(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Numbers of a job's charts over simulated time."""
    return JsonResponse(run_series.simulated(_artifact(job_id, "summary.csv.gz")))


@staff_page
def travel_times_data(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """A job's travel-time histogram."""
    return JsonResponse(run_series.travel_times(_artifact(job_id, "travel_times.json")))


def _status(job: Job) -> int:
    """286 tells htmx to stop polling: nothing changes any more."""
    return STOP_POLLING if job.is_finished else 200


def _hours(request: HttpRequest) -> int:
    asked = request.GET.get("hours", "")
    return int(asked) if asked in map(str, HOURS) else 6


def _job(job_id: UUID) -> Job:
    return get_object_or_404(Job.objects.select_related("tenant", "scenario"), pk=job_id)


def _artifact(job_id: UUID, name: str) -> Artifact:
    found = Artifact.objects.filter(job_id=job_id, name=name).order_by("-attempt").first()
    if found is None:
        raise Http404
    return found
