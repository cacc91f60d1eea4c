"""Whatever the cluster says, in whatever order: ends are final, nothing goes back, nobody waits for ever."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterops.contract import Phase, Run
from clusterops.policy.decide import Evidence, decide
from simulations.models import Job

Status, Reason = Job.Status, Job.Reason
NOW = datetime(2026, 1, 2, tzinfo=UTC)
WAITING = [
    *(Reason.STARTING, Reason.WAITING_FOR_NODE, Reason.WAITING_QUOTA, Reason.IMAGE_ERROR, Reason.CONFIG_ERROR),
    *(Reason.ADMISSION_REFUSED, Reason.NAMESPACE_TERMINATING, Reason.NODE_LOST, Reason.PREEMPTED),
]
ENDING = ["", Reason.FINISHING, Reason.DELETED_EXTERNALLY, Reason.NODE_LOST, Reason.PREEMPTED]
FAILED = [
    *(Reason.SUMO_FAILED, Reason.INVALID_JOB, Reason.INVALID_SCENARIO, Reason.TIME_LIMIT, Reason.TOO_MANY_TELEPORTS),
    *(Reason.OUTPUT_LIMIT, Reason.SUMO_CRASHED, Reason.OUT_OF_MEMORY, Reason.RESULTS_NOT_STORED, Reason.RUNNER_ERROR),
    *(Reason.INTERRUPTED, Reason.EVICTED_DISK, Reason.PREEMPTED, Reason.NODE_LOST, Reason.CONFIG_ERROR, Reason.KILLED),
    *(Reason.LOST, Reason.DELETED_EXTERNALLY, ""),
]
REASONS = {
    Phase.WAITING: WAITING,
    Phase.RUNNING: ["", Reason.NODE_LOST],
    Phase.ENDING: ENDING,
    Phase.SUCCEEDED: [""],
    Phase.FAILED: FAILED,
    Phase.UNREADABLE: [""],
}
REPORTS = [None, {}, {"outcome": "succeeded", "uploaded": True}, {"outcome": "succeeded"}, {"outcome": "sumo_failed"}]
REPORTS += [{"outcome": "interrupted"}, {"outcome": "nonsense", "uploaded": True, "kpis": 3, "errors": "x"}]


@st.composite
def runs(draw: st.DrawFn) -> dict[str, Any]:
    """Fields of a `Run` that a cluster may report; times are seconds before the moment of the look."""
    phase = draw(st.sampled_from(Phase))
    return {
        "phase": phase,
        "reason": draw(st.sampled_from(REASONS[phase])),
        "detail": draw(st.sampled_from(["", "The cluster's words."])),
        "job_exists": draw(st.booleans()),
        "orphan": draw(st.booleans()),
        "decided": draw(st.booleans()),
        "deleting": draw(st.booleans()),
        "exit_code": draw(st.sampled_from([None, 0, 1, 66, 75, 137])),
        "report": draw(st.sampled_from(REPORTS)),
        "pod_name": draw(st.sampled_from(["", "pod-1", "pod-2"])),
        "node_name": draw(st.sampled_from(["", "node-1"])),
        **{
            name: draw(st.sampled_from([None, -3600, 0, 5, 3600, 90_000]))
            for name in ("created_at", "started_at", "finished_at", "waiting_since")
        },
    }


LOOKS = st.fixed_dictionaries(
    {
        "run": st.none() | runs(),
        "evidence": st.builds(Evidence, st.booleans(), st.sampled_from(REPORTS)) | st.none(),
        "cancel": st.booleans(),
        "dispatch": st.booleans(),
        "later_s": st.sampled_from([1, 60, 400, 4000]),
    }
)


def new_job() -> Job:
    return Job(tenant_id="city-a", k8s_namespace="city-a", k8s_job_name="sim-x", submitted_at=NOW, scenario_data={})


def seen(job: Job, fields: dict[str, Any], now: datetime) -> Run:
    times = ("created_at", "started_at", "finished_at", "waiting_since")
    moments = {n: None if fields[n] is None else now - timedelta(seconds=fields[n]) for n in times}
    name, job_id = job.k8s_job_name, job.job_id.hex
    own = {"name": name, "namespace": job.k8s_namespace, "uid": "u", "job_id": job_id, "attempt": job.attempt}
    return Run(**own, **(fields | moments))


def follow(job: Job, look: dict[str, Any], now: datetime) -> bool:
    """One pass over one job, written to the object as `move_to` writes it to the row; whether a decision came."""
    if look["cancel"] and not job.cancel_requested_at:
        job.cancel_requested_at = now
    if look["dispatch"] and not job.is_finished and job.dispatched_at is None and not job.cancel_requested_at:
        job.dispatched_at, job.reason = now, Reason.STARTING
    run = seen(job, look["run"], now) if look["run"] else None
    decision = decide(job, run, now, look["evidence"])
    if decision is None:
        return False
    allowed = Job.MOVES.get(job.status, frozenset()) | {job.status}
    assert decision.status in allowed
    assert not job.is_finished
    assert decision.reason in list(Reason)
    assert decision.message.strip()
    for name, value in dict(decision.columns).items():
        setattr(job, name, value)
    job.status, job.reason, job.message = decision.status, decision.reason, decision.message
    if job.is_finished and job.finished_at is None:
        job.finished_at = now
    return True


@settings(max_examples=40, deadline=None)
@given(st.lists(LOOKS, max_size=12))
def test_no_sequence_of_observations_leaves_an_end_or_goes_back(looks: list[dict[str, Any]]) -> None:
    job, now, ended, attempt = new_job(), NOW, "", 1
    for look in looks:
        now += timedelta(seconds=look["later_s"])
        before = job.status
        follow(job, look, now)
        assert (before, job.status) != (Status.RUNNING, Status.PENDING)
        assert not ended or job.status == ended
        assert attempt <= job.attempt <= min(attempt + 1, 3)
        attempt = job.attempt
        if job.is_finished:
            ended = job.status
            assert job.finished_at
            assert NOW <= job.finished_at <= now
            assert job.started_at is None or job.started_at <= job.finished_at
        if job.status == Status.CANCELLED:
            assert job.cancel_requested_at
        if job.status == Status.SUCCEEDED:
            assert job.reason == Reason.COMPLETED


@settings(max_examples=40, deadline=None)
@given(st.lists(LOOKS, max_size=6), LOOKS)
def test_the_same_question_again_gives_no_other_answer(looks: list[dict[str, Any]], last: dict[str, Any]) -> None:
    """Level-triggered: once a look was followed, the same look changes nothing but repeats an unfinished deletion."""
    job, now = new_job(), NOW
    for look in looks:
        now += timedelta(seconds=look["later_s"])
        follow(job, look, now)
    now += timedelta(seconds=last["later_s"])
    attempt = job.attempt
    follow(job, last, now)
    if job.attempt != attempt:
        return  # the same words would be another attempt's
    after = (job.status, job.reason, job.message, job.attempt, job.finished_at)
    again = {**last, "cancel": False, "dispatch": False}
    run = seen(job, again["run"], now) if again["run"] else None
    decision = decide(job, run, now, again["evidence"])
    assert decision is None or decision.delete
    assert after == (job.status, job.reason, job.message, job.attempt, job.finished_at)


@settings(max_examples=40, deadline=None)
@given(st.lists(LOOKS, max_size=6), runs())
def test_what_can_end_ends_and_what_waits_says_why(looks: list[dict[str, Any]], stuck: dict[str, Any]) -> None:
    """The cluster repeats itself for more than a day: the job ends, begins again, or says what it waits for."""
    job, now = new_job(), NOW
    for look in looks:
        now += timedelta(seconds=look["later_s"])
        follow(job, look, now)
    for hour in range(27):
        now += timedelta(hours=1)
        waits = stuck | dict.fromkeys(("created_at", "started_at", "waiting_since"), 3600 * hour)
        dispatch = {"run": waits, "evidence": None, "cancel": False, "dispatch": True, "later_s": 0}
        follow(job, dispatch, now)
    phase, over = stuck["phase"], stuck["phase"] in (Phase.SUCCEEDED, Phase.FAILED)
    stuck_for_good = phase in (Phase.WAITING, Phase.UNREADABLE) or stuck["reason"] == Reason.NODE_LOST
    if over or (not job.cancel_requested_at and stuck_for_good):
        assert job.is_finished
    if not job.is_finished:
        assert job.reason in list(Reason)
        assert job.message.strip()


@pytest.mark.django_db
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Status.values), st.booleans()), max_size=8))
def test_a_row_moves_only_forward_and_one_event_ends_it(moves: list[tuple[str, bool]]) -> None:
    """`Job.move_to`, also with a copy of the row that is out of date."""
    from django.db import transaction

    from tests.factories import JobFactory

    with transaction.atomic():
        job = JobFactory()
        stale = Job.objects.get(pk=job.pk)
        for status, by_stale in moves:
            writer = stale if by_stale else job
            before = Job.objects.get(pk=job.pk).status
            believed = writer.status
            try:
                moved = writer.move_to(status, reason=Reason.LOST, message="Because.")
            except ValueError:
                moved = False
            now = Job.objects.get(pk=job.pk)
            assert now.status == (status if moved else before)
            assert not moved or believed == before
            assert before not in Job.TERMINAL or now.status == before
            assert now.is_finished == (now.finished_at is not None)
        ends = [event.status for event in job.events.order_by("id")]
        final = [status for status in ends if status in Job.TERMINAL]
        assert len(final) <= 1
        assert not final or ends[-1] == final[0]
        transaction.set_rollback(True)
