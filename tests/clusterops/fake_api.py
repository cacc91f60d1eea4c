"""As much of a Kubernetes API server as the gateway asks, in memory, and controllers that take one step at each LIST of
pods. No processes: a pod does what its job's options say, as the program in `reconciler/conftest.py` does.

`reconciler/test_fake_api.py` holds it against the local cluster, which is held against recordings of a real one.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clusterops import errors
from clusterops.gateway.kube_api import APPLY
from clusterops.objects.manifests import CLUSTER, CONTAINER

Json = dict[str, Any]
Place = tuple[str, str, str]  # kind, namespace, name
NODE = {
    "metadata": {"name": "node-1", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {}},
    "spec": {},
    "status": {
        "capacity": {"cpu": "1000", "memory": "1000Gi", "pods": "1000"},
        "allocatable": {"cpu": "1000", "memory": "1000Gi", "pods": "1000"},
        "conditions": [{"type": "Ready", "status": "True"}],
    },
}


class FakeApi:
    """Stands where `KubeApi` stands. A watch tells once of all that is there."""

    def __init__(self) -> None:
        self.objects: dict[Place, Json] = {("nodes", "", "node-1"): deepcopy(NODE)}
        self.logs: dict[tuple[str, str], list[tuple[str, str]]] = {}  # of a pod: (time, line)

    def certificate_ends_at(self) -> datetime | None:
        return None

    def request(self, method: str, path: str, *, body: Json | None = None, content_type: str = "", **_: Any) -> Json:
        place = _place(path)
        kind, namespace, name = place
        if method == "POST":
            place = (kind, namespace, str((body or {})["metadata"]["name"]))
            if place in self.objects:
                raise errors.Conflict(f"{kind} {place[2]} already exists", status=409)
            return self._make(place, body or {})
        if method == "PATCH" and place not in self.objects and content_type == APPLY:
            return self._make(place, body or {})
        if method == "GET" and not name:
            return {"metadata": {"resourceVersion": "1"}, "items": []}
        found = self.objects.get(place)
        if found is None:
            raise errors.NotFound(f"{kind} {name} not found", status=404)
        if method == "PATCH":
            _merge(found, body or {})
        elif method == "DELETE":
            self._delete(place, (body or {}).get("propagationPolicy"))
        return deepcopy(found)

    def items(
        self,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        keep: Callable[[Json], Any] = lambda item: item,
        between: Callable[[], None] = lambda: None,
        **_: Any,
    ) -> list[Any]:
        kind, namespace, _name = _place(path)
        if kind == "pods":
            self._step()
        wanted = _labels_of((query or {}).get("labelSelector", ""))
        if wanted is None:
            return []
        listed = [
            keep(deepcopy(found))
            for (found_kind, found_namespace, _), found in sorted(self.objects.items())
            if found_kind == kind and namespace in ("", found_namespace) and wanted.items() <= _labelled(found).items()
        ]
        between()
        return listed

    def lines(self, path: str, **_: Any) -> Iterator[bytes]:
        kind = _place(path)[0]
        for (found_kind, _, _), found in sorted(self.objects.items()):
            if found_kind == kind:
                yield json.dumps({"type": "MODIFIED", "object": found}).encode()

    def tail(self, path: str, *, query: Mapping[str, Any], keep_bytes: int, **_: Any) -> str:
        namespace, pod = path.split("/")[-4], path.split("/")[-2]
        found = self.objects.get(("pods", namespace, pod))
        if found is None:
            raise errors.NotFound(f"pods {pod} not found", status=404)
        if not found["status"].get("containerStatuses"):
            raise errors.NotReady("the container has not started", status=400)
        stamped = bool(query.get("timestamps"))
        since = str(query.get("sinceTime", ""))
        lines = [f"{at} {line}" if stamped else line for at, line in self.logs[namespace, pod] if at[:19] >= since[:19]]
        return "".join(f"{line}\n" for line in lines[-int(query["tailLines"]) :])[-keep_bytes:]

    def _make(self, place: Place, body: Json) -> Json:
        namespace = place[1]
        if namespace and ("namespaces", "", namespace) not in self.objects:
            raise errors.NotFound(f"namespaces {namespace} not found", status=404)
        made = deepcopy(body)
        made["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": _now()}
        if namespace:
            made["metadata"]["namespace"] = namespace
        made.setdefault("status", {})
        self.objects[place] = made
        return deepcopy(made)

    def _delete(self, place: Place, policy: str | None) -> None:
        kind, namespace, name = place
        if kind == "namespaces":
            self.objects = {at: found for at, found in self.objects.items() if at != place and at[1] != name}
            return
        found = self.objects.pop(place)
        for pod in self._pods_of(namespace, found["metadata"]["uid"]) if kind == "jobs" else ():
            if policy is None:
                del pod["metadata"]["ownerReferences"]
            else:
                pod["metadata"]["deletionTimestamp"] = _now()

    def _pods_of(self, namespace: str, job_uid: str) -> list[Json]:
        pods = [found for place, found in self.objects.items() if place[:2] == ("pods", namespace)]
        return [
            pod for pod in pods if [each["uid"] for each in pod["metadata"].get("ownerReferences", ())] == [job_uid]
        ]

    def _step(self) -> None:
        for place, pod in [each for each in self.objects.items() if each[0][0] == "pods"]:
            self._step_pod(place, pod)
        for place, job in [each for each in self.objects.items() if each[0][0] == "jobs"]:
            self._step_job(place, job)

    def _step_job(self, place: Place, job: Json) -> None:
        pods = self._pods_of(place[1], job["metadata"]["uid"])
        if not pods:
            self._start_pod(place, job)
            return
        phase = pods[0]["status"]["phase"]
        conditions = job["status"].setdefault("conditions", [])
        if phase in ("Succeeded", "Failed") and not conditions:
            verdict = "Complete" if phase == "Succeeded" else "Failed"
            job["status"]["succeeded" if phase == "Succeeded" else "failed"] = 1
            conditions.append(
                {"type": verdict, "status": "True", "lastTransitionTime": _now(), "message": "It failed", "reason": ""}
            )
        elif conditions and job["spec"]["ttlSecondsAfterFinished"] == 0:
            self._delete(place, "Background")

    def _start_pod(self, place: Place, job: Json) -> None:
        namespace, name = place[1:]
        labels = job["spec"]["template"]["metadata"]["labels"] | {"batch.kubernetes.io/job-name": name}
        pod = {
            "metadata": {
                "name": f"{name}-pod",
                "labels": labels,
                "ownerReferences": [{"uid": job["metadata"]["uid"], "kind": "Job", "name": name}],
            },
            "spec": deepcopy(job["spec"]["template"]["spec"]),
            "status": {"phase": "Pending", "conditions": []},
        }
        self._make(("pods", namespace, f"{name}-pod"), pod)

    def _step_pod(self, place: Place, pod: Json) -> None:
        status, say = pod["status"], self.logs.setdefault(place[1:], [])
        job, fate = _fate_of(pod)
        if "deletionTimestamp" in pod["metadata"]:
            if status["phase"] == "Running" and not status.setdefault("stopping", False):
                status["stopping"] = True
                say.append((_now(), "stopping"))
            elif not (status["phase"] == "Running" and _holds(fate.get("linger"))):
                del self.objects[place]
        elif status["phase"] == "Pending":
            pod["spec"]["nodeName"] = "node-1"
            status |= {"phase": "Running", "containerStatuses": [_container({"running": {"startedAt": _now()}})]}
            lines = [f"attempt {job['attempt']} of {job['job_id']}", *map(json.dumps, fate.get("says", ()))]
            say += [(_now(), line) for line in lines]
        elif status["phase"] == "Running" and not _holds(fate.get("hold")):
            say += [(_now(), json.dumps(line)) for line in fate.pop("then", ())]
            if not _holds(fate.get("end")):
                _end(status, fate)


def _end(status: Json, fate: Json) -> None:
    code = fate.get("exit", 0)
    started = status["containerStatuses"][0]["state"]["running"]["startedAt"]
    ended: Json = {"exitCode": code, "startedAt": started, "finishedAt": _now(), "reason": "Completed"}
    outcome = fate.get("outcome", "succeeded")
    report = {"v": 1, "outcome": outcome, "complete": outcome == "succeeded", "uploaded": True, "kpis": {}}
    if not fate.get("silent"):
        ended["message"] = fate.get("message", json.dumps(report | fate.get("report", {})))
    status["containerStatuses"] = [_container({"terminated": ended})]
    status["phase"] = "Succeeded" if code == 0 else "Failed"


def _container(state: Json) -> Json:
    return {"name": CONTAINER, "state": state}


def _fate_of(pod: Json) -> tuple[Json, Json]:
    """The job's description, and what its options want of the pod; the latter is the pod's to change."""
    if "fate" not in pod["spec"]:
        env = {each["name"]: each["value"] for each in pod["spec"]["containers"][0]["env"]}
        pod["spec"]["fate"] = json.loads(env["SUMOK8_JOB"].replace("$$", "$"))
    job: Json = pod["spec"]["fate"]
    return job, job["options"]


def _holds(path: str | None) -> bool:
    return path is not None and not Path(path).exists()


def _place(path: str) -> Place:
    parts = path.split("/")
    parts = parts[parts.index("v1") + 1 :] if "v1" in parts else parts[4:]
    if parts[0] == "namespaces" and len(parts) > 2:
        return parts[2], parts[1], parts[3] if len(parts) > 3 else ""
    return parts[0], "", parts[1] if len(parts) > 1 else ""


def _labels_of(selector: str) -> dict[str, str] | None:
    """None: a selector of what is not ours, of which there is nothing. `!name`: without it, as if it were empty."""
    if "!=" in selector or "notin" in selector:
        return None
    terms = [each for each in selector.split(",") if each]
    return {name.lstrip("!"): value for name, _, value in (each.partition("=") for each in terms)}


def _labelled(found: Json) -> Json:
    return {CLUSTER: "", **(found["metadata"].get("labels") or {})}


def _merge(into: Json, changes: Json) -> None:
    for name, value in changes.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = deepcopy(value)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
