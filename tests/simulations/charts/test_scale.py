"""Round numbers at axes: few, inside, and told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.charts.scale import Scale, clock, fitting, labels, plain, ticks, time_ticks


@pytest.mark.parametrize(
    "low, high, expected",
    [
        (0, 10, ["0", "2.5", "5.0", "7.5", "10.0"]),
        (0, 8, ["0", "2", "4", "6", "8"]),
        (83.2, 86.1, ["84", "85", "86"]),
        (-0.021, 0.021, ["−0.02", "−0.01", "0.00", "0.01", "0.02"]),
        (0.4301, 0.4372, ["0.432", "0.434", "0.436"]),
        (99_000, 131_000, ["100,000", "110,000", "120,000", "130,000"]),
    ],
)
def test_ticks(low: float, high: float, expected: list[str]) -> None:
    told = labels(ticks(Scale(low, high)))
    assert [text.replace("0.0", "0", 1) if text == "0.0" else text for text in told] == expected


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_few_and_inside(low: float, span: float) -> None:
    scale = fitting([low, low + span])
    found = ticks(scale)
    assert 1 <= len(found) <= 5
    assert all(-0.01 <= scale.place(value) <= 100.01 for value in found)
    assert len(set(labels(found))) == len(found)


@pytest.mark.parametrize(
    "high, expected",
    [
        (90, ["0:00", "0:00:30", "0:01", "0:01:30"]),
        (3600, ["0:00", "0:15", "0:30", "0:45", "1:00"]),
        (7 * 3600, ["0:00", "2:00", "4:00", "6:00"]),
    ],
)
def test_times(high: float, expected: list[str]) -> None:
    assert [clock(value) for value in time_ticks(Scale(0, high))] == expected


@pytest.mark.parametrize(
    "values, zero, low, high",
    [
        ([], False, 0, 1),
        ([5], False, 4.5, 5.5),
        ([0], False, -1, 1),
        ([0, 10], True, 0, 10.5),
        ([2, 10], True, 0, 10.5),
    ],
)
def test_fitting(values: list[float], zero: bool, low: float, high: float) -> None:
    assert (fitting(values, zero=zero).low, fitting(values, zero=zero).high) == (low, high)


def test_zero_has_no_sign() -> None:
    assert plain(-0.04, 1, sign=True) == "0.0"
    assert plain(-0.06, 1, sign=True) == "−0.1"
