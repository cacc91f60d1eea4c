"""The eight steps of the auto-scaling flow, through the whole product, on a cluster whose node pool starts machines."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clusterops import errors
from clusterops.contract import Node
from clusterops.gateway import Gateway, KubeApi, path_of
from localcluster.config import Autoscaler
from simulations.models import Job
from simulations.services import submit_job
from tenants.models import Tenant
from tests.clusterops.reconciler.conftest import Loop, fate_cluster_in
from tests.factories import ScenarioFactory

POOL = Autoscaler(node_cpu="4", node_memory="8Gi", node_delay_s=2.0, empty_after_s=1.5, pool_cpu="4", pool_memory="8Gi")
CONFIG = "run.sumocfg"
NO_ROOM = (
    "No machine has room yet; if the cluster adds machines by itself, one is being started, usually in 2 to 5 minutes."
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """To a cluster of one small machine and a node pool that may grow by one of 4 CPUs."""
    folder = tmp_path_factory.mktemp("growing-cluster")
    with fate_cluster_in(folder, cpu="1", memory="1Gi", autoscaler=POOL) as cluster:
        yield Gateway(KubeApi(str(cluster.config.kubeconfig)))


@pytest.fixture
def submitted(city: Tenant) -> Callable[..., Job]:
    """A job submitted as POST /jobs does it; its pod does as `fate` says."""
    report = {"begin": 0.0, "end": 100.0, "problems": []}
    inspection = {"config": CONFIG, "configs": {CONFIG: report}}
    scenario = ScenarioFactory(tenant=city, config=CONFIG, inspection=inspection)
    unset = ("scenario_version", "config", "seed", "begin", "end", "step_length", "scale", "time_limit_s")

    def _submitted(cpu: int, **fate: Any) -> Job:
        rest = {"options": fate, "outputs": [], "emissions": False, "labels": {}, "priority": 0}
        wanted = {"scenario_id": scenario.scenario_id, "cpu_request": cpu, "memory_gi": 2, **rest}
        return submit_job(tenant=city, wanted=dict.fromkeys(unset) | wanted)[0]

    return _submitted


def started_machines(gateway: Gateway) -> list[Node]:
    return [node for node in gateway.snapshot().nodes if node.labels.get("karpenter.sh/nodepool") == "sumo"]


def kubernetes_job(gateway: Gateway, job: Job) -> dict[str, Any] | None:
    try:
        return gateway.api.request("GET", path_of("jobs", job.k8s_namespace, job.k8s_job_name))
    except errors.NotFound:
        return None


def test_from_a_submission_to_a_machine_and_back_to_none(
    loop: Loop, gateway: Gateway, submitted: Callable[..., Job], settings: Any, tmp_path: Path
) -> None:
    settings.JOB_TTL_AFTER_CAPTURE_SECONDS = 1
    assert not started_machines(gateway)

    # 1. Job submitted → DB record created
    job = submitted(2, hold=str(tmp_path / "go"))
    job.refresh_from_db()
    assert (job.status, job.reason, job.dispatched_at) == ("PENDING", "QUEUED", None)
    assert kubernetes_job(gateway, job) is None

    # 2. K8s Job created with resource requests
    made = loop.until(lambda: kubernetes_job(gateway, job))
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert {name: container["resources"]["requests"][name] for name in ("cpu", "memory")} == {
        "cpu": "2",
        "memory": "2Gi",
    }

    # 3. Pod pending (no capacity) → the node pool notices
    loop.until_reason(job, "WAITING_FOR_NODE")
    assert (job.status, job.node_name) == ("PENDING", "")
    assert job.message.startswith(NO_ROOM)
    assert "Insufficient cpu" in job.message

    # 4. A new node
    (machine,) = loop.until(lambda: started_machines(gateway))
    assert (machine.ready, machine.cpu) == (True, 4.0)

    # 5. Pod scheduled → Running
    loop.until_reason(job, "RUNNING")
    assert (job.status, job.node_name) == ("RUNNING", machine.name)
    (machine,) = started_machines(gateway)
    assert (machine.pods_running, machine.cpu_requested) == (1, 2.0)

    # 6. Simulation completes → Pod succeeds
    (tmp_path / "go").touch()
    loop.until_ended(job)
    assert (job.status, job.reason) == ("SUCCEEDED", "COMPLETED")

    # 7. After the TTL Kubernetes deletes Job and pod
    loop.until(lambda: kubernetes_job(gateway, job) is None)
    loop.until(lambda: not [run for run in gateway.list_runs() if run.job_id == job.job_id.hex])

    # 8. Node empty → gone
    loop.until(lambda: not started_machines(gateway))
    assert [node.name for node in gateway.snapshot().nodes] == ["local-1"]
    job.refresh_from_db()
    assert (job.status, job.reason) == ("SUCCEEDED", "COMPLETED")
    told = job.events.order_by("at", "pk").values_list("reason", flat=True)
    in_between = {"STARTING", "FINISHING"}  # seen or not, as passes come
    assert [reason for reason in told if reason not in in_between] == ["WAITING_FOR_NODE", "RUNNING", "COMPLETED"]


def test_a_pool_at_its_limit_is_named_until_another_job_ends(
    loop: Loop, gateway: Gateway, submitted: Callable[..., Job], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("clusterops.gateway.operations.EXPLAIN_AFTER", timedelta(0))
    monkeypatch.setattr("clusterops.gateway.operations.ASK_AUTOSCALER_EVERY_S", 0.0)
    first = submitted(3, hold=str(tmp_path / "go"))
    loop.until_reason(first, "RUNNING")
    second = submitted(3)

    def at_the_limit() -> bool:
        second.refresh_from_db()
        return second.message.startswith("The node pool is at its limit")

    loop.until(at_the_limit)
    assert (second.status, second.reason) == ("PENDING", "WAITING_FOR_NODE")
    assert second.message == (
        "The node pool is at its limit of 4 CPU; it starts when other jobs end or the operator raises the limit. The "
        "cluster says: Failed to schedule pod, all available instance types exceed limits for nodepool (NodePool=sumo, "
        "cpu=4, memory=8Gi)."
    )
    assert loop.once().counts.changed == 0
    (tmp_path / "go").touch()
    loop.until_ended(first, second)
    assert (second.status, second.node_name) == ("SUCCEEDED", first.node_name)
