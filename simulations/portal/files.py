"""A job's files, numbers and log, and a scenario's archive, for those who are signed in."""

from uuid import UUID

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)

from simulations import run_series
from simulations.api import downloads
from simulations.edges.answers import told
from simulations.held import HeldAnswer, place_and_turn
from simulations.logs import log_view, narrow
from simulations.logtext import LEVELS
from simulations.models import Artifact, Job
from simulations.portal import live, zipped
from simulations.portal.access import Seat, in_turn, member_page, refused, show
from simulations.portal.lookup import find_job
from simulations.run_tables import HISTOGRAM, SUMMARY, tables_of
from tenants.errors import ApiError

MAX_FIND = 100  # characters


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
        return refused(error)


@member_page()
def result(request: HttpRequest, seat: Seat, job_id: UUID, name: str) -> HttpResponseBase:
    artifact = _artifact(find_job(seat, job_id), name)
    return send(request, str(artifact.file), save_as=artifact.name, sha256=artifact.sha256)


@member_page()
def simulated(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponseBase:
    """Numbers of the charts over simulated time."""
    artifact = _artifact(find_job(seat, job_id), SUMMARY)

    def answer() -> HttpResponse:
        with place_and_turn(seat.tenant.pk):
            return JsonResponse(run_series.simulated(artifact))

    return told(answer)


@member_page()
def travel_times(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponseBase:
    """The histogram of travel times."""
    artifact = _artifact(find_job(seat, job_id), HISTOGRAM)
    return told(lambda: JsonResponse(run_series.travel_chart(artifact)))


@member_page()
def numbers(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    """The charts' numbers as tables, for readers without JavaScript."""
    job = find_job(seat, job_id)

    def page() -> HttpResponse:
        return show(request, seat, "portal/numbers.html", {"job": job, "tables": tables_of(job)})

    return in_turn(seat.tenant.pk, page)


@member_page()
def log(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    """The last lines, or those that are looked for: the job page's fragment, a page of its own, or (`save`) a file."""
    job = find_job(seat, job_id)
    asked = log_query(request)
    view = narrow(log_view(job), **asked)
    if request.GET.get("save"):
        answer = HttpResponse(view.text, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{job.pk}.log"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer
    context = {"job": job, "log": view, "asked": asked, "mark": live.still_mark(view)}
    if "HX-Request" not in request.headers:
        return show(request, seat, "portal/log.html", context)
    return live.fragment(request, seat, "portal/_log.html", context, ended=job.is_finished)


def log_query(request: HttpRequest) -> dict[str, str]:
    """What is looked for in a log."""
    level = request.GET.get("level", "")
    return {"find": request.GET.get("find", "").strip()[:MAX_FIND], "level": level if level in LEVELS else ""}


@member_page()
def everything(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponseBase:
    """All files of the present attempt as one zip."""
    job = find_job(seat, job_id)
    artifacts = list(job.artifacts.filter(attempt=job.attempt)[: zipped.MOST_FILES + 1])
    if not artifacts:
        raise Http404
    if too_much := zipped.why_not(artifacts):
        sentence = f"These are {too_much}: fetch them one by one, or by GET /jobs/{job.pk}/results."
        return HttpResponse(sentence, status=409, content_type="text/plain; charset=utf-8")
    try:
        parts = HeldAnswer(seat.tenant.pk, zipped.zipped(artifacts))
    except ApiError as error:
        return refused(error)
    answer = StreamingHttpResponse(parts, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{job.pk}.zip"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
