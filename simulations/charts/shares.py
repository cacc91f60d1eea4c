"""Distributions from histograms that were counted in bins of their own width, run by run."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulations.charts.curves import Curve, CurvePoint

POINTS = 80


@dataclass(frozen=True, slots=True)
class Histogram:
    """counts[i] values lie from i · width up to (i + 1) · width."""

    width: float
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def end(self) -> float:
        return self.width * len(self.counts)

    def cumulated(self, places: Sequence[float]) -> list[float]:
        """Shares below each place (ascending), as if values were even inside a bin."""
        shares, done, number, total = [], 0, 0, self.total
        for place in places:
            while number < len(self.counts) and (number + 1) * self.width <= place:
                done += self.counts[number]
                number += 1
            inside = self.counts[number] * (place / self.width - number) if number < len(self.counts) else 0.0
            shares.append((done + inside) / total)
        return shares


def cumulated_shares(cells: Sequence[tuple[str, Sequence[Histogram]]]) -> list[Curve]:
    """For each cell the mean share over its runs below each value, with the lowest and highest run as band."""
    known = [(name, [each for each in runs if each.total and each.width > 0]) for name, runs in cells]
    longest = max((run.end for _, runs in known for run in runs), default=0.0)
    places = [longest * number / POINTS for number in range(POINTS + 1)]
    found = []
    for name, runs in known:
        of_runs = [run.cumulated(places) for run in runs]
        points = [
            CurvePoint(place, sum(shares) / len(shares) * 100, (min(shares) * 100, max(shares) * 100))
            for place, *shares in zip(places, *of_runs, strict=True)
            if shares
        ]
        if points:
            found.append(Curve(name, tuple(points)))
    return found
