import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from simulations.studies.statistics.multiplicity import benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_counts_the_tests_that_could_not_be_made() -> None:
    assert holm([0.01, None, 0.02], family=3) == [pytest.approx(0.03), None, pytest.approx(0.04)]
    assert holm([None, None]) == [None, None]


@given(P_VALUES)
def test_holm_never_makes_a_value_smaller_and_keeps_the_order(values: list[float]) -> None:
    adjusted = [value or 0.0 for value in holm(values)]
    assert all(0.0 <= old <= new <= 1.0 for old, new in zip(values, adjusted, strict=True))
    in_order = [new for _, new in sorted(zip(values, adjusted, strict=True))]
    assert in_order == sorted(in_order)


@given(P_VALUES)
def test_benjamini_hochberg_agrees_with_scipy(values: list[float]) -> None:
    adjusted = scipy.stats.false_discovery_control(values)
    found = benjamini_hochberg(values, 0.05)
    for discovered, value in zip(found, adjusted, strict=True):
        if abs(value - 0.05) > 1e-12:
            assert discovered is bool(value <= 0.05)


def test_benjamini_hochberg_leaves_out_what_has_no_value() -> None:
    assert benjamini_hochberg([0.001, None, 0.9]) == [True, False, False]
