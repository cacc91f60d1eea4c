"""The official Kubernetes client works against the local cluster, with raw answers and with models."""

import json

from kubernetes import client, config  # noqa: TID251 - the product's own client is what must work here

from localcluster.cluster import LocalCluster
from tests.localcluster.kube import Kube, job, until


def test_create_list_watch_log_delete(local_cluster: LocalCluster, kube: Kube) -> None:
    api = config.new_client_from_config(str(local_cluster.config.kubeconfig))
    batch, core = client.BatchV1Api(api), client.CoreV1Api(api)
    space = kube.namespace
    made = json.loads(batch.create_namespaced_job(space, job("echo", "hello"), _preload_content=False).data)
    name = made["metadata"]["name"]

    def listed() -> list[dict]:
        raw = batch.list_job_for_all_namespaces(
            label_selector=f"sumok8.io/job-id={name[4:]}", limit=500, _preload_content=False, _request_timeout=5
        )
        return [item for item in json.loads(raw.data)["items"] if item["status"].get("succeeded")]

    until(listed)
    pods = core.list_namespaced_pod(space, label_selector=f"job-name={name}")
    assert pods.items[0].status.phase == "Succeeded"
    assert core.read_namespaced_pod_log(pods.items[0].metadata.name, space, tail_lines=500) == "hello\n"
    assert core.list_node().items[0].status.capacity["pods"] == "110"
    patched = batch.patch_namespaced_job(
        name, space, {"spec": {"ttlSecondsAfterFinished": 120}}, _preload_content=False
    )
    assert json.loads(patched.data)["spec"]["ttlSecondsAfterFinished"] == 120
    response = batch.list_namespaced_job(
        space, watch=True, timeout_seconds=1, allow_watch_bookmarks=True, _preload_content=False, _request_timeout=10
    )
    assert json.loads(next(iter(response)).splitlines()[0])["object"]["metadata"]["name"] == name
    response.release_conn()
    batch.delete_namespaced_job(name, space, propagation_policy="Background", _preload_content=False)
    until(lambda: not core.list_namespaced_pod(space).items)
    api.close()
