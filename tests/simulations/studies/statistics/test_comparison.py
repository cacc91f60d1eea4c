"""Two cells against each other, with scipy as the oracle."""

import math

import pytest
import scipy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulations.studies.statistics.comparison import (
    Comparison,
    Interval,
    Method,
    Relevance,
    compare,
    correlation,
    relevance,
    seeds_to_detect,
)

NUMBERS = st.floats(1.0, 1e4).map(lambda x: round(x, 2))
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=20)


def seeded(values: list[float], first: int = 1) -> dict[int, float]:
    return dict(enumerate(values, first))


@given(PAIRS)
def test_paired_agrees_with_scipy(pairs: list[tuple[float, float]]) -> None:
    base, other = [a for a, _ in pairs], [b for _, b in pairs]
    differences = [b - a for a, b in pairs]
    assume(max(differences) - min(differences) > 0.01)
    found, expected = compare(seeded(base), seeded(other)), scipy.stats.ttest_rel(other, base)
    low, high = expected.confidence_interval(0.95)
    assert found.method is Method.PAIRED
    assert found.n == len(pairs)
    assert found.p == pytest.approx(float(expected.pvalue), rel=1e-6, abs=1e-12)
    assert found.ci is not None
    assert (found.ci.low, found.ci.high) == pytest.approx((low, high), rel=1e-9, abs=1e-7)
    assert found.weak is (len(pairs) < 5)


@given(st.lists(NUMBERS, min_size=2, max_size=15), st.lists(NUMBERS, min_size=2, max_size=15))
def test_welch_agrees_with_scipy(base: list[float], other: list[float]) -> None:
    assume(max(base) - min(base) > 0.01 and max(other) - min(other) > 0.01)
    found = compare(seeded(base), seeded(other, 100))
    expected = scipy.stats.ttest_ind(other, base, equal_var=False)
    low, high = expected.confidence_interval(0.95)
    assert found.method is Method.WELCH
    assert found.df == pytest.approx(float(expected.df), rel=1e-9)
    assert found.p == pytest.approx(float(expected.pvalue), rel=1e-6, abs=1e-12)
    assert found.ci is not None
    assert (found.ci.low, found.ci.high) == pytest.approx((low, high), rel=1e-9, abs=1e-7)


def test_only_common_seeds_are_compared() -> None:
    found = compare({1: 10.0, 2: 11.0, 3: 12.0, 9: 500.0}, {1: 11.0, 2: 12.5, 3: 13.0, 4: 0.0})
    assert (found.n, found.difference) == (3, pytest.approx(3.5 / 3))


@pytest.mark.parametrize("base, other", [({}, {}), ({1: 1.0}, {1: 2.0}), ({1: 1.0, 2: 2.0}, {3: 1.0}), ({1: 1.0}, {})])
def test_too_few_runs(base: dict[int, float], other: dict[int, float]) -> None:
    found = compare(base, other)
    assert (found.method, found.difference, found.p) == (Method.NONE, None, None)


@given(st.lists(NUMBERS, min_size=2, max_size=20))
def test_the_same_runs_are_identical(values: list[float]) -> None:
    found = compare(seeded(values), seeded(values))
    assert found.identical
    assert found.constant
    assert (found.difference, found.p, found.ci, found.relevance) == (0.0, None, None, None)


@given(st.lists(NUMBERS, min_size=2, max_size=20), st.floats(0.1, 100).map(lambda x: round(x, 2)))
def test_a_constant_difference_is_told_and_not_tested(values: list[float], shift: float) -> None:
    found = compare(seeded(values), seeded([value + shift for value in values]))
    assert found.constant
    assert not found.identical
    assert found.difference == pytest.approx(shift)
    assert (found.p, found.ci) == (None, None)


