"""`/jobs/{job_id}/network.json`, `/jobs/{job_id}/edges`, `/jobs/{job_id}/edges/curve`."""

import uuid

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request

from simulations.api.callers import query
from simulations.api.jobs import find_job
from simulations.edges import answers, shapes
from simulations.edges.requests import CurveQuery, EdgesQuery


class JobEdgesView(viewsets.ViewSet):
    """Traffic per edge of a job that had “edges” among its outputs."""

    @extend_schema(summary="A job's network", responses={200: shapes.NetworkShape, 304: None}, tags=["results"])
    def network(self, request: Request, job_id: uuid.UUID) -> HttpResponseBase:
        return answers.network(request, find_job(request, job_id))

    @extend_schema(
        summary="Traffic per edge",
        parameters=[EdgesQuery],
        responses={200: shapes.EdgesShape, 304: None},
        tags=["results"],
    )
    def edges(self, request: Request, job_id: uuid.UUID) -> HttpResponseBase:
        return answers.edges(request, find_job(request, job_id), query(request, EdgesQuery))

    @extend_schema(
        summary="One edge over time",
        parameters=[CurveQuery],
        responses={200: shapes.CurveShape, 304: None},
        tags=["results"],
    )
    def curve(self, request: Request, job_id: uuid.UUID) -> HttpResponseBase:
        return answers.curve(request, find_job(request, job_id), query(request, CurveQuery)["edge"])
