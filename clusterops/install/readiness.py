"""What a workload's own status says of it. Pure: the API server's JSON in, answers out."""

from typing import Any

from clusterops.install.kustomize import Manifest


def is_ready(live: Manifest) -> bool:
    """Whether the workload, as the cluster tells it now, is up with its newest template."""
    spec, status = live["spec"], live.get("status", {})
    if live["kind"] == "Job":
        return _condition(live, "Complete") is not None
    wanted = spec.get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= live["metadata"]["generation"]
    counts = {status.get(count, 0) for count in ("replicas", "updatedReplicas", "availableReplicas")}
    return seen and counts <= {wanted}


def failure_of(live: Manifest) -> str:
    """Why a Job has failed for good; empty if it has not."""
    condition = _condition(live, "Failed") if live["kind"] == "Job" else None
    return str(condition.get("message", "no message")) if condition else ""


def _condition(live: Manifest, kind: str) -> dict[str, Any] | None:
    conditions = live.get("status", {}).get("conditions", [])
    return next((found for found in conditions if found["type"] == kind and found["status"] == "True"), None)


def event_of(events: list[Manifest], subject: Manifest, pods: list[Manifest]) -> str:
    """The newest warning about the workload, its pods or what makes them (a ReplicaSet); empty if there is none."""
    names = {subject["metadata"]["name"], *(pod["metadata"]["name"] for pod in pods)}
    owners = {owner["name"] for pod in pods for owner in pod["metadata"].get("ownerReferences", ())}
    about = [
        event
        for event in events
        if event.get("type") == "Warning"
        and (
            (name := event.get("involvedObject", {}).get("name", "")) in names | owners
            or (event["involvedObject"].get("kind") == "ReplicaSet" and name.rpartition("-")[0] in names)
        )
    ]
    newest = max(about, key=_last_seen, default=None)
    return f"{newest.get('reason', '')}: {newest.get('message', '')}".strip(": ") if newest else ""


def _last_seen(event: Manifest) -> str:
    series = event.get("series") or {}
    times = (event.get("lastTimestamp"), series.get("lastObservedTime"), event.get("eventTime"))
    return str(next(filter(None, times), ""))


def trouble_of(pods: list[Manifest]) -> str:
    """What keeps the pods from running, in the cluster's words; empty if nothing is known."""
    found = set()
    for pod in pods:
        status = pod.get("status", {})
        for container in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
            waiting = container.get("state", {}).get("waiting", {})
            if waiting.get("reason", "PodInitializing") not in {"PodInitializing", "ContainerCreating"}:
                found.add(f"{container['name']}: {waiting['reason']} {waiting.get('message', '')}".strip())
        found |= {
            f"{condition['reason']}: {condition.get('message', '')}"
            for condition in status.get("conditions", [])
            if condition["type"] == "PodScheduled" and condition["status"] == "False"
        }
    return "; ".join(sorted(found))
