"""`/studies/{study_id}/network.json`, `…/edges`, `…/edges/curve`, `…/edges.csv`, `…/edges.parquet`."""

import uuid

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request

from simulations.api.callers import query
from simulations.api.downloads import AnyType
from simulations.edges import exports, shapes, study_answers
from simulations.edges.files import none
from simulations.edges.requests import CellQuery, StudyCurveQuery, StudyEdgesQuery
from simulations.studies.api.exports import CSV, PARQUET, TEXT_CSV, held
from simulations.studies.api.views import find_study
from simulations.studies.exports import parquet
from simulations.studies.exports.tables import lines
from simulations.studies.models import Study


class StudyEdgesView(viewsets.ViewSet):
    """Traffic per edge, from the runs that have ended so far."""

    content_negotiation_class = AnyType

    @extend_schema(
        summary="A cell's network",
        parameters=[CellQuery],
        responses={200: shapes.NetworkShape, 304: None},
        tags=["studies"],
    )
    def network(self, request: Request, study_id: uuid.UUID) -> HttpResponseBase:
        study, asked = find_study(request, study_id), query(request, CellQuery)
        return study_answers.network(request, study, asked.get("cell"))

    @extend_schema(
        summary="Traffic per edge, or a difference",
        description="Means over a cell's runs; with `minus`, their difference to another cell's.",
        parameters=[StudyEdgesQuery],
        responses={200: shapes.StudyEdgesShape, 304: None},
        tags=["studies"],
    )
    def edges(self, request: Request, study_id: uuid.UUID) -> HttpResponseBase:
        return study_answers.edges(request, find_study(request, study_id), query(request, StudyEdgesQuery))

    @extend_schema(
        summary="One edge over time",
        parameters=[StudyCurveQuery],
        responses={200: shapes.CurveShape, 304: None},
        tags=["studies"],
    )
    def curve(self, request: Request, study_id: uuid.UUID) -> HttpResponseBase:
        return study_answers.curve(request, find_study(request, study_id), query(request, StudyCurveQuery))

    @extend_schema(summary="All edges as CSV", responses=CSV, tags=["studies"])
    def edges_csv(self, request: Request, study_id: uuid.UUID) -> HttpResponseBase:
        study = _with_edges(request, study_id)
        return held(study, lines(exports.edges(study)), "edges.csv", TEXT_CSV)

    @extend_schema(
        summary="All edges as Parquet",
        description="Where the operator has installed pyarrow; else 406.",
        responses=PARQUET,
        tags=["studies"],
    )
    def edges_parquet(self, request: Request, study_id: uuid.UUID) -> HttpResponseBase:
        study = _with_edges(request, study_id)
        return held(study, parquet.parts(exports.edges(study)), "edges.parquet", parquet.MEDIA_TYPE)


def _with_edges(request: Request, study_id: uuid.UUID) -> Study:
    study = find_study(request, study_id)
    if not exports.has_edges(study):
        raise none("No run of this study has brought traffic per edge yet.")
    return study
