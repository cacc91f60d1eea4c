"""Where the time went, as one bar."""

from collections.abc import Sequence

from simulations.charts.chart import Chart, Key, series_class
from simulations.charts.svg import element, percent, picture

HEIGHT = 18


def phases(title: str, parts: Sequence[tuple[str, float]]) -> Chart:
    """(what, seconds) in their order; those that took no time are left out."""
    whole = sum(seconds for _, seconds in parts)
    drawn, keys, at = [], [], 0.0
    for number, (name, seconds) in enumerate(parts):
        if seconds <= 0 or whole <= 0:
            continue
        width, told = seconds / whole * 100, f"{name}: {took(seconds)}"
        drawn.append(
            element(
                "rect", x=percent(round(at, 2)), width=percent(round(width, 2)), y=0, height=HEIGHT,
                cls=f"chart-fill {series_class(number)}", hint=told,
            )
        )  # fmt: skip
        keys.append(Key(f"key-fill {series_class(number)}", told))
        at += width
    return Chart(
        title=title,
        svg=picture(f"{title}: {'; '.join(key.text for key in keys) or 'nothing yet'}", HEIGHT, *drawn),
        columns=("phase", "time"),
        rows=tuple((name, took(seconds)) for name, seconds in parts),
        legend=tuple(keys),
    )


def took(seconds: float) -> str:
    """As people say it, to two units."""
    if seconds < 59.95:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {left} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
