"""One figure of one cell: its mean over seeds, how far it spreads, and how many seeds would pin it down."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulations.studies.statistics.student import quantile

PLANNING_ONLY_BELOW = 4  # seeds (FHWA Traffic Analysis Toolbox III, 2019, chapter 6)
OUTLIER_FROM = 5  # seeds
MAD_AS_SD = 1.4826  # makes a median absolute deviation comparable to a standard deviation
MOST_RUNS = 100_000

ONE_RUN = "one run shows no spread"
CONSTANT = "the seed changes nothing here"
MOSTLY_ZERO = "mostly zero: the mean and the range say more than an interval would"
PLANNING_FIGURE = "the number of runs needed is a planning figure below 4 seeds"
NEAR_ZERO = "the mean is too near to 0 for a relative precision; give an absolute one"


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends of a confidence interval."""

    low: float
    high: float

    def scaled(self, factor: float) -> "Interval":
        low, high = sorted((self.low * factor, self.high * factor))
        return Interval(low, high)

    def contains(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Precision:
    """Half the width that a mean's interval may have: as a share of the mean, or in the unit of the figure `kpi`."""

    relative: float | None = 0.05
    absolute: float | None = None
    kpi: str = ""

    def of(self, kpi: str) -> "Precision":
        """Seconds say nothing of kilograms: of another figure, the usual share is asked."""
        return self if self.absolute is None or kpi == self.kpi else Precision()

    def half_width(self, mean: float) -> float:
        return self.absolute if self.absolute is not None else (self.relative or 0.0) * abs(mean)


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of one figure of one cell. None: not to be known from these runs; `note` says why."""

    n: int
    mean: float | None = None
    sd: float | None = None
    cv: float | None = None
    ci: Interval | None = None
    half_width: float | None = None
    half_width_rel: float | None = None
    median: float | None = None
    min: float | None = None
    max: float | None = None
    n_needed: int | None = None
    more_seeds: int | None = None
    note: str = ""


def describe(
    values: Sequence[float],
    *,
    confidence: float = 0.95,
    precision: Precision | None = None,
    is_count: bool = False,
) -> Description:
    """`values`: one per run that has the figure. `is_count`: of rare events, such as collisions."""
    n = len(values)
    if n == 0:
        return Description(n=0, note="no run has this figure")
    least, most = min(values), max(values)
    average, squares = moments(values)
    known = {"n": n, "mean": average, "median": median(values), "min": least, "max": most}
    if n == 1:
        return Description(**known, note=ONE_RUN)  # type: ignore[arg-type]
    if least == most:
        return Description(**known, sd=0.0, cv=_ratio(0.0, average), note=CONSTANT)  # type: ignore[arg-type]
    sd = math.sqrt(squares / (n - 1))
    spread = known | {"sd": sd, "cv": _ratio(sd, average)}
    if is_count and mostly_zero(values):
        return Description(**spread, note=MOSTLY_ZERO)  # type: ignore[arg-type]
    half = half_width(sd, n, confidence)
    wanted = (precision or Precision()).half_width(average)
    needed = runs_needed(sd, wanted, confidence)
    notes = [PLANNING_FIGURE] if n < PLANNING_ONLY_BELOW else []
    if needed is None:
        notes = [NEAR_ZERO]
    return Description(
        **spread,  # type: ignore[arg-type]
        ci=Interval(average - half, average + half),
        half_width=half,
        half_width_rel=_ratio(half, average),
        n_needed=needed,
        more_seeds=None if needed is None else max(0, needed - n),
        note="; ".join(notes),
    )


def mostly_zero(values: Sequence[float]) -> bool:
    """Student's interval of such counts would mislead."""
    return 2 * sum(value == 0 for value in values) > len(values)


def moments(values: Sequence[float]) -> tuple[float, float]:
    """x̄ = Σx / n and Σ(x − x̄)², in two passes; exactly x and 0 where all are x."""
    if min(values) == max(values):
        return values[0], 0.0
    average = math.fsum(values) / len(values)
    return average, math.fsum([(value - average) ** 2 for value in values])


def mean(values: Sequence[float]) -> float:
    """x̄, as `moments` has it."""
    return moments(values)[0]


def median(values: Sequence[float]) -> float:
    """The value in the middle, or half-way between the two."""
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def half_width(sd: float, n: int, confidence: float) -> float:
    """t(1 − α/2, n − 1) · s / √n: half of Student's interval for a mean (Student 1908; FHWA TAT III, eq. of ch. 6).

    Assumes that runs are independent, which different seeds make them, and means about normal.
    """
    return quantile(0.5 + confidence / 2, n - 1) * sd / math.sqrt(n)


def runs_needed(sd: float, wanted: float, confidence: float = 0.95) -> int | None:
    """The smallest N ≥ 2 with t(1 − α/2, N − 1) · s / √N ≤ `wanted`, the half width asked for.

    N is on both sides, so it is iterated (FHWA TAT III, ch. 6; TxDOT Traffic and Safety Analysis Procedures 13.7.2).
    None where that is beyond MOST_RUNS or `wanted` is 0.
    """
    if sd == 0:
        return 2
    if wanted <= 0:
        return None
    # t is above the normal quantile, so that N is at least this:
    ratio = quantile(0.5 + confidence / 2, 1e6) * sd / wanted
    if ratio >= math.sqrt(MOST_RUNS):
        return None
    low, high = 1, max(2, math.floor(ratio * ratio))
    while half_width(sd, high, confidence) > wanted:
        low, high = high, high * 2
    while high - low > 1:  # the half width falls with N
        middle = (low + high) // 2
        if middle >= 2 and half_width(sd, middle, confidence) <= wanted:
            high = middle
        else:
            low = middle
    return high if high <= MOST_RUNS else None


def outliers(values: Mapping[int, float]) -> list[int]:
    """Keys (seeds) whose value is more than 5 · (1 + 60 / n²) · 1.4826 · MAD from the median (Leys et al. 2013; a wide
    cut on purpose, and wider for few values: with 5 alone, one in ten samples of normal values would name an outlier,
    so it is one in a hundred at most).

    To be told, never removed: leaving seeds out is selection. Fewer than 5 values, or a MAD of 0, name none.
    """
    if len(values) < OUTLIER_FROM:
        return []
    centre = median(list(values.values()))
    mad = median([abs(value - centre) for value in values.values()])
    if mad == 0:
        return []
    cut = 5 * (1 + 60 / len(values) ** 2) * MAD_AS_SD * mad
    return sorted(seed for seed, value in values.items() if abs(value - centre) > cut)


def _ratio(value: float, base: float) -> float | None:
    """value / |base|; None where that is no number worth telling."""
    if base == 0:
        return None
    ratio = value / abs(base)
    return ratio if math.isfinite(ratio) else None
