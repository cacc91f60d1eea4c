"""The token bucket of Job creation."""

import pytest

from clusterops.reconciler import rate
from clusterops.reconciler.rate import BURST_S, Bucket


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(rate.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("per_second", [0.5, 1, 2, 20, 100])
def test_over_a_long_time_it_is_the_rate_and_never_more_than_the_burst_ahead(clock, per_second) -> None:
    bucket, taken = Bucket(), 0
    for _ in range(1000):
        number = bucket.free(per_second, 50)
        bucket.take(number)
        taken += number
        elapsed = clock[0] - 1000
        assert taken <= per_second * elapsed + max(1, per_second * BURST_S)
        clock[0] += 0.25
    assert taken >= per_second * 249


def test_what_was_not_used_does_not_add_up_for_ever(clock) -> None:
    bucket = Bucket()
    bucket.take(bucket.free(10, 1000))
    clock[0] += 3600
    assert bucket.free(10, 1000) == 10 * BURST_S


def test_without_a_rate_there_is_no_limit(clock) -> None:
    bucket = Bucket()
    bucket.take(bucket.free(0, 50))
    assert bucket.free(0, 50) == 50
