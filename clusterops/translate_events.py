"""Events → what they say of a Job or a pod that cannot tell it itself, and when to ask for them. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from clusterops.translate import owner_uid
from clusterops.translate_pod import time_of

Json = Mapping[str, Any]

# Field selectors. `source` is the reporting component, whichever way an event names it.
REFUSED_PODS = "reason=FailedCreate,involvedObject.kind=Job"
REFUSED_MACHINES = "reason=FailedScheduling,involvedObject.kind=Pod,source=karpenter"


def explanations(events: Iterable[Json]) -> dict[str, str]:
    """Uid of a Job whose pod was refused, or of a pod for which no machine can be added → why, the newest text."""
    newest: dict[str, tuple[str, str]] = {}
    for event in events:
        if not _explains(event):
            continue
        at = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""
        uid = event["involvedObject"].get("uid", "")
        newest[uid] = max(newest.get(uid, ("", "")), (at, event.get("message", "")))
    return {uid: text for uid, (_, text) in newest.items()}


def _explains(event: Json) -> bool:
    about = event.get("reason"), (event.get("involvedObject") or {}).get("kind")
    by = (event.get("source") or {}).get("component") or event.get("reportingComponent")
    return about == ("FailedCreate", "Job") or (about == ("FailedScheduling", "Pod") and by == "karpenter")


def has_unexplained(jobs: Iterable[Json], pods: Iterable[Json], before: datetime) -> bool:
    """Whether a Job made before `before` has neither pod nor verdict: only an event can tell why."""
    with_pod = {owner_uid(pod) for pod in pods}
    return any(
        job["metadata"]["uid"] not in with_pod
        and not (job.get("status") or {}).get("conditions")
        and (time_of(job["metadata"].get("creationTimestamp")) or before) < before
        for job in jobs
    )


def has_unschedulable(pods: Iterable[Json], before: datetime) -> bool:
    """Whether a pod has found no machine since before `before`: an event can tell that none will be added."""
    return any(
        condition["type"] == "PodScheduled"
        and condition.get("reason") == "Unschedulable"
        and "deletionTimestamp" not in pod["metadata"]
        and (time_of(condition.get("lastTransitionTime")) or before) < before
        for pod in pods
        for condition in (pod.get("status") or {}).get("conditions") or ()
    )
