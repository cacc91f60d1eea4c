"""A study's results as charts."""

from simulations.charts.chart import Chart
from simulations.charts.dots import DotRow, dot_plot
from simulations.studies.results import Results
from simulations.studies.statistics.study import Figure


def dot_plot_of(figure: Figure, results: Results) -> Chart:
    """Every run of every cell."""
    known = {cell.name: results.summary.cells[cell.name].get(figure.name) for cell in results.plain_cells}
    rows = []
    for cell in results.plain_cells:
        found = known[cell.name]
        ci = found.ci if found else None
        rows.append(
            DotRow(
                cell.name, cell.values(figure.name), found.mean if found else None, (ci.low, ci.high) if ci else None
            )
        )
    return dot_plot(
        _title(figure), rows, unit=figure.unit, text=figure.text, interval=f"{results.confidence * 100:g} % interval"
    )


def _title(figure: Figure) -> str:
    return f"{figure.label[:1].upper()}{figure.label[1:]}"
