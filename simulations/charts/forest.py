"""Relative differences with their intervals, against the band of differences that do not matter."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulations.charts.chart import Chart, Key
from simulations.charts.scale import Scale, labels, plain, ticks
from simulations.charts.svg import element, level, percent, picture, row_name, upright, x_axis

ROW, TOP = 46, 4
ROOM = 1.4  # times the farthest estimate: an interval that goes on beyond is cut, and an arrow says so
DIAMOND_PATH, ARROW = "M0 -5L5 0L0 5L-5 0Z", 5


@dataclass(frozen=True, slots=True)
class ForestRow:
    """Shares of the base's mean. `verdict` is a word: better, worse, unclear …; it colours the row."""

    name: str
    relative: float | None
    ci: tuple[float, float] | None
    verdict: str


def forest_plot(title: str, rows: Sequence[ForestRow], *, matters: float, interval: str) -> Chart:
    """`matters`: the smallest share that does."""
    scale = _scale(rows, matters)
    bottom = TOP + ROW * len(rows)
    places = ticks(scale)
    left, right = scale.clipped(-matters), scale.clipped(matters)
    width = percent(round(right - left, 2))
    band = element("rect", x=percent(left), width=width, y=TOP, height=bottom - TOP, cls="chart-band")
    texts = [f"{text} %" for text in labels([value * 100 for value in places])]
    drawn = [band, *x_axis(scale, places, texts, top=TOP, bottom=bottom)]
    drawn.append(upright(scale.place(0), TOP, bottom, "chart-zero"))
    for number, row in enumerate(rows):
        drawn += _row(row, scale, TOP + ROW * number)
    return Chart(
        title=title,
        svg=picture(f"{title}: {_told(rows)}", bottom + 20, *drawn),
        columns=("cell", "difference", interval, "in a word"),
        rows=tuple((row.name, share(row.relative), span(row), row.verdict) for row in rows),
        legend=(
            Key("key-band", f"smaller than ±{matters * 100:g} %: does not matter"),
            Key("key-interval", interval),
        ),
    )


def _scale(rows: Sequence[ForestRow], matters: float) -> Scale:
    estimates = [abs(row.relative) for row in rows if row.relative is not None]
    ends = [abs(end) for row in rows for end in row.ci or ()]
    room = max([2 * matters, *(ROOM * each for each in estimates)])
    half = max(min(max(ends, default=0.0) * 1.05, 2 * room), 2 * matters)
    return Scale(-half, half)


def _row(row: ForestRow, scale: Scale, top: float) -> list[str]:
    y = top + 31
    drawn = [
        row_name(row.name, top + 14),
        element("text", x="100%", y=top + 14, text_anchor="end", cls="chart-value", text=_value(row)),
    ]
    kind = f"chart-{row.verdict}"
    hint = f"{row.name}: {share(row.relative)}, {span(row)}"
    if row.ci:
        low, high = (scale.clipped(end) for end in row.ci)
        drawn.append(level(low, high, y, f"chart-range {kind}", hint))
        for end, place, outwards in ((row.ci[0], low, ARROW), (row.ci[1], high, -ARROW)):
            beyond = end < scale.low or end > scale.high
            drawn.append(
                _arrow(place, y, outwards, kind) if beyond else upright(place, y - 4, y + 4, f"chart-range {kind}")
            )
    if row.relative is not None:
        drawn.append(
            element(
                "svg",
                element("path", d=DIAMOND_PATH, cls=f"chart-mark {kind}", hint=hint),
                x=percent(scale.clipped(row.relative)), y=y, width=10, height=10, overflow="visible",
            )
        )  # fmt: skip
    return drawn


def _arrow(place: float, y: float, back: float, kind: str) -> str:
    path = element("path", d=f"M0 0L{back} -5M0 0L{back} 5", cls=f"chart-range {kind}")
    return element("svg", path, x=percent(place), y=y, width=10, height=10, overflow="visible")


def _value(row: ForestRow) -> str:
    return f"{share(row.relative)} {row.verdict}" if row.relative is not None else row.verdict


def share(value: float | None) -> str:
    return "–" if value is None else f"{plain(value * 100, 1, sign=True)} %"


def span(row: ForestRow) -> str:
    return "–" if row.ci is None else f"{share(row.ci[0])} to {share(row.ci[1])}"


def _told(rows: Sequence[ForestRow]) -> str:
    return "; ".join(f"{row.name} {_value(row)}" for row in rows[:12]) or "nothing to compare"
