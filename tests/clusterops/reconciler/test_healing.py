"""Crashes, outages, foreign hands: what the next pass makes of them."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from clusterops.gateway import Gateway, KubeApi, path_of
from clusterops.models import ReconcilerState
from clusterops.reconciler import job_states, starting
from clusterops.reconciler.one_pass import reconcile_once
from simulations.models import Job, JobEvent
from tests.clusterops.reconciler.conftest import Loop

pytestmark = pytest.mark.local_cluster


def wait_until_gone(gateway: Gateway, job: Job) -> None:
    while [run for run in gateway.list_runs() if run.job_id == job.job_id.hex]:
        time.sleep(0.02)


class Killed(BaseException):
    """The process dies here."""


def die(*args, **kwargs):
    raise Killed


def test_death_between_create_and_record_starts_nothing_twice(loop, submit, gateway, monkeypatch, tmp_path) -> None:
    go = tmp_path / "go"
    job = submit(hold=str(go))
    with monkeypatch.context() as patched:
        patched.setattr(starting, "record", die)
        with pytest.raises(Killed):
            loop.once()
    job.refresh_from_db()
    assert job.dispatched_at is None
    [run] = [run for run in gateway.list_runs() if run.job_id == job.job_id.hex]
    uid = run.uid
    loop.until_reason(job, "RUNNING")
    assert [run.uid for run in gateway.list_runs() if run.job_id == job.job_id.hex] == [uid]
    go.touch()
    loop.until_ended(job)
    assert job.status == "SUCCEEDED"
    assert JobEvent.objects.filter(job=job, status="SUCCEEDED").count() == 1


def test_death_between_outcome_and_release_is_made_up_for(loop, submit, gateway, monkeypatch) -> None:
    job = submit()
    with monkeypatch.context() as patched:
        patched.setattr(Gateway, "release_run", die)
        with pytest.raises(Killed):
            loop.until_ended(job)
    job.refresh_from_db()
    assert job.status == "SUCCEEDED"
    assert job.released_at is None
    loop.until(lambda: Job.objects.get(pk=job.pk).released_at)
    assert job.log.is_final


def test_death_between_a_new_attempt_and_the_old_ones_delete(loop, submit, gateway, monkeypatch, tmp_path) -> None:
    job = submit(hold=str(tmp_path / "go"))
    loop.until_reason(job, "RUNNING")
    real = job_states.rules.decide

    def lost(job, run, now, evidence=None):
        decision = real(job, run, now, evidence)
        return job_states.rules._again(job, run, now, "NODE_LOST") if run and job.attempt == 1 else decision

    with monkeypatch.context() as patched:
        patched.setattr(job_states.rules, "decide", lost)
        patched.setattr(Gateway, "delete_run", die)
        with pytest.raises(Killed):
            loop.once()
    job.refresh_from_db()
    assert (job.attempt, job.dispatched_at) == (2, None)
    (tmp_path / "go").touch()
    loop.until_ended(job)
    assert (job.status, job.attempt) == ("SUCCEEDED", 2)
    assert not [run for run in gateway.list_runs() if run.name == job.name_of_attempt(1)]


def test_two_reconcilers_at_once_start_each_job_once(loop, submit, gateway, city) -> None:
    jobs = [submit() for _ in range(5)]
    other = Loop(gateway)
    for _ in range(10):
        loop.once()
        other.once()
    loop.until_ended(*jobs)
    for job in jobs:
        events = list(job.events.values_list("reason", flat=True))
        assert events.count("COMPLETED") == 1
        assert events.count("STARTING") == 1


def test_a_cluster_that_does_not_answer_changes_nothing(loop, submit, tmp_path, fate_cluster) -> None:
    job = submit(hold=str(tmp_path / "go"))
    loop.until_reason(job, "RUNNING")
    text = Path(fate_cluster.config.kubeconfig).read_text().replace(f":{fate_cluster.port}", ":1")
    wrong = tmp_path / "kubeconfig"
    wrong.write_text(text)
    waiting = submit()
    before = list(Job.objects.order_by("pk").values())
    this_pass = reconcile_once(Gateway(KubeApi(str(wrong))))
    assert list(Job.objects.order_by("pk").values()) == before
    assert not this_pass.seen
    state = ReconcilerState.get()
    assert state.cluster_reachable is False
    assert "ClusterUnreachable" in state.error or "Connection" in state.error
    (tmp_path / "go").touch()
    loop.until_ended(job, waiting)
    assert ReconcilerState.get().cluster_reachable


def test_a_job_that_vanished_while_nobody_looked_is_lost_and_not_guessed(loop, submit, gateway, tmp_path) -> None:
    job = submit(hold=str(tmp_path / "never"))
    loop.until_reason(job, "RUNNING")
    long_ago = timezone.now() - timedelta(hours=1)
    Job.objects.filter(pk=job.pk).update(observed_at=long_ago, dispatched_at=long_ago)
    gateway.delete_run(job.k8s_namespace, job.k8s_job_name)
    wait_until_gone(gateway, job)
    loop.until_ended(job)
    assert (job.status, job.reason) == ("FAILED", "LOST")


def test_an_orphaned_pod_is_believed_and_counted(loop, submit, gateway, tmp_path) -> None:
    go = tmp_path / "go"
    job = submit(hold=str(go))
    loop.until_reason(job, "RUNNING")
    gateway.api.request("DELETE", path_of("jobs", job.k8s_namespace, job.k8s_job_name))  # without a policy: orphans
    loop.once()
    assert loop.last.counts.orphan_pods == 1
    assert Job.objects.get(pk=job.pk).status == "RUNNING"
    go.touch()
    loop.until_ended(job)
    assert job.status == "SUCCEEDED"
    gateway.api.request("DELETE", path_of("pods", job.k8s_namespace, job.pod_name))


def test_the_namespaces_end_is_told_from_the_jobs_own(loop, submit, gateway, tmp_path, city) -> None:
    job = submit(hold=str(tmp_path / "never"))
    loop.until_reason(job, "RUNNING")
    gateway.api.request("DELETE", path_of("namespaces", name=city.namespace))
    loop.until_ended(job)
    assert (job.status, job.reason) == ("FAILED", "NAMESPACE_TERMINATING")
    after = submit()
    loop.memory.done_at.clear()
    loop.until(lambda: loop.memory.done_at.clear() or Job.objects.get(pk=after.pk).is_finished)
    after.refresh_from_db()
    assert after.status == "SUCCEEDED"


def test_a_stray_job_is_deleted_after_its_grace_and_only_in_our_namespaces(
    loop, submit, gateway, settings, monkeypatch
) -> None:
    job = submit(hold="/nonexistent")
    loop.until_reason(job, "RUNNING")
    Job.objects.filter(pk=job.pk).delete()  # the database was restored to an earlier state
    loop.once()
    assert loop.last.counts.strays == 1
    assert gateway.run_exists(job.k8s_namespace, job.k8s_job_name)
    monkeypatch.setattr("clusterops.reconciler.strays.GRACE", timedelta(0))
    loop.until(lambda: not gateway.run_exists(job.k8s_namespace, job.k8s_job_name))


def test_one_bad_job_does_not_block_the_others(loop, submit, monkeypatch) -> None:
    bad, good = submit(), submit()
    real = starting.run_spec

    def spec(job, cluster):
        if job.pk == bad.pk:
            raise RuntimeError("broken row")
        return real(job, cluster)

    monkeypatch.setattr(starting, "run_spec", spec)
    monkeypatch.setattr("clusterops.reconciler.pass_state.log.exception", lambda *args: None)
    loop.until_ended(good)
    assert good.status == "SUCCEEDED"
    assert Job.objects.get(pk=bad.pk).status == "PENDING"


def test_an_evicted_pod_is_replaced_and_counted(loop, submit, gateway, tmp_path) -> None:
    """A drained machine: Kubernetes replaces the pod within the attempt, and it is not the job's fault."""
    go = tmp_path / "go"
    job = submit(hold=str(go), grace=0.1)
    loop.until_reason(job, "RUNNING")
    first = job.pod_name
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": first, "namespace": job.k8s_namespace}}
    gateway.api.request("POST", path_of("pods", job.k8s_namespace, first, "eviction"), body=body)
    loop.until(lambda: Job.objects.get(pk=job.pk).pod_name not in ("", first))
    go.touch()
    loop.until_ended(job)
    assert (job.status, job.attempt, job.disruptions) == ("SUCCEEDED", 1, 1)
