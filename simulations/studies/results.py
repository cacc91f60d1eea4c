"""A study's runs as the statistics take them, and their answer as JSON."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from simulations.studies.kpis import FIGURES
from simulations.studies.models import Cell, Study, StudyRun
from simulations.studies.statistics import quality
from simulations.studies.statistics import study as plain
from simulations.studies.statistics.comparison import Comparison
from simulations.studies.statistics.sample import Description, Interval, Precision
from simulations.studies.statistics.summary import METHOD, Compared, Summary, summarise

LEFT_OUT = {"unfinished": "vehicles_running_at_end", "not_inserted": "vehicles_waiting_at_end"}


# Every row that is written gets another place or another transaction: so this changes with any run, and costs no more
# than reading where they are.
VERSION = """
SELECT count(*), coalesce(sum(hashtextextended(ctid::text || ' ' || xmin::text, 0)), 0) FROM study_runs
WHERE study_id = %s
"""
KEPT = 16  # summaries; one of 500 runs takes about a megabyte


class EndedRun(NamedTuple):
    """Columns of a `StudyRun`: five hundred rows are read in half the time that its objects take."""

    cell_id: int
    seed: int
    status: str
    reason: str
    message: str
    kpis: dict[str, Any] | None
    sumo_version: str
    reused: bool
    job_id: UUID | None


@dataclass(frozen=True)
class Found:
    """What the runs that have ended say; not to be changed, as it is kept."""

    cells: list[Cell]
    runs: list[EndedRun]
    plain_cells: list[plain.CellRuns]
    summary: Summary
    question: plain.Question


@dataclass(frozen=True)
class Results:
    """What was looked at and what was found."""

    study: Study
    cells: list[Cell]
    runs: list[EndedRun]  # that ended
    plain_cells: list[plain.CellRuns]
    summary: Summary
    question: plain.Question

    @property
    def confidence(self) -> float:
        return self.question.confidence


def results_of(study: Study, confidence: float = 0.95) -> Results:
    """From the runs that have ended so far: three statements, or one while no run has changed."""
    with connection.cursor() as cursor:
        cursor.execute(VERSION, [study.pk])
        version = cursor.fetchone()
    found = found_of(study, version, confidence)
    return Results(study, found.cells, found.runs, found.plain_cells, found.summary, found.question)


@lru_cache(maxsize=KEPT)
def found_of(study: Study, version: tuple[int, int], confidence: float) -> Found:
    """Of the study's columns it takes only what never changes."""
    cells = list(study.cells.all())
    rows = study.runs.filter(status__in=StudyRun.ENDED).order_by("place").values_list(*EndedRun._fields)
    runs = [EndedRun(*row) for row in rows]
    plain_cells = [_plain(cell, cells, [run for run in runs if run.cell_id == cell.pk]) for cell in cells]
    request = study.request
    question = plain.Question(
        primary=tuple(request["primary_kpis"]),
        relevant_difference=request["relevant_difference"],
        max_failed_share=request["max_failed_share"],
        confidence=confidence,
    )
    asked = request["precision"]
    precision = Precision(asked["relative"], asked["absolute"], asked["kpi"]) if asked else None
    summary = summarise(plain_cells, list(FIGURES.values()), question, precision)
    return Found(cells, runs, plain_cells, summary, question)


def _plain(cell: Cell, cells: list[Cell], runs: list[EndedRun]) -> plain.CellRuns:
    return plain.CellRuns(
        name=cell.name,
        variant=cell.variant,
        against=None if cell.against is None else cells[cell.against].name,
        setting=cell.setting,
        runs=tuple(
            plain.RunResult(
                seed=run.seed,
                kpis=run.kpis or {},
                succeeded=run.status == StudyRun.Status.SUCCEEDED,
                why=run.reason,
                sumo_version=run.sumo_version or None,
            )
            for run in runs
        ),
    )


def as_json(results: Results) -> dict[str, Any]:
    """The answer of GET /studies/{id}/summary."""
    study, summary = results.study, results.summary
    names = {cell.pk: cell.name for cell in results.cells}
    ended = [cell for cell in results.plain_cells if cell.succeeded]
    common = set.intersection(*({run.seed for run in cell.succeeded} for cell in ended)) if ended else set()
    return {
        "study_id": str(study.pk),
        "name": study.name,
        "status": study.status,
        "final": not study.is_active,
        "verdict": summary.verdict,
        "confidence": results.confidence,
        "primary_kpis": study.request["primary_kpis"],
        "relevant_difference": study.request["relevant_difference"],
        "family": summary.family,
        "failed_share": summary.failed_share,
        "seeds": {
            "planned": study.seeds,
            "paired": [seed for seed in study.seeds if seed in common],
            "excluded": [
                {"cell": names[run.cell_id], "seed": run.seed, "reason": run.reason, "message": run.message}
                for run in results.runs
                if run.status != StudyRun.Status.SUCCEEDED
            ],
        },
        "sumo_versions": sorted({run.sumo_version for run in results.runs if run.sumo_version}),
        "cells": [_cell_json(cell, summary.cells[cell.name]) for cell in results.plain_cells],
        "comparisons": [_comparison_json(each) for each in summary.comparisons],
        "flags": [
            {"level": flag.level, "code": flag.code, "message": flag.message, "cell": flag.cell, "seeds": flag.seeds}
            for flag in summary.flags
        ],
        "notes": [quality.DEMAND],
        "method": METHOD,
    }


def _cell_json(cell: plain.CellRuns, figures: dict[str, Description]) -> dict[str, Any]:
    left_out = {name: figures[kpi].mean if kpi in figures else None for name, kpi in LEFT_OUT.items()}
    return {
        "cell": cell.name,
        "variant": cell.variant,
        "against": cell.against,
        "setting": dict(cell.setting),
        "runs": len(cell.succeeded),
        "failed": len(cell.failed),
        "left_out": left_out,
        "kpis": {name: description_json(known) for name, known in figures.items()},
    }


def description_json(known: Description) -> dict[str, Any]:
    return {
        "n": known.n,
        "mean": known.mean,
        "sd": known.sd,
        "cv": known.cv,
        "ci": pair(known.ci),
        "half_width_rel": known.half_width_rel,
        "median": known.median,
        "min": known.min,
        "max": known.max,
        "n_needed": known.n_needed,
        "more_seeds": known.more_seeds,
        "note": known.note,
    }


def _comparison_json(compared: Compared) -> dict[str, Any]:
    found: Comparison = compared.found
    return {
        "cell": compared.cell,
        "base": compared.base,
        "kpi": compared.figure.name,
        "primary": compared.primary,
        "method": str(found.method),
        "n": found.n,
        "difference": found.difference,
        "relative": found.relative,
        "ci": pair(found.ci),
        "ci_relative": pair(found.ci_relative),
        "ci_simultaneous": pair(found.ci_simultaneous) if compared.primary else None,
        "p": found.p if compared.primary else None,
        "p_holm": compared.p_holm,
        "correlation": found.correlation,
        "weak": found.weak,
        "direction": compared.direction,
        "relevance": compared.relevance,
        "n_needed_to_detect": found.n_needed_to_detect,
        "sentence": compared.sentence,
    }


def pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
