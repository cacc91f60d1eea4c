"""From values to places, and the round numbers that stand at an axis."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
PADDING = 0.05  # of the span, on either side


@dataclass(frozen=True, slots=True)
class Scale:
    """`low` is at 0 % and `high` at 100 %."""

    low: float
    high: float

    def place(self, value: float) -> float:
        return round((value - self.low) / (self.high - self.low) * 100, 2)

    def clipped(self, value: float) -> float:
        return min(100.0, max(0.0, self.place(value)))


def fitting(values: Iterable[float], *, zero: bool = False) -> Scale:
    """Round all of them, with some air; `zero`: from 0 on where none is below. Nothing to fit: 0 to 1."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return Scale(0.0, 1.0)
    low, high = min(known), max(known)
    if zero and low >= 0:
        low = 0.0
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high)):  # one value only: in the middle
        span = abs(high) * 0.1 or 1.0
        return Scale(low - span, high + span)
    air = span * PADDING
    return Scale(low if zero and low == 0 else low - air, high + air)


def ticks(scale: Scale, most: int = 5) -> list[float]:
    """At most `most` round numbers inside the scale: multiples of 1, 2, 2.5 or 5 times a power of ten."""
    span = scale.high - scale.low
    power = 10.0 ** math.floor(math.log10(span / most))
    for step in (factor * power * more for more in (1, 10) for factor in STEPS):
        first, last = math.ceil(scale.low / step - 1e-9), math.floor(scale.high / step + 1e-9)
        if last - first + 1 <= most:
            return [number * step for number in range(first, last + 1)]
    return []


def time_ticks(scale: Scale, most: int = 5) -> list[float]:
    """The same for seconds: whole minutes, quarters, hours."""
    for step in TIME_STEPS_S:
        first, last = math.ceil(scale.low / step), math.floor(scale.high / step)
        if last - first + 1 <= most:
            return [float(number * step) for number in range(first, last + 1)]
    return ticks(scale, most)


def labels(places: Sequence[float]) -> list[str]:
    """With as many decimals as tell neighbours apart."""
    step = min((b - a for a, b in pairwise(places)), default=abs(places[0]) if places else 1.0)
    decimals = next((count for count in range(7) if abs(round(step, count) - step) <= step * 1e-6), 7)
    return [plain(value, decimals) for value in places]


def plain(value: float, decimals: int, *, sign: bool = False) -> str:
    text = f"{value:{'+' if sign else ''},.{decimals}f}"
    return (text.lstrip("+-") if float(text.replace(",", "")) == 0 else text).replace("-", "−")


def clock(seconds: float) -> str:
    """h:mm, or h:mm:ss where seconds count."""
    whole = round(seconds)
    sign, whole = ("−", -whole) if whole < 0 else ("", whole)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{sign}{hours}:{minutes:02d}:{left:02d}" if left else f"{sign}{hours}:{minutes:02d}"
