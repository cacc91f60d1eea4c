"""The report: one HTML file that needs nothing else, made for printing."""

from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from simulations.studies.figures import answer_of, dot_plot_of, forest_of, sweep_of
from simulations.studies.kpis import FIGURES
from simulations.studies.models import StudyRun
from simulations.studies.precision import goal
from simulations.studies.results import Results
from simulations.studies.statistics.quality import DEMAND
from simulations.studies.statistics.sample import Description
from simulations.studies.statistics.study import Figure
from simulations.studies.statistics.summary import METHOD

POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def report(results: Results) -> str:
    """The whole file. Every text of the tenant's is escaped by the template."""
    study, summary = results.study, results.summary
    primary = [FIGURES[name] for name in study.request["primary_kpis"]]
    excluded = [run for run in results.runs if run.status != StudyRun.Status.SUCCEEDED]
    names = {cell.pk: cell.name for cell in results.cells}
    return render_to_string(
        "studies/report.html",
        {
            "study": study,
            "made_at": timezone.now(),
            "policy": POLICY,
            "confidence": f"{results.confidence * 100:g} %",
            "relevant": f"{study.request['relevant_difference'] * 100:g} %",
            "verdict": summary.verdict,
            "flags": summary.flags,
            "comparisons": [each for each in summary.comparisons if each.primary],
            "figures": [_figure(figure, results) for figure in primary],
            "others": [_table(figure, results) for figure in FIGURES.values() if figure not in primary],
            "cells": results.plain_cells,
            "excluded": [(names[run.cell_id], run) for run in excluded],
            "reused": sum(run.reused for run in results.runs),
            "versions": sorted({run.sumo_version for run in results.runs if run.sumo_version}),
            "scenarios": [(cell.name, cell.request) for cell in results.cells],
            "method": METHOD,
            "demand": DEMAND,
            "family": summary.family,
        },
    )


def _table(figure: Figure, results: Results) -> dict[str, Any]:
    rows = []
    for cell in results.plain_cells:
        known = results.summary.cells[cell.name].get(figure.name)
        if known and known.mean is not None:
            rows.append({"cell": cell.name, "known": known, **_texts(figure, known)})
    return {"figure": figure, "rows": rows, "goal": goal(results.study.request.get("precision"), figure)}


def _texts(figure: Figure, known: Description) -> dict[str, str]:
    def text(value: float | None) -> str:
        return "–" if value is None else figure.text(value)  # noqa: RUF001 - a dash

    interval = "–" if known.ci is None else f"{text(known.ci.low)} to {text(known.ci.high)}"  # noqa: RUF001
    return {"mean": text(known.mean), "interval": interval, "least": text(known.min), "most": text(known.max)}


def _figure(figure: Figure, results: Results) -> dict[str, Any]:
    answer = answer_of(results)
    charts = (dot_plot_of(figure, answer), forest_of(figure, answer), sweep_of(figure, answer))
    return _table(figure, results) | {"charts": [chart for chart in charts if chart]}
