"""A plain HTTP client of the API for tests, and the Jobs that they send."""

import http.client
import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from localcluster.cluster import LocalCluster

RECORDINGS = Path(__file__).parents[1] / "clusterops" / "recordings"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
JOBS, CORE = "/apis/batch/v1", "/api/v1"


def recorded(name: str) -> dict[str, Any]:
    return json.loads((RECORDINGS / name).read_text())


class Kube:
    def __init__(self, url: str, token: str, namespace: str) -> None:
        self.url, self.token, self.namespace = url, token, namespace
        self.last_headers: dict[str, str] = {}

    @classmethod
    def of(cls, cluster: LocalCluster, **labels: str) -> "Kube":
        """A client with a fresh namespace."""
        kube = cls(cluster.url, cluster.token, f"ns-{uuid.uuid4().hex[:8]}")
        kube.ok("POST", "/api/v1/namespaces", {"metadata": {"name": kube.namespace, "labels": labels}})
        return kube

    def send(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json", **query: Any
    ) -> tuple[int, Any]:
        """Status and decoded answer (text if it is not JSON)."""
        response = self.open(method, path, body, content_type=content_type, **query)
        raw = response.read()
        self.last_headers = dict(response.headers)
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return response.status, json.loads(raw) if is_json and raw else raw.decode()

    def open(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json", **query: Any
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"Bearer {self.token}", "Connection": "close", "User-Agent": "tester/1"}
        if data is not None:
            headers["Content-Type"] = content_type
        connection.request(method, path + ("?" + urlencode(query) if query else ""), data, headers)
        return connection.getresponse()

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        status, answer = self.send(method, path, body, **more)
        assert status < 300, (status, answer)
        return answer

    def at(self, plural: str, name: str = "", sub: str = "") -> str:
        base = JOBS if plural == "jobs" else CORE
        if plural == "networkpolicies":
            base = "/apis/networking.k8s.io/v1"
        return "/".join(filter(None, [f"{base}/namespaces/{self.namespace}/{plural}", name, sub]))

    def items(self, plural: str, **query: Any) -> list[dict[str, Any]]:
        return self.ok("GET", self.at(plural), **query)["items"]

    def job(self, name: str) -> dict[str, Any]:
        return self.ok("GET", self.at("jobs", name))

    def pods(self, job: str) -> list[dict[str, Any]]:
        return self.items("pods", labelSelector=f"job-name={job}")

    def pod(self, job: str) -> dict[str, Any]:
        (pod,) = self.pods(job)
        return pod

    def phase(self, job: str) -> str | None:
        pods = self.pods(job)
        return pods[0]["status"]["phase"] if pods else None

    def log(self, pod: str, **query: Any) -> Any:
        return self.ok("GET", self.at("pods", pod, "log"), **query)

    def events(self, name: str) -> list[dict[str, Any]]:
        return self.items("events", fieldSelector=f"involvedObject.name={name}")

    def run(self, *command: str, **options: Any) -> str:
        """Creates a Job and returns its name."""
        manifest = job(*command, **options)
        self.ok("POST", self.at("jobs"), manifest)
        return manifest["metadata"]["name"]

    def finished(self, name: str) -> dict[str, Any]:
        """The Job once it is over."""
        return until(lambda: j if condition(j := self.job(name), "Complete", "Failed") else None)

    def running(self, name: str) -> dict[str, Any]:
        """The Job's pod once it runs."""
        return until(lambda: next((p for p in self.pods(name) if p["status"]["phase"] == "Running"), None))

    def waiting(self, name: str, reason: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            for pod in self.pods(name):
                for status in pod["status"].get("containerStatuses", []):
                    if status["state"].get("waiting", {}).get("reason") == reason:
                        return pod
            return None

        return until(look)

    def watch(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        response = self.open("GET", path, watch="true", **query)
        assert response.status == 200, response.read()
        with response:
            for line in response:
                yield json.loads(line)


def until(look: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true answer of `look`."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    return found


def condition(obj: dict[str, Any], *kinds: str) -> dict[str, Any] | None:
    found = obj["status"].get("conditions", [])
    return next((c for c in found if c["type"] in kinds and c["status"] == "True"), None)


def job(*command: str, name: str = "", pod: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """A Job like ours. `options` change the Job's spec, `pod` the pod's, `container=` the container's."""
    container = options.pop("container", {})
    name = name or f"sim-{uuid.uuid4().hex}"
    template = recorded("running/job.json")["spec"]["template"]["spec"]
    labels = {"app.kubernetes.io/managed-by": "sumok8", "sumok8.io/job-id": name[4:] or "x", "sumok8.io/tenant": "a"}
    own = {
        "name": "sim",
        "image": "docker.io/library/sumo:test",
        "command": list(command),
        "env": [
            {"name": "HOME", "value": "/tmp"},
            {"name": "TERMINATION_LOG", "value": "/dev/termination-log"},
            {"name": "WORK", "value": "/work"},
        ],
        **{k: template["containers"][0][k] for k in ("resources", "volumeMounts", "securityContext")},
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": template["securityContext"],
        "volumes": template["volumes"],
        "containers": [own | container],
        **(pod or {}),
    }
    policy = recorded("running/job.json")["spec"]["podFailurePolicy"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": 3600,
            "ttlSecondsAfterFinished": 86400,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": policy,
            "template": {"metadata": {"labels": labels}, "spec": spec},
            **options,
        },
    }
