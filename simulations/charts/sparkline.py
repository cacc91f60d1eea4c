"""A curve as small as a word: its course alone, without axes."""

from collections.abc import Sequence

from simulations.charts.plane import SIDE
from simulations.charts.svg import Svg, element

HEIGHT = 24


def sparkline(points: Sequence[tuple[float, float]], label: str) -> Svg:
    """Over zero; nothing for fewer than two points."""
    first, last = (points[0][0], points[-1][0]) if points else (0.0, 0.0)
    if last <= first:
        return Svg("")
    top = max(y for _, y in points) or 1.0
    places = [f"{(x - first) / (last - first) * SIDE:.0f} {SIDE - y / top * SIDE:.0f}" for x, y in points]
    line = "L".join(places)
    return Svg(
        element(
            "svg", element("path", d=f"M0 {SIDE}L{line}L{SIDE} {SIDE}Z", cls="spark-area"),
            element("path", d=f"M{line}", cls="spark-line"), viewBox=f"0 0 {SIDE} {SIDE}",
            preserveAspectRatio="none", cls="spark", role="img", aria_label=label, height=HEIGHT,
        )
    )  # fmt: skip
