"""A Kubernetes API server reduced to prebuilt lists: what is measured is the controller, not the cluster.

Jobs and pods have the shape of a real server's answers: the recordings that the tests use, less managedFields.
"""

import heapq
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

RECORDINGS = Path(__file__).resolve().parent.parent / "tests" / "clusterops" / "recordings"
REPORT = {"v": 1, "outcome": "succeeded", "complete": True, "uploaded": True, "kpis": {"vehicles_inserted": 100}}
UID = "0123456789abcdef0123456789abcdef"  # stands in the templates for a job's id
SPACE = "the-tenant-s-namespace"
TICK_S = 0.02
WATCH_EVERY_S = 0.05  # events that come together are sent together


def _templates(case: str) -> dict[str, bytes]:
    """A Job and its pod as JSON, with UID and SPACE where an object's own belong."""
    job = json.loads((RECORDINGS / case / "job.json").read_text())
    pod = json.loads((RECORDINGS / case / "pods.json").read_text())["items"][0]
    name = f"sim-{UID}"
    for item in (job, pod):
        item["metadata"]["namespace"] = SPACE
        item["metadata"]["labels"] |= {"sumok8.io/job-id": UID, "sumok8.io/attempt": "1"}
    pod["metadata"]["labels"] |= {"job-name": name, "batch.kubernetes.io/job-name": name}
    job["metadata"] |= {"name": name, "uid": UID}
    pod["metadata"] |= {"name": f"{name}-abcde", "uid": f"pod-{UID}"}
    pod["metadata"]["ownerReferences"][0] |= {"name": name, "uid": UID}
    status = pod["status"]["containerStatuses"][0]
    pod["spec"]["containers"][0]["name"] = status["name"] = "sumo"
    if "terminated" in status["state"]:
        status["state"]["terminated"]["message"] = json.dumps(REPORT)
    return {"jobs": json.dumps(job).encode(), "pods": json.dumps(pod).encode()}


class ApiServer(ThreadingHTTPServer):
    """Serves `jobs` (name, namespace) as running; `finish` ends some of them. Counts requests.

    A created Job runs at once, and ends after `lasts_s` if that is not 0. A released one is gone after its TTL.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, jobs: list[tuple[str, str]], lasts_s: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.running, self.succeeded = _templates("running"), _templates("succeeded")
        self.lists: dict[str, dict[str, bytes]] = {"jobs": {}, "pods": {}}  # by Job; encoded beforehand
        self.events: dict[str, list[bytes]] = {"jobs": [], "pods": []}  # what watches tell, from the first on
        self.namespaces: dict[str, str] = {}
        self.created_at: dict[str, float] = {}  # time.time() by job id
        self.ended_at: dict[str, float] = {}
        self.requests = 0
        self.lasts_s = lasts_s
        self._due: list[tuple[float, str, str]] = []  # what happens by itself: when, what, to which Job
        self._lock = threading.Lock()
        for name, namespace in jobs:
            self._show(name, namespace, self.running)
        threading.Thread(target=self._live, daemon=True).start()

    def add(self, name: str, namespace: str) -> None:
        with self._lock:
            self.created_at[name.removeprefix("sim-")[:32]] = time.time()
            self._show(name, namespace, self.running)
            if self.lasts_s:
                heapq.heappush(self._due, (time.time() + self.lasts_s, "ends", name))

    def finish(self, names: list[str]) -> None:
        """From now on these Jobs are listed as succeeded."""
        with self._lock:
            for name in names:
                self.ended_at[name.removeprefix("sim-")[:32]] = time.time()
                self._show(name, self.namespaces[name], self.succeeded)

    def let_go(self, name: str, ttl_s: float) -> None:
        with self._lock:
            heapq.heappush(self._due, (time.time() + ttl_s, "goes", name))

    def remove(self, name: str) -> None:
        with self._lock:
            for kind, items in self.lists.items():
                if item := items.pop(name, None):
                    self.events[kind].append(b'{"type":"DELETED","object":' + item + b"}\n")

    def listed(self, kind: str) -> list[bytes]:
        with self._lock:
            return list(self.lists.get(kind, {}).values())

    def _show(self, name: str, namespace: str, templates: dict[str, bytes]) -> None:
        self.namespaces[name] = namespace
        for kind, template in templates.items():
            item = template.replace(UID.encode(), name.removeprefix("sim-")[:32].encode())
            self.lists[kind][name] = item = item.replace(SPACE.encode(), namespace.encode())
            self.events[kind].append(b'{"type":"MODIFIED","object":' + item + b"}\n")

    def _live(self) -> None:
        while True:
            time.sleep(TICK_S)
            due: dict[str, list[str]] = {"ends": [], "goes": []}
            with self._lock:
                while self._due and self._due[0][0] <= time.time():
                    _, what, name = heapq.heappop(self._due)
                    due[what].append(name)
            if due["ends"]:
                self.finish(due["ends"])
            for name in due["goes"]:
                self.remove(name)


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
            found = self.server.lists["jobs"].get(kind)
            return self._answer(found or b'{"kind": "Status", "code": 404}', status=200 if found else 404)
        if "/namespaces/" in url.path:
            labels = {
                "app.kubernetes.io/managed-by": "sumok8",
                "sumok8.io/tenant": kind,
                "sumok8.io/installation": "bench",
            }
            namespace = {"metadata": {"name": kind, "uid": kind, "labels": labels}, "status": {"phase": "Active"}}
            return self._answer(json.dumps(namespace).encode())
        if "watch" in query:
            return self._watch(kind)
        others = "!=" in query.get("labelSelector", "")  # there are none
        items = [] if others else self.server.listed(kind)
        first, limit = int(query.get("continue", 0)), int(query.get("limit", len(items) or 1))
        metadata = {"resourceVersion": "1"}
        if first + limit < len(items):
            metadata["continue"] = str(first + limit)
        head = json.dumps({"kind": "List", "apiVersion": "v1", "metadata": metadata})[:-1].encode()
        return self._answer(head + b', "items": [' + b",".join(items[first : first + limit]) + b"]}")

    def _watch(self, kind: str) -> None:
        """A line for each change, until the client goes."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        events = self.server.events[kind]
        seen = len(events)
        while True:
            time.sleep(WATCH_EVERY_S)
            if len(events) > seen:
                new = events[seen:]
                seen, lines = seen + len(new), b"".join(new)
                try:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(lines), lines))
                except OSError:
                    self.close_connection = True
                    return

    def do_POST(self) -> None:
        self.server.requests += 1
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        *_, namespace, kind = self.path.split("/")
        if kind == "jobs":
            self.server.add(body["metadata"]["name"], namespace)
        self._answer(json.dumps(body).encode())

    def do_PATCH(self) -> None:
        self.server.requests += 1
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        *_, kind, name = urlsplit(self.path).path.split("/")
        if kind == "jobs" and "ttlSecondsAfterFinished" in body.get("spec", {}):
            self.server.let_go(name, body["spec"]["ttlSecondsAfterFinished"])
        self._answer(b"{}")

    def do_DELETE(self) -> None:
        self.server.requests += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.remove(self.path.split("?")[0].rsplit("/", 1)[-1])
        self._answer(b"{}")

    def _answer(self, body: bytes, content_type: str = "application/json", status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Silent."""
