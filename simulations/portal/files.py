"""A job's files, numbers and log, and a scenario's archive, for those who are signed in."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse

from simulations import run_series
from simulations.api import downloads
from simulations.edges.answers import told
from simulations.logs import log_view
from simulations.models import Artifact, Job
from simulations.portal import live
from simulations.portal.access import Seat, member_page
from simulations.portal.lookup import find_job
from tenants.errors import ApiError


def _artifact(job: Job, name: str) -> Artifact:
    found = Artifact.objects.filter(job=job, attempt=job.attempt, name=name).first()
    if found is None:
        raise Http404
    return found


def send(request: HttpRequest, name: str, *, save_as: str, sha256: str) -> HttpResponseBase:
    """As the API sends it; a refusal is a page's plain sentence."""
    try:
        return downloads.send(request, name, save_as=save_as, sha256=sha256, redirect=HttpResponseRedirect)
    except ApiError as error:
        answer = HttpResponse(error.message, status=error.status_code, content_type="text/plain; charset=utf-8")
        for header, value in error.headers.items():
            answer[header] = value
        return answer


@member_page()
def result(request: HttpRequest, seat: Seat, job_id: UUID, name: str) -> HttpResponseBase:
    artifact = _artifact(find_job(seat, job_id), name)
    return send(request, str(artifact.file), save_as=artifact.name, sha256=artifact.sha256)


@member_page()
def simulated(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    """Numbers of the charts over simulated time."""
    artifact = _artifact(find_job(seat, job_id), "summary.csv.gz")
    return told(lambda: JsonResponse(run_series.simulated(artifact)))


@member_page()
def travel_times(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    """The histogram of travel times."""
    artifact = _artifact(find_job(seat, job_id), "travel_times.json")
    return told(lambda: JsonResponse(run_series.travel_times(artifact)))


@member_page()
def log(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    """The last lines; `?save=1` as a file, else as the page's fragment."""
    job = find_job(seat, job_id)
    view = log_view(job)
    if request.GET.get("save"):
        answer = HttpResponse(view.text, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{job.pk}.log"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer
    context = {"job": job, "log": view, "mark": live.mark(view)}
    return live.fragment(request, seat, "portal/_log.html", context, ended=job.is_finished)
