"""Answers for a map, for whoever may see the job: REST, dashboard and portal call these with what they have found.

Each names its version by what it is made of (ETag), so that a page that plays intervals asks for nothing twice.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import ValidationError

from simulations.edges import files
from simulations.edges.metrics import METRICS, Metric, Traffic, available, short
from simulations.held import TAKEN_OVER, HeldAnswer, place_and_turn
from simulations.models import Job
from simulations.sumo.protocol.edge_file import EdgeFile
from tenants.errors import ApiError

WORTH_PACKING = 1024  # bytes
LEVEL = 4


def network(request: HttpRequest, job: Job) -> HttpResponseBase:
    """The network to draw. Raises ApiError 404 edges.none, 503 answers.too_many."""
    artifact = files.delivered(job).network
    return kept_packed(request, job.tenant_id, artifact.sha256, lambda: files.packed_network(artifact))


def edges(request: HttpRequest, job: Job, asked: Mapping[str, Any]) -> HttpResponseBase:
    """A metric of every edge. Raises ApiError 404 edges.none, edges.no_metric, edges.no_interval, 503."""
    artifact = files.delivered(job).edges

    def content() -> bytes:
        return as_json(_edges(files.edge_data(artifact), asked))

    return cached(request, job.tenant_id, artifact.sha256, content, asked)


def curve(request: HttpRequest, job: Job, edge: str) -> HttpResponseBase:
    """All metrics of one edge over the intervals. Raises ApiError 404 edges.none, edges.no_edge, 503."""
    found = files.delivered(job)

    def content() -> bytes:
        ids, data = files.checked_network(found.network)["ids"], files.edge_data(found.edges)
        place = ids.index(edge) if edge in ids else data.edges
        if place >= data.edges:
            raise ApiError(404, "edges.no_edge", "The network has no such edge.")
        return as_json(_curve(data, place, edge))

    return cached(request, job.tenant_id, found.edges.sha256, content, {"edge": edge})


def told(answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """For a page's view, which no exception handler of the API stands behind: errors in the API's own form."""
    try:
        return answer()
    except ApiError as error:
        status, code, message, headers = error.status_code, error.code, error.message, error.headers
    except ValidationError:
        status, code, message, headers = 400, "invalid", "The request has errors.", {}
    return JsonResponse({"error": {"code": code, "message": message, "details": []}}, status=status, headers=headers)


def traffic_of(data: EdgeFile, interval: int | None) -> Traffic:
    return Traffic(lambda name: data.column(name, interval), data.lengths, data.limits, data.duration(interval))


def chosen(asked: Mapping[str, Any], columns: Any, intervals: int) -> tuple[Metric, int | None]:
    """The metric and interval asked for. Raises ApiError 404."""
    metric = METRICS[asked["metric"]]
    if metric not in available(columns):
        raise ApiError(404, "edges.no_metric", f"{metric.label} was not computed; ask for “emissions” with the job.")
    interval = asked.get("interval")
    if interval is not None and interval >= intervals:
        raise ApiError(404, "edges.no_interval", f"There are {intervals} intervals, counted from 0.")
    return metric, interval


def described(metric: Metric, *, per_km: bool) -> dict[str, Any]:
    return {
        "metric": metric.name,
        "label": metric.label,
        "unit": metric.unit_per(per_km),
        "better": metric.better,
        "per_km": per_km and metric.grows,
    }


def _edges(data: EdgeFile, asked: Mapping[str, Any]) -> dict[str, Any]:
    metric, interval = chosen(asked, data.columns, len(data.intervals))
    per_km = asked.get("per") == "km"
    return {
        **frame(metric, interval, per_km=per_km, columns=data.columns, intervals=data.intervals),
        "edge_order": data.edge_order,
        "values": [short(value) for value in metric.of(traffic_of(data, interval), per_km=per_km)],
    }


def frame(
    metric: Metric, interval: int | None, *, per_km: bool, columns: Sequence[str], intervals: Sequence[Any]
) -> dict[str, Any]:
    """What every answer says beside its figures."""
    return {
        **described(metric, per_km=per_km),
        "metrics": [described(each, per_km=False) | {"grows": each.grows} for each in available(columns)],
        "intervals": intervals,
        "interval": interval,
    }


def _curve(data: EdgeFile, place: int, edge: str) -> dict[str, Any]:
    sums = data.at(place)
    length, limit = data.lengths[place], data.limits[place]

    def at(interval: int) -> Traffic:
        return Traffic(lambda name: [sums[name][interval]], [length], [limit], data.duration(interval))

    return curve_of(edge, [at(interval) for interval in range(len(data.intervals))], data.columns, data.intervals)


def curve_of(edge: str, traffic: Sequence[Traffic], columns: Sequence[str], intervals: Sequence[Any]) -> dict[str, Any]:
    """`traffic` is that of the one edge, interval by interval."""
    return {
        "edge": edge,
        "length_m": round(traffic[0].lengths[0], 1) if traffic else None,
        "limit_kmh": round(traffic[0].limits[0] * 3.6, 1) if traffic else None,
        "intervals": intervals,
        "series": {metric.name: [short(metric.of(each)[0]) for each in traffic] for metric in available(columns)},
    }


def as_json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


def cached(
    request: HttpRequest, tenant_id: str, version: str, content: Callable[[], bytes], asked: Mapping[str, Any]
) -> HttpResponseBase:
    """JSON, packed where the caller takes it, or 304 if the caller has it already: then nothing is read. Raises
    ApiError 503 answers.too_many."""

    def answer() -> HttpResponseBase:
        with place_and_turn(tenant_id):
            plain = content()
            if len(plain) < WORTH_PACKING or not _takes_gzip(request):
                return HttpResponse(plain)
            return _packed(gzip.compress(plain, LEVEL, mtime=0))

    return _unless_known(request, json.dumps([version, asked], sort_keys=True, default=str), answer)


def kept_packed(request: HttpRequest, tenant_id: str, version: str, content: Callable[[], bytes]) -> HttpResponseBase:
    """The same of JSON that is kept as gzip. What unpacks to more than nginx takes over is unpacked piece by piece, as
    its reader takes it. Raises ApiError 503 answers.too_many."""

    def answer() -> HttpResponseBase:
        packed = content()
        if _takes_gzip(request):
            return _packed(packed)
        plain = b"".join(files.pieces(packed))
        if len(plain) <= TAKEN_OVER:
            return HttpResponse(plain)
        return StreamingHttpResponse(HeldAnswer(tenant_id, files.pieces(packed)))

    return _unless_known(request, version, answer)


def _unless_known(request: HttpRequest, version: str, made: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    etag = f'W/"{hashlib.sha256(version.encode()).hexdigest()[:32]}"'
    answer: HttpResponseBase
    if etag in request.headers.get("If-None-Match", ""):
        answer = HttpResponseNotModified()
    else:
        answer = made()
        answer["Content-Type"] = "application/json"
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, no-cache"
    patch_vary_headers(answer, ["Accept-Encoding"])
    return answer


def _takes_gzip(request: HttpRequest) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _packed(content: bytes) -> HttpResponse:
    return HttpResponse(content, headers={"Content-Encoding": "gzip"})
