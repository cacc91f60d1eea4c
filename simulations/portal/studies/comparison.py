"""Cells side by side: all that the page of a comparison shows, of a study, of picked jobs, or for a guest."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from simulations.charts.scale import plain
from simulations.portal.studies.verdict import in_words, outlooks
from simulations.studies.figures import (
    MOST_SLOPES,
    Answer,
    dot_plot_of,
    forest_of,
    slopes_of,
    sweep_of,
    title,
)
from simulations.studies.kpis import FIGURES
from simulations.studies.statistics.study import Figure
from simulations.studies.statistics.summary import Compared

MOST_ROWS = 400  # of the table of all comparisons: 25 figures of 16 cells


@dataclass(frozen=True)
class Row:
    """A comparison in the folded table."""

    figure: str
    cell: str
    base: str
    difference: str
    interval: str
    n: int
    words: str


def comparison(answer: Answer, asked: QueryDict) -> dict[str, Any]:
    """`asked`: the address's `kpi` and `base`; what is not known there counts as not given."""
    own_bases = {cell.against for cell in answer.cells if cell.against}
    names = [cell.name for cell in answer.cells]
    base = asked.get("base", "")
    rebased = base in names and own_bases != {base}
    if rebased:
        answer = answer.against(base)
    figure = _picked(answer, asked.get("kpi", ""))
    pairs = sum(cell.against is not None for cell in answer.cells)
    primary = [FIGURES[name] for name in answer.question.primary]
    return {
        "answer": answer,
        "flags": answer.summary.flags,
        "bases": [name for name in names if own_bases != {name}],
        "own_base": next(iter(own_bases)) if len(own_bases) == 1 else "",
        "base": base if rebased else "",
        "rebased": rebased,
        "figures": [(each, title(each)) for each in FIGURES.values() if _has(answer, each)],
        "figure": figure,
        "figure_title": title(figure),
        "forests": [chart for each in primary if (chart := forest_of(each, answer))],
        "forest": None if figure in primary else forest_of(figure, answer),
        "outlooks": outlooks(answer),
        "dots": dot_plot_of(figure, answer),
        "slopes": slopes_of(figure, answer),
        "slopes_more": max(0, pairs - MOST_SLOPES),
        "sweep": sweep_of(figure, answer),
        "has_runs": any(_has(answer, each) for each in FIGURES.values()),
        "has_pairs": any(each.found.difference is not None for each in answer.summary.comparisons),
        "has_bases": bool(own_bases),
        "matters": f"{answer.question.relevant_difference * 100:g} %",
        "rows": [_row(each) for each in answer.summary.comparisons if each.found.difference is not None][:MOST_ROWS],
    }


def _picked(answer: Answer, name: str) -> Figure:
    figure = FIGURES.get(name)
    return figure if figure and _has(answer, figure) else FIGURES[answer.question.primary[0]]


def _has(answer: Answer, figure: Figure) -> bool:
    return any(known and known.n for cell in answer.cells if (known := answer.known(cell, figure)))


def _row(each: Compared) -> Row:
    figure, found = each.figure, each.found
    ci = found.ci_simultaneous if each.primary else found.ci
    share = "" if found.relative is None else f" ({plain(found.relative * 100, 1, sign=True)} %)"
    return Row(
        figure=title(figure),
        cell=each.cell,
        base=each.base,
        difference=figure.text(found.difference or 0.0, sign=True) + share,
        interval="–" if ci is None else f"{figure.text(ci.low, sign=True)} to {figure.text(ci.high, sign=True)}",  # noqa: RUF001
        n=found.n,
        words=in_words(each) if each.primary else "described",
    )
