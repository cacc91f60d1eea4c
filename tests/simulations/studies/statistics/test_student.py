"""Our t distribution against scipy's."""

import math

import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from simulations.studies.statistics.student import density, quantile, two_sided, upper_tail

DEGREES = [0.7, 1, 1.5, 2, 2.7, 3, 4, 5, 7, 9, 10, 15, 19, 20, 29, 39.9, 40, 41, 50, 99, 100, 499, 999, 1e4, 1e5, 1e6]
TIMES = [1e-6, 1e-3, 0.1, 0.5, 0.7, 0.9, 1, 1.5, 2, 2.5, 3, 4, 5, 7, 10, 20, 50, 100, 1e3, 1e5]
TAILS = [1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.45, 0.49]


@pytest.mark.parametrize("df", DEGREES)
def test_tails_and_quantiles_agree_with_scipy(df: float) -> None:
    for t in TIMES:
        expected = float(scipy.stats.t.sf(t, df))
        if expected > 1e-290:
            assert upper_tail(t, df) == pytest.approx(expected, rel=1e-9)
            assert density(t, df) == pytest.approx(float(scipy.stats.t.pdf(t, df)), rel=1e-9)
    for tail in TAILS:
        assert quantile(tail, df) == pytest.approx(float(scipy.stats.t.ppf(tail, df)), rel=1e-9)
        if tail > 1e-8:  # 1 - tail has lost digits before anyone can look at it
            assert quantile(1 - tail, df) == pytest.approx(float(scipy.stats.t.ppf(1 - tail, df)), rel=1e-9)


@given(t=st.floats(0, 1e6), df=st.floats(0.5, 1e5))
def test_the_two_tails_make_one(t: float, df: float) -> None:
    assert upper_tail(t, df) + upper_tail(-t, df) == pytest.approx(1.0, abs=1e-12)
    assert 0.0 <= two_sided(t, df) <= 1.0


@given(p=st.floats(1e-9, 1 - 1e-9), df=st.floats(0.5, 1e5))
def test_a_quantile_is_where_the_tail_is(p: float, df: float) -> None:
    assert upper_tail(-quantile(p, df), df) == pytest.approx(p, rel=1e-8)


def test_edges() -> None:
    assert quantile(0.5, 3) == 0.0
    assert upper_tail(0.0, 3) == 0.5
    assert upper_tail(math.inf, 3) == 0.0
    assert upper_tail(-math.inf, 3) == 1.0
    assert upper_tail(1e200, 3) == 0.0
    for p in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError):
            quantile(p, 3)
    for t, df in ((1.0, 0.0), (math.nan, 3.0)):
        with pytest.raises(ValueError):
            upper_tail(t, df)
