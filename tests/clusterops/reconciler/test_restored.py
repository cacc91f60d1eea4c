"""The database put back to yesterday, or the cluster replaced: `reconcile_jobs --once` brings both together."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from clusterops.gateway import Gateway, KubeApi, forget_gateways
from clusterops.reconciler import strays
from clusterops.reconciler.one_pass import reconcile_once
from simulations.models import Job
from tests.clusterops.reconciler.conftest import fate_cluster_in

pytestmark = pytest.mark.local_cluster


@pytest.fixture
def once(settings, fate_cluster):
    settings.KUBE_CONFIG_PATH = str(fate_cluster.config.kubeconfig)
    forget_gateways()
    yield lambda: call_command("reconcile_jobs", "--once")
    forget_gateways()


def put_back(job: Job, **columns) -> None:
    """The row as a backup has it."""
    Job.objects.filter(pk=job.pk).update(finished_at=None, released_at=None, results=None, exit_code=None, **columns)
    job.refresh_from_db()


@pytest.mark.django_db(transaction=True)
def test_yesterdays_database_meets_todays_cluster(once, loop, submit, gateway, city, tmp_path, monkeypatch) -> None:
    go = tmp_path / "go"
    running, ended, waited = submit(hold=str(go)), submit(), submit(outcome="sumo_failed", exit=66)
    gone, after_the_backup = submit(), submit(hold=str(go))
    loop.until_ended(ended, waited, gone)
    loop.until_reason(after_the_backup, "RUNNING")
    put_back(ended, status="RUNNING", reason="RUNNING")
    put_back(waited, status="PENDING", reason="QUEUED", dispatched_at=None, started_at=None, pod_name="")
    yesterday = timezone.now() - timedelta(days=1)
    put_back(gone, status="RUNNING", reason="RUNNING", observed_at=yesterday, dispatched_at=yesterday)
    gateway.delete_run(gone.k8s_namespace, gone.k8s_job_name)
    stray = after_the_backup.job_id.hex
    after_the_backup.delete()
    monkeypatch.setattr(strays, "GRACE", timedelta(0))

    once()
    for job in (running, ended, waited, gone):
        job.refresh_from_db()
    assert (running.status, running.attempt) == ("RUNNING", 1)
    assert (ended.status, ended.reason) == ("SUCCEEDED", "COMPLETED")
    assert (waited.status, waited.reason, waited.attempt) == ("FAILED", "SUMO_FAILED", 1)  # what it came to, not again
    assert (gone.status, gone.reason) == ("FAILED", "LOST")
    loop.until(lambda: all(run.job_id != stray for run in gateway.list_runs()))
    go.touch()
    loop.until_ended(running)
    assert running.status == "SUCCEEDED"


@pytest.mark.django_db(transaction=True)
def test_another_cluster_in_the_old_ones_place(loop, submit, city, tmp_path: Path) -> None:
    running, queued = submit(hold=str(tmp_path / "never")), submit(cpu_request=10)
    loop.until_reason(running, "RUNNING")
    with fate_cluster_in(tmp_path / "other", cpu="100", memory="100Gi") as other:
        loop.gateway, old = Gateway(KubeApi(str(other.config.kubeconfig))), loop.gateway
        reconcile_once(loop.gateway)
        running.refresh_from_db()
        assert (running.status, running.reason) == ("FAILED", "NAMESPACE_TERMINATING")
        assert "lost" in running.message
        loop.until_ended(queued)  # in a namespace made anew
        assert queued.status == "SUCCEEDED"
    old.delete_run(running.k8s_namespace, running.k8s_job_name)
