"""A study's traffic per edge as rows of a table, a cell at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from simulations.edges.metrics import Metric, Values, available, short
from simulations.edges.models import CellTraffic
from simulations.edges.stored import StoredTraffic, traffic_of_cell
from simulations.edges.study_answers import aligned, minus, significance
from simulations.held import turn
from simulations.studies.models import Study


def has_edges(study: Study) -> bool:
    return CellTraffic.objects.filter(cell__study=study).exists()


def edges(study: Study) -> Iterator[list[Any]]:
    """Means over runs and the whole time; where a cell is compared with another, differences and whether they are
    significant."""
    rows = CellTraffic.objects.filter(cell__study=study)
    columns = {name for names in rows.values_list("columns", flat=True) for name in names}
    metrics = available(sorted(columns))
    yield [
        *("study_id", "cell", "edge", "length_m", "limit_ms", "runs", *(metric.name for metric in metrics)),
        *("against", "pairs"),
        *(f"{metric.name}_{part}" for metric in metrics for part in ("difference", "significant")),
    ]
    cells = {cell.position: cell for cell in study.cells.filter(traffic__isnull=False)}
    for cell in cells.values():
        base = cells.get(cell.against) if cell.against is not None else None
        with turn(study.tenant_id):
            found = traffic_of_cell(cell)
            values, compared = _columns(found, traffic_of_cell(base) if base else None, metrics)
        for place, edge in enumerate(found.network["ids"]):
            yield [
                *(study.pk, cell.name, edge, found.network["length_m"][place], found.network["limit_ms"][place]),
                found.row.runs,
                *(short(values[metric][place]) for metric in metrics),
                *(base.name if base else None, found.row.pairs if base else None),
                *(column[place] for column in compared),
            ]


def _columns(
    found: StoredTraffic, other: StoredTraffic | None, metrics: list[Metric]
) -> tuple[dict[Metric, Values], list[Sequence[Any]]]:
    """Each metric's figures, and its difference to the other cell's with what is significant of it."""
    own = set(available(found.row.columns))
    nothing: Values = [None] * found.edges
    values = {metric: metric.of(found.traffic()) if metric in own else nothing for metric in metrics}
    compared: list[Sequence[Any]] = []
    for metric in metrics:
        if other is not None and metric in own and metric in available(other.row.columns):
            compared += _compared(found, other, metric, values[metric])
        else:
            compared += [nothing, nothing]
    return values, compared


def _compared(found: StoredTraffic, other: StoredTraffic, metric: Metric, ours: Values) -> list[Sequence[Any]]:
    differences = minus(ours, aligned(found, other, metric.of(other.traffic())))
    told = significance(found, other, metric)
    return [[short(value) for value in differences], list(told) if told is not None else [None] * found.edges]
