"""Two cells against each other, by the seeds that both have."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from simulations.studies.statistics.sample import MOST_RUNS, Interval, half_width, moments, mostly_zero
from simulations.studies.statistics.student import quantile, two_sided

WEAK_BELOW = 5  # pairs
POWER = 0.8


class Method(StrEnum):
    PAIRED = "paired"
    WELCH = "welch"
    NONE = "none"


class Relevance(StrEnum):
    """The whole interval against ± the difference that matters."""

    RELEVANT = "relevant"
    NEGLIGIBLE = "negligible"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Other minus base. None: not to be known from these runs; of events that most runs have none of, only the mean.

    `ci` has the confidence asked for; `ci_simultaneous` has it for all comparisons of the family together.
    `constant`: the difference was the same in every pair, so that no test is possible; `identical`: it was 0.
    `settled`: constant, and by more than chance: in pairs enough, or the seed moves neither side.
    """

    method: Method
    n: int  # pairs; for Welch the runs of the smaller side
    difference: float | None = None
    relative: float | None = None
    ci: Interval | None = None
    ci_relative: Interval | None = None
    ci_simultaneous: Interval | None = None
    ci_simultaneous_relative: Interval | None = None
    p: float | None = None
    correlation: float | None = None
    sd: float | None = None  # of the differences
    df: float | None = None
    constant: bool = False
    identical: bool = False
    settled: bool = False
    weak: bool = False
    relevance: Relevance | None = None
    n_needed_to_detect: int | None = None

    @property
    def n_advised(self) -> int | None:
        """Runs in all that show a difference that matters, and are not weak; None: far too many, or nobody asked."""
        needed = self.n_needed_to_detect
        return max(needed, WEAK_BELOW) if needed is not None and needed > self.n else needed


def compare(
    base: Mapping[int, float],
    other: Mapping[int, float],
    *,
    confidence: float = 0.95,
    family: int = 1,
    relevant: float | None = None,
    tested: bool = True,
    is_count: bool = False,
) -> Comparison:
    """`base`, `other`: seed → value. `family`: how many comparisons are made together; `relevant`: the relative
    difference that matters; not `tested`: no p is worked out. `is_count`: of rare events, which are alike by chance.

    Paired where two seeds or more are common: with the same seed, SUMO's random streams for loading, flows, driving and
    devices begin alike, so that much of the chance falls out of the difference.
    """
    common = sorted(base.keys() & other.keys())
    if len(common) >= 2:
        sides = [base[seed] for seed in common], [other[seed] for seed in common]
        return _paired(*sides, confidence, family, relevant, tested, is_count)
    if len(base) >= 2 and len(other) >= 2:
        return _welch(list(base.values()), list(other.values()), confidence, family, relevant, tested, is_count)
    return Comparison(Method.NONE, n=len(common))


def _paired(
    base: Sequence[float],
    other: Sequence[float],
    confidence: float,
    family: int,
    relevant: float | None,
    tested: bool,
    is_count: bool,
) -> Comparison:
    """d = other − base; d̄ ± t(1 − α/2, n − 1) · s_d / √n (Student's paired test; Law, Simulation Modeling and Analysis,
    5th ed., §10.2.1)."""
    differences = [b - a for a, b in zip(base, other, strict=True)]
    n, (average, squares) = len(differences), moments(differences)
    scale = _scale(base, confidence)
    if _all_alike(differences, base, other):
        still = min(base) == max(base) and min(other) == max(other) and not is_count
        return _constant(Method.PAIRED, n, average, scale, still, relevant, correlation(base, other))
    sd = math.sqrt(squares / (n - 1))
    if is_count and mostly_zero(base) and mostly_zero(other):
        relative, r = None if scale is None else average / scale, correlation(base, other)
        return Comparison(
            Method.PAIRED, n=n, difference=average, relative=relative, correlation=r, sd=sd, weak=n < WEAK_BELOW
        )
    return _finish(
        Method.PAIRED,
        n=n,
        average=average,
        error=sd / math.sqrt(n),
        df=n - 1,
        sd=sd,
        scale=scale,
        correlated=correlation(base, other),
        confidence=confidence,
        family=family,
        relevant=relevant,
        tested=tested,
    )


def _welch(
    base: Sequence[float],
    other: Sequence[float],
    confidence: float,
    family: int,
    relevant: float | None,
    tested: bool,
    is_count: bool,
) -> Comparison:
    """Unequal variances, unpaired: error² = s₁²/n₁ + s₂²/n₂ with the degrees of freedom of Welch (1947) and
    Satterthwaite (1946)."""
    (base_mean, base_squares), (other_mean, other_squares) = moments(base), moments(other)
    base_variance, other_variance = base_squares / (len(base) - 1), other_squares / (len(other) - 1)
    first, second = base_variance / len(base), other_variance / len(other)
    average, scale = other_mean - base_mean, _scale(base, confidence)
    n = min(len(base), len(other))
    if first + second == 0:
        return _constant(Method.WELCH, n, average, scale, not is_count, relevant, None)
    df = (first + second) ** 2 / (first**2 / (len(base) - 1) + second**2 / (len(other) - 1))
    return _finish(
        Method.WELCH,
        n=n,
        average=average,
        error=math.sqrt(first + second),
        df=df,
        sd=math.sqrt(base_variance + other_variance),
        scale=scale,
        correlated=None,
        confidence=confidence,
        family=family,
        relevant=relevant,
        tested=tested,
    )


