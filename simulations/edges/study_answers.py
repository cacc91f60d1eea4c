"""Answers for a study's map, for whoever may see the study: means of a cell's runs, and what two cells differ by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from simulations.edges import sums
from simulations.edges.answers import as_json, cached, chosen, curve_of, frame, kept_packed
from simulations.edges.folding import tested
from simulations.edges.metrics import Metric, Values, short
from simulations.edges.stored import StoredTraffic, cell_of, traffic_of_cell
from simulations.studies.models import Cell, Study
from simulations.sumo.protocol.edge_file import DISTANCE
from tenants.errors import ApiError


def network(request: HttpRequest, study: Study, cell: str | None = None) -> HttpResponseBase:
    """Raises ApiError 404 study.no_cell, edges.none, 503 answers.too_many."""
    found = traffic_of_cell(cell_of(study, cell), sums=False)
    return kept_packed(request, study.tenant_id, found.row.network_id, lambda: bytes(found.row.network.content))


def edges(request: HttpRequest, study: Study, asked: Mapping[str, Any]) -> HttpResponseBase:
    """A metric of every edge, or its difference to another cell's. Raises ApiError 404, 503."""
    cell = cell_of(study, asked.get("cell"))
    found = traffic_of_cell(cell, sums=False)
    base = cell_of(study, asked["minus"]) if asked.get("minus") else None
    other = traffic_of_cell(base, sums=False) if base else None
    version = f"{_version(found)} {_version(other) if other else ''}"

    def content() -> bytes:
        return as_json(_edges(cell, base, asked))

    return cached(request, study.tenant_id, version, content, asked)


def curve(request: HttpRequest, study: Study, asked: Mapping[str, Any]) -> HttpResponseBase:
    """All metrics of one edge, the mean of a cell's runs. Raises ApiError 404, 503."""
    cell = cell_of(study, asked.get("cell"))

    def content() -> bytes:
        found = traffic_of_cell(cell)
        ids = found.network["ids"]
        if asked["edge"] not in ids:
            raise ApiError(404, "edges.no_edge", "The network has no such edge.")
        place = ids.index(asked["edge"])
        row = found.row
        traffic = [found.edge(place, interval) for interval in range(len(row.intervals))]
        return as_json(curve_of(asked["edge"], traffic, row.columns, row.intervals))

    return cached(request, study.tenant_id, _version(traffic_of_cell(cell, sums=False)), content, asked)


def _version(found: StoredTraffic) -> str:
    return f"{found.row.pk} {found.row.runs} {found.row.pairs}"


def _edges(cell: Cell, base: Cell | None, asked: Mapping[str, Any]) -> dict[str, Any]:
    found = traffic_of_cell(cell)
    row = found.row
    metric, interval = chosen(asked, row.columns, len(row.intervals))
    per_km = asked.get("per") == "km"
    values = metric.of(found.traffic(interval), per_km=per_km)
    answer = {
        **frame(metric, interval, per_km=per_km, columns=row.columns, intervals=row.intervals),
        "edge_order": row.network.edge_order,
        "cell": cell.name,
        "minus": None,
        "runs": row.runs,
        "base": None,
        "pairs": None,
        "significant": None,
    }
    if base is not None and base != cell:
        other = traffic_of_cell(base)
        chosen(asked, other.row.columns, len(other.row.intervals))
        theirs = aligned(found, other, metric.of(other.traffic(interval), per_km=per_km))
        values = minus(values, theirs)
        paired = cell.against == base.position
        answer |= {
            "minus": base.name,
            "base": [short(value) for value in theirs],
            "pairs": row.pairs if paired else None,
            "significant": significance(found, other, metric) if paired and interval is None else None,
        }
    return {**answer, "values": [short(value) for value in values]}


def minus(ours: Values, theirs: Values) -> Values:
    """Where either is unknown so is the difference."""
    return [None if one is None or other is None else one - other for one, other in zip(ours, theirs, strict=True)]


def aligned(found: StoredTraffic, other: StoredTraffic, values: Values) -> Values:
    """The other cell's figures in this cell's order of edges; what its network has not got is unknown."""
    if found.row.network.edge_order == other.row.network.edge_order:
        return values
    known = dict(zip(found.network["ids"], [None] * found.edges, strict=True)) | dict(
        zip(other.network["ids"], values, strict=True)
    )
    return [known[edge] for edge in found.network["ids"]]


def significance(found: StoredTraffic, other: StoredTraffic, metric: Metric) -> Sequence[bool] | None:
    """None where fewer seeds than a test needs are in both cells."""
    row = found.row
    columns = tested(row.columns, other.row.columns)
    column = DISTANCE if metric.name in {"speed", "speed_ratio"} else metric.column
    if row.pairs < sums.FEWEST_PAIRS or column not in columns:
        return None
    return sums.significant(found.differences, found.edges, columns, column)
