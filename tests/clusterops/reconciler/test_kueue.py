"""Jobs that Kueue lets start and stops again: they wait without an end, and an eviction is no failure."""

from collections.abc import Callable

import pytest

from clusterops.gateway import MERGE, Gateway, path_of
from simulations.models import Job
from tenants.models import Tenant

pytestmark = pytest.mark.local_cluster


@pytest.fixture(autouse=True)
def _kueue(settings) -> None:
    settings.QUEUEING = "kueue"


@pytest.fixture
def suspend(gateway: Gateway) -> Callable[[Job, bool], None]:
    """Plays Kueue."""

    def _suspend(job: Job, held: bool) -> None:
        path = path_of("jobs", job.k8s_namespace, job.k8s_job_name)
        gateway.api.request("PATCH", path, body={"spec": {"suspend": held}}, content_type=MERGE)

    return _suspend


def test_a_queue_per_tenant(loop, submit, gateway, city: Tenant, suspend) -> None:
    job = submit()
    loop.until_reason(job, "WAITING_KUEUE")
    queue = gateway.api.request("GET", path_of("localqueues", city.namespace, "sumok8"))
    assert queue["spec"]["clusterQueue"] == "sumok8"
    made = gateway.api.request("GET", path_of("jobs", city.namespace, job.k8s_job_name))
    assert made["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "sumok8"
    gateway.api.request("DELETE", path_of("localqueues", city.namespace, "sumok8"))
    loop.memory.done_at.clear()
    loop.once()
    assert gateway.api.request("GET", path_of("localqueues", city.namespace, "sumok8"))["spec"] == queue["spec"]
    suspend(job, False)
    loop.until_ended(job)
    assert job.status == "SUCCEEDED"


def test_waiting_for_kueue_never_ends_as_start_timeout_and_can_be_cancelled(loop, submit, settings, suspend) -> None:
    settings.START_TIMEOUT_S = 0
    job, other = submit(), submit()
    for _ in range(3):
        loop.until_reason(job, "WAITING_KUEUE")
    assert (job.status, job.attempt) == ("PENDING", 1)
    Job.objects.filter(pk=other.pk).update(cancel_requested_at=job.submitted_at)
    loop.until_ended(other)
    assert other.status == "CANCELLED"


def test_an_eviction_is_no_failure(loop, submit, gateway, suspend, tmp_path) -> None:
    go = tmp_path / "go"
    job = submit(hold=str(go))
    loop.until_reason(job, "WAITING_KUEUE")
    suspend(job, False)
    loop.until_reason(job, "RUNNING")
    suspend(job, True)
    loop.until_reason(job, "WAITING_KUEUE")
    assert (job.status, job.attempt) == ("RUNNING", 1)
    assert "its room was needed" in job.message
    loop.until(lambda: not [run for run in gateway.list_runs() if run.node_name and run.name == job.k8s_job_name])
    go.touch()
    suspend(job, False)
    loop.until_ended(job)
    assert (job.status, job.attempt) == ("SUCCEEDED", 1)
