"""Whose run is next; no database."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from simulations.studies.limits import study_slots
from simulations.studies.turns import Waiting, next_runs

A, B = uuid.UUID(int=1), uuid.UUID(int=2)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def waiting(study: uuid.UUID, planned: list[int], *, served: int | None = None, active: int = 0,
            most: int | None = None) -> Waiting:  # fmt: skip
    return Waiting(study, None if served is None else NOW + timedelta(seconds=served), active, most, planned)


def test_studies_take_turns_each_in_its_own_order() -> None:
    assert next_runs([waiting(A, [1, 2, 3]), waiting(B, [7, 8])], 4) == [(A, 1), (B, 7), (A, 2), (B, 8)]


def test_who_was_served_longest_ago_comes_first() -> None:
    assert next_runs([waiting(A, [1], served=5), waiting(B, [7], served=3)], 1) == [(B, 7)]
    assert next_runs([waiting(A, [1]), waiting(B, [7], served=3)], 1) == [(A, 1)]


def test_max_parallel_and_what_is_left() -> None:
    assert next_runs([waiting(A, [1, 2, 3], active=1, most=2), waiting(B, [7])], 9) == [(A, 1), (B, 7)]
    assert next_runs([waiting(A, [1])], 0) == []
    assert next_runs([], 3) == []


@pytest.mark.parametrize("slots, studies", [(1, 1), (2, 2), (3, 2), (4, 3), (8, 6), (20, 15)])
def test_slots_kept_for_single_jobs(slots: int, studies: int) -> None:
    assert study_slots(slots) == studies
