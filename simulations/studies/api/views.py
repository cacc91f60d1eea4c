"""`/studies`: submit, watch, steer."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from simulations.api.callers import query, tenant_of
from simulations.api.jobs import idempotency_key
from simulations.api.pagination import page
from simulations.api.requests import DryRunQuery
from simulations.api.serializers import moment
from simulations.held import place_and_turn
from simulations.studies.api.requests import (
    ExtendRequest,
    RunListQuery,
    StudyListQuery,
    StudyRequest,
    SummaryQuery,
    cells_of,
)
from simulations.studies.api.shapes import (
    DryRunShape,
    ExtendedShape,
    RetriedShape,
    RunListShape,
    StudyListShape,
    StudyShape,
    SubmittedStudyShape,
    SummaryShape,
)
from simulations.studies.limits import MAX_BODY_BYTES
from simulations.studies.models import Cell, Study, StudyRun
from simulations.studies.progress import progress_of
from simulations.studies.results import as_json, results_of
from simulations.studies.services import control
from simulations.studies.services.estimate import estimate
from simulations.studies.services.submission import CheckedCell, check, create_study
from tenants.errors import ApiError
from tenants.models import Tenant
from tenants.parsers import JSONSentAsForm, StrictJSONParser

KEY = OpenApiParameter(
    "Idempotency-Key", location="header", description="Repeat with the same request: the same answer, done once."
)
EXAMPLES = [
    OpenApiExample(
        "Variants and a sweep",
        {
            "name": "bus lane 2027",
            "base": {"scenario_id": "centre", "end": 7200},
            "variants": [{"name": "today"}, {"name": "lane", "scenario_id": "centre_lane"}],
            "baseline": "today",
            "sweep": {"scale": [0.95, 1.0, 1.05]},
            "seeds": {"first": 1, "count": 10},
            "primary_kpis": ["mean_time_loss_s"],
            "relevant_difference": 0.02,
        },
        request_only=True,
    )
]


class StudyParser(StrictJSONParser):
    max_bytes = MAX_BODY_BYTES


class StudyFormParser(JSONSentAsForm):
    max_bytes = MAX_BODY_BYTES


class StudiesView(viewsets.ViewSet):
    """All studies of the caller."""

    parser_classes = [StudyParser, StudyFormParser]

    @extend_schema(
        summary="Submit a study",
        description="Every cell is checked now; all that is wrong is told at once.",
        request={"application/json": StudyRequest},
        parameters=[KEY, DryRunQuery],
        responses={
            201: SubmittedStudyShape,
            200: OpenApiResponse(DryRunShape, description="A dry run; with a repeated Idempotency-Key, the study."),
            409: None,
            422: None,
        },
        examples=EXAMPLES,
        tags=["studies"],
    )
    def create(self, request: Request) -> Response:
        tenant = tenant_of(request)
        only_asks = query(request, DryRunQuery)["dry_run"]
        wanted = StudyRequest.read(request.data)
        expansion = cells_of(wanted)
        if only_asks:
            return Response(dry_run(tenant, wanted, expansion))
        study, is_new = create_study(
            tenant=tenant, wanted=wanted, expansion=expansion, idempotency_key=idempotency_key(request)
        )
        cells = list(study.cells.all())
        answer = {
            **row_json(study),
            "cells": len(cells),
            "runs_total": len(cells) * len(study.seeds),
            "estimate": _estimate(tenant, study.request, len(study.seeds), cells),
        }
        headers = {"Location": f"/studies/{study.pk}"} | ({} if is_new else {"Idempotent-Replayed": "true"})
        return Response(answer, status=201 if is_new else 200, headers=headers)

    @extend_schema(summary="List studies", parameters=[StudyListQuery], responses=StudyListShape, tags=["studies"])
    def list(self, request: Request) -> Response:
        asked = query(request, StudyListQuery)
        chosen = Q(status__in=asked["status"]) if "status" in asked else Q()
        rows = Study.objects.filter(chosen, tenant=tenant_of(request)).defer("request", "extensions")
        found, following = page(request, rows, order_by="created_at", limit=asked["limit"], cursor=asked.get("cursor"))
        return Response({"studies": [row_json(study) for study in found], "next": following})


class StudyView(viewsets.ViewSet):
    """One study."""

    parser_classes = [StudyParser, StudyFormParser]

    @extend_schema(summary="Watch a study", responses=StudyShape, tags=["studies"])
    def retrieve(self, request: Request, study_id: uuid.UUID) -> Response:
        return Response(study_json(find_study(request, study_id)))

    @extend_schema(summary="Start nothing new", request=None, responses={200: StudyShape, 409: None}, tags=["studies"])
    def pause(self, request: Request, study_id: uuid.UUID) -> Response:
        return Response(study_json(control.change(tenant_of(request), study_id, control.pause)))

    @extend_schema(summary="Go on", request=None, responses={200: StudyShape, 409: None}, tags=["studies"])
    def resume(self, request: Request, study_id: uuid.UUID) -> Response:
        return Response(study_json(control.change(tenant_of(request), study_id, control.resume)))

    @extend_schema(
        summary="Cancel a study",
        description="For good: what waits is dropped, what runs is ended, results that are there are kept.",
        request=None,
        responses={202: StudyShape, 409: None},
        tags=["studies"],
    )
    def cancel(self, request: Request, study_id: uuid.UUID) -> Response:
        return Response(study_json(control.change(tenant_of(request), study_id, control.cancel)), status=202)

    @extend_schema(
        summary="Run the failed ones again",
        description="With the same seeds, in the same rows. Nothing failed: nothing happens.",
        request=None,
        responses={200: RetriedShape, 409: None, 429: None},
        tags=["studies"],
    )
    def retry(self, request: Request, study_id: uuid.UUID) -> Response:
        counts: list[int] = []
        study = control.change(tenant_of(request), study_id, lambda study: counts.append(control.retry(study)))
        return Response(study_json(study) | {"retried": counts[0]})

    @extend_schema(
        summary="Add seeds",
        request={"application/json": ExtendRequest},
        parameters=[KEY],
        responses={200: ExtendedShape, 409: None, 422: None, 429: None},
        tags=["studies"],
    )
    def extend(self, request: Request, study_id: uuid.UUID) -> Response:
        asked, key = ExtendRequest.read(request.data), idempotency_key(request)
        counts: list[int] = []
        study = control.change(
            tenant_of(request),
            study_id,
            lambda study: counts.append(control.extend(study, **asked, idempotency_key=key)),
        )
        return Response(study_json(study) | {"added": counts[0]})

    @extend_schema(summary="A study's runs", parameters=[RunListQuery], responses=RunListShape, tags=["studies"])
    def runs(self, request: Request, study_id: uuid.UUID) -> Response:
        study, asked = find_study(request, study_id), query(request, RunListQuery)
        rows = study.runs.select_related("cell").only(*RUN_COLUMNS)
        if "status" in asked:
            rows = rows.filter(status__in=asked["status"])
        if "cell" in asked:
            rows = rows.filter(cell__name=asked["cell"])
        if "after" in asked:
            rows = rows.filter(place__gt=asked["after"])
        found = list(rows.order_by("place")[: asked["limit"] + 1])
        following = found[asked["limit"] - 1].place if len(found) > asked["limit"] else None
        return Response({"runs": [run_json(run) for run in found[: asked["limit"]]], "next": following})

    @extend_schema(
        summary="What may be said so far",
        description="Means with their intervals, paired comparisons, and a sentence for each.",
        parameters=[SummaryQuery],
        responses=SummaryShape,
        tags=["studies"],
    )
    def summary(self, request: Request, study_id: uuid.UUID) -> Response:
        study, asked = find_study(request, study_id), query(request, SummaryQuery)
        with place_and_turn(study.tenant_id):
            return Response(as_json(results_of(study, asked["confidence"])))


RUN_COLUMNS = [
    *("seed", "place", "status", "reason", "message", "tries", "reused", "sumo_version", "wall_s", "finished_at"),
    *("kpis", "job_id", "study_id", "cell__name"),
]


def find_study(request: Request, study_id: uuid.UUID) -> Study:
    """The caller's own study. Raises ApiError 404, also for another tenant's."""
    study = Study.objects.select_related("tenant").filter(tenant=tenant_of(request), pk=study_id).first()
    if study is None:
        raise ApiError(404, "study.not_found", "You have no such study.")
    return study


def row_json(study: Study) -> dict[str, Any]:
    """As `StudyRowShape` describes it."""
    here = f"/studies/{study.pk}"
    return {
        "study_id": str(study.pk),
        "name": study.name,
        "status": study.status,
        "reason": study.reason,
        "message": study.message,
        "created_at": moment(study.created_at),
        "finished_at": moment(study.finished_at),
        "seeds": study.seeds,
        "links": {
            "self": here,
            "runs": f"{here}/runs",
            "summary": f"{here}/summary",
            "report": f"{here}/report.html",
            "archive": f"{here}/archive.zip",
        },
    }


def study_json(study: Study) -> dict[str, Any]:
    """As `StudyShape` describes it."""
    return row_json(study) | {"request": study.request} | progress_of(study)


def run_json(run: StudyRun) -> dict[str, Any]:
    return {
        "cell": run.cell.name,
        "seed": run.seed,
        "status": run.status,
        "reason": run.reason,
        "message": run.message,
        "job_id": run.job_id and str(run.job_id),
        "tries": run.tries,
        "reused": run.reused,
        "sumo_version": run.sumo_version,
        "wall_s": run.wall_s,
        "finished_at": moment(run.finished_at),
        "kpis": run.kpis,
    }


def _estimate(
    tenant: Tenant, wanted: dict[str, Any], seeds: int, cells: Iterable[Cell | CheckedCell]
) -> dict[str, Any]:
    return estimate(tenant, [(cell.request, cell.setting) for cell in cells], seeds, wanted["max_parallel"])


def dry_run(tenant: Tenant, wanted: dict[str, Any], expansion: Any) -> dict[str, Any]:
    """As `DryRunShape` describes it. Raises ApiError 403, 422."""
    checked = check(Tenant.objects.get(pk=tenant.pk), wanted, expansion)
    return {
        "cells": [cell.planned.name for cell in checked],
        "baseline": next(cell.planned.name for cell in checked if cell.planned.against is None),
        "runs_total": len(checked) * len(wanted["seeds"]),
        "estimate": _estimate(tenant, wanted, len(wanted["seeds"]), checked),
    }
