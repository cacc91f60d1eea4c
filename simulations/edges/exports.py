"""A study's traffic per edge as rows of a table, a cell at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulations.edges.metrics import available, short
from simulations.edges.models import CellTraffic
from simulations.edges.stored import StoredTraffic, traffic_of_cell
from simulations.edges.study_answers import aligned, minus, significance
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
        found = traffic_of_cell(cell)
        base = cells.get(cell.against) if cell.against is not None else None
        other = traffic_of_cell(base) if base else None
        own = set(available(found.row.columns))
        nothing: list[Any] = [None] * found.edges
        values = {metric: metric.of(found.traffic()) if metric in own else nothing for metric in metrics}
        compared: list[list[Any]] = []
        for metric in metrics:
            both = other is not None and metric in own and metric in available(other.row.columns)
            if both and other is not None:
                compared += _compared(found, other, metric, values[metric])
            else:
                compared += [nothing, nothing]
        for place, edge in enumerate(found.network["ids"]):
            yield [
                *(study.pk, cell.name, edge, found.network["length_m"][place], found.network["limit_ms"][place]),
                found.row.runs,
                *(short(values[metric][place]) for metric in metrics),
                *(base.name if base else None, found.row.pairs if base else None),
                *(column[place] for column in compared),
            ]


def _compared(found: StoredTraffic, other: StoredTraffic, metric: Any, ours: Any) -> list[list[Any]]:
    differences = minus(ours, aligned(found, other, metric.of(other.traffic())))
    told = significance(found, other, metric)
    return [[short(value) for value in differences], list(told) if told is not None else [None] * found.edges]
