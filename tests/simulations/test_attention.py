"""When nobody looks at the jobs, or no look reaches the cluster."""

from datetime import UTC, datetime, timedelta

import pytest

from simulations import attention
from simulations.attention import Look, duration, judge

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def ago(seconds: float | None) -> datetime | None:
    return None if seconds is None else NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "looked, saw, submitted, since, words",
    [
        (5, 5, 900, None, ""),
        (119, 119, 900, None, ""),
        (180, 180, 900, 180, "has not looked at its jobs for 3 minutes; nothing is lost"),
        (180, 180, 1, 180, "has not looked at its jobs for 3 minutes"),
        (5, 180, 1, 180, "The cluster has not answered for 3 minutes; nothing is lost"),
        (180, 400, 1, 180, "has not looked"),
        (None, None, 60, None, ""),
        (None, None, 900, 900, "has not looked at its jobs for 15 minutes"),
        (5, None, 900, 900, "The cluster has not answered for 15 minutes"),
    ],
)
def test_silence(looked, saw, submitted, since, words) -> None:
    found = judge(Look(ago(looked), ago(saw)), ago(submitted), NOW)
    assert (found and found.since) == ago(since)
    assert words in (found.sentence if found else "")


@pytest.mark.parametrize(
    "seconds, words",
    [(119, "119 seconds"), (120, "2 minutes"), (7199, "119 minutes"), (7200, "2 hours"), (200_000, "2 days")],
)
def test_durations_for_people(seconds: int, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words


def test_many_questions_are_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def look(cluster_id: int | None) -> Look:
        looks.append(1)
        return Look(NOW, NOW)

    monkeypatch.setattr(attention, "_look", look)
    for _ in range(5):
        assert attention.silence(NOW, 1) is not None
    assert len(looks) == 1
    attention.forget()
    attention.silence(NOW, 1)
    assert len(looks) == 2
