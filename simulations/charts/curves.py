"""Lines over x with a band around each: over time, over a sweep, or as shares of trips."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulations.charts.chart import SERIES, Chart, Key, series_class
from simulations.charts.plane import TOP, Plane, Text
from simulations.charts.scale import Scale, clock, fitting, labels, ticks, time_ticks
from simulations.charts.svg import element, percent, picture, seconds

MOST_IN_TABLE = 40  # rows; of more points every so many


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """`y` None: a gap. `band` is from low to high."""

    x: float
    y: float | None
    band: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    name: str
    points: tuple[CurvePoint, ...]


def curves(
    title: str,
    drawn: Sequence[Curve],
    *,
    x_unit: str,
    y_unit: str,
    text: Text,
    band: str = "",
    times: bool = False,
    marks: bool = False,
    zero: bool = False,
) -> Chart:
    """At most `SERIES` of them are drawn, all are in the table. `band`: what it is; `times`: x is simulated time in
    seconds; `marks`: every point as a dot; `zero`: y begins at 0."""
    shown = list(drawn[:SERIES])
    points = [point for curve in shown for point in curve.points]
    x = fitting([point.x for point in points]) if marks else _tight([point.x for point in points])
    ends = [end for point in points for end in ((point.y,) if point.y is not None else ()) + (point.band or ())]
    plane = Plane(x, fitting(ends, zero=zero))
    values = sorted({point.x for point in points}) if marks and len({p.x for p in points}) <= 5 else None
    places = values or (time_ticks(x) if times else ticks(x))
    texts = [clock(place) for place in places] if times else labels(places)
    svg = plane.axes(places, texts, x_unit=x_unit, y_unit=y_unit, times=times)
    for number, curve in enumerate(shown):
        colour = series_class(number)
        svg.append(
            plane.stretched(
                plane.area([(point.x, point.band) for point in curve.points], f"chart-area {colour}"),
                plane.line([(point.x, point.y) for point in curve.points], f"chart-curve {colour}"),
            )
        )
        if marks:
            svg += [
                plane.dot(point.x, point.y, f"chart-point {colour}", _hint(curve.name, point, text))
                for point in curve.points
                if point.y is not None
            ]
    if not marks:
        svg += _slots(plane, shown, text, times=times)
    return Chart(
        title=title,
        svg=picture(f"{title}: {_told(shown, text)}", plane.whole, *svg),
        columns=(x_unit, *(name for curve in drawn for name in ([curve.name, band] if band else [curve.name]))),
        rows=_rows(drawn, text, with_band=bool(band), times=times),
        legend=tuple(
            Key(f"key-line {series_class(n)}", curve.name if marks else _last(curve, text))
            for n, curve in enumerate(shown)
        ),
        note=f"Lines: the first {SERIES} of {len(drawn)}; the table has all." if len(drawn) > SERIES else "",
        has_y_axis=True,
        moments=tuple(map(seconds, _thinned(drawn))) if times else (),
    )


def _tight(values: list[float]) -> Scale:
    return Scale(min(values), max(values)) if values and min(values) < max(values) else fitting(values)


def _hint(name: str, point: CurvePoint, text: Text) -> str:
    told = f"{name}, {point.x:g}: {text(point.y)}" if point.y is not None else name
    return f"{told} ({text(point.band[0])} to {text(point.band[1])})" if point.band else told


def _last(curve: Curve, text: Text) -> str:
    known = [point.y for point in curve.points if point.y is not None]
    return f"{curve.name}: {text(known[-1])}" if known else curve.name


def _told(shown: Sequence[Curve], text: Text) -> str:
    return "last values: " + "; ".join(_last(curve, text) for curve in shown) if shown else "nothing to show yet"


def _slots(plane: Plane, shown: Sequence[Curve], text: Text, *, times: bool) -> list[str]:
    """Strips side by side that tell, under the pointer, what every line is there."""
    xs = _thinned(shown)
    ends = [plane.x.low, *((a + b) / 2 for a, b in pairwise(xs)), plane.x.high]
    slots = []
    for x, low, high in zip(xs, ends, ends[1:], strict=False):
        place = plane.x.place(low)
        values = ((curve.name, next((p.y for p in curve.points if p.x == x), None)) for curve in shown)
        told = "; ".join(f"{name} {text(y)}" for name, y in values if y is not None) or "nothing measured"
        moment = {"data_moment": seconds(x)} if times else {}
        slots.append(
            element(
                "rect", x=percent(place), width=percent(round(plane.x.place(high) - place, 2)), y=TOP,
                height=plane.height, cls="chart-slot", hint=f"{clock(x) if times else f'{x:g}'}: {told}", **moment,
            )
        )  # fmt: skip
    return slots


def _thinned(drawn: Sequence[Curve]) -> list[float]:
    xs = sorted({point.x for curve in drawn for point in curve.points})
    return xs[:: max(1, -(-len(xs) // MOST_IN_TABLE))]


def _rows(drawn: Sequence[Curve], text: Text, *, with_band: bool, times: bool) -> tuple[tuple[str, ...], ...]:
    known = [{point.x: point for point in curve.points} for curve in drawn]
    rows = []
    for x in _thinned(drawn):
        row = [clock(x) if times else f"{x:g}"]
        for by_x in known:
            point = by_x.get(x)
            row.append("–" if point is None or point.y is None else text(point.y))
            if with_band:
                ci = point and point.band
                row.append(f"{text(ci[0])} to {text(ci[1])}" if ci else "–")
        rows.append(tuple(row))
    return tuple(rows)
