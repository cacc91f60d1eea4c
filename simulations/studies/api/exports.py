"""A study as files to keep."""

import uuid
from collections.abc import Generator

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request

from simulations.api.downloads import AnyType
from simulations.held import HeldAnswer, Part, place_and_turn
from simulations.studies.api.views import find_study
from simulations.studies.exports import parquet, tables
from simulations.studies.exports.bundle import bundle
from simulations.studies.exports.report import POLICY, report
from simulations.studies.models import Study
from simulations.studies.results import results_of

CSV = {(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="Comma separated, UTF-8, with a header line.")}
HTML = {(200, "text/html"): OpenApiResponse(OpenApiTypes.STR, description="One self-contained page.")}
PARQUET = {
    (200, parquet.MEDIA_TYPE): OpenApiResponse(OpenApiTypes.BINARY, description="With the columns' types."),
    406: None,
}
ZIP = {(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, description="All of it.")}


class ExportsView(viewsets.ViewSet):
    """Files made on request from the rows as they are."""

    content_negotiation_class = AnyType

    @extend_schema(summary="All runs as CSV", responses=CSV, tags=["studies"])
    def runs_csv(self, request: Request, study_id: uuid.UUID) -> HttpResponseBase:
        study = find_study(request, study_id)
        return saved(StreamingHttpResponse(tables.lines(tables.runs(study)), content_type=TEXT_CSV), "runs.csv")

    @extend_schema(
        summary="All runs as Parquet",
        description="Where the operator has installed pyarrow; else 406.",
        responses=PARQUET,
        tags=["studies"],
    )
    def runs_parquet(self, request: Request, study_id: uuid.UUID) -> HttpResponseBase:
        study = find_study(request, study_id)
        return held(study, parquet.runs(study), "runs.parquet", parquet.MEDIA_TYPE)

    @extend_schema(summary="Means and intervals as CSV", responses=CSV, tags=["studies"])
    def summary_csv(self, request: Request, study_id: uuid.UUID) -> HttpResponseBase:
        return table(find_study(request, study_id), "summary.csv")

    @extend_schema(summary="Comparisons as CSV", responses=CSV, tags=["studies"])
    def comparisons_csv(self, request: Request, study_id: uuid.UUID) -> HttpResponseBase:
        return table(find_study(request, study_id), "comparisons.csv")

    @extend_schema(summary="A report to print", responses=HTML, tags=["studies"])
    def report_html(self, request: Request, study_id: uuid.UUID) -> HttpResponseBase:
        study = find_study(request, study_id)
        with place_and_turn(study.tenant_id):
            text = report(results_of(study))
        answer = saved(HttpResponse(text, content_type="text/html; charset=utf-8"), "report.html")
        answer["Content-Security-Policy"] = f"{POLICY}; sandbox"
        return answer

    @extend_schema(summary="Everything as one zip", responses=ZIP, tags=["studies"])
    def archive_zip(self, request: Request, study_id: uuid.UUID) -> HttpResponseBase:
        study = find_study(request, study_id)
        return held(study, bundle(study), "study.zip", "application/zip")


TEXT_CSV = "text/csv; charset=utf-8"


def table(study: Study, name: str) -> HttpResponseBase:
    """One of `FROM_RESULTS`. Raises ApiError 503 answers.too_many."""
    with place_and_turn(study.tenant_id):
        text = "".join(tables.lines(tables.FROM_RESULTS[name](results_of(study))))
    return saved(HttpResponse(text, content_type=TEXT_CSV), name)


def held(study: Study, parts: Generator[Part, None, None], name: str, content_type: str) -> HttpResponseBase:
    """For what grows with runs or edges. Raises ApiError 503 answers.too_many."""
    return saved(StreamingHttpResponse(HeldAnswer(study.tenant_id, parts), content_type=content_type), name)


def saved(answer: HttpResponseBase, name: str) -> HttpResponseBase:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
