"""What keeps a job from starting has a name, an end, and gives its place free."""

from datetime import timedelta

import pytest

from clusterops.attention import look
from clusterops.gateway import path_of
from clusterops.objects import manifests
from simulations.models import Job


def gone(gateway, job: Job) -> bool:
    return not [run for run in gateway.list_runs() if run.job_id == job.job_id.hex]


def needs() -> set[str]:
    """The causes in the attention list."""
    return {each.cause.code for each in look().findings}


def test_limits_hold_and_the_next_in_line_says_what_it_waits_for(loop, submit, city, tmp_path) -> None:
    go = tmp_path / "go"
    first, large, small = submit(hold=str(go), cpu_request=8), submit(cpu_request=4), submit(cpu_request=1)
    loop.until_reason(first, "RUNNING")
    for job in (large, small):
        job.refresh_from_db()
        assert (job.status, job.dispatched_at) == ("PENDING", None)
    assert large.message == "Next in line: it needs 4 CPUs and 1 Gi; 2 of 10 CPUs and 19 of 20 Gi are free."
    go.touch()
    loop.until_ended(first, large, small)
    assert large.dispatched_at <= small.dispatched_at


@pytest.mark.local_cluster
def test_an_image_that_cannot_be_pulled(loop, submit, gateway, settings) -> None:
    settings.RUNNER_IMAGE = "registry.invalid/nope:1"
    job = submit()
    loop.until_reason(job, "IMAGE_ERROR")
    assert "image_error" in needs()
    assert job.status == "PENDING"
    assert "registry.invalid/nope:1" in job.message
    settings.IMAGE_ERROR_GRACE_S = 0
    loop.until_ended(job)
    assert (job.status, job.reason) == ("FAILED", "IMAGE_ERROR")
    loop.until(lambda: gone(gateway, job))
    assert "image_error" in needs()
    settings.RUNNER_IMAGE = "sumok8-runner:mended"
    loop.until_ended(submit())
    assert needs() == set()


@pytest.mark.local_cluster
def test_no_machine_has_room(loop, submit, gateway, settings, city, monkeypatch) -> None:
    city.max_memory_gi = 100_000
    city.save()
    job = submit(memory_gi=50_000)
    loop.until_reason(job, "WAITING_FOR_NODE")
    assert needs() == set()  # a machine may be on its way
    monkeypatch.setattr("clusterops.policy.attention.UNSCHEDULABLE_AFTER", timedelta(0))
    monkeypatch.setattr("clusterops.policy.attention.NOTHING_FITS_AFTER", timedelta(0))
    assert needs() == {"unschedulable"}
    settings.START_TIMEOUT_S = 0
    loop.until_ended(job)
    assert (job.status, job.reason) == ("FAILED", "START_TIMEOUT")
    loop.until(lambda: gone(gateway, job))
    assert needs() == {"start_timeout"}


@pytest.mark.local_cluster
def test_a_full_quota_in_the_cluster_is_waited_for(loop, submit, gateway, city, monkeypatch) -> None:
    monkeypatch.setattr("clusterops.gateway.operations.EXPLAIN_AFTER", timedelta(0))
    monkeypatch.setattr("clusterops.reconciler.namespaces.CHECK_EVERY_S", 3600)
    loop.until_ended(submit())
    path = path_of("resourcequotas", city.namespace, f"{city.namespace}-quota")
    merge = {"content_type": "application/merge-patch+json"}
    gateway.api.request("PATCH", path, body={"spec": {"hard": {"requests.cpu": "0"}}}, **merge)
    job = submit()
    loop.until_reason(job, "WAITING_QUOTA")
    assert "exceeded quota" in job.message
    gateway.api.request("PATCH", path, body={"spec": {"hard": {"requests.cpu": "10"}}}, **merge)
    loop.until_ended(job)
    assert job.status == "SUCCEEDED"


@pytest.mark.local_cluster
def test_a_pod_that_the_clusters_rules_refuse(loop, submit, gateway, monkeypatch, settings) -> None:
    real = manifests.job

    def rooted(spec):
        manifest = real(spec)
        manifest["spec"]["template"]["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
        return manifest

    monkeypatch.setattr(manifests, "job", rooted)
    monkeypatch.setattr("clusterops.gateway.operations.EXPLAIN_AFTER", timedelta(0))
    job = submit()
    loop.until_reason(job, "ADMISSION_REFUSED")
    assert "admission_refused" in needs()
    assert "violates PodSecurity" in job.message
    settings.IMAGE_ERROR_GRACE_S = 0
    loop.until_ended(job)
    assert (job.status, job.reason) == ("FAILED", "ADMISSION_REFUSED")
    loop.until(lambda: gone(gateway, job))


def test_what_was_interrupted_begins_again_before_what_came_later(loop, submit, city, tmp_path) -> None:
    city.max_concurrent_jobs = 1
    city.save()
    first = submit(exit=75, outcome="interrupted")
    later = submit()
    loop.until(lambda: Job.objects.get(pk=first.pk).attempt == 2)
    loop.until(lambda: Job.objects.get(pk=first.pk).attempt == 3)
    assert Job.objects.get(pk=later.pk).dispatched_at is None
    loop.until_ended(first, later)
    assert (first.reason, later.status) == ("INTERRUPTED", "SUCCEEDED")
