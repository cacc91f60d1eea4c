"""A Kubernetes API server reduced to prebuilt lists: what is measured is the controller, not the cluster.

Jobs and pods have the shape of a real server's answers: the recordings that the tests use, less managedFields.
"""

import copy
import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

RECORDINGS = Path(__file__).resolve().parent.parent / "tests" / "clusterops" / "recordings"
REPORT = {"v": 1, "outcome": "succeeded", "complete": True, "uploaded": True, "kpis": {"vehicles_inserted": 100}}


def _recorded(case: str) -> tuple[dict[str, Any], dict[str, Any]]:
    job = json.loads((RECORDINGS / case / "job.json").read_text())
    return job, json.loads((RECORDINGS / case / "pods.json").read_text())["items"][0]


class ApiServer(ThreadingHTTPServer):
    """Serves `names` (Job names) as running; `finish` ends some of them. Counts requests."""

    daemon_threads = True

    def __init__(self, jobs: list[tuple[str, str]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.names = [name for name, _ in jobs]
        self.namespaces = dict(jobs)
        self.running, self.succeeded = _recorded("running"), _recorded("succeeded")
        self.succeeded[1]["status"]["containerStatuses"][0]["state"]["terminated"]["message"] = json.dumps(REPORT)
        self.finished: set[str] = set()
        self.requests = 0
        self.lists: dict[str, list[bytes]] = {}  # encoded beforehand: its own work is not to be measured
        self.build()

    def build(self) -> None:
        objects = [self._objects(name) for name in self.names]
        self.lists = {"jobs": [job for job, _ in objects], "pods": [pod for _, pod in objects]}

    def add(self, name: str, namespace: str) -> None:
        self.names.append(name)
        self.namespaces[name] = namespace
        for kind, item in zip(("jobs", "pods"), self._objects(name), strict=True):
            self.lists[kind].append(item)

    def finish(self, names: list[str]) -> None:
        """From now on these Jobs are listed as succeeded."""
        self.finished.update(names)
        index = {name: place for place, name in enumerate(self.names)}
        for name in names:
            self.lists["jobs"][index[name]], self.lists["pods"][index[name]] = self._objects(name)

    def _objects(self, name: str) -> tuple[bytes, bytes]:
        job, pod = copy.deepcopy(self.succeeded if name in self.finished else self.running)
        job_id = name.removeprefix("sim-")[:32]
        for item in (job, pod):
            item["metadata"]["namespace"] = self.namespaces[name]
            item["metadata"]["labels"] |= {"sumok8.io/job-id": job_id, "sumok8.io/attempt": "1"}
        pod["metadata"]["labels"] |= {"job-name": name, "batch.kubernetes.io/job-name": name}
        job["metadata"] |= {"name": name, "uid": job_id}
        pod["metadata"] |= {"name": f"{name}-abcde", "uid": f"pod-{job_id}"}
        pod["metadata"]["ownerReferences"][0] |= {"name": name, "uid": job_id}
        pod["spec"]["containers"][0]["name"] = pod["status"]["containerStatuses"][0]["name"] = "sumo"
        return json.dumps(job).encode(), json.dumps(pod).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ApiServer

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        self.server.requests += 1
        url = urlsplit(self.path)
        *_, kind = url.path.split("/")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if kind == "log":
            return self._answer(b"line\n" * 100, "text/plain")
        if "/jobs/" in url.path:
            place = self.server.names.index(kind)
            return self._answer(self.server.lists["jobs"][place])
        if "/namespaces/" in url.path:
            labels = {
                "app.kubernetes.io/managed-by": "sumok8",
                "sumok8.io/tenant": kind,
                "sumok8.io/installation": "bench",
            }
            namespace = {"metadata": {"name": kind, "uid": kind, "labels": labels}, "status": {"phase": "Active"}}
            return self._answer(json.dumps(namespace).encode())
        others = "!=" in query.get("labelSelector", "")  # there are none
        items = [] if others else self.server.lists.get(kind, [])
        first, limit = int(query.get("continue", 0)), int(query.get("limit", len(items) or 1))
        metadata = {"resourceVersion": "1"}
        if first + limit < len(items):
            metadata["continue"] = str(first + limit)
        head = json.dumps({"kind": "List", "apiVersion": "v1", "metadata": metadata})[:-1].encode()
        return self._answer(head + b', "items": [' + b",".join(items[first : first + limit]) + b"]}")

    def do_POST(self) -> None:
        """A created Job runs at once."""
        self.server.requests += 1
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        *_, namespace, kind = self.path.split("/")
        if kind == "jobs":
            self.server.add(body["metadata"]["name"], namespace)
        self._answer(json.dumps(body).encode())

    def do_PATCH(self) -> None:
        self.server.requests += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(b"{}")

    do_DELETE = do_PATCH

    def _answer(self, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Silent."""
