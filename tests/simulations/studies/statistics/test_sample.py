"""One figure of one cell: the edge cases of the table in the docs, and scipy as the oracle."""

import math
import random

import pytest
import scipy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulations.studies.statistics import sample
from simulations.studies.statistics.sample import Precision, describe, outliers, runs_needed

VALUES = st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 2)), min_size=2, max_size=30)


@settings(max_examples=40)
@given(VALUES, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_agrees_with_scipy(values: list[float], confidence: float) -> None:
    assume(max(values) - min(values) > 1e-3)
    found = describe(values, confidence=confidence)
    assert found.ci is not None
    low, high = scipy.stats.t.interval(confidence, len(values) - 1, loc=found.mean, scale=scipy.stats.sem(values))
    size = max(map(abs, values))
    assert found.mean == pytest.approx(sum(values) / len(values), abs=1e-9 * size)
    assert found.sd == pytest.approx(float(scipy.stats.tstd(values)), rel=1e-9)
    assert (found.ci.low, found.ci.high) == pytest.approx((low, high), abs=1e-9 * size)
    assert found.min == min(values)
    assert found.max == max(values)


def test_no_run_and_one_run() -> None:
    assert describe([]).mean is None
    one = describe([3.0])
    assert (one.n, one.mean, one.sd, one.ci, one.n_needed, one.note) == (1, 3.0, None, None, None, sample.ONE_RUN)


@given(st.floats(-1e9, 1e9), st.integers(2, 20))
def test_without_spread_there_is_no_interval(value: float, n: int) -> None:
    found = describe([value] * n)
    assert (found.mean, found.sd, found.ci, found.note) == (value, 0.0, None, sample.CONSTANT)


def test_rare_events_get_a_mean_and_a_range() -> None:
    found = describe([0, 0, 0, 4], is_count=True)
    assert (found.mean, found.min, found.max, found.ci) == (1.0, 0, 4, None)
    assert found.note == sample.MOSTLY_ZERO
    assert describe([1, 0, 2, 4], is_count=True).ci is not None


def test_below_four_seeds_the_needed_number_is_for_planning() -> None:
    assert sample.PLANNING_FIGURE in describe([1.0, 1.1, 1.2]).note
    assert describe([1.0, 1.1, 1.2, 1.15]).note == ""


def test_a_mean_near_zero_needs_an_absolute_precision() -> None:
    values = [-1.0, 1.0, -1.0, 1.0]
    found = describe(values)
    assert (found.n_needed, found.more_seeds, found.half_width_rel) == (None, None, None)
    assert found.note == sample.NEAR_ZERO
    assert (
        describe(values, precision=Precision(relative=None, absolute=0.5)).n_needed == 23
    )  # by hand: 2.0739 · 1.1547 / √23 = 0.499


@pytest.mark.parametrize(
    "mean, sd, relative, expected",  # as measured on two scenarios
    [
        (170.6, 1.13, 0.05, 3),
        (170.6, 1.13, 0.01, 5),
        (84.9, 1.13, 0.01, 10),
        (126.0, 1.96, 0.01, 12),
        (15.9, 0.56, 0.05, 5),
    ],
)
def test_runs_needed_as_measured(mean: float, sd: float, relative: float, expected: int) -> None:
    # The measured figures are rounded, which can move the answer by one.
    assert runs_needed(sd, relative * mean) in {expected - 1, expected, expected + 1}


@given(st.floats(0.01, 30.0), st.sampled_from([0.9, 0.95, 0.99]))
def test_runs_needed_is_the_smallest(ratio: float, confidence: float) -> None:
    n = runs_needed(ratio, 1.0, confidence)
    assert n is not None

    def half(runs: int) -> float:
        return float(scipy.stats.t.ppf(0.5 + confidence / 2, runs - 1)) * ratio / math.sqrt(runs)

    assert half(n) <= 1.0 + 1e-9
    assert n == 2 or half(n - 1) > 1.0 - 1e-9


def test_runs_needed_has_ends() -> None:
    assert runs_needed(0.0, 0.0) == 2
    assert runs_needed(1.0, 0.0) is None
    assert runs_needed(1.0, 1e-9) is None


@pytest.mark.parametrize("n", [5, 6, 7, 10, 20])
def test_chance_alone_names_an_outlier_in_one_sample_of_a_hundred(n: int) -> None:
    chance = random.Random(n)
    named = sum(bool(outliers({seed: chance.gauss(100, 5) for seed in range(n)})) for _ in range(3000))
    assert named / 3000 < 0.018  # 1 % and three standard errors


def test_outliers_are_named() -> None:
    values = {seed: 100 + seed * 0.1 for seed in range(1, 10)}
    assert outliers(values) == []
    assert outliers(values | {10: 130.0}) == [10]
    assert outliers({1: 1.0, 2: 1.0, 3: 1.0, 4: 99.0}) == []  # too few
    assert outliers(dict.fromkeys(range(9), 1.0) | {9: 2.0}) == []  # no spread to measure by
