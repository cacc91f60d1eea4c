"""One Kubernetes object in a shape never seen: skipped, told, counted; never taken for an absence, and nobody waits."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterops.contract import Phase
from clusterops.models import ClusterSample, ReconcilerState
from clusterops.readings import cluster as cluster_readings
from clusterops.readings import events as event_readings
from clusterops.readings import jobs as job_readings
from clusterops.reconciler import one_pass
from clusterops.reconciler.one_pass import reconcile_once
from clusterops.reconciler.pass_state import Memory
from simulations.models import Job
from tests.clusterops.reconciler.canned import CannedApi, gateway_of, kube_job, kube_pod
from tests.clusterops.reconciler.test_hostile_reports import GOOD, started_job

NODE = {
    "metadata": {"name": "node-1", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"workload": "sumo"}},
    "spec": {},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}],
        "capacity": {"cpu": "4", "memory": "8Gi"},
        "allocatable": {"cpu": "4", "memory": "8Gi"},
    },
}
EVENT = {
    "metadata": {"name": "e", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "reason": "FailedCreate",
    "involvedObject": {"kind": "Job", "uid": "uid-x"},
    "message": "exceeded quota",
    "lastTimestamp": "2026-01-01T00:00:00Z",
}
ODD = [None, 7, -1, 1e999, "", "x", "²", "9" * 30, "\0", "\ud800", "x" * 9000, [], [7], {}, {"a": []}, True]


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, below in inner for found in paths_of(below, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    value = copy.deepcopy(value)
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = by
    return value


def a_job() -> Job:
    job = Job(tenant_id="city-a", k8s_namespace="city-a")
    job.k8s_job_name = job.name_of_attempt(1)
    return job


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_shape_gets_past_the_walls_or_hides_the_others(data: st.DataObject) -> None:
    job, other = a_job(), a_job()
    exit_code = data.draw(st.sampled_from([None, 0, 66]))
    lists: dict[str, Any] = {
        "jobs": kube_job(job, exit_code),
        "pods": kube_pod(job, GOOD, exit_code),
        "nodes": copy.deepcopy(NODE),
        "events": copy.deepcopy(EVENT),
    }
    kind = data.draw(st.sampled_from(list(lists)))
    lists[kind] = changed(
        lists[kind], data.draw(st.sampled_from(paths_of(lists[kind]))), data.draw(st.sampled_from(ODD))
    )
    jobs = [job_readings.slim_job(each) for each in (lists["jobs"], kube_job(other, 0))]
    pods = [job_readings.slim_pod(each) for each in (lists["pods"], kube_pod(other, GOOD, 0))]
    now = datetime.now(UTC)
    event_readings.has_unexplained(jobs, pods, now)
    event_readings.has_unschedulable(pods, now)
    runs = job_readings.runs(jobs, pods, event_readings.explanations([lists["events"]]))
    [good] = [run for run in runs if run.job_id == other.job_id.hex]
    assert (good.phase, good.report and good.report["kpis"]) == (Phase.SUCCEEDED, {"teleports": 1})
    if kind in ("pods", "nodes", "events"):
        assert any(run.name == job.k8s_job_name and run.job_exists for run in runs)
    for run in runs:
        for text in (run.name, run.namespace, run.job_id, run.detail, run.pod_name, run.node_name, run.tenant_id):
            assert "\0" not in text
            text.encode()
        assert max(len(run.pod_name), len(run.node_name)) <= 253
        assert run.exit_code is None or abs(run.exit_code) < 2**15
        for moment in (run.created_at, run.started_at, run.finished_at, run.waiting_since):
            assert moment is None or moment.tzinfo
    seen = cluster_readings.snapshot([lists["nodes"], NODE], jobs, pods, runs, now)
    assert any(node.name == "node-1" and node.ready for node in seen.nodes)
    assert seen.usage_by_namespace.keys() <= {"city-a", "", "x", "²", "9" * 30, "\0", "\ud800", "x" * 9000}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["jobs", "pods"])
def test_what_cannot_be_read_is_left_alone_told_and_cancelled_on_request(kind: str) -> None:
    job, beside, api, memory = started_job(), started_job(), CannedApi(), Memory()
    api.add(job, exit_code=None)
    api.lists[kind][0]["status"] = 7
    api.lists["nodes"] = [NODE, {"metadata": 1}]
    api.add(beside, message=GOOD)
    for _ in range(2):
        memory.done_at.clear()
        for trouble in memory.troubles._by_name.values():
            trouble.again_at = 0
        this_pass = reconcile_once(gateway_of(api), memory)
    job.refresh_from_db()
    assert (job.status, job.reason) == ("RUNNING", "RUNNING")
    assert Job.objects.get(pk=beside.pk).status == "SUCCEEDED"
    state = ReconcilerState.get()
    assert this_pass.counts.unreadable == state.counts["unreadable"] >= 2
    told = [each["what"] for each in state.troubles]
    assert any(job.k8s_job_name in what and "cannot be read" in what for what in told)
    assert any("Node (without a name)" in what for what in told)
    assert ClusterSample.objects.latest("at").nodes == 1
    job.request_cancel()
    reconcile_once(gateway_of(api), memory)
    assert Job.objects.get(pk=job.pk).reason == "CANCELLING"
    assert job.k8s_job_name in api.deleted
    api.lists["pods"] = api.lists["pods"][1:]
    reconcile_once(gateway_of(api), memory)
    assert Job.objects.get(pk=job.pk).status == "CANCELLED"


@pytest.mark.django_db
def test_an_odd_pod_does_not_hide_its_jobs_verdict() -> None:
    job, api = started_job(), CannedApi()
    api.add(job, exit_code=66)
    api.lists["pods"][0]["status"] = {"containerStatuses": 3}
    verdict = api.lists["jobs"][0]["status"]["conditions"][0]
    verdict["message"] = "Container sumo for pod city/x failed with exit code 66 matching FailJob rule at index 0"
    reconcile_once(gateway_of(api))
    job.refresh_from_db()
    assert (job.status, job.reason, job.exit_code) == ("FAILED", "SUMO_FAILED", 66)


@pytest.mark.django_db
def test_nothing_unreadable_is_waited_for_for_ever() -> None:
    job, api = started_job(), CannedApi()
    Job.objects.update(dispatched_at=timezone.now() - timedelta(days=2))
    api.add(job, exit_code=None)
    api.lists["jobs"][0]["status"] = 7
    reconcile_once(gateway_of(api))
    job.refresh_from_db()
    assert (job.status, job.reason) == ("FAILED", "RUNNER_ERROR")
    assert "cannot be read" in job.message
    assert set(api.deleted) == {job.k8s_job_name}


@pytest.mark.django_db
def test_an_error_of_our_own_ends_one_pass_and_not_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise KeyError("x")

    monkeypatch.setattr("clusterops.reconciler.pass_state.log.exception", lambda *args: None)
    with monkeypatch.context() as patched:
        patched.setattr(job_readings, "runs", broken)
        assert not reconcile_once(gateway_of(CannedApi())).seen
    assert "The pass failed" in ReconcilerState.get().error
    job, api = started_job(), CannedApi()
    api.add(job, message=GOOD)
    with monkeypatch.context() as patched:
        patched.setitem(one_pass.STEPS, "dispatch", broken)
        this_pass = reconcile_once(gateway_of(api))
    assert (this_pass.counts.released, ReconcilerState.get().error) == (1, "")
    assert Job.objects.get(pk=job.pk).status == "SUCCEEDED"
