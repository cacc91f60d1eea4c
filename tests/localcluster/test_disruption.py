"""Evicted, preempted, node lost: the pod is replaced without counting as a failure, as recorded."""

from pathlib import Path
from typing import Any

import pytest

from localcluster.cluster import LocalCluster
from localcluster.nodes import describe
from tests.localcluster.kube import Kube, condition, recorded, until
from tests.localcluster.test_deletion import started


def disruption(pod: dict[str, Any]) -> dict[str, Any] | None:
    return condition(pod, "DisruptionTarget")


def test_a_drained_pod_is_replaced(kube: Kube) -> None:
    name, pod = started(kube)
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod["metadata"]["name"]}}
    version = kube.ok("GET", kube.at("pods"))["metadata"]["resourceVersion"]
    status, answer = kube.send("POST", kube.at("pods", pod["metadata"]["name"], "eviction"), body)
    assert (status, answer) == (201, recorded("drained-eviction-during/eviction_response.json"))
    for event in kube.watch(kube.at("pods"), resourceVersion=version, timeoutSeconds=20):
        if event["type"] == "DELETED":
            break
    last = recorded("drained-eviction/pods_last_seen.json")
    last = (last["items"] if isinstance(last, dict) else last)[0]
    real = disruption(last.get("object", last))
    assert real is not None
    assert disruption(event["object"])["reason"] == real["reason"]
    again = kube.running(name)
    assert again["metadata"]["uid"] != pod["metadata"]["uid"]
    assert "failed" not in kube.job(name)["status"]


@pytest.fixture
def machine(kube: Kube, local_cluster: LocalCluster) -> str:
    """A node of our own with 2 cores, which only pods that ask for its label get onto."""
    name = f"node-{kube.namespace}"
    node = describe(name, "2", "4Gi", {"machine": name})
    node["spec"]["taints"] = [{"key": "mine", "effect": "NoSchedule"}]
    kube.ok("POST", "/api/v1/nodes", node)
    kube.ok(
        "PATCH", f"/api/v1/nodes/{name}/status", {"status": node["status"]}, content_type="application/merge-patch+json"
    )
    return name


def on(machine: str, **more: Any) -> dict[str, Any]:
    tolerations = [
        {"key": "mine", "operator": "Exists"},
        {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0},
    ]
    return {"nodeSelector": {"machine": machine}, "tolerations": tolerations, **more}


def heartbeat(cluster: LocalCluster, machine: str) -> Path:
    return cluster.config.data / "nodes" / machine / "heartbeat"


def test_a_lost_nodes_pod_waits_for_the_node_object_to_go(
    kube: Kube, local_cluster: LocalCluster, machine: str
) -> None:
    name, pod = started(kube, "echo up; sleep 600", pod=on(machine))
    heartbeat(local_cluster, machine).unlink()
    stuck = until(lambda: p if disruption(p := kube.pod(name)) else None)
    assert disruption(stuck)["reason"] == "DeletionByTaintManager"
    assert stuck["status"]["phase"] == "Running"
    status = until(lambda: s if (s := kube.job(name)["status"])["terminating"] else None)
    assert status.keys() == recorded("node-lost/job.json")["status"].keys()
    assert {e["reason"] for e in kube.events(pod["metadata"]["name"])} >= {"NodeNotReady", "TaintManagerEviction"}
    node = kube.ok("GET", f"/api/v1/nodes/{machine}")
    real = recorded("node-lost/node.json")
    assert node["status"]["conditions"][0].keys() == real["status"]["conditions"][0].keys()
    assert [t["key"] for t in node["spec"]["taints"]][1:] == [t["key"] for t in real["spec"]["taints"]][1:]
    assert kube.send("GET", kube.at("pods", pod["metadata"]["name"], "log"))[0] == 500

    kube.ok("DELETE", f"/api/v1/nodes/{machine}")
    again = until(lambda: next((p for p in kube.pods(name) if p["metadata"]["uid"] != pod["metadata"]["uid"]), None))
    assert again["status"]["phase"] == "Pending"
    assert "failed" not in kube.job(name)["status"]


def test_a_pod_of_higher_priority_pushes_another_out(kube: Kube, machine: str) -> None:
    full = {"resources": {"requests": {"cpu": "2"}}}
    name, pod = started(kube, "echo up; sleep 600", pod=on(machine), container=full)
    body = {"metadata": {"name": f"high-{kube.namespace}"}, "value": 1000}
    kube.ok("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", body)
    version = kube.ok("GET", kube.at("pods"))["metadata"]["resourceVersion"]
    urgent = kube.run("sleep", "600", pod=on(machine, priorityClassName=f"high-{kube.namespace}"), container=full)
    for event in kube.watch(kube.at("pods"), resourceVersion=version, timeoutSeconds=20):
        if event["type"] == "DELETED":
            break
    real = recorded("preempted/pods_last_seen.json")
    last = (real["items"] if isinstance(real, dict) else real)[0]
    assert disruption(event["object"])["message"] == disruption(last.get("object", last))["message"]
    kube.running(urgent)
    until(lambda: kube.phase(name) == "Pending")
    assert "Preempted" in {e["reason"] for e in kube.events(pod["metadata"]["name"])}
    for each in (name, urgent):
        kube.ok("DELETE", kube.at("jobs", each), {"propagationPolicy": "Background"})
    kube.ok("DELETE", f"/api/v1/nodes/{machine}")
