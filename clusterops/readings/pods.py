"""One pod as the API server tells it → the fields of a `Run` that a pod decides. Pure; see `translate`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clusterops.contract import Phase
from clusterops.objects.manifests import CONTAINER
from clusterops.readings.values import exit_code, moment, name, words
from simulations.models import Job
from simulations.sumo.protocol.endings import EXIT_REASONS
from simulations.sumo.protocol.report import RunReport, read_message

Json = Mapping[str, Any]
Reason = Job.Reason

IMAGE_REASONS = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
}
CONFIG_REASONS = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff"}
SIGNALLED = {"", Reason.INTERRUPTED, Reason.KILLED}  # ends that a deletion brings about
NODE_LOST_DISRUPTIONS = {"DeletionByTaintManager", "DeletionByPodGC"}


def pod_state(pod: Json) -> dict[str, Any]:
    """Run's fields as far as one pod tells them."""
    meta, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    phase = status.get("phase", "Pending")
    conditions = {c["type"]: c for c in status.get("conditions") or []}
    container = _container_state(status)
    ended = container.get("terminated") or {}
    state: dict[str, Any] = {
        "pod_name": name(meta["name"]),
        "node_name": name(spec.get("nodeName")),
        "started_at": moment((ended or container.get("running") or {}).get("startedAt")),
        "finished_at": moment(ended.get("finishedAt")),
        "exit_code": exit_code(ended.get("exitCode")),
        "report": _report(ended.get("message")),
        "waiting_since": moment(meta.get("creationTimestamp")),
    }
    disruption = conditions.get("DisruptionTarget") or {}
    disrupted = disruption.get("status") == "True"
    if phase == "Succeeded":
        return state | {"phase": Phase.SUCCEEDED}
    if disrupted and ("deletionTimestamp" in meta or phase == "Failed"):
        return state | _disrupted(disruption, conditions, meta, phase)
    if "deletionTimestamp" in meta and not (phase == "Failed" and _is_own_verdict(ended)):
        if silent_since := _silent_since(conditions):  # nobody is there to end it
            return state | {"phase": Phase.ENDING, "reason": Reason.NODE_LOST, "waiting_since": silent_since}
        since = moment(meta["deletionTimestamp"])
        return state | {"phase": Phase.ENDING, "reason": Reason.DELETED_EXTERNALLY, "waiting_since": since}
    if phase == "Failed":
        reason, detail = _why_failed(status, ended)
        return state | {"phase": Phase.FAILED, "reason": reason, "detail": detail}
    if ended:
        return state | {"phase": Phase.ENDING, "reason": Reason.FINISHING}
    if "running" in container or phase in {"Running", "Unknown"}:
        return state | _running(conditions, phase)
    return state | _waiting(conditions, container)


def _is_own_verdict(ended: Json) -> bool:
    """Whether it ended by itself before its deletion, or in spite of it."""
    return ended.get("reason") == "OOMKilled" or EXIT_REASONS.get(ended.get("exitCode", -1), "") not in SIGNALLED


def _disrupted(disruption: Json, conditions: Mapping[str, Json], meta: Json, phase: str) -> dict[str, Any]:
    lost = disruption.get("reason") in NODE_LOST_DISRUPTIONS
    since = meta.get("deletionTimestamp") or disruption.get("lastTransitionTime")
    return {
        # Once it is over, the Job makes a replacement, so the run waits for that.
        "phase": Phase.WAITING if phase == "Failed" else Phase.ENDING,
        "reason": Reason.NODE_LOST if lost else Reason.PREEMPTED,
        "detail": words(disruption.get("message")),
        "waiting_since": _silent_since(conditions) or moment(since),
        "report": None,
    }


def _silent_since(conditions: Mapping[str, Json]) -> datetime | None:
    """When the node stopped answering: the node controller writes Ready=False without a reason, a kubelet gives one."""
    ready = conditions.get("Ready") or {}
    if ready.get("status") == "False" and not ready.get("reason"):
        return moment(ready.get("lastTransitionTime"))
    return None


def _running(conditions: Mapping[str, Json], phase: str) -> dict[str, Any]:
    since = _silent_since(conditions)
    if since or phase == "Unknown":
        return {"phase": Phase.RUNNING, "reason": Reason.NODE_LOST, "waiting_since": since}
    return {"phase": Phase.RUNNING}


def _waiting(conditions: Mapping[str, Json], container: Json) -> dict[str, Any]:
    scheduled = conditions.get("PodScheduled") or {}
    if scheduled.get("status") == "False":
        reason, detail = Reason.WAITING_FOR_NODE, words(scheduled.get("message"))
    else:
        waiting = container.get("waiting") or {}
        detail = words(f"{waiting.get('reason', '')}: {waiting.get('message', '')}".strip(": "))
        reason = Reason.STARTING
        if waiting.get("reason") in IMAGE_REASONS:
            reason = Reason.IMAGE_ERROR
        elif waiting.get("reason") in CONFIG_REASONS:
            reason = Reason.CONFIG_ERROR
    return {"phase": Phase.WAITING, "reason": reason, "detail": detail}


def _why_failed(status: Json, ended: Json) -> tuple[str, str]:
    """(reason, the cluster's words) of a failed pod that no disruption explains."""
    says = words(status.get("message") or ended.get("message"))
    code = ended.get("exitCode")
    if status.get("reason") == "Evicted":
        full = any(word in says.lower() for word in ("emptydir", "ephemeral"))
        return (Reason.EVICTED_DISK if full else Reason.KILLED), says
    if status.get("reason") == "DeadlineExceeded":
        return Reason.TIME_LIMIT, says
    if ended.get("reason") == "OOMKilled":
        return Reason.OUT_OF_MEMORY, says
    if ended.get("reason") in {"StartError", "ContainerCannotRun"}:
        return Reason.CONFIG_ERROR, says
    if ended.get("reason") == "ContainerStatusUnknown":  # its machine restarted: the kubelet found no trace of it
        return Reason.INTERRUPTED, says
    if code is None:  # never started: the machine refused it, or it was lost
        return (Reason.INTERRUPTED if status.get("reason") else Reason.LOST), says
    return EXIT_REASONS.get(code, Reason.RUNNER_ERROR), says


def _container_state(status: Json) -> Json:
    containers = status.get("containerStatuses") or []
    chosen = next((c for c in containers if c.get("name") == CONTAINER), containers[0] if containers else {})
    return chosen.get("state") or {}


def _report(message: Any) -> RunReport | None:
    """The runner's termination message; None if the text is a log's tail or cut off."""
    return read_message(message) if isinstance(message, str) and message.startswith("{") else None
