"""What is said first of a job."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulations.models import Job, JobEvent
from simulations.portal.offers import offer
from simulations.request_facts import request_facts
from simulations.telling import Told
from simulations.time_left import TimeLeft, time_left
from simulations.verdict import arrivals, figures, phases, verdict

T0 = datetime(2026, 1, 1, tzinfo=UTC)
ALL = {"vehicles_inserted": 2992, "vehicles_arrived": 2992, "vehicles_waiting_at_end": 0}
NOBODY = {"vehicles_inserted": 0, "vehicles_arrived": 0, "vehicles_waiting_at_end": 0, "persons_loaded": 0}
JAM = {
    "vehicles_inserted": 2454, "vehicles_arrived": 1119, "vehicles_waiting_at_end": 546,
    "vehicles_running_at_end": 1335,
    "trips_finished": 1119, "mean_travel_time_s": 178.0, "mean_time_loss_s": 89.0,
}  # fmt: skip


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
            {"status": "SUCCEEDED", "results": {"kpis": {**JAM, "standstill_s": 600}}},
            "warn",
            "Gridlock: 1,119 of 3,000 trips; 1,881 had not arrived by its end",
        ),
        (
            {"status": "SUCCEEDED", "results": {"kpis": JAM}},
            "warn",
            "Jammed: 1,119 of 3,000 trips; 1,881 had not arrived by its end",
        ),
        (
            {
                "status": "SUCCEEDED",
                "results": {"kpis": {**ALL, "vehicles_arrived": 2600, "vehicles_running_at_end": 392}},
            },
            "warn",
            "Cut short: 2,600 of 2,992 trips; 392 had not arrived by its end",
        ),
        ({"status": "SUCCEEDED", "results": {"kpis": NOBODY}}, "warn", "Nothing simulated: nobody departed"),
        (
            {"status": "SUCCEEDED", "results": {"kpis": {**NOBODY, "persons_loaded": 60, "persons_finished": 60}}},
            "ok",
            "Complete: 60 of 60 persons",
        ),
        (
            {
                "status": "SUCCEEDED",
                "results": {
                    "kpis": {**NOBODY, "persons_loaded": 60, "persons_finished": 53, "persons_running_at_end": 7}
                },
            },
            "warn",
            "Cut short: 53 of 60 persons; 7 had not arrived by its end",
        ),
        ({"status": "CANCELLED", "reason": "CANCELLED"}, "idle", "Cancelled, without results"),
        (
            {"status": "FAILED", "reason": "TIME_LIMIT", "results": {"kpis": ALL, "sim_end": 960.0}},
            "bad",
            "Partial: stopped at 0:16 of 1:45",
        ),
        (
            {"status": "CANCELLED", "reason": "CANCELLED", "results": {"kpis": ALL, "sim_end": 75}},
            "idle",
            "Partial: stopped at 0:01:15 of 1:45:00",
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


def test_nothing_doubtful_is_green() -> None:
    job = Job(status="SUCCEEDED", results={"kpis": ALL})
    found = [verdict(job, Told(job.reason, job.message), end=6300, doubtful=each) for each in (False, True)]
    assert [each.kind for each in found] == ["ok", "warn"]
    assert found[0].headline == found[1].headline


def test_vehicles_that_were_dropped_make_a_run_jammed() -> None:
    job = Job(status="SUCCEEDED", results={"kpis": ALL | {"vehicles_dropped": 1000}})
    found = verdict(job, Told(job.reason, job.message), end=6300)
    told = "Jammed: 2,992 of 3,992 trips; 1,000 had not arrived by its end"
    assert (found.kind, found.headline) == ("warn", told)


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
    headlines, rest = figures(job_of(results={"kpis": kpis}))
    assert [each.kpi.name for each in headlines] == ["mean_speed_ms"]
    assert [each.kpi.name for each in rest] == ["teleports"]


def job_of(**columns: Any) -> Job:
    """JSON columns as plain as the database has them."""
    return Job(**columns)


def test_means_say_whose_they_are() -> None:
    found = arrivals(job_of(results={"kpis": JAM}))
    assert (found.finished, found.others, found.lost) == (1119, 1881, 50)
    assert arrivals(job_of(results={"kpis": {**JAM, "vehicles_dropped": 20}})).others == 1901
    assert arrivals(job_of()).lost is None
    found = arrivals(job_of(results={"kpis": {**JAM, "trips_finished": 400, "trips_unfinished": 3}}))
    assert (found.windowed, found.finished, found.others) == (True, 400, 3)


@pytest.mark.parametrize(
    "kpis, finished, others, windowed",
    [
        ({"vehicles_dropped": 100}, 1119, 1981, False),
        ({"trips_finished": 1000}, 1000, 2000, False),  # 119 were removed on their way: inserted, and never arrived
        ({"trips_finished": 13, "trips_unfinished": 1701}, 13, 1701, True),
    ],
)
def test_means_leave_out_all_that_did_not_arrive(
    kpis: dict[str, int], finished: int, others: int, windowed: bool
) -> None:
    found = arrivals(job_of(results={"kpis": JAM | kpis}))
    assert (found.finished, found.others, found.windowed) == (finished, others, windowed)


NOW = T0 + timedelta(minutes=3)
FAR = {"percent": 10.0, "eta_s": 61200.0}


@pytest.mark.parametrize(
    ("progress", "limit", "usual", "left"),
    [
        (FAR, None, None, TimeLeft(61200)),
        (FAR, 14400, None, TimeLeft(14220, 10 + 90 * 14220 / 61200)),
        (FAR, 86400, None, TimeLeft(61200)),
        (FAR, 60, None, TimeLeft(0, 10)),
        (None, 14400, None, TimeLeft()),
        (None, 14400, 400, TimeLeft(220)),
        (None, 200, 400, TimeLeft(20)),
        ({"percent": None, "eta_s": None}, 14400, 60, TimeLeft()),  # longer than usual already: nobody knows
    ],
)
def test_a_time_limit_ends_what_is_left(
    progress: dict[str, Any] | None, limit: int | None, usual: float | None, left: TimeLeft
) -> None:
    job = job_of(
        status="RUNNING", started_at=T0, dispatched_at=T0, progress=progress, scenario_data={"time_limit_s": limit}
    )
    assert time_left(job, NOW, usual_s=usual) == left


def test_a_second_attempt_has_its_own_time_limit() -> None:
    job = job_of(started_at=T0, dispatched_at=NOW, progress=FAR, scenario_data={"time_limit_s": 600})
    assert time_left(job, NOW).seconds == 600


@pytest.mark.parametrize(
    ("sim_end", "limit", "value"),
    [
        (54.0, 60, 25 * 60),  # 60 s / 0.054 x 1.3 = 24.07 min
        (1000.0, 3600, 6300),
        (75.0, 14400, 0),  # more than the service allows
    ],
)
def test_a_time_limit_is_offered_by_what_was_done(sim_end: float, limit: int, value: int) -> None:
    job = job_of(
        status="FAILED", reason="TIME_LIMIT", results={"sim_end": sim_end}, scenario_data={"time_limit_s": limit}
    )
    found = offer(job, begin=0.0, end=1000.0 if sim_end < 1000 else 1200.0)
    assert found is not None
    assert found.value == value
    assert ("allows 1 d 0 h" in found.note) == (not value)


def test_more_time_is_offered_without_a_share_too_and_memory_else() -> None:
    for limit, value in ((60, 120), (50_000, 86_400)):
        found = offer(
            job_of(status="FAILED", reason="TIME_LIMIT", scenario_data={"time_limit_s": limit}), begin=0, end=None
        )
        assert found is not None
        assert found.value == value
    assert (
        offer(job_of(status="FAILED", reason="TIME_LIMIT", scenario_data={"time_limit_s": 86_400}), begin=0, end=1)
        is None
    )
    found = offer(job_of(status="FAILED", reason="SUMO_CRASHED", memory_gi=2), begin=0, end=None)
    assert found is not None
    assert (found.words, found.is_sure) == ("4 Gi", False)
    assert offer(job_of(status="CANCELLED"), begin=0, end=None) is None
    assert offer(job_of(status="FAILED", reason="INVALID_SCENARIO", memory_gi=2), begin=0, end=None) is None


def test_a_request_is_told_in_words() -> None:
    asked = {
        "time_limit_s": 14400,
        "emissions": True,
        "outputs": ["edges"],
        "options": {"a": True, "b": 2},
        "seed": 7,
        "priority": 0,
    }
    asked |= {"new_one": {"x": 1}, "config": "a\u202egfc.omus", "begin": None, "labels": {"a": "b"}}
    assert request_facts(asked, {"labels"}) == [
        ("Configuration", "a\\u202egfc.omus"), ("Seed", "7"), ("Time limit", "4 h 00 min"),
        ("Priority in the class", "0"), ("Emissions", "computed"), ("More outputs", "edges"),
        ("SUMO options", "a=yes, b=2"), ("New one", "x=1"),
    ]  # fmt: skip
