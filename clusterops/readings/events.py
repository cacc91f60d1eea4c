"""Events → what they say of a Job or a pod that cannot tell it itself, and when to ask for them. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from clusterops.readings.jobs import owner_uid
from clusterops.readings.values import moment, unless_odd, words

Json = Mapping[str, Any]

# Field selectors. `source` is the reporting component, whichever way an event names it.
REFUSED_PODS = "reason=FailedCreate,involvedObject.kind=Job"
REFUSED_MACHINES = "reason=FailedScheduling,involvedObject.kind=Pod,source=karpenter"


def explanations(events: Iterable[Json]) -> dict[str, str]:
    """Uid of a Job whose pod was refused, or of a pod for which no machine can be added → why, the newest text."""
    newest: dict[str, tuple[str, str]] = {}

    def take(event: Json) -> None:
        if _explains(event):
            at = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
            uid = words(event["involvedObject"].get("uid"))
            newest[uid] = max(newest.get(uid, ("", "")), (words(at), words(event.get("message"))))

    for event in events:
        unless_odd(take, event)
    return {uid: text for uid, (_, text) in newest.items()}


def _explains(event: Json) -> bool:
    about = event.get("reason"), (event.get("involvedObject") or {}).get("kind")
    by = (event.get("source") or {}).get("component") or event.get("reportingComponent")
    return about == ("FailedCreate", "Job") or (about == ("FailedScheduling", "Pod") and by == "karpenter")


def has_unexplained(jobs: Iterable[Json], pods: Iterable[Json], before: datetime) -> bool:
    """Whether a Job made before `before` has neither pod nor verdict: only an event can tell why."""
    with_pod: set[str] = set()
    for pod in pods:
        unless_odd(lambda pod: with_pod.add(owner_uid(pod)), pod)

    def is_unexplained(job: Json) -> bool:
        return (
            job["metadata"]["uid"] not in with_pod
            and not (job.get("status") or {}).get("conditions")
            and (moment(job["metadata"].get("creationTimestamp")) or before) < before
        )

    return any(unless_odd(is_unexplained, job) for job in jobs)


def has_unschedulable(pods: Iterable[Json], before: datetime) -> bool:
    """Whether a pod has found no machine since before `before`: an event can tell that none will be added."""

    def is_unschedulable(pod: Json) -> bool:
        return "deletionTimestamp" not in pod["metadata"] and any(
            condition["type"] == "PodScheduled"
            and condition.get("reason") == "Unschedulable"
            and (moment(condition.get("lastTransitionTime")) or before) < before
            for condition in (pod.get("status") or {}).get("conditions") or ()
        )

    return any(unless_odd(is_unschedulable, pod) for pod in pods)
