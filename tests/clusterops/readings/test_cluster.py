"""Nodes, quotas and namespaces of a real API server → what they mean."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clusterops import errors
from clusterops.contract import NamespaceSpec, NamespaceState
from clusterops.gateway.kube_api import error_of
from clusterops.objects import manifests
from clusterops.readings.cluster import (
    by_name,
    covers,
    namespace_states,
    pool_limits,
    quantity,
    refuse_foreign_namespace,
    snapshot,
)
from clusterops.readings.pod_requests import by_node, slim

RECORDINGS = Path(__file__).parents[1] / "recordings"
SPACE = NamespaceSpec("tenant-a", "tenant-a", 10, 20, 2)


@pytest.mark.parametrize(
    "text, number",
    [
        ("100m", 0.1),
        ("4", 4.0),
        (2, 2.0),
        ("4Gi", 4 * 2**30),
        ("1.5Gi", 1.5 * 2**30),
        ("128974848", 128974848.0),
        ("1k", 1000),
        ("1e3", 1000),
        ("2E3", 2000),
        ("1E", 1e18),
        ("100n", 1e-7),
    ],
)
def test_quantities(text: str | int, number: float) -> None:
    assert quantity(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["", "Gi", "4Hi", "abc", "1.2.3", "1 Gi", "4g", "NaN", "1e"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        quantity(text)


def test_nodes_and_usage() -> None:
    nodes = json.loads((RECORDINGS / "nodes" / "nodes.json").read_text())["items"]
    jobs = [json.loads((RECORDINGS / "running" / "job.json").read_text())]
    pods = json.loads((RECORDINGS / "running" / "pods.json").read_text())["items"]
    seen = snapshot(nodes, jobs, pods, [], datetime(2026, 11, 23, tzinfo=UTC))
    node = next(node for node in seen.nodes if node.name == "real-1")
    assert node.ready
    assert node.pods_running == 1
    assert node.cpu_requested == pytest.approx(0.1)
    assert node.memory_requested == 64 * 2**20
    assert seen.jobs == {"total": 1, "active": 1, "succeeded": 0, "failed": 0}
    assert seen.pods_by_phase == {"Running": 1}
    [usage] = seen.usage_by_namespace.values()
    assert (usage["pods"], usage["running"]) == (1, 1)


def test_a_nodes_room_is_what_all_pods_leave() -> None:
    nodes = json.loads((RECORDINGS / "nodes" / "nodes.json").read_text())["items"]
    pods = json.loads((RECORDINGS / "running" / "pods.json").read_text())["items"]
    system = {"spec": {"nodeName": "real-1", "containers": [{"resources": {"requests": {"cpu": "600m"}}}]}}
    others = by_node([slim(system | {"status": {"phase": phase}}) for phase in ("Running", "Pending", "Failed")])
    seen = snapshot(nodes, [], pods, [], datetime(2026, 11, 23, tzinfo=UTC), others)
    node = next(node for node in seen.nodes if node.name == "real-1")
    assert node.cpu_requested == pytest.approx(1.3)
    assert node.pods_running == 2
    assert seen.pods_by_phase == {"Running": 1}
    [usage] = seen.usage_by_namespace.values()
    assert usage["cpu"] == pytest.approx(0.1)


def test_a_pod_without_a_machine_counts_for_its_tenant_only() -> None:
    nodes = json.loads((RECORDINGS / "nodes" / "nodes.json").read_text())["items"]
    pods = json.loads((RECORDINGS / "pending-unschedulable" / "pods.json").read_text())["items"]
    seen = snapshot(nodes, [], pods, [], datetime(2026, 11, 23, tzinfo=UTC))
    assert (seen.pods_by_phase, {node.cpu_requested for node in seen.nodes}) == ({"Pending": 1}, {0.0})
    [usage] = seen.usage_by_namespace.values()
    assert (usage["pods"], usage["running"], usage["cpu"] > 0) == (1, 0, True)


def test_a_pools_limits_are_those_that_can_be_reckoned_with() -> None:
    assert pool_limits({"spec": {"limits": {"cpu": "100", "memory": "lots", "nodes": 7}}}) == {
        "cpu": "100",
        "nodes": "7",
    }
    assert pool_limits({"spec": {}}) == {}


def asks(cpu: str | None = None, *, stays: bool = False) -> dict[str, object]:
    policy = {"restartPolicy": "Always"} if stays else {}
    return {"name": "x", "image": "y", "resources": {"requests": {"cpu": cpu}} if cpu else {}, **policy}


@pytest.mark.parametrize(
    "spec, cpu",
    [
        ({"containers": [asks("100m"), asks("0.2"), asks()]}, 0.3),
        ({"containers": [asks("1")], "initContainers": [asks("3"), asks("2")]}, 3),
        ({"containers": [asks("2")], "initContainers": [asks("1")]}, 2),
        ({"containers": [asks("1")], "initContainers": [asks("500m", stays=True)]}, 1.5),
        ({"containers": [asks("1")], "initContainers": [asks("1", stays=True), asks("3"), asks("1", stays=True)]}, 4),
        ({"containers": [asks("1")], "overhead": {"cpu": "250m", "memory": "64Mi"}}, 1.25),
        ({"containers": [asks("1")], "resources": {"requests": {"cpu": "4"}}}, 4),
        ({"containers": []}, 0),
    ],
)
def test_what_a_pod_takes_of_its_machine(spec, cpu) -> None:
    pod = slim({"metadata": {"managedFields": [1]}, "spec": spec | {"nodeName": "n", "volumes": [{}]}, "status": {}})
    assert pod.keys() == {"spec", "status"}
    assert "name" not in pod["spec"]["containers"][0] if spec["containers"] else True
    assert by_node([pod])["n"]["cpu"] == pytest.approx(cpu)


@pytest.mark.parametrize(
    "found, wanted, same",
    [
        ({"a": 1, "server": "adds"}, {"a": 1}, True),
        ({"a": 2}, {"a": 1}, False),
        ({}, {"a": 1}, False),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}, True),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}]}, False),
        (None, {"a": 1}, False),
        ({"spec": {}}, {"kind": "X", "apiVersion": "v1", "spec": {}}, True),
        ({"hard": {"cpu": "1k", "memory": "1Ti", "pods": "2k"}}, {"hard": {"cpu": "1000", "memory": "1024Gi"}}, True),
        ({"hard": {"cpu": "1k"}}, {"hard": {"cpu": "1001"}}, False),
        ({"hard": {"cpu": "1k"}}, {"hard": {"cpu": "1000", "memory": "1Gi"}}, False),
        (
            {"limits": [{"type": "Container", "default": {"cpu": "100m"}}]},
            {"limits": [{"default": {"cpu": "0.1"}}]},
            True,
        ),
        ({"limits": [{"type": "Pod"}]}, {"limits": [{"type": "Container"}]}, False),
        ({"labels": {"size": "1k"}}, {"labels": {"size": "1000"}}, False),
    ],
)
def test_only_what_we_wrote_is_compared(found, wanted, same) -> None:
    assert covers(found, wanted) is same


def test_a_namespace_of_another_hand_is_never_ours() -> None:
    other = json.loads((RECORDINGS / "namespace-terminating" / "namespace.json").read_text())
    with pytest.raises(errors.NamespaceNotOurs):
        refuse_foreign_namespace(other, SPACE)
    other["metadata"]["labels"] = manifests.labels("tenant-a")
    with pytest.raises(errors.NamespaceTerminating):
        refuse_foreign_namespace(other, SPACE)
    with pytest.raises(errors.NamespaceNotOurs):
        refuse_foreign_namespace(other, NamespaceSpec("tenant-b", "tenant-a", 1, 1, 1))


@pytest.mark.parametrize(
    "label, value, words",
    [
        (manifests.INSTALLATION, None, "names no installation"),
        (manifests.INSTALLATION, "staging", "belongs to another installation, staging"),
        (manifests.CLUSTER, None, "belongs to the cluster that was the first of this"),
        (manifests.CLUSTER, "c", "belongs to the cluster c of this"),
    ],
)
def test_nor_is_one_of_another_installation_or_cluster(label: str, value: str | None, words: str) -> None:
    spec = replace(SPACE, cluster="b")
    found = manifests.namespace(spec)
    refuse_foreign_namespace(found, spec)
    labels = found["metadata"]["labels"]
    labels.pop(label) if value is None else labels.update({label: value})
    with pytest.raises(errors.NamespaceNotOurs, match=words):
        refuse_foreign_namespace(found, spec)


def test_a_namespace_is_as_wanted_with_all_that_belongs_into_it() -> None:
    own = manifests.namespace(SPACE)
    own["metadata"]["uid"] = "u"
    odd, bare = {"metadata": {"name": "odd"}}, {"metadata": {"name": "bare", "uid": "v"}}
    objects = by_name("namespaces", [own, odd, bare, {"metadata": {}}])
    for kind, manifest in manifests.tenant_objects(SPACE):
        objects |= by_name(kind, [manifest])
    quota = ("resourcequotas", "tenant-a", "tenant-a-quota")
    assert quota in objects

    states = namespace_states(objects, [SPACE])
    assert states == {
        "tenant-a": NamespaceState("tenant-a", "tenant-a", "u", terminating=False, as_wanted=True),
        "odd": NamespaceState("odd", "", "", terminating=False, as_wanted=False),
        "bare": NamespaceState("bare", "", "v", terminating=False, as_wanted=True),  # nothing is wanted of it
    }
    assert not namespace_states(objects, [replace(SPACE, max_cpu=11)])["tenant-a"].as_wanted
    del objects[quota]
    assert not namespace_states(objects, [SPACE])["tenant-a"].as_wanted


ERRORS = [
    ("403_exceeded_quota_job_create.json", 403, errors.QuotaExceeded),
    ("duplicate_post_with_full_jobs_quota.json", 403, errors.QuotaExceeded),
    ("403_namespace_terminating.json", 403, errors.NamespaceTerminating),
    ("403_rbac_denied.json", 403, errors.Forbidden),
    ("401_bad_token.json", 401, errors.Forbidden),
    ("404_job.json", 404, errors.NotFound),
    ("409_already_exists.json", 409, errors.Conflict),
    ("410_continue_expired.json", 410, errors.Expired),
    ("422_name_too_long.json", 422, errors.Refused),
    ("504_too_large_resource_version.json", 504, errors.ClusterUnreachable),
]


@pytest.mark.parametrize("name, status, kind", ERRORS, ids=[case[0] for case in ERRORS])
def test_each_refusal_has_its_own_error(name: str, status: int, kind: type[errors.GatewayError]) -> None:
    data = (RECORDINGS / "errors" / name).read_bytes()
    error = error_of("GET", "/apis/batch/v1/jobs", status, data, None)
    assert type(error) is kind
    assert json.loads(data)["message"] in str(error)


def test_a_log_that_is_not_there_yet_and_a_throttled_answer() -> None:
    data = (RECORDINGS / "errors" / "400_log_container_creating.json").read_bytes()
    assert type(error_of("GET", "/api/v1/namespaces/a/pods/b/log", 400, data, None)) is errors.NotReady
    throttled = error_of("GET", "/api/v1/pods", 429, b"slow down", "7")
    assert type(throttled) is errors.ClusterUnreachable
    assert throttled.retry_after_s == 7
