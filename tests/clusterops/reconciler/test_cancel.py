"""Cancel in every state: CANCELLED only when the pod is gone, and nothing is left behind."""

from pathlib import Path

import pytest

from simulations.models import Job


def left_in_cluster(gateway, job: Job) -> list:
    return [run for run in gateway.list_runs() if run.job_id == job.job_id.hex]


def test_before_dispatch(loop, submit, gateway) -> None:
    job = submit()
    job.request_cancel()
    loop.once()
    job.refresh_from_db()
    assert (job.status, job.dispatched_at) == ("CANCELLED", None)
    assert left_in_cluster(gateway, job) == []


@pytest.mark.parametrize("state", ["STARTING", "RUNNING"])
def test_under_way_it_ends_only_when_the_pod_is_gone(state, loop, submit, gateway, tmp_path: Path) -> None:
    job = submit(hold=str(tmp_path / "never"), grace=0.3)
    loop.until_reason(job, state)
    job.request_cancel()
    loop.once()
    job.refresh_from_db()
    assert job.reason in ("CANCELLING", "CANCELLED")
    while not job.is_finished:
        pods = left_in_cluster(gateway, job)
        loop.once()
        job.refresh_from_db()
        if job.is_finished:
            break
        assert pods or left_in_cluster(gateway, job) == []
    assert job.status == "CANCELLED"
    assert left_in_cluster(gateway, job) == []


def test_the_log_before_a_cancel_is_kept(loop, submit, tmp_path) -> None:
    job = submit(hold=str(tmp_path / "never"))
    loop.until_reason(job, "RUNNING")
    loop.until(lambda: loop.gateway.read_log(job.k8s_namespace, job.pod_name))
    job.request_cancel()
    loop.until_ended(job)
    assert "attempt 1" in job.log.text


def test_too_late_a_cancel_changes_nothing(loop, submit) -> None:
    job = submit()
    loop.until(lambda: any(run.job_id == job.job_id.hex and run.decided for run in loop.gateway.list_runs()))
    Job.objects.filter(pk=job.pk).update(status="RUNNING", finished_at=None, released_at=None)
    job.refresh_from_db()
    job.request_cancel()
    loop.until_ended(job)
    assert job.status == "SUCCEEDED"
