"""The answer of a study, or of any runs that are compared, as charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulations.charts.chart import Chart
from simulations.charts.curves import Curve, CurvePoint, curves
from simulations.charts.dots import DotRow, dot_plot
from simulations.charts.forest import ForestRow, forest_plot
from simulations.charts.slopes import slopes
from simulations.studies.kpis import FIGURES
from simulations.studies.results import Results
from simulations.studies.statistics.sample import Description, Interval
from simulations.studies.statistics.study import CellRuns, Figure, Question
from simulations.studies.statistics.summary import Compared, Summary, summarise

MOST_SLOPES = 6


@dataclass(frozen=True)
class Answer:
    """Cells and what may be said of them. `points`: for each cell the sweep's values."""

    cells: Sequence[CellRuns]
    summary: Summary
    question: Question
    points: Mapping[str, Mapping[str, Any]]

    @property
    def interval(self) -> str:
        return f"{self.question.confidence * 100:g} % interval"

    def known(self, cell: CellRuns, figure: Figure) -> Description | None:
        return self.summary.cells[cell.name].get(figure.name)

    def against(self, base: str) -> "Answer":
        """All others compared with that cell, whatever the study was made to ask."""
        cells = [replace(cell, against=None if cell.name == base else base) for cell in self.cells]
        return replace(self, cells=cells, summary=summarise(cells, list(FIGURES.values()), self.question))


def answer_of(results: Results) -> Answer:
    points = {cell.name: cell.point for cell in results.cells}
    return Answer(results.plain_cells, results.summary, results.question, points)


def title(figure: Figure) -> str:
    return f"{figure.label[:1].upper()}{figure.label[1:]}"


def dot_plot_of(figure: Figure, answer: Answer) -> Chart:
    """Every run of every cell."""
    rows = []
    for cell in answer.cells:
        known = answer.known(cell, figure)
        mean, ci = (known.mean, _ends(known.ci, figure)) if known else (None, None)
        mean = None if mean is None else mean * figure.times
        rows.append(DotRow(cell.name, _readings(cell, figure), mean, ci))
    return dot_plot(
        f"{title(figure)}, every run", rows, unit=figure.read_in, text=figure.written, interval=answer.interval
    )


def forest_of(figure: Figure, answer: Answer) -> Chart | None:
    """Each comparison of a primary figure; of another one its own interval, without a word on it."""
    compared = [each for each in answer.summary.comparisons if each.figure == figure]
    if not compared:
        return None
    primary = compared[0].primary
    interval = answer.interval
    if primary and answer.summary.family > 1:
        interval += f", wide enough for all {answer.summary.family} comparisons at once"
    rows = [
        ForestRow(
            each.cell,
            each.found.relative,
            _ends(each.found.ci_simultaneous_relative if primary else each.found.ci_relative),
            each.direction or "undecided",
        )
        for each in compared
    ]
    bases = list(dict.fromkeys(each.base for each in compared))
    against = f", against {bases[0]}" if len(bases) == 1 else ", each against its base"
    return forest_plot(
        f"{title(figure)}{against}", rows, matters=answer.question.relevant_difference, interval=interval
    )


def slopes_of(figure: Figure, answer: Answer) -> list[Chart]:
    """A drawing a comparison, at most `MOST_SLOPES`."""
    by_name = {cell.name: cell for cell in answer.cells}
    pairs = [(by_name[cell.against], cell) for cell in answer.cells if cell.against is not None]
    return [
        slopes(
            f"{cell.name} against {base.name}",
            (base.name, _readings(base, figure)),
            (cell.name, _readings(cell, figure)),
            unit=figure.read_in,
            text=figure.written,
            better=figure.better,
        )
        for base, cell in pairs[:MOST_SLOPES]
    ]


def sweep_of(figure: Figure, answer: Answer) -> Chart | None:
    """Means with their intervals over the sweep, a line a variant. None unless exactly one number was swept."""
    names = {name for point in answer.points.values() for name in point}
    if len(names) != 1:
        return None
    [name] = names
    lines: dict[str, list[CurvePoint]] = {}
    for cell in answer.cells:
        x, known = answer.points[cell.name].get(name), answer.known(cell, figure)
        if isinstance(x, bool) or not isinstance(x, int | float):
            return None
        if known and known.mean is not None:
            point = CurvePoint(float(x), known.mean * figure.times, _ends(known.ci, figure))
            lines.setdefault(cell.variant, []).append(point)
    one = len(lines) == 1
    drawn = [
        Curve("mean" if one else variant, tuple(sorted(points, key=lambda point: point.x)))
        for variant, points in lines.items()
    ]
    if not drawn:
        return None
    return curves(
        f"{title(figure)} over {name}", drawn, x_unit=name, y_unit=figure.read_in, text=figure.written,
        band=answer.interval, marks=True,
    )  # fmt: skip


def ordered(compared: Sequence[Compared]) -> list[Compared]:
    """Those that a decision hangs on first."""
    return sorted(compared, key=lambda each: not each.primary)


def _readings(cell: CellRuns, figure: Figure) -> dict[int, float]:
    """By seed, in the unit that people read."""
    return {seed: value * figure.times for seed, value in cell.values(figure.name).items()}


def _ends(interval: Interval | None, figure: Figure | None = None) -> tuple[float, float] | None:
    times = figure.times if figure else 1.0
    return None if interval is None else (interval.low * times, interval.high * times)
