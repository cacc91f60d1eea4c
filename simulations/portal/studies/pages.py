"""The list of studies, and one study as it stands."""

from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import ValidationError

from simulations.api.pagination import page
from simulations.portal import live, maps
from simulations.portal.access import Seat, in_turn, member_page, show
from simulations.portal.lookup import find_study
from simulations.portal.studies.tables import card, matrix
from simulations.portal.studies.verdict import headline, kind_of
from simulations.studies.api.requests import StudyListQuery
from simulations.studies.exports import parquet
from simulations.studies.figures import answer_of
from simulations.studies.kpis import FIGURES
from simulations.studies.models import Study, StudyRun
from simulations.studies.precision import goal
from simulations.studies.progress import progress_of
from simulations.studies.results import results_of
from simulations.studies.statistics.quality import DEMAND

LISTED, FAILED_LISTED = 50, 50
FILES = (
    ("report.html", "Report to print"), ("summary.csv", "Means (CSV)"), ("comparisons.csv", "Comparisons (CSV)"),
    ("runs.csv", "Runs (CSV)"), ("archive.zip", "Everything (zip)"),
    *([("runs.parquet", "Runs (Parquet)")] if parquet.is_available() else []),
)  # fmt: skip


@member_page()
def study_list(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The newest, with how far each is: two statements."""
    try:
        asked = StudyListQuery.read({"cursor": request.GET["cursor"]} if "cursor" in request.GET else {})
    except ValidationError:
        asked = StudyListQuery.read({})
    rows = Study.objects.filter(tenant=seat.tenant).defer("request", "extensions")
    found, older = page(request, rows, order_by="created_at", limit=LISTED, cursor=asked.get("cursor"))
    counted = (
        StudyRun.objects.filter(study__in=[study.pk for study in found])
        .order_by()
        .values_list("study_id", "status")
        .annotate(count=Count("pk"))
    )
    counts: dict[UUID, dict[str, int]] = {}
    for study_id, status, count in counted:
        counts.setdefault(study_id, {})[status] = count
    listed = [_listed(study, counts.get(study.pk, {})) for study in found]
    return show(
        request, seat, "portal/studies/list.html", {"rows": listed, "older": older, "is_first": "cursor" not in asked}
    )


def _listed(study: Study, counts: dict[str, int]) -> dict[str, Any]:
    ended = sum(counts.get(status, 0) for status in StudyRun.ENDED)
    failed = ended - counts.get(StudyRun.Status.SUCCEEDED, 0)
    return {
        "study": study, "ended": ended, "total": sum(counts.values()), "failed": failed,
    }  # fmt: skip


@member_page()
def study_page(request: HttpRequest, seat: Seat, study_id: UUID) -> HttpResponse:
    """What may be said, how far it is, every figure; complete without JavaScript, live with it."""
    study = find_study(seat, study_id)

    def whole() -> HttpResponse:
        context = state(study, progress_of(study)) | {"files": FILES, "map": maps.study_map(study)}
        return show(request, seat, "portal/studies/study.html", context)

    return in_turn(study.tenant_id, whole)


@member_page()
def study_now(request: HttpRequest, seat: Seat, study_id: UUID) -> HttpResponse:
    """The live part. While nothing has changed there is no body, and no summary is made."""
    study = find_study(seat, study_id)
    progress = progress_of(study)
    if study.is_active and request.GET.get("seen") == _mark(study, progress):
        return HttpResponse(status=live.UNCHANGED)

    def fragment() -> HttpResponse:
        context = state(study, progress) | {"files": FILES}
        return live.fragment(request, seat, "portal/studies/_study.html", context, ended=not study.is_active)

    return in_turn(study.tenant_id, fragment)


def _mark(study: Study, progress: dict[str, Any]) -> str:
    return live.still_mark(study.status, study.message, progress)


def state(study: Study, progress: dict[str, Any]) -> dict[str, Any]:
    """For `_study.html`."""
    results = results_of(study)
    answer = answer_of(results)
    runs = progress["runs"]
    ended = runs["succeeded"] + runs["failed"] + runs["cancelled"]
    primary = [FIGURES[name] for name in answer.question.primary]
    failed = [run for run in results.runs if run.status != StudyRun.Status.SUCCEEDED]
    names = {cell.pk: cell.name for cell in results.cells}
    return {
        "study": study,
        "mark": _mark(study, progress),
        "headline": headline(answer, ended=ended, total=runs["total"], final=not study.is_active),
        "kind": kind_of(study, answer),
        "sentences": [each.sentence for each in answer.summary.comparisons if each.primary],
        "flags": answer.summary.flags,
        "demand": DEMAND,
        "runs": runs,
        "ended": ended,
        "bad": runs["failed"] + runs["cancelled"],
        "eta_s": progress["eta_s"] or None,
        "paired": progress["paired_seeds_complete"],
        "cells": progress["cells"],
        "cards": [card(figure, answer, goal(study.request.get("precision"), figure)) for figure in primary],
        "interval": answer.interval,
        "matters": f"{answer.question.relevant_difference * 100:g} %",
        "matrix": matrix(answer),
        "has_comparisons": any(cell.against for cell in answer.cells),
        "failures": progress["failures"],
        "failed_runs": [(names[run.cell_id], run) for run in failed[:FAILED_LISTED]],
        "failed_more": max(0, len(failed) - FAILED_LISTED),
    }
