# ruff: noqa: E501 - a table is read by its rows
"""The rule book as tables, and what no sequence of observations may do."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterops.contract import Phase, Run
from clusterops.policy.decide import Decision, Evidence, decide, needs_evidence
from clusterops.policy.sentences import sentence
from simulations.models import Job

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOOD = {"outcome": "succeeded", "uploaded": True, "kpis": {}}
R = Job.Reason


def job_in(status: str = "PENDING", **columns) -> Job:
    job = Job(
        job_id=uuid.UUID(int=7),
        tenant_id="city-a",
        status=status,
        reason=columns.pop("reason", "STARTING" if status == "PENDING" else status),
        submitted_at=NOW - timedelta(hours=10),
        dispatched_at=columns.pop("dispatched_at", NOW - timedelta(hours=9)),
        scenario_data={"time_limit_s": 600, "end": 3600},
        memory_gi=4,
        **columns,
    )
    job.k8s_job_name = job.name_of_attempt(job.attempt)
    return job


def run_in(phase: Phase, reason: str = "", pod_name: str = "pod", **fields) -> Run:
    waiting_since = NOW - timedelta(seconds=fields.pop("waits", 1))
    return Run(
        name="sim", namespace="city-a", uid="u", job_id="0", attempt=1, phase=phase, reason=reason,
        waiting_since=waiting_since, pod_name=pod_name, **fields,
    )  # fmt: skip


def outcome(decision: Decision | None) -> tuple[str, str, bool] | None:
    return decision and (decision.status, decision.reason, decision.delete)


CANCEL = {"cancel_requested_at": NOW}
LATELY = {"observed_at": NOW - timedelta(seconds=60)}
SIGNAL = {"outcome": "interrupted", "uploaded": True}
TABLE = [
    # job, run, evidence, expected
    ("waits for its turn", job_in(dispatched_at=None), None, None, None),
    ("cancelled in the queue", job_in(dispatched_at=None, **CANCEL), None, None, ("CANCELLED", "CANCELLED", False)),
    ("image pull fails", job_in(), run_in(Phase.WAITING, R.IMAGE_ERROR, waits=9), None, ("PENDING", "IMAGE_ERROR", False)),
    ("… for too long", job_in(), run_in(Phase.WAITING, R.IMAGE_ERROR, waits=301), None, ("FAILED", "IMAGE_ERROR", True)),
    ("pod refused too long", job_in(), run_in(Phase.WAITING, R.ADMISSION_REFUSED, waits=301), None, ("FAILED", "ADMISSION_REFUSED", True)),
    ("container cannot be made", job_in(), run_in(Phase.WAITING, R.CONFIG_ERROR, waits=301), None, ("FAILED", "CONFIG_ERROR", True)),
    ("quota full", job_in(), run_in(Phase.WAITING, R.WAITING_QUOTA, waits=301), None, ("PENDING", "WAITING_QUOTA", False)),
    ("Kueue holds it", job_in(), run_in(Phase.WAITING, R.WAITING_KUEUE, waits=10**6), None, ("PENDING", "WAITING_KUEUE", False)),
    ("SIGTERM with exit 0", job_in("RUNNING"), run_in(Phase.SUCCEEDED, report=GOOD | {"outcome": "interrupted"}), None, ("RUNNING", "INTERRUPTED", True)),
    ("… and the pod gone with Kueue", job_in("RUNNING", reason="WAITING_KUEUE"), run_in(Phase.SUCCEEDED), None, ("RUNNING", "INTERRUPTED", True)),
    ("no machine", job_in(), run_in(Phase.WAITING, R.WAITING_FOR_NODE, waits=301), None, ("PENDING", "WAITING_FOR_NODE", False)),
    ("no machine for an hour", job_in(), run_in(Phase.WAITING, R.WAITING_FOR_NODE, waits=3601), None, ("FAILED", "START_TIMEOUT", True)),
    ("running", job_in(), run_in(Phase.RUNNING), None, ("RUNNING", "RUNNING", False)),
    ("running, it cannot reach us", job_in("RUNNING", reason="SERVICE_UNREACHABLE", started_at=NOW, pod_name="pod"), run_in(Phase.RUNNING), None, None),
    ("succeeded unseen running", job_in(), run_in(Phase.SUCCEEDED, report=GOOD), None, ("SUCCEEDED", "COMPLETED", False)),
    ("succeeded without upload", job_in("RUNNING"), run_in(Phase.SUCCEEDED, report={**GOOD, "uploaded": False}), None, ("FAILED", "RESULTS_NOT_STORED", False)),
    ("succeeded, word lost", job_in("RUNNING"), run_in(Phase.SUCCEEDED), None, ("FAILED", "RESULTS_NOT_STORED", False)),
    ("… but manifest stored", job_in("RUNNING"), run_in(Phase.SUCCEEDED), Evidence(report=GOOD), ("SUCCEEDED", "COMPLETED", False)),
    ("out of memory", job_in("RUNNING"), run_in(Phase.FAILED, R.OUT_OF_MEMORY, exit_code=137), None, ("FAILED", "OUT_OF_MEMORY", False)),
    ("killed by nobody knows", job_in("RUNNING"), run_in(Phase.FAILED, R.KILLED, exit_code=137), None, ("FAILED", "KILLED", False)),
    ("time limit", job_in("RUNNING"), run_in(Phase.FAILED, R.TIME_LIMIT), None, ("FAILED", "TIME_LIMIT", False)),
    ("disk full", job_in("RUNNING"), run_in(Phase.FAILED, R.EVICTED_DISK), None, ("FAILED", "EVICTED_DISK", False)),
    ("interrupted: again", job_in("RUNNING"), run_in(Phase.FAILED, R.INTERRUPTED), None, ("RUNNING", "INTERRUPTED", True)),
    ("interrupted thrice", job_in("RUNNING", attempt=3), run_in(Phase.FAILED, R.INTERRUPTED, decided=True), None, ("FAILED", "INTERRUPTED", False)),
    ("interrupted by the end of its namespace", job_in("RUNNING"), run_in(Phase.FAILED, R.INTERRUPTED), Evidence(namespace_terminating=True), ("FAILED", "NAMESPACE_TERMINATING", False)),
    ("preempted", job_in("RUNNING"), run_in(Phase.ENDING, R.PREEMPTED), None, ("RUNNING", "PREEMPTED", False)),
    ("waits for its replacement", job_in("RUNNING"), run_in(Phase.WAITING, R.PREEMPTED), None, ("RUNNING", "PREEMPTED", False)),
    ("replacement waits for a machine", job_in("RUNNING"), run_in(Phase.WAITING, R.WAITING_FOR_NODE), None, ("RUNNING", "WAITING_FOR_NODE", False)),
    ("node silent", job_in("RUNNING"), run_in(Phase.RUNNING, R.NODE_LOST, waits=9), None, ("RUNNING", "NODE_LOST", False)),
    ("node lost", job_in("RUNNING"), run_in(Phase.ENDING, R.NODE_LOST, waits=421), None, ("RUNNING", "NODE_LOST", True)),
    ("node lost again and again", job_in("RUNNING", attempt=3), run_in(Phase.ENDING, R.NODE_LOST, waits=421), None, ("FAILED", "NODE_LOST", True)),
    ("ends, not yet decided", job_in("RUNNING"), run_in(Phase.ENDING, R.FINISHING), None, ("RUNNING", "FINISHING", False)),
    ("not stored", job_in("RUNNING"), run_in(Phase.FAILED, R.RESULTS_NOT_STORED), Evidence(), ("FAILED", "RESULTS_NOT_STORED", False)),
    ("… but sealed by the pod before", job_in("RUNNING"), run_in(Phase.FAILED, R.RESULTS_NOT_STORED), Evidence(report=GOOD), ("SUCCEEDED", "COMPLETED", False)),
    ("somebody deletes it", job_in("RUNNING"), run_in(Phase.ENDING, R.DELETED_EXTERNALLY, deleting=True), None, ("RUNNING", "DELETED_EXTERNALLY", False)),
    ("somebody deleted it", job_in("RUNNING", reason="DELETED_EXTERNALLY"), None, Evidence(), ("FAILED", "DELETED_EXTERNALLY", False)),
    ("its pod was deleted, seen", job_in("RUNNING", reason="DELETED_EXTERNALLY"), run_in(Phase.FAILED, R.LOST, ""), Evidence(), ("FAILED", "DELETED_EXTERNALLY", False)),
    ("… unseen", job_in("RUNNING", **LATELY), run_in(Phase.FAILED, R.LOST, ""), Evidence(), ("FAILED", "DELETED_EXTERNALLY", False)),
    ("… the Job names the signal's exit code", job_in("RUNNING"), run_in(Phase.FAILED, R.INTERRUPTED, ""), Evidence(), ("FAILED", "DELETED_EXTERNALLY", False)),
    ("… and it stored what it had", job_in("RUNNING"), run_in(Phase.FAILED, R.INTERRUPTED, ""), Evidence(report=SIGNAL), ("FAILED", "DELETED_EXTERNALLY", False)),
    ("… still listed when its Job has failed", job_in("RUNNING"), run_in(Phase.FAILED, R.DELETED_EXTERNALLY, report=SIGNAL), Evidence(), ("FAILED", "DELETED_EXTERNALLY", False)),
    ("… with its namespace", job_in("RUNNING"), run_in(Phase.FAILED, R.INTERRUPTED, ""), Evidence(True, SIGNAL), ("FAILED", "NAMESPACE_TERMINATING", False)),
    ("… after all was stored", job_in("RUNNING"), run_in(Phase.FAILED, R.DELETED_EXTERNALLY), Evidence(report=GOOD), ("SUCCEEDED", "COMPLETED", False)),
    ("… by a cancel", job_in("RUNNING", **CANCEL), run_in(Phase.FAILED, R.INTERRUPTED, ""), Evidence(report=SIGNAL), ("CANCELLED", "CANCELLED", False)),
    ("its Job was deleted while it waited", job_in(**LATELY), None, Evidence(), ("FAILED", "DELETED_EXTERNALLY", False)),
    ("… just made", job_in(dispatched_at=NOW), None, Evidence(), ("FAILED", "DELETED_EXTERNALLY", False)),
    ("its Job was deleted while it ran", job_in("RUNNING", **LATELY), None, Evidence(report=SIGNAL), ("FAILED", "DELETED_EXTERNALLY", False)),
    ("its Job went after the runner failed", job_in("RUNNING", **LATELY), None, Evidence(report={"outcome": "internal"}), ("RUNNING", "RUNNER_ERROR", True)),
    ("stopped by a signal, its message cut off", job_in("RUNNING"), run_in(Phase.FAILED, R.KILLED), Evidence(report=SIGNAL), ("RUNNING", "INTERRUPTED", True)),
    ("refused beside what a drained pod stored", job_in("RUNNING"), run_in(Phase.FAILED, R.RESULTS_NOT_STORED), Evidence(report=SIGNAL), ("RUNNING", "INTERRUPTED", True)),
    ("vanished", job_in("RUNNING"), None, Evidence(), ("FAILED", "LOST", False)),
    ("vanished after its upload", job_in("RUNNING"), None, Evidence(report=GOOD), ("SUCCEEDED", "COMPLETED", False)),
    ("vanished after a failed upload", job_in("RUNNING"), None, Evidence(report={"outcome": "sumo_failed"}), ("FAILED", "SUMO_FAILED", False)),
    ("vanished with its namespace", job_in("RUNNING"), None, Evidence(namespace_terminating=True), ("FAILED", "NAMESPACE_TERMINATING", False)),
    ("cancel while starting", job_in(**CANCEL), run_in(Phase.WAITING, R.STARTING), None, ("PENDING", "CANCELLING", True)),
    ("cancel while running", job_in("RUNNING", **CANCEL), run_in(Phase.RUNNING), None, ("RUNNING", "CANCELLING", True)),
    ("cancel, pod in its grace", job_in("RUNNING", **CANCEL), run_in(Phase.ENDING, R.DELETED_EXTERNALLY, job_exists=False, deleting=True), None, ("RUNNING", "CANCELLING", False)),
    ("cancel, gone", job_in("RUNNING", reason="CANCELLING", **CANCEL), None, Evidence(), ("CANCELLED", "CANCELLED", False)),
    ("cancel came too late", job_in("RUNNING", **CANCEL), run_in(Phase.SUCCEEDED, report=GOOD), None, ("SUCCEEDED", "COMPLETED", False)),
    ("cancel after its own failure", job_in("RUNNING", **CANCEL), run_in(Phase.FAILED, R.SUMO_FAILED), None, ("FAILED", "SUMO_FAILED", False)),
    ("cancel: no new attempt", job_in("RUNNING", **CANCEL), run_in(Phase.FAILED, R.INTERRUPTED), None, ("CANCELLED", "CANCELLED", False)),
    ("cancel of an orphan", job_in("RUNNING", **CANCEL), run_in(Phase.RUNNING, job_exists=False, orphan=True), None, ("RUNNING", "CANCELLING", False)),
]  # fmt: skip


@pytest.mark.parametrize("name, job, run, evidence, expected", TABLE, ids=[row[0] for row in TABLE])
def test_rule(name, job, run, evidence, expected) -> None:
    assert outcome(decide(job, run, NOW, evidence)) == expected


def test_a_new_attempt_has_a_new_name_and_waits_for_dispatch() -> None:
    decision = decide(job_in("RUNNING"), run_in(Phase.ENDING, R.NODE_LOST, waits=9999), NOW)
    assert decision
    assert decision.columns["attempt"] == 2
    assert decision.columns["k8s_job_name"] == f"sim-{uuid.UUID(int=7).hex}-2"
    assert decision.columns["dispatched_at"] is None
    assert "It starts again by itself: attempt 2 of 3 follows." in decision.message


def test_what_is_as_it_should_be_is_left_alone() -> None:
    job = job_in("RUNNING", message=sentence(R.RUNNING, Job()), started_at=NOW)
    assert decide(job, run_in(Phase.RUNNING, pod_name=""), NOW) is None


@pytest.mark.parametrize(
    "reason, report, words",
    [
        ("OUT_OF_MEMORY", {}, "needed more than 4 Gi of memory. Submit it again with memory_gi 8."),
        ("TIME_LIMIT", {"sim_end": 1800.0}, "limit of 10 min was reached at simulated time 1800 s of 3600 s"),
        ("SUMO_FAILED", {"errors": [{"message": "Error: no edge"}]}, "Error: no edge"),
        ("COMPLETED", {"kpis": {"vehicles_waiting_at_end": 600}}, "600 vehicles were still waiting"),
    ],
)
def test_sentences_name_the_numbers(reason, report, words) -> None:
    assert words in sentence(reason, job_in("RUNNING"), None, report)


def test_where_no_report_says_how_far_it_came_the_last_progress_does() -> None:
    job = job_in("RUNNING", progress={"sim_time": 1200.0})
    assert "was reached at simulated time 1200 s of 3600 s" in sentence("TIME_LIMIT", job)
    assert "time limit of 10 min was reached. Submit" in sentence("TIME_LIMIT", job_in("RUNNING", progress={"rtf": 2}))


def test_every_reason_has_a_sentence_of_its_own() -> None:
    for reason in Job.Reason:
        for run in (None, run_in(Phase.WAITING, reason, detail="words")):
            assert sentence(reason, job_in(), run).endswith(".")


def test_the_clusters_clock_is_kept_within_ours() -> None:
    ahead = run_in(
        Phase.SUCCEEDED, report=GOOD, started_at=NOW + timedelta(hours=1), finished_at=NOW + timedelta(hours=2)
    )
    decision = decide(job_in(), ahead, NOW)
    assert decision
    assert decision.columns["started_at"] == decision.columns["finished_at"] == NOW
    behind = run_in(Phase.WAITING, R.IMAGE_ERROR, waits=100_000)
    just_made = job_in(dispatched_at=NOW - timedelta(seconds=5))
    assert outcome(decide(just_made, behind, NOW)) == ("PENDING", "IMAGE_ERROR", False)


times = st.none() | st.integers(-100_000, 100_000).map(lambda s: NOW + timedelta(seconds=s))
reports = st.none() | st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(["succeeded", "sumo_failed", "interrupted", "internal", "odd"]),
        "uploaded": st.booleans(),
    }
)
runs = st.none() | st.builds(
    Run,
    name=st.just("sim"),
    namespace=st.just("city-a"),
    uid=st.just("u"),
    job_id=st.just("0"),
    attempt=st.just(1),
    phase=st.sampled_from(Phase),
    reason=st.sampled_from(["", *list(Job.Reason)]),
    detail=st.text(max_size=5),
    job_exists=st.booleans(),
    orphan=st.booleans(),
    decided=st.booleans(),
    created_at=times,
    started_at=times,
    finished_at=times,
    pod_name=st.sampled_from(["", "pod-a", "pod-b"]),
    exit_code=st.none() | st.integers(0, 255),
    report=reports,
    deleting=st.booleans(),
    waiting_since=times,
)
evidences = st.builds(Evidence, namespace_terminating=st.booleans(), report=reports)
QUICK = settings(deadline=None, max_examples=40)
steps = st.lists(st.tuples(runs, evidences, st.booleans(), st.integers(0, 5000)), max_size=12)


def carry_out(job: Job, decision: Decision) -> None:
    """What `move_to` does, without a database."""
    assert decision.status == job.status or decision.status in Job.MOVES[job.status]
    for name, value in {**decision.columns, "status": decision.status, "reason": decision.reason}.items():
        setattr(job, name, value)
    job.message = decision.message


@pytest.mark.unmeasured
@QUICK
@given(steps)
def test_no_sequence_of_observations_leads_back(sequence) -> None:
    job, now = job_in(dispatched_at=None), NOW
    for run, evidence, cancel, seconds in sequence:
        now += timedelta(seconds=seconds)
        if cancel and not job.is_finished:
            job.cancel_requested_at = job.cancel_requested_at or now
        before = (job.status, job.attempt)
        decision = decide(job, run, now, evidence)
        if before[0] in Job.TERMINAL:
            assert decision is None
            continue
        for _ in range(3):  # the same observation again soon says nothing new
            if decision is None or decision.delete or job.attempt != before[1]:
                break
            carry_out(job, decision)
            decision = decide(job, run, now, evidence)
        else:
            assert decision is None
        if decision:
            carry_out(job, decision)
        if before[0] == "RUNNING":
            assert job.status != "PENDING"
        assert job.attempt in (before[1], before[1] + 1)
        assert job.attempt <= 3
        if job.is_finished and run is None and job.dispatched_at is None:
            assert job.status == "CANCELLED"


@QUICK
@given(runs, evidences)
def test_after_the_last_deadline_every_stuck_job_ends_or_only_a_pod_is_waited_for(run, evidence) -> None:
    job = job_in("RUNNING", attempt=3, dispatched_at=NOW - timedelta(days=30))
    if run is not None:
        run = replace(run, waiting_since=NOW - timedelta(days=20))
    decision = decide(job, run, NOW, evidence)
    if decision and decision.status in Job.TERMINAL:
        return
    assert run is not None
    assert run.phase in (Phase.RUNNING, Phase.ENDING)


@QUICK
@given(runs)
def test_a_cancel_is_granted_or_under_way(run) -> None:
    job = job_in("RUNNING", cancel_requested_at=NOW, reason="RUNNING")
    decision = decide(job, run, NOW, Evidence())
    assert decision
    assert decision.status in Job.TERMINAL or decision.reason == "CANCELLING"
    if decision.status not in Job.TERMINAL and run.job_exists and not run.deleting:
        assert decision.delete
    if run is not None and run.phase not in (Phase.SUCCEEDED, Phase.FAILED):
        assert decision.status != "CANCELLED"  # its pod may still run


@QUICK
@given(
    runs,
    evidences,
    st.sampled_from(["PENDING", "RUNNING"]),
    st.sampled_from(list(Job.Reason)),
    st.integers(1, 3),
    st.booleans(),
    times,
)
def test_start_again_is_said_if_and_only_if_a_new_attempt_follows(
    run, evidence, status, reason, attempt, cancel, observed_at
) -> None:
    job = job_in(status, reason=reason, attempt=attempt, observed_at=observed_at, **(CANCEL if cancel else {}))
    if decision := decide(job, run, NOW, evidence):
        follows = decision.columns.get("attempt") == attempt + 1
        assert ("starts again" in decision.message) == follows
        assert not follows or decision.status not in Job.TERMINAL
        assert ("was tried" in decision.message) <= (decision.status == "FAILED")


def test_no_sentence_of_its_own_promises_a_new_attempt() -> None:
    for reason in Job.Reason:
        for run in (None, run_in(Phase.FAILED, reason, detail="words")):
            assert "again by itself" not in sentence(reason, job_in("RUNNING"), run)


@pytest.mark.parametrize(
    "job, run, asked",
    [
        (job_in(dispatched_at=None), None, False),
        (job_in(), None, True),
        (job_in("RUNNING"), run_in(Phase.RUNNING), False),
        (job_in("RUNNING"), run_in(Phase.SUCCEEDED, report=GOOD), False),
        (job_in("RUNNING"), run_in(Phase.SUCCEEDED), True),
        (job_in("RUNNING"), run_in(Phase.FAILED, R.SUMO_FAILED), False),
        (job_in("RUNNING"), run_in(Phase.FAILED, R.LOST), True),
    ],
)
def test_evidence_is_gathered_only_in_doubt(job, run, asked) -> None:
    assert needs_evidence(job, run) is asked
