"""The list of studies, and one study as it stands."""

import hashlib
import json
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.exceptions import ValidationError

from simulations.api.pagination import page
from simulations.charts.phases import took
from simulations.portal.access import Seat, member_page, show
from simulations.portal.studies.tables import card, matrix
from simulations.portal.studies.verdict import headline
from simulations.studies.api.requests import StudyListQuery
from simulations.studies.figures import answer_of
from simulations.studies.kpis import FIGURES
from simulations.studies.models import Study, StudyRun
from simulations.studies.progress import progress_of
from simulations.studies.results import results_of
from simulations.studies.statistics.quality import DEMAND

LISTED, FAILED_LISTED = 50, 50
STOP_POLLING = 286
BADGES = {"RUNNING": "info", "PAUSED": "warn", "COMPLETE": "ok", "INCOMPLETE": "bad", "CANCELLED": "idle"}
FILES = (
    ("report.html", "Report to print"), ("summary.csv", "Means (CSV)"), ("comparisons.csv", "Comparisons (CSV)"),
    ("runs.csv", "Runs (CSV)"), ("archive.zip", "Everything (zip)"),
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
        "study": study, "badge": BADGES[study.status], "ended": ended, "total": sum(counts.values()), "failed": failed,
    }  # fmt: skip


@member_page()
def study_page(request: HttpRequest, seat: Seat, study_id: UUID) -> HttpResponse:
    """What may be said, how far it is, every figure; complete without JavaScript, live with it."""
    study = find_study(seat, study_id)
    context = state(study, progress_of(study))
    return show(request, seat, "portal/studies/study.html", context | {"files": FILES})


@member_page()
def study_now(request: HttpRequest, seat: Seat, study_id: UUID) -> HttpResponse:
    """The live part. 304 while nothing has changed, which costs no summary."""
    study = find_study(seat, study_id)
    progress = progress_of(study)
    tag = f'"{_digest([study.status, study.message, progress, seat.role])}"'
    if request.headers.get("If-None-Match") == tag:
        answer = HttpResponse(status=304)
    else:
        context = state(study, progress) | {"seat": seat, "files": FILES}
        status = 200 if study.is_active else STOP_POLLING
        answer = render(request, "portal/studies/_study.html", context, status=status)
    answer["ETag"] = tag
    answer["Cache-Control"] = "private, no-cache"  # kept by the browser, asked for again each time
    return answer


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]


def find_study(seat: Seat, study_id: UUID) -> Study:
    study = Study.objects.select_related("tenant").filter(tenant=seat.tenant, pk=study_id).first()
    if study is None:
        raise Http404
    return study


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
        "badge": BADGES[study.status],
        "headline": headline(answer, ended=ended, total=runs["total"], final=not study.is_active),
        "sentences": [each.sentence for each in answer.summary.comparisons if each.primary],
        "flags": answer.summary.flags,
        "demand": DEMAND,
        "runs": runs,
        "ended": ended,
        "bad": runs["failed"] + runs["cancelled"],
        "eta": took(progress["eta_s"]) if progress["eta_s"] else "",
        "paired": progress["paired_seeds_complete"],
        "cells": progress["cells"],
        "cards": [card(figure, answer) for figure in primary],
        "interval": answer.interval,
        "matrix": matrix(answer),
        "has_comparisons": any(cell.against for cell in answer.cells),
        "failures": progress["failures"],
        "failed_runs": [(names[run.cell_id], run) for run in failed[:FAILED_LISTED]],
        "failed_more": max(0, len(failed) - FAILED_LISTED),
    }
