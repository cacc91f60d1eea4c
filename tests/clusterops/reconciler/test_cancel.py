"""Cancel in every state: CANCELLED only when the pod is gone, and nothing is left behind."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clusterops.errors import ClusterUnreachable
from clusterops.gateway import path_of
from clusterops.reconciler import job_states, starting
from clusterops.reconciler.one_pass import reconcile_once
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


@pytest.mark.local_cluster
def test_a_pod_without_its_job_ends_by_an_operators_hand(loop, submit, gateway, fate_cluster, tmp_path) -> None:
    def command(*arguments: str) -> str:
        out = StringIO()
        call_command("delete_orphan_pods", "--kubeconfig", str(fate_cluster.config.kubeconfig), *arguments, stdout=out)
        return out.getvalue()

    job = submit(hold=str(tmp_path / "never"), grace=0.3)
    loop.until_reason(job, "RUNNING")
    gateway.api.request("DELETE", path_of("jobs", job.k8s_namespace, job.k8s_job_name))  # without a policy: orphans
    assert f"Kept {job.k8s_namespace}/{job.pod_name}" in command()
    job.request_cancel()
    loop.once()
    job.refresh_from_db()
    assert (job.reason, "operator" in job.message) == ("CANCELLING", True)
    assert f"Would delete {job.k8s_namespace}/{job.pod_name}" in command("--dry-run")
    assert f"Deleted {job.k8s_namespace}/{job.pod_name}" in command()
    loop.until_ended(job)
    assert job.status == "CANCELLED"


def test_partial_results_of_a_cancelled_job_are_told(loop, submit, gateway, tmp_path, monkeypatch) -> None:
    """They come from the manifest: the pod's own report goes with it."""
    job = submit(hold=str(tmp_path / "never"))
    loop.until_reason(job, "RUNNING")
    monkeypatch.setattr(job_states, "stored_report", lambda job: {"outcome": "interrupted", "kpis": {"teleports": 3}})
    job.request_cancel()
    loop.until_ended(job)
    assert (job.status, job.results["kpis"]) == ("CANCELLED", {"teleports": 3})


class Away:
    """A cluster that does not answer at all, or, with a gateway, only after it made a Job."""

    def __init__(self, gateway=None) -> None:
        self._gateway = gateway

    def __getattr__(self, name):
        if self._gateway and name != "start_run":
            return getattr(self._gateway, name)

        def call(*args, **kwargs):
            if self._gateway:
                self._gateway.start_run(*args, **kwargs)
            raise ClusterUnreachable("no answer")

        return call


def test_what_was_never_dispatched_ends_at_once_though_the_cluster_is_away(loop, submit) -> None:
    job, kept = submit(), submit()
    job.request_cancel()
    this_pass = reconcile_once(Away())
    assert not this_pass.seen
    job.refresh_from_db()
    assert (job.status, job.reason, job.message) == ("CANCELLED", "CANCELLED", "Cancelled on request.")
    assert job.events.get().reason == "CANCELLED"
    kept.refresh_from_db()
    assert kept.status == "PENDING"
    kept.request_cancel()
    loop.until_ended(kept)


def test_what_may_have_been_made_waits_for_the_clusters_word(loop, submit, gateway, tmp_path) -> None:
    job = submit(hold=str(tmp_path / "never"))
    reconcile_once(Away(gateway))
    assert left_in_cluster(gateway, job)
    job.refresh_from_db()
    assert (job.dispatched_at, job.dispatching_at is not None) == (None, True)
    job.request_cancel()
    reconcile_once(Away())
    job.refresh_from_db()
    assert job.status == "PENDING"
    loop.until_ended(job)
    assert job.status == "CANCELLED"
    assert left_in_cluster(gateway, job) == []


def test_all_that_a_pass_is_about_to_make_are_marked_by_one_statement(loop, submit, tmp_path) -> None:
    jobs = [submit(hold=str(tmp_path / "go")) for _ in range(5)]
    with CaptureQueriesContext(connection) as queries:
        assert loop.once().counts.created == 5
    assert sum('SET "dispatching_at"' in query["sql"] for query in queries) == 1
    (tmp_path / "go").touch()
    loop.until_ended(*jobs)


def test_a_job_that_ended_while_the_pass_ran_is_not_made(loop, submit, gateway, monkeypatch) -> None:
    """As when another reconciler took over: its word came first."""
    job = submit()
    loop.once()
    late = submit()
    announced = starting._announced

    def ended_meanwhile(this_pass, jobs):
        Job.objects.get(pk=late.pk).move_to("CANCELLED", reason="CANCELLED", message="")
        return announced(this_pass, jobs)

    monkeypatch.setattr(starting, "_announced", ended_meanwhile)
    loop.once()
    assert left_in_cluster(gateway, late) == []
    late.refresh_from_db()
    assert late.dispatching_at is None
    loop.until_ended(job)


def test_a_job_that_ended_before_its_cancel_says_so(loop, submit) -> None:
    job = submit()
    loop.until(lambda: any(run.job_id == job.job_id.hex and run.decided for run in loop.gateway.list_runs()))
    Job.objects.filter(pk=job.pk).update(
        status="PENDING", reason="STARTING", finished_at=None, released_at=None, results=None
    )
    job.refresh_from_db()
    job.request_cancel()
    loop.until_ended(job)
    assert job.status == "SUCCEEDED"
    assert job.message.endswith("It ended before it could be cancelled.")
