"""A gateway over lists of a test's own, in the API server's shape: for what no real cluster can be brought to say."""

from collections.abc import Callable, Mapping
from typing import Any

from clusterops import errors
from clusterops.gateway import Gateway
from clusterops.objects import manifests
from simulations.models import Job

KINDS = ("jobs", "pods", "nodes", "namespaces", "events")


class CannedApi:
    """Answers every LIST from `lists`; notes what is deleted and patched, and does it."""

    def __init__(self) -> None:
        self.lists: dict[str, list[Any]] = {kind: [] for kind in KINDS}
        self.deleted: list[str] = []
        self.asked_logs: list[str] = []
        self.log: Callable[[str], str] = lambda pod: "a line\n"
        self.refuses: dict[str, errors.GatewayError] = {}  # by path

    def items(self, path: str, *, keep: Callable[[Any], Any] = lambda item: item, **_: Any) -> list[Any]:
        return [keep(item) for item in self.lists.get(path.rsplit("/", 1)[1], [])]

    def certificate_ends_at(self) -> None:
        return None

    def request(self, method: str, path: str, *, body: Any = None, **_: Any) -> dict[str, Any]:
        if path in self.refuses:
            raise self.refuses[path]
        name = path.rsplit("/", 1)[1]
        if method == "DELETE":
            self.deleted.append(name)
            self.lists["jobs"] = [job for job in self.lists["jobs"] if job["metadata"]["name"] != name]
        elif method == "GET":
            for found in self.lists.get(path.split("/")[-2], []):
                if found["metadata"]["name"] == name:
                    return dict(found)
            raise errors.NotFound(f"{name} not found", status=404)
        made = body or {}
        return {"metadata": {**made.get("metadata", {}), "uid": "u"}}

    def tail(self, path: str, **_: Any) -> str:
        pod = path.split("/")[-2]
        self.asked_logs.append(pod)
        return self.log(pod)

    def add(self, job: Job, *, message: str | None = None, exit_code: int | None = 0, **node: str) -> None:
        """The job's present attempt: ended with `exit_code`, or running if that is None."""
        own = {"name": job.k8s_namespace, "uid": "u", "labels": manifests.labels(job.tenant_id)}
        self.lists["namespaces"].append({"metadata": own})
        self.lists["jobs"].append(kube_job(job, exit_code))
        self.lists["pods"].append(kube_pod(job, message, exit_code, **node))


def gateway_of(api: CannedApi) -> Gateway:
    return Gateway(api)  # type: ignore[arg-type]


def labels(job: Job) -> Mapping[str, str]:
    return {
        "app.kubernetes.io/managed-by": "sumok8",
        "sumok8.io/job-id": job.job_id.hex,
        "sumok8.io/attempt": str(job.attempt),
        "sumok8.io/tenant": job.tenant_id,
    }


def kube_job(job: Job, exit_code: int | None) -> dict[str, Any]:
    verdict = {"type": "Complete" if exit_code == 0 else "Failed", "status": "True", "message": "It failed"}
    return {
        "metadata": {
            "name": job.k8s_job_name,
            "namespace": job.k8s_namespace,
            "uid": f"uid-{job.k8s_job_name}",
            "labels": labels(job),
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"ttlSecondsAfterFinished": 86400},
        "status": {"conditions": [] if exit_code is None else [verdict], "startTime": "2026-01-01T00:00:00Z"},
    }


def kube_pod(job: Job, message: str | None, exit_code: int | None, node: str = "node-1") -> dict[str, Any]:
    ended = {"exitCode": exit_code, "startedAt": "2026-01-01T00:00:01Z", "finishedAt": "2026-01-01T00:00:09Z"}
    state = {"running": {"startedAt": "2026-01-01T00:00:01Z"}}
    if exit_code is not None:
        state = {"terminated": ended | ({"message": message} if message is not None else {})}
    phase = "Running" if exit_code is None else "Succeeded" if exit_code == 0 else "Failed"
    return {
        "metadata": {
            "name": f"{job.k8s_job_name}-pod",
            "namespace": job.k8s_namespace,
            "uid": f"uid-pod-{job.k8s_job_name}",
            "labels": {**labels(job), "batch.kubernetes.io/job-name": job.k8s_job_name},
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [{"uid": f"uid-{job.k8s_job_name}"}],
        },
        "spec": {"nodeName": node, "containers": [{"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}]},
        "status": {"phase": phase, "conditions": [], "containerStatuses": [{"name": "sumo", "state": state}]},
    }
