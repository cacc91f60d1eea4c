"""What is said first of a job."""

from datetime import UTC, datetime, timedelta

import pytest

from simulations.models import Job, JobEvent
from simulations.portal.verdict import figures, phases, verdict
from simulations.telling import Told

T0 = datetime(2026, 1, 1, tzinfo=UTC)
ALL = {"vehicles_inserted": 2992, "vehicles_arrived": 2992, "vehicles_waiting_at_end": 0}


@pytest.mark.parametrize(
    "columns, kind, headline",
    [
        ({"status": "SUCCEEDED", "results": {"kpis": ALL}}, "ok", "Complete: 2,992 of 2,992 trips"),
        (
            {"status": "SUCCEEDED", "results": {"kpis": {**ALL, "vehicles_waiting_at_end": 8}}},
            "ok",
            "Complete: 2,992 of 3,000 trips; 8 had not arrived by its end",
        ),
        ({"status": "SUCCEEDED", "results": {}}, "ok", "Complete"),
        (
            {"status": "FAILED", "reason": "TIME_LIMIT", "results": {"kpis": ALL, "sim_end": 960.0}},
            "bad",
            "PARTIAL: stopped at 0:16 of 1:45",
        ),
        (
            {"status": "CANCELLED", "reason": "CANCELLED", "results": {"kpis": ALL, "sim_end": 75}},
            "idle",
            "PARTIAL: stopped at 0:01:15 of 1:45",
        ),
        ({"status": "FAILED", "reason": "OUT_OF_MEMORY"}, "bad", "Failed: out of memory, without results"),
        ({"status": "PENDING"}, "warn", "Waiting"),
        ({"status": "PENDING", "reason": "WAITING_FOR_NODE", "dispatched_at": T0}, "warn", "Waiting for node"),
        ({"status": "RUNNING", "reason": "RUNNING", "dispatched_at": T0}, "info", "Running"),
        (
            {"status": "RUNNING", "reason": "RUNNING", "dispatched_at": T0, "progress": {"percent": 42.4}},
            "info",
            "Running: 42 % simulated",
        ),
        ({"status": "RUNNING", "dispatched_at": T0, "cancel_requested_at": T0}, "warn", "Being cancelled"),
    ],
)
def test_headlines(columns: dict, kind: str, headline: str) -> None:
    job = Job(**columns)
    found = verdict(job, Told(job.reason, job.message), end=6300)
    assert (found.kind, found.headline) == (kind, headline)


def test_phases_fill_the_time() -> None:
    job = Job(status="SUCCEEDED", submitted_at=T0, finished_at=T0 + timedelta(seconds=100))
    moves = [(10, "PENDING", "STARTING"), (30, "RUNNING", "RUNNING"), (90, "RUNNING", "FINISHING")]
    moves.append((100, "SUCCEEDED", "COMPLETED"))
    events = [JobEvent(at=T0 + timedelta(seconds=at), status=status, reason=why) for at, status, why in moves]
    found = phases(job, events, now=T0)
    assert [(each.key, each.seconds, each.x, each.width) for each in found] == [
        ("waits", 10, 0, 10), ("starts", 20, 10, 20), ("runs", 60, 30, 60), ("stores", 10, 90, 10),
    ]  # fmt: skip


def test_no_zeros_of_persons_where_there_are_none() -> None:
    kpis = {"mean_speed_ms": 7.1, "teleports": 0, "persons_loaded": 0, "walks_finished": 0}
    headlines, rest = figures(Job(results={"kpis": kpis}))
    assert [each.kpi.name for each in headlines] == ["mean_speed_ms"]
    assert [each.kpi.name for each in rest] == ["teleports"]
