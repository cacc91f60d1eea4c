"""A full cluster: jobs wait here, in order and with a reason, and what no machine could hold is told at once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clusterops.contract import ClusterSnapshot, Node
from clusterops.models import FairShare, ReconcilerState
from clusterops.reconciler.pass_state import Memory, Pass
from clusterops.reconciler.room import learn, room
from simulations import machines
from simulations.models import Job
from tenants.clusters import FIRST
from tests.factories import JobFactory, TenantFactory

pytestmark = pytest.mark.django_db
GI = 2**30


def test_beyond_the_capacity_jobs_stay_queued_and_say_so(loop, submit, settings, tmp_path) -> None:
    settings.CAPACITY = "cpu=2,memory=16Gi"
    go = tmp_path / "go"
    first = submit(hold=str(go))
    loop.until_reason(first, "RUNNING")
    other = TenantFactory(tenant_id=f"other-{first.tenant_id[-8:]}")
    large, small, huge = submit(cpu_request=2), submit(tenant=other), submit(tenant=other, cpu_request=3)
    loop.until_ended(small)
    for job in (large, huge):
        job.refresh_from_db()
        assert (job.status, job.reason, job.dispatched_at) == ("PENDING", "QUEUED", None)
    assert large.message.startswith("The cluster is full; your tenant used ")
    assert large.message.endswith(" % of the last week.")
    assert huge.message.startswith("No machine of the cluster is large enough: it asks for 3 CPUs")
    assert "at most 2 CPUs and 16 Gi" in machines.refusal(3, 1, FIRST)
    go.touch()
    loop.until_ended(first, large)


def test_room_is_kept_for_a_job_that_waited_long(loop, submit, settings, tmp_path) -> None:
    settings.CAPACITY = "cpu=2,memory=16Gi"
    go = tmp_path / "go"
    first = submit(hold=str(go))
    loop.until_reason(first, "RUNNING")
    large = submit(cpu_request=2)
    loop.once()
    assert FairShare.objects.get().overtaken_job is None  # none went before it
    overtaken = {"overtaken_job": large.pk, "overtaken_since": timezone.now() - timedelta(minutes=16)}
    FairShare.objects.update(**overtaken)
    other = TenantFactory(tenant_id=f"other-{first.tenant_id[-8:]}")
    small = submit(tenant=other)
    loop.once()
    loop.once()
    small.refresh_from_db()
    assert small.dispatched_at is None
    assert small.message.endswith("Room is kept free for a job that has waited longer.")
    go.touch()
    loop.until_ended(first, large, small)
    assert large.started_at <= small.started_at


def node(name: str, cpu: float = 4, taints: tuple[str, ...] = (), ready: bool = True, **labels: str) -> Node:
    return Node(
        name=name, ready=ready, schedulable=True, conditions=(), capacity={}, allocatable={}, cpu=cpu, memory=8 * GI,
        cpu_requested=3, memory_requested=3 * GI, pods_running=3, created_at=None, labels=labels, taints=taints,
        cpu_of_others=1, memory_of_others=GI,
    )  # fmt: skip


def looked(*nodes: Node) -> Pass:
    this_pass = Pass(gateway=None, memory=Memory(), now=timezone.now())  # type: ignore[arg-type]
    learn(this_pass, ClusterSnapshot(taken_at=this_pass.now, nodes=nodes, pods_by_phase={}, jobs={}))
    return this_pass


def test_only_machines_that_take_jobs_count(settings) -> None:
    settings.CAPACITY = "nodes"
    settings.RUNNER_NODE_SELECTOR, settings.RUNNER_TOLERATIONS = {"workload": "sumo"}, ["sumo"]
    this_pass = looked(
        node("good", workload="sumo", taints=("sumo",)),
        node("ill", 16, workload="sumo", taints=("node.kubernetes.io/memory-pressure",)),
        node("theirs", 32),
        node("gpu", 64, workload="sumo", taints=("nvidia.com/gpu",)),
    )
    capacity = room(this_pass, [])
    assert (capacity.whole.cpu, capacity.whole.memory_gi) == (4, 8)
    assert (capacity.fits(Job(cpu_request=3)), capacity.fits(Job(cpu_request=4))) == (True, False)
    assert ReconcilerState.get().sizes == [[16, 8]]
    assert room(this_pass, [JobFactory(node_name="good", cpu_request=2)]).fits(Job(cpu_request=2)) is False


@pytest.mark.local_cluster
def test_a_node_pools_limits(loop, gateway, submit, settings) -> None:
    settings.CAPACITY = "nodepool=none-such"
    job = submit()
    loop.until_ended(job)  # what cannot be read bounds nothing, and is told
    loop.memory.done_at.pop("sample")
    loop.once()
    [trouble] = ReconcilerState.get().troubles
    assert (trouble["what"], '"none-such" not found' in trouble["error"]) == ("the cluster's capacity", True)
    pool = {
        "apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "small"},
        "spec": {"limits": {"cpu": "1500m", "memory": "2Ti"}, "template": {"spec": {}}},
    }  # fmt: skip
    gateway.api.request("POST", "/apis/karpenter.sh/v1/nodepools", body=pool)
    settings.CAPACITY = "nodepool=small"
    loop.memory.done_at.pop("sample")
    large = submit(cpu_request=2)
    loop.once()
    large.refresh_from_db()
    assert "at most 1.5 CPUs and 2048 Gi" in large.message
    gateway.api.request("DELETE", "/apis/karpenter.sh/v1/nodepools/small")
