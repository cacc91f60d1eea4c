"""Whether a study's means are known well enough, and how many seeds more would do. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulations.studies.kpis import FIGURES
from simulations.studies.statistics.sample import CONSTANT, Precision, describe
from simulations.studies.statistics.study import Figure

LOOKS_FROM = 5  # seeds: an early look would stop too often by chance
NOTE = "Since it stopped when the interval was narrow enough, the interval's coverage is slightly below nominal."


@dataclass(frozen=True)
class Outlook:
    """`more`: seeds to add now; 0: reached, or no more are allowed."""

    reached: bool
    more: int
    sentence: str


def goal(asked: Mapping[str, Any] | None, figure: Figure) -> str:
    """How well a mean is to be known, of which the needed runs are told. `asked`: the request's `precision`."""
    wanted = Precision(asked["relative"], asked["absolute"], asked["kpi"]) if asked else Precision()
    wanted = wanted.of(figure.name)
    if wanted.absolute is not None:
        return f"± {figure.text(wanted.absolute)}"
    return f"± {(wanted.relative or 0) * 100:g} % of the mean"


def look(asked: Mapping[str, Any], values: Mapping[str, Sequence[float]], seeds: int, most: int) -> Outlook:
    """`asked`: the request's `precision`; `values`: cell → values of its figure; `most`: seeds that may be used in all.

    The number to add comes from the widest cell's own needed number, and is at most as many as there are: a standard
    deviation from few seeds is itself uncertain.
    """
    figure = FIGURES[asked["kpi"]]
    precision = Precision(asked["relative"], asked["absolute"])
    widest, needed = "", 0
    for cell, found in values.items():
        known = describe(found, confidence=asked["confidence"], precision=precision, is_count=figure.is_count)
        if known.note == CONSTANT:
            continue
        wanted = most if known.n_needed is None else max(known.n_needed, LOOKS_FROM)
        missing = max(wanted - known.n, 0)
        if missing > needed:
            widest, needed = cell, missing
    goal = (
        f"± {asked['relative'] * 100:g} %" if asked["relative"] is not None else f"± {figure.text(asked['absolute'])}"
    )
    goal += f" ({asked['confidence'] * 100:g} % confidence)"
    if needed == 0 and seeds >= LOOKS_FROM:
        return Outlook(True, 0, f"{figure.label} is known to {goal} in every cell with {seeds} seeds. {NOTE}")
    more = max(0, min(max(needed, LOOKS_FROM - seeds), max(seeds, LOOKS_FROM - seeds), most - seeds))
    if more:
        return Outlook(False, more, f"{figure.label} is to be known to {goal}: {more} more seeds in every cell.")
    what = f"{figure.label} is not known to {goal} with {seeds} seeds, and no more are allowed"
    return Outlook(False, 0, f"{what}; the widest is {widest}." if widest else f"{what}.")
