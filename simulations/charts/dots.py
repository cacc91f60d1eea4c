"""Every run as a dot, a row for each cell, with its mean and interval."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from simulations.charts.chart import Chart, Key
from simulations.charts.scale import Scale, fitting, labels, ticks
from simulations.charts.svg import element, level, percent, picture, row_name, upright, x_axis

ROW, TOP = 46, 4
SCATTER = (0.0, -4.0, 4.0, -2.0, 2.0)  # so that equal values are seen apart, the same at every look


@dataclass(frozen=True, slots=True)
class DotRow:
    """`values`: by seed. None: not known."""

    name: str
    values: Mapping[int, float] = field(default_factory=dict)
    mean: float | None = None
    ci: tuple[float, float] | None = None


def dot_plot(title: str, rows: Sequence[DotRow], *, unit: str, text: Callable[[float], str], interval: str) -> Chart:
    """`text`: a value with its unit; `interval`: what the bars are, such as “95 % interval”."""
    ends = [value for row in rows for value in (*row.values.values(), *(row.ci or ()))]
    scale, bottom = fitting(ends), TOP + ROW * len(rows)
    places = ticks(scale)
    texts = [f"{text} {unit}".strip() for text in labels(places)]
    drawn = x_axis(scale, places, texts, top=TOP, bottom=bottom)
    for number, row in enumerate(rows):
        drawn += _row(row, scale, TOP + ROW * number, text)
    return Chart(
        title=title,
        svg=picture(f"{title}: {_told(rows, text)}", bottom + 20, *drawn),
        columns=("cell", "runs", "mean", interval, "lowest", "highest"),
        rows=tuple(_texts(row, text) for row in rows),
        legend=(Key("key-dot", "a run"), Key("key-mean", f"mean with its {interval}")),
    )


def _row(row: DotRow, scale: Scale, top: float, text: Callable[[float], str]) -> list[str]:
    middle = top + 31
    drawn = [row_name(row.name, top + 14)]
    if row.mean is not None:
        told = element("text", x="100%", y=top + 14, text_anchor="end", cls="chart-value", text=text(row.mean))
        drawn.append(told)
    for number, (seed, value) in enumerate(row.values.items()):
        y = middle + SCATTER[number % len(SCATTER)]
        hint = f"seed {seed}: {text(value)}"
        drawn.append(element("circle", cx=percent(scale.place(value)), cy=y, r=3.5, cls="chart-dot", hint=hint))
    if row.ci:
        drawn.append(level(scale.place(row.ci[0]), scale.place(row.ci[1]), middle, "chart-interval"))
    if row.mean is not None:
        drawn.append(upright(scale.place(row.mean), middle - 9, middle + 9, "chart-mean"))
    return drawn


def _texts(row: DotRow, text: Callable[[float], str]) -> tuple[str, ...]:
    values = row.values.values()
    ends = (text(min(values)), text(max(values))) if values else ("–", "–")
    mean = "–" if row.mean is None else text(row.mean)
    ci = "–" if row.ci is None else f"{text(row.ci[0])} to {text(row.ci[1])}"
    return (row.name, str(len(values)), mean, ci, *ends)


def _told(rows: Sequence[DotRow], text: Callable[[float], str]) -> str:
    known = [f"{row.name} {text(row.mean)}" for row in rows if row.mean is not None]
    return "; ".join(known[:12]) or "no run has this figure yet"
