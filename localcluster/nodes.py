"""Machines: one real (`local-1`), others that exist as objects. A node lives while its heartbeat file exists.

To lose a node, remove `DATA/nodes/NAME/heartbeat`: as when a machine's power fails, its pods' processes are killed and
nobody reports it; after a grace period the node is NotReady, its pods are marked for deletion once they tolerate it no
longer, and only deleting the Node object lets them go. Touch the file, and the machine is back.
"""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

from localcluster import lifecycle, podstatus, quantity, scheduler
from localcluster.config import LocalClusterConfig
from localcluster.events import Recorder
from localcluster.resources import NODES, PODS
from localcluster.store import Change, Store, Stored, timestamp

LOCAL_NODE = "local-1"
_PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "KubeletReady", "kubelet is posting ready status"),
)
_UNREACHABLE = "node.kubernetes.io/unreachable"


def heartbeat(config: LocalClusterConfig, node: str) -> Path:
    return config.data / "nodes" / node / "heartbeat"


def describe(name: str, cpu: str, memory: str, labels: dict[str, str]) -> dict[str, Any]:
    """A Ready node of this size, in the shape that a kubelet reports."""
    now = timestamp()
    disk = os.statvfs("/")
    capacity = {
        "cpu": quantity.canonical(cpu),
        "ephemeral-storage": f"{disk.f_blocks * disk.f_frsize // 1024}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": quantity.canonical(memory),
        "pods": "110",
    }
    own = {"arch": "amd64" if platform.machine() == "x86_64" else platform.machine(), "os": "linux"}
    standard = {f"{prefix}kubernetes.io/{k}": v for prefix in ("beta.", "") for k, v in own.items()}
    return {
        "metadata": {
            "name": name,
            "labels": {**standard, "kubernetes.io/hostname": name, **labels},
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
        },
        "spec": {},
        "status": {
            "capacity": capacity,
            "allocatable": dict(capacity),
            "conditions": [_condition(k, "True" if k == "Ready" else "False", r, m, now) for k, r, m in _PRESSURES],
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": name,
                "systemUUID": name,
                "bootID": name,
                "kernelVersion": platform.release(),
                "osImage": "local processes",
                "containerRuntimeVersion": "process://1",
                "kubeletVersion": "v1.36.2-local",
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": own["arch"],
            },
        },
    }


def _condition(kind: str, status: str, reason: str, message: str, now: str) -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


