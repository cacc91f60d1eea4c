"""Plays Karpenter: pods that fit nowhere bring a node, within the pool's limits; an empty node goes after its time.

Objects, labels and texts as in https://karpenter.sh/docs/ (karpenter.sh/v1); the nodes exist only as objects.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from localcluster import defaults, podstatus, quantity
from localcluster.config import Autoscaler
from localcluster.events import Recorder
from localcluster.nodes import NodeController
from localcluster.resources import NODE_CLAIMS, NODE_POOLS, NODES, PODS
from localcluster.scheduler import NodeRoom, Scheduler
from localcluster.store import Store, Stored, seconds, timestamp


class NodePoolController:
    def __init__(
        self, store: Store, recorder: Recorder, scheduler: Scheduler, nodes: NodeController, pool: Autoscaler
    ) -> None:
        self.store, self.recorder, self.scheduler, self.nodes, self.pool = store, recorder, scheduler, nodes, pool
        self._empty_since: dict[str, float] = {}
        self._told: dict[str, str] = {}
        self._publish()

    def _publish(self) -> None:
        pool = self.pool
        spec = {
            "limits": {"cpu": pool.pool_cpu, "memory": pool.pool_memory},
            "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": f"{pool.empty_after_s:g}s"},
            "template": {"spec": {"requirements": [_require("kubernetes.io/arch", "amd64")], "expireAfter": "168h"}},
        }
        if present := self.store.find(NODE_POOLS, ("", pool.pool_name)):
            self.store.update(NODE_POOLS, present.clone() | {"spec": spec})
        else:
            status = {"resources": {}, "conditions": [_condition("Ready")]}
            self.store.create(NODE_POOLS, {"metadata": {"name": pool.pool_name}, "spec": spec, "status": status})

    def step(self) -> None:
        self._register_due()
        self._provision()
        self._retire_empty()
        self._count()

    def next_due(self) -> float | None:
        """Nothing here needs better than the sweep, except nodes that are about to arrive."""
        waits = [self._arrives_in(claim) for claim in self._claims() if not _registered(claim)]
        return time.monotonic() + max(0.0, min(waits)) if waits else None

    def _claims(self) -> list[Stored]:
        return self.store.objects(NODE_CLAIMS)

    def _arrives_in(self, claim: Stored) -> float:
        return seconds(claim.obj["status"]["launchedAt"]) + self.pool.node_delay_s - time.time()

    def _register_due(self) -> None:
        for claim in self._claims():
            if _registered(claim) or self._arrives_in(claim) > 0:
                continue
            name = claim.key[1]
            labels = claim.meta["labels"] | {"karpenter.sh/registered": "true", "karpenter.sh/initialized": "true"}
            self.nodes.register(name, self.pool.node_cpu, self.pool.node_memory, labels)
            obj = claim.clone()
            kinds = ("Launched", "Registered", "Initialized", "Ready")
            obj["status"] |= {"nodeName": name, "conditions": [_condition(kind) for kind in kinds]}
            self.store.update(NODE_CLAIMS, obj)

    def _provision(self) -> None:
        coming = [self._planned_room(claim) for claim in self._claims() if not _registered(claim)]
        for pod in self.scheduler.unschedulable:
            if not self.store.find(PODS, pod.key) or pod.obj["spec"].get("nodeName"):
                continue
            asked = podstatus.requests(pod.obj)
            room = next((room for room in coming if not room.lacks(asked)), None)
            if room is None and self._fits_new_node(asked):
                if limits := self._limits_in_the_way():
                    self._refuse(pod, limits)
                    continue
                room = self._planned_room(self._launch())
                coming.append(room)
            if room is None:
                self._tell(pod, "FailedScheduling", self._too_large(), warning=True)
                continue
            room.take(pod, asked)
            self._tell(pod, "Nominated", f"Pod should schedule on: nodeclaim/{room.node.key[1]}")

    def _planned_room(self, claim: Stored) -> NodeRoom:
        free = {name: quantity.parse(value) for name, value in claim.obj["status"]["allocatable"].items()}
        return NodeRoom(claim, {"ephemeral-storage": Decimal(2**50), **free})

    def _size(self) -> dict[str, Decimal]:
        return {"cpu": quantity.parse(self.pool.node_cpu), "memory": quantity.parse(self.pool.node_memory)}

    def _fits_new_node(self, asked: dict[str, Decimal]) -> bool:
        return all(asked.get(name, Decimal(0)) <= amount for name, amount in self._size().items())

    def _limits_in_the_way(self) -> dict[str, str]:
        """Those of the pool's limits that one more node would exceed."""
        count = len(self._claims()) + 1
        limits = {"cpu": self.pool.pool_cpu, "memory": self.pool.pool_memory}
        return {n: limits[n] for n, amount in self._size().items() if count * amount > quantity.parse(limits[n])}

    def _launch(self) -> Stored:
        pool = self.pool
        name = f"{pool.pool_name}-{defaults.random_suffix()}"
        size = {"cpu": pool.node_cpu, "memory": pool.node_memory, "pods": "110"}
        labels = {
            "karpenter.sh/nodepool": pool.pool_name,
            "karpenter.sh/capacity-type": "on-demand",
            "node.kubernetes.io/instance-type": f"local.{pool.node_cpu}cpu",
        }
        claim = self.store.create(
            NODE_CLAIMS,
            {
                "metadata": {"name": name, "labels": labels},
                "spec": {"resources": {"requests": size}, "requirements": []},
                "status": {
                    "launchedAt": datetime.now(UTC).isoformat(),
                    "capacity": size,
                    "allocatable": size,
                    "conditions": [_condition("Launched")],
                },
            },
        )
        text = "Status condition transitioned, Type: Launched, Status: Unknown -> True, Reason: Launched"
        self.recorder.record(claim, "Launched", text, by="karpenter")
        return claim

    def _refuse(self, pod: Stored, limits: dict[str, str]) -> None:
        """Karpenter names the pool only; which limit it is, an operator of this one need not look up."""
        named = ", ".join(f"{name}={value}" for name, value in {"NodePool": self.pool.pool_name, **limits}.items())
        text = f"Failed to schedule pod, all available instance types exceed limits for nodepool ({named})"
        self._tell(pod, "FailedScheduling", text, warning=True)

    def _too_large(self) -> str:
        pool = self.pool
        return (
            f'Failed to schedule pod, incompatible with nodepool "{pool.pool_name}", no instance type has enough '
            f"resources (largest: cpu={pool.node_cpu}, memory={pool.node_memory})"
        )

    def _tell(self, pod: Stored, reason: str, text: str, *, warning: bool = False) -> None:
        if self._told.get(pod.uid) != text:
            self._told[pod.uid] = text
            self.recorder.record(pod, reason, text, by="karpenter", warning=warning)

    def _retire_empty(self) -> None:
        rooms = {room.node.key[1]: room for room in self.scheduler.rooms()} if self._claims() else {}
        for claim in self._claims():
            room = rooms.get(claim.key[1])
            if room is None and _registered(claim):
                self.store.remove(claim)  # somebody deleted the node
            if room is None or room.pods:
                self._empty_since.pop(claim.key[1], None)
                continue
            since = self._empty_since.setdefault(claim.key[1], time.monotonic())
            if time.monotonic() - since >= self.pool.empty_after_s:
                self._retire(claim, room.node)

    def _retire(self, claim: Stored, node: Stored) -> None:
        self.recorder.record(claim, "DisruptionTerminating", "Disrupting NodeClaim: Empty/Delete", by="karpenter")
        self.recorder.record(node, "DisruptionTerminating", "Disrupting Node: Empty/Delete", by="karpenter")
        self._empty_since.pop(claim.key[1], None)
        self.store.remove(claim)
        self.store.remove(self.store.get(NODES, *node.key))

    def _count(self) -> None:
        pool = self.store.get(NODE_POOLS, "", self.pool.pool_name)
        count = len(self._claims())
        used = {n: quantity.render(count * a, binary=n == "memory") for n, a in self._size().items()}
        obj = pool.clone()
        obj["status"]["resources"] = {**used, "nodes": str(count)}
        self.store.update(NODE_POOLS, obj)


def _registered(claim: Stored) -> bool:
    return "nodeName" in claim.obj["status"]


def _require(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": [value]}


def _condition(kind: str) -> dict[str, Any]:
    return {"type": kind, "status": "True", "reason": kind, "message": "", "lastTransitionTime": timestamp()}
