"""The ground of charts with an x and a y axis. Curves lie in a square of 1000 that is stretched to the place it has."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from simulations.charts.scale import Scale, labels, ticks
from simulations.charts.svg import element, percent, x_axis

SIDE = 1000
HEIGHT, TOP = 220, 18
BELOW = 36  # pixels for numbers and unit

Text = Callable[[float], str]
T = TypeVar("T")


class Plane:
    """Where things are."""

    def __init__(self, x: Scale, y: Scale, height: float = HEIGHT) -> None:
        self.x, self.y, self.height = x, y, height

    @property
    def bottom(self) -> float:
        return TOP + self.height

    @property
    def whole(self) -> float:
        return self.bottom + BELOW

    def down(self, value: float) -> float:
        """Pixels from the top."""
        return round(TOP + self.height * (1 - self.y.place(value) / 100), 2)

    def point(self, x: float, y: float) -> str:
        """In the stretched square."""
        return f"{self.x.place(x) * SIDE / 100:g} {SIDE - self.y.place(y) * SIDE / 100:g}"

    def stretched(self, *inside: str) -> str:
        return element(
            "svg", *inside, x="0", y=TOP, width="100%", height=self.height, viewBox=f"0 0 {SIDE} {SIDE}",
            preserveAspectRatio="none", cls="chart-plane",
        )  # fmt: skip

    def axes(
        self, x_places: list[float], x_texts: list[str], *, x_unit: str, y_unit: str, times: bool = False
    ) -> list[str]:
        drawn = x_axis(self.x, x_places, x_texts, top=TOP, bottom=self.bottom, unit=x_unit, times=times)
        values = ticks(self.y)
        for value, text in zip(values, labels(values), strict=True):
            y = self.down(value)
            drawn.append(element("line", x1="0", x2="100%", y1=y, y2=y, cls="chart-grid"))
            drawn.append(element("text", x="-6", y=y + 4, text_anchor="end", cls="chart-tick", text=text))
        drawn.append(element("text", x="0", y=11, cls="chart-unit", text=y_unit))
        return drawn

    def dot(self, x: float, y: float, cls: str, hint: str = "", radius: float = 3.5) -> str:
        return element("circle", cx=percent(self.x.place(x)), cy=self.down(y), r=radius, cls=cls, hint=hint)

    def line(self, points: Sequence[tuple[float, float | None]], cls: str) -> str:
        """A gap where a value is None; a value between two gaps is a short mark."""
        parts = []
        for run in unbroken(points):
            first, *rest = (self.point(x, y) for x, y in run)
            parts.append(f"M{first}" + ("".join(f"L{each}" for each in rest) or "h2"))
        return element("path", d="".join(parts), cls=cls) if parts else ""

    def area(self, points: Sequence[tuple[float, tuple[float, float] | None]], cls: str) -> str:
        """Between low and high; nothing where that is None."""
        parts = []
        for run in unbroken(points):
            if len(run) > 1:
                over = [self.point(x, high) for x, (_, high) in run]
                under = [self.point(x, low) for x, (low, _) in reversed(run)]
                parts.append(f"M{'L'.join([*over, *under])}Z")
        return element("path", d="".join(parts), cls=cls) if parts else ""


def unbroken(points: Sequence[tuple[float, T | None]]) -> list[list[tuple[float, T]]]:
    """Runs of points that have a value."""
    runs: list[list[tuple[float, T]]] = [[]]
    for x, value in points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((x, value))
    return [run for run in runs if run]
