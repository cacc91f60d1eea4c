"""Figures of cells as rows of texts."""

from dataclasses import dataclass

from simulations.charts.chart import Chart
from simulations.studies.figures import Answer, dot_plot_of, title
from simulations.studies.kpis import FIGURES
from simulations.studies.statistics.sample import Description
from simulations.studies.statistics.study import Figure

DASH = "\N{EN DASH}"
MOST_COLUMNS = 12


@dataclass(frozen=True)
class CellRow:
    """`needed`: runs until the mean is known well enough, whatever it is compared with."""

    cell: str
    runs: int
    mean: str
    spread: str
    needed: str
    note: str


@dataclass(frozen=True)
class FigureCard:
    title: str
    rows: list[CellRow]
    chart: Chart
    goal: str


def card(figure: Figure, answer: Answer, goal: str) -> FigureCard:
    rows = [_row(cell.name, figure, known) for cell in answer.cells if (known := answer.known(cell, figure))]
    return FigureCard(title(figure), rows, dot_plot_of(figure, answer), goal)


def _row(cell: str, figure: Figure, known: Description) -> CellRow:
    if known.n_needed is None:
        needed = DASH
    elif known.more_seeds:
        needed = f"{known.n_needed} ({known.more_seeds} more)"
    else:
        needed = f"{known.n_needed} (reached)"
    return CellRow(
        cell=cell,
        runs=known.n,
        mean=DASH if known.mean is None else figure.text(known.mean),
        spread=DASH if known.half_width is None else f"± {figure.text(known.half_width)}",
        needed=needed,
        note=known.note,
    )


@dataclass(frozen=True)
class Matrix:
    """All figures by all cells; `hidden`: cells that there is no column for."""

    cells: list[str]
    rows: list[tuple[str, list[str]]]
    hidden: int


def matrix(answer: Answer) -> Matrix:
    """Means, with half the interval. Figures that are 0 in every run are left to the exports."""
    shown = list(answer.cells)[:MOST_COLUMNS]
    rows = []
    for figure in FIGURES.values():
        known = [answer.known(cell, figure) for cell in shown]
        if any(each and (each.min or each.max) for each in known):
            rows.append((title(figure), [_mean(figure, each) for each in known]))
    return Matrix([cell.name for cell in shown], rows, len(answer.cells) - len(shown))


def _mean(figure: Figure, known: Description | None) -> str:
    if known is None or known.mean is None:
        return DASH
    spread = (
        "" if known.half_width is None else f" ± {figure.text(known.half_width).removesuffix(figure.read_in).strip()}"
    )
    return (
        figure.text(known.mean).removesuffix(figure.read_in).strip()
        + spread
        + (f" {figure.read_in}" if figure.read_in else "")
    )