def _constant(
    method: Method,
    n: int,
    average: float,
    scale: float | None,
    still: bool,
    relevant: float | None,
    correlated: float | None,
) -> Comparison:
    """The same difference in every pair; `still`: the seed moves neither side. Its interval is that one point."""
    settled = still or n >= WEAK_BELOW
    point = Interval(average, average)
    matters = None if relevant is None or scale is None or not settled or average == 0 else relevant * abs(scale)
    return Comparison(
        method,
        n=n,
        difference=average,
        relative=None if scale is None else average / scale,
        correlation=correlated,
        sd=0.0,
        constant=True,
        identical=average == 0,
        settled=settled,
        weak=n < WEAK_BELOW,
        relevance=None if matters is None else relevance(point, matters),
    )


def _finish(
    method: Method,
    *,
    n: int,
    average: float,
    error: float,
    df: float,
    sd: float,
    scale: float | None,
    correlated: float | None,
    confidence: float,
    family: int,
    relevant: float | None,
    tested: bool,
) -> Comparison:
    alpha = 1.0 - confidence
    half = quantile(1.0 - alpha / 2, df) * error
    wide = half if family == 1 else quantile(1.0 - alpha / (2 * family), df) * error
    ci, simultaneous = Interval(average - half, average + half), Interval(average - wide, average + wide)
    matters = None if relevant is None or scale is None else relevant * abs(scale)
    return Comparison(
        method,
        n=n,
        difference=average,
        relative=None if scale is None else average / scale,
        ci=ci,
        ci_relative=None if scale is None else ci.scaled(1 / scale),
        ci_simultaneous=simultaneous,
        ci_simultaneous_relative=None if scale is None else simultaneous.scaled(1 / scale),
        p=two_sided(average / error, df) if tested else None,
        correlation=correlated,
        sd=sd,
        df=df,
        weak=n < WEAK_BELOW,
        relevance=None if matters is None else relevance(simultaneous, matters),
        n_needed_to_detect=None if matters is None else seeds_to_detect(sd, matters, alpha / family),
    )


def relevance(ci: Interval, matters: float) -> Relevance:
    """The interval wholly beyond ± `matters`, wholly inside, or neither: two one-sided tests at once (Schuirmann 1987).

    A large p value is never taken for "no difference"."""
    if ci.low > matters or ci.high < -matters:
        return Relevance.RELEVANT
    if -matters < ci.low and ci.high < matters:
        return Relevance.NEGLIGIBLE
    return Relevance.OPEN


def seeds_to_detect(sd: float, matters: float, alpha: float, power: float = POWER) -> int | None:
    """The smallest n ≥ 2 with n ≥ ((t(1 − α/2, n − 1) + t(power, n − 1)) · s_d / δ)² (Chow, Shao & Wang, Sample Size
    Calculations in Clinical Research, §3.1), iterated on n.

    δ is the difference that matters, never the one that was observed: "observed power" says no more than p. None beyond
    MOST_RUNS.
    """
    if sd == 0:
        return 2
    if matters <= 0 or sd / matters > math.sqrt(MOST_RUNS):
        return None

    def enough(n: int) -> bool:
        return n >= ((quantile(1 - alpha / 2, n - 1) + quantile(power, n - 1)) * sd / matters) ** 2

    low, high = 1, 2
    while not enough(high):
        low, high = high, high * 2
        if high > 2 * MOST_RUNS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high if high <= MOST_RUNS else None


def correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Pearson's r of the pairs; None where one side does not vary."""
    (a, a_squares), (b, b_squares) = moments(first), moments(second)
    under = math.sqrt(a_squares) * math.sqrt(b_squares)
    if under <= 0:
        return None
    over = math.fsum([(x - a) * (y - b) for x, y in zip(first, second, strict=True)])
    return max(-1.0, min(1.0, over / under))


def _all_alike(differences: Sequence[float], base: Sequence[float], other: Sequence[float]) -> bool:
    """Up to what subtracting two floating point numbers loses: 0.3 − 0.2 and 0.2 − 0.1 are the same difference."""
    size = max(max(map(abs, base)), max(map(abs, other)))
    return max(differences) - min(differences) <= 1e-12 * size


def _scale(base: Sequence[float], confidence: float) -> float | None:
    """The base's mean, that differences are told in shares of; None where its interval contains 0."""
    average, squares = moments(base)
    half = half_width(math.sqrt(squares / (len(base) - 1)), len(base), confidence) if squares else 0.0
    return None if abs(average) <= half else average
