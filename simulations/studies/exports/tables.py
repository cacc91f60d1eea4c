"""CSV, line by line. Numbers are written in full; texts that a spreadsheet would take for a formula are disarmed."""

import csv
from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import datetime
from typing import Any

from simulations.studies.kpis import FIGURES
from simulations.studies.models import Study
from simulations.studies.results import Results, pair

BATCH = 500
FORMULA = ("=", "+", "-", "@", "\t", "\r")
DESCRIBED = (
    "n",
    "mean",
    "sd",
    "cv",
    "ci_low",
    "ci_high",
    "half_width_rel",
    "median",
    "min",
    "max",
    "n_needed",
    "more_seeds",
)


class _Line:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def lines(rows: Iterable[Iterable[Any]]) -> Generator[str, None, None]:
    """Each row as a line of CSV (RFC 4180)."""
    writer: Any = csv.writer(_Line())
    for row in rows:
        yield writer.writerow([harmless(value) for value in row])


def harmless(value: Any) -> Any:
    """A text that begins like a formula gets an apostrophe before it, as spreadsheets themselves write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def runs(study: Study) -> Iterator[list[Any]]:
    """Every run, ended or not, a batch at a time."""
    cells = {cell.pk: cell for cell in study.cells.all()}
    swept = list(study.request["sweep"])
    yield [
        *("study_id", "cell", "variant", *swept, "seed", "status", "reason", "message", "reused", "tries", "job_id"),
        *("sumo_version", "wall_s", "finished_at", *FIGURES),
    ]
    after = -1
    while batch := list(study.runs.filter(place__gt=after)[:BATCH]):
        for run in batch:
            cell, kpis = cells[run.cell_id], run.kpis or {}
            yield [
                *(study.pk, cell.name, cell.variant, *(cell.point[name] for name in swept), run.seed, run.status),
                *(run.reason, run.message, run.reused, run.tries, run.job_id or "", run.sumo_version),
                run.wall_s,
                run.finished_at,
                *(kpis.get(name) for name in FIGURES),
            ]
        after = batch[-1].place


def summary(results: Results) -> Iterator[list[Any]]:
    """A row per cell and figure, with those beside it whom no trip mean has in it."""
    yield ["cell", "variant", "kpi", "unit", *DESCRIBED, "note", "failed_runs", "unfinished", "not_inserted"]
    for cell in results.plain_cells:
        figures = results.summary.cells[cell.name]
        left_out = [
            figures[name].mean if name in figures else None
            for name in ("vehicles_running_at_end", "vehicles_waiting_at_end")
        ]
        for name, known in figures.items():
            low, high = pair(known.ci) or (None, None)
            yield [
                *(
                    cell.name,
                    cell.variant,
                    name,
                    FIGURES[name].unit,
                    known.n,
                    known.mean,
                    known.sd,
                    known.cv,
                    low,
                    high,
                ),
                *(known.half_width_rel, known.median, known.min, known.max, known.n_needed, known.more_seeds),
                *(known.note, len(cell.failed), *left_out),
            ]


def comparisons(results: Results) -> Iterator[list[Any]]:
    """A row per pair of cells and figure."""
    yield [
        *("cell", "base", "kpi", "unit", "primary", "method", "n", "difference", "relative", "ci_low", "ci_high"),
        *("simultaneous_low", "simultaneous_high", "p", "p_holm", "correlation", "direction", "relevance"),
        *("n_needed_to_detect", "sentence"),
    ]
    for each in results.summary.comparisons:
        found, primary = each.found, each.primary
        yield [
            *(each.cell, each.base, each.figure.name, each.figure.unit, primary, str(found.method), found.n),
            *(found.difference, found.relative, *(pair(found.ci) or (None, None))),
            *((pair(found.ci_simultaneous) if primary else None) or (None, None)),
            *(found.p if primary else None, each.p_holm, found.correlation, each.direction, each.relevance),
            *(found.n_needed_to_detect, each.sentence),
        ]


FROM_RESULTS: dict[str, Callable[[Results], Iterator[list[Any]]]] = {
    "summary.csv": summary,
    "comparisons.csv": comparisons,
}