def test_the_measured_difference() -> None:
    """Scale 1.05 against 1.00: pairing narrows the interval as far as the seeds correlate."""
    base = {1: 170.1, 2: 171.9, 3: 169.0, 4: 170.8, 5: 172.0, 6: 169.9}
    other = {1: 171.8, 2: 173.0, 3: 170.9, 4: 172.0, 5: 173.9, 6: 171.0}
    paired = compare(base, other)
    unpaired = compare(base, {seed + 100: value for seed, value in other.items()})
    assert paired.ci is not None
    assert unpaired.ci is not None
    assert paired.difference == pytest.approx(unpaired.difference)
    assert paired.ci.high - paired.ci.low < unpaired.ci.high - unpaired.ci.low
    assert paired.correlation is not None
    assert paired.correlation > 0.9


def test_no_share_of_a_base_near_zero() -> None:
    found = compare({1: -1.0, 2: 1.0, 3: 0.5}, {1: 2.0, 2: 5.0, 3: 3.0}, relevant=0.02)
    assert found.difference is not None
    assert (found.relative, found.ci_relative, found.relevance, found.n_needed_to_detect) == (None, None, None, None)


def test_a_family_widens_the_simultaneous_interval_alone() -> None:
    base, other = {1: 1.0, 2: 2.0, 3: 4.0}, {1: 2.0, 2: 2.5, 3: 4.1}
    alone, together = compare(base, other), compare(base, other, family=9)
    assert alone.ci == together.ci == alone.ci_simultaneous
    assert together.ci is not None
    assert together.ci_simultaneous is not None
    assert together.ci_simultaneous.low < together.ci.low
    assert together.ci.high < together.ci_simultaneous.high


@pytest.mark.parametrize(
    "low, high, expected",
    [
        (2.1, 3.0, Relevance.RELEVANT),
        (-3.0, -2.1, Relevance.RELEVANT),
        (-1.9, 1.9, Relevance.NEGLIGIBLE),
        (0.5, 1.9, Relevance.NEGLIGIBLE),
        (1.0, 3.0, Relevance.OPEN),
        (-3.0, 3.0, Relevance.OPEN),
        (2.0, 3.0, Relevance.OPEN),
    ],
)
def test_relevance(low: float, high: float, expected: Relevance) -> None:
    assert relevance(Interval(low, high), 2.0) is expected


@settings(max_examples=30)
@given(st.floats(0.01, 20.0), st.sampled_from([0.05, 0.01, 0.005]))
def test_seeds_to_detect_is_the_smallest(ratio: float, alpha: float) -> None:
    n = seeds_to_detect(ratio, 1.0, alpha)
    assert n is not None

    def bound(runs: int) -> float:
        t = scipy.stats.t(runs - 1)
        return float((t.ppf(1 - alpha / 2) + t.ppf(0.8)) * ratio) ** 2

    assert n >= bound(n) - 1e-6
    assert n == 2 or n - 1 < bound(n - 1) + 1e-6


def test_seeds_to_detect_has_ends() -> None:
    assert seeds_to_detect(0.0, 1.0, 0.05) == 2
    assert seeds_to_detect(1.0, 0.0, 0.05) is None
    assert seeds_to_detect(1.0, 1e-9, 0.05) is None


@given(PAIRS)
def test_correlation_is_pearsons(pairs: list[tuple[float, float]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    assume(max(first) - min(first) > 0.01 and max(second) - min(second) > 0.01)
    found = correlation(first, second)
    assert found is not None
    assert found == pytest.approx(float(scipy.stats.pearsonr(first, second).statistic), abs=1e-9)
    assert not math.isnan(found)


def test_no_correlation_without_spread() -> None:
    assert correlation([1.0, 1.0], [1.0, 2.0]) is None


@pytest.mark.parametrize("n, needed, advised", [(3, 4, 5), (3, 22, 22), (3, 2, 2), (8, 4, 4), (3, None, None)])
def test_no_number_of_runs_is_advised_that_would_still_be_weak(n: int, needed: int | None, advised: int | None) -> None:
    assert Comparison(Method.PAIRED, n=n, n_needed_to_detect=needed).n_advised == advised
