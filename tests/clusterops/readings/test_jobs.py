"""Recorded answers of a real API server → what they mean, case by case."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clusterops.contract import Phase, Run
from clusterops.objects.manifests import QUEUE_NAME
from clusterops.readings import events as event_readings
from clusterops.readings import jobs as job_readings
from clusterops.readings.values import moment

RECORDINGS = Path(__file__).parents[1] / "recordings"


def recorded(case: str, *, last_seen: bool = False) -> Run:
    """The run of a case as the gateway would build it; `last_seen` adds pods that were gone when it was recorded."""
    folder = RECORDINGS / case
    job = json.loads((folder / "job.json").read_text())
    pods = json.loads((folder / "pods.json").read_text())["items"]
    if last_seen:
        more = json.loads((folder / "pods_last_seen.json").read_text())
        pods += more["items"] if isinstance(more, dict) else more
    events = json.loads((folder / "events.json").read_text())["items"]
    jobs = [job] if job["kind"] == "Job" else []
    [run] = job_readings.runs(jobs, pods, event_readings.explanations(events))
    return run


CASES = [
    # case, phase, reason, words in the detail
    ("container-creating", Phase.WAITING, "STARTING", "ContainerCreating"),
    ("create-container-config-error", Phase.WAITING, "CONFIG_ERROR", 'secret "missing-secret" not found'),
    ("create-container-config-error-root-image", Phase.WAITING, "CONFIG_ERROR", "image will run as root"),
    ("image-pull-backoff", Phase.WAITING, "IMAGE_ERROR", "Back-off pulling image"),
    ("invalid-image-name", Phase.WAITING, "IMAGE_ERROR", "InvalidImageName"),
    ("pending-unschedulable", Phase.WAITING, "WAITING_FOR_NODE", "Insufficient cpu"),
    ("waiting-quota", Phase.WAITING, "WAITING_QUOTA", "exceeded quota: tenant"),
    ("psa-refused", Phase.WAITING, "ADMISSION_REFUSED", "violates PodSecurity"),
    ("suspended-created", Phase.WAITING, "STARTING", ""),
    ("suspend-2-suspended", Phase.WAITING, "STARTING", ""),
    ("running", Phase.RUNNING, "", ""),
    ("suspend-3-resumed", Phase.RUNNING, "", ""),
    ("namespace-terminating", Phase.RUNNING, "", ""),  # for five seconds nothing tells it
    ("drained-eviction", Phase.RUNNING, "", ""),  # the replacement
    ("recreated-over-orphan", Phase.RUNNING, "", ""),
    ("succeeded", Phase.SUCCEEDED, "", ""),
    ("failed-exit-code-65", Phase.FAILED, "INVALID_SCENARIO", ""),
    ("failed-fallback-to-logs", Phase.FAILED, "RUNNER_ERROR", "No connection between edge A0 and edge B7"),
    ("oom-killed", Phase.FAILED, "OUT_OF_MEMORY", ""),
    ("evicted-emptydir-sizelimit", Phase.FAILED, "EVICTED_DISK", 'Usage of EmptyDir volume "work" exceeds'),
    ("deadline-pod-level", Phase.FAILED, "TIME_LIMIT", "longer than the specified deadline"),
    ("deadline-exceeded", Phase.FAILED, "TIME_LIMIT", ""),
    ("deadline-sigterm-handled", Phase.FAILED, "TIME_LIMIT", ""),
    ("deadline-while-waiting-quota", Phase.FAILED, "TIME_LIMIT", ""),
    ("deadline-with-own-finalizer", Phase.FAILED, "TIME_LIMIT", ""),
    ("pod-deleted-directly", Phase.FAILED, "LOST", "backoff limit"),
    ("preempted", Phase.WAITING, "WAITING_FOR_NODE", "Insufficient cpu"),
    ("drained-eviction-during", Phase.ENDING, "PREEMPTED", "Eviction API: evicting"),
    ("suspend-1-just-suspended", Phase.ENDING, "FINISHING", "Job suspended"),
    ("delete-foreground-during", Phase.ENDING, "DELETED_EXTERNALLY", ""),
    ("delete-background-during", Phase.ENDING, "DELETED_EXTERNALLY", ""),
    ("delete-no-policy", Phase.RUNNING, "", ""),
    ("delete-orphan", Phase.RUNNING, "", ""),
    ("delete-empty-body-options", Phase.RUNNING, "", ""),
    ("node-lost", Phase.ENDING, "NODE_LOST", "Taint manager"),
    ("node-lost-stuck-40s", Phase.ENDING, "NODE_LOST", "Taint manager"),
    ("node-lost-node-deleted", Phase.RUNNING, "", ""),  # the replacement
]


@pytest.mark.parametrize(
    "case, phase, reason",
    [
        ("suspended-created", Phase.WAITING, "WAITING_KUEUE"),
        ("suspend-0-running", Phase.RUNNING, ""),
        ("suspend-1-just-suspended", Phase.ENDING, "WAITING_KUEUE"),
        ("suspend-2-suspended", Phase.WAITING, "WAITING_KUEUE"),
        ("suspend-3-resumed", Phase.RUNNING, ""),
    ],
)
def test_what_kueue_suspends_waits_for_kueue(case: str, phase: Phase, reason: str) -> None:
    job = json.loads((RECORDINGS / case / "job.json").read_text())
    pods = json.loads((RECORDINGS / case / "pods.json").read_text())["items"]
    job["metadata"]["labels"][QUEUE_NAME] = "sumok8"
    [run] = job_readings.runs([job_readings.slim_job(job)], [job_readings.slim_pod(pod) for pod in pods], {})
    assert (run.phase, run.reason, run.exit_code, run.report) == (phase, reason, None, None)
    if phase is Phase.WAITING:
        assert run.waiting_since == moment(job["status"]["conditions"][0]["lastTransitionTime"])


def test_a_pod_that_ended_while_it_was_suspended() -> None:
    """Its Job is still there and will go on, unless the pod was done before it was stopped."""
    job = json.loads((RECORDINGS / "suspend-2-suspended" / "job.json").read_text())
    job["metadata"]["labels"][QUEUE_NAME] = "sumok8"
    pod = json.loads((RECORDINGS / "suspend-2-suspended" / "pods_last_seen.json").read_text())[0]
    del pod["metadata"]["deletionTimestamp"]
    run = job_readings.run_of(job, [pod])
    assert (run.phase, run.reason, run.exit_code, run.report) == (Phase.WAITING, "WAITING_KUEUE", None, None)
    pod["status"]["phase"] = "Succeeded"
    assert job_readings.run_of(job, [pod]).phase is Phase.ENDING


@pytest.mark.parametrize(
    "refusal, reason",
    [
        ("", "STARTING"),
        ("exceeded quota: tenant", "WAITING_QUOTA"),
        ("unable to create new content in namespace city-a because it is being terminated", "NAMESPACE_TERMINATING"),
        ("violates PodSecurity", "ADMISSION_REFUSED"),
    ],
)
def test_why_a_job_has_no_pod(refusal: str, reason: str) -> None:
    run = job_readings.run_of(json.loads((RECORDINGS / "waiting-quota" / "job.json").read_text()), [], refusal)
    assert (run.phase, run.reason, run.detail) == (Phase.WAITING, reason, refusal)


def first_run(case: str) -> Run:
    folder = RECORDINGS / case
    job = json.loads((folder / "job.json").read_text())
    pods = json.loads((folder / "pods.json").read_text())["items"]
    events = json.loads((folder / "events.json").read_text())["items"]
    return job_readings.runs([job] if job["kind"] == "Job" else [], pods, event_readings.explanations(events))[0]


@pytest.mark.parametrize("case, phase, reason, words", CASES, ids=[case[0] for case in CASES])
def test_each_recorded_case_is_told_apart(case: str, phase: Phase, reason: str, words: str) -> None:
    run = first_run(case)
    assert (run.phase, run.reason) == (phase, reason)
    assert words in run.detail


def test_every_recording_of_a_job_is_in_the_table() -> None:
    recordings = {path.parent.name for path in RECORDINGS.glob("*/job.json")}
    without_pod = {"delete-background", "delete-foreground"}  # Job and pod gone: no run at all
    same_as = {
        "delete-empty-body-options-during",
        "delete-no-policy-during",
        "delete-orphan-during",
        "suspend-0-running",
    }
    assert recordings - without_pod - same_as == {case[0] for case in CASES}


@pytest.mark.parametrize("case", ["delete-background", "delete-foreground"])
def test_nothing_is_left_of_a_deleted_job(case: str) -> None:
    assert json.loads((RECORDINGS / case / "pods.json").read_text())["items"] == []


def test_success_in_every_field() -> None:
    run = recorded("succeeded")
    assert run.decided
    assert (run.exit_code, run.node_name, run.ttl_s, run.attempt) == (0, "real-1", 86400, 1)
    assert run.report is not None
    assert run.report["outcome"] == "ok"
    assert run.started_at == datetime(2026, 11, 23, 4, 8, 0, tzinfo=UTC)
    assert run.finished_at == datetime(2026, 11, 23, 4, 8, 2, tzinfo=UTC)
    assert run.created_at == datetime(2026, 11, 23, 4, 7, 57, tzinfo=UTC)
    assert (run.tenant_id, run.job_id) == ("tenant-a", "6db7388d51024b1ca478104f306ea77a")


@pytest.mark.parametrize(
    "case, job_exists, orphan, deleting",
    [
        ("running", True, False, False),
        ("delete-background-during", False, False, True),
        ("delete-no-policy", False, True, False),
        ("delete-orphan", False, True, False),
        ("delete-foreground-during", True, False, True),
    ],
)
def test_what_a_deleted_job_leaves(case: str, job_exists: bool, orphan: bool, deleting: bool) -> None:
    run = first_run(case)
    assert (run.job_exists, run.orphan, run.deleting) == (job_exists, orphan, deleting)


def test_an_orphan_beside_a_new_job_of_its_name_is_a_run_of_its_own() -> None:
    folder = RECORDINGS / "recreated-over-orphan"
    pods = json.loads((folder / "pods.json").read_text())["items"]
    new, orphan = job_readings.runs([json.loads((folder / "job.json").read_text())], pods, {})
    assert (new.job_exists, new.orphan) == (True, False)
    assert (orphan.job_exists, orphan.orphan, orphan.name) == (False, True, new.name)


def test_a_lost_nodes_silence_is_dated_from_its_last_word() -> None:
    run = recorded("node-lost")
    assert run.waiting_since is not None
    assert run.waiting_since < datetime(2026, 11, 23, 4, 9, 43, tzinfo=UTC)  # before the deletion


def test_a_replaced_pod_is_counted_and_the_newest_speaks() -> None:
    run = recorded("drained-eviction", last_seen=True)
    assert (run.phase, run.replaced_pods) == (Phase.RUNNING, 1)


def test_a_machine_that_restarted_interrupts_rather_than_kills() -> None:
    """A kubelet that finds no trace of a container reports 137 with this reason (kubelet_pods.go)."""
    job = json.loads((RECORDINGS / "failed-fallback-to-logs" / "job.json").read_text())
    pod = json.loads((RECORDINGS / "failed-fallback-to-logs" / "pods.json").read_text())["items"][0]
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    ended |= {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": "The container could not be located"}
    assert job_readings.runs([job], [pod], {})[0].reason == "INTERRUPTED"


def test_what_has_not_changed_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    run_of = job_readings.run_of
    monkeypatch.setattr(job_readings, "run_of", lambda job, *more: read.append("") or run_of(job, *more))
    folder = RECORDINGS / "running"
    job = json.loads((folder / "job.json").read_text())
    pods = json.loads((folder / "pods.json").read_text())["items"]
    known = job_readings.KnownRuns()

    def told(**explanations: str) -> Run:
        slim = [job_readings.slim_pod(pod) for pod in pods]
        [run] = job_readings.runs([job_readings.slim_job(job)], slim, explanations, known)
        return run

    first = told()
    assert told() is first
    assert len(read) == 1
    pods[0]["metadata"]["resourceVersion"] += "1"
    pods[0]["status"]["containerStatuses"][0]["state"] = {"terminated": {"exitCode": 66}}
    assert told().exit_code == 66
    told(**{job["metadata"]["uid"]: "exceeded quota"})  # what events say has no version
    assert len(read) == 3
    del job["metadata"]["resourceVersion"]
    told(), told()
    assert len(read) == 5
