"""Places pods on nodes by their requests; a pod of higher priority may push others out."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from localcluster import lifecycle, podstatus, quantity
from localcluster.events import Recorder
from localcluster.resources import NODES, PODS
from localcluster.store import Change, Key, Store, Stored

_NAMES = ("cpu", "memory", "ephemeral-storage")
Amounts = dict[str, Decimal]


@dataclass(slots=True)
class NodeRoom:
    """A node and what is left on it in this pass."""

    node: Stored
    free: Amounts
    pods: list[Stored] = field(default_factory=list)

    def lacks(self, asked: Amounts) -> list[str]:
        lacking = [f"Insufficient {n}" for n in _NAMES if asked.get(n, Decimal(0)) > self.free.get(n, Decimal(0))]
        return lacking + (["Too many pods"] if self.free["pods"] < 1 else [])

    def take(self, pod: Stored, asked: Amounts) -> None:
        self.pods.append(pod)
        for name in _NAMES:
            self.free[name] = self.free.get(name, Decimal(0)) - asked.get(name, Decimal(0))
        self.free["pods"] -= 1


def allocatable(node: dict[str, Any]) -> Amounts:
    amounts = {name: quantity.parse(value) for name, value in node["status"].get("allocatable", {}).items()}
    return {"pods": Decimal(110), **amounts}


def obstacle(node: dict[str, Any], pod: dict[str, Any]) -> str | None:
    """Why this pod may not go to this node, whatever is free there."""
    if node["spec"].get("unschedulable"):
        return "node(s) were unschedulable"
    for taint in node["spec"].get("taints", []):
        if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
            return "node(s) had untolerated taint(s)"
    labels = node["metadata"].get("labels", {})
    if any(labels.get(k) != v for k, v in pod["spec"].get("nodeSelector", {}).items()):
        return "node(s) didn't match Pod's node affinity/selector"
    ready = next((c for c in node["status"].get("conditions", []) if c["type"] == "Ready"), None)
    return None if ready and ready["status"] == "True" else "node(s) were not ready"


def tolerates(pod: dict[str, Any], taint: dict[str, Any]) -> bool:
    return toleration(pod, taint) is not None


def toleration(pod: dict[str, Any], taint: dict[str, Any]) -> dict[str, Any] | None:
    for candidate in pod["spec"].get("tolerations", []):
        if candidate.get("effect") not in (None, "", taint["effect"]):
            continue
        if candidate.get("key") not in (None, "", taint["key"]):
            continue
        if candidate.get("operator", "Equal") == "Exists" or candidate.get("value", "") == taint.get("value", ""):
            return candidate
    return None


class Scheduler:
    def __init__(self, store: Store, recorder: Recorder) -> None:
        self.store, self.recorder = store, recorder
        self.pending: dict[Key, None] = {}
        self.unschedulable: list[Stored] = []  # after each pass: for the autoscaler
        self._stale = True
        self._bound: dict[Key, Stored] = {}
        for pod in store.objects(PODS):
            self._file(pod)

    def notice(self, change: Change) -> None:
        if change.resource is PODS:
            if change.type == "DELETED":
                self.pending.pop(change.new.key, None)
                self._stale |= self._bound.pop(change.new.key, None) is not None
            else:
                self._file(change.new)
        elif change.resource is NODES:
            self._stale = True

    def _file(self, pod: Stored) -> None:
        if pod.obj["spec"].get("nodeName") and not podstatus.is_terminal(pod.obj):
            self._bound[pod.key] = pod
            self.pending.pop(pod.key, None)
        elif pod.obj["spec"].get("nodeName") or podstatus.is_terminal(pod.obj) or "deletionTimestamp" in pod.meta:
            self.pending.pop(pod.key, None)
            self._stale |= self._bound.pop(pod.key, None) is not None
        elif pod.key not in self.pending:
            self.pending[pod.key] = None
            self._stale = True

    def rooms(self) -> list[NodeRoom]:
        rooms = {node.key[1]: NodeRoom(node, allocatable(node.obj)) for node in self.store.objects(NODES)}
        for pod in self._bound.values():
            if room := rooms.get(pod.obj["spec"]["nodeName"]):
                room.take(pod, podstatus.requests(pod.obj))
        return list(rooms.values())

    def step(self) -> None:
        if not self._stale:
            return
        self._stale = False
        rooms, left = self.rooms(), []
        pods = [pod for key in list(self.pending) if (pod := self.store.find(PODS, key))]
        for pod in sorted(pods, key=lambda p: -p.obj["spec"].get("priority", 0)):
            if not self._place(pod, rooms):
                left.append(self.store.find(PODS, pod.key) or pod)
        self.unschedulable = left

    def _place(self, pod: Stored, rooms: list[NodeRoom]) -> bool:
        asked = podstatus.requests(pod.obj)
        reasons: dict[str, int] = {}
        fitting: list[NodeRoom] = []
        for room in rooms:
            blocked = obstacle(room.node.obj, pod.obj)
            for reason in [blocked] if blocked else room.lacks(asked):
                reasons[reason] = reasons.get(reason, 0) + 1
            if not blocked and not room.lacks(asked):
                fitting.append(room)
        if fitting:
            # the fullest node that fits, so that others can become empty and go
            self._bind(pod, min(fitting, key=lambda r: (r.free["cpu"], r.node.key)), asked)
            return True
        self._explain(pod, rooms, reasons, self._preempt(pod, rooms, asked))
        return False

    def _bind(self, pod: Stored, room: NodeRoom, asked: Amounts) -> None:
        obj = pod.clone()
        podstatus.bind(obj, room.node.key[1])
        bound = self.store.update(PODS, obj)
        room.take(bound, asked)
        text = f"Successfully assigned {pod.key[0]}/{pod.key[1]} to {room.node.key[1]}"
        self.recorder.record(bound, "Scheduled", text, by="default-scheduler", action="Binding")

    def _preempt(self, pod: Stored, rooms: list[NodeRoom], asked: Amounts) -> bool:
        """Pushes out pods of lower priority where that makes room; False: it would not help anywhere."""
        priority = pod.obj["spec"].get("priority", 0)
        for room in rooms:
            if obstacle(room.node.obj, pod.obj):
                continue
            free, victims = dict(room.free), []
            lower = [p for p in room.pods if p.obj["spec"].get("priority", 0) < priority]
            for victim in sorted(lower, key=lambda p: p.obj["spec"].get("priority", 0)):
                if not NodeRoom(room.node, free).lacks(asked):
                    break
                victims.append(victim)
                for name, amount in podstatus.requests(victim.obj).items():
                    free[name] = free.get(name, Decimal(0)) + amount
                free["pods"] += 1
            if victims and not NodeRoom(room.node, free).lacks(asked):
                for victim in victims:
                    self._push_out(victim, pod, room.node.key[1])
                return True
        return False

    def _push_out(self, victim: Stored, pod: Stored, node: str) -> None:
        present = self.store.find(PODS, victim.key)
        if not present or "deletionTimestamp" in present.meta:
            return
        obj = present.clone()
        text = "default-scheduler: preempting to accommodate a higher priority pod"
        podstatus.set_condition(obj, "DisruptionTarget", "True", "PreemptionByScheduler", text)
        marked = self.store.update(PODS, obj)
        text = f"Preempted by pod {pod.uid} on node {node}"
        self.recorder.record(marked, "Preempted", text, by="default-scheduler", action="Preempting")
        lifecycle.delete_pod(self.store, marked, None)

    def _explain(self, pod: Stored, rooms: list[NodeRoom], reasons: dict[str, int], preempting: bool) -> None:
        total = len(rooms)
        if not total:
            message = "no nodes available to schedule pods"
        else:
            counts = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
            could = sum(
                1
                for room in rooms
                if not NodeRoom(room.node, allocatable(room.node.obj)).lacks(podstatus.requests(pod.obj))
            )
            parts = [f"{could} No preemption victims found for incoming pod"] if could else []
            parts += [f"{total - could} Preemption is not helpful for scheduling"] if total - could else []
            message = (
                f"0/{total} nodes are available: {counts}. no new claims to deallocate, "
                f"preemption: 0/{total} nodes are available: {', '.join(parts)}."
            )
        known = podstatus.condition(pod.obj, "PodScheduled")
        if preempting or (known and known.get("message") == message):
            return
        obj = pod.clone()
        podstatus.set_condition(obj, "PodScheduled", "False", "Unschedulable", message)
        stored = self.store.update(PODS, obj)
        self.recorder.record(
            stored, "FailedScheduling", message, by="default-scheduler", warning=True, action="Scheduling"
        )
