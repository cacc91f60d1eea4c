"""A pod's status, as the kubelet and the scheduler write it. Pure functions on plain objects."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

from localcluster import quantity
from localcluster.store import timestamp

TERMINAL = ("Succeeded", "Failed")
_CONDITIONS = (
    "DisruptionTarget",
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
)
_COUNTED = ("cpu", "memory", "ephemeral-storage")


def is_terminal(pod: dict[str, Any]) -> bool:
    return pod["status"].get("phase") in TERMINAL


def requests(pod: dict[str, Any], what: str = "requests") -> dict[str, Decimal]:
    """Summed requests (or limits) of the pod's containers, by resource name."""
    total: dict[str, Decimal] = {}
    for container in pod["spec"]["containers"]:
        for name, amount in container.get("resources", {}).get(what, {}).items():
            total[name] = total.get(name, Decimal(0)) + quantity.parse(amount)
    return total


def qos_class(pod: dict[str, Any]) -> str:
    asked, allowed = requests(pod), requests(pod, "limits")
    if not asked and not allowed:
        return "BestEffort"
    guaranteed = all(allowed.get(name) and asked.get(name) == allowed[name] for name in ("cpu", "memory"))
    return "Guaranteed" if guaranteed else "Burstable"


def condition(pod: dict[str, Any], kind: str) -> dict[str, Any] | None:
    return next((c for c in pod["status"].get("conditions", []) if c["type"] == kind), None)


def set_condition(pod: dict[str, Any], kind: str, status: str, reason: str = "", message: str = "") -> None:
    """Keeps the transition time while the status stays the same."""
    old = condition(pod, kind)
    entry: dict[str, Any] = {
        "type": kind,
        "observedGeneration": pod["metadata"].get("generation", 1),
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": old["lastTransitionTime"] if old and old["status"] == status else timestamp(),
    }
    if reason:
        entry["reason"] = reason
    if message:
        entry["message"] = message
    others = [c for c in pod["status"].get("conditions", []) if c["type"] != kind]
    pod["status"]["conditions"] = sorted([*others, entry], key=lambda c: _CONDITIONS.index(c["type"]))


def bind(pod: dict[str, Any], node: str) -> None:
    pod["spec"]["nodeName"] = node
    set_condition(pod, "PodScheduled", "True")


def waiting(pod: dict[str, Any], reason: str, message: str | None = None, *, sandbox: bool) -> None:
    """`sandbox`: volumes are mounted and the pod's network is up."""
    _on_node(pod, "Pending", sandbox=sandbox, ready=False, why="ContainersNotReady")
    container = _container(pod, {"waiting": {"reason": reason} | ({"message": message} if message else {})})
    pod["status"]["containerStatuses"] = [container | {"imageID": "", "started": False, "volumeMounts": _mounts(pod)}]


def running(pod: dict[str, Any], started_at: str) -> None:
    _on_node(pod, "Running", sandbox=True, ready=True)
    _started_container(pod, {"running": {"startedAt": started_at}}, ready=True)


def terminated(pod: dict[str, Any], state: dict[str, Any], *, reason: str = "", message: str = "") -> None:
    """`reason` and `message`: why the kubelet ended the pod (Evicted, DeadlineExceeded), if it did."""
    succeeded = state["exitCode"] == 0 and not reason
    why = "PodCompleted" if succeeded else "PodFailed"
    _on_node(pod, "Succeeded" if succeeded else "Failed", sandbox=False, ready=False, why=why)
    if succeeded:
        set_condition(pod, "Initialized", "True", "PodCompleted")
    if reason:
        pod["status"] |= {"message": message, "reason": reason}
    _started_container(pod, {"terminated": state | {"containerID": container_id(pod)}}, ready=False)


def container_id(pod: dict[str, Any]) -> str:
    return "containerd://" + hashlib.sha256(pod["metadata"]["uid"].encode()).hexdigest()


def _on_node(pod: dict[str, Any], phase: str, *, sandbox: bool, ready: bool, why: str = "") -> None:
    status = pod["status"]
    status["observedGeneration"] = pod["metadata"].get("generation", 1)
    status["phase"] = phase
    message = ""
    if why == "ContainersNotReady":
        message = f"containers with unready status: [{pod['spec']['containers'][0]['name']}]"
    set_condition(pod, "PodReadyToStartContainers", "True" if sandbox else "False")
    set_condition(pod, "Initialized", "True")
    set_condition(pod, "Ready", "True" if ready else "False", why, message)
    set_condition(pod, "ContainersReady", "True" if ready else "False", why, message)
    set_condition(pod, "PodScheduled", "True")
    status |= {"hostIP": "127.0.0.1", "hostIPs": [{"ip": "127.0.0.1"}]}
    if sandbox or phase in TERMINAL:
        status |= {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}
    status.setdefault("startTime", timestamp())
    resources = pod["spec"]["containers"][0].get("resources", {})
    if asked := resources.get("requests"):
        status["allocatedResources"] = {k: v for k, v in asked.items() if k in _COUNTED}
    if resources:
        status["resources"] = resources


def _container(pod: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    container = pod["spec"]["containers"][0]
    return {
        "name": container["name"],
        "state": state,
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container["image"],
    }


def _started_container(pod: dict[str, Any], state: dict[str, Any], *, ready: bool) -> None:
    container = pod["spec"]["containers"][0]
    resources = container.get("resources", {})
    security = {**pod["spec"].get("securityContext", {}), **container.get("securityContext", {})}
    entry = _container(pod, state) | {
        "ready": ready,
        "imageID": "sha256:" + hashlib.sha256(container["image"].encode()).hexdigest(),
        "containerID": container_id(pod),
        "started": ready,
    }
    if asked := resources.get("requests"):
        entry["allocatedResources"] = asked
    if resources:
        entry["resources"] = resources
    if mounts := _mounts(pod):
        entry["volumeMounts"] = mounts
    uid = security.get("runAsUser", 0)
    gid = security.get("runAsGroup", uid)
    groups = [security["fsGroup"]] if "fsGroup" in security else [gid]
    entry["user"] = {"linux": {"uid": uid, "gid": gid, "supplementalGroups": groups}}
    pod["status"]["containerStatuses"] = [entry]


def _mounts(pod: dict[str, Any]) -> list[dict[str, Any]]:
    mounts = pod["spec"]["containers"][0].get("volumeMounts", [])
    return [{k: m[k] for k in ("name", "mountPath", "readOnly") if k in m} for m in mounts]
