"""Somebody deletes the pod or the Job of a job with other tools, as kubectl does: each way tells the same end."""

import time
from collections.abc import Callable

import pytest

from clusterops.gateway import Gateway, path_of
from simulations.models import Job
from tests.clusterops.reconciler.conftest import Loop
from tests.clusterops.reconciler.test_hostile_reports import store_manifest

pytestmark = pytest.mark.local_cluster

INTERRUPTED = b'{"outcome":"interrupted","run":{}}'


def delete_job(gateway: Gateway, job: Job) -> None:
    body = {"propagationPolicy": "Background"}
    gateway.api.request("DELETE", path_of("jobs", job.k8s_namespace, job.k8s_job_name), body=body)


def delete_pod(gateway: Gateway, job: Job, grace_s: int | None = None) -> None:
    body = {} if grace_s is None else {"gracePeriodSeconds": grace_s}
    gateway.api.request("DELETE", path_of("pods", job.k8s_namespace, job.pod_name), body=body)


def force_delete_pod(gateway: Gateway, job: Job) -> None:
    delete_pod(gateway, job, 0)


HANDS = pytest.mark.parametrize("hand", [delete_job, delete_pod, force_delete_pod])
Hand = Callable[[Gateway, Job], None]


def told(job: Job) -> tuple[str, str, int]:
    return job.status, job.reason, job.attempt


def wait_until_gone(gateway: Gateway, job: Job) -> None:
    deadline = time.monotonic() + 10
    while any(run.pod_name for run in gateway.list_runs() if run.job_id == job.job_id.hex):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@HANDS
def test_seen_in_its_grace(loop: Loop, submit, gateway: Gateway, tmp_path, hand: Hand) -> None:
    leave = tmp_path / "leave"
    job = submit(hold=str(tmp_path / "never"), linger=str(leave))
    loop.until_reason(job, "RUNNING")
    hand(gateway, job)
    if hand is not force_delete_pod:  # which leaves no time
        loop.until_reason(job, "DELETED_EXTERNALLY")
    leave.touch()
    loop.until_ended(job)
    assert told(job) == ("FAILED", "DELETED_EXTERNALLY", 1)
    assert job.message == "Somebody deleted it in the cluster, not through this service. Submit it again."


@HANDS
@pytest.mark.parametrize("stored", [b"", INTERRUPTED], ids=["nothing stored", "partial results stored"])
def test_unseen_between_two_passes(loop: Loop, submit, gateway: Gateway, tmp_path, hand: Hand, stored: bytes) -> None:
    job = submit(hold=str(tmp_path / "never"))
    loop.until_reason(job, "RUNNING")
    if stored:
        store_manifest(job, stored)
    hand(gateway, job)
    wait_until_gone(gateway, job)
    loop.until_ended(job)
    assert told(job) == ("FAILED", "DELETED_EXTERNALLY", 1)
    assert (job.results or {}).get("outcome") == ("interrupted" if stored else None)
    assert job.artifacts.count() == bool(stored)


@HANDS
def test_while_its_pod_waits(loop: Loop, submit, gateway: Gateway, hand: Hand) -> None:
    job = submit(cpu_request=5000)  # no machine has that much
    job.tenant.max_cpu = 10_000
    job.tenant.save()
    loop.until_reason(job, "WAITING_FOR_NODE")
    hand(gateway, job)
    loop.until_ended(job)
    assert told(job) == ("FAILED", "DELETED_EXTERNALLY", 1)