class NodeController:
    """Watches heartbeats, marks lost nodes and their pods, collects pods whose node is gone."""

    def __init__(self, store: Store, recorder: Recorder, config: LocalClusterConfig) -> None:
        self.store, self.recorder, self.config = store, recorder, config
        self._missing_since: dict[str, float] = {}
        self._gc_at = 0.0

    def notice(self, change: Change) -> None:
        """A machine comes and goes with its Node object, whoever makes or deletes that."""
        if change.resource is not NODES:
            return
        path = heartbeat(self.config, change.new.key[1])
        if change.type == "DELETED":
            path.unlink(missing_ok=True)
        elif change.type == "ADDED":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def register(self, name: str, cpu: str, memory: str, labels: dict[str, str]) -> Stored:
        """The Node object as described; one that is there already gets the new size."""
        node = describe(name, cpu, memory, labels)
        if present := self.store.find(NODES, ("", name)):
            obj = present.clone()
            obj["status"] |= {"capacity": node["status"]["capacity"], "allocatable": node["status"]["allocatable"]}
            heartbeat(self.config, name).touch()
            return self.store.update(NODES, obj)
        stored = self.store.create(NODES, node)
        text = f"Node {name} event: Registered Node {name} in Controller"
        self.recorder.record(stored, "RegisteredNode", text, by="node-controller")
        return stored

    def step(self) -> None:
        now = time.monotonic()
        for node in self.store.objects(NODES):
            self._check(node, alive=heartbeat(self.config, node.key[1]).exists(), now=now)
        if now >= self._gc_at:
            self._gc_at = now + self.config.timing.pod_gc
            self._collect_orphans()

    def _check(self, node: Stored, *, alive: bool, now: float) -> None:
        lost = any(taint["key"] == _UNREACHABLE for taint in node.obj["spec"].get("taints", []))
        if alive:
            self._missing_since.pop(node.uid, None)
            if lost:
                self._recover(node)
            return
        since = self._missing_since.setdefault(node.uid, now)
        if not lost and now - since >= self.config.timing.node_grace:
            node = self._lose(node)
            lost = True
        if lost:
            self._evict(node, now - since - self.config.timing.node_grace)

    def _lose(self, node: Stored) -> Stored:
        obj, now = node.clone(), timestamp()
        for entry in obj["status"]["conditions"]:
            text = "Kubelet stopped posting node status."
            entry |= {"status": "Unknown", "lastTransitionTime": now, "reason": "NodeStatusUnknown", "message": text}
        taints = [{"key": _UNREACHABLE, "effect": effect, "timeAdded": now} for effect in ("NoSchedule", "NoExecute")]
        obj["spec"]["taints"] = [*obj["spec"].get("taints", []), *taints]
        for pod in self._pods(node):
            changed = pod.clone()
            podstatus.set_condition(changed, "Ready", "False")
            stored = self.store.update(PODS, changed)
            self.recorder.record(stored, "NodeNotReady", "Node is not ready", by="node-controller", warning=True)
        return self.store.update(NODES, obj)

    def _recover(self, node: Stored) -> None:
        obj, now = node.clone(), timestamp()
        fresh = [_condition(k, "True" if k == "Ready" else "False", r, m, now) for k, r, m in _PRESSURES]
        obj["status"]["conditions"] = fresh
        obj["spec"]["taints"] = [t for t in obj["spec"]["taints"] if t["key"] != _UNREACHABLE]
        self.store.update(NODES, obj)

    def _evict(self, node: Stored, lost_for: float) -> None:
        taint = {"key": _UNREACHABLE, "effect": "NoExecute"}
        for pod in self._pods(node):
            tolerated = scheduler.toleration(pod.obj, taint)
            bound = tolerated.get("tolerationSeconds") if tolerated else 0
            if "deletionTimestamp" in pod.meta or bound is None or lost_for < bound:
                continue
            obj = pod.clone()
            text = "Taint manager: deleting due to NoExecute taint"
            podstatus.set_condition(obj, "DisruptionTarget", "True", "DeletionByTaintManager", text)
            marked = self.store.update(PODS, obj)
            text = f"Marking for deletion Pod {pod.key[0]}/{pod.key[1]}"
            self.recorder.record(marked, "TaintManagerEviction", text, by="taint-eviction-controller")
            lifecycle.delete_pod(self.store, marked, None)

    def _pods(self, node: Stored) -> list[Stored]:
        return [
            pod
            for pod in self.store.objects(PODS)
            if pod.obj["spec"].get("nodeName") == node.key[1] and not podstatus.is_terminal(pod.obj)
        ]

    def _collect_orphans(self) -> None:
        """PodGC: pods whose node is gone, and deleted ones that never had a node, which no kubelet would ever end."""
        names = {node.key[1] for node in self.store.objects(NODES)}
        for pod in self.store.objects(PODS):
            node, ended = pod.obj["spec"].get("nodeName"), podstatus.is_terminal(pod.obj)
            if node and node not in names and pod.meta.get("deletionGracePeriodSeconds") != 0:
                self._fail_and_delete(pod, "PodGC: node no longer exists")
            elif not node and "deletionTimestamp" in pod.meta and not ended:
                self._fail_and_delete(pod, "")

    def _fail_and_delete(self, pod: Stored, disruption: str) -> None:
        if not podstatus.is_terminal(pod.obj):
            obj = pod.clone()
            if disruption:
                podstatus.set_condition(obj, "DisruptionTarget", "True", "DeletionByPodGC", disruption)
            obj["status"]["phase"] = "Failed"
            pod = self.store.update(PODS, obj)
        lifecycle.delete_pod(self.store, pod, 0)
