"""The autoscaling flow: a pod that fits nowhere brings a node, within the pool's limits; an empty node goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster.config import Autoscaler
from tests.local_clusters import running
from tests.localcluster.kube import Kube, condition, until

TWO_CORES = {"resources": {"requests": {"cpu": "2"}}}


@pytest.fixture
def kube(tmp_path: Path) -> Iterator[Kube]:
    pool = Autoscaler(
        node_cpu="4", node_memory="8Gi", node_delay_s=0.2, empty_after_s=0.3, pool_cpu="4", pool_memory="8Gi"
    )
    with running(tmp_path, cpu="1", memory="1Gi", autoscaler=pool) as cluster:
        yield Kube.of(cluster)


def nodes(kube: Kube) -> dict[str, dict[str, str]]:
    return {n["metadata"]["name"]: n["metadata"]["labels"] for n in kube.ok("GET", "/api/v1/nodes")["items"]}


def karpenter_events(kube: Kube, job: str) -> dict[str, str]:
    pods = [pod["metadata"]["name"] for pod in kube.pods(job)]
    found = [event for pod in pods for event in kube.events(pod) if event["reportingComponent"] == "karpenter"]
    return {event["reason"]: event["message"] for event in found}


def test_from_a_pending_pod_to_a_node_and_back(kube: Kube) -> None:
    name = kube.run("sh", "-c", "sleep 0.5", container=TWO_CORES)
    pod = until(lambda: next((p for p in kube.pods(name) if p["status"].get("conditions")), None))
    assert pod["status"]["conditions"][0]["reason"] == "Unschedulable"
    assert until(lambda: karpenter_events(kube, name))["Nominated"].startswith(
        "Pod should schedule on: nodeclaim/sumo-"
    )
    (claim,) = kube.ok("GET", "/apis/karpenter.sh/v1/nodeclaims")["items"]
    node = kube.running(name)["spec"]["nodeName"]
    assert node == claim["metadata"]["name"]
    assert nodes(kube)[node]["karpenter.sh/nodepool"] == "sumo"
    assert condition(kube.finished(name), "Complete")
    until(lambda: list(nodes(kube)) == ["local-1"])
    assert kube.ok("GET", "/apis/karpenter.sh/v1/nodeclaims")["items"] == []


def test_the_pools_limit_is_named(kube: Kube) -> None:
    for _ in range(2):
        kube.running(kube.run("sleep", "600", container=TWO_CORES))
    third = kube.run("sleep", "600", container=TWO_CORES)
    text = until(lambda: karpenter_events(kube, third).get("FailedScheduling"))
    assert "exceed limits for nodepool (NodePool=sumo, cpu=4, memory=8Gi)" in text
    pool = kube.ok("GET", "/apis/karpenter.sh/v1/nodepools/sumo")
    assert (pool["spec"]["limits"]["cpu"], pool["status"]["resources"]["cpu"]) == ("4", "4")
    assert kube.phase(third) == "Pending"
