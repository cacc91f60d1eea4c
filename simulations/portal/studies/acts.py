"""What may be done with a study, and its files."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from rest_framework.exceptions import ValidationError

from simulations.edges.exports import edges, has_edges
from simulations.held import place_and_turn
from simulations.portal.access import Seat, member_page, refused
from simulations.portal.lookup import find_study
from simulations.studies.api.exports import TEXT_CSV, held, saved, table
from simulations.studies.api.requests import ExtendRequest
from simulations.studies.exports import parquet, tables
from simulations.studies.exports.bundle import bundle
from simulations.studies.exports.report import POLICY, report
from simulations.studies.models import Study
from simulations.studies.results import results_of
from simulations.studies.services import control
from tenants.errors import ApiError
from tenants.members import Role

DONE = {
    "pause": "Paused: nothing new starts.",
    "resume": "It goes on.",
    "cancel": "Cancelled; its results so far are kept.",
}


@member_page("POST", role=Role.ENGINEER)
def study_act(request: HttpRequest, seat: Seat, study_id: UUID, act: str) -> HttpResponse:
    """Pause, resume, cancel, retry, extend; each may be repeated without harm."""
    find_study(seat, study_id)
    try:
        messages.success(request, _do(request, seat, study_id, act))
    except ApiError as error:
        messages.error(request, error.message)
    return redirect("portal:study", seat.tenant.pk, study_id)


def _do(request: HttpRequest, seat: Seat, study_id: UUID, act: str) -> str:
    counts: list[int] = []
    if act in DONE:
        control.change(seat.tenant, study_id, getattr(control, act))
        return DONE[act]
    if act == "retry":
        control.change(seat.tenant, study_id, lambda study: counts.append(control.retry(study)))
        return f"{counts[0]} runs are run again, with the same seeds." if counts[0] else "No run had failed."
    if act == "extend":
        try:
            asked = ExtendRequest.read({"seeds_total": int(request.POST.get("seeds_total", ""))})
        except (ValueError, ValidationError):
            raise ApiError(422, "study.seeds", "Give the number of seeds in all, as a whole number.") from None

        def extend(study: Study) -> None:
            counts.append(control.extend(study, **asked))

        control.change(seat.tenant, study_id, extend)
        return f"{counts[0]} seeds were added to every cell." if counts[0] else "It has as many seeds already."
    raise Http404


@member_page()
def study_file(request: HttpRequest, seat: Seat, study_id: UUID, name: str) -> HttpResponseBase:
    """As the REST API gives it."""
    try:
        return _file(find_study(seat, study_id), name)
    except ApiError as error:
        return refused(error)


def _file(study: Study, name: str) -> HttpResponseBase:
    if name == "archive.zip":
        return held(study, bundle(study), "study.zip", "application/zip")
    if name == "runs.parquet" and parquet.is_available():
        return held(study, parquet.runs(study), name, parquet.MEDIA_TYPE)
    if name == "edges.csv" and has_edges(study):
        return held(study, tables.lines(edges(study)), name, TEXT_CSV)
    if name == "runs.csv":
        return saved(StreamingHttpResponse(tables.lines(tables.runs(study)), content_type=TEXT_CSV), name)
    if name in tables.FROM_RESULTS:
        return table(study, name)
    if name == "report.html":
        with place_and_turn(study.tenant_id):
            answer = HttpResponse(report(results_of(study)), content_type="text/html; charset=utf-8")
        answer["Content-Security-Policy"] = f"{POLICY}; sandbox"
        answer["Content-Disposition"] = f'inline; filename="{name}"'  # read and printed from its page, sandboxed
        return answer
    raise Http404
